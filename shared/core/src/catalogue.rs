//! What AWS Support offers, and what of it is to be written to ServiceNow: services with their categories, of all accounts
//! together, and the severities of each account.

use std::{collections::BTreeMap, mem};

use serde::{Deserialize, Serialize};

use crate::identifiers::AccountId;

/// The most rows (services, categories and severities together) of one request. The app refuses more than 500; a
/// request with this many takes it some seconds, and the client waits 15.
pub const ROWS_PER_REQUEST: usize = 200;
/// The most characters of a code, as the app's columns hold them.
const MAXIMUM_CODE: usize = 100;
/// The longest name in UTF-16 units, which the app counts: as many as the app's columns hold.
const MAXIMUM_NAME: usize = 200;
/// The most severities of an account that are kept: as many as the app's snapshot shows. AWS has five.
const MAXIMUM_LEVELS: usize = 50;

/// A code of AWS Support with the name that people read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The code, as requests carry it.
    pub code: String,
    /// The name.
    pub name: String,
}

/// A service that AWS Support offers to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedService {
    /// The service.
    pub service: Named,
    /// Its categories.
    pub categories: Vec<Named>,
}

/// A category or a severity, as ServiceNow holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The code, as requests to AWS carry it.
    pub code: String,
    /// The name that people read.
    pub name: String,
    /// Whether AWS offers it.
    pub active: bool,
}

/// A service, as ServiceNow holds it. In [`Changes`] it has only the categories that change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The code, as requests to AWS carry it.
    pub code: String,
    /// The name that people read.
    pub name: String,
    /// Whether AWS offers it to any account.
    pub active: bool,
    /// The categories.
    pub categories: Vec<Entry>,
}

/// The severities of an account, as ServiceNow holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldSeverities {
    /// The account.
    pub account: AccountId,
    /// Its severities, also those that it no longer has.
    pub levels: Vec<Entry>,
}

/// What ServiceNow holds: the accounts are those that it has a record of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The services.
    pub services: Vec<Service>,
    /// The severities, with an element for each account.
    pub severities: Vec<HeldSeverities>,
}

/// All severities of an account. Any other severity of it becomes inactive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountSeverities {
    /// The account.
    pub account: AccountId,
    /// Its severities.
    pub levels: Vec<Named>,
}

/// What is to be written to ServiceNow, as one request carries it. What it does not name stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// The services that change, or that have categories that change.
    pub services: Vec<Service>,
    /// The severities of the accounts for which they change.
    pub severities: Vec<AccountSeverities>,
}

/// What AWS Support offers to all accounts together.
#[derive(Debug, Clone, Default)]
pub struct Offered {
    services: BTreeMap<String, OfferedNames>,
    severities: BTreeMap<AccountId, BTreeMap<String, String>>,
    answers: usize,
    misses: usize,
}

/// The name of an offered service, and the names of its categories by their codes.
#[derive(Debug, Clone)]
struct OfferedNames {
    name: String,
    categories: BTreeMap<String, String>,
}

impl Offered {
    /// Adds what AWS offers to an account. Where accounts name a code differently, the first name stays. Leaves out codes
    /// that ServiceNow can't hold. An empty list is no answer: AWS offers something to everybody.
    pub fn add(&mut self, account: &AccountId, services: &[OfferedService], levels: &[Named]) {
        if services.is_empty() {
            self.miss();
        } else {
            self.answers += 1;
        }
        for offered in services.iter().filter(|offered| is_usable(&offered.service.code)) {
            let known = self.services.entry(offered.service.code.clone()).or_insert_with(|| OfferedNames {
                name: usable_name(&offered.service.name, &offered.service.code),
                categories: BTreeMap::new(),
            });
            add_names(&mut known.categories, &offered.categories);
        }
        let mut severities = BTreeMap::new();
        add_names(&mut severities, levels);
        if !severities.is_empty() {
            self.severities.insert(account.clone(), severities.into_iter().take(MAXIMUM_LEVELS).collect());
        }
    }

    /// Notes that an account did not answer. From then on nothing counts as no longer offered: that account may have it.
    pub fn miss(&mut self) {
        self.misses += 1;
    }

    /// Whether no account failed to answer, and at least one has answered. An account without a plan does neither.
    pub fn is_complete(&self) -> bool {
        self.answers > 0 && self.misses == 0
    }

    /// Returns what is to be written so that ServiceNow holds what AWS offers. Nothing, if it does already.
    ///
    /// A service or category that no account has becomes inactive only if every account has answered. The severities of
    /// an account that did not answer stay as they are, and so do those of an account of which ServiceNow has no record.
    pub fn changes(&self, held: &Held) -> Changes {
        let known: BTreeMap<&str, &Service> =
            held.services.iter().map(|service| (service.code.as_str(), service)).collect();
        let offered =
            self.services.iter().filter_map(|(code, names)| self.change(code, names, known.get(code.as_str())));
        let is_gone = |service: &&Service| self.is_complete() && !self.services.contains_key(&service.code);
        let gone = held.services.iter().filter(is_gone).filter_map(retired);
        Changes { services: offered.chain(gone).collect(), severities: self.severity_changes(&held.severities) }
    }

