//! The state of AWS Support: accounts, cases, communications.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::attachments::Attachment;
use super::catalogue::{Catalogue, SEVERITY_LEVELS};
use super::events::Origin;
use super::sts::Role;

/// The status of a case that nobody at AWS has taken yet.
pub const STATUS_UNASSIGNED: &str = "unassigned";
/// The status of a case on which AWS waits for the customer.
pub const STATUS_PENDING_CUSTOMER: &str = "pending-customer-action";
/// The status of a case after the customer did what AWS waited for.
pub const STATUS_CUSTOMER_COMPLETED: &str = "customer-action-completed";
/// The status of a case that was resolved and is open again.
pub const STATUS_REOPENED: &str = "reopened";
/// The status of a resolved case.
pub const STATUS_RESOLVED: &str = "resolved";

/// AWS in `submittedBy`.
pub const SUBMITTED_BY_AWS: &str = "Amazon Web Services";

/// The quotas of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// The most calls in one second. `None` if there is no limit.
    pub calls_per_second: Option<usize>,
    /// The most new cases in one hour. `None` if there is no limit.
    pub cases_per_hour: Option<usize>,
    /// The most new sets of attachments in one minute. `None` if there is no limit.
    pub attachment_sets_per_minute: Option<usize>,
    /// The most calls of DescribeAttachment in one minute. `None` if there is no limit.
    pub attachment_reads_per_minute: Option<usize>,
}

/// The new sets of attachments in one minute: AWS says "in a short period of time". A client that makes a set for each of
/// a handful of replies meets the limit.
pub const ATTACHMENT_SETS_PER_MINUTE: usize = 5;
/// The calls of DescribeAttachment in one minute: AWS says "in a short period of time". A client that reads the files of
/// two full communications meets the limit.
pub const ATTACHMENT_READS_PER_MINUTE: usize = 20;

impl Default for Quotas {
    /// Returns the documented quotas, which AWS raises for no account, and harsh ones where it documents no number.
    fn default() -> Self {
        Self {
            calls_per_second: Some(5),
            cases_per_hour: Some(10),
            attachment_sets_per_minute: Some(ATTACHMENT_SETS_PER_MINUTE),
            attachment_reads_per_minute: Some(ATTACHMENT_READS_PER_MINUTE),
        }
    }
}

impl Quotas {
    /// No limits at all.
    pub const UNLIMITED: Self = Self {
        calls_per_second: None,
        cases_per_hour: None,
        attachment_sets_per_minute: None,
        attachment_reads_per_minute: None,
    };
}

/// An AWS account with its access to AWS Support.
#[derive(Debug, Clone)]
pub struct Account {
    /// The twelve digits.
    pub id: String,
    /// The access keys that belong to it, by their ids.
    pub access_key_ids: Vec<String>,
    /// The role by which others may act in it.
    pub role: Option<Role>,
    /// The account's e-mail address.
    pub email: String,
    /// The principal of its API calls, as `submittedBy` shows it before the address.
    pub principal: String,
    /// Whether its support plan includes the API.
    pub has_plan: bool,
    /// The codes of the severities its plan offers.
    pub severities: Vec<String>,
}

impl Account {
    /// Returns an account with every severity and one access key.
    pub fn new(id: &str, access_key_id: &str, email: &str) -> Self {
        Self {
            id: id.to_owned(),
            access_key_ids: vec![access_key_id.to_owned()],
            role: None,
            email: email.to_owned(),
            principal: DEFAULT_PRINCIPAL.to_owned(),
            has_plan: true,
            severities: SEVERITY_LEVELS.iter().map(|level| level.code.to_owned()).collect(),
        }
    }

    /// Returns `submittedBy` of what this account's API calls write.
    pub fn submitted_by(&self) -> String {
        format!("{} <{}>", self.principal, self.email)
    }
}

/// The default principal of API calls.
pub const DEFAULT_PRINCIPAL: &str = "AdminRole (Role)";

/// An account and how much of its quotas it has used.
#[derive(Debug, Clone)]
pub(super) struct AccountState {
    pub account: Account,
    /// What cases of this account can be about. All accounts share one until it is changed for one of them.
    pub catalogue: Arc<Catalogue>,
    pub recent_calls: VecDeque<Timestamp>,
    pub recent_cases: VecDeque<Timestamp>,
    pub recent_sets: VecDeque<Timestamp>,
    pub recent_reads: VecDeque<Timestamp>,
}

impl AccountState {
    pub fn new(account: Account) -> Self {
        Self {
            account,
            catalogue: Catalogue::documented(),
            recent_calls: VecDeque::new(),
            recent_cases: VecDeque::new(),
            recent_sets: VecDeque::new(),
            recent_reads: VecDeque::new(),
        }
    }
}

/// Takes one from a quota over a sliding window. Returns `false` if it is used up.
pub(super) fn take_quota(
    recent: &mut VecDeque<Timestamp>,
    quota: Option<usize>,
    window: SignedDuration,
    now: Timestamp,
) -> bool {
    let Some(quota) = quota else { return true };
    while recent.front().is_some_and(|taken_at| now.duration_since(*taken_at) >= window) {
        recent.pop_front();
    }
    if recent.len() >= quota {
        return false;
    }
    recent.push_back(now);
    true
}

