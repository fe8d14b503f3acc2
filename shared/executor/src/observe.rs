//! Reads of both sides, folded into the observation.

use casebridge_core::{
    failure::{Failure, Refusal},
    hint::Cause,
    identifiers::{AccountId, CaseId, CaseKey},
    link::{
        mark::{Mark, marks_in},
        pass::READ_REQUEST,
        trouble::Side,
    },
    servicenow::incident::Incident,
    support::{
        Pass,
        case::{Case, RawCommunication, fingerprint},
        memory::LinkedCase,
        reading::{OlderState, Reading, Span},
        unknown_case,
    },
};
use casebridge_ledger::{Ledger, LedgerError};
use casebridge_ports::{CasePage, CaseQuery, DescribedCase, Randomness, ServiceNow, Support, Timer, WakeQueue};
use futures_util::future::join3;
use jiff::{SignedDuration, Timestamp};

use crate::reconcile::{Executor, Report};

/// How many pages of communications are read of one case: 10,000 communications.
const COMMUNICATION_PAGES: usize = 100;
/// How many of the times in which two pages meet in equal texts are read by themselves: pages that shift have more.
const DOUBTFUL_SPANS: usize = 10;
/// How many pages of cases are searched for a case in doubt: 2,000 cases.
const SEARCH_PAGES: usize = 20;
/// How far a search for a case in doubt reaches back before its intent, for clocks that differ.
const SEARCH_MARGIN: SignedDuration = SignedDuration::from_hours(1);
/// What a time loses at most where an answer cuts it.
const ONE_SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The case that a described case is, as far as DescribeCases shows it.
pub fn case_from(described: &DescribedCase) -> Case {
    let DescribedCase { case_id, display_id, status, recent, .. } = described;
    Case {
        case_id: case_id.clone(),
        display_id: display_id.clone(),
        subject: described.subject.clone(),
        status: status.clone(),
        severity_code: described.severity_code.clone(),
        time_created: described.time_created,
        communications: recent.clone(),
        communications_complete: !described.more_communications,
        communications_are_later: false,
        fingerprint: fingerprint(case_id, display_id, status, recent),
    }
}

/// Which reads a pass makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// What a hint of this cause asks for.
    Hint(Cause),
    /// Both sides: somebody left word.
    Both,
    /// The case: a call ended in doubt.
    Case,
}

/// What DescribeCases showed of the link's case, and with how many calls.
struct Described {
    case: Result<Option<DescribedCase>, Failure>,
    calls: u32,
}

impl<L: Ledger, W: WakeQueue, S: ServiceNow, A: Support, C: Timer, R: Randomness> Executor<L, W, S, A, C, R> {
    /// Reads what the pass needs of both sides, side by side: the incident, its case, and the cases among which one may show
    /// up that was opened without an answer. The case of an incident that is gone is read as well, so that
    /// the poller does not find it changed again and again.
    pub(crate) async fn observe(
        &self,
        observation: &mut Pass,
        look: Look,
        report: &mut Report,
    ) -> Result<(), LedgerError> {
        let now = self.clock.now();
        let from_aws = matches!(look, Look::Hint(Cause::SupportEvent | Cause::CasePoll) | Look::Case);
        observation.incident_wanted |= !from_aws;
        observation.woken |= matches!(look, Look::Hint(Cause::Due | Cause::Wake));
        let reads_incident = look == Look::Both || observation.needs_incident();
        let linked = observation.link.memory.case.clone();
        let is_linked = linked.is_some();
        let incident = async {
            if reads_incident {
                let entries_since = observation.entries_since();
                Some(self.servicenow.snapshot(&observation.key, entries_since).await)
            } else {
                None
            }
        };
        let case = async {
            match &linked {
                Some(linked) => Some(self.describe(linked, now).await),
                None => None,
            }
        };
        let searched = observation.searched_cases(now);
        let search = async {
            let (account, written_at) = searched.as_ref()?;
            let mut calls = 0;
            let found = self.find_cases(observation, account, *written_at, &mut calls).await;
            Some((account.clone(), found, calls))
        };
        let (incident, case, search) = join3(incident, case, search).await;
        if let Some(read) = incident {
            report.calls += 1;
            self.take_in_incident(observation, read, report);
        }
        if let (Some(linked), Some(described)) = (linked, case) {
            report.calls += described.calls;
            self.take_in_case(observation, &linked, described.case, now, report).await;
        }
        if let Some((account, search, calls)) = search {
            report.calls += calls;
            self.take_in_search(observation, &account, search, now, report);
        }
        if is_linked { Ok(()) } else { self.observe_opening(observation, report).await }
    }

    fn take_in_incident(&self, observation: &mut Pass, read: Result<Option<Incident>, Failure>, report: &mut Report) {
        match read {
            Ok(Some(incident)) => observation.see_incident(&self.policy, incident, self.clock.now()),
            Ok(None) => observation.incident_gone = true,
            Err(Failure::Refused { refusal: Refusal::NotServed, .. }) if observation.see_not_served() => {}
            Err(failure) => self.note_failure(observation, Side::ServiceNow, &failure, READ_REQUEST, report),
        }
    }

