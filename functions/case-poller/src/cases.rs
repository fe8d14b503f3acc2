//! The poll of AWS Support: the watched cases of each account, a hundred at a time.

use std::{collections::BTreeMap, sync::PoisonError};

use casebridge_core::{
    failure::{Failure, Refusal},
    hint::Cause,
    identifiers::{AccountId, CaseId, CaseKey},
    support::{
        case::Case,
        index::CaseRow,
        read::{CaseQuery, DescribedCase},
    },
    time,
};
use casebridge_ledger::Ledger;
use casebridge_ports::{Support, Timer};
use casebridge_runtime::{HintSink, metrics::Metric};
use jiff::{SignedDuration, Timestamp};

use crate::{ChangeFeed, PollError, Poller, SecretStore, Tick};

/// The most calls of the search for unreadable cases in one page. Halving finds one unreadable case of 100 in 15 calls,
/// so this limit is enough for a few.
const MAXIMUM_SEARCH_CALLS: usize = 40;
/// How long an unreadable case is parked: L's default, since a read may show a new case that late.
pub const PARKED_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The outcome of the read of a page of cases.
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
    A: SecretStore,
    C: Timer,
{
    /// Reads some of an account's cases until `end`, and hands off the links of those that changed.
    pub(crate) async fn poll_cases(
        &self,
        account: &AccountId,
        rows: &[CaseRow],
        end: Timestamp,
        tick: Tick,
    ) -> Result<(), PollError> {
        let ids: Vec<CaseId> =
            rows.iter().map(|row| &row.case_id).filter(|id| !self.is_parked(account, id, tick)).cloned().collect();
        if ids.is_empty() {
            return Ok(());
        }
        let described = self.describe(account, ids, end).await;
        self.metrics.count(Metric::CasesPolled, described.cases.len());
        let shown: BTreeMap<CaseKey, &DescribedCase> =
            described.cases.iter().map(|case| (CaseKey::new(account.clone(), &case.case_id), case)).collect();
        let has_drifted = |row: &&CaseRow| match shown.get(&row.key) {
            Some(case) => Case::from(*case).has_changed(&row.fingerprint),
            None => described.unreadable.contains(&row.case_id),
        };
        let links = rows.iter().filter(has_drifted).map(|row| row.link.clone());
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

    /// Describes the cases. AWS refuses a whole call for one unknown id. So after a refusal this asks for each half of
    /// the ids, until it has read the known cases and found the unknown ids.
    async fn describe(&self, account: &AccountId, ids: Vec<CaseId>, end: Timestamp) -> Described {
        let mut described = Described::default();
        let mut groups = vec![ids];
        for _ in 0..MAXIMUM_SEARCH_CALLS {
            let Some(mut group) = groups.pop() else { return described };
            let query = CaseQuery::Ids(group.clone());
            match self.in_time(end, self.support.describe_cases(account, &query)).await {
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
        parked.insert((account.clone(), id.clone()), time::later(tick.now, PARKED_FOR));
    }
}
