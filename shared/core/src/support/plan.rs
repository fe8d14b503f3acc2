//! What a change of the incident asks of the case, and a change of the case of the incident.
//!
//! This is a three-way merge. The base is what both sides last agreed on; a side that differs from it has changed. The
//! messages of both sides are joined and keep the order of their own side.

use jiff::SignedDuration;

use crate::{
    failure::Refusal,
    link::{
        Opening,
        mark::Mark,
        plan::Waiting,
        planner::{Planner, wait_for},
        trouble::{Request, Side},
    },
    policy::ClosedIncidentRule,
    servicenow::{
        delivery::{Described, IncidentFields, Message, MessageKind, NewIncident},
        incident::{IncidentState, IncidentSummary},
    },
    support::{
        SupportCase, Trouble,
        call::{Call, Content, NewCase, Part, RefusedCall},
        case::{Case, Communication},
        columns::{columns, names_unknown_case},
        conversation::Fate,
        files::OutgoingProgress,
        memory::{LinkedCase, Memory, Reduction},
        message::{external_id, note_id},
        options,
        outcome::case_codes,
        render::{self, IncidentTexts},
        severity,
        sight::{is_in_scope, state_wanted},
        successor,
    },
    time::{self, seconds},
};

/// How long to wait before a new case is read for its display id, or is read again if AWS does not show it yet. Mostly
/// AWS's event comes earlier.
const NEW_CASE_SECONDS: u32 = 5;

/// After how many refusals an incident is opened without the words of its case: one may be a rule that is switched off
/// again, and each costs an hour.
const REFUSALS_BEFORE_PLACEHOLDER: u32 = 2;

