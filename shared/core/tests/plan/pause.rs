//! A link pauses while its account is inactive or the incident's group belongs to another account.

use crate::world::{ACCOUNT, World, delivery_of, names};
use casebridge_core::{
    identifiers::AccountId,
    link::plan::Waiting,
    policy::GroupRule,
    servicenow::incident::{AccountState, IncidentState},
    support::{Pass, memory::DoubledCase},
};

const OTHER: &str = "444455556666";

/// What people do to a world.
type Deed = fn(&mut World);

/// What pauses a link, with what the incident says then.
const PAUSES: [(Deed, &str); 3] = [
    (|world| world.set_account(AccountState::Inactive), "AWS account 111122223333 is inactive"),
    (|world| world.set_account(AccountState::Missing), "no record of AWS account 111122223333"),
    (|world| world.set_group(&[OTHER]), "belongs to AWS account 444455556666 and the case to 111122223333"),
];

/// The account is active, and the group its own.
fn go_on(world: &mut World) {
    world.set_account(AccountState::Active);
    world.set_group(&[ACCOUNT]);
}

fn told(world: &World) -> (&str, &str) {
    let columns = &world.incident.summary.columns;
    (&columns.sync_status, &columns.last_error)
}

/// Whether the incident says that the link pauses.
fn says_paused(world: &World) -> bool {
    let (status, text) = told(world);
    status == "waiting" && text.starts_with("Paused: ")
}

/// A linked incident that pauses.
fn paused() -> World {
    let mut world = World::linked();
    world.set_group(&[OTHER]);
    assert_eq!(world.settle(), ["report"]);
    world
}

#[test]
fn a_link_pauses_and_says_why_and_goes_on_with_all_that_was_written() {
    for (pause, words) in PAUSES {
        let mut world = World::linked();
        pause(&mut world);
        world.comment("e1", "Any news?");
        assert_eq!(world.settle(), ["report"], "{words}");
        let (status, text) = told(&world);
        assert!(status == "waiting" && text.contains(words), "{status} {text}");
        world.comment("e2", "Hello?");
        assert_eq!(world.settle(), Vec::<&str>::new());
        go_on(&mut world);
        assert_eq!(world.settle(), ["add_communication", "add_communication", "report"]);
        assert!(world.bodies()[1].contains("Any news?") && world.bodies()[2].contains("Hello?"));
        assert_eq!(told(&world), ("in_sync", ""));
        assert_eq!(world.settle(), Vec::<&str>::new());
    }
}

#[test]
fn replies_arrive_while_the_link_pauses_and_states_wait() {
    let mut world = paused();
    world.reply("Please restart it.");
    world.set_status("resolved");
    assert_eq!(world.settle(), ["deliver"]);
    assert_eq!(world.incident.summary.state, IncidentState::New);
    assert!(says_paused(&world));
    assert_eq!(world.incident.summary.columns.case_status, "resolved");
    go_on(&mut world);
    assert_eq!(world.settle(), ["deliver"]);
    assert_eq!(world.incident.summary.state, IncidentState::Resolved);
}

#[test]
fn what_ends_and_reopens_during_a_pause_is_followed_after_it() {
    let mut world = paused();
    world.comment("e1", "Fixed, thanks.");
    world.set_state(IncidentState::Resolved);
    assert_eq!(world.settle(), Vec::<&str>::new());
    assert_eq!(world.status(), "opened");
    go_on(&mut world);
    assert_eq!(world.settle(), ["add_communication", "resolve_case", "report"]);
    world.set_group(&[OTHER]);
    world.pass_time(5);
    world.set_state(IncidentState::InProgress);
    assert_eq!(world.settle(), ["report"]);
    assert_eq!(world.status(), "resolved");
    go_on(&mut world);
    world.settle();
    assert_eq!(world.status(), "reopened");
    assert_eq!(told(&world), ("in_sync", ""));
}

#[test]
fn a_paused_link_is_looked_at_again_by_itself() {
    let mut world = paused();
    let hour = i64::from(world.policy.refusal_retry_seconds);
    assert_eq!(world.due.unwrap().as_second(), world.now.as_second() + hour);
    assert!(!world.link.settled, "the next look reads the incident, whatever brings it about");
    let mut observation = world.observe();
    let plan = world.plan(&observation);
    assert!(matches!(plan.waits[..], [Waiting::Paused { .. }]), "{:?}", plan.waits);
    assert_eq!(plan.waits[0].name(), "paused");
    go_on(&mut world);
    world.see_incident(&mut observation);
    assert_eq!(world.plan(&observation).waits, []);
}

