//! The poll of all accounts in turn. Each poll continues where the last one stopped.

use std::{
    collections::BTreeMap,
    fmt::Write,
    future::{Future, ready},
    pin::pin,
};

use casebridge_core::{
    failure::Failure,
    identifiers::AccountId,
    link::index::Row,
    policy::Policy,
    poll::{Reached, Rounds},
    support::index::{self, CASES_PER_PAGE, CaseRow},
    time,
    unreadable::UnreadableJson,
};
use casebridge_ledger::{Ledger, LedgerError};
use casebridge_ports::{Support, Timer};
use casebridge_runtime::{HintSink, metrics::Metric};
use futures_util::{
    StreamExt,
    future::{Either, select},
    stream,
};
use jiff::{SignedDuration, Timestamp};

use crate::{ChangeFeed, PollError, Poller, SecretStore, Tick};

/// The name of the watermark of the rounds.
pub const ROUNDS: &str = "case_poll_rounds";
/// The accounts that are polled at once. With calls of half a second, one poll finishes 800 accounts.
const ACCOUNTS_AT_ONCE: usize = 16;
/// The time for one page of an account, and the time in which an account may begin further pages. One attempt of a call
/// may take as long. A poll has time for 48 accounts that hang.
pub const ACCOUNT_TIME: SignedDuration = SignedDuration::from_secs(10);
/// The most pages of an account that one poll reads: 10,000 cases. The next poll continues. By the account's quota of
/// five calls a second, [`ACCOUNT_TIME`] ends a poll after 50 pages; this bound is for answers that never end.
const MAXIMUM_PAGES: usize = 100;

/// The outcome of the poll of one account.
struct Polled {
    account: AccountId,
    reached: Reached,
    failure: Option<PollError>,
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
    /// Polls the accounts whose turn it is. Returns the errors, with one error for all accounts that did not answer.
    pub(crate) async fn poll_accounts(&self, policy: &Policy, tick: Tick) -> Vec<PollError> {
        let rounds = match self.rounds(tick).await {
            Ok(rounds) => rounds,
            Err(error) => return vec![error],
        };
        let accounts = match self.secrets.accounts().await {
            Ok(accounts) => accounts,
            Err(error) => {
                self.metrics.duration(Metric::LongestUnpolledAccount, rounds.longest_unpolled(self.clock.now()));
                return vec![PollError::side("the list of accounts", &error.into())];
            }
        };
        let order = rounds.order(accounts);
        let polled: Vec<Polled> = stream::iter(&order)
            .take_while(|_| ready(!self.is_time_up(tick)))
            .map(|account| self.poll_account(policy, account, &rounds, tick))
            .buffer_unordered(ACCOUNTS_AT_ONCE)
            .collect()
            .await;
        let (reached, mut errors) = sum_up(polled);
        self.tell(&order, &reached);
        // Advance the rounds only now, when the hints of all pages are on the queue.
        let rounds = rounds.advance(tick.now, &order, &reached);
        self.metrics.duration(Metric::LongestUnpolledAccount, rounds.longest_unpolled(self.clock.now()));
        errors.extend(self.remember_rounds(&rounds).await.err());
        errors
    }

    /// Returns the progress of the rounds. After an unreadable watermark the rounds start again from the first account.
    async fn rounds(&self, tick: Tick) -> Result<Rounds, PollError> {
        let Some(text) = self.ledger.watermark(ROUNDS).await? else { return Ok(Rounds::first(tick.now)) };
        Ok(serde_json::from_str(&text).map_err(UnreadableJson::from).unwrap_or_else(|error| {
            tracing::error!(%error, watermark = ROUNDS, "the watermark is unreadable; the accounts are polled from the first on");
            Rounds::first(tick.now)
        }))
    }

    async fn remember_rounds(&self, rounds: &Rounds) -> Result<(), PollError> {
        let text = serde_json::to_string(rounds).map_err(PollError::watermark(ROUNDS))?;
        Ok(self.ledger.set_watermark(ROUNDS, &text).await?)
    }

    /// Logs in one line how many accounts wait for the next poll.
    fn tell(&self, order: &[AccountId], reached: &BTreeMap<AccountId, Reached>) {
        let whole = reached.values().filter(|reached| **reached == Reached::Whole).count();
        let waiting = order.len().saturating_sub(whole);
        self.metrics.count(Metric::AccountsNotPolled, waiting);
        if waiting > 0 {
            let not_begun = order.len().saturating_sub(reached.len());
            tracing::warn!(accounts = order.len(), waiting, not_begun, "accounts wait for the next poll");
        }
    }

