//! The people on both sides: what they do, at random, and what is remembered of it to judge the world by.

use std::collections::{BTreeMap, BTreeSet};

use casebridge_core::{
    failure::Refusal,
    identifiers::{AccountId, IncidentId, JournalEntryId},
    servicenow::incident::IncidentState,
};
use casebridge_simulator::support::{Case, request::CreateCase};
use jiff::{SignedDuration, Timestamp};

use crate::{
    endings::Endings,
    pauses::Pauses,
    random::Random,
    refusals::Refusals,
    servicenow_model::{Change, Record},
    timeline::{Place, shorten},
    world::{ACCOUNTS, World, first_id},
};

/// How long an incident is unchanged when the platform's job closes it. The shortest that can be set on an instance is a day:
/// the closing comment and the change before it are never of one moment.
const CLOSED_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// A group that stands for no account.
const OTHER_GROUP: &str = "Service Desk";
/// Texts that several people write alike: they are told apart by nothing.
pub const EQUAL_TEXTS: [&str; 3] = ["Any news?", "k", AUTOMATIC_ANSWER];
/// What a flow comments on each resolution.
pub const AUTOMATIC_ANSWER: &str = "Thank you. This is an automatic answer.";
/// Who the flow writes as.
const FLOW: &str = "flow.robot";
/// What AWS accepts in no text.
pub const REFUSED_LETTER: char = '\u{2620}';
/// What the platform's job comments when it closes an incident.
pub const AUTOMATIC_CLOSING: &str = "Incident automatically closed";
/// What AWS redacts.
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const CARD_NUMBER: &str = "4111 1111 1111 1111";
/// What opens a token: a word that stands in exactly one text of a person.
pub const TOKEN_OPENS: char = '«';
/// What closes a token.
pub const TOKEN_CLOSES: char = '»';
/// A text as long as a communication may be.
const LONG_CHARACTERS: usize = 7_980;
/// A text that fits by its characters and not by its bytes.
const WIDE_CHARACTERS: usize = 5_000;
/// An open status that AWS sets.
const OPEN_STATUSES: [&str; 6] = [
    "opened",
    "work-in-progress",
    "pending-customer-action",
    "customer-action-completed",
    "pending-amazon-action",
    "status-of-tomorrow",
];

/// What people did, as far as the two sides do not show it.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The cases that people opened at AWS.
    pub own_cases: BTreeSet<String>,
    /// The communications that people wrote: case and time.
    pub persons: BTreeSet<(String, Timestamp)>,
    /// The `sys_mod_count` of each incident after an agent last set its state.
    pub state_changes: BTreeMap<IncidentId, u64>,
    /// How often people reopened an incident.
    pub reopenings: BTreeMap<IncidentId, usize>,
    /// The incidents that have been in scope, each with the accounts of which.
    pub ever_in_scope: BTreeMap<IncidentId, BTreeSet<AccountId>>,
    /// The incidents that were deleted.
    pub gone: BTreeMap<IncidentId, Record>,
    /// The comments that were written when their incident was closed or cancelled.
    pub after_closing: BTreeSet<JournalEntryId>,
    /// The comments of incidents that were closed while their group belonged to another account: AWS need not get them.
    pub left_behind: BTreeSet<JournalEntryId>,
    /// Incidents as they once were, and until when by ServiceNow's clock: what a node that lags shows, and what an
    /// administrator puts back.
    pub earlier: BTreeMap<IncidentId, (Record, Timestamp)>,
    /// The incidents that an administrator has put back.
    pub restored: BTreeSet<IncidentId>,
    /// What was seen of ends and reopenings.
    pub endings: Endings,
    /// What either side has refused.
    pub refusals: Refusals,
    /// What was seen of pauses.
    pub pauses: Pauses,
    /// When casebridge wrote to either side of a link.
    pub writes: BTreeMap<IncidentId, Vec<Timestamp>>,
    tokens: u64,
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Opens an incident in scope.
    Open,
    /// Opens an incident that is not.
    OpenElsewhere,
    /// Comments.
    Comment,
    /// Writes a work note.
    WorkNote,
    /// Comments and resolves in one save.
    CommentAndResolve,
    /// Resolves.
    Resolve,
    /// Cancels.
    Cancel,
    /// Closes.
    Close,
    /// Takes up a resolved incident again.
    Reopen,
    /// Puts on hold, or in progress.
    Move,
    /// Sets the priority.
    Triage,
    /// Gives the incident to another group.
    Reassign,
    /// Deletes the incident.
    Delete,
    /// AWS replies.
    Reply,
    /// A customer writes in the console.
    Console,
    /// Somebody at AWS writes with our mark in it.
    Copy,
    /// AWS sets a status.
    Status,
    /// AWS resolves, or the customer in the console.
    ResolveCase,
    /// AWS replies and resolves.
    ReplyAndResolve,
    /// AWS takes up a resolved case again, without a word.
    ReopenCase,
    /// A case is told in another language from now on: its id changes.
    Rename,
    /// AWS writes several messages in the same moment.
    Burst,
    /// The platform's job closes what has been resolved.
    AutoClose,
    /// An agent copies an incident with all its columns.
    CopyIncident,
    /// An agent drafts the close code and the close notes of an open incident.
    Draft,
    /// An agent takes the service and category codes away.
    LeaveScope,
    /// An administrator renames the integration user.
    RenameUser,
    /// An administrator puts an incident back as it was; an agent changes something on it.
    Restore,
    /// The next read of an incident comes from a node that lags.
    Lag,
    /// A rule of the customer aborts the next updates.
    Abort,
    /// Somebody opens a case at AWS.
    OpenOwnCase,
    /// An account loses its plan or its keys for a while.
    LoseAccess,
    /// It gets them back.
    RegainAccess,
    /// An administrator takes the next step of a rotation of the webhook's secret.
    RotateSecret,
}

