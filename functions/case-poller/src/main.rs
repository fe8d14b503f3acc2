//! The scheduled function that finds changes that no event reported.

// The futures of the SDK are nested deeper than the compiler's default limit.
#![recursion_limit = "256"]

use std::{
    process::ExitCode,
    sync::{Arc, Mutex},
};

use case_poller::{PolledSecrets, Poller};
use casebridge_aws::SupportClient;
use casebridge_ledger::DynamoLedger;
use casebridge_ports::Clock;
use casebridge_runtime::{
    AccountSecrets, HintQueue, Pace, PolicySource, Secrets, ServiceNowSecret, SystemClock, logging,
    metrics::{Metric, Metrics},
    sdk_config,
    settings::{self, PollerSettings},
};
use casebridge_servicenow::Client;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::logged(Box::pin(run())).await
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let PollerSettings { sides: settings, webhook_secret_id } = PollerSettings::read(settings::environment)?;
    let sdk = sdk_config(Pace::Background).await;
    let secrets = Arc::new(Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), SystemClock));
    let policies =
        Arc::new(PolicySource::load(aws_sdk_ssm::Client::new(&sdk), settings.policy_parameter, SystemClock).await?);
    let servicenow_secret = ServiceNowSecret::new(Arc::clone(&secrets), settings.servicenow_secret_id);
    let accounts = |secrets| AccountSecrets::new(secrets, settings.account_secret_prefix.clone());
    let poller = Arc::new(Poller {
        ledger: DynamoLedger::new(aws_sdk_dynamodb::Client::new(&sdk), settings.table_name.clone()),
        queue: HintQueue::new(aws_sdk_sqs::Client::new(&sdk), settings.queue_url),
        servicenow: Client::new(&settings.servicenow_url, servicenow_secret, SystemClock)?,
        support: SupportClient::reading(sdk, accounts(Arc::clone(&secrets))),
        secrets: PolledSecrets { accounts: accounts(Arc::clone(&secrets)), secrets, webhook_secret_id },
        clock: SystemClock,
        metrics: Metrics::new("case-poller"),
        parked: Mutex::default(),
    });
    lambda_runtime::run(service_fn(|event: LambdaEvent<serde_json::Value>| {
        let (poller, policies) = (Arc::clone(&poller), Arc::clone(&policies));
        async move {
            let deadline = Timestamp::try_from(event.context.deadline())?;
            let (policy, outcome) = policies.current().await;
            if let Err(error) = outcome {
                poller.metrics.count(Metric::PolicyFailures, 1);
                tracing::error!(error = %logging::Causes(&error), "the last good policy stays in force");
            }
            let outcome = Box::pin(poller.poll(&policy, deadline)).await;
            poller.metrics.flush(SystemClock.now());
            outcome.map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}
