//! One hint, from the lease to the release.

use casebridge_core::{
    effect::{Effect, Failure},
    hint::{Hint, Subject},
    identifiers::{AccountId, CaseId, CaseKey, LinkKey},
    mark::Mark,
    observation::Observation,
    plan::Waiting,
    policy::{Policy, seconds},
    trouble::Side,
    unknown_case::{self, UnknownCase},
};
use casebridge_ledger::{Lease, LeaseAnswer, Ledger, LedgerError, ReleaseAnswer};
use jiff::{SignedDuration, Timestamp};

use crate::{
    apply::Tenure,
    observe::Look,
    owner::{Owner, Told, owner_of_case},
    ports::{Clock, Randomness, ServiceNow, Support},
};

/// How often a link is looked at again in one go because somebody left word; then it waits for the next wake-up.
const PASSES: usize = 5;
/// How many marks of a strange case are looked up: its first text has one, if it is ours.
const MARKS_LOOKED_UP: usize = 3;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a lease lasts: longer than the worker can live.
    pub lease: SignedDuration,
    /// The least time of a lease that must be left to begin another call.
    pub least_time_left: SignedDuration,
}

/// What one hint came to, for logs and metrics. It holds no customer's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The link, if one was found.
    pub link: Option<LinkKey>,
    /// What came of a hint about a case that no link was known of.
    pub unknown_case: Option<UnknownCase>,
    /// Whether another worker holds the link and was left word.
    pub deferred: bool,
    /// Whether the link has become too large for the ledger.
    pub full: bool,
    /// Whether the claim of a wake-up was gone, so that nothing was left to do.
    pub unclaimed: bool,
    /// How many remote calls were made, the ledger's among them.
    pub calls: u32,
    /// The effects that were tried, each with the name of its failure if it failed.
    pub effects: Vec<(&'static str, Option<&'static str>)>,
    /// The reads that failed: side and failure.
    pub failures: Vec<(&'static str, &'static str)>,
    /// How many cases were found that we had opened twice.
    pub doubles: u32,
    /// What the link waits for.
    pub waits: Vec<&'static str>,
    /// When the link is looked at again, if nothing happens before.
    pub due: Option<Timestamp>,
}

impl Report {
    pub(crate) fn effect(&mut self, effect: &Effect, failure: Option<&Failure>) {
        self.effects.push((effect.name(), failure.map(Failure::name)));
    }

    pub(crate) fn failed(&mut self, side: Side, failure: &Failure) {
        let side = match side {
            Side::Aws => "aws",
            Side::ServiceNow => "servicenow",
        };
        self.failures.push((side, failure.name()));
    }
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(now)
}

/// The link of a hint about a case.
struct Found {
    key: LinkKey,
    stray: Option<Stray>,
}

/// A case that carries a mark of the link and is not its case, or not yet.
struct Stray {
    account: AccountId,
    case_id: CaseId,
    subject: String,
    mark: Mark,
}

/// Acts on hints. The same code runs in the function and, over ports in memory, in the simulation.
pub struct Executor<L, S, A, C, R> {
    /// What is remembered, and who may act.
    pub ledger: L,
    /// The ServiceNow instance.
    pub servicenow: S,
    /// AWS Support of every account.
    pub support: A,
    /// Our clock.
    pub clock: C,
    /// Random bits.
    pub randomness: R,
    /// The policy.
    pub policy: Policy,
    /// How long things may take.
    pub limits: Limits,
}

impl<L: Ledger, S: ServiceNow, A: Support, C: Clock, R: Randomness> Executor<L, S, A, C, R> {
    /// Brings the hint's link in step, as far as is possible now.
    ///
    /// Fails only if the ledger does: everything else is written down as something to wait for.
    pub async fn reconcile(&self, hint: &Hint) -> Result<Report, LedgerError> {
        let mut report = Report::default();
        let found = match &hint.subject {
            Subject::Link { key } => Some(Found { key: key.clone(), stray: None }),
            Subject::Case { account, case_id, .. } => {
                let told = Told { account, case_id, cause: hint.cause, received_at: hint.received_at };
                self.find_link(told, &mut report).await?
            }
        };
        let Some(Found { key, stray }) = found else { return Ok(report) };
        report.link = Some(key.clone());
        let now = self.clock.now();
        let until = now.checked_add(self.limits.lease).unwrap_or(now);
        report.calls += 1;
        match self.ledger.take_lease(&key, &self.randomness.attempt(), now, until, hint.claim.as_ref()).await? {
            LeaseAnswer::Deferred => report.deferred = true,
            LeaseAnswer::Unclaimed => report.unclaimed = true,
            LeaseAnswer::Taken { lease, link, interrupted } => {
                let mut tenure = Tenure { lease, recorded: (*link).clone() };
                let mut observation = Observation::new(key, *link);
                observation.link.interrupted |= interrupted;
                if let Some(Stray { account, case_id, subject, mark }) = stray
                    && observation.is_own_case_mark(&self.policy, &mark, &subject)
                {
                    report.doubles += u32::from(observation.see_double(&account, &case_id, &mark, now));
                }
                let waited = observation.link.waits_for_quota.clone();
                if let Err(error) = self.passes(&mut observation, &mut tenure, hint, &mut report).await {
                    return self.abandon(error, &observation, &tenure, report).await;
                }
                if let Some(wait) = waited.filter(|_| observation.link.waits_for_quota.is_none()) {
                    self.wake_next(&wait.account, &mut report).await?;
                }
            }
        }
        Ok(report)
    }

