//! Calls whose outcome nobody knows, and sides that refuse or do not answer.

use crate::world::{self, World, call_of, names, plan, refusal, unavailable};
use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::{AccountId, CaseId},
    link::{
        intent::{Illegal, IntentEnd},
        mark::{Entropy, Mark},
        pass::backoff,
        plan::Waiting,
        trouble::{Request, Side},
    },
    policy::Policy,
    servicenow::incident::IncidentState,
    support::{
        Effect, Pass, Plan, Trouble,
        call::{Call, Done, RefusedCall},
        case::CaseStatus,
        columns::columns,
    },
    time::seconds,
};
use jiff::Timestamp;

/// Begins the world's next effect of this name and leaves it in doubt; returns the pass's observation.
fn leave_in_doubt(world: &mut World, name: &str, applied: bool) -> Pass {
    let mut observation = world.observe();
    let plan = world.plan(&observation);
    let effect = plan.effects.into_iter().find(|effect| effect.name() == name).unwrap();
    let mut begun = observation.clone();
    begun.begin(&effect, world.now);
    if applied {
        world.apply(&mut observation, &effect);
    }
    begun.doubt("the connection was closed").unwrap();
    world.link = begun.link.clone();
    begun
}

fn longest_doubt(world: &World) -> i64 {
    i64::from(world.policy.unknown_outcome_seconds)
}

/// What keeps a side waiting whatever the request.
fn whole_side(observation: &Pass, side: Side, now: Timestamp) -> Option<&Trouble> {
    observation.link.troubles.blocking(side, &Request::Messages, now)
}

/// Begins the world's first effect, which is then refused; returns the pass's observation.
fn refuse_first(world: &mut World, failure: &Failure) -> Pass {
    let mut observation = world.observe();
    let effect = world.plan(&observation).effects.remove(0);
    observation.begin(&effect, world.now);
    observation.refused(&world.policy, call_of(&effect), failure, world.now, 0).unwrap();
    observation
}

#[test]
fn a_communication_in_doubt_that_is_there_counts_as_sent() {
    let mut world = World::linked();
    world.comment("e1", "Any news?");
    leave_in_doubt(&mut world, "add_communication", true);
    assert_eq!(world.settle(), Vec::<&str>::new());
    assert_eq!(world.link.ended_intent.unwrap().end, IntentEnd::FoundDone);
    assert_eq!(world.bodies().len(), 2);
}

#[test]
fn a_communication_in_doubt_that_is_not_there_is_repeated_after_l_and_not_before() {
    let mut world = World::linked();
    world.comment("e1", "Any news?");
    world.comment("e2", "Hello?");
    leave_in_doubt(&mut world, "add_communication", false);
    world.pass_time(longest_doubt(&world) - 1);
    let observation = world.observe();
    let plan = world.plan(&observation);
    assert!(plan.effects.is_empty(), "nothing overtakes it: {plan:?}");
    assert!(matches!(plan.waits[..], [Waiting::UnknownOutcome { .. }]));
    assert_eq!(plan.due(), Some(world.now.checked_add(seconds(1)).unwrap()), "L is over by then");
    world.pass_time(1);
    assert_eq!(world.settle(), ["add_communication", "add_communication"]);
    assert_eq!(world.bodies().len(), 3);
}

#[test]
fn while_a_call_is_in_doubt_replies_still_arrive() {
    let mut world = World::linked();
    world.comment("e1", "Any news?");
    leave_in_doubt(&mut world, "add_communication", false);
    world.reply("We are looking into it.");
    assert_eq!(world.pass(), ["deliver"]);
    assert!(world.link.intent.is_some());
}

#[test]
fn a_doubt_that_lasts_is_told_to_the_agent() {
    let mut world = World::linked();
    world.comment("e1", "Any news?");
    leave_in_doubt(&mut world, "add_communication", false);
    for _ in 1..4 {
        world.pass();
        assert_eq!(world.incident.summary.columns.sync_status, "in_sync", "most pass in seconds");
    }
    assert_eq!(world.pass(), ["report"]);
    assert_eq!(world.incident.summary.columns.sync_status, "waiting");
    assert!(world.incident.summary.columns.last_error.contains("did not confirm"));
}

