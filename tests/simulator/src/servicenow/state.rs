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
use crate::support::attachments::content::Content;

/// The most lines in the log of an instance, enough to explain a test. The oldest go first.
const MAXIMUM_LOG_LINES: usize = 2_000;
/// The characters of a `sys_id`.
const SYS_ID_LENGTH: usize = 32;
/// The first number of a numbered table, so that numbers look like those of an instance in use.
const FIRST_NUMBER: u64 = 10_001;

/// A line that a script or the platform logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was logged.
    pub at: Timestamp,
    /// `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// The message.
    pub message: String,
}

/// An access token that was given out.
#[derive(Debug, Clone)]
pub struct Token {
    /// The user that it belongs to.
    pub user_name: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A read on a lagging node.
#[derive(Debug, Clone)]
pub struct LaggingRead {
    /// The record's table.
    pub table: String,
    /// The record.
    pub sys_id: String,
    /// The record as the read shows it.
    pub row: Row,
}

/// Updates that a rule of the instance aborts.
#[derive(Debug, Clone)]
pub struct Aborts {
    /// The rule's name in the platform's refusal.
    pub rule: String,
    /// How many updates of incidents it still aborts.
    pub left: u64,
}

/// What keeps the app from using one of its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// The table does not exist, since an update set was skipped. The app sees no row and can write none.
    Missing,
    /// A rule of the customer aborts every insert and every update.
    WritesAborted,
    /// A query rule, or a domain, hides all rows from scripts.
    RowsHidden,
    /// The unique indexes were never made, because of rows that were there first and broke them.
    NoUniqueIndex,
}

/// A deleted record that may be undeleted.
#[derive(Debug, Clone)]
pub struct Removed {
    /// The record.
    pub row: Row,
    /// The references to it in audited tables: table, record, column.
    pub references: Vec<(String, String, String)>,
    /// Its files, which were deleted with it: each attachment with its bytes.
    pub files: Vec<(Row, Option<Content>)>,
}

/// Everything that changes in an instance.
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
    /// How many commits are left until the instance dies. `None` if it does not die.
    pub commits_left: Option<u64>,
    /// Whether the instance has died in this request.
    pub stopped: bool,
    /// What a scoped app sees of the audit trail.
    pub audit: AuditAccess,
    /// Whether a second resolution of an incident overwrites `resolved_at`.
    pub resolved_at_is_overwritten: bool,
    /// The record that the next read of a script shows in an earlier state, if any.
    pub lagging_read: Option<LaggingRead>,
    /// The updates of incidents that a rule aborts, if any.
    pub aborts: Option<Aborts>,
    /// The obstacles that keep the app from using its tables.
    pub obstacles: BTreeSet<(String, Obstacle)>,
    /// Whether `update()` returns null to a script if the record has all values already.
    pub empty_updates_answer_null: bool,
    /// The deleted records of audited tables, by table and `sys_id`.
    pub removed: BTreeMap<(String, String), Removed>,
    /// The bytes of attachments, by their `sys_id`.
    pub files: BTreeMap<String, Content>,
    seed: u64,
    identifiers: u64,
    numbers: BTreeMap<String, u64>,
}

impl State {
    /// Returns an empty state. The seed decides all identifiers.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Returns the next identifier of 32 hexadecimal digits. Clients can't guess it, and it is the same in every run
    /// with the same seed.
    pub fn next_identifier(&mut self) -> String {
        self.identifiers += 1;
        named_identifier(&format!("{}:{}", self.seed, self.identifiers))
    }

    /// Returns a seed for a script's `Math.random`.
    pub fn next_random_seed(&mut self) -> u32 {
        let identifier = self.next_identifier();
        u32::from_str_radix(&identifier[..8], 16).unwrap_or_default()
    }

    /// Returns the next number of a numbered table, for example `INC0010001`.
    pub fn next_number(&mut self, prefix: &str) -> String {
        let number = self.numbers.entry(prefix.to_owned()).or_insert(FIRST_NUMBER);
        let text = format!("{prefix}{number:07}");
        *number += 1;
        text
    }

    /// Adds a line to the log. Removes the oldest line if there are too many.
    pub fn log(&mut self, at: Timestamp, level: &str, message: String) {
        if self.log.len() == MAXIMUM_LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { at, level: level.to_owned(), message });
    }

    /// Whether this obstacle keeps the app from using a table.
    pub fn is_hindered(&self, table: &str, obstacle: Obstacle) -> bool {
        !self.obstacles.is_empty() && self.obstacles.contains(&(table.to_owned(), obstacle))
    }

    /// Returns the user of this name as an actor. Returns `None` if there is no such user.
    pub fn actor(&self, user_name: &str) -> Option<Actor> {
        Actor::of(&self.store, user_name)
    }
}

/// Returns the identifier that always belongs to this name.
pub fn named_identifier(name: &str) -> String {
    hex(&Sha256::digest(name.as_bytes()))[..SYS_ID_LENGTH].to_owned()
}

/// Returns bytes as hexadecimal digits.
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
