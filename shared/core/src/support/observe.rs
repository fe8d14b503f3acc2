//! What a pass sees of the case: its conversation, its status, and what became of calls that were not answered.

use jiff::Timestamp;

use crate::{
    failure::{Failure, Refusal},
    identifiers::{AccountId, CaseId, CaseKey, CommunicationId},
    link::{
        intent::IntentEnd,
        mark::Mark,
        trouble::{Request, Side},
    },
    policy::Policy,
    servicenow::incident::IncidentSummary,
    support::{
        Intent, Pass,
        call::{Applied, IntentKind, RefusedCall},
        case::{Case, CaseStatus, Communication, RECENT_COMMUNICATIONS, RawCommunication},
        conversation::{Fate, MAXIMUM_KNOWN_COMMUNICATIONS, Owner, TakenIn},
        memory::{DoubledCase, GivenUpCase, LinkedCase},
        message::delivered_communication,
        outcome::{case_codes, new_linked_case},
        render,
        successor::REOPENED_WITHIN,
    },
    text::text_hash,
    time::{self, CLOCKS_APART, seconds},
};

/// After this many calls in a row that count as never applied, the next one waits as after a refusal. Each leaves a
/// mark that is kept for good, so a call that AWS always answers with an error would fill the link.
const NEVER_APPLIED_BEFORE_WAIT: u32 = 3;

impl Pass {
    /// Whether a read of the most recent communications is not enough, and all that are not settled must be read.
    ///
    /// While a text is in doubt, all communications are read unless a recent one may be that text. After L they are
    /// read in any case, since that read decides.
    pub fn needs_all_communications(&self, policy: &Policy, case: &Case, now: Timestamp) -> bool {
        let in_doubt = match &self.link.intent {
            Some(Intent { kind: IntentKind::AddCommunication { .. }, mark: Some(mark), written_at, .. }) => {
                // A text by AWS may quote the mark, which proves nothing.
                let may_be_it = |shown: &RawCommunication| !shown.is_by_aws() && mark.is_in(&shown.body);
                !case.communications.iter().any(may_be_it)
                    || now.duration_since(*written_at) >= policy.unknown_outcome()
            }
            _ => false,
        };
        let undecided = self.link.memory.conversation.last_decision_at(policy.unknown_outcome());
        let due = self.link.memory.full_read_at.into_iter().chain(undecided).any(|at| at <= now);
        // The incident is opened with the first communication.
        let opens = self.link.opening.is_some();
        !case.communications_complete
            && (opens || !self.link.memory.conversation.connects_to_known(&case.communications) || in_doubt || due)
    }

    /// Returns the moment from which on communications have to be read: all before it are settled. Returns `None` if
    /// none are settled.
    pub fn communications_since(&self) -> Option<Timestamp> {
        self.link.memory.conversation.settled_before
    }

    /// Takes in a read of the case that began at `now`. After an interrupted pass, only the ids and the
    /// fingerprint are taken in until the incident is read, since the incident shows what was delivered.
    pub fn see_case(&mut self, policy: &Policy, case: Case, now: Timestamp) {
        if self.link.interrupted && !self.see_deliveries() {
            return self.see_only_identity(&case, now);
        }
        self.aws.shown_all = case.communications.len() <= MAXIMUM_KNOWN_COMMUNICATIONS;
        self.link.troubles.end(Side::Aws, |trouble| trouble.request == Request::Read);
        let TakenIn { shown, news } = self.link.memory.conversation.take_in(
            case.communications.clone(),
            case.communications_complete,
            now,
            policy.unknown_outcome(),
        );
        self.see_customers_news(&shown, &news);
        self.aws.shown = shown;
        self.settle_doubt(policy, &case, now);
        self.aws.is_behind = self.is_behind_what_is_known(policy, now);
        self.see_status(policy, &case, now);
        self.see_severity(policy, &case, now);
        self.plan_full_read(policy, case.communications_complete, !news.is_empty(), now);
        self.see_case_files(policy, now);
        self.aws.case = Some(case);
        self.agree(policy);
    }

    /// Records whether a customer wrote at AWS, by the communications that a read shows and those of them that are new.
    fn see_customers_news(&mut self, shown: &[Communication], news: &[CommunicationId]) {
        let is_customers_news = |seen: &&Communication| {
            let is_customers = self.link.memory.conversation.fate(&seen.id) == Some(Fate::Pending) && !seen.is_by_aws();
            is_customers && news.contains(&seen.id)
        };
        let customers_news: Vec<&str> =
            shown.iter().filter(is_customers_news).map(|seen| seen.raw.body.as_str()).collect();
        self.aws.customer_wrote = !customers_news.is_empty();
        self.link.memory.customer_wrote |= self.link.base.ended
            && self.aws.customer_wrote
            && !self.link.journal.all_reopened_before(customers_news.iter().copied());
    }

