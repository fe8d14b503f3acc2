//! The policy of the executor, with a safeguard switched off.

use casebridge_core::policy::Policy;

use super::Sabotage;

/// The policy that the executor gets. The world goes on to show writes as late as its own policy says.
pub fn sabotaged(mut policy: Policy, sabotage: Option<Sabotage>) -> Policy {
    if sabotage == Some(Sabotage::Waiting) {
        policy.unknown_outcome_seconds = 0;
    }
    policy
}
