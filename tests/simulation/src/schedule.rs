//! The life of a world: who acts when. One thread, one virtual clock, and an order that the seed decides.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::PoisonError,
    task::{Context, Poll, Waker},
};

use case_poller::{RESERVE, WATERMARK};
use casebridge_core::{
    hint::{Cause, Hint, Subject},
    identifiers::LinkKey,
    poll,
};
use casebridge_executor::Report;
use casebridge_ledger::Ledger;
use jiff::{SignedDuration, Timestamp};

use crate::{
    desk::Desk,
    faults::Rates,
    handlers::{self, MOST_SKEW, PollerFunction, WebhookFunction},
    invariants::Invariant,
    people::Deed,
    queue::{Message, QueueName},
    random::Random,
    settings::{SELDOM, Settings},
    timeline::Place,
    world::{Announcement, World},
};

/// How long the reconciler lives at most.
const RECONCILER_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
/// How long the poller lives at most.
const POLLER_TIMEOUT: SignedDuration = SignedDuration::from_secs(50);
/// How long the handlers of triggers live at most.
const HANDLER_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
/// How many messages a worker gets at once, at most: more than the template says, since the handler takes any number.
const BATCH: usize = 5;
/// How long ServiceNow waits for the webhook's answer.
const WEBHOOK_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);
/// How often an event is given to its handler, and how long the pause is before it is given again.
const EVENT_ATTEMPTS: u32 = 3;
const EVENT_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// How late a late hint is, in seconds.
const LATE_SECONDS: i64 = 3 * 3_600;
/// How many polls it may take until nothing is left to do: eight incidents that wait for a quota, one by one, and each
/// looks for late cases for a day.
const CALM_POLLS: u32 = 500;
/// After how much calm everything that was refused has been tried again: the default policy does so every hour.
const TRIED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(150);
/// How many of a thousand deeds an administrator follows up with one on an account.
const ACCOUNT_DEEDS: u64 = 200;
/// The most steps of a life.
const MOST_STEPS: u64 = 200_000;

/// Runs a future that never waits.
pub fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    Deed,
    Step(u64),
    Rule,
    Announced(Box<Announcement>, u32),
    Outbox,
    Poll,
    Queue,
    Land,
}

struct Scheduled {
    at: Timestamp,
    order: u64,
    event: Event,
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// What a process is there for, and in which function that has been started before, if that makes a difference.
enum Duty {
    /// The messages of a queue's batch, and those that the worker reported as failed.
    Reconcile(QueueName, Vec<u64>, Rc<RefCell<Vec<u64>>>),
    /// A row of the outbox.
    Webhook(usize, Rc<WebhookFunction>),
    /// An event, and how often it has been given to its handler.
    Announced(Box<Announcement>, u32),
    Poll(Rc<PollerFunction>),
    /// A look at a link after the end.
    Check,
}

impl Duty {
    fn timeout(&self) -> SignedDuration {
        match self {
            Self::Reconcile(..) | Self::Check => RECONCILER_TIMEOUT,
            Self::Poll(_) => POLLER_TIMEOUT,
            Self::Webhook(..) | Self::Announced(..) => HANDLER_TIMEOUT,
        }
    }
}

/// A message that was just received may become visible again while somebody is at it.
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

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Done,
    Failed,
    Death,
}

/// Whether a poll that began then asked for every case, by its own clock too.
fn has_left_nothing_aside(function: &PollerFunction, began: Timestamp) -> bool {
    let parked = function.parked.lock().unwrap_or_else(PoisonError::into_inner);
    parked.values().all(|until| *until < began - MOST_SKEW)
}

struct Process {
    duty: Duty,
    name: String,
    started: Timestamp,
    future: Pin<Box<dyn Future<Output = bool>>>,
}

