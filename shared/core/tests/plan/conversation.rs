//! Who wrote each communication that a read shows, and what the link remembers of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice::from_ref,
};

use casebridge_core::{
    identifiers::{CommunicationId, IncidentId, LinkKey},
    link::mark::{Entropy, Mark},
    support::{
        case::{Communication, RawCommunication},
        conversation::{Conversation, Fate},
    },
    text::text_hash,
    time::CLOCKS_APART,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const AWS: &str = "Amazon Web Services";
const PERSON: &str = "Admin (Role) <person@example.com>";
const BRIDGE: &str = "Casebridge (Role) <aws@example.com>";
/// L.
const MAXIMUM_DOUBT: SignedDuration = SignedDuration::from_mins(15);

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
}

/// Returns a communication as a read shows it.
fn raw(milliseconds: i64, submitted_by: &str, body: &str) -> RawCommunication {
    RawCommunication {
        time_created: at(milliseconds),
        submitted_by: submitted_by.to_owned(),
        body: body.to_owned(),
        attachments: Vec::new(),
    }
}

fn reply(milliseconds: i64, body: &str) -> RawCommunication {
    raw(milliseconds, AWS, body)
}

fn mark(number: u64) -> Mark {
    Mark::draw(Entropy::new([3; 16]), &LinkKey::support_case(IncidentId::new("a")), number)
}

/// Returns a text of ours with this mark.
fn signed(number: u64, text: &str) -> String {
    format!("{}\n\n{text}", mark(number).sign("Abel Tuter, INC0010001"))
}

/// Returns a text that quotes a text of ours.
fn quoted(text: &str) -> String {
    format!("I have seen this:\n\n> {}", text.replace('\n', "\n> "))
}

/// A conversation, and the time at which it is read.
#[derive(Clone, Default)]
struct Talk {
    memory: Conversation,
    now: Timestamp,
}

impl Talk {
    fn new() -> Self {
        Self { memory: Conversation::default(), now: at(0) }
    }

    fn send(&mut self, number: u64, text: &str) -> String {
        let body = signed(number, text);
        self.memory.sending(&mark(number), &body, self.now);
        body
    }

    fn read(&mut self, shown: &[RawCommunication]) -> Vec<Communication> {
        self.memory.take_in(shown.to_vec(), true, self.now, MAXIMUM_DOUBT).shown
    }

    fn read_recent(&mut self, shown: &[RawCommunication]) -> Vec<Communication> {
        assert!(self.memory.connects_to_known(shown), "only what joins is taken in");
        self.memory.take_in(shown.to_vec(), false, self.now, MAXIMUM_DOUBT).shown
    }

    /// Reads all communications, delivers those that go to the incident, and returns their texts.
    fn deliver(&mut self, shown: &[RawCommunication]) -> Vec<String> {
        let shown = self.read(shown);
        self.deliver_shown(&shown)
    }

    fn deliver_shown(&mut self, shown: &[Communication]) -> Vec<String> {
        let ready: Vec<Communication> = self.memory.deliverable(shown).into_iter().cloned().collect();
        for communication in &ready {
            self.memory.delivered(&communication.id);
        }
        ready.into_iter().map(|communication| communication.raw.body).collect()
    }

    fn fates(&self, shown: &[Communication]) -> Vec<Fate> {
        shown.iter().filter_map(|communication| self.memory.fate(&communication.id)).collect()
    }

    fn known(&self) -> usize {
        self.memory.known.values().map(Vec::len).sum()
    }
}

fn ids(shown: &[Communication]) -> Vec<CommunicationId> {
    shown.iter().map(|communication| communication.id.clone()).collect()
}

#[test]
fn a_communication_is_known_again_by_its_second_and_its_text_in_whatever_order_it_is_shown() {
    let mut talk = Talk::new();
    let shown = [reply(1_000, "One"), reply(1_000, "Two"), reply(2_000, "One")];
    let first = ids(&talk.read(&shown));
    let backwards: Vec<RawCommunication> = shown.iter().rev().cloned().collect();
    assert_eq!(ids(&talk.read(&backwards)), first);
    assert_eq!(talk.known(), 3);
}

/// No pass recorded the delivery. The communication is recognised by the identity with which it was delivered.
#[test]
fn what_was_delivered_and_not_recorded_is_known_again_by_its_second_however_it_is_shown() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    let written = [reply(1_000, &format!("My key: {secret}")), raw(1_000, PERSON, "Thanks"), reply(2_000, "Done")];
    let delivered = ids(&Talk::new().read(&written));
    let mut talk = Talk::new();
    talk.memory.begun_before(&delivered);
    talk.memory.begun_before(&delivered);
    assert_eq!(talk.known(), 3);
    let redacted = [reply(1_000, "My key: ****"), written[1].clone(), written[2].clone()];
    assert_eq!(ids(&talk.read(&redacted)).iter().collect::<BTreeSet<_>>(), delivered.iter().collect::<BTreeSet<_>>());
    assert_eq!(talk.known(), 3);
    assert_eq!(talk.deliver(&redacted).len(), 3, "ServiceNow knows which of them are done");
}

#[test]
fn names_that_are_no_identities_and_what_is_settled_are_left_out() {
    let mut talk = Talk::new();
    let early = ids(&Talk::new().read(&[reply(1_000, "One")]));
    talk.memory.settled_before = Some(at(2_000));
    talk.memory.begun_before(&early);
    let strange = ["", "x", "1800000001-ab-0", "1800000001", "x-0123456789abcdef-0", "1800000001-0123456789abcdef-x"];
    talk.memory.begun_before(&strange.map(CommunicationId::new));
    assert_eq!(talk.known(), 0);
    talk.memory.begun_before(&ids(&Talk::new().read(&[reply(2_000, "One")])));
    assert_eq!(talk.known(), 1, "the second from which on nothing is settled");
}

