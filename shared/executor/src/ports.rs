//! The ports that the executor works with.

use casebridge_core::support::SupportCase;
use casebridge_ledger::{Ledger, TransferLedger};
use casebridge_ports::{FileQueue, PlanObserver, Randomness, ServiceNow, Support, Timer, WakeQueue};

/// The ports of one installation.
pub trait Ports {
    /// The ledger: links, leases and intents, and the transfers of files.
    type Ledger: Ledger + TransferLedger;
    /// The queue that wakes links at their time. The poller wakes the others.
    type Wakes: WakeQueue;
    /// The queue of transfers of files.
    type Files: FileQueue;
    /// The ServiceNow instance.
    type ServiceNow: ServiceNow;
    /// AWS Support of every account.
    type Support: Support;
    /// Our clock.
    type Clock: Timer;
    /// Random bits.
    type Randomness: Randomness;
    /// The observer of the plans of every kind.
    type Plans: PlanObserver<SupportCase>;

    /// The ledger.
    fn ledger(&self) -> &Self::Ledger;
    /// The queue that wakes links.
    fn wakes(&self) -> &Self::Wakes;
    /// The queue of transfers of files.
    fn files(&self) -> &Self::Files;
    /// ServiceNow.
    fn servicenow(&self) -> &Self::ServiceNow;
    /// AWS Support.
    fn support(&self) -> &Self::Support;
    /// The clock.
    fn clock(&self) -> &Self::Clock;
    /// The source of random bits.
    fn randomness(&self) -> &Self::Randomness;
    /// The observer of plans.
    fn plans(&self) -> &Self::Plans;
}
