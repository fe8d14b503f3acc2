//! Files, as the function that moves them reads and writes them.

use std::{error::Error, future::Future};

use casebridge_core::{
    failure::Failure,
    file::{
        order::TransferMessage,
        transfer::{OpenSet, SentPart, Upload, UploadStatus},
    },
    identifiers::{AccountId, AttachmentId, FileId, LinkKey},
    servicenow::delivery::{FileAnswer, NewFile},
};
use jiff::SignedDuration;

/// The content of a file, in pieces of some kilobytes.
pub trait Content {
    /// Returns the next piece. Returns `None` at the end.
    ///
    /// # Errors
    /// Fails if the content breaks off.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, Failure>>;
}

/// The files of incidents, by the app's Scripted REST.
pub trait IncidentFiles {
    /// The content of a file.
    type Content: Content;

    /// Opens a file of the link's incident, from its start on. A file that is not there, or that the instance withholds,
    /// is `Refused` with `NotFound`.
    ///
    /// # Errors
    /// Fails if the side refuses the read, throttles it or does not answer.
    fn read_file(&self, key: &LinkKey, file: &FileId) -> impl Future<Output = Result<Self::Content, Failure>>;

    /// Attaches a file to the link's incident. A repeat has no effect, so this call may be repeated. If the content fails,
    /// nothing is attached.
    ///
    /// # Errors
    /// Fails if the instance refuses the file, throttles the call or does not answer, or if the content fails.
    fn write_file(
        &self,
        key: &LinkKey,
        file: &NewFile,
        content: &mut impl Content,
    ) -> impl Future<Output = Result<FileAnswer, Failure>>;
}

/// A file of a case that is open for reading.
#[derive(Debug)]
pub struct OpenFile<C> {
    /// Its size in bytes.
    pub bytes: u64,
    /// Its content.
    pub content: C,
}

/// The files of cases, in AWS Support of every account. What is put into a set or an upload shows nowhere until a
/// communication names it.
pub trait CaseFiles {
    /// The content of a file.
    type Content: Content;

    /// AddAttachmentsToSet: adds a file to this set, or to a new one. Made once. A set that AWS no longer knows is
    /// `Refused` with `NotFound`.
    ///
    /// # Errors
    /// Fails if the call was refused or could not be made, or if its outcome is not known.
    fn add_to_set(
        &self,
        account: &AccountId,
        set: Option<&str>,
        name: &str,
        content: Vec<u8>,
    ) -> impl Future<Output = Result<OpenSet, Failure>>;

    /// GetAttachmentUploadLinks: begins an upload of a file of this size.
    ///
    /// # Errors
    /// Fails if AWS refuses the call, throttles it or does not answer.
    fn begin_upload(
        &self,
        account: &AccountId,
        name: &str,
        bytes: u64,
    ) -> impl Future<Output = Result<Upload, Failure>>;

    /// Sends the upload's next part, of this many bytes, by a link of its own. A repeat replaces the part.
    ///
    /// # Errors
    /// Fails if AWS refuses the part, throttles the call or does not answer, or if the content fails.
    fn send_part(
        &self,
        account: &AccountId,
        upload: &Upload,
        name: &str,
        part: u32,
        bytes: u64,
        content: &mut impl Content,
    ) -> impl Future<Output = Result<SentPart, Failure>>;

    /// CompleteAttachmentUpload. May be repeated.
    ///
    /// # Errors
    /// Fails if AWS refuses the call, throttles it or does not answer.
    fn complete_upload(
        &self,
        account: &AccountId,
        upload: &Upload,
    ) -> impl Future<Output = Result<UploadStatus, Failure>>;

    /// DescribeAttachmentUploadStatus.
    ///
    /// # Errors
    /// Fails if the side refuses the read, throttles it or does not answer.
    fn upload_status(&self, account: &AccountId, upload: &str) -> impl Future<Output = Result<UploadStatus, Failure>>;

    /// Opens a file of a case by GetAttachmentDownloadLink. The content goes on by itself where a connection breaks.
    ///
    /// # Errors
    /// Fails if the side refuses the read, throttles it or does not answer.
    fn read_file(
        &self,
        account: &AccountId,
        attachment: &AttachmentId,
    ) -> impl Future<Output = Result<OpenFile<Self::Content>, Failure>>;
}

/// The queue of transfers.
pub trait FileQueue {
    /// Why the queue did not accept a message.
    type Error: Error + 'static;

    /// Sends a message that is delivered after a delay, in whole seconds, of at most 15 minutes. It may come later, twice,
    /// or never.
    ///
    /// # Errors
    /// Fails if the queue did not accept the message.
    fn send(&self, message: &TransferMessage, delay: SignedDuration) -> impl Future<Output = Result<(), Self::Error>>;
}