/// A life of a world.
pub struct Life {
    /// The world.
    pub desk: Rc<Desk>,
    events: BinaryHeap<Reverse<Scheduled>>,
    order: u64,
    processes: BTreeMap<u64, Process>,
    /// Functions that have ended an invocation and wait for the next one.
    warm_webhooks: Vec<Rc<WebhookFunction>>,
    warm_pollers: Vec<Rc<PollerFunction>>,
    people: Random,
    /// What becomes of accounts: drawn apart, so that worlds without it are what they were.
    accounts: Random,
    deeds_left: usize,
    calm_since: Option<Timestamp>,
    polls: u32,
    quiet_polls: u32,
    last_activity: Timestamp,
    last_report: Rc<RefCell<Option<Report>>>,
}

impl Life {
    /// A life that has not begun.
    pub fn new(settings: Settings) -> Self {
        let people = Random::new(settings.seed.rotate_left(17) ^ 0x7065_6f70_6c65);
        let accounts = Random::new(settings.seed.rotate_left(29) ^ 0x6163_636f_756e_7473);
        let deeds_left = settings.deeds;
        Self {
            desk: Rc::new(Desk::new(settings)),
            events: BinaryHeap::new(),
            order: 0,
            processes: BTreeMap::new(),
            warm_webhooks: Vec::new(),
            warm_pollers: Vec::new(),
            people,
            accounts,
            deeds_left,
            calm_since: None,
            polls: 0,
            quiet_polls: 0,
            last_activity: Timestamp::UNIX_EPOCH,
            last_report: Rc::default(),
        }
    }

    /// The moment, by our clock.
    pub fn now(&self) -> Timestamp {
        self.desk.world.borrow().now
    }

    fn schedule(&mut self, at: Timestamp, event: Event) {
        self.order += 1;
        self.events.push(Reverse(Scheduled { at, order: self.order, event }));
    }

    /// Lives: people act, faults strike; then both stop, and the world comes to rest.
    pub fn live(&mut self) {
        self.begin();
        while self.deeds_left > 0 && self.step() {}
        self.calm_down();
    }

    /// Starts what happens by itself: the poller and ServiceNow's jobs.
    pub fn begin(&mut self) {
        let now = self.now();
        let polling = self.desk.world.borrow().settings.polling;
        let first = SignedDuration::from_secs(self.people.between(1, polling.as_secs()));
        self.schedule(now + first, Event::Poll);
        let jobs = self.desk.world.borrow().settings.jobs;
        self.schedule(now + jobs, Event::Outbox);
        if polling >= SELDOM {
            self.begin_to_watch();
        }
        if self.deeds_left > 0 {
            self.schedule(now, Event::Deed);
        }
    }

    /// The poller has run before: whoever polls seldom would have missed what happened before its first run.
    fn begin_to_watch(&self) {
        let now = self.desk.world.borrow().servicenow_now();
        let watermark = serde_json::to_string(&poll::first(now)).unwrap_or_default();
        at_once(self.desk.ledger.set_watermark(WATERMARK, &watermark));
    }

    /// Ends all faults and lets the world come to rest.
    pub fn calm_down(&mut self) {
        {
            let world = &mut *self.desk.world.borrow_mut();
            world.faults.stop();
            world.servicenow.end_hostility();
            world.end_rotation();
            if !world.settings.stays_paused {
                world.end_pauses();
            }
            if world.settings.accounts_change {
                world.save_those_without_case();
            }
            if !world.settings.stays_refused {
                world.refused_accounts.clear();
            } else if world.refused_accounts.is_empty() {
                world.lose_access(&mut self.people);
            }
            world.note(Place::Bridge, || "--- people and faults stop ---".to_owned());
        }
        self.calm_since = Some(self.now());
        self.rest();
    }

    /// Goes on until nothing is left to do.
    pub fn rest(&mut self) {
        self.polls = 0;
        self.quiet_polls = 0;
        // People who do something every few weeks need as many steps before it as others in all.
        let most_steps = self.desk.world.borrow().tally.steps.saturating_add(MOST_STEPS);
        while !self.is_at_rest() {
            if self.polls > CALM_POLLS || self.desk.world.borrow().tally.steps > most_steps {
                let what = "the world does not come to rest".to_owned();
                self.desk.world.borrow_mut().violate(Invariant::Convergence, what);
                return;
            }
            if !self.step() {
                return;
            }
        }
    }

