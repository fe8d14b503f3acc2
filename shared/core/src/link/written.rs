//! The columns that casebridge wrote last, and how often it wrote them again.
//!
//! A rule of the instance may put other words into the columns with each write, or a script may clear them. casebridge waits
//! longer before each repeat. Without the wait it would write them for ever and use up the writes of the link.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::digest, link::patience, policy::Policy, servicenow::columns::BridgeColumns, text::HASH_DIGITS,
    time::later,
};

/// How long the incident has to show the columns as they were written before casebridge takes it that nothing rewrites
/// them. A nightly job rewrites them within that time.
const KEPT_AFTER: SignedDuration = SignedDuration::from_hours(48);

/// The columns that casebridge wrote last while the incident showed others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenColumns {
    /// The hash of the columns.
    pub hash: String,
    /// When they were written first, by our clock.
    pub since: Timestamp,
    /// When they were written last, by our clock.
    pub at: Timestamp,
    /// How often they were written again because the incident showed something else. Columns that follow columns which
    /// were not kept begin with the count of these.
    pub repeated: u32,
}

impl WrittenColumns {
    /// Returns the record of a write of these columns at `now` to an incident that showed other ones (`shown`).
    ///
    /// What rewrites the columns mostly rewrites other words as well. So new words after columns that were not kept are
    /// written at once and repeated as late as those would have been. Otherwise two texts that take turns, such as that of
    /// the loop breaker and the one after it, would be written for ever.
    pub(crate) fn after(
        earlier: Option<&Self>,
        shown: &BridgeColumns,
        columns: &BridgeColumns,
        now: Timestamp,
    ) -> Self {
        let first = Self { hash: hash_of(columns), since: now, at: now, repeated: 0 };
        match earlier {
            Some(same) if same.hash == first.hash => {
                Self { since: same.since, repeated: same.repeated.saturating_add(1), ..first }
            }
            Some(not_kept) if not_kept.hash != hash_of(shown) => Self { repeated: not_kept.repeated, ..first },
            _ => first,
        }
    }

    /// Whether a write of these columns would be a further repeat: they were written last, and more than once.
    pub(crate) fn is_repeat(&self, columns: &BridgeColumns) -> bool {
        self.repeated > 0 && self.hash == hash_of(columns)
    }

    /// Returns when the columns may be repeated, which may be in the past. Returns `None` after a month. The wait doubles
    /// with each repeat, up to that of all that only people can end: each write is an update of the incident, which for
    /// example keeps a resolved incident from being closed.
    pub(crate) fn again_at(&self, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
        let longest = patience::interval_seconds(policy, self.since, now)?;
        Some(later(self.at, policy.longer_each_time(self.repeated, longest)))
    }

    /// Whether an incident that shows these columns at `now` proves that they are kept.
    pub(crate) fn are_kept(&self, shown: &BridgeColumns, now: Timestamp) -> bool {
        self.hash == hash_of(shown) && now.duration_since(self.at) >= KEPT_AFTER
    }
}

fn hash_of(columns: &BridgeColumns) -> String {
    let BridgeColumns { own, sync_status, last_error } = columns;
    let own = own.iter().flat_map(|(name, text)| [name.as_str(), text.as_str()]);
    let parts: Vec<&str> = own.chain([sync_status.as_str(), last_error.as_str()]).collect();
    digest(&parts, HASH_DIGITS)
}
