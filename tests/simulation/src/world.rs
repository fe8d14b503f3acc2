//! One world: both sides, the queues, the faults, and what the judges remember.

use std::collections::BTreeMap;

use casebridge_core::{
    failure::Refusal,
    identifiers::{AccountId, IncidentId},
    policy::SEVERITIES,
    servicenow::incident::CaseOptions,
};
use casebridge_simulator::support::{
    self, Support,
    catalogue::{CatalogueChange, ServiceChange},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    calls::RemoteCall,
    faults::Faults,
    invariants::Violation,
    memory::Memory,
    queue::{Queue, QueueName},
    random::Random,
    servicenow::{
        model::{Account, Instance},
        options,
    },
    settings::Settings,
    support::catalogue::Catalogue,
    tally::Tally,
    timeline::{Place, Timeline},
};

/// The moment at which every world begins.
pub const BEGINNING: i64 = 1_800_000_000;
/// The accounts, each with its assignment group and whether it is a production account.
pub const ACCOUNTS: [(&str, &str, bool); 2] =
    [("111122223333", "AWS-Production", true), ("444455556666", "AWS-Sandbox", false)];

/// By how much the clocks of ServiceNow and of the receiver may differ for a webhook to be accepted. It is a few
/// seconds below the receiver's limit.
const WEBHOOK_TOLERANCE: SignedDuration = SignedDuration::from_secs(295);

/// The versions of the secret that webhooks are signed with.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookSecret {
    /// The newest version that Secrets Manager holds. It holds the one before as well.
    pub newest: u64,
    /// The version that ServiceNow signs with: the newest or the one before.
    pub signs: u64,
}

/// An event of AWS, as its handler gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its name in the story.
    pub name: &'static str,
    /// Its content, as JSON.
    pub body: String,
}

/// The world's state.
pub struct World {
    /// Its settings.
    pub settings: Settings,
    /// The present moment, by the world's clock.
    pub now: Timestamp,
    /// AWS Support.
    pub support: Support,
    /// ServiceNow.
    pub servicenow: Instance,
    /// The queue of hints.
    pub queue: Queue,
    /// The queue of hints that are sent ahead.
    pub wakes: Queue,
    /// The queue of transfers of files.
    pub transfers: Queue,
    /// The faults.
    pub faults: Faults,
    /// The story.
    pub timeline: Timeline,
    /// What was counted.
    pub tally: Tally,
    /// What the judges remember.
    pub memory: Memory,
    /// What AWS Support offers, and what the app holds of it.
    pub catalogue: Catalogue,
    /// The accounts that AWS refuses now, and the refusal of each.
    pub refused_accounts: BTreeMap<AccountId, Refusal>,
    /// The broken invariants so far.
    pub violations: Vec<Violation>,
    /// By how much reads of AWS lag if no random lag strikes.
    pub read_lag: SignedDuration,
    /// By how much longer the request of each call takes, and its answer, in a world without random faults.
    pub delay: SignedDuration,
    /// By how much longer the request of each call of a kind takes.
    pub delays: BTreeMap<RemoteCall, SignedDuration>,
    /// The secret that webhooks are signed with.
    pub webhook_secret: WebhookSecret,
    /// The source of faults and latencies.
    pub random: Random,
    /// The source of marks and of the spread of retries.
    pub entropy: Random,
    attempts: u64,
}

