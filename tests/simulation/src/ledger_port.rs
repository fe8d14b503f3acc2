//! The ledger's port: the memory ledger behind calls that may fail, lose their answer, or be repeated.

use std::{any::Any, future::Future, rc::Rc};

use casebridge_core::{
    file::transfer::Transfer,
    identifiers::{AccountId, AttemptId, ClaimId, LinkKey, TransferId},
    link::{
        Link,
        index::{Row, RowKey, RowPrefix, RowSpan},
        remembered::Remembered,
    },
};
use casebridge_ledger::{
    DueLink, Lease, LeaseAnswer, Ledger, LedgerError, ReleaseAnswer, RowPage, TransferAnswer, TransferLease,
    TransferLedger,
};
use jiff::Timestamp;

use crate::{
    calls::{Fate, RemoteCall},
    desk::Desk,
};

/// The port in front of a ledger.
pub struct LedgerPort<L> {
    /// The world.
    pub desk: Rc<Desk>,
    /// The ledger that the calls reach.
    pub ledger: L,
}

fn unavailable(doing: &'static str) -> LedgerError {
    LedgerError::Unavailable { doing, source: Box::new(std::io::Error::other("the table did not answer")) }
}

impl<L> LedgerPort<L> {
    /// Makes one call. If its answer is lost, the call fails or the client repeats the request, each with a chance of
    /// one half.
    async fn call<T, F: Future<Output = Result<T, LedgerError>>>(
        &self,
        call: RemoteCall,
        what: String,
        apply: impl Fn() -> F,
    ) -> Result<T, LedgerError> {
        let fate = self.desk.arrive(call, || what).await;
        if fate == Fate::Refused {
            return Err(unavailable(call.name()));
        }
        let mut result = apply().await;
        if fate == Fate::AnswerLost {
            let repeats = self.desk.world.borrow_mut().random.chance(500);
            if !repeats {
                self.desk.leave(fate).await;
                return Err(unavailable(call.name()));
            }
            result = apply().await;
        }
        self.desk.leave(fate).await;
        result
    }

    /// Notes for the judges what a worker has recorded.
    fn note_memory<K: Remembered>(&self, key: &LinkKey, recorded: &Link<K>) {
        self.desk.world.borrow_mut().note_memory(&key.incident, recorded as &dyn Any);
    }

    fn short(&self, key: &LinkKey) -> String {
        self.desk.world.borrow().number_of(&key.incident)
    }
}

impl<L: Ledger> Ledger for LedgerPort<L> {
    async fn take_lease<K: Remembered>(
        &self,
        key: &LinkKey,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
        claim: Option<&ClaimId>,
    ) -> Result<LeaseAnswer<K>, LedgerError> {
        let ledger = &self.ledger;
        self.call(RemoteCall::TakeLease, self.short(key), || ledger.take_lease(key, attempt, now, until, claim)).await
    }