    /// Takes in the ids, the fingerprint and the status of the case.
    fn see_status(&mut self, policy: &Policy, case: &Case, now: Timestamp) {
        let has_unseen_own_text = self.has_unseen_own_text(policy, now);
        if let Some(linked) = &mut self.link.memory.case {
            linked.identify(case, now);
            let ours = linked
                .reopened_by
                .as_ref()
                .and_then(|mark| self.link.memory.conversation.marks.get(mark)?.owner.as_ref());
            let shows_ours = ours.is_some_and(|owner| self.aws.shown.iter().any(|seen| seen.id == owner.id));
            let was_resolved = linked.is_resolved();
            let is_after_reopening = shows_ours && !case.communications_are_later;
            let age = Age { is_after_reopening, is_behind: self.aws.is_behind, has_unseen_own_text };
            accept_status(linked, age, policy, &case.status, now);
            if was_resolved && !linked.is_resolved() {
                linked.reopened_by = self.link.intent.as_ref().and_then(reopening_mark);
            }
        }
    }

    /// Sets when the conversation is read in full: L after a read that left something out, is older than what is known, or
    /// [may hide a text](Self::may_hide_text) that no later read of the recent ones shows.
    fn plan_full_read(&mut self, policy: &Policy, is_complete: bool, has_news: bool, now: Timestamp) {
        if is_complete {
            self.link.memory.full_read_at = self.link.memory.full_read_at.filter(|at| *at > now);
        }
        let leaves_out = !is_complete || self.may_hide_text(policy, now);
        if has_news && leaves_out && self.link.memory.full_read_at.is_none() {
            self.link.memory.full_read_at = Some(time::later(now, policy.unknown_outcome()));
        }
        let is_older = self.aws.is_behind || self.link.memory.conversation.hides_open(&self.aws.shown);
        if self.link.memory.full_read_at.is_none() && is_older {
            // The answer is older than what is known: what it leaves out is looked for again.
            self.link.memory.full_read_at = Some(time::later(now, policy.unknown_outcome()));
        }
    }

    /// Whether AWS may hide a text that is followed by so many others that it is not among the recent ones once it is shown.
    /// It hides a text for L at the longest; AWS's clock is not ours.
    fn may_hide_text(&self, policy: &Policy, now: Timestamp) -> bool {
        let shown_since = time::earlier(now, policy.unknown_outcome() + CLOCKS_APART);
        let following = self.aws.shown.iter().filter(|seen| seen.raw.time_created >= shown_since);
        following.count() >= RECENT_COMMUNICATIONS
    }

    /// Takes in the ids and the fingerprint alone. If the incident is not found, a change of the case makes the looks for
    /// the incident frequent again: a text that waits for its delivery may be behind it.
    fn see_only_identity(&mut self, case: &Case, now: Timestamp) {
        let Some(linked) = &mut self.link.memory.case else { return };
        if self.incident_gone && linked.fingerprint != case.fingerprint {
            self.link.gone_since = Some(now);
        }
        linked.identify(case, now);
    }

    /// Takes in what an interrupted pass delivered. Returns false if the incident has still to be read for it. An incident
    /// that is not found may be shown again later, with what was delivered.
    fn see_deliveries(&mut self) -> bool {
        if let (Some(incident), Some(case)) = (&self.incident, &self.link.memory.case) {
            let begun = incident.deliveries.iter().filter_map(|name| delivered_communication(&self.key, case, name));
            self.link.memory.conversation.begun_before(&begun.collect::<Vec<_>>());
        }
        let is_known = self.incident.is_some() || self.link.memory.case.is_none();
        self.link.interrupted &= !is_known;
        // Whether an incident that is not found was opened is known once it is opened, see `incident_opened`.
        is_known || self.incident_not_opened
    }

