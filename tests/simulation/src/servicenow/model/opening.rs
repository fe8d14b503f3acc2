//! What the app does to open the incident of a case that somebody opened at AWS: once, whatever is repeated.

use casebridge_core::{
    identifiers::IncidentId,
    servicenow::{delivery::NewIncident, incident::Incident},
};
use jiff::Timestamp;

use super::{Change, Instance, RequestFailure, Status};

/// The app's answer if the platform does not take the record: a rule aborts it, or its `sys_id` is taken by a record
/// that the integration user does not see.
const NOT_TAKEN: &str = "incident: the instance refused it";

impl Instance {
    /// Opens an incident with this `sys_id`, if it is not there. Returns it with its first comments. `kind` is the kind
    /// of its link.
    pub fn open_for_case(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        incident: &NewIncident,
    ) -> Result<Incident, RequestFailure> {
        let opened = self.open_until_stopped(now, kind, id, incident);
        self.commits_left = None;
        opened
    }

    fn open_until_stopped(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        incident: &NewIncident,
    ) -> Result<Incident, RequestFailure> {
        if !self.incidents.contains_key(id) || self.hidden.contains_key(id) {
            self.insert_for_case(now, kind, id, incident)?;
        }
        self.page(now, kind, id, None, None)
    }

    fn insert_for_case(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        incident: &NewIncident,
    ) -> Result<(), RequestFailure> {
        let account = self.accounts.iter().find(|account| account.number == incident.account && account.active);
        let group = account.ok_or(RequestFailure::AccountNotInUse)?.group.clone();
        if self.incidents.contains_key(id) {
            return Err(RequestFailure::Refused(NOT_TAKEN.to_owned()));
        }
        if self.is_stopped() {
            return Err(RequestFailure::Stopped);
        }
        let said = Status::of(&incident.columns).cut();
        self.note_link(id, kind, &said)?;
        let mut columns = incident.columns.clone();
        said.put_into(&mut columns);
        let change = Change {
            group: Some(group),
            codes: Some((incident.service_code.clone(), incident.category_code.clone())),
            priority: Some(priority(&incident.impact, &incident.urgency)),
            columns: Some(columns),
            ..Change::default()
        };
        let texts = (incident.short_description.as_str(), incident.description.as_str());
        let user = self.integration_user.clone();
        self.insert(now, &user, id, texts, change);
        self.commit()
    }
}

/// Returns the priority that ServiceNow's matrix computes from an impact and an urgency. A value that it does not know
/// counts as the lowest.
pub(super) fn priority(impact: &str, urgency: &str) -> String {
    let level = |value: &str| value.parse().ok().filter(|level| (1..=3).contains(level)).unwrap_or(3);
    (level(impact) + level(urgency) - 1_u8).to_string()
}
