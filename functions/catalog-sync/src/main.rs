//! The scheduled function that keeps the catalogue in ServiceNow as AWS Support shows it.

// The futures of the SDK are nested deeper than the compiler's default limit.
#![recursion_limit = "256"]

use std::{process::ExitCode, sync::Arc};

use casebridge_aws::SupportClient;
use casebridge_ports::Clock;
use casebridge_runtime::{
    AccountSecrets, Pace, Secrets, ServiceNowSecret, SystemClock, logging,
    metrics::Metrics,
    sdk_config,
    settings::{self, CatalogSettings},
};
use casebridge_servicenow::Client;
use catalog_sync::CatalogSync;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::logged(Box::pin(run())).await
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let settings = CatalogSettings::read(settings::environment)?;
    let sdk = sdk_config(Pace::Background).await;
    let secrets = Arc::new(Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), SystemClock));
    let servicenow_secret = ServiceNowSecret::new(Arc::clone(&secrets), settings.servicenow_secret_id);
    let accounts = || AccountSecrets::new(Arc::clone(&secrets), settings.account_secret_prefix.clone());
    let sync = Arc::new(CatalogSync {
        accounts: accounts(),
        support: SupportClient::for_catalogue(sdk, accounts()),
        servicenow: Client::new(&settings.servicenow_url, servicenow_secret, SystemClock)?,
        clock: SystemClock,
        metrics: Metrics::new("catalog-sync"),
    });
    // The event says nothing: the schedule and a person start the same run.
    lambda_runtime::run(service_fn(|event: LambdaEvent<serde_json::Value>| {
        let sync = Arc::clone(&sync);
        async move {
            let deadline = Timestamp::try_from(event.context.deadline())?;
            let outcome = Box::pin(sync.run(deadline)).await;
            sync.metrics.flush(SystemClock.now());
            let written = outcome.map_err(|error| {
                tracing::error!(error = %logging::Causes(&error), "the catalogue could not be written");
                lambda_runtime::Error::from(error)
            })?;
            Ok::<_, lambda_runtime::Error>(json!({
                "services": written.services, "categories": written.categories, "severities": written.severities,
            }))
        }
    }))
    .await
}
