//! What a pass has read of the case, and what follows from it for the link.

use jiff::Timestamp;

use crate::{
    policy::Policy,
    servicenow::incident::{Incident, IncidentState},
    support::{
        Link, Pass,
        case::{Case, Communication},
        columns::names_unknown_case,
        memory::{CREATION_UNDECIDED_FOR, GivenUpCase, Memory},
        read::Reads,
    },
};

/// What a pass has read of the case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact that a read shows")]
pub struct Sight {
    /// The case, if it was read in this pass.
    pub case: Option<Case>,
    /// The communications that were read and are not settled, in the order in which they were written.
    pub shown: Vec<Communication>,
    /// Whether `shown` has all of them: of very many communications only the oldest are taken in at once.
    pub shown_all: bool,
    /// Whether the last read showed a customer's text that no earlier read has shown.
    pub(super) customer_wrote: bool,
    /// Whether the last read leaves out something known that is newer than all that it shows.
    pub(super) is_behind: bool,
    /// Whether the case that the incident's columns name belongs to another link: the incident is a copy.
    pub columns_of_another: bool,
    /// The reads that are under way.
    pub(super) reads: Reads,
    /// Whether the link is the first that waits for its account's quota; `None` if the ledger was not asked.
    pub first_in_line: Option<bool>,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            case: None,
            shown: Vec::new(),
            shown_all: true,
            customer_wrote: false,
            is_behind: false,
            columns_of_another: false,
            reads: Reads::default(),
            first_in_line: None,
        }
    }
}

impl Pass {
    /// Whether communications may be missing from what is known: the link's case was not read, or not all of it was
    /// taken in.
    pub fn may_miss_communications(&self) -> bool {
        self.link.memory.case.is_some() && (self.aws.case.is_none() || !self.aws.shown_all)
    }

    /// Forgets given-up cases that can't show up any more.
    pub(super) fn forget_given_up_cases(&mut self, now: Timestamp) {
        let can_show_up = |given_up: &GivenUpCase| now.duration_since(given_up.written_at) < CREATION_UNDECIDED_FOR;
        let Memory { given_up_cases, given_up_remainders, .. } = &mut self.link.memory;
        given_up_cases.retain(can_show_up);
        given_up_remainders.retain(|hash, _| given_up_cases.iter().any(|case| case.remainder.as_ref() == Some(hash)));
    }

    /// Returns whether work on the case has ended, if the accepted status and the read agree on it. Returns `None` if
    /// they differ or if the read proves nothing. A status that is not accepted yet may be true all the same, and a
    /// read that leaves out something newer proves no end.
    pub(super) fn shown_end(&self) -> Option<bool> {
        let case = self.link.memory.case.as_ref().filter(|case| case.status.is_some())?;
        let ended = case.is_resolved();
        let is_shown = self.aws.case.as_ref().is_some_and(|shown| shown.status.is_resolved() == ended);
        (is_shown && !(ended && self.aws.is_behind)).then_some(ended)
    }

    /// Forgets communications that can't matter any more. Does nothing unless the case was read with all its
    /// communications.
    pub(super) fn compact_conversation(&mut self, policy: &Policy, now: Timestamp) {
        let open_files = self.first_with_open_files();
        if let Some(case) = self.aws.case.as_ref().filter(|case| case.communications_complete) {
            let newest = case.communications.iter().map(|communication| communication.time_created).max();
            let last = self.aws.shown.last().map(|last| last.raw.time_created).filter(|_| !self.aws.shown_all);
            if self.aws.shown_all {
                self.link.memory.conversation.forget_vanished(&self.aws.shown, now, policy.unknown_outcome());
            }
            let last = last.into_iter().chain(open_files).min();
            self.link.memory.conversation.compact(newest, last, now, policy.unknown_outcome());
        }
    }

    /// Ends the wait for a quota if the link has a case, if the incident asks for no case any more or is gone, or if it
    /// belongs to another account by now. Otherwise updates the priority of the wait.
    pub(super) fn leave_line(&mut self) {
        let wants_case = self.incident.as_ref().is_none_or(is_in_scope);
        let account = self.incident.as_ref().and_then(|incident| incident.account.as_ref());
        let waits = self.link.memory.waits_for_quota.as_ref();
        let moved = account.zip(waits).is_some_and(|(account, wait)| account.number != wait.account);
        if self.link.memory.case.is_some() || !wants_case || self.incident_gone || moved {
            self.link.memory.waits_for_quota = None;
        } else if let (Some(wait), Some(incident)) = (&mut self.link.memory.waits_for_quota, &self.incident) {
            wait.priority.clone_from(&incident.priority);
        }
    }

    /// Records since when the incident has named a case that casebridge does not know, if it names one now.
    pub(super) fn note_unknown_case(&mut self, now: Timestamp) {
        let Some(incident) = &self.incident else { return };
        let since = self.link.memory.unknown_case_since.unwrap_or(now);
        self.link.memory.unknown_case_since = names_unknown_case(self, incident).then_some(since);
    }

    /// Whether every text that was written at AWS since work ended has reopened the link before. False if there is no
    /// such text.
    pub(crate) fn is_repeated_reopening(&self) -> bool {
        let since_end = &self.link.memory.texts_since_end;
        let pending = self.unreceived_communications();
        let none = since_end.is_empty() && pending.is_empty();
        let repeated = &self.link.journal.reopening_texts;
        !none
            && since_end.iter().all(|text| repeated.contains(text))
            && self
                .link
                .journal
                .all_reopened_before(pending.iter().map(|communication| communication.raw.body.as_str()))
    }

    /// Returns the communications that others wrote and that go to the incident now, in the order in which they were
    /// written.
    pub fn unreceived_communications(&self) -> Vec<&Communication> {
        self.link.memory.conversation.deliverable(&self.aws.shown)
    }
}

/// Whether an incident asks for a case: it is open, its group stands for an active account, and its service and
/// category codes are set.
pub(crate) fn is_in_scope(incident: &Incident) -> bool {
    let codes = !incident.service_code.is_empty() && !incident.category_code.is_empty();
    incident.account.is_some() && codes && !incident.summary.state.is_ended()
}

/// Returns the state that the policy's status table asks for. Returns `None` unless both sides are open, the case's
/// status is new, and the incident's state is incompatible with it.
///
/// A state that an agent set is kept unless it contradicts the status. An On Hold that casebridge set itself may be
/// taken back.
pub(crate) fn state_wanted(policy: &Policy, link: &Link) -> Option<IncidentState> {
    let (incident, case) = (link.incident.as_ref()?, link.memory.case.as_ref()?);
    let status = case.status.as_ref()?;
    let open = !incident.state.is_ended() && !status.is_resolved();
    if !open || link.memory.agreed_status.as_ref() == Some(status) {
        return None;
    }
    let rule = policy.state_by_case_status.get(status.as_str())?;
    let written_by_us = link.base.state_written.as_ref() == Some(&incident.state)
        && incident.state == IncidentState::OnHold
        && rule.state != IncidentState::OnHold;
    // A state that only this instance knows is an agent's choice: the table does not cover it.
    let unknown = matches!(incident.state, IncidentState::Other(_));
    let compatible = unknown || incident.state == rule.state || rule.compatible.contains(&incident.state);
    (!compatible || written_by_us).then(|| rule.state.clone())
}