    /// Decides an AddCommunication or ResolveCase intent in doubt by what a read that began at `now` shows.
    fn settle_doubt(&mut self, policy: &Policy, case: &Case, now: Timestamp) {
        let Some(intent) = &self.link.intent else { return };
        let (is_found, applied) = match &intent.kind {
            IntentKind::OpenCase { .. } => return,
            // casebridge does not read a double: its resolution is repeated after L, which changes nothing there.
            IntentKind::ResolveCase { double: Some(case_id), .. } => {
                (false, Applied::DoubleResolved { case_id: case_id.clone() })
            }
            IntentKind::AddCommunication { content, part } => {
                let is_found = intent.mark.as_ref().is_some_and(|mark| self.link.memory.conversation.is_found(mark));
                (is_found, Applied::CommunicationAdded { content: content.clone(), part: *part })
            }
            IntentKind::ResolveCase { status_before, double: None } => {
                let reopened_since =
                    case.status.is_reopened() && status_before.as_ref().is_some_and(|status| !status.is_reopened());
                // A resolution from before a text of ours that reopened the case unseen is not the one in doubt.
                let is_after_ours = self.shows_reopening(case) && !self.has_unseen_own_text(policy, now);
                // Nor is a resolution from before a reopening less than L ago, unless the read shows our text of it.
                let may_be_older = self.link.memory.case.as_ref().is_some_and(|linked| {
                    let is_recent = |at| now.duration_since(at) < policy.unknown_outcome();
                    linked.reopened_by.is_none() && linked.reopened_at.is_some_and(is_recent)
                });
                let is_found = (case.status.is_resolved() && is_after_ours && !may_be_older) || reopened_since;
                (is_found, Applied::CaseResolved { status: CaseStatus::new("resolved") })
            }
        };
        let read_all = case.communications_complete || matches!(intent.kind, IntentKind::ResolveCase { .. });
        if is_found {
            self.end_applied(policy, IntentEnd::FoundDone, applied, now);
        } else if read_all {
            self.not_found(policy, now);
        }
    }

    /// Whether the read leaves out something newer than all that it shows: a text that was seen before, or one of ours
    /// that AWS accepted. What is old enough to be in every read does not count: AWS may have removed a text, or show
    /// it without its mark. A text of ours is old enough after L, a text that was seen after L and one hour more, since
    /// AWS's clock is not ours.
    fn is_behind_what_is_known(&self, policy: &Policy, now: Timestamp) -> bool {
        let newest = self.aws.shown.iter().map(|seen| seen.raw.time_created.as_second()).max();
        let oldest = time::earlier(now, policy.unknown_outcome() + CLOCKS_APART).as_second();
        let last_known = self.link.memory.conversation.known.last_key_value().map(|(second, _)| *second);
        // One answer may cut a time and another round it.
        let is_left_out = |last: i64| last >= oldest && newest.is_none_or(|newest| newest + 1 < last);
        last_known.is_some_and(is_left_out) || self.has_unseen_own_text(policy, now)
    }

    /// Whether a text of ours that AWS accepted less than L ago has not been seen yet. If the case was resolved, that
    /// text has reopened it.
    fn has_unseen_own_text(&self, policy: &Policy, now: Timestamp) -> bool {
        self.own_text_may_appear_until(policy).is_some_and(|until| now < until)
    }

    /// Returns until when an accepted text of ours may still appear in a read; `None` if all have been seen.
    pub(crate) fn own_text_may_appear_until(&self, policy: &Policy) -> Option<Timestamp> {
        let unseen = self.link.memory.conversation.accepted_but_unseen(self.link.intent.as_ref());
        unseen.map(|memory| time::later(memory.sent_at, policy.unknown_outcome())).max()
    }

    /// Whether a read is no older than our text that last reopened the case: an older one shows the resolution before
    /// that. True if no text of ours reopened it.
    fn shows_reopening(&self, case: &Case) -> bool {
        let Some(mark) = self.link.memory.case.as_ref().and_then(|linked| linked.reopened_by.as_ref()) else {
            return true;
        };
        // A mark that is forgotten is older than everything that may still come.
        let Some(memory) = self.link.memory.conversation.marks.get(mark) else { return true };
        let is_shown = |owner: &Owner| self.aws.shown.iter().any(|seen| seen.raw.time_created >= owner.time_created);
        !case.communications_are_later && memory.owner.as_ref().is_some_and(is_shown)
    }

    /// Decides a CreateCase intent in doubt by a search that began at `now`. `found` is the case with our mark; `None`
    /// if the search found none.
    pub fn settle_open_case(&mut self, policy: &Policy, found: Option<&CaseId>, now: Timestamp) {
        let Some(Intent { kind: IntentKind::OpenCase { account, covers, remainder }, .. }) = &self.link.intent else {
            return;
        };
        let Some(case_id) = found.cloned() else { return self.not_found(policy, now) };
        let (account, covers, remainder) = (account.clone(), covers.clone(), remainder.clone());
        let applied = Applied::CaseOpened { account, case_id, covers, remainder };
        self.end_applied(policy, IntentEnd::FoundDone, applied, now);
    }

