//! What a link remembers of what a pass reads and does.

use casebridge_core::{
    failure::Refusal,
    identifiers::{AccountId, CaseId, CommunicationId, ExternalId, IncidentId, LinkKey},
    link::{
        LowerCount, Opening, StateIntent,
        kind::Kind as _,
        mark::{Entropy, Mark},
        notice::Notice,
        pass::{Look, Seen},
        plan::Waiting,
        remembered::Remembered as _,
        trouble::Request,
        trouble::Side,
    },
    policy::StatusRule,
    servicenow::{
        delivery::{
            Delivery, DeliveryAnswer, FieldsOutcome, IncidentFields, Message, MessageAnswer, MessageKind,
            MessageOutcome,
        },
        incident::IncidentState,
    },
    support::{
        Effect, Intent, Link, Pass, Plan, SupportCase,
        call::{Content, IntentKind, Part, RefusedCall},
        case::{Case, CaseStatus, RECENT_COMMUNICATIONS},
        conversation::{Fate, MAXIMUM_KNOWN_COMMUNICATIONS},
        index,
        memory::{LinkedCase, Memory, QuotaWait, RefusedMessage},
        message::external_id,
    },
    time::seconds,
};
use jiff::{SignedDuration, Timestamp};

use crate::sides::{self, Sides, delivery_of, entry, plan, refusal, unavailable};

/// Returns the case as a read shows it that leaves out the first `hidden` communications.
fn recent(sides: &Sides, hidden: usize) -> Case {
    let mut case = sides::as_case(sides.case.as_ref().unwrap());
    case.communications.drain(..hidden);
    case.communications_complete = hidden == 0;
    case
}

/// Returns both sides with three replies that are all delivered: fewer than may hide a text.
fn answered() -> Sides {
    let mut sides = Sides::linked();
    for number in 0..3 {
        sides.reply(&format!("Reply {number}"));
    }
    sides.settle();
    sides
}

fn longest_doubt(sides: &Sides) -> SignedDuration {
    sides.policy.unknown_outcome()
}

#[test]
fn all_communications_are_read_where_the_recent_ones_do_not_join_on_to_what_is_known() {
    let sides = answered();
    let case = recent(&sides, 2);
    let wants_all = |change: &dyn Fn(&mut Pass)| {
        let mut pass = sides.observe();
        change(&mut pass);
        pass.needs_all_communications(&sides.policy, &case, sides.now)
    };
    assert!(!wants_all(&|_| {}), "the oldest one shown is known");
    let oldest = case.communications[0].time_created.as_second();
    assert!(wants_all(&|pass| {
        pass.link.memory.conversation.known.remove(&oldest);
    }));
    assert!(wants_all(&|pass| {
        let hidden = pass.link.memory.conversation.known.values_mut().next().unwrap();
        hidden[0].fate = Fate::Pending;
    }));
    assert!(wants_all(&|pass| pass.link.memory.full_read_at = Some(sides.now)));
    let later = sides.now.checked_add(seconds(1)).unwrap();
    assert!(!wants_all(&|pass| pass.link.memory.full_read_at = Some(later)));
    assert!(wants_all(&|pass| {
        let kind = IntentKind::AddCommunication { content: Content::ReopenNotice, part: Part::whole(0) };
        let mark = Some(Mark::draw(Entropy::new([7; 16]), &pass.key, 9));
        pass.link.intent = Some(Intent::new(9, mark, kind, sides.now));
    }));
    let mut pass = sides.observe();
    pass.link.memory.conversation.known.clear();
    assert!(!pass.needs_all_communications(&sides.policy, &recent(&sides, 0), sides.now), "this is all there is");
}

#[test]
fn a_text_in_doubt_is_looked_for_until_one_shows_that_may_be_it_and_after_l_in_any_case() {
    let sides = answered();
    let mut pass = sides.observe();
    let mark = Mark::draw(Entropy::new([7; 16]), &pass.key, 9);
    let kind = IntentKind::AddCommunication { content: Content::ReopenNotice, part: Part::whole(0) };
    pass.link.intent = Some(Intent::new(9, Some(mark.clone()), kind, sides.now));
    let wants_all = |author: &str, now: Timestamp| {
        let mut case = recent(&sides, 1);
        let newest = case.communications.last_mut().unwrap();
        newest.submitted_by = author.to_owned();
        newest.body = format!("abel.tuter wrote [ref {mark}]");
        pass.needs_all_communications(&sides.policy, &case, now)
    };
    let settled = sides.now.checked_add(longest_doubt(&sides)).unwrap();
    let just_before = settled.checked_sub(seconds(1)).unwrap();
    assert!(!wants_all("casebridge@111122223333", just_before), "this may be it");
    assert!(wants_all("Amazon Web Services", just_before), "AWS quotes it");
    assert!(wants_all("casebridge@111122223333", settled), "now it is decided");
}

