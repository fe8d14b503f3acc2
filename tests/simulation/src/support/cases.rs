//! Which incident a case belongs to: the one that casebridge opened it for, or the one that casebridge opens for it.

use casebridge_core::{
    identifiers::{AccountId, CaseId, CaseKey, IncidentId},
    policy::OpenedCaseRule,
};
use casebridge_simulator::support::Case;

use crate::{servicenow::model::Record, world::World};

/// The place of the language in a case's id, and its value for English: `case-<account>-muen-<year>-<digits>`.
const LANGUAGE_SEGMENT: (usize, &str) = (2, "muen");

/// Returns the id that a case has in English, whatever its language is.
pub fn first_id(case_id: &str) -> String {
    let (place, language) = LANGUAGE_SEGMENT;
    let segments = case_id.split('-').enumerate();
    let kept: Vec<&str> = segments.map(|(index, segment)| if index == place { language } else { segment }).collect();
    kept.join("-")
}

/// Returns the first incident that casebridge opens for a case.
pub fn opened_incident(case: &Case) -> IncidentId {
    incident_of_generation(case, 1)
}

/// Returns the incident of a case in a generation.
pub fn incident_of_generation(case: &Case, generation: u32) -> IncidentId {
    IncidentId::of_case(&CaseKey::new(AccountId::new(&case.account), &CaseId::new(&case.case_id)), generation)
}

impl World {
    /// Returns the cases that casebridge opened.
    pub fn our_cases(&self) -> impl Iterator<Item = &Case> {
        self.support.cases().iter().filter(|case| !self.memory.own_cases.contains(&first_id(&case.case_id)))
    }

    /// Whether a person, and not casebridge, opened the case.
    pub fn is_own_case(&self, case: &Case) -> bool {
        self.memory.own_cases.contains(&first_id(&case.case_id))
    }

    /// Returns the cases that belong to an incident.
    pub fn cases_of(&self, incident: &IncidentId) -> impl Iterator<Item = &Case> {
        self.support.cases().iter().filter(move |case| self.incident_of(case).as_ref() == Some(incident))
    }

    /// Returns the cases that belong to an incident, or did before it was closed.
    pub fn cases_ever_of(&self, incident: &IncidentId) -> impl Iterator<Item = &Case> {
        self.support.cases().iter().filter(move |case| self.incidents_of(case).contains(incident))
    }

    /// Returns the incident that a case belongs to: the last one of [`Self::incidents_of`]. Returns `None` if there is none.
    pub fn incident_of(&self, case: &Case) -> Option<IncidentId> {
        let next = self.memory.next_incidents.get(&first_id(&case.case_id));
        next.and_then(|next| next.last().cloned()).or_else(|| self.first_incident_of(case))
    }

    /// Returns the incidents that a case has belonged to: the first one, and each that was opened after the one before was
    /// closed.
    pub fn incidents_of(&self, case: &Case) -> Vec<IncidentId> {
        let next = self.memory.next_incidents.get(&first_id(&case.case_id)).into_iter().flatten().cloned();
        self.first_incident_of(case).into_iter().chain(next).collect()
    }

    /// Returns the first incident of a case: the one that its subject names, or the one that was opened for it.
    fn first_incident_of(&self, case: &Case) -> Option<IncidentId> {
        if !self.is_own_case(case) {
            return self.incident_in(&case.subject);
        }
        let incident = opened_incident(case);
        self.all_incidents().any(|record| record.summary.sys_id == incident).then_some(incident)
    }

    /// Whether the incident that a case belongs to is closed or cancelled.
    pub fn is_incident_closed(&self, case: &Case) -> bool {
        let incident = self.incident_of(case).and_then(|incident| self.servicenow.incidents.get(&incident));
        incident.is_some_and(|incident| incident.summary.state.is_closed())
    }

    /// Whether ServiceNow has an active record of the case's account.
    pub fn is_account_in_use(&self, case: &Case) -> bool {
        self.servicenow.accounts.iter().any(|known| known.number.as_str() == case.account && known.active)
    }

    /// Whether the policy may open an incident for a case that a person opened: with one of the severities that it had.
    pub fn may_become_incident(&self, case: &Case) -> bool {
        case.severities().any(|severity| self.becomes_incident_with(case, severity))
    }

    /// Whether the policy opens an incident for a case that a person opened, whenever casebridge looks at it.
    pub fn becomes_incident(&self, case: &Case) -> bool {
        case.severities().all(|severity| self.becomes_incident_with(case, severity))
    }

    fn becomes_incident_with(&self, case: &Case, severity: &str) -> bool {
        let policy = &self.settings.policy;
        let admits =
            |filter: &[String], word: &str| filter.is_empty() || filter.iter().any(|admitted| admitted == word);
        policy.cases_opened_at_aws == OpenedCaseRule::OpenIncident
            && admits(&policy.opened_cases_of_accounts, &case.account)
            && admits(&policy.opened_cases_of_services, &case.service_code)
            && admits(&policy.opened_cases_of_severities, severity)
    }

    /// Returns the incident that the subject of a case names. Returns `None` if it names none.
    pub fn incident_in(&self, subject: &str) -> Option<IncidentId> {
        let (_, rest) = subject.split_once('[')?;
        let (number, _) = rest.split_once(']')?;
        let record = self.all_incidents().find(|record| record.summary.number == number)?;
        Some(record.summary.sys_id.clone())
    }

    /// Returns an incident, also if it was deleted.
    pub(super) fn record_of(&self, incident: &IncidentId) -> Option<&Record> {
        self.servicenow.incidents.get(incident).or_else(|| self.memory.gone.get(incident))
    }

    /// Returns all incidents, deleted ones too.
    pub(super) fn all_incidents(&self) -> impl Iterator<Item = &Record> {
        self.servicenow.incidents.values().chain(self.memory.gone.values())
    }

    /// Returns the case of an incident: the last one, since another one follows a case that is too old to be reopened. Returns
    /// `None` if there is no case, or if it goes on with another incident.
    pub(super) fn case_of(&self, incident: &IncidentId) -> Option<&Case> {
        self.cases_ever_of(incident).last().filter(|case| self.incident_of(case).as_ref() == Some(incident))
    }
}
