//! The presigned links, as S3 serves them: uploads of parts and downloads of files, streamed to and from the disk.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Either, Full};
use hyper::HeaderMap;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH, IF_RANGE,
    RANGE,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::exchange::{HOLD, Withheld, path_of, query_of};
use super::simulator::Simulator;
use crate::clock;
use crate::faults::{Fault, Kind, ReceivedCall, Target};
use crate::support::attachments::content::{Content, StoredFile};
use crate::support::attachments::link::{Aim, Link, PREFIX};
use crate::support::attachments::s3::{LinkError, error_body, range, status_of};

/// The folder of the parts, below the server's own folder.
const FOLDER: &str = "files";

/// The body of an answer: one piece, or a file.
pub(super) type AnswerBody = Either<Full<Bytes>, FileBody>;
type Response = hyper::Response<AnswerBody>;

/// The folder of the parts that were uploaded. It is emptied at the start and removed at the end.
#[derive(Debug)]
pub(super) struct FilesFolder {
    path: PathBuf,
    next: AtomicU64,
}

impl FilesFolder {
    /// Creates the folder below another one, without what an earlier server left.
    pub fn create(directory: &std::path::Path) -> io::Result<Self> {
        let path = directory.join(FOLDER);
        match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::create_dir_all(&path)?;
        Ok(Self { path, next: AtomicU64::new(0) })
    }

    /// Streams a body into a new file. Fails if the body is longer than `limit` or ends early.
    pub async fn receive(&self, mut body: Incoming, limit: u64) -> Result<StoredFile, LinkError> {
        let internal = |error: io::Error| LinkError::Internal(error.to_string());
        let path = self.path.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let mut file = File::create_new(&path).map_err(internal)?;
        let mut stored = StoredFile::new(path, 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| LinkError::IncompleteBody)?;
            let Ok(data) = frame.into_data() else { continue };
            stored.length += data.len() as u64;
            if stored.length > limit {
                return Err(LinkError::EntityTooLarge);
            }
            // A frame is a few kilobytes and goes to the page cache, so that it holds up no other connection.
            file.write_all(&data).map_err(internal)?;
        }
        Ok(stored)
    }
}