#[test]
fn equal_texts_of_one_second_are_as_many_as_are_shown() {
    let mut talk = Talk::new();
    let same = reply(1_000, "Any news?");
    assert_eq!(talk.deliver(&[same.clone(), same.clone()]).len(), 2);
    assert_eq!(talk.deliver(&[same.clone(), same.clone()]).len(), 0);
    assert_eq!(talk.deliver(from_ref(&same)).len(), 0, "absence means nothing");
    assert_eq!(talk.deliver(&[same.clone(), same.clone(), same]).len(), 1, "a surplus is new");
}

#[test]
fn a_communication_that_is_shown_differently_is_the_same() {
    let first = raw(1_000, PERSON, "The key is AKIA1234 & the <host>\nis down.");
    let differently = [
        raw(1_000, "another.address@example.com", &first.body),
        raw(1_000, PERSON, "The key is ******** & the <host>\nis down."),
        raw(1_000, PERSON, "The key is AKIA1234 &amp; the &lt;host&gt; is\r\n  down."),
        raw(1_000, "another.address@example.com", "[redacted]"),
    ];
    for shown in differently {
        let mut talk = Talk::new();
        let id = ids(&talk.read(from_ref(&first)));
        assert_eq!(ids(&talk.read(from_ref(&shown))), id, "{shown:?}");
        assert_eq!(ids(&talk.read(from_ref(&shown))), id, "and it is known as it is shown now");
    }
}

#[test]
fn letters_of_every_script_tell_texts_apart_and_their_case_does_not() {
    assert_eq!(text_hash("東京都庁。Ünï\r\nA1"), text_hash("東京都庁 üNÏ&gt;a1"));
    assert_ne!(text_hash("東京"), text_hash("京都"));
    assert_ne!(text_hash("Grüße"), text_hash("Größe"));
    let is_letter_without_case = |letter: char| letter.is_alphanumeric() && letter.to_lowercase().eq([letter]);
    assert!(('\u{4e00}'..='\u{9fff}').all(is_letter_without_case));
}

#[test]
fn of_several_in_one_second_only_the_surplus_is_new_when_one_is_shown_differently() {
    let mut talk = Talk::new();
    let (one, two) = (reply(1_000, "One"), reply(1_000, "Two"));
    assert_eq!(talk.deliver(&[one.clone(), two]).len(), 2);
    let redacted = reply(1_000, "***");
    assert_eq!(talk.deliver(&[one.clone(), redacted.clone()]).len(), 0);
    assert_eq!(talk.deliver(&[one, redacted, reply(1_000, "Three")]), ["Three"]);
    assert_eq!(talk.known(), 3);
}

#[test]
fn a_time_that_is_cut_or_rounded_is_the_same_moment() {
    for (first, then) in [(1_600, 1_000), (1_600, 2_000), (1_000, 1_600), (2_000, 1_600), (2_000, 1_999)] {
        let mut talk = Talk::new();
        let id = ids(&talk.read(&[reply(first, "One")]));
        assert_eq!(ids(&talk.read(&[reply(then, "One")])), id, "{first} and {then}");
    }
    let mut talk = Talk::new();
    let id = ids(&talk.read(&[reply(1_000, "One")]));
    assert_ne!(ids(&talk.read(&[reply(3_000, "One")])), id, "two seconds are no rounding");
}

#[test]
fn a_text_that_is_redacted_and_whose_time_is_cut_or_rounded_is_the_same() {
    for (first, then) in [(1_600, 2_000), (2_000, 1_600), (2_000, 1_999)] {
        let mut talk = Talk::new();
        let other = reply(5_000, "Other");
        let known = ids(&talk.read(&[reply(first, "The key is AKIA1234"), other.clone()]));
        assert_eq!(ids(&talk.read(&[reply(then, "The key is ********"), other])), known, "{first} and {then}");
    }
    for then in [3_000, 4_000] {
        let mut talk = Talk::new();
        let first = ids(&talk.read(&[reply(3_000, "Thanks"), reply(3_000, "The key is AKIA1234")]));
        let second = [reply(2_700, "Thanks"), reply(2_900, "The key is ********"), reply(then, "News")];
        let second = ids(&talk.read(&second));
        assert!(first.iter().all(|id| second[..2].contains(id)), "{then}: the first of either side are the same");
        assert!(!first.contains(&second[2]), "{then}");
    }
    let mut talk = Talk::new();
    let known = ids(&talk.read(&[reply(1_000, "One"), reply(2_000, "Two")]));
    let seen = ids(&talk.read(&[reply(1_000, "One"), reply(2_000, "Two"), reply(3_000, "Three")]));
    assert_eq!((&seen[..2], talk.known()), (&known[..], 3), "what is known by its text is not taken for another");
}

/// A read hides the first text of a second. The next one shows it, and the other text of that second redacted.
#[test]
fn a_redacted_text_is_not_taken_for_another_one_of_its_second() {
    let (first, other) = (raw(1_000, PERSON, "Any news?"), "The key is AKIA1234 and the card is 4111 1111 1111 1111");
    let mut talk = Talk::new();
    let known = ids(&talk.read(&[raw(1_000, PERSON, other)]));
    let redacted = "The key is AKIA1234 and the card is [removed by AWS]-1111";
    let seen = ids(&talk.read(&[first, raw(1_000, PERSON, redacted)]));
    assert_eq!(seen[1], known[0]);
    assert_ne!(seen[0], known[0]);
}

