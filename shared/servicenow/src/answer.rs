//! The meaning of ServiceNow's answers.

use std::time::Duration;

use casebridge_core::{
    failure::{Failure, Refusal},
    unreadable::UnreadableJson,
};
use jiff::{Timestamp, ToSpan};
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

/// The longest text of ServiceNow that a failure repeats, in characters: a few sentences, which fit the incident's
/// `last_error`.
const MAXIMUM_MESSAGE_CHARACTERS: usize = 500;
/// The longest wait that an answer may ask for: ServiceNow's rate limits count by the hour.
const MAXIMUM_RETRY_AFTER: Duration = Duration::from_hours(1);
/// What the app says to a new incident of an account of which it has no active record.
const NO_ACTIVE_ACCOUNT: &str = "ServiceNow has no active AWS account";
/// The app's message for an incident that exists and that it does not serve.
const NOT_SERVED: &str = "Incident not served";
/// The app's message for an incident that does not exist.
const NO_SUCH_INCIDENT: &str = "No such incident";
/// The app's message for a file that does not exist, or that the instance withholds.
const NO_SUCH_FILE: &str = "No such file";
/// The app's message for a request of a form that it does not know.
const UNKNOWN_FORM: &str = "Invalid request";
/// The platform's message for a resource that the app does not have, or if the app is not installed.
const UNKNOWN_RESOURCE: &str = "Requested URI does not represent any resource";
/// The header with the end of a rate limit, in Unix seconds. Source: ServiceNow, inbound REST API rate limiting.
const RATE_LIMIT_RESET: &str = "x-ratelimit-reset";

/// An answer that arrived whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: String,
    pub(crate) retry_at: Option<Timestamp>,
    pub(crate) body: Vec<u8>,
    /// Whether the request was a read.
    pub(crate) is_read: bool,
    /// Whether the request was about a file of an incident.
    pub(crate) is_of_file: bool,
}

/// A failure, and whether a repeat within seconds may succeed.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) failure: Failure,
    pub(crate) repeat: bool,
}

impl Problem {
    pub(crate) fn refused(refusal: Refusal, message: impl Into<String>) -> Self {
        Self { failure: Failure::Refused { refusal, message: shorten(&message.into()) }, repeat: false }
    }

    pub(crate) fn unavailable(message: impl Into<String>, retry_at: Option<Timestamp>, repeat: bool) -> Self {
        Self { failure: Failure::Unavailable { message: shorten(&message.into()), retry_at }, repeat }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self.failure, Failure::Refused { refusal: Refusal::NotFound, .. })
    }
}

/// The object in which ServiceNow wraps every result and every error.
#[derive(Deserialize)]
struct Envelope<T> {
    result: Option<T>,
    error: Option<Value>,
}

