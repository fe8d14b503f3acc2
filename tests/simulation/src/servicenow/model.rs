//! A native model of ServiceNow with the app on it: incidents, journal, accounts, deliveries, outbox.
//!
//! It does what the shipped scripts do, record by record, in microseconds; a differential test holds it against them.

mod app;
mod delivery;
mod links;
mod outbox;
mod save;
mod snapshot;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
};

use casebridge_core::{
    identifiers::{AccountId, IncidentId, JournalEntryId},
    servicenow::{
        columns::BridgeColumns,
        incident::{AccountState, IncidentState, IncidentSummary},
    },
    time::format_servicenow,
};
use jiff::Timestamp;

pub use app::{App, HonestApp};
pub use delivery::harmless;
pub use links::LinksObstacle;
pub use outbox::OutboxRow;

use self::links::LinkRow;
use crate::random::Random;

/// The user that casebridge logs in as, until it is renamed.
pub const INTEGRATION_USER: &str = "casebridge.integration";
/// How long a claim is young, by default.
pub const CLAIM_SECONDS: i64 = 60;
/// How many characters of an error its column takes.
const LAST_ERROR_CHARACTERS: usize = 1_000;
/// What a link says of itself, the worst first.
const SEVERITY: [&str; 5] = ["error", "waiting", "pending", "in_sync", ""];
/// The kind of link that the columns account, case_id, display_id and case_status belong to.
const SUPPORT_CASE: &str = "support_case";
/// What the app says where the row of a link could not be written.
const LINK_REFUSED: &str = "The status of the link was not recorded";
const COMMENTS: &str = "comments";
const WORK_NOTES: &str = "work_notes";
/// The comments of one page, and the characters that they may take together, as the app says.
pub const PAGE_ENTRIES: usize = 250;
/// The characters of one page, see there.
pub const PAGE_CHARACTERS: usize = 200_000;
/// How many pages the client reads.
pub const PAGES_PER_READ: usize = 20;

/// An account as the app knows it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Twelve digits.
    pub number: AccountId,
    /// Its name.
    pub name: String,
    /// Whether cases in it are for real.
    pub production: bool,
    /// Its assignment group.
    pub group: String,
    /// Whether it is in use.
    pub active: bool,
}

/// An incident's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the columns of the table hold, as a snapshot shows them.
    pub summary: IncidentSummary,
    /// The assignment group.
    pub group: String,
    /// The service code.
    pub service_code: String,
    /// The category code.
    pub category_code: String,
    /// The short description.
    pub short_description: String,
    /// The description.
    pub description: String,
    /// The priority.
    pub priority: String,
    /// The close code.
    pub close_code: String,
    /// The close notes.
    pub close_notes: String,
    /// When the record was written last.
    pub updated_on: Timestamp,
    resolved_at: Option<Timestamp>,
    closed_at: Option<Timestamp>,
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// Its id.
    pub sys_id: JournalEntryId,
    /// The incident.
    pub incident: IncidentId,
    /// `comments` or `work_notes`.
    pub element: &'static str,
    /// The text.
    pub text: String,
    /// Its author's user name.
    pub created_by: String,
    /// When, to the second.
    pub created_on: Timestamp,
    /// The update count that the audit trail has for it.
    mod_count: Option<u64>,
    /// Whether casebridge delivered it: the truth, whatever its delivery row has come to.
    delivered: bool,
}

/// What the audit trail keeps of a change of state.
#[derive(Debug, Clone)]
struct StateChange {
    at: Timestamp,
    mod_count: u64,
    user: String,
    from: IncidentState,
    to: IncidentState,
}

/// An end of work.
#[derive(Debug, Clone, Copy)]
struct End {
    /// How many rows the journal had after the update that ended it.
    rows: usize,
    is_by_person: bool,
}

#[derive(Debug, Clone)]
struct DeliveryRow {
    created_by: String,
    incident: IncidentId,
    done: bool,
    journal: Option<JournalEntryId>,
    claimed_at: Timestamp,
}

/// How a link does, or an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Status {
    sync_status: String,
    last_error: String,
}

impl Status {
    fn of(columns: &BridgeColumns) -> Self {
        Self { sync_status: columns.sync_status.clone(), last_error: columns.last_error.clone() }
    }

    /// As its columns hold it.
    fn cut(mut self) -> Self {
        self.last_error = self.last_error.chars().take(LAST_ERROR_CHARACTERS).collect();
        self
    }

