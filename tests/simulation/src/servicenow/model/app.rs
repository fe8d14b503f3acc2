//! The app's Scripted REST, as the port calls it. A sabotage of the app implements the same trait.

use casebridge_core::{
    identifiers::IncidentId,
    servicenow::{
        delivery::{Delivery, DeliveryAnswer, NewIncident},
        incident::Incident,
    },
};
use jiff::Timestamp;

use super::{Instance, RequestFailure};

/// The app's Scripted REST. A method that an implementation leaves out answers as the app does.
pub trait App {
    /// Answers a snapshot, see [`Instance::snapshot`].
    fn snapshot(
        &self,
        instance: &mut Instance,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        since: Option<Timestamp>,
    ) -> Result<Incident, RequestFailure> {
        instance.snapshot(now, kind, id, since)
    }

    /// Opens an incident, see [`Instance::open_for_case`].
    fn open(
        &self,
        instance: &mut Instance,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        incident: &NewIncident,
    ) -> Result<Incident, RequestFailure> {
        instance.open_for_case(now, kind, id, incident)
    }

    /// Makes a delivery, see [`Instance::deliver`].
    fn deliver(
        &self,
        instance: &mut Instance,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        delivery: &Delivery,
        expected: Option<u64>,
    ) -> Result<DeliveryAnswer, RequestFailure> {
        instance.deliver(now, kind, id, delivery, expected)
    }
}

/// The app without a sabotage.
pub struct HonestApp;

impl App for HonestApp {}
