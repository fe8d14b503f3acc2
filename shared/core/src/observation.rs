//! What one pass sees of both sides, folded into what the link remembers.
//!
//! Reads may be late: AWS shows a write only after a while, and a read may show less than an earlier one did. So lists
//! are unioned by identity, absence means nothing, and a status that goes back is believed only with evidence.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::{
    case::{Case, CaseStatus, Communication},
    conversation::{Fate, Known, MOST_KNOWN, Owner, text_hash},
    effect::{
        Content, Delivery, DeliveryAnswer, Effect, Failure, FieldsOutcome, IncidentFields, MessageOutcome, Part,
        Refusal,
    },
    identifiers::{AccountId, CaseId, CaseKey, CommunicationId, JournalEntryId, LinkKey, digest},
    incident::{Incident, IncidentState, IncidentSummary, JournalEntry},
    journal::{EndedByUs, Meaning, unsettled},
    link::{
        CREATION_UNDECIDED_FOR, DoubledCase, EndedIntent, GivenUpCase, Intent, IntentEnd, IntentKind, Link, LinkedCase,
        LowerCount, Notice, PartlySent, QuotaWait, Reduction, RefusedMessage, RefusedText, StateIntent,
    },
    mark::Mark,
    plan::{Plan, delivered_communication},
    policy::{Policy, seconds},
    render,
    trouble::{Side, Trouble},
};

