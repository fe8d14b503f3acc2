//! A transfer: how far it has come, its next step, and what the outcome of a step means.
//!
//! The function `attachments` makes the steps and records the transfer after each. A step may be repeated: a set or an
//! upload that no communication names is never shown, and ServiceNow takes a file of one name once. So whoever takes over
//! a transfer goes on from what is recorded, and begins a set anew where the last addition to it is in doubt.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    failure::{Failure, Refusal, Side},
    file::{
        FileRefusal, MAXIMUM_SET_FILE_BYTES,
        order::{Cargo, IncomingFile, Order, OutgoingFile},
    },
    identifiers::FileId,
    policy::Policy,
    servicenow::delivery::{FileAnswer, FileOutcome},
    time,
};

/// For how long a transfer that fails is tried again: longer than a weekend's outage.
pub const TRIED_FOR: SignedDuration = SignedDuration::from_hours(72);
/// How long an upload lives that no communication names. Source: AWS Support User Guide.
const UPLOAD_LIVES: SignedDuration = SignedDuration::from_hours(24);
/// How long a set lives if AWS's answer does not say it readably. Source: AWS Support API, AddAttachmentsToSet.
pub const SET_LIVES: SignedDuration = SignedDuration::from_hours(1);
/// The wait before AWS is asked again about an upload that it still checks. A check takes from seconds to minutes. One
/// call in five seconds is a twenty-fifth of the account's quota of five calls a second, which the case's texts share.
/// Source: AWS Support endpoints and quotas.
pub const SCAN_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// After this long a check counts as failed: AWS deletes a file that was not used for so long.
const SCANNED_WITHIN: SignedDuration = UPLOAD_LIVES;
/// How early the message for a transfer's next step may arrive: two workers' clocks differ by less.
const EARLY_MESSAGE: SignedDuration = SignedDuration::from_secs(5);
/// How late such a message may arrive before it counts as lost: the queue hands a message out within seconds, and workers
/// may be busy for a few minutes.
const LATE_MESSAGE: SignedDuration = SignedDuration::from_mins(5);
/// The most parts of an upload: S3's own limit. Source: Amazon S3 User Guide, "multipart upload limits".
const MAXIMUM_PARTS: u32 = 10_000;
/// How many characters of a side's reason are kept: two or three sentences, as many as the link remembers for a text
/// that a side refused.
const REASON_CHARACTERS: usize = 300;

/// A set of attachments that is being filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSet {
    /// Its id.
    pub id: String,
    /// When AWS forgets it, by AWS's clock.
    pub until: Timestamp,
}

/// A part of an upload that AWS has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentPart {
    /// Its number, from 1.
    pub index: u32,
    /// The tag that S3 gave it.
    pub tag: String,
}

/// An upload in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// The size of each part but the last, in bytes.
    pub part_bytes: u64,
    /// How many parts there are.
    pub parts: u32,
    /// The parts that AWS has, in order.
    pub sent: Vec<SentPart>,
    /// The SHA-256 of the file, in hexadecimal digits; empty until the last part is sent.
    pub sha256: String,
    /// Whether AWS has been told that all parts are there.
    pub completed: bool,
    /// When it was begun, by our clock.
    pub begun_at: Timestamp,
}

impl Upload {
    /// Returns an upload that was just begun, for a file of this many bytes. Returns `None` if AWS's parts do not make
    /// up the file.
    pub fn begun(id: String, part_bytes: u64, parts: u32, bytes: u64, now: Timestamp) -> Option<Self> {
        let whole = part_bytes.checked_mul(u64::from(parts)).is_some_and(|whole| whole >= bytes);
        let is_sound = part_bytes > 0 && (1..=MAXIMUM_PARTS).contains(&parts) && whole;
        let sha256 = String::new();
        is_sound.then_some(Self { id, part_bytes, parts, sent: Vec::new(), sha256, completed: false, begun_at: now })
    }

    /// Returns the number of the next part, from 1. Returns `None` if AWS has all of them.
    pub fn next_part(&self) -> Option<u32> {
        let next = u32::try_from(self.sent.len()).unwrap_or(u32::MAX).saturating_add(1);
        (next <= self.parts).then_some(next)
    }

