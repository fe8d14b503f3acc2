//! What a link remembers of its case.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::{AccountId, CaseId, CaseKey, CommunicationId, DisplayId, JournalEntryId},
    link::mark::Mark,
    support::{call::Content, case::CaseStatus, conversation::Conversation},
    time::later,
};

/// For how long a CreateCase that seemed never applied still counts as undecided: its case may show up this late.
pub const CREATION_UNDECIDED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How many CreateCases that seemed never applied a link remembers. With so many it opens no further case before the first can
/// show up no more: each stands in a row of the ledger. The default policy comes to some twenty in that time.
pub const MAXIMUM_GIVEN_UP_CASES: usize = 40;

/// The case of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkedCase {
    /// The account that owns it.
    pub account: AccountId,
    /// Its id, as last seen: the language segment may change.
    pub case_id: CaseId,
    /// Its number; none until the first read.
    pub display_id: Option<DisplayId>,
    /// Its status, as last accepted; none until the first read.
    pub status: Option<CaseStatus>,
    /// Since when that status is accepted, by our clock.
    pub status_since: Timestamp,
    /// The open status that the case had before it was resolved: a late read may still show it.
    #[serde(default)]
    pub status_before_resolved: Option<CaseStatus>,
    /// When it was reopened last, by our clock: a late read may still show it resolved.
    #[serde(default)]
    pub reopened_at: Option<Timestamp>,
    /// The mark of our text that reopened it: a read that shows the text is no late one.
    #[serde(default)]
    pub reopened_by: Option<Mark>,
    /// When it was opened, by our clock.
    pub opened_at: Timestamp,
    /// What the last read showed, in short, see [`crate::support::case::Case::fingerprint`].
    #[serde(default)]
    pub fingerprint: String,
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
}

/// A CreateCase that seemed never applied: its case may show up all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUpCase {
    /// The account it was to be opened in.
    pub account: AccountId,
    /// The mark in its first communication.
    pub mark: Mark,
    /// The comments that its first communication contains, with the moments of their writing.
    pub covers: Vec<(JournalEntryId, Timestamp)>,
    /// What did not fit and has to follow.
    pub remainder: Option<String>,
    /// When its intent was written, by our clock.
    pub written_at: Timestamp,
    /// When to look for it next, by our clock.
    pub look_at: Timestamp,
}

/// For how long an incident waits behind others for its account's quota. A quota counts hours: a day without progress is no
/// quota any more, but a link ahead that nobody can read.
const WAITS_IN_LINE: SignedDuration = SignedDuration::from_hours(24);

/// Since when an incident waits for its account's quota of new cases, and how urgent it is.
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
    /// Whether the incident, which is for a case in this account, waits behind others.
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
    /// In how many parts.
    pub parts: u16,
}

/// In how small parts a text is tried that AWS refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// In parts of some thousand bytes.
    Small,
    /// In parts of some hundred bytes.
    Smallest,
    /// Not at all: what is left of it is replaced by a word that it is left out.
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

/// A second case that we opened for the incident: a CreateCase that appeared later than L allows for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubledCase {
    /// The account that owns it.
    pub account: AccountId,
    /// The case.
    pub case_id: CaseId,
    /// Whether it says which case goes on.
    pub told: bool,
    /// Whether it is resolved.
    pub resolved: bool,
}

/// A communication that ServiceNow refused, while it took the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedMessage {
    /// The communication.
    pub id: CommunicationId,
    /// Whether a word in its place is tried next: it was refused twice, and not within the same hour.
    pub is_left_out: bool,
    /// ServiceNow's reason.
    pub reason: String,
}

impl Memory {
    /// Takes in that a case which was opened twice is resolved.
    pub(super) fn double_resolved(&mut self, case_id: &CaseId) {
        for double in self.doubles.iter_mut().filter(|double| double.case_id == *case_id) {
            double.resolved = true;
        }
    }
}

impl Memory {
    /// Until when no case is opened, since so many were given up; none if another one may be. The oldest makes room when it can
    /// show up no more.
    pub(super) fn opens_no_case_until(&self) -> Option<Timestamp> {
        let is_full = self.given_up_cases.len() >= MAXIMUM_GIVEN_UP_CASES;
        let oldest = self.given_up_cases.iter().map(|given_up| given_up.written_at).min().filter(|_| is_full)?;
        Some(later(oldest, CREATION_UNDECIDED_FOR))
    }
}

/// What a link remembers of its case, and of what is written to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The case, once there is one.
    pub case: Option<LinkedCase>,
    /// Cases that we opened twice: each gets a note and is resolved.
    pub doubles: Vec<DoubledCase>,
    /// Cases that we gave up and that may show up late.
    pub given_up_cases: Vec<GivenUpCase>,
    /// The case's status that the incident's state was last brought in step with: a part of the base of the merge.
    pub agreed_status: Option<CaseStatus>,
    /// The hashes of what was written at AWS since work had ended on both sides, as far as it is on the incident.
    pub texts_since_end: Vec<String>,
    /// Whether a customer has written at AWS since work had ended on both sides, with words that have not reopened the link
    /// before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub customer_wrote: bool,
    /// The case's communications.
    pub conversation: Conversation,
    /// The text that is on the case in part.
    pub partly_sent: Option<PartlySent>,
    /// The text that AWS refused.
    pub refused_text: Option<RefusedText>,
    /// The communication that ServiceNow refused.
    pub refused_message: Option<RefusedMessage>,
    /// What of the opening text did not fit into the first communication and has to follow.
    pub opening_remainder: Option<String>,
    /// Since when it waits for the account's quota of new cases, and how urgent it is.
    pub waits_for_quota: Option<QuotaWait>,
    /// Since when the incident has named a case that casebridge does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_case_since: Option<Timestamp>,
    /// When to read all communications once more, since one may appear late among older ones.
    pub full_read_at: Option<Timestamp>,
}
