//! The files of an incident and of its case: which of them go to the other side, and how far each has come.
//!
//! A file of the incident is known by its `sys_id`; up to three small ones, or a large one, go in one transfer and then in
//! one communication. A file of the case is known by its communication and its place there, since AWS may show the same
//! file with another id. What casebridge wrote itself goes nowhere: the app knows it by its delivery, and a
//! communication of ours by its mark.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    failure::Side,
    file::{
        FILES_PER_SET, FileRefusal, SizeClass,
        name::safe_name,
        order::{Cargo, IncomingFile, Order, OutgoingFile},
        transfer::{Carried, End, FileFate, Transfer},
    },
    identifiers::{AttachmentId, CommunicationId, FileId, LinkKey, TransferId},
    policy::Policy,
    servicenow::incident::{FileState, Incident, IncidentFile},
    support::{
        Pass,
        case::Communication,
        conversation::Fate,
        memory::{LinkedCase, Memory},
        message::file_id,
        render,
    },
    time,
};

/// How many files of the case a link remembers at most that are not on the incident. What is shown later is taken in
/// once there is room. With some 300 bytes each they take a quarter of the 350 KiB that the link's row may have.
const MAXIMUM_INCOMING: usize = 300;
/// How many texts on files that stay a link remembers for the case. The oldest are dropped: the incident has them all.
/// Each becomes a communication of its own, so more of them would bury what people write on the case.
const MAXIMUM_NOTICES: usize = 20;
/// How long before its end a set or an upload is not used any more: as long as a call may take, and clocks differ.
const USED_UNTIL_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// The minimum wait before the link looks at files under way. The mover sends a hint when it ends, so a look is only
/// for a hint that was lost, and the poller wakes links once a minute.
const LOOK_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// How often AWS may refuse the communication of the same files. Its reason may be an expired set, so they are moved
/// anew. That happens once, seldom twice; after the third refusal AWS does not accept the files.
const REFUSALS: u32 = 3;
/// How often AWS may not know the id of a file that it shows: with the default policy's longest wait of 15 minutes for
/// a day and a half. A node knows a new file within minutes, so this outlasts an outage of a day.
const UNKNOWN_TIMES: u32 = 150;
/// How many transfers a look asks the ledger for, at most. Each is a read of some milliseconds, so that ten hardly
/// delay a text. The others follow in later passes.
pub(super) const TRANSFERS_PER_LOOK: usize = 10;

/// Files of the incident that go to the case in one communication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// Their transfer.
    pub transfer: TransferId,
    /// How often they were moved anew.
    #[serde(default)]
    pub generation: u32,
    /// The files.
    pub files: Vec<OutgoingFile>,
    /// Who attached the first of them.
    pub author: String,
    /// How often AWS refused their communication.
    #[serde(default)]
    pub refusals: u32,
    /// How far they have come.
    pub progress: OutgoingProgress,
}

/// How far files for the case have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutgoingProgress {
    /// Their transfer has to be ordered.
    Wanted,
    /// Their transfer was ordered. It is ordered again if it has not ended at this time.
    Ordered(Timestamp),
    /// They wait for their communication.
    Ready(Carried),
}

/// A file of the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    /// The communication that it belongs to.
    pub communication: CommunicationId,
    /// Its place among the communication's files, from 0.
    pub place: u32,
    /// Its id, as last shown.
    pub attachment: AttachmentId,
    /// Its name.
    pub name: String,
    /// How often it was ordered with another id.
    #[serde(default)]
    pub generation: u32,
    /// How far it has come.
    pub progress: IncomingProgress,
}

/// How far a file for the incident has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncomingProgress {
    /// Its transfer has to be ordered.
    Wanted,
    /// AWS does not know its id. It is ordered with the id that a read shows from this time on.
    Unknown(Timestamp),
    /// Its transfer was ordered. It is ordered again if it has not ended at this time.
    Ordered(Timestamp),
    /// It is on the incident, or it stays at AWS.
    Settled,
}

/// A text for the case on a file that stays where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNotice {
    /// Its number on this link, from 1.
    pub number: u32,
    /// The text.
    pub text: String,
}

