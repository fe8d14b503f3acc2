//! What is written to the incident: messages, fields and columns.

use std::collections::BTreeSet;

use casebridge_core::{
    identifiers::{CommunicationId, ExternalId},
    link::mark::marks_in,
    servicenow::{
        delivery::{Delivery, Message, MessageKind},
        incident::{IncidentState, IncidentSummary},
    },
    support::{
        Effect,
        columns::CASE_ID,
        conversation::Fate,
        memory::LinkedCase,
        message::{external_id, note_id},
    },
};

use crate::{Check, Linter, place};

pub(crate) fn check(linter: &mut Linter) {
    let plan = linter.plan;
    let mut delivered = Delivered::default();
    for (index, effect) in plan.effects.iter().enumerate() {
        let Effect::Deliver(delivery) = effect else { continue };
        let here = place(index, effect);
        let is_empty = delivery.messages.is_empty() && delivery.fields.is_empty();
        linter.find_if(is_empty, Check::DeliveryOfNothing, || here.clone());
        let follow = plan.effects[index + 1..].iter().any(|later| matches!(later, Effect::Deliver(_)));
        linter.find_if(follow && !delivery.fields.is_empty(), Check::FieldsBeforeMessages, || here.clone());
        for message in &delivery.messages {
            check_message(linter, &here, &mut delivered, message);
        }
        check_binding(linter, &here, delivery);
        if let Some(summary) = linter.pass.summary().filter(|_| !delivery.fields.is_empty()) {
            check_fields(linter, &here, delivery, summary);
        }
    }
}

/// The messages of a plan so far.
#[derive(Default)]
struct Delivered<'a> {
    names: BTreeSet<&'a ExternalId>,
    /// How many of the communications that a read showed are behind, up to the last message.
    passed: usize,
}

fn check_message<'a>(linter: &mut Linter<'a>, here: &str, delivered: &mut Delivered<'a>, message: &'a Message) {
    let there = || format!("{here}, message {}", message.external_id);
    linter.find_if(!marks_in(&message.text).is_empty(), Check::MarkInMessage, there);
    if !delivered.names.insert(&message.external_id) {
        return linter.find(Check::MessageTwice, there());
    }
    if is_note(linter, &message.external_id) {
        return linter.find_if(message.kind != MessageKind::WorkNote, Check::WrongMessageKind, there);
    }
    linter.find_if(message.kind != linter.policy.replies_become, Check::WrongMessageKind, there);
    let Some(communication) = communication_of(linter, &message.external_id) else {
        return linter.find(Check::UnknownMessage, there());
    };
    let conversation = &linter.pass.link.memory.conversation;
    match conversation.fate(&communication) {
        Some(Fate::Pending) => {}
        Some(Fate::Delivered) => return linter.find(Check::MessageDeliveredAgain, there()),
        Some(Fate::Ours) => return linter.find(Check::OwnTextDelivered, there()),
        Some(Fate::Undecided) => return linter.find(Check::UndecidedTextDelivered, there()),
        None => return linter.find(Check::UnknownMessage, there()),
    }
    let shown = &linter.pass.aws.shown;
    let Some(position) = shown.iter().position(|shown| shown.id == communication) else {
        return linter.find(Check::UnknownMessage, there());
    };
    let left_out = shown.get(delivered.passed..position).unwrap_or_default();
    let is_open = |id| matches!(conversation.fate(id), Some(Fate::Pending | Fate::Undecided));
    let overtakes = position < delivered.passed || left_out.iter().any(|older| is_open(&older.id));
    linter.find_if(overtakes, Check::MessagesOutOfOrder, there);
    delivered.passed = position + 1;
}

/// Whether a message is one of the notes for agents that the link remembers.
fn is_note(linter: &Linter, name: &ExternalId) -> bool {
    let memory = &linter.pass.link.memory;
    let Some(case) = &memory.case else { return false };
    memory.notes.iter().any(|note| note_id(&linter.pass.key, case, note) == *name)
}

/// Returns the communication of the link's case that a message delivers. Returns `None` if its name does not fit.
fn communication_of(linter: &Linter, name: &ExternalId) -> Option<CommunicationId> {
    let case = linter.pass.link.memory.case.as_ref()?;
    let communication = CommunicationId::new(name.as_str().split_once('-')?.1);
    (external_id(&linter.pass.key, case, &communication) == *name).then_some(communication)
}

fn check_binding(linter: &mut Linter, here: &str, delivery: &Delivery) {
    let pass = linter.pass;
    let count = pass.summary().map(|incident| incident.sys_mod_count);
    linter.find_if(count != Some(delivery.expected_mod_count), Check::StaleExpectation, || here.to_owned());
    let own = pass.link.memory.case.as_ref();
    let is_own = own.is_some_and(|own| own.case_id.as_str() == delivery.columns.own(CASE_ID));
    linter.find_if(!is_own, Check::ColumnsOfAnotherCase, || here.to_owned());
}

fn check_fields(linter: &mut Linter, here: &str, delivery: &Delivery, incident: &IncidentSummary) {
    let (fields, here) = (&delivery.fields, || here.to_owned());
    let overwrites = (incident.has_close_code && !fields.close_code.is_empty())
        || (incident.has_close_notes && !fields.close_notes.is_empty());
    linter.find_if(overwrites, Check::AgentsWordsOverwritten, here);
    if fields.state.is_empty() {
        return;
    }
    let state = IncidentState::from(fields.state.clone());
    linter.find_if(incident.state.is_closed(), Check::StateOfClosedIncident, here);
    let is_there = state == incident.state || (state.is_ended() && incident.state.is_ended());
    linter.find_if(is_there, Check::StateAlreadyThere, here);
    let goes_back = state == IncidentState::New && incident.state == IncidentState::InProgress;
    linter.find_if(goes_back, Check::BackToNew, here);
    let case_is_open = !linter.pass.link.memory.case.as_ref().is_some_and(LinkedCase::is_resolved);
    linter.find_if(state.is_ended() && case_is_open, Check::EndOfOpenCase, here);
}
