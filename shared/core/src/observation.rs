//! What one pass sees of both sides, folded into what the link remembers.
//!
//! Reads may be late: AWS shows a write only after a while, and a read may show less than an earlier one did. So lists
//! are unioned by identity, absence means nothing, and a status that goes back is believed only with evidence.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    case::{Case, CaseStatus, Communication},
    effect::{Content, DeliveryAnswer, Effect, Failure, FieldsOutcome, IncidentFields, MessageOutcome, Part, Refusal},
    identifiers::{AccountId, CaseId, CaseKey, CommunicationId, JournalEntryId, LinkKey},
    incident::{Incident, IncidentState, IncidentSummary, JournalEntry},
    link::{DoubledCase, EndedIntent, Intent, IntentEnd, IntentKind, Link, LinkedCase, PartlySent, Trouble},
    mark::Mark,
    policy::{Policy, seconds},
};

/// How often a wait doubles at most, so that the arithmetic stays small.
const MOST_DOUBLINGS: u32 = 16;
/// A spread of one: all of the longest extra wait.
const FULL_SPREAD: u32 = 1_000;

/// A side of the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// AWS Support.
    Aws,
    /// ServiceNow.
    ServiceNow,
}

/// What a pass knows: the link as remembered, and what was read in this pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The link's key.
    pub key: LinkKey,
    /// The link's memory, brought up to date with each read and each outcome.
    pub link: Link,
    /// The incident, if it was read in this pass.
    pub incident: Option<Incident>,
    /// Whether a read found no incident.
    pub incident_gone: bool,
    /// The case, if it was read in this pass.
    pub case: Option<Case>,
}

impl Observation {
    /// A pass that has read nothing yet.
    pub fn new(key: LinkKey, link: Link) -> Self {
        Self { key, link, incident: None, incident_gone: false, case: None }
    }

    /// Whether the incident must be read: the memory does not stand in for it.
    pub fn needs_incident(&self) -> bool {
        self.incident.is_none() && (self.link.case.is_none() || !self.link.settled)
    }

    /// Whether comments may be missing from what is known: the incident should have been read and was not, or not whole.
    pub fn is_blind_to_incident(&self) -> bool {
        self.needs_incident() || self.needs_all_entries()
    }

    /// Takes in a snapshot of the incident. One that is older than what is remembered is left out.
    pub fn see_incident(&mut self, policy: &Policy, incident: Incident) {
        let remembered = self.link.incident.as_ref().map_or(0, |summary| summary.sys_mod_count);
        if incident.summary.sys_mod_count < remembered {
            return;
        }
        let mut incident = incident;
        if let Some(earlier) = self.incident.take() {
            union_entries(&mut incident, earlier);
        }
        recall_unrecorded_delivery(&mut self.link, &incident.summary);
        self.link.incident = Some(incident.summary.clone());
        self.incident = Some(incident);
        self.incident_gone = false;
        end_trouble_with_reading(&mut self.link.servicenow_trouble);
        self.agree(policy);
    }

    /// Whether a snapshot leaves out comments, so that all must be read.
    ///
    /// That the oldest one shown has been sent proves nothing: another of the same second may stand before it.
    pub fn needs_all_entries(&self) -> bool {
        self.incident.as_ref().is_some_and(|incident| !incident.entries_complete)
    }

    /// Whether a read of the most recent communications is not enough, and all must be read.
    pub fn needs_all_communications(&self, case: &Case, now: Timestamp) -> bool {
        let recognised = recognised(&self.link);
        let oldest = case.communications.first();
        let oldest_known = oldest.is_some_and(|oldest| is_known(&self.link, &recognised, oldest));
        let in_doubt = matches!(&self.link.intent, Some(Intent { kind: IntentKind::AddCommunication { .. }, .. }));
        let due = self.link.full_read_at.is_some_and(|at| at <= now);
        !case.communications_complete && (!oldest_known || self.link.undelivered || in_doubt || due)
    }

