//! What a link remembers of what a pass sees and does.

use casebridge_core::{
    identifiers::{CaseId, CommunicationId, ExternalId, IncidentId, LinkKey},
    link::{
        LowerCount, StateIntent,
        mark::{Entropy, Mark},
        plan::Waiting,
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
        Effect, Intent, Link, Pass,
        call::{Content, IntentKind, Part},
        case::{Case, CaseStatus},
        conversation::Fate,
        memory::LinkedCase,
        message::external_id,
    },
    time::seconds,
};
use jiff::{SignedDuration, Timestamp};

use crate::world::{self, World, delivery_of, entry, plan, unavailable};

/// The case as a read shows it that leaves out its first `hidden` communications.
fn recent(world: &World, hidden: usize) -> Case {
    let mut case = world::as_case(world.case.as_ref().unwrap());
    case.communications.drain(..hidden);
    case.communications_complete = hidden == 0;
    case
}

/// A world with four replies, all of which have arrived.
fn answered() -> World {
    let mut world = World::linked();
    for number in 0..4 {
        world.reply(&format!("Reply {number}"));
    }
    world.settle();
    world
}

fn longest_doubt(world: &World) -> SignedDuration {
    world.policy.unknown_outcome()
}

#[test]
fn all_communications_are_read_where_the_recent_ones_do_not_join_on_to_what_is_known() {
    let world = answered();
    let case = recent(&world, 2);
    let wants_all = |change: &dyn Fn(&mut Pass)| {
        let mut observation = world.observe();
        change(&mut observation);
        observation.needs_all_communications(&world.policy, &case, world.now)
    };
    assert!(!wants_all(&|_| {}), "the oldest one shown is known");
    let oldest = case.communications[0].time_created.as_second();
    assert!(wants_all(&|observation| {
        observation.link.memory.conversation.known.remove(&oldest);
    }));
    assert!(wants_all(&|observation| {
        let hidden = observation.link.memory.conversation.known.values_mut().next().unwrap();
        hidden[0].fate = Fate::Pending;
    }));
    assert!(wants_all(&|observation| observation.link.memory.full_read_at = Some(world.now)));
    let later = world.now.checked_add(seconds(1)).unwrap();
    assert!(!wants_all(&|observation| observation.link.memory.full_read_at = Some(later)));
    assert!(wants_all(&|observation| {
        let kind = IntentKind::AddCommunication { content: Content::ReopenNotice, part: Part::whole(0) };
        let mark = Some(Mark::draw(Entropy::new([7; 16]), &observation.key, 9));
        observation.link.intent = Some(Intent::new(9, mark, kind, world.now));
    }));
    let mut observation = world.observe();
    observation.link.memory.conversation.known.clear();
    assert!(
        !observation.needs_all_communications(&world.policy, &recent(&world, 0), world.now),
        "this is all there is"
    );
}

#[test]
fn a_text_in_doubt_is_looked_for_until_one_shows_that_may_be_it_and_after_l_in_any_case() {
    let world = answered();
    let mut observation = world.observe();
    let mark = Mark::draw(Entropy::new([7; 16]), &observation.key, 9);
    let kind = IntentKind::AddCommunication { content: Content::ReopenNotice, part: Part::whole(0) };
    observation.link.intent = Some(Intent::new(9, Some(mark.clone()), kind, world.now));
    let wants_all = |author: &str, now: Timestamp| {
        let mut case = recent(&world, 2);
        let newest = case.communications.last_mut().unwrap();
        newest.submitted_by = author.to_owned();
        newest.body = format!("abel.tuter wrote [ref {mark}]");
        observation.needs_all_communications(&world.policy, &case, now)
    };
    let settled = world.now.checked_add(longest_doubt(&world)).unwrap();
    let just_before = settled.checked_sub(seconds(1)).unwrap();
    assert!(!wants_all("casebridge@111122223333", just_before), "this may be it");
    assert!(wants_all("Amazon Web Services", just_before), "AWS quotes it");
    assert!(wants_all("casebridge@111122223333", settled), "now it is decided");
}

