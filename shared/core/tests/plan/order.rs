//! What ends and reopens an incident and its case, and what was written around that.

use casebridge_core::{
    identifiers::JournalEntryId,
    link::{
        intent::IntentEnd,
        mark::{Entropy, Mark},
        notice::Notice,
        plan::Waiting,
    },
    servicenow::incident::{IncidentState, JournalEntry},
    support::{
        Effect, Pass, Plan,
        call::{Call, Done},
        case::{Case, CaseStatus},
    },
    time::{CLOCKS_APART, seconds},
};

use crate::world::{BRIDGE, World, entry, names};

const PERSON: &str = "Admin (Role) <person@example.com>";

/// The fields that a plan's delivery sets: state, close code, close notes.
fn fields(plan: &Plan) -> (String, String, String) {
    let found = plan.effects.iter().find_map(|effect| match effect {
        Effect::Deliver(delivery) => Some(delivery.fields.clone()),
        _ => None,
    });
    let fields = found.unwrap();
    (fields.state, fields.close_code, fields.close_notes)
}

/// Worlds with and without an audit trail; the latter keep the first `resolved_at`.
fn linked_worlds() -> [World; 2] {
    [true, false].map(|audit_trail| {
        let mut world = World::linked();
        world.audit_trail = audit_trail;
        world.keeps_resolved_at = !audit_trail;
        world
    })
}

#[test]
fn close_code_and_notes_are_filled_only_where_they_are_empty() {
    for (has_close_code, has_close_notes) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut world = World::linked();
        world.set_status("resolved");
        world.incident.summary.has_close_code = has_close_code;
        world.incident.summary.has_close_notes = has_close_notes;
        let observation = world.observe();
        let (state, code, notes) = fields(&world.plan(&observation));
        assert_eq!((state.as_str(), code.is_empty(), notes.is_empty()), ("6", has_close_code, has_close_notes));
    }
}

#[test]
fn a_text_that_has_to_reopen_the_case_is_confirmed_by_a_look_at_it() {
    let mut world = World::linked();
    world.set_state(IncidentState::Resolved);
    world.settle();
    world.set_state(IncidentState::InProgress);
    world.comment("e1", "It is back.");
    let mut observation = world.observe();
    let plan = world.plan(&observation);
    assert_eq!(names(&plan)[0], "add_communication");
    let before = world.case.as_ref().unwrap().communications.len();
    assert!(!world.apply(&mut observation, &plan.effects[0]), "AWS answered well, and that proves nothing");
    assert!(observation.link.intent.is_some() && observation.link.memory.case.as_ref().unwrap().is_resolved());
    // A read that does not show the text leaves it in doubt, and nothing is sent after it.
    let whole = std::mem::take(&mut world.case.as_mut().unwrap().communications);
    world.case.as_mut().unwrap().communications = whole[..before].to_vec();
    world.case.as_mut().unwrap().status = "resolved".to_owned();
    world.see_case(&mut observation);
    let plan = world.plan(&observation);
    assert!(plan.effects.is_empty(), "{plan:?}");
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::UnknownOutcome { .. })));
    world.case.as_mut().unwrap().communications = whole;
    world.case.as_mut().unwrap().status = "reopened".to_owned();
    world.see_case(&mut observation);
    assert_eq!(observation.link.ended_intent.unwrap().end, IntentEnd::FoundDone);
    assert!(!observation.link.memory.case.as_ref().unwrap().is_resolved());
    world.record(observation);
    world.settle();
    assert_eq!(world.bodies().iter().filter(|body| body.contains("It is back.")).count(), 1);
}

