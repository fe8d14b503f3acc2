//! AddAttachmentsToSet: up to three small files, for one hour.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::super::error::SupportError;
use super::super::model::take_quota;
use super::super::oddities::AttachmentSetReuse;
use super::super::request::{self, AddAttachmentsToSet, NewAttachment};
use super::super::{Support, refuse_dry_run};
use super::{Files, NamedFile, file_name};

/// The most attachments in a set. Source: AWS Support API, AddAttachmentsToSet.
pub const MAXIMUM_SET_ATTACHMENTS: usize = 3;
/// How long a set can be used. Source: AWS Support API, AddAttachmentsToSet.
pub const SET_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// How long AWS knows that a set has expired. After that it is like one that never was. AWS documents no length.
const EXPIRED_SET_KNOWN: SignedDuration = SignedDuration::from_hours(24);
/// The window of the quota of new sets.
const SETS_WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// A set of attachments.
#[derive(Debug, Clone)]
pub(super) struct AttachmentSet {
    account: String,
    pub files: Vec<NamedFile>,
    expires_at: Timestamp,
    pub used: bool,
}

/// AddAttachmentsToSet's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentSetDetails {
    /// The set's id.
    pub attachment_set_id: String,
    /// When it expires: milliseconds, and an offset without a colon.
    pub expiry_time: String,
}

impl Files {
    /// Returns a set that may be used now.
    pub(super) fn open_set(
        &self,
        now: Timestamp,
        account: &str,
        id: &str,
        reuse: AttachmentSetReuse,
    ) -> Result<&AttachmentSet, SupportError> {
        let of_account = self.sets.get(id).filter(|set| set.account == account);
        let is_open = |set: &&AttachmentSet| !set.used || reuse == AttachmentSetReuse::AttachedAgain;
        let set = of_account.filter(is_open).ok_or_else(|| SupportError::AttachmentSetIdNotFound(id.to_owned()))?;
        if set.expires_at <= now { Err(SupportError::AttachmentSetExpired) } else { Ok(set) }
    }

    /// Forgets the sets that expired long ago.
    fn forget_old_sets(&mut self, now: Timestamp) {
        self.sets.retain(|_, set| now.duration_since(set.expires_at) < EXPIRED_SET_KNOWN);
    }
}

impl Support {
    /// AddAttachmentsToSet. Without the id of a set it creates one. An addition does not prolong the set's hour.
    pub fn add_attachments_to_set(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &AddAttachmentsToSet,
    ) -> Result<AttachmentSetDetails, SupportError> {
        self.admit(now, account)?;
        self.files.forget_old_sets(now);
        if request.attachments.is_empty() {
            let constraint = "Member must have length greater than or equal to 1";
            return Err(request::violation("[]", "attachments", constraint));
        }
        let files = request.attachments.iter().map(|attachment| self.small_file(attachment));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let reuse = self.oddities.attachment_set_reuse;
        let held = match request.attachment_set_id.as_deref() {
            Some(id) => self.files.open_set(now, account, id, reuse)?.files.len(),
            None => 0,
        };
        if held + files.len() > MAXIMUM_SET_ATTACHMENTS {
            return Err(SupportError::AttachmentSetSizeLimitExceeded);
        }
        refuse_dry_run(request.dry_run)?;
        let id = match &request.attachment_set_id {
            Some(id) => id.clone(),
            None => self.new_set(now, account)?,
        };
        let set = self.files.sets.get_mut(&id).ok_or_else(|| SupportError::AttachmentSetIdNotFound(id.clone()))?;
        set.files.extend(files);
        let expiry_time = set.expires_at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string();
        Ok(AttachmentSetDetails { attachment_set_id: id, expiry_time })
    }

    fn small_file(&self, attachment: &NewAttachment) -> Result<NamedFile, SupportError> {
        let name = file_name(&self.files.rules, attachment.file_name.as_deref())?;
        let content =
            attachment.data.as_ref().filter(|data| data.length() > 0).ok_or_else(|| {
                request::violation("''", "data", "Member must have length greater than or equal to 1")
            })?;
        if content.length() > self.oddities.largest_small_file() {
            return Err(SupportError::AttachmentSetSizeLimitExceeded);
        }
        Ok(NamedFile { name: name.to_owned(), content: content.clone() })
    }

    fn new_set(&mut self, now: Timestamp, account: &str) -> Result<String, SupportError> {
        let quota = self.quotas.attachment_sets_per_minute;
        let state = self.accounts.get_mut(account).ok_or(SupportError::UnrecognizedClient)?;
        if !take_quota(&mut state.recent_sets, quota, SETS_WINDOW, now) {
            return Err(SupportError::AttachmentLimitExceeded);
        }
        let id = format!("as-{}", self.identities.opaque());
        let set =
            AttachmentSet { account: account.to_owned(), files: Vec::new(), expires_at: now + SET_LIFE, used: false };
        self.files.sets.insert(id.clone(), set);
        Ok(id)
    }
}
