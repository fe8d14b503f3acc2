//! The parts of a delivery, their outcomes, and the refusals of other parts.

use casebridge_core::{
    identifiers::{AccountId, CaseId, IncidentId, LinkKey},
    link::mark::{Entropy, Mark},
    support::{
        case::{AMAZON_WEB_SERVICES, RawCommunication},
        conversation::Conversation,
        memory::LinkedCase,
    },
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Fixture, body, deliver, external_id, incident_in_scope, message, text};

/// The app's limits of a delivery.
const MAXIMUM_MESSAGES: usize = 25;
const MAXIMUM_EXTERNAL_ID_CHARACTERS: usize = 100;
const MAXIMUM_TEXT_CHARACTERS: usize = 100_000;
const MAXIMUM_FIELD_CHARACTERS: usize = 4_000;
const MAXIMUM_LAST_ERROR_CHARACTERS: usize = 1_000;

/// Returns a delivery of a valid message, followed by this one.
fn second(message: &Value) -> Value {
    json!({"messages": [{"external_id": external_id("right"), "text": "right", "kind": "comment"}, message]})
}

fn comment(name: &str, words: &str) -> Value {
    json!({"external_id": external_id(name), "text": words, "kind": "comment"})
}

fn outcomes(answer: &Value) -> Vec<&str> {
    let messages = answer["result"]["messages"].as_array().expect("outcomes");
    messages.iter().map(|message| message["outcome"].as_str().expect("an outcome")).collect()
}

/// Delivers and returns the answer. The delivery must be accepted.
fn accepted(fixture: &mut Fixture, incident: &str, order: &Value) -> Value {
    let response = deliver(fixture, incident, order);
    assert_eq!(response.status, 200, "{}", text(&response));
    body(&response)
}

#[test]
fn an_order_that_is_wrong_is_refused_by_the_name_of_its_field_and_writes_nothing() {
    // An error in the form of a request needs another version of its sender. An error in the content concerns one
    // incident, and the next request may be valid.
    let (form, content) = ("Invalid request", "Content not accepted");
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let long = |length: usize| "x".repeat(length + 1);
    let too_many: Vec<Value> = (0..=MAXIMUM_MESSAGES).map(|number| comment(&number.to_string(), "text")).collect();
    let with = |name: &str, value: Value| {
        let mut message = comment("wrong", "text");
        message[name] = value;
        second(&message)
    };
    let cases = [
        (json!([]), "body: must be a JSON object"),
        (json!("messages"), "body: must be a JSON object"),
        (json!(null), "body: must be a JSON object"),
        (json!({"message": []}), "message: is not known; known are "),
        (json!({"expected_mod_count": -1}), "expected_mod_count: must be a whole number or null"),
        (json!({"expected_mod_count": 0.5}), "expected_mod_count: must be a whole number or null"),
        (json!({"expected_mod_count": "0"}), "expected_mod_count: must be a whole number or null"),
        (json!({"expected_mod_count": true}), "expected_mod_count: must be a whole number or null"),
        (json!({"messages": {"length": 0}}), "messages: must be a list"),
        (json!({"messages": "text"}), "messages: must be a list"),
        (json!({"messages": too_many}), "messages: must hold at most 25"),
        (json!({"messages": ["first"]}), "messages[0]: must be an object"),
        (second(&json!([])), "messages[1]: must be an object"),
        (with("subject", json!("text")), "messages[1].subject: is not known; known are external_id, text, kind"),
        (with("external_id", Value::Null), "messages[1].external_id: must be a string"),
        (with("external_id", json!("")), "messages[1].external_id: must have 1 to 100 characters"),
        (
            with("external_id", json!(long(MAXIMUM_EXTERNAL_ID_CHARACTERS))),
            "messages[1].external_id: must have 1 to 100 characters",
        ),
        (with("external_id", json!("one")), "messages[1].external_id: must name a communication of a case"),
        (with("text", json!(7)), "messages[1].text: must be a string"),
        (with("kind", json!("reply")), "messages[1].kind: must be comment or work_note"),
        (with("kind", json!("toString")), "messages[1].kind: must be comment or work_note"),
        (json!({"fields": []}), "fields: must be an object"),
        (json!({"fields": {"priority": "1"}}), "fields.priority: is not known; known are state, close_code"),
        (json!({"fields": {"state": 6}}), "fields.state: must be a string"),
        (json!({"columns": "case_id"}), "columns: must be an object"),
        (json!({"columns": {"number": "1"}}), "columns.number: is not known; known are account, case_id"),
        (json!({"columns": {"case_id": null}}), "columns.case_id: must be a string"),
    ];
    let contents = [
        (with("text", json!("")), "messages[1].text: must have 1 to 100000 characters"),
        (with("text", json!(long(MAXIMUM_TEXT_CHARACTERS))), "messages[1].text: must have 1 to 100000 characters"),
        (with("text", json!(" \n ")), "messages[1].text: must not be blank"),
        (with("text", json!(" \u{0}\n\u{1f}")), "messages[1].text: must not be blank"),
        (
            json!({"fields": {"close_notes": long(MAXIMUM_FIELD_CHARACTERS)}}),
            "fields.close_notes: must have 0 to 4000 characters",
        ),
        (
            json!({"columns": {"case_id": long(MAXIMUM_FIELD_CHARACTERS)}}),
            "columns.case_id: must have 0 to 4000 characters",
        ),
    ];
    let cases = cases.into_iter().map(|(order, words)| (form, order, words));
    for (message, order, words) in cases.chain(contents.into_iter().map(|(order, words)| (content, order, words))) {
        let response = deliver(&mut fixture, &incident, &order);
        assert_eq!(response.status, 400, "{words}: {}", text(&response));
        let error = body(&response)["error"].clone();
        assert_eq!(error["message"], message, "{words}");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.starts_with(words), "{detail} instead of {words}");
    }
    assert_eq!(fixture.comments(&incident), ["First ${words}"]);
    assert!(fixture.instance.records("x_casebridge_aws_delivery", "").is_empty());
    assert_eq!(fixture.instance.record("incident", &incident).unwrap()["sys_mod_count"], "0");
}