    /// Takes in a read of the case that began at `now`.
    pub fn see_case(&mut self, policy: &Policy, case: Case, now: Timestamp) {
        let recognised_before = recognised(&self.link);
        let news = case.communications.iter().any(|seen| !is_known(&self.link, &recognised_before, seen));
        end_trouble_with_reading(&mut self.link.aws_trouble);
        recognise_ours(&mut self.link, &case);
        self.settle_doubt(policy, &case, now);
        if let Some(linked) = &mut self.link.case {
            linked.case_id = case.case_id.clone();
            linked.display_id = Some(case.display_id.clone());
            linked.fingerprint = case.fingerprint();
            accept_status(linked, &self.link.marks, policy, &case, now);
        }
        if case.communications_complete {
            self.link.full_read_at = self.link.full_read_at.filter(|at| *at > now);
        } else if news && self.link.full_read_at.is_none() {
            self.link.full_read_at = now.checked_add(policy.unknown_outcome()).ok();
        }
        self.case = Some(case);
        self.link.undelivered = !self.unreceived_communications().is_empty();
        self.agree(policy);
    }

    /// Decides an AddCommunication or ResolveCase intent in doubt by what a read that began at `now` shows.
    fn settle_doubt(&mut self, policy: &Policy, case: &Case, now: Timestamp) {
        let Some(intent) = &self.link.intent else { return };
        let found = match &intent.kind {
            IntentKind::OpenCase { .. } => return,
            // A doubled case is not read: its resolution is repeated after L, which changes nothing there.
            IntentKind::ResolveCase { double: Some(_), .. } => false,
            IntentKind::AddCommunication { .. } => {
                intent.mark.as_ref().is_some_and(|mark| self.link.marks.get(mark).is_some_and(Option::is_some))
            }
            IntentKind::ResolveCase { status_before, double: None } => {
                let reopened_since =
                    case.status.is_reopened() && status_before.as_ref().is_some_and(|status| !status.is_reopened());
                case.status.is_resolved() || reopened_since
            }
        };
        let read_all = case.communications_complete || matches!(intent.kind, IntentKind::ResolveCase { .. });
        if found {
            let resolved = CaseStatus::new("resolved");
            self.end_intent(policy, IntentEnd::FoundDone, None, Some(&resolved), now);
        } else if read_all {
            self.not_found(policy, now);
        }
    }

    /// Decides a CreateCase intent in doubt by a search that began at `now`: the case with our mark, or none.
    pub fn settle_open_case(&mut self, policy: &Policy, found: Option<&CaseId>, now: Timestamp) {
        if !matches!(&self.link.intent, Some(Intent { kind: IntentKind::OpenCase { .. }, .. })) {
            return;
        }
        match found {
            Some(case_id) => self.end_intent(policy, IntentEnd::FoundDone, Some(case_id), None, now),
            None => self.not_found(policy, now),
        }
    }

    /// Takes in a case whose first communication carries this mark: one of ours that the link goes on without is a
    /// double. Whether it is a new one.
    pub fn see_double(&mut self, account: &AccountId, case_id: &CaseId, mark: &Mark) -> bool {
        let key = CaseKey::new(account.clone(), case_id);
        let other = self.link.case.as_ref().is_some_and(|linked| linked.key() != key);
        let known = self.link.doubles.iter().any(|double| CaseKey::new(double.account.clone(), &double.case_id) == key);
        let new = other && !known && self.link.marks.contains_key(mark);
        if new {
            let (account, case_id) = (account.clone(), case_id.clone());
            self.link.doubles.push(DoubledCase { account, case_id, told: false, resolved: false });
        }
        new
    }

    /// Notes that an effect in doubt was looked for in vain; after L it never was.
    fn not_found(&mut self, policy: &Policy, now: Timestamp) {
        let Some(intent) = &mut self.link.intent else { return };
        intent.looked = intent.looked.saturating_add(1);
        if now.duration_since(intent.written_at) >= policy.unknown_outcome() {
            self.end_intent(policy, IntentEnd::NeverApplied, None, None, now);
        }
    }

