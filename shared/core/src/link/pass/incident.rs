//! What a pass reads of the incident: its state, and what people wrote on it.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::{
    identifiers::JournalEntryId,
    link::{
        LowerCount, StateIntent,
        kind::Kind,
        notice::Notice,
        pass::{LOWER_COUNT_LASTS, Pass},
        pause::Pause,
        trouble::{Request, Side},
    },
    policy::Policy,
    servicenow::{
        delivery::LEFT_OUT_DESCRIPTION,
        incident::{Incident, IncidentState, IncidentSummary, JournalEntry},
        journal::{EndedByUs, MAXIMUM_NODE_LAG, Meaning, unsettled},
    },
    time,
};

/// How long a request to ServiceNow may still be at work. ServiceNow ends REST transactions after 60 seconds
/// (KB1297438). As much again is for the time that a request waits on its way and in the instance's queue.
const MAXIMUM_REQUEST: SignedDuration = SignedDuration::from_mins(2);
/// The most by which the times of a record and of a comment of the same update may differ. Both are whole seconds, so
/// an update of less than a second may show a difference of one; the other is for an update that takes longer.
const ONE_UPDATE: SignedDuration = SignedDuration::from_secs(2);

impl<K: Kind> Pass<K> {
    /// Records that the app does not show the incident to casebridge, if the link has no record. Returns whether it has
    /// none. For a link with a record this is a refusal like any other, since the app showed the incident before.
    pub fn see_not_served(&mut self) -> bool {
        self.incident_not_served = K::account(&self.link.memory).is_none();
        self.incident_not_served
    }

    /// Returns the moment from which on comments have to be read: all earlier ones are settled. Returns `None` if all
    /// comments have to be read.
    pub fn entries_since(&self) -> Option<Timestamp> {
        self.link.journal.settled_before
    }

    /// Returns the moment from which on the answer to a delivery has to show comments: all earlier ones have been read
    /// and are settled. Returns `None` if the answer has to show all comments.
    pub fn answered_since(&self) -> Option<Timestamp> {
        self.link.journal.answered_since()
    }

    /// Records a snapshot of the incident that was read at `now`. Ignores a snapshot with an update count below the
    /// remembered one, since a node may lag, until such counts have lasted for `LOWER_COUNT_LASTS`.
    pub fn see_incident(&mut self, policy: &Policy, incident: Incident, now: Timestamp) {
        let remembered = self.link.incident.as_ref().map_or(0, |summary| summary.sys_mod_count);
        if incident.summary.sys_mod_count < remembered {
            let since = self.link.lower_count.get_or_insert(LowerCount { since: now }).since;
            if now.duration_since(since) < LOWER_COUNT_LASTS {
                return;
            }
        }
        self.see_later_end(&incident.summary);
        self.believe_incident(policy, incident, now);
    }

    /// Tells the kind if work was ended again since the last read and no read showed the reopening in between. The
    /// person who ended it had seen what customers wrote, as far as it was on the incident.
    fn see_later_end(&mut self, incident: &IncidentSummary) {
        let end = |summary: &IncidentSummary| summary.ended_mod_count.filter(|_| summary.state.is_ended());
        let before = self.link.incident.as_ref().and_then(end);
        let is_later = before.is_some_and(|before| end(incident).is_some_and(|now| now > before));
        if is_later {
            K::ended_again(&mut self.link.memory);
        }
    }

    /// Records a snapshot that is believed to be the latest.
    pub(super) fn believe_incident(&mut self, policy: &Policy, mut incident: Incident, now: Timestamp) {
        self.link.lower_count = None;
        let opening = self.link.opening.take();
        // Any of the tries may have opened the incident, so only the incident tells whether it has the text.
        let has_text = !incident.description.contains(LEFT_OUT_DESCRIPTION);
        let described = opening.and_then(|opening| opening.describes);
        if let Some(described) = described.filter(|described| has_text && described.stands_for_it) {
            K::delivered(self, &described.message);
        }
        leave_out_newer_entries(&mut incident);
        if let Some(earlier) = self.incident.take() {
            // The answer to a delivery shows less than the read before it, so the earlier read settles more.
            if self.is_recorded() {
                self.link.journal.compact(&earlier, policy.unknown_outcome());
            }
            union_entries(&mut incident, earlier);
        }
        self.settle_state_intent(&incident, now);
        self.link.journal.see(&incident);
        self.link.incident = Some(incident.summary.clone());
        self.incident = Some(incident);
        self.incident_gone = false;
        self.link.gone_since = None;
        self.link.troubles.end(Side::ServiceNow, |trouble| trouble.request == Request::Read);
        self.agree(policy);
        self.settle_unsendable(policy);
        K::see_incident(self, policy);
    }

    /// Decides whether a state that was written without an answer is on the incident. It counts as written if the
    /// incident has ended, or is open, as intended. It makes no difference if an agent did the same meanwhile, unless
    /// the audit trail or a comment in the same save proves it.
    fn settle_state_intent(&mut self, incident: &Incident, now: Timestamp) {
        let (Some(intent), seen) = (self.link.state_intent.clone(), &incident.summary) else { return };
        if seen.sys_mod_count <= intent.expected_mod_count {
            // The write was never applied if it does not show by the time when every node shows it.
            if now >= state_known_at(&intent) {
                self.link.state_intent = None;
            }
            return;
        }
        if intent.state.is_ended() && (seen.ended_by_another || is_ended_with_comment(incident)) {
            self.link.state_intent = None;
            return;
        }
        let ended_later = seen.ended_mod_count.is_some_and(|ended| ended > intent.expected_mod_count);
        if seen.state.is_ended() == intent.state.is_ended() {
            self.state_is_written(&intent.state, seen);
        } else if ended_later {
            // The incident was open in between, so the reason for the reopening has been dealt with.
            self.link.state_intent = None;
            self.link.base.ended = false;
        } else if now.duration_since(intent.written_at) >= MAXIMUM_REQUEST {
            self.link.state_intent = None;
        }
    }

