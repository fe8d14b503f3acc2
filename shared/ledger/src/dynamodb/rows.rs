//! The table's rows: their keys, their attributes, and the code that reads them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use casebridge_core::{
    identifiers::{AccountId, AttemptId, ClaimId, IncidentId, LinkKey, LinkKind, TransferId},
    link::{
        Link,
        index::{Fact, IndexRow, Row, RowKey},
        remembered::Remembered,
    },
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    changes::{IntentRow, RowChange},
    error::LedgerError,
    row::{FIRST_REVISION, LinkRow, Summary, account_partition, corrupt, link_partition},
    transfer::{self, TransferRow},
};

/// An item as the SDK represents it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The index of the links that have a due time.
pub(super) const DUE_INDEX: &str = "due";
/// How many partitions that index has. Each accepts about 500 writes of leases a second, so four accept 2,000: far
/// more than the reconciler's ten workers make, and few enough for the poller to query each of them every minute.
pub(super) const DUE_SHARDS: u32 = 4;
/// The attributes of an account's row that are not facts.
const OWN_ATTRIBUTES: [&str; 4] = ["pk", "sk", "link", "expires_at"];
/// How many digits an intent's number is padded to, so that its rows sort by it.
const SEQUENCE_DIGITS: usize = 10;

/// A row's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) partition: String,
    pub(super) sort: String,
}

impl Keys {
    pub(super) fn link(key: &LinkKey) -> Self {
        Self { partition: link_partition(key), sort: "LINK".to_owned() }
    }

    fn intent(key: &LinkKey, sequence: u64) -> Self {
        Self { partition: link_partition(key), sort: format!("INTENT#{sequence:0SEQUENCE_DIGITS$}") }
    }

    /// Returns the keys of a transfer's row.
    pub(super) fn transfer(key: &LinkKey, id: &TransferId) -> Self {
        Self { partition: link_partition(key), sort: transfer::sort_key(id) }
    }

    pub(super) fn row(key: &RowKey) -> Self {
        Self { partition: account_partition(&key.account), sort: key.sort.clone() }
    }

    /// Returns the keys of the row that counts the events of a name in a minute.
    pub(super) fn count(account: &AccountId, name: &str, minute: i64) -> Self {
        Self { partition: account_partition(account), sort: format!("{}#{minute}", name.to_ascii_uppercase()) }
    }

    pub(super) fn watermark(name: &str) -> Self {
        Self { partition: "WATERMARK".to_owned(), sort: name.to_owned() }
    }

    /// Returns the keys as attributes.
    pub(super) fn attributes(&self) -> Item {
        HashMap::from([("pk".to_owned(), text(&self.partition)), ("sk".to_owned(), text(&self.sort))])
    }

    /// Returns the row's name in errors.
    pub(super) fn name(&self) -> String {
        format!("{} / {}", self.partition, self.sort)
    }
}

/// Returns the shard of the due index that a link is in.
pub(super) fn due_shard(key: &LinkKey) -> String {
    // The sum of the key's bytes spreads random ids evenly and is the same in every version of casebridge.
    let sum: u32 = key.to_string().bytes().map(u32::from).sum();
    (sum % DUE_SHARDS).to_string()
}

pub(super) fn text(value: &(impl ToString + ?Sized)) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub(super) fn number(value: &(impl ToString + ?Sized)) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A change of a row beside the link's row, as an item of the table.
pub(super) enum ItemChange {
    Put(Item),
    /// A link that must not remember anything yet.
    Create(Item),
    Delete(Keys),
}

impl From<RowChange> for ItemChange {
    fn from(change: RowChange) -> Self {
        match change {
            RowChange::PutIntent(intent) => Self::Put(intent_item(&intent)),
            RowChange::Put(row) => Self::Put(index_item(&row)),
            RowChange::Delete(key) => Self::Delete(Keys::row(&key)),
        }
    }
}

fn item<const N: usize>(keys: &Keys, attributes: [(&str, Option<AttributeValue>); N]) -> Item {
    let mut item = keys.attributes();
    item.extend(attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    item
}

/// Returns the row of a link that is recorded for the first time and due at `now`.
pub(super) fn first_link_item<K: Remembered>(key: &LinkKey, link: &Link<K>, state: &str, now: Timestamp) -> Item {
    let summary = Summary::of(link);
    item(
        &Keys::link(key),
        [
            ("state", Some(text(state))),
            ("revision", Some(number(&FIRST_REVISION))),
            ("due_shard", Some(text(&due_shard(key)))),
            ("due_at", Some(number(&now.as_millisecond()))),
            ("mod_count", summary.mod_count.as_ref().map(number)),
            ("number", summary.number.as_ref().map(text)),
            ("account", summary.account.as_ref().map(text)),
        ],
    )
}

fn intent_item(intent: &IntentRow) -> Item {
    let ending = intent.ending.as_ref();
    item(
        &Keys::intent(&intent.link, intent.sequence),
        [
            ("kind", Some(text(intent.kind))),
            ("mark", intent.mark.as_ref().map(text)),
            ("written_at", Some(text(&intent.written_at))),
            ("end", ending.map(|ending| text(ending.end))),
            ("ended_at", ending.map(|ending| text(&ending.ended_at))),
            ("expires_at", ending.map(|ending| number(&ending.expires_at.as_second()))),
        ],
    )
}

fn index_item(IndexRow { row, expires_at, .. }: &IndexRow) -> Item {
    let value = |fact: &Fact| match fact {
        Fact::Text(value) => text(value),
        Fact::Number(value) => number(value),
    };
    let mut attributes: Item = row.facts.iter().map(|(name, fact)| (name.clone(), value(fact))).collect();
    attributes.extend(item(
        &Keys::row(&row.key),
        [("link", row.link.as_ref().map(text)), ("expires_at", expires_at.map(|moment| number(&moment.as_second())))],
    ));
    attributes
}

/// Reads the attributes of one row. If an attribute is not in the expected form, the error names the row.
pub(super) struct Reader<'item> {
    row: String,
    item: &'item Item,
}

