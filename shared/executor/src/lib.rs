//! The loop around the core: take the lease, read both sides, plan, apply, record. It decides nothing.
//!
//! Every remote call that may double something is written to the ledger first and its outcome after it. Whatever stops
//! the executor in between, the next pass finds the intent and looks for its effect.
//!
//! What is here knows no kind of link, but for `support`, which carries out the reads and calls of Support cases.

mod apply;
mod carrier;
mod counted;
mod drive;
mod error;
mod look;
mod ports;
mod reconcile;
mod report;
mod support;
mod task;
mod work;

pub use carrier::Carrier;
pub use counted::{Calls, Counted, CountedPorts};
pub use error::ReconcileError;
pub use ports::Ports;
pub use reconcile::Executor;
pub use report::Report;
pub use support::{Owner, Told, owner_of_case};
pub use task::Limits;
