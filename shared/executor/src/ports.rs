//! What the executor works with.

use casebridge_ledger::Ledger;
use casebridge_ports::{PlanObserver, Randomness, ServiceNow, Support, Timer, WakeQueue};

/// The ports of one installation.
pub trait Ports {
    /// What is remembered, and who may act.
    type Ledger: Ledger;
    /// Who wakes links at their time, besides the poller.
    type Wakes: WakeQueue;
    /// The ServiceNow instance.
    type ServiceNow: ServiceNow;
    /// AWS Support of every account.
    type Support: Support;
    /// Our clock.
    type Clock: Timer;
    /// Random bits.
    type Randomness: Randomness;
    /// Who hears of plans.
    type Plans: PlanObserver;

    /// The ledger.
    fn ledger(&self) -> &Self::Ledger;
    /// The queue that wakes links.
    fn wakes(&self) -> &Self::Wakes;
    /// ServiceNow.
    fn servicenow(&self) -> &Self::ServiceNow;
    /// AWS Support.
    fn support(&self) -> &Self::Support;
    /// The clock.
    fn clock(&self) -> &Self::Clock;
    /// The source of random bits.
    fn randomness(&self) -> &Self::Randomness;
    /// Who hears of plans.
    fn plans(&self) -> &Self::Plans;
}