#[test]
fn news_in_a_read_of_the_recent_ones_is_followed_by_a_read_of_all_once_nothing_can_be_late() {
    let mut world = answered();
    let mut observation = world.observe();
    observation.see_case(&world.policy, recent(&world, 2), world.now);
    assert_eq!(observation.link.memory.full_read_at, None, "nothing new");
    world.reply("Reply 4");
    let first_seen = world.now;
    let due = first_seen.checked_add(longest_doubt(&world)).unwrap();
    observation.see_case(&world.policy, recent(&world, 2), world.now);
    assert_eq!(observation.link.memory.full_read_at, Some(due));
    world.reply("Reply 5");
    observation.see_case(&world.policy, recent(&world, 2), world.now);
    assert_eq!(observation.link.memory.full_read_at, Some(due), "news does not put it off");
    observation.see_case(&world.policy, recent(&world, 0), due.checked_sub(seconds(1)).unwrap());
    assert_eq!(observation.link.memory.full_read_at, Some(due), "too early to be sure");
    observation.see_case(&world.policy, recent(&world, 0), due);
    assert_eq!(observation.link.memory.full_read_at, None);
}

#[test]
fn intents_are_counted_one_by_one() {
    let mut world = World::linked();
    world.comment("e1", "One");
    world.comment("e2", "Two");
    let mut observation = world.observe();
    let before = observation.link.intents;
    for (effect, number) in world.plan(&observation).effects.iter().zip(1..) {
        observation.begin(effect, world.now);
        assert_eq!(
            (observation.link.intents, observation.link.intent.as_ref().unwrap().sequence),
            (before + number, before + number)
        );
    }
    observation.doubt("the connection was closed").unwrap();
    assert_eq!(observation.link.intent.unwrap().doubt, "the connection was closed");
}

/// A delivery of one message and a state, and the answer to it.
fn answered_delivery(world: &World, message: MessageOutcome, fields: FieldsOutcome) -> (Effect, DeliveryAnswer) {
    let observation = world.observe();
    let case = observation.link.memory.case.as_ref().unwrap();
    let external_id = external_id(&observation.key, case, &observation.aws.shown.last().unwrap().id);
    let delivery = Delivery {
        expected_mod_count: world.incident.summary.sys_mod_count,
        messages: vec![Message {
            external_id: external_id.clone(),
            text: "Reply".to_owned(),
            kind: MessageKind::Comment,
        }],
        fields: IncidentFields { state: IncidentState::Resolved.value().to_owned(), ..IncidentFields::default() },
        columns: world.incident.summary.columns.clone(),
        entries_since: None,
    };
    let error = if message == MessageOutcome::Refused { "no comments".to_owned() } else { String::new() };
    let answer = DeliveryAnswer {
        messages: vec![MessageAnswer { external_id, outcome: message, error }],
        fields,
        field_error: if fields == FieldsOutcome::Refused { "no such state".to_owned() } else { String::new() },
        snapshot: world.incident.clone(),
    };
    (Effect::Deliver(delivery), answer)
}

#[test]
fn what_a_delivery_did_not_do_is_remembered_with_the_words_of_the_side() {
    let mut world = World::linked();
    world.reply("Reply");
    let rows = [
        (MessageOutcome::Applied, FieldsOutcome::Applied, true, None),
        (MessageOutcome::AlreadyApplied, FieldsOutcome::None, true, None),
        (MessageOutcome::Applied, FieldsOutcome::Stale, false, None),
        (MessageOutcome::Applied, FieldsOutcome::Refused, false, Some("no such state")),
        (MessageOutcome::Refused, FieldsOutcome::Applied, false, Some("no comments")),
        (MessageOutcome::Refused, FieldsOutcome::Refused, false, Some("no comments")),
    ];
    for (message, fields, whole, words) in rows {
        let (effect, answer) = answered_delivery(&world, message, fields);
        let mut observation = world.observe();
        assert!(observation.link.memory.conversation.has_open());
        assert_eq!(
            observation.delivered(&world.policy, delivery_of(&effect), answer, world.now, 0),
            whole,
            "{message:?} {fields:?}"
        );
        let troubles: Vec<&str> =
            observation.link.troubles.active(world.now).map(|trouble| trouble.message.as_str()).collect();
        assert_eq!(troubles, words.into_iter().collect::<Vec<_>>(), "{message:?} {fields:?}");
        assert_eq!(observation.link.memory.conversation.has_open(), message == MessageOutcome::Refused);
        let written = observation.link.base.state_written == Some(IncidentState::Resolved);
        assert_eq!(written, fields == FieldsOutcome::Applied);
    }
}