#[test]
fn a_case_in_doubt_is_adopted_when_it_is_found() {
    let mut world = World::new();
    let mut observation = leave_in_doubt(&mut world, "open_case", true);
    observation.settle_open_case(&world.policy, Some(&CaseId::new(world::CASE_ID)), world.now);
    world.link = observation.link;
    assert_eq!(world.settle(), ["report"]);
    assert_eq!(world.incident.summary.columns.case_id, world::CASE_ID);
}

#[test]
fn a_case_in_doubt_that_is_not_found_is_opened_again_after_l_and_not_before() {
    let mut world = World::new();
    let mut observation = leave_in_doubt(&mut world, "open_case", false);
    world.pass_time(longest_doubt(&world) - 1);
    observation.settle_open_case(&world.policy, None, world.now);
    assert!(world.plan(&observation).effects.is_empty());
    world.pass_time(1);
    observation.settle_open_case(&world.policy, None, world.now);
    assert_eq!(observation.link.ended_intent.unwrap().end, IntentEnd::NeverApplied);
    assert_eq!(
        observation.link.memory.conversation.marks.len(),
        1,
        "should it appear after all, the text is still ours"
    );
    world.link = observation.link;
    assert_eq!(world.settle()[0], "open_case");
    assert_eq!(world.link.memory.conversation.marks.len(), 2);
}

#[test]
fn a_case_that_was_opened_twice_gets_a_note_and_is_resolved() {
    let mut world = World::linked();
    let mark = world.link.memory.conversation.marks.keys().next().unwrap().clone();
    let (account, double) =
        (AccountId::new(world::ACCOUNT), CaseId::new("case-111122223333-muen-2026-ffffffffffffffff"));
    let mut observation = world.observe();
    assert!(
        !observation.see_double(&account, &CaseId::new(world::CASE_ID), &mark, world.now),
        "that is the link's own"
    );
    assert!(observation.see_double(&account, &double, &mark, world.now));
    assert!(!observation.see_double(&account, &double, &mark, world.now), "it is known by now");
    let plan = world.plan(&observation);
    assert_eq!(plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), ["add_communication", "resolve_case"]);
    for effect in &plan.effects {
        observation.begin(effect, world.now);
        let done = match call_of(effect) {
            Call::AddCommunication { .. } => Done::CommunicationAdded,
            _ => Done::CaseResolved { status: CaseStatus::new("resolved") },
        };
        observation.done(&world.policy, done, world.now).unwrap();
    }
    assert!(observation.link.memory.doubles[0].told && observation.link.memory.doubles[0].resolved);
    assert!(!observation.link.memory.case.as_ref().unwrap().is_resolved(), "the link's own case goes on");
    assert!(world.plan(&observation).effects.is_empty());
}

#[test]
fn a_resolution_in_doubt_is_found_by_its_status() {
    for (applied, reopened) in [(true, false), (true, true), (false, false)] {
        let mut world = World::linked();
        world.set_state(IncidentState::Resolved);
        leave_in_doubt(&mut world, "resolve_case", applied);
        if reopened {
            world.reply("One more thing.");
        }
        world.settle();
        assert_eq!(world.link.intent.is_none(), applied);
        let expected = if reopened { IncidentState::InProgress } else { IncidentState::Resolved };
        assert_eq!(world.incident.summary.state, expected);
    }
}

#[test]
fn the_answer_of_a_call_that_was_not_begun_is_refused() {
    let mut world = World::new();
    let mut observation = world.observe();
    let effect = world.plan(&observation).effects.remove(0);
    let opened = Done::CaseOpened { case_id: CaseId::new(world::CASE_ID) };
    let failure = refusal(Refusal::Subscription);
    assert_eq!(observation.done(&world.policy, opened, world.now), Err(Illegal::NothingBegun));
    let refused = observation.refused(&world.policy, call_of(&effect), &failure, world.now, 0);
    assert_eq!(refused, Err(Illegal::NothingBegun));
    assert_eq!(observation.doubt("no answer"), Err(Illegal::NothingBegun));
    observation.begin(&effect, world.now);
    let before = observation.clone();
    assert_eq!(observation.done(&world.policy, Done::CommunicationAdded, world.now), Err(Illegal::AnotherCall));
    assert_eq!(observation, before, "nothing was taken in");
}

