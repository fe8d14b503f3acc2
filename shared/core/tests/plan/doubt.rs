//! Calls in doubt, and sides that refuse or do not answer.

use crate::sides::{self, Sides, call_of, names, plan, refusal, refuse_first, unavailable};
use casebridge_core::{
    failure::{Failure, Refusal},
    hint::Cause,
    identifiers::{AccountId, CaseId},
    link::{
        intent::{Illegal, IntentEnd},
        mark::{Entropy, Mark},
        pass::{Look, Seen, backoff},
        plan::Waiting,
        trouble::{Request, Side, Troubles},
    },
    policy::Policy,
    servicenow::incident::IncidentState,
    support::{
        Effect, Pass, Plan, Trouble,
        call::{Call, Done, RefusedCall},
        case::CaseStatus,
        columns::columns,
        memory::{CREATION_UNDECIDED_FOR, MAXIMUM_GIVEN_UP_CASES},
    },
    time::seconds,
};
use jiff::Timestamp;

/// Begins the next effect of this name and leaves it in doubt. Returns the pass.
fn leave_in_doubt(sides: &mut Sides, name: &str, applied: bool) -> Pass {
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    let effect = plan.effects.into_iter().find(|effect| effect.name() == name).unwrap();
    let mut begun = pass.clone();
    begun.begin(&effect, sides.now);
    if applied {
        sides.apply(&mut pass, &effect);
    }
    begun.doubt("the connection was closed").unwrap();
    sides.link = begun.link.clone();
    begun
}

fn longest_doubt(sides: &Sides) -> i64 {
    i64::from(sides.policy.unknown_outcome_seconds)
}

/// Returns the trouble that delays all requests to a side, or `None`.
fn whole_side(pass: &Pass, side: Side, now: Timestamp) -> Option<&Trouble> {
    pass.link.troubles.blocking(side, &Request::Messages, now)
}

#[test]
fn a_communication_in_doubt_that_is_there_counts_as_sent() {
    let mut sides = Sides::linked();
    sides.comment("e1", "Any news?");
    leave_in_doubt(&mut sides, "add_communication", true);
    assert_eq!(sides.settle(), Vec::<&str>::new());
    assert_eq!(sides.link.ended_intent.unwrap().end, IntentEnd::FoundDone);
    assert_eq!(sides.bodies().len(), 2);
}

#[test]
fn a_communication_in_doubt_that_is_not_there_is_repeated_after_l_and_not_before() {
    let mut sides = Sides::linked();
    sides.comment("e1", "Any news?");
    sides.comment("e2", "Hello?");
    leave_in_doubt(&mut sides, "add_communication", false);
    sides.pass_time(longest_doubt(&sides) - 1);
    let pass = sides.observe();
    let plan = sides.plan(&pass);
    assert!(plan.effects.is_empty(), "nothing overtakes it: {plan:?}");
    assert!(matches!(plan.waits[..], [Waiting::UnknownOutcome { .. }]));
    assert_eq!(plan.due(), Some(sides.now.checked_add(seconds(1)).unwrap()), "L is over by then");
    sides.pass_time(1);
    assert_eq!(sides.settle(), ["add_communication", "add_communication"]);
    assert_eq!(sides.bodies().len(), 3);
}

/// AWS answers with an error each time. The link must not fill up with marks.
#[test]
fn a_call_that_seemed_never_applied_three_times_waits_as_after_a_refusal() {
    for (name, comments) in [("open_case", 0), ("add_communication", 1), ("resolve_case", 0)] {
        let mut sides = if name == "open_case" { Sides::new() } else { Sides::linked() };
        (0..comments).for_each(|_| sides.comment("e1", "Any news?"));
        if name == "resolve_case" {
            sides.set_state(IncidentState::Resolved);
        }
        let mut pass = sides.observe();
        for _ in 0..3 {
            leave_in_doubt(&mut sides, name, false);
            sides.pass_time(longest_doubt(&sides));
            pass = sides.observe();
            pass.settle_open_case(&sides.policy, None, sides.now);
            sides.link = pass.link.clone();
        }
        let plan = sides.plan(&pass);
        assert!(!names(&plan).contains(&name), "{plan:?}");
        assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::Refused { .. })), "{plan:?}");
        sides.link = pass.link;
        sides.pass_time(i64::from(sides.policy.refusal_retry_seconds));
        assert!(sides.settle().contains(&name));
        assert_eq!(sides.link.never_applied, 0);
    }
}

#[test]
fn while_a_call_is_in_doubt_replies_still_arrive() {
    let mut sides = Sides::linked();
    sides.comment("e1", "Any news?");
    leave_in_doubt(&mut sides, "add_communication", false);
    sides.reply("We are looking into it.");
    assert_eq!(sides.pass(), ["deliver"]);
    assert!(sides.link.intent.is_some());
}

#[test]
fn a_doubt_that_lasts_is_told_to_the_agent() {
    let mut sides = Sides::linked();
    sides.comment("e1", "Any news?");
    leave_in_doubt(&mut sides, "add_communication", false);
    for _ in 1..4 {
        sides.pass();
        assert_eq!(sides.incident.summary.columns.sync_status, "in_sync", "most pass in seconds");
    }
    assert_eq!(sides.pass(), ["write_columns"]);
    assert_eq!(sides.incident.summary.columns.sync_status, "waiting");
    assert!(sides.incident.summary.columns.last_error.contains("did not confirm"));
}

