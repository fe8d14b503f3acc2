//! A link: what is remembered of one incident and its case between two passes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    case::CaseStatus,
    conversation::Conversation,
    effect::{Content, Part},
    identifiers::{AccountId, CaseId, CaseKey, CommunicationId, DisplayId, JournalEntryId},
    incident::{IncidentState, IncidentSummary},
    journal::Journal,
    mark::Mark,
    trouble::Troubles,
};

/// For how long a CreateCase that seemed never applied still counts as undecided: its case may show up this late.
pub const CREATION_UNDECIDED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How many notices an incident shows at most: what its column has room for.
const NOTICES: usize = 5;

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
    /// What the last read showed, in short, see [`crate::case::Case::fingerprint`].
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

/// What both sides last agreed on: the third side of the merge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Whether work had ended on both sides.
    pub ended: bool,
    /// The case's status that the incident's state was last brought in step with.
    pub case_status: Option<CaseStatus>,
    /// The state that casebridge wrote last: what it set, it may take back.
    pub state_written: Option<IncidentState>,
    /// The hashes of what was written at AWS since work had ended on both sides, as far as it is on the incident.
    #[serde(default)]
    pub texts_since_end: Vec<String>,
    /// Whether a customer has written at AWS since work had ended on both sides, with words that have not reopened the link
    /// before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub customer_wrote: bool,
}

/// A state that casebridge is about to write to the incident, or has written without learning how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateIntent {
    /// The state.
    pub state: IncidentState,
    /// The incident's update count that the write is bound to.
    pub expected_mod_count: u64,
    /// When it was written down, by our clock, before the call.
    pub written_at: Timestamp,
}

/// An update count below the remembered one: a lagging node's, or that of an incident that was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowerCount {
    /// When it was seen first, by our clock.
    pub since: Timestamp,
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

/// Something that people have to know and that casebridge can't mend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Notice {
    /// A comment was written after the incident was closed: it is not sent.
    CommentAfterClosing {
        /// The comment.
        entry: JournalEntryId,
    },
    /// A comment is by casebridge's user, and no delivery names it: it is not sent.
    CommentOfUnclearOrigin {
        /// The comment.
        entry: JournalEntryId,
    },
    /// ServiceNow refuses a communication: the incident says in its place that it is left out.
    MessageRefused {
        /// The communication.
        id: CommunicationId,
        /// ServiceNow's reason.
        reason: String,
    },
    /// AWS refuses a text, in whatever parts: the case says in its place that it is left out.
    TextRefused {
        /// The text.
        content: Content,
        /// AWS's reason.
        reason: String,
    },
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

/// A call that is about to be made, or was made with an outcome that nobody knows yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Counts the link's intents.
    pub sequence: u64,
    /// The mark that the call's text carries; none for a call without text.
    pub mark: Option<Mark>,
    /// When it was written, by our clock, before the call.
    pub written_at: Timestamp,
    /// What it is about to do.
    pub kind: IntentKind,
    /// What it was last seen to wait for: the words of the failure that left it in doubt.
    #[serde(default)]
    pub doubt: String,
    /// How often its outcome was looked for without being found.
    #[serde(default)]
    pub looked: u32,
}

/// How an intent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentEnd {
    /// The call answered that it was applied.
    Done,
    /// The call was refused.
    Refused,
    /// The call's effect was found by reading back.
    FoundDone,
    /// The call's effect was not there after the longest time that a write may take to appear.
    NeverApplied,
}

/// The link's latest intent that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedIntent {
    /// Its sequence number.
    pub sequence: u64,
    /// How it ended.
    pub end: IntentEnd,
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

/// Everything that is remembered of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// The case, once there is one.
    pub case: Option<LinkedCase>,
    /// Cases that we opened twice: each gets a note and is resolved.
    pub doubles: Vec<DoubledCase>,
    /// Cases that we gave up and that may show up late.
    pub given_up_cases: Vec<GivenUpCase>,
    /// What both sides last agreed on.
    pub base: Base,
    /// The state that is being written to the incident.
    pub state_intent: Option<StateIntent>,
    /// The incident as last seen.
    pub incident: Option<IncidentSummary>,
    /// Whether its update count was seen to fall.
    pub lower_count: Option<LowerCount>,
    /// The incident's comments.
    pub journal: Journal,
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
    /// The call whose outcome is not recorded yet. Nothing follows it before.
    pub intent: Option<Intent>,
    /// How many intents the link has had.
    pub intents: u64,
    /// How the latest of them ended.
    pub ended_intent: Option<EndedIntent>,
    /// What keeps either side from being written to.
    pub troubles: Troubles,
    /// Since when it waits for the account's quota of new cases, and how urgent it is.
    pub waits_for_quota: Option<QuotaWait>,
    /// What people have to know.
    pub notices: Vec<Notice>,
    /// When to read all communications once more, since one may appear late among older ones.
    pub full_read_at: Option<Timestamp>,
    /// When we wrote to either side lately, by our clock: what the loop breaker counts.
    pub recent_writes: Vec<Timestamp>,
    /// Whether the last pass left nothing to wait for: then the remembered incident stands in for a read.
    pub settled: bool,
    /// Whether a pass ended before it recorded what it had done: what it delivered is known to ServiceNow alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
}

impl Link {
    /// Whether nothing is worth remembering: an incident that was looked at and is none of ours.
    pub fn is_blank(&self) -> bool {
        self.case.is_none()
            && self.intent.is_none()
            && self.intents == 0
            && self.troubles.is_empty()
            && self.waits_for_quota.is_none()
            && self.lower_count.is_none()
    }

    /// Adds a notice, once; the oldest go when there are too many.
    pub fn notice(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
            let surplus = self.notices.len().saturating_sub(NOTICES);
            self.notices.drain(..surplus);
        }
    }
}
