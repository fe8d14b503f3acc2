//! AWS Support.

use std::future::Future;

use casebridge_core::{
    failure::Failure,
    identifiers::{AccountId, CaseId, DisplayId},
    support::{
        call::NewCase,
        case::{CaseStatus, RawCommunication},
        reading::Span,
    },
};
use jiff::Timestamp;

/// A case as DescribeCases returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedCase {
    /// The id.
    pub case_id: CaseId,
    /// The number that people see.
    pub display_id: DisplayId,
    /// The subject.
    pub subject: String,
    /// The status.
    pub status: CaseStatus,
    /// The severity code.
    pub severity_code: String,
    /// When it was opened, by AWS's clock.
    pub time_created: Timestamp,
    /// The most recent communications, at most five.
    pub recent: Vec<RawCommunication>,
    /// Whether there may be more than these.
    pub more_communications: bool,
}

/// Which cases to describe; resolved ones are always included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseQuery {
    /// These, at most 100. One unknown id fails the whole call.
    Ids(Vec<CaseId>),
    /// The one with this number: it stays when the language of a case changes, its id does not.
    DisplayId(DisplayId),
    /// All with activity since then, a page at a time.
    Since {
        /// By AWS's clock.
        after: Timestamp,
        /// Where to go on.
        next: Option<String>,
    },
}

/// A page of cases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<DescribedCase>,
    /// Where the next page starts.
    pub next: Option<String>,
}

/// A page of communications.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommunicationPage {
    /// The communications.
    pub communications: Vec<RawCommunication>,
    /// Where the next page starts.
    pub next: Option<String>,
}

/// AWS Support of every account. Writes are made once each: whatever is not certainly refused is in doubt.
pub trait Support {
    /// CreateCase.
    fn create_case(&self, account: &AccountId, request: &NewCase) -> impl Future<Output = Result<CaseId, Failure>>;

    /// AddCommunicationToCase.
    fn add_communication(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        body: &str,
    ) -> impl Future<Output = Result<(), Failure>>;

    /// ResolveCase; returns the status afterwards.
    fn resolve_case(&self, account: &AccountId, case_id: &CaseId) -> impl Future<Output = Result<CaseStatus, Failure>>;

    /// DescribeCases: one page. `CaseIdNotFound` is `Refused` with `NotFound`.
    fn describe_cases(&self, account: &AccountId, query: &CaseQuery)
    -> impl Future<Output = Result<CasePage, Failure>>;

    /// DescribeCommunications: one page of those of a span, or of all of them; the newest first.
    fn describe_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        span: Span,
        next: Option<&str>,
    ) -> impl Future<Output = Result<CommunicationPage, Failure>>;
}
