//! The result of a run, as text for people.

use std::fmt::Write;

use crate::{
    calls::{CALLS, FAULTS},
    explore::Summary,
    invariants::PAUSES,
    sabotage::{Caught, Sabotage},
};

/// The number of worlds from which on every fault must have struck every call.
const WORLDS_FOR_COVERAGE: u64 = 10_000;

/// Returns the table of how often each call met each fate.
pub fn coverage(summary: &Summary) -> String {
    let mut text = format!("{:24}", "call");
    for fault in FAULTS {
        let _ = write!(text, "{:>17}", fault.name());
    }
    text.push('\n');
    for call in CALLS {
        let _ = write!(text, "{:24}", call.name());
        for fault in FAULTS {
            let count = summary.tally.fates.get(&(call, fault)).copied().unwrap_or_default();
            let cell = if call.can_meet(fault) { count.to_string() } else { "-".to_owned() };
            let _ = write!(text, "{cell:>17}");
        }
        text.push('\n');
    }
    text
}

/// Returns the calls and faults that could meet and never did, and the reasons for a pause that never paused a link.
pub fn empty_cells(summary: &Summary) -> Vec<String> {
    let mut empty = Vec::new();
    for call in CALLS {
        for fault in FAULTS.into_iter().filter(|fault| call.can_meet(*fault)) {
            if !summary.tally.fates.contains_key(&(call, fault)) {
                empty.push(format!("{} {}", call.name(), fault.name()));
            }
        }
    }
    let never = PAUSES.into_iter().filter(|reason| !summary.tally.pauses.contains_key(reason));
    empty.extend(never.map(|reason| format!("pause {reason}")));
    empty
}

/// Whether the run has an empty cell although it is large enough to have none.
pub fn lacks_coverage(summary: &Summary) -> bool {
    summary.lives >= WORLDS_FOR_COVERAGE && !empty_cells(summary).is_empty()
}

/// Returns the summary that is printed at the end of a run.
pub fn summary(summary: &Summary) -> String {
    let mut text = String::new();
    let tally = &summary.tally;
    let seconds = summary.elapsed.as_secs_f64().max(0.001);
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = summary.lives as f64 / seconds;
    let _ = writeln!(text, "schedules {}, steps {}, {rate:.0} schedules per second", summary.lives, tally.steps);
    let _ = writeln!(text, "\nfaults by call:\n{}", coverage(summary));
    list(&mut text, "other faults", tally.faults.iter().map(|(name, count)| (*name, *count)));
    list(&mut text, "intents by their end", tally.doubts.iter().map(|(name, count)| (*name, *count)));
    let resolved: u64 = ["found_done", "never_applied"].iter().filter_map(|end| tally.doubts.get(end)).sum();
    let _ = writeln!(text, "in-doubt intents resolved: {resolved}");
    list(&mut text, "what people did", tally.deeds.iter().map(|(name, count)| (*name, *count)));
    list(&mut text, "links that began to pause", tally.pauses.iter().map(|(name, count)| (*name, *count)));
    let empty = empty_cells(summary);
    if empty.is_empty() {
        text.push_str("coverage: no empty cell\n");
    } else {
        let _ = writeln!(text, "coverage: {} empty cells: {}", empty.len(), empty.join(", "));
    }
    let _ = writeln!(text, "digest of all lives: {:016x}", summary.digest);
    text
}

fn list<'a>(text: &mut String, title: &str, entries: impl Iterator<Item = (&'a str, u64)>) {
    let _ = writeln!(text, "{title}:");
    for (name, count) in entries {
        let _ = writeln!(text, "  {name:36}{count:>12}");
    }
}

/// Returns the table of sabotages.
pub fn sabotages(rows: &[(Sabotage, Option<Caught>)]) -> String {
    let mut text = format!("{:32}{:28}{:>8}{:>8}  what\n", "sabotage", "caught by", "seeds", "seed");
    for (sabotage, caught) in rows {
        let _ = match caught {
            Some(caught) => {
                let (name, what) = (caught.violation.invariant.name(), &caught.violation.what);
                writeln!(text, "{:32}{name:28}{:>8}{:>8}  {what}", sabotage.name(), caught.worlds, caught.seed)
            }
            None => writeln!(text, "{:32}NOT CAUGHT", sabotage.name()),
        };
    }
    text
}
