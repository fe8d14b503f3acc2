//! Which rows besides the link's own change with it. Pure, and the same for every ledger.

use std::collections::BTreeSet;

use casebridge_core::{
    identifiers::{AccountId, CaseKey, LinkKey},
    link::{
        intent::{EndedIntent, IntentEnd},
        mark::Mark,
    },
    support::{
        Intent, Link,
        call::IntentKind,
        memory::{CREATION_UNDECIDED_FOR, LinkedCase, QuotaWait},
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::ledger::CaseRow;

/// How long a case is watched after it was resolved. AWS lets a case be reopened for 14 days; the rest is margin.
const WATCHED_AFTER_RESOLUTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The priorities of incidents, the most urgent one first. Source: ServiceNow, Incident priority.
const PRIORITIES: [&str; 5] = ["1", "2", "3", "4", "5"];
/// What stands for every other priority: it sorts behind them.
const UNKNOWN_PRIORITY: &str = "unknown";

/// How long an intent that has ended stays in the audit trail.
const ENDED_INTENT_KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);

/// One row to put or to delete, in the same write as the link's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RowChange {
    /// An intent that starts, or one that has ended.
    PutIntent(IntentRow),
    /// A CreateCase intent that is undecided, or was given up: a case with its mark belongs to the link.
    PutOpenIntent {
        /// The account that the case is opened in.
        account: AccountId,
        /// The mark in the case's first communication.
        mark: Mark,
        /// The link.
        link: LinkKey,
    },
    /// A CreateCase intent that is decided.
    DeleteOpenIntent {
        /// The account that the case was to be opened in.
        account: AccountId,
        /// The mark in the case's first communication.
        mark: Mark,
    },
    /// A CreateCase that is undecided for as long as its case may show up: listed by the moment at which it was written.
    PutUndecided(Undecided),
    /// A CreateCase that is decided, or whose case shows up no more.
    DeleteUndecided(Undecided),
    /// The link that a case belongs to.
    PutCase {
        /// The case.
        case: CaseKey,
        /// The link.
        link: LinkKey,
    },
    /// A case that belongs to no link any more.
    DeleteCase(CaseKey),
    /// A case that the poller reads.
    PutWatchedCase(WatchedCase),
    /// A case that the poller has to read no more.
    DeleteWatchedCase(CaseKey),
    /// A link that waits for its account's quota of new cases.
    PutWaiting(Waiting),
    /// A link that waits for it no more, or at another place.
    DeleteWaiting(Waiting),
}

/// A CreateCase's place among the undecided ones of its account. They sort by age, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Undecided {
    /// The account that the case is opened in.
    pub(crate) account: AccountId,
    /// When its intent was written, in milliseconds.
    pub(crate) written_at: i64,
    /// The mark in the case's first communication.
    pub(crate) mark: Mark,
}

impl Undecided {
    fn new(account: &AccountId, mark: &Mark, written_at: Timestamp) -> Self {
        // Our clock is past 1970: a time before it would not sort as text.
        let written_at = written_at.as_millisecond().max(0);
        Self { account: account.clone(), written_at, mark: mark.clone() }
    }

    /// When the row may go, should its link never be looked at again.
    pub(crate) fn expires_at(&self) -> Timestamp {
        let written_at = Timestamp::from_millisecond(self.written_at).unwrap_or(Timestamp::MAX);
        written_at.saturating_add(CREATION_UNDECIDED_FOR).unwrap_or(Timestamp::MAX)
    }
}

/// A link's place among those that wait for an account's quota. They sort by urgency, then by age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Waiting {
    /// The account.
    pub(crate) account: AccountId,
    /// The word for how urgent it is.
    pub(crate) priority: &'static str,
    /// Since when, in milliseconds.
    pub(crate) since: i64,
    /// The link.
    pub(crate) link: LinkKey,
}

impl Waiting {
    fn new(key: &LinkKey, wait: &QuotaWait) -> Self {
        let known = PRIORITIES.into_iter().find(|priority| *priority == wait.priority);
        Self {
            account: wait.account.clone(),
            priority: known.unwrap_or(UNKNOWN_PRIORITY),
            // Our clock is past 1970: a time before it would not sort as text.
            since: wait.since.as_millisecond().max(0),
            link: key.clone(),
        }
    }
}