#[test]
fn a_case_in_doubt_is_adopted_when_it_is_found() {
    let mut sides = Sides::new();
    let mut pass = leave_in_doubt(&mut sides, "open_case", true);
    pass.settle_open_case(&sides.policy, Some(&CaseId::new(sides::CASE_ID)), sides.now);
    sides.link = pass.link;
    assert_eq!(sides.settle(), ["write_columns"]);
    assert_eq!(sides.incident.summary.columns.own("case_id"), sides::CASE_ID);
}

#[test]
fn a_case_in_doubt_that_is_not_found_is_opened_again_after_l_and_not_before() {
    let mut sides = Sides::new();
    let mut pass = leave_in_doubt(&mut sides, "open_case", false);
    sides.pass_time(longest_doubt(&sides) - 1);
    pass.settle_open_case(&sides.policy, None, sides.now);
    assert!(sides.plan(&pass).effects.is_empty());
    sides.pass_time(1);
    pass.settle_open_case(&sides.policy, None, sides.now);
    assert_eq!(pass.link.ended_intent.unwrap().end, IntentEnd::NeverApplied);
    assert_eq!(pass.link.memory.conversation.marks.len(), 1, "should it appear after all, the text is still ours");
    sides.link = pass.link;
    assert_eq!(sides.settle()[0], "open_case");
    assert_eq!(sides.link.memory.conversation.marks.len(), 2);
}

#[test]
fn a_case_that_was_opened_twice_gets_a_note_and_is_resolved() {
    let mut sides = Sides::linked();
    let mark = sides.link.memory.conversation.marks.keys().next().unwrap().clone();
    let (account, double) =
        (AccountId::new(sides::ACCOUNT), CaseId::new("case-111122223333-muen-2026-ffffffffffffffff"));
    let mut pass = sides.observe();
    assert!(!pass.see_double(&account, &CaseId::new(sides::CASE_ID), &mark, sides.now), "that is the link's own");
    assert!(pass.see_double(&account, &double, &mark, sides.now));
    assert!(!pass.see_double(&account, &double, &mark, sides.now), "it is known by now");
    let plan = sides.plan(&pass);
    assert_eq!(plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), ["add_communication", "resolve_case"]);
    for effect in &plan.effects {
        pass.begin(effect, sides.now);
        let done = match call_of(effect) {
            Call::AddCommunication { .. } => Done::CommunicationAdded,
            _ => Done::CaseResolved { status: CaseStatus::new("resolved") },
        };
        pass.done(&sides.policy, done, sides.now).unwrap();
    }
    assert!(pass.link.memory.doubles[0].told && pass.link.memory.doubles[0].resolved);
    assert!(!pass.link.memory.case.as_ref().unwrap().is_resolved(), "the link's own case goes on");
    assert!(sides.plan(&pass).effects.is_empty());
}

#[test]
fn a_resolution_in_doubt_is_found_by_its_status() {
    for (applied, reopened) in [(true, false), (true, true), (false, false)] {
        let mut sides = Sides::linked();
        sides.set_state(IncidentState::Resolved);
        leave_in_doubt(&mut sides, "resolve_case", applied);
        if reopened {
            sides.reply("One more thing.");
        }
        sides.settle();
        assert_eq!(sides.link.intent.is_none(), applied);
        let expected = if reopened { IncidentState::InProgress } else { IncidentState::Resolved };
        assert_eq!(sides.incident.summary.state, expected);
    }
}

#[test]
fn the_answer_of_a_call_that_was_not_begun_is_refused() {
    let mut sides = Sides::new();
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    let opened = Done::CaseOpened { case_id: CaseId::new(sides::CASE_ID) };
    let failure = refusal(Refusal::Subscription);
    assert_eq!(pass.done(&sides.policy, opened, sides.now), Err(Illegal::NothingBegun));
    let refused = pass.refused(&sides.policy, call_of(&effect), &failure, sides.now, 0);
    assert_eq!(refused, Err(Illegal::NothingBegun));
    assert_eq!(pass.doubt("no answer"), Err(Illegal::NothingBegun));
    pass.begin(&effect, sides.now);
    let before = pass.clone();
    assert_eq!(pass.done(&sides.policy, Done::CommunicationAdded, sides.now), Err(Illegal::AnotherCall));
    assert_eq!(pass, before, "nothing was taken in");
}

#[test]
fn a_refused_call_is_no_doubt_and_forgets_its_mark() {
    let mut sides = Sides::new();
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    pass.begin(&plan.effects[0], sides.now);
    assert_eq!(pass.link.memory.conversation.marks.len(), 1);
    let failure = refusal(Refusal::Subscription);
    pass.refused(&sides.policy, call_of(&plan.effects[0]), &failure, sides.now, 0).unwrap();
    assert!(pass.link.intent.is_none() && pass.link.memory.conversation.marks.is_empty());
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
        let mut sides = Sides::new();
        sides.link = refuse_first(&mut sides, &refusal(reason)).link;
        assert_eq!(sides.settle(), ["write_columns"], "{reason:?}");
        assert_eq!(sides.incident.summary.columns.sync_status, status);
        assert!(sides.incident.summary.columns.last_error.contains(word), "{:?}", sides.incident.summary.columns);
        assert_eq!(sides.incident.summary.columns.own("account"), sides::ACCOUNT);
        sides.incident.service_code = "amazon-s3".to_owned();
        assert_eq!(sides.settle()[0], "open_case");
        assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
    }
}