    /// Writes down what is about to be called. Effects that may be repeated need no intent.
    pub fn begin(&mut self, effect: &Effect, now: Timestamp) {
        let (mark, kind) = match effect {
            Effect::OpenCase { account, mark, covers, remainder, .. } => {
                let kind = IntentKind::OpenCase {
                    account: account.clone(),
                    covers: covers.clone(),
                    remainder: remainder.clone(),
                };
                (Some(mark.clone()), kind)
            }
            Effect::AddCommunication { content, part, mark, .. } => {
                (Some(mark.clone()), IntentKind::AddCommunication { content: content.clone(), part: *part })
            }
            Effect::ResolveCase { case_id, .. } => {
                let linked = self.link.case.as_ref();
                let status_before = linked.and_then(|case| case.status.clone());
                let double = self.link.doubles.iter().any(|double| double.case_id == *case_id);
                (None, IntentKind::ResolveCase { status_before, double: double.then(|| case_id.clone()) })
            }
            Effect::Deliver { .. } | Effect::Report => return,
        };
        self.link.intents += 1;
        if let Some(mark) = &mark {
            self.link.marks.insert(mark.clone(), None);
        }
        let sequence = self.link.intents;
        self.link.intent = Some(Intent { sequence, mark, written_at: now, kind, doubt: String::new(), looked: 0 });
    }

    /// Ends the intent and takes in what it brought about.
    pub fn end_intent(
        &mut self,
        policy: &Policy,
        end: IntentEnd,
        case_id: Option<&CaseId>,
        status: Option<&CaseStatus>,
        now: Timestamp,
    ) {
        let Some(intent) = self.link.intent.take() else { return };
        self.link.ended_intent = Some(EndedIntent { sequence: intent.sequence, end });
        match end {
            IntentEnd::Done | IntentEnd::FoundDone => {
                self.link.aws_trouble = None;
                self.take_effect(intent, case_id, status, now);
            }
            IntentEnd::Refused => {
                if let Some(mark) = &intent.mark {
                    self.link.marks.remove(mark);
                }
            }
            // The mark stays known: should the call have been applied later than L, its text is still ours.
            IntentEnd::NeverApplied => {}
        }
        self.agree(policy);
    }

    fn take_effect(&mut self, intent: Intent, case_id: Option<&CaseId>, status: Option<&CaseStatus>, now: Timestamp) {
        match intent.kind {
            IntentKind::OpenCase { account, covers, remainder } => {
                let Some(case_id) = case_id else { return };
                self.link.case = Some(new_linked_case(account, case_id.clone(), now));
                self.link.sent.extend(covers);
                self.link.opening_remainder = remainder;
                self.link.base.ended = false;
            }
            IntentKind::AddCommunication { content, part } => {
                let on_own_case = !matches!(content, Content::DoubleNotice(_));
                note_sent(&mut self.link, content, part);
                if let Some(linked) = self.link.case.as_mut().filter(|linked| on_own_case && linked.is_resolved()) {
                    set_status(linked, CaseStatus::new("reopened"), now);
                    linked.reopened_by = intent.mark;
                    self.link.base.ended = false;
                }
            }
            IntentKind::ResolveCase { double: Some(case_id), .. } => {
                for double in self.link.doubles.iter_mut().filter(|double| double.case_id == case_id) {
                    double.resolved = true;
                }
            }
            IntentKind::ResolveCase { double: None, .. } => {
                if let (Some(linked), Some(status)) = (&mut self.link.case, status) {
                    set_status(linked, status.clone(), now);
                }
                self.link.base.ended = true;
            }
        }
    }

    /// Leaves the intent in doubt, with the words of the failure.
    pub fn doubt(&mut self, message: &str) {
        if let Some(intent) = &mut self.link.intent {
            message.clone_into(&mut intent.doubt);
        }
    }

