//! The meaning of comments that are not settled, and what the link remembers of settled ones.

use casebridge_core::{
    identifiers::JournalEntryId,
    servicenow::{
        incident::{Incident, IncidentState, JournalEntry, JournalPoint},
        journal::{EndedByUs, Journal, Meaning, unsettled},
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::sides::{Sides, entry, start};

/// L.
const MAXIMUM_DOUBT: SignedDuration = SignedDuration::from_mins(15);

fn at(second: i64) -> Timestamp {
    start().checked_add(SignedDuration::from_secs(second)).unwrap()
}

fn comment(second: i64) -> JournalEntry {
    entry("e1", at(second), "Any news?")
}

fn counted(second: i64, mod_count: u64) -> JournalEntry {
    JournalEntry { mod_count: Some(mod_count), ..comment(second) }
}

/// Returns an incident that ended at second 100, with update count 10 if there is an audit trail.
fn ended(state: IncidentState, audit_trail: bool) -> Incident {
    let mut incident = Sides::new().incident;
    let summary = &mut incident.summary;
    summary.resolved_at = Some(at(100));
    summary.ended_mod_count = audit_trail.then_some(10);
    if !state.can_reopen() {
        summary.closed_at = Some(at(100));
        summary.closed_mod_count = audit_trail.then_some(10);
    }
    summary.state = state;
    incident.taken_at = at(200);
    incident
}

#[test]
fn the_update_count_tells_what_was_written_after_the_end_whatever_the_times_say() {
    let resolved = ended(IncidentState::Resolved, true).summary;
    let journal = Journal { end_seen_at: Some(at(0)), ..Journal::default() };
    for (mod_count, meaning) in [(9, Meaning::Message), (10, Meaning::Message), (11, Meaning::Reaction)] {
        for second in [50, 100, 150] {
            assert_eq!(journal.meaning(&counted(second, mod_count), &resolved), meaning, "{mod_count} at {second}");
        }
    }
}

#[test]
fn where_no_update_count_is_told_the_time_tells_it() {
    let resolved = ended(IncidentState::Resolved, false).summary;
    for (second, meaning) in [(99, Meaning::Message), (100, Meaning::Message), (101, Meaning::Reaction)] {
        assert_eq!(Journal::default().meaning(&comment(second), &resolved), meaning, "at {second}");
        let without_its_own = counted(second, 11);
        assert_eq!(Journal::default().meaning(&without_its_own, &resolved), meaning, "at {second}");
    }
}

/// Many instances keep the moment of the first resolution when an incident is resolved again.
#[test]
fn a_resolved_at_from_before_the_incident_was_seen_open_tells_nothing() {
    let resolved = ended(IncidentState::Resolved, false).summary;
    for (seen_open_at, meaning) in
        [(None, Meaning::Reaction), (Some(100), Meaning::Reaction), (Some(101), Meaning::Message)]
    {
        let journal = Journal { seen_open_at: seen_open_at.map(at), ..Journal::default() };
        assert_eq!(journal.meaning(&comment(150), &resolved), meaning, "seen open at {seen_open_at:?}");
    }
}

#[test]
fn what_was_written_after_the_end_was_seen_is_a_reaction_even_with_a_stale_resolved_at() {
    let resolved = ended(IncidentState::Resolved, false).summary;
    let journal = Journal { seen_open_at: Some(at(120)), end_seen_at: Some(at(150)), ..Journal::default() };
    for (second, meaning) in [(149, Meaning::Message), (150, Meaning::Message), (151, Meaning::Reaction)] {
        assert_eq!(journal.meaning(&comment(second), &resolved), meaning, "at {second}");
    }
}

#[test]
fn whatever_was_unseen_when_casebridge_ended_the_incident_is_a_reaction() {
    let resolved = ended(IncidentState::Resolved, true);
    let by_us = |mod_count| Journal { ended_by_us: Some(EndedByUs { mod_count }), ..Journal::default() };
    assert_eq!(by_us(Some(10)).meaning(&counted(50, 9), &resolved.summary), Meaning::Reaction);
    assert_eq!(by_us(None).meaning(&comment(50), &resolved.summary), Meaning::Reaction);
    // If an agent ended the incident again, it counts no longer as ended by casebridge.
    for (of_ours, shown, by_another, remains) in [
        (Some(10), Some(10), false, true),
        (Some(10), Some(12), false, false),
        (None, Some(12), false, true),
        (None, Some(12), true, false),
        (Some(10), None, false, true),
        (None, None, false, true),
    ] {
        let mut journal = Journal { end_seen_at: Some(at(110)), ..by_us(of_ours) };
        let mut seen = resolved.clone();
        seen.summary.ended_mod_count = shown;
        seen.summary.ended_by_another = by_another;
        journal.see(&seen);
        assert_eq!(journal.ended_by_us.is_some(), remains, "{of_ours:?} {shown:?}");
        assert_eq!(journal.end_seen_at.is_some(), remains, "{of_ours:?} {shown:?}");
    }
}

#[test]
fn an_incident_that_is_open_again_has_no_end() {
    let mut journal =
        Journal { end_seen_at: Some(at(110)), ended_by_us: Some(EndedByUs { mod_count: None }), ..Journal::default() };
    let mut open = ended(IncidentState::Resolved, false);
    open.summary.state = IncidentState::InProgress;
    journal.see(&open);
    assert_eq!(journal, Journal { seen_open_at: Some(at(200)), ..Journal::default() });
    assert_eq!(journal.meaning(&comment(300), &open.summary), Meaning::Message);
}

#[test]
fn a_text_reopens_once() {
    let resolved = ended(IncidentState::Resolved, false).summary;
    let mut journal = Journal::default();
    let thanks = |second| JournalEntry { text: "Thank you,\r\nAbel".to_owned(), ..comment(second) };
    assert_eq!(journal.meaning(&thanks(150), &resolved), Meaning::Reaction);
    journal.reopened_by(["Thank you, Abel"]);
    assert_eq!(journal.meaning(&thanks(160), &resolved), Meaning::Repeated);
    assert_eq!(journal.meaning(&thanks(90), &resolved), Meaning::Message, "it was written before the end");
    assert_eq!(journal.meaning(&comment(160), &resolved), Meaning::Reaction, "another text does reopen");
    assert!(journal.all_reopened_before(["Thank you, Abel"]));
    assert!(!journal.all_reopened_before(["Thank you, Abel", "Any news?"]));
}

#[test]
fn the_texts_that_reopened_are_remembered_within_bounds_and_the_oldest_is_forgotten_first() {
    let mut journal = Journal::default();
    let texts: Vec<String> = (0..25).map(|number| format!("Text {number}")).collect();
    for text in &texts {
        journal.reopened_by([text.as_str(), text.as_str()]);
    }
    assert_eq!(journal.reopening_texts.len(), 20);
    assert!(journal.all_reopened_before(texts[5..].iter().map(String::as_str)));
    assert!(!journal.all_reopened_before([texts[4].as_str()]));
}

#[test]
fn the_platforms_own_word_in_the_closing_update_stays_at_home() {
    let rows = [
        // With an audit trail: the update count shows whether the closing update wrote the comment.
        (true, "system", 100, 10, Meaning::Platform),
        (true, "abel.tuter", 100, 10, Meaning::Message),
        (true, "system", 100, 9, Meaning::Message),
        (true, "system", 100, 11, Meaning::AfterClosing),
        // Without one: the time decides, which may differ by up to two seconds between two parts of one update.
        (false, "system", 98, 10, Meaning::Platform),
        (false, "system", 102, 10, Meaning::Platform),
        (false, "system", 97, 10, Meaning::Message),
        (false, "system", 103, 10, Meaning::AfterClosing),
        (false, "abel.tuter", 100, 10, Meaning::Message),
    ];
    for state in [IncidentState::Closed, IncidentState::Cancelled] {
        for (audit_trail, author, second, mod_count, meaning) in rows {
            let closed = ended(state.clone(), audit_trail).summary;
            let written = JournalEntry { created_by: author.to_owned(), ..counted(second, mod_count) };
            let seen = Journal::default().meaning(&written, &closed);
            assert_eq!(seen, meaning, "{state:?}: by {author} at {second}, {mod_count} {audit_trail}");
        }
    }
    let resolved = ended(IncidentState::Resolved, true).summary;
    let by_system = JournalEntry { created_by: "system".to_owned(), ..counted(100, 10) };
    assert_eq!(Journal::default().meaning(&by_system, &resolved), Meaning::Message, "nothing is closed here");
}

#[test]
fn what_was_written_up_to_the_closing_goes_out_and_what_came_later_does_not() {
    for (audit_trail, second, mod_count, meaning) in [
        (true, 150, 10, Meaning::Message),
        (true, 50, 11, Meaning::AfterClosing),
        (false, 100, 11, Meaning::Message),
        (false, 101, 9, Meaning::AfterClosing),
    ] {
        let closed = ended(IncidentState::Closed, audit_trail).summary;
        // It makes no difference that casebridge resolved the incident before.
        let journal = Journal { ended_by_us: Some(EndedByUs { mod_count: Some(8) }), ..Journal::default() };
        assert_eq!(journal.meaning(&counted(second, mod_count), &closed), meaning, "{audit_trail} {second}");
    }
    let mut closed = ended(IncidentState::Closed, false).summary;
    closed.closed_at = None;
    assert_eq!(
        Journal::default().meaning(&comment(500), &closed),
        Meaning::Message,
        "nothing tells that it came later"
    );
}

#[test]
fn whose_words_are_not_known_is_unclear_whatever_the_state() {
    for state in [IncidentState::New, IncidentState::Resolved, IncidentState::Closed] {
        let mut incident = ended(state.clone(), true).summary;
        incident.state = state;
        let unclear = JournalEntry { undecided: true, ..counted(150, 11) };
        assert_eq!(Journal::default().meaning(&unclear, &incident), Meaning::Unclear);
    }
}

#[test]
fn comments_go_in_the_order_of_their_writing_each_once_and_only_those_that_are_not_settled() {
    let mut incident = Sides::new().incident;
    let named = |name: &str, second| entry(name, at(second), name);
    let ours = JournalEntry { ours: true, ..named("ours", 1) };
    let note = JournalEntry { element: "work_notes".to_owned(), ..named("note", 1) };
    let unclear = JournalEntry { undecided: true, ..named("unclear", 2) };
    incident.entries =
        vec![named("c", 3), named("b", 2), named("a", 2), named("old", 1), ours, note, unclear, named("a", 2)];
    let mut journal = Journal::default();
    journal.settle([(named("old", 1).sys_id, at(1))]);
    let order = |journal: &Journal| -> Vec<String> {
        unsettled(journal, Some(&incident)).into_iter().map(|entry| entry.text.clone()).collect()
    };
    assert_eq!(order(&journal), ["a", "b", "unclear", "c"]);
    journal.settled_before = Some(at(3));
    assert_eq!(order(&journal), ["c"]);
    assert!(unsettled(&journal, None).is_empty());
}

/// Returns a snapshot at second 2,000 with comments at these seconds, and a journal in which all of them are settled.
fn read_of(seconds: &[i64]) -> (Journal, Incident) {
    let mut incident = Sides::new().incident;
    incident.taken_at = at(2_000);
    let names = seconds.iter().map(|second| entry(&format!("e{second}"), at(*second), "Any news?"));
    incident.entries = names.collect();
    let mut journal = Journal::default();
    journal.settle(incident.entries.iter().map(|entry| (entry.sys_id.clone(), entry.created_on)));
    (journal, incident)
}

/// L before the snapshot at second 2,000.
const SETTLED: i64 = 1_100;

#[test]
fn what_is_older_than_l_is_forgotten_up_to_what_is_not_settled() {
    let unsent = |second| entry("unsent", at(second), "Hello?");
    let rows = [
        (None, SETTLED, 2),
        (Some(unsent(500)), 500, 4),
        (Some(unsent(1_500)), SETTLED, 2),
        (Some(JournalEntry { undecided: true, ..unsent(500) }), 500, 4),
        (Some(JournalEntry { ours: true, ..unsent(500) }), SETTLED, 2),
        (Some(JournalEntry { element: "work_notes".to_owned(), ..unsent(500) }), SETTLED, 2),
    ];
    for (more, floor, kept) in rows {
        let (mut journal, mut incident) = read_of(&[100, 500, 700, SETTLED, 1_900]);
        let shown = format!("{more:?}");
        incident.entries.extend(more);
        journal.compact(&incident, MAXIMUM_DOUBT);
        assert_eq!(journal.settled_before, Some(at(floor)), "{shown}");
        assert_eq!(journal.settled.len(), kept, "{shown}");
        assert!(incident.entries[..5].iter().all(|entry| journal.is_settled(entry)), "{shown}");
    }
}

#[test]
fn a_read_that_did_not_reach_the_newest_settles_only_what_it_shows() {
    let (mut journal, mut incident) = read_of(&[100, 500]);
    incident.entries_complete = false;
    journal.compact(&incident, MAXIMUM_DOUBT);
    assert_eq!(journal.settled_before, Some(at(500)), "there may be more of that second");
    assert_eq!(journal.settled.len(), 1);
}

/// The app leaves out what stays in ServiceNow, so it may have read on behind the last comment that it shows.
#[test]
fn a_read_that_did_not_reach_the_newest_settles_as_far_as_the_app_has_read() {
    for (shown, read_until, floor) in [
        (&[100, 500][..], Some(700), Some(700)),
        (&[100, 500], Some(500), Some(500)),
        (&[], Some(700), Some(700)),
        (&[], Some(1_500), Some(SETTLED)),
        (&[], None, None),
    ] {
        let (mut journal, mut incident) = read_of(shown);
        incident.entries_complete = false;
        incident.entries_next =
            read_until.map(|second| JournalPoint { since: at(second), after: JournalEntryId::new("note") });
        journal.compact(&incident, MAXIMUM_DOUBT);
        assert_eq!(journal.settled_before, floor.map(at), "{shown:?} {read_until:?}");
    }
}

#[test]
fn a_comment_that_is_not_settled_is_kept_however_far_the_app_has_read() {
    let (mut journal, mut incident) = read_of(&[100]);
    incident.entries.push(entry("unsent", at(500), "Hello?"));
    incident.entries_complete = false;
    incident.entries_next = Some(JournalPoint { since: at(700), after: JournalEntryId::new("note") });
    journal.compact(&incident, MAXIMUM_DOUBT);
    assert_eq!(journal.settled_before, Some(at(500)));
}

#[test]
fn a_read_that_leaves_out_what_is_not_settled_settles_nothing() {
    for (since, remembered, settles) in [
        (None, None, true),
        (None, Some(100), true),
        (Some(100), Some(100), true),
        (Some(50), Some(100), true),
        (Some(101), Some(100), false),
        (Some(100), None, false),
    ] {
        let (mut journal, mut incident) = read_of(&[200]);
        journal.settled_before = remembered.map(at);
        incident.entries_since = since.map(at);
        journal.compact(&incident, MAXIMUM_DOUBT);
        let floor = if settles { Some(SETTLED) } else { remembered };
        assert_eq!(journal.settled_before, floor.map(at), "since {since:?}, settled before {remembered:?}");
    }
}

#[test]
fn what_is_forgotten_stays_so() {
    let (mut journal, incident) = read_of(&[100]);
    journal.settled_before = Some(at(1_500));
    journal.compact(&incident, MAXIMUM_DOUBT);
    assert_eq!(journal.settled_before, Some(at(1_500)));
}

/// Returns the size, in bytes of JSON, of a journal of one comment a minute.
fn size_after(comments: i64) -> usize {
    let mut journal = Journal::default();
    let mut incident = Sides::new().incident;
    for number in 0..comments {
        incident.entries.push(entry(&format!("{number:032}"), at(number * 60), "Any news?"));
        incident.taken_at = at(number * 60);
        incident.entries_since = journal.settled_before;
        incident.entries.retain(|entry| incident.entries_since.is_none_or(|since| entry.created_on >= since));
        let unsent: Vec<_> = unsettled(&journal, Some(&incident))
            .into_iter()
            .map(|entry| (entry.sys_id.clone(), entry.created_on))
            .collect();
        assert_eq!(unsent.len(), 1, "each comment is sent once");
        journal.settle(unsent);
        journal.compact(&incident, MAXIMUM_DOUBT);
    }
    serde_json::to_string(&journal).unwrap().len()
}

#[test]
fn ten_thousand_comments_are_remembered_in_as_little_as_a_hundred() {
    let bound = 1_500;
    let (few, many) = (size_after(100), size_after(10_000));
    assert!(few > bound / 2 && few < bound, "{few} bytes");
    assert!(many < bound, "{many} bytes");
}

/// An answer proves nothing if it starts after `shown_before` or is not complete. Otherwise `shown_before` moves to the
/// moment of the answer, minus the longest lag of a node.
#[test]
fn the_answer_to_a_delivery_starts_where_reads_have_shown_everything() {
    let lag = 120;
    for (since, complete, answered_since) in [
        (None, true, Some(SETTLED + 900 - lag)),
        (Some(100), true, Some(SETTLED + 900 - lag)),
        (Some(101), true, Some(100)),
        (None, false, Some(100)),
    ] {
        let (mut journal, mut incident) = read_of(&[]);
        journal.shown_before = Some(at(100));
        incident.entries_since = since.map(at);
        incident.entries_complete = complete;
        journal.compact(&incident, MAXIMUM_DOUBT);
        assert_eq!(journal.shown_before, answered_since.map(at), "since {since:?}, complete {complete}");
    }
}

/// The app reads the record and the comments one after the other.
#[test]
fn comments_that_are_newer_than_the_record_beside_them_are_left_to_the_next_read() {
    // In seconds: how much newer the comment is than the record, and how old the comment is.
    for (newer, age, audit_trail, is_shown) in [
        (0, 1, false, true),
        (0, 1, true, false),
        (2, 1, false, true),
        (3, 1, false, false),
        (3, 119, false, false),
        (3, 120, false, true),
    ] {
        let sides = Sides::new();
        let mut incident = ended(IncidentState::Resolved, audit_trail);
        incident.updated_on = Some(at(150));
        incident.entries = vec![comment(150 + newer)];
        incident.taken_at = at(150 + newer + age);
        let mut pass = sides.unseen();
        pass.see_incident(&sides.policy, incident, at(500));
        let seen = pass.incident.unwrap();
        let name = format!("{newer} seconds newer, {age} seconds old, audit trail: {audit_trail}");
        assert_eq!((seen.entries.len(), seen.entries_complete), (usize::from(is_shown), is_shown), "{name}");
    }
}
