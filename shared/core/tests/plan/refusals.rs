//! Refusals: the refused request waits under its own key, and everything else goes on.

use casebridge_core::{
    failure::{Failure, Refusal},
    file::{order::OutgoingFile, transfer::Carried},
    identifiers::{AccountId, CaseId, FileId, JournalEntryId, TransferId},
    link::{notice::Notice, plan::Waiting, planner::MESSAGES_PER_DELIVERY, trouble::Request},
    policy::OldCaseRule,
    servicenow::{
        columns::BridgeColumns,
        delivery::{Delivery, DeliveryAnswer, FieldsOutcome, IncidentFields, MessageAnswer, MessageOutcome},
        incident::IncidentState,
    },
    support::{
        Effect, Pass, Plan,
        call::{Content, IntentKind, RefusedCall},
        columns::columns,
        files::{FileNotice, Outgoing, OutgoingProgress},
        memory::{DoubledCase, PartlySent, Reduction, RefusedMessage},
    },
};

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::sides::{ACCOUNT, Sides, call_of, delivery_of, names, refusal, refuse_first};

/// A word that AWS refuses.
const POISON: &str = "POISON";
/// A part of the text that replaces a text that is left out.
const LEFT_OUT: &str = "AWS Support does not accept this text";

/// Returns linked sides where AWS refuses the word.
fn poisoned() -> Sides {
    let mut sides = Sides::linked();
    sides.poison = Some(POISON.to_owned());
    sides
}

/// Returns a text of 9,000 characters that are in no first line, with the word after the 5,000th.
fn long_text() -> String {
    format!("{}{POISON}{}", "~".repeat(5_000), "~".repeat(4_000))
}

fn signs(sides: &Sides) -> usize {
    sides.bodies()[1..].iter().map(|body| body.matches('~').count()).sum()
}

fn delivery_in(plan: &Plan) -> Delivery {
    let found = plan.effects.iter().find_map(|effect| match effect {
        Effect::Deliver(delivery) => Some(delivery.clone()),
        _ => None,
    });
    found.unwrap()
}

/// Refuses the first delivery of the plan as a whole. Returns the pass.
fn refuse_delivery(sides: &mut Sides) -> Pass {
    let mut pass = sides.observe();
    let delivery = delivery_in(&sides.plan(&pass));
    let failure = refusal(Refusal::InvalidRequest);
    pass.not_delivered(&sides.policy, &delivery, &failure, sides.now, 0);
    pass
}

#[test]
fn a_refused_text_goes_in_smaller_parts_and_a_word_stands_for_what_is_left_out() {
    let mut sides = poisoned();
    sides.comment("e1", &long_text());
    sides.comment("e2", "And another thing.");
    sides.settle();
    let sent = signs(&sides);
    assert!((8_600..9_000).contains(&sent), "all but the smallest part that is refused: {sent}");
    let bodies = sides.bodies();
    assert_eq!(bodies.iter().filter(|body| body.contains(LEFT_OUT)).count(), 1);
    assert!(bodies.last().unwrap().contains("And another thing."), "the rest goes on, in order");
    assert!(!bodies.iter().any(|body| body.contains(POISON)));
}

#[test]
fn a_text_that_is_left_out_is_told_on_the_incident() {
    let mut sides = poisoned();
    sides.comment("e1", POISON);
    sides.settle();
    let content = Content::Entry { entry: JournalEntryId::new("e1"), created_on: sides.incident.entries[0].created_on };
    assert_eq!(sides.link.notices, [Notice::TextRefused { text: content.name(), reason: "no".to_owned() }]);
    assert!(
        sides.link.memory.refused_text.is_none()
            && sides.link.memory.partly_sent.is_none()
            && sides.link.troubles.is_empty()
    );
    let columns = &sides.incident.summary.columns;
    assert_eq!(columns.sync_status, "waiting");
    assert!(columns.last_error.contains("left out") && columns.last_error.contains("(no)"), "{}", columns.last_error);
    assert_eq!(sides.bodies().len(), 2);
    assert_eq!(sides.settle(), Vec::<&str>::new());
    sides.set_state(IncidentState::Resolved);
    assert!(sides.settle().contains(&"resolve_case"), "it holds back no resolution");
}

