//! What ends and reopens an incident and its case, and what becomes of texts that were written around that time.

use casebridge_core::{
    identifiers::JournalEntryId,
    link::{
        intent::IntentEnd,
        mark::{Entropy, Mark},
        notice::Notice,
        plan::Waiting,
    },
    policy::ClosedIncidentRule,
    servicenow::incident::{Incident, IncidentState, JournalEntry},
    support::{
        Effect, Pass, Plan,
        call::{Call, Content, Done},
        case::{Case, CaseStatus},
        memory::{Reduction, RefusedText},
    },
    text::text_hash,
    time::{CLOCKS_APART, seconds},
};

use crate::sides::{BRIDGE, Sides, entry, names};

const PERSON: &str = "Admin (Role) <person@example.com>";

/// Returns the fields that a plan's delivery sets: state, close code, close notes.
fn fields(plan: &Plan) -> (String, String, String) {
    let found = plan.effects.iter().find_map(|effect| match effect {
        Effect::Deliver(delivery) => Some(delivery.fields.clone()),
        _ => None,
    });
    let fields = found.unwrap();
    (fields.state, fields.close_code, fields.close_notes)
}

/// Returns linked sides with an audit trail, and linked sides without one that keep the first `resolved_at`.
fn linked_worlds() -> [Sides; 2] {
    [true, false].map(|audit_trail| {
        let mut sides = Sides::linked();
        sides.audit_trail = audit_trail;
        sides.keeps_resolved_at = !audit_trail;
        sides
    })
}

#[test]
fn close_code_and_notes_are_filled_only_where_they_are_empty() {
    for (has_close_code, has_close_notes) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut sides = Sides::linked();
        sides.set_status("resolved");
        sides.incident.summary.has_close_code = has_close_code;
        sides.incident.summary.has_close_notes = has_close_notes;
        let pass = sides.observe();
        let (state, code, notes) = fields(&sides.plan(&pass));
        assert_eq!((state.as_str(), code.is_empty(), notes.is_empty()), ("6", has_close_code, has_close_notes));
    }
}

#[test]
fn a_text_that_has_to_reopen_the_case_is_confirmed_by_a_look_at_it() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_state(IncidentState::InProgress);
    sides.comment("e1", "It is back.");
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan)[0], "add_communication");
    let before = sides.case.as_ref().unwrap().communications.len();
    assert!(!sides.apply(&mut pass, &plan.effects[0]), "AWS answered well, and that proves nothing");
    assert!(pass.link.intent.is_some() && pass.link.memory.case.as_ref().unwrap().is_resolved());
    // A read that does not show the text leaves it in doubt, and nothing is sent after it.
    let whole = std::mem::take(&mut sides.case.as_mut().unwrap().communications);
    sides.case.as_mut().unwrap().communications = whole[..before].to_vec();
    sides.case.as_mut().unwrap().status = "resolved".to_owned();
    sides.see_case(&mut pass);
    let plan = sides.plan(&pass);
    assert!(plan.effects.is_empty(), "{plan:?}");
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::UnknownOutcome { .. })));
    sides.case.as_mut().unwrap().communications = whole;
    sides.case.as_mut().unwrap().status = "reopened".to_owned();
    sides.see_case(&mut pass);
    assert_eq!(pass.link.ended_intent.unwrap().end, IntentEnd::FoundDone);
    assert!(!pass.link.memory.case.as_ref().unwrap().is_resolved());
    sides.record(pass);
    sides.settle();
    assert_eq!(sides.bodies().iter().filter(|body| body.contains("It is back.")).count(), 1);
}

