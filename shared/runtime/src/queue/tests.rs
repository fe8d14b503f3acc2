use casebridge_core::{
    hint::{Cause, Subject},
    identifiers::{AccountId, CaseId, IncidentId, LinkKey},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::replay::{body, calls, replay};

fn hint(incident: &str) -> Hint {
    Hint {
        subject: Subject::Link { key: LinkKey::support_case(IncidentId::new(incident)) },
        cause: Cause::Due,
        received_at: Timestamp::UNIX_EPOCH,
        claim: None,
    }
}

fn deduplication(text: &str) -> DeduplicationId {
    DeduplicationId::parse(text).unwrap()
}

#[test]
fn deduplication_ids_are_what_sqs_accepts() {
    assert!(DeduplicationId::parse("a".repeat(128)).is_ok());
    for bad in [String::new(), "a".repeat(129), "a b".to_owned(), "ä".to_owned(), "a\n".to_owned()] {
        assert_eq!(DeduplicationId::parse(bad), Err(InvalidDeduplicationId));
    }
}

#[tokio::test]
async fn a_hint_goes_to_its_links_group_under_its_events_id() {
    let (http, config) = replay(&[(200, json!({"MessageId": "m"}))]);
    let queue = HintQueue::new(Client::new(&config), "https://sqs/queue.fifo".to_owned());
    queue.send(&hint("abc"), &deduplication("event-1")).await.unwrap();
    let sent = body(&http, 0);
    assert_eq!(sent["MessageGroupId"], "support_case:abc");
    assert_eq!(sent["MessageDeduplicationId"], "event-1");
    let message: Hint = serde_json::from_str(sent["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(message, hint("abc"));
}

#[tokio::test]
async fn many_hints_go_in_tens() {
    let taken = (200, json!({"Successful": [], "Failed": []}));
    let (http, config) = replay(&[taken.clone(), taken.clone(), taken]);
    let queue = HintQueue::new(Client::new(&config), "https://sqs/queue.fifo".to_owned());
    let hints: Vec<_> = (0..21).map(|number| (hint("abc"), deduplication(&format!("event-{number}")))).collect();
    queue.send_all(&hints).await.unwrap();
    let sizes: Vec<usize> = (0..3).map(|call| body(&http, call)["Entries"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [10, 10, 1]);
    queue.send_all(&[]).await.unwrap();
    assert_eq!(calls(&http), 3);
}

#[tokio::test]
async fn a_part_of_a_batch_that_is_refused_is_an_error() {
    let refused: Value =
        json!({"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": false}]});
    let (_, config) = replay(&[(200, refused), (500, json!({}))]);
    let queue = HintQueue::new(Client::new(&config), "https://sqs/queue.fifo".to_owned());
    let hints = [(hint("abc"), deduplication("event"))];
    assert!(matches!(queue.send_all(&hints).await, Err(QueueError::PartlyTaken { refused: 1, sent: 1, .. })));
    assert!(matches!(queue.send_all(&hints).await, Err(QueueError::NotTaken(_))));
}

#[tokio::test]
async fn redeliveries_go_in_tens_with_their_times() {
    let taken = (200, json!({"Successful": [], "Failed": []}));
    let (http, config) = replay(&[taken.clone(), taken]);
    let queue = HintQueue::new(Client::new(&config), "https://sqs/queue.fifo".to_owned());
    let redelivery = |seconds| Redelivery {
        receipt_handle: format!("receipt-{seconds}"),
        after: SignedDuration::from_secs(seconds),
    };
    let messages: Vec<Redelivery> = (0..11).map(redelivery).collect();
    queue.redeliver(&messages).await.unwrap();
    assert_eq!(body(&http, 0)["Entries"].as_array().unwrap().len(), 10);
    let last = json!([{"Id": "0", "ReceiptHandle": "receipt-10", "VisibilityTimeout": 10}]);
    assert_eq!(body(&http, 1)["Entries"], last);
    queue.redeliver(&[]).await.unwrap();
    assert_eq!(calls(&http), 2);
}

#[tokio::test]
async fn a_redelivery_that_is_not_taken_is_an_error() {
    let refused = json!({
        "Successful": [],
        "Failed": [{"Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": true}],
    });
    let (_, config) = replay(&[(200, refused), (400, json!({}))]);
    let queue = HintQueue::new(Client::new(&config), "https://sqs/queue.fifo".to_owned());
    let message = [Redelivery { receipt_handle: "receipt".to_owned(), after: SignedDuration::ZERO }];
    assert!(matches!(queue.redeliver(&message).await, Err(QueueError::PartlyTaken { refused: 1, sent: 1, .. })));
    assert!(matches!(queue.redeliver(&message).await, Err(QueueError::NotRescheduled(_))));
}

#[test]
fn characters_that_sqs_refuses_are_escaped() {
    let subject = Subject::Case { account: AccountId::new("1"), case_id: CaseId::new("\u{fffe}\u{ffff}\u{1}") };
    let hint = Hint { subject, ..hint("abc") };
    let message = message_of(&hint).unwrap();
    assert!(message.chars().all(|letter| (' '..'\u{fffe}').contains(&letter)));
    assert_eq!(serde_json::from_str::<Hint>(&message).unwrap(), hint);
}

#[tokio::test]
async fn a_hint_for_later_goes_with_its_delay_and_to_no_group() {
    let (http, config) = replay(&[(200, json!({"MessageId": "m"}))]);
    let queue = HintQueue::new(Client::new(&config), "https://sqs/wakes".to_owned());
    queue.send_later(&hint("abc"), SignedDuration::from_secs(900)).await.unwrap();
    let sent = body(&http, 0);
    assert_eq!(sent["DelaySeconds"], 900);
    assert_eq!((&sent["MessageGroupId"], &sent["MessageDeduplicationId"]), (&Value::Null, &Value::Null));
    let message: Hint = serde_json::from_str(sent["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(message, hint("abc"));
}

#[test]
fn a_message_is_told_by_its_queues_name() {
    let (_, config) = replay(&[]);
    let url = "https://sqs.us-east-1.amazonaws.com/111122223333/casebridge-WakeQueue-1";
    let queue = HintQueue::new(Client::new(&config), url.to_owned());
    assert!(queue.is_source("arn:aws:sqs:us-east-1:111122223333:casebridge-WakeQueue-1"));
    assert!(!queue.is_source("arn:aws:sqs:us-east-1:111122223333:casebridge-HintQueue-1.fifo"));
    assert!(!queue.is_source(""));
}
