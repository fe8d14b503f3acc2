//! The poll of AWS Support: the watched cases of each account, a hundred at a time.

use std::{collections::BTreeMap, sync::PoisonError};

use casebridge_core::{
    effect::{Failure, Refusal},
    hint::Cause,
    identifiers::{AccountId, CaseId, CaseKey},
    poll::has_case_changed,
};
use casebridge_executor::{
    observe::case_from,
    ports::{CaseQuery, Clock, DescribedCase, Support},
};
use casebridge_ledger::{CaseRow, Ledger};
use casebridge_runtime::{HintSink, metrics::Metric};
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;

use crate::{AccountList, ChangeFeed, PollError, Poller, Tick};

/// How many accounts are polled at once.
const ACCOUNTS_AT_ONCE: usize = 4;
/// How many pages of an account one poll reads: 10,000 cases.
const MAX_PAGES: usize = 100;
/// How many calls the search for unreadable cases may take for one page.
const MAX_SEARCH_CALLS: usize = 40;
/// How long an unreadable case is left aside before it is asked for again: a new one may show late, see the policy's L.
pub const PARKED_FOR: SignedDuration = SignedDuration::from_mins(15);

/// What became of a page of cases.
#[derive(Default)]
struct Described {
    cases: Vec<DescribedCase>,
    unreadable: Vec<CaseId>,
    failure: Option<Failure>,
}

impl<L, Q, N, S, A, C> Poller<L, Q, N, S, A, C>
where
    L: Ledger,
    Q: HintSink,
    N: ChangeFeed,
    S: Support,
    A: AccountList,
    C: Clock,
{
    pub(crate) async fn poll_accounts(&self, tick: Tick) -> Vec<Result<(), PollError>> {
        let mut accounts = match self.accounts.accounts().await {
            Ok(accounts) => accounts,
            Err(error) => return vec![Err(PollError::side("the list of accounts", &error.into()))],
        };
        // Each poll begins with another account, so that none is always the one that time does not reach.
        let first = tick.number.checked_rem_euclid(i64::try_from(accounts.len()).unwrap_or(i64::MAX));
        accounts.rotate_left(first.and_then(|first| usize::try_from(first).ok()).unwrap_or_default());
        stream::iter(accounts)
            .map(|account| async move { self.poll_account(&account, tick).await })
            .buffer_unordered(ACCOUNTS_AT_ONCE)
            .collect()
            .await
    }

    async fn poll_account(&self, account: &AccountId, tick: Tick) -> Result<(), PollError> {
        let mut from: Option<String> = None;
        for _ in 0..MAX_PAGES {
            if self.is_time_up(tick) {
                break;
            }
            let page = self.ledger.cases_of_account(account, from.as_deref()).await?;
            self.poll_cases(account, &page.rows, tick).await?;
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
        tracing::warn!(account = %account, "not all cases of the account were polled this time");
        Ok(())
    }

    async fn poll_cases(&self, account: &AccountId, rows: &[CaseRow], tick: Tick) -> Result<(), PollError> {
        let ids: Vec<CaseId> =
            rows.iter().map(|row| &row.case_id).filter(|id| !self.is_parked(account, id, tick)).cloned().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let described = self.describe(account, ids).await;
        self.metrics.count(Metric::CasesPolled, described.cases.len());
        let shown: BTreeMap<CaseKey, &DescribedCase> =
            described.cases.iter().map(|case| (CaseKey::new(account.clone(), &case.case_id), case)).collect();
        let wants_a_look = |row: &&CaseRow| match shown.get(&row.key) {
            Some(case) => has_case_changed(&case_from(case), &row.fingerprint),
            None => described.unreadable.contains(&row.case_id),
        };
        let links = rows.iter().filter(wants_a_look).map(|row| row.link.clone());
        self.hand_off(links, Cause::CasePoll, tick).await?;
        for id in &described.unreadable {
            self.park(account, id, tick);
        }
        match described.failure {
            None => Ok(()),
            Some(failure) => {
                self.metrics.failure(&failure);
                Err(PollError::side(format!("account {account}"), &failure))
            }
        }
    }

    /// Describes the cases. One unknown id fails a whole call: it is found by halving, and the others are read.
    async fn describe(&self, account: &AccountId, ids: Vec<CaseId>) -> Described {
        let mut described = Described::default();
        let mut groups = vec![ids];
        for _ in 0..MAX_SEARCH_CALLS {
            let Some(mut group) = groups.pop() else { return described };
            match self.support.describe_cases(account, &CaseQuery::Ids(group.clone())).await {
                Ok(page) => described.cases.extend(page.cases),
                Err(Failure::Refused { refusal: Refusal::NotFound | Refusal::InvalidRequest, .. }) => {
                    if group.len() == 1 {
                        described.unreadable.append(&mut group);
                    } else {
                        groups.push(group.split_off(group.len() / 2));
                        groups.push(group);
                    }
                }
                Err(failure) => {
                    described.failure = Some(failure);
                    return described;
                }
            }
        }
        if !groups.is_empty() {
            tracing::warn!(account = %account, groups = groups.len(), "the search for unreadable cases goes on next time");
        }
        described
    }

    fn is_parked(&self, account: &AccountId, id: &CaseId, tick: Tick) -> bool {
        let parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.get(&(account.clone(), id.clone())).is_some_and(|until| tick.now < *until)
    }

    fn park(&self, account: &AccountId, id: &CaseId, tick: Tick) {
        self.metrics.count(Metric::Parked, 1);
        tracing::error!(account = %account, case = %id, "AWS does not show this case; it is left aside for a while");
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.retain(|_, until| tick.now < *until);
        parked.insert((account.clone(), id.clone()), tick.now.checked_add(PARKED_FOR).unwrap_or(tick.now));
    }
}
