//! What a pass reads, how many calls it makes and reports, and when it stops for lack of time.

use casebridge_core::{
    hint::{Cause, Subject},
    identifiers::{AccountId, CaseId, LinkKey},
    link::wake,
    policy::OpenedCaseRule,
    servicenow::incident::IncidentState,
};
use casebridge_executor::Report;
use casebridge_simulation::{
    calls::{Fate, RemoteCall},
    script::{Handle, Script},
    world::ACCOUNTS,
};
use casebridge_simulator::support::Quotas;
use jiff::SignedDuration;

/// L of the default policy, in seconds.
const MAXIMUM_DOUBT: i64 = 900;

/// Returns a world in which only the test starts passes: without hints, wakes and polls.
fn still() -> Script {
    Script::with(|settings| {
        settings.hints = false;
        settings.wakes = false;
        settings.polling = SignedDuration::from_hours(1_000);
    })
}

/// Makes one pass and returns its report. Checks that it reports the number of calls that were made.
fn counted_look(world: &mut Script, incident: &Handle) -> Report {
    let before = world.all_calls();
    let report = world.look_again(incident).expect("the ledger answers");
    assert_eq!(u64::from(report.calls), world.all_calls() - before, "{}", world.story());
    report
}

/// Opens an incident in a still world. Returns it with the report of the pass that opens its case.
fn opened(world: &mut Script) -> (Handle, Report) {
    let incident = world.open("It does not answer. «d1»");
    let report = counted_look(world, &incident);
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    (incident, report)
}

#[test]
fn a_new_case_takes_six_calls() {
    let mut world = still();
    let (_, report) = opened(&mut world);
    // Lease, incident, intent, case, columns, release.
    assert_eq!(report.calls, 6, "{}", world.story());
    assert_eq!(report.effects.len(), 2, "{report:?}");
}

#[test]
fn a_comment_takes_six_calls_and_a_reply_four() {
    let mut world = Script::with(|settings| settings.polling = SignedDuration::from_hours(1_000));
    let incident = world.open("It does not answer. «d1»");
    world.wait(20);
    world.life.desk.world.borrow_mut().settings.hints = false;
    world.comment(&incident, "Anybody there? «c2»");
    // Lease, both sides, intent, communication, release.
    assert_eq!(counted_look(&mut world, &incident).calls, 6, "{}", world.story());
    world.reply(&incident, "Yes «r3»");
    let report = counted_look_from_aws(&mut world, &incident);
    // Lease, case, delivery, release. The incident is settled, so a pass for what AWS writes does not read it.
    assert_eq!((report.calls, report.effects.len()), (4, 1), "{}", world.story());
}

#[test]
fn a_conversation_is_counted_call_by_call() {
    let mut world = still();
    let (incident, _) = opened(&mut world);
    world.comment(&incident, "One «c2»").comment(&incident, "Two «c3»");
    // Two comments and the columns.
    assert_eq!(counted_look(&mut world, &incident).effects.len(), 3, "{}", world.story());
    for number in 4..10 {
        world.reply(&incident, &format!("Reply «r{number}»"));
    }
    // More replies than a case shows by itself: its communications are read page by page.
    let report = counted_look(&mut world, &incident);
    assert!(report.calls >= 6, "{report:?}");
    assert_eq!(world.delivered(&incident).len(), 6, "{}", world.story());
    world.set_state(&incident, IncidentState::Resolved);
    counted_look(&mut world, &incident);
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    assert!(counted_look(&mut world, &incident).effects.is_empty(), "{}", world.story());
}

#[test]
fn a_search_for_a_case_in_doubt_is_counted_call_by_call() {
    let mut world = still();
    for number in 0..12 {
        let text = format!("A question «o{number}»");
        world.life.desk.world.borrow_mut().open_own_case(ACCOUNTS[0].0, "A bill", "low", &text);
    }
    world.life.follow_up();
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost]);
    let (incident, report) = opened(&mut world);
    // The same pass looks at once and finds it, on the second page of the account's cases.
    assert!(report.calls >= 8, "{report:?}");
    assert!(counted_look(&mut world, &incident).effects.is_empty(), "{}", world.story());
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
}

