#![doc = include_str!("../README.md")]

mod clock;
mod randomness;
mod servicenow;
mod support;
mod wake_queue;

pub use clock::{Clock, Timer};
pub use randomness::Randomness;
pub use servicenow::ServiceNow;
pub use support::{CasePage, CaseQuery, CommunicationPage, DescribedCase, Support};
pub use wake_queue::WakeQueue;
