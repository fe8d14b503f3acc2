//! One pass over a link: what the link remembers, and what was read of both sides.
//!
//! Reads may be late: a side may show a write only after a while, and a read may show less than an earlier one. So
//! lists are united by identity, an absent item proves nothing, and a status that goes back is believed only with
//! evidence.

mod incident;
mod look;
mod outcome;

use jiff::{SignedDuration, Timestamp};

pub(crate) use self::incident::state_known_at;
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
    time,
};

/// How long reads must show an update count below the remembered one before it is believed. A restored record shows it
/// for good, and a lagging node mostly catches up within seconds. If a node lags for longer, the app does not write
/// the fields that are planned from its lower count.
pub(crate) const LOWER_COUNT_LASTS: SignedDuration = SignedDuration::from_mins(1);

/// What a pass knows: the link's memory, and what was read in this pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact from a read or from the trigger")]
pub struct Pass<K: Kind> {
    /// The link's key.
    pub key: LinkKey,
    /// The link's memory, updated with each read and each outcome.
    pub link: Link<K>,
    /// What was read of the AWS side in this pass.
    pub aws: K::Sight,
    /// The incident, if it was read in this pass.
    pub incident: Option<Incident>,
    /// Whether the trigger requires a read of the incident, even if the remembered incident would suffice otherwise.
    pub incident_wanted: bool,
    /// Whether the look under way still has to ask for the incident.
    pub asks_for_incident: bool,
    /// Whether a request to ServiceNow found no incident.
    pub incident_gone: bool,
    /// Whether a read found no incident although the link has still to open it: no earlier try opened it.
    pub incident_not_opened: bool,
    /// Whether the app refused to show the incident: it exists, but it is not linked, not in scope and was never
    /// announced.
    pub incident_not_served: bool,
    /// Whether the link was woken because it was due. Another link may have got what both wait for, so this one may be
    /// next.
    pub woken: bool,
}

impl<K: Kind> Pass<K> {
    /// Returns a pass that has read nothing yet.
    pub fn new(key: LinkKey, link: Link<K>) -> Self {
        Self {
            key,
            link,
            aws: K::Sight::default(),
            incident: None,
            incident_wanted: false,
            asks_for_incident: false,
            incident_gone: false,
            incident_not_opened: false,
            incident_not_served: false,
            woken: false,
        }
    }

    /// Forgets what this pass has read, so that both sides are read again after a wait. Keeps [`Self::woken`].
    pub fn look_again(&mut self) {
        let (key, link) = (self.key.clone(), std::mem::take(&mut self.link));
        *self = Self { woken: self.woken, ..Self::new(key, link) };
    }

    /// Whether this pass still has to read the incident, because the remembered incident does not suffice.
    ///
    /// An incident that has still to be opened is read only after an interrupted pass, which may have opened it and
    /// delivered messages. Otherwise the app answers the opening with the incident, whoever opened it.
    pub fn needs_incident(&self) -> bool {
        if self.link.opening.is_some() {
            return self.link.interrupted && self.incident.is_none() && !self.incident_not_opened;
        }
        let is_recorded = self.link.settled && !self.link.interrupted && self.link.state_intent.is_none();
        let stands_in =
            is_recorded && K::account(&self.link.memory).is_some() && !K::asks_for_incident(&self.link.memory);
        let is_settled = self.incident_gone || self.incident_not_served;
        self.incident.is_none() && !is_settled && (self.incident_wanted || !stands_in)
    }

    /// Whether comments may be missing from what the pass knows: it had to read the incident and did not, or the read
    /// did not reach the newest comment.
    pub fn may_miss_comments(&self) -> bool {
        self.needs_incident() || self.incident.as_ref().is_some_and(|incident| !incident.entries_complete)
    }

    /// Returns what pauses the link, or `None`. A link whose work has ended on both sides does not pause: it has
    /// nothing to hold back, and in an account that is never used again a pause would cause looks forever.
    pub(crate) fn pause(&self, policy: &Policy) -> Option<Pause> {
        Pause::of(policy, &self.link).filter(|_| !self.is_at_rest())
    }

    /// Whether the account of the case is inactive or missing in ServiceNow. Then a refusal of its reads by AWS is
    /// expected.
    pub fn is_account_out_of_use(&self, policy: &Policy) -> bool {
        matches!(self.pause(policy), Some(Pause::AccountInactive { .. } | Pause::AccountMissing { .. }))
    }

    /// Records that the incident is not found. Records the time only if the link remembers something or ServiceNow itself
    /// reported the incident: a text at AWS may name an incident that never was.
    pub(crate) fn see_gone(&mut self, now: Timestamp) {
        self.incident_gone = true;
        if self.incident_wanted || !self.link.is_blank() {
            self.link.gone_since.get_or_insert(now);
        }
    }

    /// Whether work has ended on both sides and nothing is left to send.
    fn is_at_rest(&self) -> bool {
        let has_ended = self.summary().is_some_and(|incident| incident.state.is_ended());
        let is_sent = self.link.intent.is_none() && self.unsent_entries(false).is_empty();
        has_ended && K::is_at_rest(&self.link.memory) && is_sent && !self.has_reaction() && !self.may_miss_comments()
    }

