#![doc = include_str!("../README.md")]

mod changes;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod error;
mod ledger;
mod memory;
mod row;

#[cfg(feature = "dynamodb")]
pub use dynamodb::DynamoLedger;
pub use error::LedgerError;
pub use ledger::{CaseRow, CaseRowPage, DueLink, Lease, LeaseAnswer, Ledger, ReleaseAnswer};
pub use memory::MemoryLedger;
pub use row::MAXIMUM_STATE_BYTES;

/// How many cases a page of an account has: as many as one DescribeCases takes.
pub const CASES_PER_PAGE: usize = 100;
