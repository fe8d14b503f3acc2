//! The hints of a poll, and the effect of one side's failure on the others.
#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use case_poller::{ChangeFeed, OPENED_CASES, PARKED_FOR, PollError, Poller, ROUNDS, SecretStore, WATERMARK};
use casebridge_core::{
    failure::{Failure, Refusal},
    file::transfer::Carried,
    hint::{Cause, Hint, Subject},
    identifiers::{AccountId, AttemptId, CaseId, ClaimId, DisplayId, IncidentId, LinkKey},
    link::{
        Link,
        index::{Row, RowKey, RowPrefix, RowSpan},
        remembered::Remembered,
    },
    policy::{OpenedCaseRule, Policy},
    rotation::{ROTATION, Rotation},
    support::{
        SupportCase,
        call::NewCase,
        case::{Case, CaseStatus, RawCommunication},
        opened_case::Watermark,
        read::{CasePage, CaseQuery, CommunicationPage, DescribedCase},
        reading::Span,
    },
};
use casebridge_ledger::{
    DueLink, HandOver, Lease, LeaseAnswer, Ledger, LedgerError, MemoryLedger, ReleaseAnswer, RowPage,
};
use casebridge_ports::{Clock, Support, Timer};
use casebridge_runtime::{
    DeduplicationId, HintSink, QueueError, SecretError,
    metrics::{Metric, Metrics},
};
use casebridge_servicenow::{Changes, IncidentChange};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

const PRODUCTION: &str = "111122223333";
const STAGING: &str = "444455556666";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// The poller's ports, all in memory.
struct Fixture {
    ledger: MemoryLedger,
    now: Cell<i64>,
    seconds_per_claim: Cell<i64>,
    claims_fail: Cell<bool>,
    queue_is_down: Cell<bool>,
    sent: RefCell<Vec<(Hint, String)>>,
    /// ServiceNow's incidents: key, mod count, time of the last update.
    incidents: RefCell<Vec<(String, u64, i64)>>,
    changes_asked: RefCell<Vec<(i64, Option<String>)>>,
    servicenow_is_down: Cell<bool>,
    /// The status of each case at AWS, which knows no other cases.
    statuses: RefCell<Vec<(String, &'static str)>>,
    /// The current version of the webhook's secret. `None` if Secrets Manager does not answer.
    webhook_version: RefCell<Option<String>>,
    accounts_down: RefCell<BTreeSet<String>>,
    describes: RefCell<Vec<(String, usize)>>,
    /// The account of each page of cases that was read from the ledger.
    pages_read: RefCell<Vec<String>>,
    /// Whether all rows of a page but the first can't be read.
    rows_are_unreadable: Cell<bool>,
    /// Whether the policy opens incidents for cases that people open.
    takes_opened_cases: Cell<bool>,
    /// The cases that people opened in the account [`PRODUCTION`].
    opened: RefCell<Vec<DescribedCase>>,
    /// Since when the cases of that account were asked for.
    cases_asked_since: RefCell<Vec<i64>>,
}

/// Returns a case as AWS shows it.
fn described(account: &str, number: &str, status: &str) -> DescribedCase {
    DescribedCase {
        case_id: CaseId::new(format!("case-{account}-muen-2026-{number}")),
        display_id: DisplayId::new(number),
        subject: "subject".to_owned(),
        status: CaseStatus::new(status),
        service_code: "amazon-ec2".to_owned(),
        category_code: "other".to_owned(),
        severity_code: "low".to_owned(),
        time_created: at(0),
        recent: Vec::new(),
        more_communications: false,
    }
}

impl Fixture {
    fn new() -> Self {
        Self {
            ledger: MemoryLedger::new(),
            now: Cell::new(1_800_000_000),
            seconds_per_claim: Cell::default(),
            claims_fail: Cell::default(),
            queue_is_down: Cell::default(),
            sent: RefCell::default(),
            incidents: RefCell::default(),
            changes_asked: RefCell::default(),
            servicenow_is_down: Cell::default(),
            statuses: RefCell::default(),
            webhook_version: RefCell::new(Some("1".to_owned())),
            accounts_down: RefCell::default(),
            describes: RefCell::default(),
            pages_read: RefCell::default(),
            rows_are_unreadable: Cell::default(),
            takes_opened_cases: Cell::default(),
            opened: RefCell::default(),
            cases_asked_since: RefCell::default(),
        }
    }

