//! Uploads of large files, in parts: links, parts, completion, scan.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::super::error::SupportError;
use super::super::model::format_milliseconds;
use super::super::request::{
    self, CompleteAttachmentUpload, CompletedUpload, DescribeAttachmentUploadStatus, GetAttachmentUploadLinks,
    UploadRange,
};
use super::super::{Support, refuse_dry_run};
use super::content::Content;
use super::link::{Aim, Link};
use super::s3::LinkError;
use super::{Files, MAXIMUM_FILE_BYTES, NamedFile};

/// The most links in an answer. Source: AWS Support API, `uploadUrls`.
pub const MAXIMUM_LINKS: u32 = 10;
/// The links in an answer to a request without a range. AWS "determines the range": fewer than it may be, so that clients
/// have to follow `nextIndex`.
pub const LINKS_WITHOUT_RANGE: u32 = 4;
/// How long an upload lives that no communication has. Source: AWS Support User Guide.
pub const UPLOAD_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// The longest id of an upload. Source: AWS Support API, `uploadId`.
const MAXIMUM_UPLOAD_ID_LENGTH: usize = 2048;
/// How many opaque texts an upload's id has: longer than 255 characters, which columns for ids often have.
const UPLOAD_ID_TEXTS: usize = 6;

/// The state of an upload. The names are those on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UploadStatus {
    /// It may be attached.
    AttachmentReady,
    /// Parts are missing, or the scan goes on.
    AttachmentNotReady,
    /// The scan refused it.
    Failed,
}

/// An upload.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    account: String,
    file_name: String,
    length: u64,
    part_size: u64,
    /// The parts that have arrived, by their index.
    parts: BTreeMap<u32, Content>,
    /// The ETags of the parts that the client has reported as complete.
    reported: BTreeMap<u32, String>,
    started_at: Timestamp,
    scan: Option<Scan>,
    pub used: bool,
}

#[derive(Debug, Clone)]
struct Scan {
    content: Content,
    ends_at: Timestamp,
    passes: bool,
}

impl Upload {
    fn total_parts(&self) -> u32 {
        u32::try_from(self.length.div_ceil(self.part_size)).unwrap_or(u32::MAX)
    }

    /// Returns the size that a part must have. Returns `None` if there is no such part.
    fn size_of_part(&self, index: u32) -> Option<u64> {
        let before = u64::from(index.checked_sub(1)?) * self.part_size;
        let left = self.length.checked_sub(before).filter(|left| *left > 0)?;
        Some(left.min(self.part_size))
    }

    fn status(&self, now: Timestamp) -> UploadStatus {
        match &self.scan {
            Some(scan) if scan.ends_at <= now && scan.passes => UploadStatus::AttachmentReady,
            Some(scan) if scan.ends_at <= now => UploadStatus::Failed,
            _ => UploadStatus::AttachmentNotReady,
        }
    }

    /// Returns the file. Fails unless it may be attached.
    pub fn finished(&self, now: Timestamp, id: &str) -> Result<NamedFile, SupportError> {
        let refuse = |why: &str| Err(SupportError::InvalidParameter(format!("The upload {id} {why}.")));
        match (self.status(now), &self.scan) {
            (UploadStatus::AttachmentReady, Some(_)) if self.used => refuse("is attached already"),
            (UploadStatus::AttachmentReady, Some(scan)) => {
                Ok(NamedFile { name: self.file_name.clone(), content: scan.content.clone() })
            }
            (UploadStatus::Failed, _) => refuse("has failed"),
            _ => refuse("is not ready"),
        }
    }

