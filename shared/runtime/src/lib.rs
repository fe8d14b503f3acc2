//! What every function needs before its own work begins: settings, logs, metrics, clock, secrets, policy, queue.
//!
//! A function reads its settings and builds its clients while it starts, when Lambda gives it a full processor. The first
//! TLS handshake of a process gathers entropy for some 30 milliseconds of processor time; the build leaves that second
//! source of entropy in place (`AWS_LC_SYS_NO_JITTER_ENTROPY` is not set), and the functions make their first connection
//! while they start, so that no event waits for it.

pub mod logging;
pub mod metrics;
mod plan_log;
mod policy;
mod queue;
mod sdk;
mod secrets;
pub mod settings;
mod system;
mod warm_up;

pub use plan_log::PlanLog;
pub use policy::{PolicySource, PolicySourceError};
pub use queue::{
    DeduplicationId, HintQueue, HintSink, InvalidDeduplicationId, MAX_MESSAGE_BYTES, QueueError, Redeliverer,
    Redelivery,
};
pub use sdk::{Pace, sdk_config};
pub use secrets::{AccountSecrets, SecretError, Secrets, ServiceNowSecret, WebhookKeys, WebhookSecrets};
pub use system::{SystemClock, SystemRandomness};
pub use warm_up::warm_up;

#[cfg(test)]
mod replay;