/// An equal text tells by how many seconds the times moved.
#[test]
fn what_is_redacted_is_looked_for_first_where_the_times_moved_to() {
    for (moved, shown, expected) in [
        (0, [8_000, 9_000], [None, Some(0)]),
        (1_000, [9_000, 10_000], [Some(0), Some(1)]),
        (-1_000, [7_000, 8_000], [Some(0), Some(1)]),
    ] {
        let mut talk = Talk::new();
        let first = if moved == 0 { vec![9_000] } else { vec![8_000, 9_000] };
        let keys = first.iter().map(|time| reply(*time, &format!("The key is AKIA{time}")));
        let known = ids(&talk.read(&keys.chain([reply(5_000, "Thanks")]).collect::<Vec<_>>()));
        let redacted = shown.map(|time| reply(time, &format!("{time}: ****")));
        let seen = ids(&talk.read(&[reply(5_000 + moved, "Thanks"), redacted[0].clone(), redacted[1].clone()]));
        let found = [&seen[1], &seen[2]].map(|id| known[1..].iter().position(|key| key == id));
        assert_eq!(found, expected, "moved by {moved} ms");
    }
}

/// Two texts of neighbouring seconds are redacted, and the times moved. One of them is as long now as the other one was.
#[test]
fn no_redacted_text_is_new_because_another_one_resembles_what_it_was() {
    for moved in [1_000, -1_000] {
        let mut talk = Talk::new();
        let written = [reply(5_000, "Thanks"), reply(8_000, "The key is AKIA1234"), reply(9_000, "A card: 4111")];
        let known = ids(&talk.read(&written));
        let redacted = [(5_000, "Thanks"), (8_000, "The key is ****"), (9_000, "A card: [removed by AWS]-1111")];
        let shown = redacted.map(|(time, body)| reply(time + moved, body));
        assert_eq!(ids(&talk.read(&shown)), known, "moved by {moved} ms");
    }
}

#[test]
fn what_another_author_wrote_in_the_second_of_a_text_that_is_not_shown_is_new() {
    for (hidden, shown) in [(AWS, PERSON), (PERSON, AWS)] {
        let mut talk = Talk::new();
        let known = ids(&talk.read(&[raw(1_000, hidden, "Hello")]));
        assert_ne!(ids(&talk.read(&[raw(1_000, shown, "Good morning")])), known, "{shown}");
    }
}

#[test]
fn a_text_with_our_mark_is_not_taken_for_one_without_or_the_other_way_round() {
    let mut talk = Talk::new();
    let quotation = raw(1_000, PERSON, &quoted(&talk.send(1, "Any news?")));
    let plain = raw(1_000, PERSON, "Hello");
    for (hidden, shown) in [(&plain, &quotation), (&quotation, &plain)] {
        let mut talk = talk.clone();
        let known = ids(&talk.read(from_ref(hidden)));
        assert_ne!(ids(&talk.read(from_ref(shown))), known, "{shown:?}");
    }
}

/// Of a case with very many pages the oldest communications are not read.
#[test]
fn what_may_be_of_the_cut_second_is_not_taken_for_another_one_that_is_shown_differently() {
    for (first, then, is_same) in
        [(2_700, 3_000, false), (3_000, 2_700, false), (3_500, 3_000, true), (4_000, 3_000, true)]
    {
        let mut talk = Talk::new();
        let known = ids(&talk.read(&[reply(2_000, "Two"), reply(first, "The key is AKIA1234")]));
        let shown = vec![reply(2_000, "Two"), reply(then, "The key is ****")];
        let seen = talk.memory.take_in(shown, false, talk.now, MAXIMUM_DOUBT).shown;
        assert_eq!(ids(&seen)[1] == known[1], is_same, "{first} and {then}");
    }
}

/// A read is composed of two answers. One of them may show times a second earlier, the other a second later.
#[test]
fn a_text_of_ours_is_known_again_where_one_answer_cuts_times_and_another_rounds_them() {
    for (first, then) in [(5_000, 6_000), (6_000, 5_000)] {
        let mut talk = Talk::new();
        let (one, two) = (talk.send(1, "The key is AKIA1234"), talk.send(2, "The key is AKIA1234"));
        let known = ids(&talk.read(&[reply(first, "Thanks"), raw(8_000, BRIDGE, &one), raw(9_000, BRIDGE, &two)]));
        // Both texts are redacted, so their hashes differ from those of the texts that were sent.
        let redacted = |text: &str| text.replace("AKIA1234", "********");
        for times in [[8_000, 9_000], [9_000, 9_000], [8_000, 8_000]] {
            let (one, two) = (raw(times[0], BRIDGE, &redacted(&one)), raw(times[1], BRIDGE, &redacted(&two)));
            let shown = talk.clone().read(&[reply(then, "Thanks"), one, two]);
            assert_eq!(ids(&shown).iter().collect::<BTreeSet<_>>(), known.iter().collect(), "{first} {then} {times:?}");
        }
    }
}

#[test]
fn nothing_overtakes_what_is_undecided_though_a_later_answer_shows_it_a_second_earlier() {
    let mut talk = Talk::new();
    let body = talk.send(1, "The key is AKIA1234");
    // Our text is redacted, so it does not equal what was sent. Until L is over the quotation may be ours instead.
    let ours = raw(500, BRIDGE, &body.replace("AKIA1234", "********"));
    let quotation = quoted(&body);
    let shown = |at: i64| [ours.clone(), raw(at, PERSON, &quotation), reply(at, "Thanks"), reply(at + 2_000, "Bye")];
    for time in [3_000, 2_000, 4_000] {
        assert_eq!(talk.deliver(&shown(time)), Vec::<String>::new(), "{time}");
    }
    talk.now = at(0) + MAXIMUM_DOUBT;
    assert_eq!(talk.deliver(&shown(2_000)).len(), 3);
}

/// A read may show only a part of its oldest second. A communication of that second may be shown a second later and
/// with a changed text.
#[test]
fn a_text_right_behind_the_cut_asks_for_all_if_something_of_the_cut_second_is_not_shown() {
    let mut talk = Talk::new();
    let last = reply(6_000, "Three");
    talk.read(&[reply(1_000, "One"), reply(2_000, "Two"), reply(2_700, "The key is AKIA1234"), last.clone()]);
    let joins = |talk: &Talk, then, text| {
        talk.memory.connects_to_known(&[reply(2_000, "Two"), reply(then, text), last.clone()])
    };
    for known in talk.memory.known.values_mut().flatten() {
        known.fate = Fate::Delivered;
    }
    assert!(!joins(&talk, 3_000, "The key is ********"));
    assert!(joins(&talk, 4_000, "News"));
    assert!(joins(&talk, 2_700, "The key is AKIA1234"));
}

