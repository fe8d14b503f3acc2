//! What the shared code asks of a kind of link. Each kind has a folder of its own beside `support`.

use std::fmt::Debug;

use jiff::Timestamp;

use crate::{
    failure::Failure,
    file::order::Order,
    identifiers::{ExternalId, JournalEntryId, LinkKey},
    link::{
        Link,
        index::RowPrefix,
        intent::{Illegal, Intent, Recovery},
        mark::Mark,
        pass::Pass,
        plan::{Named, Waiting},
        planner::Planner,
        remembered::Remembered,
    },
    policy::Policy,
    servicenow::{
        columns::BridgeColumns,
        delivery::{Delivery, IncidentFields},
    },
};

/// A read of the AWS side that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailedRead {
    /// All requests to AWS wait.
    Delays(Failure),
    /// Only this read waits, and the kind has recorded until when.
    Alone(Failure),
}

impl FailedRead {
    /// Returns the failure.
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Delays(failure) | Self::Alone(failure) => failure,
        }
    }
}

/// The two links of a hand-over, as they are after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver<K: Kind> {
    /// The link that gives the record up.
    pub own: Link<K>,
    /// The link that takes it.
    pub successor: Link<K>,
}

/// A kind of link: which AWS records it links incidents with, what it remembers of them, and which calls it makes.
///
/// [`crate::link`] holds what every kind shares (intents, waits, troubles, the loop breaker, the incident, its comments
/// and the deliveries to it). It uses this trait for what only the kind knows.
pub trait Kind: Remembered {
    /// What a pass has read of the AWS side. The default is nothing.
    type Sight: Debug + Clone + Default + PartialEq + Eq;
    /// A read of the AWS side, or of what the ledger knows about it.
    type Read: Debug + Clone + PartialEq + Eq;
    /// The answer to a read.
    type Seen: Debug + Clone + PartialEq + Eq;
    /// An AWS record that a hint named, with the evidence that it may be the link's.
    type Record: Debug + Clone + PartialEq + Eq;
    /// A write to AWS.
    type Call: Named + Debug + Clone + PartialEq + Eq;
    /// AWS's answer to a call that was applied.
    type Done: Debug + Clone + PartialEq + Eq;

    /// Whether work on the record has ended, as far as the link knows.
    fn has_ended(memory: &Self::Memory) -> bool;

    /// Whether work on the record has ended and nothing is left to do there.
    fn is_at_rest(memory: &Self::Memory) -> bool;

    /// Whether each pass must read the incident, because something is left to do that the remembered incident does not
    /// suffice for.
    fn asks_for_incident(memory: &Self::Memory) -> bool;

    /// Whether a text of ours has reopened the record, and the record is still open.
    fn is_reopened_by_us(memory: &Self::Memory) -> bool;

    /// Returns the comment of which only some parts are on the record. Its rest is sent before all other comments.
    /// Returns `None` if there is no such comment.
    fn begun_entry(memory: &Self::Memory) -> Option<&JournalEntryId>;

    /// Records that comments were settled without being sent. A comment that was begun may be among them: its rest is not
    /// sent any more.
    fn left_out(pass: &mut Pass<Self>);

    /// Returns when the newest text was written that waits for its delivery to the incident. If the incident is not found,
    /// casebridge keeps looking for it. Returns `None` if none waits.
    fn newest_undelivered(memory: &Self::Memory) -> Option<Timestamp>;

    /// Whether this call changes what the columns say.
    fn changes_columns(memory: &Self::Memory, call: &Self::Call) -> bool;

    /// Whether something may be missing from what the pass knows of the record.
    fn may_miss_messages(pass: &Pass<Self>) -> bool;

    /// Returns whether work on the record has ended. Returns `None` if the remembered status and the read of this pass
    /// differ, or if one of them does not tell.
    fn shown_end(pass: &Pass<Self>) -> Option<bool>;

    /// Plans what the incident and the record ask for. The planner adds the waits that every kind of link has.
    fn plan(planner: &mut Planner<Self>);

    /// Returns a wait that does not depend on the effects of the plan. Returns `None` if there is none.
    fn late_wait(planner: &Planner<Self>) -> Option<Waiting>;

    /// Returns the values that the link gives the app's columns.
    fn columns(policy: &Policy, pass: &Pass<Self>, now: Timestamp) -> BridgeColumns;

    /// Begins a look at the AWS side, at `now`.
    fn look(pass: &mut Pass<Self>, now: Timestamp);

    /// Returns the next round of reads, to be made in parallel. Returns no reads when the look is over. The shared part
    /// adds the read of the incident while [`Pass::asks_for_incident`] is set.
    fn next_reads(pass: &mut Pass<Self>) -> Vec<Self::Read>;

