//! DescribeAttachment, GetAttachmentDownloadLink, and the downloads from links.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::super::error::SupportError;
use super::super::model::{format_milliseconds, take_quota};
use super::super::request::{self, DescribeAttachment, GetAttachmentDownloadLink};
use super::super::{Support, refuse_dry_run};
use super::content::Content;
use super::link::{Aim, Link};
use super::s3::LinkError;
use super::{Attachment, lasting_id};

/// The window of the quota of DescribeAttachment.
const READS_WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// DescribeAttachment's answer.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentFile {
    /// The file's name.
    pub file_name: String,
    /// What is in it, in base64.
    pub data: String,
}

/// GetAttachmentDownloadLink's answer.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DownloadLink {
    /// The file's name.
    pub file_name: String,
    /// The link.
    pub download_url: DownloadUrl,
}

/// A link to a file.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DownloadUrl {
    /// The address for a GET.
    pub url: String,
    /// When the link expires.
    pub expiry_date: String,
}

/// A file that a link leads to.
#[derive(Debug, Clone)]
pub struct Download {
    /// Its name as AWS shows it.
    pub file_name: String,
    /// What is in it.
    pub content: Content,
}

impl Support {
    /// DescribeAttachment, for files of at most 5 MB.
    pub fn describe_attachment(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &DescribeAttachment,
    ) -> Result<AttachmentFile, SupportError> {
        self.admit(now, account)?;
        let quota = self.quotas.attachment_reads_per_minute;
        let state = self.accounts.get_mut(account).ok_or(SupportError::UnrecognizedClient)?;
        if !take_quota(&mut state.recent_reads, quota, READS_WINDOW, now) {
            return Err(SupportError::DescribeAttachmentLimitExceeded);
        }
        let attachment = self.shown_attachment(now, account, request.attachment_id.as_deref())?;
        if !attachment.is_small(&self.oddities) {
            let message = "The attachment is larger than 5 MB. Use GetAttachmentDownloadLink.";
            return Err(SupportError::InvalidParameter(message.to_owned()));
        }
        refuse_dry_run(request.dry_run)?;
        let data = attachment.content.to_vec().map_err(|_| SupportError::Internal)?;
        let file_name = self.oddities.shown_file_name(&attachment.name);
        Ok(AttachmentFile { file_name, data: STANDARD.encode(data) })
    }

    /// GetAttachmentDownloadLink, for files of any size.
    pub fn get_attachment_download_link(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &GetAttachmentDownloadLink,
    ) -> Result<DownloadLink, SupportError> {
        self.admit(now, account)?;
        let attachment = self.shown_attachment(now, account, request.attachment_id.as_deref())?;
        refuse_dry_run(request.dry_run)?;
        let aim = Aim::File { attachment_id: attachment.id.clone() };
        let link = Link::sign(self.files.link_key, account, aim, now, self.files.rules.link_life());
        Ok(DownloadLink {
            file_name: self.oddities.shown_file_name(&attachment.name),
            download_url: DownloadUrl {
                url: link.url(&self.files.hosts.download),
                expiry_date: format_milliseconds(link.expires_at()),
            },
        })
    }

    /// Returns the file that a link leads to.
    pub fn download(&self, now: Timestamp, method: &str, link: &Link) -> Result<Download, LinkError> {
        self.check_link(now, method, link)?;
        let Aim::File { attachment_id } = &link.aim else { return Err(LinkError::SignatureDoesNotMatch) };
        let attachment = self.attachment(&link.account, attachment_id).ok_or(LinkError::NoSuchKey)?;
        let file_name = self.oddities.shown_file_name(&attachment.name);
        Ok(Download { file_name, content: attachment.content.clone() })
    }

    /// Returns an attachment by an id that a read showed. Reads that lag do not know new attachments.
    fn shown_attachment(&self, now: Timestamp, account: &str, id: Option<&str>) -> Result<&Attachment, SupportError> {
        let shown = request::required(id, "attachmentId")?;
        let visible = |id: &str| {
            let place = self.files.places.get(id)?;
            let landed_at = self.cases[place.case].communications[place.communication].landed_at;
            (landed_at <= now - self.read_lag).then(|| self.attachment(account, id)).flatten()
        };
        let found = lasting_id(&self.oddities, shown, now).and_then(visible);
        found.ok_or_else(|| SupportError::AttachmentIdNotFound(shown.to_owned()))
    }

    /// Returns an attachment of this account by its lasting id.
    pub(super) fn attachment(&self, account: &str, id: &str) -> Option<&Attachment> {
        let place = self.files.places.get(id)?;
        let case = self.cases.get(place.case).filter(|case| case.account == account)?;
        case.communications.get(place.communication)?.attachments.get(place.position)
    }
}
