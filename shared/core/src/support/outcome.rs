//! What became of the effects of a plan: what was sent, delivered, refused or is in doubt.

use jiff::Timestamp;

use crate::{
    failure::{Failure, Refusal},
    identifiers::{AccountId, CaseId, CommunicationId, ExternalId, digest},
    link::{
        intent::{Illegal, IntentEnd},
        mark::Mark,
        notice::Notice,
        trouble::{Request, Side},
    },
    policy::Policy,
    servicenow::incident::Incident,
    support::{
        Intent, Pass,
        call::{Applied, Call, CaseCodes, Content, Done, IntentKind, Part, RefusedCall},
        case::CaseStatus,
        memory::{GivenUpCase, LinkedCase, PartlySent, QuotaWait, Reduction, RefusedMessage, RefusedText},
        message::delivered_communication,
        observe::set_status,
        options, render, severity,
        successor::REOPENABLE_FOR,
    },
    text::{HASH_DIGITS, text_hash},
    time,
};

/// How many texts from AWS are remembered of the time since work ended: as many as the journal keeps of the texts that
/// reopened the link, where they go if they reopen it. The oldest are dropped.
const TEXTS_SINCE_END: usize = 20;

impl Pass {
    /// Begins a call. Returns the mark in its text (`None` for a call without text) and what its intent records.
    pub(super) fn begin_call(&mut self, call: &Call, now: Timestamp) -> (Option<Mark>, IntentKind) {
        let conversation = &mut self.link.memory.conversation;
        match call {
            Call::OpenCase { account, mark, covers, remainder, request, severity, options_note, .. } => {
                self.link.memory.asked_severity = Some((mark.clone(), severity.clone()));
                self.link.memory.options_note = options_note.clone().map(|note| (mark.clone(), note));
                conversation.opening(mark, &request.subject, &request.body, now);
                let kind = IntentKind::OpenCase {
                    account: account.clone(),
                    covers: covers.clone(),
                    remainder: remainder.clone(),
                };
                (Some(mark.clone()), kind)
            }
            Call::AddCommunication { content, part, mark, body, .. } => {
                // casebridge does not read a double, so it does not look for texts there.
                if content.is_for_own_case() {
                    conversation.sending(mark, body, now);
                }
                (Some(mark.clone()), IntentKind::AddCommunication { content: content.clone(), part: *part })
            }
            Call::ResolveCase { case_id, .. } => {
                let linked = self.link.memory.case.as_ref();
                // The status before is not certain in two cases: AWS accepted a text that no read has shown, which may
                // have reopened a case whose resolution was not seen; or the case was reopened before, so that the
                // status may be an older one.
                let is_certain = self.link.memory.conversation.accepted_but_unseen(None).next().is_none();
                let never_reopened = linked.filter(|case| is_certain && case.reopened_at.is_none());
                let status_before = never_reopened.and_then(|case| case.status.clone());
                let double = self.link.memory.doubles.iter().any(|double| double.case_id == *case_id);
                (None, IntentKind::ResolveCase { status_before, double: double.then(|| case_id.clone()) })
            }
        }
    }

    /// Takes in the answer that a call was applied. Returns whether that is certain. A text that has to reopen the case
    /// is confirmed by reading: AWS may accept it, answer with success and leave the case as it is.
    pub(super) fn call_done(&mut self, policy: &Policy, done: Done, now: Timestamp) -> Result<bool, Illegal> {
        let intent = self.link.intent.as_ref().ok_or(Illegal::NothingBegun)?;
        let applied = Applied::of(&intent.kind, done)?;
        let is_own_text = matches!(&applied, Applied::CommunicationAdded { content, .. } if content.is_for_own_case());
        if is_own_text && self.link.memory.case.as_ref().is_some_and(LinkedCase::is_resolved) {
            self.doubt("AWS Support took the text; that it reopened the case is not seen yet")?;
            return Ok(false);
        }
        self.end_applied(policy, IntentEnd::Done, applied, now);
        Ok(true)
    }

    /// Ends the intent, whose call was applied, and takes in the call's effect.
    pub(super) fn end_applied(&mut self, policy: &Policy, end: IntentEnd, applied: Applied, now: Timestamp) {
        let Some(intent) = self.end_intent(end) else { return };
        self.take_effect(applied, intent.mark.as_ref(), now);
        self.agree(policy);
    }

