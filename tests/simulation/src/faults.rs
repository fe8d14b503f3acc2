//! Which call meets which fate: drawn at random, or ordered call by call.

use std::collections::BTreeMap;

use crate::{
    calls::{Fate, RemoteCall},
    random::Random,
};

/// How often each fault strikes, out of a thousand times that it could.
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
    /// A read of AWS shows an earlier moment.
    pub lagging: u64,
    /// A hint is lost on its way.
    pub hint_lost: u64,
    /// A hint comes twice.
    pub hint_doubled: u64,
    /// A hint is hours late.
    pub hint_late: u64,
    /// A message that was sent ahead comes too early.
    pub wake_early: u64,
    /// A message becomes visible again while it is being worked on.
    pub redelivered: u64,
    /// A call takes long.
    pub slow: u64,
}

/// The factor on the rates for `RemoteCall::Wake`. It makes up for the rarity of that call: one call in a hundred
/// thousand.
const WAKE_TIMES: u64 = 8;
/// The factor on the rates for `RemoteCall::Stay`. One call in a hundred is a `Stay`.
const STAY_TIMES: u64 = 3;

/// The factor on the rates for the calls of an upload. Few files are so large that they need one.
const UPLOAD_TIMES: u64 = 6;

/// The levels of faults, in thousandths of the full rates. Each seed draws one of them. At 0 nothing goes wrong.
pub const LEVELS: [u64; 5] = [0, 100, 300, 1_000, 2_500];

impl Rates {
    /// Returns the rates of all faults at a level. At level 1,000 about one call in twenty fails.
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
    /// Returns faults from this source.
    pub fn new(source: Source) -> Self {
        Self { source, calls: 0, calls_of: BTreeMap::new(), made: Vec::new(), over: false }
    }

    /// Ends the random faults. Ordered and scripted fates still happen.
    pub fn stop(&mut self) {
        self.over = true;
    }

    /// Whether the random faults have ended.
    pub fn are_over(&self) -> bool {
        self.over
    }

    /// Ends all faults, also ordered and scripted ones.
    pub fn disarm(&mut self) {
        self.source = Source::Random(Rates::default());
        self.over = true;
    }

    /// Returns the calls of a life with ordered faults, in their order. Empty for other sources of faults.
    pub fn made(&self) -> &[RemoteCall] {
        &self.made
    }

    /// Returns how many calls of a kind were made.
    pub fn calls_of(&self, call: RemoteCall) -> u64 {
        self.calls_of.get(&call).copied().unwrap_or_default()
    }

    /// Sets the fates of the next calls of a kind, one fate for each call. Has no effect unless the source is
    /// `Scripted`.
    pub fn order(&mut self, call: RemoteCall, fates: &[Fate]) {
        let first = self.calls_of(call) + 1;
        if let Source::Scripted(orders) = &mut self.source {
            orders.extend((first..).zip(fates).map(|(number, fate)| ((call, number), *fate)));
        }
    }

    /// Returns how often random faults strike now. All rates are zero if the faults are not random or have ended.
    pub fn rates(&self) -> Rates {
        match &self.source {
            Source::Random(rates) if !self.over => *rates,
            Source::Random(_) | Source::Ordered(_) | Source::Scripted(_) => Rates::default(),
        }
    }

    /// Decides the fate of the next call and counts the call.
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
        RemoteCall::BeginUpload | RemoteCall::SendPart | RemoteCall::CompleteUpload | RemoteCall::UploadStatus => {
            UPLOAD_TIMES
        }
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