#[test]
fn news_in_a_read_of_the_recent_ones_is_followed_by_a_read_of_all_once_nothing_can_be_late() {
    let mut sides = answered();
    let mut pass = sides.observe();
    pass.see_case(&sides.policy, recent(&sides, 2), sides.now);
    assert_eq!(pass.link.memory.full_read_at, None, "nothing new");
    sides.reply("Reply 3");
    let first_seen = sides.now;
    let due = first_seen.checked_add(longest_doubt(&sides)).unwrap();
    pass.see_case(&sides.policy, recent(&sides, 2), sides.now);
    assert_eq!(pass.link.memory.full_read_at, Some(due));
    sides.reply("Reply 4");
    pass.see_case(&sides.policy, recent(&sides, 2), sides.now);
    assert_eq!(pass.link.memory.full_read_at, Some(due), "news does not put it off");
    pass.see_case(&sides.policy, recent(&sides, 0), due.checked_sub(seconds(1)).unwrap());
    assert_eq!(pass.link.memory.full_read_at, Some(due), "too early to be sure");
    pass.see_case(&sides.policy, recent(&sides, 0), due);
    assert_eq!(pass.link.memory.full_read_at, None);
}

#[test]
fn more_news_than_the_recent_ones_show_is_followed_by_another_read_of_all_once_nothing_can_be_late() {
    let mut sides = Sides::linked();
    for number in 2..RECENT_COMMUNICATIONS {
        sides.reply(&format!("Text {number}"));
    }
    let mut pass = sides.observe();
    assert_eq!(pass.link.memory.full_read_at, None, "a text that is shown late is among the recent ones then");
    sides.reply("Reply of the same minute");
    let due = sides.now.checked_add(longest_doubt(&sides)).unwrap();
    pass.see_case(&sides.policy, recent(&sides, 0), sides.now);
    assert_eq!(pass.link.memory.full_read_at, Some(due), "all were read, but AWS may hide one before the recent ones");
    let overtaken = due.checked_sub(seconds(1)).unwrap();
    pass.see_case(&sides.policy, recent(&sides, 0), overtaken);
    assert_eq!(pass.link.memory.full_read_at, Some(due), "too early to be sure");
    pass.see_case(&sides.policy, recent(&sides, 0), due);
    assert_eq!(pass.link.memory.full_read_at, None);
}

#[test]
fn intents_are_counted_one_by_one() {
    let mut sides = Sides::linked();
    sides.comment("e1", "One");
    sides.comment("e2", "Two");
    let mut pass = sides.observe();
    let before = pass.link.intents;
    for (effect, number) in sides.plan(&pass).effects.iter().zip(1..) {
        pass.begin(effect, sides.now);
        assert_eq!(
            (pass.link.intents, pass.link.intent.as_ref().unwrap().sequence),
            (before + number, before + number)
        );
    }
    pass.doubt("the connection was closed").unwrap();
    assert_eq!(pass.link.intent.unwrap().doubt, "the connection was closed");
}

/// Returns a delivery of one message and a state, and the answer to it.
fn answered_delivery(sides: &Sides, message: MessageOutcome, fields: FieldsOutcome) -> (Effect, DeliveryAnswer) {
    let pass = sides.observe();
    let case = pass.link.memory.case.as_ref().unwrap();
    let external_id = external_id(&pass.key, case, &pass.aws.shown.last().unwrap().id);
    let delivery = Delivery {
        expected_mod_count: sides.incident.summary.sys_mod_count,
        messages: vec![Message {
            external_id: external_id.clone(),
            text: "Reply".to_owned(),
            kind: MessageKind::Comment,
        }],
        fields: IncidentFields { state: IncidentState::Resolved.value().to_owned(), ..IncidentFields::default() },
        columns: sides.incident.summary.columns.clone(),
        entries_since: None,
    };
    let error = if message == MessageOutcome::Refused { "no comments".to_owned() } else { String::new() };
    let answer = DeliveryAnswer {
        messages: vec![MessageAnswer { external_id, outcome: message, error }],
        fields,
        field_error: if fields == FieldsOutcome::Refused { "no such state".to_owned() } else { String::new() },
        snapshot: sides.incident.clone(),
    };
    (Effect::Deliver(delivery), answer)
}

#[test]
fn what_a_delivery_did_not_do_is_remembered_with_the_words_of_the_side() {
    let mut sides = Sides::linked();
    sides.reply("Reply");
    let rows = [
        (MessageOutcome::Applied, FieldsOutcome::Applied, true, None),
        (MessageOutcome::AlreadyApplied, FieldsOutcome::None, true, None),
        (MessageOutcome::Applied, FieldsOutcome::Stale, false, None),
        (MessageOutcome::Applied, FieldsOutcome::Refused, false, Some("no such state")),
        (MessageOutcome::Refused, FieldsOutcome::Applied, false, Some("no comments")),
        (MessageOutcome::Refused, FieldsOutcome::Refused, false, Some("no comments")),
    ];
    for (message, fields, whole, words) in rows {
        let (effect, answer) = answered_delivery(&sides, message, fields);
        let mut pass = sides.observe();
        assert!(pass.link.memory.conversation.newest_undelivered().is_some());
        assert_eq!(
            pass.delivered(&sides.policy, delivery_of(&effect), answer, sides.now, 0),
            whole,
            "{message:?} {fields:?}"
        );
        let troubles: Vec<&str> =
            pass.link.troubles.active(sides.now).map(|trouble| trouble.message.as_str()).collect();
        assert_eq!(troubles, words.into_iter().collect::<Vec<_>>(), "{message:?} {fields:?}");
        let waits = pass.link.memory.conversation.newest_undelivered().is_some();
        assert_eq!(waits, message == MessageOutcome::Refused);
        let written = pass.link.base.state_written == Some(IncidentState::Resolved);
        assert_eq!(written, fields == FieldsOutcome::Applied);
    }
}

