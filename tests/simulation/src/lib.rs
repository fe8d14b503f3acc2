//! The deterministic simulation: the real plan, executor and ledger logic against both sides in one process.

pub mod calls;
pub mod explore;
pub mod faults;
pub mod handlers;
pub mod invariants;
pub mod ledger_port;
pub mod pairs;
pub mod people;
pub mod ports;
pub mod queue;
pub mod random;
pub mod report;
pub mod sabotage;
pub mod schedule;
pub mod script;
pub mod servicenow_model;
pub mod timeline;
pub mod world;
