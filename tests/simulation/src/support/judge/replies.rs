//! 1 and 8: every communication of a person is on the incident once, in order.

use std::collections::BTreeMap;

use casebridge_core::{
    identifiers::IncidentId,
    link::mark::{Mark, without_marks},
    servicenow::delivery::{LEFT_OUT_DESCRIPTION, MessageKind},
};
use casebridge_simulator::support::oddities::nearest_second;
use jiff::Timestamp;

use super::{Findings, all_our_bodies, content, expect_once, is_ours, notes::is_note, occurrences};
use crate::{
    invariants::Invariant,
    people::texts::{EQUAL_TEXTS, tokens},
    servicenow::model::harmless,
    support::succession::Succession,
    world::World,
};

/// What casebridge writes on the incident in place of a text that ServiceNow refuses.
const LEFT_OUT_REPLY: &str = "ServiceNow does not accept this text";

/// What the description says if it does not hold the whole first communication.
const CONTINUED_IN_COMMENT: &str = "(The whole text follows as a comment.)";

/// Judges the communications of people by what is on the incident.
pub(super) fn judge_replies(world: &World, succession: &Succession, found: &mut Findings) {
    // The description of the first incident that was opened for its case holds the first communication, if it has room for
    // it.
    let incidents = &succession.incidents;
    let first = incidents.first().and_then(|first| world.record_of(first));
    let is_opened_for_case = world.is_own_case(&succession.cases[0]);
    let described =
        first.map(|first| first.description.as_str()).filter(|_| is_opened_for_case).filter(|description| {
            !description.contains(CONTINUED_IN_COMMENT) && !description.contains(LEFT_OUT_DESCRIPTION)
        });
    let rows = world.servicenow.delivered_to_all(incidents).filter(|row| !is_note(row)).map(|row| row.text.as_str());
    let delivered: Vec<&str> = described.into_iter().chain(rows).collect();
    let mut left_out = delivered.iter().filter(|text| text.contains(LEFT_OUT_REPLY)).count();
    let fewest = fewest(world, succession);
    let as_comments = world.settings.policy.replies_become == MessageKind::Comment;
    let mut replies = world.servicenow.delivered_to_all(incidents).filter(|row| !is_note(row));
    if replies.any(|row| row.is_comment() != as_comments) {
        found.push((Invariant::Confidential, "a reply is not of the kind that the policy says".to_owned()));
    }
    let mut last = None;
    let mut expected = 0;
    let mut equal: BTreeMap<&str, usize> = BTreeMap::new();
    for (case, index, communication) in succession.communications() {
        if is_ours(world, case, index) {
            continue;
        }
        expected += 1;
        if let Some(text) = EQUAL_TEXTS.iter().find(|text| **text == communication.body) {
            *equal.entry(text).or_default() += 1;
        }
        let invariant =
            if Mark::of_text(&communication.body).is_some() { Invariant::Marks } else { Invariant::ExactlyOnce };
        let shown = harmless(&without_marks(&communication.body));
        let shown_at_all = tokens(&communication.body).any(|token| !occurrences(&delivered, token).is_empty());
        if !shown_at_all && left_out > 0 && tokens(&communication.body).next().is_some() {
            left_out -= 1;
            continue;
        }
        for token in tokens(&communication.body) {
            let places = occurrences(&delivered, token);
            expect_once(places.len(), fewest, invariant, token, found);
            let Some(place) = places.first().copied() else { continue };
            let written = without_marks(&communication.body);
            let is_description = described.is_some() && place.0 == 0;
            let expected_text = if is_description { written.trim_end() } else { shown.as_str() };
            if !contains_text(world, delivered[place.0], expected_text) {
                found.push((Invariant::ExactlyOnce, format!("the text of {token} was changed on its way")));
            }
            let written_at = communication.time_created;
            // A text that quotes ours before AWS shows ours is taken for ours at first, so it may come late.
            if invariant == Invariant::Marks {
                continue;
            }
            // The description has no place among the comments. AWS may show the first text of a case after the second
            // one, which is in the description then.
            if is_description || (index == 0 && world.is_own_case(case)) {
                continue;
            }
            if last.is_some_and(|(last, at)| place < last && is_told_before(world, at, written_at)) {
                found.push((Invariant::ExactlyOnce, format!("{token} is out of order on the incident")));
            }
            last = last.max(Some((place, written_at)));
        }
    }
    for (text, count) in equal {
        let times = delivered.iter().filter(|body| content(body) == text).count();
        if times > count || times + left_out < count * fewest {
            found.push((Invariant::ExactlyOnce, format!("{text:?} is {times} times on the incident, not {count}")));
        }
    }
    if delivered.len() > expected || delivered.len() < expected * fewest {
        let what = format!("{} comments of ours for {expected} communications", delivered.len());
        found.push((Invariant::ExactlyOnce, what));
    }
}

/// Returns how often a communication is on the incidents at least: not at all if casebridge can't see the case, or if no
/// incident can follow the closed one.
fn fewest(world: &World, succession: &Succession) -> usize {
    usize::from(!world.is_blind_to(succession.current()) && !world.has_no_place_for_news(succession))
}

/// Whether the times that AWS shows put one moment before another. AWS may show whole seconds, cut or rounded.
fn is_told_before(world: &World, one: Timestamp, other: Timestamp) -> bool {
    let is_lost_in_rounding =
        world.settings.oddities.seconds_are_rounded && nearest_second(one) >= nearest_second(other);
    one.as_second() < other.as_second() && !is_lost_in_rounding
}

/// Whether a delivered text contains a text as it was written. If AWS wraps texts or redacts them later, it need not
/// match letter by letter.
fn contains_text(world: &World, delivered: &str, written: &str) -> bool {
    let oddities = world.settings.oddities;
    delivered.contains(written)
        || oddities.redacted_after_seconds.is_some()
        || (oddities.reflowed_texts && plain(delivered).contains(&plain(written)))
}

/// Returns the letters and digits of a text, with entities decoded.
fn plain(text: &str) -> String {
    let decoded = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
    decoded.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// Judges whether the cases of a matter got at most as many notices of reopening as people reopened its incidents.
pub(super) fn judge_notices(world: &World, succession: &Succession, found: &mut Findings) {
    let bodies = all_our_bodies(world, succession);
    let is_notice = |body: &&&str| body.lines().next().is_some_and(|line| line.contains("was reopened in ServiceNow."));
    let notices = bodies.iter().filter(is_notice).count();
    let reopened = |incident: &IncidentId| world.memory.reopenings.get(incident).copied().unwrap_or_default();
    let reopenings: usize = succession.incidents.iter().map(reopened).sum();
    if notices > reopenings {
        let what = format!("{notices} notices of reopening for {reopenings} reopenings");
        found.push((Invariant::ExactlyOnce, what));
    }
}
