//! The remote calls and what may become of each.

use std::fmt;

use casebridge_core::{link::index::RowKey, support::index::is_case};

/// A remote call of the functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemoteCall {
    /// Ledger: the lease of a link.
    TakeLease,
    /// Ledger: an intent before its call, an outcome after it.
    Record,
    /// Ledger: the end of a pass.
    Release,
    /// Ledger: the link of a case.
    LinkOfCase,
    /// Ledger: the link of an undecided CreateCase.
    LinkOfOpenIntent,
    /// Ledger: the newest undecided CreateCase of an account.
    NewestUndecidedCase,
    /// Ledger: one more read of a case that no link is known of.
    CountUnknownCaseRead,
    /// Ledger: the links that are due.
    DueLinks,
    /// Ledger: a due link that is about to be handed off.
    ClaimDue,
    /// Ledger: a link that is made due.
    Wake,
    /// Ledger: who is next to get a case of an account's quota.
    FirstWaiter,
    /// Ledger: a page of an account's cases.
    CasesOfAccount,
    /// Ledger: what is remembered of incidents.
    RememberedModCounts,
    /// Ledger: how far the poller has come.
    Watermark,
    /// Ledger: how far the poller has come, now.
    SetWatermark,
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
    /// ServiceNow: the incident.
    Snapshot,
    /// ServiceNow: messages, fields and columns.
    Deliver,
    /// ServiceNow: what has changed.
    Changes,
    /// The queue: hints.
    Enqueue,
    /// The queue that wakes links: a hint for later.
    EnqueueLater,
    /// The queue: when it is to bring messages again.
    Redeliver,
    /// Secrets Manager: which accounts there are.
    Accounts,
    /// Secrets Manager: what webhooks are signed with.
    WebhookSecret,
    /// No remote call: a worker waits until it can try again.
    Stay,
}

/// All calls, in the order of reports.
pub const CALLS: [RemoteCall; 29] = [
    RemoteCall::CreateCase,
    RemoteCall::AddCommunication,
    RemoteCall::ResolveCase,
    RemoteCall::Deliver,
    RemoteCall::DescribeCases,
    RemoteCall::DescribeCommunications,
    RemoteCall::Snapshot,
    RemoteCall::Changes,
    RemoteCall::TakeLease,
    RemoteCall::Record,
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
    RemoteCall::Redeliver,
    RemoteCall::Accounts,
    RemoteCall::WebhookSecret,
    RemoteCall::Stay,
];

impl RemoteCall {
    /// A lookup of a link by a row.
    pub fn lookup(row: &RowKey) -> Self {
        if is_case(row) { Self::LinkOfCase } else { Self::LinkOfOpenIntent }
    }

    /// Its word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::TakeLease => "take_lease",
            Self::Record => "record",
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
            Self::CreateCase => "create_case",
            Self::AddCommunication => "add_communication",
            Self::ResolveCase => "resolve_case",
            Self::DescribeCases => "describe_cases",
            Self::DescribeCommunications => "describe_communications",
            Self::Snapshot => "snapshot",
            Self::Deliver => "deliver",
            Self::Changes => "changes",
            Self::Enqueue => "enqueue",
            Self::EnqueueLater => "enqueue_later",
            Self::Redeliver => "redeliver",
            Self::Accounts => "accounts",
            Self::WebhookSecret => "webhook_secret",
            Self::Stay => "stay",
        }
    }

    /// Whether it changes something at AWS Support.
    pub fn writes_to_support(self) -> bool {
        matches!(self, Self::CreateCase | Self::AddCommunication | Self::ResolveCase)
    }

    /// Whether somebody else is asked.
    pub fn is_remote(self) -> bool {
        self != Self::Stay
    }

    /// Whether it can meet this fate.
    pub fn can_meet(self, fate: Fate) -> bool {
        match fate {
            Fate::Through | Fate::DiedBefore => true,
            _ if !self.is_remote() => false,
            Fate::DiedAfter | Fate::AnswerLost | Fate::Refused => true,
            Fate::RequestLost | Fate::LandsLate | Fate::DiedLandsLate => self.writes_to_support(),
            Fate::Stopped => self == Self::Deliver,
        }
    }
}

/// What becomes of a call.
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
    /// It has no effect, and nobody answers.
    RequestLost,
    /// Nobody answers, and it takes effect later.
    LandsLate,
    /// The process dies, and the call takes effect later.
    DiedLandsLate,
    /// ServiceNow stops between two of the records that it writes.
    Stopped,
}

/// All fates but the good one, in the order of reports.
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
    /// Its words in reports.
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