#[test]
fn a_quota_is_waited_out() {
    let mut sides = Sides::new();
    let pass = refuse_first(&mut sides, &refusal(Refusal::CaseQuota));
    let plan = sides.plan(&pass);
    let until = sides.now.checked_add(seconds(sides.policy.case_quota_retry_seconds)).unwrap();
    assert!(plan.waits.contains(&Waiting::CaseQuota { until }));
    assert_eq!(plan.due(), Some(until));
    sides.link = pass.link;
    sides.pass_time(i64::from(sides.policy.case_quota_retry_seconds));
    assert_eq!(sides.settle()[0], "open_case");
}

#[test]
fn who_has_waited_behind_another_for_a_day_tries_all_the_same() {
    let mut sides = Sides::new();
    sides.link = refuse_first(&mut sides, &refusal(Refusal::CaseQuota)).link;
    for (seconds, tries) in [(24 * 3_600 - 1, false), (1, true)] {
        sides.pass_time(seconds);
        let mut pass = sides.observe();
        pass.aws.first_in_line = Some(false);
        assert_eq!(names(&sides.plan(&pass)).contains(&"open_case"), tries);
    }
}

#[test]
fn a_link_leaves_the_line_if_it_has_a_case_or_wants_none_in_this_account() {
    type Observe = fn(&mut Sides) -> Pass;
    let rows: [(&str, Option<&str>, Observe); 5] = [
        ("it still waits", Some("1"), |sides| sides.observe()),
        ("it has a case", None, |sides| {
            let mut pass = sides.observe();
            pass.link.memory.case = Sides::linked().link.memory.case;
            pass
        }),
        ("the incident has ended", None, |sides| {
            sides.set_state(IncidentState::Resolved);
            sides.observe()
        }),
        ("the incident is not found", None, |sides| {
            let mut pass = sides.unseen();
            pass.incident_gone = true;
            pass
        }),
        ("its group has another account", None, |sides| {
            sides.set_group(&["444455556666"]);
            sides.observe()
        }),
    ];
    for (name, priority, observe) in rows {
        let mut sides = Sides::new();
        sides.link = refuse_first(&mut sides, &refusal(Refusal::CaseQuota)).link;
        assert_eq!(sides.link.memory.waits_for_quota.as_ref().unwrap().priority, "3");
        sides.incident.priority = "1".to_owned();
        let mut pass = observe(&mut sides);
        pass.finish(&sides.policy, &Plan::default(), sides.now);
        let wait = pass.link.memory.waits_for_quota.as_ref();
        assert_eq!(wait.map(|wait| wait.priority.as_str()), priority, "{name}");
    }
}

#[test]
fn the_first_in_line_that_is_woken_tries_before_its_time_unless_aws_rests() {
    let mut sides = Sides::new();
    let mut pass = refuse_first(&mut sides, &refusal(Refusal::CaseQuota));
    (pass.woken, pass.aws.first_in_line) = (true, Some(true));
    assert_eq!(names(&sides.plan(&pass)), ["open_case", "write_columns"]);
    let policy = sides.policy.clone();
    pass.trouble(&policy, Side::Aws, &unavailable(), Request::Read, sides.now, 0);
    let plan = sides.plan(&pass);
    assert_eq!(names(&plan), ["write_columns"]);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::Backoff { .. })), "{:?}", plan.waits);
}

#[test]
fn a_side_that_does_not_answer_is_left_alone_for_longer_each_time() {
    let policy = Policy::default();
    let mut sides = Sides::linked();
    let mut pass = sides.observe();
    let mut waits = Vec::new();
    for _ in 0..12 {
        pass.trouble(&policy, Side::Aws, &unavailable(), Request::Messages, sides.now, 0);
        let until = whole_side(&pass, Side::Aws, sides.now).unwrap().until;
        waits.push(until.duration_since(sides.now).as_secs());
    }
    assert_eq!(waits[..4], [1, 2, 4, 8]);
    assert_eq!(*waits.last().unwrap(), i64::from(policy.retry_longest_seconds));
    assert_eq!(backoff(&policy, 1), seconds(policy.retry_first_seconds));
    sides.comment("e1", "Any news?");
    sides.see_incident(&mut pass);
    let plan = sides.plan(&pass);
    assert_eq!(plan.effects, [Effect::WriteColumns], "it is only told");
}

#[test]
fn one_failure_is_not_told_and_a_spread_delays_by_half_at_most() {
    let mut sides = Sides::linked();
    let mut pass = sides.observe();
    pass.trouble(&sides.policy, Side::Aws, &unavailable(), Request::Messages, sides.now, 1_000);
    let trouble = whole_side(&pass, Side::Aws, sides.now).unwrap().clone();
    assert_eq!(trouble.until.duration_since(sides.now).as_millis(), 1_500);
    assert!(sides.plan(&pass).effects.is_empty());
    pass.link.troubles.forget_passed(sides.now, |_| false);
    assert!(!pass.link.troubles.is_empty());
    pass.link.troubles.forget_passed(trouble.until, |_| false);
    assert!(pass.link.troubles.is_empty());
}

#[test]
fn a_side_that_says_when_to_come_back_is_believed() {
    let sides = Sides::linked();
    let mut pass = sides.observe();
    let retry_at = sides.now.checked_add(seconds(300)).unwrap();
    let failure = Failure::Unavailable { message: "429".to_owned(), retry_at: Some(retry_at) };
    pass.trouble(&sides.policy, Side::ServiceNow, &failure, Request::Messages, sides.now, 0);
    assert_eq!(whole_side(&pass, Side::ServiceNow, sides.now).unwrap().until, retry_at);
}

