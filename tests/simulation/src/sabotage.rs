//! One safeguard at a time switched off, never in the product: each must be noticed.
//!
//! A sabotage is a decorator around an honest part, put there where the ports of a function are made (`ports.rs`). No
//! honest part asks which safeguard is off.

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
    /// The intent before a call is not written down.
    Intent,
    /// What we wrote is not shown when it is read back.
    ReadBack,
    /// A call in doubt is repeated without waiting for L.
    Waiting,
    /// What both sides last agreed on is forgotten.
    Base,
    /// Fields are written whatever happened to the incident since the plan.
    ConditionalWrite,
    /// Each delivery of a message is a new one.
    UniqueDelivery,
    /// Every text with a mark is taken for ours.
    OwnIdentity,
    /// Resolved cases are left out.
    ResolvedCases,
    /// Only the five most recent communications are read.
    Paging,
    /// The time of comments is not told.
    Ordering,
    /// What the delivery table says of a comment is not told.
    DeliveryTable,
    /// A read that failed leaves no time at which the link is looked at again.
    FailedRead,
    /// The update counts of comments and ends are not told: times decide.
    UpdateCounts,
    /// What a side has refused is forgotten before the next pass.
    Refusals,
    /// What pauses links is not told.
    Pauses,
}

/// All of them.
pub const SABOTAGES: [Sabotage; 16] = [
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
];

impl Sabotage {
    /// Its name in reports.
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
        }
    }

    /// The sabotage of this name.
    pub fn named(name: &str) -> Option<Self> {
        SABOTAGES.into_iter().find(|sabotage| sabotage.name() == name)
    }
}

/// The world that noticed a sabotage.
#[derive(Debug, Clone)]
pub struct Caught {
    /// The invariant that was broken.
    pub violation: Violation,
    /// The seed of the world.
    pub seed: u64,
    /// How many worlds were lived until then, this one included.
    pub worlds: u64,
}

/// Lives worlds with a safeguard off until one notices.
pub fn catch(sabotage: Sabotage, seeds: u64) -> Option<Caught> {
    (0..seeds).find_map(|seed| {
        let violation = explore::live(seed, Some(sabotage), false).violations.into_iter().next()?;
        Some(Caught { violation, seed, worlds: seed + 1 })
    })
}
