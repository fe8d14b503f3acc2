//! What people and the platform do to incidents: open, copy, save, close, restore, delete.

use std::collections::BTreeMap;

use casebridge_core::{
    identifiers::{IncidentId, JournalEntryId},
    servicenow::{
        columns::BridgeColumns,
        incident::{AccountState, IncidentState, IncidentSummary},
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{
    CASE_ID, COMMENTS, Change, End, Instance, Journal, OWN_COLUMNS, Record, RequestFailure, StateChange, WORK_NOTES,
    second,
};

/// The close codes that the instance accepts.
const CLOSE_CODES: [&str; 3] = ["Duplicate", "Resolved by request", "Solution provided"];
/// The first number of the incident table.
const FIRST_NUMBER: usize = 10_001;
/// The platform's message when a closed incident would change its state.
const CLOSED_RULE: &str = "Closed incident cannot be reopened";
/// The platform's message when an agent changes a closed incident. The app's scripts may change it.
const CLOSED_TO_AGENTS: &str = "ACL Exception Update Failed due to security constraints";
/// The platform's message when a rule of the customer aborts an update.
const ABORTED: &str = "Operation against file 'incident' was aborted by Business Rule 'No updates now'";

impl Instance {
    /// A person opens an incident.
    pub fn open(&mut self, now: Timestamp, user: &str, texts: (&str, &str), change: Change) -> IncidentId {
        let sys_id = IncidentId::new(self.identifier());
        self.insert(now, user, &sys_id, texts, change);
        sys_id
    }

    /// Writes the record of a new incident, and queues its rule unless the integration user opens it.
    pub(super) fn insert(
        &mut self,
        now: Timestamp,
        user: &str,
        sys_id: &IncidentId,
        texts: (&str, &str),
        change: Change,
    ) {
        let summary = IncidentSummary {
            sys_id: sys_id.clone(),
            number: self.next_number(),
            sys_mod_count: 0,
            state: IncidentState::New,
            hold_reason: String::new(),
            resolved_at: None,
            ended_mod_count: None,
            ended_by_another: false,
            closed_at: None,
            closed_mod_count: None,
            has_close_code: false,
            has_close_notes: false,
            columns: with_all_columns(change.columns.clone().unwrap_or_default()),
            close_codes: CLOSE_CODES.map(str::to_owned).into(),
            group_accounts: Vec::new(),
            linked_account_state: AccountState::default(),
        };
        let (service_code, category_code) = change.codes.unwrap_or_default();
        let record = Record {
            summary,
            group: change.group.unwrap_or_default(),
            service_code,
            category_code,
            options: change.options.unwrap_or_default(),
            short_description: texts.0.to_owned(),
            description: texts.1.to_owned(),
            priority: change.priority.unwrap_or_else(|| "5".to_owned()),
            close_code: String::new(),
            close_notes: String::new(),
            updated_on: second(now),
            resolved_at: None,
            closed_at: None,
        };
        let follows = !record.service_code.is_empty();
        self.removed.remove(sys_id);
        self.incidents.insert(sys_id.clone(), record);
        for (element, text) in [(COMMENTS, change.comment), (WORK_NOTES, change.work_note)] {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                self.append(now, user, sys_id, element, &text);
            }
        }
        if follows && user != self.integration_user {
            self.rules.push_back(sys_id.clone());
        }
    }

    fn next_number(&mut self) -> String {
        let number = format!("INC{:07}", FIRST_NUMBER + self.opened);
        self.opened += 1;
        number
    }

    /// A person copies an incident by *Insert and Stay*: the new incident gets all columns, those of the app included,
    /// and no comments. Returns `None` if there is no such incident.
    pub fn copy(&mut self, now: Timestamp, user: &str, id: &IncidentId) -> Option<IncidentId> {
        let mut record = self.incidents.get(id)?.clone();
        let sys_id = IncidentId::new(self.identifier());
        record.summary.sys_id = sys_id.clone();
        record.summary.number = self.next_number();
        record.summary.sys_mod_count = 0;
        record.updated_on = second(now);
        match record.summary.state {
            IncidentState::Resolved if self.resolved_at_is_overwritten => record.resolved_at = Some(second(now)),
            IncidentState::Resolved => record.resolved_at = record.resolved_at.or(Some(second(now))),
            IncidentState::Closed | IncidentState::Cancelled => record.closed_at = Some(second(now)),
            _ => {}
        }
        let follows = !record.service_code.is_empty() || !record.summary.columns.own(CASE_ID).is_empty();
        self.incidents.insert(sys_id.clone(), record);
        if follows && user != self.integration_user {
            self.rules.push_back(sys_id.clone());
        }
        Some(sys_id)
    }

    /// The platform's job: closes the incidents that are resolved and have not changed for this long, with a comment as
    /// `system` in the same update. Returns the closed incidents.
    pub fn auto_close(&mut self, now: Timestamp, unchanged_for: SignedDuration) -> Vec<IncidentId> {
        let latest = second(now) - unchanged_for;
        let days = unchanged_for.as_hours() / 24;
        let is_due = |record: &&Record| record.summary.state == IncidentState::Resolved && record.updated_on <= latest;
        let due: Vec<IncidentId> =
            self.incidents.values().filter(is_due).map(|record| record.summary.sys_id.clone()).collect();
        let comment = format!("Incident automatically closed after {days} days in the Resolved state.");
        let change = Change { state: Some(IncidentState::Closed), comment: Some(comment), ..Change::default() };
        due.into_iter().filter(|id| self.save(now, "system", id, &change).is_ok()).collect()
    }

    /// An administrator renames the integration user. What the user has written keeps the old name.
    pub fn rename_integration_user(&mut self, name: &str) {
        self.former_names.insert(std::mem::replace(&mut self.integration_user, name.to_owned()));
        self.former_names.remove(name);
    }

    /// An administrator restores an incident to an earlier record, by an import or an undelete. Its update count and
    /// its time are the old ones again, journal and audit trail stay, and no rule runs. `incidents` must have held the
    /// record before.
    pub fn restore(&mut self, record: Record) {
        self.incidents.insert(record.summary.sys_id.clone(), record);
    }

    /// A node that lags: the next read of the incident, by a snapshot or at the beginning of a delivery, shows this
    /// record, which was current until then. Later reads show the present record.
    pub fn lag_once(&mut self, record: Record, until: Timestamp) {
        self.lagging = Some((record, until));
    }

    /// Returns the earlier record that the next read of the incident will show, and until when it was current. Returns
    /// `None` if the next read shows the present one.
    pub fn lagging(&self, id: &IncidentId) -> Option<&(Record, Timestamp)> {
        self.lagging.as_ref().filter(|(record, _)| record.summary.sys_id == *id)
    }

    /// A rule of the customer aborts the next `count` updates of incidents, by whichever user.
    pub fn abort_updates(&mut self, count: u64) {
        self.aborts = count;
    }

    /// Removes what [`Self::lag_once`] has set, and returns it: a request that writes reads the present record. Set it
    /// again with [`Self::lag_once`].
    pub fn take_lag(&mut self) -> Option<(Record, Timestamp)> {
        self.lagging.take()
    }

    /// Shows the incidents that were hidden until now, and returns them.
    pub fn take_shown(&mut self, now: Timestamp) -> Vec<IncidentId> {
        if self.hidden.is_empty() {
            return Vec::new();
        }
        let (hidden, shown): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.hidden).into_iter().partition(|(_, until)| *until > now);
        self.hidden = hidden;
        shown.into_keys().collect()
    }

    /// Ends lagging reads and aborted updates. Hidden incidents are shown again.
    pub fn end_hostility(&mut self) {
        self.lagging = None;
        self.aborts = 0;
        self.hidden.values_mut().for_each(|until| *until = Timestamp::MIN);
    }

    /// An administrator deletes an incident. The platform empties all references to it. Returns the record. Returns
    /// `None` if there is no such incident.
    pub fn delete(&mut self, id: &IncidentId) -> Option<Record> {
        let record = self.incidents.remove(id)?;
        self.removed.insert(id.clone(), record.clone());
        self.announced.remove(id);
        self.link_rows().filter(|row| row.refers_to.as_ref() == Some(id)).for_each(|row| row.refers_to = None);
        // Its webhooks refer to no incident now, so the job closes them.
        self.outbox.iter_mut().filter(|row| row.incident == *id).for_each(|row| row.sent = true);
        Some(record)
    }

    /// An administrator undeletes an incident. The references to it were in tables that are not audited, so they stay
    /// empty. Returns `false` if the incident was not deleted.
    pub fn undelete(&mut self, id: &IncidentId) -> bool {
        let record = self.removed.remove(id);
        let is_known = record.is_some();
        self.incidents.extend(record.map(|record| (id.clone(), record)));
        is_known
    }

    /// A user saves an incident: the record is written, then the journal, then the audit trail, and the rule is queued.
    pub fn save(&mut self, now: Timestamp, user: &str, id: &IncidentId, change: &Change) -> Result<(), RequestFailure> {
        let old = self.incidents.get(id).ok_or(RequestFailure::NotFound)?.clone();
        if old.summary.state == IncidentState::Closed && user != self.integration_user {
            return Err(RequestFailure::Refused(CLOSED_TO_AGENTS.to_owned()));
        }
        if self.aborts > 0 {
            self.aborts -= 1;
            return Err(RequestFailure::Refused(ABORTED.to_owned()));
        }
        let mut new = old.clone();
        apply(&mut new, change);
        before_write(&old, &mut new, now, self.resolved_at_is_overwritten)?;
        let entries = [(COMMENTS, &change.comment), (WORK_NOTES, &change.work_note)];
        let has_entries = entries.iter().any(|(_, text)| text.as_ref().is_some_and(|text| !text.is_empty()));
        if new == old && !has_entries {
            return Ok(());
        }
        if self.is_stopped() {
            return Err(RequestFailure::Stopped);
        }
        new.summary.sys_mod_count += 1;
        new.updated_on = second(now);
        let mod_count = new.summary.sys_mod_count;
        let to = new.summary.state.clone();
        let code_changed = new.service_code != old.service_code;
        let follows = !new.summary.columns.own(CASE_ID).is_empty() || !new.service_code.is_empty() || code_changed;
        if to.is_ended() && !old.summary.state.is_ended() {
            let written = entries.iter().filter(|(_, text)| text.as_ref().is_some_and(|text| !text.is_empty())).count();
            let is_by_person = user != self.integration_user;
            let is_unfinished = |row: &&Journal| row.is_ours() && !self.finished.contains(&row.sys_id);
            let of_incident = self.journal.iter().filter(|row| row.incident == *id);
            let unfinished = of_incident.filter(is_unfinished).map(|row| row.sys_id.clone()).collect();
            self.ends.insert(id.clone(), End { rows: self.journal.len() + written, unfinished, is_by_person });
        }
        self.incidents.insert(id.clone(), new);
        self.commit()?;
        let first_entry = self.journal.len();
        for (element, text) in entries {
            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                if self.is_stopped() {
                    return Err(RequestFailure::Stopped);
                }
                self.append(now, user, id, element, text);
                self.commit()?;
            }
        }
        // If the instance dies before this point, the trail has a gap.
        self.journal[first_entry..].iter_mut().for_each(|row| row.mod_count = Some(mod_count));
        if old.summary.state != to {
            let change = StateChange { at: second(now), mod_count, user: user.to_owned(), from: old.summary.state, to };
            self.trail.entry(id.clone()).or_default().push(change);
        }
        if follows && user != self.integration_user {
            self.rules.push_back(id.clone());
        }
        Ok(())
    }

    fn append(&mut self, now: Timestamp, user: &str, incident: &IncidentId, element: &'static str, text: &str) {
        let sys_id = JournalEntryId::new(self.identifier());
        self.journal.push(Journal {
            sys_id,
            incident: incident.clone(),
            element,
            text: text.to_owned(),
            created_by: user.to_owned(),
            created_on: second(now),
            mod_count: None,
            delivered: false,
        });
    }
}