    /// Ends the intent, whose call counts as never applied.
    pub(super) fn never_applied(&mut self, policy: &Policy) {
        if let Some(intent) = self.end_intent(IntentEnd::NeverApplied) {
            self.give_up(intent, policy);
            self.agree(policy);
        }
    }

    /// Remembers a call that counts as never applied: if AWS applies it later than L, its text is still recognised as
    /// ours.
    fn give_up(&mut self, intent: Intent, policy: &Policy) {
        let Some(mark) = intent.mark else { return };
        if let Some(memory) = self.link.memory.conversation.marks.get_mut(&mark) {
            memory.given_up = true;
        }
        if let IntentKind::OpenCase { account, covers, remainder } = intent.kind {
            let look_at = time::later(intent.written_at, policy.unknown_outcome() * 2);
            let written_at = intent.written_at;
            let remainder = remainder.map(|text| {
                let hash = digest(&[&text], HASH_DIGITS);
                self.link.memory.given_up_remainders.insert(hash.clone(), text);
                hash
            });
            self.link.memory.given_up_cases.push(GivenUpCase { account, mark, covers, remainder, written_at, look_at });
        }
    }

    fn take_effect(&mut self, applied: Applied, mark: Option<&Mark>, now: Timestamp) {
        match applied {
            Applied::CaseOpened { account, case_id, covers, remainder } => {
                self.link.memory.case = Some(new_linked_case(account, case_id, now));
                self.link.journal.settle(covers);
                self.link.memory.opening_remainder = remainder;
                self.link.base.ended = false;
                self.link.memory.waits_for_quota = None;
                self.aws.columns_of_another = false;
                let asked = self.link.memory.asked_severity.take();
                if let Some((_, asked)) = asked.filter(|(asked_with, _)| mark == Some(asked_with)) {
                    self.see_asked_severity(asked, now);
                }
                self.link.memory.refused_options = None;
                let note = self.link.memory.options_note.take();
                if let Some((_, note)) = note.filter(|(asked_with, _)| mark == Some(asked_with)) {
                    self.note(note);
                }
                self.note_succession();
            }
            Applied::CommunicationAdded { content, part } => {
                let on_own_case = content.is_for_own_case();
                self.note_sent(content, part);
                let Some(linked) = self.link.memory.case.as_mut().filter(|_| on_own_case) else { return };
                if linked.is_resolved() {
                    set_status(linked, CaseStatus::new("reopened"), now);
                    linked.reopened_by = mark.cloned();
                }
                let has_reopened = mark.is_some() && linked.reopened_by.as_ref() == mark;
                // If a customer wrote at AWS meanwhile, that text has reopened the case, too, and an incident that has
                // ended follows.
                let is_ended = self.link.incident.as_ref().is_some_and(|incident| incident.state.is_ended());
                if has_reopened && !(is_ended && (self.aws.customer_wrote || self.link.memory.customer_wrote)) {
                    self.link.base.ended = false;
                }
            }
            Applied::DoubleResolved { case_id } => self.link.memory.double_resolved(&case_id),
            Applied::CaseResolved { status } => {
                if let Some(linked) = &mut self.link.memory.case {
                    set_status(linked, status, now);
                }
                self.link.base.ended = true;
            }
        }
    }

    /// Records that a part of a text was sent. With its last part the text is sent. If the part was left out, the next
    /// parts are tried in the smallest size.
    fn note_sent(&mut self, content: Content, part: Part) {
        if part.left_out
            && let Some(refused) = self.link.memory.refused_text.as_mut().filter(|refused| refused.content == content)
        {
            refused.reduction = Reduction::Smallest;
            let reason = refused.reason.clone();
            self.link.notice(Notice::TextRefused { text: content.name(), reason });
        }
        if !part.is_last() {
            self.link.memory.partly_sent = Some(PartlySent { content, bytes: part.end, parts: part.number });
            return self.forget_rest_of_settled();
        }
        self.link.memory.partly_sent = None;
        self.link.memory.refused_text = None;
        match content {
            Content::OpeningRemainder => self.link.memory.opening_remainder = None,
            Content::Entry { entry, created_on } => self.link.journal.settle([(entry, created_on)]),
            Content::ReopenNotice => {}
            Content::Files(transfer) => self.files_sent(&transfer),
            Content::FileNotice(number) => self.forget_file_notice(number),
            Content::DoubleNotice(case_id) => {
                for double in self.link.memory.doubles.iter_mut().filter(|double| double.case_id == case_id) {
                    double.told = true;
                }
            }
        }
    }