#[test]
fn a_refused_state_is_not_written_again_and_another_one_is() {
    let mut world = World::linked();
    world.reply("Reply");
    world.set_status("resolved");
    let (effect, answer) = answered_delivery(&world, MessageOutcome::Applied, FieldsOutcome::Refused);
    let mut observation = world.observe();
    observation.delivered(&world.policy, delivery_of(&effect), answer, world.now, 0);
    let plan = world.plan(&observation);
    assert!(plan.effects.iter().all(|effect| *effect == Effect::Report), "{plan:?}");
    assert!(plan.due().is_some());
    // AWS goes on: what the incident needs now is another state.
    observation.link.memory.case.as_mut().unwrap().status = Some(CaseStatus::new("work-in-progress"));
    observation.link.incident.as_mut().unwrap().state = IncidentState::New;
    let plan = world.plan(&observation);
    let state = plan.effects.iter().find_map(|effect| match effect {
        Effect::Deliver(delivery) => Some(delivery.fields.state.clone()),
        _ => None,
    });
    assert_eq!(state.as_deref(), Some(IncidentState::InProgress.value()), "{plan:?}");
}

#[test]
fn a_write_counts_until_its_window_is_over() {
    let mut world = World::linked();
    world.policy.writes_per_window = 1;
    world.comment("e1", "Any news?");
    let mut observation = world.observe();
    let window = seconds(world.policy.write_window_seconds);
    for (age, effects) in [(seconds(1), 0), (window - seconds(1), 0), (window, 1)] {
        observation.link.recent_writes = vec![world.now.checked_sub(age).unwrap()];
        let plan = world.plan(&observation);
        let communications = plan.effects.iter().filter(|effect| effect.name() == "add_communication").count();
        assert_eq!(communications, effects, "{age}");
    }
    observation.count_write(&world.policy, world.now);
    assert_eq!(observation.link.recent_writes, [world.now], "what is over is forgotten");
}

#[test]
fn where_both_sides_agree_is_where_they_go_on_from() {
    let mut world = World::linked();
    // Both ended by themselves; nothing is to be done, and nothing is written.
    world.set_state(IncidentState::Resolved);
    world.set_status("resolved");
    let observation = world.observe();
    assert!(observation.link.base.ended);
    world.link = observation.link;
    world.settle();
    // So that AWS goes on is news, not what the incident's end has to undo.
    world.set_status("reopened");
    assert_eq!(world.settle(), ["deliver"]);
    assert_eq!(world.incident.summary.state, IncidentState::InProgress);
}

#[test]
fn on_hold_is_taken_back_where_casebridge_set_it_and_left_where_an_agent_did() {
    for ours in [true, false] {
        let mut world = World::linked();
        let on_hold = StatusRule { state: IncidentState::OnHold, compatible: Vec::new() };
        world.policy.state_by_case_status.insert("pending-customer-action".to_owned(), on_hold);
        if ours {
            world.set_status("pending-customer-action");
            assert_eq!(world.settle(), ["deliver"]);
            assert_eq!(world.incident.summary.state, IncidentState::OnHold);
        } else {
            world.set_state(IncidentState::OnHold);
            world.settle();
        }
        assert_eq!(world.settle(), Vec::<&str>::new());
        world.set_status("work-in-progress");
        world.settle();
        let expected = if ours { IncidentState::InProgress } else { IncidentState::OnHold };
        assert_eq!(world.incident.summary.state, expected, "set by casebridge: {ours}");
        world.set_status("customer-action-completed");
        world.settle();
        assert_eq!(world.incident.summary.state, expected);
    }
}

