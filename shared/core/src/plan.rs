//! The plan: what to do next and what to wait for, from what both sides show and what the link remembers.
//!
//! A three-way merge. The base is what both sides last agreed on; a side that differs from it has changed. Messages are
//! unioned and keep the order of their own side. The plan leaves no choice to the one who applies it: its effects are
//! done in order, and the first one that fails ends it.

use jiff::{SignedDuration, Timestamp};

use crate::{
    case::Communication,
    effect::{Content, Delivery, Effect, IncidentFields, Message, NewCase, Part, Refusal},
    identifiers::{AccountId, CommunicationId, ExternalId, LinkKey, digest},
    incident::{BridgeColumns, Incident, IncidentState, IncidentSummary},
    link::{Intent, IntentKind, Link, LinkedCase, Notice, Reduction},
    mark::{Entropy, Mark},
    observation::{
        COLUMNS_REQUEST, COMMUNICATION_REQUEST, DOUBLE_REQUEST, LOWER_COUNT_LASTS, MESSAGES_REQUEST, OPEN_REQUEST,
        Observation, READ_REQUEST, RESOLUTION_REQUEST, backoff, deliver_request, fields_request, is_in_scope,
        open_case_request, request_of, state_known_at, state_wanted,
    },
    policy::{Policy, seconds},
    render,
    trouble::{Side, Trouble},
};

/// How many effects a plan has at most; the rest comes with the next plan of the same pass.
pub const EFFECTS_PER_PLAN: usize = 25;
/// How many messages one delivery carries at most.
pub const MESSAGES_PER_DELIVERY: usize = 25;
/// How many writes beyond the loop breaker's bound are left for saying that it has tripped.
const REPORTS_BEYOND_BOUND: usize = 5;
/// How many failures in a row pass before an agent is told: most pass by themselves in seconds, and the first three of the
/// default policy take seven to ten.
const QUIET_ATTEMPTS: u32 = 4;
/// How many characters of an error an incident shows: what its column takes, so that it reads back as written.
const LAST_ERROR_CHARACTERS: usize = 900;
/// How long a new case is waited for before it is read for its display id, or read again if it does not show yet: AWS tells
/// of it by an event, mostly earlier.
const NEW_CASE_SECONDS: u32 = 5;
/// How long a wait lasts that only people end, or a part of the world that is not seen: an hour is soon enough to notice.
const LONG_WAIT_SECONDS: u32 = 3_600;

/// What a link waits for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// A call's outcome is not known; nothing follows it.
    UnknownOutcome {
        /// When to look for it again.
        until: Timestamp,
    },
    /// The account may open no more cases for now.
    CaseQuota {
        /// When to try again.
        until: Timestamp,
    },
    /// A side refused; a person has to change something.
    Refused {
        /// Why.
        refusal: Refusal,
        /// When to try again.
        until: Timestamp,
    },
    /// A side throttles or does not answer.
    Backoff {
        /// When to try again.
        until: Timestamp,
    },
    /// The case's display id is not known yet.
    DisplayId {
        /// When to look for it.
        until: Timestamp,
    },
    /// The case could not be read in this pass.
    CaseUnread {
        /// When to read it again.
        until: Timestamp,
    },
    /// The incident, or some of its comments, could not be read in this pass.
    IncidentUnread {
        /// When to read it again.
        until: Timestamp,
    },
    /// The case shows a status that may be an echo of an earlier one.
    UnsettledStatus {
        /// When it is one no longer.
        until: Timestamp,
    },
    /// All communications are read once more, since one may appear late among older ones.
    FullRead {
        /// When.
        until: Timestamp,
    },
    /// Too many writes on this link: something goes in circles.
    LoopBreaker {
        /// When the next one is let through.
        until: Timestamp,
    },
    /// The incident shows an older state than is remembered: a node lags, or it was restored.
    LowerCount {
        /// When it is believed if it still does.
        until: Timestamp,
    },
    /// A state of the incident was written without an answer.
    UnconfirmedState {
        /// When no request of that time can be at work any more.
        until: Timestamp,
    },
    /// A comment is by casebridge's user and no finished delivery names it (yet).
    UnclearOrigin {
        /// When it is told.
        until: Timestamp,
    },
    /// Several communications carry a mark of ours, and ours may not show yet.
    UnclearMark {
        /// When it is decided.
        until: Timestamp,
    },
    /// The link pauses: nothing is sent to AWS.
    Paused {
        /// When to see whether it still does.
        until: Timestamp,
    },
    /// A case that seemed never opened is looked for once more.
    LateCase {
        /// When.
        until: Timestamp,
    },
    /// AWS reopened the case of an incident that ServiceNow does not reopen any more.
    IncidentClosed,
    /// AWS reopened the case with a text that has reopened the link before.
    RepeatedReopening,
    /// There is no such incident (any more).
    IncidentGone {
        /// When to see whether it is back, if something waits for it.
        until: Option<Timestamp>,
    },
    /// The incident names a case that the ledger does not know: opening another one might double it.
    UnknownCase {
        /// When to see whether the ledger knows it by now.
        until: Timestamp,
    },
}

