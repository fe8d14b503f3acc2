//! What the executor has to do, by which policy and within which limits.

use casebridge_core::{hint::Hint, policy::Policy};
use jiff::SignedDuration;

/// The time limits of the work on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a lease lasts: longer than the worker can live.
    pub lease: SignedDuration,
    /// The least time of a lease that must be left to begin another call.
    pub least_time_left: SignedDuration,
}

/// What the executor has to do, by which policy and within which limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) hint: &'a Hint,
    pub(crate) policy: &'a Policy,
    pub(crate) limits: Limits,
}
