//! The policy: what an organisation may decide, as one JSON document, validated as a whole.
//!
//! Every field has a default, so `{}` is a policy. The severity and status tables are those of the connectors that
//! casebridge succeeds, with the statuses that they lack.

use std::{collections::BTreeMap, fmt};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    servicenow::{delivery::MessageKind, incident::IncidentState},
    time::seconds,
    unreadable::UnreadableJson,
};

/// The statuses of a case on which work has ended: what they do to an incident is no choice. Source: AWS Support API, CaseDetails
/// `status`; `closed` is in no answer that is known.
pub const RESOLVED_CASE_STATUSES: [&str; 2] = ["resolved", "closed"];
/// How long a duration of the policy may be at most, in seconds: a week.
const LONGEST_SECONDS: u32 = 7 * 24 * 3600;
/// How many addresses CreateCase takes. Source: AWS Support API, CreateCase `ccEmailAddresses`.
const MOST_CC_EMAIL_ADDRESSES: usize = 10;
/// How long a subject prefix may be, in characters: the subject itself needs the room.
const LONGEST_SUBJECT_PREFIX: usize = 60;
/// The most writes per window that the loop breaker may be set to allow.
const MOST_WRITES_PER_WINDOW: u32 = 10_000;

/// What the incident's state becomes when the case gets a status, and which states are left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusRule {
    /// The state to set, a choice's value.
    pub state: IncidentState,
    /// States that are compatible with the status: an incident in one of them is left alone.
    #[serde(default)]
    pub compatible: Vec<IncidentState>,
}

/// What becomes of a link while the incident's group belongs to another account than that of the case.
///
/// To move the work into a case of the other account is no choice: the case of before would have to be resolved while its
/// account may still answer on it, and a link remembers one case. Who wants a case there opens a new incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupRule {
    /// It goes on: what the new group writes goes to the case of before.
    Keep,
    /// It pauses, see [`crate::link::pause`].
    Pause,
}

/// The policy document. Durations are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// L: how late a write to AWS may appear in a read. Only then may a call in doubt be repeated.
    pub unknown_outcome_seconds: u32,
    /// The wait after the first failure in a row; each further one doubles it.
    pub retry_first_seconds: u32,
    /// The longest wait between two tries.
    pub retry_longest_seconds: u32,
    /// The wait after a refusal that only a person can lift, and between two looks at a link that pauses: that an account is
    /// active again is no change of its incidents, so nothing tells it.
    pub refusal_retry_seconds: u32,
    /// The wait after `CaseCreationLimitExceeded`.
    pub case_quota_retry_seconds: u32,
    /// The window in which the loop breaker counts writes on a link.
    pub write_window_seconds: u32,
    /// How many writes on a link the loop breaker lets through in a window; further ones wait.
    pub writes_per_window: u32,
    /// How far the poller of ServiceNow looks back behind its watermark.
    pub poll_overlap_seconds: u32,
    /// What stands before the subject of a case in an account that is not production.
    pub test_subject_prefix: String,
    /// From the incident's priority to the case's severity code.
    pub severity_by_priority: BTreeMap<String, String>,
    /// The severity code for a priority that the table lacks.
    pub default_severity: String,
    /// `technical` or `customer-service`. Source: AWS Support API, CreateCase.
    pub issue_type: String,
    /// `incident.hold_reason` for a state of On Hold: 1 is Awaiting Caller.
    pub hold_reason: String,
    /// The language of the case. Source: AWS Support API, CreateCase.
    pub language: String,
    /// Addresses that AWS sends copies to.
    pub cc_email_addresses: Vec<String>,
    /// What becomes of a link while the incident's group belongs to another account, active or not: `pause` (the default) or
    /// `keep`. Where the group belongs to no account the link always goes on, and with an inactive account it never does.
    pub group_of_another_account: GroupRule,
    /// Whether AWS's replies appear as comments or as work notes.
    pub replies_become: MessageKind,
    /// From the case's status to the incident's state. A status that is not in the table changes nothing.
    pub state_by_case_status: BTreeMap<String, StatusRule>,
    /// The state of an incident that is reopened.
    pub reopened_state: IncidentState,
    /// Close codes in order of preference; the first one that the instance accepts is used.
    pub close_codes: Vec<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            unknown_outcome_seconds: 15 * 60,
            retry_first_seconds: 1,
            retry_longest_seconds: 15 * 60,
            refusal_retry_seconds: 3600,
            case_quota_retry_seconds: 10 * 60,
            write_window_seconds: 10 * 60,
            writes_per_window: 100,
            poll_overlap_seconds: 60,
            test_subject_prefix: "TEST CASE--Please ignore - ".to_owned(),
            severity_by_priority: [("1", "critical"), ("2", "urgent"), ("3", "high"), ("4", "normal"), ("5", "low")]
                .map(|(priority, severity)| (priority.to_owned(), severity.to_owned()))
                .into(),
            default_severity: "normal".to_owned(),
            issue_type: "technical".to_owned(),
            hold_reason: "1".to_owned(),
            language: "en".to_owned(),
            cc_email_addresses: Vec::new(),
            group_of_another_account: GroupRule::Pause,
            replies_become: MessageKind::Comment,
            state_by_case_status: default_state_by_case_status(),
            reopened_state: IncidentState::InProgress,
            close_codes: ["Solution provided", "Resolved by request", "Solved (Permanently)"].map(str::to_owned).into(),
        }
    }
}

