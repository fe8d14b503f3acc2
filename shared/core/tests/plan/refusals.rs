//! What a side refuses for good: it waits by its name, and everything else goes on.

use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::JournalEntryId,
    link::{notice::Notice, plan::Waiting, planner::MESSAGES_PER_DELIVERY, trouble::Request},
    servicenow::{
        columns::BridgeColumns,
        delivery::{Delivery, DeliveryAnswer, FieldsOutcome, IncidentFields, MessageAnswer, MessageOutcome},
        incident::IncidentState,
    },
    support::{
        Effect, Pass, Plan,
        call::{Content, IntentKind, RefusedCall},
        columns::columns,
    },
};

use jiff::SignedDuration;

use crate::world::{World, call_of, delivery_of, names, refusal};

/// The word that AWS refuses.
const POISON: &str = "POISON";
/// What stands in the place of a text that is left out.
const LEFT_OUT: &str = "AWS Support does not accept this text";

/// A linked world in which AWS refuses the word.
fn poisoned() -> World {
    let mut world = World::linked();
    world.poison = Some(POISON.to_owned());
    world
}

/// 9,000 signs that stand in no first line, with the word behind the 5,000th.
fn long_text() -> String {
    format!("{}{POISON}{}", "~".repeat(5_000), "~".repeat(4_000))
}

fn signs(world: &World) -> usize {
    world.bodies()[1..].iter().map(|body| body.matches('~').count()).sum()
}

fn delivery_in(plan: &Plan) -> Delivery {
    let found = plan.effects.iter().find_map(|effect| match effect {
        Effect::Deliver(delivery) => Some(delivery.clone()),
        _ => None,
    });
    found.unwrap()
}

/// The delivery that a plan of the world begins with is refused as a whole.
fn refuse_delivery(world: &mut World) -> Pass {
    let mut observation = world.observe();
    let delivery = delivery_in(&world.plan(&observation));
    let failure = refusal(Refusal::InvalidRequest);
    observation.not_delivered(&world.policy, &delivery, &failure, world.now, 0);
    observation
}

#[test]
fn a_refused_text_goes_in_smaller_parts_and_a_word_stands_for_what_is_left_out() {
    let mut world = poisoned();
    world.comment("e1", &long_text());
    world.comment("e2", "And another thing.");
    world.settle();
    let sent = signs(&world);
    assert!((8_600..9_000).contains(&sent), "all but the smallest part that is refused: {sent}");
    let bodies = world.bodies();
    assert_eq!(bodies.iter().filter(|body| body.contains(LEFT_OUT)).count(), 1);
    assert!(bodies.last().unwrap().contains("And another thing."), "the rest goes on, in order");
    assert!(!bodies.iter().any(|body| body.contains(POISON)));
}

#[test]
fn a_text_that_is_left_out_is_told_on_the_incident() {
    let mut world = poisoned();
    world.comment("e1", POISON);
    world.settle();
    let content = Content::Entry { entry: JournalEntryId::new("e1"), created_on: world.incident.entries[0].created_on };
    assert_eq!(world.link.notices, [Notice::TextRefused { text: content.name(), reason: "no".to_owned() }]);
    assert!(
        world.link.memory.refused_text.is_none()
            && world.link.memory.partly_sent.is_none()
            && world.link.troubles.is_empty()
    );
    let columns = &world.incident.summary.columns;
    assert_eq!(columns.sync_status, "waiting");
    assert!(columns.last_error.contains("left out") && columns.last_error.contains("(no)"), "{}", columns.last_error);
    assert_eq!(world.bodies().len(), 2);
    assert_eq!(world.settle(), Vec::<&str>::new());
}

#[test]
fn a_text_that_is_accepted_in_smaller_parts_is_told_to_nobody() {
    let mut world = World::linked();
    world.comment("e1", &"~".repeat(3_000));
    let mut observation = world.observe();
    let effect = world.plan(&observation).effects.remove(0);
    observation.begin(&effect, world.now);
    observation.refused(&world.policy, call_of(&effect), &refusal(Refusal::InvalidRequest), world.now, 0).unwrap();
    assert!(observation.link.troubles.is_empty(), "it is tried in another way at once");
    assert_eq!(names(&world.plan(&observation)), ["add_communication"; 2]);
    world.record(observation);
    assert_eq!(world.settle(), ["add_communication"; 2]);
    assert_eq!(signs(&world), 3_000);
    assert_eq!(world.bodies()[2].matches("part 2 of 2").count(), 1);
    assert!(world.link.notices.is_empty() && world.link.memory.refused_text.is_none());
}

