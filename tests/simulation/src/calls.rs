//! The remote calls, and the fates that each can meet.

use std::fmt;

use casebridge_core::{failure::Failure, link::index::RowKey, support::index::is_case};

/// A remote call of the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemoteCall {
    /// Ledger: takes the lease of a link.
    TakeLease,
    /// Ledger: writes a link during a pass: an intent before its call, an outcome after it.
    Record,
    /// Ledger: moves a case from the link of a closed incident to the next one.
    HandOver,
    /// Ledger: writes a link at the end of a pass and releases its lease.
    Release,
    /// Ledger: finds the link of a case.
    LinkOfCase,
    /// Ledger: finds the link of an undecided CreateCase.
    LinkOfOpenIntent,
    /// Ledger: finds the newest undecided CreateCase of an account.
    NewestUndecidedCase,
    /// Ledger: counts a read of a case without a known link.
    CountUnknownCaseRead,
    /// Ledger: lists the links that are due.
    DueLinks,
    /// Ledger: claims a due link before it is handed off.
    ClaimDue,
    /// Ledger: makes a link due.
    Wake,
    /// Ledger: finds the link that gets the next case of an account's quota.
    FirstWaiter,
    /// Ledger: lists a page of an account's watched cases.
    CasesOfAccount,
    /// Ledger: reads the remembered update counts of incidents.
    RememberedModCounts,
    /// Ledger: reads a watermark, which says how far a poll has come.
    Watermark,
    /// Ledger: moves a watermark.
    SetWatermark,
    /// Ledger: records a transfer of files that was ordered.
    OrderTransfer,
    /// Ledger: reads how far a transfer has come.
    ReadTransfer,
    /// Ledger: takes the lease of a transfer.
    TakeTransfer,
    /// Ledger: records a transfer after a step.
    RecordTransfer,
    /// AWS Support.
    CreateCase,
    /// AWS Support.
    AddCommunication,
    /// AWS Support.
    ResolveCase,
    /// AWS Support.
    DescribeCases,
    /// AWS Support.
    DescribeCommunications,
    /// AWS Support: adds a file to a set.
    AddToSet,
    /// AWS Support: begins an upload.
    BeginUpload,
    /// AWS Support's host of files: sends a part of an upload.
    SendPart,
    /// AWS Support: completes an upload.
    CompleteUpload,
    /// AWS Support: asks whether an upload is checked.
    UploadStatus,
    /// AWS Support and its host of files: opens a file of a case.
    OpenCaseFile,
    /// ServiceNow: opens a file of an incident.
    OpenIncidentFile,
    /// ServiceNow: attaches a file to an incident.
    AttachFile,
    /// ServiceNow: reads the incident.
    Snapshot,
    /// ServiceNow: opens the incident of a case that somebody opened at AWS.
    Open,
    /// ServiceNow: writes messages, fields and columns.
    Deliver,
    /// ServiceNow: lists the incidents that have changed.
    Changes,
    /// The hint queue: sends hints.
    Enqueue,
    /// The wake queue: sends a hint ahead, with a delay.
    EnqueueLater,
    /// The queue of files: sends a transfer.
    EnqueueTransfer,
    /// Either queue: sets when it brings messages again.
    Redeliver,
    /// Secrets Manager: reads which accounts there are.
    Accounts,
    /// Secrets Manager: reads the secret that webhooks are signed with.
    WebhookSecret,
    /// AWS Support: which services it offers to an account.
    DescribeServices,
    /// AWS Support: which severities an account's plan has.
    DescribeSeverityLevels,
    /// ServiceNow: reads the catalogue that it holds.
    ReadCatalogue,
    /// ServiceNow: writes rows of the catalogue.
    WriteCatalogue,
    /// Not a remote call: a worker waits before it tries again.
    Stay,
}

/// All calls, in the order of reports.
pub const CALLS: [RemoteCall; 48] = [
    RemoteCall::CreateCase,
    RemoteCall::AddCommunication,
    RemoteCall::ResolveCase,
    RemoteCall::Open,
    RemoteCall::Deliver,
    RemoteCall::DescribeCases,
    RemoteCall::DescribeCommunications,
    RemoteCall::Snapshot,
    RemoteCall::Changes,
    RemoteCall::AddToSet,
    RemoteCall::BeginUpload,
    RemoteCall::SendPart,
    RemoteCall::CompleteUpload,
    RemoteCall::UploadStatus,
    RemoteCall::OpenCaseFile,
    RemoteCall::OpenIncidentFile,
    RemoteCall::AttachFile,
    RemoteCall::OrderTransfer,
    RemoteCall::ReadTransfer,
    RemoteCall::TakeTransfer,
    RemoteCall::RecordTransfer,
    RemoteCall::TakeLease,
    RemoteCall::Record,
    RemoteCall::HandOver,
    RemoteCall::Release,
    RemoteCall::LinkOfCase,
    RemoteCall::LinkOfOpenIntent,
    RemoteCall::NewestUndecidedCase,
    RemoteCall::CountUnknownCaseRead,
    RemoteCall::DueLinks,
    RemoteCall::ClaimDue,
    RemoteCall::Wake,
    RemoteCall::FirstWaiter,
    RemoteCall::CasesOfAccount,
    RemoteCall::RememberedModCounts,
    RemoteCall::Watermark,
    RemoteCall::SetWatermark,
    RemoteCall::Enqueue,
    RemoteCall::EnqueueLater,
    RemoteCall::EnqueueTransfer,
    RemoteCall::Redeliver,
    RemoteCall::Accounts,
    RemoteCall::WebhookSecret,
    RemoteCall::DescribeServices,
    RemoteCall::DescribeSeverityLevels,
    RemoteCall::ReadCatalogue,
    RemoteCall::WriteCatalogue,
    RemoteCall::Stay,
];