#[test]
fn a_text_that_aws_took_and_does_not_show_is_told_and_waits() {
    let mut sides = Sides::commented_after_the_end();
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan)[..2], ["deliver", "add_communication"]);
    assert!(sides.apply(&mut pass, &plan.effects[0]));
    pass.begin(&plan.effects[1], sides.now);
    assert!(!pass.done(&sides.policy, Done::CommunicationAdded, sides.now).unwrap());
    sides.record(pass);
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    assert_eq!(sides.settle(), ["write_columns"]);
    assert_eq!(sides.link.ended_intent.unwrap().end, IntentEnd::NeverApplied);
    let columns = &sides.incident.summary.columns;
    assert_eq!(columns.sync_status, "error");
    assert!(columns.last_error.contains("14 days"), "{}", columns.last_error);
    assert_eq!(sides.due, sides.link.troubles.side_until(casebridge_core::link::trouble::Side::Aws));
    sides.now = sides.due.unwrap();
    assert_eq!(sides.settle()[0], "add_communication", "it is tried again");
}

/// AWS resolved the case. While casebridge resolved the incident, a person wrote that it is not over.
#[test]
fn what_was_unseen_when_casebridge_ended_the_incident_reopens_both() {
    for mut sides in linked_worlds() {
        sides.set_status("resolved");
        let mut pass = sides.observe();
        let plan = sides.plan(&pass);
        assert_eq!(names(&plan), ["deliver"]);
        sides.comment("e1", "It is not over.");
        let Effect::Deliver(delivery) = plan.effects[0].clone() else { panic!("{plan:?}") };
        // The delivery's update comes after the comment, but no read has shown the comment.
        let expected_mod_count = sides.incident.summary.sys_mod_count;
        let delivery = casebridge_core::servicenow::delivery::Delivery { expected_mod_count, ..delivery };
        sides.apply(&mut pass, &Effect::Deliver(delivery));
        assert_eq!(sides.incident.summary.state, IncidentState::Resolved);
        sides.record(pass);
        sides.settle();
        assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
        assert_eq!(sides.status(), "reopened");
        assert_eq!(sides.bodies().iter().filter(|body| body.contains("It is not over.")).count(), 1);
    }
}

#[test]
fn what_was_written_in_the_update_that_resolved_the_incident_belongs_to_its_end() {
    for mut sides in linked_worlds() {
        sides.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
        assert_eq!(sides.settle(), ["add_communication", "resolve_case", "write_columns"]);
        assert_eq!(sides.incident.summary.state, IncidentState::Resolved);
        assert_eq!(sides.status(), "resolved");
    }
}

/// AWS may show that the case is reopened before it shows our text that reopened it.
#[test]
fn what_was_written_before_the_end_reopens_no_incident_though_the_status_shows_before_the_text() {
    let mut sides = Sides::linked();
    sides.set_status("resolved");
    sides.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan)[0], "add_communication");
    assert!(!sides.apply(&mut pass, &plan.effects[0]));
    let text = sides.case.as_mut().unwrap().communications.pop().unwrap();
    sides.see_case(&mut pass);
    assert!(pass.link.intent.is_some() && !pass.link.memory.case.as_ref().unwrap().is_resolved());
    sides.case.as_mut().unwrap().communications.push(text);
    sides.record(pass);
    assert_eq!(sides.settle()[0], "resolve_case");
    assert_eq!((&sides.incident.summary.state, sides.status()), (&IncidentState::Resolved, "resolved"));
}

/// Returns sides where AWS resolved the case and casebridge was interrupted before it ended the incident as intended.
fn meant_to_end() -> Sides {
    let mut sides = Sides::linked();
    sides.audit_trail = true;
    sides.set_status("resolved");
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    assert!(pass.begin(&effect, sides.now));
    sides.link = pass.link;
    sides
}

#[test]
fn what_an_agent_wrote_with_the_end_that_casebridge_intended_is_no_reaction() {
    let mut sides = meant_to_end();
    sides.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    assert_eq!(sides.settle()[..2], ["add_communication", "resolve_case"]);
    assert_eq!((&sides.incident.summary.state, sides.status()), (&IncidentState::Resolved, "resolved"));
}

/// AWS reopened the case, and casebridge reopened the incident and was interrupted. An agent who ends the incident then
/// has seen the reopening.
#[test]
fn an_incident_that_is_ended_after_casebridge_reopened_it_stays_ended() {
    let mut sides = Sides::linked();
    sides.audit_trail = true;
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_status("reopened");
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    assert!(pass.begin(&effect, sides.now));
    sides.link = pass.link.clone();
    assert!(sides.apply(&mut pass, &effect));
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
    sides.set_state(IncidentState::Resolved);
    sides.pass_time(300);
    assert_eq!(sides.settle()[0], "resolve_case");
    assert_eq!((&sides.incident.summary.state, sides.status()), (&IncidentState::Resolved, "resolved"));
}

