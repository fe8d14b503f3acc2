//! The content of a snapshot, and the names that it shows for the authors of comments.

use casebridge_core::servicenow::incident::Incident;
use serde_json::{Value, json};

use crate::support::{Fixture, INCIDENTS, body, deliver, incident_in_scope, text};

/// Limits of the app.
const MAXIMUM_CLOSE_CODES: usize = 100;
const MAXIMUM_GROUP_ACCOUNTS: usize = 100;
const MAXIMUM_DELIVERIES: usize = 1000;

/// Returns the snapshot as JSON.
fn shown(fixture: &mut Fixture, incident: &str) -> Value {
    let response =
        fixture.call("casebridge", "GET", &format!("{INCIDENTS}/{incident}/snapshot?kind=support_case"), None);
    assert_eq!(response.status, 200, "{}", text(&response));
    body(&response)["result"].clone()
}

fn put_choices(fixture: &mut Fixture, table: &str, choices: &[(&str, &str, &str)]) {
    for (index, (value, sequence, language)) in choices.iter().enumerate() {
        let values = [
            ("name", table),
            ("element", "close_code"),
            ("inactive", "false"),
            ("value", value),
            ("sequence", sequence),
            ("language", language),
        ];
        // The rows are in another order than the choices.
        let sys_id = format!("{table}{:0>width$}", 999 - index, width = 32 - table.len());
        fixture.put("sys_choice", &sys_id, &values);
    }
}

/// Removes the platform's own resolution codes.
fn without_choices(fixture: &mut Fixture) {
    for row in fixture.instance.records("sys_choice", "element=close_code") {
        fixture.put("sys_choice", &row["sys_id"].clone(), &[("inactive", "true")]);
    }
}

#[test]
fn a_snapshot_shows_each_part_of_the_record() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let columns = [
        ("x_casebridge_aws_account", "111122223333"),
        ("x_casebridge_aws_case_id", "case-1"),
        ("x_casebridge_aws_display_id", "1234567890"),
        ("x_casebridge_aws_case_status", "opened"),
        ("x_casebridge_aws_sync_status", "error"),
        ("x_casebridge_aws_last_error", "AWS refuses it"),
        ("sys_mod_count", "12"),
        ("sys_updated_on", "2026-11-20 20:59:58"),
        ("hold_reason", "1"),
        ("state", "3"),
        ("priority", "2"),
    ];
    fixture.put("incident", &incident, &columns);
    let shown = shown(&mut fixture, &incident);
    assert_eq!(
        shown["columns"],
        json!({
            "account": "111122223333", "case_id": "case-1", "display_id": "1234567890", "case_status": "opened",
            "sync_status": "error", "last_error": "AWS refuses it",
        })
    );
    let number = fixture.instance.record("incident", &incident).unwrap()["number"].clone();
    for (name, value) in [
        ("sys_id", json!(incident)),
        ("number", json!(number)),
        ("sys_mod_count", json!(12)),
        ("state", json!("3")),
        ("hold_reason", json!("1")),
        ("priority", json!("2")),
        ("resolved_at", json!("")),
        ("closed_at", json!("")),
        ("ended_mod_count", Value::Null),
        ("closed_mod_count", Value::Null),
        ("updated_on", json!("2026-11-20 20:59:58")),
        ("taken_at", json!("2026-11-20 21:00:00")),
        ("service_code", json!("amazon-ec2")),
        ("category_code", json!("instance-issue")),
        ("short_description", json!("Ünreachable host")),
        ("description", json!("Since noon.")),
        (
            "account",
            json!({
                "number": "111122223333", "name": "Shop", "production": true, "severities": [],
                "options": {"additional_contacts": "", "language": "", "issue_type": ""},
            }),
        ),
        ("options", json!({"additional_contacts": "", "language": "", "issue_type": ""})),
        ("caller_email", json!("")),
        ("group_accounts", json!(["111122223333"])),
        ("linked_account_state", json!("active")),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
}

