//! Every remote call × every fate × every later call × every fate, in small worlds: what pairs of faults find.

use std::collections::BTreeMap;

use casebridge_core::incident::IncidentState;
use jiff::SignedDuration;

use crate::{
    calls::{EXPLORED, Fate},
    explore::{Outcome, Summary, run_all},
    faults::Source,
    script::Script,
    world::Settings,
};

/// How many failures of a world are collected.
const FAILURES_PER_WORLD: usize = 5;
/// How many calls behind the first fault the second one may strike.
const REACH: u64 = 60;

/// A small world: a story without faults of its own.
#[derive(Debug, Clone, Copy)]
pub struct SmallWorld {
    /// Its name.
    pub name: &'static str,
    story: fn(&mut Script),
}

/// The small worlds.
pub const WORLDS: [SmallWorld; 5] = [
    SmallWorld { name: "open", story: open },
    SmallWorld { name: "comment-and-resolve", story: comment_and_resolve },
    SmallWorld { name: "reply-and-resolve", story: reply_and_resolve },
    SmallWorld { name: "reopen-both-ways", story: reopen_both_ways },
    SmallWorld { name: "two-accounts", story: two_accounts },
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

/// One life of a small world with up to two faults.
#[derive(Debug, Clone)]
pub struct PairLife {
    world: SmallWorld,
    faults: Vec<(u64, Fate)>,
}

impl PairLife {
    fn name(&self) -> String {
        let faults: Vec<String> =
            self.faults.iter().map(|(call, fate)| format!("{call}={}", fate_word(*fate))).collect();
        format!("{}:{}", self.world.name, faults.join(","))
    }

    fn live(&self, told: bool) -> Outcome {
        let faults: BTreeMap<u64, Fate> = self.faults.iter().copied().collect();
        let mut script = Script::with(|settings| {
            *settings = Settings {
                faults: Source::Ordered(faults),
                told,
                polling: SignedDuration::from_secs(300),
                ..Settings::quiet(7)
            };
        });
        (self.world.story)(&mut script);
        script.conclude()
    }
}

fn fate_word(fate: Fate) -> String {
    fate.name().replace(' ', "-")
}

/// All lives of a world: for every call every fate, and for every later call within reach every fate again.
pub fn lives(world: &SmallWorld) -> Vec<PairLife> {
    let clean = PairLife { world: *world, faults: Vec::new() };
    let mut lives = vec![clean.clone()];
    for first in 0..clean.live(false).calls {
        for fate in EXPLORED {
            let single = PairLife { world: *world, faults: vec![(first, fate)] };
            let calls = single.live(false).calls;
            for second in first + 1..calls.min(first + 1 + REACH) {
                for other in EXPLORED {
                    lives.push(PairLife { world: *world, faults: vec![(first, fate), (second, other)] });
                }
            }
            lives.push(single);
        }
    }
    lives
}

/// All lives of a world with one fault at most.
pub fn single_lives(world: &SmallWorld) -> Vec<PairLife> {
    let clean = PairLife { world: *world, faults: Vec::new() };
    let calls = clean.live(false).calls;
    let singles =
        (0..calls).flat_map(|call| EXPLORED.map(|fate| PairLife { world: *world, faults: vec![(call, fate)] }));
    std::iter::once(clean).chain(singles).collect()
}

/// Lives them.
pub fn run(worlds: &[PairLife], lived: impl Fn() + Sync) -> Summary {
    run_all(worlds, FAILURES_PER_WORLD, PairLife::name, |life| life.live(false), lived)
}

/// The story of a pair, by its name; none if there is no such.
pub fn replay(name: &str) -> Option<Outcome> {
    let (world, faults) = name.split_once(':')?;
    let world = WORLDS.into_iter().find(|known| known.name == world)?;
    let faults: Option<Vec<(u64, Fate)>> = faults
        .split(',')
        .filter(|fault| !fault.is_empty())
        .map(|fault| {
            let (call, fate) = fault.split_once('=')?;
            let fate = EXPLORED.into_iter().find(|known| fate_word(*known) == fate)?;
            Some((call.parse().ok()?, fate))
        })
        .collect();
    Some(PairLife { world, faults: faults? }.live(true))
}
