//! The built app on the instance: its webhooks, its deliveries, its lists.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use casebridge_core::servicenow::incident::Incident;
use casebridge_simulator::servicenow::{Configuration, state::Obstacle};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{
    Fixture, WEBHOOK_KEY, WEBHOOK_URL, body, configuration, deliver, external_id, incident_in_scope, message, text,
};

#[test]
fn an_incident_in_scope_leads_to_one_signed_webhook() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    assert!(fixture.sent().is_empty(), "nothing is sent while the agent waits");
    fixture.run_jobs();
    let sent = fixture.sent();
    let [(url, request)] = sent.as_slice() else { panic!("{} requests instead of one", sent.len()) };
    assert_eq!(url, WEBHOOK_URL);
    assert_eq!(request.method, "POST");
    let header = |name: &str| request.header(name).unwrap().to_owned();
    assert_eq!(header("webhook-timestamp"), fixture.now.as_second().to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_KEY).unwrap();
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&request.body);
    let expected = STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(header("webhook-signature"), format!("v1,{expected}"));
    assert!(request.body.is_ascii());
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    let expected = json!({
        "id": header("webhook-id"), "type": "incident.changed", "timestamp": "2026-11-20T21:00:00Z",
        "data": {"sys_id": incident, "sys_mod_count": 0},
    });
    assert_eq!(sent, expected, "it names the incident, and holds nothing of its content");
    assert_eq!(fixture.run_jobs(), 0);
    assert_eq!(fixture.instance.records("x_casebridge_aws_outbox", "state=sent").len(), 1);
}

#[test]
fn an_incident_out_of_scope_and_work_notes_send_nothing() {
    let mut fixture = Fixture::with_app();
    fixture.create("agent", "incident", &json!({"short_description": "Printer", "work_notes": "secret"}));
    fixture.run_jobs();
    assert!(fixture.sent().is_empty());
    let incident = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    fixture.sent();
    assert_eq!(fixture.update("agent", "incident", &incident, &json!({"work_notes": "very secret"})).status, 200);
    fixture.run_jobs();
    assert!(fixture.sent().iter().all(|(_, request)| !String::from_utf8_lossy(&request.body).contains("secret")));
}

#[test]
fn what_the_integration_user_writes_is_not_announced() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    fixture.sent();
    let response = deliver(&mut fixture, &incident, &message("one", "from AWS"));
    assert_eq!(response.status, 200, "{}", text(&response));
    fixture.run_jobs();
    assert!(fixture.sent().is_empty());
    assert_eq!(fixture.update("agent", "incident", &incident, &json!({"comments": "from Alice"})).status, 200);
    fixture.run_jobs();
    let sent = fixture.sent();
    assert_eq!(sent.len(), 1);
    let ours = |shown: &Incident| shown.entries.iter().map(|entry| entry.ours).collect::<Vec<_>>();
    assert_eq!(ours(&fixture.snapshot(&incident)).iter().filter(|ours| **ours).count(), 1);
}

#[test]
fn a_snapshot_names_the_deliveries_since_the_moment_that_was_asked_for() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let group = fixture.instance.records("incident", &format!("sys_id={incident}"))[0]["assignment_group"].clone();
    let values = json!({"short_description": "Another host", "assignment_group": group,
        "x_casebridge_aws_service_code": "amazon-ec2", "x_casebridge_aws_category_code": "instance-issue"});
    let other = fixture.create("agent", "incident", &values);
    for (id, to) in [("one", &incident), ("other", &other)] {
        assert_eq!(deliver(&mut fixture, to, &message(id, "from AWS")).status, 200);
    }
    fixture.pass(60);
    let since = casebridge_core::time::format_servicenow(fixture.now);
    let answer = deliver(&mut fixture, &incident, &message("two", "from AWS, too"));
    assert_eq!(body(&answer)["result"]["snapshot"].get("deliveries"), None, "its own answer tells what became of each");
    let names = |shown: Incident| shown.deliveries.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(fixture.snapshot(&incident)), ["two", "one"].map(external_id));
    assert_eq!(names(fixture.page(&incident, &format!("entries_since={since}"))), [external_id("two")]);
    let last = fixture.snapshot(&incident).entries.last().unwrap().sys_id.clone();
    let next = format!("entries_since={since}&entries_after={last}");
    assert!(names(fixture.page(&incident, &next)).is_empty(), "the first page has named them");
}

