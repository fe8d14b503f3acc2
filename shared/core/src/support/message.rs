//! The messages that carry a case's communications to its incident.

use crate::{
    identifiers::{CommunicationId, ExternalId, LinkKey, digest},
    support::memory::LinkedCase,
};

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
