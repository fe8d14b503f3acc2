//! What starts the functions: rules and webhooks, events, the poller, messages.

use std::{cell::RefCell, cmp::Reverse, rc::Rc};

use case_poller::RESERVE;
use jiff::{SignedDuration, Timestamp};

use super::{
    CATALOGUE_PERIOD, CATALOGUE_PERIOD_OF_MONTHS, Event, Life, Scheduled,
    process::{ATTACHMENTS_TIMEOUT, Duty, POLLER_TIMEOUT, RECONCILER_TIMEOUT},
};
use crate::{
    faults::Rates,
    handlers,
    queue::{Message, QueueName},
    settings::SELDOM,
    timeline::Place,
    world::{Announcement, World},
};

/// The most messages in one batch: more than the template sets, since the handler takes any number.
const BATCH: usize = 5;
/// How late a late event is at most, in seconds.
const LATE_SECONDS: i64 = 3 * 3_600;

/// Makes a message that was just received visible again while a worker handles it, by the settings and by the rates of
/// the faults.
fn show_early(world: &mut World, queue: QueueName, message: u64) {
    let now = world.now;
    if let Some(wait) = world.settings.redelivery {
        world.queue_named(queue).show(message, now + wait);
    }
    let redelivered = world.faults.rates().redelivered;
    if world.random.chance(redelivered) {
        let wait = SignedDuration::from_millis(world.random.between(50, 3_000));
        world.queue_named(queue).show(message, now + wait);
        world.count_fault("visibility expires");
    }
}

impl Life {
    pub(super) fn queue_rule(&mut self, now: Timestamp) {
        let waiting = self.events.iter().filter(|event| event.0.event == Event::Rule).count();
        let (rules, delay) = {
            let world = &mut *self.desk.world.borrow_mut();
            (world.servicenow.rules.len(), SignedDuration::from_millis(world.random.between(50, 2_000)))
        };
        if waiting < rules {
            self.schedule(now + delay, Event::Rule);
        }
    }

    pub(super) fn run_rule(&mut self) {
        let row = {
            let world = &mut *self.desk.world.borrow_mut();
            let lost = world.faults.rates().hint_lost;
            if !world.settings.hints || world.random.chance(lost) {
                let incident = world.servicenow.rules.pop_front();
                world.memory.unreported.extend(incident);
                world.count_fault("rule lost");
                world.note(Place::ServiceNow, || "an asynchronous rule is lost".to_owned());
                return;
            }
            let now = world.servicenow_now();
            world.servicenow.run_rule(now)
        };
        if let Some(row) = row {
            self.attempt(row);
        }
    }

    fn attempt(&mut self, row: usize) {
        let (webhook_id, incident) = {
            let world = &mut *self.desk.world.borrow_mut();
            let Some(entry) = world.servicenow.outbox.get(row).filter(|entry| !entry.sent).cloned() else { return };
            if !world.servicenow.incidents.contains_key(&entry.incident) {
                return world.servicenow.give_up(row);
            }
            let number = world.number_of(&entry.incident);
            world.note(Place::ServiceNow, || format!("webhook {row} of {number}"));
            (entry.webhook_id, entry.incident)
        };
        let function = self.warm_webhooks.pop().unwrap_or_else(|| Rc::new(handlers::webhook_function(&self.desk)));
        let future = handlers::webhook(self.desk.clone(), function.clone(), webhook_id, incident);
        self.start(Duty::Webhook(row, function), format!("webhook {row}"), future);
    }

    pub(super) fn run_outbox(&mut self) {
        let now = self.now();
        let jobs = self.desk.world.borrow().settings.jobs;
        self.schedule(now + jobs, Event::Outbox);
        let due = {
            let world = self.desk.world.borrow();
            if !world.settings.hints {
                return;
            }
            world.servicenow.due_outbox(world.servicenow_now())
        };
        for row in due {
            let busy =
                self.processes.values().any(|process| matches!(process.duty, Duty::Webhook(other, _) if other == row));
            if !busy {
                self.attempt(row);
            }
        }
    }

    /// Sends an event of AWS to its handler. By the rates of the faults it is lost, or comes twice or late.
    pub(super) fn send_event(&mut self, event: &Announcement) {
        let now = self.now();
        let mut arrivals = Vec::new();
        {
            let world = &mut *self.desk.world.borrow_mut();
            let rates = world.faults.rates();
            if !world.settings.hints || world.random.chance(rates.hint_lost) {
                world.count_fault("event lost");
                return;
            }
            let copies = if world.random.chance(rates.hint_doubled) { 2 } else { 1 };
            if copies > 1 {
                world.count_fault("event doubled");
            }
            for _ in 0..copies {
                let late = world.random.chance(rates.hint_late);
                if late {
                    world.count_fault("event late");
                }
                let longest = if late { LATE_SECONDS * 1_000 } else { 3_000 };
                arrivals.push(now + SignedDuration::from_millis(world.random.between(100, longest)));
            }
        }
        for at in arrivals {
            self.schedule(at, Event::Announced(Box::new(event.clone()), 1));
        }
    }

    pub(super) fn start_event(&mut self, event: Box<Announcement>, attempts: u32) {
        let name = format!("event {}", event.name);
        let future = handlers::announced(self.desk.clone(), (*event).clone());
        self.start(Duty::Announced(event, attempts), name, future);
    }