    /// Takes in the answer to a delivery; whether all that it asked for was done.
    pub fn delivered(
        &mut self,
        policy: &Policy,
        effect: &Effect,
        answer: DeliveryAnswer,
        now: Timestamp,
        spread: u32,
    ) -> bool {
        let Effect::Deliver { delivery, communications } = effect else { return false };
        let mut refusal = None;
        for message in &answer.messages {
            let position = delivery.messages.iter().position(|sent| sent.external_id == message.external_id);
            match (message.outcome, position.and_then(|position| communications.get(position))) {
                (MessageOutcome::Applied | MessageOutcome::AlreadyApplied, Some(communication)) => {
                    self.link.received.insert(communication.clone());
                }
                (MessageOutcome::Refused, _) => refusal = Some((MESSAGES_REQUEST.to_owned(), message.error.clone())),
                (_, None) => {}
            }
        }
        if answer.fields == FieldsOutcome::Refused && refusal.is_none() {
            refusal = Some((fields_request(&delivery.fields), answer.field_error.clone()));
        }
        if !delivery.fields.state.is_empty() {
            if answer.fields == FieldsOutcome::Applied {
                self.link.base.state_written = Some(IncidentState::from(delivery.fields.state.clone()));
            }
            // What the platform does not let us write is not written again and again: an agent decides.
            if matches!(answer.fields, FieldsOutcome::Applied | FieldsOutcome::Refused) {
                self.link.base.case_status = self.link.case.as_ref().and_then(|case| case.status.clone());
            }
        }
        if self.case.is_some() {
            self.link.undelivered = !self.unreceived_communications().is_empty();
        }
        self.see_incident(policy, answer.snapshot);
        match &refusal {
            None => self.link.servicenow_trouble = None,
            Some((request, error)) => {
                let failure = Failure::Refused { refusal: Refusal::InvalidRequest, message: error.clone() };
                self.trouble(policy, Side::ServiceNow, &failure, request, now, spread);
            }
        }
        refusal.is_none() && answer.fields != FieldsOutcome::Stale
    }

    /// Notes a failure of a side and when to try again.
    ///
    /// `request` is what was refused, in short; `spread` (0 to 1,000) spreads the retries of many links.
    pub fn trouble(
        &mut self,
        policy: &Policy,
        side: Side,
        failure: &Failure,
        request: &str,
        now: Timestamp,
        spread: u32,
    ) {
        let (refusal, retry_at) = match failure {
            Failure::Refused { refusal, .. } => (Some(*refusal), None),
            Failure::Unavailable { retry_at, .. } => (None, *retry_at),
            Failure::InDoubt { .. } => (None, None),
        };
        let slot = match side {
            Side::Aws => &mut self.link.aws_trouble,
            Side::ServiceNow => &mut self.link.servicenow_trouble,
        };
        let earlier = slot.take().filter(|earlier| earlier.refusal == refusal);
        let attempts = earlier.as_ref().map_or(0, |earlier| earlier.attempts).saturating_add(1);
        let wait = match refusal {
            Some(Refusal::CaseQuota) => seconds(policy.case_quota_retry_seconds),
            Some(_) => seconds(policy.refusal_retry_seconds),
            None => backoff(policy, attempts),
        };
        // Half of the wait at most.
        let spread = i32::try_from(spread.min(FULL_SPREAD)).unwrap_or_default();
        let extra = wait * spread / (2 * FULL_SPREAD.cast_signed());
        let until = now.checked_add(wait + extra).unwrap_or(now);
        *slot = Some(Trouble {
            refusal,
            message: failure.message().to_owned(),
            since: earlier.map_or(now, |earlier| earlier.since),
            attempts,
            until: retry_at.map_or(until, |retry_at| until.max(retry_at)),
            request: request.to_owned(),
        });
    }

    /// What to remember of a pass that could not be recorded: what was recorded before it, and that it wrote.
    pub fn abandoned(&self, recorded: &Link) -> Link {
        Link { recent_writes: self.link.recent_writes.clone(), ..recorded.clone() }
    }

    /// Counts a write for the loop breaker and forgets those outside its window.
    pub fn count_write(&mut self, policy: &Policy, now: Timestamp) {
        let window = seconds(policy.write_window_seconds);
        self.link.recent_writes.retain(|write| now.duration_since(*write) < window);
        self.link.recent_writes.push(now);
    }

