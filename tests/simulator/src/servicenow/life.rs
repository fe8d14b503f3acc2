//! What happens to real instances besides requests and their own scripts: clones, copies, renames, restores, the
//! platform's jobs, lagging nodes, rules of the customer that abort updates.

use std::sync::Arc;

use casebridge_core::time::format_servicenow;
use jiff::{SignedDuration, Timestamp};

use super::{
    INSTANCE_NAME, Instance, attachments,
    engine::ScriptError,
    records::{Actor, PLATFORM_COLUMNS, Session, WriteError},
    state::{Aborts, LaggingRead, Obstacle, Removed},
    store::{Row, field},
};
use crate::wire::Outbound;

impl Instance {
    /// Returns this instance cloned over another one of that name: all records and settings, the same `sys_id`s, and
    /// the rules that wait. The clone's profile has no preserver and no clean-up script.
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

    /// A user presses a button of the app. Returns `false` if no button has that name or the user does not see it.
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

    /// A user copies a record by *Insert and Stay*: the new record has all columns of the old one, also those of an
    /// app, except its number and journals. Returns the `sys_id` of the new record.
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

    /// The platform's job: closes the incidents that have been resolved, and not changed, for this many days. The state
    /// and a comment are one update, as `system`. Returns how many it closed.
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

    /// Does to one incident what the platform's job does, no matter how long it has been resolved.
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

    /// An administrator renames a user. The `sys_id`, the password and the tokens stay. What the user has written keeps
    /// the old name, which is only a text there. Returns `false` if there is no such user.
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

    /// An administrator restores a record to an earlier state, by an import of its XML or an undelete. Its update count
    /// and its time are the old ones again, journals and audit trail stay, and no rule runs.
    pub fn restore(&mut self, table: &str, row: Row) {
        let sys_id = field(&row, "sys_id").to_owned();
        self.state.store.put(table, &sys_id, row);
    }

    /// An administrator chooses *Undelete Record*: the record comes back, and so do its files and the references to it in
    /// audited tables. References in other tables stay empty. Returns `false` if no such record was deleted.
    pub fn undelete(&mut self, table: &str, sys_id: &str) -> bool {
        let removed = self.state.removed.remove(&(table.to_owned(), sys_id.to_owned()));
        let Some(Removed { row, references, files }) = removed else { return false };
        self.state.store.put(table, sys_id, row);
        attachments::put_files(&mut self.state, files);
        for (table, record, column) in references {
            let Some(row) = self.state.store.row(&table, &record) else { continue };
            let mut row = row.as_ref().clone();
            row.entry(column).or_insert_with(|| sys_id.to_owned());
            self.state.store.put(&table, &record, row);
        }
        true
    }

    /// A script that merges duplicates makes everything that refers to one record refer to another one.
    pub fn repoint(&mut self, now: Timestamp, table: &str, from: &str, to: &str) {
        self.as_user(now, "system", |session| session.refer_elsewhere(table, from, to));
    }

    /// From now on the app can't use one of its tables.
    pub fn hinder(&mut self, table: &str, obstacle: Obstacle) {
        self.state.obstacles.insert((table.to_owned(), obstacle));
    }

    /// Ends an obstacle of [`Self::hinder`].
    pub fn unhinder(&mut self, table: &str, obstacle: Obstacle) {
        self.state.obstacles.remove(&(table.to_owned(), obstacle));
    }

    /// Sets whether `update()` returns null to a script from now on if the record has all values already.
    pub fn answer_empty_updates_with_null(&mut self, answers: bool) {
        self.state.empty_updates_answer_null = answers;
    }

    /// The next script that reads this record sees it as given, as if from a lagging node. Later reads see the present
    /// record.
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
