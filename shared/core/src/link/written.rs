//! The columns that casebridge wrote last, and how often it wrote them again.
//!
//! A rule of the instance may put other words into the columns with each write, or a script may clear them. casebridge waits
//! longer before each repeat. Without the wait it would write them for ever and use up the writes of the link.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::digest, link::pass::longer_each_time, policy::Policy, servicenow::columns::BridgeColumns,
    text::HASH_DIGITS, time::later,
};

/// The columns that casebridge wrote last while the incident showed others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenColumns {
    /// The hash of the columns.
    pub hash: String,
    /// When they were written last, by our clock.
    pub at: Timestamp,
    /// How often they were written again because the incident showed something else.
    pub repeated: u32,
}

impl WrittenColumns {
    /// Returns the record of a write of these columns at `now`.
    pub(crate) fn after(earlier: Option<&Self>, columns: &BridgeColumns, now: Timestamp) -> Self {
        let hash = hash_of(columns);
        let earlier = earlier.filter(|earlier| earlier.hash == hash);
        let repeated = earlier.map_or(0, |earlier| earlier.repeated.saturating_add(1));
        Self { hash, at: now, repeated }
    }

    /// Returns when these columns may be written again. Returns `None` if that is now: others were written last, or these
    /// were written only once. The wait doubles with each repeat, up to `refusal_retry_seconds`, since only people can end
    /// either.
    pub(crate) fn again_at(&self, policy: &Policy, columns: &BridgeColumns) -> Option<Timestamp> {
        let is_repeated = self.repeated > 0 && self.hash == hash_of(columns);
        let wait = || longer_each_time(policy, self.repeated, policy.refusal_retry_seconds);
        is_repeated.then(|| later(self.at, wait()))
    }
}

fn hash_of(columns: &BridgeColumns) -> String {
    let BridgeColumns { own, sync_status, last_error } = columns;
    let own = own.iter().flat_map(|(name, text)| [name.as_str(), text.as_str()]);
    let parts: Vec<&str> = own.chain([sync_status.as_str(), last_error.as_str()]).collect();
    digest(&parts, HASH_DIGITS)
}
