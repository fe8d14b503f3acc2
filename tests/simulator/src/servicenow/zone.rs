//! Time zones of displayed times. Records hold times in UTC. People see them in the zone of their user record, or else
//! in the instance's.

use casebridge_core::time::{format_servicenow, parse_servicenow};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, de::Error};

use super::{records::Session, store::field};

/// The property with the time zone of users who have none of their own.
pub const DEFAULT_PROPERTY: &str = "glide.sys.default.tz";

/// The zones that the platform offers for users by default, with their rules in POSIX form, so that every machine has
/// the same. Source: the choices of `sys_user.time_zone`.
const ZONES: [(&str, &str); 12] = [
    ("Canada/Atlantic", "AST4ADT,M3.2.0,M11.1.0"),
    ("Canada/Central", "CST6CDT,M3.2.0,M11.1.0"),
    ("Canada/Eastern", "EST5EDT,M3.2.0,M11.1.0"),
    ("Europe/London", "GMT0BST,M3.5.0/1,M10.5.0"),
    ("Europe/Paris", "CET-1CEST,M3.5.0,M10.5.0/3"),
    ("GMT", "GMT0"),
    ("Hongkong", "HKT-8"),
    ("US/Arizona", "MST7"),
    ("US/Central", "CST6CDT,M3.2.0,M11.1.0"),
    ("US/Eastern", "EST5EDT,M3.2.0,M11.1.0"),
    ("US/Mountain", "MST7MDT,M3.2.0,M11.1.0"),
    ("US/Pacific", "PST8PDT,M3.2.0,M11.1.0"),
];

impl Session<'_> {
    /// Returns the time zone in which the user sees times: the user's own, or else the instance's, or else UTC.
    pub fn zone(&self) -> TimeZone {
        let user = self.state.store.row("sys_user", &self.actor.sys_id);
        let own = user.and_then(|user| named(field(user, "time_zone")));
        own.or_else(|| named(&self.property(DEFAULT_PROPERTY)?)).unwrap_or(TimeZone::UTC)
    }
}

/// Returns the zone of this name. Returns `None` for a name that the platform does not offer by default.
pub fn named(name: &str) -> Option<TimeZone> {
    let (_, rules) = ZONES.iter().find(|(known, _)| *known == name)?;
    TimeZone::posix(rules).ok()
}

/// Reads the name of a zone from a configuration. Fails for an unknown name.
pub fn read_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(deserializer)?;
    match name {
        Some(name) if named(&name).is_none() => {
            let known: Vec<&str> = ZONES.iter().map(|(name, _)| *name).collect();
            Err(D::Error::custom(format!("time_zone '{name}' is unknown; known are {}", known.join(", "))))
        }
        name => Ok(name),
    }
}

/// Returns a stored time as people in the zone see it. Returns a text that is no time as it is.
pub fn local(zone: &TimeZone, stored: &str) -> String {
    // Simulations show many times, and all of them in UTC.
    if *zone == TimeZone::UTC {
        return stored.to_owned();
    }
    let moment = parse_servicenow(stored);
    moment.map_or_else(|| stored.to_owned(), |moment| format_servicenow(shown(moment, zone)))
}

/// Returns the time to store for a time that somebody in the zone wrote. Returns a text that is no time as it is.
pub fn stored(zone: &TimeZone, local: &str) -> String {
    let civil = parse_servicenow(local).map(|moment| TimeZone::UTC.to_datetime(moment));
    let moment = civil.and_then(|civil| zone.to_timestamp(civil).ok());
    moment.map_or_else(|| local.to_owned(), format_servicenow)
}

/// Returns the moment whose UTC form shows what a clock in the zone shows at `moment`.
fn shown(moment: Timestamp, zone: &TimeZone) -> Timestamp {
    TimeZone::UTC.to_timestamp(zone.to_datetime(moment)).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_can_be_read_and_times_go_there_and_back() {
        for (name, _) in ZONES {
            let zone = named(name).unwrap_or_else(|| panic!("{name} can't be read"));
            for moment in ["2026-01-01 00:00:00", "2026-07-01 12:30:00"] {
                assert_eq!(stored(&zone, &local(&zone, moment)), moment, "{name}");
            }
        }
        assert!(named("Middle/Earth").is_none());
    }

    #[test]
    fn summer_counts_and_other_texts_stay() {
        let zone = named("US/Pacific").unwrap();
        assert_eq!(local(&zone, "2026-01-01 00:00:00"), "2025-12-31 16:00:00");
        assert_eq!(local(&zone, "2026-07-01 00:00:00"), "2026-06-30 17:00:00");
        assert_eq!((local(&zone, ""), stored(&zone, "soon")), (String::new(), "soon".to_owned()));
    }
}