#[test]
fn what_of_the_opening_text_is_refused_is_left_out() {
    let mut world = World::new();
    world.poison = Some(POISON.to_owned());
    world.incident.description = format!("{}{POISON}", "~".repeat(7_600));
    world.comment("e1", "And another thing.");
    world.settle();
    let bodies = world.bodies();
    assert_eq!(bodies.len(), 3);
    assert!(bodies[1].contains("description continued") && bodies[1].contains(LEFT_OUT));
    assert!(bodies[2].contains("And another thing."));
    assert_eq!(world.link.memory.opening_remainder, None);
    let opening = Content::OpeningRemainder.name();
    assert!(matches!(&world.link.notices[..], [Notice::TextRefused { text, .. }] if *text == opening));
}

#[test]
fn when_even_the_word_in_its_place_is_refused_nothing_is_given_up_and_all_of_it_waits() {
    let mut world = poisoned();
    world.poison = Some("INC0010001".to_owned());
    world.comment("e1", "Any news?");
    world.comment("e2", "Hello?");
    let tried = world.settle();
    assert_eq!(tried, ["add_communication", "add_communication", "report"], "the text, and the word in its place");
    assert_eq!(world.bodies().len(), 1);
    assert!(world.link.notices.is_empty() && world.link.memory.refused_text.is_none());
    assert_eq!(world.incident.summary.columns.sync_status, "error");
    let until = world.due.unwrap();
    assert_eq!(world.settle(), Vec::<&str>::new(), "not before its time");
    world.reply("Please restart it.");
    assert_eq!(world.settle(), ["deliver"], "replies arrive all the same");
    world.poison = None;
    world.now = until;
    world.settle();
    assert_eq!(world.bodies().len(), 4, "both comments are there");
    assert!(world.bodies()[2].contains("Any news?") && world.bodies()[3].contains("Hello?"));
    assert_eq!(world.incident.summary.columns.sync_status, "in_sync");
}

/// A case that is too old to be reopened refuses whatever text: that says nothing about the text.
#[test]
fn a_text_that_a_resolved_case_refuses_waits_as_it_is() {
    let mut world = World::commented_after_the_end();
    let long_ago = world.now.checked_sub(SignedDuration::from_hours(14 * 24)).unwrap();
    world.link.memory.case.as_mut().unwrap().status_since = long_ago;
    world.poison = Some("It is back.".to_owned());
    world.settle();
    assert_eq!(world.link.memory.refused_text, None);
    assert_eq!(world.status(), "resolved");
    let requests: Vec<_> = world.link.troubles.active(world.now).map(|trouble| trouble.request.clone()).collect();
    assert_eq!(requests, [Request::Call(RefusedCall::AddCommunication)]);
    assert!(world.incident.summary.columns.last_error.contains("too old to be reopened"));
}

#[test]
fn a_refusal_that_is_not_about_the_text_leaves_the_text_as_it_is() {
    for reason in [Refusal::Subscription, Refusal::Credentials, Refusal::NotFound] {
        let mut world = World::linked();
        world.comment("e1", &"~".repeat(3_000));
        let mut observation = world.observe();
        let effect = world.plan(&observation).effects.remove(0);
        observation.begin(&effect, world.now);
        observation.refused(&world.policy, call_of(&effect), &refusal(reason), world.now, 0).unwrap();
        assert_eq!(observation.link.memory.refused_text, None, "{reason:?}");
        assert_eq!(names(&world.plan(&observation)), ["report"], "{reason:?}");
    }
}

#[test]
fn a_refused_resolution_waits_and_the_messages_go_on() {
    let mut world = World::linked();
    world.set_state(IncidentState::Resolved);
    let mut observation = world.observe();
    let effect = world.plan(&observation).effects.remove(0);
    observation.begin(&effect, world.now);
    assert!(matches!(observation.link.intent.as_ref().unwrap().kind, IntentKind::ResolveCase { .. }));
    observation.refused(&world.policy, call_of(&effect), &refusal(Refusal::InvalidRequest), world.now, 0).unwrap();
    world.record(observation);
    assert_eq!(world.settle(), ["report"]);
    world.reply("One moment.");
    assert_eq!(world.settle(), ["deliver"]);
    assert_eq!(world.status(), "opened");
    world.pass_time(i64::from(world.policy.refusal_retry_seconds));
    assert_eq!(world.settle(), ["resolve_case", "report"]);
}

