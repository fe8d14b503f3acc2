//! What follows a record that can't be reopened: another case for the incident of a case that AWS no longer reopens, and
//! another incident for the case of an incident that is closed.

use jiff::{SignedDuration, Timestamp};

use crate::{
    identifiers::{IncidentId, LinkKey},
    link::{
        Opening,
        kind::HandedOver,
        trouble::{Request, Side},
    },
    policy::{OldCaseRule, Policy},
    servicenow::journal::Journal,
    support::{
        Link, Pass, SupportCase,
        call::RefusedCall,
        conversation::Conversation,
        memory::{FormerCase, LinkedCase, MAXIMUM_FORMER_CASES, Memory},
        render,
        sight::{Sight, is_in_scope},
    },
};

/// How long after its resolution a case certainly accepts texts: AWS says 14 days, and casebridge may see the
/// resolution late.
pub(super) const REOPENABLE_FOR: SignedDuration = SignedDuration::from_hours(13 * 24);
/// How long after its resolution AWS reopens a case at most. casebridge never sees the resolution earlier. A text that AWS
/// took and does not show proves no age before that, as a refusal does: its request may be lost.
pub(super) const REOPENED_WITHIN: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Returns the generation of the next incident of a link's case. The first incident has generation 1.
pub(super) fn next_generation(memory: &Memory) -> u32 {
    memory.generation.max(1).saturating_add(1)
}

/// Returns the link of the next incident of a link's case.
pub(super) fn next_link(case: &LinkedCase, memory: &Memory) -> LinkKey {
    LinkKey::support_case(IncidentId::of_case(&case.key(), next_generation(memory)))
}

impl Pass {
    /// Whether everything that people wrote on the incident is on the case, and no file is under way.
    pub(super) fn sent_everything(&self) -> bool {
        let memory = &self.link.memory;
        let has_begun = memory.partly_sent.is_some() || memory.opening_remainder.is_some();
        !has_begun && self.unsent_entries(false).is_empty() && memory.files.are_settled()
    }

    /// Returns this link without its case, and what the link of the next incident remembers: the case with its
    /// conversation, so that the next incident gets only the messages that the closed one does not have. No message is begun on
    /// the closed one then: one that was may still land there. Texts that have reopened
    /// the case once reopen it no more. Returns `None` if the link has no case.
    pub(super) fn handed_over(&self, to: &LinkKey) -> Option<HandedOver<SupportCase>> {
        self.link.memory.case.as_ref()?;
        let (mut own, mut memory) = (self.link.clone(), self.link.memory.clone());
        own.memory = Memory { handed_over_to: Some(to.clone()), ..Memory::default() };
        let mut journal = Journal::default();
        journal.reopened_by_hashes(self.link.journal.reopening_texts.iter().cloned());
        journal.reopened_by_hashes(std::mem::take(&mut memory.texts_since_end));
        memory.generation = next_generation(&memory);
        memory.agreed_status = None;
        memory.customer_wrote = false;
        let number = self.summary().map(|incident| incident.number.clone()).unwrap_or_default();
        let opening = Some(Opening { continues: Some(number), ..Opening::default() });
        Some(HandedOver { own, successor: Link { memory, opening, journal, ..Link::default() } })
    }

    /// Leaves a case that AWS no longer reopens, after it refused a text or did not apply it. The next plan opens another
    /// case, with the texts that are not sent yet. Returns false if the link keeps the case: it may be reopened, the policy
    /// says so, the incident would get no other one, or something of the case still waits for its delivery to the incident.
    pub(super) fn leave_old_case(&mut self, policy: &Policy, now: Timestamp) -> bool {
        let memory = &self.link.memory;
        let is_old = memory.case.as_ref().is_some_and(|case| case.is_resolved_for(REOPENABLE_FOR, now));
        let asks_for_case = self.incident.as_ref().is_some_and(is_in_scope);
        let has_files = memory.files.has_received_all();
        let is_delivered = memory.conversation.newest_undelivered().is_none() && memory.notes.is_empty() && has_files;
        if policy.case_too_old_to_reopen != OldCaseRule::OpenCase || !is_old || !asks_for_case || !is_delivered {
            return false;
        }
        let memory = &mut self.link.memory;
        let Some(LinkedCase { account, case_id, display_id, .. }) = memory.case.take() else { return false };
        memory.former_cases.push(FormerCase { account, case_id, display_id });
        let surplus = memory.former_cases.len().saturating_sub(MAXIMUM_FORMER_CASES);
        memory.former_cases.drain(..surplus);
        // The incident is the first one of its next case.
        memory.generation = 0;
        memory.conversation = Conversation::default();
        memory.files.incoming.clear();
        memory.agreed_status = None;
        memory.texts_since_end.clear();
        memory.customer_wrote = false;
        memory.partly_sent = None;
        memory.refused_text = None;
        memory.refused_message = None;
        // The next case is opened with the whole description.
        memory.opening_remainder = None;
        memory.severity_to_set = None;
        memory.full_read_at = None;
        self.link.base.ended = false;
        self.link.troubles.end(Side::Aws, |trouble| trouble.request == Request::Call(RefusedCall::AddCommunication));
        self.aws = Sight::default();
        true
    }

    /// Notes for agents which case the link's new case continues, if it continues one.
    pub(super) fn note_succession(&mut self) {
        if let Some(former) = self.link.memory.former_cases.last() {
            let former = render::former_case_name(former);
            self.note(format!("It continues {former}, which was resolved too long ago to be reopened."));
        }
    }
}
