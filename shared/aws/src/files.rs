//! The files of cases: sets and uploads by calls, and their content over the links that AWS hands out.

use std::time::Duration;

use aws_sdk_support::types::{Attachment, CompletedUpload, UploadRange, UploadStatus as ShownStatus};
use aws_smithy_types::Blob;
use casebridge_core::{
    failure::{Failure, Refusal},
    file::transfer::{OpenSet, SET_LIVES, SentPart, Upload, UploadStatus},
    identifiers::{AccountId, AttachmentId},
    time::later,
};
use casebridge_ports::{CaseFiles, Clock, Content, OpenFile};
use casebridge_streams::{SendError, send};
use jiff::Timestamp;
use reqwest::{
    Response, StatusCode, Url,
    header::{CONTENT_RANGE, ETAG, IF_MATCH, RANGE},
    redirect,
};

use crate::{
    CONNECT_TIMEOUT,
    account::AccountSource,
    failure::{CallKind, unreadable},
    support::{SupportClient, once_within, time},
};

/// How long AddAttachmentsToSet may take: up to 7 MB go out, at a megabit per second in the worst case.
const ADDITION_TIMEOUT: Duration = Duration::from_mins(1);
/// How long the content of a link may take: two thirds of the 15 minutes of the function.
const CONTENT_TIMEOUT: Duration = Duration::from_mins(10);
/// How long a connection may be silent while a file comes. TCP repeats a lost packet within seconds. With
/// [`MAXIMUM_BREAKS`] six silent connections in a row take three minutes, less than the four that a step needs at
/// least.
const SILENCE: Duration = Duration::from_secs(30);
/// How often in a row a broken download goes on where it broke, without a byte in between. A single break mostly mends
/// at once. If six connections bring nothing, the host is out of order, and the transfer waits rather than the worker.
const MAXIMUM_BREAKS: u32 = 5;

/// The files of cases in AWS Support of every account.
pub struct FileClient<S, C> {
    support: SupportClient<S>,
    http: reqwest::Client,
    clock: C,
    /// Whether links without TLS are used: only where AWS Support's own endpoint has none.
    uses_plain_links: bool,
}

/// TLS can't be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS for the links of AWS Support can't be set up; check the certificates that SSL_CERT_FILE names")]
pub struct FileClientError(#[source] reqwest::Error);

impl<S: AccountSource, C: Clock> FileClient<S, C> {
    /// Creates a client. `endpoint` is the address of AWS Support where the environment sets one: a link is used if it is
    /// https, or if that address is not.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub fn new(support: SupportClient<S>, clock: C, endpoint: Option<&str>) -> Result<Self, FileClientError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE)
            .timeout(CONTENT_TIMEOUT)
            // A link leads to the file itself. Where it leads elsewhere, the content must not follow.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(FileClientError)?;
        let uses_plain_links = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
        Ok(Self { support, http, clock, uses_plain_links })
    }

    fn link(&self, link: &str) -> Result<Url, Failure> {
        let url = Url::parse(link).map_err(|_| unreadable("a link that is no URL"))?;
        if url.scheme() == "https" || (self.uses_plain_links && url.scheme() == "http") {
            return Ok(url);
        }
        Err(unreadable("a link without TLS"))
    }

    /// Returns the link for a part of an upload.
    async fn part_link(&self, account: &AccountId, upload: &Upload, name: &str, part: u32) -> Result<Url, Failure> {
        let index = i32::try_from(part).unwrap_or(i32::MAX);
        let answer = self
            .support
            .call(account, CallKind::File, |client| {
                let range = UploadRange::builder().start_index(index).build().ok();
                client
                    .get_attachment_upload_links()
                    .file_name(name)
                    .upload_id(&upload.id)
                    .set_upload_range(range)
                    .send()
            })
            .await?;
        let link = answer.upload_urls().iter().find(|link| link.part_index() == index);
        self.link(link.ok_or_else(|| unreadable("no link for the part that was asked for"))?.url())
    }
}

impl<S: AccountSource, C: Clock> CaseFiles for FileClient<S, C> {
    type Content = Download;

    async fn add_to_set(
        &self,
        account: &AccountId,
        set: Option<&str>,
        name: &str,
        content: Vec<u8>,
    ) -> Result<OpenSet, Failure> {
        let attachment = Attachment::builder().file_name(name).data(Blob::new(content)).build();
        let answer = self
            .support
            .call(account, CallKind::FileWrite, |client| {
                client
                    .add_attachments_to_set()
                    .set_attachment_set_id(set.map(str::to_owned))
                    .attachments(attachment.clone())
                    .customize()
                    .config_override(once_within(ADDITION_TIMEOUT))
                    .send()
            })
            .await?;
        let id = answer.attachment_set_id.ok_or_else(|| Failure::InDoubt {
            message: "AWS Support answered AddAttachmentsToSet without the id of the set".to_owned(),
        })?;
        let until = time(answer.expiry_time.as_deref()).unwrap_or_else(|_| later(self.clock.now(), SET_LIVES));
        Ok(OpenSet { id, until })
    }

    async fn begin_upload(&self, account: &AccountId, name: &str, bytes: u64) -> Result<Upload, Failure> {
        let size = i64::try_from(bytes).unwrap_or(i64::MAX);
        let answer = self
            .support
            .call(account, CallKind::File, |client| {
                client.get_attachment_upload_links().file_name(name).file_size_bytes(size).send()
            })
            .await?;
        let part_bytes = u64::try_from(answer.part_size_bytes()).unwrap_or_default();
        let parts = u32::try_from(answer.total_parts()).unwrap_or_default();
        let upload = Upload::begun(answer.upload_id, part_bytes, parts, bytes, self.clock.now());
        upload.ok_or_else(|| unreadable("parts that do not make up the file"))
    }