#[test]
fn a_refused_call_is_no_doubt_and_forgets_its_mark() {
    let mut world = World::new();
    let mut observation = world.observe();
    let plan = world.plan(&observation);
    observation.begin(&plan.effects[0], world.now);
    assert_eq!(observation.link.memory.conversation.marks.len(), 1);
    let failure = refusal(Refusal::Subscription);
    observation.refused(&world.policy, call_of(&plan.effects[0]), &failure, world.now, 0).unwrap();
    assert!(observation.link.intent.is_none() && observation.link.memory.conversation.marks.is_empty());
}

#[test]
fn a_refused_case_is_told_in_plain_words_and_tried_again_when_the_request_changes() {
    let words = [
        (Refusal::Subscription, "error", "support plan"),
        (Refusal::InvalidRequest, "error", "service code"),
        (Refusal::Credentials, "error", "secret"),
        (Refusal::CaseQuota, "waiting", "too many cases"),
    ];
    for (reason, status, word) in words {
        let mut world = World::new();
        world.link = refuse_first(&mut world, &refusal(reason)).link;
        assert_eq!(world.settle(), ["report"], "{reason:?}");
        assert_eq!(world.incident.summary.columns.sync_status, status);
        assert!(world.incident.summary.columns.last_error.contains(word), "{:?}", world.incident.summary.columns);
        assert_eq!(world.incident.summary.columns.account, world::ACCOUNT);
        world.incident.service_code = "amazon-s3".to_owned();
        assert_eq!(world.settle()[0], "open_case");
        assert_eq!(world.incident.summary.columns.sync_status, "in_sync");
    }
}

#[test]
fn a_quota_is_waited_out() {
    let mut world = World::new();
    let observation = refuse_first(&mut world, &refusal(Refusal::CaseQuota));
    let plan = world.plan(&observation);
    let until = world.now.checked_add(seconds(world.policy.case_quota_retry_seconds)).unwrap();
    assert!(plan.waits.contains(&Waiting::CaseQuota { until }));
    assert_eq!(plan.due(), Some(until));
    world.link = observation.link;
    world.pass_time(i64::from(world.policy.case_quota_retry_seconds));
    assert_eq!(world.settle()[0], "open_case");
}

#[test]
fn who_has_waited_behind_another_for_a_day_tries_all_the_same() {
    let mut world = World::new();
    world.link = refuse_first(&mut world, &refusal(Refusal::CaseQuota)).link;
    for (seconds, tries) in [(24 * 3_600 - 1, false), (1, true)] {
        world.pass_time(seconds);
        let mut observation = world.observe();
        observation.aws.first_in_line = Some(false);
        assert_eq!(names(&world.plan(&observation)).contains(&"open_case"), tries);
    }
}

#[test]
fn the_first_in_line_that_is_woken_tries_before_its_time_unless_aws_rests() {
    let mut world = World::new();
    let mut observation = refuse_first(&mut world, &refusal(Refusal::CaseQuota));
    (observation.woken, observation.aws.first_in_line) = (true, Some(true));
    assert_eq!(names(&world.plan(&observation)), ["open_case", "report"]);
    let policy = world.policy.clone();
    observation.trouble(&policy, Side::Aws, &unavailable(), Request::Read, world.now, 0);
    let plan = world.plan(&observation);
    assert_eq!(names(&plan), ["report"]);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::Backoff { .. })), "{:?}", plan.waits);
}

