//! What every kind of link shares: what casebridge remembers of an incident and of its link between two passes.

pub mod index;
pub mod intent;
pub mod kind;
pub mod mark;
pub mod notice;
pub mod pace;
pub mod pass;
mod patience;
pub mod pause;
pub mod plan;
pub mod planner;
pub mod remembered;
pub mod trouble;
pub mod wake;
pub mod written;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    link::{
        intent::{EndedIntent, Intent},
        notice::Notice,
        remembered::Remembered,
        trouble::Troubles,
        written::WrittenColumns,
    },
    servicenow::{
        delivery::Described,
        incident::{IncidentState, IncidentSummary},
        journal::Journal,
    },
};

/// How many notices a link remembers at most: as many as there are kinds of them. The column shows the latest one, and
/// an older one again when the latest no longer holds.
const NOTICES: usize = 5;

/// What both sides last agreed on: the third side of the three-way merge. It is the same for each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Whether work had ended on both sides.
    pub ended: bool,
    /// The state that casebridge wrote last. casebridge may change a state that it set itself.
    pub state_written: Option<IncidentState>,
}

/// A state that casebridge is about to write to the incident, or has written without learning the outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateIntent {
    /// The state.
    pub state: IncidentState,
    /// The incident's update count that the write is bound to: the write is applied only to this count.
    pub expected_mod_count: u64,
    /// When it was recorded, by our clock. It is recorded before the call.
    pub written_at: Timestamp,
}

/// An update count below the remembered one. Either a node lags, or the incident was restored from a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowerCount {
    /// When a read first showed it, by our clock.
    pub since: Timestamp,
}

/// An incident that casebridge has still to open, for a record that somebody opened at AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The message that the description holds. Recorded before the first try, which may have opened the incident; each
    /// further try has the same. `None` before the first try, and if the description holds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub describes: Option<Described>,
    /// The number of the closed incident that it continues. `None` if it is the record's first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
    /// How often ServiceNow has refused what the incident was to say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u32,
}

/// Everything that casebridge remembers of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Link<K: Remembered> {
    /// What the link remembers of the AWS side. It has no default, so that a stored state of another form is an error
    /// and not read as a blank link.
    pub memory: K::Memory,
    /// What both sides last agreed on.
    #[serde(default)]
    pub base: Base,
    /// The state that is being written to the incident.
    #[serde(default)]
    pub state_intent: Option<StateIntent>,
    /// The incident as last seen.
    #[serde(default)]
    pub incident: Option<IncidentSummary>,
    /// The incident that has still to be opened. `None` if the incident came first, and once it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
    /// Set while reads show an update count below the remembered one.
    #[serde(default)]
    pub lower_count: Option<LowerCount>,
    /// The incident's comments.
    #[serde(default)]
    pub journal: Journal,
    /// The call whose outcome is not recorded yet. casebridge makes no other call until it is.
    #[serde(default)]
    pub intent: Option<Intent<K::Intent>>,
    /// How many intents the link has had.
    #[serde(default)]
    pub intents: u64,
    /// The latest intent that has ended, and how.
    #[serde(default)]
    pub ended_intent: Option<EndedIntent>,
    /// How many of the latest intents in a row ended as never applied.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub never_applied: u32,
    /// What delays requests to either side.
    #[serde(default)]
    pub troubles: Troubles<K::Refused>,
    /// What people have to know.
    #[serde(default)]
    pub notices: Vec<Notice>,
    /// When casebridge wrote to either side, by our clock, within the loop breaker's window.
    #[serde(default)]
    pub recent_writes: Vec<Timestamp>,
    /// The columns that casebridge wrote last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns_written: Option<WrittenColumns>,
    /// Whether the last pass left nothing to wait for. If so, a pass may use the remembered incident instead of reading
    /// it.
    #[serde(default)]
    pub settled: bool,
    /// Whether a pass ended before it recorded what it had done. Then only ServiceNow knows what that pass delivered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Since when reads have not found the incident, or since a later change of the record that was not taken in because
    /// the incident has to be read first, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_since: Option<Timestamp>,
}

// Not derived: the derive would require a default intent.
impl<K: Remembered> Default for Link<K> {
    fn default() -> Self {
        Self {
            memory: K::Memory::default(),
            base: Base::default(),
            state_intent: None,
            incident: None,
            opening: None,
            lower_count: None,
            journal: Journal::default(),
            intent: None,
            intents: 0,
            ended_intent: None,
            never_applied: 0,
            troubles: Troubles::default(),
            notices: Vec::new(),
            recent_writes: Vec::new(),
            columns_written: None,
            settled: false,
            interrupted: false,
            gone_since: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires a reference")]
pub(crate) fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl<K: Remembered> Link<K> {
    /// Whether nothing is worth remembering. This is so for an incident that a pass looked at and that asks for no
    /// record.
    pub fn is_blank(&self) -> bool {
        K::is_blank(&self.memory)
            && self.intent.is_none()
            && self.intents == 0
            && self.troubles.is_empty()
            && self.lower_count.is_none()
    }

    /// Whether the call in doubt may be a new try of this refused call.
    pub(crate) fn is_in_doubt(&self, refused: &K::Refused) -> bool {
        self.intent.as_ref().is_some_and(|intent| K::concerns(refused, &intent.kind))
    }

    /// Adds a notice, if it is not there yet. Removes the oldest notices beyond `NOTICES`.
    pub fn notice(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
            let surplus = self.notices.len().saturating_sub(NOTICES);
            self.notices.drain(..surplus);
        }
    }
}
