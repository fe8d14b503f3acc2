//! What follows a case that AWS no longer reopens, and a case that is reopened after its incident was closed.

use casebridge_core::{
    failure::Refusal,
    identifiers::{AttachmentId, CaseId, CaseKey, CommunicationId, IncidentId, LinkKey, TransferId},
    link::{
        kind::Kind as _,
        plan::Waiting,
        remembered::Remembered as _,
        trouble::{Request, Side},
    },
    policy::{ClosedIncidentRule, OldCaseRule},
    servicenow::incident::IncidentState,
    support::{
        Effect, SupportCase,
        call::{Call, RefusedCall},
        files::{FileNotice, Files, Incoming, IncomingProgress, Outgoing, OutgoingProgress},
        index,
    },
};

use crate::{
    files::attach,
    sides::{self, Sides, delivery_of, names},
};

const DAY: i64 = 24 * 3600;

/// Returns an incident that was resolved so many days ago and has a comment since. AWS refuses the comment.
fn commented_after(days: i64) -> Sides {
    let mut sides = Sides::linked();
    sides.reply("It is mended.");
    sides.settle();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.pass_time(days * DAY);
    sides.comment("e1", "It is back.");
    sides.poison = Some("It is back.".to_owned());
    sides
}

/// Returns an incident that was resolved so many days ago and has a comment since. No answer came to the comment, AWS does not
/// show it, and L is over.
fn unseen_after(days: i64) -> Sides {
    let mut sides = commented_after(days);
    sides.poison = None;
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert!(sides.apply(&mut pass, &plan.effects[0]));
    pass.begin(&plan.effects[1], sides.now);
    pass.doubt("no answer").unwrap();
    sides.record(pass);
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    sides
}

/// Returns the bodies of the communications that a pass sends.
fn sent(sides: &mut Sides) -> Vec<String> {
    let pass = sides.observe();
    let plan = sides.plan(&pass);
    let bodies = plan.effects.iter().filter_map(|effect| match effect {
        Effect::Call(Call::OpenCase { request, .. }) => Some(request.body.clone()),
        Effect::Call(Call::AddCommunication { body, .. }) => Some(body.clone()),
        _ => None,
    });
    bodies.collect()
}

#[test]
fn a_comment_that_comes_too_late_for_its_case_opens_another_one() {
    let mut sides = commented_after(15);
    assert_eq!(sides.pass()[..2], ["deliver", "add_communication"], "the comment reopens the incident");
    sides.poison = None;
    let [opening] = <[String; 1]>::try_from(sent(&mut sides)).unwrap();
    assert!(
        opening.starts_with("INC0010001 goes on in ServiceNow. It continues AWS Support case 1234567890."),
        "{opening}"
    );
    assert!(opening.contains("It is back."), "{opening}");
    assert_eq!(sides.settle()[0], "open_case");
    assert_eq!(sides.incident.summary.columns.own("case_id"), sides::NEXT_CASE_ID);
    assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
    let told = sides.told.last().unwrap();
    assert!(told.text.contains("It continues AWS Support case 1234567890"), "{}", told.text);
    assert_eq!(sides.bodies().iter().filter(|body| body.contains("It is back.")).count(), 1);
}

#[test]
fn a_former_case_leads_to_its_link() {
    let mut sides = commented_after(15);
    sides.pass();
    sides.poison = None;
    sides.settle();
    let key = LinkKey::support_case(sides.incident.summary.sys_id.clone());
    let account = sides.incident.account.as_ref().unwrap().number.clone();
    let rows = SupportCase::index(&key, &sides.link);
    for case_id in [sides::CASE_ID, sides::NEXT_CASE_ID] {
        let wanted = index::case(&CaseKey::new(account.clone(), &CaseId::new(case_id)));
        assert!(rows.iter().any(|row| row.row.key == wanted), "{case_id}");
    }
}

#[test]
fn a_link_remembers_three_former_cases() {
    let mut sides = commented_after(15);
    for round in 0..5 {
        sides.poison = Some("It is back".to_owned());
        sides.comment(&format!("f{round}"), &format!("It is back {round}."));
        sides.pass();
        sides.poison = None;
        sides.settle();
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        sides.pass_time(15 * DAY);
    }
    assert_eq!(sides.link.memory.former_cases.len(), 3);
}

#[test]
fn a_reopening_that_comes_too_late_opens_another_case() {
    let mut sides = commented_after(15);
    sides.incident.entries.clear();
    sides.set_state(IncidentState::InProgress);
    sides.poison = Some("was reopened in ServiceNow".to_owned());
    assert_eq!(sides.pass()[0], "add_communication");
    assert_eq!(sides.settle()[0], "open_case");
}

