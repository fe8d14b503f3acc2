//! One world: both sides, the queue, the ledger, and the desk at which every remote call passes.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::{Future, poll_fn},
    rc::Rc,
    task::{Poll, Waker},
};

use casebridge_core::{
    identifiers::{AccountId, IncidentId},
    policy::Policy,
};
use casebridge_ledger::MemoryLedger;
use casebridge_simulator::support::{self, Oddities, Quotas, Support};
use jiff::{SignedDuration, Timestamp};

use crate::{
    calls::{Call, Fate},
    faults::{Faults, Source},
    people::Memory,
    queue::{Queue, QueueName},
    random::Random,
    sabotage::Sabotage,
    servicenow_model::{Account, Instance},
    timeline::{Place, Timeline},
};

/// The moment at which every world begins.
pub const BEGINNING: i64 = 1_800_000_000;
/// The accounts, each with its assignment group.
pub const ACCOUNTS: [(&str, &str, bool); 2] =
    [("111122223333", "AWS-Production", true), ("444455556666", "AWS-Sandbox", false)];

/// Who polls as seldom as this lives for months.
pub const SELDOM: SignedDuration = SignedDuration::from_hours(6);
/// By how much the two clocks of a webhook may differ, with a little to spare.
const WEBHOOK_TOLERANCE: SignedDuration = SignedDuration::from_secs(295);
/// How long one way of a call takes in a world without chance.
const STEADY_MILLISECONDS: i64 = 20;

/// Which segment of a case's id tells its language, and what it is at first: `case-<account>-muen-<year>-<digits>`.
const LANGUAGE_SEGMENT: (usize, &str) = (2, "muen");

/// The id that a case was opened with, in whatever language it is told by now.
pub fn first_id(case_id: &str) -> String {
    let (place, language) = LANGUAGE_SEGMENT;
    let segments = case_id.split('-').enumerate();
    let kept: Vec<&str> = segments.map(|(index, segment)| if index == place { language } else { segment }).collect();
    kept.join("-")
}

/// How a world is set up.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own: any of them goes with any other")]
pub struct Settings {
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Where faults come from.
    pub faults: Source,
    /// The safeguard that is switched off, if any.
    pub sabotage: Option<Sabotage>,
    /// Whether the story is kept.
    pub told: bool,
    /// The policy.
    pub policy: Policy,
    /// How far ServiceNow's clock is ahead of ours.
    pub servicenow_clock: SignedDuration,
    /// How far AWS's clock is ahead of ours.
    pub aws_clock: SignedDuration,
    /// AWS's quotas.
    pub quotas: Quotas,
    /// How often the poller runs.
    pub polling: SignedDuration,
    /// Whether webhooks and events are sent at all.
    pub hints: bool,
    /// After how long each message becomes visible again, though somebody is at it; none: as it should be.
    pub redelivery: Option<SignedDuration>,
    /// How often ServiceNow's jobs run.
    pub jobs: SignedDuration,
    /// Whether the accounts that AWS refuses stay refused once people and faults have stopped.
    pub stays_refused: bool,
    /// Whether accounts are taken out of use in ServiceNow now and then.
    pub accounts_change: bool,
    /// Whether what pauses links lasts once people and faults have stopped.
    pub stays_paused: bool,
    /// What AWS does that nobody has ruled out.
    pub oddities: Oddities,
    /// Whether the app may read the instance's audit trail.
    pub trail_is_readable: bool,
    /// Whether an agent who reopens an incident comments and resolves it again at once.
    pub resolves_again: bool,
    /// Whether what stands before ServiceNow turns every delivery away until people and faults have stopped.
    pub turns_deliveries_away: bool,
    /// Whether a flow answers each resolution by casebridge with the same comment.
    pub automatic_answer: bool,
    /// How many incidents there are at most.
    pub most_incidents: usize,
    /// How many incidents people open before they do anything else.
    pub opened_first: usize,
    /// How many things people do.
    pub deeds: usize,
    /// Whether messages are sent ahead that wake links at their time.
    pub wakes: bool,
    /// The longest pause between two of them, in seconds.
    pub pause: i64,
}

impl Settings {
    /// A world without faults in which all clocks agree.
    pub fn quiet(seed: u64) -> Self {
        Self {
            seed,
            faults: Source::Ordered(BTreeMap::new()),
            sabotage: None,
            told: false,
            policy: Policy::default(),
            servicenow_clock: SignedDuration::ZERO,
            aws_clock: SignedDuration::ZERO,
            quotas: Quotas::UNLIMITED,
            polling: SignedDuration::from_secs(60),
            hints: true,
            wakes: true,
            redelivery: None,
            jobs: SignedDuration::from_secs(60),
            stays_refused: false,
            accounts_change: false,
            stays_paused: true,
            oddities: Oddities::default(),
            trail_is_readable: true,
            resolves_again: false,
            turns_deliveries_away: false,
            automatic_answer: false,
            most_incidents: 4,
            opened_first: 1,
            deeds: 0,
            pause: 60,
        }
    }