    fn poller(&self) -> Poller<&Self, &Self, &Self, &Self, &Self, &Self> {
        Poller {
            ledger: self,
            queue: self,
            servicenow: self,
            support: self,
            secrets: self,
            clock: self,
            metrics: Metrics::new("case-poller"),
            parked: std::sync::Mutex::default(),
        }
    }

    async fn poll(&self) -> Result<(), PollError> {
        self.poll_with(&self.poller()).await
    }

    async fn poll_with(&self, poller: &Poller<&Self, &Self, &Self, &Self, &Self, &Self>) -> Result<(), PollError> {
        poller.poll(&self.policy(), at(self.now.get() + 300)).await
    }

    /// Polls once in each minute. Returns the calls of each poll.
    async fn polls_each_minute(&self, minutes: u32) -> Vec<usize> {
        let mut calls = Vec::new();
        for _ in 0..minutes {
            self.now.set(self.now.get() + 60);
            self.poll().await.unwrap();
            calls.push(self.describes.take().len());
        }
        calls
    }

    /// Returns the policy: cases that are opened at AWS become incidents only in the tests of that.
    fn policy(&self) -> Policy {
        let rule = if self.takes_opened_cases.get() { OpenedCaseRule::OpenIncident } else { OpenedCaseRule::Ignore };
        Policy { cases_opened_at_aws: rule, ..Policy::default() }
    }

    /// Returns the numbers of the cases in the hints since the last call, in order.
    fn hinted_cases(&self) -> Vec<String> {
        let sent = self.sent.take();
        let number = |subject: &Subject| match subject {
            Subject::Case { case_id, .. } => case_id.as_str().rsplit('-').next().map(str::to_owned),
            Subject::Link { .. } => None,
        };
        assert!(sent.iter().all(|(hint, _)| hint.cause == Cause::CasePoll));
        let mut numbers: Vec<String> = sent.iter().filter_map(|(hint, _)| number(&hint.subject)).collect();
        numbers.sort();
        numbers
    }

    /// Somebody opens a case at AWS now.
    fn open_case(&self, number: &str) {
        let time_created = at(self.now.get());
        let recent = vec![RawCommunication {
            time_created,
            submitted_by: "beth.anglin@example.com".to_owned(),
            body: "It does not answer.".to_owned(),
            attachments: Vec::new(),
        }];
        let case = DescribedCase { time_created, recent, ..described(PRODUCTION, number, "unassigned") };
        self.opened.borrow_mut().push(case);
    }

    async fn opened_cases_watermark(&self) -> Option<String> {
        self.ledger.watermark(&format!("{OPENED_CASES}{PRODUCTION}")).await.unwrap()
    }

    /// Returns the incidents of the hints since the last call, in order.
    fn hinted(&self) -> Vec<String> {
        let mut hinted: Vec<String> = self
            .sent
            .take()
            .into_iter()
            .map(|(hint, _)| match hint.subject {
                Subject::Link { key } => key.incident.to_string(),
                Subject::Case { .. } => panic!("the poller knows its links"),
            })
            .collect();
        hinted.sort();
        hinted
    }

    /// Links an incident with a case that both sides show as `opened`, and lets it wait until `due`.
    async fn link(&self, account: &str, number: &str, due: Option<i64>) {
        let case = Case::from(&described(account, number, "opened"));
        self.statuses.borrow_mut().push((case.case_id.to_string(), "opened"));
        let now = self.clock_now();
        let key = LinkKey::support_case(IncidentId::new(number));
        let until = now + SignedDuration::from_secs(60);
        let LeaseAnswer::Taken { lease, link: before, .. } =
            self.ledger.take_lease::<SupportCase>(&key, &AttemptId::new(number), now, until, None).await.unwrap()
        else {
            panic!("free");
        };
        let mut after = (*before).clone();
        let linked = json!({"account": account, "case_id": case.case_id, "display_id": number, "status": "opened",
                            "status_since": now, "opened_at": now, "fingerprint": case.fingerprint});
        after.memory.case = Some(serde_json::from_value(linked).unwrap());
        let incident = json!({"sys_id": number, "number": "INC1", "sys_mod_count": 5, "state": "2"});
        after.incident = Some(serde_json::from_value(incident).unwrap());
        self.ledger.release(&lease, &before, &after, due.map(at), false, now).await.unwrap();
    }

    fn clock_now(&self) -> Timestamp {
        at(self.now.get())
    }