impl Answer {
    /// Creates the answer from a response.
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, body: Vec<u8>, now: Timestamp, is_read: bool) -> Self {
        let content_type = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
        Self { status, content_type, retry_at: retry_at(headers, now), body, is_read, is_of_file: false }
    }

    /// Whether the instance refuses the credentials of the request.
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// Returns the result within the envelope. An answer with a status of success may still hold an error, a part of a
    /// body, or a page for people.
    pub(crate) fn result<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if !self.status.is_success() {
            return Err(self.problem());
        }
        if !self.is_json() {
            return Err(Problem::unavailable(
                format!(
                    "ServiceNow answered with `{}` where JSON was expected: the instance may be asleep, or a login page \
                     stands before it",
                    self.content_type
                ),
                self.retry_at,
                true,
            ));
        }
        let envelope: Envelope<T> = serde_json::from_slice(&self.body).map_err(|error| self.unreadable(error))?;
        match envelope {
            Envelope { error: Some(error), .. } => Err(Problem::unavailable(
                format!("ServiceNow broke off its answer: {}", words_of(&error)),
                self.retry_at,
                true,
            )),
            Envelope { result: Some(result), .. } => Ok(result),
            Envelope { .. } => Err(Problem::unavailable("ServiceNow answered without a result", None, true)),
        }
    }

    fn is_json(&self) -> bool {
        self.content_type.starts_with("application/json")
    }

    /// Returns the problem of an unreadable body. A body that was cut off may arrive whole the next time. A body of
    /// another form needs another version of the app.
    fn unreadable(&self, error: serde_json::Error) -> Problem {
        // The first error may name a field although the end of the body is missing. So check the whole body as JSON.
        if serde_json::from_slice::<Value>(&self.body).is_err() {
            return Problem::unavailable("ServiceNow's answer was cut off", self.retry_at, true);
        }
        if let Some(words) = self.error_words() {
            return Problem::unavailable(format!("ServiceNow broke off its answer: {words}"), self.retry_at, true);
        }
        let reason = UnreadableJson::from(error);
        let message = format!(
            "ServiceNow's answer is not of the expected form ({reason}): install the version of the app that belongs to \
             this version of casebridge"
        );
        Problem::unavailable(message, None, false)
    }

    /// Returns the problem of a status other than success.
    fn problem(&self) -> Problem {
        let words = self.error_words();
        let said = words.clone().unwrap_or_else(|| "no reason given".to_owned());
        let status = self.status.as_u16();
        match status {
            // An app of another version may accept none of these requests. A refusal would hold back one request after
            // the other, each for an hour. As "unavailable" all requests wait together and go on soon after the
            // upgrade. If the content of one incident is the reason, the app answers with another message, and this one
            // request is refused: as "unavailable" it would hold up all requests of its link to ServiceNow for ever,
            // the reads included.
            400 if said.starts_with(UNKNOWN_FORM) || said.starts_with(UNKNOWN_RESOURCE) => Problem::unavailable(
                format!(
                    "ServiceNow's app does not know this request ({said}): the app and the functions do not fit together; \
                     install the versions that belong together, the app first"
                ),
                None,
                false,
            ),
            400 if said.contains(NO_ACTIVE_ACCOUNT) => Problem::refused(Refusal::AccountNotInUse, said),
            401 => Problem::refused(
                Refusal::Credentials,
                format!("ServiceNow does not accept the credentials ({said}): check the secret and the user"),
            ),
            403 if said.starts_with("Operation Failed") => Problem::refused(Refusal::InvalidRequest, said),
            403 if said.starts_with(NOT_SERVED) => Problem::refused(Refusal::NotServed, said),
            // The instance itself refuses credentials in JSON, so something before it answered.
            403 if words.is_none() => {
                self.refused_before_instance("a firewall or proxy before it may have refused the text")
            }
            413 => self.refused_before_instance("a proxy before it refuses so long a text"),
            403 => Problem::refused(
                Refusal::Credentials,
                format!("ServiceNow does not allow it ({said}): check the roles of the integration user"),
            ),
            // In other words this says nothing about the incident: a gateway that does not know the path may have
            // answered, or a sleeping instance.
            404 if said.starts_with(NO_SUCH_INCIDENT) && !self.is_of_file => Problem::refused(Refusal::NotFound, said),
            // An incident that is hidden for a while says nothing about its files.
            404 if said.starts_with(NO_SUCH_FILE) => Problem::refused(Refusal::NotFound, said),
            409 => Problem::unavailable(
                format!("ServiceNow is still working on an earlier attempt ({said})"),
                self.retry_at,
                false,
            ),
            300..=399 => Problem::unavailable(
                format!("ServiceNow redirects ({status}): set the URL to the instance's own address"),
                None,
                false,
            ),
            404 | 408 | 425 | 429 | 500..=599 => {
                Problem::unavailable(format!("ServiceNow answered {status} ({said})"), self.retry_at, true)
            }
            _ if words.is_none() => self.refused_before_instance("what stands before it answered in its place"),
            _ => Problem::refused(Refusal::InvalidRequest, format!("ServiceNow answered {status} ({said})")),
        }
    }

    /// Returns the problem of an answer that came from a proxy or firewall before the instance. For a read this is
    /// "unavailable". For a write it is a refusal.
    fn refused_before_instance(&self, reason: &str) -> Problem {
        let message = format!("The request did not get through to ServiceNow ({}): {reason}", self.status.as_u16());
        if self.is_read {
            return Problem::unavailable(message, self.retry_at, true);
        }
        Problem::refused(Refusal::InvalidRequest, message)
    }

    /// Returns ServiceNow's own text, if the body is an error envelope.
    fn error_words(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        body.get("error").map(words_of)
    }
}

