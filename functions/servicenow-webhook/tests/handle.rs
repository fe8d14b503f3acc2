//! The handling of requests by ServiceNow and by others.
#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::cell::RefCell;

use aws_lambda_events::lambda_function_urls::{LambdaFunctionUrlRequest, LambdaFunctionUrlResponse};
use base64::{Engine, engine::general_purpose::STANDARD};
use casebridge_core::{
    hint::{Cause, Hint},
    identifiers::LinkKind,
    rotation::{ROTATION, Rotation},
};
use casebridge_ledger::{Ledger, MemoryLedger};
use casebridge_ports::Clock;
use casebridge_runtime::{DeduplicationId, HintSink, QueueError, SecretError, WebhookKeys, metrics::Metrics};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use servicenow_webhook::{KeySource, MAXIMUM_BODY_BYTES, RejectionLog, Webhook};

const NOW: i64 = 1_800_000_000;
const INCIDENT: &str = "9d385017c611228701d22104cc95c371";
const CURRENT: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const PREVIOUS: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// A key of 23 bytes, which is too short.
const WEAK: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=";
const NEWEST: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(NOW).unwrap()
    }
}

/// The secrets. After a rotation that the function has not noticed yet, only a new read returns the newest secret.
struct Keys {
    available: bool,
    rotated: bool,
}

const KEYS: Keys = Keys { available: true, rotated: false };

/// How many seconds ago the current version was created.
const CREATED_BEFORE: i64 = 3_600;

fn keys(version: &str, current: &str, previous: &str) -> WebhookKeys {
    let previous = Some(SecretString::from(previous));
    let created_at = Timestamp::from_second(NOW - CREATED_BEFORE).ok();
    WebhookKeys { current: SecretString::from(current), version: version.to_owned(), created_at, previous }
}

/// The current secret and the previous one.
struct Versions(&'static str, &'static str);

impl KeySource for Versions {
    async fn known(&self) -> Result<WebhookKeys, SecretError> {
        Ok(keys("2", self.0, self.1))
    }

    async fn renewed(&self) -> Result<WebhookKeys, SecretError> {
        self.known().await
    }
}

impl KeySource for Keys {
    async fn known(&self) -> Result<WebhookKeys, SecretError> {
        if self.available {
            Ok(keys("2", CURRENT, PREVIOUS))
        } else {
            Err(SecretError::Missing { id: "casebridge/webhook".to_owned() })
        }
    }

    async fn renewed(&self) -> Result<WebhookKeys, SecretError> {
        Ok(if self.rotated {
            keys("3", NEWEST.trim_start_matches("whsec_"), CURRENT)
        } else {
            keys("2", CURRENT, PREVIOUS)
        })
    }
}

struct Queue {
    available: bool,
    sent: RefCell<Vec<(Hint, String)>>,
}

impl HintSink for &Queue {
    async fn send(&self, hint: &Hint, deduplication: &DeduplicationId) -> Result<(), QueueError> {
        if !self.available {
            return Err(QueueError::NotTaken("down".into()));
        }
        self.sent.borrow_mut().push((hint.clone(), deduplication.to_string()));
        Ok(())
    }

    async fn send_all(&self, hints: &[(Hint, DeduplicationId)]) -> Result<(), QueueError> {
        for (hint, deduplication) in hints {
            self.send(hint, deduplication).await?;
        }
        Ok(())
    }
}

fn queue() -> Queue {
    Queue { available: true, sent: RefCell::default() }
}

fn told() -> Value {
    json!({"sys_id": INCIDENT, "sys_mod_count": 7})
}

fn event(data: &Value) -> String {
    json!({"id": "outbox-row-1", "type": "incident.changed", "timestamp": "2026-11-20T21:14:06Z", "data": data})
        .to_string()
}

/// The differences of a request from an accepted one.
struct Request<'a> {
    secret: &'a str,
    id: &'a str,
    timestamp: i64,
    body: String,
    base64: bool,
}