    /// Returns where a part begins in a file, in bytes.
    pub fn start_of(&self, part: u32) -> u64 {
        self.part_bytes * u64::from(part.saturating_sub(1))
    }

    /// Returns the size of a part of a file of this many bytes.
    pub fn size_of(&self, part: u32, bytes: u64) -> u64 {
        self.part_bytes.min(bytes.saturating_sub(self.start_of(part)))
    }
}

/// What AWS says of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadStatus {
    /// It may be used.
    Ready,
    /// AWS still checks it.
    NotReady,
    /// The check has failed.
    Failed,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum FileFate {
    /// It is at the other side, or in the set or the upload that a communication will name.
    Moved {
        /// The SHA-256 of its content, in hexadecimal digits.
        sha256: String,
    },
    /// It was removed before it was read.
    Gone,
    /// It does not go.
    Refused {
        /// Why.
        refusal: FileRefusal,
    },
}

/// What a communication names so that the files are on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// The set of attachments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The uploads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uploads: Vec<String>,
    /// When AWS forgets it.
    pub until: Timestamp,
}

/// How a transfer ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The files wait for the communication that names them.
    Ready(Carried),
    /// The file is on the incident, or it does not go.
    Done,
    /// AWS no longer knows the file by the id that was ordered: the record has to be read again.
    Renamed,
}

/// The state of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// What was ordered.
    pub order: Order,
    /// What became of the files so far, in the order of the order.
    #[serde(default)]
    pub fates: Vec<FileFate>,
    /// The set that is being filled.
    #[serde(default)]
    pub set: Option<OpenSet>,
    /// Whether an addition to the set may be at work: recorded before it, so that whoever takes over begins a new set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_adding: bool,
    /// The upload that is under way.
    #[serde(default)]
    pub upload: Option<Upload>,
    /// How many steps in a row have failed.
    #[serde(default)]
    pub failures: u32,
    /// When the message arrives with which it goes on, by our clock; `None` if none was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<Timestamp>,
    /// How it ended; `None` while it is under way.
    #[serde(default)]
    pub end: Option<End>,
}

/// The next step of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Read a file and add it to this set, or to a new one.
    AddToSet {
        /// The file.
        file: OutgoingFile,
        /// The set; `None` for a new one.
        set: Option<String>,
    },
    /// Begin an upload of a file.
    BeginUpload(OutgoingFile),
    /// Read a file and send the parts that AWS does not have.
    SendParts(OutgoingFile, Upload),
    /// Tell AWS that all parts are there.
    CompleteUpload(Upload),
    /// Ask whether AWS has checked the upload.
    AskForUpload(Upload),
    /// Read a file at AWS and write it to the incident.
    Attach(IncomingFile),
}

/// What follows a failed step.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    /// The file is not there any more.
    Gone,
    /// The file does not go.
    Refused(FileRefusal),
    /// The set or the upload is of no use any more.
    Anew,
    /// AWS no longer knows the id.
    Renamed,
    /// A later try may succeed.
    Later,
}

impl Transfer {
    /// Returns a transfer that has not begun.
    pub fn new(order: Order) -> Self {
        let (fates, set, upload) = (Vec::new(), None, None);
        Self { order, fates, set, is_adding: false, upload, failures: 0, resumes_at: None, end: None }
    }

    /// Whether to ignore a message that arrives now, because the message for the next step is still under way. Without
    /// this, each order that is given again would add a message that sends itself anew for as long as a side refuses.
    pub fn waits_for_another(&self, now: Timestamp) -> bool {
        self.resumes_at.is_some_and(|at| now < time::earlier(at, EARLY_MESSAGE))
    }

    /// Returns when to look whether the transfer is to be ordered again, if it was to be looked at `look_at`. Returns `None`
    /// if it is to be ordered now: that time has come, and no message is under way with which the transfer goes on.
    pub fn ordered_until(&self, look_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let goes_on_until = self.resumes_at.map(|at| time::later(at, LATE_MESSAGE));
        if look_at > now { Some(look_at) } else { goes_on_until.filter(|until| *until > now) }
    }