#[test]
fn a_text_that_aws_took_and_does_not_show_is_told_and_waits() {
    let mut world = World::commented_after_the_end();
    let mut observation = world.observe();
    let plan = world.plan(&observation);
    assert_eq!(names(&plan)[..2], ["deliver", "add_communication"]);
    assert!(world.apply(&mut observation, &plan.effects[0]));
    observation.begin(&plan.effects[1], world.now);
    assert!(!observation.done(&world.policy, Done::CommunicationAdded, world.now).unwrap());
    world.record(observation);
    world.pass_time(i64::from(world.policy.unknown_outcome_seconds));
    assert_eq!(world.settle(), ["report"]);
    assert_eq!(world.link.ended_intent.unwrap().end, IntentEnd::NeverApplied);
    let columns = &world.incident.summary.columns;
    assert_eq!(columns.sync_status, "error");
    assert!(columns.last_error.contains("14 days"), "{}", columns.last_error);
    assert_eq!(world.due, world.link.troubles.side_until(casebridge_core::link::trouble::Side::Aws));
    world.now = world.due.unwrap();
    assert_eq!(world.settle()[0], "add_communication", "it is tried again");
}

/// AWS resolved the case, and while casebridge resolved the incident somebody wrote that it is not over.
#[test]
fn what_was_unseen_when_casebridge_ended_the_incident_reopens_both() {
    for mut world in linked_worlds() {
        world.set_status("resolved");
        let mut observation = world.observe();
        let plan = world.plan(&observation);
        assert_eq!(names(&plan), ["deliver"]);
        world.comment("e1", "It is not over.");
        let Effect::Deliver(delivery) = plan.effects[0].clone() else { panic!("{plan:?}") };
        // The platform's update came behind the comment, though the comment was in no read.
        let expected_mod_count = world.incident.summary.sys_mod_count;
        let delivery = casebridge_core::servicenow::delivery::Delivery { expected_mod_count, ..delivery };
        world.apply(&mut observation, &Effect::Deliver(delivery));
        assert_eq!(world.incident.summary.state, IncidentState::Resolved);
        world.record(observation);
        world.settle();
        assert_eq!(world.incident.summary.state, IncidentState::InProgress);
        assert_eq!(world.status(), "reopened");
        assert_eq!(world.bodies().iter().filter(|body| body.contains("It is not over.")).count(), 1);
    }
}

#[test]
fn what_was_written_in_the_update_that_resolved_the_incident_belongs_to_its_end() {
    for mut world in linked_worlds() {
        world.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
        assert_eq!(world.settle(), ["add_communication", "resolve_case", "report"]);
        assert_eq!(world.incident.summary.state, IncidentState::Resolved);
        assert_eq!(world.status(), "resolved");
    }
}

/// AWS may show that the case is reopened before it shows our text that reopened it.
#[test]
fn what_was_written_before_the_end_reopens_no_incident_though_the_status_shows_before_the_text() {
    let mut world = World::linked();
    world.set_status("resolved");
    world.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    let mut observation = world.observe();
    let plan = world.plan(&observation);
    assert_eq!(names(&plan)[0], "add_communication");
    assert!(!world.apply(&mut observation, &plan.effects[0]));
    let text = world.case.as_mut().unwrap().communications.pop().unwrap();
    world.see_case(&mut observation);
    assert!(observation.link.intent.is_some() && !observation.link.memory.case.as_ref().unwrap().is_resolved());
    world.case.as_mut().unwrap().communications.push(text);
    world.record(observation);
    assert_eq!(world.settle()[0], "resolve_case");
    assert_eq!((&world.incident.summary.state, world.status()), (&IncidentState::Resolved, "resolved"));
}

/// AWS resolved the case, and casebridge died before it could end the incident as it meant to.
fn meant_to_end() -> World {
    let mut world = World::linked();
    world.audit_trail = true;
    world.set_status("resolved");
    let mut observation = world.observe();
    let effect = world.plan(&observation).effects.remove(0);
    assert!(observation.begin(&effect, world.now));
    world.link = observation.link;
    world
}

#[test]
fn what_an_agent_wrote_with_the_end_that_casebridge_intended_is_no_reaction() {
    let mut world = meant_to_end();
    world.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    assert_eq!(world.settle()[..2], ["add_communication", "resolve_case"]);
    assert_eq!((&world.incident.summary.state, world.status()), (&IncidentState::Resolved, "resolved"));
}

