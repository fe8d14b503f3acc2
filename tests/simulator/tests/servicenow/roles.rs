//! The permissions of each role in the platform's own APIs: none for the integration user, and the needed ones for
//! people.

use serde_json::json;

use crate::support::{Fixture, INCIDENTS, SETTINGS, body, deliver, incident_in_scope, message, of_support_case, text};

const ACCOUNTS: &str = "x_casebridge_aws_account";
const OUTBOX: &str = "x_casebridge_aws_outbox";
const DELIVERIES: &str = "x_casebridge_aws_delivery";
const LINKS: &str = "x_casebridge_aws_link";
const ANNOUNCEMENTS: &str = "x_casebridge_aws_announcement";
/// The tables of the app and of the platform that not everybody may see.
const TABLES: [&str; 10] = [
    "incident",
    "sys_journal_field",
    "sys_audit",
    "sys_properties",
    ACCOUNTS,
    OUTBOX,
    DELIVERIES,
    LINKS,
    ANNOUNCEMENTS,
    SETTINGS,
];

/// Returns a fixture with a record in each of the app's tables, and the incident.
fn world_with_records() -> (Fixture, String) {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    let mut order = message("one", "from AWS");
    order["columns"] = json!({"sync_status": "waiting", "last_error": "AWS does not answer"});
    assert_eq!(deliver(&mut fixture, &incident, &order).status, 200);
    for table in TABLES {
        assert!(!fixture.instance.records(table, "").is_empty() || table == "sys_audit", "{table}");
    }
    (fixture, incident)
}

/// Asserts that the user sees no record of the table, neither in a list nor by its `sys_id`.
fn assert_hidden(fixture: &mut Fixture, user: &str, table: &str) {
    let listed = fixture.call(user, "GET", &format!("/api/now/table/{table}"), None);
    let is_empty = listed.status == 200 && body(&listed)["result"] == json!([]);
    assert!(listed.status == 403 || is_empty, "{user} {table}: {} {}", listed.status, text(&listed));
    for row in fixture.instance.records(table, "") {
        let shown = fixture.call(user, "GET", &format!("/api/now/table/{table}/{}", row["sys_id"]), None);
        assert!([403, 404].contains(&shown.status), "{user} {table}: {} {}", shown.status, text(&shown));
    }
}

/// Asserts that the user can't create, change or delete a record of the table.
fn assert_unwritable(fixture: &mut Fixture, user: &str, table: &str) {
    let before = fixture.instance.records(table, "");
    let values = json!({"short_description": "x", "name": "x", "value": "x", "webhook_url": "", "last_error": "x"});
    let made = fixture.call(user, "POST", &format!("/api/now/table/{table}"), Some(&values));
    assert_eq!(made.status, 403, "{user} {table}: {}", text(&made));
    for row in &before {
        let target = format!("/api/now/table/{table}/{}", row["sys_id"]);
        for method in ["PATCH", "PUT", "DELETE"] {
            let changed = fixture.call(user, method, &target, Some(&values));
            assert!([403, 404].contains(&changed.status), "{user} {method} {table}: {}", text(&changed));
        }
    }
    assert_eq!(fixture.instance.records(table, ""), before, "{user} {table}");
}

#[test]
fn the_integration_user_has_the_rest_api_and_nothing_else() {
    let (mut fixture, incident) = world_with_records();
    for table in TABLES {
        assert_hidden(&mut fixture, "casebridge", table);
        assert_unwritable(&mut fixture, "casebridge", table);
    }
    for table in ["sys_user", "sys_user_group", "sys_user_has_role", "sys_script", "sys_choice"] {
        assert_unwritable(&mut fixture, "casebridge", table);
    }
    let file = [("table_name", "incident"), ("table_sys_id", incident.as_str()), ("file_name", "secret.txt")];
    fixture.put("sys_attachment", &"a".repeat(32), &file);
    let files = format!("/api/now/attachment?sysparm_query=table_sys_id={incident}");
    assert_eq!(body(&fixture.call("casebridge", "GET", &files, None))["result"], json!([]));
    assert_ne!(body(&fixture.call("agent", "GET", &files, None))["result"], json!([]));
    assert_eq!(deliver(&mut fixture, &incident, &message("two", "more from AWS")).status, 200);
}

#[test]
fn who_has_no_role_sees_and_does_nothing() {
    let (mut fixture, incident) = world_with_records();
    for table in TABLES {
        assert_hidden(&mut fixture, "nobody", table);
        assert_unwritable(&mut fixture, "nobody", table);
    }
    let order = of_support_case(&message("two", "from nobody"));
    for (method, path, order) in [
        ("GET", "changes?since=2026-11-20 00:00:00".to_owned(), None),
        ("GET", format!("{incident}/snapshot?kind=support_case"), None),
        ("POST", format!("{incident}/deliver"), Some(&order)),
        ("GET", "catalogue?part=services".to_owned(), None),
        ("POST", "catalogue".to_owned(), Some(&order)),
    ] {
        for user in ["nobody", "agent", "reader", "keeper", "second"] {
            let answer = fixture.call(user, method, &format!("{INCIDENTS}/{path}"), order);
            assert_eq!(answer.status, 403, "{user} {path}: {}", text(&answer));
        }
    }
}