#[test]
fn a_side_that_does_not_answer_is_left_alone_for_longer_each_time() {
    let policy = Policy::default();
    let mut world = World::linked();
    let mut observation = world.observe();
    let mut waits = Vec::new();
    for _ in 0..12 {
        observation.trouble(&policy, Side::Aws, &unavailable(), Request::Messages, world.now, 0);
        let until = whole_side(&observation, Side::Aws, world.now).unwrap().until;
        waits.push(until.duration_since(world.now).as_secs());
    }
    assert_eq!(waits[..4], [1, 2, 4, 8]);
    assert_eq!(*waits.last().unwrap(), i64::from(policy.retry_longest_seconds));
    assert_eq!(backoff(&policy, 1), seconds(policy.retry_first_seconds));
    world.comment("e1", "Any news?");
    world.see_incident(&mut observation);
    let plan = world.plan(&observation);
    assert_eq!(plan.effects, [Effect::Report], "it is only told");
}

#[test]
fn one_failure_is_not_told_and_a_spread_delays_by_half_at_most() {
    let mut world = World::linked();
    let mut observation = world.observe();
    observation.trouble(&world.policy, Side::Aws, &unavailable(), Request::Messages, world.now, 1_000);
    let trouble = whole_side(&observation, Side::Aws, world.now).unwrap().clone();
    assert_eq!(trouble.until.duration_since(world.now).as_millis(), 1_500);
    assert!(world.plan(&observation).effects.is_empty());
    observation.link.troubles.forget_passed(world.now, |_| false);
    assert!(!observation.link.troubles.is_empty());
    observation.link.troubles.forget_passed(trouble.until, |_| false);
    assert!(observation.link.troubles.is_empty());
}

#[test]
fn a_side_that_says_when_to_come_back_is_believed() {
    let world = World::linked();
    let mut observation = world.observe();
    let retry_at = world.now.checked_add(seconds(300)).unwrap();
    let failure = Failure::Unavailable { message: "429".to_owned(), retry_at: Some(retry_at) };
    observation.trouble(&world.policy, Side::ServiceNow, &failure, Request::Messages, world.now, 0);
    assert_eq!(whole_side(&observation, Side::ServiceNow, world.now).unwrap().until, retry_at);
}

#[test]
fn comments_go_to_aws_while_servicenow_does_not_answer() {
    let mut world = World::linked();
    world.comment("e1", "Any news?");
    world.reply("Please restart it.");
    let mut observation = world.observe();
    observation.trouble(&world.policy, Side::ServiceNow, &unavailable(), Request::Messages, world.now, 0);
    let plan = world.plan(&observation);
    assert_eq!(plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), ["add_communication"]);
    assert!(matches!(plan.waits[..], [Waiting::Backoff { .. }]));
}

#[test]
fn a_comment_that_reopens_waits_for_the_incident_to_be_reopened() {
    let mut world = World::commented_after_the_end();
    let mut observation = world.observe();
    observation.trouble(&world.policy, Side::ServiceNow, &unavailable(), Request::Messages, world.now, 0);
    assert!(world.plan(&observation).effects.is_empty());
}

#[test]
fn a_side_that_was_not_seen_is_not_acted_upon() {
    let mut world = World::linked();
    world.comment("e1", "Fixed.");
    world.set_state(IncidentState::Resolved);
    let mut observation = world.observe();
    observation.incident = None;
    observation.link.settled = false;
    let plan = world.plan(&observation);
    assert!(plan.effects.is_empty(), "a resolution would overtake the comment: {plan:?}");
    assert!(matches!(plan.waits[..], [Waiting::IncidentUnread { .. }]));
    let mut observation = world.observe();
    observation.aws.case = None;
    let plan = world.plan(&observation);
    assert!(plan.effects.is_empty());
    assert!(matches!(plan.waits[..], [Waiting::CaseUnread { .. }]));
}

#[test]
fn an_incident_that_is_gone_is_looked_for_while_something_waits_for_it_and_nothing_else_is_done() {
    let mut world = World::linked();
    world.reply("Please restart it.");
    let mut observation = world.observe();
    observation.incident_gone = true;
    let until = world.now.checked_add(seconds(world.policy.refusal_retry_seconds)).unwrap();
    let gone = |until| Plan { effects: Vec::new(), waits: vec![Waiting::IncidentGone { until }] };
    assert_eq!(world.plan(&observation), gone(Some(until)), "the reply waits");
    observation.link.memory.case.as_mut().unwrap().status = Some(CaseStatus::new("resolved"));
    assert_eq!(world.plan(&observation), gone(None), "the case is over");
    assert_eq!(gone(None).due(), None);
    world.comment("e1", "Any news?");
    let mut observation = leave_in_doubt(&mut world, "add_communication", false);
    observation.incident_gone = true;
    let reply = observation.unreceived_communications()[0].id.clone();
    observation.link.memory.conversation.delivered(&reply);
    let until = world.now.checked_add(seconds(world.policy.refusal_retry_seconds)).unwrap();
    assert_eq!(world.plan(&observation), gone(Some(until)), "the call's outcome is not known");
}

