//! Who looks at a link again when it waits: the pass itself for seconds, a delayed message for minutes, and the poller
//! for longer times and if a message is lost.

use jiff::{SignedDuration, Timestamp};

use crate::{
    hint::{Cause, Hint, Subject},
    identifiers::LinkKey,
    link::plan::{Plan, Waiting},
    time,
};

/// How long a pass stays with a link that waits, as the sum of its waits. The first two waits after a failure fit, and
/// most throttling ends within them. The third does not: a pass that stays occupies one of the reconciler's few workers
/// (ten by default), and a side that is down for long must not delay the links of others.
pub const MAXIMUM_STAY: SignedDuration = SignedDuration::from_secs(5);

/// Returns how long the pass stays with its link before it tries again what a side throttled or did not answer.
///
/// Returns `None` if the plan has effects, if it has no such wait, if the wait is longer than a pass stays, or if too
/// little of the lease would be left. A call in doubt is not such a wait. `time_left` is the time until the pass may
/// begin no further call, `stayed` how long the pass has stayed already.
pub fn stay_duration<C>(
    plan: &Plan<C>,
    now: Timestamp,
    time_left: SignedDuration,
    stayed: SignedDuration,
) -> Option<SignedDuration> {
    if !plan.effects.is_empty() {
        return None;
    }
    let passes_by_itself = |wait: &Waiting| match wait {
        Waiting::Backoff { until } => Some(*until),
        _ => None,
    };
    let until = plan.waits.iter().filter_map(passes_by_itself).min()?;
    let wait = until.duration_since(now).max(SignedDuration::ZERO);
    let most = MAXIMUM_STAY.saturating_sub(stayed).min(time_left);
    (wait <= most).then_some(wait)
}

/// The longest delay of a message. Source: Amazon SQS, SendMessage `DelaySeconds`.
const MAXIMUM_DELAY: SignedDuration = SignedDuration::from_mins(15);
/// The shortest delay. A link that is due at once again and again takes a worker once a second at most.
pub const MINIMUM_DELAY: SignedDuration = SignedDuration::from_secs(1);

/// Returns the delay, in whole seconds, of the message that wakes a link which was released with this plan. Returns
/// `None` if no message is sent: nothing presses, one is under way, or the due time is too far off.
///
/// `due` is when the link is due now. `before` is when it was due before the pass: a message for that time is already
/// under way.
pub fn delay<C>(
    plan: &Plan<C>,
    due: Option<Timestamp>,
    before: Option<Timestamp>,
    now: Timestamp,
) -> Option<SignedDuration> {
    let due = due?;
    let is_pressing = !plan.effects.is_empty() || plan.waits.iter().any(Waiting::is_pressing);
    let is_under_way = before.is_some_and(|before| before.as_millisecond() == due.as_millisecond());
    if !is_pressing || is_under_way {
        return None;
    }
    // Rounded up, so that the message does not come early.
    let wait = time::whole_seconds(due.duration_since(now));
    (wait <= MAXIMUM_DELAY).then(|| wait.max(MINIMUM_DELAY))
}

/// Returns the hint that is sent ahead for a link that is due at `due`.
pub fn hint(key: LinkKey, due: Timestamp) -> Hint {
    Hint { subject: Subject::Link { key }, cause: Cause::Wake, received_at: due, claim: None }
}

