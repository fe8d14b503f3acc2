//! What real ServiceNow instances and AWS Support do to an integration, one story each: jobs, copies, restores, lagging
//! nodes, automatic answers, texts that AWS shows changed.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use casebridge_core::{
    failure::Refusal,
    identifiers::AccountId,
    policy::OldCaseRule,
    servicenow::incident::{CaseOptions, IncidentState},
};
use casebridge_simulation::{
    calls::{Fate, RemoteCall},
    script::{Handle, Script},
    servicenow::model::{Change, INTEGRATION_USER, LinksObstacle},
    servicenow::people::{AUTOMATIC_ANSWER, AUTOMATIC_CLOSING},
    world::ACCOUNTS,
};
use casebridge_simulator::support::{
    Oddities, Quotas,
    oddities::{LengthUnit, Precision},
};

use jiff::SignedDuration;

/// L of the default policy, in seconds.
const MAXIMUM_DOUBT: i64 = 900;
/// What casebridge writes on the case in place of a text that AWS refuses.
const LEFT_OUT: &str = "AWS Support does not accept this text";

fn closing(state: IncidentState) -> Change {
    let closing = Some(("Solution provided".to_owned(), "Done.".to_owned()));
    Change { state: Some(state), closing, ..Change::default() }
}

fn comment(text: &str) -> Change {
    Change { comment: Some(text.to_owned()), ..Change::default() }
}

/// AWS resolves the case, casebridge resolves the incident, and a person comments in the same second. The comment
/// reopens both.
#[test]
fn a_question_in_the_second_in_which_casebridge_resolves_reopens_both() {
    for trail_is_readable in [true, false] {
        let mut world = Script::with(|settings| settings.trail_is_readable = trail_is_readable);
        let incident = world.linked();
        let deliveries = world.calls(RemoteCall::Deliver);
        world.set_status(&incident, "resolved").until(RemoteCall::Deliver, deliveries + 1);
        while world.state(&incident) != IncidentState::Resolved && world.life.step() {}
        world.comment(&incident, "Wait, it is back «c1»").settle();
        assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
        assert_eq!(world.state(&incident), IncidentState::InProgress, "{}", world.story());
        assert_eq!(world.status(&incident), "reopened", "{}", world.story());
        world.must_hold();
    }
}

/// A flow comments on each resolution with the same text. The text reopens both sides once. From then on the incident
/// shows a notice about it.
#[test]
fn an_automatic_answer_to_each_resolution_reopens_once() {
    let mut world = Script::with(|settings| settings.automatic_answer = true);
    let incident = world.linked();
    world.set_status(&incident, "resolved").settle();
    assert_eq!(world.status(&incident), "reopened", "{}", world.story());
    for _ in 0..3 {
        world.wait(5).set_status(&incident, "resolved").settle();
        assert_eq!(world.status(&incident), "resolved", "{}", world.story());
        assert_eq!(world.state(&incident), IncidentState::Resolved, "{}", world.story());
    }
    let (status, told) = world.sync_status(&incident);
    assert_eq!(status, "waiting", "{told}");
    assert_eq!(world.count_on_case(&incident, AUTOMATIC_ANSWER), 1, "{}", world.story());
    world.must_hold();
}

/// A mailbox answers each resolution at AWS with the same text. AWS reopens the case each time, casebridge reopens the
/// incident once.
#[test]
fn an_absence_note_at_aws_reopens_the_incident_once() {
    let mut world = Script::new();
    let incident = world.linked();
    let mailbox = Some("Customer <somebody@example.com>");
    for round in 0..3 {
        world.wait(5).save(&incident, &closing(IncidentState::Resolved)).settle();
        world.write_on_case(&incident, "I am out of office.", mailbox).settle();
        let expected = if round == 0 { IncidentState::InProgress } else { IncidentState::Resolved };
        assert_eq!(world.state(&incident), expected, "round {round}: {}", world.story());
    }
    assert_eq!(world.count_on_incident(&incident, "I am out of office."), 3, "{}", world.story());
    assert_eq!(world.sync_status(&incident).0, "waiting", "{}", world.story());
}

/// The platform's job closes a resolved incident and comments as `system`. That comment is not sent, and the case stays
/// resolved.
#[test]
fn the_comment_of_the_automatic_closing_stays_at_home() {
    for trail_is_readable in [true, false] {
        let mut world = Script::with(|settings| settings.trail_is_readable = trail_is_readable);
        let incident = world.linked();
        world.set_state(&incident, IncidentState::Resolved).settle();
        world.wait(5);
        assert!(world.life.desk.world.borrow_mut().auto_close(SignedDuration::ZERO));
        world.life.follow_up();
        world.settle();
        assert_eq!(world.count_on_case(&incident, AUTOMATIC_CLOSING), 0, "{}", world.story());
        assert_eq!(world.status(&incident), "resolved", "{}", world.story());
        assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
        world.must_hold();
    }
}

