//! What can go wrong with the ledger, and what to do about it.

use casebridge_core::{identifiers::LinkKey, link::index::UnreadableRow};

use crate::row::{corrupt, row_name};

/// A failure of the ledger. It fails the message that is being handled, so that the queue brings the message again.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The table did not answer.
    #[error("the ledger's table did not answer while {doing}; the message comes again by itself")]
    Unavailable {
        /// What the ledger was doing.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another worker holds the link's lease now: this worker was too slow and must not write.
    #[error("the lease of link {key} has passed to another worker; what was under way is looked up by it")]
    LeaseLost {
        /// The link.
        key: LinkKey,
    },
    /// The lease changed hands several times while the ledger tried to take it or to mark the link dirty.
    #[error("link {key} is contended: its lease changed hands while it was being taken; the message comes again")]
    Contended {
        /// The link.
        key: LinkKey,
    },
    /// The link remembers more than a row may hold. Nothing was written.
    #[error(
        "link {key} remembers {bytes} bytes, and a row may hold {limit}: its conversation is too long; resolve the \
         incident and its case by hand and go on in a new incident"
    )]
    TooLarge {
        /// The link.
        key: LinkKey,
        /// The size of its state in bytes.
        bytes: usize,
        /// The largest size allowed, in bytes.
        limit: usize,
    },
    /// The link stands in more rows than one write changes. Nothing was written.
    #[error(
        "link {key} is found by {rows} rows, and one write changes {limit} at most; resolve the incident and its record by \
         hand and go on in a new incident"
    )]
    TooManyRows {
        /// The link.
        key: LinkKey,
        /// In how many it stands.
        rows: usize,
        /// In how many it may.
        limit: usize,
    },
    /// A row is not of the form that this version writes.
    #[error("ledger row {row} is unreadable: {reason}; repair or remove it, then replay the message")]
    Corrupt {
        /// The row's keys.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl From<UnreadableRow> for LedgerError {
    fn from(unreadable: UnreadableRow) -> Self {
        let UnreadableRow { key, name, expected } = unreadable;
        corrupt(row_name(&key), format!("its attribute `{name}` is not {expected}"))
    }
}
