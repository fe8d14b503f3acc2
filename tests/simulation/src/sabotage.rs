//! Switches off one safeguard at a time, around the product and never in it. The simulation must notice each.
//!
//! A sabotage is a decorator around an honest part. `ports.rs` puts it there, where it makes the ports of a function.
//! No honest part asks which safeguard is off.

pub mod catalogue;
pub mod ledger;
pub mod policy;
pub mod servicenow;
pub mod support;

use crate::{explore, invariants::Violation};

/// A safeguard that is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sabotage {
    /// The lease is granted to everybody.
    Lease,
    /// The intent before a call is not recorded.
    Intent,
    /// Reads of AWS do not show what casebridge wrote.
    ReadBack,
    /// A call in doubt is repeated without waiting for L.
    Waiting,
    /// What both sides last agreed on is forgotten.
    Base,
    /// Fields are written even if the incident has changed since the plan.
    ConditionalWrite,
    /// Each attempt to deliver a message has an external id of its own.
    UniqueDelivery,
    /// Reads of AWS leave out people's texts that carry a mark, as if every text with a mark were ours.
    OwnIdentity,
    /// DescribeCases leaves out resolved cases.
    ResolvedCases,
    /// Only the five most recent communications are read.
    Paging,
    /// Snapshots show the same time for all comments.
    Ordering,
    /// Snapshots do not show which comments casebridge delivered.
    DeliveryTable,
    /// After a failed read the link is released without a due time.
    FailedRead,
    /// Snapshots show no update counts of comments and ends, so that only times are left to order them.
    UpdateCounts,
    /// The ledger forgets before each pass what a side has refused.
    Refusals,
    /// Snapshots do not show what pauses a link.
    Pauses,
    /// The app shares the texts of silent authors like those of anybody.
    SilentAuthors,
    /// Snapshots show one file of each name, as if names told files apart.
    FilesByName,
    /// Snapshots do not show which files casebridge attached.
    FileOrigin,
    /// The app opens no further incident for a case that has one, whatever its generation.
    Generation,
    /// The catalogue is written without a look at what ServiceNow holds.
    CatalogueDifferences,
}

/// All of them.
pub const SABOTAGES: [Sabotage; 21] = [
    Sabotage::Lease,
    Sabotage::Intent,
    Sabotage::ReadBack,
    Sabotage::Waiting,
    Sabotage::Base,
    Sabotage::ConditionalWrite,
    Sabotage::UniqueDelivery,
    Sabotage::OwnIdentity,
    Sabotage::ResolvedCases,
    Sabotage::Paging,
    Sabotage::Ordering,
    Sabotage::DeliveryTable,
    Sabotage::FailedRead,
    Sabotage::UpdateCounts,
    Sabotage::Refusals,
    Sabotage::Pauses,
    Sabotage::SilentAuthors,
    Sabotage::FilesByName,
    Sabotage::FileOrigin,
    Sabotage::Generation,
    Sabotage::CatalogueDifferences,
];

impl Sabotage {
    /// Returns its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lease => "lease granted to everybody",
            Self::Intent => "no intent before the call",
            Self::ReadBack => "no read-back",
            Self::Waiting => "no waiting for L",
            Self::Base => "no base of the merge",
            Self::ConditionalWrite => "unconditional fields",
            Self::UniqueDelivery => "delivery without unique id",
            Self::OwnIdentity => "every mark is ours",
            Self::ResolvedCases => "resolved cases left out",
            Self::Paging => "five communications only",
            Self::Ordering => "comments without time",
            Self::DeliveryTable => "delivery table ignored",
            Self::FailedRead => "failed read leaves no wait",
            Self::UpdateCounts => "resolved_at believed",
            Self::Refusals => "refusals not held back",
            Self::Pauses => "pauses ignored",
            Self::SilentAuthors => "silent authors heard",
            Self::FilesByName => "files told apart by name",
            Self::FileOrigin => "origin of files ignored",
            Self::Generation => "generation ignored",
            Self::CatalogueDifferences => "catalogue differences ignored",
        }
    }

    /// Returns the sabotage of this name. Returns `None` if there is none.
    pub fn named(name: &str) -> Option<Self> {
        SABOTAGES.into_iter().find(|sabotage| sabotage.name() == name)
    }
}

/// The world that noticed a sabotage, by a broken invariant.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The invariant that was broken.
    pub violation: Violation,
    /// The seed of the world.
    pub seed: u64,
    /// How many worlds were run until then, this one included.
    pub worlds: u64,
}

/// Runs worlds with a safeguard off until one notices. Returns `None` if none of the seeds below `seeds` does.
pub fn catch(sabotage: Sabotage, seeds: u64) -> Option<Caught> {
    (0..seeds).find_map(|seed| {
        let violation = explore::live(seed, Some(sabotage), false).violations.into_iter().next()?;
        Some(Caught { violation, seed, worlds: seed + 1 })
    })
}