/// A comment that was written while the incident was resolved is sent, even if it is read only after the closing.
#[test]
fn a_comment_written_before_the_closing_goes_out_after_it() {
    let mut world = Script::with(|settings| settings.hints = false);
    let incident = world.open("It does not answer. «d1»");
    world.settle();
    world.set_state(&incident, IncidentState::Resolved).settle();
    world.wait(5).comment(&incident, "Before the end «c2»").wait(5);
    assert!(world.life.desk.world.borrow_mut().auto_close(SignedDuration::ZERO));
    world.settle();
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    world.must_hold();
}

/// The comment of a flow as `system` on an open incident is sent.
#[test]
fn a_comment_by_system_on_an_open_incident_is_heard() {
    let mut world = Script::new();
    let incident = world.linked();
    world.life.desk.world.borrow_mut().save_as("system", &incident, &comment("From the flow «c1»"));
    world.life.follow_up();
    world.settle();
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    world.must_hold();
}

/// The integration user is renamed. What it delivered still counts as casebridge's, and no reply goes back to AWS.
#[test]
fn a_renamed_integration_user_sends_nothing_back() {
    let mut world = Script::new();
    let incident = world.linked();
    world.reply(&incident, "First «r1»").settle();
    world.life.desk.world.borrow_mut().servicenow.rename_integration_user("casebridge.new");
    world.reply(&incident, "Second «r2»").settle();
    world.comment(&incident, "Thanks «c3»").settle();
    for token in ["«r1»", "«r2»"] {
        assert_eq!(world.count_on_case(&incident, token), 1, "{}", world.story());
    }
    assert_eq!(world.delivered(&incident).len(), 2, "{}", world.story());
    assert_ne!(world.life.desk.world.borrow().servicenow.integration_user, INTEGRATION_USER);
    world.must_hold();
}

/// AWS refuses a character of a comment. All other lines are sent, a replacement takes the place of the refused one,
/// and later comments follow.
#[test]
fn a_refused_letter_holds_back_its_line_and_nothing_else() {
    let mut world = Script::new();
    let incident = world.linked();
    let line = "A line of the log.\n".repeat(200);
    world.comment(&incident, &format!("«c1»\n{line}\u{2620}\n{line}«c2»"));
    world.comment(&incident, "And now? «c3»").set_state(&incident, IncidentState::OnHold).wait(300);
    for token in ["«c1»", "«c2»", "«c3»"] {
        assert_eq!(world.count_on_case(&incident, token), 1, "{token}: {}", world.story());
    }
    assert_eq!(world.count_on_case(&incident, LEFT_OUT), 1, "{}", world.story());
    let (status, told) = world.sync_status(&incident);
    assert!(status == "waiting" && told.contains("refused a text"), "{status} {told}");
    let bodies = world.bodies(&incident);
    assert!(bodies.last().unwrap().contains("«c3»"), "{}", world.story());
}

/// AWS refuses all requests for a while. No text is left out.
#[test]
fn what_is_refused_with_everything_else_is_not_given_up() {
    let mut world = Script::new();
    let incident = world.linked();
    let account = AccountId::new(ACCOUNTS[0].0);
    world.life.desk.world.borrow_mut().refused_accounts.insert(account, Refusal::InvalidRequest);
    world.comment(&incident, "Anybody there? «c1»").wait(2 * 3_600);
    assert_eq!(world.count_on_case(&incident, LEFT_OUT), 0, "{}", world.story());
    world.settle();
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    world.must_hold();
}

/// An agent copies an incident by *Insert and Stay*. The copy has the columns of the original, and gets a case of its
/// own.
#[test]
fn a_copied_incident_is_a_new_one() {
    let mut world = Script::new();
    let first = world.linked();
    assert!(world.life.desk.world.borrow_mut().copy(&first));
    world.life.follow_up();
    world.settle();
    let copy = world.life.desk.world.borrow().servicenow.incidents.keys().find(|id| **id != first).unwrap().clone();
    assert_eq!((world.cases(&first).len(), world.cases(&copy).len()), (1, 1), "{}", world.story());
    world.comment(&copy, "About the copy «c1»").settle();
    assert_eq!(world.count_on_case(&copy, "«c1»"), 1, "{}", world.story());
    assert_eq!(world.count_on_case(&first, "«c1»"), 0, "{}", world.story());
    world.must_hold();
}

