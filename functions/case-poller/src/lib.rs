//! The certainty behind the events: what is due, what has changed in ServiceNow, what has changed at AWS.
//!
//! The poller makes no decision on a link; it enqueues hints. One side's or one account's failure touches no other. Only a
//! failing ledger or queue fails the invocation, at its end, once everything else has had its turn.

mod accounts;
mod cases;
mod changes;
mod due;
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
pub use due::MAX_DUE_LINKS;

/// What is left of an invocation's time when no further call is begun: a call with its repeats may take as long.
pub const RESERVE: SignedDuration = SignedDuration::from_secs(25);
/// Polls within the same so many seconds are one: their hints have the same ids.
const TICK_SECONDS: i64 = 10;

/// Why a poll did not get through.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The ledger did not answer.
    #[error("the ledger failed the poll")]
    Ledger(#[from] LedgerError),
    /// The queue did not take the hints.
    #[error("the queue failed the poll")]
    Queue(#[from] QueueError),
    /// A watermark is not of the form that this version writes.
    #[error("the watermark `{name}` is unreadable; remove its row, and replay what has changed since")]
    Watermark {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        source: UnreadableJson,
    },
    /// The webhook's secret could not be looked at. The next poll looks again.
    #[error("it could not be told which version of the webhook's secret is current")]
    Secret(#[from] SecretError),
    /// A side did not answer as it should. The next poll covers it.
    #[error("{side} could not be polled: {name}")]
    Side {
        /// Which.
        side: String,
        /// The failure's name.
        name: &'static str,
    },
    /// Accounts did not answer as they should. The next poll goes on with them.
    #[error("{failed} accounts could not be polled: {reasons}")]
    Accounts {
        /// How many.
        failed: usize,
        /// Why, with an example for each reason.
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

    /// Whether the invocation has to fail.
    fn is_fatal(&self) -> bool {
        !matches!(self, Self::Side { .. } | Self::Accounts { .. } | Self::Secret(_))
    }

    /// How many parts of the poll failed with it.
    fn parts(&self) -> usize {
        match self {
            Self::Accounts { failed, .. } => *failed,
            _ => 1,
        }
    }
}

/// What has changed in ServiceNow.
pub trait ChangeFeed {
    /// A page of changes, see [`Client::changes`].
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

/// What the poller asks Secrets Manager.
pub trait SecretStore {
    /// All accounts that have a secret.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountId>, SecretError>>;

    /// The current version of the webhook's secret.
    fn webhook_version(&self) -> impl Future<Output = Result<String, SecretError>>;
}

/// Secrets Manager.
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

/// The poller and what it needs.
pub struct Poller<L, Q, N, S, A, C> {
    /// What is remembered.
    pub ledger: L,
    /// Where hints go.
    pub queue: Q,
    /// The ServiceNow instance.
    pub servicenow: N,
    /// AWS Support of every account.
    pub support: S,
    /// The accounts, and the webhook's secret.
    pub secrets: A,
    /// Our clock.
    pub clock: C,
    /// What is measured.
    pub metrics: Metrics,
    /// The cases that can't be read, and until when they are left aside.
    pub parked: Mutex<BTreeMap<(AccountId, CaseId), Timestamp>>,
}

/// One poll: its number, and when it has to end.
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
    /// Polls everything once; begins nothing that could not end before the deadline.
    pub async fn poll(&self, policy: &Policy, deadline: Timestamp) -> Result<(), PollError> {
        let now = self.clock.now();
        let end = deadline.checked_sub(RESERVE).unwrap_or(deadline);
        let tick = Tick { number: now.as_second().div_euclid(TICK_SECONDS), now, end };
        // What is due waits longest already; both sides are polled at once, so that a slow one holds up neither.
        let due = self.poll_due(tick).await;
        let (changes, cases, rotation) = tokio::join!(
            self.poll_changes(policy, tick),
            self.poll_accounts(tick),
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
        let links = links.into_iter();
        self.enqueue(links.filter_map(|key| self.hint(key, cause, None, &tick.number.to_string())).collect()).await
    }

    /// A hint for a link, and the id of its message: the same for all hints that one occasion makes for one reason.
    fn hint(
        &self,
        key: LinkKey,
        cause: Cause,
        claim: Option<ClaimId>,
        occasion: &str,
    ) -> Option<(Hint, DeduplicationId)> {
        match DeduplicationId::parse(format!("{}/{key}/{occasion}", cause.as_str())) {
            Ok(id) => {
                let subject = Subject::Link { key };
                Some((Hint { subject, cause, received_at: self.clock.now(), claim }, id))
            }
            Err(error) => {
                self.metrics.count(Metric::Parked, 1);
                tracing::error!(link = %key, %error, "no message can be made for this link");
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
