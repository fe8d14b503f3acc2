//! Short addresses: `POST /api/now/tinyurl`. The platform's own pages use it for addresses that a browser might cut.

use serde::Deserialize;
use serde_json::json;

use super::{errors, state::named_identifier};
use crate::wire::{Request, Response};

#[derive(Deserialize)]
struct Order {
    url: String,
}

/// Returns the page of the address with an identifier in place of its query. The same address gives the same
/// identifier. Fails for another method than POST, and for a body without `url`.
pub fn answer(request: &Request) -> Response {
    if request.method != "POST" {
        return errors::method_not_supported(&request.method);
    }
    match serde_json::from_slice::<Order>(&request.body) {
        Ok(order) => {
            let page = order.url.split('?').next().unwrap_or_default();
            let identifier = named_identifier(&format!("tiny:{}", order.url));
            Response::json(200, &json!({"result": format!("{page}?sysparm_tiny={identifier}")}))
        }
        Err(error) => errors::unreadable_body(&error.to_string()),
    }
}
