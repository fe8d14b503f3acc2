//! The ledger with a safeguard switched off. It stands behind the port, so that calls meet the same fates as without a
//! sabotage.

use std::{any::Any, rc::Rc};

use casebridge_core::{
    file::transfer::Transfer,
    identifiers::{AccountId, AttemptId, ClaimId, LinkKey, TransferId},
    link::{
        Base, Link,
        index::{Row, RowKey, RowPrefix, RowSpan},
        remembered::Remembered,
        trouble::{Side, Trouble},
    },
    support,
};
use casebridge_ledger::{
    DueLink, HandOver, Lease, LeaseAnswer, Ledger, LedgerError, MemoryLedger, ReleaseAnswer, RowPage, TransferAnswer,
    TransferLease, TransferLedger,
};
use jiff::{SignedDuration, Timestamp};

use super::Sabotage;

/// The attempt id that all workers share when leases exclude nobody.
const SHARED_ATTEMPT: &str = "shared";
/// How long a worker holds a lease that it took from another one.
const GRABBED_FOR: SignedDuration = SignedDuration::from_secs(1);

/// A decorator of the ledger. Without a sabotage it passes everything on.
pub struct SabotagedLedger {
    inner: Rc<MemoryLedger>,
    sabotage: Option<Sabotage>,
}

impl SabotagedLedger {
    /// Returns a ledger with a sabotage around it.
    pub fn new(inner: Rc<MemoryLedger>, sabotage: Option<Sabotage>) -> Self {
        Self { inner, sabotage }
    }

    /// Whether this safeguard is off.
    fn is_off(&self, safeguard: Sabotage) -> bool {
        self.sabotage == Some(safeguard)
    }

    /// Returns the lease to write with. If leases exclude nobody, takes a new one, so that every worker overwrites what
    /// is there.
    async fn grabbed<K: Remembered>(&self, lease: &Lease, now: Timestamp) -> Result<Lease, LedgerError> {
        if !self.is_off(Sabotage::Lease) {
            return Ok(lease.clone());
        }
        let shared = AttemptId::new(SHARED_ATTEMPT);
        match self.inner.take_lease::<K>(&lease.key, &shared, now, now + GRABBED_FOR, None).await? {
            LeaseAnswer::Taken { lease, .. } => Ok(lease),
            LeaseAnswer::Deferred | LeaseAnswer::Unclaimed => Ok(lease.clone()),
        }
    }
}

fn is_refusal<C>(trouble: &Trouble<C>) -> bool {
    trouble.refusal.is_some()
}

/// Whether a read failed: there is an active trouble that is no refusal.
fn has_failed_read<K: Remembered>(link: &Link<K>, now: Timestamp) -> bool {
    link.troubles.active(now).any(|trouble| trouble.refusal.is_none())
}

/// Makes a link forget what both sides last agreed on.
fn forget_base<K: Remembered>(link: &mut Link<K>) {
    link.base = Base::default();
    if let Some(link) = (link as &mut dyn Any).downcast_mut::<support::Link>() {
        link.memory.agreed_status = None;
        link.memory.texts_since_end = Vec::new();
        link.memory.customer_wrote = false;
    }
}

/// Makes a link forget what either side has refused.
fn forget_refusals<K: Remembered>(link: &mut Link<K>) {
    link.troubles.end(Side::Aws, is_refusal);
    link.troubles.end(Side::ServiceNow, is_refusal);
}

impl Ledger for SabotagedLedger {
    async fn take_lease<K: Remembered>(
        &self,
        key: &LinkKey,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
        claim: Option<&ClaimId>,
    ) -> Result<LeaseAnswer<K>, LedgerError> {
        let shared = AttemptId::new(SHARED_ATTEMPT);
        let attempt = if self.is_off(Sabotage::Lease) { &shared } else { attempt };
        let mut answer = self.inner.take_lease(key, attempt, now, until, claim).await?;
        if let LeaseAnswer::Taken { link, .. } = &mut answer {
            match self.sabotage {
                Some(Sabotage::Base) => forget_base(link.as_mut()),
                Some(Sabotage::Refusals) => forget_refusals(link.as_mut()),
                _ => {}
            }
        }
        Ok(answer)
    }

