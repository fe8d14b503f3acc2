//! The configuration of every AWS client.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader};
use aws_smithy_http_client::{
    Builder, ConnectorBuilder,
    proxy::ProxyConfig,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{http::SharedHttpClient, runtime_components::RuntimeComponents};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::SdkConfig;

/// The attempts of a call: the SDK's own number.
const ATTEMPTS: u32 = 3;

/// How long a function may wait for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// ServiceNow waits for the answer for five seconds at most, and a call must end before that.
    Interactive,
    /// No caller waits for the answer.
    Background,
}

impl Pace {
    /// Returns the timeouts. Each operation has time for two attempts. An interactive one leaves the rest of
    /// ServiceNow's five seconds to the function. A background one ends within the reconciler's time for a redelivery.
    fn timeouts(self) -> TimeoutConfig {
        let (connect, attempt, operation) = match self {
            Self::Interactive => (1_000, 1_500, 3_500),
            Self::Background => (3_000, 5_000, 12_000),
        };
        TimeoutConfig::builder()
            .connect_timeout(Duration::from_millis(connect))
            .operation_attempt_timeout(Duration::from_millis(attempt))
            .operation_timeout(Duration::from_millis(operation))
            .build()
    }
}

/// Returns the configuration from the SDK's own environment variables: Region, credentials and endpoints.
pub async fn sdk_config(pace: Pace) -> SdkConfig {
    loader(pace).load().await
}

fn loader(pace: Pace) -> ConfigLoader {
    // Pinned, so that an update of the SDK does not change its behaviour silently.
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(pace.timeouts())
        .http_client(http_client())
}

/// Returns the HTTP client that all AWS clients of the configuration share.
///
/// The SDK's configuration has no HTTP client by default. Then each client would create its own, with its own
/// connections and its own copy of the root certificates, and each account has its own clients. The shared client is
/// configured like the SDK's default one: the default TLS, and a proxy where the environment names one.
fn http_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let mut connector = ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

#[cfg(test)]
mod tests;
