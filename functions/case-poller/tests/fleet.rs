//! A thousand accounts, some slow and some hanging: each is polled in its turn.
#![expect(clippy::unwrap_used, reason = "a test fails by its panic")]

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    future::{Future, pending, poll_fn},
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use case_poller::{ChangeFeed, Poller, SecretStore};
use casebridge_core::support::read::{CasePage, CaseQuery, CommunicationPage};
use casebridge_core::{
    failure::{Failure, Refusal},
    file::transfer::Carried,
    hint::Hint,
    identifiers::{AccountId, AttemptId, CaseId, IncidentId, LinkKey},
    policy::{OpenedCaseRule, Policy},
    support::{SupportCase, call::NewCase, case::CaseStatus, reading::Span},
};
use casebridge_ledger::{LeaseAnswer, Ledger, MemoryLedger};
use casebridge_ports::{Clock, Support, Timer};
use casebridge_runtime::{
    DeduplicationId, HintSink, QueueError, SecretError,
    metrics::{Metric, Metrics},
};
use casebridge_servicenow::Changes;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::tracing::subscriber;
use serde_json::{Value, json};

/// The number of accounts.
const ACCOUNTS: usize = 1_000;
/// How long a poll may take: the timeout of the function in infra/aws/template.yaml.
const TIMEOUT_SECONDS: i64 = 50;
/// How long a call of AWS Support takes.
const CALL_MILLISECONDS: i64 = 1_500;
/// How many polls a round takes at most, also when a hundred accounts hang.
const POLLS_PER_ROUND: usize = 7;

type FleetPoller<'fleet> =
    Poller<MemoryLedger, &'fleet Fleet, &'fleet Fleet, &'fleet Fleet, &'fleet Fleet, &'fleet Fleet>;

/// The accounts, and a clock that moves when all calls wait.
#[derive(Default)]
struct Fleet {
    accounts: RefCell<Vec<AccountId>>,
    now: Cell<i64>,
    next_wake: Cell<Option<i64>>,
    sleepers: RefCell<Vec<Waker>>,
    hanging: RefCell<BTreeSet<AccountId>>,
    refused: Cell<bool>,
    /// How often each account has answered since the test took these counts last.
    answered: RefCell<BTreeMap<AccountId, usize>>,
    cases: RefCell<BTreeSet<CaseId>>,
}

impl Fleet {
    fn new(accounts: usize) -> Self {
        LogOfThread::begin();
        let accounts = (0..accounts).rev().map(account).collect();
        Self { accounts: RefCell::new(accounts), now: Cell::new(1_800_000_000_000), ..Self::default() }
    }

    /// Waits in the fleet's time.
    fn pause(&self, milliseconds: i64) -> impl Future<Output = ()> {
        let mut until = None;
        poll_fn(move |context| {
            let until = *until.get_or_insert(self.now.get() + milliseconds);
            if until <= self.now.get() {
                return Poll::Ready(());
            }
            self.next_wake.set(Some(self.next_wake.get().map_or(until, |earlier| earlier.min(until))));
            self.sleepers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
    }

    /// Runs one poll, which dies at the end of its time as a function does. Returns whether it finished.
    fn poll(&self, poller: &FleetPoller<'_>) -> bool {
        let end = self.now.get() + TIMEOUT_SECONDS * 1_000;
        let policy = Policy { cases_opened_at_aws: OpenedCaseRule::Ignore, ..Policy::default() };
        let mut poll = std::pin::pin!(poller.poll(&policy, Timestamp::from_millisecond(end).unwrap()));
        loop {
            for sleeper in self.sleepers.take() {
                sleeper.wake();
            }
            if poll.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                return true;
            }
            let wake = self.next_wake.take().unwrap_or(end);
            if wake >= end {
                self.now.set(end);
                return false;
            }
            self.now.set(wake);
        }
    }

    /// Polls several times, at a fixed rate in seconds. Returns the metrics of each poll, and for each account the most
    /// polls in a row that did not read it whole.
    fn polls(
        &self,
        poller: &FleetPoller<'_>,
        count: usize,
        rate_seconds: i64,
    ) -> (Vec<Value>, BTreeMap<AccountId, usize>) {
        let mut missed: BTreeMap<AccountId, (usize, usize)> = BTreeMap::new();
        let mut lines = Vec::new();
        for _ in 0..count {
            let began = self.now.get();
            self.poll(poller);
            let answered = self.answered.take();
            for account in self.accounts.borrow().iter() {
                let (running, most) = missed.entry(account.clone()).or_default();
                *running = if answered.contains_key(account) { 0 } else { *running + 1 };
                *most = (*most).max(*running);
            }
            let mut log = Vec::new();
            poller.metrics.write(self.now(), &mut log).unwrap();
            lines.push(serde_json::from_slice(&log).unwrap_or_default());
            self.now.set(began + rate_seconds * 1_000);
        }
        (lines, missed.into_iter().map(|(account, (_, most))| (account, most)).collect())
    }
}

fn account(number: usize) -> AccountId {
    AccountId::new(format!("{number:012}"))
}

fn poller(fleet: &Fleet) -> FleetPoller<'_> {
    Poller {
        ledger: MemoryLedger::new(),
        queue: fleet,
        servicenow: fleet,
        support: fleet,
        secrets: fleet,
        clock: fleet,
        metrics: Metrics::new("case-poller"),
        parked: Mutex::default(),
    }
}

