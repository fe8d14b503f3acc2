//! Which rows beside the link's own change with it. Pure: every ledger uses it.

use std::collections::BTreeMap;

use casebridge_core::{
    identifiers::LinkKey,
    link::{
        Link,
        index::{Deletion, IndexRow, ROWS_PER_LINK, RowKey},
        intent::{EndedIntent, Intent, IntentEnd},
        mark::Mark,
        plan::Named,
        remembered::Remembered,
    },
};
use jiff::{SignedDuration, Timestamp};

/// How long an intent that has ended stays in the audit trail: 400 days, so that a yearly audit finds the whole year
/// and has a month to read it.
const ENDED_INTENT_KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);

/// How many items a write has at most besides the link's index rows: its own row, an intent that ends and one that starts.
const ITEMS_BESIDE_ROWS: usize = 3;
/// How many items a write has at most: a link may replace all its index rows by as many others.
pub(crate) const MAXIMUM_ITEMS: usize = 2 * ROWS_PER_LINK + ITEMS_BESIDE_ROWS;

/// One row to put or to delete, in the same write as the link's own row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowChange {
    /// An intent that starts, or one that has ended.
    PutIntent(IntentRow),
    /// A row in which the link stands.
    Put(IndexRow),
    /// A row in which the link no longer stands.
    Delete(RowKey),
}

/// An intent in the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntentRow {
    /// The link.
    pub(crate) link: LinkKey,
    /// Its number among the link's intents.
    pub(crate) sequence: u64,
    /// The name of the call that it is about to make.
    pub(crate) kind: &'static str,
    /// The mark that the call's text carries.
    pub(crate) mark: Option<Mark>,
    /// When it was written, before the call.
    pub(crate) written_at: Timestamp,
    /// How it ended. `None` while it has no outcome.
    pub(crate) ending: Option<IntentEnding>,
}

/// How an intent in the audit trail ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntentEnding {
    /// How it ended, as a word: see `end_word`.
    pub(crate) end: &'static str,
    /// When its end was recorded.
    pub(crate) ended_at: Timestamp,
    /// When the row expires.
    pub(crate) expires_at: Timestamp,
}

/// Returns the rows that change when the link's state goes from `before` to `after`.
pub(crate) fn changes<K: Remembered>(
    key: &LinkKey,
    before: &Link<K>,
    after: &Link<K>,
    now: Timestamp,
) -> Vec<RowChange> {
    let mut rows = Vec::new();
    intent_changes(key, before, after, now, &mut rows);
    index_changes(key, before, after, &mut rows);
    rows
}

/// Returns the rows that change when the link's state goes from `before` to `after` and the link `to`, of which nothing was
/// remembered, becomes `successor`. A row that the first link gives up and the second one takes is put once.
pub(crate) fn hand_over_changes<K: Remembered>(
    key: &LinkKey,
    before: &Link<K>,
    after: &Link<K>,
    to: &LinkKey,
    successor: &Link<K>,
    now: Timestamp,
) -> Vec<RowChange> {
    let taken = changes(to, &Link::default(), successor, now);
    let is_taken = |given_up: &RowKey| {
        taken.iter().any(|change| matches!(change, RowChange::Put(index_row) if index_row.row.key == *given_up))
    };
    let mut rows = changes(key, before, after, now);
    rows.retain(|change| !matches!(change, RowChange::Delete(given_up) if is_taken(given_up)));
    rows.extend(taken);
    rows
}

fn intent_changes<K: Remembered>(
    key: &LinkKey,
    before: &Link<K>,
    after: &Link<K>,
    now: Timestamp,
    rows: &mut Vec<RowChange>,
) {
    let sequence = |link: &Link<K>| link.intent.as_ref().map(|intent| intent.sequence);
    if sequence(before) == sequence(after) {
        return;
    }
    if let Some(ended) = &before.intent {
        let ending = ending(end_of(ended.sequence, after.ended_intent), now);
        rows.push(RowChange::PutIntent(intent_row(key, ended, Some(ending))));
    }
    if let Some(started) = &after.intent {
        rows.push(RowChange::PutIntent(intent_row(key, started, None)));
    }
}

fn intent_row<C: Named>(key: &LinkKey, intent: &Intent<C>, ending: Option<IntentEnding>) -> IntentRow {
    IntentRow {
        link: key.clone(),
        sequence: intent.sequence,
        kind: intent.kind.name(),
        mark: intent.mark.clone(),
        written_at: intent.written_at,
        ending,
    }
}

/// Returns how the intent with this number ended. Returns `None` if the link does not state it.
fn end_of(sequence: u64, ended: Option<EndedIntent>) -> Option<IntentEnd> {
    ended.filter(|ended| ended.sequence == sequence).map(|ended| ended.end)
}

fn ending(end: Option<IntentEnd>, now: Timestamp) -> IntentEnding {
    let expires_at = now.saturating_add(ENDED_INTENT_KEPT).unwrap_or(Timestamp::MAX);
    IntentEnding { end: end_word(end), ended_at: now, expires_at }
}

