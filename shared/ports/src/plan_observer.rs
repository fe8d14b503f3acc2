//! Who hears of plans.

use casebridge_core::{
    policy::Policy,
    support::{Pass, Plan},
};
use jiff::Timestamp;

/// Hears of every plan before it is applied. It changes nothing about it.
pub trait PlanObserver {
    /// Takes note of a plan, of what it was made from, and of the moment.
    fn planned(&self, policy: &Policy, pass: &Pass, plan: &Plan, now: Timestamp);
}