#[test]
fn comments_go_to_aws_while_servicenow_does_not_answer() {
    let mut sides = Sides::linked();
    sides.comment("e1", "Any news?");
    sides.reply("Please restart it.");
    let mut pass = sides.observe();
    pass.trouble(&sides.policy, Side::ServiceNow, &unavailable(), Request::Messages, sides.now, 0);
    let plan = sides.plan(&pass);
    assert_eq!(plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), ["add_communication"]);
    assert!(matches!(plan.waits[..], [Waiting::Backoff { .. }]));
}

#[test]
fn a_comment_that_reopens_waits_for_the_incident_to_be_reopened() {
    let mut sides = Sides::commented_after_the_end();
    let mut pass = sides.observe();
    pass.trouble(&sides.policy, Side::ServiceNow, &unavailable(), Request::Messages, sides.now, 0);
    assert!(sides.plan(&pass).effects.is_empty());
}

#[test]
fn a_side_that_was_not_seen_is_not_acted_upon() {
    let mut sides = Sides::linked();
    sides.comment("e1", "Fixed.");
    sides.set_state(IncidentState::Resolved);
    let mut pass = sides.observe();
    pass.incident = None;
    pass.link.settled = false;
    let plan = sides.plan(&pass);
    assert!(plan.effects.is_empty(), "a resolution would overtake the comment: {plan:?}");
    assert!(matches!(plan.waits[..], [Waiting::IncidentUnread { .. }]));
    let mut pass = sides.observe();
    pass.aws.case = None;
    let plan = sides.plan(&pass);
    assert!(plan.effects.is_empty());
    assert!(matches!(plan.waits[..], [Waiting::CaseUnread { .. }]));
}

#[test]
fn an_incident_that_is_gone_is_looked_for_while_something_waits_for_it_and_nothing_else_is_done() {
    let mut sides = Sides::linked();
    sides.reply("Please restart it.");
    let mut pass = sides.observe();
    pass.incident_gone = true;
    let until = sides.now.checked_add(seconds(sides.policy.refusal_retry_seconds)).unwrap();
    let gone = |until| Plan { effects: Vec::new(), waits: vec![Waiting::IncidentGone { until }] };
    assert_eq!(sides.plan(&pass), gone(Some(until)), "the reply waits");
    pass.link.memory.case.as_mut().unwrap().status = Some(CaseStatus::new("resolved"));
    assert_eq!(sides.plan(&pass), gone(Some(until)), "so does a reply on a resolved case");
    let reply = pass.unreceived_communications()[0].id.clone();
    pass.link.memory.conversation.delivered(&reply);
    assert_eq!(sides.plan(&pass), gone(None), "nothing waits");
    assert_eq!(gone(None).due(), None);
    sides.comment("e1", "Any news?");
    let mut pass = leave_in_doubt(&mut sides, "add_communication", false);
    pass.incident_gone = true;
    let reply = pass.unreceived_communications()[0].id.clone();
    pass.link.memory.conversation.delivered(&reply);
    let until = sides.now.checked_add(seconds(sides.policy.refusal_retry_seconds)).unwrap();
    assert_eq!(sides.plan(&pass), gone(Some(until)), "the call's outcome is not known");
}

/// Returns the ages, in days, at which a link looks for an incident that is not found from `sides.now` on.
fn looks_for_gone(sides: &mut Sides) -> Vec<i64> {
    let began = sides.now;
    let mut looks = Vec::new();
    // More looks than a month has would have no end.
    while looks.len() < 100 {
        let mut pass = sides.unseen();
        pass.look(Look::Both, sides.now);
        let seen = pass.see(&sides.policy, Seen::Incident(Ok(None)), sides.now, 0);
        assert_eq!(seen, Ok(None));
        sides.see_case(&mut pass);
        sides.record(pass);
        let Some(due) = sides.due else { break };
        sides.now = due;
        looks.push(due.duration_since(began).as_hours() / 24);
    }
    looks
}

/// A rule of the instance may hide an incident from casebridge for a while, before it has a case, too.
#[test]
fn an_incident_without_a_case_that_is_not_found_is_looked_for_hourly_for_a_day_and_daily_for_a_month() {
    let mut sides = Sides::new();
    sides.link = refuse_first(&mut sides, &refusal(Refusal::CaseQuota)).link;
    let looks = looks_for_gone(&mut sides);
    assert_eq!(looks.iter().filter(|age| **age == 0).count(), 23, "{looks:?}");
    assert_eq!(looks.last(), Some(&30));
    sides.settle();
    assert_eq!(sides.status(), "unassigned", "it was opened once it was found again");
}

#[test]
fn a_text_on_a_resolved_case_is_delivered_once_the_incident_is_found_again() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    assert!(sides.link.base.ended);
    sides.reply("Please rate this answer.");
    assert_eq!(looks_for_gone(&mut sides).last(), Some(&30));
    assert!(sides.settle().contains(&"deliver"));
}

#[test]
fn an_incident_that_only_a_text_at_aws_names_is_not_looked_for() {
    let mut sides = Sides::new();
    for (cause, looks) in [(Cause::SupportEvent, false), (Cause::ServicenowWebhook, true)] {
        let mut pass = sides.unseen();
        pass.look(Look::Hint(cause), sides.now);
        assert_eq!(pass.see(&sides.policy, Seen::Incident(Ok(None)), sides.now, 0), Ok(None));
        sides.record(pass);
        assert_eq!(sides.due.is_some(), looks, "{cause:?}");
    }
}