impl Request<'_> {
    fn of(body: String) -> Self {
        Self { secret: CURRENT, id: "outbox-row-1", timestamp: NOW, body, base64: false }
    }

    /// Signs with the Standard Webhooks crate, an implementation other than ours.
    fn signature(&self) -> String {
        let signer = standardwebhooks::Webhook::new(self.secret).unwrap();
        signer.sign(self.id, self.timestamp, self.body.as_bytes()).unwrap()
    }

    fn event(&self, signature: &str) -> LambdaFunctionUrlRequest {
        let template = include_str!("fixtures/function-url-request.json");
        let mut event: Value = serde_json::from_str(template).unwrap();
        event["headers"] = json!({"content-type": "application/json; charset=utf-8", "webhook-id": self.id,
                                  "webhook-timestamp": self.timestamp.to_string(), "webhook-signature": signature});
        event["isBase64Encoded"] = self.base64.into();
        event["body"] = if self.base64 { STANDARD.encode(&self.body).into() } else { self.body.clone().into() };
        serde_json::from_value(event).unwrap()
    }

    async fn send(&self, queue: &Queue) -> (i64, Value) {
        handle(queue, self.event(&self.signature())).await
    }
}

async fn handle(queue: &Queue, event: LambdaFunctionUrlRequest) -> (i64, Value) {
    handle_with(KEYS, MemoryLedger::new(), queue, event).await
}

async fn handle_with(
    keys: impl KeySource,
    ledger: MemoryLedger,
    queue: &Queue,
    event: LambdaFunctionUrlRequest,
) -> (i64, Value) {
    let metrics = Metrics::new("servicenow-webhook");
    let webhook = Webhook { keys, ledger, queue, clock: FixedClock, metrics, rejection_log: RejectionLog::default() };
    let answer: LambdaFunctionUrlResponse = webhook.handle(event).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    (answer.status_code, serde_json::from_str(&answer.body.unwrap()).unwrap())
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap()
}

#[tokio::test]
async fn a_signed_webhook_becomes_a_hint_without_content() {
    let queue = queue();
    assert_eq!(Request::of(event(&told())).send(&queue).await, (202, json!({"status": "accepted"})));
    let sent = queue.sent.borrow();
    let (hint, deduplication) = &sent[0];
    assert_eq!(deduplication, "outbox-row-1");
    let groups: Vec<String> = sent.iter().map(|(hint, _)| hint.group_id()).collect();
    let links = LinkKind::ALL.map(|kind| format!("{}:{INCIDENT}", kind.as_str()));
    assert_eq!(groups, links, "one for each link that the incident may have");
    assert_eq!(hint.cause, Cause::ServicenowWebhook);
    let written = serde_json::to_string(hint).unwrap();
    assert!(!written.contains("mod_count"), "nothing but the incident's id goes on: {written}");
}

#[tokio::test]
async fn the_signature_is_over_the_decoded_bytes() {
    let queue = queue();
    let request = Request { base64: true, ..Request::of(event(&told())) };
    assert_eq!(request.send(&queue).await.0, 202);
}

#[tokio::test]
async fn each_valid_secret_is_accepted_the_one_before_and_the_newest_too() {
    for (secret, rotated, status) in [
        (CURRENT, false, 202),
        (PREVIOUS, false, 202),
        (NEWEST, false, 401),
        (NEWEST, true, 202),
        (CURRENT, true, 202),
        (PREVIOUS, true, 401),
    ] {
        let queue = queue();
        let request = Request { secret, ..Request::of(event(&told())) };
        let event = request.event(&request.signature());
        let keys = Keys { rotated, ..KEYS };
        assert_eq!(handle_with(keys, MemoryLedger::new(), &queue, event).await.0, status, "{secret} {rotated}");
    }
}

