//! A native model of ServiceNow with the app on it: incidents, journal, accounts, deliveries, outbox.
//!
//! It does what the shipped scripts do, record by record, in microseconds; a differential test holds it against them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
};

use casebridge_core::{
    identifiers::{AccountId, ExternalId, IncidentId, JournalEntryId},
    servicenow::{
        columns::BridgeColumns,
        delivery::{
            Delivery, DeliveryAnswer, FieldsOutcome, IncidentFields, Message, MessageAnswer, MessageKind,
            MessageOutcome,
        },
        incident::{AccountState, Incident, IncidentAccount, IncidentState, IncidentSummary, JournalEntry},
    },
    time::format_servicenow,
};
use jiff::{SignedDuration, Timestamp};

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
/// The first number of the incident table.
const FIRST_NUMBER: usize = 10_001;
/// The close codes that the instance accepts.
const CLOSE_CODES: [&str; 3] = ["Duplicate", "Resolved by request", "Solution provided"];
const COMMENTS: &str = "comments";
const WORK_NOTES: &str = "work_notes";
/// What the platform says when a closed incident is changed back.
const CLOSED_RULE: &str = "Closed incident cannot be reopened";
/// What the platform says when an agent changes a closed incident. The app's scripts are not held back.
const CLOSED_TO_AGENTS: &str = "ACL Exception Update Failed due to security constraints";
/// What the platform says when a rule of the customer aborts an update.
const ABORTED: &str = "Operation against file 'incident' was aborted by Business Rule 'No updates now'";
/// The comments of one page, and the characters that they may take together, as the app says.
pub const PAGE_ENTRIES: usize = 250;
/// How many deliveries one answer names, as the app says.
const DELIVERIES_NAMED: usize = 1_000;
/// The characters of one page, see there.
pub const PAGE_CHARACTERS: usize = 200_000;
/// How many pages the client reads.
pub const PAGES_PER_READ: usize = 20;
/// A row of the audit trail may be so much later than what it is about, the app says.
const TRAIL_LAG_SECONDS: i64 = 2;
/// While the rule makes its attempt the outbox job stays away for so long.
const FIRST_ATTEMPT: SignedDuration = SignedDuration::from_secs(60);
/// The first delay of the outbox; each one after it is twice as long.
const OUTBOX_DELAY_SECONDS: i64 = 30;
/// The longest delay of the outbox.
const OUTBOX_DELAY_MAXIMUM_SECONDS: i64 = 3_600;

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

/// A row of the app's table of links. Its key names an incident and a kind for good.
#[derive(Debug, Clone)]
struct LinkRow {
    status: Status,
    /// The incident that it refers to: not that of its key where the platform or a script has changed the reference.
    refers_to: Option<IncidentId>,
}

/// What keeps the app from its table of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinksObstacle {
    /// The table is not there.
    Missing,
    /// A rule aborts every insert and every update.
    WritesAborted,
    /// No row is shown.
    RowsHidden,
}

/// A webhook that waits to be accepted, or was.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// The webhook's id, the same at every attempt.
    pub webhook_id: String,
    /// The incident.
    pub incident: IncidentId,
    /// Whether it has been accepted.
    pub sent: bool,
    /// How often it was attempted.
    pub attempts: u32,
    /// When the job attempts it.
    pub next_attempt_at: Timestamp,
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
pub enum Refusal {
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

    fn commit(&mut self) -> Result<(), Refusal> {
        match self.commits_left.as_mut() {
            None => Ok(()),
            Some(0) => Err(Refusal::Stopped),
            Some(left) => {
                *left -= 1;
                if *left == 0 { Err(Refusal::Stopped) } else { Ok(()) }
            }
        }
    }

    /// Whether the next commit does not take place: the instance has died.
    fn is_stopped(&self) -> bool {
        self.commits_left == Some(0)
    }

