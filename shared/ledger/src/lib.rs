#![doc = include_str!("../README.md")]

mod changes;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod error;
mod ledger;
mod memory;
mod row;
mod transfer;

#[cfg(feature = "dynamodb")]
pub use dynamodb::DynamoLedger;
pub use error::LedgerError;
pub use ledger::{
    DueLink, HandOver, Lease, LeaseAnswer, Ledger, ReleaseAnswer, RowPage, TransferAnswer, TransferLease,
    TransferLedger,
};
pub use memory::{MemoryLedger, Traffic};
pub use row::MAXIMUM_STATE_BYTES;