/// What a link remembers of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Files {
    /// Whether the files that the incident shows are the link's to send. False for a link of a former version until it has
    /// seen them: what was there before stays.
    pub are_followed: bool,
    /// The incident's files that are on the case, or that stay.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub settled: BTreeSet<FileId>,
    /// The incident's files that are under way.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outgoing: Vec<Outgoing>,
    /// The case's files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incoming: Vec<Incoming>,
    /// What AWS has still to be told of files that stay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<FileNotice>,
    /// How many notices there have been.
    #[serde(skip_serializing_if = "crate::link::is_zero")]
    pub notices_made: u32,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            are_followed: true,
            settled: BTreeSet::new(),
            outgoing: Vec::new(),
            incoming: Vec::new(),
            notices: Vec::new(),
            notices_made: 0,
        }
    }
}

impl Files {
    /// Returns what a link remembers that a former version wrote.
    pub(super) fn of_former_version() -> Self {
        Self { are_followed: false, ..Self::default() }
    }

    fn is_known(&self, file: &FileId) -> bool {
        let mut under_way = self.outgoing.iter().flat_map(|outgoing| &outgoing.files);
        self.settled.contains(file) || under_way.any(|known| known.file == *file)
    }

    /// Whether no file is under way, in either direction, and AWS knows of those that stay.
    pub(super) fn are_settled(&self) -> bool {
        self.outgoing.is_empty() && self.notices.is_empty() && self.has_received_all()
    }

    /// Whether every file of the case is on the incident, or stays at AWS.
    pub(super) fn has_received_all(&self) -> bool {
        self.incoming.iter().all(|incoming| incoming.progress == IncomingProgress::Settled)
    }

    /// Remembers a text for the case.
    fn tell(&mut self, text: String) {
        self.notices_made = self.notices_made.saturating_add(1);
        self.notices.push(FileNotice { number: self.notices_made, text });
        let surplus = self.notices.len().saturating_sub(MAXIMUM_NOTICES);
        self.notices.drain(..surplus);
    }
}

impl Outgoing {
    /// Returns the files of an order that are not remembered yet.
    fn of(order: &Order, files: &[OutgoingFile], author: String, again_at: Timestamp) -> Self {
        Self {
            transfer: order.transfer.clone(),
            generation: 0,
            files: files.to_vec(),
            author,
            refusals: 0,
            progress: OutgoingProgress::Ordered(again_at),
        }
    }

    /// Returns the names of the files, for people.
    pub(super) fn names(&self) -> Vec<&str> {
        self.files.iter().map(|file| file.name.as_str()).collect()
    }

    /// Lets the files be moved anew.
    fn again(&mut self, key: &LinkKey) {
        self.generation = self.generation.saturating_add(1);
        self.transfer = transfer_of(key, &self.files, self.generation);
        self.progress = OutgoingProgress::Wanted;
    }
}

fn transfer_of(key: &LinkKey, files: &[OutgoingFile], generation: u32) -> TransferId {
    let names: Vec<&str> = files.iter().map(|file| file.file.as_str()).collect();
    TransferId::of(key, &names, generation)
}

/// A file that a read of the case shows.
struct ShownFile {
    communication: CommunicationId,
    place: u32,
    attachment: AttachmentId,
    name: String,
}

impl ShownFile {
    /// Whether it is shown where this file was seen.
    fn is_at(&self, known: &Incoming) -> bool {
        self.communication == known.communication && self.place == known.place
    }

    /// Whether it may be this file, shown with another communication of the same second and text.
    fn may_be(&self, known: &Incoming) -> bool {
        self.communication.is_equal_to(&known.communication) && self.name == known.name
    }

    fn is_alike(&self, other: &Self) -> bool {
        self.communication.is_equal_to(&other.communication) && self.name == other.name
    }
}

