//! The Table API as clients use it.

use serde_json::json;

use crate::support::{Fixture, body, text};

const INCIDENTS: &str = "/api/now/table/incident";

#[test]
fn errors_have_the_platforms_words() {
    let mut fixture = Fixture::platform();
    let anonymous = fixture.call_with("Basic bm9ib2R5Ondyb25n", "GET", INCIDENTS, None);
    assert_eq!(anonymous.status, 401);
    assert_eq!(
        body(&anonymous),
        json!({"error": {"message": "User Not Authenticated", "detail": "Required to provide Auth information"},
               "status": "failure"})
    );
    let table = fixture.call("admin", "GET", "/api/now/table/sys_nonexistent", None);
    assert_eq!((table.status, &body(&table)["error"]["message"]), (400, &json!("Invalid table sys_nonexistent")));
    let record = fixture.call("admin", "GET", &format!("{INCIDENTS}/0123456789abcdef0123456789abcdef"), None);
    assert_eq!((record.status, &body(&record)["error"]["message"]), (404, &json!("No Record found")));
    let rights = fixture.call("nobody", "GET", INCIDENTS, None);
    assert_eq!(
        (rights.status, &body(&rights)["error"]["message"]),
        (403, &json!("Insufficient rights to query records"))
    );
    assert_eq!(fixture.call("admin", "GET", "/api/now/nonsense", None).status, 400);
}

