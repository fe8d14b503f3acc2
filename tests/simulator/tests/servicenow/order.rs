//! The order of comments and ends within one second, by the update counts of the audit trail, if the app may read it.

use casebridge_core::servicenow::incident::Incident;
use casebridge_simulator::servicenow::{AuditAccess, Configuration};
use serde_json::{Value, json};

use crate::support::{Fixture, body, configuration, deliver, incident_in_scope, message};

/// The most rows of the trail that the app reads.
const MAXIMUM_STATES: usize = 200;
const MAXIMUM_ENTRIES: usize = 1000;

fn save(fixture: &mut Fixture, incident: &str, values: &Value) {
    let response = fixture.update("agent", "incident", incident, values);
    assert_eq!(response.status, 200, "{}", crate::support::text(&response));
}

fn resolve(fixture: &mut Fixture, incident: &str, comment: &str) {
    let mut values = json!({"state": "6", "close_code": "Solution provided", "close_notes": "Done."});
    if !comment.is_empty() {
        values["comments"] = json!(comment);
    }
    save(fixture, incident, &values);
}

fn count_of(shown: &Incident, words: &str) -> Option<u64> {
    shown.entries.iter().find(|entry| entry.text == words).expect("the comment").mod_count
}

/// Adds a row of the trail for an update of the incident, with this time of the day. The first row has the greatest
/// `sys_id`.
fn put_row(fixture: &mut Fixture, incident: &str, number: usize, time: &str, field: &str, words: [&str; 2]) {
    let (created_on, count) = (format!("2026-11-20 {time}"), (number + 1).to_string());
    let values = [
        ("documentkey", incident),
        ("tablename", "incident"),
        ("fieldname", field),
        ("sys_created_on", &created_on),
        ("record_checkpoint", &count),
        ("user", "agent"),
        ("oldvalue", words[0]),
        ("newvalue", words[1]),
    ];
    fixture.put("sys_audit", &format!("{:032x}", usize::MAX - number), &values);
}

#[test]
fn who_ended_work_is_somebody_else_unless_it_may_have_been_the_integration_user() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    resolve(&mut fixture, &incident, "");
    let rows = fixture.instance.records("sys_audit", "fieldname=state");
    let row = rows.last().expect("a change of state")["sys_id"].clone();
    // A user name without a user may be a former name of the integration user.
    for (user, is_another) in
        [("agent", true), ("casebridge", false), ("system", true), ("casebridge.of.last.year", false), ("", false)]
    {
        fixture.put("sys_audit", &row, &[("user", user)]);
        assert_eq!(fixture.snapshot(&incident).summary.ended_by_another, is_another, "{user}");
    }
}

#[test]
fn comments_of_one_second_are_before_with_or_after_the_end_of_work() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    save(&mut fixture, &incident, &json!({"comments": "before"}));
    resolve(&mut fixture, &incident, "with");
    save(&mut fixture, &incident, &json!({"comments": "after"}));
    let shown = fixture.snapshot(&incident);
    assert_eq!((shown.summary.ended_mod_count, shown.summary.ended_by_another), (Some(2), true));
    let counts = ["before", "with", "after"].map(|words| count_of(&shown, words));
    assert_eq!(counts, [Some(1), Some(2), Some(3)]);
    assert_eq!(count_of(&shown, "First ${words}"), None, "the trail keeps nothing of an insert");
    save(&mut fixture, &incident, &json!({"state": "2"}));
    assert_eq!(fixture.snapshot(&incident).summary.ended_mod_count, None, "open again");
    resolve(&mut fixture, &incident, "");
    save(&mut fixture, &incident, &json!({"state": "7"}));
    let shown = fixture.snapshot(&incident);
    assert_eq!(shown.summary.ended_mod_count, Some(5), "closing does not end work again");
    assert_eq!(shown.summary.closed_mod_count, Some(6));
    assert_eq!(shown.summary.closed_at, Some(fixture.now));
}

#[test]
fn the_same_words_of_one_second_have_a_count_each_and_those_of_another_author_their_own() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    save(&mut fixture, &incident, &json!({"comments": "ok"}));
    deliver(&mut fixture, &incident, &message("one", "ok"));
    save(&mut fixture, &incident, &json!({"comments": "ok"}));
    let shown = fixture.snapshot(&incident);
    let mut counts: Vec<(Option<u64>, bool)> =
        shown.entries.iter().filter(|entry| entry.text == "ok").map(|entry| (entry.mod_count, entry.ours)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [(Some(1), false), (Some(2), true), (Some(3), false)]);
}