    /// A person opens an incident.
    pub fn open(&mut self, now: Timestamp, user: &str, texts: (&str, &str), change: Change) -> IncidentId {
        let (sys_id, number) = self.next_incident();
        let summary = IncidentSummary {
            sys_id: sys_id.clone(),
            number,
            sys_mod_count: 0,
            state: IncidentState::New,
            hold_reason: String::new(),
            resolved_at: None,
            ended_mod_count: None,
            ended_by_another: false,
            closed_at: None,
            closed_mod_count: None,
            has_close_code: false,
            has_close_notes: false,
            columns: BridgeColumns::default(),
            close_codes: CLOSE_CODES.map(str::to_owned).into(),
            group_accounts: Vec::new(),
            linked_account_state: AccountState::default(),
        };
        let (service_code, category_code) = change.codes.unwrap_or_default();
        let record = Record {
            summary,
            group: change.group.unwrap_or_default(),
            service_code,
            category_code,
            short_description: texts.0.to_owned(),
            description: texts.1.to_owned(),
            priority: change.priority.unwrap_or_else(|| "5".to_owned()),
            close_code: String::new(),
            close_notes: String::new(),
            updated_on: second(now),
            resolved_at: None,
            closed_at: None,
        };
        let follows = !record.service_code.is_empty();
        self.incidents.insert(sys_id.clone(), record);
        for (element, text) in [(COMMENTS, change.comment), (WORK_NOTES, change.work_note)] {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                self.append(now, user, &sys_id, element, &text);
            }
        }
        if follows && user != self.integration_user {
            self.rules.push_back(sys_id.clone());
        }
        sys_id
    }

    fn next_incident(&mut self) -> (IncidentId, String) {
        let sys_id = IncidentId::new(self.identifier());
        let number = format!("INC{:07}", FIRST_NUMBER + self.opened);
        self.opened += 1;
        (sys_id, number)
    }

    /// Insert and Stay: a person makes a new incident of all columns of this one, those of the app included. Its comments
    /// stay behind. None if there is no such incident.
    pub fn copy(&mut self, now: Timestamp, user: &str, id: &IncidentId) -> Option<IncidentId> {
        let mut record = self.incidents.get(id)?.clone();
        let (sys_id, number) = self.next_incident();
        record.summary.sys_id = sys_id.clone();
        record.summary.number = number;
        record.summary.sys_mod_count = 0;
        record.updated_on = second(now);
        match record.summary.state {
            IncidentState::Resolved if self.resolved_at_is_overwritten => record.resolved_at = Some(second(now)),
            IncidentState::Resolved => record.resolved_at = record.resolved_at.or(Some(second(now))),
            IncidentState::Closed | IncidentState::Cancelled => record.closed_at = Some(second(now)),
            _ => {}
        }
        let follows = !record.service_code.is_empty() || !record.summary.columns.case_id.is_empty();
        self.incidents.insert(sys_id.clone(), record);
        if follows && user != self.integration_user {
            self.rules.push_back(sys_id.clone());
        }
        Some(sys_id)
    }

    /// The stock job: closes the incidents that are resolved and have not changed for so long, with a comment as `system` in
    /// the same update. Returns which.
    pub fn auto_close(&mut self, now: Timestamp, unchanged_for: SignedDuration) -> Vec<IncidentId> {
        let latest = second(now) - unchanged_for;
        let days = unchanged_for.as_hours() / 24;
        let is_due = |record: &&Record| record.summary.state == IncidentState::Resolved && record.updated_on <= latest;
        let due: Vec<IncidentId> =
            self.incidents.values().filter(is_due).map(|record| record.summary.sys_id.clone()).collect();
        let comment = format!("Incident automatically closed after {days} days in the Resolved state.");
        let change = Change { state: Some(IncidentState::Closed), comment: Some(comment), ..Change::default() };
        due.into_iter().filter(|id| self.save(now, "system", id, &change).is_ok()).collect()
    }

    /// An administrator renames the integration user. What it has written keeps the old name.
    pub fn rename_integration_user(&mut self, name: &str) {
        self.former_names.insert(std::mem::replace(&mut self.integration_user, name.to_owned()));
        self.former_names.remove(name);
    }

    /// Whether a user name is somebody else's than the integration user's: another user's, or the platform's own jobs'.
    fn is_another_user(&self, name: &str) -> bool {
        name != self.integration_user && !self.former_names.contains(name)
    }

    /// An administrator puts an incident back as it was, by an import or an undelete: its update count and its time are
    /// the old ones again, journal and audit trail stay, and no rule runs. The record is one that `incidents` held.
    pub fn restore(&mut self, record: Record) {
        self.incidents.insert(record.summary.sys_id.clone(), record);
    }

    /// The next read of the incident, by a snapshot or at the beginning of a delivery, shows it as this record says, which it
    /// was until then: its node lags. Later reads show it as it is.
    pub fn lag_once(&mut self, record: Record, until: Timestamp) {
        self.lagging = Some((record, until));
    }

    /// The incident as it was, and until when, if the next read shows it so.
    pub fn lagging(&self, id: &IncidentId) -> Option<&(Record, Timestamp)> {
        self.lagging.as_ref().filter(|(record, _)| record.summary.sys_id == *id)
    }

    /// A rule of the customer aborts the next `count` updates of incidents, whoever makes them.
    pub fn abort_updates(&mut self, count: u64) {
        self.aborts = count;
    }

    /// Takes out what the next read would show late: what writes reads what is there. Give it back with [`Self::lag_once`].
    pub fn take_lag(&mut self) -> Option<(Record, Timestamp)> {
        self.lagging.take()
    }

    /// No read lags and no update is aborted any more.
    pub fn end_hostility(&mut self) {
        self.lagging = None;
        self.aborts = 0;
    }

    /// An administrator deletes an incident: the platform empties all references to it. Returns what it was.
    pub fn delete(&mut self, id: &IncidentId) -> Option<Record> {
        let record = self.incidents.remove(id)?;
        self.removed.insert(id.clone(), record.clone());
        self.announced.remove(id);
        self.link_rows().filter(|row| row.refers_to.as_ref() == Some(id)).for_each(|row| row.refers_to = None);
        // Of what its webhooks are about nothing is known any more: the job closes them.
        self.outbox.iter_mut().filter(|row| row.incident == *id).for_each(|row| row.sent = true);
        Some(record)
    }

    /// An administrator puts a deleted incident back. The references to it were in tables that are not audited: they stay
    /// empty. False if it was not deleted.
    pub fn undelete(&mut self, id: &IncidentId) -> bool {
        let record = self.removed.remove(id);
        let is_known = record.is_some();
        self.incidents.extend(record.map(|record| (id.clone(), record)));
        is_known
    }

    /// A script that merges duplicates lets all that refers to one incident refer to another one. Deliveries keep the incident
    /// that they were made to.
    pub fn repoint(&mut self, from: &IncidentId, to: &IncidentId) {
        self.link_rows()
            .filter(|row| row.refers_to.as_ref() == Some(from))
            .for_each(|row| row.refers_to = Some(to.clone()));
        self.outbox.iter_mut().filter(|row| row.incident == *from).for_each(|row| row.incident = to.clone());
        // There is one row for each incident.
        if self.announced.contains(from) && self.announced.insert(to.clone()) {
            self.announced.remove(from);
        }
    }

    /// A second row for a link, of a time without a unique index. None if the link has no row yet.
    pub fn double_link(&mut self, id: &IncidentId, kind: &str, sync_status: &str) -> Option<()> {
        let rows = self.links.get_mut(id)?.get_mut(kind)?;
        let status = Status { sync_status: sync_status.to_owned(), last_error: String::new() };
        self.links_are_unique = false;
        rows.push(LinkRow { status, refers_to: Some(id.clone()) });
        Some(())
    }

    fn link_rows(&mut self) -> impl Iterator<Item = &mut LinkRow> {
        self.links.values_mut().flat_map(BTreeMap::values_mut).flatten()
    }

    /// Someone saves an incident: record, then journal, then audit trail; then the rule is queued.
    pub fn save(&mut self, now: Timestamp, user: &str, id: &IncidentId, change: &Change) -> Result<(), Refusal> {
        let old = self.incidents.get(id).ok_or(Refusal::NotFound)?.clone();
        if old.summary.state == IncidentState::Closed && user != self.integration_user {
            return Err(Refusal::Refused(CLOSED_TO_AGENTS.to_owned()));
        }
        if self.aborts > 0 {
            self.aborts -= 1;
            return Err(Refusal::Refused(ABORTED.to_owned()));
        }
        let mut new = old.clone();
        apply(&mut new, change);
        before_write(&old, &mut new, now, self.resolved_at_is_overwritten)?;
        let entries = [(COMMENTS, &change.comment), (WORK_NOTES, &change.work_note)];
        let has_entries = entries.iter().any(|(_, text)| text.as_ref().is_some_and(|text| !text.is_empty()));
        if new == old && !has_entries {
            return Ok(());
        }
        if self.is_stopped() {
            return Err(Refusal::Stopped);
        }
        new.summary.sys_mod_count += 1;
        new.updated_on = second(now);
        let mod_count = new.summary.sys_mod_count;
        let to = new.summary.state.clone();
        let code_changed = new.service_code != old.service_code;
        let follows = !new.summary.columns.case_id.is_empty() || !new.service_code.is_empty() || code_changed;
        if to.is_ended() && !old.summary.state.is_ended() {
            let written = entries.iter().filter(|(_, text)| text.as_ref().is_some_and(|text| !text.is_empty())).count();
            let is_by_person = user != self.integration_user;
            self.ends.insert(id.clone(), End { rows: self.journal.len() + written, is_by_person });
        }
        self.incidents.insert(id.clone(), new);
        self.commit()?;
        let first_entry = self.journal.len();
        for (element, text) in entries {
            if let Some(text) = text.as_ref().filter(|text| !text.is_empty()) {
                if self.is_stopped() {
                    return Err(Refusal::Stopped);
                }
                self.append(now, user, id, element, text);
                self.commit()?;
            }
        }
        // Where the instance dies before, the trail has a gap.
        self.journal[first_entry..].iter_mut().for_each(|row| row.mod_count = Some(mod_count));
        if old.summary.state != to {
            let change = StateChange { at: second(now), mod_count, user: user.to_owned(), from: old.summary.state, to };
            self.trail.entry(id.clone()).or_default().push(change);
        }
        if follows && user != self.integration_user {
            self.rules.push_back(id.clone());
        }
        Ok(())
    }

    fn append(&mut self, now: Timestamp, user: &str, incident: &IncidentId, element: &'static str, text: &str) {
        let sys_id = JournalEntryId::new(self.identifier());
        self.journal.push(Journal {
            sys_id,
            incident: incident.clone(),
            element,
            text: text.to_owned(),
            created_by: user.to_owned(),
            created_on: second(now),
            mod_count: None,
            delivered: false,
        });
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

    /// What the client reads of an incident: its comments since a moment, or from the first, in so many pages.
    /// `kind` is that of the link that asks.
    pub fn snapshot(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        since: Option<Timestamp>,
    ) -> Result<Incident, Refusal> {
        let mut snapshot = self.page(now, kind, id, since, None)?;
        snapshot.deliveries = self.deliveries_since(id, since);
        for _ in 1..self.pages_per_read {
            let Some(last) = snapshot.entries.last().filter(|_| !snapshot.entries_complete) else { break };
            let page = self.page(now, kind, id, Some(last.created_on), Some(&last.sys_id))?;
            snapshot.entries_complete = page.entries_complete;
            snapshot.entries.extend(page.entries);
        }
        Ok(snapshot)
    }

    /// One answer of the app's `snapshot`: the incident with its first comments from a moment on, or after a comment of
    /// that moment.
    fn page(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        since: Option<Timestamp>,
        after: Option<&JournalEntryId>,
    ) -> Result<Incident, Refusal> {
        let record = self.read(id)?;
        let mut shown = self.show(now, &record, since, after);
        shown.summary.columns = self.columns_of(&record, kind);
        Ok(shown)
    }

    /// The columns that a link of this kind writes: its own status where the incident shows the worst of its links, and
    /// otherwise what the incident shows.
    fn columns_of(&self, record: &Record, kind: &str) -> BridgeColumns {
        let id = &record.summary.sys_id;
        let mut columns = match kind {
            SUPPORT_CASE => record.summary.columns.clone(),
            _ => BridgeColumns::default(),
        };
        let on_incident = Status::of(&record.summary.columns);
        let status = if on_incident == self.worst(id) {
            worst_of(self.statuses(id).filter(|(of_kind, _)| *of_kind == kind))
        } else {
            on_incident
        };
        status.put_into(&mut columns);
        columns
    }

    /// The worst status of all links of an incident.
    fn worst(&self, id: &IncidentId) -> Status {
        worst_of(self.statuses(id))
    }

    /// What the rows of an incident that are its own say, in the order of their kinds.
    fn statuses<'a>(&'a self, id: &'a IncidentId) -> impl Iterator<Item = (&'a str, &'a Status)> {
        let kinds = self.links.get(id).filter(|_| !self.hides_links()).into_iter().flatten();
        let rows = kinds.flat_map(|(kind, rows)| rows.iter().map(move |row| (kind.as_str(), row)));
        rows.filter(move |(_, row)| row.refers_to.as_ref() == Some(id)).map(|(kind, row)| (kind, &row.status))
    }

    fn hides_links(&self) -> bool {
        matches!(self.links_obstacle, Some(LinksObstacle::Missing | LinksObstacle::RowsHidden))
    }

    /// Writes how a link does, where its rows do not say so already; whether all of them do now.
    fn note_link(&mut self, id: &IncidentId, kind: &str, status: &Status) -> Result<bool, Refusal> {
        let refuses = matches!(self.links_obstacle, Some(LinksObstacle::Missing | LinksObstacle::WritesAborted));
        let count = self.links.get(id).and_then(|kinds| kinds.get(kind)).map_or(0, Vec::len);
        if count == 0 || self.hides_links() {
            // A row that is there and hidden has its key already.
            if refuses || (count > 0 && self.links_are_unique) {
                return Ok(false);
            }
            return self.insert_link(id, kind, status);
        }
        let mut all_say_so = true;
        for index in 0..count {
            let rows = self.links.get_mut(id).and_then(|kinds| kinds.get_mut(kind));
            let Some(row) = rows.and_then(|rows| rows.get_mut(index)) else { break };
            if row.status == *status && row.refers_to.as_ref() == Some(id) {
                continue;
            }
            if refuses {
                all_say_so = false;
                continue;
            }
            if self.commits_left == Some(0) {
                return Err(Refusal::Stopped);
            }
            *row = LinkRow { status: status.clone(), refers_to: Some(id.clone()) };
            self.commit()?;
        }
        Ok(all_say_so)
    }

    /// Inserts the row of a link, and takes it back where it is not shown; whether it is.
    fn insert_link(&mut self, id: &IncidentId, kind: &str, status: &Status) -> Result<bool, Refusal> {
        if self.is_stopped() {
            return Err(Refusal::Stopped);
        }
        let row = LinkRow { status: status.clone(), refers_to: Some(id.clone()) };
        self.rows_of(id, kind).push(row);
        self.commit()?;
        if !self.hides_links() {
            return Ok(true);
        }
        self.rows_of(id, kind).pop();
        self.commit()?;
        Ok(false)
    }

    fn rows_of(&mut self, id: &IncidentId, kind: &str) -> &mut Vec<LinkRow> {
        self.links.entry(id.clone()).or_default().entry(kind.to_owned()).or_default()
    }

    /// The record as a request reads it, if it is served: from then on AWS has heard of it.
    fn read(&mut self, id: &IncidentId) -> Result<Record, Refusal> {
        let lagging = self.lagging.take_if(|(record, _)| record.summary.sys_id == *id);
        let current = self.incidents.get(id).filter(|_| !self.hidden.contains(id)).ok_or(Refusal::NotFound)?;
        let record = lagging.map_or_else(|| current.clone(), |(record, _)| record);
        if self.is_served(&record)? { Ok(record) } else { Err(Refusal::NotServed) }
    }

    fn is_served(&mut self, record: &Record) -> Result<bool, Refusal> {
        let id = &record.summary.sys_id;
        if self.announced.contains(id) {
            return Ok(true);
        }
        if record.summary.columns.case_id.is_empty() && !self.is_in_scope(record) {
            return Ok(false);
        }
        if self.is_stopped() {
            return Err(Refusal::Stopped);
        }
        self.announced.insert(id.clone());
        self.commit()?;
        Ok(true)
    }

    fn show(
        &self,
        now: Timestamp,
        record: &Record,
        since: Option<Timestamp>,
        after: Option<&JournalEntryId>,
    ) -> Incident {
        let mut summary = record.summary.clone();
        let state = &record.summary.state;
        let ended = self.entered(record, IncidentState::is_ended);
        let closed = self.entered(record, IncidentState::is_closed);
        summary.resolved_at = shown_resolution(record);
        summary.ended_mod_count = ended.map(|change| change.mod_count);
        summary.ended_by_another = ended.is_some_and(|change| self.is_another_user(&change.user));
        summary.closed_at = record.closed_at.filter(|_| state.is_closed());
        summary.closed_mod_count = closed.map(|change| change.mod_count);
        summary.has_close_code = !record.close_code.trim().is_empty();
        summary.has_close_notes = !record.close_notes.trim().is_empty();
        let accounts = self.accounts_of(&record.group);
        summary.group_accounts = accounts.iter().map(|account| account.number.clone()).collect();
        summary.linked_account_state = self.state_of(&record.summary.columns.account);
        let account = self.account_of(&record.group).map(|account| IncidentAccount {
            number: account.number.clone(),
            name: account.name.clone(),
            production: account.production,
        });
        let (entries, entries_complete) = self.entries(record, ended, since, after);
        Incident {
            summary,
            taken_at: second(now),
            updated_on: Some(record.updated_on),
            account,
            service_code: record.service_code.clone(),
            category_code: record.category_code.clone(),
            short_description: record.short_description.clone(),
            description: record.description.clone(),
            priority: record.priority.clone(),
            entries_since: since,
            entries,
            entries_complete,
            deliveries: Vec::new(),
        }
    }

    /// The deliveries to an incident that were begun from a moment on, the newest first.
    fn deliveries_since(&self, id: &IncidentId, since: Option<Timestamp>) -> Vec<ExternalId> {
        let is_shown = |row: &DeliveryRow| row.incident == *id && since.is_none_or(|since| row.claimed_at >= since);
        let mut shown: Vec<(&String, &DeliveryRow)> = self.deliveries.iter().filter(|(_, row)| is_shown(row)).collect();
        shown.sort_by_key(|(_, row)| std::cmp::Reverse(row.claimed_at));
        shown.into_iter().take(DELIVERIES_NAMED).map(|(name, _)| ExternalId::new(name.as_str())).collect()
    }

    /// The latest change that led into these states, if the trail leads to the present state without a gap.
    fn entered(&self, record: &Record, is_in: impl Fn(&IncidentState) -> bool) -> Option<&StateChange> {
        let trail = self.trail.get(&record.summary.sys_id).filter(|_| self.trail_is_readable)?;
        let mut newest_first: Vec<&StateChange> = trail.iter().collect();
        newest_first.sort_by_key(|change| std::cmp::Reverse((change.at, change.mod_count)));
        let mut expected = &record.summary.state;
        for change in newest_first {
            if change.to != *expected || !is_in(&change.to) || change.mod_count > record.summary.sys_mod_count {
                return None;
            }
            if !is_in(&change.from) {
                return Some(change);
            }
            expected = &change.from;
        }
        None
    }

    /// The first comments after the point, as many as a page holds, and whether these reach the newest.
    fn entries(
        &self,
        record: &Record,
        ended: Option<&StateChange>,
        since: Option<Timestamp>,
        after: Option<&JournalEntryId>,
    ) -> (Vec<JournalEntry>, bool) {
        let mut rows: Vec<&Journal> = self
            .comments_of(&record.summary.sys_id)
            .filter(|row| since.is_none_or(|since| row.created_on >= since))
            .filter(|row| after.is_none_or(|after| since < Some(row.created_on) || row.sys_id > *after))
            .collect();
        rows.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
        let mut characters = 0;
        let fits = |(index, row): &(usize, &&Journal)| {
            characters += row.text.encode_utf16().count();
            *index == 0 || (characters <= self.page_characters && *index < self.page_entries)
        };
        let shown: Vec<JournalEntry> = rows
            .iter()
            .enumerate()
            .take_while(fits)
            .map(|(_, row)| self.entry_of(row, record.summary.sys_mod_count, ended))
            .collect();
        let complete = shown.len() == rows.len();
        (shown, complete)
    }

    fn entry_of(&self, row: &Journal, reached: u64, ended: Option<&StateChange>) -> JournalEntry {
        let ours = self.finished.contains(&row.sys_id);
        let is_by_deliverer = row.created_by == self.integration_user || self.deliverers.contains_key(&row.created_by);
        // A restored record counts some updates twice: then times are right, and counts that contradict them are not.
        let is_believable = |count: u64| {
            let Some(ended) = ended else { return true };
            let distance = row.created_on.duration_since(ended.at).as_secs().abs();
            distance <= TRAIL_LAG_SECONDS || (count <= ended.mod_count) == (row.created_on < ended.at)
        };
        let mod_count = row.mod_count.filter(|_| self.trail_is_readable);
        JournalEntry {
            sys_id: row.sys_id.clone(),
            created_on: row.created_on,
            created_by: row.created_by.clone(),
            author: row.created_by.clone(),
            text: row.text.clone(),
            ours,
            undecided: !ours && is_by_deliverer,
            mod_count: mod_count.filter(|count| *count <= reached && is_believable(*count)),
            element: COMMENTS.to_owned(),
        }
    }

    /// Whether AWS has heard of an incident.
    pub fn is_announced(&self, id: &IncidentId) -> bool {
        self.announced.contains(id)
    }

    /// The incidents that are linked, in scope or announced and were written after (since, after), at most `limit`; and
    /// whether there are more.
    pub fn changes(
        &self,
        since: Timestamp,
        after: Option<&IncidentId>,
        limit: usize,
    ) -> (Vec<(IncidentId, u64, Timestamp)>, bool) {
        let mut found: Vec<(Timestamp, IncidentId, u64)> = self
            .incidents
            .values()
            .filter(|record| !self.hidden.contains(&record.summary.sys_id))
            .filter(|record| {
                !record.summary.columns.case_id.is_empty()
                    || self.is_in_scope(record)
                    || self.announced.contains(&record.summary.sys_id)
            })
            .filter(|record| match after {
                None => record.updated_on >= since,
                Some(after) => (record.updated_on, &record.summary.sys_id) > (since, after),
            })
            .map(|record| (record.updated_on, record.summary.sys_id.clone(), record.summary.sys_mod_count))
            .collect();
        found.sort();
        let more = found.len() > limit;
        found.truncate(limit);
        (found.into_iter().map(|(updated_on, id, count)| (id, count, updated_on)).collect(), more)
    }

    /// Writes messages, each once, then fields and columns. `kind` is that of the link that delivers.
    pub fn deliver(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        delivery: &Delivery,
        expected: Option<u64>,
    ) -> Result<DeliveryAnswer, Refusal> {
        let answer = self.deliver_until_stopped(now, kind, id, delivery, expected);
        self.commits_left = None;
        answer
    }

    fn deliver_until_stopped(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        delivery: &Delivery,
        expected: Option<u64>,
    ) -> Result<DeliveryAnswer, Refusal> {
        let count = self.read(id)?.summary.sys_mod_count;
        let is_fresh = expected.is_none_or(|expected| expected == count);
        let mut messages = Vec::new();
        for message in &delivery.messages {
            let answer = self.message(now, id, message)?;
            let is_refused = answer.outcome == MessageOutcome::Refused;
            messages.push(answer);
            // What follows a refused message would overtake it.
            if is_refused {
                break;
            }
        }
        let (fields, field_error) = if is_fresh {
            self.values(now, kind, id, &delivery.fields, &delivery.columns)?
        } else {
            (FieldsOutcome::Stale, String::new())
        };
        let snapshot = self.page(now, kind, id, delivery.entries_since, None)?;
        Ok(DeliveryAnswer { messages, fields, field_error, snapshot })
    }

    fn message(&mut self, now: Timestamp, id: &IncidentId, message: &Message) -> Result<MessageAnswer, Refusal> {
        let answer = |outcome, error: &str| MessageAnswer {
            external_id: message.external_id.clone(),
            outcome,
            error: error.to_owned(),
        };
        let key = message.external_id.as_str();
        let text = harmless(&message.text);
        let element = match message.kind {
            MessageKind::Comment => COMMENTS,
            MessageKind::WorkNote => WORK_NOTES,
        };
        if let Some(row) = self.deliveries.get(key).cloned() {
            if row.incident != *id {
                return Ok(answer(MessageOutcome::Refused, "This external_id belongs to another incident."));
            }
            if row.done {
                return Ok(answer(MessageOutcome::AlreadyApplied, ""));
            }
            if row.claimed_at > second(now) - SignedDuration::from_secs(self.claim_seconds) {
                return Err(Refusal::Conflict);
            }
            if let Some(earlier) = self.earlier_entry(id, element, &text, key, &row) {
                self.finish(key, Some(earlier))?;
                return Ok(answer(MessageOutcome::AlreadyApplied, ""));
            }
            if self.is_stopped() {
                return Err(Refusal::Stopped);
            }
            self.unclaim(key)?;
        }
        if self.is_stopped() {
            return Err(Refusal::Stopped);
        }
        let row = self.claim(now, id, key)?;
        let mut change = Change::default();
        match message.kind {
            MessageKind::Comment => change.comment = Some(text.clone()),
            MessageKind::WorkNote => change.work_note = Some(text.clone()),
        }
        let user = self.integration_user.clone();
        let first_entry = self.journal.len();
        let saved = self.save(now, &user, id, &change);
        self.journal[first_entry..].iter_mut().for_each(|row| row.delivered = true);
        match saved {
            Ok(()) => {}
            Err(Refusal::Stopped) => return Err(Refusal::Stopped),
            Err(refusal) => {
                self.unclaim(key)?;
                return Ok(answer(MessageOutcome::Refused, &format!("{refusal:?}")));
            }
        }
        let journal = self.entry(id, element, Some(&text), &row);
        self.finish(key, journal)?;
        Ok(answer(MessageOutcome::Applied, ""))
    }

    fn claim(&mut self, now: Timestamp, id: &IncidentId, key: &str) -> Result<DeliveryRow, Refusal> {
        let created_by = self.integration_user.clone();
        *self.deliverers.entry(created_by.clone()).or_default() += 1;
        let row = DeliveryRow { created_by, incident: id.clone(), done: false, journal: None, claimed_at: second(now) };
        self.deliveries.insert(key.to_owned(), row.clone());
        self.commit()?;
        Ok(row)
    }

    fn unclaim(&mut self, key: &str) -> Result<(), Refusal> {
        if let Some(row) = self.deliveries.remove(key)
            && let Some(count) = self.deliverers.get_mut(&row.created_by)
        {
            *count -= 1;
            if *count == 0 {
                self.deliverers.remove(&row.created_by);
            }
        }
        self.commit()
    }

    fn finish(&mut self, key: &str, journal: Option<JournalEntryId>) -> Result<(), Refusal> {
        if self.is_stopped() {
            return Err(Refusal::Stopped);
        }
        if let Some(row) = self.deliveries.get_mut(key) {
            row.done = true;
            self.finished.extend(journal.clone());
            row.journal = journal;
        }
        self.commit()
    }

    /// The entry that an earlier attempt wrote: the text may be shown in other words by now, so where no other delivery to the
    /// incident is unfinished, any entry since the claim is this one's.
    fn earlier_entry(
        &self,
        id: &IncidentId,
        element: &str,
        text: &str,
        key: &str,
        claim: &DeliveryRow,
    ) -> Option<JournalEntryId> {
        let is_another = |(other, row): (&String, &DeliveryRow)| other != key && row.incident == *id && !row.done;
        let sole = || !self.deliveries.iter().any(is_another);
        let exact = self.entry(id, element, Some(text), claim);
        exact.or_else(|| sole().then(|| self.entry(id, element, None, claim)).flatten())
    }

    /// The entry that holds the text, or any, was written since the claim by who claimed, and is no other delivery's.
    fn entry(&self, id: &IncidentId, element: &str, text: Option<&str>, claim: &DeliveryRow) -> Option<JournalEntryId> {
        let wanted = text.map(comparable);
        let mut found: Vec<&Journal> = self
            .journal
            .iter()
            .filter(|row| {
                row.incident == *id
                    && row.element == element
                    && row.created_by == claim.created_by
                    && row.created_on >= claim.claimed_at
                    && wanted.as_ref().is_none_or(|wanted| comparable(&row.text) == *wanted)
                    && !self.finished.contains(&row.sys_id)
            })
            .collect();
        found.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
        found.first().map(|row| row.sys_id.clone())
    }

    fn values(
        &mut self,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        fields: &IncidentFields,
        columns: &BridgeColumns,
    ) -> Result<(FieldsOutcome, String), Refusal> {
        let said = Status::of(columns).cut();
        let is_noted = self.note_link(id, kind, &said)?;
        let present = &self.incidents.get(id).ok_or(Refusal::NotFound)?.summary.columns;
        let mut columns = if kind == SUPPORT_CASE { columns.clone() } else { present.clone() };
        // Where its row is refused the link's own words stand on the incident: it finds what it has said, and is done.
        if is_noted { self.worst(id) } else { said }.put_into(&mut columns);
        let columns = &columns;
        match self.set(now, id, Some(fields), columns) {
            Ok(()) if is_noted => Ok((FieldsOutcome::Applied, String::new())),
            Ok(()) => Ok((FieldsOutcome::Applied, LINK_REFUSED.to_owned())),
            Err(Refusal::Refused(words)) if !fields.is_empty() => match self.set(now, id, None, columns) {
                Ok(()) | Err(Refusal::Refused(_)) => Ok((FieldsOutcome::Refused, words)),
                Err(refusal) => Err(refusal),
            },
            Err(Refusal::Refused(words)) => Ok((FieldsOutcome::Refused, words)),
            Err(refusal) => Err(refusal),
        }
    }

    fn set(
        &mut self,
        now: Timestamp,
        id: &IncidentId,
        fields: Option<&IncidentFields>,
        columns: &BridgeColumns,
    ) -> Result<(), Refusal> {
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let mut change = Change { columns: Some(columns.clone()), ..Change::default() };
        if let Some(fields) = fields {
            change.state = given(&fields.state).map(IncidentState::from);
            change.hold_reason = given(&fields.hold_reason);
            change.closing = given(&fields.close_code).map(|code| (code, fields.close_notes.clone()));
        }
        let record = self.incidents.get(id).ok_or(Refusal::NotFound)?;
        let mut changed = record.clone();
        apply(&mut changed, &change);
        // What the incident has already is not written: no rule has a say in it.
        if changed == *record {
            return Ok(());
        }
        let user = self.integration_user.clone();
        self.save(now, &user, id, &change)
    }

    /// Runs the rule that has waited longest: queues a webhook if the incident has a case, should have one, or AWS has heard
    /// of it. Returns the outbox row whose first attempt is to be made.
    pub fn run_rule(&mut self, now: Timestamp) -> Option<usize> {
        let id = self.rules.pop_front()?;
        let record = self.incidents.get(&id)?.clone();
        if !self.is_served(&record).unwrap_or(false) {
            return None;
        }
        let webhook_id = self.identifier();
        let next_attempt_at = second(now) + FIRST_ATTEMPT;
        self.outbox.push(OutboxRow { webhook_id, incident: id, sent: false, attempts: 0, next_attempt_at });
        Some(self.outbox.len() - 1)
    }

    /// The outbox rows that the job attempts now.
    pub fn due_outbox(&self, now: Timestamp) -> Vec<usize> {
        let due = self.outbox.iter().enumerate().filter(|(_, row)| !row.sent && row.next_attempt_at <= now);
        due.map(|(index, _)| index).collect()
    }

    /// Notes how an attempt ended.
    pub fn attempted(&mut self, now: Timestamp, row: usize, accepted: bool) {
        let Some(row) = self.outbox.get_mut(row) else { return };
        row.attempts += 1;
        row.sent |= accepted;
        let delay = OUTBOX_DELAY_SECONDS.saturating_mul(1 << (row.attempts - 1).min(16));
        row.next_attempt_at = second(now) + SignedDuration::from_secs(delay.min(OUTBOX_DELAY_MAXIMUM_SECONDS));
    }

    /// Closes a row whose incident is there no more: there is nothing to send.
    pub fn give_up(&mut self, row: usize) {
        if let Some(row) = self.outbox.get_mut(row) {
            row.sent = true;
        }
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

/// The worst of these; of those that are equally bad the first.
fn worst_of<'a>(statuses: impl Iterator<Item = (&'a str, &'a Status)>) -> Status {
    statuses.map(|(_, status)| status).min_by_key(|status| status.rank()).cloned().unwrap_or_default()
}

