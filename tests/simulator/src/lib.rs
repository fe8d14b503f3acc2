//! Plays what no emulator has: a ServiceNow instance and AWS Support, as state machines with a passed clock.

pub mod support;
pub mod wire;
