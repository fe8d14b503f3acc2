//! The ledger's port: the memory ledger behind calls that may fail, whose answers may be lost and repeated.

use std::{future::Future, rc::Rc};

use casebridge_core::{
    identifiers::{AccountId, AttemptId, CaseKey, ClaimId, IncidentId, LinkKey},
    link::{
        Base,
        mark::Mark,
        trouble::{Side, Trouble},
    },
    support::Link,
};
use casebridge_ledger::{CaseRowPage, DueLink, Lease, LeaseAnswer, Ledger, LedgerError, ReleaseAnswer};
use jiff::{SignedDuration, Timestamp};

use crate::{
    calls::{Call, Fate},
    sabotage::Sabotage,
    world::Desk,
};

/// The attempt that all workers share when there is no mutual exclusion.
const SHARED_ATTEMPT: &str = "shared";

/// The ledger.
pub struct LedgerPort {
    /// The world.
    pub desk: Rc<Desk>,
}

fn unavailable(doing: &'static str) -> LedgerError {
    LedgerError::Unavailable { doing, source: Box::new(std::io::Error::other("the table did not answer")) }
}

fn is_refusal(trouble: &Trouble) -> bool {
    trouble.refusal.is_some()
}

/// Whether a side did not answer, which passes by itself.
fn has_failed_read(link: &Link, now: Timestamp) -> bool {
    link.troubles.active(now).any(|trouble| trouble.refusal.is_none())
}

impl LedgerPort {
    /// One call. A lost answer is an error, or the client's own repeat of the request: half and half.
    async fn call<T, F: Future<Output = Result<T, LedgerError>>>(
        &self,
        call: Call,
        what: String,
        apply: impl Fn() -> F,
    ) -> Result<T, LedgerError> {
        let fate = self.desk.arrive(call, || what).await;
        if fate == Fate::Refused {
            return Err(unavailable(call.name()));
        }
        let mut result = apply().await;
        if fate == Fate::AnswerLost {
            let repeats = self.desk.world.borrow_mut().random.chance(500);
            if !repeats {
                self.desk.leave(fate).await;
                return Err(unavailable(call.name()));
            }
            result = apply().await;
        }
        self.desk.leave(fate).await;
        result
    }

    fn is_sabotaged(&self, sabotage: Sabotage) -> bool {
        self.desk.world.borrow().settings.sabotage == Some(sabotage)
    }

    /// Without mutual exclusion every worker writes as if the lease were its own, on top of whatever is there.
    async fn grabbed(&self, lease: &Lease, now: Timestamp) -> Result<Lease, LedgerError> {
        if !self.is_sabotaged(Sabotage::Lease) {
            return Ok(lease.clone());
        }
        let until = now + SignedDuration::from_secs(1);
        match self.desk.ledger.take_lease(&lease.key, &AttemptId::new(SHARED_ATTEMPT), now, until, None).await? {
            LeaseAnswer::Taken { lease, .. } => Ok(lease),
            LeaseAnswer::Deferred | LeaseAnswer::Unclaimed => Ok(lease.clone()),
        }
    }

    fn note_memory(&self, key: &LinkKey, remembered: &Link, is_remembered: bool) {
        if is_remembered {
            self.desk.world.borrow_mut().note_memory(&key.incident, remembered);
        }
    }

    fn short(&self, key: &LinkKey) -> String {
        self.desk.world.borrow().number_of(&key.incident)
    }
}

impl Ledger for LedgerPort {
    async fn take_lease(
        &self,
        key: &LinkKey,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
        claim: Option<&ClaimId>,
    ) -> Result<LeaseAnswer, LedgerError> {
        let shared = AttemptId::new(SHARED_ATTEMPT);
        let attempt = if self.is_sabotaged(Sabotage::Lease) { &shared } else { attempt };
        let ledger = &self.desk.ledger;
        let mut answer =
            self.call(Call::TakeLease, self.short(key), || ledger.take_lease(key, attempt, now, until, claim)).await?;
        if let (true, LeaseAnswer::Taken { link, .. }) = (self.is_sabotaged(Sabotage::Base), &mut answer) {
            link.base = Base::default();
            link.memory.agreed_status = None;
            link.memory.texts_since_end = Vec::new();
            link.memory.customer_wrote = false;
        }
        if let (true, LeaseAnswer::Taken { link, .. }) = (self.is_sabotaged(Sabotage::Refusals), &mut answer) {
            link.troubles.end(Side::Aws, is_refusal);
            link.troubles.end(Side::ServiceNow, is_refusal);
        }
        Ok(answer)
    }

