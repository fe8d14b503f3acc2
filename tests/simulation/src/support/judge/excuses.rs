//! The reasons that excuse a text that has not arrived.

use std::collections::BTreeSet;

use casebridge_core::{
    identifiers::{AccountId, IncidentId, LinkKey},
    policy::OldCaseRule,
    servicenow::columns::ACCOUNT,
    support::{columns::CASE_ID, index::watched, opened_case::takes_cases_of},
};
use casebridge_ledger::Ledger;
use casebridge_simulator::support::{Case, REOPEN_WINDOW};

use crate::{
    desk::Desk,
    schedule::at_once,
    support::cases::{incident_of_generation, opened_incident},
    world::World,
};

/// How the notices begin that tell an agent what casebridge can't mend.
const NOTICES: [&str; 5] = [
    "ServiceNow refused a message of AWS",
    "A comment was written after this incident was closed",
    "A comment was not sent to AWS: this incident was closed while",
    "A comment by casebridge's own user belongs to no delivery",
    "AWS Support refused a text of this incident",
];

/// How the notice begins that tells an agent that a text reopened nothing.
const TOLD_OF_REPETITION: &str = "A text that has reopened this incident before came again";

impl World {
    /// Whether AWS refuses the case's account to the end, so that casebridge can't see the case.
    pub(super) fn is_blind_to(&self, case: &Case) -> bool {
        self.refused_accounts.contains_key(&AccountId::new(case.account.as_str()))
    }

    /// Whether what people did on the incident need not have arrived: AWS refuses it for good, or the link pauses, and
    /// the agent was told.
    pub(super) fn is_excused(&self, incident: &IncidentId) -> bool {
        self.is_refused(incident) || self.is_told_of_pause(incident)
    }

    /// Whether AWS refuses what people did on the incident, and the agent was told.
    pub(super) fn is_refused(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        let Some(record) = record.filter(|record| record.summary.columns.sync_status == "error") else { return false };
        // A copy names its original's account, even if the copy was never in scope.
        let named = AccountId::new(record.summary.columns.own(ACCOUNT));
        let mut accounts = self.memory.ever_in_scope.get(incident).into_iter().flatten().chain([&named]);
        let is_refused = accounts.any(|account| self.refused_accounts.contains_key(account));
        is_refused || self.has_too_old_case(incident)
    }

    /// Whether AWS no longer reopens the last case of the incident.
    fn has_too_old_case(&self, incident: &IncidentId) -> bool {
        let resolved_at = self.case_of(incident).and_then(Case::resolved_at);
        resolved_at.is_some_and(|at| self.aws_now().duration_since(at) > REOPEN_WINDOW)
    }

    /// Whether casebridge has left the last case of the incident, which AWS no longer reopens, and the incident has asked
    /// for no other one since: it was refused until the incident left the scope or ended. What people write goes to its next
    /// case, if it asks for one again.
    pub(super) fn has_left_its_case(&self, incident: &IncidentId) -> bool {
        let Some(record) = self.servicenow.incidents.get(incident) else { return false };
        let asks_for_case = self.servicenow.is_in_scope(record) && !record.summary.state.is_ended();
        !asks_for_case && self.is_between_cases(incident)
    }

    /// Whether casebridge has left the last case of the incident, which AWS no longer reopens, and the incident left the scope
    /// or ended before it got another one. Then the incident shows no case, as one that never had one.
    pub fn is_between_cases(&self, incident: &IncidentId) -> bool {
        let Some(record) = self.servicenow.incidents.get(incident) else { return false };
        let columns = &record.summary.columns;
        let shows_nothing = columns.own.values().all(String::is_empty) && columns.sync_status.is_empty();
        let may_leave = self.settings.policy.case_too_old_to_reopen == OldCaseRule::OpenCase;
        may_leave && shows_nothing && self.has_too_old_case(incident)
    }

    /// Returns how many notes with such a text the instance has refused on these incidents. casebridge drops them: they
    /// hold up nothing that people wrote.
    pub(super) fn refused_notes(&self, incidents: &[IncidentId], is_meant: impl Fn(&str) -> bool) -> usize {
        let refused = self.memory.refused_messages.iter().filter(|((of, _), _)| incidents.contains(of));
        refused.filter(|(_, text)| is_meant(text)).count()
    }

