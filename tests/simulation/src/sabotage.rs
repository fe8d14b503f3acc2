//! One safeguard at a time switched off, in front of a port and never in the product: each must be noticed.

use casebridge_core::{
    identifiers::ExternalId,
    link::mark::Mark,
    servicenow::{
        delivery::Delivery,
        incident::{AccountState, Incident},
    },
    support::case::RawCommunication,
};

use jiff::Timestamp;

use crate::{
    explore,
    world::{BEGINNING, Violation, World, first_id},
};

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

/// What a read shows of the communications of a case.
pub fn shown_communications(world: &World, case_id: &str, page: Vec<RawCommunication>) -> Vec<RawCommunication> {
    let is_persons = |communication: &RawCommunication| {
        let second = communication.time_created.as_second();
        let of_case = |(case, at): &(String, Timestamp)| *case == first_id(case_id) && at.as_second() == second;
        world.memory.persons.iter().any(of_case)
    };
    let keeps = |communication: &RawCommunication| match world.settings.sabotage {
        Some(Sabotage::ReadBack) => is_persons(communication),
        Some(Sabotage::OwnIdentity) => !is_persons(communication) || Mark::of_text(&communication.body).is_none(),
        _ => true,
    };
    page.into_iter().filter(keeps).collect()
}

/// What a read shows of an incident.
pub fn shown_incident(world: &World, mut incident: Incident) -> Incident {
    if world.settings.sabotage == Some(Sabotage::Ordering) {
        for entry in &mut incident.entries {
            entry.created_on = Timestamp::from_second(BEGINNING).unwrap_or_default();
        }
        incident.entries.sort_by(|left, right| left.sys_id.cmp(&right.sys_id));
    }
    if world.settings.sabotage == Some(Sabotage::DeliveryTable) {
        for entry in &mut incident.entries {
            entry.ours = false;
            entry.undecided = false;
        }
    }
    if world.settings.sabotage == Some(Sabotage::Pauses) {
        incident.summary.group_accounts.clear();
        incident.summary.linked_account_state = AccountState::Active;
    }
    if world.settings.sabotage == Some(Sabotage::UpdateCounts) {
        incident.summary.ended_mod_count = None;
        incident.summary.closed_mod_count = None;
        for entry in &mut incident.entries {
            entry.mod_count = None;
        }
    }
    incident
}

/// The delivery as it is sent, and the `sys_mod_count` that it is bound to.
pub fn sent_delivery(world: &World, renamed: &mut u64, delivery: &Delivery) -> (Delivery, Option<u64>) {
    let mut sent = delivery.clone();
    let mut expected = Some(delivery.expected_mod_count);
    match world.settings.sabotage {
        Some(Sabotage::ConditionalWrite) => expected = None,
        Some(Sabotage::UniqueDelivery) => {
            for message in &mut sent.messages {
                *renamed += 1;
                let moment = world.now.as_nanosecond();
                message.external_id = ExternalId::new(format!("{}-{moment}-{renamed}", message.external_id));
            }
        }
        _ => {}
    }
    (sent, expected)
}