#[test]
fn the_loop_breaker_defers_and_says_so_and_drops_nothing() {
    let mut world = World::linked();
    world.policy.writes_per_window = 3;
    let now = world.now;
    world.link.recent_writes = vec![now, now];
    for number in 0..3 {
        world.comment(&format!("e{number}"), "again");
    }
    let mut observation = world.observe();
    let plan = world.plan(&observation);
    assert_eq!(plan.effects.len(), 1, "one write is left");
    world.apply(&mut observation, &plan.effects[0]);
    observation.count_write(&world.policy, world.now);
    let plan = world.plan(&observation);
    assert_eq!(plan.effects, [Effect::Report]);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::LoopBreaker { .. })));
    world.apply(&mut observation, &Effect::Report);
    assert_eq!(world.incident.summary.columns.sync_status, "waiting");
    world.link = observation.link;
    world.pass_time(i64::from(world.policy.write_window_seconds) + 1);
    world.settle();
    assert_eq!(world.bodies().len(), 4);
    assert_eq!(world.incident.summary.columns.sync_status, "in_sync");
}

#[test]
fn an_account_that_is_refused_before_its_case_is_known_is_asked_no_more_often_than_others() {
    let mut world = World::new();
    world.pass();
    let mut observation = world.observe();
    observation.aws.case = None;
    observation.link.memory.case.as_mut().unwrap().display_id = None;
    let refused = refusal(Refusal::Credentials);
    observation.trouble(&world.policy, Side::Aws, &refused, Request::Read, world.now, 0);
    let plan = world.plan(&observation);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::DisplayId { .. })), "{plan:?}");
    let refused = observation.link.troubles.blocking(Side::Aws, &Request::Read, world.now);
    assert_eq!(plan.due(), refused.map(|trouble| trouble.until));
}

#[test]
fn an_incident_that_ended_while_its_case_is_in_doubt_still_tells_of_the_case() {
    let mut world = World::new();
    leave_in_doubt(&mut world, "open_case", true);
    world.set_state(IncidentState::Cancelled);
    let mut observation = world.observe();
    let refused = refusal(Refusal::Credentials);
    observation.trouble(&world.policy, Side::Aws, &refused, Request::Read, world.now, 0);
    let plan = world.plan(&observation);
    assert_eq!(plan.effects, [Effect::Report]);
    world.apply(&mut observation, &Effect::Report);
    let columns = &world.incident.summary.columns;
    assert_eq!((columns.account.as_str(), columns.sync_status.as_str()), (world::ACCOUNT, "error"));
}

#[test]
fn a_doubt_is_looked_into_less_often_each_time_and_once_more_when_it_may_end() {
    let mut world = World::linked();
    world.comment("e1", "Any news?");
    let mut observation = leave_in_doubt(&mut world, "add_communication", false);
    world.pass_time(100);
    for (looked, wait) in [(0, 1), (1, 2), (2, 4), (30, longest_doubt(&world) - 100)] {
        observation.link.intent.as_mut().unwrap().looked = looked;
        let plan = world.plan(&observation);
        let until = plan.waits.iter().find_map(|wait| match wait {
            Waiting::UnknownOutcome { until } => Some(*until),
            _ => None,
        });
        assert_eq!(until.unwrap().duration_since(world.now).as_secs(), wait, "looked {looked} times");
    }
}

#[test]
fn a_case_that_ends_is_no_reason_to_end_an_incident_that_was_not_read() {
    let mut world = World::linked();
    world.set_status("resolved");
    let mut observation = world.observe();
    observation.incident = None;
    observation.link.settled = false;
    let plan = world.plan(&observation);
    assert_eq!(plan.effects, [Effect::Report], "the agent may have written meanwhile");
}

