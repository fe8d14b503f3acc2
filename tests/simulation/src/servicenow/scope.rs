//! Opens incidents, and notes which of them were ever in scope of an account.

use casebridge_core::{
    identifiers::{AccountId, IncidentId},
    servicenow::incident::IncidentSummary,
};

use super::{
    model::{Change, Record},
    options,
};
use crate::{
    people::{Deed, texts::SECRET_KEY},
    random::Random,
    timeline::{Place, shorten},
    world::{ACCOUNTS, World},
};

/// A group that belongs to no account.
pub const OTHER_GROUP: &str = "Service Desk";

impl World {
    /// Lets an agent open a random incident. Returns `false` if the world has its most incidents already.
    pub fn do_open(&mut self, deed: Deed, random: &mut Random) -> bool {
        if self.servicenow.incidents.len() >= self.settings.most_incidents {
            return false;
        }
        let token = self.token("d");
        let description = match random.below(8) {
            0 => String::new(),
            1 => {
                let end = self.token("end");
                let filler: String = "dolor sit ".chars().cycle().take(9_000).collect();
                format!("{token} {filler} {end}")
            }
            2 => format!("key {SECRET_KEY}\r\n{token}"),
            _ => format!("It does not answer. {token}"),
        };
        let group = if deed == Deed::Open { random.pick(&ACCOUNTS).1 } else { OTHER_GROUP };
        let codes = (!random.chance(100)).then(|| ("aws-lambda".to_owned(), "other".to_owned()));
        let comment = random.chance(300).then(|| self.text(random, "c"));
        let priority = Some(random.pick(&["1", "2", "3", "4", "5"]).to_string());
        let options = self.settings.options.then(|| options::draw(random));
        let change = Change { group: Some(group.to_owned()), codes, options, priority, comment, ..Change::default() };
        self.open(&description, change);
        true
    }

    /// An agent opens an incident.
    pub fn open(&mut self, description: &str, change: Change) -> IncidentId {
        let now = self.servicenow_now();
        let texts = ("Instance unreachable", description);
        let id = self.servicenow.open(now, "abel.tuter", texts, change);
        let number = self.number_of(&id);
        let group = self.servicenow.incidents[&id].group.clone();
        self.note(Place::ServiceNow, || format!("{number} is opened in {group}: {}", shorten(description)));
        self.note_scope(&id);
        id
    }

    pub(super) fn note_scope(&mut self, id: &IncidentId) {
        let options = &self.servicenow.incidents[id].options;
        let earlier = self.memory.options.entry(id.clone()).or_default();
        if !earlier.contains(options) {
            earlier.push(options.clone());
        }
        let account = self.account_in_scope(&self.servicenow.incidents[id]);
        self.note_account_in_scope(id, account);
    }

    /// Notes the account that a record is in scope of, if it is in scope. A lagging node may show an earlier record of
    /// the incident with the present accounts. A reader can't tell that this combination never existed.
    pub fn note_shown(&mut self, record: &Record) {
        self.note_account_in_scope(&record.summary.sys_id, self.account_in_scope(record));
    }

    /// Notes the state in which an answer shows an incident.
    pub fn note_answer(&mut self, shown: &IncidentSummary) {
        let closed = &mut self.memory.shown_as_closed;
        if shown.state.is_closed() {
            closed.insert(shown.sys_id.clone());
        } else {
            closed.remove(&shown.sys_id);
        }
    }

    fn account_in_scope(&self, record: &Record) -> Option<AccountId> {
        let account = self.servicenow.account_of(&record.group).filter(|_| self.servicenow.is_in_scope(record));
        account.filter(|_| !record.summary.state.is_ended()).map(|account| account.number.clone())
    }

    fn note_account_in_scope(&mut self, id: &IncidentId, account: Option<AccountId>) {
        if let Some(account) = account {
            self.memory.ever_in_scope.entry(id.clone()).or_default().insert(account);
        }
    }

    /// Notes for every incident whether it is in scope now.
    pub fn note_scopes(&mut self) {
        let incidents: Vec<IncidentId> = self.servicenow.incidents.keys().cloned().collect();
        for id in &incidents {
            self.note_scope(id);
        }
    }
}
