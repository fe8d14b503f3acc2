//! Requests that the simulated instance sends over the real network: webhooks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::wire::{Outbound, Request, Response};

/// The network, with the names that are to lead to this machine.
///
/// Its calls block: they belong on a thread that may.
#[derive(Debug)]
pub struct Network {
    runtime: Handle,
    client: Mutex<reqwest::Client>,
}

impl Network {
    /// Connects the given host names to the given addresses. The `Host` header keeps the name, and a port in an address
    /// counts only for URLs without one.
    pub fn new(runtime: Handle, resolve: &BTreeMap<String, SocketAddr>) -> Result<Self, reqwest::Error> {
        Ok(Self { runtime, client: Mutex::new(client(resolve)?) })
    }

    /// Replaces the names.
    pub fn resolve(&self, resolve: &BTreeMap<String, SocketAddr>) -> Result<(), reqwest::Error> {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = client(resolve)?;
        Ok(())
    }

    fn client(&self) -> reqwest::Client {
        self.client.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn client(resolve: &BTreeMap<String, SocketAddr>) -> Result<reqwest::Client, reqwest::Error> {
    // Proxies of the environment must not see what stays on this machine.
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    resolve.iter().fold(builder, |builder, (host, address)| builder.resolve(host, *address)).build()
}

impl Outbound for Network {
    fn send(&self, url: &str, request: &Request, timeout_milliseconds: u64) -> Result<Response, String> {
        let client = self.client();
        self.runtime.block_on(async {
            let sent = exchange(&client, url, request, Duration::from_millis(timeout_milliseconds)).await;
            // The URL is left out: it may hold a secret in its query.
            sent.map_err(|error| describe(&error.without_url()))
        })
    }
}

async fn exchange(
    client: &reqwest::Client,
    url: &str,
    request: &Request,
    timeout: Duration,
) -> Result<Response, reqwest::Error> {
    let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap_or(reqwest::Method::POST);
    let mut builder = client.request(method, url).timeout(timeout).body(request.body.clone());
    if !request.query.is_empty() {
        builder = builder.query(&request.query);
    }
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let answer = builder.send().await?;
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Ok(Response { status, headers, body: answer.bytes().await?.to_vec() })
}

/// The error with its causes: the outermost alone says little.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