#[test]
fn a_text_that_an_old_case_takes_and_never_shows_opens_another_one() {
    let mut sides = unseen_after(15);
    let mut pass = sides.observe();
    assert!(pass.link.memory.case.is_none(), "it is left after L");
    sides.case = None;
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan)[0], "open_case");
    sides.apply(&mut pass, &plan.effects[0]);
    assert!(sides.bodies()[0].contains("It is back."));
}

/// AWS still reopens the case. The text was lost on its way.
#[test]
fn a_text_that_a_case_never_shows_is_sent_again_while_the_case_may_be_reopened() {
    let mut sides = unseen_after(13);
    assert!(!sides.settle().contains(&"open_case"));
    assert!(sides.link.memory.case.is_some(), "nothing says that it is too old");
    sides.now = sides.link.troubles.side_until(Side::Aws).unwrap();
    assert!(sides.settle().contains(&"add_communication"));
    assert!(sides.link.memory.former_cases.is_empty());
    assert_eq!(sides.bodies().iter().filter(|body| body.contains("It is back.")).count(), 1);
}

#[test]
fn a_case_is_kept_that_may_be_reopened_or_whose_incident_gets_no_other_one_or_by_policy() {
    let kept = |sides: &mut Sides| {
        sides.pass();
        sides.pass();
        sides.link.memory.former_cases.is_empty()
    };
    assert!(kept(&mut commented_after(12)), "AWS reopens it");
    assert!(!kept(&mut commented_after(15)));
    let mut sides = commented_after(15);
    sides.policy.case_too_old_to_reopen = OldCaseRule::Note;
    assert!(kept(&mut sides));
    assert_eq!(sides.incident.summary.columns.sync_status, "error");
    let mut sides = commented_after(15);
    sides.set_state(IncidentState::Closed);
    assert!(kept(&mut sides), "a closed incident opens no case");
    let mut sides = commented_after(15);
    sides.incident.account = None;
    assert!(kept(&mut sides), "nor does one that is out of scope");
}

#[test]
fn a_case_is_kept_until_its_texts_are_on_the_incident() {
    let mut sides = commented_after(15);
    sides.pass();
    let mut sides = commented_after(15);
    let mut pass = sides.observe();
    pass.link.memory.conversation = sides.link.memory.conversation.clone();
    let plan = sides.plan(&pass);
    assert!(sides.apply(&mut pass, &plan.effects[0]));
    // A reply of AWS on the old case, which the incident does not have yet.
    sides.case.as_mut().unwrap().communications.push(casebridge_core::support::case::RawCommunication {
        time_created: sides.now,
        submitted_by: "Amazon Web Services".to_owned(),
        body: "A late word.".to_owned(),
        attachments: Vec::new(),
    });
    sides.see_case(&mut pass);
    let plan = sides.plan(&pass);
    let text = plan.effects.iter().find(|effect| matches!(effect, Effect::Call(_))).unwrap();
    sides.apply(&mut pass, text);
    assert!(pass.link.memory.case.is_some());
}

#[test]
fn a_refusal_of_a_text_ends_with_the_case_that_is_left_and_other_refusals_go_on() {
    let mut sides = commented_after(15);
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert!(sides.apply(&mut pass, &plan.effects[0]));
    for call in [RefusedCall::AddCommunication, RefusedCall::ResolveCase] {
        let refused = sides::refusal(Refusal::InvalidRequest);
        pass.trouble(&sides.policy, Side::Aws, &refused, Request::Call(call), sides.now, 0);
    }
    sides.apply(&mut pass, &plan.effects[1]);
    assert!(pass.link.memory.case.is_none());
    let left: Vec<_> = pass.link.troubles.active(sides.now).map(|trouble| trouble.request.clone()).collect();
    assert_eq!(left, [Request::Call(RefusedCall::ResolveCase)]);
}

/// Returns a closed incident whose case a customer reopened with a text.
fn reopened_after_closing() -> Sides {
    let mut sides = Sides::linked();
    sides.reply("It is mended.");
    sides.settle();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_state(IncidentState::Closed);
    sides.settle();
    sides.pass_time(DAY);
    sides.communicate("Beth Anglin (Role) <beth.anglin@example.com>", "It is back.");
    sides
}

