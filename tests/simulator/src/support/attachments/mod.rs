//! Files of cases: sets of small ones, uploads of large ones, and the files that communications have.

pub mod content;
mod downloads;
pub mod link;
pub mod rules;
pub mod s3;
mod sets;
mod uploads;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::error::SupportError;
use super::identity::{OPAQUE_LENGTH, mix};
use super::oddities::{AttachmentSetReuse, Oddities};
use super::{PeopleError, Support, request};
use content::Content;
pub use downloads::{AttachmentFile, Download, DownloadLink, DownloadUrl};
use rules::{FailingScans, FileHosts, FileRules};
use sets::AttachmentSet;
pub use sets::{AttachmentSetDetails, MAXIMUM_SET_ATTACHMENTS, SET_LIFE};
use uploads::Upload;
pub use uploads::{
    LINKS_WITHOUT_RANGE, MAXIMUM_LINKS, UPLOAD_LIFE, UploadLinks, UploadProgress, UploadStatus, UploadStatusDetails,
    UploadUrl,
};

/// The largest file that a set takes and that DescribeAttachment returns: 5 MB, as AWS counts where it gives bytes
/// ("157,286,400 bytes (approximately 150 MB)"). Source: AWS Support API, AddAttachmentsToSet.
pub const MAXIMUM_SMALL_FILE_BYTES: u64 = 5 * 1024 * 1024;
/// The largest file of all. Source: AWS Support API, `fileSizeBytes`.
pub const MAXIMUM_FILE_BYTES: u64 = 157_286_400;
/// The most uploads in one request. Source: AWS Support API, `uploadIds`.
pub const MAXIMUM_UPLOAD_IDS: usize = 10;
/// The most files that a person adds to one communication in the console. Source: AWS Support User Guide.
pub const MAXIMUM_CONSOLE_FILES: usize = 10;
/// The most orders for failing scans that wait at a time: more than any test gives.
const MAXIMUM_FAILING_SCANS: usize = 1000;
const ATTACHMENT_PREFIX: &str = "attachment-";
/// The length of an attachment's lasting id. What follows it in a shown id is the period in which it was shown.
const LASTING_ID_LENGTH: usize = ATTACHMENT_PREFIX.len() + OPAQUE_LENGTH;

/// A file with its name, before a communication has it.
#[derive(Debug, Clone)]
pub struct NamedFile {
    /// The name that the writer gave it.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

/// A file of a communication.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Its lasting id. What reads show can differ: see [`Oddities::attachment_ids_change_after_seconds`].
    pub id: String,
    /// The name that the writer gave it.
    pub name: String,
    /// What is in it.
    pub content: Content,
}

impl Attachment {
    /// Whether it is small enough for `attachmentSet` and DescribeAttachment.
    pub(super) fn is_small(&self, oddities: &Oddities) -> bool {
        self.content.length() <= oddities.largest_small_file()
    }
}

/// The place of an attachment.
#[derive(Debug, Clone, Copy)]
struct Place {
    case: usize,
    communication: usize,
    position: usize,
}

/// All sets, uploads and attachments. Copies share the contents.
#[derive(Debug, Clone)]
pub(super) struct Files {
    hosts: FileHosts,
    rules: FileRules,
    /// Signs the links.
    link_key: u64,
    sets: BTreeMap<String, AttachmentSet>,
    uploads: BTreeMap<String, Upload>,
    places: BTreeMap<String, Place>,
    failing_scans: Vec<FailingScans>,
}

impl Files {
    pub fn new(seed: u64) -> Self {
        Self {
            hosts: FileHosts::default(),
            rules: FileRules::default(),
            link_key: mix(seed),
            sets: BTreeMap::new(),
            uploads: BTreeMap::new(),
            places: BTreeMap::new(),
            failing_scans: Vec::new(),
        }
    }

    /// Returns the files that a request names. Fails if it may not use one of them.
    pub fn claim(
        &self,
        now: Timestamp,
        account: &str,
        reuse: AttachmentSetReuse,
        claim: Claim<'_>,
    ) -> Result<Vec<NamedFile>, SupportError> {
        request::at_most(claim.upload_ids, MAXIMUM_UPLOAD_IDS, "uploadIds")?;
        let mut files = match claim.set_id {
            Some(id) => self.open_set(now, account, id, reuse)?.files.clone(),
            None => Vec::new(),
        };
        let mut seen = BTreeSet::new();
        for id in claim.upload_ids {
            if !seen.insert(id) {
                return Err(SupportError::InvalidParameter(format!("The upload {id} is named twice.")));
            }
            files.push(self.upload(now, account, id)?.finished(now, id)?);
        }
        Ok(files)
    }

