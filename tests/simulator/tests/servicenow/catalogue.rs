//! The catalogue: what AWS offers, as the app keeps it, and what agents choose from it.

use casebridge_simulator::servicenow::{state::Obstacle, store::Row};
use serde_json::{Value, json};

use crate::support::{
    Fixture, INCIDENTS, another_inserts_first, body, deliver, incident_in_scope, inserts_are_refused, message, text,
};

const SERVICES: &str = "x_casebridge_aws_service";
const CATEGORIES: &str = "x_casebridge_aws_category";
const SEVERITIES: &str = "x_casebridge_aws_severity";
const ACCOUNTS: &str = "x_casebridge_aws_account";
const EC2: &str = "amazon-ec2";

fn catalogue(query: &str) -> String {
    format!("{INCIDENTS}/catalogue{query}")
}

/// Writes as the integration user. Returns the answer.
fn write(fixture: &mut Fixture, order: &Value) -> Value {
    let answer = fixture.call("casebridge", "POST", &catalogue(""), Some(order));
    assert_eq!(answer.status, 200, "{}", text(&answer));
    body(&answer)["result"].clone()
}

/// Returns the answer to a write of this many rows.
fn written(services: usize, categories: usize, severities: usize) -> Value {
    json!({"services": services, "categories": categories, "severities": severities, "refused": []})
}

/// Asserts that the app refuses the order with this status and these words, and writes nothing.
fn assert_refused(fixture: &mut Fixture, order: &Value, words: &str) {
    let before = rows(fixture);
    let answer = fixture.call("casebridge", "POST", &catalogue(""), Some(order));
    assert_eq!(answer.status, 400, "{}", text(&answer));
    assert!(text(&answer).contains(words), "{words}: {}", text(&answer));
    assert_eq!(rows(fixture), before);
}

/// Reads a page as the integration user.
fn page(fixture: &mut Fixture, query: &str) -> Value {
    let answer = fixture.call("casebridge", "GET", &catalogue(query), None);
    assert_eq!(answer.status, 200, "{}", text(&answer));
    body(&answer)["result"].clone()
}

/// Returns all rows of the catalogue.
fn rows(fixture: &Fixture) -> Vec<Row> {
    [SERVICES, CATEGORIES, SEVERITIES].iter().flat_map(|table| fixture.instance.records(table, "")).collect()
}

fn service(code: &str, categories: &[&str]) -> Value {
    let categories: Vec<Value> = categories.iter().map(|code| row(code, &format!("Category {code}"))).collect();
    let mut service = row(code, &format!("Service {code}"));
    service["categories"] = json!(categories);
    service
}

fn row(code: &str, name: &str) -> Value {
    json!({"code": code, "name": name, "active": true})
}

/// Returns the `sys_id` of the row with this code.
fn row_of(fixture: &Fixture, table: &str, query: &str) -> String {
    let found = fixture.instance.records(table, query);
    assert_eq!(found.len(), 1, "{table} {query}");
    found[0]["sys_id"].clone()
}

/// Writes two services and chooses the first one, with its first category, for an incident without codes. Returns the
/// incident.
fn incident_with_chosen_service(fixture: &mut Fixture) -> String {
    let incident = incident_in_scope(fixture);
    fixture.run_jobs();
    fixture.sent();
    let services = [service(EC2, &["instance-issue", "other"]), service("amazon-s3", &["other"])];
    write(fixture, &json!({"services": services}));
    let values = json!({
        "x_casebridge_aws_service_code": "", "x_casebridge_aws_category_code": "",
        "x_casebridge_aws_service": row_of(fixture, SERVICES, "code=amazon-ec2"),
        "x_casebridge_aws_category": row_of(fixture, CATEGORIES, "category_key=amazon-ec2:instance-issue"),
    });
    assert_eq!(fixture.update("agent", "incident", &incident, &values).status, 200);
    incident
}

