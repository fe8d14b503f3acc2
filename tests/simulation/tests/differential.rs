//! Compares the native model of ServiceNow with the shipped scripts: the same random actions on both must give the same
//! answers.
#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use casebridge_core::{
    identifiers::{AccountId, ExternalId, IncidentId},
    servicenow::{
        columns::BridgeColumns,
        delivery::{
            Delivery, DeliveryAnswer, FieldsOutcome, IncidentFields, Message, MessageKind, MessageOutcome, NewIncident,
        },
        incident::{AccountState, CaseOptions, Incident, IncidentState, JournalEntry},
    },
};
use casebridge_simulation::{
    random::Random,
    servicenow::{
        model::{
            Account, Change, INTEGRATION_USER, Instance as Model, Journal, LinksObstacle, Record, RequestFailure,
            Sharing, written,
        },
        options,
    },
};
use casebridge_simulator::{
    servicenow::{AuditAccess, Configuration, Instance, User, app::App, state::Obstacle, store::Row},
    wire::{Outbound, Request, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The environment variable that names the folder of another built app to test. It lets several changes of the scripts
/// be tested at once.
const APP_VARIABLE: &str = "CASEBRIDGE_TEST_APP";
const START: i64 = 1_795_208_400;
const AGENT: &str = "agent";
const BASE: &str = "/api/x_casebridge_aws/v1/incidents";
/// The app's table of settings, which has one row.
const SETTINGS: &str = "x_casebridge_aws_settings";
/// The app's table of accounts.
const ACCOUNTS: &str = "x_casebridge_aws_account";
/// The app's table of severities.
const SEVERITY_TABLE: &str = "x_casebridge_aws_severity";
/// The severities of each account, and whether AWS offers them.
const SEVERITIES: [(&str, bool); 3] = [("urgent", true), ("critical", false), ("low", true)];
/// The app's table of links.
const LINKS: &str = "x_casebridge_aws_link";
/// The app's properties that decide which texts are shared.
const PREFIX_OF_COMMENTS: &str = "x_casebridge_aws.comment_prefix";
const PREFIX_OF_WORK_NOTES: &str = "x_casebridge_aws.work_note_prefix";
const SILENT_AUTHORS: &str = "x_casebridge_aws.silent_authors";
/// A prefix that shares a text, and an agent whose texts are not shared where the property names it.
const PREFIX: &str = "[aws]";
const SILENT_AGENT: &str = "second.agent";
/// What may keep the app from using its table of links, for both sides of the comparison.
const OBSTACLES: [(Obstacle, LinksObstacle); 3] = [
    (Obstacle::Missing, LinksObstacle::Missing),
    (Obstacle::WritesAborted, LinksObstacle::WritesAborted),
    (Obstacle::RowsHidden, LinksObstacle::RowsHidden),
];
/// The kinds of links of each incident: the one that casebridge has, and another one.
const KINDS: [&str; 2] = ["support_case", "another_kind"];
/// For how many cases of people casebridge opens incidents.
const CASES: u64 = 4;
/// How many worlds are compared.
const WORLDS: u64 = 100;
/// How many actions each world has.
const DOINGS: usize = 60;
/// The length of a long text. A page holds two of them and nothing else, and no message may be longer.
const LONG_TEXT: usize = 100_000;
/// From how many seconds apart the audit trail tells equal texts apart.
const TWIN_SECONDS: i64 = 4;

/// A network that keeps the webhooks it gets, and fails if it is set to.
#[derive(Default)]
struct Network {
    bodies: RefCell<Vec<Value>>,
    fails: RefCell<bool>,
}

impl Outbound for Network {
    fn send(&self, _url: &str, request: &Request, _timeout_milliseconds: u64) -> Result<Response, String> {
        self.bodies.borrow_mut().push(serde_json::from_slice(&request.body).unwrap());
        if *self.fails.borrow() {
            return Err("connection refused".to_owned());
        }
        Ok(Response::json(202, &json!({"status": "accepted"})))
    }
}

/// Both instances, and which of their incidents belong together.
struct Both {
    shipped: Instance,
    network: Network,
    model: Model,
    now: Timestamp,
    random: Random,
    groups: Vec<String>,
    /// The sys_ids of the accounts of the shipped instance.
    account_ids: BTreeMap<AccountId, String>,
    /// The accounts whose records are deleted, in both.
    removed: Vec<(Account, Row)>,
    incidents: Vec<(IncidentId, IncidentId)>,
    /// The incidents that are deleted.
    deleted: Vec<(IncidentId, IncidentId)>,
    /// Earlier records of incidents, in both.
    older: Vec<(Record, Row)>,
    seen: BTreeMap<String, usize>,
}

fn user(user_name: &str, roles: &[&str]) -> User {
    User {
        user_name: user_name.to_owned(),
        password: format!("password of {user_name}").into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        first_name: user_name.to_owned(),
        last_name: "Tester".to_owned(),
    }
}

/// Returns the codes of the severities that AWS offers, in their order.
fn offered_severities() -> Vec<String> {
    let mut codes: Vec<String> =
        SEVERITIES.iter().filter(|(_, is_offered)| *is_offered).map(|(code, _)| (*code).to_owned()).collect();
    codes.sort();
    codes
}

fn built_app() -> Arc<App> {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra/servicenow/dist/app");
    let folder = std::env::var_os(APP_VARIABLE).map_or(built, PathBuf::from);
    App::load(&folder).unwrap_or_else(|error| panic!("the app must be built before its model is judged: {error}"))
}

/// A comment as both show it: its time, who wrote it (`ours`, `undecided`), its update count, its author and its text.
type ShownEntry = (Timestamp, (bool, bool), Option<u64>, String, String);

/// What both must show alike of an incident. Ids and display names differ between the instances.
#[derive(Debug, PartialEq)]
struct Shown {
    incident: Incident,
    entries: Vec<ShownEntry>,
}

fn shown(mut incident: Incident, id: &IncidentId) -> Shown {
    let entries = std::mem::take(&mut incident.entries);
    let has_twin = |entry: &JournalEntry| {
        let is_twin = |other: &&JournalEntry| {
            other.created_by == entry.created_by
                && other.text.trim() == entry.text.trim()
                && other.created_on.duration_since(entry.created_on).as_secs().abs() <= TWIN_SECONDS
        };
        entries.iter().filter(is_twin).count() > 1
    };
    let mut entries: Vec<ShownEntry> = entries
        .iter()
        .map(|entry| {
            // The scripts can't tell which of two equal texts has which count.
            let mod_count = entry.mod_count.filter(|_| !has_twin(entry));
            let whose = (entry.ours, entry.undecided);
            (entry.created_on, whose, mod_count, entry.created_by.clone(), entry.text.clone())
        })
        .collect();
    // The model and the scripts give comments of one second different orders, by their ids.
    entries.sort();
    if !incident.entries_complete {
        // For the same reason the page may end at different comments of one second.
        entries.clear();
    }
    incident.entries_next = None;
    incident.summary.sys_id = id.clone();
    incident.summary.close_codes.clear();
    Shown { incident, entries }
}

impl Both {
    fn new(seed: u64, app: &Arc<App>) -> Self {
        let configuration = Configuration {
            users: vec![
                user("admin", &["admin"]),
                user(AGENT, &["itil"]),
                user(SILENT_AGENT, &["itil"]),
                user(INTEGRATION_USER, &["x_casebridge_aws.integration"]),
            ],
            seed,
            reuse_contexts: true,
            audit: match seed % 5 {
                0 => AuditAccess::Refused,
                1 => AuditAccess::Empty,
                _ => AuditAccess::Readable,
            },
            resolved_at_is_overwritten: seed.is_multiple_of(4),
            ..Configuration::default()
        };
        let (audit, overwritten) = (configuration.audit, configuration.resolved_at_is_overwritten);
        let mut shipped = Instance::new(configuration);
        shipped.install(app.clone());
        let secret = format!("whsec_{}", STANDARD.encode([7_u8; 32]));
        let integration_user =
            shipped.records("sys_user", &format!("user_name={INTEGRATION_USER}"))[0]["sys_id"].clone();
        let name = shipped.records("sys_properties", "name=instance_name")[0]["value"].clone();
        let mut settings = shipped.records(SETTINGS, "").remove(0);
        for (column, value) in [
            ("webhook_url", "https://abc123.lambda-url.us-east-1.on.aws/"),
            ("webhook_secret", &secret),
            ("integration_user", &integration_user),
            ("home_instance", &name),
        ] {
            settings.insert(column.to_owned(), value.to_owned());
        }
        shipped.restore(SETTINGS, settings);
        let mut random = Random::new(seed);
        let mut both = Self {
            shipped,
            network: Network::default(),
            model: Model::new(Vec::new(), random.fork(1)),
            now: Timestamp::from_second(START).unwrap(),
            random,
            groups: Vec::new(),
            account_ids: BTreeMap::new(),
            removed: Vec::new(),
            incidents: Vec::new(),
            deleted: Vec::new(),
            older: Vec::new(),
            seen: BTreeMap::new(),
        };
        both.shipped.answer_empty_updates_with_null(seed.is_multiple_of(3));
        both.model.trail_is_readable = audit == AuditAccess::Readable;
        both.model.resolved_at_is_overwritten = overwritten;
        both.set_up_accounts();
        // In most worlds every comment is shared, and no work note.
        if seed.is_multiple_of(3) {
            both.share_otherwise();
        }
        both
    }

    /// An administrator changes which texts are shared.
    fn share_otherwise(&mut self) {
        let mut drawn = |value: &str| if self.random.chance(500) { value.to_owned() } else { String::new() };
        let (comments, work_notes, silent) = (drawn(PREFIX), drawn(PREFIX), drawn(SILENT_AGENT));
        for (property, value) in
            [(PREFIX_OF_COMMENTS, &comments), (PREFIX_OF_WORK_NOTES, &work_notes), (SILENT_AUTHORS, &silent)]
        {
            self.shipped.set_property(property, value);
        }
        let silent_authors = Some(silent).filter(|name| !name.is_empty()).into_iter().collect();
        self.model.sharing = Sharing { comment_prefix: comments, work_note_prefix: work_notes, silent_authors };
    }

    fn set_up_accounts(&mut self) {
        for (number, production) in [("111122223333", true), ("444455556666", false)] {
            let group = self.create("admin", "sys_user_group", &json!({"name": format!("AWS-{number}")}));
            self.set_up_account(number, production, &group, true);
            self.groups.push(group);
        }
        // A second account of the first group, which may replace the first one.
        let group = self.groups[0].clone();
        self.set_up_account("000011112222", true, &group, false);
        let other = self.create("admin", "sys_user_group", &json!({"name": "Service Desk"}));
        self.groups.push(other);
    }

    fn set_up_account(&mut self, number: &str, production: bool, group: &str, active: bool) {
        let options = of_account(number);
        let values = json!({
            "name": number, "number": number, "assignment_group": group, "production": production.to_string(),
            "active": active.to_string(), "additional_contacts": options.additional_contacts,
            "language": options.language, "issue_type": options.issue_type,
        });
        let sys_id = self.create("admin", ACCOUNTS, &values);
        for (code, is_offered) in SEVERITIES {
            let values = json!({
                "severity_key": format!("{number}:{code}"), "account": sys_id, "code": code, "name": code,
                "active": is_offered.to_string(),
            });
            self.create("admin", SEVERITY_TABLE, &values);
        }
        self.account_ids.insert(AccountId::new(number), sys_id);
        self.model.accounts.push(Account {
            number: AccountId::new(number),
            name: number.to_owned(),
            production,
            group: group.to_owned(),
            active,
            severities: offered_severities(),
            options,
        });
    }

    /// An administrator sets an account inactive or active. A group may have one active account only.
    fn switch_account(&mut self) {
        let index = self.random.index(self.model.accounts.len());
        let Some(account) = self.model.accounts.get(index).cloned() else { return };
        let active = !account.active;
        let is_taken = active && self.model.account_of(&account.group).is_some();
        let response = self.set_active(&account.number, active);
        assert_eq!(response.status != 200, is_taken, "{}", text(&response));
        if !is_taken {
            self.model.accounts[index].active = active;
        }
    }

    fn set_active(&mut self, account: &AccountId, active: bool) -> Response {
        let target = format!("/api/now/table/{ACCOUNTS}/{}", self.account_ids[account]);
        self.call("admin", "PATCH", &target, Some(&json!({"active": active.to_string()})))
    }

    /// An administrator deletes the record of an account, or restores the one that was deleted last.
    fn remove_account(&mut self) {
        if let Some((account, row)) = self.removed.pop() {
            self.shipped.restore(ACCOUNTS, row);
            // The deletion has emptied the references of its severities. The next write of the catalogue restores them.
            self.model.accounts.push(Account { active: false, severities: Vec::new(), ..account });
            return;
        }
        let index = self.random.index(self.model.accounts.len());
        let account = self.model.accounts.remove(index);
        let sys_id = self.account_ids[&account.number].clone();
        // It comes back inactive, since its group may have another active account by then.
        self.set_active(&account.number, false);
        let row = self.shipped.record(ACCOUNTS, &sys_id).unwrap().clone();
        let response = self.call("admin", "DELETE", &format!("/api/now/table/{ACCOUNTS}/{sys_id}"), None);
        assert!(response.status < 300, "{}", text(&response));
        self.removed.push((account, row));
    }

    fn call(&mut self, user_name: &str, method: &str, target: &str, body: Option<&Value>) -> Response {
        let known_as = if user_name == INTEGRATION_USER { &self.model.integration_user } else { user_name };
        let credentials = STANDARD.encode(format!("{known_as}:password of {user_name}"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            headers: BTreeMap::from([
                ("authorization".to_owned(), format!("Basic {credentials}")),
                ("content-type".to_owned(), "application/json".to_owned()),
            ]),
            body: body.map(|body| body.to_string().into_bytes()).unwrap_or_default(),
            file: None,
        };
        self.shipped.handle(self.now, &request, &self.network)
    }

    fn create(&mut self, user_name: &str, table: &str, values: &Value) -> String {
        let response = self.call(user_name, "POST", &format!("/api/now/table/{table}"), Some(values));
        assert_eq!(response.status, 201, "{}", String::from_utf8_lossy(&response.body));
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        body["result"]["sys_id"].as_str().unwrap().to_owned()
    }

    fn some_text(&mut self) -> String {
        if self.random.chance(120) {
            return "x".repeat(LONG_TEXT);
        }
        let texts =
            ["k", "Any news?", "line\r\nline ", "Grüße 🚒", "[code]<b>x</b>[/CODE]", "[co\u{0}de]", "  blanks  "];
        let text = (*self.random.pick(&texts)).to_owned();
        match self.random.below(8) {
            0 => format!("{PREFIX} {text}"),
            1 => format!("\n [AWS]\r\n{text}"),
            2 => format!("{text} {PREFIX}"),
            3 => PREFIX.to_owned(),
            _ => text,
        }
    }

    /// Returns the ids of a random incident in the model and in the shipped instance.
    fn some_incident(&mut self) -> Option<(IncidentId, IncidentId)> {
        let index = self.random.index(self.incidents.len());
        self.incidents.get(index).cloned()
    }

    fn open(&mut self) {
        let groups = if self.random.chance(800) { &self.groups[..2] } else { &self.groups[2..] };
        let group = self.random.pick(groups).clone();
        let codes = self.random.chance(900).then(|| ("aws-lambda".to_owned(), "other".to_owned()));
        let comment = self.random.chance(400).then(|| self.some_text());
        let mut values = json!({"short_description": "Short", "description": "Long", "assignment_group": group});
        if let Some((service, category)) = &codes {
            values["x_casebridge_aws_service_code"] = json!(service);
            values["x_casebridge_aws_category_code"] = json!(category);
        }
        if let Some(comment) = &comment {
            values["comments"] = json!(comment);
        }
        let options = self.random.chance(300).then(|| options::draw(&mut self.random));
        put_options(&mut values, options.as_ref());
        let shipped = IncidentId::new(self.create(AGENT, "incident", &values));
        let change = Change { group: Some(group), codes, options, comment, ..Change::default() };
        let model = self.model.open(self.now, AGENT, ("Short", "Long"), change);
        self.incidents.push((model, shipped));
    }

    fn save(&mut self) {
        let Some((model, shipped)) = self.some_incident() else { return };
        let mut change = Change::default();
        match self.random.below(7) {
            0 => change.comment = Some(self.some_text()),
            1 => change.work_note = Some(self.some_text()),
            2 => change.group = Some(self.random.pick(&self.groups.clone()).clone()),
            3 => change.codes = Some((String::new(), String::new())),
            4 => change.options = Some(options::draw(&mut self.random)),
            _ => {
                let state = *self.random.pick(&["1", "2", "3", "6", "7", "8"]);
                change.state = Some(IncidentState::from(state.to_owned()));
                let closes = self.random.chance(700);
                change.closing = closes.then(|| ("Solution provided".to_owned(), "Done.".to_owned()));
                change.hold_reason = (state == "3").then(|| "1".to_owned());
                change.comment = self.random.chance(300).then(|| self.some_text());
            }
        }
        let target = format!("/api/now/table/incident/{shipped}");
        let agent = if self.random.chance(300) { SILENT_AGENT } else { AGENT };
        let response = self.call(agent, "PATCH", &target, Some(&as_json(&change)));
        let saved = self.model.save(self.now, agent, &model, &change);
        assert_eq!(response.status == 200, saved.is_ok(), "{change:?} {saved:?} {}", text(&response));
    }

    fn deliver(&mut self) {
        let Some((model, shipped)) = self.some_incident() else { return };
        let count = self.model.incidents[&model].summary.sys_mod_count;
        let kind = self.some_kind();
        let mut columns = self.model.incidents[&model].summary.columns.clone();
        if kind != "support_case" {
            columns.own.clear();
        }
        let mut delivery = Delivery {
            expected_mod_count: if self.random.chance(700) { count } else { count + 1 },
            messages: Vec::new(),
            fields: IncidentFields::default(),
            columns,
            entries_since: self.some_moment(),
        };
        for _ in 0..self.random.below(3) {
            let kind = if self.random.chance(800) { MessageKind::Comment } else { MessageKind::WorkNote };
            let external_id =
                ExternalId::new(format!("0123456789abcdef-{START}-fedcba9876543210-{}", self.random.below(8)));
            delivery.messages.push(Message { external_id, text: self.some_text(), kind });
        }
        if self.random.chance(500) {
            delivery.columns = self.some_columns(kind);
        }
        if self.random.chance(500) {
            delivery.fields = self.some_fields();
        }
        let stop = self.random.chance(300).then(|| 1 + self.random.below(6));
        if let Some(commits) = stop {
            self.shipped.stop_after_commits(commits);
            self.model.stop_after_commits(commits);
        }
        let target = format!("{BASE}/{shipped}/deliver");
        let response = self.call(INTEGRATION_USER, "POST", &target, Some(&order(kind, &delivery)));
        let expected = Some(delivery.expected_mod_count);
        let answer = self.model.deliver(self.now, kind, &model, &delivery, expected);
        for outcome in outcomes(&answer) {
            *self.seen.entry(outcome).or_default() += 1;
        }
        let counts = (count, self.shipped.record("incident", shipped.as_str()).map(|row| row["sys_mod_count"].clone()));
        compare_answers(
            &response,
            answer,
            &shipped,
            &format!("{kind} {delivery:?} stop {stop:?} {shipped} {counts:?}"),
        );
    }

    /// casebridge opens an incident for a case, or repeats a request that it made before.
    fn open_for_case(&mut self) {
        let (kind, number) = (self.some_kind(), self.random.below(CASES));
        let id = IncidentId::new(format!("{number:032x}"));
        if self.deleted.iter().any(|(model, _)| *model == id) {
            return;
        }
        let account = *self.random.pick(&["111122223333", "444455556666", "000011112222", "999999999999"]);
        let incident = NewIncident {
            account: AccountId::new(account),
            short_description: "Instance unreachable".to_owned(),
            description: self.random.pick(&["It does not answer.", "line\nGrüße 🚒"]).to_string(),
            impact: self.random.pick(&["1", "2", "3"]).to_string(),
            urgency: self.random.pick(&["1", "2", "3"]).to_string(),
            service_code: self.random.pick(&["amazon-ec2", ""]).to_string(),
            category_code: "other".to_owned(),
            columns: self.some_columns(kind),
            describes: None,
        };
        let stop = self.random.chance(300).then(|| 1 + self.random.below(4));
        if let Some(commits) = stop {
            self.shipped.stop_after_commits(commits);
            self.model.stop_after_commits(commits);
        }
        let mut request = serde_json::to_value(&incident).unwrap();
        request["kind"] = json!(kind);
        let response = self.call(INTEGRATION_USER, "POST", &format!("{BASE}/{id}/open"), Some(&request));
        let was_there = self.model.incidents.contains_key(&id);
        let opened = self.model.open_for_case(self.now, kind, &id, &incident);
        let is_there = self.model.incidents.contains_key(&id);
        assert_eq!(is_there, self.shipped.record("incident", id.as_str()).is_some(), "{}", text(&response));
        if is_there && !was_there {
            self.incidents.push((id.clone(), id.clone()));
        }
        let name = match opened {
            Ok(ours) => {
                assert_eq!(shown(ours, &id), shown(result(&response), &id), "stop {stop:?}");
                if was_there { "opened before" } else { "opened for a case" }
            }
            Err(RequestFailure::Refused(_)) => {
                assert_eq!(response.status, 400, "{}", text(&response));
                "opening refused"
            }
            Err(RequestFailure::AccountNotInUse) => {
                assert_eq!(response.status, 400);
                assert!(text(&response).contains("ServiceNow has no active AWS account"), "{}", text(&response));
                "opening refused"
            }
            Err(RequestFailure::NotServed) => {
                assert_eq!(response.status, 403, "{}", text(&response));
                "opening not served"
            }
            Err(failure) => {
                assert_eq!((failure, response.status >= 500), (RequestFailure::Stopped, true), "{}", text(&response));
                "opening stopped"
            }
        };
        *self.seen.entry(name.to_owned()).or_default() += 1;
    }

    fn some_kind(&mut self) -> &'static str {
        KINDS[self.random.index(KINDS.len())]
    }

    /// A kind without columns of its own writes its status alone.
    fn some_columns(&mut self, kind: &str) -> BridgeColumns {
        let own = [
            ("account", *self.random.pick(&["111122223333", "111122223333", "444455556666", ""])),
            ("case_id", *self.random.pick(&["", "case-1", "case-2"])),
            ("display_id", "1234567890"),
            ("case_status", *self.random.pick(&["opened", "resolved"])),
        ];
        let own = own.map(|(name, text)| (name.to_owned(), text.to_owned()));
        BridgeColumns {
            own: if kind == "support_case" { own.into() } else { BTreeMap::new() },
            sync_status: (*self.random.pick(&["", "in_sync", "pending", "waiting", "error", "paused"])).to_owned(),
            last_error: (*self.random.pick(&["", "an error"])).to_owned(),
        }
    }

    fn some_fields(&mut self) -> IncidentFields {
        let closes = self.random.chance(600);
        IncidentFields {
            state: (*self.random.pick(&["2", "3", "6", "7"])).to_owned(),
            hold_reason: (*self.random.pick(&["", "1"])).to_owned(),
            close_code: if closes { "Solution provided".to_owned() } else { String::new() },
            close_notes: if closes { "Resolved at AWS.".to_owned() } else { String::new() },
            ..IncidentFields::default()
        }
    }

    /// Returns a moment since which comments are asked for, or `None` for all comments.
    fn some_moment(&mut self) -> Option<Timestamp> {
        self.random.chance(400).then(|| self.now - SignedDuration::from_secs(self.random.between(0, 200)))
    }

    fn compare_snapshots(&mut self) {
        let Some((model, shipped)) = self.some_incident() else { return };
        let since = self.some_moment();
        self.compare_snapshot(&model, &shipped, since);
    }

    fn compare_snapshot(&mut self, model: &IncidentId, shipped: &IncidentId, since: Option<Timestamp>) {
        let kind = self.some_kind();
        let ours = self.model.snapshot(self.now, kind, model, since);
        let since = since.map(|since| format!("&entries_since={}", written(since))).unwrap_or_default();
        let asked = format!("{BASE}/{shipped}/snapshot?kind={kind}");
        let response = self.call(INTEGRATION_USER, "GET", &format!("{asked}{since}"), None);
        let name = if ours.is_ok() { "snapshot" } else { "snapshot refused" };
        *self.seen.entry(name.to_owned()).or_default() += 1;
        let ours = match ours {
            Ok(ours) => ours,
            Err(refusal) => {
                assert_eq!((refusal, response.status), (RequestFailure::NotServed, 403), "{}", text(&response));
                return;
            }
        };
        let mut theirs: Incident = result(&response);
        while !theirs.entries_complete {
            let next = theirs.entries_next.as_ref().unwrap();
            let point = format!("&entries_since={}&entries_after={}", written(next.since), next.after);
            let response = self.call(INTEGRATION_USER, "GET", &format!("{asked}{point}"), None);
            let page: Incident = result(&response);
            theirs.entries_complete = page.entries_complete;
            theirs.entries_next = page.entries_next;
            theirs.entries.extend(page.entries);
            *self.seen.entry("next page".to_owned()).or_default() += 1;
        }
        self.count_kinds(&ours);
        assert_eq!(shown(ours, shipped), shown(theirs, shipped));
    }

    /// Counts the kinds of comments and ends, so that the test can check that all were compared.
    fn count_kinds(&mut self, incident: &Incident) {
        let summary = &incident.summary;
        let on_incident = &self.model.incidents[&summary.sys_id].summary.columns;
        let (said, stands) = (&summary.columns.sync_status, &on_incident.sync_status);
        let is_shared = |element: &str| {
            let is_of_element =
                |row: &&Journal| row.incident == summary.sys_id && row.is_comment() == (element == "comments");
            let mut rows = self.model.journal.iter().filter(is_of_element);
            rows.any(|row| incident.entries.iter().any(|entry| entry.sys_id == row.sys_id && entry.text != row.text))
        };
        let kinds = [
            ("comment shared by its prefix", is_shared("comments")),
            ("work note shared", is_shared("work_notes")),
            ("another link is worse", said == "in_sync" && stands == "error"),
            ("no link of this kind yet", said.is_empty() && !stands.is_empty()),
            ("ended by count", summary.ended_mod_count.is_some()),
            ("ended by another", summary.ended_by_another),
            ("ended without count", summary.state.is_ended() && summary.ended_mod_count.is_none()),
            ("closed by count", summary.closed_mod_count.is_some()),
            ("ours", incident.entries.iter().any(|entry| entry.ours)),
            ("undecided", incident.entries.iter().any(|entry| entry.undecided)),
            ("counted", incident.entries.iter().any(|entry| entry.mod_count.is_some())),
            ("account active", summary.linked_account_state == AccountState::Active),
            ("account inactive", summary.linked_account_state == AccountState::Inactive),
            ("account missing", summary.linked_account_state == AccountState::Missing),
            ("several accounts of a group", summary.group_accounts.len() > 1),
            ("no active account", incident.account.is_none() && !summary.group_accounts.is_empty()),
            ("auto-closed", incident.entries.iter().any(|entry| entry.created_by == "system")),
        ];
        for (kind, _) in kinds.into_iter().filter(|(_, is_seen)| *is_seen) {
            *self.seen.entry(kind.to_owned()).or_default() += 1;
        }
    }

    /// Does something at random that no request of casebridge does.
    fn happen(&mut self) {
        let Some((model, shipped)) = self.some_incident() else { return };
        match self.random.below(15) {
            10 => self.delete(model, shipped),
            11 => self.merge(&model, &shipped),
            12 => self.hinder_links(),
            13 => self.double_link(&model, &shipped),
            0 => {
                let copy = self.shipped.copy(self.now, AGENT, "incident", shipped.as_str(), &self.network).unwrap();
                let own = self.model.copy(self.now, AGENT, &model).unwrap();
                self.incidents.push((own, IncidentId::new(copy)));
            }
            1 => {
                self.shipped.abort_updates("No updates now", 0);
                self.model.abort_updates(0);
                let closed = self.shipped.auto_close(self.now, 0, &self.network);
                assert_eq!(self.model.auto_close(self.now, SignedDuration::ZERO).len(), closed);
            }
            2 => {
                let name = format!("bridge.{}", self.random.below(3));
                self.shipped.rename_user(&self.model.integration_user, &name);
                self.model.rename_integration_user(&name);
            }
            3 | 4 => {
                let row = self.shipped.record("incident", shipped.as_str()).unwrap().clone();
                self.older.push((self.model.incidents[&model].clone(), row));
            }
            5 => self.go_back(),
            6 => self.switch_account(),
            7 => self.remove_account(),
            14 => {
                self.share_otherwise();
                self.compare_snapshot(&model, &shipped, None);
            }
            8 => self.import_status(&model, &shipped),
            _ => {
                let count = self.random.below(3);
                self.shipped.abort_updates("No updates now", count);
                self.model.abort_updates(count);
                self.deliver();
            }
        }
    }

    /// An administrator deletes an incident, or undeletes the one that was deleted last.
    fn delete(&mut self, model: IncidentId, shipped: IncidentId) {
        if let Some((model, shipped)) = self.deleted.pop() {
            assert!(self.shipped.undelete("incident", shipped.as_str()) && self.model.undelete(&model));
            *self.seen.entry("undeleted".to_owned()).or_default() += 1;
            self.incidents.push((model.clone(), shipped.clone()));
            return self.compare_snapshot(&model, &shipped, None);
        }
        let response = self.call("admin", "DELETE", &format!("/api/now/table/incident/{shipped}"), None);
        assert!(response.status < 300, "{}", text(&response));
        self.model.delete(&model).unwrap();
        for target in ["snapshot", "deliver"] {
            let method = if target == "snapshot" { "GET" } else { "POST" };
            let response = self.call(INTEGRATION_USER, method, &format!("{BASE}/{shipped}/{target}"), Some(&json!({})));
            assert_eq!(response.status, 404, "{}", text(&response));
        }
        self.incidents.retain(|(own, _)| *own != model);
        self.older.retain(|(record, _)| record.summary.sys_id != model);
        self.deleted.push((model, shipped));
    }

    /// A script makes everything that refers to one incident refer to another.
    fn merge(&mut self, model: &IncidentId, shipped: &IncidentId) {
        let Some((into, shipped_into)) = self.some_incident().filter(|(other, _)| other != model) else { return };
        self.shipped.repoint(self.now, "incident", shipped.as_str(), shipped_into.as_str());
        self.model.repoint(model, &into);
        *self.seen.entry("merged".to_owned()).or_default() += 1;
        self.compare_snapshot(&into, &shipped_into, None);
        self.compare_snapshot(model, shipped, None);
    }

    /// Keeps the app from using its table of links for some deliveries.
    fn hinder_links(&mut self) {
        let (theirs, ours) = *self.random.pick(&OBSTACLES);
        self.shipped.hinder(LINKS, theirs);
        self.model.links_obstacle = Some(ours);
        *self.seen.entry(format!("links {ours:?}")).or_default() += 1;
        for _ in 0..=self.random.below(3) {
            self.deliver();
            self.compare_snapshots();
        }
        self.shipped.unhinder(LINKS, theirs);
        self.model.links_obstacle = None;
    }

    /// Gives a link a second row, as if from a time without a unique index.
    fn double_link(&mut self, model: &IncidentId, shipped: &IncidentId) {
        let (kind, status) = (self.some_kind(), *self.random.pick(&["in_sync", "error"]));
        if self.model.double_link(model, kind, status).is_none() {
            return;
        }
        let count = self.shipped.records(LINKS, "").len();
        let values = [
            // This id sorts after the others, which are digests.
            ("sys_id", format!("ffffff{count:026x}")),
            ("link_key", format!("{kind}:{shipped}")),
            ("kind", kind.to_owned()),
            ("incident", shipped.to_string()),
            ("sync_status", status.to_owned()),
        ];
        self.shipped.restore(LINKS, values.map(|(name, value)| (name.to_owned(), value)).into());
        self.shipped.hinder(LINKS, Obstacle::NoUniqueIndex);
        *self.seen.entry("doubled".to_owned()).or_default() += 1;
        self.compare_snapshot(model, shipped, None);
    }

    /// An import writes a status to an incident that differs from that of its links.
    fn import_status(&mut self, model: &IncidentId, shipped: &IncidentId) {
        let status = (*self.random.pick(&["", "in_sync", "error"])).to_owned();
        let mut row = self.shipped.record("incident", shipped.as_str()).unwrap().clone();
        row.insert("x_casebridge_aws_sync_status".to_owned(), status.clone());
        row.retain(|_, value| !value.is_empty());
        self.shipped.restore("incident", row);
        let mut record = self.model.incidents[model].clone();
        record.summary.columns.sync_status = status;
        self.model.restore(record);
        *self.seen.entry("changed by an import".to_owned()).or_default() += 1;
        self.compare_snapshot(model, shipped, None);
    }

    /// Shows an earlier record of an incident, for one read or from now on.
    fn go_back(&mut self) {
        let index = self.random.index(self.older.len());
        let Some((record, row)) = self.older.get(index).cloned() else { return };
        let id = record.summary.sys_id.clone();
        if self.random.chance(300) {
            *self.seen.entry("restored".to_owned()).or_default() += 1;
            self.shipped.restore("incident", row);
            self.model.restore(record);
        } else {
            self.shipped.lag_once("incident", row);
            self.model.lag_once(record, Timestamp::UNIX_EPOCH);
        }
        let shipped = self.shipped_id(&id);
        self.compare_snapshot(&id, &shipped, None);
    }

    fn compare_changes(&mut self) {
        let since = self.now - SignedDuration::from_secs(self.random.between(0, 600));
        let limit = 1 + self.random.below(4);
        let target = format!("{BASE}/changes?since={}&limit={limit}", written(since));
        let response = self.call(INTEGRATION_USER, "GET", &target, None);
        let theirs: Value = result(&response);
        let (mut ours, more) = self.model.changes(since, None, usize::try_from(limit).unwrap());
        assert_eq!(theirs["more"], json!(more), "{theirs} {ours:?}");
        let times = |list: &[Value]| -> Vec<String> {
            list.iter().map(|entry| entry["sys_updated_on"].as_str().unwrap().to_owned()).collect()
        };
        let listed = theirs["incidents"].as_array().unwrap();
        ours.sort_by_key(|(_, _, updated_on, _)| *updated_on);
        let own: Vec<String> = ours.iter().map(|(_, _, updated_on, _)| written(*updated_on)).collect();
        assert_eq!(times(listed), own);
        if !more {
            let mut theirs: Vec<(String, u64)> = listed
                .iter()
                .map(|entry| (entry["sys_id"].as_str().unwrap().to_owned(), entry["sys_mod_count"].as_u64().unwrap()))
                .collect();
            let mut ours: Vec<(String, u64)> =
                ours.iter().map(|(id, count, _, _)| (self.shipped_id(id).to_string(), *count)).collect();
            theirs.sort();
            ours.sort();
            assert_eq!(theirs, ours);
        }
    }

    fn shipped_id(&self, model: &IncidentId) -> IncidentId {
        self.incidents.iter().find(|(own, _)| own == model).unwrap().1.clone()
    }

    /// Runs the rules and the outbox job on both, and compares the webhooks that they send.
    fn run_jobs(&mut self) {
        let fails = self.random.chance(300);
        self.network.fails.replace(fails);
        let job_is_due =
            self.shipped.waiting_rules() == 0 && self.shipped.next_job_at().is_some_and(|at| at <= self.now);
        let rules = self.shipped.waiting_rules();
        assert_eq!(rules, self.model.rules.len(), "rules that wait");
        let mut attempts = Vec::new();
        for _ in 0..rules {
            self.shipped.run_next_rule(self.now, &self.network);
            if let Some(row) = self.model.run_rule(self.now) {
                attempts.push(row);
                self.model.attempted(self.now, row, !fails);
            }
        }
        if job_is_due {
            self.shipped.run_due_jobs(self.now, &self.network);
            for row in self.model.due_outbox(self.now) {
                attempts.push(row);
                self.model.attempted(self.now, row, !fails);
            }
        }
        let bodies = self.network.bodies.take();
        let mut theirs: Vec<String> =
            bodies.into_iter().map(|body| body["data"]["sys_id"].as_str().unwrap().to_owned()).collect();
        let mut ours: Vec<String> = attempts
            .into_iter()
            .map(|row| self.shipped_id(&self.model.outbox[row].incident.clone()).to_string())
            .collect();
        theirs.sort();
        ours.sort();
        assert_eq!(ours, theirs, "webhooks");
    }

    fn live(&mut self) {
        for _ in 0..DOINGS {
            match self.random.below(15) {
                0 => self.open(),
                13 => self.open_for_case(),
                1..=3 => self.save(),
                4..=7 => self.deliver(),
                8 => self.compare_snapshots(),
                9 => self.compare_changes(),
                10 => self.run_jobs(),
                11 | 12 => self.happen(),
                _ => self.now += SignedDuration::from_secs(self.random.between(1, 90)),
            }
            self.now += SignedDuration::from_secs(self.random.between(0, 2));
        }
    }
}

fn text(response: &Response) -> String {
    format!("{} {}", response.status, String::from_utf8_lossy(&response.body))
}

fn result<T: serde::de::DeserializeOwned>(response: &Response) -> T {
    assert_eq!(response.status, 200, "{}", text(response));
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    serde_json::from_value(body["result"].clone()).unwrap()
}

/// Returns what an account says of its cases.
fn of_account(number: &str) -> CaseOptions {
    CaseOptions {
        additional_contacts: format!("duty{number}@example.com"),
        language: "ja".to_owned(),
        issue_type: " technical ".to_owned(),
    }
}

fn put_options(values: &mut Value, options: Option<&CaseOptions>) {
    let Some(options) = options else { return };
    for (name, value) in serde_json::to_value(options).unwrap().as_object().unwrap() {
        values[format!("x_casebridge_aws_{name}")] = value.clone();
    }
}

fn as_json(change: &Change) -> Value {
    let mut values = json!({});
    put_options(&mut values, change.options.as_ref());
    let mut set = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            values[name] = json!(value);
        }
    };
    set("state", &change.state.as_ref().map(|state| state.value().to_owned()));
    set("hold_reason", &change.hold_reason);
    set("assignment_group", &change.group);
    set("comments", &change.comment);
    set("work_notes", &change.work_note);
    set("x_casebridge_aws_service_code", &change.codes.as_ref().map(|codes| codes.0.clone()));
    set("x_casebridge_aws_category_code", &change.codes.as_ref().map(|codes| codes.1.clone()));
    set("close_code", &change.closing.as_ref().map(|closing| closing.0.clone()));
    set("close_notes", &change.closing.as_ref().map(|closing| closing.1.clone()));
    values
}

