//! ServiceNow.

use std::future::Future;

use casebridge_core::{
    failure::Failure,
    identifiers::LinkKey,
    servicenow::{
        delivery::{Delivery, DeliveryAnswer, NewIncident},
        incident::Incident,
    },
};
use jiff::Timestamp;

/// The app's Scripted REST on a ServiceNow instance, as one link uses it. An incident may have a link of each kind, and
/// the columns in an answer are those that this link writes.
pub trait ServiceNow {
    /// Reads the link's incident with what its journal holds for AWS since `entries_since`, or with all of it if that
    /// is `None`, oldest first. Returns `None` if the incident is not there. If there are too many comments to read at
    /// once, the newest are left out and `entries_complete` is false.
    ///
    /// # Errors
    /// Fails if the side refuses the read, throttles it or does not answer.
    fn snapshot(
        &self,
        key: &LinkKey,
        entries_since: Option<Timestamp>,
    ) -> impl Future<Output = Result<Option<Incident>, Failure>>;

    /// Opens the link's incident, whose `sys_id` the key has. Returns the incident with all its comments. If it is there
    /// already, returns it as it is, so this call may be repeated.
    ///
    /// # Errors
    /// Fails if the instance refuses the call, throttles it or does not answer.
    fn open(&self, key: &LinkKey, incident: &NewIncident) -> impl Future<Output = Result<Incident, Failure>>;

    /// Writes to the link's incident. A repeat of a message has no effect, so this call may be repeated.
    ///
    /// # Errors
    /// Fails if the instance refuses the call, throttles it or does not answer.
    fn deliver(&self, key: &LinkKey, delivery: &Delivery) -> impl Future<Output = Result<DeliveryAnswer, Failure>>;
}
