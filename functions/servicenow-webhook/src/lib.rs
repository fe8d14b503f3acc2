#![doc = include_str!("../README.md")]

mod body;
mod signature;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Mutex, PoisonError},
};

use aws_lambda_events::lambda_function_urls::{LambdaFunctionUrlRequest, LambdaFunctionUrlResponse};
use base64::{Engine, engine::general_purpose::STANDARD};
use casebridge_core::{
    hint::{Cause, Hint, Subject},
    identifiers::LinkKey,
    rotation::{ROTATION, Rotation, is_previous_accepted},
};
use casebridge_ledger::Ledger;
use casebridge_ports::Clock;
use casebridge_runtime::{
    DeduplicationId, HintSink, SecretError, WebhookKeys, WebhookSecrets,
    logging::{Causes, hint_span},
    metrics::{Metric, Metrics},
};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ALLOW, CONTENT_TYPE},
};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use tracing::Instrument;

pub use body::MalformedBody;

/// The largest accepted body, in bytes: a webhook names an event and an incident, in a few hundred bytes.
pub const MAXIMUM_BODY_BYTES: usize = 16 * 1024;
/// The length of the largest body as base64 text, in bytes.
const MAXIMUM_ENCODED_BYTES: usize = MAXIMUM_BODY_BYTES.div_ceil(3) * 4;

/// A source of the secrets that may sign a webhook.
pub trait KeySource {
    /// Returns the versions, from a cache if there is one.
    ///
    /// # Errors
    /// If the current version is not available.
    fn known(&self) -> impl Future<Output = Result<WebhookKeys, SecretError>>;
    /// Returns versions that were read seconds ago at most, after none of the known ones had signed a webhook.
    ///
    /// # Errors
    /// As [`KeySource::known`].
    fn renewed(&self) -> impl Future<Output = Result<WebhookKeys, SecretError>>;
}

impl<C: Clock> KeySource for WebhookSecrets<C> {
    async fn known(&self) -> Result<WebhookKeys, SecretError> {
        self.known().await
    }

    async fn renewed(&self) -> Result<WebhookKeys, SecretError> {
        self.renewed().await
    }
}

/// The reason to reject a webhook.
#[derive(Debug, PartialEq, Eq)]
enum Rejection {
    Method,
    TooLarge,
    Encoding,
    Unauthorized,
    Id(String),
    Body(MalformedBody),
    Unavailable,
}

impl Rejection {
    fn status(&self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding | Self::Id(_) | Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Method => "method_not_allowed",
            Self::TooLarge => "too_large",
            Self::Encoding | Self::Id(_) | Self::Body(_) => "malformed",
            Self::Unauthorized => "unauthorized",
            Self::Unavailable => "unavailable",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Method => "send webhooks with POST".to_owned(),
            Self::TooLarge => {
                format!("the body is larger than {MAXIMUM_BODY_BYTES} bytes; send the incident's sys_id and no content")
            }
            Self::Encoding => "the body is not valid base64".to_owned(),
            Self::Unauthorized => "the webhook is not accepted".to_owned(),
            Self::Id(problem) => format!("the header webhook-id {problem}"),
            Self::Body(malformed) => malformed.to_string(),
            Self::Unavailable => "the webhook can't be taken now; send it again later".to_owned(),
        }
    }
}

/// The handler and its ports.
pub struct Webhook<K, L, Q, C> {
    /// The secrets that may sign a webhook.
    pub keys: K,
    /// The ledger, which remembers since when the current secret is in use.
    pub ledger: L,
    /// The queue of hints.
    pub queue: Q,
    /// Our clock.
    pub clock: C,
    /// The metrics of the invocation.
    pub metrics: Metrics,
    /// The times at which rejections were last logged.
    pub rejection_log: RejectionLog,
}

/// The least time between two log lines for rejections of one code. Anybody can cause rejections, and each line costs
/// money. The metric counts them all.
const REJECTIONS_TOLD_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// The code in [`RejectionLog`] for a secret that can't be read. Every webhook is rejected then.
const WITHOUT_SECRET: &str = "without_secret";