#[test]
fn a_refused_state_is_not_written_again_and_another_one_is() {
    let mut sides = Sides::linked();
    sides.reply("Reply");
    sides.set_status("resolved");
    let (effect, answer) = answered_delivery(&sides, MessageOutcome::Applied, FieldsOutcome::Refused);
    let mut pass = sides.observe();
    pass.delivered(&sides.policy, delivery_of(&effect), answer, sides.now, 0);
    let plan = sides.plan(&pass);
    assert!(plan.effects.iter().all(|effect| *effect == Effect::WriteColumns), "{plan:?}");
    assert!(plan.due().is_some());
    // AWS changes the status, so the incident needs a different state.
    pass.link.memory.case.as_mut().unwrap().status = Some(CaseStatus::new("work-in-progress"));
    pass.link.incident.as_mut().unwrap().state = IncidentState::New;
    let plan = sides.plan(&pass);
    let state = plan.effects.iter().find_map(|effect| match effect {
        Effect::Deliver(delivery) => Some(delivery.fields.state.clone()),
        _ => None,
    });
    assert_eq!(state.as_deref(), Some(IncidentState::InProgress.value()), "{plan:?}");
}

#[test]
fn a_write_counts_until_its_window_is_over() {
    let mut sides = Sides::linked();
    sides.policy.writes_per_window = 1;
    sides.comment("e1", "Any news?");
    let mut pass = sides.observe();
    let window = seconds(sides.policy.write_window_seconds);
    for (age, effects) in [(seconds(1), 0), (window - seconds(1), 0), (window, 1)] {
        pass.link.recent_writes = vec![sides.now.checked_sub(age).unwrap()];
        let plan = sides.plan(&pass);
        let communications = plan.effects.iter().filter(|effect| effect.name() == "add_communication").count();
        assert_eq!(communications, effects, "{age}");
    }
    pass.count_write(&sides.policy, sides.now);
    assert_eq!(pass.link.recent_writes, [sides.now], "what is over is forgotten");
}

#[test]
fn where_both_sides_agree_is_where_they_go_on_from() {
    let mut sides = Sides::linked();
    // Both sides ended without casebridge. Nothing is left to do, and nothing is written.
    sides.set_state(IncidentState::Resolved);
    sides.set_status("resolved");
    let pass = sides.observe();
    assert!(pass.link.base.ended);
    sides.link = pass.link;
    sides.settle();
    // So the reopening of the case is new. It does not count as a difference that casebridge ends by resolving the
    // case.
    sides.set_status("reopened");
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
}

#[test]
fn on_hold_is_taken_back_where_casebridge_set_it_and_left_where_an_agent_did() {
    for ours in [true, false] {
        let mut sides = Sides::linked();
        let on_hold = StatusRule { state: IncidentState::OnHold, compatible: Vec::new() };
        sides.policy.state_by_case_status.insert("pending-customer-action".to_owned(), on_hold);
        if ours {
            sides.set_status("pending-customer-action");
            assert_eq!(sides.settle(), ["deliver"]);
            assert_eq!(sides.incident.summary.state, IncidentState::OnHold);
        } else {
            sides.set_state(IncidentState::OnHold);
            sides.settle();
        }
        assert_eq!(sides.settle(), Vec::<&str>::new());
        sides.set_status("work-in-progress");
        sides.settle();
        let expected = if ours { IncidentState::InProgress } else { IncidentState::OnHold };
        assert_eq!(sides.incident.summary.state, expected, "set by casebridge: {ours}");
        sides.set_status("customer-action-completed");
        sides.settle();
        assert_eq!(sides.incident.summary.state, expected);
    }
}

#[test]
fn a_state_of_the_instances_own_is_left_alone() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Other("42".to_owned()));
    sides.settle();
    for status in ["work-in-progress", "pending-customer-action", "pending-amazon-action"] {
        sides.set_status(status);
        sides.settle();
        assert_eq!(sides.incident.summary.state, IncidentState::Other("42".to_owned()));
    }
}

#[test]
fn a_later_snapshot_that_leaves_comments_out_hides_none_of_an_earlier_one() {
    let sides = Sides::linked();
    let mut pass = sides.observe();
    let mut whole = sides.incident.clone();
    whole.summary.sys_mod_count += 1;
    let moment = |second: i64| sides.now.checked_add(SignedDuration::from_secs(second)).unwrap();
    whole.entries = vec![entry("e2", moment(2), "Two"), entry("e3", moment(3), "Three")];
    pass.see_incident(&sides.policy, whole.clone(), sides.now);
    let mut cut = whole;
    cut.summary.sys_mod_count += 1;
    cut.entries = vec![entry("e3", moment(3), "Three"), entry("e1", moment(1), "One")];
    cut.entries_complete = false;
    pass.see_incident(&sides.policy, cut, sides.now);
    let seen = pass.incident.as_ref().unwrap();
    let order: Vec<&str> = seen.entries.iter().map(|entry| entry.sys_id.as_str()).collect();
    assert_eq!(order, ["e1", "e2", "e3"]);
    assert!(pass.may_miss_comments(), "there may be newer ones than the earlier read showed");
}

