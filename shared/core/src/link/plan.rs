//! Plans: what to do, in order, and what to wait for.

use jiff::Timestamp;

use crate::{
    failure::Refusal,
    file::order::Order,
    identifiers::LinkKey,
    servicenow::delivery::{Delivery, NewIncident},
};

/// How many effects a plan has at most. The rest comes with the next plan of the same pass. A link with more to do
/// sees its own outcomes first: 25 calls of a second each are about half of the reconciler's minute.
pub const EFFECTS_PER_PLAN: usize = 25;

/// The name of the opening of an incident for logs, metrics and coverage.
pub const OPEN_INCIDENT: &str = "open_incident";
/// The name of a hand-over for logs, metrics and coverage.
pub const HAND_OVER: &str = "hand_over";
/// The name of a delivery for logs, metrics and coverage.
pub const DELIVER: &str = "deliver";
/// The name of an order for files.
pub const ORDER_FILES: &str = "order_files";
/// The name of a write of the columns alone.
pub const WRITE_COLUMNS: &str = "write_columns";

/// A call to AWS that a plan asks for, or what an intent records of a call.
pub trait Named {
    /// Returns the call's name for logs, metrics, coverage and the audit trail.
    fn name(&self) -> &'static str;
}

/// One thing that a plan asks for. It leaves no choice to the executor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect<C> {
    /// A write to AWS. An intent is recorded before it.
    Call(C),
    /// The opening of an incident for a record that somebody opened at AWS. Its messages are recorded before it, and a
    /// repeat opens no second incident.
    OpenIncident(NewIncident),
    /// The move of the record to the link of another incident, which casebridge opens next: this incident is closed. One
    /// write of the ledger records both links.
    HandOver(LinkKey),
    /// A write of messages, fields and columns to the incident. Its columns are those of the moment of the plan, with
    /// its own change of the state.
    Deliver(Delivery),
    /// An order for a transfer of files, which is made apart from the link. A repeat orders no second one.
    OrderFiles(Order),
    /// A write of the columns alone. Their values are computed when it is applied, after the effects before it.
    WriteColumns,
}

impl<C: Named> Effect<C> {
    /// Returns the effect's name for logs, metrics and coverage.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call(call) => call.name(),
            Self::OpenIncident(_) => OPEN_INCIDENT,
            Self::HandOver(_) => HAND_OVER,
            Self::Deliver(_) => DELIVER,
            Self::OrderFiles(_) => ORDER_FILES,
            Self::WriteColumns => WRITE_COLUMNS,
        }
    }
}

/// What a link waits for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// The outcome of a call is not known. No other call follows it.
    UnknownOutcome {
        /// When to look for it again.
        until: Timestamp,
    },
    /// The account may open no more cases for now.
    CaseQuota {
        /// When to try again.
        until: Timestamp,
    },
    /// A side refused a request. A person has to change something.
    Refused {
        /// Why.
        refusal: Refusal,
        /// When to try again.
        until: Timestamp,
    },
    /// A side throttles or does not answer.
    Backoff {
        /// When to try again.
        until: Timestamp,
    },
    /// The case's display id is not known yet.
    DisplayId {
        /// When to look for it.
        until: Timestamp,
    },
    /// The case could not be read in this pass.
    CaseUnread {
        /// When to read it again.
        until: Timestamp,
    },
    /// The incident, or some of its comments, could not be read in this pass.
    IncidentUnread {
        /// When to read it again.
        until: Timestamp,
    },
    /// The case shows a status that may be an echo: an earlier status that a late read shows.
    UnsettledStatus {
        /// When it can no longer be an echo.
        until: Timestamp,
    },
    /// All communications have to be read once more, since one may appear late among older ones.
    FullRead {
        /// When.
        until: Timestamp,
    },
    /// Files are under way, or the instance still checks one.
    Files {
        /// When to look for them if nobody tells of their end.
        until: Timestamp,
    },
    /// The link has had too many writes: there may be a loop.
    LoopBreaker {
        /// When the loop breaker allows writes again.
        until: Timestamp,
    },
    /// The incident shows a lower update count than is remembered: a node lags, or the incident was restored.
    LowerCount {
        /// When the lower count is believed if it still shows.
        until: Timestamp,
    },
    /// A write of the incident's state got no answer.
    UnconfirmedState {
        /// When that request can no longer be at work.
        until: Timestamp,
    },
    /// A comment is by casebridge's user, and no finished delivery names it, or not yet.
    UnclearOrigin {
        /// When to look whether its origin is decided.
        until: Timestamp,
    },
    /// Several communications carry one of our marks, and our own text may not show yet.
    UnclearMark {
        /// When it is decided.
        until: Timestamp,
    },
    /// The link pauses: nothing is sent to AWS.
    Paused {
        /// When to look whether it still does.
        until: Timestamp,
    },
    /// A case that was given up has to be looked for once more.
    LateCase {
        /// When.
        until: Timestamp,
    },
    /// AWS reopened the case of an incident that ServiceNow can no longer reopen.
    IncidentClosed,
    /// AWS reopened the case with a text that has reopened the link before.
    RepeatedReopening,
    /// The incident shows other columns than those that were written: something on the instance writes to them as well.
    ColumnsNotKept {
        /// When they are written again. `None` if casebridge no longer writes them again.
        until: Option<Timestamp>,
    },
    /// The incident is not found.
    IncidentGone {
        /// When to look whether it is back. `None` if nothing waits for it and casebridge no longer looks for it.
        until: Option<Timestamp>,
    },
    /// The incident names a case that the ledger does not know. Opening another case might make a double.
    UnknownCase {
        /// When to look whether the ledger knows it. `None` if casebridge no longer looks.
        until: Option<Timestamp>,
    },
}

