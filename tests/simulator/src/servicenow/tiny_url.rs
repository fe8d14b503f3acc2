//! Short addresses: `POST /api/now/tinyurl`, and requests that name one. The platform's own pages use them for addresses
//! that a browser might cut.

use serde::Deserialize;
use serde_json::json;

use super::{
    UserRequest,
    authentication::parse_form,
    errors,
    state::named_identifier,
    store::{Row, Store, field},
};
use crate::wire::{Request, Response};

/// The table with the queries of short addresses. Source: its name and its columns `tiny_url` and `data` in scripts of
/// the platform.
const TABLE: &str = "sys_tiny_url";
/// The parameter that stands for a stored query.
const PARAMETER: &str = "sysparm_tiny";

#[derive(Deserialize)]
struct Order {
    url: String,
}

/// Keeps the query of an address. Returns the page of the address with an identifier in place of its query. The same
/// query gives the same identifier. Fails for another method than POST, and for a body without `url`.
pub fn answer(call: &mut UserRequest<'_, '_>) -> Response {
    if call.request.method != "POST" {
        return errors::method_not_supported(&call.request.method);
    }
    let order: Order = match serde_json::from_slice(&call.request.body) {
        Ok(order) => order,
        Err(error) => return errors::unreadable_body(&error.to_string()),
    };
    let (page, query) = order.url.split_once('?').unwrap_or((&order.url, ""));
    let identifier = named_identifier(&format!("tiny:{query}"));
    if call.session.state.store.row(TABLE, &identifier).is_none() {
        let values = [("sys_id", identifier.as_str()), ("tiny_url", &identifier), ("data", query)];
        let row: Row = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        if let Err(error) = call.session.insert(TABLE, row, false) {
            return errors::refused(&error);
        }
    }
    Response::json(200, &json!({"result": format!("{page}?{PARAMETER}={identifier}")}))
}

/// Returns a request that names a short address, with the parameters that the address stands for. The request's own
/// parameters come first. Returns `None` for a request that names none, or one that is unknown.
pub fn resolved(store: &Store, request: &Request) -> Option<Request> {
    let row = store.find_by(TABLE, "tiny_url", request.parameter(PARAMETER)?)?;
    let mut request = request.clone();
    request.query.retain(|(name, _)| name != PARAMETER);
    request.query.extend(parse_form(field(row, "data")));
    Some(request)
}