    fn set_status(&self, account: &str, number: &str, status: Option<&'static str>) {
        let id = format!("case-{account}-muen-2026-{number}");
        self.statuses.borrow_mut().retain(|(known, _)| *known != id);
        if let Some(status) = status {
            self.statuses.borrow_mut().push((id, status));
        }
    }
}

impl Clock for &Fixture {
    fn now(&self) -> Timestamp {
        self.clock_now()
    }
}

impl Timer for &Fixture {
    async fn sleep(&self, _: SignedDuration) {
        std::future::pending::<()>().await;
    }
}

/// The part of the ledger that the poller uses. It takes no lease.
impl Ledger for &Fixture {
    async fn take_lease<K: Remembered>(
        &self,
        _: &LinkKey,
        _: &AttemptId,
        _: Timestamp,
        _: Timestamp,
        _: Option<&ClaimId>,
    ) -> Result<LeaseAnswer<K>, LedgerError> {
        unreachable!("the poller acts on no link")
    }

    async fn record<K: Remembered>(
        &self,
        _: &Lease,
        _: &Link<K>,
        _: &Link<K>,
        _: Timestamp,
    ) -> Result<Lease, LedgerError> {
        unreachable!("the poller acts on no link")
    }

    async fn hand_over<K: Remembered>(
        &self,
        _: &Lease,
        _: &Link<K>,
        _: &Link<K>,
        _: &LinkKey,
        _: &Link<K>,
        _: Timestamp,
    ) -> Result<HandOver, LedgerError> {
        unreachable!("the poller acts on no link")
    }

    async fn release<K: Remembered>(
        &self,
        _: &Lease,
        _: &Link<K>,
        _: &Link<K>,
        _: Option<Timestamp>,
        _: bool,
        _: Timestamp,
    ) -> Result<ReleaseAnswer, LedgerError> {
        unreachable!("the poller acts on no link")
    }

    async fn link_at(&self, row: &RowKey) -> Result<Option<LinkKey>, LedgerError> {
        self.ledger.link_at(row).await
    }

    async fn last_between(&self, _: &RowSpan) -> Result<Option<Row>, LedgerError> {
        unreachable!("the poller knows its links")
    }

    async fn first_link_under(&self, _: &RowPrefix) -> Result<Option<LinkKey>, LedgerError> {
        unreachable!("the poller acts on no link")
    }

    async fn page_under(&self, prefix: &RowPrefix, from: Option<&str>, limit: usize) -> Result<RowPage, LedgerError> {
        self.pages_read.borrow_mut().push(prefix.account.to_string());
        let mut page = self.ledger.page_under(prefix, from, limit).await?;
        if self.rows_are_unreadable.get() {
            page.rows.iter_mut().skip(1).for_each(|row| row.facts.clear());
        }
        Ok(page)
    }

    async fn count_in_minute(&self, _: &AccountId, _: &'static str, _: Timestamp) -> Result<u32, LedgerError> {
        unreachable!("the poller knows its links")
    }

    async fn due_links(&self, now: Timestamp, limit: usize) -> Result<Vec<DueLink>, LedgerError> {
        self.ledger.due_links(now, limit).await
    }

    async fn claim_due(&self, due: &DueLink, claim: &ClaimId, until: Timestamp) -> Result<bool, LedgerError> {
        if self.claims_fail.get() {
            return Err(LedgerError::Contended { key: due.key.clone() });
        }
        self.now.set(self.now.get() + self.seconds_per_claim.get());
        self.ledger.claim_due(due, claim, until).await
    }

    async fn wake(&self, _: &LinkKey, _: Timestamp) -> Result<(), LedgerError> {
        unreachable!("the poller acts on no link")
    }

    async fn remembered_mod_counts(&self, links: &[LinkKey]) -> Result<Vec<Option<u64>>, LedgerError> {
        self.ledger.remembered_mod_counts(links).await
    }

    async fn watermark(&self, name: &str) -> Result<Option<String>, LedgerError> {
        self.ledger.watermark(name).await
    }

    async fn set_watermark(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        self.ledger.set_watermark(name, value).await
    }
}

impl HintSink for &Fixture {
    async fn send(&self, _: &Hint, _: &DeduplicationId) -> Result<(), QueueError> {
        unreachable!("the poller sends in batches")
    }

