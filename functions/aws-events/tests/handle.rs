//! The handling of messages as SNS delivers them.
#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::cell::RefCell;

use aws_events::{EventError, Events};
use aws_lambda_events::sns::SnsEvent;
use casebridge_core::{
    hint::{Cause, Hint, Subject},
    identifiers::{AccountId, AttemptId, CaseId, IncidentId, LinkKey},
    support::SupportCase,
};
use casebridge_ledger::{LeaseAnswer, Ledger, MemoryLedger};
use casebridge_ports::Clock;
use casebridge_runtime::{DeduplicationId, HintSink, QueueError, metrics::Metrics};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const EVENTS: [&str; 5] = [
    include_str!("fixtures/support-case-update-create.json"),
    include_str!("fixtures/support-case-update-communication-aws.json"),
    include_str!("fixtures/support-case-update-communication-customer.json"),
    include_str!("fixtures/support-case-update-resolve.json"),
    include_str!("fixtures/support-case-update-reopen.json"),
];

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

#[derive(Default)]
struct Queue {
    down: bool,
    sent: RefCell<Vec<(Hint, String)>>,
}

impl HintSink for &Queue {
    async fn send(&self, hint: &Hint, deduplication: &DeduplicationId) -> Result<(), QueueError> {
        if self.down {
            return Err(QueueError::NotTaken("down".into()));
        }
        self.sent.borrow_mut().push((hint.clone(), deduplication.to_string()));
        Ok(())
    }

    async fn send_all(&self, _: &[(Hint, DeduplicationId)]) -> Result<(), QueueError> {
        unreachable!("events come one by one")
    }
}

/// Returns an event with each message as a record of the form that Lambda documents.
fn records(messages: &[&str]) -> SnsEvent {
    let mut event: Value = serde_json::from_str(include_str!("fixtures/sns-event.json")).unwrap();
    let template = event["Records"][0].clone();
    let records: Vec<Value> = messages
        .iter()
        .map(|message| {
            let mut record = template.clone();
            record["Sns"]["Message"] = json!(message);
            record
        })
        .collect();
    event["Records"] = records.into();
    serde_json::from_value(event).unwrap()
}

async fn handle(ledger: MemoryLedger, queue: &Queue, messages: &[&str]) -> Result<(), EventError> {
    let events = Events { ledger, queue, clock: FixedClock, metrics: Metrics::new("aws-events") };
    events.handle(records(messages)).await
}

fn case_id() -> CaseId {
    CaseId::new("case-111122223333-mufr-2022-7118885805350839")
}

/// Returns a ledger in which the case of the documented events is linked, and the link's key.
async fn linked() -> (MemoryLedger, LinkKey) {
    let ledger = MemoryLedger::new();
    let key = LinkKey::support_case(IncidentId::new("9d385017c611228701d22104cc95c371"));
    let now = Timestamp::UNIX_EPOCH;
    let until = now + SignedDuration::from_secs(60);
    let answer = ledger.take_lease::<SupportCase>(&key, &AttemptId::new("a"), now, until, None).await.unwrap();
    let LeaseAnswer::Taken { lease, link: before, .. } = answer else { panic!("free") };
    let mut after = (*before).clone();
    let case = json!({"account": "111122223333", "case_id": case_id(), "display_id": null, "status": null,
                      "status_since": now, "opened_at": now});
    after.memory.case = Some(serde_json::from_value(case).unwrap());
    ledger.record(&lease, &before, &after, now).await.unwrap();
    (ledger, key)
}

#[tokio::test]
async fn every_kind_of_update_becomes_a_hint_under_its_own_id() {
    for message in EVENTS {
        let queue = Queue::default();
        handle(MemoryLedger::new(), &queue, &[message]).await.unwrap();
        let sent = queue.sent.borrow();
        let event: Value = serde_json::from_str(message).unwrap();
        assert_eq!(sent[0].1, event["id"].as_str().unwrap());
        assert_eq!(sent[0].0.cause, Cause::SupportEvent);
        assert_eq!(
            sent[0].0.subject,
            Subject::Case {
                account: AccountId::new("111122223333"),
                case_id: CaseId::new(event["detail"]["case-id"].as_str().unwrap()),
            }
        );
    }
}

#[tokio::test]
async fn a_linked_case_is_found_whatever_its_language() {
    let (ledger, key) = linked().await;
    let queue = Queue::default();
    handle(ledger, &queue, &[EVENTS[1]]).await.unwrap();
    assert_eq!(queue.sent.borrow()[0].0.subject, Subject::Link { key });
}

#[tokio::test]
async fn other_events_are_left_aside() {
    let queue = Queue::default();
    let other = include_str!("fixtures/other-event.json");
    let new_type = json!({"source": "aws.support", "detail-type": "Something New", "detail": 7}).to_string();
    handle(MemoryLedger::new(), &queue, &[other, &new_type]).await.unwrap();
    assert!(queue.sent.borrow().is_empty());
}

#[tokio::test]
async fn what_can_not_be_read_fails_and_holds_up_nothing_else() {
    let with = |path: &str, value: Value| {
        let mut event: Value = serde_json::from_str(EVENTS[0]).unwrap();
        *event.pointer_mut(path).unwrap() = value;
        event.to_string()
    };
    let unreadable = [
        "Hello\r\nworld!".to_owned(),
        "{}".to_owned(),
        with("/account", json!("1111")),
        with("/id", json!("")),
        with("/detail", json!({})),
        with("/detail/case-id", json!("")),
        with("/detail/case-id", json!("a case")),
    ];
    for message in &unreadable {
        let queue = Queue::default();
        let outcome = handle(MemoryLedger::new(), &queue, &[message, EVENTS[1]]).await;
        assert!(matches!(outcome, Err(EventError::Unreadable(_))), "{message}");
        assert_eq!(queue.sent.borrow().len(), 1, "{message}");
    }
}

#[tokio::test]
async fn a_queue_that_is_down_fails_the_invocation() {
    let queue = Queue { down: true, ..Queue::default() };
    let ledger = MemoryLedger::new();
    assert!(matches!(handle(ledger, &queue, &[EVENTS[0]]).await, Err(EventError::Queue(_))));
}
