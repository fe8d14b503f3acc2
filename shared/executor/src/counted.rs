//! Ports that count the calls through them.

use std::sync::atomic::{AtomicU32, Ordering};

use casebridge_core::{
    failure::Failure,
    file::{
        order::TransferMessage,
        transfer::{Carried, Transfer},
    },
    hint::Hint,
    identifiers::{AccountId, AttemptId, CaseId, ClaimId, LinkKey, TransferId},
    link::{
        Link,
        index::{Row, RowKey, RowPrefix, RowSpan},
        remembered::Remembered,
    },
    servicenow::{
        delivery::{Delivery, DeliveryAnswer, NewIncident},
        incident::Incident,
    },
    support::{
        call::NewCase,
        case::CaseStatus,
        read::{CasePage, CaseQuery, CommunicationPage},
        reading::Span,
    },
};
use casebridge_ledger::{DueLink, HandOver, Lease, LeaseAnswer, Ledger, LedgerError, ReleaseAnswer, TransferLedger};
use casebridge_ports::{FileQueue, ServiceNow, Support, WakeQueue};
use jiff::{SignedDuration, Timestamp};

use crate::ports::Ports;

/// How many remote calls were made.
#[derive(Debug, Default)]
pub struct Calls(AtomicU32);

impl Calls {
    /// Returns how many were made so far.
    pub fn made(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A port that counts each call as one.
pub struct Counted<'a, T> {
    port: &'a T,
    calls: &'a Calls,
}

impl<'a, T> Counted<'a, T> {
    /// Wraps a port, whose calls are counted in `calls`.
    pub fn new(port: &'a T, calls: &'a Calls) -> Self {
        Self { port, calls }
    }

    /// Counts a call. Returns the port to make it.
    fn call(&self) -> &'a T {
        self.calls.0.fetch_add(1, Ordering::Relaxed);
        self.port
    }
}

/// The ports of an executor. The calls of those that reach another machine are counted.
pub struct CountedPorts<'a, P: Ports> {
    /// The ledger.
    pub ledger: Counted<'a, P::Ledger>,
    /// The queue that wakes links.
    pub wakes: Counted<'a, P::Wakes>,
    /// The queue of transfers of files.
    pub files: Counted<'a, P::Files>,
    /// ServiceNow.
    pub servicenow: Counted<'a, P::ServiceNow>,
    /// AWS Support.
    pub support: Counted<'a, P::Support>,
    /// The clock.
    pub clock: &'a P::Clock,
    /// The source of random bits.
    pub randomness: &'a P::Randomness,
    /// The observer of plans.
    pub plans: &'a P::Plans,
}

impl<'a, P: Ports> CountedPorts<'a, P> {
    /// Wraps the ports, whose calls are counted in `calls`.
    pub fn new(ports: &'a P, calls: &'a Calls) -> Self {
        Self {
            ledger: Counted::new(ports.ledger(), calls),
            wakes: Counted::new(ports.wakes(), calls),
            files: Counted::new(ports.files(), calls),
            servicenow: Counted::new(ports.servicenow(), calls),
            support: Counted::new(ports.support(), calls),
            clock: ports.clock(),
            randomness: ports.randomness(),
            plans: ports.plans(),
        }
    }
}

impl<T: WakeQueue> WakeQueue for Counted<'_, T> {
    type Error = T::Error;

    async fn send_later(&self, hint: &Hint, delay: SignedDuration) -> Result<(), T::Error> {
        self.call().send_later(hint, delay).await
    }
}

impl<T: FileQueue> FileQueue for Counted<'_, T> {
    type Error = T::Error;

    async fn send(&self, message: &TransferMessage, delay: SignedDuration) -> Result<(), T::Error> {
        self.call().send(message, delay).await
    }
}

