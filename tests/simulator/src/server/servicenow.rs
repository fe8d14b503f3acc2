//! Calls of ServiceNow, with the ordered faults and the ways in which an instance fails.

use std::collections::BTreeMap;

use serde_json::json;

use super::exchange::Outcome;
use super::simulator::Simulator;
use crate::clock;
use crate::faults::{Fault, Kind, ReceivedCall, Target};
use crate::wire::{Request, Response};

/// The resources of the app.
const APP_PREFIX: &str = "/api/x_casebridge_aws/v1/incidents/";
const TOKEN_PATH: &str = "/oauth_token.do";
const API_PREFIX: &str = "/api/now/";
/// The namespaces under `/api/now` that come with one operation per method.
const METHOD_APIS: [&str; 4] = ["table", "attachment", "stats", "batch"];

/// The most rules that run before the scheduled jobs, since rules can start each other for ever.
const MAXIMUM_RULES_PER_TURN: usize = 1000;

/// The wait that a throttled client is told, in seconds. It is short, so that tests do not wait long.
const RETRY_AFTER_SECONDS: i64 = 2;
const RATE_LIMIT_PER_HOUR: i64 = 100;
const RATE_RULE: &str = "5f0d3b2ac0a8016400a1b2c3d4e5f607";
const SECONDS_PER_HOUR: i64 = 3600;

pub(super) fn answer(simulator: &Simulator, request: &Request) -> Outcome {
    let now = clock::now();
    let operation = operation(request);
    // A request with a file has in its query what others have in their bodies.
    let query = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    let call = ReceivedCall {
        target: Target::Servicenow,
        operation: &operation,
        account: None,
        path: &request.path,
        body: if request.file.is_some() { query.as_bytes() } else { &request.body },
    };
    if let Some(file) = &request.file {
        // The digest of a large file takes a while. It is calculated once, here, without the lock of the instance. A file
        // that can't be read fails there.
        let _ = file.sha256();
    }
    let happen = || simulator.instance().handle(clock::now(), request, &simulator.network);
    simulator.call(now, &call, |fault| match fault {
        None => Outcome::Answer(happen()),
        Some(Fault { kind: Kind::Timeout, .. }) => Outcome::Hold,
        Some(Fault { kind: Kind::ApplyThenDrop, .. }) => broken(happen()),
        Some(Fault { kind: Kind::ApplyThenTimeout, .. }) => {
            happen();
            Outcome::Hold
        }
        Some(Fault { kind: Kind::Throttle, .. }) => Outcome::Answer(throttled()),
        Some(Fault { kind: Kind::Stop, after_commits, .. }) => {
            let mut instance = simulator.instance();
            instance.stop_after_commits(*after_commits);
            Outcome::Answer(instance.handle(clock::now(), request, &simulator.network))
        }
        Some(Fault { kind: Kind::Error, error, .. }) => match error.as_deref() {
            Some("truncated") => match happen() {
                response if response.file.is_some() => Outcome::Break(response),
                response => Outcome::Answer(truncated(response)),
            },
            Some("semaphore") => Outcome::Answer(text(429, "text/plain", "Maximum semaphore queue depth exceeded")),
            Some("html") => Outcome::Answer(text(200, "text/html", HIBERNATING)),
            error => Outcome::Answer(failure(error)),
        },
    })
}

/// Returns what becomes of an answer that is lost: a file breaks off in the middle.
fn broken(response: Response) -> Outcome {
    if response.file.is_some() { Outcome::Break(response) } else { Outcome::Drop }
}

/// Runs the due jobs, one rule at a time, so that requests are answered in between.
pub(super) fn run_jobs(simulator: &Simulator) {
    for _ in 0..MAXIMUM_RULES_PER_TURN {
        if !simulator.instance().run_next_rule(clock::now(), &simulator.network) {
            break;
        }
    }
    simulator.instance().run_due_jobs(clock::now(), &simulator.network);
}

/// Returns the operation's name for faults and counts, from the method and the path.
fn operation(request: &Request) -> String {
    let method = request.method.to_ascii_lowercase();
    let path = request.path.as_str();
    if let Some(resource) = path.strip_prefix(APP_PREFIX) {
        let segments: Vec<&str> = resource.split('/').collect();
        return match segments.as_slice() {
            [_, "files", _] => "file".to_owned(),
            [.., name] => (*name).to_owned(),
            [] => resource.to_owned(),
        };
    }
    if path == TOKEN_PATH {
        return "token".to_owned();
    }
    let api = path.strip_prefix(API_PREFIX).and_then(|rest| {
        let mut segments = rest.split('/');
        let first = segments.next()?;
        // The path may name a version: /api/now/v2/table/...
        if first.starts_with('v') { segments.next() } else { Some(first) }
    });
    match api {
        Some(api) if METHOD_APIS.contains(&api) => format!("{api}.{method}"),
        _ => format!("other.{method}"),
    }
}