#[tokio::test]
async fn the_previous_secret_stops_a_day_after_the_rotation_was_seen() {
    let day = 24 * 3_600;
    for (version, seen_at, status) in
        [("2", NOW - day + 1, 202), ("2", NOW - day, 401), ("1", NOW - 30 * day, 202), ("not JSON", NOW, 202)]
    {
        let seen_at = Timestamp::from_second(seen_at).unwrap();
        let rotation = serde_json::to_string(&Rotation { version: version.to_owned(), seen_at }).unwrap();
        let row = if version == "not JSON" { version.to_owned() } else { rotation };
        for (secret, status) in [(CURRENT, 202), (PREVIOUS, status)] {
            let (queue, ledger) = (queue(), MemoryLedger::new());
            ledger.set_watermark(ROTATION, &row).await.unwrap();
            let request = Request { secret, ..Request::of(event(&told())) };
            let event = request.event(&request.signature());
            assert_eq!(handle_with(KEYS, ledger, &queue, event).await.0, status, "{secret} {row}");
            assert_eq!(queue.sent.borrow().len(), usize::from(status == 202));
        }
    }
}

#[tokio::test]
async fn a_weak_secret_signs_nothing_and_takes_nothing_from_a_good_one() {
    let by_weak = Request { secret: WEAK, ..Request::of(event(&told())) };
    let by_good = Request::of(event(&told()));
    let queue = queue();
    // If all versions are weak or unreadable, no signature is valid, so the sender has to try again.
    for (current, previous) in [(WEAK, ""), ("whsec_hunter2", ""), (WEAK, "not base64"), ("", WEAK)] {
        for request in [&by_weak, &by_good] {
            let event = request.event(&request.signature());
            let (status, answer) = handle_with(Versions(current, previous), MemoryLedger::new(), &queue, event).await;
            assert_eq!((status, code(&answer)), (503, "unavailable"), "{current} {previous}");
            assert!(!answer.to_string().contains("bytes"), "whoever can't sign learns nothing: {answer}");
        }
    }
    assert!(queue.sent.borrow().is_empty());
    for (current, previous) in [(CURRENT, WEAK), (WEAK, CURRENT)] {
        let status_of = async |request: &Request<'_>| {
            let event = request.event(&request.signature());
            handle_with(Versions(current, previous), MemoryLedger::new(), &queue, event).await.0
        };
        assert_eq!(status_of(&by_weak).await, if current == CURRENT { 401 } else { 503 });
        assert_eq!(status_of(&by_good).await, 202);
    }
}

#[tokio::test]
async fn one_good_signature_among_several_is_enough() {
    let queue = queue();
    let request = Request::of(event(&told()));
    let several = format!("v1,AAAA v1a,BBBB nonsense {}", request.signature());
    assert_eq!(handle(&queue, request.event(&several)).await.0, 202);
}

#[tokio::test]
async fn what_is_not_signed_rightly_learns_nothing() {
    let queue = queue();
    let good = Request::of(event(&told()));
    let other = Request { secret: "whsec_BBECAwQFBgcICQoLDA0ODxAREhMUFRYX", ..Request::of(event(&told())) };
    let tampered = Request::of(event(&json!({})));
    let mut without_header = good.event("v1,");
    without_header.headers.remove("webhook-signature");
    let mut events = vec![other.event(&other.signature()), tampered.event(&good.signature()), without_header];
    for signature in ["", "v1", "v1,", "v1,????", "v2,AAAA"] {
        events.push(good.event(signature));
    }
    for seconds in [-301, 301] {
        let request = Request { timestamp: NOW + seconds, ..Request::of(event(&told())) };
        events.push(request.event(&request.signature()));
    }
    for event in events {
        let (status, answer) = handle(&queue, event).await;
        assert_eq!((status, code(&answer)), (401, "unauthorized"));
        assert_eq!(answer["error"]["message"], "the webhook is not accepted");
    }
    assert!(queue.sent.borrow().is_empty());
}

#[tokio::test]
async fn five_minutes_either_way_are_accepted() {
    for seconds in [-300, 300] {
        let queue = queue();
        let request = Request { timestamp: NOW + seconds, ..Request::of(event(&told())) };
        assert_eq!(request.send(&queue).await.0, 202, "{seconds}");
    }
}

