//! What one pass sees of both sides, folded into what the link remembers.
//!
//! Reads may be late: AWS shows a write only after a while, and a read may show less than an earlier one did. So lists
//! are unioned by identity, absence means nothing, and a status that goes back is believed only with evidence.

mod case;
mod incident;
mod outcome;

use jiff::{SignedDuration, Timestamp};

pub(crate) use self::incident::state_known_at;
pub use self::outcome::backoff;
pub(crate) use self::outcome::{deliver_request, fields_request, open_case_request, request_of};
use crate::{
    case::{Case, Communication},
    effect::Content,
    identifiers::LinkKey,
    incident::{Incident, IncidentState, IncidentSummary, JournalEntry},
    journal::{Meaning, unsettled},
    link::{CREATION_UNDECIDED_FOR, GivenUpCase, Link, LinkedCase, Notice},
    pause::Pause,
    plan::Plan,
    policy::Policy,
};

/// How long an update count below the remembered one must last to be believed: a node lags for less.
pub(crate) const LOWER_COUNT_LASTS: SignedDuration = SignedDuration::from_mins(1);

/// The request that a trouble with reading names: the next read that succeeds ends it.
pub const READ_REQUEST: &str = "read";
/// The request that a trouble with refused messages names.
pub(crate) const MESSAGES_REQUEST: &str = "messages";
/// The request that a trouble with a refused update of the columns alone names.
pub(crate) const COLUMNS_REQUEST: &str = "columns";
/// What the request begins with that a trouble with a refused CreateCase names.
pub(crate) const OPEN_REQUEST: &str = "open ";
/// The request that a trouble with a refused communication names, once none in its place was accepted, either.
pub(crate) const COMMUNICATION_REQUEST: &str = "communication";
/// The request that a trouble with a refused resolution names.
pub(crate) const RESOLUTION_REQUEST: &str = "resolution";
/// The request that a trouble with a doubled case names.
pub(crate) const DOUBLE_REQUEST: &str = "double";

/// What a pass knows: the link as remembered, and what was read in this pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that a read or the trigger tells")]
pub struct Observation {
    /// The link's key.
    pub key: LinkKey,
    /// The link's memory, brought up to date with each read and each outcome.
    pub link: Link,
    /// The incident, if it was read in this pass.
    pub incident: Option<Incident>,
    /// Whether the trigger asks for a read of the incident: the memory does not stand in for it.
    pub incident_wanted: bool,
    /// Whether a read found no incident.
    pub incident_gone: bool,
    /// Whether ServiceNow serves the incident to nobody: it is there, and none of ours.
    pub incident_not_served: bool,
    /// The case, if it was read in this pass.
    pub case: Option<Case>,
    /// Its communications that are not settled, as far as they were read, in the order of their writing.
    pub shown: Vec<Communication>,
    /// Whether that is all of them: of very many only the oldest are taken in at once.
    pub shown_all: bool,
    /// Whether the last read was the first to show what a customer wrote at AWS.
    customer_wrote: bool,
    /// Whether the last read leaves out something newer that is known.
    is_behind: bool,
    /// Whether the case that the incident's columns name is another link's: the incident is a copy.
    pub columns_of_another: bool,
    /// Of an incident that waits for its account's quota: whether it is the first in line.
    pub first_in_line: Option<bool>,
    /// Whether the link was woken before its time: another one got a case, and this one may be next.
    pub woken: bool,
}

impl Observation {
    /// A pass that has read nothing yet.
    pub fn new(key: LinkKey, link: Link) -> Self {
        Self {
            key,
            link,
            incident: None,
            incident_wanted: false,
            incident_gone: false,
            incident_not_served: false,
            case: None,
            shown: Vec::new(),
            shown_all: true,
            customer_wrote: false,
            is_behind: false,
            columns_of_another: false,
            first_in_line: None,
            woken: false,
        }
    }

    /// Forgets what this pass has read, since it has waited: both sides are read again. What woke the link still counts.
    pub fn look_again(&mut self) {
        let (key, link) = (self.key.clone(), std::mem::take(&mut self.link));
        *self = Self { woken: self.woken, ..Self::new(key, link) };
    }

    /// Whether the incident must be read: the memory does not stand in for it.
    pub fn needs_incident(&self) -> bool {
        let is_recorded = self.link.settled && !self.link.interrupted && self.link.state_intent.is_none();
        // A case that was opened twice is written to: whether that may be, the incident says.
        let has_double = self.link.doubles.iter().any(|double| !double.resolved);
        let stands_in = is_recorded && self.link.case.is_some() && !has_double;
        let is_settled = self.incident_gone || self.incident_not_served;
        self.incident.is_none() && !is_settled && (self.incident_wanted || !stands_in)
    }

