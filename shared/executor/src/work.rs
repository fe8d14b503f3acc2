//! The work on one link under one lease.

use casebridge_core::{
    link::{Link, kind::Kind, pass::Pass},
    policy::Policy,
};
use casebridge_ledger::{Lease, LedgerError};
use casebridge_ports::Clock;
use jiff::{SignedDuration, Timestamp};

use crate::{counted::CountedPorts, ports::Ports, report::Report, task::Limits};

/// The state of the work on one link.
pub(crate) struct Work<'a, P: Ports, K: Kind, C> {
    pub(crate) ports: &'a CountedPorts<'a, P>,
    /// Makes the kind's reads and calls.
    pub(crate) carrier: &'a C,
    pub(crate) policy: &'a Policy,
    pub(crate) limits: Limits,
    pub(crate) pass: Pass<K>,
    pub(crate) lease: Lease,
    /// What was last recorded under the lease.
    pub(crate) recorded: Link<K>,
    pub(crate) report: &'a mut Report,
}

impl<P: Ports, K: Kind, C> Work<'_, P, K, C> {
    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// Records in the ledger what is known by now, under the lease.
    pub(crate) async fn record(&mut self) -> Result<(), LedgerError> {
        let now = self.now();
        self.lease = self.ports.ledger.record(&self.lease, &self.recorded, &self.pass.link, now).await?;
        self.recorded = self.pass.link.clone();
        Ok(())
    }

    /// Returns for how long another call may still begin: what is left of the lease, less the time that a call needs.
    /// It is negative once too little is left.
    pub(crate) fn time_left(&self) -> SignedDuration {
        self.lease.until.duration_since(self.now()).saturating_sub(self.limits.least_time_left)
    }

    /// Whether too little of the lease is left to begin another call.
    pub(crate) fn is_out_of_time(&self) -> bool {
        self.time_left().is_negative()
    }
}
