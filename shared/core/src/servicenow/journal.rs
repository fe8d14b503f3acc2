//! What a link remembers of the incident's comments, and the meaning of each comment that is not settled.
//!
//! Comments are sent in the order of (`created_on`, `sys_id`), not by a cursor. Comments that are older than any that
//! may still appear are settled and forgotten: the next read asks only for later ones.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::JournalEntryId,
    servicenow::incident::{Incident, IncidentState, IncidentSummary, JournalEntry},
    text::text_hash,
    time::{self, seconds},
};

/// The user of the platform's own jobs. It also writes the comment of the automatic closing.
const SYSTEM_USER: &str = "system";
/// The most seconds between a job's comment and its update. Used if the audit trail shows no update counts. The times
/// are whole seconds, so one may be rounding; the other is for an update that takes longer than a second.
const ONE_UPDATE_SECONDS: u32 = 2;
/// How long a node of ServiceNow lags at most. A read shows every comment that is older than this. ServiceNow states
/// no bound. Nodes mostly catch up within seconds, so two minutes leave room and still settle comments soon.
pub(crate) const MAXIMUM_NODE_LAG: SignedDuration = SignedDuration::from_mins(2);
/// How many texts that reopened the link are remembered at most. An automatic answer has few forms, and twenty hashes
/// take less than half a kilobyte.
const REOPENING_TEXTS: usize = 20;

/// Records that casebridge itself ended work on the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedByUs {
    /// The incident's update count after that. `None` if the audit trail does not show it.
    pub mod_count: Option<u64>,
}

/// What a link remembers of the incident's comments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// Every comment written before this moment, by ServiceNow's clock, is settled and forgotten. `None` if there is no
    /// such moment yet.
    pub settled_before: Option<Timestamp>,
    /// Every comment from before this moment, by ServiceNow's clock, that a read has shown is settled. The next read
    /// finds a comment that appears later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown_before: Option<Timestamp>,
    /// The settled comments since [`Self::settled_before`], with the moments at which they were written.
    pub settled: BTreeMap<JournalEntryId, Timestamp>,
    /// When a read last showed the incident open, by ServiceNow's clock.
    pub seen_open_at: Option<Timestamp>,
    /// When a read first showed the end of work that both sides agree on, by ServiceNow's clock.
    pub end_seen_at: Option<Timestamp>,
    /// Set if casebridge itself ended work on the incident.
    pub ended_by_us: Option<EndedByUs>,
    /// The hashes of texts that have reopened the link, the oldest first. A text reopens the link once.
    pub reopening_texts: Vec<String>,
    /// Whether a comment with such a text, written after the end of work, waits for another reopening.
    pub has_repeated: bool,
}

/// The meaning of a comment that is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It goes to the case.
    Message,
    /// It was written after the incident was resolved. It goes to the case, and both sides reopen.
    Reaction,
    /// Like a reaction, but its text has reopened the link before. It waits until something else reopens the link.
    Repeated,
    /// It was written after the incident was closed or cancelled. It is not sent, and a notice says so.
    AfterClosing,
    /// The platform wrote it in the update that closed the incident. It is not sent.
    Platform,
    /// Its origin is unclear: its author is a user that makes deliveries, and no finished delivery names it.
    Unclear,
}

impl Journal {
    /// Whether a comment is settled.
    pub fn is_settled(&self, entry: &JournalEntry) -> bool {
        self.has_settled(&entry.sys_id, entry.created_on)
    }

    /// Whether the comment with this id, written at this moment, is settled.
    pub fn has_settled(&self, entry: &JournalEntryId, created_on: Timestamp) -> bool {
        self.settled.contains_key(entry) || self.settled_before.is_some_and(|floor| created_on < floor)
    }

    /// Returns the moment, by ServiceNow's clock, from which on the answer to a delivery has to show comments: earlier
    /// ones have been read. A read goes back further, to [`Self::settled_before`], since a comment may appear late.
    /// Returns `None` if the answer has to show all comments.
    pub fn answered_since(&self) -> Option<Timestamp> {
        self.settled_before.max(self.shown_before)
    }

    /// Records comments as settled, with the moments at which they were written.
    pub fn settle(&mut self, entries: impl IntoIterator<Item = (JournalEntryId, Timestamp)>) {
        self.settled.extend(entries);
    }

    /// Records what a read shows of the incident's state.
    pub fn see(&mut self, incident: &Incident) {
        if !incident.summary.state.is_ended() {
            self.seen_open_at = Some(incident.taken_at);
            self.end_seen_at = None;
            self.ended_by_us = None;
            return;
        }
        let ended = incident.summary.ended_mod_count;
        let by_another = |by_us: &mut EndedByUs| {
            let is_later = ended.is_some() && by_us.mod_count.is_some() && by_us.mod_count != ended;
            is_later || incident.summary.ended_by_another
        };
        if self.ended_by_us.as_mut().is_some_and(by_another) {
            self.ended_by_us = None;
            self.end_seen_at = None;
        }
    }

    /// Returns the meaning of a comment that is not settled.
    pub fn meaning(&self, entry: &JournalEntry, incident: &IncidentSummary) -> Meaning {
        if entry.undecided {
            return Meaning::Unclear;
        }
        match &incident.state {
            IncidentState::Closed | IncidentState::Cancelled => closed_meaning(entry, incident),
            IncidentState::Resolved if self.is_reaction(entry, incident) => {
                let is_repeated = self.reopening_texts.contains(&text_hash(&entry.text));
                if is_repeated { Meaning::Repeated } else { Meaning::Reaction }
            }
            _ => Meaning::Message,
        }
    }