/// The instance keeps the first `resolved_at`. casebridge does not undo an agent's second "comment and resolve".
#[test]
fn a_second_resolution_with_the_time_of_the_first_is_not_undone() {
    // Without hints no pass reads the incident between the reopening and the second resolution.
    let mut world = Script::with(|settings| settings.hints = false);
    let incident = world.open("It does not answer. «d1»");
    world.settle();
    world.set_state(&incident, IncidentState::Resolved).settle();
    world.wait(2).set_state(&incident, IncidentState::InProgress).wait(2);
    world.save(&incident, &Change { comment: Some("Fixed now «c1»".to_owned()), ..closing(IncidentState::Resolved) });
    world.settle();
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    assert_eq!(world.state(&incident), IncidentState::Resolved, "{}", world.story());
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    world.must_hold();
}

/// An incident is restored to an earlier record, so that its update count falls. Its later comments are still sent.
#[test]
fn a_restored_incident_is_heard() {
    let mut world = Script::new();
    let incident = world.linked();
    let earlier = world.life.desk.world.borrow().servicenow.incidents[&incident].clone();
    for number in 1..=6 {
        world.comment(&incident, &format!("Comment «c{number}»")).settle();
    }
    let count = |world: &Script| world.life.desk.world.borrow().servicenow.incidents[&incident].summary.sys_mod_count;
    let remembered = count(&world);
    world.life.desk.world.borrow_mut().servicenow.restore(earlier);
    world.comment(&incident, "After the restore «c9»");
    assert!(count(&world) < remembered, "the count has fallen and stays below");
    world.settle();
    assert_eq!(world.count_on_case(&incident, "«c9»"), 1, "{}", world.story());
}

/// A lagging node shows an older state once. It changes nothing on either side.
#[test]
fn a_lagging_node_changes_nothing() {
    let mut world = Script::new();
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    let writes = |world: &Script| {
        [RemoteCall::AddCommunication, RemoteCall::ResolveCase, RemoteCall::Deliver].map(|call| world.calls(call))
    };
    let before = writes(&world);
    assert!(world.life.desk.world.borrow_mut().lag(&incident));
    world.look_again(&incident);
    world.settle();
    assert_eq!(writes(&world), before, "{}", world.story());
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    world.must_hold();
}

/// Each behaviour that AWS's documentation leaves open, one after the other: every text of a conversation crosses once,
/// in order.
#[test]
fn a_conversation_survives_each_oddity_of_aws() {
    let odd = |change: fn(&mut Oddities)| {
        let mut oddities = Oddities::default();
        change(&mut oddities);
        oddities
    };
    for oddities in [
        odd(|odd| odd.reflowed_texts = true),
        odd(|odd| odd.authors_change_after_seconds = Some(3)),
        odd(|odd| odd.redacted_after_seconds = Some(3)),
        odd(|odd| odd.precision = Precision::SecondsInCases),
        odd(|odd| odd.precision = Precision::SecondsInCommunications),
        odd(|odd| odd.recent_without_token = true),
        odd(|odd| odd.page_size_refused_with_ids = true),
        odd(|odd| odd.earlier_ids_unknown = true),
        odd(|odd| odd.length = LengthUnit::Utf16Units),
        odd(|odd| odd.length = LengthUnit::Bytes),
        odd(|odd| odd.seconds_in_any_order = true),
        odd(|odd| odd.api_texts_shown_after_seconds = 8),
        odd(|odd| odd.repeated_resolution_refused = true),
    ] {
        let mut world = Script::with(|settings| settings.oddities = oddities);
        let incident = world.linked();
        let case_id = world.case(&incident).unwrap().case_id;
        for number in 0..8 {
            world.comment(&incident, &format!("My key is wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY «c{number}»"));
            world.reply(&incident, &format!("A < B & C «r{number}»")).reply(&incident, "Any news?").wait(4);
        }
        let now = world.life.desk.world.borrow().aws_now();
        world.life.desk.world.borrow_mut().support.set_language(now, &case_id, "fr").unwrap();
        world.comment(&incident, "Après «c8»").set_state(&incident, IncidentState::Resolved).settle();
        for number in 0..=8 {
            let times = world.count_on_case(&incident, &format!("«c{number}»"));
            assert_eq!(times, 1, "{oddities:?}: {}", world.story());
        }
        for number in 0..8 {
            let times = world.count_on_incident(&incident, &format!("«r{number}»"));
            assert_eq!(times, 1, "{oddities:?}: {}", world.story());
        }
        assert_eq!(world.count_on_incident(&incident, "Any news?"), 8, "{oddities:?}: {}", world.story());
        assert_eq!(world.status(&incident), "resolved", "{oddities:?}: {}", world.story());
        world.must_hold();
    }
}