/// An account may open thousands of cases a day, each with a long conversation. The search for a case reads no
/// conversation of other cases.
#[test]
fn a_search_for_a_case_in_doubt_reads_no_conversation_of_other_cases() {
    let mut world = still();
    for number in 0..3 {
        let text = format!("A question «o{number}»");
        world.life.desk.world.borrow_mut().open_own_case(ACCOUNTS[0].0, "A bill", "low", &text);
        let case_id = world.life.desk.world.borrow().support.cases()[number].case_id.clone();
        for answer in 0..MAXIMUM_SHOWN {
            let text = format!("An answer «r{number}-{answer}»");
            world.life.desk.world.borrow_mut().write_at_aws(&case_id, &text, None);
        }
    }
    world.life.follow_up();
    let before = world.calls(RemoteCall::DescribeCommunications);
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost]);
    let (incident, _) = opened(&mut world);
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::DescribeCommunications), before, "{}", world.story());
}

/// The most communications that DescribeCases shows of a case.
const MAXIMUM_SHOWN: usize = 5;

/// The time of a call, both ways together, in a world without random faults, in milliseconds.
const CALL: i128 = 40;

/// How often a pass makes a call that is throttled: at once, and after each of its two waits.
const TRIES: usize = 3;

/// Makes one pass. Returns its report and how long it took, in milliseconds.
fn timed_look(world: &mut Script, incident: &Handle) -> (Report, i128) {
    let now = |world: &Script| world.life.desk.world.borrow().now;
    let began = now(world);
    let report = counted_look(world, incident);
    (report, now(world).duration_since(began).as_millis())
}

/// A pass reads both sides at the same time.
#[test]
fn both_sides_are_read_at_the_same_time() {
    let mut world = still();
    let (incident, _) = opened(&mut world);
    // Lease, incident and case, the case's number in the columns, release.
    let (report, time) = timed_look(&mut world, &incident);
    assert_eq!((report.calls, time), (5, 4 * CALL), "{}", world.story());

    let mut world = still();
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost]).lag(MAXIMUM_DOUBT / 2);
    let incident = world.open("It does not answer. «d1»");
    counted_look(&mut world, &incident);
    // Lease, incident and search for the case, release.
    let (report, time) = timed_look(&mut world, &incident);
    assert_eq!(time, i128::from(report.calls - 1) * CALL, "{}", world.story());

    world.lag(2 * MAXIMUM_DOUBT).wait(MAXIMUM_DOUBT);
    // All tries of a pass are throttled.
    world.fate(RemoteCall::CreateCase, &[Fate::Refused; TRIES]);
    counted_look(&mut world, &incident);
    world.wait(MAXIMUM_DOUBT);
    let searches = world.calls(RemoteCall::DescribeCases);
    let snapshots = world.calls(RemoteCall::Snapshot);
    // The case was given up. The pass looks for it while it reads the incident, and finds it.
    let (report, time) = timed_look(&mut world, &incident);
    assert_eq!(world.calls(RemoteCall::DescribeCases), searches + 1, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::Snapshot), snapshots + 1, "{}", world.story());
    assert_eq!(time, i128::from(report.calls - 1) * CALL, "{}", world.story());
}

/// Makes a pass for an event of AWS and returns its report. Checks that it reports the number of calls that were made.
fn counted_look_from_aws(world: &mut Script, incident: &Handle) -> Report {
    let before = world.all_calls();
    let report = world.life.look_because(Cause::SupportEvent, &LinkKey::support_case(incident.clone()));
    let report = report.expect("the ledger answers");
    assert_eq!(u64::from(report.calls), world.all_calls() - before, "{}", world.story());
    report
}

/// Makes a pass for a hint that names a case and returns its report. Checks that it reports the number of calls that
/// were made.
fn counted_look_at_case(world: &mut Script, number: usize) -> Report {
    let case_id = world.life.desk.world.borrow().support.cases()[number].case_id.clone();
    let (account, case_id) = (AccountId::new(ACCOUNTS[0].0), CaseId::new(case_id));
    let before = world.all_calls();
    let report = world.life.look_at(Subject::Case { account, case_id }).expect("the ledger answers");
    assert_eq!(u64::from(report.calls), world.all_calls() - before, "{}", world.story());
    report
}

