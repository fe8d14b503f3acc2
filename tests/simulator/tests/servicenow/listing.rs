//! The list of changes, by which the poller finds what no webhook announced: which incidents it lists, in which order,
//! and in which pages.

use serde_json::{Value, json};

use crate::support::{Fixture, INCIDENTS, body, incident_in_scope, text};

/// The most accounts whose groups the app reads.
const MAXIMUM_ACCOUNTS: u32 = 1000;

/// Returns a page of changes, each with `sys_id`, update count and time, and whether there are more.
fn page(fixture: &mut Fixture, query: &str) -> (Vec<(String, u64, String)>, bool) {
    let response = fixture.call("casebridge", "GET", &format!("{INCIDENTS}/changes?{query}"), None);
    assert_eq!(response.status, 200, "{}", text(&response));
    let result = body(&response)["result"].clone();
    let change = |change: &Value| {
        let words = |name: &str| change[name].as_str().expect("a text").to_owned();
        (words("sys_id"), change["sys_mod_count"].as_u64().expect("a count"), words("sys_updated_on"))
    };
    let listed = result["incidents"].as_array().expect("a list").iter().map(change).collect();
    (listed, result["more"].as_bool().expect("yes or no"))
}

fn names(fixture: &mut Fixture, query: &str) -> Vec<String> {
    page(fixture, query).0.into_iter().map(|(sys_id, ..)| sys_id).collect()
}

/// Returns the `sys_id` of a test's incident.
fn sys_id(number: u32) -> String {
    format!("{number:032x}")
}

/// Creates an incident that was updated this many seconds after nine. It is in scope, or has left the scope and AWS has
/// heard of it.
fn put(fixture: &mut Fixture, like: &str, number: u32, seconds: u32, is_in_scope: bool) -> String {
    let name = sys_id(number);
    let mut row = fixture.instance.record("incident", like).expect("the incident").clone();
    row.insert("sys_id".to_owned(), name.clone());
    row.insert("sys_updated_on".to_owned(), format!("2026-11-20 09:00:{seconds:02}"));
    row.insert("sys_mod_count".to_owned(), (number + 11).to_string());
    if !is_in_scope {
        row.remove("assignment_group");
        // The rows are in the opposite order of the incidents.
        fixture.put("x_casebridge_aws_announcement", &sys_id(900 - number), &[("incident", &name)]);
    }
    fixture.instance.restore("incident", row);
    name
}

/// Returns a fixture with an incident of a much later time, from which the others are copied.
fn world_with_a_template() -> (Fixture, String) {
    let mut fixture = Fixture::with_app();
    let like = incident_in_scope(&mut fixture);
    (fixture, like)
}

#[test]
fn a_page_begins_at_its_point_whether_incidents_are_in_scope_or_not() {
    for is_in_scope in [true, false] {
        let (mut fixture, like) = world_with_a_template();
        let third = put(&mut fixture, &like, 1, 3, is_in_scope);
        let second = put(&mut fixture, &like, 2, 2, is_in_scope);
        let first = put(&mut fixture, &like, 3, 1, is_in_scope);
        // A page of two reads one more to know whether there are more. So it has room for two incidents of one second
        // in any order.
        let [fourth, fifth] = [4, 5].map(|number| put(&mut fixture, &like, number, 2, is_in_scope));
        let older = put(&mut fixture, &like, 9, 0, is_in_scope);
        let at = |seconds: u32| format!("since=2026-11-20 09:00:{seconds:02}");
        let all = [older, first, second.clone(), fourth, fifth.clone(), third, like];
        assert_eq!(names(&mut fixture, &at(0)), all);
        assert_eq!(names(&mut fixture, &at(1)), all[1..], "the moment itself counts");
        assert_eq!(names(&mut fixture, &format!("{}&after={second}", at(2))), all[3..]);
        assert_eq!(names(&mut fixture, &format!("{}&after={fifth}", at(2))), all[5..], "nothing older is listed");
        for limit in 1..=all.len() {
            let (listed, more) = page(&mut fixture, &format!("{}&limit={limit}", at(0)));
            let listed: Vec<String> = listed.into_iter().map(|(name, ..)| name).collect();
            assert_eq!(listed, all[..limit], "{is_in_scope}");
            assert_eq!(more, limit < all.len());
        }
    }
}

