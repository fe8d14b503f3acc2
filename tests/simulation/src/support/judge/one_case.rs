//! 2: one case for each incident that is in scope, none for an incident that never was.

use std::collections::BTreeMap;

use casebridge_core::identifiers::IncidentId;

use crate::{invariants::Invariant, world::World};

impl World {
    /// Judges a case as soon as casebridge has written to it.
    pub fn check_write_to_case(&mut self, case_id: &str) {
        let Some(case) = self.support.case(case_id).cloned() else { return };
        let Some(incident) = self.incident_of(&case) else {
            self.violate(Invariant::OneCase, format!("{case_id} belongs to no incident"));
            return;
        };
        let open = self.our_cases().filter(|other| {
            other.account == case.account && !other.is_resolved() && self.incident_of(other).as_ref() == Some(&incident)
        });
        if open.count() > 1 {
            self.violate(Invariant::OneCase, format!("{} has two open cases", self.number_of(&incident)));
        }
        self.count_write(incident);
    }
}

/// 2: one case for each incident that is in scope, none for an incident that never was.
pub(super) fn judge_cases(world: &mut World, incidents: &[IncidentId]) {
    let mut counts: BTreeMap<IncidentId, usize> = BTreeMap::new();
    for case in world.our_cases() {
        if let Some(incident) = world.incident_of(case) {
            *counts.entry(incident).or_default() += 1;
        }
    }
    for (incident, record) in world.memory.gone.clone() {
        if counts.get(&incident).is_some_and(|count| *count > 1) {
            world.violate(Invariant::OneCase, format!("{} has several cases", record.summary.number));
        }
    }
    for incident in incidents {
        let number = world.number_of(incident);
        let count = counts.get(incident).copied().unwrap_or_default();
        if count > 1 {
            world.violate(Invariant::OneCase, format!("{number} has {count} cases"));
        }
        if count > 0 && !world.memory.ever_in_scope.contains_key(incident) {
            world.violate(Invariant::OneCase, format!("{number} was never in scope and has a case"));
        }
        let record = &world.servicenow.incidents[incident];
        let wants = world.servicenow.is_in_scope(record) && !record.summary.state.is_ended();
        if count == 0 && wants && !world.is_excused(incident) {
            world.violate(Invariant::NothingLost, format!("{number} is in scope and has no case"));
        }
    }
}
