//! What a kind remembers of its links between two passes: all that a ledger needs to know of it.

use std::{collections::BTreeSet, fmt::Debug};

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    identifiers::{AccountId, LinkKey},
    link::{Link, index::IndexRow, plan::Named},
};

/// What a kind of link remembers, and by which rows the ledger finds it. [`crate::link::kind::Kind`] says the rest.
pub trait Remembered: Debug + Clone + Default + PartialEq + Eq + 'static {
    /// What a link remembers besides what every link does.
    type Memory: Debug + Clone + Default + PartialEq + Eq + Serialize + DeserializeOwned;
    /// What is written down of a call before it is made.
    type Intent: Named + Debug + Clone + PartialEq + Eq + Serialize + DeserializeOwned;
    /// What tells one refused call from another that is tried at once.
    type Refused: Debug + Clone + PartialEq + Eq + Serialize + DeserializeOwned;

    /// Whether nothing is worth remembering.
    fn is_blank(memory: &Self::Memory) -> bool;

    /// The account of the record; none until there is one.
    fn account(memory: &Self::Memory) -> Option<&AccountId>;

    /// The account of the record that the call of this intent opens; none for a call that opens none.
    fn opening_account(intent: &Self::Intent) -> Option<&AccountId>;

    /// Whether a call that was refused is one of those that this intent may be about.
    fn concerns(refused: &Self::Refused, intent: &Self::Intent) -> bool;

    /// The rows by which the ledger finds the link, besides its own: at most one for each key, all in its record's
    /// account, and no more than [`crate::link::index::ROWS_PER_LINK`].
    fn index(key: &LinkKey, link: &Link<Self>) -> BTreeSet<IndexRow>;
}