/// All deeds, each as often as it is likely.
const DEEDS: [(Deed, u64); 34] = [
    (Deed::Open, 6),
    (Deed::OpenElsewhere, 2),
    (Deed::Comment, 16),
    (Deed::WorkNote, 4),
    (Deed::CommentAndResolve, 4),
    (Deed::Resolve, 4),
    (Deed::Cancel, 1),
    (Deed::Close, 2),
    (Deed::Reopen, 4),
    (Deed::Move, 4),
    (Deed::Triage, 2),
    (Deed::Reassign, 4),
    (Deed::Delete, 1),
    (Deed::Reply, 14),
    (Deed::Console, 6),
    (Deed::Copy, 4),
    (Deed::Status, 6),
    (Deed::ResolveCase, 4),
    (Deed::ReplyAndResolve, 3),
    (Deed::ReopenCase, 2),
    (Deed::Rename, 1),
    (Deed::Burst, 2),
    (Deed::AutoClose, 2),
    (Deed::CopyIncident, 1),
    (Deed::Draft, 2),
    (Deed::LeaveScope, 2),
    (Deed::RenameUser, 1),
    (Deed::Restore, 1),
    (Deed::Lag, 3),
    (Deed::Abort, 2),
    (Deed::OpenOwnCase, 2),
    (Deed::LoseAccess, 1),
    (Deed::RegainAccess, 2),
    (Deed::RotateSecret, 3),
];

impl Deed {
    /// A deed at random.
    pub fn draw(random: &mut Random) -> Self {
        let all: u64 = DEEDS.iter().map(|(_, weight)| weight).sum();
        let mut drawn = random.below(all);
        for (deed, weight) in DEEDS {
            if drawn < weight {
                return deed;
            }
            drawn -= weight;
        }
        Self::Comment
    }

    fn name(self) -> &'static str {
        match self {
            Self::Open => "open incident",
            Self::OpenElsewhere => "open incident out of scope",
            Self::Comment => "comment",
            Self::WorkNote => "work note",
            Self::CommentAndResolve => "comment and resolve in one save",
            Self::Resolve => "resolve incident",
            Self::Cancel => "cancel",
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::Move => "hold or go on",
            Self::Triage => "triage",
            Self::Reassign => "reassign",
            Self::Delete => "delete incident",
            Self::Reply => "AWS replies",
            Self::Console => "customer writes in the console",
            Self::Copy => "text with our mark",
            Self::Status => "AWS sets status",
            Self::ResolveCase => "case resolved",
            Self::ReplyAndResolve => "reply and resolve",
            Self::ReopenCase => "case reopened",
            Self::Rename => "case in another language",
            Self::Burst => "AWS writes several messages at once",
            Self::AutoClose => "job closes incidents",
            Self::CopyIncident => "incident copied",
            Self::Draft => "closing drafted",
            Self::LeaveScope => "codes taken away",
            Self::RenameUser => "integration user renamed",
            Self::Restore => "incident restored",
            Self::Lag => "node lags",
            Self::Abort => "rule aborts updates",
            Self::OpenOwnCase => "case opened at AWS",
            Self::LoseAccess => "account loses access",
            Self::RegainAccess => "account regains access",
            Self::RotateSecret => "webhook secret rotated",
        }
    }
}