    /// Returns the next step. Returns `None` if the transfer has ended.
    pub fn next_step(&self) -> Option<Step> {
        if self.end.is_some() {
            return None;
        }
        let file = match &self.order.cargo {
            Cargo::ToIncident(file) => return Some(Step::Attach(file.clone())),
            Cargo::ToRecord(files) => files.get(self.fates.len())?.clone(),
        };
        Some(match &self.upload {
            _ if file.bytes <= MAXIMUM_SET_FILE_BYTES => {
                Step::AddToSet { file, set: self.set.as_ref().map(|set| set.id.clone()) }
            }
            None => Step::BeginUpload(file),
            Some(upload) if upload.next_part().is_some() => Step::SendParts(file, upload.clone()),
            Some(upload) if !upload.completed => Step::CompleteUpload(upload.clone()),
            Some(upload) => Step::AskForUpload(upload.clone()),
        })
    }

    /// Records that another worker goes on with the transfer. The last one may have added a file to the set, or may still do
    /// so, without recording it.
    pub fn taken_over(&mut self) {
        if std::mem::take(&mut self.is_adding) {
            self.begin_anew();
        }
    }

    /// Records that a file is about to be added to the set.
    pub fn adding(&mut self) {
        self.is_adding = self.set.is_some();
    }

    /// Records that a file is in this set.
    pub fn added(&mut self, set: OpenSet, sha256: String) {
        self.is_adding = false;
        self.set = Some(set);
        self.settle(FileFate::Moved { sha256 });
    }

    /// Records an upload that was begun.
    pub fn upload_begun(&mut self, upload: Upload) {
        self.failures = 0;
        self.upload = Some(upload);
    }

    /// Records a part that AWS has. `sha256` is that of the file up to the end of this part.
    pub fn part_sent(&mut self, part: SentPart, sha256: String) {
        self.failures = 0;
        if let Some(upload) = self.upload.as_mut().filter(|upload| upload.next_part() == Some(part.index)) {
            upload.sent.push(part);
            upload.sha256 = sha256;
        }
    }

    /// Records what AWS says of the upload, which has all its parts. Returns whether the step is over; if not, AWS has
    /// still to check the file.
    pub fn upload_seen(&mut self, status: UploadStatus, now: Timestamp) -> bool {
        let Some(upload) = &mut self.upload else { return true };
        upload.completed = true;
        let sha256 = upload.sha256.clone();
        let is_late = now.duration_since(upload.begun_at) >= SCANNED_WITHIN;
        self.failures = 0;
        match status {
            UploadStatus::Ready => self.settle(FileFate::Moved { sha256 }),
            UploadStatus::NotReady if !is_late => return false,
            UploadStatus::NotReady | UploadStatus::Failed => {
                self.upload = None;
                self.settle(FileFate::Refused { refusal: FileRefusal::Infected { by: Side::Aws } });
            }
        }
        true
    }

    /// Records ServiceNow's answer to a file. Returns whether the file is settled; if not, a later try may succeed.
    pub fn attached(&mut self, answer: &FileAnswer, sha256: String) -> bool {
        match answer.outcome {
            FileOutcome::Applied | FileOutcome::AlreadyApplied => self.settle(FileFate::Moved { sha256 }),
            FileOutcome::Refused => {
                let refusal = FileRefusal::NotAccepted { by: Side::ServiceNow, reason: short(&answer.error) };
                self.settle(FileFate::Refused { refusal });
            }
            FileOutcome::Incomplete => {
                self.failures = self.failures.saturating_add(1);
                return false;
            }
        }
        true
    }

    /// Records that a file is not moved because of its size at AWS.
    pub fn not_moved(&mut self, refusal: FileRefusal) {
        self.settle(FileFate::Refused { refusal });
    }