#[test]
fn a_record_is_made_with_its_own_id_once() {
    let mut fixture = Fixture::platform();
    let sys_id = "0123456789abcdef0123456789abcdef";
    let values = json!({"sys_id": sys_id, "short_description": "Once", "impact": "1", "urgency": "1"});
    let first = fixture.call("agent", "POST", INCIDENTS, Some(&values));
    assert_eq!(first.status, 201);
    assert!(first.headers["location"].ends_with(sys_id));
    let result = &body(&first)["result"];
    assert_eq!((&result["number"], &result["priority"]), (&json!("INC0010001"), &json!("1")));
    assert_eq!(result["sys_mod_count"], "0");
    let second = fixture.call("agent", "POST", INCIDENTS, Some(&values));
    assert_eq!(second.status, 403);
    let detail = body(&second)["error"]["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("Error during insert of incident ("), "{detail}");
}

#[test]
fn journals_append_and_are_read_by_administrators_alone() {
    let mut fixture = Fixture::platform();
    let incident = fixture.create("agent", "incident", &json!({"short_description": "Talk"}));
    for _ in 0..2 {
        fixture.pass(1);
        let answer = fixture.update("agent", "incident", &incident, &json!({"comments": "again"}));
        assert_eq!(body(&answer)["result"]["comments"], "");
    }
    let names =
        body(&fixture.call("agent", "GET", &format!("{INCIDENTS}/{incident}?sysparm_display_value=true"), None));
    assert_eq!(
        names["result"]["comments"],
        "2026-11-20 21:00:02 - Alice Tester (Additional comments)\nagain\n\n\
         2026-11-20 21:00:01 - Alice Tester (Additional comments)\nagain\n\n"
    );
    assert_eq!(names["result"]["sys_mod_count"], "2");
    let target = format!("/api/now/table/sys_journal_field?sysparm_query=element_id={incident}^element=comments");
    let hidden = fixture.call("agent", "GET", &target, None);
    assert_eq!((hidden.status, body(&hidden)), (200, json!({"result": []})));
    assert_eq!(body(&fixture.call("admin", "GET", &target, None))["result"].as_array().unwrap().len(), 2);
}

#[test]
fn an_empty_reference_is_empty_also_if_a_record_has_no_name() {
    let mut fixture = Fixture::platform();
    fixture.create("admin", "sys_user", &json!({"user_name": "nameless"}));
    let incident = fixture.create("agent", "incident", &json!({"caller_id": "Abel Tuter"}));
    let cleared = fixture.update("agent", "incident", &incident, &json!({"caller_id": ""}));
    assert_eq!(body(&cleared)["result"]["caller_id"], "");
}

#[test]
fn resolving_follows_the_data_policy_and_the_choices() {
    let mut fixture = Fixture::platform();
    let incident = fixture.create("agent", "incident", &json!({"short_description": "Done soon"}));
    let refused = fixture.update(
        "agent",
        "incident",
        &incident,
        &json!({"state": "6", "close_code": "Unknown", "close_notes": "x"}),
    );
    assert_eq!(refused.status, 403);
    assert_eq!(
        body(&refused)["error"]["detail"],
        "Data Policy Exception: \n\tThe following fields are mandatory: Resolution code"
    );
    let values = json!({"state": "6", "close_code": "Solution provided", "close_notes": "x"});
    let resolved = body(&fixture.update("agent", "incident", &incident, &values));
    assert_eq!(resolved["result"]["incident_state"], "6");
    assert_eq!(resolved["result"]["resolved_at"], "2026-11-20 21:00:00");
    let unknown = body(&fixture.update("agent", "incident", &incident, &json!({"state": "44"})));
    assert_eq!(unknown["result"]["state"], "6", "a choice that does not exist is not stored");
}

#[test]
fn lists_have_pages_orders_and_dot_walks() {
    let mut fixture = Fixture::platform();
    for number in 0..5 {
        let urgency = if number % 2 == 0 { "1" } else { "3" };
        let values =
            json!({"short_description": format!("Number {number}"), "urgency": urgency, "caller_id": "Abel Tuter"});
        fixture.create("agent", "incident", &values);
    }
    let target = format!(
        "{INCIDENTS}?sysparm_query=urgency=1^ORDERBYDESCnumber&sysparm_fields=number,caller_id,caller_id.email&sysparm_limit=2"
    );
    let page = fixture.call("agent", "GET", &target, None);
    assert_eq!(page.headers["x-total-count"], "3");
    assert!(page.headers["link"].contains("sysparm_offset=2>;rel=\"next\""), "{}", page.headers["link"]);
    let rows = &body(&page)["result"];
    assert_eq!(rows[0]["number"], "INC0010005");
    assert_eq!(rows[0]["caller_id.email"], "abel.tuter@example.com");
    assert_eq!(rows[0]["caller_id"]["value"], "62826bf03710200044e0bfc8bcbe5df1");
    let all = body(&fixture.call("agent", "GET", &format!("{target}&sysparm_display_value=all"), None));
    assert_eq!(all["result"][0]["caller_id"]["display_value"], "Abel Tuter");
    let count = |fixture: &mut Fixture, query: &str| {
        body(&fixture.call("agent", "GET", &format!("{INCIDENTS}?{query}"), None))["result"].as_array().unwrap().len()
    };
    assert_eq!(count(&mut fixture, "sysparm_query=nonsense=1"), 5, "an unknown column is ignored");
    assert_eq!(count(&mut fixture, "urgency=1 - High"), 3, "a pair may name a choice by its label");
    assert_eq!(count(&mut fixture, "sysparm_query=short_descriptionLIKEnumber 3^ORshort_descriptionENDSWITH1"), 2);
    assert_eq!(count(&mut fixture, "sysparm_query=urgency=1^NQurgency=3"), 5);
    let stats =
        fixture.call("agent", "GET", "/api/now/stats/incident?sysparm_count=true&sysparm_group_by=urgency", None);
    assert_eq!(body(&stats)["result"].as_array().unwrap().len(), 2, "{}", text(&stats));
}

#[test]
fn a_closed_incident_is_not_written_by_agents() {
    let mut fixture = Fixture::platform();
    let incident = fixture.create("agent", "incident", &json!({"short_description": "Over"}));
    let close = json!({"state": "7", "close_code": "Duplicate", "close_notes": "x"});
    assert_eq!(fixture.update("agent", "incident", &incident, &close).status, 200);
    let refused = fixture.update("agent", "incident", &incident, &json!({"state": "2"}));
    assert_eq!(refused.status, 403);
    assert_eq!(body(&refused)["error"]["detail"], "ACL Exception Update Failed due to security constraints");
}

#[test]
fn files_are_kept_with_their_records() {
    let mut fixture = Fixture::platform();
    let incident = fixture.create("agent", "incident", &json!({"short_description": "Look"}));
    let target = format!("/api/now/attachment/file?table_name=incident&table_sys_id={incident}&file_name=a.json");
    let uploaded = fixture.call("agent", "POST", &target, Some(&json!({"a": 1})));
    assert_eq!(uploaded.status, 201, "{}", text(&uploaded));
    let sys_id = body(&uploaded)["result"]["sys_id"].as_str().unwrap().to_owned();
    assert!(uploaded.headers["location"].ends_with(&format!("/api/now/attachment/{sys_id}/file")));
    let file = fixture.call("agent", "GET", &format!("/api/now/attachment/{sys_id}/file"), None);
    assert_eq!(text(&file), r#"{"a":1}"#);
    assert_eq!(fixture.call("nobody", "GET", &format!("/api/now/attachment/{sys_id}"), None).status, 404);
}

#[test]
fn a_new_file_is_where_its_location_says_in_the_version_of_the_request() {
    let mut fixture = Fixture::platform();
    let incident = fixture.create("agent", "incident", &json!({"short_description": "Look"}));
    let target = format!("/api/now/v1/attachment/file?table_name=incident&table_sys_id={incident}&file_name=a.json");
    let uploaded = fixture.call("agent", "POST", &target, Some(&json!({"a": 1})));
    let (_, path) = uploaded.headers["location"].split_once("/api/now/v1/").expect("the version of the request");
    let file = fixture.call("agent", "GET", &format!("/api/now/v1/{path}"), None);
    assert_eq!((file.status, text(&file).as_str()), (200, r#"{"a":1}"#));
}

#[test]
fn files_are_deleted_and_undeleted_with_their_record() {
    let mut fixture = Fixture::platform();
    let mut incident = |text: &str| fixture.create("agent", "incident", &json!({"short_description": text}));
    let (deleted, kept) = (incident("Deleted"), incident("Kept"));
    let file = fixture.attach("agent", &deleted, "a.txt", b"a");
    let other = fixture.attach("agent", &kept, "b.txt", b"b");
    let status = |fixture: &mut Fixture, file: &str| {
        fixture.call("agent", "GET", &format!("/api/now/attachment/{file}/file"), None).status
    };
    assert_eq!(fixture.call("admin", "DELETE", &format!("{INCIDENTS}/{deleted}"), None).status, 204);
    assert_eq!((status(&mut fixture, &file), status(&mut fixture, &other)), (404, 200));
    assert!(fixture.instance.undelete("incident", &deleted));
    assert_eq!(status(&mut fixture, &file), 200);
}
