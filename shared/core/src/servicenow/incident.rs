//! The ServiceNow side: an incident as the app's `snapshot` shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::{AccountId, ExternalId, FileId, IncidentId, JournalEntryId},
    servicenow::columns::BridgeColumns,
    time,
};

/// `incident.state`. The set is open: instances add states of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum IncidentState {
    /// 1
    New,
    /// 2
    InProgress,
    /// 3
    OnHold,
    /// 6
    Resolved,
    /// 7
    Closed,
    /// 8
    Cancelled,
    /// A state of the instance's own. It counts as open.
    Other(String),
}

impl From<String> for IncidentState {
    fn from(value: String) -> Self {
        match value.as_str() {
            "1" => Self::New,
            "2" => Self::InProgress,
            "3" => Self::OnHold,
            "6" => Self::Resolved,
            "7" => Self::Closed,
            "8" => Self::Cancelled,
            _ => Self::Other(value),
        }
    }
}

impl From<IncidentState> for String {
    fn from(state: IncidentState) -> Self {
        state.value().to_owned()
    }
}

impl IncidentState {
    /// Returns the value of the choice in ServiceNow.
    pub fn value(&self) -> &str {
        match self {
            Self::New => "1",
            Self::InProgress => "2",
            Self::OnHold => "3",
            Self::Resolved => "6",
            Self::Closed => "7",
            Self::Cancelled => "8",
            Self::Other(value) => value,
        }
    }

    /// Whether work on the incident has ended: resolved, closed or cancelled.
    pub fn is_ended(&self) -> bool {
        matches!(self, Self::Resolved | Self::Closed | Self::Cancelled)
    }

    /// Whether the incident is closed or cancelled, so that it can no longer be reopened.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed | Self::Cancelled)
    }

    /// Whether the incident can be reopened. ServiceNow reopens a resolved incident, but no closed or cancelled one.
    pub fn can_reopen(&self) -> bool {
        matches!(self, Self::Resolved)
    }
}

/// What a record says of how a case is opened, as people typed it. Each is empty if they left it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseOptions {
    /// The e-mail addresses that get copies, with commas, semicolons or line ends between them.
    pub additional_contacts: String,
    /// The code of the language, for example `en`.
    pub language: String,
    /// The issue type: `technical` or `customer-service`.
    pub issue_type: String,
}

/// The AWS account that an incident's assignment group belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentAccount {
    /// The account number.
    pub number: AccountId,
    /// Its name in ServiceNow.
    pub name: String,
    /// Whether it is a production account. In other accounts the subjects of cases say that they are tests.
    pub production: bool,
    /// The codes of the severities that its support plan has. Empty if ServiceNow does not know them, or if an older
    /// app sends none.
    #[serde(default)]
    pub severities: Vec<String>,
    /// What counts for cases whose incident does not say otherwise. Empty if an older app sends none.
    #[serde(default)]
    pub options: CaseOptions,
}

/// The state of an account in ServiceNow. The set is open, and an older app sends none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum AccountState {
    /// `active`
    Active,
    /// `inactive`
    Inactive,
    /// `missing`: no record has its number.
    Missing,
    /// Empty if no account is named, or a word that casebridge does not know.
    Unknown(String),
}

impl Default for AccountState {
    fn default() -> Self {
        Self::Unknown(String::new())
    }
}

impl From<String> for AccountState {
    fn from(value: String) -> Self {
        match value.as_str() {
            "active" => Self::Active,
            "inactive" => Self::Inactive,
            "missing" => Self::Missing,
            _ => Self::Unknown(value),
        }
    }
}

impl From<AccountState> for String {
    fn from(state: AccountState) -> Self {
        match state {
            AccountState::Active => "active".to_owned(),
            AccountState::Inactive => "inactive".to_owned(),
            AccountState::Missing => "missing".to_owned(),
            AccountState::Unknown(value) => value,
        }
    }
}

/// One text of the incident's journal that the app shows: a comment, or a work note that its author has marked to be
/// shared. The app leaves out what stays in ServiceNow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// `sys_journal_field.sys_id`.
    pub sys_id: JournalEntryId,
    /// When it was written, by ServiceNow's clock, to the second.
    #[serde(with = "time::servicenow_form")]
    pub created_on: Timestamp,
    /// The user name of its author.
    pub created_by: String,
    /// The display name of its author.
    pub author: String,
    /// The text as it was written, without a prefix that shares it.
    pub text: String,
    /// Whether casebridge itself delivered it, for any link: a finished delivery names it.
    #[serde(default)]
    pub ours: bool,
    /// Whether its origin is unclear: its author is a user that makes deliveries, and no finished delivery names it, or
    /// not yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undecided: bool,
    /// The incident's `sys_mod_count` after the update that wrote it. `None` if the audit trail does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mod_count: Option<u64>,
    /// The journal field that it belongs to. The default is `comments`. The app names no field for what it shares, so a
    /// work note that is named as one is private.
    #[serde(default = "comments", skip_serializing_if = "is_comments")]
    pub element: String,
}

