//! The log of plans, for development. Without it a function logs the outcome of a hint only.

use casebridge_core::{
    link::{
        kind::Kind,
        pass::Pass,
        plan::{Effect, Plan, Waiting},
    },
    policy::Policy,
};
use casebridge_ports::PlanObserver;
use jiff::Timestamp;

/// Logs the names of each plan's effects and waits at DEBUG. It logs no text.
#[derive(Debug, Clone, Copy)]
pub struct PlanLog;

impl<K: Kind> PlanObserver<K> for PlanLog {
    fn planned(&self, _: &Policy, pass: &Pass<K>, plan: &Plan<K::Call>, _: Timestamp) {
        let effects = || plan.effects.iter().map(Effect::name).collect::<Vec<_>>();
        let waits = || plan.waits.iter().map(Waiting::name).collect::<Vec<_>>();
        tracing::debug!(link = %pass.key, effects = ?effects(), waits = ?waits(), "planned");
    }
}