    /// Marks the files of a request as used.
    pub fn use_up(&mut self, claim: Claim<'_>) {
        if let Some(set) = claim.set_id.and_then(|id| self.sets.get_mut(id)) {
            set.used = true;
        }
        for id in claim.upload_ids {
            if let Some(upload) = self.uploads.get_mut(id) {
                upload.used = true;
            }
        }
    }

    /// Remembers where the attachments of a new communication are.
    pub fn place(&mut self, case: usize, communication: usize, attachments: &[Attachment]) {
        for (position, attachment) in attachments.iter().enumerate() {
            self.places.insert(attachment.id.clone(), Place { case, communication, position });
        }
    }
}

/// The files that a request names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim<'a> {
    pub set_id: Option<&'a str>,
    pub upload_ids: &'a [String],
}

impl Support {
    /// Sets the hosts of the links that AWS hands out from now on.
    pub fn set_file_hosts(&mut self, hosts: FileHosts) {
        self.files.hosts = hosts;
    }

    /// Sets the rules for files from now on.
    pub fn set_file_rules(&mut self, rules: FileRules) -> Result<(), PeopleError> {
        rules.check().map_err(PeopleError::Invalid)?;
        self.files.rules = rules;
        Ok(())
    }

    /// Returns the rules for files.
    pub fn file_rules(&self) -> &FileRules {
        &self.files.rules
    }

    /// Lets the scans of the next uploads fail that complete.
    pub fn fail_scans(&mut self, order: FailingScans) -> Result<(), PeopleError> {
        if order.count == 0 {
            return Err(PeopleError::Invalid("'count' must be at least 1".to_owned()));
        }
        if self.files.failing_scans.len() == MAXIMUM_FAILING_SCANS {
            return Err(PeopleError::Invalid("too many failing scans are waiting".to_owned()));
        }
        self.files.failing_scans.push(order);
        Ok(())
    }

    /// Gives files their ids, as attachments.
    pub(super) fn attach(&mut self, files: Vec<NamedFile>) -> Vec<Attachment> {
        let id = |identities: &mut super::Identities| format!("{ATTACHMENT_PREFIX}{}", identities.opaque());
        let attached = files.into_iter().map(|file| Attachment {
            id: id(&mut self.identities),
            name: file.name,
            content: file.content,
        });
        attached.collect()
    }
}

/// Returns the id of an attachment as reads show it at a moment.
pub(super) fn shown_id(oddities: &Oddities, id: &str, now: Timestamp) -> String {
    format!("{id}{}", period(oddities, id, now).unwrap_or_default())
}

/// Returns the lasting id for a shown one. A shown id is known in its period and in the next. Returns `None` if it is not
/// known.
fn lasting_id<'a>(oddities: &Oddities, shown: &'a str, now: Timestamp) -> Option<&'a str> {
    let (id, shown_in) = shown.split_at_checked(LASTING_ID_LENGTH)?;
    let Some(seconds) = oddities.attachment_ids_change_after_seconds else {
        return shown_in.is_empty().then_some(id);
    };
    let earlier = now - SignedDuration::from_secs(seconds.into());
    let known = [now, earlier].iter().any(|moment| period(oddities, id, *moment).as_deref() == Some(shown_in));
    known.then_some(id)
}

/// Returns what the shown id has in the period of this moment. Returns `None` if ids do not change.
fn period(oddities: &Oddities, id: &str, moment: Timestamp) -> Option<String> {
    let seconds = i64::from(oddities.attachment_ids_change_after_seconds?.max(1));
    let number = moment.as_second().div_euclid(seconds);
    let of_id = id.bytes().fold(0, |sum: u64, byte| mix(sum ^ u64::from(byte)));
    Some(format!("{:016x}", mix(of_id ^ number.unsigned_abs())))
}

/// Returns a file name that a request gives. Fails if it is missing or of a refused type.
fn file_name<'a>(rules: &FileRules, name: Option<&'a str>) -> Result<&'a str, SupportError> {
    let name = request::required(name, "fileName")?;
    if rules.refuses(name) { Err(refused_type()) } else { Ok(name) }
}

fn refused_type() -> SupportError {
    // A name can tell something about a customer, so the message does not repeat it.
    SupportError::InvalidParameter("Files of this type are not supported.".to_owned())
}
