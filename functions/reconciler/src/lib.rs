//! Acts on hints of the FIFO queue and of the one that wakes links: one after the other within a link, and a failure of one
//! link holds up no other.
//!
//! A message fails only if it can't be read or if the ledger fails, and comes again if its case may be one that is being opened
//! right now. Then the messages of its group that follow it are left
//! as they are, so that their order holds; the queue is told when to bring all of them again, and what exhausts its
//! retries lies in the dead-letter queue, whole. Everything else that can go wrong is written to the ledger as something
//! to wait for.

use std::{collections::BTreeMap, future::Future};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use casebridge_core::{
    hint::{Cause, Hint, Unhandled},
    link::trouble::Side,
    support::unknown_case::UnknownCase,
    unreadable::UnreadableJson,
};
use casebridge_executor::{Executor, Limits, Report};
use casebridge_ledger::{Ledger, LedgerError};
use casebridge_ports::{Clock, PlanObserver, Randomness, ServiceNow, Support, Timer, WakeQueue};
use casebridge_runtime::{
    Redeliverer, Redelivery,
    logging::{Causes, hint_span},
    metrics::{Metric, Metrics},
};
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument;

/// The attribute that names a message's group.
const GROUP: &str = "MessageGroupId";
/// The attribute that tells how often a message was handed out.
const RECEIVES: &str = "ApproximateReceiveCount";
/// What must be left of an invocation's time to begin with another hint: a read of both sides, a write, an answer.
pub const LEAST_TIME_FOR_A_HINT: SignedDuration = SignedDuration::from_secs(30);
/// What must be left of an invocation's time to tell the queue when to bring messages again: longer than that may take.
pub const LEAST_TIME_FOR_REDELIVERY: SignedDuration = SignedDuration::from_secs(15);
/// A lease outlives its worker by this much: a request on the wire may still arrive.
pub const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// What must be left of the worker's time to begin another call: as long as the longest call may take.
pub const LONGEST_CALL: SignedDuration = SignedDuration::from_secs(25);

/// A message that is no hint.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// It can't be read.
    #[error("the message is not a hint of this version: {0}; it goes to the dead-letter queue after its retries")]
    Unreadable(#[from] UnreadableJson),
    /// The ledger failed.
    #[error("the ledger failed the hint; the message comes again by itself")]
    Ledger(#[from] LedgerError),
}

impl MessageError {
    fn reason(&self) -> Unhandled {
        match self {
            Self::Unreadable(_) => Unhandled::Unreadable,
            Self::Ledger(_) => Unhandled::LedgerFailed,
        }
    }
}

/// Who acts on a hint.
pub trait Reconcile {
    /// Brings the hint's link in step within the time that is left.
    fn reconcile(
        &mut self,
        hint: &Hint,
        time_left: SignedDuration,
    ) -> impl Future<Output = Result<Report, LedgerError>>;
}

impl<L, W, S, A, C, R, P> Reconcile for Executor<L, W, S, A, C, R, P>
where
    L: Ledger,
    W: WakeQueue,
    S: ServiceNow,
    A: Support,
    C: Timer,
    R: Randomness,
    P: PlanObserver,
{
    async fn reconcile(&mut self, hint: &Hint, time_left: SignedDuration) -> Result<Report, LedgerError> {
        self.limits = limits(time_left);
        Executor::reconcile(self, hint).await
    }
}

/// A lease lasts longer than the worker can live, and no call is begun that the worker may not see the end of.
pub fn limits(time_left: SignedDuration) -> Limits {
    Limits { lease: time_left.saturating_add(LEASE_MARGIN), least_time_left: LONGEST_CALL.saturating_add(LEASE_MARGIN) }
}

/// Handles a batch: answers which of its messages the queue has to bring again, and has told the queue when.
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
        // The first one is always begun: otherwise a batch could come again and again untouched.
        let time_left = deadline.duration_since(clock.now());
        let receives = receives(&message);
        let again_after = if let Some(ahead) = stopped_groups.get(&group) {
            *ahead
        } else if position > 0 && time_left < LEAST_TIME_FOR_A_HINT {
            Unhandled::NotBegun.again_after(receives)
        } else {
            match handle_message(&message, executor, time_left, clock, metrics).await {
                Ok(Some(UnknownCase::Wait(wait))) => wait,
                Ok(_) => continue,
                Err(error) => {
                    note_failure(&error, &message, receives, metrics);
                    error.reason().again_after(receives)
                }
            }
        };
        stopped_groups.insert(group, again_after);
        unhandled.push((message, again_after));
    }
    if deadline.duration_since(clock.now()) >= LEAST_TIME_FOR_REDELIVERY {
        redeliver(queue, &unhandled).await;
    }
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = unhandled.into_iter().map(|(message, _)| failure_of(message)).collect();
    response
}

