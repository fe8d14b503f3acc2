//! The columns that were written last, and how often again.
//!
//! A rule of the instance may put other words into them with each write, or a script may clear them. Who writes them again at
//! once, each time, does so for ever and spends the link's writes on it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::digest, link::pass::longer_each_time, policy::Policy, servicenow::columns::BridgeColumns,
    text::HASH_DIGITS, time::later,
};

/// The columns that were written last where the incident showed others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenColumns {
    /// The hash of what was written.
    pub hash: String,
    /// When it was written last, by our clock.
    pub at: Timestamp,
    /// How often it was written again, since the incident showed something else.
    pub repeated: u32,
}

impl WrittenColumns {
    /// What is remembered once these columns are written in the place of others.
    pub(crate) fn after(earlier: Option<&Self>, columns: &BridgeColumns, now: Timestamp) -> Self {
        let hash = hash_of(columns);
        let earlier = earlier.filter(|earlier| earlier.hash == hash);
        let repeated = earlier.map_or(0, |earlier| earlier.repeated.saturating_add(1));
        Self { hash, at: now, repeated }
    }

    /// From when on these columns may be written again, which were written last; none if others were. Once that is at once, and
    /// at the longest it takes as long as after a refusal, which only people lift as well.
    pub(crate) fn again_at(&self, policy: &Policy, columns: &BridgeColumns) -> Option<Timestamp> {
        let is_repeated = self.repeated > 0 && self.hash == hash_of(columns);
        let wait = || longer_each_time(policy, self.repeated, policy.refusal_retry_seconds);
        is_repeated.then(|| later(self.at, wait()))
    }
}

fn hash_of(columns: &BridgeColumns) -> String {
    let BridgeColumns { account, case_id, display_id, case_status, sync_status, last_error } = columns;
    digest(&[account, case_id, display_id, case_status, sync_status, last_error], HASH_DIGITS)
}