#[test]
fn a_delivery_that_is_refused_as_a_whole_waits_and_the_comments_to_aws_go_on() {
    let mut world = World::linked();
    world.reply("Please restart it.");
    let observation = refuse_delivery(&mut world);
    let plan = world.plan(&observation);
    assert_eq!(names(&plan), ["report"], "no immediate retry, and the agent is told");
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::Refused { .. })));
    world.record(observation);
    world.comment("e1", "Any news?");
    assert_eq!(world.settle(), ["add_communication", "report"]);
    assert_eq!(world.incident.summary.columns.sync_status, "error");
    let due = world.due.unwrap();
    assert!(due > world.now);
    world.now = due;
    assert_eq!(world.settle(), ["deliver"]);
    assert_eq!(world.incident.summary.columns.sync_status, "in_sync");
}

#[test]
fn another_delivery_than_the_refused_one_is_tried_at_once() {
    let mut world = World::linked();
    world.reply("Please restart it.");
    let observation = refuse_delivery(&mut world);
    world.record(observation);
    world.reply("Have you restarted it?");
    assert_eq!(world.settle(), ["deliver"]);
    assert_eq!(world.incident.entries.len(), 2);
    assert!(world.link.troubles.active(world.now).count() <= 1);
}

#[test]
fn nothing_overtakes_a_delivery_that_is_refused() {
    let mut world = World::linked();
    for number in 0..=MESSAGES_PER_DELIVERY {
        world.reply(&format!("Reply {number}"));
    }
    let observation = refuse_delivery(&mut world);
    assert_eq!(names(&world.plan(&observation)), ["report"], "the last reply waits behind the others");
}

/// A pass that has nothing to write but the columns, and their delivery.
fn columns_alone() -> (World, Pass, Delivery) {
    let mut world = World::linked();
    world.set_status("pending-amazon-action");
    world.set_state(IncidentState::InProgress);
    let observation = world.observe();
    assert_eq!(names(&world.plan(&observation)), ["report"]);
    let delivery = Delivery {
        expected_mod_count: world.incident.summary.sys_mod_count,
        messages: Vec::new(),
        fields: IncidentFields::default(),
        columns: columns(&world.policy, &observation, world.now),
        entries_since: None,
    };
    (world, observation, delivery)
}

#[test]
fn columns_that_are_refused_alone_wait_and_everything_else_goes_on() {
    let (mut world, mut observation, delivery) = columns_alone();
    observation.not_delivered(&world.policy, &delivery, &refusal(Refusal::InvalidRequest), world.now, 0);
    let plan = world.plan(&observation);
    assert!(plan.effects.is_empty(), "no immediate retry: {plan:?}");
    world.record(observation);
    world.comment("e1", "Any news?");
    assert_eq!(world.settle(), ["add_communication"]);
    world.reply("Not yet.");
    assert_eq!(world.settle(), ["deliver", "report"], "its columns told of the trouble that it has ended");
    assert!(world.link.troubles.is_empty());
    assert_eq!(world.incident.summary.columns.sync_status, "in_sync");
}

/// A rule of the customer aborts every update of the incident.
#[test]
fn columns_that_the_platform_refuses_alone_are_not_tried_again_at_once() {
    let (mut world, mut observation, delivery) = columns_alone();
    let answer = DeliveryAnswer {
        messages: Vec::new(),
        fields: FieldsOutcome::Refused,
        field_error: "aborted by a rule".to_owned(),
        snapshot: world.snapshot(None),
    };
    let effect = Effect::Deliver(delivery);
    assert!(!observation.delivered(&world.policy, delivery_of(&effect), answer, world.now, 0));
    let plan = world.plan(&observation);
    assert!(plan.effects.is_empty(), "{plan:?}");
    world.record(observation);
    world.now = world.due.unwrap();
    assert_eq!(world.settle(), ["report"]);
    assert!(world.link.troubles.is_empty());
}