/// A delivery that ends or reopens the incident got no answer.
#[test]
fn a_state_that_was_written_without_an_answer_is_recalled_by_its_intent() {
    type Change = fn(&mut Sides);
    let rows: [(&str, bool, bool, Change); 7] = [
        ("it was never written", false, true, |_| {}),
        ("a request may be at work still, or a node may lag", false, true, |sides| sides.pass_time(239)),
        ("it was never written, as every node shows", false, false, |sides| sides.pass_time(240)),
        ("it was written", true, false, |sides| sides.set_state(IncidentState::Resolved)),
        ("an agent did the same", true, false, |sides| sides.set_state(IncidentState::Closed)),
        ("an agent wrote, and it may be at work still", false, true, |sides| sides.comment("e1", "Any news?")),
        ("an agent wrote, and it can't be at work any more", false, false, |sides| {
            sides.comment("e1", "Any news?");
            sides.pass_time(120);
        }),
    ];
    for (name, recalled, still_open, change) in rows {
        let mut sides = Sides::linked();
        sides.set_status("resolved");
        let mut pass = sides.observe();
        let effect = sides.plan(&pass).effects.remove(0);
        assert!(pass.begin(&effect, sides.now), "it is recorded before the call");
        let expected_mod_count = sides.incident.summary.sys_mod_count;
        let (state, written_at) = (IncidentState::Resolved, sides.now);
        assert_eq!(pass.link.state_intent, Some(StateIntent { state, expected_mod_count, written_at }));
        let known_at = written_at.checked_add(seconds(240)).unwrap();
        let waits = plan(&sides.policy, &pass, Entropy::new([7; 16]), sides.now).waits;
        assert!(waits.contains(&Waiting::UnconfirmedState { until: known_at }), "{waits:?}");
        sides.link = pass.link;
        change(&mut sides);
        let pass = sides.observe();
        assert_eq!(pass.link.base.ended, recalled, "{name}");
        assert_eq!(pass.link.journal.ended_by_us.is_some(), recalled, "{name}");
        assert_eq!(pass.link.state_intent.is_some(), still_open, "{name}");
    }
}

/// A case that our own text reopened is shown as resolved, by a late read or because AWS resolved it again.
#[test]
fn a_reopened_case_is_resolved_again_once_the_read_shows_what_reopened_it() {
    let mut sides = Sides::commented_after_the_end();
    sides.settle();
    assert_eq!(sides.status(), "reopened");
    let mut late = recent(&sides, 0);
    late.communications.pop();
    late.status = CaseStatus::new("resolved");
    let mut pass = sides.observe();
    pass.see_case(&sides.policy, late.clone(), sides.now);
    assert!(!pass.link.memory.case.as_ref().unwrap().is_resolved(), "it may be from before");
    let after = sides.now.checked_add(longest_doubt(&sides)).unwrap();
    pass.see_case(&sides.policy, late, after);
    assert!(pass.link.memory.case.as_ref().unwrap().is_resolved(), "it lasts");
    sides.set_status("resolved");
    let mut pass = sides.observe();
    pass.see_case(&sides.policy, recent(&sides, 0), sides.now);
    assert!(pass.link.memory.case.as_ref().unwrap().is_resolved(), "the text that reopened it is there");
}

/// One answer has the status and the most recent communications, and a later one has all communications. Our text may
/// be in the later answer and not in the first.
#[test]
fn a_text_that_reopened_the_case_is_no_proof_for_a_status_that_was_read_before_it() {
    let mut sides = Sides::linked();
    for number in 0..4 {
        sides.reply(&format!("Reply {number}"));
    }
    sides.settle();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_state(IncidentState::InProgress);
    sides.comment("e1", "It is back.");
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    assert!(!sides.apply(&mut pass, &effect));
    sides.set_status("resolved");
    pass.see_case(&sides.policy, Case { communications_are_later: true, ..recent(&sides, 0) }, sides.now);
    assert!(pass.link.intent.is_none(), "the text is there");
    assert!(!pass.link.memory.case.as_ref().unwrap().is_resolved(), "the status may be from before");
    let plan = sides.plan(&pass);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::UnsettledStatus { .. })), "{plan:?}");
    assert!(plan.effects.iter().all(|effect| *effect == Effect::WriteColumns), "{plan:?}");
    pass.see_case(&sides.policy, recent(&sides, 1), sides.now);
    assert!(pass.link.memory.case.as_ref().unwrap().is_resolved(), "both are of one answer");
}

/// A person's copy of our text is never older than ours.
#[test]
fn a_mark_is_given_to_the_earliest_text_that_carries_it() {
    let mut sides = Sides::linked();
    let mark = Mark::draw(Entropy::new([7; 16]), &sides.observe().key, 7);
    let text = mark.sign("INC0010001 has a comment.");
    sides.communicate("Casebridge (Role) <aws@example.com>", &text);
    sides.communicate("Admin (Role) <person@example.com>", &text);
    let mut pass = sides.unseen();
    pass.link.memory.conversation.sending(&mark, &text, sides.now);
    pass.see_case(&sides.policy, recent(&sides, 0), sides.now);
    let (ours, copy): (CommunicationId, CommunicationId) = (pass.aws.shown[1].id.clone(), pass.aws.shown[2].id.clone());
    assert_eq!(pass.link.memory.conversation.marks[&mark].owner.as_ref().map(|owner| &owner.id), Some(&ours));
    assert_eq!(pass.link.memory.conversation.fate(&ours), Some(Fate::Ours));
    assert!(pass.unreceived_communications().iter().any(|seen| seen.id == copy));
}

