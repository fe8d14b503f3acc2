//! Scripts that run outside of requests: asynchronous rules as soon as possible, scheduled jobs by their period.

use jiff::Timestamp;

use super::{
    Instance,
    engine::{self, Script},
    records::{Actor, Session},
    rules,
    store::Row,
};
use crate::wire::Outbound;

/// The most jobs of one call, so that rules that start each other do not run for ever.
const MAXIMUM_JOBS_PER_CALL: usize = 1_000;

/// An asynchronous rule that waits to run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The rule.
    pub rule: String,
    /// The record's table.
    pub table: String,
    /// The record.
    pub record: String,
    /// `insert`, `update` or `delete`.
    pub operation: String,
    /// The user who wrote the record. The rule runs as that user.
    pub user_name: String,
    /// When the record was written.
    pub queued_at: Timestamp,
    /// The record as it was written. A deleted record exists only here.
    pub last_seen: Row,
}

impl Instance {
    /// Returns the time of the next run: rules run at once, scheduled jobs when they are due. Returns `None` if nothing
    /// waits.
    pub fn next_job_at(&self) -> Option<Timestamp> {
        let rule = self.state.jobs.front().map(|job| job.queued_at);
        rule.into_iter().chain(self.state.schedule.values().copied()).min()
    }

    /// Returns how many asynchronous rules wait.
    pub fn waiting_rules(&self) -> usize {
        self.state.jobs.len()
    }

    /// Runs the rules and scheduled jobs that are due. Returns how many ran. Waits for the answers to the requests that
    /// scripts send to `outbound`.
    pub fn run_due_jobs(&mut self, now: Timestamp, outbound: &dyn Outbound) -> usize {
        let mut count = 0;
        while count < MAXIMUM_JOBS_PER_CALL && self.run_next_rule(now, outbound) {
            count += 1;
        }
        count + self.run_schedule(now, outbound)
    }

    /// Runs the rule that has waited longest. Returns `false` if none waits.
    pub fn run_next_rule(&mut self, now: Timestamp, outbound: &dyn Outbound) -> bool {
        let Some(job) = self.state.jobs.pop_front() else { return false };
        let app = self.app.clone();
        let Some(rule) = rules::find(&app, &self.state.store, &job.rule) else { return true };
        let Some(actor) = self.state.actor(&job.user_name) else { return true };
        let mut session = Session { app: &app, state: &mut self.state, actor, now };
        let current = match session.view(&job.table, &job.record) {
            Some(view) => view.row.clone(),
            None if job.operation == "delete" => job.last_seen.clone(),
            None => return true,
        };
        let script = Script::Rule { rule: &rule, job: &job, current: &current };
        let outcome = engine::run(&mut session, outbound, self.engine, &script);
        self.finish_job(now, &rule.name, outcome);
        true
    }

    fn run_schedule(&mut self, now: Timestamp, outbound: &dyn Outbound) -> usize {
        let app = self.app.clone();
        let mut count = 0;
        for job in app.scheduled_jobs.iter().filter(|job| job.active) {
            let due = self.state.schedule.get(&job.sys_id).is_some_and(|due| *due <= now);
            if !due {
                continue;
            }
            self.state.schedule.insert(job.sys_id.clone(), job.next_run(now));
            let mut session = Session { app: &app, state: &mut self.state, actor: Actor::system(), now };
            let script =
                Script::Scheduled { name: &job.name, source: &job.script, condition: job.condition.as_deref() };
            let outcome = engine::run(&mut session, outbound, self.engine, &script);
            self.finish_job(now, &job.name, outcome);
            count += 1;
        }
        count
    }

    fn finish_job(&mut self, now: Timestamp, name: &str, outcome: Result<serde_json::Value, engine::ScriptError>) {
        if let Err(error) = outcome {
            self.state.log(now, "error", format!("{name}: {error}"));
        }
        self.restart_if_stopped();
    }
}
