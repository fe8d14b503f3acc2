//! An observer of plans.

use casebridge_core::{
    link::{kind::Kind, pass::Pass, plan::Plan},
    policy::Policy,
};
use jiff::Timestamp;

/// Receives every plan of a kind of link before it is applied. It can't change the plan.
pub trait PlanObserver<K: Kind> {
    /// Receives a plan, the policy and the pass that it was made from, and the time.
    fn planned(&self, policy: &Policy, pass: &Pass<K>, plan: &Plan<K::Call>, now: Timestamp);
}
