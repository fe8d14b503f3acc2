//! The link's own row: its state as text, and what a refused write to it means. The same for every ledger.

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

/// How large a link's state may be. DynamoDB refuses a row above 400 KB, its other attributes included.
pub const MAXIMUM_STATE_BYTES: usize = 350 * 1024;

/// How long a minute's count is kept, in seconds: nobody asks for it once the minute is over.
const COUNT_KEPT_SECONDS: i64 = 3_600;

/// The minute of a moment, by which events are counted.
pub(crate) fn minute(now: Timestamp) -> i64 {
    now.as_second().div_euclid(60)
}

/// When a minute's count may go, in seconds.
pub(crate) fn count_expires_at(minute: i64) -> i64 {
    minute * 60 + COUNT_KEPT_SECONDS
}

/// What of the link's row tells whose it is and what it remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LinkRow {
    /// The state as JSON; none until the first is recorded.
    pub(crate) state: Option<String>,
    /// Counts the recorded states.
    pub(crate) revision: u64,
    /// Who holds the lease.
    pub(crate) lease_owner: Option<AttemptId>,
    /// Who let the link go last: how a release whose answer was lost is recognised.
    pub(crate) released_by: Option<AttemptId>,
    /// Under which claim it was handed off, as long as nobody has looked at it since.
    pub(crate) claim: Option<ClaimId>,
}

/// What stands beside the state: for reads that don't want all of it, and for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The incident's `sys_mod_count`, as last seen.
    pub(crate) mod_count: Option<u64>,
    /// The incident's number.
    pub(crate) number: Option<String>,
    /// The account of the record, or of the one being opened.
    pub(crate) account: Option<String>,
}

impl Summary {
    /// The summary of a link.
    pub(crate) fn of<K: Remembered>(link: &Link<K>) -> Self {
        let opening = || K::opening_account(&link.intent.as_ref()?.kind);
        Self {
            mod_count: link.incident.as_ref().map(|incident| incident.sys_mod_count),
            number: link.incident.as_ref().map(|incident| incident.number.clone()),
            account: K::account(&link.memory).or_else(opening).map(ToString::to_string),
        }
    }
}

/// What the row says of a write that its condition refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedWrite {
    /// The lease is ours in the expected revision: the refusal is about something else, the word that was left.
    Held,
    /// The write is there: its answer was lost.
    AlreadyWritten,
    /// The link was let go by us: the answer was lost.
    AlreadyReleased,
    /// There is no row.
    Absent,
    /// The lease is somebody else's.
    Lost,
}

/// Tells why a write of `state` under `lease` did not pass, from the row as it is.
///
/// Only the lease's holder moves the revision, one step with each write, so a state of ours one step ahead is this write.
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

/// The state as it is written; an error if it is too large for a row, or found by more rows than one write changes.
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

/// What the row remembers of the link: a blank one if nothing has been recorded yet.
pub(crate) fn decode<K: Remembered>(key: &LinkKey, row: &LinkRow) -> Result<Link<K>, LedgerError> {
    match &row.state {
        None => Ok(Link::default()),
        Some(state) => serde_json::from_str(state)
            .map_err(|error| corrupt(link_row_name(key), format!("its state: {}", UnreadableJson::from(error)))),
    }
}

/// The answer to an attempt that has taken the lease of the row until `until`; the row is as it was before.
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

/// The answer to a release that did not pass, for another reason than the word that was left.
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

/// Whether a link that is let go in this state is forgotten. One that wants to be looked at again is not.
pub(crate) fn is_forgotten<K: Remembered>(after: &Link<K>, due: Option<Timestamp>) -> bool {
    after.is_blank() && due.is_none()
}

/// The lease after one more write under it.
pub(crate) fn next(lease: &Lease) -> Lease {
    Lease { revision: lease.revision + 1, ..lease.clone() }
}

/// Oldest first, at most `limit`.
pub(crate) fn oldest(mut links: Vec<DueLink>, limit: usize) -> Vec<DueLink> {
    links.sort_by(|one, other| (one.due_at, &one.key).cmp(&(other.due_at, &other.key)));
    links.truncate(limit);
    links
}

/// The partition key of a link's rows.
pub(crate) fn link_partition(key: &LinkKey) -> String {
    format!("LINK#{key}")
}

/// The partition key of an account's rows.
pub(crate) fn account_partition(account: &AccountId) -> String {
    format!("ACCOUNT#{account}")
}

/// The name of an account's row in errors.
pub(crate) fn row_name(key: &RowKey) -> String {
    format!("{} / {}", account_partition(&key.account), key.sort)
}

/// A row that is not of our form.
pub(crate) fn corrupt(row: impl Into<String>, reason: impl Into<String>) -> LedgerError {
    LedgerError::Corrupt { row: row.into(), reason: reason.into() }
}

fn link_row_name(key: &LinkKey) -> String {
    format!("{} / LINK", link_partition(key))
}
