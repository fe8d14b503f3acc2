//! Which port stands where: the one place where the ports of the functions are made, and a sabotage is put around them.

use std::rc::Rc;

use casebridge_core::policy::Policy;
use casebridge_executor::Ports;

use crate::{
    desk::Desk,
    handler_ports::WakePort,
    ledger_port::LedgerPort,
    process_ports::{ClockPort, RandomnessPort, WorkerClock},
    sabotage::{self, Sabotage, ledger::SabotagedLedger, support::SabotagedSupport},
    servicenow::port::ServiceNowPort,
    support::{judge::plans::PlanPort, port::SupportPort},
};

/// The ledger as the functions reach it.
pub type WorldLedger = LedgerPort<SabotagedLedger>;

/// AWS Support as the functions reach it.
pub type WorldSupport = SabotagedSupport<SupportPort>;

/// The ports of the function that reconciles.
pub struct WorldPorts {
    ledger: WorldLedger,
    wakes: WakePort,
    servicenow: ServiceNowPort,
    support: WorldSupport,
    clock: WorkerClock,
    randomness: RandomnessPort,
    plans: PlanPort,
}

impl WorldPorts {
    /// The ports of an executor that starts now.
    pub fn new(desk: &Rc<Desk>, clock: ClockPort) -> Self {
        Self {
            ledger: ledger(desk),
            wakes: WakePort { desk: desk.clone() },
            servicenow: servicenow(desk),
            support: support(desk, SupportPort::of_executor(desk.clone())),
            clock: WorkerClock(clock),
            randomness: RandomnessPort { desk: desk.clone() },
            plans: PlanPort { desk: desk.clone() },
        }
    }

    /// The desk at which they pass.
    pub fn desk(&self) -> &Desk {
        &self.ledger.desk
    }
}

impl Ports for WorldPorts {
    type Ledger = WorldLedger;
    type Wakes = WakePort;
    type ServiceNow = ServiceNowPort;
    type Support = WorldSupport;
    type Clock = WorkerClock;
    type Randomness = RandomnessPort;
    type Plans = PlanPort;

    fn ledger(&self) -> &WorldLedger {
        &self.ledger
    }

    fn wakes(&self) -> &WakePort {
        &self.wakes
    }

    fn servicenow(&self) -> &ServiceNowPort {
        &self.servicenow
    }

    fn support(&self) -> &WorldSupport {
        &self.support
    }

    fn clock(&self) -> &WorkerClock {
        &self.clock
    }

    fn randomness(&self) -> &RandomnessPort {
        &self.randomness
    }

    fn plans(&self) -> &PlanPort {
        &self.plans
    }
}

/// The safeguard that is switched off in this world.
fn sabotage_of(desk: &Desk) -> Option<Sabotage> {
    desk.world.borrow().settings.sabotage
}

/// The ledger, with its sabotage.
pub fn ledger(desk: &Rc<Desk>) -> WorldLedger {
    LedgerPort { desk: desk.clone(), ledger: SabotagedLedger::new(desk.ledger.clone(), sabotage_of(desk)) }
}

/// AWS Support, with its sabotage.
fn support(desk: &Rc<Desk>, port: SupportPort) -> WorldSupport {
    SabotagedSupport::new(port, desk.clone(), sabotage_of(desk))
}

/// AWS Support as the poller asks it.
pub fn poller_support(desk: &Rc<Desk>) -> WorldSupport {
    support(desk, SupportPort::of_poller(desk.clone()))
}

/// The policy of an executor.
pub fn policy(desk: &Desk) -> Policy {
    sabotage::policy::sabotaged(desk.world.borrow().settings.policy.clone(), sabotage_of(desk))
}

/// ServiceNow, with its sabotage.
fn servicenow(desk: &Rc<Desk>) -> ServiceNowPort {
    ServiceNowPort { desk: desk.clone(), app: sabotage::servicenow::app(sabotage_of(desk)) }
}