/// The read begins in second 2 and leaves out a known text that is not older than second 1.
#[test]
fn a_text_shortly_behind_the_cut_asks_for_all_if_it_may_be_one_that_is_not_shown() {
    for (hidden, new, text, joins) in [
        (0, 3_000, "ok", true),
        (1_000, 3_000, "ok", false),
        (1_000, 4_000, "ok", false),
        (1_000, 5_000, "ok", true),
        (3_000, 4_000, "ok", false),
        (1_000, 3_000, "News", true),
        (2_700, 3_000, "News", false),
        (2_700, 4_000, "News", true),
    ] {
        let mut talk = Talk::new();
        let (cut, last) = (reply(2_000, "Two"), reply(6_000, "Three"));
        talk.deliver(&[reply(hidden, "ok"), cut.clone(), last.clone()]);
        let recent = [cut, reply(new, text), last];
        assert_eq!(talk.memory.connects_to_known(&recent), joins, "{hidden} {new} {text}");
    }
}

#[test]
fn equal_texts_in_neighbouring_seconds_stay_apart_however_their_times_are_shown() {
    let exact = [reply(1_600, "Any news?"), reply(2_600, "Any news?"), reply(3_600, "Any news?")];
    let cut = [reply(1_000, "Any news?"), reply(2_000, "Any news?"), reply(3_000, "Any news?")];
    let rounded = [reply(2_000, "Any news?"), reply(3_000, "Any news?"), reply(4_000, "Any news?")];
    for first in [&exact, &cut, &rounded] {
        for then in [&exact, &cut, &rounded] {
            let mut talk = Talk::new();
            let known = ids(&talk.read(first));
            assert_eq!(known.len(), 3);
            assert_eq!(ids(&talk.read(then)), known, "{first:?} {then:?}");
        }
    }
    let mut talk = Talk::new();
    assert_eq!(talk.deliver(&exact[..2]).len(), 2);
    assert_eq!(talk.deliver(&exact).len(), 1, "the third one is new");
}

#[test]
fn a_read_of_the_most_recent_joins_where_its_oldest_second_is_known() {
    let all: Vec<RawCommunication> = (1..=7).map(|number| reply(number * 1_000, &format!("Text {number}"))).collect();
    let mut talk = Talk::new();
    assert!(talk.memory.connects_to_known(&[]), "nothing is known and nothing is there");
    assert!(!talk.memory.connects_to_known(&all[..5]), "something older may be hidden");
    assert_eq!(talk.deliver(&all[..5]).len(), 5);
    assert!(talk.memory.connects_to_known(&all[2..7]));
    let recent = talk.read_recent(&all[2..7]);
    assert_eq!(talk.deliver_shown(&recent), ["Text 6", "Text 7"]);
}

#[test]
fn a_read_does_not_join_where_its_oldest_second_may_be_cut() {
    let mut talk = Talk::new();
    talk.deliver(&[reply(1_000, "One"), reply(2_000, "Two"), reply(3_000, "Three")]);
    let rest = [reply(3_000, "Three"), reply(4_000, "Four"), reply(5_000, "Five"), reply(6_000, "Six")];
    let with = |oldest: RawCommunication| {
        let mut shown = rest.to_vec();
        shown.push(oldest);
        talk.memory.connects_to_known(&shown)
    };
    assert!(with(reply(2_000, "Two")));
    assert!(!with(reply(2_000, "Two, redacted")), "something of that second may be hidden");
    assert!(!with(reply(2_000, "One")), "it is of another second");
    let mut twice = rest[..3].to_vec();
    twice.extend([reply(2_000, "Two"), reply(2_000, "Two")]);
    assert!(!talk.memory.connects_to_known(&twice), "one of the two is unknown");
    let mut new = rest[1..].to_vec();
    new.push(reply(2_000, "Two"));
    assert!(
        !talk.memory.connects_to_known(&new),
        "it may be another one of the same second and text, and the known one be hidden"
    );
}

#[test]
fn a_read_does_not_join_while_something_older_waits() {
    let mut talk = Talk::new();
    let known = [reply(1_000, "One"), reply(2_000, "Two"), reply(3_000, "Three")];
    let recent = [known[1].clone(), known[2].clone(), reply(4_000, "Four")];
    let shown = talk.read(&known);
    for (delivered, joins) in shown.iter().zip([false, true, true]) {
        assert!(!talk.memory.connects_to_known(&recent) || joins);
        talk.memory.delivered(&delivered.id);
        assert_eq!(talk.memory.connects_to_known(&recent), joins, "{delivered:?}");
    }
}

/// The second "ok" is a new communication. The cut hides the first one.
#[test]
fn an_equal_text_behind_the_cut_hides_no_new_one() {
    let mut talk = Talk::new();
    talk.deliver(&[reply(1_000, "ok"), reply(1_000, "One")]);
    let recent = [reply(1_000, "One"), reply(2_000, "ok")];
    let told = if talk.memory.connects_to_known(&recent) {
        let shown = talk.read_recent(&recent);
        talk.deliver_shown(&shown)
    } else {
        talk.deliver(&[reply(1_000, "ok"), reply(1_000, "One"), reply(2_000, "ok")])
    };
    assert_eq!(told, ["ok"]);
}