/// The tokens in a text.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(TOKEN_OPENS).filter_map(|(start, _)| {
        let end = text[start..].find(TOKEN_CLOSES)?;
        Some(&text[start..start + end + TOKEN_CLOSES.len_utf8()])
    })
}

/// Whether a first line is one of ours: a frame with a mark, and none of a person's words.
fn is_frame(line: &str) -> bool {
    line.contains("[ref ") && !line.contains(TOKEN_OPENS)
}

fn state(state: IncidentState) -> Change {
    Change { state: Some(state), ..Change::default() }
}

fn closing(new_state: IncidentState) -> Change {
    let closing = Some(("Solution provided".to_owned(), "Done.".to_owned()));
    Change { closing, ..state(new_state) }
}

impl World {
    /// A token that no other text has.
    pub fn token(&mut self, kind: &str) -> String {
        self.memory.tokens += 1;
        format!("{TOKEN_OPENS}{kind}{}{TOKEN_CLOSES}", self.memory.tokens)
    }

    /// A text as people write them.
    fn text(&mut self, random: &mut Random, kind: &str) -> String {
        let token = self.token(kind);
        match random.below(16) {
            0..=1 => (*random.pick(&EQUAL_TEXTS)).to_owned(),
            2 => format!("First line\r\nsecond line {token}\r\n"),
            3 => format!("Grüße 🚒 日本語 {token} \u{202e}"),
            4 => format!("  {token}  "),
            5 => self.long_text(&token, random),
            6 => format!("{}\n\nAs I said: {token}", self.some_first_line(random)),
            7 => format!("My key is {SECRET_KEY} and my card {CARD_NUMBER}, {token}"),
            8 => format!("[code]<b>{token}</b>[/code]"),
            9 if random.chance(400) => self.wide_text(&token),
            10 if random.chance(300) => format!("Skull {REFUSED_LETTER} and bones {token}"),
            _ => format!("Please look at this {token}"),
        }
    }

    fn long_text(&mut self, token: &str, random: &mut Random) -> String {
        let end = self.token("end");
        // No token may stand where a text is cut into parts.
        let length = *random.pick(&[LONG_CHARACTERS, 7_700, 7_200]);
        let filler: String = "lorem ipsum ".chars().cycle().take(length - 40).collect();
        format!("{token} {filler} {end}")
    }

    /// A text whose letters take three bytes each.
    fn wide_text(&mut self, token: &str) -> String {
        let end = self.token("end");
        let filler: String = "東京都庁。".chars().cycle().take(WIDE_CHARACTERS).collect();
        format!("{token} {filler} {end}")
    }

    /// The first line of some text of ours, mark and all; or one that looks like it.
    fn some_first_line(&self, random: &mut Random) -> String {
        let bodies: Vec<&str> =
            self.our_cases().flat_map(|case| &case.communications).map(|seen| seen.body.as_str()).collect();
        let copied = bodies.get(random.index(bodies.len())).and_then(|body| body.lines().next());
        copied
            .filter(|line| is_frame(line))
            .unwrap_or("INC0010001 was opened in ServiceNow. [ref bcdf-ghjk-mnpq-rstv]")
            .to_owned()
    }

    /// Lets a person do something, if it can be done now.
    pub fn do_deed(&mut self, deed: Deed, random: &mut Random) {
        let done = match deed {
            Deed::Open | Deed::OpenElsewhere => self.do_open(deed, random),
            Deed::Reply
            | Deed::Console
            | Deed::Copy
            | Deed::Status
            | Deed::ResolveCase
            | Deed::ReopenCase
            | Deed::ReplyAndResolve
            | Deed::Rename
            | Deed::Burst => self.do_at_aws(deed, random),
            Deed::AutoClose => self.auto_close(CLOSED_AFTER),
            Deed::RenameUser => {
                let name = format!("casebridge.{}", random.below(1_000));
                self.note(Place::ServiceNow, || format!("the integration user is called {name} from now on"));
                self.servicenow.rename_integration_user(&name);
                true
            }
            Deed::Abort => {
                self.note(Place::ServiceNow, || "a rule aborts the next updates".to_owned());
                self.servicenow.abort_updates(random.below(3) + 1);
                true
            }
            Deed::OpenOwnCase => self.do_open_own_case(random),
            Deed::LoseAccess => {
                self.lose_access(random);
                true
            }
            Deed::RegainAccess => {
                let any = !self.refused_accounts.is_empty();
                self.refused_accounts.clear();
                any
            }
            Deed::RotateSecret => {
                self.rotate_secret();
                true
            }
            _ => self.do_on_incident(deed, random),
        };
        if done {
            *self.tally.deeds.entry(deed.name()).or_default() += 1;
        }
    }

