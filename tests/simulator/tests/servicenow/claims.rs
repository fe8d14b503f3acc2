//! Each message is delivered once, whatever happens between its claim and its end: deaths, repeats, people, rules of
//! the instance.

use serde_json::{Value, json};

use crate::support::{
    Fixture, another_inserts_first, another_saves_after, body, deliver, deliver_where, external_id, gone_after,
    incident_in_scope, inserts_are_refused, message, text, updates,
};

const DELIVERIES: &str = "x_casebridge_aws_delivery";
/// The default of how long a claim counts as a request under way, in seconds.
const CLAIM_SECONDS: i64 = 60;
/// How many commits a delivery has made when its message is claimed, and when it is in the journal.
const CLAIMED: u64 = 1;
const WRITTEN: u64 = 3;

/// Returns a fixture in which the instance died after this many commits of a delivery, and the incident.
fn died_after(commits: u64, order: &Value) -> (Fixture, String) {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.snapshot(&incident);
    die_after(&mut fixture, &incident, commits, order);
    (fixture, incident)
}

fn die_after(fixture: &mut Fixture, incident: &str, commits: u64, order: &Value) {
    fixture.instance.stop_after_commits(commits);
    assert_eq!(deliver(fixture, incident, order).status, 502);
}

/// Delivers and returns the outcome of the message.
fn outcome(fixture: &mut Fixture, incident: &str, order: &Value) -> Value {
    let response = deliver(fixture, incident, order);
    assert_eq!(response.status, 200, "{}", text(&response));
    body(&response)["result"]["messages"][0].clone()
}

fn count_of(fixture: &Fixture, incident: &str, words: &str) -> usize {
    fixture.comments(incident).iter().filter(|comment| *comment == words).count()
}

#[test]
fn a_young_claim_is_left_alone_for_as_long_as_the_property_says() {
    let order = message("one", "from AWS");
    for (property, seconds) in
        [("", CLAIM_SECONDS), ("soon", CLAIM_SECONDS), ("-1", CLAIM_SECONDS), ("5", 5), ("10", 10), ("0", 0)]
    {
        let (mut fixture, incident) = died_after(CLAIMED, &order);
        fixture.instance.set_property("x_casebridge_aws.claim_seconds", property);
        if seconds > 0 {
            fixture.pass(seconds - 1);
            let young = deliver(&mut fixture, &incident, &order);
            assert_eq!(young.status, 409, "{property}: {}", text(&young));
            let error = body(&young)["error"].clone();
            assert_eq!(error["message"], "A message is being written by another request");
            assert_eq!(error["detail"], external_id("one"));
            fixture.pass(1);
        }
        assert_eq!(outcome(&mut fixture, &incident, &order)["outcome"], "applied", "{property}");
        assert_eq!(count_of(&fixture, &incident, "from AWS"), 1);
    }
}

#[test]
fn a_claim_is_renewed_with_each_try() {
    let order = message("one", "from AWS");
    let (mut fixture, incident) = died_after(CLAIMED, &order);
    fixture.pass(CLAIM_SECONDS);
    // The old claim is removed and the new one written. Then the instance dies again.
    die_after(&mut fixture, &incident, CLAIMED + 1, &order);
    let rows = fixture.instance.records(DELIVERIES, "");
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0]["state"].as_str(), rows[0]["claimed_at"].as_str()), ("claimed", "2026-11-20 21:01:00"));
    fixture.pass(CLAIM_SECONDS - 1);
    assert_eq!(deliver(&mut fixture, &incident, &order).status, 409);
    fixture.pass(1);
    let result = outcome(&mut fixture, &incident, &order);
    assert_eq!(result["outcome"], "applied");
    let rows = fixture.instance.records(DELIVERIES, "");
    assert_eq!((rows[0]["state"].as_str(), json!(rows[0]["journal"])), ("done", result["journal"].clone()));
}

#[test]
fn what_an_earlier_try_wrote_is_found_in_other_words_where_it_is_the_only_one() {
    let order = message("one", "from AWS, twice  ");
    // Whether the journal shows a changed text; the state of another delivery, and whether it is to the same incident;
    // the expected outcome.
    let others = [
        (true, None, "already_applied"),
        (true, Some(("claimed", true)), "applied"),
        (true, Some(("done", true)), "already_applied"),
        (true, Some(("claimed", false)), "already_applied"),
        (false, Some(("claimed", true)), "already_applied"),
        (false, None, "already_applied"),
    ];
    for (is_redacted, other, expected) in others {
        let (mut fixture, incident) = died_after(WRITTEN, &order);
        let entry = fixture.instance.records("sys_journal_field", "valueSTARTSWITHfrom AWS")[0]["sys_id"].clone();
        if is_redacted {
            fixture.put("sys_journal_field", &entry, &[("value", "from ***")]);
        }
        if let Some((state, is_same)) = other {
            let of = if is_same { incident.as_str() } else { "0123456789abcdef0123456789abcdef" };
            let values = [("external_id", "two"), ("incident", of), ("state", state)];
            fixture.put(DELIVERIES, "fedcba9876543210fedcba9876543210", &values);
        }
        fixture.pass(CLAIM_SECONDS);
        let result = outcome(&mut fixture, &incident, &order);
        let what = format!("{is_redacted} {other:?}");
        assert_eq!(result["outcome"], expected, "{what}");
        if expected == "already_applied" {
            assert_eq!(result["journal"], json!(entry), "{what}");
            assert_eq!(fixture.comments(&incident).len(), 2, "{what}");
            let row = fixture.instance.records(DELIVERIES, &format!("external_id={}", external_id("one"))).remove(0);
            assert_eq!((row["state"].as_str(), &row["journal"]), ("done", &entry), "{what}");
        }
    }
}

