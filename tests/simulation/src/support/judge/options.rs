//! 4: a case is opened with the language, the issue type and the copies that its incident, or its account, says.

use casebridge_core::{identifiers::IncidentId, servicenow::incident::CaseOptions};
use casebridge_simulator::support::Case;

use super::first_id;
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
    let wrong: Vec<String> = world.our_cases().filter_map(|case| problem(world, case)).collect();
    for what in wrong {
        world.violate(Invariant::Fields, what);
    }
}

/// Returns what is wrong with the options of a case. `None` if they are those of its incident at some time: casebridge
/// may have opened it before or after a change.
fn problem(world: &World, case: &Case) -> Option<String> {
    let incident = world.incidents_of(case).into_iter().next()?;
    let opened_with = Meant {
        language: case.language.clone(),
        issue_type: case.issue_type.clone(),
        copies: case.cc_email_addresses.clone(),
    };
    let possible = meant(world, case, &incident);
    let is_renamed = world.memory.renamed.contains(&first_id(&case.case_id));
    let is_right = possible.iter().any(|meant| {
        let language = if is_renamed { &opened_with.language } else { &meant.language };
        Meant { language: language.clone(), ..meant.clone() } == opened_with
    });
    (!is_right).then(|| {
        format!("{} of {} has {opened_with:?}, not {possible:?}", first_id(&case.case_id), world.number_of(&incident))
    })
}

fn meant(world: &World, case: &Case, incident: &IncidentId) -> Vec<Meant> {
    let accounts = world.servicenow.accounts.iter().chain(&world.memory.removed_accounts);
    let of_account = accounts.filter(|account| account.number.as_str() == case.account).map(|account| &account.options);
    let none = CaseOptions::default();
    let of_account = of_account.last().unwrap_or(&none);
    let of_incident = world.memory.options.get(incident).map(Vec::as_slice).unwrap_or_default();
    of_incident.iter().map(|typed| options::meant(&case.account, typed, of_account)).collect()
}
