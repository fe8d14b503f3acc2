//! Story snapshots: what casebridge does, as both sides see it. A changed line is a changed behaviour.

use casebridge_core::{
    failure::Refusal,
    servicenow::incident::{AccountState, IncidentState},
};
use insta::assert_snapshot;

use crate::{
    sides::{ACCOUNT, Sides},
    story::Story,
};

#[test]
fn an_incident_is_opened() {
    let mut story = Story::of(Sides::new());
    story.then("An agent comments before there is a case.", |sides| sides.comment("e1", "It began at noon.")).settle();
    assert_snapshot!(story.text());
}

#[test]
fn replies_go_both_ways() {
    let mut story = Story::linked();
    story
        .then("An agent comments.", |sides| sides.comment("e1", "Any news?"))
        .settle()
        .then("AWS replies twice, and waits for the customer.", |sides| {
            sides.reply("We are looking into it.");
            sides.reply("Please send the log.");
            sides.set_status("pending-customer-action");
        })
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_case_is_resolved_at_aws() {
    let mut story = Story::linked();
    let resolve = |sides: &mut Sides| {
        sides.reply("The disk was replaced.");
        sides.set_status("resolved");
    };
    story.then("AWS replies and resolves the case.", resolve).settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_comment_reopens_both_sides() {
    let mut story = Story::linked();
    story
        .then("An agent resolves the incident.", |sides| sides.set_state(IncidentState::Resolved))
        .settle()
        .then("An hour later somebody comments.", |sides| {
            sides.pass_time(3_600);
            sides.comment("e1", "It is back.");
        })
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_request_is_lost_and_in_doubt_until_l() {
    let mut story = Story::linked();
    story
        .then("An agent comments twice. The first call gets no answer.", |sides| {
            sides.comment("e1", "Any news?");
            sides.comment("e2", "Hello?");
        })
        .lose_request()
        .settle()
        .then("AWS replies meanwhile.", |sides| sides.reply("We are looking into it."))
        .settle()
        .then("L passes, and the text is not on the case.", |sides| sides.pass_time(900))
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_refused_text_is_cut() {
    let mut sides = Sides::linked();
    sides.poison = Some("POISON".to_owned());
    let mut story = Story::of(sides);
    let text = format!("{}\nPOISON\n{}", "The log says: ok.\n".repeat(50), "And then: ok.\n".repeat(50));
    story
        .then("An agent pastes a log with a word that AWS refuses, and goes on.", |sides| {
            sides.comment("e1", &text);
            sides.comment("e2", "What is wrong?");
        })
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn an_account_is_paused() {
    let mut story = Story::linked();
    story
        .then("The account is set inactive. An agent comments, and AWS replies.", |sides| {
            sides.set_account(AccountState::Inactive);
            sides.comment("e1", "Any news?");
            sides.reply("We are looking into it.");
        })
        .settle()
        .then("The account is active again.", |sides| {
            sides.pass_time(3_600);
            sides.set_account(AccountState::Active);
            sides.set_group(&[ACCOUNT]);
        })
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn the_loop_breaker_trips() {
    let mut sides = Sides::linked();
    sides.policy.writes_per_window = 3;
    let mut story = Story::of(sides);
    story
        .then("Something comments five times where three writes are allowed.", |sides| {
            for name in ["e1", "e2", "e3", "e4", "e5"] {
                sides.comment(name, "again");
            }
        })
        .settle()
        .then("The window passes.", |sides| sides.pass_time(i64::from(sides.policy.write_window_seconds) + 1))
        .settle()
        .then("It passes again.", |sides| sides.pass_time(i64::from(sides.policy.write_window_seconds) + 1))
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_case_is_opened_twice() {
    let mut story = Story::of(Sides::new());
    story
        .then("The request to open a case gets no answer.", |_| {})
        .lose_request()
        .then("L passes, and no case shows up.", |sides| sides.pass_time(900))
        .give_up_case()
        .settle()
        .then("The first case shows up after all.", |sides| sides.pass_time(600))
        .double()
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_quota_of_cases_is_waited_out() {
    let mut story = Story::of(Sides::new());
    story
        .then("AWS opens no more cases for now.", |_| {})
        .refuse(Refusal::CaseQuota)
        .settle()
        .then("The wait passes.", |sides| sides.pass_time(i64::from(sides.policy.case_quota_retry_seconds)))
        .settle();
    assert_snapshot!(story.text());
}