/// The incident is resolved, reopened and resolved again between two reads. The last resolution counts.
#[test]
fn an_incident_that_was_resolved_again_keeps_what_was_written_before() {
    for mut sides in linked_worlds() {
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        sides.pass_time(60);
        sides.set_state(IncidentState::InProgress);
        sides.settle();
        sides.pass_time(60);
        sides.comment("e1", "It works now.");
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        assert_eq!(sides.incident.summary.state, IncidentState::Resolved, "it is no reaction");
        assert_eq!(sides.status(), "resolved");
        assert!(sides.bodies().last().unwrap().contains("It works now."));
    }
}

#[test]
fn a_comment_that_has_reopened_the_link_once_does_not_do_so_again() {
    for mut sides in linked_worlds() {
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        sides.pass_time(60);
        sides.comment("e1", "I am out of office.");
        sides.settle();
        assert_eq!(sides.incident.summary.state, IncidentState::InProgress, "the first time it might matter");
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        sides.pass_time(60);
        sides.comment("e2", "I am out of office.");
        assert_eq!(sides.settle(), ["write_columns"]);
        assert_eq!(sides.incident.summary.state, IncidentState::Resolved);
        assert_eq!(sides.status(), "resolved");
        assert!(sides.incident.summary.columns.last_error.contains("reopened nothing"));
        // A different comment reopens the link, and then the repeated one is sent.
        sides.comment("e3", "It is back.");
        sides.settle();
        assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
        assert_eq!(sides.bodies().iter().filter(|body| body.contains("I am out of office.")).count(), 2);
        assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
    }
}

#[test]
fn a_reply_that_has_reopened_the_link_once_does_not_do_so_again() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.reply("Thank you for your feedback.");
    sides.settle();
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    assert_eq!(sides.status(), "resolved");
    sides.reply("Thank you for your feedback.");
    assert_eq!(sides.settle(), ["deliver"], "it arrives all the same");
    // The case has been reopened before, so until L is over the status may be an echo of that.
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    assert_eq!(sides.settle(), ["write_columns"]);
    assert_eq!(sides.incident.summary.state, IncidentState::Resolved);
    assert!(sides.incident.summary.columns.last_error.contains("reopened nothing"));
    assert_eq!(sides.settle(), Vec::<&str>::new());
    sides.reply("We have found the cause.");
    assert_eq!(sides.settle(), ["deliver"], "another text does, and the same write takes back what was told");
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
}

#[test]
fn a_comment_after_the_closing_stays_at_home_and_is_told() {
    for mut sides in linked_worlds() {
        sides.set_state(IncidentState::Closed);
        sides.settle();
        sides.pass_time(60);
        sides.comment("e1", "One more question.");
        assert_eq!(sides.settle(), ["write_columns"]);
        assert_eq!(sides.link.notices, [Notice::CommentAfterClosing { entry: JournalEntryId::new("e1") }]);
        assert!(sides.incident.summary.columns.last_error.contains("after this incident was closed"));
        assert_eq!((sides.bodies().len(), sides.status()), (1, "resolved"));
        assert_eq!(sides.settle(), Vec::<&str>::new());
    }
}

#[test]
fn what_was_written_before_the_closing_goes_out_however_late_it_is_read() {
    for mut sides in linked_worlds() {
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        sides.pass_time(60);
        sides.comment("e1", "Please keep the logs.");
        sides.pass_time(60);
        sides.set_state(IncidentState::Closed);
        assert_eq!(sides.settle()[..2], ["add_communication", "resolve_case"], "it is resolved again");
        assert!(sides.bodies().last().unwrap().contains("Please keep the logs."));
        assert_eq!(sides.status(), "resolved");
        assert_eq!(sides.incident.summary.state, IncidentState::Closed);
    }
}

