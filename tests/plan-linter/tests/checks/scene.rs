//! A pass and its plan, written by hand: an open incident with a comment, and its open case with two replies.

use casebridge_core::{
    failure::Refusal,
    identifiers::{AccountId, CaseId, CommunicationId, DisplayId, IncidentId, JournalEntryId, LinkKey},
    link::{
        Opening,
        intent::Intent,
        mark::{Entropy, Mark},
        trouble::{Request, Side, Trouble},
    },
    policy::Policy,
    servicenow::{
        delivery::{Delivery, IncidentFields, Message, NewIncident},
        incident::{Incident, IncidentState, JournalEntry},
    },
    support::{
        Effect, Link, Pass, Plan,
        call::{Call, Content, IntentKind, NewCase, Part, RefusedCall},
        case::{AMAZON_WEB_SERVICES, Case, CaseStatus, RawCommunication},
        columns::columns,
        memory::{DoubledCase, LinkedCase},
        message::external_id,
        options::Choices,
        severity::AskedSeverity,
    },
};
use casebridge_plan_linter::{Check, lint};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

pub const ACCOUNT: &str = "111122223333";
pub const OTHER_ACCOUNT: &str = "444455556666";
pub const CASE: &str = "case-111122223333-muen-2026-0123456789abcdef";
pub const DOUBLE: &str = "case-111122223333-muen-2026-fedcba9876543210";

pub struct Scene {
    pub policy: Policy,
    pub now: Timestamp,
    pub pass: Pass,
    pub plan: Plan,
    marks: u64,
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// Returns a comment of a person that was written at this second.
pub fn comment(name: &str, second: i64) -> JournalEntry {
    JournalEntry {
        sys_id: JournalEntryId::new(name),
        created_on: at(second),
        created_by: "abel.tuter".to_owned(),
        author: "Abel Tuter".to_owned(),
        text: "Any news?".to_owned(),
        ours: false,
        undecided: false,
        mod_count: None,
        element: "comments".to_owned(),
    }
}

fn incident() -> Incident {
    let account = json!({ "number": ACCOUNT, "name": "Production", "production": true });
    let mut incident: Incident = serde_json::from_value(json!({
        "sys_id": "0123456789abcdef0123456789abcdef", "number": "INC0010001", "sys_mod_count": 7, "state": "2",
        "taken_at": "2027-01-15 08:05:00", "account": account, "service_code": "amazon-ec2",
        "category_code": "instance-issue", "priority": "3", "short_description": "Instance unreachable",
        "description": "It does not answer.", "entries": [], "entries_complete": true,
    }))
    .unwrap();
    incident.entries.push(comment("e1", 10));
    incident
}

fn case(case_id: &str, communications: &[&str]) -> Case {
    let raw = |(second, body): (i64, &&str)| RawCommunication {
        time_created: at(second),
        submitted_by: AMAZON_WEB_SERVICES.to_owned(),
        body: (*body).to_owned(),
        attachments: Vec::new(),
    };
    Case {
        case_id: CaseId::new(case_id),
        display_id: DisplayId::new("1234567890"),
        subject: "[INC0010001] Instance unreachable".to_owned(),
        status: CaseStatus::new("opened"),
        service_code: "amazon-ec2".to_owned(),
        category_code: "instance-issue".to_owned(),
        severity_code: "high".to_owned(),
        time_created: at(0),
        communications: (1..).zip(communications).map(raw).collect(),
        communications_complete: true,
        communications_are_later: false,
        fingerprint: String::new(),
    }
}

impl Scene {
    /// Returns an incident in scope without a case, and no plan.
    pub fn unlinked() -> Self {
        let key = LinkKey::support_case(IncidentId::new("0123456789abcdef0123456789abcdef"));
        let (policy, now) = (Policy::default(), at(300));
        let mut pass = Pass::new(key, Link::default());
        pass.see_incident(&policy, incident(), now);
        Self { policy, now, pass, plan: Plan::default(), marks: 0 }
    }

    /// Returns a case that somebody opened at AWS, and the plan that opens its incident.
    pub fn opened_at_aws() -> Self {
        let mut scene = Self::linked();
        scene.pass.incident = None;
        scene.pass.link.incident = None;
        scene.pass.link.opening = Some(Opening::default());
        scene.plan.effects = vec![Effect::OpenIncident(NewIncident {
            account: AccountId::new(ACCOUNT),
            short_description: "Instance unreachable".to_owned(),
            description: "It does not answer.".to_owned(),
            impact: "2".to_owned(),
            urgency: "2".to_owned(),
            service_code: "amazon-ec2".to_owned(),
            category_code: "instance-issue".to_owned(),
            columns: columns(&scene.policy, &scene.pass, scene.now),
            describes: None,
        })];
        scene
    }

