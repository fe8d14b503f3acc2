//! The behaviour of the plan, row by row: the sequences that people see.

use crate::sides::{self, Sides};
use casebridge_core::{policy::ClosedIncidentRule, servicenow::incident::IncidentState};

#[test]
fn an_incident_in_scope_opens_one_case_and_shows_it() {
    let mut sides = Sides::new();
    assert_eq!(sides.settle()[..2], ["open_case", "write_columns"]);
    assert_eq!(sides.incident.summary.columns.own("case_id"), sides::CASE_ID);
    assert_eq!(sides.incident.summary.columns.own("display_id"), "1234567890");
    assert_eq!(sides.incident.summary.columns.sync_status, "in_sync");
    assert_eq!(sides.pass(), Vec::<&str>::new());
}

#[test]
fn an_incident_out_of_scope_opens_nothing() {
    let changes: [fn(&mut Sides); 4] = [
        |sides| sides.incident.account = None,
        |sides| sides.incident.service_code.clear(),
        |sides| sides.incident.category_code.clear(),
        |sides| sides.set_state(IncidentState::Resolved),
    ];
    for change in changes {
        let mut sides = Sides::new();
        change(&mut sides);
        assert_eq!(sides.settle(), Vec::<&str>::new());
        assert!(sides.link.is_blank());
    }
}

#[test]
fn earlier_comments_open_the_case_and_are_not_sent_again() {
    let mut sides = Sides::new();
    sides.comment("e1", "It began at noon.");
    sides.comment("e2", "Two hosts are affected.");
    sides.settle();
    assert_eq!(sides.bodies().len(), 1);
    assert!(sides.bodies()[0].contains("Abel Tuter, 2027-01-15 08:00:01 UTC:\nIt began at noon."));
    assert!(sides.bodies()[0].contains("Two hosts are affected."));
}

#[test]
fn a_long_description_and_its_comments_follow_in_order() {
    let mut sides = Sides::new();
    sides.incident.description = "X".repeat(9_000);
    sides.comment("e1", &"Y".repeat(8_000));
    sides.settle();
    let bodies = sides.bodies();
    assert_eq!(bodies.len(), 4, "opening, its remainder, two parts of the comment");
    assert!(bodies.iter().all(|body| body.len() <= casebridge_core::support::render::COMMUNICATION_BYTES));
    assert_eq!(bodies.iter().map(|body| body.matches('Y').count()).sum::<usize>(), 8_000);
    assert_eq!(bodies.iter().map(|body| body.matches('X').count()).sum::<usize>(), 9_000);
    assert!(bodies[3].contains("part 2 of 2"));
}

#[test]
fn a_comment_reaches_the_case_once() {
    let mut sides = Sides::linked();
    sides.comment("e1", "Any news?");
    assert_eq!(sides.settle(), ["add_communication"]);
    assert_eq!(sides.settle(), Vec::<&str>::new());
    assert!(sides.bodies()[1].contains("Any news?"));
}

#[test]
fn a_reply_reaches_the_incident_once_with_author_and_time() {
    let mut sides = Sides::linked();
    sides.reply("Please restart it.");
    assert_eq!(sides.settle(), ["deliver"]);
    let entry = sides.incident.entries.last().unwrap();
    assert!(entry.text.starts_with("Amazon Web Services, 2027-01-15 08:00:"));
    assert!(entry.text.ends_with("Please restart it."));
    assert_eq!(sides.settle(), Vec::<&str>::new());
}

#[test]
fn the_state_follows_the_status_only_where_it_contradicts_it() {
    let cases = [
        (IncidentState::New, "work-in-progress", IncidentState::InProgress),
        (IncidentState::InProgress, "unassigned", IncidentState::InProgress),
        (IncidentState::OnHold, "pending-customer-action", IncidentState::OnHold),
        (IncidentState::InProgress, "pending-amazon-action", IncidentState::InProgress),
        (IncidentState::New, "a-status-of-tomorrow", IncidentState::New),
    ];
    for (before, status, after) in cases {
        let mut sides = Sides::linked();
        sides.set_state(before.clone());
        sides.settle();
        sides.set_status(status);
        sides.settle();
        assert_eq!(sides.incident.summary.state, after, "{before:?} and {status}");
        assert_eq!(sides.incident.summary.columns.own("case_status"), status);
    }
}

#[test]
fn a_state_that_an_agent_set_is_left_alone_until_the_status_changes() {
    let mut sides = Sides::linked();
    sides.set_status("work-in-progress");
    sides.settle();
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
    sides.set_state(IncidentState::New);
    assert_eq!(sides.settle(), Vec::<&str>::new());
    sides.set_status("pending-amazon-action");
    sides.settle();
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
}

#[test]
fn a_resolved_closed_or_cancelled_incident_resolves_the_case_once() {
    for state in [IncidentState::Resolved, IncidentState::Closed, IncidentState::Cancelled] {
        let mut sides = Sides::linked();
        sides.set_state(state);
        assert_eq!(sides.settle(), ["resolve_case", "write_columns"]);
        assert_eq!(sides.status(), "resolved");
        assert_eq!(sides.settle(), Vec::<&str>::new());
    }
}

#[test]
fn a_comment_with_the_resolution_is_sent_before_it() {
    let mut sides = Sides::linked();
    sides.comment("e1", "Fixed, thanks.");
    sides.incident.summary.state = IncidentState::Resolved;
    sides.incident.summary.resolved_at = Some(sides.now);
    assert_eq!(sides.settle(), ["add_communication", "resolve_case", "write_columns"]);
    assert_eq!(sides.status(), "resolved");
}