    /// Half of L: how late a write may land at most, and how far a read may lag, so that both together stay below L.
    pub fn half_unknown(&self) -> SignedDuration {
        let seconds = i64::from(Policy::default().unknown_outcome_seconds.min(self.policy.unknown_outcome_seconds));
        SignedDuration::from_secs(seconds * 45 / 100)
    }
}

/// What was counted in one life.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Steps of the scheduler.
    pub steps: u64,
    /// Calls by their fate.
    pub fates: BTreeMap<(Call, Fate), u64>,
    /// Other faults by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// In-doubt intents by how they ended.
    pub doubts: BTreeMap<&'static str, u64>,
    /// What people did, by name.
    pub deeds: BTreeMap<&'static str, u64>,
    /// Links that began to pause, by what paused them.
    pub pauses: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Adds another life's counts.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        for (key, count) in &other.fates {
            *self.fates.entry(*key).or_default() += count;
        }
        for (own, others) in [
            (&mut self.faults, &other.faults),
            (&mut self.doubts, &other.doubts),
            (&mut self.deeds, &other.deeds),
            (&mut self.pauses, &other.pauses),
        ] {
            for (key, count) in others {
                *own.entry(key).or_default() += count;
            }
        }
    }
}

/// The versions of the secret that webhooks are signed with.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebhookSecret {
    /// The newest one that Secrets Manager holds; it holds the one before as well.
    pub newest: u64,
    /// The one that ServiceNow signs with: the newest or the one before.
    pub signs: u64,
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
    pub refused_accounts: BTreeMap<AccountId, casebridge_core::failure::Refusal>,
    /// Broken rules, found while the world ran.
    pub violations: Vec<Violation>,
    /// How far reads of AWS lag, besides what is drawn.
    pub read_lag: SignedDuration,
    /// How much longer than usual each way of a call takes, besides what is drawn.
    pub delay: SignedDuration,
    /// The secret that webhooks are signed with.
    pub webhook_secret: WebhookSecret,
    /// What faults and latencies are drawn from.
    pub random: Random,
    /// What marks and attempts are drawn from.
    pub entropy: Random,
    attempts: u64,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// How.
    pub what: String,
}

/// What must hold in every world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// 1: every comment and communication exactly once on the other side, in order.
    ExactlyOnce,
    /// 2: at most one open case per incident and account, and no incident for a case of ours.
    OneCase,
    /// 3: no work note and no other account's text reaches an account.
    Confidential,
    /// 4: no field of an agent overwritten against policy.
    Fields,
    /// 5: both sides agree in the end and nothing is left to do.
    Convergence,
    /// 6: writes per link stay under the loop breaker's bound.
    Bounds,
    /// 7: nothing that was accepted disappears.
    NothingLost,
    /// 8: a person's text with our mark in it is a person's text.
    Marks,
    /// 9: work that has ended goes on for a reason only, and for every question.
    Reopening,
    /// 10: what was refused is not tried again before its time.
    HeldBack,
    /// 11: nothing is sent to AWS while a link pauses, and the incident says that it does.
    Paused,
    /// 12: nothing is in a plan that must never be.
    Plans,
}

impl Invariant {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "1 exactly once, in order",
            Self::OneCase => "2 one case",
            Self::Confidential => "3 confidential",
            Self::Fields => "4 agents' fields",
            Self::Convergence => "5 convergence",
            Self::Bounds => "6 bounded writes",
            Self::NothingLost => "7 nothing lost",
            Self::Marks => "8 people's marks",
            Self::Reopening => "9 reopened for a reason",
            Self::HeldBack => "10 refusals held back",
            Self::Paused => "11 silent while paused",
            Self::Plans => "12 plans without fault",
        }
    }
}