#[test]
fn what_is_shown_differently_above_a_settled_one_is_the_same() {
    let mut talk = Talk::new();
    let later = MAXIMUM_DOUBT.as_millis().try_into().unwrap_or(i64::MAX);
    let (old, new) = (reply(1_000, "One"), reply(later + 61_000, "The key is AKIA1234"));
    talk.deliver(&[old.clone(), new.clone()]);
    talk.memory.compact(Some(new.time_created), None, at(0), MAXIMUM_DOUBT);
    let redacted = RawCommunication { body: "The key is ********".to_owned(), ..new };
    let shown = talk.read_recent(&[old, redacted]);
    assert_eq!(talk.deliver_shown(&shown), [""; 0]);
}

#[test]
fn what_is_settled_does_not_come_back_with_a_rounded_time() {
    let mut talk = Talk::new();
    let doubt: i64 = MAXIMUM_DOUBT.as_millis().try_into().unwrap();
    for (first, then) in [(999, 1_000), (1_000, 999), (1_600, 1_000)] {
        let newest = reply(doubt + 1_000, "Two");
        talk.memory = Conversation::default();
        assert_eq!(talk.deliver(&[reply(first, "One"), newest.clone()]).len(), 2);
        talk.memory.compact(Some(newest.time_created), None, at(0), MAXIMUM_DOUBT);
        assert_eq!(talk.deliver(&[reply(then, "One"), newest]).len(), 0, "{first} and {then}");
    }
}

#[test]
fn what_waits_is_found_again_with_a_rounded_time() {
    let doubt: i64 = MAXIMUM_DOUBT.as_millis().try_into().unwrap();
    let mut talk = Talk::new();
    let newest = reply(2 * doubt, "Two");
    talk.read(&[reply(2_000, "One"), newest.clone()]);
    talk.memory.compact(Some(newest.time_created), None, at(0), MAXIMUM_DOUBT);
    assert_eq!(talk.deliver(&[reply(1_999, "One"), newest]).len(), 2);
}

#[test]
fn our_own_text_is_ours_and_is_not_delivered() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "Any news?");
    let shown = talk.read(&[raw(1_000, BRIDGE, &ours), reply(2_000, "Not yet.")]);
    assert_eq!(talk.fates(&shown), [Fate::Ours, Fate::Pending]);
    assert!(talk.memory.is_found(&mark(1)));
    assert!(!talk.memory.is_found(&mark(2)));
}

#[test]
fn a_foreign_mark_makes_nothing_ours() {
    let mut talk = Talk::new();
    let shown = talk.read(&[raw(1_000, PERSON, &signed(7, "Any news?"))]);
    assert_eq!(talk.fates(&shown), [Fate::Pending]);
}

/// AWS shows times in whole seconds and has redacted our text. The length tells our text from a quotation of the same
/// second.
#[test]
fn of_one_second_the_carrier_that_is_as_long_as_our_text_is_ours() {
    let mut talk = Talk::new();
    let text = "The key wJalrXUtnFEMI is refused, and so is every other one that we tried since this morning.";
    let body = talk.send(1, text);
    let redacted = raw(1_000, BRIDGE, &body.replace("wJalrXUtnFEMI", "****"));
    let long = "And more words. ".repeat(20);
    for quotation in ["m3", &long] {
        for quotes_first in [true, false] {
            let mut talk = talk.clone();
            let quoting = raw(1_000, PERSON, &signed(1, quotation));
            let shown = [redacted.clone(), quoting.clone()];
            talk.deliver(&shown[usize::from(quotes_first)..]);
            let seen = talk.read(&shown);
            let fates: BTreeMap<&str, Option<Fate>> =
                seen.iter().map(|one| (one.raw.body.as_str(), talk.memory.fate(&one.id))).collect();
            assert_eq!(fates[redacted.body.as_str()], Some(Fate::Ours), "{quotation}");
            assert_eq!(fates[quoting.body.as_str()], Some(Fate::Undecided), "{quotation}");
        }
    }
}

#[test]
fn a_quotation_by_aws_proves_nothing() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "Any news?");
    for body in [quoted(&ours), ours] {
        let shown = talk.read(&[reply(1_000, &body)]);
        assert_eq!(talk.fates(&shown), [Fate::Pending], "{body}");
        assert!(!talk.memory.is_found(&mark(1)));
    }
}

/// A person answers by e-mail, and a read shows the quotation before the quoted text.
#[test]
fn a_quotation_that_shows_before_our_text_is_delivered_once_ours_shows() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "Any news?");
    let quotation = raw(5_000, PERSON, &quoted(&ours));
    assert_eq!(talk.deliver(from_ref(&quotation)), [""; 0], "ours has reached AWS, and which one it is stays open");
    assert!(talk.memory.is_found(&mark(1)));
    let both = [raw(1_000, BRIDGE, &ours), quotation.clone()];
    assert_eq!(talk.deliver(&both), [quotation.body.as_str()], "just what was sent decides at once");
    assert_eq!(talk.deliver(&both), [""; 0]);
    assert_eq!(talk.memory.last_decision_at(MAXIMUM_DOUBT), None);
}

#[test]
fn a_copy_that_shows_first_is_delivered_once_ours_shows() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "Any news?");
    let copy = raw(5_000, PERSON, &ours);
    assert_eq!(talk.deliver(from_ref(&copy)), [""; 0]);
    let both = [copy, raw(1_000, BRIDGE, &ours)];
    let shown = talk.read(&both);
    assert_eq!(talk.fates(&shown), [Fate::Ours, Fate::Pending], "of two alike the earlier one is ours");
    assert_eq!(talk.deliver_shown(&shown), [ours]);
}