    /// Checks a part that the client reports. The ETag may have its quotes or not, as in S3.
    fn check_reported(&self, completed: &CompletedUpload) -> Result<(), SupportError> {
        let index = completed.part_index;
        let refuse = |why: &str| SupportError::InvalidParameter(format!("The part {index} {why}."));
        let content = self.parts.get(&index).ok_or_else(|| refuse("is not uploaded"))?;
        if self.size_of_part(index) != Some(content.length()) {
            return Err(refuse("has not the size of a part"));
        }
        let e_tag = content.e_tag().map_err(|_| SupportError::Internal)?;
        if completed.e_tag.trim_matches('"') == e_tag.trim_matches('"') {
            Ok(())
        } else {
            Err(refuse("has another ETag"))
        }
    }
}

/// GetAttachmentUploadLinks' answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadLinks {
    /// The upload's id.
    pub upload_id: String,
    /// The size of all parts but the last.
    pub part_size_bytes: u64,
    /// The number of parts.
    pub total_parts: u32,
    /// The first part without a link in this answer. `None` after the last part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_index: Option<u32>,
    /// The links.
    pub upload_urls: Vec<UploadUrl>,
}

/// A link for one part.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadUrl {
    /// The address for a PUT.
    pub url: String,
    /// The part's index, from 1.
    pub part_index: u32,
    /// When the link expires.
    pub expiry_date: String,
}

/// DescribeAttachmentUploadStatus' answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadStatusDetails {
    /// The status.
    pub upload_status: UploadStatus,
    /// The file's name.
    pub file_name: String,
    /// The parts.
    pub upload_progress: UploadProgress,
}

/// How many parts are complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadProgress {
    /// The number of parts.
    pub total_parts: u32,
    /// How many of them the client has reported as complete.
    pub completed_parts_count: usize,
}

impl Files {
    /// Returns an upload of this account. That of another account is refused like one that does not exist.
    pub(super) fn upload(&self, now: Timestamp, account: &str, id: &str) -> Result<&Upload, SupportError> {
        let lives = |upload: &&Upload| upload.account == account && now.duration_since(upload.started_at) < UPLOAD_LIFE;
        self.uploads.get(id).filter(lives).ok_or_else(|| SupportError::UploadIdNotFound(id.to_owned()))
    }

    /// Forgets old uploads. The files of those that a communication has stay with it.
    fn forget_old_uploads(&mut self, now: Timestamp) {
        self.uploads.retain(|_, upload| now.duration_since(upload.started_at) < UPLOAD_LIFE);
    }

    /// Whether the scan of a file that completes now passes. Takes one from the order that it matches.
    fn scan_passes(&mut self, file_name: &str) -> bool {
        let ordered = self.failing_scans.iter().position(|order| file_name.contains(&order.containing));
        if let Some(position) = ordered {
            let order = &mut self.failing_scans[position];
            order.count -= 1;
            if order.count == 0 {
                self.failing_scans.remove(position);
            }
        }
        ordered.is_none() && !self.rules.refuses(file_name)
    }

    /// Begins the scan once the client has reported all parts.
    fn begin_scan(&mut self, now: Timestamp, id: &str) {
        let Some(upload) = self.uploads.get(id) else { return };
        let all_reported = upload.reported.len() == upload.total_parts() as usize;
        if upload.scan.is_some() || !all_reported {
            return;
        }
        let file_name = upload.file_name.clone();
        let passes = self.scan_passes(&file_name);
        let ends_at = now + self.rules.scan();
        if let Some(upload) = self.uploads.get_mut(id) {
            let content = Content::joined(upload.parts.values());
            upload.parts.clear();
            upload.scan = Some(Scan { content, ends_at, passes });
        }
    }

    fn links(&self, now: Timestamp, id: &str, upload: &Upload, range: std::ops::Range<u32>) -> UploadLinks {
        let total_parts = upload.total_parts();
        let link = |index: u32| {
            let aim = Aim::Part { upload_id: id.to_owned(), index };
            let link = Link::sign(self.link_key, &upload.account, aim, now, self.rules.link_life());
            let url = link.url(&self.hosts.upload);
            UploadUrl { url, part_index: index, expiry_date: format_milliseconds(link.expires_at()) }
        };
        UploadLinks {
            upload_id: id.to_owned(),
            part_size_bytes: upload.part_size,
            total_parts,
            next_index: (range.end <= total_parts).then_some(range.end),
            upload_urls: range.map(link).collect(),
        }
    }

