//! A native model of ServiceNow with the app on it: incidents, journal, accounts, deliveries, outbox.
//!
//! It does what the shipped scripts do, record by record, in microseconds. A differential test compares it with them.

mod app;
mod delivery;
mod files;
mod links;
mod opening;
mod outbox;
mod save;
mod sharing;
mod snapshot;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
};

use casebridge_core::{
    identifiers::{AccountId, IncidentId, JournalEntryId},
    servicenow::{
        columns::{ACCOUNT, BridgeColumns},
        incident::{AccountState, CaseOptions, IncidentState, IncidentSummary},
    },
    time::format_servicenow,
};
use jiff::Timestamp;

pub use app::{App, HonestApp};
pub use delivery::harmless;
pub use files::Attachment;
pub use links::LinksObstacle;
pub use outbox::OutboxRow;
pub use sharing::Sharing;

use self::links::LinkRow;
use crate::random::Random;

/// The user that casebridge logs in as, until an administrator renames it.
pub const INTEGRATION_USER: &str = "casebridge.integration";
/// The default of [`Instance::claim_seconds`].
pub const CLAIM_SECONDS: i64 = 60;
/// How many characters the column `last_error` takes.
const LAST_ERROR_CHARACTERS: usize = 1_000;
/// The values of `sync_status`, the worst first.
const SEVERITY: [&str; 5] = ["error", "waiting", "pending", "in_sync", ""];
/// The kind of link that has columns of its own; the app refuses a delivery of another kind that names one.
const SUPPORT_CASE: &str = "support_case";
/// The column with the id of the case.
pub(crate) const CASE_ID: &str = "case_id";
/// The column with the status of the case.
pub(super) const CASE_STATUS: &str = "case_status";
/// The columns of incident that links of that kind alone write, as the app lists them.
const OWN_COLUMNS: [&str; 4] = [ACCOUNT, CASE_ID, "display_id", CASE_STATUS];
/// The app's answer if the row of a link could not be written.
const LINK_REFUSED: &str = "The status of the link was not recorded";
const COMMENTS: &str = "comments";
const WORK_NOTES: &str = "work_notes";
/// The most texts that are read for one page, as in the app.
pub const PAGE_ENTRIES: usize = 250;
/// The most characters of the texts that are read for one page, as in the app. At least one is read.
pub const PAGE_CHARACTERS: usize = 200_000;
/// The most pages that the client reads in one snapshot.
pub const PAGES_PER_READ: usize = 20;

/// An account as the app knows it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its number, of twelve digits.
    pub number: AccountId,
    /// Its name.
    pub name: String,
    /// Whether it is a production account.
    pub production: bool,
    /// Its assignment group.
    pub group: String,
    /// Whether it is in use.
    pub active: bool,
    /// The codes of its severities, in their order.
    pub severities: Vec<String>,
    /// What counts for cases whose incident does not say otherwise.
    pub options: CaseOptions,
}

/// An incident's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The columns that a snapshot shows as well.
    pub summary: IncidentSummary,
    /// The assignment group.
    pub group: String,
    /// The service code.
    pub service_code: String,
    /// The category code.
    pub category_code: String,
    /// What it says of its case besides.
    pub options: CaseOptions,
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
    /// When the record was last written.
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
    /// When it was written, to the second.
    pub created_on: Timestamp,
    /// The update count that the audit trail has for it. `None` if the trail has none.
    mod_count: Option<u64>,
    /// Whether casebridge delivered it. This is the truth, whatever its delivery row says.
    delivered: bool,
}

/// A change of state in the audit trail.
#[derive(Debug, Clone)]
struct StateChange {
    at: Timestamp,
    mod_count: u64,
    user: String,
    from: IncidentState,
    to: IncidentState,
}

/// The end of an incident.
#[derive(Debug, Clone)]
struct End {
    /// How many rows the journal had after the update that ended the incident.
    rows: usize,
    /// The rows among them that a delivery wrote which was not finished by then. casebridge can't know of them.
    unfinished: BTreeSet<JournalEntryId>,
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

/// The status of a link or of an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Status {
    sync_status: String,
    last_error: String,
}

impl Status {
    fn of(columns: &BridgeColumns) -> Self {
        Self { sync_status: columns.sync_status.clone(), last_error: columns.last_error.clone() }
    }