#[test]
fn the_end_of_an_incident_has_the_time_that_the_platform_keeps_for_its_state() {
    let times = |state: &'static str, resolved_at: &'static str, closed_at: &'static str| {
        [("state", state), ("resolved_at", resolved_at), ("closed_at", closed_at)]
    };
    let (resolved, closed, updated) = ("2026-11-20 21:00:01", "2026-11-20 21:00:02", "2026-11-20 21:00:03");
    for (values, resolved_at, closed_at) in [
        (times("2", resolved, closed), "", ""),
        (times("6", resolved, closed), resolved, ""),
        (times("6", "", closed), closed, ""),
        (times("6", "", ""), updated, ""),
        (times("7", resolved, closed), resolved, closed),
        (times("7", "", closed), closed, closed),
        (times("7", "", ""), updated, ""),
        (times("8", resolved, closed), closed, closed),
        (times("8", resolved, ""), updated, ""),
    ] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        fixture.put("incident", &incident, &values);
        fixture.put("incident", &incident, &[("sys_updated_on", updated)]);
        let shown = shown(&mut fixture, &incident);
        assert_eq!(
            (&shown["resolved_at"], &shown["closed_at"]),
            (&json!(resolved_at), &json!(closed_at)),
            "{values:?}"
        );
    }
}

#[test]
fn blank_closing_fields_are_not_filled() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.put("incident", &incident, &[("close_code", "  "), ("close_notes", " \n")]);
    let summary = fixture.snapshot(&incident).summary;
    assert_eq!((summary.has_close_code, summary.has_close_notes), (false, false));
}

#[test]
fn the_account_is_the_active_one_of_the_group_with_the_lowest_number() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let group = fixture.instance.record("incident", &incident).unwrap()["assignment_group"].clone();
    let account = |fixture: &mut Fixture| shown(fixture, &incident)["account"].clone();
    // An import may write what the rule on accounts refuses.
    let rows = [
        ("1", "111100000000", "false", group.as_str(), "true"),
        ("2", "111122220000", "true", group.as_str(), "false"),
        ("0", "000000000000", "true", "0123456789abcdef0123456789abcdef", "true"),
    ];
    for (first, number, active, group, production) in rows {
        let values = [
            ("number", number),
            ("name", number),
            ("active", active),
            ("assignment_group", group),
            ("production", production),
        ];
        fixture.put("x_casebridge_aws_account", &first.repeat(32), &values);
    }
    let first = json!({
        "number": "111122220000", "name": "111122220000", "production": false, "severities": [],
        "options": {"additional_contacts": "", "language": "", "issue_type": ""},
    });
    assert_eq!(account(&mut fixture), first);
    fixture.put("x_casebridge_aws_account", &"2".repeat(32), &[("number", "999922220000")]);
    assert_eq!(account(&mut fixture)["number"], "111122223333");
    // An account without a group does not belong to incidents without a group.
    fixture.put("x_casebridge_aws_account", &"0".repeat(32), &[("assignment_group", "")]);
    fixture.put("incident", &incident, &[("assignment_group", "")]);
    assert_eq!(account(&mut fixture), Value::Null);
}

#[test]
fn the_group_tells_all_its_accounts_active_or_not() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let group = fixture.instance.record("incident", &incident).unwrap()["assignment_group"].clone();
    let other = fixture.create("admin", "sys_user_group", &json!({"name": "Other"}));
    let told = |fixture: &mut Fixture| {
        let shown = shown(fixture, &incident);
        (shown["account"]["number"].clone(), shown["group_accounts"].clone())
    };
    for (number, of) in [("000011112222", &group), ("999911112222", &group), ("555511112222", &other)] {
        let account = json!({"name": number, "number": number, "assignment_group": of, "active": "false"});
        fixture.create("admin", "x_casebridge_aws_account", &account);
    }
    let all = json!(["111122223333", "000011112222", "999911112222"]);
    assert_eq!(told(&mut fixture), (json!("111122223333"), all), "the active one comes first");
    let active = fixture.instance.records("x_casebridge_aws_account", "number=111122223333")[0]["sys_id"].clone();
    fixture.update("admin", "x_casebridge_aws_account", &active, &json!({"active": "false"}));
    // AWS has heard of the incident by now, so it is still served.
    let all = json!(["000011112222", "111122223333", "999911112222"]);
    assert_eq!(told(&mut fixture), (Value::Null, all), "it belongs to them all the same");
    fixture.update("agent", "incident", &incident, &json!({"assignment_group": other}));
    assert_eq!(told(&mut fixture), (Value::Null, json!(["555511112222"])));
    let none = fixture.create("admin", "sys_user_group", &json!({"name": "Of no account"}));
    for group in [none.as_str(), ""] {
        fixture.update("agent", "incident", &incident, &json!({"assignment_group": group}));
        assert_eq!(told(&mut fixture), (Value::Null, json!([])), "{group:?}");
    }
}

