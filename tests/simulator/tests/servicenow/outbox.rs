//! Webhooks that wait: when each is attempted, what its entry says of a failure, and when the entry is deleted.

use serde_json::{Value, json};

use crate::support::{Fixture, another_inserts_first, incident_in_scope, inserts_are_refused};

const OUTBOX: &str = "x_casebridge_aws_outbox";
const ANNOUNCEMENTS: &str = "x_casebridge_aws_announcement";
/// Limits of the app.
const ENTRIES_PER_RUN: usize = 100;
const DELETIONS_PER_RUN: usize = 500;
const TIMEOUT_MILLISECONDS: u64 = 5_000;
const MAXIMUM_REFUSAL_CHARACTERS: usize = 300;
const SECONDS_PER_DAY: i64 = 86_400;

/// Sends the due webhooks now, as the outbox job does. Returns how many were sent.
fn send_due(fixture: &mut Fixture) -> usize {
    fixture.script("new CasebridgeOutbox().sendDue()");
    fixture.sent().len()
}

fn entry(fixture: &Fixture) -> std::collections::BTreeMap<String, String> {
    fixture.instance.records(OUTBOX, "").remove(0)
}

/// Returns a fixture with an incident in the outbox whose first attempt was answered with this status.
fn failed_with(status: u16) -> Fixture {
    let mut fixture = Fixture::with_app();
    incident_in_scope(&mut fixture);
    fixture.network.status.replace(Some(status));
    fixture.run_jobs();
    assert_eq!(fixture.sent().len(), 1);
    fixture
}

/// Adds an entry for the incident, with this number.
fn put_entry(fixture: &mut Fixture, incident: &str, number: usize, values: &[(&str, &str)]) {
    let (sys_id, webhook_id) = (format!("{number:032x}"), format!("webhook {number}"));
    let all = [("webhook_id", webhook_id.as_str()), ("incident", incident)];
    fixture.put(OUTBOX, &sys_id, &[&all, values].concat());
}

/// Returns the moment this many seconds from now, as the platform writes it.
fn moment(fixture: &Fixture, seconds: i64) -> String {
    casebridge_core::time::format_servicenow(fixture.now + jiff::SignedDuration::from_secs(seconds))
}

#[test]
fn the_delay_doubles_from_half_a_minute_to_an_hour() {
    let mut fixture = failed_with(503);
    for (attempts, delay) in (1..).zip([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600, 3_600]) {
        let row = entry(&fixture);
        assert_eq!((row["state"].as_str(), row["attempts"].clone()), ("error", attempts.to_string()));
        assert_eq!(row["next_attempt_at"], moment(&fixture, delay));
        assert_eq!(row["last_error"], "The webhook answered 503: unavailable.");
        fixture.pass(delay - 1);
        assert_eq!(send_due(&mut fixture), 0, "it is not due yet");
        fixture.pass(1);
        assert_eq!(send_due(&mut fixture), 1);
    }
    let number = fixture.instance.records("incident", "x_casebridge_aws_service_codeISNOTEMPTY")[0]["number"].clone();
    assert_eq!(fixture.logged("warn")[0], format!("casebridge: {number}: The webhook answered 503: unavailable."));
    fixture.network.status.replace(None);
    fixture.pass(3_600);
    assert_eq!(send_due(&mut fixture), 1);
    let row = entry(&fixture);
    assert_eq!((row["state"].as_str(), row["attempts"].as_str()), ("sent", "13"), "the one that went well is counted");
    assert_eq!(row["sent_at"], moment(&fixture, 0));
    assert!(!row.contains_key("last_error"));
}

#[test]
fn what_a_rule_that_died_leaves_behind_is_the_jobs_after_a_minute() {
    let mut fixture = Fixture::with_app();
    incident_in_scope(&mut fixture);
    // The announcement and the entry are written. Then the instance dies.
    fixture.instance.stop_after_commits(2);
    fixture.instance.run_next_rule(fixture.now, &fixture.network);
    fixture.sent();
    let row = entry(&fixture);
    assert_eq!((row["state"].as_str(), row["attempts"].as_str()), ("pending", "0"));
    assert_eq!(row["next_attempt_at"], moment(&fixture, 60));
    fixture.pass(59);
    assert_eq!(send_due(&mut fixture), 0);
    fixture.pass(1);
    assert_eq!(send_due(&mut fixture), 1);
    assert_eq!(entry(&fixture)["attempts"], "1");
}