/// An intent in the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntentRow {
    /// The link.
    pub(crate) link: LinkKey,
    /// Its number among the link's intents.
    pub(crate) sequence: u64,
    /// The word for what it is about to do.
    pub(crate) kind: &'static str,
    /// The mark that the call's text carries.
    pub(crate) mark: Option<Mark>,
    /// When it was written, before the call.
    pub(crate) written_at: Timestamp,
    /// How it ended; none while that is open.
    pub(crate) ending: Option<IntentEnding>,
}

/// How an intent in the audit trail ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntentEnding {
    /// The word for how it ended.
    pub(crate) end: &'static str,
    /// When that was recorded.
    pub(crate) ended_at: Timestamp,
    /// When the row may go.
    pub(crate) expires_at: Timestamp,
}

/// A case as the poller compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WatchedCase {
    /// What the poller gets.
    pub(crate) row: CaseRow,
    /// When the case needs no watching any more; none while it is open.
    pub(crate) expires_at: Option<Timestamp>,
}

/// The rows that change when the link's state goes from `before` to `after`.
pub(crate) fn changes(key: &LinkKey, before: &Link, after: &Link, now: Timestamp) -> Vec<RowChange> {
    let mut rows = Vec::new();
    intent_changes(key, before, after, now, &mut rows);
    open_intent_changes(key, before, after, &mut rows);
    undecided_changes(before, after, &mut rows);
    case_changes(key, before, after, &mut rows);
    waiting_changes(key, before, after, &mut rows);
    rows
}

fn intent_changes(key: &LinkKey, before: &Link, after: &Link, now: Timestamp, rows: &mut Vec<RowChange>) {
    let sequence = |link: &Link| link.intent.as_ref().map(|intent| intent.sequence);
    if sequence(before) == sequence(after) {
        return;
    }
    if let Some(ended) = &before.intent {
        rows.push(RowChange::PutIntent(intent_row(key, ended, Some(ending(ended, after.ended_intent, now)))));
    }
    if let Some(started) = &after.intent {
        rows.push(RowChange::PutIntent(intent_row(key, started, None)));
    }
}

fn intent_row(key: &LinkKey, intent: &Intent, ending: Option<IntentEnding>) -> IntentRow {
    IntentRow {
        link: key.clone(),
        sequence: intent.sequence,
        kind: kind_word(&intent.kind),
        mark: intent.mark.clone(),
        written_at: intent.written_at,
        ending,
    }
}

fn ending(intent: &Intent, ended: Option<EndedIntent>, now: Timestamp) -> IntentEnding {
    let end = ended.filter(|ended| ended.sequence == intent.sequence).map(|ended| ended.end);
    let expires_at = now.saturating_add(ENDED_INTENT_KEPT).unwrap_or(Timestamp::MAX);
    IntentEnding { end: end_word(end), ended_at: now, expires_at }
}

fn kind_word(kind: &IntentKind) -> &'static str {
    match kind {
        IntentKind::OpenCase { .. } => "open_case",
        IntentKind::AddCommunication { .. } => "add_communication",
        IntentKind::ResolveCase { .. } => "resolve_case",
    }
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

fn open_intent_changes(key: &LinkKey, before: &Link, after: &Link, rows: &mut Vec<RowChange>) {
    let (was_open, is_open) = (open_intent(before), open_intent(after));
    if was_open == is_open {
        return;
    }
    // A call that seemed never applied may have been, later than L: its mark keeps leading to the link.
    let given_up = after.ended_intent.is_some_and(|ended| ended.end == IntentEnd::NeverApplied);
    if let Some((account, mark)) = was_open.filter(|_| !given_up) {
        rows.push(RowChange::DeleteOpenIntent { account: account.clone(), mark: mark.clone() });
    }
    if let Some((account, mark)) = is_open {
        rows.push(RowChange::PutOpenIntent { account: account.clone(), mark: mark.clone(), link: key.clone() });
    }
}