/// A case that somebody opened in the console has no link if the policy ignores it, whatever its text. The calls of the
/// search for its link are counted too.
#[test]
fn a_look_at_a_strange_case_is_counted_call_by_call() {
    for (text, calls) in [("A question «o1»", 5), ("A copy. [ref bcdf-ghjk-mnpq-rstv]", 6)] {
        let mut world = still();
        world.life.desk.world.borrow_mut().settings.policy.cases_opened_at_aws = OpenedCaseRule::Ignore;
        world.life.desk.world.borrow_mut().open_own_case(ACCOUNTS[0].0, "A bill", "low", text);
        world.life.follow_up();
        let report = counted_look_at_case(&mut world, 0);
        assert_eq!((report.link, report.calls), (None, calls), "{text}: {}", world.story());
    }
}

/// A case whose CreateCase is in doubt leads to its link by its mark.
#[test]
fn a_look_at_a_case_in_doubt_is_counted_call_by_call() {
    let mut world = still();
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost]).lag(MAXIMUM_DOUBT / 2);
    let incident = world.open("It does not answer. «d1»");
    counted_look(&mut world, &incident);
    world.lag(0);
    let report = counted_look_at_case(&mut world, 0);
    assert!(report.link.is_some(), "{}", world.story());
    assert_eq!(world.sync_status(&incident).0, "in_sync", "{}", world.story());
}

/// A case that was given up appears after all. The link, which has another case by now, reports it once.
#[test]
fn a_case_that_was_given_up_and_shows_is_reported_once() {
    let mut world = still();
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost]).lag(2 * MAXIMUM_DOUBT);
    let incident = world.open("It does not answer. «d1»");
    counted_look(&mut world, &incident);
    world.wait(MAXIMUM_DOUBT + 10);
    counted_look(&mut world, &incident);
    world.lag(0);
    assert_eq!(counted_look_at_case(&mut world, 0).doubles, 1, "{}", world.story());
    assert_eq!(counted_look_at_case(&mut world, 0).doubles, 0, "{}", world.story());
    assert!(world.cases(&incident)[0].is_resolved(), "{}", world.story());
}

/// Reads lag by more than L, against the assumption, so a case is opened twice. Once both appear, one of them is
/// resolved.
#[test]
fn a_case_that_was_opened_twice_is_reported_once() {
    let mut world = still();
    world.fate(RemoteCall::CreateCase, &[Fate::AnswerLost, Fate::AnswerLost]).lag(2 * MAXIMUM_DOUBT);
    let incident = world.open("It does not answer. «d1»");
    counted_look(&mut world, &incident);
    world.wait(MAXIMUM_DOUBT + 10);
    counted_look(&mut world, &incident);
    assert_eq!(world.cases(&incident).len(), 2, "{}", world.story());
    world.lag(0);
    assert_eq!(counted_look(&mut world, &incident).doubles, 1, "{}", world.story());
    assert_eq!(counted_look(&mut world, &incident).doubles, 0, "{}", world.story());
    let open = world.cases(&incident).iter().filter(|case| !case.is_resolved()).count();
    assert_eq!(open, 1, "{}", world.story());
}

#[test]
fn a_failed_pass_is_counted_call_by_call() {
    for (call, fates) in [
        (RemoteCall::CreateCase, vec![Fate::Refused]),
        (RemoteCall::CreateCase, vec![Fate::RequestLost]),
        (RemoteCall::Snapshot, vec![Fate::Refused]),
        (RemoteCall::Deliver, vec![Fate::Refused]),
        (RemoteCall::Deliver, vec![Fate::AnswerLost]),
    ] {
        let mut world = still();
        world.fate(call, &fates);
        let incident = world.open("It does not answer. «d1»");
        let report = counted_look(&mut world, &incident);
        assert!(
            !report.failures.is_empty() || report.effects.iter().any(|(_, failure)| failure.is_some()),
            "{report:?}"
        );
        let is_mended = !report.stayed.is_zero();
        assert!(is_mended || report.due.is_some(), "{call:?} {fates:?}: nobody looks again");
        world.must_hold();
    }
}

