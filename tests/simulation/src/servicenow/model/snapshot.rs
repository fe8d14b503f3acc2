//! What the app shows: snapshots, page by page, and the incidents that have changed.

use casebridge_core::{
    identifiers::{ExternalId, IncidentId, JournalEntryId},
    servicenow::{
        columns::{ACCOUNT, BridgeColumns},
        incident::{Incident, IncidentAccount, IncidentState, JournalEntry, JournalPoint},
    },
};
use jiff::Timestamp;

use super::{
    CASE_ID, COMMENTS, DeliveryRow, Instance, Journal, Record, RequestFailure, SUPPORT_CASE, StateChange, Status,
    links::worst_of, second,
};

/// The most deliveries that one answer names, as in the app.
const DELIVERIES_NAMED: usize = 1_000;
/// By how many seconds a row of the audit trail may be later than the change that it records, as in the app.
const TRAIL_LAG_SECONDS: i64 = 2;

impl Instance {
    /// Returns what the client reads of an incident, page by page: its comments since a moment, or all of them with
    /// `None`. `kind` is the kind of the link that asks.
    pub fn snapshot(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        since: Option<Timestamp>,
    ) -> Result<Incident, RequestFailure> {
        let mut snapshot = self.page(now, kind, id, since, None)?;
        snapshot.deliveries = self.deliveries_since(id, since);
        for _ in 1..self.pages_per_read {
            let Some(next) = snapshot.entries_next.take() else { break };
            let page = self.page(now, kind, id, Some(next.since), Some(&next.after))?;
            snapshot.entries_complete = page.entries_complete;
            snapshot.entries_next = page.entries_next;
            snapshot.entries.extend(page.entries);
        }
        Ok(snapshot)
    }

    /// Returns one answer of the app's `snapshot`: the incident with its first comments since a moment. With `after`
    /// they begin after that comment, which is of that moment.
    pub(super) fn page(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        since: Option<Timestamp>,
        after: Option<&JournalEntryId>,
    ) -> Result<Incident, RequestFailure> {
        let record = self.read(id)?;
        let mut shown = self.show(now, &record, since, after);
        shown.summary.columns = self.columns_of(&record, kind);
        Ok(shown)
    }

    /// Returns the columns that a link of this kind writes. If the incident shows the worst status of its links, the
    /// link gets its own status. Otherwise it gets the status that the incident shows.
    fn columns_of(&self, record: &Record, kind: &str) -> BridgeColumns {
        let id = &record.summary.sys_id;
        let mut columns = match kind {
            SUPPORT_CASE => record.summary.columns.clone(),
            _ => BridgeColumns::default(),
        };
        let on_incident = Status::of(&record.summary.columns);
        let status = if on_incident == self.worst(id) {
            worst_of(self.statuses(id).filter(|(of_kind, _)| *of_kind == kind))
        } else {
            on_incident
        };
        status.put_into(&mut columns);
        columns
    }

    /// Returns the record as a request reads it. Fails if the incident is not served. Marks it as announced: AWS has
    /// heard of it from now on.
    pub(super) fn read(&mut self, id: &IncidentId) -> Result<Record, RequestFailure> {
        let lagging = self.lagging.take_if(|(record, _)| record.summary.sys_id == *id);
        let current =
            self.incidents.get(id).filter(|_| !self.hidden.contains_key(id)).ok_or(RequestFailure::NotFound)?;
        let record = lagging.map_or_else(|| current.clone(), |(record, _)| record);
        if self.is_served(&record)? { Ok(record) } else { Err(RequestFailure::NotServed) }
    }

    pub(super) fn is_served(&mut self, record: &Record) -> Result<bool, RequestFailure> {
        let id = &record.summary.sys_id;
        if self.announced.contains(id) {
            return Ok(true);
        }
        if record.summary.columns.own(CASE_ID).is_empty() && !self.is_in_scope(record) {
            return Ok(false);
        }
        if self.is_stopped() {
            return Err(RequestFailure::Stopped);
        }
        self.announced.insert(id.clone());
        self.commit()?;
        Ok(true)
    }

