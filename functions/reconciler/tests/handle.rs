//! Batches as SQS delivers them, and the messages that have to come again.
#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::cell::{Cell, RefCell};

use aws_lambda_events::sqs::SqsEvent;
use casebridge_core::{
    failure::{FailureKind, Refusal},
    hint::{Cause, Hint, Subject},
    identifiers::{IncidentId, LinkKey},
    link::trouble::Side,
    support::unknown_case::UnknownCase,
};
use casebridge_executor::{ReconcileError, Report};
use casebridge_ledger::LedgerError;
use casebridge_ports::Clock;
use casebridge_runtime::{
    QueueError, Redeliverer, Redelivery,
    metrics::{Metric, Metrics},
};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::tracing::subscriber;
use reconciler::{Reconcile, TIME_FOR_A_HINT, handle};
use serde_json::{Value, json};

/// A worker with its own clock. The ledger does not answer for the link `broken`.
#[derive(Default)]
struct Worker {
    now: Cell<i64>,
    seconds_per_hint: i64,
    handled: RefCell<Vec<String>>,
    times_left: RefCell<Vec<i64>>,
    /// Receipt handles, and the seconds until each message comes again.
    redelivered: RefCell<Vec<(String, i64)>>,
    queue_fails: bool,
}

impl Redeliverer for Worker {
    async fn redeliver(&self, messages: &[Redelivery]) -> Result<(), QueueError> {
        let seen = messages.iter().map(|message| (message.receipt_handle.clone(), message.after.as_secs()));
        self.redelivered.borrow_mut().extend(seen);
        if self.queue_fails { Err(QueueError::NotRescheduled("the queue throttles".into())) } else { Ok(()) }
    }
}

impl Reconcile for &Worker {
    async fn reconcile(&mut self, hint: &Hint, time_left: SignedDuration) -> Result<Report, ReconcileError> {
        self.times_left.borrow_mut().push(time_left.as_secs());
        self.now.set(self.now.get() + self.seconds_per_hint);
        let Subject::Link { key } = &hint.subject else { panic!("a link") };
        if key.incident.as_str() == "broken" {
            let source = std::io::Error::other("the connection was reset");
            return Err(LedgerError::Unavailable { doing: "taking a lease", source: Box::new(source) }.into());
        }
        if key.incident.as_str() == "being opened" {
            let wait = UnknownCase::Wait(SignedDuration::from_secs(5));
            return Ok(Report { unknown_case: Some(wait), calls: 2, ..Report::default() });
        }
        if key.incident.as_str() == "untold" {
            return Ok(Report { deferred: true, record_untold: true, calls: 1, ..Report::default() });
        }
        if key.incident.as_str() == "unclaimed" {
            return Ok(Report { unclaimed: true, wake_lost: true, calls: 1, ..Report::default() });
        }
        if let Some(out_of_use) = key.incident.as_str().strip_prefix("refused, out of use: ") {
            let credentials = FailureKind::Refused(Refusal::Credentials);
            let failures = vec![(Side::Aws, credentials), (Side::ServiceNow, credentials)];
            return Ok(Report { out_of_use: out_of_use == "true", failures, ..Report::default() });
        }
        self.handled.borrow_mut().push(key.incident.to_string());
        Ok(Report {
            effects: vec![("deliver", None), ("report", Some(FailureKind::InDoubt))],
            calls: 4,
            ..Report::default()
        })
    }
}

impl Clock for Worker {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.now.get()).unwrap()
    }
}

/// Returns the log line with the metrics.
fn line_of(metrics: &Metrics) -> Value {
    let mut log = Vec::new();
    metrics.write(Timestamp::UNIX_EPOCH, &mut log).unwrap();
    serde_json::from_slice(&log).unwrap()
}

fn hint(incident: &str) -> String {
    let hint = Hint {
        subject: Subject::Link { key: LinkKey::support_case(IncidentId::new(incident)) },
        cause: Cause::ServicenowWebhook,
        received_at: Timestamp::UNIX_EPOCH,
        claim: None,
    };
    serde_json::to_string(&hint).unwrap()
}

/// Returns a batch of (message id, group, body), each as Lambda documents a FIFO message.
fn batch(messages: &[(&str, &str, String)]) -> SqsEvent {
    LogOfThread::begin();
    let mut event: Value = serde_json::from_str(include_str!("fixtures/sqs-fifo-event.json")).unwrap();
    let template = event["Records"][0].clone();
    let records: Vec<Value> = messages
        .iter()
        .map(|(id, group, body)| {
            let mut record = template.clone();
            record["messageId"] = json!(id);
            record["receiptHandle"] = json!(format!("receipt of {id}"));
            record["attributes"]["ApproximateReceiveCount"] = json!("3");
            record["attributes"]["MessageGroupId"] = json!(group);
            record["body"] = json!(body);
            record
        })
        .collect();
    event["Records"] = records.into();
    serde_json::from_value(event).unwrap()
}

