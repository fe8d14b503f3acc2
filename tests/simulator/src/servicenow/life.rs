//! What happens to an instance besides requests and its own scripts: clones, copies, renames, restores, the platform's
//! jobs, nodes that lag, rules of the customer that abort. Each is something that real instances do.

use std::sync::Arc;

use casebridge_core::time::format_servicenow;
use jiff::{SignedDuration, Timestamp};

use super::{
    INSTANCE_NAME, Instance,
    engine::ScriptError,
    records::{Actor, PLATFORM_COLUMNS, Session, WriteError},
    state::{Aborts, LaggingRead, Obstacle, Removed},
    store::{Row, field},
};
use crate::wire::Outbound;

impl Instance {
    /// This instance cloned over another one of that name: all records and settings, the same `sys_id`s, and the rules
    /// that wait. No preserver and no clean-up script is in the clone's profile.
    #[must_use]
    pub fn cloned_over(&self, instance_name: &str) -> Self {
        let mut clone = self.clone();
        clone.set_property(INSTANCE_NAME, instance_name);
        clone
    }

    /// Runs the app's clean-up scripts, as a clone whose profile lists them does at its end.
    pub fn clean_up_clone(&mut self, now: Timestamp, outbound: &dyn Outbound) -> Result<(), ScriptError> {
        for script in self.app.clone().clean_up_scripts.clone() {
            self.run_script(now, "admin", &script, outbound)?;
        }
        Ok(())
    }

    /// A user presses a button of the app. False if there is none of that name or it is not shown.
    pub fn press(
        &mut self,
        now: Timestamp,
        user_name: &str,
        button: &str,
        outbound: &dyn Outbound,
    ) -> Result<bool, ScriptError> {
        let app = self.app.clone();
        let Some(button) = app.buttons.iter().find(|known| known.name == button) else { return Ok(false) };
        let actor = self.state.actor(user_name).unwrap_or_default();
        let admitted = actor.is_admin() || button.roles.iter().any(|role| actor.has_role(role));
        if !admitted && !button.roles.is_empty() {
            return Ok(false);
        }
        let is_shown = self.run_script(now, user_name, &format!("!!({})", button.condition), outbound)?;
        if is_shown == "true" {
            self.run_script(now, user_name, &button.script, outbound)?;
        }
        Ok(is_shown == "true")
    }

    /// Insert and Stay: a new record with all columns of the old one, an app's own included, but its number and
    /// journals. Gives the new record's `sys_id`.
    pub fn copy(
        &mut self,
        now: Timestamp,
        user_name: &str,
        table: &str,
        sys_id: &str,
        outbound: &dyn Outbound,
    ) -> Result<String, WriteError> {
        let mut values = self.record(table, sys_id).cloned().ok_or(WriteError::NotFound)?;
        values.retain(|name, _| name != "sys_id" && name != "number" && !PLATFORM_COLUMNS.contains(&name.as_str()));
        let copy = self.as_user(now, user_name, |session| session.insert(table, values, true));
        self.decide_rules(now, outbound);
        copy
    }

    /// The stock job that closes incidents which have been resolved, and not been changed, for so many days: state and
    /// a comment in one update, as `system`. Gives how many it closed.
    pub fn auto_close(&mut self, now: Timestamp, days: i64, outbound: &dyn Outbound) -> usize {
        let latest = format_servicenow(now - SignedDuration::from_hours(24 * days));
        let due: Vec<String> = self
            .records("incident", "state=6")
            .into_iter()
            .filter(|row| field(row, "sys_updated_on") <= latest.as_str())
            .map(|row| field(&row, "sys_id").to_owned())
            .collect();
        for sys_id in &due {
            if let Err(error) = self.auto_close_one(now, sys_id, days, outbound) {
                self.state.log(now, "error", format!("auto-close: {error}"));
            }
        }
        due.len()
    }

    /// What the stock job does to one incident, however long that has been resolved.
    pub fn auto_close_one(
        &mut self,
        now: Timestamp,
        sys_id: &str,
        days: i64,
        outbound: &dyn Outbound,
    ) -> Result<(), WriteError> {
        let comment = format!("Incident automatically closed after {days} days in the Resolved state.");
        let values = Row::from([("state".to_owned(), "7".to_owned()), ("comments".to_owned(), comment)]);
        let closed = self.as_user(now, "system", |session| session.update("incident", sys_id, values, true));
        self.decide_rules(now, outbound);
        closed
    }