#[test]
fn a_case_that_is_reopened_after_the_closing_goes_on_in_another_incident() {
    let mut sides = reopened_after_closing();
    let closed = sides.incident.summary.sys_id.clone();
    assert_eq!(sides.settle(), ["deliver", "hand_over", "write_columns"]);
    let key = CaseKey::new(sides.incident.account.as_ref().unwrap().number.clone(), &CaseId::new(sides::CASE_ID));
    assert_eq!(sides.successor.as_ref().unwrap().0, LinkKey::support_case(IncidentId::of_case(&key, 2)));
    let columns = &sides.incident.summary.columns;
    assert_eq!((columns.sync_status.as_str(), columns.own("case_id")), ("in_sync", sides::CASE_ID));
    assert!(columns.last_error.contains("another incident"), "{}", columns.last_error);
    assert!(SupportCase::index(&LinkKey::support_case(closed), &sides.link).is_empty(), "the case is the other link's");
    assert_eq!(sides.due, None);

    sides.follow_case();
    assert_eq!(sides.pass(), ["open_incident"]);
    let description = &sides.incident.description;
    assert!(description.contains("was reopened at AWS after INC0010001 was closed"), "{description}");
    assert!(description.contains("Beth Anglin") && description.contains("It is back."), "{description}");
    sides.settle();
    assert!(sides.incident.entries.is_empty(), "the closed incident has the texts: {:?}", sides.incident.entries);
    sides.communicate("Beth Anglin (Role) <beth.anglin@example.com>", "Do you see it?");
    assert_eq!(sides.settle()[0], "deliver");
    sides.comment("e9", "We look into it.");
    assert_eq!(sides.settle()[0], "add_communication");
    assert_eq!(sides.link.memory.generation, 2);
}

#[test]
fn the_closed_incident_is_read_before_its_case_moves() {
    let mut sides = reopened_after_closing();
    let pass = sides.observe();
    let plan = sides.plan(&pass);
    let mut reading = pass.clone();
    sides.apply(&mut reading, &plan.effects[0]);
    sides.record(reading);
    let mut pass = sides.unseen();
    sides.see_case(&mut pass);
    let plan = sides.plan(&pass);
    assert!(!names(&plan).contains(&"hand_over"), "{plan:?}");
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::IncidentUnread { .. })), "{plan:?}");
}

#[test]
fn a_closed_incident_tells_of_a_reopened_case_by_policy() {
    let mut sides = reopened_after_closing();
    sides.policy.case_reopened_after_closing = ClosedIncidentRule::Note;
    let effects = sides.settle();
    assert!(!effects.contains(&"hand_over"), "{effects:?}");
    assert!(sides.incident.summary.columns.last_error.contains("this incident is closed"));
}

#[test]
fn what_was_written_before_the_closing_goes_out_before_the_case_moves() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_state(IncidentState::Closed);
    sides.settle();
    sides.incident.entries.push(sides::entry("e1", sides.incident.summary.closed_at.unwrap(), "Thank you."));
    sides.incident.summary.sys_mod_count += 1;
    sides.pass_time(5);
    sides.communicate("Beth Anglin (Role) <beth.anglin@example.com>", "It is back.");
    let effects = sides.pass();
    assert!(effects.contains(&"add_communication") && !effects.contains(&"hand_over"), "{effects:?}");
}

#[test]
fn a_text_that_has_reopened_the_case_once_opens_no_third_incident() {
    let mut sides = reopened_after_closing();
    sides.settle();
    sides.follow_case();
    sides.settle();
    let texts = sides.link.journal.reopening_texts.len();
    assert!(texts <= 20, "{texts}");
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_state(IncidentState::Closed);
    sides.settle();
    sides.communicate("Beth Anglin (Role) <beth.anglin@example.com>", "It is back again.");
    // The case was reopened before, so its status counts only after L.
    sides.settle();
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    assert!(sides.settle().contains(&"hand_over"), "another text opens the next incident");
    assert_eq!(sides.successor.as_ref().unwrap().1.memory.generation, 3);
}

/// The incident that continues another case's closed one is the first incident of the case that follows.
#[test]
fn another_case_counts_its_own_incidents() {
    let mut sides = reopened_after_closing();
    sides.settle();
    sides.follow_case();
    sides.settle();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    sides.settle();
    sides.pass_time(15 * DAY);
    sides.comment("e2", "It does not answer again.");
    sides.poison = Some("It does not answer again.".to_owned());
    sides.pass();
    sides.poison = None;
    assert!(sides.settle().contains(&"open_case"));
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_state(IncidentState::Closed);
    sides.settle();
    sides.communicate("Beth Anglin (Role) <beth.anglin@example.com>", "And once more.");
    let mut effects = sides.settle();
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    effects.extend(sides.settle());
    assert!(effects.contains(&"hand_over"), "{effects:?}");
    let account = sides.incident.account.as_ref().unwrap().number.clone();
    let key = CaseKey::new(account, &CaseId::new(sides::NEXT_CASE_ID));
    assert_eq!(sides.successor.as_ref().unwrap().0, LinkKey::support_case(IncidentId::of_case(&key, 2)));
}

/// An automatic answer.
#[test]
fn a_text_that_has_opened_an_incident_before_opens_no_further_one() {
    let mut sides = reopened_after_closing();
    sides.settle();
    sides.follow_case();
    sides.settle();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_state(IncidentState::Closed);
    sides.settle();
    sides.communicate("Beth Anglin (Role) <beth.anglin@example.com>", "It is back.");
    let mut effects = sides.settle();
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    effects.extend(sides.settle());
    assert!(effects.contains(&"deliver") && !effects.contains(&"hand_over"), "{effects:?}");
}