#[test]
fn servicenows_refusals_are_told_as_servicenows() {
    let words = [
        (Refusal::Credentials, "ServiceNow refuses casebridge's user"),
        (Refusal::InvalidRequest, "ServiceNow does not accept what AWS changed"),
        (Refusal::NotFound, "not there any more"),
        (Refusal::NotServed, "out of scope for casebridge"),
    ];
    for (reason, word) in words {
        let world = World::linked();
        let mut observation = world.observe();
        observation.trouble(&world.policy, Side::ServiceNow, &refusal(reason), Request::Messages, world.now, 0);
        let columns = columns(&world.policy, &observation, world.now);
        assert_eq!(columns.sync_status, "error");
        assert!(columns.last_error.contains(word), "{}", columns.last_error);
        assert!(columns.last_error.ends_with("(ServiceNow says: no)"), "{}", columns.last_error);
    }
}

#[test]
fn what_a_link_waits_for_has_a_name_for_the_log_and_most_of_it_unsettles_the_link() {
    let until = world::start();
    let refusal = Refusal::Credentials;
    let rows = [
        (Waiting::UnknownOutcome { until }, "unknown_outcome", false),
        (Waiting::CaseQuota { until }, "case_quota", false),
        (Waiting::Refused { refusal, until }, "refused", false),
        (Waiting::Backoff { until }, "backoff", false),
        (Waiting::DisplayId { until }, "display_id", true),
        (Waiting::CaseUnread { until }, "case_unread", false),
        (Waiting::IncidentUnread { until }, "incident_unread", false),
        (Waiting::UnsettledStatus { until }, "unsettled_status", false),
        (Waiting::FullRead { until }, "full_read", true),
        (Waiting::LoopBreaker { until }, "loop_breaker", false),
        (Waiting::LowerCount { until }, "lower_count", false),
        (Waiting::UnclearOrigin { until }, "unclear_origin", false),
        (Waiting::UnclearMark { until }, "unclear_mark", true),
        (Waiting::LateCase { until }, "late_case", true),
        (Waiting::IncidentClosed, "incident_closed", false),
        (Waiting::RepeatedReopening, "repeated_reopening", false),
        (Waiting::IncidentGone { until: None }, "incident_gone", false),
        (Waiting::UnknownCase { until }, "unknown_case", false),
    ];
    for (wait, name, settled) in rows {
        assert_eq!(wait.name(), name);
        let plan = Plan { effects: Vec::new(), waits: vec![wait] };
        assert_eq!(plan.is_settled(), settled, "{name}");
    }
    assert!(Plan::default().is_settled());
    assert!(!Plan { effects: vec![Effect::Report], waits: Vec::new() }.is_settled());
}

#[test]
fn a_status_that_is_not_believed_yet_is_looked_at_again_when_it_may_be() {
    let mut world = World::linked();
    world.set_state(IncidentState::Resolved);
    world.settle();
    let resolved_at = world.link.memory.case.as_ref().unwrap().status_since;
    world.set_status("work-in-progress");
    let observation = world.observe();
    let until = resolved_at.checked_add(world.policy.unknown_outcome()).unwrap();
    assert_eq!(world.plan(&observation).waits, [Waiting::UnsettledStatus { until }]);
    let mut world = World::commented_after_the_end();
    world.settle();
    let reopened_at = world.link.memory.case.as_ref().unwrap().reopened_at.unwrap();
    world.pass_time(60);
    world.set_status("work-in-progress");
    world.settle();
    assert_eq!(world.link.memory.case.as_ref().unwrap().reopened_at, Some(reopened_at));
    let mut late = world::as_case(world.case.as_ref().unwrap());
    late.communications.pop();
    late.status = CaseStatus::new("resolved");
    let mut observation = world.observe();
    observation.see_case(&world.policy, late, world.now);
    let until = reopened_at.checked_add(world.policy.unknown_outcome()).unwrap();
    assert!(world.plan(&observation).waits.contains(&Waiting::UnsettledStatus { until }));
}

