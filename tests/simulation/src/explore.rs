//! Exploration: worlds at random from seeds, and pairs of faults one by one.

use jiff::SignedDuration;

use casebridge_simulator::support::Quotas;

use crate::{
    faults::{LEVELS, Rates, Source},
    invariants,
    random::Random,
    sabotage::Sabotage,
    schedule::Life,
    servicenow_model::SIZE_LIMIT,
    world::{Settings, Tally, Violation},
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
    /// How many remote calls were made.
    pub calls: u64,
}

/// The world of a seed.
pub fn settings(seed: u64, sabotage: Option<Sabotage>, told: bool) -> Settings {
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let level = *random.pick(&LEVELS);
    let skewed = random.chance(400);
    let mut clock = || if skewed { SignedDuration::from_secs(random.between(-90, 90)) } else { SignedDuration::ZERO };
    let (servicenow_clock, aws_clock) = (clock(), clock());
    let quotas = match random.below(6) {
        0 => Quotas { calls_per_second: Some(5), cases_per_hour: Some(1) },
        1 => Quotas::default(),
        _ => Quotas::UNLIMITED,
    };
    let mut quiet = Settings::quiet(seed);
    if random.chance(100) {
        quiet.policy.writes_per_window = 12;
    }
    Settings {
        faults: Source::Random(Rates::at_level(level)),
        sabotage,
        told,
        servicenow_clock,
        aws_clock,
        quotas,
        polling: SignedDuration::from_secs(*random.pick(&[60, 60, 300])),
        webhook_size: *random.pick(&[SIZE_LIMIT, SIZE_LIMIT, 2_500]),
        hints: !random.chance(150),
        deeds: 2 + random.index(14),
        pause: *random.pick(&[3, 20, 60, 240]),
        ..quiet
    }
}

/// Lives the world of a seed.
pub fn live(seed: u64, sabotage: Option<Sabotage>, told: bool) -> Outcome {
    let mut settings = settings(seed, sabotage, told);
    if sabotage == Some(Sabotage::Waiting) {
        settings.policy.unknown_outcome_seconds = 0;
    }
    live_in(settings)
}

/// Lives in a world of these settings.
pub fn live_in(settings: Settings) -> Outcome {
    let mut life = Life::new(settings);
    life.live();
    conclude(life)
}

/// Judges a life that has come to rest.
pub fn conclude(mut life: Life) -> Outcome {
    if life.desk.world.borrow().violations.is_empty() {
        invariants::judge(&mut life);
    }
    let world = life.desk.world.borrow();
    Outcome {
        tally: world.tally.clone(),
        violations: world.violations.clone(),
        digest: world.timeline.digest(),
        story: world.timeline.tell(),
        calls: world.faults.calls(),
    }
}