    /// An administrator renames a user. Its `sys_id`, its password and its tokens stay; what it has written keeps the
    /// old name, which is only a text there. False if there is no such user.
    pub fn rename_user(&mut self, from: &str, to: &str) -> bool {
        let Some(mut row) = self.state.store.find_by("sys_user", "user_name", from).map(|row| row.as_ref().clone())
        else {
            return false;
        };
        row.insert("user_name".to_owned(), to.to_owned());
        let sys_id = field(&row, "sys_id").to_owned();
        self.state.store.put("sys_user", &sys_id, row);
        let rename = |name: &mut String| {
            if name == from {
                to.clone_into(name);
            }
        };
        self.state.tokens.values_mut().for_each(|token| rename(&mut token.user_name));
        self.state.refresh_tokens.values_mut().for_each(rename);
        self.state.jobs.iter_mut().for_each(|job| rename(&mut job.user_name));
        let clients = &mut Arc::make_mut(&mut self.configuration).oauth_clients;
        clients.iter_mut().filter_map(|client| client.user_name.as_mut()).for_each(rename);
        true
    }

    /// An administrator puts a record back as it was, by an import of its XML or an undelete: its update count and its
    /// time are the old ones again, journals and audit trail stay, and no rule runs.
    pub fn restore(&mut self, table: &str, row: Row) {
        let sys_id = field(&row, "sys_id").to_owned();
        self.state.store.put(table, &sys_id, row);
    }

    /// An administrator chooses "Undelete Record": the record is as it was, and so are the references to it in audited
    /// tables. Those that other tables had stay empty. False if there is nothing to put back.
    pub fn undelete(&mut self, table: &str, sys_id: &str) -> bool {
        let Some(Removed { row, references }) = self.state.removed.remove(&(table.to_owned(), sys_id.to_owned()))
        else {
            return false;
        };
        self.state.store.put(table, sys_id, row);
        for (table, record, column) in references {
            let Some(row) = self.state.store.row(&table, &record) else { continue };
            let mut row = row.as_ref().clone();
            row.entry(column).or_insert_with(|| sys_id.to_owned());
            self.state.store.put(&table, &record, row);
        }
        true
    }

    /// A script that merges duplicates lets all that refers to one record refer to another one.
    pub fn repoint(&mut self, now: Timestamp, table: &str, from: &str, to: &str) {
        self.as_user(now, "system", |session| session.refer_elsewhere(table, from, to));
    }

    /// From now on something keeps the app from one of its tables.
    pub fn hinder(&mut self, table: &str, obstacle: Obstacle) {
        self.state.obstacles.insert((table.to_owned(), obstacle));
    }

    /// What kept the app from a table is gone.
    pub fn unhinder(&mut self, table: &str, obstacle: Obstacle) {
        self.state.obstacles.remove(&(table.to_owned(), obstacle));
    }

    /// Whether `update()` answers null to a script from now on where the record has all values already.
    pub fn answer_empty_updates_with_null(&mut self, answers: bool) {
        self.state.empty_updates_answer_null = answers;
    }

    /// The next script that reads this record sees it as given: its node lags. Later reads see it as it is.
    pub fn lag_once(&mut self, table: &str, row: Row) {
        let sys_id = field(&row, "sys_id").to_owned();
        self.state.lagging_read = Some(LaggingRead { table: table.to_owned(), sys_id, row });
    }

    /// A business rule of the customer aborts the next `count` updates of incidents.
    pub fn abort_updates(&mut self, rule: &str, count: u64) {
        self.state.aborts = Some(Aborts { rule: rule.to_owned(), left: count });
    }

    fn as_user<T>(&mut self, now: Timestamp, user_name: &str, act: impl FnOnce(&mut Session<'_>) -> T) -> T {
        let app = self.app.clone();
        let actor = self.state.actor(user_name).unwrap_or_else(Actor::system);
        act(&mut Session { app: &app, state: &mut self.state, actor, now })
    }
}
