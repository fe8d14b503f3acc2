//! What administrators do to the app's accounts, and agents to the incidents of these accounts.

use casebridge_core::{
    identifiers::{AccountId, IncidentId},
    servicenow::columns::ACCOUNT,
};

use super::model::{Account, Change};
use crate::{random::Random, timeline::Place, world::World};

/// The two priorities that an agent switches between. Any other save would do.
const PRIORITIES: [&str; 2] = ["2", "3"];

impl World {
    /// An administrator sets an account inactive, deletes its record, or makes all accounts active again.
    pub fn do_account_deed(&mut self, random: &mut Random) {
        let accounts = &self.servicenow.accounts;
        let all_used = self.memory.removed_accounts.is_empty() && accounts.iter().all(|account| account.active);
        let number = accounts.get(random.index(accounts.len())).map(|account| account.number.clone());
        let name = match number {
            Some(number) if all_used || random.chance(400) => {
                if random.chance(300) {
                    self.remove_account(&number);
                    "account removed"
                } else {
                    self.retire_account(&number);
                    "account retired"
                }
            }
            _ => {
                self.use_accounts();
                "accounts used again"
            }
        };
        *self.tally.deeds.entry(name).or_default() += 1;
    }

    /// An administrator sets an account inactive: no incident changes.
    pub fn retire_account(&mut self, number: &AccountId) {
        self.note(Place::ServiceNow, || format!("account {number} is set inactive"));
        for account in self.servicenow.accounts.iter_mut().filter(|account| account.number == *number) {
            account.active = false;
        }
        self.note_pauses();
    }

    /// An administrator deletes the record of an account.
    pub fn remove_account(&mut self, number: &AccountId) {
        self.note(Place::ServiceNow, || format!("the record of account {number} is deleted"));
        let (removed, kept) =
            std::mem::take(&mut self.servicenow.accounts).into_iter().partition(|account| account.number == *number);
        self.servicenow.accounts = kept;
        self.memory.removed_accounts.extend::<Vec<Account>>(removed);
        self.note_pauses();
    }

    /// Restores the records of all deleted accounts and makes all accounts active.
    pub fn use_accounts(&mut self) {
        self.note(Place::ServiceNow, || "all accounts are active".to_owned());
        self.servicenow.accounts.append(&mut self.memory.removed_accounts);
        self.servicenow.accounts.sort_by(|one, other| one.number.cmp(&other.number));
        for account in &mut self.servicenow.accounts {
            account.active = true;
        }
        self.note_scopes();
        self.note_pauses();
    }

    /// People end the pauses: all accounts are active again, and paused incidents go back to the groups of their
    /// accounts.
    pub fn end_pauses(&mut self) {
        self.use_accounts();
        let paused = self.memory.pauses.incidents();
        for incident in paused {
            let account = self.servicenow.incidents[&incident].summary.columns.own(ACCOUNT).to_owned();
            let own = self.servicenow.accounts.iter().find(|known| known.number.as_str() == account);
            let group = own.map(|own| own.group.clone());
            self.save(&incident, &Change { group, ..Change::default() });
        }
    }

    /// Agents save the open incidents that are in scope and have no case, or have left a case and not got the next one. The
    /// end of an account's inactivity changes no incident, so that no hint comes for an incident without a case.
    pub fn save_those_without_case(&mut self) {
        let incidents: Vec<IncidentId> = self.servicenow.incidents.keys().cloned().collect();
        for incident in incidents {
            let record = &self.servicenow.incidents[&incident];
            let wants = self.servicenow.is_in_scope(record) && !record.summary.state.is_ended();
            let has_none = self.cases_of(&incident).next().is_none() || self.is_between_cases(&incident);
            if wants && has_none {
                self.retriage(&incident);
            }
        }
    }

    /// An agent gives an incident another priority.
    pub fn retriage(&mut self, id: &IncidentId) {
        let present = &self.servicenow.incidents[id].priority;
        let priority = PRIORITIES.into_iter().find(|priority| priority != present).map(str::to_owned);
        self.save(id, &Change { priority, ..Change::default() });
    }
}