#[test]
fn the_platforms_closing_comment_reopens_nothing() {
    for mut sides in linked_worlds() {
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        sides.pass_time(60);
        sides.set_state_with_comment(IncidentState::Closed, "e1", "Closed automatically.");
        "system".clone_into(&mut sides.incident.entries.last_mut().unwrap().created_by);
        assert_eq!(sides.settle(), Vec::<&str>::new());
        assert_eq!((sides.bodies().len(), sides.status()), (1, "resolved"));
        assert!(sides.link.notices.is_empty());
    }
}

/// A comment by casebridge's user that no finished delivery names may belong to a delivery under way.
#[test]
fn a_comment_of_unclear_origin_is_told_after_l_and_never_sent() {
    let mut sides = Sides::linked();
    sides.pass_time(1);
    let written_at = sides.now;
    sides.incident.summary.sys_mod_count += 1;
    let unclear = JournalEntry { undecided: true, ..entry("e1", written_at, "Whose words are these?") };
    sides.incident.entries.push(unclear);
    assert_eq!(sides.settle(), Vec::<&str>::new());
    let unclear_origin_wait = written_at.checked_add(sides.policy.unknown_outcome()).unwrap();
    assert_eq!(sides.due, Some(unclear_origin_wait));
    sides.pass_time(60);
    sides.settle();
    assert_eq!(sides.due, Some(unclear_origin_wait), "it counts from when the comment was written");
    sides.comment("e2", "Any news?");
    assert_eq!(sides.settle(), ["add_communication"], "it holds nothing back");
    sides.now = unclear_origin_wait;
    assert_eq!(sides.settle(), ["write_columns"]);
    assert_eq!(sides.link.notices, [Notice::CommentOfUnclearOrigin { entry: JournalEntryId::new("e1") }]);
    assert!(sides.incident.summary.columns.last_error.contains("belongs to no delivery"));
    assert_eq!(sides.bodies().len(), 2);
}

#[test]
fn a_comment_of_unclear_origin_that_a_delivery_names_by_then_is_forgotten() {
    let mut sides = Sides::linked();
    sides.pass_time(1);
    sides.incident.entries.push(JournalEntry { undecided: true, ..entry("e1", sides.now, "From AWS") });
    sides.settle();
    let delivered = sides.incident.entries.last_mut().unwrap();
    (delivered.undecided, delivered.ours) = (false, true);
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    assert_eq!(sides.settle(), Vec::<&str>::new());
    assert!(sides.link.notices.is_empty());
}

/// There are more comments than one answer holds, so the newest are left out.
#[test]
fn the_first_of_many_comments_go_though_a_side_has_ended_and_nothing_ends_before_the_last() {
    for (incident_ends, case_ends) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut sides = Sides::linked();
        sides.comment("e1", "One");
        sides.comment("e2", "Two");
        sides.comment("e3", "Three");
        if incident_ends {
            sides.set_state(IncidentState::Resolved);
        }
        if case_ends {
            sides.set_status("resolved");
        }
        let mut pass = sides.unseen();
        let mut cut = sides.snapshot(None);
        cut.entries.truncate(2);
        cut.entries_complete = false;
        pass.see_incident(&sides.policy, cut, sides.now);
        sides.see_case(&mut pass);
        let plan = sides.plan(&pass);
        let name = format!("incident ended: {incident_ends}, case ended: {case_ends}");
        assert_eq!(names(&plan)[..2], ["add_communication"; 2], "{name}");
        assert!(!names(&plan).contains(&"resolve_case") && !names(&plan).contains(&"deliver"), "{name}");
        for effect in &plan.effects {
            if !sides.apply(&mut pass, effect) {
                break;
            }
        }
        sides.record(pass);
        assert!(sides.due.is_some(), "{name}");
        sides.settle();
        assert_eq!(sides.bodies().len(), 4, "{name}");
        assert_eq!(sides.status() == "resolved", incident_ends, "{name}");
    }
}

