//! The FIFO queue of hints and the queue that hands them out later, as their senders and the one who acts on them see them.

use std::{error::Error, fmt, future::Future};

use aws_sdk_sqs::{
    Client,
    types::{BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, SendMessageBatchRequestEntry},
};
use aws_types::SdkConfig;
use casebridge_aws::nobody;
use casebridge_core::hint::Hint;
use casebridge_ports::WakeQueue;
use jiff::SignedDuration;

/// The largest message that the queue takes. Source: Amazon SQS quotas.
pub const MAX_MESSAGE_BYTES: usize = 1_048_576;
/// How many messages a batch may have. Source: Amazon SQS, SendMessageBatch and ChangeMessageVisibilityBatch.
const MAX_BATCH: usize = 10;
/// How many characters a deduplication id may have. Source: Amazon SQS, SendMessage.
const MAX_DEDUPLICATION_ID: usize = 128;

/// What makes a message unique for five minutes: the id of the event that it comes from, never its content or its link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeduplicationId(String);

/// A text that can't be a deduplication id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to {MAX_DEDUPLICATION_ID} characters: letters, digits and punctuation")]
pub struct InvalidDeduplicationId;

impl DeduplicationId {
    /// Checks the text against what SQS accepts.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidDeduplicationId> {
        let text = text.into();
        let valid =
            (1..=MAX_DEDUPLICATION_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if valid { Ok(Self(text)) } else { Err(InvalidDeduplicationId) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeduplicationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What the queue did not do.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The queue did not take the message.
    #[error("the queue of hints did not take a message; whoever sent the trigger sends it again")]
    NotTaken(#[source] Box<dyn Error + Send + Sync>),
    /// The queue did not take the time at which a message is to come again.
    #[error("the queue of hints did not take a redelivery; the message comes again after the queue's own timeout")]
    NotRescheduled(#[source] Box<dyn Error + Send + Sync>),
    /// The queue took a part of a batch.
    #[error("the queue of hints refused {refused} of {sent} messages ({codes})")]
    PartlyTaken {
        /// How many messages were sent.
        sent: usize,
        /// How many of them were refused.
        refused: usize,
        /// SQS's codes.
        codes: String,
    },
    /// The hint can't be written, or is too large even without its snapshot.
    #[error("the hint can't be written as a message of at most {MAX_MESSAGE_BYTES} bytes")]
    Unwritable,
}

/// Where hints go.
pub trait HintSink {
    /// Puts a hint on the queue.
    fn send(&self, hint: &Hint, deduplication: &DeduplicationId) -> impl Future<Output = Result<(), QueueError>>;

    /// Puts hints on the queue, in as few calls as there can be.
    fn send_all(&self, hints: &[(Hint, DeduplicationId)]) -> impl Future<Output = Result<(), QueueError>>;
}

/// A message that was received and not handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redelivery {
    /// What the queue knows this receipt of the message by.
    pub receipt_handle: String,
    /// After how long the queue is to hand it out again, in whole seconds, at most 12 hours.
    pub after: SignedDuration,
}

/// Who brings hints again.
pub trait Redeliverer {
    /// Tells the queue when to hand out messages again, in as few calls as there can be. Without this the queue does so
    /// after its own visibility timeout, which outlives the slowest worker.
    fn redeliver(&self, messages: &[Redelivery]) -> impl Future<Output = Result<(), QueueError>>;
}

/// The queue of hints, or the one that hands them out later.
#[derive(Clone)]
pub struct HintQueue {
    client: Client,
    url: String,
}

impl HintQueue {
    /// The queue at this URL.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Connects ahead of the first message: a function has its full processor while it starts. The request is not signed, so
    /// SQS refuses it.
    pub async fn warm_up(&self, sdk: &SdkConfig) -> Result<(), QueueError> {
        let config = aws_sdk_sqs::config::Builder::from(&nobody(sdk)).allow_no_auth().build();
        let answer = Client::from_conf(config).get_queue_attributes().queue_url(&self.url).send().await;
        match answer {
            Err(error) if error.raw_response().is_none() => Err(QueueError::NotTaken(Box::new(error))),
            _ => Ok(()),
        }
    }

    /// Whether the messages of an event source are this queue's, by its ARN.
    pub fn is_source(&self, arn: &str) -> bool {
        arn.rsplit(':').next().is_some_and(|name| self.url.rsplit('/').next() == Some(name))
    }

    async fn send_batch(&self, batch: Vec<SendMessageBatchRequestEntry>) -> Result<(), QueueError> {
        let sent = batch.len();
        let answer = self
            .client
            .send_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(batch))
            .send()
            .await
            .map_err(|error| QueueError::NotTaken(Box::new(error)))?;
        all_taken(sent, &answer.failed)
    }

    async fn redeliver_batch(&self, batch: &[Redelivery]) -> Result<(), QueueError> {
        let entry = |(number, message): (usize, &Redelivery)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(number.to_string())
                .receipt_handle(&message.receipt_handle)
                .visibility_timeout(i32::try_from(message.after.as_secs()).unwrap_or(i32::MAX))
                .build()
        };
        let entries: Result<Vec<_>, _> = batch.iter().enumerate().map(entry).collect();
        let entries = entries.map_err(|error| QueueError::NotRescheduled(Box::new(error)))?;
        let call = self.client.change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = call.send().await.map_err(|error| QueueError::NotRescheduled(Box::new(error)))?;
        all_taken(batch.len(), &answer.failed)
    }
}

fn all_taken(sent: usize, failed: &[BatchResultErrorEntry]) -> Result<(), QueueError> {
    if failed.is_empty() {
        return Ok(());
    }
    let codes: Vec<&str> = failed.iter().map(|failed| failed.code.as_str()).collect();
    Err(QueueError::PartlyTaken { sent, refused: codes.len(), codes: codes.join(", ") })
}

impl Redeliverer for HintQueue {
    async fn redeliver(&self, messages: &[Redelivery]) -> Result<(), QueueError> {
        for batch in messages.chunks(MAX_BATCH) {
            self.redeliver_batch(batch).await?;
        }
        Ok(())
    }
}

impl WakeQueue for HintQueue {
    type Error = QueueError;