#[test]
fn what_was_written_is_read_page_by_page() {
    let mut fixture = Fixture::with_app();
    incident_in_scope(&mut fixture);
    let services = [service("b", &["y", "x"]), service("a", &[]), service("c", &["x"])];
    let levels = json!([{"code": "urgent", "name": "Down"}, {"code": "low", "name": "Guidance"}]);
    let order = json!({"services": services, "severities": [{"account": "111122223333", "levels": levels}]});
    assert_eq!(write(&mut fixture, &order), written(3, 3, 2));
    let first = page(&mut fixture, "?part=services&limit=2");
    assert_eq!(first, json!({"more": true, "services": [service("a", &[]), service("b", &["x", "y"])]}));
    let rest = page(&mut fixture, "?part=services&limit=2&after=b");
    assert_eq!(rest, json!({"more": false, "services": [service("c", &["x"])]}));
    let levels = json!([row("low", "Guidance"), row("urgent", "Down")]);
    let shown = json!({"more": false, "severities": [{"account": "111122223333", "levels": levels}]});
    assert_eq!(page(&mut fixture, "?part=severities"), shown);
    assert_eq!(page(&mut fixture, "?part=severities&after=111122223333"), json!({"more": false, "severities": []}));
}

#[test]
fn only_differences_are_written() {
    let mut fixture = Fixture::with_app();
    incident_in_scope(&mut fixture);
    let levels = json!([{"code": "low", "name": "Guidance"}, {"code": "high", "name": "Impaired"}]);
    let mut order =
        json!({"services": [service("a", &["x", "y"])], "severities": [{"account": "111122223333", "levels": levels}]});
    write(&mut fixture, &order);
    let before = rows(&fixture);
    fixture.pass(60);
    assert_eq!(write(&mut fixture, &order), written(0, 0, 0));
    assert_eq!(rows(&fixture), before, "a repeat updates no row");
    order["services"][0]["active"] = json!(false);
    order["services"][0]["categories"] = json!([row("x", "Renamed")]);
    order["severities"][0]["levels"] = json!([{"code": "low", "name": "Guidance"}]);
    assert_eq!(write(&mut fixture, &order), written(1, 1, 1));
    let active = |table: &str, query: &str| {
        let row = fixture.instance.records(table, query).remove(0);
        (row["active"].clone(), row["sys_mod_count"].clone(), row["name"].clone())
    };
    let is = |active: &str, count: &str, name: &str| (active.to_owned(), count.to_owned(), name.to_owned());
    assert_eq!(active(SERVICES, "code=a"), is("false", "1", "Service a"));
    assert_eq!(active(CATEGORIES, "code=x"), is("true", "1", "Renamed"));
    assert_eq!(active(CATEGORIES, "code=y"), is("true", "0", "Category y"), "what is not named stays as it is");
    assert_eq!(active(SEVERITIES, "code=low"), is("true", "0", "Guidance"));
    assert_eq!(active(SEVERITIES, "code=high"), is("false", "1", "Impaired"), "the levels are all that there are");
}

