//! ServiceNow.

use std::future::Future;

use casebridge_core::{
    failure::Failure,
    identifiers::LinkKey,
    servicenow::{
        delivery::{Delivery, DeliveryAnswer},
        incident::Incident,
    },
};
use jiff::Timestamp;

/// The app's Scripted REST on a ServiceNow instance, as one link asks it: an incident may have a link of each kind, and
/// the columns of an answer are those that this link writes.
pub trait ServiceNow {
    /// The link's incident with its customer-visible comments since a moment, oldest first, or with all of them; none if
    /// it is not there. Where there are too many to read at once, the newest are left out and `entries_complete` is
    /// false.
    fn snapshot(
        &self,
        key: &LinkKey,
        entries_since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Option<Incident>, Failure>>;

    /// Writes to the link's incident. A repeat of a message has no effect, so this call may be repeated.
    fn deliver(&self, key: &LinkKey, delivery: &Delivery) -> impl Future<Output = Result<DeliveryAnswer, Failure>>;
}