    /// An account loses its plan or its keys.
    pub fn lose_access(&mut self, random: &mut Random) {
        let account = AccountId::new(random.pick(&ACCOUNTS).0);
        let refusal = *random.pick(&[Refusal::Subscription, Refusal::Credentials]);
        self.note(Place::Aws, || format!("account {account} is refused: {refusal:?}"));
        self.refused_accounts.insert(account, refusal);
    }

    /// Secrets Manager gets a new version, or ServiceNow takes it over: the two steps of a rotation.
    pub fn rotate_secret(&mut self) {
        let secret = &mut self.webhook_secret;
        if secret.signs == secret.newest {
            secret.newest += 1;
            self.note(Place::Bridge, || "the webhook's secret gets a new version".to_owned());
        } else {
            secret.signs = secret.newest;
            self.note(Place::ServiceNow, || "webhooks are signed with the new version from now on".to_owned());
        }
    }

    /// A rotation that has begun is completed: for a day webhooks are accepted without it, and then they are not.
    pub fn end_rotation(&mut self) {
        if self.webhook_secret.signs != self.webhook_secret.newest {
            self.rotate_secret();
        }
    }

    fn do_open(&mut self, deed: Deed, random: &mut Random) -> bool {
        if self.servicenow.incidents.len() >= self.settings.most_incidents {
            return false;
        }
        let token = self.token("d");
        let description = match random.below(8) {
            0 => String::new(),
            1 => {
                let end = self.token("end");
                let filler: String = "dolor sit ".chars().cycle().take(9_000).collect();
                format!("{token} {filler} {end}")
            }
            2 => format!("key {SECRET_KEY}\r\n{token}"),
            _ => format!("It does not answer. {token}"),
        };
        let group = if deed == Deed::Open { random.pick(&ACCOUNTS).1 } else { OTHER_GROUP };
        let codes = (!random.chance(100)).then(|| ("aws-lambda".to_owned(), "other".to_owned()));
        let comment = random.chance(300).then(|| self.text(random, "c"));
        let priority = Some(random.pick(&["1", "2", "3", "4", "5"]).to_string());
        let change = Change { group: Some(group.to_owned()), codes, priority, comment, ..Change::default() };
        self.open(&description, change);
        true
    }

    /// An agent opens an incident.
    pub fn open(&mut self, description: &str, change: Change) -> IncidentId {
        let now = self.servicenow_now();
        let texts = ("Instance unreachable", description);
        let id = self.servicenow.open(now, "abel.tuter", texts, change);
        let number = self.number_of(&id);
        let group = self.servicenow.incidents[&id].group.clone();
        self.note(Place::ServiceNow, || format!("{number} is opened in {group}: {}", shorten(description)));
        self.note_scope(&id);
        id
    }

    fn note_scope(&mut self, id: &IncidentId) {
        let account = self.account_in_scope(&self.servicenow.incidents[id]);
        self.note_account_in_scope(id, account);
    }

    /// Notes in which account a record is in scope, if it is. A node that lags may show an earlier state of the incident and
    /// the accounts as they are: whoever reads that can't tell that it was never so.
    pub fn note_shown(&mut self, record: &Record) {
        self.note_account_in_scope(&record.summary.sys_id, self.account_in_scope(record));
    }

    fn account_in_scope(&self, record: &Record) -> Option<AccountId> {
        let account = self.servicenow.account_of(&record.group).filter(|_| self.servicenow.is_in_scope(record));
        account.filter(|_| !record.summary.state.is_ended()).map(|account| account.number.clone())
    }

    fn note_account_in_scope(&mut self, id: &IncidentId, account: Option<AccountId>) {
        if let Some(account) = account {
            self.memory.ever_in_scope.entry(id.clone()).or_default().insert(account);
        }
    }

