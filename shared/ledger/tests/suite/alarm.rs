//! A kind of link that only these tests know: what holds for it holds for every kind. Its record is an alarm.

use std::collections::BTreeSet;

use casebridge_core::{
    failure::Failure,
    identifiers::{AccountId, ExternalId, JournalEntryId, LinkKey},
    link::{
        Link,
        index::{Fact, IndexRow, RowKey, RowPrefix},
        intent::{Illegal, Intent, Recovery},
        kind::Kind,
        mark::Mark,
        pass::Pass,
        plan::{self, Waiting},
        planner::Planner,
    },
    policy::Policy,
    servicenow::columns::BridgeColumns,
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
    /// The resources that it tells of, each with how bad it is.
    pub resources: Vec<(String, i64)>,
    pub silent_until: Option<Timestamp>,
}

/// A call about an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// Raises it.
    Raise(AccountId),
    /// Silences it.
    Silence,
}

impl plan::Call for Call {
    fn name(&self) -> &'static str {
        match self {
            Self::Raise(_) => "raise",
            Self::Silence => "silence",
        }
    }
}

/// The row that leads to an alarm's link.
pub fn named(name: &str) -> RowKey {
    RowKey { account: account(), sort: format!("ALARM#{name}") }
}

/// The rows of the resources that alarms tell of.
pub fn resources() -> RowPrefix {
    RowPrefix { account: account(), sort: "RESOURCE#".to_owned() }
}

/// A link with an alarm that tells of these resources.
pub fn alarm(name: &str, resources: &[(&str, i64)]) -> Link<Alarm> {
    let resources = resources.iter().map(|(resource, level)| ((*resource).to_owned(), *level)).collect();
    Link { memory: Memory { name: name.to_owned(), resources, silent_until: None }, ..Link::default() }
}

const UNASKED: &str = "a ledger does not ask this of a kind";

impl Kind for Alarm {
    type Memory = Memory;
    type Sight = ();
    type Read = ();
    type Seen = ();
    type Record = ();
    type Call = Call;
    type Done = ();
    type Refused = Call;
    type Intent = Call;

    fn is_blank(memory: &Memory) -> bool {
        memory.name.is_empty()
    }

    fn account(_: &Memory) -> Option<&AccountId> {
        None
    }

    fn opening_account(intent: &Call) -> Option<&AccountId> {
        match intent {
            Call::Raise(account) => Some(account),
            Call::Silence => None,
        }
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

    fn has_ended(_: &Memory) -> bool {
        unreachable!("{UNASKED}")
    }

    fn is_at_rest(_: &Memory) -> bool {
        unreachable!("{UNASKED}")
    }

    fn asks_for_incident(_: &Memory) -> bool {
        unreachable!("{UNASKED}")
    }

    fn is_reopened_by_us(_: &Memory) -> bool {
        unreachable!("{UNASKED}")
    }

    fn begun_entry(_: &Memory) -> Option<&JournalEntryId> {
        unreachable!("{UNASKED}")
    }

    fn concerns(_: &Call, _: &Call) -> bool {
        unreachable!("{UNASKED}")
    }

    fn look(_: &mut Pass<Self>, _: Timestamp) {
        unreachable!("{UNASKED}")
    }

    fn next_reads(_: &mut Pass<Self>) -> Vec<()> {
        unreachable!("{UNASKED}")
    }

    fn see(_: &mut Pass<Self>, _: &Policy, (): &(), _: Result<(), Failure>) -> Result<Option<Failure>, Illegal> {
        unreachable!("{UNASKED}")
    }

    fn see_record(_: &mut Pass<Self>, _: &Policy, (): &(), _: Timestamp) {
        unreachable!("{UNASKED}")
    }

    fn doubles(_: &Memory) -> usize {
        unreachable!("{UNASKED}")
    }

    fn frees(_: &Memory, _: &Memory) -> Option<RowPrefix> {
        unreachable!("{UNASKED}")
    }

    fn done(_: &mut Pass<Self>, _: &Policy, (): (), _: Timestamp) -> Result<bool, Illegal> {
        unreachable!("{UNASKED}")
    }

    fn refused(_: &mut Pass<Self>, _: &Policy, _: &Call, _: &Failure, _: Timestamp, _: u32) -> Result<(), Illegal> {
        unreachable!("{UNASKED}")
    }

    fn has_open(_: &Memory) -> bool {
        unreachable!("{UNASKED}")
    }

    fn changes_columns(_: &Memory, _: &Call) -> bool {
        unreachable!("{UNASKED}")
    }

    fn is_blind(_: &Pass<Self>) -> bool {
        unreachable!("{UNASKED}")
    }

    fn shown_end(_: &Pass<Self>) -> Option<bool> {
        unreachable!("{UNASKED}")
    }

    fn plan(_: &mut Planner<Self>) {
        unreachable!("{UNASKED}")
    }

    fn late_wait(_: &Planner<Self>) -> Option<Waiting> {
        unreachable!("{UNASKED}")
    }

    fn columns(_: &Policy, _: &Pass<Self>, _: Timestamp) -> BridgeColumns {
        unreachable!("{UNASKED}")
    }

    fn begin(_: &mut Pass<Self>, _: &Call, _: Timestamp) -> (Option<Mark>, Call) {
        unreachable!("{UNASKED}")
    }

    fn recovery(_: &Intent<Call>) -> Recovery<Call> {
        unreachable!("{UNASKED}")
    }

    fn agree_on_status(_: &mut Memory) {
        unreachable!("{UNASKED}")
    }

    fn turned(_: &mut Memory) {
        unreachable!("{UNASKED}")
    }

    fn agreed(_: &mut Pass<Self>, _: &Policy) {
        unreachable!("{UNASKED}")
    }

    fn ended_again(_: &mut Memory) {
        unreachable!("{UNASKED}")
    }

    fn reopened(_: &mut Memory) -> Vec<String> {
        unreachable!("{UNASKED}")
    }

    fn delivered(_: &mut Pass<Self>, _: &ExternalId) {
        unreachable!("{UNASKED}")
    }

    fn message_refused(_: &mut Pass<Self>, _: &ExternalId, _: &str) -> bool {
        unreachable!("{UNASKED}")
    }

    fn finish(_: &mut Pass<Self>, _: Timestamp) {
        unreachable!("{UNASKED}")
    }

    fn compact(_: &mut Pass<Self>, _: &Policy, _: Timestamp) {
        unreachable!("{UNASKED}")
    }
}