    /// Records the answer to a read. Returns the failure, if the answer counts as one.
    ///
    /// # Errors
    ///
    /// Fails if the pass has not asked for this read.
    fn see(
        pass: &mut Pass<Self>,
        policy: &Policy,
        read: &Self::Read,
        seen: Result<Self::Seen, Failure>,
    ) -> Result<Option<FailedRead>, Illegal>;

    /// Records an AWS record that a hint named.
    fn see_record(pass: &mut Pass<Self>, policy: &Policy, record: &Self::Record, now: Timestamp);

    /// Returns what this link remembers without its record, and what the link of `to` remembers of it from then on: the
    /// incident of that link has still to be opened. Returns `None` if the link has no record to hand over.
    ///
    /// The default is for a kind whose records stay with their incident: it never plans [`Effect::HandOver`].
    ///
    /// [`Effect::HandOver`]: crate::link::plan::Effect::HandOver
    fn hand_over(_pass: &Pass<Self>, _to: &LinkKey) -> Option<HandedOver<Self>> {
        None
    }

    /// Records that the link to which the record was to be handed over remembers something already.
    fn successor_is_taken(_memory: &mut Self::Memory) {}

    /// Returns how many doubles the link knows.
    fn doubles(memory: &Self::Memory) -> usize;

    /// Returns the rows of the links that wait for the same thing as this link did `before`, if this link no longer
    /// waits for it `after`. The first of those links may go on. Returns `None` if this link waited for nothing or
    /// still waits.
    fn next_waiting(before: &Self::Memory, after: &Self::Memory) -> Option<RowPrefix>;

    /// Names the messages of a delivery that casebridge itself wrote. Called before the delivery is made. Returns whether
    /// there are new names to record.
    ///
    /// The default is for a kind whose messages are all named after what they carry.
    fn begin_messages(_memory: &mut Self::Memory, _delivery: &Delivery) -> bool {
        false
    }

    /// Returns the mark in the call's text and what the intent records of the call. Called before the call is made.
    fn begin(pass: &mut Pass<Self>, call: &Self::Call, now: Timestamp) -> (Option<Mark>, Self::Intent);

    /// Returns how the outcome of the intent's call becomes known if AWS does not answer.
    fn recovery(intent: &Intent<Self::Intent>) -> Recovery<Self::Call>;

    /// Records the answer that the intent's call was applied, see [`Pass::done`].
    ///
    /// # Errors
    ///
    /// Fails if the link has begun no call, or a different one.
    fn done(pass: &mut Pass<Self>, policy: &Policy, done: Self::Done, now: Timestamp) -> Result<bool, Illegal>;

    /// Records that the intent's call was refused, see [`Pass::refused`].
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

    /// Records that the incident's state is in step with the known status of the record.
    fn agree_on_status(memory: &mut Self::Memory);

    /// Records that both sides agree again and that the agreement has changed: work has ended on both, or goes on on
    /// both.
    fn agreement_changed(memory: &mut Self::Memory);

    /// Records that both sides agree.
    fn agreed(pass: &mut Pass<Self>, policy: &Policy);

    /// Records that work on the incident was ended again, after a reopening that no read showed.
    fn ended_again(memory: &mut Self::Memory);

    /// Records that casebridge has reopened the incident. Returns the hashes of the texts at AWS that caused it.
    fn reopened(memory: &mut Self::Memory) -> Vec<String>;

    /// Records what a snapshot of the incident shows besides what every kind of link uses.
    fn see_incident(pass: &mut Pass<Self>, policy: &Policy);

    /// Records that a transfer of files was ordered. It is ordered again at `again_at` if it has not ended by then.
    fn ordered(pass: &mut Pass<Self>, order: &Order, again_at: Timestamp);

    /// Records that a message of the record is on the incident.
    fn delivered(pass: &mut Pass<Self>, message: &ExternalId);

    /// Records that ServiceNow refused a message of the record. Returns whether the message waits before its next try.
    fn message_refused(pass: &mut Pass<Self>, message: &ExternalId, reason: &str) -> bool;

    /// Records that fields of the incident were written, other than its state.
    fn fields_applied(pass: &mut Pass<Self>, fields: &IncidentFields);

    /// Forgets, at the end of a pass, what is no longer needed.
    fn finish(pass: &mut Pass<Self>, now: Timestamp);

    /// Forgets what a read has settled, so that a link of ten thousand messages remembers as much as one of ten.
    fn compact(pass: &mut Pass<Self>, policy: &Policy, now: Timestamp);
}
