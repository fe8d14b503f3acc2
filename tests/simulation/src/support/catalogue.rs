//! The catalogue: what AWS Support offers to each account, what the app holds of it, and what people change in either.

mod judge;
mod port;

use std::collections::BTreeMap;

use casebridge_core::{
    catalogue::{Changes, Entry, Held, HeldSeverities, Named, OfferedService, Service},
    identifiers::AccountId,
};

use crate::{
    random::Random,
    timeline::Place,
    world::{ACCOUNTS, World},
};

pub use port::CataloguePort;

/// The services that AWS offers at the beginning.
const FIRST_SERVICES: [&str; 3] = ["amazon-elastic-compute-cloud-linux", "amazon-simple-storage-service", "aws-lambda"];
/// The services that AWS adds and removes.
const LATER_SERVICES: [&str; 3] = ["amazon-bedrock", "general-info", "service-large"];
/// This service has so many categories that they do not fit into one request.
const LARGE_SERVICE: &str = "service-large";
/// How many categories that service has.
const MANY_CATEGORIES: usize = 250;
/// The categories that AWS adds and removes.
const CATEGORIES: [&str; 3] = ["using-aws", "other", "performance"];
/// The severities of an account's plan, the lowest first. A plan has at least the first one.
const LEVELS: [&str; 5] = ["low", "normal", "high", "urgent", "critical"];

/// Names by codes.
type Names = BTreeMap<String, String>;

/// What AWS offers to an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Offer {
    /// The services by their codes, each with its name and its categories.
    services: BTreeMap<String, (String, Names)>,
    /// The severities.
    levels: Names,
}

/// Both sides of the catalogue.
#[derive(Debug, Clone)]
pub struct Catalogue {
    offers: BTreeMap<AccountId, Offer>,
    held: Held,
    /// How many rows have been written to the app.
    rows_written: usize,
}

/// The app stopped before it had written all rows of a request.
struct Stopped;

fn name_of(code: &str) -> String {
    format!("Name of {code}")
}

fn names(codes: &[&str]) -> Names {
    codes.iter().map(|code| ((*code).to_owned(), name_of(code))).collect()
}

fn categories_of(service: &str) -> Names {
    let mut categories = names(&CATEGORIES[..2]);
    if service == LARGE_SERVICE {
        categories.extend((0..MANY_CATEGORIES).map(|number| (format!("category-{number}"), format!("No. {number}"))));
    }
    categories
}

fn named(names: &Names) -> Vec<Named> {
    names.iter().map(|(code, name)| Named { code: code.clone(), name: name.clone() }).collect()
}

impl Default for Catalogue {
    fn default() -> Self {
        let services: BTreeMap<String, (String, Names)> =
            FIRST_SERVICES.iter().map(|code| ((*code).to_owned(), (name_of(code), categories_of(code)))).collect();
        let offer = Offer { services, levels: names(&LEVELS) };
        let accounts = ACCOUNTS.map(|(account, _, _)| AccountId::new(account));
        let severities = accounts.iter().map(|account| HeldSeverities { account: account.clone(), levels: Vec::new() });
        let held = Held { services: Vec::new(), severities: severities.collect() };
        let offers = accounts.iter().map(|account| (account.clone(), offer.clone())).collect();
        Self { offers, held, rows_written: 0 }
    }
}

impl Catalogue {
    fn services_of(&self, account: &AccountId) -> Vec<OfferedService> {
        let offer = self.offers.get(account).cloned().unwrap_or_default();
        let offered = |(code, (name, categories)): (&String, &(String, Names))| OfferedService {
            service: Named { code: code.clone(), name: name.clone() },
            categories: named(categories),
        };
        offer.services.iter().map(offered).collect()
    }

    fn levels_of(&self, account: &AccountId) -> Vec<Named> {
        self.offers.get(account).map(|offer| named(&offer.levels)).unwrap_or_default()
    }

