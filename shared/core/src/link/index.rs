//! The rows by which the ledger finds a link, besides the link's own row.
//!
//! A kind lists the rows of a link ([`crate::link::remembered::Remembered::index`]). The ledger compares the rows of
//! two states of the link. It puts the new ones and deletes the ones that are gone, in the transaction that writes the
//! link. The ledger knows no kind: only the kind builds the keys of its rows and reads their contents.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;

use crate::identifiers::{AccountId, LinkKey};

/// How many digits [`moment_digits`] writes: enough for the milliseconds of 30,000 years.
const MILLISECOND_DIGITS: usize = 15;

/// In how many rows a link stands at most. A ledger writes a link and all that changes of its rows at once: those that it
/// leaves, those that it enters, its own row, an intent that ends and one that starts. DynamoDB writes 100 items at once.
pub const ROWS_PER_LINK: usize = 48;

/// The key of a row among the rows of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The account.
    pub account: AccountId,
    /// The text by which the account's rows are sorted. It begins with a word for the type of the row, and `#`. Each
    /// kind of link uses words of its own.
    pub sort: String,
}

impl fmt::Display for RowKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} / {}", self.account, self.sort)
    }
}

/// The rows of an account whose sort texts have a common beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPrefix {
    /// The account.
    pub account: AccountId,
    /// The beginning of their sort texts.
    pub sort: String,
}

impl RowPrefix {
    /// Returns the key of the row whose sort text is this prefix followed by `rest`.
    pub fn row(&self, rest: &str) -> RowKey {
        RowKey { account: self.account.clone(), sort: format!("{}{rest}", self.sort) }
    }

    /// Returns what follows the prefix in the sort text of a row. Returns `None` if the row does not have the prefix.
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
    /// Whether no row can be between the texts, because the first one sorts after the last one.
    pub fn is_empty(&self) -> bool {
        self.first > self.last
    }
}

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
}

/// A row of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Its key.
    pub key: RowKey,
    /// The link that it leads to. `None` for a row by which no link is looked up.
    pub link: Option<LinkKey>,
    /// Its other values, by their names. The names `pk`, `sk`, `link` and `expires_at` are reserved for the ledger.
    pub facts: BTreeMap<String, Fact>,
}

impl Row {
    /// Returns the link that the row leads to.
    ///
    /// # Errors
    /// Fails if the row leads to none.
    pub fn link(&self) -> Result<&LinkKey, UnreadableRow> {
        self.link.as_ref().ok_or_else(|| self.unreadable("link", "there"))
    }

    /// Returns a text of the row.
    ///
    /// # Errors
    /// Fails if the value is missing or no text.
    pub fn text(&self, name: &'static str) -> Result<&str, UnreadableRow> {
        self.optional_text(name)?.ok_or_else(|| self.unreadable(name, "there"))
    }

    /// Returns a text of the row. Returns `None` if the value is missing.
    ///
    /// # Errors
    /// Fails if the value is no text.
    pub fn optional_text(&self, name: &'static str) -> Result<Option<&str>, UnreadableRow> {
        match self.facts.get(name) {
            None => Ok(None),
            Some(Fact::Text(text)) => Ok(Some(text)),
            Some(Fact::Number(_)) => Err(self.unreadable(name, "a text")),
        }
    }

    /// Returns a moment that the row holds as milliseconds.
    ///
    /// # Errors
    /// Fails if the value is missing or no such number.
    pub fn moment(&self, name: &'static str) -> Result<Timestamp, UnreadableRow> {
        let moment = match self.facts.get(name) {
            Some(Fact::Number(milliseconds)) => Timestamp::from_millisecond(*milliseconds).ok(),
            Some(Fact::Text(_)) | None => None,
        };
        moment.ok_or_else(|| self.unreadable(name, "a moment in milliseconds"))
    }

    /// Returns the error for an attribute of this row that is not as expected.
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

/// When the ledger deletes a row that its link no longer lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deletion {
    /// In the write that removes the row from the link's list.
    #[default]
    Always,
    /// In that write, unless the write ends the link's open intent as never applied. That call may have been applied
    /// all the same: if its effect shows up later, this row leads to the link.
    UnlessNeverApplied,
}

/// A row that a link lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexRow {
    /// Its key and its values.
    pub row: Row,
    /// When the table may remove the row if nothing writes the link again. `None` if it must not.
    pub expires_at: Option<Timestamp>,
    /// When the ledger deletes it, once the link no longer lists it.
    pub deletion: Deletion,
}

impl IndexRow {
    /// Returns a row with this key and no values.
    pub fn new(key: RowKey) -> Self {
        let row = Row { key, link: None, facts: BTreeMap::new() };
        Self { row, expires_at: None, deletion: Deletion::Always }
    }

    /// Makes the row lead to the link.
    #[must_use]
    pub fn leading_to(mut self, link: &LinkKey) -> Self {
        self.row.link = Some(link.clone());
        self
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &str, fact: Fact) -> Self {
        self.row.facts.insert(name.to_owned(), fact);
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn with_text(self, name: &str, text: &(impl ToString + ?Sized)) -> Self {
        self.with(name, Fact::Text(text.to_string()))
    }

    /// Sets when the table may remove the row.
    #[must_use]
    pub fn expiring(mut self, expires_at: Option<Timestamp>) -> Self {
        self.expires_at = expires_at;
        self
    }

    /// Keeps the row if the link's intent ends as never applied.
    #[must_use]
    pub fn kept_if_never_applied(mut self) -> Self {
        self.deletion = Deletion::UnlessNeverApplied;
        self
    }
}

/// Returns the milliseconds of a moment, as rows hold them. A moment before 1970 counts as 0, since a negative number
/// would not sort as text. Our clock is always later.
pub fn milliseconds(moment: Timestamp) -> i64 {
    moment.as_millisecond().max(0)
}

/// Returns the milliseconds of a moment with leading zeros, so that they sort as text.
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