#[test]
fn an_order_may_go_up_to_each_limit() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let messages: Vec<Value> = (0..MAXIMUM_MESSAGES).map(|number| comment(&number.to_string(), "t")).collect();
    let answer = accepted(&mut fixture, &incident, &json!({"messages": messages}));
    assert_eq!(outcomes(&answer), ["applied"; MAXIMUM_MESSAGES]);
    assert_eq!(answer["result"]["fields"], "none");
    let long = json!({
        "messages": [comment("limit", &"x".repeat(MAXIMUM_TEXT_CHARACTERS))],
        "fields": {"close_notes": "n".repeat(MAXIMUM_FIELD_CHARACTERS), "hold_reason": ""},
        "columns": {"last_error": "e".repeat(MAXIMUM_LAST_ERROR_CHARACTERS + 1), "case_status": "s".repeat(MAXIMUM_LAST_ERROR_CHARACTERS + 1)},
    });
    let answer = accepted(&mut fixture, &incident, &long);
    assert_eq!(outcomes(&answer), ["applied"]);
    assert_eq!(answer["result"]["fields"], "applied");
    let row = fixture.instance.record("incident", &incident).unwrap();
    assert_eq!(row["close_notes"].len(), MAXIMUM_FIELD_CHARACTERS);
    assert_eq!(row["x_casebridge_aws_last_error"].len(), MAXIMUM_LAST_ERROR_CHARACTERS, "the column takes no more");
    assert_eq!(
        row["x_casebridge_aws_case_status"].len(),
        MAXIMUM_LAST_ERROR_CHARACTERS + 1,
        "a limit of that column alone"
    );
}

#[test]
fn what_an_order_leaves_out_is_not_done() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let nothing = json!({"messages": null, "fields": null, "columns": null, "expected_mod_count": null});
    for order in [json!({}), nothing, json!({"fields": {}, "columns": {}, "expected_mod_count": 7})] {
        let answer = accepted(&mut fixture, &incident, &order);
        assert_eq!(answer["result"]["messages"], json!([]));
        assert_eq!((&answer["result"]["fields"], &answer["result"]["field_error"]), (&json!("none"), &json!("")));
        assert_eq!(answer["result"]["snapshot"]["sys_mod_count"], 0);
    }
}

#[test]
fn the_update_count_is_compared_as_the_number_that_it_is() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    for (count, expected, outcome) in [
        ("0", json!(0), "applied"),
        ("12", json!(12), "applied"),
        ("12", json!(13), "stale"),
        ("12", json!(0), "stale"),
        ("12", json!(null), "applied"),
    ] {
        fixture.put("incident", &incident, &[("sys_mod_count", count), ("x_casebridge_aws_display_id", "")]);
        let order = json!({"expected_mod_count": expected, "columns": {"display_id": "1"}});
        let answer = accepted(&mut fixture, &incident, &order);
        assert_eq!(answer["result"]["fields"], outcome, "{count} {expected}");
        let shown = &answer["result"]["snapshot"]["columns"]["display_id"];
        assert_eq!(shown, if outcome == "applied" { "1" } else { "" });
    }
}

