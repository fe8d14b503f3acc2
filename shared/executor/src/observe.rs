//! Reads of both sides, folded into the observation.

use casebridge_core::{
    case::{Case, RawCommunication, identify},
    effect::{Failure, Refusal},
    hint::Cause,
    identifiers::{AccountId, CaseId},
    link::{IntentKind, LinkedCase},
    mark::Mark,
    observation::{Observation, READ_REQUEST, Side},
};
use casebridge_ledger::Ledger;
use jiff::{SignedDuration, Timestamp};

use crate::{
    ports::{CaseQuery, Clock, DescribedCase, Randomness, ServiceNow, Support},
    reconcile::{Executor, Report},
};

/// How many pages of communications are read of one case: 10,000 communications.
const COMMUNICATION_PAGES: usize = 100;
/// How many pages of cases are searched for a case in doubt: 2,000 cases.
const SEARCH_PAGES: usize = 20;
/// How far a search for a case in doubt reaches back before its intent, for clocks that differ.
const SEARCH_MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// The case that a described case is, as far as DescribeCases shows it.
pub fn case_from(described: &DescribedCase) -> Case {
    case_with(described, described.recent.clone(), !described.more_communications)
}

fn case_with(described: &DescribedCase, communications: Vec<RawCommunication>, complete: bool) -> Case {
    Case {
        case_id: described.case_id.clone(),
        display_id: described.display_id.clone(),
        subject: described.subject.clone(),
        status: described.status.clone(),
        severity_code: described.severity_code.clone(),
        time_created: described.time_created,
        communications: identify(communications),
        communications_complete: complete,
    }
}

/// Which reads a pass starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// What a hint of this cause asks for.
    Hint(Cause),
    /// Both sides: somebody left word, or a call ended in doubt.
    Both,
}

impl<L: Ledger, S: ServiceNow, A: Support, C: Clock, R: Randomness> Executor<L, S, A, C, R> {
    /// Reads what the pass needs of both sides. The case of an incident that is gone is read as well, so that the poller
    /// does not find it changed again and again.
    pub(crate) async fn observe(&self, observation: &mut Observation, look: Look, report: &mut Report) {
        self.observe_incident(observation, look, report).await;
        let now = self.clock.now();
        if let Some(linked) = observation.link.case.clone() {
            self.observe_case(observation, &linked, now, report).await;
        } else if let Some(intent) = observation.link.intent.clone()
            && let IntentKind::OpenCase { account, .. } = &intent.kind
        {
            self.search_case(observation, account, intent.written_at, now, report).await;
        }
    }

    async fn observe_incident(&self, observation: &mut Observation, look: Look, report: &mut Report) {
        let from_aws = matches!(look, Look::Hint(Cause::SupportEvent | Cause::CasePoll));
        if from_aws && !observation.needs_incident() {
            return;
        }
        report.calls += 1;
        match self.servicenow.snapshot(&observation.key.incident, None).await {
            Ok(Some(incident)) => observation.see_incident(&self.policy, incident),
            Ok(None) => observation.incident_gone = true,
            Err(failure) => self.note_failure(observation, Side::ServiceNow, &failure, READ_REQUEST, report),
        }
    }

    async fn observe_case(
        &self,
        observation: &mut Observation,
        linked: &LinkedCase,
        now: Timestamp,
        report: &mut Report,
    ) {
        let query = CaseQuery::Ids(vec![linked.case_id.clone()]);
        report.calls += 1;
        let described = match self.support.describe_cases(&linked.account, &query).await {
            Ok(page) => page.cases.into_iter().next(),
            // A case that was opened lately may not show yet; one that is gone for good is told to the agent.
            Err(Failure::Refused { refusal: Refusal::NotFound, .. })
                if now.duration_since(linked.opened_at) < self.policy.unknown_outcome() =>
            {
                None
            }
            Err(failure) => return self.note_failure(observation, Side::Aws, &failure, READ_REQUEST, report),
        };
        let Some(described) = described else { return };
        let case = case_from(&described);
        if !observation.needs_all_communications(&case, now) {
            return observation.see_case(&self.policy, case, now);
        }
        match self.whole_case(&linked.account, &described, report).await {
            Ok(case) => observation.see_case(&self.policy, case, now),
            Err(failure) => self.note_failure(observation, Side::Aws, &failure, READ_REQUEST, report),
        }
    }