/// The seeds' status table. An incident On Hold stays so while AWS waits; In Progress never goes back to New.
fn default_state_by_case_status() -> BTreeMap<String, StatusRule> {
    use IncidentState::{InProgress, New, OnHold};
    let waiting_for_somebody = || StatusRule { state: New, compatible: vec![New, InProgress, OnHold] };
    let at_work = || StatusRule { state: InProgress, compatible: vec![InProgress, OnHold] };
    BTreeMap::from([
        ("unassigned".to_owned(), waiting_for_somebody()),
        ("opened".to_owned(), waiting_for_somebody()),
        ("reopened".to_owned(), waiting_for_somebody()),
        ("pending-customer-action".to_owned(), waiting_for_somebody()),
        ("work-in-progress".to_owned(), at_work()),
        ("customer-action-completed".to_owned(), at_work()),
        ("pending-amazon-action".to_owned(), at_work()),
    ])
}

/// One thing that is wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The field, for example `severity_by_priority`.
    pub field: String,
    /// What is wrong with it and what it should be.
    pub problem: String,
}

/// All that is wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PolicyErrors(
    /// One for each field that is wrong.
    pub Vec<PolicyError>,
);

impl fmt::Display for PolicyErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the policy document is not valid; correct these fields:")?;
        for error in &self.0 {
            write!(formatter, " `{}`: {};", error.field, error.problem)?;
        }
        Ok(())
    }
}

/// Takes the fields out of a document one by one and collects what is wrong.
struct Reader {
    fields: Map<String, Value>,
    errors: Vec<PolicyError>,
}

impl Reader {
    fn read<T: DeserializeOwned>(&mut self, field: &str, target: &mut T) {
        let Some(value) = self.fields.remove(field) else { return };
        match serde_json::from_value(value) {
            Ok(value) => *target = value,
            Err(error) => self.reject(field, error.to_string()),
        }
    }

    fn reject(&mut self, field: &str, problem: impl Into<String>) {
        self.errors.push(PolicyError { field: field.to_owned(), problem: problem.into() });
    }

    fn require(&mut self, holds: bool, field: &str, problem: impl Into<String>) {
        if !holds {
            self.reject(field, problem);
        }
    }
}

impl Policy {
    /// Reads a policy document. All its errors come at once, each with its field.
    pub fn parse(document: &str) -> Result<Self, PolicyErrors> {
        let whole = |problem: String| PolicyErrors(vec![PolicyError { field: "document".to_owned(), problem }]);
        let value: Value =
            serde_json::from_str(document).map_err(|error| whole(UnreadableJson::from(error).to_string()))?;
        let Value::Object(fields) = value else {
            return Err(whole("is not a JSON object".to_owned()));
        };
        let mut reader = Reader { fields, errors: Vec::new() };
        let mut policy = Self::default();
        policy.read_fields(&mut reader);
        for field in std::mem::take(&mut reader.fields).keys() {
            reader.reject(field, "is not a field of the policy");
        }
        policy.check_numbers(&mut reader);
        policy.check_tables(&mut reader);
        if reader.errors.is_empty() { Ok(policy) } else { Err(PolicyErrors(reader.errors)) }
    }

