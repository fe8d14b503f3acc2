//! Receives the events of AWS accounts from SNS: finds the link that an event concerns and enqueues a hint.
//!
//! Every Support Case Update of a linked case counts, whoever caused it: an event that our own write caused finds both sides
//! in step. One of another case counts only while its account has an undecided CreateCase: every other one ends here. A message
//! that can't be read fails the invocation, so that after its retries it lies in the on-failure queue, whole.

mod event;

use aws_lambda_events::sns::SnsEvent;
use casebridge_core::{
    hint::{Cause, Hint, Subject},
    support::unknown_case::UnknownCase,
};
use casebridge_executor::{Owner, Told, owner_of_case};
use casebridge_ledger::{Ledger, LedgerError};
use casebridge_ports::Clock;
use casebridge_runtime::{
    HintSink, QueueError,
    logging::{Causes, hint_span},
    metrics::{Metric, Metrics},
};
use tracing::Instrument;

pub use event::{CaseUpdate, Event, UnreadableEvent};

/// Why an event is not on the queue. The invocation is repeated.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It can't be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    /// The ledger did not answer.
    #[error("the link of the event's case could not be looked up")]
    Ledger(#[from] LedgerError),
    /// The queue did not take the hint.
    #[error("the event's hint is not on the queue")]
    Queue(#[from] QueueError),
}

/// The handler and what it needs.
pub struct Events<L, Q, C> {
    /// Where links are found.
    pub ledger: L,
    /// Where hints go.
    pub queue: Q,
    /// Our clock.
    pub clock: C,
    /// What is measured.
    pub metrics: Metrics,
}

impl<L: Ledger, Q: HintSink, C: Clock> Events<L, Q, C> {
    /// Handles every record; fails with the first error once all have had their turn.
    pub async fn handle(&self, event: SnsEvent) -> Result<(), EventError> {
        let mut outcome = Ok(());
        for record in event.records {
            if let Err(error) = self.handle_message(&record.sns.message).await {
                tracing::error!(
                    message_id = record.sns.message_id,
                    error = %Causes(&error),
                    "an event could not be handled"
                );
                outcome = outcome.and(Err(error));
            }
        }
        outcome
    }

    async fn handle_message(&self, message: &str) -> Result<(), EventError> {
        match event::read(message) {
            Ok(Event::CaseUpdate(update)) => self.enqueue(update).await,
            Ok(Event::Other { source, detail_type }) => {
                tracing::info!(source, detail_type, "an event of no concern");
                Ok(())
            }
            Err(unreadable) => {
                self.metrics.count(Metric::Parked, 1);
                Err(unreadable.into())
            }
        }
    }

    async fn enqueue(&self, update: CaseUpdate) -> Result<(), EventError> {
        let (cause, received_at) = (Cause::SupportEvent, self.clock.now());
        let told = Told { account: &update.account, case_id: &update.case_id, cause, received_at };
        let subject = match owner_of_case(&self.ledger, told, received_at).await? {
            Owner::Link(key) => Subject::Link { key },
            Owner::Unknown(UnknownCase::NotOurs) => {
                self.metrics.count(Metric::EventsOfOthers, 1);
                tracing::info!(event = %update.id, account = %update.account, "an event of a case that is not ours");
                return Ok(());
            }
            Owner::Unknown(_) => Subject::Case { account: update.account, case_id: update.case_id },
        };
        let hint = Hint { subject, cause, received_at, claim: None };
        let span = hint_span(&hint);
        async {
            self.queue.send(&hint, &update.id).await?;
            self.metrics.count(Metric::HintsSent, 1);
            tracing::info!(event = %update.id, "event accepted");
            Ok(())
        }
        .instrument(span)
        .await
    }
}
