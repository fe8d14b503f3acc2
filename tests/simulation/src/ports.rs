//! Makes the ports of the functions. This is the only place that puts a sabotage around them.

use std::rc::Rc;

use casebridge_core::policy::Policy;
use casebridge_executor::Ports;

use crate::{
    desk::Desk,
    handler_ports::{FilesPort, WakePort},
    ledger_port::LedgerPort,
    process_ports::{ClockPort, RandomnessPort, WorkerClock},
    sabotage::{self, Sabotage, catalogue::SabotagedCatalogue, ledger::SabotagedLedger, support::SabotagedSupport},
    servicenow::port::ServiceNowPort,
    support::{catalogue::CataloguePort, judge::plans::PlanPort, port::SupportPort},
};

/// The ledger, as the functions call it.
pub type WorldLedger = LedgerPort<SabotagedLedger>;

/// AWS Support, as the functions call it.
pub type WorldSupport = SabotagedSupport<SupportPort>;

/// The ports of the function that reconciles.
pub struct WorldPorts {
    ledger: WorldLedger,
    wakes: WakePort,
    files: FilesPort,
    servicenow: ServiceNowPort,
    support: WorldSupport,
    clock: WorkerClock,
    randomness: RandomnessPort,
    plans: PlanPort,
}

impl WorldPorts {
    /// Returns the ports of an executor that starts now.
    pub fn new(desk: &Rc<Desk>, clock: ClockPort) -> Self {
        Self {
            ledger: ledger(desk),
            wakes: WakePort { desk: desk.clone() },
            files: FilesPort { desk: desk.clone() },
            servicenow: servicenow(desk),
            support: support(desk, SupportPort::of_executor(desk.clone())),
            clock: WorkerClock(clock),
            randomness: RandomnessPort { desk: desk.clone() },
            plans: PlanPort { desk: desk.clone() },
        }
    }

    /// Returns the desk that their calls pass.
    pub fn desk(&self) -> &Desk {
        &self.ledger.desk
    }
}

impl Ports for WorldPorts {
    type Ledger = WorldLedger;
    type Wakes = WakePort;
    type Files = FilesPort;
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

    fn files(&self) -> &FilesPort {
        &self.files
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

/// Returns the safeguard that is switched off in this world, if any.
fn sabotage_of(desk: &Desk) -> Option<Sabotage> {
    desk.world.borrow().settings.sabotage
}

/// Returns the ledger, with its sabotage if there is one.
pub fn ledger(desk: &Rc<Desk>) -> WorldLedger {
    LedgerPort { desk: desk.clone(), ledger: SabotagedLedger::new(desk.ledger.clone(), sabotage_of(desk)) }
}

/// Returns AWS Support, with its sabotage if there is one.
fn support(desk: &Rc<Desk>, port: SupportPort) -> WorldSupport {
    SabotagedSupport::new(port, desk.clone(), sabotage_of(desk))
}

/// Returns AWS Support for a poller.
pub fn poller_support(desk: &Rc<Desk>) -> WorldSupport {
    support(desk, SupportPort::of_poller(desk.clone()))
}

/// Returns the policy of an executor, with its sabotage if there is one.
pub fn policy(desk: &Desk) -> Policy {
    sabotage::policy::sabotaged(desk.world.borrow().settings.policy.clone(), sabotage_of(desk))
}

/// The files of cases, as the function that moves them reads and writes them.
pub type WorldCaseFiles = SupportPort;

/// Returns the files of cases.
pub fn case_files(desk: &Rc<Desk>) -> WorldCaseFiles {
    SupportPort::of_executor(desk.clone())
}

/// Returns the catalogue at AWS Support.
pub fn offered_catalogue(desk: &Rc<Desk>) -> CataloguePort {
    CataloguePort { desk: desk.clone() }
}

/// Returns the catalogue in ServiceNow, with its sabotage if there is one.
pub fn catalogue(desk: &Rc<Desk>) -> SabotagedCatalogue<CataloguePort> {
    SabotagedCatalogue::new(CataloguePort { desk: desk.clone() }, sabotage_of(desk))
}

/// Returns ServiceNow, with its sabotage if there is one.
pub fn servicenow(desk: &Rc<Desk>) -> ServiceNowPort {
    ServiceNowPort { desk: desk.clone(), app: sabotage::servicenow::app(sabotage_of(desk)) }
}
