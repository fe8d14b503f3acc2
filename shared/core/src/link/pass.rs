//! One pass over a link: what it remembers, and what was read of both sides.
//!
//! Reads may be late: a side shows a write only after a while, and a read may show less than an earlier one did. So lists
//! are unioned by identity, absence means nothing, and a status that goes back is believed only with evidence.

mod incident;
mod look;
mod outcome;

use jiff::{SignedDuration, Timestamp};

pub(crate) use self::{incident::state_known_at, outcome::longer_each_time};
pub use self::{
    look::{Look, Read, Seen},
    outcome::backoff,
};
use crate::{
    identifiers::LinkKey,
    link::{Link, kind::Kind, pause::Pause, plan::Plan},
    policy::Policy,
    servicenow::{
        incident::{Incident, IncidentState, IncidentSummary, JournalEntry},
        journal::{Meaning, unsettled},
    },
};

/// How long an update count below the remembered one must last to be believed: a node lags for less.
pub(crate) const LOWER_COUNT_LASTS: SignedDuration = SignedDuration::from_mins(1);

/// What a pass knows: the link as remembered, and what was read in this pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that a read or the trigger tells")]
pub struct Pass<K: Kind> {
    /// The link's key.
    pub key: LinkKey,
    /// The link's memory, brought up to date with each read and each outcome.
    pub link: Link<K>,
    /// What was read of the AWS side in this pass.
    pub aws: K::Sight,
    /// The incident, if it was read in this pass.
    pub incident: Option<Incident>,
    /// Whether the trigger asks for a read of the incident: the memory does not stand in for it.
    pub incident_wanted: bool,
    /// Whether the look that is under way has still to ask for the incident.
    pub asks_for_incident: bool,
    /// Whether a read found no incident.
    pub incident_gone: bool,
    /// Whether ServiceNow serves the incident to nobody: it is there, and none of ours.
    pub incident_not_served: bool,
    /// Whether the link was woken before its time: another one got what both wait for, and this one may be next.
    pub woken: bool,
}