#[test]
fn so_many_accounts_of_a_group_are_told() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let group = fixture.instance.record("incident", &incident).unwrap()["assignment_group"].clone();
    for number in 0..MAXIMUM_GROUP_ACCOUNTS {
        let name = format!("{number:012}");
        let values = [("number", name.as_str()), ("active", "false"), ("assignment_group", &group)];
        fixture.put("x_casebridge_aws_account", &format!("{number:032x}"), &values);
    }
    let shown = shown(&mut fixture, &incident);
    assert_eq!(shown["group_accounts"].as_array().unwrap().len(), MAXIMUM_GROUP_ACCOUNTS);
    assert_eq!(shown["account"]["number"], "111122223333", "the active one is always among them");
}

#[test]
fn the_account_of_the_case_is_active_inactive_or_missing_whatever_the_group() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let state = |fixture: &mut Fixture| shown(fixture, &incident)["linked_account_state"].clone();
    assert_eq!(state(&mut fixture), "", "it has no case yet");
    let columns = json!({"columns": {"case_id": "case-111122223333-muen-2026-1", "account": "111122223333"}});
    assert_eq!(deliver(&mut fixture, &incident, &columns).status, 200);
    assert_eq!(state(&mut fixture), "active");
    let account = fixture.instance.records("x_casebridge_aws_account", "")[0]["sys_id"].clone();
    fixture.update("admin", "x_casebridge_aws_account", &account, &json!({"active": "false"}));
    assert_eq!(state(&mut fixture), "inactive");
    // The group belongs to another account now. The case stays where it is.
    let group = fixture.create("admin", "sys_user_group", &json!({"name": "AWS-444455556666"}));
    let other = json!({"name": "Other", "number": "444455556666", "assignment_group": group});
    fixture.create("admin", "x_casebridge_aws_account", &other);
    fixture.update("agent", "incident", &incident, &json!({"assignment_group": group}));
    let seen = shown(&mut fixture, &incident);
    assert_eq!(
        (&seen["linked_account_state"], &seen["account"]["number"]),
        (&json!("inactive"), &json!("444455556666"))
    );
    fixture.update("admin", "x_casebridge_aws_account", &account, &json!({"active": "true"}));
    assert_eq!(state(&mut fixture), "active");
    fixture.call("admin", "DELETE", &format!("/api/now/table/x_casebridge_aws_account/{account}"), None);
    assert_eq!(state(&mut fixture), "missing");
}

#[test]
fn the_answer_of_deliver_tells_the_accounts_as_well() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let columns = json!({"columns": {"case_id": "case-1", "account": "999999999999"}});
    let snapshot = body(&deliver(&mut fixture, &incident, &columns))["result"]["snapshot"].clone();
    let told = (&snapshot["group_accounts"], &snapshot["linked_account_state"]);
    assert_eq!(told, (&json!(["111122223333"]), &json!("missing")));
}

#[test]
fn resolution_codes_are_told_once_in_their_order_and_those_of_task_where_there_are_no_others() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    without_choices(&mut fixture);
    put_choices(&mut fixture, "task", &[("Done", "1", "en")]);
    assert_eq!(fixture.snapshot(&incident).summary.close_codes, ["Done"]);
    put_choices(&mut fixture, "incident", &[("Solved", "2", "en")]);
    assert_eq!(fixture.snapshot(&incident).summary.close_codes, ["Solved"], "one of its own is enough");
    let own = [("Solved", "2", "en"), ("Copy", "1", "en"), ("Solved", "2", "de"), ("Copy", "1", "de"), ("", "0", "en")];
    put_choices(&mut fixture, "incident", &own);
    assert_eq!(fixture.snapshot(&incident).summary.close_codes, ["Copy", "Solved"]);
}

#[test]
fn so_many_resolution_codes_are_told() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let codes: Vec<String> = (100..=100 + MAXIMUM_CLOSE_CODES).map(|number| format!("Code {number}")).collect();
    let choices: Vec<(&str, &str, &str)> = codes.iter().map(|code| (code.as_str(), &code[5..], "en")).collect();
    without_choices(&mut fixture);
    put_choices(&mut fixture, "incident", &choices);
    assert_eq!(fixture.snapshot(&incident).summary.close_codes, codes[..MAXIMUM_CLOSE_CODES]);
}