/// Returns the text of an error envelope, or of an OAuth error.
fn words_of(error: &Value) -> String {
    let text = |key: &str| error.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    match (text("message"), text("detail")) {
        (Some(message), Some(detail)) => format!("{message}: {detail}"),
        (Some(words), None) | (None, Some(words)) => words.to_owned(),
        (None, None) => error.as_str().unwrap_or("no reason given").to_owned(),
    }
}

/// Returns when to call the instance again, from any of the headers that it uses.
fn retry_at(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let latest = now + MAXIMUM_RETRY_AFTER;
    let from_header = header(headers, RETRY_AFTER.as_str()).and_then(|text| {
        text.parse::<u32>()
            .ok()
            .and_then(|seconds| now.checked_add(i64::from(seconds).seconds()).ok())
            .or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|moment| moment.timestamp()))
    });
    let from_limit = || {
        let seconds = header(headers, RATE_LIMIT_RESET)?.parse::<i64>().ok()?;
        Timestamp::from_second(seconds).ok()
    };
    from_header.or_else(from_limit).map(|moment| moment.clamp(now, latest))
}

fn header<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn shorten(message: &str) -> String {
    message.chars().take(MAXIMUM_MESSAGE_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn answer(status: u16, content_type: &str, body: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        Answer::new(status, &headers, body.as_bytes().to_vec(), Timestamp::UNIX_EPOCH, false)
    }

    fn name(status: u16, content_type: &str, body: &str) -> &'static str {
        answer(status, content_type, body).result::<Value>().unwrap_err().failure.name()
    }

    const JSON: &str = "application/json;charset=UTF-8";

    #[test]
    fn statuses_are_classified() {
        let envelope = r#"{"error":{"message":"m","detail":"d"},"status":"failure"}"#;
        let cases = [
            (400, "refused_invalid_request"),
            (401, "refused_credentials"),
            (403, "refused_credentials"),
            (404, "unavailable"),
            (406, "refused_invalid_request"),
            (408, "unavailable"),
            (409, "unavailable"),
            (425, "unavailable"),
            (429, "unavailable"),
            (500, "unavailable"),
            (503, "unavailable"),
            (302, "unavailable"),
        ];
        for (status, expected) in cases {
            assert_eq!(name(status, JSON, envelope), expected, "{status}");
        }
    }

    #[test]
    fn a_forbidden_operation_is_told_by_its_detail() {
        let policy = r#"{"error":{"message":"Operation Failed","detail":"Data Policy Exception"},"status":"failure"}"#;
        assert_eq!(name(403, JSON, policy), "refused_invalid_request");
    }

    #[test]
    fn an_incident_that_is_not_served_is_neither_missing_nor_a_matter_of_credentials() {
        let body = r#"{"error":{"message":"Incident not served","detail":"It has no AWS case."},"status":"failure"}"#;
        assert_eq!(name(403, JSON, body), "refused_not_served");
    }

    #[test]
    fn what_stands_before_the_instance_refuses_a_write_and_says_nothing_of_a_read() {
        for (status, content_type, body) in [
            (413, "text/html", "<html>"),
            (403, "text/html", "<html>"),
            (413, JSON, "{}"),
            (400, "text/html", "<html>"),
        ] {
            let mut answer = answer(status, content_type, body);
            let problem = answer.result::<Value>().unwrap_err();
            assert_eq!(problem.failure.name(), "refused_invalid_request", "{status}");
            assert!(problem.failure.message().contains(&status.to_string()), "{}", problem.failure.message());
            assert!(problem.failure.message().contains("before it"), "{}", problem.failure.message());
            answer.is_read = true;
            assert_eq!(answer.result::<Value>().unwrap_err().failure.name(), "unavailable", "{status}");
        }
    }

    #[test]
    fn a_request_that_the_app_does_not_know_waits_for_the_versions_that_belong_together() {
        for words in [
            r#"{"message":"Invalid request","detail":"kind: is not known; known are messages, fields, columns"}"#,
            r#"{"message":"Requested URI does not represent any resource","detail":null}"#,
        ] {
            let problem = answer(400, JSON, &format!(r#"{{"error":{words},"status":"failure"}}"#));
            let problem = problem.result::<Value>().unwrap_err();
            assert_eq!((problem.failure.name(), problem.repeat), ("unavailable", false), "{words}");
            let message = problem.failure.message();
            assert!(message.contains("do not fit together") && message.contains("belong together"), "{message}");
        }
        // The content of one incident is its own matter: it is refused, so that nothing else waits for it.
        for message in ["Content not accepted", "Exception while reading request", "An Invalid request"] {
            let body = format!(r#"{{"error":{{"message":"{message}","detail":"d"}},"status":"failure"}}"#);
            assert_eq!(name(400, JSON, &body), "refused_invalid_request", "{message}");
        }
    }

    #[test]
    fn only_the_app_says_that_an_incident_does_not_exist() {
        let body = r#"{"error":{"message":"No such incident","detail":"There is no incident 0."},"status":"failure"}"#;
        assert_eq!(name(404, JSON, body), "refused_not_found");
        let gateway = r#"{"timestamp":"2026-11-20T21:14:05Z","path":"/api","status":404,"error":"Not Found"}"#;
        assert_eq!(name(404, JSON, gateway), "unavailable");
        assert_eq!(name(404, "text/html", "<html>"), "unavailable");
        assert_eq!(name(200, "text/html", "<html>"), "unavailable");
    }

    #[test]
    fn a_success_with_an_error_inside_is_a_failure() {
        let whole = r#"{"result":[],"error":{"message":"Transaction cancelled: maximum execution time exceeded"}}"#;
        assert_eq!(name(200, JSON, whole), "unavailable");
        let cut_off = r#"{"result":[{"sys_id":"a","#;
        assert_eq!(name(200, JSON, cut_off), "unavailable");
        let spliced = r#"{"result":[{"sys_id":"a", "error": {"message":"m","detail":"d"},"status": "failure"}"#;
        assert_eq!(name(200, JSON, spliced), "unavailable");
    }

    #[test]
    fn waits_are_honoured_in_every_form_and_bounded() {
        let now = Timestamp::from_second(1_000).unwrap();
        let at = |name: &'static str, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
            retry_at(&headers, now).map(Timestamp::as_second)
        };
        assert_eq!(at("retry-after", "30"), Some(1_030));
        assert_eq!(at("retry-after", "Thu, 01 Jan 1970 00:20:00 GMT"), Some(1_200));
        assert_eq!(at("x-ratelimit-reset", "1100"), Some(1_100));
        assert_eq!(at("retry-after", "999999999"), Some(4_600));
        assert_eq!(at("retry-after", "soon"), None);
    }

    #[test]
    fn long_words_are_cut() {
        let problem = answer(400, JSON, &format!(r#"{{"error":{{"message":"{}"}}}}"#, "x".repeat(9_000)));
        let problem = problem.result::<Value>().unwrap_err();
        assert_eq!(problem.failure.message().chars().count(), MAXIMUM_MESSAGE_CHARACTERS);
    }
}
