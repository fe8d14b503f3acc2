//! The function behind the Function URL that ServiceNow sends its webhooks to.

// The futures of the SDK are nested deeper than the compiler's default limit.
#![recursion_limit = "256"]

use std::{process::ExitCode, sync::Arc};

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use casebridge_ledger::DynamoLedger;
use casebridge_ports::Clock;
use casebridge_runtime::{
    HintQueue, Pace, Secrets, SystemClock, WebhookSecrets, logging,
    metrics::Metrics,
    sdk_config,
    settings::{self, WebhookSettings},
    warm_up,
};
use lambda_runtime::{LambdaEvent, service_fn};
use servicenow_webhook::{KeySource, RejectionLog, Webhook};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::logged(Box::pin(run())).await
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let settings = WebhookSettings::read(settings::environment)?;
    let sdk = sdk_config(Pace::Interactive).await;
    let secrets = Arc::new(Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), SystemClock));
    let keys = WebhookSecrets::new(secrets, settings.webhook_secret_id);
    let queue = HintQueue::new(aws_sdk_sqs::Client::new(&sdk), settings.queue_url);
    // Connect now: a function has more processor time while it starts than while a webhook waits.
    let (known, ()) =
        tokio::join!(Box::pin(KeySource::known(&keys)), warm_up("queue of hints", Box::pin(queue.warm_up(&sdk))));
    if let Err(error) = known {
        tracing::error!(error = %logging::Causes(&error), "webhooks are answered with 503 until this passes");
    }
    let webhook = Arc::new(Webhook {
        keys,
        ledger: DynamoLedger::new(aws_sdk_dynamodb::Client::new(&sdk), settings.table_name),
        queue,
        clock: SystemClock,
        metrics: Metrics::new("servicenow-webhook"),
        rejection_log: RejectionLog::default(),
    });
    lambda_runtime::run(service_fn(|event: LambdaEvent<LambdaFunctionUrlRequest>| {
        let webhook = Arc::clone(&webhook);
        async move {
            let response = webhook.handle(event.payload).await;
            webhook.metrics.flush(SystemClock.now());
            Ok::<_, std::convert::Infallible>(response)
        }
    }))
    .await
}