    /// Takes in a case whose first communication carries this mark. If the mark is that of a CreateCase of the link,
    /// and the link has another case, this one is a double. If the link has no case and no intent, this one becomes its
    /// case. Returns whether it is a new double.
    pub fn see_double(&mut self, account: &AccountId, case_id: &CaseId, mark: &Mark, now: Timestamp) -> bool {
        let key = CaseKey::new(account.clone(), case_id);
        if self.link.memory.conversation.subject_of(mark).is_none() {
            return false;
        }
        if self.link.memory.case.is_none() && self.link.intent.is_none() {
            self.adopt(account, case_id, mark, now);
            return false;
        }
        let other = self.link.memory.case.as_ref().is_some_and(|linked| linked.key() != key);
        let known =
            self.link.memory.doubles.iter().any(|double| CaseKey::new(double.account.clone(), &double.case_id) == key);
        let new = other && !known;
        if new {
            let (account, case_id) = (account.clone(), case_id.clone());
            self.link.memory.doubles.push(DoubledCase { account, case_id, told: false, resolved: false });
        }
        new
    }

    /// Makes a given-up case that has shown up the link's case.
    fn adopt(&mut self, account: &AccountId, case_id: &CaseId, mark: &Mark, now: Timestamp) {
        self.link.memory.case = Some(new_linked_case(account.clone(), case_id.clone(), now));
        if let Some(given_up) = self.link.memory.given_up_cases.iter().find(|given_up| given_up.mark == *mark).cloned()
        {
            self.link.journal.settle(given_up.covers);
            let remainder = given_up.remainder.and_then(|hash| self.link.memory.given_up_remainders.get(&hash));
            self.link.memory.opening_remainder = remainder.cloned();
        }
        self.link.memory.waits_for_quota = None;
    }

    /// Whether the link opened a case with this mark and subject. The mark alone does not tell, since an agent may have
    /// pasted a marked text. The subject must be the one that was sent, or must name the incident as our subjects do,
    /// since AWS may have changed it.
    pub fn is_own_case_mark(&self, policy: &Policy, mark: &Mark, subject: &str) -> bool {
        let Some(sent) = self.link.memory.conversation.subject_of(mark) else { return false };
        text_hash(subject) == sent || self.names_incident(policy, subject)
    }

    /// Whether the link may have opened a case with this subject, see [`Self::is_own_case_mark`]. The communications of
    /// other cases are not read: an account may open thousands of cases a day.
    pub fn may_be_own_case(&self, policy: &Policy, subject: &str) -> bool {
        self.link.memory.conversation.has_subject(&text_hash(subject)) || self.names_incident(policy, subject)
    }

    fn names_incident(&self, policy: &Policy, subject: &str) -> bool {
        let is_subject = |summary: &IncidentSummary| render::is_subject_of(policy, subject, &summary.number);
        self.summary().is_none_or(is_subject)
    }

    /// Returns the account whose cases this pass searches, and since when the case may have been opened. It searches
    /// for the case of a CreateCase without an outcome, or else for given-up cases whose time has come. Returns `None`
    /// if there is nothing to search for.
    pub fn searched_cases(&self, now: Timestamp) -> Option<(AccountId, Timestamp)> {
        match &self.link.intent {
            Some(Intent { kind: IntentKind::OpenCase { account, .. }, written_at, .. }) => {
                Some((account.clone(), *written_at))
            }
            _ => self.late_cases(now),
        }
    }

    /// Whether the link has a CreateCase whose outcome is not known.
    pub fn is_opening(&self) -> bool {
        matches!(&self.link.intent, Some(Intent { kind: IntentKind::OpenCase { .. }, .. }))
    }

    /// Returns the account in which given-up cases are looked for now, and since when the oldest of those that are due
    /// may have been opened. Returns `None` if none is due.
    fn late_cases(&self, now: Timestamp) -> Option<(AccountId, Timestamp)> {
        let due = self.link.memory.given_up_cases.iter().filter(|given_up| given_up.look_at <= now);
        let oldest = due.min_by_key(|given_up| given_up.written_at)?;
        Some((oldest.account.clone(), oldest.written_at))
    }

    /// Records a search for the cases of an account that were given up and whose intents were written at `since` or
    /// later. The wait for the next search is as long as the time from the intent to this search, until the cases can't
    /// show up any more.
    pub fn looked_for_late_cases(&mut self, account: &AccountId, since: Timestamp, now: Timestamp) {
        for given_up in self.searched_late_cases(account, since) {
            given_up.look_at = time::later(now, now.duration_since(given_up.written_at));
        }
    }

