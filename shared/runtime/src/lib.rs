#![doc = include_str!("../README.md")]

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
    DeduplicationId, HintQueue, HintSink, InvalidDeduplicationId, MAXIMUM_MESSAGE_BYTES, QueueError, Redeliverer,
    Redelivery, TransferQueue,
};
pub use sdk::{Pace, sdk_config};
pub use secrets::{AccountSecrets, SecretError, Secrets, ServiceNowSecret, WebhookKeys, WebhookSecrets};
pub use system::{SystemClock, SystemRandomness};
pub use warm_up::warm_up;

#[cfg(test)]
mod replay;
