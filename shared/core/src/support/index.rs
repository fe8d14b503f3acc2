//! The rows by which the ledger finds a link with a Support case.
//!
//! Each is a row of the case's account:
//!
//! | sort text | row | attributes |
//! |---|---|---|
//! | `CASE#<stable case id>` | a case's link, for as long as the link has the case or remembers it as a former one | `link` |
//! | `WATCHED#<stable case id>` | a case that the poller reads | `link`, `case_id`, `display_id`, `fingerprint`, `changed_at` |
//! | `INTENT#<mark>` | a CreateCase that is undecided or was given up | `link` |
//! | `UNDECIDED#<written at>#<mark>` | a CreateCase whose case may still show up, by age | `written_at` |
//! | `WAITING#<priority>#<since>#<link>` | a link that waits for its account's quota of new cases | `link` |
//!
//! Moments in sort texts are milliseconds of 15 digits, so rows sort by time. One query for one row finds the account's
//! newest undecided CreateCase between two moments, however many there are, and another one finds the link that is next
//! in line for a quota.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::{
    identifiers::{AccountId, CaseId, CaseKey, DisplayId, LinkKey},
    link::{
        index::{
            Fact, IndexRow, ROWS_PER_LINK, Row, RowKey, RowPrefix, RowSpan, UnreadableRow, milliseconds, moment_digits,
        },
        mark::Mark,
    },
    support::{
        Link,
        memory::{CREATION_UNDECIDED_FOR, LinkedCase, MAXIMUM_FORMER_CASES, MAXIMUM_GIVEN_UP_CASES, QuotaWait},
    },
};

/// How many watched cases of an account a page has: as many as one DescribeCases accepts. Source: AWS Support API,
/// caseIdList.
pub const CASES_PER_PAGE: usize = 100;

/// How long a case is watched after it was resolved. AWS lets a case be reopened for 14 days; the rest is margin.
const WATCHED_AFTER_RESOLUTION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The priorities of incidents, the most urgent one first. Source: ServiceNow, Incident priority.
const PRIORITIES: [&str; 5] = ["1", "2", "3", "4", "5"];
/// Stands for every other priority, and sorts after all known ones.
const UNKNOWN_PRIORITY: &str = "unknown";

/// Sorts after every row of the same millisecond: in these, `#` follows the digits, and `#` sorts before this
/// character.
const SORTS_LAST: char = '~';

/// In how many rows a link stands besides those of the cases that were given up and of its former cases: of its wait for a
/// quota one, of its case two, of its undecided CreateCase two.
const OTHER_ROWS: usize = 5;
// Whatever a link remembers, the ledger takes it.
const _: () = assert!(MAXIMUM_GIVEN_UP_CASES + MAXIMUM_FORMER_CASES + OTHER_ROWS <= ROWS_PER_LINK);

/// How the sort text of a case's link begins.
const CASE: &str = "CASE#";
/// How the sort text of a watched case begins.
const WATCHED: &str = "WATCHED#";
/// How the sort text of an open intent begins.
const OPEN_INTENT: &str = "INTENT#";
/// How the sort text of an undecided CreateCase begins.
const UNDECIDED: &str = "UNDECIDED#";
/// How the sort text of a link that waits for a quota begins.
const WAITING: &str = "WAITING#";

/// The case's id, in the row of a watched case.
const CASE_ID: &str = "case_id";
/// The case's number, in the row of a watched case.
const DISPLAY_ID: &str = "display_id";
/// The fingerprint of the last read, in the row of a watched case.
const FINGERPRINT: &str = "fingerprint";
/// When something changed on it last, in the row of a watched case.
const CHANGED_AT: &str = "changed_at";
/// When its intent was written, in the row of an undecided CreateCase.
const WRITTEN_AT: &str = "written_at";

