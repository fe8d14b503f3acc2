//! The calls to AWS Support: what their intents record, and what their outcomes are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    file::transfer::Carried,
    identifiers::{AccountId, CaseId, JournalEntryId, TransferId},
    link::{intent::Illegal, mark::Mark, plan},
    support::{case::CaseStatus, options::Choices, severity::AskedSeverity},
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
    /// The first communication, at most 8,000 bytes.
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
    /// A notice that the incident was reopened. AWS has no call that reopens a case, so a communication reopens it.
    ReopenNotice,
    /// Files of the incident.
    Files(TransferId),
    /// A notice on a file that stays where it is, by its number.
    FileNotice(u32),
    /// A notice on a double: work goes on in the link's own case.
    DoubleNotice(CaseId),
}

impl Content {
    /// Whether the text is for the link's own case.
    pub fn is_for_own_case(&self) -> bool {
        !matches!(self, Self::DoubleNotice(_))
    }

    /// Returns a name that no other text of the link has.
    pub fn name(&self) -> String {
        match self {
            Self::OpeningRemainder => "opening".to_owned(),
            Self::Entry { entry, .. } => format!("entry {entry}"),
            Self::ReopenNotice => "reopening".to_owned(),
            Self::Files(transfer) => format!("files {transfer}"),
            Self::FileNotice(number) => format!("file notice {number}"),
            Self::DoubleNotice(case_id) => format!("double {case_id}"),
        }
    }
}

/// A part of a text. A text that is too long for one communication has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The number of the part, from 1.
    pub number: u16,
    /// How many parts the text has.
    pub of: u16,
    /// How many bytes of the text have been sent once this part is on the case.
    pub end: usize,
    /// Whether a placeholder takes the place of this part, since AWS refuses it.
    #[serde(default)]
    pub left_out: bool,
}

impl Part {
    /// Returns the only part of a text of this many bytes, which fits into one communication.
    pub const fn whole(bytes: usize) -> Self {
        Self { number: 1, of: 1, end: bytes, left_out: false }
    }

    /// Whether this is the last part of the text.
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
        /// The comments that the first communication contains, with the times at which they were written.
        covers: Vec<(JournalEntryId, Timestamp)>,
        /// The rest of the text, which did not fit and has to follow; `None` if all of it fitted.
        remainder: Option<String>,
        /// The severity that is asked for, and what agents are told of it once the case is open.
        severity: AskedSeverity,
        /// The language and the issue type that are wanted, even if the request has others since AWS refused them.
        wanted: Choices,
        /// What agents are told of the language, the issue type and the copies once the case is open.
        options_note: Option<String>,
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
        /// The text, at most 8,000 bytes.
        body: String,
        /// The mark in the text.
        mark: Mark,
        /// The set or the uploads with the files of the text; `None` for a text without files.
        carried: Option<Carried>,
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

/// What the call of an intent does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum IntentKind {
    /// Open the case.
    OpenCase {
        /// The account to open it in.
        account: AccountId,
        /// The comments that its first communication contains, with the times at which they were written.
        covers: Vec<(JournalEntryId, Timestamp)>,
        /// The rest of the text, which did not fit and has to follow; `None` if all of it fitted.
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
        /// The status that the case had before; `None` if that is not certain.
        status_before: Option<CaseStatus>,
        /// The double that is resolved; `None` for the link's own case.
        #[serde(default)]
        double: Option<CaseId>,
    },
}

impl IntentKind {
    /// Returns the account in which the call opens a case; `None` if it opens none.
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

/// The key under which a refused call is recorded. A call with another key is not held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCall {
    /// CreateCase with these codes.
    OpenCase(CaseCodes),
    /// A communication that has no other form left to be tried in.
    AddCommunication,
    /// The resolution of the link's case.
    ResolveCase,
    /// A call for a double.
    Double,
}

impl RefusedCall {
    /// Returns the key under which a refusal of the intent's call is recorded. `codes` are those of a new case, `None`
    /// if they are not known. Returns `None` for a CreateCase without codes.
    pub(super) fn of(intent: &IntentKind, codes: Option<CaseCodes>) -> Option<Self> {
        match intent {
            IntentKind::OpenCase { .. } => codes.map(Self::OpenCase),
            IntentKind::AddCommunication { content, .. } if content.is_for_own_case() => Some(Self::AddCommunication),
            IntentKind::ResolveCase { double: None, .. } => Some(Self::ResolveCase),
            IntentKind::AddCommunication { .. } | IntentKind::ResolveCase { .. } => Some(Self::Double),
        }
    }

