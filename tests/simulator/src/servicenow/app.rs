//! A built app: what `dist/app` holds, read once and shared by every instance that runs it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use casebridge_core::time::parse_servicenow;
use jiff::{SignedDuration, Timestamp};
use roxmltree::{Document, Node};
use thiserror::Error;

use super::{
    acl::AccessControl,
    base,
    rules::{Rule, When},
    schema::{Column, ColumnKind, Schema, Table},
    store::{Row, field},
};

/// The folders of a built app with the records that every installation writes.
const RECORD_FOLDERS: [&str; 2] = ["update", "author_elective_update"];
/// The folder of a built app with the records that only the first installation writes (`installMethod: 'first
/// install'`).
const FIRST_INSTALLATION_FOLDER: &str = "unload";
/// The platform's tables whose records an instance copies from the app.
const DATA_TABLES: [&str; 8] = [
    "sys_properties",
    "sys_choice",
    "sys_user_role",
    "sys_user_role_contains",
    "sys_user",
    "sys_user_group",
    "sys_script",
    "sys_script_include",
];

/// Why an app can't be loaded.
#[derive(Debug, Error)]
pub enum AppError {
    /// A file or folder can't be read.
    #[error("{path}: {source}; build the app first: `npm run build` in infra/servicenow")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is not XML.
    #[error("{path}: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The error of the parser.
        source: roxmltree::Error,
    },
    /// The app has something that the platform would refuse or that the simulator does not support.
    #[error("{0}")]
    Unsupported(String),
}

/// A script that runs by itself.
#[derive(Debug, Clone)]
pub struct ScheduledJob {
    /// Its record.
    pub sys_id: String,
    /// Its name.
    pub name: String,
    /// The script.
    pub script: String,
    /// The script that decides whether it runs.
    pub condition: Option<String>,
    /// Whether it is active.
    pub active: bool,
    /// The first run.
    pub start: Timestamp,
    /// The time from one run to the next.
    pub period: SignedDuration,
}

impl ScheduledJob {
    /// Returns the time of the first run after this moment.
    pub fn next_run(&self, now: Timestamp) -> Timestamp {
        if now < self.start {
            return self.start;
        }
        let period = self.period.as_millis().max(1);
        let passed = now.as_millisecond() - self.start.as_millisecond();
        let periods = i128::from(passed) / period + 1;
        let next = i128::from(self.start.as_millisecond()) + periods * period;
        i64::try_from(next).ok().and_then(|next| Timestamp::from_millisecond(next).ok()).unwrap_or(Timestamp::MAX)
    }
}

/// A button that people press. It runs a script on the server.
#[derive(Debug, Clone)]
pub struct Button {
    /// Its label.
    pub name: String,
    /// The table whose lists or forms show it.
    pub table: String,
    /// The script that decides whether it is shown.
    pub condition: String,
    /// The script.
    pub script: String,
    /// The roles that see it, any of them. If the list is empty, everybody sees it.
    pub roles: Vec<String>,
}

/// A resource of a Scripted REST API.
#[derive(Debug, Clone)]
pub struct RestOperation {
    /// Its name.
    pub name: String,
    /// The method.
    pub method: String,
    /// The paths under which it answers, with and without the version. Segments in braces are parameters.
    pub paths: Vec<String>,
    /// The content types of bodies that it takes.
    pub consumes: Vec<String>,
    /// The script.
    pub script: String,
    /// Whether a user must have logged in.
    pub requires_authentication: bool,
    /// The access controls that the user must pass.
    pub controls: Vec<String>,
}

/// A built app, or the bare platform.
#[derive(Debug)]
pub struct App {
    /// A number that no other app in this process has.
    pub identity: u64,
    /// The app's scope; empty for the bare platform.
    pub scope: String,
    /// The platform's tables and the app's.
    pub schema: Schema,
    /// Business rules by their order.
    pub rules: Vec<Arc<Rule>>,
    /// Script includes by their names.
    pub includes: BTreeMap<String, String>,
    /// Scheduled jobs.
    pub scheduled_jobs: Vec<ScheduledJob>,
    /// Resources of Scripted REST APIs.
    pub operations: Vec<RestOperation>,
    /// Buttons (`sys_ui_action`).
    pub buttons: Vec<Button>,
    /// The scripts that run on an instance after it was made a clone of another one (`clone_cleanup_script`).
    pub clean_up_scripts: Vec<String>,
    /// Access controls.
    pub controls: Vec<AccessControl>,
    /// The platform's tables that the app may `create`, `write` or `delete`.
    pub privileges: BTreeSet<(String, String)>,
    /// The records that an instance copies from the app: table, `sys_id`, record.
    pub records: Vec<(String, String, Row)>,
    /// The records that an instance copies only when the app is installed for the first time.
    pub first_records: Vec<(String, String, Row)>,
}

