//! The kind of a link with a ticket: all that the shared loop asks of a kind.

use std::collections::BTreeSet;

use casebridge_core::{
    failure::Failure,
    file::order::Order,
    identifiers::{AccountId, ExternalId, JournalEntryId, LinkKey},
    link::{
        Link,
        index::{IndexRow, RowKey, RowPrefix},
        intent::{Illegal, Intent, IntentEnd, Recovery},
        kind::{FailedRead, Kind},
        mark::Mark,
        pass::Pass,
        plan::{self, Waiting},
        planner::Planner,
        remembered::Remembered,
        trouble::{Request, Side},
    },
    policy::Policy,
    servicenow::{
        columns::BridgeColumns,
        delivery::{IncidentFields, Message, MessageKind},
        incident::IncidentState,
    },
    time::seconds,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::desk::Ticket;

/// After how many seconds a ticket is read again if a read failed.
const READ_AGAIN_SECONDS: u32 = 5;
/// For how long the desk remembers the mark of a note. It adds only one note with a mark.
pub const MARKS_KNOWN_FOR: SignedDuration = SignedDuration::from_mins(10);

/// The link of an incident with a ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TicketKind;

/// What a link remembers of its ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The ticket. `None` before it is opened.
    ticket: Option<LinkedTicket>,
    /// The notes that are on the incident.
    received: BTreeSet<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LinkedTicket {
    account: AccountId,
    name: String,
    is_closed: bool,
}

/// What a pass has read of the ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    ticket: Option<Ticket>,
    began: Timestamp,
    asked: bool,
}

/// A read of the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The ticket of this name.
    Named(String),
    /// The ticket with this mark in a note.
    Marked(Mark),
}

/// A write to the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketCall {
    /// Opens a ticket for the incident.
    Open { account: AccountId, mark: Mark, text: String, covers: Vec<(JournalEntryId, Timestamp)> },
    /// Adds a comment of the incident.
    AddNote { mark: Mark, text: String, entry: (JournalEntryId, Timestamp) },
    /// Closes the ticket.
    Close,
}

/// What an intent records of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketIntent {
    /// Opens a ticket.
    Open { account: AccountId, covers: Vec<(JournalEntryId, Timestamp)> },
    /// Adds a comment of the incident. It has the whole request, so that the call can be repeated.
    AddNote { entry: (JournalEntryId, Timestamp), text: String },
    /// Closes the ticket.
    Close,
}

/// The answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The ticket's name.
    Opened(String),
    /// The note was added, now or earlier.
    Noted,
    /// The ticket is closed.
    Closed,
}

impl plan::Named for TicketCall {
    fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open_ticket",
            Self::AddNote { .. } => "add_note",
            Self::Close => "close_ticket",
        }
    }
}

impl plan::Named for TicketIntent {
    fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open_ticket",
            Self::AddNote { .. } => "add_note",
            Self::Close => "close_ticket",
        }
    }
}

/// Records that the call of the present intent was applied.
fn applied(pass: &mut Pass<TicketKind>, policy: &Policy, end: IntentEnd, name: &str) {
    let Some(intent) = pass.end_intent(end) else { return };
    match intent.kind {
        TicketIntent::Open { account, covers } => {
            pass.link.memory.ticket = Some(LinkedTicket { account, name: name.to_owned(), is_closed: false });
            pass.link.journal.settle(covers);
        }
        TicketIntent::AddNote { entry, .. } => pass.link.journal.settle([entry]),
        TicketIntent::Close => {
            if let Some(ticket) = &mut pass.link.memory.ticket {
                ticket.is_closed = true;
            }
            pass.link.base.ended = true;
        }
    }
    pass.agree(policy);
}

/// Decides the call in doubt by what a read shows.
fn settle_doubt(pass: &mut Pass<TicketKind>, policy: &Policy, found: Option<&Ticket>) {
    let Some(Intent { kind, mark, .. }) = &pass.link.intent else { return };
    let shows_mark =
        |ticket: &Ticket| mark.as_ref().is_some_and(|mark| ticket.notes.iter().any(|note| mark.is_in(&note.text)));
    let is_applied = match kind {
        TicketIntent::Open { .. } => found.is_some(),
        TicketIntent::AddNote { .. } => found.is_some_and(shows_mark),
        TicketIntent::Close => found.is_some_and(|ticket| ticket.is_closed),
    };
    if is_applied {
        let name = found.map(|ticket| ticket.name.clone()).unwrap_or_default();
        applied(pass, policy, IntentEnd::FoundDone, &name);
    } else if pass.record_failed_lookup(policy, pass.aws.began) {
        pass.end_intent(IntentEnd::NeverApplied);
    }
}

