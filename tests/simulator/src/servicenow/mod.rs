//! A ServiceNow instance as a state machine: it takes requests and the time, and returns answers.
//!
//! It commits per record, as the platform does, and a test can let it die between any two commits. Asynchronous
//! business rules never run inside a request: they are queued, and [`Instance::run_due_jobs`] runs them.
//!
//! A script that calls another system waits for the answer, and the instance answers no request meanwhile. The server
//! holds the instance behind a lock, so a webhook that hangs blocks it for the webhook's timeout. A receiver of
//! webhooks must answer before it calls the instance.

pub mod acl;
pub mod app;
mod attachments;
pub mod authentication;
mod base;
mod batch;
pub mod engine;
mod errors;
mod form;
mod host;
mod incident;
mod jobs;
mod journal;
mod life;
pub mod query;
pub mod records;
pub mod rules;
pub mod schema;
mod scripted_rest;
mod standard_change;
pub mod state;
mod stats;
pub mod store;
mod table_api;
mod tiny_url;
mod view;
mod zone;

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use app::{App, AppError};
use engine::{Engine, Script, ScriptError};
use records::{Actor, Session};
use state::{LogLine, State, named_identifier};
use store::{Row, field};

use crate::wire::{Outbound, Request, Response};

/// The address that an instance gives itself if its configuration names none.
const DEFAULT_URL: &str = "https://127.0.0.1";

/// The property that holds the instance's name.
const INSTANCE_NAME: &str = "instance_name";
/// The name that an instance has if its configuration gives none.
const DEFAULT_NAME: &str = "casebridgedev";

/// The longest path that reaches the APIs, in bytes. The platform does not document its limit. Its own client PySNC has
/// tests that get an API's answer for a path of 8,027 bytes and a page for one of 23,027 bytes; queries may be longer.
const MAXIMUM_PATH_BYTES: usize = 8_192;

/// What a scoped app sees of `sys_audit`, the platform's audit trail. Instances may differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAccess {
    /// Its rows, if the app has the privilege.
    #[default]
    Readable,
    /// No rows.
    Empty,
    /// An exception.
    Refused,
}

/// The configuration of an instance.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Configuration {
    /// The property `instance_name`.
    pub instance_name: Option<String>,
    /// What a scoped app sees of the audit trail.
    pub audit: AuditAccess,
    /// Whether a second resolution of an incident overwrites `resolved_at`. Published variants of the platform's rule
    /// set `resolved_at` only if it is empty, so by default the first time stays.
    pub resolved_at_is_overwritten: bool,
    /// The users who can log in. They are added to those of the demo data.
    pub users: Vec<User>,
    /// The clients that get tokens.
    pub oauth_clients: Vec<OauthClient>,
    /// The seed of all identifiers. The same seed gives the same ones.
    pub seed: u64,
    /// The instance's own address, for links. As on the platform, the `Host` header of a request is not trusted.
    pub url: Option<String>,
    /// Whether prepared script contexts are kept from one script to the next. It is faster, but what a script leaves in
    /// the global scope is there for the next.
    pub reuse_contexts: bool,
    /// Whether there are many more users and problems, for tests of clients that read several pages.
    pub large_demo_data: bool,
    /// The time zone in which users without one of their own see times, for example `US/Pacific`. UTC if there is none.
    #[serde(deserialize_with = "zone::read_name")]
    pub time_zone: Option<String>,
}

/// A user who can log in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name to log in with.
    pub user_name: String,
    /// The password.
    pub password: SecretString,
    /// The roles, by name.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The first name.
    #[serde(default)]
    pub first_name: String,
    /// The last name.
    #[serde(default)]
    pub last_name: String,
}

/// A client that gets tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthClient {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
    /// The user of the tokens that the client gets for itself.
    #[serde(default)]
    pub user_name: Option<String>,
}

/// A ServiceNow instance. A copy is cheap and independent of the original.
#[derive(Debug, Clone)]
pub struct Instance {
    app: Arc<App>,
    state: State,
    configuration: Arc<Configuration>,
    engine: Engine,
}