#[test]
fn a_case_resolved_at_aws_resolves_the_incident_with_a_close_code() {
    for with_reply in [false, true] {
        let mut sides = Sides::linked();
        if with_reply {
            sides.reply("Fixed on our side.");
        }
        sides.set_status("resolved");
        assert_eq!(sides.settle(), ["deliver"]);
        assert_eq!(sides.incident.summary.state, IncidentState::Resolved);
        assert_eq!(sides.settle(), Vec::<&str>::new());
    }
}

#[test]
fn the_close_code_is_one_that_the_instance_accepts() {
    let mut sides = Sides::linked();
    sides.set_status("resolved");
    let accepted: [(&[&str], &str); 4] = [
        (&["Solved (Permanently)"], "Solved (Permanently)"),
        (&["Duplicate", "Resolved by request", "Solution provided"], "Solution provided"),
        (&["Duplicate", "Known error"], "Duplicate"),
        (&[], "Solution provided"),
    ];
    for (accepted, chosen) in accepted {
        sides.incident.summary.close_codes = accepted.iter().copied().map(str::to_owned).collect();
        let pass = sides.observe();
        let plan = sides.plan(&pass);
        let casebridge_core::support::Effect::Deliver(delivery) = &plan.effects[0] else { panic!("{plan:?}") };
        assert_eq!(delivery.fields.close_code, chosen, "{accepted:?}");
        assert!(!delivery.fields.close_notes.is_empty());
    }
}

#[test]
fn a_comment_on_a_resolved_incident_reopens_both() {
    let mut sides = Sides::commented_after_the_end();
    assert_eq!(sides.settle()[..2], ["deliver", "add_communication"]);
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
    assert_eq!(sides.status(), "reopened");
    assert_eq!(sides.settle(), Vec::<&str>::new());
}

#[test]
fn a_reply_on_a_resolved_case_reopens_both() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.reply("One more thing.");
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
    assert_eq!(sides.status(), "reopened");
}

#[test]
fn an_incident_reopened_without_a_word_reopens_the_case() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_state(IncidentState::InProgress);
    assert_eq!(sides.settle()[0], "add_communication");
    assert_eq!(sides.status(), "reopened");
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
}

#[test]
fn a_reply_on_the_case_of_a_closed_incident_is_delivered_and_said() {
    let mut sides = Sides::linked();
    sides.policy.case_reopened_after_closing = ClosedIncidentRule::Note;
    sides.set_state(IncidentState::Closed);
    sides.settle();
    sides.reply("One more thing.");
    assert_eq!(sides.settle(), ["deliver"], "the columns come with it");
    assert!(sides.incident.entries.last().unwrap().text.ends_with("One more thing."));
    assert_eq!(sides.incident.summary.state, IncidentState::Closed);
    assert_eq!(sides.incident.summary.columns.sync_status, "waiting");
    assert_eq!(sides.settle(), Vec::<&str>::new());
}

#[test]
fn a_case_and_an_incident_that_leave_their_scope_stay_linked() {
    let mut sides = Sides::linked();
    sides.incident.account = None;
    sides.comment("e1", "Moved to another group.");
    assert_eq!(sides.settle(), ["add_communication"]);
}

#[test]
fn a_text_that_quotes_ours_is_a_persons() {
    let mut sides = Sides::linked();
    let ours = sides.bodies()[0].to_owned();
    sides.communicate("Admin (Role) <person@example.com>", &format!("See below.\n\n> {ours}"));
    sides.communicate("Admin (Role) <person@example.com>", &ours);
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.incident.entries.len(), 2, "both are a person's");
}

/// The case was resolved and reopened between two reads.
#[test]
fn a_reopening_is_no_news_once_the_status_has_gone_on_nor_is_the_resolution_before_it() {
    let mut sides = Sides::linked();
    sides.set_status("reopened");
    sides.settle();
    sides.set_status("resolved");
    sides.settle();
    assert_eq!(sides.incident.summary.state, IncidentState::New, "it may be from before the reopening");
    sides.set_status("work-in-progress");
    sides.settle();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    assert_eq!(sides.status(), "resolved");
    sides.set_status("reopened");
    assert_eq!(sides.settle(), Vec::<&str>::new(), "it may be a late read");
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    sides.settle();
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress, "it lasts");
}

#[test]
fn a_status_that_goes_back_is_believed_only_when_it_says_reopened_or_lasts() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::Resolved);
    sides.settle();
    sides.set_status("work-in-progress");
    assert_eq!(sides.settle(), Vec::<&str>::new(), "it may be a late read");
    sides.pass_time(i64::from(sides.policy.unknown_outcome_seconds));
    assert_eq!(sides.settle(), ["deliver"]);
    assert_eq!(sides.incident.summary.state, IncidentState::InProgress);
}

#[test]
fn a_state_that_an_agent_sets_after_one_that_suits_the_status_is_left_alone() {
    let mut sides = Sides::linked();
    sides.set_state(IncidentState::InProgress);
    sides.set_status("work-in-progress");
    sides.settle();
    sides.set_state(IncidentState::New);
    sides.settle();
    assert_eq!(sides.incident.summary.state, IncidentState::New);
}