    /// Returns the upload of a link, which must be valid.
    fn linked_upload(&self, now: Timestamp, link: &Link) -> Result<(&Upload, u32), LinkError> {
        let Aim::Part { upload_id, index } = &link.aim else { return Err(LinkError::SignatureDoesNotMatch) };
        let upload = self.upload(now, &link.account, upload_id).map_err(|_| LinkError::NoSuchUpload)?;
        if upload.scan.is_some() { Err(LinkError::NoSuchUpload) } else { Ok((upload, *index)) }
    }
}

impl Support {
    /// GetAttachmentUploadLinks. Without the id of an upload it begins one.
    pub fn get_attachment_upload_links(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &GetAttachmentUploadLinks,
    ) -> Result<UploadLinks, SupportError> {
        self.admit(now, account)?;
        self.files.forget_old_uploads(now);
        let file_name = request::required(request.file_name.as_deref(), "fileName")?;
        if let Some(id) = request.upload_id.as_deref() {
            let upload = self.files.upload(now, account, upload_id(Some(id))?)?;
            if upload.scan.is_some() {
                return Err(SupportError::InvalidParameter(format!("The upload {id} is complete.")));
            }
            let range = range(request.upload_range, upload.total_parts())?;
            refuse_dry_run(request.dry_run)?;
            return Ok(self.files.links(now, id, upload, range));
        }
        let upload = Upload {
            account: account.to_owned(),
            file_name: file_name.to_owned(),
            length: file_size(request.file_size_bytes)?,
            part_size: self.files.rules.part_size_bytes,
            parts: BTreeMap::new(),
            reported: BTreeMap::new(),
            started_at: now,
            scan: None,
            used: false,
        };
        let range = range(request.upload_range, upload.total_parts())?;
        refuse_dry_run(request.dry_run)?;
        let id: String = (0..UPLOAD_ID_TEXTS).map(|_| self.identities.opaque()).collect();
        let links = self.files.links(now, &id, &upload, range);
        self.files.uploads.insert(id, upload);
        Ok(links)
    }

    /// CompleteAttachmentUpload. It takes the parts of one upload in one call or in several. A repetition changes nothing.
    pub fn complete_attachment_upload(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &CompleteAttachmentUpload,
    ) -> Result<UploadStatus, SupportError> {
        self.admit(now, account)?;
        let id = upload_id(request.upload_id.as_deref())?;
        let upload = self.files.upload(now, account, id)?;
        if request.completed_uploads.is_empty() {
            let constraint = "Member must have length greater than or equal to 1";
            return Err(request::violation("[]", "completedUploads", constraint));
        }
        if upload.scan.is_none() {
            request.completed_uploads.iter().try_for_each(|completed| upload.check_reported(completed))?;
        }
        refuse_dry_run(request.dry_run)?;
        if let Some(upload) = self.files.uploads.get_mut(id).filter(|upload| upload.scan.is_none()) {
            let reported = request.completed_uploads.iter();
            upload.reported.extend(reported.map(|completed| (completed.part_index, completed.e_tag.clone())));
        }
        self.files.begin_scan(now, id);
        Ok(self.files.upload(now, account, id)?.status(now))
    }

    /// DescribeAttachmentUploadStatus. It does not tell whether a communication has the file.
    pub fn describe_attachment_upload_status(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &DescribeAttachmentUploadStatus,
    ) -> Result<UploadStatusDetails, SupportError> {
        self.admit(now, account)?;
        let upload = self.files.upload(now, account, upload_id(request.upload_id.as_deref())?)?;
        refuse_dry_run(request.dry_run)?;
        Ok(UploadStatusDetails {
            upload_status: upload.status(now),
            file_name: self.oddities.shown_file_name(&upload.file_name),
            upload_progress: UploadProgress {
                total_parts: upload.total_parts(),
                completed_parts_count: upload.reported.len(),
            },
        })
    }

