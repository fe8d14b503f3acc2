//! Files of records: the Attachment API, and what scripts do with files.

use serde_json::json;
use thiserror::Error;

use super::{
    UserRequest,
    acl::{self, Operation},
    errors,
    records::{Session, WriteError},
    state::State,
    store::{Row, field},
    table_api,
};
use crate::{support::attachments::content::Content, wire::Response};

/// The table of what is known about files.
pub const TABLE: &str = "sys_attachment";

/// The property with the size of the largest file, in MB, and its default.
const MAXIMUM_SIZE: (&str, u64) = ("com.glide.attachment.max_size", 1024);
const BYTES_PER_MEGABYTE: u64 = 1024 * 1024;
/// The property with the extensions of file names that are accepted, separated by commas. Empty if all are.
const EXTENSIONS: &str = "glide.attachment.extensions";

/// The most files in a list if the request names no limit. Source: ServiceNow Attachment API, `sysparm_limit`.
const DEFAULT_LIMIT: usize = 1_000;

/// A file for a record.
pub struct NewFile {
    /// The table of the record.
    pub table: String,
    /// The record.
    pub record: String,
    /// The file's name.
    pub name: String,
    /// Its MIME type.
    pub content_type: String,
    /// Its bytes.
    pub content: Content,
}

/// Why the instance does not take a file.
#[derive(Debug, Error)]
pub enum FileError {
    /// It is larger than the instance allows.
    #[error("The file is larger than com.glide.attachment.max_size")]
    TooLarge,
    /// Its name has an extension that the instance does not accept.
    #[error("Files of this type are not accepted (glide.attachment.extensions)")]
    Extension,
    /// The bytes can't be read.
    #[error("The file can't be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// Its record can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Attaches a file to a record. Returns the `sys_id` of the attachment. The record itself does not change.
///
/// There are two commits, as for any two records of the platform: an instance that dies between them leaves an attachment
/// without bytes.
pub fn attach(session: &mut Session<'_>, file: NewFile) -> Result<String, FileError> {
    check(session, &file)?;
    let size = file.content.length().to_string();
    let hash = file.content.sha256()?;
    let values = [
        ("table_name", file.table.as_str()),
        ("table_sys_id", &file.record),
        ("file_name", &file.name),
        ("content_type", &file.content_type),
        ("size_bytes", "0"),
    ];
    let sys_id = session.insert(TABLE, row_of(values), true)?;
    let bytes = [("size_bytes", size.as_str()), ("size_compressed", &size), ("compressed", "true"), ("hash", &hash)];
    session.state.files.insert(sys_id.clone(), file.content);
    session.update(TABLE, &sys_id, row_of(bytes), false)?;
    Ok(sys_id)
}

fn row_of<const COUNT: usize>(values: [(&str, &str); COUNT]) -> Row {
    values.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn check(session: &Session<'_>, file: &NewFile) -> Result<(), FileError> {
    let property = |name| session.property(name).unwrap_or_default();
    let (name, otherwise) = MAXIMUM_SIZE;
    let megabytes = property(name).parse().unwrap_or(otherwise);
    if file.content.length() > megabytes * BYTES_PER_MEGABYTE {
        return Err(FileError::TooLarge);
    }
    let accepted = property(EXTENSIONS);
    let extension = file.name.rsplit_once('.').map_or("", |(_, extension)| extension).to_lowercase();
    if !accepted.trim().is_empty() && accepted.split(',').all(|one| one.trim().to_lowercase() != extension) {
        return Err(FileError::Extension);
    }
    Ok(())
}

/// Deletes a file.
pub fn detach(session: &mut Session<'_>, sys_id: &str) -> Result<(), WriteError> {
    session.delete(TABLE, sys_id, true)?;
    session.state.files.remove(sys_id);
    Ok(())
}

/// Takes all files of a record out of the instance. Returns each attachment with its bytes.
pub fn take_files(state: &mut State, table: &str, record: &str) -> Vec<(Row, Option<Content>)> {
    let of_record = |row: &Row| field(row, "table_sys_id") == record && field(row, "table_name") == table;
    let rows: Vec<Row> =
        state.store.rows(TABLE).filter(|(_, row)| of_record(row)).map(|(_, row)| row.as_ref().clone()).collect();
    let take = |row: Row| {
        let sys_id = field(&row, "sys_id").to_owned();
        state.store.remove(TABLE, &sys_id);
        let bytes = state.files.remove(&sys_id);
        (row, bytes)
    };
    rows.into_iter().map(take).collect()
}

/// Puts files back that [`take_files`] has taken.
pub fn put_files(state: &mut State, files: Vec<(Row, Option<Content>)>) {
    for (row, bytes) in files {
        let sys_id = field(&row, "sys_id").to_owned();
        state.store.put(TABLE, &sys_id, row);
        state.files.extend(bytes.map(|bytes| (sys_id, bytes)));
    }
}

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
    let Some(table) = call.session.app.schema.table(TABLE) else { return errors::unknown_path() };
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
    let row = call.session.state.store.row(TABLE, sys_id)?;
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
    Response { status: 200, headers: headers.into(), file: Some(file.clone()), ..Response::default() }
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
    if call.session.view(&table, &record).is_none() {
        return errors::no_record();
    }
    if !acl::allows(call.session.app, &call.session.actor, &table, Operation::Write) {
        return errors::may_not_write("Insert");
    }
    let file = NewFile { table, record, name, content_type, content: call.request.content() };
    match attach(&mut call.session, file) {
        Ok(sys_id) => {
            let row = find(call, &sys_id).unwrap_or_default();
            let mut response = Response::json(201, &json!({"result": describe(&row, url)}));
            response.headers.insert("location".to_owned(), location(&call.request.path, url, &sys_id));
            response
        }
        Err(FileError::Write(error)) => errors::refused(&error),
        Err(error @ FileError::TooLarge) => errors::envelope(413, "File too large", Some(&error.to_string())),
        Err(error) => errors::envelope(400, "Invalid file", Some(&error.to_string())),
    }
}

/// Returns the address of a new file's bytes, in the version of the API that the request names. Source: the platform's
/// own client `PySNC` compares the header with this address (`test_add_delete_get`).
fn location(path: &str, url: &str, sys_id: &str) -> String {
    let path = path.trim_end_matches('/');
    let collection = path.strip_suffix("/file").unwrap_or(path);
    format!("{url}{collection}/{sys_id}/file")
}

fn delete(call: &mut UserRequest<'_, '_>, sys_id: &str) -> Response {
    let Some(row) = find(call, sys_id) else { return errors::no_record() };
    if !acl::allows(call.session.app, &call.session.actor, field(&row, "table_name"), Operation::Write) {
        return errors::may_not_write("Delete");
    }
    match detach(&mut call.session, sys_id) {
        Ok(()) => Response { status: 204, ..Response::default() },
        Err(error) => errors::refused(&error),
    }
}
