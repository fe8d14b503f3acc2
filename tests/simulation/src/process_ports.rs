//! The ports that each process has for itself: its clock, and random bits. Both come from the world.

use std::rc::Rc;

use casebridge_core::{identifiers::AttemptId, link::mark::Entropy};
use casebridge_ports::{Clock, Randomness, Timer};
use jiff::{SignedDuration, Timestamp};

use crate::{calls::RemoteCall, desk::Desk};

/// The clock of one process: the world's clock plus a skew.
pub struct ClockPort {
    /// The world.
    pub desk: Rc<Desk>,
    /// How far it is ahead of the world's clock.
    pub skew: SignedDuration,
}

impl Clock for ClockPort {
    fn now(&self) -> Timestamp {
        self.desk.world.borrow().now + self.skew
    }
}

impl Timer for ClockPort {
    async fn sleep(&self, wait: SignedDuration) {
        self.desk.pause(wait).await;
    }
}

/// The clock of a worker, which may die while it waits.
pub struct WorkerClock(pub ClockPort);

impl Clock for WorkerClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl Timer for WorkerClock {
    async fn sleep(&self, wait: SignedDuration) {
        self.0.desk.arrive(RemoteCall::Stay, || format!("{wait:#}")).await;
        self.0.sleep(wait).await;
    }
}

/// Random bits from the world's seed.
pub struct RandomnessPort {
    /// The world.
    pub desk: Rc<Desk>,
}

impl Randomness for RandomnessPort {
    fn entropy(&self) -> Entropy {
        Entropy::new(self.desk.world.borrow_mut().entropy.bytes())
    }

    fn attempt(&self) -> AttemptId {
        AttemptId::new(format!("attempt-{}", self.desk.world.borrow_mut().next_attempt()))
    }

    fn spread(&self) -> u32 {
        u32::try_from(self.desk.world.borrow_mut().entropy.below(1_001)).unwrap_or_default()
    }
}
