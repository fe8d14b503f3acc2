//! 12: the plan linter finds nothing in any plan of any pass.

use std::rc::Rc;

use casebridge_core::{
    policy::Policy,
    support::{Pass, Plan, SupportCase},
};
use casebridge_plan_linter::lint;
use casebridge_ports::PlanObserver;
use jiff::Timestamp;

use crate::{desk::Desk, invariants::Invariant};

/// Lints the plans of an executor.
pub struct PlanPort {
    /// The world.
    pub desk: Rc<Desk>,
}

impl PlanObserver<SupportCase> for PlanPort {
    fn planned(&self, policy: &Policy, pass: &Pass, plan: &Plan, now: Timestamp) {
        let findings = lint(policy, pass, plan, now);
        let world = &mut *self.desk.world.borrow_mut();
        world.tally.plans += 1;
        for finding in findings {
            let what = format!("{}: {finding}", world.number_of(&pass.key.incident));
            world.violate(Invariant::Plans, what);
        }
    }
}
