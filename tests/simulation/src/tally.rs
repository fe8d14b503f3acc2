//! What is counted in a life.

use std::collections::BTreeMap;

use crate::calls::{Fate, RemoteCall};

/// What was counted in one life.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Steps of the scheduler.
    pub steps: u64,
    /// Plans that were linted.
    pub plans: u64,
    /// Calls by their fate.
    pub fates: BTreeMap<(RemoteCall, Fate), u64>,
    /// Other faults by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Intents by how they ended.
    pub doubts: BTreeMap<&'static str, u64>,
    /// What people did, by name.
    pub deeds: BTreeMap<&'static str, u64>,
    /// Links that began to pause, by what paused them.
    pub pauses: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Adds another life's counts.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.plans += other.plans;
        for (key, count) in &other.fates {
            *self.fates.entry(*key).or_default() += count;
        }
        for (own, others) in [
            (&mut self.faults, &other.faults),
            (&mut self.doubts, &other.doubts),
            (&mut self.deeds, &other.deeds),
            (&mut self.pauses, &other.pauses),
        ] {
            for (key, count) in others {
                *own.entry(key).or_default() += count;
            }
        }
    }
}
