//! The reads of a pass over a Support case, step by step: what is asked next, and what an answer means.
//!
//! The link's case is asked for by its id. The id changes with the language, so a case that is not found is asked for
//! by its number, or searched by its key if the number is not known. If the most recent communications are not enough,
//! all that are not settled are read, a page at a time. At the same time, the cases of an account are searched for the
//! case of a CreateCase that was not answered. At the end, a link without a case asks the ledger whether its turn has
//! come, and which link has the case that its incident's columns name.

use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};

use crate::{
    failure::{Failure, Refusal},
    file::transfer::Transfer,
    identifiers::{AccountId, CaseId, CaseKey, DisplayId, LinkKey, TransferId},
    link::{
        intent::Illegal,
        kind::FailedRead,
        mark::{Mark, marks_in},
    },
    policy::Policy,
    servicenow::columns::ACCOUNT,
    support::{
        Pass,
        case::{Case, CaseStatus, RawCommunication, fingerprint},
        columns::CASE_ID,
        files::TRANSFERS_PER_LOOK,
        memory::LinkedCase,
        reading::{OlderState, Reading, Span},
        search::CaseSearch,
    },
    time,
};

/// How many pages of communications of one case are read at most: 10,000 communications, ten times as many as a link
/// remembers. By the account's quota of five calls a second they take 20 seconds, a third of the reconciler's minute.
/// Source: AWS Support endpoints and quotas.
const COMMUNICATION_PAGES: usize = 100;
/// How many of the spans in which two pages meet in equal texts are read by themselves, at most. Pages that shift
/// while they are read have more of them. Each takes a call, and by the account's quota of five calls a second ten
/// take two seconds. Elsewhere equal texts of two pages count as one communication.
const DOUBTFUL_SPANS: usize = 10;
/// How many pages of cases are searched at most: 2,000 cases. By the quota of ten new cases an hour, an account opens
/// some 250 in the day that a CreateCase counts as undecided. Source: AWS Support endpoints and quotas.
pub(super) const SEARCH_PAGES: usize = 20;
/// How far before the CreateCase a search through an account's cases begins, since clocks differ.
pub(super) const SEARCH_MARGIN: SignedDuration = SignedDuration::from_hours(1);
/// By how much an answer that cuts a time changes it, at most.
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
    /// Its service code, or empty.
    pub service_code: String,
    /// Its category code, or empty.
    pub category_code: String,
    /// Its severity code, or empty.
    pub severity_code: String,
    /// When it was opened, by AWS's clock.
    pub time_created: Timestamp,
    /// The most recent communications, at most five.
    pub recent: Vec<RawCommunication>,
    /// Whether the case may have more than these.
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
            service_code: described.service_code.clone(),
            category_code: described.category_code.clone(),
            severity_code: described.severity_code.clone(),
            time_created: described.time_created,
            communications: recent.clone(),
            communications_complete: !described.more_communications,
            communications_are_later: false,
            fingerprint: fingerprint(case_id, display_id, status, &described.severity_code, recent),
        }
    }
}

/// Which cases to describe; resolved ones are always included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseQuery {
    /// These, at most 100. One unknown id fails the whole call.
    Ids(Vec<CaseId>),
    /// The one with this number. It stays when the language of a case changes; its id does not.
    DisplayId(DisplayId),
    /// All with activity since then, a page at a time.
    Since {
        /// By AWS's clock.
        after: Timestamp,
        /// Where to go on; `None` for the first page.
        next: Option<String>,
    },
}

/// A page of cases.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CasePage {
    /// The cases.
    pub cases: Vec<DescribedCase>,
    /// Where the next page starts; `None` after the last page.
    pub next: Option<String>,
}

/// A page of communications.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommunicationPage {
    /// The communications.
    pub communications: Vec<RawCommunication>,
    /// Where the next page starts; `None` after the last page.
    pub next: Option<String>,
}