/// The account and the mark of a CreateCase that is not decided.
fn open_intent(link: &Link) -> Option<(&AccountId, &Mark)> {
    let intent = link.intent.as_ref()?;
    match &intent.kind {
        IntentKind::OpenCase { account, .. } => Some((account, intent.mark.as_ref()?)),
        IntentKind::AddCommunication { .. } | IntentKind::ResolveCase { .. } => None,
    }
}

fn undecided_changes(before: &Link, after: &Link, rows: &mut Vec<RowChange>) {
    let (were, are) = (undecided(before), undecided(after));
    rows.extend(were.difference(&are).cloned().map(RowChange::DeleteUndecided));
    rows.extend(are.difference(&were).cloned().map(RowChange::PutUndecided));
}

/// The CreateCases of a link whose cases may still show up: the one under way or in doubt, and those given up lately.
fn undecided(link: &Link) -> BTreeSet<Undecided> {
    let open = link.intent.as_ref().zip(open_intent(link));
    let open = open.map(|(intent, (account, mark))| Undecided::new(account, mark, intent.written_at));
    let given_up =
        link.memory.given_up_cases.iter().map(|case| Undecided::new(&case.account, &case.mark, case.written_at));
    given_up.chain(open).collect()
}

fn case_changes(key: &LinkKey, before: &Link, after: &Link, rows: &mut Vec<RowChange>) {
    let (case_before, case_after) = (case_key(before), case_key(after));
    if case_before != case_after {
        if let Some(case) = case_before {
            rows.push(RowChange::DeleteCase(case.clone()));
            rows.push(RowChange::DeleteWatchedCase(case));
        }
        if let Some(case) = case_after {
            rows.push(RowChange::PutCase { case, link: key.clone() });
        }
    }
    let watched = watched_case(key, after);
    if watched != watched_case(key, before) {
        rows.extend(watched.map(RowChange::PutWatchedCase));
    }
}

fn waiting_changes(key: &LinkKey, before: &Link, after: &Link, rows: &mut Vec<RowChange>) {
    let waiting = |link: &Link| link.memory.waits_for_quota.as_ref().map(|wait| Waiting::new(key, wait));
    let (was_waiting, is_waiting) = (waiting(before), waiting(after));
    if was_waiting != is_waiting {
        rows.extend(was_waiting.map(RowChange::DeleteWaiting));
        rows.extend(is_waiting.map(RowChange::PutWaiting));
    }
}

fn case_key(link: &Link) -> Option<CaseKey> {
    link.memory.case.as_ref().map(LinkedCase::key)
}

fn watched_case(key: &LinkKey, link: &Link) -> Option<WatchedCase> {
    let case = link.memory.case.as_ref()?;
    let last_day = || case.status_since.saturating_add(WATCHED_AFTER_RESOLUTION).unwrap_or(Timestamp::MAX);
    Some(WatchedCase {
        row: CaseRow {
            key: case.key(),
            case_id: case.case_id.clone(),
            display_id: case.display_id.clone(),
            link: key.clone(),
            fingerprint: case.fingerprint.clone(),
        },
        expires_at: case.is_resolved().then(last_day),
    })
}

#[cfg(test)]
mod tests {
    use casebridge_core::{
        identifiers::{CaseId, DisplayId, IncidentId, JournalEntryId},
        link::mark::Entropy,
        support::{
            call::{Content, Part},
            case::CaseStatus,
            memory::Memory,
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

    // Made from JSON, as it is read: what is remembered besides grows without these tests.
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
    fn an_opening_is_listed_for_its_account_until_it_is_decided() {
        let open = with_intent(&Link::default(), &opening());
        let rows = between(&Link::default(), &open);
        assert_eq!(rows.len(), 3);
        assert!(matches!(&rows[0], RowChange::PutIntent(IntentRow { kind: "open_case", ending: None, .. })));
        assert_eq!(rows[1], RowChange::PutOpenIntent { account: account(), mark: mark(1), link: key() });
        let undecided = Undecided { account: account(), written_at: 10_000, mark: mark(1) };
        assert_eq!(rows[2], RowChange::PutUndecided(undecided.clone()));
        assert_eq!(undecided.expires_at(), moment(10) + CREATION_UNDECIDED_FOR);

        let rows = between(&open, &ended(&open, IntentEnd::Refused));
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[1], RowChange::DeleteOpenIntent { account: account(), mark: mark(1) });
        assert_eq!(rows[2], RowChange::DeleteUndecided(undecided));
        let RowChange::PutIntent(row) = &rows[0] else { panic!("not an intent: {rows:?}") };
        let ending = row.ending.as_ref().unwrap();
        assert_eq!((ending.end, ending.ended_at), ("refused", moment(100)));
        assert!(ending.expires_at > ending.ended_at);
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
    fn a_new_case_leads_to_its_link_and_is_watched() {
        let after = with_case(case());
        let rows = between(&Link::default(), &after);
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0], RowChange::PutCase { case: case().key(), link: key() });
        assert!(matches!(&rows[1], RowChange::PutWatchedCase(WatchedCase { expires_at: None, .. })));
    }

