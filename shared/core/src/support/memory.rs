//! What a link remembers of its case.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::{AccountId, CaseId, CaseKey, CommunicationId, DisplayId, JournalEntryId, LinkKey},
    link::mark::Mark,
    support::{
        call::Content,
        case::{Case, CaseStatus},
        conversation::Conversation,
        files::Files,
        note::Note,
        options::RefusedOptions,
        severity::{AskedSeverity, SeenSeverity},
    },
    time::later,
};

/// How long after its intent was written a CreateCase counts as undecided, even if it was given up: its case may show
/// up this late.
pub const CREATION_UNDECIDED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How many CreateCases that seemed never applied a link remembers. With so many it opens no further case before the
/// first can no longer show up: each stands in a row of the ledger. The default policy comes to some twenty in that
/// time.
pub const MAXIMUM_GIVEN_UP_CASES: usize = 40;

/// The case of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedCase {
    /// The account that owns it.
    pub account: AccountId,
    /// Its id, as last seen: the language segment may change.
    pub case_id: CaseId,
    /// Its number; `None` until the first read.
    pub display_id: Option<DisplayId>,
    /// Its status, as last accepted; `None` until the first read.
    pub status: Option<CaseStatus>,
    /// Since when that status is accepted, by our clock.
    pub status_since: Timestamp,
    /// When it was reopened last, by our clock: a late read may still show it as resolved.
    #[serde(default)]
    pub reopened_at: Option<Timestamp>,
    /// The mark of our text that reopened it: a read that shows this text is not late.
    #[serde(default)]
    pub reopened_by: Option<Mark>,
    /// When it was opened, by our clock.
    pub opened_at: Timestamp,
    /// The fingerprint of the last read, see [`crate::support::case::fingerprint`].
    #[serde(default)]
    pub fingerprint: String,
    /// When the fingerprint changed last, by our clock; `None` until the first read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
    /// Its severity; `None` until the first read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<SeenSeverity>,
}

impl LinkedCase {
    /// The case's key.
    pub fn key(&self) -> CaseKey {
        CaseKey::new(self.account.clone(), &self.case_id)
    }

    /// Whether the case is resolved, as far as is known.
    pub fn is_resolved(&self) -> bool {
        self.status.as_ref().is_some_and(CaseStatus::is_resolved)
    }

    /// Whether the case is known to be resolved for this long.
    pub(super) fn is_resolved_for(&self, span: SignedDuration, now: Timestamp) -> bool {
        self.is_resolved() && now.duration_since(self.status_since) >= span
    }

    /// Takes in how a read that began at `now` names the case, and its fingerprint. A case's id changes with its language.
    /// The poller asks for the id that was last taken in.
    pub(super) fn identify(&mut self, case: &Case, now: Timestamp) {
        self.case_id = case.case_id.clone();
        self.display_id = Some(case.display_id.clone());
        if case.has_changed(&self.fingerprint) {
            self.changed_at = Some(now);
        }
        self.fingerprint.clone_from(&case.fingerprint);
    }
}

/// A CreateCase that was given up: its case may still show up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUpCase {
    /// The account it was to be opened in.
    pub account: AccountId,
    /// The mark in its first communication.
    pub mark: Mark,
    /// The comments that its first communication contains, with the times at which they were written.
    pub covers: Vec<(JournalEntryId, Timestamp)>,
    /// The hash of the rest of the text, which did not fit and has to follow; `None` if all of it fitted.
    /// [`Memory::given_up_remainders`] has the rest itself.
    pub remainder: Option<String>,
    /// When its intent was written, by our clock.
    pub written_at: Timestamp,
    /// When to look for it next, by our clock.
    pub look_at: Timestamp,
}

/// How long an incident waits behind others for its account's quota. AWS counts the quota over hours, so a day without
/// progress means that a link ahead can't be read.
const WAITS_IN_LINE: SignedDuration = SignedDuration::from_hours(24);

/// An incident's wait for its account's quota of new cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaWait {
    /// The account.
    pub account: AccountId,
    /// The incident's priority.
    pub priority: String,
    /// Since when, by our clock.
    pub since: Timestamp,
}

impl QuotaWait {
    /// Whether the incident still waits behind others for a case in this account. It no longer does after 24 hours.
    pub fn is_in_line_of(&self, account: &AccountId, now: Timestamp) -> bool {
        self.account == *account && now.duration_since(self.since) < WAITS_IN_LINE
    }
}

/// A text of which some parts have been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartlySent {
    /// The text.
    pub content: Content,
    /// How many bytes of it have been sent.
    pub bytes: usize,
    /// How many parts have been sent.
    pub parts: u16,
}

/// How a text that AWS refused is tried next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// In parts of at most 2,000 bytes.
    Small,
    /// In parts of at most 400 bytes.
    Smallest,
    /// A placeholder takes the place of the next part of at most 400 bytes.
    Placeholder,
}

/// A text that AWS refused, and how it is tried next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedText {
    /// The text.
    pub content: Content,
    /// How it is tried next.
    pub reduction: Reduction,
    /// AWS's reason.
    pub reason: String,
}

/// A double: a second case that casebridge opened for the incident. Its CreateCase appeared later than L allows for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubledCase {
    /// The account that owns it.
    pub account: AccountId,
    /// The case.
    pub case_id: CaseId,
    /// Whether the note is on it that names the case that goes on.
    pub told: bool,
    /// Whether it is resolved.
    pub resolved: bool,
}

