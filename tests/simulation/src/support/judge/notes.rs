//! 1 and 7: casebridge's own notes are work notes, tell what happened once, and end with what holds.

use casebridge_core::policy::SeverityRule;
use casebridge_simulator::support::Case;

use super::{Findings, first_id};
use crate::{invariants::Invariant, servicenow::model::Journal, support::succession::Succession, world::World};

/// What a note says of the severity that a case is opened with.
const LOWERED: &str = "The AWS Support case is opened with severity ";
/// What notes say of the language, the issue type and the copies that a case is opened with.
const OPTIONS: [&str; 5] = [
    "The AWS Support case is opened with language ",
    "The AWS Support case is opened with issue type ",
    "The AWS Support case is opened without copies ",
    "AWS Support sends no copies of the case to ",
    "AWS Support sends copies of the case to ",
];
/// What a note says of a severity that was changed at AWS.
const CHANGED: &str = "The severity of the AWS Support case was changed at AWS from ";

/// What a note says of a case that follows one that is too old to be reopened.
const CONTINUES: &str = ": It continues AWS Support ";

/// What a text says of a file that stays where it is.
const STAYS: &str = " was not sent to the other side: ";

/// Whether a delivered message is a note of casebridge. All others are communications of the case.
pub(super) fn is_note(row: &Journal) -> bool {
    let is_about_case = [LOWERED, CHANGED, CONTINUES].iter().any(|told| row.text.contains(told));
    is_about_case || is_about_options(&row.text) || is_about_file(&row.text)
}

/// Whether a text tells what a case was opened without.
pub(super) fn is_about_options(text: &str) -> bool {
    OPTIONS.iter().any(|told| text.contains(told))
}

/// Whether a text tells that a file stays where it is.
pub(super) fn is_about_file(text: &str) -> bool {
    text.contains(STAYS)
}

/// Judges the notes on the severities of the cases of a matter, and on which case continues which.
pub(super) fn judge_notes(world: &World, succession: &Succession, found: &mut Findings) {
    let (case, cases) = (succession.current(), &succession.cases);
    let notes: Vec<&Journal> =
        world.servicenow.delivered_to_all(&succession.incidents).filter(|row| is_note(row)).collect();
    if notes.iter().any(|row| row.is_comment()) {
        found.push((Invariant::Confidential, "a note for agents is a comment".to_owned()));
    }
    let lowered = notes.iter().filter(|row| row.text.contains(LOWERED)).count();
    // A case that AWS opened twice was asked for twice, and its incident has one note for the one that goes on.
    if lowered > cases.len() {
        found.push((Invariant::ExactlyOnce, format!("{lowered} notes on the severity of {} new cases", cases.len())));
    }
    let left_out = notes.iter().filter(|row| is_about_options(&row.text)).count();
    if left_out > cases.len() {
        found.push((Invariant::ExactlyOnce, format!("{left_out} notes on the options of {} new cases", cases.len())));
    }
    let continued = notes.iter().filter(|row| row.text.contains(CONTINUES)).count();
    let dropped = world.refused_notes(&succession.incidents, |text| text.contains(CONTINUES));
    let is_told = continued < cases.len() && continued + dropped + 1 >= cases.len();
    if !is_told && !world.is_blind_to(case) {
        let what = format!("{continued} notes on {} cases that follow one another", cases.len());
        found.push((Invariant::ExactlyOnce, what));
    }
    let told: Vec<&&Journal> = notes.iter().filter(|row| row.text.contains(CHANGED)).collect();
    let changes_of =
        |case: &Case| world.memory.severity_changes.get(&first_id(&case.case_id)).copied().unwrap_or_default();
    let changes: usize = cases.iter().map(changes_of).sum();
    let most = if world.settings.policy.severity_changes_at_aws == SeverityRule::Ignore { 0 } else { changes };
    if told.len() > most {
        found.push((Invariant::ExactlyOnce, format!("{} notes on {most} changes of the severity", told.len())));
    }
    // casebridge may die after it has told of a change. If the change is taken back before it looks again, it sees none.
    let tells_last = |last: &&&Journal| {
        let (from, to) = (format!("from {} to ", case.severity_code), format!("to {}.", case.severity_code));
        last.text.ends_with(&to) || last.text.contains(&from)
    };
    let is_dropped = world.refused_notes(&succession.incidents, |text| text.contains(CHANGED)) > 0;
    let is_due = changes_of(case) > 0 && !world.is_blind_to(case) && !is_dropped;
    if is_due && !told.last().is_none_or(tells_last) {
        let last = told.last().map_or("", |last| last.text.as_str());
        let what = format!("the severity is {} now, and the last note says: {last}", case.severity_code);
        found.push((Invariant::Convergence, what));
    }
}
