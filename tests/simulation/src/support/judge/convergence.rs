//! 5: both sides agree, the columns say so, and one more look finds nothing to do.

use casebridge_core::{
    identifiers::{IncidentId, LinkKey},
    policy::ClosedIncidentRule,
    servicenow::incident::IncidentState,
    support::{
        SupportCase,
        columns::{CASE_ID, CASE_STATUS, DISPLAY_ID},
    },
};
use casebridge_simulator::support::Case;

use super::pauses::PAUSED;
use crate::{
    invariants::Invariant,
    schedule::Life,
    servicenow::model::Record,
    support::{cases::first_id, succession::Succession},
    world::World,
};

/// Judges whether an incident and its case agree in the end.
pub(super) fn judge_convergence(life: &mut Life, incident: &IncidentId) {
    let key = LinkKey::support_case(incident.clone());
    if life.desk.world.borrow().pause_of(incident).is_some() {
        // A change of an account changes no incident, so the agent is told only at the next look.
        life.look_again(&key);
    }
    let link = life.desk.ledger.link::<SupportCase>(&key).ok().flatten();
    let handed_over_to = link.as_ref().and_then(|link| link.memory.handed_over_to.as_ref());
    let mut found = life.desk.world.borrow().differences(incident, handed_over_to);
    if link.is_some_and(|link| link.intent.is_some()) && !life.desk.world.borrow().is_excused(incident) {
        found.push("a call is still in doubt".to_owned());
    }
    let number = life.desk.world.borrow().number_of(incident);
    for what in found {
        life.desk.world.borrow_mut().violate(Invariant::Convergence, format!("{number}: {what}"));
    }
    if !life.desk.world.borrow().is_ended_and_unread(incident) {
        judge_one_more_look(life, incident, &key);
    }
}

/// Judges whether one more look finds nothing to do, except what AWS refuses again.
fn judge_one_more_look(life: &mut Life, incident: &IncidentId, key: &LinkKey) {
    let refused = {
        let world = life.desk.world.borrow();
        world.is_refused(incident) || world.case_of(incident).is_some_and(|case| world.is_blind_to(case))
    };
    if refused {
        // No worker may have noticed yet that the account is refused: this look tells the agent.
        life.look_again(key);
    }
    let report = life.look_again(key);
    // A refused request may be made once more, and is refused again.
    let in_vain = |(_, failure): &(_, Option<_>)| refused && failure.is_some();
    let idle = report.as_ref().is_some_and(|report| report.effects.iter().all(in_vain) && !report.deferred);
    if !idle {
        let world = &mut *life.desk.world.borrow_mut();
        let what = format!("{}: one more look finds something to do: {report:?}", world.number_of(incident));
        world.violate(Invariant::Convergence, what);
    }
}

impl World {
    /// Whether no incident can follow a closed one, although the policy wants it for a case that goes on: the case's account
    /// is not in use.
    pub(super) fn can_have_no_next_incident(&self, state: &IncidentState, case: &Case) -> bool {
        let goes_on = self.settings.policy.case_reopened_after_closing == ClosedIncidentRule::OpenIncident;
        goes_on && state.is_closed() && !self.is_account_in_use(case)
    }

    /// Whether what AWS writes has no place: the last incident of the matter is closed, and no other one can follow it.
    pub(super) fn has_no_place_for_news(&self, succession: &Succession) -> bool {
        let last = succession.incidents.last().and_then(|last| self.record_of(last));
        last.is_some_and(|last| self.can_have_no_next_incident(&last.summary.state, succession.current()))
    }

    /// Returns the status that the columns of an incident may show of its case: the present one. A closed incident whose link
    /// has handed the case over keeps a former status while no incident can follow it.
    fn status_to_show<'a>(&self, record: &'a Record, case: &'a Case, handed_over_to: Option<&LinkKey>) -> &'a str {
        let next = LinkKey::support_case(self.next_incident_of(case));
        let waits = handed_over_to == Some(&next) && self.can_have_no_next_incident(&record.summary.state, case);
        let shown = record.summary.columns.own(CASE_STATUS);
        if waits && case.has_had(shown) { shown } else { case.status() }
    }

    /// Returns how an incident and its case differ, and what the columns of the incident show wrongly. `handed_over_to` is
    /// the link that has the case now, if the incident's own link handed it over.
    fn differences(&self, incident: &IncidentId, handed_over_to: Option<&LinkKey>) -> Vec<String> {
        let mut found = Vec::new();
        let record = &self.servicenow.incidents[incident];
        let refused = |case: &&Case| self.is_refused(incident) || self.is_blind_to(case);
        let has_none = self.has_left_its_case(incident);
        let Some(case) = self.case_of(incident).filter(|case| !refused(case) && !has_none) else { return found };
        let state = &record.summary.state;
        if self.can_have_no_next_incident(state, case) && !case.is_resolved() {
            return found;
        }
        let final_state = state.is_closed();
        let told_of_repetition = self.is_told_of_repetition(incident);
        let pauses = self.is_told_of_pause(incident);
        if state.is_ended() != case.is_resolved() && !final_state && !told_of_repetition && !pauses {
            found.push(format!("the incident is {state:?} and the case is {}", case.status()));
        }
        let columns = &record.summary.columns;
        let (case_id, opened_as) = (first_id(columns.own(CASE_ID)), first_id(&case.case_id));
        let told = (case_id.as_str(), columns.own(DISPLAY_ID), columns.own(CASE_STATUS));
        let status = self.status_to_show(record, case, handed_over_to);
        let true_ones = (opened_as.as_str(), case.display_id.as_str(), status);
        if told != true_ones {
            found.push(format!("the columns say {told:?}, and it is {true_ones:?}"));
        }
        let visible = final_state && !case.is_resolved();
        let told = told_of_repetition || pauses || self.is_told_of_a_notice(incident);
        let is_over = columns.last_error.starts_with(PAUSED) && !pauses;
        if (columns.sync_status != "in_sync" && !visible && !told) || is_over {
            found.push(format!("the sync status is {} {}", columns.sync_status, columns.last_error));
        }
        let goes_on = self.settings.policy.case_reopened_after_closing == ClosedIncidentRule::OpenIncident;
        if visible && goes_on && !told_of_repetition && !pauses && !self.is_closing_unread(incident) {
            found.push("the case is open, and no incident goes on with it".to_owned());
        }
        let has_ended = state.is_ended() && case.is_resolved();
        if let Some(pause) = self.pause_of(incident).filter(|_| !pauses && !has_ended) {
            found.push(format!("the link pauses ({pause}) and the sync status is {}", columns.sync_status));
        }
        found
    }
}
