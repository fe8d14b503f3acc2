//! Processes: invocations of the functions, from their start to their end or death.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::PoisonError,
    task::{Context, Poll, Waker},
};

use jiff::{SignedDuration, Timestamp};

use super::{Event, Life};
use crate::{
    handlers::{CATALOGUE_TIMEOUT, MAXIMUM_SKEW, PollerFunction, WebhookFunction},
    queue::QueueName,
    timeline::Place,
    world::Announcement,
};

/// The time that an invocation of the reconciler has.
pub(super) const RECONCILER_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
/// The time that an invocation of the function that moves files has.
pub(super) const ATTACHMENTS_TIMEOUT: SignedDuration = SignedDuration::from_mins(15);
/// The time that an invocation of the poller has.
pub(super) const POLLER_TIMEOUT: SignedDuration = SignedDuration::from_secs(50);
/// The time that an invocation of a trigger's handler has.
const HANDLER_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
/// How often an event is given to its handler.
const EVENT_ATTEMPTS: u32 = 3;
/// The pause before an event is given to its handler again, times the number of attempts so far.
const EVENT_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// How long ServiceNow waits for the webhook's answer.
const WEBHOOK_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);

/// What a process does, with the started function that it runs in, where an invocation may reuse one.
pub(super) enum Duty {
    /// The messages of a queue's batch, and those that the worker reported as failed.
    Reconcile(QueueName, Vec<u64>, Rc<RefCell<Vec<u64>>>),
    /// The attempt to send a row of the outbox.
    Webhook(usize, Rc<WebhookFunction>),
    /// The handling of an event, and how often it has been given to its handler.
    Announced(Box<Announcement>, u32),
    Poll(Rc<PollerFunction>),
    Catalogue,
    /// A look that a test or a judge asks for.
    Check,
}

impl Duty {
    fn timeout(&self) -> SignedDuration {
        match self {
            Self::Reconcile(QueueName::Files, ..) => ATTACHMENTS_TIMEOUT,
            Self::Reconcile(..) | Self::Check => RECONCILER_TIMEOUT,
            Self::Poll(_) => POLLER_TIMEOUT,
            Self::Catalogue => CATALOGUE_TIMEOUT,
            Self::Webhook(..) | Self::Announced(..) => HANDLER_TIMEOUT,
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Done,
    Failed,
    Death,
}

pub(super) struct Process {
    pub(super) duty: Duty,
    name: String,
    started: Timestamp,
    future: Pin<Box<dyn Future<Output = bool>>>,
}

/// Whether a poll that began then left no parked case aside, by the poller's own clock too.
fn has_left_nothing_aside(function: &PollerFunction, began: Timestamp) -> bool {
    let parked = function.parked.lock().unwrap_or_else(PoisonError::into_inner);
    parked.values().all(|until| *until < began - MAXIMUM_SKEW)
}

impl Life {
    pub(super) fn start(&mut self, duty: Duty, name: String, future: impl Future<Output = bool> + 'static) {
        self.order += 1;
        let number = self.order;
        let now = self.now();
        self.processes.insert(number, Process { duty, name, started: now, future: Box::pin(future) });
        self.poll_process(number);
    }

    pub(super) fn poll_process(&mut self, number: u64) {
        let Some(process) = self.processes.get_mut(&number) else { return };
        let now = self.desk.world.borrow().now;
        let deadline = process.started + process.duty.timeout();
        if now >= deadline {
            self.desk.world.borrow_mut().count_fault("function timed out");
            return self.bury(number, "its time is up");
        }
        self.desk.current.replace(process.name.clone());
        self.desk.wake_sleepers();
        let polled = process.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let (wake, died) = (self.desk.take_wake(), self.desk.take_death());
        match polled {
            Poll::Ready(done) => self.finish(number, done),
            Poll::Pending if died => self.bury(number, "it dies"),
            Poll::Pending => {
                let at = wake.unwrap_or(deadline).min(deadline);
                self.schedule(at, Event::Step(number));
            }
        }
    }

    /// Ends a process that dies: drops its future, so that none of its code runs any more.
    fn bury(&mut self, number: u64, how: &str) {
        if let Some(process) = self.processes.remove(&number) {
            self.desk.world.borrow_mut().note(Place::Bridge, || format!("{}: {how}", process.name));
            self.end(process.duty, process.started, Ending::Death);
        }
    }

    fn finish(&mut self, number: u64, done: bool) {
        if let Some(process) = self.processes.remove(&number) {
            let report = self.last_report.take();
            self.desk.world.borrow_mut().note(Place::Bridge, || {
                let report = report.map(|report| format!("{:?} waits {:?}", report.effects, report.waits));
                format!(
                    "{} ends, {} {}",
                    process.name,
                    if done { "done" } else { "failed" },
                    report.unwrap_or_default()
                )
            });
            self.end(process.duty, process.started, if done { Ending::Done } else { Ending::Failed });
        }
    }

    fn end(&mut self, duty: Duty, started: Timestamp, ending: Ending) {
        let now = self.now();
        match duty {
            Duty::Reconcile(queue, messages, failed) => {
                if !self.are_given_up(queue, &messages) {
                    self.note_activity();
                }
                let world = &mut *self.desk.world.borrow_mut();
                let failed = failed.borrow();
                for message in messages.iter().filter(|message| ending == Ending::Done && !failed.contains(message)) {
                    world.queue_named(queue).delete(*message);
                }
            }
            Duty::Webhook(row, function) => {
                let world = &mut *self.desk.world.borrow_mut();
                let accepted = ending == Ending::Done && now.duration_since(started) <= WEBHOOK_TIMEOUT;
                let servicenow_now = world.servicenow_now();
                world.servicenow.attempted(servicenow_now, row, accepted);
                self.warm_webhooks.extend((ending != Ending::Death).then_some(function));
            }
            Duty::Announced(event, attempts) if ending != Ending::Done && attempts < EVENT_ATTEMPTS => {
                let pause = EVENT_PAUSE * i32::try_from(attempts).unwrap_or(1);
                self.schedule(now + pause, Event::Announced(event, attempts + 1));
            }
            Duty::Poll(function) => {
                let given_up = self.given_up_links();
                let idle = self.desk.world.borrow().queue.groups().all(|group| given_up.contains(group));
                let saw_all = started > self.last_activity
                    && has_left_nothing_aside(&function, started)
                    && self.desk.world.borrow().aws_shows_everything(started);
                let is_quiet = ending == Ending::Done && idle && saw_all;
                self.quiet_polls = is_quiet.then(|| (self.quiet_polls.map_or(started, |(first, _)| first), started));
                self.warm_pollers.extend((ending != Ending::Death).then_some(function));
            }
            Duty::Announced(..) | Duty::Catalogue | Duty::Check => {}
        }
    }

    /// Notes that something has happened, so that earlier polls no longer show that the world is at rest.
    pub(super) fn note_activity(&mut self) {
        self.last_activity = self.now();
        self.quiet_polls = None;
    }
}
