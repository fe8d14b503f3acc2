//! What is judged of the catalogue: once AWS changes nothing any more, the app holds what AWS offers, and another run
//! writes nothing.

use std::collections::BTreeMap;

use casebridge_core::{
    catalogue::{Entry, Held},
    failure::Refusal,
    identifiers::AccountId,
};

use super::{Catalogue, Names, Offer};
use crate::{handlers, invariants::Invariant, schedule::Life, world::World};

impl Life {
    /// Lets the function write the catalogue, judges what the app holds, and lets it run again.
    pub(crate) fn judge_catalogue(&mut self) {
        if !self.desk.world.borrow().settings.catalogue {
            return;
        }
        self.sync_catalogue();
        let differences = self.desk.world.borrow().catalogue_differences();
        let before = self.desk.world.borrow().catalogue.rows_written;
        self.sync_catalogue();
        let world = &mut *self.desk.world.borrow_mut();
        for difference in differences {
            world.violate(Invariant::Convergence, format!("the catalogue: {difference}"));
        }
        let written = world.catalogue.rows_written - before;
        if written > 0 {
            world.violate(Invariant::Convergence, format!("{written} rows of the catalogue are written again"));
        }
    }

    fn sync_catalogue(&mut self) {
        let run = handlers::sync_catalogue(self.desk.clone());
        if self.work(async move { run.await.then_some(()) }).is_none() {
            let what = "the catalogue can't be written although nothing is wrong".to_owned();
            self.desk.world.borrow_mut().violate(Invariant::Convergence, what);
        }
    }
}

impl World {
    /// Returns in what the app differs from AWS's offers to the accounts that answer.
    fn catalogue_differences(&self) -> Vec<String> {
        let Catalogue { offers, held, .. } = &self.catalogue;
        let answering = || offers.iter().filter(|(account, _)| !self.refused_accounts.contains_key(*account));
        // An account without a plan says that it has none.
        let is_known = self.refused_accounts.values().all(|refusal| *refusal == Refusal::Subscription);
        let mut differences = differing_services(held, answering(), is_known && answering().next().is_some());
        for (account, offer) in answering() {
            let levels = held.severities.iter().filter(|held| held.account == *account).flat_map(|held| &held.levels);
            if active(levels) != offer.levels {
                differences.push(format!("the severities of {account}"));
            }
        }
        differences
    }
}

fn active<'a>(entries: impl Iterator<Item = &'a Entry>) -> Names {
    entries.filter(|entry| entry.active).map(|entry| (entry.code.clone(), entry.name.clone())).collect()
}

/// Returns the services in which the app differs. `is_complete` says that nobody else may be offered anything more.
fn differing_services<'a>(
    held: &Held,
    offers: impl Iterator<Item = (&'a AccountId, &'a Offer)>,
    is_complete: bool,
) -> Vec<String> {
    let mut wanted: BTreeMap<String, (String, Names)> = BTreeMap::new();
    for (code, (name, categories)) in offers.flat_map(|(_, offer)| &offer.services) {
        let (_, all) = wanted.entry(code.clone()).or_insert_with(|| (name.clone(), Names::new()));
        for (category, name) in categories {
            all.entry(category.clone()).or_insert_with(|| name.clone());
        }
    }
    let mut shown: BTreeMap<String, (String, Names)> = BTreeMap::new();
    for service in held.services.iter().filter(|service| service.active) {
        let categories = active(service.categories.iter());
        shown.insert(service.code.clone(), (service.name.clone(), categories));
    }
    if !is_complete {
        // What an account that does not answer is offered stays.
        shown.retain(|code, _| wanted.contains_key(code));
        for (code, (_, categories)) in &mut shown {
            categories.retain(|category, _| wanted[code].1.contains_key(category));
        }
    }
    let codes = wanted.keys().chain(shown.keys());
    let mut differing: Vec<String> =
        codes.filter(|code| wanted.get(*code) != shown.get(*code)).map(|code| format!("service {code}")).collect();
    differing.dedup();
    differing
}
