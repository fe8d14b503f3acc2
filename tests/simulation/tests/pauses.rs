//! A link pauses while its account is inactive or missing, or its incident's group belongs to another account. One
//! story for each case.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use casebridge_core::{
    identifiers::AccountId,
    policy::GroupRule,
    servicenow::incident::{CaseOptions, IncidentState},
};
use casebridge_simulation::{
    calls::{Fate, RemoteCall},
    script::{Handle, Script},
    servicenow::model::{Account, Change},
    settings::SELDOM,
    world::{ACCOUNTS, World},
};

/// A time in seconds that is longer than the wait of a paused link until its next look.
const MORE_THAN_AN_HOUR: i64 = 3_700;

/// A deed of an administrator.
type Deed = fn(&mut World);

fn own() -> AccountId {
    AccountId::new(ACCOUNTS[0].0)
}

/// Lets an administrator do something to accounts. It changes no incident and sends no hint.
fn administrate(world: &mut Script, deed: impl FnOnce(&mut World)) {
    deed(&mut world.life.desk.world.borrow_mut());
    world.life.follow_up();
}

fn assign(world: &mut Script, incident: &Handle, group: &str) {
    world.save(incident, &Change { group: Some(group.to_owned()), ..Change::default() });
}

/// Checks that the incident shows that the link pauses, with these words.
fn says(world: &Script, incident: &Handle, words: &str) {
    let (status, told) = world.sync_status(incident);
    assert!(
        status == "waiting" && told.starts_with("Paused: ") && told.contains(words),
        "{status} {told}\n{}",
        world.story()
    );
}

/// Returns, for each of these words, the place of the first text on the case that contains it.
fn places(world: &Script, incident: &Handle, words: &[&str]) -> Vec<usize> {
    let bodies = world.bodies(incident);
    words.iter().map(|word| bodies.iter().position(|body| body.contains(word)).unwrap()).collect()
}

#[test]
fn an_account_out_of_use_gets_nothing_sent_until_it_is_used_again() {
    let deeds: [(Deed, &str); 2] = [
        (|world| world.retire_account(&own()), "is inactive"),
        (|world| world.remove_account(&own()), "has no record of"),
    ];
    for (deed, words) in deeds {
        let mut world = Script::new();
        let incident = world.linked();
        administrate(&mut world, deed);
        world.comment(&incident, "Any news? «c1»").wait(60);
        says(&world, &incident, words);
        world.reply(&incident, "Please restart it «r2»").wait(60);
        world.comment(&incident, "Hello? «c3»").wait(MORE_THAN_AN_HOUR);
        assert_eq!(world.bodies(&incident).len(), 2, "the opening and the reply: {}", world.story());
        assert_eq!(world.count_on_incident(&incident, "«r2»"), 1, "{}", world.story());
        administrate(&mut world, World::use_accounts);
        world.wait(MORE_THAN_AN_HOUR);
        assert!(places(&world, &incident, &["«c1»", "«c3»"]).is_sorted(), "{}", world.story());
        assert_eq!(world.sync_status(&incident), ("in_sync".to_owned(), String::new()));
        world.must_hold();
    }
}

/// With and without webhooks: without them the poller finds the changed group.
#[test]
fn a_group_of_another_account_pauses_the_link_until_the_incident_is_given_back() {
    for hints in [true, false] {
        let mut world = Script::with(|settings| settings.hints = hints);
        let incident = world.linked();
        assign(&mut world, &incident, ACCOUNTS[1].1);
        world.comment(&incident, "A word of the sandbox «c1»").wait(180);
        says(&world, &incident, "belongs to AWS account 444455556666 and the case to 111122223333");
        world.reply(&incident, "Please restart it «r2»").wait(MORE_THAN_AN_HOUR);
        assert_eq!(world.count_on_incident(&incident, "«r2»"), 1, "{}", world.story());
        assert_eq!(world.count_on_case(&incident, "«c1»"), 0, "{}", world.story());
        assign(&mut world, &incident, ACCOUNTS[0].1);
        world.comment(&incident, "Home again «c3»").wait(MORE_THAN_AN_HOUR);
        assert!(places(&world, &incident, &["«c1»", "«c3»"]).is_sorted(), "{}", world.story());
        assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
        assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
        world.must_hold();
    }
}