    async fn record<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        now: Timestamp,
    ) -> Result<Lease, LedgerError> {
        if self.is_off(Sabotage::Intent) && after.intent.is_some() {
            return Ok(lease.clone());
        }
        let lease = self.grabbed::<K>(lease, now).await?;
        self.inner.record(&lease, before, after, now).await
    }

    async fn hand_over<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        to: &LinkKey,
        successor: &Link<K>,
        now: Timestamp,
    ) -> Result<HandOver, LedgerError> {
        let lease = self.grabbed::<K>(lease, now).await?;
        self.inner.hand_over(&lease, before, after, to, successor, now).await
    }

    async fn release<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        due: Option<Timestamp>,
        even_if_dirty: bool,
        now: Timestamp,
    ) -> Result<ReleaseAnswer, LedgerError> {
        let due = due.filter(|_| !self.is_off(Sabotage::FailedRead) || !has_failed_read(after, now));
        let lease = self.grabbed::<K>(lease, now).await?;
        self.inner.release(&lease, before, after, due, even_if_dirty, now).await
    }

    async fn link_at(&self, row: &RowKey) -> Result<Option<LinkKey>, LedgerError> {
        self.inner.link_at(row).await
    }

    async fn last_between(&self, span: &RowSpan) -> Result<Option<Row>, LedgerError> {
        self.inner.last_between(span).await
    }

    async fn first_link_under(&self, prefix: &RowPrefix) -> Result<Option<LinkKey>, LedgerError> {
        self.inner.first_link_under(prefix).await
    }

    async fn page_under(&self, prefix: &RowPrefix, from: Option<&str>, limit: usize) -> Result<RowPage, LedgerError> {
        self.inner.page_under(prefix, from, limit).await
    }

    async fn count_in_minute(
        &self,
        account: &AccountId,
        name: &'static str,
        now: Timestamp,
    ) -> Result<u32, LedgerError> {
        self.inner.count_in_minute(account, name, now).await
    }

    async fn due_links(&self, now: Timestamp, limit: usize) -> Result<Vec<DueLink>, LedgerError> {
        self.inner.due_links(now, limit).await
    }

    async fn claim_due(&self, due: &DueLink, claim: &ClaimId, until: Timestamp) -> Result<bool, LedgerError> {
        self.inner.claim_due(due, claim, until).await
    }

    async fn wake(&self, key: &LinkKey, now: Timestamp) -> Result<(), LedgerError> {
        self.inner.wake(key, now).await
    }

    async fn remembered_mod_counts(&self, links: &[LinkKey]) -> Result<Vec<Option<u64>>, LedgerError> {
        self.inner.remembered_mod_counts(links).await
    }

    async fn watermark(&self, name: &str) -> Result<Option<String>, LedgerError> {
        self.inner.watermark(name).await
    }

    async fn set_watermark(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        self.inner.set_watermark(name, value).await
    }
}

impl TransferLedger for SabotagedLedger {
    async fn order_transfer(&self, link: &LinkKey, transfer: &Transfer) -> Result<(), LedgerError> {
        self.inner.order_transfer(link, transfer).await
    }

    async fn transfer(&self, link: &LinkKey, id: &TransferId) -> Result<Option<Transfer>, LedgerError> {
        self.inner.transfer(link, id).await
    }

    async fn take_transfer(
        &self,
        link: &LinkKey,
        id: &TransferId,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TransferAnswer, LedgerError> {
        self.inner.take_transfer(link, id, attempt, now, until).await
    }

    async fn record_transfer(
        &self,
        lease: &TransferLease,
        transfer: &Transfer,
        is_released: bool,
    ) -> Result<TransferLease, LedgerError> {
        self.inner.record_transfer(lease, transfer, is_released).await
    }
}
