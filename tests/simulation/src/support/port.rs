//! The port of AWS Support: the simulator's AWS Support, behind calls that may fail, be late and take effect late.

mod failure;
mod files;
mod read;
mod write;

use std::{cell::RefCell, rc::Rc};

use casebridge_core::{
    failure::Failure,
    file::transfer::Carried,
    identifiers::{AccountId, AttachmentId, CaseId, DisplayId},
    support::{
        call::NewCase,
        case::{CaseFile, CaseStatus, RECENT_COMMUNICATIONS, RawCommunication},
        read::{CasePage, CaseQuery, CommunicationPage, DescribedCase},
        reading::Span,
    },
};
use casebridge_ports::Support;
use casebridge_simulator::support::{
    Case, SupportError, Write,
    model::{CaseDetails, CasesPage, CommunicationDetails, CommunicationsPage},
    request::{AddCommunicationToCase, CreateCase, DescribeCases, DescribeCommunications, ResolveCase},
};
use jiff::Timestamp;

use crate::{calls::RemoteCall, desk::Desk, people::texts::REFUSED_LETTER, world::World};
use read::{Continuation, Listing};

/// The records on a page: the fewest that AWS allows.
const PAGE_SIZE: i64 = 10;
/// The communications on a page that is read for a span of time: the most that AWS allows, as the client asks for.
const SPAN_PAGE_SIZE: i64 = 100;
/// The cases on a page that is read by ids: the most that AWS allows.
const IDS_PAGE_SIZE: i64 = 100;

/// AWS Support.
pub struct SupportPort {
    /// The world.
    pub desk: Rc<Desk>,
    listings: RefCell<Vec<Listing>>,
    /// When the process began.
    began: Timestamp,
    /// Whether the reader records the status in the ledger. The poller does not, it only looks for changes.
    takes_status_in: bool,
}

impl SupportPort {
    /// Returns the port of an executor.
    pub fn of_executor(desk: Rc<Desk>) -> Self {
        let began = desk.world.borrow().now;
        Self { desk, listings: RefCell::default(), began, takes_status_in: true }
    }

    /// Returns the port of a poller.
    pub fn of_poller(desk: Rc<Desk>) -> Self {
        Self { takes_status_in: false, ..Self::of_executor(desk) }
    }

    fn described(&self, details: CaseDetails) -> DescribedCase {
        let status = CaseStatus::new(details.status);
        if self.takes_status_in {
            self.desk.world.borrow_mut().note_shown_status(&details.case_id, &status);
        }
        let recent = details.recent_communications;
        let full = |page: &CommunicationsPage| page.communications.len() >= RECENT_COMMUNICATIONS;
        let more = recent.as_ref().is_some_and(|page| page.next_token.is_some() || full(page));
        let recent = recent.map(|page| page.communications).unwrap_or_default();
        DescribedCase {
            recent: communications(recent),
            more_communications: more,
            case_id: CaseId::new(details.case_id),
            display_id: DisplayId::new(details.display_id),
            subject: details.subject,
            status,
            service_code: details.service_code,
            category_code: details.category_code,
            severity_code: details.severity_code,
            time_created: details.time_created,
        }
    }
}

impl Support for SupportPort {
    async fn create_case(&self, account: &AccountId, request: &NewCase) -> Result<CaseId, Failure> {
        let given = CreateCase {
            subject: Some(request.subject.clone()),
            communication_body: Some(request.body.clone()),
            service_code: Some(request.service_code.clone()),
            category_code: Some(request.category_code.clone()),
            severity_code: Some(request.severity_code.clone()),
            issue_type: Some(request.issue_type.clone()),
            language: Some(request.language.clone()),
            cc_email_addresses: request.cc_email_addresses.clone(),
            ..CreateCase::default()
        };
        let created = self
            .write(RemoteCall::CreateCase, account, Write::CreateCase(given.clone()), |world| {
                let now = world.aws_now();
                let created = world.support.create_case(now, account.as_str(), &given)?;
                world.check_write_to_case(&created);
                Ok(created)
            })
            .await?;
        Ok(CaseId::new(created))
    }

    async fn add_communication(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        body: &str,
        carried: Option<&Carried>,
    ) -> Result<(), Failure> {
        let case_id = case_id.to_string();
        let given = AddCommunicationToCase {
            case_id: Some(case_id.clone()),
            communication_body: Some(body.to_owned()),
            attachment_set_id: carried.and_then(|carried| carried.set.clone()),
            upload_ids: carried.map(|carried| carried.uploads.clone()).unwrap_or_default(),
            ..AddCommunicationToCase::default()
        };
        self.write(RemoteCall::AddCommunication, account, Write::AddCommunicationToCase(given.clone()), |world| {
            if body.contains(REFUSED_LETTER) {
                return Err(SupportError::Validation(
                    "communicationBody has a character that is not allowed".to_owned(),
                ));
            }
            let now = world.aws_now();
            world.support.add_communication_to_case(now, account.as_str(), &given)?;
            world.check_write_to_case(&case_id);
            Ok(())
        })
        .await
    }

