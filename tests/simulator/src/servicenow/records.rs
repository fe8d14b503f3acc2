//! Writes of records: the platform's rules, unique indexes, journals, one commit per record, and the rules that a write
//! starts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use thiserror::Error;

use casebridge_core::time::format_servicenow;

use super::{
    app::App,
    attachments, incident, journal, rules,
    schema::{ColumnKind, Table},
    standard_change,
    state::{Obstacle, Removed, State, is_identifier},
    store::{Row, Store, field},
    view::View,
};

/// The prefixes of numbered tables.
const NUMBER_PREFIXES: [(&str, &str); 5] = [
    ("incident", "INC"),
    ("problem", "PRB"),
    ("change_request", "CHG"),
    ("change_task", "CTASK"),
    ("kb_knowledge", "KB"),
];
/// Columns that only the platform writes.
pub const PLATFORM_COLUMNS: [&str; 6] =
    ["sys_created_on", "sys_created_by", "sys_updated_on", "sys_updated_by", "sys_mod_count", "sys_class_name"];

/// The columns of incident whose changes the audit trail keeps, besides its journals.
const AUDITED_COLUMNS: [&str; 4] = ["state", "assignment_group", "close_code", "close_notes"];

/// Why a write was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// A data policy requires more columns. Holds the labels of those that are missing.
    #[error("Data Policy Exception: \n\tThe following fields are mandatory: {0}")]
    DataPolicy(String),
    /// A rule of the platform aborted it.
    #[error("Operation against file 'incident' was aborted by Business Rule '{0}'. Business Rule Stack:{0}")]
    Aborted(String),
    /// A rule of the customer on this table aborted it.
    #[error("Operation against file '{table}' was aborted by Business Rule '{rule}'. Business Rule Stack:{rule}")]
    AbortedOn {
        /// The table.
        table: String,
        /// The rule.
        rule: &'static str,
    },
    /// A rule of the app aborted it. Holds the rule's message.
    #[error("{0}")]
    AbortedBy(String),
    /// A unique index has such a record already.
    #[error("Error during insert of {table} ({display})")]
    Unique {
        /// The table.
        table: String,
        /// The display name of the new record.
        display: String,
    },
    /// There is no such record.
    #[error("No Record found")]
    NotFound,
    /// There is no such table.
    #[error("Invalid table {0}")]
    NoTable(String),
    /// The instance died before this commit or with it.
    #[error("the instance stopped")]
    Stopped,
}

/// The user who acts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The user's record.
    pub sys_id: String,
    /// The user's name to log in with.
    pub user_name: String,
    /// The user's full name.
    pub name: String,
    /// All roles, contained ones included.
    pub roles: BTreeSet<String>,
}

impl Actor {
    /// Returns the platform itself as a user. Scheduled jobs run as it.
    pub fn system() -> Self {
        Self {
            sys_id: "system".to_owned(),
            user_name: "system".to_owned(),
            name: "System".to_owned(),
            roles: BTreeSet::from(["admin".to_owned()]),
        }
    }

    /// Returns the user of this name, with the roles that the records give. Returns `None` if there is no such user.
    pub fn of(store: &Store, user_name: &str) -> Option<Self> {
        if user_name == "system" {
            return Some(Self::system());
        }
        let user = store.find_by("sys_user", "user_name", user_name)?;
        let sys_id = field(user, "sys_id").to_owned();
        let roles = super::acl::roles_of(store, &sys_id);
        Some(Self { sys_id, user_name: user_name.to_owned(), name: field(user, "name").to_owned(), roles })
    }

    /// Whether every access control admits the user.
    pub fn is_admin(&self) -> bool {
        self.roles.contains("admin")
    }

    /// Whether the user has the role. An administrator has all roles.
    pub fn has_role(&self, role: &str) -> bool {
        self.is_admin() || self.roles.contains(role)
    }
}

/// A user who acts on an instance at a moment.
#[derive(Debug)]
pub struct Session<'a> {
    /// The tables, rules and scripts.
    pub app: &'a App,
    /// The instance's state: the records and everything else that changes.
    pub state: &'a mut State,
    /// The user who acts.
    pub actor: Actor,
    /// The time of the instance's clock.
    pub now: Timestamp,
}