/// Returns a poller whose ledger watches this number of cases in each account.
async fn watching(fleet: &Fleet, cases: usize) -> FleetPoller<'_> {
    let poller = poller(fleet);
    let accounts = fleet.accounts.borrow().clone();
    for account in accounts {
        for number in 0..cases {
            watch(&poller.ledger, &account, number, fleet.now()).await;
        }
    }
    poller
}

async fn watch(ledger: &MemoryLedger, account: &AccountId, number: usize, now: Timestamp) {
    let key = LinkKey::support_case(IncidentId::new(format!("{account}-{number}")));
    let until = now + SignedDuration::from_secs(60);
    let answer = ledger.take_lease::<SupportCase>(&key, &AttemptId::new("watch"), now, until, None).await.unwrap();
    let LeaseAnswer::Taken { lease, link: before, .. } = answer else { panic!("free") };
    let mut after = (*before).clone();
    let case = json!({"account": account, "case_id": format!("case-{account}-muen-2026-{number:08}"), "display_id": null,
                      "status": "opened", "status_since": now, "opened_at": now});
    after.memory.case = Some(serde_json::from_value(case).unwrap());
    ledger.release(&lease, &before, &after, None, false, now).await.unwrap();
}

impl Clock for &Fleet {
    fn now(&self) -> Timestamp {
        Fleet::now(self)
    }
}

impl Timer for &Fleet {
    async fn sleep(&self, wait: SignedDuration) {
        self.pause(i64::try_from(wait.as_millis()).unwrap()).await;
    }
}

impl Fleet {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now.get()).unwrap()
    }
}

impl HintSink for &Fleet {
    async fn send(&self, _: &Hint, _: &DeduplicationId) -> Result<(), QueueError> {
        unreachable!("the poller sends in batches")
    }

    async fn send_all(&self, _: &[(Hint, DeduplicationId)]) -> Result<(), QueueError> {
        Ok(())
    }
}

impl ChangeFeed for &Fleet {
    async fn changes(&self, _: Timestamp, _: Option<&IncidentId>, _: u32) -> Result<Changes, Failure> {
        Ok(Changes { now: Fleet::now(self), incidents: Vec::new(), more: false })
    }
}

impl SecretStore for &Fleet {
    async fn accounts(&self) -> Result<Vec<AccountId>, SecretError> {
        Ok(self.accounts.borrow().clone())
    }

    async fn webhook_version(&self) -> Result<String, SecretError> {
        Ok("1".to_owned())
    }
}