#[test]
fn a_pass_that_could_not_be_recorded_leaves_only_that_it_wrote() {
    let mut sides = answered();
    let recorded = sides.observe().link;
    sides.reply("One more");
    let mut pass = sides.observe();
    assert_ne!(pass.link.memory.conversation, recorded.memory.conversation);
    pass.count_write(&sides.policy, sides.now);
    let recent_writes = pass.link.recent_writes.clone();
    let expected = Link { recent_writes, interrupted: true, ..recorded.clone() };
    assert_ne!(expected.recent_writes, recorded.recent_writes);
    assert_eq!(pass.abandoned(&recorded), expected);
}

/// A pass delivers and is interrupted. The next one asks ServiceNow what was delivered before it believes what the case
/// shows.
#[test]
fn after_an_interrupted_pass_the_case_is_not_believed_before_the_incident_was_read() {
    let mut sides = answered();
    sides.reply("My key is wJalrXUtnFEMI");
    let delivered = sides.observe().unreceived_communications()[0].id.clone();
    let case = sides.link.memory.case.clone().unwrap();
    let mut pass = sides.unseen();
    assert!(!pass.needs_incident());
    pass.link.interrupted = true;
    let known = pass.link.memory.conversation.clone();
    assert!(pass.needs_incident());
    sides.see_case(&mut pass);
    assert_eq!(pass.link.memory.conversation, known);
    assert!(pass.may_miss_communications() && pass.link.interrupted);
    let plan = sides.plan(&pass);
    assert!(plan.effects.iter().all(|effect| *effect == Effect::WriteColumns), "{plan:?}");
    assert!(pass.finish(&sides.policy, &plan, sides.now).is_some(), "it looks again");

    sides.incident.deliveries = vec![external_id(&pass.key, &case, &delivered)];
    sides.case.as_mut().unwrap().communications.last_mut().unwrap().body = "My key is ****".to_owned();
    sides.see_incident(&mut pass);
    sides.see_case(&mut pass);
    assert!(!pass.may_miss_communications() && !pass.link.interrupted);
    assert_eq!(pass.unreceived_communications()[0].id, delivered);
}

/// A rule hides the incident meanwhile. AWS may show the case differently before it is shown again.
#[test]
fn after_an_interrupted_pass_the_case_is_not_believed_while_the_incident_is_not_found() {
    let mut sides = answered();
    sides.reply("My key is wJalrXUtnFEMI");
    let delivered = sides.observe().unreceived_communications()[0].id.clone();
    let case = sides.link.memory.case.clone().unwrap();
    sides.incident.deliveries = vec![external_id(&sides.unseen().key, &case, &delivered)];
    sides.link.interrupted = true;
    sides.case.as_mut().unwrap().communications.last_mut().unwrap().body = "My key is ****".to_owned();
    let not_found = |sides: &mut Sides| {
        let mut pass = sides.unseen();
        pass.look(Look::Both, sides.now);
        assert_eq!(pass.see(&sides.policy, Seen::Incident(Ok(None)), sides.now, 0), Ok(None));
        sides.see_case(&mut pass);
        sides.record(pass);
    };
    not_found(&mut sides);
    assert!(sides.link.interrupted && sides.due.is_some());
    sides.pass_time(40 * 86_400);
    not_found(&mut sides);
    assert_eq!(sides.due, None, "people restore a record within a month");
    sides.reply("One more");
    not_found(&mut sides);
    assert!(sides.due.is_some(), "a text makes the looks frequent again");

    let mut pass = sides.observe();
    let waiting: Vec<_> = pass.unreceived_communications().iter().map(|seen| seen.id.clone()).collect();
    assert_eq!((&waiting[0], waiting.len()), (&delivered, 2));
    let plan = sides.plan(&pass);
    pass.finish(&sides.policy, &plan, sides.now);
    assert!(!pass.link.interrupted);
}

/// The poller asks for the id that was last taken in, and AWS knows a case only by its present one.
#[test]
fn after_an_interrupted_pass_the_ids_of_the_case_are_taken_in_while_the_incident_is_not_found() {
    let mut sides = answered();
    sides.link.interrupted = true;
    let mut pass = sides.unseen();
    pass.look(Look::Both, sides.now);
    assert_eq!(pass.see(&sides.policy, Seen::Incident(Ok(None)), sides.now, 0), Ok(None));
    let renamed = CaseId::new(sides::CASE_ID.replace("muen", "muja"));
    pass.see_case(&sides.policy, Case { case_id: renamed.clone(), ..recent(&sides, 0) }, sides.now);
    assert!(pass.link.interrupted);
    assert_eq!(pass.link.memory.case.unwrap().case_id, renamed);
}

