//! The ledger: what casebridge remembers of every link, and who may act on it now.
//!
//! One table, read by key, never scanned. The rows:
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `LINK#<link key>` | `LINK` | the link: its state as JSON, revision, lease, dirty flag, due time, claim |
//! | `LINK#<link key>` | `INTENT#<sequence>` | one intent and how it ended: the audit trail |
//! | `ACCOUNT#<account>` | `<word>#...` | a row by which a link is found, as its kind says |
//! | `ACCOUNT#<account>` | `<NAME>#<minute>` | how often something happened in a minute, in the attribute of that name |
//! | `WATERMARK` | `<name>` | how far a poller has come |
//!
//! The index `due` (`due_shard`, `due_at`) has the links that want to be looked at; it needs the keys only. Rows with
//! `expires_at` are removed by the table itself: intents long after they ended, counts after an hour, rows of an
//! account when their kind says.
//!
//! The ledger knows no kind of link. It writes what a link remembers as a text that only the kind reads. The rows of an
//! account are those that the kind lists for a state of the link ([`casebridge_core::link::kind::Kind::index`]): a
//! write from one state to the next puts the rows that are new and deletes those that are gone. A lookup names a row, a
//! prefix or a span of sort keys, which the kind has built.
//!
//! Whoever hands off a due link claims it first: the row gets a claim and a later due time, on condition of the due time that
//! was seen. The message carries the claim, and its lease is taken only while the row still has it. Letting the link go
//! removes the claim, so that a message that comes late or again costs one call and no pass.
//!
//! A write to a link goes with its other rows in one transaction, on condition of the lease and of the revision that it
//! was made from. Only the lease's holder moves the revision; leaving word for it does not. Each write names its attempt,
//! so that a repeat of one whose answer was lost is recognised and not taken for a lost lease.
//!
//! The word that somebody left stays with the link until a worker takes it by its release: a lease that ran out, or that
//! was let go regardless, passes it on to the next.
//!
//! Errors are never "not found": a lookup that fails says so, and nothing is created on its word.

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
pub use ledger::{DueLink, Lease, LeaseAnswer, Ledger, ReleaseAnswer, RowPage};
pub use memory::MemoryLedger;
pub use row::MAXIMUM_STATE_BYTES;
