//! The operations of scripts on the instance: records, properties, digests, requests to other systems.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    AuditAccess,
    attachments::{self, FileError, NewFile},
    engine::HostCalls,
    query::{self, Condition, Operator, Order, Query, any_matches},
    records::{Session, WriteError},
    rules::{self, Rule, UndecidedRule, When},
    schema::Table,
    state::{Obstacle, hex},
    store::{Row, field},
    view::View,
};
use crate::{
    support::attachments::content::Content,
    wire::{Outbound, Request},
};

/// The timeout of a script's request that sets none, in milliseconds: the platform's default.
const HTTP_TIMEOUT_MILLISECONDS: u64 = 175_000;

/// The largest body that scripts may read as a text (`glide.rest.max_content_length`), in bytes.
const MAXIMUM_BODY_BYTES: u64 = 10 * 1024 * 1024;

/// The audit trail.
const AUDIT: &str = "sys_audit";

/// The instance, as one running script calls it.
pub struct Host<'a, 'b> {
    /// The user, the records and the clock of the script.
    pub session: &'a mut Session<'b>,
    /// The network for requests to other systems.
    pub outbound: &'a dyn Outbound,
    /// The rule whose condition the script decides.
    pub undecided: Option<UndecidedRule>,
    /// The scope of the script that runs: the app's, or empty for the platform's.
    pub scope: String,
    /// The body of the request that the script answers. It is gone once the script has read it as a stream.
    pub body: Option<Content>,
}

#[derive(Deserialize)]
struct QueryArgument {
    table: String,
    parts: Vec<QueryPart>,
    order: Vec<OrderArgument>,
    limit: Option<usize>,
    offset: usize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum QueryPart {
    Encoded { encoded: String },
    Any { any: Vec<ConditionArgument> },
}

#[derive(Deserialize)]
struct ConditionArgument {
    field: String,
    operator: String,
    value: String,
}

#[derive(Deserialize)]
struct OrderArgument {
    field: String,
    descending: bool,
}

#[derive(Deserialize)]
struct WriteArgument {
    table: String,
    sys_id: Option<String>,
    #[serde(default)]
    values: Row,
    workflow: bool,
}

#[derive(Deserialize)]
struct AttachArgument {
    table: String,
    record: String,
    name: String,
    content_type: String,
    source: Source,
}

/// Where the bytes of a new file come from.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    /// The body of the request.
    Body,
    /// Another attachment.
    Attachment(String),
    /// A text of the script.
    Text(String),
}

#[derive(Deserialize)]
struct SendArgument {
    url: String,
    method: String,
    headers: BTreeMap<String, String>,
    body: String,
    timeout: Option<u64>,
}

impl HostCalls for Host<'_, '_> {
    fn call(&mut self, operation: &str, argument: &str) -> Result<String, String> {
        let argument: Value = serde_json::from_str(argument).map_err(|error| error.to_string())?;
        let answer = match operation {
            "query" | "insert" | "update" | "delete" => self.record_operation(operation, argument)?,
            "columns" | "defaults" | "display" | "label" => self.describe(operation, &argument)?,
            "before_rules" | "matches" | "next_undecided" | "queue_decided" | "drop_decided" => {
                self.rules(operation, &argument)?
            }
            "attach" | "detach" | "has_file" | "body_text" => self.file_operation(operation, argument)?,
            "digest" | "mac" | "base64_encode" | "base64_decode" => encode(operation, &argument)?,
            "send" => self.send(argument)?,
            _ => self.environment(operation, &argument)?,
        };
        Ok(answer.to_string())
    }
}

fn text<'a>(argument: &'a Value, name: &str) -> &'a str {
    argument.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn read<T: for<'de> Deserialize<'de>>(argument: Value) -> Result<T, String> {
    serde_json::from_value(argument).map_err(|error| error.to_string())
}

impl Host<'_, '_> {
    fn record_operation(&mut self, operation: &str, argument: Value) -> Result<Value, String> {
        if self.session.state.stopped {
            return Err(WriteError::Stopped.to_string());
        }
        if operation == "query" {
            return self.query(read(argument)?);
        }
        let argument: WriteArgument = read(argument)?;
        if let Some(refusal) = self.refuse_cross_scope(operation, &argument.table) {
            self.session.state.log(self.session.now, "error", refusal.clone());
            return Ok(json!({"error": refusal}));
        }
        let sys_id = argument.sys_id.unwrap_or_default();
        let before = self.session.state.store.row(&argument.table, &sys_id).cloned();
        let outcome = match operation {
            "insert" => self.session.insert(&argument.table, argument.values, argument.workflow),
            "update" => {
                self.session.update(&argument.table, &sys_id, argument.values, argument.workflow).map(|()| sys_id)
            }
            _ => self.session.delete(&argument.table, &sys_id, argument.workflow).map(|()| sys_id),
        };
        match outcome {
            Ok(sys_id) => {
                let row = self.session.view(&argument.table, &sys_id).map(|view| view.row.clone());
                let is_empty = operation == "update" && row.as_ref() == before.as_deref();
                let is_told = !(is_empty && self.session.state.empty_updates_answer_null);
                Ok(json!({"row": row.filter(|_| is_told)}))
            }
            Err(WriteError::Stopped) => Err(WriteError::Stopped.to_string()),
            Err(error) => Ok(json!({"error": error.to_string()})),
        }
    }