    /// Records that the search for the same cases failed: the next one follows after `retry_longest_seconds`.
    pub(super) fn put_off_late_cases(
        &mut self,
        policy: &Policy,
        account: &AccountId,
        since: Timestamp,
        now: Timestamp,
    ) {
        for given_up in self.searched_late_cases(account, since) {
            given_up.look_at = time::later(now, seconds(policy.retry_longest_seconds));
        }
    }

    fn searched_late_cases(&mut self, account: &AccountId, since: Timestamp) -> impl Iterator<Item = &mut GivenUpCase> {
        let is_reached =
            move |given_up: &&mut GivenUpCase| given_up.account == *account && given_up.written_at >= since;
        self.link.memory.given_up_cases.iter_mut().filter(is_reached)
    }

    /// Records a failed look for a call in doubt. After L the call counts as never applied.
    fn not_found(&mut self, policy: &Policy, now: Timestamp) {
        if !self.record_failed_lookup(policy, now) {
            return;
        }
        let Some(intent) = &self.link.intent else { return };
        let codes = self.incident.as_ref().map(|incident| case_codes(policy, incident));
        let call = RefusedCall::of(&intent.kind, codes);
        let resolved = self.link.memory.case.as_ref().filter(|case| case.is_resolved());
        let is_late_text = resolved.is_some() && call == Some(RefusedCall::AddCommunication);
        let is_too_old = resolved.is_some_and(|case| case.is_resolved_for(REOPENED_WITHIN, now));
        self.never_applied(policy);
        if is_late_text && is_too_old && self.leave_old_case(policy, now) {
            return;
        }
        let message = if is_late_text {
            "AWS Support took a text for the resolved case and does not show it: a case is reopened for 14 days only"
        } else if self.link.never_applied >= NEVER_APPLIED_BEFORE_WAIT {
            "AWS Support left this call without an answer several times and shows nothing of it"
        } else {
            return;
        };
        if let Some(call) = call {
            let failure = Failure::Refused { refusal: Refusal::InvalidRequest, message: message.to_owned() };
            self.trouble(policy, Side::Aws, &failure, Request::Call(call), now, 0);
        }
    }
}

/// Returns the mark of the intent's text if it is for the link's own case, `None` otherwise. That text may land after
/// the case was resolved, and AWS may show that the case was reopened before it shows the text.
fn reopening_mark(intent: &Intent) -> Option<Mark> {
    let is_own_text = matches!(&intent.kind, IntentKind::AddCommunication { content, .. } if content.is_for_own_case());
    intent.mark.clone().filter(|_| is_own_text)
}

/// What the communications of a read tell about its age.
#[derive(Debug, Clone, Copy)]
struct Age {
    /// Whether it shows our text that reopened the case last.
    is_after_reopening: bool,
    /// Whether it leaves out something known that is newer than all that it shows.
    is_behind: bool,
    /// Whether AWS accepted a text of ours that neither this read nor one before shows.
    has_unseen_own_text: bool,
}

/// Accepts the status that a read shows, if it may be believed.
///
/// A read may be older than what is known. A resolved case is open again only if the read says `reopened`, this is no
/// echo of an earlier reopening, and the read shows the newest text that is known. A reopened case is resolved again
/// only if the status is later than the reopening. Our own text beside the status proves that, and so does L since the
/// reopening. An open case is not resolved while a text of ours is not seen, since that text may have reopened the
/// case. An open status is accepted in any case once the resolution is older than L.
fn accept_status(linked: &mut LinkedCase, age: Age, policy: &Policy, seen: &CaseStatus, now: Timestamp) {
    if linked.status.as_ref() == Some(seen) {
        return;
    }
    let settled = now.duration_since(linked.status_since) >= policy.unknown_outcome();
    let believable = match (linked.is_resolved(), seen.is_resolved()) {
        (true, false) => {
            let echo = linked.reopened_at.is_some();
            settled || (seen.is_reopened() && !echo && !age.is_behind)
        }
        (false, true) => {
            let long_ago = linked.reopened_at.is_none_or(|at| now.duration_since(at) >= policy.unknown_outcome());
            (long_ago && !age.has_unseen_own_text) || age.is_after_reopening
        }
        (true, true) | (false, false) => true,
    };
    if believable {
        set_status(linked, seen.clone(), now);
    }
}

/// Sets the status of the case. The mark of our text that reopened it stays: a status `reopened` that is accepted after
/// another open one may be the same reopening.
pub(super) fn set_status(linked: &mut LinkedCase, status: CaseStatus, now: Timestamp) {
    // If the case was known as open, its resolution in between was not seen.
    if !status.is_resolved() && (linked.is_resolved() || status.is_reopened()) {
        linked.reopened_at = Some(now);
    }
    linked.status_since = now;
    linked.status = Some(status);
}
