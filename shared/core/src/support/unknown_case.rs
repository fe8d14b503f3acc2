//! What casebridge does with an event whose case has no link.
//!
//! AWS sends the event of a CreateCase while the call is under way, before its outcome is recorded. So the event may
//! belong to an undecided CreateCase of the case's account that was written before the event came. The outcome of a
//! young CreateCase is recorded within seconds, so the event waits for it. After that the case is read for its mark, up
//! to a limit for each account and minute. If there is no undecided CreateCase, somebody opened the case at AWS: it is
//! read if the policy opens incidents for such cases ([`crate::support::opened_case`]), and else the event is dropped.
//!
//! Nothing depends on the event: the link that opened the case is due by itself and looks for it, and the poller finds
//! the cases that others opened.

use jiff::{SignedDuration, Timestamp};

use crate::{
    hint::Cause,
    identifiers::{AccountId, CaseId},
    link::mark::Mark,
    policy::{OpenedCaseRule, Policy},
    support::{case::Case, memory::CREATION_UNDECIDED_FOR, read::marks_of},
    time,
};

/// How soon the outcome of a CreateCase is recorded if nothing goes wrong: the call and a delivery to ServiceNow take
/// two or three seconds, under load a few more.
const OUTCOME_RECORDED_WITHIN: SignedDuration = SignedDuration::from_secs(9);
/// How long an event waits before it is looked at again. One wait is nearly always enough, and an event waits four
/// times at most. The queue hands a message out seven times before it is parked.
const LOOK_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(3);
/// How far the clocks of two of our functions may be apart. They are synchronised to milliseconds.
const OUR_CLOCKS_APART: SignedDuration = SignedDuration::from_secs(1);
/// How many unknown cases of an account are read in a minute, at most: a tenth of the account's quota of five calls a
/// second. Source: AWS Support endpoints and quotas.
pub const READS_PER_MINUTE: u32 = 30;
/// The name under which the ledger counts the unknown cases of an account that are read in a minute.
pub const READS: &str = "reads";

/// How many marks of a case are looked up, at most: the first text of a case of ours has one. The others are for texts
/// of other authors in the same second, and each look is a read of the ledger.
const MARKS_LOOKED_UP: usize = 3;

/// What casebridge does with an event whose case has no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownCase {
    /// casebridge does nothing for the case: it is not ours, and it becomes no incident. If the policy ignores such cases
    /// and the account has no undecided CreateCase that the event could belong to, the case is not read.
    NotOurs,
    /// A young CreateCase may have opened the case: the event is looked at again after this time, in whole seconds.
    Wait(SignedDuration),
    /// The case is read: its first communication may carry the mark of a CreateCase in doubt.
    Read,
    /// The account's limit of reads in this minute is reached: nothing is read.
    LimitReached,
}

/// A case without a known link, with a mark that may be that of a link's CreateCase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedCase {
    /// The account that owns it.
    pub account: AccountId,
    /// The case.
    pub case_id: CaseId,
    /// Its subject.
    pub subject: String,
    /// The mark.
    pub mark: Mark,
}

/// Returns the marks of a case without a known link, three at most. They may be marks of CreateCases, whose links are
/// looked up.
pub fn marked_cases(account: &AccountId, case: &Case) -> Vec<MarkedCase> {
    let marks = marks_of(case).into_iter().take(MARKS_LOOKED_UP);
    let with_mark = |mark| MarkedCase {
        account: account.clone(),
        case_id: case.case_id.clone(),
        subject: case.subject.clone(),
        mark,
    };
    marks.map(with_mark).collect()
}

/// Returns the first and the last moment, by our clock, at which the CreateCase of an event may have been written.
/// Earlier ones are decided, or given up for good. Later ones have not opened the case.
pub fn candidates(received_at: Timestamp, now: Timestamp) -> (Timestamp, Timestamp) {
    let first = time::earlier(now, CREATION_UNDECIDED_FOR);
    (first, time::later(received_at, OUR_CLOCKS_APART))
}

/// Decides what to do with the event. `newest` is when the newest undecided CreateCase was written that the event may
/// belong to; `None` if there is none. Then the case is read only if it may become an incident. If an operator asks for
/// the case, it is always read.
pub fn decide(policy: &Policy, cause: Cause, newest: Option<Timestamp>, now: Timestamp) -> UnknownCase {
    if cause == Cause::Replay {
        return UnknownCase::Read;
    }
    let Some(written_at) = newest else {
        let may_become_incident = policy.cases_opened_at_aws == OpenedCaseRule::OpenIncident;
        return if may_become_incident { UnknownCase::Read } else { UnknownCase::NotOurs };
    };
    let left = OUTCOME_RECORDED_WITHIN - now.duration_since(written_at);
    if !left.is_positive() {
        return UnknownCase::Read;
    }
    // Rounded up, since a shorter wait would bring the event again while the CreateCase is still young.
    UnknownCase::Wait(time::whole_seconds(left.min(LOOK_AGAIN_AFTER)))
}

