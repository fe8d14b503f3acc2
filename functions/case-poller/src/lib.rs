#![doc = include_str!("../README.md")]

mod accounts;
mod cases;
mod changes;
mod due;
mod opened;
mod rotation;

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex},
};

use casebridge_core::{
    failure::Failure,
    hint::{Cause, Hint, Subject},
    identifiers::{AccountId, CaseId, ClaimId, IncidentId, LinkKey},
    policy::Policy,
    unreadable::UnreadableJson,
};
use casebridge_ledger::{Ledger, LedgerError};
use casebridge_ports::{Clock, Support, Timer};
use casebridge_runtime::{
    AccountSecrets, DeduplicationId, HintSink, QueueError, SecretError, Secrets,
    logging::Causes,
    metrics::{Metric, Metrics},
};
use casebridge_servicenow::{Changes, Client, CredentialSource};
use jiff::{SignedDuration, Timestamp};

pub use accounts::{ACCOUNT_TIME, ROUNDS};
pub use cases::PARKED_FOR;
pub use changes::WATERMARK;
pub use due::MAXIMUM_DUE_LINKS;
pub use opened::OPENED_CASES;

/// The end of an invocation's time in which the poller begins no further call: a call with its repeats takes up to 20
/// seconds.
pub const RESERVE: SignedDuration = SignedDuration::from_secs(25);
/// The length of a tick, in seconds. The hints of two polls in one tick get the same ids. A repeated invocation usually
/// falls into the same tick, and the next minute's poll does not.
const TICK_SECONDS: i64 = 10;