#[test]
fn a_state_of_the_instances_own_is_left_alone() {
    let mut world = World::linked();
    world.set_state(IncidentState::Other("42".to_owned()));
    world.settle();
    for status in ["work-in-progress", "pending-customer-action", "pending-amazon-action"] {
        world.set_status(status);
        world.settle();
        assert_eq!(world.incident.summary.state, IncidentState::Other("42".to_owned()));
    }
}

#[test]
fn a_later_snapshot_that_leaves_comments_out_hides_none_of_an_earlier_one() {
    let world = World::linked();
    let mut observation = world.observe();
    let mut whole = world.incident.clone();
    whole.summary.sys_mod_count += 1;
    let moment = |second: i64| world.now.checked_add(SignedDuration::from_secs(second)).unwrap();
    whole.entries = vec![entry("e2", moment(2), "Two"), entry("e3", moment(3), "Three")];
    observation.see_incident(&world.policy, whole.clone(), world.now);
    let mut cut = whole;
    cut.summary.sys_mod_count += 1;
    cut.entries = vec![entry("e3", moment(3), "Three"), entry("e1", moment(1), "One")];
    cut.entries_complete = false;
    observation.see_incident(&world.policy, cut, world.now);
    let seen = observation.incident.as_ref().unwrap();
    let order: Vec<&str> = seen.entries.iter().map(|entry| entry.sys_id.as_str()).collect();
    assert_eq!(order, ["e1", "e2", "e3"]);
    assert!(observation.is_blind_to_incident(), "there may be newer ones than the earlier read showed");
}

/// A delivery that ends or reopens the incident, of which nobody learnt how it went.
#[test]
fn a_state_that_was_written_without_an_answer_is_recalled_by_its_intent() {
    type Change = fn(&mut World);
    let rows: [(&str, bool, bool, Change); 7] = [
        ("it was never written", false, true, |_| {}),
        ("a request may be at work still, or a node may lag", false, true, |world| world.pass_time(239)),
        ("it was never written, as every node shows", false, false, |world| world.pass_time(240)),
        ("it was written", true, false, |world| world.set_state(IncidentState::Resolved)),
        ("an agent did the same", true, false, |world| world.set_state(IncidentState::Closed)),
        ("an agent wrote, and it may be at work still", false, true, |world| world.comment("e1", "Any news?")),
        ("an agent wrote, and it can't be at work any more", false, false, |world| {
            world.comment("e1", "Any news?");
            world.pass_time(120);
        }),
    ];
    for (name, recalled, still_open, change) in rows {
        let mut world = World::linked();
        world.set_status("resolved");
        let mut observation = world.observe();
        let effect = world.plan(&observation).effects.remove(0);
        assert!(observation.begin(&effect, world.now), "it is recorded before the call");
        let expected_mod_count = world.incident.summary.sys_mod_count;
        let (state, written_at) = (IncidentState::Resolved, world.now);
        assert_eq!(observation.link.state_intent, Some(StateIntent { state, expected_mod_count, written_at }));
        let known_at = written_at.checked_add(seconds(240)).unwrap();
        let waits = plan(&world.policy, &observation, Entropy::new([7; 16]), world.now).waits;
        assert!(waits.contains(&Waiting::UnconfirmedState { until: known_at }), "{waits:?}");
        world.link = observation.link;
        change(&mut world);
        let observation = world.observe();
        assert_eq!(observation.link.base.ended, recalled, "{name}");
        assert_eq!(observation.link.journal.ended_by_us.is_some(), recalled, "{name}");
        assert_eq!(observation.link.state_intent.is_some(), still_open, "{name}");
    }
}