    /// Whether comments may be missing from what is known: the incident should have been read and was not, or not up to its
    /// newest comment.
    pub fn is_blind_to_incident(&self) -> bool {
        self.needs_incident() || self.incident.as_ref().is_some_and(|incident| !incident.entries_complete)
    }

    /// Whether communications may be missing from what is known: the case was not read, or not all of it was taken in.
    pub fn is_blind_to_case(&self) -> bool {
        self.link.case.is_some() && (self.case.is_none() || !self.shown_all)
    }

    /// What pauses the link, if anything does. One whose work has ended on both sides has nothing to hold back: it would be
    /// looked at for ever in an account that is never used again.
    pub(crate) fn pause(&self, policy: &Policy) -> Option<Pause> {
        Pause::of(policy, &self.link).filter(|_| !self.is_at_rest())
    }

    /// Whether work has ended on both sides and nothing is left to be sent.
    fn is_at_rest(&self) -> bool {
        let has_ended = self.link.case.as_ref().is_some_and(LinkedCase::is_resolved)
            && self.summary().is_some_and(|incident| incident.state.is_ended());
        let is_recorded = self.link.intent.is_none() && self.link.doubles.iter().all(|double| double.resolved);
        let is_sent = self.link.opening_remainder.is_none() && self.unsent_entries(false).is_empty();
        has_ended && is_recorded && is_sent && !self.has_reaction() && !self.is_blind_to_incident()
    }

    /// The texts of the comments that would reopen the link now.
    fn reactions(&self) -> Vec<String> {
        let Some(summary) = self.summary() else { return Vec::new() };
        let reacts = |entry: &&JournalEntry| self.link.journal.meaning(entry, summary) == Meaning::Reaction;
        let entries = unsettled(&self.link.journal, self.incident.as_ref());
        entries.into_iter().filter(reacts).map(|entry| entry.text.clone()).collect()
    }

    /// Ends a pass after its last plan: forgets what is settled, and says when to look again, if nothing happens before.
    ///
    /// A link that has something left to do, or did not see what it needs, always has such a moment: a failure of this pass
    /// is a wait of this pass, however long ago its time came.
    pub fn finish(&mut self, policy: &Policy, plan: &Plan, now: Timestamp) -> Option<Timestamp> {
        let in_doubt = self.link.intent.as_ref().map(|intent| request_of(&intent.kind));
        self.link.troubles.forget_passed(now, in_doubt);
        let can_show_up = |given_up: &GivenUpCase| now.duration_since(given_up.written_at) < CREATION_UNDECIDED_FOR;
        self.link.given_up_cases.retain(can_show_up);
        let unseen = !self.incident_gone && (self.is_blind_to_incident() || self.is_blind_to_case());
        self.link.settled = plan.is_settled() && !unseen;
        self.leave_line();
        self.compact(policy, now);
        if !plan.effects.is_empty() {
            return Some(now);
        }
        let next_try = || now.checked_add(backoff(policy, 1)).unwrap_or(now);
        plan.due().or_else(|| unseen.then(next_try))
    }

    /// An incident that asks for no case any more does not wait for one.
    fn leave_line(&mut self) {
        let wants_case = self.incident.as_ref().is_none_or(is_in_scope);
        if self.link.case.is_some() || !wants_case || self.incident_gone {
            self.link.waits_for_quota = None;
        } else if let (Some(wait), Some(incident)) = (&mut self.link.waits_for_quota, &self.incident) {
            wait.priority.clone_from(&incident.priority);
        }
    }

    /// Whether it is known what was delivered: otherwise later reads of the incident must reach back to that time.
    fn is_recorded(&self) -> bool {
        self.link.case.is_some() && !self.link.interrupted
    }

    /// Forgets what is older than all that may still come. A link of ten thousand messages remembers as much as one of ten.
    fn compact(&mut self, policy: &Policy, now: Timestamp) {
        if let Some(incident) = self.incident.as_ref().filter(|_| self.is_recorded()) {
            self.link.journal.compact(incident, policy.unknown_outcome());
        }
        if let Some(case) = self.case.as_ref().filter(|case| case.communications_complete) {
            let newest = case.communications.iter().map(|communication| communication.time_created).max();
            let last = self.shown.last().map(|last| last.raw.time_created).filter(|_| !self.shown_all);
            if self.shown_all {
                self.link.conversation.forget_vanished(&self.shown, now, policy.unknown_outcome());
            }
            self.link.conversation.compact(newest, last, now, policy.unknown_outcome());
        }
    }

