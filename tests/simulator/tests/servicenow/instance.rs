//! The instance as a whole: tokens, determinism, copies, scripts.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use casebridge_simulator::{
    servicenow::{Configuration, Instance},
    wire::Request,
};
use serde_json::json;

use crate::support::{Fixture, body, configuration, text};

fn token(fixture: &mut Fixture, form: &str) -> casebridge_simulator::wire::Response {
    let request = Request {
        method: "POST".to_owned(),
        path: "/oauth_token.do".to_owned(),
        body: form.as_bytes().to_vec(),
        ..Request::default()
    };
    fixture.instance.handle(fixture.now, &request, &fixture.network)
}

#[test]
fn tokens_are_given_to_clients_and_end() {
    let mut fixture = Fixture::platform();
    assert_eq!(token(&mut fixture, "grant_type=client_credentials&client_id=client&client_secret=wrong").status, 401);
    let given = token(&mut fixture, "grant_type=client_credentials&client_id=client&client_secret=secret");
    assert_eq!(given.status, 200, "{}", text(&given));
    assert_eq!(body(&given)["token_type"], "Bearer");
    let bearer = format!("Bearer {}", body(&given)["access_token"].as_str().unwrap());
    let target = "/api/now/table/sys_user_group?sysparm_limit=1";
    assert_eq!(fixture.call_with(&bearer, "GET", target, None).status, 200);
    fixture.pass(1_800);
    assert_eq!(fixture.call_with(&bearer, "GET", target, None).status, 401);
    let form =
        "grant_type=password&client_id=client&client_secret=secret&username=agent&password=password%20of%20agent";
    assert!(body(&token(&mut fixture, form))["refresh_token"].is_string());
}

#[test]
fn scripts_see_the_passed_clock_and_the_same_chance() {
    let run = || {
        let mut fixture = Fixture::platform();
        let source = "new Date().getTime() + ' ' + Math.random() + ' ' + gs.generateGUID() + ' ' + gs.getUserName()";
        fixture.instance.run_script(fixture.now, "agent", source, &fixture.network).unwrap()
    };
    assert_eq!(run(), run());
    assert!(run().starts_with("1795208400000 0."), "{}", run());
    assert!(run().ends_with(" agent"));
}

#[test]
fn glide_records_query_write_and_refuse() {
    let mut fixture = Fixture::platform();
    let source = "
        var group = new GlideRecord('sys_user_group');
        group.initialize();
        group.name = 'Written';
        var id = group.insert();
        var incident = new GlideRecord('incident');
        incident.initialize();
        incident.setValue('short_description', 'By script');
        incident.assignment_group = id;
        incident.comments = 'Hello';
        var created = incident.insert();
        var found = new GlideRecord('incident');
        found.addQuery('assignment_group.name', 'Written').addOrCondition('number', 'nothing');
        found.addNullQuery('closed_at');
        found.orderByDesc('number');
        found.query();
        var out = [found.getRowCount(), found.next(), String(found.getUniqueValue()) === String(created)];
        out.push(found.getUniqueValue() === String(created));
        out.push(String(found.assignment_group.name), found.getDisplayValue('assignment_group'));
        out.push(found.getValue('active'), String(found.active), found.active == true, found.state.nil());
        found.state = 6;
        out.push(found.update(), found.getLastErrorMessage());
        out.push(found.get('short_description', 'By script'), found.getValue('state'));
        out.push(new GlideRecord('nothing').isValid(), found.getValue('no_such_column'));
        JSON.stringify(out);";
    let answer = fixture.instance.run_script(fixture.now, "admin", source, &fixture.network).unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        answer,
        json!([
            1,
            true,
            true,
            false,
            "Written",
            "Written",
            "1",
            "true",
            true,
            false,
            null,
            "Data Policy Exception: \n\tThe following fields are mandatory: Resolution code, Close notes",
            true,
            "1",
            false,
            null
        ])
    );
}

#[test]
fn digests_and_times_are_the_platforms() {
    let mut fixture = Fixture::platform();
    let source = "
        var time = new GlideDateTime('2026-11-20 21:00:00');
        time.addSeconds(-3600);
        [new GlideDigest().getSHA256Hex('abc').substring(0, 8), time.getValue(), time.getNumericValue(),
         new CertificateEncryption().generateMac(gs.base64Encode('key'), 'HmacSHA256', 'data'),
         CertificateEncryption.generateMac(gs.base64Encode('key'), 'HmacSHA256', 'data')].join(' ')";
    let answer = fixture.instance.run_script(fixture.now, "admin", source, &fixture.network).unwrap();
    let mac = "UDH+PZicbRU3oBP6bnOdojRj/a7DtwE32Cjjas4iG9A=";
    assert_eq!(answer, format!("ba7816bf 2026-11-20 20:00:00 1795204800000 {mac} {mac}"));
}

