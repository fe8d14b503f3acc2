//! The errors of requests all have the same envelope. The app's own errors stay in its log.

use serde_json::{Value, json};

use crate::support::{Fixture, INCIDENTS, body, incident_in_scope, text};

/// Sends a request and returns the status, message and detail of its error.
fn error(fixture: &mut Fixture, method: &str, path: &str, order: Option<&Value>) -> (u16, String, String) {
    let response = fixture.call("casebridge", method, &format!("{INCIDENTS}/{path}"), order);
    let error = &body(&response)["error"];
    let words = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (response.status, words("message"), words("detail"))
}

fn is(status: u16, message: &str, detail: &str) -> (u16, String, String) {
    (status, message.to_owned(), detail.to_owned())
}

#[test]
fn an_incident_is_named_by_a_sys_id() {
    let mut fixture = Fixture::with_app();
    incident_in_scope(&mut fixture);
    let malformed = is(404, "No such incident", "A sys_id has 32 hexadecimal digits.");
    for name in ["INC0010001", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdef0", "gone"] {
        assert_eq!(
            error(&mut fixture, "GET", &format!("{name}/snapshot?kind=support_case"), None),
            malformed,
            "{name}"
        );
        assert_eq!(
            error(&mut fixture, "POST", &format!("{name}/deliver"), Some(&json!({"kind": "support_case"}))),
            malformed,
            "{name}"
        );
    }
    let name = "0123456789abcdef0123456789abcdef";
    let missing = is(404, "No such incident", &format!("There is no incident {name}."));
    assert_eq!(error(&mut fixture, "GET", &format!("{name}/snapshot?kind=support_case"), None), missing);
    assert_eq!(
        error(&mut fixture, "POST", &format!("{name}/deliver"), Some(&json!({"kind": "support_case"}))),
        missing
    );
}

#[test]
fn parameters_that_are_wrong_are_named() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let time = |name: &str| format!("{name}: must be a time in UTC, for example 2026-11-20 21:14:05");
    let sys_id = |name: &str| format!("{name}: a sys_id has 32 hexadecimal digits");
    let since = "since=2026-11-20 00:00:00";
    for (path, detail) in [
        ("changes".to_owned(), time("since")),
        ("changes?since=".to_owned(), time("since")),
        ("changes?since=2026-11-20T00:00:00".to_owned(), time("since")),
        ("changes?since=2026-11-20 00:00".to_owned(), time("since")),
        ("changes?since= 2026-11-20 00:00:00".to_owned(), time("since")),
        (format!("changes?{since}&after=x"), sys_id("after")),
        (format!("{incident}/snapshot?kind=support_case&entries_since=noon"), time("entries_since")),
        (format!("{incident}/snapshot?kind=support_case&entries_{since}&entries_after=x"), sys_id("entries_after")),
        (
            format!("{incident}/snapshot?kind=support_case&entries_after={incident}"),
            "entries_after: needs entries_since: the two are one point".to_owned(),
        ),
    ] {
        assert_eq!(error(&mut fixture, "GET", &path, None), is(400, "Invalid request", &detail), "{path}");
    }
    for path in [
        "changes?since=2026-11-20 00:00:00&after=&limit=".to_owned(),
        format!("{incident}/snapshot?kind=support_case&entries_after="),
    ] {
        let response = fixture.call("casebridge", "GET", &format!("{INCIDENTS}/{path}"), None);
        assert_eq!(response.status, 200, "{path}: {}", text(&response));
    }
}

#[test]
fn a_parameter_may_be_a_text_or_a_list_of_texts_and_nothing_else() {
    let mut fixture = Fixture::with_app();
    let source = "var calls = new CasebridgeRequest(
            { queryParams: { text: 'a', list: ['b', 'c'], nothing: null, none: [], empty: '' } }, null);
        ['text', 'list', 'nothing', 'none', 'empty', 'missing'].map(function (name) {
            return calls._parameter(name);
        }).join('|')";
    assert_eq!(fixture.script(source), "a|b||||");
}