    /// Notes which incidents are in scope by now.
    pub fn note_scopes(&mut self) {
        let incidents: Vec<IncidentId> = self.servicenow.incidents.keys().cloned().collect();
        for id in &incidents {
            self.note_scope(id);
        }
    }

    fn do_on_incident(&mut self, deed: Deed, random: &mut Random) -> bool {
        let ids: Vec<IncidentId> = self.servicenow.incidents.keys().cloned().collect();
        let Some(id) = ids.get(random.index(ids.len())) else { return false };
        match deed {
            Deed::Delete => {
                self.delete(id);
                return true;
            }
            Deed::CopyIncident => return self.copy(id),
            Deed::Restore => return self.restore(id),
            Deed::Lag => return self.lag(id),
            _ => {}
        }
        let now_state = self.servicenow.incidents[id].summary.state.clone();
        let is_open = !now_state.is_ended();
        let change = match deed {
            Deed::Comment => Change { comment: Some(self.text(random, "c")), ..Change::default() },
            Deed::WorkNote => Change { work_note: Some(self.token("SECRET")), ..Change::default() },
            Deed::CommentAndResolve if is_open => {
                Change { comment: Some(self.text(random, "c")), ..closing(IncidentState::Resolved) }
            }
            Deed::Resolve if is_open => closing(IncidentState::Resolved),
            Deed::Cancel if is_open => state(IncidentState::Cancelled),
            Deed::Close if now_state == IncidentState::Resolved => closing(IncidentState::Closed),
            Deed::Reopen if now_state == IncidentState::Resolved => state(IncidentState::InProgress),
            Deed::Move if is_open => match random.below(3) {
                0 => Change { hold_reason: Some("1".to_owned()), ..state(IncidentState::OnHold) },
                1 => state(IncidentState::Other("42".to_owned())),
                _ => state(IncidentState::InProgress),
            },
            Deed::Draft if is_open => {
                let closing = Some(("Duplicate".to_owned(), self.token("draft")));
                Change { closing, ..Change::default() }
            }
            Deed::LeaveScope => Change { codes: Some((String::new(), String::new())), ..Change::default() },
            Deed::Triage => Change { priority: Some(random.pick(&["1", "3", "5"]).to_string()), ..Change::default() },
            Deed::Reassign => {
                let groups = [ACCOUNTS[0].1, ACCOUNTS[1].1, OTHER_GROUP];
                let codes = random.chance(500).then(|| ("aws-lambda".to_owned(), "other".to_owned()));
                Change { group: Some((*random.pick(&groups)).to_owned()), codes, ..Change::default() }
            }
            _ => return false,
        };
        self.save(id, &change);
        if deed == Deed::Reopen && self.settings.resolves_again {
            let comment = format!("It was nothing after all {}", self.token("c"));
            self.save(id, &Change { comment: Some(comment), ..closing(IncidentState::Resolved) });
        }
        true
    }

    /// An administrator deletes an incident.
    pub fn delete(&mut self, id: &IncidentId) {
        let number = self.number_of(id);
        let record = self.servicenow.delete(id);
        self.note(Place::ServiceNow, || format!("{number} is deleted"));
        self.memory.gone.extend(record.map(|record| (id.clone(), record)));
    }

    /// An administrator puts a deleted incident back.
    pub fn undelete(&mut self, id: &IncidentId) {
        if !self.servicenow.undelete(id) {
            return;
        }
        self.memory.gone.remove(id);
        let number = self.number_of(id);
        self.note(Place::ServiceNow, || format!("{number} is put back"));
    }

    /// An agent saves an incident.
    pub fn save(&mut self, id: &IncidentId, change: &Change) {
        self.save_as("abel.tuter", id, change);
    }

    /// Somebody saves an incident.
    pub fn save_as(&mut self, user: &str, id: &IncidentId, change: &Change) {
        let now = self.servicenow_now();
        let before = self.servicenow.incidents[id].clone();
        let was_ended = before.summary.state.is_ended();
        let number = self.number_of(id);
        let rows = self.servicenow.journal.len();
        let saved = self.servicenow.save(now, user, id, change);
        self.note(Place::ServiceNow, || format!("{number}: {user} saves {} {saved:?}", tell(change)));
        if before.summary.state.is_closed() {
            let written = self.servicenow.journal[rows..].iter().map(|row| row.sys_id.clone());
            self.memory.after_closing.extend(written);
        }
        if saved.is_err() {
            return;
        }
        self.memory.earlier.insert(id.clone(), (before, self.servicenow_now()));
        let summary = &self.servicenow.incidents[id].summary;
        let (count, is_ended) = (summary.sys_mod_count, summary.state.is_ended());
        if change.state.is_some() {
            self.memory.state_changes.insert(id.clone(), count);
        }
        if was_ended && !is_ended {
            *self.memory.reopenings.entry(id.clone()).or_default() += 1;
            self.note_reopening_by_agent(id);
        }
        self.note_scope(id);
        self.note_pauses();
    }

