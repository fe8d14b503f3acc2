//! The ledger: what casebridge remembers of every link, and who may act on it now.
//!
//! One table, read by key, never scanned. The rows:
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `LINK#<link key>` | `LINK` | the link: its state as JSON, revision, lease, dirty flag, due time |
//! | `LINK#<link key>` | `INTENT#<sequence>` | one intent and how it ended: the audit trail |
//! | `ACCOUNT#<account>` | `CASE#<stable case id>` | a case's key to its link, with the fingerprint of the last read |
//! | `ACCOUNT#<account>` | `INTENT#<mark>` | an undecided CreateCase intent of the account |
//! | `WATERMARK` | `<name>` | how far a poller has come |
//!
//! Errors are never "not found": a lookup that fails says so, and nothing is created on its word.

mod error;
mod ledger;

pub use error::LedgerError;

/// How many cases a page of an account has: as many as one DescribeCases takes.
pub const CASES_PER_PAGE: usize = 100;

pub use ledger::{CaseRow, CaseRowPage, DueLink, Lease, LeaseAnswer, Ledger, ReleaseAnswer};