    async fn record(&self, lease: &Lease, before: &Link, after: &Link, now: Timestamp) -> Result<Lease, LedgerError> {
        let intent = after.intent.as_ref().map(|intent| format!("{:?}", intent.kind)).unwrap_or_default();
        let what = format!("{} {}", self.short(&lease.key), crate::timeline::shorten(&intent));
        let forgets = self.is_sabotaged(Sabotage::Intent) && after.intent.is_some();
        let ledger = &self.desk.ledger;
        self.call(Call::Record, what, || async {
            if forgets {
                return Ok(lease.clone());
            }
            let lease = self.grabbed(lease, now).await?;
            let recorded = ledger.record(&lease, before, after, now).await;
            self.note_memory(&lease.key, after, recorded.is_ok());
            recorded
        })
        .await
    }

    async fn release(
        &self,
        lease: &Lease,
        before: &Link,
        after: &Link,
        due: Option<Timestamp>,
        regardless: bool,
        now: Timestamp,
    ) -> Result<ReleaseAnswer, LedgerError> {
        let due = due.filter(|_| !self.is_sabotaged(Sabotage::FailedRead) || !has_failed_read(after, now));
        let due_in = due.map(|due| due.duration_since(now).as_secs());
        let what = format!("{} due in {due_in:?} s", self.short(&lease.key));
        let ledger = &self.desk.ledger;
        self.call(Call::Release, what, || async {
            let lease = self.grabbed(lease, now).await?;
            let released = ledger.release(&lease, before, after, due, regardless, now).await;
            self.note_memory(&lease.key, after, released.is_ok());
            released
        })
        .await
    }

    async fn link_of_case(&self, case: &CaseKey) -> Result<Option<LinkKey>, LedgerError> {
        self.call(Call::LinkOfCase, case.to_string(), || self.desk.ledger.link_of_case(case)).await
    }

    async fn link_of_open_intent(&self, account: &AccountId, mark: &Mark) -> Result<Option<LinkKey>, LedgerError> {
        let ledger = &self.desk.ledger;
        self.call(Call::LinkOfOpenIntent, mark.to_string(), || ledger.link_of_open_intent(account, mark)).await
    }

    async fn newest_undecided_case(
        &self,
        account: &AccountId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, LedgerError> {
        let ledger = &self.desk.ledger;
        self.call(Call::NewestUndecidedCase, account.to_string(), || ledger.newest_undecided_case(account, from, until))
            .await
    }

    async fn count_unknown_case_read(&self, account: &AccountId, now: Timestamp) -> Result<u32, LedgerError> {
        let ledger = &self.desk.ledger;
        self.call(Call::CountUnknownCaseRead, account.to_string(), || ledger.count_unknown_case_read(account, now))
            .await
    }

    async fn due_links(&self, now: Timestamp, limit: usize) -> Result<Vec<DueLink>, LedgerError> {
        self.call(Call::DueLinks, String::new(), || self.desk.ledger.due_links(now, limit)).await
    }

    async fn claim_due(&self, due: &DueLink, claim: &ClaimId, until: Timestamp) -> Result<bool, LedgerError> {
        let ledger = &self.desk.ledger;
        self.call(Call::ClaimDue, self.short(&due.key), || ledger.claim_due(due, claim, until)).await
    }

    async fn wake(&self, key: &LinkKey, now: Timestamp) -> Result<(), LedgerError> {
        self.call(Call::Wake, self.short(key), || self.desk.ledger.wake(key, now)).await
    }

    async fn first_waiter(&self, account: &AccountId) -> Result<Option<LinkKey>, LedgerError> {
        self.call(Call::FirstWaiter, account.to_string(), || self.desk.ledger.first_waiter(account)).await
    }

    async fn cases_of_account(&self, account: &AccountId, from: Option<&str>) -> Result<CaseRowPage, LedgerError> {
        let ledger = &self.desk.ledger;
        self.call(Call::CasesOfAccount, account.to_string(), || ledger.cases_of_account(account, from)).await
    }

    async fn remembered_mod_counts(&self, incidents: &[IncidentId]) -> Result<Vec<Option<u64>>, LedgerError> {
        let ledger = &self.desk.ledger;
        self.call(Call::RememberedModCounts, incidents.len().to_string(), || ledger.remembered_mod_counts(incidents))
            .await
    }

    async fn watermark(&self, name: &str) -> Result<Option<String>, LedgerError> {
        self.call(Call::Watermark, name.to_owned(), || self.desk.ledger.watermark(name)).await
    }

    async fn set_watermark(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        self.call(Call::SetWatermark, value.to_owned(), || self.desk.ledger.set_watermark(name, value)).await
    }
}