    /// What a link without a case needs to know besides: whether its turn has come where its account opens no more cases for
    /// now, and whose the case is that its incident's columns name.
    async fn observe_opening(&self, observation: &mut Pass, report: &mut Report) -> Result<(), LedgerError> {
        if let Some(account) = observation.link.memory.waits_for_quota.as_ref().map(|wait| wait.account.clone()) {
            report.calls += 1;
            let first = self.ledger.first_waiter(&account).await?;
            observation.aws.first_in_line = Some(first.is_none_or(|first| first == observation.key));
        }
        let named = observation.incident.as_ref().map(|incident| &incident.summary.columns);
        if let Some(columns) =
            named.filter(|columns| observation.link.memory.case.is_none() && !columns.case_id.is_empty())
        {
            let account = AccountId::new(columns.account.as_str());
            let case = CaseKey::new(account, &CaseId::new(columns.case_id.as_str()));
            report.calls += 1;
            let owner = self.ledger.link_of_case(&case).await?;
            observation.aws.columns_of_another = owner.is_some_and(|owner| owner != observation.key);
        }
        Ok(())
    }

    /// The link's case. One whose id is not found is asked for by its number: the id changes with the language.
    async fn describe(&self, linked: &LinkedCase, now: Timestamp) -> Described {
        let query = CaseQuery::Ids(vec![linked.case_id.clone()]);
        let (mut found, mut calls) = (self.support.describe_cases(&linked.account, &query).await, 1);
        if is_not_found(&found)
            && let Some(display_id) = &linked.display_id
        {
            let query = CaseQuery::DisplayId(display_id.clone());
            found = self.support.describe_cases(&linked.account, &query).await;
            calls += 1;
        }
        let is_new = now.duration_since(linked.opened_at) < self.policy.unknown_outcome();
        if is_not_found(&found) && linked.display_id.is_none() && !is_new {
            found = self.find_by_key(linked, &mut calls).await.or(found);
        }
        let case = match found {
            Ok(page) => Ok(page.cases.into_iter().next()),
            // A case that was opened lately may not show yet; one that is gone for good is told to the agent.
            found if is_new && is_not_found(&found) => Ok(None),
            Err(failure) => Err(failure),
        };
        Described { case, calls }
    }