/// If no text equals what was sent, only the end of L decides.
#[test]
fn of_two_that_are_not_what_was_sent_the_earlier_one_is_ours_and_the_other_waits_until_l() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "The key is AKIA1234");
    let redacted = ours.replace("AKIA1234", "********");
    let both = [raw(1_000, BRIDGE, &redacted), raw(5_000, PERSON, &quoted(&redacted))];
    let last_decision_at = talk.now.checked_add(MAXIMUM_DOUBT).unwrap();
    talk.read(&both[..1]);
    assert_eq!(talk.memory.last_decision_at(MAXIMUM_DOUBT), Some(last_decision_at), "it may be a quotation, too");
    let shown = talk.read(&both);
    assert_eq!(talk.fates(&shown), [Fate::Ours, Fate::Undecided]);
    assert_eq!(talk.memory.last_decision_at(MAXIMUM_DOUBT), Some(last_decision_at));
    talk.now = last_decision_at.checked_sub(SignedDuration::from_secs(1)).unwrap();
    assert_eq!(talk.deliver(&both), [""; 0]);
    talk.now = last_decision_at;
    assert_eq!(talk.deliver(&both), [both[1].body.as_str()]);
}

/// Both texts are of one second. An answer that cuts times shows only the quotation. A later answer, which rounds
/// times, shows both.
#[test]
fn of_two_in_one_second_the_one_that_is_about_as_long_is_ours_whichever_answer_showed_the_other() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "The key is AKIA1234");
    let (redacted, remark) = (ours.replace("AKIA1234", "[REDACTED]"), signed(1, ""));
    talk.read(&[raw(1_000, PERSON, &remark)]);
    let both = [raw(2_000, PERSON, &remark), raw(2_000, BRIDGE, &redacted)];
    for shown in [&both, &both] {
        assert_eq!(talk.deliver(shown), [""; 0], "it may still quote a text that is not shown yet");
    }
    talk.now = talk.now.checked_add(MAXIMUM_DOUBT).unwrap();
    assert_eq!(talk.deliver(&both), [remark]);
}

#[test]
fn a_quotation_that_a_read_without_it_shows_not_to_be_ours_is_undecided_and_our_other_texts_stay_ours() {
    let mut talk = Talk::new();
    let (other, ours) = (talk.send(1, "One"), talk.send(2, "Two"));
    let shown = talk.read(&[raw(1_000, BRIDGE, &other), raw(5_000, PERSON, &quoted(&ours))]);
    assert_eq!(talk.fates(&shown), [Fate::Ours, Fate::Ours]);
    talk.read(&[raw(3_000, BRIDGE, &ours)]);
    assert_eq!(talk.fates(&shown), [Fate::Ours, Fate::Undecided]);
}

#[test]
fn what_is_settled_as_ours_stays_so_when_an_earlier_one_appears_or_it_is_redacted() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "The key is AKIA1234");
    talk.read(&[raw(5_000, BRIDGE, &ours)]);
    talk.now = at(5_000).checked_add(MAXIMUM_DOUBT).unwrap();
    let shown = talk.read(&[raw(5_000, BRIDGE, &ours)]);
    let own = ids(&shown);
    let redacted = raw(5_000, "another.address@example.com", &ours.replace("AKIA1234", "********"));
    let shown = talk.read(&[raw(1_000, PERSON, &ours), redacted]);
    assert_eq!(talk.fates(&shown), [Fate::Pending, Fate::Ours]);
    assert_eq!(ids(&shown)[1..], own);
}

#[test]
fn a_text_with_several_marks_is_ours_only_where_it_is_the_one_for_a_mark() {
    let mut talk = Talk::new();
    let (first, second) = (talk.send(1, "One"), talk.send(2, "Two"));
    let quotation = raw(5_000, PERSON, &format!("{}\n\n{}", quoted(&first), quoted(&second)));
    let shown = talk.read(&[raw(1_000, BRIDGE, &first), quotation.clone()]);
    assert_eq!(talk.fates(&shown), [Fate::Ours, Fate::Ours], "the second text has reached AWS, where it shows is open");
    let all = [raw(1_000, BRIDGE, &first), raw(2_000, BRIDGE, &second), quotation.clone()];
    assert_eq!(talk.deliver(&all), [quotation.body]);
}

#[test]
fn nothing_overtakes_what_waits_for_a_decision() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "The key is AKIA1234").replace("AKIA1234", "********");
    let shown =
        [raw(1_000, BRIDGE, &ours), reply(2_000, "Before"), raw(3_000, PERSON, &quoted(&ours)), reply(4_000, "After")];
    assert_eq!(talk.deliver(&shown), ["Before"]);
    talk.now = talk.now.checked_add(MAXIMUM_DOUBT).unwrap();
    assert_eq!(talk.deliver(&shown), [shown[2].body.as_str(), "After"]);
}

#[test]
fn nothing_overtakes_what_waits_and_is_not_shown() {
    let mut talk = Talk::new();
    talk.read(&[reply(1_000, "One"), reply(2_000, "Two")]);
    let late = talk.read(&[reply(2_000, "Two")]);
    assert!(talk.memory.deliverable(&late).is_empty(), "the first one waits");
    assert_eq!(talk.deliver(&[reply(1_000, "One"), reply(2_000, "Two")]), ["One", "Two"]);
    talk.read(&[reply(9_000, "Three"), reply(9_600, "Four")]);
    let late = talk.read(&[reply(9_600, "Four")]);
    assert!(talk.memory.deliverable(&late).is_empty(), "they are of one second");
}

/// AWS takes back a text that waits, so that no read shows it again.
#[test]
fn what_is_never_shown_again_holds_nothing_back_for_good() {
    let mut talk = Talk::new();
    talk.read(&[reply(1_600, "Sent to the wrong customer")]);
    let shown = [reply(4_000, "Sorry for that"), reply(5_000, "After")];
    let seen = talk.read(&shown);
    assert!(talk.memory.hides_open(&seen));
    assert!(talk.memory.deliverable(&seen).is_empty());
    let latest = at(2_000).checked_add(MAXIMUM_DOUBT + CLOCKS_APART).unwrap();
    talk.memory.forget_vanished(&seen, latest.checked_sub(SignedDuration::from_secs(1)).unwrap(), MAXIMUM_DOUBT);
    assert!(talk.memory.hides_open(&seen), "a read may be late");
    talk.memory.forget_vanished(&seen, latest, MAXIMUM_DOUBT);
    assert!(!talk.memory.hides_open(&seen));
    assert_eq!(talk.deliver_shown(&seen).len(), 2);
}

