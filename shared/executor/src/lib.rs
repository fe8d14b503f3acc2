//! The loop around the core: take the lease, observe both sides, plan, apply, record. It decides nothing.
//!
//! Every remote call that may double something is written to the ledger first and its outcome after it. Whatever stops
//! the executor in between, the next pass finds the intent and looks for its effect.

mod apply;
pub mod observe;
mod owner;
mod reconcile;

pub use owner::{Owner, Told, owner_of_case};
pub use reconcile::{Executor, Limits, Report};
