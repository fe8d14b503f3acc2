//! The Table API: `/api/now/table/{table}[/{sys_id}]`.

use serde::Serialize;
use serde_json::Value;

use super::{
    UserRequest,
    acl::{self, Operation},
    errors,
    form::{Form, Shown},
    query::{Condition, Operator, Query},
    rules,
    schema::{ColumnKind, Table},
    store::{Row, field},
    view::View,
    zone,
};
use crate::wire::{Request, Response};

/// The most records in a list if the request names no limit. Source: ServiceNow Table API, `sysparm_limit`.
const DEFAULT_LIMIT: usize = 10_000;
/// The property that makes a query with an unknown column find nothing instead of everything.
const INVALID_QUERY_PROPERTY: &str = "glide.invalid_query.returns_no_rows";

/// What an answer holds: one record, or a list.
#[derive(Serialize)]
struct Answer<T> {
    result: T,
}

/// Answers requests to a table as a whole.
pub fn collection(call: &mut UserRequest<'_, '_>, url: &str, table: &str, path: &str) -> Response {
    let definition = match open_table(call, table) {
        Ok(definition) => definition,
        Err(response) => return response,
    };
    match call.request.method.as_str() {
        "GET" | "HEAD" => list(call, url, &definition, path),
        "POST" => create(call, url, &definition),
        method => errors::method_not_supported(method),
    }
}

/// Answers requests to one record.
pub fn record(call: &mut UserRequest<'_, '_>, url: &str, table: &str, sys_id: &str) -> Response {
    let definition = match open_table(call, table) {
        Ok(definition) => definition,
        Err(response) => return response,
    };
    match call.request.method.as_str() {
        "GET" | "HEAD" => {
            let form = Form::of(call, url);
            if !acl::allows(call.session.app, &call.session.actor, table, Operation::Read) {
                return errors::no_record();
            }
            match call.session.view(table, sys_id) {
                Some(view) => Response::json(200, &Answer { result: form.show(call, &view) }),
                None => errors::no_record(),
            }
        }
        "PATCH" | "PUT" => change(call, url, &definition, sys_id),
        "DELETE" => remove(call, &definition, sys_id),
        method => errors::method_not_supported(method),
    }
}

/// Returns the table if the request may use it at all, or else the refusal.
pub fn open_table(call: &UserRequest<'_, '_>, table: &str) -> Result<std::sync::Arc<Table>, Response> {
    let Some(definition) = call.session.app.schema.table(table) else { return Err(errors::invalid_table(table)) };
    if !definition.web_service_access {
        return Err(errors::envelope(
            403,
            "User Not Authorized",
            Some(&format!("Table {table} does not allow access via web services")),
        ));
    }
    Ok(definition.clone())
}

/// Returns the query of a list: `sysparm_query`, or every other parameter as the value of a column.
pub fn request_query(call: &UserRequest<'_, '_>, table: &Table) -> Query {
    if let Some(encoded) = call.request.parameter("sysparm_query") {
        return Query::parse(encoded);
    }
    let pairs = call.request.query.iter().filter(|(name, _)| !name.starts_with("sysparm_"));
    let groups: Vec<Vec<Condition>> = pairs
        .map(|(name, value)| {
            let values = [Some(value.clone()), value_of_display(call, table, name, value)];
            let conditions = values.into_iter().flatten();
            conditions.map(|value| Condition { field: name.clone(), operator: Operator::Equal, value }).collect()
        })
        .collect();
    let alternatives = if groups.is_empty() { Vec::new() } else { vec![groups] };
    Query { alternatives, ..Query::default() }
}

/// Returns the value that people see as this name, which is the label of a choice or the name of a referenced record.
/// Returns `None` if there is no such value. No name stands for no value, even if a record has none.
fn value_of_display(call: &UserRequest<'_, '_>, table: &Table, column: &str, name: &str) -> Option<String> {
    let definition = table.columns.get(column).filter(|_| !name.is_empty())?;
    let store = &call.session.state.store;
    if definition.kind == ColumnKind::Reference {
        let referenced = call.session.app.schema.table(&definition.reference)?;
        if referenced.display.is_empty() {
            return None;
        }
        let row = store.find_by(&referenced.name, &referenced.display, name)?;
        return Some(field(row, "sys_id").to_owned());
    }
    if !definition.choice {
        return None;
    }
    let tables = [table.name.as_str(), table.extends.as_str()];
    let found = store.rows("sys_choice").find(|(_, row)| {
        tables.contains(&field(row, "name")) && field(row, "element") == column && field(row, "label") == name
    });
    found.map(|(_, row)| field(row, "value").to_owned())
}