/// A reaction that reopened the case alone would be resolved with it, and nobody would have heard it.
#[test]
fn a_comment_that_reopens_waits_for_a_delivery_that_is_refused_as_a_whole() {
    let mut world = World::commented_after_the_end();
    let observation = refuse_delivery(&mut world);
    assert_eq!(names(&world.plan(&observation)), ["report"]);
    world.record(observation);
    assert_eq!(world.settle(), ["report"]);
    assert_eq!(world.status(), "resolved");
    world.now = world.due.unwrap();
    world.settle();
    assert_eq!((&world.incident.summary.state, world.status()), (&IncidentState::InProgress, "reopened"));
}

#[test]
fn a_message_that_is_refused_holds_back_the_messages_and_no_state() {
    let mut world = World::linked();
    world.reply("Please restart it.");
    let mut observation = world.observe();
    let effect = world.plan(&observation).effects.remove(0);
    let Effect::Deliver(delivery) = &effect else { panic!("{effect:?}") };
    let answer = DeliveryAnswer {
        messages: vec![MessageAnswer {
            external_id: delivery.messages[0].external_id.clone(),
            outcome: MessageOutcome::Refused,
            error: "no comments".to_owned(),
        }],
        fields: FieldsOutcome::Applied,
        field_error: String::new(),
        snapshot: world.snapshot(None),
    };
    assert!(!observation.delivered(&world.policy, delivery_of(&effect), answer, world.now, 0));
    world.record(observation);
    assert_eq!(world.settle(), ["report"]);
    world.set_status("work-in-progress");
    assert_eq!(world.settle(), ["deliver"]);
    assert_eq!(world.incident.summary.state, IncidentState::InProgress);
    assert!(world.incident.entries.is_empty());
    world.pass_time(i64::from(world.policy.refusal_retry_seconds));
    world.settle();
    assert_eq!(world.incident.entries.len(), 1);
}

#[test]
fn a_state_intent_goes_with_the_refusal_of_its_delivery_and_stays_with_its_doubt() {
    let unavailable = Failure::Unavailable { message: "slow down".to_owned(), retry_at: None };
    let in_doubt = Failure::InDoubt { message: "the connection was closed".to_owned() };
    for (failure, stays) in [(refusal(Refusal::InvalidRequest), false), (unavailable, true), (in_doubt, true)] {
        let mut world = World::linked();
        world.set_status("resolved");
        let mut observation = world.observe();
        let effect = world.plan(&observation).effects.remove(0);
        assert!(observation.begin(&effect, world.now));
        let Effect::Deliver(delivery) = &effect else { panic!("{effect:?}") };
        observation.not_delivered(&world.policy, delivery, &failure, world.now, 0);
        assert_eq!(observation.link.state_intent.is_some(), stays, "{failure:?}");
    }
}

/// An incident that was copied shows the columns of the one that it was copied from.
#[test]
fn the_columns_of_another_incident_are_replaced() {
    let of_another = BridgeColumns {
        account: "999988887777".to_owned(),
        case_id: "case-999988887777-muen-2026-ffffffffffffffff".to_owned(),
        sync_status: "in_sync".to_owned(),
        ..BridgeColumns::default()
    };
    for (in_scope, known_as_anothers, effects) in [
        (true, true, vec!["open_case", "report"]),
        (false, true, vec!["report"]),
        (true, false, vec!["report"]),
        (false, false, vec!["report"]),
    ] {
        let mut world = World::new();
        world.incident.summary.columns = of_another.clone();
        if !in_scope {
            world.incident.account = None;
        }
        let mut observation = world.observe();
        observation.aws.columns_of_another = known_as_anothers;
        let plan = world.plan(&observation);
        assert_eq!(names(&plan), effects, "{in_scope} {known_as_anothers}");
        for effect in &plan.effects {
            world.apply(&mut observation, effect);
        }
        let waits = plan.waits.iter().any(|wait| matches!(wait, Waiting::UnknownCase { .. }));
        assert_eq!(waits, !known_as_anothers, "opening another case might double it");
        let shown = &world.incident.summary.columns;
        match (known_as_anothers, in_scope) {
            (false, _) => {
                assert_eq!((&shown.case_id, shown.sync_status.as_str()), (&of_another.case_id, "error"));
                assert!(shown.last_error.contains("does not know"), "{}", shown.last_error);
            }
            (true, true) => assert_eq!(shown.case_id, crate::world::CASE_ID),
            (true, false) => assert_eq!(*shown, BridgeColumns::default()),
        }
    }
}