    /// Whether nothing moves, nothing is due, and the poller has found nothing.
    fn is_at_rest(&self) -> bool {
        let periodic = |event: &Reverse<Scheduled>| matches!(event.0.event, Event::Poll | Event::Outbox | Event::Queue);
        let world = self.desk.world.borrow();
        self.quiet_polls > 0
            && self.processes.is_empty()
            && world.servicenow.rules.is_empty()
            && world.queue.is_empty()
            && self.wakes_are_idle(&world)
            && world.next_landing().is_none()
            && (!world.webhooks_arrive() || world.servicenow.outbox.iter().all(|row| row.sent))
            && self.next_due().is_none()
            && self.events.iter().all(periodic)
    }

    /// Whether no message that was sent ahead is about a link of which anything more is expected.
    fn wakes_are_idle(&self, world: &World) -> bool {
        world.wakes.is_empty() || {
            let given_up = self.given_up_links();
            world.wakes.groups().all(|group| given_up.contains(group))
        }
    }

    /// When the next link is due of which anything more is expected.
    fn next_due(&self) -> Option<Timestamp> {
        let due = at_once(self.desk.ledger.due_links(Timestamp::MAX, usize::MAX));
        let due = due.and_then(Result::ok).unwrap_or_default();
        let given_up = self.given_up_links();
        due.iter().find(|due| !given_up.contains(&due.key.to_string())).map(|due| due.due_at)
    }

    /// The links of which nothing more is expected: AWS refuses them for good, it was tried again in vain and the agent
    /// knows; or their incident is gone.
    fn given_up_links(&self) -> BTreeSet<String> {
        let world = self.desk.world.borrow();
        let tried_again = self.calm_since.is_some_and(|since| world.now.duration_since(since) > TRIED_AGAIN_AFTER);
        if !tried_again {
            return BTreeSet::new();
        }
        world.given_up_links()
    }

    /// Whether nothing more is expected of the links that these messages are about.
    fn are_given_up(&self, queue: QueueName, messages: &[u64]) -> bool {
        let given_up = self.given_up_links();
        let world = &mut *self.desk.world.borrow_mut();
        let queue = world.queue_named(queue);
        messages.iter().all(|message| queue.group_of(*message).is_some_and(|group| given_up.contains(group)))
    }

    /// Lets the world go on for this long.
    pub fn run_for(&mut self, span: SignedDuration) {
        let until = self.now() + span;
        while self.events.peek().is_some_and(|next| next.0.at <= until) && self.step() {}
        self.desk.world.borrow_mut().now = until;
    }

    /// One step: the next event. False if there is none.
    pub fn step(&mut self) -> bool {
        let Some(Reverse(next)) = self.events.pop() else { return false };
        {
            let world = &mut *self.desk.world.borrow_mut();
            world.now = world.now.max(next.at);
            world.tally.steps += 1;
        }
        if !matches!(next.event, Event::Step(_) | Event::Outbox | Event::Poll | Event::Queue) {
            self.note_activity();
        }
        match next.event {
            Event::Deed => self.deed(),
            Event::Step(process) => self.poll_process(process),
            Event::Rule => self.run_rule(),
            Event::Announced(event, attempts) => self.start_event(event, attempts),
            Event::Outbox => self.run_outbox(),
            Event::Poll => self.start_poll(),
            Event::Queue => {}
            Event::Land => self.desk.world.borrow_mut().land(),
        }
        self.follow_up();
        true
    }