    /// A link that waited for its account's quota waits no more: the next one tries.
    async fn wake_next(&self, account: &AccountId, report: &mut Report) -> Result<(), LedgerError> {
        report.calls += 1;
        if let Some(next) = self.ledger.first_waiter(account).await? {
            report.calls += 1;
            self.ledger.wake(&next, self.clock.now()).await?;
        }
        Ok(())
    }

    /// Lets go of a link, so that the hint's next try finds it free. No call is under way: the ledger failed before one or
    /// after all. Where this fails as well, the lease ends by itself; the link is due then.
    ///
    /// A link that has become too large for the ledger is no failure that passes: its incident says so, and it is tried again
    /// as seldom as what only people can mend.
    async fn abandon(
        &self,
        error: LedgerError,
        observation: &Observation,
        tenure: &Tenure,
        mut report: Report,
    ) -> Result<Report, LedgerError> {
        let Tenure { lease, recorded } = tenure;
        let abandoned = observation.abandoned(recorded);
        let is_full = matches!(error, LedgerError::TooLarge { .. });
        let now = self.clock.now();
        let due = if is_full { later(now, seconds(self.policy.refusal_retry_seconds)) } else { lease.until };
        if is_full {
            tracing::error!(link = %observation.key, error = &error as &dyn std::error::Error, "a link is full");
            report.full = true;
            self.report_full(observation, &mut report).await;
        }
        drop(self.ledger.release(lease, recorded, &abandoned, Some(due), !is_full, now).await);
        if is_full { Ok(report) } else { Err(error) }
    }

    /// The link of a case: by the case's key, or by the mark of a CreateCase that is in doubt.
    ///
    /// A case that was opened at AWS by others has neither.
    async fn find_link(&self, told: Told<'_>, report: &mut Report) -> Result<Option<Found>, LedgerError> {
        let now = self.clock.now();
        let mut unknown = match owner_of_case(&self.ledger, told, now, &mut report.calls).await? {
            Owner::Link(key) => return Ok(Some(Found { key, stray: None })),
            Owner::Unknown(unknown) => unknown,
        };
        if unknown == UnknownCase::Read {
            report.calls += 1;
            unknown = unknown_case::within_limit(self.ledger.count_unknown_case_read(told.account, now).await?);
        }
        report.unknown_case = Some(unknown);
        if unknown == UnknownCase::Read { self.find_link_by_mark(told, report).await } else { Ok(None) }
    }

    /// The link of a case by the mark that its first communication carries.
    async fn find_link_by_mark(&self, told: Told<'_>, report: &mut Report) -> Result<Option<Found>, LedgerError> {
        let Told { account, case_id, .. } = told;
        let (case, marks) = match self.marked_case(account, case_id, &mut report.calls).await {
            Ok(Some((case, marks))) if !marks.is_empty() => (case, marks),
            Ok(_) => return Ok(None),
            // The link that opened it, if any, is due by itself.
            Err(failure) => {
                report.failed(Side::Aws, &failure);
                return Ok(None);
            }
        };
        for mark in marks.into_iter().take(MARKS_LOOKED_UP) {
            report.calls += 1;
            if let Some(link) = self.ledger.link_of_open_intent(account, &mark).await? {
                let stray = Stray { account: account.clone(), case_id: case_id.clone(), subject: case.subject, mark };
                return Ok(Some(Found { key: link, stray: Some(stray) }));
            }
        }
        // The outcome may have been recorded between the two looks.
        report.calls += 1;
        let link = self.ledger.link_of_case(&CaseKey::new(account.clone(), case_id)).await?;
        Ok(link.map(|key| Found { key, stray: None }))
    }

    async fn passes(
        &self,
        observation: &mut Observation,
        tenure: &mut Tenure,
        hint: &Hint,
        report: &mut Report,
    ) -> Result<(), LedgerError> {
        let mut look = Look::Hint(hint.cause);
        for pass in 1..=PASSES {
            self.observe(observation, look, report).await?;
            look = Look::Both;
            let mut applied = self.apply(observation, tenure, report).await?;
            if applied.doubt {
                // Often only the answer was lost: one look at once spares the link a wait.
                self.observe(observation, Look::Case, report).await?;
                applied = self.apply(observation, tenure, report).await?;
            }
            let now = self.clock.now();
            let due = observation.finish(&self.policy, &applied.plan, now);
            report.waits = applied.plan.waits.iter().map(Waiting::name).collect();
            report.due = due;
            match self.release(tenure, observation, due, pass == PASSES, now, report).await? {
                ReleaseAnswer::Released => return Ok(()),
                ReleaseAnswer::Dirty { lease } => {
                    *tenure = Tenure { lease, recorded: observation.link.clone() };
                    *observation = Observation::new(observation.key.clone(), std::mem::take(&mut observation.link));
                }
            }
        }
        Ok(())
    }

    async fn release(
        &self,
        tenure: &Tenure,
        observation: &Observation,
        due: Option<Timestamp>,
        regardless: bool,
        now: Timestamp,
        report: &mut Report,
    ) -> Result<ReleaseAnswer, LedgerError> {
        report.calls += 1;
        let lease: &Lease = &tenure.lease;
        self.ledger.release(lease, &tenure.recorded, &observation.link, due, regardless, now).await
    }
}
