//! The work on one hint: finds its link and drives it.

use crate::{
    carrier::Carrier,
    counted::{Calls, CountedPorts},
    drive::drive,
    error::ReconcileError,
    ports::Ports,
    report::Report,
    support::{Found, HintedCase, SupportCarrier, find_link},
    task::{Limits, Task},
};
use casebridge_core::{
    hint::{Hint, Subject},
    identifiers::{LinkKey, LinkKind},
    link::kind::Kind,
    policy::Policy,
};

/// Acts on hints. The same code runs in the function and, over ports in memory, in the simulation.
pub struct Executor<P> {
    /// The ports that it works with.
    pub ports: P,
    /// The policy.
    pub policy: Policy,
    /// The time limits.
    pub limits: Limits,
}

impl<P: Ports> Executor<P> {
    /// Brings the hint's link in step, as far as is possible now. A request that a side refuses or does not answer
    /// becomes a wait and is no error.
    ///
    /// # Errors
    ///
    /// Fails if the ledger does, or on a fault of casebridge itself.
    pub async fn reconcile(&self, hint: &Hint) -> Result<Report, ReconcileError> {
        let (calls, mut report) = (Calls::default(), Report::default());
        let ports = CountedPorts::new(&self.ports, &calls);
        let found = match &hint.subject {
            Subject::Link { key } => Some(Found { key: key.clone(), case: None }),
            Subject::Case { account, case_id } => {
                let named = HintedCase { account, case_id, cause: hint.cause, received_at: hint.received_at };
                find_link(&ports, &self.policy, named, &mut report).await?
            }
        };
        if let Some(Found { key, case }) = found {
            match key.kind {
                LinkKind::SupportCase => {
                    let carrier = SupportCarrier { ports: &ports };
                    // Boxed, since the state of a pass is large and every caller would carry it.
                    Box::pin(drive(&ports, &carrier, self.task(hint), key, case.as_ref(), &mut report)).await?;
                }
            }
        }
        Ok(Report { calls: calls.made(), ..report })
    }

    /// Brings a link of any kind in step, as [`Self::reconcile`] does. The carrier makes the kind's reads and calls.
    ///
    /// # Errors
    ///
    /// Fails if the ledger or the carrier's ledger does, or on a fault of casebridge itself.
    pub async fn reconcile_with<K: Kind>(
        &self,
        carrier: &impl Carrier<K>,
        hint: &Hint,
        key: &LinkKey,
    ) -> Result<Report, ReconcileError> {
        let (calls, mut report) = (Calls::default(), Report::default());
        let ports = CountedPorts::new(&self.ports, &calls);
        Box::pin(drive(&ports, carrier, self.task(hint), key.clone(), None, &mut report)).await?;
        Ok(Report { calls: calls.made(), ..report })
    }

    fn task<'a>(&'a self, hint: &'a Hint) -> Task<'a> {
        Task { hint, policy: &self.policy, limits: self.limits }
    }
}