impl Waiting {
    /// When to look again; none if only a change on either side helps.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::UnknownOutcome { until }
            | Self::CaseQuota { until }
            | Self::Refused { until, .. }
            | Self::Backoff { until }
            | Self::DisplayId { until }
            | Self::CaseUnread { until }
            | Self::IncidentUnread { until }
            | Self::UnsettledStatus { until }
            | Self::FullRead { until }
            | Self::LowerCount { until }
            | Self::UnconfirmedState { until }
            | Self::UnclearOrigin { until }
            | Self::UnclearMark { until }
            | Self::Paused { until }
            | Self::LateCase { until }
            | Self::UnknownCase { until }
            | Self::LoopBreaker { until } => Some(*until),
            Self::IncidentGone { until } => *until,
            Self::IncidentClosed | Self::RepeatedReopening => None,
        }
    }

    /// The wait's name for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownOutcome { .. } => "unknown_outcome",
            Self::CaseQuota { .. } => "case_quota",
            Self::Refused { .. } => "refused",
            Self::Backoff { .. } => "backoff",
            Self::DisplayId { .. } => "display_id",
            Self::CaseUnread { .. } => "case_unread",
            Self::IncidentUnread { .. } => "incident_unread",
            Self::UnsettledStatus { .. } => "unsettled_status",
            Self::FullRead { .. } => "full_read",
            Self::LoopBreaker { .. } => "loop_breaker",
            Self::LowerCount { .. } => "lower_count",
            Self::UnconfirmedState { .. } => "unconfirmed_state",
            Self::UnclearOrigin { .. } => "unclear_origin",
            Self::UnclearMark { .. } => "unclear_mark",
            Self::Paused { .. } => "paused",
            Self::LateCase { .. } => "late_case",
            Self::RepeatedReopening => "repeated_reopening",
            Self::IncidentClosed => "incident_closed",
            Self::IncidentGone { .. } => "incident_gone",
            Self::UnknownCase { .. } => "unknown_case",
        }
    }

    /// Whether people wait for it, or the other side does. Not for what only completes what is known: the poller finds that
    /// early enough, and AWS tells of a new case by itself.
    pub(crate) fn is_pressing(&self) -> bool {
        !matches!(
            self,
            Self::DisplayId { .. }
                | Self::CaseUnread { .. }
                | Self::UnsettledStatus { .. }
                | Self::FullRead { .. }
                | Self::LateCase { .. }
                | Self::UnclearMark { .. }
        )
    }

    /// Whether what the incident shows meanwhile matters: then it is read again, not remembered.
    fn concerns_incident(&self) -> bool {
        let about_aws_alone = matches!(
            self,
            Self::FullRead { .. } | Self::DisplayId { .. } | Self::LateCase { .. } | Self::UnclearMark { .. }
        );
        !about_aws_alone
    }
}

/// What to do, in order, and what to wait for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use = "a plan does nothing by itself"]
pub struct Plan {
    /// What to do, in order. The first failure ends the plan.
    pub effects: Vec<Effect>,
    /// What the link waits for.
    pub waits: Vec<Waiting>,
}

impl Plan {
    /// When to look again, if nothing happens before.
    pub fn due(&self) -> Option<Timestamp> {
        self.waits.iter().filter_map(Waiting::until).min()
    }

    /// Whether nothing is left open that depends on the incident.
    pub fn is_settled(&self) -> bool {
        self.effects.is_empty() && !self.waits.iter().any(Waiting::concerns_incident)
    }
}

/// Compares both sides with the base and says what to do.
///
/// Pure: the same arguments give the same plan. When both sides are in step it has no effects.
pub fn plan(policy: &Policy, observation: &Observation, entropy: Entropy, now: Timestamp) -> Plan {
    let mut planner = Planner { policy, observation, entropy, now, marks: 0, plan: Plan::default() };
    planner.run();
    planner.plan
}

/// The app's columns as the link says.
pub fn columns(policy: &Policy, observation: &Observation, now: Timestamp) -> BridgeColumns {
    let link = &observation.link;
    if let Some(incident) = observation.incident.as_ref().filter(|incident| names_unknown_case(observation, incident)) {
        let (sync_status, last_error) = ("error".to_owned(), UNKNOWN_CASE_ADVICE.to_owned());
        return BridgeColumns { sync_status, last_error, ..incident.summary.columns.clone() };
    }
    let (sync_status, last_error) = sync_status(policy, observation, now);
    let mut columns = BridgeColumns { sync_status: sync_status.to_owned(), last_error, ..BridgeColumns::default() };
    if let Some(case) = &link.case {
        columns.account = case.account.to_string();
        columns.case_id = case.case_id.to_string();
        columns.display_id = case.display_id.as_ref().map(ToString::to_string).unwrap_or_default();
        columns.case_status = case.status.as_ref().map(|status| status.as_str().to_owned()).unwrap_or_default();
    } else if let Some(account) = opening_account(observation) {
        columns.account = account.to_string();
    } else {
        return BridgeColumns::default();
    }
    columns
}