/// A worker that has little time left begins no further call. The rest is done for the next message.
#[test]
fn a_pass_begins_no_call_that_its_time_may_not_suffice_for() {
    let mut world = Script::new();
    let incident = world.linked();
    for number in 0..20 {
        world.comment(&incident, &format!("Number {number} «c{number}»"));
    }
    // Every call takes six seconds, of the sixty that a worker has.
    world.delay(3).wait(100);
    let sent = (0..20).filter(|number| world.count_on_case(&incident, &format!("«c{number}»")) == 1).count();
    assert!((1..20).contains(&sent), "{sent} in a hundred seconds: {}", world.story());
    world.delay(0).settle();
    let story = world.story();
    let dead = story.lines().find(|line| line.contains("worker of") && line.contains("its time is up"));
    assert_eq!(dead, None, "{story}");
    world.must_hold();
}

/// AWS is slow, and a call is in doubt when the worker has little time left. The worker releases the link in time, and
/// does not die in the read that looks for the call.
#[test]
fn a_worker_begins_no_read_that_its_time_may_not_suffice_for() {
    let mut world = Script::new();
    let incident = world.linked();
    for number in 0..4 {
        world.comment(&incident, &format!("Number {number} «c{number}»"));
    }
    world.fate(RemoteCall::AddCommunication, &[Fate::AnswerLost, Fate::Through, Fate::AnswerLost]);
    world.delay_call(RemoteCall::AddCommunication, 20).delay_call(RemoteCall::DescribeCases, 20).wait(300);
    let story = world.story();
    let dead = story.lines().find(|line| line.contains("worker of") && line.contains("its time is up"));
    assert_eq!(dead, None, "{story}");
    world.delay_call(RemoteCall::AddCommunication, 0).delay_call(RemoteCall::DescribeCases, 0).settle();
    for number in 0..4 {
        assert_eq!(world.count_on_case(&incident, &format!("«c{number}»")), 1, "{}", world.story());
    }
    world.must_hold();
}

/// A case that was opened recently and does not appear yet causes no trouble.
#[test]
fn a_case_that_does_not_show_yet_is_no_trouble() {
    let mut world = still();
    let (incident, _) = opened(&mut world);
    world.wait(60).lag(MAXIMUM_DOUBT / 2);
    world.comment(&incident, "Anybody there? «c2»");
    let report = counted_look(&mut world, &incident);
    assert!(report.failures.is_empty(), "{report:?}");
    assert_eq!(world.sync_status(&incident), ("in_sync".to_owned(), String::new()), "{}", world.story());
}

/// A case that does not appear for longer than any delay is gone, and the agent is told.
#[test]
fn a_case_that_is_gone_is_told_to_the_agent() {
    let mut world = still();
    let (incident, _) = opened(&mut world);
    world.wait(MAXIMUM_DOUBT + 60).lag(MAXIMUM_DOUBT * 10);
    let report = counted_look(&mut world, &incident);
    assert_eq!(report.failures.len(), 1, "{report:?}");
    let (status, error) = world.sync_status(&incident);
    assert_eq!(status, "error", "{}", world.story());
    assert!(error.contains("not there any more"), "{error}");
}

/// The same pass repeats a call that is throttled once or twice, a few seconds later. After the third time it releases
/// the link.
#[test]
fn a_pass_stays_for_two_throttled_calls_and_no_more() {
    for (throttled, cases) in [(1, 1), (2, 1), (3, 0)] {
        let mut world = still();
        world.fate(RemoteCall::CreateCase, &vec![Fate::Refused; throttled]);
        let incident = world.open("It does not answer. «d1»");
        let report = counted_look(&mut world, &incident);
        assert_eq!(world.cases(&incident).len(), cases, "{throttled} throttled: {}", world.story());
        assert_eq!(world.calls(RemoteCall::Stay), throttled.min(2) as u64, "{}", world.story());
        assert!(report.stayed <= SignedDuration::from_secs(5), "{report:?}");
        assert!(report.due.is_some(), "{report:?}");
        world.must_hold();
    }
}

