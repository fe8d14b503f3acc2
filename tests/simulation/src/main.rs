//! `casebridge-simulation`: runs worlds, replays one, or checks that the simulation notices a missing safeguard.
#![expect(clippy::print_stdout, reason = "a command that reports to people")]

use std::process::ExitCode;

use casebridge_simulation::{
    explore::{self, Outcome},
    pairs::{self, PairLife},
    report,
    sabotage::{SABOTAGES, Sabotage, catch},
    support::long_links,
};
use indicatif::{ProgressBar, ProgressStyle};
use mimalloc::MiMalloc;

/// A world allocates many small pieces. With the system's allocator a tenth of its time goes into that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const USAGE: &str = "usage:
  casebridge-simulation run [seeds [from]]          lives the worlds of that many seeds, and those that ever failed
  casebridge-simulation replay <seed> [sabotage]    tells the story of a seed
  casebridge-simulation pairs                       every call and every fate, in pairs, in small worlds
  casebridge-simulation replay-pair <name>          tells the story of a pair, by the name that a failure printed
  casebridge-simulation sabotage [seeds]            switches off one safeguard at a time: each must be noticed
  casebridge-simulation long-links [passes]         measures what one more message on a long conversation costs";
/// How many seeds `run` takes by default.
const SEEDS: u64 = 10_000;
/// Within how many seeds each sabotage must be noticed, by default.
const SABOTAGE_SEEDS: u64 = 10_000;
/// How many passes `long-links` times for each row of its table, by default.
const TIMED_PASSES: usize = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let passed = match arguments.as_slice() {
        ["run"] => run(0, SEEDS),
        ["run", seeds] if seeds.parse::<u64>().is_ok() => run(0, seeds.parse().unwrap_or(SEEDS)),
        ["run", seeds, from] if seeds.parse::<u64>().is_ok() && from.parse::<u64>().is_ok() => {
            run(from.parse().unwrap_or(0), seeds.parse().unwrap_or(SEEDS))
        }
        ["replay", seed] if seed.parse::<u64>().is_ok() => tell(&explore::live(seed.parse().unwrap_or(0), None, true)),
        ["replay", seed, name] if seed.parse::<u64>().is_ok() && Sabotage::named(name).is_some() => {
            tell(&explore::live(seed.parse().unwrap_or(0), Sabotage::named(name), true))
        }
        ["pairs"] => run_pairs(),
        ["replay-pair", name] => pairs::replay(name).is_some_and(|outcome| tell(&outcome)),
        ["sabotage"] => run_sabotage(SABOTAGE_SEEDS),
        ["sabotage", seeds] if seeds.parse::<u64>().is_ok() => run_sabotage(seeds.parse().unwrap_or(SABOTAGE_SEEDS)),
        ["long-links"] => measure_long_links(TIMED_PASSES),
        ["long-links", passes] if passes.parse::<usize>().is_ok() => {
            measure_long_links(passes.parse().unwrap_or(TIMED_PASSES))
        }
        _ => {
            println!("{USAGE}");
            false
        }
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn progress(length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    let style = ProgressStyle::with_template("{elapsed_precise} {wide_bar} {pos}/{len} worlds, {per_sec}, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn run(from: u64, seeds: u64) -> bool {
    let mut all = explore::failed_seeds();
    all.extend(from..from.saturating_add(seeds));
    let bar = progress(all.len());
    let summary = explore::run_seeds(&all, || bar.inc(1));
    bar.finish_and_clear();
    println!("{}", report::summary(&summary));
    for (seed, violation) in summary.failures.values() {
        println!("FAILED seed {seed}: {}: {}", violation.invariant.name(), violation.what);
        println!("  replay: cargo run -p casebridge-simulation -- replay {seed}");
    }
    if let Some((seed, _)) = summary.failures.values().next() {
        println!("\nThe story of seed {seed}:");
        tell(&explore::live(seed.parse().unwrap_or(0), None, true));
    }
    if report::lacks_coverage(&summary) {
        println!("FAILED: a fault never struck a call: {}", report::empty_cells(&summary).join(", "));
    }
    summary.failures.is_empty() && !report::lacks_coverage(&summary)
}

fn run_pairs() -> bool {
    let mut passed = true;
    for world in pairs::WORLDS {
        passed &= run_lives(world.name, &pairs::lives(&world));
        passed &= run_lives(&format!("{}, two workers", world.name), &pairs::overlapping_lives(&world));
    }
    passed
}

fn run_lives(title: &str, lives: &[PairLife]) -> bool {
    let bar = progress(lives.len());
    let summary = pairs::run(lives, || bar.inc(1));
    bar.finish_and_clear();
    let seconds = summary.elapsed.as_secs_f64();
    println!("{title:36}{:>9} lives in {seconds:6.1} s, {} failed", summary.lives, summary.failures.len());
    for (name, violation) in summary.failures.values() {
        println!("  FAILED {name}: {}: {}", violation.invariant.name(), violation.what);
        println!("    replay: cargo run -p casebridge-simulation -- replay-pair {name}");
    }
    summary.failures.is_empty()
}

fn run_sabotage(seeds: u64) -> bool {
    let bar = progress(SABOTAGES.len());
    let rows: Vec<_> = SABOTAGES
        .into_iter()
        .map(|sabotage| {
            let caught = catch(sabotage, seeds);
            bar.inc(1);
            (sabotage, caught)
        })
        .collect();
    bar.finish_and_clear();
    println!("{}", report::sabotages(&rows));
    rows.iter().all(|(_, caught)| caught.is_some())
}

fn measure_long_links(passes: usize) -> bool {
    let bar = progress(long_links::SIZES.len());
    let sizes = long_links::measure(&long_links::SIZES, passes, || bar.inc(1));
    bar.finish_and_clear();
    println!("{}", long_links::table(&sizes));
    true
}

fn tell(outcome: &Outcome) -> bool {
    println!("{}", outcome.story);
    println!("digest {:016x}", outcome.digest);
    for violation in &outcome.violations {
        println!("{}: {}", violation.invariant.name(), violation.what);
    }
    outcome.violations.is_empty()
}
