//! Both sides as plain values. The tests apply plans to them, and all effects succeed.

use std::collections::BTreeSet;

use casebridge_core::{
    failure::{Failure, Refusal},
    file::{order::Order, transfer::Carried},
    identifiers::{AccountId, CaseId, DisplayId, JournalEntryId, LinkKey},
    link::{
        kind::{HandedOver, Kind as _},
        mark::Entropy,
        pass::Seen,
        planner,
    },
    policy::Policy,
    servicenow::{
        delivery::{
            Delivery, DeliveryAnswer, FieldsOutcome, IncidentFields, Message, MessageAnswer, MessageKind,
            MessageOutcome, NewIncident,
        },
        incident::{AccountState, CaseOptions, Incident, IncidentAccount, IncidentState, JournalEntry},
    },
    support::{
        Effect, Link, NamedCase, Pass, Plan, SupportCase,
        call::{Call, Done, NewCase},
        case::{Case, CaseStatus, RECENT_COMMUNICATIONS, RawCommunication, fingerprint},
        columns::columns,
        opened_case::OpenedCase,
        sight::Sight,
    },
};
use casebridge_plan_linter::assert_clean;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

pub const ACCOUNT: &str = "111122223333";
/// How the case shows our role.
pub const BRIDGE: &str = "Casebridge (Role) <aws@example.com>";
pub const CASE_ID: &str = "case-111122223333-muen-2026-0123456789abcdef";
/// The id of the case that follows the first one.
pub const NEXT_CASE_ID: &str = "case-111122223333-muen-2026-aaaabbbbccccdddd";

/// Returns the moment at which every test starts.
pub fn start() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub struct Sides {
    pub policy: Policy,
    pub now: Timestamp,
    pub incident: Incident,
    pub case: Option<RawCase>,
    pub link: Link,
    /// When the last pass wants the next look at the link.
    pub due: Option<Timestamp>,
    /// The work notes that were delivered.
    pub told: Vec<Message>,
    /// Whether the snapshot shows update counts.
    pub audit_trail: bool,
    /// Whether the instance keeps the first `resolved_at`, as many do.
    pub keeps_resolved_at: bool,
    /// The comments that were written when the incident was closed.
    pub written_when_closed: BTreeSet<JournalEntryId>,
    /// What a rule of the instance puts into the column *last error* with each write of the columns.
    pub column_rule: Option<&'static str>,
    /// Whether the incident is there. It is not until it is opened for a case of others.
    pub is_there: bool,
    /// AWS refuses texts that contain this.
    pub poison: Option<String>,
    /// AWS refuses to open a case for which this holds.
    pub refuses: fn(&NewCase) -> bool,
    /// The requests by which AWS opened cases.
    pub opened: Vec<NewCase>,
    /// The link that has the case since it was handed over, with its key.
    pub successor: Option<(LinkKey, Link)>,
    /// When the case was handed over last.
    pub handed_over_at: Option<Timestamp>,
    case_id: &'static str,
    plans: u8,
    /// The size of the last answer to a delivery, in bytes of JSON.
    pub last_answer_bytes: usize,
    /// The transfers of files that were ordered.
    pub orders: Vec<Order>,
    /// What the communications of ours carried.
    pub carried: Vec<Carried>,
}

pub struct RawCase {
    pub status: String,
    pub severity: String,
    pub communications: Vec<RawCommunication>,
}

impl RawCase {
    fn opened(severity: &str) -> Self {
        Self { status: "unassigned".to_owned(), severity: severity.to_owned(), communications: Vec::new() }
    }
}

pub fn entry(name: &str, created_on: Timestamp, text: &str) -> JournalEntry {
    JournalEntry {
        sys_id: JournalEntryId::new(name),
        created_on,
        created_by: "abel.tuter".to_owned(),
        author: "Abel Tuter".to_owned(),
        text: text.to_owned(),
        ours: false,
        undecided: false,
        mod_count: None,
        element: "comments".to_owned(),
    }
}

pub fn unavailable() -> Failure {
    Failure::Unavailable { message: "slow down".to_owned(), retry_at: None }
}

pub fn refusal(refusal: Refusal) -> Failure {
    Failure::Refused { refusal, message: "no".to_owned() }
}

pub fn names(plan: &Plan) -> Vec<&'static str> {
    plan.effects.iter().map(Effect::name).collect()
}