    async fn send_all(&self, hints: &[(Hint, DeduplicationId)]) -> Result<(), QueueError> {
        if self.queue_is_down.get() && !hints.is_empty() {
            return Err(QueueError::NotTaken("down".into()));
        }
        self.sent.borrow_mut().extend(hints.iter().map(|(hint, id)| (hint.clone(), id.to_string())));
        Ok(())
    }
}

impl ChangeFeed for &Fixture {
    async fn changes(&self, since: Timestamp, after: Option<&IncidentId>, limit: u32) -> Result<Changes, Failure> {
        self.changes_asked.borrow_mut().push((since.as_second(), after.map(ToString::to_string)));
        if self.servicenow_is_down.get() {
            return Err(Failure::Unavailable { message: "down".to_owned(), retry_at: None });
        }
        let mut incidents: Vec<_> = self
            .incidents
            .borrow()
            .iter()
            .filter(|(id, _, updated)| {
                let position = (*updated, id.as_str());
                match after {
                    Some(after) => position > (since.as_second(), after.as_str()),
                    None => *updated >= since.as_second(),
                }
            })
            .cloned()
            .collect();
        incidents.sort_by_key(|(id, _, updated)| (*updated, id.clone()));
        let more = incidents.len() > limit as usize;
        incidents.truncate(limit as usize);
        let incidents = incidents
            .into_iter()
            .map(|(id, sys_mod_count, updated)| IncidentChange {
                sys_id: IncidentId::new(id),
                sys_mod_count,
                sys_updated_on: at(updated),
                attached: false,
            })
            .collect();
        Ok(Changes { now: self.clock_now(), incidents, more })
    }
}

impl SecretStore for &Fixture {
    async fn accounts(&self) -> Result<Vec<AccountId>, SecretError> {
        Ok(vec![AccountId::new(PRODUCTION), AccountId::new(STAGING)])
    }

    async fn webhook_version(&self) -> Result<String, SecretError> {
        let id = || "casebridge/webhook".to_owned();
        self.webhook_version.borrow().clone().ok_or_else(|| SecretError::Missing { id: id() })
    }
}

impl Fixture {
    /// Returns a page of the cases that people opened since a moment, one case on each page.
    fn cases_since(&self, account: &AccountId, after: Timestamp, next: Option<&str>) -> Result<CasePage, Failure> {
        if account.as_str() != PRODUCTION {
            return Ok(CasePage::default());
        }
        if self.accounts_down.borrow().contains(PRODUCTION) {
            return Err(Failure::Unavailable { message: "down".to_owned(), retry_at: None });
        }
        let place: usize = next.map_or(0, |next| next.parse().unwrap());
        if place == 0 {
            self.cases_asked_since.borrow_mut().push(after.as_second());
        }
        let opened = self.opened.borrow();
        let since: Vec<&DescribedCase> = opened.iter().filter(|case| case.time_created >= after).collect();
        let cases = since.get(place).into_iter().map(|case| (*case).clone()).collect();
        let next = (place + 1 < since.len()).then(|| (place + 1).to_string());
        Ok(CasePage { cases, next })
    }
}

impl Support for &Fixture {
    async fn create_case(&self, _: &AccountId, _: &NewCase) -> Result<CaseId, Failure> {
        unreachable!("the poller writes nothing")
    }

    async fn add_communication(&self, _: &AccountId, _: &CaseId, _: &str, _: Option<&Carried>) -> Result<(), Failure> {
        unreachable!("the poller writes nothing")
    }

    async fn resolve_case(&self, _: &AccountId, _: &CaseId) -> Result<CaseStatus, Failure> {
        unreachable!("the poller writes nothing")
    }

    async fn describe_cases(&self, account: &AccountId, query: &CaseQuery) -> Result<CasePage, Failure> {
        let ids = match query {
            CaseQuery::Ids(ids) => ids,
            CaseQuery::Since { after, next } => return self.cases_since(account, *after, next.as_deref()),
            CaseQuery::DisplayId(_) => panic!("the poller asks by id or by time"),
        };
        self.describes.borrow_mut().push((account.to_string(), ids.len()));
        if self.accounts_down.borrow().contains(account.as_str()) {
            return Err(Failure::Unavailable { message: "down".to_owned(), retry_at: None });
        }
        let statuses = self.statuses.borrow();
        let described: Option<Vec<DescribedCase>> = ids
            .iter()
            .map(|id| {
                let (_, status) = statuses.iter().find(|(known, _)| known == id.as_str())?;
                let number = id.as_str().rsplit('-').next()?;
                Some(described(account.as_str(), number, status))
            })
            .collect();
        match described {
            Some(cases) => Ok(CasePage { cases, next: None }),
            None => Err(Failure::Refused { refusal: Refusal::NotFound, message: "CaseIdNotFound".to_owned() }),
        }
    }

