//! 5: both sides agree, the columns say so, and one more look finds nothing to do.

use casebridge_core::{
    identifiers::{IncidentId, LinkKey},
    support::SupportCase,
};
use casebridge_simulator::support::Case;

use super::pauses::PAUSED;
use crate::{invariants::Invariant, schedule::Life, support::cases::first_id};

/// 5: both sides agree, the columns say so, and one more look finds nothing to do.
pub(super) fn judge_convergence(life: &mut Life, incident: &IncidentId) {
    let key = LinkKey::support_case(incident.clone());
    if life.desk.world.borrow().pause_of(incident).is_some() {
        // What becomes of an account changes no incident: the next look tells the agent.
        life.look_again(&key);
    }
    let found = {
        let world = life.desk.world.borrow();
        let mut found = Vec::new();
        let record = &world.servicenow.incidents[incident];
        let refused = |case: &&Case| world.is_refused(incident) || world.is_blind_to(case);
        if let Some(case) = world.case_of(incident).filter(|case| !refused(case)) {
            let state = &record.summary.state;
            let final_state = state.is_closed();
            let told_of_repetition = world.is_told_of_repetition(incident);
            let pauses = world.is_told_of_pause(incident);
            if state.is_ended() != case.is_resolved() && !final_state && !told_of_repetition && !pauses {
                found.push(format!("the incident is {state:?} and the case is {}", case.status()));
            }
            let columns = &record.summary.columns;
            let (case_id, opened_as) = (first_id(&columns.case_id), first_id(&case.case_id));
            let told = (case_id.as_str(), columns.display_id.as_str(), columns.case_status.as_str());
            let true_ones = (opened_as.as_str(), case.display_id.as_str(), case.status());
            if told != true_ones {
                found.push(format!("the columns say {told:?}, and it is {true_ones:?}"));
            }
            let visible = final_state && !case.is_resolved();
            let told = told_of_repetition || pauses || world.is_told_of_a_notice(incident);
            let is_over = columns.last_error.starts_with(PAUSED) && !pauses;
            if (columns.sync_status != "in_sync" && !visible && !told) || is_over {
                found.push(format!("the sync status is {} {}", columns.sync_status, columns.last_error));
            }
            let has_ended = state.is_ended() && case.is_resolved();
            if let Some(pause) = world.pause_of(incident).filter(|_| !pauses && !has_ended) {
                found.push(format!("the link pauses ({pause}) and the sync status is {}", columns.sync_status));
            }
        }
        let undecided =
            life.desk.ledger.link::<SupportCase>(&key).ok().flatten().is_some_and(|link| link.intent.is_some());
        if undecided && !world.is_excused(incident) {
            found.push("a call is still in doubt".to_owned());
        }
        found
    };
    let number = life.desk.world.borrow().number_of(incident);
    for what in found {
        life.desk.world.borrow_mut().violate(Invariant::Convergence, format!("{number}: {what}"));
    }
    if life.desk.world.borrow().is_unheard_of(incident) {
        return;
    }
    let refused = {
        let world = life.desk.world.borrow();
        world.is_refused(incident) || world.case_of(incident).is_some_and(|case| world.is_blind_to(case))
    };
    if refused {
        // Nobody may have noticed yet that the account is refused: this look tells the agent.
        life.look_again(&key);
    }
    let report = life.look_again(&key);
    // What is refused may be tried once more, and is refused again.
    let in_vain = |(_, failure): &(_, Option<_>)| refused && failure.is_some();
    let idle = report.as_ref().is_some_and(|report| report.effects.iter().all(in_vain) && !report.deferred);
    if !idle {
        let what = format!("{number}: one more look finds something to do: {report:?}");
        life.desk.world.borrow_mut().violate(Invariant::Convergence, what);
    }
}