#[test]
fn a_text_that_is_accepted_in_smaller_parts_is_told_to_nobody() {
    let mut sides = Sides::linked();
    sides.comment("e1", &"~".repeat(3_000));
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    pass.begin(&effect, sides.now);
    pass.refused(&sides.policy, call_of(&effect), &refusal(Refusal::InvalidRequest), sides.now, 0).unwrap();
    assert!(pass.link.troubles.is_empty(), "it is tried in another way at once");
    assert_eq!(names(&sides.plan(&pass)), ["add_communication"; 2]);
    sides.record(pass);
    assert_eq!(sides.settle(), ["add_communication"; 2]);
    assert_eq!(signs(&sides), 3_000);
    assert_eq!(sides.bodies()[2].matches("part 2 of 2").count(), 1);
    assert!(sides.link.notices.is_empty() && sides.link.memory.refused_text.is_none());
}

#[test]
fn what_of_the_opening_text_is_refused_is_left_out() {
    let mut sides = Sides::new();
    sides.poison = Some(POISON.to_owned());
    sides.incident.description = format!("{}{POISON}", "~".repeat(7_600));
    sides.comment("e1", "And another thing.");
    sides.settle();
    let bodies = sides.bodies();
    assert_eq!(bodies.len(), 3);
    assert!(bodies[1].contains("description continued") && bodies[1].contains(LEFT_OUT));
    assert!(bodies[2].contains("And another thing."));
    assert_eq!(sides.link.memory.opening_remainder, None);
    let opening = Content::OpeningRemainder.name();
    assert!(matches!(&sides.link.notices[..], [Notice::TextRefused { text, .. }] if *text == opening));
}

/// AWS resolved the case before it took the rest of the description, and an agent reopens the incident.
#[test]
fn the_rest_of_a_description_reopens_the_case_without_a_notice() {
    let mut sides = Sides::new();
    sides.poison = Some("INC0010001".to_owned());
    sides.incident.description = "~".repeat(9_000);
    sides.settle();
    sides.set_status("resolved");
    sides.settle();
    assert!(sides.link.memory.opening_remainder.is_some() && sides.link.base.ended);
    sides.set_state(IncidentState::InProgress);
    sides.poison = None;
    sides.pass_time(i64::from(sides.policy.refusal_retry_seconds) + 1);
    assert!(sides.settle().contains(&"add_communication"));
    assert!(sides.bodies()[1..].iter().all(|body| body.contains("description continued")), "{:?}", sides.bodies());
    assert_eq!((sides.status(), sides.link.base.ended), ("reopened", false));
}

#[test]
fn when_even_the_word_in_its_place_is_refused_nothing_is_given_up_and_all_of_it_waits() {
    let mut sides = poisoned();
    sides.poison = Some("INC0010001".to_owned());
    sides.comment("e1", "Any news?");
    sides.comment("e2", "Hello?");
    let tried = sides.settle();
    assert_eq!(
        tried,
        ["add_communication", "add_communication", "write_columns"],
        "the text, and the word in its place"
    );
    assert_eq!(sides.bodies().len(), 1);
    assert!(sides.link.notices.is_empty() && sides.link.memory.refused_text.is_none());
    assert_eq!(sides.incident.summary.columns.sync_status, "error");
    let until = sides.due.unwrap();
    assert_eq!(sides.settle(), Vec::<&str>::new(), "not before its time");
    sides.reply("Please restart it.");
    assert_eq!(sides.settle(), ["deliver"], "replies arrive all the same");
    sides.poison = None;
    sides.now = until;
    sides.settle();
    assert_eq!(sides.bodies().len(), 4, "both comments are there");
    assert!(sides.bodies()[2].contains("Any news?") && sides.bodies()[3].contains("Hello?"));
    assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
}