    #[test]
    fn what_the_poller_compares_is_kept_up_to_date() {
        let before = with_case(case());
        let other_language = CaseId::new("case-111122223333-mufr-2026-aa");
        for changed in [
            LinkedCase { fingerprint: "f".to_owned(), ..case() },
            LinkedCase { display_id: Some(DisplayId::new("1")), ..case() },
            LinkedCase { case_id: other_language, ..case() },
        ] {
            let rows = between(&before, &with_case(changed));
            assert!(matches!(rows.as_slice(), [RowChange::PutWatchedCase(_)]), "{rows:?}");
        }
    }

    #[test]
    fn a_resolved_case_is_watched_until_it_can_no_longer_be_reopened() {
        let resolved = LinkedCase { status: Some(CaseStatus::new("resolved")), ..case() };
        let rows = between(&with_case(case()), &with_case(resolved.clone()));
        let [RowChange::PutWatchedCase(watched)] = rows.as_slice() else { panic!("not watched: {rows:?}") };
        assert!(watched.expires_at.unwrap() > moment(0) + SignedDuration::from_hours(14 * 24));

        let reopened = LinkedCase { status: Some(CaseStatus::new("reopened")), ..case() };
        let rows = between(&with_case(resolved), &with_case(reopened));
        assert!(matches!(rows.as_slice(), [RowChange::PutWatchedCase(WatchedCase { expires_at: None, .. })]));
    }

    fn waiting(priority: &str, since: i64) -> Link {
        let wait = QuotaWait { account: account(), priority: priority.to_owned(), since: moment(since) };
        Link { memory: Memory { waits_for_quota: Some(wait), ..Memory::default() }, ..Link::default() }
    }

    #[test]
    fn a_wait_for_the_quota_has_one_place_at_a_time() {
        let place = |priority, since| Waiting { account: account(), priority, since, link: key() };
        let (first, second) = (waiting("3", 1), waiting("1", 1));
        assert_eq!(between(&Link::default(), &first), [RowChange::PutWaiting(place("3", 1_000))]);
        assert_eq!(between(&first, &first), []);
        let moved = [RowChange::DeleteWaiting(place("3", 1_000)), RowChange::PutWaiting(place("1", 1_000))];
        assert_eq!(between(&first, &second), moved);
        assert_eq!(between(&second, &Link::default()), [RowChange::DeleteWaiting(place("1", 1_000))]);
    }

    #[test]
    fn a_priority_that_nobody_knows_sorts_last_and_gets_into_no_key() {
        let mut places: Vec<Waiting> = ["", "5", "1#0", "1", "12"]
            .iter()
            .filter_map(|priority| Some(Waiting::new(&key(), waiting(priority, 1).memory.waits_for_quota.as_ref()?)))
            .collect();
        places.sort();
        let priorities: Vec<&str> = places.iter().map(|place| place.priority).collect();
        assert_eq!(priorities, ["1", "5", "unknown", "unknown", "unknown"]);
    }

    #[test]
    fn another_case_takes_the_place_of_the_first() {
        let other = LinkedCase { case_id: CaseId::new("case-111122223333-muen-2026-bb"), ..case() };
        let rows = between(&with_case(case()), &with_case(other.clone()));
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[0], RowChange::DeleteCase(case().key()));
        assert_eq!(rows[1], RowChange::DeleteWatchedCase(case().key()));
        assert_eq!(rows[2], RowChange::PutCase { case: other.key(), link: key() });
    }
}
