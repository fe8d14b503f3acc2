//! Business rules: those of the app, and those that administrators wrote as records of `sys_script`.
//!
//! Rules before a write may change or refuse it. Rules after it run in the same request. Whether an asynchronous rule
//! runs is decided when a record is written. The record that it sees is read when it runs.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    UserRequest,
    app::App,
    engine::{self, Script, ScriptError},
    jobs::Job,
    query::Query,
    records::{Session, WriteError},
    schema::Table,
    store::{Row, Store, field},
    view::View,
};

/// The operations that a rule may be for, each with its column.
const OPERATIONS: [(&str, &str); 3] =
    [("insert", "action_insert"), ("update", "action_update"), ("delete", "action_delete")];

/// When a business rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before the record is written; it may change or refuse it.
    Before,
    /// Right after the record was written, in the same request.
    After,
    /// By itself, after the record was written.
    Async,
}

/// A business rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its record.
    pub sys_id: String,
    /// Its name.
    pub name: String,
    /// The table that it is on.
    pub table: String,
    /// When it runs.
    pub when: When,
    /// Its order. Rules with a lower order run first.
    pub order: i64,
    /// The operations after which it runs: `insert`, `update`, `delete`.
    pub operations: BTreeSet<&'static str>,
    /// The encoded query that a record must match.
    pub filter: String,
    /// The script that decides whether it runs.
    pub condition: String,
    /// The script.
    pub script: String,
    /// Whether it aborts the write of a record that its conditions match.
    pub aborts: bool,
    /// The message that people see if its conditions match. Empty if there is none.
    pub message: String,
    /// The scope that it runs in. Empty for the platform's.
    pub scope: String,
}

impl Rule {
    /// Reads a rule from its record.
    pub fn read(row: &Row, when: When, scope: &str) -> Self {
        let get = |name: &str| field(row, name).to_owned();
        let is = |name: &str| field(row, name) == "true";
        Self {
            sys_id: get("sys_id"),
            name: get("name"),
            table: get("collection"),
            when,
            order: field(row, "order").parse().unwrap_or_default(),
            operations: OPERATIONS.iter().filter(|(_, flag)| is(flag)).map(|(operation, _)| *operation).collect(),
            filter: get("filter_condition"),
            condition: get("condition"),
            script: get("script"),
            aborts: is("abort_action"),
            message: if is("add_message") { get("message") } else { String::new() },
            scope: scope.to_owned(),
        }
    }

    /// Whether it is for this operation.
    pub fn is_for(&self, operation: &str) -> bool {
        self.operations.contains(operation)
    }
}

/// A rule whose filter matched a write and whose `condition` script has not run yet, or that runs right after the
/// write.
#[derive(Debug, Clone)]
pub struct UndecidedRule {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The job that is queued if the script agrees.
    pub job: Job,
    /// The record as it was written.
    pub current: Row,
    /// The record before the write.
    pub previous: Row,
    /// The columns that the write changed.
    pub changed: BTreeSet<String>,
}

/// Returns the active rules for an operation on a table and the tables that it extends, by their order.
pub fn on(app: &App, store: &Store, table: &str, operation: &str) -> Vec<Arc<Rule>> {
    let of_app = app.rules.iter().filter(|rule| rule.is_for(operation) && app.schema.is_a(table, &rule.table)).cloned();
    let rows =
        store.rows("sys_script").map(|(_, row)| row).filter(|row| app.schema.is_a(table, field(row, "collection")));
    let of_instance = rows.filter_map(|row| read(app, row)).filter(|rule| rule.is_for(operation)).map(Arc::new);
    let mut rules: Vec<Arc<Rule>> = of_app.chain(of_instance).collect();
    rules.sort_by(|left, right| (left.order, &left.sys_id).cmp(&(right.order, &right.sys_id)));
    rules
}

/// Returns the rule with this `sys_id`. Returns `None` if there is none or it is not active.
pub fn find(app: &App, store: &Store, sys_id: &str) -> Option<Arc<Rule>> {
    let of_app = app.rules.iter().find(|rule| rule.sys_id == sys_id).cloned();
    of_app.or_else(|| Some(Arc::new(read(app, store.row("sys_script", sys_id)?)?)))
}

/// Reads a rule of the instance. Returns `None` for the app's own, which its scripts came with, for one that is not
/// active, and for a kind that is not for writes.
fn read(app: &App, row: &Row) -> Option<Rule> {
    let when = match field(row, "when") {
        "before" => When::Before,
        "after" => When::After,
        "async" | "async_always" => When::Async,
        _ => return None,
    };
    let is_active = field(row, "active") == "true";
    let is_of_app = app.rules.iter().any(|rule| rule.sys_id == field(row, "sys_id"));
    (is_active && !is_of_app).then(|| Rule::read(row, when, ""))
}

