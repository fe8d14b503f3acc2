//! The asynchronous rule and the outbox of webhooks.

use casebridge_core::identifiers::IncidentId;
use jiff::{SignedDuration, Timestamp};

use super::{Instance, second};

/// How long the outbox job leaves a new row to the rule, which makes the first attempt.
const FIRST_ATTEMPT: SignedDuration = SignedDuration::from_secs(60);
/// The first delay of the outbox, in seconds. Each further one is twice as long.
const OUTBOX_DELAY_SECONDS: i64 = 30;
/// The longest delay of the outbox, in seconds.
const OUTBOX_DELAY_MAXIMUM_SECONDS: i64 = 3_600;

/// A webhook, accepted or not yet.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// The webhook's id, the same at every attempt.
    pub webhook_id: String,
    /// The incident.
    pub incident: IncidentId,
    /// Whether it has been accepted.
    pub sent: bool,
    /// How often it was attempted.
    pub attempts: u32,
    /// When the job attempts it next.
    pub next_attempt_at: Timestamp,
}

impl Instance {
    /// Runs the rule that has waited longest. It adds a webhook to the outbox if the incident has a case, should have
    /// one, or AWS has heard of it. Returns the outbox row whose first attempt is due. Returns `None` if there is no
    /// such row.
    pub fn run_rule(&mut self, now: Timestamp) -> Option<usize> {
        let id = self.rules.pop_front()?;
        let record = self.incidents.get(&id)?.clone();
        if !self.is_served(&record).unwrap_or(false) {
            return None;
        }
        let webhook_id = self.identifier();
        let next_attempt_at = second(now) + FIRST_ATTEMPT;
        self.outbox.push(OutboxRow { webhook_id, incident: id, sent: false, attempts: 0, next_attempt_at });
        Some(self.outbox.len() - 1)
    }

    /// Returns the outbox rows that the job attempts now.
    pub fn due_outbox(&self, now: Timestamp) -> Vec<usize> {
        let due = self.outbox.iter().enumerate().filter(|(_, row)| !row.sent && row.next_attempt_at <= now);
        due.map(|(index, _)| index).collect()
    }

    /// Records how an attempt ended.
    pub fn attempted(&mut self, now: Timestamp, row: usize, accepted: bool) {
        let Some(row) = self.outbox.get_mut(row) else { return };
        row.attempts += 1;
        row.sent |= accepted;
        let delay = OUTBOX_DELAY_SECONDS.saturating_mul(1 << (row.attempts - 1).min(16));
        row.next_attempt_at = second(now) + SignedDuration::from_secs(delay.min(OUTBOX_DELAY_MAXIMUM_SECONDS));
    }

    /// Closes a row whose incident is deleted, since there is nothing to send.
    pub fn give_up(&mut self, row: usize) {
        if let Some(row) = self.outbox.get_mut(row) {
            row.sent = true;
        }
    }
}
