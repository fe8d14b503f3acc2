//! An instance with users to log in as, and a network that keeps what was sent.

use std::{
    cell::RefCell,
    path::PathBuf,
    sync::{Arc, LazyLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use casebridge_core::servicenow::incident::Incident;
use casebridge_simulator::{
    servicenow::{Configuration, Instance, OauthClient, User, app::App, store::Row},
    wire::{Outbound, Request, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The environment variable that names the folder of another built app to test. It lets several changes of the scripts
/// be tested at once.
const APP_VARIABLE: &str = "CASEBRIDGE_TEST_APP";

/// The bytes that webhooks are signed with.
pub const WEBHOOK_KEY: &[u8] = b"a key of thirty-two bytes, no more";

/// The address that webhooks go to: a Lambda Function URL.
pub const WEBHOOK_URL: &str = "https://abc123.lambda-url.us-east-1.on.aws/";
/// The app's table of settings, which has one row.
pub const SETTINGS: &str = "x_casebridge_aws_settings";

/// The kind of link that tests use by default to deliver and read.
pub const SUPPORT_CASE: &str = "support_case";

/// The path of the app's resources.
pub const INCIDENTS: &str = "/api/x_casebridge_aws/v1/incidents";

/// 2026-11-20 21:00:00 UTC.
const START: i64 = 1_795_208_400;

/// A network that gives the answers that a test has set.
#[derive(Default)]
pub struct Network {
    pub requests: RefCell<Vec<(String, Request)>>,
    pub status: RefCell<Option<u16>>,
    /// The text of an answer with that status. `None` for a refusal in JSON. With the status 0 it is the text of the
    /// failure, and there is no answer.
    pub words: RefCell<Option<String>>,
    pub timeouts: RefCell<Vec<u64>>,
}

impl Outbound for Network {
    fn send(&self, url: &str, request: &Request, timeout_milliseconds: u64) -> Result<Response, String> {
        self.requests.borrow_mut().push((url.to_owned(), request.clone()));
        self.timeouts.borrow_mut().push(timeout_milliseconds);
        match (*self.status.borrow(), &*self.words.borrow()) {
            (Some(0), words) => Err(words.clone().unwrap_or_else(|| "connection refused".to_owned())),
            (Some(status), Some(words)) => {
                Ok(Response { status, body: words.clone().into_bytes(), ..Response::default() })
            }
            (Some(status), None) => {
                Ok(Response::json(status, &json!({"error": {"code": "unavailable", "message": "no"}})))
            }
            (None, _) => Ok(Response::json(202, &json!({"status": "accepted"}))),
        }
    }
}

/// An instance, its clock and its network.
pub struct Fixture {
    pub instance: Instance,
    pub network: Network,
    pub now: Timestamp,
}

fn user(user_name: &str, roles: &[&str], first_name: &str) -> User {
    User {
        user_name: user_name.to_owned(),
        password: format!("password of {user_name}").into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        first_name: first_name.to_owned(),
        last_name: "Tester".to_owned(),
    }
}

pub fn configuration() -> Configuration {
    Configuration {
        users: vec![
            User { first_name: String::new(), last_name: String::new(), ..user("admin", &["admin"], "") },
            user("agent", &["itil"], "Alice"),
            user("casebridge", &["x_casebridge_aws.integration"], "Case"),
            user("reader", &["x_casebridge_aws.user"], "Rita"),
            user("keeper", &["x_casebridge_aws.admin"], "Kim"),
            user("nobody", &[], "No"),
            // This user may create and change incidents without being an agent.
            user("clerk", &["sn_incident_write"], "Clara"),
            user("clerk.of.casebridge", &["sn_incident_write", "x_casebridge_aws.user"], "Cleo"),
            user("keeper.and.agent", &["itil", "x_casebridge_aws.admin"], "Kit"),
            user("second", &["x_casebridge_aws.integration"], "Another"),
        ],
        oauth_clients: vec![OauthClient {
            client_id: "client".to_owned(),
            client_secret: "secret".into(),
            user_name: Some("casebridge".to_owned()),
        }],
        ..Configuration::default()
    }
}

/// Returns the built app, which is read once for all tests.
pub fn built_app() -> Arc<App> {
    static APP: LazyLock<Arc<App>> = LazyLock::new(|| {
        let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra/servicenow/dist/app");
        let folder = std::env::var_os(APP_VARIABLE).map_or(built, PathBuf::from);
        App::load(&folder).unwrap_or_else(|error| panic!("the app must be built before its tests run: {error}"))
    });
    APP.clone()
}

impl Fixture {
    pub fn platform() -> Self {
        Self::configured(configuration())
    }

    fn configured(configuration: Configuration) -> Self {
        Self {
            instance: Instance::new(configuration),
            network: Network::default(),
            now: Timestamp::from_second(START).expect("a moment in range"),
        }
    }

    /// Returns an instance with the built app, set up as its documentation says.
    pub fn with_app() -> Self {
        Self::with_app_configured(configuration())
    }

    pub fn with_app_configured(configuration: Configuration) -> Self {
        let mut fixture = Self::configured(configuration);
        fixture.instance.install(built_app());
        let secret = format!("whsec_{}", STANDARD.encode(WEBHOOK_KEY));
        let user = fixture.instance.records("sys_user", "user_name=casebridge")[0]["sys_id"].clone();
        let name = fixture.instance.records("sys_properties", "name=instance_name")[0]["value"].clone();
        fixture.set("webhook_url", WEBHOOK_URL);
        fixture.set("webhook_secret", &secret);
        fixture.set("integration_user", &user);
        fixture.set("home_instance", &name);
        fixture
    }

    pub fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub fn call(&mut self, user_name: &str, method: &str, target: &str, body: Option<&Value>) -> Response {
        let credentials = STANDARD.encode(format!("{user_name}:password of {user_name}"));
        self.call_with(&format!("Basic {credentials}"), method, target, body)
    }

    pub fn call_with(&mut self, authorization: &str, method: &str, target: &str, body: Option<&Value>) -> Response {
        self.send(authorization, method, target, body.map(|body| body.to_string().into_bytes()))
    }

    /// Sends a request with any body.
    pub fn send(&mut self, authorization: &str, method: &str, target: &str, body: Option<Vec<u8>>) -> Response {
        self.send_typed(authorization, method, target, "application/json", body)
    }

    /// Sends a request whose body, if it has one, is of this type.
    fn send_typed(
        &mut self,
        authorization: &str,
        method: &str,
        target: &str,
        content_type: &str,
        body: Option<Vec<u8>>,
    ) -> Response {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut headers = std::collections::BTreeMap::from([("authorization".to_owned(), authorization.to_owned())]);
        if body.is_some() {
            headers.insert("content-type".to_owned(), content_type.to_owned());
        }
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            headers,
            body: body.unwrap_or_default(),
            file: None,
        };
        self.instance.handle(self.now, &request, &self.network)
    }

    /// Sends a file as the user.
    pub fn send_file(&mut self, user_name: &str, target: &str, bytes: &[u8]) -> Response {
        let credentials = STANDARD.encode(format!("{user_name}:password of {user_name}"));
        let (authorization, kind) = (format!("Basic {credentials}"), "application/octet-stream");
        self.send_typed(&authorization, "POST", target, kind, Some(bytes.to_vec()))
    }

    /// Attaches a file to the incident as the user, in the way of a browser. Returns the `sys_id` of the attachment.
    pub fn attach(&mut self, user_name: &str, incident: &str, file_name: &str, bytes: &[u8]) -> String {
        let record = format!("table_name=incident&table_sys_id={incident}");
        let target = format!("/api/now/attachment/file?{record}&file_name={file_name}");
        let response = self.send_file(user_name, &target, bytes);
        assert_eq!(response.status, 201, "{}", text(&response));
        body(&response)["result"]["sys_id"].as_str().expect("an attachment has a sys_id").to_owned()
    }

    pub fn run_jobs(&mut self) -> usize {
        self.instance.run_due_jobs(self.now, &self.network)
    }

    pub fn sent(&self) -> Vec<(String, Request)> {
        self.network.requests.take()
    }

    /// Runs a script in the app's scope as the integration user. Returns its value.
    pub fn script(&mut self, source: &str) -> String {
        let outcome = self.instance.run_script(self.now, "casebridge", source, &self.network);
        outcome.unwrap_or_else(|error| panic!("{error}: {source}"))
    }

    /// Returns the log lines of this level.
    pub fn logged(&self, level: &str) -> Vec<String> {
        self.instance.log().filter(|line| line.level == level).map(|line| line.message.clone()).collect()
    }

    /// Changes columns of a record directly, without the platform's rules.
    pub fn put(&mut self, table: &str, sys_id: &str, values: &[(&str, &str)]) {
        let mut row = self.instance.record(table, sys_id).cloned().unwrap_or_default();
        row.insert("sys_id".to_owned(), sys_id.to_owned());
        row.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        row.retain(|_, value| !value.is_empty());
        self.instance.restore(table, row);
    }

    /// Returns the app's settings.
    pub fn settings(&self) -> Row {
        let mut rows = self.instance.records(SETTINGS, "");
        assert_eq!(rows.len(), 1, "one row holds the settings");
        rows.remove(0)
    }

    /// Changes one of the app's settings directly, without the platform's rules.
    pub fn set(&mut self, name: &str, value: &str) {
        let sys_id = self.settings()["sys_id"].clone();
        self.put(SETTINGS, &sys_id, &[(name, value)]);
    }

    /// Creates a record as the user. Returns its `sys_id`.
    pub fn create(&mut self, user_name: &str, table: &str, values: &Value) -> String {
        let response = self.call(user_name, "POST", &format!("/api/now/table/{table}"), Some(values));
        assert_eq!(response.status, 201, "{}", text(&response));
        body(&response)["result"]["sys_id"].as_str().expect("a record has a sys_id").to_owned()
    }

    pub fn update(&mut self, user_name: &str, table: &str, sys_id: &str, values: &Value) -> Response {
        self.call(user_name, "PATCH", &format!("/api/now/table/{table}/{sys_id}"), Some(values))
    }

    /// Returns the incident as the app shows it to the integration user.
    pub fn snapshot(&mut self, incident: &str) -> Incident {
        self.page(incident, "")
    }

    /// Returns a page of the incident's comments, by the query.
    pub fn page(&mut self, incident: &str, query: &str) -> Incident {
        self.page_for(SUPPORT_CASE, incident, query)
    }

    /// Returns the incident as the app shows it to a link of this kind.
    pub fn snapshot_for(&mut self, kind: &str, incident: &str) -> Incident {
        self.page_for(kind, incident, "")
    }

    fn page_for(&mut self, kind: &str, incident: &str, query: &str) -> Incident {
        let target = format!("{INCIDENTS}/{incident}/snapshot?kind={kind}&{query}");
        let response = self.call("casebridge", "GET", &target, None);
        assert_eq!(response.status, 200, "{}", text(&response));
        serde_json::from_value(body(&response)["result"].clone()).expect("a snapshot")
    }

    pub fn comments(&self, incident: &str) -> Vec<String> {
        let query = format!("element_id={incident}^element=comments^ORDERBYsys_created_on");
        self.instance.records("sys_journal_field", &query).into_iter().map(|row| row["value"].clone()).collect()
    }
}

/// Creates the account 111122223333 with its assignment group, and returns the group.
pub fn account_in_use(fixture: &mut Fixture) -> String {
    let group = fixture.create("admin", "sys_user_group", &json!({"name": "AWS-111122223333"}));
    let values = json!({"name": "Shop", "number": "111122223333", "assignment_group": group, "production": "true"});
    fixture.create("admin", "x_casebridge_aws_account", &values);
    group
}

/// Creates an incident in scope of an active account. Returns its `sys_id`.
pub fn incident_in_scope(fixture: &mut Fixture) -> String {
    let group = account_in_use(fixture);
    fixture.create(
        "agent",
        "incident",
        &json!({
            "short_description": "Ünreachable host", "description": "Since noon.", "assignment_group": group,
            "impact": "2", "urgency": "2", "x_casebridge_aws_service_code": "amazon-ec2",
            "x_casebridge_aws_category_code": "instance-issue", "comments": "First ${words}",
        }),
    )
}

/// Returns the delivery as a link of a Support case sends it, unless it names a kind.
pub fn of_support_case(order: &Value) -> Value {
    let mut order = order.clone();
    if let Some(parts) = order.as_object_mut() {
        parts.entry("kind").or_insert_with(|| json!(SUPPORT_CASE));
    }
    order
}

/// Delivers as the integration user, for a Support case unless the order names a kind.
pub fn deliver(fixture: &mut Fixture, incident: &str, order: &Value) -> Response {
    let target = format!("{INCIDENTS}/{incident}/deliver");
    fixture.call("casebridge", "POST", &target, Some(&of_support_case(order)))
}

/// Delivers in a script, after `prelude` has changed the platform's behaviour. Returns the result or the error.
pub fn deliver_where(fixture: &mut Fixture, incident: &str, prelude: &str, order: &Value) -> Value {
    let order = json!(of_support_case(order).to_string());
    let source = format!(
        "{prelude}
        var answer = {{}};
        var calls = new CasebridgeRequest(
            {{ pathParams: {{ sys_id: '{incident}' }}, queryParams: {{}}, body: {{ dataString: {order} }} }},
            {{
                setStatus: function () {{}},
                setBody: function (body) {{ answer.result = body; }},
                setError: function (error) {{
                    answer.error = [error.getStatus(), error.getMessage(), error.getDetail()];
                }}
            }}
        );
        calls.answer(function () {{ return new CasebridgeDelivery(calls).deliver(calls.body()); }});
        JSON.stringify(answer)"
    );
    serde_json::from_str(&fixture.script(&source)).expect("an answer in JSON")
}

/// Returns a script in which the incident is found this often, then is gone once, and is found again.
pub fn gone_after(times: usize) -> String {
    format!(
        "var find = CasebridgeIncident.prototype.find;
        var left = {times};
        CasebridgeIncident.prototype.find = function (sysId) {{
            left -= 1;
            return left === -1 ? null : find.call(this, sysId);
        }};"
    )
}

/// Returns a script that replaces each update of an incident by this behaviour. `update` in it is the platform's own.
pub fn updates(behaviour: &str) -> String {
    format!(
        "var update = GlideRecord.prototype.update;
        GlideRecord.prototype.update = function () {{
            if (String(this.getTableName()) !== 'incident') {{
                return update.call(this);
            }}
            {behaviour}
        }};"
    )
}

/// Returns an `external_id` in the core's form, for a short name.
pub fn external_id(name: &str) -> String {
    assert!(name.len() <= 8, "a name has at most 8 characters: {name}");
    let hash = name.bytes().fold(0_u64, |hash, byte| (hash << 8) | u64::from(byte));
    format!("0123456789abcdef-1795208400-{hash:016x}-0a")
}

/// Returns a delivery of one comment, whose `external_id` is made from the name.
pub fn message(name: &str, words: &str) -> Value {
    json!({"messages": [{"external_id": external_id(name), "text": words, "kind": "comment"}]})
}

/// Returns a script in which another request inserts a row into this table just before the next insert.
pub fn another_inserts_first(table: &str, values: &[(&str, &str)]) -> String {
    let values: Vec<String> = values.iter().map(|(name, value)| format!("other.{name} = '{value}';")).collect();
    let values = values.join(" ");
    format!(
        "var insert = GlideRecord.prototype.insert;
        GlideRecord.prototype.insert = function () {{
            GlideRecord.prototype.insert = insert;
            var other = new GlideRecord('{table}');
            other.initialize();
            {values}
            other.insert();
            return insert.call(this);
        }};"
    )
}

/// Returns a script in which another request saves the incident just after the next update of it.
pub fn another_saves_after(incident: &str, values: &[(&str, &str)]) -> String {
    let values: Vec<String> =
        values.iter().map(|(name, value)| format!("other.setValue('{name}', '{value}');")).collect();
    let values = values.join(" ");
    format!(
        "var update = GlideRecord.prototype.update;
        GlideRecord.prototype.update = function () {{
            if (String(this.getTableName()) !== 'incident') {{ return update.call(this); }}
            GlideRecord.prototype.update = update;
            var updated = update.call(this);
            var other = new GlideRecord('incident');
            other.get('{incident}');
            {values}
            other.update();
            return updated;
        }};"
    )
}

/// Returns a script in which every insert is refused by this JavaScript.
pub fn inserts_are_refused(refusal: &str) -> String {
    format!("GlideRecord.prototype.insert = function () {{ {refusal} }};")
}

pub fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.content().to_vec().expect("a body can be read")).into_owned()
}

pub fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_else(|error| panic!("{error}: {}", text(response)))
}
