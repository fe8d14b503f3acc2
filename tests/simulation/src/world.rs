//! One world: both sides, the queues, what goes wrong and what is remembered.

use std::collections::BTreeMap;

use casebridge_core::{
    failure::Refusal,
    identifiers::{AccountId, IncidentId},
};
use casebridge_simulator::support::{self, Support};
use jiff::{SignedDuration, Timestamp};

use crate::{
    calls::RemoteCall,
    faults::Faults,
    invariants::Violation,
    memory::Memory,
    queue::{Queue, QueueName},
    random::Random,
    servicenow::model::{Account, Instance},
    settings::Settings,
    tally::Tally,
    timeline::{Place, Timeline},
};

/// The moment at which every world begins.
pub const BEGINNING: i64 = 1_800_000_000;
/// The accounts, each with its assignment group.
pub const ACCOUNTS: [(&str, &str, bool); 2] =
    [("111122223333", "AWS-Production", true), ("444455556666", "AWS-Sandbox", false)];

/// By how much the two clocks of a webhook may differ, with a little to spare.
const WEBHOOK_TOLERANCE: SignedDuration = SignedDuration::from_secs(295);

/// The versions of the secret that webhooks are signed with.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookSecret {
    /// The newest one that Secrets Manager holds; it holds the one before as well.
    pub newest: u64,
    /// The one that ServiceNow signs with: the newest or the one before.
    pub signs: u64,
}

/// An event of AWS, as its handler gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its name in the story.
    pub name: &'static str,
    /// What it says, as JSON.
    pub body: String,
}

/// The world's state.
pub struct World {
    /// How it was set up.
    pub settings: Settings,
    /// Our clock.
    pub now: Timestamp,
    /// AWS Support.
    pub support: Support,
    /// ServiceNow.
    pub servicenow: Instance,
    /// The queue of hints.
    pub queue: Queue,
    /// The queue of hints that are sent ahead.
    pub wakes: Queue,
    /// What goes wrong.
    pub faults: Faults,
    /// The story.
    pub timeline: Timeline,
    /// What was counted.
    pub tally: Tally,
    /// What people did and saw: what the world is judged by.
    pub memory: Memory,
    /// The accounts that AWS refuses now, and with what.
    pub refused_accounts: BTreeMap<AccountId, Refusal>,
    /// Broken rules, found while the world ran.
    pub violations: Vec<Violation>,
    /// How far reads of AWS lag, besides what is drawn.
    pub read_lag: SignedDuration,
    /// How much longer than usual each way of a call takes, besides what is drawn.
    pub delay: SignedDuration,
    /// By how much longer each call of a kind takes.
    pub delays: BTreeMap<RemoteCall, SignedDuration>,
    /// The secret that webhooks are signed with.
    pub webhook_secret: WebhookSecret,
    /// What faults and latencies are drawn from.
    pub random: Random,
    /// What marks and attempts are drawn from.
    pub entropy: Random,
    attempts: u64,
}

impl World {
    /// A world in which nothing has happened.
    pub fn new(settings: Settings) -> Self {
        let mut random = Random::new(settings.seed);
        let accounts = ACCOUNTS.map(|(id, _, _)| support::Account::new(id, id, &format!("root@{id}.example")));
        let servicenow_accounts = ACCOUNTS.map(|(number, group, production)| Account {
            number: AccountId::new(number),
            name: group.to_owned(),
            production,
            group: group.to_owned(),
            active: true,
        });
        let mut servicenow = Instance::new(servicenow_accounts.into(), random.fork(1));
        servicenow.trail_is_readable = settings.trail_is_readable;
        let mut support = Support::new(settings.seed, settings.quotas, accounts);
        support.set_oddities(settings.oddities);
        Self {
            now: Timestamp::from_second(BEGINNING).unwrap_or_default(),
            support,
            servicenow,
            queue: Queue::default(),
            wakes: Queue::standard(),
            faults: Faults::new(settings.faults.clone()),
            timeline: Timeline::new(settings.told),
            tally: Tally::default(),
            memory: Memory::default(),
            refused_accounts: BTreeMap::new(),
            violations: Vec::new(),
            read_lag: SignedDuration::ZERO,
            delay: SignedDuration::ZERO,
            delays: BTreeMap::new(),
            webhook_secret: WebhookSecret::default(),
            entropy: random.fork(2),
            random: random.fork(3),
            attempts: 0,
            settings,
        }
    }

    /// ServiceNow's time.
    pub fn servicenow_now(&self) -> Timestamp {
        self.now + self.settings.servicenow_clock
    }

    /// AWS's time.
    pub fn aws_now(&self) -> Timestamp {
        self.now + self.settings.aws_clock
    }

    /// Takes what AWS announces since it was last asked.
    pub fn take_announcements(&mut self) -> Vec<Announcement> {
        let announced = self.support.take_events().into_iter();
        announced.map(|event| Announcement { name: event.name.as_str(), body: event.to_json().to_string() }).collect()
    }

    /// When the next late write to AWS lands, by our clock.
    pub fn next_landing(&self) -> Option<Timestamp> {
        self.support.next_landing().map(|at| at - self.settings.aws_clock)
    }

    /// Lets the writes to AWS land whose time has come.
    pub fn land(&mut self) {
        let now = self.aws_now();
        self.support.settle(now);
        self.note(Place::Aws, || "a late write lands".to_owned());
    }

    /// Whether AWS showed every text to whoever read at that time.
    pub fn aws_shows_everything(&self, at: Timestamp) -> bool {
        self.support.shows_everything(at + self.settings.aws_clock)
    }

    /// The number of the next attempt.
    pub fn next_attempt(&mut self) -> u64 {
        self.attempts += 1;
        self.attempts
    }

    /// Whether webhooks are sent, and with a time that the receiver takes for now.
    pub fn webhooks_arrive(&self) -> bool {
        self.settings.hints && self.settings.servicenow_clock.abs() < WEBHOOK_TOLERANCE
    }

    /// One of the queues.
    pub fn queue_named(&mut self, name: QueueName) -> &mut Queue {
        match name {
            QueueName::Hints => &mut self.queue,
            QueueName::Wakes => &mut self.wakes,
        }
    }

    /// Adds a line to the story.
    pub fn note(&mut self, place: Place, what: impl FnOnce() -> String) {
        let now = self.now;
        self.timeline.add(now, place, what);
    }

    /// Counts a fault that is not the fate of a call.
    pub fn count_fault(&mut self, name: &'static str) {
        *self.tally.faults.entry(name).or_default() += 1;
    }

    /// The numbers of incidents, for the story.
    pub fn number_of(&self, incident: &IncidentId) -> String {
        let record = self.servicenow.incidents.get(incident);
        record.map_or_else(|| incident.to_string(), |record| record.summary.number.clone())
    }
}
