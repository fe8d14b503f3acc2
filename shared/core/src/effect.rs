//! What a plan asks for, and what can come of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    case::CaseStatus,
    identifiers::{AccountId, CaseId, CommunicationId, ExternalId, JournalEntryId},
    incident::{BridgeColumns, Incident},
    mark::Mark,
    time,
};

/// How a message appears on the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// An additional comment: the caller sees it and may be mailed.
    Comment,
    /// A work note: agents see it.
    WorkNote,
}

/// One message for the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Makes the message unique in ServiceNow.
    pub external_id: ExternalId,
    /// The text as it shall stand in the journal.
    pub text: String,
    /// How it appears.
    pub kind: MessageKind,
}

/// Platform fields of the incident to set. Empty ones are left alone.
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
    /// Always applied, in this order.
    pub messages: Vec<Message>,
    /// Platform fields.
    #[serde(skip_serializing_if = "IncidentFields::is_empty")]
    pub fields: IncidentFields,
    /// The app's own columns.
    pub columns: BridgeColumns,
    /// From which moment on the answer shows comments, by ServiceNow's clock; none: from the first.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "time::optional_servicenow_form")]
    pub entries_since: Option<Timestamp>,
}

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
    /// The platform's reason, for a refused one.
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
    /// The incident had changed: none was written.
    Stale,
    /// The platform refused the fields; the columns were written.
    Refused,
}

/// The answer of the app's `deliver` resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAnswer {
    /// One for each message.
    pub messages: Vec<MessageAnswer>,
    /// What became of fields and columns.
    pub fields: FieldsOutcome,
    /// The platform's reason, for refused fields.
    #[serde(default)]
    pub field_error: String,
    /// The incident afterwards.
    pub snapshot: Incident,
}

/// The request of CreateCase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCase {
    /// The subject.
    pub subject: String,
    /// The first communication, at most 8,000 characters.
    pub body: String,
    /// The service code.
    pub service_code: String,
    /// The category code.
    pub category_code: String,
    /// The severity code.
    pub severity_code: String,
    /// The language that AWS answers in, for example `en`.
    pub language: String,
    /// `technical` or `customer-service`.
    pub issue_type: String,
    /// The e-mail addresses that AWS sends copies to.
    pub cc_email_addresses: Vec<String>,
}

/// What an outgoing communication says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A part of what did not fit into the case's first communication.
    OpeningRemainder,
    /// A comment of the incident.
    Entry {
        /// The comment.
        entry: JournalEntryId,
        /// When it was written, by ServiceNow's clock.
        created_on: Timestamp,
    },
    /// That the incident was reopened: AWS has no call for it, a communication reopens the case.
    ReopenNotice,
    /// On a case that was opened twice: that the other one goes on.
    DoubleNotice(CaseId),
}

/// A part of a text too long for one communication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which part, from 1.
    pub number: u16,
    /// Of how many.
    pub of: u16,
    /// How many bytes of the text are on the case with this part.
    pub end: usize,
    /// Whether it says that the rest of the text is left out, since AWS refuses it.
    #[serde(default)]
    pub left_out: bool,
}

impl Part {
    /// A text of this many bytes that fits into one communication.
    pub const fn whole(bytes: usize) -> Self {
        Self { number: 1, of: 1, end: bytes, left_out: false }
    }

    /// Whether nothing of the text follows.
    pub fn is_last(self) -> bool {
        self.number == self.of
    }
}

/// One thing to do. It leaves no choice to the one who does it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Open a case for the incident. Written as an intent first.
    OpenCase {
        /// The account to open it in.
        account: AccountId,
        /// The request.
        request: NewCase,
        /// The mark in the first communication.
        mark: Mark,
        /// The comments that the first communication contains, with the moments of their writing.
        covers: Vec<(JournalEntryId, Timestamp)>,
        /// What did not fit and has to follow.
        remainder: Option<String>,
    },
    /// Add a communication to the case. Written as an intent first.
    AddCommunication {
        /// The account that owns the case.
        account: AccountId,
        /// The case.
        case_id: CaseId,
        /// What it says.
        content: Content,
        /// Which part of it.
        part: Part,
        /// The text, at most 8,000 characters.
        body: String,
        /// The mark in the text.
        mark: Mark,
    },
    /// Resolve the case. Written as an intent first.
    ResolveCase {
        /// The account that owns the case.
        account: AccountId,
        /// The case.
        case_id: CaseId,
    },
    /// Write to the incident: messages, fields, and the columns as they then are.
    Deliver {
        /// The request; its columns are those of the moment of the plan.
        delivery: Delivery,
        /// The communications that the messages carry, one for each.
        communications: Vec<CommunicationId>,
    },
    /// Write the columns as the link says at that moment, after the effects before it.
    Report,
}