    /// Whether the refused call may be that of this intent.
    pub fn concerns(&self, intent: &IntentKind) -> bool {
        let codes = if let Self::OpenCase(codes) = self { Some(codes.clone()) } else { None };
        Self::of(intent, codes).as_ref() == Some(self)
    }
}

/// The values of a new case that AWS may refuse and that an agent or an administrator can change.
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
    /// The language that is wanted.
    #[serde(default)]
    pub language: String,
    /// The issue type that is wanted.
    #[serde(default)]
    pub issue_type: String,
}

impl CaseCodes {
    /// Returns the codes of this CreateCase in an account, with the language and the issue type that are wanted.
    pub fn of(account: &AccountId, request: &NewCase, wanted: &Choices) -> Self {
        Self {
            account: Some(account.clone()),
            service_code: request.service_code.clone(),
            category_code: request.category_code.clone(),
            severity_code: request.severity_code.clone(),
            language: wanted.language.clone(),
            issue_type: wanted.issue_type.clone(),
        }
    }
}

/// The answer to a call that was applied.
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

/// A call that was applied: what its intent recorded, with the call's own answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Applied {
    /// The case is open.
    CaseOpened {
        /// The account that owns it.
        account: AccountId,
        /// The case.
        case_id: CaseId,
        /// The comments that its first communication contains, with the times at which they were written.
        covers: Vec<(JournalEntryId, Timestamp)>,
        /// The rest of the text, which did not fit and has to follow; `None` if all of it fitted.
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
    /// A double is resolved.
    DoubleResolved {
        /// The case.
        case_id: CaseId,
    },
}

impl Applied {
    /// Joins what an intent recorded with the answer to its call. Fails if the answer is another call's.
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

    fn opening() -> IntentKind {
        IntentKind::OpenCase { account: AccountId::new("111122223333"), covers: Vec::new(), remainder: None }
    }

    fn adding(content: Content) -> IntentKind {
        IntentKind::AddCommunication { content, part: Part::whole(0) }
    }

    fn resolving(double: Option<CaseId>) -> IntentKind {
        IntentKind::ResolveCase { status_before: None, double }
    }

    #[test]
    fn an_intent_has_the_name_of_its_call() {
        for (intent, name) in [
            (opening(), "open_case"),
            (adding(Content::ReopenNotice), "add_communication"),
            (resolving(None), "resolve_case"),
        ] {
            assert_eq!(plan::Named::name(&intent), name);
        }
    }

    #[test]
    fn a_refusal_concerns_the_calls_that_are_refused_with_it() {
        let double = || CaseId::new("case-111122223333-muen-2026-fedcba9876543210");
        let codes = CaseCodes {
            account: None,
            service_code: String::new(),
            category_code: String::new(),
            severity_code: String::new(),
            language: String::new(),
            issue_type: String::new(),
        };
        let refusals = [
            RefusedCall::OpenCase(codes),
            RefusedCall::AddCommunication,
            RefusedCall::ResolveCase,
            RefusedCall::Double,
        ];
        for (intent, concerned) in [
            (opening(), 0),
            (adding(Content::ReopenNotice), 1),
            (adding(Content::FileNotice(1)), 1),
            (resolving(None), 2),
            (adding(Content::DoubleNotice(double())), 3),
            (resolving(Some(double())), 3),
        ] {
            let concerns: Vec<bool> = refusals.iter().map(|refused| refused.concerns(&intent)).collect();
            let expected: Vec<bool> = (0..refusals.len()).map(|place| place == concerned).collect();
            assert_eq!(concerns, expected, "{intent:?}");
        }
    }

    #[test]
    fn only_the_call_that_opens_a_case_names_the_account_for_it() {
        assert_eq!(opening().opening_account(), Some(&AccountId::new("111122223333")));
        assert_eq!(adding(Content::ReopenNotice).opening_account(), None);
        assert_eq!(resolving(None).opening_account(), None);
    }
}