/// A reply is delivered, the worker dies before it records that, and AWS shows the reply changed in the next pass.
#[test]
fn a_reply_that_was_not_recorded_and_is_shown_otherwise_by_now_arrives_once() {
    for fates in [&[Fate::DiedAfter][..], &[Fate::Stopped], &[Fate::DiedAfter, Fate::DiedAfter]] {
        let mut world = Script::with(|settings| settings.oddities.redacted_after_seconds = Some(3));
        let incident = world.linked();
        world.fate(RemoteCall::Deliver, fates);
        world.reply(&incident, "Your key is wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY «r1»");
        world.reply(&incident, "Any news? «r2»").settle();
        for token in ["«r1»", "«r2»"] {
            assert_eq!(world.count_on_incident(&incident, token), 1, "{}", world.story());
        }
        world.must_hold();
    }
}

/// The same, while AWS refuses the account for an hour after the worker's death.
#[test]
fn a_reply_that_was_not_recorded_arrives_once_though_aws_refuses_for_an_hour() {
    let mut world = Script::with(|settings| settings.oddities.redacted_after_seconds = Some(3));
    let incident = world.linked();
    let delivered = world.calls(RemoteCall::Deliver);
    world.fate(RemoteCall::Deliver, &[Fate::DiedAfter]);
    world
        .reply(&incident, "Your key is wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY «r1»")
        .until(RemoteCall::Deliver, delivered + 1);
    let account = AccountId::new(world.case(&incident).unwrap().account);
    world.life.desk.world.borrow_mut().refused_accounts.insert(account, Refusal::Subscription);
    for number in 0..4 {
        world.wait(900).comment(&incident, &format!("Hello? «c{number}»"));
    }
    world.life.desk.world.borrow_mut().refused_accounts.clear();
    world.settle();
    assert_eq!(world.count_on_incident(&incident, "«r1»"), 1, "{}", world.story());
    world.must_hold();
}

/// Two equal replies of one second are at the end of one page and at the beginning of the next.
#[test]
fn equal_replies_that_two_pages_share_both_arrive() {
    for between in 0..12 {
        let mut world = Script::with(|settings| settings.hints = false);
        let incident = world.linked();
        world.reply(&incident, "Any news?").reply(&incident, "Any news?");
        for number in 0..between {
            world.reply(&incident, &format!("More «r{number}»"));
        }
        world.settle();
        assert_eq!(world.count_on_incident(&incident, "Any news?"), 2, "{between} later: {}", world.story());
        world.must_hold();
    }
}

/// DescribeCases shows a reply redacted. DescribeCommunications is older and shows it as it was written.
#[test]
fn a_reply_that_two_answers_show_differently_arrives_once() {
    let mut world = Script::with(|settings| settings.oddities.redacted_after_seconds = Some(5));
    let incident = world.linked();
    for number in 0..4 {
        world.reply(&incident, &format!("Hello «r{number}»"));
    }
    world.reply(&incident, "Your key is wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY «r4»").reply(&incident, "Bye «r5»");
    let before = world.calls(RemoteCall::DescribeCommunications);
    world
        .wait(4)
        .comment(&incident, "Thanks «c1»")
        .lag(4)
        .until(RemoteCall::DescribeCommunications, before + 1)
        .settle();
    for number in 0..6 {
        assert_eq!(world.count_on_incident(&incident, &format!("«r{number}»")), 1, "{}", world.story());
    }
    world.must_hold();
}

