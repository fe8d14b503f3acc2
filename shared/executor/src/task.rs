//! What is to be done, and by which rules.

use casebridge_core::{hint::Hint, policy::Policy};
use jiff::SignedDuration;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a lease lasts: longer than the worker can live.
    pub lease: SignedDuration,
    /// The least time of a lease that must be left to begin another call.
    pub least_time_left: SignedDuration,
}

/// What is to be done, and by which rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) hint: &'a Hint,
    pub(crate) policy: &'a Policy,
    pub(crate) limits: Limits,
}
