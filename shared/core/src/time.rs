//! Time as ServiceNow writes it, and durations. The current time is always an argument.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

/// How far the clock of a side may differ from ours, if nothing else limits it.
pub const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(1);

/// ServiceNow's format of a moment: UTC, whole seconds, no zone (`2026-11-20 21:14:05`).
const SERVICENOW_FORM: &str = "%Y-%m-%d %H:%M:%S";

/// Rounds a wait up to whole seconds, since queues count in seconds and the wait must not be too short.
pub fn whole_seconds(wait: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(wait.as_secs() + i64::from(wait.subsec_nanos() > 0))
}

/// Returns whole seconds as a duration.
pub fn seconds(count: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(count))
}

/// Returns the moment after a wait, or the last possible moment if the wait reaches beyond it.
pub fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Returns the moment before a wait, or the first possible moment if the wait reaches beyond it.
pub fn earlier(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_sub(wait).unwrap_or(Timestamp::MIN)
}

/// Reads a moment as ServiceNow writes it. Returns `None` for an empty or unreadable value.
pub fn parse_servicenow(text: &str) -> Option<Timestamp> {
    let moment = DateTime::strptime(SERVICENOW_FORM, text.trim()).ok()?;
    TimeZone::UTC.to_timestamp(moment).ok()
}

/// Writes a moment as ServiceNow does, cut to whole seconds.
pub fn format_servicenow(moment: Timestamp) -> String {
    moment.strftime(SERVICENOW_FORM).to_string()
}

/// Serde for a moment in ServiceNow's form.
pub mod servicenow_form {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the moment in ServiceNow's form.
    ///
    /// # Errors
    /// Fails if the serializer does.
    pub fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format_servicenow(*moment))
    }

    /// Reads a moment in ServiceNow's form.
    ///
    /// # Errors
    /// Fails if the value is no text, or not a time in this form.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The error must not contain the text: it may be a customer's, and errors are logged.
        super::parse_servicenow(&text).ok_or_else(|| D::Error::custom("expected a time as `2026-11-20 21:14:05`"))
    }
}

/// Serde for a moment in ServiceNow's form that may be empty.
pub mod optional_servicenow_form {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the moment in ServiceNow's form, or an empty text.
    ///
    /// # Errors
    /// Fails if the serializer does.
    pub fn serialize<S: Serializer>(moment: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&moment.map(super::format_servicenow).unwrap_or_default())
    }

    /// Reads a moment in ServiceNow's form. Returns `None` if it is empty or unreadable.
    ///
    /// # Errors
    /// Fails if the value is no text.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(super::parse_servicenow(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[test]
    fn servicenow_times_are_utc_and_round_trip() {
        let moment = parse_servicenow("2026-11-20 21:14:05").unwrap();
        assert_eq!(moment.to_string(), "2026-11-20T21:14:05Z");
        assert_eq!(format_servicenow(moment), "2026-11-20 21:14:05");
        assert_eq!(parse_servicenow(""), None);
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        #[serde(with = "servicenow_form")]
        opened_at: Timestamp,
        #[serde(with = "optional_servicenow_form")]
        resolved_at: Option<Timestamp>,
    }

    #[test]
    fn times_in_json_are_read_as_they_were_written() {
        let opened_at = parse_servicenow("2026-11-20 21:14:05").unwrap();
        let resolved_at = parse_servicenow("2026-11-21 08:00:00");
        for (row, text) in [
            (Row { opened_at, resolved_at: None }, r#"{"opened_at":"2026-11-20 21:14:05","resolved_at":""}"#),
            (
                Row { opened_at, resolved_at },
                r#"{"opened_at":"2026-11-20 21:14:05","resolved_at":"2026-11-21 08:00:00"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&row).unwrap(), text);
            assert_eq!(serde_json::from_str::<Row>(text).unwrap(), row);
        }
    }

    #[test]
    fn an_unreadable_time_is_none_where_it_may_be_empty_and_an_error_elsewhere() {
        let row: Row = serde_json::from_str(r#"{"opened_at": "2026-11-20 21:14:05", "resolved_at": "soon"}"#).unwrap();
        assert_eq!(row.resolved_at, None);
        let error = serde_json::from_str::<Row>(r#"{"opened_at": "", "resolved_at": ""}"#).unwrap_err();
        assert!(error.to_string().contains("expected a time as `2026-11-20 21:14:05`"), "{error}");
    }
}
