//! The poll of the cases that somebody opened at AWS: it names those without a link in hints.

use casebridge_core::{
    failure::Failure,
    hint::{Cause, Hint, Subject},
    identifiers::{AccountId, CaseKey},
    policy::Policy,
    support::{
        index,
        opened_case::{self, Watermark, is_candidate, is_left_behind, reads_since},
        read::{CaseQuery, DescribedCase},
    },
    unreadable::UnreadableJson,
};
use casebridge_ledger::Ledger;
use casebridge_ports::{Support, Timer};
use casebridge_runtime::{DeduplicationId, HintSink, metrics::Metric};
use jiff::{SignedDuration, Timestamp};

use crate::{ChangeFeed, PollError, Poller, SecretStore, Tick};

/// How the name of the watermark of an account's opened cases begins; the account's number follows. It holds a
/// [`Watermark`], or null while the policy takes no cases of the account.
pub const OPENED_CASES: &str = "opened_cases:";
/// How many pages of cases are read for an account at most: 2,000 cases. An account opens 10 in an hour.
const MAXIMUM_PAGES: usize = 20;
/// How far the watermark moves before it is written. The reads begin an hour and more before it, so a few minutes make
/// no difference, and a thousand accounts would write a thousand rows a minute.
const WRITTEN_EVERY: SignedDuration = SignedDuration::from_mins(5);

impl<L, Q, N, S, A, C> Poller<L, Q, N, S, A, C>
where
    L: Ledger,
    Q: HintSink,
    N: ChangeFeed,
    S: Support,
    A: SecretStore,
    C: Timer,
{
    /// Reads the cases that were opened in an account lately, until `end`, and hands off those that have no link and may
    /// become incidents. The first poll of an account begins an hour and more before the present, as every poll does.
    ///
    /// The watermark is written before the first read, so that a case is found whenever the account can first be read. It
    /// is emptied while the policy takes no cases of the account: a policy that takes them again begins with the present.
    pub(crate) async fn poll_opened_cases(
        &self,
        policy: &Policy,
        account: &AccountId,
        end: Timestamp,
        tick: Tick,
    ) -> Result<(), PollError> {
        let name = format!("{OPENED_CASES}{account}");
        let remembered = self.opened_cases_watermark(&name).await?;
        if !opened_case::takes_cases_of(policy, account) {
            return if remembered.is_some() { self.remember_opened_cases(&name, None).await } else { Ok(()) };
        }
        if remembered.is_none() {
            self.remember_opened_cases(&name, Some(Watermark::first(tick.now))).await?;
        }
        let watermark = remembered.unwrap_or(Watermark::first(tick.now));
        let since = reads_since(policy, watermark.at);
        let read = self.cases_since(account, since, end).await;
        let cases = read.map_err(|failure| {
            self.metrics.failure(&failure);
            PollError::side(format!("account {account}"), &failure)
        })?;
        let mut without_link = Vec::new();
        for case in cases.iter().filter(|case| is_candidate(policy, account, case, since)) {
            let row = index::case(&CaseKey::new(account.clone(), &case.case_id));
            if self.ledger.link_at(&row).await?.is_none() {
                without_link.push(case);
            }
        }
        let hints = without_link.iter().filter_map(|case| self.hint_of_case(account, case, tick)).collect();
        self.enqueue(hints).await?;
        // Move the watermark only now, when the hints are on the queue.
        let opened = without_link.iter().map(|case| case.time_created);
        let next = watermark.next(tick.now, opened);
        if next.at.duration_since(watermark.at) >= WRITTEN_EVERY {
            self.remember_opened_cases(&name, Some(next)).await?;
            self.tell_left_behind(account, without_link.iter().filter(|case| is_left_behind(policy, case, next.at)));
        }
        Ok(())
    }

    /// Reports cases that no later poll reads: they have shown no text for so long that nothing is known of them.
    fn tell_left_behind<'a>(&self, account: &AccountId, cases: impl Iterator<Item = &'a &'a DescribedCase>) {
        for case in cases {
            let case = &case.case_id;
            tracing::error!(%account, %case, "a case could not be taken in for two days; only its events are heard now");
            self.metrics.count(Metric::PollFailures, 1);
        }
    }

    /// Returns the account's watermark. Returns `None` before its first poll, and while the policy takes no cases of the
    /// account. An unreadable one counts as none.
    async fn opened_cases_watermark(&self, name: &str) -> Result<Option<Watermark>, PollError> {
        let Some(text) = self.ledger.watermark(name).await? else { return Ok(None) };
        let read: Result<Option<Watermark>, _> = serde_json::from_str(&text).map_err(UnreadableJson::from);
        Ok(read.unwrap_or_else(|error| {
            tracing::error!(%error, watermark = name, "the watermark is unreadable; cases are read from now on");
            None
        }))
    }

    async fn remember_opened_cases(&self, name: &str, watermark: Option<Watermark>) -> Result<(), PollError> {
        let text = serde_json::to_string(&watermark).map_err(PollError::watermark(OPENED_CASES))?;
        Ok(self.ledger.set_watermark(name, &text).await?)
    }

    /// Returns the cases of an account since a moment. Fails if there are too many pages: the next poll reads them again.
    async fn cases_since(
        &self,
        account: &AccountId,
        since: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<DescribedCase>, Failure> {
        let mut cases = Vec::new();
        let mut next = None;
        for _ in 0..MAXIMUM_PAGES {
            let query = CaseQuery::Since { after: since, next };
            let page = self.in_time(end, self.support.describe_cases(account, &query)).await?;
            cases.extend(page.cases);
            next = page.next;
            if next.is_none() {
                return Ok(cases);
            }
        }
        let message = "the account has too many cases of the last hour to be read at once".to_owned();
        Err(Failure::Unavailable { message, retry_at: None })
    }

    fn hint_of_case(&self, account: &AccountId, case: &DescribedCase, tick: Tick) -> Option<(Hint, DeduplicationId)> {
        self.metrics.count(Metric::OpenedCases, 1);
        let subject = Subject::Case { account: account.clone(), case_id: case.case_id.clone() };
        self.hint(subject, Cause::CasePoll, None, &tick.number.to_string())
    }
}
