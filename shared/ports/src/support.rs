//! AWS Support.

use std::future::Future;

use casebridge_core::{
    catalogue::{Named, OfferedService},
    failure::Failure,
    file::transfer::Carried,
    identifiers::{AccountId, CaseId},
    support::{
        call::NewCase,
        case::CaseStatus,
        read::{CasePage, CaseQuery, CommunicationPage},
        reading::Span,
    },
};

/// AWS Support of every account. Each write is made once, and one that may have been applied fails as in doubt.
pub trait Support {
    /// CreateCase.
    ///
    /// # Errors
    /// Fails if the call was refused or could not be made, or if its outcome is not known.
    fn create_case(&self, account: &AccountId, request: &NewCase) -> impl Future<Output = Result<CaseId, Failure>>;

    /// AddCommunicationToCase, with the files of a set or of uploads. A set or an upload that AWS does not know, or no
    /// longer, is `Refused` with `InvalidRequest`.
    ///
    /// # Errors
    /// Fails if the call was refused or could not be made, or if its outcome is not known.
    fn add_communication(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        body: &str,
        carried: Option<&Carried>,
    ) -> impl Future<Output = Result<(), Failure>>;

    /// ResolveCase; returns the status afterwards.
    ///
    /// # Errors
    /// Fails if the call was refused or could not be made, or if its outcome is not known.
    fn resolve_case(&self, account: &AccountId, case_id: &CaseId) -> impl Future<Output = Result<CaseStatus, Failure>>;

    /// DescribeCases: one page. `CaseIdNotFound` is `Refused` with `NotFound`.
    ///
    /// # Errors
    /// Fails if the side refuses the read, throttles it or does not answer.
    fn describe_cases(&self, account: &AccountId, query: &CaseQuery)
    -> impl Future<Output = Result<CasePage, Failure>>;

    /// DescribeCommunications: one page of those of a span, or of all of them; the newest first.
    ///
    /// # Errors
    /// Fails if the side refuses the read, throttles it or does not answer.
    fn describe_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        span: Span,
        next: Option<&str>,
    ) -> impl Future<Output = Result<CommunicationPage, Failure>>;
}

/// What AWS Support offers to each account. A trait of its own, since only the function that keeps the catalogue asks.
pub trait SupportCatalogue {
    /// DescribeServices: all services with their categories, in English.
    ///
    /// # Errors
    /// Fails if the side refuses the read, throttles it or does not answer.
    fn describe_services(&self, account: &AccountId) -> impl Future<Output = Result<Vec<OfferedService>, Failure>>;

    /// DescribeSeverityLevels: the severities of the account's support plan, in English.
    ///
    /// # Errors
    /// Fails if the side refuses the read, throttles it or does not answer.
    fn describe_severity_levels(&self, account: &AccountId) -> impl Future<Output = Result<Vec<Named>, Failure>>;
}
