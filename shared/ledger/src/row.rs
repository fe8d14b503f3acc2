//! The link's own row: its state as text, and what a refused write to it means. Every ledger uses this module.

use casebridge_core::{
    identifiers::{AccountId, AttemptId, ClaimId, LinkKey},
    link::{
        Link,
        index::{ROWS_PER_LINK, RowKey},
        remembered::Remembered,
    },
    unreadable::UnreadableJson,
};
use jiff::Timestamp;

use crate::{
    error::LedgerError,
    ledger::{DueLink, Lease, LeaseAnswer, ReleaseAnswer},
};

/// The largest state of a link, in bytes. DynamoDB refuses a row above 400 KB, its other attributes included.
pub const MAXIMUM_STATE_BYTES: usize = 350 * 1024;

/// The revision of a link that is recorded for the first time.
pub(crate) const FIRST_REVISION: u64 = 1;

/// How long a minute's count is kept, in seconds. It is not read after its minute; an hour is far beyond any
/// difference of our clocks.
const COUNT_KEPT_SECONDS: i64 = 3_600;

/// Returns the minute of a moment, counted from the epoch. Events are counted by it.
pub(crate) fn minute(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

/// Returns when a minute's count expires, in seconds since the epoch.
pub(crate) fn count_expires_at(minute: i64) -> i64 {
    minute * 60 + COUNT_KEPT_SECONDS
}

/// The part of a link's row that shows who holds the link and what it remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LinkRow {
    /// The state as JSON. `None` until the first state is recorded.
    pub(crate) state: Option<String>,
    /// The number of recorded states.
    pub(crate) revision: u64,
    /// The attempt that holds the lease.
    pub(crate) lease_owner: Option<AttemptId>,
    /// The attempt that released the link last: it identifies a release whose answer was lost.
    pub(crate) released_by: Option<AttemptId>,
    /// The claim under which the link was handed off. A release removes it.
    pub(crate) claim: Option<ClaimId>,
}

/// Attributes beside the state, for reads that do not need the whole state, and for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The incident's `sys_mod_count`, as last seen.
    pub(crate) mod_count: Option<u64>,
    /// The incident's number.
    pub(crate) number: Option<String>,
    /// The account of the record, or of the record that is being opened.
    pub(crate) account: Option<String>,
}

impl Summary {
    /// Returns the summary of a link.
    pub(crate) fn of<K: Remembered>(link: &Link<K>) -> Self {
        let opening = || K::opening_account(&link.intent.as_ref()?.kind);
        Self {
            mod_count: link.incident.as_ref().map(|incident| incident.sys_mod_count),
            number: link.incident.as_ref().map(|incident| incident.number.clone()),
            account: K::account(&link.memory).or_else(opening).map(ToString::to_string),
        }
    }
}

/// Why the condition of a write under a lease failed, as the row shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedWrite {
    /// The caller has the lease in the expected revision: the condition failed because the link is dirty.
    Held,
    /// The row already has this write, whose answer was lost.
    AlreadyWritten,
    /// The caller has already released the link, and the answer was lost.
    AlreadyReleased,
    /// There is no row.
    Absent,
    /// Another worker has the lease, or had it.
    Lost,
}

/// Returns why a write of `state` under `lease` was refused, from the row as it is.
///
/// Only the lease's holder moves the revision, one step with each write. So if the revision is one step ahead and the
/// state is `state`, the row already has this write.
pub(crate) fn refused(row: Option<&LinkRow>, lease: &Lease, state: &str) -> RefusedWrite {
    let Some(row) = row else { return RefusedWrite::Absent };
    if row.lease_owner.as_ref() == Some(&lease.attempt) {
        if row.revision == lease.revision {
            RefusedWrite::Held
        } else if row.revision == lease.revision + 1 && row.state.as_deref() == Some(state) {
            RefusedWrite::AlreadyWritten
        } else {
            RefusedWrite::Lost
        }
    } else if row.released_by.as_ref() == Some(&lease.attempt) {
        RefusedWrite::AlreadyReleased
    } else {
        RefusedWrite::Lost
    }
}

