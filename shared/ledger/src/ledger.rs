//! What the executor and the handlers ask of a ledger. DynamoDB and memory answer alike.

use std::future::Future;

use casebridge_core::{
    identifiers::{AccountId, AttemptId, ClaimId, LinkKey},
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
    /// When it expires, by our clock: later than the worker can live.
    pub until: Timestamp,
    /// The row's revision, as last written or read under this lease.
    pub revision: u64,
}

/// The answer to an attempt at a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAnswer<K: Remembered> {
    /// The link is ours until the lease ends. A link that nobody knew comes blank.
    Taken {
        /// The lease.
        lease: Lease,
        /// The link's state.
        link: Box<Link<K>>,
        /// Whether the one who held it before never let it go: what that one did is not recorded. Also true where a claim
        /// is repeated whose answer was lost.
        interrupted: bool,
        /// When the link was due before, if it was.
        due: Option<Timestamp>,
    },
    /// Another worker holds it and has been left word (the link is dirty): it looks again before it lets go.
    Deferred,
    /// The link has another claim than the one that was asked for, or none, or is not there: nothing was changed.
    Unclaimed,
}

/// The answer to a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseAnswer {
    /// The link is free.
    Released,
    /// Somebody left word meanwhile: the state is recorded, the lease is still ours, and both sides want another look.
    Dirty {
        /// The lease, renewed in revision.
        lease: Lease,
    },
}

/// A page of rows, and where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowPage {
    /// The rows, in the order of their sort texts.
    pub rows: Vec<Row>,
    /// Where to go on; none at the end.
    pub next: Option<String>,
}

/// A link that wants to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLink {
    /// The link.
    pub key: LinkKey,
    /// Since when, by our clock.
    pub due_at: Timestamp,
}

/// The ledger. `now` is always the caller's clock.
///
/// It knows no kind of link: what a link remembers is written and read as a whole, and the rows that it is found by are
/// those that its kind says ([`Remembered::index`]). All that a write changes is there or nothing of it, so no link that must be
/// found is without its rows. Therefore it is found by a bounded number of them
/// ([`ROWS_PER_LINK`](casebridge_core::link::index::ROWS_PER_LINK)).
pub trait Ledger {
    /// Takes the link's lease for `attempt` until `until`, or leaves word with the one who holds it.
    ///
    /// One conditional write. A lease whose time is over is taken; a write whose answer was lost is recognised by its
    /// attempt. While a lease is held the link is due at its end, so that a worker's death is a wake-up. Word that was
    /// left with a lease that ran out stays: the release answers [`ReleaseAnswer::Dirty`].
    ///
    /// With a claim it is taken only as long as the link has that claim, see [`Ledger::claim_due`]. The claim stays, so that
    /// the same message acts again should the ledger fail it.
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

    /// Records `after` in place of `before` under the lease: an intent before its call, an outcome after it.
    ///
    /// One write, whatever rows it touches; returns the lease in its new revision.
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

    /// Records `after` and lets the link go, on condition that nobody left word; `due` is when to look again.
    ///
    /// A blank link without a due time is forgotten. When somebody left word the state is recorded too, the word is taken
    /// and the lease stays. With `regardless` the link is let go even then, due at once, and the word waits for the next.
    ///
    /// The link's claim goes with it: what it woke up for has been looked at. With `regardless` it stays, since the work may
    /// be unfinished and the message that has the claim may come again.
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
        regardless: bool,
        now: Timestamp,
    ) -> impl Future<Output = Result<ReleaseAnswer, LedgerError>>;

    /// The link that a row leads to; none if there is no such row.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn link_at(&self, row: &RowKey) -> impl Future<Output = Result<Option<LinkKey>, LedgerError>>;

    /// The last of the rows in a span; none if there is none, and without a look if the span is empty.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn last_between(&self, span: &RowSpan) -> impl Future<Output = Result<Option<Row>, LedgerError>>;

    /// The link of the first of these rows that leads to one.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn first_link_under(&self, prefix: &RowPrefix) -> impl Future<Output = Result<Option<LinkKey>, LedgerError>>;

    /// A page of at most `limit` of these rows, from where the page before says.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn page_under(
        &self,
        prefix: &RowPrefix,
        from: Option<&str>,
        limit: usize,
    ) -> impl Future<Output = Result<RowPage, LedgerError>>;

    /// Counts one more event of this name in the account; how many that makes in the minute of `now`. A repeat counts
    /// again: the count may be too high, never too low.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn count_in_minute(
        &self,
        account: &AccountId,
        name: &'static str,
        now: Timestamp,
    ) -> impl Future<Output = Result<u32, LedgerError>>;

    /// The links that are due at `now`, oldest first in each shard, at most `limit` in all.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn due_links(&self, now: Timestamp, limit: usize) -> impl Future<Output = Result<Vec<DueLink>, LedgerError>>;

    /// Claims a due link for whoever hands it off, so that nobody hands it off again before `until`; false if it is not due
    /// any more as it was seen, or if somebody else was faster.
    ///
    /// One write, on condition of the due time that was seen. The link is due again at `until`: a claim whose message is lost
    /// costs that long. A repeat of a write whose answer was lost is recognised by its claim.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn claim_due(
        &self,
        due: &DueLink,
        claim: &ClaimId,
        until: Timestamp,
    ) -> impl Future<Output = Result<bool, LedgerError>>;

    /// Makes a link due now; if a worker holds it, that one is left word and looks again. One that is not there stays so.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read;
    /// [`LedgerError::Contended`] if the lease changed hands several times during the call.
    fn wake(&self, key: &LinkKey, now: Timestamp) -> impl Future<Output = Result<(), LedgerError>>;

    /// The `sys_mod_count` that each link remembers of its incident, in the order asked; one read per 100.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn remembered_mod_counts(&self, links: &[LinkKey]) -> impl Future<Output = Result<Vec<Option<u64>>, LedgerError>>;

    /// How far the poller of this name has come.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer; [`LedgerError::Corrupt`] if a row can't be read.
    fn watermark(&self, name: &str) -> impl Future<Output = Result<Option<String>, LedgerError>>;

    /// Moves the watermark; only after what it covers has been handed off.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] if the table does not answer.
    fn set_watermark(&self, name: &str, value: &str) -> impl Future<Output = Result<(), LedgerError>>;
}
