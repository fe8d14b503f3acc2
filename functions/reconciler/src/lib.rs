#![doc = include_str!("../README.md")]

use std::{collections::BTreeMap, future::Future};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use casebridge_core::{
    failure::FailureKind,
    hint::{Cause, Hint, Unhandled},
    link::trouble::Side,
    support::unknown_case::UnknownCase,
    unreadable::UnreadableJson,
};
use casebridge_executor::{Executor, Limits, Ports, ReconcileError, Report};
use casebridge_ports::Clock;
use casebridge_runtime::{
    Redeliverer, Redelivery,
    logging::{Causes, hint_span},
    metrics::{Metric, Metrics},
};
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument;

/// The attribute with a message's group.
const GROUP: &str = "MessageGroupId";
/// The attribute with the number of a message's deliveries.
const RECEIVES: &str = "ApproximateReceiveCount";
/// The time that must be left of an invocation to begin another hint: enough for a read of both sides, a write and its
/// answer.
pub const TIME_FOR_A_HINT: SignedDuration = SignedDuration::from_secs(30);
/// The time that must be left of an invocation to reschedule messages: more than the 12 seconds that this call may
/// take.
pub const TIME_FOR_REDELIVERY: SignedDuration = SignedDuration::from_secs(15);
/// The time by which a lease outlives its worker, since a request on the wire may still arrive.
pub const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// The time that must be left of the worker to begin another call: more than the 20 seconds of the longest call.
pub const TIME_FOR_A_CALL: SignedDuration = SignedDuration::from_secs(25);

/// A message that was not handled.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The message can't be read.
    #[error("the message is not a hint of this version: {0}; it goes to the dead-letter queue after its retries")]
    Unreadable(#[from] UnreadableJson),
    /// The pass failed, and the reason could not be recorded in the ledger.
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
}

impl MessageError {
    fn reason(&self) -> Unhandled {
        match self {
            Self::Unreadable(_) => Unhandled::Unreadable,
            Self::Reconcile(_) => Unhandled::LedgerFailed,
        }
    }
}

/// A worker that acts on hints.
pub trait Reconcile {
    /// Brings the hint's link in step within the time that is left.
    ///
    /// # Errors
    /// If the ledger fails.
    fn reconcile(
        &mut self,
        hint: &Hint,
        time_left: SignedDuration,
    ) -> impl Future<Output = Result<Report, ReconcileError>>;
}

impl<P: Ports> Reconcile for Executor<P> {
    async fn reconcile(&mut self, hint: &Hint, time_left: SignedDuration) -> Result<Report, ReconcileError> {
        self.limits = limits(time_left);
        Executor::reconcile(self, hint).await
    }
}

/// Returns the limits of a pass: the lease outlives the worker, and a call begins only if the worker has time for its
/// end.
pub fn limits(time_left: SignedDuration) -> Limits {
    Limits {
        lease: time_left.saturating_add(LEASE_MARGIN),
        least_time_left: TIME_FOR_A_CALL.saturating_add(LEASE_MARGIN),
    }
}

/// Handles a batch. Returns the messages that the queue has to deliver again, and tells the queue when to deliver them.
pub async fn handle(
    event: SqsEvent,
    executor: &mut impl Reconcile,
    queue: &impl Redeliverer,
    clock: &impl Clock,
    metrics: &Metrics,
    deadline: Timestamp,
) -> SqsBatchResponse {
    let mut stopped_groups: BTreeMap<String, SignedDuration> = BTreeMap::new();
    let mut unhandled = Vec::new();
    for (position, message) in event.records.into_iter().enumerate() {
        let group = group_of(&message);
        // Always begin the first message: otherwise the queue could deliver a batch again and again without any work.
        let time_left = deadline.duration_since(clock.now());
        let receives = receives(&message);
        let retry_delay = if let Some(ahead) = stopped_groups.get(&group) {
            *ahead
        } else if position > 0 && time_left < TIME_FOR_A_HINT {
            Unhandled::NotBegun.retry_delay(receives)
        } else {
            match handle_message(&message, executor, time_left, clock, metrics).await {
                Ok(report) => match wait_after(&report, receives) {
                    Some(wait) => wait,
                    None => continue,
                },
                Err(error) => {
                    note_failure(&error, &message, receives, metrics);
                    error.reason().retry_delay(receives)
                }
            }
        };
        stopped_groups.insert(group, retry_delay);
        unhandled.push((message, retry_delay));
    }
    if deadline.duration_since(clock.now()) >= TIME_FOR_REDELIVERY {
        redeliver(queue, &unhandled).await;
    }
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = unhandled.into_iter().map(|(message, _)| failure_of(message)).collect();
    response
}

/// Returns after which wait a hint that was acted on has to come again; `None` if it is done.
fn wait_after(report: &Report, receives: u32) -> Option<SignedDuration> {
    match report.unknown_case {
        Some(UnknownCase::Wait(wait)) => Some(wait),
        _ => report.record_untold.then(|| Unhandled::RecordUntold.retry_delay(receives)),
    }
}