    /// The link's case among all of its account since it was opened: it got another id before its number was known.
    async fn find_by_key(&self, linked: &LinkedCase, calls: &mut u32) -> Result<CasePage, Failure> {
        let after = linked.opened_at.checked_sub(SEARCH_MARGIN).unwrap_or(linked.opened_at);
        let mut next = None;
        for _ in 0..SEARCH_PAGES {
            *calls += 1;
            let query = CaseQuery::Since { after, next };
            let page = self.support.describe_cases(&linked.account, &query).await?;
            let is_it = |case: &DescribedCase| CaseKey::new(linked.account.clone(), &case.case_id) == linked.key();
            if let Some(case) = page.cases.into_iter().find(is_it) {
                return Ok(CasePage { cases: vec![case], next: None });
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let message = "AWS Support does not show the case under any id".to_owned();
        Err(Failure::Refused { refusal: Refusal::NotFound, message })
    }

    async fn take_in_case(
        &self,
        observation: &mut Pass,
        linked: &LinkedCase,
        described: Result<Option<DescribedCase>, Failure>,
        now: Timestamp,
        report: &mut Report,
    ) {
        let described = match described {
            Ok(Some(described)) => described,
            Ok(None) => return,
            Err(failure) => return self.note_failure(observation, Side::Aws, &failure, READ_REQUEST, report),
        };
        let case = case_from(&described);
        if !observation.needs_all_communications(&self.policy, &case, now) {
            return observation.see_case(&self.policy, case, now);
        }
        let since = observation.communications_since();
        match self.whole_case(&linked.account, &described, since, &mut report.calls).await {
            Ok(case) => observation.see_case(&self.policy, case, now),
            Err(failure) => self.note_failure(observation, Side::Aws, &failure, READ_REQUEST, report),
        }
    }

    /// Takes in what a look through the cases of an account has found.
    fn take_in_search(
        &self,
        observation: &mut Pass,
        account: &AccountId,
        search: Result<Search, Failure>,
        now: Timestamp,
        report: &mut Report,
    ) {
        let search = match search {
            Ok(search) => search,
            Err(failure) => return self.note_failure(observation, Side::Aws, &failure, READ_REQUEST, report),
        };
        if observation.is_opening() {
            return self.take_in_opened(observation, account, search, now, report);
        }
        for (case, mark) in &search.found {
            report.doubles += u32::from(observation.see_double(account, &case.case_id, mark, now));
        }
        if search.finished {
            observation.looked_for_late_cases(account, now);
        }
    }

    /// Takes in the cases of a CreateCase whose answer never came.
    fn take_in_opened(
        &self,
        observation: &mut Pass,
        account: &AccountId,
        search: Search,
        now: Timestamp,
        report: &mut Report,
    ) {
        let Search { mut found, finished } = search;
        // Of several the oldest goes on.
        found.sort_by_key(|(case, _)| case.time_created);
        let mut found = found.into_iter();
        if let Some((case, _)) = found.next() {
            observation.settle_open_case(&self.policy, Some(&case.case_id), now);
            observation.see_case(&self.policy, case, now);
            for (double, mark) in found {
                report.doubles += u32::from(observation.see_double(account, &double.case_id, &mark, now));
            }
        } else if finished {
            observation.settle_open_case(&self.policy, None, now);
        }
    }

    /// What the pages show of a case's communications since a moment, and whether the last page was reached.
    async fn all_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        since: Option<Timestamp>,
        calls: &mut u32,
    ) -> Result<(Reading, bool), Failure> {
        let mut reading = Reading::default();
        let mut next: Option<String> = None;
        let mut complete = false;
        for _ in 0..COMMUNICATION_PAGES {
            *calls += 1;
            let span = Span { after: since, before: None };
            let page = self.support.describe_communications(account, case_id, span, next.as_deref()).await?;
            reading.page(&page.communications);
            next = page.next;
            if next.is_none() {
                complete = true;
                break;
            }
        }
        for span in reading.doubtful().into_iter().take(DOUBTFUL_SPANS) {
            *calls += 1;
            let answer = self.support.describe_communications(account, case_id, span, None).await?;
            if answer.next.is_none() {
                reading.join(&answer.communications).map_err(unavailable)?;
            }
        }
        Ok((reading, complete))
    }

    /// All cases of the account whose first communication carries a mark of the link.
    async fn find_cases(
        &self,
        observation: &Pass,
        account: &AccountId,
        written_at: Timestamp,
        calls: &mut u32,
    ) -> Result<Search, Failure> {
        let after = written_at.checked_sub(SEARCH_MARGIN).unwrap_or(written_at);
        let mut search = Search::default();
        let mut next = None;
        for _ in 0..SEARCH_PAGES {
            let query = CaseQuery::Since { after, next };
            *calls += 1;
            let page = self.support.describe_cases(account, &query).await?;
            let may_be_ours = |described: &&DescribedCase| {
                described.time_created >= after && observation.may_be_own_case(&self.policy, &described.subject)
            };
            for described in page.cases.iter().filter(may_be_ours) {
                let case = self.whole_case(account, described, None, calls).await?;
                let ours = marks_of(&case)
                    .into_iter()
                    .find(|mark| observation.is_own_case_mark(&self.policy, mark, &case.subject));
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

    /// A case and the marks that its first communication carries, if the case can be read and is young enough to be ours.
    pub(crate) async fn marked_case(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        calls: &mut u32,
    ) -> Result<Option<(Case, Vec<Mark>)>, Failure> {
        *calls += 1;
        let page = self.support.describe_cases(account, &CaseQuery::Ids(vec![case_id.clone()])).await?;
        let is_candidate = |case: &&DescribedCase| unknown_case::is_young_enough(case.time_created, self.clock.now());
        let Some(described) = page.cases.first().filter(is_candidate) else { return Ok(None) };
        let case = self.whole_case(account, described, None, calls).await?;
        let marks = marks_of(&case);
        Ok(Some((case, marks)))
    }

    /// The case with all its communications since a moment, read if there are more than the most recent ones.
    async fn whole_case(
        &self,
        account: &AccountId,
        described: &DescribedCase,
        since: Option<Timestamp>,
        calls: &mut u32,
    ) -> Result<Case, Failure> {
        if !described.more_communications {
            return Ok(case_from(described));
        }
        // A second earlier: a time may be cut in one answer and not in another.
        let asked_since = since.map(|since| since.checked_sub(ONE_SECOND).unwrap_or(since));
        let (mut reading, complete) = self.all_communications(account, &described.case_id, asked_since, calls).await?;
        reading.join_recent(&described.recent, since).map_err(unavailable)?;
        Ok(Case {
            communications: reading.into_communications(),
            communications_complete: complete,
            communications_are_later: true,
            ..case_from(described)
        })
    }

    /// Notes a read that failed.
    pub(crate) fn note_failure(
        &self,
        observation: &mut Pass,
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

/// The marks in the first of the communications that AWS did not write: in all of its second, since an answer may cut times.
fn marks_of(case: &Case) -> Vec<Mark> {
    let by_others = || case.communications.iter().filter(|communication| !communication.is_by_aws());
    let second = |communication: &RawCommunication| communication.time_created.as_second();
    let first = by_others().map(second).min();
    by_others().filter(|other| Some(second(other)) == first).flat_map(|other| marks_in(&other.body)).collect()
}

fn is_not_found(found: &Result<CasePage, Failure>) -> bool {
    matches!(found, Err(Failure::Refused { refusal: Refusal::NotFound, .. }))
}

fn unavailable(older: OlderState) -> Failure {
    Failure::Unavailable { message: older.to_string(), retry_at: None }
}