#[test]
fn what_servicenow_refuses_holds_back_its_like_and_nothing_else() {
    let in_writing = |request: Request<RefusedCall>, failure: &Failure| {
        let mut world = World::linked();
        world.reply("Please restart it.");
        let mut observation = world.observe();
        observation.trouble(&world.policy, Side::ServiceNow, failure, request.clone(), world.now, 0);
        observation.trouble(&world.policy, Side::ServiceNow, failure, request.clone(), world.now, 0);
        let plan = world.plan(&observation);
        let waits = plan.waits.iter().filter(|wait| matches!(wait, Waiting::Refused { .. } | Waiting::Backoff { .. }));
        (plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), waits.count())
    };
    let refused = refusal(Refusal::InvalidRequest);
    assert_eq!(in_writing(Request::Messages, &refused), (vec!["report"], 1), "no messages, and the agent is told");
    assert_eq!(in_writing(Request::State("6".to_owned()), &refused), (vec!["deliver"], 1), "messages go on");
    let credentials = refusal(Refusal::Credentials);
    assert_eq!(
        in_writing(Request::State("6".to_owned()), &credentials),
        (vec!["deliver"], 1),
        "a refusal is about its request alone"
    );
    assert_eq!(in_writing(Request::State(String::new()), &unavailable()), (Vec::new(), 1), "nothing can be written");
}

#[test]
fn nothing_is_reported_to_a_servicenow_that_does_not_answer() {
    let mut world = World::linked();
    world.set_status("pending-amazon-action");
    world.incident.summary.state = IncidentState::InProgress;
    let mut observation = world.observe();
    assert_eq!(world.plan(&observation).effects, [Effect::Report]);
    observation.trouble(&world.policy, Side::ServiceNow, &unavailable(), Request::Messages, world.now, 0);
    assert!(world.plan(&observation).effects.is_empty());
    let until = whole_side(&observation, Side::ServiceNow, world.now).unwrap().until;
    world.now = until;
    assert_eq!(world.plan(&observation).effects, [Effect::Report]);
}

#[test]
fn the_loop_breaker_keeps_a_few_writes_to_say_that_it_has_tripped_and_no_more() {
    let mut world = World::linked();
    world.policy.writes_per_window = 3;
    world.comment("e1", "again");
    let mut observation = world.observe();
    for (writes, effects) in [(2, vec!["add_communication"]), (3, vec!["report"]), (7, vec!["report"]), (8, vec![])] {
        observation.link.recent_writes = vec![world.now; writes];
        let plan = world.plan(&observation);
        assert_eq!(plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), effects, "after {writes} writes");
        let tripped = plan.waits.iter().any(|wait| matches!(wait, Waiting::LoopBreaker { .. }));
        assert_eq!(tripped, writes >= 3, "after {writes} writes");
    }
    // What people wrote goes before what casebridge says of itself.
    world.set_status("unassigned");
    let mut observation = world.observe();
    observation.link.recent_writes = vec![world.now; 2];
    let plan = world.plan(&observation);
    assert_eq!(plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), ["add_communication"]);
}

#[test]
fn a_trouble_with_reading_ends_with_the_next_read_and_one_with_writing_does_not() {
    for (request, ends) in [(Request::Read, true), (Request::Messages, false)] {
        let world = World::linked();
        let mut observation = world.observe();
        for side in [Side::Aws, Side::ServiceNow] {
            observation.trouble(&world.policy, side, &unavailable(), request.clone(), world.now, 0);
        }
        world.see_incident(&mut observation);
        world.see_case(&mut observation);
        for side in [Side::Aws, Side::ServiceNow] {
            assert_eq!(whole_side(&observation, side, world.now).is_none(), ends, "{request:?} {side:?}");
        }
    }
}

/// Makes the world's CreateCase seem never applied; the moment of its intent.
fn give_up_case(world: &mut World) -> Timestamp {
    let written_at = world.now;
    let mut observation = leave_in_doubt(world, "open_case", false);
    world.pass_time(longest_doubt(world));
    observation.settle_open_case(&world.policy, None, world.now);
    assert_eq!(observation.link.ended_intent.unwrap().end, IntentEnd::NeverApplied);
    world.link = observation.link;
    written_at
}

