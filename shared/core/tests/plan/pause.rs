//! A link pauses while its account is inactive or the incident's group belongs to another account.

use crate::sides::{ACCOUNT, Sides, delivery_of, names};
use casebridge_core::{
    identifiers::AccountId,
    link::plan::Waiting,
    policy::GroupRule,
    servicenow::incident::{AccountState, IncidentState},
    support::{Pass, memory::DoubledCase},
};

const OTHER: &str = "444455556666";

/// A change that people make on either side.
type Deed = fn(&mut Sides);

/// The changes that pause a link, each with a part of the text that the incident shows then.
const PAUSES: [(Deed, &str); 3] = [
    (|sides| sides.set_account(AccountState::Inactive), "AWS account 111122223333 is inactive"),
    (|sides| sides.set_account(AccountState::Missing), "no record of AWS account 111122223333"),
    (|sides| sides.set_group(&[OTHER]), "belongs to AWS account 444455556666 and the case to 111122223333"),
];

/// Makes the account active and gives the incident to its own group.
fn go_on(sides: &mut Sides) {
    sides.set_account(AccountState::Active);
    sides.set_group(&[ACCOUNT]);
}

fn told(sides: &Sides) -> (&str, &str) {
    let columns = &sides.incident.summary.columns;
    (&columns.sync_status, &columns.last_error)
}

/// Whether the incident shows that the link pauses.
fn says_paused(sides: &Sides) -> bool {
    let (status, text) = told(sides);
    status == "waiting" && text.starts_with("Paused: ")
}

/// Returns sides whose link pauses.
fn paused() -> Sides {
    let mut sides = Sides::linked();
    sides.set_group(&[OTHER]);
    assert_eq!(sides.settle(), ["write_columns"]);
    sides
}

#[test]
fn a_link_pauses_and_says_why_and_goes_on_with_all_that_was_written() {
    for (pause, words) in PAUSES {
        let mut sides = Sides::linked();
        pause(&mut sides);
        sides.comment("e1", "Any news?");
        assert_eq!(sides.settle(), ["write_columns"], "{words}");
        let (status, text) = told(&sides);
        assert!(status == "waiting" && text.contains(words), "{status} {text}");
        sides.comment("e2", "Hello?");
        assert_eq!(sides.settle(), Vec::<&str>::new());
        go_on(&mut sides);
        assert_eq!(sides.settle(), ["add_communication", "add_communication", "write_columns"]);
        assert!(sides.bodies()[1].contains("Any news?") && sides.bodies()[2].contains("Hello?"));
        assert_eq!(told(&sides), ("in_sync", ""));
        assert_eq!(sides.settle(), Vec::<&str>::new());
    }
}

#[test]
fn replies_arrive_while_the_link_pauses_and_states_wait() {
    let mut sides = paused();
    sides.reply("Please restart it.");
    sides.set_status("resolved");
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.incident.summary.state, IncidentState::New);
    assert!(says_paused(&sides));
    assert_eq!(sides.incident.summary.columns.own("case_status"), "resolved");
    go_on(&mut sides);
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.incident.summary.state, IncidentState::Resolved);
}

#[test]
fn what_ends_and_reopens_during_a_pause_is_followed_after_it() {
    let mut sides = paused();
    sides.comment("e1", "Fixed, thanks.");
    sides.set_state(IncidentState::Resolved);
    assert_eq!(sides.settle(), Vec::<&str>::new());
    assert_eq!(sides.status(), "opened");
    go_on(&mut sides);
    assert_eq!(sides.settle(), ["add_communication", "resolve_case", "write_columns"]);
    sides.set_group(&[OTHER]);
    sides.pass_time(5);
    sides.set_state(IncidentState::InProgress);
    assert_eq!(sides.settle(), ["write_columns"]);
    assert_eq!(sides.status(), "resolved");
    go_on(&mut sides);
    sides.settle();
    assert_eq!(sides.status(), "reopened");
    assert_eq!(told(&sides), ("in_sync", ""));
}

#[test]
fn a_paused_link_is_looked_at_again_by_itself() {
    let mut sides = paused();
    let hour = i64::from(sides.policy.refusal_retry_seconds);
    assert_eq!(sides.due.unwrap().as_second(), sides.now.as_second() + hour);
    assert!(!sides.link.settled, "the next look reads the incident, whatever brings it about");
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert!(matches!(plan.waits[..], [Waiting::Paused { .. }]), "{:?}", plan.waits);
    assert_eq!(plan.waits[0].name(), "paused");
    go_on(&mut sides);
    sides.see_incident(&mut pass);
    assert_eq!(sides.plan(&pass).waits, []);
}