#[test]
fn bodies_are_altered_unless_substitution_is_off() {
    let mut fixture = Fixture::platform();
    let source = "
        function send(keep) {
            var message = new sn_ws.RESTMessageV2();
            message.setEndpoint('https://example.com/a?b=c');
            message.setHttpMethod('POST');
            message.setRequestBody('x ${y} z');
            if (keep) { message.disableForcedVariableSubstitution(); }
            return message.execute().getStatusCode();
        }
        send(false) + ' ' + send(true)";
    let answer = fixture.instance.run_script(fixture.now, "admin", source, &fixture.network).unwrap();
    assert_eq!(answer, "202 202");
    let sent = fixture.sent();
    let bodies: Vec<&[u8]> = sent.iter().map(|(_, request)| request.body.as_slice()).collect();
    assert_eq!(bodies, [b"x  z".as_slice(), b"x ${y} z"]);
    assert_eq!(sent[0].1.parameter("b"), Some("c"));
    fixture.network.status.replace(Some(0));
    let source = "
        var message = new sn_ws.RESTMessageV2();
        message.setEndpoint('https://example.com/');
        var response = message.execute();
        [response.getStatusCode(), response.haveError(), response.getErrorMessage(), response.getErrorCode()].join(' ')";
    let answer = fixture.instance.run_script(fixture.now, "admin", source, &fixture.network).unwrap();
    assert_eq!(answer, "0 true connection refused 1");
}

#[test]
fn a_script_that_runs_away_is_ended_and_the_next_runs() {
    let mut fixture = Fixture::platform();
    assert!(fixture.instance.run_script(fixture.now, "admin", "while (true) {}", &fixture.network).is_err());
    assert!(
        fixture
            .instance
            .run_script(fixture.now, "admin", "var a = []; while (true) { a.push(new Array(1000)); }", &fixture.network)
            .is_err()
    );
    assert_eq!(fixture.instance.run_script(fixture.now, "admin", "1 + 1", &fixture.network).unwrap(), "2");
}

#[test]
fn a_copy_is_an_instance_of_its_own() {
    let mut fixture = Fixture::platform();
    let incident = fixture.create("agent", "incident", &json!({"short_description": "Here"}));
    let mut copy: Instance = fixture.instance.clone();
    fixture.update("agent", "incident", &incident, &json!({"short_description": "There"}));
    assert_eq!(copy.record("incident", &incident).unwrap()["short_description"], "Here");
    assert_eq!(copy.run_due_jobs(fixture.now, &fixture.network), 0);
    assert!(configuration().has_password("agent", "password of agent"));
}

#[test]
fn a_batch_answers_each_request_as_if_it_came_alone() {
    let mut fixture = Fixture::platform();
    let made = STANDARD.encode(json!({"short_description": "In a batch"}).to_string());
    let headers = json!([{"name": "Content-Type", "value": "application/json"}]);
    let batch = json!({"batch_request_id": 1, "rest_requests": [
        {"id": "a", "method": "POST", "url": "/api/now/table/incident", "headers": headers, "body": made},
        {"id": "b", "method": "GET", "url": "/api/now/table/incident?sysparm_fields=number&sysparm_limit=5"},
        {"id": "c", "method": "GET", "url": "/api/now/table/nothing"},
    ]});
    let answer = body(&fixture.call("agent", "POST", "/api/now/v1/batch", Some(&batch)));
    assert_eq!(answer["batch_request_id"], "1");
    let part = |index: usize| {
        let part = &answer["serviced_requests"][index];
        let bytes = STANDARD.decode(part["body"].as_str().unwrap()).unwrap();
        (part["status_code"].clone(), serde_json::from_slice::<serde_json::Value>(&bytes).unwrap())
    };
    assert_eq!(part(0).0, 201);
    assert_eq!(part(1), (json!(200), json!({"result": [{"number": "INC0010001"}]})));
    assert_eq!(part(2).0, 400);
}

#[test]
fn a_user_made_over_the_api_can_log_in() {
    let mut fixture = Fixture::platform();
    let values = json!({"user_name": "made", "first_name": "Made", "user_password": "password of made"});
    let user = fixture.create("admin", "sys_user", &values);
    let shown = body(&fixture.call("admin", "GET", &format!("/api/now/table/sys_user/{user}"), None));
    assert_eq!(shown["result"]["user_password"], "********");
    let role = fixture.instance.records("sys_user_role", "name=itil")[0]["sys_id"].clone();
    assert_eq!(fixture.call("made", "GET", "/api/now/table/incident", None).status, 403);
    fixture.create("admin", "sys_user_has_role", &json!({"user": user, "role": role}));
    assert_eq!(fixture.call("made", "GET", "/api/now/table/incident", None).status, 200);
    fixture.update("admin", "sys_user", &user, &json!({"active": "false"}));
    assert_eq!(fixture.call("made", "GET", "/api/now/table/incident", None).status, 401);
}

#[test]
fn an_instance_may_be_used_from_any_thread_and_has_its_data() {
    fn is_sendable<T: Send>(value: T) -> T {
        value
    }
    let instance = is_sendable(Instance::new(Configuration { large_demo_data: true, ..Configuration::default() }));
    assert!(instance.records("sys_user", "").len() > 500);
    assert!(instance.records("problem", "").len() > 50);
    assert_eq!(instance.records("sys_db_object", "name=incident").len(), 1);
    assert!(instance.records("sys_choice", "name=incident^element=close_code").len() > 5);
}
