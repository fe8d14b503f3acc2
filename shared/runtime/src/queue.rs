//! The FIFO queue of hints, and the queue that delivers hints later.

use std::{error::Error, fmt, future::Future};

use aws_sdk_sqs::{
    Client,
    types::{BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, SendMessageBatchRequestEntry},
};
use aws_types::SdkConfig;
use casebridge_aws::anonymous_config;
use casebridge_core::{file::order::TransferMessage, hint::Hint};
use casebridge_ports::{FileQueue, WakeQueue};
use jiff::SignedDuration;

/// The largest message that a queue takes, in bytes. Source: Amazon SQS quotas.
pub const MAXIMUM_MESSAGE_BYTES: usize = 1_048_576;
/// The most messages in a batch. Source: Amazon SQS, SendMessageBatch and ChangeMessageVisibilityBatch.
const MAXIMUM_BATCH: usize = 10;
/// The most characters of a deduplication id. Source: Amazon SQS, SendMessage.
const MAXIMUM_DEDUPLICATION_ID_LENGTH: usize = 128;

/// The deduplication id of a message: SQS drops a second message with the same id within five minutes. It comes from
/// the event, never from the content or the link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeduplicationId(String);

/// A text that can't be a deduplication id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to {MAXIMUM_DEDUPLICATION_ID_LENGTH} characters: letters, digits and punctuation")]
pub struct InvalidDeduplicationId;

impl DeduplicationId {
    /// Creates the id from a text.
    ///
    /// # Errors
    /// If SQS does not accept the text.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidDeduplicationId> {
        let text = text.into();
        let valid = (1..=MAXIMUM_DEDUPLICATION_ID_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if valid { Ok(Self(text)) } else { Err(InvalidDeduplicationId) }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeduplicationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A failure of a queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The queue did not take the message.
    #[error("the queue of hints did not take a message; whoever sent the trigger sends it again")]
    NotTaken(#[source] Box<dyn Error + Send + Sync>),
    /// The queue did not take the time at which to deliver a message again.
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
    #[error("the hint can't be written as a message of at most {MAXIMUM_MESSAGE_BYTES} bytes")]
    Unwritable,
}

/// A queue that takes hints.
pub trait HintSink {
    /// Puts a hint on the queue.
    ///
    /// # Errors
    /// If the queue does not take the hint.
    fn send(&self, hint: &Hint, deduplication: &DeduplicationId) -> impl Future<Output = Result<(), QueueError>>;

    /// Puts hints on the queue, in as few calls as possible.
    ///
    /// # Errors
    /// If the queue does not take all of them. It may have taken some.
    fn send_all(&self, hints: &[(Hint, DeduplicationId)]) -> impl Future<Output = Result<(), QueueError>>;
}

/// A message that was received and not handled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redelivery {
    /// The queue's handle for this receipt of the message.
    pub receipt_handle: String,
    /// The wait until the queue delivers it again, in whole seconds, at most 12 hours.
    pub after: SignedDuration,
}

/// A queue that delivers messages again.
pub trait Redeliverer {
    /// Tells the queue when to deliver messages again, in as few calls as possible. Without this call the queue
    /// delivers them after its visibility timeout, which is longer than the slowest worker takes.
    ///
    /// # Errors
    /// If the queue does not take all of the times. It may have taken some.
    fn redeliver(&self, messages: &[Redelivery]) -> impl Future<Output = Result<(), QueueError>>;
}

/// The queue of hints, or the queue that delivers hints later.
#[derive(Clone)]
pub struct HintQueue {
    client: Client,
    url: String,
}

impl HintQueue {
    /// Creates a client of the queue at this URL.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Connects ahead of the first message, since a function has its full processor while it starts. The request is
    /// unsigned, so SQS refuses it.
    ///
    /// # Errors
    /// If SQS does not answer.
    pub async fn warm_up(&self, sdk: &SdkConfig) -> Result<(), QueueError> {
        let config = aws_sdk_sqs::config::Builder::from(&anonymous_config(sdk)).allow_no_auth().build();
        let answer = Client::from_conf(config).get_queue_attributes().queue_url(&self.url).send().await;
        match answer {
            Err(error) if error.raw_response().is_none() => Err(QueueError::NotTaken(Box::new(error))),
            _ => Ok(()),
        }
    }

    /// Whether the event source with this ARN is this queue.
    pub fn is_source(&self, arn: &str) -> bool {
        arn.rsplit(':').next().is_some_and(|name| self.url.rsplit('/').next() == Some(name))
    }

    async fn send_delayed(&self, body: String, delay: SignedDuration) -> Result<(), QueueError> {
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(i32::try_from(delay.as_secs()).unwrap_or(i32::MAX))
            .send()
            .await
            .map(drop)
            .map_err(|error| QueueError::NotTaken(Box::new(error)))
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
        for batch in messages.chunks(MAXIMUM_BATCH) {
            self.redeliver_batch(batch).await?;
        }
        Ok(())
    }
}

impl WakeQueue for HintQueue {
    type Error = QueueError;

    async fn send_later(&self, hint: &Hint, delay: SignedDuration) -> Result<(), QueueError> {
        self.send_delayed(message_of(hint)?, delay).await
    }
}

/// The queue of transfers of files.
#[derive(Clone)]
pub struct TransferQueue {
    queue: HintQueue,
}

impl TransferQueue {
    /// Creates a client of the queue at this URL.
    pub fn new(client: Client, url: String) -> Self {
        Self { queue: HintQueue::new(client, url) }
    }
}

impl FileQueue for TransferQueue {
    type Error = QueueError;

    async fn send(&self, message: &TransferMessage, delay: SignedDuration) -> Result<(), QueueError> {
        let body = serde_json::to_string(message).map_err(|_| QueueError::Unwritable)?;
        self.queue.send_delayed(body, delay).await
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
        let mut batch = Vec::with_capacity(MAXIMUM_BATCH);
        let mut bytes = 0;
        for (hint, deduplication) in hints {
            let body = message_of(hint)?;
            if batch.len() == MAXIMUM_BATCH || bytes + body.len() > MAXIMUM_MESSAGE_BYTES {
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

/// Returns the hint as a message: JSON, with escapes for the two characters that JSON allows and SQS does not.
fn message_of(hint: &Hint) -> Result<String, QueueError> {
    let json = serde_json::to_string(hint).map_err(|_| QueueError::Unwritable)?;
    Ok(json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
}

#[cfg(test)]
mod tests;
