//! A hint: the one message on the queue. It says that a link may have drifted, never what to do about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::{AccountId, CaseId, CaseKey, DisplayId, LinkKey},
    incident::Incident,
};

/// What the hint is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Subject {
    /// A link, by its key.
    Link {
        /// The link.
        key: LinkKey,
    },
    /// A case whose link the sender did not find.
    Case {
        /// The account that owns the case.
        account: AccountId,
        /// The case.
        case_id: CaseId,
        /// Its number, when the trigger told it.
        display_id: Option<DisplayId>,
    },
}

/// What made somebody look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// ServiceNow's signed webhook.
    ServicenowWebhook,
    /// A Support Case Update event.
    SupportEvent,
    /// A wake-up of the ledger: a wait, a backoff or an expired lease.
    Due,
    /// The poller saw a change in ServiceNow.
    ServicenowPoll,
    /// The poller saw a change of a case.
    CasePoll,
    /// An operator asked for it.
    Replay,
}

impl Cause {
    /// The word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServicenowWebhook => "servicenow_webhook",
            Self::SupportEvent => "support_event",
            Self::Due => "due",
            Self::ServicenowPoll => "servicenow_poll",
            Self::CasePoll => "case_poll",
            Self::Replay => "replay",
        }
    }
}

/// The message on the FIFO queue, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// What may have drifted.
    pub subject: Subject,
    /// What made somebody look.
    pub cause: Cause,
    /// When the trigger was received, by our clock.
    pub received_at: Timestamp,
    /// The incident as the trigger's signed body showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<Box<Incident>>,
}

impl Hint {
    /// The queue's message group: hints on one link are handled one after the other.
    pub fn group_id(&self) -> String {
        match &self.subject {
            Subject::Link { key } => key.to_string(),
            Subject::Case { account, case_id, .. } => CaseKey::new(account.clone(), case_id).to_string(),
        }
    }
}