#[test]
fn what_is_settled_is_forgotten_up_to_what_waits_with_the_marks_of_what_was_found() {
    let doubt: i64 = MAXIMUM_DOUBT.as_millis().try_into().unwrap();
    let mut talk = Talk::new();
    let bodies: Vec<String> = (1..=3).map(|number| talk.send(number, "Any news?")).collect();
    talk.memory.marks.get_mut(&mark(3)).unwrap().given_up = true;
    talk.send(4, "It was refused or lost.");
    talk.now = at(doubt);
    let shown = [
        raw(1_000, BRIDGE, &bodies[0]),
        reply(10_000, "Waits"),
        raw(20_000, BRIDGE, &bodies[1]),
        reply(4 * doubt, "Newest"),
    ];
    let seen = talk.read(&shown);
    talk.memory.compact(Some(at(4 * doubt)), None, at(0), MAXIMUM_DOUBT);
    assert_eq!(talk.known(), 3, "what is older than the first that waits is forgotten");
    assert!(!talk.memory.marks.contains_key(&mark(1)));
    assert!(talk.memory.marks.contains_key(&mark(2)), "what it was found on is remembered");
    talk.deliver_shown(&seen);
    talk.memory.compact(Some(at(4 * doubt)), None, at(96 * doubt), MAXIMUM_DOUBT);
    assert_eq!(talk.known(), 1);
    let left: Vec<&Mark> = talk.memory.marks.keys().collect();
    assert_eq!(left, [&mark(3)], "one that was given up is remembered for good");
    assert_eq!(talk.deliver(&shown), [""; 0], "what is forgotten is settled");
    let floor = talk.memory.settled_before;
    talk.memory.compact(Some(at(2 * doubt)), None, at(0), MAXIMUM_DOUBT);
    talk.memory.compact(None, None, at(0), MAXIMUM_DOUBT);
    assert_eq!(talk.memory.settled_before, floor, "what is forgotten stays so");
}

/// Returns the size, in bytes of JSON, of a conversation with one text a minute that was read as a whole after each
/// text.
fn size_after(texts: i64) -> usize {
    let mut talk = Talk::new();
    let mut shown: Vec<RawCommunication> = Vec::new();
    for number in 0..texts {
        talk.now = at(number * 60_000);
        let name = u64::try_from(number).unwrap();
        let next = match number % 3 {
            0 => raw(number * 60_000, BRIDGE, &talk.send(name, "Any news?")),
            1 => reply(number * 60_000, "Not yet."),
            _ => raw(number * 60_000, PERSON, &quoted(&signed(name - 2, "Any news?"))),
        };
        shown.push(next);
        let floor = talk.memory.settled_before;
        shown.retain(|communication| floor.is_none_or(|floor| communication.time_created >= floor));
        talk.deliver(&shown);
        talk.memory.compact(shown.last().map(|newest| newest.time_created), None, at(0), MAXIMUM_DOUBT);
    }
    serde_json::to_string(&talk.memory).unwrap().len()
}

#[test]
fn ten_thousand_communications_are_remembered_in_as_little_as_a_hundred() {
    let bound = 3_800;
    let (few, many) = (size_after(100), size_after(10_000));
    assert!(few > bound / 2 && few < bound, "{few} bytes");
    assert!(many < bound, "{many} bytes");
}

/// How a read shows times.
#[derive(Debug, Clone, Copy)]
enum Precision {
    Exact,
    Cut,
    Rounded,
}

fn as_shown(communication: &RawCommunication, precision: Precision) -> RawCommunication {
    let milliseconds = communication.time_created.as_millisecond();
    let shown = match precision {
        Precision::Exact => milliseconds,
        Precision::Cut => milliseconds / 1_000 * 1_000,
        Precision::Rounded => (milliseconds + 500) / 1_000 * 1_000,
    };
    RawCommunication { time_created: Timestamp::from_millisecond(shown).unwrap(), ..communication.clone() }
}

/// One read: how far it lags, in milliseconds, and how it shows times.
fn look() -> impl Strategy<Value = (i64, Precision)> {
    (prop_oneof![3 => Just(0_i64), 1 => 0_i64..4_000], precision())
}

fn precision() -> impl Strategy<Value = Precision> {
    prop_oneof![Just(Precision::Exact), Just(Precision::Cut), Just(Precision::Rounded)]
}