/// A case that our own text reopened shows as resolved: by a late read, or because AWS resolved it again.
#[test]
fn a_reopened_case_is_resolved_again_once_the_read_shows_what_reopened_it() {
    let mut world = World::commented_after_the_end();
    world.settle();
    assert_eq!(world.status(), "reopened");
    let mut late = recent(&world, 0);
    late.communications.pop();
    late.status = CaseStatus::new("resolved");
    let mut observation = world.observe();
    observation.see_case(&world.policy, late.clone(), world.now);
    assert!(!observation.link.memory.case.as_ref().unwrap().is_resolved(), "it may be from before");
    let after = world.now.checked_add(longest_doubt(&world)).unwrap();
    observation.see_case(&world.policy, late, after);
    assert!(observation.link.memory.case.as_ref().unwrap().is_resolved(), "it lasts");
    world.set_status("resolved");
    let mut observation = world.observe();
    observation.see_case(&world.policy, recent(&world, 0), world.now);
    assert!(observation.link.memory.case.as_ref().unwrap().is_resolved(), "the text that reopened it is there");
}

/// The status comes with the most recent communications, and all of them are read after that: our text may be in the second
/// answer and not yet in the first.
#[test]
fn a_text_that_reopened_the_case_is_no_proof_for_a_status_that_was_read_before_it() {
    let mut world = World::linked();
    for number in 0..4 {
        world.reply(&format!("Reply {number}"));
    }
    world.settle();
    world.set_state(IncidentState::Resolved);
    world.settle();
    world.set_state(IncidentState::InProgress);
    world.comment("e1", "It is back.");
    let mut observation = world.observe();
    let effect = world.plan(&observation).effects.remove(0);
    assert!(!world.apply(&mut observation, &effect));
    world.set_status("resolved");
    observation.see_case(&world.policy, Case { communications_are_later: true, ..recent(&world, 0) }, world.now);
    assert!(observation.link.intent.is_none(), "the text is there");
    assert!(!observation.link.memory.case.as_ref().unwrap().is_resolved(), "the status may be from before");
    let plan = world.plan(&observation);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::UnsettledStatus { .. })), "{plan:?}");
    assert!(plan.effects.iter().all(|effect| *effect == Effect::Report), "{plan:?}");
    observation.see_case(&world.policy, recent(&world, 1), world.now);
    assert!(observation.link.memory.case.as_ref().unwrap().is_resolved(), "both are of one answer");
}

/// A person's copy of our text is never older than ours.
#[test]
fn a_mark_is_given_to_the_earliest_text_that_carries_it() {
    let mut world = World::linked();
    let mark = Mark::draw(Entropy::new([7; 16]), &world.observe().key, 7);
    let text = mark.sign("INC0010001 has a comment.");
    world.communicate("Casebridge (Role) <aws@example.com>", &text);
    world.communicate("Admin (Role) <person@example.com>", &text);
    let mut observation = world.unseen();
    observation.link.memory.conversation.sending(&mark, &text, world.now);
    observation.see_case(&world.policy, recent(&world, 0), world.now);
    let (ours, copy): (CommunicationId, CommunicationId) =
        (observation.aws.shown[1].id.clone(), observation.aws.shown[2].id.clone());
    assert_eq!(observation.link.memory.conversation.marks[&mark].owner.as_ref().map(|owner| &owner.id), Some(&ours));
    assert_eq!(observation.link.memory.conversation.fate(&ours), Some(Fate::Ours));
    assert!(observation.unreceived_communications().iter().any(|seen| seen.id == copy));
}

#[test]
fn a_pass_that_could_not_be_recorded_leaves_only_that_it_wrote() {
    let mut world = answered();
    let recorded = world.observe().link;
    world.reply("One more");
    let mut observation = world.observe();
    assert_ne!(observation.link.memory.conversation, recorded.memory.conversation);
    observation.count_write(&world.policy, world.now);
    let recent_writes = observation.link.recent_writes.clone();
    let expected = Link { recent_writes, interrupted: true, ..recorded.clone() };
    assert_ne!(expected.recent_writes, recorded.recent_writes);
    assert_eq!(observation.abandoned(&recorded), expected);
}