#[test]
fn the_deliveries_of_another_link_or_case_say_nothing_of_this_one() {
    let mut sides = answered();
    sides.reply("One more");
    let delivered = sides.observe().unreceived_communications()[0].id.clone();
    let case = sides.link.memory.case.clone().unwrap();
    let other_link = LinkKey::support_case(IncidentId::new("another"));
    let other_case =
        LinkedCase { case_id: CaseId::new("case-111122223333-muen-2026-0000000000000001"), ..case.clone() };
    let key = sides.unseen().key;
    sides.incident.deliveries = vec![
        external_id(&other_link, &case, &delivered),
        external_id(&key, &other_case, &delivered),
        ExternalId::new("installation check"),
    ];
    let mut pass = sides.unseen();
    pass.link.interrupted = true;
    let known = pass.link.memory.conversation.clone();
    sides.see_incident(&mut pass);
    sides.case.as_mut().unwrap().communications.pop();
    sides.see_case(&mut pass);
    assert_eq!(pass.link.memory.conversation.known, known.known);
    assert!(!pass.link.interrupted);
}

/// An update count falls if a node lags or if the incident was restored from a backup.
#[test]
fn a_lower_update_count_is_believed_when_it_lasts_a_minute() {
    let mut sides = Sides::linked();
    let before = sides.incident.clone();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    let remembered = sides.link.incident.clone();
    let first_seen = sides.now;
    let restored = |sides: &mut Sides| {
        sides.incident = before.clone();
        sides.pass()
    };
    assert_eq!(restored(&mut sides), Vec::<&str>::new());
    assert_eq!(sides.link.incident, remembered, "it is not believed at once");
    let believed_at = first_seen.checked_add(SignedDuration::from_mins(1)).unwrap();
    assert!(sides.due.is_some_and(|due| due <= believed_at));
    sides.now = believed_at.checked_sub(seconds(1)).unwrap();
    assert_eq!(restored(&mut sides), Vec::<&str>::new());
    assert_eq!(sides.link.incident, remembered);
    sides.now = believed_at;
    assert_eq!(restored(&mut sides), ["add_communication"], "the incident is open, the case is not");
    assert_eq!(sides.link.incident.as_ref().unwrap().state, before.summary.state);
    assert_eq!(sides.link.lower_count, None);
}

/// ServiceNow is down for an hour. The next read of the incident waits for the trouble's time, whatever else waits for
/// the incident.
#[test]
fn what_only_a_read_decides_waits_for_the_next_try_of_that_read() {
    let mut sides = Sides::linked();
    let long_ago = sides.now - SignedDuration::from_hours(1);
    let mut pass = sides.unseen();
    pass.incident_wanted = true;
    sides.see_case(&mut pass);
    let state = IncidentState::Resolved;
    pass.link.state_intent = Some(StateIntent { state, expected_mod_count: 1, written_at: long_ago });
    pass.link.lower_count = Some(LowerCount { since: long_ago });
    for _ in 0..8 {
        pass.trouble(&sides.policy, Side::ServiceNow, &unavailable(), Request::Read, sides.now, 0);
    }
    let tried_again_at = pass.link.troubles.side_until(Side::ServiceNow);
    assert!(tried_again_at.is_some_and(|at| at > sides.now + seconds(60)));
    assert_eq!(sides.plan(&pass).due(), tried_again_at);
}

#[test]
fn a_lower_update_count_that_was_a_lagging_nodes_is_forgotten() {
    let mut sides = Sides::linked();
    let before = sides.incident.clone();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    let latest = sides.incident.clone();
    for _ in 0..3 {
        sides.incident = before.clone();
        assert_eq!(sides.pass(), Vec::<&str>::new());
        sides.pass_time(50);
        sides.incident = latest.clone();
        assert_eq!(sides.pass(), Vec::<&str>::new());
        assert_eq!(sides.link.lower_count, None);
        sides.pass_time(50);
    }
}

/// The answer to a delivery is not a late read.
#[test]
fn a_lower_update_count_in_the_answer_to_a_delivery_is_believed_at_once() {
    let mut sides = Sides::linked();
    sides.reply("Reply");
    let (effect, mut answer) = answered_delivery(&sides, MessageOutcome::Applied, FieldsOutcome::Stale);
    answer.snapshot.summary.sys_mod_count = 1;
    let mut pass = sides.observe();
    pass.delivered(&sides.policy, delivery_of(&effect), answer, sides.now, 0);
    assert_eq!(pass.summary().unwrap().sys_mod_count, 1);
}

/// Returns the size, in bytes of JSON, of a link after `rounds` rounds of a comment and a reply, a minute apart.
fn size_after(rounds: usize) -> usize {
    let mut sides = Sides::linked();
    for number in 0..rounds {
        sides.pass_time(57);
        sides.comment(&format!("{number:032}"), "Any news?");
        sides.reply("Not yet.");
        sides.settle();
    }
    assert_eq!(sides.bodies().len(), 2 * rounds + 1, "each comment went out once");
    assert_eq!(sides.incident.entries.len(), 2 * rounds, "each reply arrived once");
    serde_json::to_string(&sides.link).unwrap().len()
}

