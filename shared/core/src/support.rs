//! AWS Support cases: the first kind of link.

pub mod call;
pub mod case;
pub mod columns;
pub mod conversation;
pub mod files;
pub mod index;
pub mod memory;
pub mod message;
pub mod note;
mod observe;
pub mod opened_case;
pub mod options;
mod outcome;
mod plan;
pub mod read;
pub mod reading;
pub mod render;
mod search;
pub mod severity;
pub mod sight;
mod successor;
pub mod unknown_case;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    failure::Failure,
    file::order::Order,
    identifiers::{AccountId, ExternalId, JournalEntryId, LinkKey},
    link::{
        self,
        index::{IndexRow, RowPrefix},
        intent::{Illegal, Recovery},
        kind::{FailedRead, HandedOver, Kind},
        mark::Mark,
        plan::Waiting,
        planner::Planner,
        remembered::Remembered,
    },
    policy::Policy,
    servicenow::{
        columns::BridgeColumns,
        delivery::{Delivery, IncidentFields},
    },
    support::{
        call::{Call, Content, Done, IntentKind, RefusedCall},
        memory::{LinkedCase, Memory},
        opened_case::OpenedCase,
        read::{Answer, Read},
        sight::{Sight, state_wanted},
        unknown_case::MarkedCase,
    },
};

/// The link of an incident with a Support case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SupportCase;

/// What casebridge remembers of a link with a Support case.
pub type Link = link::Link<SupportCase>;
/// A pass over a link with a Support case.
pub type Pass = link::pass::Pass<SupportCase>;
/// The record of a call to AWS Support that is about to be made, or whose outcome is not known yet.
pub type Intent = link::intent::Intent<IntentKind>;
/// Effects in order, and waits with their reasons.
pub type Plan = link::plan::Plan<Call>;
/// What keeps a request, or all requests to a side, from being tried again, and until when.
pub type Trouble = link::trouble::Trouble<RefusedCall>;
/// One thing that a plan asks for.
pub type Effect = link::plan::Effect<Call>;

/// A case that a hint named, with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedCase {
    /// It carries a mark that may be that of one of the link's CreateCases.
    Marked(MarkedCase),
    /// Somebody opened it at AWS, and the link's incident is opened for it.
    Opened(OpenedCase),
}

impl Remembered for SupportCase {
    type Memory = Memory;
    type Refused = RefusedCall;
    type Intent = IntentKind;

    fn is_blank(memory: &Memory) -> bool {
        memory.case.is_none() && memory.waits_for_quota.is_none() && memory.handed_over_to.is_none()
    }

    fn account(memory: &Memory) -> Option<&AccountId> {
        memory.case.as_ref().map(|case| &case.account)
    }

    fn opening_account(intent: &IntentKind) -> Option<&AccountId> {
        intent.opening_account()
    }

    fn concerns(refused: &RefusedCall, intent: &IntentKind) -> bool {
        refused.concerns(intent)
    }

    fn index(key: &LinkKey, link: &Link) -> BTreeSet<IndexRow> {
        index::rows(key, link)
    }
}

impl Kind for SupportCase {
    type Sight = Sight;
    type Read = Read;
    type Seen = Answer;
    type Record = NamedCase;
    type Call = Call;
    type Done = Done;

    fn has_ended(memory: &Memory) -> bool {
        memory.case.as_ref().is_some_and(LinkedCase::is_resolved)
    }

    fn is_at_rest(memory: &Memory) -> bool {
        Self::has_ended(memory) && !Self::asks_for_incident(memory) && memory.opening_remainder.is_none()
    }

    /// An unresolved double still has to be written to. Only a read of the incident shows whether casebridge may do so.
    fn asks_for_incident(memory: &Memory) -> bool {
        memory.doubles.iter().any(|double| !double.resolved)
    }

    fn is_reopened_by_us(memory: &Memory) -> bool {
        memory.case.as_ref().is_some_and(|case| !case.is_resolved() && case.reopened_by.is_some())
    }

    fn begun_entry(memory: &Memory) -> Option<&JournalEntryId> {
        match &memory.partly_sent.as_ref()?.content {
            Content::Entry { entry, .. } => Some(entry),
            Content::OpeningRemainder
            | Content::ReopenNotice
            | Content::Files(_)
            | Content::FileNotice(_)
            | Content::DoubleNotice(_) => None,
        }
    }

    fn left_out(pass: &mut Pass) {
        pass.forget_rest_of_settled();
    }

    fn newest_undelivered(memory: &Memory) -> Option<Timestamp> {
        memory.conversation.newest_undelivered()
    }

    fn changes_columns(memory: &Memory, call: &Call) -> bool {
        let Some(own) = &memory.case else { return matches!(call, Call::OpenCase { .. }) };
        match call {
            Call::OpenCase { .. } => true,
            Call::ResolveCase { case_id, .. } => own.case_id == *case_id,
            // A communication reopens a resolved case.
            Call::AddCommunication { .. } => own.is_resolved(),
        }
    }

    fn plan(planner: &mut Planner<Self>) {
        planner.plan_case();
    }

    fn late_wait(planner: &Planner<Self>) -> Option<Waiting> {
        planner.wait_for_late_cases()
    }

    fn columns(policy: &Policy, pass: &Pass, now: Timestamp) -> BridgeColumns {
        columns::columns(policy, pass, now)
    }