    fn read_fields(&mut self, reader: &mut Reader) {
        reader.read("unknown_outcome_seconds", &mut self.unknown_outcome_seconds);
        reader.read("retry_first_seconds", &mut self.retry_first_seconds);
        reader.read("retry_longest_seconds", &mut self.retry_longest_seconds);
        reader.read("refusal_retry_seconds", &mut self.refusal_retry_seconds);
        reader.read("case_quota_retry_seconds", &mut self.case_quota_retry_seconds);
        reader.read("write_window_seconds", &mut self.write_window_seconds);
        reader.read("writes_per_window", &mut self.writes_per_window);
        reader.read("poll_overlap_seconds", &mut self.poll_overlap_seconds);
        reader.read("test_subject_prefix", &mut self.test_subject_prefix);
        reader.read("severity_by_priority", &mut self.severity_by_priority);
        reader.read("default_severity", &mut self.default_severity);
        reader.read("issue_type", &mut self.issue_type);
        reader.read("hold_reason", &mut self.hold_reason);
        reader.read("language", &mut self.language);
        reader.read("cc_email_addresses", &mut self.cc_email_addresses);
        reader.read("group_of_another_account", &mut self.group_of_another_account);
        reader.read("replies_become", &mut self.replies_become);
        reader.read("state_by_case_status", &mut self.state_by_case_status);
        reader.read("reopened_state", &mut self.reopened_state);
        reader.read("close_codes", &mut self.close_codes);
    }

    fn check_numbers(&self, reader: &mut Reader) {
        for (field, seconds) in [
            ("unknown_outcome_seconds", self.unknown_outcome_seconds),
            ("retry_first_seconds", self.retry_first_seconds),
            ("retry_longest_seconds", self.retry_longest_seconds),
            ("refusal_retry_seconds", self.refusal_retry_seconds),
            ("case_quota_retry_seconds", self.case_quota_retry_seconds),
            ("write_window_seconds", self.write_window_seconds),
        ] {
            let problem = format!("is {seconds}, must be from 1 to {LONGEST_SECONDS} seconds");
            reader.require((1..=LONGEST_SECONDS).contains(&seconds), field, problem);
        }
        let problem = format!("is {}, must be at most {LONGEST_SECONDS} seconds", self.poll_overlap_seconds);
        reader.require(self.poll_overlap_seconds <= LONGEST_SECONDS, "poll_overlap_seconds", problem);
        let ordered = self.retry_first_seconds <= self.retry_longest_seconds;
        reader.require(ordered, "retry_longest_seconds", "is shorter than `retry_first_seconds`");
        let bounded = (1..=MOST_WRITES_PER_WINDOW).contains(&self.writes_per_window);
        reader.require(bounded, "writes_per_window", format!("must be from 1 to {MOST_WRITES_PER_WINDOW}"));
    }

    fn check_tables(&self, reader: &mut Reader) {
        let issue_types = ["technical", "customer-service"];
        let known = issue_types.contains(&self.issue_type.as_str());
        reader.require(known, "issue_type", "must be `technical` or `customer-service`");
        reader.require(!self.language.is_empty(), "language", "must not be empty, for example `en`");
        reader.require(!self.default_severity.is_empty(), "default_severity", "must not be empty");
        reader.require(!self.close_codes.is_empty(), "close_codes", "must name at least one close code");
        reader.require(
            self.test_subject_prefix.chars().count() <= LONGEST_SUBJECT_PREFIX,
            "test_subject_prefix",
            format!("must have at most {LONGEST_SUBJECT_PREFIX} characters"),
        );
        reader.require(
            self.cc_email_addresses.len() <= MOST_CC_EMAIL_ADDRESSES,
            "cc_email_addresses",
            format!("must have at most {MOST_CC_EMAIL_ADDRESSES} addresses"),
        );
        for (priority, severity) in &self.severity_by_priority {
            let field = format!("severity_by_priority.{priority}");
            reader.require(!severity.is_empty(), &field, "must name a severity code, for example `normal`");
        }
        for (status, rule) in &self.state_by_case_status {
            let field = format!("state_by_case_status.{status}");
            let open = !rule.state.is_ended() && !rule.state.value().is_empty();
            reader.require(open, &field, "must set an open state: resolution has rules of its own");
            let resolved = RESOLVED_CASE_STATUSES.contains(&status.as_str());
            reader.require(!resolved, &field, "is a resolved status: resolution has rules of its own");
        }
        let open = !self.reopened_state.is_ended() && !self.reopened_state.value().is_empty();
        reader.require(open, "reopened_state", "must be an open state");
    }