#[test]
fn an_incident_on_both_lists_is_listed_once_and_both_lists_share_a_page() {
    let (mut fixture, like) = world_with_a_template();
    let both = put(&mut fixture, &like, 5, 5, true);
    fixture.put("x_casebridge_aws_announcement", &sys_id(800), &[("incident", &both)]);
    let out = put(&mut fixture, &like, 4, 5, false);
    let scoped = put(&mut fixture, &like, 6, 5, true);
    let (listed, more) = page(&mut fixture, "since=2026-11-20 09:00:05&limit=3");
    let expected =
        [(out, 15), (both, 16), (scoped, 17)].map(|(name, count)| (name, count, "2026-11-20 09:00:05".to_owned()));
    assert_eq!((listed.as_slice(), more), (expected.as_slice(), true));
}

#[test]
fn an_announcement_of_an_incident_that_is_gone_is_passed_over() {
    let (mut fixture, like) = world_with_a_template();
    fixture.put("x_casebridge_aws_announcement", &sys_id(1), &[("incident", &sys_id(2))]);
    assert_eq!(names(&mut fixture, "since=2026-11-20 09:00:00"), [like]);
}

#[test]
fn an_incident_is_in_scope_with_both_codes_and_the_group_of_an_active_account() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let row = fixture.instance.record("incident", &incident).unwrap().clone();
    let account = fixture.instance.records("x_casebridge_aws_account", "")[0]["sys_id"].clone();
    let (service, category, case) =
        ("x_casebridge_aws_service_code", "x_casebridge_aws_category_code", "x_casebridge_aws_case_id");
    for (values, is_served) in [
        (vec![], true),
        (vec![(service, "")], false),
        (vec![(category, "")], false),
        (vec![("assignment_group", "")], false),
        (vec![("assignment_group", "0123456789abcdef0123456789abcdef")], false),
        (vec![(service, ""), (case, "case-1")], true),
        (vec![("assignment_group", ""), (case, "case-1")], true),
    ] {
        fixture.instance.restore("incident", row.clone());
        fixture.put("incident", &incident, &values);
        assert_eq!(names(&mut fixture, "since=2026-11-20 00:00:00").len(), usize::from(is_served), "{values:?}");
        let served = fixture.script(&format!(
            "var incident = new GlideRecord('incident'); incident.get('{incident}');
            var incidents = new CasebridgeIncident();
            (incidents.isInScope(incident) || incidents.isLinked(incident)) + ''"
        ));
        assert_eq!(served, is_served.to_string(), "{values:?}");
    }
    fixture.instance.restore("incident", row);
    fixture.put("x_casebridge_aws_account", &account, &[("active", "false")]);
    assert!(names(&mut fixture, "since=2026-11-20 00:00:00").is_empty());
}

#[test]
fn an_account_without_a_group_brings_no_incident_without_one_into_scope() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.put("incident", &incident, &[("assignment_group", "")]);
    // An import may leave out what the form requires.
    fixture.put("x_casebridge_aws_account", &sys_id(1), &[("active", "true")]);
    assert!(names(&mut fixture, "since=2026-11-20 00:00:00").is_empty());
}

#[test]
fn the_groups_of_a_thousand_accounts_are_looked_at() {
    for (count, is_listed) in [(MAXIMUM_ACCOUNTS, true), (MAXIMUM_ACCOUNTS + 1, false)] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let group = fixture.instance.record("incident", &incident).unwrap()["assignment_group"].clone();
        let account = fixture.instance.records("x_casebridge_aws_account", "")[0]["sys_id"].clone();
        fixture.put("x_casebridge_aws_account", &account, &[("active", "false")]);
        for number in 0..count {
            // The account of the incident's group is read last.
            let own = if number == 0 { group.clone() } else { sys_id(5_000 + number) };
            let values = [("active", "true"), ("assignment_group", own.as_str())];
            fixture.put("x_casebridge_aws_account", &sys_id(number), &values);
        }
        assert_eq!(!names(&mut fixture, "since=2026-11-20 00:00:00").is_empty(), is_listed, "{count}");
    }
}

#[test]
fn the_limit_is_a_whole_number_within_its_bounds() {
    let (mut fixture, like) = world_with_a_template();
    put(&mut fixture, &like, 1, 1, true);
    for (limit, length) in [("1", 1), ("2", 2), ("10", 2), ("011", 2), ("200", 2), ("", 2)] {
        let (listed, _) = page(&mut fixture, &format!("since=2026-11-20 00:00:00&limit={limit}"));
        assert_eq!(listed.len(), length, "{limit}");
    }
    for limit in ["0", "201", "-1", "1.5", "1e2", "all", "1000000000", "4294967297"] {
        let target = format!("{INCIDENTS}/changes?since=2026-11-20 00:00:00&limit={limit}");
        let response = fixture.call("casebridge", "GET", &target, None);
        assert_eq!(response.status, 400, "{limit}");
        assert_eq!(body(&response)["error"]["detail"], json!("limit: must be a whole number from 1 to 200"));
    }
}
