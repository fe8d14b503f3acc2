//! The functions: each handler of `functions/`, unchanged, over ports that the world answers.

use std::{cell::RefCell, rc::Rc, sync::Mutex};

use attachments::Mover;
use aws_events::Events;
use aws_lambda_events::{
    lambda_function_urls::LambdaFunctionUrlRequest,
    sns::{SnsEvent, SnsRecord},
    sqs::{SqsEvent, SqsMessage},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use case_poller::Poller;
use casebridge_core::{hint::Hint, identifiers::IncidentId};
use casebridge_executor::{Executor, ReconcileError, Report};
use casebridge_runtime::metrics::{Metric, Metrics};
use catalog_sync::CatalogSync;
use jiff::{SignedDuration, Timestamp};
use reconciler::Reconcile;
use serde_json::json;
use servicenow_webhook::Webhook;

use crate::{
    desk::Desk,
    handler_ports::{ChangesPort, FilesPort, KeysPort, QueuePort, SecretsPort, WakePort},
    invariants::refused_parts,
    ports::{self, WorldCaseFiles, WorldLedger, WorldPorts, WorldSupport},
    process_ports::{ClockPort, RandomnessPort, WorkerClock},
    queue::{Message, QueueName},
    servicenow::port::ServiceNowPort,
    timeline::Place,
    world::Announcement,
};

/// The attribute that names a message's group.
const GROUP: &str = "MessageGroupId";
/// The attribute that tells how often a message was handed out.
const RECEIVES: &str = "ApproximateReceiveCount";
/// The status code of the answer to an accepted webhook.
const ACCEPTED: i64 = 202;
/// The most by which the clock of a process differs from the world's clock.
pub const MAXIMUM_SKEW: SignedDuration = SignedDuration::from_millis(300);

/// The time that a run of the function has that writes the catalogue: the timeout in infra/aws/template.yaml.
pub const CATALOGUE_TIMEOUT: SignedDuration = SignedDuration::from_secs(300);

/// The function that receives webhooks.
pub type WebhookFunction = Webhook<KeysPort, WorldLedger, QueuePort, ClockPort>;
/// The function that receives events.
pub type EventsFunction = Events<WorldLedger, QueuePort, ClockPort>;
/// The function that polls.
pub type PollerFunction = Poller<WorldLedger, QueuePort, ChangesPort, WorldSupport, SecretsPort, ClockPort>;
/// The executor of the function that reconciles.
pub type WorldExecutor = Executor<WorldPorts>;

/// Returns this version of the secret that webhooks are signed with.
pub fn webhook_secret(version: u64) -> String {
    format!("whsec_{}", STANDARD.encode(format!("signs webhooks, version {version:08}")))
}

/// Returns the clock of a new process: the world's clock plus a random skew of at most [`MAXIMUM_SKEW`].
fn clock(desk: &Rc<Desk>) -> ClockPort {
    let most = i64::try_from(MAXIMUM_SKEW.as_millis()).unwrap_or_default();
    let skew = SignedDuration::from_millis(desk.world.borrow_mut().random.between(-most, most));
    ClockPort { desk: desk.clone(), skew }
}

/// Returns a webhook function that has just started.
pub fn webhook_function(desk: &Rc<Desk>) -> WebhookFunction {
    Webhook {
        keys: KeysPort::new(desk.clone()),
        ledger: ports::ledger(desk),
        queue: QueuePort { desk: desk.clone() },
        clock: clock(desk),
        metrics: Metrics::new("servicenow-webhook"),
        rejection_log: servicenow_webhook::RejectionLog::default(),
    }
}

/// Returns an events function that has just started.
pub fn events_function(desk: &Rc<Desk>) -> EventsFunction {
    Events {
        ledger: ports::ledger(desk),
        queue: QueuePort { desk: desk.clone() },
        clock: clock(desk),
        metrics: Metrics::new("aws-events"),
    }
}

/// Returns a poller that has just started.
pub fn poller_function(desk: &Rc<Desk>) -> PollerFunction {
    Poller {
        ledger: ports::ledger(desk),
        queue: QueuePort { desk: desk.clone() },
        servicenow: ChangesPort { desk: desk.clone() },
        support: ports::poller_support(desk),
        secrets: SecretsPort { desk: desk.clone() },
        clock: clock(desk),
        metrics: Metrics::new("case-poller"),
        parked: Mutex::default(),
    }
}

/// Returns an executor that has just started.
pub fn executor(desk: &Rc<Desk>) -> WorldExecutor {
    let ports = WorldPorts::new(desk, clock(desk));
    Executor { ports, policy: ports::policy(desk), limits: reconciler::limits(SignedDuration::ZERO) }
}

/// The function that moves files.
type MoverFunction =
    Mover<WorldLedger, FilesPort, QueuePort, ServiceNowPort, WorldCaseFiles, WorkerClock, RandomnessPort>;

/// Returns a function that moves files and has just started.
fn mover(desk: &Rc<Desk>) -> MoverFunction {
    Mover {
        ledger: ports::ledger(desk),
        queue: FilesPort { desk: desk.clone() },
        hints: QueuePort { desk: desk.clone() },
        servicenow: ports::servicenow(desk),
        support: ports::case_files(desk),
        clock: WorkerClock(clock(desk)),
        randomness: RandomnessPort { desk: desk.clone() },
        metrics: Metrics::new("attachments"),
    }
}

/// Sends a webhook as the app does, signed and with the incident's sys_id. Returns whether it was accepted.
pub async fn webhook(desk: Rc<Desk>, function: Rc<WebhookFunction>, webhook_id: String, incident: IncidentId) -> bool {
    let request = signed_request(&desk, &webhook_id, &incident);
    let response = function.handle(request).await;
    if response.status_code != ACCEPTED {
        let body = response.body.unwrap_or_default();
        desk.world.borrow_mut().note(Place::Bridge, || format!("answers {} {body}", response.status_code));
    }
    response.status_code == ACCEPTED
}

fn signed_request(desk: &Desk, webhook_id: &str, incident: &IncidentId) -> LambdaFunctionUrlRequest {
    let (now, version) = {
        let world = desk.world.borrow();
        (world.servicenow_now(), world.webhook_secret.signs)
    };
    let data = json!({"sys_id": incident});
    let body =
        json!({"id": webhook_id, "type": "incident.changed", "timestamp": now.to_string(), "data": data}).to_string();
    let signer = standardwebhooks::Webhook::new(&webhook_secret(version));
    let signature = signer.and_then(|signer| signer.sign(webhook_id, now.as_second(), body.as_bytes()));
    let mut request = LambdaFunctionUrlRequest::default();
    request.request_context.http.method = Some("POST".to_owned());
    let seconds = now.as_second().to_string();
    for (name, value) in [
        (standardwebhooks::HEADER_WEBHOOK_ID, webhook_id),
        (standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, &seconds),
        (standardwebhooks::HEADER_WEBHOOK_SIGNATURE, &signature.unwrap_or_default()),
    ] {
        if let Ok(value) = value.parse() {
            request.headers.insert(name, value);
        }
    }
    request.body = Some(body);
    request
}

/// Delivers an event as SNS does. Returns whether it was handled.
pub async fn announced(desk: Rc<Desk>, event: Announcement) -> bool {
    let mut record = SnsRecord::default();
    record.sns.message = event.body;
    let mut delivered = SnsEvent::default();
    delivered.records.push(record);
    events_function(&desk).handle(delivered).await.is_ok()
}

/// Runs the poller once. Returns whether every part of the poll succeeded, except those of accounts that AWS refuses.
pub async fn poll(desk: Rc<Desk>, function: Rc<PollerFunction>, deadline: Timestamp) -> bool {
    let policy = desk.world.borrow().settings.policy.clone();
    let outcome = function.poll(&policy, deadline).await;
    let whole = outcome.is_ok() && failures(&function.metrics) <= refused_parts(&desk);
    if let Err(error) = outcome {
        desk.world.borrow_mut().note(Place::Bridge, || format!("the poll fails: {error}"));
    }
    whole
}

/// Writes the catalogue of AWS Support to ServiceNow. Returns whether the run could end.
pub async fn sync_catalogue(desk: Rc<Desk>) -> bool {
    let function = CatalogSync {
        accounts: SecretsPort { desk: desk.clone() },
        support: ports::offered_catalogue(&desk),
        servicenow: ports::catalogue(&desk),
        clock: clock(&desk),
        metrics: Metrics::new("catalog-sync"),
    };
    let deadline = desk.world.borrow().now + CATALOGUE_TIMEOUT;
    let outcome = function.run(deadline).await;
    if let Err(error) = &outcome {
        desk.world.borrow_mut().note(Place::Bridge, || format!("the catalogue is not written: {error}"));
    }
    outcome.is_ok()
}

/// Returns how many parts of the poll failed, by its metrics.
fn failures(metrics: &Metrics) -> usize {
    let counted: i64 = metrics.take().get(&Metric::PollFailures).into_iter().flatten().sum();
    usize::try_from(counted).unwrap_or(usize::MAX)
}

/// An executor whose last report is kept for the story.
struct ReportKeeper {
    executor: WorldExecutor,
    report: Rc<RefCell<Option<Report>>>,
}

impl Reconcile for ReportKeeper {
    async fn reconcile(&mut self, hint: &Hint, time_left: SignedDuration) -> Result<Report, ReconcileError> {
        let outcome = Reconcile::reconcile(&mut self.executor, hint, time_left).await;
        match &outcome {
            Ok(report) => drop(self.report.replace(Some(report.clone()))),
            Err(error) => {
                let world = &mut *self.executor.ports.desk().world.borrow_mut();
                world.note(Place::Bridge, || format!("the hint for {} fails: {error}", hint.group_id()));
            }
        }
        outcome
    }
}

/// Delivers a batch of messages as SQS does. Returns the numbers of the messages that failed. Leaves the last report in
/// `report`.
pub async fn reconcile(
    desk: Rc<Desk>,
    queue: QueueName,
    batch: Vec<Message>,
    deadline: Timestamp,
    report: Rc<RefCell<Option<Report>>>,
) -> Vec<u64> {
    let mut event = SqsEvent::default();
    for message in batch {
        let mut record = SqsMessage::default();
        record.message_id = Some(message.number.to_string());
        record.receipt_handle = Some(message.receipt());
        if queue == QueueName::Hints {
            record.attributes.insert(GROUP.to_owned(), message.group);
        }
        record.attributes.insert(RECEIVES.to_owned(), message.receives.to_string());
        record.body = Some(message.body);
        event.records.push(record);
    }
    let (clock, metrics) = (clock(&desk), Metrics::new("reconciler"));
    let mut executor = ReportKeeper { executor: executor(&desk), report };
    let response = match queue {
        QueueName::Hints => {
            let queue = QueuePort { desk: desk.clone() };
            reconciler::handle(event, &mut executor, &queue, &clock, &metrics, deadline).await
        }
        QueueName::Wakes => {
            let queue = WakePort { desk: desk.clone() };
            reconciler::handle(event, &mut executor, &queue, &clock, &metrics, deadline).await
        }
        QueueName::Files => {
            let policy = ports::policy(&desk);
            mover(&desk).handle(event, &policy, deadline).await
        }
    };
    response.batch_item_failures.iter().filter_map(|failure| failure.item_identifier.parse().ok()).collect()
}
