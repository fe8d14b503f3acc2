//! 10: a request that a side has refused is not made again too early.
//!
//! Smaller parts of a text, a replacement for it, other messages and other fields are other requests. A new mark alone
//! makes no other request.

use std::collections::BTreeMap;

use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::IncidentId,
    link::{mark::without_marks, trouble::Side},
    servicenow::delivery::{Delivery, DeliveryAnswer, FieldsOutcome, MessageOutcome},
    time::seconds,
};
use casebridge_simulator::support::Write;
use jiff::{SignedDuration, Timestamp};

use crate::{invariants::Invariant, timeline::shorten, world::World};

/// How often in a row a refused request may be repeated too early. If a worker dies or loses the ledger before it
/// records the refusal, no other worker knows of it. At the highest level of faults this happens several times in a
/// row: four times in one of a million worlds.
const REPETITIONS: u32 = 6;
/// By how much the wait may be too short, since the clocks of two processes differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(1);

/// The requests that were refused, by the link, the side and the request.
#[derive(Debug, Clone, Default)]
pub struct Refusals(BTreeMap<(IncidentId, Side, String), RefusedRequest>);

#[derive(Debug, Clone, Copy)]
struct RefusedRequest {
    /// When it was refused last.
    at: Timestamp,
    /// How often in a row it was repeated too early.
    repetitions: u32,
}

/// Returns a write to AWS as a text, without what is new in each attempt.
fn request_to_support(write: &Write) -> String {
    let parts = match write {
        Write::CreateCase(request) => vec![
            &request.subject,
            &request.service_code,
            &request.category_code,
            &request.severity_code,
            &request.language,
            &request.issue_type,
            &request.communication_body,
        ],
        Write::AddCommunicationToCase(request) => vec![&request.case_id, &request.communication_body],
        Write::ResolveCase(request) => vec![&request.case_id],
    };
    let copies = match write {
        Write::CreateCase(request) => request.cc_email_addresses.as_slice(),
        Write::AddCommunicationToCase(_) | Write::ResolveCase(_) => &[],
    };
    let parts = parts.into_iter().flatten().chain(copies).map(|part| without_marks(part).into_owned());
    parts.collect::<Vec<String>>().join("\n")
}

/// Returns what a delivery asks for as a text: its messages and its state. The columns are left out.
fn request_to_servicenow(delivery: &Delivery) -> String {
    let messages = delivery.messages.iter().map(|message| format!("{} {}", message.external_id, message.text));
    let messages: Vec<String> = messages.collect();
    format!("state {}, messages {}", delivery.fields.state, messages.join("\n"))
}

/// Returns the parts of a delivery that were refused while the rest was accepted.
fn refused_parts(delivery: &Delivery, answer: &DeliveryAnswer) -> Vec<String> {
    let of_fields = (answer.fields == FieldsOutcome::Refused).then(|| format!("state {}", delivery.fields.state));
    let is_refused = |id: &_| {
        answer.messages.iter().any(|message| message.external_id == *id && message.outcome == MessageOutcome::Refused)
    };
    let messages = delivery.messages.iter().filter(|message| is_refused(&message.external_id));
    let of_messages = messages.map(|message| format!("message {} {}", message.external_id, message.text));
    of_fields.into_iter().chain(of_messages).collect()
}

impl World {
    /// Notes how a write to AWS ended.
    pub fn note_support_write<T>(&mut self, write: &Write, result: &Result<T, Failure>) {
        let incident = match write {
            Write::CreateCase(request) => self.incident_in(request.subject.as_deref().unwrap_or_default()),
            Write::AddCommunicationToCase(request) => self.incident_of_case(request.case_id.as_deref()),
            Write::ResolveCase(request) => self.incident_of_case(request.case_id.as_deref()),
        };
        let Some(incident) = incident else { return };
        match result {
            Ok(_) => self.accepted(&incident, Side::Aws),
            Err(Failure::Refused { refusal, .. }) => {
                self.refused(&incident, Side::Aws, request_to_support(write), *refusal);
            }
            Err(_) => {}
        }
    }

    fn incident_of_case(&self, case_id: Option<&str>) -> Option<IncidentId> {
        self.incident_of(self.support.case(case_id?)?)
    }

    /// Notes how a delivery ended.
    pub fn note_delivery(
        &mut self,
        incident: &IncidentId,
        delivery: &Delivery,
        result: &Result<DeliveryAnswer, Failure>,
    ) {
        match result {
            Ok(answer) => {
                self.note_messages(incident, delivery, answer);
                let refused = refused_parts(delivery, answer);
                if refused.is_empty() {
                    self.accepted(incident, Side::ServiceNow);
                }
                for request in refused {
                    self.refused(incident, Side::ServiceNow, request, Refusal::InvalidRequest);
                }
            }
            Err(Failure::Refused { refusal, .. }) => {
                self.refused(incident, Side::ServiceNow, request_to_servicenow(delivery), *refusal);
            }
            Err(_) => {}
        }
    }

    /// Notes which messages of a delivery the instance has refused, and forgets those that it has taken.
    fn note_messages(&mut self, incident: &IncidentId, delivery: &Delivery, answer: &DeliveryAnswer) {
        for message in &answer.messages {
            let key = (incident.clone(), message.external_id.clone());
            let sent = delivery.messages.iter().find(|sent| sent.external_id == message.external_id);
            match sent.filter(|_| message.outcome == MessageOutcome::Refused) {
                Some(sent) => self.memory.refused_messages.insert(key, sent.text.clone()),
                None => self.memory.refused_messages.remove(&key),
            };
        }
    }

    /// Forgets what a side refused of a link, since it has accepted a request of that link and may accept others now.
    fn accepted(&mut self, incident: &IncidentId, side: Side) {
        self.memory.refusals.0.retain(|(link, of, _), _| link != incident || *of != side);
    }

    fn refused(&mut self, incident: &IncidentId, side: Side, request: String, refusal: Refusal) {
        // A link that waits for a quota tries again when another one got a case. An incident that was not found gets no
        // further writes.
        if matches!(refusal, Refusal::CaseQuota | Refusal::NotFound) {
            return;
        }
        let (now, wait) = (self.now, seconds(self.settings.policy.refusal_retry_seconds) - CLOCKS_DIFFER);
        let key = (incident.clone(), side, request);
        let earlier = self.memory.refusals.0.get(&key).filter(|earlier| now.duration_since(earlier.at) < wait);
        let repetitions = earlier.map_or(0, |earlier| earlier.repetitions + 1);
        if repetitions > REPETITIONS {
            let (number, times) = (self.number_of(incident), repetitions + 1);
            let what = format!("{number}: {side:?} was asked {times} times for what it refused: {}", shorten(&key.2));
            self.violate(Invariant::HeldBack, what);
        }
        self.memory.refusals.0.insert(key, RefusedRequest { at: now, repetitions });
    }
}
