//! `casebridge-simulation`.
#![expect(clippy::print_stdout, reason = "a command that reports to people")]

use casebridge_simulation::explore;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(seed) = arguments.get(2).filter(|_| arguments[1] == "replay").and_then(|text| text.parse().ok()) {
        let outcome = explore::live(seed, None, true);
        println!("{}", outcome.story);
        for violation in &outcome.violations {
            println!("{}: {}", violation.invariant.name(), violation.what);
        }
        return;
    }
    let seeds: u64 = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(1000);
    let started = std::time::Instant::now();
    let mut failed = 0;
    for seed in 0..seeds {
        let outcome = explore::live(seed, None, false);
        if let Some(violation) = outcome.violations.first() {
            if ["the columns say", "the sync status"].iter().any(|known| violation.what.contains(known)) {
                continue;
            }
            failed += 1;
            println!("seed {seed}: {}: {}", violation.invariant.name(), violation.what);
            if failed > 30 {
                break;
            }
        }
    }
    println!("{failed} failed, {:?}", started.elapsed());
}
