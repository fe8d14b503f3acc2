//! The system's clock and its source of random bits.

use std::fmt::Write;

use casebridge_core::{identifiers::AttemptId, link::mark::Entropy};
use casebridge_ports::{Clock, Randomness, Timer};
use jiff::{SignedDuration, Timestamp};

/// The highest value of [`Randomness::spread`], in thousandths: the whole.
const MAXIMUM_SPREAD: u32 = 1_000;

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

impl Timer for SystemClock {
    async fn sleep(&self, wait: SignedDuration) {
        tokio::time::sleep(wait.unsigned_abs()).await;
    }
}

/// The operating system's source of random bits.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

/// Returns random bytes of the operating system.
///
/// # Panics
/// If the operating system has none. Marks and attempts must be unguessable, so the function must not go on.
fn random_bytes<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
    bytes
}

impl Randomness for SystemRandomness {
    fn entropy(&self) -> Entropy {
        Entropy::new(random_bytes())
    }

    fn attempt(&self) -> AttemptId {
        let hexadecimal = random_bytes::<16>().iter().fold(String::with_capacity(32), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        AttemptId::new(hexadecimal)
    }

    fn spread(&self) -> u32 {
        u32::from_be_bytes(random_bytes()) % (MAXIMUM_SPREAD + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_differ_and_spreads_are_in_range() {
        let randomness = SystemRandomness;
        assert_ne!(randomness.attempt(), randomness.attempt());
        assert_eq!(randomness.attempt().as_str().len(), 32);
        assert!((0..100).all(|_| randomness.spread() <= MAXIMUM_SPREAD));
    }
}