#[test]
fn a_pass_stays_for_whatever_may_be_repeated() {
    for (call, fate) in [
        (RemoteCall::AddCommunication, Fate::Refused),
        (RemoteCall::DescribeCases, Fate::Refused),
        (RemoteCall::DescribeCases, Fate::AnswerLost),
        (RemoteCall::Snapshot, Fate::Refused),
        (RemoteCall::Snapshot, Fate::AnswerLost),
    ] {
        let mut world = still();
        let (incident, _) = opened(&mut world);
        world.comment(&incident, "Anybody there? «c2»");
        world.fate(call, &[fate]);
        let report = counted_look(&mut world, &incident);
        assert_eq!(world.calls(RemoteCall::Stay), 1, "{call:?} {fate}: {}", world.story());
        assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{call:?} {fate}: {}", world.story());
        assert!(!report.stayed.is_zero(), "{report:?}");
        world.must_hold();
    }
    for fate in [Fate::Refused, Fate::AnswerLost] {
        let mut world = still();
        let (incident, _) = opened(&mut world);
        world.reply(&incident, "Yes «r2»").fate(RemoteCall::Deliver, &[fate]);
        counted_look(&mut world, &incident);
        assert_eq!(world.calls(RemoteCall::Stay), 1, "{fate}: {}", world.story());
        assert_eq!(world.count_on_incident(&incident, "«r2»"), 1, "{fate}: {}", world.story());
        world.must_hold();
    }
}

#[test]
fn a_pass_does_not_stay_with_a_call_in_doubt() {
    let mut world = still();
    world.fate(RemoteCall::CreateCase, &[Fate::RequestLost]);
    let incident = world.open("It does not answer. «d1»");
    let report = counted_look(&mut world, &incident);
    assert_eq!((world.calls(RemoteCall::Stay), report.stayed), (0, SignedDuration::ZERO), "{}", world.story());
    assert_eq!(world.calls(RemoteCall::CreateCase), 1, "{}", world.story());
    world.must_hold();
}

/// A worker records a refusal before it waits. So if it dies, only its lease is in the way, and nothing is in doubt.
#[test]
fn a_worker_that_dies_while_it_stays_leaves_no_doubt() {
    let mut world = Script::new();
    world.fate(RemoteCall::CreateCase, &[Fate::Refused]).fate(RemoteCall::Stay, &[Fate::DiedBefore]);
    let incident = world.open("It does not answer. «d1»");
    world.wait(5);
    assert!(world.case(&incident).is_none(), "{}", world.story());
    let ends = world.life.desk.ledger.intent_ends(&LinkKey::support_case(incident.clone()));
    assert_eq!(ends, [(1, Some("refused"))], "{}", world.story());
    // Its message comes again after six minutes.
    world.wait(6 * 60);
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    world.must_hold();
}

/// If somebody writes while a worker stays with the link, the same worker sends the text.
#[test]
fn what_is_written_while_a_worker_stays_goes_with_the_same_pass() {
    let mut world = Script::new();
    world.fate(RemoteCall::CreateCase, &[Fate::Refused, Fate::Refused]);
    let incident = world.open("It does not answer. «d1»");
    world.until(RemoteCall::Stay, 2);
    world.comment(&incident, "It is urgent «c2»");
    world.wait(5);
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::DueLinks), 0, "no poll was needed: {}", world.story());
    world.must_hold();
}

/// Returns a world with hints and wakes and without polls.
fn unpolled() -> Script {
    Script::with(|settings| settings.polling = SignedDuration::from_hours(1_000))
}

/// Opens an incident and waits until its case is in step and nothing is under way.
fn at_rest(world: &mut Script) -> Handle {
    let incident = world.open("It does not answer. «d1»");
    world.wait(60);
    assert_eq!(world.status(&incident), "unassigned", "{}", world.story());
    incident
}