impl Drop for FilesFolder {
    fn drop(&mut self) {
        // The next start empties a folder that could not be removed.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Part of a file as the body of an answer.
pub(super) struct FileBody {
    content: Content,
    position: u64,
    end: u64,
    /// Where the connection breaks, on order.
    breaks_at: Option<u64>,
    /// Whether the answer says how long it is.
    is_length_told: bool,
}

impl FileBody {
    /// Returns a whole file, of which the answer does not say how long it is: a script that streams it does not know. With
    /// `breaks` the connection breaks in the middle of it.
    pub fn streamed(content: Content, breaks: bool) -> Self {
        let end = content.length();
        Self { content, position: 0, end, breaks_at: breaks.then_some(end / 2), is_length_told: false }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.breaks_at.is_some_and(|breaks_at| self.position >= breaks_at) {
            return Poll::Ready(Some(Err(io::Error::other(Withheld))));
        }
        if self.position >= self.end {
            return Poll::Ready(None);
        }
        let chunk = self.content.read(self.position).map(|mut chunk| {
            let left = self.breaks_at.unwrap_or(self.end) - self.position;
            chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            self.position += chunk.len() as u64;
            Frame::data(Bytes::from(chunk))
        });
        Poll::Ready(Some(chunk))
    }

    fn is_end_stream(&self) -> bool {
        self.position >= self.end && self.is_length_told
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_length_told { SizeHint::with_exact(self.end - self.position) } else { SizeHint::default() }
    }
}

/// Whether a request is one for S3.
pub(super) fn is_link(request: &hyper::Request<Incoming>) -> bool {
    request.uri().path().starts_with(PREFIX)
}

/// What becomes of a request.
enum Outcome {
    Answer(Response),
    Drop,
    Hold,
}

/// Answers one request for a link, with its fault.
pub(super) async fn answer(simulator: Arc<Simulator>, request: hyper::Request<Incoming>) -> Result<Response, Withheld> {
    let now = clock::now();
    let (parts, body) = request.into_parts();
    let path = path_of(&parts.uri);
    let link = Link::parse(&path, &query_of(&parts.uri));
    let is_upload = link.as_ref().map_or(parts.method == hyper::Method::PUT, |link| is_part(&link.aim));
    // A fault may name the file, which is not in the link's address.
    let file_name = link.as_ref().and_then(|link| simulator.support(|support| support.file_name_of(link)));
    let call = ReceivedCall {
        target: Target::Support,
        operation: if is_upload { "UploadPart" } else { "DownloadFile" },
        account: link.as_ref().map(|link| link.account.as_str()),
        path: &path,
        body: file_name.as_deref().unwrap_or_default().as_bytes(),
    };
    let fault = simulator.faults().take(&call);
    let received =
        Received { method: parts.method.as_str().to_owned(), headers: parts.headers, link: link.clone(), body };
    let outcome = received.outcome(&simulator, is_upload, fault.as_ref()).await;
    let status = match &outcome {
        Outcome::Answer(response) => Some(response.status().as_u16()),
        Outcome::Drop | Outcome::Hold => None,
    };
    simulator.calls().record(now, &call, status, fault.map(|fault| fault.kind));
    match outcome {
        Outcome::Answer(response) => Ok(response),
        Outcome::Drop => Err(Withheld),
        Outcome::Hold => {
            tokio::time::sleep(HOLD).await;
            Err(Withheld)
        }
    }
}

fn is_part(aim: &Aim) -> bool {
    matches!(aim, Aim::Part { .. })
}

/// A request whose body has not been read.
struct Received {
    method: String,
    headers: HeaderMap,
    link: Option<Link>,
    body: Incoming,
}

impl Received {
    async fn outcome(self, simulator: &Arc<Simulator>, is_upload: bool, fault: Option<&Fault>) -> Outcome {
        let (kind, code) = (fault.map(|fault| fault.kind), fault.and_then(|fault| fault.error.as_deref()));
        match kind {
            Some(Kind::Timeout) => Outcome::Hold,
            Some(Kind::Throttle) => self.refuse(code.unwrap_or("SlowDown"), "Please reduce your request rate.").await,
            // A rule for AWS can't stop an instance: the control API refuses it.
            Some(Kind::Error | Kind::Stop) => {
                self.refuse(code.unwrap_or("InternalError"), "The call failed on order.").await
            }
            Some(Kind::ApplyThenTimeout) if !is_upload => Outcome::Hold,
            Some(Kind::ApplyThenDrop | Kind::ApplyThenTimeout) if is_upload => {
                self.upload(simulator).await;
                if kind == Some(Kind::ApplyThenDrop) { Outcome::Drop } else { Outcome::Hold }
            }
            _ if is_upload => Outcome::Answer(self.upload(simulator).await),
            _ => Outcome::Answer(self.download(simulator, kind == Some(Kind::ApplyThenDrop)).await),
        }
    }

    /// Refuses the request after its body was read, so that the client gets to the answer.
    async fn refuse(mut self, code: &str, message: &str) -> Outcome {
        while let Some(Ok(_)) = self.body.frame().await {}
        Outcome::Answer(refusal(code, message))
    }

    async fn upload(self, simulator: &Arc<Simulator>) -> Response {
        let Some(link) = self.link else { return refused(&LinkError::AccessDenied) };
        let now = clock::now();
        let admitted = simulator.support(|support| support.admit_part(now, &self.method, &link));
        let stored = match admitted {
            Ok(_) if self.body.size_hint().exact().is_none() => Err(LinkError::MissingContentLength),
            Ok(limit) => simulator.files.receive(self.body, limit).await,
            Err(error) => Err(error),
        };
        let content = match stored {
            Ok(stored) => Content::file(stored),
            Err(error) => return refused(&error),
        };
        let simulator = simulator.clone();
        let put = tokio::task::spawn_blocking(move || {
            // The digest of a large part takes a while. It is calculated once, here, without a lock.
            content.e_tag().map_err(|error| LinkError::Internal(error.to_string()))?;
            simulator.support(|support| support.put_part(clock::now(), &link, content))
        });
        match put.await {
            Ok(Ok(e_tag)) => response(200, [(ETAG, e_tag)], Either::Left(Full::default())),
            Ok(Err(error)) => refused(&error),
            Err(error) => refused(&LinkError::Internal(error.to_string())),
        }
    }

    /// Answers with the file. `breaks` lets the connection break in the middle of it.
    async fn download(self, simulator: &Arc<Simulator>, breaks: bool) -> Response {
        let simulator = simulator.clone();
        let read = tokio::task::spawn_blocking(move || {
            let link = self.link.ok_or(LinkError::AccessDenied)?;
            let download = simulator.support(|support| support.download(clock::now(), &self.method, &link))?;
            let e_tag = download.content.e_tag().map_err(|error| LinkError::Internal(error.to_string()))?;
            serve(&self.headers, download.content, &download.file_name, e_tag, breaks)
        });
        match read.await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => refused(&error),
            Err(error) => refused(&LinkError::Internal(error.to_string())),
        }
    }
}

/// Returns the answer with the file, or with the range of it that the headers ask for.
fn serve(
    headers: &HeaderMap,
    content: Content,
    file_name: &str,
    e_tag: String,
    breaks: bool,
) -> Result<Response, LinkError> {
    let header = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if header(IF_MATCH).is_some_and(|wanted| wanted != "*" && !wanted.contains(e_tag.as_str())) {
        return Err(LinkError::PreconditionFailed);
    }
    let same_file = header(IF_RANGE).is_none_or(|wanted| wanted == e_tag);
    let length = content.length();
    let range = range(header(RANGE).filter(|_| same_file), length)?;
    let (position, end) = range.unwrap_or((0, length));
    let breaks_at = breaks.then_some(position + (end - position) / 2);
    let name = utf8_percent_encode(file_name, NON_ALPHANUMERIC);
    let mut answer = response(
        if range.is_some() { 206 } else { 200 },
        [
            (ETAG, e_tag),
            (ACCEPT_RANGES, "bytes".to_owned()),
            (CONTENT_TYPE, "application/octet-stream".to_owned()),
            (CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")),
        ],
        Either::Right(FileBody { content, position, end, breaks_at, is_length_told: true }),
    );
    if range.is_some() {
        let shown = HeaderValue::try_from(format!("bytes {position}-{}/{length}", end - 1));
        answer.headers_mut().extend(shown.ok().map(|value| (CONTENT_RANGE, value)));
    }
    Ok(answer)
}

fn refused(error: &LinkError) -> Response {
    refusal(error.code(), &error.to_string())
}

fn refusal(code: &str, message: &str) -> Response {
    let body = Full::from(error_body(code, message));
    response(status_of(code), [(CONTENT_TYPE, "application/xml".to_owned())], Either::Left(body))
}

fn response(status: u16, headers: impl IntoIterator<Item = (HeaderName, String)>, body: AnswerBody) -> Response {
    let mut response = hyper::Response::new(body);
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        response.headers_mut().extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
    }
    response
}