/// Whether the reads that this trigger causes are limited. Those of the poller and of an operator are not: they name few
/// cases, and nothing else would bring them.
pub fn is_limited(cause: Cause) -> bool {
    !matches!(cause, Cause::CasePoll | Cause::Replay)
}

/// Returns `Read` if the case may be read, or `LimitReached`. `reads` counts the reads of the account in this minute,
/// this one included.
pub fn within_limit(reads: u32) -> UnknownCase {
    if reads <= READS_PER_MINUTE { UnknownCase::Read } else { UnknownCase::LimitReached }
}

/// Whether a case is read that was opened at `time_created`, by AWS's clock. An event reports the case of an undecided
/// CreateCase, or a case that has just been opened: both are young. The poller and an operator know what they ask for.
pub fn is_young_enough(cause: Cause, time_created: Timestamp, now: Timestamp) -> bool {
    !is_limited(cause) || now.duration_since(time_created) < CREATION_UNDECIDED_FOR + time::CLOCKS_APART
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    fn ignoring() -> Policy {
        Policy { cases_opened_at_aws: OpenedCaseRule::Ignore, ..Policy::default() }
    }

    fn wait(seconds: i64) -> UnknownCase {
        UnknownCase::Wait(SignedDuration::from_secs(seconds))
    }

    #[test]
    fn an_event_without_an_undecided_creation_ends_there() {
        assert_eq!(decide(&ignoring(), Cause::SupportEvent, None, at(0)), UnknownCase::NotOurs);
        assert_eq!(decide(&ignoring(), Cause::Replay, None, at(0)), UnknownCase::Read);
    }

    #[test]
    fn a_case_without_an_undecided_creation_is_read_if_it_may_become_an_incident() {
        assert_eq!(decide(&Policy::default(), Cause::SupportEvent, None, at(0)), UnknownCase::Read);
        assert_eq!(decide(&Policy::default(), Cause::SupportEvent, Some(at(0)), at(0)), wait(3));
    }

    #[test]
    fn what_the_poller_or_an_operator_names_is_read_without_a_limit() {
        for (cause, limited) in [(Cause::SupportEvent, true), (Cause::CasePoll, false), (Cause::Replay, false)] {
            assert_eq!(is_limited(cause), limited, "{cause:?}");
        }
    }

    #[test]
    fn an_event_waits_for_the_outcome_of_a_young_creation() {
        let comes_of = |age| decide(&ignoring(), Cause::SupportEvent, Some(at(0)), at(age));
        for (age, expected) in [(-400, wait(3)), (0, wait(3)), (5_999, wait(3)), (6_001, wait(3)), (6_999, wait(3))] {
            assert_eq!(comes_of(age), expected, "{age}");
        }
        for (age, expected) in [(7_000, wait(2)), (8_000, wait(1)), (8_999, wait(1)), (9_000, UnknownCase::Read)] {
            assert_eq!(comes_of(age), expected, "{age}");
        }
        assert_eq!(decide(&ignoring(), Cause::Replay, Some(at(0)), at(0)), UnknownCase::Read);
    }

    /// Each wait is one more receive of a message that is parked after the seventh.
    #[test]
    fn an_event_waits_four_times_at_most_whatever_its_age() {
        for first in -1_000..11_000 {
            let mut now = first;
            let mut waits = 0;
            while let UnknownCase::Wait(wait) = decide(&ignoring(), Cause::SupportEvent, Some(at(0)), at(now)) {
                now += i64::try_from(wait.as_millis()).unwrap();
                waits += 1;
            }
            assert!(waits <= 4, "{waits} waits from {first} on");
        }
    }

    #[test]
    fn candidates_are_of_the_last_day_and_not_of_after_the_event() {
        let (first, last) = candidates(at(0), at(60_000));
        assert_eq!(first, at(60_000) - CREATION_UNDECIDED_FOR);
        assert_eq!(last, at(1_000));
    }

    #[test]
    fn so_many_reads_and_no_more_are_within_the_limit() {
        assert_eq!(within_limit(1), UnknownCase::Read);
        assert_eq!(within_limit(READS_PER_MINUTE), UnknownCase::Read);
        assert_eq!(within_limit(READS_PER_MINUTE + 1), UnknownCase::LimitReached);
    }

    #[test]
    fn an_old_case_is_of_no_undecided_creation() {
        let age = SignedDuration::from_hours(25);
        let is_read = |created, now| is_young_enough(Cause::SupportEvent, created, now);
        assert!(is_read(at(0), at(0)) && is_read(at(1), at(0) + age) && !is_read(at(0), at(0) + age));
        assert!(is_young_enough(Cause::CasePoll, at(0), at(0) + age));
    }
}