    /// Polls the cases of an account that have links and, at the same time, those that were opened lately.
    async fn poll_account(&self, policy: &Policy, account: &AccountId, rounds: &Rounds, tick: Tick) -> Polled {
        let (polled, opened) = tokio::join!(
            self.poll_watched(policy, account, rounds, tick),
            self.poll_opened_cases(policy, account, self.end_of_turn(), tick)
        );
        Polled { failure: polled.failure.or(opened.err()), ..polled }
    }

    /// Polls the pages of an account's cases from where the rounds are with it, within the account's time. Leaves out the
    /// quiet cases that are not due.
    async fn poll_watched(&self, policy: &Policy, account: &AccountId, rounds: &Rounds, tick: Tick) -> Polled {
        let end = self.end_of_turn();
        let mut page = rounds.page_of(account);
        let last_polled = rounds.last_polled(account);
        let case_pace = policy.case_pace();
        let is_due = |case: &CaseRow| case_pace.is_due(account, case.changed_at, last_polled, tick.now);
        let polled = |reached, failure| Polled { account: account.clone(), reached, failure };
        for _ in 0..MAXIMUM_PAGES {
            match self.poll_page(account, page.as_deref(), is_due, tick).await {
                Ok(None) => return polled(Reached::Whole, None),
                Ok(next) => page = next,
                Err(error) => return polled(Reached::Page(page), Some(error)),
            }
            if self.is_time_up(tick) || self.clock.now() >= end {
                break;
            }
        }
        polled(Reached::Page(page), None)
    }

    fn end_of_turn(&self) -> Timestamp {
        time::later(self.clock.now(), ACCOUNT_TIME)
    }

    /// Polls the cases of a page that are due. Returns the start of the next page, or `None` after the last page.
    async fn poll_page(
        &self,
        account: &AccountId,
        from: Option<&str>,
        is_due: impl Fn(&CaseRow) -> bool,
        tick: Tick,
    ) -> Result<Option<String>, PollError> {
        let page = self.ledger.page_under(&index::watched(account), from, CASES_PER_PAGE).await?;
        let cases: Vec<CaseRow> = page.rows.iter().filter_map(readable).filter(is_due).collect();
        self.poll_cases(account, &cases, self.end_of_turn(), tick).await?;
        Ok(page.next)
    }

    /// Returns the answer of a read. Fails as "unavailable" if there is no answer by `end`.
    pub(crate) async fn in_time<T>(
        &self,
        end: Timestamp,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let left = end.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        match select(pin!(call), pin!(self.clock.sleep(left))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => {
                let message = "there was no answer in the time that an account has".to_owned();
                Err(Failure::Unavailable { message, retry_at: None })
            }
        }
    }
}

/// Returns the case of a row. Logs an unreadable row and returns `None`, so that the account's other cases are polled.
fn readable(row: &Row) -> Option<CaseRow> {
    let log = |unreadable| {
        tracing::error!(error = %LedgerError::from(unreadable), "an unreadable row was left out of a page of cases");
    };
    CaseRow::read(row).map_err(log).ok()
}

/// Returns how far each account was polled, and the errors: the first one that fails the invocation, and one for all
/// others.
fn sum_up(polled: Vec<Polled>) -> (BTreeMap<AccountId, Reached>, Vec<PollError>) {
    let mut reached = BTreeMap::new();
    let mut fatal = None;
    let mut failed: BTreeMap<String, Vec<AccountId>> = BTreeMap::new();
    for Polled { account, reached: page, failure } in polled {
        match failure {
            Some(PollError::Side { name, .. }) => failed.entry(name.to_owned()).or_default().push(account.clone()),
            Some(error) => fatal = fatal.or(Some(error)),
            None => {}
        }
        reached.insert(account, page);
    }
    let mut errors: Vec<PollError> = fatal.into_iter().collect();
    if !failed.is_empty() {
        errors.push(PollError::Accounts { failed: failed.values().map(Vec::len).sum(), reasons: reasons(&failed) });
    }
    (reached, errors)
}

/// Returns the failures in words, each with the number of its accounts and one of them.
fn reasons(failed: &BTreeMap<String, Vec<AccountId>>) -> String {
    let mut reasons = String::new();
    for (name, accounts) in failed {
        let separator = if reasons.is_empty() { "" } else { ", " };
        let example = accounts.first().map(AccountId::as_str).unwrap_or_default();
        // Writing to a text can't fail.
        let _ = write!(reasons, "{separator}{name} {} (for example {example})", accounts.len());
    }
    reasons
}