impl Support for &Fleet {
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
        let CaseQuery::Ids(ids) = query else { panic!("the poller asks by id") };
        if self.hanging.borrow().contains(account) {
            pending::<()>().await;
        }
        self.pause(CALL_MILLISECONDS).await;
        if self.refused.get() {
            return Err(Failure::Refused { refusal: Refusal::Credentials, message: "refused".to_owned() });
        }
        *self.answered.borrow_mut().entry(account.clone()).or_default() += 1;
        self.cases.borrow_mut().extend(ids.iter().cloned());
        Ok(CasePage::default())
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

/// Returns a metric's value in each poll.
fn values(lines: &[Value], metric: Metric) -> Vec<i64> {
    lines.iter().map(|line| line[metric.name()].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn every_account_of_a_thousand_is_polled_in_its_turn() {
    for rate_seconds in [60, 600] {
        let fleet = Fleet::new(ACCOUNTS);
        let poller = watching(&fleet, 1).await;
        let (lines, missed) = fleet.polls(&poller, 3 * POLLS_PER_ROUND, rate_seconds);
        let worst = missed.values().max().unwrap();
        assert!(*worst < POLLS_PER_ROUND, "an account was left out {worst} times in a row at {rate_seconds} s");
        let ages = values(&lines, Metric::LongestUnpolledAccount);
        let bound = 2 * i64::try_from(POLLS_PER_ROUND).unwrap() * rate_seconds;
        assert!(ages.iter().all(|age| *age < bound), "{ages:?}");
        assert!(values(&lines, Metric::AccountsNotPolled).iter().all(|waiting| (1..1_000).contains(waiting)));
    }
}

#[tokio::test]
async fn accounts_that_hang_keep_no_other_from_being_polled() {
    for rate_seconds in [60, 600] {
        let fleet = Fleet::new(ACCOUNTS);
        fleet.hanging.borrow_mut().extend((200..300).map(account));
        let poller = watching(&fleet, 1).await;
        let (lines, missed) = fleet.polls(&poller, 3 * POLLS_PER_ROUND, rate_seconds);
        let hanging = fleet.hanging.borrow();
        let others = missed.iter().filter(|(account, _)| !hanging.contains(account));
        let worst = others.map(|(_, missed)| *missed).max().unwrap();
        assert!(worst < POLLS_PER_ROUND, "an account was left out {worst} times in a row at {rate_seconds} s");
        // The accounts that hang are never polled whole, and the alarm reports them.
        let age = values(&lines, Metric::LongestUnpolledAccount).pop().unwrap();
        assert!(age > 2 * i64::try_from(POLLS_PER_ROUND).unwrap() * rate_seconds, "{age}");
    }
}

#[tokio::test]
async fn an_account_with_more_pages_than_its_time_goes_on_where_it_stopped() {
    let fleet = Fleet::new(3);
    let poller = watching(&fleet, 4_000).await;
    let (lines, missed) = fleet.polls(&poller, 6, 60);
    assert_eq!(fleet.cases.borrow().len(), 12_000, "40 pages of 1.5 seconds each, 7 of them a poll");
    assert!(missed.values().all(|missed| *missed == 0), "each account has a lane of its own");
    let waiting = values(&lines, Metric::AccountsNotPolled);
    assert_eq!(waiting, [3, 3, 3, 3, 3, 0]);
    let ages = values(&lines, Metric::LongestUnpolledAccount);
    assert!(ages[4] >= 240 && ages[5] < 60, "{ages:?}");
}

#[tokio::test]
async fn accounts_that_fail_are_counted_in_two_lines_however_many_they_are() {
    let fleet = Fleet::new(400);
    fleet.refused.set(true);
    let poller = watching(&fleet, 1).await;
    assert!(fleet.poll(&poller));
    let lines = String::from_utf8(LOGGED.take()).unwrap();
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(lines.contains("accounts could not be polled: refused_credentials"), "{lines}");
    let mut metrics = Vec::new();
    poller.metrics.write(fleet.now(), &mut metrics).unwrap();
    let line: Value = serde_json::from_slice(&metrics).unwrap();
    assert_eq!(line[Metric::AccountsNotPolled.name()], 400);
    assert!(line[Metric::PollFailures.name()].as_i64().unwrap() > 200, "{line}");
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
        let subscriber = subscriber::fmt().with_ansi(false).with_writer(|| Self).finish();
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
