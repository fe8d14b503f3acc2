//! Time.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};

/// Our clock.
pub trait Clock {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}

/// Our clock, and a way to wait by it.
pub trait Timer: Clock {
    /// Waits for this long.
    fn sleep(&self, wait: SignedDuration) -> impl Future<Output = ()>;
}