    /// Returns the status cut to the length of its columns.
    fn cut(mut self) -> Self {
        self.last_error = self.last_error.chars().take(LAST_ERROR_CHARACTERS).collect();
        self
    }

    /// Returns the place of the status in `SEVERITY`: the worst has the lowest. Returns `None` for an unknown word,
    /// which counts as worse than all others.
    fn rank(&self) -> Option<usize> {
        SEVERITY.iter().position(|word| *word == self.sync_status)
    }

    fn put_into(self, columns: &mut BridgeColumns) {
        (columns.sync_status, columns.last_error) = (self.sync_status, self.last_error);
    }
}

/// What a person changes in one save. Fields that are `None` stay as they are.
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
    /// What the incident says of its case besides.
    pub options: Option<CaseOptions>,
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

/// Why a write or a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestFailure {
    /// A rule or a data policy of the platform refused it. Holds its message.
    Refused(String),
    /// The instance died before it had finished.
    Stopped,
    /// Another request is writing the message.
    Conflict,
    /// There is no such incident.
    NotFound,
    /// The incident is neither linked nor in scope, and AWS has not heard of it.
    NotServed,
    /// The account of a new incident has no active record.
    AccountNotInUse,
    /// There is no such file, or the instance withholds it.
    NoSuchFile,
}

/// An instance with the app. Its operations take the time of ServiceNow's clock.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The incidents.
    pub incidents: BTreeMap<IncidentId, Record>,
    /// The journal, in the order of its writing.
    pub journal: Vec<Journal>,
    /// The files, in the order in which they were attached.
    pub attachments: Vec<Attachment>,
    /// The outbox, in the order of its writing.
    pub outbox: Vec<OutboxRow>,
    /// The incidents whose asynchronous rule waits to run.
    pub rules: VecDeque<IncidentId>,
    /// How many seconds a claim of a message counts as a request under way.
    pub claim_seconds: i64,
    /// The present name of the integration user.
    pub integration_user: String,
    /// The former names of the integration user.
    former_names: BTreeSet<String>,
    /// Whether the app may read the audit trail. If not, snapshots have no update counts of comments and ends.
    pub trail_is_readable: bool,
    /// Whether a second resolution overwrites `resolved_at`. By default the first time stays, as on many instances.
    pub resolved_at_is_overwritten: bool,
    /// Which texts the app shares with AWS.
    pub sharing: Sharing,
    /// The most texts that are read for one page.
    pub page_entries: usize,
    /// The most characters of the texts that are read for one page. At least one is read.
    pub page_characters: usize,
    /// The most pages that the client reads in one snapshot.
    pub pages_per_read: usize,
    announced: BTreeSet<IncidentId>,
    /// Whether a unique index keeps one row for each link in the table of links.
    links_are_unique: bool,
    /// What keeps the app from using its table of links, if anything does.
    pub links_obstacle: Option<LinksObstacle>,
    /// The words that a rule of the customer puts into the column *last error* with each write of the app's columns.
    pub words_of_rule: Option<&'static str>,
    /// The rows with the status of each link, by the incident and the kind in their keys. Without a unique index a key
    /// may have several rows.
    links: BTreeMap<IncidentId, BTreeMap<String, Vec<LinkRow>>>,
    /// The deleted incidents, which may be undeleted.
    removed: BTreeMap<IncidentId, Record>,
    trail: BTreeMap<IncidentId, Vec<StateChange>>,
    /// The last end of each incident. This is the truth, whatever the trail has of it.
    ends: BTreeMap<IncidentId, End>,
    finished: BTreeSet<JournalEntryId>,
    deliverers: BTreeMap<String, usize>,
    lagging: Option<(Record, Timestamp)>,
    /// Incidents that a query rule or a domain hides from the integration user, each with the end of it.
    pub hidden: BTreeMap<IncidentId, Timestamp>,
    aborts: u64,
    deliveries: BTreeMap<String, DeliveryRow>,
    opened: usize,
    random: Random,
    commits_left: Option<u64>,
}

/// Returns the moment in whole seconds, as ServiceNow keeps it.
fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