impl Effect {
    /// The effect's name for logs, metrics and coverage.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OpenCase { .. } => "open_case",
            Self::AddCommunication { .. } => "add_communication",
            Self::ResolveCase { .. } => "resolve_case",
            Self::Deliver { .. } => "deliver",
            Self::Report => "report",
        }
    }
}

/// What an effect brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The case is open.
    CaseOpened {
        /// Its id; the display id comes with a read.
        case_id: CaseId,
    },
    /// The communication is on the case.
    CommunicationAdded,
    /// The case is resolved.
    CaseResolved {
        /// Its status afterwards.
        status: CaseStatus,
    },
    /// The incident was written to.
    Delivered(Box<DeliveryAnswer>),
}

/// Why a side refused for good: a repeat of the same request meets the same answer until something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The account has no support plan with an API (`SubscriptionRequiredException`).
    Subscription,
    /// The account has opened too many cases for now (`CaseCreationLimitExceeded`).
    CaseQuota,
    /// The side does not accept the credentials or they lack a permission.
    Credentials,
    /// The side does not accept a value: a service code, a severity, a field.
    InvalidRequest,
    /// The record is not there (any more).
    NotFound,
    /// The record is there, and its side does not show it to casebridge: an incident that is not linked, not in scope, and
    /// was never announced.
    NotServed,
}

/// Why an effect or a read came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Certainly not applied; waiting alone does not help.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The side's own words, without secrets.
        message: String,
    },
    /// Certainly not applied; later it may be: throttled, or not reachable on a read.
    Unavailable {
        /// The side's own words, without secrets.
        message: String,
        /// Not before then, if the side said so.
        retry_at: Option<Timestamp>,
    },
    /// It may have been applied and may not have been.
    InDoubt {
        /// What happened, without secrets.
        message: String,
    },
}

impl Failure {
    /// The side's own words.
    pub fn message(&self) -> &str {
        match self {
            Self::Refused { message, .. } | Self::Unavailable { message, .. } | Self::InDoubt { message } => message,
        }
    }

    /// The failure's name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Refused { refusal: Refusal::Subscription, .. } => "refused_subscription",
            Self::Refused { refusal: Refusal::CaseQuota, .. } => "refused_case_quota",
            Self::Refused { refusal: Refusal::Credentials, .. } => "refused_credentials",
            Self::Refused { refusal: Refusal::InvalidRequest, .. } => "refused_invalid_request",
            Self::Refused { refusal: Refusal::NotFound, .. } => "refused_not_found",
            Self::Refused { refusal: Refusal::NotServed, .. } => "refused_not_served",
            Self::Unavailable { .. } => "unavailable",
            Self::InDoubt { .. } => "in_doubt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_a_name_for_alarms_and_keeps_the_words_of_its_side() {
        let message = || "no such service code".to_owned();
        let refused = |refusal| Failure::Refused { refusal, message: message() };
        for (failure, name) in [
            (refused(Refusal::Subscription), "refused_subscription"),
            (refused(Refusal::CaseQuota), "refused_case_quota"),
            (refused(Refusal::Credentials), "refused_credentials"),
            (refused(Refusal::InvalidRequest), "refused_invalid_request"),
            (refused(Refusal::NotFound), "refused_not_found"),
            (refused(Refusal::NotServed), "refused_not_served"),
            (Failure::Unavailable { message: message(), retry_at: None }, "unavailable"),
            (Failure::InDoubt { message: message() }, "in_doubt"),
        ] {
            assert_eq!(failure.name(), name);
            assert_eq!(failure.message(), message(), "{name}");
        }
    }

    #[test]
    fn nothing_follows_the_last_part_only() {
        assert!(Part::whole(5).is_last());
        assert!(!Part { of: 2, ..Part::whole(5) }.is_last());
        assert!(Part { number: 2, of: 2, ..Part::whole(5) }.is_last());
    }
}