/// A person quotes our text before AWS shows it. The quotation is delivered to the incident, our own text is not.
#[test]
fn a_quotation_that_shows_before_our_own_text_is_a_persons() {
    let mut world = Script::with(|settings| settings.oddities.api_texts_shown_after_seconds = 10);
    let incident = world.linked();
    world.wait(30).comment(&incident, "Where is it? «c1»").wait(2);
    let ours = world.bodies(&incident).last().unwrap().lines().next().unwrap().to_owned();
    world.write_on_case(&incident, &format!("See below «m2»\n> {ours}"), Some("Customer <somebody@example.com>"));
    world.settle();
    assert_eq!(world.count_on_incident(&incident, "«m2»"), 1, "{}", world.story());
    assert_eq!(world.count_on_incident(&incident, "Where is it?"), 0, "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    world.must_hold();
}

/// 14 days after the resolution AWS accepts a comment and does not apply it. The incident stays as it is, and the agent
/// is told.
#[test]
fn a_comment_that_aws_takes_and_does_not_apply_is_told() {
    let mut world = Script::with(|settings| {
        settings.oddities.late_reopening_ignored = true;
        settings.policy.case_too_old_to_reopen = OldCaseRule::Note;
        settings.polling = casebridge_simulation::settings::SELDOM;
        settings.jobs = casebridge_simulation::settings::SELDOM;
    });
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    world.wait(15 * 86_400).comment(&incident, "It is back «c1»").wait(86_400);
    assert_eq!(world.count_on_case(&incident, "«c1»"), 0, "{}", world.story());
    let (status, told) = world.sync_status(&incident);
    assert_eq!(status, "error", "{told} {}", world.story());
    assert!(!world.state(&incident).is_ended(), "the agent's incident stays as it is: {}", world.story());
}

/// Long texts arrive whole, whichever unit AWS counts, in parts that end at a line or a word.
#[test]
fn long_texts_arrive_whole_in_parts() {
    for (text, length) in
        [("東京都庁".repeat(2_250), LengthUnit::Bytes), ("word ".repeat(12_000), LengthUnit::Utf16Units)]
    {
        let mut world = Script::with(|settings| settings.oddities.length = length);
        let incident = world.open(&text);
        world.settle();
        world.comment(&incident, &text).settle();
        let bodies = world.bodies(&incident);
        let contents: Vec<&str> = bodies.iter().map(|body| body.split_once("\n\n").unwrap().1).collect();
        let all = contents.concat().replace("\n\n(The description goes on in the next message.)", "");
        assert_eq!(all.matches(&text).count(), 2, "{} characters", text.chars().count());
        world.must_hold();
    }
}

/// An agent has drafted the close code and close notes before AWS resolves the case. casebridge keeps them.
#[test]
fn what_an_agent_has_drafted_stays() {
    let mut world = Script::new();
    let incident = world.linked();
    let closing = Some(("Duplicate".to_owned(), "My own words.".to_owned()));
    world.save(&incident, &Change { closing, ..Change::default() }).settle();
    world.set_status(&incident, "resolved").settle();
    let record = world.life.desk.world.borrow().servicenow.incidents[&incident].clone();
    assert_eq!((record.close_code.as_str(), record.close_notes.as_str()), ("Duplicate", "My own words."));
    assert_eq!(record.summary.state, IncidentState::Resolved, "{}", world.story());
    world.must_hold();
}

/// AWS refuses the account for a day. Reads of the incident reach back to the oldest comment that was not sent, so all of
/// them go out afterwards, in order.
#[test]
fn what_was_written_during_a_day_of_refusal_goes_out_afterwards() {
    let mut world = Script::new();
    let incident = world.linked();
    let account = AccountId::new(ACCOUNTS[0].0);
    world.life.desk.world.borrow_mut().refused_accounts.insert(account, Refusal::Credentials);
    for number in 1..=24 {
        world.wait(3_600).comment(&incident, &format!("Hour {number} «c{number}»"));
    }
    assert_eq!(world.bodies(&incident).len(), 1, "{}", world.story());
    world.life.desk.world.borrow_mut().refused_accounts.clear();
    world.wait(2 * 3_600).settle();
    let bodies = world.bodies(&incident);
    assert_eq!(bodies.len(), 25, "{}", world.story());
    for (number, body) in (1..).zip(&bodies[1..]) {
        assert!(body.contains(&format!("«c{number}»")), "{}", world.story());
    }
    world.must_hold();
}

/// Returns a world in which an account may open one case an hour.
fn one_case_an_hour() -> Script {
    Script::with(|settings| {
        settings.quotas = Quotas { calls_per_second: None, cases_per_hour: Some(1), ..Quotas::UNLIMITED };
        settings.most_incidents = 20;
    })
}

/// An agent opens an incident of this priority in the first account.
fn open_with_priority(world: &mut Script, priority: &str) -> Handle {
    let change = Change {
        group: Some(ACCOUNTS[0].1.to_owned()),
        codes: Some(("aws-lambda".to_owned(), "other".to_owned())),
        priority: Some(priority.to_owned()),
        ..Change::default()
    };
    let id = world.life.desk.world.borrow_mut().open("It does not answer.", change);
    world.life.follow_up();
    world.wait(10);
    id
}

/// AWS refuses the request of the first link in line for another reason. The link leaves the line, and the next one
/// gets its case.
#[test]
fn who_is_refused_for_another_reason_holds_up_nobody_behind() {
    let mut world = one_case_an_hour();
    open_with_priority(&mut world, "5");
    let (first, second) = (open_with_priority(&mut world, "2"), open_with_priority(&mut world, "3"));
    let codes = Some(("aws-lambda".to_owned(), "no-such-category".to_owned()));
    world.save(&first, &Change { codes, ..Change::default() });
    world.wait(2 * 3_600);
    assert!(world.case(&first).is_none() && world.sync_status(&first).0 == "error", "{}", world.story());
    assert!(world.case(&second).is_some(), "{}", world.story());
    let codes = Some(("aws-lambda".to_owned(), "other".to_owned()));
    world.save(&first, &Change { codes, ..Change::default() });
    world.wait(2 * 3_600);
    assert!(world.case(&first).is_some(), "{}", world.story());
    world.must_hold();
}

/// A waiting incident moves to the group of another account. Its link leaves the line of the first account.
#[test]
fn who_moves_to_another_account_leaves_the_line() {
    let mut world = one_case_an_hour();
    open_with_priority(&mut world, "5");
    let (first, second) = (open_with_priority(&mut world, "2"), open_with_priority(&mut world, "3"));
    world.save(&second, &Change { group: Some(ACCOUNTS[1].1.to_owned()), ..Change::default() });
    world.wait(120);
    assert!(world.case(&second).is_some_and(|case| case.account == ACCOUNTS[1].0), "{}", world.story());
    assert!(world.case(&first).is_none(), "{}", world.story());
    world.wait(2 * 3_600);
    assert!(world.case(&first).is_some_and(|case| case.account == ACCOUNTS[0].0), "{}", world.story());
    world.must_hold();
}

/// More incidents want a case than the account's quota allows. The most urgent comes first, and of equally urgent ones
/// the oldest.
#[test]
fn incidents_wait_for_the_quota_by_priority_then_age() {
    let mut world = one_case_an_hour();
    open_with_priority(&mut world, "5");
    let waiting = ["4", "2", "3", "2", "1"].map(|priority| open_with_priority(&mut world, priority));
    world.wait(8 * 3_600);
    let opened_at = |id: &Handle| world.case(id).map(|case| case.time_created);
    let expected = [4, 1, 3, 2, 0].map(|place| opened_at(&waiting[place]).expect("it has a case by now"));
    assert!(expected.is_sorted(), "{expected:?} {}", world.story());
    world.must_hold();
}

/// CreateCase is in doubt and the agent removes the category. The case is found, and the incident shows it.
#[test]
fn a_case_in_doubt_whose_incident_leaves_the_scope_reaches_it() {
    let mut world = Script::new();
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost]).lag(MAXIMUM_DOUBT / 3);
    let incident = world.open("It does not answer. «d1»");
    world.until(RemoteCall::CreateCase, 1).wait(2);
    world.save(&incident, &Change { codes: Some((String::new(), String::new())), ..Change::default() });
    world.wait(MAXIMUM_DOUBT / 2).lag(0).settle();
    world.reply(&incident, "We look into it «r1»").settle();
    assert_eq!(world.count_on_incident(&incident, "«r1»"), 1, "{}", world.story());
    let columns = world.life.desk.world.borrow().servicenow.incidents[&incident].summary.columns.clone();
    assert_eq!(columns.own("case_id"), world.case(&incident).unwrap().case_id, "{}", world.story());
    world.must_hold();
}

