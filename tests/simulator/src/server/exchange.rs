//! Translates the network's requests for the state machines, and their answers back.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::files::{self, AnswerBody, FileBody};
use super::simulator::Simulator;
use super::{control, servicenow, sts, support};
use crate::support::attachments::content::Content;
use crate::support::json::is_aws_json;
use crate::support::sts::is_sts;
use crate::wire::{Request, Response};

/// The largest body that is read into memory: enough for three attachments of 5 MB in base64.
const MAXIMUM_BODY_BYTES: usize = 25 * 1024 * 1024;
/// The largest body that is a file: more than the largest one that AWS Support takes.
const MAXIMUM_FILE_BYTES: u64 = 200 * 1024 * 1024;
/// The beginnings of the content types of bodies that are read into memory. Any other body is a file.
const READ_TYPES: [&str; 5] =
    ["application/json", "application/x-amz-json", "application/x-www-form-urlencoded", "application/xml", "text/xml"];
/// How long a call with the fault `timeout` is held, unless its client leaves earlier. It is at least as long as
/// casebridge waits for one attempt of a read.
pub(super) const HOLD: Duration = Duration::from_secs(15);

/// The outcome of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is answered.
    Answer(Response),
    /// It is answered with a file, and the connection breaks in the middle of it.
    Break(Response),
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
    let request = match read(&simulator, request).await {
        Ok(request) => request,
        Err(refusal) => return Ok(write(refusal)),
    };
    // The state machines run scripts and block, so they must not run on a thread that serves connections.
    let outcome = tokio::task::spawn_blocking(move || route(&simulator, &request)).await;
    match outcome {
        Ok(Outcome::Answer(response)) => Ok(write(response)),
        Ok(Outcome::Break(response)) => Ok(written(response, true)),
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

async fn read(simulator: &Simulator, request: hyper::Request<Incoming>) -> Result<Request, Response> {
    let (parts, body) = request.into_parts();
    if is_file(&parts.headers) && !body.is_end_stream() {
        let file = simulator.files.receive(body, MAXIMUM_FILE_BYTES).await;
        let file = file.map_err(|error| refusal(400, &error.to_string()))?;
        return Ok(Request { file: Some(Content::file(file)), ..described(&parts) });
    }
    let body = match Limited::new(body, MAXIMUM_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<LengthLimitError>() => return Err(refusal(413, "the body is too large")),
        Err(_) => return Err(refusal(400, "the body ended early")),
    };
    Ok(Request { body, ..described(&parts) })
}

/// Whether the body of a request is a file. One without a type is read, as clients of AWS leave it out.
fn is_file(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| !READ_TYPES.iter().any(|known| kind.starts_with(known)))
}

/// Returns a request without its body.
fn described(parts: &Parts) -> Request {
    let mut result = Request {
        method: parts.method.as_str().to_owned(),
        path: path_of(&parts.uri),
        query: query_of(&parts.uri),
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
    result
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
    written(response, false)
}

/// Returns the answer. With `breaks` the connection breaks in the middle of its file.
fn written(response: Response, breaks: bool) -> hyper::Response<AnswerBody> {
    let body = match response.file {
        Some(content) => Either::Right(FileBody::streamed(content, breaks)),
        None => Either::Left(Full::<Bytes>::from(response.body)),
    };
    let mut result = hyper::Response::new(body);
    *result.status_mut() =
        hyper::StatusCode::from_u16(response.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            result.headers_mut().insert(name, value);
        }
    }
    result
}