#[test]
fn a_webhook_that_fails_is_sent_again_with_its_id() {
    let mut fixture = Fixture::with_app();
    incident_in_scope(&mut fixture);
    fixture.network.status.replace(Some(503));
    fixture.run_jobs();
    let first = fixture.sent();
    assert_eq!(first.len(), 1);
    fixture.network.status.replace(None);
    let mut again = Vec::new();
    for _ in 0..10 {
        fixture.pass(60);
        fixture.run_jobs();
        again.extend(fixture.sent());
    }
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].1.header("webhook-id"), first[0].1.header("webhook-id"));
    assert_ne!(again[0].1.header("webhook-timestamp"), first[0].1.header("webhook-timestamp"));
}

#[test]
fn deliver_applies_a_comment_once() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let order = message("one", "from AWS");
    let first = body(&deliver(&mut fixture, &incident, &order));
    assert_eq!(first["result"]["messages"][0]["outcome"], "applied");
    let shown: Incident = serde_json::from_value(first["result"]["snapshot"].clone()).unwrap();
    assert!(shown.entries.iter().any(|entry| entry.ours && entry.text == "from AWS"));
    for _ in 0..3 {
        fixture.pass(100);
        let again = body(&deliver(&mut fixture, &incident, &order));
        assert_eq!(again["result"]["messages"][0]["outcome"], "already_applied");
        assert_eq!(again["result"]["messages"][0]["journal"], first["result"]["messages"][0]["journal"]);
    }
    assert_eq!(fixture.comments(&incident).iter().filter(|words| *words == "from AWS").count(), 1);
}

#[test]
fn death_between_any_two_commits_leaves_one_comment() {
    // The commits: the announcement, the claim, the incident, the journal entry, the end of the claim.
    const DELIVERY_COMMITS: u64 = 5;
    for commits in 0..DELIVERY_COMMITS + 2 {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let order = message("one", "from AWS");
        fixture.instance.stop_after_commits(commits);
        let died = deliver(&mut fixture, &incident, &order);
        fixture.pass(1);
        let young = deliver(&mut fixture, &incident, &order);
        assert!(matches!(young.status, 200 | 409), "after {commits} commits: {}", text(&young));
        if young.status == 409 {
            assert_eq!(body(&young)["error"]["detail"], external_id("one"));
        }
        fixture.pass(120);
        let again = deliver(&mut fixture, &incident, &order);
        assert_eq!(again.status, 200, "after {commits} commits: {}", text(&again));
        let count = fixture.comments(&incident).iter().filter(|words| *words == "from AWS").count();
        assert_eq!(count, 1, "after {commits} commits, first answer {}", died.status);
        let rows =
            fixture.instance.records("x_casebridge_aws_delivery", &format!("external_id={}", external_id("one")));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["state"], "done");
        assert_eq!(died.status == 502, commits <= DELIVERY_COMMITS, "after {commits} commits: {}", text(&died));
    }
}

#[test]
fn fields_are_written_only_on_a_match_and_a_refusal_keeps_the_message() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let columns = json!({"case_id": "case-111122223333-muen-2026-1", "display_id": "1", "sync_status": "in_sync"});
    let mut order = message("one", "from AWS");
    order["expected_mod_count"] = json!(7);
    order["columns"] = columns.clone();
    let stale = body(&deliver(&mut fixture, &incident, &order));
    assert_eq!(stale["result"]["fields"], "stale");
    let count = &stale["result"]["snapshot"]["sys_mod_count"];
    let resolve = json!({
        "expected_mod_count": count, "columns": columns, "fields": {"state": "6"},
        "messages": [{"external_id": external_id("two"), "text": "resolved", "kind": "comment"}],
    });
    let refused = body(&deliver(&mut fixture, &incident, &resolve));
    assert_eq!(refused["result"]["fields"], "refused");
    assert!(refused["result"]["field_error"].as_str().unwrap().contains("Resolution code"), "{refused}");
    assert_eq!(refused["result"]["messages"][0]["outcome"], "applied");
    assert_eq!(refused["result"]["snapshot"]["columns"]["display_id"], "1");
    assert_eq!(refused["result"]["snapshot"]["state"], "1");
    let fields = json!({"fields": {"state": "6", "close_code": "Solution provided", "close_notes": "Done."}});
    let applied = body(&deliver(&mut fixture, &incident, &fields));
    assert_eq!(applied["result"]["fields"], "applied", "{applied}");
    let shown: Incident = serde_json::from_value(applied["result"]["snapshot"].clone()).unwrap();
    assert!(shown.summary.state.is_ended());
    assert_eq!(shown.summary.resolved_at, Some(fixture.now));
    assert!(shown.summary.close_codes.contains(&"Solution provided".to_owned()));
}