#[tokio::test]
async fn a_malformed_body_is_told_by_its_field() {
    let cases = [
        ("not json".to_owned(), "body"),
        ("[]".to_owned(), "body"),
        (json!({"type": "incident.deleted"}).to_string(), "type"),
        (json!({"type": "incident.changed", "timestamp": "today"}).to_string(), "timestamp"),
        (json!({"type": "incident.changed", "data": told()}).to_string(), "timestamp"),
        (event(&Value::Null), "data"),
        (event(&json!({"sys_mod_count": 7})), "data.sys_id"),
        (event(&json!({"sys_id": "../x"})), "data.sys_id"),
        (event(&json!({"sys_id": 7})), "data.sys_id"),
        (event(&json!({"sys_id": format!("{INCIDENT}0")})), "data.sys_id"),
        (event(&json!({"sys_id": INCIDENT.replace('9', "g")})), "data.sys_id"),
    ];
    for (body, field) in cases {
        let queue = queue();
        let (status, answer) = Request::of(body).send(&queue).await;
        assert_eq!((status, code(&answer)), (400, "malformed"), "{field}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains(&format!("`{field}`")), "{field}: {message}");
        assert!(queue.sent.borrow().is_empty());
    }
}

#[tokio::test]
async fn fields_that_decide_nothing_are_not_looked_at() {
    for data in [
        json!({"sys_id": INCIDENT}),
        json!({"sys_id": INCIDENT, "sys_mod_count": "seven"}),
        json!({"sys_id": INCIDENT, "state": "6", "entries": [{"text": "forged"}]}),
    ] {
        let queue = queue();
        assert_eq!(Request::of(event(&data)).send(&queue).await.0, 202, "{data}");
        let written = serde_json::to_string(&queue.sent.borrow()[0].0).unwrap();
        assert!(!written.contains("forged"), "{written}");
    }
}

#[tokio::test]
async fn an_id_that_the_queue_would_refuse_is_malformed() {
    let long = "a".repeat(129);
    for id in ["a b", long.as_str()] {
        let queue = queue();
        let request = Request { id, ..Request::of(event(&told())) };
        let (status, answer) = request.send(&queue).await;
        assert_eq!((status, code(&answer)), (400, "malformed"));
        assert!(answer["error"]["message"].as_str().unwrap().contains("webhook-id"));
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_turned_away_before_anything_else() {
    for base64 in [false, true] {
        let queue = queue();
        let request = Request { base64, ..Request::of("x".repeat(MAXIMUM_BODY_BYTES + 1)) };
        let (status, answer) = handle(&queue, request.event("v1,")).await;
        assert_eq!((status, code(&answer)), (413, "too_large"));
        let request = Request { base64, ..Request::of("x".repeat(MAXIMUM_BODY_BYTES)) };
        assert_eq!(handle(&queue, request.event("v1,")).await.0, 401);
    }
}

#[tokio::test]
async fn other_methods_and_other_bytes_are_turned_away() {
    let queue = queue();
    let mut event = Request::of(event(&told())).event("v1,");
    event.request_context.http.method = Some("GET".to_owned());
    assert_eq!(handle(&queue, event).await.0, 405);
    let mut event = Request { base64: true, ..Request::of(String::new()) }.event("v1,");
    event.body = Some("????".to_owned());
    assert_eq!(handle(&queue, event).await.0, 400);
}

#[tokio::test]
async fn what_is_not_our_senders_fault_is_503_so_that_it_comes_again() {
    let down = Queue { available: false, sent: RefCell::default() };
    let request = Request::of(event(&told()));
    let (status, answer) = request.send(&down).await;
    assert_eq!((status, code(&answer)), (503, "unavailable"));
    let queue = queue();
    let event = request.event(&request.signature());
    let unavailable = Keys { available: false, ..KEYS };
    assert_eq!(handle_with(unavailable, MemoryLedger::new(), &queue, event).await.0, 503);
}

#[tokio::test]
async fn a_request_as_lambda_documents_it_is_read() {
    let event: LambdaFunctionUrlRequest =
        serde_json::from_str(include_str!("fixtures/function-url-request-base64.json")).unwrap();
    assert_eq!(handle(&queue(), event).await.0, 401);
}