#[test]
fn agents_readers_and_keepers_have_what_they_need_of_the_apps_tables() {
    let (mut fixture, incident) = world_with_records();
    let columns = json!({"x_casebridge_aws_case_id": "mine", "x_casebridge_aws_account": "999999999999"});
    for (user, seen, written) in [
        ("agent", vec![], vec![]),
        ("reader", vec![ACCOUNTS, OUTBOX, LINKS], vec![]),
        // No web service gives access to deliveries. Entries of the outbox may only be deleted.
        ("keeper", vec![ACCOUNTS, OUTBOX, LINKS, SETTINGS], vec![ACCOUNTS, OUTBOX]),
    ] {
        for table in [ACCOUNTS, OUTBOX, DELIVERIES, LINKS, ANNOUNCEMENTS, SETTINGS] {
            if seen.contains(&table) {
                let listed = fixture.call(user, "GET", &format!("/api/now/table/{table}"), None);
                assert_ne!(body(&listed)["result"], json!([]), "{user} {table}: {}", text(&listed));
            } else {
                assert_hidden(&mut fixture, user, table);
            }
            if !written.contains(&table) {
                assert_unwritable(&mut fixture, user, table);
            }
        }
        fixture.update(user, "incident", &incident, &columns);
        let row = fixture.instance.record("incident", &incident).unwrap();
        assert_eq!(row.get("x_casebridge_aws_case_id"), None, "{user}: which case it has is not theirs to say");
    }
    let account = fixture.instance.records(ACCOUNTS, "")[0]["sys_id"].clone();
    assert_eq!(fixture.update("keeper", ACCOUNTS, &account, &json!({"name": "Renamed"})).status, 200);
    let entry = fixture.instance.records(OUTBOX, "")[0]["sys_id"].clone();
    assert!(fixture.update("keeper", OUTBOX, &entry, &json!({"state": "sent"})).status >= 403);
    assert_eq!(fixture.call("keeper", "DELETE", &format!("/api/now/table/{OUTBOX}/{entry}"), None).status, 204);
}

#[test]
fn no_column_that_casebridge_fills_in_is_given_when_an_incident_is_made() {
    let mut fixture = Fixture::with_app();
    for column in ["account", "case_id", "display_id", "case_status", "sync_status", "last_error"] {
        let column = format!("x_casebridge_aws_{column}");
        for user in ["agent", "clerk", "clerk.of.casebridge"] {
            let values = json!({"short_description": "Mine", &column: "1"});
            let incident = fixture.create(user, "incident", &values);
            let row = fixture.instance.record("incident", &incident).unwrap();
            assert_eq!(row.get(&column), None, "{user} {column}");
            fixture.update(user, "incident", &incident, &values);
            assert_eq!(fixture.instance.record("incident", &incident).unwrap().get(&column), None, "{user} {column}");
        }
    }
    fixture.run_jobs();
    assert!(fixture.sent().is_empty());
    let column = "x_casebridge_aws_case_id";
    let incident = fixture.create("keeper.and.agent", "incident", &json!({column: "case-1"}));
    assert_eq!(fixture.instance.record("incident", &incident).unwrap()[column], "case-1", "that is for keepers");
}

#[test]
fn who_is_no_agent_and_has_no_role_of_casebridge_opens_no_case() {
    let mut fixture = Fixture::with_app();
    let scoped = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    fixture.sent();
    let row = fixture.instance.record("incident", &scoped).unwrap().clone();
    let codes = ["x_casebridge_aws_service_code", "x_casebridge_aws_category_code"];
    let mut values = json!({"short_description": "Mine", "impact": "1", "urgency": "1"});
    for name in ["assignment_group", codes[0], codes[1]] {
        values[name] = json!(row[name]);
    }
    for (user, is_asked) in [("clerk", false), ("clerk.of.casebridge", true), ("agent", true)] {
        let incident = fixture.create(user, "incident", &values);
        fixture.update(user, "incident", &incident, &values);
        let made = fixture.instance.record("incident", &incident).unwrap();
        assert_eq!(made["assignment_group"], row["assignment_group"], "{user}");
        for code in codes {
            assert_eq!(made.contains_key(code), is_asked, "{user} {code}");
        }
        fixture.run_jobs();
        assert_eq!(fixture.sent().is_empty(), !is_asked, "{user}");
        let shown =
            fixture.call("casebridge", "GET", &format!("{INCIDENTS}/{incident}/snapshot?kind=support_case"), None);
        assert_eq!(shown.status, if is_asked { 200 } else { 403 }, "{user}");
    }
}
