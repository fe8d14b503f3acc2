//! AWS Support with a safeguard switched off: a decorator of its port.

use std::rc::Rc;

use casebridge_core::{
    failure::Failure,
    file::transfer::Carried,
    identifiers::{AccountId, CaseId},
    link::mark::Mark,
    support::{
        call::NewCase,
        case::{CaseStatus, RawCommunication},
        read::{CasePage, CaseQuery, CommunicationPage},
        reading::Span,
    },
};
use casebridge_ports::Support;

use super::Sabotage;
use crate::{desk::Desk, support::cases::first_id};

/// A decorator of AWS Support. Without a sabotage it passes everything on.
pub struct SabotagedSupport<S> {
    inner: S,
    desk: Rc<Desk>,
    sabotage: Option<Sabotage>,
}

impl<S> SabotagedSupport<S> {
    /// Returns a port with a sabotage around it. The desk knows who wrote a communication.
    pub fn new(inner: S, desk: Rc<Desk>, sabotage: Option<Sabotage>) -> Self {
        Self { inner, desk, sabotage }
    }

    /// Removes from a page of communications what the sabotage hides.
    fn hide(&self, case_id: &str, page: &mut Vec<RawCommunication>) {
        match self.sabotage {
            Some(Sabotage::ReadBack) => page.retain(|shown| self.is_by_person(case_id, shown)),
            Some(Sabotage::OwnIdentity) => {
                page.retain(|shown| !self.is_by_person(case_id, shown) || Mark::of_text(&shown.body).is_none());
            }
            _ => {}
        }
    }

    /// Whether a person wrote this communication.
    fn is_by_person(&self, case_id: &str, shown: &RawCommunication) -> bool {
        let (case_id, second) = (first_id(case_id), shown.time_created.as_second());
        let world = self.desk.world.borrow();
        world.memory.persons.iter().any(|(case, at)| *case == case_id && at.as_second() == second)
    }
}

impl<S: Support> Support for SabotagedSupport<S> {
    async fn create_case(&self, account: &AccountId, request: &NewCase) -> Result<CaseId, Failure> {
        self.inner.create_case(account, request).await
    }

    async fn add_communication(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        body: &str,
        carried: Option<&Carried>,
    ) -> Result<(), Failure> {
        self.inner.add_communication(account, case_id, body, carried).await
    }

    async fn resolve_case(&self, account: &AccountId, case_id: &CaseId) -> Result<CaseStatus, Failure> {
        self.inner.resolve_case(account, case_id).await
    }

    async fn describe_cases(&self, account: &AccountId, query: &CaseQuery) -> Result<CasePage, Failure> {
        let mut page = self.inner.describe_cases(account, query).await?;
        if self.sabotage == Some(Sabotage::ResolvedCases) {
            page.cases.retain(|case| !case.status.is_resolved());
        }
        for case in &mut page.cases {
            self.hide(case.case_id.as_str(), &mut case.recent);
            case.more_communications &= self.sabotage != Some(Sabotage::Paging);
        }
        Ok(page)
    }

    async fn describe_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        span: Span,
        next: Option<&str>,
    ) -> Result<CommunicationPage, Failure> {
        let mut page = self.inner.describe_communications(account, case_id, span, next).await?;
        self.hide(case_id.as_str(), &mut page.communications);
        Ok(page)
    }
}