/// Returns the files of those communications that people wrote.
fn shown_files(shown: &[Communication], fate: impl Fn(&CommunicationId) -> Option<Fate>) -> Vec<ShownFile> {
    let of_people = shown.iter().filter(|seen| matches!(fate(&seen.id), Some(Fate::Pending | Fate::Delivered)));
    let files = of_people.flat_map(|seen| {
        (0..).zip(&seen.raw.attachments).map(|(place, attached)| ShownFile {
            communication: seen.id.clone(),
            place,
            attachment: attached.id.clone(),
            name: safe_name(&attached.name),
        })
    });
    files.collect()
}

impl Pass {
    /// Whether files may go to the case: it takes texts without being reopened by them, or the incident is open.
    fn sends_files(&self, policy: &Policy) -> bool {
        let is_open = self.summary().is_some_and(|incident| !incident.state.is_ended());
        let takes_texts = self.link.memory.case.as_ref().is_some_and(|case| is_open || !case.is_resolved());
        policy.attachments.reaches_aws() && takes_texts
    }

    /// Returns the files of the incident that have still to be ordered, in the order in which they were attached, with the
    /// order for each group of them.
    pub(super) fn files_to_order(&self, policy: &Policy, now: Timestamp) -> Vec<Order> {
        let Some(case) = self.link.memory.case.as_ref().filter(|_| self.sends_files(policy)) else { return Vec::new() };
        let again = self.link.memory.files.outgoing.iter().filter(|files| files.progress == OutgoingProgress::Wanted);
        let again = again.map(|files| (files.transfer.clone(), files.files.clone()));
        let new = groups(policy, &self.new_files()).into_iter().map(|files| (transfer_of(&self.key, &files, 0), files));
        let order = |(transfer, files)| Order {
            transfer,
            account: case.account.clone(),
            cargo: Cargo::ToRecord(files),
            ordered_at: now,
        };
        again.chain(new).map(order).collect()
    }

    /// Returns the files of people that may be read and that the link does not know yet.
    fn new_files(&self) -> Vec<&IncidentFile> {
        let memory = &self.link.memory.files;
        let Some(incident) = self.incident.as_ref().filter(|_| memory.are_followed) else { return Vec::new() };
        let is_new = |file: &&IncidentFile| {
            file.is_for_aws() && file.state == FileState::Available && !memory.is_known(&file.sys_id)
        };
        incident.attachments.iter().filter(is_new).collect()
    }

    /// Whether the incident shows files for the case that are not ordered yet.
    pub(super) fn has_unordered_files(&self, policy: &Policy) -> bool {
        self.sends_files(policy) && !self.new_files().is_empty()
    }

    /// Returns the files of the case whose transfers have to be ordered: their communications are on the incident.
    pub(super) fn case_files_to_order(&self, policy: &Policy, now: Timestamp) -> Vec<Order> {
        let Some(case) = self.link.memory.case.as_ref().filter(|_| policy.attachments.reaches_servicenow()) else {
            return Vec::new();
        };
        let is_next = |file: &&Incoming| {
            file.progress == IncomingProgress::Wanted
                && self.link.memory.conversation.fate(&file.communication) == Some(Fate::Delivered)
        };
        let wanted = self.link.memory.files.incoming.iter().filter(is_next);
        let order = |file: &Incoming| {
            let external_id = file_id(&self.key, case, &file.communication, file.place);
            Order {
                transfer: self.transfer_of_incoming(case, file),
                account: case.account.clone(),
                cargo: Cargo::ToIncident(IncomingFile {
                    external_id,
                    attachment: file.attachment.clone(),
                    name: file.name.clone(),
                }),
                ordered_at: now,
            }
        };
        wanted.map(order).collect()
    }

    fn transfer_of_incoming(&self, case: &LinkedCase, file: &Incoming) -> TransferId {
        let name = file_id(&self.key, case, &file.communication, file.place);
        TransferId::of(&self.key, &[name.as_str()], file.generation)
    }

    /// Whether files of the incident wait for the case, so that work on the incident does not end before they are sent.
    pub(super) fn has_unsent_files(&self, policy: &Policy) -> bool {
        let is_any_under_way = !self.link.memory.files.outgoing.is_empty();
        (is_any_under_way && self.sends_files(policy)) || self.has_unordered_files(policy)
    }