/// A second message that AWS shows in other words now can't be told from another unfinished one. So there is never another.
#[test]
fn what_earlier_tries_began_is_settled_before_anything_new_is_written() {
    let (mut fixture, incident) = died_after(CLAIMED, &message("two", "more from AWS"));
    let both = |words: &str| {
        let (one, two) = (message("one", words), message("two", "more from AWS"));
        json!({"messages": [one["messages"][0], two["messages"][0]]})
    };
    let young = deliver(&mut fixture, &incident, &both("from AWS"));
    assert_eq!(young.status, 409, "{}", text(&young));
    assert_eq!(body(&young)["error"]["detail"], external_id("two"));
    assert_eq!(count_of(&fixture, &incident, "from AWS"), 0, "nothing is written beside a claim");
    fixture.pass(CLAIM_SECONDS);
    // The old claim is removed and the first message written. Then the instance dies again.
    die_after(&mut fixture, &incident, 1 + WRITTEN, &both("from AWS"));
    fixture.pass(CLAIM_SECONDS);
    assert_eq!(outcome(&mut fixture, &incident, &both("from ***"))["outcome"], "already_applied");
    assert_eq!(fixture.comments(&incident), ["First ${words}", "from AWS", "more from AWS"]);
}

#[test]
fn the_words_of_anyone_or_anything_else_are_not_taken_for_an_earlier_try() {
    let order = message("one", "from AWS");
    // Each of these makes an entry with the same text differ.
    for (name, value) in [
        ("sys_created_by", "agent"),
        ("sys_created_on", "2026-11-20 20:59:59"),
        ("element", "work_notes"),
        ("element_id", "0123456789abcdef0123456789abcdef"),
    ] {
        let (mut fixture, incident) = died_after(CLAIMED, &order);
        let mut values = vec![
            ("name", "incident"),
            ("element", "comments"),
            ("element_id", incident.as_str()),
            ("sys_created_by", "casebridge"),
            ("sys_created_on", "2026-11-20 21:00:00"),
            ("value", "from AWS"),
        ];
        values.push((name, value));
        fixture.put("sys_journal_field", "fedcba9876543210fedcba9876543210", &values);
        fixture.pass(CLAIM_SECONDS);
        assert_eq!(outcome(&mut fixture, &incident, &order)["outcome"], "applied", "{name}");
    }
}

#[test]
fn an_entry_is_one_deliverys_only_and_the_first_of_several() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.snapshot(&incident);
    // A second delivery with the same text died before it wrote. The entry of the first is not taken for its own.
    die_after(&mut fixture, &incident, CLAIMED, &message("two", "same words"));
    let first = outcome(&mut fixture, &incident, &message("one", "same words"));
    fixture.pass(CLAIM_SECONDS);
    let second = outcome(&mut fixture, &incident, &message("two", "same words"));
    assert_eq!((first["outcome"].as_str(), second["outcome"].as_str()), (Some("applied"), Some("applied")));
    assert_ne!(first["journal"], second["journal"]);
    assert_eq!(count_of(&fixture, &incident, "same words"), 2);
    // If two entries could be those of an earlier try, the older one is taken, by time and then by `sys_id`.
    for (times, wanted) in [(["21:00:05", "21:00:04"], 1), (["21:00:04", "21:00:04"], 0)] {
        let order = message("one", "from AWS");
        let (mut fixture, incident) = died_after(CLAIMED, &order);
        let entries = ["11111111111111111111111111111111", "22222222222222222222222222222222"];
        for (entry, time) in entries.iter().zip(times) {
            let values = [
                ("element", "comments"),
                ("element_id", incident.as_str()),
                ("sys_created_by", "casebridge"),
                ("sys_created_on", &format!("2026-11-20 {time}")),
                ("value", "from AWS"),
            ];
            fixture.put("sys_journal_field", entry, &values);
        }
        fixture.pass(CLAIM_SECONDS);
        assert_eq!(outcome(&mut fixture, &incident, &order)["journal"], entries[wanted], "{times:?}");
    }
}

#[test]
fn of_two_requests_at_once_one_writes_and_the_other_is_told() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    fixture.snapshot(&incident);
    // Another request claims the message just before this one does.
    let late = another_inserts_first(DELIVERIES, &[("external_id", &external_id("one")), ("incident", &incident)]);
    let answer = deliver_where(&mut fixture, &incident, &late, &message("one", "from AWS"));
    assert_eq!(answer["error"], json!([409, "A message is being written by another request", external_id("one")]));
    assert_eq!(count_of(&fixture, &incident, "from AWS"), 0);
    assert!(fixture.logged("error").is_empty());
}

