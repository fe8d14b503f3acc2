//! AWS Support as a state machine. Every operation takes the time and the calling account, and returns at once.
//!
//! Reads can lag behind writes ([`Support::observe_with_lag`]), and writes can land after their caller has given up
//! ([`Support::land_later`]). So a read that does not show a write does not prove that there was none.

pub mod attachments;
pub mod catalogue;
pub mod error;
pub mod events;
mod identity;
pub mod json;
pub mod model;
pub mod oddities;
pub mod options;
mod paging;
mod people;
mod reading;
pub mod redaction;
pub mod request;
pub mod sts;
#[cfg(test)]
mod tests;
mod truth;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use attachments::{Claim, Files, NamedFile};
pub use error::SupportError;
use events::{EventName, Origin, SupportEvent};
use identity::Identities;
pub use model::{Account, Case, Quotas};
use model::{
    AccountState, Communication, Resolution, STATUS_CUSTOMER_COMPLETED, STATUS_PENDING_CUSTOMER, STATUS_REOPENED,
    STATUS_RESOLVED, STATUS_UNASSIGNED, StatusChange, take_quota,
};
pub use oddities::Oddities;
use options::Topic;
pub use people::PeopleError;
use request::{AddCommunicationToCase, CreateCase, ResolveCase};
pub use sts::Role;
use sts::Session;

/// How long after its resolution a case can be reopened. Source: AWS Support User Guide.
pub const REOPEN_WINDOW: SignedDuration = SignedDuration::from_hours(14 * 24);

const CALL_WINDOW: SignedDuration = SignedDuration::from_secs(1);
const CASE_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// A write, which can land after its caller has given up.
#[derive(Debug, Clone)]
pub enum Write {
    /// A new case.
    CreateCase(CreateCase),
    /// A new communication.
    AddCommunicationToCase(AddCommunicationToCase),
    /// A resolution.
    ResolveCase(ResolveCase),
}

#[derive(Debug, Clone)]
struct LateWrite {
    lands_at: Timestamp,
    account: String,
    write: Write,
}

/// AWS Support for any number of accounts.
#[derive(Debug, Clone)]
pub struct Support {
    quotas: Quotas,
    accounts: BTreeMap<String, AccountState>,
    /// The cases in the order of their creation, which is also the order of `time_created`.
    cases: Vec<Case>,
    by_case_id: BTreeMap<String, usize>,
    by_display_id: BTreeMap<String, usize>,
    files: Files,
    identities: Identities,
    last_time: Timestamp,
    read_lag: SignedDuration,
    oddities: Oddities,
    sessions: BTreeMap<String, Session>,
    late_writes: Vec<LateWrite>,
    events: Vec<SupportEvent>,
}

