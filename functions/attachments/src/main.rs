//! The function that moves files between incidents and cases, from the queue of transfers.

// The futures of the SDK are nested deeper than the compiler's default limit.
#![recursion_limit = "256"]

use std::{process::ExitCode, sync::Arc};

use attachments::Mover;
use aws_lambda_events::sqs::SqsEvent;
use casebridge_aws::{FileClient, SupportClient};
use casebridge_ledger::DynamoLedger;
use casebridge_ports::Clock;
use casebridge_runtime::{
    AccountSecrets, HintQueue, Pace, PolicySource, Secrets, ServiceNowSecret, SystemClock, SystemRandomness,
    TransferQueue, logging,
    metrics::{Metric, Metrics},
    sdk_config,
    settings::{self, AttachmentsSettings},
};
use casebridge_servicenow::Client;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};

/// The SDK's own variable for the address of AWS Support.
const SUPPORT_ENDPOINT: &str = "AWS_ENDPOINT_URL_SUPPORT";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::logged(Box::pin(run())).await
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let AttachmentsSettings { sides: settings, file_queue_url } = AttachmentsSettings::read(settings::environment)?;
    let sdk = sdk_config(Pace::Background).await;
    let secrets = Arc::new(Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), SystemClock));
    let policies =
        Arc::new(PolicySource::load(aws_sdk_ssm::Client::new(&sdk), settings.policy_parameter, SystemClock).await?);
    let secret = ServiceNowSecret::new(Arc::clone(&secrets), settings.servicenow_secret_id);
    let support = SupportClient::new(sdk.clone(), AccountSecrets::new(secrets, settings.account_secret_prefix));
    let endpoint = settings::environment(SUPPORT_ENDPOINT);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let mover = Arc::new(Mover {
        ledger: DynamoLedger::new(aws_sdk_dynamodb::Client::new(&sdk), settings.table_name),
        queue: TransferQueue::new(sqs.clone(), file_queue_url),
        hints: HintQueue::new(sqs, settings.queue_url),
        servicenow: Client::new(&settings.servicenow_url, secret, SystemClock)?,
        support: FileClient::new(support, SystemClock, endpoint.as_deref())?,
        clock: SystemClock,
        randomness: SystemRandomness,
        metrics: Metrics::new("attachments"),
    });
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let (mover, policies) = (Arc::clone(&mover), Arc::clone(&policies));
        async move {
            let deadline = Timestamp::try_from(event.context.deadline())?;
            let (policy, outcome) = policies.current().await;
            if let Err(error) = outcome {
                mover.metrics.count(Metric::PolicyFailures, 1);
                tracing::error!(error = %logging::Causes(&error), "the last good policy stays in force");
            }
            let response = Box::pin(mover.handle(event.payload, policy.as_ref(), deadline)).await;
            mover.metrics.flush(SystemClock.now());
            Ok::<_, lambda_runtime::Error>(response)
        }
    }))
    .await
}
