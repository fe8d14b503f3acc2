//! An AWS that answers from a list, and a clock that tests set, for the tests of this crate.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_types::{body::SdkBody, retry::RetryConfig};
use aws_types::SdkConfig;
use casebridge_ports::Clock;
use jiff::Timestamp;
use serde_json::Value;

/// A clock that shows the moment that the test sets.
#[derive(Clone, Default)]
pub(crate) struct SetClock(Arc<AtomicI64>);

impl SetClock {
    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// Returns an HTTP client that gives AWS's answers in this order. The SDK makes no repeats, so each answer is one call.
pub(crate) fn replay(answers: &[(u16, Value)]) -> (StaticReplayClient, SdkConfig) {
    let events = answers.iter().map(|(status, body)| {
        let request = http::Request::builder().uri("https://unused").body(SdkBody::empty()).unwrap();
        let answer = http::Response::builder().status(*status).body(SdkBody::from(body.to_string())).unwrap();
        ReplayEvent::new(request, answer)
    });
    let http = StaticReplayClient::new(events.collect());
    let own = Credentials::new("AKIAHUB", "secret", None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(own))
        .retry_config(RetryConfig::disabled())
        .http_client(http.clone())
        .build();
    (http, config)
}

/// Returns the body of the request with this number, counted from zero.
pub(crate) fn body(http: &StaticReplayClient, call: usize) -> Value {
    let request = http.actual_requests().nth(call).unwrap();
    serde_json::from_slice(request.body().bytes().unwrap()).unwrap()
}

/// Returns how many requests were made.
pub(crate) fn calls(http: &StaticReplayClient) -> usize {
    http.actual_requests().count()
}
