#![doc = include_str!("../README.md")]

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
pub use task::Limits;
