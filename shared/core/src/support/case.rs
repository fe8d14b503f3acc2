//! The AWS side: a Support case as DescribeCases and DescribeCommunications show it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::{AttachmentId, CaseId, CommunicationId, DisplayId, digest},
    policy::RESOLVED_CASE_STATUSES,
    text::text_hash,
};

/// The author (`submittedBy`) of a communication that AWS wrote. Source: AWS Support API, Communication.
pub const AMAZON_WEB_SERVICES: &str = "Amazon Web Services";

/// The status of a case. The set is open: `pending-amazon-action` is in the console but not in the API's model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseStatus(String);

impl CaseStatus {
    /// Wraps a status in AWS's words.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The status in AWS's words.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether work on the case has ended. An unknown status counts as open.
    pub fn is_resolved(&self) -> bool {
        RESOLVED_CASE_STATUSES.contains(&self.as_str())
    }

    /// Whether the case has been resolved before and is open again.
    pub fn is_reopened(&self) -> bool {
        self.as_str() == "reopened"
    }
}

/// A communication as AWS shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RawCommunication {
    /// When it was written, by AWS's clock.
    pub time_created: Timestamp,
    /// `Amazon Web Services`, or a role and an e-mail address.
    pub submitted_by: String,
    /// The text after AWS's redaction of secrets.
    pub body: String,
    /// Its files, in AWS's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<CaseFile>,
}

/// A file of a communication as AWS shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CaseFile {
    /// Its id, as this read shows it.
    pub id: AttachmentId,
    /// Its name, as this read shows it.
    pub name: String,
}

/// A communication and its identity within its case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Communication {
    /// Its identity, see [`crate::support::conversation`].
    pub id: CommunicationId,
    /// What AWS shows.
    pub raw: RawCommunication,
}

impl RawCommunication {
    /// Whether AWS wrote it.
    pub fn is_by_aws(&self) -> bool {
        self.submitted_by == AMAZON_WEB_SERVICES
    }
}

impl Communication {
    /// Whether AWS wrote it.
    pub fn is_by_aws(&self) -> bool {
        self.raw.is_by_aws()
    }
}

/// A case as AWS shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The current id: its language segment may change.
    pub case_id: CaseId,
    /// The number that people see.
    pub display_id: DisplayId,
    /// The subject.
    pub subject: String,
    /// The status.
    pub status: CaseStatus,
    /// Its service code, or empty.
    pub service_code: String,
    /// Its category code, or empty.
    pub category_code: String,
    /// Its severity code, or empty.
    pub severity_code: String,
    /// When it was opened, by AWS's clock.
    pub time_created: Timestamp,
    /// The communications that were read, in no particular order.
    pub communications: Vec<RawCommunication>,
    /// Whether `communications` is complete, back to the moment that was asked for. If not, it has the most recent ones
    /// only.
    pub communications_complete: bool,
    /// Whether the communications were read after the status, and so may be newer than the status.
    pub communications_are_later: bool,
    /// The fingerprint of what DescribeCases showed, see [`fingerprint`].
    pub fingerprint: String,
}

impl Case {
    /// Whether the case may have drifted: its fingerprint differs from the one that the link remembers.
    pub fn has_changed(&self, remembered_fingerprint: &str) -> bool {
        self.fingerprint != remembered_fingerprint
    }
}

/// Returns a short text that changes when anything changes that DescribeCases shows and that a reconciliation uses. The
/// poller compares it with the fingerprint that the last reconciliation recorded.
///
/// Times count in whole seconds, since an answer may cut them. The order of the most recent communications does not
/// count.
pub fn fingerprint(
    case_id: &CaseId,
    display_id: &DisplayId,
    status: &CaseStatus,
    severity_code: &str,
    recent: &[RawCommunication],
) -> String {
    let mut shown: Vec<String> = recent
        .iter()
        .map(|communication| {
            digest(&[&communication.time_created.as_second().to_string(), &text_hash(&communication.body)], 16)
        })
        .collect();
    shown.sort();
    let mut parts = vec![case_id.as_str(), display_id.as_str(), status.as_str(), severity_code];
    parts.extend(shown.iter().map(String::as_str));
    digest(&parts, 16)
}

