//! Reads an SNS message: an EventBridge event, which counts if it is a Support Case Update.

use casebridge_core::{
    identifiers::{AccountId, CaseId},
    unreadable::UnreadableJson,
};
use casebridge_runtime::DeduplicationId;
use serde::Deserialize;

/// The source of the events of AWS Support.
const SOURCE: &str = "aws.support";
/// The type of the events that count.
const DETAIL_TYPE: &str = "Support Case Update";
/// The digits of an account's number.
const ACCOUNT_DIGITS: usize = 12;
/// The longest accepted id or number of a case, in characters: known ones have some 50.
const MAXIMUM_ID_LENGTH: usize = 100;

/// The error for a message that does not have the documented form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message is not an event of the documented form: {problem}; it is kept in the on-failure queue")]
pub struct UnreadableEvent {
    problem: String,
}

/// The content of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A case has changed.
    CaseUpdate(CaseUpdate),
    /// An event of another source or type.
    Other {
        /// The event's source.
        source: String,
        /// The event's type.
        detail_type: String,
    },
}

/// A change of a case.
#[derive(Debug, PartialEq, Eq)]
pub struct CaseUpdate {
    /// The id of the event.
    pub id: DeduplicationId,
    /// The account that owns the case.
    pub account: AccountId,
    /// The case.
    pub case_id: CaseId,
}

/// The envelope of every event.
#[derive(Deserialize)]
struct Envelope {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    account: String,
    #[serde(default)]
    detail: serde_json::Value,
}

/// The part of a Support Case Update's detail that is read. What happened is left out: the pass reads that from the
/// case.
#[derive(Deserialize)]
struct Detail {
    #[serde(rename = "case-id")]
    case_id: String,
}

/// Reads a message. Fails if it does not have the documented form.
pub(crate) fn read(message: &str) -> Result<Event, UnreadableEvent> {
    let envelope: Envelope =
        serde_json::from_str(message).map_err(|error| unreadable(UnreadableJson::from(error).to_string()))?;
    if envelope.source != SOURCE || envelope.detail_type != DETAIL_TYPE {
        return Ok(Event::Other { source: envelope.source, detail_type: envelope.detail_type });
    }
    let detail: Detail =
        serde_json::from_value(envelope.detail).map_err(|_| unreadable("`detail` must hold `case-id` as a text"))?;
    let is_account =
        envelope.account.len() == ACCOUNT_DIGITS && envelope.account.bytes().all(|byte| byte.is_ascii_digit());
    if !is_account {
        return Err(unreadable("`account` must have 12 digits"));
    }
    if !is_id(&detail.case_id) {
        return Err(unreadable("`detail.case-id` must be the id of a case"));
    }
    let id = DeduplicationId::parse(envelope.id).map_err(|problem| unreadable(format!("`id` {problem}")))?;
    Ok(Event::CaseUpdate(CaseUpdate {
        id,
        account: AccountId::new(envelope.account),
        case_id: CaseId::new(detail.case_id),
    }))
}

fn is_id(text: &str) -> bool {
    (1..=MAXIMUM_ID_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn unreadable(problem: impl Into<String>) -> UnreadableEvent {
    UnreadableEvent { problem: problem.into() }
}