#[test]
fn a_case_moves_after_the_rest_of_what_it_was_opened_with_is_sent() {
    let mut sides = reopened_after_closing();
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    sides.apply(&mut pass, &plan.effects[0]);
    assert!(names(&sides.plan(&pass)).contains(&"hand_over"));
    pass.link.memory.opening_remainder = Some("And so on.".to_owned());
    assert!(!names(&sides.plan(&pass)).contains(&"hand_over"));
}

#[test]
fn a_taken_link_is_passed_over() {
    let mut sides = reopened_after_closing();
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    sides.apply(&mut pass, &plan.effects[0]);
    let plan = sides.plan(&pass);
    let [Effect::HandOver(first)] = &plan.effects[..1] else { panic!("{plan:?}") };
    let mut taken = pass.clone();
    SupportCase::successor_is_taken(&mut taken.link.memory);
    let plan = sides.plan(&taken);
    let [Effect::HandOver(second)] = &plan.effects[..1] else { panic!("{plan:?}") };
    assert_ne!(first, second);
}

#[test]
fn an_incident_that_is_closed_in_doubt_keeps_its_case() {
    let mut sides = reopened_after_closing();
    sides.policy.case_reopened_after_closing = ClosedIncidentRule::Note;
    let pass = sides.observe();
    let plan = sides.plan(&pass);
    assert!(plan.waits.contains(&Waiting::IncidentClosed), "{plan:?}");
    let delivered = plan.effects.iter().find(|effect| matches!(effect, Effect::Deliver(_))).unwrap();
    assert_eq!(delivery_of(delivered).messages.len(), 1, "the text arrives on the closed incident");
}

#[test]
fn a_closed_incident_that_is_opened_by_hand_says_that_its_case_is_elsewhere() {
    let mut sides = reopened_after_closing();
    sides.settle();
    sides.set_state(IncidentState::InProgress);
    assert_eq!(sides.settle(), ["write_columns"]);
    let columns = &sides.incident.summary.columns;
    assert_eq!(columns.sync_status, "waiting");
    assert!(columns.last_error.contains("another incident"), "{}", columns.last_error);
}

#[test]
fn a_case_moves_once_no_file_is_under_way_and_aws_knows_of_those_that_stay() {
    let of_case = |progress| {
        let (communication, attachment) = (CommunicationId::new("1"), AttachmentId::new("a"));
        let name = "a.log".to_owned();
        let incoming = vec![Incoming { communication, place: 0, attachment, name, generation: 0, progress }];
        Files { incoming, ..Files::default() }
    };
    let outgoing = Outgoing {
        transfer: TransferId::new("t"),
        generation: 0,
        files: Vec::new(),
        author: String::new(),
        refusals: 0,
        progress: OutgoingProgress::Ordered(sides::start()),
    };
    let notice = FileNotice { number: 1, text: "It stays.".to_owned() };
    for (files, moves) in [
        (Files::default(), true),
        (of_case(IncomingProgress::Settled), true),
        (of_case(IncomingProgress::Wanted), false),
        (Files { outgoing: vec![outgoing], ..Files::default() }, false),
        (Files { notices: vec![notice], ..Files::default() }, false),
    ] {
        let mut sides = reopened_after_closing();
        let mut pass = sides.observe();
        let plan = sides.plan(&pass);
        sides.apply(&mut pass, &plan.effects[0]);
        pass.link.memory.files = files.clone();
        assert_eq!(names(&sides.plan(&pass)).contains(&"hand_over"), moves, "{files:?}");
    }
}

/// A pass for what AWS writes need not read the incident. Then only the answer to its delivery shows the files.
#[test]
fn a_case_moves_after_the_files_that_the_closed_incident_has_for_it() {
    let mut sides = reopened_after_closing();
    attach(&mut sides, "a.log", 10);
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    let delivery = plan.effects.iter().find(|effect| matches!(effect, Effect::Deliver(_))).unwrap();
    sides.apply(&mut pass, delivery);
    let plan = sides.plan(&pass);
    assert!(names(&plan).contains(&"order_files") && !names(&plan).contains(&"hand_over"), "{plan:?}");
}

#[test]
fn a_case_does_not_move_while_a_read_hides_a_text_that_the_closed_incident_lacks() {
    let mut sides = reopened_after_closing();
    sides.link = sides.observe().link;
    sides.case.as_mut().unwrap().communications.pop();
    sides.pass_time(60);
    sides.communicate("Beth Anglin (Role) <beth.anglin@example.com>", "Do you see it?");
    let pass = sides.observe();
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan), ["write_columns"], "the read hides the first text, and the second must not overtake it");
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::CaseUnread { .. })), "{plan:?}");
}