/// Returns a delivery as a link of this kind sends it.
fn order(kind: &str, delivery: &Delivery) -> Value {
    let mut order = serde_json::to_value(delivery).unwrap();
    order["kind"] = json!(kind);
    order
}

/// Names the outcomes in an answer, so that the test can check that all were compared.
fn outcomes(answer: &Result<DeliveryAnswer, RequestFailure>) -> Vec<String> {
    match answer {
        Err(refusal) => vec![format!("{refusal:?}")],
        Ok(answer) => {
            let messages = answer.messages.iter().map(|message| format!("{:?}", message.outcome));
            let is_row_refused = answer.fields == FieldsOutcome::Applied && !answer.field_error.is_empty();
            let row = is_row_refused.then(|| "row refused".to_owned());
            messages.chain([format!("fields {:?}", answer.fields)]).chain(row).collect()
        }
    }
}

fn compare_answers(response: &Response, answer: Result<DeliveryAnswer, RequestFailure>, id: &IncidentId, what: &str) {
    let theirs = text(response);
    match answer {
        Err(RequestFailure::Conflict) => assert_eq!(response.status, 409, "{what} {theirs}"),
        Err(RequestFailure::NotFound) => assert_eq!(response.status, 404, "{what} {theirs}"),
        Err(RequestFailure::NotServed) => assert_eq!(response.status, 403, "{what} {theirs}"),
        Err(RequestFailure::Stopped) => assert!(response.status >= 500, "{what} {theirs}"),
        Err(failure @ (RequestFailure::Refused(_) | RequestFailure::AccountNotInUse | RequestFailure::NoSuchFile)) => {
            panic!("{what} {failure:?} {theirs}")
        }
        Ok(ours) => {
            let theirs: DeliveryAnswer = result(response);
            let outcomes = |answer: &DeliveryAnswer| -> Vec<(ExternalId, MessageOutcome)> {
                answer.messages.iter().map(|message| (message.external_id.clone(), message.outcome)).collect()
            };
            assert_eq!(outcomes(&ours), outcomes(&theirs), "{what}");
            assert_eq!(ours.fields, theirs.fields, "{what}: {} / {}", ours.field_error, theirs.field_error);
            assert_eq!(ours.field_error.is_empty(), theirs.field_error.is_empty(), "{what}: {}", theirs.field_error);
            assert_eq!(shown(ours.snapshot, id), shown(theirs.snapshot, id), "{what}");
        }
    }
}

