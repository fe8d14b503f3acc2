//! The function that acts on hints, from the FIFO queue and from the queue that wakes links.

// The futures of the SDK are nested deeper than the compiler's default limit.
#![recursion_limit = "256"]

use std::{process::ExitCode, sync::Arc};

use aws_lambda_events::sqs::SqsEvent;
use casebridge_aws::SupportClient;
use casebridge_executor::{Executor, Ports};
use casebridge_ledger::DynamoLedger;
use casebridge_ports::Clock;
use casebridge_runtime::{
    AccountSecrets, HintQueue, Pace, PlanLog, PolicySource, Secrets, ServiceNowSecret, SystemClock, SystemRandomness,
    TransferQueue, logging,
    metrics::{Metric, Metrics},
    sdk_config,
    settings::{self, ReconcilerSettings},
    warm_up,
};
use casebridge_servicenow::Client;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{LambdaEvent, service_fn};
use reconciler::{handle, limits};
use tokio::sync::Mutex;

/// The ports of the function.
struct HubPorts {
    ledger: DynamoLedger,
    wakes: HintQueue,
    files: TransferQueue,
    servicenow: Client<ServiceNowSecret<SystemClock>, SystemClock>,
    support: SupportClient<AccountSecrets<SystemClock>>,
}

impl Ports for HubPorts {
    type Ledger = DynamoLedger;
    type Wakes = HintQueue;
    type Files = TransferQueue;
    type ServiceNow = Client<ServiceNowSecret<SystemClock>, SystemClock>;
    type Support = SupportClient<AccountSecrets<SystemClock>>;
    type Clock = SystemClock;
    type Randomness = SystemRandomness;
    type Plans = PlanLog;

    fn ledger(&self) -> &Self::Ledger {
        &self.ledger
    }

    fn wakes(&self) -> &Self::Wakes {
        &self.wakes
    }

    fn files(&self) -> &Self::Files {
        &self.files
    }

    fn servicenow(&self) -> &Self::ServiceNow {
        &self.servicenow
    }

    fn support(&self) -> &Self::Support {
        &self.support
    }

    fn clock(&self) -> &SystemClock {
        &SystemClock
    }

    fn randomness(&self) -> &SystemRandomness {
        &SystemRandomness
    }

    fn plans(&self) -> &PlanLog {
        &PlanLog
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::logged(Box::pin(run())).await
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let ReconcilerSettings { sides: settings, wake_queue_url, file_queue_url } =
        ReconcilerSettings::read(settings::environment)?;
    let sdk = sdk_config(Pace::Background).await;
    let secrets = Arc::new(Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), SystemClock));
    let policies =
        Arc::new(PolicySource::load(aws_sdk_ssm::Client::new(&sdk), settings.policy_parameter, SystemClock).await?);
    let secret = ServiceNowSecret::new(Arc::clone(&secrets), settings.servicenow_secret_id);
    let servicenow = Client::new(&settings.servicenow_url, secret, SystemClock)?;
    let ledger = DynamoLedger::new(aws_sdk_dynamodb::Client::new(&sdk), settings.table_name);
    let support = SupportClient::new(sdk.clone(), AccountSecrets::new(secrets, settings.account_secret_prefix));
    // Connect now: a function has more processor time while it starts than while a hint waits.
    tokio::join!(
        warm_up("ledger", Box::pin(ledger.warm_up())),
        warm_up("ServiceNow", Box::pin(async { servicenow.warm_up().await.map_err(|failure| failure.name()) })),
        warm_up("AWS Support", Box::pin(async { support.warm_up().await.map_err(|failure| failure.name()) })),
    );
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let hints = Arc::new(HintQueue::new(sqs.clone(), settings.queue_url));
    let files = TransferQueue::new(sqs.clone(), file_queue_url);
    let wakes = Arc::new(HintQueue::new(sqs, wake_queue_url));
    let executor = Arc::new(Mutex::new(Executor {
        ports: HubPorts { ledger, wakes: wakes.as_ref().clone(), files, servicenow, support },
        policy: policies.in_force().as_ref().clone(),
        limits: limits(SignedDuration::ZERO),
    }));
    let metrics = Arc::new(Metrics::new("reconciler"));
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let (executor, policies, metrics) = (Arc::clone(&executor), Arc::clone(&policies), Arc::clone(&metrics));
        let (hints, wakes) = (Arc::clone(&hints), Arc::clone(&wakes));
        async move {
            let deadline = Timestamp::try_from(event.context.deadline())?;
            let (policy, outcome) = policies.current().await;
            if let Err(error) = outcome {
                metrics.count(Metric::PolicyFailures, 1);
                tracing::error!(error = %logging::Causes(&error), "the last good policy stays in force");
            }
            let mut executor = executor.lock().await;
            executor.policy = policy.as_ref().clone();
            // All messages of a batch come from one queue.
            let source = event.payload.records.first().and_then(|message| message.event_source_arn.as_deref());
            let queue = if wakes.is_source(source.unwrap_or_default()) { &wakes } else { &hints };
            let handled = handle(event.payload, &mut *executor, queue.as_ref(), &SystemClock, &metrics, deadline);
            let response = Box::pin(handled).await;
            metrics.flush(SystemClock.now());
            Ok::<_, lambda_runtime::Error>(response)
        }
    }))
    .await
}