/// Returns the plan of a pass. Fails if the plan contains something that must never be in a plan.
pub fn plan(policy: &Policy, pass: &Pass, entropy: Entropy, now: Timestamp) -> Plan {
    let plan = planner::plan(policy, pass, entropy, now);
    assert_clean(policy, pass, &plan, now);
    plan
}

impl Sides {
    /// Returns an open incident in scope, without a case.
    pub fn new() -> Self {
        // Made from JSON, as a stored state is read: a new field needs no change here.
        let summary = serde_json::from_value(json!({
            "sys_id": "0123456789abcdef0123456789abcdef",
            "number": "INC0010001",
            "sys_mod_count": 1,
            "state": "1",
            "close_codes": ["Duplicate", "Solution provided"],
            "group_accounts": [ACCOUNT],
        }));
        let incident = Incident {
            summary: summary.unwrap(),
            taken_at: start(),
            updated_on: None,
            account: Some(IncidentAccount {
                number: AccountId::new(ACCOUNT),
                name: "Production".to_owned(),
                production: true,
                severities: Vec::new(),
                options: CaseOptions::default(),
            }),
            service_code: "amazon-ec2".to_owned(),
            category_code: "instance-issue".to_owned(),
            options: CaseOptions::default(),
            caller_email: String::new(),
            short_description: "Instance unreachable".to_owned(),
            description: "It does not answer.".to_owned(),
            priority: "3".to_owned(),
            entries_since: None,
            entries: Vec::new(),
            entries_complete: true,
            entries_next: None,
            deliveries: Vec::new(),
            attachments: Vec::new(),
            attachments_complete: true,
        };
        Self {
            policy: Policy::default(),
            now: start(),
            incident,
            case: None,
            link: Link::default(),
            due: None,
            told: Vec::new(),
            audit_trail: false,
            keeps_resolved_at: false,
            written_when_closed: BTreeSet::new(),
            column_rule: None,
            is_there: true,
            poison: None,
            refuses: |_| false,
            opened: Vec::new(),
            successor: None,
            handed_over_at: None,
            case_id: CASE_ID,
            plans: 0,
            last_answer_bytes: 0,
            orders: Vec::new(),
            carried: Vec::new(),
        }
    }

    /// Returns an incident with its case, both open and in step.
    pub fn linked() -> Self {
        let mut sides = Self::new();
        sides.settle();
        sides.case.as_mut().unwrap().status = "opened".to_owned();
        sides.settle();
        sides
    }

    /// Returns a case that a customer opened at AWS with this text. A hint has named it, and its incident is not there.
    pub fn opened_at_aws(text: &str) -> Self {
        let mut sides = Self::new();
        sides.is_there = false;
        sides.case = Some(RawCase::opened("urgent"));
        sides.communicate("Beth Anglin (Role) <beth.anglin@example.com>", text);
        let mut pass = sides.unseen();
        let opened = OpenedCase { account: AccountId::new(ACCOUNT), case_id: CaseId::new(CASE_ID) };
        SupportCase::see_record(&mut pass, &sides.policy, &NamedCase::Opened(opened), sides.now);
        sides.link = pass.link;
        sides
    }

    /// Returns an incident that was resolved with its case and has a later comment.
    pub fn commented_after_the_end() -> Self {
        let mut sides = Self::linked();
        sides.set_state(IncidentState::Resolved);
        sides.settle();
        sides.pass_time(5);
        sides.comment("e1", "It is back.");
        sides
    }

    pub fn pass_time(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }

    pub fn comment(&mut self, name: &str, text: &str) {
        self.pass_time(1);
        self.incident.summary.sys_mod_count += 1;
        let mod_count = self.audit_trail.then_some(self.incident.summary.sys_mod_count);
        self.incident.entries.push(JournalEntry { mod_count, ..entry(name, self.now, text) });
        if self.incident.summary.closed_at.is_some() {
            self.written_when_closed.insert(JournalEntryId::new(name));
        }
    }

    pub fn set_state(&mut self, state: IncidentState) {
        self.pass_time(1);
        let summary = &mut self.incident.summary;
        summary.sys_mod_count += 1;
        let mod_count = self.audit_trail.then_some(summary.sys_mod_count);
        let kept = summary.resolved_at.filter(|_| self.keeps_resolved_at);
        summary.resolved_at = state.is_ended().then_some(kept.unwrap_or(self.now)).or(kept);
        summary.ended_mod_count = mod_count.filter(|_| state.is_ended());
        let is_closed = state.is_closed();
        summary.closed_at = is_closed.then_some(self.now);
        summary.closed_mod_count = mod_count.filter(|_| is_closed);
        summary.state = state;
    }