#[test]
fn a_group_pauses_only_where_it_belongs_to_another_account_alone() {
    let goes_on: [&[&str]; 3] = [&[], &[OTHER, ACCOUNT], &[ACCOUNT, OTHER]];
    for group in goes_on {
        let mut world = World::linked();
        world.set_account(AccountState::Active);
        world.set_group(group);
        world.comment("e1", "Any news?");
        assert_eq!(world.settle(), ["add_communication"], "{group:?}");
    }
}

#[test]
fn an_account_that_left_its_place_in_the_group_to_another_pauses_its_links() {
    let mut world = World::linked();
    world.set_group(&[OTHER, ACCOUNT]);
    world.set_account(AccountState::Inactive);
    world.comment("e1", "Any news?");
    assert_eq!(world.settle(), ["report"]);
    assert!(told(&world).1.contains("111122223333 is inactive"));
}

#[test]
fn by_policy_the_link_is_kept_in_a_group_of_another_account_but_not_with_an_inactive_account() {
    let mut world = World::linked();
    world.policy.group_of_another_account = GroupRule::Keep;
    world.set_group(&[OTHER]);
    world.comment("e1", "Any news?");
    assert_eq!(world.settle(), ["add_communication"]);
    world.set_account(AccountState::Inactive);
    world.comment("e2", "Hello?");
    assert_eq!(world.settle(), ["report"]);
    assert!(says_paused(&world));
}

/// A copy, or a record that was put back, may name another account: what is said of that one says nothing of the case's.
#[test]
fn the_state_of_another_account_pauses_nothing() {
    let mut world = World::linked();
    world.incident.summary.columns.account = OTHER.to_owned();
    world.set_account(AccountState::Inactive);
    let mut observation = world.unseen();
    world.see_incident(&mut observation);
    world.see_case(&mut observation);
    assert_eq!(names(&world.plan(&observation)), ["report"]);
    assert!(world.plan(&observation).waits.is_empty());
}

#[test]
fn no_case_is_opened_for_a_group_whose_accounts_are_inactive() {
    let mut world = World::new();
    world.incident.account = None;
    assert_eq!(world.settle(), Vec::<&str>::new());
    assert!(world.link.is_blank());
}

#[test]
fn a_call_in_doubt_is_decided_during_a_pause_and_not_made_again() {
    for lands in [true, false] {
        let mut world = World::linked();
        world.comment("e1", "Any news?");
        let mut observation = world.observe();
        let effect = world.plan(&observation).effects.remove(0);
        observation.begin(&effect, world.now);
        observation.doubt("the connection was closed").unwrap();
        if lands {
            world.apply(&mut world.observe(), &effect);
        }
        world.record(observation);
        world.set_account(AccountState::Inactive);
        world.settle();
        assert_eq!(world.link.intent.is_none(), lands);
        world.pass_time(i64::from(world.policy.unknown_outcome_seconds));
        world.settle();
        assert_eq!(world.link.intent, None);
        assert_eq!(world.bodies().len(), if lands { 2 } else { 1 });
        go_on(&mut world);
        world.settle();
        assert_eq!(world.bodies().len(), 2, "once, whatever became of the call");
        assert_eq!(told(&world), ("in_sync", ""));
    }
}

/// Whoever deletes an account's record months later sends nobody's words anywhere.
#[test]
fn what_a_group_of_another_account_leaves_on_a_closed_incident_is_never_sent() {
    for end in [IncidentState::Closed, IncidentState::Cancelled] {
        let mut world = paused();
        world.comment("e1", "For the other account.");
        assert_eq!(world.settle(), Vec::<&str>::new());
        world.pass_time(5);
        world.set_state(end);
        world.settle();
        assert!(says_paused(&world), "the case is open");
        go_on(&mut world);
        world.settle();
        assert_eq!((world.status(), world.bodies().len()), ("resolved", 1));
        let (status, text) = told(&world);
        assert!(status == "waiting" && text.contains("not sent to AWS"), "{status} {text}");
    }
}

/// An administrator puts the incident back to work: its agents learn that AWS did not get the comment.
#[test]
fn what_was_left_behind_is_told_when_the_incident_is_opened_again() {
    let mut world = paused();
    world.comment("e1", "For the other account.");
    world.settle();
    world.pass_time(5);
    world.set_state(IncidentState::Closed);
    world.settle();
    world.set_state(IncidentState::InProgress);
    go_on(&mut world);
    world.settle();
    assert_eq!(world.bodies().len(), 1);
    assert!(told(&world).1.contains("not sent to AWS"), "{:?}", told(&world));
}

