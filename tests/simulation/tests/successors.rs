//! What follows a record that can't be reopened: another case after 14 days, another incident after the closing.

use casebridge_core::{
    failure::Refusal,
    identifiers::AccountId,
    policy::{ClosedIncidentRule, GroupRule},
    servicenow::incident::IncidentState,
    support::columns::CASE_STATUS,
};
use casebridge_simulation::{
    calls::{Fate, RemoteCall},
    script::{Handle, Script},
    servicenow::model::Change,
    settings::SELDOM,
    world::ACCOUNTS,
};

const DAY: i64 = 86_400;
/// A time in seconds that is longer than the wait until a refused incident is opened again.
const TWO_HOURS: i64 = 7_200;
/// A customer who writes in the console.
const CUSTOMER: &str = "Customer <somebody@example.com>";

/// Returns a world with an incident that was resolved 15 days ago. `is_ignored` says what AWS does with a text then: it takes
/// the text and does nothing, or it refuses the text.
fn resolved_long_ago(is_ignored: bool) -> (Script, Handle) {
    let mut world = Script::with(|settings| {
        settings.oddities.late_reopening_ignored = is_ignored;
        settings.polling = SELDOM;
        settings.jobs = SELDOM;
    });
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    world.wait(15 * DAY);
    (world, incident)
}

/// Returns a world with a closed incident.
fn closed() -> (Script, Handle) {
    closed_in(Script::new())
}

/// Returns this world with a closed incident.
fn closed_in(mut world: Script) -> (Script, Handle) {
    let incident = world.linked();
    world.set_state(&incident, IncidentState::Resolved).settle();
    world.set_state(&incident, IncidentState::Closed).settle();
    (world, incident)
}

/// Returns the incidents that were opened after others were closed.
fn next_incidents(world: &Script) -> Vec<Handle> {
    world.life.desk.world.borrow().memory.next_incidents.values().flatten().cloned().collect()
}

/// Returns how many files are on an incident.
fn files_on(world: &Script, incident: &Handle) -> usize {
    let world = world.life.desk.world.borrow();
    world.servicenow.attachments.iter().filter(|file| file.incident == *incident).count()
}

#[test]
fn a_comment_that_comes_too_late_for_its_case_opens_another_case() {
    for is_ignored in [false, true] {
        let (mut world, incident) = resolved_long_ago(is_ignored);
        world.comment(&incident, "It is back «c2»").settle();
        world.wait(DAY).settle();
        let cases = world.cases(&incident);
        let [first, second] = cases.as_slice() else { panic!("{} cases {}", cases.len(), world.story()) };
        assert!(first.is_resolved() && !second.is_resolved(), "{}", world.story());
        assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
        assert!(second.communications[0].body.contains(&first.display_id), "{}", world.story());
        assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
        world.comment(&incident, "Any news? «c3»").settle();
        assert_eq!(world.count_on_case(&incident, "«c3»"), 1, "{}", world.story());
    }
}

/// AWS refuses the account of the next case until the incident asks for none. Then the incident shows no case. It gets one
/// with all texts once it asks again.
#[test]
fn an_incident_between_two_cases_that_leaves_the_scope_shows_none_until_it_comes_back() {
    let codes = |service: &str, category: &str| Change {
        codes: Some((service.to_owned(), category.to_owned())),
        ..Change::default()
    };
    for comes_back in [false, true] {
        let (mut world, incident) = resolved_long_ago(false);
        {
            let world = &mut *world.life.desk.world.borrow_mut();
            world.settings.policy.group_of_another_account = GroupRule::Keep;
            world.refused_accounts.insert(AccountId::new(ACCOUNTS[1].0), Refusal::Subscription);
        }
        let group = Some(ACCOUNTS[1].1.to_owned());
        world.save(&incident, &Change { group, ..Change::default() }).wait(60);
        world.comment(&incident, "It is back «c2»").wait(60);
        assert_eq!(world.sync_status(&incident).0, "error", "{}", world.story());
        world.save(&incident, &codes("", "")).wait(60);
        world.comment(&incident, "Any news? «c3»").wait(60);
        assert_eq!(world.sync_status(&incident), (String::new(), String::new()), "{}", world.story());
        if comes_back {
            world.life.desk.world.borrow_mut().refused_accounts.clear();
            world.save(&incident, &codes("aws-lambda", "other")).wait(DAY).settle();
            assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
        }
        let texts = ["«c2»", "«c3»"].map(|token| world.count_on_case(&incident, token));
        assert_eq!(texts, [usize::from(comes_back); 2], "{}", world.story());
        assert_eq!(world.cases(&incident).len(), 1 + usize::from(comes_back), "{}", world.story());
        world.must_hold();
    }
}