#[test]
fn a_run_sends_those_that_have_waited_longest_and_not_more_than_it_may() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    for number in 0..=ENTRIES_PER_RUN {
        // The entry that is due last has neither the lowest `sys_id` nor the greatest.
        let state = if number % 2 == 0 { "pending" } else { "error" };
        let due = moment(&fixture, if number == 1 { 0 } else { -1 });
        put_entry(&mut fixture, &incident, number, &[("state", state), ("next_attempt_at", &due)]);
    }
    assert_eq!(send_due(&mut fixture), ENTRIES_PER_RUN);
    let left = fixture.instance.records(OUTBOX, "state!=sent");
    assert_eq!(left.iter().map(|row| row["webhook_id"].as_str()).collect::<Vec<_>>(), ["webhook 1"]);
    assert_eq!(send_due(&mut fixture), 1);
    assert_eq!(send_due(&mut fixture), 0);
}

#[test]
fn a_run_ends_before_the_next_one_is_due() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    for number in 0..20 {
        let due = moment(&fixture, 0);
        put_entry(&mut fixture, &incident, number, &[("state", "pending"), ("next_attempt_at", &due)]);
    }
    // Each webhook takes five seconds, so nine of them use up the forty-five seconds.
    let slow = "var passed = 0;
        var read = GlideDateTime.prototype.getNumericValue;
        GlideDateTime.prototype.getNumericValue = function () { return read.call(this) + passed; };
        CasebridgeWebhook.prototype.send = function () { passed += 5000; return ''; };
        new CasebridgeOutbox().sendDue()";
    fixture.script(slow);
    assert_eq!(fixture.instance.records(OUTBOX, "state=sent").len(), 9);
}

#[test]
fn sent_entries_go_after_the_days_that_the_property_says() {
    for (property, days) in [("", 7), ("never", 7), ("-1", 7), ("10", 10), ("1", 1), ("0", 0)] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        fixture.instance.set_property("x_casebridge_aws.outbox_retention_days", property);
        let limit = -days * SECONDS_PER_DAY;
        for (number, (seconds, state)) in
            [(limit - 1, "sent"), (limit, "sent"), (limit - 1, "error"), (limit - 1, "pending")].into_iter().enumerate()
        {
            let (sent_at, later) = (moment(&fixture, seconds), moment(&fixture, 60));
            let values = [("state", state), ("sent_at", &sent_at), ("next_attempt_at", &later)];
            put_entry(&mut fixture, &incident, number, &values);
        }
        // The job's own script sends, and then deletes.
        fixture.run_jobs();
        let mut left: Vec<String> =
            fixture.instance.records(OUTBOX, "").into_iter().map(|row| row["webhook_id"].clone()).collect();
        left.retain(|webhook_id| webhook_id.starts_with("webhook"));
        left.sort();
        assert_eq!(left, ["webhook 1", "webhook 2", "webhook 3"], "{property:?}");
    }
}

#[test]
fn a_run_deletes_the_oldest_and_not_more_than_it_may() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    for number in 0..=DELETIONS_PER_RUN {
        // The newest entry has neither the lowest `sys_id` nor the greatest.
        let sent_at = moment(&fixture, -8 * SECONDS_PER_DAY - i64::from(number != 1));
        put_entry(&mut fixture, &incident, number, &[("state", "sent"), ("sent_at", &sent_at)]);
    }
    fixture.script("new CasebridgeOutbox().deleteExpired()");
    let left = fixture.instance.records(OUTBOX, "");
    assert_eq!(left.iter().map(|row| row["webhook_id"].as_str()).collect::<Vec<_>>(), ["webhook 1"]);
}

#[test]
fn an_entry_of_an_incident_that_is_gone_is_closed_and_says_so() {
    let mut fixture = failed_with(503);
    let sys_id = entry(&fixture)["incident"].clone();
    fixture.script(&format!(
        "var gone = new GlideRecord('{OUTBOX}'); gone.query(); gone.next(); gone.incident = 'gone'; gone.update()"
    ));
    assert_ne!(entry(&fixture)["incident"], sys_id);
    fixture.pass(3_600);
    assert_eq!(send_due(&mut fixture), 0);
    let row = entry(&fixture);
    assert_eq!((row["state"].as_str(), row["attempts"].as_str()), ("sent", "1"));
    assert_eq!(row["last_error"], "The incident no longer exists: there is nothing to send.");
    assert_eq!(row["sent_at"], moment(&fixture, 0));
}