    /// An administrator changes or deletes the record of the case's account. This does not update the incident.
    pub fn set_account(&mut self, state: AccountState) {
        self.incident.summary.linked_account_state = state;
        self.show_account_of_group();
    }

    /// An agent gives the incident to a group of these accounts.
    pub fn set_group(&mut self, accounts: &[&str]) {
        self.pass_time(1);
        self.incident.summary.sys_mod_count += 1;
        self.incident.summary.group_accounts = accounts.iter().map(|account| AccountId::new(*account)).collect();
        self.show_account_of_group();
    }

    /// Sets the account of the group to the first active one. In the tests only the account of the case may be
    /// inactive.
    fn show_account_of_group(&mut self) {
        let summary = &self.incident.summary;
        let is_used = !matches!(summary.linked_account_state, AccountState::Inactive | AccountState::Missing);
        let number = summary.group_accounts.iter().find(|number| is_used || number.as_str() != ACCOUNT).cloned();
        self.incident.account = number.map(|number| IncidentAccount {
            number,
            name: "Account".to_owned(),
            production: true,
            severities: Vec::new(),
            options: CaseOptions::default(),
        });
    }

    /// Sets a state and writes a comment in one update.
    pub fn set_state_with_comment(&mut self, state: IncidentState, name: &str, text: &str) {
        self.set_state(state);
        let mod_count = self.audit_trail.then_some(self.incident.summary.sys_mod_count);
        self.incident.entries.push(JournalEntry { mod_count, ..entry(name, self.now, text) });
    }

    pub fn reply(&mut self, text: &str) {
        self.communicate("Amazon Web Services", text);
    }

    pub fn communicate(&mut self, submitted_by: &str, text: &str) {
        self.pass_time(1);
        let case = self.case.as_mut().unwrap();
        if CaseStatus::new(case.status.as_str()).is_resolved() {
            case.status = "reopened".to_owned();
        }
        case.communications.push(RawCommunication {
            time_created: self.now,
            submitted_by: submitted_by.to_owned(),
            body: text.to_owned(),
            attachments: Vec::new(),
        });
    }

    pub fn set_status(&mut self, status: &str) {
        self.pass_time(1);
        self.case.as_mut().unwrap().status = status.to_owned();
    }

    /// Returns the incident as a snapshot shows it now, with its comments since a moment.
    pub fn snapshot(&self, entries_since: Option<Timestamp>) -> Incident {
        let mut incident = self.incident.clone();
        incident.taken_at = self.now;
        incident.entries_since = entries_since;
        incident.entries.retain(|entry| entries_since.is_none_or(|since| entry.created_on >= since));
        incident
    }

    /// Returns a pass that has read nothing yet.
    pub fn unseen(&self) -> Pass {
        let key = LinkKey::support_case(self.incident.summary.sys_id.clone());
        Pass::new(key, self.link.clone())
    }

    pub fn observe(&self) -> Pass {
        let mut pass = self.unseen();
        self.see_incident(&mut pass);
        self.see_case(&mut pass);
        pass
    }

    pub fn see_incident(&self, pass: &mut Pass) {
        let opens = pass.link.opening.is_some();
        if opens && !pass.needs_incident() {
            return;
        }
        if !self.is_there {
            pass.see(&self.policy, Seen::Incident(Ok(None)), self.now, 0).unwrap();
            return;
        }
        let incident = self.snapshot(pass.entries_since());
        pass.see_incident(&self.policy, incident, self.now);
    }

    /// Goes on with the link that has the case since it was handed over. Its incident is not there yet.
    pub fn follow_case(&mut self) {
        let (key, link) = self.successor.take().unwrap();
        let mut next = Self::new().incident;
        next.summary.sys_id = key.incident;
        next.summary.number = "INC0010002".to_owned();
        (self.incident, self.link, self.is_there) = (next, link, false);
    }

