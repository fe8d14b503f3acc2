#![doc = include_str!("../README.md")]

use std::future::{Future, ready};

use casebridge_core::{
    catalogue::{Changes, Held, Named, Offered, OfferedService},
    failure::{Failure, Refusal},
    identifiers::AccountId,
};
use casebridge_ports::{Clock, SupportCatalogue};
use casebridge_runtime::{
    AccountSecrets, SecretError,
    metrics::{Metric, Metrics},
};
use casebridge_servicenow::{Client, CredentialSource, Written};
use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

/// The accounts that are asked at once. AWS Support takes some calls a second of each account, and these are different
/// ones. The answers of one account have some hundred kilobytes.
const ACCOUNTS_AT_ONCE: usize = 16;
/// The end of an invocation's time in which no further account is asked: two calls with their repeats take up to 40
/// seconds, and the first writes of a catalogue as long again.
pub const RESERVE: SignedDuration = SignedDuration::from_secs(100);

/// Why a run could not end.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The accounts are not known.
    #[error("the accounts could not be listed")]
    Accounts(#[from] SecretError),
    /// ServiceNow does not say what it holds, or does not take what changes. The text of its error may hold anything, so
    /// the failure's name stands for it.
    #[error("ServiceNow could not {what}: {name}")]
    ServiceNow {
        /// What it was asked to do.
        what: &'static str,
        /// The failure's name.
        name: &'static str,
    },
}

impl SyncError {
    fn servicenow(what: &'static str) -> impl Fn(Failure) -> Self {
        move |failure| Self::ServiceNow { what, name: failure.name() }
    }
}

/// The accounts that casebridge has credentials of.
pub trait AccountList {
    /// Returns all accounts that have a secret, in order.
    ///
    /// # Errors
    /// If the secrets can't be listed.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountId>, SecretError>>;
}

impl<C: Clock> AccountList for AccountSecrets<C> {
    async fn accounts(&self) -> Result<Vec<AccountId>, SecretError> {
        self.accounts().await
    }
}

/// The catalogue in ServiceNow.
pub trait CatalogueStore {
    /// Returns what ServiceNow holds.
    ///
    /// # Errors
    /// As [`Client::catalogue`].
    fn held(&self) -> impl Future<Output = Result<Held, Failure>>;

    /// Writes changes. A repeat has no effect.
    ///
    /// # Errors
    /// As [`Client::write_catalogue`].
    fn write(&self, changes: &Changes) -> impl Future<Output = Result<Written, Failure>>;
}

impl<S: CredentialSource, C: Clock> CatalogueStore for Client<S, C> {
    async fn held(&self) -> Result<Held, Failure> {
        self.catalogue().await
    }

    async fn write(&self, changes: &Changes) -> Result<Written, Failure> {
        self.write_catalogue(changes).await
    }
}

/// The function and its ports.
pub struct CatalogSync<A, S, N, C> {
    /// The accounts.
    pub accounts: A,
    /// AWS Support of every account.
    pub support: S,
    /// The ServiceNow instance.
    pub servicenow: N,
    /// Our clock.
    pub clock: C,
    /// The metrics of the invocation.
    pub metrics: Metrics,
}

impl<A: AccountList, S: SupportCatalogue, N: CatalogueStore, C: Clock> CatalogSync<A, S, N, C> {
    /// Writes to ServiceNow what has changed of what AWS Support offers. Returns how many rows were written.
    ///
    /// An account that does not answer, or that is not asked before the deadline comes near, fails no other: it is logged
    /// and counted, and nothing counts as no longer offered.
    ///
    /// # Errors
    /// If the accounts can't be listed, or if ServiceNow does not answer. The next run writes what is left.
    pub async fn run(&self, deadline: Timestamp) -> Result<Written, SyncError> {
        let end = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let accounts = self.accounts.accounts().await?;
        let offered = self.offered(&accounts, end).await;
        let held = self.servicenow.held().await.map_err(SyncError::servicenow("show its catalogue"))?;
        let mut written = Written::default();
        for request in offered.changes(&held).into_requests() {
            let answer = self.servicenow.write(&request).await;
            let rows = answer.map_err(SyncError::servicenow("take the changes of the catalogue"))?;
            self.metrics.count(Metric::CatalogueRowsWritten, rows.services + rows.categories + rows.severities);
            written.services += rows.services;
            written.categories += rows.categories;
            written.severities += rows.severities;
            written.refused.extend(rows.refused);
        }
        self.tell(&written, accounts.len(), offered.is_complete());
        Ok(written)
    }

    fn tell(&self, written: &Written, accounts: usize, is_complete: bool) {
        let Written { services, categories, severities, refused } = written;
        tracing::info!(accounts, is_complete, services, categories, severities, "the catalogue is written");
        if !refused.is_empty() {
            let codes = refused.join(" ");
            tracing::error!(codes, "ServiceNow refused rows of the catalogue: its system log says why");
            self.metrics.count(Metric::CatalogueFailures, refused.len());
        }
    }

    /// Returns what AWS offers to these accounts. They are added in their order, whichever answers first, so that two runs
    /// with the same answers are the same.
    async fn offered(&self, accounts: &[AccountId], end: Timestamp) -> Offered {
        let mut asked = 0;
        let mut offered = Offered::default();
        let answers = stream::iter(accounts)
            .take_while(|_| ready(self.clock.now() < end))
            .map(|account| async move { (account, self.ask(account).await) })
            .buffered(ACCOUNTS_AT_ONCE);
        let mut answers = std::pin::pin!(answers);
        while let Some((account, answer)) = answers.next().await {
            asked += 1;
            match answer {
                Ok((services, levels)) => offered.add(account, &services, &levels),
                // A plan without the API offers nothing, and says so every day. What the others offer decides.
                Err(Failure::Refused { refusal: Refusal::Subscription, .. }) => {}
                Err(failure) => {
                    tracing::error!(account = %account, failure = failure.name(), "the account's services could not be read");
                    offered.miss();
                    self.metrics.count(Metric::CatalogueFailures, 1);
                }
            }
        }
        let not_asked = accounts.len() - asked;
        if not_asked > 0 {
            tracing::error!(accounts = not_asked, "there was no time to ask all accounts for their services");
            offered.miss();
        }
        self.metrics.count(Metric::CatalogueFailures, not_asked);
        offered
    }

    async fn ask(&self, account: &AccountId) -> Result<(Vec<OfferedService>, Vec<Named>), Failure> {
        let services = self.support.describe_services(account).await?;
        Ok((services, self.support.describe_severity_levels(account).await?))
    }
}
