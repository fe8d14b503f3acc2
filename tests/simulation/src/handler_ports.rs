//! The ports of the handlers, answered by the world: the queue, the feed of changes, Secrets Manager.

use std::{cell::Cell, error::Error, rc::Rc, sync::Arc};

use case_poller::{ChangeFeed, SecretStore};
use casebridge_core::{
    failure::Failure,
    file::order::TransferMessage,
    hint::Hint,
    identifiers::{AccountId, IncidentId},
    time::format_servicenow,
};
use casebridge_ports::{FileQueue, WakeQueue};
use casebridge_runtime::{DeduplicationId, HintSink, QueueError, Redeliverer, Redelivery, SecretError, WebhookKeys};
use casebridge_servicenow::{Changes, IncidentChange};
use catalog_sync::AccountList;
use jiff::{SignedDuration, Timestamp};
use servicenow_webhook::KeySource;

use crate::{
    calls::{Fate, RemoteCall, unavailable},
    desk::Desk,
    handlers::webhook_secret,
    queue::QueueName,
    world::{ACCOUNTS, World},
};

/// The most changes of ServiceNow on a page, even if more were asked for. It is small, so that there are several pages.
const CHANGES_PER_PAGE: usize = 2;
/// How late a late wake is at most, in seconds.
const LATE_WAKE_SECONDS: i64 = 1_200;
/// How early an early wake is at most, in milliseconds. It is longer than a worker waits with an early message.
const EARLY_WAKE_MILLISECONDS: i64 = 8_000;
/// The most hints in one call to the queue.
const HINTS_PER_CALL: usize = 10;

/// The queue of hints.
pub struct QueuePort {
    /// The world.
    pub desk: Rc<Desk>,
}

impl QueuePort {
    async fn enqueue(&self, hints: &[(Hint, DeduplicationId)]) -> Result<(), QueueError> {
        let what = || {
            let first = hints.first().map(|(hint, _)| format!("{} {}", hint.group_id(), hint.cause.as_str()));
            format!("{} hints, first {}", hints.len(), first.unwrap_or_default())
        };
        let fate = self.desk.arrive(RemoteCall::Enqueue, what).await;
        if fate == Fate::Refused {
            return Err(QueueError::NotTaken("the queue throttles".into()));
        }
        for (hint, deduplication) in hints {
            let body = serde_json::to_string(hint).map_err(|_| QueueError::Unwritable)?;
            let world = &mut *self.desk.world.borrow_mut();
            let now = world.now;
            world.queue.send(now, deduplication.as_str(), hint.group_id(), body);
        }
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost { Err(QueueError::NotTaken("the queue did not answer".into())) } else { Ok(()) }
    }
}

impl HintSink for QueuePort {
    async fn send(&self, hint: &Hint, deduplication: &DeduplicationId) -> Result<(), QueueError> {
        self.enqueue(&[(hint.clone(), deduplication.clone())]).await
    }

    async fn send_all(&self, hints: &[(Hint, DeduplicationId)]) -> Result<(), QueueError> {
        for batch in hints.chunks(HINTS_PER_CALL) {
            self.enqueue(batch).await?;
        }
        Ok(())
    }
}

impl Redeliverer for QueuePort {
    async fn redeliver(&self, messages: &[Redelivery]) -> Result<(), QueueError> {
        redeliver(&self.desk, QueueName::Hints, messages).await
    }
}

/// The queue that wakes links.
pub struct WakePort {
    /// The world.
    pub desk: Rc<Desk>,
}

impl WakeQueue for WakePort {
    type Error = QueueError;

    async fn send_later(&self, hint: &Hint, delay: SignedDuration) -> Result<(), QueueError> {
        let what = || format!("{} in {} s", hint.group_id(), delay.as_secs());
        let fate = self.desk.arrive(RemoteCall::EnqueueLater, what).await;
        if fate == Fate::Refused {
            return Err(QueueError::NotTaken("the queue throttles".into()));
        }
        let body = serde_json::to_string(hint).map_err(|_| QueueError::Unwritable)?;
        self.desk.world.borrow_mut().send_later(&hint.group_id(), &body, delay);
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost { Err(QueueError::NotTaken("the queue did not answer".into())) } else { Ok(()) }
    }
}

