//! Every remote call × every fate × every later call × every fate, in small worlds. It finds bugs that need two faults.
//! And every call × every fate while two workers handle the same message.

use std::collections::BTreeMap;

use casebridge_core::servicenow::incident::IncidentState;
use jiff::SignedDuration;

use crate::{
    calls::{FAULTS, Fate, RemoteCall},
    explore::{Outcome, Summary, run_all},
    faults::Source,
    script::Script,
    settings::Settings,
};

/// How many failures of a small world are collected before its run ends.
const FAILURES_PER_WORLD: usize = 5;
/// How many calls after the first fault the second one may strike.
const REACH: usize = 120;
/// The size of a file that does not go into a set, in bytes.
const LARGE_FILE: u64 = 5_000_001;

/// The number of moments at which the second worker starts, each in a life of its own.
const OVERLAPS: i64 = 24;
/// The distance between these moments. It is half of the time of a request, so that either worker may be first.
const OVERLAP_STEP_MILLISECONDS: i64 = 10;

/// A small world: a story without faults of its own.
#[derive(Debug, Clone, Copy)]
pub struct SmallWorld {
    /// Its name.
    pub name: &'static str,
    story: fn(&mut Script),
}

/// The small worlds.
pub const WORLDS: [SmallWorld; 7] = [
    SmallWorld { name: "open", story: open },
    SmallWorld { name: "comment-and-resolve", story: comment_and_resolve },
    SmallWorld { name: "reply-and-resolve", story: reply_and_resolve },
    SmallWorld { name: "reopen-both-ways", story: reopen_both_ways },
    SmallWorld { name: "two-accounts", story: two_accounts },
    SmallWorld { name: "long-description", story: long_description },
    SmallWorld { name: "files", story: files },
];

fn open(script: &mut Script) {
    let incident = script.open("It does not answer. «d1»");
    script.wait(20).comment(&incident, "A comment «c2»").wait(5);
}

fn comment_and_resolve(script: &mut Script) {
    let incident = script.open("It does not answer. «d1»");
    script.wait(10).comment(&incident, "Any news?");
    script.wait(5).set_state(&incident, IncidentState::Resolved).wait(5);
}

fn reply_and_resolve(script: &mut Script) {
    let incident = script.open("It does not answer. «d1»");
    script.wait(10);
    if script.case(&incident).is_some() {
        script.reply(&incident, "A reply «r2»").wait(3);
        script.reply(&incident, "The last reply «r3»").set_status(&incident, "resolved").wait(5);
    }
}

fn reopen_both_ways(script: &mut Script) {
    let incident = script.open("It does not answer. «d1»");
    script.wait(10).set_state(&incident, IncidentState::Resolved).wait(10);
    if script.case(&incident).is_some() {
        script.reply(&incident, "Not yet «r2»").wait(10);
    }
    script.comment(&incident, "Still broken «c3»").wait(5);
}

fn two_accounts(script: &mut Script) {
    let first = script.open("The first «d1»");
    let second = script.open_in(crate::world::ACCOUNTS[1].1, "The second «d2»");
    script.wait(10).comment(&first, "A comment «c3»").comment(&second, "Another «c4»").wait(5);
}

fn long_description(script: &mut Script) {
    let filler: String = "dolor sit ".chars().cycle().take(9_000).collect();
    let incident = script.open(&format!("«d1» {filler} «d2»"));
    script.wait(10).comment(&incident, "A comment «c3»").wait(5);
}

fn files(script: &mut Script) {
    let incident = script.open("It does not answer. «d1»");
    script.wait(10).attach(&incident, "log.txt", 700).attach(&incident, "dump.bin", LARGE_FILE).wait(10);
    if script.case(&incident).is_some() {
        script.reply_with_file(&incident, "A reply «r2»", "log.txt", 900).wait(5);
    }
}

/// One life of a small world with up to two faults.
#[derive(Debug, Clone)]
pub struct PairLife {
    world: SmallWorld,
    faults: Vec<(u64, Fate)>,
    /// After how many milliseconds a second worker starts on each message.
    overlap: Option<i64>,
}

impl PairLife {
    fn clean(world: &SmallWorld) -> Self {
        Self { world: *world, faults: Vec::new(), overlap: None }
    }