#[test]
fn fields_are_left_alone_that_an_agent_changed_while_messages_were_written() {
    for (values, outcome, state) in [
        ([("state", "2"), ("urgency", "2")], "stale", "2"),
        ([("state", "3"), ("hold_reason", "1")], "stale", "3"),
        ([("close_notes", "Replaced the disk"), ("priority", "2")], "stale", "1"),
        ([("priority", "2"), ("urgency", "2")], "applied", "6"),
    ] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        fixture.snapshot(&incident);
        let mut order = message("one", "from AWS");
        order["fields"] = json!({"state": "6", "close_code": "Solved (Permanently)", "close_notes": "Resolved at AWS"});
        let answer = deliver_where(&mut fixture, &incident, &another_saves_after(&incident, &values), &order);
        assert_eq!(answer["result"]["fields"], outcome, "{values:?} {answer}");
        assert_eq!(answer["result"]["snapshot"]["state"], state, "{values:?}");
        assert_eq!(count_of(&fixture, &incident, "from AWS"), 1);
    }
}

#[test]
fn a_claim_that_the_platform_refuses_is_logged_and_nothing_is_written() {
    for refusal in ["return null;", "throw new Error('no space');"] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        fixture.snapshot(&incident);
        let broken = inserts_are_refused(refusal);
        let answer = deliver_where(&mut fixture, &incident, &broken, &message("one", "from AWS"));
        assert_eq!(
            answer["error"],
            json!([500, "Operation failed", format!("The delivery of {} was not recorded.", external_id("one"))])
        );
        let logged = fixture.logged("error");
        assert!(logged[0].starts_with("casebridge: the delivery table refused a row: "), "{logged:?}");
        assert_eq!(count_of(&fixture, &incident, "from AWS"), 0);
    }
}

#[test]
fn an_incident_that_is_deleted_meanwhile_is_told_and_leaves_no_claim() {
    for (order, is_message) in [(message("one", "from AWS"), true), (json!({"columns": {"display_id": "1"}}), false)] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let answer = deliver_where(&mut fixture, &incident, &gone_after(1), &order);
        let (outcome, error) = if is_message {
            let result = &answer["result"]["messages"][0];
            (&result["outcome"], &result["error"])
        } else {
            (&answer["result"]["fields"], &answer["result"]["field_error"])
        };
        assert_eq!((outcome.as_str(), error.as_str()), (Some("refused"), Some("The incident no longer exists.")));
        assert!(fixture.instance.records(DELIVERIES, "").is_empty(), "it may come again");
    }
}

#[test]
fn fields_of_an_incident_that_is_gone_after_its_messages_are_stale() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let mut order = message("one", "from AWS");
    order["columns"] = json!({"display_id": "1"});
    let answer = deliver_where(&mut fixture, &incident, &gone_after(2), &order);
    assert_eq!(answer["result"]["messages"][0]["outcome"], "applied", "{answer}");
    assert_eq!(answer["result"]["fields"], "stale");
}

#[test]
fn an_update_that_fails_says_why_and_the_journal_decides() {
    for (behaviour, expected, words) in [
        ("return null;", "refused", "The instance refused the update and gave no reason."),
        ("throw 'a rule failed';", "refused", "a rule failed"),
        ("update.call(this); throw 'a rule failed';", "applied", ""),
        ("update.call(this); return null;", "applied", ""),
    ] {
        let mut fixture = Fixture::with_app();
        let incident = incident_in_scope(&mut fixture);
        let answer = deliver_where(&mut fixture, &incident, &updates(behaviour), &message("one", "from AWS"));
        let result = &answer["result"]["messages"][0];
        assert_eq!(
            (result["outcome"].as_str(), result["error"].as_str()),
            (Some(expected), Some(words)),
            "{behaviour}"
        );
        let is_written = expected == "applied";
        assert_eq!(count_of(&fixture, &incident, "from AWS"), usize::from(is_written));
        assert_eq!(result["journal"] != "", is_written);
        assert_eq!(fixture.instance.records(DELIVERIES, "state=done").len(), usize::from(is_written));
        assert_eq!(fixture.instance.records(DELIVERIES, "").len(), usize::from(is_written));
    }
}

#[test]
fn a_state_that_a_rule_puts_back_is_refused() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let puts_back = updates("this.state = '3'; return update.call(this);");
    let answer = deliver_where(&mut fixture, &incident, &puts_back, &json!({"fields": {"state": "2"}}));
    assert_eq!(answer["result"]["fields"], "refused");
    assert_eq!(answer["result"]["field_error"], "The instance set the state to 3 instead.");
    let answer = deliver_where(&mut fixture, &incident, &puts_back, &json!({"fields": {"hold_reason": "1"}}));
    assert_eq!(answer["result"]["fields"], "applied", "a state that nobody asked for is not compared");
    let answer = deliver_where(&mut fixture, &incident, "", &json!({"fields": {"state": "2"}}));
    assert_eq!((&answer["result"]["fields"], &answer["result"]["field_error"]), (&json!("applied"), &json!("")));
}
