#![doc = include_str!("../README.md")]

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use casebridge_core::failure::Failure;
use casebridge_ports::Content;
use http_body::{Body, Frame, SizeHint};
use reqwest::{RequestBuilder, Response};
use tokio::sync::mpsc::{Receiver, channel};

/// How many pieces wait for the connection at most: with some kilobytes each, less than a megabyte.
const PIECES_AHEAD: usize = 8;

/// Why a request with a content failed.
#[derive(Debug)]
pub enum SendError {
    /// The content could not be read to its end.
    Content(Failure),
    /// The request failed, or its answer did not come.
    Request(reqwest::Error),
}

/// A body that a pump fills.
struct Pumped {
    pieces: Receiver<Result<Bytes, io::Error>>,
    left: u64,
}

impl Body for Pumped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.pieces.poll_recv(context).map(|piece| {
            let piece = piece?;
            Some(piece.map(|piece| {
                self.left = self.left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                Frame::data(piece)
            }))
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Makes a request whose body is this content, of this many bytes.
///
/// # Errors
/// [`SendError::Content`] if the content fails; [`SendError::Request`] if the request does. The receiver of a request that
/// fails may have got a part of the content.
pub async fn send(request: RequestBuilder, bytes: u64, content: &mut impl Content) -> Result<Response, SendError> {
    let (sender, pieces) = channel(PIECES_AHEAD);
    let answer = request.body(reqwest::Body::wrap(Pumped { pieces, left: bytes })).send();
    let pump = async {
        loop {
            match content.next().await {
                Ok(Some(piece)) => {
                    // A receiver that is gone has answered already, or the connection broke: the answer tells.
                    if sender.send(Ok(piece.into())).await.is_err() {
                        return Ok(());
                    }
                }
                Ok(None) => break,
                Err(failure) => {
                    // The connection breaks, so that nobody takes the part for the whole.
                    let _ = sender.send(Err(io::Error::other("the content failed"))).await;
                    drop(sender);
                    return Err(failure);
                }
            }
        }
        drop(sender);
        Ok(())
    };
    let (answer, pumped) = tokio::join!(answer, pump);
    pumped.map_err(SendError::Content)?;
    answer.map_err(SendError::Request)
}

/// The content of an answer.
#[derive(Debug)]
pub struct Received<F> {
    response: Response,
    failure: F,
}

impl<F: Fn(&reqwest::Error) -> Failure> Received<F> {
    /// Returns the content of an answer. `failure` says what a broken connection means.
    pub fn new(response: Response, failure: F) -> Self {
        Self { response, failure }
    }
}

impl<F: Fn(&reqwest::Error) -> Failure> Content for Received<F> {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let piece = self.response.chunk().await.map_err(|error| (self.failure)(&error))?;
        Ok(piece.map(Vec::from))
    }
}
