//! The Attachment API: files of records, and what is known about them.

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    UserRequest,
    acl::{self, Operation},
    errors,
    state::hex,
    store::{Row, field},
    table_api,
};
use crate::wire::Response;

/// The largest file (`com.glide.attachment.max_size` of a small instance).
const MAXIMUM_FILE_BYTES: usize = 100 * 1024 * 1024;

/// The most files in a list if the request names no limit. Source: ServiceNow Attachment API, `sysparm_limit`.
const DEFAULT_LIMIT: usize = 1_000;

/// Answers requests under `/api/now/attachment`.
pub fn answer(call: &mut UserRequest<'_, '_>, url: &str, rest: &[&str]) -> Response {
    match (call.request.method.as_str(), rest) {
        ("GET", []) => list(call, url),
        ("GET", [sys_id]) => match find(call, sys_id) {
            Some(row) => Response::json(200, &json!({"result": describe(&row, url)})),
            None => errors::no_record(),
        },
        ("GET", [sys_id, "file"]) => download(call, url, sys_id),
        ("POST", ["file"]) => upload(call, url),
        ("DELETE", [sys_id]) => delete(call, sys_id),
        (method, _) => errors::method_not_supported(method),
    }
}

fn list(call: &UserRequest<'_, '_>, url: &str) -> Response {
    let Some(table) = call.session.app.schema.table("sys_attachment") else { return errors::unknown_path() };
    let query = table_api::request_query(call, table);
    let number =
        |name: &str, otherwise| call.request.parameter(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (limit, offset): (usize, usize) = (number("sysparm_limit", DEFAULT_LIMIT), number("sysparm_offset", 0));
    let found = table_api::matching(call, table, &query);
    let readable: Vec<_> = found.iter().filter(|view| may_read(call, view.row)).collect();
    let page: Vec<_> = readable.iter().skip(offset).take(limit).map(|view| describe(view.row, url)).collect();
    let mut response = Response::json(200, &json!({"result": page}));
    response.headers.insert("x-total-count".to_owned(), readable.len().to_string());
    response
}

/// Whether the user may read a file: only if the user may read its record.
fn may_read(call: &UserRequest<'_, '_>, row: &Row) -> bool {
    acl::allows(call.session.app, &call.session.actor, field(row, "table_name"), Operation::Read)
}

fn find(call: &UserRequest<'_, '_>, sys_id: &str) -> Option<Row> {
    let row = call.session.state.store.row("sys_attachment", sys_id)?;
    may_read(call, row).then(|| row.as_ref().clone())
}

fn describe(row: &Row, url: &str) -> serde_json::Value {
    let mut described = row.clone();
    let link = format!("{url}/api/now/attachment/{}/file", field(row, "sys_id"));
    described.insert("download_link".to_owned(), link);
    json!(described)
}

fn download(call: &UserRequest<'_, '_>, url: &str, sys_id: &str) -> Response {
    let (Some(row), Some(file)) = (find(call, sys_id), call.session.state.files.get(sys_id)) else {
        return errors::no_record();
    };
    let headers = [
        ("content-type".to_owned(), field(&row, "content_type").to_owned()),
        ("x-attachment-metadata".to_owned(), describe(&row, url).to_string()),
    ];
    Response { status: 200, headers: headers.into(), body: file.as_ref().clone() }
}

fn upload(call: &mut UserRequest<'_, '_>, url: &str) -> Response {
    let parameter = |name: &str| call.request.parameter(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let (Some(table), Some(record), Some(name)) =
        (parameter("table_name"), parameter("table_sys_id"), parameter("file_name"))
    else {
        return errors::envelope(400, "Missing parameter", Some("table_name, table_sys_id and file_name are required"));
    };
    let Some(content_type) = call.request.header("content-type").map(str::to_owned) else {
        return errors::envelope(400, "Missing header", Some("Content-Type is required"));
    };
    if call.request.body.len() > MAXIMUM_FILE_BYTES {
        return errors::envelope(413, "File too large", Some("The file is larger than com.glide.attachment.max_size"));
    }
    if call.session.view(&table, &record).is_none() {
        return errors::no_record();
    }
    if !acl::allows(call.session.app, &call.session.actor, &table, Operation::Write) {
        return errors::may_not_write("Insert");
    }
    let size = call.request.body.len().to_string();
    let hash = hex(&Sha256::digest(&call.request.body));
    let values = [
        ("table_name", table.as_str()),
        ("table_sys_id", &record),
        ("file_name", &name),
        ("content_type", &content_type),
        ("size_bytes", &size),
        ("size_compressed", &size),
        ("compressed", "true"),
        ("hash", &hash),
    ];
    let row: Row = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    match call.session.insert("sys_attachment", row, true) {
        Ok(sys_id) => {
            call.session.state.files.insert(sys_id.clone(), Arc::new(call.request.body.clone()));
            let row = find(call, &sys_id).unwrap_or_default();
            let mut response = Response::json(201, &json!({"result": describe(&row, url)}));
            response.headers.insert("location".to_owned(), format!("{url}/api/now/attachment/{sys_id}"));
            response
        }
        Err(error) => errors::refused(&error),
    }
}

fn delete(call: &mut UserRequest<'_, '_>, sys_id: &str) -> Response {
    let Some(row) = find(call, sys_id) else { return errors::no_record() };
    if !acl::allows(call.session.app, &call.session.actor, field(&row, "table_name"), Operation::Write) {
        return errors::may_not_write("Delete");
    }
    match call.session.delete("sys_attachment", sys_id, true) {
        Ok(()) => {
            call.session.state.files.remove(sys_id);
            Response { status: 204, ..Response::default() }
        }
        Err(error) => errors::refused(&error),
    }
}
