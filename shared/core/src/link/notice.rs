//! What people have to know.

use serde::{Deserialize, Serialize};

use crate::identifiers::JournalEntryId;

/// Something that people have to know and that casebridge can't mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Notice {
    /// A comment was written after the incident was closed: it is not sent.
    CommentAfterClosing {
        /// The comment.
        entry: JournalEntryId,
    },
    /// The incident is closed while its group belongs to another account: what is left is not sent.
    CommentForAnotherAccount {
        /// The comment.
        entry: JournalEntryId,
    },
    /// A comment is by casebridge's user, and no delivery names it: it is not sent.
    CommentOfUnclearOrigin {
        /// The comment.
        entry: JournalEntryId,
    },
    /// ServiceNow refuses a communication: the incident says in its place that it is left out.
    MessageRefused {
        /// The communication's identity.
        id: String,
        /// ServiceNow's reason.
        reason: String,
    },
    /// AWS refuses a text, in whatever parts: the case says in its place that it is left out.
    TextRefused {
        /// Which text.
        text: String,
        /// AWS's reason.
        reason: String,
    },
}

impl Notice {
    /// Whether it is still told once both sides agree that work has ended, or that it goes on. What was left behind is told
    /// for good: whoever opens the incident again must know that it was not sent.
    pub fn lasts(&self, ended: bool) -> bool {
        match self {
            Self::CommentForAnotherAccount { .. } => true,
            Self::CommentAfterClosing { .. } => ended,
            Self::CommentOfUnclearOrigin { .. } | Self::MessageRefused { .. } | Self::TextRefused { .. } => !ended,
        }
    }
}