    /// Whether the incident has the notice that a text which had reopened it before came again and reopened nothing.
    pub(super) fn is_told_of_repetition(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        record.is_some_and(|record| {
            let columns = &record.summary.columns;
            columns.sync_status == "waiting" && columns.last_error.starts_with(TOLD_OF_REPETITION)
        })
    }

    /// Whether an agent was told of something that casebridge can't mend. Three kinds of comments are not sent: those
    /// written after the closing, those left on an incident that was closed in another account's group, and those of
    /// casebridge's own user that belong to no delivery.
    pub(super) fn is_told_of_a_notice(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        record.is_some_and(|record| {
            let columns = &record.summary.columns;
            columns.sync_status == "waiting" && NOTICES.iter().any(|notice| columns.last_error.starts_with(notice))
        })
    }

    /// Whether no worker has seen an incident as it is, and none will while it stays ended. This is a copy without a case
    /// that was made while its account was inactive, so that it was out of scope, and that ended since. Or a rule hid the
    /// incident until it was closed, and no webhook reported it. It may still show the case and the status of an original.
    pub(super) fn is_ended_and_unread(&self, incident: &IncidentId) -> bool {
        let record = &self.servicenow.incidents[incident];
        let is_copy_out_of_scope =
            record.summary.columns.own(CASE_ID).is_empty() && !self.servicenow.is_announced(incident);
        let was_out_of_reach = is_copy_out_of_scope || self.memory.closed_while_hidden.contains(incident);
        record.summary.state.is_ended() && was_out_of_reach
    }

    /// Whether a rule hid the incident until it was closed, no webhook reported it, and no answer has shown it as closed since.
    /// AWS wrote nothing since then: that would have led to a delivery, whose answer shows the closing.
    pub(super) fn is_closing_unread(&self, incident: &IncidentId) -> bool {
        let memory = &self.memory;
        memory.closed_while_hidden.contains(incident) && !memory.shown_as_closed.contains(incident)
    }

    /// Returns the links that are given up once every refused request has been made again: AWS refuses them for good
    /// and the agent knows, or their incident is deleted.
    pub fn given_up_links(&self) -> BTreeSet<String> {
        let refused = self.servicenow.incidents.keys().filter(|incident| self.is_excused(incident));
        // A deleted incident may have been opened again.
        let gone = self.memory.gone.keys().filter(|incident| !self.servicenow.incidents.contains_key(*incident));
        let links = refused.chain(gone).cloned();
        // An account that is out of use, or that AWS refuses, gets no incidents. casebridge tries again for ever.
        let has_no_use = |case: &&Case| !self.is_account_in_use(case) || self.is_blind_to(case);
        let unopened = self.support.cases().iter().filter(has_no_use);
        let links = links.chain(unopened.flat_map(|case| self.unopened_incidents(case)));
        links.map(|incident| LinkKey::support_case(incident).to_string()).collect()
    }
}

impl World {
    /// Returns the incidents that casebridge may still have to open for a case: the first one, and the one that follows the last.
    fn unopened_incidents(&self, case: &Case) -> [IncidentId; 2] {
        [opened_incident(case), self.next_incident_of(case)]
    }

    /// Returns the incident that follows the last one of a case.
    pub(super) fn next_incident_of(&self, case: &Case) -> IncidentId {
        let next = u32::try_from(self.incidents_of(case).len()).unwrap_or(u32::MAX).saturating_add(1);
        incident_of_generation(case, next)
    }
}

/// Returns how many of the accounts that AWS refuses have cases that the poller reads, or may get cases that become
/// incidents.
pub fn refused_parts(desk: &Desk) -> usize {
    let (policy, refused) = {
        let world = desk.world.borrow();
        (world.settings.policy.clone(), world.refused_accounts.keys().cloned().collect::<Vec<AccountId>>())
    };
    let is_watched = |account: &&AccountId| {
        let page = at_once(desk.ledger.page_under(&watched(account), None, 1)).and_then(Result::ok);
        page.is_some_and(|page| !page.rows.is_empty())
    };
    let is_read = |account: &&AccountId| takes_cases_of(&policy, account) || is_watched(account);
    refused.iter().filter(is_read).count()
}
