//! The configuration of every AWS client.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::SdkConfig;

/// How many attempts a call has.
const ATTEMPTS: u32 = 3;

/// How long a function may wait for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// ServiceNow waits for the answer, for five seconds at most.
    Interactive,
    /// Nobody waits.
    Background,
}

impl Pace {
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

/// The configuration from the function's environment: Region, credentials and endpoints are the SDK's own variables.
pub async fn sdk_config(pace: Pace) -> SdkConfig {
    // Pinned, so that an update of the SDK changes no behaviour unseen.
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(pace.timeouts())
        .load()
        .await
}