/// A case that is too old to be reopened refuses every text. That says nothing about the text.
#[test]
fn a_text_that_a_resolved_case_refuses_waits_as_it_is() {
    let mut sides = Sides::commented_after_the_end();
    sides.policy.case_too_old_to_reopen = OldCaseRule::Note;
    let long_ago = sides.now.checked_sub(SignedDuration::from_hours(14 * 24)).unwrap();
    sides.link.memory.case.as_mut().unwrap().status_since = long_ago;
    sides.poison = Some("It is back.".to_owned());
    sides.settle();
    assert_eq!(sides.link.memory.refused_text, None);
    assert_eq!(sides.status(), "resolved");
    let requests: Vec<_> = sides.link.troubles.active(sides.now).map(|trouble| trouble.request.clone()).collect();
    assert_eq!(requests, [Request::Call(RefusedCall::AddCommunication)]);
    assert!(sides.incident.summary.columns.last_error.contains("too old to be reopened"));
}

#[test]
fn a_refusal_that_is_not_about_the_text_leaves_the_text_as_it_is() {
    for reason in [Refusal::Subscription, Refusal::Credentials, Refusal::NotFound] {
        let mut sides = Sides::linked();
        sides.comment("e1", &"~".repeat(3_000));
        let mut pass = sides.observe();
        let effect = sides.plan(&pass).effects.remove(0);
        pass.begin(&effect, sides.now);
        pass.refused(&sides.policy, call_of(&effect), &refusal(reason), sides.now, 0).unwrap();
        assert_eq!(pass.link.memory.refused_text, None, "{reason:?}");
        assert_eq!(names(&sides.plan(&pass)), ["write_columns"], "{reason:?}");
    }
}

#[test]
fn a_refused_resolution_waits_and_the_messages_go_on() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    pass.begin(&effect, sides.now);
    assert!(matches!(pass.link.intent.as_ref().unwrap().kind, IntentKind::ResolveCase { .. }));
    pass.refused(&sides.policy, call_of(&effect), &refusal(Refusal::InvalidRequest), sides.now, 0).unwrap();
    sides.record(pass);
    assert_eq!(sides.settle(), ["write_columns"]);
    sides.reply("One moment.");
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.status(), "opened");
    sides.pass_time(i64::from(sides.policy.refusal_retry_seconds));
    assert_eq!(sides.settle(), ["resolve_case", "write_columns"]);
}

#[test]
fn a_delivery_that_is_refused_as_a_whole_waits_and_the_comments_to_aws_go_on() {
    let mut sides = Sides::linked();
    sides.reply("Please restart it.");
    let pass = refuse_delivery(&mut sides);
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan), ["write_columns"], "no immediate retry, and the agent is told");
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::Refused { .. })));
    sides.record(pass);
    sides.comment("e1", "Any news?");
    assert_eq!(sides.settle(), ["add_communication", "write_columns"]);
    assert_eq!(sides.incident.summary.columns.sync_status, "error");
    let due = sides.due.unwrap();
    assert!(due > sides.now);
    sides.now = due;
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
}

#[test]
fn another_delivery_than_the_refused_one_is_tried_at_once() {
    let mut sides = Sides::linked();
    sides.reply("Please restart it.");
    let pass = refuse_delivery(&mut sides);
    sides.record(pass);
    sides.reply("Have you restarted it?");
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.incident.entries.len(), 2);
    assert!(sides.link.troubles.active(sides.now).count() <= 1);
}

#[test]
fn nothing_overtakes_a_delivery_that_is_refused() {
    let mut sides = Sides::linked();
    for number in 0..=MESSAGES_PER_DELIVERY {
        sides.reply(&format!("Reply {number}"));
    }
    let pass = refuse_delivery(&mut sides);
    assert_eq!(names(&sides.plan(&pass)), ["write_columns"], "the last reply waits behind the others");
}

/// Returns sides and a pass with nothing to write but the columns, and the delivery of the columns.
fn columns_alone() -> (Sides, Pass, Delivery) {
    let mut sides = Sides::linked();
    sides.set_status("pending-amazon-action");
    sides.set_state(IncidentState::InProgress);
    let pass = sides.observe();
    assert_eq!(names(&sides.plan(&pass)), ["write_columns"]);
    let delivery = Delivery {
        expected_mod_count: sides.incident.summary.sys_mod_count,
        messages: Vec::new(),
        fields: IncidentFields::default(),
        columns: columns(&sides.policy, &pass, sides.now),
        entries_since: None,
    };
    (sides, pass, delivery)
}