/// AWS reopened the case, casebridge reopened the incident and died: an agent who ends it has seen that.
#[test]
fn an_incident_that_is_ended_after_casebridge_reopened_it_stays_ended() {
    let mut world = World::linked();
    world.audit_trail = true;
    world.set_state(IncidentState::Resolved);
    world.settle();
    world.set_status("reopened");
    let mut observation = world.observe();
    let effect = world.plan(&observation).effects.remove(0);
    assert!(observation.begin(&effect, world.now));
    world.link = observation.link.clone();
    assert!(world.apply(&mut observation, &effect));
    assert_eq!(world.incident.summary.state, IncidentState::InProgress);
    world.set_state(IncidentState::Resolved);
    world.pass_time(300);
    assert_eq!(world.settle()[0], "resolve_case");
    assert_eq!((&world.incident.summary.state, world.status()), (&IncidentState::Resolved, "resolved"));
}

/// Resolved, reopened and resolved again, all of it unseen: the last resolution counts.
#[test]
fn an_incident_that_was_resolved_again_keeps_what_was_written_before() {
    for mut world in linked_worlds() {
        world.set_state(IncidentState::Resolved);
        world.settle();
        world.pass_time(60);
        world.set_state(IncidentState::InProgress);
        world.settle();
        world.pass_time(60);
        world.comment("e1", "It works now.");
        world.set_state(IncidentState::Resolved);
        world.settle();
        assert_eq!(world.incident.summary.state, IncidentState::Resolved, "it is no reaction");
        assert_eq!(world.status(), "resolved");
        assert!(world.bodies().last().unwrap().contains("It works now."));
    }
}

#[test]
fn a_comment_that_has_reopened_the_link_once_does_not_do_so_again() {
    for mut world in linked_worlds() {
        world.set_state(IncidentState::Resolved);
        world.settle();
        world.pass_time(60);
        world.comment("e1", "I am out of office.");
        world.settle();
        assert_eq!(world.incident.summary.state, IncidentState::InProgress, "the first time it might matter");
        world.set_state(IncidentState::Resolved);
        world.settle();
        world.pass_time(60);
        world.comment("e2", "I am out of office.");
        assert_eq!(world.settle(), ["report"]);
        assert_eq!(world.incident.summary.state, IncidentState::Resolved);
        assert_eq!(world.status(), "resolved");
        assert!(world.incident.summary.columns.last_error.contains("reopened nothing"));
        // Something else reopens the link, and then it goes out.
        world.comment("e3", "It is back.");
        world.settle();
        assert_eq!(world.incident.summary.state, IncidentState::InProgress);
        assert_eq!(world.bodies().iter().filter(|body| body.contains("I am out of office.")).count(), 2);
        assert_eq!(world.incident.summary.columns.sync_status, "in_sync");
    }
}

#[test]
fn a_reply_that_has_reopened_the_link_once_does_not_do_so_again() {
    let mut world = World::linked();
    world.set_state(IncidentState::Resolved);
    world.settle();
    world.reply("Thank you for your feedback.");
    world.settle();
    assert_eq!(world.incident.summary.state, IncidentState::InProgress);
    world.set_state(IncidentState::Resolved);
    world.settle();
    assert_eq!(world.status(), "resolved");
    world.reply("Thank you for your feedback.");
    assert_eq!(world.settle(), ["deliver"], "it arrives all the same");
    // The case has been reopened before: the status may be an echo of that, until it lasts.
    world.pass_time(i64::from(world.policy.unknown_outcome_seconds));
    assert_eq!(world.settle(), ["report"]);
    assert_eq!(world.incident.summary.state, IncidentState::Resolved);
    assert!(world.incident.summary.columns.last_error.contains("reopened nothing"));
    assert_eq!(world.settle(), Vec::<&str>::new());
    world.reply("We have found the cause.");
    assert_eq!(world.settle(), ["deliver"], "another text does, and the same write takes back what was told");
    assert_eq!(world.incident.summary.state, IncidentState::InProgress);
}