/// One record of the app's files.
struct Record {
    table: String,
    row: Row,
    /// The names that the file gives with references, by column.
    names: BTreeMap<String, String>,
}

impl Record {
    fn get(&self, name: &str) -> &str {
        field(&self.row, name)
    }

    fn is(&self, name: &str) -> bool {
        self.get(name) == "true"
    }

    /// Returns its table, its `sys_id` and its columns.
    fn data(&self) -> (String, String, Row) {
        (self.table.clone(), self.get("sys_id").to_owned(), self.row.clone())
    }
}

impl App {
    /// Returns the platform without any app.
    pub fn platform() -> Arc<Self> {
        static PLATFORM: LazyLock<Arc<App>> = LazyLock::new(|| Arc::new(App::bare()));
        PLATFORM.clone()
    }

    pub(super) fn bare() -> Self {
        static IDENTITIES: AtomicU64 = AtomicU64::new(0);
        Self {
            identity: IDENTITIES.fetch_add(1, Ordering::Relaxed),
            scope: String::new(),
            schema: Schema::platform().clone(),
            rules: Vec::new(),
            includes: BTreeMap::new(),
            scheduled_jobs: Vec::new(),
            operations: Vec::new(),
            buttons: Vec::new(),
            clean_up_scripts: Vec::new(),
            controls: Vec::new(),
            privileges: BTreeSet::new(),
            records: Vec::new(),
            first_records: Vec::new(),
        }
    }

    /// Reads a built app from its folder (`dist/app`).
    pub fn load(folder: &Path) -> Result<Arc<Self>, AppError> {
        let mut app = Self::bare();
        for path in xml_files(&folder.join("scope"))? {
            let found = read_records(&path)?.into_iter().find(|record| record.table == "sys_app");
            app.scope = found.map(|record| record.get("scope").to_owned()).unwrap_or_default();
        }
        if app.scope.is_empty() {
            return Err(AppError::Unsupported(format!("{}: no sys_app record with a scope", folder.display())));
        }
        for path in xml_files(&folder.join("dictionary"))? {
            let source = read_text(&path)?;
            let document = parse(&path, &source)?;
            for element in document.root_element().children().filter(|node| node.has_tag_name("element")) {
                app.add_table(element);
            }
        }
        let mut records = Vec::new();
        for name in RECORD_FOLDERS {
            records.extend(read_folder(&folder.join(name))?);
        }
        for record in &records {
            app.add_record(record, &records)?;
        }
        let first = read_folder(&folder.join(FIRST_INSTALLATION_FOLDER))?;
        app.first_records = first.iter().filter(|record| app.takes_over(&record.table)).map(Record::data).collect();
        app.records.extend(base::describe_tables(&app.schema, Schema::platform()));
        app.rules.sort_by(|left, right| (left.order, &left.sys_id).cmp(&(right.order, &right.sys_id)));
        Ok(Arc::new(app))
    }

