//! 1 and 7: casebridge's own notes are work notes, tell what happened once, and end with what holds.

use casebridge_core::{identifiers::IncidentId, policy::SeverityRule};
use casebridge_simulator::support::Case;

use super::{Findings, first_id};
use crate::{invariants::Invariant, servicenow::model::Journal, world::World};

/// What a note says of the severity that a case is opened with.
const LOWERED: &str = "The AWS Support case is opened with severity ";
/// What a note says of a severity that was changed at AWS.
const CHANGED: &str = "The severity of the AWS Support case was changed at AWS from ";

/// What a text says of a file that stays where it is.
const STAYS: &str = " was not sent to the other side: ";

/// Whether a delivered message is a note of casebridge. All others are communications of the case.
pub(super) fn is_note(row: &Journal) -> bool {
    row.text.contains(LOWERED) || row.text.contains(CHANGED) || is_about_file(&row.text)
}

/// Whether a text tells that a file stays where it is.
pub(super) fn is_about_file(text: &str) -> bool {
    text.contains(STAYS)
}

/// Judges the notes on the severity of an incident's case.
pub(super) fn judge_notes(world: &World, incident: &IncidentId, case: &Case, found: &mut Findings) {
    let notes: Vec<&Journal> = world.servicenow.delivered_to(incident).filter(|row| is_note(row)).collect();
    if notes.iter().any(|row| row.is_comment()) {
        found.push((Invariant::Confidential, "a note for agents is a comment".to_owned()));
    }
    let lowered = notes.iter().filter(|row| row.text.contains(LOWERED)).count();
    // A case that AWS opened twice was asked for twice, and its incident has one note for the one that goes on.
    if lowered > 1 {
        found.push((Invariant::ExactlyOnce, format!("{lowered} notes on the severity of one new case")));
    }
    let told: Vec<&&Journal> = notes.iter().filter(|row| row.text.contains(CHANGED)).collect();
    let changes = world.memory.severity_changes.get(&first_id(&case.case_id)).copied().unwrap_or_default();
    let most = if world.settings.policy.severity_changes_at_aws == SeverityRule::Ignore { 0 } else { changes };
    if told.len() > most {
        found.push((Invariant::ExactlyOnce, format!("{} notes on {most} changes of the severity", told.len())));
    }
    // casebridge may die after it has told of a change. If the change is taken back before it looks again, it sees none.
    let tells_last = |last: &&&Journal| {
        let (from, to) = (format!("from {} to ", case.severity_code), format!("to {}.", case.severity_code));
        last.text.ends_with(&to) || last.text.contains(&from)
    };
    if !world.is_blind_to(case) && !told.last().is_none_or(tells_last) {
        found.push((Invariant::Convergence, format!("no note tells that the severity is {} now", case.severity_code)));
    }
}