    /// Returns the transfers that were ordered and whose end the link does not know.
    pub(super) fn transfers_under_way(&self) -> Vec<TransferId> {
        let Some(case) = &self.link.memory.case else { return Vec::new() };
        let files = &self.link.memory.files;
        let outgoing = files.outgoing.iter().filter(|files| matches!(files.progress, OutgoingProgress::Ordered(_)));
        let incoming = files.incoming.iter().filter(|file| matches!(file.progress, IncomingProgress::Ordered(_)));
        let outgoing = outgoing.map(|files| files.transfer.clone());
        outgoing.chain(incoming.map(|file| self.transfer_of_incoming(case, file))).collect()
    }

    /// Returns when to look for files again; `None` if none is under way.
    pub(super) fn files_awaited_until(&self, now: Timestamp) -> Option<Timestamp> {
        let files = &self.link.memory.files;
        let outgoing = files.outgoing.iter().filter_map(|files| match &files.progress {
            OutgoingProgress::Ordered(again_at) => Some(*again_at),
            OutgoingProgress::Ready(carried) => Some(time::earlier(carried.until, USED_UNTIL_BEFORE)),
            OutgoingProgress::Wanted => None,
        });
        let incoming = files.incoming.iter().filter_map(|file| match file.progress {
            IncomingProgress::Ordered(again_at) | IncomingProgress::Unknown(again_at) => Some(again_at),
            IncomingProgress::Wanted | IncomingProgress::Settled => None,
        });
        let earliest = outgoing.chain(incoming).chain(self.checked_files_at()).min()?;
        Some(earliest.max(time::later(now, LOOK_AGAIN_AFTER)))
    }

    /// Returns when to look again for a file that the instance still checks: after as long as it has been there already.
    fn checked_files_at(&self) -> Option<Timestamp> {
        let incident = self.incident.as_ref().filter(|_| self.link.memory.case.is_some())?;
        let pending = incident.attachments.iter().filter(|file| file.is_for_aws() && file.state == FileState::Pending);
        let age = |file: &IncidentFile| incident.taken_at.duration_since(file.created_on);
        pending.map(|file| time::later(incident.taken_at, age(file).max(LOOK_AGAIN_AFTER))).min()
    }

    /// Takes in which files a snapshot shows. What can't go is told on both sides, once.
    pub(super) fn see_files(&mut self, policy: &Policy) {
        let Some(incident) = &self.incident else { return };
        if self.link.memory.case.is_none() {
            // Only a link that has a case may be one of a former version.
            self.link.memory.files.are_followed = true;
            return;
        }
        if !self.link.memory.files.are_followed {
            let there = incident.attachments.iter().map(|file| file.sys_id.clone());
            self.link.memory.files.settled.extend(there);
            self.link.memory.files.are_followed = true;
            return;
        }
        if !policy.attachments.reaches_aws() {
            self.link.memory.files.outgoing.retain(|files| files.progress != OutgoingProgress::Wanted);
        }
        if !self.sends_files(policy) {
            return;
        }
        for (file, refusal) in refused_files(policy, incident) {
            if !self.link.memory.files.is_known(&file.sys_id) {
                self.link.memory.files.settled.insert(file.sys_id.clone());
                self.file_stays(&safe_name(&file.file_name), &refusal);
            }
        }
    }

    /// Tells both sides that a file stays where it is.
    fn file_stays(&mut self, name: &str, refusal: &FileRefusal) {
        let text = render::file_stays(name, &refusal.words());
        self.link.memory.files.tell(text.clone());
        self.note(text);
    }