/// Whether the incident names a case, and neither this link nor another has it or may get it.
fn names_unknown_case(observation: &Observation, incident: &Incident) -> bool {
    let link = &observation.link;
    let is_linked = link.case.is_some() || link.intent.is_some();
    !is_linked && !incident.summary.columns.case_id.is_empty() && !observation.columns_of_another
}

/// The app's columns of an incident whose link has become too large to be recorded.
pub fn full_columns(incident: &IncidentSummary) -> BridgeColumns {
    let last_error = "casebridge remembers more of this incident than one link can hold and stopped here. Open a new \
                      incident, and tell the operators of casebridge.";
    BridgeColumns { sync_status: "error".to_owned(), last_error: last_error.to_owned(), ..incident.columns.clone() }
}

/// Where a case is to be opened, or was perhaps: an incident that has ended meanwhile may have one all the same.
fn opening_account(observation: &Observation) -> Option<&AccountId> {
    if let Some(Intent { kind: IntentKind::OpenCase { account, .. }, .. }) = &observation.link.intent {
        return Some(account);
    }
    let incident = observation.incident.as_ref().filter(|incident| is_in_scope(incident))?;
    incident.account.as_ref().map(|account| &account.number)
}

/// How many hexadecimal digits tell the deliveries of one link and case from those of others.
const DELIVERY_SCOPE_DIGITS: usize = 16;

/// What makes the delivery of a communication unique in ServiceNow. It tells the communication's identity, so that a delivery
/// that was not recorded can be recognised.
pub fn external_id(link: &LinkKey, case: &LinkedCase, communication: &CommunicationId) -> ExternalId {
    ExternalId::new(format!("{}-{communication}", delivery_scope(link, case)))
}

/// The communication that a delivery is about; none if it is one of another link or case.
pub(crate) fn delivered_communication(link: &LinkKey, case: &LinkedCase, name: &ExternalId) -> Option<CommunicationId> {
    let (scope, communication) = name.as_str().split_once('-')?;
    (scope == delivery_scope(link, case)).then(|| CommunicationId::new(communication))
}

fn delivery_scope(link: &LinkKey, case: &LinkedCase) -> String {
    digest(&[&link.to_string(), &case.key().to_string()], DELIVERY_SCOPE_DIGITS)
}

/// `pending`, `in_sync`, `waiting` or `error`, and what to tell the agent.
fn sync_status(policy: &Policy, observation: &Observation, now: Timestamp) -> (&'static str, String) {
    let link = &observation.link;
    // First: while nothing is sent, what else is wrong does not matter yet, and an account out of use may well be refused.
    if let Some(pause) = observation.pause(policy) {
        return ("waiting", pause.advice());
    }
    if let Some(told) = told_trouble(link, now) {
        return told;
    }
    if link.intent.as_ref().is_some_and(|intent| intent.looked >= QUIET_ATTEMPTS) {
        let text = "AWS Support did not confirm the last call; casebridge makes sure of it before it goes on.";
        return ("waiting", text.to_owned());
    }
    if writes_left(policy, link, now) == 0 {
        return ("waiting", "Too many changes in a short time; casebridge goes on in a few minutes.".to_owned());
    }
    if link.waits_for_quota.is_some() {
        return ("waiting", QUOTA_ADVICE.to_owned());
    }
    if reopened_while_closed(link) {
        let text = "AWS reopened the case, but this incident is closed: open a new incident if work is needed.";
        return ("waiting", text.to_owned());
    }
    let ended = link.incident.as_ref().is_some_and(|incident| incident.state.is_ended());
    if ended && (link.journal.has_repeated || is_left_reopened(link)) {
        let text = "A text that has reopened this incident before came again and reopened nothing: reopen the incident by \
                    hand if work is needed.";
        return ("waiting", text.to_owned());
    }
    if let Some(notice) = link.notices.last() {
        return ("waiting", notice_text(notice));
    }
    (if link.case.is_some() { "in_sync" } else { "pending" }, String::new())
}

/// What of the troubles an agent is told: a refusal before what passes by itself.
fn told_trouble(link: &Link, now: Timestamp) -> Option<(&'static str, String)> {
    let name = |side: Side| if side == Side::Aws { "AWS Support" } else { "ServiceNow" };
    let in_doubt = link.intent.as_ref().map(|intent| request_of(&intent.kind));
    let mut refusals: Vec<(Refusal, &Trouble)> =
        link.troubles.told(now, in_doubt).filter_map(|trouble| Some((trouble.refusal?, trouble))).collect();
    refusals.sort_by_key(|(refusal, trouble)| (*refusal == Refusal::CaseQuota, trouble.side));
    if let Some((refusal, trouble)) = refusals.first() {
        let status = if *refusal == Refusal::CaseQuota { "waiting" } else { "error" };
        return Some((status, refusal_text(name(trouble.side), *refusal, trouble)));
    }
    let lasting = link.troubles.active(now).find(|trouble| trouble.attempts >= QUIET_ATTEMPTS)?;
    let side = name(lasting.side);
    Some(("waiting", format!("{side} does not answer or throttles; casebridge tries again by itself.")))
}

