//! One hint, from the lease to the release.

use casebridge_core::{
    failure::Failure,
    hint::{Cause, Hint, Subject},
    identifiers::{AccountId, CaseId, CaseKey, ClaimId, LinkKey},
    link::{mark::Mark, plan::Waiting, trouble::Side, wake},
    policy::Policy,
    poll,
    support::{
        Pass, Plan,
        unknown_case::{self, UnknownCase},
    },
    time::seconds,
};
use casebridge_ledger::{DueLink, Lease, LeaseAnswer, Ledger, LedgerError, ReleaseAnswer};
use casebridge_ports::{PlanObserver, Randomness, ServiceNow, Support, Timer, WakeQueue};
use jiff::{SignedDuration, Timestamp};

use crate::{
    apply::Tenure,
    observe::Look,
    owner::{Owner, Told, owner_of_case},
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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
    /// Whether the message was not taken that was to wake the link at its time: the poller does.
    pub wake_lost: bool,
    /// Whether the account of the link's case is out of use in ServiceNow.
    pub out_of_use: bool,
    /// How many remote calls were made, the ledger's among them.
    pub calls: u32,
    /// How long the worker stayed with the link until a side could be tried again, in all.
    pub stayed: SignedDuration,
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
    pub(crate) fn effect(&mut self, name: &'static str, failure: Option<&Failure>) {
        self.effects.push((name, failure.map(Failure::name)));
    }

    pub(crate) fn failed(&mut self, side: Side, failure: &Failure) {
        self.failures.push((side.name(), failure.name()));
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
pub struct Executor<L, W, S, A, C, R, P> {
    /// What is remembered, and who may act.
    pub ledger: L,
    /// Who wakes links at their time, besides the poller.
    pub wakes: W,
    /// The ServiceNow instance.
    pub servicenow: S,
    /// AWS Support of every account.
    pub support: A,
    /// Our clock.
    pub clock: C,
    /// Random bits.
    pub randomness: R,
    /// Who hears of plans.
    pub plans: P,
    /// The policy.
    pub policy: Policy,
    /// How long things may take.
    pub limits: Limits,
}

impl<L: Ledger, W: WakeQueue, S: ServiceNow, A: Support, C: Timer, R: Randomness, P: PlanObserver>
    Executor<L, W, S, A, C, R, P>
{
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
        // From here on the worker's time runs, whatever it waits for.
        let until = later(self.clock.now(), self.limits.lease);
        let Some(claim) = self.claim(hint, &key, &mut report).await? else {
            report.unclaimed = true;
            return Ok(report);
        };
        let now = self.clock.now();
        report.calls += 1;
        match self.ledger.take_lease(&key, &self.randomness.attempt(), now, until, claim.as_ref()).await? {
            LeaseAnswer::Deferred => report.deferred = true,
            LeaseAnswer::Unclaimed => report.unclaimed = true,
            LeaseAnswer::Taken { lease, link, interrupted, due } => {
                let mut tenure = Tenure { lease, recorded: (*link).clone(), due };
                let mut observation = Pass::new(key, *link);
                observation.link.interrupted |= interrupted;
                if let Some(Stray { account, case_id, subject, mark }) = stray
                    && observation.is_own_case_mark(&self.policy, &mark, &subject)
                {
                    report.doubles += u32::from(observation.see_double(&account, &case_id, &mark, now));
                }
                let waited = observation.link.memory.waits_for_quota.clone();
                if let Err(error) = self.passes(&mut observation, &mut tenure, hint, &mut report).await {
                    return self.abandon(error, &observation, &tenure, report).await;
                }
                if let Some(wait) = waited.filter(|_| observation.link.memory.waits_for_quota.is_none()) {
                    self.wake_next(&wait.account, &mut report).await?;
                }
            }
        }
        Ok(report)
    }

    /// The claim under which a hint acts, if it needs one; none if it has nothing left to do. A message that was sent ahead
    /// makes its claim itself, as the poller would, while the link is due at the time that it was sent for.
    async fn claim(
        &self,
        hint: &Hint,
        key: &LinkKey,
        report: &mut Report,
    ) -> Result<Option<Option<ClaimId>>, LedgerError> {
        if hint.cause != Cause::Wake {
            return Ok(Some(hint.claim.clone()));
        }
        let due_at = hint.received_at;
        let Some(early) = wake::early(due_at, self.clock.now()) else { return Ok(None) };
        if !early.is_zero() {
            self.clock.sleep(early).await;
            report.stayed = early;
        }
        let (claim, until) = poll::claim(due_at, self.clock.now());
        report.calls += 1;
        let due = DueLink { key: key.clone(), due_at };
        Ok(self.ledger.claim_due(&due, &claim, until).await?.then_some(Some(claim)))
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
        observation: &Pass,
        tenure: &Tenure,
        mut report: Report,
    ) -> Result<Report, LedgerError> {
        let Tenure { lease, recorded, .. } = tenure;
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
        observation: &mut Pass,
        tenure: &mut Tenure,
        hint: &Hint,
        report: &mut Report,
    ) -> Result<(), LedgerError> {
        let mut look = Look::Hint(hint.cause);
        for pass in 1..=PASSES {
            let (plan, due) = self.pass(observation, tenure, look, report).await?;
            look = Look::Both;
            report.due = due;
            match self.release(tenure, observation, due, pass == PASSES, report).await? {
                ReleaseAnswer::Released => {
                    self.send_wake(&observation.key, &plan, due, tenure.due, report).await;
                    return Ok(());
                }
                ReleaseAnswer::Dirty { lease } => {
                    *tenure = Tenure { lease, recorded: observation.link.clone(), due: tenure.due };
                    *observation = Pass::new(observation.key.clone(), std::mem::take(&mut observation.link));
                }
            }
        }
        Ok(())
    }

    /// Sends a message ahead that wakes a link at its time. Where it is not taken, the poller wakes the link.
    async fn send_wake(
        &self,
        key: &LinkKey,
        plan: &Plan,
        due: Option<Timestamp>,
        before: Option<Timestamp>,
        report: &mut Report,
    ) {
        let Some((due, delay)) = due.zip(wake::delay(plan, due, before, self.clock.now())) else { return };
        report.calls += 1;
        if let Err(error) = self.wakes.send_later(&wake::hint(key.clone(), due), delay).await {
            tracing::warn!(link = %key, error = &error as &dyn std::error::Error, "a link waits for the poller");
            report.wake_lost = true;
        }
    }

    /// Observes and applies, and again while the core says that it is worth staying; the last plan, and when to look at the
    /// link again.
    ///
    /// What is known is written down before each wait: a worker that dies in it leaves no call in doubt.
    async fn pass(
        &self,
        observation: &mut Pass,
        tenure: &mut Tenure,
        mut look: Look,
        report: &mut Report,
    ) -> Result<(Plan, Option<Timestamp>), LedgerError> {
        loop {
            self.observe(observation, look, report).await?;
            let mut applied = self.apply(observation, tenure, report).await?;
            if applied.doubt {
                // Often only the answer was lost: one look at once spares the link a wait.
                self.observe(observation, Look::Case, report).await?;
                applied = self.apply(observation, tenure, report).await?;
            }
            let now = self.clock.now();
            let due = observation.finish(&self.policy, &applied.plan, now);
            report.out_of_use = observation.is_account_out_of_use(&self.policy);
            report.waits = applied.plan.waits.iter().map(Waiting::name).collect();
            let stays = wake::stays(&applied.plan, now, self.time_left(tenure), report.stayed);
            let Some(wait) = stays else { return Ok((applied.plan, due)) };
            self.record(observation, tenure, report).await?;
            self.clock.sleep(wait).await;
            report.stayed = report.stayed.saturating_add(wait);
            observation.look_again();
            look = Look::Both;
        }
    }

    async fn release(
        &self,
        tenure: &Tenure,
        observation: &Pass,
        due: Option<Timestamp>,
        regardless: bool,
        report: &mut Report,
    ) -> Result<ReleaseAnswer, LedgerError> {
        report.calls += 1;
        let (lease, now): (&Lease, _) = (&tenure.lease, self.clock.now());
        self.ledger.release(lease, &tenure.recorded, &observation.link, due, regardless, now).await
    }
}
