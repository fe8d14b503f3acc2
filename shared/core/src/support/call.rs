//! The writes to AWS Support, what is written down of them, and what can come of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::{AccountId, CaseId, JournalEntryId},
    link::{intent::Illegal, mark::Mark, plan},
    support::case::CaseStatus,
};

/// The name of the call that opens a case.
const OPEN_CASE: &str = "open_case";
/// The name of the call that adds a communication.
const ADD_COMMUNICATION: &str = "add_communication";
/// The name of the call that resolves a case.
const RESOLVE_CASE: &str = "resolve_case";

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

impl Content {
    /// Whether the text is for the link's own case.
    pub fn is_for_own_case(&self) -> bool {
        !matches!(self, Self::DoubleNotice(_))
    }

    /// What names the text among those of its link.
    pub fn name(&self) -> String {
        match self {
            Self::OpeningRemainder => "opening".to_owned(),
            Self::Entry { entry, .. } => format!("entry {entry}"),
            Self::ReopenNotice => "reopening".to_owned(),
            Self::DoubleNotice(case_id) => format!("double {case_id}"),
        }
    }
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

/// A write to AWS Support.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Open a case for the incident.
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
    /// Add a communication to the case.
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
    /// Resolve the case.
    ResolveCase {
        /// The account that owns the case.
        account: AccountId,
        /// The case.
        case_id: CaseId,
    },
}

impl plan::Named for Call {
    fn name(&self) -> &'static str {
        match self {
            Self::OpenCase { .. } => OPEN_CASE,
            Self::AddCommunication { .. } => ADD_COMMUNICATION,
            Self::ResolveCase { .. } => RESOLVE_CASE,
        }
    }
}

/// What an intent is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum IntentKind {
    /// Open the case.
    OpenCase {
        /// The account to open it in.
        account: AccountId,
        /// The comments that its first communication contains, with the moments of their writing.
        covers: Vec<(JournalEntryId, Timestamp)>,
        /// What did not fit and has to follow.
        remainder: Option<String>,
    },
    /// Add a communication.
    AddCommunication {
        /// What it says.
        content: Content,
        /// Which part of it.
        part: Part,
    },
    /// Resolve the case.
    ResolveCase {
        /// The status that the case had before; none where that is not certain.
        status_before: Option<CaseStatus>,
        /// The doubled case that is resolved; none for the link's own.
        #[serde(default)]
        double: Option<CaseId>,
    },
}

impl IntentKind {
    /// The account in which it is about to open a case.
    pub fn opening_account(&self) -> Option<&AccountId> {
        match self {
            Self::OpenCase { account, .. } => Some(account),
            Self::AddCommunication { .. } | Self::ResolveCase { .. } => None,
        }
    }
}

impl plan::Named for IntentKind {
    fn name(&self) -> &'static str {
        match self {
            Self::OpenCase { .. } => OPEN_CASE,
            Self::AddCommunication { .. } => ADD_COMMUNICATION,
            Self::ResolveCase { .. } => RESOLVE_CASE,
        }
    }
}

/// A call that AWS refused, as far as it tells it from another one that is tried at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCall {
    /// CreateCase with these codes.
    OpenCase(CaseCodes),
    /// A communication, once none in its place was accepted, either.
    AddCommunication,
    /// The resolution of the link's case.
    ResolveCase,
    /// A call for a case that was opened twice.
    Double,
}

impl RefusedCall {
    /// By what a refusal of the intent's call is remembered. `codes` are those of a new case; none if they are not known.
    pub(super) fn of(intent: &IntentKind, codes: Option<CaseCodes>) -> Option<Self> {
        match intent {
            IntentKind::OpenCase { .. } => codes.map(Self::OpenCase),
            IntentKind::AddCommunication { content, .. } if content.is_for_own_case() => Some(Self::AddCommunication),
            IntentKind::ResolveCase { double: None, .. } => Some(Self::ResolveCase),
            IntentKind::AddCommunication { .. } | IntentKind::ResolveCase { .. } => Some(Self::Double),
        }
    }

    /// Whether this intent may be about the call.
    pub fn concerns(&self, intent: &IntentKind) -> bool {
        let codes = if let Self::OpenCase(codes) = self { Some(codes.clone()) } else { None };
        Self::of(intent, codes).as_ref() == Some(self)
    }
}

/// What AWS may refuse of a new case, and an agent or an administrator can change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseCodes {
    /// The account to open it in.
    pub account: Option<AccountId>,
    /// The service code.
    pub service_code: String,
    /// The category code.
    pub category_code: String,
    /// The severity code.
    pub severity_code: String,
}

impl CaseCodes {
    /// What AWS may refuse of this CreateCase in an account.
    pub fn of(account: &AccountId, request: &NewCase) -> Self {
        Self {
            account: Some(account.clone()),
            service_code: request.service_code.clone(),
            category_code: request.category_code.clone(),
            severity_code: request.severity_code.clone(),
        }
    }
}

/// What a call that was applied answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
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
}

/// A call that was applied, with what was written down of it and what it answered: each call with its own answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Applied {
    /// The case is open.
    CaseOpened {
        /// The account that owns it.
        account: AccountId,
        /// The case.
        case_id: CaseId,
        /// The comments that its first communication contains, with the moments of their writing.
        covers: Vec<(JournalEntryId, Timestamp)>,
        /// What did not fit and has to follow.
        remainder: Option<String>,
    },
    /// The communication is on the case.
    CommunicationAdded {
        /// What it says.
        content: Content,
        /// Which part of it.
        part: Part,
    },
    /// The link's case is resolved.
    CaseResolved {
        /// Its status afterwards.
        status: CaseStatus,
    },
    /// A case that was opened twice is resolved.
    DoubleResolved {
        /// The case.
        case_id: CaseId,
    },
}

impl Applied {
    /// What was written down of a call, and its answer. Fails if the answer is another call's.
    pub(super) fn of(intent: &IntentKind, done: Done) -> Result<Self, Illegal> {
        match (intent.clone(), done) {
            (IntentKind::OpenCase { account, covers, remainder }, Done::CaseOpened { case_id }) => {
                Ok(Self::CaseOpened { account, case_id, covers, remainder })
            }
            (IntentKind::AddCommunication { content, part }, Done::CommunicationAdded) => {
                Ok(Self::CommunicationAdded { content, part })
            }
            (IntentKind::ResolveCase { double: None, .. }, Done::CaseResolved { status }) => {
                Ok(Self::CaseResolved { status })
            }
            (IntentKind::ResolveCase { double: Some(case_id), .. }, Done::CaseResolved { .. }) => {
                Ok(Self::DoubleResolved { case_id })
            }
            (
                IntentKind::OpenCase { .. } | IntentKind::AddCommunication { .. } | IntentKind::ResolveCase { .. },
                Done::CaseOpened { .. } | Done::CommunicationAdded | Done::CaseResolved { .. },
            ) => Err(Illegal::AnotherCall),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_follows_the_last_part_only() {
        assert!(Part::whole(5).is_last());
        assert!(!Part { of: 2, ..Part::whole(5) }.is_last());
        assert!(Part { number: 2, of: 2, ..Part::whole(5) }.is_last());
    }
}
