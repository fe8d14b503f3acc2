//! Identifiers. Each has its own type, so that one can't be used in place of another.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How many hexadecimal digits a `sys_id` has.
const SYS_ID_DIGITS: usize = 32;

/// Declares a string newtype with `new`, `as_str` and `Display`.
macro_rules! string_identifier {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it came from the remote side.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the text as the remote side writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

string_identifier! {
    /// The `sys_id` of a ServiceNow incident: 32 hexadecimal digits. Numbers are not unique, `sys_id`s are.
    IncidentId
}

impl IncidentId {
    /// Returns the `sys_id` of the incident that casebridge opens for a case: the same for the same case and
    /// generation, so that the incident is opened once. The first incident of a case has generation 1.
    pub fn of_case(case: &CaseKey, generation: u32) -> Self {
        let parts = ["incident of a case", case.account.as_str(), &case.stable_id, &generation.to_string()];
        Self(digest(&parts, SYS_ID_DIGITS))
    }
}

string_identifier! {
    /// An AWS account: 12 digits.
    AccountId
}
string_identifier! {
    /// A case as the AWS Support API names it, for example `case-111122223333-muen-2022-7118885805350839`.
    ///
    /// The third segment names the queue and the language and may change. So the id must not be used as a key, see
    /// [`CaseKey`].
    CaseId
}
string_identifier! {
    /// The number of a case that people see, for example `1234563851`.
    DisplayId
}
string_identifier! {
    /// The `sys_id` of a row of `sys_journal_field`: one comment on an incident.
    JournalEntryId
}
string_identifier! {
    /// The identifier of one message to ServiceNow, unique there. A repeat with the same identifier has no effect.
    ExternalId
}
string_identifier! {
    /// One attempt of one worker to act on a link. Conditional writes carry it, so that the worker recognises its own
    /// write if the answer was lost.
    AttemptId
}
string_identifier! {
    /// The claim of one hint on a due link. While the link has it, no other hint for the due time is handed off.
    ClaimId
}
string_identifier! {
    /// The `sys_id` of a row of `sys_attachment`: one file on an incident.
    FileId
}
string_identifier! {
    /// The id of a communication's file as AWS shows it. A later read may show another id for the same file.
    AttachmentId
}
string_identifier! {
    /// One transfer of files between an incident and its record.
    TransferId
}

impl TransferId {
    /// Returns the id of the transfer of these files of a link. A further generation is a new transfer of the same files.
    pub fn of(link: &LinkKey, files: &[&str], generation: u32) -> Self {
        let mut parts = vec!["transfer".to_owned(), link.to_string(), generation.to_string()];
        parts.extend(files.iter().map(|file| (*file).to_owned()));
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Self(digest(&parts, SYS_ID_DIGITS))
    }
}

string_identifier! {
    /// A communication's identity as the link remembers it: communications have no id in the AWS Support API.
    CommunicationId
}

impl CommunicationId {
    /// Whether both name communications of the same second with the same text. They differ by their ordinal alone, the last part.
    pub(crate) fn is_equal_to(&self, other: &Self) -> bool {
        let without_ordinal = |id: &Self| id.0.rsplit_once('-').map(|(rest, _)| rest.to_owned());
        without_ordinal(self) == without_ordinal(other)
    }
}

/// The kind of record that an incident is linked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// An AWS Support case.
    SupportCase,
}

impl LinkKind {
    /// All kinds. An incident may have one link of each.
    pub const ALL: [Self; 1] = [Self::SupportCase];

    /// Returns the word for the kind in keys and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SupportCase => "support_case",
        }
    }
}

/// The key of a link: one incident and one AWS record of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkKey {
    /// The kind of the AWS record.
    pub kind: LinkKind,
    /// The incident.
    pub incident: IncidentId,
}

impl LinkKey {
    /// Returns the key of an incident's link with a Support case.
    pub fn support_case(incident: IncidentId) -> Self {
        Self { kind: LinkKind::SupportCase, incident }
    }

    /// Returns the keys of the links that an incident may have, one for each kind.
    pub fn all_of(incident: &IncidentId) -> impl Iterator<Item = Self> + use<> {
        let incident = incident.clone();
        LinkKind::ALL.into_iter().map(move |kind| Self { kind, incident: incident.clone() })
    }
}

