//! The contract that every ledger must fulfil. Each test gets an empty ledger.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

pub mod alarm;

use std::rc::Rc;

use casebridge_core::{
    file::{
        order::{Cargo, Order, OutgoingFile},
        transfer::Transfer,
    },
    identifiers::{
        AccountId, AttemptId, CaseId, CaseKey, ClaimId, DisplayId, FileId, IncidentId, JournalEntryId, LinkKey,
        TransferId,
    },
    link::{
        self,
        index::{Fact, ROWS_PER_LINK, Row, RowSpan},
        intent::{EndedIntent, IntentEnd},
        mark::{Entropy, Mark},
        remembered::Remembered,
    },
    servicenow::incident::IncidentSummary,
    support::{
        Intent, Link, SupportCase,
        call::{Content, IntentKind, Part},
        case::CaseStatus,
        index::{self, CASES_PER_PAGE, CaseRow},
        memory::{GivenUpCase, LinkedCase, Memory, QuotaWait},
    },
};
use casebridge_ledger::{
    DueLink, HandOver, Lease, LeaseAnswer, Ledger, LedgerError, MAXIMUM_STATE_BYTES, ReleaseAnswer, TransferAnswer,
    TransferLease, TransferLedger,
};
use jiff::Timestamp;
use serde_json::json;
use tokio::task::{JoinSet, LocalSet};

use alarm::{Alarm, AlarmIntent, alarm, named, resources};

/// How many workers try to take one lease at the same moment.
const CLAIMS_AT_ONCE: usize = 64;

/// Declares the suite's tests for the ledger that an expression creates.
#[macro_export]
macro_rules! contract_tests {
    ($empty_ledger:expr; $($name:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "current_thread")]
            async fn $name() {
                suite::$name($empty_ledger).await;
            }
        )+
    };
    ($empty_ledger:expr) => {
        contract_tests! { $empty_ledger;
            an_unknown_link_comes_blank,
            a_case_moves_to_another_link_at_once,
            a_link_that_remembers_something_takes_no_case,
            a_case_moves_to_a_link_that_another_worker_looks_at,
            only_the_holder_of_the_lease_hands_over,
            a_transfer_is_ordered_once_and_read,
            a_transfer_is_held_by_one_worker_at_a_time,
            a_transfer_that_is_recorded_again_is_recognised,
            a_worker_that_was_too_slow_records_no_transfer,
            a_lease_is_exclusive_and_the_loser_leaves_word,
            of_many_claims_at_once_one_wins,
            a_lease_that_ran_out_is_taken_and_its_word_is_not_lost,
            a_lease_that_was_not_let_go_tells_that_its_pass_was_interrupted,
            a_lease_is_taken_again_by_the_same_attempt,
            word_that_was_left_survives_a_repeated_claim,
            a_recorded_state_comes_with_the_next_lease,
            a_repeated_record_is_recognised,
            another_state_in_the_same_revision_is_not_recognised,
            a_worker_that_was_too_slow_records_nothing,
            a_worker_that_was_too_slow_releases_nothing,
            a_repeated_release_is_recognised,
            a_repeated_release_that_kept_the_lease_is_recognised,
            a_release_regardless_passes_the_word_on,
            a_blank_link_is_forgotten,
            a_blank_link_with_a_due_time_or_word_is_not_forgotten,
            a_link_is_due_when_its_lease_ends_or_when_it_was_asked_for,
            due_links_come_oldest_first_and_not_more_than_asked,
            a_due_link_is_claimed_once_and_due_again_later,
            a_claim_wants_the_due_time_that_was_seen,
            a_lease_tells_when_the_link_was_due_before,
            a_repeated_claim_is_recognised,
            a_message_acts_while_the_link_has_its_claim,
            a_message_without_a_claim_is_always_handled,
            a_claim_survives_the_death_of_its_worker,
            a_claim_of_a_link_that_was_forgotten_is_gone,
            a_link_is_woken,
            a_link_that_is_woken_while_it_is_held_is_looked_at_again,
            a_link_that_is_not_there_is_not_woken,
            the_first_waiter_is_the_most_urgent_then_the_oldest,
            whoever_waits_no_more_is_no_waiter,
            an_opening_is_found_by_its_mark_until_it_is_decided,
            an_opening_is_undecided_until_its_end_or_until_its_case_shows_up_no_more,
            the_newest_undecided_opening_between_two_moments_is_told,
            a_span_that_ends_before_it_begins_has_no_row,
            events_are_counted_by_their_name_for_each_account_and_minute,
            an_outcome_may_be_recorded_with_the_release,
            a_case_leads_to_its_link_in_every_language,
            another_case_of_a_link_replaces_the_first,
            an_accounts_cases_come_in_pages,
            a_link_of_another_kind_is_found_by_its_own_rows,
            a_row_says_what_the_last_state_of_its_link_says,
            rows_come_in_pages_of_the_size_asked_for,
            what_another_kind_remembers_is_unreadable,
            counts_come_in_the_order_asked,
            more_counts_than_one_batch_takes,
            watermarks_move,
            a_link_too_large_for_a_row_is_refused_before_it_is_written,
            a_link_in_more_rows_than_one_write_changes_is_refused_before_it_is_written,
            all_rows_of_a_link_change_in_one_write,
        }
    };
}

pub fn key(id: usize) -> LinkKey {
    LinkKey::support_case(incident_id(id))
}

pub fn incident_id(id: usize) -> IncidentId {
    IncidentId::new(format!("{id:032x}"))
}

