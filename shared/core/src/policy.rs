//! The policy: what an organisation may decide, as one JSON document, validated as a whole.
//!
//! Every field has a default, so `{}` is a policy. The severity and status tables are those of the connectors that
//! casebridge replaces, with the statuses that they lack. `docs/policy.md` lists the fields; `make policy-table` writes
//! it.

mod range;

use std::{collections::BTreeMap, fmt};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use self::range::Range;
use crate::{
    poll::CasePace,
    servicenow::{delivery::MessageKind, incident::IncidentState},
    time::seconds,
    unreadable::UnreadableJson,
};

/// The statuses of a case that has ended. The policy can't choose their effect on an incident. Source: AWS Support API,
/// CaseDetails `status`. No known answer has `closed`.
pub const RESOLVED_CASE_STATUSES: [&str; 2] = ["resolved", "closed"];
/// The severity codes of AWS Support, the lowest first. Source: AWS Support API, `SeverityLevel`.
pub const SEVERITIES: [&str; 5] = ["low", "normal", "high", "urgent", "critical"];
/// The codes of the languages in which AWS Support answers. Source: AWS Support API, CreateCase `language`.
pub const LANGUAGES: [&str; 8] = ["en", "zh", "fr", "ja", "ko", "pt", "es", "tr"];
/// The types of cases. Source: AWS Support API, CreateCase `issueType`.
pub const ISSUE_TYPES: [&str; 2] = ["technical", "customer-service"];
/// The longest duration of the policy, in seconds: a week. During a longer wait a link would seem abandoned.
const MAXIMUM_SECONDS: u32 = 7 * 24 * 3600;
/// The longest L, in seconds: six hours. casebridge looks for a case that was given up at twice L, and a CreateCase
/// counts as undecided for a day.
const MAXIMUM_DOUBT_SECONDS: u32 = 6 * 3600;
/// The longest time between two reads of a quiet case: an hour. If no event tells a change, people on the other side see it
/// that late.
const MAXIMUM_QUIET_CASE_POLL_SECONDS: u32 = 3600;
/// The most addresses that CreateCase takes. Source: AWS Support API, CreateCase `ccEmailAddresses`.
pub const MAXIMUM_CC_EMAIL_ADDRESSES: usize = 10;
/// The longest prefix of a subject, in characters. It leaves room in the 250 of a subject for the incident's number
/// and the 160 characters of its short description.
const MAXIMUM_SUBJECT_PREFIX: usize = 60;
/// The most words of a filter. An organisation with more accounts opens incidents for all and sorts them in ServiceNow;
/// the document has at most 8 KB.
const MAXIMUM_FILTER_WORDS: usize = 200;
/// The largest file that AWS takes, in bytes: 150 MB. Source: AWS Support API, GetAttachmentUploadLinks `fileSizeBytes`.
const MAXIMUM_FILE_BYTES: u32 = 157_286_400;
/// How many times a wait doubles at most, so that the shift does not overflow.
const MAXIMUM_DOUBLINGS: u32 = 16;
/// The most writes per window that the policy may allow. The link remembers the time of each in about 30 bytes, and its
/// row in the ledger has at most 350 KiB.
const MAXIMUM_WRITES_PER_WINDOW: u32 = 10_000;

/// Which state the incident gets when the case gets a status, and which states it keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusRule {
    /// The state to set, a choice's value.
    pub state: IncidentState,
    /// States that are compatible with the status. An incident in one of them keeps its state.
    #[serde(default)]
    pub compatible: Vec<IncidentState>,
}

/// What happens to a link while the incident's group belongs to another account than the case.
///
/// The policy can't move the work into a case of the other account: casebridge would have to resolve the first case
/// while AWS may still answer on it, and a link remembers one case. People who want a case in the other account open a
/// new incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupRule {
    /// The link goes on: what the new group writes goes to the case of the first account.
    Keep,
    /// The link pauses, see [`crate::link::pause`].
    Pause,
}

/// What becomes of a case that somebody opens at AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenedCaseRule {
    /// casebridge opens an incident for it.
    OpenIncident,
    /// It stays at AWS alone.
    Ignore,
}

