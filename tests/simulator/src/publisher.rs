//! Publishes Support events to an SNS topic, as the forwarding of an EventBridge rule would.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::support::events::SupportEvent;

/// How many events may wait for the topic.
const QUEUE_LENGTH: usize = 10_000;
/// How often one event is offered to the topic.
const ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const SERVICE: &str = "sns";
const API_VERSION: &str = "2010-03-31";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// Where events go.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The endpoint of SNS.
    pub sns_endpoint: String,
    /// The topic.
    pub topic_arn: String,
    /// The Region of the topic.
    pub region: String,
    /// The key to publish with.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: SecretString,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The way to the topic. Events keep their order.
#[derive(Debug)]
pub struct Publisher {
    topic: Mutex<Option<Topic>>,
    queue: mpsc::Sender<SupportEvent>,
}

impl Publisher {
    /// A publisher, and the end of its queue for [`Publisher::run`].
    pub fn new(topic: Option<Topic>) -> (Self, mpsc::Receiver<SupportEvent>) {
        let (queue, receiver) = mpsc::channel(QUEUE_LENGTH);
        (Self { topic: Mutex::new(topic), queue }, receiver)
    }

    /// Sends later events elsewhere.
    pub fn redirect(&self, topic: Topic) {
        *self.topic.lock().unwrap_or_else(PoisonError::into_inner) = Some(topic);
    }

    /// Queues events. Like AWS's own, they are best effort: without a topic, or behind a full queue, they are lost.
    pub fn publish(&self, events: Vec<SupportEvent>) {
        for event in events {
            if self.queue.try_send(event).is_err() {
                eprintln!("an event of AWS Support was dropped: {QUEUE_LENGTH} are waiting already");
            }
        }
    }

    /// Publishes what is queued, one after the other, as long as there is a publisher.
    pub async fn run(&self, mut queue: mpsc::Receiver<SupportEvent>, client: reqwest::Client) {
        while let Some(event) = queue.recv().await {
            let topic = self.topic.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(topic) = topic {
                deliver(&client, &topic, &event).await;
            }
        }
    }
}

async fn deliver(client: &reqwest::Client, topic: &Topic, event: &SupportEvent) {
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=ATTEMPTS {
        let Err(error) = publish_once(client, topic, event).await else { return };
        eprintln!(
            "publishing {} of {} failed (attempt {attempt} of {ATTEMPTS}): {error}",
            event.name.as_str(),
            event.case_id
        );
        if attempt < ATTEMPTS {
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
    }
}

async fn publish_once(client: &reqwest::Client, topic: &Topic, event: &SupportEvent) -> Result<(), Failure> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "Publish")
        .append_pair("Version", API_VERSION)
        .append_pair("TopicArn", &topic.topic_arn)
        .append_pair("Message", &event.to_json().to_string())
        .finish();
    let url = url::Url::parse(&topic.sns_endpoint)?;
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Err("the endpoint of SNS has no host".into()),
    };
    let signature = signature(topic, url.as_str(), &host, &body)?;
    let mut request = client.post(url).timeout(REQUEST_TIMEOUT).header("content-type", CONTENT_TYPE);
    for (name, value) in &signature {
        request = request.header(name, value);
    }
    let answer = request.body(body).send().await?;
    if answer.status().is_success() {
        return Ok(());
    }
    Err(format!("{}: {}", answer.status(), answer.text().await?).into())
}

/// The headers of a signed request.
fn signature(topic: &Topic, url: &str, host: &str, body: &str) -> Result<Vec<(String, String)>, Failure> {
    let secret = topic.secret_access_key.expose_secret();
    let identity = Credentials::new(&topic.access_key_id, secret, None, None, "configuration").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&topic.region)
        .name(SERVICE)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let headers = [("host", host), ("content-type", CONTENT_TYPE)];
    let request = SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()))?;
    let (instructions, _) = sign(request, &parameters)?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
