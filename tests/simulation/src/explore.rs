//! Exploration: worlds at random from seeds, on as many threads as there are processors. A world has one thread.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use casebridge_core::{policy::GroupRule, servicenow::delivery::MessageKind};
use casebridge_simulator::support::{Oddities, Quotas};
use jiff::SignedDuration;

use crate::{
    calls::Call,
    faults::{LEVELS, Rates, Source},
    invariants,
    random::Random,
    sabotage::Sabotage,
    schedule::Life,
    world::{SELDOM, Settings, Tally, Violation},
};

/// How a life ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was counted.
    pub tally: Tally,
    /// Which invariants were broken, in order.
    pub violations: Vec<Violation>,
    /// Two equal lives have equal digests.
    pub digest: u64,
    /// The story, if it was kept.
    pub story: String,
    /// The remote calls of a life with ordered faults, in their order.
    pub calls: Vec<Call>,
}

/// The longest pause between two deeds where months pass, in seconds: five days.
const LONG_PAUSE: i64 = 5 * 86_400;
/// What the subjects of test cases begin with: AWS may show some of it otherwise.
const TEST_SUBJECT_PREFIX: &str = "TEST & drill <casebridge> ";

/// The world of a seed.
pub fn settings(seed: u64, sabotage: Option<Sabotage>, told: bool) -> Settings {
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let level = *random.pick(&LEVELS);
    // Now and then months pass: cases become too old to be reopened.
    let months = random.chance(50);
    // Clocks agree, differ by seconds, or by most of an hour. Months of webhooks that are turned away teach nothing.
    let skew = *random.pick(if months { &[0, 90] } else { &[0, 0, 0, 90, 2_700] });
    let mut clock = || SignedDuration::from_secs(random.between(-skew, skew));
    let (servicenow_clock, aws_clock) = (clock(), clock());
    let drawn = random.below(6);
    let waits_for_quota = drawn == 0;
    let quotas = match drawn {
        0 => Quotas { calls_per_second: Some(5), cases_per_hour: Some(1) },
        1 => Quotas::default(),
        _ => Quotas::UNLIMITED,
    };
    let mut quiet = Settings::quiet(seed);
    quiet.policy.test_subject_prefix = TEST_SUBJECT_PREFIX.to_owned();
    if random.chance(100) {
        quiet.policy.writes_per_window = 12;
    }
    if random.chance(100) {
        quiet.policy.replies_become = MessageKind::WorkNote;
    }
    let stays_refused = random.chance(60);
    let polling = SignedDuration::from_secs(*random.pick(&[60, 60, 300]));
    let pause = *random.pick(&[3, 20, 60, 240]);
    let (polling, jobs, pause) = if months { (SELDOM, SELDOM, LONG_PAUSE) } else { (polling, quiet.jobs, pause) };
    let mut settings = Settings {
        faults: Source::Random(Rates::at_level(level)),
        sabotage,
        told,
        servicenow_clock,
        aws_clock,
        quotas: if stays_refused { Quotas::UNLIMITED } else { quotas },
        polling,
        jobs,
        stays_refused,
        // In half of the worlds AWS is as documented.
        oddities: if random.chance(500) { Oddities::default() } else { Oddities::draw(random.below(u64::MAX)) },
        trail_is_readable: !random.chance(300),
        automatic_answer: random.chance(100),
        most_incidents: if waits_for_quota { 8 } else { 4 },
        opened_first: if waits_for_quota { 4 } else { 1 },
        hints: !random.chance(150),
        // Now and then a conversation is longer than a page.
        deeds: if random.chance(60) { 40 + random.index(60) } else { 2 + random.index(14) },
        pause,
        // Drawn last: other worlds stay as they were.
        turns_deliveries_away: random.chance(30),
        resolves_again: random.chance(150),
        accounts_change: random.chance(250),
        stays_paused: random.chance(300),
        ..quiet
    };
    if random.chance(500) {
        settings.policy.group_of_another_account = GroupRule::Keep;
    }
    settings
}

/// Lives the world of a seed.
pub fn live(seed: u64, sabotage: Option<Sabotage>, told: bool) -> Outcome {
    live_in(settings(seed, sabotage, told))
}

/// Lives in a world of these settings.
pub fn live_in(settings: Settings) -> Outcome {
    let mut life = Life::new(settings);
    life.live();
    conclude(life)
}

/// Judges a life that has come to rest.
pub fn conclude(mut life: Life) -> Outcome {
    let calls = life.desk.world.borrow().faults.made().to_vec();
    life.desk.world.borrow_mut().faults.disarm();
    if life.desk.world.borrow().violations.is_empty() {
        invariants::judge(&mut life);
    }
    let world = life.desk.world.borrow();
    Outcome {
        tally: world.tally.clone(),
        violations: world.violations.clone(),
        digest: world.timeline.digest(),
        story: world.timeline.tell(),
        calls,
    }
}

/// The seeds that have ever failed, which are lived first.
const FAILED_SEEDS: &str = include_str!("../seeds.txt");
/// How many failures a run collects before it ends.
const FAILURES_PER_RUN: usize = 20;

/// The seeds that have ever failed.
pub fn failed_seeds() -> Vec<u64> {
    let seeds = FAILED_SEEDS.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
    seeds.collect()
}

/// What a run over many worlds came to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// How many worlds were lived.
    pub lives: u64,
    /// What was counted in them.
    pub tally: Tally,
    /// The worlds that broke an invariant, by their order.
    pub failures: BTreeMap<usize, (String, Violation)>,
    /// The digests of all lives as one, whatever the order in which they were lived: the same worlds lived the same way have
    /// the same.
    pub digest: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Lives worlds on all processors until they are done or enough have failed; `lived` hears of each.
pub fn run_all<T: Sync>(
    worlds: &[T],
    failures: usize,
    name: impl Fn(&T) -> String + Sync,
    live: impl Fn(&T) -> Outcome + Sync,
    lived: impl Fn() + Sync,
) -> Summary {
    let started = Instant::now();
    let (next, enough) = (AtomicUsize::new(0), AtomicBool::new(false));
    let summary = Mutex::new(Summary::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Summary::default();
                while !enough.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(world) = worlds.get(number) else { break };
                    let outcome = live(world);
                    own.lives += 1;
                    own.tally.add(&outcome.tally);
                    own.digest = own.digest.wrapping_add(outcome.digest);
                    lived();
                    if let Some(violation) = outcome.violations.first() {
                        let mut all = summary.lock().unwrap_or_else(PoisonError::into_inner);
                        all.failures.insert(number, (name(world), violation.clone()));
                        enough.store(all.failures.len() >= failures, Ordering::Relaxed);
                    }
                }
                let mut all = summary.lock().unwrap_or_else(PoisonError::into_inner);
                all.lives += own.lives;
                all.tally.add(&own.tally);
                all.digest = all.digest.wrapping_add(own.digest);
            });
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.elapsed = started.elapsed();
    summary
}

/// Lives the worlds of these seeds.
pub fn run_seeds(seeds: &[u64], lived: impl Fn() + Sync) -> Summary {
    run_all(seeds, FAILURES_PER_RUN, ToString::to_string, |seed| live(*seed, None, false), lived)
}
