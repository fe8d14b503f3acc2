//! casebridge's own notes for the incident's agents, until they are on the incident.

use serde::{Deserialize, Serialize};

use crate::{
    identifiers::ExternalId,
    support::{Pass, message::note_id},
};

/// How many notes a link remembers that are not on the incident yet. The oldest are dropped: a later note on a
/// severity says what holds now. A case gets a few in its life, so only an instance that takes nothing for days meets
/// this bound.
const MAXIMUM_NOTES: usize = 20;

/// A note of casebridge for the incident's agents that is not on the incident yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its number on this link, from 1. It is recorded before the note is delivered for the first time: a pass that
    /// repeats an interrupted one may find something else to tell first.
    pub number: u32,
    /// The text.
    pub text: String,
}

impl Pass {
    /// Forgets the note of this name. Returns whether there was one.
    pub(super) fn forget_note(&mut self, name: &ExternalId) -> bool {
        let Some(case) = &self.link.memory.case else { return false };
        let (key, before) = (&self.key, self.link.memory.notes.len());
        self.link.memory.notes.retain(|note| note_id(key, case, note) != *name);
        self.link.memory.notes.len() < before
    }

    /// Remembers a note until it is on the incident. Its number is not recorded yet.
    pub(super) fn note(&mut self, text: String) {
        let memory = &mut self.link.memory;
        memory.notes_made = memory.notes_made.saturating_add(1);
        memory.notes.push(Note { number: memory.notes_made, text });
        let surplus = memory.notes.len().saturating_sub(MAXIMUM_NOTES);
        memory.notes.drain(..surplus);
    }
}
