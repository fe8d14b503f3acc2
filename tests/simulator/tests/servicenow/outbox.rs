//! Webhooks that wait: when each is attempted, what an entry says of a failure, and when it goes.

use serde_json::{Value, json};

use crate::support::{World, another_inserts_first, incident_in_scope, inserts_are_refused};

const OUTBOX: &str = "x_casebridge_aws_outbox";
const ANNOUNCEMENTS: &str = "x_casebridge_aws_announcement";
/// The app's own constants.
const ENTRIES_PER_RUN: usize = 100;
const DELETIONS_PER_RUN: usize = 500;
const TIMEOUT_MILLISECONDS: u64 = 5_000;
const REFUSAL_LIMIT: usize = 300;
const SECONDS_PER_DAY: i64 = 86_400;

/// Runs the outbox job's two parts now, whenever the job itself is due; gives how many webhooks left.
fn send_due(world: &mut World) -> usize {
    world.script("new CasebridgeOutbox().sendDue()");
    world.sent().len()
}

fn entry(world: &World) -> std::collections::BTreeMap<String, String> {
    world.instance.records(OUTBOX, "").remove(0)
}

/// A world with an incident in the outbox whose first attempt was answered with this status.
fn failed_with(status: u16) -> World {
    let mut world = World::with_app();
    incident_in_scope(&mut world);
    world.network.status.replace(Some(status));
    world.run_jobs();
    assert_eq!(world.sent().len(), 1);
    world
}

/// An entry of the incident's, by its number.
fn put_entry(world: &mut World, incident: &str, number: usize, values: &[(&str, &str)]) {
    let (sys_id, webhook_id) = (format!("{number:032x}"), format!("webhook {number}"));
    let all = [("webhook_id", webhook_id.as_str()), ("incident", incident)];
    world.put(OUTBOX, &sys_id, &[&all, values].concat());
}

/// A moment so many seconds from now, as the platform writes it.
fn moment(world: &World, seconds: i64) -> String {
    casebridge_core::time::format_servicenow(world.now + jiff::SignedDuration::from_secs(seconds))
}

#[test]
fn the_delay_doubles_from_half_a_minute_to_an_hour() {
    let mut world = failed_with(503);
    for (attempts, delay) in (1..).zip([30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600, 3_600]) {
        let row = entry(&world);
        assert_eq!((row["state"].as_str(), row["attempts"].clone()), ("error", attempts.to_string()));
        assert_eq!(row["next_attempt_at"], moment(&world, delay));
        assert_eq!(row["last_error"], "The webhook answered 503: unavailable.");
        world.pass(delay - 1);
        assert_eq!(send_due(&mut world), 0, "it is not due yet");
        world.pass(1);
        assert_eq!(send_due(&mut world), 1);
    }
    let number = world.instance.records("incident", "x_casebridge_aws_service_codeISNOTEMPTY")[0]["number"].clone();
    assert_eq!(world.logged("warn")[0], format!("casebridge: {number}: The webhook answered 503: unavailable."));
    world.network.status.replace(None);
    world.pass(3_600);
    assert_eq!(send_due(&mut world), 1);
    let row = entry(&world);
    assert_eq!((row["state"].as_str(), row["attempts"].as_str()), ("sent", "13"), "the one that went well is counted");
    assert_eq!(row["sent_at"], moment(&world, 0));
    assert!(!row.contains_key("last_error"));
}

#[test]
fn what_a_rule_that_died_leaves_behind_is_the_jobs_after_a_minute() {
    let mut world = World::with_app();
    incident_in_scope(&mut world);
    // It is noted that AWS hears of the incident, and the entry is written; then the instance dies.
    world.instance.stop_after_commits(2);
    world.instance.run_next_rule(world.now, &world.network);
    world.sent();
    let row = entry(&world);
    assert_eq!((row["state"].as_str(), row["attempts"].as_str()), ("pending", "0"));
    assert_eq!(row["next_attempt_at"], moment(&world, 60));
    world.pass(59);
    assert_eq!(send_due(&mut world), 0);
    world.pass(1);
    assert_eq!(send_due(&mut world), 1);
    assert_eq!(entry(&world)["attempts"], "1");
}

