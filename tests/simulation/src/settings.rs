//! How a world is set up: by hand, or by its seed.

use std::collections::BTreeMap;

use casebridge_core::{
    policy::{AttachmentRule, ClosedIncidentRule, GroupRule, OldCaseRule, OpenedCaseRule, Policy, SeverityRule},
    servicenow::delivery::MessageKind,
};
use casebridge_simulator::support::{Oddities, Quotas};
use jiff::SignedDuration;

use crate::{
    faults::{LEVELS, Rates, Source},
    random::Random,
    sabotage::Sabotage,
    servicenow::{
        model::Sharing,
        people::{SHARED, SILENT_AUTHOR},
    },
    world::ACCOUNTS,
};

/// The period of the poller in worlds that last for months.
pub const SELDOM: SignedDuration = SignedDuration::from_hours(6);
/// The longest pause between two deeds in worlds that last for months, in seconds: five days.
const LONG_PAUSE: i64 = 5 * 86_400;
/// What the subjects of test cases begin with. AWS may show some of its characters encoded.
const TEST_SUBJECT_PREFIX: &str = "TEST & drill <casebridge> ";

/// How a world is set up.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent switch")]
pub struct Settings {
    /// Decides everything that is random.
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
    /// Whether webhooks and events are sent.
    pub hints: bool,
    /// After how long each message becomes visible again while a worker handles it. `None` for the queue's own timeout.
    pub redelivery: Option<SignedDuration>,
    /// How often ServiceNow's jobs run.
    pub jobs: SignedDuration,
    /// Whether the accounts that AWS refuses stay refused once people and faults have stopped.
    pub stays_refused: bool,
    /// Whether administrators set accounts inactive or delete their records now and then.
    pub accounts_change: bool,
    /// Whether links that pause still do so once people and faults have stopped.
    pub stays_paused: bool,
    /// What AWS does that its documentation does not rule out.
    pub oddities: Oddities,
    /// Whether the app may read the instance's audit trail.
    pub trail_is_readable: bool,
    /// Which texts the app shares with AWS.
    pub sharing: Sharing,
    /// Whether an agent who reopens an incident at once comments and resolves it again.
    pub resolves_again: bool,
    /// Whether a firewall before ServiceNow refuses every delivery until people and faults have stopped.
    pub turns_deliveries_away: bool,
    /// Whether a rule of the instance puts its own words into a column with each write, until people and faults have stopped.
    pub rewrites_columns: bool,
    /// Whether a flow answers each resolution by casebridge with the same comment.
    pub automatic_answer: bool,
    /// Whether people attach files.
    pub files: bool,
    /// Whether the catalogue of AWS Support changes and is written to ServiceNow.
    pub catalogue: bool,
    /// Whether incidents and accounts say in which language, with which issue type and with which copies cases are opened.
    pub options: bool,
    /// How many incidents there are at most.
    pub most_incidents: usize,
    /// How many incidents people open before they do anything else.
    pub opened_first: usize,
    /// How many deeds people do.
    pub deeds: usize,
    /// Whether wakes (hints that are sent ahead) arrive.
    pub wakes: bool,
    /// The longest usual pause between two deeds, in seconds. One pause in ten may be ten times as long.
    pub pause: i64,
}

impl Settings {
    /// Returns the settings of a world without faults in which all clocks agree.
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
            sharing: Sharing::default(),
            resolves_again: false,
            turns_deliveries_away: false,
            rewrites_columns: false,
            automatic_answer: false,
            files: false,
            catalogue: false,
            options: false,
            most_incidents: 4,
            opened_first: 1,
            deeds: 0,
            pause: 60,
        }
    }

    /// Returns 45% of L: how late a write may land at most, and how far a read may lag, so that both together stay
    /// below L.
    pub fn longest_shown_delay(&self) -> SignedDuration {
        let seconds = i64::from(Policy::default().unknown_outcome_seconds.min(self.policy.unknown_outcome_seconds));
        SignedDuration::from_secs(seconds * 45 / 100)
    }
}

