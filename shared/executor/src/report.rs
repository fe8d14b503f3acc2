//! What one hint came to.

use casebridge_core::{
    failure::{Failure, FailureKind},
    identifiers::LinkKey,
    link::trouble::Side,
    support::unknown_case::UnknownCase,
};
use jiff::{SignedDuration, Timestamp};

/// What one hint came to, for logs and metrics. It holds no customer's text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Report {
    /// The link, if one was found.
    pub link: Option<LinkKey>,
    /// What came of a hint about a case that no link was known of.
    pub unknown_case: Option<UnknownCase>,
    /// Whether another worker holds the link, which was marked dirty.
    pub deferred: bool,
    /// Whether the link has become too large for the ledger.
    pub full: bool,
    /// Whether the claim of a wake-up was gone, so that nothing was left to do.
    pub unclaimed: bool,
    /// Whether the message was not taken that was to wake the link at its time: the poller does.
    pub wake_lost: bool,
    /// Whether the account of the link's record is out of use in ServiceNow.
    pub out_of_use: bool,
    /// How many remote calls were made, the ledger's among them.
    pub calls: u32,
    /// How long the worker stayed with the link until a side could be tried again, in all.
    pub stayed: SignedDuration,
    /// The effects that were tried, each with its failure if it failed.
    pub effects: Vec<(&'static str, Option<FailureKind>)>,
    /// What failed of each side.
    pub failures: Vec<(Side, FailureKind)>,
    /// How many records were found that we had opened twice.
    pub doubles: usize,
    /// What the link waits for.
    pub waits: Vec<&'static str>,
    /// When the link is looked at again, if nothing happens before.
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