/// An error of a part of a poll.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The ledger did not answer.
    #[error("the ledger failed the poll")]
    Ledger(#[from] LedgerError),
    /// The queue did not take the hints.
    #[error("the queue failed the poll")]
    Queue(#[from] QueueError),
    /// A watermark is not in the form that this version writes.
    #[error("the watermark `{name}` is unreadable; remove its row, and replay what has changed since")]
    Watermark {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        source: UnreadableJson,
    },
    /// The version of the webhook's secret could not be read. The next poll reads it again.
    #[error("it could not be told which version of the webhook's secret is current")]
    Secret(#[from] SecretError),
    /// A side did not answer as it should. The next poll covers it.
    #[error("{side} could not be polled: {name}")]
    Side {
        /// The side.
        side: String,
        /// The failure's name.
        name: &'static str,
    },
    /// Accounts did not answer as they should. The next poll goes on with them.
    #[error("{failed} accounts could not be polled: {reasons}")]
    Accounts {
        /// The number of accounts.
        failed: usize,
        /// The failures, each with an example.
        reasons: String,
    },
}

impl PollError {
    fn watermark(name: &'static str) -> impl Fn(serde_json::Error) -> Self {
        move |error| Self::Watermark { name, source: error.into() }
    }

    fn side(side: impl Into<String>, failure: &Failure) -> Self {
        Self::Side { side: side.into(), name: failure.name() }
    }

    /// Whether the error fails the invocation.
    fn is_fatal(&self) -> bool {
        !matches!(self, Self::Side { .. } | Self::Accounts { .. } | Self::Secret(_))
    }

    /// Returns how many parts of the poll failed.
    fn parts(&self) -> usize {
        match self {
            Self::Accounts { failed, .. } => *failed,
            _ => 1,
        }
    }
}

/// The changes in ServiceNow.
pub trait ChangeFeed {
    /// Returns a page of changes, see [`Client::changes`].
    ///
    /// # Errors
    /// As [`Client::changes`].
    fn changes(
        &self,
        since: Timestamp,
        after: Option<&IncidentId>,
        limit: u32,
    ) -> impl Future<Output = Result<Changes, Failure>>;
}

impl<S: CredentialSource, C: Clock> ChangeFeed for Client<S, C> {
    async fn changes(&self, since: Timestamp, after: Option<&IncidentId>, limit: u32) -> Result<Changes, Failure> {
        self.changes(since, after, limit).await
    }
}

/// The part of Secrets Manager that the poller reads.
pub trait SecretStore {
    /// Returns all accounts that have a secret.
    ///
    /// # Errors
    /// If the secrets can't be listed.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountId>, SecretError>>;

    /// Returns the id of the current version of the webhook's secret.
    ///
    /// # Errors
    /// If the secret can't be described.
    fn webhook_version(&self) -> impl Future<Output = Result<String, SecretError>>;
}

/// The [`SecretStore`] on Secrets Manager.
pub struct PolledSecrets<C> {
    /// The accounts' secrets.
    pub accounts: AccountSecrets<C>,
    /// All secrets.
    pub secrets: Arc<Secrets<C>>,
    /// The name of the webhook's secret.
    pub webhook_secret_id: String,
}

impl<C: Clock> SecretStore for PolledSecrets<C> {
    async fn accounts(&self) -> Result<Vec<AccountId>, SecretError> {
        self.accounts.accounts().await
    }

    async fn webhook_version(&self) -> Result<String, SecretError> {
        self.secrets.current_version(&self.webhook_secret_id).await
    }
}

/// The poller and its ports.
pub struct Poller<L, Q, N, S, A, C> {
    /// The ledger.
    pub ledger: L,
    /// The queue of hints.
    pub queue: Q,
    /// The ServiceNow instance.
    pub servicenow: N,
    /// AWS Support of every account.
    pub support: S,
    /// The accounts, and the webhook's secret.
    pub secrets: A,
    /// Our clock.
    pub clock: C,
    /// The metrics of the invocation.
    pub metrics: Metrics,
    /// The cases that AWS does not show, and until when they are parked.
    pub parked: Mutex<BTreeMap<(AccountId, CaseId), Timestamp>>,
}

/// One poll: its number, its start, and the end of its time.
#[derive(Debug, Clone, Copy)]
struct Tick {
    number: i64,
    now: Timestamp,
    end: Timestamp,
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
    /// Polls both sides once. Begins no call that might not end before the deadline.
    ///
    /// # Errors
    /// Returns the first failure of the ledger or the queue, or an unreadable watermark, after all parts have run.
    /// Failures of sides and accounts are logged and counted only.
    pub async fn poll(&self, policy: &Policy, deadline: Timestamp) -> Result<(), PollError> {
        let now = self.clock.now();
        let end = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let tick = Tick { number: now.as_second().div_euclid(TICK_SECONDS), now, end };
        // Due links come first, since they wait already. Both sides are polled at once, so that a slow one does not
        // delay the other.
        let due = self.poll_due(tick).await;
        let (changes, cases, rotation) = tokio::join!(
            self.poll_changes(policy, tick),
            self.poll_accounts(policy, tick),
            rotation::watch(&self.ledger, &self.secrets, tick.now)
        );
        let mut outcome = Ok(());
        for error in [due, changes, rotation].into_iter().filter_map(Result::err).chain(cases) {
            self.metrics.count(Metric::PollFailures, error.parts());
            tracing::error!(error = %Causes(&error), "a part of the poll failed");
            if error.is_fatal() {
                outcome = outcome.and(Err(error));
            }
        }
        outcome
    }

    /// Enqueues a hint for each link that may have drifted.
    async fn hand_off(
        &self,
        links: impl IntoIterator<Item = LinkKey>,
        cause: Cause,
        tick: Tick,
    ) -> Result<(), PollError> {
        let subjects = links.into_iter().map(|key| Subject::Link { key });
        let occasion = tick.number.to_string();
        self.enqueue(subjects.filter_map(|subject| self.hint(subject, cause, None, &occasion)).collect()).await
    }

    /// Returns a hint and the id of its message. Hints with the same subject, cause and occasion have the same id. Returns
    /// `None` if the subject's key can't be part of a message id.
    fn hint(
        &self,
        subject: Subject,
        cause: Cause,
        claim: Option<ClaimId>,
        occasion: &str,
    ) -> Option<(Hint, DeduplicationId)> {
        let hint = Hint { subject, cause, received_at: self.clock.now(), claim };
        let key = hint.group_id();
        match DeduplicationId::parse(format!("{}/{key}/{occasion}", cause.as_str())) {
            Ok(id) => Some((hint, id)),
            Err(error) => {
                self.metrics.count(Metric::Parked, 1);
                tracing::error!(link = key, %error, "no message can be made for this link");
                None
            }
        }
    }

    async fn enqueue(&self, hints: Vec<(Hint, DeduplicationId)>) -> Result<(), PollError> {
        self.queue.send_all(&hints).await?;
        self.metrics.count(Metric::HintsSent, hints.len());
        Ok(())
    }

    fn is_time_up(&self, tick: Tick) -> bool {
        self.clock.now() >= tick.end
    }
}
