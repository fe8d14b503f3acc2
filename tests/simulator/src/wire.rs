//! HTTP requests and responses as values, so that the state machines need no network.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::support::attachments::content::Content;

/// A request as a state machine sees it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path, decoded, without the query.
    pub path: String,
    /// The query's pairs, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// The body of a request that brings a file: it may be too large for the memory. `body` is empty then.
    pub file: Option<Content>,
}

impl Request {
    /// Returns the body, whether it is a file or not.
    pub fn content(&self) -> Content {
        self.file.clone().unwrap_or_else(|| Content::bytes(self.body.as_slice()))
    }

    /// Returns the first value of a query parameter. Returns `None` if it is missing.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns a header's value, by its name in lower case. Returns `None` if it is missing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A response as a state machine returns it.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// The body of an answer that is a file. `body` is empty then.
    pub file: Option<Content>,
}

impl Response {
    /// Returns the body, whether it is a file or not.
    pub fn content(&self) -> Content {
        self.file.clone().unwrap_or_else(|| Content::bytes(self.body.as_slice()))
    }

    /// Returns a JSON response.
    ///
    /// # Panics
    ///
    /// Panics if a map of the body has keys that are not texts.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let headers = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
        let body = serde_json::to_vec(body).expect("a body whose keys are texts is JSON");
        Self { status, headers, body, file: None }
    }
}

/// The network for the requests of simulated instances: the real one in the server, one that keeps the requests in
/// tests.
pub trait Outbound {
    /// Sends one request and waits for its answer, at most `timeout_milliseconds`.
    fn send(&self, url: &str, request: &Request, timeout_milliseconds: u64) -> Result<Response, String>;
}