#[test]
fn a_comment_after_the_closing_stays_at_home_and_is_told() {
    for mut world in linked_worlds() {
        world.set_state(IncidentState::Closed);
        world.settle();
        world.pass_time(60);
        world.comment("e1", "One more question.");
        assert_eq!(world.settle(), ["report"]);
        assert_eq!(world.link.notices, [Notice::CommentAfterClosing { entry: JournalEntryId::new("e1") }]);
        assert!(world.incident.summary.columns.last_error.contains("after this incident was closed"));
        assert_eq!((world.bodies().len(), world.status()), (1, "resolved"));
        assert_eq!(world.settle(), Vec::<&str>::new());
    }
}

#[test]
fn what_was_written_before_the_closing_goes_out_however_late_it_is_read() {
    for mut world in linked_worlds() {
        world.set_state(IncidentState::Resolved);
        world.settle();
        world.pass_time(60);
        world.comment("e1", "Please keep the logs.");
        world.pass_time(60);
        world.set_state(IncidentState::Closed);
        assert_eq!(world.settle()[..2], ["add_communication", "resolve_case"], "it is resolved again");
        assert!(world.bodies().last().unwrap().contains("Please keep the logs."));
        assert_eq!(world.status(), "resolved");
        assert_eq!(world.incident.summary.state, IncidentState::Closed);
    }
}

#[test]
fn the_platforms_closing_comment_reopens_nothing() {
    for mut world in linked_worlds() {
        world.set_state(IncidentState::Resolved);
        world.settle();
        world.pass_time(60);
        world.set_state_with_comment(IncidentState::Closed, "e1", "Closed automatically.");
        "system".clone_into(&mut world.incident.entries.last_mut().unwrap().created_by);
        assert_eq!(world.settle(), Vec::<&str>::new());
        assert_eq!((world.bodies().len(), world.status()), (1, "resolved"));
        assert!(world.link.notices.is_empty());
    }
}

/// A comment by casebridge's user that no finished delivery names may be one that is under way.
#[test]
fn a_comment_of_unclear_origin_is_told_after_l_and_never_sent() {
    let mut world = World::linked();
    world.pass_time(1);
    let written_at = world.now;
    world.incident.summary.sys_mod_count += 1;
    let unclear = JournalEntry { undecided: true, ..entry("e1", written_at, "Whose words are these?") };
    world.incident.entries.push(unclear);
    assert_eq!(world.settle(), Vec::<&str>::new());
    let clear_at = written_at.checked_add(world.policy.unknown_outcome()).unwrap();
    assert_eq!(world.due, Some(clear_at));
    world.comment("e2", "Any news?");
    assert_eq!(world.settle(), ["add_communication"], "it holds nothing back");
    world.now = clear_at;
    assert_eq!(world.settle(), ["report"]);
    assert_eq!(world.link.notices, [Notice::CommentOfUnclearOrigin { entry: JournalEntryId::new("e1") }]);
    assert!(world.incident.summary.columns.last_error.contains("belongs to no delivery"));
    assert_eq!(world.bodies().len(), 2);
}

#[test]
fn a_comment_of_unclear_origin_that_a_delivery_names_by_then_is_forgotten() {
    let mut world = World::linked();
    world.pass_time(1);
    world.incident.entries.push(JournalEntry { undecided: true, ..entry("e1", world.now, "From AWS") });
    world.settle();
    let delivered = world.incident.entries.last_mut().unwrap();
    (delivered.undecided, delivered.ours) = (false, true);
    world.pass_time(i64::from(world.policy.unknown_outcome_seconds));
    assert_eq!(world.settle(), Vec::<&str>::new());
    assert!(world.link.notices.is_empty());
}