#[test]
fn columns_that_are_refused_alone_wait_and_everything_else_goes_on() {
    let (mut sides, mut pass, delivery) = columns_alone();
    pass.not_delivered(&sides.policy, &delivery, &refusal(Refusal::InvalidRequest), sides.now, 0);
    let plan = sides.plan(&pass);
    assert!(plan.effects.is_empty(), "no immediate retry: {plan:?}");
    sides.record(pass);
    sides.comment("e1", "Any news?");
    assert_eq!(sides.settle(), ["add_communication"]);
    sides.reply("Not yet.");
    assert_eq!(sides.settle(), ["deliver", "write_columns"], "its columns told of the trouble that it has ended");
    assert!(sides.link.troubles.is_empty());
    assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
}

/// A rule of the customer aborts every update of the incident.
#[test]
fn columns_that_the_platform_refuses_alone_are_not_tried_again_at_once() {
    let (mut sides, mut pass, delivery) = columns_alone();
    let answer = DeliveryAnswer {
        messages: Vec::new(),
        fields: FieldsOutcome::Refused,
        field_error: "aborted by a rule".to_owned(),
        snapshot: sides.snapshot(None),
    };
    let effect = Effect::Deliver(delivery);
    assert!(!pass.delivered(&sides.policy, delivery_of(&effect), answer, sides.now, 0));
    let plan = sides.plan(&pass);
    assert!(plan.effects.is_empty(), "{plan:?}");
    sides.record(pass);
    sides.now = sides.due.unwrap();
    assert_eq!(sides.settle(), ["write_columns"]);
    assert!(sides.link.troubles.is_empty());
}

/// If a reaction reopened only the case, casebridge would resolve the case again, and the reaction would be lost.
#[test]
fn a_comment_that_reopens_waits_for_a_delivery_that_is_refused_as_a_whole() {
    let mut sides = Sides::commented_after_the_end();
    let pass = refuse_delivery(&mut sides);
    assert_eq!(names(&sides.plan(&pass)), ["write_columns"]);
    sides.record(pass);
    assert_eq!(sides.settle(), ["write_columns"]);
    assert_eq!(sides.status(), "resolved");
    sides.now = sides.due.unwrap();
    sides.settle();
    assert_eq!((&sides.incident.summary.state, sides.status()), (&IncidentState::InProgress, "reopened"));
}

#[test]
fn a_message_that_is_refused_holds_back_the_messages_and_no_state() {
    let mut sides = Sides::linked();
    sides.reply("Please restart it.");
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    let Effect::Deliver(delivery) = &effect else { panic!("{effect:?}") };
    let answer = DeliveryAnswer {
        messages: vec![MessageAnswer {
            external_id: delivery.messages[0].external_id.clone(),
            outcome: MessageOutcome::Refused,
            error: "no comments".to_owned(),
        }],
        fields: FieldsOutcome::Applied,
        field_error: String::new(),
        snapshot: sides.snapshot(None),
    };
    assert!(!pass.delivered(&sides.policy, delivery_of(&effect), answer, sides.now, 0));
    sides.record(pass);
    assert_eq!(sides.settle(), ["write_columns"]);
    sides.set_status("work-in-progress");
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
    assert!(sides.incident.entries.is_empty());
    sides.pass_time(i64::from(sides.policy.refusal_retry_seconds));
    sides.settle();
    assert_eq!(sides.incident.entries.len(), 1);
}

#[test]
fn a_state_intent_goes_with_the_refusal_of_its_delivery_and_stays_with_its_doubt() {
    let unavailable = Failure::Unavailable { message: "slow down".to_owned(), retry_at: None };
    let in_doubt = Failure::InDoubt { message: "the connection was closed".to_owned() };
    for (failure, stays) in [(refusal(Refusal::InvalidRequest), false), (unavailable, true), (in_doubt, true)] {
        let mut sides = Sides::linked();
        sides.set_status("resolved");
        let mut pass = sides.observe();
        let effect = sides.plan(&pass).effects.remove(0);
        assert!(pass.begin(&effect, sides.now));
        let Effect::Deliver(delivery) = &effect else { panic!("{effect:?}") };
        pass.not_delivered(&sides.policy, delivery, &failure, sides.now, 0);
        assert_eq!(pass.link.state_intent.is_some(), stays, "{failure:?}");
    }
}

