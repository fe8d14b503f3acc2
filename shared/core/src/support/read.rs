//! The reads of a pass over a Support case, step by step: what is asked next, and what an answer means.
//!
//! The link's case is asked for by its id, then by its number, then looked for by its key: the id changes with the language.
//! Where the most recent communications are not enough, all that are not settled are read, a page at a time. Beside it, the
//! cases of an account are searched for one that was opened without an answer. A link without a case asks the ledger at the
//! end whether its turn has come, and whose the case is that its incident's columns name.

use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};

use crate::{
    failure::{Failure, Refusal},
    identifiers::{AccountId, CaseId, CaseKey, DisplayId, LinkKey},
    link::{
        intent::Illegal,
        mark::{Mark, marks_in},
        trouble::{Request, Side},
    },
    policy::Policy,
    support::{
        Pass,
        case::{Case, CaseStatus, RawCommunication, fingerprint},
        memory::LinkedCase,
        reading::{OlderState, Reading, Span},
        search::CaseSearch,
    },
};

/// How many pages of communications are read of one case: 10,000 communications.
const COMMUNICATION_PAGES: usize = 100;
/// How many of the times in which two pages meet in equal texts are read by themselves: pages that shift have more.
const DOUBTFUL_SPANS: usize = 10;
/// How many pages of cases are looked through: 2,000 cases.
pub(super) const SEARCH_PAGES: usize = 20;
/// How far a look through an account's cases reaches back before the call that opened the case, for clocks that differ.
pub(super) const SEARCH_MARGIN: SignedDuration = SignedDuration::from_hours(1);
/// What a time loses at most where an answer cuts it.
const ONE_SECOND: SignedDuration = SignedDuration::from_secs(1);

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
    /// When it was opened, by AWS's clock.
    pub time_created: Timestamp,
    /// The most recent communications, at most five.
    pub recent: Vec<RawCommunication>,
    /// Whether there may be more than these.
    pub more_communications: bool,
}

