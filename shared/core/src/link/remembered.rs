//! What a kind remembers of its links between two passes. A ledger needs nothing else of a kind.

use std::{collections::BTreeSet, fmt::Debug};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    identifiers::{AccountId, LinkKey},
    link::{Link, index::IndexRow, plan::Named},
};

/// What a kind of link remembers, and by which rows the ledger finds a link. [`crate::link::kind::Kind`] has the rest.
pub trait Remembered: Debug + Clone + Default + PartialEq + Eq + 'static {
    /// What a link of this kind remembers in addition to [`Link`].
    type Memory: Debug + Clone + Default + PartialEq + Eq + Serialize + DeserializeOwned;
    /// What an intent records of a call.
    type Intent: Named + Debug + Clone + PartialEq + Eq + Serialize + DeserializeOwned;
    /// The key under which the refusal of a call is recorded. A call with a different key is tried at once.
    type Refused: Debug + Clone + PartialEq + Eq + Serialize + DeserializeOwned;

    /// Whether nothing is worth remembering.
    fn is_blank(memory: &Self::Memory) -> bool;

    /// Returns the account of the record. Returns `None` if there is no record yet.
    fn account(memory: &Self::Memory) -> Option<&AccountId>;

    /// Returns the account in which the intent's call opens a record. Returns `None` for a call that opens no record.
    fn opening_account(intent: &Self::Intent) -> Option<&AccountId>;

    /// Whether the intent's call may be a new try of this refused call.
    fn concerns(refused: &Self::Refused, intent: &Self::Intent) -> bool;

    /// Returns the rows by which the ledger finds the link, besides the link's own row. They have different keys, all
    /// are in its record's account, and there are at most [`crate::link::index::ROWS_PER_LINK`].
    fn index(key: &LinkKey, link: &Link<Self>) -> BTreeSet<IndexRow>;
}
