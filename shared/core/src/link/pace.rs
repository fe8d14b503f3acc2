//! The loop breaker: how many writes a link makes in a window.

use jiff::Timestamp;

use crate::{
    link::{Link, remembered::Remembered},
    policy::Policy,
    time::{self, seconds},
};

/// Returns how many more writes the loop breaker allows at `now`.
pub fn writes_left<K: Remembered>(policy: &Policy, link: &Link<K>, now: Timestamp) -> usize {
    let window = seconds(policy.write_window_seconds);
    let recent = link.recent_writes.iter().filter(|write| now.duration_since(**write) < window).count();
    writes_per_window(policy).saturating_sub(recent)
}

/// Returns how many writes of a link the loop breaker allows in a window.
pub(crate) fn writes_per_window(policy: &Policy) -> usize {
    usize::try_from(policy.writes_per_window).unwrap_or(usize::MAX)
}

/// Returns when the loop breaker allows the next two writes. With room for only one write, the write of the columns
/// that says that the link goes on would trip the loop breaker again, and so forever.
pub(crate) fn next_write_at(policy: &Policy, recent_writes: &[Timestamp], now: Timestamp) -> Timestamp {
    let mut recent = recent_writes.to_vec();
    recent.sort();
    let beyond = recent.len().checked_sub(writes_per_window(policy));
    let beyond = beyond.map(|beyond| (beyond + 1).min(recent.len().saturating_sub(1)));
    let leaving = beyond.and_then(|index| recent.get(index)).or(recent.first());
    leaving.map_or(now, |write| time::later(*write, seconds(policy.write_window_seconds)))
}
