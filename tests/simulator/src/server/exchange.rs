//! Translates the network's requests for the state machines, and their answers back.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::files::{self, AnswerBody};
use super::simulator::Simulator;
use super::{control, servicenow, sts, support};
use crate::support::json::is_aws_json;
use crate::support::sts::is_sts;
use crate::wire::{Request, Response};

/// The largest body that is read: enough for three attachments of 5 MB in base64.
const MAXIMUM_BODY_BYTES: usize = 25 * 1024 * 1024;
/// How long a call with the fault `timeout` is held, unless its client leaves earlier. It is at least as long as
/// casebridge waits for one attempt of a read.
pub(super) const HOLD: Duration = Duration::from_secs(15);

/// The outcome of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is answered.
    Answer(Response),
    /// The connection closes without an answer.
    Drop,
    /// The connection stays open for a while, and closes without an answer.
    Hold,
}

/// The reason to close a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer is withheld on purpose")]
pub(super) struct Withheld;

/// Answers one request of a connection.
pub(super) async fn answer(
    simulator: Arc<Simulator>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<AnswerBody>, Withheld> {
    if files::is_link(&request) {
        return files::answer(simulator, request).await;
    }
    let request = match read(request).await {
        Ok(request) => request,
        Err(refusal) => return Ok(write(refusal)),
    };
    // The state machines run scripts and block, so they must not run on a thread that serves connections.
    let outcome = tokio::task::spawn_blocking(move || route(&simulator, &request)).await;
    match outcome {
        Ok(Outcome::Answer(response)) => Ok(write(response)),
        Ok(Outcome::Drop) => Err(Withheld),
        Ok(Outcome::Hold) => {
            tokio::time::sleep(HOLD).await;
            Err(Withheld)
        }
        Err(error) => {
            eprintln!("a call failed inside the simulator: {error}");
            Err(Withheld)
        }
    }
}

fn route(simulator: &Simulator, request: &Request) -> Outcome {
    if let Some(path) = control::path(request) {
        Outcome::Answer(control::answer(simulator, request, path))
    } else if is_aws_json(request) {
        support::answer(simulator, request)
    } else if is_sts(request) {
        sts::answer(simulator, request)
    } else {
        servicenow::answer(simulator, request)
    }
}

async fn read(request: hyper::Request<Incoming>) -> Result<Request, Response> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, MAXIMUM_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<LengthLimitError>() => return Err(refusal(413, "the body is too large")),
        Err(_) => return Err(refusal(400, "the body ended early")),
    };
    let mut result = Request {
        method: parts.method.as_str().to_owned(),
        path: path_of(&parts.uri),
        query: query_of(&parts.uri),
        body,
        ..Request::default()
    };
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        result
            .headers
            .entry(name.as_str().to_owned())
            .and_modify(|earlier| *earlier = format!("{earlier}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    Ok(result)
}

/// Returns the path, decoded.
pub(super) fn path_of(uri: &hyper::Uri) -> String {
    percent_decode_str(uri.path()).decode_utf8_lossy().into_owned()
}

/// Returns the query's pairs, decoded.
pub(super) fn query_of(uri: &hyper::Uri) -> Vec<(String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

fn refusal(status: u16, message: &str) -> Response {
    Response::json(status, &json!({ "error": { "code": "invalid_request", "message": message } }))
}

fn write(response: Response) -> hyper::Response<AnswerBody> {
    let mut result = hyper::Response::new(Either::Left(Full::<Bytes>::from(response.body)));
    *result.status_mut() =
        hyper::StatusCode::from_u16(response.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            result.headers_mut().insert(name, value);
        }
    }
    result
}
