//! "Support Case Update" events, which AWS publishes about cases. They carry ids only.

use jiff::Timestamp;
use serde_json::{Value, json};

/// The Region that every Support event comes from.
pub const EVENT_REGION: &str = "us-east-1";

/// What happened to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventName {
    /// A case was created.
    CreateCase,
    /// A communication was added.
    AddCommunicationToCase,
    /// A case was resolved.
    ResolveCase,
    /// A resolved case was reopened.
    ReopenCase,
}

impl EventName {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateCase => "CreateCase",
            Self::AddCommunicationToCase => "AddCommunicationToCase",
            Self::ResolveCase => "ResolveCase",
            Self::ReopenCase => "ReopenCase",
        }
    }
}

/// Who wrote a communication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// AWS Support.
    Aws,
    /// The customer: through the API, the console or mail.
    Customer,
}

impl Origin {
    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Customer => "CUSTOMER",
        }
    }
}

/// A change of a case that AWS announces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportEvent {
    /// The event's id.
    pub id: String,
    /// The account that the case belongs to.
    pub account: String,
    /// When it happened.
    pub time: Timestamp,
    /// The case's id.
    pub case_id: String,
    /// The id that people see.
    pub display_id: String,
    /// What happened.
    pub name: EventName,
    /// The id of the communication, which no API call shows, and who wrote it. `None` for other changes.
    pub communication: Option<(String, Origin)>,
}

impl SupportEvent {
    /// Returns the event as EventBridge delivers it.
    pub fn to_json(&self) -> Value {
        let (communication_id, origin) =
            self.communication.as_ref().map_or(("", ""), |(id, origin)| (id.as_str(), origin.as_str()));
        json!({
            "version": "0",
            "id": self.id,
            "detail-type": "Support Case Update",
            "source": "aws.support",
            "account": self.account,
            "time": format!("{:.0}", self.time),
            "region": EVENT_REGION,
            "resources": [],
            "detail": {
                "case-id": self.case_id,
                "display-id": self.display_id,
                "communication-id": communication_id,
                "event-name": self.name.as_str(),
                "origin": origin,
            }
        })
    }
}