impl Redeliverer for WakePort {
    async fn redeliver(&self, messages: &[Redelivery]) -> Result<(), QueueError> {
        redeliver(&self.desk, QueueName::Wakes, messages).await
    }
}

/// The queue of transfers of files.
pub struct FilesPort {
    /// The world.
    pub desk: Rc<Desk>,
}

impl FileQueue for FilesPort {
    type Error = QueueError;

    async fn send(&self, message: &TransferMessage, delay: SignedDuration) -> Result<(), QueueError> {
        let what = || format!("{} in {} s", message.link, delay.as_secs());
        let fate = self.desk.arrive(RemoteCall::EnqueueTransfer, what).await;
        if fate == Fate::Refused {
            return Err(QueueError::NotTaken("the queue throttles".into()));
        }
        let body = serde_json::to_string(message).map_err(|_| QueueError::Unwritable)?;
        self.desk.world.borrow_mut().send_transfer(&message.link.to_string(), &body, delay);
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost { Err(QueueError::NotTaken("the queue did not answer".into())) } else { Ok(()) }
    }
}

impl World {
    /// Puts a transfer on its queue. By the rates of the faults, the message is lost, or comes twice or late.
    fn send_transfer(&mut self, group: &str, body: &str, delay: SignedDuration) {
        let rates = self.faults.rates();
        if self.random.chance(rates.hint_lost) {
            return self.count_fault("order for files lost");
        }
        let copies = if self.random.chance(rates.hint_doubled) { 2 } else { 1 };
        for _ in 0..copies {
            let mut arrives_at = self.now + delay;
            if self.random.chance(rates.hint_late) {
                arrives_at += SignedDuration::from_secs(self.random.between(1, LATE_WAKE_SECONDS));
                self.count_fault("order for files late");
            }
            self.transfers.send_later(arrives_at, group.to_owned(), body.to_owned());
        }
    }
}

impl World {
    /// Puts a wake on its queue. By the rates of the faults, the wake is lost, or comes twice, late or early.
    fn send_later(&mut self, group: &str, body: &str, delay: SignedDuration) {
        let rates = self.faults.rates();
        if !self.settings.wakes || self.random.chance(rates.hint_lost) {
            return self.count_fault("wake lost");
        }
        let copies = if self.random.chance(rates.hint_doubled) { 2 } else { 1 };
        if copies > 1 {
            self.count_fault("wake doubled");
        }
        for _ in 0..copies {
            let mut arrives_at = self.now + delay;
            if self.random.chance(rates.hint_late) {
                arrives_at += SignedDuration::from_secs(self.random.between(1, LATE_WAKE_SECONDS));
                self.count_fault("wake late");
            } else if self.random.chance(rates.wake_early) {
                let early = SignedDuration::from_millis(self.random.between(1, EARLY_WAKE_MILLISECONDS));
                arrives_at = (arrives_at - early).max(self.now);
                self.count_fault("wake early");
            }
            self.wakes.send_later(arrives_at, group.to_owned(), body.to_owned());
        }
    }
}

/// Sets when a queue brings messages again.
async fn redeliver(desk: &Desk, queue: QueueName, messages: &[Redelivery]) -> Result<(), QueueError> {
    let fate = desk.arrive(RemoteCall::Redeliver, || format!("{} messages", messages.len())).await;
    if fate == Fate::Refused {
        return Err(QueueError::NotRescheduled("the queue throttles".into()));
    }
    let mut refused = 0;
    for message in messages {
        let world = &mut *desk.world.borrow_mut();
        let again_at = world.now + message.after;
        refused += usize::from(!world.queue_named(queue).redeliver(&message.receipt_handle, again_at));
    }
    desk.leave(fate).await;
    if fate == Fate::AnswerLost {
        return Err(QueueError::NotRescheduled("the queue did not answer".into()));
    }
    if refused > 0 {
        let codes = "ReceiptHandleIsInvalid".to_owned();
        return Err(QueueError::PartlyTaken { sent: messages.len(), refused, codes });
    }
    Ok(())
}