    /// Forgets how far a comment was sent that is settled: its rest is never sent.
    pub(super) fn forget_rest_of_settled(&mut self) {
        let journal = &self.link.journal;
        let is_settled = |content: &Content| matches!(content, Content::Entry { entry, created_on } if journal.has_settled(entry, *created_on));
        self.link.memory.partly_sent.take_if(|partly| is_settled(&partly.content));
        self.link.memory.refused_text.take_if(|refused| is_settled(&refused.content));
    }

    /// Takes in that a call to AWS was refused. A comment or a description is tried in smaller parts. A part that is
    /// refused in the smallest size is replaced by a placeholder. If the placeholder is refused as well, nothing is
    /// left out and the text waits. Every other call waits under its key.
    pub(super) fn call_refused(
        &mut self,
        policy: &Policy,
        call: &Call,
        failure: &Failure,
        now: Timestamp,
        spread: u32,
    ) -> Result<(), Illegal> {
        let intent = self.end_intent(IntentEnd::Refused).ok_or(Illegal::NothingBegun)?;
        if let Some(mark) = &intent.mark {
            self.link.memory.conversation.marks.remove(mark);
        }
        self.agree(policy);
        if let Some(refused) = self.refused_call(policy, call, failure, now) {
            self.trouble(policy, Side::Aws, failure, Request::Call(refused), now, spread);
            self.wait_for_quota(failure, now);
        }
        Ok(())
    }

    /// Returns the key under which this refusal is recorded. Returns `None` if the call will be retried in another form
    /// or is no longer needed.
    fn refused_call(&mut self, policy: &Policy, call: &Call, failure: &Failure, now: Timestamp) -> Option<RefusedCall> {
        let is_text = matches!(failure, Failure::Refused { refusal: Refusal::InvalidRequest, .. });
        Some(match call {
            Call::AddCommunication { content: Content::Files(transfer), .. } if is_text => {
                self.files_refused(transfer, failure.message());
                return None;
            }
            Call::AddCommunication { content: Content::FileNotice(number), .. } if is_text => {
                self.forget_file_notice(*number);
                return None;
            }
            Call::AddCommunication { content, part, .. } if content.is_for_own_case() => {
                if is_text && (self.reduce(content, *part, failure.message(), now) || self.leave_old_case(policy, now))
                {
                    return None;
                }
                RefusedCall::AddCommunication
            }
            Call::ResolveCase { case_id, .. } if self.is_own_case(case_id) => RefusedCall::ResolveCase,
            // The note on the double says which case goes on. If AWS does not resolve the double, it is taken as
            // resolved already.
            Call::ResolveCase { case_id, .. } if is_text => {
                self.link.memory.double_resolved(case_id);
                return None;
            }
            Call::AddCommunication { .. } | Call::ResolveCase { .. } => RefusedCall::Double,
            Call::OpenCase { account, request, wanted, .. } => {
                if is_text && self.leave_out_options(policy, account, request, wanted, failure.message()) {
                    return None;
                }
                RefusedCall::OpenCase(CaseCodes::of(account, request, wanted))
            }
        })
    }

    /// Returns the communication that a message delivers. Returns `None` if the message is another link's.
    pub(super) fn communication_of(&self, message: &ExternalId) -> Option<CommunicationId> {
        delivered_communication(&self.key, self.link.memory.case.as_ref()?, message)
    }

    fn is_own_case(&self, case_id: &CaseId) -> bool {
        self.link.memory.case.as_ref().is_some_and(|linked| linked.case_id == *case_id)
    }