    async fn resolve_case(&self, account: &AccountId, case_id: &CaseId) -> Result<CaseStatus, Failure> {
        let case_id = case_id.to_string();
        let given = ResolveCase { case_id: Some(case_id.clone()), dry_run: false };
        self.write(RemoteCall::ResolveCase, account, Write::ResolveCase(given.clone()), |world| {
            let now = world.aws_now();
            let was_resolved = world.support.case(&case_id).is_some_and(Case::is_resolved);
            let resolution = world.support.resolve_case(now, account.as_str(), &given)?;
            world.check_write_to_case(&case_id);
            world.note_status_change(&case_id, was_resolved);
            world.forget_reopening_at_aws(&case_id);
            Ok(CaseStatus::new(resolution.final_case_status))
        })
        .await
    }

    async fn describe_cases(&self, account: &AccountId, query: &CaseQuery) -> Result<CasePage, Failure> {
        let mut goes_on = None;
        let mut request = DescribeCases { include_resolved_cases: true, ..DescribeCases::default() };
        match query {
            CaseQuery::Ids(ids) => {
                request.case_id_list = ids.iter().map(ToString::to_string).collect();
                request.max_results = Some(IDS_PAGE_SIZE);
            }
            CaseQuery::DisplayId(display_id) => request.display_id = Some(display_id.to_string()),
            CaseQuery::Since { after, next } => {
                request.after_time = Some(after.to_string());
                goes_on = Continuation::of(next.as_deref());
                request.next_token = goes_on.as_ref().map(|goes_on| goes_on.token.clone());
                request.max_results = Some(PAGE_SIZE);
            }
        }
        let what = format!("{account} {}", asked(query));
        let describe = |world: &mut World| describe_cases(world, account, &request);
        let (page, listing) =
            self.reading(RemoteCall::DescribeCases, account, goes_on.as_ref(), &what, describe).await?;
        let cases = page.cases.into_iter().map(|details| self.described(details)).collect();
        let next = page.next_token.map(|token| Continuation::token(listing, &token));
        Ok(CasePage { cases, next })
    }

    async fn describe_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        span: Span,
        next: Option<&str>,
    ) -> Result<CommunicationPage, Failure> {
        let (case_id, goes_on) = (case_id.to_string(), Continuation::of(next));
        let request = DescribeCommunications {
            case_id: Some(case_id.clone()),
            after_time: span.after.map(|after| after.to_string()),
            before_time: span.before.map(|before| before.to_string()),
            next_token: goes_on.as_ref().map(|goes_on| goes_on.token.clone()),
            max_results: Some(if span.before.is_some() { SPAN_PAGE_SIZE } else { PAGE_SIZE }),
            ..DescribeCommunications::default()
        };
        let describe = |world: &mut World| {
            let now = world.aws_now();
            world.support.describe_communications(now, account.as_str(), &request)
        };
        let (page, listing) =
            self.reading(RemoteCall::DescribeCommunications, account, goes_on.as_ref(), &case_id, describe).await?;
        let mut communications = communications(page.communications);
        let last = std::mem::replace(&mut self.listings.borrow_mut()[listing].last, communications.last().cloned());
        if goes_on.is_some() {
            let world = &mut *self.desk.world.borrow_mut();
            let shifts = world.faults.rates().lagging;
            if world.random.chance(shifts) {
                world.count_fault("pages shift");
                communications.splice(0..0, last);
            }
        }
        let next = page.next_token.map(|token| Continuation::token(listing, &token));
        Ok(CommunicationPage { communications, next })
    }
}

/// Calls DescribeCases as the client does. By ids it reads all pages, and asks again without a page size if AWS refuses
/// it.
fn describe_cases(world: &mut World, account: &AccountId, request: &DescribeCases) -> Result<CasesPage, SupportError> {
    let (now, by_ids) = (world.aws_now(), !request.case_id_list.is_empty());
    let mut request = request.clone();
    let mut ask = |request: &DescribeCases| world.support.describe_cases(now, account.as_str(), request);
    let mut page = match ask(&request) {
        Err(SupportError::Validation(_)) if by_ids => {
            request.max_results = None;
            ask(&request)?
        }
        answer => answer?,
    };
    while by_ids && page.next_token.is_some() {
        request.next_token = page.next_token.take();
        let next = ask(&request)?;
        page.cases.extend(next.cases);
        page.next_token = next.next_token;
    }
    Ok(page)
}

fn communications(page: Vec<CommunicationDetails>) -> Vec<RawCommunication> {
    let shown = page.into_iter().map(|communication| RawCommunication {
        time_created: communication.time_created,
        submitted_by: communication.submitted_by,
        body: communication.body,
        attachments: communication
            .attachments
            .into_iter()
            .map(|file| CaseFile { id: AttachmentId::new(file.attachment_id), name: file.file_name })
            .collect(),
    });
    shown.collect()
}

fn asked(query: &CaseQuery) -> String {
    match query {
        CaseQuery::Ids(ids) => format!("{} named", ids.len()),
        CaseQuery::DisplayId(display_id) => format!("number {display_id}"),
        CaseQuery::Since { after, .. } => format!("since {after:.0}"),
    }
}