#[test]
fn a_body_must_be_a_json_object() {
    let mut fixture = Fixture::with_app();
    let incident = incident_in_scope(&mut fixture);
    let credentials = {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        format!("Basic {}", STANDARD.encode("casebridge:password of casebridge"))
    };
    let target = format!("{INCIDENTS}/{incident}/deliver");
    for (sent, detail) in
        [("{\"messages\":", "body: must be JSON"), ("", "body: must be JSON"), ("[]", "body: must be a JSON object")]
    {
        let response = fixture.send(&credentials, "POST", &target, Some(sent.as_bytes().to_vec()));
        assert_eq!((response.status, &body(&response)["error"]["detail"]), (400, &json!(detail)), "{sent}");
    }
}

#[test]
fn what_goes_wrong_in_the_app_is_logged_and_not_told() {
    for problem in ["new Error('a secret')", "'a secret'", "null", "{ status: 200 }"] {
        let mut fixture = Fixture::with_app();
        let source = format!(
            "var answer = [];
            var calls = new CasebridgeRequest({{}}, {{
                setStatus: function (status) {{ answer.push(status); }},
                setBody: function (body) {{ answer.push(body); }},
                setError: function (error) {{
                    answer.push(error.getStatus(), error.getMessage(), error.getDetail());
                }}
            }});
            calls.answer(function () {{ throw {problem}; }});
            calls.answer(function () {{ return 'all is well'; }});
            answer.join('|')"
        );
        assert_eq!(fixture.script(&source), "500|Operation failed|The system log has the cause.|200|all is well");
        let logged = fixture.logged("error");
        assert_eq!(logged.len(), 1, "{logged:?}");
        assert!(logged[0].starts_with("casebridge: "), "{logged:?}");
    }
}

#[test]
fn an_account_has_twelve_digits_and_an_active_ones_group_is_its_own() {
    let mut fixture = Fixture::with_app();
    incident_in_scope(&mut fixture);
    let first = fixture.instance.records("x_casebridge_aws_account", "").remove(0);
    let other = fixture.create("admin", "sys_user_group", &json!({"name": "Other"}));
    let mut number = 222_222_222_222_u64;
    let mut insert = |fixture: &mut Fixture, group: &str, active: &str| {
        number += 1;
        let values = json!({"name": "One", "number": number.to_string(), "assignment_group": group, "active": active});
        fixture.call("admin", "POST", "/api/now/table/x_casebridge_aws_account", Some(&values))
    };
    let group = first["assignment_group"].clone();
    assert_eq!(insert(&mut fixture, &other, "true").status, 201, "a group of its own");
    let retired = insert(&mut fixture, &group, "false");
    assert_eq!(retired.status, 201, "an account that is not active is no rival: {}", text(&retired));
    let retired = body(&retired)["result"]["sys_id"].as_str().unwrap().to_owned();
    let rival = insert(&mut fixture, &group, "true");
    assert_eq!(rival.status, 403);
    let words = text(&rival);
    assert!(words.contains("it already belongs to the active account 111122223333."), "{words}");
    let update = |fixture: &mut Fixture, sys_id: &str, values: Value| {
        fixture.update("admin", "x_casebridge_aws_account", sys_id, &values).status
    };
    assert_eq!(update(&mut fixture, &first["sys_id"], json!({"name": "Renamed"})), 200, "it is no rival of itself");
    assert_eq!(update(&mut fixture, &retired, json!({"name": "Renamed"})), 200);
    assert_eq!(update(&mut fixture, &retired, json!({"active": "true"})), 403);
    assert_eq!(update(&mut fixture, &first["sys_id"], json!({"active": "false"})), 200);
    assert_eq!(update(&mut fixture, &retired, json!({"active": "true"})), 200, "the group is free");
    for wrong in ["1111222233334", "11112222333", "11112222333x", " 11112222333"] {
        assert_eq!(update(&mut fixture, &retired, json!({"number": wrong})), 403, "{wrong}");
    }
}