    /// The worst has the lowest; a word that is not known is worse than all others.
    fn rank(&self) -> Option<usize> {
        SEVERITY.iter().position(|word| *word == self.sync_status)
    }

    fn put_into(self, columns: &mut BridgeColumns) {
        (columns.sync_status, columns.last_error) = (self.sync_status, self.last_error);
    }
}

/// What a person changes in one save. What is none stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The state.
    pub state: Option<IncidentState>,
    /// The hold reason.
    pub hold_reason: Option<String>,
    /// The assignment group.
    pub group: Option<String>,
    /// The service code and the category code.
    pub codes: Option<(String, String)>,
    /// The priority.
    pub priority: Option<String>,
    /// The close code and the close notes.
    pub closing: Option<(String, String)>,
    /// An additional comment.
    pub comment: Option<String>,
    /// A work note.
    pub work_note: Option<String>,
    /// The columns of the app.
    pub columns: Option<BridgeColumns>,
}

/// Why a write or a request came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestFailure {
    /// A rule or a data policy of the platform; its words.
    Refused(String),
    /// The instance stopped before it was through.
    Stopped,
    /// Another request is writing the message.
    Conflict,
    /// There is no such incident.
    NotFound,
    /// It is there, and neither linked nor in scope, and AWS has not heard of it.
    NotServed,
}

/// An instance with the app. Every operation takes ServiceNow's time.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The incidents.
    pub incidents: BTreeMap<IncidentId, Record>,
    /// The journal, in the order of its writing.
    pub journal: Vec<Journal>,
    /// The outbox, in the order of its writing.
    pub outbox: Vec<OutboxRow>,
    /// The incidents whose asynchronous rule waits to run.
    pub rules: VecDeque<IncidentId>,
    /// How long a claim is young.
    pub claim_seconds: i64,
    /// The name of the integration user by now.
    pub integration_user: String,
    /// Its former names, which nobody bears now.
    former_names: BTreeSet<String>,
    /// Whether the app may read the audit trail: without it there are no update counts of comments and ends.
    pub trail_is_readable: bool,
    /// Whether a second resolution gets a time of its own. By default the first one stays, as on many instances.
    pub resolved_at_is_overwritten: bool,
    /// How many comments one page holds at most.
    pub page_entries: usize,
    /// How many characters the comments of one page take together, if there is more than one.
    pub page_characters: usize,
    /// How many pages a snapshot is read in at most.
    pub pages_per_read: usize,
    announced: BTreeSet<IncidentId>,
    /// Whether a unique index keeps the table of links to one row for each link.
    links_are_unique: bool,
    /// What keeps the app from its table of links, if anything does.
    pub links_obstacle: Option<LinksObstacle>,
    /// Whether a rule of the customer puts its own words into a column with each write of the app's columns.
    pub rewrites_columns: bool,
    /// The rows that say how each link does, by the incident and the kind of their keys: more than one of a key where there is
    /// no unique index.
    links: BTreeMap<IncidentId, BTreeMap<String, Vec<LinkRow>>>,
    /// The incidents that were deleted and may be put back.
    removed: BTreeMap<IncidentId, Record>,
    trail: BTreeMap<IncidentId, Vec<StateChange>>,
    /// The last end of work on each incident: the truth, whatever the trail has of it.
    ends: BTreeMap<IncidentId, End>,
    finished: BTreeSet<JournalEntryId>,
    deliverers: BTreeMap<String, usize>,
    lagging: Option<(Record, Timestamp)>,
    /// Incidents that a query rule or a domain hides from the integration user.
    pub hidden: BTreeSet<IncidentId>,
    aborts: u64,
    deliveries: BTreeMap<String, DeliveryRow>,
    opened: usize,
    random: Random,
    commits_left: Option<u64>,
}

/// Whole seconds: ServiceNow knows no others.
fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

impl Instance {
    /// An instance without incidents; the random numbers decide its ids.
    pub fn new(accounts: Vec<Account>, random: Random) -> Self {
        Self {
            accounts,
            incidents: BTreeMap::new(),
            journal: Vec::new(),
            outbox: Vec::new(),
            rules: VecDeque::new(),
            claim_seconds: CLAIM_SECONDS,
            integration_user: INTEGRATION_USER.to_owned(),
            former_names: BTreeSet::new(),
            trail_is_readable: true,
            resolved_at_is_overwritten: false,
            page_entries: PAGE_ENTRIES,
            page_characters: PAGE_CHARACTERS,
            pages_per_read: PAGES_PER_READ,
            announced: BTreeSet::new(),
            links_are_unique: true,
            links_obstacle: None,
            rewrites_columns: false,
            links: BTreeMap::new(),
            removed: BTreeMap::new(),
            trail: BTreeMap::new(),
            ends: BTreeMap::new(),
            finished: BTreeSet::new(),
            deliverers: BTreeMap::new(),
            lagging: None,
            hidden: BTreeSet::new(),
            aborts: 0,
            deliveries: BTreeMap::new(),
            opened: 0,
            random,
            commits_left: None,
        }
    }

