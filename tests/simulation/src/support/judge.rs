//! The judges of cases and communications.

mod comments;
mod confidentiality;
mod convergence;
pub mod endings;
pub mod excuses;
mod files;
mod notes;
mod one_case;
mod options;
pub mod pauses;
pub mod plans;
pub mod refusals;
mod replies;

use casebridge_core::identifiers::IncidentId;
use casebridge_simulator::support::Case;

use super::{cases::first_id, succession::Succession};
use crate::{invariants::Invariant, schedule::Life, world::World};
use comments::{judge_comments, judge_gone};
use confidentiality::judge_confidentiality;
use convergence::judge_convergence;
use files::judge_files;
use notes::judge_notes;
use one_case::judge_cases;
use options::judge_options;
use replies::{judge_notices, judge_replies};

pub(super) type Findings = Vec<(Invariant, String)>;

/// Judges a world that has come to rest.
pub fn judge(life: &mut Life) {
    let incidents: Vec<IncidentId> = life.desk.world.borrow().servicenow.incidents.keys().cloned().collect();
    {
        let world = &mut *life.desk.world.borrow_mut();
        judge_cases(world, &incidents);
        judge_options(world);
        judge_confidentiality(world);
        judge_gone(world);
        for incident in &incidents {
            judge_messages(world, incident);
            world.judge_reactions(incident);
        }
    }
    for incident in &incidents {
        judge_convergence(life, incident);
    }
}

/// Judges 1 and 8: every message is on the other side once, in order.
fn judge_messages(world: &mut World, incident: &IncidentId) {
    let Some(succession) = Succession::of(world, incident) else { return };
    // All incidents of one matter are judged together.
    if succession.incidents.last() != Some(incident) {
        return;
    }
    let mut found = Vec::new();
    judge_comments(world, incident, &succession, &mut found);
    judge_replies(world, &succession, &mut found);
    judge_notices(world, &succession, &mut found);
    judge_notes(world, &succession, &mut found);
    judge_files(world, incident, &succession, &mut found);
    let number = world.number_of(incident);
    for (invariant, what) in found {
        world.violate(invariant, format!("{number}: {what}"));
    }
}

/// Whether casebridge wrote a communication.
pub(super) fn is_ours(world: &World, case: &Case, index: usize) -> bool {
    !world.memory.persons.contains(&(first_id(&case.case_id), case.communications[index].time_created))
}

/// Returns our texts on a case, oldest first.
pub(super) fn our_bodies<'a>(world: &World, case: &'a Case) -> Vec<&'a str> {
    let bodies = case.communications.iter().enumerate().filter(|(index, _)| is_ours(world, case, *index));
    bodies.map(|(_, communication)| communication.body.as_str()).collect()
}

/// Returns our texts on all cases of a matter, oldest first.
pub(super) fn all_our_bodies<'a>(world: &World, succession: &'a Succession) -> Vec<&'a str> {
    succession.cases.iter().flat_map(|case| our_bodies(world, case)).collect()
}

/// Returns the text of a body of ours without its first line.
pub(super) fn content(body: &str) -> &str {
    body.split_once("\n\n").map_or("", |(_, content)| content)
}

pub(super) fn occurrences(bodies: &[&str], token: &str) -> Vec<(usize, usize)> {
    let found = |(index, body): (usize, &&str)| -> Vec<(usize, usize)> {
        body.match_indices(token).map(|(position, _)| (index, position)).collect()
    };
    bodies.iter().enumerate().flat_map(found).collect()
}

pub(super) fn expect_once(count: usize, fewest: usize, invariant: Invariant, token: &str, found: &mut Findings) {
    if !(fewest..=1).contains(&count) {
        let lost = if count == 0 && invariant == Invariant::ExactlyOnce { Invariant::NothingLost } else { invariant };
        found.push((lost, format!("{token} is {count} times on the other side")));
    }
}
