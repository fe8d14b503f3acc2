#![doc = include_str!("../README.md")]

mod source;
mod steps;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use casebridge_core::{
    file::{
        order::TransferMessage,
        transfer::{FileFate, Transfer},
    },
    hint::{Cause, Hint, Subject},
    policy::Policy,
    time::{later, whole_seconds},
    unreadable::UnreadableJson,
};
use casebridge_ledger::{LedgerError, TransferAnswer, TransferLease, TransferLedger};
use casebridge_ports::{CaseFiles, FileQueue, IncidentFiles, Randomness, Timer};
use casebridge_runtime::{
    DeduplicationId, HintSink, InvalidDeduplicationId, QueueError,
    logging::Causes,
    metrics::{Metric, Metrics},
};
use jiff::{SignedDuration, Timestamp};

/// The time that must be left of an invocation to begin a step: enough for a part of an upload, or for most of a large file
/// on an ordinary connection.
pub const TIME_FOR_A_STEP: SignedDuration = SignedDuration::from_mins(4);
/// The time by which a lease outlives its worker, since a request on the wire may still arrive.
pub const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// The longest wait for which the worker stays with a transfer. For a longer one it sends itself a message. The pause
/// of AWS's check and, with the default policy, the first four waits after failures (1, 2, 4 and 8 seconds) fit. A
/// longer stay would keep one of few workers from the files of others.
const MAXIMUM_STAY: SignedDuration = SignedDuration::from_secs(10);
/// The longest delay of a message. Source: Amazon SQS, SendMessage `DelaySeconds`.
const MAXIMUM_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// Why a message was not handled. The queue delivers it again.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The message can't be read.
    #[error(
        "the message is not an order for files of this version: {0}; it goes to the dead-letter queue after its retries"
    )]
    Unreadable(#[from] UnreadableJson),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The queue of hints did not take the hint that wakes the link.
    #[error(transparent)]
    Hint(#[from] QueueError),
    /// The name of the hint is no deduplication id.
    #[error(transparent)]
    Name(#[from] InvalidDeduplicationId),
    /// The queue of files did not take the message with which the transfer goes on.
    #[error("the queue of files did not take the message with which a transfer goes on; this one comes again")]
    NotContinued,
}

/// The worker that moves files.
pub struct Mover<L, Q, H, I, F, C, R> {
    /// The ledger.
    pub ledger: L,
    /// The queue of transfers.
    pub queue: Q,
    /// The queue of hints.
    pub hints: H,
    /// The files of incidents.
    pub servicenow: I,
    /// The files of cases.
    pub support: F,
    /// The clock.
    pub clock: C,
    /// The source of random bits.
    pub randomness: R,
    /// What is counted.
    pub metrics: Metrics,
}

/// A transfer under its lease.
struct Work {
    lease: TransferLease,
    transfer: Transfer,
    /// What was last recorded.
    recorded: Transfer,
}

/// What follows a step.
enum Progress {
    /// The next step.
    On,
    /// The same step, after a wait.
    Wait(SignedDuration),
}

impl<L, Q, H, I, F, C, R> Mover<L, Q, H, I, F, C, R>
where
    L: TransferLedger,
    Q: FileQueue,
    H: HintSink,
    I: IncidentFiles,
    F: CaseFiles,
    C: Timer,
    R: Randomness,
{
    /// Handles a batch. Returns the messages that the queue has to deliver again.
    pub async fn handle(&self, event: SqsEvent, policy: &Policy, deadline: Timestamp) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            if let Err(error) = self.handle_message(&message, policy, deadline).await {
                tracing::error!(message_id = message.message_id, error = %Causes(&error), "a message failed");
                response.batch_item_failures.push(failure_of(message));
            }
        }
        response
    }

    async fn handle_message(
        &self,
        message: &SqsMessage,
        policy: &Policy,
        deadline: Timestamp,
    ) -> Result<(), MoveError> {
        let body = message.body.as_deref().unwrap_or_default();
        let message: TransferMessage = serde_json::from_str(body).map_err(UnreadableJson::from)?;
        let until = later(deadline, LEASE_MARGIN);
        let (now, attempt) = (self.clock.now(), self.randomness.attempt());
        match self.ledger.take_transfer(&message.link, &message.transfer, &attempt, now, until).await? {
            // The link orders its files again.
            TransferAnswer::Absent | TransferAnswer::Held => Ok(()),
            TransferAnswer::Taken { lease, transfer } if transfer.waits_for_another(now) => {
                self.ledger.record_transfer(&lease, &transfer, true).await?;
                Ok(())
            }
            TransferAnswer::Taken { lease, transfer } => {
                let recorded = (*transfer).clone();
                let mut work = Work { lease, transfer: *transfer, recorded };
                work.transfer.taken_over();
                self.go_on(&message, work, policy, deadline).await
            }
        }
    }

    /// Makes steps until the transfer has ended or has to wait.
    async fn go_on(
        &self,
        message: &TransferMessage,
        mut work: Work,
        policy: &Policy,
        deadline: Timestamp,
    ) -> Result<(), MoveError> {
        loop {
            let Some(step) = work.transfer.next_step() else { return self.end(message, work).await };
            if self.time_left(deadline) < TIME_FOR_A_STEP {
                return self.continue_later(message, work, SignedDuration::ZERO).await;
            }
            let wait = match self.make(message, &mut work, &step, policy, deadline).await? {
                Ok(Progress::On) => SignedDuration::ZERO,
                Ok(Progress::Wait(wait)) => wait,
                Err(failed) => {
                    self.metrics.count(Metric::of_failure(failed.failure.kind()), 1);
                    tracing::warn!(
                        link = %message.link,
                        transfer = %message.transfer,
                        side = failed.side.name(),
                        failure = failed.failure.name(),
                        "a step of a transfer failed"
                    );
                    work.transfer.failed(policy, &step, failed.side, &failed.failure, self.clock.now())
                }
            };
            if wait > MAXIMUM_STAY {
                return self.continue_later(message, work, wait).await;
            }
            // The end is recorded with the release.
            if work.transfer.end.is_none() {
                self.record(&mut work).await?;
            }
            if !wait.is_zero() {
                self.clock.sleep(wait).await;
            }
        }
    }

    fn time_left(&self, deadline: Timestamp) -> SignedDuration {
        deadline.duration_since(self.clock.now())
    }

    /// Records what is known, if it is not recorded.
    async fn record(&self, work: &mut Work) -> Result<(), LedgerError> {
        if work.transfer != work.recorded {
            work.lease = self.ledger.record_transfer(&work.lease, &work.transfer, false).await?;
            work.recorded = work.transfer.clone();
        }
        Ok(())
    }

    /// Releases the transfer and sends the message with which it goes on. If the message is lost, the link orders again.
    async fn continue_later(
        &self,
        message: &TransferMessage,
        mut work: Work,
        wait: SignedDuration,
    ) -> Result<(), MoveError> {
        let delay = whole_seconds(wait).min(MAXIMUM_DELAY);
        work.transfer.resumes_at = Some(later(self.clock.now(), delay));
        self.ledger.record_transfer(&work.lease, &work.transfer, true).await?;
        self.queue.send(message, delay).await.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "a transfer can't be continued by a message");
            MoveError::NotContinued
        })
    }

    /// Releases a transfer that has ended, and wakes its link.
    async fn end(&self, message: &TransferMessage, work: Work) -> Result<(), MoveError> {
        let is_moved = |fate: &&FileFate| matches!(fate, FileFate::Moved { .. });
        let is_refused = |fate: &&FileFate| matches!(fate, FileFate::Refused { .. });
        self.metrics.count(Metric::FilesMoved, work.transfer.fates.iter().filter(is_moved).count());
        self.metrics.count(Metric::FilesRefused, work.transfer.fates.iter().filter(is_refused).count());
        let lease = self.ledger.record_transfer(&work.lease, &work.transfer, true).await?;
        let now = self.clock.now();
        let subject = Subject::Link { key: message.link.clone() };
        let hint = Hint { subject, cause: Cause::FileMoved, received_at: now, claim: None };
        let name = DeduplicationId::parse(format!("files-{}-{}", message.transfer, lease.revision))?;
        self.hints.send(&hint, &name).await?;
        Ok(())
    }
}

/// Names a message in the answer to SQS. A message without an id gets an empty name, which fails the whole batch.
fn failure_of(message: SqsMessage) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message.message_id.unwrap_or_default();
    failure
}
