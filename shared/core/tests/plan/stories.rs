//! Golden stories: what casebridge does, told as both sides see it. A changed line is a changed behaviour.

use casebridge_core::{
    failure::Refusal,
    servicenow::incident::{AccountState, IncidentState},
};
use insta::assert_snapshot;

use crate::{
    story::Story,
    world::{ACCOUNT, World},
};

#[test]
fn an_incident_is_opened() {
    let mut story = Story::of(World::new());
    story.then("An agent comments before there is a case.", |world| world.comment("e1", "It began at noon.")).settle();
    assert_snapshot!(story.text());
}

#[test]
fn replies_go_both_ways() {
    let mut story = Story::linked();
    story
        .then("An agent comments.", |world| world.comment("e1", "Any news?"))
        .settle()
        .then("AWS replies twice, and waits for the customer.", |world| {
            world.reply("We are looking into it.");
            world.reply("Please send the log.");
            world.set_status("pending-customer-action");
        })
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_case_is_resolved_at_aws() {
    let mut story = Story::linked();
    let resolve = |world: &mut World| {
        world.reply("The disk was replaced.");
        world.set_status("resolved");
    };
    story.then("AWS replies and resolves the case.", resolve).settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_comment_reopens_both_sides() {
    let mut story = Story::linked();
    story
        .then("An agent resolves the incident.", |world| world.set_state(IncidentState::Resolved))
        .settle()
        .then("An hour later somebody comments.", |world| {
            world.pass_time(3_600);
            world.comment("e1", "It is back.");
        })
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_request_is_lost_and_in_doubt_until_l() {
    let mut story = Story::linked();
    story
        .then("An agent comments twice. The first call gets no answer.", |world| {
            world.comment("e1", "Any news?");
            world.comment("e2", "Hello?");
        })
        .lose_request()
        .settle()
        .then("AWS replies meanwhile.", |world| world.reply("We are looking into it."))
        .settle()
        .then("L passes, and the text is not on the case.", |world| world.pass_time(900))
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_refused_text_is_cut() {
    let mut world = World::linked();
    world.poison = Some("POISON".to_owned());
    let mut story = Story::of(world);
    let text = format!("{}\nPOISON\n{}", "The log says: ok.\n".repeat(50), "And then: ok.\n".repeat(50));
    story
        .then("An agent pastes a log with a word that AWS refuses, and goes on.", |world| {
            world.comment("e1", &text);
            world.comment("e2", "What is wrong?");
        })
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn an_account_is_paused() {
    let mut story = Story::linked();
    story
        .then("The account is set inactive. An agent comments, and AWS replies.", |world| {
            world.set_account(AccountState::Inactive);
            world.comment("e1", "Any news?");
            world.reply("We are looking into it.");
        })
        .settle()
        .then("The account is active again.", |world| {
            world.pass_time(3_600);
            world.set_account(AccountState::Active);
            world.set_group(&[ACCOUNT]);
        })
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn the_loop_breaker_trips() {
    let mut world = World::linked();
    world.policy.writes_per_window = 3;
    let mut story = Story::of(world);
    story
        .then("Something comments five times where three writes are allowed.", |world| {
            for name in ["e1", "e2", "e3", "e4", "e5"] {
                world.comment(name, "again");
            }
        })
        .settle()
        .then("The window passes.", |world| world.pass_time(i64::from(world.policy.write_window_seconds) + 1))
        .settle()
        .then("It passes again.", |world| world.pass_time(i64::from(world.policy.write_window_seconds) + 1))
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_case_is_opened_twice() {
    let mut story = Story::of(World::new());
    story
        .then("The request to open a case gets no answer.", |_| {})
        .lose_request()
        .then("L passes, and no case shows up.", |world| world.pass_time(900))
        .give_up_case()
        .settle()
        .then("The first case shows up after all.", |world| world.pass_time(600))
        .double()
        .settle();
    assert_snapshot!(story.text());
}

#[test]
fn a_quota_of_cases_is_waited_out() {
    let mut story = Story::of(World::new());
    story
        .then("AWS opens no more cases for now.", |_| {})
        .refuse(Refusal::CaseQuota)
        .settle()
        .then("The wait passes.", |world| world.pass_time(i64::from(world.policy.case_quota_retry_seconds)))
        .settle();
    assert_snapshot!(story.text());
}
