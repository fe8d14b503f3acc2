//! The webhook's body: `{"type":"incident.changed","timestamp":..,"data":{incident}}`.

use casebridge_core::{incident::Incident, time};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// The one type of event that the app sends.
const EVENT_TYPE: &str = "incident.changed";
/// How many hexadecimal digits a `sys_id` has.
const SYS_ID_DIGITS: usize = 32;

/// What is wrong with a body, and where. It repeats nothing of the body but the name of the field.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field `{field}` {problem}")]
pub struct MalformedBody {
    field: String,
    problem: &'static str,
}

/// What the value of a field must be.
#[derive(Clone, Copy)]
enum Form {
    Text,
    SysId,
    Moment,
    Count,
    Truth,
    Texts,
    Object,
    ObjectOrNull,
    Objects,
}

impl Form {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::SysId => value
                .as_str()
                .is_some_and(|text| text.len() == SYS_ID_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())),
            Self::Moment => value.as_str().is_some_and(|text| time::parse_servicenow(text).is_some()),
            Self::Count => value.is_u64(),
            Self::Truth => value.is_boolean(),
            Self::Texts => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
            Self::Object => value.is_object(),
            Self::ObjectOrNull => value.is_object() || value.is_null(),
            Self::Objects => value.as_array().is_some_and(|items| items.iter().all(Value::is_object)),
        }
    }

    fn problem(self) -> &'static str {
        match self {
            Self::Text => "must be a text",
            Self::SysId => "must be a sys_id of 32 hexadecimal digits",
            Self::Moment => "must be a UTC time as `2026-11-20 21:14:05`",
            Self::Count => "must be a whole number, not negative",
            Self::Truth => "must be true or false",
            Self::Texts => "must be a list of texts",
            Self::Object => "must be an object",
            Self::ObjectOrNull => "must be an object or null",
            Self::Objects => "must be a list of objects",
        }
    }
}

/// The fields of a snapshot.
const INCIDENT: [(&str, Form); 17] = [
    ("sys_id", Form::SysId),
    ("number", Form::Text),
    ("sys_mod_count", Form::Count),
    ("state", Form::Text),
    ("hold_reason", Form::Text),
    ("resolved_at", Form::Text),
    ("columns", Form::Object),
    ("close_codes", Form::Texts),
    ("taken_at", Form::Moment),
    ("account", Form::ObjectOrNull),
    ("service_code", Form::Text),
    ("category_code", Form::Text),
    ("short_description", Form::Text),
    ("description", Form::Text),
    ("priority", Form::Text),
    ("entries", Form::Objects),
    ("entries_complete", Form::Truth),
];
/// The fields of its account.
const ACCOUNT: [(&str, Form); 3] = [("number", Form::Text), ("name", Form::Text), ("production", Form::Truth)];
/// The fields of each of its entries.
const ENTRY: [(&str, Form); 5] = [
    ("sys_id", Form::Text),
    ("created_on", Form::Moment),
    ("created_by", Form::Text),
    ("author", Form::Text),
    ("text", Form::Text),
];

/// Reads the incident out of a body.
pub(crate) fn incident_of(body: &[u8]) -> Result<Incident, MalformedBody> {
    let body: Value = serde_json::from_slice(body).map_err(|_| malformed("body", "must be JSON"))?;
    let Value::Object(mut fields) = body else { return Err(malformed("body", Form::Object.problem())) };
    if fields.get("type").and_then(Value::as_str) != Some(EVENT_TYPE) {
        return Err(malformed("type", "must be `incident.changed`"));
    }
    let timestamp = fields.get("timestamp").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    if timestamp.is_none() {
        return Err(malformed("timestamp", "must be a UTC time in ISO 8601"));
    }
    let data = fields.remove("data").unwrap_or_default();
    let snapshot = data.as_object().ok_or_else(|| malformed("data", Form::Object.problem()))?;
    check("data", snapshot, &INCIDENT)?;
    if let Some(Value::Object(account)) = snapshot.get("account") {
        check("data.account", account, &ACCOUNT)?;
    }
    let entries = snapshot.get("entries").and_then(Value::as_array).into_iter().flatten();
    for (position, entry) in entries.filter_map(Value::as_object).enumerate() {
        check(&format!("data.entries[{position}]"), entry, &ENTRY)?;
    }
    serde_json::from_value(data).map_err(|_| malformed("data", "is not a snapshot of an incident"))
}

fn check(path: &str, object: &Map<String, Value>, fields: &[(&str, Form)]) -> Result<(), MalformedBody> {
    for (name, form) in fields {
        let field = || format!("{path}.{name}");
        match object.get(*name) {
            None => return Err(malformed(&field(), "is missing")),
            Some(value) if !form.fits(value) => return Err(malformed(&field(), form.problem())),
            Some(_) => {}
        }
    }
    Ok(())
}

fn malformed(field: &str, problem: &'static str) -> MalformedBody {
    MalformedBody { field: field.to_owned(), problem }
}
