//! Notices: what people have to know.

use serde::{Deserialize, Serialize};

use crate::identifiers::JournalEntryId;

/// Something that people have to know and that casebridge can't mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Notice {
    /// A comment was written after the incident was closed, so it is not sent.
    CommentAfterClosing {
        /// The comment.
        entry: JournalEntryId,
    },
    /// The incident was closed while its group belonged to another account, so its remaining comments are not sent.
    CommentForAnotherAccount {
        /// The comment.
        entry: JournalEntryId,
    },
    /// A comment is by casebridge's user and no delivery names it, so it is not sent.
    CommentOfUnclearOrigin {
        /// The comment.
        entry: JournalEntryId,
    },
    /// ServiceNow refuses a communication. A message in its place on the incident says that it is left out.
    MessageRefused {
        /// The communication's identity.
        id: String,
        /// ServiceNow's reason.
        reason: String,
    },
    /// AWS refuses a text, even in its smallest parts. A text in its place on the case says that something is left out.
    TextRefused {
        /// Which text.
        text: String,
        /// AWS's reason.
        reason: String,
    },
}

impl Notice {
    /// Whether the notice is still shown once both sides agree that work has ended (`ended`) or goes on. A comment for
    /// another account is always shown: people who open the incident again have to know that it was not sent.
    pub fn lasts(&self, ended: bool) -> bool {
        match self {
            Self::CommentForAnotherAccount { .. } => true,
            Self::CommentAfterClosing { .. } => ended,
            Self::CommentOfUnclearOrigin { .. } | Self::MessageRefused { .. } | Self::TextRefused { .. } => !ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_shown_as_long_as_it_concerns_work_that_goes_on_or_has_ended() {
        let entry = || JournalEntryId::new("e1");
        let (name, reason) = (String::new, String::new);
        for (notice, lasts) in [
            (Notice::CommentForAnotherAccount { entry: entry() }, [true, true]),
            (Notice::CommentAfterClosing { entry: entry() }, [true, false]),
            (Notice::CommentOfUnclearOrigin { entry: entry() }, [false, true]),
            (Notice::MessageRefused { id: name(), reason: reason() }, [false, true]),
            (Notice::TextRefused { text: name(), reason: reason() }, [false, true]),
        ] {
            assert_eq!([true, false].map(|ended| notice.lasts(ended)), lasts, "{notice:?}");
        }
    }
}
