//! The planner: it decides from what both sides show and what the link remembers what to do next and what to wait for.
//!
//! This module has what every kind of link shares: the waits, the deliveries to the incident, its columns, and the
//! bounds of a plan. The kind decides what the sides ask of each other. A plan leaves no choice to the executor: it
//! applies the effects in order, and the first one that fails ends the plan.

use jiff::{SignedDuration, Timestamp};

use crate::{
    failure::Refusal,
    file::order::Order,
    identifiers::LinkKey,
    link::{
        kind::Kind,
        mark::{Entropy, Mark},
        pace,
        pass::{LOWER_COUNT_LASTS, Pass, backoff, state_known_at},
        patience,
        plan::{EFFECTS_PER_PLAN, Effect, Plan, Waiting},
        trouble::{Request, Side, Trouble},
    },
    policy::Policy,
    servicenow::{
        columns::BridgeColumns,
        delivery::{Delivery, IncidentFields, Message, NewIncident},
        incident::IncidentState,
    },
    time::{self, seconds},
};

/// How many messages one delivery carries at most. The app accepts no more. It writes three records for each, and all
/// of them must fit into the 15 seconds that the client waits.
pub const MESSAGES_PER_DELIVERY: usize = 25;
/// How many writes beyond the loop breaker's bound are allowed, to show in the columns that it has tripped. One write
/// is enough if it is kept; the others are for answers that get lost and for texts that change in the same window.
const COLUMN_WRITES_BEYOND_BOUND: usize = 5;
/// How long to wait before reading an incident again of which a lagging node has shown too little. By then the node has
/// mostly caught up.
const LAGGING_READ_SECONDS: u32 = 5;

/// Compares both sides with the base and returns what to do.
///
/// Pure: the same arguments give the same plan. If both sides are in step, the plan has no effects.
pub fn plan<K: Kind>(policy: &Policy, pass: &Pass<K>, entropy: Entropy, now: Timestamp) -> Plan<K::Call> {
    let mut planner = Planner { policy, pass, entropy, now, marks: 0, plan: Plan::default() };
    planner.run();
    planner.plan
}

/// A plan under construction.
#[derive(Debug)]
pub struct Planner<'a, K: Kind> {
    pub(crate) policy: &'a Policy,
    pub(crate) pass: &'a Pass<K>,
    pub(crate) now: Timestamp,
    pub(crate) plan: Plan<K::Call>,
    entropy: Entropy,
    marks: u64,
}