    pub(super) fn start_poll(&mut self) {
        let now = self.now();
        let polling = self.desk.world.borrow().settings.polling;
        self.polls += 1;
        self.schedule(self.next_poll(now + polling), Event::Poll);
        let overlaps = {
            let world = &mut *self.desk.world.borrow_mut();
            let doubled = world.faults.rates().hint_doubled;
            world.random.chance(doubled)
        };
        let runs = if overlaps { 2 } else { 1 };
        if overlaps {
            self.desk.world.borrow_mut().count_fault("poller overlaps");
        }
        for _ in 0..runs {
            let time = self.poller_time();
            let function = self.warm_pollers.pop().unwrap_or_else(|| Rc::new(handlers::poller_function(&self.desk)));
            let future = handlers::poll(self.desk.clone(), function.clone(), now + time);
            self.start(Duty::Poll(function), "poller".to_owned(), future);
        }
    }

    /// Schedules the next run of the function that writes the catalogue, until people stop.
    pub(super) fn schedule_catalogue(&mut self) {
        if self.calm_since.is_none() && self.desk.world.borrow().settings.catalogue {
            let lasts_months = self.desk.world.borrow().settings.polling >= SELDOM;
            let longest = if lasts_months { CATALOGUE_PERIOD_OF_MONTHS } else { CATALOGUE_PERIOD };
            let after = SignedDuration::from_secs(self.catalogue.between(1, longest));
            self.schedule(self.now() + after, Event::Catalogue);
        }
    }

    pub(super) fn start_catalogue(&mut self) {
        self.schedule_catalogue();
        let future = handlers::sync_catalogue(self.desk.clone());
        self.start(Duty::Catalogue, "catalogue".to_owned(), future);
    }

    /// Returns the time until the deadline that the poller is given. By the rates of the faults it is so short that the
    /// poller has to stop half-way.
    fn poller_time(&self) -> SignedDuration {
        let world = &mut *self.desk.world.borrow_mut();
        let hurried = world.faults.rates().slow;
        if !world.random.chance(hurried) {
            return POLLER_TIMEOUT;
        }
        world.count_fault("poller has little time");
        RESERVE + SignedDuration::from_millis(world.random.between(0, 1_000))
    }

    /// Returns when the poller runs next: after its period, or later if people have stopped and nothing happens until
    /// then. Once a poll has found nothing, the next one that matters is the one that reads the quiet cases.
    fn next_poll(&self, regular: Timestamp) -> Timestamp {
        if self.calm_since.is_none() || !self.desk.world.borrow().queue.is_empty() {
            return regular;
        }
        let moving = |event: &&Reverse<Scheduled>| !matches!(event.0.event, Event::Poll | Event::Outbox | Event::Queue);
        let next = self.events.iter().filter(moving).map(|event| event.0.at).min();
        let awaited = [next, self.next_due()].into_iter().flatten().min();
        let quiet_cases = || self.quiet_polls.map(|(first, _)| first + self.quiet_turn());
        awaited.or_else(quiet_cases).map_or(regular, |next| next.max(regular))
    }

    /// Hands out visible messages to workers.
    pub(super) fn receive(&mut self, queue: QueueName) {
        let now = self.now();
        let groups = {
            let world = &mut *self.desk.world.borrow_mut();
            let parked = world.queue_named(queue).parked().len();
            let several =
                queue != QueueName::Files && world.faults.rates() != Rates::default() && world.random.chance(300);
            let groups = world.queue_named(queue).receive(now, if several { BATCH } else { 1 });
            for _ in parked..world.queue_named(queue).parked().len() {
                world.count_fault("message parked");
            }
            for message in groups.iter().flatten() {
                show_early(world, queue, message.number);
            }
            groups
        };
        let mut batch: Vec<Message> = Vec::new();
        for group in groups {
            let alone = self.desk.world.borrow_mut().random.chance(600);
            let alone = alone || queue == QueueName::Files;
            if !batch.is_empty() && (alone || batch.len() + group.len() > BATCH) {
                self.start_reconciler(queue, std::mem::take(&mut batch));
            }
            batch.extend(group);
        }
        if !batch.is_empty() {
            self.start_reconciler(queue, batch);
        }
        let next = self.desk.world.borrow_mut().queue_named(queue).next_visible();
        if let Some(at) = next {
            let at = at.max(now + SignedDuration::from_millis(1));
            self.order += 1;
            self.events.push(Reverse(Scheduled { at, order: self.order, event: Event::Queue }));
        }
    }

    /// Starts a worker that handles a batch, one message after the other. Messages that fail stay on the queue.
    fn start_reconciler(&mut self, queue: QueueName, batch: Vec<Message>) {
        let failed: Rc<RefCell<Vec<u64>>> = Rc::default();
        let numbers: Vec<u64> = batch.iter().map(|message| message.number).collect();
        let kind = match queue {
            QueueName::Hints => "message",
            QueueName::Wakes => "wake",
            QueueName::Files => "files",
        };
        let timeout = if queue == QueueName::Files { ATTACHMENTS_TIMEOUT } else { RECONCILER_TIMEOUT };
        let name = format!("worker of {kind} {}", crate::timeline::join(&numbers));
        let duty = Duty::Reconcile(queue, numbers, failed.clone());
        let deadline = self.now() + timeout;
        let future = handlers::reconcile(self.desk.clone(), queue, batch, deadline, self.last_report.clone());
        self.start(duty, name, async move {
            *failed.borrow_mut() = future.await;
            true
        });
    }
}