    /// Takes in the files of the communications that a read shows.
    ///
    /// A file with the id of a known one is that one, wherever it is shown: a read may show a communication of the second
    /// after with an equal text. Communications of one second with equal texts may change places from read to read, so their
    /// files are the same as long as there are no more of a name than before.
    pub(super) fn see_case_files(&mut self, policy: &Policy, now: Timestamp) {
        let shown = shown_files(&self.aws.shown, |id| self.link.memory.conversation.fate(id));
        for (number, file) in shown.iter().enumerate() {
            let files = &mut self.link.memory.files.incoming;
            let earlier = shown[..number].iter().filter(|other| other.is_alike(file)).count();
            let same = files.iter().position(|known| file.attachment == known.attachment);
            let exact = same.or_else(|| files.iter().position(|known| file.is_at(known)));
            let alike: Vec<usize> = (0..files.len()).filter(|place| file.may_be(&files[*place])).collect();
            let place = exact.or_else(|| alike.get(earlier).copied());
            if let Some(known) = place.and_then(|place| files.get_mut(place)) {
                known.attachment = file.attachment.clone();
                if matches!(known.progress, IncomingProgress::Unknown(until) if until <= now) {
                    known.generation = known.generation.saturating_add(1);
                    known.progress = IncomingProgress::Wanted;
                }
            } else if policy.attachments.reaches_servicenow() && files.len() < MAXIMUM_INCOMING {
                files.push(Incoming {
                    communication: file.communication.clone(),
                    place: file.place,
                    attachment: file.attachment.clone(),
                    name: file.name.clone(),
                    generation: 0,
                    progress: IncomingProgress::Wanted,
                });
            }
        }
    }

    /// Records that a transfer was ordered.
    pub(super) fn files_ordered(&mut self, order: &Order, again_at: Timestamp) {
        match &order.cargo {
            Cargo::ToRecord(files) => {
                let author = self.author_of(files);
                let known = self.link.memory.files.outgoing.iter_mut().find(|known| known.transfer == order.transfer);
                match known {
                    Some(known) => known.progress = OutgoingProgress::Ordered(again_at),
                    None => self.link.memory.files.outgoing.push(Outgoing::of(order, files, author, again_at)),
                }
            }
            Cargo::ToIncident(file) => {
                let Some(case) = self.link.memory.case.clone() else { return };
                let key = self.key.clone();
                let is_it =
                    |known: &&mut Incoming| file_id(&key, &case, &known.communication, known.place) == file.external_id;
                if let Some(known) = self.link.memory.files.incoming.iter_mut().find(is_it) {
                    known.progress = IncomingProgress::Ordered(again_at);
                }
            }
        }
    }

    /// Returns the name of who attached the first of these files.
    fn author_of(&self, files: &[OutgoingFile]) -> String {
        let shown = self.incident.iter().flat_map(|incident| &incident.attachments);
        let first = files.first().and_then(|first| shown.into_iter().find(|file| file.sys_id == first.file));
        first.map_or_else(String::new, |file| {
            if file.author.trim().is_empty() { file.created_by.clone() } else { file.author.clone() }
        })
    }

    /// Takes in what the ledger says of a transfer, at `now`.
    pub(super) fn see_transfer(
        &mut self,
        policy: &Policy,
        id: &TransferId,
        transfer: Option<&Transfer>,
        now: Timestamp,
    ) {
        if self.link.memory.files.outgoing.iter().any(|files| files.transfer == *id) {
            return self.see_outgoing(id, transfer, now);
        }
        let Some(case) = self.link.memory.case.clone() else { return };
        let place = {
            let files = &self.link.memory.files.incoming;
            files.iter().position(|file| self.transfer_of_incoming(&case, file) == *id)
        };
        if let Some(place) = place {
            self.see_incoming(policy, place, transfer, now);
        }
    }

    fn see_outgoing(&mut self, id: &TransferId, transfer: Option<&Transfer>, now: Timestamp) {
        let key = self.key.clone();
        let memory = &mut self.link.memory.files;
        let Some(place) = memory.outgoing.iter().position(|files| files.transfer == *id) else { return };
        let files = &mut memory.outgoing[place];
        let OutgoingProgress::Ordered(again_at) = files.progress else { return };
        let Some(transfer) = transfer else { return files.again(&key) };
        let carried = match &transfer.end {
            None => {
                let until = transfer.ordered_until(again_at, now);
                files.progress = until.map_or(OutgoingProgress::Wanted, OutgoingProgress::Ordered);
                return;
            }
            Some(End::Ready(carried)) => Some(carried.clone()),
            Some(End::Done | End::Renamed) => None,
        };
        let stays = settle_fates(files, transfer);
        let staying: Vec<FileId> = stays.iter().map(|(file, _)| file.file.clone()).collect();
        let is_over = files.files.is_empty();
        if let Some(carried) = carried {
            files.progress = OutgoingProgress::Ready(carried);
        }
        if is_over {
            memory.outgoing.remove(place);
        }
        memory.settled.extend(staying);
        for (file, refusal) in stays {
            if let Some(refusal) = refusal {
                self.file_stays(&file.name, &refusal);
            }
        }
    }