    async fn describe_communications(
        &self,
        _: &AccountId,
        _: &CaseId,
        _: Span,
        _: Option<&str>,
    ) -> Result<CommunicationPage, Failure> {
        unreachable!("the poller reads cases only")
    }
}

#[tokio::test]
async fn links_that_are_due_are_claimed_and_hinted_once() {
    let fixture = Fixture::new();
    fixture.link(PRODUCTION, "a", Some(fixture.now.get() - 5)).await;
    fixture.link(PRODUCTION, "b", Some(fixture.now.get() + 5_000)).await;
    fixture.poll().await.unwrap();
    let (hint, id) = fixture.sent.borrow()[0].clone();
    assert_eq!((id.as_str(), hint.claim), ("due/support_case:a/1799999995000", Some(ClaimId::new("1799999995000"))));
    assert_eq!(fixture.hinted(), ["a"]);
    for minute in 1..10 {
        fixture.now.set(1_800_000_000 + 60 * minute);
        fixture.poll().await.unwrap();
        assert!(fixture.hinted().is_empty(), "it was claimed {minute} minutes ago");
    }
    fixture.now.set(1_800_000_000 + 600);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted(), ["a"], "nobody has got to it");
}

#[tokio::test]
async fn two_polls_at_once_make_one_message_of_a_due_link() {
    let fixture = Fixture::new();
    fixture.link(PRODUCTION, "a", Some(fixture.now.get() - 5)).await;
    let (one, other) = (fixture.poller(), fixture.poller());
    let (one, other) = tokio::join!(fixture.poll_with(&one), fixture.poll_with(&other));
    one.and(other).unwrap();
    let ids: BTreeSet<String> = fixture.sent.borrow().iter().map(|(_, id)| id.clone()).collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn what_could_not_be_claimed_in_time_stays_due() {
    let fixture = Fixture::new();
    for number in 0..100 {
        fixture.link(PRODUCTION, &format!("{number:03}"), Some(fixture.now.get() - 200 + number)).await;
    }
    let first = fixture.now.get();
    fixture.seconds_per_claim.set(10);
    fixture.poll().await.unwrap();
    let hinted = fixture.hinted();
    assert!((1..100).contains(&hinted.len()), "{} were claimed", hinted.len());
    assert_eq!(hinted[0], "000", "what is due longest comes first");
    fixture.seconds_per_claim.set(0);
    fixture.now.set(first + 300);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted().len(), 100 - hinted.len());
}

#[tokio::test]
async fn a_ledger_that_takes_no_claim_fails_the_poll_and_hands_off_nothing() {
    let fixture = Fixture::new();
    for number in 0..40 {
        fixture.link(PRODUCTION, &format!("{number:03}"), Some(fixture.now.get())).await;
    }
    fixture.claims_fail.set(true);
    assert!(matches!(fixture.poll().await, Err(PollError::Ledger(_))));
    assert!(fixture.hinted().is_empty());
    fixture.claims_fail.set(false);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted().len(), 40);
}

#[tokio::test]
async fn an_unreadable_place_in_the_rounds_costs_the_place_only() {
    let fixture = Fixture::new();
    fixture.link(PRODUCTION, "a", None).await;
    fixture.set_status(PRODUCTION, "a", Some("resolved"));
    fixture.ledger.set_watermark(ROUNDS, "nonsense").await.unwrap();
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted(), ["a"]);
    assert_ne!(fixture.ledger.watermark(ROUNDS).await.unwrap().as_deref(), Some("nonsense"));
}

#[tokio::test]
async fn incidents_that_are_newer_or_unknown_are_hinted_and_the_watermark_moves() {
    let fixture = Fixture::new();
    fixture.link(PRODUCTION, "known", None).await;
    let now = fixture.now.get();
    *fixture.incidents.borrow_mut() = vec![("known".to_owned(), 5, now - 20), ("unknown".to_owned(), 1, now - 10)];
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted(), ["unknown"]);
    fixture.incidents.borrow_mut()[0] = ("known".to_owned(), 6, now + 30);
    fixture.incidents.borrow_mut().truncate(1);
    fixture.now.set(now + 60);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted(), ["known"]);
    let asked: Vec<i64> = fixture.changes_asked.borrow().iter().map(|(since, _)| *since).collect();
    assert_eq!(asked, [now - 7_260, now - 60], "the second poll overlaps the first by the policy's minute");
}

