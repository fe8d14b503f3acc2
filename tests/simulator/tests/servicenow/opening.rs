//! The incident that the app opens for a case that somebody opened at AWS.

use casebridge_core::servicenow::incident::{AccountState, Incident};
use casebridge_simulator::{servicenow::state::Obstacle, wire::Response};
use serde_json::{Value, json};

use crate::support::{Fixture, account_in_use, body, deliver, message, text};

const INCIDENT: &str = "0123456789abcdef0123456789abcdef";
const CASE: &str = "case-111122223333-muen-2026-1";

fn request() -> Value {
    json!({
        "kind": "support_case", "account": "111122223333", "short_description": "Instance unreachable",
        "description": "It does not answer.", "impact": "1", "urgency": "2", "service_code": "amazon-ec2",
        "category_code": "instance-issue",
        "columns": {
            "account": "111122223333", "case_id": CASE, "display_id": "1", "case_status": "unassigned",
            "sync_status": "in_sync", "last_error": "",
        },
    })
}

fn open(fixture: &mut Fixture, request: &Value) -> Response {
    let target = format!("/api/x_casebridge_aws/v1/incidents/{INCIDENT}/open");
    fixture.call("casebridge", "POST", &target, Some(request))
}

fn with_account() -> Fixture {
    let mut fixture = Fixture::with_app();
    account_in_use(&mut fixture);
    fixture
}

fn opened(fixture: &mut Fixture, request: &Value) -> Incident {
    let response = open(fixture, request);
    assert_eq!(response.status, 200, "{}", text(&response));
    serde_json::from_value(body(&response)["result"].clone()).expect("an incident")
}

#[test]
fn an_incident_is_opened_with_what_the_case_says_and_is_announced_to_nobody() {
    let mut fixture = with_account();
    let shown = opened(&mut fixture, &request());
    assert_eq!((shown.summary.sys_id.as_str(), shown.summary.state.value()), (INCIDENT, "1"));
    assert_eq!(shown.priority, "2");
    assert_eq!(shown.summary.columns.own("case_id"), CASE);
    assert_eq!(shown.summary.columns.sync_status, "in_sync");
    assert_eq!(shown.summary.linked_account_state, AccountState::Active);
    assert_eq!(shown.account.as_ref().map(|account| account.number.as_str()), Some("111122223333"));
    assert_eq!(shown.description, "It does not answer.");
    assert_eq!((shown.service_code.as_str(), shown.category_code.as_str()), ("amazon-ec2", "instance-issue"));
    assert!(shown.entries.is_empty() && shown.entries_complete);
    let record = fixture.instance.record("incident", INCIDENT).unwrap().clone();
    assert_eq!(record.get("caller_id"), None, "a comment by the caller would take the incident off hold");
    fixture.run_jobs();
    assert!(fixture.sent().is_empty(), "the integration user opened it");
}

#[test]
fn the_caller_is_the_accounts_aws_user_and_known_codes_are_shown_by_name() {
    let mut fixture = with_account();
    let user = fixture.create("admin", "sys_user", &json!({"user_name": "aws-shop"}));
    let account = fixture.instance.records("x_casebridge_aws_account", "")[0].get("sys_id").unwrap().clone();
    fixture.update("admin", "x_casebridge_aws_account", &account, &json!({"aws_user": user}));
    let service = fixture.create("admin", "x_casebridge_aws_service", &json!({"code": "amazon-ec2", "name": "EC2"}));
    let values = json!({
        "category_key": "amazon-ec2:instance-issue", "service": service, "code": "instance-issue", "name": "Instance Issue",
    });
    let category = fixture.create("admin", "x_casebridge_aws_category", &values);
    let shown = opened(&mut fixture, &request());
    assert_eq!((shown.service_code.as_str(), shown.category_code.as_str()), ("amazon-ec2", "instance-issue"));
    let record = fixture.instance.record("incident", INCIDENT).unwrap().clone();
    let reference = |name: &str| record.get(name).map(String::as_str);
    assert_eq!(reference("caller_id"), Some(user.as_str()));
    assert_eq!(reference("x_casebridge_aws_service"), Some(service.as_str()));
    assert_eq!(reference("x_casebridge_aws_category"), Some(category.as_str()));
}

#[test]
fn a_code_that_is_no_code_chooses_nothing_and_the_incident_is_opened() {
    for service in ["javascript", "amazon-ec2^ORcodeISNOTEMPTY", "no such service", ""] {
        let mut fixture = with_account();
        fixture.create("admin", "x_casebridge_aws_service", &json!({"code": "amazon-ec2", "name": "EC2"}));
        let mut order = request();
        order["service_code"] = json!(service);
        assert_eq!(opened(&mut fixture, &order).service_code, service);
        let record = fixture.instance.record("incident", INCIDENT).unwrap();
        assert_eq!(record.get("x_casebridge_aws_service"), None);
    }
}

