//! 11: nothing is sent to AWS while a link pauses.
//!
//! The judge goes by the state of the world, not by what casebridge believes. A process breaks the rule if it writes to
//! a case although it read the incident, or began, during the pause, and the pause lasts until the write. A lagging node
//! shows an earlier record with the present accounts. Where one reason follows another without a gap, such an answer may
//! show no pause. Then the process can't know of it.

use std::{collections::BTreeMap, slice};

use casebridge_core::{
    identifiers::{AccountId, IncidentId},
    policy::GroupRule,
    servicenow::{columns::ACCOUNT, incident::AccountState},
    support::columns::CASE_ID,
};
use casebridge_simulator::support::Write;
use jiff::Timestamp;

use crate::{
    invariants::Invariant, servicenow::model::Record, support::cases::first_id, timeline::shorten, world::World,
};

/// How the column *last error* begins while a link pauses.
pub const PAUSED: &str = "Paused: ";
/// The reasons for which a link may pause.
pub const REASONS: [&str; 3] = ["account inactive", "account missing", "group of another account"];

/// What the judge remembers of pauses.
#[derive(Debug, Clone, Default)]
pub struct Pauses {
    /// The moment since which the link of an incident pauses.
    since: BTreeMap<IncidentId, Timestamp>,
    /// The moment since which an account is inactive or missing.
    unused_since: BTreeMap<AccountId, Timestamp>,
    /// What the last read of an incident shows, by the name of the process that read it.
    reads: BTreeMap<(String, IncidentId), Shown>,
}

/// What a read of an incident shows.
#[derive(Debug, Clone, Copy)]
struct Shown {
    /// The moment that it shows.
    at: Timestamp,
    /// Whether it comes from a lagging node and shows no pause.
    hides_pause: bool,
}

impl Pauses {
    /// Returns the incidents whose links pause.
    pub fn incidents(&self) -> Vec<IncidentId> {
        self.since.keys().cloned().collect()
    }
}

