//! Asynchronous business rules. Whether a rule runs is decided when a record is written. The record that it sees is
//! read when it runs.

use std::{collections::BTreeSet, sync::Arc};

use super::{app::Rule, jobs::Job, query::Query, records::Session, schema::Table, store::Row, view::View};

/// A rule whose filter matched a write and whose `condition` script has not run yet.
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

/// Queues the rules that a write starts. Rules with a condition script wait in `undecided`.
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
    for rule in &app.rules {
        if !rule.follows(operation) || !app.schema.is_a(&table.name, &rule.table) {
            continue;
        }
        let view = View::new(&app.schema, &session.state.store, table, &current).with_change(previous, changed);
        if !Query::parse(&rule.filter).matches(&view) {
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
        if rule.condition.trim().is_empty() {
            session.state.jobs.push_back(job);
        } else {
            session.state.undecided.push_back(UndecidedRule {
                rule: rule.clone(),
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
    use crate::servicenow::{
        app::{App, When},
        records::Actor,
        state::State,
    };

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