/// There are more comments than one answer holds: the newest are left out.
#[test]
fn the_first_of_many_comments_go_though_a_side_has_ended_and_nothing_ends_before_the_last() {
    for (incident_ends, case_ends) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut world = World::linked();
        world.comment("e1", "One");
        world.comment("e2", "Two");
        world.comment("e3", "Three");
        if incident_ends {
            world.set_state(IncidentState::Resolved);
        }
        if case_ends {
            world.set_status("resolved");
        }
        let mut observation = world.unseen();
        let mut cut = world.snapshot(None);
        cut.entries.truncate(2);
        cut.entries_complete = false;
        observation.see_incident(&world.policy, cut, world.now);
        world.see_case(&mut observation);
        let plan = world.plan(&observation);
        let name = format!("incident ended: {incident_ends}, case ended: {case_ends}");
        assert_eq!(names(&plan)[..2], ["add_communication"; 2], "{name}");
        assert!(!names(&plan).contains(&"resolve_case") && !names(&plan).contains(&"deliver"), "{name}");
        for effect in &plan.effects {
            if !world.apply(&mut observation, effect) {
                break;
            }
        }
        world.record(observation);
        assert!(world.due.is_some(), "{name}");
        world.settle();
        assert_eq!(world.bodies().len(), 4, "{name}");
        assert_eq!(world.status() == "resolved", incident_ends, "{name}");
    }
}

/// A comment and the end in one save: casebridge sends the one, resolves the case, and an older answer shows it reopened.
#[test]
fn a_status_that_an_older_answer_shows_is_told_by_the_texts_that_it_leaves_out() {
    let mut world = World::linked();
    let older = crate::world::as_case(world.case.as_ref().unwrap());
    world.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    world.settle();
    assert_eq!(world.status(), "resolved");
    let mut observation = world.unseen();
    world.see_incident(&mut observation);
    let reopened = Case { status: CaseStatus::new("reopened"), ..older };
    observation.see_case(&world.policy, reopened.clone(), world.now);
    assert!(observation.link.memory.case.as_ref().unwrap().is_resolved(), "our text is newer than this answer");
    let mut observation = world.unseen();
    world.see_incident(&mut observation);
    let communications = crate::world::as_case(world.case.as_ref().unwrap()).communications;
    observation.see_case(&world.policy, Case { communications, ..reopened }, world.now);
    assert!(!observation.link.memory.case.as_ref().unwrap().is_resolved());
}

/// A comment whose call stays without an answer and that is not on the case, while both sides end.
fn both_ended_before_our_text_lands() -> World {
    let mut world = World::linked();
    world.comment("e1", "Any news?");
    let mut observation = world.observe();
    let effect = world.plan(&observation).effects.remove(0);
    assert!(observation.begin(&effect, world.now));
    world.record(observation);
    world.set_status("resolved");
    world.set_state(IncidentState::Resolved);
    world.settle();
    assert!(world.link.intent.is_some() && world.link.base.ended);
    let Effect::Call(Call::AddCommunication { body, .. }) = effect else { panic!("{effect:?}") };
    world.communicate(BRIDGE, &body);
    assert_eq!(world.status(), "reopened");
    world
}

#[test]
fn our_text_that_lands_after_both_have_ended_reopens_no_incident() {
    let mut world = both_ended_before_our_text_lands();
    assert_eq!(world.settle()[0], "resolve_case");
    assert_eq!((&world.incident.summary.state, world.status()), (&IncidentState::Resolved, "resolved"));
}

#[test]
fn a_customer_who_writes_beside_our_late_text_reopens_the_incident() {
    for (author, state) in [(PERSON, IncidentState::InProgress), ("Amazon Web Services", IncidentState::Resolved)] {
        let mut world = both_ended_before_our_text_lands();
        world.communicate(author, "One more thing.");
        world.settle();
        assert_eq!(world.incident.summary.state, state, "{author}");
        assert!(world.incident.entries.iter().any(|entry| entry.text.contains("One more thing.")), "{author}");
    }
}