#[test]
fn a_trail_that_is_late_by_a_second_is_still_understood() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    save(&mut fixture, &incident, &json!({"comments": "ok"}));
    fixture.pass(2);
    save(&mut fixture, &incident, &json!({"comments": "ok"}));
    let mut rows = fixture.instance.records("sys_audit", "fieldname=comments^ORDERBYrecord_checkpoint");
    assert_eq!(rows.len(), 2);
    rows[0].insert("sys_created_on".to_owned(), "2026-11-20 21:00:01".to_owned());
    fixture.instance.restore("sys_audit", rows.swap_remove(0));
    let shown = fixture.snapshot(&incident);
    let counts: Vec<Option<u64>> =
        shown.entries.iter().filter(|entry| entry.text == "ok").map(|entry| entry.mod_count).collect();
    assert_eq!(counts, [Some(1), Some(2)]);
}

#[test]
fn late_rows_belong_to_comments_in_the_order_of_their_times() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    save(&mut fixture, &incident, &json!({"comments": "ok"}));
    fixture.pass(3);
    save(&mut fixture, &incident, &json!({"comments": "ok"}));
    // Each row may belong to each comment, and the counts of a restored record began anew.
    let rows = fixture.instance.records("sys_audit", "fieldname=comments^ORDERBYrecord_checkpoint");
    for (row, (time, count)) in rows.iter().zip([("21:00:01", "2"), ("21:00:02", "1")]) {
        let values = [("sys_created_on", format!("2026-11-20 {time}")), ("record_checkpoint", count.to_owned())];
        fixture.put("sys_audit", &row["sys_id"], &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    }
    let shown = fixture.snapshot(&incident);
    let counts: Vec<Option<u64>> =
        shown.entries.iter().filter(|entry| entry.text == "ok").map(|entry| entry.mod_count).collect();
    assert_eq!(counts, [Some(2), Some(1)]);
}

#[test]
fn a_count_is_believed_up_to_that_of_the_record() {
    for (checkpoint, count) in [("0", Some(0)), ("12", Some(12)), ("13", None), ("-1", None), ("", None)] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        fixture.pass(10);
        resolve(&mut fixture, &incident, "with");
        fixture.put("incident", &incident, &[("sys_mod_count", "12")]);
        for row in fixture.instance.records("sys_audit", "fieldnameINstate,comments") {
            fixture.put("sys_audit", &row["sys_id"], &[("record_checkpoint", checkpoint)]);
        }
        let shown = fixture.page(&incident, "entries_since=2026-11-20 21:00:10");
        assert_eq!((shown.summary.ended_mod_count, count_of(&shown, "with")), (count, count), "{checkpoint}");
    }
}

#[test]
fn so_many_changes_of_state_are_looked_at() {
    for (changes, present, ended) in [(MAXIMUM_STATES, "7", Some(1)), (MAXIMUM_STATES + 1, "6", None)] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        fixture.put("incident", &incident, &[("state", present), ("sys_mod_count", "1000")]);
        // The incident ends once. Then it is closed and resolved again and again, all within a second.
        for number in 0..changes {
            let states = match number {
                0 => ["2", "6"],
                _ if number % 2 == 1 => ["6", "7"],
                _ => ["7", "6"],
            };
            put_row(&mut fixture, &incident, number, "21:00:00", "state", states);
        }
        assert_eq!(fixture.snapshot(&incident).summary.ended_mod_count, ended, "{changes}");
    }
}

#[test]
fn so_many_rows_about_comments_are_looked_at_and_only_those_of_their_time() {
    for (time, rows, count) in [
        ("21:00:09", MAXIMUM_ENTRIES - 1, Some(1)),
        ("21:00:09", MAXIMUM_ENTRIES, None),
        ("21:00:07", MAXIMUM_ENTRIES, Some(1)),
    ] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        fixture.pass(10);
        save(&mut fixture, &incident, &json!({"comments": "ok"}));
        for number in 0..rows {
            put_row(&mut fixture, &incident, number, time, "comments", ["", "other words"]);
        }
        let shown = fixture.page(&incident, "entries_since=2026-11-20 21:00:10");
        assert_eq!(count_of(&shown, "ok"), count, "{time} {rows}");
    }
}

#[test]
fn a_row_may_lie_two_seconds_from_its_comment() {
    for (time, count) in [("21:00:02", Some(1)), ("21:00:03", None), ("20:59:58", Some(1)), ("20:59:57", None)] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        save(&mut fixture, &incident, &json!({"comments": "ok"}));
        let row = fixture.instance.records("sys_audit", "fieldname=comments")[0]["sys_id"].clone();
        fixture.put("sys_audit", &row, &[("sys_created_on", &format!("2026-11-20 {time}"))]);
        assert_eq!(count_of(&fixture.snapshot(&incident), "ok"), count, "{time}");
    }
}

