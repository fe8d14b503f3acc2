//! The rows by which the ledger finds a link, besides the link's own row.
//!
//! A kind says in which rows a link stands ([`crate::link::remembered::Remembered::index`]). The ledger compares the rows of two
//! states of the link, puts those that are new and deletes those that are gone, in the transaction that writes the
//! link. It knows no kind: only the kind builds the keys of its rows and reads what stands in them.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;

use crate::identifiers::{AccountId, LinkKey};

/// How many digits [`moment_digits`] has: they suffice for milliseconds of 30,000 years.
const MILLISECOND_DIGITS: usize = 15;

/// In how many rows a link stands at most. A ledger writes a link and all that changes of its rows at once: those that it
/// leaves, those that it enters, its own row, an intent that ends and one that starts. DynamoDB writes 100 items at once.
pub const ROWS_PER_LINK: usize = 48;

/// The key of a row among the rows of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The account.
    pub account: AccountId,
    /// The text by which the account's rows are sorted. It begins with a word for what the row is, and `#`; each kind
    /// has words of its own.
    pub sort: String,
}

impl fmt::Display for RowKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} / {}", self.account, self.sort)
    }
}

/// The rows of an account whose sort text begins with this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPrefix {
    /// The account.
    pub account: AccountId,
    /// How their sort texts begin.
    pub sort: String,
}

impl RowPrefix {
    /// The row whose sort text goes on with `rest`.
    pub fn row(&self, rest: &str) -> RowKey {
        RowKey { account: self.account.clone(), sort: format!("{}{rest}", self.sort) }
    }

    /// What stands behind the prefix in the sort text of a row; none for a row that is not among these.
    pub fn rest<'key>(&self, key: &'key RowKey) -> Option<&'key str> {
        if key.account == self.account { key.sort.strip_prefix(&self.sort) } else { None }
    }
}

/// The rows of an account whose sort texts are between two texts, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSpan {
    /// The account.
    pub account: AccountId,
    /// The first text.
    pub first: String,
    /// The last text.
    pub last: String,
}

impl RowSpan {
    /// Whether no row can be between the texts, since the first one sorts behind the last one.
    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }
}

/// A value that stands in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
}

/// What stands in a row of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Its key.
    pub key: RowKey,
    /// The link that it leads to, if anybody looks for a link there.
    pub link: Option<LinkKey>,
    /// What else stands in it, by its name. The names `pk`, `sk`, `link` and `expires_at` belong to the ledger.
    pub facts: BTreeMap<String, Fact>,
}

impl Row {
    /// The link of a row that leads to one.
    pub fn link(&self) -> Result<&LinkKey, UnreadableRow> {
        self.link.as_ref().ok_or_else(|| self.unreadable("link", "there"))
    }

    /// A text that stands in the row.
    pub fn text(&self, name: &'static str) -> Result<&str, UnreadableRow> {
        self.optional_text(name)?.ok_or_else(|| self.unreadable(name, "there"))
    }

    /// A text that may stand in the row.
    pub fn optional_text(&self, name: &'static str) -> Result<Option<&str>, UnreadableRow> {
        match self.facts.get(name) {
            None => Ok(None),
            Some(Fact::Text(text)) => Ok(Some(text)),
            Some(Fact::Number(_)) => Err(self.unreadable(name, "a text")),
        }
    }

    /// A moment that stands in the row as its milliseconds.
    pub fn moment(&self, name: &'static str) -> Result<Timestamp, UnreadableRow> {
        let moment = match self.facts.get(name) {
            Some(Fact::Number(milliseconds)) => Timestamp::from_millisecond(*milliseconds).ok(),
            Some(Fact::Text(_)) | None => None,
        };
        moment.ok_or_else(|| self.unreadable(name, "a moment in milliseconds"))
    }

    /// The error of a row whose attribute is not what it should be.
    pub fn unreadable(&self, name: &'static str, expected: &'static str) -> UnreadableRow {
        UnreadableRow { key: self.key.clone(), name, expected }
    }
}

/// A row that is not of the form that this version writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {key} is unreadable: its attribute `{name}` is not {expected}")]
pub struct UnreadableRow {
    /// The row's key.
    pub key: RowKey,
    /// The attribute.
    pub name: &'static str,
    /// What it should be.
    pub expected: &'static str,
}

/// When a row is deleted in which its link stands no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deletion {
    /// In the write by which the link leaves it.
    #[default]
    Always,
    /// In that write, unless the link's open intent ends with it as never applied: the call may have been applied all
    /// the same, and what it brought about leads to the link by this row, however late it shows up.
    UnlessNeverApplied,
}