    /// Records how a refused text is tried next. Returns false if no way is left to try.
    fn reduce(&mut self, content: &Content, part: Part, reason: &str, now: Timestamp) -> bool {
        let tried = self.link.memory.refused_text.take().filter(|refused| refused.content == *content);
        // A case that was resolved long ago may refuse every text, since it is too late to reopen it.
        let takes_texts = self.link.memory.case.as_ref().is_some_and(|case| !case.is_resolved_for(REOPENABLE_FOR, now));
        let can_be_cut = takes_texts && matches!(content, Content::Entry { .. } | Content::OpeningRemainder);
        let start = self
            .link
            .memory
            .partly_sent
            .as_ref()
            .filter(|partly| partly.content == *content)
            .map_or(0, |sent| sent.bytes);
        let size = part.end.saturating_sub(start);
        let next = match tried.map(|refused| refused.reduction) {
            _ if !can_be_cut => return false,
            None if size > render::SMALL_PART_BYTES => Reduction::Small,
            None | Some(Reduction::Small) if size > render::SMALLEST_PART_BYTES => Reduction::Smallest,
            None | Some(Reduction::Small | Reduction::Smallest) => Reduction::Placeholder,
            Some(Reduction::Placeholder) => return false,
        };
        let reason = render::one_line(reason, render::REASON_CHARACTERS);
        self.link.memory.refused_text = Some(RefusedText { content: content.clone(), reduction: next, reason });
        true
    }

    /// Puts the link in line for its account's quota if that quota is the reason of the refusal. A link that is refused
    /// for another reason leaves the line: those behind it must not wait for what only people can mend.
    fn wait_for_quota(&mut self, failure: &Failure, now: Timestamp) {
        match failure {
            Failure::Refused { refusal: Refusal::CaseQuota, .. } => {}
            Failure::Refused { .. } => return self.link.memory.waits_for_quota = None,
            Failure::Unavailable { .. } | Failure::InDoubt { .. } => return,
        }
        let Some(incident) = &self.incident else { return };
        let Some(account) = &incident.account else { return };
        self.woken = false;
        let since = self.link.memory.waits_for_quota.as_ref().map_or(now, |wait| wait.since);
        let (account, priority) = (account.number.clone(), incident.priority.clone());
        self.link.memory.waits_for_quota = Some(QuotaWait { account, priority, since });
    }

    /// Records that ServiceNow refused a communication. Returns whether it waits. If it is refused again after that
    /// wait, a placeholder is tried at once in its place. If the placeholder is refused as well, the communication is
    /// not left out: it waits again.
    pub(super) fn reduce_message(&mut self, id: &CommunicationId, reason: &str) -> bool {
        let refused_before = self.link.memory.refused_message.take().filter(|refused| refused.id == *id);
        let is_left_out = refused_before.as_ref().is_some_and(|refused| !refused.is_left_out);
        let waits = refused_before.is_none_or(|refused| refused.is_left_out);
        let reason = render::one_line(reason, render::REASON_CHARACTERS);
        self.link.memory.refused_message = Some(RefusedMessage { id: id.clone(), is_left_out, reason });
        waits
    }

    /// Records that a communication is on the incident.
    pub(super) fn received(&mut self, id: &CommunicationId) {
        self.link.memory.conversation.delivered(id);
        if let Some(refused) = self.link.memory.refused_message.take_if(|refused| refused.id == *id)
            && refused.is_left_out
        {
            self.link.notice(Notice::MessageRefused { id: refused.id.to_string(), reason: refused.reason });
        }
        if self.link.base.ended
            && let Some(communication) = self.aws.shown.iter().find(|communication| communication.id == *id)
        {
            let texts = &mut self.link.memory.texts_since_end;
            texts.push(text_hash(&communication.raw.body));
            let surplus = texts.len().saturating_sub(TEXTS_SINCE_END);
            texts.drain(..surplus);
        }
    }
}

/// Returns the values of the incident's CreateCase that AWS may refuse. A CreateCase with other values is tried at
/// once.
pub(crate) fn case_codes(policy: &Policy, incident: &Incident) -> CaseCodes {
    let options::Choices { language, issue_type } = options::wanted(policy, incident);
    CaseCodes {
        account: incident.account.as_ref().map(|account| account.number.clone()),
        service_code: incident.service_code.clone(),
        category_code: incident.category_code.clone(),
        severity_code: severity::asked(policy, incident).code,
        language,
        issue_type,
    }
}

pub(super) fn new_linked_case(account: AccountId, case_id: CaseId, now: Timestamp) -> LinkedCase {
    LinkedCase {
        account,
        case_id,
        display_id: None,
        status: None,
        status_since: now,
        reopened_at: None,
        reopened_by: None,
        opened_at: now,
        fingerprint: String::new(),
        changed_at: None,
        severity: None,
    }
}
