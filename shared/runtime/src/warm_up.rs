//! Connections that a function opens while it starts.

use std::{fmt::Display, future::Future, time::Duration};

/// How long connecting may delay the start: Lambda gives a function ten seconds for the whole start, and starts it
/// again after that.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(3);

/// Connects ahead of the first event. A failure or a timeout is logged, and the function starts all the same: the first
/// event connects again.
pub async fn warm_up<E: Display>(side: &'static str, connecting: impl Future<Output = Result<(), E>>) {
    warm_up_within(WARM_UP_TIMEOUT, side, connecting).await;
}

async fn warm_up_within<E: Display>(
    longest: Duration,
    side: &'static str,
    connecting: impl Future<Output = Result<(), E>>,
) {
    match tokio::time::timeout(longest, connecting).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(side, %error, "a side could not be reached ahead of the first event"),
        Err(_) => tracing::warn!(side, "a side did not answer in time ahead of the first event"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_side_that_fails_or_hangs_is_no_failure_to_start() {
        warm_up("one", async { Ok::<(), &str>(()) }).await;
        warm_up("one that fails", async { Err("down") }).await;
        let hanging = std::future::pending::<Result<(), &str>>();
        warm_up_within(Duration::from_millis(1), "one that hangs", hanging).await;
    }
}
