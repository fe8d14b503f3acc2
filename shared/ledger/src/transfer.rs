//! The row of a transfer: its state as text, and what a write to it comes to. Every ledger uses this module.

use casebridge_core::{
    file::transfer::Transfer,
    identifiers::{AttemptId, LinkKey, TransferId},
    unreadable::UnreadableJson,
};
use jiff::SignedDuration;

use crate::{
    error::LedgerError,
    ledger::{TransferAnswer, TransferLease},
    row::{corrupt, link_partition},
};

/// How long a transfer's row is kept after its order, longer than the transfer is tried for. A link that reads it later
/// orders the files again, and ServiceNow and the case's communications tell that they are there.
pub(crate) const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A transfer's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransferRow {
    /// The state as JSON.
    pub(crate) state: String,
    /// How often it was recorded since the order.
    pub(crate) revision: u64,
    /// The attempt that holds the lease.
    pub(crate) lease_owner: Option<AttemptId>,
}

/// Returns the sort key of a transfer's row, beside its link's.
pub(crate) fn sort_key(id: &TransferId) -> String {
    format!("FILES#{id}")
}

pub(crate) fn encode(link: &LinkKey, transfer: &Transfer) -> Result<String, LedgerError> {
    serde_json::to_string(transfer)
        .map_err(|error| corrupt(name(link, &transfer.order.transfer), UnreadableJson::from(error).to_string()))
}

pub(crate) fn decode(link: &LinkKey, id: &TransferId, row: &TransferRow) -> Result<Transfer, LedgerError> {
    serde_json::from_str(&row.state).map_err(|error| corrupt(name(link, id), UnreadableJson::from(error).to_string()))
}

fn name(link: &LinkKey, id: &TransferId) -> String {
    format!("{} / {}", link_partition(link), sort_key(id))
}

/// Returns the answer to an attempt that has taken the lease of this row.
pub(crate) fn taken(
    row: &TransferRow,
    link: &LinkKey,
    id: &TransferId,
    attempt: &AttemptId,
) -> Result<TransferAnswer, LedgerError> {
    let transfer = Box::new(decode(link, id, row)?);
    let (link, transfer_id, attempt) = (link.clone(), id.clone(), attempt.clone());
    let lease = TransferLease { link, transfer: transfer_id, attempt, revision: row.revision };
    Ok(TransferAnswer::Taken { lease, transfer })
}

/// Returns the lease after one more write under it.
pub(crate) fn next(lease: &TransferLease) -> TransferLease {
    TransferLease { revision: lease.revision + 1, ..lease.clone() }
}

/// Whether a row already has a write of `state` under `lease`, whose answer was lost.
pub(crate) fn is_written(row: &TransferRow, lease: &TransferLease, state: &str) -> bool {
    let is_ours = row.lease_owner.as_ref().is_none_or(|owner| *owner == lease.attempt);
    is_ours && row.revision == lease.revision + 1 && row.state == state
}

pub(crate) fn lost(lease: &TransferLease) -> LedgerError {
    LedgerError::LeaseLost { key: lease.link.clone() }
}