/// A comment and the end are in one save. casebridge sends the comment and resolves the case, and an older answer shows
/// the case reopened.
#[test]
fn a_status_that_an_older_answer_shows_is_told_by_the_texts_that_it_leaves_out() {
    let mut sides = Sides::linked();
    let older = crate::sides::as_case(sides.case.as_ref().unwrap());
    sides.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    sides.settle();
    assert_eq!(sides.status(), "resolved");
    let mut pass = sides.unseen();
    sides.see_incident(&mut pass);
    let reopened = Case { status: CaseStatus::new("reopened"), ..older };
    pass.see_case(&sides.policy, reopened.clone(), sides.now);
    assert!(pass.link.memory.case.as_ref().unwrap().is_resolved(), "our text is newer than this answer");
    let mut pass = sides.unseen();
    sides.see_incident(&mut pass);
    let communications = crate::sides::as_case(sides.case.as_ref().unwrap()).communications;
    pass.see_case(&sides.policy, Case { communications, ..reopened }, sides.now);
    assert!(!pass.link.memory.case.as_ref().unwrap().is_resolved());
}

/// Returns sides that both end while the call for a comment is in doubt and its text is not on the case.
fn both_ended_before_our_text_lands() -> Sides {
    let mut sides = Sides::linked();
    sides.comment("e1", "Any news?");
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    assert!(pass.begin(&effect, sides.now));
    sides.record(pass);
    sides.set_status("resolved");
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    assert!(sides.link.intent.is_some() && sides.link.base.ended);
    let Effect::Call(Call::AddCommunication { body, .. }) = effect else { panic!("{effect:?}") };
    sides.communicate(BRIDGE, &body);
    assert_eq!(sides.status(), "reopened");
    sides
}

#[test]
fn our_text_that_lands_after_both_have_ended_reopens_no_incident() {
    let mut sides = both_ended_before_our_text_lands();
    assert_eq!(sides.settle()[0], "resolve_case");
    assert_eq!((&sides.incident.summary.state, sides.status()), (&IncidentState::Resolved, "resolved"));
}

#[test]
fn a_customer_who_writes_beside_our_late_text_reopens_the_incident() {
    for (author, state) in [(PERSON, IncidentState::InProgress), ("Amazon Web Services", IncidentState::Resolved)] {
        let mut sides = both_ended_before_our_text_lands();
        sides.communicate(author, "One more thing.");
        sides.settle();
        assert_eq!(sides.incident.summary.state, state, "{author}");
        assert!(sides.incident.entries.iter().any(|entry| entry.text.contains("One more thing.")), "{author}");
    }
}

/// The customer's text is read first, with the old status, and delivered to the incident.
#[test]
fn a_customer_who_wrote_before_our_late_text_shows_reopens_the_incident() {
    for (text, state) in [("One more thing.", IncidentState::InProgress), ("I am away.", IncidentState::Resolved)] {
        let mut sides = both_ended_before_our_text_lands();
        sides.link.journal.reopened_by(["I am away."]);
        let ours = sides.case.as_mut().unwrap().communications.pop().unwrap();
        sides.communicate(PERSON, text);
        sides.set_status("resolved");
        sides.settle();
        assert!(sides.link.base.ended && sides.incident.entries.iter().any(|entry| entry.text.contains(text)));
        let case = sides.case.as_mut().unwrap();
        case.communications.push(ours);
        case.status = "reopened".to_owned();
        sides.settle();
        assert_eq!(sides.incident.summary.state, state, "{text}");
    }
}