#[test]
fn impact_and_urgency_are_written_and_the_platform_computes_the_priority() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let order = json!({"fields": {"impact": "1", "urgency": "1"}});
    let applied = body(&deliver(&mut fixture, &incident, &order));
    assert_eq!(applied["result"]["fields"], "applied", "{applied}");
    assert_eq!(applied["result"]["snapshot"]["priority"], "1");
    assert_eq!(applied["result"]["snapshot"]["state"], "1");
}

#[test]
fn snapshot_and_changes_have_their_shapes() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let shown = fixture.snapshot(&incident);
    assert_eq!(shown.taken_at, fixture.now);
    assert!(shown.entries_complete);
    assert_eq!(shown.short_description, "Ünreachable host");
    assert_eq!((shown.entries.len(), shown.entries[0].text.as_str()), (1, "First ${words}"));
    assert_eq!(shown.entries[0].author, "Alice Tester");
    assert!(shown.account.unwrap().production);
    let changes = "/api/x_casebridge_aws/v1/incidents/changes?since=2026-11-20 00:00:00&limit=10";
    let listed = body(&fixture.call("casebridge", "GET", changes, None));
    assert_eq!(listed["result"]["more"], false);
    assert_eq!(listed["result"]["now"], "2026-11-20 21:00:00");
    assert_eq!(
        listed["result"]["incidents"],
        json!([{"sys_id": incident, "sys_mod_count": 0, "sys_updated_on": "2026-11-20 21:00:00"}])
    );
    let missing = fixture.call(
        "casebridge",
        "GET",
        "/api/x_casebridge_aws/v1/incidents/0123456789abcdef0123456789abcdef/snapshot?kind=support_case",
        None,
    );
    assert_eq!(missing.status, 404);
    let malformed = fixture.call("casebridge", "GET", "/api/x_casebridge_aws/v1/incidents/changes?since=noon", None);
    assert_eq!(malformed.status, 400);
    assert!(body(&malformed)["error"]["detail"].as_str().unwrap().starts_with("since"), "{}", text(&malformed));
}

#[test]
fn the_apps_resources_are_the_integration_users() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let target = format!("/api/x_casebridge_aws/v1/incidents/{incident}/snapshot?kind=support_case");
    assert_eq!(fixture.call_with("Bearer nonsense", "GET", &target, None).status, 401);
    let refused = fixture.update("agent", "incident", &incident, &json!({"x_casebridge_aws_case_id": "mine"}));
    assert_eq!(refused.status, 200);
    assert_eq!(body(&refused)["result"]["x_casebridge_aws_case_id"], "", "the column is not the agents'");
    assert_eq!(fixture.call("admin", "GET", "/api/now/table/x_casebridge_aws_delivery", None).status, 403);
}