#[test]
fn a_row_that_is_missing_or_later_still_takes_no_other_comments_count() {
    for seconds in ["21:00:03", "20:59:57"] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        save(&mut fixture, &incident, &json!({"comments": "ok"}));
        fixture.pass(1);
        save(&mut fixture, &incident, &json!({"comments": "ok"}));
        let mut rows = fixture.instance.records("sys_audit", "fieldname=comments^ORDERBYrecord_checkpoint");
        rows[0].insert("sys_created_on".to_owned(), format!("2026-11-20 {seconds}"));
        fixture.instance.restore("sys_audit", rows.swap_remove(0));
        let shown = fixture.snapshot(&incident);
        let counts: Vec<Option<u64>> =
            shown.entries.iter().filter(|entry| entry.text == "ok").map(|entry| entry.mod_count).collect();
        assert_eq!(counts, [None, Some(2)], "{seconds}");
    }
}

#[test]
fn the_trail_of_another_incident_says_nothing_of_this_one() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let copy = fixture.instance.copy(fixture.now, "agent", "incident", &incident, &fixture.network).unwrap();
    for _ in 0..3 {
        save(&mut fixture, &copy, &json!({"comments": "same words"}));
    }
    resolve(&mut fixture, &copy, "");
    save(&mut fixture, &copy, &json!({"state": "2"}));
    save(&mut fixture, &incident, &json!({"comments": "same words"}));
    resolve(&mut fixture, &incident, "");
    // Nor does a row for a record of another table.
    put_row(&mut fixture, &incident, 9, "21:00:01", "state", ["6", "2"]);
    let row = fixture.instance.records("sys_audit", "sys_created_on=2026-11-20 21:00:01")[0]["sys_id"].clone();
    fixture.put("sys_audit", &row, &[("tablename", "problem")]);
    let shown = fixture.snapshot(&incident);
    assert_eq!(count_of(&shown, "same words"), Some(1));
    assert_eq!(shown.summary.ended_mod_count, Some(2));
}

#[test]
fn without_the_trail_counts_are_absent_and_times_remain() {
    for audit in [AuditAccess::Empty, AuditAccess::Refused] {
        let mut fixture = Fixture::with_app_configured(Configuration { audit, ..configuration() });
        let incident = incident_in_scope(&mut fixture);
        resolve(&mut fixture, &incident, "with");
        save(&mut fixture, &incident, &json!({"state": "7"}));
        let shown = fixture.snapshot(&incident);
        assert_eq!((shown.summary.ended_mod_count, shown.summary.closed_mod_count), (None, None), "{audit:?}");
        assert_eq!(count_of(&shown, "with"), None);
        assert_eq!((shown.summary.resolved_at, shown.summary.closed_at), (Some(fixture.now), Some(fixture.now)));
    }
}

#[test]
fn a_second_resolution_keeps_the_first_time_and_has_its_own_count() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let first = fixture.now;
    resolve(&mut fixture, &incident, "");
    fixture.pass(600);
    save(&mut fixture, &incident, &json!({"state": "2"}));
    fixture.pass(600);
    resolve(&mut fixture, &incident, "");
    let shown = fixture.snapshot(&incident);
    assert_eq!(shown.summary.resolved_at, Some(first));
    assert_eq!(shown.summary.ended_mod_count, Some(3));
}

#[test]
fn a_gap_in_the_trail_is_no_answer() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    resolve(&mut fixture, &incident, "");
    save(&mut fixture, &incident, &json!({"state": "2"}));
    fixture.snapshot(&incident);
    // The instance dies after it has written the record, so that the trail has no row of this resolution.
    let order = json!({"fields": {"state": "6", "close_code": "Solution provided", "close_notes": "Done."}});
    fixture.instance.stop_after_commits(1);
    assert_eq!(deliver(&mut fixture, &incident, &order).status, 502);
    let shown = fixture.snapshot(&incident);
    assert!(shown.summary.state.is_ended());
    assert_eq!(shown.summary.ended_mod_count, None);
}

#[test]
fn a_closing_that_the_trail_does_not_know_is_no_answer() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    resolve(&mut fixture, &incident, "");
    fixture.put("incident", &incident, &[("state", "7")]);
    let summary = fixture.snapshot(&incident).summary;
    assert_eq!((summary.ended_mod_count, summary.closed_mod_count), (None, None));
}

#[test]
fn a_restored_record_starts_its_counts_anew_and_the_old_ones_are_not_believed() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let earlier = fixture.instance.record("incident", &incident).unwrap().clone();
    for number in 0..5 {
        fixture.pass(10);
        save(&mut fixture, &incident, &json!({"comments": format!("old {number}")}));
    }
    fixture.pass(10);
    resolve(&mut fixture, &incident, "");
    fixture.instance.restore("incident", earlier);
    let shown = fixture.snapshot(&incident);
    assert_eq!(shown.summary.sys_mod_count, 0);
    assert!(shown.entries.iter().all(|entry| entry.mod_count.is_none()), "{:?}", shown.entries);
    fixture.pass(10);
    resolve(&mut fixture, &incident, "");
    fixture.pass(10);
    save(&mut fixture, &incident, &json!({"comments": "new"}));
    let shown = fixture.snapshot(&incident);
    assert_eq!(shown.summary.ended_mod_count, Some(1));
    assert_eq!(count_of(&shown, "new"), Some(2));
    // Its count is above that of the end, and its time is long before it. So the count is not believed.
    assert_eq!(count_of(&shown, "old 1"), None);
}

