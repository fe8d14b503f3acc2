//! How long the webhook's previous secret is accepted after a rotation.
//!
//! Secrets Manager keeps a replaced version until the next replacement, and does not say when it was replaced: a
//! version may be created long before it becomes the current one. So the ledger records when the current version was
//! first seen, and casebridge accepts the previous version for a day from then on.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The name of the rotation's row in the ledger.
pub const ROTATION: &str = "webhook_secret_rotation";

/// How long the previous secret is accepted. It is long enough for an administrator of ServiceNow to enter the new
/// secret on the next working day, if the team chooses the day of the rotation with care, and short enough for a
/// rotation to revoke the old secret.
pub const PREVIOUS_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// The current version of the webhook's secret, and when it was first seen as current.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The version's id.
    pub version: String,
    /// When it was first seen as current.
    pub seen_at: Timestamp,
}

impl Rotation {
    /// Reads the row. Returns `None` if there is no row or if it can't be read.
    pub fn read(row: Option<&str>) -> Option<Self> {
        serde_json::from_str(row?).ok()
    }
}

/// Returns what to record when `version` is current. Returns `None` if that is recorded already.
pub fn seen(known: Option<&Rotation>, version: &str, now: Timestamp) -> Option<Rotation> {
    let is_known = known.is_some_and(|known| known.version == version);
    (!is_known).then(|| Rotation { version: version.to_owned(), seen_at: now })
}

/// Whether the version before `current` is still accepted. `created_at` is when `current` was created, if that is
/// known.
///
/// If the rotation has not been seen yet, it is only minutes old, or the poller does not run. Then the day begins with
/// the creation of the current version, which is not later than the rotation.
pub fn is_previous_accepted(
    known: Option<&Rotation>,
    current: &str,
    created_at: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let seen_at = known.filter(|known| known.version == current).map(|known| known.seen_at);
    seen_at.or(created_at).is_some_and(|since| now.duration_since(since) < PREVIOUS_LASTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(hours * 3_600).unwrap()
    }

    #[test]
    fn the_previous_secret_has_a_day_from_when_the_rotation_was_seen() {
        let rotation = seen(None, "b", at(100)).unwrap();
        let created = Some(at(90));
        assert!(is_previous_accepted(None, "b", created, at(100)), "not seen yet");
        assert!(is_previous_accepted(Some(&rotation), "b", created, at(123)), "created long before");
        assert!(!is_previous_accepted(Some(&rotation), "b", Some(at(124)), at(124)));
        assert!(
            is_previous_accepted(Some(&rotation), "c", Some(at(500)), at(500)),
            "the next rotation is not seen yet"
        );
    }

    #[test]
    fn the_previous_secret_stops_a_day_after_the_creation_where_nobody_sees_the_rotation() {
        for known in [None, seen(None, "a", at(1))] {
            assert!(is_previous_accepted(known.as_ref(), "b", Some(at(100)), at(123)));
            assert!(!is_previous_accepted(known.as_ref(), "b", Some(at(100)), at(124)));
            assert!(!is_previous_accepted(known.as_ref(), "b", None, at(100)));
        }
    }

    #[test]
    fn a_rotation_is_remembered_once() {
        let rotation = seen(None, "a", at(1)).unwrap();
        assert_eq!(seen(Some(&rotation), "a", at(50)), None, "the day does not begin again");
        assert_eq!(seen(Some(&rotation), "b", at(60)), Some(Rotation { version: "b".to_owned(), seen_at: at(60) }));
    }

    #[test]
    fn what_is_recorded_of_a_rotation_is_read_again() {
        let rotation = seen(None, "a", at(1)).unwrap();
        let row = serde_json::to_string(&rotation).unwrap();
        assert_eq!(Rotation::read(Some(&row)), Some(rotation));
        assert_eq!((Rotation::read(None), Rotation::read(Some("a"))), (None, None));
    }
}
