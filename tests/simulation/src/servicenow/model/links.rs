//! The rows that say how each link of an incident does.

use std::collections::BTreeMap;

use casebridge_core::identifiers::IncidentId;

use super::{Instance, RequestFailure, Status};

/// A row of the app's table of links. Its key names an incident and a kind for good.
#[derive(Debug, Clone)]
pub(super) struct LinkRow {
    pub(super) status: Status,
    /// The incident that it refers to: not that of its key where the platform or a script has changed the reference.
    pub(super) refers_to: Option<IncidentId>,
}

/// What keeps the app from its table of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinksObstacle {
    /// The table is not there.
    Missing,
    /// A rule aborts every insert and every update.
    WritesAborted,
    /// No row is shown.
    RowsHidden,
}

impl Instance {
    /// A script that merges duplicates lets all that refers to one incident refer to another one. Deliveries keep the incident
    /// that they were made to.
    pub fn repoint(&mut self, from: &IncidentId, to: &IncidentId) {
        self.link_rows()
            .filter(|row| row.refers_to.as_ref() == Some(from))
            .for_each(|row| row.refers_to = Some(to.clone()));
        self.outbox.iter_mut().filter(|row| row.incident == *from).for_each(|row| row.incident = to.clone());
        // There is one row for each incident.
        if self.announced.contains(from) && self.announced.insert(to.clone()) {
            self.announced.remove(from);
        }
    }

    /// A second row for a link, of a time without a unique index. None if the link has no row yet.
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

    /// The worst status of all links of an incident.
    pub(super) fn worst(&self, id: &IncidentId) -> Status {
        worst_of(self.statuses(id))
    }

    /// What the rows of an incident that are its own say, in the order of their kinds.
    pub(super) fn statuses<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = (&'a str, &'a Status)> {
        let kinds = self.links.get(id).filter(|_| !self.hides_links()).into_iter().flatten();
        let rows = kinds.flat_map(|(kind, rows)| rows.iter().map(move |row| (kind.as_str(), row)));
        rows.filter(move |(_, row)| row.refers_to.as_ref() == Some(id)).map(|(kind, row)| (kind, &row.status))
    }

    fn hides_links(&self) -> bool {
        matches!(self.links_obstacle, Some(LinksObstacle::Missing | LinksObstacle::RowsHidden))
    }

    /// Writes how a link does, where its rows do not say so already; whether all of them do now.
    pub(super) fn note_link(&mut self, id: &IncidentId, kind: &str, status: &Status) -> Result<bool, RequestFailure> {
        let refuses = matches!(self.links_obstacle, Some(LinksObstacle::Missing | LinksObstacle::WritesAborted));
        let count = self.links.get(id).and_then(|kinds| kinds.get(kind)).map_or(0, Vec::len);
        if count == 0 || self.hides_links() {
            // A row that is there and hidden has its key already.
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

    /// Inserts the row of a link, and takes it back where it is not shown; whether it is.
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

/// The worst of these; of those that are equally bad the first.
pub(super) fn worst_of<'a>(statuses: impl Iterator<Item = (&'a str, &'a Status)>) -> Status {
    statuses.map(|(_, status)| status).min_by_key(|status| status.rank()).cloned().unwrap_or_default()
}