/// Runs the rules before a write that the Table API asks for. They may change the values or refuse the write. Returns
/// the values to write.
pub(super) fn run_before(
    call: &mut UserRequest<'_, '_>,
    table: &Table,
    operation: &str,
    previous: &Row,
    values: Row,
) -> Result<Row, WriteError> {
    let rules = on(call.session.app, &call.session.state.store, &table.name, operation);
    if rules.iter().all(|rule| rule.when != When::Before) {
        return Ok(values);
    }
    let script = Script::Before { table: &table.name, operation, previous, values: &values };
    match engine::run(&mut call.session, call.outbound, call.engine, &script) {
        Ok(answer) => match answer["refusal"].as_str() {
            Some(refusal) => Err(WriteError::AbortedBy(refusal.to_owned())),
            None => Ok(serde_json::from_value(answer["values"].clone()).unwrap_or(values)),
        },
        Err(ScriptError::Stopped) => Err(WriteError::Stopped),
        // If a rule fails, the record is written all the same.
        Err(ScriptError::Failed(message)) => {
            call.session.state.log(call.session.now, "error", format!("{} {operation}: {message}", table.name));
            Ok(values)
        }
    }
}

/// Runs the rules that follow a write in the same request, so that its answer shows what they changed.
pub(super) fn run_after(call: &mut UserRequest<'_, '_>) {
    let session = &mut call.session;
    if session.state.stopped || session.state.undecided.iter().all(|waiting| waiting.rule.when != When::After) {
        return;
    }
    if let Err(error) = engine::run(session, call.outbound, call.engine, &Script::Decide) {
        session.state.log(session.now, "error", error.to_string());
    }
}

/// Queues the rules that a write starts. Rules with a condition script, and those that run right after the write, wait
/// in `undecided`.
pub fn queue(
    session: &mut Session<'_>,
    operation: &str,
    table: &Table,
    sys_id: &str,
    previous: &Row,
    changed: &BTreeSet<String>,
) {
    let app = session.app;
    let current = match session.state.store.row(&table.name, sys_id) {
        Some(row) => row.as_ref().clone(),
        None => previous.clone(),
    };
    for rule in on(app, &session.state.store, &table.name, operation) {
        let view = View::new(&app.schema, &session.state.store, table, &current).with_change(previous, changed);
        if rule.when == When::Before || !Query::parse(&rule.filter).matches(&view) {
            continue;
        }
        let job = Job {
            rule: rule.sys_id.clone(),
            table: table.name.clone(),
            record: sys_id.to_owned(),
            operation: operation.to_owned(),
            user_name: session.actor.user_name.clone(),
            queued_at: session.now,
            last_seen: current.clone(),
        };
        if rule.when == When::Async && rule.condition.trim().is_empty() {
            session.state.jobs.push_back(job);
        } else {
            session.state.undecided.push_back(UndecidedRule {
                rule,
                job,
                current: current.clone(),
                previous: previous.clone(),
                changed: changed.clone(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servicenow::{records::Actor, state::State};

    fn app(filter: &str, condition: &str) -> App {
        let rule = Rule {
            sys_id: "rule".to_owned(),
            name: "rule".to_owned(),
            table: "task".to_owned(),
            when: When::Async,
            order: 100,
            operations: BTreeSet::from(["update"]),
            filter: filter.to_owned(),
            condition: condition.to_owned(),
            script: String::new(),
            aborts: false,
            message: String::new(),
            scope: String::new(),
        };
        App { rules: vec![Arc::new(rule)], ..App::bare() }
    }

    /// Returns how many rules are queued, and how many undecided, after an incident got these values.
    fn queued(filter: &str, condition: &str, name: &str, value: &str) -> (usize, usize) {
        let app = app(filter, condition);
        let mut state = State::new(1);
        let now = jiff::Timestamp::UNIX_EPOCH;
        let mut session = Session { app: &app, state: &mut state, actor: Actor::system(), now };
        let row = |name: &str, value: &str| Row::from([(name.to_owned(), value.to_owned())]);
        let sys_id = session.insert("incident", row("description", "old"), true).unwrap();
        session.update("incident", &sys_id, row(name, value), true).unwrap();
        (state.jobs.len(), state.undecided.len())
    }

    #[test]
    fn filters_see_what_the_write_changed() {
        assert_eq!(queued("descriptionVALCHANGES^EQ", "", "description", "new"), (1, 0));
        assert_eq!(queued("descriptionVALCHANGES^EQ", "", "short_description", "new"), (0, 0));
        assert_eq!(queued("stateVALCHANGES^ORcommentsVALCHANGES^EQ", "", "comments", "text"), (1, 0));
        assert_eq!(queued("stateCHANGESTO2", "", "state", "2"), (1, 0));
        assert_eq!(queued("stateCHANGESFROM1", "", "state", "2"), (1, 0));
        assert_eq!(queued("descriptionVALCHANGES", "", "description", "old"), (0, 0), "nothing was written");
    }

    #[test]
    fn a_condition_that_is_a_script_waits_to_be_asked() {
        assert_eq!(queued("", "gs.getUserName() != 'me'", "description", "new"), (0, 1));
    }
}