impl World {
    /// Returns a world in which nothing has happened.
    pub fn new(settings: Settings) -> Self {
        let mut random = Random::new(settings.seed);
        let accounts = ACCOUNTS.map(|(id, _, production)| {
            let account = support::Account::new(id, id, &format!("root@{id}.example"));
            support::Account { severities: offered_severities(production), ..account }
        });
        let mut of_accounts = Random::new(settings.seed);
        let servicenow_accounts = ACCOUNTS.map(|(number, group, production)| Account {
            number: AccountId::new(number),
            name: group.to_owned(),
            production,
            group: group.to_owned(),
            active: true,
            severities: offered_severities(production),
            options: if settings.options { options::draw(&mut of_accounts) } else { CaseOptions::default() },
        });
        let mut servicenow = Instance::new(servicenow_accounts.into(), random.fork(1));
        servicenow.trail_is_readable = settings.trail_is_readable;
        servicenow.sharing = settings.sharing.clone();
        let mut support = Support::new(settings.seed, settings.quotas, accounts);
        support.set_oddities(settings.oddities);
        if settings.options {
            limit_languages(&mut support);
        }
        Self {
            now: Timestamp::from_second(BEGINNING).unwrap_or_default(),
            support,
            servicenow,
            queue: Queue::default(),
            wakes: Queue::standard(),
            transfers: Queue::standard(),
            faults: Faults::new(settings.faults.clone()),
            timeline: Timeline::new(settings.told),
            tally: Tally::default(),
            memory: Memory::default(),
            catalogue: Catalogue::default(),
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

    /// Returns the time of ServiceNow's clock.
    pub fn servicenow_now(&self) -> Timestamp {
        self.now + self.settings.servicenow_clock
    }

    /// Returns the time of AWS's clock.
    pub fn aws_now(&self) -> Timestamp {
        self.now + self.settings.aws_clock
    }

    /// Returns the events that AWS has sent since the last call.
    pub fn take_announcements(&mut self) -> Vec<Announcement> {
        let announced = self.support.take_events().into_iter();
        announced.map(|event| Announcement { name: event.name.as_str(), body: event.to_json().to_string() }).collect()
    }

    /// Returns when the next late write to AWS lands, by the world's clock. Returns `None` if there is none.
    pub fn next_landing(&self) -> Option<Timestamp> {
        self.support.next_landing().map(|at| at - self.settings.aws_clock)
    }

    /// Applies the late writes to AWS that are due.
    pub fn land(&mut self) {
        let now = self.aws_now();
        self.support.settle(now);
        self.note(Place::Aws, || "a late write lands".to_owned());
    }

    /// Whether a read at this time shows every text on AWS's cases.
    pub fn aws_shows_everything(&self, at: Timestamp) -> bool {
        self.support.shows_everything(at + self.settings.aws_clock)
    }

    /// Returns the number of the next attempt.
    pub fn next_attempt(&mut self) -> u64 {
        self.attempts += 1;
        self.attempts
    }

    /// Whether webhooks are sent, and ServiceNow's clock is close enough for the receiver to accept them.
    pub fn webhooks_arrive(&self) -> bool {
        self.settings.hints && self.settings.servicenow_clock.abs() < WEBHOOK_TOLERANCE
    }

    /// Returns one of the queues.
    pub fn queue_named(&mut self, name: QueueName) -> &mut Queue {
        match name {
            QueueName::Hints => &mut self.queue,
            QueueName::Wakes => &mut self.wakes,
            QueueName::Files => &mut self.transfers,
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

    /// Returns the number of an incident, for the story. Returns its id if it is deleted.
    pub fn number_of(&self, incident: &IncidentId) -> String {
        let record = self.servicenow.incidents.get(incident);
        record.map_or_else(|| incident.to_string(), |record| record.summary.number.clone())
    }
}

/// Lets AWS handle cases of the second account in some languages alone, so that it refuses the others.
fn limit_languages(support: &mut Support) {
    let service = ServiceChange {
        code: options::LIMITED_SERVICE.to_owned(),
        name: None,
        languages: Some(options::SECOND_ACCOUNTS_LANGUAGES.map(str::to_owned).into()),
        categories: Vec::new(),
    };
    let change = CatalogueChange { services: vec![service], ..CatalogueChange::default() };
    let changed = support.change_catalogue(ACCOUNTS[1].0, &change);
    debug_assert!(changed.is_ok(), "the catalogue has the service");
}

/// Returns the severities that an account's support plan has: all of them for a production account.
fn offered_severities(production: bool) -> Vec<String> {
    let lacks = |code: &&str| !production && ["high", "critical"].contains(code);
    SEVERITIES.iter().filter(|code| !lacks(code)).map(|code| (*code).to_owned()).collect()
}
