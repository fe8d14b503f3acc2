//! 1 and 8: everything that a person wrote for AWS is on the case once, in order.

use std::slice;

use casebridge_core::{
    identifiers::IncidentId,
    link::mark::{Mark, without_marks},
    support::render::PART_BYTES,
};
use casebridge_simulator::support::{Case, redaction::redact};
use jiff::Timestamp;

use super::{Findings, all_our_bodies, content, expect_once, occurrences, one_case::has_successor, our_bodies};
use crate::{
    invariants::Invariant,
    people::texts::{EQUAL_TEXTS, REFUSED_LETTER, tokens},
    servicenow::{model::Journal, people::AUTOMATIC_CLOSING},
    support::succession::Succession,
    world::World,
};

/// What casebridge writes on the case in place of a text that AWS refuses.
const LEFT_OUT: &str = "AWS Support does not accept this text";

/// What the first line of a text says that has the rest of a description.
const DESCRIPTION_CONTINUED: &str = ", description continued";

/// Judges 1: no text of a deleted incident is on its case more than once.
pub(super) fn judge_gone(world: &mut World) {
    let mut found = Vec::new();
    for (incident, record) in &world.memory.gone {
        let Some(case) = world.case_of(incident) else { continue };
        let bodies = our_bodies(world, case);
        let written = world.servicenow.shared_of(slice::from_ref(incident));
        let description = (!world.memory.opened_for_cases.contains(incident)).then_some(record.description.as_str());
        let texts = description.into_iter().chain(written.iter().map(|row| row.text.as_str()));
        for token in texts.flat_map(tokens) {
            expect_once(occurrences(&bodies, token).len(), 0, Invariant::ExactlyOnce, token, &mut found);
        }
    }
    for (invariant, what) in found {
        world.violate(invariant, format!("a deleted incident: {what}"));
    }
}

/// Judges the description and the comments of people by what is on the cases of a matter. `incident` is the one that goes on.
pub(super) fn judge_comments(world: &World, incident: &IncidentId, succession: &Succession, found: &mut Findings) {
    let Succession { cases, incidents } = succession;
    let bodies = all_our_bodies(world, succession);
    let fewest = usize::from(!world.is_excused(incident));
    // Each case after the first has the description again.
    for case in cases {
        judge_description(world, case, fewest, found);
    }
    let fewest = if world.has_left_its_case(incident) { 0 } else { fewest };
    let written = world.servicenow.shared_of(incidents);
    let (late, comments): (Vec<&Journal>, Vec<&Journal>) = written
        .iter()
        .filter(|row| !row.text.starts_with(AUTOMATIC_CLOSING))
        .partition(|row| world.memory.after_closing.contains(&row.sys_id));
    let openings = openings(world, succession);
    judge_order(world, &bodies, &comments, fewest, found);
    for text in EQUAL_TEXTS {
        let is_needed = |row: &&&Journal| !world.memory.left_behind.contains(&row.sys_id);
        let expected = comments.iter().filter(is_needed).filter(|row| row.text == text).count();
        let written = comments.iter().chain(&late).filter(|row| row.text == text).count();
        let opened = openings.iter().filter(|(opening, _)| content(opening) == text).count();
        let whole = bodies.iter().filter(|body| content(body) == text).count() - opened;
        // The description may quote others: that of a copy holds the digest of another incident, and that of an incident
        // that follows a closed one quotes what was written at AWS last.
        let told = |(opening, description): &(&str, &str)| {
            in_digest(opening, text).saturating_sub(in_digest(description, text))
        };
        let digest = openings.iter().map(told).sum::<usize>();
        let fewest = if world.is_told_of_repetition(incident) { 0 } else { expected * fewest };
        if whole + digest > written || whole + digest < fewest {
            let what = format!("{text:?} is {} times on the case and was written {expected} times", whole + digest);
            found.push((Invariant::ExactlyOnce, what));
        }
    }
    judge_whole_texts(&bodies, &comments, found);
}