#[tokio::test]
async fn many_changes_are_paged_by_key_and_an_unfinished_poll_goes_on() {
    let fixture = Fixture::new();
    let updated = fixture.now.get() - 10;
    *fixture.incidents.borrow_mut() = (0..10_400).map(|number| (format!("{number:05}"), 1, updated)).collect();
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted().len(), 50 * 200);
    assert_eq!(fixture.changes_asked.borrow()[1], (updated, Some("00199".to_owned())));
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted().len(), 400);
    assert_eq!(fixture.changes_asked.borrow()[50], (updated, Some("09999".to_owned())));
}

#[tokio::test]
async fn cases_that_look_different_are_hinted_with_one_call_and_one_read_a_page() {
    let fixture = Fixture::new();
    for number in 0..101 {
        fixture.link(PRODUCTION, &format!("{number:03}"), None).await;
    }
    fixture.set_status(PRODUCTION, "007", Some("resolved"));
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted(), ["007"]);
    let calls = fixture.describes.borrow().iter().filter(|(account, _)| account == PRODUCTION).count();
    assert_eq!(calls, 2, "a page of 100 and one of 1");
    let reads = fixture.pages_read.borrow().iter().filter(|account| *account == PRODUCTION).count();
    assert_eq!(reads, 2, "and as many reads of the ledger");
}

#[tokio::test]
async fn a_quiet_case_is_read_once_in_its_turn_and_a_warm_one_each_time() {
    let fixture = Fixture::new();
    fixture.link(PRODUCTION, "a", None).await;
    let Policy { warm_case_seconds, quiet_case_poll_seconds, .. } = fixture.policy();
    let warm = fixture.polls_each_minute(warm_case_seconds / 60 - 1).await;
    assert!(warm.iter().all(|calls| *calls == 1), "{warm:?}");
    let turn = quiet_case_poll_seconds / 60;
    let quiet = fixture.polls_each_minute(turn * 4).await;
    assert_eq!(quiet.iter().sum::<usize>(), 4, "{quiet:?}");
    // AWS resolves the case without a word. No event tells it.
    fixture.set_status(PRODUCTION, "a", Some("resolved"));
    fixture.polls_each_minute(turn).await;
    assert_eq!(fixture.hinted(), ["a"]);
}

#[tokio::test]
async fn an_unreadable_row_keeps_no_other_case_from_being_polled() {
    let fixture = Fixture::new();
    fixture.link(PRODUCTION, "a", None).await;
    fixture.link(PRODUCTION, "b", None).await;
    fixture.set_status(PRODUCTION, "a", Some("resolved"));
    fixture.rows_are_unreadable.set(true);
    fixture.poll().await.unwrap();
    assert_eq!(*fixture.describes.borrow(), [(PRODUCTION.to_owned(), 1)]);
    assert_eq!(fixture.hinted(), ["a"]);
}

#[tokio::test]
async fn an_unknown_case_is_found_told_once_and_left_aside_for_a_while() {
    let fixture = Fixture::new();
    for number in 0..100 {
        fixture.link(PRODUCTION, &format!("{number:03}"), None).await;
    }
    fixture.set_status(PRODUCTION, "042", None);
    fixture.set_status(PRODUCTION, "077", Some("resolved"));
    let poller = fixture.poller();
    fixture.poll_with(&poller).await.unwrap();
    assert_eq!(fixture.hinted(), ["042", "077"]);
    assert!(fixture.describes.take().len() <= 15, "halving");
    fixture.poll_with(&poller).await.unwrap();
    assert_eq!(fixture.hinted(), ["077"], "the reconciler has not come to it yet");
    assert_eq!(fixture.describes.take(), [(PRODUCTION.to_owned(), 99)]);
    fixture.now.set(fixture.now.get() + PARKED_FOR.as_secs());
    fixture.poll_with(&poller).await.unwrap();
    assert!(fixture.hinted().contains(&"042".to_owned()), "it is asked for again");
}

