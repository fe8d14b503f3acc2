//! The messages that carry a case's communications to its incident.

use crate::{
    identifiers::{CommunicationId, ExternalId, LinkKey, digest},
    support::{memory::LinkedCase, note::Note},
    text::HASH_DIGITS,
};

/// How many hexadecimal digits of a message's name identify the link and the case: 64 bits. Among a million links, two
/// have the same digits with a chance of one in thirty million. The app asks for this number of digits.
const DELIVERY_SCOPE_DIGITS: usize = 16;

/// Returns the unique name under which a communication is delivered to ServiceNow. It contains the communication's
/// identity, so that a delivery that was not recorded can be recognised.
pub fn external_id(link: &LinkKey, case: &LinkedCase, communication: &CommunicationId) -> ExternalId {
    ExternalId::new(format!("{}-{communication}", delivery_scope(link, case)))
}

/// Returns the unique name under which a file of a communication is attached to the incident. `place` is its place among
/// the communication's files, from 0: AWS may show its id and its name differently.
pub fn file_id(link: &LinkKey, case: &LinkedCase, communication: &CommunicationId, place: u32) -> ExternalId {
    ExternalId::new(format!("{}-f{place}", external_id(link, case, communication)))
}

/// Returns the unique name under which a note of casebridge is delivered. It has the form of a communication's name, which
/// the app asks for; a communication has a second of its own, and a note has none.
pub fn note_id(link: &LinkKey, case: &LinkedCase, note: &Note) -> ExternalId {
    let hash = digest(&["note", &note.text], HASH_DIGITS);
    external_id(link, case, &CommunicationId::new(format!("0-{hash}-{}", note.number)))
}

/// Returns the communication that was delivered under this name. Returns `None` if the name is of another link or case.
pub(crate) fn delivered_communication(link: &LinkKey, case: &LinkedCase, name: &ExternalId) -> Option<CommunicationId> {
    let (scope, communication) = name.as_str().split_once('-')?;
    (scope == delivery_scope(link, case)).then(|| CommunicationId::new(communication))
}

fn delivery_scope(link: &LinkKey, case: &LinkedCase) -> String {
    digest(&[&link.to_string(), &case.key().to_string()], DELIVERY_SCOPE_DIGITS)
}