/// Returns the settings of a seed's world.
pub fn of_seed(seed: u64, sabotage: Option<Sabotage>, told: bool) -> Settings {
    let mut random = Random::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let level = *random.pick(&LEVELS);
    // One world in twenty lasts for months, so that cases become too old to be reopened.
    let months = random.chance(50);
    // Clocks agree, or differ by up to 90 seconds or 45 minutes. Not the latter in worlds of months: all their webhooks
    // would be refused, which shows nothing new.
    let skew = *random.pick(if months { &[0, 90] } else { &[0, 0, 0, 90, 2_700] });
    let mut clock = || SignedDuration::from_secs(random.between(-skew, skew));
    let (servicenow_clock, aws_clock) = (clock(), clock());
    let drawn = random.below(6);
    let waits_for_quota = drawn == 0;
    let quotas = match drawn {
        0 => Quotas { calls_per_second: Some(5), cases_per_hour: Some(1), ..Quotas::UNLIMITED },
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
    draw_rule_on_severities(&mut quiet.policy, &mut random);
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
        // In half of the worlds AWS behaves as documented.
        oddities: if random.chance(500) { Oddities::default() } else { Oddities::draw(random.below(u64::MAX)) },
        trail_is_readable: !random.chance(300),
        automatic_answer: random.chance(100),
        most_incidents: if waits_for_quota { 8 } else { 4 },
        opened_first: if waits_for_quota { 4 } else { 1 },
        hints: !random.chance(150),
        // Some conversations are longer than a page.
        deeds: if random.chance(60) { 40 + random.index(60) } else { 2 + random.index(14) },
        pause,
        // Settings that were added later are drawn last, so that the worlds of known seeds stay as they were.
        turns_deliveries_away: random.chance(30),
        resolves_again: random.chance(150),
        accounts_change: random.chance(250),
        stays_paused: random.chance(300),
        ..quiet
    };
    if random.chance(500) {
        settings.policy.group_of_another_account = GroupRule::Keep;
    }
    // casebridge writes rewritten columns for a month at most, and nothing reports that the rule is gone.
    settings.rewrites_columns = random.chance(50) && !months;
    draw_rule_on_opened_cases(&mut settings.policy, &mut random);
    if random.chance(200) {
        settings.policy.case_reopened_after_closing = ClosedIncidentRule::Note;
    }
    if random.chance(200) {
        settings.policy.case_too_old_to_reopen = OldCaseRule::Note;
    }
    settings.sharing = drawn_sharing(&mut random);
    draw_files(&mut settings, &mut random);
    settings.policy.warm_case_seconds = *random.pick(&[0, 600, 3600]);
    settings.policy.quiet_case_poll_seconds = *random.pick(&[60, 300, 900]);
    settings.catalogue = random.chance(300);
    settings.options = random.chance(300);
    settings
}

/// Draws which texts the app shares: in most worlds all comments and nothing else.
fn drawn_sharing(random: &mut Random) -> Sharing {
    if random.chance(700) {
        return Sharing::default();
    }
    let prefix = |is_set: bool| if is_set { SHARED.to_owned() } else { String::new() };
    Sharing {
        work_note_prefix: prefix(random.chance(700)),
        comment_prefix: prefix(random.chance(250)),
        silent_authors: random.chance(500).then(|| SILENT_AUTHOR.to_owned()).into_iter().collect(),
    }
}

/// Draws whether people attach files, and in which directions these go: mostly both. Not in worlds of months: a set lives
/// for an hour, and casebridge looks at its links every six.
fn draw_files(settings: &mut Settings, random: &mut Random) {
    settings.files = random.chance(350) && settings.polling < SELDOM;
    settings.policy.attachments = match random.below(12) {
        0 => AttachmentRule::ToAws,
        1 => AttachmentRule::ToServicenow,
        2 => AttachmentRule::None,
        _ => AttachmentRule::Both,
    };
}

/// Draws what becomes of a severity that is changed at AWS, and whether the policy caps that of an account.
fn draw_rule_on_severities(policy: &mut Policy, random: &mut Random) {
    policy.severity_changes_at_aws = *random.pick(&[
        SeverityRule::Note,
        SeverityRule::Note,
        SeverityRule::SetImpactAndUrgency,
        SeverityRule::Ignore,
    ]);
    if random.chance(200) {
        policy.severity_cap_by_account.insert(ACCOUNTS[0].0.to_owned(), "high".to_owned());
    }
}

/// Draws which cases that people open at AWS become incidents: mostly all of them.
fn draw_rule_on_opened_cases(policy: &mut Policy, random: &mut Random) {
    match random.below(10) {
        0 => policy.cases_opened_at_aws = OpenedCaseRule::Ignore,
        1 => policy.opened_cases_of_accounts = vec![ACCOUNTS[0].0.to_owned()],
        2 => policy.opened_cases_of_severities = vec!["low".to_owned(), "urgent".to_owned()],
        _ => {}
    }
}