/// Whether a reopening at AWS was left alone, as far as the link remembers: all that was written there since the end has
/// reopened the link before.
fn is_left_reopened(link: &Link) -> bool {
    let reopened = link.base.ended && link.case.as_ref().is_some_and(|case| !case.is_resolved());
    let texts = &link.base.texts_since_end;
    reopened && !texts.is_empty() && texts.iter().all(|text| link.journal.reopening_texts.contains(text))
}

/// What people have to know, in plain words, with what to do.
fn notice_text(notice: &Notice) -> String {
    match notice {
        Notice::CommentAfterClosing { .. } => {
            "A comment was written after this incident was closed: it was not sent to AWS. Open a new incident if work is \
             needed."
                .to_owned()
        }
        Notice::CommentOfUnclearOrigin { .. } => {
            "A comment by casebridge's own user belongs to no delivery: it was not sent to AWS. Write it again as a person \
             if AWS shall have it."
                .to_owned()
        }
        Notice::MessageRefused { reason, .. } => render::one_line(
            &format!("ServiceNow refused a message of AWS on this incident: a comment says that it is left out. ({reason})"),
            LAST_ERROR_CHARACTERS,
        ),
        Notice::TextRefused { reason, .. } => render::one_line(
            &format!("AWS Support refused a text of this incident, also in parts: the case says that it is left out. ({reason})"),
            LAST_ERROR_CHARACTERS,
        ),
    }
}

/// What an agent is told while the account may open no more cases.
const QUOTA_ADVICE: &str =
    "The AWS account has opened too many cases for now. casebridge opens this one later by itself.";

/// What an agent is told of an incident that names a case which the ledger does not know.
const UNKNOWN_CASE_ADVICE: &str = "This incident names an AWS case that casebridge does not know, so nothing is synchronised. \
     casebridge looks again every hour. If the incident is a copy, ask an administrator to clear its AWS case id.";

/// A refusal in plain words, with what to do.
fn refusal_text(side: &str, refusal: Refusal, trouble: &Trouble) -> String {
    let advice = match refusal {
        Refusal::Subscription => {
            "The AWS account has no support plan with an API. Ask its owners for Business Support+ or a higher plan."
        }
        Refusal::CaseQuota => QUOTA_ADVICE,
        Refusal::Credentials if side == "ServiceNow" => {
            "ServiceNow refuses casebridge's user. Check its credentials and the role x_casebridge_aws.integration."
        }
        Refusal::Credentials => {
            "AWS refuses the account's keys or role. Check the account's secret and its permissions."
        }
        Refusal::InvalidRequest if side == "ServiceNow" => {
            "ServiceNow does not accept what AWS changed. Change it by hand or correct the rule that refuses it."
        }
        Refusal::InvalidRequest if !trouble.request.starts_with(OPEN_REQUEST) => {
            "AWS Support does not accept what was written here. casebridge tries again; open a new incident if the case is \
             too old to be reopened."
        }
        Refusal::InvalidRequest => {
            "AWS Support does not accept the request. Check service code, category code and severity."
        }
        Refusal::NotFound => "The record is not there any more.",
        Refusal::NotServed => "The incident is out of scope for casebridge in ServiceNow.",
    };
    render::one_line(&format!("{advice} ({side} says: {})", trouble.message), LAST_ERROR_CHARACTERS)
}

/// Whether AWS reopened the case of an incident that can't be reopened.
fn reopened_while_closed(link: &Link) -> bool {
    let (Some(incident), Some(case)) = (&link.incident, &link.case) else { return false };
    let closed = incident.state.is_ended() && !incident.state.can_reopen();
    closed && !case.is_resolved() && link.base.ended
}

/// How many writes the loop breaker still lets through.
fn writes_left(policy: &Policy, link: &Link, now: Timestamp) -> usize {
    let window = seconds(policy.write_window_seconds);
    let recent = link.recent_writes.iter().filter(|write| now.duration_since(**write) < window).count();
    usize::try_from(policy.writes_per_window).unwrap_or(usize::MAX).saturating_sub(recent)
}

struct Planner<'a> {
    policy: &'a Policy,
    observation: &'a Observation,
    entropy: Entropy,
    now: Timestamp,
    marks: u64,
    plan: Plan,
}

