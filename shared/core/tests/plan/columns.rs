//! Columns that show something else than what was written: a rule or a script of the instance writes to them as well.

use casebridge_core::{link::plan::Waiting, servicenow::columns::BridgeColumns, support::columns::columns};

use crate::sides::{CASE_ID, Sides};

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

/// What a rule of the instance writes.
const WORDS_OF_A_RULE: &str = "Synchronised.";

/// Linked sides of whose instance a rule writes to the columns as well.
fn with_rule() -> Sides {
    let mut sides = Sides::linked();
    sides.column_rule = Some(WORDS_OF_A_RULE);
    clear_columns(&mut sides);
    sides
}

/// A script clears the columns.
fn clear_columns(sides: &mut Sides) {
    sides.incident.summary.sys_mod_count += 1;
    sides.incident.summary.columns = BridgeColumns::default();
}

/// Lets time pass and looks at the link when it is due; after how many seconds each write of the columns followed the one
/// before.
fn writes_within(sides: &mut Sides, seconds: i64) -> Vec<i64> {
    let (mut written_at, mut waits) = (sides.now, Vec::new());
    let end = sides.now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
    while let Some(due) = sides.due.filter(|due| *due <= end) {
        sides.now = due;
        if sides.settle().contains(&"write_columns") {
            waits.push(sides.now.duration_since(written_at).as_secs());
            written_at = sides.now;
        }
    }
    waits
}

#[test]
fn columns_that_a_rule_changes_with_each_write_are_written_less_often_each_time() {
    let mut sides = with_rule();
    assert_eq!(sides.settle(), ["write_columns"], "the second write, and no third one at once");
    let pass = sides.observe();
    let wait = sides.plan(&pass).waits.into_iter().find(|wait| matches!(wait, Waiting::ColumnsNotKept { .. }));
    assert_eq!(wait.map(|wait| wait.name()), Some("columns_not_kept"));
    let waits = writes_within(&mut sides, DAY / 2);
    assert_eq!(waits[..6], [1, 2, 4, 8, 16, 32]);
    let longest = i64::from(sides.policy.refusal_retry_seconds);
    assert!(waits.is_sorted() && waits.last() == Some(&longest), "{waits:?}");

    sides.column_rule = None;
    assert_eq!(writes_within(&mut sides, longest), [longest]);
    assert_eq!(sides.incident.summary.columns.last_error, "");
    assert_eq!(writes_within(&mut sides, DAY), [0; 0], "the columns are as they were written");
}

#[test]
fn while_a_rule_changes_the_columns_everything_else_goes_on_and_nobody_is_told() {
    let mut sides = with_rule();
    sides.settle();
    writes_within(&mut sides, 10 * MINUTE);
    sides.comment("e1", "Any news?");
    assert_eq!(sides.settle(), ["add_communication"]);
    sides.reply("We are looking into it.");
    assert_eq!(sides.settle(), ["deliver"]);
    sides.set_status("resolved");
    assert_eq!(sides.settle(), ["deliver"], "other words are written at once, and repeated as late");
    assert!(sides.link.troubles.is_empty());
    let columns = &sides.incident.summary.columns;
    assert_eq!((columns.sync_status.as_str(), columns.last_error.as_str()), ("in_sync", WORDS_OF_A_RULE));
}

/// The answer shows the columns as they were written, and the next read does not.
#[test]
fn columns_that_a_script_clears_after_each_write_are_written_less_often_each_time() {
    let mut sides = Sides::linked();
    let mut writes = 0;
    for _ in 0..60 {
        clear_columns(&mut sides);
        writes += sides.settle().len();
        sides.pass_time(MINUTE);
    }
    assert!((5..15).contains(&writes), "{writes} writes within the hour");
}

#[test]
fn columns_that_a_nightly_job_clears_are_written_at_once_for_a_month() {
    let mut sides = Sides::linked();
    for night in 0..40 {
        sides.pass_time(DAY);
        clear_columns(&mut sides);
        let expected: &[&str] = if night < 29 { &["write_columns"] } else { &[] };
        assert_eq!(sides.settle(), expected, "night {night}");
    }
    sides.comment("e1", "Any news?");
    sides.settle();
    assert_eq!(sides.due, None, "nothing is left to do");
}

#[test]
fn columns_that_are_cleared_now_and_then_are_written_at_once() {
    let mut sides = Sides::linked();
    for number in 0..30 {
        sides.pass_time(5 * DAY);
        sides.comment(&format!("e{number}"), "Any news?");
        sides.settle();
        clear_columns(&mut sides);
        assert_eq!(sides.settle(), ["write_columns"], "{number}");
    }
}

#[test]
fn a_delivery_that_leaves_the_columns_as_they_are_is_no_further_write_of_them() {
    let mut sides = Sides::linked();
    for number in 0..5 {
        sides.reply(&format!("Line {number}"));
        assert_eq!(sides.settle(), ["deliver"]);
    }
    clear_columns(&mut sides);
    assert_eq!(sides.settle(), ["write_columns"]);
}

#[test]
fn words_after_columns_that_were_kept_are_repeated_at_once() {
    let mut sides = with_rule();
    sides.settle();
    writes_within(&mut sides, DAY / 2);
    sides.column_rule = None;
    let longest = i64::from(sides.policy.refusal_retry_seconds);
    assert_eq!(writes_within(&mut sides, longest).len(), 1);
    sides.set_status("resolved");
    assert_eq!(sides.settle(), ["deliver"]);
    clear_columns(&mut sides);
    assert_eq!(sides.settle(), ["write_columns"]);
}

#[test]
fn an_incident_that_needs_no_case_gets_every_column_cleared() {
    let mut sides = Sides::new();
    sides.incident.account = None;
    let cleared = columns(&sides.policy, &sides.observe(), sides.now);
    let names: Vec<&str> = cleared.own.keys().map(String::as_str).collect();
    assert_eq!(names, ["account", "case_id", "case_status", "display_id"], "a column that is left out stays as it is");
    assert!(cleared.are_empty());
}

#[test]
fn a_full_link_is_told_once() {
    let sides = Sides::linked();
    let mut pass = sides.observe();
    let told = pass.full_link_delivery().unwrap();
    assert_eq!((told.columns.sync_status.as_str(), told.columns.own("case_id")), ("error", CASE_ID));
    assert!(told.messages.is_empty() && told.fields.is_empty());
    pass.link.incident.as_mut().unwrap().columns = told.columns;
    assert_eq!(pass.full_link_delivery(), None);
}