/// What follows when a person goes on with an incident whose case AWS no longer reopens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OldCaseRule {
    /// casebridge opens another case for the incident.
    OpenCase,
    /// The incident's columns tell it.
    Note,
}

/// What follows when AWS or a customer there reopens the case of a closed incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedIncidentRule {
    /// casebridge opens another incident for the case.
    OpenIncident,
    /// The closed incident's columns tell it.
    Note,
}

/// What becomes of a severity that somebody changes at AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeverityRule {
    /// A work note tells it.
    Note,
    /// A work note tells it, and the incident gets the impact and the urgency of the table.
    SetImpactAndUrgency,
    /// Nothing happens.
    Ignore,
}

/// The impact and the urgency of an incident, from which ServiceNow computes its priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImpactAndUrgency {
    /// `incident.impact`, a choice's value: 1 is high.
    pub impact: String,
    /// `incident.urgency`, a choice's value: 1 is high.
    pub urgency: String,
}

impl ImpactAndUrgency {
    fn new(impact: &str, urgency: &str) -> Self {
        Self { impact: impact.to_owned(), urgency: urgency.to_owned() }
    }
}

/// In which directions files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentRule {
    /// Both ways.
    Both,
    /// From the incident to the case.
    ToAws,
    /// From the case to the incident.
    ToServicenow,
    /// Not at all.
    None,
}

impl AttachmentRule {
    /// Whether files of the incident go to the case.
    pub fn reaches_aws(self) -> bool {
        matches!(self, Self::Both | Self::ToAws)
    }

    /// Whether files of the case go to the incident.
    pub fn reaches_servicenow(self) -> bool {
        matches!(self, Self::Both | Self::ToServicenow)
    }
}