/// A case appears after L, when a second one is open already, and no event comes. It is found and resolved as a double.
#[test]
fn a_case_that_shows_up_after_the_longest_doubt_is_found_without_an_event() {
    let mut world = Script::with(|settings| settings.hints = false);
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost]).lag(MAXIMUM_DOUBT + 120);
    let incident = world.open("It does not answer. «d1»");
    world.wait(MAXIMUM_DOUBT + 300);
    assert_eq!(world.cases(&incident).len(), 2, "{}", world.story());
    world.lag(0).wait(25 * 3_600);
    let cases = world.cases(&incident);
    assert_eq!(cases.iter().filter(|case| case.is_resolved()).count(), 1, "{}", world.story());
    assert!(world.delivered(&incident).is_empty(), "our own text came back: {}", world.story());
}

/// A read of the incident fails, and AWS answers so slowly that the time to try ServiceNow again has passed by then.
/// The link is looked at again all the same.
#[test]
fn a_failed_read_is_a_wait_however_slow_the_other_side_is() {
    let mut world = Script::new();
    let incident = world.linked();
    world.fate(RemoteCall::Snapshot, &[Fate::Refused]).delay(9);
    world.comment(&incident, "Anybody there? «c1»").wait(30);
    world.delay(0).wait(120);
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    world.must_hold();
}

/// Replies wait for an earlier one whose delivery may still be under way. A read that lags does not let them overtake
/// it.
#[test]
fn a_lagging_read_lets_no_reply_overtake_one_that_waits() {
    let mut world = Script::new();
    let incident = world.linked();
    world.fate(RemoteCall::Deliver, &[Fate::Stopped]);
    world.reply(&incident, "First «r1»").wait(3);
    world.lag(60).wait(20);
    world.lag(0).reply(&incident, "Second «r2»").settle();
    let delivered = world.delivered(&incident);
    let place = |token: &str| delivered.iter().position(|text| text.contains(token)).unwrap();
    assert!(place("«r1»") < place("«r2»"), "{}", world.story());
    world.must_hold();
}