/// AWS took a text of ours and never shows it, or took back the last text that it showed.
#[test]
fn what_aws_never_shows_keeps_an_end_from_being_agreed_on_for_a_time_only() {
    type Change = fn(&mut Pass, &Sides);
    let never_shown: Change = |pass, sides| {
        let mark = Mark::draw(Entropy::new([7; 16]), &pass.key, 7);
        pass.link.memory.conversation.sending(&mark, "Any news?", sides.now);
    };
    let taken_back: Change = |pass, sides| {
        let mut shown = crate::sides::as_case(sides.case.as_ref().unwrap());
        let mut last = shown.communications.last().unwrap().clone();
        (last.time_created, last.body) = (sides.now, "Sent to the wrong customer".to_owned());
        shown.communications.push(last);
        pass.see_case(&sides.policy, shown, sides.now);
    };
    for (change, kept_for) in [(never_shown, seconds(0)), (taken_back, CLOCKS_APART + seconds(1))] {
        let mut sides = Sides::linked();
        sides.pass_time(10);
        let mut pass = sides.observe();
        change(&mut pass, &sides);
        let ids: Vec<_> = pass.aws.shown.iter().map(|seen| seen.id.clone()).collect();
        for id in &ids {
            pass.link.memory.conversation.delivered(id);
        }
        let written_at = sides.now;
        sides.link = pass.link;
        sides.set_status("resolved");
        sides.set_state(IncidentState::Resolved);
        let pass = sides.observe();
        assert!(!pass.link.base.ended, "it may have reopened the case");
        assert!(pass.link.memory.full_read_at.is_some(), "it is looked for again");
        sides.link = pass.link;
        let l = sides.policy.unknown_outcome();
        sides.now = written_at.checked_add(l + kept_for).unwrap();
        assert!(sides.observe().link.base.ended);
    }
}

#[test]
fn the_trail_tells_an_agents_end_from_the_one_that_casebridge_intended() {
    for ended_by_another in [true, false] {
        let mut sides = meant_to_end();
        sides.comment("e1", "Is it fixed?");
        sides.set_state(IncidentState::Resolved);
        sides.incident.summary.ended_by_another = ended_by_another;
        sides.settle();
        let expected = if ended_by_another { IncidentState::Resolved } else { IncidentState::InProgress };
        assert_eq!(sides.incident.summary.state, expected, "what casebridge had not seen is a reaction to its own end");
        assert!(sides.bodies().last().unwrap().contains("Is it fixed?"));
    }
}

/// The remembered status of the case may be out of date.
#[test]
fn an_end_is_agreed_on_with_a_read_of_the_case_that_shows_it() {
    let mut sides = Sides::linked();
    sides.set_status("resolved");
    let mut pass = sides.unseen();
    sides.see_case(&mut pass);
    sides.set_state(IncidentState::Resolved);
    sides.link = pass.link;
    let mut pass = sides.unseen();
    sides.see_incident(&mut pass);
    assert!(!pass.link.base.ended, "the case was not read");
    let mut not_believed = crate::sides::as_case(sides.case.as_ref().unwrap());
    not_believed.status = CaseStatus::new("opened");
    pass.see_case(&sides.policy, not_believed, sides.now);
    assert!(pass.link.memory.case.as_ref().unwrap().is_resolved() && !pass.link.base.ended);
    sides.see_case(&mut pass);
    assert!(pass.link.base.ended);
}

/// AWS resolved the case between two reads, our text reopened it, and the ResolveCase that follows gets no answer.
#[test]
fn a_resolution_in_doubt_is_not_found_by_a_reopening_that_may_be_our_own() {
    let mut sides = Sides::linked();
    sides.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    let mut pass = sides.observe();
    sides.set_status("resolved");
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan)[..2], ["add_communication", "resolve_case"]);
    assert!(sides.apply(&mut pass, &plan.effects[0]));
    assert!(pass.begin(&plan.effects[1], sides.now));
    assert_eq!(sides.status(), "reopened");
    sides.see_case(&mut pass);
    assert!(pass.link.intent.is_some(), "the case was never resolved by this call");
    sides.record(pass);
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    assert_eq!(sides.settle()[0], "resolve_case");
    assert_eq!((&sides.incident.summary.state, sides.status()), (&IncidentState::Resolved, "resolved"));
}

/// AWS reopens the case, the incident is resolved again, and the ResolveCase is lost on its way. An answer from before
/// the reopening shows the earlier resolution.
#[test]
fn a_resolution_in_doubt_is_not_found_by_one_from_before_a_reopening() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    assert_eq!(sides.status(), "resolved");
    let older = crate::sides::as_case(sides.case.as_ref().unwrap());
    sides.set_status("reopened");
    sides.settle();
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
    sides.set_state(IncidentState::Resolved);
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan)[0], "resolve_case");
    assert!(pass.begin(&plan.effects[0], sides.now));
    pass.see_case(&sides.policy, older, sides.now);
    assert!(pass.link.intent.is_some(), "it may be older than the reopening");
    sides.record(pass);
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    assert_eq!(sides.settle()[0], "resolve_case");
    assert_eq!((&sides.incident.summary.state, sides.status()), (&IncidentState::Resolved, "resolved"));
}