impl JournalEntry {
    /// Whether it is for AWS: a text of a person. What is named as a work note is not for AWS.
    pub fn is_for_aws(&self) -> bool {
        !self.ours && !self.undecided && is_comments(&self.element)
    }
}

/// Returns the name of the journal field that the customer sees.
/// A file on an incident: a row of `sys_attachment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFile {
    /// `sys_attachment.sys_id`.
    pub sys_id: FileId,
    /// When it was attached, by ServiceNow's clock, to the second.
    #[serde(with = "time::servicenow_form")]
    pub created_on: Timestamp,
    /// The user name of the person who attached it.
    pub created_by: String,
    /// The display name of that person.
    pub author: String,
    /// Its name.
    pub file_name: String,
    /// Its MIME type, as the platform has it.
    #[serde(default)]
    pub content_type: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// Whether it may be read.
    #[serde(default)]
    pub state: FileState,
    /// Whether casebridge itself wrote it, for any link: a finished delivery names it.
    #[serde(default)]
    pub ours: bool,
    /// Whether its origin is unclear: it is by a user that makes deliveries, and no finished delivery names it, or not yet.
    #[serde(default)]
    pub undecided: bool,
}

impl IncidentFile {
    /// Whether it is for AWS: a person attached it.
    pub fn is_for_aws(&self) -> bool {
        !self.ours && !self.undecided
    }
}

/// Whether a file may be read, by the instance's check for viruses. Source: ServiceNow, `sys_attachment.state`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum FileState {
    /// `available`, any word that casebridge does not know, or empty where the instance makes no check.
    #[default]
    Available,
    /// `pending`: the check is not over.
    Pending,
    /// `not_available`: the instance withholds it.
    NotAvailable,
}

impl From<String> for FileState {
    fn from(value: String) -> Self {
        match value.as_str() {
            "pending" => Self::Pending,
            "not_available" => Self::NotAvailable,
            _ => Self::Available,
        }
    }
}

impl From<FileState> for String {
    fn from(state: FileState) -> Self {
        match state {
            FileState::Available => "available".to_owned(),
            FileState::Pending => "pending".to_owned(),
            FileState::NotAvailable => "not_available".to_owned(),
        }
    }
}

fn comments() -> String {
    "comments".to_owned()
}

fn is_comments(element: &str) -> bool {
    element == "comments"
}

/// A place in the incident's journal: behind a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalPoint {
    /// When the text was written, by ServiceNow's clock, to the second.
    #[serde(with = "time::servicenow_form")]
    pub since: Timestamp,
    /// The text.
    pub after: JournalEntryId,
}

/// What a link remembers of an incident between two reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentSummary {
    /// The incident.
    pub sys_id: IncidentId,
    /// The number that people see, for example `INC0010001`.
    pub number: String,
    /// Counts the incident's updates.
    pub sys_mod_count: u64,
    /// The state.
    pub state: IncidentState,
    /// `incident.hold_reason`, a choice's value: 1 is Awaiting Caller.
    #[serde(default)]
    pub hold_reason: String,
    /// When it was resolved, closed or cancelled, by ServiceNow's clock. `None` while it is open.
    #[serde(default, with = "time::optional_servicenow_form")]
    pub resolved_at: Option<Timestamp>,
    /// The `sys_mod_count` after the update that last ended work on it. `None` if the audit trail does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_mod_count: Option<u64>,
    /// Whether the audit trail shows that the user who last ended work on it was not the integration user.
    #[serde(default)]
    pub ended_by_another: bool,
    /// When it was closed, by ServiceNow's clock. `None` while it is not closed.
    #[serde(default, with = "time::optional_servicenow_form")]
    pub closed_at: Option<Timestamp>,
    /// The `sys_mod_count` after the update that closed it. `None` if the audit trail does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_mod_count: Option<u64>,
    /// Whether `incident.close_code` is filled.
    #[serde(default)]
    pub has_close_code: bool,
    /// Whether `incident.close_notes` is filled.
    #[serde(default)]
    pub has_close_notes: bool,
    /// The app's columns as the incident shows them.
    #[serde(default)]
    pub columns: BridgeColumns,
    /// The values of `incident.close_code` that the instance accepts.
    #[serde(default)]
    pub close_codes: Vec<String>,
    /// The accounts that its assignment group belongs to, also inactive ones. The active one comes first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_accounts: Vec<AccountId>,
    /// The state of the account that the column `account` names, whatever the group.
    #[serde(default)]
    pub linked_account_state: AccountState,
}

