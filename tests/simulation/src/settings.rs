//! How a world is set up: by hand, or by its seed.

use std::collections::BTreeMap;

use casebridge_core::{
    policy::{GroupRule, Policy},
    servicenow::delivery::MessageKind,
};
use casebridge_simulator::support::{Oddities, Quotas};
use jiff::SignedDuration;

use crate::{
    faults::{LEVELS, Rates, Source},
    random::Random,
    sabotage::Sabotage,
};

/// Who polls as seldom as this lives for months.
pub const SELDOM: SignedDuration = SignedDuration::from_hours(6);
/// The longest pause between two deeds where months pass, in seconds: five days.
const LONG_PAUSE: i64 = 5 * 86_400;
/// What the subjects of test cases begin with: AWS may show some of it otherwise.
const TEST_SUBJECT_PREFIX: &str = "TEST & drill <casebridge> ";

/// How a world is set up.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own: any of them goes with any other")]
pub struct Settings {
    /// Decides everything that is drawn.
    pub seed: u64,
    /// Where faults come from.
    pub faults: Source,
    /// The safeguard that is switched off, if any.
    pub sabotage: Option<Sabotage>,
    /// Whether the story is kept.
    pub told: bool,
    /// The policy.
    pub policy: Policy,
    /// How far ServiceNow's clock is ahead of ours.
    pub servicenow_clock: SignedDuration,
    /// How far AWS's clock is ahead of ours.
    pub aws_clock: SignedDuration,
    /// AWS's quotas.
    pub quotas: Quotas,
    /// How often the poller runs.
    pub polling: SignedDuration,
    /// Whether webhooks and events are sent at all.
    pub hints: bool,
    /// After how long each message becomes visible again, though somebody is at it; none: as it should be.
    pub redelivery: Option<SignedDuration>,
    /// How often ServiceNow's jobs run.
    pub jobs: SignedDuration,
    /// Whether the accounts that AWS refuses stay refused once people and faults have stopped.
    pub stays_refused: bool,
    /// Whether accounts are taken out of use in ServiceNow now and then.
    pub accounts_change: bool,
    /// Whether what pauses links lasts once people and faults have stopped.
    pub stays_paused: bool,
    /// What AWS does that nobody has ruled out.
    pub oddities: Oddities,
    /// Whether the app may read the instance's audit trail.
    pub trail_is_readable: bool,
    /// Whether an agent who reopens an incident comments and resolves it again at once.
    pub resolves_again: bool,
    /// Whether what stands before ServiceNow turns every delivery away until people and faults have stopped.
    pub turns_deliveries_away: bool,
    /// Whether a rule of the instance puts its own words into a column with each write, until people and faults have stopped.
    pub rewrites_columns: bool,
    /// Whether a flow answers each resolution by casebridge with the same comment.
    pub automatic_answer: bool,
    /// How many incidents there are at most.
    pub most_incidents: usize,
    /// How many incidents people open before they do anything else.
    pub opened_first: usize,
    /// How many things people do.
    pub deeds: usize,
    /// Whether messages are sent ahead that wake links at their time.
    pub wakes: bool,
    /// The longest pause between two of them, in seconds.
    pub pause: i64,
}

impl Settings {
    /// A world without faults in which all clocks agree.
    pub fn quiet(seed: u64) -> Self {
        Self {
            seed,
            faults: Source::Ordered(BTreeMap::new()),
            sabotage: None,
            told: false,
            policy: Policy::default(),
            servicenow_clock: SignedDuration::ZERO,
            aws_clock: SignedDuration::ZERO,
            quotas: Quotas::UNLIMITED,
            polling: SignedDuration::from_secs(60),
            hints: true,
            wakes: true,
            redelivery: None,
            jobs: SignedDuration::from_secs(60),
            stays_refused: false,
            accounts_change: false,
            stays_paused: true,
            oddities: Oddities::default(),
            trail_is_readable: true,
            resolves_again: false,
            turns_deliveries_away: false,
            rewrites_columns: false,
            automatic_answer: false,
            most_incidents: 4,
            opened_first: 1,
            deeds: 0,
            pause: 60,
        }
    }

    /// Half of L: how late a write may land at most, and how far a read may lag, so that both together stay below L.
    pub fn half_unknown(&self) -> SignedDuration {
        let seconds = i64::from(Policy::default().unknown_outcome_seconds.min(self.policy.unknown_outcome_seconds));
        SignedDuration::from_secs(seconds * 45 / 100)
    }
}

/// The world of a seed.
pub fn of_seed(seed: u64, sabotage: Option<Sabotage>, told: bool) -> Settings {
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let level = *random.pick(&LEVELS);
    // Now and then months pass: cases become too old to be reopened.
    let months = random.chance(50);
    // Clocks agree, differ by seconds, or by most of an hour. Months of webhooks that are turned away teach nothing.
    let skew = *random.pick(if months { &[0, 90] } else { &[0, 0, 0, 90, 2_700] });
    let mut clock = || SignedDuration::from_secs(random.between(-skew, skew));
    let (servicenow_clock, aws_clock) = (clock(), clock());
    let drawn = random.below(6);
    let waits_for_quota = drawn == 0;
    let quotas = match drawn {
        0 => Quotas { calls_per_second: Some(5), cases_per_hour: Some(1) },
        1 => Quotas::default(),
        _ => Quotas::UNLIMITED,
    };
    let mut quiet = Settings::quiet(seed);
    quiet.policy.test_subject_prefix = TEST_SUBJECT_PREFIX.to_owned();
    if random.chance(100) {
        quiet.policy.writes_per_window = 12;
    }
    if random.chance(100) {
        quiet.policy.replies_become = MessageKind::WorkNote;
    }
    let stays_refused = random.chance(60);
    let polling = SignedDuration::from_secs(*random.pick(&[60, 60, 300]));
    let pause = *random.pick(&[3, 20, 60, 240]);
    let (polling, jobs, pause) = if months { (SELDOM, SELDOM, LONG_PAUSE) } else { (polling, quiet.jobs, pause) };
    let mut settings = Settings {
        faults: Source::Random(Rates::at_level(level)),
        sabotage,
        told,
        servicenow_clock,
        aws_clock,
        quotas: if stays_refused { Quotas::UNLIMITED } else { quotas },
        polling,
        jobs,
        stays_refused,
        // In half of the worlds AWS is as documented.
        oddities: if random.chance(500) { Oddities::default() } else { Oddities::draw(random.below(u64::MAX)) },
        trail_is_readable: !random.chance(300),
        automatic_answer: random.chance(100),
        most_incidents: if waits_for_quota { 8 } else { 4 },
        opened_first: if waits_for_quota { 4 } else { 1 },
        hints: !random.chance(150),
        // Now and then a conversation is longer than a page.
        deeds: if random.chance(60) { 40 + random.index(60) } else { 2 + random.index(14) },
        pause,
        // Drawn last: other worlds stay as they were.
        turns_deliveries_away: random.chance(30),
        resolves_again: random.chance(150),
        accounts_change: random.chance(250),
        stays_paused: random.chance(300),
        ..quiet
    };
    if random.chance(500) {
        settings.policy.group_of_another_account = GroupRule::Keep;
    }
    settings.rewrites_columns = random.chance(50);
    settings
}