async fn failed(worker: &Worker, seconds_left: i64, messages: &[(&str, &str, String)]) -> Value {
    let deadline = Timestamp::from_second(worker.now.get() + seconds_left).unwrap();
    let response =
        handle(batch(messages), &mut { worker }, worker, worker, &Metrics::new("reconciler"), deadline).await;
    serde_json::to_value(&response).unwrap()
}

fn identifiers(ids: &[&str]) -> Value {
    let failures: Vec<Value> = ids.iter().map(|id| json!({"itemIdentifier": id})).collect();
    json!({"batchItemFailures": failures})
}

#[tokio::test]
async fn a_batch_without_failures_says_so() {
    let worker = Worker::default();
    let messages = [("m1", "a", hint("a")), ("m2", "b", hint("b"))];
    assert_eq!(failed(&worker, 60, &messages).await, identifiers(&[]));
    assert_eq!(*worker.handled.borrow(), ["a", "b"]);
    assert!(worker.redelivered.borrow().is_empty());
}

#[tokio::test]
async fn an_event_whose_case_may_be_being_opened_comes_again() {
    let worker = Worker::default();
    let messages = [("m1", "a", hint("being opened")), ("m2", "b", hint("b")), ("m3", "a", hint("a"))];
    assert_eq!(failed(&worker, 60, &messages).await, identifiers(&["m1", "m3"]));
    let expected = ["receipt of m1", "receipt of m3"].map(|receipt| (receipt.to_owned(), 5));
    assert_eq!(*worker.redelivered.borrow(), expected);
}

/// The template message was received three times, so the wait is the third.
#[tokio::test]
async fn a_hint_whose_record_the_link_was_not_told_comes_again() {
    let worker = Worker::default();
    let messages = [("m1", "a", hint("untold")), ("m2", "b", hint("b")), ("m3", "a", hint("a"))];
    assert_eq!(failed(&worker, 60, &messages).await, identifiers(&["m1", "m3"]));
    let expected = ["receipt of m1", "receipt of m3"].map(|receipt| (receipt.to_owned(), 50));
    assert_eq!(*worker.redelivered.borrow(), expected);
}

#[tokio::test]
async fn the_queue_is_told_when_to_bring_what_was_not_handled() {
    for (poison, seconds) in [(hint("broken"), 50), ("not a hint".to_owned(), 15)] {
        let worker = Worker { queue_fails: true, ..Worker::default() };
        let messages = [("m1", "a", poison), ("m2", "b", hint("b")), ("m3", "a", hint("a"))];
        assert_eq!(failed(&worker, 60, &messages).await, identifiers(&["m1", "m3"]));
        // The later messages of a group wait with the failed one: otherwise the queue would block the group.
        let expected = ["receipt of m1", "receipt of m3"].map(|receipt| (receipt.to_owned(), seconds));
        assert_eq!(*worker.redelivered.borrow(), expected);
    }
    let worker = Worker { seconds_per_hint: 20, ..Worker::default() };
    assert_eq!(failed(&worker, 40, &[("m1", "a", hint("a")), ("m2", "b", hint("b"))]).await, identifiers(&["m2"]));
    assert_eq!(*worker.redelivered.borrow(), [("receipt of m2".to_owned(), 0)]);
    // Too little time is left for the call to the queue: a timeout in it would fail the whole invocation.
    let worker = Worker { seconds_per_hint: 46, ..Worker::default() };
    assert_eq!(failed(&worker, 60, &[("m1", "a", hint("broken"))]).await, identifiers(&["m1"]));
    assert!(worker.redelivered.borrow().is_empty());
}

#[tokio::test]
async fn a_failure_stops_its_own_group_and_no_other() {
    for poison in [hint("broken"), "not a hint".to_owned(), "{}".to_owned()] {
        let worker = Worker::default();
        let messages = [("m1", "a", hint("a")), ("m2", "b", poison), ("m3", "b", hint("b")), ("m4", "a", hint("a"))];
        assert_eq!(failed(&worker, 60, &messages).await, identifiers(&["m2", "m3"]));
        assert_eq!(*worker.handled.borrow(), ["a", "a"]);
    }
}

/// The queue that wakes links is not FIFO: its messages have no group.
#[tokio::test]
async fn a_failure_of_a_message_without_a_group_stops_no_other() {
    let worker = Worker::default();
    let mut event = batch(&[("m1", "a", hint("a")), ("m2", "b", hint("broken")), ("m3", "c", hint("c"))]);
    for message in &mut event.records {
        message.attributes.remove("MessageGroupId");
    }
    let (metrics, deadline) = (Metrics::new("reconciler"), Timestamp::from_second(60).unwrap());
    let response = handle(event, &mut &worker, &worker, &worker, &metrics, deadline).await;
    assert_eq!(serde_json::to_value(&response).unwrap(), identifiers(&["m2"]));
    assert_eq!(*worker.handled.borrow(), ["a", "c"]);
}