    /// Shows the pass all communications of the case that are not settled.
    pub fn see_case(&self, pass: &mut Pass) {
        if let (Some(case), Some(_)) = (&self.case, &pass.link.memory.case) {
            let mut case = as_case(case);
            case.case_id = CaseId::new(self.case_id);
            let since = pass.communications_since();
            case.communications.retain(|seen| since.is_none_or(|since| seen.time_created >= since));
            pass.see_case(&self.policy, case, self.now);
        }
    }

    pub fn plan(&mut self, pass: &Pass) -> Plan {
        self.plans = self.plans.wrapping_add(1);
        plan(&self.policy, pass, Entropy::new([self.plans; 16]), self.now)
    }

    /// Applies one effect to both sides and records its outcome in the pass. Returns whether it is done and certain.
    pub fn apply(&mut self, pass: &mut Pass, effect: &Effect) -> bool {
        pass.begin(effect, self.now);
        match effect {
            Effect::Call(Call::OpenCase { request, .. }) if (self.refuses)(request) => {
                let failure = refusal(Refusal::InvalidRequest);
                pass.refused(&self.policy, call_of(effect), &failure, self.now, 0).unwrap();
                false
            }
            Effect::Call(Call::OpenCase { request, .. }) => {
                self.opened.push(request.clone());
                assert!(self.case.is_none(), "a second case was opened");
                self.case = Some(RawCase::opened(&request.severity_code));
                self.communicate(BRIDGE, &request.body);
                let done = Done::CaseOpened { case_id: CaseId::new(self.case_id) };
                pass.done(&self.policy, done, self.now).unwrap()
            }
            Effect::Call(Call::AddCommunication { body, .. })
                if self.poison.as_ref().is_some_and(|poison| body.contains(poison)) =>
            {
                let failure = refusal(Refusal::InvalidRequest);
                pass.refused(&self.policy, call_of(effect), &failure, self.now, 0).unwrap();
                if pass.link.memory.case.is_none() {
                    (self.case, self.case_id) = (None, NEXT_CASE_ID);
                }
                false
            }
            Effect::Call(Call::AddCommunication { body, carried, .. }) => {
                self.carried.extend(carried.clone());
                self.communicate(BRIDGE, body);
                pass.done(&self.policy, Done::CommunicationAdded, self.now).unwrap()
            }
            Effect::Call(Call::ResolveCase { .. }) => {
                self.set_status("resolved");
                let done = Done::CaseResolved { status: CaseStatus::new("resolved") };
                pass.done(&self.policy, done, self.now).unwrap()
            }
            Effect::OpenIncident(request) => {
                let incident = self.open(request);
                pass.incident_opened(&self.policy, incident, self.now);
                false
            }
            Effect::HandOver(to) => {
                let HandedOver { own, successor } = SupportCase::hand_over(pass, to).unwrap();
                (pass.link, pass.aws) = (own, Sight::default());
                self.successor = Some((to.clone(), successor));
                self.handed_over_at = Some(self.now);
                true
            }
            Effect::Deliver(delivery) => {
                let answer = self.deliver(delivery);
                pass.delivered(&self.policy, delivery, answer, self.now, 0);
                true
            }
            Effect::OrderFiles(order) => {
                self.orders.push(order.clone());
                pass.ordered(order, true, self.now);
                true
            }
            Effect::WriteColumns => {
                let delivery = Delivery {
                    expected_mod_count: self.incident.summary.sys_mod_count,
                    messages: Vec::new(),
                    fields: IncidentFields::default(),
                    columns: columns(&self.policy, pass, self.now),
                    entries_since: pass.answered_since(),
                };
                self.apply(pass, &Effect::Deliver(delivery))
            }
        }
    }

    /// Opens the incident, if it is not there. Returns it as a snapshot shows it.
    pub fn open(&mut self, request: &NewIncident) -> Incident {
        if !std::mem::replace(&mut self.is_there, true) {
            self.incident.short_description.clone_from(&request.short_description);
            self.incident.description.clone_from(&request.description);
            self.incident.summary.columns = request.columns.clone();
        }
        self.snapshot(None)
    }

    /// Applies a delivery and returns ServiceNow's answer.
    pub fn answer(&mut self, effect: &Effect) -> DeliveryAnswer {
        self.deliver(delivery_of(effect))
    }