#[test]
fn the_loop_breaker_defers_and_says_so_and_drops_nothing() {
    let mut sides = Sides::linked();
    sides.policy.writes_per_window = 3;
    let now = sides.now;
    sides.link.recent_writes = vec![now, now];
    for number in 0..3 {
        sides.comment(&format!("e{number}"), "again");
    }
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    assert_eq!(plan.effects.len(), 1, "one write is left");
    sides.apply(&mut pass, &plan.effects[0]);
    pass.count_write(&sides.policy, sides.now);
    let plan = sides.plan(&pass);
    assert_eq!(plan.effects, [Effect::WriteColumns]);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::LoopBreaker { .. })));
    sides.apply(&mut pass, &Effect::WriteColumns);
    assert_eq!(sides.incident.summary.columns.sync_status, "waiting");
    sides.link = pass.link;
    sides.pass_time(i64::from(sides.policy.write_window_seconds) + 1);
    sides.settle();
    assert_eq!(sides.bodies().len(), 4);
    assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
}

#[test]
fn an_account_that_is_refused_before_its_case_is_known_is_asked_no_more_often_than_others() {
    let mut sides = Sides::new();
    sides.pass();
    let mut pass = sides.observe();
    pass.aws.case = None;
    pass.link.memory.case.as_mut().unwrap().display_id = None;
    let refused = refusal(Refusal::Credentials);
    pass.trouble(&sides.policy, Side::Aws, &refused, Request::Read, sides.now, 0);
    let plan = sides.plan(&pass);
    assert!(plan.waits.iter().any(|wait| matches!(wait, Waiting::DisplayId { .. })), "{plan:?}");
    let refused = pass.link.troubles.blocking(Side::Aws, &Request::Read, sides.now);
    assert_eq!(plan.due(), refused.map(|trouble| trouble.until));
}

#[test]
fn an_incident_that_ended_while_its_case_is_in_doubt_still_tells_of_the_case() {
    let mut sides = Sides::new();
    leave_in_doubt(&mut sides, "open_case", true);
    sides.set_state(IncidentState::Cancelled);
    let mut pass = sides.observe();
    let refused = refusal(Refusal::Credentials);
    pass.trouble(&sides.policy, Side::Aws, &refused, Request::Read, sides.now, 0);
    let plan = sides.plan(&pass);
    assert_eq!(plan.effects, [Effect::WriteColumns]);
    sides.apply(&mut pass, &Effect::WriteColumns);
    let columns = &sides.incident.summary.columns;
    assert_eq!((columns.own("account"), columns.sync_status.as_str()), (sides::ACCOUNT, "error"));
}

#[test]
fn a_doubt_is_looked_into_less_often_each_time_and_once_more_when_it_may_end() {
    let mut sides = Sides::linked();
    sides.comment("e1", "Any news?");
    let mut pass = leave_in_doubt(&mut sides, "add_communication", false);
    sides.pass_time(100);
    for (looked, wait) in [(0, 1), (1, 2), (2, 4), (30, longest_doubt(&sides) - 100)] {
        pass.link.intent.as_mut().unwrap().looked = looked;
        let plan = sides.plan(&pass);
        let until = plan.waits.iter().find_map(|wait| match wait {
            Waiting::UnknownOutcome { until } => Some(*until),
            _ => None,
        });
        assert_eq!(until.unwrap().duration_since(sides.now).as_secs(), wait, "looked {looked} times");
    }
}

#[test]
fn a_case_that_ends_is_no_reason_to_end_an_incident_that_was_not_read() {
    let mut sides = Sides::linked();
    sides.set_status("resolved");
    let mut pass = sides.observe();
    pass.incident = None;
    pass.link.settled = false;
    let plan = sides.plan(&pass);
    assert_eq!(plan.effects, [Effect::WriteColumns], "the agent may have written meanwhile");
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
        let sides = Sides::linked();
        let mut pass = sides.observe();
        pass.trouble(&sides.policy, Side::ServiceNow, &refusal(reason), Request::Messages, sides.now, 0);
        let columns = columns(&sides.policy, &pass, sides.now);
        assert_eq!(columns.sync_status, "error");
        assert!(columns.last_error.contains(word), "{}", columns.last_error);
        assert!(columns.last_error.ends_with("(ServiceNow says: no)"), "{}", columns.last_error);
    }
}

#[test]
fn what_a_link_waits_for_has_a_name_for_the_log_and_most_of_it_unsettles_the_link() {
    let until = sides::start();
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
        (Waiting::UnknownCase { until: None }, "unknown_case", false),
        (Waiting::ColumnsNotKept { until: Some(until) }, "columns_not_kept", false),
    ];
    for (wait, name, settled) in rows {
        assert_eq!(wait.name(), name);
        let plan = Plan { effects: Vec::new(), waits: vec![wait] };
        assert_eq!(plan.is_settled(), settled, "{name}");
    }
    assert!(Plan::default().is_settled());
    assert!(!Plan { effects: vec![Effect::WriteColumns], waits: Vec::new() }.is_settled());
}

#[test]
fn a_status_that_is_not_believed_yet_is_looked_at_again_when_it_may_be() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    let resolved_at = sides.link.memory.case.as_ref().unwrap().status_since;
    sides.set_status("work-in-progress");
    let pass = sides.observe();
    let until = resolved_at.checked_add(sides.policy.unknown_outcome()).unwrap();
    assert_eq!(sides.plan(&pass).waits, [Waiting::UnsettledStatus { until }]);
    let mut sides = Sides::commented_after_the_end();
    sides.settle();
    let reopened_at = sides.link.memory.case.as_ref().unwrap().reopened_at.unwrap();
    sides.pass_time(60);
    sides.set_status("work-in-progress");
    sides.settle();
    assert_eq!(sides.link.memory.case.as_ref().unwrap().reopened_at, Some(reopened_at));
    let mut late = sides::as_case(sides.case.as_ref().unwrap());
    late.communications.pop();
    late.status = CaseStatus::new("resolved");
    let mut pass = sides.observe();
    pass.see_case(&sides.policy, late, sides.now);
    let until = reopened_at.checked_add(sides.policy.unknown_outcome()).unwrap();
    assert!(sides.plan(&pass).waits.contains(&Waiting::UnsettledStatus { until }));
}