    /// Returns the incident that the plan opens.
    pub fn new_incident(&mut self) -> &mut NewIncident {
        let Some(Effect::OpenIncident(incident)) = self.plan.effects.first_mut() else { panic!("no incident") };
        incident
    }

    /// Returns an incident with its case, and no plan.
    pub fn linked() -> Self {
        let mut scene = Self::unlinked();
        let open = CaseStatus::new("opened");
        scene.pass.link.memory.case = Some(LinkedCase {
            account: AccountId::new(ACCOUNT),
            case_id: CaseId::new(CASE),
            display_id: Some(DisplayId::new("1234567890")),
            status: Some(open.clone()),
            status_since: at(0),
            changed_at: None,
            reopened_at: None,
            reopened_by: None,
            opened_at: at(0),
            fingerprint: String::new(),
            severity: None,
        });
        scene.pass.link.memory.agreed_status = Some(open);
        scene.pass.see_case(&scene.policy, case(CASE, &["We look into it.", "It is a disk."]), scene.now);
        scene
    }

    /// Returns a plan without a fault: the replies go to the incident and the comment to the case.
    pub fn clean() -> Self {
        let mut scene = Self::linked();
        let (deliver, text) = (scene.deliver(&[0, 1], ""), scene.send("e1", 10));
        scene.plan.effects = vec![deliver, text];
        scene
    }

    /// Returns a plan without a fault: it opens a case for the incident with its comment.
    pub fn opening() -> Self {
        let mut scene = Self::unlinked();
        scene.plan.effects = vec![scene.open(), Effect::WriteColumns];
        scene
    }

    /// Returns a plan without a fault for a resolved incident with an open case: the comment is sent, then the case is
    /// resolved.
    pub fn ending() -> Self {
        let mut scene = Self::clean();
        scene.set_incident(IncidentState::Resolved);
        scene.plan.effects.extend([resolve(CASE), Effect::WriteColumns]);
        scene
    }

    /// Returns a plan without a fault: the case of a closed incident moves to another link.
    pub fn handing_over() -> Self {
        let mut scene = Self::linked();
        scene.pass.incident.as_mut().unwrap().entries.clear();
        scene.pass.aws.shown.clear();
        scene.end_at(IncidentState::Closed, 5);
        let next = LinkKey::support_case(IncidentId::new("fedcba9876543210fedcba9876543210"));
        scene.plan.effects = vec![Effect::HandOver(next)];
        scene
    }

    pub fn checks(&self) -> Vec<Check> {
        let findings = lint(&self.policy, &self.pass, &self.plan, self.now);
        let mut checks: Vec<Check> = findings.into_iter().map(|finding| finding.check).collect();
        checks.sort();
        checks.dedup();
        checks
    }

    pub fn mark(&mut self) -> Mark {
        self.marks += 1;
        Mark::draw(Entropy::new([7; 16]), &self.pass.key, self.marks)
    }

    pub fn open(&mut self) -> Effect {
        let mark = self.mark();
        let request = NewCase {
            subject: "[INC0010001] Instance unreachable".to_owned(),
            body: mark.sign("INC0010001 was opened in ServiceNow."),
            service_code: "amazon-ec2".to_owned(),
            category_code: "instance-issue".to_owned(),
            severity_code: "high".to_owned(),
            language: "en".to_owned(),
            issue_type: "technical".to_owned(),
            cc_email_addresses: Vec::new(),
        };
        let covers = vec![(JournalEntryId::new("e1"), at(10))];
        Effect::Call(Call::OpenCase {
            account: AccountId::new(ACCOUNT),
            request,
            mark,
            covers,
            remainder: None,
            severity: AskedSeverity { code: String::new(), note: None },
            wanted: Choices { language: "en".to_owned(), issue_type: "technical".to_owned() },
            options_note: None,
        })
    }