    fn deed(&mut self) {
        self.deeds_left -= 1;
        let opens = {
            let world = self.desk.world.borrow();
            world.servicenow.incidents.len() < world.settings.opened_first
        };
        let deed = if opens { Deed::Open } else { Deed::draw(&mut self.people) };
        {
            let world = &mut *self.desk.world.borrow_mut();
            world.do_deed(deed, &mut self.people);
            if world.settings.accounts_change && self.accounts.chance(ACCOUNT_DEEDS) {
                world.do_account_deed(&mut self.accounts);
            }
        }
        if self.deeds_left == 0 {
            return;
        }
        let longest = self.desk.world.borrow().settings.pause;
        let pause = match self.people.below(10) {
            0..=3 => SignedDuration::from_millis(self.people.between(0, 3_000)),
            4..=8 => SignedDuration::from_millis(self.people.between(0, longest * 1_000)),
            _ => SignedDuration::from_secs(self.people.between(0, longest * 10)),
        };
        let at = self.now() + pause;
        self.schedule(at, Event::Deed);
    }

    /// What follows from a step: rules, events, landings, messages.
    pub fn follow_up(&mut self) {
        let now = self.now();
        let (rules, events, landing, visible) = {
            let world = &mut *self.desk.world.borrow_mut();
            let rules = world.servicenow.rules.len();
            let landing = world.next_landing();
            let visible =
                [QueueName::Hints, QueueName::Wakes].map(|name| (name, world.queue_named(name).next_visible()));
            (rules, world.take_announcements(), landing, visible)
        };
        for _ in 0..rules {
            self.queue_rule(now);
        }
        for event in events {
            self.send_event(&event);
        }
        if let Some(landing) = landing {
            self.schedule_once(landing.max(now), &Event::Land);
        }
        for (queue, visible) in visible {
            match visible {
                Some(at) if at <= now => self.receive(queue),
                Some(at) => self.schedule_once(at, &Event::Queue),
                None => {}
            }
        }
    }

    fn schedule_once(&mut self, at: Timestamp, event: &Event) {
        if !self.events.iter().any(|other| other.0.event == *event && other.0.at == at) {
            self.schedule(at, event.clone());
        }
    }

    fn queue_rule(&mut self, now: Timestamp) {
        let waiting = self.events.iter().filter(|event| event.0.event == Event::Rule).count();
        let (rules, delay) = {
            let world = &mut *self.desk.world.borrow_mut();
            (world.servicenow.rules.len(), SignedDuration::from_millis(world.random.between(50, 2_000)))
        };
        if waiting < rules {
            self.schedule(now + delay, Event::Rule);
        }
    }