/// A watched case, as the poller compares it with AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// The key.
    pub key: CaseKey,
    /// The case's id, as last seen.
    pub case_id: CaseId,
    /// Its number; `None` until it is known.
    pub display_id: Option<DisplayId>,
    /// The link.
    pub link: LinkKey,
    /// The fingerprint of the last read.
    pub fingerprint: String,
    /// When something changed on it last, by our clock, to the millisecond.
    pub changed_at: Timestamp,
}

impl CaseRow {
    /// Reads a row that [`watched`] found.
    ///
    /// # Errors
    /// Fails if the row is not of that form.
    pub fn read(row: &Row) -> Result<Self, UnreadableRow> {
        let stable_id = row.key.sort.strip_prefix(WATCHED).ok_or_else(|| row.unreadable("sk", "a watched case"))?;
        Ok(Self {
            key: CaseKey { account: row.key.account.clone(), stable_id: stable_id.to_owned() },
            case_id: CaseId::new(row.text(CASE_ID)?),
            display_id: row.optional_text(DISPLAY_ID)?.map(DisplayId::new),
            link: row.link()?.clone(),
            fingerprint: row.text(FINGERPRINT)?.to_owned(),
            changed_at: row.moment(CHANGED_AT)?,
        })
    }
}

/// The row that leads to a case's link.
pub fn case(case: &CaseKey) -> RowKey {
    row_key(&case.account, format!("{CASE}{}", case.stable_id))
}

/// Whether a row leads from a case to its link.
pub fn is_case(key: &RowKey) -> bool {
    key.sort.starts_with(CASE)
}

/// The row that leads to the link whose CreateCase carries the mark, while it is undecided and after it was given up.
pub fn open_intent(account: &AccountId, mark: &Mark) -> RowKey {
    row_key(account, format!("{OPEN_INTENT}{mark}"))
}

/// The rows of the account's cases that are watched, see [`CaseRow::read`].
pub fn watched(account: &AccountId) -> RowPrefix {
    RowPrefix { account: account.clone(), sort: WATCHED.to_owned() }
}

/// The rows of the links that wait for the account's quota of new cases: the most urgent first, and of equally urgent
/// ones the one that has waited longest. A priority other than `1` to `5` comes last.
pub fn waiting(account: &AccountId) -> RowPrefix {
    RowPrefix { account: account.clone(), sort: WAITING.to_owned() }
}

/// The rows of the account's undecided CreateCases that were written between these moments, both included, to the
/// millisecond, with the newest one last. A CreateCase that was given up is among them while its case may still show
/// up. [`written_at`] reads a row.
pub fn undecided_between(account: &AccountId, from: Timestamp, until: Timestamp) -> RowSpan {
    let of = |moment: Timestamp| format!("{UNDECIDED}{}", moment_digits(moment));
    RowSpan { account: account.clone(), first: of(from), last: format!("{}{SORTS_LAST}", of(until)) }
}

/// Returns when the intent of an undecided CreateCase was written.
///
/// # Errors
/// Fails if the row does not have that time.
pub fn written_at(row: &Row) -> Result<Timestamp, UnreadableRow> {
    row.moment(WRITTEN_AT)
}

/// Returns the rows by which the ledger finds a link.
pub(super) fn rows(key: &LinkKey, link: &Link) -> BTreeSet<IndexRow> {
    let memory = &link.memory;
    let mut rows = BTreeSet::new();
    rows.extend(memory.waits_for_quota.as_ref().map(|wait| waiting_row(key, wait)));
    if let Some(case) = &memory.case {
        rows.extend([case_row(key, &case.key()), watched_row(key, case)]);
    }
    // An incident may still name its former case, which is no case of a stranger.
    rows.extend(memory.former_cases.iter().map(|former| case_row(key, &former.key())));
    // The cases of CreateCases that were given up may still show up.
    rows.extend(memory.given_up_cases.iter().map(|case| undecided_row(&case.account, &case.mark, case.written_at)));
    if let Some((account, mark, written_at)) = opening(link) {
        rows.insert(IndexRow::new(open_intent(account, mark)).leading_to(key).kept_if_never_applied());
        rows.insert(undecided_row(account, mark, written_at));
    }
    rows
}