/// The customer's text is read first, with a status that is still the old one, and put on the incident.
#[test]
fn a_customer_who_wrote_before_our_late_text_shows_reopens_the_incident() {
    for (text, state) in [("One more thing.", IncidentState::InProgress), ("I am away.", IncidentState::Resolved)] {
        let mut world = both_ended_before_our_text_lands();
        world.link.journal.reopened_by(["I am away."]);
        let ours = world.case.as_mut().unwrap().communications.pop().unwrap();
        world.communicate(PERSON, text);
        world.set_status("resolved");
        world.settle();
        assert!(world.link.base.ended && world.incident.entries.iter().any(|entry| entry.text.contains(text)));
        let case = world.case.as_mut().unwrap();
        case.communications.push(ours);
        case.status = "reopened".to_owned();
        world.settle();
        assert_eq!(world.incident.summary.state, state, "{text}");
    }
}

/// AWS took a text of ours and never shows it, or took back the last one that it showed.
#[test]
fn what_aws_never_shows_keeps_an_end_from_being_agreed_on_for_a_time_only() {
    type Change = fn(&mut Pass, &World);
    let never_shown: Change = |observation, world| {
        let mark = Mark::draw(Entropy::new([7; 16]), &observation.key, 7);
        observation.link.memory.conversation.sending(&mark, "Any news?", world.now);
    };
    let taken_back: Change = |observation, world| {
        let mut shown = crate::world::as_case(world.case.as_ref().unwrap());
        let mut last = shown.communications.last().unwrap().clone();
        (last.time_created, last.body) = (world.now, "Sent to the wrong customer".to_owned());
        shown.communications.push(last);
        observation.see_case(&world.policy, shown, world.now);
    };
    for (change, clocks_apart) in [(never_shown, seconds(0)), (taken_back, CLOCKS_APART)] {
        let mut world = World::linked();
        world.pass_time(10);
        let mut observation = world.observe();
        change(&mut observation, &world);
        let ids: Vec<_> = observation.aws.shown.iter().map(|seen| seen.id.clone()).collect();
        for id in &ids {
            observation.link.memory.conversation.delivered(id);
        }
        let written_at = world.now;
        world.link = observation.link;
        world.set_status("resolved");
        world.set_state(IncidentState::Resolved);
        let observation = world.observe();
        assert!(!observation.link.base.ended, "it may have reopened the case");
        assert!(observation.link.memory.full_read_at.is_some(), "it is looked for again");
        world.link = observation.link;
        let l = world.policy.unknown_outcome();
        world.now = written_at.checked_add(l + clocks_apart + seconds(1)).unwrap();
        assert!(world.observe().link.base.ended);
    }
}

#[test]
fn the_trail_tells_an_agents_end_from_the_one_that_casebridge_intended() {
    for ended_by_another in [true, false] {
        let mut world = meant_to_end();
        world.comment("e1", "Is it fixed?");
        world.set_state(IncidentState::Resolved);
        world.incident.summary.ended_by_another = ended_by_another;
        world.settle();
        let expected = if ended_by_another { IncidentState::Resolved } else { IncidentState::InProgress };
        assert_eq!(world.incident.summary.state, expected, "what casebridge had not seen is a reaction to its own end");
        assert!(world.bodies().last().unwrap().contains("Is it fixed?"));
    }
}

/// The remembered status of the case may be out of date.
#[test]
fn an_end_is_agreed_on_with_a_read_of_the_case_that_shows_it() {
    let mut world = World::linked();
    world.set_status("resolved");
    let mut observation = world.unseen();
    world.see_case(&mut observation);
    world.set_state(IncidentState::Resolved);
    world.link = observation.link;
    let mut observation = world.unseen();
    world.see_incident(&mut observation);
    assert!(!observation.link.base.ended, "the case was not read");
    let mut not_believed = crate::world::as_case(world.case.as_ref().unwrap());
    not_believed.status = CaseStatus::new("opened");
    observation.see_case(&world.policy, not_believed, world.now);
    assert!(observation.link.memory.case.as_ref().unwrap().is_resolved() && !observation.link.base.ended);
    world.see_case(&mut observation);
    assert!(observation.link.base.ended);
}