/// The feed of changes in ServiceNow.
pub struct ChangesPort {
    /// The world.
    pub desk: Rc<Desk>,
}

impl ChangeFeed for ChangesPort {
    async fn changes(&self, since: Timestamp, after: Option<&IncidentId>, limit: u32) -> Result<Changes, Failure> {
        let fate = self.desk.arrive(RemoteCall::Changes, || format_servicenow(since)).await;
        if fate == Fate::Refused {
            return Err(unavailable("ServiceNow throttles"));
        }
        let changes =
            {
                let world = self.desk.world.borrow();
                let limit = CHANGES_PER_PAGE.min(usize::try_from(limit).unwrap_or(usize::MAX));
                let (found, more) = world.servicenow.changes(since, after, limit);
                let incidents = found.into_iter().map(|(sys_id, sys_mod_count, sys_updated_on, attached)| {
                    IncidentChange { sys_id, sys_mod_count, sys_updated_on, attached }
                });
                Changes { now: world.servicenow_now(), incidents: incidents.collect(), more }
            };
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost { Err(unavailable("ServiceNow did not answer")) } else { Ok(changes) }
    }
}

fn unread(id: &str) -> SecretError {
    SecretError::Unavailable {
        id: id.to_owned(),
        source: Arc::from(Box::<dyn Error + Send + Sync>::from("Secrets Manager did not answer")),
    }
}

/// Secrets Manager, as the poller reads it.
pub struct SecretsPort {
    /// The world.
    pub desk: Rc<Desk>,
}

impl SecretStore for SecretsPort {
    async fn accounts(&self) -> Result<Vec<AccountId>, SecretError> {
        let fate = self.desk.arrive(RemoteCall::Accounts, String::new).await;
        if fate != Fate::Refused {
            self.desk.leave(fate).await;
        }
        match fate {
            Fate::Refused | Fate::AnswerLost => Err(unread("accounts")),
            _ => Ok(ACCOUNTS.iter().map(|(account, _, _)| AccountId::new(*account)).collect()),
        }
    }

    async fn webhook_version(&self) -> Result<String, SecretError> {
        newest_secret(&self.desk).await.map(|newest| newest.to_string())
    }
}

impl AccountList for SecretsPort {
    async fn accounts(&self) -> Result<Vec<AccountId>, SecretError> {
        SecretStore::accounts(self).await
    }
}

/// Asks Secrets Manager for the newest version of the secret that webhooks are signed with.
async fn newest_secret(desk: &Desk) -> Result<u64, SecretError> {
    let fate = desk.arrive(RemoteCall::WebhookSecret, String::new).await;
    if fate == Fate::Refused {
        return Err(unread("webhook"));
    }
    let newest = desk.world.borrow().webhook_secret.newest;
    desk.leave(fate).await;
    if fate == Fate::AnswerLost { Err(unread("webhook")) } else { Ok(newest) }
}

/// The secrets that webhooks may be signed with: the newest and the one before, as this function last read them.
pub struct KeysPort {
    desk: Rc<Desk>,
    known: Cell<Option<u64>>,
}

impl KeysPort {
    /// Returns a port that has read no secret yet.
    pub fn new(desk: Rc<Desk>) -> Self {
        Self { desk, known: Cell::new(None) }
    }
}

impl KeySource for KeysPort {
    async fn known(&self) -> Result<WebhookKeys, SecretError> {
        match self.known.get() {
            Some(newest) => Ok(versions(newest)),
            None => self.renewed().await,
        }
    }

    async fn renewed(&self) -> Result<WebhookKeys, SecretError> {
        let newest = newest_secret(&self.desk).await?;
        self.known.set(Some(newest));
        Ok(versions(newest))
    }
}

fn versions(newest: u64) -> WebhookKeys {
    WebhookKeys {
        current: webhook_secret(newest).into(),
        version: newest.to_string(),
        // The hardest case for the webhook function: each version was created long before it became the current one.
        created_at: Some(Timestamp::MIN),
        previous: newest.checked_sub(1).map(|version| webhook_secret(version).into()),
    }
}