    /// Forgets troubles whose time is over and that this pass did not meet again.
    pub fn forget_passed_troubles(&mut self, now: Timestamp) {
        for slot in [&mut self.link.aws_trouble, &mut self.link.servicenow_trouble] {
            if slot.as_ref().is_some_and(|trouble| !trouble.is_active(now)) {
                *slot = None;
            }
        }
    }

    /// Moves the base where both sides agree.
    fn agree(&mut self, policy: &Policy) {
        let (Some(incident), Some(case)) = (&self.link.incident, &self.link.case) else { return };
        if case.status.is_some() && incident.state.is_ended() == case.is_resolved() {
            self.link.base.ended = case.is_resolved();
            if state_wanted(policy, &self.link).is_none() {
                self.link.base.case_status = self.link.case.as_ref().and_then(|case| case.status.clone());
            }
        }
    }

    /// The comments that people wrote and that are not on the case yet, in the order in which they were written.
    pub fn unsent_entries(&self) -> Vec<&JournalEntry> {
        let entries = self.incident.iter().flat_map(|incident| &incident.entries);
        let mut unsent: Vec<&JournalEntry> =
            entries.filter(|entry| entry.is_for_aws() && !self.link.sent.contains(&entry.sys_id)).collect();
        unsent.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
        unsent
    }

    /// The communications that others wrote and that are not on the incident yet, in the order of their writing.
    pub fn unreceived_communications(&self) -> Vec<&Communication> {
        let recognised = recognised(&self.link);
        let communications = self.case.iter().flat_map(|case| &case.communications);
        communications.filter(|communication| !is_known(&self.link, &recognised, communication)).collect()
    }

    /// The incident as last seen.
    pub fn summary(&self) -> Option<&IncidentSummary> {
        self.link.incident.as_ref()
    }
}

/// The request that a trouble with reading names: the next read that succeeds ends it.
pub const READ_REQUEST: &str = "read";

/// The request that a trouble with refused messages names.
pub(crate) const MESSAGES_REQUEST: &str = "messages";