#[test]
fn a_pause_that_never_ends_is_told_and_loses_nothing_that_aws_says() {
    let mut world = Script::new();
    let incident = world.linked();
    assign(&mut world, &incident, ACCOUNTS[1].1);
    world.comment(&incident, "A word of the sandbox «c1»").reply(&incident, "Please restart it «r2»");
    world.set_state(&incident, IncidentState::Resolved).settle();
    says(&world, &incident, "nothing is sent to the case");
    assert_eq!(world.count_on_incident(&incident, "«r2»"), 1, "{}", world.story());
    assert_eq!(world.status(&incident), "unassigned", "{}", world.story());
    world.must_hold();
}

#[test]
fn in_a_group_of_no_account_or_by_policy_the_link_goes_on() {
    for (rule, group) in [(GroupRule::Pause, "Service Desk"), (GroupRule::Keep, ACCOUNTS[1].1)] {
        let mut world = Script::with(|settings| settings.policy.group_of_another_account = rule);
        let incident = world.linked();
        assign(&mut world, &incident, group);
        world.comment(&incident, "Any news? «c1»").wait(60);
        assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{group}: {}", world.story());
        world.must_hold();
    }
}

/// Another account replaces the first one in its group. The case stays with the first account, which is inactive.
#[test]
fn another_account_of_the_group_ends_no_pause() {
    let mut world = Script::new();
    let incident = world.linked();
    administrate(&mut world, |world| {
        world.retire_account(&own());
        world.servicenow.accounts.push(Account {
            number: AccountId::new("777788889999"),
            name: "Successor".to_owned(),
            production: true,
            group: ACCOUNTS[0].1.to_owned(),
            active: true,
            severities: Vec::new(),
            options: CaseOptions::default(),
        });
    });
    world.comment(&incident, "Any news? «c1»").wait(60);
    says(&world, &incident, "111122223333 is inactive");
    assert_eq!(world.count_on_case(&incident, "«c1»"), 0, "{}", world.story());
    world.must_hold();
}

#[test]
fn what_ended_during_a_pause_ends_after_it_behind_what_was_written() {
    let mut world = Script::new();
    let incident = world.linked();
    administrate(&mut world, |world| world.retire_account(&own()));
    world.comment(&incident, "It works again «c1»").wait(30);
    world.set_state(&incident, IncidentState::Resolved).wait(30);
    says(&world, &incident, "is inactive");
    assert_eq!(world.status(&incident), "unassigned", "{}", world.story());
    administrate(&mut world, World::use_accounts);
    world.settle();
    assert_eq!((world.status(&incident).as_str(), world.count_on_case(&incident, "«c1»")), ("resolved", 1));
    world.must_hold();
}

#[test]
fn what_reopened_during_a_pause_reopens_after_it() {
    let mut world = Script::new();
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    administrate(&mut world, |world| world.retire_account(&own()));
    world.wait(5).comment(&incident, "It is back «c1»").wait(60);
    says(&world, &incident, "is inactive");
    assert_eq!(world.state(&incident), IncidentState::Resolved, "{}", world.story());
    administrate(&mut world, World::use_accounts);
    world.settle();
    assert_eq!((world.status(&incident).as_str(), world.count_on_case(&incident, "«c1»")), ("reopened", 1));
    assert_eq!(world.state(&incident), IncidentState::InProgress, "{}", world.story());
    world.must_hold();
}