    fn show(
        &self,
        now: Timestamp,
        record: &Record,
        since: Option<Timestamp>,
        after: Option<&JournalEntryId>,
    ) -> Incident {
        let mut summary = record.summary.clone();
        let state = &record.summary.state;
        let ended = self.entered(record, IncidentState::is_ended);
        let closed = self.entered(record, IncidentState::is_closed);
        summary.resolved_at = shown_resolution(record);
        summary.ended_mod_count = ended.map(|change| change.mod_count);
        summary.ended_by_another = ended.is_some_and(|change| self.is_another_user(&change.user));
        summary.closed_at = record.closed_at.filter(|_| state.is_closed());
        summary.closed_mod_count = closed.map(|change| change.mod_count);
        summary.has_close_code = !record.close_code.trim().is_empty();
        summary.has_close_notes = !record.close_notes.trim().is_empty();
        let accounts = self.accounts_of(&record.group);
        summary.group_accounts = accounts.iter().map(|account| account.number.clone()).collect();
        summary.linked_account_state = self.state_of(record.summary.columns.own(ACCOUNT));
        let account = self.account_of(&record.group).map(|account| IncidentAccount {
            number: account.number.clone(),
            name: account.name.clone(),
            production: account.production,
            severities: account.severities.clone(),
            options: account.options.clone(),
        });
        let (entries, entries_next) = self.entries(record, ended, since, after);
        Incident {
            summary,
            taken_at: second(now),
            updated_on: Some(record.updated_on),
            account,
            service_code: record.service_code.clone(),
            category_code: record.category_code.clone(),
            options: record.options.clone(),
            caller_email: String::new(),
            short_description: record.short_description.clone(),
            description: record.description.clone(),
            priority: record.priority.clone(),
            entries_since: since,
            entries,
            entries_complete: entries_next.is_none(),
            entries_next,
            deliveries: Vec::new(),
            attachments: self.shown_files(&record.summary.sys_id),
            attachments_complete: true,
        }
    }

    /// Returns the deliveries to an incident that were claimed since a moment, the newest first.
    fn deliveries_since(&self, id: &IncidentId, since: Option<Timestamp>) -> Vec<ExternalId> {
        let is_shown = |row: &DeliveryRow| row.incident == *id && since.is_none_or(|since| row.claimed_at >= since);
        let mut shown: Vec<(&String, &DeliveryRow)> = self.deliveries.iter().filter(|(_, row)| is_shown(row)).collect();
        shown.sort_by_key(|(_, row)| std::cmp::Reverse(row.claimed_at));
        shown.into_iter().take(DELIVERIES_NAMED).map(|(name, _)| ExternalId::new(name.as_str())).collect()
    }

    /// Returns the latest change that led into these states. Returns `None` if the trail does not lead to the present
    /// state without a gap.
    fn entered(&self, record: &Record, is_in: impl Fn(&IncidentState) -> bool) -> Option<&StateChange> {
        let trail = self.trail.get(&record.summary.sys_id).filter(|_| self.trail_is_readable)?;
        let mut newest_first: Vec<&StateChange> = trail.iter().collect();
        newest_first.sort_by_key(|change| std::cmp::Reverse((change.at, change.mod_count)));
        let mut expected = &record.summary.state;
        for change in newest_first {
            if change.to != *expected || !is_in(&change.to) || change.mod_count > record.summary.sys_mod_count {
                return None;
            }
            if !is_in(&change.from) {
                return Some(change);
            }
            expected = &change.from;
        }
        None
    }

    /// Returns the texts for AWS among the first ones after the point, of which as many are read as a page may, and the
    /// point to go on from. That is `None` if the newest was read.
    fn entries(
        &self,
        record: &Record,
        ended: Option<&StateChange>,
        since: Option<Timestamp>,
        after: Option<&JournalEntryId>,
    ) -> (Vec<JournalEntry>, Option<JournalPoint>) {
        let id = &record.summary.sys_id;
        let mut rows: Vec<&Journal> = self
            .journal
            .iter()
            .filter(|row| row.incident == *id && self.sharing.reads(row.element))
            .filter(|row| since.is_none_or(|since| row.created_on >= since))
            .filter(|row| after.is_none_or(|after| since < Some(row.created_on) || row.sys_id > *after))
            .collect();
        rows.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
        let mut characters = 0;
        let fits = |(index, row): &(usize, &&Journal)| {
            characters += row.text.encode_utf16().count();
            *index == 0 || (characters <= self.page_characters && *index < self.page_entries)
        };
        let read = rows.iter().enumerate().take_while(fits).count();
        let next = rows[..read].last().filter(|_| read < rows.len());
        let next = next.map(|row| JournalPoint { since: row.created_on, after: row.sys_id.clone() });
        let reached = record.summary.sys_mod_count;
        let shown = rows[..read].iter().filter_map(|row| self.entry_of(row, reached, ended));
        (shown.collect(), next)
    }

