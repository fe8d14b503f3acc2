//! The ledger: what casebridge remembers of every link, and who may act on it now.
//!
//! One table, read by key, never scanned. The rows:
//!
//! | pk | sk | what |
//! |---|---|---|
//! | `LINK#<link key>` | `LINK` | the link: its state as JSON, revision, lease, dirty flag, due time, claim |
//! | `LINK#<link key>` | `INTENT#<sequence>` | one intent and how it ended: the audit trail |
//! | `ACCOUNT#<account>` | `CASE#<stable case id>` | a case's key to its link, for as long as the link lasts |
//! | `ACCOUNT#<account>` | `WATCHED#<stable case id>` | a case that the poller reads, with the fingerprint of the last read |
//! | `ACCOUNT#<account>` | `INTENT#<mark>` | a CreateCase intent of the account, undecided or given up |
//! | `ACCOUNT#<account>` | `UNDECIDED#<written at>#<mark>` | a CreateCase whose case may still show up, by age |
//! | `ACCOUNT#<account>` | `READS#<minute>` | how many cases of the account were read in a minute that no link is known of |
//! | `ACCOUNT#<account>` | `WAITING#<priority>#<since>#<link key>` | a link that waits for the account's quota of new cases |
//! | `WATERMARK` | `<name>` | how far a poller has come |
//!
//! The index `due` (`due_shard`, `due_at`) has the links that want to be looked at; it needs the keys only. Rows with
//! `expires_at` are removed by the table itself: intents long after they ended, watched cases once they are resolved for
//! longer than AWS lets them be reopened, undecided CreateCases after a day, counts of reads after an hour.
//!
//! An undecided CreateCase is listed by the moment at which it was written, in milliseconds of 15 digits, so that an account's
//! newest one between two moments is one row of one query, however many there are.
//!
//! Whoever hands off a due link claims it first: the row gets a claim and a later due time, on condition of the due time that
//! was seen. The message carries the claim, and its lease is taken only while the row still has it. Letting the link go
//! removes the claim, so that a message that comes late or again costs one call and no pass.
//!
//! A link that waits for its account's quota is listed by urgency, `1` to `5` and then `unknown`, and since when in
//! milliseconds of 15 digits: the first row is the next one.
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
pub use ledger::{CaseRow, CaseRowPage, DueLink, Lease, LeaseAnswer, Ledger, ReleaseAnswer};
pub use memory::MemoryLedger;
pub use row::MAXIMUM_STATE_BYTES;

/// How many cases a page of an account has: as many as one DescribeCases takes.
pub const CASES_PER_PAGE: usize = 100;
