//! Deliveries: what casebridge writes to an incident, and the app's answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::{AccountId, ExternalId},
    servicenow::{columns::BridgeColumns, incident::Incident},
    time,
};

/// How a message appears on the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// An additional comment. The caller sees it and may get it by e-mail.
    Comment,
    /// A work note. Only agents see it.
    WorkNote,
}

/// One message for the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Makes the message unique in ServiceNow.
    pub external_id: ExternalId,
    /// The text as it appears in the journal.
    pub text: String,
    /// How it appears.
    pub kind: MessageKind,
}

/// Platform fields of the incident to set. An empty field is not changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFields {
    /// `incident.state`, a choice's value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub state: String,
    /// `incident.hold_reason`, a choice's value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hold_reason: String,
    /// `incident.close_code`, a choice's value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub close_code: String,
    /// `incident.impact`, a choice's value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub impact: String,
    /// `incident.urgency`, a choice's value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub urgency: String,
    /// `incident.close_notes`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub close_notes: String,
}

impl IncidentFields {
    /// Whether there is nothing to set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The request of the app's `deliver` resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Fields and columns are written only if the incident still has this `sys_mod_count`.
    pub expected_mod_count: u64,
    /// The messages, in order. They are applied whatever the update count.
    pub messages: Vec<Message>,
    /// Platform fields.
    #[serde(skip_serializing_if = "IncidentFields::is_empty")]
    pub fields: IncidentFields,
    /// The app's own columns.
    pub columns: BridgeColumns,
    /// The moment from which on the answer shows comments, by ServiceNow's clock. `None` for all comments.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::optional_servicenow_form")]
    pub entries_since: Option<Timestamp>,
}

/// The request of the app's `open` resource: an incident for a record that somebody opened at AWS. The `sys_id` is that
/// of the link, so a repeat opens no second incident. The app adds the account's caller and assignment group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewIncident {
    /// The account that owns the record.
    pub account: AccountId,
    /// `incident.short_description`.
    pub short_description: String,
    /// `incident.description`.
    pub description: String,
    /// `incident.impact`, a choice's value.
    pub impact: String,
    /// `incident.urgency`, a choice's value.
    pub urgency: String,
    /// The AWS Support service code, or empty.
    pub service_code: String,
    /// The AWS Support category code, or empty.
    pub category_code: String,
    /// The app's own columns.
    pub columns: BridgeColumns,
    /// The message whose text the description holds; `None` if it holds none. Not a part of the request.
    #[serde(skip)]
    pub describes: Option<Described>,
}

/// The message whose text the description of a new incident holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// The message.
    pub message: ExternalId,
    /// Whether the description stands for the message, so that it is not delivered: it holds the whole text, and no other
    /// message has to come first.
    pub stands_for_it: bool,
}

/// Stands in the description of a new incident for texts that ServiceNow refuses. The texts follow as messages.
pub const LEFT_OUT_DESCRIPTION: &str =
    "(ServiceNow does not accept what the case says as a description. Its messages follow as comments.)";

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageOutcome {
    /// It was appended now.
    Applied,
    /// It had been appended before.
    AlreadyApplied,
    /// The platform refused it.
    Refused,
}

/// What became of one message of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAnswer {
    /// The message.
    pub external_id: ExternalId,
    /// What became of it.
    pub outcome: MessageOutcome,
    /// The platform's reason for a refused message, otherwise empty.
    #[serde(default)]
    pub error: String,
}

/// A file for the incident, without its content: the request of the app's `files` resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Makes the file unique in ServiceNow.
    pub external_id: ExternalId,
    /// Its name.
    pub name: String,
    /// Its MIME type.
    pub content_type: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileOutcome {
    /// It was attached now.
    Applied,
    /// It had been attached before.
    AlreadyApplied,
    /// The platform refused it.
    Refused,
    /// Less than the whole file arrived, and nothing is attached.
    Incomplete,
}

/// The answer of the app's `files` resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAnswer {
    /// What became of the file.
    pub outcome: FileOutcome,
    /// The platform's reason for a refused file, otherwise empty.
    #[serde(default)]
    pub error: String,
}

/// What became of the fields and columns of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldsOutcome {
    /// None were asked for.
    None,
    /// All were written.
    Applied,
    /// The incident had changed, so none was written.
    Stale,
    /// The platform refused the fields. The columns were written.
    Refused,
}

/// The answer of the app's `deliver` resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAnswer {
    /// One for each message.
    pub messages: Vec<MessageAnswer>,
    /// What became of fields and columns.
    pub fields: FieldsOutcome,
    /// The platform's reason for refused fields. If the fields were applied: another problem, for which they need not
    /// be written again.
    #[serde(default)]
    pub field_error: String,
    /// The incident after the delivery.
    pub snapshot: Incident,
}
