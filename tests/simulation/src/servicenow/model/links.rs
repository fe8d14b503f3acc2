//! The rows with the status of each link of an incident.

use std::collections::BTreeMap;

use casebridge_core::identifiers::IncidentId;

use super::{Instance, RequestFailure, Status};

/// A row of the app's table of links. The incident and the kind in its key never change.
#[derive(Debug, Clone)]
pub(super) struct LinkRow {
    pub(super) status: Status,
    /// The incident that it refers to. It differs from the one in the key if the platform or a script changed the
    /// reference.
    pub(super) refers_to: Option<IncidentId>,
}

/// What keeps the app from using its table of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinksObstacle {
    /// The table does not exist.
    Missing,
    /// A rule aborts every insert and every update.
    WritesAborted,
    /// The app sees no row.
    RowsHidden,
}

impl Instance {
    /// A script that merges duplicates: whatever refers to one incident refers to another one from now on. Deliveries
    /// keep the incident that they were made to.
    pub fn repoint(&mut self, from: &IncidentId, to: &IncidentId) {
        self.link_rows()
            .filter(|row| row.refers_to.as_ref() == Some(from))
            .for_each(|row| row.refers_to = Some(to.clone()));
        self.outbox.iter_mut().filter(|row| row.incident == *from).for_each(|row| row.incident = to.clone());
        // The table has one row for each incident, so a second one is not repointed.
        if self.announced.contains(from) && self.announced.insert(to.clone()) {
            self.announced.remove(from);
        }
    }

    /// Adds a second row for a link, as if from a time without a unique index. Returns `None` if the link has no row
    /// yet.
    pub fn double_link(&mut self, id: &IncidentId, kind: &str, sync_status: &str) -> Option<()> {
        let rows = self.links.get_mut(id)?.get_mut(kind)?;
        let status = Status { sync_status: sync_status.to_owned(), last_error: String::new() };
        self.links_are_unique = false;
        rows.push(LinkRow { status, refers_to: Some(id.clone()) });
        Some(())
    }

    pub(super) fn link_rows(&mut self) -> impl Iterator<Item = &mut LinkRow> {
        self.links.values_mut().flat_map(BTreeMap::values_mut).flatten()
    }

    /// Returns the worst status of all links of an incident.
    pub(super) fn worst(&self, id: &IncidentId) -> Status {
        worst_of(self.statuses(id))
    }

    /// Returns the kind and status of each row of an incident that refers to it, in the order of the kinds.
    pub(super) fn statuses<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = (&'a str, &'a Status)> {
        let kinds = self.links.get(id).filter(|_| !self.hides_links()).into_iter().flatten();
        let rows = kinds.flat_map(|(kind, rows)| rows.iter().map(move |row| (kind.as_str(), row)));
        rows.filter(move |(_, row)| row.refers_to.as_ref() == Some(id)).map(|(kind, row)| (kind, &row.status))
    }

    fn hides_links(&self) -> bool {
        matches!(self.links_obstacle, Some(LinksObstacle::Missing | LinksObstacle::RowsHidden))
    }

    /// Writes the status of a link to those of its rows that differ. Returns whether all of them have it now.
    pub(super) fn note_link(&mut self, id: &IncidentId, kind: &str, status: &Status) -> Result<bool, RequestFailure> {
        let refuses = matches!(self.links_obstacle, Some(LinksObstacle::Missing | LinksObstacle::WritesAborted));
        let count = self.links.get(id).and_then(|kinds| kinds.get(kind)).map_or(0, Vec::len);
        if count == 0 || self.hides_links() {
            // A hidden row has the key already, so the unique index refuses a second one.
            if refuses || (count > 0 && self.links_are_unique) {
                return Ok(false);
            }
            return self.insert_link(id, kind, status);
        }
        let mut all_say_so = true;
        for index in 0..count {
            let rows = self.links.get_mut(id).and_then(|kinds| kinds.get_mut(kind));
            let Some(row) = rows.and_then(|rows| rows.get_mut(index)) else { break };
            if row.status == *status && row.refers_to.as_ref() == Some(id) {
                continue;
            }
            if refuses {
                all_say_so = false;
                continue;
            }
            if self.commits_left == Some(0) {
                return Err(RequestFailure::Stopped);
            }
            *row = LinkRow { status: status.clone(), refers_to: Some(id.clone()) };
            self.commit()?;
        }
        Ok(all_say_so)
    }

    /// Inserts the row of a link. If the app does not see the row then, deletes it again and returns `false`.
    fn insert_link(&mut self, id: &IncidentId, kind: &str, status: &Status) -> Result<bool, RequestFailure> {
        if self.is_stopped() {
            return Err(RequestFailure::Stopped);
        }
        let row = LinkRow { status: status.clone(), refers_to: Some(id.clone()) };
        self.rows_of(id, kind).push(row);
        self.commit()?;
        if !self.hides_links() {
            return Ok(true);
        }
        self.rows_of(id, kind).pop();
        self.commit()?;
        Ok(false)
    }

    fn rows_of(&mut self, id: &IncidentId, kind: &str) -> &mut Vec<LinkRow> {
        self.links.entry(id.clone()).or_default().entry(kind.to_owned()).or_default()
    }
}

/// Returns the worst of these, or the first of several that are equally bad.
pub(super) fn worst_of<'a>(statuses: impl Iterator<Item = (&'a str, &'a Status)>) -> Status {
    statuses.map(|(_, status)| status).min_by_key(|status| status.rank()).cloned().unwrap_or_default()
}