/// casebridge reopens the incident, and the worker dies before it records that. AWS resolves the case again. casebridge
/// takes the reopening for its own and sends no notice of it.
#[test]
fn an_unrecorded_reopening_of_ours_is_no_persons() {
    let mut world = Script::new();
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    world.wait(5).fate(RemoteCall::Deliver, &[Fate::DiedAfter]);
    world.reply(&incident, "One more question «r1»").wait(5);
    assert_eq!(world.state(&incident), IncidentState::InProgress, "{}", world.story());
    world.set_status(&incident, "resolved").settle();
    assert_eq!(world.count_on_case(&incident, "was reopened in ServiceNow"), 0, "{}", world.story());
    assert_eq!(world.state(&incident), IncidentState::Resolved, "{}", world.story());
    world.must_hold();
}

/// An incident shows an error and leaves the scope before it has a case. Then it shows no status any more.
#[test]
fn an_incident_that_leaves_the_scope_without_a_case_says_nothing_any_more() {
    let mut world = Script::new();
    let account = AccountId::new(ACCOUNTS[0].0);
    world.life.desk.world.borrow_mut().refused_accounts.insert(account, Refusal::Subscription);
    let incident = world.open("It does not answer. «d1»");
    world.wait(60);
    assert_eq!(world.sync_status(&incident).0, "error", "{}", world.story());
    world.life.desk.world.borrow_mut().settings.hints = false;
    world.save(&incident, &Change { codes: Some((String::new(), String::new())), ..Change::default() }).settle();
    assert_eq!(world.sync_status(&incident), (String::new(), String::new()), "{}", world.story());
    world.must_hold();
}

/// The app can't write the row with a link's status. Replies, states and columns reach the incident all the same, and
/// no delivery is repeated for ever.
#[test]
fn a_status_that_is_not_recorded_holds_nothing_up() {
    for obstacle in [LinksObstacle::Missing, LinksObstacle::WritesAborted, LinksObstacle::RowsHidden] {
        let mut world = Script::new();
        world.life.desk.world.borrow_mut().servicenow.links_obstacle = Some(obstacle);
        let incident = world.linked();
        world.reply(&incident, "We look into it «r1»").settle();
        assert_eq!(world.count_on_incident(&incident, "«r1»"), 1, "{obstacle:?}: {}", world.story());
        world.set_status(&incident, "resolved").settle();
        assert_eq!(world.state(&incident), IncidentState::Resolved, "{obstacle:?}: {}", world.story());
        assert_eq!(world.sync_status(&incident), ("in_sync".to_owned(), String::new()), "{obstacle:?}");
        let deliveries = world.calls(RemoteCall::Deliver);
        for _ in 0..3 {
            world.look_again(&incident);
            world.settle();
        }
        assert_eq!(world.calls(RemoteCall::Deliver), deliveries, "{obstacle:?}: {}", world.story());
        world.life.desk.world.borrow_mut().servicenow.links_obstacle = None;
        world.must_hold();
    }
}

/// An incident is deleted and undeleted, without the platform's references to it. What AWS wrote meanwhile is
/// delivered, and nothing is delivered twice.
#[test]
fn an_incident_that_was_deleted_and_put_back_hears_what_aws_wrote_meanwhile() {
    let mut world = Script::new();
    let incident = world.linked();
    let case_id = world.case(&incident).unwrap().case_id;
    world.reply(&incident, "Before «r1»").settle();
    world.life.desk.world.borrow_mut().delete(&incident);
    world.life.desk.world.borrow_mut().write_at_aws(&case_id, "Meanwhile «r2»", None);
    world.life.follow_up();
    world.settle();
    world.life.desk.world.borrow_mut().undelete(&incident);
    world.wait(2 * 3_600);
    world.reply(&incident, "Afterwards «r3»").settle();
    for text in ["«r1»", "«r2»", "«r3»"] {
        assert_eq!(world.count_on_incident(&incident, text), 1, "{text}: {}", world.story());
    }
    world.must_hold();
}