impl<K: Kind> Pass<K> {
    /// A pass that has read nothing yet.
    pub fn new(key: LinkKey, link: Link<K>) -> Self {
        Self {
            key,
            link,
            aws: K::Sight::default(),
            incident: None,
            incident_wanted: false,
            asks_for_incident: false,
            incident_gone: false,
            incident_not_served: false,
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
        let stands_in =
            is_recorded && K::account(&self.link.memory).is_some() && !K::asks_for_incident(&self.link.memory);
        let is_settled = self.incident_gone || self.incident_not_served;
        self.incident.is_none() && !is_settled && (self.incident_wanted || !stands_in)
    }

    /// Whether comments may be missing from what is known: the incident should have been read and was not, or not up to its
    /// newest comment.
    pub fn is_blind_to_incident(&self) -> bool {
        self.needs_incident() || self.incident.as_ref().is_some_and(|incident| !incident.entries_complete)
    }

    /// What pauses the link, if anything does. One whose work has ended on both sides has nothing to hold back: it would be
    /// looked at for ever in an account that is never used again.
    pub(crate) fn pause(&self, policy: &Policy) -> Option<Pause> {
        Pause::of(policy, &self.link).filter(|_| !self.is_at_rest())
    }

    /// Whether the account of the case is out of use in ServiceNow: that AWS refuses its reads is no news then.
    pub fn is_account_out_of_use(&self, policy: &Policy) -> bool {
        matches!(self.pause(policy), Some(Pause::AccountInactive { .. } | Pause::AccountMissing { .. }))
    }

    /// Takes in that the incident is not found. Of a link that has no record nothing is remembered.
    pub(crate) fn see_gone(&mut self, now: Timestamp) {
        self.incident_gone = true;
        if K::account(&self.link.memory).is_some() {
            self.link.gone_since.get_or_insert(now);
        }
    }

    /// Whether work has ended on both sides and nothing is left to be sent.
    fn is_at_rest(&self) -> bool {
        let has_ended = self.summary().is_some_and(|incident| incident.state.is_ended());
        let is_sent = self.link.intent.is_none() && self.unsent_entries(false).is_empty();
        has_ended && K::is_at_rest(&self.link.memory) && is_sent && !self.has_reaction() && !self.is_blind_to_incident()
    }

    /// The texts of the comments that would reopen the link now.
    fn reactions(&self) -> Vec<String> {
        let Some(summary) = self.summary() else { return Vec::new() };
        let reacts = |entry: &&JournalEntry| self.link.journal.meaning(entry, summary) == Meaning::Reaction;
        let entries = unsettled(&self.link.journal, self.incident.as_ref());
        entries.into_iter().filter(reacts).map(|entry| entry.text.clone()).collect()
    }

    /// Whether a comment was written after the end of work and reopens both sides.
    pub fn has_reaction(&self) -> bool {
        !self.reactions().is_empty()
    }

    /// Ends a pass after its last plan: forgets what is settled, and says when to look again, if nothing happens before.
    ///
    /// A link that has something left to do, or did not see what it needs, always has such a moment: a failure of this pass
    /// is a wait of this pass, however long ago its time came.
    pub fn finish(&mut self, policy: &Policy, plan: &Plan<K::Call>, now: Timestamp) -> Option<Timestamp> {
        let mut troubles = std::mem::take(&mut self.link.troubles);
        troubles.forget_passed(now, |refused| self.link.is_in_doubt(refused));
        self.link.troubles = troubles;
        let unseen = !self.incident_gone && (self.is_blind_to_incident() || K::is_blind(self));
        self.link.settled = plan.is_settled() && !unseen;
        K::finish(self, now);
        self.compact(policy, now);
        if !plan.effects.is_empty() {
            return Some(now);
        }
        let next_try = || now.checked_add(backoff(policy, 1)).unwrap_or(now);
        plan.due().or_else(|| unseen.then(next_try))
    }

    /// Whether it is known what was delivered: otherwise later reads of the incident must reach back to that time.
    fn is_recorded(&self) -> bool {
        K::account(&self.link.memory).is_some() && !self.link.interrupted
    }

    /// Forgets what is older than all that may still come. A link of ten thousand messages remembers as much as one of ten.
    fn compact(&mut self, policy: &Policy, now: Timestamp) {
        if let Some(incident) = self.incident.as_ref().filter(|_| self.is_recorded()) {
            self.link.journal.compact(incident, policy.unknown_outcome());
        }
        K::compact(self, policy, now);
    }

    /// Becomes what it will be once this state is on the incident.
    pub(crate) fn expect_state(&mut self, policy: &Policy, state: IncidentState) {
        if let Some(incident) = &mut self.link.incident {
            incident.state = state;
        }
        self.agree(policy);
    }

    /// Moves the base where both sides agree.
    pub fn agree(&mut self, policy: &Policy) {
        let Some((incident, ended)) = self.link.incident.as_ref().zip(K::shown_end(self)) else { return };
        if incident.state.is_ended() != ended {
            return;
        }
        if ended {
            let seen_at = self.incident.as_ref().map(|incident| incident.taken_at);
            self.link.journal.end_seen_at = self.link.journal.end_seen_at.or(seen_at);
        }
        self.link.notices.retain(|notice| notice.lasts(ended));
        if ended != self.link.base.ended {
            K::turned(&mut self.link.memory);
        }
        self.link.base.ended = ended;
        K::agreed(self, policy);
    }

    /// The comments that people wrote and that go to the record now, in the order in which they were written: all of them where
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
        let begun = K::begun_entry(&self.link.memory);
        let is_begun = |entry: &JournalEntry| begun == Some(&entry.sys_id);
        entries.sort_by_key(|entry| !is_begun(entry));
        entries
    }

    /// When it is known whose the comments of unclear origin are, if there are any.
    pub(crate) fn clear_at(&self, policy: &Policy) -> Option<SignedDuration> {
        let incident = self.incident.as_ref()?;
        let unclear = unsettled(&self.link.journal, Some(incident)).into_iter().filter(|entry| entry.undecided);
        let age = |entry: &JournalEntry| incident.taken_at.duration_since(entry.created_on);
        unclear.map(|entry| (policy.unknown_outcome() - age(entry)).max(SignedDuration::ZERO)).min()
    }

    /// The incident as last seen.
    pub fn summary(&self) -> Option<&IncidentSummary> {
        self.link.incident.as_ref()
    }
}