/// AWS refuses the account of the next case until the account goes out of use. That changes no incident, and neither does the
/// end of it. The incident gets its next case with its first save after that.
#[test]
fn an_incident_between_two_cases_whose_account_was_out_of_use_gets_the_next_one_when_it_is_saved() {
    let (mut world, incident) = resolved_long_ago(false);
    let account = AccountId::new(ACCOUNTS[1].0);
    {
        let world = &mut *world.life.desk.world.borrow_mut();
        world.settings.policy.group_of_another_account = GroupRule::Keep;
        world.refused_accounts.insert(account.clone(), Refusal::Subscription);
    }
    let group = Some(ACCOUNTS[1].1.to_owned());
    world.save(&incident, &Change { group, ..Change::default() }).wait(60);
    world.comment(&incident, "It is back «c2»").wait(60);
    assert_eq!(world.sync_status(&incident).0, "error", "{}", world.story());
    world.life.desk.world.borrow_mut().retire_account(&account);
    world.wait(DAY);
    assert_eq!(world.sync_status(&incident), (String::new(), String::new()), "{}", world.story());
    {
        let world = &mut *world.life.desk.world.borrow_mut();
        world.refused_accounts.clear();
        world.use_accounts();
    }
    world.wait(DAY);
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.life.desk.world.borrow_mut().settings.accounts_change = true;
    world.settle();
    assert_eq!(world.cases(&incident).len(), 2, "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    world.must_hold();
}

#[test]
fn an_incident_that_is_reopened_too_late_for_its_case_opens_another_case() {
    let (mut world, incident) = resolved_long_ago(false);
    world.set_state(&incident, IncidentState::InProgress).settle();
    assert_eq!(world.cases(&incident).len(), 2, "{}", world.story());
    assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
}

/// A rule aborts the update that writes the note on the next case. casebridge drops the note, and nothing waits for it.
#[test]
fn a_note_on_the_next_case_that_the_instance_refuses_is_dropped() {
    let (mut world, incident) = resolved_long_ago(false);
    world.comment(&incident, "It is back «c2»").until(RemoteCall::CreateCase, 2);
    // The first update writes the columns, the second one the note.
    world.life.desk.world.borrow_mut().servicenow.abort_updates(2);
    world.wait(3_700);
    assert_eq!(world.cases(&incident).len(), 2, "{}", world.story());
    assert_eq!(world.count_on_incident(&incident, "It continues AWS Support"), 0, "{}", world.story());
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
    world.must_hold();
}

#[test]
fn a_case_that_is_reopened_after_the_closing_goes_on_in_another_incident() {
    let (mut world, incident) = closed();
    world.write_on_case(&incident, "It is back «m1»", Some(CUSTOMER)).settle();
    let [next] = <[Handle; 1]>::try_from(next_incidents(&world)).unwrap();
    assert_eq!(
        world.count_on_incident(&next, "«m1»") + world.count_on_incident(&incident, "«m1»"),
        1,
        "{}",
        world.story()
    );
    assert_eq!(world.state(&incident), IncidentState::Closed, "{}", world.story());
    world.comment(&next, "We look into it «c9»").settle();
    assert_eq!(world.count_on_case(&next, "«c9»"), 1, "{}", world.story());
    world.set_state(&next, IncidentState::Resolved).settle();
    assert_eq!(world.status(&next), "resolved", "{}", world.story());
    world.must_hold();
}

#[test]
fn each_reopening_after_a_closing_opens_the_next_incident() {
    let (mut world, first) = closed();
    world.write_on_case(&first, "It is back «m1»", Some(CUSTOMER)).settle();
    let second = next_incidents(&world).pop().unwrap();
    world.set_state(&second, IncidentState::Resolved).settle();
    world.set_state(&second, IncidentState::Closed).settle();
    world.write_on_case(&second, "And again «m2»", Some(CUSTOMER)).settle();
    let all = next_incidents(&world);
    assert_eq!(all.len(), 2, "{}", world.story());
    assert_ne!(all[0], all[1]);
    world.must_hold();
}

#[test]
fn a_closed_incident_says_by_policy_that_its_case_was_reopened() {
    let (mut world, incident) = closed();
    world.life.desk.world.borrow_mut().settings.policy.case_reopened_after_closing = ClosedIncidentRule::Note;
    world.write_on_case(&incident, "It is back «m1»", Some(CUSTOMER)).settle();
    assert!(next_incidents(&world).is_empty(), "{}", world.story());
    assert_eq!(world.count_on_incident(&incident, "«m1»"), 1, "{}", world.story());
    assert_eq!(world.sync_status(&incident).0, "waiting", "{}", world.story());
    world.must_hold();
}

#[test]
fn whatever_happens_to_the_hand_over_the_case_has_one_next_incident() {
    for call in [RemoteCall::HandOver, RemoteCall::Open, RemoteCall::EnqueueLater, RemoteCall::Release] {
        for fate in [Fate::DiedBefore, Fate::DiedAfter, Fate::AnswerLost, Fate::Refused] {
            let (mut world, incident) = closed();
            world.fate(call, &[fate]);
            world.write_on_case(&incident, "It is back «m1»", Some(CUSTOMER)).settle();
            assert_eq!(next_incidents(&world).len(), 1, "{call:?} {fate}: {}", world.story());
            world.must_hold();
        }
    }
}

/// The next incident is described by what was written at AWS last. When its case is too old as well, the case that follows is
/// opened with this description.
#[test]
fn another_case_for_a_next_incident_has_its_description_with_what_was_written_at_aws() {
    let (mut world, incident) = closed_in(Script::with(|settings| {
        settings.polling = SELDOM;
        settings.jobs = SELDOM;
    }));
    world.write_on_case(&incident, "Any news?", Some(CUSTOMER)).settle();
    let [next] = <[Handle; 1]>::try_from(next_incidents(&world)).unwrap();
    world.set_state(&next, IncidentState::Resolved).settle();
    world.wait(15 * DAY);
    world.comment(&next, "It is back «c2»").settle();
    let cases = world.cases(&next);
    let [_, second] = cases.as_slice() else { panic!("{} cases {}", cases.len(), world.story()) };
    assert!(second.communications[0].body.contains(" UTC:\nAny news?"), "{}", world.story());
    assert_eq!(world.count_on_case(&next, "«c2»"), 1, "{}", world.story());
    world.must_hold();
}

/// A next incident gets another case, and that case outlives it, too. The incident that follows is the second one of this case.
#[test]
fn a_next_incident_whose_other_case_goes_on_is_followed_by_the_second_incident_of_that_case() {
    let (mut world, incident) = closed_in(Script::with(|settings| {
        settings.polling = SELDOM;
        settings.jobs = SELDOM;
    }));
    world.write_on_case(&incident, "Any news? «m1»", Some(CUSTOMER)).settle();
    let [next] = <[Handle; 1]>::try_from(next_incidents(&world)).unwrap();
    world.set_state(&next, IncidentState::Resolved).settle();
    world.wait(15 * DAY);
    world.comment(&next, "It is back «c2»").settle();
    let other = world.cases(&next).pop().unwrap().case_id;
    world.set_state(&next, IncidentState::Resolved).settle();
    world.set_state(&next, IncidentState::Closed).settle();
    world.life.desk.world.borrow_mut().write_at_aws(&other, "And again «m3»", Some(CUSTOMER));
    world.life.follow_up();
    world.settle();
    assert_eq!(next_incidents(&world).len(), 2, "{}", world.story());
    world.must_hold();
}

/// The account goes out of use while the case moves, and AWS resolves the case again. The closed incident has no case any
/// more, so it keeps the status that it shows. The next one follows as soon as the account is used again.
#[test]
fn a_next_incident_waits_for_its_account_also_if_the_case_is_resolved_meanwhile() {
    for is_used_again in [false, true] {
        let (mut world, incident) = closed();
        world.write_on_case(&incident, "It is back «m1»", Some(CUSTOMER)).until(RemoteCall::HandOver, 1);
        world.life.desk.world.borrow_mut().retire_account(&AccountId::new(ACCOUNTS[0].0));
        world.wait(60);
        world.reply_with_file(&incident, "We look into it «m2»", "log.txt", 1_000);
        world.set_status(&incident, "resolved").wait(60);
        assert!(next_incidents(&world).is_empty(), "{}", world.story());
        let columns = world.life.desk.world.borrow().servicenow.incidents[&incident].summary.columns.clone();
        assert_eq!(columns.own(CASE_STATUS), "reopened", "{}", world.story());
        assert!(columns.last_error.contains("It goes on in another incident"), "{}", world.story());
        if is_used_again {
            world.life.desk.world.borrow_mut().use_accounts();
            world.wait(TWO_HOURS).settle();
            let [next] = <[Handle; 1]>::try_from(next_incidents(&world)).unwrap();
            assert_eq!(world.count_on_incident(&next, "«m2»"), 1, "{}", world.story());
            assert_eq!(files_on(&world, &next), 1, "{}", world.story());
            assert_eq!(world.state(&next), IncidentState::Resolved, "{}", world.story());
        }
        world.must_hold();
    }
}

/// The judge excuses an open case of a closed incident if casebridge can't know of the closing. It excuses none once an answer
/// has shown the incident as closed.
#[test]
fn a_case_that_no_incident_goes_on_with_is_noticed_once_the_closing_was_read() {
    let (mut world, incident) = closed();
    let rule = |world: &Script, rule: ClosedIncidentRule| {
        world.life.desk.world.borrow_mut().settings.policy.case_reopened_after_closing = rule;
    };
    rule(&world, ClosedIncidentRule::Note);
    world.write_on_case(&incident, "It is back «m1»", Some(CUSTOMER)).settle();
    world.life.desk.world.borrow_mut().memory.closed_while_hidden.insert(incident);
    rule(&world, ClosedIncidentRule::OpenIncident);
    let outcome = world.conclude();
    let is_noticed = outcome.violations.iter().any(|violation| violation.what.contains("no incident goes on with it"));
    assert!(is_noticed, "{:?}: {}", outcome.violations, outcome.story);
}

/// The judge excuses the files of texts that wait for the next incident. It excuses no file of a text that is on the closed
/// one.
#[test]
fn a_file_that_the_closed_incident_lacks_is_noticed_although_no_other_one_can_follow() {
    let mut world = Script::new();
    let incident = world.linked();
    world.reply_with_file(&incident, "See the log «m1»", "log.txt", 1_000).settle();
    world.set_state(&incident, IncidentState::Resolved).settle();
    world.set_state(&incident, IncidentState::Closed).settle();
    world.write_on_case(&incident, "It is back «m2»", Some(CUSTOMER)).until(RemoteCall::HandOver, 1);
    assert_eq!(files_on(&world, &incident), 1, "{}", world.story());
    {
        let world = &mut *world.life.desk.world.borrow_mut();
        world.retire_account(&AccountId::new(ACCOUNTS[0].0));
        world.servicenow.attachments.clear();
    }
    let outcome = world.conclude();
    let is_noticed = outcome.violations.iter().any(|violation| violation.what.contains("is 0 times on the incident"));
    assert!(is_noticed, "{:?}: {}", outcome.violations, outcome.story);
}