/// A communication that ServiceNow refused although it accepted the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedMessage {
    /// The communication.
    pub id: CommunicationId,
    /// Whether a placeholder is tried next in its place: ServiceNow refused it again after a wait of
    /// `refusal_retry_seconds`.
    pub is_left_out: bool,
    /// ServiceNow's reason.
    pub reason: String,
}

impl Memory {
    /// Records that a double is resolved.
    pub(super) fn double_resolved(&mut self, case_id: &CaseId) {
        for double in self.doubles.iter_mut().filter(|double| double.case_id == *case_id) {
            double.resolved = true;
        }
    }
}

impl Memory {
    /// Whether the link had the case with this id before its present one.
    pub(super) fn had_case(&self, case_id: &str) -> bool {
        let named = |former: &FormerCase| CaseKey::new(former.account.clone(), &CaseId::new(case_id));
        self.former_cases.iter().any(|former| former.key() == named(former))
    }

    /// Until when no case is opened, since so many were given up; none if another one may be. The oldest makes room
    /// when it can no longer show up.
    pub(super) fn opens_no_case_until(&self) -> Option<Timestamp> {
        let is_full = self.given_up_cases.len() >= MAXIMUM_GIVEN_UP_CASES;
        let oldest = self.given_up_cases.iter().map(|given_up| given_up.written_at).min().filter(|_| is_full)?;
        Some(later(oldest, CREATION_UNDECIDED_FOR))
    }
}

/// How many former cases a link remembers: each stands in a row of the ledger. The oldest is forgotten. Two weeks and more lie
/// between them, and nothing is written to them.
pub const MAXIMUM_FORMER_CASES: usize = 3;

/// A case that the link had before: AWS no longer reopens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerCase {
    /// The account that owns it.
    pub account: AccountId,
    /// The case.
    pub case_id: CaseId,
    /// Its number; `None` if no read has shown it.
    pub display_id: Option<DisplayId>,
}

impl FormerCase {
    /// The case's key.
    pub fn key(&self) -> CaseKey {
        CaseKey::new(self.account.clone(), &self.case_id)
    }
}

/// What a link remembers of its case, and of what is written to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The case; `None` until there is one.
    pub case: Option<LinkedCase>,
    /// Which incident of its case this is, see [`crate::identifiers::IncidentId::of_case`]; 0 counts as 1.
    #[serde(skip_serializing_if = "crate::link::is_zero")]
    pub generation: u32,
    /// The link to which the case was handed over; `None` if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handed_over_to: Option<LinkKey>,
    /// The cases that the link had before, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_cases: Vec<FormerCase>,
    /// The doubles: each gets a note and is resolved.
    pub doubles: Vec<DoubledCase>,
    /// The cases that were given up and may show up late.
    pub given_up_cases: Vec<GivenUpCase>,
    /// The rests of the texts of these cases, by their hashes. Mostly all of them have the same text, of up to 60 KB, and
    /// copies would soon make the link too large for the ledger.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub given_up_remainders: BTreeMap<String, String>,
    /// The case's status with which the incident's state was last brought in step. It is a part of the base.
    pub agreed_status: Option<CaseStatus>,
    /// The hashes of the texts that were written at AWS since work ended on both sides and that are on the incident;
    /// the latest 20.
    pub texts_since_end: Vec<String>,
    /// Whether a customer has written at AWS since work ended on both sides, with a text that has not reopened the link
    /// before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub customer_wrote: bool,
    /// The case's communications.
    pub conversation: Conversation,
    /// The text that is on the case in part, if there is one.
    pub partly_sent: Option<PartlySent>,
    /// The text that AWS refused, if there is one.
    pub refused_text: Option<RefusedText>,
    /// The communication that ServiceNow refused, if there is one.
    pub refused_message: Option<RefusedMessage>,
    /// The rest of the opening text, which did not fit into the first communication and has to follow.
    pub opening_remainder: Option<String>,
    /// The wait for the account's quota of new cases, if the link waits.
    pub waits_for_quota: Option<QuotaWait>,
    /// Since when the incident has named a case that casebridge does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_case_since: Option<Timestamp>,
    /// The notes for agents that are not on the incident yet, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// How many notes there have been.
    #[serde(skip_serializing_if = "crate::link::is_zero")]
    pub notes_made: u32,
    /// The number of the newest note that the link had recorded when it was delivered for the first time.
    #[serde(skip_serializing_if = "crate::link::is_zero")]
    pub notes_recorded: u32,
    /// The files of both sides.
    #[serde(default = "Files::of_former_version")]
    pub files: Files,
    /// The severity that was asked for in the last CreateCase, by the mark in its text, until the case is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_severity: Option<(Mark, AskedSeverity)>,
    /// What is to be told of the options of the last CreateCase, by the mark in its text, until the case is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options_note: Option<(Mark, String)>,
    /// The CreateCase that AWS refused and that is tried without some of its options, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_options: Option<RefusedOptions>,
    /// The severity code by which impact and urgency of the incident are to be set; `None` if they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity_to_set: Option<String>,
    /// When to read all communications once more, since one may appear late among older ones; `None` if that is not
    /// needed.
    pub full_read_at: Option<Timestamp>,
}
