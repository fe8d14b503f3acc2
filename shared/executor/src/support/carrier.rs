//! Makes the reads and calls of Support cases.

use casebridge_core::{
    failure::Failure,
    policy::Policy,
    support::{
        Pass, Plan, SupportCase,
        call::{Call, Done},
        index,
        read::{Answer, Question, Read},
    },
};
use casebridge_ledger::LedgerError;
use casebridge_ports::{PlanObserver, Support};
use jiff::Timestamp;

use crate::{carrier::Carrier, counted::CountedPorts, ports::Ports};

/// Makes the reads and calls of Support cases.
pub(crate) struct SupportCarrier<'a, P: Ports> {
    pub(crate) ports: &'a CountedPorts<'a, P>,
}

impl<P: Ports> SupportCarrier<'_, P> {
    /// Asks AWS Support or the ledger. The inner error is AWS Support's.
    pub(crate) async fn ask(&self, question: &Question) -> Result<Result<Answer, Failure>, LedgerError> {
        let CountedPorts { ledger, support, .. } = self.ports;
        Ok(match question {
            Question::Cases { account, query } => support.describe_cases(account, query).await.map(Answer::Cases),
            Question::Communications { account, case_id, span, next } => {
                let page = support.describe_communications(account, case_id, *span, next.as_deref()).await;
                page.map(Answer::Communications)
            }
            Question::FirstWaiter { account } => {
                Ok(Answer::Link(ledger.first_link_under(&index::waiting(account)).await?))
            }
            Question::Transfer { link, transfer } => {
                Ok(Answer::Transfer(ledger.transfer(link, transfer).await?.map(Box::new)))
            }
            Question::LinkOfCase { case } => Ok(Answer::Link(ledger.link_at(&index::case(case)).await?)),
        })
    }
}

impl<P: Ports> Carrier<SupportCase> for SupportCarrier<'_, P> {
    fn planned(&self, policy: &Policy, pass: &Pass, plan: &Plan, now: Timestamp) {
        self.ports.plans.planned(policy, pass, plan, now);
    }

    async fn read(&self, read: &Read) -> Result<Result<Answer, Failure>, LedgerError> {
        self.ask(&read.question).await
    }

    async fn call(&self, call: &Call) -> Result<Done, Failure> {
        let support = &self.ports.support;
        match call {
            Call::OpenCase { account, request, .. } => {
                support.create_case(account, request).await.map(|case_id| Done::CaseOpened { case_id })
            }
            Call::AddCommunication { account, case_id, body, carried, .. } => {
                let added = support.add_communication(account, case_id, body, carried.as_ref()).await;
                added.map(|()| Done::CommunicationAdded)
            }
            Call::ResolveCase { account, case_id } => {
                support.resolve_case(account, case_id).await.map(|status| Done::CaseResolved { status })
            }
        }
    }
}