/// How often a wait doubles at most, so that the arithmetic stays small.
const MOST_DOUBLINGS: u32 = 16;
/// A spread of one: all of the longest extra wait.
const FULL_SPREAD: u32 = 1_000;
/// How long an update count below the remembered one must last to be believed: a node lags for less.
pub(crate) const LOWER_COUNT_LASTS: SignedDuration = SignedDuration::from_mins(1);
/// How long a request to ServiceNow may still be at work: it ends REST transactions after 60 seconds.
const LONGEST_REQUEST: SignedDuration = SignedDuration::from_mins(2);
/// For how long after its resolution a case takes texts for sure: AWS says 14 days, and we may have seen it late.
const REOPENABLE_FOR: SignedDuration = SignedDuration::from_hours(13 * 24);
/// How far apart the times may be of a record and of a comment that were written in one update.
const ONE_UPDATE: SignedDuration = SignedDuration::from_secs(2);
/// How long a node lags at most, as far as its reads are not believed.
const LONGEST_NODE_LAG: SignedDuration = SignedDuration::from_mins(2);
/// How many texts from AWS are remembered of the time since the end of work.
const TEXTS_SINCE_END: usize = 20;

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
            columns_of_another: false,
            first_in_line: None,
            woken: false,
        }
    }

    /// Whether the incident must be read: the memory does not stand in for it.
    pub fn needs_incident(&self) -> bool {
        let is_recorded = self.link.settled && !self.link.interrupted && self.link.state_intent.is_none();
        let stands_in = is_recorded && self.link.case.is_some();
        let is_settled = self.incident_gone || self.incident_not_served;
        self.incident.is_none() && !is_settled && (self.incident_wanted || !stands_in)
    }

    /// Takes in that the incident is there and is none of ours. Of one with a case that is a refusal like any other: it was
    /// served before.
    pub fn see_not_served(&mut self) -> bool {
        self.incident_not_served = self.link.case.is_none();
        self.incident_not_served
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

    /// From which moment on comments have to be read: all before it are settled.
    pub fn entries_since(&self) -> Option<Timestamp> {
        self.link.journal.settled_before
    }

    /// Takes in a snapshot of the incident that was read at `now`. One that is older than what is remembered is left out:
    /// an update count that has fallen is believed when it lasts, since a node may lag.
    pub fn see_incident(&mut self, policy: &Policy, incident: Incident, now: Timestamp) {
        let remembered = self.link.incident.as_ref().map_or(0, |summary| summary.sys_mod_count);
        if incident.summary.sys_mod_count < remembered {
            let since = self.link.lower_count.get_or_insert(LowerCount { since: now }).since;
            if now.duration_since(since) < LOWER_COUNT_LASTS {
                return;
            }
        }
        self.believe_incident(policy, incident, now);
    }

    /// Takes in a snapshot that is known to be the latest.
    fn believe_incident(&mut self, policy: &Policy, mut incident: Incident, now: Timestamp) {
        self.link.lower_count = None;
        leave_out_newer_entries(&mut incident);
        if let Some(earlier) = self.incident.take() {
            union_entries(&mut incident, earlier);
        }
        self.settle_state_intent(&incident, now);
        self.link.journal.see(&incident);
        self.link.incident = Some(incident.summary.clone());
        self.incident = Some(incident);
        self.incident_gone = false;
        self.link.troubles.end(Side::ServiceNow, |trouble| trouble.request == READ_REQUEST);
        self.agree(policy);
        self.settle_strays(policy);
    }

    /// Decides whether a state that was written without an answer is there: an incident that has ended, or is open, as was
    /// intended. An agent who did the same meanwhile makes no difference, unless the audit trail or a comment in the same
    /// save proves it.
    fn settle_state_intent(&mut self, incident: &Incident, now: Timestamp) {
        let (Some(intent), seen) = (self.link.state_intent.clone(), &incident.summary) else { return };
        if seen.sys_mod_count <= intent.expected_mod_count {
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
            // It was open in between: what it was reopened for has been answered.
            self.link.state_intent = None;
            self.link.base.ended = false;
        } else if now.duration_since(intent.written_at) >= LONGEST_REQUEST {
            self.link.state_intent = None;
        }
    }

    /// Notes that a state of ours is on the incident, which shows `seen` now.
    fn state_is_written(&mut self, state: &IncidentState, seen: &IncidentSummary) {
        self.link.state_intent = None;
        // A text of ours may have reopened the case since that state was written.
        let reopened_by_us = |case: &LinkedCase| !case.is_resolved() && case.reopened_by.is_some();
        self.link.base.ended = state.is_ended() && !self.link.case.as_ref().is_some_and(reopened_by_us);
        self.link.base.state_written = Some(state.clone());
        self.link.base.case_status = self.link.case.as_ref().and_then(|case| case.status.clone());
        if state.is_ended() {
            self.link.journal.ended_by_us = Some(EndedByUs { mod_count: seen.ended_mod_count });
        }
    }

    /// Settles the comments that are not sent: the platform's own words, what was written after the closing, and what is
    /// still of unclear origin when no delivery can be at work any more.
    fn settle_strays(&mut self, policy: &Policy) {
        let Some(incident) = &self.incident else { return };
        let mut strays = Vec::new();
        let mut notices = Vec::new();
        let mut repeated = false;
        for entry in unsettled(&self.link.journal, Some(incident)) {
            let name = || entry.sys_id.clone();
            match self.link.journal.meaning(entry, &incident.summary) {
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
        for notice in notices {
            self.link.notice(notice);
        }
    }

    /// Whether a read of the most recent communications is not enough, and all that are not settled must be read.
    pub fn needs_all_communications(&self, policy: &Policy, case: &Case, now: Timestamp) -> bool {
        let in_doubt = match &self.link.intent {
            Some(Intent { kind: IntentKind::AddCommunication { .. }, mark: Some(mark), .. }) => {
                !case.communications.iter().any(|shown| mark.is_in(&shown.body))
            }
            _ => false,
        };
        let undecided = self.link.conversation.decided_at(policy.unknown_outcome());
        let due = self.link.full_read_at.into_iter().chain(undecided).any(|at| at <= now);
        !case.communications_complete && (!self.link.conversation.joins(&case.communications) || in_doubt || due)
    }

    /// From which moment on communications have to be read: all before it are settled.
    pub fn communications_since(&self) -> Option<Timestamp> {
        self.link.conversation.settled_before
    }

    /// Takes in a read of the case that began at `now`. After an interrupted pass it waits for the incident, which knows
    /// what was delivered.
    pub fn see_case(&mut self, policy: &Policy, case: Case, now: Timestamp) {
        if self.link.interrupted && !self.see_deliveries() {
            if let Some(linked) = &mut self.link.case {
                linked.fingerprint.clone_from(&case.fingerprint);
            }
            return;
        }
        let known_before: BTreeSet<CommunicationId> =
            self.link.conversation.known.values().flatten().map(|known| known.id.clone()).collect();
        self.shown_all = case.communications.len() <= MOST_KNOWN;
        self.link.troubles.end(Side::Aws, |trouble| trouble.request == READ_REQUEST);
        self.shown = self.link.conversation.take_in(
            case.communications.clone(),
            case.communications_complete,
            now,
            policy.unknown_outcome(),
        );
        let is_news = |known: &&Known| !known_before.contains(&known.id);
        let news: Vec<&Known> = self.link.conversation.known.values().flatten().filter(is_news).collect();
        self.customer_wrote = news.iter().any(|known| !known.by_aws && known.fate == Fate::Pending);
        let has_news = !news.is_empty();
        self.settle_doubt(policy, &case, now);
        let is_behind = self.is_behind_what_is_known();
        let hides_ours = self.hides_ours(policy, now);
        if let Some(linked) = &mut self.link.case {
            linked.case_id = case.case_id.clone();
            linked.display_id = Some(case.display_id.clone());
            linked.fingerprint.clone_from(&case.fingerprint);
            let ours =
                linked.reopened_by.as_ref().and_then(|mark| self.link.conversation.marks.get(mark)?.owner.as_ref());
            let shows_ours = ours.is_some_and(|owner| self.shown.iter().any(|seen| seen.id == owner.id));
            let was_resolved = linked.is_resolved();
            let is_after_reopening = shows_ours && !case.communications_are_later;
            let age = Age { is_after_reopening, is_behind, hides_ours };
            accept_status(linked, age, policy, &case.status, now);
            if was_resolved && !linked.is_resolved() {
                linked.reopened_by = self.link.intent.as_ref().and_then(reopening_mark);
            }
        }
        if case.communications_complete {
            self.link.full_read_at = self.link.full_read_at.filter(|at| *at > now);
        } else if has_news && self.link.full_read_at.is_none() {
            self.link.full_read_at = now.checked_add(policy.unknown_outcome()).ok();
        }
        if self.link.full_read_at.is_none() && self.link.conversation.hides_open(&self.shown) {
            // An older answer than the one before: what waits is looked for again.
            self.link.full_read_at = now.checked_add(policy.unknown_outcome()).ok();
        }
        self.case = Some(case);
        self.agree(policy);
    }

    /// Takes in what an interrupted pass delivered; false if the incident has not been read.
    fn see_deliveries(&mut self) -> bool {
        if let (Some(incident), Some(case)) = (&self.incident, &self.link.case) {
            let begun = incident.deliveries.iter().filter_map(|name| delivered_communication(&self.key, case, name));
            self.link.conversation.begun_before(&begun.collect::<Vec<_>>());
        }
        let is_known = self.incident.is_some() || self.incident_gone || self.link.case.is_none();
        self.link.interrupted &= !is_known;
        is_known
    }

    /// Decides an AddCommunication or ResolveCase intent in doubt by what a read that began at `now` shows.
    fn settle_doubt(&mut self, policy: &Policy, case: &Case, now: Timestamp) {
        let Some(intent) = &self.link.intent else { return };
        let found = match &intent.kind {
            IntentKind::OpenCase { .. } => return,
            // A doubled case is not read: its resolution is repeated after L, which changes nothing there.
            IntentKind::ResolveCase { double: Some(_), .. } => false,
            IntentKind::AddCommunication { .. } => {
                intent.mark.as_ref().is_some_and(|mark| self.link.conversation.is_found(mark))
            }
            IntentKind::ResolveCase { status_before, double: None } => {
                let reopened_since =
                    case.status.is_reopened() && status_before.as_ref().is_some_and(|status| !status.is_reopened());
                (case.status.is_resolved() && self.shows_reopening(case)) || reopened_since
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

    /// Whether the read leaves out something newer than all that it shows: a text that was seen before, or one of ours that
    /// AWS has taken.
    fn is_behind_what_is_known(&self) -> bool {
        let newest = self.shown.iter().map(|seen| seen.raw.time_created.as_second()).max();
        let last_known = self.link.conversation.known.last_key_value().map(|(second, _)| *second);
        // One answer may cut a time and another round it.
        let hides_known = last_known.is_some_and(|last| newest.is_none_or(|newest| newest + 1 < last));
        hides_known || self.link.conversation.unseen(self.link.intent.as_ref()).next().is_some()
    }

    /// Whether a text that AWS took from us less than L ago has not been seen yet. It has reopened the case if that was
    /// resolved.
    fn hides_ours(&self, policy: &Policy, now: Timestamp) -> bool {
        let mut unseen = self.link.conversation.unseen(self.link.intent.as_ref());
        unseen.any(|memory| now.duration_since(memory.sent_at) < policy.unknown_outcome())
    }

    /// Whether a read is no older than our text that reopened the case last, if one did: an older one shows the resolution
    /// before that.
    fn shows_reopening(&self, case: &Case) -> bool {
        let Some(mark) = self.link.case.as_ref().and_then(|linked| linked.reopened_by.as_ref()) else { return true };
        let owner = self.link.conversation.marks.get(mark).and_then(|memory| memory.owner.as_ref());
        let is_shown = |owner: &Owner| self.shown.iter().any(|seen| seen.raw.time_created >= owner.time_created);
        !case.communications_are_later && owner.is_some_and(is_shown)
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

    /// Takes in a case whose first communication carries this mark. One of ours that the link goes on without is a double;
    /// where the link has none and opens none, it is the link's. Whether it is a new double.
    pub fn see_double(&mut self, account: &AccountId, case_id: &CaseId, mark: &Mark, now: Timestamp) -> bool {
        let key = CaseKey::new(account.clone(), case_id);
        if !self.link.conversation.marks.contains_key(mark) {
            return false;
        }
        if self.link.case.is_none() && self.link.intent.is_none() {
            self.adopt(account, case_id, mark, now);
            return false;
        }
        let other = self.link.case.as_ref().is_some_and(|linked| linked.key() != key);
        let known = self.link.doubles.iter().any(|double| CaseKey::new(double.account.clone(), &double.case_id) == key);
        let new = other && !known;
        if new {
            let (account, case_id) = (account.clone(), case_id.clone());
            self.link.doubles.push(DoubledCase { account, case_id, told: false, resolved: false });
        }
        new
    }

    /// A case that was given up has shown up, and the link has no other.
    fn adopt(&mut self, account: &AccountId, case_id: &CaseId, mark: &Mark, now: Timestamp) {
        self.link.case = Some(new_linked_case(account.clone(), case_id.clone(), now));
        if let Some(given_up) = self.link.given_up_cases.iter().find(|given_up| given_up.mark == *mark).cloned() {
            self.link.journal.settle(given_up.covers);
            self.link.opening_remainder = given_up.remainder;
        }
        self.link.waits_for_quota = None;
    }

    /// Whether a case with this mark and subject is one that the link opened: an agent may have pasted a marked text.
    pub fn is_own_case_mark(&self, mark: &Mark, subject: &str) -> bool {
        let is_subject = |summary: &IncidentSummary| render::is_subject_of(subject, &summary.number);
        self.link.conversation.marks.contains_key(mark) && self.summary().is_none_or(is_subject)
    }

    /// When cases that were given up are looked for next, and since when they may have been opened.
    pub fn late_cases(&self, now: Timestamp) -> Option<(AccountId, Timestamp)> {
        let due = self.link.given_up_cases.iter().find(|given_up| given_up.look_at <= now)?;
        Some((due.account.clone(), due.written_at))
    }

    /// Notes that the cases that were given up in an account were looked for: the next look is as far from the last as that
    /// one was from the beginning, until they can't show up any more.
    pub fn looked_for_late_cases(&mut self, account: &AccountId, now: Timestamp) {
        for given_up in self.link.given_up_cases.iter_mut().filter(|given_up| given_up.account == *account) {
            given_up.look_at = now.checked_add(now.duration_since(given_up.written_at)).unwrap_or(now);
        }
    }

    /// Notes that an effect in doubt was looked for in vain; after L it never was.
    fn not_found(&mut self, policy: &Policy, now: Timestamp) {
        let Some(intent) = &mut self.link.intent else { return };
        intent.looked = intent.looked.saturating_add(1);
        if now.duration_since(intent.written_at) < policy.unknown_outcome() {
            return;
        }
        let on_resolved_case = self.link.case.as_ref().is_some_and(LinkedCase::is_resolved);
        let is_text = matches!(&intent.kind, IntentKind::AddCommunication { content, .. } if is_own(content));
        self.end_intent(policy, IntentEnd::NeverApplied, None, None, now);
        if is_text && on_resolved_case {
            let message =
                "AWS Support took a text for the resolved case and does not show it: a case is reopened for 14 \
                           days only"
                    .to_owned();
            let failure = Failure::Refused { refusal: Refusal::InvalidRequest, message };
            self.trouble(policy, Side::Aws, &failure, COMMUNICATION_REQUEST, now, 0);
        }
    }

    /// Writes down what is about to be called; whether there is anything to write down. Effects that may be repeated need no
    /// intent, but for a state of the incident: whoever finds it later must know whose it is.
    pub fn begin(&mut self, effect: &Effect, now: Timestamp) -> bool {
        let (mark, kind, body) = match effect {
            Effect::OpenCase { account, mark, covers, remainder, request } => {
                let kind = IntentKind::OpenCase {
                    account: account.clone(),
                    covers: covers.clone(),
                    remainder: remainder.clone(),
                };
                (Some(mark.clone()), kind, request.body.as_str())
            }
            Effect::AddCommunication { content, part, mark, body, .. } => {
                let kind = IntentKind::AddCommunication { content: content.clone(), part: *part };
                (Some(mark.clone()), kind, body.as_str())
            }
            Effect::ResolveCase { case_id, .. } => {
                let linked = self.link.case.as_ref();
                // A text that was taken since that status was read may have reopened a case that was resolved unseen, and
                // where the case was reopened before, the status may be an older one.
                let is_certain = self.link.conversation.unseen(None).next().is_none();
                let never_reopened = linked.filter(|case| is_certain && case.reopened_at.is_none());
                let status_before = never_reopened.and_then(|case| case.status.clone());
                let double = self.link.doubles.iter().any(|double| double.case_id == *case_id);
                (None, IntentKind::ResolveCase { status_before, double: double.then(|| case_id.clone()) }, "")
            }
            Effect::Deliver { delivery, .. } => return self.begin_state(delivery, now),
            Effect::Report => return false,
        };
        self.link.intents += 1;
        if let Some(mark) = &mark {
            self.link.conversation.sending(mark, body, now);
        }
        let sequence = self.link.intents;
        self.link.intent = Some(Intent { sequence, mark, written_at: now, kind, doubt: String::new(), looked: 0 });
        true
    }

    fn begin_state(&mut self, delivery: &Delivery, now: Timestamp) -> bool {
        if delivery.fields.state.is_empty() {
            return false;
        }
        let state = IncidentState::from(delivery.fields.state.clone());
        let changes_ending = self.link.incident.as_ref().is_none_or(|seen| seen.state.is_ended() != state.is_ended());
        if changes_ending {
            let expected_mod_count = delivery.expected_mod_count;
            self.link.state_intent = Some(StateIntent { state, expected_mod_count, written_at: now });
        }
        changes_ending
    }

    /// Takes in the answer that a call was applied; whether that is certain. A text that has to reopen the case is confirmed
    /// by reading: AWS may take it, answer well and leave the case as it is.
    pub fn done(
        &mut self,
        policy: &Policy,
        case_id: Option<&CaseId>,
        status: Option<&CaseStatus>,
        now: Timestamp,
    ) -> bool {
        let reopens = match &self.link.intent {
            Some(Intent { kind: IntentKind::AddCommunication { content, .. }, .. }) => {
                is_own(content) && self.link.case.as_ref().is_some_and(LinkedCase::is_resolved)
            }
            _ => false,
        };
        if reopens {
            self.doubt("AWS Support took the text; that it reopened the case is not seen yet");
        } else {
            self.end_intent(policy, IntentEnd::Done, case_id, status, now);
        }
        !reopens
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
                let request = request_of(&intent.kind);
                // AWS answers, and accepts the account and a request of this kind.
                self.link.troubles.end(Side::Aws, |trouble| {
                    let about_account = matches!(trouble.refusal, Some(Refusal::Credentials | Refusal::Subscription));
                    trouble.refusal.is_none() || about_account || trouble.request.starts_with(request)
                });
                self.take_effect(intent, case_id, status, now);
            }
            IntentEnd::Refused => {
                if let Some(mark) = &intent.mark {
                    self.link.conversation.marks.remove(mark);
                }
            }
            IntentEnd::NeverApplied => self.give_up(intent, policy),
        }
        self.agree(policy);
    }

    /// A call seemed never applied. Should it have been all the same, later than L, its text is still ours.
    fn give_up(&mut self, intent: Intent, policy: &Policy) {
        let Some(mark) = intent.mark else { return };
        if let Some(memory) = self.link.conversation.marks.get_mut(&mark) {
            memory.given_up = true;
        }
        if let IntentKind::OpenCase { account, covers, remainder } = intent.kind {
            let look_at = intent.written_at.checked_add(policy.unknown_outcome() * 2).unwrap_or(intent.written_at);
            let written_at = intent.written_at;
            self.link.given_up_cases.push(GivenUpCase { account, mark, covers, remainder, written_at, look_at });
        }
    }

    fn take_effect(&mut self, intent: Intent, case_id: Option<&CaseId>, status: Option<&CaseStatus>, now: Timestamp) {
        match intent.kind {
            IntentKind::OpenCase { account, covers, remainder } => {
                let Some(case_id) = case_id else { return };
                self.link.case = Some(new_linked_case(account, case_id.clone(), now));
                self.link.journal.settle(covers);
                self.link.opening_remainder = remainder;
                self.link.base.ended = false;
                self.link.waits_for_quota = None;
                self.columns_of_another = false;
            }
            IntentKind::AddCommunication { content, part } => {
                let on_own_case = is_own(&content);
                self.note_sent(content, part);
                let Some(linked) = self.link.case.as_mut().filter(|_| on_own_case) else { return };
                if linked.is_resolved() {
                    set_status(linked, CaseStatus::new("reopened"), now);
                    linked.reopened_by.clone_from(&intent.mark);
                }
                let has_reopened = intent.mark.is_some() && linked.reopened_by == intent.mark;
                // A customer who wrote at AWS meanwhile has reopened it, too: an incident that has ended follows.
                let is_ended = self.link.incident.as_ref().is_some_and(|incident| incident.state.is_ended());
                if has_reopened && !(is_ended && self.customer_wrote) {
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

    /// Notes a part of a text as sent; with its last part the text is. Where a part was left out, the next ones are tried as
    /// small as that one.
    fn note_sent(&mut self, content: Content, part: Part) {
        if part.left_out
            && let Some(refused) = self.link.refused_text.as_mut().filter(|refused| refused.content == content)
        {
            refused.reduction = Reduction::Smallest;
            let reason = refused.reason.clone();
            self.link.notice(Notice::TextRefused { content: content.clone(), reason });
        }
        if !part.is_last() {
            self.link.partly_sent = Some(PartlySent { content, bytes: part.end, parts: part.number });
            return;
        }
        self.link.partly_sent = None;
        self.link.refused_text = None;
        match content {
            Content::OpeningRemainder => self.link.opening_remainder = None,
            Content::Entry { entry, created_on } => self.link.journal.settle([(entry, created_on)]),
            Content::ReopenNotice => {}
            Content::DoubleNotice(case_id) => {
                for double in self.link.doubles.iter_mut().filter(|double| double.case_id == case_id) {
                    double.told = true;
                }
            }
        }
    }

    /// Leaves the intent in doubt, with the words of the failure.
    pub fn doubt(&mut self, message: &str) {
        if let Some(intent) = &mut self.link.intent {
            message.clone_into(&mut intent.doubt);
        }
    }

    /// Takes in that a call to AWS was refused: a text is tried in smaller parts, then left out with a word in its place;
    /// only when that is refused as well nothing is given up, and all of it waits. Everything else waits by its name.
    pub fn refused(&mut self, policy: &Policy, effect: &Effect, failure: &Failure, now: Timestamp, spread: u32) {
        self.end_intent(policy, IntentEnd::Refused, None, None, now);
        let is_text = matches!(failure, Failure::Refused { refusal: Refusal::InvalidRequest, .. });
        let request = match effect {
            Effect::AddCommunication { content, part, .. } if is_own(content) => {
                if is_text && self.reduce(content, *part, failure.message(), now) {
                    return;
                }
                COMMUNICATION_REQUEST.to_owned()
            }
            Effect::ResolveCase { case_id, .. } if self.is_own_case(case_id) => RESOLUTION_REQUEST.to_owned(),
            // It is told on the double how things go on; what AWS does not resolve is resolved already, as far as is known.
            Effect::ResolveCase { case_id, .. } if is_text => {
                for double in self.link.doubles.iter_mut().filter(|double| double.case_id == *case_id) {
                    double.resolved = true;
                }
                return;
            }
            Effect::AddCommunication { .. } | Effect::ResolveCase { .. } => DOUBLE_REQUEST.to_owned(),
            Effect::OpenCase { .. } => {
                self.incident.as_ref().map(|incident| open_case_request(policy, incident)).unwrap_or_default()
            }
            Effect::Deliver { .. } | Effect::Report => String::new(),
        };
        self.trouble(policy, Side::Aws, failure, &request, now, spread);
        self.wait_for_quota(failure, now);
    }

    fn is_own_case(&self, case_id: &CaseId) -> bool {
        self.link.case.as_ref().is_some_and(|linked| linked.case_id == *case_id)
    }

    /// Notes how a refused text is tried next; false when nothing is left to try.
    fn reduce(&mut self, content: &Content, part: Part, reason: &str, now: Timestamp) -> bool {
        let tried = self.link.refused_text.take().filter(|refused| refused.content == *content);
        // What is refused on a case that was resolved long ago may be refused for that: too late to be reopened.
        let is_reopenable =
            |case: &LinkedCase| !case.is_resolved() || now.duration_since(case.status_since) < REOPENABLE_FOR;
        let takes_texts = self.link.case.as_ref().is_some_and(is_reopenable);
        let can_be_cut = takes_texts && matches!(content, Content::Entry { .. } | Content::OpeningRemainder);
        let start =
            self.link.partly_sent.as_ref().filter(|partly| partly.content == *content).map_or(0, |sent| sent.bytes);
        let size = part.end.saturating_sub(start);
        let next = match tried.map(|refused| refused.reduction) {
            _ if !can_be_cut => return false,
            None if size > render::SMALL_PART_BYTES => Reduction::Small,
            None | Some(Reduction::Small) if size > render::SMALLEST_PART_BYTES => Reduction::Smallest,
            None | Some(Reduction::Small | Reduction::Smallest) => Reduction::Placeholder,
            Some(Reduction::Placeholder) => return false,
        };
        let reason = render::one_line(reason, render::REASON_CHARACTERS);
        self.link.refused_text = Some(RefusedText { content: content.clone(), reduction: next, reason });
        true
    }

    /// An account that opens no more cases for now has a line of those that wait.
    fn wait_for_quota(&mut self, failure: &Failure, now: Timestamp) {
        if !matches!(failure, Failure::Refused { refusal: Refusal::CaseQuota, .. }) {
            return;
        }
        let Some(incident) = &self.incident else { return };
        let Some(account) = &incident.account else { return };
        self.woken = false;
        let since = self.link.waits_for_quota.as_ref().map_or(now, |wait| wait.since);
        let (account, priority) = (account.number.clone(), incident.priority.clone());
        self.link.waits_for_quota = Some(QuotaWait { account, priority, since });
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
                    self.received(communication);
                }
                (MessageOutcome::Refused, Some(communication)) => {
                    if self.reduce_message(communication, &message.error) {
                        refusal = Some((MESSAGES_REQUEST.to_owned(), message.error.clone()));
                    }
                }
                (_, None) => {}
            }
        }
        if answer.fields == FieldsOutcome::Refused && refusal.is_none() {
            refusal = Some((fields_request(&delivery.fields), answer.field_error.clone()));
        }
        self.link.troubles.end(Side::ServiceNow, |trouble| {
            trouble.refusal.is_none() || trouble.refusal == Some(Refusal::Credentials)
        });
        let reactions = self.reactions();
        self.take_in_state(&delivery.fields, &answer, &reactions);
        let (answer_count, answer_fields) = (taken(&answer), answer.fields);
        self.believe_incident(policy, answer.snapshot, now);
        if let Some((request, error)) = &refusal {
            let failure = Failure::Refused { refusal: Refusal::InvalidRequest, message: error.clone() };
            self.trouble(policy, Side::ServiceNow, &failure, request, now, spread);
        } else if answer_fields == FieldsOutcome::Applied {
            let requests = [COLUMNS_REQUEST.to_owned(), fields_request(&delivery.fields), deliver_request(delivery)];
            self.link.troubles.end(Side::ServiceNow, |trouble| requests.contains(&trouble.request));
        }
        let all_taken = answer_count == delivery.messages.len();
        refusal.is_none() && all_taken && answer_fields != FieldsOutcome::Stale
    }

    /// Notes that ServiceNow refused a communication; whether it waits. Refused again after that wait, a word in its place is
    /// tried at once; if that is refused as well, nothing is given up.
    fn reduce_message(&mut self, id: &CommunicationId, reason: &str) -> bool {
        let refused_before = self.link.refused_message.take().filter(|refused| refused.id == *id);
        let is_left_out = refused_before.as_ref().is_some_and(|refused| !refused.is_left_out);
        let waits = refused_before.is_none_or(|refused| refused.is_left_out);
        let reason = render::one_line(reason, render::REASON_CHARACTERS);
        self.link.refused_message = Some(RefusedMessage { id: id.clone(), is_left_out, reason });
        waits
    }

    /// Notes that a communication is on the incident.
    fn received(&mut self, id: &CommunicationId) {
        self.link.conversation.delivered(id);
        if let Some(refused) = self.link.refused_message.take_if(|refused| refused.id == *id)
            && refused.is_left_out
        {
            self.link.notice(Notice::MessageRefused { id: refused.id, reason: refused.reason });
        }
        if self.link.base.ended
            && let Some(communication) = self.shown.iter().find(|communication| communication.id == *id)
        {
            let texts = &mut self.link.base.texts_since_end;
            texts.push(text_hash(&communication.raw.body));
            let surplus = texts.len().saturating_sub(TEXTS_SINCE_END);
            texts.drain(..surplus);
        }
    }

    /// The texts of the comments that would reopen the link now.
    fn reactions(&self) -> Vec<String> {
        let Some(summary) = self.summary() else { return Vec::new() };
        let reacts = |entry: &&JournalEntry| self.link.journal.meaning(entry, summary) == Meaning::Reaction;
        let entries = unsettled(&self.link.journal, self.incident.as_ref());
        entries.into_iter().filter(reacts).map(|entry| entry.text.clone()).collect()
    }

    /// Takes in what became of the state that a delivery asked for.
    fn take_in_state(&mut self, fields: &IncidentFields, answer: &DeliveryAnswer, reactions: &[String]) {
        if fields.state.is_empty() {
            return;
        }
        let state = IncidentState::from(fields.state.clone());
        let was_ended = self.link.incident.as_ref().is_some_and(|seen| seen.state.is_ended());
        self.link.state_intent = None;
        match answer.fields {
            FieldsOutcome::Applied if state.is_ended() != was_ended => {
                if !state.is_ended() {
                    self.link.journal.reopened_by(reactions.iter().map(String::as_str));
                    let texts = std::mem::take(&mut self.link.base.texts_since_end);
                    self.link.journal.reopened_by_hashes(texts);
                }
                // A reopening of the incident for a comment goes before the comment that reopens the case.
                let case_is_resolved = self.link.case.as_ref().is_some_and(LinkedCase::is_resolved);
                self.state_is_written(&state, &answer.snapshot.summary);
                self.link.base.ended = state.is_ended() && case_is_resolved;
            }
            FieldsOutcome::Applied => {
                self.link.base.state_written = Some(state);
                self.link.base.case_status = self.link.case.as_ref().and_then(|case| case.status.clone());
            }
            // What the platform does not let us write is not written again and again: an agent decides.
            FieldsOutcome::Refused => {
                self.link.base.case_status = self.link.case.as_ref().and_then(|case| case.status.clone());
            }
            FieldsOutcome::Stale | FieldsOutcome::None => {}
        }
    }

    /// Takes in that a delivery as a whole came to nothing. What is refused waits as this request.
    pub fn not_delivered(
        &mut self,
        policy: &Policy,
        delivery: &Delivery,
        failure: &Failure,
        now: Timestamp,
        spread: u32,
    ) {
        if matches!(failure, Failure::Refused { .. }) {
            self.link.state_intent = None;
        }
        if matches!(failure, Failure::Refused { refusal: Refusal::NotFound, .. }) {
            self.incident_gone = true;
            return;
        }
        self.trouble(policy, Side::ServiceNow, failure, &deliver_request(delivery), now, spread);
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
        let earlier = self.link.troubles.earlier(side, refusal, request);
        let attempts = earlier.map_or(0, |earlier| earlier.attempts).saturating_add(1);
        let wait = match refusal {
            Some(Refusal::CaseQuota) => seconds(policy.case_quota_retry_seconds),
            Some(_) => seconds(policy.refusal_retry_seconds),
            None => backoff(policy, attempts),
        };
        // Half of the wait at most.
        let spread = i32::try_from(spread.min(FULL_SPREAD)).unwrap_or_default();
        let extra = wait * spread / (2 * FULL_SPREAD.cast_signed());
        let until = now.checked_add(wait + extra).unwrap_or(now);
        self.link.troubles.note(Trouble {
            side,
            refusal,
            message: failure.message().to_owned(),
            attempts,
            until: retry_at.map_or(until, |retry_at| until.max(retry_at)),
            request: request.to_owned(),
        });
    }

    /// What to remember of a pass that could not be recorded: what was recorded before it, and that it wrote.
    pub fn abandoned(&self, recorded: &Link) -> Link {
        Link { recent_writes: self.link.recent_writes.clone(), interrupted: true, ..recorded.clone() }
    }

    /// Counts a write for the loop breaker and forgets those outside its window.
    pub fn count_write(&mut self, policy: &Policy, now: Timestamp) {
        let window = seconds(policy.write_window_seconds);
        self.link.recent_writes.retain(|write| now.duration_since(*write) < window);
        self.link.recent_writes.push(now);
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

    /// Forgets what is older than all that may still come. A link of ten thousand messages remembers as much as one of ten.
    fn compact(&mut self, policy: &Policy, now: Timestamp) {
        // While it is not known what was delivered, later reads of the incident must reach back to that time.
        let is_recorded = self.link.case.is_some() && !self.link.interrupted;
        if let Some(incident) = self.incident.as_ref().filter(|_| is_recorded) {
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
        // What the read shows may not be believed yet and be true all the same.
        if self.case.as_ref().is_none_or(|shown| shown.status.is_resolved() != case.is_resolved()) {
            return;
        }
        let ended = case.is_resolved();
        if ended {
            let seen_at = self.incident.as_ref().map(|incident| incident.taken_at);
            self.link.journal.end_seen_at = self.link.journal.end_seen_at.or(seen_at);
            self.link.notices.retain(|notice| matches!(notice, Notice::CommentAfterClosing { .. }));
        } else {
            self.link.notices.retain(|notice| !matches!(notice, Notice::CommentAfterClosing { .. }));
        }
        if ended != self.link.base.ended {
            self.link.base.texts_since_end.clear();
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

/// How many messages of a delivery are on the incident.
fn taken(answer: &DeliveryAnswer) -> usize {
    answer.messages.iter().filter(|message| message.outcome != MessageOutcome::Refused).count()
}

/// The request that a trouble with this call names, or how its name begins.
pub(crate) fn request_of(intent: &IntentKind) -> &'static str {
    match intent {
        IntentKind::OpenCase { .. } => OPEN_REQUEST,
        IntentKind::AddCommunication { content, .. } if is_own(content) => COMMUNICATION_REQUEST,
        IntentKind::ResolveCase { double: None, .. } => RESOLUTION_REQUEST,
        IntentKind::AddCommunication { .. } | IntentKind::ResolveCase { .. } => DOUBLE_REQUEST,
    }
}

/// Whether a text is for the link's own case.
fn is_own(content: &Content) -> bool {
    !matches!(content, Content::DoubleNotice(_))
}

/// The mark of a text in doubt for the link's own case: it may land after the case was resolved, and AWS may show that the
/// case was reopened before it shows the text.
fn reopening_mark(intent: &Intent) -> Option<Mark> {
    let is_own_text = matches!(&intent.kind, IntentKind::AddCommunication { content, .. } if is_own(content));
    intent.mark.clone().filter(|_| is_own_text)
}

/// The request that refused fields are remembered by, or the columns alone.
pub(crate) fn fields_request(fields: &IncidentFields) -> String {
    if fields.is_empty() { COLUMNS_REQUEST.to_owned() } else { format!("state {}", fields.state) }
}

/// The request that a delivery is remembered by that was refused as a whole: its messages and its fields, or the columns
/// alone.
pub(crate) fn deliver_request(delivery: &Delivery) -> String {
    if delivery.messages.is_empty() && delivery.fields.is_empty() {
        return COLUMNS_REQUEST.to_owned();
    }
    let mut parts = vec![delivery.fields.state.as_str()];
    parts.extend(delivery.messages.iter().map(|message| message.external_id.as_str()));
    format!("deliver {}", digest(&parts, 16))
}

/// The request that a refused CreateCase is remembered by: another one is tried at once.
pub(crate) fn open_case_request(policy: &Policy, incident: &Incident) -> String {
    let account = incident.account.as_ref().map(|account| account.number.as_str()).unwrap_or_default();
    let severity = policy.severity(&incident.priority);
    let parts = [account, &incident.service_code, &incident.category_code, severity];
    format!("{OPEN_REQUEST}{}", digest(&parts, 16))
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
pub fn backoff(policy: &Policy, attempts: u32) -> SignedDuration {
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

/// Leaves out comments that are newer than the record: it was read before them, or on a node that lags, and may not show
/// what was done with them. What has been so for longer than a node lags is taken as it is.
fn leave_out_newer_entries(incident: &mut Incident) {
    let Some(updated_on) = incident.updated_on else { return };
    let (count, taken_at) = (incident.entries.len(), incident.taken_at);
    let has_trail = incident.summary.ended_mod_count.is_some();
    let is_torn = |entry: &JournalEntry| {
        // Of one second, the trail knows of no update yet that the record has not reached.
        let is_uncounted = has_trail && entry.is_for_aws() && entry.mod_count.is_none();
        (is_uncounted || entry.created_on.duration_since(updated_on) > ONE_UPDATE)
            && taken_at.duration_since(entry.created_on) < LONGEST_NODE_LAG
    };
    if let Some(first) = incident.entries.iter().position(is_torn) {
        incident.entries.truncate(first);
    }
    incident.entries_complete &= incident.entries.len() == count;
}

/// Whether a person's comment was written in the update that ended work: casebridge writes none with a state.
fn is_ended_with_comment(incident: &Incident) -> bool {
    let ended = incident.summary.ended_mod_count;
    ended.is_some() && incident.entries.iter().any(|entry| entry.is_for_aws() && entry.mod_count == ended)
}

/// Keeps what an earlier read of the same pass showed and the later one leaves out.
fn union_entries(incident: &mut Incident, earlier: Incident) {
    let present: BTreeSet<JournalEntryId> = incident.entries.iter().map(|entry| entry.sys_id.clone()).collect();
    let missing = earlier.entries.into_iter().filter(|entry| !present.contains(&entry.sys_id));
    incident.entries.extend(missing);
    incident.entries.sort_by(|left, right| (left.created_on, &left.sys_id).cmp(&(right.created_on, &right.sys_id)));
}

/// What the communications of a read tell about its age.
#[derive(Debug, Clone, Copy)]
struct Age {
    /// Whether it shows our text that reopened the case last.
    is_after_reopening: bool,
    /// Whether it leaves out something newer that is known.
    is_behind: bool,
    /// Whether AWS has taken a text of ours that neither it nor one before shows.
    hides_ours: bool,
}

/// Takes over the status that a read shows, if it may be believed.
///
/// A read may be older than what is known. A resolved case is open again only if it says `reopened`, that is no echo of a
/// reopening before, and the read shows the newest text that is known; a reopened case is resolved again only if the status
/// is later than the reopening, which our own text beside it proves. An open case is not resolved as long as a text of ours
/// is not seen: it may have reopened the case since. Whatever lasts longer than L is true.
fn accept_status(linked: &mut LinkedCase, age: Age, policy: &Policy, seen: &CaseStatus, now: Timestamp) {
    if linked.status.as_ref() == Some(seen) {
        return;
    }
    let settled = now.duration_since(linked.status_since) >= policy.unknown_outcome();
    let believable = match (linked.is_resolved(), seen.is_resolved()) {
        (true, false) => {
            let was_reopened = linked.status_before_resolved.as_ref().is_some_and(CaseStatus::is_reopened);
            let echo = was_reopened || linked.reopened_at.is_some();
            settled || (seen.is_reopened() && !echo && !age.is_behind)
        }
        (false, true) => {
            let long_ago = linked.reopened_at.is_none_or(|at| now.duration_since(at) >= policy.unknown_outcome());
            (long_ago && !age.hides_ours) || age.is_after_reopening
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
        // Where it was known as open, nobody had seen that it was resolved in between.
        (was_resolved, false) if was_resolved || status.is_reopened() => {
            // A read may have been older than the reopening that it follows: then it is the same one.
            linked.reopened_by.take_if(|_| was_resolved || linked.reopened_at.is_none());
            linked.reopened_at = Some(now);
        }
        _ => {}
    }
    linked.status_since = now;
    linked.status = Some(status);
}