fn note_failure(error: &MessageError, message: &SqsMessage, receives: u32, metrics: &Metrics) {
    // Every receive of it fails alike: it is one message that is left aside.
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
    // A queue that is not FIFO has no groups: each of its messages is by itself.
    message.attributes.get(GROUP).or(message.message_id.as_ref()).cloned().unwrap_or_default()
}

/// Tells the queue when to bring messages again. Unless it takes that, they come after its own timeout.
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

/// Acts on a message; what came of it where no link was known of its case.
async fn handle_message(
    message: &SqsMessage,
    executor: &mut impl Reconcile,
    time_left: SignedDuration,
    clock: &impl Clock,
    metrics: &Metrics,
) -> Result<Option<UnknownCase>, MessageError> {
    let hint: Hint = serde_json::from_str(message.body.as_deref().unwrap_or_default()).map_err(UnreadableJson::from)?;
    async {
        let report = executor.reconcile(&hint, time_left).await?;
        measure(&hint, &report, clock.now(), metrics);
        tracing::info!(
            unknown_case = report.unknown_case.map(tracing::field::debug),
            case_link = report.link.as_ref().map(tracing::field::display),
            deferred = report.deferred,
            unclaimed = report.unclaimed,
            calls = report.calls,
            stayed_milliseconds = i64::try_from(report.stayed.as_millis()).unwrap_or(i64::MAX),
            effects = ?report.effects,
            failures = ?report.failures,
            waits = ?report.waits,
            due = report.due.map(tracing::field::display),
            "hint handled"
        );
        Ok(report.unknown_case)
    }
    .instrument(hint_span(&hint))
    .await
}

fn measure(hint: &Hint, report: &Report, now: Timestamp, metrics: &Metrics) {
    metrics.count(Metric::RemoteCalls, usize::try_from(report.calls).unwrap_or(usize::MAX));
    if let Some(metric) = report.unknown_case.and_then(Metric::of_unknown_case) {
        metrics.count(metric, 1);
    }
    metrics.count(Metric::Deferred, usize::from(report.deferred));
    metrics.count(Metric::Unclaimed, usize::from(report.unclaimed));
    metrics.count(Metric::WakesLost, usize::from(report.wake_lost));
    for (_, failure) in &report.effects {
        metrics.count(failure.map_or(Metric::Effects, Metric::of_failure), 1);
    }
    for (side, failure) in &report.failures {
        let metric = match Metric::of_failure(failure) {
            // An account that is out of use may well be closed at AWS: no alarm shall ring for it hour after hour.
            Metric::Refusals if report.out_of_use && *side == Side::Aws.name() => Metric::RefusalsOutOfUse,
            metric => metric,
        };
        metrics.count(metric, 1);
    }
    let is_from_a_trigger = matches!(hint.cause, Cause::ServicenowWebhook | Cause::SupportEvent);
    if is_from_a_trigger && !report.effects.is_empty() {
        metrics.duration(Metric::SyncLag, now.duration_since(hint.received_at));
    }
}

/// A message without an id can't be named: an empty name fails the whole batch, which is what is left to do then.
fn failure_of(message: SqsMessage) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = message.message_id.unwrap_or_default();
    failure
}
