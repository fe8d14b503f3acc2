//! What a kind of link is: a folder of its own beside `support`.

use std::fmt::Debug;

use crate::{
    failure::Failure,
    identifiers::{ExternalId, JournalEntryId},
    link::{
        index::RowPrefix,
        intent::{Illegal, Intent, Recovery},
        mark::Mark,
        pass::Pass,
        plan::{Named, Waiting},
        planner::Planner,
        remembered::Remembered,
    },
    policy::Policy,
    servicenow::columns::BridgeColumns,
};
use jiff::Timestamp;

/// A kind of link: which records of AWS it links incidents with, what it remembers of them, and what it does there.
///
/// What every kind shares (intents, waits, troubles, the loop breaker, the incident, its comments and what is delivered to
/// it) is in [`crate::link`] and asks here for what only the kind knows.
pub trait Kind: Remembered {
    /// What a pass has read of the AWS side; by default nothing.
    type Sight: Debug + Clone + Default + PartialEq + Eq;
    /// A read of the AWS side, or of what the ledger knows of it.
    type Read: Debug + Clone + PartialEq + Eq;
    /// The answer to a read.
    type Seen: Debug + Clone + PartialEq + Eq;
    /// A record of AWS that a hint told of, with what shows that it may be the link's.
    type Record: Debug + Clone + PartialEq + Eq;
    /// A write to AWS.
    type Call: Named + Debug + Clone + PartialEq + Eq;
    /// What a call that was applied answered.
    type Done: Debug + Clone + PartialEq + Eq;

    /// Whether work on the record has ended, as far as is known.
    fn has_ended(memory: &Self::Memory) -> bool;

    /// Whether work on the record has ended and nothing is left to be done there.
    fn is_at_rest(memory: &Self::Memory) -> bool;

    /// Whether the incident must be read in each pass: something is left to do for which memory does not stand in.
    fn asks_for_incident(memory: &Self::Memory) -> bool;

    /// Whether a text of ours has reopened the record.
    fn is_reopened_by_us(memory: &Self::Memory) -> bool;

    /// The comment that is on the record in part: the rest of it goes before all others.
    fn begun_entry(memory: &Self::Memory) -> Option<&JournalEntryId>;

    /// Whether something waits for the incident should it be gone: it is looked for then.
    fn has_open(memory: &Self::Memory) -> bool;

    /// Whether the columns say something else once this call is made.
    fn changes_columns(memory: &Self::Memory, call: &Self::Call) -> bool;

    /// Whether something may be missing from what is known of the record.
    fn is_blind(pass: &Pass<Self>) -> bool;

    /// Whether work on the record has ended, as is believed and as the read shows; none where these differ or tell nothing.
    fn shown_end(pass: &Pass<Self>) -> Option<bool>;

    /// Plans what the incident and the record ask for. The waits that every link has come besides.
    fn plan(planner: &mut Planner<Self>);

    /// A wait that lasts whatever the plan, if there is one.
    fn late_wait(planner: &Planner<Self>) -> Option<Waiting>;

    /// The app's columns as the link says.
    fn columns(policy: &Policy, pass: &Pass<Self>, now: Timestamp) -> BridgeColumns;

    /// Begins a look at the AWS side, at `now`.
    fn look(pass: &mut Pass<Self>, now: Timestamp);

    /// The next round of reads, which are made side by side; none when the look is over. The incident is read beside them as
    /// long as [`Pass::asks_for_incident`] says so.
    fn next_reads(pass: &mut Pass<Self>) -> Vec<Self::Read>;

    /// Takes in the answer to a read. Returns the failure of what was read, if it counts as one.
    ///
    /// # Errors
    ///
    /// Fails if the answer is to no read that was asked for.
    fn see(
        pass: &mut Pass<Self>,
        policy: &Policy,
        read: &Self::Read,
        seen: Result<Self::Seen, Failure>,
    ) -> Result<Option<Failure>, Illegal>;

    /// Takes in a record that a hint told of.
    fn see_record(pass: &mut Pass<Self>, policy: &Policy, record: &Self::Record, now: Timestamp);

    /// How many records were found at AWS that we made twice.
    fn doubles(memory: &Self::Memory) -> usize;

    /// The rows of the links that wait for what this one waited for before and has now: the first of them may go on.
    fn frees(before: &Self::Memory, after: &Self::Memory) -> Option<RowPrefix>;

    /// What is written down of a call before it is made, and the mark in its text.
    fn begin(pass: &mut Pass<Self>, call: &Self::Call, now: Timestamp) -> (Option<Mark>, Self::Intent);

    /// How the outcome of the intent's call becomes known, should it not be answered.
    fn recovery(intent: &Intent<Self::Intent>) -> Recovery<Self::Call>;

    /// Takes in the answer that the call of the intent was applied, see [`Pass::done`].
    ///
    /// # Errors
    ///
    /// Fails if the link has begun no call, or another one.
    fn done(pass: &mut Pass<Self>, policy: &Policy, done: Self::Done, now: Timestamp) -> Result<bool, Illegal>;

    /// Takes in that the call of the intent was refused, see [`Pass::refused`].
    ///
    /// # Errors
    ///
    /// Fails if the link has begun no call.
    fn refused(
        pass: &mut Pass<Self>,
        policy: &Policy,
        call: &Self::Call,
        failure: &Failure,
        now: Timestamp,
        spread: u32,
    ) -> Result<(), Illegal>;

    /// Takes in that the incident answers the record's status as it is known.
    fn agree_on_status(memory: &mut Self::Memory);

    /// Takes in that both sides have turned since they agreed last: work has ended, or goes on.
    fn turned(memory: &mut Self::Memory);

    /// Takes in that both sides agree.
    fn agreed(pass: &mut Pass<Self>, policy: &Policy);

    /// Takes in that work on the incident was ended again, and nobody saw the reopening between.
    fn ended_again(memory: &mut Self::Memory);

    /// Takes in that casebridge has reopened the incident. Returns the hashes of the texts at AWS that did it.
    fn reopened(memory: &mut Self::Memory) -> Vec<String>;

    /// Takes in that a message of the record is on the incident.
    fn delivered(pass: &mut Pass<Self>, message: &ExternalId);

    /// Takes in that ServiceNow refused a message of the record. Returns whether it waits.
    fn message_refused(pass: &mut Pass<Self>, message: &ExternalId, reason: &str) -> bool;

    /// Forgets what can't matter any more at the end of a pass.
    fn finish(pass: &mut Pass<Self>, now: Timestamp);

    /// Forgets what a read has settled: a link of ten thousand messages remembers as much as one of ten.
    fn compact(pass: &mut Pass<Self>, policy: &Policy, now: Timestamp);
}