#[test]
fn what_servicenow_refuses_holds_back_its_like_and_nothing_else() {
    let in_writing = |request: Request<RefusedCall>, failure: &Failure| {
        let mut sides = Sides::linked();
        sides.reply("Please restart it.");
        let mut pass = sides.observe();
        pass.trouble(&sides.policy, Side::ServiceNow, failure, request.clone(), sides.now, 0);
        pass.trouble(&sides.policy, Side::ServiceNow, failure, request.clone(), sides.now, 0);
        let plan = sides.plan(&pass);
        let waits = plan.waits.iter().filter(|wait| matches!(wait, Waiting::Refused { .. } | Waiting::Backoff { .. }));
        (plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), waits.count())
    };
    let refused = refusal(Refusal::InvalidRequest);
    assert_eq!(
        in_writing(Request::Messages, &refused),
        (vec!["write_columns"], 1),
        "no messages, and the agent is told"
    );
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
    let mut sides = Sides::linked();
    sides.set_status("pending-amazon-action");
    sides.incident.summary.state = IncidentState::InProgress;
    let mut pass = sides.observe();
    assert_eq!(sides.plan(&pass).effects, [Effect::WriteColumns]);
    pass.trouble(&sides.policy, Side::ServiceNow, &unavailable(), Request::Messages, sides.now, 0);
    assert!(sides.plan(&pass).effects.is_empty());
    let until = whole_side(&pass, Side::ServiceNow, sides.now).unwrap().until;
    sides.now = until;
    assert_eq!(sides.plan(&pass).effects, [Effect::WriteColumns]);
}

#[test]
fn the_loop_breaker_keeps_a_few_writes_to_say_that_it_has_tripped_and_no_more() {
    let mut sides = Sides::linked();
    sides.policy.writes_per_window = 3;
    sides.comment("e1", "again");
    let mut pass = sides.observe();
    for (writes, effects) in
        [(2, vec!["add_communication"]), (3, vec!["write_columns"]), (7, vec!["write_columns"]), (8, vec![])]
    {
        pass.link.recent_writes = vec![sides.now; writes];
        let plan = sides.plan(&pass);
        assert_eq!(plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), effects, "after {writes} writes");
        let tripped = plan.waits.iter().any(|wait| matches!(wait, Waiting::LoopBreaker { .. }));
        assert_eq!(tripped, writes >= 3, "after {writes} writes");
    }
    // What the columns say is written once, even if a later effect would change them.
    let mut ending = Sides::linked();
    ending.policy.writes_per_window = 3;
    ending.set_state(IncidentState::Resolved);
    let mut pass = ending.observe();
    pass.link.recent_writes = vec![ending.now; 3];
    for effects in [vec!["write_columns"], vec![]] {
        let plan = ending.plan(&pass);
        assert_eq!(names(&plan), effects);
        for effect in &plan.effects {
            ending.apply(&mut pass, effect);
        }
    }
    // The comments of people go before a write of the columns.
    sides.set_status("unassigned");
    let mut pass = sides.observe();
    pass.link.recent_writes = vec![sides.now; 2];
    let plan = sides.plan(&pass);
    assert_eq!(plan.effects.iter().map(Effect::name).collect::<Vec<_>>(), ["add_communication"]);
}

#[test]
fn a_trouble_with_reading_ends_with_the_next_read_and_one_with_writing_does_not() {
    for (request, ends) in [(Request::Read, true), (Request::Messages, false)] {
        let sides = Sides::linked();
        let mut pass = sides.observe();
        for side in [Side::Aws, Side::ServiceNow] {
            pass.trouble(&sides.policy, side, &unavailable(), request.clone(), sides.now, 0);
        }
        sides.see_incident(&mut pass);
        sides.see_case(&mut pass);
        for side in [Side::Aws, Side::ServiceNow] {
            assert_eq!(whole_side(&pass, side, sides.now).is_none(), ends, "{request:?} {side:?}");
        }
    }
}

/// Ends the CreateCase as never applied. Returns when its intent was written.
fn give_up_case(sides: &mut Sides) -> Timestamp {
    let written_at = sides.now;
    let mut pass = leave_in_doubt(sides, "open_case", false);
    sides.pass_time(longest_doubt(sides));
    pass.settle_open_case(&sides.policy, None, sides.now);
    assert_eq!(pass.link.ended_intent.unwrap().end, IntentEnd::NeverApplied);
    sides.link = pass.link;
    written_at
}

#[test]
fn a_case_that_was_given_up_is_looked_for_until_a_day_is_over() {
    let mut sides = Sides::new();
    let written_at = give_up_case(&mut sides);
    sides.settle();
    let mut ages = Vec::new();
    while let Some(look_at) = sides.link.memory.given_up_cases.first().map(|given_up| given_up.look_at) {
        assert!(sides.due.is_some_and(|due| due <= look_at), "it is waited for");
        let mut pass = sides.observe();
        assert_eq!(pass.searched_cases(look_at.checked_sub(seconds(1)).unwrap()), None);
        let account = AccountId::new(sides::ACCOUNT);
        assert_eq!(pass.searched_cases(look_at), Some((account.clone(), written_at)));
        sides.now = look_at;
        pass.looked_for_late_cases(&account, written_at, sides.now);
        sides.record(pass);
        ages.push(look_at.duration_since(written_at).as_secs() / longest_doubt(&sides));
    }
    // The ages are multiples of L. A day has 96 of them.
    assert_eq!(ages, [2, 4, 8, 16, 32, 64, 128]);
}

