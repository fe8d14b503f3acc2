//! The state of an instance between requests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{
    AuditAccess,
    jobs::Job,
    records::Actor,
    rules::UndecidedRule,
    store::{Row, Store},
};

/// The most lines in the log of an instance, enough to explain a test. The oldest go first.
const MAXIMUM_LOG_LINES: usize = 2_000;
/// The characters of a `sys_id`.
const SYS_ID_LENGTH: usize = 32;
/// The first number of a numbered table, so that numbers look like those of an instance in use.
const FIRST_NUMBER: u64 = 10_001;

/// A line that a script or the platform logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// What.
    pub message: String,
}

/// An access token that was given out.
#[derive(Debug, Clone)]
pub struct Token {
    /// Its user.
    pub user_name: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A read on a node that lags behind.
#[derive(Debug, Clone)]
pub struct LaggingRead {
    /// The record's table.
    pub table: String,
    /// The record.
    pub sys_id: String,
    /// What the read shows of it.
    pub row: Row,
}

/// Updates that a rule of the instance aborts.
#[derive(Debug, Clone)]
pub struct Aborts {
    /// The rule, as the platform names it in its refusal.
    pub rule: String,
    /// How many updates of incidents it still aborts.
    pub left: u64,
}

/// What keeps the app from one of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The table is not there: an update set was skipped. No row is shown, and none is taken.
    Missing,
    /// A rule of the customer aborts every insert and every update.
    WritesAborted,
    /// A query rule, or a domain, hides all rows from scripts.
    RowsHidden,
    /// The unique indexes were never made: rows that stood in their way were there first.
    NoUniqueIndex,
}

/// A record that was deleted, for as long as it may be put back.
#[derive(Debug, Clone)]
pub struct Removed {
    /// The record.
    pub row: Row,
    /// What referred to it, in audited tables: table, record, column.
    pub references: Vec<(String, String, String)>,
}

/// All that changes in an instance.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The records.
    pub store: Store,
    /// The access tokens that were given out.
    pub tokens: BTreeMap<String, Token>,
    /// The refresh tokens that were given out, with their user names.
    pub refresh_tokens: BTreeMap<String, String>,
    /// The asynchronous rules that wait to run.
    pub jobs: VecDeque<Job>,
    /// When each scheduled job runs next, by its `sys_id`.
    pub schedule: BTreeMap<String, Timestamp>,
    /// The rules whose `condition` is a script that has not run yet.
    pub undecided: VecDeque<UndecidedRule>,
    /// The log, the oldest line first.
    pub log: VecDeque<LogLine>,
    /// After how many more commits the instance dies.
    pub commits_left: Option<u64>,
    /// Whether it has died in this request.
    pub stopped: bool,
    /// What a scoped app sees of the audit trail.
    pub audit: AuditAccess,
    /// Whether a second resolution of an incident gets a time of its own.
    pub resolved_at_is_overwritten: bool,
    /// The next read of a script that is to be an old one.
    pub lagging_read: Option<LaggingRead>,
    /// The updates of incidents that are to be aborted.
    pub aborts: Option<Aborts>,
    /// What keeps the app from its tables.
    pub obstacles: BTreeSet<(String, Obstacle)>,
    /// Whether `update()` answers null to a script whose values the record has already.
    pub empty_updates_answer_null: bool,
    /// The deleted records of audited tables, by table and `sys_id`.
    pub removed: BTreeMap<(String, String), Removed>,
    /// The bytes of attachments, by their `sys_id`.
    pub files: BTreeMap<String, std::sync::Arc<Vec<u8>>>,
    seed: u64,
    identifiers: u64,
    numbers: BTreeMap<String, u64>,
}

impl State {
    /// An empty state; the seed decides all identifiers.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The next identifier of 32 hexadecimal digits: unguessable to clients, the same in every run with the same seed.
    pub fn next_identifier(&mut self) -> String {
        self.identifiers += 1;
        named_identifier(&format!("{}:{}", self.seed, self.identifiers))
    }

    /// A seed for a script's `Math.random`.
    pub fn next_random_seed(&mut self) -> u32 {
        let identifier = self.next_identifier();
        u32::from_str_radix(&identifier[..8], 16).unwrap_or_default()
    }

    /// The next number of a numbered table, for example `INC0010001`.
    pub fn next_number(&mut self, prefix: &str) -> String {
        let number = self.numbers.entry(prefix.to_owned()).or_insert(FIRST_NUMBER);
        let text = format!("{prefix}{number:07}");
        *number += 1;
        text
    }

    /// Adds a line to the log and forgets the oldest beyond the limit.
    pub fn log(&mut self, at: Timestamp, level: &str, message: String) {
        if self.log.len() == MAXIMUM_LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { at, level: level.to_owned(), message });
    }

    /// Whether this keeps the app from a table.
    pub fn is_hindered(&self, table: &str, obstacle: Obstacle) -> bool {
        !self.obstacles.is_empty() && self.obstacles.contains(&(table.to_owned(), obstacle))
    }

    /// The user of this name, as one who acts.
    pub fn actor(&self, user_name: &str) -> Option<Actor> {
        Actor::of(&self.store, user_name)
    }
}

/// The identifier that always belongs to this name.
pub fn named_identifier(name: &str) -> String {
    hex(&Sha256::digest(name.as_bytes()))[..SYS_ID_LENGTH].to_owned()
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        text
    })
}

/// Whether a text can be a `sys_id` that a client chose.
pub fn is_identifier(text: &str) -> bool {
    text.len() == SYS_ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