/// Returns the account and the mark of the link's undecided CreateCase, and when its intent was written. Returns `None`
/// if the link has no such intent.
fn opening(link: &Link) -> Option<(&AccountId, &Mark, Timestamp)> {
    let intent = link.intent.as_ref()?;
    Some((intent.kind.opening_account()?, intent.mark.as_ref()?, intent.written_at))
}

fn case_row(link: &LinkKey, key: &CaseKey) -> IndexRow {
    IndexRow::new(case(key)).leading_to(link)
}

fn watched_row(link: &LinkKey, case: &LinkedCase) -> IndexRow {
    let last_day = || case.status_since.saturating_add(WATCHED_AFTER_RESOLUTION).unwrap_or(Timestamp::MAX);
    let row = IndexRow::new(watched(&case.account).row(&case.key().stable_id))
        .leading_to(link)
        .with_text(CASE_ID, &case.case_id)
        .with_text(FINGERPRINT, &case.fingerprint)
        .with(CHANGED_AT, Fact::Number(milliseconds(case.changed_at.unwrap_or(case.opened_at))))
        .expiring(case.is_resolved().then(last_day));
    match &case.display_id {
        Some(display_id) => row.with_text(DISPLAY_ID, display_id),
        None => row,
    }
}

fn undecided_row(account: &AccountId, mark: &Mark, written_at: Timestamp) -> IndexRow {
    let written = Timestamp::from_millisecond(milliseconds(written_at)).unwrap_or(Timestamp::MAX);
    IndexRow::new(row_key(account, format!("{UNDECIDED}{}#{mark}", moment_digits(written_at))))
        .with(WRITTEN_AT, Fact::Number(milliseconds(written_at)))
        .expiring(Some(written.saturating_add(CREATION_UNDECIDED_FOR).unwrap_or(Timestamp::MAX)))
}

fn waiting_row(link: &LinkKey, wait: &QuotaWait) -> IndexRow {
    let known = PRIORITIES.into_iter().find(|priority| *priority == wait.priority);
    let place = format!("{}#{}#{link}", known.unwrap_or(UNKNOWN_PRIORITY), moment_digits(wait.since));
    IndexRow::new(waiting(&wait.account).row(&place)).leading_to(link)
}

