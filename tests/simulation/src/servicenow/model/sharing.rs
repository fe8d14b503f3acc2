//! Which texts of an incident's journal the app shares with AWS.

use std::collections::BTreeSet;

use casebridge_core::identifiers::IncidentId;

use super::{COMMENTS, Instance, Journal, WORK_NOTES};

/// What an administrator has set. By default every comment is shared, and no work note.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Only comments that begin with it are shared. Empty: all of them.
    pub comment_prefix: String,
    /// Only work notes that begin with it are shared. Empty: none.
    pub work_note_prefix: String,
    /// The users whose texts are never shared, in small letters.
    pub silent_authors: BTreeSet<String>,
}

impl Sharing {
    /// Whether the app reads this field of the journal.
    pub(super) fn reads(&self, element: &str) -> bool {
        element == COMMENTS || !self.work_note_prefix.is_empty()
    }

    /// Returns what goes to AWS of a row: its text, or what follows the prefix. Returns `None` if it stays in ServiceNow.
    pub(super) fn shared<'a>(&self, row: &'a Journal) -> Option<&'a str> {
        if self.silent_authors.contains(&row.created_by.to_lowercase()) {
            return None;
        }
        let prefix = match row.element {
            WORK_NOTES if self.work_note_prefix.is_empty() => return None,
            WORK_NOTES => &self.work_note_prefix,
            _ if self.comment_prefix.is_empty() => return Some(&row.text),
            _ => &self.comment_prefix,
        };
        let words = row.text.trim();
        let start = words.get(..prefix.len())?;
        let rest = words[prefix.len()..].trim();
        (start.to_lowercase() == prefix.to_lowercase() && !rest.is_empty()).then_some(rest)
    }
}

impl Instance {
    /// Returns what the row holds for AWS. Returns `None` if it stays in ServiceNow, and for what casebridge delivered.
    pub fn for_aws<'a>(&self, row: &'a Journal) -> Option<&'a str> {
        if row.is_ours() { None } else { self.sharing.shared(row) }
    }

    /// Returns what people wrote on these incidents for AWS, oldest first, each with the text that goes there.
    pub fn shared_of(&self, ids: &[IncidentId]) -> Vec<Journal> {
        let shared = |row: &Journal| Some(Journal { text: self.for_aws(row)?.to_owned(), ..row.clone() });
        self.journal.iter().filter(|row| ids.contains(&row.incident)).filter_map(shared).collect()
    }
}
