//! Intents: casebridge records a call before it makes it, and its outcome afterwards.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::link::mark::Mark;

/// A call that is about to be made, or that was made and whose outcome is not known yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent<I> {
    /// The number of this intent among the link's intents, from 1 on.
    pub sequence: u64,
    /// The mark in the call's text. `None` for a call without text.
    pub mark: Option<Mark>,
    /// When it was recorded, by our clock. It is recorded before the call.
    pub written_at: Timestamp,
    /// What the call does.
    pub kind: I,
    /// The message of the failure that left the call in doubt. Empty if there was none yet.
    #[serde(default)]
    pub doubt: String,
    /// How many lookups did not find its effect.
    #[serde(default)]
    pub looked: u32,
    /// Whether the call was made again. A refusal of the repeat says nothing about the first call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

impl<I> Intent<I> {
    /// Returns an intent whose call is about to be made for the first time.
    pub fn new(sequence: u64, mark: Option<Mark>, kind: I, written_at: Timestamp) -> Self {
        Self { sequence, mark, written_at, kind, doubt: String::new(), looked: 0, repeated: false }
    }
}

/// How the outcome of a call in doubt becomes known. `C` is the kind's call to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery<C> {
    /// casebridge looks for the call's effect at AWS. If it does not appear within L, the call counts as never applied.
    ReadBack,
    /// AWS applies the same request with the same token once, so casebridge repeats the call until AWS answers.
    SameToken {
        /// The call, exactly as it was made.
        call: C,
        /// From this moment on, by our clock, AWS may have forgotten the token. Then casebridge looks for the call's
        /// effect.
        until: Timestamp,
    },
}

/// A step that the link's state does not allow. Only a bug in casebridge causes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// A call ended, but the link has begun none.
    #[error("a call ended, and the link has begun none")]
    NothingBegun,
    /// A call ended with the answer to a different call.
    #[error("a call ended with the answer of another one than the link has begun")]
    AnotherCall,
    /// An answer came for a read that the pass has not asked for.
    #[error("an answer came to a read that the pass has not asked for")]
    NotAsked,
}

/// How an intent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentEnd {
    /// AWS answered that the call was applied.
    Done,
    /// AWS refused the call.
    Refused,
    /// A later read found the call's effect.
    FoundDone,
    /// The call's effect did not appear within L.
    NeverApplied,
}

/// The link's latest intent that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedIntent {
    /// Its sequence number.
    pub sequence: u64,
    /// How it ended.
    pub end: IntentEnd,
}
