//! How long casebridge tries again what only people can change and no trigger reports.

use jiff::{SignedDuration, Timestamp};

use crate::policy::Policy;

/// How long casebridge tries every `refusal_retry_seconds`. People mostly notice within a day that a rule or a changed
/// domain hides an incident.
const TRIED_OFTEN: SignedDuration = SignedDuration::from_hours(24);
/// The interval of the tries afterwards: a day.
const DAILY_SECONDS: u32 = 24 * 60 * 60;
/// How long casebridge tries at all. People restore a record or correct a rule within a month.
const TRIED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Returns the seconds between two tries at `now` of something that began at `since`: `refusal_retry_seconds` for a day, a
/// day for a month, and `None` afterwards.
pub(crate) fn interval_seconds(policy: &Policy, since: Timestamp, now: Timestamp) -> Option<u32> {
    let lasts = now.duration_since(since);
    if lasts < TRIED_OFTEN { Some(policy.refusal_retry_seconds) } else { (lasts < TRIED).then_some(DAILY_SECONDS) }
}