#[test]
fn messages_are_written_in_their_order_until_one_is_refused() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let order = json!({"messages": [comment("one", "1"), comment("two", "2"), comment("three", "3")]});
    fixture.instance.abort_updates("Not now", 1);
    let answer = accepted(&mut fixture, &incident, &order);
    assert_eq!(outcomes(&answer), ["refused"], "what follows would overtake it");
    assert_eq!(fixture.comments(&incident).len(), 1);
    let answer = accepted(&mut fixture, &incident, &order);
    assert_eq!(outcomes(&answer), ["applied"; 3]);
    let messages = answer["result"]["messages"].as_array().unwrap();
    for (message, (name, words)) in messages.iter().zip([("one", "1"), ("two", "2"), ("three", "3")]) {
        assert_eq!((&message["external_id"], &message["error"]), (&json!(external_id(name)), &json!("")));
        let entry = fixture.instance.record("sys_journal_field", message["journal"].as_str().unwrap()).unwrap();
        assert_eq!((entry["value"].as_str(), entry["element"].as_str()), (words, "comments"));
    }
    assert_eq!(outcomes(&accepted(&mut fixture, &incident, &order)), ["already_applied"; 3]);
}

#[test]
fn a_work_note_is_written_as_one_and_only_once() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let order = json!({"messages": [{"external_id": external_id("note"), "text": "for agents", "kind": "work_note"}]});
    let first = accepted(&mut fixture, &incident, &order);
    assert_eq!(outcomes(&first), ["applied"]);
    assert_eq!(first["result"]["snapshot"]["entries"].as_array().unwrap().len(), 1, "no snapshot shows it");
    let again = accepted(&mut fixture, &incident, &order);
    assert_eq!(again["result"]["messages"][0]["journal"], first["result"]["messages"][0]["journal"]);
    let notes = fixture.instance.records("sys_journal_field", "element=work_notes");
    assert_eq!(notes.iter().map(|row| row["value"].as_str()).collect::<Vec<_>>(), ["for agents"]);
    assert_eq!(fixture.comments(&incident), ["First ${words}"]);
}

#[test]
fn nothing_from_aws_is_shown_as_html() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let order = message("html", "[code]<b>x</b>[/CODE] [coder]");
    assert_eq!(outcomes(&accepted(&mut fixture, &incident, &order)), ["applied"]);
    assert!(fixture.comments(&incident).contains(&"[ code ]<b>x</b>[ /CODE ] [coder]".to_owned()));
}

#[test]
fn a_control_character_that_the_platform_may_drop_makes_no_tag() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    for (number, control) in ('\0'..='\x1f').enumerate() {
        let order = message(&number.to_string(), &format!("{number} [co{control}de]<b>"));
        assert_eq!(outcomes(&accepted(&mut fixture, &incident, &order)), ["applied"]);
        // The journal may show all control characters, or only tabs and line ends.
        let written = if matches!(control, '\t' | '\n' | '\r') {
            format!("{number} [co{control}de]<b>")
        } else {
            format!("{number} [ code ]<b>")
        };
        assert!(
            fixture.comments(&incident).contains(&written),
            "{control:?}: {:?}",
            fixture.comments(&incident).last()
        );
    }
    let again = accepted(&mut fixture, &incident, &message("0", "0 [co\u{0}de]<b>"));
    assert_eq!(outcomes(&again), ["already_applied"]);
}

#[test]
fn only_the_name_of_a_communication_of_a_case_names_a_delivery() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let right = external_id("one");
    let strange = [
        "one".to_owned(),
        "javascript:gs.error('run')".to_owned(),
        format!("javascript:gs.error('run');//{right}"),
        format!("{right}\n"),
        format!(" {right}"),
        format!("{right}\njavascript:gs.error('run')"),
        right.to_uppercase(),
        right.replace("-0a", "-0b"),
        right.replace("-0a", "-a"),
        right.replace("-0a", ""),
        right.replace("-0a", &format!("-{}", "1".repeat(11))),
        right.replace("-1795208400-", "-17952084001795-"),
        right.replace("-1795208400-", "--"),
        format!("0{right}"),
        right[1..].to_owned(),
    ];
    for name in strange {
        let order = json!({"messages": [{"external_id": name, "text": "from AWS", "kind": "comment"}]});
        let refused = deliver(&mut fixture, &incident, &order);
        assert_eq!(refused.status, 400, "{name}: {}", text(&refused));
        let detail = body(&refused)["error"]["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with("messages[0].external_id: must name a communication of a case"), "{name}: {detail}");
    }
    assert!(fixture.logged("error").is_empty(), "{:?}", fixture.logged("error"));
    assert!(fixture.instance.records("x_casebridge_aws_delivery", "").is_empty());
}