/// A rule of the customer puts its own words into one of the columns, whatever is written: replies, comments and states go on,
/// and the columns are written less often each time.
#[test]
fn a_rule_that_rewrites_a_column_holds_nothing_up_and_is_not_fought() {
    let mut world = Script::with(|settings| settings.rewrites_columns = true);
    let incident = world.open("It does not answer. «d1»");
    world.wait(3_600);
    let deliveries = world.calls(RemoteCall::Deliver);
    assert!(deliveries < 20, "{deliveries} deliveries: {}", world.story());
    world.reply(&incident, "We look into it «r1»").wait(60);
    world.comment(&incident, "Is it the disk? «c1»").wait(60);
    assert_eq!(world.count_on_incident(&incident, "«r1»"), 1, "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    world.set_state(&incident, IncidentState::Resolved).wait(60);
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    assert_eq!(world.sync_status(&incident).0, "in_sync", "nobody is told of a failure");
    world.wait(86_400);
    let deliveries = world.calls(RemoteCall::Deliver) - deliveries;
    assert!(deliveries < 60, "{deliveries} deliveries in a day: {}", world.story());
    world.must_hold();
}

/// The text of the loop breaker and the one after it take turns. If each were written twice at once, they would keep the loop
/// breaker tripped for as long as the rule is there.
#[test]
fn a_rule_that_rewrites_a_column_does_not_keep_the_loop_breaker_tripped() {
    let mut world = Script::with(|settings| {
        settings.rewrites_columns = true;
        settings.policy.writes_per_window = 12;
    });
    let incident = world.open("It does not answer. «d1»");
    world.wait(400).set_state(&incident, IncidentState::Resolved).wait(3_600);
    assert!(world.story().contains("loop_breaker"), "it has tripped: {}", world.story());
    let deliveries = world.calls(RemoteCall::Deliver);
    world.wait(3_600);
    let deliveries = world.calls(RemoteCall::Deliver) - deliveries;
    assert!(deliveries < 5, "{deliveries} deliveries in an hour: {}", world.story());
    assert_eq!(world.sync_status(&incident).0, "in_sync");
    world.must_hold();
}

/// What an agent and an account type for a case: language, issue type, additional contacts.
fn typed(contacts: &str, language: &str, issue_type: &str) -> CaseOptions {
    CaseOptions {
        additional_contacts: contacts.to_owned(),
        language: language.to_owned(),
        issue_type: issue_type.to_owned(),
    }
}

/// Returns language, issue type and copies of the incident's case.
fn options_of(world: &Script, incident: &Handle) -> (String, String, Vec<String>) {
    let case = world.case(incident).unwrap();
    (case.language, case.issue_type, case.cc_email_addresses)
}

/// Returns the notes on the incident that contain this text.
fn notes(world: &Script, incident: &Handle, text: &str) -> usize {
    world.delivered(incident).iter().filter(|note| note.contains(text)).count()
}

/// An agent types what AWS Support does not know. The case is opened with the next default, and one note tells it. A
/// change after that changes nothing.
#[test]
fn what_an_agent_types_for_the_case_counts_as_far_as_aws_knows_it_and_never_again() {
    let mut world = Script::with(|settings| settings.options = true);
    world.life.desk.world.borrow_mut().servicenow.accounts[0].options = typed("", "ja", "Customer-Service");
    let options = Some(typed("jane@example.com", "jp", "billing"));
    let change = Change {
        group: Some(ACCOUNTS[0].1.to_owned()),
        codes: Some(("aws-lambda".to_owned(), "other".to_owned())),
        options,
        ..Change::default()
    };
    let incident = world.life.desk.world.borrow_mut().open("It does not answer. «d1»", change);
    world.life.follow_up();
    world.settle();
    let expected = ("ja".to_owned(), "customer-service".to_owned(), vec!["jane@example.com".to_owned()]);
    assert_eq!(options_of(&world, &incident), expected, "{}", world.story());
    assert_eq!(notes(&world, &incident, "language ja instead of jp"), 1, "{}", world.story());
    assert_eq!(notes(&world, &incident, "issue type customer-service instead of billing"), 1, "{}", world.story());
    assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
    let (calls, delivered) = (world.calls(RemoteCall::CreateCase), world.delivered(&incident).len());
    world.save(&incident, &Change { options: Some(typed("nobody", "fr", "")), ..Change::default() }).settle();
    assert_eq!(options_of(&world, &incident), expected, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::CreateCase), calls);
    assert_eq!(world.delivered(&incident).len(), delivered, "{}", world.story());
    world.must_hold();
}

/// AWS handles no cases of the service in the language. The case is opened in the policy's language, with the copies, and
/// one note tells it.
#[test]
fn a_language_that_aws_refuses_costs_no_case() {
    let mut world = Script::with(|settings| settings.options = true);
    world.life.desk.world.borrow_mut().servicenow.accounts[1].options = CaseOptions::default();
    let change = Change {
        group: Some(ACCOUNTS[1].1.to_owned()),
        codes: Some(("aws-lambda".to_owned(), "other".to_owned())),
        options: Some(typed("jane@example.com", "ja", "")),
        ..Change::default()
    };
    let incident = world.life.desk.world.borrow_mut().open("It does not answer. «d1»", change);
    world.life.follow_up();
    world.settle();
    let expected = ("en".to_owned(), "technical".to_owned(), vec!["jane@example.com".to_owned()]);
    assert_eq!(options_of(&world, &incident), expected, "{}", world.story());
    assert_eq!(
        notes(&world, &incident, "language en instead of ja, because AWS Support refused an earlier request"),
        1
    );
    assert_eq!(world.cases(&incident).len(), 1);
    world.must_hold();
}