#[tokio::test]
async fn one_sides_failure_touches_no_other() {
    let fixture = Fixture::new();
    fixture.link(PRODUCTION, "a", None).await;
    fixture.link(STAGING, "b", None).await;
    fixture.link(PRODUCTION, "due", Some(fixture.now.get())).await;
    fixture.set_status(PRODUCTION, "a", Some("resolved"));
    fixture.set_status(STAGING, "b", Some("resolved"));
    fixture.servicenow_is_down.set(true);
    fixture.accounts_down.borrow_mut().insert(PRODUCTION.to_owned());
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted(), ["b", "due"]);
    let first = fixture.ledger.watermark(WATERMARK).await.unwrap();
    fixture.now.set(fixture.now.get() + 3_600);
    fixture.poll().await.unwrap();
    assert_eq!(
        fixture.ledger.watermark(WATERMARK).await.unwrap(),
        first,
        "nothing was covered, and nothing is given up"
    );
}

#[tokio::test]
async fn a_queue_that_is_down_fails_the_poll_and_moves_no_watermark() {
    let fixture = Fixture::new();
    fixture.link(PRODUCTION, "due", Some(fixture.now.get())).await;
    *fixture.incidents.borrow_mut() = vec![("unknown".to_owned(), 1, fixture.now.get())];
    fixture.queue_is_down.set(true);
    assert!(matches!(fixture.poll().await, Err(PollError::Queue(_))));
    let first = fixture.ledger.watermark(WATERMARK).await.unwrap();
    fixture.now.set(fixture.now.get() + 3_600);
    assert!(matches!(fixture.poll().await, Err(PollError::Queue(_))));
    assert_eq!(fixture.ledger.watermark(WATERMARK).await.unwrap(), first);
}

#[tokio::test]
async fn nothing_is_begun_that_could_not_end_in_time() {
    let fixture = Fixture::new();
    fixture.link(PRODUCTION, "a", None).await;
    let poller = fixture.poller();
    poller.poll(&fixture.policy(), at(fixture.now.get() + 20)).await.unwrap();
    assert!(fixture.changes_asked.borrow().is_empty() && fixture.describes.borrow().is_empty());
}

#[tokio::test]
async fn a_rotation_of_the_webhooks_secret_is_remembered_from_when_it_is_seen_first() {
    let fixture = Fixture::new();
    let seen = || async {
        let row = fixture.ledger.watermark(ROTATION).await.unwrap();
        row.and_then(|row| serde_json::from_str::<Rotation>(&row).ok())
    };
    let start = fixture.now.get();
    for (minute, version, expected) in [
        (0, Some("1"), ("1", 0)),
        (1, Some("1"), ("1", 0)),
        (2, None, ("1", 0)),
        (3, Some("2"), ("2", 3)),
        (4, Some("2"), ("2", 3)),
    ] {
        fixture.now.set(start + minute * 60);
        *fixture.webhook_version.borrow_mut() = version.map(str::to_owned);
        fixture.poll().await.unwrap();
        let (version, minute) = expected;
        let expected = Rotation { version: version.to_owned(), seen_at: at(start + minute * 60) };
        assert_eq!(seen().await, Some(expected));
    }
    fixture.ledger.set_watermark(ROTATION, "not JSON").await.unwrap();
    fixture.poll().await.unwrap();
    assert_eq!(seen().await.unwrap().seen_at, at(fixture.now.get()), "the day begins anew");
}

#[tokio::test]
async fn a_case_that_somebody_opened_is_hinted_until_it_has_a_link() {
    let fixture = Fixture::new();
    fixture.takes_opened_cases.set(true);
    let start = fixture.now.get();
    fixture.poll().await.unwrap();
    fixture.now.set(start + 60);
    fixture.open_case("one");
    fixture.open_case("two");
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted_cases(), ["one", "two"], "of two pages");
    fixture.link(PRODUCTION, "one", None).await;
    fixture.now.set(start + 3 * 3_600);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted_cases(), ["two"], "the watermark waits for it");
    fixture.link(PRODUCTION, "two", None).await;
    fixture.now.set(start + 3 * 3_600 + 60);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted_cases(), [""; 0]);
    fixture.now.set(start + 3 * 3_600 + 120);
    fixture.poll().await.unwrap();
    let overlap = 15 * 60 + 3_600;
    let asked = fixture.cases_asked_since.take();
    assert_eq!(asked, [0, 0, 0, 0, 3 * 3_600 + 60].map(|second| start + second - overlap));
}