    /// Returns a call that writes a text on a case.
    pub fn write(&mut self, case_id: &str, content: Content, part: Part) -> Effect {
        let mark = self.mark();
        Effect::Call(Call::AddCommunication {
            account: AccountId::new(ACCOUNT),
            case_id: CaseId::new(case_id),
            content,
            part,
            body: mark.sign("Abel Tuter"),
            mark,
            carried: None,
        })
    }

    /// Returns a call that sends the comment of this name, which was written at this second, in one part.
    pub fn send(&mut self, name: &str, second: i64) -> Effect {
        self.send_part(name, second, Part::whole(9))
    }

    pub fn send_part(&mut self, name: &str, second: i64, part: Part) -> Effect {
        let content = Content::Entry { entry: JournalEntryId::new(name), created_on: at(second) };
        self.write(CASE, content, part)
    }

    /// Returns the message for the communication with this number among those that were read.
    pub fn message(&self, number: usize) -> Message {
        self.message_about(&self.pass.aws.shown[number].id.clone())
    }

    pub fn message_about(&self, communication: &CommunicationId) -> Message {
        let case = self.pass.link.memory.case.as_ref().unwrap();
        let external_id = external_id(&self.pass.key, case, communication);
        Message { external_id, text: "Amazon Web Services: …".to_owned(), kind: self.policy.replies_become }
    }

    /// Returns a delivery of some of the communications that were read, and of a state.
    pub fn deliver(&self, numbers: &[usize], state: &str) -> Effect {
        Effect::Deliver(Delivery {
            expected_mod_count: self.pass.summary().unwrap().sys_mod_count,
            messages: numbers.iter().map(|number| self.message(*number)).collect(),
            fields: IncidentFields { state: state.to_owned(), ..IncidentFields::default() },
            columns: columns(&self.policy, &self.pass, self.now),
            entries_since: None,
        })
    }

    pub fn delivery(&mut self) -> &mut Delivery {
        let delivery = self.plan.effects.iter_mut().find_map(|effect| match effect {
            Effect::Deliver(delivery) => Some(delivery),
            _ => None,
        });
        delivery.unwrap()
    }

    /// Returns the body of the plan's last text.
    pub fn body(&mut self) -> &mut String {
        let body = self.plan.effects.iter_mut().rev().find_map(|effect| match effect {
            Effect::Call(Call::AddCommunication { body, .. }) => Some(body),
            _ => None,
        });
        body.unwrap()
    }

    pub fn case(&mut self) -> &mut LinkedCase {
        self.pass.link.memory.case.as_mut().unwrap()
    }

    pub fn entries(&mut self) -> &mut Vec<JournalEntry> {
        &mut self.pass.incident.as_mut().unwrap().entries
    }

    /// Gives the incident this state. If the state ends it, the end is after the comment.
    pub fn set_incident(&mut self, state: IncidentState) {
        self.end_at(state, 20);
    }

    pub fn end_at(&mut self, state: IncidentState, second: i64) {
        let mut summary = self.pass.link.incident.clone().unwrap();
        summary.resolved_at = state.is_ended().then(|| at(second));
        summary.closed_at = state.is_closed().then(|| at(second));
        self.pass.link.journal.end_seen_at = state.is_ended().then(|| at(second));
        summary.state = state;
        self.pass.incident.as_mut().unwrap().summary = summary.clone();
        self.pass.link.incident = Some(summary);
    }

    pub fn resolve_case(&mut self) {
        self.case().status = Some(CaseStatus::new("resolved"));
    }

    /// Gives the link an intent in doubt.
    pub fn doubt(&mut self) {
        let kind = IntentKind::ResolveCase { status_before: None, double: None };
        self.pass.link.intent = Some(Intent::new(1, None, kind, self.now));
    }

    /// Gives the link a double.
    pub fn double(&mut self, told: bool) {
        self.pass.link.memory.doubles.push(DoubledCase {
            account: AccountId::new(ACCOUNT),
            case_id: CaseId::new(DOUBLE),
            told,
            resolved: false,
        });
    }

    pub fn trouble(&mut self, side: Side, refusal: Option<Refusal>, request: Request<RefusedCall>) {
        self.pass.link.troubles.note(Trouble {
            side,
            refusal,
            message: "no".to_owned(),
            attempts: 1,
            until: self.now.checked_add(SignedDuration::from_mins(1)).unwrap(),
            request,
        });
    }
}

pub fn resolve(case_id: &str) -> Effect {
    Effect::Call(Call::ResolveCase { account: AccountId::new(ACCOUNT), case_id: CaseId::new(case_id) })
}
