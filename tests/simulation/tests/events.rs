//! What the events of cases without a known link cost.

use casebridge_core::{
    hint::Cause, identifiers::IncidentId, policy::OpenedCaseRule, support::unknown_case::READS_PER_MINUTE,
};
use casebridge_simulation::{
    calls::{Fate, RemoteCall},
    script::{Handle, Script},
    world::ACCOUNTS,
};
use jiff::SignedDuration;

/// How many cases a burst opens.
const BURST: usize = 100;
/// How many events a flood has.
const FLOOD: u64 = 200;

/// Returns a world without polls and with room for a burst of incidents. Cases of others stay at AWS.
fn without_poller() -> Script {
    Script::with(|settings| {
        settings.polling = SignedDuration::from_hours(1_000);
        settings.most_incidents = BURST;
        settings.policy.cases_opened_at_aws = OpenedCaseRule::Ignore;
    })
}

/// Somebody opens a case in the console of an account.
fn open_in_console(world: &mut Script, account: usize, text: &str) {
    world.life.desk.world.borrow_mut().open_own_case(ACCOUNTS[account].0, "A bill", "low", text);
    world.life.follow_up();
}

/// Opens an incident whose CreateCase is in doubt. Its event would not wait that long, and no read shows a case.
fn in_doubt(world: &mut Script, account: usize, text: &str) -> Handle {
    world.fate(RemoteCall::CreateCase, &[Fate::RequestLost]);
    let incident = world.open_in(ACCOUNTS[account].1, text);
    world.wait(30);
    assert!(world.cases(&incident).is_empty(), "{}", world.story());
    incident
}

#[test]
fn an_event_of_an_account_that_opens_no_case_costs_no_call_of_aws() {
    let mut world = without_poller();
    open_in_console(&mut world, 0, "A question «o1»");
    world.wait(30);
    assert_eq!(world.calls(RemoteCall::LinkOfCase), 3, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::NewestUndecidedCase), 1, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::Enqueue), 1, "{}", world.story());
    assert_eq!(world.all_calls(), 5, "{}", world.story());
}

/// The event of a case that somebody opened costs two reads of the case and one call that opens the incident.
#[test]
fn an_event_of_a_case_that_somebody_opened_opens_its_incident() {
    let mut world = without_poller();
    world.life.desk.world.borrow_mut().settings.policy.cases_opened_at_aws = OpenedCaseRule::OpenIncident;
    open_in_console(&mut world, 0, "A question «o1»");
    world.wait(30);
    assert_eq!(world.calls(RemoteCall::DescribeCases), 2, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::Open), 1, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::Snapshot), 0, "{}", world.story());
    assert_eq!(world.life.desk.world.borrow().servicenow.incidents.len(), 1, "{}", world.story());
    world.must_hold();
}

/// The first pass of a case that somebody opened dies before it records the case, so its link is there and knows no case.
/// The event comes again while a worker that was sent to the link looks for the incident. The mark that the event leaves
/// for this worker does not name the case.
#[test]
fn an_event_that_finds_its_link_held_comes_again_with_its_case() {
    let mut world = without_poller();
    world.life.desk.world.borrow_mut().settings.policy.cases_opened_at_aws = OpenedCaseRule::OpenIncident;
    world.fate(RemoteCall::TakeLease, &[Fate::DiedAfter]);
    open_in_console(&mut world, 0, "A question «o1»");
    world.until(RemoteCall::TakeLease, 1).wait(350);
    let link = world.life.desk.ledger.link_keys().pop().expect("the first pass took the lease");
    world.delay_call(RemoteCall::Snapshot, 10);
    let report = world.life.look_because(Cause::Due, &link);
    assert!(report.is_some(), "{}", world.story());
    assert_eq!(world.calls(RemoteCall::TakeLease), 4, "{}", world.story());
    world.wait(30);
    assert_eq!(world.life.desk.world.borrow().servicenow.incidents.len(), 1, "{}", world.story());
    world.must_hold();
}