impl RemoteCall {
    /// Returns the call that looks up a link by this row.
    pub fn lookup(row: &RowKey) -> Self {
        if is_case(row) { Self::LinkOfCase } else { Self::LinkOfOpenIntent }
    }

    /// Returns its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::TakeLease => "take_lease",
            Self::Record => "record",
            Self::HandOver => "hand_over",
            Self::Release => "release",
            Self::LinkOfCase => "link_of_case",
            Self::LinkOfOpenIntent => "link_of_open_intent",
            Self::NewestUndecidedCase => "newest_undecided_case",
            Self::CountUnknownCaseRead => "count_unknown_case_read",
            Self::DueLinks => "due_links",
            Self::ClaimDue => "claim_due",
            Self::Wake => "wake",
            Self::FirstWaiter => "first_waiter",
            Self::CasesOfAccount => "cases_of_account",
            Self::RememberedModCounts => "remembered_mod_counts",
            Self::Watermark => "watermark",
            Self::SetWatermark => "set_watermark",
            Self::OrderTransfer => "order_transfer",
            Self::ReadTransfer => "read_transfer",
            Self::TakeTransfer => "take_transfer",
            Self::RecordTransfer => "record_transfer",
            Self::AddToSet => "add_to_set",
            Self::BeginUpload => "begin_upload",
            Self::SendPart => "send_part",
            Self::CompleteUpload => "complete_upload",
            Self::UploadStatus => "upload_status",
            Self::OpenCaseFile => "open_case_file",
            Self::OpenIncidentFile => "open_incident_file",
            Self::AttachFile => "attach_file",
            Self::EnqueueTransfer => "enqueue_transfer",
            Self::CreateCase => "create_case",
            Self::AddCommunication => "add_communication",
            Self::ResolveCase => "resolve_case",
            Self::DescribeCases => "describe_cases",
            Self::DescribeCommunications => "describe_communications",
            Self::Snapshot => "snapshot",
            Self::Open => "open",
            Self::Deliver => "deliver",
            Self::Changes => "changes",
            Self::Enqueue => "enqueue",
            Self::EnqueueLater => "enqueue_later",
            Self::Redeliver => "redeliver",
            Self::Accounts => "accounts",
            Self::WebhookSecret => "webhook_secret",
            Self::DescribeServices => "describe_services",
            Self::DescribeSeverityLevels => "describe_severity_levels",
            Self::ReadCatalogue => "read_catalogue",
            Self::WriteCatalogue => "write_catalogue",
            Self::Stay => "stay",
        }
    }

    /// Whether it writes to AWS Support.
    pub fn writes_to_support(self) -> bool {
        matches!(self, Self::CreateCase | Self::AddCommunication | Self::ResolveCase)
    }

    /// Whether it goes to another system. True of all but `Stay`.
    pub fn is_remote(self) -> bool {
        self != Self::Stay
    }

    /// Whether it can meet this fate.
    pub fn can_meet(self, fate: Fate) -> bool {
        match fate {
            Fate::Through | Fate::DiedBefore => true,
            _ if !self.is_remote() => false,
            Fate::DiedAfter | Fate::AnswerLost | Fate::Refused => true,
            Fate::RequestLost if self == Self::AddToSet => true,
            Fate::RequestLost | Fate::LandsLate | Fate::DiedLandsLate => self.writes_to_support(),
            Fate::Stopped => matches!(self, Self::Open | Self::Deliver | Self::AttachFile | Self::WriteCatalogue),
        }
    }
}

/// Returns the failure of a call that was throttled or that got no answer. A later try may succeed.
pub fn unavailable(message: &str) -> Failure {
    Failure::Unavailable { message: message.to_owned(), retry_at: None }
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It is applied and answered.
    Through,
    /// The process dies before the call takes effect.
    DiedBefore,
    /// The process dies after the call took effect, before it has the answer.
    DiedAfter,
    /// It takes effect, and the answer is lost.
    AnswerLost,
    /// It is answered with an error and has no effect.
    Refused,
    /// It has no effect, and no answer comes.
    RequestLost,
    /// No answer comes, and it takes effect later.
    LandsLate,
    /// The process dies, and the call takes effect later.
    DiedLandsLate,
    /// ServiceNow stops between two of the records that it writes.
    Stopped,
}

/// All fates except `Through`, in the order of reports.
pub const FAULTS: [Fate; 8] = [
    Fate::DiedBefore,
    Fate::DiedAfter,
    Fate::AnswerLost,
    Fate::Refused,
    Fate::RequestLost,
    Fate::LandsLate,
    Fate::DiedLandsLate,
    Fate::Stopped,
];

impl Fate {
    /// Returns its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Through => "through",
            Self::DiedBefore => "died before",
            Self::DiedAfter => "died after",
            Self::AnswerLost => "answer lost",
            Self::Refused => "refused",
            Self::RequestLost => "request lost",
            Self::LandsLate => "lands late",
            Self::DiedLandsLate => "died, lands late",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
