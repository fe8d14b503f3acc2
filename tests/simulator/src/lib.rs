#![doc = include_str!("../README.md")]

pub mod calls;
pub mod clock;
pub mod config;
pub mod faults;
pub mod outbound;
pub mod publisher;
pub mod server;
pub mod servicenow;
pub mod support;
mod tls;
pub mod wire;
