//! What the incident and the case ask of each other.
//!
//! A three-way merge. The base is what both sides last agreed on; a side that differs from it has changed. Messages are
//! unioned and keep the order of their own side.

use jiff::SignedDuration;

use crate::{
    failure::Refusal,
    link::{
        mark::Mark,
        plan::Waiting,
        planner::{Planner, wait_for},
        trouble::{Request, Side},
    },
    servicenow::{
        delivery::{IncidentFields, Message},
        incident::{IncidentState, IncidentSummary},
    },
    support::{
        SupportCase, Trouble,
        call::{Call, Content, NewCase, Part, RefusedCall},
        case::Communication,
        columns::names_unknown_case,
        memory::{LinkedCase, Reduction},
        message::external_id,
        outcome::case_codes,
        render,
        sight::{is_in_scope, state_wanted},
    },
    time::seconds,
};

/// How long a new case is waited for before it is read for its display id, or read again if it does not show yet: AWS tells
/// of it by an event, mostly earlier.
const NEW_CASE_SECONDS: u32 = 5;

impl Planner<'_, SupportCase> {
    /// Plans what the incident and the case ask for.
    pub(super) fn plan_case(&mut self) {
        match &self.pass.link.memory.case {
            None => self.plan_opening(),
            Some(case) => self.plan_linked(case),
        }
    }

    /// When the cases that were given up are looked for next.
    pub(super) fn wait_for_late_cases(&self) -> Option<Waiting> {
        let look_at = self.pass.link.memory.given_up_cases.iter().map(|given_up| given_up.look_at).min()?;
        Some(Waiting::LateCase { until: self.not_before_aws_answers(look_at.max(self.later(seconds(1)))) })
    }

    /// The case that the incident asks for: an incident in scope that is open.
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
        let call = RefusedCall::OpenCase(case_codes(self.policy, incident));
        if self.waits_in_line() || self.waits_for_given_up_cases() || self.waits_to_open(call) {
            return;
        }
        let (account_id, production) = (account.number.clone(), account.production);
        let mark = self.draw_mark();
        let entries = self.pass.unsent_entries(true);
        let opening = render::opening(incident, &entries, &mark);
        let covers = entries[..opening.entries].iter().map(|entry| (entry.sys_id.clone(), entry.created_on)).collect();
        let request = NewCase {
            subject: render::subject(self.policy, incident, production),
            body: opening.body,
            service_code: incident.service_code.clone(),
            category_code: incident.category_code.clone(),
            severity_code: self.policy.severity(&incident.priority).to_owned(),
            language: self.policy.language.clone(),
            issue_type: self.policy.issue_type.clone(),
            cc_email_addresses: self.policy.cc_email_addresses.clone(),
        };
        let call = Call::OpenCase { account: account_id, request, mark, covers, remainder: opening.remainder };
        self.call(call);
    }

    /// Whether the incident waits for its account's quota behind another one. Whoever has waited long tries all the same:
    /// what holds up the line may be a link that nobody can read.
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

    /// Whether the incident waits since so many of its cases were given up: any of them may still show up.
    fn waits_for_given_up_cases(&mut self) -> bool {
        let Some(until) = self.pass.link.memory.opens_no_case_until() else { return false };
        let until = until.max(self.later(seconds(1)));
        self.wait(Waiting::UnknownOutcome { until });
        true
    }

    /// Whether CreateCase is not to be called for now. The first in line tries when it was woken: another one got a case.
    fn waits_to_open(&mut self, call: RefusedCall) -> bool {
        let request = Request::Call(call);
        let is_next = self.pass.woken && self.pass.aws.first_in_line == Some(true);
        let is_waived = |trouble: &Trouble| is_next && trouble.refusal == Some(Refusal::CaseQuota);
        let blocking = self.pass.link.troubles.blocking_unless(Side::Aws, &request, self.now, is_waived).map(wait_for);
        blocking.map(|wait| self.wait(wait)).is_some()
    }

    fn plan_linked(&mut self, case: &LinkedCase) {
        self.wait_for_what_is_unread(case);
        // Nothing follows a call in doubt, and nothing is sent while the link pauses: only AWS's words go on.
        let (in_doubt, pauses) = (self.wait_for_doubt(), self.wait_for_pause());
        let holds = in_doubt || pauses;
        // With a side unseen only messages go: who resolves or sends blindly overtakes what it has not seen.
        let case_seen = !self.pass.is_blind_to_case();
        let both_seen = case_seen && !self.pass.is_blind_to_incident();
        let merge = if both_seen && !holds { self.merge(case) } else { Merge::default() };
        let all_delivered = self.plan_delivery(case, &merge);
        let was_ended = self.pass.summary().is_some_and(|incident| incident.state.is_ended());
        let reopening_waits = merge.reopening_blocked || (merge.is_open && was_ended && !all_delivered);
        if holds || !case_seen || reopening_waits {
            return;
        }
        if !both_seen {
            return self.plan_first_comments(case);
        }
        let all_go = self.plan_communications(case, &merge);
        if all_go && merge.resolve_case && !self.waits_for(Side::Aws, &Request::Call(RefusedCall::ResolveCase)) {
            let call = Call::ResolveCase { account: case.account.clone(), case_id: case.case_id.clone() };
            self.call(call);
        }
        self.plan_doubles(case);
    }

    /// Of so many comments that a read did not reach the newest, the first ones go: the rest is read from where these end.
    /// What ends or reopens a side waits until all are read.
    fn plan_first_comments(&mut self, case: &LinkedCase) {
        let Some(incident) = &self.pass.incident else { return };
        let is_open = !incident.summary.state.is_ended();
        self.plan_communications(case, &Merge { is_open, ..Merge::default() });
    }

    fn wait_for_what_is_unread(&mut self, case: &LinkedCase) {
        if self.pass.is_blind_to_case() {
            let until = self.later(self.wait_for_new_case(case));
            let trouble = self.pass.link.troubles.blocking(Side::Aws, &Request::Read, self.now);
            self.wait(trouble.map_or(Waiting::CaseUnread { until }, wait_for));
        }
        if self.pass.is_blind_to_incident() {
            self.wait_for_incident();
        }
        if case.display_id.is_none() {
            let until = self.not_before_aws_answers(self.later(self.wait_for_new_case(case)));
            self.wait(Waiting::DisplayId { until });
        }
        if let Some(at) = self.pass.link.memory.full_read_at {
            self.wait(Waiting::FullRead { until: self.not_before_aws_answers(at) });
        }
        if let Some(at) = self.pass.link.memory.conversation.decided_at(self.policy.unknown_outcome()) {
            let until = self.not_before_aws_answers(at.max(self.later(seconds(1))));
            self.wait(Waiting::UnclearMark { until });
        }
        if let Some(wait) = self.pass.clear_at(self.policy) {
            self.wait(Waiting::UnclearOrigin { until: self.later(wait.max(seconds(1))) });
        }
        let shown = self.pass.aws.case.as_ref().map(|shown| &shown.status);
        if shown.is_some_and(|shown| case.status.as_ref() != Some(shown)) {
            let since = case.reopened_at.filter(|_| !case.is_resolved()).unwrap_or(case.status_since);
            let until = since.checked_add(self.policy.unknown_outcome()).unwrap_or(self.now);
            // A text of ours that is not seen may be what keeps it from being believed: the youngest one, until L after it.
            let shows_ours = || self.pass.shows_ours_until(self.policy).filter(|_| !case.is_resolved());
            let until = shows_ours().map_or(until, |shown| until.max(shown));
            self.wait(Waiting::UnsettledStatus { until: until.max(self.later(seconds(1))) });
        }
    }

    /// How long a case is left alone that does not show all it will: as long again as it has been there, so that one that
    /// shows late is read a few times and not every few seconds.
    fn wait_for_new_case(&self, case: &LinkedCase) -> SignedDuration {
        let shortest = seconds(NEW_CASE_SECONDS);
        let age = self.now.duration_since(case.opened_at);
        age.clamp(shortest, seconds(self.policy.retry_longest_seconds).max(shortest))
    }

    /// Which side has ended or gone on since both last agreed, and what follows for the other.
    fn merge(&mut self, case: &LinkedCase) -> Merge {
        let mut merge = Merge::default();
        let Some(incident) = self.pass.summary() else { return merge };
        merge.is_open = !incident.state.is_ended();
        let has_unsent = !self.pass.unsent_entries(merge.is_open).is_empty();
        let shows_resolved = self.pass.aws.case.as_ref().is_some_and(|shown| shown.status.is_resolved());
        match (incident.state.is_ended(), case.is_resolved()) {
            (true, _) if self.pass.has_reaction() => self.reopen_incident(&mut merge),
            // What the read shows may be news that is not believed yet: nobody is bothered before that is settled.
            (true, false) if self.pass.link.base.ended && shows_resolved => {}
            (true, false) if self.pass.link.base.ended => self.follow_reopening(incident, &mut merge),
            (true, false) => merge.resolve_case = true,
            // What was written up to the end goes out even now; it reopens the case, which is resolved again.
            (true, true) => merge.resolve_case = has_unsent,
            // The case may be open by now, if not believably so: then nothing need be said.
            (false, true) if self.pass.link.base.ended => {
                merge.reopen_notice = !has_unsent && shows_resolved;
            }
            (false, true) if !has_unsent => merge.fields = self.ending_fields(incident, case),
            // A comment on an open incident whose case AWS resolved: it goes out and reopens the case.
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
        self.hold_back_refused_fields(&mut merge);
        merge
    }

    /// AWS reopened the case of an incident whose work had ended.
    fn follow_reopening(&mut self, incident: &IncidentSummary, merge: &mut Merge) {
        if !incident.state.can_reopen() {
            self.wait(Waiting::IncidentClosed);
        } else if self.pass.is_repeated_reopening() {
            self.wait(Waiting::RepeatedReopening);
        } else {
            self.reopen_incident(merge);
        }
    }

    fn reopen_incident(&self, merge: &mut Merge) {
        self.policy.reopened_state.value().clone_into(&mut merge.fields.state);
        merge.is_open = true;
    }

    /// What ends work on the incident. What an agent has drafted stays.
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

    /// Fields that the platform has just refused are not tried again before their time.
    fn hold_back_refused_fields(&mut self, merge: &mut Merge) {
        if merge.fields.is_empty() || !self.waits_for(Side::ServiceNow, &Request::of_fields(&merge.fields)) {
            return;
        }
        merge.fields = IncidentFields::default();
        merge.reopening_blocked = self.pass.summary().is_some_and(|incident| incident.state.is_ended());
        merge.is_open = !merge.reopening_blocked;
    }

    /// Messages for the incident and, with the last of them, its fields. False if any of these deliveries waits.
    fn plan_delivery(&mut self, case: &LinkedCase, merge: &Merge) -> bool {
        let unreceived = if self.messages_wait() { Vec::new() } else { self.pass.unreceived_communications() };
        let messages = unreceived.into_iter().map(|communication| Message {
            external_id: external_id(&self.pass.key, case, &communication.id),
            text: self.reply_text(case, communication),
            kind: self.policy.replies_become,
        });
        self.deliver(messages.collect(), &merge.fields)
    }

    /// A communication for the incident. One that ServiceNow has refused twice is left out, with a word in its place.
    fn reply_text(&self, case: &LinkedCase, communication: &Communication) -> String {
        let refused = self.pass.link.memory.refused_message.as_ref();
        let is_left_out = refused.is_some_and(|refused| refused.is_left_out && refused.id == communication.id);
        if is_left_out { render::left_out_reply(case, communication) } else { render::reply(case, communication) }
    }

    /// What people wrote in ServiceNow, for the case, in order. False if any of it waits: nothing may overtake it.
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

    /// The parts of a text that are not on the case yet. One that AWS refused goes in smaller ones, or not at all, with a
    /// word in its place. False if more of it follows in another plan: nothing may overtake that.
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
        });
    }

    /// Cases that were opened twice get a note and are resolved.
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
                });
            }
            self.call(Call::ResolveCase { account, case_id });
        }
    }
}

/// What follows from the merge of base, incident and case.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a consequence of its own")]
struct Merge {
    /// Fields of the incident to set.
    fields: IncidentFields,
    /// Whether the incident is open, or is with these fields.
    is_open: bool,
    /// Whether the incident's reopening waits: what would reopen the case waits with it.
    reopening_blocked: bool,
    /// Whether the case is to be resolved, after all that was written before.
    resolve_case: bool,
    /// Whether the case is to be reopened though nobody wrote anything.
    reopen_notice: bool,
}
