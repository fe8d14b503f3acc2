//! The files of cases: sets, uploads and downloads, in the process. A link leads into the world without a wire.

use casebridge_core::{
    failure::{Failure, Refusal},
    file::transfer::{OpenSet, SentPart, Upload, UploadStatus},
    identifiers::{AccountId, AttachmentId},
};
use casebridge_ports::{CaseFiles, Content, OpenFile};
use casebridge_simulator::support::{
    SupportError,
    attachments::{self, content, link::Link},
    request::{
        AddAttachmentsToSet, CompleteAttachmentUpload, CompletedUpload, DescribeAttachmentUploadStatus,
        GetAttachmentDownloadLink, GetAttachmentUploadLinks, NewAttachment, UploadRange,
    },
};
use jiff::Timestamp;

use super::{
    SupportPort,
    failure::{failure, in_doubt, throttled},
};
use crate::{
    calls::{Fate, RemoteCall, unavailable},
    contents::{WorldContent, whole},
    timeline::Place,
    world::World,
};

fn failure_of_file(error: &SupportError) -> Failure {
    match error {
        SupportError::AttachmentLimitExceeded => throttled(),
        SupportError::AttachmentSetIdNotFound(_)
        | SupportError::AttachmentSetExpired
        | SupportError::AttachmentIdNotFound(_)
        | SupportError::UploadIdNotFound(_) => {
            Failure::Refused { refusal: Refusal::NotFound, message: error.to_string() }
        }
        _ => failure(error),
    }
}

impl SupportPort {
    /// Makes a call about a file. By its fate and the account it is refused or loses its answer.
    async fn about_file<T>(
        &self,
        call: RemoteCall,
        account: &AccountId,
        what: String,
        apply: impl FnOnce(&mut World, Timestamp) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let fate = self.desk.arrive(call, || what).await;
        if fate == Fate::Refused {
            return Err(throttled());
        }
        self.desk.world.borrow().admit(account)?;
        let lost = || if call == RemoteCall::AddToSet { in_doubt() } else { unavailable("AWS did not answer") };
        if fate == Fate::RequestLost {
            self.desk.leave(fate).await;
            return Err(lost());
        }
        let result = {
            let world = &mut *self.desk.world.borrow_mut();
            let now = world.aws_now();
            let result = apply(world, now);
            if let Err(failure) = &result {
                let message = failure.message().to_owned();
                world.note(Place::Aws, || format!("refuses: {message}"));
            }
            result
        };
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost && result.is_ok() { Err(lost()) } else { result }
    }
}

impl CaseFiles for SupportPort {
    type Content = WorldContent;

    async fn add_to_set(
        &self,
        account: &AccountId,
        set: Option<&str>,
        name: &str,
        content: Vec<u8>,
    ) -> Result<OpenSet, Failure> {
        let file = NewAttachment { file_name: Some(name.to_owned()), data: Some(content::Content::bytes(content)) };
        let request = AddAttachmentsToSet {
            attachment_set_id: set.map(str::to_owned),
            attachments: vec![file],
            ..AddAttachmentsToSet::default()
        };
        self.about_file(RemoteCall::AddToSet, account, name.to_owned(), |world, now| {
            let added = world.support.add_attachments_to_set(now, account.as_str(), &request);
            let added = added.map_err(|error| failure_of_file(&error))?;
            let until = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", &added.expiry_time).unwrap_or(now);
            Ok(OpenSet { id: added.attachment_set_id, until })
        })
        .await
    }

    async fn begin_upload(&self, account: &AccountId, name: &str, bytes: u64) -> Result<Upload, Failure> {
        let request = GetAttachmentUploadLinks {
            file_name: Some(name.to_owned()),
            file_size_bytes: i64::try_from(bytes).ok(),
            ..GetAttachmentUploadLinks::default()
        };
        self.about_file(RemoteCall::BeginUpload, account, name.to_owned(), |world, now| {
            let links = world.support.get_attachment_upload_links(now, account.as_str(), &request);
            let links = links.map_err(|error| failure_of_file(&error))?;
            let upload = Upload::begun(links.upload_id, links.part_size_bytes, links.total_parts, bytes, world.now);
            upload.ok_or_else(|| unavailable("parts that do not make up the file"))
        })
        .await
    }