    /// Returns the service with what is to be written of it. `None` if that is nothing.
    fn change(&self, code: &str, names: &OfferedNames, held: Option<&&Service>) -> Option<Service> {
        let known = held.map_or(&[][..], |service| service.categories.as_slice());
        let by_code: BTreeMap<&str, &Entry> = known.iter().map(|entry| (entry.code.as_str(), entry)).collect();
        let is_held = |code: &str, name: &str| by_code.get(code).is_some_and(|held| held.active && held.name == name);
        let mut categories: Vec<Entry> = names
            .categories
            .iter()
            .filter(|(code, name)| !is_held(code, name))
            .map(|(code, name)| Entry { code: code.clone(), name: name.clone(), active: true })
            .collect();
        if self.is_complete() {
            categories.extend(known.iter().filter(|entry| !names.categories.contains_key(&entry.code)).filter_map(off));
        }
        let is_same = held.is_some_and(|held| held.active && held.name == names.name);
        let changed = Service { code: code.to_owned(), name: names.name.clone(), active: true, categories };
        (!is_same || !changed.categories.is_empty()).then_some(changed)
    }

    fn severity_changes(&self, held: &[HeldSeverities]) -> Vec<AccountSeverities> {
        let change = |account: &HeldSeverities| {
            let offered = self.severities.get(&account.account)?;
            let held = account.levels.iter().filter(|level| level.active);
            let held: BTreeMap<&String, &String> = held.map(|level| (&level.code, &level.name)).collect();
            if held == offered.iter().collect() {
                return None;
            }
            let levels = offered.iter().map(|(code, name)| Named { code: code.clone(), name: name.clone() });
            Some(AccountSeverities { account: account.account.clone(), levels: levels.collect() })
        };
        held.iter().filter_map(change).collect()
    }
}

impl Changes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty() && self.severities.is_empty()
    }

    /// Returns the changes in parts of at most [`ROWS_PER_REQUEST`] rows each, in an order in which they may be written. A
    /// service with many categories is in several of them.
    pub fn into_requests(self) -> Vec<Self> {
        let mut full = Vec::new();
        let mut request = Self::default();
        for service in self.services.into_iter().flat_map(in_slices) {
            request.make_room(1 + service.categories.len(), &mut full);
            request.services.push(service);
        }
        for account in self.severities {
            request.make_room(account.levels.len(), &mut full);
            request.severities.push(account);
        }
        full.push(request);
        full.retain(|request| !request.is_empty());
        full
    }

    /// Moves the request to the full ones and begins another, if this many rows more do not fit into it.
    fn make_room(&mut self, wanted: usize, full: &mut Vec<Self>) {
        let categories: usize = self.services.iter().map(|service| service.categories.len()).sum();
        let levels: usize = self.severities.iter().map(|account| account.levels.len()).sum();
        if self.services.len() + categories + levels + wanted > ROWS_PER_REQUEST {
            full.push(mem::take(self));
        }
    }
}

/// Returns the service, each time with as many of its categories as fit into a request.
fn in_slices(service: Service) -> Vec<Service> {
    if service.categories.len() < ROWS_PER_REQUEST {
        return vec![service];
    }
    let slices = service.categories.chunks(ROWS_PER_REQUEST - 1);
    slices.map(|categories| Service { categories: categories.to_vec(), ..service.clone() }).collect()
}

/// Returns the service as one that AWS no longer offers. `None` if ServiceNow holds it so, or can't be told so.
fn retired(service: &Service) -> Option<Service> {
    let categories: Vec<Entry> = service.categories.iter().filter_map(off).collect();
    let is_known = !service.active && categories.is_empty();
    (!is_known && is_usable(&service.code)).then(|| Service {
        code: service.code.clone(),
        name: usable_name(&service.name, &service.code),
        active: false,
        categories,
    })
}

/// Returns the entry as one that AWS no longer offers. `None` if ServiceNow holds it so, or can't be told so: a person may
/// have made a row with a code that the app refuses.
fn off(entry: &Entry) -> Option<Entry> {
    (entry.active && is_usable(&entry.code)).then(|| Entry {
        code: entry.code.clone(),
        name: usable_name(&entry.name, &entry.code),
        active: false,
    })
}

fn add_names(names: &mut BTreeMap<String, String>, offered: &[Named]) {
    for Named { code, name } in offered.iter().filter(|named| is_usable(&named.code)) {
        names.entry(code.clone()).or_insert_with(|| usable_name(name, code));
    }
}

/// Whether the app takes the code: printable ASCII without space, colon and caret, and not `javascript`, which ServiceNow
/// would run where a colon follows.
fn is_usable(code: &str) -> bool {
    let is_taken = |byte: u8| byte.is_ascii_graphic() && byte != b':' && byte != b'^';
    (1..=MAXIMUM_CODE).contains(&code.len()) && code.bytes().all(is_taken) && !code.eq_ignore_ascii_case("javascript")
}

/// Returns the name as it reads back from ServiceNow: on one line, cut, and the code if it is blank.
fn usable_name(name: &str, code: &str) -> String {
    let mut units = 0;
    let fits = |letter: &char| {
        units += letter.len_utf16();
        units <= MAXIMUM_NAME
    };
    let plain: String = name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let cut: String = plain.trim().chars().take_while(fits).collect();
    let cut = cut.trim();
    if cut.is_empty() { code.to_owned() } else { cut.to_owned() }
}