#[test]
fn nothing_is_sent_ahead_where_nothing_waits() {
    let mut world = unpolled();
    let incident = at_rest(&mut world);
    world.comment(&incident, "Anybody there? «c2»").wait(20);
    world.reply(&incident, "Yes «r3»").wait(20);
    world.set_state(&incident, IncidentState::Resolved).wait(60);
    assert_eq!(world.status(&incident), "resolved", "{}", world.story());
    assert_eq!(world.calls(RemoteCall::EnqueueLater), 0, "{}", world.story());
}

/// What a pass could not do is done for the wake, when the link is due. No poll is needed.
#[test]
fn a_link_that_waits_wakes_at_its_time() {
    let mut world = unpolled();
    let incident = at_rest(&mut world);
    world.fate(RemoteCall::AddCommunication, &[Fate::Refused; 4]);
    // Three tries in the first pass, one after four to six seconds, one after eight to twelve more.
    world.comment(&incident, "Anybody there? «c2»").wait(35);
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::EnqueueLater), 2, "{}", world.story());
}

#[test]
fn a_doubt_is_looked_at_when_it_ends() {
    let mut world = unpolled();
    let incident = at_rest(&mut world);
    world.fate(RemoteCall::AddCommunication, &[Fate::RequestLost]);
    world.comment(&incident, "Anybody there? «c2»").wait(MAXIMUM_DOUBT - 1);
    assert_eq!(world.count_on_case(&incident, "«c2»"), 0, "{}", world.story());
    // The call is made up to three seconds after the comment, and its repeat up to two seconds later than due.
    world.wait(6);
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    // Ten looks in a quarter of an hour, or a few more.
    assert!(world.calls(RemoteCall::EnqueueLater) <= 14, "{}", world.story());
}

/// Of many messages for one link, only one makes a pass. Each of the others costs at most one call of the ledger.
#[test]
fn a_message_for_another_time_costs_one_call() {
    let mut world = still();
    world.fate(RemoteCall::Snapshot, &[Fate::Refused; 3]);
    let incident = world.open("It does not answer. «d1»");
    let report = counted_look(&mut world, &incident);
    let due = report.due.expect("it waits");
    let key = LinkKey::support_case(incident.clone());
    world.wait(20);
    let look = |world: &mut Script, due| {
        let before = world.all_calls();
        let report = world.life.look_for(&wake::hint(key.clone(), due)).expect("the ledger answers");
        assert_eq!(u64::from(report.calls), world.all_calls() - before, "{}", world.story());
        report
    };
    let stale = look(&mut world, due - SignedDuration::from_secs(1));
    assert_eq!((stale.unclaimed, stale.calls), (true, 1), "{}", world.story());
    let right = look(&mut world, due);
    assert_eq!((right.unclaimed, right.effects.len()), (false, 2), "{}", world.story());
    assert_eq!(world.cases(&incident).len(), 1, "{}", world.story());
    let again = look(&mut world, due);
    assert_eq!((again.unclaimed, again.calls), (true, 1), "{}", world.story());
    let early = look(&mut world, due + SignedDuration::from_hours(1));
    assert_eq!((early.unclaimed, early.calls), (true, 0), "{}", world.story());
}

/// The wake is lost, its worker dies, or the queue refuses it: the poller wakes the link.
#[test]
fn the_poller_wakes_whom_no_message_wakes() {
    for fate in [Fate::Refused, Fate::DiedBefore, Fate::DiedAfter, Fate::AnswerLost] {
        let mut world = Script::new();
        let incident = world.linked();
        world.fate(RemoteCall::AddCommunication, &[Fate::Refused; 3]).fate(RemoteCall::EnqueueLater, &[fate]);
        world.comment(&incident, "Anybody there? «c2»");
        // The message of a worker that dies comes again after six minutes. Its group waits for it.
        let has_died = matches!(fate, Fate::DiedBefore | Fate::DiedAfter);
        world.wait(if has_died { 460 } else { 100 });
        assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{fate}: {}", world.story());
        world.must_hold();
    }
    let mut world = Script::with(|settings| settings.wakes = false);
    let incident = world.linked();
    world.fate(RemoteCall::AddCommunication, &[Fate::Refused; 3]);
    world.comment(&incident, "Anybody there? «c2»").wait(100);
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
    world.must_hold();
}