impl Planner<'_, SupportCase> {
    /// Plans what the incident and the case ask for.
    pub(super) fn plan_case(&mut self) {
        match &self.pass.link.memory {
            Memory { case: Some(case), .. } => self.plan_linked(case),
            // The case goes on in another incident, whatever becomes of this one.
            Memory { handed_over_to: Some(_), .. } => {}
            Memory { .. } => self.plan_opening(),
        }
    }

    /// Returns the wait until given-up cases are looked for again; `None` if there are none.
    pub(super) fn wait_for_late_cases(&self) -> Option<Waiting> {
        let look_at = self.pass.link.memory.given_up_cases.iter().map(|given_up| given_up.look_at).min()?;
        Some(Waiting::LateCase { until: self.not_before_aws_answers(look_at.max(self.later(seconds(1)))) })
    }

    /// Plans a CreateCase if the incident is open and in scope.
    fn plan_opening(&mut self) {
        if self.wait_for_doubt() {
            return;
        }
        if self.pass.needs_incident() {
            return self.wait_for_incident();
        }
        let Some(incident) = self.pass.incident.as_ref() else { return };
        if names_unknown_case(self.pass, incident) {
            let since = self.pass.link.memory.unknown_case_since.unwrap_or(self.now);
            let until = self.next_look_for_missing(since);
            self.wait(Waiting::UnknownCase { until });
            return;
        }
        let Some(account) = incident.account.as_ref().filter(|_| is_in_scope(incident)) else { return };
        let codes = case_codes(self.policy, incident);
        let refused = self.pass.link.memory.refused_options.as_ref().filter(|refused| refused.codes == codes);
        if self.waits_in_line() || self.waits_for_given_up_cases() || self.waits_to_open(RefusedCall::OpenCase(codes)) {
            return;
        }
        let (account_id, production) = (account.number.clone(), account.production);
        let mark = self.draw_mark();
        let entries = self.pass.unsent_entries(true);
        let opening = render::opening(incident, self.pass.link.memory.former_cases.last(), &entries, &mark);
        let covers = entries[..opening.entries].iter().map(|entry| (entry.sys_id.clone(), entry.created_on)).collect();
        let severity = severity::asked(self.policy, incident);
        let options = options::asked(self.policy, incident, refused);
        let request = NewCase {
            subject: render::subject(self.policy, incident, production),
            body: opening.body,
            service_code: incident.service_code.clone(),
            category_code: incident.category_code.clone(),
            severity_code: severity.code.clone(),
            language: options.choices.language,
            issue_type: options.choices.issue_type,
            cc_email_addresses: options.cc_email_addresses,
        };
        self.call(Call::OpenCase {
            account: account_id,
            request,
            mark,
            covers,
            remainder: opening.remainder,
            severity,
            wanted: options.wanted,
            options_note: options.note,
        });
    }

    /// Waits if other incidents are ahead in line for the account's quota. Returns whether it does. An incident that
    /// has waited for 24 hours does not wait for the others any more: a link that can't be read may hold up the line.
    fn waits_in_line(&mut self) -> bool {
        let account = self.pass.incident.as_ref().and_then(|incident| incident.account.as_ref());
        let wait = self.pass.link.memory.waits_for_quota.as_ref().zip(account);
        let is_in_line = wait.is_some_and(|(wait, account)| wait.is_in_line_of(&account.number, self.now));
        let behind = is_in_line && self.pass.aws.first_in_line == Some(false);
        if behind {
            let until = self.later(seconds(self.policy.case_quota_retry_seconds));
            self.wait(Waiting::CaseQuota { until });
        }
        behind
    }

    /// Whether the incident waits because too many of its cases were given up: any of them may still show up. If so, adds
    /// the wait.
    fn waits_for_given_up_cases(&mut self) -> bool {
        let Some(until) = self.pass.link.memory.opens_no_case_until() else { return false };
        let until = until.max(self.later(seconds(1)));
        self.wait(Waiting::UnknownOutcome { until });
        true
    }

    /// Waits if CreateCase is held back. Returns whether it is. The first in line does not wait for the quota when it
    /// was woken, since another link got its case.
    fn waits_to_open(&mut self, call: RefusedCall) -> bool {
        let request = Request::Call(call);
        let is_next = self.pass.woken && self.pass.aws.first_in_line == Some(true);
        let is_waived = |trouble: &Trouble| is_next && trouble.refusal == Some(Refusal::CaseQuota);
        let blocking = self.pass.link.troubles.blocking_unless(Side::Aws, &request, self.now, is_waived).map(wait_for);
        blocking.map(|wait| self.wait(wait)).is_some()
    }

    /// Plans the opening of the incident of a case that somebody opened at AWS, once the case is read.
    fn plan_incident(&mut self, case: &LinkedCase, opening: &Opening) {
        if self.pass.may_miss_communications() || self.pass.may_miss_comments() {
            return;
        }
        if let Some(number) = &opening.continues {
            return self.plan_next_incident(case, opening, number);
        }
        let message = |shown: &Communication| external_id(&self.pass.key, case, &shown.id);
        // An earlier try may have opened the incident with the text that it recorded.
        let recorded = opening.describes.as_ref();
        let mut communications = self.pass.aws.shown.iter();
        let first = communications.find(|shown| recorded.is_none_or(|recorded| message(shown) == recorded.message));
        let (Some(shown), Some(first)) = (&self.pass.aws.case, first) else {
            let until = self.later(self.wait_for_new_case(case));
            return self.wait(Waiting::CaseUnread { until });
        };
        let is_left_out = opening.refused >= REFUSALS_BEFORE_PLACEHOLDER;
        let texts = render::incident_texts(case, if is_left_out { None } else { Some((&shown.subject, first)) });
        let is_deliverable = self.pass.unreceived_communications().first().is_some_and(|next| next.id == first.id);
        let described = || Described { message: message(first), stands_for_it: texts.is_whole && is_deliverable };
        let described = recorded.cloned().unwrap_or_else(described);
        self.plan_incident_with(case, shown, texts, Some(described));
    }

    /// Plans the opening of the incident that continues a closed one. It has a digest of what was written at AWS last; the closed
    /// incident has the whole texts.
    fn plan_next_incident(&mut self, case: &LinkedCase, opening: &Opening, number: &str) {
        let Some(shown) = &self.pass.aws.case else { return };
        let texts = if opening.refused >= REFUSALS_BEFORE_PLACEHOLDER {
            render::incident_texts(case, None)
        } else {
            // What agents wrote is on the closed incident.
            let conversation = &self.pass.link.memory.conversation;
            let is_of_others = |seen: &&Communication| conversation.fate(&seen.id) == Some(Fate::Delivered);
            let said: Vec<&Communication> = self.pass.aws.shown.iter().filter(is_of_others).collect();
            render::next_incident_texts(case, number, &shown.subject, &said)
        };
        self.plan_incident_with(case, shown, texts, None);
    }

    fn plan_incident_with(
        &mut self,
        case: &LinkedCase,
        shown: &Case,
        texts: IncidentTexts,
        describes: Option<Described>,
    ) {
        let level = self.policy.impact_and_urgency(&shown.severity_code);
        self.open_incident(NewIncident {
            account: case.account.clone(),
            short_description: texts.short_description,
            description: texts.description,
            impact: level.impact.clone(),
            urgency: level.urgency.clone(),
            service_code: shown.service_code.clone(),
            category_code: shown.category_code.clone(),
            columns: columns(self.policy, self.pass, self.now),
            describes,
        });
    }

    fn plan_linked(&mut self, case: &LinkedCase) {
        self.wait_for_unread_case(case);
        if let Some(opening) = &self.pass.link.opening {
            return self.plan_incident(case, opening);
        }
        // Nothing follows a call in doubt, and nothing is sent while the link pauses. Only messages from the AWS side
        // are delivered.
        let (in_doubt, pauses) = (self.wait_for_doubt(), self.wait_for_pause());
        let holds = in_doubt || pauses;
        self.plan_orders(pauses);
        // If a side was not read, only messages are delivered: a resolution or a comment could overtake what was not
        // read.
        let case_seen = !self.pass.may_miss_communications();
        let both_seen = case_seen && !self.pass.may_miss_comments();
        let merge = if both_seen && !holds { self.merge(case) } else { Merge::default() };
        let all_delivered = self.plan_delivery(case, &merge);
        if merge.hands_over && all_delivered && self.plan_hand_over(case) {
            return;
        }
        let was_ended = self.pass.summary().is_some_and(|incident| incident.state.is_ended());
        let reopening_waits = merge.reopening_waits_for_case || (merge.is_open && was_ended && !all_delivered);
        if holds || !case_seen || reopening_waits {
            return;
        }
        if !both_seen {
            return self.plan_first_comments(case);
        }
        let all_go = self.plan_communications(case, &merge) && self.plan_files(case, &merge);
        if all_go && merge.resolve_case && !self.waits_for(Side::Aws, &Request::Call(RefusedCall::ResolveCase)) {
            let call = Call::ResolveCase { account: case.account.clone(), case_id: case.case_id.clone() };
            self.call(call);
        }
        self.plan_doubles(case);
    }

    /// Plans the move of the case to the next incident, once this pass has read that the incident is closed, and everything that
    /// people wrote on either side is on the other. Returns whether it does, or waits for a read.
    fn plan_hand_over(&mut self, case: &LinkedCase) -> bool {
        // What this plan orders is not under way yet. Only this link's incident has the files.
        let orders_files = !self.pass.files_to_order(self.policy, self.now).is_empty();
        if !self.pass.sent_everything() || orders_files || self.messages_wait() {
            return false;
        }
        if self.pass.aws.is_behind || !self.pass.link.memory.conversation.delivers_all(&self.pass.aws.shown) {
            let until = self.later(self.wait_for_new_case(case));
            self.wait(Waiting::CaseUnread { until });
        } else if self.pass.incident.is_none() {
            self.wait_for_incident();
        } else {
            self.hand_over(successor::next_link(case, &self.pass.link.memory));
        }
        true
    }

    /// Plans the first comments of an incident with so many that the read did not reach the newest. The next read
    /// begins where these end. Nothing ends or reopens a side until all comments are read.
    fn plan_first_comments(&mut self, case: &LinkedCase) {
        if self.pass.incident.is_some() {
            // Those of an open incident all go. Those that would reopen a side wait.
            self.plan_communications(case, &Merge::default());
        }
    }

    fn wait_for_unread_case(&mut self, case: &LinkedCase) {
        if self.pass.may_miss_communications() {
            let until = self.later(self.wait_for_new_case(case));
            let trouble = self.pass.link.troubles.blocking(Side::Aws, &Request::Read, self.now);
            self.wait(trouble.map_or(Waiting::CaseUnread { until }, wait_for));
        }
        if self.pass.may_miss_comments() {
            self.wait_for_incident();
        }
        if case.display_id.is_none() {
            let until = self.not_before_aws_answers(self.later(self.wait_for_new_case(case)));
            self.wait(Waiting::DisplayId { until });
        }
        if let Some(at) = self.pass.link.memory.full_read_at {
            self.wait(Waiting::FullRead { until: self.not_before_aws_answers(at) });
        }
        if let Some(at) = self.pass.link.memory.conversation.last_decision_at(self.policy.unknown_outcome()) {
            let until = self.not_before_aws_answers(at.max(self.later(seconds(1))));
            self.wait(Waiting::UnclearMark { until });
        }
        if let Some(wait) = self.pass.unclear_origin_wait(self.policy) {
            self.wait(Waiting::UnclearOrigin { until: self.later(wait.max(seconds(1))) });
        }
        let shown = self.pass.aws.case.as_ref().map(|shown| &shown.status);
        if shown.is_some_and(|shown| case.status.as_ref() != Some(shown)) {
            let since = case.reopened_at.filter(|_| !case.is_resolved()).unwrap_or(case.status_since);
            let until = time::later(since, self.policy.unknown_outcome());
            // An unseen text of ours may be why the status is not accepted: the latest of these counts, until L after
            // it was sent.
            let shows_ours = || self.pass.own_text_may_appear_until(self.policy).filter(|_| !case.is_resolved());
            let until = shows_ours().map_or(until, |shown| until.max(shown));
            self.wait(Waiting::UnsettledStatus { until: until.max(self.later(seconds(1))) });
        }
        if let Some(until) = self.pass.severity_unsettled_until() {
            self.wait(Waiting::UnsettledStatus { until: until.max(self.later(seconds(1))) });
        }
    }

    /// Returns how long to wait before reading a case again that AWS does not show completely yet. The wait is as long
    /// as the case is old (at least five seconds, at most `retry_longest_seconds`), so that a case that shows late is
    /// read a few times and not every few seconds.
    fn wait_for_new_case(&self, case: &LinkedCase) -> SignedDuration {
        let shortest = seconds(NEW_CASE_SECONDS);
        let age = self.now.duration_since(case.opened_at);
        age.clamp(shortest, seconds(self.policy.retry_longest_seconds).max(shortest))
    }

    /// Decides which side has ended or gone on since both last agreed, and what follows for the other.
    fn merge(&mut self, case: &LinkedCase) -> Merge {
        let mut merge = Merge::default();
        let Some(incident) = self.pass.summary() else { return merge };
        merge.is_open = !incident.state.is_ended();
        let has_unsent = !self.pass.unsent_entries(merge.is_open).is_empty();
        let has_files = self.pass.has_unsent_files(self.policy);
        let has_remainder = self.pass.link.memory.opening_remainder.is_some();
        let shows_resolved = self.pass.aws.case.as_ref().is_some_and(|shown| shown.status.is_resolved());
        match (incident.state.is_ended(), case.is_resolved()) {
            (true, _) if self.pass.has_reaction() => self.reopen_incident(&mut merge),
            // The read may show a resolution that is not accepted yet. Nothing follows until that is settled.
            (true, false) if self.pass.link.base.ended && shows_resolved => {}
            (true, false) if self.pass.link.base.ended => self.reopen_after_case(incident, &mut merge),
            (true, false) => merge.resolve_case = true,
            // What was written before the end is sent even now. It reopens the case, which is then resolved again.
            (true, true) => merge.resolve_case = has_unsent,
            // If the read shows the case as open, although that is not accepted yet, no notice is needed. Nor is it if
            // another text reopens the case.
            (false, true) if self.pass.link.base.ended => {
                merge.reopen_notice = !has_unsent && !has_remainder && shows_resolved;
            }
            (false, true) if !has_unsent && !has_files => merge.fields = self.ending_fields(incident, case),
            // A comment or a file on an open incident whose case AWS resolved is sent and reopens the case.
            (false, true) => {}
            (false, false) => {
                if let Some(state) = state_wanted(self.policy, &self.pass.link) {
                    state.value().clone_into(&mut merge.fields.state);
                }
            }
        }
        if merge.fields.state == IncidentState::OnHold.value() {
            merge.fields.hold_reason.clone_from(&self.policy.hold_reason);
        }
        self.set_severity(&mut merge);
        self.hold_back_refused_fields(&mut merge);
        merge
    }

    /// Reopens an incident that had ended and whose case AWS reopened. An incident that is closed can't be reopened: by
    /// policy the case moves to another one. Waits if it does not, or if only texts that have reopened the link before
    /// reopened the case.
    fn reopen_after_case(&mut self, incident: &IncidentSummary, merge: &mut Merge) {
        let is_closed = incident.state.is_closed();
        if is_closed && self.policy.case_reopened_after_closing == ClosedIncidentRule::Note {
            self.wait(Waiting::IncidentClosed);
        } else if self.pass.is_repeated_reopening() {
            self.wait(Waiting::RepeatedReopening);
        } else if is_closed {
            merge.hands_over = true;
        } else {
            self.reopen_incident(merge);
        }
    }

    fn reopen_incident(&self, merge: &mut Merge) {
        self.policy.reopened_state.value().clone_into(&mut merge.fields.state);
        merge.is_open = true;
    }

    /// Returns the fields that resolve the incident. A close code and close notes that an agent has entered are kept.
    fn ending_fields(&self, incident: &IncidentSummary, case: &LinkedCase) -> IncidentFields {
        let accepted = |code: &&String| incident.close_codes.is_empty() || incident.close_codes.contains(code);
        let preferred = self.policy.close_codes.iter().find(accepted);
        let close_code = || preferred.or(incident.close_codes.first()).cloned().unwrap_or_default();
        IncidentFields {
            state: IncidentState::Resolved.value().to_owned(),
            close_code: if incident.has_close_code { String::new() } else { close_code() },
            close_notes: if incident.has_close_notes { String::new() } else { render::close_notes(case, self.now) },
            ..IncidentFields::default()
        }
    }

    /// Sets impact and urgency of an open incident whose case has another severity now, if the policy wants it.
    fn set_severity(&self, merge: &mut Merge) {
        let Some(code) = self.pass.link.memory.severity_to_set.as_ref().filter(|_| merge.is_open) else { return };
        let level = self.policy.impact_and_urgency(code);
        merge.fields.impact.clone_from(&level.impact);
        merge.fields.urgency.clone_from(&level.urgency);
    }

    /// Drops fields that ServiceNow has refused, until they may be tried again. A reopening waits with them.
    fn hold_back_refused_fields(&mut self, merge: &mut Merge) {
        if merge.fields.is_empty() || !self.waits_for(Side::ServiceNow, &Request::of_fields(&merge.fields)) {
            return;
        }
        merge.fields = IncidentFields::default();
        merge.reopening_waits_for_case = self.pass.summary().is_some_and(|incident| incident.state.is_ended());
    }

    /// Plans the messages for the incident and, with the last of them, its fields. Returns false if any of these
    /// deliveries waits.
    fn plan_delivery(&mut self, case: &LinkedCase, merge: &Merge) -> bool {
        let messages = if self.messages_wait() { Vec::new() } else { self.messages(case) };
        self.deliver(messages, &merge.fields)
    }

    /// Returns what is not on the incident yet: AWS's communications, and then our notes.
    fn messages(&self, case: &LinkedCase) -> Vec<Message> {
        let unreceived = self.pass.unreceived_communications();
        let replies = unreceived.into_iter().map(|communication| Message {
            external_id: external_id(&self.pass.key, case, &communication.id),
            text: self.reply_text(case, communication),
            kind: self.policy.replies_become,
        });
        let notes = self.pass.link.memory.notes.iter().map(|note| Message {
            external_id: note_id(&self.pass.key, case, note),
            text: format!("{}: {}", render::case_name(case), note.text),
            kind: MessageKind::WorkNote,
        });
        replies.chain(notes).collect()
    }

    /// Returns the text of a communication for the incident, or a placeholder if ServiceNow has refused the text twice.
    fn reply_text(&self, case: &LinkedCase, communication: &Communication) -> String {
        let refused = self.pass.link.memory.refused_message.as_ref();
        let is_left_out = refused.is_some_and(|refused| refused.is_left_out && refused.id == communication.id);
        if is_left_out { render::left_out_reply(case, communication) } else { render::reply(case, communication) }
    }

    /// Plans what people wrote in ServiceNow, for the case, in order. Returns false if any of it waits, since nothing
    /// may overtake it.
    fn plan_communications(&mut self, case: &LinkedCase, merge: &Merge) -> bool {
        let pass = self.pass;
        let Some(number) = pass.summary().map(|incident| incident.number.clone()) else { return true };
        let entries = pass.unsent_entries(merge.is_open);
        let remainder = pass.link.memory.opening_remainder.as_deref();
        let nothing = entries.is_empty() && remainder.is_none() && !merge.reopen_notice;
        if nothing {
            return true;
        }
        if self.waits_for(Side::Aws, &Request::Call(RefusedCall::AddCommunication)) {
            return false;
        }
        if let Some(text) = remainder {
            let is_whole = self.add_parts(case, &Content::OpeningRemainder, text, |text, part, mark| {
                render::opening_remainder(&number, text, part, mark)
            });
            if !is_whole {
                return false;
            }
        }
        for entry in entries {
            let content = Content::Entry { entry: entry.sys_id.clone(), created_on: entry.created_on };
            let is_whole = self.add_parts(case, &content, &entry.text, |text, part, mark| {
                render::comment(&number, entry, text, part, mark)
            });
            if !is_whole {
                return false;
            }
        }
        if merge.reopen_notice {
            self.add_parts(case, &Content::ReopenNotice, "", |_, _, mark| render::reopen_notice(&number, mark));
        }
        true
    }

    /// Plans the orders for files that have to be moved. A link that pauses orders none for the case.
    fn plan_orders(&mut self, pauses: bool) {
        let to_case = if pauses { Vec::new() } else { self.pass.files_to_order(self.policy, self.now) };
        for order in to_case.into_iter().chain(self.pass.case_files_to_order(self.policy, self.now)) {
            self.order_files(order);
        }
        if let Some(until) = self.pass.files_awaited_until(self.now) {
            self.wait(Waiting::Files { until });
        }
    }

    /// Plans the communications with files that wait for them, and what AWS is told of files that stay. A case that is
    /// resolved is told nothing: that would reopen it. Returns false if files of the incident are not on the case yet.
    fn plan_files(&mut self, case: &LinkedCase, merge: &Merge) -> bool {
        let pass = self.pass;
        let Some(number) = pass.summary().map(|incident| incident.number.clone()) else { return true };
        let memory = &pass.link.memory.files;
        let notices = if case.is_resolved() { &[][..] } else { &memory.notices[..] };
        if !merge.is_open && case.is_resolved() {
            return true;
        }
        let is_idle = memory.outgoing.is_empty() && notices.is_empty();
        if is_idle {
            return !pass.has_unsent_files(self.policy);
        }
        if self.waits_for(Side::Aws, &Request::Call(RefusedCall::AddCommunication)) {
            return false;
        }
        for files in &memory.outgoing {
            let OutgoingProgress::Ready(carried) = &files.progress else { continue };
            let mark = self.draw_mark();
            self.call(Call::AddCommunication {
                account: case.account.clone(),
                case_id: case.case_id.clone(),
                content: Content::Files(files.transfer.clone()),
                part: Part::whole(0),
                body: render::files(&number, &files.author, &files.names(), &mark),
                mark,
                carried: Some(carried.clone()),
            });
        }
        for notice in notices {
            self.add_parts(case, &Content::FileNotice(notice.number), "", |_, _, mark| {
                render::file_notice(&number, &notice.text, mark)
            });
        }
        memory.outgoing.iter().all(|files| matches!(files.progress, OutgoingProgress::Ready(_)))
            && !pass.has_unordered_files(self.policy)
    }

    /// Plans the parts of a text that are not on the case yet. A text that AWS refused is sent in smaller parts, or a
    /// placeholder takes the place of its next part. Returns false if more of the text follows in another plan, since
    /// nothing may overtake that.
    fn add_parts(
        &mut self,
        case: &LinkedCase,
        content: &Content,
        text: &str,
        render: impl Fn(&str, Part, &Mark) -> String,
    ) -> bool {
        let link = &self.pass.link;
        let sent = link.memory.partly_sent.as_ref().filter(|partly| partly.content == *content);
        let (sent_bytes, sent_parts) = sent.map_or((0, 0), |partly| (partly.bytes, partly.parts));
        let rest = text.get(sent_bytes..).unwrap_or_default();
        let refused = link.memory.refused_text.as_ref().filter(|refused| refused.content == *content);
        let reduction = refused.map(|refused| refused.reduction);
        let parts = render::parts(rest, render::part_bytes(reduction));
        let of = sent_parts.saturating_add(u16::try_from(parts.len()).unwrap_or(u16::MAX));
        let mut end = sent_bytes;
        if reduction == Some(Reduction::Placeholder) {
            let end = end + parts.first().map_or(0, |part| part.len());
            let part = Part { number: sent_parts.saturating_add(1), of, end, left_out: true };
            self.add_part(case, content, part, render::LEFT_OUT, &render);
            return part.is_last();
        }
        for (number, part) in (sent_parts.saturating_add(1)..=of).zip(parts) {
            end += part.len();
            self.add_part(case, content, Part { number, of, end, left_out: false }, part, &render);
        }
        true
    }

    fn add_part(
        &mut self,
        case: &LinkedCase,
        content: &Content,
        part: Part,
        text: &str,
        render: &impl Fn(&str, Part, &Mark) -> String,
    ) {
        let mark = self.draw_mark();
        self.call(Call::AddCommunication {
            account: case.account.clone(),
            case_id: case.case_id.clone(),
            content: content.clone(),
            part,
            body: render(text, part, &mark),
            mark,
            carried: None,
        });
    }

    /// Plans a note on each double that is not resolved, and its resolution.
    fn plan_doubles(&mut self, case: &LinkedCase) {
        let number = self.pass.summary().map(|incident| incident.number.clone()).unwrap_or_default();
        let doubles = self.pass.link.memory.doubles.iter().filter(|double| !double.resolved);
        for double in doubles {
            if self.waits_for(Side::Aws, &Request::Call(RefusedCall::Double)) {
                return;
            }
            let (account, case_id) = (double.account.clone(), double.case_id.clone());
            if !double.told {
                let mark = self.draw_mark();
                self.call(Call::AddCommunication {
                    account: account.clone(),
                    case_id: case_id.clone(),
                    content: Content::DoubleNotice(case_id.clone()),
                    part: Part::whole(0),
                    body: render::double_notice(&number, case, &mark),
                    mark,
                    carried: None,
                });
            }
            self.call(Call::ResolveCase { account, case_id });
        }
    }
}

/// What follows from the merge of base, incident and case.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent consequence")]
struct Merge {
    /// Fields of the incident to set.
    fields: IncidentFields,
    /// Whether the incident is open or is to be reopened.
    is_open: bool,
    /// Whether the reopening of the incident waits. Whatever would reopen the case then waits with it.
    reopening_waits_for_case: bool,
    /// Whether the case is to be resolved, after everything that was written before is sent.
    resolve_case: bool,
    /// Whether a notice has to reopen the case, since nobody wrote anything.
    reopen_notice: bool,
    /// Whether the case moves to another incident, after everything that was written before is on the other side.
    hands_over: bool,
}
