//! Puts Support events on an event bus of another account, as a rule in their own account would.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::support::events::SupportEvent;

/// The most events that wait for the bus. It is enough for a whole run of the tests.
const QUEUE_LENGTH: usize = 10_000;
/// The most attempts to put one event on the bus. Their pauses take more than a second together, so that a short outage
/// loses no event.
const ATTEMPTS: u32 = 4;
/// The pause after the first attempt, long enough for a dropped connection. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How long one attempt may take: longer than a busy local AWS needs for an event.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const SERVICE: &str = "events";
const TARGET: &str = "AWSEvents.PutEvents";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// The secret key for the local AWS, which takes an account's digits as the key of its root user and ignores the
/// signature.
const ROOT_SECRET: &str = "not verified";

/// The event bus.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventBus {
    /// The endpoint of EventBridge.
    pub events_endpoint: String,
    /// The bus.
    pub event_bus_arn: String,
    /// The Region of the bus.
    pub region: String,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The sender of events. It keeps their order.
#[derive(Debug)]
pub struct Publisher {
    bus: Mutex<Option<EventBus>>,
    queue: mpsc::Sender<SupportEvent>,
}

impl Publisher {
    /// Returns a publisher, and the receiver of its queue for [`Publisher::run`].
    pub fn new(bus: Option<EventBus>) -> (Self, mpsc::Receiver<SupportEvent>) {
        let (queue, receiver) = mpsc::channel(QUEUE_LENGTH);
        (Self { bus: Mutex::new(bus), queue }, receiver)
    }

    /// Sends later events to another bus.
    pub fn redirect(&self, bus: EventBus) {
        *self.bus.lock().unwrap_or_else(PoisonError::into_inner) = Some(bus);
    }

    /// Queues events. Like AWS's own events they are best effort: they are lost if there is no bus or the queue is
    /// full.
    pub fn publish(&self, events: Vec<SupportEvent>) {
        for event in events {
            if self.queue.try_send(event).is_err() {
                eprintln!("an event of AWS Support was dropped: {QUEUE_LENGTH} are waiting already");
            }
        }
    }

    /// Publishes the queued events one after the other, until the publisher is dropped.
    pub async fn run(&self, mut queue: mpsc::Receiver<SupportEvent>, client: reqwest::Client) {
        while let Some(event) = queue.recv().await {
            let bus = self.bus.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(bus) = bus {
                deliver(&client, &bus, &event).await;
            }
        }
    }
}

async fn deliver(client: &reqwest::Client, bus: &EventBus, event: &SupportEvent) {
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        let Err(error) = put_once(client, bus, event).await else { return };
        eprintln!(
            "putting {} of {} failed (attempt {attempt} of {ATTEMPTS}): {error}",
            event.name.as_str(),
            event.case_id
        );
        if attempt < ATTEMPTS {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

async fn put_once(client: &reqwest::Client, bus: &EventBus, event: &SupportEvent) -> Result<(), Failure> {
    let told = event.to_json();
    let entry = json!({
        "EventBusName": bus.event_bus_arn,
        "Time": event.time.as_second(),
        "Source": told["source"],
        "DetailType": told["detail-type"],
        "Resources": told["resources"],
        "Detail": told["detail"].to_string(),
    });
    let body = json!({ "Entries": [entry] }).to_string();
    let url = url::Url::parse(&bus.events_endpoint)?;
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Err("the endpoint of EventBridge has no host".into()),
    };
    let headers = [("host", host.as_str()), ("content-type", CONTENT_TYPE), ("x-amz-target", TARGET)];
    let signature = signature(&event.account, &bus.region, url.as_str(), &headers, &body)?;
    let mut request = client.post(url).timeout(REQUEST_TIMEOUT);
    // The client sets the host itself.
    for (name, value) in &headers[1..] {
        request = request.header(*name, *value);
    }
    for (name, value) in &signature {
        request = request.header(name, value);
    }
    let answer = request.body(body).send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    // An answer with a status of success may name a refused entry.
    let refused = serde_json::from_str::<Value>(&text).map_or(true, |answer| answer["FailedEntryCount"] != 0);
    if status.is_success() && !refused { Ok(()) } else { Err(format!("{status}: {text}").into()) }
}

/// Returns the headers that sign a request in the name of an account.
fn signature(
    account: &str,
    region: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let identity = Credentials::new(account, ROOT_SECRET, None, None, "account").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(SERVICE)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let request = SignableRequest::new("POST", url, headers.iter().copied(), SignableBody::Bytes(body.as_bytes()))?;
    let (instructions, _) = sign(request, &parameters)?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
