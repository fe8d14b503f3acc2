//! Random bits.

use casebridge_core::{identifiers::AttemptId, link::mark::Entropy};

/// Random bits of a cryptographically secure source.
pub trait Randomness {
    /// What the marks of one plan come from.
    fn entropy(&self) -> Entropy;
    /// A name for one attempt that no other has.
    fn attempt(&self) -> AttemptId;
    /// How far to spread a retry: 0 to 1,000 thousandths.
    fn spread(&self) -> u32;
}