fn apply(record: &mut Record, change: &Change) {
    let set = |slot: &mut String, value: &Option<String>| {
        if let Some(value) = value {
            slot.clone_from(value);
        }
    };
    if let Some(state) = &change.state {
        record.summary.state = state.clone();
    }
    set(&mut record.summary.hold_reason, &change.hold_reason);
    set(&mut record.group, &change.group);
    set(&mut record.priority, &change.priority);
    if let Some((service, category)) = &change.codes {
        record.service_code.clone_from(service);
        record.category_code.clone_from(category);
    }
    if let Some((code, notes)) = &change.closing {
        record.close_code.clone_from(code);
        record.close_notes.clone_from(notes);
    }
    if let Some(columns) = &change.columns {
        record.summary.columns = columns.clone();
    }
}

/// The platform's rules on every write of an incident.
fn before_write(old: &Record, new: &mut Record, now: Timestamp, overwrites: bool) -> Result<(), Refusal> {
    let (was, is) = (old.summary.state.clone(), new.summary.state.clone());
    if was == IncidentState::Closed && is != IncidentState::Closed {
        return Err(Refusal::Refused(CLOSED_RULE.to_owned()));
    }
    if was != is {
        match is {
            IncidentState::Resolved => {
                new.resolved_at = new.resolved_at.filter(|_| !overwrites).or(Some(second(now)));
            }
            IncidentState::Closed | IncidentState::Cancelled => new.closed_at = Some(second(now)),
            _ => {}
        }
        if was == IncidentState::OnHold {
            new.summary.hold_reason = String::new();
        }
    }
    let needs_closing = matches!(is, IncidentState::Resolved | IncidentState::Closed);
    if needs_closing && (new.close_code.trim().is_empty() || new.close_notes.trim().is_empty()) {
        return Err(Refusal::Refused("Data Policy Exception".to_owned()));
    }
    Ok(())
}