impl<'item> Reader<'item> {
    pub(super) fn new(row: String, item: &'item Item) -> Self {
        Self { row, item }
    }

    /// Creates a reader of a row that carries its keys.
    pub(super) fn of_listed(item: &'item Item) -> Self {
        let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
        Self { row: format!("{} / {}", part("pk"), part("sk")), item }
    }

    fn corrupt(&self, name: &str, expected: &str) -> LedgerError {
        corrupt(self.row.as_str(), format!("its attribute `{name}` is not {expected}"))
    }

    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&'item str>, LedgerError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(value)) => Ok(Some(value)),
            Some(_) => Err(self.corrupt(name, "a text")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<&'item str, LedgerError> {
        self.optional_text(name)?.ok_or_else(|| self.corrupt(name, "there"))
    }

    pub(super) fn optional_number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, LedgerError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(value)) => {
                value.parse().map(Some).map_err(|_| self.corrupt(name, "a whole number in range"))
            }
            Some(_) => Err(self.corrupt(name, "a number")),
        }
    }

    /// Returns the link that an attribute names.
    pub(super) fn link(&self, name: &str) -> Result<LinkKey, LedgerError> {
        parse_link_key(self.text(name)?).ok_or_else(|| self.corrupt(name, "a link's key"))
    }

    /// Returns the link whose partition the row is in.
    pub(super) fn link_of_partition(&self) -> Result<LinkKey, LedgerError> {
        let partition = self.text("pk")?.strip_prefix("LINK#");
        partition.and_then(parse_link_key).ok_or_else(|| self.corrupt("pk", "a link's partition"))
    }

    /// Returns a moment that is stored in milliseconds.
    pub(super) fn moment(&self, name: &str) -> Result<Timestamp, LedgerError> {
        self.optional_moment(name)?.ok_or_else(|| self.corrupt(name, "a moment in milliseconds"))
    }

    pub(super) fn optional_moment(&self, name: &str) -> Result<Option<Timestamp>, LedgerError> {
        Ok(self.optional_number(name)?.and_then(|value| Timestamp::from_millisecond(value).ok()))
    }

    pub(super) fn link_row(&self) -> Result<LinkRow, LedgerError> {
        Ok(LinkRow {
            state: self.optional_text("state")?.map(str::to_owned),
            revision: self.optional_number("revision")?.unwrap_or_default(),
            lease_owner: self.optional_text("lease_owner")?.map(AttemptId::new),
            released_by: self.optional_text("released_by")?.map(AttemptId::new),
            claim: self.claim()?,
        })
    }

    pub(super) fn transfer_row(&self) -> Result<TransferRow, LedgerError> {
        Ok(TransferRow {
            state: self.text("state")?.to_owned(),
            revision: self.optional_number("revision")?.unwrap_or_default(),
            lease_owner: self.optional_text("lease_owner")?.map(AttemptId::new),
        })
    }

    /// Returns the claim of a link's row. Returns `None` if it has none.
    pub(super) fn claim(&self) -> Result<Option<ClaimId>, LedgerError> {
        Ok(self.optional_text("claim")?.map(ClaimId::new))
    }

    /// Returns the row of an account. Attributes that are neither texts nor whole numbers are left out of its facts.
    pub(super) fn row(&self, account: &AccountId) -> Result<Row, LedgerError> {
        let link = self.item.contains_key("link").then(|| self.link("link")).transpose()?;
        let is_own = |name: &str| OWN_ATTRIBUTES.contains(&name);
        let facts = self.item.iter().filter(|(name, _)| !is_own(name));
        let facts = facts.filter_map(|(name, value)| Some((name.clone(), fact(value)?))).collect();
        Ok(Row { key: RowKey { account: account.clone(), sort: self.text("sk")?.to_owned() }, link, facts })
    }
}

fn fact(value: &AttributeValue) -> Option<Fact> {
    match value {
        AttributeValue::S(value) => Some(Fact::Text(value.clone())),
        AttributeValue::N(value) => value.parse().ok().map(Fact::Number),
        _ => None,
    }
}

/// Parses a link's key. Returns `None` if the text is not one.
fn parse_link_key(text: &str) -> Option<LinkKey> {
    let (kind, incident) = text.split_once(':')?;
    let kind: LinkKind = serde_json::from_value(Value::from(kind)).ok()?;
    Some(LinkKey { kind, incident: IncidentId::new(incident) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_links_key_is_read_as_it_is_written() {
        let key = LinkKey::support_case(IncidentId::new("0a1b"));
        assert_eq!(parse_link_key(&key.to_string()), Some(key));
        assert_eq!(parse_link_key("0a1b"), None);
        assert_eq!(parse_link_key("something_else:0a1b"), None);
    }

    #[test]
    fn intents_sort_by_their_number() {
        let key = LinkKey::support_case(IncidentId::new("0a1b"));
        assert!(Keys::intent(&key, 9).sort < Keys::intent(&key, 10).sort);
    }

    #[test]
    fn links_spread_over_all_shards() {
        let shards: std::collections::BTreeSet<String> =
            (0..64).map(|id| due_shard(&LinkKey::support_case(IncidentId::new(format!("{id:032x}"))))).collect();
        assert_eq!(shards.len(), DUE_SHARDS as usize);
    }
}
