//! 2: one case for each incident that is in scope, none for an incident that never was. One incident for each case that
//! a person opened, if the policy says so.

use std::collections::BTreeMap;

use casebridge_core::{
    identifiers::IncidentId,
    policy::{ClosedIncidentRule, OldCaseRule},
    servicenow::delivery::NewIncident,
    support::columns::CASE_ID,
};
use casebridge_simulator::support::{Case, REOPEN_WINDOW};

use crate::{
    invariants::Invariant,
    support::cases::{first_id, incident_of_generation, opened_incident},
    world::World,
};

impl World {
    /// Judges a case as soon as casebridge has written to it.
    pub fn check_write_to_case(&mut self, case_id: &str) {
        let Some(case) = self.support.case(case_id) else { return };
        let Some(incident) = self.incident_of(case) else {
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

/// Whether another case follows this one, since AWS no longer reopens it.
pub(super) fn has_successor(world: &World, case: &Case) -> bool {
    let Some(resolved_at) = case.resolved_at() else { return false };
    let follows = |later: &&Case| later.time_created.duration_since(resolved_at) > REOPEN_WINDOW;
    let is_allowed = world.settings.policy.case_too_old_to_reopen == OldCaseRule::OpenCase;
    let incident = world.incident_of(case);
    is_allowed && world.our_cases().filter(follows).any(|later| world.incidents_of(later).first() == incident.as_ref())
}

/// 2: one case for each incident that is in scope, none for an incident that never was.
pub(super) fn judge_cases(world: &mut World, incidents: &[IncidentId]) {
    let mut counts: BTreeMap<IncidentId, usize> = BTreeMap::new();
    for case in world.support.cases() {
        for incident in world.incidents_of(case).into_iter().filter(|_| !has_successor(world, case)) {
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
            let told =
                |case: &Case| format!("{} of {} ended {:?}", case.case_id, case.time_created, case.resolved_at());
            let cases: Vec<String> = world.cases_ever_of(incident).map(told).collect();
            world.violate(Invariant::OneCase, format!("{number} has {count} cases: {}", cases.join(", ")));
        }
        let is_opened_for_case = world.memory.opened_for_cases.contains(incident);
        if count > 0 && !is_opened_for_case && !world.memory.ever_in_scope.contains_key(incident) {
            world.violate(Invariant::OneCase, format!("{number} was never in scope and has a case"));
        }
        let record = &world.servicenow.incidents[incident];
        let wants = world.servicenow.is_in_scope(record) && !record.summary.state.is_ended();
        if count == 0 && wants && !world.is_excused(incident) {
            world.violate(Invariant::NothingLost, format!("{number} is in scope and has no case"));
        }
        // Another case may have followed its case since: that one belongs to the incident that has it now.
        if is_opened_for_case && world.cases_ever_of(incident).next().is_none() {
            world.violate(Invariant::OneCase, format!("{number} was opened for no case"));
        }
    }
    judge_own_cases(world);
}

/// Judges whether each case that a person opened has its incident, if the policy says so.
fn judge_own_cases(world: &mut World) {
    let lacks_incident = |case: &&Case| {
        world.is_own_case(case)
            && world.incident_of(case).is_none()
            && world.becomes_incident(case)
            && world.is_account_in_use(case)
            && !world.is_blind_to(case)
    };
    let lacking: Vec<String> =
        world.support.cases().iter().filter(lacks_incident).map(|case| case.case_id.clone()).collect();
    for case_id in lacking {
        world.violate(Invariant::NothingLost, format!("{case_id} was opened at AWS and has no incident"));
    }
}

impl World {
    /// Judges the opening of an incident as soon as the instance has answered it. `was_there` says that the incident
    /// was there before.
    pub fn judge_opening(&mut self, incident: &IncidentId, request: &NewIncident, was_there: bool) {
        self.count_write(incident.clone());
        if was_there || !self.servicenow.incidents.contains_key(incident) {
            return;
        }
        let is_again = !self.memory.opened_for_cases.insert(incident.clone());
        let name = self.number_of(incident);
        if is_again && !self.memory.gone.contains_key(incident) {
            self.violate(Invariant::ExactlyOnce, format!("{name} was opened twice for its case"));
        }
        let named = request.columns.own(CASE_ID).to_owned();
        let is_right = self.support.case(&named).cloned().is_some_and(|case| {
            let is_first = self.is_own_case(&case) && opened_incident(&case) == *incident;
            if is_first { self.may_become_incident(&case) } else { self.is_next_incident(&case, incident) }
        });
        if !is_right {
            self.violate(Invariant::OneCase, format!("{name} was opened for {named}"));
        }
    }

    /// Notes an incident that was opened for a case after the one before was closed. Returns whether it may be. One that
    /// was opened already, and deleted by a person before the ledger knew of it, is opened again.
    fn is_next_incident(&mut self, case: &Case, incident: &IncidentId) -> bool {
        let before = self.incidents_of(case);
        if before.last() == Some(incident) {
            return true;
        }
        let is_closed = |before: &IncidentId| {
            self.all_incidents().any(|record| record.summary.sys_id == *before && record.summary.state.is_closed())
        };
        let follows_a_closed_one = before.last().is_some_and(is_closed);
        let generation = u32::try_from(before.len()).unwrap_or(u32::MAX).saturating_add(1);
        let is_allowed = self.settings.policy.case_reopened_after_closing == ClosedIncidentRule::OpenIncident;
        self.memory.next_incidents.entry(first_id(&case.case_id)).or_default().push(incident.clone());
        follows_a_closed_one && is_allowed && incident_of_generation(case, generation) == *incident
    }
}