#[test]
fn an_account_that_is_none_is_refused_by_the_apps_rule() {
    let mut fixture = Fixture::with_app();
    let group = fixture.create("admin", "sys_user_group", &json!({"name": "AWS"}));
    let account = json!({"name": "Shop", "number": "12", "assignment_group": group});
    let refused = fixture.call("admin", "POST", "/api/now/table/x_casebridge_aws_account", Some(&account));
    assert_eq!(refused.status, 403, "{}", text(&refused));
    assert!(text(&refused).contains("12 digits"), "{}", text(&refused));
    let account = json!({"name": "Shop", "number": "111122223333", "assignment_group": group});
    fixture.create("admin", "x_casebridge_aws_account", &account);
    let twice = fixture.call("admin", "POST", "/api/now/table/x_casebridge_aws_account", Some(&account));
    assert_eq!(twice.status, 403);
    // A new account is active by default, and the rule takes it for active.
    let same_group = json!({"name": "Other", "number": "444455556666", "assignment_group": group});
    let refused = fixture.call("admin", "POST", "/api/now/table/x_casebridge_aws_account", Some(&same_group));
    assert_eq!(refused.status, 403, "{}", text(&refused));
    assert!(text(&refused).contains("already belongs"), "{}", text(&refused));
}

#[test]
fn the_app_writes_the_platforms_tables_only_with_a_privilege() {
    let mut fixture = Fixture::with_app();
    let source = "
        var role = new GlideRecord('sys_user_has_role');
        role.initialize();
        role.user = 'someone';
        var incident = new GlideRecord('incident');
        incident.initialize();
        [role.insert(), role.getLastErrorMessage(), incident.insert()].join('|')";
    let answer = fixture.instance.run_script(fixture.now, "admin", source, &fixture.network).unwrap();
    assert!(answer.contains("create operation against 'sys_user_has_role' from scope 'x_casebridge_aws'"), "{answer}");
    assert!(!answer.ends_with('|'), "incidents are the app's to make, for cases of others: {answer}");
}

#[test]
fn includes_answer_to_both_their_names() {
    let mut fixture = Fixture::with_app();
    let source = "[x_casebridge_aws.CasebridgeIncident === CasebridgeIncident, new CasebridgeOutbox().type].join(' ')";
    let answer = fixture.instance.run_script(fixture.now, "admin", source, &fixture.network).unwrap();
    assert_eq!(answer, "true CasebridgeOutbox");
}

#[test]
fn reused_contexts_give_the_same_answers() {
    let answers = |reuse_contexts: bool| {
        let mut fixture = Fixture::with_app_configured(Configuration { reuse_contexts, ..configuration() });
        let incident = incident_in_scope(&mut fixture);
        fixture.run_jobs();
        let delivered = text(&deliver(&mut fixture, &incident, &message("one", "from AWS")));
        let sent: Vec<Vec<u8>> = fixture.sent().into_iter().map(|(_, request)| request.body).collect();
        (delivered, sent)
    };
    assert_eq!(answers(false), answers(true));
}

/// The script of the test that administrators run on their instance.
const INSTALLATION_TEST: &str = include_str!("../../../../infra/servicenow/src/server/tests/installation.js");

#[test]
fn the_installation_test_says_whether_the_instance_takes_what_the_app_writes() {
    const LINKS: &str = "x_casebridge_aws_link";
    for (obstacle, problem) in [
        (None, ""),
        (Some(Obstacle::Missing), "why a link can not say pending: the link table refused a row: Invalid table"),
        (
            Some(Obstacle::WritesAborted),
            "why a link can not say pending: the link table refused a row: Operation against",
        ),
        (
            Some(Obstacle::RowsHidden),
            "why a link can not say pending: the link table does not show the row that it took",
        ),
    ] {
        let mut fixture = Fixture::with_app();
        fixture.create("agent", "incident", &json!({"short_description": "casebridge installation check"}));
        if let Some(obstacle) = obstacle {
            fixture.instance.hinder(LINKS, obstacle);
        }
        let source = format!(
            "var problem = '';
            function assertEqual(checked) {{
                if (String(checked.value) !== String(checked.shouldbe)) {{
                    throw new Error(checked.name + ': ' + checked.value);
                }}
            }}
            try {{ {INSTALLATION_TEST} }} catch (failure) {{ problem = failure.message; }}
            problem"
        );
        let told = fixture.script(&source);
        assert_eq!((told.starts_with(problem), told.is_empty()), (true, problem.is_empty()), "{obstacle:?}: {told}");
        assert!(fixture.instance.records(LINKS, "").is_empty(), "{obstacle:?}: nothing is left behind");
    }
}