    fn name(&self) -> String {
        let faults: Vec<String> =
            self.faults.iter().map(|(call, fate)| format!("{call}={}", fate_word(*fate))).collect();
        let overlap = self.overlap.map(|overlap| format!("@{overlap}")).unwrap_or_default();
        format!("{}{overlap}:{}", self.world.name, faults.join(","))
    }

    fn live(&self, told: bool) -> Outcome {
        let faults: BTreeMap<u64, Fate> = self.faults.iter().copied().collect();
        let mut script = Script::with(|settings| {
            *settings = Settings {
                faults: Source::Ordered(faults),
                told,
                polling: SignedDuration::from_secs(300),
                redelivery: self.overlap.map(SignedDuration::from_millis),
                ..Settings::quiet(7)
            };
        });
        (self.world.story)(&mut script);
        script.conclude()
    }
}

fn fate_word(fate: Fate) -> String {
    fate.name().replace(", ", "-").replace(' ', "-")
}

/// Returns each fault of each call from number `from` up to `until`.
fn faults(calls: &[RemoteCall], from: usize, until: usize) -> impl Iterator<Item = (u64, Fate)> {
    let window = calls.iter().enumerate().take(until).skip(from);
    window.flat_map(|(number, call)| {
        let met = FAULTS.into_iter().filter(|fate| call.can_meet(*fate));
        met.map(move |fate| (number as u64, fate))
    })
}

/// Returns all lives of a world: without a fault, with every single fault, and with every second fault on one of the
/// next `REACH` calls.
pub fn lives(world: &SmallWorld) -> Vec<PairLife> {
    let mut lives = single_lives(world);
    for single in lives.clone().into_iter().skip(1) {
        let calls = single.live(false).calls;
        let next = single.faults.first().map_or(0, |(call, _)| usize::try_from(*call).unwrap_or_default() + 1);
        for second in faults(&calls, next, next + REACH) {
            lives.push(PairLife { faults: vec![single.faults[0], second], ..single.clone() });
        }
    }
    lives
}

/// Returns all lives of a world with at most one fault.
pub fn single_lives(world: &SmallWorld) -> Vec<PairLife> {
    with_single_faults(&PairLife::clean(world))
}

fn with_single_faults(clean: &PairLife) -> Vec<PairLife> {
    let calls = clean.live(false).calls;
    let singles = faults(&calls, 0, calls.len()).map(|fault| PairLife { faults: vec![fault], ..clean.clone() });
    std::iter::once(clean.clone()).chain(singles).collect()
}

/// Returns all lives of a world with at most one fault in which a second worker starts on each message, at every one of
/// the moments.
pub fn overlapping_lives(world: &SmallWorld) -> Vec<PairLife> {
    let moments = (1..=OVERLAPS).map(|step| step * OVERLAP_STEP_MILLISECONDS);
    let clean = moments.map(|overlap| PairLife { overlap: Some(overlap), ..PairLife::clean(world) });
    clean.flat_map(|clean| with_single_faults(&clean)).collect()
}

/// Runs these lives and judges them. Calls `lived` after each.
pub fn run(worlds: &[PairLife], lived: impl Fn() + Sync) -> Summary {
    run_all(worlds, FAILURES_PER_WORLD, PairLife::name, |life| life.live(false), lived)
}

/// Runs a life again, by its name, and keeps its story. Returns `None` if no life has this name.
pub fn replay(name: &str) -> Option<Outcome> {
    let (world, faults) = name.split_once(':')?;
    let (world, overlap) =
        world.split_once('@').map_or((world, None), |(world, overlap)| (world, overlap.parse().ok()));
    let world = WORLDS.into_iter().find(|known| known.name == world)?;
    let faults: Option<Vec<(u64, Fate)>> = faults
        .split(',')
        .filter(|fault| !fault.is_empty())
        .map(|fault| {
            let (call, fate) = fault.split_once('=')?;
            let fate = FAULTS.into_iter().find(|known| fate_word(*known) == fate)?;
            Some((call.parse().ok()?, fate))
        })
        .collect();
    Some(PairLife { world, faults: faults?, overlap }.live(true))
}