/// A pass delivers and dies. The next one asks ServiceNow what was delivered before it believes what the case shows.
#[test]
fn after_an_interrupted_pass_the_case_is_not_believed_before_the_incident_was_read() {
    let mut world = answered();
    world.reply("My key is wJalrXUtnFEMI");
    let delivered = world.observe().unreceived_communications()[0].id.clone();
    let case = world.link.memory.case.clone().unwrap();
    let mut observation = world.unseen();
    assert!(!observation.needs_incident());
    observation.link.interrupted = true;
    let known = observation.link.memory.conversation.clone();
    assert!(observation.needs_incident());
    world.see_case(&mut observation);
    assert_eq!(observation.link.memory.conversation, known);
    assert!(observation.is_blind_to_case() && observation.link.interrupted);
    let plan = world.plan(&observation);
    assert!(plan.effects.iter().all(|effect| *effect == Effect::Report), "{plan:?}");
    assert!(observation.finish(&world.policy, &plan, world.now).is_some(), "it looks again");

    world.incident.deliveries = vec![external_id(&observation.key, &case, &delivered)];
    world.case.as_mut().unwrap().communications.last_mut().unwrap().body = "My key is ****".to_owned();
    world.see_incident(&mut observation);
    world.see_case(&mut observation);
    assert!(!observation.is_blind_to_case() && !observation.link.interrupted);
    assert_eq!(observation.unreceived_communications()[0].id, delivered);
}

#[test]
fn the_deliveries_of_another_link_or_case_say_nothing_of_this_one() {
    let mut world = answered();
    world.reply("One more");
    let delivered = world.observe().unreceived_communications()[0].id.clone();
    let case = world.link.memory.case.clone().unwrap();
    let other_link = LinkKey::support_case(IncidentId::new("another"));
    let other_case =
        LinkedCase { case_id: CaseId::new("case-111122223333-muen-2026-0000000000000001"), ..case.clone() };
    let key = world.unseen().key;
    world.incident.deliveries = vec![
        external_id(&other_link, &case, &delivered),
        external_id(&key, &other_case, &delivered),
        ExternalId::new("installation check"),
    ];
    let mut observation = world.unseen();
    observation.link.interrupted = true;
    let known = observation.link.memory.conversation.clone();
    world.see_incident(&mut observation);
    world.case.as_mut().unwrap().communications.pop();
    world.see_case(&mut observation);
    assert_eq!(observation.link.memory.conversation.known, known.known);
    assert!(!observation.link.interrupted);
}

/// An update count that falls is a lagging node's, or that of an incident that was restored from a backup.
#[test]
fn a_lower_update_count_is_believed_when_it_lasts_a_minute() {
    let mut world = World::linked();
    let before = world.incident.clone();
    world.set_state(IncidentState::Resolved);
    world.settle();
    let remembered = world.link.incident.clone();
    let first_seen = world.now;
    let restored = |world: &mut World| {
        world.incident = before.clone();
        world.pass()
    };
    assert_eq!(restored(&mut world), Vec::<&str>::new());
    assert_eq!(world.link.incident, remembered, "it is not believed at once");
    let believed_at = first_seen.checked_add(SignedDuration::from_mins(1)).unwrap();
    assert!(world.due.is_some_and(|due| due <= believed_at));
    world.now = believed_at.checked_sub(seconds(1)).unwrap();
    assert_eq!(restored(&mut world), Vec::<&str>::new());
    assert_eq!(world.link.incident, remembered);
    world.now = believed_at;
    assert_eq!(restored(&mut world), ["add_communication"], "the incident is open, the case is not");
    assert_eq!(world.link.incident.as_ref().unwrap().state, before.summary.state);
    assert_eq!(world.link.lower_count, None);
}

