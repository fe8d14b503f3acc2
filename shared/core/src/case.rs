//! The AWS side: a Support case as DescribeCases and DescribeCommunications show it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identifiers::{CaseId, CommunicationId, DisplayId, digest};

/// Who wrote a communication, when AWS did (`submittedBy`). Source: AWS Support API, Communication.
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

    /// Whether work on the case has ended. A status that nobody knows is taken as open.
    pub fn is_resolved(&self) -> bool {
        matches!(self.as_str(), "resolved" | "closed")
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
}

/// A communication and its identity within its case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Communication {
    /// Its identity, see [`identify`].
    pub id: CommunicationId,
    /// What AWS shows.
    pub raw: RawCommunication,
}

impl Communication {
    /// Whether AWS wrote it.
    pub fn is_by_aws(&self) -> bool {
        self.raw.submitted_by == AMAZON_WEB_SERVICES
    }
}

/// Gives each communication of one case its identity and puts them in the order in which they were written.
///
/// Communications have no id in the API: a communication is (time, author, hash of the body, ordinal among equals).
pub fn identify(mut raw: Vec<RawCommunication>) -> Vec<Communication> {
    raw.sort();
    let mut identified: Vec<Communication> = Vec::with_capacity(raw.len());
    let mut ordinal = 0_u32;
    for communication in raw {
        ordinal = match identified.last() {
            Some(previous) if previous.raw == communication => ordinal + 1,
            _ => 0,
        };
        let time = communication.time_created.to_string();
        let id = digest(&[&time, &communication.submitted_by, &communication.body, &ordinal.to_string()], 20);
        identified.push(Communication { id: CommunicationId::new(id), raw: communication });
    }
    identified
}

/// A case as it was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The id, as it is now: its language segment may change.
    pub case_id: CaseId,
    /// The number that people see.
    pub display_id: DisplayId,
    /// The subject.
    pub subject: String,
    /// The status.
    pub status: CaseStatus,
    /// The severity code, in AWS's words.
    pub severity_code: String,
    /// When it was opened, by AWS's clock.
    pub time_created: Timestamp,
    /// The communications that were read, in the order in which they were written.
    pub communications: Vec<Communication>,
    /// Whether `communications` holds all of them as of the read, or only the most recent ones.
    pub communications_complete: bool,
}

impl Case {
    /// A short text that differs when anything that a reconciliation looks at differs.
    ///
    /// Of the communications only the most recent ones count, those that DescribeCases shows: so two reads compare.
    pub fn fingerprint(&self) -> String {
        let mut parts = vec![self.case_id.as_str(), self.display_id.as_str(), self.status.as_str()];
        let recent = self.communications.len().saturating_sub(RECENT_COMMUNICATIONS);
        parts.extend(self.communications[recent..].iter().map(|communication| communication.id.as_str()));
        digest(&parts, 16)
    }
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
        }
    }

    #[test]
    fn equal_communications_have_different_identities() {
        let identified = identify(vec![raw(1, "a"), raw(1, "a"), raw(1, "b")]);
        assert_ne!(identified[0].id, identified[1].id);
        assert_ne!(identified[1].id, identified[2].id);
    }

    #[test]
    fn identities_do_not_depend_on_the_order_of_a_page() {
        let newest_first = identify(vec![raw(2, "b"), raw(1, "a")]);
        let oldest_first = identify(vec![raw(1, "a"), raw(2, "b")]);
        assert_eq!(newest_first, oldest_first);
    }

    #[test]
    fn unknown_statuses_are_open() {
        assert!(!CaseStatus::new("pending-amazon-action").is_resolved());
        assert!(!CaseStatus::new("brand-new-status").is_resolved());
        assert!(CaseStatus::new("closed").is_resolved());
    }

    #[test]
    fn an_identity_does_not_depend_on_the_communications_around_it() {
        let all = identify(vec![raw(1, "a"), raw(2, "b"), raw(3, "c")]);
        let most_recent = identify(vec![raw(2, "b"), raw(3, "c")]);
        assert_eq!(all[1..], most_recent);
    }

    #[test]
    fn only_amazon_web_services_writes_for_aws() {
        let mut communication = identify(vec![raw(1, "a")]).remove(0);
        assert!(communication.is_by_aws());
        communication.raw.submitted_by = "beth.anglin@example.com".to_owned();
        assert!(!communication.is_by_aws());
    }

    fn case(communications: Vec<RawCommunication>) -> Case {
        Case {
            case_id: CaseId::new("case-111122223333-muen-2022-7118885805350839"),
            display_id: DisplayId::new("1234563851"),
            subject: "[INC0010001] Instance unreachable".to_owned(),
            status: CaseStatus::new("opened"),
            severity_code: "high".to_owned(),
            time_created: Timestamp::from_second(0).unwrap(),
            communications: identify(communications),
            communications_complete: true,
        }
    }

    #[test]
    fn a_fingerprint_differs_when_what_a_reconciliation_looks_at_differs() {
        let before = case(vec![raw(1, "a")]);
        let resolved = Case { status: CaseStatus::new("resolved"), ..before.clone() };
        let renamed = Case { case_id: CaseId::new("case-111122223333-mufr-2022-7118885805350839"), ..before.clone() };
        let renumbered = Case { display_id: DisplayId::new("1234563852"), ..before.clone() };
        let answered = case(vec![raw(1, "a"), raw(2, "b")]);
        for after in [resolved, renamed, renumbered, answered] {
            assert_ne!(after.fingerprint(), before.fingerprint(), "{after:?}");
        }
    }

    #[test]
    fn a_whole_read_and_one_of_the_most_recent_communications_have_one_fingerprint() {
        let whole = case((1..=7).map(|second| raw(second, "a")).collect());
        let most_recent = case((3..=7).map(|second| raw(second, "a")).collect());
        assert_eq!(whole.fingerprint(), most_recent.fingerprint());
    }
}