fn message_name(ticket: &str, note: u64) -> ExternalId {
    let scope: u64 = ticket.bytes().map(u64::from).sum();
    ExternalId::new(format!("{scope:016x}-{note}-{note:016x}-00"))
}

fn plan_opening(planner: &mut Planner<TicketKind>) {
    let pass = planner.pass();
    if planner.wait_for_doubt() {
        return;
    }
    if pass.needs_incident() {
        return planner.wait_for_incident();
    }
    let Some(incident) = pass.incident.as_ref().filter(|incident| !incident.summary.state.is_ended()) else { return };
    let Some(account) = &incident.account else { return };
    if planner.waits_for(Side::Aws, &Request::Call("open_ticket".to_owned())) {
        return;
    }
    let mark = planner.draw_mark();
    let entries = pass.unsent_entries(true);
    let texts: Vec<&str> = entries.iter().map(|entry| entry.text.as_str()).collect();
    let covers = entries.iter().map(|entry| (entry.sys_id.clone(), entry.created_on)).collect();
    let text = format!("{}\n{}", mark.sign(&incident.short_description), texts.join("\n"));
    planner.call(TicketCall::Open { account: account.number.clone(), mark, text, covers });
}

fn plan_linked(planner: &mut Planner<TicketKind>, ticket: &LinkedTicket) {
    let pass = planner.pass();
    let holds = planner.wait_for_doubt() || planner.wait_for_pause();
    let Some(shown) = &pass.aws.ticket else {
        let until = planner.not_before_aws_answers(planner.later(seconds(READ_AGAIN_SECONDS)));
        return planner.wait(Waiting::CaseUnread { until });
    };
    if pass.may_miss_comments() {
        return planner.wait_for_incident();
    }
    let is_ended = pass.summary().is_some_and(|incident| incident.state.is_ended());
    let unsent = pass.unsent_entries(!is_ended);
    let ends = shown.is_closed && !is_ended && !pass.link.base.ended && unsent.is_empty() && !holds;
    let ours = |text: &str| Mark::of_text(text).is_some();
    let messages =
        shown.notes.iter().filter(|note| !ours(&note.text) && !pass.link.memory.received.contains(&note.number));
    let messages = messages.map(|note| Message {
        external_id: message_name(&ticket.name, note.number),
        text: note.text.clone(),
        kind: MessageKind::Comment,
    });
    let messages = if planner.messages_wait() { Vec::new() } else { messages.collect() };
    planner.deliver(messages, &if ends { ending_fields() } else { IncidentFields::default() });
    if holds {
        return;
    }
    for entry in unsent {
        if planner.waits_for(Side::Aws, &Request::Call("add_note".to_owned())) {
            return;
        }
        let mark = planner.draw_mark();
        let text = format!("{}\n{}", mark.sign(&entry.author), entry.text);
        planner.call(TicketCall::AddNote { mark, text, entry: (entry.sys_id.clone(), entry.created_on) });
    }
    let closes = is_ended && !ticket.is_closed && !pass.link.base.ended;
    if closes && !planner.waits_for(Side::Aws, &Request::Call("close_ticket".to_owned())) {
        planner.call(TicketCall::Close);
    }
}

fn ending_fields() -> IncidentFields {
    IncidentFields {
        state: IncidentState::Resolved.value().to_owned(),
        close_code: "Solution provided".to_owned(),
        close_notes: "The ticket is closed.".to_owned(),
        ..IncidentFields::default()
    }
}

impl Remembered for TicketKind {
    type Memory = Memory;
    type Refused = String;
    type Intent = TicketIntent;

    fn is_blank(memory: &Memory) -> bool {
        memory.ticket.is_none()
    }

    fn account(memory: &Memory) -> Option<&AccountId> {
        memory.ticket.as_ref().map(|ticket| &ticket.account)
    }

