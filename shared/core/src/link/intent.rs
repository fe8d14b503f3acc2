//! Intents: a call is written down before it is made, and its outcome after it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::link::mark::Mark;

/// A call that is about to be made, or was made with an outcome that nobody knows yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent<I> {
    /// Counts the link's intents.
    pub sequence: u64,
    /// The mark that the call's text carries; none for a call without text.
    pub mark: Option<Mark>,
    /// When it was written, by our clock, before the call.
    pub written_at: Timestamp,
    /// What it is about to do.
    pub kind: I,
    /// What it was last seen to wait for: the words of the failure that left it in doubt.
    #[serde(default)]
    pub doubt: String,
    /// How often its outcome was looked for without being found.
    #[serde(default)]
    pub looked: u32,
    /// Whether the call was made again: what the repeat answers tells nothing of the first call, unless it was applied.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

impl<I> Intent<I> {
    /// An intent whose call is about to be made for the first time.
    pub fn new(sequence: u64, mark: Option<Mark>, kind: I, written_at: Timestamp) -> Self {
        Self { sequence, mark, written_at, kind, doubt: String::new(), looked: 0, repeated: false }
    }
}

/// How the outcome of a call that was not answered becomes known. `C` is the kind's call to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery<C> {
    /// What the call does is looked for at AWS. What does not show within L counts as never applied.
    ReadBack,
    /// AWS applies the same request with the same token once: this call is made again until it is answered.
    SameToken {
        /// The call, just as it was made.
        call: C,
        /// From then on, by our clock, AWS may have forgotten the token: what the call does is looked for.
        until: Timestamp,
    },
}

/// What the link's state does not allow. Only a fault of casebridge itself leads there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// A call ended that was not begun.
    #[error("a call ended, and the link has begun none")]
    NothingBegun,
    /// A call ended with another call's answer.
    #[error("a call ended with the answer of another one than the link has begun")]
    AnotherCall,
    /// An answer came to a read that was not asked for.
    #[error("an answer came to a read that the pass has not asked for")]
    NotAsked,
}

/// How an intent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentEnd {
    /// The call answered that it was applied.
    Done,
    /// The call was refused.
    Refused,
    /// The call's effect was found by reading back.
    FoundDone,
    /// The call's effect was not there after the longest time that a write may take to appear.
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