/// Each of them stands in a row of the ledger, and a link stands in so many rows and no more.
#[test]
fn with_so_many_cases_that_were_given_up_none_is_opened_until_the_first_can_show_up_no_more() {
    let mut sides = Sides::new();
    let mut lasts_until = None;
    for _ in 0..MAXIMUM_GIVEN_UP_CASES {
        let written_at = give_up_case(&mut sides);
        lasts_until = lasts_until.or(written_at.checked_add(CREATION_UNDECIDED_FOR).ok());
        sides.link.troubles = Troubles::default();
    }
    let until = lasts_until.unwrap();
    let plan = sides.plan(&sides.observe());
    assert_eq!(names(&plan), ["write_columns"]);
    assert!(plan.waits.contains(&Waiting::UnknownOutcome { until }), "{plan:?}");
    sides.settle();
    let columns = &sides.incident.summary.columns;
    assert_eq!(columns.sync_status, "waiting");
    assert!(columns.last_error.contains("did not confirm"), "{columns:?}");

    sides.now = until;
    assert_eq!(sides.pass(), [""; 0]);
    sides.now = sides.due.unwrap();
    assert!(sides.now.duration_since(until) <= seconds(1), "{:?}", sides.due);
    assert_eq!(sides.settle()[0], "open_case");
    assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
}

/// A description has up to 64 KB. A copy for each case that was given up would make the link too large for the ledger.
#[test]
fn the_rest_of_a_description_is_remembered_once_for_all_cases_that_were_given_up() {
    let mut sides = Sides::new();
    sides.incident.description = "X".repeat(60_000);
    for number in 1..=2 {
        give_up_case(&mut sides);
        sides.link.troubles = Troubles::default();
        let memory = &sides.link.memory;
        assert_eq!((memory.given_up_cases.len(), memory.given_up_remainders.len()), (number, 1));
    }
    let pass = sides.observe();
    sides.record(pass);
    let mark = sides.link.memory.given_up_cases[0].mark.clone();
    let late = CaseId::new("case-111122223333-muen-2026-ffffffffffffffff");
    let mut pass = sides.observe();
    pass.see_double(&AccountId::new(sides::ACCOUNT), &late, &mark, sides.now);
    let remainder = pass.link.memory.opening_remainder.clone().unwrap();
    assert!(remainder.len() > 50_000 && remainder.bytes().all(|byte| byte == b'X'));

    sides.pass_time(CREATION_UNDECIDED_FOR.as_secs());
    let mut pass = sides.observe();
    let plan = sides.plan(&pass);
    pass.finish(&sides.policy, &plan, sides.now);
    assert!(pass.link.memory.given_up_remainders.is_empty());
}

#[test]
fn a_case_that_was_given_up_and_shows_up_is_a_double_or_the_case_itself() {
    let late = CaseId::new("case-111122223333-muen-2026-ffffffffffffffff");
    let account = AccountId::new(sides::ACCOUNT);
    for opened_again in [true, false] {
        let mut sides = Sides::new();
        sides.comment("e1", "It began at noon.");
        give_up_case(&mut sides);
        let mark = sides.link.memory.given_up_cases[0].mark.clone();
        if opened_again {
            sides.settle();
        }
        let mut pass = sides.observe();
        assert_eq!(pass.see_double(&account, &late, &mark, sides.now), opened_again);
        let other = pass.link.memory.case.as_ref().is_some_and(|case| case.case_id != late);
        assert_eq!(other, opened_again);
        assert_eq!(pass.link.memory.doubles.len(), usize::from(opened_again));
        assert!(pass.link.journal.is_settled(&sides.incident.entries[0]), "the case contains it");
    }
}

#[test]
fn a_case_with_a_mark_that_is_not_ours_is_none_of_ours() {
    let sides = Sides::linked();
    let mut pass = sides.observe();
    let foreign = Mark::draw(Entropy::new([0; 16]), &pass.key, 1);
    let late = CaseId::new("case-111122223333-muen-2026-ffffffffffffffff");
    assert!(!pass.see_double(&AccountId::new(sides::ACCOUNT), &late, &foreign, sides.now));
    assert!(pass.link.memory.doubles.is_empty());
    assert!(!pass.is_own_case_mark(&sides.policy, &foreign, "[INC0010001] Instance unreachable"));
    let ours = pass.link.memory.conversation.marks.keys().next().unwrap().clone();
    assert!(pass.is_own_case_mark(&sides.policy, &ours, "[INC0010001] Instance unreachable"));
    assert!(!pass.is_own_case_mark(&sides.policy, &ours, "A case of a person who pasted our text"));
}

/// AWS may change a subject, and people the number of an incident.
#[test]
fn a_case_with_our_mark_is_ours_by_the_subject_that_was_sent_or_by_the_number_in_it() {
    for (number, subject, is_ours) in [
        ("INC0010001", "[INC0010001] Instance [REDACTED]", true),
        ("INC0099999", "[INC0010001] Instance unreachable", true),
        ("INC0099999", "[INC0010001] Instance [REDACTED]", false),
        ("INC0010001", "Something else", false),
    ] {
        let mut sides = Sides::linked();
        number.clone_into(&mut sides.incident.summary.number);
        let pass = sides.observe();
        let mark = pass.link.memory.conversation.marks.keys().next().unwrap();
        assert_eq!(pass.is_own_case_mark(&sides.policy, mark, subject), is_ours, "{number} {subject}");
        assert_eq!(pass.may_be_own_case(&sides.policy, subject), is_ours, "{number} {subject}");
    }
}