    fn run_rule(&mut self) {
        let row = {
            let world = &mut *self.desk.world.borrow_mut();
            let lost = world.faults.rates().hint_lost;
            if !world.settings.hints || world.random.chance(lost) {
                world.servicenow.rules.pop_front();
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

    fn run_outbox(&mut self) {
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

    /// Announces an event of AWS: perhaps never, twice or late.
    fn send_event(&mut self, event: &Announcement) {
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

    fn start_event(&mut self, event: Box<Announcement>, attempts: u32) {
        let name = format!("event {}", event.name);
        let future = handlers::announced(self.desk.clone(), (*event).clone());
        self.start(Duty::Announced(event, attempts), name, future);
    }

    fn start_poll(&mut self) {
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

    /// How much time the poller is told to have: now and then hardly any, and it has to stop half-way.
    fn poller_time(&self) -> SignedDuration {
        let world = &mut *self.desk.world.borrow_mut();
        let hurried = world.faults.rates().slow;
        if !world.random.chance(hurried) {
            return POLLER_TIMEOUT;
        }
        world.count_fault("poller has little time");
        RESERVE + SignedDuration::from_millis(world.random.between(0, 1_000))
    }

    /// When the poller runs next: by its period, but once people have stopped, idle hours are skipped.
    fn next_poll(&self, regular: Timestamp) -> Timestamp {
        if self.calm_since.is_none() || !self.desk.world.borrow().queue.is_empty() {
            return regular;
        }
        let moving = |event: &&Reverse<Scheduled>| !matches!(event.0.event, Event::Poll | Event::Outbox | Event::Queue);
        let next = self.events.iter().filter(moving).map(|event| event.0.at).min();
        let awaited = [next, self.next_due()].into_iter().flatten().min();
        awaited.map_or(regular, |awaited| awaited.max(regular))
    }

    /// Gives visible messages to workers.
    fn receive(&mut self, queue: QueueName) {
        let now = self.now();
        let groups = {
            let world = &mut *self.desk.world.borrow_mut();
            let parked = world.queue_named(queue).parked().len();
            let several = world.faults.rates() != Rates::default() && world.random.chance(300);
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

    /// A worker acts on a batch, one message after the other; what fails comes again.
    fn start_reconciler(&mut self, queue: QueueName, batch: Vec<Message>) {
        let failed: Rc<RefCell<Vec<u64>>> = Rc::default();
        let numbers: Vec<u64> = batch.iter().map(|message| message.number).collect();
        let kind = if queue == QueueName::Wakes { "wake" } else { "message" };
        let name = format!("worker of {kind} {}", crate::timeline::join(&numbers));
        let duty = Duty::Reconcile(queue, numbers, failed.clone());
        let deadline = self.now() + RECONCILER_TIMEOUT;
        let future = handlers::reconcile(self.desk.clone(), queue, batch, deadline, self.last_report.clone());
        self.start(duty, name, async move {
            *failed.borrow_mut() = future.await;
            true
        });
    }

    fn start(&mut self, duty: Duty, name: String, future: impl Future<Output = bool> + 'static) {
        self.order += 1;
        let number = self.order;
        let now = self.now();
        self.processes.insert(number, Process { duty, name, started: now, future: Box::pin(future) });
        self.poll_process(number);
    }

    fn poll_process(&mut self, number: u64) {
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

    /// A process dies: its future is dropped, and nothing of ours runs.
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

    /// Notes that something has happened: what the poller found before that says nothing any more.
    fn note_activity(&mut self) {
        self.last_activity = self.now();
        self.quiet_polls = 0;
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
                self.quiet_polls = if ending == Ending::Done && idle && saw_all { self.quiet_polls + 1 } else { 0 };
                self.warm_pollers.extend((ending != Ending::Death).then_some(function));
            }
            Duty::Announced(..) | Duty::Check => {}
        }
    }

    /// Lets one more pass look at a link; what it did.
    pub fn look_again(&mut self, key: &LinkKey) -> Option<Report> {
        self.look_at(Subject::Link { key: key.clone() })
    }

    /// Lets a pass look at what a hint is about; what it did.
    pub fn look_at(&mut self, subject: Subject) -> Option<Report> {
        self.look(subject, Cause::Replay)
    }

    /// Lets a pass look at a link for this cause; what it did.
    pub fn look_because(&mut self, cause: Cause, key: &LinkKey) -> Option<Report> {
        self.look(Subject::Link { key: key.clone() }, cause)
    }

    fn look(&mut self, subject: Subject, cause: Cause) -> Option<Report> {
        let received_at = self.now();
        self.look_for(&Hint { subject, cause, received_at, claim: None })
    }

    /// Lets a worker act on a hint; what it did.
    pub fn look_for(&mut self, hint: &Hint) -> Option<Report> {
        let mut executor = handlers::executor(&self.desk);
        executor.limits = reconciler::limits(RECONCILER_TIMEOUT);
        let hint = hint.clone();
        self.work(async move { executor.reconcile(&hint).await.ok() })
    }

    /// Lets a worker do this to its end; what it came to, unless the worker died.
    pub fn work<T: 'static>(&mut self, work: impl Future<Output = Option<T>> + 'static) -> Option<T> {
        let outcome: Rc<RefCell<Option<T>>> = Rc::default();
        let slot = outcome.clone();
        let future = async move {
            let done = work.await;
            let ok = done.is_some();
            slot.replace(done);
            ok
        };
        self.start(Duty::Check, "check".to_owned(), future);
        while !self.processes.is_empty() && self.step() {}
        outcome.take()
    }
}