#[test]
fn a_case_that_was_given_up_is_looked_for_until_a_day_is_over() {
    let mut world = World::new();
    let written_at = give_up_case(&mut world);
    world.settle();
    let mut ages = Vec::new();
    while let Some(look_at) = world.link.memory.given_up_cases.first().map(|given_up| given_up.look_at) {
        assert!(world.due.is_some_and(|due| due <= look_at), "it is waited for");
        let mut observation = world.observe();
        assert_eq!(observation.searched_cases(look_at.checked_sub(seconds(1)).unwrap()), None);
        let account = AccountId::new(world::ACCOUNT);
        assert_eq!(observation.searched_cases(look_at), Some((account.clone(), written_at)));
        world.now = look_at;
        observation.looked_for_late_cases(&account, written_at, world.now);
        world.record(observation);
        ages.push(look_at.duration_since(written_at).as_secs() / longest_doubt(&world));
    }
    // In L; 96 of them are a day.
    assert_eq!(ages, [2, 4, 8, 16, 32, 64, 128]);
}

#[test]
fn a_case_that_was_given_up_and_shows_up_is_a_double_or_the_case_itself() {
    let late = CaseId::new("case-111122223333-muen-2026-ffffffffffffffff");
    let account = AccountId::new(world::ACCOUNT);
    for opened_again in [true, false] {
        let mut world = World::new();
        world.comment("e1", "It began at noon.");
        give_up_case(&mut world);
        let mark = world.link.memory.given_up_cases[0].mark.clone();
        if opened_again {
            world.settle();
        }
        let mut observation = world.observe();
        assert_eq!(observation.see_double(&account, &late, &mark, world.now), opened_again);
        let other = observation.link.memory.case.as_ref().is_some_and(|case| case.case_id != late);
        assert_eq!(other, opened_again);
        assert_eq!(observation.link.memory.doubles.len(), usize::from(opened_again));
        assert!(observation.link.journal.is_settled(&world.incident.entries[0]), "the case contains it");
    }
}

#[test]
fn a_case_with_a_mark_that_is_not_ours_is_none_of_ours() {
    let world = World::linked();
    let mut observation = world.observe();
    let foreign = Mark::draw(Entropy::new([0; 16]), &observation.key, 1);
    let late = CaseId::new("case-111122223333-muen-2026-ffffffffffffffff");
    assert!(!observation.see_double(&AccountId::new(world::ACCOUNT), &late, &foreign, world.now));
    assert!(observation.link.memory.doubles.is_empty());
    assert!(!observation.is_own_case_mark(&world.policy, &foreign, "[INC0010001] Instance unreachable"));
    let ours = observation.link.memory.conversation.marks.keys().next().unwrap().clone();
    assert!(observation.is_own_case_mark(&world.policy, &ours, "[INC0010001] Instance unreachable"));
    assert!(!observation.is_own_case_mark(&world.policy, &ours, "A case of a person who pasted our text"));
}

/// A read that failed a long while ago by the end of the pass still leaves the link with a time to look again.
#[test]
fn a_failed_read_leaves_a_due_time_however_long_ago_its_wait_was_over() {
    for failed in [Side::Aws, Side::ServiceNow] {
        for late in [0, 5, 5_000] {
            let world = World::linked();
            let mut observation = world.unseen();
            observation.incident_wanted = true;
            match failed {
                Side::Aws => world.see_incident(&mut observation),
                Side::ServiceNow => world.see_case(&mut observation),
            }
            observation.trouble(&world.policy, failed, &unavailable(), Request::Read, world.now, 0);
            let plan = plan(&world.policy, &observation, Entropy::new([1; 16]), world.now);
            let end = world.now.checked_add(seconds(late)).unwrap();
            assert!(observation.finish(&world.policy, &plan, end).is_some(), "{failed:?} {late} seconds later");
            // Not even a plan that knows nothing of it lets the link go.
            assert!(observation.finish(&world.policy, &Plan::default(), end).is_some());
            assert!(!observation.link.settled);
        }
    }
}