impl Instance {
    /// Returns the platform with its demo data, without any app.
    pub fn new(configuration: Configuration) -> Self {
        let mut state = State::new(configuration.seed);
        state.store = base::store(configuration.large_demo_data);
        for user in &configuration.users {
            base::put_user(&mut state.store, user);
        }
        state.audit = configuration.audit;
        state.resolved_at_is_overwritten = configuration.resolved_at_is_overwritten;
        let engine = Engine { reuse_contexts: configuration.reuse_contexts };
        let zone = configuration.time_zone.clone();
        let name = configuration.instance_name.clone().unwrap_or_else(|| DEFAULT_NAME.to_owned());
        let mut instance = Self { app: App::platform(), state, configuration: Arc::new(configuration), engine };
        instance.set_property(INSTANCE_NAME, &name);
        if let Some(zone) = zone {
            instance.set_property(zone::DEFAULT_PROPERTY, &zone);
        }
        instance
    }

    /// Reads a built app from its folder and installs it.
    pub fn load_app(&mut self, folder: &Path) -> Result<(), AppError> {
        self.install(App::load(folder)?);
        Ok(())
    }

    /// Installs an app that has been read, or upgrades it, so that many instances can share one app. An upgrade writes
    /// every record of the app anew, except those of the first installation.
    pub fn install(&mut self, app: Arc<App>) {
        let is_upgrade = self.app.scope == app.scope;
        let first_records = app.first_records.iter().filter(|_| !is_upgrade);
        for (table, sys_id, row) in app.records.iter().chain(first_records) {
            if table == "sys_user_role" {
                self.take_over_role(sys_id, field(row, "name"));
            }
            self.state.store.put(table, sys_id, base::stamped(row.clone()));
        }
        self.state.schedule =
            app.scheduled_jobs.iter().filter(|job| job.active).map(|job| (job.sys_id.clone(), job.start)).collect();
        self.app = app;
    }

    /// Replaces a role that a user was given by name before the app brought it, by the app's own.
    fn take_over_role(&mut self, sys_id: &str, name: &str) {
        let store = &mut self.state.store;
        let Some(old) = store.find_by("sys_user_role", "name", name).map(|row| field(row, "sys_id").to_owned()) else {
            return;
        };
        if old == sys_id {
            return;
        }
        store.remove("sys_user_role", &old);
        let grants: Vec<(String, Row)> = store
            .rows("sys_user_has_role")
            .filter(|(_, row)| field(row, "role") == old)
            .map(|(grant, row)| (grant.clone(), row.as_ref().clone()))
            .collect();
        for (grant, mut row) in grants {
            row.insert("role".to_owned(), sys_id.to_owned());
            store.put("sys_user_has_role", &grant, row);
        }
    }

    /// Answers one request. Waits for the answers to the requests that scripts send to `outbound`.
    pub fn handle(&mut self, now: Timestamp, request: &Request, outbound: &dyn Outbound) -> Response {
        let response = self.dispatch(now, request, outbound);
        self.decide_rules(now, outbound);
        let stopped = self.state.stopped;
        self.restart_if_stopped();
        self.state.commits_left = None;
        if stopped { errors::stopped() } else { response }
    }

    /// Runs the `condition` scripts of the rules that the request's writes may start, as the user who wrote. Scripts do
    /// so themselves after each of their writes.
    fn decide_rules(&mut self, now: Timestamp, outbound: &dyn Outbound) {
        let undecided = self.state.undecided.front().filter(|_| !self.state.stopped);
        let Some(user_name) = undecided.map(|rule| rule.job.user_name.clone()) else { return };
        let actor = self.state.actor(&user_name).unwrap_or_else(Actor::system);
        let mut session = Session { app: &self.app, state: &mut self.state, actor, now };
        if let Err(error) = engine::run(&mut session, outbound, self.engine, &Script::Decide) {
            self.state.log(now, "error", error.to_string());
        }
        self.state.undecided.clear();
    }

    fn dispatch(&mut self, now: Timestamp, request: &Request, outbound: &dyn Outbound) -> Response {
        let request = &with_overridden_method(request);
        if request.path.len() > MAXIMUM_PATH_BYTES {
            return errors::address_too_long();
        }
        let path = request.path.trim_end_matches('/');
        if path == "/oauth_token.do" {
            return self.oauth_token(request, now);
        }
        let actor = authentication::authenticate(&self.state, request, now);
        if scripted_rest::knows_path(&self.app, path) {
            return self.scripted_rest(now, request, actor, outbound);
        }
        let Some(actor) = actor else { return errors::not_authenticated() };
        let Some((api, rest)) = platform_api(path) else { return errors::unknown_path() };
        let resolved = tiny_url::resolved(&self.state.store, request);
        let request = resolved.as_ref().unwrap_or(request);
        let mut call = UserRequest {
            session: Session { app: &self.app, state: &mut self.state, actor, now },
            engine: self.engine,
            request,
            outbound,
        };
        let url = self.configuration.url.as_deref().unwrap_or(DEFAULT_URL);
        match (api, rest.as_slice()) {
            ("table", [table]) => table_api::collection(&mut call, url, table, path),
            ("table", [table, sys_id]) => table_api::record(&mut call, url, table, sys_id),
            ("stats", [table]) => stats::answer(&call, table),
            ("attachment", rest) => attachments::answer(&mut call, url, rest),
            ("batch", []) => batch::answer(self, now, request, outbound),
            ("tinyurl", []) => tiny_url::answer(&mut call),
            _ => errors::unknown_path(),
        }
    }

