//! The webhook's body: `{"id":..,"type":"incident.changed","timestamp":..,"data":{"sys_id":..,"sys_mod_count":..}}`.
//!
//! It says that an incident may have changed. The pass reads the incident from the instance, so a forged or delayed
//! body, or one from a clone of the instance, costs one read. Further fields are ignored.

use casebridge_core::identifiers::IncidentId;
use jiff::Timestamp;
use serde_json::Value;

/// The only type of event that the app sends.
const EVENT_TYPE: &str = "incident.changed";
/// The hexadecimal digits of a `sys_id`.
const SYS_ID_DIGITS: usize = 32;

/// A field of the body that is wrong. The error repeats only the field's name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field `{field}` {problem}")]
pub struct MalformedBody {
    field: &'static str,
    problem: &'static str,
}

/// The content of a webhook.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReportedChange {
    /// The incident that may have changed.
    pub(crate) incident: IncidentId,
    /// Its update count when the webhook was sent, for the log alone.
    pub(crate) sys_mod_count: Option<u64>,
}

/// Reads a body. Fails with the first field that is wrong.
pub(crate) fn reported_change(body: &[u8]) -> Result<ReportedChange, MalformedBody> {
    let body: Value = serde_json::from_slice(body).map_err(|_| malformed("body", "must be JSON"))?;
    if !body.is_object() {
        return Err(malformed("body", "must be an object"));
    }
    if body["type"].as_str() != Some(EVENT_TYPE) {
        return Err(malformed("type", "must be `incident.changed`"));
    }
    if body["timestamp"].as_str().and_then(|text| text.parse::<Timestamp>().ok()).is_none() {
        return Err(malformed("timestamp", "must be a UTC time in ISO 8601"));
    }
    let data = body["data"].as_object().ok_or_else(|| malformed("data", "must be an object"))?;
    let sys_id = data.get("sys_id").ok_or_else(|| malformed("data.sys_id", "is missing"))?;
    let incident = sys_id.as_str().filter(|text| is_sys_id(text)).map(IncidentId::new);
    let incident = incident.ok_or_else(|| malformed("data.sys_id", "must be a sys_id of 32 hexadecimal digits"))?;
    Ok(ReportedChange { incident, sys_mod_count: data.get("sys_mod_count").and_then(Value::as_u64) })
}

fn is_sys_id(text: &str) -> bool {
    text.len() == SYS_ID_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn malformed(field: &'static str, problem: &'static str) -> MalformedBody {
    MalformedBody { field, problem }
}
