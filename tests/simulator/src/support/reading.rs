//! DescribeCases and DescribeCommunications: what a caller sees, perhaps late and in pages.

use jiff::Timestamp;

use super::error::SupportError;
use super::model::{Case, CaseDetails, CasesPage, CommunicationDetails, CommunicationsPage, STATUS_RESOLVED};
use super::request::{self, CASE_IDS_MAX, DescribeCases, DescribeCommunications, Span};
use super::{LANGUAGES, Support, known, paging, refuse_dry_run};

/// How many communications DescribeCases adds to each case.
pub const RECENT_COMMUNICATIONS: usize = 5;

impl Support {
    /// DescribeCases, newest first. One unknown id fails the whole call.
    ///
    /// `afterTime` and `beforeTime` are taken for the time of creation, the reading of the documentation under which a
    /// new communication on an old case is not found.
    pub fn describe_cases(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &DescribeCases,
    ) -> Result<CasesPage, SupportError> {
        self.admit(now, account)?;
        request::at_most(&request.case_id_list, CASE_IDS_MAX, "caseIdList")?;
        let page_size = request::page_size(request.max_results)?;
        let span = Span::parse(request.after_time.as_deref(), request.before_time.as_deref())?;
        known(request.language.as_deref(), "language", &LANGUAGES)?;
        let list = format!("cases of {account}");
        let end = paging::position(&list, request.next_token.as_deref())?.unwrap_or(usize::MAX);
        let horizon = now - self.read_lag;
        let named = self.named_cases(account, horizon, request)?;
        refuse_dry_run(request.dry_run)?;

        let candidates = named.unwrap_or_else(|| (0..self.cases.len()).collect());
        let with_communications = request.include_communications.unwrap_or(true);
        let mut wanted = candidates.into_iter().rev().filter(|index| {
            let case = &self.cases[*index];
            *index < end
                && case.account == account
                && case.landed_at <= horizon
                && span.contains(case.time_created)
                && (request.include_resolved_cases || case.status_at(horizon) != STATUS_RESOLVED)
                && request.language.as_deref().is_none_or(|language| case.language == language)
        });
        let page: Vec<usize> = wanted.by_ref().take(page_size).collect();
        let next_token = page.last().filter(|_| wanted.next().is_some()).map(|last| paging::token(&list, *last));
        let cases = page.iter().map(|index| details(&self.cases[*index], horizon, with_communications)).collect();
        Ok(CasesPage { cases, next_token })
    }

    /// The cases that a request names, in the order of their creation; none: it names no case.
    fn named_cases(
        &self,
        account: &str,
        horizon: Timestamp,
        request: &DescribeCases,
    ) -> Result<Option<Vec<usize>>, SupportError> {
        let unknown = |id: &str| SupportError::CaseIdNotFound(id.to_owned());
        let visible = |index: &usize| self.cases[*index].account == account && self.cases[*index].landed_at <= horizon;
        let find = |index: Option<&usize>, id: &str| index.copied().filter(visible).ok_or_else(|| unknown(id));
        let by_display_id = match request.display_id.as_deref() {
            Some(id) => Some(find(self.by_display_id.get(id), id)?),
            None => None,
        };
        if request.case_id_list.is_empty() {
            return Ok(by_display_id.map(|index| vec![index]));
        }
        let mut named = Vec::with_capacity(request.case_id_list.len());
        for id in &request.case_id_list {
            named.push(find(self.by_case_id.get(id), id)?);
        }
        named.retain(|index| by_display_id.is_none_or(|wanted| wanted == *index));
        named.sort_unstable();
        named.dedup();
        Ok(Some(named))
    }

    /// DescribeCommunications, newest first.
    pub fn describe_communications(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &DescribeCommunications,
    ) -> Result<CommunicationsPage, SupportError> {
        self.admit(now, account)?;
        let case_id = request::required(request.case_id.as_deref(), "caseId")?;
        let page_size = request::page_size(request.max_results)?;
        let span = Span::parse(request.after_time.as_deref(), request.before_time.as_deref())?;
        let horizon = now - self.read_lag;
        let case = &self.cases[self.case_index(account, case_id)?];
        if case.landed_at > horizon {
            return Err(SupportError::CaseIdNotFound(case_id.to_owned()));
        }
        let end = paging::position(&communications_of(case), request.next_token.as_deref())?.unwrap_or(usize::MAX);
        refuse_dry_run(request.dry_run)?;
        Ok(communications(case, horizon, span, end, page_size))
    }
}

fn details(case: &Case, horizon: Timestamp, with_communications: bool) -> CaseDetails {
    let recent = || communications(case, horizon, Span::ALWAYS, usize::MAX, RECENT_COMMUNICATIONS);
    CaseDetails {
        case_id: case.case_id.clone(),
        display_id: case.display_id.clone(),
        subject: case.subject.clone(),
        status: case.status_at(horizon).to_owned(),
        service_code: case.service_code.clone(),
        category_code: case.category_code.clone(),
        severity_code: case.severity_code.clone(),
        submitted_by: case.submitted_by.clone(),
        time_created: case.time_created,
        recent_communications: with_communications.then(recent),
        cc_email_addresses: case.cc_email_addresses.clone(),
        language: case.language.clone(),
    }
}

/// The page of communications older than the position `end`. The token of DescribeCases works in
/// DescribeCommunications, too: both page the same list.
fn communications(case: &Case, horizon: Timestamp, span: Span, end: usize, page_size: usize) -> CommunicationsPage {
    let visible = case.communications_at(horizon).min(end);
    let mut wanted = case.communications[..visible]
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, communication)| span.contains(communication.time_created));
    let page: Vec<_> = wanted.by_ref().take(page_size).collect();
    let more = wanted.next().is_some();
    let next_token =
        page.last().filter(|_| more).map(|(position, _)| paging::token(&communications_of(case), *position));
    let communications = page
        .into_iter()
        .map(|(_, communication)| CommunicationDetails {
            case_id: case.case_id.clone(),
            body: communication.body.clone(),
            submitted_by: communication.submitted_by.clone(),
            time_created: communication.time_created,
            attachment_set: Vec::new(),
        })
        .collect();
    CommunicationsPage { communications, next_token }
}

fn communications_of(case: &Case) -> String {
    format!("communications of {}", case.case_id)
}
