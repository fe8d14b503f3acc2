//! What every test run checks: random worlds, the seeds that ever failed, every single fault in the small worlds, and
//! the sabotages.

use casebridge_simulation::{
    explore, pairs,
    sabotage::{SABOTAGES, catch},
};

/// How many seeds a plain test run takes. `make simulate` takes more. `make mutants` takes fewer, by the variable.
const SEEDS: u64 = 2_000;
const SEEDS_VARIABLE: &str = "CASEBRIDGE_TEST_SEEDS";
/// Within how many seeds each sabotage must be noticed here.
const SABOTAGE_SEEDS: u64 = 2_000;

#[test]
fn every_invariant_holds_in_random_worlds() {
    let further = std::env::var(SEEDS_VARIABLE).map_or(SEEDS, |number| number.parse().unwrap());
    let mut seeds = explore::failed_seeds();
    seeds.extend(0..further);
    let summary = explore::run_seeds(&seeds, || {});
    if let Some((seed, violation)) = summary.failures.values().next() {
        let story = explore::live(seed.parse().unwrap(), None, true).story;
        panic!("{story}\nseed {seed}: {violation:?}; replay: cargo run -p casebridge-simulation -- replay {seed}");
    }
}

#[test]
fn a_seed_is_replayed_bit_by_bit() {
    for seed in 0..50 {
        let (one, other) = (explore::live(seed, None, true), explore::live(seed, None, true));
        assert_eq!((one.digest, one.story), (other.digest, other.story), "seed {seed}");
    }
}

#[test]
fn every_single_fault_is_survived_in_small_worlds() {
    for world in pairs::WORLDS {
        let lives = pairs::single_lives(&world);
        let summary = pairs::run(&lives, || {});
        let first = summary.failures.values().next();
        assert!(first.is_none(), "{first:?}; replay: cargo run -p casebridge-simulation -- replay-pair <name>");
    }
}

#[test]
fn each_missing_safeguard_is_noticed() {
    for sabotage in SABOTAGES {
        let caught = catch(sabotage, SABOTAGE_SEEDS);
        assert!(caught.is_some(), "{}: nobody noticed within {SABOTAGE_SEEDS} seeds", sabotage.name());
    }
}
