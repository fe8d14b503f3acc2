//! Exploration: runs the worlds of many seeds, on as many threads as there are processors. Each world runs on one
//! thread.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    calls::RemoteCall,
    invariants::{self, Violation},
    sabotage::Sabotage,
    schedule::Life,
    settings::{self, Settings},
    tally::Tally,
};

/// How a life ended. A life is one run of a world.
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
    pub calls: Vec<RemoteCall>,
}

/// Runs the world of a seed to its end and judges it. Keeps the story if `told`.
pub fn live(seed: u64, sabotage: Option<Sabotage>, told: bool) -> Outcome {
    live_in(settings::of_seed(seed, sabotage, told))
}

/// Runs a world with these settings to its end and judges it.
pub fn live_in(settings: Settings) -> Outcome {
    let mut life = Life::new(settings);
    life.live();
    conclude(life)
}

/// Judges a life that has come to rest. If it broke an invariant before that, it is not judged again.
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

/// The seeds that have ever failed. Every run takes them first.
const FAILED_SEEDS: &str = include_str!("../seeds.txt");
/// How many failures a run collects before it ends.
const FAILURES_PER_RUN: usize = 20;

/// Returns the seeds that have ever failed.
pub fn failed_seeds() -> Vec<u64> {
    let seeds = FAILED_SEEDS.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok());
    seeds.collect()
}

/// The result of a run of many worlds.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// How many worlds were run.
    pub lives: u64,
    /// What was counted in them.
    pub tally: Tally,
    /// The worlds that broke an invariant, by their place in the list: the name and the first violation of each.
    pub failures: BTreeMap<usize, (String, Violation)>,
    /// The sum of the digests of all lives. It does not depend on the order in which the worlds were run.
    pub digest: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Runs worlds on all processors until all are done or `failures` of them have failed. Calls `lived` after each world.
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

/// Runs the worlds of these seeds. Calls `lived` after each world.
pub fn run_seeds(seeds: &[u64], lived: impl Fn() + Sync) -> Summary {
    run_all(seeds, FAILURES_PER_RUN, ToString::to_string, |seed| live(*seed, None, false), lived)
}
