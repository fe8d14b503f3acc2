//! The files of incidents, and what the app does with one that casebridge writes.

use casebridge_core::{
    identifiers::{FileId, IncidentId},
    servicenow::{
        delivery::{FileAnswer, FileOutcome, NewFile},
        incident::{FileState, IncidentFile},
    },
};
use jiff::{SignedDuration, Timestamp};

use super::{CASE_ID, DeliveryRow, Instance, JournalEntryId, RequestFailure, second};
use crate::contents::FileBytes;

/// The ending of the names that the instance refuses.
const REFUSED_ENDING: &str = ".vbs";

/// A file on an incident.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Its id.
    pub sys_id: FileId,
    /// The incident.
    pub incident: IncidentId,
    /// Its name.
    pub file_name: String,
    /// What is in it.
    pub content: FileBytes,
    /// The user name of who attached it.
    pub created_by: String,
    /// When it was attached, to the second.
    pub created_on: Timestamp,
    /// Whether casebridge delivered it. This is the truth, whatever its delivery row says.
    pub delivered: bool,
    /// Until when the instance checks it for viruses.
    pub checked_at: Timestamp,
    /// Whether the check withholds it.
    pub infected: bool,
    /// Whether it can be read now.
    pub state: FileState,
}

impl Instance {
    /// Somebody attaches a file. Returns its id.
    pub fn attach(&mut self, now: Timestamp, user: &str, id: &IncidentId, name: &str, content: FileBytes) -> FileId {
        let sys_id = FileId::new(self.identifier());
        self.attachments.push(Attachment {
            sys_id: sys_id.clone(),
            incident: id.clone(),
            file_name: name.to_owned(),
            content,
            created_by: user.to_owned(),
            created_on: second(now),
            delivered: user == self.integration_user,
            checked_at: now,
            infected: false,
            state: FileState::Available,
        });
        let follows = self
            .incidents
            .get(id)
            .is_some_and(|record| !record.service_code.is_empty() || !record.summary.columns.own(CASE_ID).is_empty());
        if follows && user != self.integration_user {
            self.rules.push_back(id.clone());
        }
        sys_id
    }

    /// Lets the instance check a file until this moment, and withhold it then if it is infected.
    pub fn check_file(&mut self, file: &FileId, until: Timestamp, infected: bool) {
        for known in self.attachments.iter_mut().filter(|known| known.sys_id == *file) {
            (known.checked_at, known.infected, known.state) = (until, infected, FileState::Pending);
        }
    }

    /// Ends the checks whose time has come.
    pub fn end_checks(&mut self, now: Timestamp) {
        let is_over = |file: &&mut Attachment| file.state == FileState::Pending && file.checked_at <= now;
        for file in self.attachments.iter_mut().filter(is_over) {
            file.state = if file.infected { FileState::NotAvailable } else { FileState::Available };
        }
    }

    /// Returns the files as a snapshot shows them.
    pub(super) fn shown_files(&self, id: &IncidentId) -> Vec<IncidentFile> {
        let mut files: Vec<&Attachment> = self.attachments.iter().filter(|file| file.incident == *id).collect();
        files.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
        let shown = |file: &Attachment| {
            let ours = self.finished.contains(&JournalEntryId::new(file.sys_id.as_str()));
            let is_by_deliverer =
                file.created_by == self.integration_user || self.deliverers.contains_key(&file.created_by);
            IncidentFile {
                sys_id: file.sys_id.clone(),
                created_on: file.created_on,
                created_by: file.created_by.clone(),
                author: file.created_by.clone(),
                file_name: file.file_name.clone(),
                content_type: "application/octet-stream".to_owned(),
                size_bytes: file.content.length(),
                state: file.state,
                ours,
                undecided: !ours && is_by_deliverer,
            }
        };
        // What a silent author attached stays.
        let is_shown =
            |file: &IncidentFile| file.ours || !self.sharing.silent_authors.contains(&file.created_by.to_lowercase());
        files.into_iter().map(shown).filter(is_shown).collect()
    }

    /// Returns the content of a file.
    pub fn read_file(&mut self, id: &IncidentId, file: &FileId) -> Result<FileBytes, RequestFailure> {
        self.read(id)?;
        let found = self.attachments.iter().find(|known| known.incident == *id && known.sys_id == *file);
        let found = found.filter(|known| known.state != FileState::NotAvailable);
        found.map(|known| known.content.clone()).ok_or(RequestFailure::NoSuchFile)
    }

    /// Writes a file once: the claim, the file, the end of the claim.
    pub fn write_file(
        &mut self,
        now: Timestamp,
        id: &IncidentId,
        file: &NewFile,
        content: FileBytes,
    ) -> Result<FileAnswer, RequestFailure> {
        let answer = self.write_file_until_stopped(now, id, file, content);
        self.commits_left = None;
        answer
    }

    fn write_file_until_stopped(
        &mut self,
        now: Timestamp,
        id: &IncidentId,
        file: &NewFile,
        content: FileBytes,
    ) -> Result<FileAnswer, RequestFailure> {
        let answer = |outcome, error: &str| FileAnswer { outcome, error: error.to_owned() };
        self.read(id)?;
        let key = file.external_id.as_str();
        if let Some(row) = self.deliveries.get(key).cloned() {
            if row.incident != *id {
                return Ok(answer(FileOutcome::Refused, "This external_id belongs to another incident."));
            }
            if row.done {
                return Ok(answer(FileOutcome::AlreadyApplied, ""));
            }
            if row.claimed_at > second(now) - SignedDuration::from_secs(self.claim_seconds) {
                return Err(RequestFailure::Conflict);
            }
            if let Some(earlier) = self.earlier_file(id, file, &row) {
                self.finish(key, Some(earlier))?;
                return Ok(answer(FileOutcome::AlreadyApplied, ""));
            }
            if self.is_stopped() {
                return Err(RequestFailure::Stopped);
            }
            self.unclaim(key)?;
        }
        if self.is_stopped() {
            return Err(RequestFailure::Stopped);
        }
        self.claim(now, id, key)?;
        if file.name.ends_with(REFUSED_ENDING) {
            self.unclaim(key)?;
            return Ok(answer(FileOutcome::Refused, "Files of this type may not be attached."));
        }
        let user = self.integration_user.clone();
        let sys_id = self.attach(now, &user, id, &file.name, content);
        self.commit()?;
        self.finish(key, Some(JournalEntryId::new(sys_id.as_str())))?;
        Ok(answer(FileOutcome::Applied, ""))
    }

    /// Returns the file that an earlier attempt wrote: by the user of the claim since the claim, with the same name and
    /// size, and of no other delivery.
    fn earlier_file(&self, id: &IncidentId, file: &NewFile, claim: &DeliveryRow) -> Option<JournalEntryId> {
        let is_it = |known: &&Attachment| {
            known.incident == *id
                && known.file_name == file.name
                && known.content.length() == file.bytes
                && known.created_by == claim.created_by
                && known.created_on >= claim.claimed_at
                && !self.finished.contains(&JournalEntryId::new(known.sys_id.as_str()))
        };
        self.attachments.iter().find(is_it).map(|known| JournalEntryId::new(known.sys_id.as_str()))
    }
}
