//! The life of a world: who acts when. There is one thread and one virtual clock, and the seed decides the order.

mod look;
mod process;
mod rest;
mod triggers;

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    future::Future,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use case_poller::{OPENED_CASES, WATERMARK};
use casebridge_core::poll;
use casebridge_executor::Report;
use casebridge_ledger::Ledger;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::{
    desk::Desk,
    handlers::{PollerFunction, WebhookFunction},
    people::Deed,
    queue::QueueName,
    random::Random,
    settings::{SELDOM, Settings},
    world::{ACCOUNTS, Announcement},
};
use process::Process;

/// After how many of a thousand deeds an administrator does something to an account, in worlds where accounts change.
const ACCOUNT_DEEDS: u64 = 200;

/// After how many of a thousand deeds somebody does something with a file, in worlds with files.
const FILE_DEEDS: u64 = 350;

/// After how many of a thousand deeds something changes in the catalogue, in worlds with one.
const CATALOGUE_DEEDS: u64 = 200;

/// The longest time between two runs of the function that writes the catalogue, in seconds. It is short, so that several
/// runs see a change.
const CATALOGUE_PERIOD: i64 = 900;

/// The same in worlds that last for months: a day, as in the template. People pause for days there.
const CATALOGUE_PERIOD_OF_MONTHS: i64 = 86_400;

/// Runs a future that never waits. Returns `None` if it waits.
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
    Catalogue,
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
    /// Decides the deeds on accounts. It is a generator of its own, so that worlds without such deeds stay as they
    /// were.
    accounts: Random,
    /// Decides the deeds with files, for the same reason.
    files: Random,
    /// Decides the deeds with the catalogue and when it is written, for the same reason.
    catalogue: Random,
    deeds_left: usize,
    calm_since: Option<Timestamp>,
    polls: u32,
    /// When the first and the last of the polls in a row began that found nothing. `None` if the last one found something.
    quiet_polls: Option<(Timestamp, Timestamp)>,
    last_activity: Timestamp,
    last_report: Rc<RefCell<Option<Report>>>,
}

impl Life {
    /// Returns a life that has not begun.
    pub fn new(settings: Settings) -> Self {
        let people = Random::new(settings.seed.rotate_left(17) ^ 0x7065_6f70_6c65);
        let accounts = Random::new(settings.seed.rotate_left(29) ^ 0x6163_636f_756e_7473);
        let files = Random::new(settings.seed.rotate_left(41) ^ 0x66_696c_6573);
        let catalogue = Random::new(settings.seed.rotate_left(53) ^ 0x6361_7461_6c6f_6775);
        let deeds_left = settings.deeds;
        let desk = Desk::new(settings);
        Self {
            desk: Rc::new(desk),
            events: BinaryHeap::new(),
            order: 0,
            processes: BTreeMap::new(),
            warm_webhooks: Vec::new(),
            warm_pollers: Vec::new(),
            people,
            accounts,
            files,
            catalogue,
            deeds_left,
            calm_since: None,
            polls: 0,
            quiet_polls: None,
            last_activity: Timestamp::UNIX_EPOCH,
            last_report: Rc::default(),
        }
    }

    /// Returns the present moment of the world.
    pub fn now(&self) -> Timestamp {
        self.desk.world.borrow().now
    }

    fn schedule(&mut self, at: Timestamp, event: Event) {
        self.order += 1;
        self.events.push(Reverse(Scheduled { at, order: self.order, event }));
    }

    /// Runs the world: people act and faults strike, then both stop, and the world comes to rest.
    pub fn live(&mut self) {
        self.begin();
        while self.deeds_left > 0 && self.step() {}
        self.calm_down();
    }

    /// Starts the poller, ServiceNow's jobs and, if there are any, the deeds of people.
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
        self.schedule_catalogue();
        if self.deeds_left > 0 {
            self.schedule(now, Event::Deed);
        }
    }

    /// Writes a watermark, as if the poller had run before. A poller that runs seldom would otherwise miss what happens
    /// before its first run.
    fn begin_to_watch(&self) {
        let now = self.desk.world.borrow().servicenow_now();
        let watermark = serde_json::to_string(&poll::first(now)).unwrap_or_default();
        at_once(self.desk.ledger.set_watermark(WATERMARK, &watermark));
        for (account, _, _) in ACCOUNTS {
            let name = format!("{OPENED_CASES}{account}");
            let written = at_once(
                self.desk.ledger.set_watermark(&name, &json!({"at": self.now(), "reached_at": self.now()}).to_string()),
            );
            debug_assert!(matches!(written, Some(Ok(()))), "the ledger in memory takes a watermark at once");
        }
    }

    /// Runs the world for this long.
    pub fn run_for(&mut self, span: SignedDuration) {
        let until = self.now() + span;
        while self.events.peek().is_some_and(|next| next.0.at <= until) && self.step() {}
        self.desk.world.borrow_mut().now = until;
    }

    /// Handles the next event. Returns `false` if there is none.
    pub fn step(&mut self) -> bool {
        let Some(Reverse(next)) = self.events.pop() else { return false };
        {
            let world = &mut *self.desk.world.borrow_mut();
            world.now = world.now.max(next.at);
            world.show_hidden();
            let servicenow_now = world.servicenow_now();
            world.servicenow.end_checks(servicenow_now);
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
            Event::Catalogue => self.start_catalogue(),
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
            if world.settings.files && self.files.chance(FILE_DEEDS) {
                world.do_file_deed(&mut self.files);
            }
            if world.settings.catalogue && self.catalogue.chance(CATALOGUE_DEEDS) {
                world.do_catalogue_deed(&mut self.catalogue);
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

    /// Schedules what follows from a step (rules, events, landings) and hands out messages that are visible.
    pub fn follow_up(&mut self) {
        let now = self.now();
        let (rules, events, landing, visible) = {
            let world = &mut *self.desk.world.borrow_mut();
            let rules = world.servicenow.rules.len();
            let landing = world.next_landing();
            let visible = [QueueName::Hints, QueueName::Wakes, QueueName::Files]
                .map(|name| (name, world.queue_named(name).next_visible()));
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
}