    /// Records that a state which casebridge wrote is on the incident. `seen` is what the incident shows now.
    pub(super) fn state_is_written(&mut self, state: &IncidentState, seen: &IncidentSummary) {
        self.link.state_intent = None;
        // A text of ours may have reopened the record since that state was written.
        self.link.base.ended = state.is_ended() && !K::is_reopened_by_us(&self.link.memory);
        self.link.base.state_written = Some(state.clone());
        K::agree_on_status(&mut self.link.memory);
        if state.is_ended() {
            self.link.journal.ended_by_us = Some(EndedByUs { mod_count: seen.ended_mod_count });
        }
    }

    /// Settles the comments that are never sent: the platform's own comment, comments after the closing, comments that
    /// another account's group left on a closed incident, and comments of unclear origin that are older than L, so that
    /// no delivery of them can be at work. Adds the notices about them.
    fn settle_unsendable(&mut self, policy: &Policy) {
        let Some(incident) = &self.incident else { return };
        let left_behind = self.is_closed_in_group_of_another_account(policy, &incident.summary);
        let mut strays = Vec::new();
        let mut notices = Vec::new();
        let mut repeated = false;
        for entry in unsettled(&self.link.journal, Some(incident)) {
            let name = || entry.sys_id.clone();
            match self.link.journal.meaning(entry, &incident.summary) {
                Meaning::Message if left_behind => notices.push(Notice::CommentForAnotherAccount { entry: name() }),
                Meaning::Message | Meaning::Reaction => continue,
                Meaning::Repeated => {
                    repeated = true;
                    continue;
                }
                Meaning::Unclear if incident.taken_at.duration_since(entry.created_on) < policy.unknown_outcome() => {
                    continue;
                }
                Meaning::Platform => {}
                Meaning::AfterClosing => notices.push(Notice::CommentAfterClosing { entry: name() }),
                Meaning::Unclear => notices.push(Notice::CommentOfUnclearOrigin { entry: name() }),
            }
            strays.push((name(), entry.created_on));
        }
        self.link.journal.has_repeated = repeated;
        self.link.journal.settle(strays);
        K::left_out(self);
        for notice in notices {
            self.link.notice(notice);
        }
    }

    /// Whether the incident is closed while its group belongs to another account. Its group does not change any more.
    /// If its comments were not settled, they would go to the case of the first account months later, when the record
    /// of the group's account is deleted.
    fn is_closed_in_group_of_another_account(&self, policy: &Policy, incident: &IncidentSummary) -> bool {
        incident.state.is_closed() && matches!(Pause::of(policy, &self.link), Some(Pause::GroupOfAnotherAccount { .. }))
    }
}

/// Removes comments that are newer than the snapshot's record, and all comments after them. The record was read before
/// them, or on a lagging node, so it may not show the update that wrote them. Comments that are older than
/// [`MAXIMUM_NODE_LAG`] do not count as newer.
fn leave_out_newer_entries(incident: &mut Incident) {
    let Some(updated_on) = incident.updated_on else { return };
    let (count, taken_at) = (incident.entries.len(), incident.taken_at);
    let has_trail = incident.summary.ended_mod_count.is_some();
    let is_torn = |entry: &JournalEntry| {
        // The trail gives no update count yet for a comment whose update the record does not show, even within one
        // second.
        let is_uncounted = has_trail && entry.is_for_aws() && entry.mod_count.is_none();
        (is_uncounted || entry.created_on.duration_since(updated_on) > ONE_UPDATE)
            && taken_at.duration_since(entry.created_on) < MAXIMUM_NODE_LAG
    };
    if let Some(first) = incident.entries.iter().position(is_torn) {
        incident.entries.truncate(first);
        incident.entries_next = None;
    }
    incident.entries_complete &= incident.entries.len() == count;
}

/// Returns when it is certain whether a state that was written without an answer is on the incident: no request can
/// still be at work then, and every node shows what was written.
pub(crate) fn state_known_at(intent: &StateIntent) -> Timestamp {
    time::later(intent.written_at, MAXIMUM_REQUEST + MAXIMUM_NODE_LAG)
}

/// Whether a person wrote a comment in the update that ended work. Then a person ended it, since casebridge never
/// writes a comment with a state.
fn is_ended_with_comment(incident: &Incident) -> bool {
    let ended = incident.summary.ended_mod_count;
    ended.is_some() && incident.entries.iter().any(|entry| entry.is_for_aws() && entry.mod_count == ended)
}

/// Adds the comments that an earlier read of the same pass showed and the later one leaves out.
fn union_entries(incident: &mut Incident, earlier: Incident) {
    let present: BTreeSet<JournalEntryId> = incident.entries.iter().map(|entry| entry.sys_id.clone()).collect();
    let missing = earlier.entries.into_iter().filter(|entry| !present.contains(&entry.sys_id));
    incident.entries.extend(missing);
    incident.entries.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
}