    /// Returns the record controls on a table or column for an operation.
    pub fn controls_of<'a>(&'a self, name: &'a str, operation: &'a str) -> impl Iterator<Item = &'a AccessControl> {
        self.controls
            .iter()
            .filter(move |control| control.kind == "record" && control.name == name && control.operation == operation)
    }

    fn add_table(&mut self, element: Node<'_, '_>) {
        let name = element.attribute("name").unwrap_or_default();
        let mut columns = BTreeMap::new();
        let mut unique = Vec::new();
        for child in element.children().filter(|node| node.has_tag_name("element")) {
            let column_name = child.attribute("name").unwrap_or_default().to_owned();
            if child.attribute("unique") == Some("true") {
                unique.push(vec![column_name.clone()]);
            }
            columns.insert(column_name, read_column(child));
        }
        for index in element.children().filter(|node| node.has_tag_name("index")) {
            if index.attribute("unique") == Some("true") {
                let members = index.children().filter_map(|node| node.attribute("name"));
                unique.push(members.map(str::to_owned).collect());
            }
        }
        if self.schema.augment(name, columns.clone(), unique.clone()) {
            return;
        }
        let attribute = |name: &str| element.attribute(name).unwrap_or_default().to_owned();
        self.schema.add(Table {
            name: name.to_owned(),
            label: attribute("label"),
            extends: attribute("extends"),
            display: attribute("display"),
            columns,
            unique,
            web_service_access: element.attribute("ws_access") == Some("true"),
            is_audited: element.attribute("audit") == Some("true"),
            scope: self.scope.clone(),
        });
    }

    fn add_record(&mut self, record: &Record, all: &[Record]) -> Result<(), AppError> {
        match record.table.as_str() {
            "sys_script" if record.is("active") => self.add_rule(record)?,
            "sys_script_include" if record.is("active") => {
                self.includes.insert(record.get("name").to_owned(), record.get("script").to_owned());
            }
            "sysauto_script" => self.scheduled_jobs.push(read_scheduled_job(record)?),
            "sys_ws_operation" if record.is("active") => self.operations.push(RestOperation {
                name: record.get("name").to_owned(),
                method: record.get("http_method").to_owned(),
                paths: vec![record.get("operation_uri").to_owned(), record.get("default_operation_uri").to_owned()],
                consumes: record.get("consumes").split(',').map(|kind| kind.trim().to_owned()).collect(),
                script: record.get("operation_script").to_owned(),
                requires_authentication: record.is("requires_authentication"),
                controls: operation_controls(record),
            }),
            "sys_ui_action" if record.is("active") => self.buttons.push(Button {
                name: record.get("name").to_owned(),
                table: record.get("table").to_owned(),
                condition: record.get("condition").to_owned(),
                script: record.get("script").to_owned(),
                roles: roles_granted(record, all),
            }),
            "clone_cleanup_script" if record.is("active") => {
                self.clean_up_scripts.push(record.get("script").to_owned());
            }
            "sys_security_acl" if record.is("active") => self.controls.push(read_control(record, all)),
            "sys_scope_privilege" if record.get("status") == "allowed" => {
                self.privileges.insert((record.get("target_name").to_owned(), record.get("operation").to_owned()));
            }
            _ => {}
        }
        if self.takes_over(&record.table) {
            self.records.push(record.data());
        }
        Ok(())
    }

    /// Whether an instance copies the app's records of this table.
    fn takes_over(&self, table: &str) -> bool {
        DATA_TABLES.contains(&table) || self.owns(table)
    }

    /// Whether the table belongs to the app.
    pub fn owns(&self, table: &str) -> bool {
        !self.scope.is_empty() && self.schema.table(table).is_some_and(|table| table.scope == self.scope)
    }

    /// Adds a business rule. Asynchronous rules may be on any table, rules before a write on tables of the app alone.
    /// All others are refused: a scoped app may not have them, or the simulator does not support them.
    fn add_rule(&mut self, record: &Record) -> Result<(), AppError> {
        let (name, table) = (record.get("name"), record.get("collection"));
        let when = match record.get("when") {
            "async" | "async_always" => When::Async,
            "before" if self.owns(table) => When::Before,
            other => {
                return Err(AppError::Unsupported(format!(
                    "business rule '{name}': '{other}' on {table} is not allowed to a scoped app, or not played by \
                     the simulator: async rules are, and before rules on tables of the app"
                )));
            }
        };
        self.rules.push(Arc::new(Rule::read(&record.row, when, &self.scope)));
        Ok(())
    }
}

fn operation_controls(record: &Record) -> Vec<String> {
    if !record.is("requires_acl_authorization") {
        return Vec::new();
    }
    record.get("enforce_acl").split(',').filter(|control| !control.is_empty()).map(str::to_owned).collect()
}

/// Returns the names of the roles that an access control or a button requires. They are records of the table `<its
/// own>_role`.
fn roles_granted(record: &Record, all: &[Record]) -> Vec<String> {
    let table = format!("{}_role", record.table);
    let grants = all.iter().filter(|other| other.table == table);
    grants
        .filter(|grant| grant.get(&record.table) == record.get("sys_id"))
        .map(|grant| {
            let role = grant.get("sys_user_role");
            grant.names.get("sys_user_role").map_or(role, String::as_str).to_owned()
        })
        .collect()
}

fn read_control(record: &Record, all: &[Record]) -> AccessControl {
    AccessControl {
        sys_id: record.get("sys_id").to_owned(),
        kind: record.get("type").to_owned(),
        name: record.get("name").to_owned(),
        operation: record.get("operation").to_owned(),
        roles: roles_granted(record, all),
    }
}