impl World {
    fn new(settings: Settings) -> Self {
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

    /// Notes a broken invariant.
    pub fn violate(&mut self, invariant: Invariant, what: String) {
        self.note(Place::Bridge, || format!("VIOLATION of {}: {what}", invariant.name()));
        self.violations.push(Violation { invariant, what });
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

    /// The cases that casebridge opened.
    pub fn our_cases(&self) -> impl Iterator<Item = &support::Case> {
        self.support.cases().iter().filter(|case| !self.memory.own_cases.contains(&first_id(&case.case_id)))
    }

    /// The cases that casebridge opened for an incident.
    pub fn cases_of(&self, incident: &IncidentId) -> impl Iterator<Item = &support::Case> {
        self.our_cases().filter(move |case| self.incident_of(case).as_ref() == Some(incident))
    }
}

/// Where all calls pass. What the ports share.
pub struct Desk {
    /// The world.
    pub world: RefCell<World>,
    /// The ledger.
    pub ledger: Rc<MemoryLedger>,
    wake_at: Cell<Option<Timestamp>>,
    sleepers: RefCell<Vec<Waker>>,
    died: Cell<bool>,
    /// Who is being polled, for the story.
    pub current: RefCell<String>,
}

impl Desk {
    /// The desk of a new world.
    pub fn new(settings: Settings) -> Self {
        Self {
            world: RefCell::new(World::new(settings)),
            ledger: Rc::new(MemoryLedger::new()),
            wake_at: Cell::new(None),
            sleepers: RefCell::default(),
            died: Cell::new(false),
            current: RefCell::new(String::new()),
        }
    }

    /// When the one who was just polled wants to go on; none: it has ended or died.
    pub fn take_wake(&self) -> Option<Timestamp> {
        self.wake_at.take()
    }

    /// Whether the one who was just polled has died.
    pub fn take_death(&self) -> bool {
        self.died.take()
    }

    /// Lets whoever waits for time to pass look at the clock. Parts of one process that wait side by side are polled
    /// only when they are woken, each by itself.
    pub fn wake_sleepers(&self) {
        for sleeper in self.sleepers.take() {
            sleeper.wake();
        }
    }

    /// Lets time pass. Of several parts of a process that wait, the one that goes on first decides when it is polled.
    pub fn pause(&self, wait: SignedDuration) -> impl Future<Output = ()> {
        let mut until = None;
        poll_fn(move |context| {
            let now = self.world.borrow().now;
            let until = *until.get_or_insert(now + wait);
            if until <= now {
                return Poll::Ready(());
            }
            let earliest = self.wake_at.get().map_or(until, |earlier| earlier.min(until));
            self.wake_at.set(Some(earliest));
            self.sleepers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
    }

    /// The process dies here: whoever awaits this is never woken again.
    pub fn die(&self) -> impl Future<Output = ()> {
        poll_fn(|_| {
            self.died.set(true);
            Poll::Pending
        })
    }

    /// A call is on its way: time passes, and its fate is decided. Does not return if the process dies before.
    pub async fn arrive(&self, call: Call, what: impl FnOnce() -> String) -> Fate {
        let (fate, latency) = {
            let world = &mut *self.world.borrow_mut();
            let mut fate = world.faults.next(call, &mut world.random);
            if !call.can_meet(fate) {
                fate = Fate::Refused;
            }
            *world.tally.fates.entry((call, fate)).or_default() += 1;
            (fate, latency(world))
        };
        self.pause(latency).await;
        {
            let world = &mut *self.world.borrow_mut();
            let now = world.now;
            world.timeline.fold(now, ((call as u64) << 8) | fate as u64);
            let place = match call {
                Call::CreateCase
                | Call::AddCommunication
                | Call::ResolveCase
                | Call::DescribeCases
                | Call::DescribeCommunications => Place::Aws,
                Call::Snapshot | Call::Deliver | Call::Changes => Place::ServiceNow,
                _ => Place::Bridge,
            };
            world.timeline.add(now, place, || {
                let fate = if fate == Fate::Through { String::new() } else { format!("  ** {fate} **") };
                format!("{} {}({}){fate}", self.current.borrow(), call.name(), what())
            });
        }
        if fate == Fate::DiedBefore {
            self.die().await;
        }
        fate
    }

    /// The call's answer is on its way. Does not return if the process dies after the call.
    pub async fn leave(&self, fate: Fate) {
        let latency = latency(&mut self.world.borrow_mut());
        self.pause(latency).await;
        if matches!(fate, Fate::DiedAfter | Fate::DiedLandsLate) {
            self.die().await;
        }
    }
}

/// How long one way of a call takes.
fn latency(world: &mut World) -> SignedDuration {
    if !matches!(world.settings.faults, Source::Random(_)) {
        return SignedDuration::from_millis(STEADY_MILLISECONDS) + world.delay;
    }
    let slow = world.faults.rates().slow;
    if world.random.chance(slow) {
        return SignedDuration::from_millis(world.random.between(1_000, 12_000));
    }
    SignedDuration::from_millis(world.random.between(5, 150))
}
