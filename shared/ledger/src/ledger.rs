//! The trait through which the executor and the handlers use a ledger. DynamoDB and memory answer alike.

use std::future::Future;

use casebridge_core::{
    file::transfer::Transfer,
    identifiers::{AccountId, AttemptId, ClaimId, LinkKey, TransferId},
    link::{
        Link,
        index::{Row, RowKey, RowPrefix, RowSpan},
        remembered::Remembered,
    },
};
use jiff::Timestamp;

use crate::error::LedgerError;

/// A worker's right to act on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The link.
    pub key: LinkKey,
    /// The worker's attempt.
    pub attempt: AttemptId,
    /// When it expires, by our clock. The worker's invocation ends before that.
    pub until: Timestamp,
    /// The row's revision, as last written or read under this lease.
    pub revision: u64,
}

/// The answer to an attempt at a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAnswer<K: Remembered> {
    /// The caller has the link until the lease ends. A link that the ledger does not know is blank.
    Taken {
        /// The lease.
        lease: Lease,
        /// The link's state.
        link: Box<Link<K>>,
        /// Whether the last holder of the lease never released it, so that what it did may not be recorded. Also true
        /// if this attempt takes the lease a second time because the first answer was lost.
        interrupted: bool,
        /// When the link was due before. `None` if it had no due time.
        due: Option<Timestamp>,
    },
    /// Another worker holds the lease. The link is now dirty, so that its holder runs another pass before it releases.
    Deferred,
    /// The link does not have the claim that was asked for, or there is no such link. Nothing was changed.
    Unclaimed,
}

/// The answer to a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseAnswer {
    /// The link is free.
    Released,
    /// The link was dirty. The state is recorded, the flag is removed, and the caller still has the lease: it runs
    /// another pass.
    Dirty {
        /// The lease in its new revision.
        lease: Lease,
    },
}

/// The answer to a hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandOver {
    /// Both links are recorded.
    Done {
        /// The lease of the first link in its new revision.
        lease: Lease,
    },
    /// The other link remembers something already. Nothing was changed.
    Occupied,
}

/// A page of rows, and where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowPage {
    /// The rows, in the order of their sort texts.
    pub rows: Vec<Row>,
    /// Where the next page starts. `None` if this is the last page.
    pub next: Option<String>,
}

/// A link whose due time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLink {
    /// The link.
    pub key: LinkKey,
    /// Since when it is due, by our clock.
    pub due_at: Timestamp,
}

/// The ledger. `now` is always the caller's clock.
///
/// It knows no kind of link: it writes and reads what a link remembers as a whole. The kind lists the rows by which the
/// link is found ([`Remembered::index`]). A write changes all rows or none, so a link is never without its rows. So that one
/// write can change them all, a link has at most [`ROWS_PER_LINK`](casebridge_core::link::index::ROWS_PER_LINK) of them.
pub trait Ledger {
    /// Takes the link's lease for `attempt` until `until`. If another worker holds it, marks the link dirty.
    ///
    /// One conditional write. It also takes a lease that has expired. A repeat of a write whose answer was lost is
    /// recognised by its attempt. A leased link is due at the lease's end, so that the poller wakes it if the worker
    /// dies. A link that is dirty when its lease expires stays dirty: the next release answers
    /// [`ReleaseAnswer::Dirty`].
    ///
    /// With a claim, takes the lease only while the link has that claim, see [`Ledger::claim_due`]. The claim stays, so
    /// that the same message can act again after a failure of the ledger.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read;
    /// [`LedgerError::Contended`] if the lease changed hands several times during the call.
    fn take_lease<K: Remembered>(
        &self,
        key: &LinkKey,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
        claim: Option<&ClaimId>,
    ) -> impl Future<Output = Result<LeaseAnswer<K>, LedgerError>>;

    /// Records `after` in place of `before` under the lease: an intent before its call, an outcome after it. Returns
    /// the lease in its new revision.
    ///
    /// One write, for all the rows that change.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read;
    /// [`LedgerError::LeaseLost`] if another worker holds the lease by now; [`LedgerError::TooLarge`] if the link
    /// remembers more than a row may hold; [`LedgerError::TooManyRows`] if it is found by more rows than one write changes.
    fn record<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Lease, LedgerError>>;