pub fn attempt(name: &str) -> AttemptId {
    AttemptId::new(name)
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub fn account() -> AccountId {
    AccountId::new("111122223333")
}

// Made from JSON, as a stored state is read: a new field of the memory needs no change here.
fn incident(id: usize, mod_count: u64) -> IncidentSummary {
    let incident =
        json!({"sys_id": incident_id(id), "number": format!("INC{id:07}"), "sys_mod_count": mod_count, "state": "2"});
    serde_json::from_value(incident).unwrap()
}

fn case_id(number: usize, language: &str) -> CaseId {
    CaseId::new(format!("case-111122223333-{language}-2026-{number:016x}"))
}

pub fn case(number: usize) -> LinkedCase {
    let case_id = case_id(number, "muen");
    let case = json!({"account": account(), "case_id": case_id, "display_id": null, "status": null, "status_since": at(0),
        "opened_at": at(0)});
    serde_json::from_value(case).unwrap()
}

/// Returns a link that is not blank and has no case.
pub fn remembered(mod_count: u64) -> Link {
    Link { incident: Some(incident(1, mod_count)), intents: 1, ..Link::default() }
}

pub fn with_case(number: usize) -> Link {
    Link { memory: Memory { case: Some(case(number)), ..Memory::default() }, ..Link::default() }
}

pub fn opening(sequence: u64, key: &LinkKey) -> Link {
    let kind = IntentKind::OpenCase { account: account(), covers: Vec::new(), remainder: Some("more".to_owned()) };
    let intent = json!({"sequence": sequence, "mark": mark(sequence, key), "written_at": at(0), "kind": kind});
    let intent = serde_json::from_value(intent).unwrap();
    Link { intent: Some(intent), intents: sequence, ..Link::default() }
}

pub fn mark(sequence: u64, key: &LinkKey) -> Mark {
    Mark::draw(Entropy::new([3; 16]), key, sequence)
}

/// Looks up the link of a case.
pub async fn link_of_case(ledger: &impl Ledger, case: &CaseKey) -> Option<LinkKey> {
    ledger.link_at(&index::case(case)).await.unwrap()
}

/// Looks up the link whose CreateCase carries the mark.
async fn link_of_opening(ledger: &impl Ledger, account: &AccountId, mark: &Mark) -> Option<LinkKey> {
    ledger.link_at(&index::open_intent(account, mark)).await.unwrap()
}

/// Looks up the first link that waits for the account's quota.
pub async fn first_waiter(ledger: &impl Ledger) -> Option<LinkKey> {
    ledger.first_link_under(&index::waiting(&account())).await.unwrap()
}

/// Reads a page of the account's watched cases. Also returns where the next page starts.
pub async fn watched_cases(ledger: &impl Ledger, from: Option<&str>) -> (Vec<CaseRow>, Option<String>) {
    let page = ledger.page_under(&index::watched(&account()), from, CASES_PER_PAGE).await.unwrap();
    (page.rows.iter().map(|row| CaseRow::read(row).unwrap()).collect(), page.next)
}

/// Takes the lease from second 0 to second 100. Panics if it does not get it.
pub async fn take(ledger: &impl Ledger, key: &LinkKey, by: &str) -> (Lease, Link) {
    take_at(ledger, key, by, 0).await
}

async fn take_at(ledger: &impl Ledger, key: &LinkKey, by: &str, second: i64) -> (Lease, Link) {
    taken(ledger.take_lease(key, &attempt(by), at(second), at(second + 100), None).await.unwrap())
}

/// Takes the lease of a link of any kind from second 0 to second 100. Panics if it does not get it.
async fn take_as<K: Remembered>(ledger: &impl Ledger, key: &LinkKey, by: &str) -> (Lease, link::Link<K>) {
    taken(ledger.take_lease(key, &attempt(by), at(0), at(100), None).await.unwrap())
}

fn taken<K: Remembered>(answer: LeaseAnswer<K>) -> (Lease, link::Link<K>) {
    match answer {
        LeaseAnswer::Taken { lease, link, .. } => (lease, *link),
        answer => panic!("the lease was not taken: {answer:?}"),
    }
}

/// Tries to take the lease that another worker holds, which marks the link dirty.
pub async fn mark_dirty(ledger: &impl Ledger, key: &LinkKey, by: &str) {
    mark_dirty_at(ledger, key, by, 1).await;
}

async fn mark_dirty_at(ledger: &impl Ledger, key: &LinkKey, by: &str, second: i64) {
    let answer = ledger.take_lease(key, &attempt(by), at(second), at(second + 100), None).await.unwrap();
    assert_eq!(answer, LeaseAnswer::<SupportCase>::Deferred);
}

async fn release<K: Remembered>(
    ledger: &impl Ledger,
    lease: &Lease,
    before: &link::Link<K>,
    after: &link::Link<K>,
) -> ReleaseAnswer {
    ledger.release(lease, before, after, None, false, at(2)).await.unwrap()
}

/// Takes the lease, records the state and releases the lease.
pub async fn store<K: Remembered>(ledger: &impl Ledger, key: &LinkKey, after: &link::Link<K>) {
    let (lease, before) = take_as(ledger, key, "store").await;
    assert_eq!(release(ledger, &lease, &before, after).await, ReleaseAnswer::Released);
}

async fn due_keys(ledger: &impl Ledger, second: i64) -> Vec<LinkKey> {
    ledger.due_links(at(second), 100).await.unwrap().into_iter().map(|due| due.key).collect()
}

fn assert_lease_lost<T: std::fmt::Debug>(answer: &Result<T, LedgerError>) {
    assert!(matches!(answer, Err(LedgerError::LeaseLost { .. })), "{answer:?}");
}

pub async fn a_case_moves_to_another_link_at_once(ledger: impl Ledger) {
    let before = with_case(1);
    let next = before.clone();
    store(&ledger, &key(1), &before).await;
    let (lease, recorded) = take_at(&ledger, &key(1), "b", 10).await;
    let answer = ledger.hand_over(&lease, &recorded, &remembered(7), &key(2), &next, at(11)).await.unwrap();
    let HandOver::Done { lease } = answer else { panic!("{answer:?}") };
    let case = next.memory.case.as_ref().unwrap().key();
    assert_eq!(ledger.link_at(&index::case(&case)).await.unwrap(), Some(key(2)));
    assert_eq!(due_keys(&ledger, 11).await, [key(2)], "the other link is due at once");
    assert_eq!(release(&ledger, &lease, &remembered(7), &remembered(8)).await, ReleaseAnswer::Released);
    assert_eq!(ledger.link_at(&index::case(&case)).await.unwrap(), Some(key(2)), "the row is the other link's");
    let (_, taken) = take_at(&ledger, &key(2), "c", 20).await;
    assert_eq!(taken, next);
    let (_, own) = take_at(&ledger, &key(1), "d", 20).await;
    assert_eq!(own, remembered(8));
}

pub async fn a_link_that_remembers_something_takes_no_case(ledger: impl Ledger) {
    let before = with_case(1);
    store(&ledger, &key(1), &before).await;
    store(&ledger, &key(2), &remembered(5)).await;
    let (lease, recorded) = take_at(&ledger, &key(1), "b", 10).await;
    let answer = ledger.hand_over(&lease, &recorded, &remembered(7), &key(2), &before, at(11)).await.unwrap();
    assert_eq!(answer, HandOver::Occupied);
    let case = before.memory.case.as_ref().unwrap().key();
    assert_eq!(ledger.link_at(&index::case(&case)).await.unwrap(), Some(key(1)), "nothing was changed");
    assert_eq!(release(&ledger, &lease, &recorded, &recorded).await, ReleaseAnswer::Released);
    assert_eq!(take_at(&ledger, &key(2), "c", 20).await.1, remembered(5));
}

pub async fn a_case_moves_to_a_link_that_another_worker_looks_at(ledger: impl Ledger) {
    let before = with_case(1);
    store(&ledger, &key(1), &before).await;
    let (blank, nothing) = take_at(&ledger, &key(2), "a", 9).await;
    let (lease, recorded) = take_at(&ledger, &key(1), "b", 10).await;
    let answer = ledger.hand_over(&lease, &recorded, &remembered(7), &key(2), &before, at(11)).await.unwrap();
    assert!(matches!(answer, HandOver::Done { .. }), "{answer:?}");
    let late = ledger.release(&blank, &nothing, &nothing, None, false, at(12)).await;
    assert_lease_lost(&late);
    assert_eq!(take_at(&ledger, &key(2), "c", 20).await.1, before);
}

pub async fn only_the_holder_of_the_lease_hands_over(ledger: impl Ledger) {
    let before = with_case(1);
    store(&ledger, &key(1), &before).await;
    let (old, recorded) = take_at(&ledger, &key(1), "b", 10).await;
    let (_, _) = take_at(&ledger, &key(1), "c", 200).await;
    let late = ledger.hand_over(&old, &recorded, &remembered(7), &key(2), &before, at(201)).await;
    assert_lease_lost(&late);
    assert_eq!(take_at(&ledger, &key(2), "d", 210).await.1, Link::default());
}

pub async fn an_unknown_link_comes_blank(ledger: impl Ledger) {
    let (lease, link) = take(&ledger, &key(1), "a").await;
    assert_eq!(link, Link::default());
    assert_eq!((lease.key, lease.attempt, lease.until), (key(1), attempt("a"), at(100)));
}

pub async fn a_lease_is_exclusive_and_the_loser_leaves_word(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    mark_dirty(&ledger, &key(1), "b").await;
    mark_dirty(&ledger, &key(1), "c").await;

    let ReleaseAnswer::Dirty { lease } = release(&ledger, &lease, &blank, &remembered(7)).await else {
        panic!("the word was lost");
    };
    mark_dirty(&ledger, &key(1), "d").await;
    let ReleaseAnswer::Dirty { lease } = release(&ledger, &lease, &remembered(7), &remembered(8)).await else {
        panic!("the second word was lost");
    };
    assert_eq!(release(&ledger, &lease, &remembered(8), &remembered(9)).await, ReleaseAnswer::Released);

    let (_, link) = take(&ledger, &key(1), "e").await;
    assert_eq!(link, remembered(9));
}

pub async fn of_many_claims_at_once_one_wins(ledger: impl Ledger + 'static) {
    let ledger = Rc::new(ledger);
    let claims = LocalSet::new();
    let answers = claims
        .run_until(async {
            let mut claims = JoinSet::new();
            for number in 0..CLAIMS_AT_ONCE {
                let ledger = Rc::clone(&ledger);
                claims.spawn_local(async move {
                    let by = attempt(&format!("claim {number}"));
                    ledger.take_lease::<SupportCase>(&key(1), &by, at(0), at(100), None).await.unwrap()
                });
            }
            claims.join_all().await
        })
        .await;
    let mut leases = answers.into_iter().filter_map(|answer| match answer {
        LeaseAnswer::Taken { lease, .. } => Some(lease),
        LeaseAnswer::Deferred | LeaseAnswer::Unclaimed => None,
    });
    let lease = leases.next().expect("one of them takes it");
    assert_eq!(leases.next(), None);
    let answer = release(ledger.as_ref(), &lease, &Link::default(), &remembered(1)).await;
    assert!(matches!(answer, ReleaseAnswer::Dirty { .. }), "{answer:?}");
}

pub async fn a_lease_that_ran_out_is_taken_and_its_word_is_not_lost(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    ledger.record(&lease, &blank, &remembered(7), at(1)).await.unwrap();
    mark_dirty(&ledger, &key(1), "b").await;

    let (lease, link) = take_at(&ledger, &key(1), "c", 100).await;
    assert_eq!(link, remembered(7));
    let answer = release(&ledger, &lease, &link, &link).await;
    assert!(matches!(answer, ReleaseAnswer::Dirty { .. }), "{answer:?}");
}

pub async fn a_lease_that_was_not_let_go_tells_that_its_pass_was_interrupted(ledger: impl Ledger) {
    let is_interrupted = async |by: &str, second: i64| {
        let answer =
            ledger.take_lease::<SupportCase>(&key(1), &attempt(by), at(second), at(second + 60), None).await.unwrap();
        let LeaseAnswer::Taken { lease, link, interrupted, .. } = answer else { panic!("{answer:?}") };
        (interrupted, lease, link)
    };
    let (interrupted, lease, link) = is_interrupted("a", 0).await;
    assert!(!interrupted, "nobody has held it");
    assert_eq!(release(&ledger, &lease, &link, &remembered(1)).await, ReleaseAnswer::Released);
    let (interrupted, lease, link) = is_interrupted("b", 10).await;
    assert!(!interrupted, "it was let go");
    assert_eq!((lease.revision, *link), (1, remembered(1)));
    let (interrupted, lease, link) = is_interrupted("c", 100).await;
    assert!(interrupted, "its time ran out");
    assert_eq!((lease.revision, *link), (1, remembered(1)));
}

pub async fn a_lease_is_taken_again_by_the_same_attempt(ledger: impl Ledger) {
    let first = take(&ledger, &key(1), "a").await;
    let second = take(&ledger, &key(1), "a").await;
    assert_eq!(first, second);
    let (lease, blank) = second;
    assert_eq!(release(&ledger, &lease, &blank, &remembered(1)).await, ReleaseAnswer::Released);
}

pub async fn word_that_was_left_survives_a_repeated_claim(ledger: impl Ledger) {
    take(&ledger, &key(1), "a").await;
    mark_dirty(&ledger, &key(1), "b").await;
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    let answer = release(&ledger, &lease, &blank, &remembered(1)).await;
    assert!(matches!(answer, ReleaseAnswer::Dirty { .. }), "{answer:?}");
}

pub async fn a_recorded_state_comes_with_the_next_lease(ledger: impl Ledger) {
    let mut full = opening(2, &key(1));
    full.incident = Some(incident(1, 7));
    full.journal.settle([(JournalEntryId::new("e1"), at(2))]);
    full.memory.conversation.sending(&mark(1, &key(1)), "Any news?", at(2));
    full.recent_writes.push(at(3));
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    let lease = ledger.record(&lease, &blank, &full, at(1)).await.unwrap();
    let mut fuller = full.clone();
    fuller.memory.case = Some(LinkedCase { display_id: Some(DisplayId::new("1234")), ..case(1) });
    let lease = ledger.record(&lease, &full, &fuller, at(2)).await.unwrap();
    assert_eq!(release(&ledger, &lease, &fuller, &fuller).await, ReleaseAnswer::Released);

    assert_eq!(take(&ledger, &key(1), "b").await.1, fuller);
}

pub async fn a_repeated_record_is_recognised(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    // The first write changes one row, the next one several.
    let first = ledger.record(&lease, &blank, &remembered(1), at(1)).await.unwrap();
    assert_eq!(ledger.record(&lease, &blank, &remembered(1), at(1)).await.unwrap(), first);
    let open = opening(2, &key(1));
    let second = ledger.record(&first, &remembered(1), &open, at(1)).await.unwrap();
    assert_eq!(ledger.record(&first, &remembered(1), &open, at(1)).await.unwrap(), second);
    assert_lease_lost(&ledger.record(&lease, &blank, &remembered(1), at(1)).await);
}

pub async fn another_state_in_the_same_revision_is_not_recognised(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    ledger.record(&lease, &blank, &remembered(1), at(1)).await.unwrap();
    assert_lease_lost(&ledger.record(&lease, &blank, &remembered(2), at(1)).await);
}

pub async fn a_worker_that_was_too_slow_records_nothing(ledger: impl Ledger) {
    let (slow, blank) = take(&ledger, &key(1), "a").await;
    let (lease, _) = take_at(&ledger, &key(1), "b", 100).await;
    assert_lease_lost(&ledger.record(&slow, &blank, &remembered(1), at(101)).await);
    assert_lease_lost(&ledger.record(&slow, &blank, &opening(1, &key(1)), at(101)).await);
    assert_eq!(link_of_opening(&ledger, &account(), &mark(1, &key(1))).await, None);

    ledger.record(&lease, &blank, &remembered(2), at(102)).await.unwrap();
    assert_lease_lost(&ledger.record(&slow, &blank, &remembered(1), at(103)).await);
    assert_eq!(take_at(&ledger, &key(1), "c", 200).await.1, remembered(2));
}

pub async fn a_worker_that_was_too_slow_releases_nothing(ledger: impl Ledger) {
    let (slow, blank) = take(&ledger, &key(1), "a").await;
    let (lease, _) = take_at(&ledger, &key(1), "b", 100).await;
    for (after, even_if_dirty) in [(remembered(1), false), (remembered(1), true), (blank.clone(), false)] {
        assert_lease_lost(&ledger.release(&slow, &blank, &after, None, even_if_dirty, at(101)).await);
    }
    assert_eq!(release(&ledger, &lease, &blank, &remembered(2)).await, ReleaseAnswer::Released);
    for after in [remembered(1), blank.clone()] {
        assert_lease_lost(&ledger.release(&slow, &blank, &after, None, false, at(103)).await);
    }
    assert_eq!(take_at(&ledger, &key(1), "c", 104).await.1, remembered(2));
}

pub async fn a_repeated_release_is_recognised(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    assert_eq!(release(&ledger, &lease, &blank, &remembered(1)).await, ReleaseAnswer::Released);
    assert_eq!(release(&ledger, &lease, &blank, &remembered(1)).await, ReleaseAnswer::Released);
    // Another worker has the lease by now. The repeat is still recognised as our own release.
    let (other, link) = take(&ledger, &key(1), "b").await;
    assert_eq!(release(&ledger, &lease, &blank, &remembered(1)).await, ReleaseAnswer::Released);
    assert_eq!(release(&ledger, &other, &link, &link).await, ReleaseAnswer::Released);
}

pub async fn a_repeated_release_that_kept_the_lease_is_recognised(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    mark_dirty(&ledger, &key(1), "b").await;
    let first = release(&ledger, &lease, &blank, &remembered(1)).await;
    assert!(matches!(first, ReleaseAnswer::Dirty { .. }), "{first:?}");
    assert_eq!(release(&ledger, &lease, &blank, &remembered(1)).await, first);
}

pub async fn a_release_regardless_passes_the_word_on(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    mark_dirty(&ledger, &key(1), "b").await;
    let later = Some(at(5_000));
    let answer = ledger.release(&lease, &blank, &remembered(1), later, true, at(2)).await.unwrap();
    assert_eq!(answer, ReleaseAnswer::Released);
    assert_eq!(due_keys(&ledger, 2).await, [key(1)]);

    let (lease, link) = take(&ledger, &key(1), "c").await;
    let answer = release(&ledger, &lease, &link, &link).await;
    assert!(matches!(answer, ReleaseAnswer::Dirty { .. }), "{answer:?}");

    // A link that is not dirty is released as usual.
    let (lease, blank) = take(&ledger, &key(2), "a").await;
    ledger.release(&lease, &blank, &remembered(1), None, true, at(2)).await.unwrap();
    assert_eq!(due_keys(&ledger, 50).await, []);
}

pub async fn a_blank_link_is_forgotten(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    let looked_at = Link { incident: Some(incident(1, 7)), ..Link::default() };
    assert_eq!(release(&ledger, &lease, &blank, &looked_at).await, ReleaseAnswer::Released);
    assert_eq!(release(&ledger, &lease, &blank, &looked_at).await, ReleaseAnswer::Released);
    assert_eq!(ledger.remembered_mod_counts(&[key(1)]).await.unwrap(), [None]);
    assert_eq!(due_keys(&ledger, 1_000).await, []);
    assert_eq!(take(&ledger, &key(1), "b").await.1, Link::default());
}

pub async fn a_blank_link_with_a_due_time_or_word_is_not_forgotten(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    ledger.release(&lease, &blank, &blank, Some(at(10)), false, at(2)).await.unwrap();
    assert_eq!(due_keys(&ledger, 10).await, [key(1)]);

    let (lease, blank) = take(&ledger, &key(2), "a").await;
    mark_dirty(&ledger, &key(2), "b").await;
    let ReleaseAnswer::Dirty { lease } = release(&ledger, &lease, &blank, &blank).await else {
        panic!("the word was lost");
    };
    assert_eq!(release(&ledger, &lease, &blank, &blank).await, ReleaseAnswer::Released);
    assert_eq!(due_keys(&ledger, 10).await, [key(1)]);
}

pub async fn a_link_is_due_when_its_lease_ends_or_when_it_was_asked_for(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    assert_eq!(due_keys(&ledger, 99).await, []);
    assert_eq!(due_keys(&ledger, 100).await, [key(1)]);
    let lease = ledger.record(&lease, &blank, &remembered(1), at(1)).await.unwrap();
    assert_eq!(due_keys(&ledger, 100).await, [key(1)]);

    ledger.release(&lease, &remembered(1), &remembered(1), Some(at(30)), false, at(2)).await.unwrap();
    assert_eq!(due_keys(&ledger, 29).await, []);
    let due = ledger.due_links(at(30), 10).await.unwrap();
    assert_eq!((&due[0].key, due[0].due_at, due.len()), (&key(1), at(30), 1));

    store(&ledger, &key(1), &remembered(2)).await;
    assert_eq!(due_keys(&ledger, 10_000).await, []);
}

pub async fn due_links_come_oldest_first_and_not_more_than_asked(ledger: impl Ledger) {
    for id in 1..=12_usize {
        let (lease, blank) = take(&ledger, &key(id), "a").await;
        let due = at(50 - i64::try_from(id).unwrap());
        ledger.release(&lease, &blank, &remembered(1), Some(due), false, at(2)).await.unwrap();
    }
    let due = ledger.due_links(at(1_000), 5).await.unwrap();
    let keys: Vec<LinkKey> = due.into_iter().map(|due| due.key).collect();
    assert_eq!(keys, [key(12), key(11), key(10), key(9), key(8)]);
    assert_eq!(due_keys(&ledger, 40).await, [key(12), key(11), key(10)]);
}

pub fn claim(name: &str) -> ClaimId {
    ClaimId::new(name)
}

/// Stores a link that is due at second 10.
pub async fn due_link(ledger: &impl Ledger, key: &LinkKey) -> DueLink {
    let (lease, before) = take(ledger, key, "due").await;
    ledger.release(&lease, &before, &remembered(1), Some(at(10)), false, at(2)).await.unwrap();
    DueLink { key: key.clone(), due_at: at(10) }
}

/// Tries to take the lease at this second with a claim.
pub async fn take_claimed(
    ledger: &impl Ledger,
    key: &LinkKey,
    by: &str,
    second: i64,
    name: &str,
) -> LeaseAnswer<SupportCase> {
    ledger.take_lease(key, &attempt(by), at(second), at(second + 100), Some(&claim(name))).await.unwrap()
}

pub async fn a_due_link_is_claimed_once_and_due_again_later(ledger: impl Ledger) {
    let due = due_link(&ledger, &key(1)).await;
    assert!(ledger.claim_due(&due, &claim("first"), at(610)).await.unwrap());
    assert!(!ledger.claim_due(&due, &claim("second"), at(620)).await.unwrap(), "somebody was faster");
    assert_eq!(due_keys(&ledger, 609).await, []);
    let again = ledger.due_links(at(610), 10).await.unwrap();
    assert_eq!(again, [DueLink { key: key(1), due_at: at(610) }]);
    assert!(ledger.claim_due(&again[0], &claim("third"), at(1_210)).await.unwrap());
    assert_eq!(take_claimed(&ledger, &key(1), "a", 611, "first").await, LeaseAnswer::Unclaimed);
    taken(take_claimed(&ledger, &key(1), "b", 612, "third").await);
}

pub async fn a_lease_tells_when_the_link_was_due_before(ledger: impl Ledger) {
    let due_before = async |second: i64, claim: Option<&ClaimId>| {
        let answer =
            ledger.take_lease::<SupportCase>(&key(1), &attempt("a"), at(second), at(second + 60), claim).await.unwrap();
        let LeaseAnswer::Taken { lease, link, due, .. } = answer else { panic!("{answer:?}") };
        let released = ledger.release(&lease, &link, &remembered(1), Some(at(30)), false, at(second)).await.unwrap();
        assert_eq!(released, ReleaseAnswer::Released);
        due
    };
    assert_eq!(due_before(0, None).await, None);
    assert_eq!(due_before(10, None).await, Some(at(30)));
    let due = DueLink { key: key(1), due_at: at(30) };
    assert!(ledger.claim_due(&due, &claim("first"), at(610)).await.unwrap());
    assert_eq!(due_before(31, Some(&claim("first"))).await, Some(at(610)));
}

pub async fn a_claim_wants_the_due_time_that_was_seen(ledger: impl Ledger) {
    let due = due_link(&ledger, &key(1)).await;
    let (lease, link) = take_at(&ledger, &key(1), "a", 11).await;
    assert!(!ledger.claim_due(&due, &claim("held"), at(610)).await.unwrap(), "a worker is at it");
    assert_eq!(due_keys(&ledger, 111).await, [key(1)], "due at the end of the lease, as before");
    ledger.release(&lease, &link, &link, Some(at(30)), false, at(12)).await.unwrap();
    assert!(!ledger.claim_due(&due, &claim("moved"), at(610)).await.unwrap());
    assert_eq!(due_keys(&ledger, 30).await, [key(1)]);
    let unknown = DueLink { key: key(2), due_at: at(10) };
    assert!(!ledger.claim_due(&unknown, &claim("unknown"), at(610)).await.unwrap());
    assert_eq!(take_claimed(&ledger, &key(2), "b", 13, "unknown").await, LeaseAnswer::Unclaimed);
}

pub async fn a_repeated_claim_is_recognised(ledger: impl Ledger) {
    let due = due_link(&ledger, &key(1)).await;
    for _ in 0..2 {
        assert!(ledger.claim_due(&due, &claim("first"), at(610)).await.unwrap());
    }
    // A worker has the lease with this claim by now. The link still has the claim.
    let (lease, link) = taken(take_claimed(&ledger, &key(1), "a", 11, "first").await);
    assert!(ledger.claim_due(&due, &claim("first"), at(610)).await.unwrap());
    assert_eq!(due_keys(&ledger, 111).await, [key(1)], "a repeat moves no due time");
    assert_eq!(release(&ledger, &lease, &link, &link).await, ReleaseAnswer::Released);
    assert!(!ledger.claim_due(&due, &claim("first"), at(610)).await.unwrap(), "it was looked at");
}

pub async fn a_message_acts_while_the_link_has_its_claim(ledger: impl Ledger) {
    let due = due_link(&ledger, &key(1)).await;
    assert!(ledger.claim_due(&due, &claim("first"), at(610)).await.unwrap());
    assert_eq!(take_claimed(&ledger, &key(1), "a", 11, "other").await, LeaseAnswer::Unclaimed);
    let (lease, link) = taken(take_claimed(&ledger, &key(1), "b", 11, "first").await);
    assert_eq!(link, remembered(1));
    // A message whose claim is gone does not mark the link dirty.
    assert_eq!(take_claimed(&ledger, &key(1), "c", 12, "other").await, LeaseAnswer::Unclaimed);
    assert_eq!(release(&ledger, &lease, &link, &link).await, ReleaseAnswer::Released);
    assert_eq!(take_claimed(&ledger, &key(1), "d", 13, "first").await, LeaseAnswer::Unclaimed);

    // A worker holds the link without the claim: the message with the claim marks the link dirty.
    let due = due_link(&ledger, &key(2)).await;
    assert!(ledger.claim_due(&due, &claim("second"), at(610)).await.unwrap());
    let (lease, link) = take_at(&ledger, &key(2), "e", 11).await;
    assert_eq!(take_claimed(&ledger, &key(2), "f", 12, "second").await, LeaseAnswer::Deferred);
    let answer = release(&ledger, &lease, &link, &link).await;
    assert!(matches!(answer, ReleaseAnswer::Dirty { .. }), "{answer:?}");
}

pub async fn a_message_without_a_claim_is_always_handled(ledger: impl Ledger) {
    let due = due_link(&ledger, &key(1)).await;
    assert!(ledger.claim_due(&due, &claim("first"), at(610)).await.unwrap());
    let (lease, link) = take_at(&ledger, &key(1), "a", 11).await;
    assert_eq!(release(&ledger, &lease, &link, &link).await, ReleaseAnswer::Released);
    assert_eq!(take_claimed(&ledger, &key(1), "b", 12, "first").await, LeaseAnswer::Unclaimed, "all is done");
}

pub async fn a_claim_survives_the_death_of_its_worker(ledger: impl Ledger) {
    let due = due_link(&ledger, &key(1)).await;
    assert!(ledger.claim_due(&due, &claim("first"), at(610)).await.unwrap());
    taken(take_claimed(&ledger, &key(1), "dies", 11, "first").await);
    let (lease, link) = taken(take_claimed(&ledger, &key(1), "a", 111, "first").await);
    // The worker had a failure of the ledger: it releases with `even_if_dirty`, and its message comes again.
    ledger.release(&lease, &link, &link, Some(at(211)), true, at(112)).await.unwrap();
    let (lease, link) = taken(take_claimed(&ledger, &key(1), "b", 114, "first").await);
    mark_dirty_at(&ledger, &key(1), "c", 115).await;
    ledger.release(&lease, &link, &link, Some(at(214)), true, at(116)).await.unwrap();
    taken(take_claimed(&ledger, &key(1), "d", 117, "first").await);
}

pub async fn a_claim_of_a_link_that_was_forgotten_is_gone(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    ledger.release(&lease, &blank, &blank, Some(at(10)), false, at(2)).await.unwrap();
    let due = DueLink { key: key(1), due_at: at(10) };
    assert!(ledger.claim_due(&due, &claim("first"), at(610)).await.unwrap());
    let (lease, blank) = taken(take_claimed(&ledger, &key(1), "b", 11, "first").await);
    assert_eq!(release(&ledger, &lease, &blank, &blank).await, ReleaseAnswer::Released);
    assert_eq!(take_claimed(&ledger, &key(1), "c", 12, "first").await, LeaseAnswer::Unclaimed);
    assert_eq!(due_keys(&ledger, 10_000).await, [], "the message of a claim makes no link");
}

pub async fn a_link_is_woken(ledger: impl Ledger) {
    store(&ledger, &key(1), &remembered(1)).await;
    ledger.wake(&key(1), at(20)).await.unwrap();
    ledger.wake(&key(1), at(20)).await.unwrap();
    assert_eq!(ledger.due_links(at(20), 10).await.unwrap(), [DueLink { key: key(1), due_at: at(20) }]);
    let (lease, before) = take_at(&ledger, &key(2), "a", 0).await;
    ledger.release(&lease, &before, &remembered(1), Some(at(5_000)), false, at(2)).await.unwrap();
    ledger.wake(&key(2), at(21)).await.unwrap();
    assert_eq!(due_keys(&ledger, 21).await, [key(1), key(2)]);
    assert_eq!(take_at(&ledger, &key(2), "b", 22).await.1, remembered(1));
}

pub async fn a_link_that_is_woken_while_it_is_held_is_looked_at_again(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    ledger.wake(&key(1), at(20)).await.unwrap();
    assert_eq!(due_keys(&ledger, 99).await, []);
    let answer = release(&ledger, &lease, &blank, &remembered(1)).await;
    assert!(matches!(answer, ReleaseAnswer::Dirty { .. }), "{answer:?}");
    // The lease has expired, so the link becomes due and is not marked dirty.
    take(&ledger, &key(2), "dies").await;
    ledger.wake(&key(2), at(100)).await.unwrap();
    assert!(due_keys(&ledger, 100).await.contains(&key(2)));
}

pub async fn a_link_that_is_not_there_is_not_woken(ledger: impl Ledger) {
    ledger.wake(&key(1), at(20)).await.unwrap();
    assert_eq!(due_keys(&ledger, 1_000).await, []);
}

fn waiting(priority: &str, since: i64) -> Link {
    let wait = QuotaWait { account: account(), priority: priority.to_owned(), since: at(since) };
    Link { memory: Memory { waits_for_quota: Some(wait), ..Memory::default() }, ..remembered(1) }
}

pub async fn the_first_waiter_is_the_most_urgent_then_the_oldest(ledger: impl Ledger) {
    assert_eq!(first_waiter(&ledger).await, None);
    let waiters = [(1, "", 1), (2, "5", 1), (3, "2", 300), (4, "2", 20), (5, "2", 100_000_000), (6, "1", 900)];
    for (id, priority, since) in waiters {
        store(&ledger, &key(id), &waiting(priority, since)).await;
    }
    let mut elsewhere = waiting("1", 0);
    elsewhere.memory.waits_for_quota.as_mut().unwrap().account = AccountId::new("111122223334");
    store(&ledger, &key(7), &elsewhere).await;
    let mut order = Vec::new();
    while let Some(first) = first_waiter(&ledger).await {
        store(&ledger, &first, &remembered(2)).await;
        order.push(first);
    }
    assert_eq!(order, [6, 4, 3, 5, 2, 1].map(key));
}

pub async fn whoever_waits_no_more_is_no_waiter(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    let lease = ledger.record(&lease, &blank, &waiting("3", 1), at(1)).await.unwrap();
    assert_eq!(first_waiter(&ledger).await, Some(key(1)));
    // A changed priority moves the link's row. It does not add a second one.
    let lease = ledger.record(&lease, &waiting("3", 1), &waiting("1", 1), at(1)).await.unwrap();
    assert_eq!(first_waiter(&ledger).await, Some(key(1)));
    assert_eq!(release(&ledger, &lease, &waiting("1", 1), &Link::default()).await, ReleaseAnswer::Released);
    assert_eq!(first_waiter(&ledger).await, None);
}

pub async fn an_opening_is_found_by_its_mark_until_it_is_decided(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    let open = opening(1, &key(1));
    let lease = ledger.record(&lease, &blank, &open, at(1)).await.unwrap();
    let found = link_of_opening(&ledger, &account(), &mark(1, &key(1))).await;
    assert_eq!(found, Some(key(1)));
    let elsewhere = AccountId::new("444455556666");
    assert_eq!(link_of_opening(&ledger, &elsewhere, &mark(1, &key(1))).await, None);

    let mut next = opening(2, &key(1));
    next.ended_intent = Some(EndedIntent { sequence: 1, end: IntentEnd::Refused });
    let lease = ledger.record(&lease, &open, &next, at(2)).await.unwrap();
    assert_eq!(link_of_opening(&ledger, &account(), &mark(1, &key(1))).await, None);
    assert_eq!(link_of_opening(&ledger, &account(), &mark(2, &key(1))).await, Some(key(1)));

    let mut given_up = opening(3, &key(1));
    given_up.ended_intent = Some(EndedIntent { sequence: 2, end: IntentEnd::NeverApplied });
    ledger.record(&lease, &next, &given_up, at(3)).await.unwrap();
    let late = link_of_opening(&ledger, &account(), &mark(2, &key(1))).await;
    assert_eq!(late, Some(key(1)), "should it have been applied after all, its case leads to the link");
}

/// Returns when the account's newest undecided CreateCase was written. Returns `None` if there is none.
async fn newest_undecided(ledger: &impl Ledger, account: &AccountId) -> Option<Timestamp> {
    newest_between(ledger, account, at(-100), at(100_000)).await
}

async fn newest_between(
    ledger: &impl Ledger,
    account: &AccountId,
    from: Timestamp,
    until: Timestamp,
) -> Option<Timestamp> {
    let row = ledger.last_between(&index::undecided_between(account, from, until)).await.unwrap();
    row.map(|row| index::written_at(&row).unwrap())
}

pub async fn an_opening_is_undecided_until_its_end_or_until_its_case_shows_up_no_more(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    assert_eq!(newest_undecided(&ledger, &account()).await, None);
    let open = opening(1, &key(1));
    let lease = ledger.record(&lease, &blank, &open, at(1)).await.unwrap();
    assert_eq!(newest_undecided(&ledger, &account()).await, Some(at(0)));
    assert_eq!(newest_undecided(&ledger, &AccountId::new("444455556666")).await, None);

    let refused = Link { intent: None, ..open.clone() };
    let lease = ledger.record(&lease, &open, &refused, at(2)).await.unwrap();
    assert_eq!(newest_undecided(&ledger, &account()).await, None);

    let next = opening(2, &key(1));
    let lease = ledger.record(&lease, &refused, &next, at(3)).await.unwrap();
    let mark = mark(2, &key(1));
    let case = json!({"account": account(), "mark": mark, "covers": [], "remainder": null, "written_at": at(0),
        "look_at": at(9)});
    let case: GivenUpCase = serde_json::from_value(case).unwrap();
    let given_up =
        Link { intent: None, memory: Memory { given_up_cases: vec![case], ..next.memory.clone() }, ..next.clone() };
    let lease = ledger.record(&lease, &next, &given_up, at(4)).await.unwrap();
    assert_eq!(newest_undecided(&ledger, &account()).await, Some(at(0)), "its case may show up");

    let forgotten =
        Link { memory: Memory { given_up_cases: Vec::new(), ..given_up.memory.clone() }, ..given_up.clone() };
    ledger.record(&lease, &given_up, &forgotten, at(5)).await.unwrap();
    assert_eq!(newest_undecided(&ledger, &account()).await, None);
}

pub async fn the_newest_undecided_opening_between_two_moments_is_told(ledger: impl Ledger) {
    for (id, second) in [(1, 10), (2, 1_000), (3, 30), (4, 20)] {
        let mut open = opening(1, &key(id));
        open.intent.as_mut().unwrap().written_at = at(second);
        store(&ledger, &key(id), &open).await;
    }
    for (from, until, newest) in
        [(0, 2_000, Some(1_000)), (0, 999, Some(30)), (20, 29, Some(20)), (20, 20, Some(20)), (31, 999, None)]
    {
        let told = newest_between(&ledger, &account(), at(from), at(until)).await;
        assert_eq!(told, newest.map(at), "from {from} until {until}");
    }
}

/// An event may be older than the time for which its case is looked for.
pub async fn a_span_that_ends_before_it_begins_has_no_row(ledger: impl Ledger) {
    store(&ledger, &key(1), &opening(1, &key(1))).await;
    assert_eq!(newest_between(&ledger, &account(), at(0), at(0)).await, Some(at(0)));
    assert_eq!(newest_between(&ledger, &account(), at(1), at(-1)).await, None);
}

pub async fn events_are_counted_by_their_name_for_each_account_and_minute(ledger: impl Ledger) {
    let (one, other) = (account(), AccountId::new("444455556666"));
    for expected in 1..=3 {
        assert_eq!(ledger.count_in_minute(&one, "reads", at(expected.into())).await.unwrap(), expected);
    }
    assert_eq!(ledger.count_in_minute(&other, "reads", at(4)).await.unwrap(), 1);
    assert_eq!(ledger.count_in_minute(&one, "writes", at(4)).await.unwrap(), 1, "another name");
    assert_eq!(ledger.count_in_minute(&one, "reads", at(60)).await.unwrap(), 1, "another minute");
    assert_eq!(ledger.count_in_minute(&one, "reads", at(59)).await.unwrap(), 4);
}

pub async fn an_outcome_may_be_recorded_with_the_release(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    let open = opening(1, &key(1));
    let lease = ledger.record(&lease, &blank, &open, at(1)).await.unwrap();
    mark_dirty(&ledger, &key(1), "b").await;
    let opened = Link {
        memory: Memory { case: Some(case(1)), ..open.memory.clone() },
        intent: None,
        ended_intent: Some(EndedIntent { sequence: 1, end: IntentEnd::Done }),
        ..open.clone()
    };
    let ReleaseAnswer::Dirty { lease } = release(&ledger, &lease, &open, &opened).await else {
        panic!("the word was lost");
    };
    assert_eq!(link_of_opening(&ledger, &account(), &mark(1, &key(1))).await, None);
    assert_eq!(link_of_case(&ledger, &case(1).key()).await, Some(key(1)));

    let mut adding = opened.clone();
    adding.intents = 2;
    adding.intent = Some(Intent {
        kind: IntentKind::AddCommunication { content: Content::ReopenNotice, part: Part::whole(0) },
        ..opening(2, &key(1)).intent.unwrap()
    });
    let lease = ledger.record(&lease, &opened, &adding, at(3)).await.unwrap();
    assert_eq!(release(&ledger, &lease, &adding, &opened).await, ReleaseAnswer::Released);
    assert_eq!(take(&ledger, &key(1), "c").await.1, opened);
}

pub async fn a_case_leads_to_its_link_in_every_language(ledger: impl Ledger) {
    let english = CaseKey::new(account(), &case_id(1, "muen"));
    let french = CaseKey::new(account(), &case_id(1, "mufr"));
    assert_eq!(link_of_case(&ledger, &english).await, None);
    store(&ledger, &key(1), &with_case(1)).await;
    assert_eq!(link_of_case(&ledger, &english).await, Some(key(1)));
    assert_eq!(link_of_case(&ledger, &french).await, Some(key(1)));

    let (lease, before) = take(&ledger, &key(1), "a").await;
    let mut after = before.clone();
    after.memory.case = Some(LinkedCase {
        case_id: case_id(1, "mufr"),
        display_id: Some(DisplayId::new("1234563851")),
        status: Some(CaseStatus::new("resolved")),
        fingerprint: "f1".to_owned(),
        changed_at: Some(at(7)),
        ..case(1)
    });
    assert_eq!(release(&ledger, &lease, &before, &after).await, ReleaseAnswer::Released);
    assert_eq!(link_of_case(&ledger, &english).await, Some(key(1)));
    let page = watched_cases(&ledger, None).await;
    let expected = CaseRow {
        key: french,
        case_id: case_id(1, "mufr"),
        display_id: Some(DisplayId::new("1234563851")),
        link: key(1),
        fingerprint: "f1".to_owned(),
        changed_at: at(7),
    };
    assert_eq!(page, (vec![expected], None));
}

pub async fn another_case_of_a_link_replaces_the_first(ledger: impl Ledger) {
    store(&ledger, &key(1), &with_case(1)).await;
    let (lease, before) = take(&ledger, &key(1), "a").await;
    assert_eq!(release(&ledger, &lease, &before, &with_case(2)).await, ReleaseAnswer::Released);
    assert_eq!(link_of_case(&ledger, &case(1).key()).await, None);
    assert_eq!(link_of_case(&ledger, &case(2).key()).await, Some(key(1)));

    // The link's own row and the rows of its case are deleted together.
    let (lease, before) = take(&ledger, &key(1), "b").await;
    assert_eq!(release(&ledger, &lease, &before, &Link::default()).await, ReleaseAnswer::Released);
    assert_eq!(link_of_case(&ledger, &case(2).key()).await, None);
    assert_eq!(watched_cases(&ledger, None).await, (vec![], None));
}

pub async fn an_accounts_cases_come_in_pages(ledger: impl Ledger) {
    let count = CASES_PER_PAGE + 5;
    for id in 1..=count {
        store(&ledger, &key(id), &with_case(id)).await;
    }
    let mut elsewhere = with_case(1_000);
    elsewhere.memory.case.as_mut().unwrap().account = AccountId::new("111122223334");
    store(&ledger, &key(1_000), &elsewhere).await;
    let (lease, blank) = take(&ledger, &key(2_000), "a").await;
    ledger.record(&lease, &blank, &opening(1, &key(2_000)), at(1)).await.unwrap();

    let (first, next) = watched_cases(&ledger, None).await;
    assert_eq!(first.len(), CASES_PER_PAGE);
    let (second, end) = watched_cases(&ledger, next.as_deref()).await;
    assert_eq!((second.len(), end), (5, None));
    let mut links: Vec<LinkKey> = first.into_iter().chain(second).map(|row| row.link).collect();
    links.sort();
    assert_eq!(links, (1..=count).map(key).collect::<Vec<_>>());
}

/// Returns the row of a resource as a lookup returns it.
fn resource_row(name: &str, alarm: &str, level: i64, link: usize) -> Row {
    let facts = [("alarm", Fact::Text(alarm.to_owned())), ("level", Fact::Number(level))];
    let facts = facts.map(|(name, fact)| (name.to_owned(), fact)).into();
    Row { key: resources().row(name), link: Some(key(link)), facts }
}

async fn resource_rows(ledger: &impl Ledger) -> Vec<Row> {
    ledger.page_under(&resources(), None, 100).await.unwrap().rows
}

pub async fn a_link_of_another_kind_is_found_by_its_own_rows(ledger: impl Ledger) {
    store(&ledger, &key(1), &alarm("disk", &[("volume", 3), ("host", -1)])).await;
    store(&ledger, &key(2), &with_case(2)).await;
    assert_eq!(ledger.link_at(&named("disk")).await.unwrap(), Some(key(1)));
    assert_eq!(ledger.link_at(&named("memory")).await.unwrap(), None);
    let (host, volume) = (resource_row("host", "disk", -1, 1), resource_row("volume", "disk", 3, 1));
    assert_eq!(resource_rows(&ledger).await, [host.clone(), volume.clone()]);
    assert_eq!(ledger.first_link_under(&resources()).await.unwrap(), Some(key(1)));
    let last = async |first: &str, last: &str| {
        let sort = |name: &str| resources().row(name).sort;
        let span = RowSpan { account: account(), first: sort(first), last: sort(last) };
        ledger.last_between(&span).await.unwrap()
    };
    assert_eq!((last("a", "z").await, last("host", "host").await), (Some(volume), Some(host)));
    assert_eq!(last("i", "m").await, None);
    assert_eq!(watched_cases(&ledger, None).await.0.len(), 1, "the rows of the other kind are its own");
    assert_eq!(take_as::<Alarm>(&ledger, &key(1), "a").await.1, alarm("disk", &[("volume", 3), ("host", -1)]));
}

pub async fn a_row_says_what_the_last_state_of_its_link_says(ledger: impl Ledger) {
    let (lease, blank) = take_as::<Alarm>(&ledger, &key(1), "a").await;
    let first = alarm("disk", &[("host", 1), ("volume", 3)]);
    let lease = ledger.record(&lease, &blank, &first, at(1)).await.unwrap();
    // One row is deleted, one changes, one is new.
    let second = alarm("disk", &[("network", 2), ("volume", 4)]);
    let lease = ledger.record(&lease, &first, &second, at(2)).await.unwrap();
    let rows = [resource_row("network", "disk", 2, 1), resource_row("volume", "disk", 4, 1)];
    assert_eq!(resource_rows(&ledger).await, rows);
    assert_eq!(release(&ledger, &lease, &second, &link::Link::<Alarm>::default()).await, ReleaseAnswer::Released);
    assert_eq!(resource_rows(&ledger).await, []);
    assert_eq!(ledger.first_link_under(&resources()).await.unwrap(), None);
    assert_eq!(ledger.link_at(&named("disk")).await.unwrap(), None);
}

pub async fn rows_come_in_pages_of_the_size_asked_for(ledger: impl Ledger) {
    store(&ledger, &key(1), &alarm("disk", &[("a", 1), ("b", 2), ("c", 3)])).await;
    let page = async |from: Option<&str>| {
        let page = ledger.page_under(&resources(), from, 2).await.unwrap();
        let names: Vec<String> = page.rows.iter().map(|row| resources().rest(&row.key).unwrap().to_owned()).collect();
        (names.concat(), page.next)
    };
    assert_eq!(page(None).await, ("ab".to_owned(), Some("b".to_owned())));
    assert_eq!(page(Some("b")).await, ("c".to_owned(), None));
    assert_eq!(page(Some("c")).await, (String::new(), None));
}

pub async fn what_another_kind_remembers_is_unreadable(ledger: impl Ledger) {
    store(&ledger, &key(1), &with_case(1)).await;
    let answer = ledger.take_lease::<Alarm>(&key(1), &attempt("a"), at(0), at(100), None).await;
    assert!(matches!(answer, Err(LedgerError::Corrupt { .. })), "{answer:?}");
}

pub async fn counts_come_in_the_order_asked(ledger: impl Ledger) {
    assert_eq!(ledger.remembered_mod_counts(&[]).await.unwrap(), []);
    store(&ledger, &key(1), &remembered(11)).await;
    store(&ledger, &key(2), &remembered(12)).await;
    store(&ledger, &key(3), &with_case(3)).await;
    let asked = [2, 9, 1, 2, 3].map(key);
    let counts = ledger.remembered_mod_counts(&asked).await.unwrap();
    assert_eq!(counts, [Some(12), None, Some(11), Some(12), None]);
}

pub async fn more_counts_than_one_batch_takes(ledger: impl Ledger) {
    store(&ledger, &key(1), &remembered(11)).await;
    store(&ledger, &key(250), &remembered(12)).await;
    let asked: Vec<LinkKey> = (1..=250).map(key).collect();
    let counts = ledger.remembered_mod_counts(&asked).await.unwrap();
    assert_eq!((counts.len(), counts[0], counts[1], counts[249]), (250, Some(11), None, Some(12)));
}

pub async fn watermarks_move(ledger: impl Ledger) {
    assert_eq!(ledger.watermark("changes").await.unwrap(), None);
    ledger.set_watermark("changes", "2026-11-20 21:14:05|0a").await.unwrap();
    ledger.set_watermark("cases", "1").await.unwrap();
    ledger.set_watermark("changes", "2026-11-20 21:15:05|0b").await.unwrap();
    assert_eq!(ledger.watermark("changes").await.unwrap().as_deref(), Some("2026-11-20 21:15:05|0b"));
}

pub async fn a_link_too_large_for_a_row_is_refused_before_it_is_written(ledger: impl Ledger) {
    let (lease, blank) = take(&ledger, &key(1), "a").await;
    let too_large = Link {
        memory: Memory { opening_remainder: Some("x".repeat(MAXIMUM_STATE_BYTES)), ..Memory::default() },
        ..remembered(1)
    };
    let refused = ledger.record(&lease, &blank, &too_large, at(1)).await;
    assert!(matches!(refused, Err(LedgerError::TooLarge { .. })), "{refused:?}");
    let refused = ledger.release(&lease, &blank, &too_large, None, false, at(1)).await;
    assert!(matches!(refused, Err(LedgerError::TooLarge { .. })), "{refused:?}");

    // The largest state that fits is stored and read back whole.
    let overhead = serde_json::to_string(&Link {
        memory: Memory { opening_remainder: Some(String::new()), ..Memory::default() },
        ..remembered(1)
    })
    .unwrap();
    let room = MAXIMUM_STATE_BYTES - overhead.len();
    let large =
        Link { memory: Memory { opening_remainder: Some("x".repeat(room)), ..Memory::default() }, ..remembered(1) };
    let lease = ledger.record(&lease, &blank, &large, at(1)).await.unwrap();
    assert_eq!(release(&ledger, &lease, &large, &large).await, ReleaseAnswer::Released);
    assert_eq!(take(&ledger, &key(1), "b").await.1, large);
}

/// An alarm whose link stands in so many rows: its own, and those of resources that are named with this letter.
fn alarm_in_rows(rows: usize, letter: char) -> link::Link<Alarm> {
    let names: Vec<String> = (1..rows).map(|number| format!("{letter}{number:03}")).collect();
    let resources: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    alarm(&letter.to_string(), &resources)
}

/// A state that can be recorded can be left for any other in one write.
pub async fn a_link_in_more_rows_than_one_write_changes_is_refused_before_it_is_written(ledger: impl Ledger) {
    let (lease, blank) = take_as::<Alarm>(&ledger, &key(1), "a").await;
    let too_many = alarm_in_rows(ROWS_PER_LINK + 1, 'a');
    let is_refused = |error: Option<LedgerError>| matches!(error, Some(LedgerError::TooManyRows { rows, limit: ROWS_PER_LINK, .. }) if rows == ROWS_PER_LINK + 1);
    assert!(is_refused(ledger.record(&lease, &blank, &too_many, at(1)).await.err()));
    assert!(is_refused(ledger.release(&lease, &blank, &too_many, None, false, at(1)).await.err()));
    assert_eq!(resource_rows(&ledger).await, []);
    assert_eq!(release(&ledger, &lease, &blank, &blank).await, ReleaseAnswer::Released);
}

pub async fn all_rows_of_a_link_change_in_one_write(ledger: impl Ledger) {
    let raising = |sequence: u64, link: link::Link<Alarm>| {
        let intent = json!({"sequence": sequence, "mark": null, "written_at": at(0), "kind": AlarmIntent::Silence});
        let ended_intent = Some(EndedIntent { sequence: sequence - 1, end: IntentEnd::Done });
        let intent = Some(serde_json::from_value(intent).unwrap());
        link::Link { intent, intents: sequence, ended_intent, ..link }
    };
    let (before, after) =
        (raising(1, alarm_in_rows(ROWS_PER_LINK, 'a')), raising(2, alarm_in_rows(ROWS_PER_LINK, 'b')));
    let (lease, blank) = take_as::<Alarm>(&ledger, &key(1), "a").await;
    let lease = ledger.record(&lease, &blank, &before, at(1)).await.unwrap();
    assert_eq!(resource_rows(&ledger).await.len(), ROWS_PER_LINK - 1);
    let lease = ledger.record(&lease, &before, &after, at(2)).await.unwrap();
    let is_new = |row: &Row| resources().rest(&row.key).is_some_and(|name| name.starts_with('b'));
    let rows = resource_rows(&ledger).await;
    assert!(rows.len() == ROWS_PER_LINK - 1 && rows.iter().all(is_new), "{rows:?}");
    assert_eq!(ledger.link_at(&named("a")).await.unwrap(), None);
    assert_eq!(ledger.link_at(&named("b")).await.unwrap(), Some(key(1)));
    assert_eq!(release(&ledger, &lease, &after, &link::Link::default()).await, ReleaseAnswer::Released);
    assert_eq!(resource_rows(&ledger).await, []);
}

/// Returns a transfer of a file that has not begun.
fn transfer(second: i64) -> Transfer {
    let file = OutgoingFile { file: FileId::new("f1"), name: "a.log".to_owned(), bytes: 1 };
    Transfer::new(Order {
        transfer: TransferId::of(&key(1), &["f1"], 0),
        account: account(),
        cargo: Cargo::ToRecord(vec![file]),
        ordered_at: at(second),
    })
}

async fn take_transfer(ledger: &impl TransferLedger, by: &str, second: i64) -> TransferAnswer {
    let id = transfer(1).order.transfer;
    ledger.take_transfer(&key(1), &id, &attempt(by), at(second), at(second + 100)).await.unwrap()
}

fn taken_transfer(answer: TransferAnswer) -> (TransferLease, Transfer) {
    let TransferAnswer::Taken { lease, transfer } = answer else { panic!("{answer:?}") };
    (lease, *transfer)
}

pub async fn a_transfer_is_ordered_once_and_read(ledger: impl TransferLedger) {
    let id = transfer(1).order.transfer;
    assert_eq!(ledger.transfer(&key(1), &id).await.unwrap(), None);
    assert_eq!(take_transfer(&ledger, "a", 1).await, TransferAnswer::Absent);
    ledger.order_transfer(&key(1), &transfer(1)).await.unwrap();
    ledger.order_transfer(&key(1), &transfer(2)).await.unwrap();
    assert_eq!(ledger.transfer(&key(1), &id).await.unwrap(), Some(transfer(1)));
    assert_eq!(ledger.transfer(&key(2), &id).await.unwrap(), None, "it is another link's");
}

pub async fn a_transfer_is_held_by_one_worker_at_a_time(ledger: impl TransferLedger) {
    ledger.order_transfer(&key(1), &transfer(1)).await.unwrap();
    let (first, _) = taken_transfer(take_transfer(&ledger, "a", 1).await);
    assert_eq!(take_transfer(&ledger, "b", 50).await, TransferAnswer::Held);
    assert_eq!(taken_transfer(take_transfer(&ledger, "a", 50).await).0, first, "a repeat of its own request");
    assert!(matches!(take_transfer(&ledger, "b", 150).await, TransferAnswer::Taken { .. }), "the lease has expired");
}

pub async fn a_transfer_that_is_recorded_again_is_recognised(ledger: impl TransferLedger) {
    ledger.order_transfer(&key(1), &transfer(1)).await.unwrap();
    let (lease, mut state) = taken_transfer(take_transfer(&ledger, "a", 1).await);
    state.failures = 1;
    let next = ledger.record_transfer(&lease, &state, false).await.unwrap();
    assert_eq!(ledger.record_transfer(&lease, &state, false).await.unwrap(), next);
    state.failures = 2;
    let last = ledger.record_transfer(&next, &state, true).await.unwrap();
    assert_eq!(ledger.record_transfer(&next, &state, true).await.unwrap(), last, "its answer was lost");
    let (_, read) = taken_transfer(take_transfer(&ledger, "b", 2).await);
    assert_eq!(read, state);
}

pub async fn a_worker_that_was_too_slow_records_no_transfer(ledger: impl TransferLedger) {
    ledger.order_transfer(&key(1), &transfer(1)).await.unwrap();
    let (slow, mut state) = taken_transfer(take_transfer(&ledger, "a", 1).await);
    let (lease, _) = taken_transfer(take_transfer(&ledger, "b", 200).await);
    state.failures = 1;
    let lost = ledger.record_transfer(&slow, &state, false).await;
    assert!(matches!(lost, Err(LedgerError::LeaseLost { .. })), "{lost:?}");
    state.failures = 2;
    ledger.record_transfer(&lease, &state, true).await.unwrap();
    assert!(ledger.record_transfer(&slow, &transfer(1), true).await.is_err());
}