impl Planner<'_> {
    fn run(&mut self) {
        if self.observation.incident_gone {
            return self.wait_for_gone_incident();
        }
        match &self.observation.link.case {
            None => self.plan_opening(),
            Some(case) => self.plan_linked(case),
        }
        self.plan_report();
        self.bound();
        self.wait_for_what_is_told();
    }

    /// A record may be hidden for a while, or restored: as long as something waits for it, it is looked for.
    fn wait_for_gone_incident(&mut self) {
        let link = &self.observation.link;
        let goes_on = link.case.as_ref().is_some_and(|case| !case.is_resolved());
        let awaited = link.intent.is_some() || (link.conversation.has_open() && goes_on);
        let until = awaited.then(|| self.later(seconds(self.policy.refusal_retry_seconds)));
        self.plan.waits.push(Waiting::IncidentGone { until });
    }

    /// What the columns tell passes: the link is looked at again when it does.
    fn wait_for_what_is_told(&mut self) {
        let link = &self.observation.link;
        let mut waits: Vec<Waiting> = link.troubles.active(self.now).map(wait_for).collect();
        if writes_left(self.policy, link, self.now) == 0 {
            waits.push(self.wait_for_a_write());
        }
        if let Some(look_at) = link.given_up_cases.iter().map(|given_up| given_up.look_at).min() {
            waits.push(Waiting::LateCase { until: self.not_before_aws_answers(look_at.max(self.later(seconds(1)))) });
        }
        if let Some(intent) = &link.state_intent {
            let until = state_known_at(intent).max(self.later(seconds(1)));
            waits.push(Waiting::UnconfirmedState { until });
        }
        if let Some(lower) = &link.lower_count {
            let until = lower.since.checked_add(LOWER_COUNT_LASTS).unwrap_or(self.now);
            waits.push(Waiting::LowerCount { until: until.max(self.later(seconds(1))) });
        }
        waits.retain(|wait| !self.plan.waits.contains(wait));
        self.plan.waits.extend(waits);
    }

    fn wait_for_a_write(&self) -> Waiting {
        let writes = &self.observation.link.recent_writes;
        let window = seconds(self.policy.write_window_seconds);
        let bound = usize::try_from(self.policy.writes_per_window).unwrap_or(usize::MAX);
        // The write that has to leave the window for two to be let through. With room for one alone, the write that tells that
        // it goes on would be the one that stops it again, for ever.
        let mut recent: Vec<Timestamp> = writes.clone();
        recent.sort();
        let beyond = recent.len().checked_sub(bound).map(|beyond| (beyond + 1).min(recent.len().saturating_sub(1)));
        let leaving = beyond.and_then(|index| recent.get(index)).or(recent.first());
        let until = leaving.and_then(|write| write.checked_add(window).ok()).unwrap_or(self.now);
        Waiting::LoopBreaker { until: until.max(self.later(seconds(1))) }
    }

    fn later(&self, wait: SignedDuration) -> Timestamp {
        self.now.checked_add(wait).unwrap_or(self.now)
    }

    fn draw_mark(&mut self) -> Mark {
        self.marks += 1;
        Mark::draw(self.entropy, &self.observation.key, self.observation.link.intents + self.marks)
    }

    /// Waits for a call whose outcome is not known; whether there is one.
    fn wait_for_doubt(&mut self) -> bool {
        let Some(intent) = &self.observation.link.intent else { return false };
        let latest = intent.written_at.checked_add(self.policy.unknown_outcome()).unwrap_or(self.now);
        let until = self.later(backoff(self.policy, intent.looked + 1)).min(latest.max(self.now));
        self.plan.waits.push(Waiting::UnknownOutcome { until: self.not_before_aws_answers(until) });
        true
    }

    /// Waits while the link pauses; whether it does. Nothing tells that a pause is over: it is looked at again.
    fn wait_for_pause(&mut self) -> bool {
        let pauses = self.observation.pause(self.policy).is_some();
        if pauses {
            let until = self.later(seconds(self.policy.refusal_retry_seconds));
            self.plan.waits.push(Waiting::Paused { until });
        }
        pauses
    }

    /// A moment to read from AWS again: while AWS refuses or does not answer, none before it is tried again anyway.
    fn not_before_aws_answers(&self, moment: Timestamp) -> Timestamp {
        self.observation.link.troubles.side_until(Side::Aws).map_or(moment, |until| moment.max(until))
    }

    /// Waits while this request is not to be made of a side; whether it is so. Another request than a refused one is let
    /// through.
    fn waits_for(&mut self, side: Side, request: &str) -> bool {
        let Some(trouble) = self.observation.link.troubles.blocking(side, request, self.now) else { return false };
        let wait = wait_for(trouble);
        if !self.plan.waits.contains(&wait) {
            self.plan.waits.push(wait);
        }
        true
    }

    /// The case that the incident asks for: an incident in scope that is open.
    fn plan_opening(&mut self) {
        if self.wait_for_doubt() {
            return;
        }
        if self.observation.needs_incident() {
            return self.wait_for_incident();
        }
        let Some(incident) = self.observation.incident.as_ref() else { return };
        if names_unknown_case(self.observation, incident) {
            let until = self.later(seconds(LONG_WAIT_SECONDS));
            self.plan.waits.push(Waiting::UnknownCase { until });
            return;
        }
        let Some(account) = incident.account.as_ref().filter(|_| is_in_scope(incident)) else { return };
        if self.waits_in_line() || self.waits_to_open(&open_case_request(self.policy, incident)) {
            return;
        }
        let (account_id, production) = (account.number.clone(), account.production);
        let mark = self.draw_mark();
        let entries = self.observation.unsent_entries(true);
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
        let effect = Effect::OpenCase { account: account_id, request, mark, covers, remainder: opening.remainder };
        self.plan.effects.push(effect);
    }

    /// Whether the incident waits for its account's quota behind another one.
    fn waits_in_line(&mut self) -> bool {
        let behind = self.observation.link.waits_for_quota.is_some() && self.observation.first_in_line == Some(false);
        if behind {
            let until = self.later(seconds(self.policy.case_quota_retry_seconds));
            self.plan.waits.push(Waiting::CaseQuota { until });
        }
        behind
    }

    /// Whether CreateCase is not to be called for now. The first in line tries when it was woken: another one got a case.
    fn waits_to_open(&mut self, request: &str) -> bool {
        let is_next = self.observation.woken && self.observation.first_in_line == Some(true);
        let blocking = self.observation.link.troubles.blocking(Side::Aws, request, self.now);
        let by_quota = blocking.is_some_and(|trouble| trouble.refusal == Some(Refusal::CaseQuota));
        if is_next && by_quota { false } else { self.waits_for(Side::Aws, request) }
    }

    fn plan_linked(&mut self, case: &LinkedCase) {
        self.wait_for_what_is_unread(case);
        // Nothing follows a call in doubt, and nothing is sent while the link pauses: only AWS's words go on.
        let (in_doubt, pauses) = (self.wait_for_doubt(), self.wait_for_pause());
        let holds = in_doubt || pauses;
        // With a side unseen only messages go: who resolves or sends blindly overtakes what it has not seen.
        let case_seen = !self.observation.is_blind_to_case();
        let both_seen = case_seen && !self.observation.is_blind_to_incident();
        let merge = if both_seen && !holds { self.merge(case) } else { Merge::default() };
        let all_delivered = self.plan_delivery(case, &merge);
        let was_ended = self.observation.summary().is_some_and(|incident| incident.state.is_ended());
        let reopening_waits = merge.reopening_blocked || (merge.is_open && was_ended && !all_delivered);
        if holds || !case_seen || reopening_waits {
            return;
        }
        if !both_seen {
            return self.plan_first_comments(case);
        }
        let all_go = self.plan_communications(case, &merge);
        if all_go && merge.resolve_case && !self.waits_for(Side::Aws, RESOLUTION_REQUEST) {
            let effect = Effect::ResolveCase { account: case.account.clone(), case_id: case.case_id.clone() };
            self.plan.effects.push(effect);
        }
        self.plan_doubles(case);
    }

    /// Of so many comments that a read did not reach the newest, the first ones go: the rest is read from where these end.
    /// What ends or reopens a side waits until all are read.
    fn plan_first_comments(&mut self, case: &LinkedCase) {
        let Some(incident) = &self.observation.incident else { return };
        let is_open = !incident.summary.state.is_ended();
        self.plan_communications(case, &Merge { is_open, ..Merge::default() });
    }

    fn wait_for_incident(&mut self) {
        let until = self.later(backoff(self.policy, 1));
        let trouble = self.observation.link.troubles.blocking(Side::ServiceNow, READ_REQUEST, self.now);
        self.plan.waits.push(trouble.map_or(Waiting::IncidentUnread { until }, wait_for));
    }

    fn wait_for_what_is_unread(&mut self, case: &LinkedCase) {
        if self.observation.is_blind_to_case() {
            let until = self.later(self.wait_for_new_case(case));
            let trouble = self.observation.link.troubles.blocking(Side::Aws, READ_REQUEST, self.now);
            self.plan.waits.push(trouble.map_or(Waiting::CaseUnread { until }, wait_for));
        }
        if self.observation.is_blind_to_incident() {
            self.wait_for_incident();
        }
        if case.display_id.is_none() {
            let until = self.not_before_aws_answers(self.later(self.wait_for_new_case(case)));
            self.plan.waits.push(Waiting::DisplayId { until });
        }
        if let Some(at) = self.observation.link.full_read_at {
            self.plan.waits.push(Waiting::FullRead { until: self.not_before_aws_answers(at) });
        }
        if let Some(at) = self.observation.link.conversation.decided_at(self.policy.unknown_outcome()) {
            let until = self.not_before_aws_answers(at.max(self.later(seconds(1))));
            self.plan.waits.push(Waiting::UnclearMark { until });
        }
        if let Some(wait) = self.observation.clear_at(self.policy) {
            self.plan.waits.push(Waiting::UnclearOrigin { until: self.later(wait.max(seconds(1))) });
        }
        let shown = self.observation.case.as_ref().map(|shown| &shown.status);
        if shown.is_some_and(|shown| case.status.as_ref() != Some(shown)) {
            let since = case.reopened_at.filter(|_| !case.is_resolved()).unwrap_or(case.status_since);
            let until = since.checked_add(self.policy.unknown_outcome()).unwrap_or(self.now);
            // A text of ours that is not seen may be what keeps it from being believed: the youngest one, until L after it.
            let shows_ours = || self.observation.shows_ours_until(self.policy).filter(|_| !case.is_resolved());
            let until = shows_ours().map_or(until, |shown| until.max(shown));
            self.plan.waits.push(Waiting::UnsettledStatus { until: until.max(self.later(seconds(1))) });
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
        let Some(incident) = self.observation.summary() else { return merge };
        merge.is_open = !incident.state.is_ended();
        let has_unsent = !self.observation.unsent_entries(merge.is_open).is_empty();
        let shows_resolved = self.observation.case.as_ref().is_some_and(|shown| shown.status.is_resolved());
        match (incident.state.is_ended(), case.is_resolved()) {
            (true, _) if self.observation.has_reaction() => self.reopen_incident(&mut merge),
            // What the read shows may be news that is not believed yet: nobody is bothered before that is settled.
            (true, false) if self.observation.link.base.ended && shows_resolved => {}
            (true, false) if self.observation.link.base.ended => self.follow_reopening(incident, &mut merge),
            (true, false) => merge.resolve_case = true,
            // What was written up to the end goes out even now; it reopens the case, which is resolved again.
            (true, true) => merge.resolve_case = has_unsent,
            // The case may be open by now, if not believably so: then nothing need be said.
            (false, true) if self.observation.link.base.ended => merge.reopen_notice = !has_unsent && shows_resolved,
            (false, true) if !has_unsent => merge.fields = self.ending_fields(incident, case),
            // A comment on an open incident whose case AWS resolved: it goes out and reopens the case.
            (false, true) => {}
            (false, false) => {
                if let Some(state) = state_wanted(self.policy, &self.observation.link) {
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
            self.plan.waits.push(Waiting::IncidentClosed);
        } else if self.observation.is_repeated_reopening() {
            self.plan.waits.push(Waiting::RepeatedReopening);
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
        if merge.fields.is_empty() || !self.waits_for(Side::ServiceNow, &fields_request(&merge.fields)) {
            return;
        }
        merge.fields = IncidentFields::default();
        merge.reopening_blocked = self.observation.summary().is_some_and(|incident| incident.state.is_ended());
        merge.is_open = !merge.reopening_blocked;
    }

    /// Messages for the incident and, with the last of them, its fields. False if any of these deliveries waits.
    fn plan_delivery(&mut self, case: &LinkedCase, merge: &Merge) -> bool {
        let Some(expected_mod_count) = self.observation.summary().map(|incident| incident.sys_mod_count) else {
            return true;
        };
        let held_back = self.observation.link.troubles.blocking(Side::ServiceNow, MESSAGES_REQUEST, self.now).is_some();
        let unreceived = if held_back { Vec::new() } else { self.observation.unreceived_communications() };
        if unreceived.is_empty() && merge.fields.is_empty() {
            return true;
        }
        let columns = columns(self.policy, self.observation, self.now);
        let mut batches: Vec<&[&Communication]> = unreceived.chunks(MESSAGES_PER_DELIVERY).collect();
        if batches.is_empty() {
            batches.push(&[]);
        }
        let last = batches.len() - 1;
        let key = &self.observation.key;
        let mut deliveries = Vec::new();
        for (index, batch) in batches.into_iter().enumerate() {
            let messages = batch.iter().map(|communication| Message {
                external_id: external_id(key, case, &communication.id),
                text: self.reply_text(case, communication),
                kind: self.policy.replies_become,
            });
            let delivery = Delivery {
                expected_mod_count,
                messages: messages.collect(),
                fields: if index == last { merge.fields.clone() } else { IncidentFields::default() },
                columns: columns.clone(),
                entries_since: self.observation.answered_since(),
            };
            let communications = batch.iter().map(|communication| communication.id.clone()).collect();
            deliveries.push((delivery, communications));
        }
        for (delivery, communications) in deliveries {
            // What follows a request that waits would overtake it.
            if self.waits_for(Side::ServiceNow, &deliver_request(&delivery)) {
                return false;
            }
            self.plan.effects.push(Effect::Deliver { delivery, communications });
        }
        true
    }

    /// A communication for the incident. One that ServiceNow has refused twice is left out, with a word in its place.
    fn reply_text(&self, case: &LinkedCase, communication: &Communication) -> String {
        let refused = self.observation.link.refused_message.as_ref();
        let is_left_out = refused.is_some_and(|refused| refused.is_left_out && refused.id == communication.id);
        if is_left_out { render::left_out_reply(case, communication) } else { render::reply(case, communication) }
    }

    /// What people wrote in ServiceNow, for the case, in order. False if any of it waits: nothing may overtake it.
    fn plan_communications(&mut self, case: &LinkedCase, merge: &Merge) -> bool {
        let observation = self.observation;
        let Some(number) = observation.summary().map(|incident| incident.number.clone()) else { return true };
        let entries = observation.unsent_entries(merge.is_open);
        let remainder = observation.link.opening_remainder.as_deref();
        let nothing = entries.is_empty() && remainder.is_none() && !merge.reopen_notice;
        if nothing {
            return true;
        }
        if self.waits_for(Side::Aws, COMMUNICATION_REQUEST) {
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
        let link = &self.observation.link;
        let sent = link.partly_sent.as_ref().filter(|partly| partly.content == *content);
        let (sent_bytes, sent_parts) = sent.map_or((0, 0), |partly| (partly.bytes, partly.parts));
        let rest = text.get(sent_bytes..).unwrap_or_default();
        let refused = link.refused_text.as_ref().filter(|refused| refused.content == *content);
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
        self.plan.effects.push(Effect::AddCommunication {
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
        let number = self.observation.summary().map(|incident| incident.number.clone()).unwrap_or_default();
        let doubles = self.observation.link.doubles.iter().filter(|double| !double.resolved);
        for double in doubles {
            if self.waits_for(Side::Aws, DOUBLE_REQUEST) {
                return;
            }
            let (account, case_id) = (double.account.clone(), double.case_id.clone());
            if !double.told {
                let mark = self.draw_mark();
                self.plan.effects.push(Effect::AddCommunication {
                    account: account.clone(),
                    case_id: case_id.clone(),
                    content: Content::DoubleNotice(case_id.clone()),
                    part: Part::whole(0),
                    body: render::double_notice(&number, case, &mark),
                    mark,
                });
            }
            self.plan.effects.push(Effect::ResolveCase { account, case_id });
        }
    }

    /// The columns, if they differ from what the incident shows or the effects before will change them.
    fn plan_report(&mut self) {
        let link = &self.observation.link;
        let Some(incident) = self.observation.summary() else { return };
        let is_untouched = incident.columns == BridgeColumns::default();
        let nothing_to_say = link.is_blank() && self.plan.effects.is_empty() && is_untouched;
        let unseen = link.case.is_none() && self.observation.incident.is_none();
        if nothing_to_say || unseen || self.waits_for(Side::ServiceNow, COLUMNS_REQUEST) {
            return;
        }
        let own = link.case.as_ref();
        let changes_columns = |effect: &Effect| match effect {
            Effect::OpenCase { .. } => true,
            Effect::ResolveCase { case_id, .. } => own.is_some_and(|own| own.case_id == *case_id),
            // It reopens a resolved case.
            Effect::AddCommunication { .. } => own.is_some_and(LinkedCase::is_resolved),
            Effect::Deliver { .. } | Effect::Report => false,
        };
        let written = self.plan.effects.iter().any(|effect| matches!(effect, Effect::Deliver { .. }));
        let columns = columns(self.policy, self.observation, self.now);
        // That a case is about to be opened is worth a write only where something else stands.
        let about_to_open = columns.sync_status == "pending" && incident.columns == BridgeColumns::default();
        let differ = columns != incident.columns && !about_to_open;
        if self.plan.effects.iter().any(changes_columns) || (differ && !written) {
            self.plan.effects.push(Effect::Report);
        }
    }

    /// Keeps the plan within its bounds; the loop breaker says until when it defers the rest.
    fn bound(&mut self) {
        let link = &self.observation.link;
        let left = writes_left(self.policy, link, self.now);
        let wanted = self.plan.effects.len();
        let tripped = left < wanted.min(EFFECTS_PER_PLAN);
        // What the effects that wait would change is not worth a report yet.
        let differs = self
            .observation
            .summary()
            .is_some_and(|incident| incident.columns != columns(self.policy, self.observation, self.now));
        let report_only = left == 0 && differs && self.plan.effects.last() == Some(&Effect::Report);
        let bound = usize::try_from(self.policy.writes_per_window).unwrap_or(usize::MAX);
        if tripped && report_only && link.recent_writes.len() < bound.saturating_add(REPORTS_BEYOND_BOUND) {
            self.plan.effects = vec![Effect::Report];
        } else {
            self.plan.effects.truncate(left.min(EFFECTS_PER_PLAN));
        }
        if tripped {
            let wait = self.wait_for_a_write();
            self.plan.waits.push(wait);
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

fn wait_for(trouble: &Trouble) -> Waiting {
    let until = trouble.until;
    match trouble.refusal {
        None => Waiting::Backoff { until },
        Some(Refusal::CaseQuota) => Waiting::CaseQuota { until },
        Some(refusal) => Waiting::Refused { refusal, until },
    }
}