/// The answer to CreateCase or AddCommunicationToCase is lost, and then the account is set inactive. The outcome of the
/// call is found during the pause.
#[test]
fn a_call_in_doubt_is_decided_during_a_pause() {
    for (call, fate) in [
        (RemoteCall::CreateCase, Fate::AnswerLost),
        (RemoteCall::AddCommunication, Fate::AnswerLost),
        (RemoteCall::AddCommunication, Fate::RequestLost),
        (RemoteCall::AddCommunication, Fate::LandsLate),
    ] {
        let mut world = Script::new();
        world.lag(30);
        let incident = if call == RemoteCall::CreateCase {
            world.fate(call, &[fate]);
            world.open("It does not answer. «d1»")
        } else {
            let incident = world.linked();
            world.fate(call, &[fate]).comment(&incident, "Any news? «c1»");
            incident
        };
        let calls = world.calls(call);
        world.until(call, calls + 1).wait(1);
        administrate(&mut world, |world| world.retire_account(&own()));
        world.comment(&incident, "Hello? «c2»").wait(2 * MORE_THAN_AN_HOUR);
        says(&world, &incident, "is inactive");
        assert_eq!((world.cases(&incident).len(), world.count_on_case(&incident, "«c2»")), (1, 0), "{}", world.story());
        administrate(&mut world, World::use_accounts);
        world.settle();
        assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{call:?} {fate:?}: {}", world.story());
        world.must_hold();
    }
}

/// The group's pause begins with the end of the account's pause. A lagging node shows the earlier group with the present
/// accounts, so its answer shows no pause. The next answer shows it.
#[test]
fn a_lagging_read_may_hide_that_one_pause_follows_another() {
    let mut world = Script::new();
    let incident = world.linked();
    administrate(&mut world, |world| world.retire_account(&own()));
    world.comment(&incident, "Any news? «c1»").wait(60);
    says(&world, &incident, "is inactive");
    administrate(&mut world, |world| {
        world.save(&incident, &Change { group: Some(ACCOUNTS[1].1.to_owned()), ..Change::default() });
        world.use_accounts();
        assert!(world.lag(&incident), "there is an earlier record");
    });
    world.wait(60);
    assert_eq!(world.count_on_case(&incident, "«c1»"), 1, "{}", world.story());
    says(&world, &incident, "belongs to AWS account 444455556666 and the case to 111122223333");
    world.comment(&incident, "A word of the sandbox «c2»").wait(MORE_THAN_AN_HOUR);
    assert_eq!(world.count_on_case(&incident, "«c2»"), 0, "{}", world.story());
    world.must_hold();
}

/// The pause begins between the first text of the case and the rest of the description. It lasts until AWS no longer reopens
/// the case.
#[test]
fn a_description_whose_rest_waited_too_long_is_whole_on_the_next_case() {
    let mut world = Script::with(|settings| (settings.polling, settings.jobs) = (SELDOM, SELDOM));
    let incident = world.open(&format!("«d1» {} «end2»", "dolor sit ".repeat(900)));
    world.until(RemoteCall::Release, 1);
    administrate(&mut world, |world| world.retire_account(&own()));
    world.set_status(&incident, "resolved").comment(&incident, "Any news? «c3»").wait(15 * 86_400);
    says(&world, &incident, "is inactive");
    administrate(&mut world, World::use_accounts);
    world.wait(86_400);
    let on_cases: Vec<[bool; 3]> = world
        .cases(&incident)
        .iter()
        .map(|case| {
            ["«d1»", "«end2»", "«c3»"].map(|token| case.communications.iter().any(|seen| seen.body.contains(token)))
        })
        .collect();
    assert_eq!(on_cases, [[true, false, false], [true, true, true]], "{}", world.story());
    world.must_hold();
}

/// A link that has ended does not wake for ever if its account is never active again.
#[test]
fn a_link_whose_work_has_ended_does_not_wake_in_an_account_out_of_use() {
    let mut world = Script::new();
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    administrate(&mut world, |world| world.retire_account(&own()));
    world.save(&incident, &Change { priority: Some("1".to_owned()), ..Change::default() }).wait(60);
    let snapshots = world.calls(RemoteCall::Snapshot);
    world.wait(5 * MORE_THAN_AN_HOUR);
    assert_eq!(world.calls(RemoteCall::Snapshot), snapshots, "{}", world.story());
    assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
    world.must_hold();
}
