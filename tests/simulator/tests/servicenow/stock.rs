//! What ordinary clients find on a stock instance: its demo data, its classes, the forms of its answers.

use casebridge_simulator::servicenow::{Configuration, Instance, User};
use serde_json::{Value, json};

use crate::support::{Fixture, body, configuration, text};

const ADMINISTRATOR: &str = "6816f79cc0a8016401c5a33be04be441";

fn stock() -> Configuration {
    Configuration { large_demo_data: true, time_zone: Some("US/Pacific".to_owned()), ..configuration() }
}

fn fixture_of(configuration: Configuration) -> Fixture {
    Fixture { instance: Instance::new(configuration), ..Fixture::platform() }
}

fn answer(fixture: &mut Fixture, target: &str) -> Value {
    body(&fixture.call("admin", "GET", target, None))
}

#[test]
fn the_demo_data_has_the_relations_that_clients_ask_for() {
    let instance = Instance::new(stock());
    let count = |table: &str, query: &str| instance.records(table, query).len();
    assert!(count("syslog", "") > 600);
    assert!(count("sys_user_has_role", "role.name=itil") > 200);
    let administrators =
        count("sys_user", "JOINsys_user.sys_id=sys_user_has_role.user!role=2831a114c611228501d4ea6c309d626d");
    assert!((11..25).contains(&administrators), "{administrators}");
    assert!(count("sys_user", "JOINsys_user.sys_id=sys_user_group.manager!active=true") > 1);
    let groups = count("sys_user_group", "RLQUERYsys_group_has_role.group,>0,m2m^role.nameLIKEadmin^ENDRLQUERY");
    assert!((3..8).contains(&groups), "{groups}");
    let without_role = count("sys_user", "RLQUERYsys_user_has_role.user,=0^ENDRLQUERY");
    assert!((2..10).contains(&without_role), "{without_role}");
    assert_eq!(count("std_change_producer_version", "name=Clear BGP sessions on a Cisco router - 1"), 1);
    assert_eq!(count("sys_user", "department.dept_head.user_name=natasha.ingram^user_name=admin"), 1);
}

#[test]
fn paths_lead_over_the_department_to_its_head() {
    let mut fixture = Fixture::platform();
    let fields = "email,department,department.name,department.dept_head,department.dept_head.email";
    let target = format!("/api/now/table/sys_user/{ADMINISTRATOR}?sysparm_fields={fields}");
    let shown = answer(&mut fixture, &target);
    assert_eq!(shown["result"]["department.name"], "Finance");
    assert_eq!(shown["result"]["department.dept_head"]["value"], "46c5bf6ca9fe1981010713e3ac7d3384");
    assert_eq!(shown["result"]["department.dept_head.email"], "natasha.ingram@example.com");
}

#[test]
fn application_files_are_listed_together_each_with_its_class() {
    let mut fixture = Fixture::platform();
    let page =
        fixture.call("admin", "GET", "/api/now/table/sys_metadata?sysparm_fields=sys_id&sysparm_limit=500", None);
    assert_eq!(body(&page)["result"].as_array().unwrap().len(), 500);
    assert!(page.headers["x-total-count"].parse::<usize>().unwrap() > 500);
    let target =
        "/api/now/table/sys_metadata?sysparm_query=sys_class_name=sys_script_include^ORsys_class_name=sys_user_role";
    let classes = answer(&mut fixture, &format!("{target}&sysparm_fields=sys_class_name"));
    assert!(!classes["result"].as_array().unwrap().is_empty());
    assert!(classes["result"].as_array().unwrap().iter().all(|row| row["sys_class_name"] == "sys_user_role"));
    assert_eq!(fixture.call("agent", "GET", "/api/now/table/sys_metadata", None).status, 403);
}

#[test]
fn configuration_items_have_a_class_and_problems_a_first_state() {
    let mut fixture = Fixture::platform();
    let item = fixture.create("admin", "cmdb_ci", &json!({"name": "A router"}));
    let shown = answer(&mut fixture, &format!("/api/now/table/cmdb_ci/{item}"));
    assert_eq!(shown["result"]["sys_class_name"], "cmdb_ci");
    let problem = fixture.create("agent", "problem", &json!({"short_description": "New"}));
    let shown = answer(&mut fixture, &format!("/api/now/table/problem/{problem}?sysparm_display_value=all"));
    assert_eq!(shown["result"]["state"], json!({"display_value": "New", "value": "101"}));
    let change = json!({"std_change_producer_version": "Clear BGP sessions on a Cisco router - 1"});
    let change = fixture.create("agent", "change_request", &change);
    let shown = answer(&mut fixture, &format!("/api/now/table/change_request/{change}"));
    assert_eq!(shown["result"]["std_change_producer_version"]["value"], "deb8544047810200e90d87e8dee490af");
}