    /// Lets the instance die right after this many commits of the next request or job, and before the first one if it
    /// is 0. What was committed stays, the rest of the request does not happen, and the instance is up again at once. A
    /// request with fewer commits cancels this.
    pub fn stop_after_commits(&mut self, commits: u64) {
        self.state.commits_left = Some(commits);
    }

    fn restart_if_stopped(&mut self) {
        if self.state.stopped {
            self.state.stopped = false;
            self.state.commits_left = None;
            self.state.undecided.clear();
        }
    }

    /// Returns the log, the oldest line first.
    pub fn log(&self) -> impl Iterator<Item = &LogLine> {
        self.state.log.iter()
    }

    /// Returns a record, for checks. Returns `None` if there is none.
    pub fn record(&self, table: &str, sys_id: &str) -> Option<&Row> {
        self.state.store.row(table, sys_id).map(Arc::as_ref)
    }

    /// Returns the records of a table that match an encoded query, for checks.
    pub fn records(&self, table: &str, query: &str) -> Vec<Row> {
        let query = query::Query::parse(query);
        let found = self.state.store.select(&self.app.schema, table, &query);
        found.into_iter().map(|view| view.row.clone()).collect()
    }

    /// Sets a system property, and creates it if it is missing.
    pub fn set_property(&mut self, name: &str, value: &str) {
        let store = &mut self.state.store;
        let known = store.find_by("sys_properties", "name", name).map(|row| row.as_ref().clone());
        let mut row = known.unwrap_or_else(|| {
            base::stamped(Row::from([
                ("sys_id".to_owned(), named_identifier(&format!("property:{name}"))),
                ("name".to_owned(), name.to_owned()),
            ]))
        });
        row.insert("value".to_owned(), value.to_owned());
        let sys_id = field(&row, "sys_id").to_owned();
        store.put("sys_properties", &sys_id, row);
    }

    /// Runs a script as the user of this name and returns its value as a text, as a background script does.
    pub fn run_script(
        &mut self,
        now: Timestamp,
        user_name: &str,
        source: &str,
        outbound: &dyn Outbound,
    ) -> Result<String, ScriptError> {
        let actor = self.state.actor(user_name).unwrap_or_else(Actor::system);
        let app = self.app.clone();
        let mut session = Session { app: &app, state: &mut self.state, actor, now };
        let outcome = engine::run(&mut session, outbound, self.engine, &Script::Plain { source });
        self.restart_if_stopped();
        outcome.map(|value| value.as_str().unwrap_or_default().to_owned())
    }
}

/// One request of one user.
pub(crate) struct UserRequest<'a, 'b> {
    session: Session<'a>,
    engine: Engine,
    request: &'b Request,
    outbound: &'b dyn Outbound,
}

fn with_overridden_method(request: &Request) -> Request {
    let mut request = request.clone();
    if let Some(method) = request.header("x-http-method-override").map(str::to_uppercase) {
        request.method = method;
    }
    request
}

/// Splits `/api/now[/v1]/<api>/...` into the API and the rest. Returns `None` for another path.
fn platform_api(path: &str) -> Option<(&str, Vec<&str>)> {
    let mut segments = path.strip_prefix("/api/now/")?.split('/').peekable();
    segments.next_if(|segment| segment.starts_with('v') && segment[1..].parse::<u8>().is_ok());
    let api = segments.next()?;
    Some((api, segments.collect()))
}

impl Configuration {
    /// Whether the password is the user's, for checks of configurations.
    pub fn has_password(&self, user_name: &str, password: &str) -> bool {
        self.users.iter().any(|user| user.user_name == user_name && user.password.expose_secret() == password)
    }
}
