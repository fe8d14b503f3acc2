//! The policy of the executor, with a safeguard switched off.

use casebridge_core::policy::Policy;

use super::Sabotage;

/// Returns the policy that the executor gets. The world keeps its own policy, and with it its L.
pub fn sabotaged(mut policy: Policy, sabotage: Option<Sabotage>) -> Policy {
    if sabotage == Some(Sabotage::Waiting) {
        policy.unknown_outcome_seconds = 0;
    }
    policy
}
