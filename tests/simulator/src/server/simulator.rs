//! Everything that is simulated, shared by the connections.
//!
//! Each part has its own lock. No code takes a lock while it holds another one, because ServiceNow may wait for the
//! answer to its webhook while AWS Support goes on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::exchange::Outcome;
use super::files::FilesFolder;
use crate::calls::Calls;
use crate::faults::{Fault, Faults, ReceivedCall};
use crate::outbound::Network;
use crate::publisher::Publisher;
use crate::servicenow::Instance;
use crate::support::Support;

/// Both simulated platforms, the ordered faults and the log of calls.
#[derive(Debug)]
pub(super) struct Simulator {
    support: Mutex<Support>,
    instance: Mutex<Instance>,
    faults: Mutex<Faults>,
    calls: Mutex<Calls>,
    pub network: Network,
    pub publisher: Arc<Publisher>,
    /// The files that were uploaded to AWS Support. Dropped last, when no file in it is in use.
    pub files: FilesFolder,
}

impl Simulator {
    pub fn new(
        support: Support,
        instance: Instance,
        network: Network,
        publisher: Arc<Publisher>,
        files: FilesFolder,
    ) -> Self {
        Self {
            support: Mutex::new(support),
            instance: Mutex::new(instance),
            faults: Mutex::default(),
            calls: Mutex::default(),
            network,
            publisher,
            files,
        }
    }

    pub fn instance(&self) -> MutexGuard<'_, Instance> {
        lock(&self.instance)
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub fn calls(&self) -> MutexGuard<'_, Calls> {
        lock(&self.calls)
    }

    /// Reads or changes AWS Support, and publishes the events of the change.
    pub fn support<T>(&self, act: impl FnOnce(&mut Support) -> T) -> T {
        let mut support = lock(&self.support);
        let result = act(&mut support);
        let events = support.take_events();
        // The events are queued under the lock, which keeps them in the order of the changes. Another task sends them.
        self.publisher.publish(events);
        result
    }

    /// Makes one call: takes its fault, carries it out and records it.
    pub fn call(
        &self,
        at: Timestamp,
        call: &ReceivedCall<'_>,
        happen: impl FnOnce(Option<&Fault>) -> Outcome,
    ) -> Outcome {
        let fault = self.faults().take(call);
        let outcome = happen(fault.as_ref());
        let status = match &outcome {
            Outcome::Answer(response) | Outcome::Break(response) => Some(response.status),
            Outcome::Drop | Outcome::Hold => None,
        };
        self.calls().record(at, call, status, fault.map(|fault| fault.kind));
        outcome
    }
}

/// Locks a mutex, also after a panic in another call: a panic breaks one call, not the simulator.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
