//! The control API: people on AWS's side, faults, counts, and the full state of AWS Support.

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::simulator::Simulator;
use crate::clock;
use crate::faults::{Rule, RuleError};
use crate::publisher::EventBus;
use crate::servicenow::records::WriteError;
use crate::servicenow::state::LogLine;
use crate::support::PeopleError;
use crate::wire::{Request, Response};

/// The path of the control API.
pub(super) const PREFIX: &str = "/control";

/// Returns the rest of the path, if the request is for the control API.
pub(super) fn path(request: &Request) -> Option<&str> {
    request.path.strip_prefix(PREFIX).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(super) fn answer(simulator: &Simulator, request: &Request, path: &str) -> Response {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let result = match (request.method.as_str(), segments.as_slice()) {
        (method, ["support", rest @ ..]) => support::answer(simulator, request, method, rest),
        ("GET", ["servicenow", "log"]) => Ok(instance_log(simulator)),
        ("POST", ["servicenow", "incidents", sys_id, "auto-close"]) => auto_close(simulator, request, sys_id),
        ("POST", ["servicenow", "users", user_name, "rename"]) => rename_user(simulator, request, user_name),
        ("POST", ["faults"]) => add_fault(simulator, request),
        ("GET", ["faults"]) => Ok(json!({ "faults": simulator.faults().rules().collect::<Vec<_>>() })),
        ("DELETE", ["faults"]) => Ok(drop_faults(simulator, request)),
        ("GET", ["calls"]) => Ok(simulator.calls().to_json()),
        ("DELETE", ["calls"]) => {
            simulator.calls().reset();
            Ok(simulator.calls().to_json())
        }
        ("PUT", ["events"]) => set_event_bus(simulator, request),
        ("PUT", ["resolve"]) => set_names(simulator, request),
        (_, ["servicenow", "log" | "incidents" | "users", ..] | ["faults" | "calls" | "events" | "resolve"]) => {
            Err(ControlError::Method)
        }
        _ => Err(ControlError::Path),
    };
    match result {
        Ok(body) => Response::json(200, &body),
        Err(error) => error.response(request),
    }
}

/// The reason to refuse a request.
#[derive(Debug)]
enum ControlError {
    Path,
    Method,
    Invalid(String),
    NotFound(String),
    Conflict(String),
}

impl ControlError {
    fn response(self, request: &Request) -> Response {
        let (status, code, message) = match self {
            Self::Path => (404, "not_found", format!("the control API has no path {}", request.path)),
            Self::Method => {
                let message = format!("{} is not a method of {}", request.method, request.path);
                (405, "method_not_allowed", message)
            }
            Self::Invalid(message) => (400, "invalid_request", message),
            Self::NotFound(message) => (404, "not_found", message),
            Self::Conflict(message) => (409, "conflict", message),
        };
        Response::json(status, &json!({ "error": { "code": code, "message": message } }))
    }
}

impl From<PeopleError> for ControlError {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::NoSuchCase(_) | PeopleError::NoSuchAccount(_) => Self::NotFound(error.to_string()),
            PeopleError::Invalid(message) => Self::Invalid(message),
        }
    }
}

impl From<RuleError> for ControlError {
    fn from(error: RuleError) -> Self {
        Self::Invalid(error.to_string())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AutoClose {
    days: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rename {
    user_name: String,
}

/// Returns the log of the scripts, with the reasons of their failures.
fn instance_log(simulator: &Simulator) -> Value {
    let instance = simulator.instance();
    let line =
        |line: &LogLine| json!({ "at": format!("{:.3}", line.at), "level": line.level, "message": line.message });
    json!({ "log": instance.log().map(line).collect::<Vec<_>>() })
}

/// The platform's job closes one incident: its state and a comment by `system` in one update.
fn auto_close(simulator: &Simulator, request: &Request, sys_id: &str) -> Result<Value, ControlError> {
    let AutoClose { days } = parse(request)?;
    let closed = simulator.instance().auto_close_one(clock::now(), sys_id, days, &simulator.network);
    closed.map(|()| json!({ "sys_id": sys_id })).map_err(|error| match error {
        WriteError::NotFound => ControlError::NotFound(format!("there is no incident '{sys_id}'")),
        refused => ControlError::Conflict(refused.to_string()),
    })
}

/// An administrator renames a user. Its tokens and its password stay valid.
fn rename_user(simulator: &Simulator, request: &Request, user_name: &str) -> Result<Value, ControlError> {
    let renamed: Rename = parse(request)?;
    if simulator.instance().rename_user(user_name, &renamed.user_name) {
        Ok(json!({ "user_name": renamed.user_name }))
    } else {
        Err(ControlError::NotFound(format!("the instance has no user '{user_name}'")))
    }
}

fn add_fault(simulator: &Simulator, request: &Request) -> Result<Value, ControlError> {
    let rule: Rule = parse(request)?;
    let mut faults = simulator.faults();
    faults.add(rule)?;
    Ok(json!({ "faults": faults.rules().collect::<Vec<_>>() }))
}

fn drop_faults(simulator: &Simulator, request: &Request) -> Value {
    let mut faults = simulator.faults();
    match request.parameter("containing") {
        None => faults.clear(),
        Some(containing) => faults.drop_about(containing),
    }
    json!({ "faults": faults.rules().collect::<Vec<_>>() })
}

fn set_event_bus(simulator: &Simulator, request: &Request) -> Result<Value, ControlError> {
    let bus: EventBus = parse(request)?;
    let answer = json!({ "event_bus_arn": bus.event_bus_arn });
    simulator.publisher.redirect(bus);
    Ok(answer)
}

fn set_names(simulator: &Simulator, request: &Request) -> Result<Value, ControlError> {
    let names: BTreeMap<String, SocketAddr> = parse(request)?;
    simulator.network.resolve(&names).map_err(|error| ControlError::Invalid(error.to_string()))?;
    Ok(json!(names))
}

fn parse<T: DeserializeOwned>(request: &Request) -> Result<T, ControlError> {
    serde_json::from_slice(&request.body)
        .map_err(|error| ControlError::Invalid(format!("the body is not right: {error}")))
}