#[test]
fn a_run_sends_those_that_have_waited_longest_and_not_more_than_it_may() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    for number in 0..=ENTRIES_PER_RUN {
        // The one that is due last has neither the lowest sys_id nor the greatest.
        let state = if number % 2 == 0 { "pending" } else { "error" };
        let due = moment(&world, if number == 1 { 0 } else { -1 });
        put_entry(&mut world, &incident, number, &[("state", state), ("next_attempt_at", &due)]);
    }
    assert_eq!(send_due(&mut world), ENTRIES_PER_RUN);
    let left = world.instance.records(OUTBOX, "state!=sent");
    assert_eq!(left.iter().map(|row| row["webhook_id"].as_str()).collect::<Vec<_>>(), ["webhook 1"]);
    assert_eq!(send_due(&mut world), 1);
    assert_eq!(send_due(&mut world), 0);
}

#[test]
fn a_run_ends_before_the_next_one_is_due() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    for number in 0..20 {
        let due = moment(&world, 0);
        put_entry(&mut world, &incident, number, &[("state", "pending"), ("next_attempt_at", &due)]);
    }
    // Each webhook takes five seconds: after nine of them the forty-five seconds are over.
    let slow = "var passed = 0;
        var read = GlideDateTime.prototype.getNumericValue;
        GlideDateTime.prototype.getNumericValue = function () { return read.call(this) + passed; };
        CasebridgeWebhook.prototype.send = function () { passed += 5000; return ''; };
        new CasebridgeOutbox().sendDue()";
    world.script(slow);
    assert_eq!(world.instance.records(OUTBOX, "state=sent").len(), 9);
}

#[test]
fn sent_entries_go_after_the_days_that_the_property_says() {
    for (property, days) in [("", 7), ("never", 7), ("-1", 7), ("10", 10), ("1", 1), ("0", 0)] {
        let mut world = World::with_app();
        let incident = incident_in_scope(&mut world);
        world.instance.set_property("x_casebridge_aws.outbox_retention_days", property);
        let limit = -days * SECONDS_PER_DAY;
        for (number, (seconds, state)) in
            [(limit - 1, "sent"), (limit, "sent"), (limit - 1, "error"), (limit - 1, "pending")].into_iter().enumerate()
        {
            let (sent_at, later) = (moment(&world, seconds), moment(&world, 60));
            let values = [("state", state), ("sent_at", &sent_at), ("next_attempt_at", &later)];
            put_entry(&mut world, &incident, number, &values);
        }
        // The job's own script: it sends, and then deletes.
        world.run_jobs();
        let mut left: Vec<String> =
            world.instance.records(OUTBOX, "").into_iter().map(|row| row["webhook_id"].clone()).collect();
        left.retain(|webhook_id| webhook_id.starts_with("webhook"));
        left.sort();
        assert_eq!(left, ["webhook 1", "webhook 2", "webhook 3"], "{property:?}");
    }
}

#[test]
fn a_run_deletes_the_oldest_and_not_more_than_it_may() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    for number in 0..=DELETIONS_PER_RUN {
        // The youngest has neither the lowest sys_id nor the greatest.
        let sent_at = moment(&world, -8 * SECONDS_PER_DAY - i64::from(number != 1));
        put_entry(&mut world, &incident, number, &[("state", "sent"), ("sent_at", &sent_at)]);
    }
    world.script("new CasebridgeOutbox().deleteExpired()");
    let left = world.instance.records(OUTBOX, "");
    assert_eq!(left.iter().map(|row| row["webhook_id"].as_str()).collect::<Vec<_>>(), ["webhook 1"]);
}