    /// Returns the texts of the reactions: the comments that reopen both sides.
    fn reactions(&self) -> Vec<String> {
        let Some(summary) = self.summary() else { return Vec::new() };
        let reacts = |entry: &&JournalEntry| self.link.journal.meaning(entry, summary) == Meaning::Reaction;
        let entries = unsettled(&self.link.journal, self.incident.as_ref());
        entries.into_iter().filter(reacts).map(|entry| entry.text.clone()).collect()
    }

    /// Whether there is a reaction: a comment that was written after the incident was resolved and reopens both sides.
    pub fn has_reaction(&self) -> bool {
        !self.reactions().is_empty()
    }

    /// Ends a pass after its last plan. Forgets what is settled. Returns when to look again if nothing happens before,
    /// or `None` if only a change on either side requires a look.
    ///
    /// A link always gets such a moment if it has something left to do or did not read what it needs. This also holds
    /// if a trouble of this pass is over before the pass ends.
    pub fn finish(&mut self, policy: &Policy, plan: &Plan<K::Call>, now: Timestamp) -> Option<Timestamp> {
        let mut troubles = std::mem::take(&mut self.link.troubles);
        troubles.forget_passed(now, |refused| self.link.is_in_doubt(refused));
        self.link.troubles = troubles;
        let unseen = !self.incident_gone && (self.may_miss_comments() || K::may_miss_messages(self));
        self.link.settled = plan.is_settled() && !unseen;
        self.forget_kept_columns(now);
        K::finish(self, now);
        self.compact(policy, now);
        if !plan.effects.is_empty() {
            return Some(now);
        }
        let next_try = || time::later(now, backoff(policy, 1));
        plan.due().or_else(|| unseen.then(next_try))
    }

    /// Forgets the last write of the columns if the incident has shown them for long enough. If they are changed later,
    /// they are written at once.
    fn forget_kept_columns(&mut self, now: Timestamp) {
        let Some(incident) = &self.incident else { return };
        self.link.columns_written.take_if(|written| written.are_kept(&incident.summary.columns, now));
    }

    /// Whether the link knows what was delivered. If not, later reads of the incident must reach back to the time
    /// before, so the comments must not be forgotten yet.
    fn is_recorded(&self) -> bool {
        K::account(&self.link.memory).is_some() && !self.link.interrupted
    }

    /// Forgets what is older than anything that may still appear, so that a link of ten thousand messages remembers as
    /// much as one of ten.
    fn compact(&mut self, policy: &Policy, now: Timestamp) {
        if let Some(incident) = self.incident.as_ref().filter(|_| self.is_recorded()) {
            self.link.journal.compact(incident, policy.unknown_outcome());
        }
        K::compact(self, policy, now);
    }

    /// Changes the pass to what it will be after this state is written to the incident.
    pub(crate) fn expect_state(&mut self, policy: &Policy, state: IncidentState) {
        if let Some(incident) = &mut self.link.incident {
            incident.state = state;
        }
        self.agree(policy);
    }

    /// Updates the base if both sides agree.
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
            K::agreement_changed(&mut self.link.memory);
        }
        self.link.base.ended = ended;
        K::agreed(self, policy);
    }

    /// Returns the comments of people that go to the record now, in the order in which they were written. With
    /// `is_open`, the incident is open or about to be reopened, and all of them go. Without it, only those that were
    /// written before its end.
    pub fn unsent_entries(&self, is_open: bool) -> Vec<&JournalEntry> {
        let Some(summary) = self.summary() else { return Vec::new() };
        let mut entries = unsettled(&self.link.journal, self.incident.as_ref());
        entries.retain(|entry| match self.link.journal.meaning(entry, summary) {
            Meaning::Message => true,
            Meaning::Reaction | Meaning::Repeated => is_open,
            Meaning::AfterClosing | Meaning::Platform | Meaning::Unclear => false,
        });
        // A comment that was sent in part goes on before comments that appeared meanwhile, even if these are of the
        // same second.
        let begun = K::begun_entry(&self.link.memory);
        let is_begun = |entry: &JournalEntry| begun == Some(&entry.sys_id);
        entries.sort_by_key(|entry| !is_begun(entry));
        entries
    }

    /// Returns how long it takes, from the last snapshot on, until the first comment of unclear origin is decided.
    /// Returns `None` if there is no such comment, or if the incident was not read.
    pub(crate) fn unclear_origin_wait(&self, policy: &Policy) -> Option<SignedDuration> {
        let incident = self.incident.as_ref()?;
        let unclear = unsettled(&self.link.journal, Some(incident)).into_iter().filter(|entry| entry.undecided);
        let age = |entry: &JournalEntry| incident.taken_at.duration_since(entry.created_on);
        unclear.map(|entry| (policy.unknown_outcome() - age(entry)).max(SignedDuration::ZERO)).min()
    }

    /// Returns the incident as last seen. Returns `None` if it was never seen.
    pub fn summary(&self) -> Option<&IncidentSummary> {
        self.link.incident.as_ref()
    }
}