/// Returns the records that a list request asks for, on all pages.
pub fn matching<'a>(call: &'a UserRequest<'_, '_>, table: &Table, query: &Query) -> Vec<View<'a>> {
    let (schema, store) = (&call.session.app.schema, &call.session.state.store);
    let nothing = Row::new();
    let invalid = query.has_invalid_field(&View::new(schema, store, table, &nothing));
    if invalid && call.session.property(INVALID_QUERY_PROPERTY).as_deref() == Some("true") {
        return Vec::new();
    }
    store.select(schema, &table.name, query)
}

fn list(call: &mut UserRequest<'_, '_>, url: &str, table: &Table, path: &str) -> Response {
    let request = call.request;
    let number = |name: &str, otherwise: usize| match request.parameter(name) {
        Some(text) if !text.is_empty() => text.parse::<usize>().ok(),
        _ => Some(otherwise),
    };
    let (Some(limit), Some(offset)) = (number("sysparm_limit", DEFAULT_LIMIT), number("sysparm_offset", 0)) else {
        return errors::envelope(400, "Invalid limit or offset", Some("Both must be whole numbers, not negative"));
    };
    let query = request_query(call, table);
    let found = matching(call, table, &query);
    let total = found.len();
    let readable = acl::allows(call.session.app, &call.session.actor, &table.name, Operation::Read);
    // Its own access control hides the rows one by one, so the answer is an empty list.
    if !readable && table.name != "sys_journal_field" {
        return errors::may_not_query();
    }
    let form = Form::of(call, url);
    let page: Vec<Shown<'_>> = found.iter().skip(offset).take(limit).map(|view| form.show(call, view)).collect();
    let page = if readable { page } else { Vec::new() };
    let is_first_version = path.starts_with("/api/now/v1/");
    if is_first_version && page.is_empty() {
        return errors::envelope(404, "No Record found", Some("Records matching query not found"));
    }
    let mut response = Response::json(200, &Answer { result: page });
    if request.parameter("sysparm_no_count") != Some("true") {
        response.headers.insert("x-total-count".to_owned(), total.to_string());
    }
    if request.parameter("sysparm_suppress_pagination_header") != Some("true")
        && let Some(links) = page_links(request, url, limit, offset, total)
    {
        response.headers.insert("link".to_owned(), links);
    }
    response
}

/// Returns the `Link` header. Returns `None` if everything is on one page.
fn page_links(request: &Request, url: &str, limit: usize, offset: usize, total: usize) -> Option<String> {
    if limit == 0 || (offset == 0 && total <= limit) {
        return None;
    }
    let last = total.saturating_sub(1) / limit * limit;
    let mut pages = vec![("first", 0)];
    if offset + limit < total {
        pages.push(("next", offset + limit));
    }
    if offset > 0 {
        pages.push(("prev", offset.saturating_sub(limit)));
    }
    pages.push(("last", last));
    let links: Vec<String> = pages
        .into_iter()
        .map(|(relation, offset)| format!("<{}>;rel=\"{relation}\"", page_address(request, url, offset)))
        .collect();
    Some(links.join(","))
}

fn page_address(request: &Request, url: &str, offset: usize) -> String {
    let kept = request.query.iter().filter(|(name, _)| name != "sysparm_offset");
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(kept).append_pair("sysparm_offset", &offset.to_string());
    format!("{url}{}?{}", request.path, query.finish())
}

fn create(call: &mut UserRequest<'_, '_>, url: &str, table: &Table) -> Response {
    let values = match read_values(call, table, Operation::Create) {
        Ok(values) => values,
        Err(response) => return response,
    };
    if !acl::allows(call.session.app, &call.session.actor, &table.name, Operation::Create) {
        return errors::may_not_write("Insert");
    }
    let written = rules::run_before(call, table, "insert", &Row::new(), values)
        .and_then(|values| call.session.insert(&table.name, values, true));
    match written {
        Ok(sys_id) => {
            rules::run_after(call);
            let mut response = written_record(call, url, table, &sys_id, 201);
            let location = format!("{url}/api/now/table/{}/{sys_id}", table.name);
            response.headers.insert("location".to_owned(), location);
            response
        }
        Err(error) => errors::refused(&error),
    }
}

fn change(call: &mut UserRequest<'_, '_>, url: &str, table: &Table, sys_id: &str) -> Response {
    let values = match read_values(call, table, Operation::Write) {
        Ok(values) => values,
        Err(response) => return response,
    };
    let readable = acl::allows(call.session.app, &call.session.actor, &table.name, Operation::Read);
    let Some(current) = call.session.view(&table.name, sys_id).filter(|_| readable).map(|view| view.row.clone()) else {
        return errors::no_record();
    };
    if !may_write(call, table, &current) {
        return errors::may_not_write("Update");
    }
    let written = rules::run_before(call, table, "update", &current, values)
        .and_then(|values| call.session.update(&table.name, sys_id, values, true));
    match written {
        Ok(()) => {
            rules::run_after(call);
            written_record(call, url, table, sys_id, 200)
        }
        Err(error) => errors::refused(&error),
    }
}

