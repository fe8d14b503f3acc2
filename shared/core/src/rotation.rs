//! How long the webhook's previous secret is accepted after a rotation.
//!
//! Secrets Manager keeps a replaced version for as long as nobody replaces it again, and does not tell when it was replaced:
//! a version may be created long before it becomes the current one. So the ledger remembers when the current version was
//! seen first, and from then on the previous one has a day.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The name of the rotation's row in the ledger.
pub const ROTATION: &str = "webhook_secret_rotation";

/// How long the previous secret is accepted: long enough for an administrator of ServiceNow to enter the new one on the next
/// working day of a team that rotates with care, short enough for a rotation to be a revocation.
pub const PREVIOUS_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// The current version of the webhook's secret, and since when it has been known as such.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The version's id.
    pub version: String,
    /// When it was seen first.
    pub seen_at: Timestamp,
}

impl Rotation {
    /// Reads the row; none if there is none, or none that can be read.
    pub fn read(row: Option<&str>) -> Option<Self> {
        serde_json::from_str(row?).ok()
    }
}

/// What is to be remembered now that `version` is current: none if that is remembered already.
pub fn seen(known: Option<&Rotation>, version: &str, now: Timestamp) -> Option<Rotation> {
    let is_known = known.is_some_and(|known| known.version == version);
    (!is_known).then(|| Rotation { version: version.to_owned(), seen_at: now })
}

/// Whether the version before `current` is still accepted, of which is known when it was created.
///
/// Where the rotation has not been seen yet, it is only minutes old, or nobody looks: then the current version has a day from
/// its creation, which is no later than the rotation.
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
}
