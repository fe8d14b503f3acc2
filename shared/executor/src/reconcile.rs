//! One hint, from the lease to the release.

use casebridge_core::{
    effect::{Effect, Failure},
    hint::{Hint, Subject},
    identifiers::{AccountId, CaseId, CaseKey, LinkKey},
    mark::Mark,
    observation::{Observation, Side},
    plan::Waiting,
    policy::Policy,
};
use casebridge_ledger::{Lease, LeaseAnswer, Ledger, LedgerError, ReleaseAnswer};
use jiff::{SignedDuration, Timestamp};

use crate::{
    apply::Tenure,
    observe::Look,
    ports::{Clock, Randomness, ServiceNow, Support},
};

/// How often a link is looked at again in one go because somebody left word; then it waits for the next wake-up.
const PASSES: usize = 5;

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
    /// Whether another worker holds the link and was left word.
    pub deferred: bool,
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

/// The link of a hint about a case.
struct Found {
    key: LinkKey,
    stray: Option<Stray>,
}

/// A case that carries a mark of the link and is not its case, or not yet.
struct Stray {
    account: AccountId,
    case_id: CaseId,
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
            Subject::Case { account, case_id, .. } => self.find_link(account, case_id, &mut report).await?,
        };
        let Some(Found { key, stray }) = found else { return Ok(report) };
        report.link = Some(key.clone());
        let now = self.clock.now();
        let until = now.checked_add(self.limits.lease).unwrap_or(now);
        report.calls += 1;
        match self.ledger.take_lease(&key, &self.randomness.attempt(), now, until, hint.claim.as_ref()).await? {
            LeaseAnswer::Deferred => report.deferred = true,
            LeaseAnswer::Unclaimed => report.unclaimed = true,
            LeaseAnswer::Taken { lease, link } => {
                let mut tenure = Tenure { lease, recorded: (*link).clone() };
                let mut observation = Observation::new(key, *link);
                if let Some(Stray { account, case_id, mark }) = stray {
                    report.doubles += u32::from(observation.see_double(&account, &case_id, &mark));
                }
                if let Err(error) = self.passes(&mut observation, &mut tenure, hint, &mut report).await {
                    self.abandon(&observation, &tenure).await;
                    return Err(error);
                }
            }
        }
        Ok(report)
    }

    /// Lets go of a link, so that the hint's next try finds it free. No call is under way: the ledger failed before one or
    /// after all. Where this fails as well, the lease ends by itself; the link is due then.
    async fn abandon(&self, observation: &Observation, tenure: &Tenure) {
        let Tenure { lease, recorded } = tenure;
        let (abandoned, due) = (observation.abandoned(recorded), Some(lease.until));
        drop(self.ledger.release(lease, recorded, &abandoned, due, true, self.clock.now()).await);
    }

    /// The link of a case: by the case's key, or by the mark of the CreateCase that is under way.
    ///
    /// A case that was opened at AWS by others has neither.
    async fn find_link(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        report: &mut Report,
    ) -> Result<Option<Found>, LedgerError> {
        let found = |key| Found { key, stray: None };
        let key = CaseKey::new(account.clone(), case_id);
        report.calls += 1;
        if let Some(link) = self.ledger.link_of_case(&key).await? {
            return Ok(Some(found(link)));
        }
        let mark = match self.mark_of_case(account, case_id, report).await {
            Ok(Some(mark)) => mark,
            Ok(None) => return Ok(None),
            // The link that opened it, if any, is due by itself.
            Err(failure) => {
                report.failed(Side::Aws, &failure);
                return Ok(None);
            }
        };
        report.calls += 1;
        if let Some(link) = self.ledger.link_of_open_intent(account, &mark).await? {
            let stray = Stray { account: account.clone(), case_id: case_id.clone(), mark };
            return Ok(Some(Found { key: link, stray: Some(stray) }));
        }
        // The outcome may have been recorded between the two looks.
        report.calls += 1;
        Ok(self.ledger.link_of_case(&key).await?.map(found))
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
            self.observe(observation, look, report).await;
            look = Look::Both;
            let mut applied = self.apply(observation, tenure, report).await?;
            if applied.doubt {
                // Often only the answer was lost: one look at once spares the link a wait.
                self.observe(observation, look, report).await;
                applied = self.apply(observation, tenure, report).await?;
            }
            let now = self.clock.now();
            observation.forget_passed_troubles(now);
            observation.link.settled = applied.plan.is_settled();
            let unfinished = !applied.plan.effects.is_empty();
            let due = if unfinished { Some(now) } else { applied.plan.due() };
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