    /// Lets the instance die with the commit after `commits - 1` more, in the next delivery that gets that far.
    pub fn stop_after_commits(&mut self, commits: u64) {
        self.commits_left = Some(commits);
    }

    fn identifier(&mut self) -> String {
        let mut text = String::with_capacity(32);
        for byte in self.random.bytes() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn commit(&mut self) -> Result<(), RequestFailure> {
        match self.commits_left.as_mut() {
            None => Ok(()),
            Some(0) => Err(RequestFailure::Stopped),
            Some(left) => {
                *left -= 1;
                if *left == 0 { Err(RequestFailure::Stopped) } else { Ok(()) }
            }
        }
    }

    /// Whether the next commit does not take place: the instance has died.
    fn is_stopped(&self) -> bool {
        self.commits_left == Some(0)
    }

    /// Whether a user name is somebody else's than the integration user's: another user's, or the platform's own jobs'.
    fn is_another_user(&self, name: &str) -> bool {
        name != self.integration_user && !self.former_names.contains(name)
    }

    /// The active account of a group.
    pub fn account_of(&self, group: &str) -> Option<&Account> {
        self.accounts_of(group).into_iter().next().filter(|account| account.active)
    }

    /// All accounts of a group, the active one first.
    pub fn accounts_of(&self, group: &str) -> Vec<&Account> {
        let mut accounts: Vec<&Account> = self.accounts.iter().filter(|account| account.group == group).collect();
        accounts.sort_by_key(|account| (!account.active, &account.number));
        accounts
    }

    /// What is so of the account of this number.
    pub fn state_of(&self, number: &str) -> AccountState {
        if number.is_empty() {
            return AccountState::default();
        }
        match self.accounts.iter().find(|account| account.number.as_str() == number) {
            None => AccountState::Missing,
            Some(account) if account.active => AccountState::Active,
            Some(_) => AccountState::Inactive,
        }
    }

    /// Whether an incident should have a case.
    pub fn is_in_scope(&self, record: &Record) -> bool {
        !record.service_code.is_empty() && !record.category_code.is_empty() && self.account_of(&record.group).is_some()
    }

    /// Whether AWS has heard of an incident.
    pub fn is_announced(&self, id: &IncidentId) -> bool {
        self.announced.contains(id)
    }

    /// What casebridge delivered to an incident, in the order of its writing.
    pub fn delivered_to<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = &'a Journal> {
        self.journal.iter().filter(move |row| row.incident == *id && row.is_ours())
    }

    /// Whether a person was the last to end work on an incident.
    pub fn is_ended_by_person(&self, id: &IncidentId) -> bool {
        self.ends.get(id).is_some_and(|end| end.is_by_person)
    }

    /// The comments that were written after the update that last ended work on an incident, if any did.
    pub fn comments_since_end<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = &'a Journal> {
        let first = self.ends.get(id).map_or(self.journal.len(), |end| end.rows);
        let written = self.journal.get(first..).unwrap_or_default();
        written.iter().filter(move |row| row.incident == *id && row.element == COMMENTS)
    }

    /// The comments that were on an incident when work on it was last ended.
    pub fn comments_before_end<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = &'a Journal> {
        let first = self.ends.get(id).map_or(self.journal.len(), |end| end.rows);
        let written = self.journal.get(..first).unwrap_or_default();
        written.iter().filter(move |row| row.incident == *id && row.element == COMMENTS)
    }

    /// The comments of an incident, in the order of their writing.
    pub fn comments_of<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = &'a Journal> {
        self.journal.iter().filter(move |row| row.incident == *id && row.element == COMMENTS)
    }
}

impl Journal {
    /// Whether casebridge delivered it: the truth, which a snapshot may not know yet.
    pub fn is_ours(&self) -> bool {
        self.delivered
    }

    /// Whether the customer sees it.
    pub fn is_comment(&self) -> bool {
        self.element == COMMENTS
    }
}

/// A moment as the instance writes it.
pub fn written(moment: Timestamp) -> String {
    format_servicenow(moment)
}