/// A row in which a link stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexRow {
    /// What stands in it.
    pub row: Row,
    /// When the table may remove it, should the link never be looked at again; none while it must not.
    pub expires_at: Option<Timestamp>,
    /// When it is deleted once the link stands in it no more.
    pub deletion: Deletion,
}

impl IndexRow {
    /// A row with this key in which nothing stands.
    pub fn new(key: RowKey) -> Self {
        let row = Row { key, link: None, facts: BTreeMap::new() };
        Self { row, expires_at: None, deletion: Deletion::Always }
    }

    /// The row, and it leads to the link.
    #[must_use]
    pub fn leading_to(mut self, link: &LinkKey) -> Self {
        self.row.link = Some(link.clone());
        self
    }

    /// The row with this fact.
    #[must_use]
    pub fn with(mut self, name: &str, fact: Fact) -> Self {
        self.row.facts.insert(name.to_owned(), fact);
        self
    }

    /// The row with this text.
    #[must_use]
    pub fn with_text(self, name: &str, text: &(impl ToString + ?Sized)) -> Self {
        self.with(name, Fact::Text(text.to_string()))
    }

    /// The row, which may be removed from that moment on.
    #[must_use]
    pub fn expiring(mut self, expires_at: Option<Timestamp>) -> Self {
        self.expires_at = expires_at;
        self
    }

    /// The row, which stays if the link's intent ends as never applied.
    #[must_use]
    pub fn kept_if_never_applied(mut self) -> Self {
        self.deletion = Deletion::UnlessNeverApplied;
        self
    }
}

/// A moment as a row shows and sorts it: its milliseconds. Our clock is past 1970, and a time before it would not sort
/// as text.
pub fn milliseconds(moment: Timestamp) -> i64 {
    moment.as_millisecond().max(0)
}

/// The milliseconds of a moment with so many digits that they sort as text.
pub fn moment_digits(moment: Timestamp) -> String {
    format!("{:0MILLISECOND_DIGITS$}", milliseconds(moment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> AccountId {
        AccountId::new("111122223333")
    }

    fn row(facts: &[(&str, Fact)]) -> Row {
        let key = RowKey { account: account(), sort: "CASE#1".to_owned() };
        let facts = facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())).collect();
        Row { key, link: None, facts }
    }

    #[test]
    fn a_fact_of_another_form_is_an_error_that_names_the_row_and_no_value() {
        let row = row(&[("number", Fact::Number(7)), ("text", Fact::Text("secret".to_owned()))]);
        assert_eq!(row.text("text").unwrap(), "secret");
        assert_eq!(row.moment("number").unwrap(), Timestamp::from_millisecond(7).unwrap());
        assert_eq!(row.optional_text("none").unwrap(), None);
        let told = row.moment("text").unwrap_err().to_string();
        let expected = "row 111122223333 / CASE#1 is unreadable: its attribute `text` is not a moment in milliseconds";
        assert_eq!(told, expected);
        for error in [row.text("number").unwrap_err(), row.text("none").unwrap_err(), row.moment("none").unwrap_err()] {
            assert_eq!(error.key, row.key);
        }
    }

    #[test]
    fn a_prefix_knows_its_rows() {
        let prefix = RowPrefix { account: account(), sort: "CASE#".to_owned() };
        assert_eq!(prefix.row("1"), row(&[]).key);
        assert_eq!(prefix.rest(&prefix.row("1")), Some("1"));
        assert_eq!(prefix.rest(&RowKey { account: account(), sort: "OTHER#1".to_owned() }), None);
        assert_eq!(prefix.rest(&RowKey { account: AccountId::new("1"), sort: "CASE#1".to_owned() }), None);
    }

    #[test]
    fn moments_sort_as_text() {
        let digits = |millisecond: i64| moment_digits(Timestamp::from_millisecond(millisecond).unwrap());
        assert_eq!(digits(1_800_000_000_000), "001800000000000");
        assert_eq!(digits(-5), digits(0), "a moment before 1970 counts as its beginning");
        assert!(digits(9) < digits(10));
    }

    #[test]
    fn a_span_whose_first_text_is_behind_its_last_is_empty() {
        let span = |first: &str, last: &str| RowSpan { account: account(), first: first.into(), last: last.into() };
        assert!(!span("a", "b").is_empty() && !span("a", "a").is_empty());
        assert!(span("b", "a").is_empty());
    }
}