impl Support {
    /// Returns AWS Support without cases. The seed decides the ids.
    pub fn new(seed: u64, quotas: Quotas, accounts: impl IntoIterator<Item = Account>) -> Self {
        let accounts = accounts.into_iter().map(|account| (account.id.clone(), AccountState::new(account))).collect();
        Self {
            quotas,
            accounts,
            cases: Vec::new(),
            by_case_id: BTreeMap::new(),
            by_display_id: BTreeMap::new(),
            files: Files::new(seed),
            identities: Identities::new(seed),
            last_time: Timestamp::UNIX_EPOCH,
            read_lag: SignedDuration::ZERO,
            oddities: Oddities::default(),
            sessions: BTreeMap::new(),
            late_writes: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Adds an account. If there is one with the same id, it is replaced: its cases stay, and its use of the quotas is
    /// forgotten.
    pub fn add_account(&mut self, account: Account) {
        self.accounts.insert(account.id.clone(), AccountState::new(account));
    }

    /// Returns the account that owns an access key, or in which the key's session acts. Returns `None` if the key is
    /// unknown.
    pub fn account_of_key(&self, access_key_id: &str) -> Option<&str> {
        let session = self.sessions.get(access_key_id).map(|session| session.account.as_str());
        session.or_else(|| self.owner_of_key(access_key_id))
    }

    fn owner_of_key(&self, access_key_id: &str) -> Option<&str> {
        let owns = |state: &&AccountState| state.account.access_key_ids.iter().any(|id| id == access_key_id);
        self.accounts.values().find(owns).map(|state| state.account.id.as_str())
    }

    /// From now on reads show everything as it was `lag` ago. With zero they show the present.
    pub fn observe_with_lag(&mut self, lag: SignedDuration) {
        self.read_lag = lag;
    }

    /// Sets how AWS behaves from now on.
    pub fn set_oddities(&mut self, oddities: Oddities) {
        self.oddities = oddities;
    }

    /// Returns how AWS behaves.
    pub fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// Lets a write land at a later time. Its caller never learns the outcome.
    pub fn land_later(&mut self, lands_at: Timestamp, account: &str, write: Write) {
        let late = LateWrite { lands_at, account: account.to_owned(), write };
        let position = self.late_writes.partition_point(|other| other.lands_at <= lands_at);
        self.late_writes.insert(position, late);
    }

    /// Returns when the next late write lands. Returns `None` if there is none.
    pub fn next_landing(&self) -> Option<Timestamp> {
        self.late_writes.first().map(|late| late.lands_at)
    }

    /// Whether a read that begins now and does not lag shows every communication.
    pub fn shows_everything(&self, now: Timestamp) -> bool {
        let mut written = self.cases.iter().flat_map(|case| &case.communications).filter(|text| text.through_api);
        written.all(|text| self.oddities.shown_from(text.landed_at) <= now)
    }

    /// Applies the late writes that are due. Every operation does so first.
    pub fn settle(&mut self, now: Timestamp) {
        let due = self.late_writes.partition_point(|late| late.lands_at <= now);
        for late in self.late_writes.drain(..due).collect::<Vec<_>>() {
            // A refusal is ignored, since the caller has gone.
            let _ = match late.write {
                Write::CreateCase(request) => self.apply_create_case(late.lands_at, &late.account, &request).map(drop),
                Write::AddCommunicationToCase(request) => {
                    self.apply_communication(late.lands_at, &late.account, &request)
                }
                Write::ResolveCase(request) => self.apply_resolution(late.lands_at, &late.account, &request).map(drop),
            };
        }
    }

    /// Returns the events since the last call, oldest first.
    pub fn take_events(&mut self) -> Vec<SupportEvent> {
        std::mem::take(&mut self.events)
    }

    /// CreateCase. Returns the id of the new case.
    pub fn create_case(&mut self, now: Timestamp, account: &str, request: &CreateCase) -> Result<String, SupportError> {
        self.admit(now, account)?;
        self.apply_create_case(now, account, request)
    }

    /// AddCommunicationToCase. It reopens a resolved case.
    pub fn add_communication_to_case(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &AddCommunicationToCase,
    ) -> Result<(), SupportError> {
        self.admit(now, account)?;
        self.apply_communication(now, account, request)
    }

    /// ResolveCase. A resolved case stays resolved.
    pub fn resolve_case(
        &mut self,
        now: Timestamp,
        account: &str,
        request: &ResolveCase,
    ) -> Result<Resolution, SupportError> {
        self.admit(now, account)?;
        self.apply_resolution(now, account, request)
    }

    /// Checks what AWS checks first at every call: the credentials, the rate, the plan.
    fn admit(&mut self, now: Timestamp, account: &str) -> Result<(), SupportError> {
        self.settle(now);
        let quota = self.quotas.calls_per_second;
        let state = self.accounts.get_mut(account).ok_or(SupportError::UnrecognizedClient)?;
        if !take_quota(&mut state.recent_calls, quota, CALL_WINDOW, now) {
            return Err(SupportError::Throttling);
        }
        if state.account.has_plan { Ok(()) } else { Err(SupportError::SubscriptionRequired) }
    }

    fn state(&self, account: &str) -> Result<&AccountState, SupportError> {
        self.accounts.get(account).ok_or(SupportError::UnrecognizedClient)
    }

    /// Returns the index of a case of this account. The case of another account is refused like one that does not
    /// exist.
    fn case_index(&self, account: &str, case_id: &str) -> Result<usize, SupportError> {
        let index = self.index_of_id(case_id).filter(|index| self.cases[*index].account == account);
        index.ok_or_else(|| SupportError::CaseIdNotFound(case_id.to_owned()))
    }

    /// Returns the index of the case with this id, or with this earlier id if AWS still knows those. Returns `None` if
    /// there is none.
    fn index_of_id(&self, case_id: &str) -> Option<usize> {
        let index = self.by_case_id.get(case_id).copied()?;
        (!self.oddities.earlier_ids_unknown || self.cases[index].case_id == case_id).then_some(index)
    }

    fn apply_create_case(
        &mut self,
        now: Timestamp,
        account_id: &str,
        request: &CreateCase,
    ) -> Result<String, SupportError> {
        let subject = request::required(request.subject.as_deref(), "subject")?;
        let body = request::body(request.communication_body.as_deref(), self.oddities.length)?;
        request::addresses(&request.cc_email_addresses)?;
        let state = self.state(account_id)?;
        let topic = Topic::parse(state, request)?;
        let submitted_by = state.account.submitted_by();
        let claim = Claim { set_id: request.attachment_set_id.as_deref(), upload_ids: &request.upload_ids };
        let files = self.files.claim(now, account_id, self.oddities.attachment_set_reuse, claim)?;
        refuse_dry_run(request.dry_run)?;
        self.take_case_quota(now, account_id)?;
        self.files.use_up(claim);
        let author = Author { submitted_by, origin: Origin::Customer, through_api: true };
        let cc_email_addresses = request.cc_email_addresses.clone();
        self.open(now, account_id, NewCase { subject, topic, cc_email_addresses, body, author, files })
    }

    /// Opens a case that was checked. Returns its id.
    fn open(&mut self, now: Timestamp, account_id: &str, new: NewCase<'_>) -> Result<String, SupportError> {
        let owner = self.state(account_id)?.account.email.clone();
        let time_created = self.tick(now);
        let year = time_created.to_zoned(jiff::tz::TimeZone::UTC).year();
        let case = Case {
            case_id: format!("case-{account_id}-mu{}-{year}-{:016x}", new.topic.language, self.identities.draw()),
            display_id: self.unused_display_id(),
            account: account_id.to_owned(),
            subject: redaction::redact(new.subject).into_owned(),
            service_code: new.topic.service,
            category_code: new.topic.category,
            severity_code: new.topic.severity,
            issue_type: new.topic.issue_type,
            language: new.topic.language,
            submitted_by: owner,
            time_created,
            cc_email_addresses: new.cc_email_addresses,
            communications: Vec::new(),
            earlier_severities: Vec::new(),
            statuses: vec![StatusChange { status: STATUS_UNASSIGNED.to_owned(), landed_at: now }],
            landed_at: now,
        };
        let case_id = case.case_id.clone();
        let index = self.cases.len();
        self.by_case_id.insert(case_id.clone(), index);
        self.by_display_id.insert(case.display_id.clone(), index);
        self.cases.push(case);
        self.write(now, index, time_created, new.body, new.author, new.files);
        self.announce(index, EventName::CreateCase, time_created, None);
        Ok(case_id)
    }

    /// Adds a communication to a case, and nothing else.
    fn write(
        &mut self,
        now: Timestamp,
        index: usize,
        time_created: Timestamp,
        written: &str,
        author: Author,
        files: Vec<NamedFile>,
    ) {
        let attachments = self.attach(files);
        self.files.place(index, self.cases[index].communications.len(), &attachments);
        let Author { submitted_by, origin, through_api } = author;
        self.cases[index].communications.push(Communication {
            body: redaction::redact(written).into_owned(),
            written: written.to_owned(),
            submitted_by,
            time_created,
            origin,
            attachments,
            through_api,
            landed_at: now,
        });
    }

    fn take_case_quota(&mut self, now: Timestamp, account: &str) -> Result<(), SupportError> {
        let quota = self.quotas.cases_per_hour;
        let state = self.accounts.get_mut(account).ok_or(SupportError::UnrecognizedClient)?;
        let taken = take_quota(&mut state.recent_cases, quota, CASE_WINDOW, now);
        if taken { Ok(()) } else { Err(SupportError::CaseCreationLimitExceeded) }
    }

    fn unused_display_id(&mut self) -> String {
        loop {
            let id = self.identities.display_id();
            if !self.by_display_id.contains_key(&id) {
                return id;
            }
        }
    }

    fn apply_communication(
        &mut self,
        now: Timestamp,
        account_id: &str,
        request: &AddCommunicationToCase,
    ) -> Result<(), SupportError> {
        let body = request::body(request.communication_body.as_deref(), self.oddities.length)?;
        request::addresses(&request.cc_email_addresses)?;
        let case_id = request::required(request.case_id.as_deref(), "caseId")?;
        let index = self.case_index(account_id, case_id)?;
        let claim = Claim { set_id: request.attachment_set_id.as_deref(), upload_ids: &request.upload_ids };
        let files = self.files.claim(now, account_id, self.oddities.attachment_set_reuse, claim)?;
        match self.refuse_late_reopening(now, index) {
            Err(_) if self.oddities.late_reopening_ignored && !request.dry_run => return Ok(()),
            answer => answer?,
        }
        refuse_dry_run(request.dry_run)?;
        let submitted_by = self.state(account_id)?.account.submitted_by();
        self.files.use_up(claim);
        let author = Author { submitted_by, origin: Origin::Customer, through_api: true };
        self.append(now, index, body, author, files);
        Ok(())
    }

    /// Fails if a resolved case is too old to be reopened. AWS documents the fourteen days, but no error code.
    fn refuse_late_reopening(&self, now: Timestamp, index: usize) -> Result<(), SupportError> {
        let case = &self.cases[index];
        match case.resolved_at() {
            Some(resolved_at) if now.duration_since(resolved_at) > REOPEN_WINDOW => {
                Err(SupportError::Validation(format!(
                    "The case {} was resolved more than 14 days ago and can't be reopened. Create a related case.",
                    case.case_id
                )))
            }
            _ => Ok(()),
        }
    }

    /// Adds a communication and changes the status as AWS does.
    fn append(&mut self, now: Timestamp, index: usize, written: &str, author: Author, files: Vec<NamedFile>) {
        let time_created = self.tick(now);
        let communication_id = format!("ekko:{}:{}", events::EVENT_REGION, self.identities.uuid());
        let origin = author.origin;
        self.write(now, index, time_created, written, author, files);
        let next_status = match (self.cases[index].status(), origin) {
            (STATUS_RESOLVED, _) => Some(STATUS_REOPENED),
            (STATUS_PENDING_CUSTOMER, Origin::Customer) => Some(STATUS_CUSTOMER_COMPLETED),
            _ => None,
        };
        self.announce(index, EventName::AddCommunicationToCase, time_created, Some((communication_id, origin)));
        if let Some(status) = next_status {
            self.change_status(now, index, status);
        }
    }

    fn apply_resolution(
        &mut self,
        now: Timestamp,
        account_id: &str,
        request: &ResolveCase,
    ) -> Result<Resolution, SupportError> {
        let case_id = request::required(request.case_id.as_deref(), "caseId")?;
        let index = self.case_index(account_id, case_id)?;
        refuse_dry_run(request.dry_run)?;
        let initial_case_status = self.cases[index].status().to_owned();
        if self.oddities.repeated_resolution_refused && self.cases[index].is_resolved() {
            return Err(SupportError::Validation(format!("The case {case_id} is resolved already.")));
        }
        self.change_status(now, index, STATUS_RESOLVED);
        Ok(Resolution { initial_case_status, final_case_status: STATUS_RESOLVED.to_owned() })
    }

    /// Changes a status. Sends an event for a resolution and for a reopening, as AWS does, and for no other change.
    fn change_status(&mut self, now: Timestamp, index: usize, status: &str) {
        let case = &mut self.cases[index];
        if case.status() == status {
            return;
        }
        case.statuses.push(StatusChange { status: status.to_owned(), landed_at: now });
        let name = match status {
            STATUS_RESOLVED => EventName::ResolveCase,
            STATUS_REOPENED => EventName::ReopenCase,
            _ => return,
        };
        self.announce(index, name, now, None);
    }

    fn announce(&mut self, index: usize, name: EventName, time: Timestamp, communication: Option<(String, Origin)>) {
        let id = self.identities.uuid();
        let case = &self.cases[index];
        self.events.push(SupportEvent {
            id,
            account: case.account.clone(),
            time,
            case_id: case.case_id.clone(),
            display_id: case.display_id.clone(),
            name,
            communication,
        });
    }

    /// Returns the next moment that no record has: whole milliseconds, strictly increasing.
    fn tick(&mut self, now: Timestamp) -> Timestamp {
        let earliest = self.last_time.as_millisecond() + 1;
        let milliseconds = now.as_millisecond().max(earliest);
        self.last_time = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX);
        self.last_time
    }
}

/// A case that is to be opened.
struct NewCase<'a> {
    subject: &'a str,
    topic: Topic,
    cc_email_addresses: Vec<String>,
    body: &'a str,
    author: Author,
    files: Vec<NamedFile>,
}

/// Who writes a communication, and in which way.
struct Author {
    submitted_by: String,
    origin: Origin,
    through_api: bool,
}

/// Ends a dry run after all checks.
fn refuse_dry_run(dry_run: bool) -> Result<(), SupportError> {
    if dry_run { Err(SupportError::DryRunOperation) } else { Ok(()) }
}
