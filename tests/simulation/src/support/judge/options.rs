//! 4: a case is opened with the language, the issue type and the copies that its incident, or its account, says.

use std::slice;

use casebridge_core::{identifiers::IncidentId, servicenow::incident::CaseOptions};
use casebridge_simulator::support::Case;

use super::{first_id, notes::is_about_options};
use crate::{
    invariants::Invariant,
    servicenow::options::{self, Meant},
    world::World,
};

/// Judges the cases that casebridge opened.
pub(super) fn judge_options(world: &mut World) {
    if !world.settings.options {
        return;
    }
    let wrong: Vec<(Invariant, String)> = world.our_cases().filter_map(|case| problem(world, case)).collect();
    for (invariant, what) in wrong {
        world.violate(invariant, what);
    }
}

/// Returns what is wrong with the options of a case. `None` if they are those of its incident at some time: casebridge
/// may have opened it before or after a change.
fn problem(world: &World, case: &Case) -> Option<(Invariant, String)> {
    let incident = world.incidents_of(case).into_iter().next()?;
    let is_renamed = world.memory.renamed.contains(&first_id(&case.case_id));
    let has = |meant: &Meant| {
        (is_renamed || meant.language == case.language)
            && meant.issue_type == case.issue_type
            && meant.copies == case.cc_email_addresses
    };
    let possible = meant(world, case, &incident);
    let name = format!("{} of {}", case.case_id, world.number_of(&incident));
    if !possible.iter().any(has) {
        let (language, issue_type, copies) = (&case.language, &case.issue_type, &case.cc_email_addresses);
        let what = format!("{name} has {language}, {issue_type} and {copies:?}, not {possible:?}");
        return Some((Invariant::Fields, what));
    }
    let is_partial = possible.iter().filter(|meant| has(meant)).all(|meant| meant.is_partial);
    let lacks_note = is_partial && is_telling(world, case, &incident) && !is_told(world, case);
    lacks_note.then(|| (Invariant::NothingLost, format!("no note tells what {name} was opened without")))
}

/// Whether the incident has to tell what its case was opened without: the link knows the case as the one that it asked
/// for, and the instance has not refused the note.
fn is_telling(world: &World, case: &Case, incident: &IncidentId) -> bool {
    let is_only_case = world.cases_ever_of(incident).count() == 1;
    let is_there = world.servicenow.incidents.contains_key(incident);
    let is_dropped = world.refused_notes(slice::from_ref(incident), is_about_options) > 0;
    is_only_case && is_there && !is_dropped && !world.is_blind_to(case)
}

fn is_told(world: &World, case: &Case) -> bool {
    world.servicenow.delivered_to_all(&world.incidents_of(case)).any(|row| is_about_options(&row.text))
}

fn meant(world: &World, case: &Case, incident: &IncidentId) -> Vec<Meant> {
    let accounts = world.servicenow.accounts.iter().chain(&world.memory.removed_accounts);
    let mut accounts = accounts.filter(|account| account.number.as_str() == case.account);
    let none = CaseOptions::default();
    let of_account = accounts.next().map_or(&none, |account| &account.options);
    let of_incident = world.memory.options.get(incident).map(Vec::as_slice).unwrap_or_default();
    of_incident.iter().map(|typed| options::meant(&case.account, &case.service_code, typed, of_account)).collect()
}
