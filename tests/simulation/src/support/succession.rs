//! The cases and the incidents that belong together: another case follows one that is too old to be reopened, and another
//! incident follows one that is closed.

use casebridge_core::identifiers::IncidentId;
use casebridge_simulator::support::{Case, model::Communication};

use crate::world::World;

/// The cases and the incidents of one matter.
#[derive(Debug, Clone)]
pub struct Succession {
    /// The cases, each after the one that it follows. There is at least one.
    pub cases: Vec<Case>,
    /// The incidents, each after the one that it follows.
    pub incidents: Vec<IncidentId>,
}

impl Succession {
    /// Returns all that belongs together with an incident. Returns `None` if it has no case and had none.
    pub fn of(world: &World, incident: &IncidentId) -> Option<Self> {
        let mut incidents = vec![incident.clone()];
        loop {
            let belongs = |case: &&Case| world.incidents_of(case).iter().any(|own| incidents.contains(own));
            let cases: Vec<Case> = world.support.cases().iter().filter(belongs).cloned().collect();
            let mut all: Vec<IncidentId> = Vec::new();
            for own in cases.iter().flat_map(|case| world.incidents_of(case)) {
                if !all.contains(&own) {
                    all.push(own);
                }
            }
            if all.len() <= incidents.len() {
                return (!cases.is_empty()).then_some(Self { cases, incidents: all });
            }
            incidents = all;
        }
    }

    /// Returns the case that goes on.
    pub fn current(&self) -> &Case {
        &self.cases[self.cases.len() - 1]
    }

    /// Returns the communications of all cases, each with its case and its number there, the oldest first.
    pub fn communications(&self) -> impl Iterator<Item = (&Case, usize, &Communication)> {
        self.cases.iter().flat_map(|case| {
            case.communications.iter().enumerate().map(move |(index, communication)| (case, index, communication))
        })
    }
}
