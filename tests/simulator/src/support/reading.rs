//! DescribeCases and DescribeCommunications: what a caller sees, in pages and perhaps with a lag.

use jiff::Timestamp;

use super::attachments::{Attachment, shown_id};
use super::catalogue::LANGUAGES;
use super::error::SupportError;
use super::model::{
    AttachmentDetails, Case, CaseDetails, CasesPage, Communication, CommunicationDetails, CommunicationsPage,
    STATUS_RESOLVED,
};
use super::oddities::{Oddities, ShownBy, has_passed, whole_second};
use super::options::known;
use super::request::{self, DescribeCases, DescribeCommunications, MAXIMUM_CASE_IDS, Span};
use super::{Origin, Support, paging, refuse_dry_run};

/// How many communications DescribeCases adds to each case.
pub const RECENT_COMMUNICATIONS: usize = 5;

impl Support {
    /// DescribeCases, newest first. One unknown id fails the whole call.
    ///
    /// `afterTime` and `beforeTime` refer to the time of creation. The documentation leaves that open; in this reading
    /// a new communication on an old case is not found.
    pub fn describe_cases(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &DescribeCases,
    ) -> Result<CasesPage, SupportError> {
        self.admit(now, account)?;
        request::at_most(&request.case_id_list, MAXIMUM_CASE_IDS, "caseIdList")?;
        self.refuse_page_size_with_ids(request)?;
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
        let view = View { oddities: self.oddities, now, horizon, shown_by: ShownBy::Cases };
        let cases = page.iter().map(|index| view.case(&self.cases[*index], with_communications)).collect();
        Ok(CasesPage { cases, next_token })
    }

    /// Returns the indexes of the cases that a request names, in the order of their creation. Returns `None` if it
    /// names no case.
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
            named.push(find(self.index_of_id(id).as_ref(), id)?);
        }
        named.retain(|index| by_display_id.is_none_or(|wanted| wanted == *index));
        named.sort_unstable();
        named.dedup();
        Ok(Some(named))
    }

    /// Fails if a request has both ids and a page size, and AWS refuses that. Ids make a page size meaningless.
    fn refuse_page_size_with_ids(&self, request: &DescribeCases) -> Result<(), SupportError> {
        let both = request.max_results.is_some() && !request.case_id_list.is_empty();
        if both && self.oddities.page_size_refused_with_ids {
            return Err(SupportError::Validation("maxResults can't be combined with caseIdList.".to_owned()));
        }
        Ok(())
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
        let view = View { oddities: self.oddities, now, horizon, shown_by: ShownBy::Communications };
        Ok(view.communications(case, span, end, page_size))
    }
}

/// How one call shows cases and communications.
struct View {
    oddities: Oddities,
    /// The moment of the call.
    now: Timestamp,
    /// The moment that the call shows.
    horizon: Timestamp,
    shown_by: ShownBy,
}

impl View {
    fn case(&self, case: &Case, with_communications: bool) -> CaseDetails {
        let recent = || {
            let mut page = self.communications(case, Span::ALWAYS, usize::MAX, RECENT_COMMUNICATIONS);
            page.next_token = page.next_token.filter(|_| !self.oddities.recent_without_token);
            page
        };
        CaseDetails {
            case_id: case.case_id.clone(),
            display_id: case.display_id.clone(),
            subject: self.oddities.shown_subject(&case.subject),
            status: case.status_at(self.horizon).to_owned(),
            service_code: case.service_code.clone(),
            category_code: case.category_code.clone(),
            severity_code: case.severity_at(self.horizon).to_owned(),
            submitted_by: case.submitted_by.clone(),
            time_created: self.oddities.shown_time(self.shown_by, case.time_created),
            recent_communications: with_communications.then(recent),
            cc_email_addresses: case.cc_email_addresses.clone(),
            language: case.language.clone(),
        }
    }

    /// Returns the page of communications that are older than the position `end`. The token of DescribeCases works in
    /// DescribeCommunications too, since both page the same list.
    fn communications(&self, case: &Case, span: Span, end: usize, page_size: usize) -> CommunicationsPage {
        let list = case.communications.iter().enumerate().rev();
        let mut wanted = list.filter(|(position, communication)| {
            *position < end && self.is_visible(communication) && span.contains(communication.time_created)
        });
        let page: Vec<_> = wanted.by_ref().take(page_size).collect();
        let more = wanted.next().is_some();
        let next_token =
            page.last().filter(|_| more).map(|(position, _)| paging::token(&communications_of(case), *position));
        let mut communications: Vec<_> =
            page.into_iter().map(|(_, communication)| self.communication(case, communication)).collect();
        if self.oddities.seconds_in_any_order && self.shown_by == ShownBy::Communications {
            let same_second =
                |left: &CommunicationDetails, right: &CommunicationDetails| left.time_created == right.time_created;
            communications.chunk_by_mut(same_second).for_each(<[_]>::reverse);
        }
        CommunicationsPage { communications, next_token }
    }

    fn is_visible(&self, communication: &Communication) -> bool {
        let landed_at = communication.landed_at;
        let from = if communication.through_api { self.oddities.shown_from(landed_at) } else { landed_at };
        from <= self.horizon
    }

    fn communication(&self, case: &Case, communication: &Communication) -> CommunicationDetails {
        let oddities = &self.oddities;
        let later = |seconds| has_passed(seconds, communication.landed_at, self.horizon);
        let author_changed = communication.origin == Origin::Customer && later(oddities.authors_change_after_seconds);
        let unredacted = oddities.redacted_after_seconds.is_some() && !later(oddities.redacted_after_seconds);
        let time = oddities.shown_time(self.shown_by, communication.time_created);
        CommunicationDetails {
            case_id: case.case_id.clone(),
            body: oddities.shown_text(if unredacted { &communication.written } else { &communication.body }),
            submitted_by: if author_changed { &case.submitted_by } else { &communication.submitted_by }.clone(),
            time_created: if oddities.seconds_in_any_order { whole_second(time) } else { time },
            attachments: self.attachments(communication, |_| true),
            attachment_set: self.attachments(communication, |attachment| attachment.is_small(oddities)),
        }
    }

    fn attachments(&self, shown: &Communication, wanted: impl Fn(&Attachment) -> bool) -> Vec<AttachmentDetails> {
        let details = |attachment: &Attachment| AttachmentDetails {
            attachment_id: shown_id(&self.oddities, &attachment.id, self.now),
            file_name: self.oddities.shown_file_name(&attachment.name),
        };
        shown.attachments.iter().filter(|attachment| wanted(attachment)).map(details).collect()
    }
}

fn communications_of(case: &Case) -> String {
    format!("communications of {}", case.case_id)
}