impl fmt::Display for LinkKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.kind.as_str(), self.incident)
    }
}

/// The stable key of a case: its account and the parts of its id that do not change with the language.
///
/// From `case-<account>-<queue and language>-<year>-<hex>` it keeps the year and the last segment. Ids of an unknown
/// form are kept whole. The key is known from CreateCase's answer on, before the display id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CaseKey {
    /// The account that owns the case.
    pub account: AccountId,
    /// The stable part of the case id.
    pub stable_id: String,
}

impl CaseKey {
    /// Returns the key of a case of an account.
    pub fn new(account: AccountId, case_id: &CaseId) -> Self {
        let segments: Vec<&str> = case_id.as_str().split('-').collect();
        let stable_id = match segments.as_slice() {
            ["case", _, queue, year, rest] if queue.chars().all(|letter| letter.is_ascii_alphabetic()) => {
                format!("{year}-{rest}")
            }
            ["case", _, year, rest] => format!("{year}-{rest}"),
            _ => case_id.as_str().to_owned(),
        };
        Self { account, stable_id }
    }
}

impl fmt::Display for CaseKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.account, self.stable_id)
    }
}

/// Returns the first `length` hexadecimal digits of the SHA-256 of the parts. The length of each part is hashed before
/// it, so that the same text in different parts gives different digits.
pub(crate) fn digest(parts: &[&str], length: usize) -> String {
    use std::fmt::Write;
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let bytes = hasher.finalize();
    let mut text = bytes.iter().take(length.div_ceil(2)).fold(String::with_capacity(length + 1), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    text.truncate(length);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(case_id: &str) -> String {
        CaseKey::new(AccountId::new("111122223333"), &CaseId::new(case_id)).to_string()
    }

    #[test]
    fn the_language_segment_is_no_part_of_a_case_key() {
        let english = key("case-111122223333-muen-2022-7118885805350839");
        assert_eq!(english, "111122223333:2022-7118885805350839");
        assert_eq!(english, key("case-111122223333-mufr-2022-7118885805350839"));
    }

    #[test]
    fn ids_without_a_language_segment_and_of_unknown_shape_have_keys() {
        assert_eq!(key("case-12345678910-2013-c4c1d2bf33c5cf47"), "111122223333:2013-c4c1d2bf33c5cf47");
        assert_eq!(key("CASE/new shape"), "111122223333:CASE/new shape");
    }

    #[test]
    fn a_case_has_one_incident_in_each_generation_whatever_its_language() {
        let case = |case_id: &str| CaseKey::new(AccountId::new("111122223333"), &CaseId::new(case_id));
        let english = IncidentId::of_case(&case("case-111122223333-muen-2022-7118885805350839"), 1);
        assert_eq!(english, IncidentId::of_case(&case("case-111122223333-mufr-2022-7118885805350839"), 1));
        assert_ne!(english, IncidentId::of_case(&case("case-111122223333-muen-2022-7118885805350839"), 2));
        assert_ne!(english, IncidentId::of_case(&case("case-111122223333-muen-2022-7118885805350830"), 1));
        assert!(english.as_str().len() == 32 && english.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_digest_separates_its_parts() {
        assert_ne!(digest(&["ab", "c"], 16), digest(&["a", "bc"], 16));
        assert_eq!(digest(&["ab"], 16).len(), 16);
    }

    #[test]
    fn a_link_is_written_in_the_ledger_as_its_kind_and_its_incident() {
        let link = LinkKey::support_case(IncidentId::new("0123456789abcdef0123456789abcdef"));
        assert_eq!(link.to_string(), "support_case:0123456789abcdef0123456789abcdef");
        assert_eq!(link.kind.as_str(), "support_case");
        assert_eq!(serde_json::to_value(link.kind).unwrap(), "support_case");
    }

    #[test]
    fn equal_texts_of_one_second_differ_by_their_ordinal_alone() {
        let equal = |one: &str, other: &str| CommunicationId::new(one).is_equal_to(&CommunicationId::new(other));
        assert!(equal("1800000000-0123456789abcdef-0", "1800000000-0123456789abcdef-1a"));
        assert!(!equal("1800000000-0123456789abcdef-0", "1800000001-0123456789abcdef-0"), "another second");
        assert!(!equal("1800000000-0123456789abcdef-0", "1800000000-fedcba9876543210-0"), "another text");
    }
}