/// Returns an error in the envelope of an instance. A text that is an HTTP status sets the status, any other text is
/// the message.
fn failure(error: Option<&str>) -> Response {
    let status = error.and_then(|text| text.parse::<u16>().ok()).filter(|status| (400..600).contains(status));
    let message = match (status, error) {
        (Some(401), _) => "User Not Authenticated",
        (Some(403), _) => "Insufficient rights to query records",
        (Some(404), _) => "No Record found",
        (Some(429), _) => "Rate limit exceeded",
        (Some(503), _) => "Service Unavailable",
        (None, Some(text)) => text,
        _ => "Internal Server Error",
    };
    envelope(status.unwrap_or(500), message, "The call failed on order.")
}

fn envelope(status: u16, message: &str, detail: &str) -> Response {
    Response::json(status, &json!({ "error": { "message": message, "detail": detail }, "status": "failure" }))
}

/// Returns the answer of a rate-limit rule.
fn throttled() -> Response {
    let detail = format!("Rate limit of {RATE_LIMIT_PER_HOUR} requests per hour exceeded");
    let mut response = envelope(429, "Rate limit exceeded", &detail);
    let now = clock::now().as_second();
    let reset = (now / SECONDS_PER_HOUR + 1) * SECONDS_PER_HOUR;
    response.headers.extend(
        [
            ("x-ratelimit-limit", RATE_LIMIT_PER_HOUR.to_string()),
            ("x-ratelimit-reset", reset.to_string()),
            ("x-ratelimit-rule", RATE_RULE.to_owned()),
            ("retry-after", RETRY_AFTER_SECONDS.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    response
}

/// Returns what the quota rule for long transactions leaves of an answer: half of its body with an error at the end,
/// and the status 200, which was sent before. The effects stay.
fn truncated(mut response: Response) -> Response {
    const TAIL: &str = concat!(
        r#""error": {"message": "Transaction cancelled: maximum execution time exceeded","#,
        r#""detail":"Transaction cancelled: maximum execution time exceeded. Check logs for error trace"},"#,
        r#""status": "failure"}"#
    );
    response.status = 200;
    response.body.truncate(response.body.len() / 2);
    response.body.extend_from_slice(TAIL.as_bytes());
    response
}

fn text(status: u16, content_type: &str, body: &str) -> Response {
    let headers = BTreeMap::from([("content-type".to_owned(), content_type.to_owned())]);
    Response { status, headers, body: body.as_bytes().to_vec(), file: None }
}

const HIBERNATING: &str = "<!DOCTYPE html><html><head><title>Instance Hibernating page</title></head>\
<body>Your instance is hibernating. Sign in to wake it.</body></html>";

#[cfg(test)]
mod tests {
    use super::*;

    fn named(method: &str, path: &str) -> String {
        operation(&Request { method: method.to_owned(), path: path.to_owned(), ..Request::default() })
    }

    #[test]
    fn operations_are_named_by_method_and_path() {
        assert_eq!(named("POST", "/api/x_casebridge_aws/v1/incidents/0123/deliver"), "deliver");
        assert_eq!(named("GET", "/api/x_casebridge_aws/v1/incidents/0123/snapshot"), "snapshot");
        assert_eq!(named("GET", "/api/x_casebridge_aws/v1/incidents/changes"), "changes");
        assert_eq!(named("GET", "/api/x_casebridge_aws/v1/incidents/0123/files/4567"), "file");
        assert_eq!(named("POST", "/api/x_casebridge_aws/v1/incidents/0123/files"), "files");
        assert_eq!(named("POST", "/oauth_token.do"), "token");
        assert_eq!(named("PATCH", "/api/now/table/incident/0123"), "table.patch");
        assert_eq!(named("GET", "/api/now/v2/table/incident"), "table.get");
        assert_eq!(named("GET", "/api/now/attachment"), "attachment.get");
        assert_eq!(named("GET", "/nav_to.do"), "other.get");
    }

    #[test]
    fn a_truncated_answer_is_a_success_that_no_parser_takes() {
        let whole = Response::json(200, &json!({ "result": { "sys_id": "0123", "number": "INC0010001" } }));
        let broken = truncated(whole);
        assert_eq!(broken.status, 200);
        assert!(serde_json::from_slice::<serde_json::Value>(&broken.body).is_err());
        assert!(broken.body.ends_with(br#""status": "failure"}"#));
    }

    #[test]
    fn an_error_may_be_a_status_or_a_message() {
        assert_eq!(failure(None).status, 500);
        assert_eq!(failure(Some("503")).status, 503);
        let response = failure(Some("Operation Failed"));
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert_eq!((response.status, &body["error"]["message"]), (500, &json!("Operation Failed")));
    }
}