/// The columns of an incident that was copied from one of another account.
fn columns_of_another() -> BridgeColumns {
    BridgeColumns {
        own: [("account", "999988887777"), ("case_id", "case-999988887777-muen-2026-ffffffffffffffff")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
        sync_status: "in_sync".to_owned(),
        ..BridgeColumns::default()
    }
}

/// Nothing tells that the ledger knows the case by now, and what nobody mends within a month is not mended.
#[test]
fn an_incident_that_names_an_unknown_case_is_looked_at_every_hour_for_a_day_and_every_day_for_a_month() {
    for is_ended in [true, false] {
        let mut sides = Sides::new();
        sides.incident.summary.columns = columns_of_another();
        if is_ended {
            sides.set_state(IncidentState::Resolved);
        }
        sides.settle();
        let mut looks = BTreeMap::new();
        for _ in 0..100 {
            let Some(due) = sides.due else { break };
            *looks.entry(due.duration_since(sides.now).as_hours()).or_insert(0) += 1;
            sides.now = due;
            assert_eq!(sides.pass(), [""; 0]);
        }
        assert_eq!(looks, BTreeMap::from([(1, 24), (24, 29)]), "in hours, ended {is_ended}");
    }
}

#[test]
fn an_incident_that_names_an_unknown_case_again_is_looked_at_as_if_for_the_first_time() {
    let mut sides = Sides::new();
    sides.incident.summary.columns = columns_of_another();
    sides.settle();
    sides.pass_time(40 * 86_400);
    sides.pass();
    assert_eq!(sides.due, None);
    // Somebody clears the columns, and another script fills them again.
    sides.incident.account = None;
    sides.incident.summary.columns = BridgeColumns::default();
    sides.pass();
    sides.incident.summary.columns = columns_of_another();
    sides.pass();
    assert_eq!(sides.due.map(|due| due.duration_since(sides.now).as_hours()), Some(1));
}

/// An incident that was copied shows the columns of the one that it was copied from.
#[test]
fn the_columns_of_another_incident_are_replaced() {
    let of_another = columns_of_another();
    for (in_scope, known_as_anothers, effects) in [
        (true, true, vec!["open_case", "write_columns"]),
        (false, true, vec!["write_columns"]),
        (true, false, vec!["write_columns"]),
        (false, false, vec!["write_columns"]),
    ] {
        let mut sides = Sides::new();
        sides.incident.summary.columns = of_another.clone();
        if !in_scope {
            sides.incident.account = None;
        }
        let mut pass = sides.observe();
        pass.aws.columns_of_another = known_as_anothers;
        let plan = sides.plan(&pass);
        assert_eq!(names(&plan), effects, "{in_scope} {known_as_anothers}");
        for effect in &plan.effects {
            sides.apply(&mut pass, effect);
        }
        let waits = plan.waits.iter().any(|wait| matches!(wait, Waiting::UnknownCase { .. }));
        assert_eq!(waits, !known_as_anothers, "opening another case might double it");
        let shown = &sides.incident.summary.columns;
        match (known_as_anothers, in_scope) {
            (false, _) => {
                assert_eq!((shown.own("case_id"), shown.sync_status.as_str()), (of_another.own("case_id"), "error"));
                assert!(shown.last_error.contains("does not know"), "{}", shown.last_error);
            }
            (true, true) => assert_eq!(shown.own("case_id"), crate::sides::CASE_ID),
            (true, false) => assert!(shown.are_empty()),
        }
    }
}

/// Returns the requests that wait.
fn waiting(sides: &Sides, pass: &Pass) -> Vec<Request<RefusedCall>> {
    pass.link.troubles.active(sides.now).map(|trouble| trouble.request.clone()).collect()
}

#[test]
fn a_refused_text_is_tried_in_the_next_smaller_size_than_the_part_that_was_refused() {
    for (sent, bytes, reduction) in [
        (0, 2_001, Reduction::Small),
        (0, 2_000, Reduction::Smallest),
        (0, 401, Reduction::Smallest),
        (0, 400, Reduction::Placeholder),
        (8_700, 9_000, Reduction::Placeholder),
    ] {
        let mut sides = Sides::linked();
        sides.comment("e1", &"~".repeat(bytes));
        let content = Content::Entry { entry: JournalEntryId::new("e1"), created_on: sides.now };
        if sent > 0 {
            sides.link.memory.partly_sent = Some(PartlySent { content, bytes: sent, parts: 1 });
        }
        let pass = refuse_first(&mut sides, &refusal(Refusal::InvalidRequest));
        let next = pass.link.memory.refused_text.map(|refused| refused.reduction);
        assert_eq!(next, Some(reduction), "{bytes} bytes, {sent} of them sent");
    }
}

#[test]
fn a_notice_on_a_file_is_dropped_if_aws_refuses_its_words_and_waits_otherwise() {
    for (reason, is_dropped) in [(Refusal::InvalidRequest, true), (Refusal::Credentials, false)] {
        let mut sides = Sides::linked();
        sides.link.memory.files.notices = vec![FileNotice { number: 1, text: "It stays.".to_owned() }];
        let pass = refuse_first(&mut sides, &refusal(reason));
        assert_eq!(pass.link.memory.files.notices.is_empty(), is_dropped, "{reason:?}");
        assert_eq!(waiting(&sides, &pass).is_empty(), is_dropped, "{reason:?}");
    }
}

#[test]
fn files_are_moved_anew_if_aws_refuses_their_communication_and_not_if_it_refuses_the_account() {
    for (reason, refusals) in [(Refusal::InvalidRequest, 1), (Refusal::Credentials, 0)] {
        let mut sides = Sides::linked();
        let until = sides.now.checked_add(SignedDuration::from_hours(1)).unwrap();
        let file = OutgoingFile { file: FileId::new("f"), name: "a.log".to_owned(), bytes: 10 };
        sides.link.memory.files.outgoing = vec![Outgoing {
            transfer: TransferId::new("t"),
            generation: 0,
            files: vec![file],
            author: "Abel Tuter".to_owned(),
            refusals: 0,
            progress: OutgoingProgress::Ready(Carried { set: Some("set".to_owned()), uploads: Vec::new(), until }),
        }];
        let pass = refuse_first(&mut sides, &refusal(reason));
        assert_eq!(pass.link.memory.files.outgoing[0].refusals, refusals, "{reason:?}");
        assert_eq!(waiting(&sides, &pass).len(), usize::from(refusals == 0), "{reason:?}");
    }
}

#[test]
fn what_aws_refuses_on_a_double_holds_back_nothing_on_the_case() {
    for (told, reason, waits, is_resolved) in [
        (false, Refusal::InvalidRequest, true, false),
        (true, Refusal::InvalidRequest, false, true),
        (true, Refusal::Credentials, true, false),
    ] {
        let mut sides = Sides::linked();
        let case_id = CaseId::new("case-111122223333-muen-2026-fedcba9876543210");
        let account = AccountId::new(ACCOUNT);
        sides.link.memory.doubles = vec![DoubledCase { account, case_id, told, resolved: false }];
        let pass = refuse_first(&mut sides, &refusal(reason));
        let expected = Vec::from_iter(waits.then_some(Request::Call(RefusedCall::Double)));
        assert_eq!(waiting(&sides, &pass), expected, "told: {told}, {reason:?}");
        assert_eq!(pass.link.memory.doubles[0].resolved, is_resolved, "told: {told}, {reason:?}");
    }
}

#[test]
fn only_the_message_that_servicenow_refused_twice_is_left_out() {
    for (is_left_out, whole) in [(true, [false, true]), (false, [true, true])] {
        let mut sides = Sides::linked();
        sides.reply("The first text.");
        sides.reply("The second text.");
        let mut pass = sides.observe();
        let first = pass.aws.shown.iter().find(|shown| shown.raw.body == "The first text.").unwrap();
        let (id, reason) = (first.id.clone(), "no comments".to_owned());
        pass.link.memory.refused_message = Some(RefusedMessage { id, is_left_out, reason });
        let delivery = delivery_in(&sides.plan(&pass));
        let is_told = |text: &str| delivery.messages.iter().any(|message| message.text.contains(text));
        assert_eq!(["The first text.", "The second text."].map(is_told), whole);
    }
}