    /// L as a duration.
    pub fn unknown_outcome(&self) -> SignedDuration {
        seconds(self.unknown_outcome_seconds)
    }

    /// The severity code of an incident's priority.
    pub fn severity(&self, priority: &str) -> &str {
        self.severity_by_priority.get(priority).unwrap_or(&self.default_severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_document_is_the_default_policy() {
        let policy = Policy::parse("{}").unwrap();
        assert_eq!(policy, Policy::default());
        assert_eq!(policy.severity("1"), "critical");
        assert_eq!(policy.severity("no such priority"), "normal");
        assert!(policy.state_by_case_status.contains_key("pending-amazon-action"));
    }

    #[test]
    fn what_a_policy_writes_it_reads() {
        let document = serde_json::to_string(&Policy::default()).unwrap();
        assert_eq!(Policy::parse(&document).unwrap(), Policy::default());
    }

    #[test]
    fn all_errors_come_at_once_and_name_their_fields() {
        let document = r#"{"unknown_outcome_seconds": 0, "issue_type": "else", "close_codes": [], "typo": 1,
            "writes_per_window": "many", "state_by_case_status": {"opened": {"state": "6"}, "resolved": {"state": "2"}}}"#;
        let PolicyErrors(errors) = Policy::parse(document).unwrap_err();
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        for field in [
            "unknown_outcome_seconds",
            "issue_type",
            "close_codes",
            "typo",
            "writes_per_window",
            "state_by_case_status.opened",
            "state_by_case_status.resolved",
        ] {
            assert!(fields.contains(&field), "{field} is not among {fields:?}");
        }
    }

    #[test]
    fn a_document_that_is_no_object_is_refused() {
        assert!(Policy::parse("[]").is_err());
        assert!(Policy::parse("not JSON").unwrap_err().to_string().contains("document"));
    }

    fn refused_fields(document: &str) -> Vec<String> {
        let errors = Policy::parse(document).err().map_or_else(Vec::new, |PolicyErrors(errors)| errors);
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_duration_is_a_week_at_most() {
        let fields = [
            "unknown_outcome_seconds",
            "retry_longest_seconds",
            "refusal_retry_seconds",
            "case_quota_retry_seconds",
            "write_window_seconds",
            "poll_overlap_seconds",
        ];
        for field in fields {
            assert_eq!(refused_fields(&format!(r#"{{"{field}": 604800}}"#)), [""; 0], "{field}");
            assert_eq!(refused_fields(&format!(r#"{{"{field}": 604801}}"#)), [field]);
        }
        let first = |seconds: u32| format!(r#"{{"retry_first_seconds": {seconds}, "retry_longest_seconds": 604800}}"#);
        assert_eq!(refused_fields(&first(604_800)), [""; 0]);
        assert_eq!(refused_fields(&first(604_801)), ["retry_first_seconds", "retry_longest_seconds"]);
    }

    #[test]
    fn a_link_in_a_group_of_another_account_pauses_or_is_kept() {
        let rule = |value: &str| Policy::parse(&format!(r#"{{"group_of_another_account": "{value}"}}"#));
        assert_eq!(Policy::default().group_of_another_account, GroupRule::Pause);
        assert_eq!(rule("pause").unwrap().group_of_another_account, GroupRule::Pause);
        assert_eq!(rule("keep").unwrap().group_of_another_account, GroupRule::Keep);
        let PolicyErrors(errors) = rule("move").unwrap_err();
        assert!(errors[0].problem.contains("expected `keep` or `pause`"), "{errors:?}");
    }

    #[test]
    fn states_that_are_set_are_open() {
        let reopened = |state: &str| format!(r#"{{"reopened_state": "{state}"}}"#);
        let opened = |state: &str| format!(r#"{{"state_by_case_status": {{"opened": {{"state": "{state}"}}}}}}"#);
        for state in ["6", "7", "8", ""] {
            assert_eq!(refused_fields(&reopened(state)), ["reopened_state"], "{state}");
            assert_eq!(refused_fields(&opened(state)), ["state_by_case_status.opened"], "{state}");
        }
        for state in ["1", "2", "3", "42"] {
            assert_eq!(refused_fields(&reopened(state)), [""; 0], "{state}");
            assert_eq!(refused_fields(&opened(state)), [""; 0], "{state}");
        }
    }
}
