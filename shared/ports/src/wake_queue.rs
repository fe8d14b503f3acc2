//! Where links are woken at their time.

use std::{error::Error, future::Future};

use casebridge_core::hint::Hint;
use jiff::SignedDuration;

/// Where a hint is left for later.
pub trait WakeQueue {
    /// Why it was not taken.
    type Error: Error + 'static;

    /// Hands a hint out after a delay, in whole seconds, at most 15 minutes. It may come later, twice, or never.
    fn send_later(&self, hint: &Hint, delay: SignedDuration) -> impl Future<Output = Result<(), Self::Error>>;
}
