#![doc = include_str!("../README.md")]

mod bounds;
mod calls;
mod check;
mod deliveries;
mod entries;
mod texts;
mod waits;

use std::fmt;

use casebridge_core::{
    policy::Policy,
    servicenow::incident::IncidentState,
    support::{Effect, Pass, Plan},
};
use jiff::Timestamp;

pub use self::{
    bounds::COLUMN_WRITES_BEYOND_BOUND,
    check::{CHECKS, Check, Severity},
};

/// A fault of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub check: Check,
    /// The place in the plan, in ids and numbers.
    pub place: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} ({:?}): {}", self.check, self.check.severity(), self.place)
    }
}

/// Returns all faults of a plan that was made from this policy and this pass at this moment.
pub fn lint(policy: &Policy, pass: &Pass, plan: &Plan, now: Timestamp) -> Vec<Finding> {
    let mut linter = Linter { policy, pass, plan, now, findings: Vec::new() };
    bounds::check(&mut linter);
    calls::check(&mut linter);
    texts::check(&mut linter);
    entries::check(&mut linter);
    deliveries::check(&mut linter);
    waits::check(&mut linter);
    linter.findings
}

/// Lints a plan.
///
/// # Panics
/// If the plan has a fault.
pub fn assert_clean(policy: &Policy, pass: &Pass, plan: &Plan, now: Timestamp) {
    let findings = lint(policy, pass, plan, now);
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}\n{plan:#?}\nmade from {pass:#?}", told.join("\n"));
}

/// A plan with what it was made from, and the faults found so far.
struct Linter<'a> {
    policy: &'a Policy,
    pass: &'a Pass,
    plan: &'a Plan,
    now: Timestamp,
    findings: Vec<Finding>,
}

impl Linter<'_> {
    fn find(&mut self, check: Check, place: impl Into<String>) {
        self.findings.push(Finding { check, place: place.into() });
    }

    /// Adds a fault if `is_wrong`.
    fn find_if(&mut self, is_wrong: bool, check: Check, place: impl FnOnce() -> String) {
        if is_wrong {
            self.find(check, place());
        }
    }

    /// Whether the incident has ended, as far as the link knows.
    fn incident_has_ended(&self) -> bool {
        self.pass.link.incident.as_ref().is_some_and(|incident| incident.state.is_ended())
    }

    /// Whether the incident is open after the first `effects` effects.
    fn is_open_after(&self, effects: usize) -> bool {
        let set = self.plan.effects[..effects].iter().rev().find_map(state_of);
        set.map_or(!self.incident_has_ended(), |state| !state.is_ended())
    }
}

/// Returns the incident's state that an effect sets. Returns `None` if it sets none.
fn state_of(effect: &Effect) -> Option<IncidentState> {
    match effect {
        Effect::Deliver(delivery) if !delivery.fields.state.is_empty() => {
            Some(IncidentState::from(delivery.fields.state.clone()))
        }
        _ => None,
    }
}

/// Returns the place of an effect in its plan, in words.
fn place(index: usize, effect: &Effect) -> String {
    format!("effect {}, {}", index + 1, effect.name())
}