#[test]
fn what_is_left_on_a_closed_incident_of_an_account_out_of_use_is_sent_when_it_is_used_again() {
    let mut world = World::linked();
    world.set_account(AccountState::Inactive);
    world.comment("e1", "Any news?");
    world.settle();
    world.pass_time(5);
    world.set_state(IncidentState::Closed);
    world.settle();
    go_on(&mut world);
    world.settle();
    assert_eq!(world.bodies().len(), 2);
}

#[test]
fn the_account_of_a_link_that_pauses_for_it_is_out_of_use() {
    for (index, (pause, _)) in PAUSES.iter().enumerate() {
        let mut world = World::linked();
        assert!(!world.observe().is_account_out_of_use(&world.policy));
        pause(&mut world);
        assert_eq!(world.observe().is_account_out_of_use(&world.policy), index < 2);
    }
}

/// In an account that is never used again nothing keeps waking.
#[test]
fn a_link_whose_work_has_ended_does_not_pause_unless_something_waits() {
    for (pause, _) in PAUSES {
        let mut world = World::linked();
        world.set_state(IncidentState::Resolved);
        world.settle();
        pause(&mut world);
        assert_eq!(world.settle(), Vec::<&str>::new());
        assert_eq!((told(&world).0, world.due), ("in_sync", None));
        world.pass_time(5);
        world.comment("e1", "It is back.");
        assert_eq!(world.settle(), ["report"]);
        assert!(says_paused(&world));
        assert_eq!(world.status(), "resolved");
        go_on(&mut world);
        world.settle();
        assert_eq!((world.status(), world.bodies().len()), ("reopened", 2));
    }
}

#[test]
fn a_failed_read_of_the_incident_ends_no_pause() {
    let mut world = paused();
    world.reply("Please restart it.");
    let mut observation: Pass = world.unseen();
    world.see_case(&mut observation);
    let plan = world.plan(&observation);
    assert_eq!(names(&plan), ["deliver"]);
    world.apply(&mut observation, &plan.effects[0]);
    assert!(says_paused(&world));
}

/// The account is retired between the plan and its first delivery: what the plan has left is not sent.
#[test]
fn a_pause_that_an_answer_shows_ends_the_plan() {
    let mut world = World::linked();
    world.reply("Please restart it.");
    world.comment("e1", "Any news?");
    let mut observation = world.observe();
    let plan = world.plan(&observation);
    assert_eq!(names(&plan), ["deliver", "add_communication"]);
    let (before, answer) = (observation.clone(), world.answer(&plan.effects[0]));
    assert!(observation.delivered(&world.policy, delivery_of(&plan.effects[0]), answer.clone(), world.now, 0));
    let mut observation = before;
    let mut retired = answer;
    retired.snapshot.summary.linked_account_state = AccountState::Inactive;
    assert!(!observation.delivered(&world.policy, delivery_of(&plan.effects[0]), retired.clone(), world.now, 0));
    assert_eq!(names(&world.plan(&observation)), ["report"]);
    assert!(
        observation.delivered(&world.policy, delivery_of(&plan.effects[0]), retired, world.now, 0),
        "it is known by now"
    );
}

#[test]
fn a_case_that_was_opened_twice_is_left_alone_during_a_pause() {
    let mut world = paused();
    let (account, case_id) = (AccountId::new(ACCOUNT), "case-111122223333-muen-2026-fedcba9876543210");
    let case_id = casebridge_core::identifiers::CaseId::new(case_id);
    world.link.memory.doubles.push(DoubledCase { account, case_id, told: false, resolved: false });
    assert_eq!(world.settle(), Vec::<&str>::new());
    go_on(&mut world);
    let observation = world.observe();
    assert_eq!(names(&world.plan(&observation)), ["add_communication", "resolve_case", "report"]);
}

/// Whether it may be written to is said by the incident, which is not remembered for that.
#[test]
fn a_case_that_was_opened_twice_asks_for_a_read_of_the_incident() {
    let mut world = World::linked();
    assert!(!world.unseen().needs_incident());
    let (account, case_id) = (AccountId::new(ACCOUNT), "case-111122223333-muen-2026-fedcba9876543210");
    let case_id = casebridge_core::identifiers::CaseId::new(case_id);
    world.link.memory.doubles.push(DoubledCase { account, case_id, told: true, resolved: true });
    assert!(!world.unseen().needs_incident());
    world.link.memory.doubles[0].resolved = false;
    assert!(world.unseen().needs_incident());
}
