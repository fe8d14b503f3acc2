//! Which call meets which fate: drawn at random, or ordered call by call.

use std::collections::BTreeMap;

use crate::{
    calls::{Fate, RemoteCall},
    random::Random,
};

/// How often each fault strikes, in a thousand calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// The process dies before the call.
    pub died_before: u64,
    /// The process dies after it.
    pub died_after: u64,
    /// The answer is lost.
    pub answer_lost: u64,
    /// The call is refused.
    pub refused: u64,
    /// A write to AWS is lost without an answer.
    pub request_lost: u64,
    /// A write to AWS lands late.
    pub lands_late: u64,
    /// ServiceNow stops between two records.
    pub stopped: u64,
    /// A read of AWS is as of an earlier moment.
    pub lagging: u64,
    /// A hint is lost on its way.
    pub hint_lost: u64,
    /// A hint comes twice.
    pub hint_doubled: u64,
    /// A hint is hours late.
    pub hint_late: u64,
    /// A message that was sent ahead comes before its time.
    pub wake_early: u64,
    /// A message becomes visible again while it is being worked on.
    pub redelivered: u64,
    /// A call takes long.
    pub slow: u64,
}

/// How many times more often a wake-up of the next in line meets a fault: one call in a hundred thousand is one.
const WAKE_TIMES: u64 = 8;
/// How many times more often a worker dies while it waits: one call in a hundred is a wait.
const STAY_TIMES: u64 = 3;

/// The rates of a world in which nothing goes wrong, in thousandths of the full ones.
pub const LEVELS: [u64; 5] = [0, 100, 300, 1_000, 2_500];

impl Rates {
    /// Every fault at the same level; a thousand is about one call in twenty.
    pub fn at_level(level: u64) -> Self {
        let scaled = |rate: u64| rate * level / 1_000;
        Self {
            died_before: scaled(12),
            died_after: scaled(15),
            answer_lost: scaled(15),
            refused: scaled(15),
            request_lost: scaled(30),
            lands_late: scaled(60),
            stopped: scaled(60),
            lagging: scaled(200).min(700),
            hint_lost: scaled(150).min(900),
            hint_doubled: scaled(100).min(500),
            hint_late: scaled(60).min(500),
            wake_early: scaled(60).min(500),
            redelivered: scaled(60).min(500),
            slow: scaled(20),
        }
    }
}

/// Where the faults of a life come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// From the world's random numbers.
    Random(Rates),
    /// The call with this number meets this fate; all others go through.
    Ordered(BTreeMap<u64, Fate>),
    /// The call of this kind, counted from one, meets this fate; all others go through.
    Scripted(BTreeMap<(RemoteCall, u64), Fate>),
}

/// The faults of one life.
#[derive(Debug, Clone)]
pub struct Faults {
    source: Source,
    calls: u64,
    calls_of: BTreeMap<RemoteCall, u64>,
    made: Vec<RemoteCall>,
    over: bool,
}

impl Faults {
    /// Faults of this source.
    pub fn new(source: Source) -> Self {
        Self { source, calls: 0, calls_of: BTreeMap::new(), made: Vec::new(), over: false }
    }

    /// From now on nothing goes wrong.
    pub fn stop(&mut self) {
        self.over = true;
    }

    /// Whether nothing goes wrong any more.
    pub fn are_over(&self) -> bool {
        self.over
    }

    /// From now on nothing that was ordered happens, either.
    pub fn disarm(&mut self) {
        self.source = Source::Random(Rates::default());
        self.over = true;
    }

    /// The calls of a life with ordered faults, in their order.
    pub fn made(&self) -> &[RemoteCall] {
        &self.made
    }

    /// How many calls of a kind were made.
    pub fn calls_of(&self, call: RemoteCall) -> u64 {
        self.calls_of.get(&call).copied().unwrap_or_default()
    }

    /// Orders the fate of the next call of a kind, and of as many after it as are given.
    pub fn order(&mut self, call: RemoteCall, fates: &[Fate]) {
        let first = self.calls_of(call) + 1;
        if let Source::Scripted(orders) = &mut self.source {
            orders.extend((first..).zip(fates).map(|(number, fate)| ((call, number), *fate)));
        }
    }

    /// How often things go wrong now.
    pub fn rates(&self) -> Rates {
        match &self.source {
            Source::Random(rates) if !self.over => *rates,
            Source::Random(_) | Source::Ordered(_) | Source::Scripted(_) => Rates::default(),
        }
    }

    /// The fate of the next call.
    pub fn next(&mut self, call: RemoteCall, random: &mut Random) -> Fate {
        let number = self.calls;
        self.calls += 1;
        let count = self.calls_of.entry(call).or_default();
        *count += 1;
        if let Source::Ordered(_) = self.source {
            self.made.push(call);
        }
        match &self.source {
            Source::Ordered(orders) => orders.get(&number).copied().unwrap_or(Fate::Through),
            Source::Scripted(orders) => orders.get(&(call, *count)).copied().unwrap_or(Fate::Through),
            Source::Random(_) if self.over => Fate::Through,
            Source::Random(rates) => draw(rates, call, random),
        }
    }
}

fn draw(rates: &Rates, call: RemoteCall, random: &mut Random) -> Fate {
    let mut drawn = random.below(1_000);
    let late = rates.lands_late / 2;
    let chances = [
        (Fate::DiedBefore, rates.died_before),
        (Fate::DiedAfter, rates.died_after),
        (Fate::AnswerLost, rates.answer_lost),
        (Fate::Refused, rates.refused),
        (Fate::RequestLost, rates.request_lost),
        (Fate::LandsLate, late),
        (Fate::DiedLandsLate, late),
        (Fate::Stopped, rates.stopped),
    ];
    let times = match call {
        RemoteCall::Wake => WAKE_TIMES,
        RemoteCall::Stay => STAY_TIMES,
        _ => 1,
    };
    for (fate, rate) in chances.into_iter().filter(|(fate, _)| call.can_meet(*fate)) {
        let rate = rate * times;
        if drawn < rate {
            return fate;
        }
        drawn -= rate;
    }
    Fate::Through
}