fn end_word(end: Option<IntentEnd>) -> &'static str {
    match end {
        Some(IntentEnd::Done) => "done",
        Some(IntentEnd::Refused) => "refused",
        Some(IntentEnd::FoundDone) => "found_done",
        Some(IntentEnd::NeverApplied) => "never_applied",
        None => "not_stated",
    }
}

/// Puts the rows that are new or have changed, and deletes those in which the link no longer stands.
fn index_changes<K: Remembered>(key: &LinkKey, before: &Link<K>, after: &Link<K>, rows: &mut Vec<RowChange>) {
    let intent = before.intent.as_ref().map(|intent| intent.sequence);
    let end = intent.and_then(|sequence| end_of(sequence, after.ended_intent));
    let (stood_in, stands_in) = (index::<K>(key, before), index::<K>(key, after));
    let is_left = |row: &&IndexRow| !stands_in.contains_key(&row.row.key);
    let is_deleted = |row: &&IndexRow| match row.deletion {
        Deletion::Always => true,
        Deletion::UnlessNeverApplied => end != Some(IntentEnd::NeverApplied),
    };
    let left = stood_in.values().filter(is_left).filter(is_deleted);
    rows.extend(left.map(|row| RowChange::Delete(row.row.key.clone())));
    let news = stands_in.into_iter().filter(|(key, row)| stood_in.get(key) != Some(row));
    rows.extend(news.map(|(_, row)| RowChange::Put(row)));
}

/// Returns the rows in which a link stands, one for each key: a transaction can't write a row twice.
fn index<K: Remembered>(key: &LinkKey, link: &Link<K>) -> BTreeMap<RowKey, IndexRow> {
    K::index(key, link).into_iter().map(|row| (row.row.key.clone(), row)).collect()
}

#[cfg(test)]
mod tests {
    use casebridge_core::{
        identifiers::{AccountId, CaseId, DisplayId, IncidentId, JournalEntryId},
        link::mark::Entropy,
        support::{
            Link,
            call::{Content, IntentKind, Part},
            case::CaseStatus,
            memory::{LinkedCase, Memory, QuotaWait},
        },
    };
    use serde_json::json;

    use super::*;

    fn key() -> LinkKey {
        LinkKey::support_case(IncidentId::new("0a"))
    }

    fn account() -> AccountId {
        AccountId::new("111122223333")
    }

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn mark(sequence: u64) -> Mark {
        Mark::draw(Entropy::new([1; 16]), &key(), sequence)
    }

    fn with_intent(link: &Link, kind: &IntentKind) -> Link {
        let sequence = link.intents + 1;
        let intent = json!({"sequence": sequence, "mark": mark(sequence), "written_at": moment(10), "kind": kind});
        let intent = serde_json::from_value(intent).unwrap();
        Link { intent: Some(intent), intents: sequence, ..link.clone() }
    }

    fn opening() -> IntentKind {
        IntentKind::OpenCase { account: account(), covers: Vec::new(), remainder: None }
    }

    fn adding() -> IntentKind {
        let content = Content::Entry { entry: JournalEntryId::new("1"), created_on: moment(5) };
        IntentKind::AddCommunication { content, part: Part::whole(5) }
    }

    fn ended(link: &Link, end: IntentEnd) -> Link {
        let sequence = link.intent.as_ref().unwrap().sequence;
        Link { intent: None, ended_intent: Some(EndedIntent { sequence, end }), ..link.clone() }
    }

    // Made from JSON, as a stored state is read: a new field of the memory needs no change here.
    fn case() -> LinkedCase {
        let case = json!({"account": account(), "case_id": "case-111122223333-muen-2026-aa", "display_id": null,
            "status": null, "status_since": moment(0), "opened_at": moment(0)});
        serde_json::from_value(case).unwrap()
    }

    fn with_case(case: LinkedCase) -> Link {
        Link { memory: Memory { case: Some(case), ..Memory::default() }, ..Link::default() }
    }

    fn between(before: &Link, after: &Link) -> Vec<RowChange> {
        changes(&key(), before, after, moment(100))
    }

    /// Returns the sort texts of the rows that are put, and of those that are deleted.
    fn sort_texts(rows: &[RowChange]) -> (Vec<&str>, Vec<&str>) {
        let put = rows.iter().filter_map(|change| match change {
            RowChange::Put(row) => Some(row.row.key.sort.as_str()),
            RowChange::PutIntent(_) | RowChange::Delete(_) => None,
        });
        let deleted = rows.iter().filter_map(|change| match change {
            RowChange::Delete(key) => Some(key.sort.as_str()),
            RowChange::PutIntent(_) | RowChange::Put(_) => None,
        });
        (put.collect(), deleted.collect())
    }

