//! A link: what is remembered of one incident and its case between two passes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    case::CaseStatus,
    effect::{Content, Part, Refusal},
    identifiers::{AccountId, CaseId, CaseKey, CommunicationId, DisplayId, JournalEntryId},
    incident::{IncidentState, IncidentSummary},
    mark::Mark,
};

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
}

/// What an intent is about to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum IntentKind {
    /// Open the case.
    OpenCase {
        /// The account to open it in.
        account: AccountId,
        /// The comments that its first communication contains.
        covers: Vec<JournalEntryId>,
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
        /// The status that the case had before.
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

/// What keeps one side from being written to, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The refusal, or none for what passes by itself.
    pub refusal: Option<Refusal>,
    /// What happened, in the side's own words.
    pub message: String,
    /// Since when, by our clock.
    pub since: Timestamp,
    /// How often in a row.
    pub attempts: u32,
    /// When to try again, by our clock.
    pub until: Timestamp,
    /// The request that was refused, in short: another one is tried at once.
    #[serde(default)]
    pub request: String,
}

impl Trouble {
    /// Whether the side is to be left alone still.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.until > now
    }
}

/// A text of which some parts have been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartlySent {
    /// The text.
    pub content: Content,
    /// How many of its parts have been sent.
    pub parts: u16,
}

/// A wait for an account's quota of new cases: it has a place among those who wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaWait {
    /// The account whose quota is used up.
    pub account: AccountId,
    /// The incident's priority, `1` (critical) to `5` (planning).
    pub priority: String,
    /// Since when, by our clock.
    pub since: Timestamp,
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

/// Everything that is remembered of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    /// The case, once there is one.
    pub case: Option<LinkedCase>,
    /// Cases that we opened twice: each gets a note and is resolved.
    pub doubles: Vec<DoubledCase>,
    /// What both sides last agreed on.
    pub base: Base,
    /// The incident as last seen.
    pub incident: Option<IncidentSummary>,
    /// The comments that are on the case.
    pub sent: BTreeSet<JournalEntryId>,
    /// The text that is on the case in part.
    pub partly_sent: Option<PartlySent>,
    /// What of the opening text did not fit into the first communication and has to follow.
    pub opening_remainder: Option<String>,
    /// The communications that are on the incident.
    pub received: BTreeSet<CommunicationId>,
    /// Whether some that were seen are not on the incident yet: what came after them must not overtake them.
    pub undelivered: bool,
    /// The marks of all texts of ours, with the communication that each was recognised on.
    pub marks: BTreeMap<Mark, Option<CommunicationId>>,
    /// The call whose outcome is not recorded yet. Nothing follows it before.
    pub intent: Option<Intent>,
    /// How many intents the link has had.
    pub intents: u64,
    /// How the latest of them ended.
    pub ended_intent: Option<EndedIntent>,
    /// What keeps AWS from being written to.
    pub aws_trouble: Option<Trouble>,
    /// What keeps ServiceNow from being written to.
    pub servicenow_trouble: Option<Trouble>,
    /// When to read all communications once more, since one may appear late among older ones.
    pub full_read_at: Option<Timestamp>,
    /// When we wrote to either side lately, by our clock: what the loop breaker counts.
    pub recent_writes: Vec<Timestamp>,
    /// Whether the last pass left nothing to wait for: then the remembered incident stands in for a read.
    pub settled: bool,
    /// Since when it waits for the account's quota of new cases, and how urgent it is.
    #[serde(default)]
    pub waits_for_quota: Option<QuotaWait>,
}

impl Link {
    /// Whether nothing is worth remembering: an incident that was looked at and is none of ours.
    pub fn is_blank(&self) -> bool {
        self.case.is_none()
            && self.intent.is_none()
            && self.intents == 0
            && self.aws_trouble.is_none()
            && self.servicenow_trouble.is_none()
    }
}