/// An incident as the app's `snapshot` resource and the answer of `deliver` show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// The part that a link remembers.
    #[serde(flatten)]
    pub summary: IncidentSummary,
    /// When the snapshot was taken, by ServiceNow's clock.
    #[serde(with = "time::servicenow_form")]
    pub taken_at: Timestamp,
    /// When the incident was last updated, by ServiceNow's clock, as its record shows. `None` if the app does not send
    /// it.
    #[serde(default, with = "time::optional_servicenow_form")]
    pub updated_on: Option<Timestamp>,
    /// The account of its assignment group, if that account is active.
    pub account: Option<IncidentAccount>,
    /// The AWS Support service code that the agent chose, or empty.
    pub service_code: String,
    /// The AWS Support category code that the agent chose, or empty.
    pub category_code: String,
    /// What the agent chose besides. Empty if an older app sends none.
    #[serde(default)]
    pub options: CaseOptions,
    /// The e-mail address of the caller. Empty unless the account asks for copies to callers.
    #[serde(default)]
    pub caller_email: String,
    /// The short description.
    pub short_description: String,
    /// The description.
    pub description: String,
    /// The priority, `1` (critical) to `5` (planning); computed by ServiceNow.
    pub priority: String,
    /// The moment from which on comments were asked for, by ServiceNow's clock. `None` for all comments.
    #[serde(default, with = "time::optional_servicenow_form")]
    pub entries_since: Option<Timestamp>,
    /// The texts of its journal that the app shares, from that moment on, oldest first.
    pub entries: Vec<JournalEntry>,
    /// Whether `entries` reaches the newest text. If there are too many for one answer, the newest are left out.
    pub entries_complete: bool,
    /// How far the app has read, if it did not reach the newest text: behind the last text that it read, which may be one
    /// that it does not show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries_next: Option<JournalPoint>,
    /// The deliveries to the incident that were begun from `entries_since` on, finished or not, the newest first. Empty
    /// in the answer of `deliver`.
    #[serde(default)]
    pub deliveries: Vec<ExternalId>,
    /// Its files, the oldest first. Empty if an older app shows none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<IncidentFile>,
    /// Whether `attachments` has all files. If there are too many, the newest are left out.
    #[serde(default = "all", skip_serializing_if = "Clone::clone")]
    pub attachments_complete: bool,
}

fn all() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_keep_values_that_the_platform_does_not_know() {
        let state = IncidentState::from("42".to_owned());
        assert_eq!(state.value(), "42");
        assert!(!state.is_ended());
        for value in ["1", "2", "3", "6", "7", "8"] {
            assert_eq!(IncidentState::from(value.to_owned()).value(), value);
        }
    }

    #[test]
    fn of_the_ended_incidents_only_a_resolved_one_may_go_back_to_work() {
        for (value, ended, can_reopen) in [
            ("1", false, false),
            ("2", false, false),
            ("3", false, false),
            ("6", true, true),
            ("7", true, false),
            ("8", true, false),
        ] {
            let state = IncidentState::from(value.to_owned());
            assert_eq!((state.is_ended(), state.can_reopen()), (ended, can_reopen), "{state:?}");
            assert_eq!(state.is_closed(), ended && !can_reopen, "{state:?}");
        }
    }

    #[test]
    fn the_state_of_an_account_keeps_words_that_are_not_known() {
        for (word, state) in [
            ("active", AccountState::Active),
            ("inactive", AccountState::Inactive),
            ("missing", AccountState::Missing),
            ("", AccountState::default()),
            ("retired", AccountState::Unknown("retired".to_owned())),
        ] {
            assert_eq!(AccountState::from(word.to_owned()), state);
            assert_eq!(String::from(state), word);
        }
    }

    fn entry(more: &str) -> JournalEntry {
        let document = format!(
            r#"{{"sys_id": "a", "created_on": "2026-11-20 21:14:05", "created_by": "abel.tuter",
                "author": "Abel Tuter", "text": "It works again."{more}}}"#
        );
        serde_json::from_str(&document).unwrap()
    }

    #[test]
    fn comments_of_people_are_for_aws_and_nothing_else_is() {
        assert!(entry("").is_for_aws());
        assert!(entry(r#", "element": "comments""#).is_for_aws());
        assert!(!entry(r#", "element": "work_notes""#).is_for_aws());
        assert!(!entry(r#", "ours": true"#).is_for_aws());
    }

    #[test]
    fn a_file_may_be_read_unless_the_instance_says_otherwise() {
        for (word, state) in [
            ("available", FileState::Available),
            ("pending", FileState::Pending),
            ("not_available", FileState::NotAvailable),
        ] {
            assert_eq!(FileState::from(word.to_owned()), state);
            assert_eq!(String::from(state), word);
        }
        for word in ["", "released"] {
            assert_eq!(FileState::from(word.to_owned()), FileState::Available, "{word:?}");
        }
    }
}
