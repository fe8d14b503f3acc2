//! Time.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};

/// Our clock.
pub trait Clock {
    /// The moment.
    fn now(&self) -> Timestamp;
}

/// Our clock, and a way to wait by it.
pub trait Timer: Clock {
    /// Waits.
    fn sleep(&self, wait: SignedDuration) -> impl Future<Output = ()>;
}