#[test]
fn a_group_pauses_only_where_it_belongs_to_another_account_alone() {
    let goes_on: [&[&str]; 3] = [&[], &[OTHER, ACCOUNT], &[ACCOUNT, OTHER]];
    for group in goes_on {
        let mut sides = Sides::linked();
        sides.set_account(AccountState::Active);
        sides.set_group(group);
        sides.comment("e1", "Any news?");
        assert_eq!(sides.settle(), ["add_communication"], "{group:?}");
    }
}

#[test]
fn an_account_that_left_its_place_in_the_group_to_another_pauses_its_links() {
    let mut sides = Sides::linked();
    sides.set_group(&[OTHER, ACCOUNT]);
    sides.set_account(AccountState::Inactive);
    sides.comment("e1", "Any news?");
    assert_eq!(sides.settle(), ["write_columns"]);
    assert!(told(&sides).1.contains("111122223333 is inactive"));
}

#[test]
fn by_policy_the_link_is_kept_in_a_group_of_another_account_but_not_with_an_inactive_account() {
    let mut sides = Sides::linked();
    sides.policy.group_of_another_account = GroupRule::Keep;
    sides.set_group(&[OTHER]);
    sides.comment("e1", "Any news?");
    assert_eq!(sides.settle(), ["add_communication"]);
    sides.set_account(AccountState::Inactive);
    sides.comment("e2", "Hello?");
    assert_eq!(sides.settle(), ["write_columns"]);
    assert!(says_paused(&sides));
}

/// A copied or restored incident may name a different account. The state of that account says nothing about the case's
/// account.
#[test]
fn the_state_of_another_account_pauses_nothing() {
    let mut sides = Sides::linked();
    sides.incident.summary.columns.own.insert("account".to_owned(), OTHER.to_owned());
    sides.set_account(AccountState::Inactive);
    let mut pass = sides.unseen();
    sides.see_incident(&mut pass);
    sides.see_case(&mut pass);
    assert_eq!(names(&sides.plan(&pass)), ["write_columns"]);
    assert!(sides.plan(&pass).waits.is_empty());
}

#[test]
fn no_case_is_opened_for_a_group_whose_accounts_are_inactive() {
    let mut sides = Sides::new();
    sides.incident.account = None;
    assert_eq!(sides.settle(), Vec::<&str>::new());
    assert!(sides.link.is_blank());
}

#[test]
fn a_call_in_doubt_is_decided_during_a_pause_and_not_made_again() {
    for lands in [true, false] {
        let mut sides = Sides::linked();
        sides.comment("e1", "Any news?");
        let mut pass = sides.observe();
        let effect = sides.plan(&pass).effects.remove(0);
        pass.begin(&effect, sides.now);
        pass.doubt("the connection was closed").unwrap();
        if lands {
            sides.apply(&mut sides.observe(), &effect);
        }
        sides.record(pass);
        sides.set_account(AccountState::Inactive);
        sides.settle();
        assert_eq!(sides.link.intent.is_none(), lands);
        sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
        sides.settle();
        assert_eq!(sides.link.intent, None);
        assert_eq!(sides.bodies().len(), if lands { 2 } else { 1 });
        go_on(&mut sides);
        sides.settle();
        assert_eq!(sides.bodies().len(), 2, "once, whatever became of the call");
        assert_eq!(told(&sides), ("in_sync", ""));
    }
}

/// The deletion of an account's record months later must not cause comments to be sent.
#[test]
fn what_a_group_of_another_account_leaves_on_a_closed_incident_is_never_sent() {
    for end in [IncidentState::Closed, IncidentState::Cancelled] {
        let mut sides = paused();
        sides.comment("e1", "For the other account.");
        assert_eq!(sides.settle(), Vec::<&str>::new());
        sides.pass_time(5);
        sides.set_state(end);
        sides.settle();
        assert!(says_paused(&sides), "the case is open");
        go_on(&mut sides);
        sides.settle();
        assert_eq!((sides.status(), sides.bodies().len()), ("resolved", 1));
        let (status, text) = told(&sides);
        assert!(status == "waiting" && text.contains("not sent to AWS"), "{status} {text}");
    }
}

#[test]
fn the_rest_of_a_text_that_is_never_sent_is_forgotten() {
    let mut sides = Sides::linked();
    sides.comment("e1", &"~".repeat(9_000));
    let mut pass = sides.observe();
    let first_part = sides.plan(&pass).effects.remove(0);
    sides.apply(&mut pass, &first_part);
    sides.record(pass);
    assert!(sides.link.memory.partly_sent.is_some());
    sides.set_group(&[OTHER]);
    sides.settle();
    sides.set_state(IncidentState::Closed);
    sides.settle();
    assert!(sides.link.memory.partly_sent.is_none());
    assert_eq!(sides.bodies().len(), 2, "the description and the first part");
    assert!(says_paused(&sides));
}

