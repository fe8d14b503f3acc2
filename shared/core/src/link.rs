//! What every kind of link shares: what is remembered of an incident and of its link between two passes.

pub mod index;
pub mod intent;
pub mod kind;
pub mod mark;
pub mod notice;
pub mod pace;
pub mod pass;
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
        incident::{IncidentState, IncidentSummary},
        journal::Journal,
    },
};

/// How many notices an incident shows at most: what its column has room for.
const NOTICES: usize = 5;

/// What both sides last agreed on, whatever the kind: the third side of the merge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Whether work had ended on both sides.
    pub ended: bool,
    /// The state that casebridge wrote last: what it set, it may take back.
    pub state_written: Option<IncidentState>,
}

/// A state that casebridge is about to write to the incident, or has written without learning how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateIntent {
    /// The state.
    pub state: IncidentState,
    /// The incident's update count that the write is bound to.
    pub expected_mod_count: u64,
    /// When it was written down, by our clock, before the call.
    pub written_at: Timestamp,
}

/// An update count below the remembered one: a lagging node's, or that of an incident that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowerCount {
    /// When it was seen first, by our clock.
    pub since: Timestamp,
}

/// Everything that is remembered of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Link<K: Remembered> {
    /// What is remembered of the AWS side. Every state has it: one of another form is not taken for a blank one.
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
    /// Whether its update count was seen to fall.
    #[serde(default)]
    pub lower_count: Option<LowerCount>,
    /// The incident's comments.
    #[serde(default)]
    pub journal: Journal,
    /// The call whose outcome is not recorded yet. Nothing follows it before.
    #[serde(default)]
    pub intent: Option<Intent<K::Intent>>,
    /// How many intents the link has had.
    #[serde(default)]
    pub intents: u64,
    /// How the latest of them ended.
    #[serde(default)]
    pub ended_intent: Option<EndedIntent>,
    /// How many of the latest calls in a row seemed never applied.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub never_applied: u32,
    /// What keeps either side from being written to.
    #[serde(default)]
    pub troubles: Troubles<K::Refused>,
    /// What people have to know.
    #[serde(default)]
    pub notices: Vec<Notice>,
    /// When we wrote to either side lately, by our clock: what the loop breaker counts.
    #[serde(default)]
    pub recent_writes: Vec<Timestamp>,
    /// The columns that were written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns_written: Option<WrittenColumns>,
    /// Whether the last pass left nothing to wait for: then the remembered incident stands in for a read.
    #[serde(default)]
    pub settled: bool,
    /// Whether a pass ended before it recorded what it had done: what it delivered is known to ServiceNow alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Since when the incident has not been found, by our clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_since: Option<Timestamp>,
}

// Derived, it would ask for an intent by default.
impl<K: Remembered> Default for Link<K> {
    fn default() -> Self {
        Self {
            memory: K::Memory::default(),
            base: Base::default(),
            state_intent: None,
            incident: None,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl<K: Remembered> Link<K> {
    /// Whether nothing is worth remembering: an incident that was looked at and is none of ours.
    pub fn is_blank(&self) -> bool {
        K::is_blank(&self.memory)
            && self.intent.is_none()
            && self.intents == 0
            && self.troubles.is_empty()
            && self.lower_count.is_none()
    }

    /// Whether the call whose outcome is not known may be the one that was refused.
    pub(crate) fn is_in_doubt(&self, refused: &K::Refused) -> bool {
        self.intent.as_ref().is_some_and(|intent| K::concerns(refused, &intent.kind))
    }

    /// Adds a notice, once; the oldest go when there are too many.
    pub fn notice(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
            let surplus = self.notices.len().saturating_sub(NOTICES);
            self.notices.drain(..surplus);
        }
    }
}
