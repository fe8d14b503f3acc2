//! Why a hint was not handled.

use casebridge_core::link::intent::Illegal;
use casebridge_ledger::LedgerError;

/// Why a hint was not handled. Its message comes again, and is parked in the end.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The ledger failed.
    #[error("the ledger failed the hint; the message comes again by itself")]
    Ledger(#[from] LedgerError),
    /// A step did not fit the link's state: a fault of casebridge.
    #[error("the link's state does not allow what was done: casebridge has a fault; keep the message and report it")]
    Illegal(#[from] Illegal),
}