/// The case, as far as DescribeCases shows it.
impl From<&DescribedCase> for Case {
    fn from(described: &DescribedCase) -> Self {
        let DescribedCase { case_id, display_id, status, recent, .. } = described;
        Self {
            case_id: case_id.clone(),
            display_id: display_id.clone(),
            subject: described.subject.clone(),
            status: status.clone(),
            time_created: described.time_created,
            communications: recent.clone(),
            communications_complete: !described.more_communications,
            communications_are_later: false,
            fingerprint: fingerprint(case_id, display_id, status, recent),
        }
    }
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

/// What is asked of AWS Support, or of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// DescribeCases: one page.
    Cases {
        /// The account.
        account: AccountId,
        /// Which cases.
        query: CaseQuery,
    },
    /// DescribeCommunications: one page.
    Communications {
        /// The account that owns the case.
        account: AccountId,
        /// The case.
        case_id: CaseId,
        /// From when to when.
        span: Span,
        /// Where to go on.
        next: Option<String>,
    },
    /// Which link waits first for the account's quota of new cases. Asked of the ledger.
    FirstWaiter {
        /// The account.
        account: AccountId,
    },
    /// Which link a case belongs to. Asked of the ledger.
    LinkOfCase {
        /// The case.
        case: CaseKey,
    },
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Cases`].
    Cases(CasePage),
    /// To [`Question::Communications`].
    Communications(CommunicationPage),
    /// To [`Question::FirstWaiter`] and [`Question::LinkOfCase`]: none where there is no such link.
    Link(Option<LinkKey>),
}

impl Answer {
    fn cases(self) -> Result<CasePage, Illegal> {
        if let Self::Cases(page) = self { Ok(page) } else { Err(Illegal::NotAsked) }
    }

    fn communications(self) -> Result<CommunicationPage, Illegal> {
        if let Self::Communications(page) = self { Ok(page) } else { Err(Illegal::NotAsked) }
    }

    fn link(self) -> Result<Option<LinkKey>, Illegal> {
        if let Self::Link(link) = self { Ok(link) } else { Err(Illegal::NotAsked) }
    }
}

/// What an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The link's case.
    LinkedCase,
    /// The search for a case that was opened without an answer.
    Search,
    /// Whether the account opens a case for this link now.
    Turn,
    /// Whose the case is that the incident's columns name.
    Columns,
}

/// A read that a pass asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    purpose: Purpose,
    /// What is asked.
    pub question: Question,
}

/// The reads of a pass that are under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reads {
    /// When the look began, by our clock: all that it shows is as of then.
    began: Timestamp,
    case: Option<CaseReader>,
    search: Option<CaseSearch>,
    /// Whether a read of AWS has failed in this look.
    failed: bool,
    /// Whether what a link without a case asks at the end is still to be asked.
    asks_ledger: bool,
}

impl Pass {
    /// Begins a look at the AWS side, at `now`.
    pub(super) fn begin_reads(&mut self, now: Timestamp) {
        let linked = self.link.memory.case.clone();
        self.aws.reads = Reads {
            began: now,
            asks_ledger: linked.is_none(),
            case: linked.map(CaseReader::new),
            failed: false,
            search: self.searched_cases(now).map(|(account, written_at)| CaseSearch::new(account, written_at)),
        };
    }

    /// The reads that come next, side by side; none when the look is over.
    pub(super) fn next_aws_reads(&mut self) -> Vec<Read> {
        let reads = &self.aws.reads;
        let case = reads.case.as_ref().map(|reader| Read { purpose: Purpose::LinkedCase, question: reader.question() });
        let search = reads.search.as_ref().map(|search| Read { purpose: Purpose::Search, question: search.question() });
        let next: Vec<Read> = case.into_iter().chain(search).collect();
        // What is asked last depends on the incident, which this round may still read.
        let is_last = next.is_empty() && !self.asks_for_incident;
        if is_last && std::mem::take(&mut self.aws.reads.asks_ledger) { self.ledger_reads() } else { next }
    }

    /// What a link without a case asks the ledger, once its incident is read.
    fn ledger_reads(&self) -> Vec<Read> {
        let waits = self.link.memory.waits_for_quota.as_ref();
        let turn = waits.map(|wait| Question::FirstWaiter { account: wait.account.clone() });
        let named = self.incident.as_ref().map(|incident| &incident.summary.columns);
        let unlinked = named.filter(|columns| self.link.memory.case.is_none() && !columns.case_id.is_empty());
        let columns = unlinked.map(|columns| {
            let account = AccountId::new(columns.account.as_str());
            Question::LinkOfCase { case: CaseKey::new(account, &CaseId::new(columns.case_id.as_str())) }
        });
        let turn = turn.map(|question| Read { purpose: Purpose::Turn, question });
        turn.into_iter().chain(columns.map(|question| Read { purpose: Purpose::Columns, question })).collect()
    }

    /// Takes in the answer to a read. Returns the failure of what was read, if it counts as one.
    pub(super) fn see_aws(
        &mut self,
        policy: &Policy,
        read: &Read,
        answer: Result<Answer, Failure>,
    ) -> Result<Option<Failure>, Illegal> {
        let answer = match (read.purpose, answer) {
            (Purpose::LinkedCase, answer) => {
                return self.see_linked_case(policy, answer).map(|seen| self.note_failure(seen));
            }
            (Purpose::Search, answer) => return self.see_search(policy, answer).map(|seen| self.note_failure(seen)),
            (Purpose::Turn | Purpose::Columns, Err(failure)) => return Ok(Some(failure)),
            (Purpose::Turn | Purpose::Columns, Ok(answer)) => answer.link()?,
        };
        match read.purpose {
            Purpose::Turn => self.aws.first_in_line = Some(answer.is_none_or(|first| first == self.key)),
            _ => self.aws.columns_of_another = answer.is_some_and(|owner| owner != self.key),
        }
        Ok(None)
    }

    fn see_linked_case(
        &mut self,
        policy: &Policy,
        answer: Result<Answer, Failure>,
    ) -> Result<Option<Failure>, Illegal> {
        let began = self.aws.reads.began;
        let mut reader = self.aws.reads.case.take().ok_or(Illegal::NotAsked)?;
        match reader.see(policy, began, answer)? {
            CaseProgress::Asks => self.aws.reads.case = Some(reader),
            CaseProgress::Nothing => {}
            CaseProgress::Failed(failure) => return Ok(Some(failure)),
            CaseProgress::Described(described) => {
                let case = Case::from(&described);
                if self.needs_all_communications(policy, &case, began) {
                    reader.read_communications(described, self.communications_since());
                    self.aws.reads.case = Some(reader);
                } else {
                    self.see_case(policy, case, began);
                }
            }
            CaseProgress::Whole(case) => self.see_case(policy, case, began),
        }
        Ok(None)
    }

    /// Notes whether a read of AWS has failed.
    fn note_failure(&mut self, seen: Option<Failure>) -> Option<Failure> {
        self.aws.reads.failed |= seen.is_some();
        seen
    }

    /// Ends the trouble with reading once all of a look was read. While a search is under way beside the case it stays: should
    /// the search fail, it is its earlier failures that say how long to wait.
    pub(super) fn end_trouble_with_reading(&mut self) {
        let reads = &self.aws.reads;
        if reads.search.is_none() && !reads.failed {
            self.link.troubles.end(Side::Aws, |trouble| trouble.request == Request::Read);
        }
    }

    fn see_search(&mut self, policy: &Policy, answer: Result<Answer, Failure>) -> Result<Option<Failure>, Illegal> {
        let began = self.aws.reads.began;
        let mut search = self.aws.reads.search.take().ok_or(Illegal::NotAsked)?;
        let seen = match answer {
            Ok(answer) => search.see(policy, self, answer)?,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = seen {
            return Ok(Some(failure));
        }
        if search.is_over() {
            let ends_in_vain = search.ends_in_vain();
            self.take_in_search(policy, search, began);
            if ends_in_vain {
                let message =
                    format!("more than {SEARCH_PAGES} pages of cases were opened since the case that is searched");
                return Ok(Some(Failure::Unavailable { message, retry_at: None }));
            }
            if self.aws.case.is_some() {
                self.end_trouble_with_reading();
            }
        } else {
            self.aws.reads.search = Some(search);
        }
        Ok(None)
    }
}

/// How far the reading of a case has come.
enum CaseProgress {
    /// It asks on.
    Asks,
    /// AWS does not show the case yet.
    Nothing,
    /// It can't be read.
    Failed(Failure),
    /// The case as DescribeCases shows it.
    Described(DescribedCase),
    /// The case with all communications that were asked for.
    Whole(Case),
}

/// Reads the link's case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CaseReader {
    linked: LinkedCase,
    step: CaseStep,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum CaseStep {
    ById,
    ByNumber(DisplayId),
    /// Among all cases of the account since it was opened: it got another id before its number was known.
    ByKey {
        /// How many pages were read.
        pages: usize,
        next: Option<String>,
        /// What AWS said of its id.
        not_found: Failure,
    },
    Communications(CommunicationReader),
}

impl CaseReader {
    fn new(linked: LinkedCase) -> Self {
        Self { linked, step: CaseStep::ById }
    }

    fn read_communications(&mut self, described: DescribedCase, since: Option<Timestamp>) {
        self.step = CaseStep::Communications(CommunicationReader::new(described, since));
    }

    fn question(&self) -> Question {
        let account = self.linked.account.clone();
        let query = match &self.step {
            CaseStep::Communications(reader) => return reader.question(account),
            CaseStep::ById => CaseQuery::Ids(vec![self.linked.case_id.clone()]),
            CaseStep::ByNumber(display_id) => CaseQuery::DisplayId(display_id.clone()),
            CaseStep::ByKey { next, .. } => {
                let opened_at = self.linked.opened_at;
                let after = opened_at.checked_sub(SEARCH_MARGIN).unwrap_or(opened_at);
                CaseQuery::Since { after, next: next.clone() }
            }
        };
        Question::Cases { account, query }
    }

    fn see(
        &mut self,
        policy: &Policy,
        began: Timestamp,
        answer: Result<Answer, Failure>,
    ) -> Result<CaseProgress, Illegal> {
        let is_new = began.duration_since(self.linked.opened_at) < policy.unknown_outcome();
        match (&mut self.step, answer) {
            (CaseStep::Communications(reader), Ok(answer)) => Ok(match reader.see(answer.communications()?) {
                Ok(None) => CaseProgress::Asks,
                Ok(Some(case)) => CaseProgress::Whole(case),
                Err(failure) => CaseProgress::Failed(failure),
            }),
            (CaseStep::ByKey { .. }, Ok(answer)) => Ok(self.see_page(answer.cases()?)),
            // Whatever fails while it is looked for: what counts is that its id is not found.
            (CaseStep::ByKey { not_found, .. }, Err(_)) => Ok(CaseProgress::Failed(not_found.clone())),
            (CaseStep::ById | CaseStep::ByNumber(_), Ok(answer)) => {
                let described = answer.cases()?.cases.into_iter().next();
                Ok(described.map_or(CaseProgress::Nothing, CaseProgress::Described))
            }
            (CaseStep::ById | CaseStep::ByNumber(_), Err(failure)) if is_not_found(&failure) => {
                Ok(self.not_found(failure, is_new))
            }
            (CaseStep::ById | CaseStep::ByNumber(_) | CaseStep::Communications(_), Err(failure)) => {
                Ok(CaseProgress::Failed(failure))
            }
        }
    }

    /// Goes on with the next way to find the case. One that was opened lately may not show yet; one that is gone for good is
    /// told to the agent.
    fn not_found(&mut self, failure: Failure, is_new: bool) -> CaseProgress {
        match (&self.step, &self.linked.display_id) {
            (CaseStep::ById, Some(display_id)) => self.step = CaseStep::ByNumber(display_id.clone()),
            _ if is_new => return CaseProgress::Nothing,
            (CaseStep::ById, None) => self.step = CaseStep::ByKey { pages: 0, next: None, not_found: failure },
            _ => return CaseProgress::Failed(failure),
        }
        CaseProgress::Asks
    }

    fn see_page(&mut self, page: CasePage) -> CaseProgress {
        let CaseStep::ByKey { pages, next, not_found } = &mut self.step else { return CaseProgress::Nothing };
        let key = self.linked.key();
        let is_it = |case: &DescribedCase| CaseKey::new(self.linked.account.clone(), &case.case_id) == key;
        if let Some(described) = page.cases.into_iter().find(is_it) {
            return CaseProgress::Described(described);
        }
        *pages += 1;
        *next = page.next;
        if next.is_some() && *pages < SEARCH_PAGES {
            return CaseProgress::Asks;
        }
        CaseProgress::Failed(not_found.clone())
    }
}

fn is_not_found(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused { refusal: Refusal::NotFound, .. })
}

fn unavailable(older: OlderState) -> Failure {
    Failure::Unavailable { message: older.to_string(), retry_at: None }
}

/// Reads all communications of a case since a moment, a page at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommunicationReader {
    described: DescribedCase,
    since: Option<Timestamp>,
    reading: Reading,
    step: CommunicationStep,
    /// Whether the last page was reached.
    is_complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum CommunicationStep {
    /// After this many pages.
    Page { pages: usize, next: Option<String> },
    /// Times in which pages met in equal texts, the last one next.
    Doubtful(Vec<Span>),
}

impl CommunicationReader {
    pub(super) fn new(described: DescribedCase, since: Option<Timestamp>) -> Self {
        let step = CommunicationStep::Page { pages: 0, next: None };
        Self { described, since, reading: Reading::default(), step, is_complete: false }
    }

    pub(super) fn question(&self, account: AccountId) -> Question {
        let (span, next) = match &self.step {
            CommunicationStep::Page { next, .. } => {
                // A second earlier: a time may be cut in one answer and not in another.
                let after = self.since.map(|since| since.checked_sub(ONE_SECOND).unwrap_or(since));
                (Span { after, before: None }, next.clone())
            }
            CommunicationStep::Doubtful(spans) => (spans.last().copied().unwrap_or_default(), None),
        };
        Question::Communications { account, case_id: self.described.case_id.clone(), span, next }
    }

    /// Takes in a page. Returns the case once all is read; fails where two answers are of different ages.
    pub(super) fn see(&mut self, page: CommunicationPage) -> Result<Option<Case>, Failure> {
        match &mut self.step {
            CommunicationStep::Page { pages, next } => {
                self.reading.page(&page.communications);
                *pages += 1;
                *next = page.next;
                self.is_complete = next.is_none();
                if !self.is_complete && *pages < COMMUNICATION_PAGES {
                    return Ok(None);
                }
                let mut spans = self.reading.doubtful();
                spans.truncate(DOUBTFUL_SPANS);
                spans.reverse();
                self.step = CommunicationStep::Doubtful(spans);
            }
            CommunicationStep::Doubtful(spans) => {
                spans.pop();
                if page.next.is_none() {
                    self.reading.join(&page.communications).map_err(unavailable)?;
                }
            }
        }
        if matches!(&self.step, CommunicationStep::Doubtful(spans) if spans.is_empty()) {
            return self.whole_case().map(Some);
        }
        Ok(None)
    }

    fn whole_case(&mut self) -> Result<Case, Failure> {
        self.reading.join_recent(&self.described.recent, self.since).map_err(unavailable)?;
        Ok(Case {
            communications: std::mem::take(&mut self.reading).into_communications(),
            communications_complete: self.is_complete,
            communications_are_later: true,
            ..Case::from(&self.described)
        })
    }
}

/// The marks in the first of the communications that AWS did not write: in all of its second, since an answer may cut times.
pub(super) fn marks_of(case: &Case) -> Vec<Mark> {
    let by_others = || case.communications.iter().filter(|communication| !communication.is_by_aws());
    let second = |communication: &RawCommunication| communication.time_created.as_second();
    let first = by_others().map(second).min();
    by_others().filter(|other| Some(second(other)) == first).flat_map(|other| marks_in(&other.body)).collect()
}

/// Reads one case that no link is known of, for the marks that its first communication carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrangeCaseReader {
    account: AccountId,
    case_id: CaseId,
    communications: Option<CommunicationReader>,
}

impl StrangeCaseReader {
    /// Begins to read a case.
    pub fn new(account: AccountId, case_id: CaseId) -> Self {
        Self { account, case_id, communications: None }
    }

    /// What is asked next.
    pub fn question(&self) -> Question {
        let account = self.account.clone();
        match &self.communications {
            Some(reader) => reader.question(account),
            None => Question::Cases { account, query: CaseQuery::Ids(vec![self.case_id.clone()]) },
        }
    }

    /// Takes in an answer. Breaks with the case, or with none if it is not there or is too old for its mark to matter; with
    /// the failure where two answers are of different ages.
    ///
    /// # Errors
    ///
    /// Fails if the answer is to another question.
    pub fn see(
        &mut self,
        answer: Answer,
        is_young_enough: impl Fn(Timestamp) -> bool,
    ) -> Result<ControlFlow<Result<Option<Case>, Failure>>, Illegal> {
        if let Some(reader) = &mut self.communications {
            return Ok(match reader.see(answer.communications()?) {
                Ok(None) => ControlFlow::Continue(()),
                Ok(Some(case)) => ControlFlow::Break(Ok(Some(case))),
                Err(failure) => ControlFlow::Break(Err(failure)),
            });
        }
        let described = answer.cases()?.cases.into_iter().next();
        let Some(described) = described.filter(|described| is_young_enough(described.time_created)) else {
            return Ok(ControlFlow::Break(Ok(None)));
        };
        if !described.more_communications {
            return Ok(ControlFlow::Break(Ok(Some(Case::from(&described)))));
        }
        self.communications = Some(CommunicationReader::new(described, None));
        Ok(ControlFlow::Continue(()))
    }
}