impl Instance {
    /// Returns an instance without incidents. The random numbers decide its ids.
    pub fn new(accounts: Vec<Account>, random: Random) -> Self {
        Self {
            accounts,
            incidents: BTreeMap::new(),
            journal: Vec::new(),
            attachments: Vec::new(),
            outbox: Vec::new(),
            rules: VecDeque::new(),
            claim_seconds: CLAIM_SECONDS,
            integration_user: INTEGRATION_USER.to_owned(),
            former_names: BTreeSet::new(),
            trail_is_readable: true,
            resolved_at_is_overwritten: false,
            sharing: Sharing::default(),
            page_entries: PAGE_ENTRIES,
            page_characters: PAGE_CHARACTERS,
            pages_per_read: PAGES_PER_READ,
            announced: BTreeSet::new(),
            links_are_unique: true,
            links_obstacle: None,
            words_of_rule: None,
            links: BTreeMap::new(),
            removed: BTreeMap::new(),
            trail: BTreeMap::new(),
            ends: BTreeMap::new(),
            finished: BTreeSet::new(),
            deliverers: BTreeMap::new(),
            lagging: None,
            hidden: BTreeMap::new(),
            aborts: 0,
            deliveries: BTreeMap::new(),
            opened: 0,
            random,
            commits_left: None,
        }
    }

    /// Lets the instance die right after commit number `commits` of the next delivery. A delivery with fewer commits is
    /// not affected.
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

    /// Whether the instance has died, so that no further commit takes place.
    fn is_stopped(&self) -> bool {
        self.commits_left == Some(0)
    }

    /// Whether a user name is another user's than the integration user's. The platform's own jobs count as another
    /// user.
    fn is_another_user(&self, name: &str) -> bool {
        name != self.integration_user && !self.former_names.contains(name)
    }

    /// Returns the active account of a group. Returns `None` if it has none.
    pub fn account_of(&self, group: &str) -> Option<&Account> {
        self.accounts_of(group).into_iter().next().filter(|account| account.active)
    }

    /// Returns all accounts of a group, the active one first.
    pub fn accounts_of(&self, group: &str) -> Vec<&Account> {
        let mut accounts: Vec<&Account> = self.accounts.iter().filter(|account| account.group == group).collect();
        accounts.sort_by_key(|account| (!account.active, &account.number));
        accounts
    }

    /// Returns the state of the account with this number.
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

    /// Returns what casebridge delivered to an incident, oldest first.
    pub fn delivered_to<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = &'a Journal> {
        self.journal.iter().filter(move |row| row.incident == *id && row.is_ours())
    }

    /// Returns what casebridge delivered to these incidents, oldest first.
    pub fn delivered_to_all<'a>(&'a self, ids: &'a [IncidentId]) -> impl Iterator<Item = &'a Journal> {
        self.journal.iter().filter(move |row| ids.contains(&row.incident) && row.is_ours())
    }

    /// Whether a person, and not casebridge, made the last end of an incident.
    pub fn is_ended_by_person(&self, id: &IncidentId) -> bool {
        self.ends.get(id).is_some_and(|end| end.is_by_person)
    }

    /// Returns what people wrote for AWS after the update that last ended the incident. Empty if it never ended.
    pub fn shared_since_end<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = &'a Journal> {
        let first = self.ends.get(id).map_or(self.journal.len(), |end| end.rows);
        let written = self.journal.get(first..).unwrap_or_default();
        written.iter().filter(move |row| row.incident == *id && self.for_aws(row).is_some())
    }

    /// Returns the comments that were on an incident when it last ended, without those of deliveries that were not
    /// finished by then. Returns all its comments if it never ended.
    pub fn comments_before_end<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = &'a Journal> {
        let end = self.ends.get(id);
        let written = self.journal.get(..end.map_or(self.journal.len(), |end| end.rows)).unwrap_or_default();
        let is_finished = move |row: &Journal| end.is_none_or(|end| !end.unfinished.contains(&row.sys_id));
        written.iter().filter(move |row| row.incident == *id && row.element == COMMENTS && is_finished(row))
    }

    /// Returns the comments of an incident, oldest first.
    pub fn comments_of<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = &'a Journal> {
        self.journal.iter().filter(move |row| row.incident == *id && row.element == COMMENTS)
    }
}

impl Journal {
    /// Whether casebridge delivered it. This is the truth; a snapshot may not know it yet.
    pub fn is_ours(&self) -> bool {
        self.delivered
    }

    /// Whether the customer sees it.
    pub fn is_comment(&self) -> bool {
        self.element == COMMENTS
    }
}

/// Returns a moment as the instance writes it.
pub fn written(moment: Timestamp) -> String {
    format_servicenow(moment)
}
