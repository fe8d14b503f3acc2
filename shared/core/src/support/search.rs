//! The search for the case of a CreateCase that was not answered: through the cases of an account, a page at a time.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::{
    failure::Failure,
    identifiers::AccountId,
    link::{intent::Illegal, mark::Mark},
    policy::Policy,
    support::{
        Pass,
        case::Case,
        read::{
            Answer, CaseQuery, CommunicationReader, DescribedCase, Question, SEARCH_MARGIN, SEARCH_PAGES, marks_of,
        },
    },
    time,
};

/// A search that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CaseSearch {
    account: AccountId,
    /// When the intent of the CreateCase was written, by our clock.
    written_at: Timestamp,
    after: Timestamp,
    /// How many pages were read.
    pages: usize,
    next: Option<String>,
    /// The cases of the last page that may be the link's and were not looked at yet.
    candidates: VecDeque<DescribedCase>,
    /// The candidate whose communications are being read.
    reader: Option<CommunicationReader>,
    /// The cases of the link that were found so far, each with its mark.
    found: Vec<(Case, Mark)>,
}

impl CaseSearch {
    /// Begins a search for a case that may have been opened since `written_at`, by our clock.
    pub(super) fn new(account: AccountId, written_at: Timestamp) -> Self {
        let after = time::earlier(written_at, SEARCH_MARGIN);
        let (candidates, found) = (VecDeque::new(), Vec::new());
        Self { account, written_at, after, pages: 0, next: None, candidates, reader: None, found }
    }

    /// Returns the next question.
    pub(super) fn question(&self) -> Question {
        let account = self.account.clone();
        match &self.reader {
            Some(reader) => reader.question(account),
            None => Question::Cases { account, query: CaseQuery::Since { after: self.after, next: self.next.clone() } },
        }
    }

    /// Whether there is nothing left to ask, once the first page was read.
    pub(super) fn is_over(&self) -> bool {
        let has_more_pages = self.next.is_some() && self.pages < SEARCH_PAGES;
        self.reader.is_none() && !has_more_pages
    }

    /// Returns the account whose cases are searched.
    pub(super) fn account(&self) -> &AccountId {
        &self.account
    }

    /// Returns when the intent of the CreateCase was written, by our clock.
    pub(super) fn written_at(&self) -> Timestamp {
        self.written_at
    }

    /// Returns why the search, once it is over, does not show what it was for: it has left pages unread. The case of a
    /// CreateCase in doubt may have been found all the same.
    pub(super) fn problem(&self, pass: &Pass) -> Option<Failure> {
        let is_found = pass.is_opening() && !self.found.is_empty();
        (self.next.is_some() && !is_found).then(|| {
            let message =
                format!("more than {SEARCH_PAGES} pages of cases were opened since the case that is searched");
            Failure::Unavailable { message, retry_at: None }
        })
    }

    /// Takes in an answer. The inner error is a failure of the read. Fails if the answer is to another question.
    pub(super) fn see(&mut self, policy: &Policy, pass: &Pass, answer: Answer) -> Result<Result<(), Failure>, Illegal> {
        match (self.reader.as_mut(), answer) {
            (Some(reader), Answer::Communications(page)) => match reader.see(page) {
                Ok(None) => return Ok(Ok(())),
                Ok(Some(case)) => {
                    self.reader = None;
                    self.consider(policy, pass, case);
                }
                Err(failure) => return Ok(Err(failure)),
            },
            (None, Answer::Cases(page)) => {
                let may_be_ours = |described: &DescribedCase| {
                    described.time_created >= self.after && pass.may_be_own_case(policy, &described.subject)
                };
                self.candidates = page.cases.into_iter().filter(may_be_ours).collect();
                self.pages += 1;
                self.next = page.next;
            }
            _ => return Err(Illegal::NotAsked),
        }
        while let (None, Some(described)) = (&self.reader, self.candidates.pop_front()) {
            if described.more_communications {
                self.reader = Some(CommunicationReader::new(described, None));
            } else {
                self.consider(policy, pass, Case::from(&described));
            }
        }
        Ok(Ok(()))
    }

    /// Keeps a case whose first communication carries a mark of the link.
    fn consider(&mut self, policy: &Policy, pass: &Pass, case: Case) {
        let is_ours = |mark: &Mark| pass.is_own_case_mark(policy, mark, &case.subject);
        if let Some(mark) = marks_of(&case).into_iter().find(is_ours) {
            self.found.push((case, mark));
        }
    }
}

impl Pass {
    /// Takes in what a search of a look that began at `now` has found.
    pub(super) fn take_in_search(&mut self, policy: &Policy, search: CaseSearch, now: Timestamp) {
        let finished = search.next.is_none();
        let CaseSearch { account, written_at, mut found, .. } = search;
        if self.is_opening() {
            return self.take_in_opened(policy, &account, found, finished, now);
        }
        for (case, mark) in found.drain(..) {
            self.see_double(&account, &case.case_id, &mark, now);
        }
        if finished {
            self.looked_for_late_cases(&account, written_at, now);
        }
    }

    /// Takes in the cases of a CreateCase that was not answered. Of several cases the oldest becomes the link's; the
    /// others are doubles.
    fn take_in_opened(
        &mut self,
        policy: &Policy,
        account: &AccountId,
        mut found: Vec<(Case, Mark)>,
        finished: bool,
        now: Timestamp,
    ) {
        found.sort_by_key(|(case, _)| case.time_created);
        let mut found = found.into_iter();
        if let Some((case, _)) = found.next() {
            self.settle_open_case(policy, Some(&case.case_id), now);
            self.see_case(policy, case, now);
            for (double, mark) in found {
                self.see_double(account, &double.case_id, &mark, now);
            }
        } else if finished {
            self.settle_open_case(policy, None, now);
        }
    }
}