/// The event of our own CreateCase waits until the outcome is recorded. Each new case is read once, and no two workers
/// meet at a link.
#[test]
fn a_burst_of_new_cases_reads_each_of_them_once() {
    let mut world = without_poller();
    let incidents: Vec<IncidentId> =
        (0..BURST).map(|number| world.open(&format!("It does not answer. «d{number}»"))).collect();
    world.wait(60);
    for incident in &incidents {
        assert_eq!(world.cases(incident).len(), 1, "{}", world.story());
        assert_eq!(world.sync_status(incident).0, "in_sync", "{}", world.story());
    }
    let burst = BURST as u64;
    assert_eq!(world.calls(RemoteCall::DescribeCases), burst);
    assert_eq!(world.calls(RemoteCall::DescribeCommunications), 0);
    assert_eq!(world.calls(RemoteCall::CountUnknownCaseRead), 0);
    assert_eq!(world.calls(RemoteCall::LinkOfOpenIntent), 0);
    // One to open the case and one for its event. No worker found a link leased.
    assert_eq!(world.calls(RemoteCall::TakeLease), 2 * burst);
    assert_eq!(world.calls(RemoteCall::Snapshot), 2 * burst);
}

/// The outcome of a CreateCase is recorded late. The event waits for it and costs no read of its own.
#[test]
fn an_event_waits_for_an_outcome_that_is_late() {
    let mut world = without_poller();
    world.delay(1);
    let incident = world.open("It does not answer. «d1»");
    world.wait(60);
    assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
    assert_eq!(world.calls(RemoteCall::DescribeCases), 1, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::CountUnknownCaseRead), 0, "{}", world.story());
}

/// The event of a case that appears late leads to its link, long before the link looks for the case by itself.
#[test]
fn an_event_tells_of_a_case_that_shows_up_late() {
    let mut world = without_poller();
    world.fate(RemoteCall::CreateCase, &[Fate::LandsLate]);
    let incident = world.open("It does not answer. «d1»");
    while world.cases(&incident).is_empty() && world.life.step() {}
    let looks = world.calls(RemoteCall::CountUnknownCaseRead);
    world.wait(30);
    assert_eq!(world.calls(RemoteCall::CountUnknownCaseRead), looks + 1, "{}", world.story());
    assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
    assert_eq!(world.calls(RemoteCall::CreateCase), 1, "{}", world.story());
    world.must_hold();
}

/// One account has a case in doubt while customers open many cases in its console. The reads of unknown cases stay
/// within their limit, and the event of another account's case is handled meanwhile.
#[test]
fn a_flood_of_events_leaves_another_accounts_calls_alone() {
    let mut world = without_poller();
    in_doubt(&mut world, 0, "In the flooded account «d1»");
    world.fate(RemoteCall::CreateCase, &[Fate::LandsLate]);
    let other = world.open_in(ACCOUNTS[1].1, "In the other account «d2»");
    let began = world.life.desk.world.borrow().now.as_second();
    let (reads, counted) = (world.calls(RemoteCall::DescribeCases), world.calls(RemoteCall::CountUnknownCaseRead));
    for number in 0..FLOOD {
        open_in_console(&mut world, 0, &format!("A question «o{number}»"));
    }
    while world.cases(&other).is_empty() && world.life.step() {}
    world.wait(30);
    assert_eq!(world.sync_status(&other).0, "in_sync", "{}", world.story());
    let minutes = 1 + (world.life.desk.world.borrow().now.as_second() - began) / 60;
    assert_eq!(world.calls(RemoteCall::CountUnknownCaseRead) - counted, FLOOD + 1, "{}", world.story());
    let most = u64::from(READS_PER_MINUTE) * minutes.unsigned_abs();
    let reads = world.calls(RemoteCall::DescribeCases) - reads;
    assert!(reads < most + 80, "{reads} reads in {minutes} minutes, {most} of them of unknown cases");
    world.must_hold();
}

/// The event of a case is dropped. The link that opened the case finds it.
#[test]
fn nothing_depends_on_an_event_that_was_dropped() {
    let mut world = without_poller();
    in_doubt(&mut world, 0, "It does not answer. «d1»");
    for number in 0..u64::from(READS_PER_MINUTE) + 10 {
        open_in_console(&mut world, 0, &format!("A question «o{number}»"));
    }
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost]).lag(60);
    let incident = world.open("It does not answer, either. «d2»");
    world.wait(55).lag(0).settle();
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.must_hold();
}
