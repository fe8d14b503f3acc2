#![doc = include_str!("../README.md")]

mod clock;
mod files;
mod plan_observer;
mod randomness;
mod servicenow;
mod support;
mod wake_queue;

pub use clock::{Clock, Timer};
pub use files::{CaseFiles, Content, FileQueue, IncidentFiles, OpenFile};
pub use plan_observer::PlanObserver;
pub use randomness::Randomness;
pub use servicenow::ServiceNow;
pub use support::{Support, SupportCatalogue};
pub use wake_queue::WakeQueue;