    /// The platform's job closes what is resolved and has not changed for so long.
    pub fn auto_close(&mut self, unchanged_for: SignedDuration) -> bool {
        let now = self.servicenow_now();
        let closed = self.servicenow.auto_close(now, unchanged_for);
        for id in &closed {
            let number = self.number_of(id);
            self.note(Place::ServiceNow, || format!("{number} is closed by the platform's job"));
            let count = self.servicenow.incidents[id].summary.sys_mod_count;
            self.memory.state_changes.insert(id.clone(), count);
        }
        !closed.is_empty()
    }

    /// An agent copies an incident with all its columns.
    pub fn copy(&mut self, id: &IncidentId) -> bool {
        if self.servicenow.incidents.len() >= self.settings.most_incidents {
            return false;
        }
        let now = self.servicenow_now();
        let Some(copy) = self.servicenow.copy(now, "abel.tuter", id) else { return false };
        let (original, number) = (self.number_of(id), self.number_of(&copy));
        self.note(Place::ServiceNow, || format!("{original} is copied: {number}"));
        self.note_scope(&copy);
        true
    }

    /// An administrator puts an incident back as it once was; then an agent changes its priority.
    ///
    /// Where its webhook is lost and it reaches the remembered update count again before anybody looks, nothing that the
    /// poller reads tells it from what is remembered: that is left out.
    pub fn restore(&mut self, id: &IncidentId) -> bool {
        if !self.webhooks_arrive() || self.faults.rates().hint_lost > 0 {
            return false;
        }
        let Some((earlier, _)) = self.memory.earlier.get(id).cloned() else { return false };
        let state = self.servicenow.incidents[id].summary.state.clone();
        // The platform's comment on a closing that never was would be a comment like any other.
        if state.is_closed() {
            return false;
        }
        let now_ended = state.is_ended();
        let (number, count) = (self.number_of(id), earlier.summary.sys_mod_count);
        let is_open = !earlier.summary.state.is_ended();
        self.note(Place::ServiceNow, || format!("{number} is put back as it was at its update {count}"));
        self.servicenow.restore(earlier);
        // Nothing but the save that follows tells of it.
        self.servicenow.abort_updates(0);
        self.memory.restored.insert(id.clone());
        self.note_pauses();
        self.memory.state_changes.insert(id.clone(), count);
        if now_ended && is_open {
            *self.memory.reopenings.entry(id.clone()).or_default() += 1;
        }
        let priority = if self.servicenow.incidents[id].priority == "1" { "2" } else { "1" };
        self.save(id, &Change { priority: Some(priority.to_owned()), ..Change::default() });
        true
    }

    /// The next read of an incident shows it as it once was.
    pub fn lag(&mut self, id: &IncidentId) -> bool {
        let Some((earlier, until)) = self.memory.earlier.get(id).cloned() else { return false };
        let number = self.number_of(id);
        self.note(Place::ServiceNow, || format!("the next read of {number} comes from a node that lags"));
        self.servicenow.lag_once(earlier, until);
        true
    }

    /// A flow answers a resolution by casebridge, always with the same words.
    pub fn answer_automatically(&mut self, id: &IncidentId) {
        let comment = Some(AUTOMATIC_ANSWER.to_owned());
        self.save_as(FLOW, id, &Change { comment, ..Change::default() });
    }