/// Judges whether a case that casebridge opened has the description of its incident once.
fn judge_description(world: &World, case: &Case, fewest: usize, found: &mut Findings) {
    let opened_for = world.incidents_of(case).into_iter().next().filter(|_| !world.is_own_case(case));
    // The description of an incident that was opened for a case comes from AWS.
    let Some(incident) = opened_for.filter(|incident| !world.memory.opened_for_cases.contains(incident)) else {
        return;
    };
    let Some(record) = world.record_of(&incident) else { return };
    let bodies = our_bodies(world, case);
    for (number, token) in tokens(&record.description).enumerate() {
        // The first text of a case has the beginning.
        let fewest = if number > 0 && was_left_before_the_rest(world, case, &bodies) { 0 } else { fewest };
        expect_once(occurrences(&bodies, token).len(), fewest, Invariant::ExactlyOnce, token, found);
    }
}

/// Whether casebridge left a case for another one before it could send the rest of the description, which comes right after
/// the first text: nothing else of ours is on the case. The next case has the whole description.
fn was_left_before_the_rest(world: &World, case: &Case, bodies: &[&str]) -> bool {
    let is_of_description = |body: &&str| body.lines().next().is_some_and(|line| line.contains(DESCRIPTION_CONTINUED));
    has_successor(world, case) && bodies.iter().skip(1).all(is_of_description)
}

/// Returns the first texts of the cases that casebridge opened, each with the description of the incident that its case
/// was opened for.
fn openings<'a>(world: &'a World, succession: &'a Succession) -> Vec<(&'a str, &'a str)> {
    let described = |case: &Case| {
        let record = world.incidents_of(case).first().and_then(|incident| world.record_of(incident));
        record.map_or("", |record| record.description.as_str())
    };
    let ours = succession.cases.iter().filter(|case| !world.is_own_case(case));
    ours.filter_map(|case| Some((our_bodies(world, case).first().copied()?, described(case)))).collect()
}

/// Judges whether each token of these comments is on the case once, in the order of the comments.
fn judge_order(world: &World, bodies: &[&str], comments: &[&Journal], fewest: usize, found: &mut Findings) {
    let mut last: Option<((usize, usize), Timestamp)> = None;
    let mut missing: Option<Timestamp> = None;
    let mut sorted = comments.to_vec();
    sorted.sort_by_key(|row| row.created_on);
    for row in &sorted {
        let has_mark = Mark::of_text(&row.text).is_some();
        let invariant = if has_mark { Invariant::Marks } else { Invariant::ExactlyOnce };
        let is_refused = row.text.contains(REFUSED_LETTER) && bodies.iter().any(|body| body.contains(LEFT_OUT));
        let is_left_out = is_refused || world.memory.left_behind.contains(&row.sys_id);
        let fewest = if is_left_out { 0 } else { fewest };
        for token in tokens(&row.text) {
            let places = occurrences(bodies, token);
            expect_once(places.len(), fewest, invariant, token, found);
            let Some(place) = places.first().copied() else {
                if !is_left_out {
                    missing.get_or_insert(row.created_on);
                }
                continue;
            };
            if missing.is_some_and(|at| at < row.created_on) {
                found.push((Invariant::NothingLost, format!("{token} has arrived, and an earlier text has not")));
            }
            // Comments of the same second have no order.
            if let Some((earlier, created_on)) = last
                && place < earlier
                && created_on < row.created_on
            {
                found.push((Invariant::ExactlyOnce, format!("{token} is out of order on the case")));
            }
            if last.is_none_or(|(earlier, _)| place > earlier) {
                last = Some((place, row.created_on));
            }
        }
    }
}

/// Returns how often a text is among the earlier comments that the first text of a case quotes.
fn in_digest(opening: &str, text: &str) -> usize {
    let entry = format!(" UTC:\n{text}");
    let ends = |rest: &str| rest.is_empty() || rest.starts_with("\n\n");
    opening.match_indices(&entry).filter(|(start, _)| ends(&opening[start + entry.len()..])).count()
}

/// Judges whether texts arrived as they were written, except for what AWS redacts and for marks, which casebridge
/// removes.
fn judge_whole_texts(bodies: &[&str], comments: &[&Journal], found: &mut Findings) {
    for row in comments.iter().filter(|row| row.text.len() <= PART_BYTES) {
        let Some(token) = tokens(&row.text).next() else { continue };
        let harmless = without_marks(&row.text);
        let text = redact(&harmless);
        let whole = bodies.iter().filter(|body| body.contains(token)).all(|body| body.contains(text.as_ref()));
        if !whole {
            found.push((Invariant::ExactlyOnce, format!("the text of {token} was changed on its way")));
        }
    }
}
