//! The ServiceNow side: an incident, its journal, and what is written to it.

pub mod columns;
pub mod delivery;
pub mod incident;
pub mod journal;