    fn see_incoming(&mut self, policy: &Policy, place: usize, transfer: Option<&Transfer>, now: Timestamp) {
        let file = &mut self.link.memory.files.incoming[place];
        let IncomingProgress::Ordered(again_at) = file.progress else { return };
        let end = transfer.and_then(|transfer| transfer.end.as_ref());
        match (transfer, end) {
            (None, _) => {
                file.generation = file.generation.saturating_add(1);
                file.progress = IncomingProgress::Wanted;
            }
            (Some(transfer), None) => {
                let until = transfer.ordered_until(again_at, now);
                file.progress = until.map_or(IncomingProgress::Wanted, IncomingProgress::Ordered);
            }
            (Some(_), Some(End::Renamed)) if file.generation >= UNKNOWN_TIMES => {
                file.progress = IncomingProgress::Settled;
                let name = file.name.clone();
                self.file_stays(&name, &FileRefusal::Unreachable);
            }
            (Some(_), Some(End::Renamed)) => {
                // AWS shows another id by now, or the file is so new that not every node knows it.
                let attempts = file.generation.saturating_add(1);
                let until = time::later(now, policy.longer_each_time(attempts, policy.retry_longest_seconds));
                file.progress = IncomingProgress::Unknown(until);
                let full_read_at = self.link.memory.full_read_at.map_or(until, |at| at.min(until));
                self.link.memory.full_read_at = Some(full_read_at);
            }
            (Some(transfer), Some(End::Done | End::Ready(_))) => {
                file.progress = IncomingProgress::Settled;
                let name = file.name.clone();
                if let Some(FileFate::Refused { refusal }) = transfer.fates.first() {
                    let refusal = refusal.clone();
                    self.file_stays(&name, &refusal);
                }
            }
        }
    }

    /// Lets files be moved anew whose set or upload AWS forgets before a communication can name it.
    pub(super) fn renew_files(&mut self, now: Timestamp) {
        let key = self.key.clone();
        // The outcome of a communication in doubt decides first.
        if self.link.intent.is_some() {
            return;
        }
        for files in &mut self.link.memory.files.outgoing {
            let is_old = |carried: &Carried| now >= time::earlier(carried.until, USED_UNTIL_BEFORE);
            if matches!(&files.progress, OutgoingProgress::Ready(carried) if is_old(carried)) {
                files.again(&key);
            }
        }
    }

    /// Records that the communication with these files is on the case.
    pub(super) fn files_sent(&mut self, transfer: &TransferId) {
        let memory = &mut self.link.memory.files;
        let Some(place) = memory.outgoing.iter().position(|files| files.transfer == *transfer) else { return };
        let sent = memory.outgoing.remove(place);
        memory.settled.extend(sent.files.into_iter().map(|file| file.file));
    }

    /// Records that AWS refused the communication with these files. They are moved anew, and stay in the end.
    pub(super) fn files_refused(&mut self, transfer: &TransferId, reason: &str) {
        let key = self.key.clone();
        let memory = &mut self.link.memory.files;
        let Some(place) = memory.outgoing.iter().position(|files| files.transfer == *transfer) else { return };
        let files = &mut memory.outgoing[place];
        files.refusals = files.refusals.saturating_add(1);
        if files.refusals < REFUSALS {
            return files.again(&key);
        }
        let refused = memory.outgoing.remove(place);
        memory.settled.extend(refused.files.iter().map(|file| file.file.clone()));
        let reason = render::one_line(reason, render::REASON_CHARACTERS);
        for file in refused.files {
            self.file_stays(&file.name, &FileRefusal::NotAccepted { by: Side::Aws, reason: reason.clone() });
        }
    }

