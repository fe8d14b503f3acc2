//! What the link remembers of the incident's comments, and what each one means that is not on the case yet.
//!
//! Comments are sent in the order of (created_on, sys_id), never by a cursor. What is older than all that may still come is
//! settled and forgotten: the next read asks only for what came since.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    identifiers::JournalEntryId,
    servicenow::incident::{Incident, IncidentState, IncidentSummary, JournalEntry},
    text::text_hash,
    time::seconds,
};

/// Who writes what the platform's own jobs write, among them the comment of the automatic closing.
const SYSTEM_USER: &str = "system";
/// How many seconds a job's comment and its update may be apart where the audit trail tells no update counts.
const ONE_UPDATE_SECONDS: u32 = 2;
/// How long a node of ServiceNow lags at most: a comment that is older than a read by more was shown by it.
pub(crate) const MAXIMUM_NODE_LAG: SignedDuration = SignedDuration::from_mins(2);
/// How many texts that reopened the link are remembered: an automatic answer has few forms.
const REOPENING_TEXTS: usize = 20;

/// That casebridge itself ended work on the incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedByUs {
    /// The incident's update count after that, where the audit trail tells it.
    pub mod_count: Option<u64>,
}

/// What is remembered of the incident's comments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// Every comment written before this moment, by ServiceNow's clock, is settled and forgotten.
    pub settled_before: Option<Timestamp>,
    /// Every comment that reads have shown from before this moment, by ServiceNow's clock, is settled. One that appears later
    /// is found by the next read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown_before: Option<Timestamp>,
    /// The comments since then that need nothing more, with the moments of their writing: on the case, or told instead.
    pub settled: BTreeMap<JournalEntryId, Timestamp>,
    /// The last moment, by ServiceNow's clock, at which the incident was seen open.
    pub seen_open_at: Option<Timestamp>,
    /// The moment, by ServiceNow's clock, of the first read that showed the end of work that both sides agreed on.
    pub end_seen_at: Option<Timestamp>,
    /// Whether casebridge itself ended work on the incident.
    pub ended_by_us: Option<EndedByUs>,
    /// The hashes of texts that have reopened the link: each does so once. The oldest first.
    pub reopening_texts: Vec<String>,
    /// Whether a comment waits that has such a text and was written after the end of work.
    pub has_repeated: bool,
}

/// What a comment that is not on the case means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It goes to the case.
    Message,
    /// It was written after work had ended: it goes to the case, and both sides reopen.
    Reaction,
    /// As a reaction, but its text has reopened the link before: it stays until something else reopens the link.
    Repeated,
    /// It was written after the incident was closed for good: it stays at home and is told.
    AfterClosing,
    /// The platform's own word in the update that closed the incident: it stays at home.
    Platform,
    /// Whose it is, is not known: it is by an author of deliveries and no finished one names it.
    Unclear,
}

impl Journal {
    /// Whether a comment needs nothing more.
    pub fn is_settled(&self, entry: &JournalEntry) -> bool {
        self.settled.contains_key(&entry.sys_id) || self.settled_before.is_some_and(|floor| entry.created_on < floor)
    }

    /// From which moment on the answer to a delivery has to show comments, by ServiceNow's clock: what is older has been read.
    /// A read goes back further, to [`Self::settled_before`], since a comment may appear late.
    pub fn answered_since(&self) -> Option<Timestamp> {
        self.settled_before.max(self.shown_before)
    }

    /// Notes comments that need nothing more.
    pub fn settle(&mut self, entries: impl IntoIterator<Item = (JournalEntryId, Timestamp)>) {
        self.settled.extend(entries);
    }

    /// Takes in what a read shows of the incident's state.
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

    /// What a comment means that is not settled.
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
    /// Update counts tell it, where the audit trail shows them. Times are whole seconds, and instances keep the first
    /// `resolved_at`: one that is not later than a moment at which the incident was seen open tells nothing.
    fn is_reaction(&self, entry: &JournalEntry, incident: &IncidentSummary) -> bool {
        if self.ended_by_us.is_some() {
            // Nothing was unsent when casebridge ended it: what is unsent now had not been seen.
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

    /// Remembers the texts that reopen the link.
    pub fn reopened_by<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        self.reopened_by_hashes(texts.into_iter().map(text_hash));
    }

    /// Remembers texts that reopen the link, by their hashes.
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

    /// Forgets what a read has settled: everything older than the longest time that a comment may take to appear, up to the
    /// first that is not settled, and, of a read that did not reach the newest comment, up to the last that it shows.
    pub fn compact(&mut self, incident: &Incident, longest_doubt: SignedDuration) {
        self.note_shown(incident);
        let Ok(latest) = incident.taken_at.checked_sub(longest_doubt) else { return };
        let asked_for_all = match (incident.entries_since, self.settled_before) {
            (None, _) => true,
            (Some(since), Some(floor)) => since <= floor,
            (Some(_), None) => false,
        };
        if !asked_for_all {
            return;
        }
        let first_open = unsettled(self, Some(incident)).first().map(|entry| entry.created_on);
        let last_shown =
            incident.entries.iter().map(|entry| entry.created_on).max().filter(|_| !incident.entries_complete);
        let floor = [first_open, last_shown].into_iter().flatten().fold(latest, Timestamp::min);
        if self.settled_before.is_none_or(|before| before < floor) {
            self.settled_before = Some(floor);
            self.settled.retain(|_, created_on| *created_on >= floor);
        }
    }

    /// Notes up to when an answer has shown what is not settled, if it has shown all of that.
    fn note_shown(&mut self, incident: &Incident) {
        let asked_for_all = incident.entries_since.is_none() || incident.entries_since <= self.answered_since();
        let Ok(latest) = incident.taken_at.checked_sub(MAXIMUM_NODE_LAG) else { return };
        if incident.entries_complete && asked_for_all {
            let first_open = unsettled(self, Some(incident)).first().map(|entry| entry.created_on);
            self.shown_before = Some(first_open.map_or(latest, |first_open| first_open.min(latest)));
        }
    }
}

/// What a comment on a closed or cancelled incident means. What was written up to the closing goes out, however late it is
/// read; the platform's own comment in the update that closed the incident would reopen the case at AWS.
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

/// The comments of an incident that are not settled, in the order in which they were written.
pub fn unsettled<'a>(journal: &Journal, incident: Option<&'a Incident>) -> Vec<&'a JournalEntry> {
    let entries = incident.into_iter().flat_map(|incident| &incident.entries);
    let mut unsettled: Vec<&JournalEntry> =
        entries.filter(|entry| (entry.is_for_aws() || entry.undecided) && !journal.is_settled(entry)).collect();
    unsettled.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
    let mut seen = BTreeSet::new();
    unsettled.retain(|entry| seen.insert(&entry.sys_id));
    unsettled
}