/// Whether the user may write the record. Only administrators may write a closed incident.
fn may_write(call: &UserRequest<'_, '_>, table: &Table, current: &Row) -> bool {
    let is_closed = table.name == "incident" && field(current, "state") == "7";
    acl::allows(call.session.app, &call.session.actor, &table.name, Operation::Write)
        && (!is_closed || call.session.actor.is_admin())
}

fn remove(call: &mut UserRequest<'_, '_>, table: &Table, sys_id: &str) -> Response {
    let Some(current) = call.session.view(&table.name, sys_id).map(|view| view.row.clone()) else {
        return errors::no_record();
    };
    if !acl::allows(call.session.app, &call.session.actor, &table.name, Operation::Delete) {
        return errors::may_not_write("Delete");
    }
    let deleted = rules::run_before(call, table, "delete", &current, Row::new())
        .and_then(|_| call.session.delete(&table.name, sys_id, true));
    match deleted {
        Ok(()) => {
            rules::run_after(call);
            Response { status: 204, ..Response::default() }
        }
        Err(error) => errors::refused(&error),
    }
}

fn written_record(call: &UserRequest<'_, '_>, url: &str, table: &Table, sys_id: &str, status: u16) -> Response {
    if call.request.header("x-no-response-body") == Some("true")
        || call.request.parameter("sysparm_no_response_body") == Some("true")
    {
        return Response { status: if status == 201 { 201 } else { 204 }, ..Response::default() };
    }
    let form = Form::of(call, url);
    match call.session.view(&table.name, sys_id) {
        Some(view) => Response::json(status, &Answer { result: form.show(call, &view) }),
        None => errors::no_record(),
    }
}

/// Returns the values of a request's body that the user may write. Silently leaves out columns that the user may not
/// write, and choices that do not exist. A request without a body names no values.
fn read_values(call: &UserRequest<'_, '_>, table: &Table, operation: Operation) -> Result<Row, Response> {
    if call.request.body.is_empty() {
        return Ok(Row::new());
    }
    let content_type = call.request.header("content-type").unwrap_or_default();
    if content_type.is_empty() {
        return Err(errors::envelope(400, "Missing header", Some("Content-Type is required")));
    }
    if !content_type.contains("json") {
        return Err(errors::envelope(415, "Unsupported media type", Some(content_type)));
    }
    let body: Value = match serde_json::from_slice(&call.request.body) {
        Ok(Value::Array(mut records)) if !records.is_empty() => records.swap_remove(0),
        Ok(body) => body,
        Err(error) => return Err(errors::unreadable_body(&error.to_string())),
    };
    let Value::Object(members) = body else {
        return Err(errors::unreadable_body("The payload is not a JSON object"));
    };
    let input_names = call.request.parameter("sysparm_input_display_value") == Some("true");
    let zone = call.session.zone();
    let mut values = Row::new();
    for (name, value) in members {
        let Some(text) = as_text(&value) else { continue };
        let column = table.columns.get(&name);
        let of_name = column.and_then(|_| value_of_display(call, table, &name, &text));
        let is_time = column.is_some_and(|column| column.kind == ColumnKind::DateTime);
        let text = if input_names && is_time {
            zone::stored(&zone, &text)
        } else if input_names || column.is_some_and(|column| column.kind == ColumnKind::Reference) {
            of_name.unwrap_or(text)
        } else {
            text
        };
        let known = column.is_none_or(|column| !column.choice || text_is_choice(call, table, &name, &text));
        if known && acl::allows_column(call.session.app, &call.session.actor, &table.name, &name, operation) {
            values.insert(name, text);
        }
    }
    Ok(values)
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Object(members) => members.get("value").or_else(|| members.get("display_value")).and_then(as_text),
        Value::Array(_) => None,
    }
}

/// Whether the choice exists. A column without any choices accepts every value.
fn text_is_choice(call: &UserRequest<'_, '_>, table: &Table, column: &str, value: &str) -> bool {
    let tables = [table.name.as_str(), table.extends.as_str()];
    let store = &call.session.state.store;
    let mut choices = store
        .rows("sys_choice")
        .map(|(_, row)| row)
        .filter(|row| tables.contains(&field(row, "name")) && field(row, "element") == column)
        .peekable();
    value.is_empty()
        || choices.peek().is_none()
        || choices.any(|row| field(row, "value") == value && field(row, "inactive") != "true")
}