fn read_scheduled_job(record: &Record) -> Result<ScheduledJob, AppError> {
    let name = record.get("name");
    let period = match record.get("run_type") {
        "periodically" => {
            let period =
                parse_servicenow(record.get("run_period")).map(|end| end.duration_since(Timestamp::UNIX_EPOCH));
            period.filter(SignedDuration::is_positive)
        }
        "daily" => Some(SignedDuration::from_hours(24)),
        _ => None,
    };
    let period = period.ok_or_else(|| {
        AppError::Unsupported(format!("scheduled job '{name}': only periodical and daily jobs are played"))
    })?;
    let conditional = record.is("conditional").then(|| record.get("condition").to_owned());
    Ok(ScheduledJob {
        sys_id: record.get("sys_id").to_owned(),
        name: name.to_owned(),
        script: record.get("script").to_owned(),
        condition: conditional,
        active: record.is("active"),
        start: parse_servicenow(record.get("run_start")).unwrap_or(Timestamp::UNIX_EPOCH),
        period,
    })
}

fn read_column(element: Node<'_, '_>) -> Column {
    let attribute = |name: &str| element.attribute(name).unwrap_or_default();
    let mut column = Column::of_kind(ColumnKind::from_internal_type(attribute("type")), attribute("label"));
    attribute("reference").clone_into(&mut column.reference);
    column.choice = matches!(attribute("choice"), "1" | "3");
    attribute("default_value").clone_into(&mut column.default_value);
    if column.kind == ColumnKind::Text {
        column.max_length = attribute("max_length").parse().ok();
    }
    column
}

fn xml_files(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    let unreadable = |source| AppError::Unreadable { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "xml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Returns the records of all files in a folder. Empty if there is no such folder.
fn read_folder(folder: &Path) -> Result<Vec<Record>, AppError> {
    let mut records = Vec::new();
    if folder.is_dir() {
        for path in xml_files(folder)? {
            records.extend(read_records(&path)?);
        }
    }
    Ok(records)
}

fn read_text(path: &Path) -> Result<String, AppError> {
    fs::read_to_string(path).map_err(|source| AppError::Unreadable { path: path.to_owned(), source })
}

fn parse<'a>(path: &Path, source: &'a str) -> Result<Document<'a>, AppError> {
    Document::parse(source).map_err(|source| AppError::Malformed { path: path.to_owned(), source })
}

fn read_records(path: &Path) -> Result<Vec<Record>, AppError> {
    let source = read_text(path)?;
    let document = parse(path, &source)?;
    let nodes = document.descendants().filter(|node| node.attribute("action") == Some("INSERT_OR_UPDATE"));
    Ok(nodes.filter_map(read_record).collect())
}

fn read_record(node: Node<'_, '_>) -> Option<Record> {
    let mut record = Record { table: node.tag_name().name().to_owned(), row: Row::new(), names: BTreeMap::new() };
    for child in node.children().filter(|child| child.is_element() && child.attribute("action").is_none()) {
        let name = child.tag_name().name().to_owned();
        let text: String = child.children().filter_map(|node| node.text()).collect();
        if let Some(reference) = child.attribute("name").or_else(|| child.attribute("display_value")) {
            record.names.insert(name.clone(), reference.to_owned());
        }
        if !text.is_empty() {
            record.row.insert(name, text);
        }
    }
    record.row.contains_key("sys_id").then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_run_at_whole_periods_from_their_start() {
        let job = ScheduledJob {
            sys_id: String::new(),
            name: String::new(),
            script: String::new(),
            condition: None,
            active: true,
            start: "2026-01-01T00:00:00Z".parse().unwrap(),
            period: SignedDuration::from_mins(1),
        };
        let next = |now: &str| job.next_run(now.parse().unwrap()).to_string();
        assert_eq!(next("2026-01-01T00:00:00Z"), "2026-01-01T00:01:00Z");
        assert_eq!(next("2026-01-01T00:00:59Z"), "2026-01-01T00:01:00Z");
        assert_eq!(next("2025-01-01T00:00:00Z"), "2026-01-01T00:00:00Z");
    }

    #[test]
    fn a_missing_folder_says_what_to_do() {
        let error = App::load(Path::new("/nonexistent/app")).unwrap_err().to_string();
        assert!(error.contains("build the app first"), "{error}");
    }
}
