//! The function that receives the events of all accounts from SNS.

// The futures of the SDK are nested deeper than the compiler's default limit.
#![recursion_limit = "256"]

use std::{process::ExitCode, sync::Arc};

use aws_events::Events;
use aws_lambda_events::sns::SnsEvent;
use casebridge_ledger::DynamoLedger;
use casebridge_ports::Clock;
use casebridge_runtime::{
    HintQueue, Pace, SystemClock, logging,
    metrics::Metrics,
    sdk_config,
    settings::{self, EventsSettings},
    warm_up,
};
use lambda_runtime::{LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::logged(Box::pin(run())).await
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let settings = EventsSettings::read(settings::environment)?;
    let sdk = sdk_config(Pace::Background).await;
    let ledger = DynamoLedger::new(aws_sdk_dynamodb::Client::new(&sdk), settings.table_name);
    let queue = HintQueue::new(aws_sdk_sqs::Client::new(&sdk), settings.queue_url);
    // Connect now: a function has more processor time while it starts than while an event waits.
    tokio::join!(
        warm_up("ledger", Box::pin(ledger.warm_up())),
        warm_up("queue of hints", Box::pin(queue.warm_up(&sdk)))
    );
    let events = Arc::new(Events { ledger, queue, clock: SystemClock, metrics: Metrics::new("aws-events") });
    lambda_runtime::run(service_fn(|event: LambdaEvent<SnsEvent>| {
        let events = Arc::clone(&events);
        async move {
            let outcome = events.handle(event.payload).await;
            events.metrics.flush(SystemClock.now());
            outcome.map_err(lambda_runtime::Error::from)
        }
    }))
    .await
}
