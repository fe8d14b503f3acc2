//! The functional core: every decision of casebridge, without I/O, clock or randomness.
//!
//! What both sides show is folded into a [`link::pass::Pass`]; [`link::planner::plan`] compares it with what the link
//! remembers and says what to do and what to wait for. Time and random bits come in as arguments.

pub mod failure;
pub mod hint;
pub mod identifiers;
pub mod link;
pub mod policy;
pub mod poll;
pub mod rotation;
pub mod servicenow;
pub mod support;
pub mod text;
pub mod time;
pub mod unreadable;