    fn opening_account(intent: &TicketIntent) -> Option<&AccountId> {
        match intent {
            TicketIntent::Open { account, .. } => Some(account),
            TicketIntent::AddNote { .. } | TicketIntent::Close => None,
        }
    }

    fn concerns(refused: &String, intent: &TicketIntent) -> bool {
        refused == plan::Named::name(intent)
    }

    fn index(key: &LinkKey, link: &Link<Self>) -> BTreeSet<IndexRow> {
        let row = |ticket: &LinkedTicket| {
            let sort = format!("TICKET#{}", ticket.name);
            IndexRow::new(RowKey { account: ticket.account.clone(), sort }).leading_to(key)
        };
        link.memory.ticket.iter().map(row).collect()
    }
}

impl Kind for TicketKind {
    type Sight = Sight;
    type Read = Question;
    type Seen = Option<Ticket>;
    type Record = ();
    type Call = TicketCall;
    type Done = Done;

    fn has_ended(memory: &Memory) -> bool {
        memory.ticket.as_ref().is_some_and(|ticket| ticket.is_closed)
    }

    fn is_at_rest(memory: &Memory) -> bool {
        Self::has_ended(memory)
    }

    fn asks_for_incident(_: &Memory) -> bool {
        false
    }

    fn is_reopened_by_us(_: &Memory) -> bool {
        false
    }

    fn begun_entry(_: &Memory) -> Option<&JournalEntryId> {
        None
    }

    /// A note holds a whole comment.
    fn left_out(_: &mut Pass<Self>) {}

    fn newest_undelivered(_: &Memory) -> Option<Timestamp> {
        None
    }

    fn changes_columns(_: &Memory, call: &TicketCall) -> bool {
        matches!(call, TicketCall::Open { .. } | TicketCall::Close)
    }

    fn may_miss_messages(pass: &Pass<Self>) -> bool {
        pass.link.memory.ticket.is_some() && pass.aws.ticket.is_none()
    }

    fn shown_end(pass: &Pass<Self>) -> Option<bool> {
        let shown = pass.aws.ticket.as_ref()?;
        let ticket = pass.link.memory.ticket.as_ref()?;
        (ticket.is_closed == shown.is_closed).then_some(shown.is_closed)
    }

    fn plan(planner: &mut Planner<Self>) {
        match planner.pass().link.memory.ticket.clone() {
            Some(ticket) => plan_linked(planner, &ticket),
            None => plan_opening(planner),
        }
    }

    fn late_wait(_: &Planner<Self>) -> Option<Waiting> {
        None
    }

    fn columns(_: &Policy, pass: &Pass<Self>, now: Timestamp) -> BridgeColumns {
        let ticket = pass.link.memory.ticket.as_ref();
        let refused = pass.link.troubles.active(now).find(|trouble| trouble.refusal.is_some());
        let status = if refused.is_some() { "error" } else { "in_sync" };
        BridgeColumns {
            sync_status: if ticket.is_none() && refused.is_none() { "pending" } else { status }.to_owned(),
            last_error: refused.map(|trouble| trouble.message.clone()).unwrap_or_default(),
            ..BridgeColumns::default()
        }
    }

    /// A ticket has no files.
    fn see_incident(_: &mut Pass<Self>, _: &Policy) {}

    fn ordered(_: &mut Pass<Self>, _: &Order, _: Timestamp) {}

    fn fields_applied(_: &mut Pass<Self>, _: &IncidentFields) {}

    fn look(pass: &mut Pass<Self>, now: Timestamp) {
        pass.aws = Sight { began: now, ..Sight::default() };
    }

    fn next_reads(pass: &mut Pass<Self>) -> Vec<Question> {
        if std::mem::replace(&mut pass.aws.asked, true) {
            return Vec::new();
        }
        let opening = pass.link.intent.as_ref().filter(|intent| matches!(intent.kind, TicketIntent::Open { .. }));
        let marked = opening.and_then(|intent| intent.mark.clone()).map(Question::Marked);
        let named = pass.link.memory.ticket.as_ref().map(|ticket| Question::Named(ticket.name.clone()));
        marked.or(named).into_iter().collect()
    }