    fn deliver(&mut self, delivery: &Delivery) -> DeliveryAnswer {
        let matches = delivery.expected_mod_count == self.incident.summary.sys_mod_count;
        let mut messages = Vec::new();
        for message in &delivery.messages {
            self.told.extend(Some(message).filter(|message| message.kind == MessageKind::WorkNote).cloned());
            self.comment(message.external_id.as_str(), &message.text);
            self.incident.entries.last_mut().unwrap().ours = true;
            messages.push(MessageAnswer {
                external_id: message.external_id.clone(),
                outcome: MessageOutcome::Applied,
                error: String::new(),
            });
        }
        if matches {
            self.write(delivery);
        }
        let fields = if matches { FieldsOutcome::Applied } else { FieldsOutcome::Stale };
        let snapshot = self.snapshot(delivery.entries_since);
        self.last_answer_bytes = serde_json::to_string(&snapshot).unwrap().len();
        DeliveryAnswer { messages, fields, field_error: String::new(), snapshot }
    }

    fn write(&mut self, delivery: &Delivery) {
        if !delivery.fields.state.is_empty() {
            self.set_state(IncidentState::from(delivery.fields.state.clone()));
        }
        let summary = &mut self.incident.summary;
        summary.has_close_code |= !delivery.fields.close_code.is_empty();
        summary.has_close_notes |= !delivery.fields.close_notes.is_empty();
        summary.columns = delivery.columns.clone();
        if let Some(words) = self.column_rule {
            words.clone_into(&mut summary.columns.last_error);
        }
        summary.sys_mod_count += 1;
    }

    /// Ends a pass and keeps its link.
    pub fn record(&mut self, mut pass: Pass) {
        let last = self.plan(&pass);
        self.due = pass.finish(&self.policy, &last, self.now);
        self.link = pass.link;
    }

    /// Makes one pass: observe, plan, apply, and read the case once more after a call that is not certain. Returns the
    /// names of the effects.
    pub fn pass(&mut self) -> Vec<&'static str> {
        let mut pass = self.observe();
        let plan = self.plan(&pass);
        let mut names = Vec::new();
        for effect in &plan.effects {
            names.push(effect.name());
            if !self.apply(&mut pass, effect) {
                self.see_case(&mut pass);
                break;
            }
        }
        self.record(pass);
        names
    }

    /// Makes passes until nothing is left to do. Returns the names of the effects.
    pub fn settle(&mut self) -> Vec<&'static str> {
        let mut all = Vec::new();
        for _ in 0..10 {
            let effects = self.pass();
            if effects.is_empty() {
                return all;
            }
            all.extend(effects);
        }
        panic!("the plan does not come to an end: {all:?}");
    }

    pub fn bodies(&self) -> Vec<&str> {
        self.case.iter().flat_map(|case| &case.communications).map(|seen| seen.body.as_str()).collect()
    }

    pub fn status(&self) -> &str {
        self.case.as_ref().map(|case| case.status.as_str()).unwrap_or_default()
    }
}

pub fn as_case(case: &RawCase) -> Case {
    let (case_id, display_id, status) =
        (CaseId::new(CASE_ID), DisplayId::new("1234567890"), CaseStatus::new(case.status.as_str()));
    let recent = &case.communications[case.communications.len().saturating_sub(RECENT_COMMUNICATIONS)..];
    Case {
        fingerprint: fingerprint(&case_id, &display_id, &status, &case.severity, recent),
        case_id,
        display_id,
        subject: "[INC0010001] Instance unreachable".to_owned(),
        status,
        service_code: "amazon-ec2".to_owned(),
        category_code: "other".to_owned(),
        severity_code: case.severity.clone(),
        time_created: start(),
        communications: case.communications.clone(),
        communications_complete: true,
        communications_are_later: false,
    }
}

/// Returns the call of an effect.
pub fn call_of(effect: &Effect) -> &Call {
    let Effect::Call(call) = effect else { panic!("{effect:?} is no call") };
    call
}

/// Returns the delivery of an effect.
pub fn delivery_of(effect: &Effect) -> &Delivery {
    let Effect::Deliver(delivery) = effect else { panic!("{effect:?} is no delivery") };
    delivery
}

/// Begins the first effect, a call, which is then refused. Returns the pass.
pub fn refuse_first(sides: &mut Sides, failure: &Failure) -> Pass {
    let mut pass = sides.observe();
    let effect = sides.plan(&pass).effects.remove(0);
    pass.begin(&effect, sides.now);
    pass.refused(&sides.policy, call_of(&effect), failure, sides.now, 0).unwrap();
    pass
}
