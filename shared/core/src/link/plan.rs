//! Plans: what to do, in order, and what to wait for.

use jiff::Timestamp;

use crate::{failure::Refusal, servicenow::delivery::Delivery};

/// How many effects a plan has at most; the rest comes with the next plan of the same pass.
pub const EFFECTS_PER_PLAN: usize = 25;

/// The name of a delivery for logs, metrics and coverage.
pub const DELIVER: &str = "deliver";
/// The name of a write of the columns alone.
pub const WRITE_COLUMNS: &str = "write_columns";

/// A call to AWS: one that a plan asks for, or what is written down of one.
pub trait Named {
    /// Its name for logs, metrics, coverage and the audit trail.
    fn name(&self) -> &'static str;
}

/// One thing to do. It leaves no choice to the one who does it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the calls of a kind are as large as a delivery")]
pub enum Effect<C> {
    /// A write to AWS. It is written down as an intent first.
    Call(C),
    /// Write to the incident: messages, fields, and the columns as they then are. Its columns are those of the moment of the
    /// plan.
    Deliver(Delivery),
    /// Write the columns as the link says at that moment, after the effects before it.
    WriteColumns,
}

impl<C: Named> Effect<C> {
    /// The effect's name for logs, metrics and coverage.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call(call) => call.name(),
            Self::Deliver(_) => DELIVER,
            Self::WriteColumns => WRITE_COLUMNS,
        }
    }
}

/// What a link waits for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// A call's outcome is not known; nothing follows it.
    UnknownOutcome {
        /// When to look for it again.
        until: Timestamp,
    },
    /// The account may open no more cases for now.
    CaseQuota {
        /// When to try again.
        until: Timestamp,
    },
    /// A side refused; a person has to change something.
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
    /// The case shows a status that may be an echo of an earlier one.
    UnsettledStatus {
        /// When it is one no longer.
        until: Timestamp,
    },
    /// All communications are read once more, since one may appear late among older ones.
    FullRead {
        /// When.
        until: Timestamp,
    },
    /// Too many writes on this link: something goes in circles.
    LoopBreaker {
        /// When the next one is let through.
        until: Timestamp,
    },
    /// The incident shows an older state than is remembered: a node lags, or it was restored.
    LowerCount {
        /// When it is believed if it still does.
        until: Timestamp,
    },
    /// A state of the incident was written without an answer.
    UnconfirmedState {
        /// When no request of that time can be at work any more.
        until: Timestamp,
    },
    /// A comment is by casebridge's user and no finished delivery names it (yet).
    UnclearOrigin {
        /// When it is told.
        until: Timestamp,
    },
    /// Several communications carry a mark of ours, and ours may not show yet.
    UnclearMark {
        /// When it is decided.
        until: Timestamp,
    },
    /// The link pauses: nothing is sent to AWS.
    Paused {
        /// When to see whether it still does.
        until: Timestamp,
    },
    /// A case that seemed never opened is looked for once more.
    LateCase {
        /// When.
        until: Timestamp,
    },
    /// AWS reopened the case of an incident that ServiceNow does not reopen any more.
    IncidentClosed,
    /// AWS reopened the case with a text that has reopened the link before.
    RepeatedReopening,
    /// The incident shows other columns than those that were written: something on the instance writes to them as well.
    ColumnsNotKept {
        /// When they are written again.
        until: Timestamp,
    },
    /// There is no such incident (any more).
    IncidentGone {
        /// When to see whether it is back, if something waits for it.
        until: Option<Timestamp>,
    },
    /// The incident names a case that the ledger does not know: opening another one might double it.
    UnknownCase {
        /// When to see whether the ledger knows it by now, as long as that is looked for.
        until: Option<Timestamp>,
    },
}

impl Waiting {
    /// When to look again; none if only a change on either side helps.
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
            | Self::ColumnsNotKept { until }
            | Self::LoopBreaker { until } => Some(*until),
            Self::IncidentGone { until } | Self::UnknownCase { until } => *until,
            Self::IncidentClosed | Self::RepeatedReopening => None,
        }
    }

    /// The wait's name for logs and metrics.
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

    /// Whether people wait for it, or the other side does. Not for what only completes what is known: the poller finds that
    /// early enough, and AWS tells of a new case by itself.
    pub(crate) fn is_pressing(&self) -> bool {
        !matches!(
            self,
            Self::DisplayId { .. }
                | Self::CaseUnread { .. }
                | Self::UnsettledStatus { .. }
                | Self::FullRead { .. }
                | Self::LateCase { .. }
                | Self::UnclearMark { .. }
                | Self::ColumnsNotKept { .. }
        )
    }

    /// Whether what the incident shows meanwhile matters: then it is read again, not remembered.
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
    /// What to do, in order. The first failure ends the plan.
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
    /// When to look again, if nothing happens before.
    pub fn due(&self) -> Option<Timestamp> {
        self.waits.iter().filter_map(Waiting::until).min()
    }

    /// Whether nothing is left open that depends on the incident.
    pub fn is_settled(&self) -> bool {
        self.effects.is_empty() && !self.waits.iter().any(Waiting::concerns_incident)
    }
}