    fn may_miss_messages(pass: &Pass) -> bool {
        pass.may_miss_communications()
    }

    fn shown_end(pass: &Pass) -> Option<bool> {
        pass.shown_end()
    }

    fn look(pass: &mut Pass, now: Timestamp) {
        pass.begin_reads(now);
    }

    fn next_reads(pass: &mut Pass) -> Vec<Read> {
        pass.next_aws_reads()
    }

    fn see(
        pass: &mut Pass,
        policy: &Policy,
        read: &Read,
        seen: Result<Answer, Failure>,
    ) -> Result<Option<FailedRead>, Illegal> {
        pass.see_aws(policy, read, seen)
    }

    fn see_record(pass: &mut Pass, policy: &Policy, record: &NamedCase, now: Timestamp) {
        match record {
            NamedCase::Marked(MarkedCase { account, case_id, subject, mark }) => {
                if pass.is_own_case_mark(policy, mark, subject) {
                    pass.see_double(account, case_id, mark, now);
                }
            }
            NamedCase::Opened(opened) => pass.see_opened_case(opened, now),
        }
    }

    fn hand_over(pass: &Pass, to: &LinkKey) -> Option<HandedOver<Self>> {
        pass.handed_over(to)
    }

    fn successor_is_taken(memory: &mut Memory) {
        memory.generation = successor::next_generation(memory);
    }

    fn doubles(memory: &Memory) -> usize {
        memory.doubles.len()
    }

    fn next_waiting(before: &Memory, after: &Memory) -> Option<RowPrefix> {
        let waited = before.waits_for_quota.as_ref()?;
        let waits_still = after.waits_for_quota.as_ref().is_some_and(|wait| wait.account == waited.account);
        (!waits_still).then(|| index::waiting(&waited.account))
    }

    fn begin_messages(memory: &mut Memory, delivery: &Delivery) -> bool {
        let newest = memory.notes.iter().map(|note| note.number).max().unwrap_or_default();
        let is_new = newest > memory.notes_recorded && !delivery.messages.is_empty();
        if is_new {
            memory.notes_recorded = newest;
        }
        is_new
    }

    fn begin(pass: &mut Pass, call: &Call, now: Timestamp) -> (Option<Mark>, IntentKind) {
        pass.begin_call(call, now)
    }

    /// AWS Support takes no token. A text is found by its mark, a resolution by the status of its case.
    fn recovery(_: &Intent) -> Recovery<Call> {
        Recovery::ReadBack
    }

    fn done(pass: &mut Pass, policy: &Policy, done: Done, now: Timestamp) -> Result<bool, Illegal> {
        pass.call_done(policy, done, now)
    }

    fn refused(
        pass: &mut Pass,
        policy: &Policy,
        call: &Call,
        failure: &Failure,
        now: Timestamp,
        spread: u32,
    ) -> Result<(), Illegal> {
        pass.call_refused(policy, call, failure, now, spread)
    }

    fn agree_on_status(memory: &mut Memory) {
        memory.agreed_status = memory.case.as_ref().and_then(|case| case.status.clone());
    }

    fn agreement_changed(memory: &mut Memory) {
        memory.texts_since_end.clear();
        memory.customer_wrote = false;
    }

    fn agreed(pass: &mut Pass, policy: &Policy) {
        if state_wanted(policy, &pass.link).is_none() {
            Self::agree_on_status(&mut pass.link.memory);
        }
    }

    /// The person who ended the incident again had seen the customer's texts that were on it. So `customer_wrote` stays
    /// set only if a text still waits for its delivery or for a decision.
    fn ended_again(memory: &mut Memory) {
        memory.customer_wrote &= memory.conversation.newest_undelivered().is_some();
    }

    fn reopened(memory: &mut Memory) -> Vec<String> {
        memory.customer_wrote = false;
        std::mem::take(&mut memory.texts_since_end)
    }

    fn see_incident(pass: &mut Pass, policy: &Policy) {
        pass.see_files(policy);
    }

    fn ordered(pass: &mut Pass, order: &Order, again_at: Timestamp) {
        pass.files_ordered(order, again_at);
    }

    fn delivered(pass: &mut Pass, message: &ExternalId) {
        if pass.forget_note(message) {
            return;
        }
        if let Some(communication) = pass.communication_of(message) {
            pass.received(&communication);
        }
    }

    /// A note that ServiceNow refuses is dropped: it holds up nothing that people wrote.
    fn message_refused(pass: &mut Pass, message: &ExternalId, reason: &str) -> bool {
        if pass.forget_note(message) {
            return false;
        }
        let communication = pass.communication_of(message);
        communication.is_some_and(|communication| pass.reduce_message(&communication, reason))
    }

    fn fields_applied(pass: &mut Pass, fields: &IncidentFields) {
        if !fields.impact.is_empty() {
            pass.link.memory.severity_to_set = None;
        }
    }

    fn finish(pass: &mut Pass, now: Timestamp) {
        pass.forget_given_up_cases(now);
        pass.leave_line();
        pass.note_unknown_case(now);
    }

    fn compact(pass: &mut Pass, policy: &Policy, now: Timestamp) {
        pass.compact_conversation(policy, now);
        pass.compact_files();
    }
}