#[test]
fn an_entry_of_an_incident_that_is_gone_is_closed_and_says_so() {
    let mut world = failed_with(503);
    let sys_id = entry(&world)["incident"].clone();
    world.script(&format!(
        "var gone = new GlideRecord('{OUTBOX}'); gone.query(); gone.next(); gone.incident = 'gone'; gone.update()"
    ));
    assert_ne!(entry(&world)["incident"], sys_id);
    world.pass(3_600);
    assert_eq!(send_due(&mut world), 0);
    let row = entry(&world);
    assert_eq!((row["state"].as_str(), row["attempts"].as_str()), ("sent", "1"));
    assert_eq!(row["last_error"], "The incident no longer exists: there is nothing to send.");
    assert_eq!(row["sent_at"], moment(&world, 0));
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
        let mut world = World::with_app();
        incident_in_scope(&mut world);
        world.network.status.replace(Some(status));
        world.network.words.replace(words.map(str::to_owned));
        world.run_jobs();
        let error = entry(&world).get("last_error").cloned().unwrap_or_default();
        assert!(error.starts_with(expected), "{status}: {error}");
        assert!(status == 401 || !error.contains("secret"), "{status}: {error}");
        assert_eq!(error.is_empty(), expected.is_empty(), "{status}: {error}");
        assert_eq!(world.network.timeouts.take(), [TIMEOUT_MILLISECONDS]);
    }
}

#[test]
fn what_an_entry_says_is_cut_at_its_limit() {
    for (extra, expected) in [(0, REFUSAL_LIMIT), (1, REFUSAL_LIMIT), (-1, REFUSAL_LIMIT - 1)] {
        let mut world = World::with_app();
        incident_in_scope(&mut world);
        let own = "The webhook was not reached: ".len();
        let length = usize::try_from(i64::try_from(REFUSAL_LIMIT - own).unwrap() + extra).unwrap();
        world.network.status.replace(Some(0));
        world.network.words.replace(Some("x".repeat(length)));
        world.run_jobs();
        let error = entry(&world)["last_error"].clone();
        assert_eq!(error.len(), expected, "{error}");
        assert!(error.starts_with("The webhook was not reached: xxx"));
    }
}

#[test]
fn a_request_that_the_platform_refuses_to_make_is_a_failure_like_any_other() {
    let mut world = World::with_app();
    incident_in_scope(&mut world);
    let incident = "var incident = new GlideRecord('incident'); incident.query(); incident.next();";
    let refused = world.script(&format!(
        "{incident}
        sn_ws.RESTMessageV2.prototype = {{}};
        CasebridgeWebhook.prototype._outcome = function () {{ throw new Error('no such host'); }};
        new CasebridgeWebhook().send('one', incident)"
    ));
    assert_eq!(refused, "The webhook was not reached: Error: no such host");
    world.sent();
    // A text in the form of a platform's variable is sent unchanged.
    world.script(&format!("{incident} new CasebridgeWebhook().send('${{words}}', incident)"));
    let (_, request) = world.sent().remove(0);
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(sent["id"], "${words}");
    assert_eq!(request.header("content-type"), Some("application/json; charset=utf-8"));
}

#[test]
fn a_webhook_names_the_update_count() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.put("incident", &incident, &[("sys_mod_count", "12")]);
    world.run_jobs();
    let (_, request) = world.sent().remove(0);
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(sent["data"], json!({"sys_id": incident, "sys_mod_count": 12}));
}

#[test]
fn an_outbox_that_refuses_an_entry_is_logged_and_nothing_is_sent() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.run_jobs();
    world.sent();
    let taken = entry(&world)["webhook_id"].clone();
    world.script(&format!(
        "gs.generateGUID = function () {{ return '{taken}'; }};
        var incident = new GlideRecord('incident');
        incident.get('{incident}');
        new CasebridgeOutbox().announce(incident)"
    ));
    assert!(world.sent().is_empty());
    let logged = world.logged("error");
    let expected = format!("casebridge: the outbox refused an entry: Error during insert of {OUTBOX}");
    assert!(logged[0].starts_with(&expected), "{logged:?}");
    assert_eq!(world.instance.records(OUTBOX, "").len(), 1);
}

