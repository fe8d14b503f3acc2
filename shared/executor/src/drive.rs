//! The work on one link, from the lease to the release, for every kind.

use casebridge_core::{
    hint::{Cause, Hint},
    identifiers::{ClaimId, LinkKey},
    link::{
        index::RowPrefix,
        kind::Kind,
        pass::{Look, Pass},
        plan::{Plan, WRITE_COLUMNS, Waiting},
        wake,
    },
    poll,
    time::{later, seconds},
};
use casebridge_ledger::{DueLink, LeaseAnswer, LedgerError, ReleaseAnswer};
use casebridge_ports::{Clock, Randomness, ServiceNow, Timer, WakeQueue};
use jiff::{SignedDuration, Timestamp};

use crate::{
    carrier::Carrier, counted::CountedPorts, error::ReconcileError, ports::Ports, report::Report, task::Task,
    work::Work,
};

/// How many passes one hint makes at most while others mark the link dirty. After the last one the link is released
/// and is due at once. A pass mostly takes a few seconds, so five fit into the reconciler's minute, and a link that
/// changes all the time gives way to others.
const PASSES: usize = 5;

/// Brings a link in step, as far as is possible now. Takes in first the record that the hint names, if there is one.
pub(crate) async fn drive<P: Ports, K: Kind, C: Carrier<K>>(
    ports: &CountedPorts<'_, P>,
    carrier: &C,
    task: Task<'_>,
    key: LinkKey,
    record: Option<&K::Record>,
    report: &mut Report,
) -> Result<(), ReconcileError> {
    report.link = Some(key.clone());
    let Task { hint, policy, limits } = task;
    // The worker's time runs from here on, also while it waits.
    let until = later(ports.clock.now(), limits.lease);
    let Some(claim) = claim(ports, hint, &key, report).await? else {
        report.unclaimed = true;
        return Ok(());
    };
    let now = ports.clock.now();
    let attempt = ports.randomness.attempt();
    match ports.ledger.take_lease::<K>(&key, &attempt, now, until, claim.as_ref()).await? {
        LeaseAnswer::Deferred => {
            report.deferred = true;
            report.record_untold = record.is_some();
        }
        LeaseAnswer::Unclaimed => report.unclaimed = true,
        LeaseAnswer::Taken { lease, link, interrupted, due } => {
            let recorded = (*link).clone();
            let before = recorded.memory.clone();
            let mut pass = Pass::new(key, *link);
            pass.link.interrupted |= interrupted;
            if let Some(record) = record {
                K::see_record(&mut pass, policy, record, now);
            }
            let mut work = Work { ports, carrier, policy, limits, pass, lease, recorded, report };
            if let Err(error) = work.passes(hint, due).await {
                return work.abandon(error).await;
            }
            let after = &work.pass.link.memory;
            work.report.doubles = K::doubles(after).saturating_sub(K::doubles(&before));
            if let Some(waiting) = K::next_waiting(&before, after) {
                wake_next(ports, &waiting).await?;
            }
        }
    }
    Ok(())
}

/// Returns the claim under which a hint acts; the inner `None` means that it needs none. Returns `None` if the hint has
/// nothing left to do. A wake makes its claim itself, as the poller would, if the link is due at the very time that the
/// wake was sent for.
async fn claim<P: Ports>(
    ports: &CountedPorts<'_, P>,
    hint: &Hint,
    key: &LinkKey,
    report: &mut Report,
) -> Result<Option<Option<ClaimId>>, LedgerError> {
    if hint.cause != Cause::Wake {
        return Ok(Some(hint.claim.clone()));
    }
    let due_at = hint.received_at;
    let Some(early) = wake::early_wait(due_at, ports.clock.now()) else { return Ok(None) };
    if !early.is_zero() {
        ports.clock.sleep(early).await;
        report.stayed = early;
    }
    let (claim, until) = poll::claim(due_at, ports.clock.now());
    let due = DueLink { key: key.clone(), due_at };
    Ok(ports.ledger.claim_due(&due, &claim, until).await?.then_some(Some(claim)))
}

/// Wakes the next link that waits for what this link no longer waits for.
async fn wake_next<P: Ports>(ports: &CountedPorts<'_, P>, waiting: &RowPrefix) -> Result<(), LedgerError> {
    if let Some(next) = ports.ledger.first_link_under(waiting).await? {
        ports.ledger.wake(&next, ports.clock.now()).await?;
    }
    Ok(())
}

