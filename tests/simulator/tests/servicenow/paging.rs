//! Snapshots in pages: from a moment on, with all comments, each one whole.

use casebridge_core::servicenow::incident::Incident;
use serde_json::{Value, json};

use crate::support::{Fixture, INCIDENTS, body, deliver, incident_in_scope, message, text};

/// The app's limits of a page: its characters, and its number of comments.
const PAGE_CHARACTERS: usize = 200_000;
const PAGE_ENTRIES: usize = 250;
/// More pages than any test here has.
const MAXIMUM_PAGES: usize = 20;

fn comment(fixture: &mut Fixture, incident: &str, words: &str) {
    assert_eq!(fixture.update("agent", "incident", incident, &json!({"comments": words})).status, 200);
}

/// Follows the pages to the end. Returns the texts of each page.
fn pages(fixture: &mut Fixture, incident: &str) -> Vec<Vec<String>> {
    let mut query = String::new();
    let mut pages = Vec::new();
    while pages.len() < MAXIMUM_PAGES {
        let page: Incident = fixture.page(incident, &query);
        pages.push(page.entries.iter().map(|entry| entry.text.clone()).collect());
        let Some(last) = page.entries.last().filter(|_| !page.entries_complete) else { return pages };
        let since = casebridge_core::time::format_servicenow(last.created_on);
        query = format!("entries_since={since}&entries_after={}", last.sys_id);
    }
    panic!("the pages do not end");
}

#[test]
fn pages_lead_from_the_oldest_comment_to_the_newest() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    for number in 0..7 {
        // Some of the comments have the same second.
        fixture.pass(number % 2);
        comment(&mut fixture, &incident, &format!("{number}{}", "x".repeat(PAGE_CHARACTERS / 3)));
    }
    let pages = pages(&mut fixture, &incident);
    assert!(pages.len() > 2, "{}", pages.len());
    let shown: Vec<String> = pages.concat();
    let mut expected = fixture.instance.records("sys_journal_field", "ORDERBYsys_created_on^ORDERBYsys_id");
    expected.retain(|row| row["element_id"] == incident);
    assert_eq!(shown.len(), 8);
    assert_eq!(shown, expected.iter().map(|row| row["value"].clone()).collect::<Vec<_>>());
}

#[test]
fn a_page_is_full_at_its_limit_and_not_before() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.pass(1);
    let first = "First ${words}".chars().count();
    comment(&mut fixture, &incident, &"x".repeat(PAGE_CHARACTERS - first));
    assert_eq!(pages(&mut fixture, &incident).len(), 1);
    fixture.pass(1);
    comment(&mut fixture, &incident, "y");
    let pages = pages(&mut fixture, &incident);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_comment_above_the_limit_has_a_page_of_its_own_and_short_ones_are_counted() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.pass(1);
    comment(&mut fixture, &incident, &"x".repeat(3 * PAGE_CHARACTERS));
    for number in 0..=PAGE_ENTRIES {
        fixture.pass(1);
        comment(&mut fixture, &incident, &number.to_string());
    }
    let pages = pages(&mut fixture, &incident);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, PAGE_ENTRIES, 1]);
}

#[test]
fn comments_are_shown_from_the_moment_that_is_asked_for() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.pass(10);
    comment(&mut fixture, &incident, "second");
    let since = "2026-11-20 21:00:10";
    let page = fixture.page(&incident, &format!("entries_since={since}"));
    assert_eq!(page.entries.iter().map(|entry| entry.text.as_str()).collect::<Vec<_>>(), ["second"]);
    assert_eq!(page.entries_since, Some(fixture.now));
    let after = page.entries[0].sys_id.clone();
    let page = fixture.page(&incident, &format!("entries_since={since}&entries_after={after}"));
    assert!(page.entries.is_empty() && page.entries_complete);
    assert!(fixture.snapshot(&incident).entries_since.is_none());
    for query in ["entries_since=noon", "entries_after=x", &format!("entries_after={after}")] {
        let response = fixture.call(
            "casebridge",
            "GET",
            &format!("{INCIDENTS}/{incident}/snapshot?kind=support_case&{query}"),
            None,
        );
        assert_eq!(response.status, 400, "{query}: {}", text(&response));
    }
}

#[test]
fn a_delivery_answers_with_the_comments_since_the_moment_that_it_names() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.pass(10);
    let mut order = message("one", "from AWS");
    for (since, shown) in [(json!("2026-11-20 21:00:10"), 1), (json!(""), 2), (Value::Null, 2)] {
        order["entries_since"] = since;
        let answer = body(&deliver(&mut fixture, &incident, &order));
        assert_eq!(answer["result"]["snapshot"]["entries"].as_array().unwrap().len(), shown, "{order}");
    }
    for wrong in [json!("noon"), json!(7), json!(["2026-11-20 21:00:10"])] {
        order["entries_since"] = wrong;
        let refused = deliver(&mut fixture, &incident, &order);
        assert_eq!(refused.status, 400, "{}", text(&refused));
        assert!(body(&refused)["error"]["detail"].as_str().unwrap().starts_with("entries_since"));
    }
}

#[test]
fn nothing_of_an_incident_is_cut() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let long = "ü".repeat(100_000);
    let values = json!({"description": long, "short_description": long});
    assert_eq!(fixture.update("agent", "incident", &incident, &values).status, 200);
    let shown = fixture.snapshot(&incident);
    assert_eq!((shown.description == long, shown.short_description == long), (true, true));
    assert_eq!(shown.entries.len(), 1);
}