    /// All communications of a case, and whether the last page was reached.
    async fn all_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        report: &mut Report,
    ) -> Result<(Vec<RawCommunication>, bool), Failure> {
        let mut communications = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..COMMUNICATION_PAGES {
            report.calls += 1;
            let page = self.support.describe_communications(account, case_id, None, next.as_deref()).await?;
            union(&mut communications, &page.communications);
            next = page.next;
            if next.is_none() {
                return Ok((communications, true));
            }
        }
        Ok((communications, false))
    }

    /// Looks for the case of a CreateCase whose answer never came.
    async fn search_case(
        &self,
        observation: &mut Observation,
        account: &AccountId,
        written_at: Timestamp,
        now: Timestamp,
        report: &mut Report,
    ) {
        let Search { mut found, finished } = match self.find_cases(observation, account, written_at, report).await {
            Ok(search) => search,
            Err(failure) => return self.note_failure(observation, Side::Aws, &failure, READ_REQUEST, report),
        };
        // Of several the oldest goes on.
        found.sort_by_key(|(case, _)| case.time_created);
        let mut found = found.into_iter();
        if let Some((case, _)) = found.next() {
            observation.settle_open_case(&self.policy, Some(&case.case_id), now);
            observation.see_case(&self.policy, case, now);
            for (double, mark) in found {
                report.doubles += u32::from(observation.see_double(account, &double.case_id, &mark));
            }
        } else if finished {
            observation.settle_open_case(&self.policy, None, now);
        }
    }

    /// All cases of the account whose first communication carries a mark of the link.
    async fn find_cases(
        &self,
        observation: &Observation,
        account: &AccountId,
        written_at: Timestamp,
        report: &mut Report,
    ) -> Result<Search, Failure> {
        let after = written_at.checked_sub(SEARCH_MARGIN).unwrap_or(written_at);
        let mut search = Search::default();
        let mut next = None;
        for _ in 0..SEARCH_PAGES {
            let query = CaseQuery::Since { after, next };
            report.calls += 1;
            let page = self.support.describe_cases(account, &query).await?;
            for described in page.cases.iter().filter(|described| described.time_created >= after) {
                let case = self.whole_case(account, described, report).await?;
                let ours = first_mark(&case).filter(|mark| observation.link.marks.contains_key(mark));
                search.found.extend(ours.map(|mark| (case, mark)));
            }
            next = page.next;
            if next.is_none() {
                search.finished = true;
                break;
            }
        }
        Ok(search)
    }

    /// The mark that the first communication of a case carries, if the case can be read.
    pub(crate) async fn mark_of_case(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        report: &mut Report,
    ) -> Result<Option<Mark>, Failure> {
        report.calls += 1;
        let page = self.support.describe_cases(account, &CaseQuery::Ids(vec![case_id.clone()])).await?;
        let Some(described) = page.cases.first() else { return Ok(None) };
        let case = self.whole_case(account, described, report).await?;
        Ok(first_mark(&case))
    }

    /// The case with all its communications, read if there are more than the most recent ones.
    async fn whole_case(
        &self,
        account: &AccountId,
        described: &DescribedCase,
        report: &mut Report,
    ) -> Result<Case, Failure> {
        if !described.more_communications {
            return Ok(case_from(described));
        }
        let (mut communications, complete) = self.all_communications(account, &described.case_id, report).await?;
        // Two reads may be of different ages. Unless they overlap, something between them is in neither.
        if described.recent.iter().min().is_some_and(|oldest| !communications.contains(oldest)) {
            let message = "AWS Support still shows an older state of the case's communications".to_owned();
            return Err(Failure::Unavailable { message, retry_at: None });
        }
        union(&mut communications, &described.recent);
        Ok(case_with(described, communications, complete))
    }

    /// Notes a read that failed.
    pub(crate) fn note_failure(
        &self,
        observation: &mut Observation,
        side: Side,
        failure: &Failure,
        request: &str,
        report: &mut Report,
    ) {
        report.failed(side, failure);
        let (now, spread) = (self.clock.now(), self.randomness.spread());
        observation.trouble(&self.policy, side, failure, request, now, spread);
    }
}

/// What a search for the cases of a link came to.
#[derive(Default)]
struct Search {
    /// The cases, each with the mark of ours that it carries.
    found: Vec<(Case, Mark)>,
    /// Whether all cases were looked at.
    finished: bool,
}

/// The mark in the first of the communications that AWS did not write.
fn first_mark(case: &Case) -> Option<Mark> {
    let first = case.communications.iter().find(|communication| !communication.is_by_aws())?;
    Mark::of_text(&first.raw.body)
}

/// Adds what is not there yet. Pages that shift while they are read show a communication twice; equal ones within one
/// page are different communications.
fn union(all: &mut Vec<RawCommunication>, page: &[RawCommunication]) {
    for communication in page {
        let here = page.iter().filter(|other| *other == communication).count();
        let there = all.iter().filter(|other| *other == communication).count();
        if there < here {
            all.push(communication.clone());
        }
    }
}