/// The part of the ledger's transfers that the executor uses.
impl<T: TransferLedger> Counted<'_, T> {
    pub(crate) async fn order_transfer(&self, link: &LinkKey, transfer: &Transfer) -> Result<(), LedgerError> {
        self.call().order_transfer(link, transfer).await
    }

    pub(crate) async fn transfer(&self, link: &LinkKey, id: &TransferId) -> Result<Option<Transfer>, LedgerError> {
        self.call().transfer(link, id).await
    }
}

impl<T: ServiceNow> ServiceNow for Counted<'_, T> {
    async fn snapshot(&self, link: &LinkKey, entries_since: Option<Timestamp>) -> Result<Option<Incident>, Failure> {
        self.call().snapshot(link, entries_since).await
    }

    async fn open(&self, link: &LinkKey, incident: &NewIncident) -> Result<Incident, Failure> {
        self.call().open(link, incident).await
    }

    async fn deliver(&self, link: &LinkKey, delivery: &Delivery) -> Result<DeliveryAnswer, Failure> {
        self.call().deliver(link, delivery).await
    }
}

impl<T: Support> Support for Counted<'_, T> {
    async fn create_case(&self, account: &AccountId, request: &NewCase) -> Result<CaseId, Failure> {
        self.call().create_case(account, request).await
    }

    async fn add_communication(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        body: &str,
        carried: Option<&Carried>,
    ) -> Result<(), Failure> {
        self.call().add_communication(account, case_id, body, carried).await
    }

    async fn resolve_case(&self, account: &AccountId, case_id: &CaseId) -> Result<CaseStatus, Failure> {
        self.call().resolve_case(account, case_id).await
    }

    async fn describe_cases(&self, account: &AccountId, query: &CaseQuery) -> Result<CasePage, Failure> {
        self.call().describe_cases(account, query).await
    }

    async fn describe_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        span: Span,
        next: Option<&str>,
    ) -> Result<CommunicationPage, Failure> {
        self.call().describe_communications(account, case_id, span, next).await
    }
}

/// The part of the ledger that the executor uses.
impl<T: Ledger> Counted<'_, T> {
    pub(crate) async fn take_lease<K: Remembered>(
        &self,
        key: &LinkKey,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
        claim: Option<&ClaimId>,
    ) -> Result<LeaseAnswer<K>, LedgerError> {
        self.call().take_lease(key, attempt, now, until, claim).await
    }

    pub(crate) async fn record<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        now: Timestamp,
    ) -> Result<Lease, LedgerError> {
        self.call().record(lease, before, after, now).await
    }

    pub(crate) async fn hand_over<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        to: &LinkKey,
        successor: &Link<K>,
        now: Timestamp,
    ) -> Result<HandOver, LedgerError> {
        self.call().hand_over(lease, before, after, to, successor, now).await
    }

    pub(crate) async fn release<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        due: Option<Timestamp>,
        even_if_dirty: bool,
        now: Timestamp,
    ) -> Result<ReleaseAnswer, LedgerError> {
        self.call().release(lease, before, after, due, even_if_dirty, now).await
    }

    pub(crate) async fn link_at(&self, row: &RowKey) -> Result<Option<LinkKey>, LedgerError> {
        self.call().link_at(row).await
    }

    pub(crate) async fn last_between(&self, span: &RowSpan) -> Result<Option<Row>, LedgerError> {
        self.call().last_between(span).await
    }

    pub(crate) async fn first_link_under(&self, prefix: &RowPrefix) -> Result<Option<LinkKey>, LedgerError> {
        self.call().first_link_under(prefix).await
    }

    pub(crate) async fn count_in_minute(
        &self,
        account: &AccountId,
        name: &'static str,
        now: Timestamp,
    ) -> Result<u32, LedgerError> {
        self.call().count_in_minute(account, name, now).await
    }

    pub(crate) async fn claim_due(
        &self,
        due: &DueLink,
        claim: &ClaimId,
        until: Timestamp,
    ) -> Result<bool, LedgerError> {
        self.call().claim_due(due, claim, until).await
    }

    pub(crate) async fn wake(&self, key: &LinkKey, now: Timestamp) -> Result<(), LedgerError> {
        self.call().wake(key, now).await
    }
}