/// Returns the columns with each of the app's own, empty if it is not given.
fn with_all_columns(given: BridgeColumns) -> BridgeColumns {
    let mut own: BTreeMap<String, String> = OWN_COLUMNS.map(|name| (name.to_owned(), String::new())).into();
    own.extend(given.own);
    BridgeColumns { own, ..given }
}

pub(super) fn apply(record: &mut Record, change: &Change) {
    let set = |slot: &mut String, value: &Option<String>| {
        if let Some(value) = value {
            slot.clone_from(value);
        }
    };
    if let Some(state) = &change.state {
        record.summary.state = state.clone();
    }
    set(&mut record.summary.hold_reason, &change.hold_reason);
    set(&mut record.group, &change.group);
    set(&mut record.priority, &change.priority);
    if let Some((service, category)) = &change.codes {
        record.service_code.clone_from(service);
        record.category_code.clone_from(category);
    }
    if let Some(options) = &change.options {
        record.options.clone_from(options);
    }
    if let Some((code, notes)) = &change.closing {
        record.close_code.clone_from(code);
        record.close_notes.clone_from(notes);
    }
    if let Some(columns) = &change.columns {
        let BridgeColumns { own, sync_status, last_error } = columns.clone();
        let shown = &mut record.summary.columns;
        shown.own.extend(own);
        (shown.sync_status, shown.last_error) = (sync_status, last_error);
    }
}

/// Applies the platform's rules to a write of an incident. Fails if one of them refuses it.
fn before_write(old: &Record, new: &mut Record, now: Timestamp, overwrites: bool) -> Result<(), RequestFailure> {
    let (was, is) = (old.summary.state.clone(), new.summary.state.clone());
    if was == IncidentState::Closed && is != IncidentState::Closed {
        return Err(RequestFailure::Refused(CLOSED_RULE.to_owned()));
    }
    if was != is {
        match is {
            IncidentState::Resolved => {
                new.resolved_at = new.resolved_at.filter(|_| !overwrites).or(Some(second(now)));
            }
            IncidentState::Closed | IncidentState::Cancelled => new.closed_at = Some(second(now)),
            _ => {}
        }
        if was == IncidentState::OnHold {
            new.summary.hold_reason = String::new();
        }
    }
    let needs_closing = matches!(is, IncidentState::Resolved | IncidentState::Closed);
    if needs_closing && (new.close_code.trim().is_empty() || new.close_notes.trim().is_empty()) {
        return Err(RequestFailure::Refused("Data Policy Exception".to_owned()));
    }
    Ok(())
}
