//! The queue that wakes links at their time.

use std::{error::Error, future::Future};

use casebridge_core::hint::Hint;
use jiff::SignedDuration;

/// A queue that delivers hints after a delay.
pub trait WakeQueue {
    /// Why the queue did not accept a hint.
    type Error: Error + 'static;

    /// Sends a hint that is delivered after a delay, in whole seconds, of at most 15 minutes. The hint may come later,
    /// twice, or never.
    ///
    /// # Errors
    /// Fails if the queue did not accept the message.
    fn send_later(&self, hint: &Hint, delay: SignedDuration) -> impl Future<Output = Result<(), Self::Error>>;
}