/// A node that is down for an hour is asked as often as its own waits say, whatever waits for what it shows.
#[test]
fn what_only_a_read_decides_waits_for_the_next_try_of_that_read() {
    let mut world = World::linked();
    let long_ago = world.now - SignedDuration::from_hours(1);
    let mut observation = world.unseen();
    observation.incident_wanted = true;
    world.see_case(&mut observation);
    let state = IncidentState::Resolved;
    observation.link.state_intent = Some(StateIntent { state, expected_mod_count: 1, written_at: long_ago });
    observation.link.lower_count = Some(LowerCount { since: long_ago });
    for _ in 0..8 {
        observation.trouble(&world.policy, Side::ServiceNow, &unavailable(), Request::Read, world.now, 0);
    }
    let tried_again_at = observation.link.troubles.side_until(Side::ServiceNow);
    assert!(tried_again_at.is_some_and(|at| at > world.now + seconds(60)));
    assert_eq!(world.plan(&observation).due(), tried_again_at);
}

#[test]
fn a_lower_update_count_that_was_a_lagging_nodes_is_forgotten() {
    let mut world = World::linked();
    let before = world.incident.clone();
    world.set_state(IncidentState::Resolved);
    world.settle();
    let latest = world.incident.clone();
    for _ in 0..3 {
        world.incident = before.clone();
        assert_eq!(world.pass(), Vec::<&str>::new());
        world.pass_time(50);
        world.incident = latest.clone();
        assert_eq!(world.pass(), Vec::<&str>::new());
        assert_eq!(world.link.lower_count, None);
        world.pass_time(50);
    }
}

/// The answer to a delivery is no late one.
#[test]
fn a_lower_update_count_in_the_answer_to_a_delivery_is_believed_at_once() {
    let mut world = World::linked();
    world.reply("Reply");
    let (effect, mut answer) = answered_delivery(&world, MessageOutcome::Applied, FieldsOutcome::Stale);
    answer.snapshot.summary.sys_mod_count = 1;
    let mut observation = world.observe();
    observation.delivered(&world.policy, delivery_of(&effect), answer, world.now, 0);
    assert_eq!(observation.summary().unwrap().sys_mod_count, 1);
}

/// How many bytes of JSON a link takes after so many rounds of a comment and a reply, a minute apart.
fn size_after(rounds: usize) -> usize {
    let mut world = World::linked();
    for number in 0..rounds {
        world.pass_time(57);
        world.comment(&format!("{number:032}"), "Any news?");
        world.reply("Not yet.");
        world.settle();
    }
    assert_eq!(world.bodies().len(), 2 * rounds + 1, "each comment went out once");
    assert_eq!(world.incident.entries.len(), 2 * rounds, "each reply arrived once");
    serde_json::to_string(&world.link).unwrap().len()
}

#[test]
fn a_thousand_messages_are_remembered_in_as_little_as_a_hundred() {
    let bound = 10_000;
    let (few, many) = (size_after(50), size_after(500));
    assert!(few > bound / 2 && few < bound, "{few} bytes");
    assert!(many < bound, "{many} bytes");
}

/// A later read that does not show a reply that waits.
#[test]
fn a_reply_that_a_late_read_hides_is_looked_for_again() {
    let mut world = answered();
    world.reply("Reply 4");
    let mut observation = world.observe();
    let mut late = world::as_case(world.case.as_ref().unwrap());
    late.communications.pop();
    observation.see_case(&world.policy, late, world.now);
    let until = world.now.checked_add(longest_doubt(&world)).unwrap();
    assert_eq!(observation.link.memory.full_read_at, Some(until));
    world.record(observation);
    assert_eq!(world.due, Some(until));
    world.now = until;
    assert_eq!(world.settle(), ["deliver"]);
    assert_eq!(world.due, None);
}

/// However long a conversation is, the answer to a delivery shows the comments of its last minutes.
#[test]
fn a_reply_in_a_conversation_of_three_hundred_pairs_is_answered_shortly() {
    let mut world = World::linked();
    let mut largest = 0;
    for number in 0..300 {
        world.pass_time(20);
        world.comment(&format!("e{number:032}"), "Any news? It still does not answer, whatever we try.");
        world.settle();
        world.reply("We are looking into it and come back to you as soon as we know more.");
        world.settle();
        largest = largest.max(world.last_answer_bytes);
    }
    assert!((1..6_000).contains(&largest), "{largest} bytes");
    assert_eq!(world.bodies().len(), 601);
}