    /// Records that AWS knows a notice on a file, or refuses it: it holds up nothing that people wrote.
    pub(super) fn forget_file_notice(&mut self, number: u32) {
        self.link.memory.files.notices.retain(|notice| notice.number != number);
    }

    /// Forgets the files of communications that are forgotten. A communication is kept while a file of it is under way.
    pub(super) fn compact_files(&mut self) {
        let Memory { conversation, files, .. } = &mut self.link.memory;
        files.incoming.retain(|file| conversation.fate(&file.communication).is_some());
    }

    /// Returns when the first communication was written whose files are not all settled, in whole seconds.
    pub(super) fn first_with_open_files(&self) -> Option<Timestamp> {
        let Memory { conversation, files, .. } = &self.link.memory;
        let open = files.incoming.iter().filter(|file| file.progress != IncomingProgress::Settled);
        open.filter_map(|file| conversation.moment_of(&file.communication)).min()
    }
}

/// Removes the files from a group that do not go. Returns them, each with the reason to tell; `None` for a file that was
/// removed from the incident before it was read.
fn settle_fates(files: &mut Outgoing, transfer: &Transfer) -> Vec<(OutgoingFile, Option<FileRefusal>)> {
    let mut stays = Vec::new();
    let fates: Vec<(FileId, FileFate)> =
        transfer.fates_of_files().map(|(file, fate)| (file.clone(), fate.clone())).collect();
    files.files.retain(|file| {
        let fate = fates.iter().find(|(id, _)| *id == file.file).map(|(_, fate)| fate);
        match fate {
            Some(FileFate::Moved { .. }) => return true,
            Some(FileFate::Refused { refusal }) => stays.push((file.clone(), Some(refusal.clone()))),
            // The transfer has ended, so each of its files has a fate: `None` does not occur.
            Some(FileFate::Gone) | None => stays.push((file.clone(), None)),
        }
        false
    });
    stays
}

/// Returns the files of people that don't go to AWS, each with the reason.
fn refused_files(policy: &Policy, incident: &Incident) -> Vec<(IncidentFile, FileRefusal)> {
    let reason = |file: &IncidentFile| match (file.state, SizeClass::of(file.size_bytes, policy.largest_file_bytes)) {
        (FileState::NotAvailable, _) => Some(FileRefusal::Infected { by: Side::ServiceNow }),
        (FileState::Available, SizeClass::Empty) => Some(FileRefusal::Empty),
        (FileState::Available, SizeClass::TooLarge) => {
            Some(FileRefusal::TooLarge { largest: policy.largest_file_bytes.into() })
        }
        (FileState::Pending, _) | (FileState::Available, SizeClass::Set | SizeClass::Upload) => None,
    };
    let files = incident.attachments.iter().filter(|file| file.is_for_aws());
    files.filter_map(|file| Some((file.clone(), reason(file)?))).collect()
}

/// Groups files for their communications, in their order: up to three small ones, or a large one alone.
fn groups(policy: &Policy, files: &[&IncidentFile]) -> Vec<Vec<OutgoingFile>> {
    let mut groups: Vec<Vec<OutgoingFile>> = Vec::new();
    // Whether the last group takes one more.
    let mut has_room = false;
    for file in files {
        let is_small = match SizeClass::of(file.size_bytes, policy.largest_file_bytes) {
            SizeClass::Set => true,
            SizeClass::Upload => false,
            SizeClass::Empty | SizeClass::TooLarge => continue,
        };
        let outgoing =
            OutgoingFile { file: file.sys_id.clone(), name: safe_name(&file.file_name), bytes: file.size_bytes };
        match groups.last_mut().filter(|group| has_room && is_small && group.len() < FILES_PER_SET) {
            Some(group) => group.push(outgoing),
            None => groups.push(vec![outgoing]),
        }
        has_room = is_small;
    }
    groups
}
