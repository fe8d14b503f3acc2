//! Business rules that an administrator of the instance writes over the Table API.

use casebridge_simulator::servicenow::Instance;
use serde_json::{Value, json};

use crate::support::{Fixture, body, configuration};

/// Creates an active rule on problems, for inserts and updates.
fn rule(fixture: &mut Fixture, when: &str, columns: &Value) -> String {
    let mut values = json!({
        "name": "Rule under test", "collection": "problem", "when": when, "order": 100, "active": true,
        "action_insert": true, "action_update": true,
    });
    values.as_object_mut().expect("an object").extend(columns.as_object().expect("an object").clone());
    fixture.create("admin", "sys_script", &values)
}

fn described(fixture: &Fixture, problem: &str) -> String {
    fixture.instance.record("problem", problem).expect("the problem").get("description").cloned().unwrap_or_default()
}

#[test]
fn a_rule_aborts_the_writes_that_its_filter_matches_until_it_is_switched_off() {
    let mut fixture = Fixture::platform();
    let filter = "short_descriptionLIKEforbidden^ORdescriptionLIKEforbidden^EQ";
    let message = json!({
        "filter_condition": filter, "abort_action": true, "add_message": true, "message": "Not these words",
    });
    let rule = rule(&mut fixture, "before", &message);
    let problem = fixture.create("agent", "problem", &json!({"short_description": "Allowed"}));
    let refused = fixture.update("agent", "problem", &problem, &json!({"description": "A forbidden word"}));
    assert_eq!((refused.status, &body(&refused)["error"]["detail"]), (403, &json!("Not these words")));
    assert_eq!(described(&fixture, &problem), "");
    let values = json!({"short_description": "forbidden"});
    assert_eq!(fixture.call("agent", "POST", "/api/now/table/problem", Some(&values)).status, 403);
    assert_eq!(fixture.call("agent", "POST", "/api/now/table/incident", Some(&values)).status, 201, "another table");
    fixture.update("admin", "sys_script", &rule, &json!({"active": false}));
    assert_eq!(fixture.call("agent", "POST", "/api/now/table/problem", Some(&values)).status, 201);
}

#[test]
fn a_rules_script_sees_both_records_and_the_user_and_may_change_or_abort() {
    let mut fixture = Fixture::platform();
    let script = "(function executeRule(current, previous) {
        if (current.operation() == 'insert') {
            current.description = 'made by ' + gs.getUserName();
        } else if (current.short_description.changes()) {
            current.description = previous.getValue('short_description') + ' became ' + current.short_description;
        } else {
            gs.addErrorMessage('Only the short description may change');
            current.setAbortAction(true);
        }
    })(current, previous);";
    rule(&mut fixture, "before", &json!({"script": script, "condition": "gs.hasRole('itil')"}));
    let problem = fixture.create("agent", "problem", &json!({"short_description": "One"}));
    assert_eq!(described(&fixture, &problem), "made by agent");
    let answer = fixture.update("agent", "problem", &problem, &json!({"short_description": "Two"}));
    assert_eq!(body(&answer)["result"]["description"], "One became Two");
    let refused = fixture.update("agent", "problem", &problem, &json!({"priority": "1"}));
    assert_eq!(body(&refused)["error"]["detail"], "Only the short description may change");
}

#[test]
fn rules_of_a_parent_table_and_of_deletions_are_followed_by_scripts_too() {
    let mut fixture = Fixture::platform();
    let columns = json!({"collection": "task", "action_delete": true, "abort_action": true,
                         "filter_condition": "short_descriptionSTARTSWITHkeep"});
    let kept = fixture.create("agent", "problem", &json!({"short_description": "keep me"}));
    let loose = fixture.create("agent", "problem", &json!({"short_description": "let me go"}));
    rule(&mut fixture, "before", &columns);
    assert_eq!(fixture.call("admin", "DELETE", &format!("/api/now/table/problem/{kept}"), None).status, 403);
    assert_eq!(fixture.call("admin", "DELETE", &format!("/api/now/table/problem/{loose}"), None).status, 204);
    let source = format!(
        "var record = new GlideRecord('problem'); record.get('{kept}'); var deleted = record.deleteRecord();
         record.description = 'x'; [deleted, record.update(), record.getLastErrorMessage()].join('|')"
    );
    let answer = fixture.instance.run_script(fixture.now, "admin", &source, &fixture.network).unwrap();
    assert_eq!(answer, "false||aborted by Business Rule 'Rule under test'");
}

#[test]
fn a_rule_after_the_write_shows_in_its_answer_and_an_asynchronous_one_runs_later() {
    let mut fixture = Fixture::platform();
    let note = |text: &str| {
        json!({
            "action_update": false,
            "script": format!("current.description = current.getValue('description') + ' {text}'; current.update();"),
        })
    };
    rule(&mut fixture, "after", &note("after"));
    rule(&mut fixture, "async", &note("later"));
    let values = json!({"short_description": "One", "description": "written"});
    let made = body(&fixture.call("agent", "POST", "/api/now/table/problem", Some(&values)));
    assert_eq!(made["result"]["description"], "written after");
    let problem = made["result"]["sys_id"].as_str().unwrap().to_owned();
    assert_eq!(fixture.run_jobs(), 1);
    assert_eq!(described(&fixture, &problem), "written after later");
}

#[test]
fn a_rule_that_fails_is_logged_and_the_write_stays() {
    let mut fixture = Fixture::platform();
    rule(&mut fixture, "before", &json!({"script": "nothing.here()"}));
    rule(&mut fixture, "after", &json!({"script": "nothing.there()"}));
    fixture.create("agent", "problem", &json!({"short_description": "One"}));
    let logged = fixture.logged("error").join("\n");
    assert!(logged.contains("problem insert") && logged.contains("Rule under test"), "{logged}");
}

#[test]
fn a_rule_of_the_instance_may_write_what_the_app_may_not() {
    let mut fixture = Fixture::with_app();
    let script = "var role = new GlideRecord('sys_user_has_role'); role.user = 'someone'; role.insert();";
    rule(&mut fixture, "before", &json!({"script": script}));
    fixture.create("agent", "problem", &json!({"short_description": "One"}));
    assert_eq!(fixture.instance.records("sys_user_has_role", "user=someone").len(), 1);
    let refused = fixture.instance.run_script(fixture.now, "admin", script, &fixture.network);
    assert!(refused.is_ok());
    assert_eq!(fixture.instance.records("sys_user_has_role", "user=someone").len(), 1, "the app has no privilege");
}

#[test]
fn a_copy_of_an_instance_keeps_its_rules_to_itself() {
    let mut fixture = Fixture::platform();
    let mut copy: Instance = fixture.instance.clone();
    rule(&mut fixture, "before", &json!({"abort_action": true}));
    std::mem::swap(&mut fixture.instance, &mut copy);
    fixture.create("agent", "problem", &json!({"short_description": "Free"}));
    assert_eq!(Instance::new(configuration()).records("sys_script", "name=Rule under test").len(), 0);
}