/// A support case.
#[derive(Debug, Clone)]
pub struct Case {
    /// The id in API calls.
    pub case_id: String,
    /// The id that people see.
    pub display_id: String,
    /// The account it belongs to.
    pub account: String,
    /// The subject.
    pub subject: String,
    /// The service's code.
    pub service_code: String,
    /// The category's code.
    pub category_code: String,
    /// The severity's code.
    pub severity_code: String,
    /// The issue's type.
    pub issue_type: String,
    /// The language.
    pub language: String,
    /// The e-mail address of the account.
    pub submitted_by: String,
    /// When it was created. No two records have the same moment.
    pub time_created: Timestamp,
    /// Who gets copies.
    pub cc_email_addresses: Vec<String>,
    /// The communications, oldest first.
    pub communications: Vec<Communication>,
    /// The severities that it had before, oldest first, each with the moment of its end.
    pub(super) earlier_severities: Vec<(String, Timestamp)>,
    /// Every status that it had, oldest first. Never empty.
    pub(super) statuses: Vec<StatusChange>,
    /// When the write took place, by the time that the caller passed.
    pub(super) landed_at: Timestamp,
}

/// A status and the moment since which the case has it.
#[derive(Debug, Clone)]
pub(super) struct StatusChange {
    pub status: String,
    pub landed_at: Timestamp,
}

impl Case {
    /// Returns the current status.
    pub fn status(&self) -> &str {
        self.statuses.last().map_or(STATUS_UNASSIGNED, |change| change.status.as_str())
    }

    /// Whether it is resolved.
    pub fn is_resolved(&self) -> bool {
        self.status() == STATUS_RESOLVED
    }

    /// Whether it has this status, or had it before.
    pub fn has_had(&self, status: &str) -> bool {
        self.statuses.iter().any(|change| change.status == status)
    }

    /// Returns when it was resolved. Returns `None` while it is open.
    pub fn resolved_at(&self) -> Option<Timestamp> {
        self.statuses.last().filter(|change| change.status == STATUS_RESOLVED).map(|change| change.landed_at)
    }

    /// Returns every severity that it had, oldest first.
    pub fn severities(&self) -> impl Iterator<Item = &str> {
        let earlier = self.earlier_severities.iter().map(|(severity, _)| severity.as_str());
        earlier.chain(std::iter::once(self.severity_code.as_str()))
    }

    /// Returns the severity at an earlier moment.
    pub(super) fn severity_at(&self, horizon: Timestamp) -> &str {
        let at_horizon = self.earlier_severities.iter().find(|(_, until)| *until > horizon);
        at_horizon.map_or(&self.severity_code, |(severity, _)| severity)
    }

    /// Returns the status at an earlier moment.
    pub(super) fn status_at(&self, horizon: Timestamp) -> &str {
        let change = self.statuses.iter().rev().find(|change| change.landed_at <= horizon);
        change.map_or(STATUS_UNASSIGNED, |change| change.status.as_str())
    }
}

/// One message of a case.
#[derive(Debug, Clone)]
pub struct Communication {
    /// The text, redacted.
    pub body: String,
    /// Who wrote it.
    pub submitted_by: String,
    /// When it was written. No two records have the same moment.
    pub time_created: Timestamp,
    /// On which side it was written.
    pub origin: Origin,
    /// Its files.
    pub attachments: Vec<Attachment>,
    /// The text before its redaction.
    pub(super) written: String,
    /// Whether it came through the API, not from a person.
    pub(super) through_api: bool,
    /// When the write took place, by the time that the caller passed.
    pub(super) landed_at: Timestamp,
}

/// A case as DescribeCases shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaseDetails {
    /// The id in API calls.
    pub case_id: String,
    /// The id that people see.
    pub display_id: String,
    /// The subject.
    pub subject: String,
    /// The status.
    pub status: String,
    /// The service's code.
    pub service_code: String,
    /// The category's code.
    pub category_code: String,
    /// The severity's code.
    pub severity_code: String,
    /// The e-mail address of the account.
    pub submitted_by: String,
    /// When it was created.
    #[serde(serialize_with = "milliseconds")]
    pub time_created: Timestamp,
    /// The newest communications. `None` if the call did not ask for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent_communications: Option<CommunicationsPage>,
    /// Who gets copies.
    pub cc_email_addresses: Vec<String>,
    /// The language.
    pub language: String,
}

/// A page of DescribeCases, newest case first.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CasesPage {
    /// The cases.
    pub cases: Vec<CaseDetails>,
    /// The token of the next page. `None` if this is the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A communication as the API shows it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommunicationDetails {
    /// The case's id.
    pub case_id: String,
    /// The text.
    pub body: String,
    /// Who wrote it.
    pub submitted_by: String,
    /// When it was written.
    #[serde(serialize_with = "milliseconds")]
    pub time_created: Timestamp,
    /// All its files.
    pub attachments: Vec<AttachmentDetails>,
    /// Its files of at most 5 MB.
    pub attachment_set: Vec<AttachmentDetails>,
}

/// A file of a communication.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentDetails {
    /// The file's id.
    pub attachment_id: String,
    /// The file's name.
    pub file_name: String,
}

/// A page of communications, newest first.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommunicationsPage {
    /// The communications.
    pub communications: Vec<CommunicationDetails>,
    /// The token of the next page. `None` if this is the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// ResolveCase's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolution {
    /// The status before.
    pub initial_case_status: String,
    /// The status now.
    pub final_case_status: String,
}

/// Returns a moment as AWS Support writes it, with milliseconds.
pub fn format_milliseconds(time: Timestamp) -> String {
    format!("{time:.3}")
}

fn milliseconds<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}