    /// Writes the rows of a request, as the app does. Stops after `most` rows, if that is given.
    fn write(&mut self, changes: &Changes, most: Option<usize>) -> Result<usize, Stopped> {
        let mut left = most.unwrap_or(usize::MAX);
        let before = self.rows_written;
        for service in &changes.services {
            self.take_row(&mut left)?;
            let row = find_or_add(
                &mut self.held.services,
                |held| held.code == service.code,
                || Service { categories: Vec::new(), ..service.clone() },
            );
            (row.name, row.active) = (service.name.clone(), service.active);
            for category in &service.categories {
                self.take_row(&mut left)?;
                let rows = self.held.services.iter_mut().filter(|held| held.code == service.code);
                for held in rows {
                    let same = |held: &Entry| held.code == category.code;
                    *find_or_add(&mut held.categories, same, || category.clone()) = category.clone();
                }
            }
        }
        for account in &changes.severities {
            self.take_row(&mut left)?;
            for held in self.held.severities.iter_mut().filter(|held| held.account == account.account) {
                held.levels.iter_mut().for_each(|level| level.active = false);
                for level in &account.levels {
                    let entry = Entry { code: level.code.clone(), name: level.name.clone(), active: true };
                    *find_or_add(&mut held.levels, |held| held.code == level.code, || entry.clone()) = entry.clone();
                }
            }
        }
        Ok(self.rows_written - before)
    }

    fn take_row(&mut self, left: &mut usize) -> Result<(), Stopped> {
        *left = left.checked_sub(1).ok_or(Stopped)?;
        self.rows_written += 1;
        Ok(())
    }
}

/// Returns the element for which `is_it` holds. Adds one if there is none.
fn find_or_add<T>(rows: &mut Vec<T>, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    let index = rows.iter().position(is_it).unwrap_or(rows.len());
    if index == rows.len() {
        rows.push(new());
    }
    &mut rows[index]
}

impl World {
    /// Changes what AWS offers to an account, or what the app holds.
    pub fn do_catalogue_deed(&mut self, random: &mut Random) {
        let account = AccountId::new(random.pick(&ACCOUNTS).0);
        let service = (*random.pick(&[FIRST_SERVICES, LATER_SERVICES].concat())).to_owned();
        let category = (*random.pick(&CATEGORIES)).to_owned();
        let deed = random.below(7);
        let what = match deed {
            0 | 1 => "AWS offers a service",
            2 => "AWS offers a service no longer",
            3 => "AWS renames a service",
            4 => "AWS changes a service's categories",
            5 => "an account gets another plan",
            _ => "an administrator changes the catalogue's rows",
        };
        self.tally.deeds.entry(what).and_modify(|count| *count += 1).or_insert(1);
        self.note(Place::Aws, || format!("{what}: {service} of {account}"));
        if deed == 6 {
            return self.catalogue.change_rows(&service, random);
        }
        let Some(offer) = self.catalogue.offers.get_mut(&account) else { return };
        match deed {
            0 | 1 => {
                offer.services.insert(service.clone(), (name_of(&service), categories_of(&service)));
            }
            // AWS offers something to everybody.
            2 if offer.services.len() > 1 => drop(offer.services.remove(&service)),
            3 => {
                if let Some((name, _)) = offer.services.get_mut(&service) {
                    *name = format!("{} {}", name_of(&service), random.below(3));
                }
            }
            4 => {
                if let Some((_, categories)) = offer.services.get_mut(&service)
                    && categories.remove(&category).is_none()
                {
                    categories.insert(category.clone(), name_of(&category));
                }
            }
            _ => offer.levels = names(&LEVELS[..=random.index(LEVELS.len())]),
        }
    }
}

impl Catalogue {
    /// Lets an administrator rename a service in the app, set it inactive or delete it.
    fn change_rows(&mut self, service: &str, random: &mut Random) {
        match random.below(3) {
            0 => self.held.services.retain(|held| held.code != service),
            1 => self.held.services.iter_mut().filter(|held| held.code == service).for_each(|held| held.active = false),
            _ => {
                let rows = self.held.services.iter_mut().filter(|held| held.code == service);
                rows.for_each(|held| "Ours".clone_into(&mut held.name));
            }
        }
    }
}