    /// Records that a step failed at a side. Returns how long to wait before the transfer goes on.
    pub fn failed(
        &mut self,
        policy: &Policy,
        step: &Step,
        side: Side,
        failure: &Failure,
        now: Timestamp,
    ) -> SignedDuration {
        self.is_adding = false;
        match meaning(step, side, failure) {
            Meaning::Gone => self.settle(FileFate::Gone),
            Meaning::Refused(refusal) => self.settle(FileFate::Refused { refusal }),
            Meaning::Renamed => self.end = Some(End::Renamed),
            meaning @ (Meaning::Anew | Meaning::Later) => {
                if meaning == Meaning::Anew {
                    self.begin_anew();
                }
                self.failures = self.failures.saturating_add(1);
                if now.duration_since(self.order.ordered_at) >= TRIED_FOR {
                    self.give_up();
                    return SignedDuration::ZERO;
                }
                let asked = match failure {
                    Failure::Unavailable { retry_at: Some(at), .. } => at.duration_since(now),
                    _ => SignedDuration::ZERO,
                };
                return policy.longer_each_time(self.failures, policy.retry_longest_seconds).max(asked);
            }
        }
        SignedDuration::ZERO
    }

    /// Forgets the set or the upload, with what was put into it.
    fn begin_anew(&mut self) {
        self.set = None;
        self.upload = None;
        // Only a set holds several files. A file that was refused or is gone gets the same result again.
        self.fates.clear();
    }

    fn give_up(&mut self) {
        while self.end.is_none() {
            self.settle(FileFate::Refused { refusal: FileRefusal::Unreachable });
        }
    }

    /// Records what became of the next file. With the last one the transfer ends.
    fn settle(&mut self, fate: FileFate) {
        self.failures = 0;
        self.fates.push(fate);
        let count = match &self.order.cargo {
            Cargo::ToRecord(files) => files.len(),
            Cargo::ToIncident(_) => 1,
        };
        if self.fates.len() >= count {
            self.end = Some(self.carried().map_or(End::Done, End::Ready));
        }
    }

    /// Returns what a communication has to name. Returns `None` if no file waits for one.
    fn carried(&self) -> Option<Carried> {
        let Cargo::ToRecord(_) = &self.order.cargo else { return None };
        if !self.fates.iter().any(|fate| matches!(fate, FileFate::Moved { .. })) {
            return None;
        }
        let upload = self.upload.as_ref();
        let uploaded_until = upload.map(|upload| time::later(upload.begun_at, UPLOAD_LIVES));
        let until = self.set.as_ref().map(|set| set.until).into_iter().chain(uploaded_until).min()?;
        let uploads = upload.map(|upload| upload.id.clone()).into_iter().collect();
        Some(Carried { set: self.set.as_ref().map(|set| set.id.clone()), uploads, until })
    }

    /// Returns what became of each of the incident's files. Empty for a file of the record.
    pub fn fates_of_files(&self) -> impl Iterator<Item = (&FileId, &FileFate)> {
        let files: &[OutgoingFile] = match &self.order.cargo {
            Cargo::ToRecord(files) => files,
            Cargo::ToIncident(_) => &[],
        };
        files.iter().map(|file| &file.file).zip(&self.fates)
    }
}

/// Returns what a failure means for the file of a step.
fn meaning(step: &Step, side: Side, failure: &Failure) -> Meaning {
    let refusal = match failure {
        Failure::Refused { refusal, .. } => Some(*refusal),
        // A call in doubt may have put the file into the set: a communication that names the set would show it twice.
        Failure::InDoubt { .. } if matches!(step, Step::AddToSet { .. }) => return Meaning::Anew,
        Failure::InDoubt { .. } | Failure::Unavailable { .. } => None,
    };
    let not_accepted = || Meaning::Refused(FileRefusal::NotAccepted { by: side, reason: short(failure.message()) });
    match (step, side, refusal) {
        (Step::AddToSet { .. } | Step::SendParts(..), Side::ServiceNow, Some(Refusal::NotFound)) => Meaning::Gone,
        (Step::Attach(_), Side::Aws, Some(Refusal::NotFound)) => Meaning::Renamed,
        (Step::AddToSet { set: Some(_), .. }, Side::Aws, Some(Refusal::NotFound))
        | (
            Step::SendParts(..) | Step::CompleteUpload(_) | Step::AskForUpload(_),
            Side::Aws,
            Some(Refusal::NotFound | Refusal::InvalidRequest),
        ) => Meaning::Anew,
        (Step::AddToSet { .. } | Step::BeginUpload(_), Side::Aws, Some(Refusal::InvalidRequest))
        | (Step::Attach(_), _, Some(Refusal::InvalidRequest)) => not_accepted(),
        _ => Meaning::Later,
    }
}

