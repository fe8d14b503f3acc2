//! The platform's error answers, with its own texts.

use serde_json::json;

use super::records::WriteError;
use crate::wire::Response;

/// The status that a client gets if the instance dies while it answers. It comes from the load balancer.
const STATUS_OF_DEATH: u16 = 502;

/// Returns an error in the platform's envelope.
pub fn envelope(status: u16, message: &str, detail: Option<&str>) -> Response {
    Response::json(status, &json!({"error": {"message": message, "detail": detail}, "status": "failure"}))
}

/// 401 without or with wrong credentials.
pub fn not_authenticated() -> Response {
    let mut response = envelope(401, "User Not Authenticated", Some("Required to provide Auth information"));
    response.headers.insert("www-authenticate".to_owned(), "Basic realm=\"Service-now\"".to_owned());
    response
}

/// 404 for a record that is missing or hidden. The answer does not say which.
pub fn no_record() -> Response {
    envelope(404, "No Record found", Some("Record doesn't exist or ACL restricts the record retrieval"))
}

/// 400 for a table that the instance does not have.
pub fn invalid_table(table: &str) -> Response {
    envelope(400, &format!("Invalid table {table}"), Some(&format!("Table {table} does not exist")))
}

/// 400 for a path that no API answers.
pub fn unknown_path() -> Response {
    envelope(400, "Requested URI does not represent any resource", None)
}

/// 405 for a path that answers other methods.
pub fn method_not_supported(method: &str) -> Response {
    envelope(405, &format!("{method} is not supported"), Some("This method is not supported by the resource"))
}

/// 403 for a user who may not read a table.
pub fn may_not_query() -> Response {
    envelope(403, "Insufficient rights to query records", None)
}

/// 403 for a user who may not write a record.
pub fn may_not_write(operation: &str) -> Response {
    envelope(403, "Operation Failed", Some(&format!("ACL Exception {operation} Failed due to security constraints")))
}

/// 400 for a body that can't be read.
pub fn unreadable_body(detail: &str) -> Response {
    envelope(400, "Exception while reading request", Some(detail))
}

/// 414 for a path that is too long. The web server before the APIs answers with a page.
pub fn address_too_long() -> Response {
    page(414, "Request-URI Too Large")
}

fn page(status: u16, title: &str) -> Response {
    let headers = [("content-type".to_owned(), "text/html".to_owned())].into();
    let body = format!("<html><head><title>{title}</title></head><body>{title}</body></html>");
    Response { status, headers, body: body.into_bytes(), file: None }
}

/// Returns the load balancer's answer when the instance dies.
pub fn stopped() -> Response {
    page(STATUS_OF_DEATH, "Bad Gateway")
}

/// Returns the answer to a refused write.
pub fn refused(error: &WriteError) -> Response {
    match error {
        WriteError::NotFound => no_record(),
        WriteError::NoTable(table) => invalid_table(table),
        WriteError::Stopped => stopped(),
        WriteError::DataPolicy(_)
        | WriteError::Aborted(_)
        | WriteError::AbortedOn { .. }
        | WriteError::AbortedBy(_)
        | WriteError::Unique { .. } => envelope(403, "Operation Failed", Some(&error.to_string())),
    }
}