#[test]
fn a_thousand_messages_are_remembered_in_as_little_as_a_hundred() {
    let bound = 10_500;
    let (few, many) = (size_after(50), size_after(500));
    assert!(few > bound / 2 && few < bound, "{few} bytes");
    assert!(many < bound, "{many} bytes");
}

/// A later read does not show a reply that waits for its delivery.
#[test]
fn a_reply_that_a_late_read_hides_is_looked_for_again() {
    let mut sides = Sides::linked();
    sides.reply("Reply 3");
    let mut pass = sides.observe();
    let mut late = sides::as_case(sides.case.as_ref().unwrap());
    late.communications.pop();
    pass.see_case(&sides.policy, late, sides.now);
    let until = sides.now.checked_add(longest_doubt(&sides)).unwrap();
    assert_eq!(pass.link.memory.full_read_at, Some(until));
    sides.record(pass);
    assert_eq!(sides.due, Some(until));
    sides.now = until;
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.due, None);
}

#[test]
fn a_read_that_shows_the_last_text_a_second_earlier_is_no_older_one() {
    let mut sides = Sides::linked();
    sides.pass_time(10);
    sides.reply("Reply 3");
    sides.settle();
    for (earlier, is_older) in [(0, false), (1, false), (2, true)] {
        let mut shown = recent(&sides, 0);
        let last = shown.communications.last_mut().unwrap();
        last.time_created = last.time_created.checked_sub(seconds(earlier)).unwrap();
        let mut pass = sides.unseen();
        pass.see_case(&sides.policy, shown, sides.now);
        assert_eq!(pass.link.memory.full_read_at.is_some(), is_older, "{earlier}");
    }
}

#[test]
fn of_very_many_communications_those_that_are_not_taken_in_yet_are_not_settled() {
    let mut sides = Sides::linked();
    for number in 0..MAXIMUM_KNOWN_COMMUNICATIONS + 100 {
        sides.pass_time(60);
        sides.reply(&format!("Text {number}"));
    }
    let mut pass = sides.observe();
    let taken_in: Vec<CommunicationId> = pass.aws.shown.iter().map(|seen| seen.id.clone()).collect();
    assert_eq!(taken_in.len(), MAXIMUM_KNOWN_COMMUNICATIONS);
    for id in &taken_in {
        pass.link.memory.conversation.delivered(id);
    }
    pass.finish(&sides.policy, &Plan::default(), sides.now);
    let last = pass.aws.shown.last().unwrap().raw.time_created;
    assert_eq!(pass.link.memory.conversation.settled_before, Some(last));
}

/// The answer to a delivery shows only the comments of the last minutes, however long the conversation is.
#[test]
fn a_reply_in_a_conversation_of_three_hundred_pairs_is_answered_shortly() {
    let mut sides = Sides::linked();
    let mut largest = 0;
    for number in 0..300 {
        sides.pass_time(20);
        sides.comment(&format!("e{number:032}"), "Any news? It still does not answer, whatever we try.");
        sides.settle();
        sides.reply("We are looking into it and come back to you as soon as we know more.");
        sides.settle();
        largest = largest.max(sides.last_answer_bytes);
    }
    assert!((1..6_000).contains(&largest), "{largest} bytes");
    assert_eq!(sides.bodies().len(), 601);
}

#[test]
fn an_answer_says_nothing_of_a_message_that_was_not_sent() {
    let mut sides = Sides::linked();
    sides.reply("Reply");
    let (effect, answer) = answered_delivery(&sides, MessageOutcome::Applied, FieldsOutcome::Applied);
    let without_message = Delivery { messages: Vec::new(), ..delivery_of(&effect).clone() };
    let mut pass = sides.observe();
    pass.delivered(&sides.policy, &without_message, answer, sides.now, 0);
    assert!(pass.link.memory.conversation.newest_undelivered().is_some());
}

#[test]
fn an_answer_of_servicenow_disproves_what_delayed_all_requests_to_it() {
    let mut sides = Sides::linked();
    sides.reply("Reply");
    for (failure, ends) in
        [(unavailable(), true), (refusal(Refusal::Credentials), true), (refusal(Refusal::InvalidRequest), false)]
    {
        let (effect, answer) = answered_delivery(&sides, MessageOutcome::Applied, FieldsOutcome::Stale);
        let mut pass = sides.observe();
        pass.trouble(&sides.policy, Side::ServiceNow, &failure, Request::Columns, sides.now, 0);
        pass.delivered(&sides.policy, delivery_of(&effect), answer, sides.now, 0);
        assert_eq!(pass.link.troubles.is_empty(), ends, "{failure:?}");
    }
}

#[test]
fn a_resolution_that_an_agent_was_first_with_is_none_of_casebridges() {
    let mut sides = Sides::linked();
    sides.reply("Reply");
    sides.set_state(IncidentState::Resolved);
    let (effect, answer) = answered_delivery(&sides, MessageOutcome::Applied, FieldsOutcome::Applied);
    let mut pass = sides.observe();
    pass.delivered(&sides.policy, delivery_of(&effect), answer, sides.now, 0);
    assert_eq!(pass.link.journal.ended_by_us, None);
}

