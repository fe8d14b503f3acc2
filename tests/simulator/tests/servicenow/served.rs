//! Which incidents casebridge may read and write. The `sys_id` of any other incident gives it no access.

use serde_json::{Value, json};

use crate::support::{Fixture, INCIDENTS, body, deliver, incident_in_scope, message, of_support_case};

/// The columns by which an incident comes into scope.
const SERVICE: &str = "x_casebridge_aws_service_code";
const CATEGORY: &str = "x_casebridge_aws_category_code";

/// Creates incidents that casebridge must not see. Returns each with what it lacks.
fn foreign_incidents(fixture: &mut Fixture) -> Vec<(&'static str, String)> {
    let scoped = incident_in_scope(fixture);
    let group = fixture.instance.record("incident", &scoped).expect("the incident")["assignment_group"].clone();
    let other = fixture.create("admin", "sys_user_group", &json!({"name": "Printers"}));
    let retired = fixture.create("admin", "sys_user_group", &json!({"name": "AWS-222233334444"}));
    let account = json!({"name": "Old", "number": "222233334444", "assignment_group": retired, "active": "false"});
    fixture.create("admin", "x_casebridge_aws_account", &account);
    let codes = |group: &str| json!({"assignment_group": group, SERVICE: "amazon-ec2", CATEGORY: "instance-issue"});
    [
        ("no group and no codes", json!({})),
        ("no codes", json!({"assignment_group": group})),
        ("no category", json!({"assignment_group": group, SERVICE: "amazon-ec2"})),
        ("a group of no account", codes(&other)),
        ("the group of an account that is not active", codes(&retired)),
        ("no group", codes("")),
    ]
    .into_iter()
    .map(|(lacks, mut values)| {
        values["short_description"] = json!("The printer is on fire");
        values["comments"] = json!("Call the fire brigade.");
        (lacks, fixture.create("agent", "incident", &values))
    })
    .collect()
}

fn refusal(fixture: &mut Fixture, method: &str, path: &str, order: Option<&Value>) -> (u16, String) {
    let response = fixture.call("casebridge", method, &format!("{INCIDENTS}/{path}"), order);
    (response.status, body(&response)["error"]["message"].as_str().unwrap_or_default().to_owned())
}

/// Returns the parts of the instance that a write to a foreign incident would change.
fn traces(fixture: &Fixture, incident: &str) -> (Value, [usize; 3]) {
    let count = |table: &str| fixture.instance.records(table, &format!("incident={incident}")).len();
    let row = fixture.instance.record("incident", incident).expect("the incident");
    let tables = ["x_casebridge_aws_announcement", "x_casebridge_aws_delivery", "x_casebridge_aws_link"];
    (json!(row), tables.map(count))
}

#[test]
fn the_snapshot_of_a_foreign_incident_is_not_served() {
    let mut fixture = Fixture::with_app();
    for (lacks, incident) in foreign_incidents(&mut fixture) {
        let before = traces(&fixture, &incident);
        let answer = refusal(&mut fixture, "GET", &format!("{incident}/snapshot?kind=support_case"), None);
        assert_eq!(answer, (403, "Incident not served".to_owned()), "{lacks}");
        assert_eq!(traces(&fixture, &incident), before, "asking changes nothing: {lacks}");
    }
}

#[test]
fn nothing_is_delivered_to_a_foreign_incident() {
    let mut fixture = Fixture::with_app();
    let orders = [
        message("one", "from AWS"),
        json!({"fields": {"state": "2"}}),
        // A user who may write these rows could make the app serve any incident.
        json!({"columns": {"case_id": "case-111122223333-muen-2026-1", "account": "111122223333"}}),
        json!({}),
    ];
    for (lacks, incident) in foreign_incidents(&mut fixture) {
        let before = traces(&fixture, &incident);
        for order in &orders {
            let answer = refusal(&mut fixture, "POST", &format!("{incident}/deliver"), Some(&of_support_case(order)));
            assert_eq!(answer, (403, "Incident not served".to_owned()), "{lacks}: {order}");
        }
        assert_eq!(traces(&fixture, &incident), before, "{lacks}");
        assert_eq!(fixture.comments(&incident), ["Call the fire brigade."], "{lacks}");
    }
}

#[test]
fn changes_list_no_foreign_incident_whichever_point_they_begin_at() {
    let mut fixture = Fixture::with_app();
    let foreign = foreign_incidents(&mut fixture);
    let points = foreign.iter().map(|(_, incident)| format!("&after={incident}"));
    for point in points.chain([String::new(), format!("&after={}", "0".repeat(32))]) {
        for since in ["2026-11-20 00:00:00", "2026-11-20 21:00:00"] {
            let target = format!("{INCIDENTS}/changes?since={since}{point}");
            let listed = fixture.call("casebridge", "GET", &target, None);
            assert_eq!(listed.status, 200);
            let listed = body(&listed)["result"].to_string();
            for (lacks, incident) in &foreign {
                assert!(!listed.contains(incident.as_str()), "{lacks}: {listed}");
            }
        }
    }
}

#[test]
fn linked_scoped_and_announced_incidents_are_served_by_all_three() {
    let mut fixture = Fixture::with_app();
    let mut incidents = foreign_incidents(&mut fixture).into_iter().map(|(_, incident)| incident);
    let (linked, announced) = (incidents.next().unwrap(), incidents.next().unwrap());
    fixture.put("incident", &linked, &[("x_casebridge_aws_case_id", "case-1")]);
    fixture.put("x_casebridge_aws_announcement", &"a".repeat(32), &[("incident", &announced)]);
    let scoped = fixture.instance.records("incident", "short_descriptionLIKEhost")[0]["sys_id"].clone();
    let changes = format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00");
    for (number, incident) in [linked, announced, scoped].iter().enumerate() {
        fixture.snapshot(incident);
        assert_eq!(deliver(&mut fixture, incident, &message(&number.to_string(), "from AWS")).status, 200);
        let listed = body(&fixture.call("casebridge", "GET", &changes, None))["result"].to_string();
        assert!(listed.contains(incident.as_str()), "{listed}");
    }
}
