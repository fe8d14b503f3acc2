//! The Batch API: `/api/now/v1/batch`.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Instance, authentication::parse_form, errors};
use crate::wire::{Outbound, Request, Response};

/// The most requests in one batch, to bound the work of one call.
const MAXIMUM_REQUESTS: usize = 500;

#[derive(Deserialize)]
struct Batch {
    /// A text or a number. The answer has it as a text.
    batch_request_id: Value,
    rest_requests: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    id: Value,
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

/// Answers each request of the batch as if it had come alone, in their order, with the batch's credentials.
pub fn answer(instance: &mut Instance, now: Timestamp, request: &Request, outbound: &dyn Outbound) -> Response {
    let batch: Batch = match serde_json::from_slice(&request.body) {
        Ok(batch) => batch,
        Err(error) => return errors::unreadable_body(&error.to_string()),
    };
    if batch.rest_requests.len() > MAXIMUM_REQUESTS {
        return errors::unreadable_body("The batch holds too many requests");
    }
    let mut serviced = Vec::new();
    for part in batch.rest_requests {
        let response = instance.dispatch(now, &part_request(request, &part), outbound);
        if instance.state.stopped {
            return errors::stopped();
        }
        serviced.push(describe(&part.id, &response));
    }
    Response::json(
        200,
        &json!({
            "batch_request_id": as_text(&batch.batch_request_id), "serviced_requests": serviced, "unserviced_requests": [],
        }),
    )
}

fn as_text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn part_request(request: &Request, part: &Part) -> Request {
    let (path, query) = part.url.split_once('?').unwrap_or((&part.url, ""));
    let mut headers: BTreeMap<String, String> =
        part.headers.iter().map(|header| (header.name.to_lowercase(), header.value.clone())).collect();
    if let Some(authorization) = request.header("authorization") {
        headers.insert("authorization".to_owned(), authorization.to_owned());
    }
    let body = part.body.as_deref().and_then(|body| STANDARD.decode(body).ok()).unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Request { method: part.method.to_uppercase(), path, query: parse_form(query), headers, body, file: None }
}

fn describe(id: &Value, response: &Response) -> Value {
    let headers: Vec<Value> =
        response.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "id": as_text(id), "status_code": response.status, "status_text": if response.status < 400 { "OK" } else { "Error" },
        "headers": headers, "body": STANDARD.encode(response.content().to_vec().unwrap_or_default()), "execution_time": 0, "redirect_url": null,
    })
}