#[test]
fn a_repeat_opens_no_second_incident_and_changes_nothing() {
    let mut fixture = with_account();
    let first = opened(&mut fixture, &request());
    let response = deliver(&mut fixture, INCIDENT, &message("one", "from AWS"));
    assert_eq!(response.status, 200, "{}", text(&response));
    let mut other = request();
    other["short_description"] = json!("Another subject");
    let again = opened(&mut fixture, &other);
    assert_eq!(again.short_description, "Instance unreachable");
    assert_eq!(again.summary.number, first.summary.number);
    assert_eq!(again.entries.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>(), ["from AWS"]);
    assert_eq!(fixture.instance.records("incident", &format!("x_casebridge_aws_case_id={CASE}")).len(), 1);
}

#[test]
fn messages_and_columns_are_delivered_to_it_in_one_request() {
    let mut fixture = with_account();
    let shown = opened(&mut fixture, &request());
    let mut order = message("one", "from AWS");
    order["expected_mod_count"] = json!(shown.summary.sys_mod_count);
    order["columns"] = json!({"case_status": "opened"});
    let before = fixture.instance.record("incident", INCIDENT).unwrap().clone();
    let answer = body(&deliver(&mut fixture, INCIDENT, &order));
    let after = fixture.instance.record("incident", INCIDENT).unwrap().clone();
    assert_eq!(answer["result"]["fields"], "applied", "{before:?} {after:?}");
}

#[test]
fn death_between_any_two_commits_leaves_one_incident() {
    // The commits: the link's row, the incident, the announcement.
    for commits in 0..5 {
        let mut fixture = with_account();
        fixture.instance.stop_after_commits(commits);
        let died = open(&mut fixture, &request());
        let shown = opened(&mut fixture, &request());
        assert_eq!(shown.summary.columns.sync_status, "in_sync", "after {commits} commits: {}", text(&died));
        assert_eq!(fixture.instance.records("incident", &format!("x_casebridge_aws_case_id={CASE}")).len(), 1);
        assert_eq!(fixture.instance.records("x_casebridge_aws_link", "").len(), 1, "after {commits} commits");
    }
}

#[test]
fn an_account_that_is_not_in_use_gets_no_incident() {
    let mut fixture = with_account();
    let mut unknown = request();
    unknown["account"] = json!("999999999999");
    let response = open(&mut fixture, &unknown);
    assert_eq!(response.status, 400, "{}", text(&response));
    let error = body(&response)["error"].clone();
    assert_eq!(error["message"], "Content not accepted");
    assert_eq!(error["detail"], "account: ServiceNow has no active AWS account 999999999999");
    assert!(fixture.instance.record("incident", INCIDENT).is_none());
}

#[test]
fn a_rule_that_refuses_the_incident_is_told_and_the_next_try_opens_it() {
    let mut fixture = with_account();
    fixture.instance.hinder("incident", Obstacle::WritesAborted);
    let response = open(&mut fixture, &request());
    assert_eq!(response.status, 400, "{}", text(&response));
    let detail = body(&response)["error"]["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("incident: the instance refused it: "), "{detail}");
    fixture.instance.unhinder("incident", Obstacle::WritesAborted);
    opened(&mut fixture, &request());
}

#[test]
fn a_request_that_is_wrong_is_refused_by_the_name_of_its_field() {
    let mut fixture = with_account();
    let (form, content) = ("Invalid request", "Content not accepted");
    for (field, value, message, words) in [
        ("subject", json!("text"), form, "subject: is not known; known are "),
        ("kind", json!("Case"), form, "kind: must be 1 to 40 small letters"),
        ("account", json!("1"), form, "account: an AWS account number has 12 digits"),
        ("account", json!(null), form, "account: must be a string"),
        ("description", json!(null), form, "description: must be a string"),
        ("description", json!("x".repeat(4_001)), content, "description: must have 0 to 4000 characters"),
        ("short_description", json!("x".repeat(161)), content, "short_description: must have 0 to 160 characters"),
        ("service_code", json!("x".repeat(101)), content, "service_code: must have 0 to 100 characters"),
        ("columns", json!({"number": "1"}), form, "columns.number: is not known; known are account"),
    ] {
        let mut wrong = request();
        wrong[field] = value;
        let response = open(&mut fixture, &wrong);
        assert_eq!(response.status, 400, "{field}: {}", text(&response));
        let error = body(&response)["error"].clone();
        assert_eq!(error["message"], message, "{field}");
        assert!(error["detail"].as_str().unwrap().starts_with(words), "{error}");
        assert!(fixture.instance.record("incident", INCIDENT).is_none(), "{field}");
    }
}
