//! What excuses that something has not arrived.

use std::collections::BTreeSet;

use casebridge_core::{
    identifiers::{AccountId, IncidentId, LinkKey},
    servicenow::columns::ACCOUNT,
    support::{columns::CASE_ID, index::watched},
};
use casebridge_ledger::Ledger;
use casebridge_simulator::support::{Case, REOPEN_WINDOW};

use crate::{desk::Desk, schedule::at_once, world::World};

/// How an agent is told what no one can mend.
const NOTICES: [&str; 5] = [
    "ServiceNow refused a message of AWS",
    "A comment was written after this incident was closed",
    "A comment was not sent to AWS: this incident was closed while",
    "A comment by casebridge's own user belongs to no delivery",
    "AWS Support refused a text of this incident",
];

/// How an agent is told that a text reopened nothing.
const TOLD_OF_REPETITION: &str = "A text that has reopened this incident before came again";

impl World {
    /// Whether AWS refuses the case's account to the end: what happens there is not seen.
    pub(super) fn is_blind_to(&self, case: &Case) -> bool {
        self.refused_accounts.contains_key(&AccountId::new(case.account.as_str()))
    }

    /// Whether what people did on the incident may not have arrived: AWS refuses it for good, or the link pauses, and the
    /// agent was told.
    pub(super) fn is_excused(&self, incident: &IncidentId) -> bool {
        self.is_refused(incident) || self.is_told_of_pause(incident)
    }

    /// Whether AWS refuses what people did on the incident, and the agent was told.
    pub(super) fn is_refused(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        let Some(record) = record.filter(|record| record.summary.columns.sync_status == "error") else { return false };
        // A copy names its original's account, whether or not it ever was in scope itself.
        let named = AccountId::new(record.summary.columns.own(ACCOUNT));
        let mut accounts = self.memory.ever_in_scope.get(incident).into_iter().flatten().chain([&named]);
        let is_refused = accounts.any(|account| self.refused_accounts.contains_key(account));
        let resolved_at = || self.case_of(incident).and_then(Case::resolved_at);
        let is_too_old = || resolved_at().is_some_and(|at| self.aws_now().duration_since(at) > REOPEN_WINDOW);
        is_refused || is_too_old()
    }

    /// Whether an agent was told that a text which had reopened the incident before came again and reopened nothing.
    pub(super) fn is_told_of_repetition(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        record.is_some_and(|record| {
            let columns = &record.summary.columns;
            columns.sync_status == "waiting" && columns.last_error.starts_with(TOLD_OF_REPETITION)
        })
    }

    /// Whether an agent was told of something that no one can mend: what was written after the closing, what another account's
    /// group left on a closed incident, and what is by casebridge's own user and in no delivery stay at home.
    pub(super) fn is_told_of_a_notice(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        record.is_some_and(|record| {
            let columns = &record.summary.columns;
            columns.sync_status == "waiting" && NOTICES.iter().any(|notice| columns.last_error.starts_with(notice))
        })
    }

    /// Whether nobody ever looked at an incident, and nobody will while it stays ended: it is a copy without a case, was out of
    /// scope when it was made, since its account was out of use just then, and was closed or resolved since. It may still
    /// show what its source was told.
    pub(super) fn is_unheard_of(&self, incident: &IncidentId) -> bool {
        let record = &self.servicenow.incidents[incident];
        record.summary.state.is_ended()
            && record.summary.columns.own(CASE_ID).is_empty()
            && !self.servicenow.is_announced(incident)
    }

    /// The links of which nothing more is expected once all that was refused has been tried again: AWS refuses them for
    /// good and the agent knows; or their incident is gone.
    pub fn given_up_links(&self) -> BTreeSet<String> {
        let refused = self.servicenow.incidents.keys().filter(|incident| self.is_excused(incident));
        let links = refused.chain(self.memory.gone.keys());
        links.map(|incident| LinkKey::support_case(incident.clone()).to_string()).collect()
    }
}

/// How many accounts AWS refuses of which the poller asks for cases.
pub fn refused_parts(desk: &Desk) -> usize {
    let refused: Vec<AccountId> = desk.world.borrow().refused_accounts.keys().cloned().collect();
    let is_watched = |account: &&AccountId| {
        let page = at_once(desk.ledger.page_under(&watched(account), None, 1)).and_then(Result::ok);
        page.is_some_and(|page| !page.rows.is_empty())
    };
    refused.iter().filter(is_watched).count()
}
