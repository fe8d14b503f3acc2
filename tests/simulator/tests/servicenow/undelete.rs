//! An incident that is deleted and undeleted, or merged into another one: its deliveries are still known.

use casebridge_core::identifiers::ExternalId;
use serde_json::Value;

use crate::support::{Fixture, body, deliver, external_id, incident_in_scope, message, text};

const DELIVERIES: &str = "x_casebridge_aws_delivery";
/// How many commits a delivery has made when its message is claimed.
const CLAIMED: u64 = 1;
/// How long a claim counts as a request under way, in seconds.
const CLAIM_SECONDS: i64 = 60;

/// Delivers and returns the outcome of the message.
fn outcome(fixture: &mut Fixture, incident: &str, order: &Value) -> (String, String) {
    let response = deliver(fixture, incident, order);
    assert_eq!(response.status, 200, "{}", text(&response));
    let answer = body(&response)["result"]["messages"][0].clone();
    let part = |name: &str| answer[name].as_str().expect("a text").to_owned();
    (part("outcome"), part("error"))
}

fn is(outcome: &str) -> (String, String) {
    (outcome.to_owned(), String::new())
}

fn delete_and_undelete(fixture: &mut Fixture, incident: &str) {
    let target = format!("/api/now/table/incident/{incident}");
    assert_eq!(fixture.call("admin", "DELETE", &target, None).status, 204);
    fixture.pass(60);
    assert!(fixture.instance.undelete("incident", incident));
}

/// Returns the deliveries that a snapshot names.
fn named(fixture: &mut Fixture, incident: &str) -> Vec<ExternalId> {
    fixture.snapshot(incident).deliveries
}

fn external(name: &str) -> ExternalId {
    ExternalId::new(external_id(name))
}

/// Changes the rows of deliveries to the form that an earlier version of the app wrote.
fn as_written_before(fixture: &mut Fixture) {
    for row in fixture.instance.records(DELIVERIES, "") {
        fixture.put(DELIVERIES, &row["sys_id"], &[("incident_id", "")]);
    }
}

#[test]
fn what_was_delivered_to_an_incident_is_known_after_it_was_deleted_and_put_back() {
    for is_former in [false, true] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let order = message("one", "from AWS");
        assert_eq!(outcome(&mut fixture, &incident, &order), is("applied"));
        if is_former {
            as_written_before(&mut fixture);
        }
        delete_and_undelete(&mut fixture, &incident);
        assert!(!fixture.instance.records(DELIVERIES, "")[0].contains_key("incident"), "the reference is lost");
        if !is_former {
            assert_eq!(named(&mut fixture, &incident), [external("one")]);
        }
        assert_eq!(outcome(&mut fixture, &incident, &order), is("already_applied"), "former: {is_former}");
        assert_eq!(
            named(&mut fixture, &incident),
            [external("one")],
            "a row that was found by its id has its incident back"
        );
        assert_eq!(fixture.comments(&incident), ["First ${words}", "from AWS"]);
        assert_eq!(outcome(&mut fixture, &incident, &message("two", "more")), is("applied"));
        delete_and_undelete(&mut fixture, &incident);
        assert_eq!(named(&mut fixture, &incident).len(), 2, "and keeps it from then on");
    }
}

#[test]
fn a_delivery_that_was_begun_goes_on_after_the_incident_was_deleted_and_put_back() {
    for (commits, expected) in [(CLAIMED, "applied"), (CLAIMED + 2, "already_applied")] {
        for is_former in [false, true] {
            let mut fixture = Fixture::with_app();
            let incident = incident_in_scope(&mut fixture);
            fixture.snapshot(&incident);
            fixture.pass(1);
            fixture.instance.stop_after_commits(commits);
            assert_eq!(deliver(&mut fixture, &incident, &message("one", "from AWS")).status, 502);
            if is_former {
                as_written_before(&mut fixture);
            }
            delete_and_undelete(&mut fixture, &incident);
            fixture.pass(CLAIM_SECONDS);
            assert_eq!(outcome(&mut fixture, &incident, &message("one", "from AWS")), is(expected));
            assert_eq!(fixture.comments(&incident), ["First ${words}", "from AWS"], "{commits} {is_former}");
            assert_eq!(named(&mut fixture, &incident), [external("one")]);
        }
    }
}

#[test]
fn another_unfinished_delivery_is_seen_after_the_incident_was_put_back() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.snapshot(&incident);
    // The journal may show both texts changed by now, so it is not known which of the two claims wrote the entry.
    fixture.instance.stop_after_commits(CLAIMED + 2);
    deliver(&mut fixture, &incident, &message("one", "from AWS"));
    fixture.instance.stop_after_commits(CLAIMED);
    deliver(&mut fixture, &incident, &message("two", "more"));
    delete_and_undelete(&mut fixture, &incident);
    fixture.pass(CLAIM_SECONDS);
    assert_eq!(outcome(&mut fixture, &incident, &message("two", "more")), is("applied"));
    assert_eq!(outcome(&mut fixture, &incident, &message("one", "from AWS")), is("already_applied"));
}

#[test]
fn deliveries_stay_those_of_their_incident_where_it_is_merged_into_another() {
    for is_former in [false, true] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let duplicate = fixture.instance.copy(fixture.now, "agent", "incident", &incident, &fixture.network).unwrap();
        assert_eq!(outcome(&mut fixture, &duplicate, &message("one", "from AWS")), is("applied"));
        assert_eq!(outcome(&mut fixture, &incident, &message("two", "from AWS")), is("applied"));
        if is_former {
            as_written_before(&mut fixture);
            assert_eq!(named(&mut fixture, &duplicate), [external("one")], "by its reference");
            assert_eq!(outcome(&mut fixture, &incident, &message("one", "from AWS")).0, "refused");
            continue;
        }
        fixture.instance.repoint(fixture.now, "incident", &duplicate, &incident);
        assert_eq!(named(&mut fixture, &duplicate), [external("one")]);
        assert_eq!(named(&mut fixture, &incident), [external("two")]);
        assert_eq!(outcome(&mut fixture, &duplicate, &message("one", "from AWS")), is("already_applied"));
        let (refused, error) = outcome(&mut fixture, &incident, &message("one", "from AWS"));
        assert_eq!((refused.as_str(), error.as_str()), ("refused", "This external_id belongs to another incident."));
    }
}