fn note_failure(error: &MessageError, message: &SqsMessage, receives: u32, metrics: &Metrics) {
    // Each delivery of the message fails in the same way: count it once.
    let is_strange = error.reason() == Unhandled::Unreadable && receives <= 1;
    metrics.count(Metric::Parked, usize::from(is_strange));
    tracing::error!(
        message_id = message.message_id,
        link = group_of(message),
        error = %Causes(error),
        "a message failed"
    );
}

fn group_of(message: &SqsMessage) -> String {
    // A standard queue has no groups: each of its messages is a group.
    message.attributes.get(GROUP).or(message.message_id.as_ref()).cloned().unwrap_or_default()
}

/// Tells the queue when to deliver messages again. If this fails, they come after the queue's visibility timeout.
async fn redeliver(queue: &impl Redeliverer, unhandled: &[(SqsMessage, SignedDuration)]) {
    let redelivery = |(message, after): &(SqsMessage, SignedDuration)| {
        message.receipt_handle.clone().map(|receipt_handle| Redelivery { receipt_handle, after: *after })
    };
    let redeliveries: Vec<Redelivery> = unhandled.iter().filter_map(redelivery).collect();
    if redeliveries.is_empty() {
        return;
    }
    if let Err(error) = queue.redeliver(&redeliveries).await {
        tracing::warn!(error = %Causes(&error), "messages come again later than they could");
    }
}

fn receives(message: &SqsMessage) -> u32 {
    message.attributes.get(RECEIVES).and_then(|receives| receives.parse().ok()).unwrap_or_default()
}

/// Acts on a message. Returns what happened.
async fn handle_message(
    message: &SqsMessage,
    executor: &mut impl Reconcile,
    time_left: SignedDuration,
    clock: &impl Clock,
    metrics: &Metrics,
) -> Result<Report, MessageError> {
    let hint: Hint = serde_json::from_str(message.body.as_deref().unwrap_or_default()).map_err(UnreadableJson::from)?;
    async {
        let report = executor.reconcile(&hint, time_left).await?;
        measure(&hint, &report, clock.now(), metrics);
        tracing::info!(
            unknown_case = report.unknown_case.map(tracing::field::debug),
            case_link = report.link.as_ref().map(tracing::field::display),
            deferred = report.deferred,
            record_untold = report.record_untold,
            unclaimed = report.unclaimed,
            doubles = report.doubles,
            calls = report.calls,
            stayed_milliseconds = i64::try_from(report.stayed.as_millis()).unwrap_or(i64::MAX),
            effects = ?effect_names(&report),
            failures = ?failure_names(&report),
            waits = ?report.waits,
            due = report.due.map(tracing::field::display),
            "hint handled"
        );
        Ok(report)
    }
    .instrument(hint_span(&hint))
    .await
}

/// Returns the names of the effects, each with the name of its failure if it failed, for the log.
fn effect_names(report: &Report) -> Vec<(&'static str, Option<&'static str>)> {
    report.effects.iter().map(|(effect, failure)| (*effect, failure.map(FailureKind::name))).collect()
}

/// Returns the names of the failures, each with its side, for the log.
fn failure_names(report: &Report) -> Vec<(&'static str, &'static str)> {
    report.failures.iter().map(|(side, failure)| (side.name(), failure.name())).collect()
}

fn measure(hint: &Hint, report: &Report, now: Timestamp, metrics: &Metrics) {
    metrics.count(Metric::RemoteCalls, usize::try_from(report.calls).unwrap_or(usize::MAX));
    if let Some(metric) = report.unknown_case.and_then(Metric::of_unknown_case) {
        metrics.count(metric, 1);
    }
    metrics.count(Metric::Doubles, report.doubles);
    metrics.count(Metric::Deferred, usize::from(report.deferred));
    metrics.count(Metric::Unclaimed, usize::from(report.unclaimed));
    metrics.count(Metric::WakesLost, usize::from(report.wake_lost));
    for (_, failure) in &report.effects {
        metrics.count(failure.map_or(Metric::Effects, Metric::of_failure), 1);
    }
    for (side, failure) in &report.failures {
        let metric = match Metric::of_failure(*failure) {
            // An account that is out of use is often closed at AWS, and must not raise an alarm every hour.
            Metric::Refusals if report.out_of_use && *side == Side::Aws => Metric::RefusalsOutOfUse,
            metric => metric,
        };
        metrics.count(metric, 1);
    }
    let is_from_a_trigger = matches!(hint.cause, Cause::ServicenowWebhook | Cause::SupportEvent);
    if is_from_a_trigger && !report.effects.is_empty() {
        metrics.duration(Metric::SyncLag, now.duration_since(hint.received_at));
    }
}

/// Names a message in the answer to SQS. A message without an id gets an empty name, which fails the whole batch.
fn failure_of(message: SqsMessage) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message.message_id.unwrap_or_default();
    failure
}