/// A text on a case: the milliseconds since the one before, its author, and its content.
fn written() -> impl Strategy<Value = (i64, u8, u8)> {
    (prop_oneof![3 => 0_i64..1_500, 1 => 0_i64..1_000_000], 0_u8..4, 0_u8..3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// Whatever the lag and the precision of the reads: each text of others is delivered once, and none of ours is.
    #[test]
    fn each_text_of_others_is_delivered_once_and_ours_never(
        story in prop::collection::vec((written(), prop::collection::vec(look(), 0..3)), 1..20),
        precision in prop::option::of(precision()),
    ) {
        let (mut talk, mut all, mut delivered, mut expected) = (Talk::new(), Vec::new(), Vec::new(), BTreeMap::new());
        let mut moment = 0;
        for (number, ((pause, whose, text), looks)) in story.iter().enumerate() {
            moment += pause;
            talk.now = at(moment);
            let text = ["ok", "Any news?", "line\r\nline"][usize::from(*text)];
            if *whose == 0 {
                let body = talk.send(u64::try_from(number).unwrap(), text);
                all.push(raw(moment, BRIDGE, &body));
            } else {
                all.push(raw(moment, if *whose == 1 { PERSON } else { AWS }, text));
                *expected.entry(text.to_owned()).or_insert(0) += 1;
            }
            for (lag, another) in looks {
                let visible = visible(&all, moment - lag, precision.unwrap_or(*another));
                delivered.extend(look_at(&mut talk, &visible, precision.is_some()));
            }
        }
        delivered.extend(look_at(&mut talk, &visible(&all, moment, precision.unwrap_or(Precision::Exact)), false));
        let mut counted = BTreeMap::new();
        for text in delivered {
            *counted.entry(text).or_insert(0) += 1;
        }
        prop_assert_eq!(counted, expected);
    }

    /// No text overtakes one that waits for a decision or that is not shown.
    #[test]
    fn deliverable_overtakes_nothing(
        fates in prop::collection::vec((0_i64..6, 0_u8..4, any::<bool>()), 0..12),
    ) {
        let mut talk = Talk::new();
        let texts: Vec<RawCommunication> = fates
            .iter()
            .enumerate()
            .map(|(number, (second, _, _))| reply(second * 1_000, &format!("Text {number}")))
            .collect();
        let read = talk.read(&texts);
        let mut shown = Vec::new();
        for communication in read {
            let number: usize = communication.raw.body["Text ".len()..].parse().unwrap();
            let (_, fate, is_shown) = fates[number];
            let fate = [Fate::Pending, Fate::Delivered, Fate::Ours, Fate::Undecided][usize::from(fate)];
            for known in talk.memory.known.values_mut().flatten().filter(|known| known.id == communication.id) {
                known.fate = fate;
            }
            if is_shown {
                shown.push(communication);
            }
        }
        let ready = ids(&talk.memory.deliverable(&shown).into_iter().cloned().collect::<Vec<_>>());
        let last = shown.iter().filter(|seen| ready.contains(&seen.id)).map(|seen| seen.raw.time_created).max();
        for (second, known) in talk.memory.known.iter().flat_map(|(second, all)| all.iter().map(move |one| (*second, one))) {
            let waits = matches!(known.fate, Fate::Pending | Fate::Undecided) && !ready.contains(&known.id);
            prop_assert!(!waits || last.is_none_or(|last| second >= last.as_second()), "{:?} {:?}", known, ready);
            prop_assert!(known.fate == Fate::Pending || !ready.contains(&known.id));
        }
    }
}

/// Returns what was written up to a moment, as a read shows it.
fn visible(all: &[RawCommunication], until: i64, precision: Precision) -> Vec<RawCommunication> {
    let written = all.iter().filter(|communication| communication.time_created <= at(until));
    written.map(|communication| as_shown(communication, precision)).collect()
}

/// Reads the five most recent communications. Reads all if the five do not join what is known, or if `recent_first` is
/// false. Returns the texts that are delivered then.
fn look_at(talk: &mut Talk, visible: &[RawCommunication], recent_first: bool) -> Vec<String> {
    let recent = &visible[visible.len().saturating_sub(5)..];
    let is_enough = recent_first && talk.memory.connects_to_known(recent);
    let is_complete = recent.len() == visible.len() || !is_enough;
    let shown = if is_complete { talk.read(visible) } else { talk.read_recent(recent) };
    let delivered = talk.deliver_shown(&shown);
    if is_complete {
        talk.memory.compact(shown.last().map(|newest| newest.raw.time_created), None, at(0), MAXIMUM_DOUBT);
    }
    delivered
}

/// DescribeCases cuts its times and DescribeCommunications does not, so a quotation of the same second seems earlier
/// than our text.
#[test]
fn of_one_second_the_text_that_is_as_long_as_ours_is_ours_however_exact_the_times_are() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "The key of the failing host is AKIA1234").replace("AKIA1234", "********");
    let quotation = format!("{}\n\nWhat?", ours.lines().next().unwrap());
    let shown = talk.read(&[raw(1_000, PERSON, &quotation)]);
    assert_eq!(talk.fates(&shown), [Fate::Ours], "nothing else carries the mark so far");
    let both = [raw(1_075, BRIDGE, &ours), raw(1_449, PERSON, &quotation)];
    let shown = talk.read(&both);
    assert_eq!(talk.fates(&shown), [Fate::Ours, Fate::Undecided]);
    talk.now = talk.now.checked_add(MAXIMUM_DOUBT).unwrap();
    assert_eq!(talk.deliver(&both), [quotation]);
}

#[test]
fn a_read_that_hides_older_texts_decides_for_good_only_by_what_is_just_what_was_sent() {
    let mut talk = Talk::new();
    let ours = talk.send(1, "The key is AKIA1234").replace("AKIA1234", "********");
    let quotation = raw(1_200_000, PERSON, &quoted(&ours));
    talk.now = talk.now.checked_add(MAXIMUM_DOUBT * 2).unwrap();
    let before = [reply(1_100_000, "Hello"), reply(1_101_000, "Which key?")];
    talk.deliver(&before);
    let [first, second] = before;
    talk.read_recent(&[first.clone(), second.clone(), quotation.clone()]);
    let shown = talk.read(&[raw(1_000, BRIDGE, &ours), first, second, quotation]);
    let fates = [Fate::Ours, Fate::Delivered, Fate::Delivered, Fate::Pending];
    assert_eq!(talk.fates(&shown), fates, "ours was hidden before");
}

/// Two answers lag differently: the first shows only the later text, the second only the earlier one.
#[test]
fn a_text_of_ours_is_not_taken_for_another_one_of_ours_that_a_lagging_read_does_not_show() {
    let mut talk = Talk::new();
    let (earlier, later) = (talk.send(1, "ok"), talk.send(2, "ok"));
    let (earlier, later) = (raw(1_000, BRIDGE, &earlier), raw(2_000, BRIDGE, &later));
    talk.read(from_ref(&later));
    talk.read(from_ref(&earlier));
    let shown = talk.read(&[earlier, later]);
    assert_eq!(talk.fates(&shown), [Fate::Ours, Fate::Ours]);
}