/// The time of the last log line for each code of a rejection.
#[derive(Debug, Default)]
pub struct RejectionLog(Mutex<BTreeMap<&'static str, Timestamp>>);

impl RejectionLog {
    /// Whether to log a rejection with this code now. If so, remembers the time.
    fn should_log(&self, code: &'static str, now: Timestamp) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let should_log = told.get(code).is_none_or(|last| now.duration_since(*last) >= REJECTIONS_TOLD_EVERY);
        if should_log {
            told.insert(code, now);
        }
        should_log
    }
}

impl<K: KeySource, L: Ledger, Q: HintSink, C: Clock> Webhook<K, L, Q, C> {
    /// Handles one request.
    pub async fn handle(&self, request: LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        let outcome = self.accept(request).await;
        match &outcome {
            Ok(()) => {
                self.metrics.count(Metric::WebhooksAccepted, 1);
                answer(StatusCode::ACCEPTED, &json!({"status": "accepted"}))
            }
            Err(rejection) => {
                self.metrics.count(Metric::WebhooksRejected, 1);
                let (status, code) = (rejection.status().as_u16(), rejection.code());
                if self.rejection_log.should_log(code, self.clock.now()) {
                    tracing::warn!(status, code, "webhook not accepted; others of this kind are told in a minute");
                }
                let error = json!({"error": {"code": rejection.code(), "message": rejection.message()}});
                answer(rejection.status(), &error)
            }
        }
    }

    async fn accept(&self, request: LambdaFunctionUrlRequest) -> Result<(), Rejection> {
        if request.request_context.http.method.as_deref() != Some("POST") {
            return Err(Rejection::Method);
        }
        let body = bytes_of(request.body.unwrap_or_default(), request.is_base64_encoded)?;
        self.authenticate(&request.headers, &body).await?;
        let id = header(&request.headers, signature::ID_HEADER).unwrap_or_default();
        let deduplication = DeduplicationId::parse(id).map_err(|problem| Rejection::Id(problem.to_string()))?;
        let told = body::reported_change(&body).map_err(Rejection::Body)?;
        let received_at = self.clock.now();
        // Each link is a group of its own, and a deduplication id counts within its group.
        for key in LinkKey::all_of(&told.incident) {
            let cause = Cause::ServicenowWebhook;
            let hint = Hint { subject: Subject::Link { key }, cause, received_at, claim: None };
            self.enqueue(&hint, &deduplication, told.sys_mod_count).instrument(hint_span(&hint)).await?;
        }
        Ok(())
    }

    async fn enqueue(
        &self,
        hint: &Hint,
        deduplication: &DeduplicationId,
        sys_mod_count: Option<u64>,
    ) -> Result<(), Rejection> {
        match self.queue.send(hint, deduplication).await {
            Ok(()) => {
                self.metrics.count(Metric::HintsSent, 1);
                tracing::info!(webhook = %deduplication, sys_mod_count, "webhook accepted");
                Ok(())
            }
            Err(error) => {
                tracing::error!(error = %Causes(&error), "the hint could not be enqueued");
                Err(Rejection::Unavailable)
            }
        }
    }

    /// Checks the signature against the cached secret, then against a newly read one, then against the previous one
    /// while that is accepted. Only a signature with the previous secret costs a read of the ledger.
    async fn authenticate(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Rejection> {
        let signed = signature::Signed {
            id: header(headers, signature::ID_HEADER).ok_or(Rejection::Unauthorized)?,
            timestamp: header(headers, signature::TIMESTAMP_HEADER).ok_or(Rejection::Unauthorized)?,
            signatures: header(headers, signature::SIGNATURE_HEADER).ok_or(Rejection::Unauthorized)?,
            body,
        };
        if !signed.is_recent(self.clock.now()) {
            return Err(Rejection::Unauthorized);
        }
        let known = self.keys.known().await.map_err(|error| self.without_secret(&error))?;
        let is_by = |secret: &SecretString| signature::key_of(secret).is_some_and(|key| signed.is_by(&key));
        if is_by(&known.current) {
            return Ok(());
        }
        let renewed = self.keys.renewed().await.map_err(|error| self.without_secret(&error))?;
        let current = signature::key_of(&renewed.current);
        if current.as_ref().is_some_and(|key| signed.is_by(key)) {
            return Ok(());
        }
        if renewed.previous.as_ref().is_some_and(is_by) {
            return self.check_previous(&renewed).await;
        }
        // If the current secret is unusable, no signature is valid. The sender tries again until the secret is
        // corrected.
        Err(if current.is_some() { Rejection::Unauthorized } else { Rejection::Unavailable })
    }

    /// Fails unless the previous version is still accepted.
    async fn check_previous(&self, keys: &WebhookKeys) -> Result<(), Rejection> {
        let row = self.ledger.watermark(ROTATION).await.map_err(|error| {
            tracing::error!(error = %Causes(&error), "it can't be told whether the previous secret is accepted");
            Rejection::Unavailable
        })?;
        // The poller replaces an unreadable row within a minute.
        let known = Rotation::read(row.as_deref());
        if is_previous_accepted(known.as_ref(), &keys.version, keys.created_at, self.clock.now()) {
            return Ok(());
        }
        tracing::warn!("a webhook is signed with the previous secret: enter the present one in ServiceNow");
        Err(Rejection::Unauthorized)
    }

    fn without_secret(&self, error: &SecretError) -> Rejection {
        if self.rejection_log.should_log(WITHOUT_SECRET, self.clock.now()) {
            tracing::error!(error = %Causes(error), "the webhook's secret can't be read");
        }
        Rejection::Unavailable
    }
}

/// Returns the bytes as they were sent and signed.
fn bytes_of(body: String, is_base64: bool) -> Result<Vec<u8>, Rejection> {
    let most = if is_base64 { MAXIMUM_ENCODED_BYTES } else { MAXIMUM_BODY_BYTES };
    if body.len() > most {
        return Err(Rejection::TooLarge);
    }
    let bytes = if is_base64 { STANDARD.decode(body).map_err(|_| Rejection::Encoding)? } else { body.into_bytes() };
    if bytes.len() > MAXIMUM_BODY_BYTES { Err(Rejection::TooLarge) } else { Ok(bytes) }
}

fn header<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn answer(status: StatusCode, body: &Value) -> LambdaFunctionUrlResponse {
    let mut response = LambdaFunctionUrlResponse::default();
    response.status_code = i64::from(status.as_u16());
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers.insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response.body = Some(body.to_string());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_rejections_is_told_once_a_minute_for_each_kind() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let log = RejectionLog::default();
        let news: Vec<bool> = [("a", 0), ("a", 59), ("b", 59), ("a", 60), ("a", 119), ("b", 119)]
            .map(|(code, second)| log.should_log(code, at(second)))
            .to_vec();
        assert_eq!(news, [true, false, true, true, false, true]);
    }
}