    /// Checks a PUT to a link before its body is read. Returns the largest body that it may have, in bytes.
    pub fn admit_part(&self, now: Timestamp, method: &str, link: &Link) -> Result<u64, LinkError> {
        self.check_link(now, method, link)?;
        let (upload, index) = self.files.linked_upload(now, link)?;
        upload.size_of_part(index).ok_or(LinkError::NoSuchUpload)
    }

    /// Returns the name of the file that a link leads to, as its writer gave it. Returns `None` if there is none.
    pub fn file_name_of(&self, link: &Link) -> Option<String> {
        match &link.aim {
            Aim::Part { upload_id, .. } => self.files.uploads.get(upload_id).map(|upload| upload.file_name.clone()),
            Aim::File { attachment_id } => {
                self.attachment(&link.account, attachment_id).map(|attachment| attachment.name.clone())
            }
        }
    }

    /// Stores the part of a link that was admitted. A later one replaces it. Returns its ETag, quoted.
    pub fn put_part(&mut self, now: Timestamp, link: &Link, content: Content) -> Result<String, LinkError> {
        let e_tag = content.e_tag().map_err(|error| LinkError::Internal(error.to_string()))?;
        let (upload, index) = self.files.linked_upload(now, link)?;
        if upload.size_of_part(index).is_none_or(|size| content.length() > size) {
            return Err(LinkError::EntityTooLarge);
        }
        if let Aim::Part { upload_id, .. } = &link.aim
            && let Some(upload) = self.files.uploads.get_mut(upload_id)
        {
            upload.parts.insert(index, content);
            upload.reported.remove(&index);
        }
        Ok(e_tag)
    }

    pub(super) fn check_link(&self, now: Timestamp, method: &str, link: &Link) -> Result<(), LinkError> {
        if !link.is_signed(self.files.link_key) || link.aim.method() != method {
            return Err(LinkError::SignatureDoesNotMatch);
        }
        if link.expires_at() <= now { Err(LinkError::Expired) } else { Ok(()) }
    }
}

fn upload_id(id: Option<&str>) -> Result<&str, SupportError> {
    let id = request::required(id, "uploadId")?;
    if id.len() > MAXIMUM_UPLOAD_ID_LENGTH {
        let constraint = format!("Member must have length less than or equal to {MAXIMUM_UPLOAD_ID_LENGTH}");
        return Err(request::violation("(text)", "uploadId", &constraint));
    }
    Ok(id)
}

fn file_size(size: Option<i64>) -> Result<u64, SupportError> {
    let size = size.ok_or_else(|| request::violation("null", "fileSizeBytes", "Member must not be null"))?;
    let within = u64::try_from(size).ok().filter(|size| (1..=MAXIMUM_FILE_BYTES).contains(size));
    within.ok_or_else(|| {
        let constraint = format!("Member must be between 1 and {MAXIMUM_FILE_BYTES}");
        request::violation(&size.to_string(), "fileSizeBytes", &constraint)
    })
}

/// Returns the parts that a request asks for. The range's end is exclusive.
fn range(asked: Option<UploadRange>, total_parts: u32) -> Result<std::ops::Range<u32>, SupportError> {
    let Some(UploadRange { start_index: start, end_index }) = asked else {
        return Ok(1..(1 + LINKS_WITHOUT_RANGE).min(total_parts + 1));
    };
    let end = end_index.unwrap_or(start.saturating_add(MAXIMUM_LINKS));
    if start == 0 || start > total_parts || end <= start || end - start > MAXIMUM_LINKS {
        let message = format!("The upload has {total_parts} parts; a range has 1 to {MAXIMUM_LINKS} of them.");
        return Err(request::violation(&format!("'{start}..{end}'"), "uploadRange", &message));
    }
    Ok(start..end.min(total_parts + 1))
}