    fn file_operation(&mut self, operation: &str, argument: Value) -> Result<Value, String> {
        if self.session.state.stopped {
            return Err(WriteError::Stopped.to_string());
        }
        match operation {
            "attach" => self.attach(read(argument)?),
            "detach" => {
                if let Some(refusal) = self.refuse_cross_scope("delete", attachments::TABLE) {
                    return Err(refusal);
                }
                attachments::detach(self.session, text(&argument, "sys_id")).map_err(|error| error.to_string())?;
                Ok(Value::Null)
            }
            "has_file" => {
                self.check_read(attachments::TABLE)?;
                Ok(json!(self.session.state.files.contains_key(text(&argument, "sys_id"))))
            }
            _ => {
                let body = self.body.as_ref().filter(|body| body.length() <= MAXIMUM_BODY_BYTES);
                let body = body.ok_or("the request body is too large, or was read as a stream")?;
                let bytes = body.to_vec().map_err(|error| error.to_string())?;
                Ok(json!(String::from_utf8_lossy(&bytes)))
            }
        }
    }

    /// Attaches a file. The answer is null if the instance does not take it: the class of the platform gives no reason.
    fn attach(&mut self, argument: AttachArgument) -> Result<Value, String> {
        if let Some(refusal) = self.refuse_cross_scope("insert", attachments::TABLE) {
            return Err(refusal);
        }
        let content = match argument.source {
            Source::Body => self.body.take(),
            Source::Attachment(sys_id) => self.session.state.files.get(&sys_id).cloned(),
            Source::Text(text) => Some(Content::bytes(text.into_bytes())),
        };
        let file = NewFile {
            table: argument.table,
            record: argument.record,
            name: argument.name,
            content_type: argument.content_type,
            content: content.unwrap_or_else(|| Content::bytes([])),
        };
        match attachments::attach(self.session, file) {
            Ok(sys_id) => Ok(json!(sys_id)),
            Err(FileError::Write(WriteError::Stopped)) => Err(WriteError::Stopped.to_string()),
            Err(error) => {
                self.session.state.log(self.session.now, "info", error.to_string());
                Ok(Value::Null)
            }
        }
    }

    /// Returns why an app's write to a table of the platform is refused. Returns `None` if the app has the privilege or
    /// needs none.
    fn refuse_cross_scope(&self, operation: &str, table_name: &str) -> Option<String> {
        let app = self.session.app;
        let table = app.schema.table(table_name)?;
        let privilege = match operation {
            "insert" => "create",
            "update" => "write",
            _ => "delete",
        };
        let wanted = (table_name.to_owned(), privilege.to_owned());
        let refused = !self.scope.is_empty() && table.scope.is_empty() && !app.privileges.contains(&wanted);
        refused.then(|| {
            format!(
                "{privilege} operation against '{table_name}' from scope '{}' has been refused due to the table's \
                 cross-scope access policy",
                self.scope
            )
        })
    }

    /// Fails if a scoped app reads a table of the platform without the privilege.
    fn check_read(&self, table_name: &str) -> Result<(), String> {
        let app = self.session.app;
        let Some(table) = app.schema.table(table_name) else { return Ok(()) };
        let wanted = (table_name.to_owned(), "read".to_owned());
        let is_hidden = table_name == AUDIT && self.session.state.audit == AuditAccess::Refused;
        let has_privilege = app.privileges.contains(&wanted) && !is_hidden;
        if self.scope.is_empty() || !table.scope.is_empty() || has_privilege {
            return Ok(());
        }
        Err(format!(
            "read operation against '{table_name}' from scope '{}' has been refused due to the table's cross-scope \
             access policy",
            self.scope
        ))
    }