/// As before, but the ResolveCase is lost on its way, and an answer from before our text shows AWS's own resolution.
#[test]
fn a_resolution_in_doubt_is_not_found_by_one_from_before_our_text() {
    let mut sides = Sides::linked();
    sides.set_state_with_comment(IncidentState::Resolved, "e1", "Fixed, thanks.");
    let mut pass = sides.observe();
    sides.set_status("resolved");
    let older = crate::sides::as_case(sides.case.as_ref().unwrap());
    let plan = sides.plan(&pass);
    assert!(sides.apply(&mut pass, &plan.effects[0]));
    assert!(pass.begin(&plan.effects[1], sides.now));
    pass.see_case(&sides.policy, older, sides.now);
    assert!(pass.link.intent.is_some(), "it does not show our text, which reopened the case since");
    sides.record(pass);
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    assert_eq!(sides.settle()[0], "resolve_case");
    assert_eq!((&sides.incident.summary.state, sides.status()), (&IncidentState::Resolved, "resolved"));
}

/// Our text has reopened the case before, and has been seen. The ResolveCase that follows later gets no answer.
#[test]
fn a_resolution_in_doubt_is_found_by_a_status_that_is_no_older_than_our_text() {
    let mut sides = Sides::commented_after_the_end();
    sides.settle();
    assert_eq!(sides.status(), "reopened");
    sides.pass_time(60);
    sides.set_state(IncidentState::Resolved);
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    assert_eq!(effect.name(), "resolve_case");
    assert!(pass.begin(&effect, sides.now));
    sides.set_status("resolved");
    let now = crate::sides::as_case(sides.case.as_ref().unwrap());
    let mut older = now.clone();
    assert!(older.communications.pop().unwrap().body.contains("It is back."));
    let earlier_status = Case { communications_are_later: true, ..now.clone() };
    for (shown, is_found) in [(older, false), (earlier_status, false), (now, true)] {
        let mut pass = pass.clone();
        pass.see_case(&sides.policy, shown, sides.now);
        assert_eq!(pass.link.intent.is_none(), is_found);
    }
}

#[test]
fn what_a_customer_writes_while_work_goes_on_is_no_reaction_to_its_end() {
    let mut sides = Sides::linked();
    sides.communicate(PERSON, "One more thing.");
    assert!(!sides.observe().link.memory.customer_wrote);
}

/// A customer writes after the end. An agent reads it and ends the incident again before a read shows the incident
/// open.
#[test]
fn what_a_customer_wrote_before_the_incident_was_ended_again_reopens_nothing_later() {
    for is_read_by_the_agent in [true, false] {
        let mut sides = Sides::linked();
        sides.audit_trail = true;
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        sides.communicate(PERSON, "One more thing.");
        sides.set_status("resolved");
        if is_read_by_the_agent {
            sides.settle();
        } else {
            sides.link = sides.observe().link;
        }
        assert!(sides.link.base.ended && sides.link.memory.customer_wrote);
        sides.set_state(IncidentState::InProgress);
        sides.set_state(IncidentState::Resolved);
        let pass = sides.observe();
        assert_eq!(pass.link.memory.customer_wrote, !is_read_by_the_agent);
    }
}

#[test]
fn a_text_that_is_sent_in_part_goes_on_before_one_that_turns_up_in_its_second() {
    let mut sides = Sides::linked();
    sides.comment("e2", &"All of it. ".repeat(1_500));
    let mut pass = sides.observe();
    let first = sides.plan(&pass).effects.remove(0);
    assert!(sides.apply(&mut pass, &first));
    sides.record(pass);
    let written_at = sides.incident.entries.last().unwrap().created_on;
    sides.incident.summary.sys_mod_count += 1;
    sides.incident.entries.insert(0, entry("e1", written_at, "Any news?"));
    sides.settle();
    let bodies = sides.bodies();
    assert!(bodies.last().unwrap().contains("Any news?"), "{}", bodies.len());
    assert_eq!(bodies.iter().map(|body| body.matches("All").count()).sum::<usize>(), 1_500);
}