#[test]
fn a_wrong_field_is_named_and_nothing_is_written() {
    let mut fixture = Fixture::with_app();
    incident_in_scope(&mut fixture);
    let long = "x".repeat(201);
    let many: Vec<String> = (0..500).map(|number| format!("c{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let with = |name: &str, value: Value| {
        let mut service = service("a", &["x"]);
        service["categories"][0][name] = value;
        json!({"services": [service]})
    };
    let of_account = |account: &str, levels: Value| json!({"severities": [{"account": account, "levels": levels}]});
    for (order, words) in [
        (json!({"service": []}), "service: is not known"),
        (json!({"services": {}}), "services: must be a list"),
        (json!({"services": ["a"]}), "services[0]: must be an object"),
        (json!({"services": [{"code": "a", "name": "A"}]}), "services[0].active: must be true or false"),
        (with("colour", json!("red")), "services[0].categories[0].colour: is not known"),
        (with("code", json!("javascript:gs.log(1)")), "services[0].categories[0].code: must have 1 to 100"),
        (with("code", json!("")), "services[0].categories[0].code: must have 1 to 100"),
        (with("code", json!(7)), "services[0].categories[0].code: must be a string"),
        (with("name", json!("")), "services[0].categories[0].name: must have 1 to 200"),
        (with("name", json!(long)), "services[0].categories[0].name: must have 1 to 200"),
        (with("active", json!("true")), "services[0].categories[0].active: must be true or false"),
        (json!({"services": [service("a", &many)]}), "must hold at most 500 services, categories and levels"),
        (json!({"services": vec![service("a", &[]); 501]}), "services: must hold at most 500"),
        (of_account("1", json!([])), "severities[0].account: must be an AWS account number"),
        (of_account("999999999999", json!([])), "severities[0].account: no account has the number 999999999999"),
        (of_account("111122223333", json!({})), "severities[0].levels: must be a list"),
        (of_account("111122223333", json!([row("low", "Low")])), "severities[0].levels[0].active: is not known"),
        (json!({"services": [], "x": "y".repeat(1_000_000)}), "body: must have at most 1000000 characters"),
    ] {
        assert_refused(&mut fixture, &order, words);
    }
    for (query, words) in [
        ("", "part: must be one of services, severities"),
        ("?part=users", "part: must be one of services, severities"),
        ("?part=services&after=javascript:1", "after: must have 1 to 100"),
        ("?part=services&limit=101", "limit: must be a whole number from 1 to 100"),
    ] {
        let answer = fixture.call("casebridge", "GET", &catalogue(query), None);
        assert_eq!(answer.status, 400, "{query}");
        assert!(text(&answer).contains(words), "{query}: {}", text(&answer));
    }
}

#[test]
fn nobody_but_the_integration_user_writes_and_administrators_read() {
    let mut fixture = Fixture::with_app();
    let order = json!({"services": [service("a", &["x"])]});
    for user in ["admin", "agent", "reader", "keeper", "nobody", "second"] {
        assert_eq!(fixture.call(user, "POST", &catalogue(""), Some(&order)).status, 403, "{user}");
        let status = fixture.call(user, "GET", &catalogue("?part=services"), None).status;
        assert_eq!(status, if user == "admin" { 200 } else { 403 }, "{user}");
    }
    assert!(rows(&fixture).is_empty());
    write(&mut fixture, &order);
    for table in [SERVICES, CATEGORIES] {
        let target = format!("/api/now/table/{table}");
        for user in ["agent", "reader", "keeper"] {
            let listed = fixture.call(user, "GET", &target, None);
            assert_eq!(body(&listed)["result"][0]["code"].as_str().map(str::len), Some(1), "{user} {table}");
            assert_eq!(fixture.call(user, "POST", &target, Some(&row("b", "B"))).status, 403, "{user} {table}");
        }
        let hidden = fixture.call("casebridge", "GET", &target, None);
        assert!(hidden.status == 403 || body(&hidden)["result"] == json!([]), "{table}: {}", text(&hidden));
    }
}

/// Writes in a script, after `prelude` has changed the platform's behaviour. Returns the answer.
fn write_where(fixture: &mut Fixture, prelude: &str, order: &Value) -> Value {
    let order = json!(order.to_string());
    let source = format!(
        "{prelude}
        var answer = null;
        var calls = new CasebridgeRequest(
            {{ pathParams: {{}}, queryParams: {{}}, body: {{ dataString: {order} }} }},
            {{ setStatus: function () {{}}, setBody: function (body) {{ answer = body; }}, setError: function () {{}} }}
        );
        calls.answerWrite(function () {{ return new CasebridgeCatalogue(calls).write(calls.body()); }});
        JSON.stringify(answer)"
    );
    serde_json::from_str(&fixture.script(&source)).expect("an answer in JSON")
}

#[test]
fn a_row_that_another_request_makes_first_is_taken() {
    for (name, rows) in [("Other name", 1), ("Service a", 0)] {
        let mut fixture = Fixture::with_app();
        let race = another_inserts_first(SERVICES, &[("code", "a"), ("name", name), ("active", "true")]);
        let answer = write_where(&mut fixture, &race, &json!({"services": [service("a", &[])]}));
        assert_eq!(answer, written(rows, 0, 0), "{name}");
        let found = fixture.instance.records(SERVICES, "");
        assert_eq!((found.len(), found[0]["name"].as_str()), (1, "Service a"));
    }
}

#[test]
fn a_row_that_the_instance_refuses_keeps_no_other_back() {
    let refusing = |operation: &str, code: &str| {
        format!(
            "var {operation} = GlideRecord.prototype.{operation};
            GlideRecord.prototype.{operation} = function () {{
                return String(this.getValue('code')) === '{code}' ? null : {operation}.call(this);
            }};"
        )
    };
    let mut fixture = Fixture::with_app();
    let order = json!({"services": [service("a", &["x"]), service("b", &["x", "y"])]});
    let mut answer = written(1, 2, 0);
    answer["refused"] = json!(["a"]);
    assert_eq!(write_where(&mut fixture, &refusing("insert", "a"), &order), answer);
    assert!(fixture.logged("error")[0].contains("refused a row of the services, a: the table gave no reason"));
    let renamed = json!({"services": [{"code": "b", "name": "Renamed", "active": true}, service("a", &[])]});
    let mut answer = written(1, 0, 0);
    answer["refused"] = json!(["b"]);
    assert_eq!(write_where(&mut fixture, &refusing("update", "b"), &renamed), answer);
    assert_eq!(write(&mut fixture, &order), written(0, 1, 0), "what was refused is written once it is allowed");
    let many: Vec<Value> = (0..30).map(|number| service(&format!("c{number}"), &[])).collect();
    let answer = write_where(&mut fixture, &inserts_are_refused("return null;"), &json!({"services": many}));
    assert_eq!(answer["refused"].as_array().map(Vec::len), Some(20), "an answer has a bound");
}

#[test]
fn a_table_that_hides_its_rows_refuses_them() {
    let mut fixture = Fixture::with_app();
    fixture.instance.hinder(SERVICES, Obstacle::RowsHidden);
    let answer = write(&mut fixture, &json!({"services": [service("a", &["x"])]}));
    assert_eq!(answer["refused"], json!(["a"]));
}

#[test]
fn a_chosen_service_and_category_put_an_incident_in_scope_with_their_codes() {
    let mut fixture = Fixture::with_app();
    let incident = incident_with_chosen_service(&mut fixture);
    fixture.run_jobs();
    assert_eq!(fixture.sent().len(), 1, "the choice announces the incident");
    let shown = fixture.snapshot(&incident);
    assert_eq!((shown.service_code.as_str(), shown.category_code.as_str()), (EC2, "instance-issue"));
    let listed = fixture.call("casebridge", "GET", &format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00"), None);
    assert_eq!(body(&listed)["result"]["incidents"][0]["sys_id"], json!(incident));
    let column = |fixture: &Fixture, name: &str| {
        let row = fixture.instance.record("incident", &incident).unwrap();
        row.get(&format!("x_casebridge_aws_{name}")).cloned().unwrap_or_default()
    };
    assert_eq!(column(&fixture, "service_code"), "");
    let mut order = message("one", "from AWS");
    order["columns"] = json!({"sync_status": "in_sync"});
    assert_eq!(deliver(&mut fixture, &incident, &order).status, 200);
    assert_eq!(column(&fixture, "service_code"), EC2, "the code column follows with the next delivery");
    assert_eq!(column(&fixture, "category_code"), "instance-issue");
    let count = fixture.instance.record("incident", &incident).unwrap()["sys_mod_count"].clone();
    assert_eq!(body(&deliver(&mut fixture, &incident, &order))["result"]["fields"], "applied");
    let after = fixture.instance.record("incident", &incident).unwrap();
    assert_eq!(after["sys_mod_count"], count, "a repeat changes nothing");
}

#[test]
fn without_a_choice_the_code_columns_count_and_a_choice_comes_before_them() {
    let mut fixture = Fixture::with_app();
    let incident = incident_with_chosen_service(&mut fixture);
    let codes = |fixture: &mut Fixture| {
        let shown = fixture.snapshot(&incident);
        (shown.service_code, shown.category_code)
    };
    let is = |service: &str, category: &str| (service.to_owned(), category.to_owned());
    let typed = json!({"x_casebridge_aws_service_code": "typed", "x_casebridge_aws_category_code": "typed-too"});
    fixture.update("agent", "incident", &incident, &typed);
    assert_eq!(codes(&mut fixture), is(EC2, "instance-issue"));
    fixture.update("agent", "incident", &incident, &json!({"x_casebridge_aws_category": ""}));
    assert_eq!(codes(&mut fixture), is(EC2, "typed-too"));
    fixture.put("incident", &incident, &[("x_casebridge_aws_service", &"0".repeat(32))]);
    assert_eq!(codes(&mut fixture), is("typed", "typed-too"), "a reference that leads nowhere");
    let category = row_of(&fixture, CATEGORIES, "category_key=amazon-s3:other");
    fixture.update("agent", "incident", &incident, &json!({"x_casebridge_aws_category": category}));
    assert_eq!(codes(&mut fixture), is("typed", "other"), "AWS decides whether the two fit together");
}

#[test]
fn what_aws_no_longer_offers_does_not_stop_an_incident() {
    let mut fixture = Fixture::with_app();
    let incident = incident_with_chosen_service(&mut fixture);
    let mut retired = service(EC2, &["instance-issue"]);
    retired["active"] = json!(false);
    retired["categories"][0]["active"] = json!(false);
    write(&mut fixture, &json!({"services": [retired]}));
    assert_eq!(fixture.snapshot(&incident).service_code, EC2);
}

#[test]
fn only_agents_choose() {
    let mut fixture = Fixture::with_app();
    let incident = incident_with_chosen_service(&mut fixture);
    let row = fixture.instance.record("incident", &incident).unwrap().clone();
    for column in ["x_casebridge_aws_service", "x_casebridge_aws_category"] {
        let values = json!({"short_description": "Mine", column: row[column]});
        for (user, is_asked) in [("clerk", false), ("clerk.of.casebridge", true), ("agent", true)] {
            let made = fixture.create(user, "incident", &values);
            fixture.update(user, "incident", &made, &values);
            assert_eq!(fixture.instance.record("incident", &made).unwrap().contains_key(column), is_asked, "{user}");
        }
    }
}

#[test]
fn a_snapshot_shows_the_severities_of_the_account() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let severities = |fixture: &mut Fixture| fixture.snapshot(&incident).account.unwrap().severities;
    assert!(severities(&mut fixture).is_empty(), "none is known yet");
    let group = fixture.create("admin", "sys_user_group", &json!({"name": "Other"}));
    let other = json!({"name": "Other", "number": "444455556666", "assignment_group": group});
    fixture.create("admin", ACCOUNTS, &other);
    let level = |code: &str| json!({"code": code, "name": code});
    let of = |account: &str, levels: &[&str]| {
        let levels: Vec<Value> = levels.iter().map(|code| level(code)).collect();
        json!({"account": account, "levels": levels})
    };
    let order = json!({"severities": [of("111122223333", &["urgent", "low"]), of("444455556666", &["critical"])]});
    write(&mut fixture, &order);
    assert_eq!(severities(&mut fixture), ["low", "urgent"]);
    write(&mut fixture, &json!({"severities": [of("111122223333", &["low"])]}));
    assert_eq!(severities(&mut fixture), ["low"]);
    // A deleted record empties the references to it. The next write finds the rows by their keys.
    let account = row_of(&fixture, ACCOUNTS, "number=111122223333");
    let deleted = fixture.instance.record(ACCOUNTS, &account).unwrap().clone();
    fixture.call("admin", "DELETE", &format!("/api/now/table/{ACCOUNTS}/{account}"), None);
    fixture.instance.restore(ACCOUNTS, deleted);
    assert!(severities(&mut fixture).is_empty());
    assert_eq!(write(&mut fixture, &json!({"severities": [of("111122223333", &["low"])]}))["severities"], 1);
    assert_eq!(severities(&mut fixture), ["low"]);
}