#[test]
fn an_entry_says_what_became_of_its_webhook() {
    let refused_signature = "The webhook refused the signature (401): the webhook secret in the settings";
    let strange = ", and not as casebridge does. Look at the address of the webhook.";
    for (status, words, expected) in [
        (200, None, ""),
        (299, None, ""),
        (199, None, "The webhook answered 199: unavailable."),
        (300, None, "The webhook answered 300: unavailable."),
        (500, Some(""), &format!("The webhook answered 500{strange}")),
        (502, Some("<html>secret"), &format!("The webhook answered 502{strange}")),
        (502, Some("{}"), &format!("The webhook answered 502{strange}")),
        (502, Some("null"), &format!("The webhook answered 502{strange}")),
        (403, Some(r#"{"message":"secret"}"#), &format!("The webhook answered 403{strange}")),
        (500, Some(r#"{"error":"secret"}"#), &format!("The webhook answered 500{strange}")),
        (500, Some(r#"{"error":{"message":"secret"}}"#), &format!("The webhook answered 500{strange}")),
        (
            500,
            Some(r#"{"error":{"code":"Not ours","message":"secret"}}"#),
            &format!("The webhook answered 500{strange}"),
        ),
        (
            500,
            Some(r#"{"error":{"code":"x","message":{"a":"secret"}}}"#),
            &format!("The webhook answered 500{strange}"),
        ),
        (
            400,
            Some(r#"{"error":{"code":"call_this_number","message":"secret"}}"#),
            &format!("The webhook answered 400{strange}"),
        ),
        (500, Some(r#"{"error":{"code":"toString","message":"x"}}"#), &format!("The webhook answered 500{strange}")),
        (500, Some(r#"{"error":{"code":["malformed"]}}"#), &format!("The webhook answered 500{strange}")),
        (405, Some(r#"{"error":{"code":"method_not_allowed"}}"#), "The webhook answered 405: method_not_allowed."),
        (413, Some(r#"{"error":{"code":"too_large","message":"secret"}}"#), "The webhook answered 413: too_large."),
        (400, Some(r#"{"error":{"code":"malformed","message":"secret"}}"#), "The webhook answered 400: malformed."),
        (403, Some(r#"{"error":{"code":"unauthorized","message":"x"}}"#), "The webhook answered 403: unauthorized."),
        (503, Some(r#"{"error":{"code":"unavailable","message":"x"}}"#), "The webhook answered 503: unavailable."),
        (401, None, refused_signature),
        (400, None, "The webhook answered 400: unavailable."),
        (1, None, "The webhook answered 1: unavailable."),
        (0, None, "The webhook was not reached: connection refused"),
    ] {
        let mut fixture = Fixture::with_app();
        incident_in_scope(&mut fixture);
        fixture.network.status.replace(Some(status));
        fixture.network.words.replace(words.map(str::to_owned));
        fixture.run_jobs();
        let error = entry(&fixture).get("last_error").cloned().unwrap_or_default();
        assert!(error.starts_with(expected), "{status}: {error}");
        assert!(status == 401 || !error.contains("secret"), "{status}: {error}");
        assert_eq!(error.is_empty(), expected.is_empty(), "{status}: {error}");
        assert_eq!(fixture.network.timeouts.take(), [TIMEOUT_MILLISECONDS]);
    }
}

#[test]
fn what_an_entry_says_is_cut_at_its_limit() {
    for (extra, expected) in
        [(0, MAXIMUM_REFUSAL_CHARACTERS), (1, MAXIMUM_REFUSAL_CHARACTERS), (-1, MAXIMUM_REFUSAL_CHARACTERS - 1)]
    {
        let mut fixture = Fixture::with_app();
        incident_in_scope(&mut fixture);
        let own = "The webhook was not reached: ".len();
        let length = usize::try_from(i64::try_from(MAXIMUM_REFUSAL_CHARACTERS - own).unwrap() + extra).unwrap();
        fixture.network.status.replace(Some(0));
        fixture.network.words.replace(Some("x".repeat(length)));
        fixture.run_jobs();
        let error = entry(&fixture)["last_error"].clone();
        assert_eq!(error.len(), expected, "{error}");
        assert!(error.starts_with("The webhook was not reached: xxx"));
    }
}

#[test]
fn a_request_that_the_platform_refuses_to_make_is_a_failure_like_any_other() {
    let mut fixture = Fixture::with_app();
    incident_in_scope(&mut fixture);
    let incident = "var incident = new GlideRecord('incident'); incident.query(); incident.next();";
    let refused = fixture.script(&format!(
        "{incident}
        sn_ws.RESTMessageV2.prototype = {{}};
        CasebridgeWebhook.prototype._outcome = function () {{ throw new Error('no such host'); }};
        new CasebridgeWebhook().send('one', incident)"
    ));
    assert_eq!(refused, "The webhook was not reached: Error: no such host");
    fixture.sent();
    // A text in the form of a platform's variable is sent unchanged.
    fixture.script(&format!("{incident} new CasebridgeWebhook().send('${{words}}', incident)"));
    let (_, request) = fixture.sent().remove(0);
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(sent["id"], "${words}");
    assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"));
}

#[test]
fn a_webhook_names_the_update_count() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.put("incident", &incident, &[("sys_mod_count", "12")]);
    fixture.run_jobs();
    let (_, request) = fixture.sent().remove(0);
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(sent["data"], json!({"sys_id": incident, "sys_mod_count": 12}));
}

#[test]
fn an_outbox_that_refuses_an_entry_is_logged_and_nothing_is_sent() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    fixture.sent();
    let taken = entry(&fixture)["webhook_id"].clone();
    fixture.script(&format!(
        "gs.generateGUID = function () {{ return '{taken}'; }};
        var incident = new GlideRecord('incident');
        incident.get('{incident}');
        new CasebridgeOutbox().announce(incident)"
    ));
    assert!(fixture.sent().is_empty());
    let logged = fixture.logged("error");
    let expected = format!("casebridge: the outbox refused an entry: Error during insert of {OUTBOX}");
    assert!(logged[0].starts_with(&expected), "{logged:?}");
    assert_eq!(fixture.instance.records(OUTBOX, "").len(), 1);
}

#[test]
fn where_the_app_is_silent_one_entry_waits_for_each_incident() {
    let mut fixture = Fixture::with_app();
    let first = incident_in_scope(&mut fixture);
    fixture.run_jobs();
    fixture.sent();
    // The first entry is sent and does not wait.
    fixture.set("home_instance", "another");
    let second = fixture.instance.copy(fixture.now, "agent", "incident", &first, &fixture.network).unwrap();
    for number in 0..3 {
        for incident in [&first, &second] {
            let values = json!({"comments": number.to_string()});
            assert_eq!(fixture.update("agent", "incident", incident, &values).status, 200);
            fixture.run_jobs();
        }
    }
    let waiting = fixture.instance.records(OUTBOX, "state=error^ORDERBYincident");
    let mut incidents: Vec<&str> = waiting.iter().map(|row| row["incident"].as_str()).collect();
    incidents.sort_unstable();
    let mut expected = [first.as_str(), second.as_str()];
    expected.sort_unstable();
    assert_eq!(incidents, expected);
    assert!(fixture.sent().is_empty());
}

#[test]
fn entries_that_say_why_the_app_is_silent_hold_up_no_others() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.set("home_instance", "another");
    let silence = fixture.script("new CasebridgeInstallation().silence()");
    assert!(silence.starts_with("This instance has not been adopted. "), "{silence}");
    let (long_ago, now) = (moment(&fixture, -3_600), moment(&fixture, 0));
    for number in 0..ENTRIES_PER_RUN {
        let values = [("state", "error"), ("last_error", silence.as_str()), ("next_attempt_at", &long_ago)];
        put_entry(&mut fixture, &incident, number, &values);
    }
    for (number, error) in [(200, ""), (201, "The webhook answered 503: unavailable.")] {
        put_entry(
            &mut fixture,
            &incident,
            number,
            &[("state", "error"), ("last_error", error), ("next_attempt_at", &now)],
        );
    }
    fixture.script("new CasebridgeOutbox().sendDue()");
    let told = fixture.instance.records(OUTBOX, "last_errorSTARTSWITHThis instance has not been adopted");
    assert_eq!(told.len(), ENTRIES_PER_RUN + 2);
    assert!(fixture.sent().is_empty());
}

#[test]
fn that_aws_has_heard_of_an_incident_is_noted_once() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let note = |prelude: &str| format!("{prelude} new CasebridgeAnnouncement().note('{incident}'); 'noted'");
    // Another request is first. The unique index refuses this row, and the other one is there.
    fixture.script(&note(&another_inserts_first(ANNOUNCEMENTS, &[("incident", &incident)])));
    assert_eq!(fixture.instance.records(ANNOUNCEMENTS, "").len(), 1);
    // The announcement is known, so no further row is written.
    let noted = fixture.script(&note(&inserts_are_refused("throw new Error('again');")));
    assert_eq!(noted, "noted");
    assert_eq!(
        fixture.script(&format!(
            "var inserts = 0;
            GlideRecord.prototype.insert = function () {{ inserts += 1; return null; }};
            new CasebridgeAnnouncement().note('{incident}');
            inserts + ''"
        )),
        "0"
    );
    assert!(fixture.logged("error").is_empty());
}

#[test]
fn a_note_that_the_platform_refuses_is_logged() {
    for refusal in ["return null;", "throw new Error('no space');"] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let broken = inserts_are_refused(refusal);
        fixture.script(&format!("{broken} new CasebridgeAnnouncement().note('{incident}'); ''"));
        let logged = fixture.logged("error");
        assert_eq!(logged.len(), 1);
        assert!(logged[0].starts_with("casebridge: the announcement table refused a row: "), "{logged:?}");
    }
}
