//! 1 and 7: every file is on the other side once, with the same content; none comes back; and of each that stays both
//! sides are told.

use std::collections::BTreeMap;

use casebridge_core::{file::name::safe_name, identifiers::IncidentId, servicenow::incident::FileState};
use casebridge_simulator::support::Case;

use super::{Findings, is_ours, notes::is_about_file, our_bodies};
use crate::{
    contents::FileBytes, invariants::Invariant, people::texts::tokens, servicenow::model::Attachment,
    support::succession::Succession, world::World,
};

/// The ending of the names that ServiceNow refuses, and one of those that AWS refuses.
const REFUSED: (&str, &str) = (".vbs", ".exe");

/// How many files of a content there are: at least and at most on the other side, and really.
#[derive(Debug, Default)]
struct Count {
    least: usize,
    most: usize,
    there: usize,
}

type Counts = BTreeMap<String, Count>;

fn hash(content: &FileBytes) -> String {
    // The content of a file that is too large is not read.
    format!(
        "{} {}",
        content.length(),
        if content.length() > MAXIMUM_BYTES_READ { String::new() } else { sha256(content) }
    )
}

/// The largest file that is read here, in bytes.
const MAXIMUM_BYTES_READ: u64 = 10_000_000;

fn sha256(content: &FileBytes) -> String {
    content.sha256().unwrap_or_default()
}

/// Judges the files of an incident and of its case.
pub(super) fn judge_files(world: &World, incident: &IncidentId, succession: &Succession, found: &mut Findings) {
    judge_to_case(world, incident, succession, found);
    judge_to_incident(world, incident, succession, found);
}

fn is_size_taken(world: &World, content: &FileBytes) -> bool {
    (1..=u64::from(world.settings.policy.largest_file_bytes)).contains(&content.length())
}

fn judge_to_case(world: &World, incident: &IncidentId, succession: &Succession, found: &mut Findings) {
    let mut counts = Counts::new();
    let is_sent = world.settings.policy.attachments.reaches_aws();
    let record = &world.servicenow.incidents[incident];
    let case = succession.current();
    let is_excused = world.is_excused(incident) || world.is_blind_to(case) || world.has_left_its_case(incident);
    // A file that was attached after the end stays.
    let is_due = is_sent && !is_excused && !record.summary.state.is_ended();
    let of_people = |file: &&Attachment| succession.incidents.contains(&file.incident) && !file.delivered;
    for file in world.servicenow.attachments.iter().filter(of_people) {
        let goes = is_size_taken(world, &file.content) && file.state == FileState::Available;
        let goes = goes && !file.file_name.ends_with(REFUSED.1);
        let count = counts.entry(hash(&file.content)).or_default();
        // What is attached to an incident after its closing stays there.
        let is_due = is_due && file.incident == *incident;
        count.most += usize::from(is_sent);
        count.least += usize::from(is_due && goes);
        if is_due && !goes && file.state != FileState::Pending {
            judge_told(world, succession, case, &safe_name(&file.file_name), found);
        }
    }
    for file in world.memory.removed_files.iter().filter(of_people) {
        counts.entry(hash(&file.content)).or_default().most += usize::from(is_sent);
    }
    for (case, index, communication) in succession.communications() {
        for file in communication.attachments.iter().filter(|_| is_ours(world, case, index)) {
            counts.entry(hash(&file.content)).or_default().there += 1;
        }
    }
    judge_counts("the case", &counts, found);
}

fn judge_to_incident(world: &World, incident: &IncidentId, succession: &Succession, found: &mut Findings) {
    let mut counts = Counts::new();
    let is_sent = world.settings.policy.attachments.reaches_servicenow();
    let is_any_due = is_sent && !world.is_blind_to(succession.current()) && !world.is_ended_and_unread(incident);
    let has_place = !world.has_no_place_for_news(succession);
    for (case, index, communication) in succession.communications() {
        // A file follows its text.
        let is_due = is_any_due && (has_place || is_shown(world, succession, &communication.body));
        for file in communication.attachments.iter().filter(|_| !is_ours(world, case, index)) {
            let goes = is_size_taken(world, &file.content) && !file.name.ends_with(REFUSED.0);
            let count = counts.entry(hash(&file.content)).or_default();
            count.most += usize::from(is_sent);
            count.least += usize::from(is_due && goes);
            if is_due && !goes {
                judge_told(world, succession, case, &safe_name(&file.name), found);
            }
        }
    }
    let delivered = |file: &&Attachment| succession.incidents.contains(&file.incident) && file.delivered;
    for file in world.servicenow.attachments.iter().filter(delivered) {
        counts.entry(hash(&file.content)).or_default().there += 1;
        if file.file_name != safe_name(&file.file_name) {
            found.push((Invariant::ExactlyOnce, format!("a file got the unsafe name {:?}", file.file_name)));
        }
    }
    judge_counts("the incident", &counts, found);
}

/// Whether the incidents of a matter show a text that was written at AWS. Only its tokens tell it from others, so a text
/// without one does not count as shown.
fn is_shown(world: &World, succession: &Succession, text: &str) -> bool {
    let incidents = &succession.incidents;
    let records = incidents.iter().filter_map(|incident| world.record_of(incident));
    let rows = world.servicenow.delivered_to_all(incidents).map(|row| row.text.as_str());
    let shown: Vec<&str> = records.map(|record| record.description.as_str()).chain(rows).collect();
    let mut parts = tokens(text).peekable();
    parts.peek().is_some() && parts.all(|token| shown.iter().any(|shown| shown.contains(token)))
}

fn judge_counts(place: &str, counts: &Counts, found: &mut Findings) {
    for (hash, Count { least, most, there }) in counts {
        let what = || format!("the file {hash} is {there} times on {place}, not {least} to {most} times");
        if there > most {
            found.push((Invariant::ExactlyOnce, what()));
        }
        if there < least {
            found.push((Invariant::NothingLost, what()));
        }
    }
}

/// Judges whether both sides are told of a file that stays. A resolved case is told nothing, since that would reopen it.
fn judge_told(world: &World, succession: &Succession, case: &Case, name: &str, found: &mut Findings) {
    let incidents = &succession.incidents;
    let is_told = |text: &str| is_about_file(text) && text.contains(name);
    let is_dropped = world.refused_notes(incidents, is_told) > 0;
    let mut told = world.servicenow.delivered_to_all(incidents);
    if !is_dropped && !told.any(|row| is_told(&row.text) && !row.is_comment()) {
        found.push((Invariant::NothingLost, format!("no note on the incident tells that {name} stays")));
    }
    let is_excused = case.is_resolved() || incidents.iter().any(|incident| world.is_excused(incident));
    if !is_excused && !our_bodies(world, case).iter().any(|body| is_told(body)) {
        found.push((Invariant::NothingLost, format!("no text on the case tells that {name} stays")));
    }
}
