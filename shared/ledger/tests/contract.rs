//! The contract of the ledger, checked with the ledger in memory.

mod suite;

use casebridge_core::{
    link::intent::{EndedIntent, IntentEnd},
    support::Link,
};
use casebridge_ledger::{Ledger, MemoryLedger};

contract_tests!(MemoryLedger::new());

#[tokio::test]
async fn a_clone_is_a_moment_to_come_back_to() {
    let ledger = MemoryLedger::new();
    suite::store(&ledger, &suite::key(1), &suite::remembered(1)).await;
    let moment = ledger.clone();
    suite::store(&ledger, &suite::key(1), &suite::remembered(2)).await;
    assert_eq!(moment.link(&suite::key(1)).unwrap(), Some(suite::remembered(1)));
    assert_eq!(ledger.link(&suite::key(1)).unwrap(), Some(suite::remembered(2)));
    assert_eq!(ledger.link_keys(), [suite::key(1)]);
}

#[tokio::test]
async fn the_audit_trail_tells_how_each_intent_ended() {
    let ledger = MemoryLedger::new();
    let (lease, blank) = suite::take(&ledger, &suite::key(1), "a").await;
    let open = suite::opening(1, &suite::key(1));
    let lease = ledger.record(&lease, &blank, &open, suite::at(1)).await.unwrap();
    assert_eq!(ledger.intent_ends(&suite::key(1)), [(1, None)]);
    let ended_intent = Some(EndedIntent { sequence: 1, end: IntentEnd::FoundDone });
    let decided = Link { intent: None, ended_intent, ..open.clone() };
    ledger.record(&lease, &open, &decided, suite::at(2)).await.unwrap();
    assert_eq!(ledger.intent_ends(&suite::key(1)), [(1, Some("found_done"))]);
}