    async fn send_part(
        &self,
        account: &AccountId,
        upload: &Upload,
        name: &str,
        part: u32,
        _: u64,
        content: &mut impl Content,
    ) -> Result<SentPart, Failure> {
        let bytes = whole(content).await?;
        let request = GetAttachmentUploadLinks {
            file_name: Some(name.to_owned()),
            upload_id: Some(upload.id.clone()),
            upload_range: Some(UploadRange { start_index: part, end_index: None }),
            ..GetAttachmentUploadLinks::default()
        };
        self.about_file(RemoteCall::SendPart, account, format!("part {part} of {name}"), |world, now| {
            let links = world.support.get_attachment_upload_links(now, account.as_str(), &request);
            let links = links.map_err(|error| failure_of_file(&error))?;
            let url = links.upload_urls.iter().find(|link| link.part_index == part);
            let link = url.and_then(|link| Link::of_url(&link.url)).ok_or_else(|| unavailable("no link"))?;
            let put = world.support.put_part(now, &link, content::Content::bytes(bytes));
            let tag = put.map_err(|_| unavailable("the host of files refuses a part"))?;
            Ok(SentPart { index: part, tag })
        })
        .await
    }

    async fn complete_upload(&self, account: &AccountId, upload: &Upload) -> Result<UploadStatus, Failure> {
        let sent = upload.sent.iter();
        let completed = sent.map(|part| CompletedUpload { part_index: part.index, e_tag: part.tag.clone() }).collect();
        let request = CompleteAttachmentUpload {
            upload_id: Some(upload.id.clone()),
            completed_uploads: completed,
            ..CompleteAttachmentUpload::default()
        };
        self.about_file(RemoteCall::CompleteUpload, account, String::new(), |world, now| {
            let status = world.support.complete_attachment_upload(now, account.as_str(), &request);
            status.map(status_of).map_err(|error| failure_of_file(&error))
        })
        .await
    }

    async fn upload_status(&self, account: &AccountId, upload: &str) -> Result<UploadStatus, Failure> {
        let request = DescribeAttachmentUploadStatus {
            upload_id: Some(upload.to_owned()),
            ..DescribeAttachmentUploadStatus::default()
        };
        self.about_file(RemoteCall::UploadStatus, account, String::new(), |world, now| {
            let status = world.support.describe_attachment_upload_status(now, account.as_str(), &request);
            status.map(|details| status_of(details.upload_status)).map_err(|error| failure_of_file(&error))
        })
        .await
    }

    async fn read_file(
        &self,
        account: &AccountId,
        attachment: &AttachmentId,
    ) -> Result<OpenFile<WorldContent>, Failure> {
        let request = GetAttachmentDownloadLink { attachment_id: Some(attachment.to_string()), ..Default::default() };
        self.about_file(RemoteCall::OpenCaseFile, account, String::new(), |world, now| {
            let link = world.support.get_attachment_download_link(now, account.as_str(), &request);
            let link = link.map_err(|error| failure_of_file(&error))?;
            let link = Link::of_url(&link.download_url.url).ok_or_else(|| unavailable("no link"))?;
            let file = world.support.download(now, "GET", &link).map_err(|_| unavailable("the link is refused"))?;
            Ok(OpenFile { bytes: file.content.length(), content: WorldContent::new(file.content) })
        })
        .await
    }
}

fn status_of(status: attachments::UploadStatus) -> UploadStatus {
    match status {
        attachments::UploadStatus::AttachmentReady => UploadStatus::Ready,
        attachments::UploadStatus::AttachmentNotReady => UploadStatus::NotReady,
        attachments::UploadStatus::Failed => UploadStatus::Failed,
    }
}