/// The request that a trouble with refused fields names.
pub(crate) fn fields_request(fields: &IncidentFields) -> String {
    format!("state {}", fields.state)
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

/// The wait after this many failures in a row.
pub fn backoff(policy: &Policy, attempts: u32) -> jiff::SignedDuration {
    let doublings = attempts.saturating_sub(1).min(MOST_DOUBLINGS);
    let wait = u64::from(policy.retry_first_seconds) << doublings;
    seconds(u32::try_from(wait).unwrap_or(u32::MAX).min(policy.retry_longest_seconds))
}

fn new_linked_case(account: AccountId, case_id: CaseId, now: Timestamp) -> LinkedCase {
    LinkedCase {
        account,
        case_id,
        display_id: None,
        status: None,
        status_since: now,
        status_before_resolved: None,
        reopened_at: None,
        reopened_by: None,
        opened_at: now,
        fingerprint: String::new(),
    }
}

/// Keeps what an earlier read of the same pass showed and the later one leaves out.
fn union_entries(incident: &mut Incident, earlier: Incident) {
    let present: BTreeSet<JournalEntryId> = incident.entries.iter().map(|entry| entry.sys_id.clone()).collect();
    let missing = earlier.entries.into_iter().filter(|entry| !present.contains(&entry.sys_id));
    incident.entries.extend(missing);
    incident.entries.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
    incident.entries_complete |= earlier.entries_complete;
}

/// The communications that are known to be ours.
fn recognised(link: &Link) -> BTreeSet<&CommunicationId> {
    link.marks.values().flatten().collect()
}

fn is_known(link: &Link, recognised: &BTreeSet<&CommunicationId>, communication: &Communication) -> bool {
    link.received.contains(&communication.id) || recognised.contains(&communication.id)
}

/// Moves the base by the columns, which only casebridge writes, in one update with the state: where they tell another
/// status than remembered, one that fits the state, a delivery brought both sides in step and died unrecorded.
fn recall_unrecorded_delivery(link: &mut Link, seen: &IncidentSummary) {
    let Some(remembered) = &link.incident else { return };
    let (before, after) = (&remembered.columns, &seen.columns);
    if before.case_id.is_empty() || before.case_id != after.case_id || after.case_status.is_empty() {
        return;
    }
    let is_resolved = CaseStatus::new(after.case_status.as_str()).is_resolved();
    if before.case_status != after.case_status && is_resolved == seen.state.is_ended() {
        link.base.ended = is_resolved;
    }
}

fn end_trouble_with_reading(slot: &mut Option<Trouble>) {
    if slot.as_ref().is_some_and(|trouble| trouble.request == READ_REQUEST) {
        *slot = None;
    }
}

/// Gives each mark of ours to the earliest communication that carries it and that AWS did not write.
///
/// Only where no earlier one may be hidden: the read is whole, or it joins on to what is known.
fn recognise_ours(link: &mut Link, case: &Case) {
    let joins = case.communications.first().is_some_and(|oldest| is_known(link, &recognised(link), oldest));
    if !case.communications_complete && !joins {
        return;
    }
    for communication in case.communications.iter().filter(|communication| !communication.is_by_aws()) {
        let Some(mark) = Mark::of_text(&communication.raw.body) else { continue };
        if let Some(slot @ None) = link.marks.get_mut(&mark) {
            *slot = Some(communication.id.clone());
        }
    }
}

/// Notes a part of a text as sent; with its last part the text is.
fn note_sent(link: &mut Link, content: Content, part: Part) {
    if !part.is_last() {
        link.partly_sent = Some(PartlySent { content, parts: part.number });
        return;
    }
    link.partly_sent = None;
    match content {
        Content::OpeningRemainder => link.opening_remainder = None,
        Content::Entry(entry) => {
            link.sent.insert(entry);
        }
        Content::ReopenNotice => {}
        Content::DoubleNotice(case_id) => {
            for double in link.doubles.iter_mut().filter(|double| double.case_id == case_id) {
                double.told = true;
            }
        }
    }
}

/// Takes over the status that a read shows, if it may be believed.
///
/// A read may be older than what is known. A resolved case is open again only if it says `reopened`, and that is no
/// echo of a reopening before; a reopened case is resolved again only if the read is later than the reopening, which
/// our own text on it proves. Whatever lasts longer than L is true.
fn accept_status(
    linked: &mut LinkedCase,
    marks: &BTreeMap<Mark, Option<CommunicationId>>,
    policy: &Policy,
    case: &Case,
    now: Timestamp,
) {
    let seen = &case.status;
    if linked.status.as_ref() == Some(seen) {
        return;
    }
    let settled = now.duration_since(linked.status_since) >= policy.unknown_outcome();
    let believable = match (linked.is_resolved(), seen.is_resolved()) {
        (true, false) => {
            let echo = linked.status_before_resolved.as_ref().is_some_and(CaseStatus::is_reopened);
            settled || (seen.is_reopened() && !echo)
        }
        (false, true) => {
            let ours = linked.reopened_by.as_ref().and_then(|mark| marks.get(mark)).and_then(Option::as_ref);
            let shows_ours = ours.is_some_and(|id| case.communications.iter().any(|seen| seen.id == *id));
            let long_ago = linked.reopened_at.is_none_or(|at| now.duration_since(at) >= policy.unknown_outcome());
            long_ago || shows_ours
        }
        (true, true) | (false, false) => true,
    };
    if believable {
        set_status(linked, seen.clone(), now);
    }
}

fn set_status(linked: &mut LinkedCase, status: CaseStatus, now: Timestamp) {
    match (linked.is_resolved(), status.is_resolved()) {
        (false, true) => linked.status_before_resolved = linked.status.take(),
        (true, false) => {
            linked.reopened_at = Some(now);
            linked.reopened_by = None;
        }
        (true, true) | (false, false) => {}
    }
    linked.status_since = now;
    linked.status = Some(status);
}
