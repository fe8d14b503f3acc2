#![doc = include_str!("../README.md")]

mod event;

use aws_lambda_events::sns::SnsEvent;
use casebridge_core::{
    hint::{Cause, Hint, Subject},
    identifiers::CaseKey,
    support::index,
};
use casebridge_ledger::{Ledger, LedgerError};
use casebridge_ports::Clock;
use casebridge_runtime::{
    HintSink, QueueError,
    logging::{Causes, hint_span},
    metrics::{Metric, Metrics},
};
use tracing::Instrument;

pub use event::{CaseUpdate, Event, UnreadableEvent};

/// An event that was not handled. Lambda repeats the invocation.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The event can't be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    /// The ledger did not answer.
    #[error("the link of the event's case could not be looked up")]
    Ledger(#[from] LedgerError),
    /// The queue did not take the hint.
    #[error("the event's hint is not on the queue")]
    Queue(#[from] QueueError),
}

/// The handler and its ports.
pub struct Events<L, Q, C> {
    /// The ledger, which finds the links of cases.
    pub ledger: L,
    /// The queue of hints.
    pub queue: Q,
    /// Our clock.
    pub clock: C,
    /// The metrics of the invocation.
    pub metrics: Metrics,
}

impl<L: Ledger, Q: HintSink, C: Clock> Events<L, Q, C> {
    /// Handles every record.
    ///
    /// # Errors
    /// Returns the first error after it has tried every record.
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
        let CaseUpdate { id, account, case_id } = update;
        let row = index::case(&CaseKey::new(account.clone(), &case_id));
        let subject = match self.ledger.link_at(&row).await? {
            Some(key) => Subject::Link { key },
            None => Subject::Case { account, case_id },
        };
        let hint = Hint { subject, cause: Cause::SupportEvent, received_at: self.clock.now(), claim: None };
        let span = hint_span(&hint);
        async {
            self.queue.send(&hint, &id).await?;
            self.metrics.count(Metric::HintsSent, 1);
            tracing::info!(event = %id, "event accepted");
            Ok(())
        }
        .instrument(span)
        .await
    }
}