#[test]
fn configuration_items_of_a_class_are_found_in_the_tables_that_it_extends() {
    let mut fixture = Fixture::platform();
    let server =
        json!({"name": "A server", "serial_number": "abc123", "cpu_count": 4, "classification": "Development"});
    let server = fixture.create("agent", "cmdb_ci_linux_server", &server);
    for table in ["cmdb_ci", "cmdb_ci_computer", "cmdb_ci_server"] {
        let found = answer(&mut fixture, &format!("/api/now/table/{table}?sysparm_query=name=A server"));
        let classes: Vec<&Value> =
            found["result"].as_array().unwrap().iter().map(|row| &row["sys_class_name"]).collect();
        assert_eq!(classes, ["cmdb_ci_linux_server"], "{table}");
    }
    let shown = answer(&mut fixture, &format!("/api/now/table/cmdb_ci_linux_server/{server}"));
    assert_eq!(
        (&shown["result"]["cpu_count"], &shown["result"]["classification"]),
        (&json!("4"), &json!("Development"))
    );
    assert_eq!(fixture.call("nobody", "GET", "/api/now/table/cmdb_ci_server", None).status, 403);
}

#[test]
fn a_standard_change_has_what_its_template_says_and_the_writer_does_not() {
    let mut fixture = Fixture::platform();
    let version = "deb8544047810200e90d87e8dee490af";
    let values = json!({"type": "standard", "std_change_producer_version": version, "short_description": "Mine"});
    let change = fixture.create("agent", "change_request", &values);
    let record = fixture.instance.record("change_request", &change).unwrap();
    assert!(record["description"].contains("Resend the complete BGP table to neighboring routers"), "{record:?}");
    assert_eq!((record["short_description"].as_str(), record["type"].as_str()), ("Mine", "standard"));
    let plain = fixture.create("agent", "change_request", &json!({}));
    let record = fixture.instance.record("change_request", &plain).unwrap();
    assert_eq!((record["type"].as_str(), record.get("description")), ("normal", None));
}

#[test]
fn changes_go_through_states_of_their_own_and_have_tasks() {
    let mut fixture = Fixture::platform();
    let change = fixture.create("agent", "change_request", &json!({"short_description": "Move"}));
    let target = format!("/api/now/table/change_request/{change}?sysparm_display_value=true&sysparm_fields=state");
    assert_eq!(answer(&mut fixture, &target)["result"]["state"], "New");
    for (state, label) in [("-2", "Scheduled"), ("-1", "Implement"), ("0", "Review"), ("3", "Closed")] {
        fixture.update("agent", "change_request", &change, &json!({"state": state}));
        assert_eq!(answer(&mut fixture, &target)["result"]["state"], label);
    }
    let task =
        fixture.create("agent", "change_task", &json!({"change_request": change, "change_task_type": "planning"}));
    let shown = answer(&mut fixture, &format!("/api/now/table/change_task/{task}?sysparm_display_value=all"));
    assert!(shown["result"]["number"]["value"].as_str().unwrap().starts_with("CTASK"));
    assert!(shown["result"]["change_request"]["display_value"].as_str().unwrap().starts_with("CHG"));
}

#[test]
fn a_reference_may_be_given_by_the_name_that_people_see() {
    let mut fixture = Fixture::platform();
    let target = "/api/now/table/sys_user?sysparm_input_display_value=true";
    let made = fixture.call("admin", "POST", target, Some(&json!({"user_name": "demo", "department": "IT"})));
    assert_eq!(body(&made)["result"]["department"]["value"], "221f79b7c6112284005d646b76ab978c");
}

#[test]
fn columns_come_in_the_order_of_the_request_each_once() {
    let mut fixture = Fixture::platform();
    let incident = fixture.create("agent", "incident", &json!({"short_description": "Order"}));
    let fields = "sysparm_fields=sys_id,short_description,caller_id.name,state,sys_id,no_such_column";
    for target in [format!("/api/now/table/incident/{incident}?{fields}"), format!("/api/now/table/incident?{fields}")]
    {
        let shown = text(&fixture.call("agent", "GET", &target, None));
        let places: Vec<Option<usize>> =
            ["sys_id", "short_description", "caller_id.name", "\"state\""].map(|name| shown.find(name)).to_vec();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{shown}");
        assert_eq!(shown.matches("sys_id").count(), 1, "{shown}");
        assert!(!shown.contains("no_such_column"));
    }
}

#[test]
fn a_request_without_body_and_content_type_creates_an_empty_record() {
    let mut fixture = Fixture::platform();
    let made = fixture.call("agent", "POST", "/api/now/table/problem", None);
    assert_eq!(made.status, 201, "{}", text(&made));
    let problem = body(&made)["result"]["sys_id"].as_str().unwrap().to_owned();
    let same = fixture.call("agent", "PATCH", &format!("/api/now/table/problem/{problem}"), None);
    assert_eq!((same.status, &body(&same)["result"]["sys_mod_count"]), (200, &json!("0")));
}