#[test]
fn what_the_core_names_a_communication_is_taken() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let case = LinkedCase {
        account: AccountId::new("111122223333"),
        case_id: CaseId::new("case-111122223333-muen-2026-1"),
        display_id: None,
        status: None,
        status_since: fixture.now,
        changed_at: None,
        reopened_at: None,
        reopened_by: None,
        opened_at: fixture.now,
        fingerprint: String::new(),
        severity: None,
    };
    let key = LinkKey::support_case(IncidentId::new(incident.as_str()));
    let mark = Mark::draw(Entropy::new([7; 16]), &key, 1);
    let mut conversation = Conversation::default();
    conversation.sending(&mark, "ours", fixture.now);
    let marked = mark.sign("ours");
    let raw = |submitted_by: &str, body: &str| RawCommunication {
        time_created: fixture.now,
        submitted_by: submitted_by.to_owned(),
        body: body.to_owned(),
        attachments: Vec::new(),
    };
    let shown: Vec<RawCommunication> = std::iter::repeat_with(|| raw(AMAZON_WEB_SERVICES, "equal"))
        .take(12)
        .chain([raw("owner@example.com", "by a customer"), raw("owner@example.com", &marked)])
        .chain([raw(AMAZON_WEB_SERVICES, &marked), raw(AMAZON_WEB_SERVICES, "")])
        .collect();
    let count = shown.len();
    let taken_in = conversation.take_in(shown, true, fixture.now, SignedDuration::from_hours(1));
    assert_eq!(taken_in.news.len(), count);
    for communication in &taken_in.news {
        let name = casebridge_core::support::message::external_id(&key, &case, communication);
        let order = json!({"messages": [{"external_id": name, "text": name, "kind": "comment"}]});
        assert_eq!(outcomes(&accepted(&mut fixture, &incident, &order)), ["applied"], "{name}");
    }
    let suffixes = |suffix: &str| taken_in.news.iter().filter(|id| id.as_str().ends_with(suffix)).count();
    assert_eq!((suffixes("-11a"), suffixes("-0m"), suffixes("-0am")), (1, 1, 1), "{:?}", taken_in.news);
}

#[test]
fn a_message_belongs_to_the_incident_that_it_was_written_to() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    accepted(&mut fixture, &incident, &message("one", "from AWS"));
    let other = fixture.instance.copy(fixture.now, "agent", "incident", &incident, &fixture.network).unwrap();
    let answer = accepted(&mut fixture, &other, &message("one", "from AWS"));
    let result = &answer["result"]["messages"][0];
    assert_eq!((result["outcome"].as_str(), result["journal"].as_str()), (Some("refused"), Some("")));
    assert_eq!(result["error"], "This external_id belongs to another incident.");
    assert!(fixture.comments(&other).is_empty());
}

#[test]
fn columns_are_written_even_where_the_fields_are_refused() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let (fields, columns) = (json!({"hold_reason": "1"}), json!({"display_id": "1"}));
    let orders = [
        json!({"fields": fields.clone(), "columns": columns.clone()}),
        json!({"fields": fields}),
        json!({"columns": columns}),
    ];
    for (order, tells_of_both) in orders.iter().zip([true, false, false]) {
        fixture.instance.abort_updates("Not now", 2);
        let answer = accepted(&mut fixture, &incident, order);
        assert_eq!(answer["result"]["fields"], "refused");
        let error = answer["result"]["field_error"].as_str().unwrap();
        assert!(error.contains("aborted by Business Rule 'Not now'"), "{error}");
        assert_eq!(error.contains(" The columns were refused, too: "), tells_of_both, "{error}");
    }
    fixture.instance.abort_updates("Not now", 1);
    let answer = accepted(&mut fixture, &incident, &orders[0]);
    assert_eq!(answer["result"]["fields"], "refused");
    assert!(!answer["result"]["field_error"].as_str().unwrap().contains("too"));
    assert_eq!(answer["result"]["snapshot"]["columns"]["display_id"], "1");
    assert_eq!(answer["result"]["snapshot"]["hold_reason"], "");
}
