//! Plays what no emulator has: a ServiceNow instance and AWS Support, as state machines with a passed clock.

pub mod calls;
pub mod clock;
pub mod config;
pub mod faults;
pub mod outbound;
pub mod publisher;
pub mod servicenow;
pub mod support;
pub mod wire;
