//! The functional core: every decision of casebridge, without I/O, clock or randomness.
//!
//! What both sides show is folded into an [`observation::Observation`]; [`plan::plan`] compares it with what the link
//! remembers and says what to do and what to wait for. Time and random bits come in as arguments.

pub mod case;
pub mod conversation;
pub mod effect;
pub mod hint;
pub mod identifiers;
pub mod incident;
pub mod journal;
pub mod link;
pub mod mark;
pub mod observation;
pub mod pause;
pub mod plan;
pub mod policy;
pub mod poll;
pub mod reading;
pub mod render;
pub mod rotation;
pub mod time;
pub mod trouble;
pub mod unknown_case;
pub mod unreadable;
pub mod wake;