    fn do_at_aws(&mut self, deed: Deed, random: &mut Random) -> bool {
        let cases: Vec<(String, bool)> =
            self.support.cases().iter().map(|case| (case.case_id.clone(), case.is_resolved())).collect();
        let Some((case_id, resolved)) = cases.get(random.index(cases.len())).cloned() else { return false };
        let email = format!("Admin (Role) <root@{}.example>", case_id.split('-').nth(1).unwrap_or_default());
        match deed {
            Deed::Reply | Deed::ReplyAndResolve => {
                let text = self.text(random, "r");
                self.write_at_aws(&case_id, &text, None);
                if deed == Deed::ReplyAndResolve {
                    self.set_case_status(&case_id, "resolved");
                }
            }
            Deed::Console => {
                let text = self.text(random, "r");
                self.write_at_aws(&case_id, &text, Some(&email));
            }
            Deed::Copy => {
                let case = self.support.case(&case_id);
                let bodies: Vec<String> = case
                    .map(|case| case.communications.iter().map(|seen| seen.body.clone()).collect())
                    .unwrap_or_default();
                let line = bodies.get(random.index(bodies.len())).and_then(|body| body.lines().next());
                // A token stays in one text: what is copied is the frame and the mark.
                let line = line.filter(|line| is_frame(line)).unwrap_or("As you said:");
                let text = format!("{line}\n\n{}", self.token("m"));
                let author = if random.chance(500) { Some(email.as_str()) } else { None };
                self.write_at_aws(&case_id, &text, author);
            }
            Deed::Burst => {
                for _ in 0..3 {
                    let text = self.text(random, "r");
                    self.write_at_aws(&case_id, &text, None);
                }
            }
            Deed::Rename => {
                let language = *random.pick(&["fr", "ja", "en"]);
                let now = self.aws_now();
                let set = self.support.set_language(now, &case_id, language);
                self.note(Place::Aws, || format!("{case_id} is told in {language} from now on {set:?}"));
            }
            Deed::Status if !resolved => {
                let status = *random.pick(&OPEN_STATUSES);
                self.set_case_status(&case_id, status);
            }
            Deed::ResolveCase if !resolved => self.set_case_status(&case_id, "resolved"),
            Deed::ReopenCase if resolved => self.set_case_status(&case_id, "reopened"),
            _ => return false,
        }
        true
    }

    /// Somebody writes on a case: AWS, or the customer of this name.
    pub fn write_at_aws(&mut self, case_id: &str, text: &str, author: Option<&str>) {
        let now = self.aws_now();
        let was_resolved = self.support.case(case_id).is_some_and(Case::is_resolved);
        let written = self.support.communicate(now, case_id, text, author);
        self.note_status_change(case_id, was_resolved);
        self.note(Place::Aws, || format!("{} writes {} {written:?}", author.unwrap_or("AWS"), shorten(text)));
        let last = self.support.case(case_id).and_then(|case| case.communications.last());
        if let (Ok(()), Some(last)) = (written, last) {
            self.memory.persons.insert((first_id(case_id), last.time_created));
        }
    }

    /// Somebody at AWS sets a case's status.
    pub fn set_case_status(&mut self, case_id: &str, status: &str) {
        let now = self.aws_now();
        let was_resolved = self.support.case(case_id).is_some_and(Case::is_resolved);
        let set = self.support.set_status(now, case_id, status);
        self.note_status_change(case_id, was_resolved);
        self.note(Place::Aws, || format!("{case_id} becomes {status} {set:?}"));
    }

    fn do_open_own_case(&mut self, random: &mut Random) -> bool {
        let account = random.pick(&ACCOUNTS).0;
        let body = self.text(random, "o");
        self.open_own_case(account, "Question about my bill [INC0010001]", &body)
    }

    /// Somebody opens a case in the console.
    pub fn open_own_case(&mut self, account: &str, subject: &str, body: &str) -> bool {
        let now = self.aws_now();
        let request = CreateCase {
            subject: Some(subject.to_owned()),
            communication_body: Some(body.to_owned()),
            ..CreateCase::default()
        };
        let Ok(case_id) = self.support.create_case(now, account, &request) else { return false };
        self.note(Place::Aws, || format!("{case_id} is opened in the console: {}", shorten(body)));
        if let Some(first) = self.support.case(&case_id).and_then(|case| case.communications.first()) {
            self.memory.persons.insert((first_id(&case_id), first.time_created));
        }
        self.memory.own_cases.insert(first_id(&case_id));
        true
    }
}

fn tell(change: &Change) -> String {
    let mut parts = Vec::new();
    if let Some(state) = &change.state {
        parts.push(format!("state {state:?}"));
    }
    for (name, value) in [
        ("comment", &change.comment),
        ("work note", &change.work_note),
        ("group", &change.group),
        ("priority", &change.priority),
    ] {
        if let Some(value) = value {
            parts.push(format!("{name} {}", shorten(value)));
        }
    }
    parts.join(", ")
}
