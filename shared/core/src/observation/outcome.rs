//! What became of the effects of a plan: what was sent, delivered, refused or is in doubt.

use jiff::{SignedDuration, Timestamp};

use super::{
    COLUMNS_REQUEST, COMMUNICATION_REQUEST, DOUBLE_REQUEST, MESSAGES_REQUEST, OPEN_REQUEST, Observation,
    RESOLUTION_REQUEST, case::set_status,
};
use crate::{
    case::CaseStatus,
    conversation::text_hash,
    effect::{
        Content, Delivery, DeliveryAnswer, Effect, Failure, FieldsOutcome, IncidentFields, MessageOutcome, Part,
        Refusal,
    },
    identifiers::{AccountId, CaseId, CommunicationId, digest},
    incident::{Incident, IncidentState},
    link::{
        EndedIntent, GivenUpCase, Intent, IntentEnd, IntentKind, Link, LinkedCase, Notice, PartlySent, QuotaWait,
        Reduction, RefusedMessage, RefusedText, StateIntent,
    },
    policy::{Policy, seconds},
    render,
    trouble::{Side, Trouble},
};

/// How often a wait doubles at most, so that the arithmetic stays small.
const MOST_DOUBLINGS: u32 = 16;
/// A spread of one: all of the longest extra wait.
const FULL_SPREAD: u32 = 1_000;
/// For how long after its resolution a case takes texts for sure: AWS says 14 days, and we may have seen it late.
const REOPENABLE_FOR: SignedDuration = SignedDuration::from_hours(13 * 24);
/// How many texts from AWS are remembered of the time since the end of work.
const TEXTS_SINCE_END: usize = 20;

impl Observation {
    /// Writes down what is about to be called; whether there is anything to write down. Effects that may be repeated need no
    /// intent, but for a state of the incident: whoever finds it later must know whose it is.
    pub fn begin(&mut self, effect: &Effect, now: Timestamp) -> bool {
        let conversation = &mut self.link.conversation;
        let (mark, kind) = match effect {
            Effect::OpenCase { account, mark, covers, remainder, request } => {
                conversation.opening(mark, &request.subject, &request.body, now);
                let kind = IntentKind::OpenCase {
                    account: account.clone(),
                    covers: covers.clone(),
                    remainder: remainder.clone(),
                };
                (Some(mark.clone()), kind)
            }
            Effect::AddCommunication { content, part, mark, body, .. } => {
                // A doubled case is not read: its communications are not looked for.
                if is_own(content) {
                    conversation.sending(mark, body, now);
                }
                (Some(mark.clone()), IntentKind::AddCommunication { content: content.clone(), part: *part })
            }
            Effect::ResolveCase { case_id, .. } => {
                let linked = self.link.case.as_ref();
                // A text that was taken since that status was read may have reopened a case that was resolved unseen, and
                // where the case was reopened before, the status may be an older one.
                let is_certain = self.link.conversation.unseen(None).next().is_none();
                let never_reopened = linked.filter(|case| is_certain && case.reopened_at.is_none());
                let status_before = never_reopened.and_then(|case| case.status.clone());
                let double = self.link.doubles.iter().any(|double| double.case_id == *case_id);
                (None, IntentKind::ResolveCase { status_before, double: double.then(|| case_id.clone()) })
            }
            Effect::Deliver { delivery, .. } => return self.begin_state(delivery, now),
            Effect::Report => return false,
        };
        self.link.intents += 1;
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
                if has_reopened && !(is_ended && (self.customer_wrote || self.link.base.customer_wrote)) {
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

    /// Takes in the answer to a delivery; whether all that it asked for was done, and the plan goes on. A pause that the answer
    /// shows ends the plan.
    pub fn delivered(
        &mut self,
        policy: &Policy,
        effect: &Effect,
        answer: DeliveryAnswer,
        now: Timestamp,
        spread: u32,
    ) -> bool {
        let Effect::Deliver { delivery, communications } = effect else { return false };
        let paused_before = self.pause(policy).is_some();
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
        let goes_on = paused_before || self.pause(policy).is_none();
        refusal.is_none() && all_taken && answer_fields != FieldsOutcome::Stale && goes_on
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
                    self.link.base.customer_wrote = false;
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
pub(super) fn is_own(content: &Content) -> bool {
    !matches!(content, Content::DoubleNotice(_))
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

/// The wait after this many failures in a row.
pub fn backoff(policy: &Policy, attempts: u32) -> SignedDuration {
    let doublings = attempts.saturating_sub(1).min(MOST_DOUBLINGS);
    let wait = u64::from(policy.retry_first_seconds) << doublings;
    seconds(u32::try_from(wait).unwrap_or(u32::MAX).min(policy.retry_longest_seconds))
}

pub(super) fn new_linked_case(account: AccountId, case_id: CaseId, now: Timestamp) -> LinkedCase {
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
