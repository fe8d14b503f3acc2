//! Which incidents AWS may see and write to: a valid `sys_id` of any other gets it nowhere.

use serde_json::{Value, json};

use crate::support::{INCIDENTS, World, body, deliver, incident_in_scope, message, of_support_case};

/// The columns by which an incident comes into scope.
const SERVICE: &str = "x_casebridge_aws_service_code";
const CATEGORY: &str = "x_casebridge_aws_category_code";

/// Incidents that are none of AWS's business, each with what it lacks.
fn foreign_incidents(world: &mut World) -> Vec<(&'static str, String)> {
    let scoped = incident_in_scope(world);
    let group = world.instance.record("incident", &scoped).expect("the incident")["assignment_group"].clone();
    let other = world.create("admin", "sys_user_group", &json!({"name": "Printers"}));
    let retired = world.create("admin", "sys_user_group", &json!({"name": "AWS-222233334444"}));
    let account = json!({"name": "Old", "number": "222233334444", "assignment_group": retired, "active": "false"});
    world.create("admin", "x_casebridge_aws_account", &account);
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
        (lacks, world.create("agent", "incident", &values))
    })
    .collect()
}

fn refusal(world: &mut World, method: &str, path: &str, order: Option<&Value>) -> (u16, String) {
    let response = world.call("casebridge", method, &format!("{INCIDENTS}/{path}"), order);
    (response.status, body(&response)["error"]["message"].as_str().unwrap_or_default().to_owned())
}

/// The parts of the instance that would show a write to a foreign incident.
fn traces(world: &World, incident: &str) -> (Value, [usize; 3]) {
    let count = |table: &str| world.instance.records(table, &format!("incident={incident}")).len();
    let row = world.instance.record("incident", incident).expect("the incident");
    let tables = ["x_casebridge_aws_announcement", "x_casebridge_aws_delivery", "x_casebridge_aws_link"];
    (json!(row), tables.map(count))
}

#[test]
fn the_snapshot_of_a_foreign_incident_is_not_served() {
    let mut world = World::with_app();
    for (lacks, incident) in foreign_incidents(&mut world) {
        let before = traces(&world, &incident);
        let answer = refusal(&mut world, "GET", &format!("{incident}/snapshot?kind=support_case"), None);
        assert_eq!(answer, (403, "Incident not served".to_owned()), "{lacks}");
        assert_eq!(traces(&world, &incident), before, "asking changes nothing: {lacks}");
    }
}

#[test]
fn nothing_is_delivered_to_a_foreign_incident() {
    let mut world = World::with_app();
    let orders = [
        message("one", "from AWS"),
        json!({"fields": {"state": "2"}}),
        // A writer of these rows could make casebridge serve any incident.
        json!({"columns": {"case_id": "case-111122223333-muen-2026-1", "account": "111122223333"}}),
        json!({}),
    ];
    for (lacks, incident) in foreign_incidents(&mut world) {
        let before = traces(&world, &incident);
        for order in &orders {
            let answer = refusal(&mut world, "POST", &format!("{incident}/deliver"), Some(&of_support_case(order)));
            assert_eq!(answer, (403, "Incident not served".to_owned()), "{lacks}: {order}");
        }
        assert_eq!(traces(&world, &incident), before, "{lacks}");
        assert_eq!(world.comments(&incident), ["Call the fire brigade."], "{lacks}");
    }
}

#[test]
fn changes_list_no_foreign_incident_whichever_point_they_begin_at() {
    let mut world = World::with_app();
    let foreign = foreign_incidents(&mut world);
    let points = foreign.iter().map(|(_, incident)| format!("&after={incident}"));
    for point in points.chain([String::new(), format!("&after={}", "0".repeat(32))]) {
        for since in ["2026-11-20 00:00:00", "2026-11-20 21:00:00"] {
            let target = format!("{INCIDENTS}/changes?since={since}{point}");
            let listed = world.call("casebridge", "GET", &target, None);
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
    let mut world = World::with_app();
    let mut incidents = foreign_incidents(&mut world).into_iter().map(|(_, incident)| incident);
    let (linked, announced) = (incidents.next().unwrap(), incidents.next().unwrap());
    world.put("incident", &linked, &[("x_casebridge_aws_case_id", "case-1")]);
    world.put("x_casebridge_aws_announcement", &"a".repeat(32), &[("incident", &announced)]);
    let scoped = world.instance.records("incident", "short_descriptionLIKEhost")[0]["sys_id"].clone();
    let changes = format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00");
    for (number, incident) in [linked, announced, scoped].iter().enumerate() {
        world.snapshot(incident);
        assert_eq!(deliver(&mut world, incident, &message(&number.to_string(), "from AWS")).status, 200);
        let listed = body(&world.call("casebridge", "GET", &changes, None))["result"].to_string();
        assert!(listed.contains(incident.as_str()), "{listed}");
    }
}