/// Returns how long the worker waits before it handles a message that arrived early (clocks differ). Returns `None` if
/// the message is too early to wait for; the poller will find the link.
pub fn early_wait(due: Timestamp, now: Timestamp) -> Option<SignedDuration> {
    let wait = due.duration_since(now).max(SignedDuration::ZERO);
    (wait <= MAXIMUM_STAY).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{failure::Refusal, link::plan::Effect};

    fn at(millisecond: i64) -> Timestamp {
        Timestamp::from_millisecond(millisecond).unwrap()
    }

    fn waiting(waits: impl Into<Vec<Waiting>>) -> Plan<()> {
        Plan { effects: Vec::new(), waits: waits.into() }
    }

    /// Returns how many milliseconds a pass stays at millisecond 10,000. `time_left` and `stayed` are in milliseconds.
    fn stays_for(plan: &Plan<()>, time_left: i64, stayed: i64) -> Option<i128> {
        let (time_left, stayed) = (SignedDuration::from_millis(time_left), SignedDuration::from_millis(stayed));
        stay_duration(plan, at(10_000), time_left, stayed).map(|wait| wait.as_millis())
    }

    #[test]
    fn a_pass_stays_for_what_passes_by_itself_and_for_nothing_else() {
        let until = at(11_500);
        assert_eq!(stays_for(&waiting([Waiting::Backoff { until }]), 25_000, 0), Some(1_500));
        for wait in [
            Waiting::UnknownOutcome { until },
            Waiting::Refused { refusal: Refusal::InvalidRequest, until },
            Waiting::CaseQuota { until },
            Waiting::DisplayId { until },
            Waiting::CaseUnread { until },
            Waiting::LoopBreaker { until },
        ] {
            assert_eq!(stays_for(&waiting([wait.clone()]), 25_000, 0), None, "{wait:?}");
        }
        assert_eq!(stays_for(&waiting([]), 25_000, 0), None);
        let unfinished = Plan { effects: vec![Effect::WriteColumns], waits: vec![Waiting::Backoff { until }] };
        assert_eq!(stays_for(&unfinished, 25_000, 0), None, "its time is up");
    }

    #[test]
    fn a_pass_stays_for_the_first_of_two_sides() {
        let waits = [Waiting::Backoff { until: at(600_000) }, Waiting::Backoff { until: at(12_000) }];
        assert_eq!(stays_for(&waiting(waits), 25_000, 0), Some(2_000));
        let passed = waiting([Waiting::Backoff { until: at(9_000) }]);
        assert_eq!(stays_for(&passed, 25_000, 0), Some(0), "by another clock it is over");
    }

    #[test]
    fn a_pass_stays_five_seconds_in_all_and_never_beyond_its_time() {
        let plan = waiting([Waiting::Backoff { until: at(13_000) }]);
        let rows = [(25_000, 2_000, Some(3_000)), (25_000, 2_001, None), (3_000, 0, Some(3_000)), (2_999, 0, None)];
        for (time_left, stayed, expected) in rows {
            assert_eq!(stays_for(&plan, time_left, stayed), expected, "{time_left} left, {stayed} stayed");
        }
        assert_eq!(stays_for(&plan, -1, 0), None);
    }

    /// Returns the delay in seconds for a link that is released at millisecond 10,000 and was due at 5,000 before.
    fn delay_of(plan: &Plan<()>, due: i64) -> Option<i64> {
        delay(plan, Some(at(due)), Some(at(5_000)), at(10_000)).map(|delay| delay.as_secs())
    }

    #[test]
    fn a_message_is_sent_for_a_due_time_that_is_new_and_within_a_quarter_of_an_hour() {
        let plan = waiting([Waiting::UnknownOutcome { until: at(0) }]);
        let rows = [
            (5_000, None),
            (5_001, Some(1)),
            (10_000, Some(1)),
            (10_001, Some(1)),
            (12_000, Some(2)),
            (12_001, Some(3)),
            (910_000, Some(900)),
            (910_001, None),
        ];
        for (due, expected) in rows {
            assert_eq!(delay_of(&plan, due), expected, "due at {due}");
        }
        assert_eq!(delay(&plan, None, None, at(10_000)), None);
        assert!(delay(&plan, Some(at(12_000)), None, at(10_000)).is_some());
    }

    #[test]
    fn no_message_is_sent_for_what_only_completes_what_is_known() {
        let until = at(12_000);
        let completing = [
            Waiting::DisplayId { until },
            Waiting::CaseUnread { until },
            Waiting::UnsettledStatus { until },
            Waiting::FullRead { until },
            Waiting::LateCase { until },
            Waiting::UnclearMark { until },
            Waiting::ColumnsNotKept { until: Some(until) },
        ];
        assert_eq!(delay_of(&waiting(completing.clone()), 12_000), None);
        for wait in [
            Waiting::Backoff { until },
            Waiting::UnknownOutcome { until },
            Waiting::CaseQuota { until },
            Waiting::IncidentUnread { until },
            Waiting::UnconfirmedState { until },
            Waiting::LoopBreaker { until },
        ] {
            let mut waits = completing.to_vec();
            waits.push(wait);
            assert_eq!(delay_of(&waiting(waits), 12_000), Some(2));
        }
        let unfinished = Plan { effects: vec![Effect::WriteColumns], waits: Vec::new() };
        assert_eq!(delay_of(&unfinished, 10_000), Some(1));
    }

    #[test]
    fn a_message_that_comes_early_is_kept_for_seconds() {
        assert_eq!(early_wait(at(10_000), at(11_000)), Some(SignedDuration::ZERO));
        assert_eq!(early_wait(at(15_000), at(10_000)), Some(MAXIMUM_STAY));
        assert_eq!(early_wait(at(15_001), at(10_000)), None);
    }
}
