//! The loop breaker: how many writes a link makes in a window.

use jiff::Timestamp;

use crate::{
    link::{Link, remembered::Remembered},
    policy::Policy,
    time::seconds,
};

/// How many writes the loop breaker still lets through.
pub fn writes_left<K: Remembered>(policy: &Policy, link: &Link<K>, now: Timestamp) -> usize {
    let window = seconds(policy.write_window_seconds);
    let recent = link.recent_writes.iter().filter(|write| now.duration_since(**write) < window).count();
    writes_per_window(policy).saturating_sub(recent)
}

/// How many writes of a link the loop breaker lets through in a window.
pub(crate) fn writes_per_window(policy: &Policy) -> usize {
    usize::try_from(policy.writes_per_window).unwrap_or(usize::MAX)
}

/// When the loop breaker lets the next two writes through. With room for one alone, the write that tells that it goes on would
/// be the one that stops it again, for ever.
pub(crate) fn next_write_at(policy: &Policy, recent_writes: &[Timestamp], now: Timestamp) -> Timestamp {
    let mut recent = recent_writes.to_vec();
    recent.sort();
    let beyond = recent.len().checked_sub(writes_per_window(policy));
    let beyond = beyond.map(|beyond| (beyond + 1).min(recent.len().saturating_sub(1)));
    let leaving = beyond.and_then(|index| recent.get(index)).or(recent.first());
    leaving.and_then(|write| write.checked_add(seconds(policy.write_window_seconds)).ok()).unwrap_or(now)
}