/// Declares the fields of the policy. Each line is the only place with a field's purpose, type, default and range. The
/// struct, its default, the checks of a document and `docs/policy.md` are made from it.
macro_rules! policy {
    ($($(#[doc = $purpose:literal])+ $field:ident: $kind:ty = $default:expr, $range:expr;)+) => {
        /// The policy document. Durations are in seconds.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        pub struct Policy {
            $($(#[doc = $purpose])+ pub $field: $kind,)+
        }

        impl Default for Policy {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl Policy {
            /// Returns the fields in the order of their declaration, as `docs/policy.md` shows them.
            pub fn fields() -> Vec<Field> {
                let default = Self::default();
                let mut fields = Vec::new();
                $(
                    let range: Range<$kind> = $range;
                    fields.push(Field {
                        name: stringify!($field),
                        purpose: concat!($($purpose),+).trim(),
                        default: json!(default.$field),
                        range: range.words().to_owned(),
                        unit: range.unit(),
                    });
                )+
                fields
            }

            fn read_fields(&mut self, reader: &mut Reader) {
                $(reader.read(stringify!($field), &mut self.$field, &$range);)+
            }
        }
    };
}

policy! {
    /// L: how late a write to AWS may appear in a read. A call in doubt may be repeated only after that.
    unknown_outcome_seconds: u32 = 15 * 60, doubt();
    /// The wait after the first failure in a row. Each further failure doubles it.
    retry_first_seconds: u32 = 1, duration();
    /// The longest wait between two tries.
    retry_longest_seconds: u32 = 15 * 60, duration().with(RETRIES_IN_ORDER);
    /// The wait after a refusal that only a person can lift, and between two looks at a link that pauses. No trigger
    /// tells that an account is active again, since that changes none of its incidents.
    refusal_retry_seconds: u32 = 3600, duration();
    /// The wait after `CaseCreationLimitExceeded`.
    case_quota_retry_seconds: u32 = 10 * 60, duration();
    /// The window in which the loop breaker counts the writes on a link.
    write_window_seconds: u32 = 10 * 60, duration();
    /// How many writes on a link the loop breaker lets through in a window. Further writes wait.
    writes_per_window: u32 = 100, Range::numbers(1, MAXIMUM_WRITES_PER_WINDOW, "writes");
    /// How far the poller of ServiceNow looks back behind its watermark.
    poll_overlap_seconds: u32 = 60, Range::numbers(0, MAXIMUM_SECONDS, "seconds");
    /// How long a case is warm after something changed on it. Every poll reads a warm case.
    warm_case_seconds: u32 = 60 * 60, Range::numbers(0, MAXIMUM_SECONDS, "seconds");
    /// How often the poller reads a case that is not warm. It is how late a change on such a case is seen if no event
    /// tells it.
    quiet_case_poll_seconds: u32 = 5 * 60, Range::numbers(1, MAXIMUM_QUIET_CASE_POLL_SECONDS, "seconds");
    /// The beginning of a case's subject in an account that is not production.
    test_subject_prefix: String = "TEST CASE--Please ignore - ".to_owned(), Range::short_text(MAXIMUM_SUBJECT_PREFIX);
    /// From the incident's priority to the case's severity code.
    severity_by_priority: BTreeMap<String, String> = default_severity_by_priority(),
        Range::table("a severity code for each priority", |_, severity: &String| !severity.is_empty());
    /// The severity code for a priority that the table lacks.
    default_severity: String = "normal".to_owned(), Range::text();
    /// The highest severity code of a case in an account, by the account's number of 12 digits.
    severity_cap_by_account: BTreeMap<String, String> = BTreeMap::new(),
        Range::table("one of AWS Support's severity codes for each account", |_, severity: &String| {
            SEVERITIES.contains(&severity.as_str())
        });
    /// What happens when somebody changes a case's severity at AWS: a work note tells it (`note`), the incident also gets
    /// the impact and the urgency of `impact_and_urgency_by_severity` (`set_impact_and_urgency`), or nothing (`ignore`).
    severity_changes_at_aws: SeverityRule = SeverityRule::Note,
        Range::one_of([SeverityRule::Note, SeverityRule::SetImpactAndUrgency, SeverityRule::Ignore]);
    /// The issue type of a case, unless its incident or its account names one. Source: AWS Support API, CreateCase.
    issue_type: String = "technical".to_owned(), Range::words_of(&ISSUE_TYPES);
    /// The value of `incident.hold_reason` with a state of On Hold. `1` is Awaiting Caller.
    hold_reason: String = "1".to_owned(), Range::any_text();
    /// The language of a case, unless its incident or its account names one. Source: AWS Support API, CreateCase.
    language: String = "en".to_owned(), Range::text();
    /// Addresses to which AWS sends copies of a case, unless its incident or its account names some.
    cc_email_addresses: Vec<String> = Vec::new(), Range::at_most(MAXIMUM_CC_EMAIL_ADDRESSES, "addresses");
    /// What happens to a link while the incident's group belongs to another account, active or not: `pause` it, or
    /// `keep` it going. A link always goes on while the group belongs to no account, and always pauses while its
    /// account is inactive.
    group_of_another_account: GroupRule = GroupRule::Pause, Range::one_of([GroupRule::Pause, GroupRule::Keep]);
    /// Whether AWS's replies appear as comments or as work notes.
    replies_become: MessageKind = MessageKind::Comment, Range::one_of([MessageKind::Comment, MessageKind::WorkNote]);
    /// In which directions files go: `both`, `to_aws`, `to_servicenow` or `none`.
    attachments: AttachmentRule = AttachmentRule::Both, Range::one_of([
        AttachmentRule::Both,
        AttachmentRule::ToAws,
        AttachmentRule::ToServicenow,
        AttachmentRule::None,
    ]);
    /// The largest file that goes to either side. Both sides are told of a larger one.
    largest_file_bytes: u32 = MAXIMUM_FILE_BYTES, Range::numbers(1, MAXIMUM_FILE_BYTES, "bytes");
    /// From the case's status to the incident's state, and to the compatible states that are left alone. A status that
    /// is not in the table changes nothing.
    state_by_case_status: BTreeMap<String, StatusRule> = default_state_by_case_status(),
        Range::table(status_rules(), |status, rule: &StatusRule| is_open(&rule.state) && !is_resolved(status));
    /// The state of an incident that is reopened.
    reopened_state: IncidentState = IncidentState::InProgress, Range::new(OPEN_STATE, "", is_open);
    /// What becomes of a case that somebody opens at AWS: `open_incident`, or `ignore`. The next three fields narrow
    /// which cases become incidents.
    cases_opened_at_aws: OpenedCaseRule = OpenedCaseRule::OpenIncident,
        Range::one_of([OpenedCaseRule::OpenIncident, OpenedCaseRule::Ignore]);
    /// The accounts whose cases become incidents, as numbers of 12 digits. If it is empty, those of all accounts do.
    opened_cases_of_accounts: Vec<String> = Vec::new(), Range::at_most(MAXIMUM_FILTER_WORDS, "accounts");
    /// The service codes of cases that become incidents. If it is empty, all do.
    opened_cases_of_services: Vec<String> = Vec::new(), Range::at_most(MAXIMUM_FILTER_WORDS, "service codes");
    /// The severity codes of cases that become incidents. If it is empty, all do.
    opened_cases_of_severities: Vec<String> = Vec::new(), Range::at_most(MAXIMUM_FILTER_WORDS, "severity codes");
    /// What happens when a person writes on an incident or reopens it, and its case was resolved too long ago for AWS to
    /// reopen it (14 days): another case is opened for the incident (`open_case`), or the incident says so (`note`).
    case_too_old_to_reopen: OldCaseRule = OldCaseRule::OpenCase, Range::one_of([OldCaseRule::OpenCase, OldCaseRule::Note]);
    /// What happens when a case is reopened at AWS whose incident is closed, which ServiceNow can't reopen: another incident is
    /// opened, and the case goes on there (`open_incident`), or the closed incident says so (`note`).
    case_reopened_after_closing: ClosedIncidentRule = ClosedIncidentRule::OpenIncident,
        Range::one_of([ClosedIncidentRule::OpenIncident, ClosedIncidentRule::Note]);
    /// From a case's severity code to the impact and the urgency of the incident that casebridge opens for it.
    impact_and_urgency_by_severity: BTreeMap<String, ImpactAndUrgency> = default_impact_and_urgency_by_severity(),
        Range::table("an impact and an urgency for each severity code", |_, level: &ImpactAndUrgency| {
            !level.impact.is_empty() && !level.urgency.is_empty()
        });
    /// The impact and the urgency for a severity code that the table lacks.
    default_impact_and_urgency: ImpactAndUrgency = ImpactAndUrgency::new("3", "3"),
        Range::new("both not empty", "", |level: &ImpactAndUrgency| {
            !level.impact.is_empty() && !level.urgency.is_empty()
        });
    /// Close codes in order of preference. The first one that the instance accepts is used.
    close_codes: Vec<String> = default_close_codes(), Range::some("close codes");
}

/// The description of an open state. The resolution of an incident has rules of its own.
const OPEN_STATE: &str = "an open state: not `6`, `7`, `8` or empty";
/// The condition between the two fields for retries.
const RETRIES_IN_ORDER: &str = "not less than `retry_first_seconds`";

/// Returns the range of a duration that must not be zero.
fn duration() -> Range<u32> {
    Range::numbers(1, MAXIMUM_SECONDS, "seconds")
}

fn doubt() -> Range<u32> {
    Range::numbers(1, MAXIMUM_DOUBT_SECONDS, "seconds")
}

fn is_open(state: &IncidentState) -> bool {
    !state.is_ended() && !state.value().is_empty()
}

fn is_resolved(status: &str) -> bool {
    RESOLVED_CASE_STATUSES.contains(&status)
}

/// Returns the description of the status table's range.
fn status_rules() -> String {
    format!("{OPEN_STATE}, for each status but {}", range::listed(&RESOLVED_CASE_STATUSES))
}

fn default_severity_by_priority() -> BTreeMap<String, String> {
    [("1", "critical"), ("2", "urgent"), ("3", "high"), ("4", "normal"), ("5", "low")]
        .map(|(priority, severity)| (priority.to_owned(), severity.to_owned()))
        .into()
}

/// Returns the default table. With ServiceNow's priority matrix it gives the priority whose severity code it is.
fn default_impact_and_urgency_by_severity() -> BTreeMap<String, ImpactAndUrgency> {
    [("critical", "1", "1"), ("urgent", "1", "2"), ("high", "2", "2"), ("normal", "2", "3"), ("low", "3", "3")]
        .map(|(severity, impact, urgency)| (severity.to_owned(), ImpactAndUrgency::new(impact, urgency)))
        .into()
}

fn default_close_codes() -> Vec<String> {
    ["Solution provided", "Resolved by request", "Solved (Permanently)"].map(str::to_owned).into()
}

/// Returns the default status table. An incident On Hold stays On Hold while AWS waits. An incident In Progress does
/// not go back to New.
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

/// One field of the policy document, as `docs/policy.md` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it decides.
    pub purpose: &'static str,
    /// Its value if the document leaves it out.
    pub default: Value,
    /// The description of the values that it may have.
    pub range: String,
    /// The unit of its value. Empty if it has none.
    pub unit: &'static str,
}

/// One error in a policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// The field, for example `severity_by_priority`.
    pub field: String,
    /// What is wrong with it and what it should be.
    pub problem: String,
}

/// All errors in a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PolicyErrors(
    /// The errors, each with its field.
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

/// Takes the fields out of a document one by one and collects the errors.
struct Reader {
    fields: Map<String, Value>,
    errors: Vec<PolicyError>,
}

impl Reader {
    /// Reads the field into the target. Rejects a value of another type or out of range. Leaves the target unchanged if
    /// the document does not have the field.
    fn read<T: DeserializeOwned + 'static>(&mut self, field: &str, target: &mut T, range: &Range<T>) {
        let Some(value) = self.fields.remove(field) else { return };
        match serde_json::from_value(value) {
            Ok(value) => {
                let problem = format!("expected {} {}", range.words(), range.unit());
                for part in range.outside(&value) {
                    self.reject(&format!("{field}{part}"), problem.trim_end());
                }
                *target = value;
            }
            Err(error) => self.reject(field, error.to_string()),
        }
    }

    fn reject(&mut self, field: &str, problem: impl Into<String>) {
        self.errors.push(PolicyError { field: field.to_owned(), problem: problem.into() });
    }
}

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    ///
    /// Fails if the document is not a JSON object, has an unknown field, or has a field of another type or out of its
    /// range. Returns all errors at once, each with its field.
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
        if policy.retry_first_seconds > policy.retry_longest_seconds {
            reader.reject("retry_longest_seconds", format!("expected {RETRIES_IN_ORDER}"));
        }
        if reader.errors.is_empty() { Ok(policy) } else { Err(PolicyErrors(reader.errors)) }
    }

    /// Returns L as a duration.
    pub fn unknown_outcome(&self) -> SignedDuration {
        seconds(self.unknown_outcome_seconds)
    }

    /// Returns how often the poller reads a case.
    pub fn case_pace(&self) -> CasePace {
        CasePace { warm_for: seconds(self.warm_case_seconds), turn: seconds(self.quiet_case_poll_seconds) }
    }

    /// Returns the wait after this many failures in a row. It doubles with each of them, up to the longest.
    pub fn longer_each_time(&self, attempts: u32, longest_seconds: u32) -> SignedDuration {
        let doublings = attempts.saturating_sub(1).min(MAXIMUM_DOUBLINGS);
        let wait = u64::from(self.retry_first_seconds) << doublings;
        seconds(u32::try_from(wait).unwrap_or(u32::MAX).min(longest_seconds))
    }

    /// Returns the impact and the urgency for a case's severity code.
    pub fn impact_and_urgency(&self, severity: &str) -> &ImpactAndUrgency {
        self.impact_and_urgency_by_severity.get(severity).unwrap_or(&self.default_impact_and_urgency)
    }

    /// Returns the severity code for an incident's priority.
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
    fn a_duration_is_a_week_at_most_and_a_doubt_six_hours() {
        assert_eq!(refused_fields(r#"{"unknown_outcome_seconds": 21600}"#), [""; 0]);
        assert_eq!(refused_fields(r#"{"unknown_outcome_seconds": 21601}"#), ["unknown_outcome_seconds"]);
        let fields = [
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