/// A question to AWS Support or to the ledger.
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
        /// From when to when they were written.
        span: Span,
        /// Where to go on; `None` for the first page.
        next: Option<String>,
    },
    /// Which link is the first that waits for the account's quota of new cases. Asked of the ledger.
    FirstWaiter {
        /// The account.
        account: AccountId,
    },
    /// Which link a case belongs to. Asked of the ledger.
    LinkOfCase {
        /// The case.
        case: CaseKey,
    },
    /// How far a transfer of files has come. Asked of the ledger.
    Transfer {
        /// The link.
        link: LinkKey,
        /// The transfer.
        transfer: TransferId,
    },
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::Cases`].
    Cases(CasePage),
    /// To [`Question::Communications`].
    Communications(CommunicationPage),
    /// To [`Question::FirstWaiter`] and [`Question::LinkOfCase`]; `None` if there is no such link.
    Link(Option<LinkKey>),
    /// To [`Question::Transfer`]; `None` if there is no such transfer.
    Transfer(Option<Box<Transfer>>),
}

impl Answer {
    fn cases(self) -> Result<CasePage, Illegal> {
        if let Self::Cases(page) = self { Ok(page) } else { Err(Illegal::NotAsked) }
    }

    fn communications(self) -> Result<CommunicationPage, Illegal> {
        if let Self::Communications(page) = self { Ok(page) } else { Err(Illegal::NotAsked) }
    }

    fn transfer(self) -> Result<Option<Box<Transfer>>, Illegal> {
        if let Self::Transfer(transfer) = self { Ok(transfer) } else { Err(Illegal::NotAsked) }
    }

    fn link(self) -> Result<Option<LinkKey>, Illegal> {
        if let Self::Link(link) = self { Ok(link) } else { Err(Illegal::NotAsked) }
    }
}

/// What a read is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The link's case.
    LinkedCase,
    /// The search for the case of a CreateCase that was not answered.
    Search,
    /// Whether the account opens a case for this link now.
    FirstInLine,
    /// Which link has the case that the incident's columns name.
    Columns,
    /// How far a transfer of files has come.
    Transfer,
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
    /// When the look began, by our clock. All its answers count as of then.
    began: Timestamp,
    case: Option<CaseReader>,
    search: Option<CaseSearch>,
    /// Whether the ledger has still to be asked what a link without a case asks at the end.
    asks_ledger: bool,
    /// The transfers that the ledger has still to be asked for.
    transfers: Vec<TransferId>,
}

impl Pass {
    /// Begins a look at the AWS side, at `now`.
    pub(super) fn begin_reads(&mut self, now: Timestamp) {
        let linked = self.link.memory.case.clone();
        self.renew_files(now);
        let mut transfers = self.transfers_under_way();
        transfers.truncate(TRANSFERS_PER_LOOK);
        self.aws.reads = Reads {
            transfers,
            began: now,
            asks_ledger: linked.is_none(),
            case: linked.map(CaseReader::new),
            search: self.searched_cases(now).map(|(account, written_at)| CaseSearch::new(account, written_at)),
        };
    }

    /// Returns the next reads, to be made concurrently. Returns none when the look is over.
    pub(super) fn next_aws_reads(&mut self) -> Vec<Read> {
        let reads = &self.aws.reads;
        let case = reads.case.as_ref().map(|reader| Read { purpose: Purpose::LinkedCase, question: reader.question() });
        let search = reads.search.as_ref().map(|search| Read { purpose: Purpose::Search, question: search.question() });
        let link = &self.key;
        let transfers = std::mem::take(&mut self.aws.reads.transfers).into_iter().map(|transfer| Read {
            purpose: Purpose::Transfer,
            question: Question::Transfer { link: link.clone(), transfer },
        });
        let next: Vec<Read> = case.into_iter().chain(search).chain(transfers).collect();
        // The questions to the ledger depend on the incident, which this round may still read.
        let is_last = next.is_empty() && !self.asks_for_incident;
        if is_last && std::mem::take(&mut self.aws.reads.asks_ledger) { self.ledger_reads() } else { next }
    }

    /// Returns the questions that a link without a case asks the ledger, once its incident is read.
    fn ledger_reads(&self) -> Vec<Read> {
        let waits = self.link.memory.waits_for_quota.as_ref();
        let turn = waits.map(|wait| Question::FirstWaiter { account: wait.account.clone() });
        let named = self.incident.as_ref().map(|incident| &incident.summary.columns);
        let unlinked = named.filter(|columns| self.link.memory.case.is_none() && !columns.own(CASE_ID).is_empty());
        let columns = unlinked.map(|columns| {
            let account = AccountId::new(columns.own(ACCOUNT));
            Question::LinkOfCase { case: CaseKey::new(account, &CaseId::new(columns.own(CASE_ID))) }
        });
        let turn = turn.map(|question| Read { purpose: Purpose::FirstInLine, question });
        turn.into_iter().chain(columns.map(|question| Read { purpose: Purpose::Columns, question })).collect()
    }

    /// Takes in the answer to a read. Returns the failure of the read, if it counts as one.
    pub(super) fn see_aws(
        &mut self,
        policy: &Policy,
        read: &Read,
        answer: Result<Answer, Failure>,
    ) -> Result<Option<FailedRead>, Illegal> {
        match (read.purpose, answer) {
            (Purpose::LinkedCase, answer) => {
                return self.see_linked_case(policy, answer).map(|seen| seen.map(FailedRead::Delays));
            }
            (Purpose::Search, answer) => return self.see_search(policy, answer),
            (Purpose::FirstInLine | Purpose::Columns | Purpose::Transfer, Err(failure)) => {
                return Ok(Some(FailedRead::Delays(failure)));
            }
            (Purpose::FirstInLine, Ok(answer)) => {
                self.aws.first_in_line = Some(answer.link()?.is_none_or(|first| first == self.key));
            }
            (Purpose::Transfer, Ok(answer)) => {
                let Question::Transfer { transfer, .. } = &read.question else { return Err(Illegal::NotAsked) };
                let began = self.aws.reads.began;
                self.see_transfer(policy, transfer, answer.transfer()?.as_deref(), began);
            }
            (Purpose::Columns, Ok(answer)) => {
                self.aws.columns_of_another = answer.link()?.is_some_and(|owner| owner != self.key);
            }
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

    fn see_search(&mut self, policy: &Policy, answer: Result<Answer, Failure>) -> Result<Option<FailedRead>, Illegal> {
        let began = self.aws.reads.began;
        let mut search = self.aws.reads.search.take().ok_or(Illegal::NotAsked)?;
        let seen = match answer {
            Ok(answer) => search.see(policy, self, answer)?,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = seen {
            return Ok(Some(self.search_failed(policy, &search, failure)));
        }
        if search.is_over() {
            let failure = search.problem(self);
            let failed = failure.map(|failure| self.search_failed(policy, &search, failure));
            self.take_in_search(policy, search, began);
            Ok(failed)
        } else {
            self.aws.reads.search = Some(search);
            Ok(None)
        }
    }

    /// Returns what the failure of a search delays. Without the case of a CreateCase in doubt nothing can be sent. Cases
    /// that were given up are looked for again later: their account may be another one than that of the link's case.
    fn search_failed(&mut self, policy: &Policy, search: &CaseSearch, failure: Failure) -> FailedRead {
        if self.is_opening() {
            return FailedRead::Delays(failure);
        }
        self.put_off_late_cases(policy, search.account(), search.written_at(), self.aws.reads.began);
        FailedRead::Alone(failure)
    }
}

/// How far the reading of a case has come.
enum CaseProgress {
    /// It has another question.
    Asks,
    /// AWS does not show the case yet.
    Nothing,
    /// The read failed.
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
#[expect(clippy::large_enum_variant, reason = "a pass has one at a time")]
enum CaseStep {
    ById,
    ByNumber(DisplayId),
    /// Searches all cases of the account since it was opened: its id changed before its number was known.
    ByKey {
        /// How many pages were read.
        pages: usize,
        next: Option<String>,
        /// AWS's answer to the question by its id.
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
                let after = time::earlier(opened_at, SEARCH_MARGIN);
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
            // Whatever the search fails with, what counts is that the id was not found.
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

    /// Goes on with the next way to find the case: by its number, or by its key if the number is not known. If neither
    /// is left to try, returns the failure, which the agent is told. A case that was opened less than L ago is not
    /// searched by its key, and its failure is `Nothing`, since AWS may not show it yet.
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
    /// The spans in which pages met in equal texts. The last one is read next.
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
                // A second earlier, since one answer may cut a time and another may not.
                let after = self.since.map(|since| time::earlier(since, ONE_SECOND));
                (Span { after, before: None }, next.clone())
            }
            CommunicationStep::Doubtful(spans) => (spans.last().copied().unwrap_or_default(), None),
        };
        Question::Communications { account, case_id: self.described.case_id.clone(), span, next }
    }

    /// Takes in a page. Returns the case once all is read, `None` before. Fails if two answers are of different ages.
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

/// Returns the marks in the first communication that AWS did not write, and in all such communications of its second,
/// since an answer may cut times.
pub(super) fn marks_of(case: &Case) -> Vec<Mark> {
    let by_others = || case.communications.iter().filter(|communication| !communication.is_by_aws());
    let second = |communication: &RawCommunication| communication.time_created.as_second();
    let first = by_others().map(second).min();
    by_others().filter(|other| Some(second(other)) == first).flat_map(|other| marks_in(&other.body)).collect()
}

/// Reads one case without a known link, for the marks that its first communication carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCaseReader {
    account: AccountId,
    case_id: CaseId,
    communications: Option<CommunicationReader>,
}

impl NamedCaseReader {
    /// Begins to read a case.
    pub fn new(account: AccountId, case_id: CaseId) -> Self {
        Self { account, case_id, communications: None }
    }

    /// Returns the next question.
    pub fn question(&self) -> Question {
        let account = self.account.clone();
        match &self.communications {
            Some(reader) => reader.question(account),
            None => Question::Cases { account, query: CaseQuery::Ids(vec![self.case_id.clone()]) },
        }
    }

    /// Takes in an answer. Breaks with the case once it is read, with `None` if it is not there or is too old for its
    /// mark to matter, or with the failure if two answers are of different ages.
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