impl World {
    /// Returns why the link of an incident pauses now. Returns `None` if it does not pause.
    pub fn pause_of(&self, incident: &IncidentId) -> Option<&'static str> {
        self.pause_shown_by(self.servicenow.incidents.get(incident)?)
    }

    /// Returns why the link of an incident pauses by this record of it, which may be an earlier one, and the present
    /// accounts.
    pub fn pause_shown_by(&self, record: &Record) -> Option<&'static str> {
        let account = record.summary.columns.own(ACCOUNT);
        // The column may not name the account yet, or be a copied one.
        self.cases_of(&record.summary.sys_id).find(|case| case.account == account)?;
        match self.servicenow.state_of(account) {
            AccountState::Inactive => return Some(REASONS[0]),
            AccountState::Missing => return Some(REASONS[1]),
            AccountState::Active | AccountState::Unknown(_) => {}
        }
        self.is_of_another_group(&record.group, account).then_some(REASONS[2])
    }

    /// Whether a group belongs to other accounts alone, and the policy says that this pauses links.
    fn is_of_another_group(&self, group: &str, account: &str) -> bool {
        let of_group = self.servicenow.accounts_of(group);
        let is_of_another = !of_group.is_empty() && of_group.iter().all(|other| other.number.as_str() != account);
        is_of_another && self.settings.policy.group_of_another_account == GroupRule::Pause
    }

    /// Whether an incident is closed while its group belongs to another account than its case, so that its remaining
    /// comments are not sent. Its columns may not name the case's account yet.
    fn is_closed_in_group_of_another_account(&self, incident: &IncidentId) -> bool {
        let record = &self.servicenow.incidents[incident];
        let is_of_another = |account: &str| self.is_of_another_group(&record.group, account);
        record.summary.state.is_closed() && self.cases_of(incident).any(|case| is_of_another(&case.account))
    }

    /// Whether the link pauses and the agent is told so. Then what people wrote need not have arrived.
    pub fn is_told_of_pause(&self, incident: &IncidentId) -> bool {
        let record = self.servicenow.incidents.get(incident);
        let is_told = record.is_some_and(|record| record.summary.columns.last_error.starts_with(PAUSED));
        is_told && self.pause_of(incident).is_some()
    }

    /// Notes which links pause now. Call it after everything that may begin or end a pause.
    pub fn note_pauses(&mut self) {
        let now = self.now;
        let incidents: Vec<IncidentId> = self.servicenow.incidents.keys().cloned().collect();
        self.memory.pauses.since.retain(|incident, _| incidents.contains(incident));
        for incident in incidents {
            let pause = self.pause_of(&incident);
            if self.is_closed_in_group_of_another_account(&incident) {
                let written = self.servicenow.shared_of(slice::from_ref(&incident)).into_iter().map(|row| row.sys_id);
                self.memory.left_behind.extend(written);
            }
            let since = &mut self.memory.pauses.since;
            match pause {
                None => {
                    since.remove(&incident);
                }
                Some(reason) if !since.contains_key(&incident) => {
                    since.insert(incident, now);
                    *self.tally.pauses.entry(reason).or_default() += 1;
                }
                Some(_) => {}
            }
        }
        let accounts = &self.servicenow.accounts;
        let used: Vec<&AccountId> =
            accounts.iter().filter(|account| account.active).map(|account| &account.number).collect();
        let unused = &mut self.memory.pauses.unused_since;
        unused.retain(|account, _| !used.contains(&account));
        for account in accounts.iter().filter(|account| !account.active).chain(&self.memory.removed_accounts) {
            unused.entry(account.number.clone()).or_insert(now);
        }
    }

    /// Notes that a process got an answer that shows an incident as it was at this time. `hides_pause` is whether a lagging
    /// node gave it and it shows no pause.
    pub fn note_read(&mut self, reader: &str, incident: &IncidentId, at: Timestamp, hides_pause: bool) {
        self.memory.pauses.reads.insert((reader.to_owned(), incident.clone()), Shown { at, hides_pause });
    }

    /// Judges a write to AWS when it arrives there. `began` is when the process that writes began.
    pub fn check_pause(&mut self, writer: &str, began: Timestamp, account: &AccountId, write: &Write) {
        let named = |case_id: &Option<String>| {
            let case = self.support.case(case_id.as_deref()?)?;
            let incident = self.incident_of(case)?;
            // A double has no link of its own.
            let columns = &self.servicenow.incidents.get(&incident)?.summary.columns;
            (first_id(columns.own(CASE_ID)) == first_id(&case.case_id)).then_some(incident)
        };
        let pauses = &self.memory.pauses;
        let (incident, since) = match write {
            Write::CreateCase(request) => {
                let subject = request.subject.as_deref().unwrap_or_default();
                (self.incident_in(subject), pauses.unused_since.get(account))
            }
            Write::AddCommunicationToCase(request) => {
                let incident = named(&request.case_id);
                let since = incident.as_ref().and_then(|incident| pauses.since.get(incident));
                (incident, since)
            }
            Write::ResolveCase(request) => {
                let incident = named(&request.case_id);
                let since = incident.as_ref().and_then(|incident| pauses.since.get(incident));
                (incident, since)
            }
        };
        let (Some(incident), Some(since)) = (incident, since.copied()) else { return };
        let read = pauses.reads.get(&(writer.to_owned(), incident.clone())).copied();
        let known_at = read.map_or(began, |read| read.at);
        // What pauses a CreateCase is the account alone. Each answer shows the present accounts.
        let hides_pause = read.is_some_and(|read| read.hides_pause) && !matches!(write, Write::CreateCase(_));
        if since < known_at && !hides_pause {
            let number = self.number_of(&incident);
            self.violate(Invariant::Paused, format!("{number}: {} was sent during a pause", shorten(&told(write))));
        }
    }
}

/// Returns the text of a write.
fn told(write: &Write) -> String {
    let text = match write {
        Write::CreateCase(request) => &request.subject,
        Write::AddCommunicationToCase(request) => &request.communication_body,
        Write::ResolveCase(_) => return "a resolution".to_owned(),
    };
    text.clone().unwrap_or_default()
}