impl Session<'_> {
    /// Writes a new record. Returns its `sys_id`.
    pub fn insert(&mut self, table_name: &str, mut values: Row, with_rules: bool) -> Result<String, WriteError> {
        let table = self.table(table_name)?;
        self.abort_if_hindered(&table)?;
        let journals = journal::take_entries(&table, &mut values);
        let chosen = values.remove("sys_id").filter(|sys_id| is_identifier(sys_id));
        let sys_id = chosen.unwrap_or_else(|| self.state.next_identifier());
        let mut row = clean(&table, values);
        for (name, column) in &table.columns {
            if !column.default_value.is_empty() && !row.contains_key(name) {
                row.insert(name.clone(), column.default_value.clone());
            }
        }
        self.number(&table, &mut row);
        self.platform_rules(&table, None, &mut row, &journals)?;
        self.stamp(&mut row, None);
        row.insert("sys_id".to_owned(), sys_id.clone());
        if table.columns.contains_key("sys_class_name") {
            row.insert("sys_class_name".to_owned(), table.name.clone());
        }
        row.retain(|_, value| !value.is_empty());
        self.check_unique(&table, &row, None)?;
        let changed = row.keys().chain(journals.iter().map(|(name, _)| name)).cloned().collect();
        self.commit(&table.name, &sys_id, row)?;
        self.append_journals(&table, &sys_id, journals)?;
        if with_rules {
            rules::queue(self, "insert", &table, &sys_id, &Row::new(), &changed);
        }
        Ok(sys_id)
    }

    /// Changes a record. If it has all values already, there is no commit, and no rule runs.
    pub fn update(
        &mut self,
        table_name: &str,
        sys_id: &str,
        mut values: Row,
        with_rules: bool,
    ) -> Result<(), WriteError> {
        self.table(table_name)?;
        let (table, old) = self.state.store.find(&self.app.schema, table_name, sys_id).ok_or(WriteError::NotFound)?;
        let (table, old) = (table.clone(), old.clone());
        self.abort_if_hindered(&table)?;
        self.abort_if_ordered(&table)?;
        let journals = journal::take_entries(&table, &mut values);
        values.remove("sys_id");
        let mut row = old.as_ref().clone();
        row.extend(clean(&table, values));
        self.platform_rules(&table, Some(&old), &mut row, &journals)?;
        row.retain(|_, value| !value.is_empty());
        let mut changed: BTreeSet<String> = journals.iter().map(|(name, _)| name.clone()).collect();
        let names: BTreeSet<&String> = old.keys().chain(row.keys()).collect();
        changed.extend(names.into_iter().filter(|name| old.get(*name) != row.get(*name)).cloned());
        if changed.is_empty() {
            return Ok(());
        }
        self.stamp(&mut row, Some(&old));
        self.check_unique(&table, &row, Some(sys_id))?;
        let new = row.clone();
        self.commit(&table.name, sys_id, row)?;
        self.append_journals(&table, sys_id, journals.clone())?;
        self.append_audit(&table, &old, &new, &journals);
        if with_rules {
            rules::queue(self, "update", &table, sys_id, &old, &changed);
        }
        Ok(())
    }

    /// Removes a record, and its files with it.
    pub fn delete(&mut self, table_name: &str, sys_id: &str, with_rules: bool) -> Result<(), WriteError> {
        self.table(table_name)?;
        let (table, old) = self.state.store.find(&self.app.schema, table_name, sys_id).ok_or(WriteError::NotFound)?;
        let (table, old) = (table.clone(), old.clone());
        self.before_commit()?;
        self.state.store.remove(&table.name, sys_id);
        let files = attachments::take_files(self.state, &table.name, sys_id);
        let references = self.refer_elsewhere(&table.name, sys_id, "");
        if table.is_audited {
            let is_audited = |name: &str| self.app.schema.table(name).is_some_and(|table| table.is_audited);
            let references = references.into_iter().filter(|(name, ..)| is_audited(name)).collect();
            let removed = Removed { row: old.as_ref().clone(), references, files };
            self.state.removed.insert((table.name.clone(), sys_id.to_owned()), removed);
        }
        self.after_commit()?;
        if with_rules {
            rules::queue(self, "delete", &table, sys_id, &old, &BTreeSet::new());
        }
        Ok(())
    }

    /// Makes everything that refers to a record refer to another one, or to none if `to` is empty. Returns the table,
    /// record and column of each reference. No rule runs, and no update is counted. A reference that a unique index
    /// refuses stays as it is.
    pub fn refer_elsewhere(&mut self, table_name: &str, from: &str, to: &str) -> Vec<(String, String, String)> {
        let mut references = Vec::new();
        for (table, column) in self.app.schema.references_to(table_name) {
            let rows = self.state.store.rows(&table.name).filter(|(_, row)| field(row, column) == from);
            references.extend(rows.map(|(sys_id, _)| (table.name.clone(), sys_id.clone(), column.to_owned())));
        }
        references.retain(|(table, sys_id, column)| self.refer(table, sys_id, column, to).is_some());
        references
    }

    fn refer(&mut self, table_name: &str, sys_id: &str, column: &str, to: &str) -> Option<()> {
        let table = self.app.schema.table(table_name)?;
        let mut row = self.state.store.row(table_name, sys_id)?.as_ref().clone();
        row.insert(column.to_owned(), to.to_owned());
        row.retain(|_, value| !value.is_empty());
        self.check_unique(table, &row, Some(sys_id)).ok()?;
        self.state.store.put(table_name, sys_id, row);
        Some(())
    }

    /// Returns a record as queries and displays see it. Returns `None` if there is none.
    pub fn view(&self, table: &str, sys_id: &str) -> Option<View<'_>> {
        let (table, row) = self.state.store.find(&self.app.schema, table, sys_id)?;
        Some(View::new(&self.app.schema, &self.state.store, table, row))
    }

    /// Returns the value of a system property. Returns `None` if it is missing.
    pub fn property(&self, name: &str) -> Option<String> {
        self.state.store.find_by("sys_properties", "name", name).map(|row| field(row, "value").to_owned())
    }

    fn table(&self, name: &str) -> Result<std::sync::Arc<Table>, WriteError> {
        let table = self.app.schema.table(name).filter(|_| !self.state.is_hindered(name, Obstacle::Missing));
        table.cloned().ok_or_else(|| WriteError::NoTable(name.to_owned()))
    }

    fn number(&mut self, table: &Table, row: &mut Row) {
        let prefix = NUMBER_PREFIXES.iter().find(|(name, _)| *name == table.name);
        if let Some((_, prefix)) = prefix
            && field(row, "number").is_empty()
        {
            row.insert("number".to_owned(), self.state.next_number(prefix));
        }
    }

    fn platform_rules(
        &self,
        table: &Table,
        old: Option<&Row>,
        row: &mut Row,
        journals: &[(String, String)],
    ) -> Result<(), WriteError> {
        if old.is_none() && self.app.schema.is_a(&table.name, "task") {
            row.entry("opened_at".to_owned()).or_insert_with(|| format_servicenow(self.now));
            row.entry("opened_by".to_owned()).or_insert_with(|| self.actor.sys_id.clone());
        }
        match table.name.as_str() {
            "incident" => {
                let overwritten = self.state.resolved_at_is_overwritten;
                incident::before_write(old, row, journals, &self.actor, self.now, overwritten)
            }
            "change_request" if old.is_none() => {
                standard_change::apply_template(&self.state.store, row);
                Ok(())
            }
            "sys_user" => {
                let name = format!("{} {}", field(row, "first_name"), field(row, "last_name"));
                if !name.trim().is_empty() {
                    row.insert("name".to_owned(), name.trim().to_owned());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn stamp(&self, row: &mut Row, old: Option<&Row>) {
        let moment = format_servicenow(self.now);
        let count = old.map_or(0, |old| field(old, "sys_mod_count").parse::<u64>().unwrap_or_default() + 1);
        if old.is_none() {
            row.insert("sys_created_on".to_owned(), moment.clone());
            row.insert("sys_created_by".to_owned(), self.actor.user_name.clone());
        }
        row.insert("sys_updated_on".to_owned(), moment);
        row.insert("sys_updated_by".to_owned(), self.actor.user_name.clone());
        row.insert("sys_mod_count".to_owned(), count.to_string());
    }

    fn check_unique(&self, table: &Table, row: &Row, own: Option<&str>) -> Result<(), WriteError> {
        let store = &self.state.store;
        let sys_id = field(row, "sys_id");
        let same = |columns: &[String], other: &Row| {
            columns.iter().all(|column| field(row, column) == field(other, column))
                && columns.iter().any(|column| !field(row, column).is_empty())
        };
        let unique =
            if self.state.is_hindered(&table.name, Obstacle::NoUniqueIndex) { &[] } else { table.unique.as_slice() };
        let taken = (own.is_none() && store.row(&table.name, sys_id).is_some())
            || unique.iter().any(|columns| {
                store.rows(&table.name).any(|(other, held)| Some(other.as_str()) != own && same(columns, held))
            });
        if !taken {
            return Ok(());
        }
        let display = View::new(&self.app.schema, store, table, row).display_name();
        Err(WriteError::Unique { table: table.name.clone(), display })
    }

    fn append_journals(
        &mut self,
        table: &Table,
        sys_id: &str,
        journals: Vec<(String, String)>,
    ) -> Result<(), WriteError> {
        for (element, text) in journals {
            let mut row = journal::entry(&table.name, sys_id, &element, &text);
            let entry = self.state.next_identifier();
            row.insert("sys_id".to_owned(), entry.clone());
            row.insert("sys_created_on".to_owned(), format_servicenow(self.now));
            row.insert("sys_created_by".to_owned(), self.actor.user_name.clone());
            self.commit("sys_journal_field", &entry, row)?;
        }
        Ok(())
    }

    /// Writes an update to the audit trail: one row for each changed column, and one for each journal with its text. If
    /// the instance dies before, the trail has a gap. The platform writes nothing for an insert.
    fn append_audit(&mut self, table: &Table, old: &Row, new: &Row, journals: &[(String, String)]) {
        if table.name != "incident" {
            return;
        }
        let changed = AUDITED_COLUMNS.iter().filter(|name| field(old, name) != field(new, name));
        let changed = changed.map(|name| (*name, field(old, name), field(new, name)));
        let texts = journals.iter().map(|(name, text)| (name.as_str(), "", text.as_str()));
        for (name, from, to) in changed.chain(texts) {
            let moment = format_servicenow(self.now);
            let sys_id = self.state.next_identifier();
            let columns = [
                ("sys_id", sys_id.as_str()),
                ("tablename", &table.name),
                ("documentkey", field(new, "sys_id")),
                ("fieldname", name),
                ("oldvalue", from),
                ("newvalue", to),
                ("user", &self.actor.user_name),
                ("record_checkpoint", field(new, "sys_mod_count")),
                ("sys_created_on", &moment),
                ("sys_created_by", &self.actor.user_name),
            ];
            let row = columns.map(|(name, value)| (name.to_owned(), value.to_owned()));
            self.state.store.put("sys_audit", &sys_id, row.into());
        }
    }

    /// Fails if a rule of the instance aborts every write of this table.
    fn abort_if_hindered(&self, table: &Table) -> Result<(), WriteError> {
        if self.state.is_hindered(&table.name, Obstacle::WritesAborted) {
            return Err(WriteError::AbortedOn { table: table.name.clone(), rule: "Read only" });
        }
        Ok(())
    }

    /// Fails if a rule of the instance aborts this update of an incident, as a test may order.
    fn abort_if_ordered(&mut self, table: &Table) -> Result<(), WriteError> {
        let Some(aborts) = self.state.aborts.as_mut().filter(|aborts| table.name == "incident" && aborts.left > 0)
        else {
            return Ok(());
        };
        aborts.left -= 1;
        Err(WriteError::Aborted(aborts.rule.clone()))
    }

    fn commit(&mut self, table: &str, sys_id: &str, row: Row) -> Result<(), WriteError> {
        self.before_commit()?;
        self.state.store.put(table, sys_id, row);
        self.after_commit()
    }

    fn before_commit(&mut self) -> Result<(), WriteError> {
        if self.state.commits_left == Some(0) {
            self.state.stopped = true;
        }
        if self.state.stopped { Err(WriteError::Stopped) } else { Ok(()) }
    }

    /// Counts a commit. With the last one that was ordered the instance dies: nothing after it happens, rules included.
    fn after_commit(&mut self) -> Result<(), WriteError> {
        if let Some(left) = self.state.commits_left.as_mut() {
            *left -= 1;
            self.state.stopped = *left == 0;
        }
        if self.state.stopped { Err(WriteError::Stopped) } else { Ok(()) }
    }
}

/// Returns the values that the table can hold. Unknown columns are dropped, booleans become `true` or `false`, and
/// texts of the app's own tables are cut to the length of their column, as the database does.
fn clean(table: &Table, values: Row) -> Row {
    let known = values.into_iter().filter(|(name, _)| !PLATFORM_COLUMNS.contains(&name.as_str()));
    known
        .filter_map(|(name, value)| {
            let column = table.columns.get(&name)?;
            let value = match (column.kind, value.as_str()) {
                (ColumnKind::Boolean, "1") => "true".to_owned(),
                (ColumnKind::Boolean, "0" | "") => "false".to_owned(),
                (ColumnKind::JournalList, _) => return None,
                _ => cut(value, column.max_length.filter(|_| table.extends.is_empty())),
            };
            Some((name, value))
        })
        .collect()
}

fn cut(value: String, length: Option<usize>) -> String {
    match length {
        Some(length) if value.chars().count() > length => value.chars().take(length).collect(),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn row(pairs: &[(&str, &str)]) -> Row {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn with_session<T>(state: &mut State, act: impl FnOnce(&mut Session<'_>) -> T) -> T {
        let app = App::platform();
        act(&mut Session { app: &app, state, actor: Actor::system(), now: NOW })
    }

    #[test]
    fn equal_values_change_nothing_and_equal_texts_are_two_entries() {
        let mut state = State::new(1);
        let sys_id = with_session(&mut state, |session| {
            let sys_id = session.insert("incident", row(&[("short_description", "a")]), true).unwrap();
            session.update("incident", &sys_id, row(&[("short_description", "a")]), true).unwrap();
            for _ in 0..2 {
                session.update("incident", &sys_id, row(&[("comments", "same")]), true).unwrap();
            }
            sys_id
        });
        assert_eq!(field(state.store.row("incident", &sys_id).unwrap(), "sys_mod_count"), "2");
        assert_eq!(state.store.rows("sys_journal_field").count(), 2);
    }

    #[test]
    fn a_unique_index_refuses_the_second() {
        let mut state = State::new(1);
        with_session(&mut state, |session| {
            session.insert("sys_user_role", row(&[("name", "twice")]), true).unwrap();
            let refused = session.insert("sys_user_role", row(&[("name", "twice")]), true).unwrap_err();
            assert_eq!(refused.to_string(), "Error during insert of sys_user_role (twice)");
            session.insert("sys_user_role", row(&[]), true).unwrap();
            session.insert("sys_user_role", row(&[]), true).unwrap();
        });
    }

    #[test]
    fn death_comes_with_the_last_commit_and_keeps_it() {
        for (commits, records, entries) in [(0, 0, 0), (1, 1, 0), (2, 1, 1)] {
            let mut state = State::new(1);
            state.commits_left = Some(commits);
            with_session(&mut state, |session| {
                let died = session.insert("incident", row(&[("comments", "text")]), true);
                assert_eq!(died, Err(WriteError::Stopped));
                assert_eq!(session.insert("incident", Row::new(), true), Err(WriteError::Stopped));
            });
            assert_eq!(state.store.rows("incident").count(), records);
            assert_eq!(state.store.rows("sys_journal_field").count(), entries);
        }
    }

    #[test]
    fn unknown_columns_and_the_platforms_own_are_left_out() {
        let mut state = State::new(1);
        let values = row(&[("nonsense", "x"), ("sys_created_by", "me"), ("active", "0"), ("name", "Group")]);
        let sys_id = with_session(&mut state, |session| session.insert("sys_user_group", values, true)).unwrap();
        let stored = state.store.row("sys_user_group", &sys_id).unwrap();
        assert_eq!((field(stored, "active"), field(stored, "sys_created_by")), ("false", "system"));
        assert!(!stored.contains_key("nonsense"));
    }
}