impl Waiting {
    /// Returns when to look again. Returns `None` if only a change on either side ends the wait.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::UnknownOutcome { until }
            | Self::CaseQuota { until }
            | Self::Refused { until, .. }
            | Self::Backoff { until }
            | Self::DisplayId { until }
            | Self::CaseUnread { until }
            | Self::IncidentUnread { until }
            | Self::UnsettledStatus { until }
            | Self::FullRead { until }
            | Self::LowerCount { until }
            | Self::UnconfirmedState { until }
            | Self::UnclearOrigin { until }
            | Self::UnclearMark { until }
            | Self::Paused { until }
            | Self::LateCase { until }
            | Self::Files { until }
            | Self::LoopBreaker { until } => Some(*until),
            Self::ColumnsNotKept { until } | Self::IncidentGone { until } | Self::UnknownCase { until } => *until,
            Self::IncidentClosed | Self::RepeatedReopening => None,
        }
    }

    /// Returns the wait's name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownOutcome { .. } => "unknown_outcome",
            Self::CaseQuota { .. } => "case_quota",
            Self::Refused { .. } => "refused",
            Self::Backoff { .. } => "backoff",
            Self::DisplayId { .. } => "display_id",
            Self::CaseUnread { .. } => "case_unread",
            Self::IncidentUnread { .. } => "incident_unread",
            Self::UnsettledStatus { .. } => "unsettled_status",
            Self::FullRead { .. } => "full_read",
            Self::Files { .. } => "files",
            Self::LoopBreaker { .. } => "loop_breaker",
            Self::LowerCount { .. } => "lower_count",
            Self::UnconfirmedState { .. } => "unconfirmed_state",
            Self::UnclearOrigin { .. } => "unclear_origin",
            Self::UnclearMark { .. } => "unclear_mark",
            Self::Paused { .. } => "paused",
            Self::LateCase { .. } => "late_case",
            Self::RepeatedReopening => "repeated_reopening",
            Self::IncidentClosed => "incident_closed",
            Self::ColumnsNotKept { .. } => "columns_not_kept",
            Self::IncidentGone { .. } => "incident_gone",
            Self::UnknownCase { .. } => "unknown_case",
        }
    }

    /// Whether a person or the other side waits for this, so that a delayed message is worth its call. False for a wait
    /// that only completes what is known: the poller finds it early enough, and AWS sends an event for a new case.
    pub(crate) fn is_pressing(&self) -> bool {
        !matches!(
            self,
            Self::DisplayId { .. }
                | Self::CaseUnread { .. }
                | Self::UnsettledStatus { .. }
                | Self::FullRead { .. }
                | Self::LateCase { .. }
                | Self::Files { .. }
                | Self::UnclearMark { .. }
                | Self::ColumnsNotKept { .. }
        )
    }

    /// Whether a change of the incident matters to this wait. If so, the next pass reads the incident again instead of
    /// using the remembered one.
    fn concerns_incident(&self) -> bool {
        let about_aws_alone = matches!(
            self,
            Self::FullRead { .. } | Self::DisplayId { .. } | Self::LateCase { .. } | Self::UnclearMark { .. }
        );
        !about_aws_alone
    }
}

/// What to do, in order, and what to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a plan does nothing by itself"]
pub struct Plan<C> {
    /// The effects, in order. The first failure ends the plan.
    pub effects: Vec<Effect<C>>,
    /// What the link waits for.
    pub waits: Vec<Waiting>,
}

impl<C> Default for Plan<C> {
    fn default() -> Self {
        Self { effects: Vec::new(), waits: Vec::new() }
    }
}

impl<C> Plan<C> {
    /// Returns when to look again if nothing happens before. Returns `None` if no wait has a time.
    pub fn due(&self) -> Option<Timestamp> {
        self.waits.iter().filter_map(Waiting::until).min()
    }

    /// Whether the plan has no effects and no wait that depends on the incident.
    pub fn is_settled(&self) -> bool {
        self.effects.is_empty() && !self.waits.iter().any(Waiting::concerns_incident)
    }
}