/// An administrator reopens the incident. The columns tell its agents that AWS did not get the comment.
#[test]
fn what_was_left_behind_is_told_when_the_incident_is_opened_again() {
    let mut sides = paused();
    sides.comment("e1", "For the other account.");
    sides.settle();
    sides.pass_time(5);
    sides.set_state(IncidentState::Closed);
    sides.settle();
    sides.set_state(IncidentState::InProgress);
    go_on(&mut sides);
    sides.settle();
    assert_eq!(sides.bodies().len(), 1);
    assert!(told(&sides).1.contains("not sent to AWS"), "{:?}", told(&sides));
}

#[test]
fn what_is_left_on_a_closed_incident_of_an_account_out_of_use_is_sent_when_it_is_used_again() {
    let mut sides = Sides::linked();
    sides.set_account(AccountState::Inactive);
    sides.comment("e1", "Any news?");
    sides.settle();
    sides.pass_time(5);
    sides.set_state(IncidentState::Closed);
    sides.settle();
    go_on(&mut sides);
    sides.settle();
    assert_eq!(sides.bodies().len(), 2);
}

#[test]
fn the_account_of_a_link_that_pauses_for_it_is_out_of_use() {
    for (index, (pause, _)) in PAUSES.iter().enumerate() {
        let mut sides = Sides::linked();
        assert!(!sides.observe().is_account_out_of_use(&sides.policy));
        pause(&mut sides);
        assert_eq!(sides.observe().is_account_out_of_use(&sides.policy), index < 2);
    }
}

/// A link in an account that is never used again must not wake again and again.
#[test]
fn a_link_whose_work_has_ended_does_not_pause_unless_something_waits() {
    for (pause, _) in PAUSES {
        let mut sides = Sides::linked();
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        pause(&mut sides);
        assert_eq!(sides.settle(), Vec::<&str>::new());
        assert_eq!((told(&sides).0, sides.due), ("in_sync", None));
        sides.pass_time(5);
        sides.comment("e1", "It is back.");
        assert_eq!(sides.settle(), ["write_columns"]);
        assert!(says_paused(&sides));
        assert_eq!(sides.status(), "resolved");
        go_on(&mut sides);
        sides.settle();
        assert_eq!((sides.status(), sides.bodies().len()), ("reopened", 2));
    }
}

#[test]
fn a_failed_read_of_the_incident_ends_no_pause() {
    let mut sides = paused();
    sides.reply("Please restart it.");
    let mut pass: Pass = sides.unseen();
    sides.see_case(&mut pass);
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan), ["deliver"]);
    sides.apply(&mut pass, &plan.effects[0]);
    assert!(says_paused(&sides));
}

/// The account becomes inactive between the plan and its first delivery. The rest of the plan is not applied.
#[test]
fn a_pause_that_an_answer_shows_ends_the_plan() {
    let mut sides = Sides::linked();
    sides.reply("Please restart it.");
    sides.comment("e1", "Any news?");
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan), ["deliver", "add_communication"]);
    let (before, answer) = (pass.clone(), sides.answer(&plan.effects[0]));
    assert!(pass.delivered(&sides.policy, delivery_of(&plan.effects[0]), answer.clone(), sides.now, 0));
    let mut pass = before;
    let mut retired = answer;
    retired.snapshot.summary.linked_account_state = AccountState::Inactive;
    assert!(!pass.delivered(&sides.policy, delivery_of(&plan.effects[0]), retired.clone(), sides.now, 0));
    assert_eq!(names(&sides.plan(&pass)), ["write_columns"]);
    assert!(pass.delivered(&sides.policy, delivery_of(&plan.effects[0]), retired, sides.now, 0), "it is known by now");
}

#[test]
fn a_case_that_was_opened_twice_is_left_alone_during_a_pause() {
    let mut sides = paused();
    let (account, case_id) = (AccountId::new(ACCOUNT), "case-111122223333-muen-2026-fedcba9876543210");
    let case_id = casebridge_core::identifiers::CaseId::new(case_id);
    sides.link.memory.doubles.push(DoubledCase { account, case_id, told: false, resolved: false });
    assert_eq!(sides.settle(), Vec::<&str>::new());
    go_on(&mut sides);
    let pass = sides.observe();
    assert_eq!(names(&sides.plan(&pass)), ["add_communication", "resolve_case", "write_columns"]);
}

/// The incident shows whether the double may be written to. The remembered incident does not suffice for that.
#[test]
fn a_case_that_was_opened_twice_asks_for_a_read_of_the_incident() {
    let mut sides = Sides::linked();
    assert!(!sides.unseen().needs_incident());
    let (account, case_id) = (AccountId::new(ACCOUNT), "case-111122223333-muen-2026-fedcba9876543210");
    let case_id = casebridge_core::identifiers::CaseId::new(case_id);
    sides.link.memory.doubles.push(DoubledCase { account, case_id, told: true, resolved: true });
    assert!(!sides.unseen().needs_incident());
    sides.link.memory.doubles[0].resolved = false;
    assert!(sides.unseen().needs_incident());
}