/// How many communications DescribeCases returns with each case. Source: AWS Support API, RecentCaseCommunications.
pub const RECENT_COMMUNICATIONS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(second: i64, body: &str) -> RawCommunication {
        RawCommunication {
            time_created: Timestamp::from_second(second).unwrap(),
            submitted_by: AMAZON_WEB_SERVICES.to_owned(),
            body: body.to_owned(),
            attachments: Vec::new(),
        }
    }

    #[test]
    fn unknown_statuses_are_open() {
        assert!(!CaseStatus::new("pending-amazon-action").is_resolved());
        assert!(!CaseStatus::new("brand-new-status").is_resolved());
        assert!(CaseStatus::new("closed").is_resolved());
    }

    #[test]
    fn only_amazon_web_services_writes_for_aws() {
        let mut communication = raw(1, "a");
        assert!(communication.is_by_aws());
        communication.submitted_by = "beth.anglin@example.com".to_owned();
        assert!(!communication.is_by_aws());
    }

    fn shown(case_id: &str, display_id: &str, status: &str, recent: &[RawCommunication]) -> String {
        shown_with(case_id, display_id, status, "normal", recent)
    }

    fn shown_with(id: &str, display_id: &str, status: &str, severity: &str, recent: &[RawCommunication]) -> String {
        fingerprint(&CaseId::new(id), &DisplayId::new(display_id), &CaseStatus::new(status), severity, recent)
    }

    #[test]
    fn a_fingerprint_differs_when_what_a_reconciliation_looks_at_differs() {
        let case_id = "case-111122223333-muen-2022-7118885805350839";
        let before = shown(case_id, "1234563851", "opened", &[raw(1, "a")]);
        for after in [
            shown(case_id, "1234563851", "resolved", &[raw(1, "a")]),
            shown_with(case_id, "1234563851", "opened", "urgent", &[raw(1, "a")]),
            shown("case-111122223333-mufr-2022-7118885805350839", "1234563851", "opened", &[raw(1, "a")]),
            shown(case_id, "1234563852", "opened", &[raw(1, "a")]),
            shown(case_id, "1234563851", "opened", &[raw(1, "a"), raw(2, "b")]),
        ] {
            assert_ne!(after, before);
        }
    }

    #[test]
    fn a_fingerprint_is_the_same_for_times_that_were_cut_and_in_whatever_order() {
        let mut cut = raw(1, "a");
        let exact = RawCommunication { time_created: Timestamp::from_millisecond(1_774).unwrap(), ..cut.clone() };
        cut.submitted_by = "shown differently".to_owned();
        let one = shown("c", "1", "opened", &[exact, raw(2, "b")]);
        assert_eq!(one, shown("c", "1", "opened", &[raw(2, "b"), cut]));
    }

    #[test]
    fn a_case_that_looks_as_the_link_remembers_it_has_not_changed() {
        let before = Case {
            case_id: CaseId::new("case-111122223333-muen-2022-7118885805350839"),
            display_id: DisplayId::new("1234563851"),
            subject: "[INC0010001] Instance unreachable".to_owned(),
            status: CaseStatus::new("opened"),
            service_code: String::new(),
            category_code: String::new(),
            severity_code: String::new(),
            time_created: Timestamp::from_second(1_000).unwrap(),
            communications: Vec::new(),
            communications_complete: true,
            communications_are_later: false,
            fingerprint: String::new(),
        };
        let shown_as = |status: &CaseStatus| fingerprint(&before.case_id, &before.display_id, status, "normal", &[]);
        let remembered = shown_as(&before.status);
        let same = Case { fingerprint: shown_as(&before.status), ..before.clone() };
        assert!(!same.has_changed(&remembered));
        assert!(same.has_changed(""));
        let resolved = CaseStatus::new("resolved");
        let changed = Case { fingerprint: shown_as(&resolved), status: resolved, ..before.clone() };
        assert!(changed.has_changed(&remembered));
    }
}