/// AWS resolved the case unseen, our text reopened it, and the resolution that follows stays without an answer.
#[test]
fn a_resolution_in_doubt_is_not_found_by_a_reopening_that_may_be_our_own() {
    let mut world = World::linked();
    world.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    let mut observation = world.observe();
    world.set_status("resolved");
    let plan = world.plan(&observation);
    assert_eq!(names(&plan)[..2], ["add_communication", "resolve_case"]);
    assert!(world.apply(&mut observation, &plan.effects[0]));
    assert!(observation.begin(&plan.effects[1], world.now));
    assert_eq!(world.status(), "reopened");
    world.see_case(&mut observation);
    assert!(observation.link.intent.is_some(), "the case was never resolved by this call");
    world.record(observation);
    world.pass_time(i64::from(world.policy.unknown_outcome_seconds));
    assert_eq!(world.settle()[0], "resolve_case");
    assert_eq!((&world.incident.summary.state, world.status()), (&IncidentState::Resolved, "resolved"));
}

/// As before, but the call is lost on its way, and an answer from before our text shows AWS's own resolution.
#[test]
fn a_resolution_in_doubt_is_not_found_by_one_from_before_our_text() {
    let mut world = World::linked();
    world.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    let mut observation = world.observe();
    world.set_status("resolved");
    let older = crate::world::as_case(world.case.as_ref().unwrap());
    let plan = world.plan(&observation);
    assert!(world.apply(&mut observation, &plan.effects[0]));
    assert!(observation.begin(&plan.effects[1], world.now));
    observation.see_case(&world.policy, older, world.now);
    assert!(observation.link.intent.is_some(), "it does not show our text, which reopened the case since");
    world.record(observation);
    world.pass_time(i64::from(world.policy.unknown_outcome_seconds));
    assert_eq!(world.settle()[0], "resolve_case");
    assert_eq!((&world.incident.summary.state, world.status()), (&IncidentState::Resolved, "resolved"));
}

/// A customer writes after the end. An agent reads it, and ends the incident again before anybody saw it open.
#[test]
fn what_a_customer_wrote_before_the_incident_was_ended_again_reopens_nothing_later() {
    for is_read_by_the_agent in [true, false] {
        let mut world = World::linked();
        world.audit_trail = true;
        world.set_state(IncidentState::Resolved);
        world.settle();
        world.communicate(PERSON, "One more thing.");
        world.set_status("resolved");
        if is_read_by_the_agent {
            world.settle();
        } else {
            world.link = world.observe().link;
        }
        assert!(world.link.base.ended && world.link.memory.customer_wrote);
        world.set_state(IncidentState::InProgress);
        world.set_state(IncidentState::Resolved);
        let observation = world.observe();
        assert_eq!(observation.link.memory.customer_wrote, !is_read_by_the_agent);
    }
}

#[test]
fn a_text_that_is_sent_in_part_goes_on_before_one_that_turns_up_in_its_second() {
    let mut world = World::linked();
    world.comment("e2", &"All of it. ".repeat(1_500));
    let mut observation = world.observe();
    let first = world.plan(&observation).effects.remove(0);
    assert!(world.apply(&mut observation, &first));
    world.record(observation);
    let written_at = world.incident.entries.last().unwrap().created_on;
    world.incident.summary.sys_mod_count += 1;
    world.incident.entries.insert(0, entry("e1", written_at, "Any news?"));
    world.settle();
    let bodies = world.bodies();
    assert!(bodies.last().unwrap().contains("Any news?"), "{}", bodies.len());
    assert_eq!(bodies.iter().map(|body| body.matches("All").count()).sum::<usize>(), 1_500);
}