#[test]
fn a_path_that_is_too_long_gets_a_page_and_a_long_query_an_answer() {
    let mut fixture = Fixture::platform();
    let path = |length: usize| format!("/api/now/table/{}/nothing", "A".repeat(length));
    let page = fixture.call("admin", "GET", &path(23_000), None);
    assert_eq!((page.status, page.headers["content-type"].as_str()), (414, "text/html"));
    assert!(text(&page).starts_with("<html>"));
    let unknown = body(&fixture.call("admin", "GET", &path(8_000), None));
    assert!(unknown["error"]["message"].as_str().unwrap().starts_with("Invalid table"));
    let query = format!("{}sys_id={ADMINISTRATOR}", "AAAA=BBBB^".repeat(2_300));
    let found = answer(&mut fixture, &format!("/api/now/table/sys_user?sysparm_query={query}"));
    assert_eq!(found["result"].as_array().unwrap().len(), 1);
}

#[test]
fn times_are_shown_in_the_users_zone_and_stored_in_utc() {
    let mut fixture = fixture_of(stock());
    let incident = fixture.create("agent", "incident", &json!({"short_description": "Time", "comments": "Hello"}));
    let target = format!("/api/now/table/incident/{incident}");
    let shown =
        |fixture: &mut Fixture| answer(fixture, &format!("{target}?sysparm_display_value=all"))["result"].clone();
    let stored = "2026-11-20 21:00:00";
    let of_pacific = shown(&mut fixture);
    assert_eq!(of_pacific["opened_at"], json!({"display_value": "2026-11-20 13:00:00", "value": stored}));
    assert!(of_pacific["comments"]["display_value"].as_str().unwrap().starts_with("2026-11-20 13:00:00 - Alice"));
    fixture.update("admin", "sys_user", ADMINISTRATOR, &json!({"time_zone": "Europe/Paris"}));
    assert_eq!(shown(&mut fixture)["opened_at"]["display_value"], "2026-11-20 22:00:00");
    let local = json!({"due_date": "2026-12-24 18:00:00"});
    fixture.call("admin", "PATCH", &format!("{target}?sysparm_input_display_value=true"), Some(&local));
    assert_eq!(fixture.instance.record("incident", &incident).unwrap()["due_date"], "2026-12-24 17:00:00");
    assert_eq!(answer(&mut fixture, &target)["result"]["opened_at"], stored);
}

#[test]
fn a_configuration_with_an_unknown_zone_is_refused() {
    let read = |zone: &str| serde_json::from_value::<Configuration>(json!({"time_zone": zone}));
    assert_eq!(read("US/Eastern").unwrap().time_zone.as_deref(), Some("US/Eastern"));
    let refusal = read("Middle/Earth").unwrap_err().to_string();
    assert!(refusal.contains("time_zone 'Middle/Earth'") && refusal.contains("US/Pacific"), "{refusal}");
}

#[test]
fn a_long_address_gets_a_short_one() {
    let mut fixture = Fixture::platform();
    let mut shorten = |order: &Value| fixture.call("agent", "POST", "/api/now/tinyurl", Some(order));
    let order = json!({"url": "incident_list.do?sysparm_query=active=true"});
    let short = body(&shorten(&order))["result"].as_str().unwrap().to_owned();
    let identifier = short.strip_prefix("incident_list.do?sysparm_tiny=").unwrap();
    assert_eq!(identifier.len(), 32);
    assert_eq!(body(&shorten(&order))["result"], short.as_str());
    assert_eq!(shorten(&json!({"address": "x"})).status, 400);
    assert_eq!(fixture.call("agent", "GET", "/api/now/tinyurl", None).status, 405);
}

#[test]
fn a_short_address_stands_for_the_query_that_it_was_made_of() {
    let mut fixture = Fixture::platform();
    let incident = fixture.create("agent", "incident", &json!({"short_description": "Short"}));
    fixture.create("agent", "incident", &json!({"short_description": "Other"}));
    let others = "%5EORsys_id%3D00000000000000000000000000000000".repeat(80);
    let address = format!("/api/now/table/incident?sysparm_query=sys_id%3D{incident}{others}&sysparm_fields=sys_id");
    let short = body(&fixture.call("agent", "POST", "/api/now/tinyurl", Some(&json!({"url": address}))));
    let short = short["result"].as_str().unwrap().to_owned();
    assert!(short.len() < 100, "{short}");
    assert_eq!(answer(&mut fixture, &short)["result"], json!([{"sys_id": incident}]));
    let limited = answer(&mut fixture, &format!("{short}&sysparm_fields=short_description"));
    assert_eq!(limited["result"], json!([{"short_description": "Short"}]), "the request's own parameters win");
    assert_eq!(fixture.instance.records("sys_tiny_url", "").len(), 1);
}

#[test]
fn a_user_of_the_configuration_may_be_one_of_the_demo_data() {
    let user = User {
        user_name: "natasha.ingram".to_owned(),
        password: "secret".into(),
        roles: vec!["itil".to_owned()],
        first_name: String::new(),
        last_name: String::new(),
    };
    let instance = Instance::new(Configuration { users: vec![user], ..Configuration::default() });
    let found = instance.records("sys_user", "user_name=natasha.ingram");
    assert_eq!((found.len(), found[0]["name"].as_str()), (1, "Natasha Ingram"));
}