impl<'a, K: Kind> Planner<'a, K> {
    /// Returns what the pass knows.
    pub fn pass(&self) -> &'a Pass<K> {
        self.pass
    }

    /// Adds a call to AWS after the effects that are planned already.
    pub fn call(&mut self, call: K::Call) {
        self.plan.effects.push(Effect::Call(call));
    }

    fn run(&mut self) {
        if self.pass.incident_gone {
            return self.wait_for_gone_incident();
        }
        K::plan(self);
        self.plan_columns();
        self.bound();
        self.wait_for_reported_troubles();
    }

    /// Waits for an incident that is not found. It may be hidden for a while, or deleted and restored later, and no
    /// trigger reports that it is back. So casebridge looks for it for a month. A text or a call that waits for it makes
    /// the looks frequent again.
    fn wait_for_gone_incident(&mut self) {
        let link = &self.pass.link;
        let call = link.intent.as_ref().map(|intent| intent.written_at);
        let reasons = [link.gone_since, call, K::newest_undelivered(&link.memory)];
        let until = reasons.into_iter().flatten().max().and_then(|since| self.next_look_for_missing(since));
        self.wait(Waiting::IncidentGone { until });
    }

    /// Returns when to look again for something that has been missing since a moment and that no trigger reports. Returns
    /// `None` after a month: casebridge no longer looks for it then.
    pub fn next_look_for_missing(&self, since: Timestamp) -> Option<Timestamp> {
        patience::interval_seconds(self.policy, since, self.now).map(|wait| self.later(seconds(wait)))
    }

    /// Adds the waits for what the columns report, so that a pass corrects the columns when it is over.
    fn wait_for_reported_troubles(&mut self) {
        let link = &self.pass.link;
        let mut waits: Vec<Waiting> = link.troubles.active(self.now).map(wait_for).collect();
        if pace::writes_left(self.policy, link, self.now) == 0 {
            waits.push(self.wait_for_a_write());
        }
        waits.extend(K::late_wait(self));
        if let Some(intent) = &link.state_intent {
            let known_at = state_known_at(intent).max(self.later(seconds(1)));
            let until = self.not_before_incident_is_read(known_at);
            waits.push(Waiting::UnconfirmedState { until });
        }
        if let Some(lower) = &link.lower_count {
            let lasts_until = time::later(lower.since, LOWER_COUNT_LASTS);
            let until = self.not_before_incident_is_read(lasts_until.max(self.later(seconds(1))));
            waits.push(Waiting::LowerCount { until });
        }
        for wait in waits {
            self.wait(wait);
        }
    }

    /// Adds a wait, if it is not there yet.
    pub fn wait(&mut self, wait: Waiting) {
        if !self.plan.waits.contains(&wait) {
            self.plan.waits.push(wait);
        }
    }

    fn wait_for_a_write(&self) -> Waiting {
        let until = pace::next_write_at(self.policy, &self.pass.link.recent_writes, self.now);
        Waiting::LoopBreaker { until: until.max(self.later(seconds(1))) }
    }

    /// Returns the moment of the plan plus a wait.
    pub fn later(&self, wait: SignedDuration) -> Timestamp {
        time::later(self.now, wait)
    }

    /// Returns a mark that no other text of the link has.
    pub fn draw_mark(&mut self) -> Mark {
        self.marks += 1;
        Mark::draw(self.entropy, &self.pass.key, self.pass.link.intents + self.marks)
    }

    /// Waits for a call in doubt. Returns whether there is one. Plans a repeat of a call that has a token, unless the
    /// link pauses or a trouble that passes by itself delays all requests to AWS.
    pub fn wait_for_doubt(&mut self) -> bool {
        let Some(intent) = &self.pass.link.intent else { return false };
        let repeat = self.pass.repeat(self.now).filter(|_| self.pass.pause(self.policy).is_none());
        if let Some(call) = repeat {
            let is_refusal = |trouble: &Trouble<K::Refused>| trouble.refusal.is_some();
            let troubles = &self.pass.link.troubles;
            match troubles.blocking_unless(Side::Aws, &Request::Read, self.now, is_refusal).map(wait_for) {
                Some(wait) => self.wait(wait),
                None => self.call(call),
            }
            return true;
        }
        let latest = time::later(intent.written_at, self.policy.unknown_outcome());
        let until = self.later(backoff(self.policy, intent.looked + 1)).min(latest.max(self.now));
        self.wait(Waiting::UnknownOutcome { until: self.not_before_aws_answers(until) });
        true
    }

    /// Waits while the link pauses. Returns whether it does. No trigger reports the end of a pause, so the wait has a
    /// time.
    pub fn wait_for_pause(&mut self) -> bool {
        let pauses = self.pass.pause(self.policy).is_some();
        if pauses {
            let until = self.later(seconds(self.policy.refusal_retry_seconds));
            self.wait(Waiting::Paused { until });
        }
        pauses
    }

    /// Delays a moment for a read from AWS to the end of all troubles of AWS.
    pub fn not_before_aws_answers(&self, moment: Timestamp) -> Timestamp {
        self.pass.link.troubles.side_until(Side::Aws).map_or(moment, |until| moment.max(until))
    }

    /// Delays a moment for a read of the incident to the end of the trouble that keeps it from being read. Other
    /// refusals of ServiceNow do not delay a read.
    pub fn not_before_incident_is_read(&self, moment: Timestamp) -> Timestamp {
        let blocking = self.pass.link.troubles.blocking(Side::ServiceNow, &Request::Read, self.now);
        blocking.map_or(moment, |trouble| moment.max(trouble.until))
    }

    /// Waits if a trouble delays this request to a side. Returns whether one does. A refusal delays only the request
    /// that was refused.
    pub fn waits_for(&mut self, side: Side, request: &Request<K::Refused>) -> bool {
        let Some(trouble) = self.pass.link.troubles.blocking(side, request, self.now) else { return false };
        self.wait(wait_for(trouble));
        true
    }

    /// Waits until the incident can be read again, because this pass has seen too little of it.
    pub fn wait_for_incident(&mut self) {
        let until = self.later(seconds(LAGGING_READ_SECONDS));
        let trouble = self.pass.link.troubles.blocking(Side::ServiceNow, &Request::Read, self.now);
        self.wait(trouble.map_or(Waiting::IncidentUnread { until }, wait_for));
    }

    /// Whether a trouble delays all messages for the incident.
    pub fn messages_wait(&self) -> bool {
        self.pass.link.troubles.blocking(Side::ServiceNow, &Request::Messages, self.now).is_some()
    }

    /// Plans an order for a transfer of files.
    pub fn order_files(&mut self, order: Order) {
        self.plan.effects.push(Effect::OrderFiles(order));
    }

    /// Plans the opening of the link's incident, unless a trouble delays it.
    pub fn open_incident(&mut self, incident: NewIncident) {
        if !self.waits_for(Side::ServiceNow, &Request::OpenIncident) {
            self.plan.effects.push(Effect::OpenIncident(incident));
        }
    }

    /// Plans the move of the record to the link of another incident.
    pub fn hand_over(&mut self, to: LinkKey) {
        self.plan.effects.push(Effect::HandOver(to));
    }

    /// Plans the delivery of messages and, with the last of them, of fields. Returns false if any of these deliveries
    /// waits.
    pub fn deliver(&mut self, mut messages: Vec<Message>, fields: &IncidentFields) -> bool {
        let Some(expected_mod_count) = self.pass.summary().map(|incident| incident.sys_mod_count) else { return true };
        if messages.is_empty() && fields.is_empty() {
            return true;
        }
        let mut deliveries = Vec::new();
        loop {
            let rest = messages.split_off(messages.len().min(MESSAGES_PER_DELIVERY));
            let is_last = rest.is_empty();
            let fields = if is_last { fields.clone() } else { IncidentFields::default() };
            deliveries.push(Delivery {
                expected_mod_count,
                messages,
                columns: self.columns_after(&fields),
                fields,
                entries_since: self.pass.answered_since(),
            });
            if is_last {
                break;
            }
            messages = rest;
        }
        for delivery in deliveries {
            // A delivery after one that waits would overtake it.
            if self.waits_for(Side::ServiceNow, &Request::of_delivery(&delivery)) {
                return false;
            }
            self.plan.effects.push(Effect::Deliver(delivery));
        }
        true
    }

    /// Returns the columns as they are after these fields are written: a change of the state may change what the
    /// columns say.
    fn columns_after(&self, fields: &IncidentFields) -> BridgeColumns {
        let state = IncidentState::from(fields.state.clone());
        let is_ended = self.pass.summary().is_some_and(|incident| incident.state.is_ended());
        if fields.state.is_empty() || state.is_ended() == is_ended {
            return K::columns(self.policy, self.pass, self.now);
        }
        let mut after = self.pass.clone();
        after.expect_state(self.policy, state);
        K::columns(self.policy, &after, self.now)
    }

    /// Plans a write of the columns, if they differ from what the incident shows or if an effect before will change
    /// them.
    fn plan_columns(&mut self) {
        let link = &self.pass.link;
        let Some(incident) = self.pass.summary() else { return };
        let is_untouched = incident.columns.are_empty();
        let nothing_to_say = link.is_blank() && self.plan.effects.is_empty() && is_untouched;
        let unseen = K::account(&link.memory).is_none() && self.pass.incident.is_none();
        if nothing_to_say || unseen || self.waits_for(Side::ServiceNow, &Request::Columns) {
            return;
        }
        let changes_columns = |effect: &Effect<K::Call>| match effect {
            Effect::Call(call) => K::changes_columns(&link.memory, call),
            Effect::HandOver(_) => true,
            Effect::OpenIncident(_) | Effect::Deliver(_) | Effect::OrderFiles(_) | Effect::WriteColumns => false,
        };
        let written = self.plan.effects.iter().any(|effect| matches!(effect, Effect::Deliver(_)));
        let columns = K::columns(self.policy, self.pass, self.now);
        // `pending` before the case is opened is not worth a write if the columns are empty.
        let about_to_open = columns.sync_status == "pending" && is_untouched;
        let differ = !incident.columns.show(&columns) && !about_to_open && !written;
        if self.plan.effects.iter().any(changes_columns) || (differ && !self.waits_to_write_again(&columns)) {
            self.plan.effects.push(Effect::WriteColumns);
        }
    }

    /// Whether these columns were written last and are not written again yet. If so, adds the wait.
    fn waits_to_write_again(&mut self, columns: &BridgeColumns) -> bool {
        let written = self.pass.link.columns_written.as_ref();
        let Some(written) = written.filter(|written| written.is_repeat(columns)) else { return false };
        let until = written.again_at(self.policy, self.now);
        let waits = until.is_none_or(|until| until > self.now);
        if waits {
            self.wait(Waiting::ColumnsNotKept { until });
        }
        waits
    }

    /// Cuts the plan to its bounds. If the loop breaker cuts it, adds a wait until the loop breaker allows writes
    /// again.
    fn bound(&mut self) {
        let link = &self.pass.link;
        let left = pace::writes_left(self.policy, link, self.now);
        let wanted = self.plan.effects.len();
        let tripped = left < wanted.min(EFFECTS_PER_PLAN);
        // The columns are written only if they differ now: the deferred effects have changed nothing yet.
        // Columns that something rewrites are no news, so they wait.
        let is_news = || {
            let columns = K::columns(self.policy, self.pass, self.now);
            let differs = self.pass.summary().is_some_and(|incident| !incident.columns.show(&columns));
            differs && link.columns_written.as_ref().is_none_or(|written| !written.is_repeat(&columns))
        };
        let only_columns = left == 0 && self.plan.effects.last() == Some(&Effect::WriteColumns) && is_news();
        let bound = pace::writes_per_window(self.policy);
        if tripped && only_columns && link.recent_writes.len() < bound.saturating_add(COLUMN_WRITES_BEYOND_BOUND) {
            self.plan.effects = vec![Effect::WriteColumns];
        } else {
            self.plan.effects.truncate(left.min(EFFECTS_PER_PLAN));
        }
        if tripped {
            let wait = self.wait_for_a_write();
            self.wait(wait);
        }
    }
}

pub(crate) fn wait_for<C>(trouble: &Trouble<C>) -> Waiting {
    let until = trouble.until;
    match trouble.refusal {
        None => Waiting::Backoff { until },
        Some(Refusal::CaseQuota) => Waiting::CaseQuota { until },
        Some(refusal) => Waiting::Refused { refusal, until },
    }
}