    /// Records `after` in place of `before` under the lease, as [`Ledger::record`] does, and `successor` as what the link `to`
    /// remembers, which is due at `now`. A record of AWS moves from one link to another with it: its rows change all at
    /// once or not at all. Does nothing if the link `to` remembers something already.
    ///
    /// One write, for all the rows that change.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read;
    /// [`LedgerError::LeaseLost`] if another worker holds the lease by now; [`LedgerError::TooLarge`] if a link remembers
    /// more than a row may hold; [`LedgerError::TooManyRows`] if one is found by more rows than one write changes.
    fn hand_over<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        to: &LinkKey,
        successor: &Link<K>,
        now: Timestamp,
    ) -> impl Future<Output = Result<HandOver, LedgerError>>;

    /// Records `after` and releases the lease if the link is not dirty. `due` is when to look again.
    ///
    /// Deletes a blank link without a due time. If the link is dirty, records the state, removes the flag and keeps the
    /// lease. With `even_if_dirty` the lease is released even then: the link is due at once and stays dirty for its next
    /// holder.
    ///
    /// A release removes the link's claim, because the work that it was made for is done. With `even_if_dirty` the claim
    /// stays, since the work may be unfinished and the message that has the claim may come again.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read;
    /// [`LedgerError::LeaseLost`] if another worker holds the lease by now; [`LedgerError::TooLarge`] if the link
    /// remembers more than a row may hold; [`LedgerError::TooManyRows`] if it is found by more rows than one write changes.
    fn release<K: Remembered>(
        &self,
        lease: &Lease,
        before: &Link<K>,
        after: &Link<K>,
        due: Option<Timestamp>,
        even_if_dirty: bool,
        now: Timestamp,
    ) -> impl Future<Output = Result<ReleaseAnswer, LedgerError>>;

    /// Returns the link that a row leads to. Returns `None` if there is no such row.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn link_at(&self, row: &RowKey) -> impl Future<Output = Result<Option<LinkKey>, LedgerError>>;

    /// Returns the last row of a span. Returns `None` if the span has no row. Makes no request if the span is empty.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn last_between(&self, span: &RowSpan) -> impl Future<Output = Result<Option<Row>, LedgerError>>;

    /// Returns the link of the first of these rows that leads to one. Returns `None` if none does. On DynamoDB only the
    /// first ten rows count.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn first_link_under(&self, prefix: &RowPrefix) -> impl Future<Output = Result<Option<LinkKey>, LedgerError>>;

    /// Returns a page of at most `limit` of these rows. `from` is what the page before says in [`RowPage::next`].
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn page_under(
        &self,
        prefix: &RowPrefix,
        from: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<RowPage, LedgerError>>;

    /// Counts one more event of this name in the account. Returns the count for the minute of `now`. A repeat of the
    /// request counts again: the count may be too high, but not too low.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn count_in_minute(
        &self,
        account: &AccountId,
        name: &'static str,
        now: Timestamp,
    ) -> impl Future<Output = Result<u32, LedgerError>>;

    /// Returns the links that are due at `now`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn due_links(&self, now: Timestamp, limit: usize) -> impl Future<Output = Result<Vec<DueLink>, LedgerError>>;

    /// Claims a due link, so that its hint is not sent a second time before `until`. Returns false if the link no
    /// longer has the due time that was seen, for example because another caller has claimed it.
    ///
    /// One write, on condition of the due time that was seen. The link is due again at `until`, so a lost hint delays
    /// the link until then. A repeat of a write whose answer was lost is recognised by its claim.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn claim_due(
        &self,
        due: &DueLink,
        claim: &ClaimId,
        until: Timestamp,
    ) -> impl Future<Output = Result<bool, LedgerError>>;

    /// Makes a link due now. If a worker holds its lease, marks the link dirty instead. Does nothing if there is no
    /// such link.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read;
    /// [`LedgerError::Contended`] if the lease changed hands several times during the call.
    fn wake(&self, key: &LinkKey, now: Timestamp) -> impl Future<Output = Result<(), LedgerError>>;

    /// Returns the `sys_mod_count` that each link remembers of its incident, in the order of `links`: `None` if the
    /// link does not exist or remembers no incident. One read for each 100 links.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn remembered_mod_counts(&self, links: &[LinkKey]) -> impl Future<Output = Result<Vec<Option<u64>>, LedgerError>>;

    /// Returns the watermark of this name: how far a poll has come. Returns `None` if it was never set.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn watermark(&self, name: &str) -> impl Future<Output = Result<Option<String>, LedgerError>>;

    /// Moves the watermark. The caller does this only after what it covers is on the queue.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer.
    fn set_watermark(&self, name: &str, value: &str) -> impl Future<Output = Result<(), LedgerError>>;
}

/// A worker's right to move the files of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferLease {
    /// The link.
    pub link: LinkKey,
    /// The transfer.
    pub transfer: TransferId,
    /// The worker's attempt.
    pub attempt: AttemptId,
    /// The row's revision, as last written or read under this lease.
    pub revision: u64,
}

/// The answer to an attempt at the lease of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferAnswer {
    /// The caller has the transfer until the lease ends.
    Taken {
        /// The lease.
        lease: TransferLease,
        /// The transfer's state.
        transfer: Box<Transfer>,
    },
    /// Another worker holds the lease.
    Held,
    /// There is no such transfer.
    Absent,
}

/// The ledger's rows of transfers. `now` is always the caller's clock.
///
/// A transfer's row lies beside its link's and is written apart from it: whoever moves files does not hold the link.
pub trait TransferLedger {
    /// Records a transfer that has not begun. Changes nothing if there is one with its id already.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer.
    fn order_transfer(&self, link: &LinkKey, transfer: &Transfer) -> impl Future<Output = Result<(), LedgerError>>;

    /// Returns a transfer. Returns `None` if there is no such row, or no longer.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn transfer(&self, link: &LinkKey, id: &TransferId) -> impl Future<Output = Result<Option<Transfer>, LedgerError>>;

    /// Takes the transfer's lease for `attempt` until `until`. It also takes a lease that has expired.
    ///
    /// One conditional write. A repeat of a write whose answer was lost is recognised by its attempt.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn take_transfer(
        &self,
        link: &LinkKey,
        id: &TransferId,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<TransferAnswer, LedgerError>>;

    /// Records the transfer's state under the lease, and releases the lease if `is_released`. Returns the lease in its new
    /// revision.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read;
    /// [`LedgerError::LeaseLost`] if another worker holds the lease by now.
    fn record_transfer(
        &self,
        lease: &TransferLease,
        transfer: &Transfer,
        is_released: bool,
    ) -> impl Future<Output = Result<TransferLease, LedgerError>>;
}