/// Returns the beginning of a side's reason, on one line.
fn short(reason: &str) -> String {
    let words: Vec<&str> = reason.split_whitespace().collect();
    words.join(" ").chars().filter(|letter| !letter.is_control()).take(REASON_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers::{AccountId, AttachmentId, ExternalId, TransferId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn order(cargo: Cargo) -> Order {
        let (transfer, account) = (TransferId::new("t"), AccountId::new("111122223333"));
        Order { transfer, account, cargo, ordered_at: at(0) }
    }

    fn file(name: &str, bytes: u64) -> OutgoingFile {
        OutgoingFile { file: FileId::new(name), name: name.to_owned(), bytes }
    }

    fn to_record(files: &[(&str, u64)]) -> Transfer {
        Transfer::new(order(Cargo::ToRecord(files.iter().map(|(name, bytes)| file(name, *bytes)).collect())))
    }

    fn to_incident() -> Transfer {
        Transfer::new(order(Cargo::ToIncident(IncomingFile {
            external_id: ExternalId::new("x"),
            attachment: AttachmentId::new("a"),
            name: "a.log".to_owned(),
        })))
    }

    fn set() -> OpenSet {
        OpenSet { id: "set".to_owned(), until: at(3_600) }
    }

    fn refused(refusal: Refusal) -> Failure {
        Failure::Refused { refusal, message: "in  their\nwords".to_owned() }
    }

    fn unavailable() -> Failure {
        Failure::Unavailable { message: "busy".to_owned(), retry_at: None }
    }

    fn in_doubt() -> Failure {
        Failure::InDoubt { message: "no answer".to_owned() }
    }

    /// Lets the next step fail at a side. Returns the wait in seconds.
    fn fail(transfer: &mut Transfer, side: Side, failure: &Failure, second: i64) -> i64 {
        let step = transfer.next_step().unwrap();
        transfer.failed(&Policy::default(), &step, side, failure, at(second)).as_secs()
    }

    #[test]
    fn small_files_fill_one_set_and_the_last_one_ends_the_transfer() {
        let mut transfer = to_record(&[("a", 1), ("b", 2)]);
        assert_eq!(transfer.next_step(), Some(Step::AddToSet { file: file("a", 1), set: None }));
        transfer.added(set(), "h1".to_owned());
        assert_eq!(transfer.next_step(), Some(Step::AddToSet { file: file("b", 2), set: Some("set".to_owned()) }));
        transfer.added(set(), "h2".to_owned());
        let carried = Carried { set: Some("set".to_owned()), uploads: Vec::new(), until: at(3_600) };
        assert_eq!(transfer.end, Some(End::Ready(carried)));
        assert_eq!(transfer.next_step(), None);
    }

    #[test]
    fn a_large_file_goes_part_by_part_from_where_the_last_worker_came_to() {
        let bytes = MAXIMUM_SET_FILE_BYTES + 1;
        let mut transfer = to_record(&[("a", bytes)]);
        assert_eq!(transfer.next_step(), Some(Step::BeginUpload(file("a", bytes))));
        transfer.upload_begun(Upload::begun("u".to_owned(), 4_000_000, 2, bytes, at(0)).unwrap());
        let part = |index| SentPart { index, tag: format!("tag{index}") };
        transfer.part_sent(part(2), String::new());
        assert_eq!(transfer.upload.as_ref().unwrap().next_part(), Some(1), "it is not the next one");
        transfer.part_sent(part(1), "half".to_owned());
        let upload = transfer.upload.clone().unwrap();
        assert_eq!((upload.next_part(), upload.start_of(2), upload.size_of(2, bytes)), (Some(2), 4_000_000, 1_000_001));
        assert!(matches!(transfer.next_step(), Some(Step::SendParts(..))));
        transfer.part_sent(part(2), "whole".to_owned());
        assert!(matches!(transfer.next_step(), Some(Step::CompleteUpload(_))));
        assert!(!transfer.upload_seen(UploadStatus::NotReady, at(10)));
        assert!(matches!(transfer.next_step(), Some(Step::AskForUpload(_))));
        assert!(transfer.upload_seen(UploadStatus::Ready, at(20)));
        let carried = Carried { set: None, uploads: vec!["u".to_owned()], until: at(24 * 3_600) };
        assert_eq!(transfer.end, Some(End::Ready(carried)));
        assert_eq!(transfer.fates, [FileFate::Moved { sha256: "whole".to_owned() }]);
    }

    #[test]
    fn a_transfer_waits_for_the_message_with_which_it_goes_on() {
        let mut transfer = to_incident();
        assert_eq!((transfer.waits_for_another(at(0)), transfer.ordered_until(at(0), at(0))), (false, None));
        transfer.resumes_at = Some(at(900));
        assert!(transfer.waits_for_another(at(894)) && !transfer.waits_for_another(at(895)));
        assert_eq!(transfer.ordered_until(at(0), at(1_199)), Some(at(1_200)));
        assert_eq!(transfer.ordered_until(at(0), at(1_200)), None, "the message is lost");
        assert_eq!(transfer.ordered_until(at(1_201), at(1_200)), Some(at(1_201)), "it is not time to look");
    }

    #[test]
    fn a_check_that_fails_or_has_no_end_is_told() {
        for (status, second) in [(UploadStatus::Failed, 1), (UploadStatus::NotReady, 24 * 3_600)] {
            let mut transfer = to_record(&[("a", 6_000_000)]);
            transfer.upload_begun(Upload::begun("u".to_owned(), 6_000_000, 1, 6_000_000, at(0)).unwrap());
            transfer.part_sent(SentPart { index: 1, tag: "t".to_owned() }, "h".to_owned());
            assert!(transfer.upload_seen(status, at(second)));
            assert_eq!(transfer.end, Some(End::Done));
            assert_eq!(transfer.fates, [FileFate::Refused { refusal: FileRefusal::Infected { by: Side::Aws } }]);
        }
    }

    #[test]
    fn parts_that_do_not_make_up_a_file_are_no_upload() {
        let begun = |part_bytes, parts, bytes| Upload::begun("u".to_owned(), part_bytes, parts, bytes, at(0)).is_some();
        assert!(begun(5, 2, 10) && begun(5, 2, 6) && begun(u64::MAX, 1, 10));
        assert!(!begun(5, 2, 11) && !begun(0, 2, 1) && !begun(5, 0, 1) && !begun(1, 10_001, 1));
        assert!(!begun(0, 1, 0), "a part has at least one byte");
        assert!(!begun(u64::MAX, 2, 10), "no file is so large");
    }

    #[test]
    fn an_addition_in_doubt_or_by_another_worker_begins_a_new_set() {
        let mut in_doubt_once = to_record(&[("a", 1), ("b", 1)]);
        in_doubt_once.added(set(), "h".to_owned());
        fail(&mut in_doubt_once, Side::Aws, &in_doubt(), 1);
        let mut taken_over = to_record(&[("a", 1), ("b", 1)]);
        taken_over.added(set(), "h".to_owned());
        taken_over.taken_over();
        assert_eq!(taken_over.fates.len(), 1, "nothing was under way");
        taken_over.adding();
        taken_over.taken_over();
        for transfer in [in_doubt_once, taken_over] {
            assert_eq!((transfer.fates.len(), &transfer.set, transfer.is_adding), (0, &None, false));
            assert_eq!(transfer.next_step(), Some(Step::AddToSet { file: file("a", 1), set: None }));
        }
        let mut first = to_record(&[("a", 1)]);
        first.adding();
        assert!(!first.is_adding, "a set that nobody knows is not used again");
    }

    #[test]
    fn a_refused_file_leaves_the_others_to_go() {
        let mut transfer = to_record(&[("a.exe", 1), ("b", 1), ("gone", 1)]);
        assert_eq!(fail(&mut transfer, Side::Aws, &refused(Refusal::InvalidRequest), 1), 0);
        transfer.added(set(), "h".to_owned());
        assert_eq!(fail(&mut transfer, Side::ServiceNow, &refused(Refusal::NotFound), 2), 0);
        let reason = "in their words".to_owned();
        let not_accepted = FileRefusal::NotAccepted { by: Side::Aws, reason };
        let moved = FileFate::Moved { sha256: "h".to_owned() };
        assert_eq!(transfer.fates, [FileFate::Refused { refusal: not_accepted }, moved, FileFate::Gone]);
        assert!(matches!(transfer.end, Some(End::Ready(_))));
        assert_eq!(transfer.fates_of_files().count(), 3);
    }

    #[test]
    fn what_passes_is_tried_again_after_longer_and_longer_waits_for_three_days() {
        let mut transfer = to_incident();
        let waits: Vec<i64> = (0..4).map(|_| fail(&mut transfer, Side::ServiceNow, &unavailable(), 1)).collect();
        assert_eq!(waits, [1, 2, 4, 8]);
        for failure in
            [refused(Refusal::Credentials), refused(Refusal::NotServed), refused(Refusal::NotFound), in_doubt()]
        {
            assert!(fail(&mut transfer, Side::ServiceNow, &failure, 2) > 0, "{failure:?}");
        }
        let asked = Failure::Unavailable { message: String::new(), retry_at: Some(at(5_000)) };
        assert_eq!(fail(&mut to_incident(), Side::Aws, &asked, 1_000), 4_000);
        assert_eq!(fail(&mut transfer, Side::ServiceNow, &unavailable(), TRIED_FOR.as_secs()), 0);
        assert_eq!(transfer.end, Some(End::Done));
        assert_eq!(transfer.fates, [FileFate::Refused { refusal: FileRefusal::Unreachable }]);
    }

    #[test]
    fn servicenow_takes_a_file_or_says_why_not() {
        let answer = |outcome| FileAnswer { outcome, error: "type".to_owned() };
        for outcome in [FileOutcome::Applied, FileOutcome::AlreadyApplied] {
            let mut transfer = to_incident();
            assert!(transfer.attached(&answer(outcome), "h".to_owned()));
            assert_eq!((transfer.end, transfer.fates.len()), (Some(End::Done), 1));
        }
        let mut refused = to_incident();
        assert!(refused.attached(&answer(FileOutcome::Refused), "h".to_owned()));
        let refusal = FileRefusal::NotAccepted { by: Side::ServiceNow, reason: "type".to_owned() };
        assert_eq!(refused.fates, [FileFate::Refused { refusal }]);
        let mut cut = to_incident();
        assert!(!cut.attached(&answer(FileOutcome::Incomplete), "h".to_owned()));
        assert_eq!((cut.end, cut.failures), (None, 1));
    }

    #[test]
    fn a_file_whose_id_is_unknown_and_an_upload_that_is_gone_are_not_refused() {
        let mut renamed = to_incident();
        fail(&mut renamed, Side::Aws, &refused(Refusal::NotFound), 1);
        assert_eq!(renamed.end, Some(End::Renamed));
        let mut gone = to_record(&[("a", 6_000_000)]);
        gone.upload_begun(Upload::begun("u".to_owned(), 6_000_000, 1, 6_000_000, at(0)).unwrap());
        fail(&mut gone, Side::Aws, &refused(Refusal::NotFound), 1);
        assert!(matches!(gone.next_step(), Some(Step::BeginUpload(_))));
    }

    #[test]
    fn parts_that_aws_has_are_kept_while_the_next_one_is_in_doubt() {
        let mut transfer = to_record(&[("a", 6_000_000)]);
        transfer.upload_begun(Upload::begun("u".to_owned(), 5_000_000, 2, 6_000_000, at(0)).unwrap());
        transfer.part_sent(SentPart { index: 1, tag: "t".to_owned() }, String::new());
        assert!(fail(&mut transfer, Side::Aws, &in_doubt(), 1) > 0, "it is sent again");
        assert_eq!(transfer.upload.as_ref().unwrap().next_part(), Some(2));
    }

    #[test]
    fn a_file_that_is_too_large_at_aws_ends_its_transfer() {
        let mut transfer = to_incident();
        let refusal = FileRefusal::TooLarge { largest: 10 };
        transfer.not_moved(refusal.clone());
        assert_eq!((transfer.end, transfer.fates), (Some(End::Done), vec![FileFate::Refused { refusal }]));
    }
}