/// The answer leaves out the newest comments, so the incident may have been reopened by one of them.
#[test]
fn the_first_of_many_comments_that_would_reopen_a_side_wait_for_the_last() {
    let mut sides = Sides::commented_after_the_end();
    let mut pass = sides.unseen();
    let cut = Incident { entries_complete: false, ..sides.snapshot(None) };
    pass.see_incident(&sides.policy, cut, sides.now);
    sides.see_case(&mut pass);
    assert_eq!(names(&sides.plan(&pass)), [""; 0]);
}

#[test]
fn an_incident_that_casebridge_reopens_has_no_agreed_end_any_more() {
    let mut sides = Sides::commented_after_the_end();
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan)[..2], ["deliver", "add_communication"]);
    sides.apply(&mut pass, &plan.effects[0]);
    assert!(!pass.link.base.ended, "the case follows");
}

/// AWS reopened the case of a closed incident. A comment from before the closing turns up and goes to the case.
#[test]
fn a_text_of_ours_on_a_case_that_others_reopened_does_not_end_it() {
    let mut sides = Sides::linked();
    sides.policy.case_reopened_after_closing = ClosedIncidentRule::Note;
    sides.set_state(IncidentState::Closed);
    sides.settle();
    sides.reply("One more thing.");
    sides.settle();
    let closed_at = sides.incident.summary.closed_at.unwrap();
    sides.incident.entries.push(entry("e1", closed_at, "Thank you."));
    sides.incident.summary.sys_mod_count += 1;
    assert_eq!(sides.settle()[0], "add_communication");
    assert_eq!(sides.status(), "reopened");
}

/// AWS reopened the case and resolved it again, so the reopening is accepted and the resolution not yet.
#[test]
fn a_case_whose_resolution_is_not_believed_yet_reopens_no_incident() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.reply("One more thing.");
    sides.link = sides.observe().link;
    sides.set_status("resolved");
    let pass = sides.observe();
    assert!(!pass.link.memory.case.as_ref().unwrap().is_resolved());
    assert_eq!(fields(&sides.plan(&pass)).0, "", "only the text is delivered");
}

#[test]
fn what_customers_wrote_since_the_end_does_not_count_once_work_goes_on() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.link.memory.customer_wrote = true;
    sides.link.memory.texts_since_end.push("0123456789abcdef".to_owned());
    sides.set_state(IncidentState::InProgress);
    sides.set_status("reopened");
    let link = sides.observe().link;
    assert!(!link.base.ended);
    assert!(!link.memory.customer_wrote && link.memory.texts_since_end.is_empty());
}

#[test]
fn comments_wait_for_the_rest_of_a_description_and_follow_its_end_in_the_same_plan() {
    for (reduction, calls) in [(Some(Reduction::Placeholder), 1), (None, 2)] {
        let mut sides = Sides::linked();
        sides.link.memory.opening_remainder = Some("~".repeat(3_000));
        let refused = |reduction| RefusedText { content: Content::OpeningRemainder, reduction, reason: String::new() };
        sides.link.memory.refused_text = reduction.map(refused);
        sides.comment("e1", "Any news?");
        let pass = sides.observe();
        assert_eq!(names(&sides.plan(&pass)), vec!["add_communication"; calls], "{reduction:?}");
    }
}

#[test]
fn a_text_from_after_the_end_is_remembered_once_it_is_on_the_incident() {
    let mut sides = Sides::linked();
    sides.policy.case_reopened_after_closing = ClosedIncidentRule::Note;
    sides.set_state(IncidentState::Closed);
    sides.settle();
    sides.reply("One more thing.");
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.link.memory.texts_since_end, [text_hash("One more thing.")]);
}