    async fn record<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        now: Timestamp,
    ) -> Result<Lease, LedgerError> {
        let intent = after.intent.as_ref().map(|intent| format!("{:?}", intent.kind)).unwrap_or_default();
        let what = format!("{} {}", self.short(&lease.key), crate::timeline::shorten(&intent));
        let ledger = &self.ledger;
        self.call(RemoteCall::Record, what, || async {
            let recorded = ledger.record(lease, before, after, now).await;
            if recorded.is_ok() {
                self.note_memory(&lease.key, after);
            }
            recorded
        })
        .await
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
        let due_in = due.map(|due| due.duration_since(now).as_secs());
        let what = format!("{} due in {due_in:?} s", self.short(&lease.key));
        let ledger = &self.ledger;
        self.call(RemoteCall::Release, what, || async {
            let released = ledger.release(lease, before, after, due, even_if_dirty, now).await;
            if released.is_ok() {
                self.note_memory(&lease.key, after);
            }
            released
        })
        .await
    }

    async fn link_at(&self, row: &RowKey) -> Result<Option<LinkKey>, LedgerError> {
        self.call(RemoteCall::lookup(row), row.to_string(), || self.ledger.link_at(row)).await
    }

    async fn last_between(&self, span: &RowSpan) -> Result<Option<Row>, LedgerError> {
        let ledger = &self.ledger;
        self.call(RemoteCall::NewestUndecidedCase, span.account.to_string(), || ledger.last_between(span)).await
    }

    async fn first_link_under(&self, prefix: &RowPrefix) -> Result<Option<LinkKey>, LedgerError> {
        let ledger = &self.ledger;
        self.call(RemoteCall::FirstWaiter, prefix.account.to_string(), || ledger.first_link_under(prefix)).await
    }

    async fn page_under(&self, prefix: &RowPrefix, from: Option<&str>, limit: usize) -> Result<RowPage, LedgerError> {
        let ledger = &self.ledger;
        self.call(RemoteCall::CasesOfAccount, prefix.account.to_string(), || ledger.page_under(prefix, from, limit))
            .await
    }

    async fn count_in_minute(
        &self,
        account: &AccountId,
        name: &'static str,
        now: Timestamp,
    ) -> Result<u32, LedgerError> {
        let ledger = &self.ledger;
        self.call(RemoteCall::CountUnknownCaseRead, account.to_string(), || ledger.count_in_minute(account, name, now))
            .await
    }

    async fn due_links(&self, now: Timestamp, limit: usize) -> Result<Vec<DueLink>, LedgerError> {
        self.call(RemoteCall::DueLinks, String::new(), || self.ledger.due_links(now, limit)).await
    }

    async fn claim_due(&self, due: &DueLink, claim: &ClaimId, until: Timestamp) -> Result<bool, LedgerError> {
        let ledger = &self.ledger;
        self.call(RemoteCall::ClaimDue, self.short(&due.key), || ledger.claim_due(due, claim, until)).await
    }

    async fn wake(&self, key: &LinkKey, now: Timestamp) -> Result<(), LedgerError> {
        self.call(RemoteCall::Wake, self.short(key), || self.ledger.wake(key, now)).await
    }

    async fn remembered_mod_counts(&self, links: &[LinkKey]) -> Result<Vec<Option<u64>>, LedgerError> {
        let ledger = &self.ledger;
        self.call(RemoteCall::RememberedModCounts, links.len().to_string(), || ledger.remembered_mod_counts(links))
            .await
    }

    async fn watermark(&self, name: &str) -> Result<Option<String>, LedgerError> {
        self.call(RemoteCall::Watermark, name.to_owned(), || self.ledger.watermark(name)).await
    }

    async fn set_watermark(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        self.call(RemoteCall::SetWatermark, value.to_owned(), || self.ledger.set_watermark(name, value)).await
    }
}

impl<L: TransferLedger> TransferLedger for LedgerPort<L> {
    async fn order_transfer(&self, link: &LinkKey, transfer: &Transfer) -> Result<(), LedgerError> {
        let ledger = &self.ledger;
        let what = format!("{} {:?}", self.short(link), transfer.order.cargo);
        self.call(RemoteCall::OrderTransfer, what, || ledger.order_transfer(link, transfer)).await
    }

    async fn transfer(&self, link: &LinkKey, id: &TransferId) -> Result<Option<Transfer>, LedgerError> {
        self.call(RemoteCall::ReadTransfer, self.short(link), || self.ledger.transfer(link, id)).await
    }

    async fn take_transfer(
        &self,
        link: &LinkKey,
        id: &TransferId,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TransferAnswer, LedgerError> {
        let ledger = &self.ledger;
        let take = || ledger.take_transfer(link, id, attempt, now, until);
        self.call(RemoteCall::TakeTransfer, self.short(link), take).await
    }

    async fn record_transfer(
        &self,
        lease: &TransferLease,
        transfer: &Transfer,
        is_released: bool,
    ) -> Result<TransferLease, LedgerError> {
        let ledger = &self.ledger;
        let what = format!("{} {:?} {:?}", self.short(&lease.link), transfer.fates, transfer.end);
        let record = || ledger.record_transfer(lease, transfer, is_released);
        self.call(RemoteCall::RecordTransfer, what, record).await
    }
}