    fn see(
        pass: &mut Pass<Self>,
        policy: &Policy,
        _: &Question,
        seen: Result<Option<Ticket>, Failure>,
    ) -> Result<Option<FailedRead>, Illegal> {
        let found = match seen {
            Ok(found) => found,
            Err(failure) => return Ok(Some(FailedRead::Delays(failure))),
        };
        settle_doubt(pass, policy, found.as_ref());
        if let (Some(found), Some(ticket)) = (found, &mut pass.link.memory.ticket) {
            ticket.is_closed |= found.is_closed;
            pass.aws.ticket = Some(found);
        }
        pass.agree(policy);
        Ok(None)
    }

    fn see_record(_: &mut Pass<Self>, _: &Policy, (): &(), _: Timestamp) {}

    fn doubles(_: &Memory) -> usize {
        0
    }

    fn next_waiting(_: &Memory, _: &Memory) -> Option<RowPrefix> {
        None
    }

    fn begin(_: &mut Pass<Self>, call: &TicketCall, _: Timestamp) -> (Option<Mark>, TicketIntent) {
        match call {
            TicketCall::Open { account, mark, covers, .. } => {
                (Some(mark.clone()), TicketIntent::Open { account: account.clone(), covers: covers.clone() })
            }
            TicketCall::AddNote { mark, entry, text } => {
                (Some(mark.clone()), TicketIntent::AddNote { entry: entry.clone(), text: text.clone() })
            }
            TicketCall::Close => (None, TicketIntent::Close),
        }
    }

    fn recovery(intent: &Intent<TicketIntent>) -> Recovery<TicketCall> {
        let TicketIntent::AddNote { entry, text } = &intent.kind else { return Recovery::ReadBack };
        let Some(mark) = intent.mark.clone() else { return Recovery::ReadBack };
        let call = TicketCall::AddNote { mark, text: text.clone(), entry: entry.clone() };
        Recovery::SameToken { call, until: intent.written_at + MARKS_KNOWN_FOR }
    }

    fn done(pass: &mut Pass<Self>, policy: &Policy, done: Done, _: Timestamp) -> Result<bool, Illegal> {
        let intent = pass.link.intent.as_ref().ok_or(Illegal::NothingBegun)?;
        let name = match (&intent.kind, done) {
            (TicketIntent::Open { .. }, Done::Opened(name)) => name,
            (TicketIntent::AddNote { .. }, Done::Noted) | (TicketIntent::Close, Done::Closed) => String::new(),
            _ => return Err(Illegal::AnotherCall),
        };
        applied(pass, policy, IntentEnd::Done, &name);
        Ok(true)
    }

    fn refused(
        pass: &mut Pass<Self>,
        policy: &Policy,
        call: &TicketCall,
        failure: &Failure,
        now: Timestamp,
        spread: u32,
    ) -> Result<(), Illegal> {
        pass.end_intent(IntentEnd::Refused).ok_or(Illegal::NothingBegun)?;
        let request = Request::Call(plan::Named::name(call).to_owned());
        pass.trouble(policy, Side::Aws, failure, request, now, spread);
        Ok(())
    }

    fn agree_on_status(_: &mut Memory) {}

    fn agreement_changed(_: &mut Memory) {}

    fn agreed(_: &mut Pass<Self>, _: &Policy) {}

    fn ended_again(_: &mut Memory) {}

    fn reopened(_: &mut Memory) -> Vec<String> {
        Vec::new()
    }

    fn delivered(pass: &mut Pass<Self>, message: &ExternalId) {
        let ticket = pass.aws.ticket.as_ref();
        let of_message = |number: &u64| ticket.is_some_and(|ticket| message_name(&ticket.name, *number) == *message);
        let numbers = ticket.into_iter().flat_map(|ticket| &ticket.notes).map(|note| note.number);
        if let Some(number) = numbers.clone().find(of_message) {
            pass.link.memory.received.insert(number);
        }
    }

    fn message_refused(_: &mut Pass<Self>, _: &ExternalId, _: &str) -> bool {
        true
    }

    fn finish(_: &mut Pass<Self>, _: Timestamp) {}

    fn compact(_: &mut Pass<Self>, _: &Policy, _: Timestamp) {}
}