impl<P: Ports, K: Kind, C: Carrier<K>> Work<'_, P, K, C> {
    /// Makes passes until the link is released. `due_before` is when the link was due before the hint.
    async fn passes(&mut self, hint: &Hint, due_before: Option<Timestamp>) -> Result<(), ReconcileError> {
        let mut look = Look::Hint(hint.cause);
        for pass in 1..=PASSES {
            let (plan, due) = self.pass(look).await?;
            look = Look::Both;
            self.report.due = due;
            let (now, even_if_dirty) = (self.now(), pass == PASSES);
            let answer = self
                .ports
                .ledger
                .release(&self.lease, &self.recorded, &self.pass.link, due, even_if_dirty, now)
                .await?;
            match answer {
                ReleaseAnswer::Released => {
                    self.send_wake(&plan, due, due_before).await;
                    return Ok(());
                }
                ReleaseAnswer::Dirty { lease } => {
                    self.lease = lease;
                    self.recorded = self.pass.link.clone();
                    let link = std::mem::take(&mut self.pass.link);
                    self.pass = Pass::new(self.pass.key.clone(), link);
                }
            }
        }
        Ok(())
    }

    /// Looks and applies, and repeats both while the core says that the pass stays with the link. Returns the last
    /// plan, and when to look at the link again; `None` if nothing is due.
    ///
    /// Records what is known before each wait, so that a worker that dies while it waits leaves no call in doubt.
    async fn pass(&mut self, mut look: Look) -> Result<(Plan<K::Call>, Option<Timestamp>), ReconcileError> {
        loop {
            self.look(look).await?;
            let mut applied = self.apply().await?;
            if applied.doubt && !self.is_out_of_time() {
                // Often only the answer was lost: one look at once saves the link a wait.
                self.look(Look::Record).await?;
                applied = self.apply().await?;
            }
            let now = self.now();
            let due = self.pass.finish(self.policy, &applied.plan, now);
            self.report.out_of_use = self.pass.is_account_out_of_use(self.policy);
            self.report.waits = applied.plan.waits.iter().map(Waiting::name).collect();
            let stays = wake::stay_duration(&applied.plan, now, self.time_left(), self.report.stayed);
            let Some(wait) = stays else { return Ok((applied.plan, due)) };
            self.record().await?;
            self.ports.clock.sleep(wait).await;
            self.report.stayed = self.report.stayed.saturating_add(wait);
            self.pass.look_again();
            look = Look::Both;
        }
    }

    /// Sends a wake for the time at which the link is due, if it is due soon.
    async fn send_wake(&mut self, plan: &Plan<K::Call>, due: Option<Timestamp>, due_before: Option<Timestamp>) {
        let delay = wake::delay(plan, due, due_before, self.now());
        if let Some((due, delay)) = due.zip(delay) {
            self.wake_at(self.pass.key.clone(), due, delay).await;
        }
    }

    /// Sends a wake to a link that is due at this moment. If the queue does not accept it, the poller wakes the link.
    pub(crate) async fn wake_at(&mut self, key: LinkKey, due: Timestamp, delay: SignedDuration) {
        if let Err(error) = self.ports.wakes.send_later(&wake::hint(key.clone(), due), delay).await {
            tracing::warn!(link = %key, error = &error as &dyn std::error::Error, "a link waits for the poller");
            self.report.wake_lost = true;
        }
    }

    /// Releases the link after a failure, so that the next attempt at the hint finds it free. No call is under way: the
    /// failure came before a call or after it. If the release fails as well, the lease ends by itself, and the link is
    /// due then.
    ///
    /// A link that has become too large for the ledger does not recover by itself. This is no error: the incident's
    /// columns say so, and the link is due again after `refusal_retry_seconds`.
    async fn abandon(&mut self, error: ReconcileError) -> Result<(), ReconcileError> {
        let abandoned = self.pass.abandoned(&self.recorded);
        let is_full =
            matches!(error, ReconcileError::Ledger(LedgerError::TooLarge { .. } | LedgerError::TooManyRows { .. }));
        let now = self.now();
        let due = if is_full { later(now, seconds(self.policy.refusal_retry_seconds)) } else { self.lease.until };
        if is_full {
            tracing::error!(link = %self.pass.key, error = &error as &dyn std::error::Error, "a link is full");
            self.report.full = true;
            self.tell_full_link().await;
        }
        let released =
            self.ports.ledger.release(&self.lease, &self.recorded, &abandoned, Some(due), !is_full, now).await;
        drop(released);
        if is_full { Ok(()) } else { Err(error) }
    }

    /// Writes to the incident's columns that the link can't be recorded any more.
    async fn tell_full_link(&mut self) {
        if let Some(delivery) = self.pass.full_link_delivery() {
            let told = self.ports.servicenow.deliver(&self.pass.key, &delivery).await;
            self.report.effect(WRITE_COLUMNS, told.as_ref().err());
        }
    }
}