#[test]
fn an_author_has_the_name_that_the_user_has_or_else_the_user_name() {
    for (names, expected) in [
        ([("name", "Alice Display"), ("first_name", "Alice"), ("last_name", "Tester")], "Alice Display"),
        ([("name", ""), ("first_name", "Alice"), ("last_name", "Tester")], "Alice Tester"),
        ([("name", ""), ("first_name", "Alice"), ("last_name", "")], "Alice"),
        ([("name", ""), ("first_name", ""), ("last_name", "")], "agent"),
    ] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let user = fixture.instance.records("sys_user", "user_name=agent")[0]["sys_id"].clone();
        fixture.put("sys_user", &user, &names);
        assert_eq!(fixture.snapshot(&incident).entries[0].author, expected);
    }
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let entry = fixture.instance.records("sys_journal_field", "element=comments")[0]["sys_id"].clone();
    fixture.put("sys_journal_field", &entry, &[("sys_created_by", "gone")]);
    assert_eq!(fixture.snapshot(&incident).entries[0].author, "gone", "no such user any more");
}

#[test]
fn half_a_pair_of_surrogates_is_replaced_and_a_pair_is_left() {
    let mut fixture = Fixture::with_app();
    let source = "escape(CasebridgeIncident.wellFormed('a\\ud83d\\ude92b\\ud83dc\\ude92\\ude92'))";
    assert_eq!(fixture.script(source), "a%uD83D%uDE92b%uFFFDc%uFFFD%uFFFD");
}

#[test]
fn the_comments_of_an_incident_are_its_own_and_no_work_notes() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let row = |element: &'static str, of: &str, words: &'static str| {
        [("element", element), ("element_id", of), ("value", words), ("sys_created_on", "2026-11-20 21:00:00")]
            .map(|(name, value)| (name, value.to_owned()))
    };
    for (number, values) in [
        row("work_notes", &incident, "a work note"),
        row("comments", "0123456789abcdef0123456789abcdef", "of another"),
        row("comments", &incident, "its own"),
    ]
    .into_iter()
    .enumerate()
    {
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        fixture.put("sys_journal_field", &format!("{number:032x}"), &values);
    }
    let shown: Incident = fixture.snapshot(&incident);
    let mut words: Vec<&str> = shown.entries.iter().map(|entry| entry.text.as_str()).collect();
    words.sort_unstable();
    assert_eq!(words, ["First ${words}", "its own"]);
    assert!(shown.entries.iter().all(|entry| !entry.ours));
}

#[test]
fn a_comment_is_ours_once_its_delivery_is_finished() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let entry = fixture.instance.records("sys_journal_field", "element=comments")[0]["sys_id"].clone();
    for (state, is_ours) in [("claimed", false), ("done", true)] {
        let values = [("external_id", "one"), ("incident", &incident), ("state", state), ("journal", &entry)];
        fixture.put("x_casebridge_aws_delivery", "fedcba9876543210fedcba9876543210", &values);
        assert_eq!(fixture.snapshot(&incident).entries[0].ours, is_ours, "{state}");
    }
}

#[test]
fn a_comment_that_no_delivery_names_is_undecided_if_its_author_has_delivered_or_is_to() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let entry = fixture.instance.records("sys_journal_field", "element=comments")[0]["sys_id"].clone();
    let values = [("external_id", "one"), ("incident", incident.as_str()), ("sys_created_by", "former")];
    fixture.put("x_casebridge_aws_delivery", "fedcba9876543210fedcba9876543210", &values);
    for (author, is_undecided) in [("agent", false), ("casebridge", true), ("former", true)] {
        fixture.put("sys_journal_field", &entry, &[("sys_created_by", author)]);
        assert_eq!(fixture.snapshot(&incident).entries[0].undecided, is_undecided, "{author}");
    }
}

#[test]
fn so_many_deliveries_are_told_the_newest_first_and_those_of_one_second_by_name() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    // The rows are in the opposite order of the names. One row is older than the others.
    for number in 0..=MAXIMUM_DELIVERIES {
        let name = format!("{:04}", MAXIMUM_DELIVERIES - number);
        let claimed_at = if number == 0 { "2026-11-20 21:00:00" } else { "2026-11-20 21:00:01" };
        let values = [("external_id", name.as_str()), ("incident", &incident), ("claimed_at", claimed_at)];
        fixture.put("x_casebridge_aws_delivery", &format!("{number:032x}"), &values);
    }
    let told: Vec<String> = fixture.snapshot(&incident).deliveries.iter().map(ToString::to_string).collect();
    let expected: Vec<String> = (0..MAXIMUM_DELIVERIES).map(|number| format!("{number:04}")).collect();
    assert_eq!(told, expected);
}
