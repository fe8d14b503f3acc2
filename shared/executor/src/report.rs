//! The result of one hint.

use casebridge_core::{
    failure::{Failure, FailureKind},
    identifiers::LinkKey,
    link::trouble::Side,
    support::unknown_case::UnknownCase,
};
use jiff::{SignedDuration, Timestamp};

/// The result of one hint, for logs and metrics. It holds no customer's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
pub struct Report {
    /// The link, if one was found.
    pub link: Option<LinkKey>,
    /// What was decided about a case without a known link, if the hint names one.
    pub unknown_case: Option<UnknownCase>,
    /// Whether another worker holds the link. The link was marked dirty.
    pub deferred: bool,
    /// Whether the hint was deferred and names a record that its link has not recorded. The mark does not tell the worker
    /// that holds the link which record it is, so the hint has to come again.
    pub record_untold: bool,
    /// Whether the link has become too large for the ledger.
    pub full: bool,
    /// Whether the hint had nothing left to do: the link no longer has its claim, or a wake came too early.
    pub unclaimed: bool,
    /// Whether the queue did not accept the wake. The poller wakes the link instead.
    pub wake_lost: bool,
    /// Whether the account of the link's record is out of use in ServiceNow.
    pub out_of_use: bool,
    /// How many remote calls were made, the ledger's among them.
    pub calls: u32,
    /// How long the worker waited in all: for an early wake, and until a side could be tried again.
    pub stayed: SignedDuration,
    /// The effects that were tried, each with its failure if it failed.
    pub effects: Vec<(&'static str, Option<FailureKind>)>,
    /// The failures, each with its side.
    pub failures: Vec<(Side, FailureKind)>,
    /// How many new doubles were found.
    pub doubles: usize,
    /// What the link waits for.
    pub waits: Vec<&'static str>,
    /// When the link is looked at again if nothing happens before; `None` if nothing is due.
    pub due: Option<Timestamp>,
}

impl Report {
    pub(crate) fn effect(&mut self, name: &'static str, failure: Option<&Failure>) {
        self.effects.push((name, failure.map(Failure::kind)));
    }

    pub(crate) fn failed(&mut self, side: Side, failure: &Failure) {
        self.failures.push((side, failure.kind()));
    }
}