#[test]
fn where_the_app_is_silent_one_entry_waits_for_each_incident() {
    let mut world = World::with_app();
    let first = incident_in_scope(&mut world);
    world.run_jobs();
    world.sent();
    // That one is sent, and waits for nothing.
    world.set("home_instance", "another");
    let second = world.instance.copy(world.now, "agent", "incident", &first, &world.network).unwrap();
    for number in 0..3 {
        for incident in [&first, &second] {
            let values = json!({"comments": number.to_string()});
            assert_eq!(world.update("agent", "incident", incident, &values).status, 200);
            world.run_jobs();
        }
    }
    let waiting = world.instance.records(OUTBOX, "state=error^ORDERBYincident");
    let mut incidents: Vec<&str> = waiting.iter().map(|row| row["incident"].as_str()).collect();
    incidents.sort_unstable();
    let mut expected = [first.as_str(), second.as_str()];
    expected.sort_unstable();
    assert_eq!(incidents, expected);
    assert!(world.sent().is_empty());
}

#[test]
fn entries_that_say_why_the_app_is_silent_hold_up_no_others() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    world.set("home_instance", "another");
    let silence = world.script("new CasebridgeInstallation().silence()");
    assert!(silence.starts_with("This instance has not been adopted. "), "{silence}");
    let (long_ago, now) = (moment(&world, -3_600), moment(&world, 0));
    for number in 0..ENTRIES_PER_RUN {
        let values = [("state", "error"), ("last_error", silence.as_str()), ("next_attempt_at", &long_ago)];
        put_entry(&mut world, &incident, number, &values);
    }
    for (number, error) in [(200, ""), (201, "The webhook answered 503: unavailable.")] {
        put_entry(
            &mut world,
            &incident,
            number,
            &[("state", "error"), ("last_error", error), ("next_attempt_at", &now)],
        );
    }
    world.script("new CasebridgeOutbox().sendDue()");
    let told = world.instance.records(OUTBOX, "last_errorSTARTSWITHThis instance has not been adopted");
    assert_eq!(told.len(), ENTRIES_PER_RUN + 2);
    assert!(world.sent().is_empty());
}

#[test]
fn that_aws_has_heard_of_an_incident_is_noted_once() {
    let mut world = World::with_app();
    let incident = incident_in_scope(&mut world);
    let note = |prelude: &str| format!("{prelude} new CasebridgeAnnouncement().note('{incident}'); 'noted'");
    // Somebody else is first: the unique index refuses this one, and the row is there.
    world.script(&note(&another_inserts_first(ANNOUNCEMENTS, &[("incident", &incident)])));
    assert_eq!(world.instance.records(ANNOUNCEMENTS, "").len(), 1);
    // It is known: no further row is written.
    let noted = world.script(&note(&inserts_are_refused("throw new Error('again');")));
    assert_eq!(noted, "noted");
    assert_eq!(
        world.script(&format!(
            "var inserts = 0;
            GlideRecord.prototype.insert = function () {{ inserts += 1; return null; }};
            new CasebridgeAnnouncement().note('{incident}');
            inserts + ''"
        )),
        "0"
    );
    assert!(world.logged("error").is_empty());
}

#[test]
fn a_note_that_the_platform_refuses_is_logged() {
    for refusal in ["return null;", "throw new Error('no space');"] {
        let mut world = World::with_app();
        let incident = incident_in_scope(&mut world);
        let broken = inserts_are_refused(refusal);
        world.script(&format!("{broken} new CasebridgeAnnouncement().note('{incident}'); ''"));
        let logged = world.logged("error");
        assert_eq!(logged.len(), 1);
        assert!(logged[0].starts_with("casebridge: the announcement table refused a row: "), "{logged:?}");
    }
}