    /// Returns the records as the script sees them. One may come from a lagging node, and the audit trail may be
    /// hidden.
    fn seen(&mut self, table: &str, mut rows: Vec<Row>) -> Vec<Row> {
        let is_scoped = !self.scope.is_empty();
        let state = &mut *self.session.state;
        if table == AUDIT && is_scoped && state.audit == AuditAccess::Empty {
            return Vec::new();
        }
        let lagging = state.lagging_read.as_ref().filter(|lagging| lagging.table == table);
        let place = lagging.and_then(|lagging| rows.iter().position(|row| field(row, "sys_id") == lagging.sys_id));
        if let Some(place) = place
            && let Some(lagging) = state.lagging_read.take()
        {
            rows[place] = lagging.row;
        }
        rows
    }

    fn query(&mut self, argument: QueryArgument) -> Result<Value, String> {
        self.check_read(&argument.table)?;
        let is_hindered = |obstacle| self.session.state.is_hindered(&argument.table, obstacle);
        if is_hindered(Obstacle::Missing) || is_hindered(Obstacle::RowsHidden) {
            return Ok(json!([]));
        }
        let mut parts: Vec<Query> = Vec::new();
        let mut groups: Vec<Vec<Condition>> = Vec::new();
        let mut order = Vec::new();
        for part in argument.parts {
            match part {
                QueryPart::Encoded { encoded } => {
                    let query = Query::parse(&encoded);
                    order.extend(query.order.iter().cloned());
                    parts.push(query);
                }
                QueryPart::Any { any } => {
                    groups.push(any.into_iter().map(condition).collect::<Result<_, _>>()?);
                }
            }
        }
        order
            .extend(argument.order.into_iter().map(|order| Order { field: order.field, descending: order.descending }));
        let identifier = groups.iter().find_map(|group| query::identifier(group));
        let identifier = identifier.or_else(|| parts.iter().find_map(Query::identifier));
        let (schema, store) = (&self.session.app.schema, &self.session.state.store);
        let found = store.select_where(schema, &argument.table, identifier, &order, |view| {
            parts.iter().all(|query| query.matches(view)) && groups.iter().all(|group| any_matches(group, view))
        });
        let limit = argument.limit.unwrap_or(usize::MAX);
        let rows: Vec<Row> = found.iter().skip(argument.offset).take(limit).map(|view| view.row.clone()).collect();
        Ok(json!(self.seen(&argument.table, rows)))
    }

    fn describe(&self, operation: &str, argument: &Value) -> Result<Value, String> {
        let schema = &self.session.app.schema;
        let Some(table) = schema.table(text(argument, "table")) else { return Ok(Value::Null) };
        Ok(match operation {
            "columns" => describe_columns(table),
            "defaults" => {
                let defaults = table.columns.iter().filter(|(_, column)| !column.default_value.is_empty());
                json!(defaults.map(|(name, column)| (name, &column.default_value)).collect::<BTreeMap<_, _>>())
            }
            "label" => json!(table.label),
            _ => {
                let row: Row = read(argument["row"].clone())?;
                let view = View::new(schema, &self.session.state.store, table, &row);
                json!(argument["field"].as_str().map_or_else(|| view.display_name(), |name| view.display(name)))
            }
        })
    }

    fn rules(&mut self, operation: &str, argument: &Value) -> Result<Value, String> {
        let app = self.session.app;
        let state = &mut *self.session.state;
        Ok(match operation {
            "before_rules" => {
                let rules = rules::on(app, &state.store, text(argument, "table"), text(argument, "operation"));
                rules.iter().filter(|rule| rule.when == When::Before).map(|rule| describe_before(rule)).collect()
            }
            "matches" => json!(self.matches(argument)?),
            "next_undecided" => {
                self.undecided = state.undecided.pop_front();
                self.undecided.as_ref().map_or(Value::Null, describe_undecided)
            }
            "queue_decided" => {
                state.jobs.extend(self.undecided.take().map(|undecided| undecided.job));
                Value::Null
            }
            _ => {
                self.undecided = None;
                Value::Null
            }
        })
    }

    /// Whether a record that is about to be written matches a rule's filter.
    fn matches(&self, argument: &Value) -> Result<bool, String> {
        let (row, previous): (Row, Row) = (read(argument["row"].clone())?, read(argument["previous"].clone())?);
        let session = &self.session;
        let Some(table) = session.app.schema.table(text(argument, "table")) else { return Ok(false) };
        let names = row.keys().chain(previous.keys());
        let changed = names.filter(|name| row.get(*name) != previous.get(*name)).cloned().collect();
        let view = View::new(&session.app.schema, &session.state.store, table, &row).with_change(&previous, &changed);
        Ok(Query::parse(text(argument, "filter")).matches(&view))
    }