#[tokio::test]
async fn what_time_does_not_reach_comes_again_and_the_first_is_always_begun() {
    let worker = Worker { seconds_per_hint: 20, ..Worker::default() };
    let messages = [("m1", "a", hint("a")), ("m2", "b", hint("b")), ("m3", "c", hint("c"))];
    assert_eq!(failed(&worker, TIME_FOR_A_HINT.as_secs() + 20, &messages).await, identifiers(&["m3"]));
    assert_eq!(*worker.times_left.borrow(), [50, 30], "each hint is told what is left");
    assert_eq!(failed(&worker, 1, &messages).await, identifiers(&["m2", "m3"]));
}

#[tokio::test]
async fn a_message_of_another_making_fails_with_its_own_id() {
    LogOfThread::begin();
    let event: SqsEvent = serde_json::from_str(include_str!("fixtures/sqs-fifo-event.json")).unwrap();
    let worker = Worker::default();
    let deadline = Timestamp::from_second(60).unwrap();
    let response = handle(event, &mut &worker, &worker, &worker, &Metrics::new("reconciler"), deadline).await;
    assert_eq!(serde_json::to_value(&response).unwrap(), identifiers(&["11d6ee51-4cc7-4302-9e22-7cd8afdaadf5"]));
}

#[tokio::test]
async fn a_message_that_nobody_can_read_counts_once() {
    for (receives, counted) in [("1", 1), ("2", 0)] {
        let mut event = batch(&[("m1", "a", "not a hint".to_owned())]);
        event.records[0].attributes.insert("ApproximateReceiveCount".to_owned(), receives.to_owned());
        let (worker, metrics) = (Worker::default(), Metrics::new("reconciler"));
        let deadline = Timestamp::from_second(60).unwrap();
        handle(event, &mut &worker, &worker, &worker, &metrics, deadline).await;
        let line = line_of(&metrics);
        assert_eq!(line[Metric::Parked.name()], counted, "{line}");
    }
}

#[tokio::test]
async fn a_wake_up_whose_claim_is_gone_is_done_and_counted() {
    let (worker, metrics) = (Worker::default(), Metrics::new("reconciler"));
    let deadline = Timestamp::from_second(60).unwrap();
    let event = batch(&[("m1", "a", hint("unclaimed")), ("m2", "b", hint("b"))]);
    let response = handle(event, &mut &worker, &worker, &worker, &metrics, deadline).await;
    assert_eq!(serde_json::to_value(&response).unwrap(), identifiers(&[]));
    let line = line_of(&metrics);
    assert_eq!(line[Metric::Unclaimed.name()], 1, "{line}");
    assert_eq!(line[Metric::WakesLost.name()], 1, "{line}");
}

/// An account that is closed at AWS and out of use in ServiceNow must not raise the alarm on refusals for ever.
#[tokio::test]
async fn a_refused_read_of_an_account_that_is_out_of_use_is_counted_apart() {
    for (out_of_use, refusals, apart) in [(true, json!(1), json!(1)), (false, json!(2), Value::Null)] {
        let (worker, metrics) = (Worker::default(), Metrics::new("reconciler"));
        let event = batch(&[("m1", "a", hint(&format!("refused, out of use: {out_of_use}")))]);
        let deadline = Timestamp::from_second(60).unwrap();
        handle(event, &mut &worker, &worker, &worker, &metrics, deadline).await;
        let line = line_of(&metrics);
        assert_eq!(line[Metric::Refusals.name()], refusals, "{line}");
        assert_eq!(line[Metric::RefusalsOutOfUse.name()], apart, "{line}");
    }
}

thread_local! {
    /// What this test's thread has logged.
    static LOGGED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes the log of each test to its own thread. All tests share one subscriber: `tracing` may drop a line for good if
/// the line first runs without a subscriber.
struct LogOfThread;

impl LogOfThread {
    fn begin() {
        let subscriber = subscriber::fmt().json().with_writer(|| Self).finish();
        // This fails in all tests but the first, since the subscriber is already set.
        drop(subscriber::util::SubscriberInitExt::try_init(subscriber));
    }
}

impl std::io::Write for LogOfThread {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.extend_from_slice(text));
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_tells_every_cause_of_a_failing_ledger() {
    let worker = Worker::default();
    failed(&worker, 60, &[("m1", "a", hint("broken"))]).await;
    let lines = String::from_utf8(LOGGED.take()).unwrap();
    let line: Value =
        lines.lines().find(|line| line.contains("a message failed")).map(serde_json::from_str).unwrap().unwrap();
    let told = "the ledger failed the hint; the message comes again by itself: the ledger's table did not answer while \
        taking a lease; the message comes again by itself: the connection was reset";
    assert_eq!(line["fields"]["error"], told, "{line}");
}