    /// Whether a comment on a resolved incident was written after its resolution.
    ///
    /// Update counts decide it if the audit trail shows them, otherwise times. Times are whole seconds. Many instances
    /// keep the first `resolved_at`, so a `resolved_at` that is earlier than a read that showed the incident open is
    /// not used.
    fn is_reaction(&self, entry: &JournalEntry, incident: &IncidentSummary) -> bool {
        if self.ended_by_us.is_some() {
            // casebridge ended it when every comment was sent. So it had not seen a comment that is unsent now.
            return true;
        }
        if let (Some(written), Some(ended)) = (entry.mod_count, incident.ended_mod_count) {
            return written > ended;
        }
        if self.end_seen_at.is_some_and(|seen| entry.created_on > seen) {
            return true;
        }
        let resolved_at = incident.resolved_at.filter(|at| self.seen_open_at.is_none_or(|open| *at >= open));
        resolved_at.is_some_and(|at| entry.created_on > at)
    }

    /// Records texts that have reopened the link.
    pub fn reopened_by<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        self.reopened_by_hashes(texts.into_iter().map(text_hash));
    }

    /// Records the hashes of texts that have reopened the link. Forgets the oldest ones beyond `REOPENING_TEXTS`.
    pub fn reopened_by_hashes(&mut self, hashes: impl IntoIterator<Item = String>) {
        for hash in hashes {
            if !self.reopening_texts.contains(&hash) {
                self.reopening_texts.push(hash);
            }
        }
        let surplus = self.reopening_texts.len().saturating_sub(REOPENING_TEXTS);
        self.reopening_texts.drain(..surplus);
    }

    /// Whether all these texts have reopened the link before.
    pub fn all_reopened_before<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        texts.into_iter().all(|text| self.reopening_texts.contains(&text_hash(text)))
    }

    /// Forgets the settled comments that are older than `longest_doubt` before the read, since no earlier comment can
    /// appear any more. Keeps all from the first comment that is not settled on, and, if the read did not reach the
    /// newest comment, from where it ended.
    pub fn compact(&mut self, incident: &Incident, longest_doubt: SignedDuration) {
        self.note_shown(incident);
        let latest = time::earlier(incident.taken_at, longest_doubt);
        let asked_for_all = match (incident.entries_since, self.settled_before) {
            (None, _) => true,
            (Some(since), Some(floor)) => since <= floor,
            (Some(_), None) => false,
        };
        if !asked_for_all {
            return;
        }
        let first_open = unsettled(self, Some(incident)).first().map(|entry| entry.created_on);
        let Some(read_until) = read_until(incident, latest) else { return };
        let floor = first_open.into_iter().fold(latest.min(read_until), Timestamp::min);
        let floor = self.settled_before.map_or(floor, |before| before.max(floor));
        self.settled_before = Some(floor);
        self.settled.retain(|_, created_on| *created_on >= floor);
    }

    /// Updates [`Self::shown_before`], if the answer has shown all comments since the last such moment.
    fn note_shown(&mut self, incident: &Incident) {
        let asked_for_all = incident.entries_since.is_none() || incident.entries_since <= self.answered_since();
        let latest = time::earlier(incident.taken_at, MAXIMUM_NODE_LAG);
        if incident.entries_complete && asked_for_all {
            let first_open = unsettled(self, Some(incident)).first().map(|entry| entry.created_on);
            self.shown_before = Some(first_open.map_or(latest, |first_open| first_open.min(latest)));
        }
    }
}

/// Returns the moment up to which the read has shown all comments: `latest` if it reached the newest one. Returns `None` if
/// it has shown nothing.
fn read_until(incident: &Incident, latest: Timestamp) -> Option<Timestamp> {
    if incident.entries_complete {
        return Some(latest);
    }
    // The app reads on behind the last comment that it shows: what it leaves out stays in ServiceNow.
    let next = incident.entries_next.as_ref().map(|next| next.since);
    next.or_else(|| incident.entries.iter().map(|entry| entry.created_on).max())
}

/// Returns the meaning of a comment on a closed or cancelled incident. A comment from before the closing is sent,
/// however late it is read. The platform's own comment in the update that closed the incident is not sent: it would
/// reopen the case at AWS.
fn closed_meaning(entry: &JournalEntry, incident: &IncidentSummary) -> Meaning {
    let counts = entry.mod_count.zip(incident.closed_mod_count);
    let apart = || Some(entry.created_on.duration_since(incident.closed_at?).abs());
    let in_closing_update = match counts {
        Some((written, closed)) => written == closed,
        None => apart().is_some_and(|apart| apart <= seconds(ONE_UPDATE_SECONDS)),
    };
    if entry.created_by == SYSTEM_USER && in_closing_update {
        return Meaning::Platform;
    }
    let after = match counts {
        Some((written, closed)) => written > closed,
        None => incident.closed_at.is_some_and(|closed_at| entry.created_on > closed_at),
    };
    if after { Meaning::AfterClosing } else { Meaning::Message }
}

/// Returns the comments of an incident that are not settled, in the order in which they were written. Leaves out
/// casebridge's own comments.
pub fn unsettled<'a>(journal: &Journal, incident: Option<&'a Incident>) -> Vec<&'a JournalEntry> {
    let entries = incident.into_iter().flat_map(|incident| &incident.entries);
    let mut unsettled: Vec<&JournalEntry> =
        entries.filter(|entry| (entry.is_for_aws() || entry.undecided) && !journal.is_settled(entry)).collect();
    unsettled.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
    let mut seen = BTreeSet::new();
    unsettled.retain(|entry| seen.insert(&entry.sys_id));
    unsettled
}
