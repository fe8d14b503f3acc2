//! Which cases casebridge opened, and for which incident.

use casebridge_core::identifiers::IncidentId;
use casebridge_simulator::support::Case;

use crate::{servicenow::model::Record, world::World};

/// The place of the language in a case's id, and its first value: `case-<account>-muen-<year>-<digits>`.
const LANGUAGE_SEGMENT: (usize, &str) = (2, "muen");

/// Returns the id that a case was opened with, whatever its language is now.
pub fn first_id(case_id: &str) -> String {
    let (place, language) = LANGUAGE_SEGMENT;
    let segments = case_id.split('-').enumerate();
    let kept: Vec<&str> = segments.map(|(index, segment)| if index == place { language } else { segment }).collect();
    kept.join("-")
}

impl World {
    /// Returns the cases that casebridge opened.
    pub fn our_cases(&self) -> impl Iterator<Item = &Case> {
        self.support.cases().iter().filter(|case| !self.memory.own_cases.contains(&first_id(&case.case_id)))
    }

    /// Returns the cases that casebridge opened for an incident.
    pub fn cases_of(&self, incident: &IncidentId) -> impl Iterator<Item = &Case> {
        self.our_cases().filter(move |case| self.incident_of(case).as_ref() == Some(incident))
    }

    /// Returns the incident that a case of ours was opened for. Returns `None` if its subject names no incident.
    pub fn incident_of(&self, case: &Case) -> Option<IncidentId> {
        self.incident_in(&case.subject)
    }

    /// Returns the incident that the subject of a case names. Returns `None` if it names none.
    pub fn incident_in(&self, subject: &str) -> Option<IncidentId> {
        let (_, rest) = subject.split_once('[')?;
        let (number, _) = rest.split_once(']')?;
        let record = self.all_incidents().find(|record| record.summary.number == number)?;
        Some(record.summary.sys_id.clone())
    }

    /// Returns all incidents, deleted ones too.
    pub(super) fn all_incidents(&self) -> impl Iterator<Item = &Record> {
        self.servicenow.incidents.values().chain(self.memory.gone.values())
    }

    /// Returns the first case of an incident. Returns `None` if there is no case.
    pub(super) fn case_of(&self, incident: &IncidentId) -> Option<&Case> {
        self.cases_of(incident).next()
    }
}