    #[test]
    fn nothing_changes_with_what_is_in_the_link_alone() {
        let before = with_intent(&with_case(case()), &adding());
        let mut after = before.clone();
        after.settled = true;
        after.journal.settle([(JournalEntryId::new("2"), moment(5))]);
        after.memory.conversation.sending(&mark(7), "Any news?", moment(5));
        after.intent.as_mut().unwrap().looked = 1;
        after.intent.as_mut().unwrap().doubt = "timed out".to_owned();
        assert_eq!(between(&before, &after), Vec::new());
    }

    #[test]
    fn an_opening_is_in_the_audit_trail_and_listed_until_it_is_decided() {
        let open = with_intent(&Link::default(), &opening());
        let (by_mark, by_age) = (format!("INTENT#{}", mark(1)), format!("UNDECIDED#000000000010000#{}", mark(1)));
        let rows = between(&Link::default(), &open);
        assert_eq!(rows.len(), 3);
        assert!(matches!(&rows[0], RowChange::PutIntent(IntentRow { kind: "open_case", ending: None, .. })));
        assert_eq!(sort_texts(&rows), (vec![by_mark.as_str(), by_age.as_str()], vec![]));

        let rows = between(&open, &ended(&open, IntentEnd::Refused));
        assert_eq!(rows.len(), 3);
        assert_eq!(sort_texts(&rows), (vec![], vec![by_mark.as_str(), by_age.as_str()]));
        let RowChange::PutIntent(row) = &rows[0] else { panic!("not an intent: {rows:?}") };
        let ending = row.ending.as_ref().unwrap();
        assert_eq!((ending.end, ending.ended_at), ("refused", moment(100)));
        assert!(ending.expires_at > ending.ended_at);

        let rows = between(&open, &ended(&open, IntentEnd::NeverApplied));
        assert_eq!(sort_texts(&rows), (vec![], vec![by_age.as_str()]), "its mark keeps leading to the link");
    }

    #[test]
    fn one_intent_may_end_and_the_next_start_in_one_write() {
        let first = with_intent(&Link::default(), &adding());
        let second = with_intent(&ended(&first, IntentEnd::FoundDone), &adding());
        let words: Vec<_> = between(&first, &second)
            .into_iter()
            .map(|row| match row {
                RowChange::PutIntent(row) => (row.sequence, row.ending.map(|ending| ending.end)),
                other => panic!("not an intent: {other:?}"),
            })
            .collect();
        assert_eq!(words, [(1, Some("found_done")), (2, None)]);
    }

    #[test]
    fn the_end_of_another_intent_is_not_taken_for_the_end_of_this_one() {
        let first = with_intent(&Link::default(), &adding());
        let mut after = ended(&first, IntentEnd::Done);
        after.ended_intent = Some(EndedIntent { sequence: 7, end: IntentEnd::Done });
        let rows = between(&first, &after);
        assert!(
            matches!(&rows[0], RowChange::PutIntent(IntentRow { ending: Some(ending), .. }) if ending.end == "not_stated")
        );
    }

    #[test]
    fn a_row_that_says_something_else_is_put_and_not_deleted() {
        let before = with_case(case());
        for changed in [
            LinkedCase { fingerprint: "f".to_owned(), ..case() },
            LinkedCase { display_id: Some(DisplayId::new("1")), ..case() },
            LinkedCase { case_id: CaseId::new("case-111122223333-mufr-2026-aa"), ..case() },
            LinkedCase { status: Some(CaseStatus::new("resolved")), ..case() },
        ] {
            let rows = between(&before, &with_case(changed));
            assert_eq!(rows.len(), 1);
            assert_eq!(sort_texts(&rows), (vec!["WATCHED#2026-aa"], vec![]));
        }
    }

    #[test]
    fn another_case_takes_the_place_of_the_first() {
        let other = LinkedCase { case_id: CaseId::new("case-111122223333-muen-2026-bb"), ..case() };
        let rows = between(&with_case(case()), &with_case(other));
        let (put, deleted) = sort_texts(&rows);
        assert_eq!(put, ["CASE#2026-bb", "WATCHED#2026-bb"]);
        assert_eq!(deleted, ["CASE#2026-aa", "WATCHED#2026-aa"]);
    }

    #[test]
    fn a_wait_for_the_quota_has_one_place_at_a_time() {
        let waiting = |priority: &str| {
            let wait = QuotaWait { account: account(), priority: priority.to_owned(), since: moment(1) };
            Link { memory: Memory { waits_for_quota: Some(wait), ..Memory::default() }, ..Link::default() }
        };
        let place = |priority: &str| format!("WAITING#{priority}#000000000001000#{}", key());
        let (first, second) = (waiting("3"), waiting("1"));
        assert_eq!(sort_texts(&between(&Link::default(), &first)), (vec![place("3").as_str()], vec![]));
        assert_eq!(between(&first, &first), []);
        let moved = between(&first, &second);
        assert_eq!(sort_texts(&moved), (vec![place("1").as_str()], vec![place("3").as_str()]));
        assert_eq!(sort_texts(&between(&second, &Link::default())), (vec![], vec![place("1").as_str()]));
    }
}