    fn environment(&mut self, operation: &str, argument: &Value) -> Result<Value, String> {
        let session = &mut *self.session;
        Ok(match operation {
            "property" => json!(session.property(text(argument, "name"))),
            "set_property" => {
                let found = session.state.store.find_by("sys_properties", "name", text(argument, "name"));
                let sys_id = found.map(|row| field(row, "sys_id").to_owned()).ok_or("no such property")?;
                let values = Row::from([("value".to_owned(), text(argument, "value").to_owned())]);
                session.update("sys_properties", &sys_id, values, false).map_err(|error| error.to_string())?;
                Value::Null
            }
            "has_role" => {
                let roles: Vec<String> = read(argument["roles"].clone())?;
                json!(roles.iter().any(|role| session.actor.has_role(role.trim())))
            }
            "log" => {
                session.state.log(session.now, text(argument, "level"), text(argument, "message").to_owned());
                Value::Null
            }
            "enter_scope" => json!(std::mem::replace(&mut self.scope, text(argument, "scope").to_owned())),
            "guid" => json!(session.state.next_identifier()),
            "include" => json!(session.app.includes.get(text(argument, "name"))),
            _ => return Err(format!("{operation} is not played by the simulator")),
        })
    }

    fn send(&self, argument: Value) -> Result<Value, String> {
        if self.session.state.stopped {
            return Err(WriteError::Stopped.to_string());
        }
        let argument: SendArgument = read(argument)?;
        let (url, path, query) = split_url(&argument.url);
        let mut headers = argument.headers;
        headers.entry("user-agent".to_owned()).or_insert_with(|| "ServiceNow/1.0".to_owned());
        let request =
            Request { method: argument.method, path, query, headers, body: argument.body.into_bytes(), file: None };
        let timeout = argument.timeout.unwrap_or(HTTP_TIMEOUT_MILLISECONDS);
        Ok(match self.outbound.send(url, &request, timeout) {
            Ok(response) => json!({
                "status": response.status, "headers": response.headers, "error": null,
                "body": String::from_utf8_lossy(&response.body),
            }),
            Err(error) => json!({"status": 0, "headers": {}, "error": error, "body": ""}),
        })
    }
}

fn condition(argument: ConditionArgument) -> Result<Condition, String> {
    let operator = Operator::parse(&argument.operator)
        .ok_or_else(|| format!("the operator '{}' is not played by the simulator", argument.operator))?;
    Ok(Condition { field: argument.field, operator, value: argument.value })
}

fn describe_before(rule: &Rule) -> Value {
    json!({
        "name": rule.name, "script": rule.script, "filter": rule.filter, "condition": rule.condition,
        "aborts": rule.aborts, "message": rule.message, "rule_scope": rule.scope,
    })
}

fn describe_undecided(undecided: &UndecidedRule) -> Value {
    json!({
        "name": undecided.rule.name, "condition": undecided.rule.condition, "script": undecided.rule.script,
        "message": undecided.rule.message, "rule_scope": undecided.rule.scope,
        "follows_at_once": undecided.rule.when == When::After,
        "table": undecided.job.table, "operation": undecided.job.operation,
        "current": undecided.current, "previous": undecided.previous, "changed": undecided.changed,
    })
}

fn describe_columns(table: &Table) -> Value {
    let columns = table.columns.iter().map(|(name, column)| {
        let description = json!({
            "kind": column.kind.internal_type(), "label": column.label, "reference": column.reference,
        });
        (name.clone(), description)
    });
    Value::Object(columns.collect())
}

/// Returns the absolute address without its query, the path, and the query.
fn split_url(url: &str) -> (&str, String, Vec<(String, String)>) {
    let (url, query) = url.split_once('?').unwrap_or((url, ""));
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').map_or("/", |start| &rest[start..]);
    (url, path.to_owned(), super::authentication::parse_form(query))
}

fn encode(operation: &str, argument: &Value) -> Result<Value, String> {
    let given = text(argument, "text");
    Ok(match operation {
        "base64_encode" => json!(STANDARD.encode(given)),
        "base64_decode" => {
            let bytes = STANDARD.decode(given).map_err(|error| error.to_string())?;
            json!(String::from_utf8_lossy(&bytes))
        }
        "mac" => {
            if text(argument, "algorithm") != "HmacSHA256" {
                return Err("only HmacSHA256 is played by the simulator".to_owned());
            }
            let key =
                STANDARD.decode(text(argument, "key")).map_err(|error| format!("the key is not base64: {error}"))?;
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
            mac.update(text(argument, "data").as_bytes());
            json!(STANDARD.encode(mac.finalize().into_bytes()))
        }
        _ => {
            if text(argument, "algorithm") != "SHA256" {
                return Err("only SHA256 is played by the simulator".to_owned());
            }
            let digest = Sha256::digest(given.as_bytes());
            json!(if text(argument, "form") == "Hex" { hex(&digest) } else { STANDARD.encode(digest) })
        }
    })
}