/// A read fails long before the pass ends. The link still gets a time for the next look.
#[test]
fn a_failed_read_leaves_a_due_time_however_long_ago_its_wait_was_over() {
    for failed in [Side::Aws, Side::ServiceNow] {
        for late in [0, 5, 5_000] {
            let sides = Sides::linked();
            let mut pass = sides.unseen();
            pass.incident_wanted = true;
            match failed {
                Side::Aws => sides.see_incident(&mut pass),
                Side::ServiceNow => sides.see_case(&mut pass),
            }
            pass.trouble(&sides.policy, failed, &unavailable(), Request::Read, sides.now, 0);
            let plan = plan(&sides.policy, &pass, Entropy::new([1; 16]), sides.now);
            let end = sides.now.checked_add(seconds(late)).unwrap();
            assert!(pass.finish(&sides.policy, &plan, end).is_some(), "{failed:?} {late} seconds later");
            // The link gets one even if the plan has no wait for the failure.
            assert!(pass.finish(&sides.policy, &Plan::default(), end).is_some());
            assert!(!pass.link.settled);
        }
    }
}

#[test]
fn a_call_without_an_answer_is_in_doubt_and_looked_for() {
    let mut sides = Sides::new();
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    let failure = Failure::InDoubt { message: "the connection was closed".to_owned() };
    assert_eq!(pass.not_answered(&sides.policy, &failure, sides.now, 0), Err(Illegal::NothingBegun));
    pass.begin(&effect, sides.now);
    assert_eq!(pass.not_answered(&sides.policy, &failure, sides.now, 0), Ok(true));
    assert_eq!(pass.link.intent.unwrap().doubt, "the connection was closed");
}

#[test]
fn a_refusal_is_told_while_its_next_try_is_in_doubt_and_no_longer() {
    for is_tried_again in [true, false] {
        let mut sides = Sides::new();
        sides.link = refuse_first(&mut sides, &refusal(Refusal::InvalidRequest)).link;
        sides.settle();
        sides.pass_time(i64::from(sides.policy.refusal_retry_seconds));
        let mut pass = if is_tried_again { leave_in_doubt(&mut sides, "open_case", false) } else { sides.observe() };
        assert_eq!(columns(&sides.policy, &pass, sides.now).sync_status == "error", is_tried_again);
        pass.finish(&sides.policy, &Plan::default(), sides.now);
        assert_eq!(pass.link.troubles.is_empty(), !is_tried_again);
    }
}

#[test]
fn a_call_that_aws_takes_disproves_what_delayed_all_calls_and_the_refusal_of_its_like() {
    let invalid = refusal(Refusal::InvalidRequest);
    for (request, failure, ends) in [
        (Request::Read, unavailable(), true),
        (Request::Read, refusal(Refusal::Credentials), true),
        (Request::Call(RefusedCall::ResolveCase), refusal(Refusal::Subscription), true),
        (Request::Call(RefusedCall::AddCommunication), invalid.clone(), true),
        (Request::Call(RefusedCall::ResolveCase), invalid, false),
    ] {
        let mut sides = Sides::linked();
        sides.comment("e1", "Any news?");
        let mut pass = sides.observe();
        let effect = sides.plan(&pass).effects.remove(0);
        pass.trouble(&sides.policy, Side::Aws, &failure, request.clone(), sides.now, 0);
        assert!(sides.apply(&mut pass, &effect));
        assert_eq!(pass.link.troubles.is_empty(), ends, "{request:?} {failure:?}");
    }
}

#[test]
fn what_an_incident_without_a_case_says_is_changed_only_by_a_pass_that_has_read_it() {
    let mut sides = Sides::new();
    sides.link = refuse_first(&mut sides, &refusal(Refusal::InvalidRequest)).link;
    sides.settle();
    let unread = sides.unseen();
    assert_eq!(names(&sides.plan(&unread)), [""; 0]);
}

#[test]
fn what_only_people_can_mend_is_told_before_a_quota() {
    let sides = Sides::new();
    let mut pass = sides.observe();
    for (side, reason, status) in
        [(Side::Aws, Refusal::CaseQuota, "waiting"), (Side::ServiceNow, Refusal::InvalidRequest, "error")]
    {
        pass.trouble(&sides.policy, side, &refusal(reason), Request::Columns, sides.now, 0);
        assert_eq!(columns(&sides.policy, &pass, sides.now).sync_status, status, "{reason:?}");
    }
}

/// The case was resolved and reopened before. A text of ours that no read shows may have reopened it once more.
#[test]
fn a_resolution_that_is_not_believed_is_looked_at_again_when_our_last_text_can_appear_no_more() {
    let mut sides = Sides::commented_after_the_end();
    sides.settle();
    sides.pass_time(60);
    let mut pass = sides.observe();
    let mark = Mark::draw(Entropy::new([7; 16]), &pass.key, 7);
    pass.link.memory.conversation.sending(&mark, "Any news?", sides.now);
    let mut late = sides::as_case(sides.case.as_ref().unwrap());
    late.communications.pop();
    late.status = CaseStatus::new("resolved");
    pass.see_case(&sides.policy, late, sides.now);
    let until = sides.now.checked_add(sides.policy.unknown_outcome()).unwrap();
    assert!(sides.plan(&pass).waits.contains(&Waiting::UnsettledStatus { until }));
}