/// Returns the state as it is written. Fails if it is too large for a row, or if the link has more rows than one write can
/// change.
pub(crate) fn encode<K: Remembered>(key: &LinkKey, link: &Link<K>) -> Result<String, LedgerError> {
    let rows = K::index(key, link).len();
    if rows > ROWS_PER_LINK {
        return Err(LedgerError::TooManyRows { key: key.clone(), rows, limit: ROWS_PER_LINK });
    }
    let state = serde_json::to_string(link).map_err(|error| corrupt(link_row_name(key), error.to_string()))?;
    if state.len() > MAXIMUM_STATE_BYTES {
        return Err(LedgerError::TooLarge { key: key.clone(), bytes: state.len(), limit: MAXIMUM_STATE_BYTES });
    }
    Ok(state)
}

/// Returns the link that the row remembers: a blank one if nothing has been recorded yet.
pub(crate) fn decode<K: Remembered>(key: &LinkKey, row: &LinkRow) -> Result<Link<K>, LedgerError> {
    match &row.state {
        None => Ok(Link::default()),
        Some(state) => serde_json::from_str(state)
            .map_err(|error| corrupt(link_row_name(key), format!("its state: {}", UnreadableJson::from(error)))),
    }
}

/// Returns the answer to an attempt that has taken the lease until `until`. `row` is the row as it was before.
pub(crate) fn taken<K: Remembered>(
    row: &LinkRow,
    key: &LinkKey,
    attempt: &AttemptId,
    until: Timestamp,
    due: Option<Timestamp>,
) -> Result<LeaseAnswer<K>, LedgerError> {
    let link = Box::new(decode(key, row)?);
    let lease = Lease { key: key.clone(), attempt: attempt.clone(), until, revision: row.revision };
    Ok(LeaseAnswer::Taken { lease, link, interrupted: row.lease_owner.is_some(), due })
}

/// Returns the answer to a release that was refused for another reason than a dirty link.
pub(crate) fn late_release(
    refused: RefusedWrite,
    lease: &Lease,
    forgotten: bool,
) -> Result<ReleaseAnswer, LedgerError> {
    match refused {
        RefusedWrite::AlreadyWritten => Ok(ReleaseAnswer::Dirty { lease: next(lease) }),
        RefusedWrite::AlreadyReleased => Ok(ReleaseAnswer::Released),
        RefusedWrite::Absent if forgotten => Ok(ReleaseAnswer::Released),
        RefusedWrite::Held | RefusedWrite::Absent | RefusedWrite::Lost => {
            Err(LedgerError::LeaseLost { key: lease.key.clone() })
        }
    }
}

/// Whether a release in this state deletes the link: it is blank and has no due time.
pub(crate) fn is_forgotten<K: Remembered>(after: &Link<K>, due: Option<Timestamp>) -> bool {
    after.is_blank() && due.is_none()
}

/// Returns the lease after one more write under it.
pub(crate) fn next(lease: &Lease) -> Lease {
    Lease { revision: lease.revision + 1, ..lease.clone() }
}

/// Returns the first `limit` links, oldest first.
pub(crate) fn oldest(mut links: Vec<DueLink>, limit: usize) -> Vec<DueLink> {
    links.sort_by(|one, other| (one.due_at, &one.key).cmp(&(other.due_at, &other.key)));
    links.truncate(limit);
    links
}

/// Returns the partition key of a link's rows.
pub(crate) fn link_partition(key: &LinkKey) -> String {
    format!("LINK#{key}")
}

/// Returns the partition key of an account's rows.
pub(crate) fn account_partition(account: &AccountId) -> String {
    format!("ACCOUNT#{account}")
}

/// Returns the name of an account's row in errors.
pub(crate) fn row_name(key: &RowKey) -> String {
    format!("{} / {}", account_partition(&key.account), key.sort)
}

/// Returns the error for a row that is not in the form that this version writes.
pub(crate) fn corrupt(row: impl Into<String>, reason: impl Into<String>) -> LedgerError {
    LedgerError::Corrupt { row: row.into(), reason: reason.into() }
}

fn link_row_name(key: &LinkKey) -> String {
    format!("{} / LINK", link_partition(key))
}