    async fn send_part(
        &self,
        account: &AccountId,
        upload: &Upload,
        name: &str,
        part: u32,
        bytes: u64,
        content: &mut impl Content,
    ) -> Result<SentPart, Failure> {
        let url = self.part_link(account, upload, name, part).await?;
        let answer = match send(self.http.put(url), bytes, content).await {
            Ok(answer) => answer,
            Err(SendError::Content(failure)) => return Err(failure),
            Err(SendError::Request(error)) => return Err(broken(&error)),
        };
        let answer = accepted(answer)?;
        let tag = answer.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let tag = tag.ok_or_else(|| unavailable("the upload of a part was answered without a tag"))?;
        Ok(SentPart { index: part, tag })
    }

    async fn complete_upload(&self, account: &AccountId, upload: &Upload) -> Result<UploadStatus, Failure> {
        let part = |sent: &SentPart| {
            let index = i32::try_from(sent.index).unwrap_or(i32::MAX);
            CompletedUpload::builder().part_index(index).e_tag(&sent.tag).build()
        };
        let parts: Result<Vec<CompletedUpload>, _> = upload.sent.iter().map(part).collect();
        let parts = parts.map_err(|_| unreadable("a part without a tag"))?;
        let answer = self
            .support
            .call(account, CallKind::File, |client| {
                client
                    .complete_attachment_upload()
                    .upload_id(&upload.id)
                    .set_completed_uploads(Some(parts.clone()))
                    .send()
            })
            .await?;
        status(answer.upload_status())
    }

    async fn upload_status(&self, account: &AccountId, upload: &str) -> Result<UploadStatus, Failure> {
        let answer = self
            .support
            .call(account, CallKind::File, |client| client.describe_attachment_upload_status().upload_id(upload).send())
            .await?;
        status(answer.upload_status())
    }

    async fn read_file(&self, account: &AccountId, attachment: &AttachmentId) -> Result<OpenFile<Download>, Failure> {
        let answer = self
            .support
            .call(account, CallKind::File, |client| {
                client.get_attachment_download_link().attachment_id(attachment.as_str()).send()
            })
            .await?;
        let link = answer.download_url().ok_or_else(|| unreadable("a file without a link"))?;
        let url = self.link(link.url())?;
        let response = self.http.get(url.clone()).send().await.map_err(|error| broken(&error))?;
        let response = accepted(response)?;
        let bytes = response.content_length().ok_or_else(|| unavailable("a file came without its size"))?;
        let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let content =
            Download { http: self.http.clone(), url, tag, response: Some(response), bytes, read: 0, breaks: 0 };
        Ok(OpenFile { bytes, content })
    }
}

fn status(shown: &ShownStatus) -> Result<UploadStatus, Failure> {
    match shown.as_str() {
        "attachment-ready" => Ok(UploadStatus::Ready),
        "attachment-not-ready" => Ok(UploadStatus::NotReady),
        "failed" => Ok(UploadStatus::Failed),
        _ => Err(unavailable("AWS Support shows a status of an upload that casebridge does not know")),
    }
}

fn unavailable(message: &str) -> Failure {
    Failure::Unavailable { message: message.to_owned(), retry_at: None }
}

/// Returns the failure of a connection. It does not repeat the error's own text, which has the link.
fn broken(error: &reqwest::Error) -> Failure {
    unavailable(if error.is_timeout() {
        "the host of AWS Support's files did not answer in time"
    } else if error.is_connect() {
        "the host of AWS Support's files can't be reached"
    } else {
        "the connection to the host of AWS Support's files broke"
    })
}

/// Returns an answer of success. A link that has expired is refused, and the next try gets another one.
fn accepted(answer: Response) -> Result<Response, Failure> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let message = format!("the host of AWS Support's files answered {}", status.as_u16());
    if status == StatusCode::NOT_FOUND {
        return Err(Failure::Refused { refusal: Refusal::NotFound, message });
    }
    Err(Failure::Unavailable { message, retry_at: None::<Timestamp> })
}

/// The content of a file of a case. Where the connection breaks, it goes on from there.
#[derive(Debug)]
pub struct Download {
    http: reqwest::Client,
    url: Url,
    /// The file's tag, so that the rest of another file is not taken for that of this one.
    tag: Option<String>,
    response: Option<Response>,
    bytes: u64,
    read: u64,
    breaks: u32,
}

impl Download {
    /// Asks for the rest of the file.
    async fn resume(&mut self) -> Result<Response, Failure> {
        let mut request = self.http.get(self.url.clone()).header(RANGE, format!("bytes={}-", self.read));
        if let Some(tag) = &self.tag {
            request = request.header(IF_MATCH, tag.as_str());
        }
        let response = accepted(request.send().await.map_err(|error| broken(&error))?)?;
        let begins = format!("bytes {}-", self.read);
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or_default();
        if response.status() == StatusCode::PARTIAL_CONTENT && range.starts_with(&begins) {
            return Ok(response);
        }
        Err(unavailable("the host of AWS Support's files does not go on where a file broke off"))
    }
}

impl Content for Download {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        while self.read < self.bytes {
            let Some(response) = &mut self.response else {
                self.response = Some(self.resume().await?);
                continue;
            };
            match response.chunk().await {
                Ok(Some(piece)) => {
                    self.breaks = 0;
                    self.read += u64::try_from(piece.len()).unwrap_or(u64::MAX);
                    return Ok(Some(Vec::from(piece)));
                }
                Ok(None) | Err(_) if self.breaks < MAXIMUM_BREAKS => {
                    self.breaks += 1;
                    self.response = None;
                }
                Ok(None) => return Err(unavailable("the host of AWS Support's files ends a file too early")),
                Err(error) => return Err(broken(&error)),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