#[tokio::test]
async fn the_watermark_of_opened_cases_is_written_seldom_and_waits_for_aws() {
    let fixture = Fixture::new();
    fixture.takes_opened_cases.set(true);
    let start = fixture.now.get();
    fixture.poll().await.unwrap();
    let first = fixture.opened_cases_watermark().await;
    assert_eq!(first, Some(serde_json::to_string(&Watermark::first(at(start))).unwrap()));
    fixture.now.set(start + 299);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.opened_cases_watermark().await, first);
    fixture.accounts_down.borrow_mut().insert(PRODUCTION.to_owned());
    fixture.now.set(start + 3_600);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.opened_cases_watermark().await, first, "nothing was read");
    fixture.accounts_down.borrow_mut().clear();
    fixture.poll().await.unwrap();
    assert_eq!(
        fixture.opened_cases_watermark().await,
        Some(serde_json::to_string(&Watermark::first(at(start + 3_600))).unwrap())
    );
    let name = format!("{OPENED_CASES}{PRODUCTION}");
    fixture.ledger.set_watermark(&name, "nonsense").await.unwrap();
    fixture.poll().await.unwrap();
    assert_ne!(fixture.opened_cases_watermark().await.as_deref(), Some("nonsense"));
}

#[tokio::test]
async fn a_queue_that_is_down_keeps_the_watermark_of_opened_cases() {
    let fixture = Fixture::new();
    fixture.takes_opened_cases.set(true);
    fixture.poll().await.unwrap();
    let first = fixture.opened_cases_watermark().await;
    fixture.now.set(fixture.now.get() + 600);
    fixture.open_case("one");
    fixture.queue_is_down.set(true);
    assert!(matches!(fixture.poll().await, Err(PollError::Queue(_))));
    assert_eq!(fixture.opened_cases_watermark().await, first);
}

#[tokio::test]
async fn a_policy_that_ignores_opened_cases_reads_none() {
    let fixture = Fixture::new();
    fixture.open_case("one");
    fixture.poll().await.unwrap();
    assert!(fixture.cases_asked_since.borrow().is_empty() && fixture.sent.borrow().is_empty());
}

#[tokio::test]
async fn a_case_that_is_opened_before_the_account_can_first_be_read_is_found() {
    let fixture = Fixture::new();
    fixture.takes_opened_cases.set(true);
    let start = fixture.now.get();
    fixture.accounts_down.borrow_mut().insert(PRODUCTION.to_owned());
    fixture.poll().await.unwrap();
    assert!(fixture.opened_cases_watermark().await.is_some(), "written before the first read");
    fixture.now.set(start + 600);
    fixture.open_case("one");
    fixture.now.set(start + 5 * 3_600);
    fixture.poll().await.unwrap();
    fixture.accounts_down.borrow_mut().clear();
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted_cases(), ["one"]);
}

#[tokio::test]
async fn what_was_opened_while_the_policy_took_no_cases_is_left_at_aws() {
    let fixture = Fixture::new();
    fixture.takes_opened_cases.set(true);
    let start = fixture.now.get();
    fixture.poll().await.unwrap();
    fixture.takes_opened_cases.set(false);
    fixture.now.set(start + 86_400);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.opened_cases_watermark().await.as_deref(), Some("null"));
    fixture.open_case("one");
    fixture.now.set(start + 30 * 86_400);
    fixture.takes_opened_cases.set(true);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted_cases(), [""; 0]);
    fixture.now.set(start + 40 * 86_400);
    fixture.open_case("two");
    fixture.now.set(start + 100 * 86_400);
    fixture.poll().await.unwrap();
    assert_eq!(fixture.hinted_cases(), ["two"], "the account could not be read for two months");
}

#[tokio::test]
async fn a_case_that_can_not_be_taken_in_for_two_days_is_reported_as_it_is_left_behind() {
    let fixture = Fixture::new();
    fixture.takes_opened_cases.set(true);
    let start = fixture.now.get();
    fixture.open_case("one");
    let poller = fixture.poller();
    for (hours, reported) in [(0, None), (47, None), (49, Some(1)), (50, None)] {
        fixture.now.set(start + hours * 3_600);
        fixture.poll_with(&poller).await.unwrap();
        let failures = poller.metrics.take().get(&Metric::PollFailures).map(|values| values.iter().sum::<i64>());
        assert_eq!(failures, reported, "after {hours} hours");
    }
}