    /// Moves the base where both sides agree.
    fn agree(&mut self, policy: &Policy) {
        let (Some(incident), Some(case)) = (&self.link.incident, &self.link.case) else { return };
        if case.status.is_none() || incident.state.is_ended() != case.is_resolved() {
            return;
        }
        // What the read shows may not be believed yet and be true all the same; an older one proves nothing.
        let ended = case.is_resolved();
        let is_shown = self.case.as_ref().is_some_and(|shown| shown.status.is_resolved() == ended);
        if !is_shown || (ended && self.is_behind) {
            return;
        }
        if ended {
            let seen_at = self.incident.as_ref().map(|incident| incident.taken_at);
            self.link.journal.end_seen_at = self.link.journal.end_seen_at.or(seen_at);
            self.link.notices.retain(|notice| matches!(notice, Notice::CommentAfterClosing { .. }));
        } else {
            self.link.notices.retain(|notice| !matches!(notice, Notice::CommentAfterClosing { .. }));
        }
        if ended != self.link.base.ended {
            self.link.base.texts_since_end.clear();
            self.link.base.customer_wrote = false;
        }
        self.link.base.ended = ended;
        if state_wanted(policy, &self.link).is_none() {
            self.link.base.case_status = self.link.case.as_ref().and_then(|case| case.status.clone());
        }
    }

    /// The comments that people wrote and that go to the case now, in the order in which they were written: all of them where
    /// the incident is open or is about to be, else those that were written before its end.
    pub fn unsent_entries(&self, is_open: bool) -> Vec<&JournalEntry> {
        let Some(summary) = self.summary() else { return Vec::new() };
        let mut entries = unsettled(&self.link.journal, self.incident.as_ref());
        entries.retain(|entry| match self.link.journal.meaning(entry, summary) {
            Meaning::Message => true,
            Meaning::Reaction | Meaning::Repeated => is_open,
            Meaning::AfterClosing | Meaning::Platform | Meaning::Unclear => false,
        });
        // What is sent in part goes on before what turned up meanwhile, even if that was written in the same second.
        let partly_sent = self.link.partly_sent.as_ref().map(|partly| &partly.content);
        let is_begun = |entry: &JournalEntry| matches!(partly_sent, Some(Content::Entry { entry: begun, .. }) if *begun == entry.sys_id);
        entries.sort_by_key(|entry| !is_begun(entry));
        entries
    }

    /// Whether a comment was written after the end of work and reopens both sides.
    pub fn has_reaction(&self) -> bool {
        !self.reactions().is_empty()
    }

    /// When it is known whose the comments of unclear origin are, if there are any.
    pub(crate) fn clear_at(&self, policy: &Policy) -> Option<SignedDuration> {
        let incident = self.incident.as_ref()?;
        let unclear = unsettled(&self.link.journal, Some(incident)).into_iter().filter(|entry| entry.undecided);
        let age = |entry: &JournalEntry| incident.taken_at.duration_since(entry.created_on);
        unclear.map(|entry| (policy.unknown_outcome() - age(entry)).max(SignedDuration::ZERO)).min()
    }

    /// Whether all that was written at AWS since the end of work has reopened the link before.
    pub(crate) fn is_repeated_reopening(&self) -> bool {
        let since_end = &self.link.base.texts_since_end;
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

    /// The communications that others wrote and that go to the incident now, in the order of their writing.
    pub fn unreceived_communications(&self) -> Vec<&Communication> {
        self.link.conversation.deliverable(&self.shown)
    }

    /// The incident as last seen.
    pub fn summary(&self) -> Option<&IncidentSummary> {
        self.link.incident.as_ref()
    }
}

/// Whether an incident asks for a case: its group stands for an active account, its codes are set, it is open.
pub(crate) fn is_in_scope(incident: &Incident) -> bool {
    let codes = !incident.service_code.is_empty() && !incident.category_code.is_empty();
    incident.account.is_some() && codes && !incident.summary.state.is_ended()
}

/// The state that the status table asks for, if the case's status is new and the incident's state incompatible with it.
///
/// What an agent set is left alone unless it contradicts the status; what casebridge itself set, it may take back.
pub(crate) fn state_wanted(policy: &Policy, link: &Link) -> Option<IncidentState> {
    let (incident, case) = (link.incident.as_ref()?, link.case.as_ref()?);
    let status = case.status.as_ref()?;
    let open = !incident.state.is_ended() && !status.is_resolved();
    if !open || link.base.case_status.as_ref() == Some(status) {
        return None;
    }
    let rule = policy.state_by_case_status.get(status.as_str())?;
    let written_by_us = link.base.state_written.as_ref() == Some(&incident.state)
        && incident.state == IncidentState::OnHold
        && rule.state != IncidentState::OnHold;
    // A state of the instance's own is an agent's choice that the table knows nothing of.
    let unknown = matches!(incident.state, IncidentState::Other(_));
    let compatible = unknown || incident.state == rule.state || rule.compatible.contains(&incident.state);
    (!compatible || written_by_us).then(|| rule.state.clone())
}
