//! What the executor needs of the world. The adapters answer over the network, the simulation in memory.

use std::{error::Error, future::Future};

use casebridge_core::{
    case::{CaseStatus, RawCommunication},
    effect::{Delivery, DeliveryAnswer, Failure, NewCase},
    hint::Hint,
    identifiers::{AccountId, AttemptId, CaseId, DisplayId, IncidentId},
    incident::Incident,
    mark::Entropy,
    reading::Span,
};
use jiff::{SignedDuration, Timestamp};

/// Our clock.
pub trait Clock {
    /// The moment.
    fn now(&self) -> Timestamp;
}

/// Our clock, and a way to wait by it.
pub trait Timer: Clock {
    /// Waits.
    fn sleep(&self, wait: SignedDuration) -> impl Future<Output = ()>;
}

/// Where a hint is left for later.
pub trait WakeQueue {
    /// Why it was not taken.
    type Error: Error + 'static;

    /// Hands a hint out after a delay, in whole seconds, at most 15 minutes. It may come later, twice, or never.
    fn send_later(&self, hint: &Hint, delay: SignedDuration) -> impl Future<Output = Result<(), Self::Error>>;
}

/// Random bits of a cryptographically secure source.
pub trait Randomness {
    /// What the marks of one plan come from.
    fn entropy(&self) -> Entropy;
    /// A name for one attempt that no other has.
    fn attempt(&self) -> AttemptId;
    /// How far to spread a retry: 0 to 1,000 thousandths.
    fn spread(&self) -> u32;
}

/// The app's Scripted REST on a ServiceNow instance.
pub trait ServiceNow {
    /// The incident with its customer-visible comments since a moment, oldest first, or with all of them; none if it is
    /// not there. Where there are too many to read at once, the newest are left out and `entries_complete` is false.
    fn snapshot(
        &self,
        incident: &IncidentId,
        entries_since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Option<Incident>, Failure>>;

    /// Writes to the incident. A repeat of a message has no effect, so this call may be repeated.
    fn deliver(
        &self,
        incident: &IncidentId,
        delivery: &Delivery,
    ) -> impl Future<Output = Result<DeliveryAnswer, Failure>>;
}

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