#[test]
fn each_plan_of_a_pass_is_linted() {
    let mut world = still();
    opened(&mut world);
    let plans = world.life.desk.world.borrow().tally.plans;
    assert_eq!(plans, 2, "one that opens the case, and one that finds nothing left to do");
}

/// Clocks differ, so a delayed message may come a little early.
#[test]
fn a_wake_that_comes_a_little_early_waits_for_its_time() {
    let mut world = still();
    world.fate(RemoteCall::Snapshot, &[Fate::Refused; 3]);
    let incident = world.open("It does not answer. «d1»");
    let due = counted_look(&mut world, &incident).due.expect("it waits");
    let left = due.duration_since(world.life.now()).as_secs();
    world.wait(left - 2);
    let report = world.life.look_for(&wake::hint(LinkKey::support_case(incident), due)).expect("the ledger answers");
    assert!(report.stayed > SignedDuration::from_secs(1), "{report:?}");
    assert_eq!(report.effects.len(), 2, "{report:?}");
}

/// Two incidents wait for the quota of their account. The second need not wait for its time when the first has its case.
#[test]
fn who_leaves_the_line_for_a_quota_wakes_the_next_one() {
    let mut world = Script::with(|settings| {
        settings.hints = false;
        settings.wakes = false;
        settings.polling = SignedDuration::from_hours(1_000);
        settings.quotas = Quotas { calls_per_second: None, cases_per_hour: Some(1), ..Quotas::UNLIMITED };
    });
    opened(&mut world);
    let waiting = [1, 2].map(|number| world.open(&format!("It does not answer. «w{number}»")));
    for incident in &waiting {
        let report = counted_look(&mut world, incident);
        assert_eq!(report.waits, ["case_quota"], "{}", world.story());
    }
    world.wait(3_600);
    let key = LinkKey::support_case(waiting[0].clone());
    world.life.look_because(Cause::Due, &key).expect("the ledger answers");
    assert_eq!(world.cases(&waiting[0]).len(), 1, "{}", world.story());
    assert_eq!(world.calls(RemoteCall::Wake), 1, "{}", world.story());
}

/// AWS is slow, and the case has more communications than the first round of reads shows.
#[test]
fn a_look_begins_no_round_of_reads_that_its_time_may_not_suffice_for() {
    let mut world = still();
    let (incident, _) = opened(&mut world);
    for number in 0..=MAXIMUM_SHOWN {
        world.reply(&incident, &format!("Reply «r{number}»"));
    }
    world.delay_call(RemoteCall::DescribeCases, 50);
    let report = counted_look(&mut world, &incident);
    assert_eq!(world.calls(RemoteCall::DescribeCommunications), 0, "{}", world.story());
    assert!(report.waits.contains(&"backoff"), "{report:?}");
    world.delay_call(RemoteCall::DescribeCases, 0).wait(60);
    counted_look(&mut world, &incident);
    assert_eq!(world.delivered(&incident).len(), MAXIMUM_SHOWN + 1, "{}", world.story());
}

/// The ledger fails at the end of a pass, and another hint came meanwhile.
#[test]
fn a_failed_pass_leaves_its_link_free_for_the_hint_that_waits() {
    let mut world = unpolled();
    let incident = at_rest(&mut world);
    world.fate(RemoteCall::Release, &[Fate::Refused]).delay_call(RemoteCall::AddCommunication, 5);
    world.comment(&incident, "Anybody there? «c2»").until(RemoteCall::AddCommunication, 1);
    let second = world.look_again(&incident).expect("the ledger answers");
    assert!(second.deferred, "{second:?}");
    let third = world.look_again(&incident).expect("the ledger answers");
    assert!(!third.deferred, "{third:?} {}", world.story());
    assert_eq!(world.count_on_case(&incident, "«c2»"), 1, "{}", world.story());
}