#[test]
fn a_count_that_contradicts_the_times_is_believed_within_two_seconds_of_the_end() {
    for (seconds, checkpoint, count) in [(2, "3", Some(3)), (3, "3", None), (3, "2", Some(2))] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        save(&mut fixture, &incident, &json!({"comments": "before"}));
        fixture.pass(seconds);
        resolve(&mut fixture, &incident, "");
        save(&mut fixture, &incident, &json!({"short_description": "after"}));
        let row = fixture.instance.records("sys_audit", "fieldname=comments")[0]["sys_id"].clone();
        fixture.put("sys_audit", &row, &[("record_checkpoint", checkpoint)]);
        let shown = fixture.snapshot(&incident);
        assert_eq!(
            (shown.summary.ended_mod_count, count_of(&shown, "before")),
            (Some(2), count),
            "{seconds} {checkpoint}"
        );
    }
}

#[test]
fn closed_at_is_there_while_the_incident_is_closed_or_cancelled() {
    for state in ["7", "8"] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        assert_eq!(fixture.snapshot(&incident).summary.closed_at, None);
        let values = json!({"state": state, "close_code": "Solution provided", "close_notes": "Done."});
        save(&mut fixture, &incident, &values);
        let summary = fixture.snapshot(&incident).summary;
        assert_eq!(summary.closed_at, Some(fixture.now));
        assert_eq!((summary.ended_mod_count, summary.closed_mod_count), (Some(1), Some(1)));
    }
}

#[test]
fn a_snapshot_says_whether_the_closing_fields_are_filled() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let filled = |fixture: &mut Fixture| {
        let summary = fixture.snapshot(&incident).summary;
        (summary.has_close_code, summary.has_close_notes)
    };
    assert_eq!(filled(&mut fixture), (false, false));
    save(&mut fixture, &incident, &json!({"close_code": "Solution provided"}));
    assert_eq!(filled(&mut fixture), (true, false));
    save(&mut fixture, &incident, &json!({"close_code": "", "close_notes": "Done."}));
    assert_eq!(filled(&mut fixture), (false, true));
}

#[test]
fn auto_close_writes_a_comment_as_the_platform_in_the_update_that_closes() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    resolve(&mut fixture, &incident, "");
    assert_eq!(fixture.instance.auto_close(fixture.now, 7, &fixture.network), 0);
    fixture.pass(7 * 86_400);
    assert_eq!(fixture.instance.auto_close(fixture.now, 7, &fixture.network), 1);
    let shown = fixture.snapshot(&incident);
    let entry = shown.entries.last().unwrap();
    assert_eq!(entry.text, "Incident automatically closed after 7 days in the Resolved state.");
    assert_eq!((entry.created_by.as_str(), entry.ours, entry.undecided), ("system", false, false));
    assert_eq!((entry.mod_count, shown.summary.closed_mod_count), (Some(2), Some(2)));
    assert_eq!(shown.summary.closed_at, Some(fixture.now));
    assert!(fixture.run_jobs() > 0 && !fixture.sent().is_empty(), "it is no echo of ours: AWS hears of it");
}

#[test]
fn a_lagging_read_shows_an_older_incident_once() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let older = fixture.instance.record("incident", &incident).unwrap().clone();
    save(&mut fixture, &incident, &json!({"short_description": "newer"}));
    fixture.instance.lag_once("incident", older);
    let counts = [(); 2].map(|()| fixture.snapshot(&incident).summary.sys_mod_count);
    assert_eq!(counts, [0, 1]);
}

#[test]
fn an_update_that_a_rule_aborts_is_refused_with_the_rules_words() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.instance.abort_updates("No comments at night", 1);
    let answer = body(&deliver(&mut fixture, &incident, &message("one", "from AWS")));
    assert_eq!(answer["result"]["messages"][0]["outcome"], "refused");
    let words = answer["result"]["messages"][0]["error"].as_str().unwrap();
    assert!(words.contains("aborted by Business Rule 'No comments at night'"), "{words}");
    assert!(fixture.instance.records("x_casebridge_aws_delivery", "").is_empty(), "it may come again");
    let again = body(&deliver(&mut fixture, &incident, &message("one", "from AWS")));
    assert_eq!(again["result"]["messages"][0]["outcome"], "applied");
}