    async fn send_later(&self, hint: &Hint, delay: SignedDuration) -> Result<(), QueueError> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(message_of(hint)?)
            .delay_seconds(i32::try_from(delay.as_secs()).unwrap_or(i32::MAX))
            .send()
            .await
            .map(drop)
            .map_err(|error| QueueError::NotTaken(Box::new(error)))
    }
}

impl HintSink for HintQueue {
    async fn send(&self, hint: &Hint, deduplication: &DeduplicationId) -> Result<(), QueueError> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(message_of(hint)?)
            .message_group_id(hint.group_id())
            .message_deduplication_id(deduplication.as_str())
            .send()
            .await
            .map(drop)
            .map_err(|error| QueueError::NotTaken(Box::new(error)))
    }

    async fn send_all(&self, hints: &[(Hint, DeduplicationId)]) -> Result<(), QueueError> {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        let mut bytes = 0;
        for (hint, deduplication) in hints {
            let body = message_of(hint)?;
            if batch.len() == MAX_BATCH || bytes + body.len() > MAX_MESSAGE_BYTES {
                self.send_batch(std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
            bytes += body.len();
            let entry = SendMessageBatchRequestEntry::builder()
                .id(batch.len().to_string())
                .message_body(body)
                .message_group_id(hint.group_id())
                .message_deduplication_id(deduplication.as_str())
                .build()
                .map_err(|_| QueueError::Unwritable)?;
            batch.push(entry);
        }
        if batch.is_empty() { Ok(()) } else { self.send_batch(batch).await }
    }
}

/// The hint as a message: JSON, with the two characters escaped that JSON allows and SQS does not.
fn message_of(hint: &Hint) -> Result<String, QueueError> {
    let json = serde_json::to_string(hint).map_err(|_| QueueError::Unwritable)?;
    Ok(json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
}

#[cfg(test)]
mod tests;
