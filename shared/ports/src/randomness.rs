//! Random bits.

use casebridge_core::{identifiers::AttemptId, link::mark::Entropy};

/// Random bits of a cryptographically secure source.
pub trait Randomness {
    /// Returns the random bits from which the marks of one plan are drawn.
    fn entropy(&self) -> Entropy;
    /// Returns a unique name for one attempt at a lease.
    fn attempt(&self) -> AttemptId;
    /// Returns how far to spread a retry, in thousandths from 0 to 1,000.
    fn spread(&self) -> u32;
}