#[test]
fn the_model_answers_as_the_shipped_scripts_do() {
    let app = built_app();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..WORLDS {
        let mut both = Both::new(seed, &app);
        both.open();
        both.live();
        for _ in 0..both.incidents.len() {
            both.compare_snapshots();
        }
        both.run_jobs();
        for (outcome, count) in both.seen {
            *seen.entry(outcome).or_default() += count;
        }
    }
    let all = ["Applied", "AlreadyApplied", "Refused", "Conflict", "Stopped"];
    let fields = ["fields Applied", "fields Stale", "fields Refused"];
    let reads = ["snapshot", "snapshot refused", "next page", "restored", "NotServed"];
    let kinds = [
        "ended by count",
        "ended by another",
        "ended without count",
        "closed by count",
        "ours",
        "undecided",
        "counted",
        "account active",
        "account inactive",
        "account missing",
        "several accounts of a group",
        "no active account",
        "auto-closed",
        "another link is worse",
        "no link of this kind yet",
        "comment shared by its prefix",
        "work note shared",
        "changed by an import",
        "undeleted",
        "merged",
        "doubled",
        "row refused",
        "links Missing",
        "links WritesAborted",
        "links RowsHidden",
        "opened for a case",
        "opened before",
        "opening refused",
        "opening stopped",
    ];
    for outcome in all.into_iter().chain(fields).chain(reads).chain(kinds) {
        assert!(seen.contains_key(outcome), "{outcome} was never compared: {seen:?}");
    }
}