fn row_key(account: &AccountId, sort: String) -> RowKey {
    RowKey { account: account.clone(), sort }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        identifiers::{IncidentId, JournalEntryId},
        link::{index::Deletion, mark::Entropy},
        support::{
            call::{Content, IntentKind, Part},
            case::CaseStatus,
            memory::{GivenUpCase, Memory},
        },
    };

    fn key() -> LinkKey {
        LinkKey::support_case(IncidentId::new("0a"))
    }

    fn account() -> AccountId {
        AccountId::new("111122223333")
    }

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn mark() -> Mark {
        Mark::draw(Entropy::new([1; 16]), &key(), 1)
    }

    fn with_intent(kind: &IntentKind) -> Link {
        let intent = json!({"sequence": 1, "mark": mark(), "written_at": moment(10), "kind": kind});
        Link { intent: Some(serde_json::from_value(intent).unwrap()), intents: 1, ..Link::default() }
    }

    fn opening() -> IntentKind {
        IntentKind::OpenCase { account: account(), covers: Vec::new(), remainder: None }
    }

    // Built from JSON, as the ledger reads it, so that a new field of the memory does not change these tests.
    fn case_with(changes: impl FnOnce(&mut LinkedCase)) -> Link {
        let case = json!({"account": account(), "case_id": "case-111122223333-muen-2026-aa", "display_id": null,
            "status": null, "status_since": moment(5), "opened_at": moment(0)});
        let mut case = serde_json::from_value(case).unwrap();
        changes(&mut case);
        Link { memory: Memory { case: Some(case), ..Memory::default() }, ..Link::default() }
    }

    fn waiting_since(priority: &str, since: i64) -> Link {
        let wait = QuotaWait { account: account(), priority: priority.to_owned(), since: moment(since) };
        Link { memory: Memory { waits_for_quota: Some(wait), ..Memory::default() }, ..Link::default() }
    }

    fn given_up(written_at: Timestamp) -> Link {
        let case = json!({"account": account(), "mark": mark(), "covers": [], "remainder": null,
            "written_at": written_at, "look_at": moment(9)});
        let case: GivenUpCase = serde_json::from_value(case).unwrap();
        Link { memory: Memory { given_up_cases: vec![case], ..Memory::default() }, ..Link::default() }
    }

    /// The rows of a link by their sort texts.
    fn shown(link: &Link) -> Vec<(String, IndexRow)> {
        let rows = rows(&key(), link).into_iter();
        rows.inspect(|row| assert_eq!(row.row.key.account, account()))
            .map(|row| (row.row.key.sort.clone(), row))
            .collect()
    }

    fn sort_texts(link: &Link) -> Vec<String> {
        shown(link).into_iter().map(|(sort, _)| sort).collect()
    }

    #[test]
    fn a_link_without_a_case_stands_in_no_row() {
        assert_eq!(sort_texts(&Link::default()), Vec::<String>::new());
        let content = Content::Entry { entry: JournalEntryId::new("1"), created_on: moment(5) };
        let adding = with_intent(&IntentKind::AddCommunication { content, part: Part::whole(5) });
        assert_eq!(sort_texts(&adding), Vec::<String>::new());
    }

    #[test]
    fn an_opening_is_found_by_its_mark_and_by_its_age() {
        let rows = shown(&with_intent(&opening()));
        let [(by_mark, leading), (by_age, undecided)] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!(*by_mark, format!("INTENT#{}", mark()));
        assert_eq!((&leading.row.key, &leading.row.link), (&open_intent(&account(), &mark()), &Some(key())));
        assert_eq!((leading.deletion, leading.expires_at), (Deletion::UnlessNeverApplied, None));
        assert_eq!(*by_age, format!("UNDECIDED#000000000010000#{}", mark()));
        assert_eq!((undecided.deletion, &undecided.row.link), (Deletion::Always, &None));
        assert_eq!(undecided.expires_at, Some(moment(10) + CREATION_UNDECIDED_FOR));
        assert_eq!(written_at(&undecided.row).unwrap(), moment(10));
    }

    #[test]
    fn an_opening_that_was_given_up_is_found_by_its_age() {
        let undecided = shown(&with_intent(&opening())).pop().unwrap();
        assert_eq!(shown(&given_up(moment(10))), [undecided]);
        assert_eq!(sort_texts(&given_up(moment(-10))), [format!("UNDECIDED#000000000000000#{}", mark())]);
    }

    #[test]
    fn a_link_stands_in_as_many_rows_as_are_counted() {
        let mut fullest = with_intent(&opening());
        fullest.memory.case = case_with(|_| {}).memory.case;
        fullest.memory.waits_for_quota = waiting_since("2", 5).memory.waits_for_quota;
        assert_eq!(sort_texts(&fullest).len(), OTHER_ROWS);
        let given_up = (0..).take(MAXIMUM_GIVEN_UP_CASES).map(|number| {
            let mark = Mark::draw(Entropy::new([1; 16]), &key(), 100 + number);
            GivenUpCase { mark, ..given_up(moment(9)).memory.given_up_cases.remove(0) }
        });
        fullest.memory.given_up_cases = given_up.collect();
        assert_eq!(sort_texts(&fullest).len(), OTHER_ROWS + MAXIMUM_GIVEN_UP_CASES);
    }

    #[test]
    fn the_openings_between_two_moments_are_those_written_then_to_the_millisecond() {
        let row = shown(&given_up(moment(10))).pop().unwrap().0;
        let is_between = |from: i64, until: i64| {
            let at = |millisecond: i64| Timestamp::from_millisecond(millisecond).unwrap();
            let span = undecided_between(&account(), at(from), at(until));
            (span.first..=span.last).contains(&row)
        };
        assert!(is_between(10_000, 10_000) && is_between(-1, 99_999));
        assert!(!is_between(0, 9_999) && !is_between(10_001, 99_999) && !is_between(99_999, 0));
    }

    #[test]
    fn a_case_leads_to_its_link_and_is_watched() {
        let display_id = Some(DisplayId::new("123"));
        let link = case_with(|case| {
            case.display_id.clone_from(&display_id);
            case.fingerprint = "f".to_owned();
        });
        let linked = link.memory.case.clone().unwrap();
        let rows = shown(&link);
        let [(leading_text, leading), (watched_text, watched)] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!([leading_text.as_str(), watched_text.as_str()], ["CASE#2026-aa", "WATCHED#2026-aa"]);
        assert_eq!((&leading.row.key, &leading.row.link), (&case(&linked.key()), &Some(key())));
        assert!(is_case(&leading.row.key) && !is_case(&watched.row.key));
        let LinkedCase { case_id, fingerprint, opened_at, .. } = linked.clone();
        let expected =
            CaseRow { key: linked.key(), case_id, display_id, link: key(), fingerprint, changed_at: opened_at };
        assert_eq!(CaseRow::read(&watched.row).unwrap(), expected);
        assert_eq!((leading.expires_at, watched.expires_at), (None, None));
    }

    #[test]
    fn the_row_of_a_watched_case_tells_when_it_changed_last() {
        let row = shown(&case_with(|case| case.changed_at = Some(moment(7)))).pop().unwrap().1;
        assert_eq!(CaseRow::read(&row.row).unwrap().changed_at, moment(7));
    }

    #[test]
    fn a_row_that_is_no_watched_case_is_unreadable() {
        let rows = shown(&case_with(|_| {}));
        let [(_, leading), (_, watched)] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!(CaseRow::read(&watched.row).unwrap().display_id, None);
        assert_eq!(CaseRow::read(&leading.row).unwrap_err().name, "sk");
        let without_link = Row { link: None, ..watched.row.clone() };
        assert_eq!(CaseRow::read(&without_link).unwrap_err().name, "link");
        for name in [CASE_ID, FINGERPRINT, CHANGED_AT] {
            let mut row = watched.row.clone();
            row.facts.remove(name);
            assert_eq!(CaseRow::read(&row).unwrap_err().name, name);
        }
    }

    #[test]
    fn a_resolved_case_is_watched_until_it_can_no_longer_be_reopened() {
        let expires_at = |status: &str| {
            let link = case_with(|case| case.status = Some(CaseStatus::new(status)));
            let rows = shown(&link);
            assert_eq!(rows[0].1.expires_at, None, "the case leads to its link for good");
            rows[1].1.expires_at
        };
        assert_eq!(expires_at("resolved"), Some(moment(5 + 30 * 86_400)), "AWS reopens a case for 14 days");
        assert_eq!(expires_at("reopened"), None);
    }

    #[test]
    fn a_link_waits_at_the_place_of_its_urgency_and_its_age() {
        let rows = shown(&waiting_since("3", 1));
        let [(place, row)] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!(*place, "WAITING#3#000000000001000#support_case:0a");
        assert_eq!(row.row.link, Some(key()));
        assert_eq!(waiting(&account()).rest(&row.row.key), Some("3#000000000001000#support_case:0a"));
    }

    #[test]
    fn a_priority_that_nobody_knows_sorts_last_and_gets_into_no_key() {
        let mut places: Vec<String> =
            ["", "5", "1#0", "1", "12"].iter().flat_map(|priority| sort_texts(&waiting_since(priority, 1))).collect();
        places.sort();
        let priorities: Vec<&str> = places.iter().filter_map(|place| place.split('#').nth(1)).collect();
        assert_eq!(priorities, ["1", "5", "unknown", "unknown", "unknown"]);
    }
}