    /// Returns the row as the app shows it. Returns `None` if it stays in ServiceNow: it is not shared, or it is a work
    /// note that casebridge delivered.
    fn entry_of(&self, row: &Journal, reached: u64, ended: Option<&StateChange>) -> Option<JournalEntry> {
        let ours = self.finished.contains(&row.sys_id);
        let text = if ours { Some(row.text.as_str()).filter(|_| row.is_comment()) } else { self.sharing.shared(row) }?;
        let is_by_deliverer = row.created_by == self.integration_user || self.deliverers.contains_key(&row.created_by);
        // A restored record counts some updates twice. Then the times are right, and a count that contradicts them is
        // not.
        let is_believable = |count: u64| {
            let Some(ended) = ended else { return true };
            let distance = row.created_on.duration_since(ended.at).as_secs().abs();
            distance <= TRAIL_LAG_SECONDS || (count <= ended.mod_count) == (row.created_on < ended.at)
        };
        let mod_count = row.mod_count.filter(|_| self.trail_is_readable);
        Some(JournalEntry {
            sys_id: row.sys_id.clone(),
            created_on: row.created_on,
            created_by: row.created_by.clone(),
            author: row.created_by.clone(),
            text: text.to_owned(),
            ours,
            undecided: !ours && is_by_deliverer,
            mod_count: mod_count.filter(|count| *count <= reached && is_believable(*count)),
            element: COMMENTS.to_owned(),
        })
    }

    /// Returns the incidents that are linked, in scope or announced and were written after (`since`, `after`), at most
    /// `limit` of them, and whether there are more.
    pub fn changes(
        &self,
        since: Timestamp,
        after: Option<&IncidentId>,
        limit: usize,
    ) -> (Vec<(IncidentId, u64, Timestamp, bool)>, bool) {
        let is_served = |record: &&Record| {
            let id = &record.summary.sys_id;
            let is_known = !record.summary.columns.own(CASE_ID).is_empty()
                || self.is_in_scope(record)
                || self.announced.contains(id);
            is_known && !self.hidden.contains_key(id)
        };
        let is_after = |at: Timestamp, id: &IncidentId| match after {
            None => at >= since,
            Some(after) => (at, id) > (since, after),
        };
        let attached = self.attachments.iter().filter(|file| is_after(file.created_on, &file.incident));
        let attached = attached.filter_map(|file| {
            let record = self.incidents.get(&file.incident).filter(is_served)?;
            Some((file.created_on, file.incident.clone(), record.summary.sys_mod_count, true))
        });
        let mut found: Vec<(Timestamp, IncidentId, u64, bool)> = self
            .incidents
            .values()
            .filter(is_served)
            .filter(|record| is_after(record.updated_on, &record.summary.sys_id))
            .map(|record| (record.updated_on, record.summary.sys_id.clone(), record.summary.sys_mod_count, false))
            .chain(attached)
            .collect();
        found.sort();
        // An incident that changed in the second of its file stands here once, as one with a file.
        found.dedup_by(|later, earlier| {
            let is_same = (later.0, &later.1) == (earlier.0, &earlier.1);
            earlier.3 |= is_same && later.3;
            is_same
        });
        let more = found.len() > limit;
        found.truncate(limit);
        (found.into_iter().map(|(at, id, count, attached)| (id, count, at, attached)).collect(), more)
    }
}

fn shown_resolution(record: &Record) -> Option<Timestamp> {
    match record.summary.state {
        IncidentState::Cancelled => record.closed_at.or(Some(record.updated_on)),
        IncidentState::Resolved | IncidentState::Closed => {
            record.resolved_at.or(record.closed_at).or(Some(record.updated_on))
        }
        _ => None,
    }
}
