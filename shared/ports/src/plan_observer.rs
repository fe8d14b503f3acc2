//! An observer of plans.

use casebridge_core::{
    policy::Policy,
    support::{Pass, Plan},
};
use jiff::Timestamp;

/// Receives every plan before it is applied. It can't change the plan.
pub trait PlanObserver {
    /// Receives a plan, the policy and the pass that it was made from, and the time.
    fn planned(&self, policy: &Policy, pass: &Pass, plan: &Plan, now: Timestamp);
}
