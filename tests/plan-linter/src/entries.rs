//! Which comments are sent, in what order, and in what parts.

use std::collections::{BTreeMap, BTreeSet};

use casebridge_core::{
    identifiers::{CaseId, JournalEntryId},
    servicenow::{
        incident::JournalEntry,
        journal::{Meaning, unsettled},
    },
    support::{
        Effect,
        call::{Call, Content, Part},
    },
};
use jiff::Timestamp;

use crate::{Check, Linter, place, state_of};

pub(crate) fn check(linter: &mut Linter) {
    let plan = linter.plan;
    let mut sent = Sent::default();
    for (index, effect) in plan.effects.iter().enumerate() {
        let here = place(index, effect);
        match effect {
            Effect::Call(Call::OpenCase { covers, .. }) => {
                for (entry, created_on) in covers {
                    check_entry(linter, &here, entry, *created_on, true);
                    sent.take(linter, &here, entry, *created_on);
                }
            }
            Effect::Call(Call::AddCommunication { content, part, .. }) => {
                let is_open = linter.is_open_after(index);
                check_content(linter, &here, &mut sent, content, is_open);
                sent.check_part(linter, &here, content, *part);
            }
            Effect::Call(Call::ResolveCase { case_id, .. }) => {
                check_resolution(linter, &here, &sent, case_id, linter.is_open_after(index));
            }
            Effect::Deliver(_) if state_of(effect).is_some_and(|state| state.is_ended()) => {
                let is_forgotten = waiting_entries(linter, false).next().is_some();
                linter.find_if(is_forgotten, Check::EndBeforeComments, || here);
            }
            Effect::OpenIncident(_)
            | Effect::HandOver(_)
            | Effect::Deliver(_)
            | Effect::OrderFiles(_)
            | Effect::WriteColumns => {}
        }
    }
    check_overtaken(linter, &sent);
}

/// The texts of a plan so far.
#[derive(Default)]
struct Sent {
    entries: BTreeSet<JournalEntryId>,
    last: Option<(Timestamp, JournalEntryId)>,
    parts: BTreeMap<String, Part>,
    unfinished: Option<String>,
}

impl Sent {
    /// Notes a comment and checks its order. A comment that is on the case in part goes before all others, whenever it
    /// was written.
    fn take(&mut self, linter: &mut Linter, here: &str, entry: &JournalEntryId, created_on: Timestamp) {
        let is_first_part = self.entries.insert(entry.clone());
        if !is_first_part || is_begun(linter, entry) {
            return;
        }
        let moment = (created_on, entry.clone());
        linter.find_if(self.last.as_ref() > Some(&moment), Check::EntriesOutOfOrder, || here.to_owned());
        self.last = Some(moment);
    }

    /// Checks that the parts of a text follow each other, from the first part that is not on the case, with nothing
    /// between them.
    fn check_part(&mut self, linter: &mut Linter, here: &str, content: &Content, part: Part) {
        let name = content.name();
        let is_between = self.unfinished.as_ref().is_some_and(|unfinished| *unfinished != name);
        let earlier = self.parts.get(&name).copied();
        let is_whole = earlier.is_some_and(Part::is_last);
        linter.find_if(is_whole, Check::TextSentTwice, || here.to_owned());
        let partly = linter.pass.link.memory.partly_sent.as_ref().filter(|partly| partly.content == *content);
        let on_case = partly.map_or((0, 0), |partly| (partly.parts, partly.bytes));
        let (number, end) = earlier.map_or(on_case, |earlier| (earlier.number, earlier.end));
        let follows = part.number == number.saturating_add(1) && part.number <= part.of && part.end >= end;
        let after_left_out = earlier.is_some_and(|earlier| earlier.left_out);
        let is_wrong = !is_whole && (is_between || !follows || after_left_out);
        linter.find_if(is_wrong, Check::PartsOutOfOrder, || here.to_owned());
        self.unfinished = (!part.is_last()).then(|| name.clone());
        self.parts.insert(name, part);
    }
}

fn is_begun(linter: &Linter, entry: &JournalEntryId) -> bool {
    let partly = linter.pass.link.memory.partly_sent.as_ref();
    partly.is_some_and(|partly| matches!(&partly.content, Content::Entry { entry: begun, .. } if begun == entry))
}

