//! Why a hint was not handled.

use casebridge_core::link::intent::Illegal;
use casebridge_ledger::LedgerError;

/// Why a hint was not handled: its message comes again, and is parked in the end.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The ledger failed.
    #[error("the ledger failed the hint; the message comes again by itself")]
    Ledger(#[from] LedgerError),
    /// The link is in a state that no pass may lead to.
    #[error("the link's state does not allow what was done: casebridge has a fault; keep the message and report it")]
    Illegal(#[from] Illegal),
}