#[test]
fn a_message_that_is_refused_again_after_a_wait_is_left_out_and_waits_if_even_that_is_refused() {
    let mut sides = Sides::linked();
    sides.reply("Reply");
    let mut pass = sides.observe();
    for (is_left_out, waits) in [(false, true), (true, false), (false, true)] {
        let (effect, answer) = answered_delivery(&sides, MessageOutcome::Refused, FieldsOutcome::None);
        pass.delivered(&sides.policy, delivery_of(&effect), answer, sides.now, 0);
        assert_eq!(pass.link.memory.refused_message.as_ref().map(|refused| refused.is_left_out), Some(is_left_out));
        assert_eq!(!std::mem::take(&mut pass.link.troubles).is_empty(), waits);
    }
}

#[test]
fn a_message_that_was_left_out_is_told_once_its_placeholder_is_there() {
    let mut sides = Sides::linked();
    sides.reply("Reply");
    for is_left_out in [true, false] {
        let mut pass = sides.observe();
        let (id, reason) = (pass.aws.shown.last().unwrap().id.clone(), "no comments".to_owned());
        let told = Notice::MessageRefused { id: id.to_string(), reason: reason.clone() };
        pass.link.memory.refused_message = Some(RefusedMessage { id, is_left_out, reason });
        let (effect, answer) = answered_delivery(&sides, MessageOutcome::Applied, FieldsOutcome::None);
        pass.delivered(&sides.policy, delivery_of(&effect), answer, sides.now, 0);
        assert_eq!(pass.link.memory.refused_message, None);
        assert_eq!(pass.link.notices, Vec::from_iter(is_left_out.then_some(told)));
    }
}

/// A delivery that ends the incident got no answer, and the case was reopened since.
#[test]
fn an_end_without_an_answer_is_agreed_on_unless_a_text_of_ours_has_reopened_the_case() {
    for (status, by_us, is_agreed) in
        [("resolved", false, true), ("resolved", true, true), ("reopened", false, true), ("reopened", true, false)]
    {
        let mut sides = Sides::linked();
        let (state, written_at) = (IncidentState::Resolved, sides.now);
        let expected_mod_count = sides.incident.summary.sys_mod_count;
        sides.link.state_intent = Some(StateIntent { state, expected_mod_count, written_at });
        let mark = sides.link.memory.conversation.marks.keys().next().cloned();
        let case = sides.link.memory.case.as_mut().unwrap();
        case.status = Some(CaseStatus::new(status));
        case.reopened_by = mark.filter(|_| by_us);
        sides.set_state(IncidentState::Resolved);
        let mut pass = sides.unseen();
        sides.see_incident(&mut pass);
        assert_eq!(pass.link.base.ended, is_agreed, "{status}, by us: {by_us}");
    }
}

#[test]
fn an_end_from_before_a_reopening_in_doubt_says_nothing_of_the_reopening() {
    let mut sides = Sides::linked();
    sides.audit_trail = true;
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    let (state, written_at) = (IncidentState::InProgress, sides.now);
    let expected_mod_count = sides.incident.summary.ended_mod_count.unwrap();
    assert!(sides.incident.summary.sys_mod_count > expected_mod_count, "the incident was updated since");
    sides.link.state_intent = Some(StateIntent { state, expected_mod_count, written_at });
    assert!(sides.observe().link.state_intent.is_some(), "it may be at work still");
}

#[test]
fn what_a_link_has_none_of_takes_no_room_in_the_ledger() {
    let link = serde_json::to_value(Link::default()).unwrap();
    let names = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert!(!names(&link).contains(&"never_applied".to_owned()), "{link}");
    assert!(!names(&link["memory"]).contains(&"notes_made".to_owned()), "{link}");
    assert_eq!(serde_json::to_string(&Opening::default()).unwrap(), "{}");
}

#[test]
fn the_next_link_in_line_goes_on_when_this_one_leaves_the_line() {
    let waiting = |account: &str| {
        let (account, priority) = (AccountId::new(account), "3".to_owned());
        Memory { waits_for_quota: Some(QuotaWait { account, priority, since: sides::start() }), ..Memory::default() }
    };
    let line = index::waiting(&AccountId::new(sides::ACCOUNT));
    for (before, after, next) in [
        (waiting(sides::ACCOUNT), Memory::default(), Some(&line)),
        (waiting(sides::ACCOUNT), waiting("444455556666"), Some(&line)),
        (waiting(sides::ACCOUNT), waiting(sides::ACCOUNT), None),
        (Memory::default(), waiting(sides::ACCOUNT), None),
    ] {
        assert_eq!(SupportCase::next_waiting(&before, &after).as_ref(), next, "{before:?} {after:?}");
    }
}

/// The ledger finds a link by the account of its call, and a trouble ends by the refusal that the call disproves.
#[test]
fn a_call_in_doubt_tells_its_account_and_the_refusals_that_it_concerns() {
    let account = AccountId::new(sides::ACCOUNT);
    let opening = IntentKind::OpenCase { account: account.clone(), covers: Vec::new(), remainder: None };
    let resolving = IntentKind::ResolveCase { status_before: None, double: None };
    assert_eq!(SupportCase::opening_account(&opening), Some(&account));
    assert_eq!(SupportCase::opening_account(&resolving), None);
    assert!(SupportCase::concerns(&RefusedCall::ResolveCase, &resolving));
    assert!(!SupportCase::concerns(&RefusedCall::AddCommunication, &resolving));
}
