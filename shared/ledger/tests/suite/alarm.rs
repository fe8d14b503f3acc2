//! A kind of link for tests only, to show that the ledger works with any kind. Its record is an alarm.

use std::collections::BTreeSet;

use casebridge_core::{
    identifiers::{AccountId, LinkKey},
    link::{
        Link,
        index::{Fact, IndexRow, RowKey, RowPrefix},
        plan::Named,
        remembered::Remembered,
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::account;

/// The link of an incident with an alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alarm;

/// What a link remembers of its alarm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    pub name: String,
    /// The resources that the alarm is about, each with its level.
    pub resources: Vec<(String, i64)>,
    pub silent_until: Option<Timestamp>,
}

/// What an intent records of a call about an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AlarmIntent {
    /// Raises it.
    Raise(AccountId),
    /// Silences it.
    Silence,
}

impl Named for AlarmIntent {
    fn name(&self) -> &'static str {
        match self {
            Self::Raise(_) => "raise",
            Self::Silence => "silence",
        }
    }
}

/// Returns the key of the row that leads to an alarm's link.
pub fn named(name: &str) -> RowKey {
    RowKey { account: account(), sort: format!("ALARM#{name}") }
}

/// Returns the prefix of the rows of resources with an alarm.
pub fn resources() -> RowPrefix {
    RowPrefix { account: account(), sort: "RESOURCE#".to_owned() }
}

/// Returns a link with an alarm about these resources.
pub fn alarm(name: &str, resources: &[(&str, i64)]) -> Link<Alarm> {
    let resources = resources.iter().map(|(resource, level)| ((*resource).to_owned(), *level)).collect();
    Link { memory: Memory { name: name.to_owned(), resources, silent_until: None }, ..Link::default() }
}

impl Remembered for Alarm {
    type Memory = Memory;
    type Refused = AlarmIntent;
    type Intent = AlarmIntent;

    fn is_blank(memory: &Memory) -> bool {
        memory.name.is_empty()
    }

    fn account(_: &Memory) -> Option<&AccountId> {
        None
    }

    fn opening_account(intent: &AlarmIntent) -> Option<&AccountId> {
        match intent {
            AlarmIntent::Raise(account) => Some(account),
            AlarmIntent::Silence => None,
        }
    }

    fn concerns(refused: &AlarmIntent, intent: &AlarmIntent) -> bool {
        refused == intent
    }

    fn index(key: &LinkKey, link: &Link<Self>) -> BTreeSet<IndexRow> {
        let memory = &link.memory;
        let mut rows: BTreeSet<IndexRow> = memory
            .resources
            .iter()
            .map(|(resource, level)| {
                let row = IndexRow::new(resources().row(resource)).with("level", Fact::Number(*level));
                row.leading_to(key).with_text("alarm", &memory.name).expiring(memory.silent_until)
            })
            .collect();
        if !memory.name.is_empty() {
            rows.insert(IndexRow::new(named(&memory.name)).leading_to(key));
        }
        rows
    }
}
