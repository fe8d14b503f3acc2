//! The steps of a transfer: each reads from one side and writes to the other.

use casebridge_core::{
    failure::{Failure, Side},
    file::{
        FileRefusal, SizeClass,
        name::content_type,
        order::{IncomingFile, OutgoingFile, TransferMessage},
        transfer::{SCAN_PAUSE, Step, Upload, UploadStatus},
    },
    policy::Policy,
    servicenow::delivery::NewFile,
};
use casebridge_ledger::{LedgerError, TransferLedger};
use casebridge_ports::{CaseFiles, FileQueue, IncidentFiles, OpenFile, Randomness, Timer};
use casebridge_runtime::HintSink;
use jiff::Timestamp;

use crate::{Mover, Progress, TIME_FOR_A_STEP, Work, source::Source};

/// A step that failed at a side.
pub(crate) struct FailedStep {
    pub(crate) side: Side,
    pub(crate) failure: Failure,
}

fn at(side: Side) -> impl Fn(Failure) -> FailedStep {
    move |failure| FailedStep { side, failure }
}

impl<L, Q, H, I, F, C, R> Mover<L, Q, H, I, F, C, R>
where
    L: TransferLedger,
    Q: FileQueue,
    H: HintSink,
    I: IncidentFiles,
    F: CaseFiles,
    C: Timer,
    R: Randomness,
{
    /// Makes a step. The inner error is a side's.
    pub(crate) async fn make(
        &self,
        message: &TransferMessage,
        work: &mut Work,
        step: &Step,
        policy: &Policy,
        deadline: Timestamp,
    ) -> Result<Result<Progress, FailedStep>, LedgerError> {
        let account = work.transfer.order.account.clone();
        Ok(match step {
            Step::AddToSet { file, set } => return self.add_to_set(message, work, file, set.as_deref()).await,
            Step::BeginUpload(file) => {
                let begun = self.support.begin_upload(&account, &file.name, file.bytes).await;
                begun.map_err(at(Side::Aws)).map(|upload| {
                    work.transfer.upload_begun(upload);
                    Progress::On
                })
            }
            Step::SendParts(file, upload) => {
                return self.send_parts(message, work, file, upload.clone(), deadline).await;
            }
            Step::CompleteUpload(upload) => {
                let status = self.support.complete_upload(&account, upload).await;
                status.map_err(at(Side::Aws)).map(|status| self.seen(work, status))
            }
            Step::AskForUpload(upload) => {
                let status = self.support.upload_status(&account, &upload.id).await;
                status.map_err(at(Side::Aws)).map(|status| self.seen(work, status))
            }
            Step::Attach(file) => self.attach(message, work, file, policy).await,
        })
    }

    async fn add_to_set(
        &self,
        message: &TransferMessage,
        work: &mut Work,
        file: &OutgoingFile,
        set: Option<&str>,
    ) -> Result<Result<Progress, FailedStep>, LedgerError> {
        let (whole, sha256) = match self.read_whole(message, file).await {
            Ok(read) => read,
            Err(failure) => return Ok(Err(FailedStep { side: Side::ServiceNow, failure })),
        };
        work.transfer.adding();
        self.record(work).await?;
        let account = &work.transfer.order.account;
        Ok(match self.support.add_to_set(account, set, &file.name, whole).await {
            Ok(set) => {
                work.transfer.added(set, sha256);
                Ok(Progress::On)
            }
            Err(failure) => Err(FailedStep { side: Side::Aws, failure }),
        })
    }

    /// Reads a small file of the incident. Returns its content and its SHA-256.
    async fn read_whole(&self, message: &TransferMessage, file: &OutgoingFile) -> Result<(Vec<u8>, String), Failure> {
        let mut source = Source::new(self.servicenow.read_file(&message.link, &file.file).await?);
        let whole = source.whole(file.bytes).await?;
        source.end().await?;
        Ok((whole, source.sha256()))
    }

    /// Sends the parts that AWS does not have, and records each, so that whoever takes over sends none again.
    async fn send_parts(
        &self,
        message: &TransferMessage,
        work: &mut Work,
        file: &OutgoingFile,
        mut upload: Upload,
        deadline: Timestamp,
    ) -> Result<Result<Progress, FailedStep>, LedgerError> {
        let content = match self.servicenow.read_file(&message.link, &file.file).await {
            Ok(content) => content,
            Err(failure) => return Ok(Err(FailedStep { side: Side::ServiceNow, failure })),
        };
        let mut source = Source::new(content);
        let account = work.transfer.order.account.clone();
        let start = upload.next_part().map_or(file.bytes, |part| upload.start_of(part));
        if let Err(failure) = source.skip(start).await {
            return Ok(Err(FailedStep { side: Side::ServiceNow, failure }));
        }
        while let Some(part) = upload.next_part() {
            if self.time_left(deadline) < TIME_FOR_A_STEP {
                break;
            }
            let bytes = upload.size_of(part, file.bytes);
            let mut content = source.part(bytes);
            let sent = self.support.send_part(&account, &upload, &file.name, part, bytes, &mut content).await;
            let is_last = part == upload.parts;
            let ended = if sent.is_ok() && is_last { source.end().await } else { Ok(()) };
            let side = if source.failure().is_some() { Side::ServiceNow } else { Side::Aws };
            match sent.and_then(|sent| ended.map(|()| sent)) {
                Ok(sent) => work.transfer.part_sent(sent, source.sha256()),
                Err(failure) => return Ok(Err(FailedStep { side, failure })),
            }
            self.record(work).await?;
            let Some(known) = &work.transfer.upload else { break };
            upload = known.clone();
        }
        Ok(Ok(Progress::On))
    }

    fn seen(&self, work: &mut Work, status: UploadStatus) -> Progress {
        let is_over = work.transfer.upload_seen(status, self.clock.now());
        if is_over { Progress::On } else { Progress::Wait(SCAN_PAUSE) }
    }

    async fn attach(
        &self,
        message: &TransferMessage,
        work: &mut Work,
        file: &IncomingFile,
        policy: &Policy,
    ) -> Result<Progress, FailedStep> {
        let account = &work.transfer.order.account;
        let opened = self.support.read_file(account, &file.attachment).await.map_err(at(Side::Aws))?;
        let OpenFile { bytes, content } = opened;
        let refusal = match SizeClass::of(bytes, policy.largest_file_bytes) {
            SizeClass::Empty => Some(FileRefusal::Empty),
            SizeClass::TooLarge => Some(FileRefusal::TooLarge { largest: policy.largest_file_bytes.into() }),
            SizeClass::Set | SizeClass::Upload => None,
        };
        if let Some(refusal) = refusal {
            work.transfer.not_moved(refusal);
            return Ok(Progress::On);
        }
        let new = NewFile {
            external_id: file.external_id.clone(),
            name: file.name.clone(),
            content_type: content_type(&file.name).to_owned(),
            bytes,
        };
        let mut source = Source::new(content);
        let mut whole = source.part(bytes);
        match self.servicenow.write_file(&message.link, &new, &mut whole).await {
            Ok(answer) => {
                let is_settled = work.transfer.attached(&answer, source.sha256());
                let pause = policy.longer_each_time(work.transfer.failures, policy.retry_longest_seconds);
                Ok(if is_settled { Progress::On } else { Progress::Wait(pause) })
            }
            Err(failure) => {
                let side = if source.failure().is_some() { Side::Aws } else { Side::ServiceNow };
                Err(FailedStep { side, failure })
            }
        }
    }
}