fn shown_resolution(record: &Record) -> Option<Timestamp> {
    match record.summary.state {
        IncidentState::Cancelled => record.closed_at.or(Some(record.updated_on)),
        IncidentState::Resolved | IncidentState::Closed => {
            record.resolved_at.or(record.closed_at).or(Some(record.updated_on))
        }
        _ => None,
    }
}

/// The platform may change the white space around a text and its line ends.
fn comparable(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned()
}

/// Between `[code]` tags the journal shows HTML: they are taken apart, after the control characters that hide one are gone.
pub fn harmless(text: &str) -> String {
    let text = text.replace(|letter: char| letter < ' ' && !matches!(letter, '\t' | '\n' | '\r'), "");
    let mut output = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(start) = rest.find('[') {
        output.push_str(&rest[..start]);
        rest = &rest[start..];
        let tag = ["[code]", "[/code]"].into_iter().find(|tag| {
            rest.as_bytes().get(..tag.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(tag.as_bytes()))
        });
        let Some(tag) = tag else {
            output.push('[');
            rest = &rest[1..];
            continue;
        };
        output.push_str("[ ");
        output.push_str(&rest[1..tag.len() - 1]);
        output.push_str(" ]");
        rest = &rest[tag.len()..];
    }
    output.push_str(rest);
    output
}

/// A moment as the instance writes it.
pub fn written(moment: Timestamp) -> String {
    format_servicenow(moment)
}
