//! Requests that the simulated instance sends over the real network: webhooks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use url::Url;

use crate::wire::{Outbound, Request, Response};

/// The network, with the host names that lead to addresses of this machine.
///
/// A name that leads to this machine is reached over plain http, whatever scheme the URL has: this machine stands in
/// for the endpoint that ends TLS in front of the service. The `Host` header is the one of the URL.
///
/// Its calls block, so they need a thread that may block.
#[derive(Debug)]
pub struct Network {
    runtime: Handle,
    names: Mutex<Arc<Names>>,
}

/// The names that lead to this machine, and a client that resolves them.
#[derive(Debug)]
struct Names {
    addresses: BTreeMap<String, SocketAddr>,
    client: reqwest::Client,
}

impl Names {
    fn new(addresses: &BTreeMap<String, SocketAddr>) -> Result<Self, reqwest::Error> {
        // Requests within this machine must not go through a proxy of the environment.
        let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let builder = addresses.iter().fold(builder, |builder, (host, address)| builder.resolve(host, *address));
        Ok(Self { addresses: addresses.clone(), client: builder.build()? })
    }

    /// Returns the address of a URL, and the `Host` header if it differs from that address.
    fn locate(&self, url: &str) -> Result<(Url, Option<String>), String> {
        let mut url = Url::parse(url).map_err(|error| format!("the address is no URL: {error}"))?;
        let host = url.host_str().unwrap_or_default();
        let Some(address) = self.addresses.get(host) else { return Ok((url, None)) };
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let replaced = url.set_scheme("http").and_then(|()| url.set_port(Some(address.port())));
        replaced.map_err(|()| "the address is neither http nor https".to_owned())?;
        Ok((url, Some(authority)))
    }
}

impl Network {
    /// Lets the given host names lead to the given addresses.
    pub fn new(runtime: Handle, addresses: &BTreeMap<String, SocketAddr>) -> Result<Self, reqwest::Error> {
        Ok(Self { runtime, names: Mutex::new(Arc::new(Names::new(addresses)?)) })
    }

    /// Replaces the names.
    pub fn resolve(&self, addresses: &BTreeMap<String, SocketAddr>) -> Result<(), reqwest::Error> {
        let names = Arc::new(Names::new(addresses)?);
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
        Ok(())
    }
}

impl Outbound for Network {
    fn send(&self, url: &str, request: &Request, timeout_milliseconds: u64) -> Result<Response, String> {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (url, host) = names.locate(url)?;
        let timeout = Duration::from_millis(timeout_milliseconds);
        let sent = self.runtime.block_on(exchange(&names.client, url, host, request, timeout));
        // The URL is left out: it may hold a secret in its query.
        sent.map_err(|error| describe(&error.without_url()))
    }
}

async fn exchange(
    client: &reqwest::Client,
    url: Url,
    host: Option<String>,
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
    if let Some(host) = host {
        builder = builder.header(reqwest::header::HOST, host);
    }
    let answer = builder.send().await?;
    let status = answer.status().as_u16();
    let headers = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Ok(Response { status, headers, body: answer.bytes().await?.to_vec(), file: None })
}

/// Returns the text of an error with those of its causes, since the outermost error alone says little.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