fn check_content(linter: &mut Linter, here: &str, sent: &mut Sent, content: &Content, is_open: bool) {
    match content {
        Content::Entry { entry, created_on } => {
            check_entry(linter, here, entry, *created_on, is_open);
            sent.take(linter, here, entry, *created_on);
            let is_owed = linter.pass.link.memory.opening_remainder.is_some() && !sent.parts.contains_key("opening");
            linter.find_if(is_owed, Check::EntriesOutOfOrder, || here.to_owned());
        }
        Content::ReopenNotice => {
            let overtakes = waiting_entries(linter, is_open).any(|entry| !sent.entries.contains(&entry.sys_id));
            linter.find_if(overtakes, Check::EntryOvertaken, || here.to_owned());
        }
        Content::OpeningRemainder | Content::Files(_) | Content::FileNotice(_) | Content::DoubleNotice(_) => {}
    }
}

/// Checks whether a comment may be sent at all.
fn check_entry(linter: &mut Linter, here: &str, name: &JournalEntryId, created_on: Timestamp, is_open: bool) {
    let pass = linter.pass;
    let there = || format!("{here}, comment {name}");
    let journal = &pass.link.journal;
    let is_settled =
        journal.settled.contains_key(name) || journal.settled_before.is_some_and(|floor| created_on < floor);
    linter.find_if(is_settled, Check::SettledEntry, there);
    let read = pass.incident.iter().flat_map(|incident| &incident.entries).find(|entry| entry.sys_id == *name);
    let Some((entry, summary)) = read.zip(pass.summary()) else {
        return linter.find(Check::UnknownEntry, there());
    };
    linter.find_if(!entry.is_for_aws(), Check::PrivateEntry, there);
    match journal.meaning(entry, summary) {
        Meaning::AfterClosing | Meaning::Platform => linter.find(Check::EntryNotForAws, there()),
        Meaning::Reaction | Meaning::Repeated if !is_open => linter.find(Check::EntryOnEndedIncident, there()),
        // `PrivateEntry` covers comments of unclear origin.
        Meaning::Message | Meaning::Reaction | Meaning::Repeated | Meaning::Unclear => {}
    }
}

/// Returns the comments that were read and have to be sent before anything else, the oldest first.
fn waiting_entries<'a>(linter: &Linter<'a>, is_open: bool) -> impl Iterator<Item = &'a JournalEntry> {
    let pass = linter.pass;
    let entries = pass.summary().map(|summary| (unsettled(&pass.link.journal, pass.incident.as_ref()), summary));
    entries.into_iter().flat_map(move |(entries, summary)| {
        entries.into_iter().filter(move |entry| match pass.link.journal.meaning(entry, summary) {
            Meaning::Message => true,
            Meaning::Reaction | Meaning::Repeated => is_open,
            Meaning::AfterClosing | Meaning::Platform | Meaning::Unclear => false,
        })
    })
}

/// Checks that a plan sends no comment before an older one.
fn check_overtaken(linter: &mut Linter, sent: &Sent) {
    let Some((created_on, last)) = &sent.last else { return };
    let is_open = linter.is_open_after(linter.plan.effects.len());
    let overtaken: Vec<&JournalEntry> = waiting_entries(linter, is_open)
        .filter(|entry| {
            (entry.created_on, &entry.sys_id) < (*created_on, last) && !sent.entries.contains(&entry.sys_id)
        })
        .collect();
    for entry in overtaken {
        linter.find(Check::EntryOvertaken, format!("comment {}", entry.sys_id));
    }
}

/// Checks that the case is resolved after the last comment, and after the rest of each text.
fn check_resolution(linter: &mut Linter, here: &str, sent: &Sent, case: &CaseId, is_open: bool) {
    let memory = &linter.pass.link.memory;
    if memory.case.as_ref().is_none_or(|own| own.case_id != *case) {
        return;
    }
    let is_owed = memory.opening_remainder.is_some() && !sent.parts.contains_key("opening");
    let overtakes = is_owed || waiting_entries(linter, is_open).any(|entry| !sent.entries.contains(&entry.sys_id));
    linter.find_if(overtakes, Check::EntryOvertaken, || here.to_owned());
    linter.find_if(sent.unfinished.is_some(), Check::PartsOutOfOrder, || here.to_owned());
}
