//! The app on the ServiceNow instance with a safeguard switched off. The decorators stand between the port and the
//! instance, so that the port judges what casebridge asked for.

use std::{cell::Cell, collections::BTreeSet};

use casebridge_core::{
    identifiers::{ExternalId, IncidentId},
    servicenow::{
        delivery::{Delivery, DeliveryAnswer, NewIncident},
        incident::{AccountState, Incident},
    },
};
use jiff::Timestamp;

use super::Sabotage;
use crate::{
    servicenow::model::{App, CASE_ID, HonestApp, Instance, Record, RequestFailure},
    world::BEGINNING,
};

/// Returns the app with a sabotage around it, or the unchanged app if the sabotage is not one of the app.
pub fn app(sabotage: Option<Sabotage>) -> Box<dyn App> {
    let change = match sabotage {
        Some(Sabotage::ConditionalWrite) => return Box::new(Unconditional),
        Some(Sabotage::SilentAuthors) => return Box::new(Indiscreet),
        Some(Sabotage::UniqueDelivery) => return Box::new(RenamedMessages::default()),
        Some(Sabotage::Generation) => return Box::new(OneIncidentPerCase),
        Some(Sabotage::FilesByName) => one_file_of_each_name,
        Some(Sabotage::FileOrigin) => without_origin_of_files,
        Some(Sabotage::Ordering) => without_times,
        Some(Sabotage::DeliveryTable) => without_delivery_table,
        Some(Sabotage::Pauses) => without_pauses,
        Some(Sabotage::UpdateCounts) => without_update_counts,
        _ => return Box::new(HonestApp),
    };
    Box::new(ShownOtherwise { change })
}

/// Writes fields even if the incident has changed since the plan.
struct Unconditional;

impl App for Unconditional {
    fn deliver(
        &self,
        instance: &mut Instance,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        delivery: &Delivery,
        _: Option<u64>,
    ) -> Result<DeliveryAnswer, RequestFailure> {
        HonestApp.deliver(instance, now, kind, id, delivery, None)
    }
}

/// Shares the texts of silent authors.
struct Indiscreet;

impl App for Indiscreet {
    fn snapshot(
        &self,
        instance: &mut Instance,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        since: Option<Timestamp>,
    ) -> Result<Incident, RequestFailure> {
        let silent = std::mem::take(&mut instance.sharing.silent_authors);
        let incident = HonestApp.snapshot(instance, now, kind, id, since);
        instance.sharing.silent_authors = silent;
        incident
    }
}

/// Opens no incident for a case that has one already.
struct OneIncidentPerCase;

impl App for OneIncidentPerCase {
    fn open(
        &self,
        instance: &mut Instance,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        incident: &NewIncident,
    ) -> Result<Incident, RequestFailure> {
        let case_id = incident.columns.own(CASE_ID);
        let is_of_case = |record: &Record| !case_id.is_empty() && record.summary.columns.own(CASE_ID) == case_id;
        let earlier = instance.incidents.iter().find(|(_, record)| is_of_case(record)).map(|(id, _)| id.clone());
        match earlier {
            Some(earlier) => HonestApp.snapshot(instance, now, kind, &earlier, None),
            None => HonestApp.open(instance, now, kind, id, incident),
        }
    }
}

/// Gives each message a new external id at each attempt, and answers with the one that it came with.
#[derive(Default)]
struct RenamedMessages {
    renamed: Cell<u64>,
}

impl App for RenamedMessages {
    fn deliver(
        &self,
        instance: &mut Instance,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        delivery: &Delivery,
        expected: Option<u64>,
    ) -> Result<DeliveryAnswer, RequestFailure> {
        let mut sent = delivery.clone();
        for message in &mut sent.messages {
            let number = self.renamed.get() + 1;
            self.renamed.set(number);
            let unique = format!("{}-{}-{number}", message.external_id, now.as_nanosecond());
            message.external_id = ExternalId::new(unique);
        }
        let mut answer = HonestApp.deliver(instance, now, kind, id, &sent, expected)?;
        for (answer, message) in answer.messages.iter_mut().zip(&delivery.messages) {
            answer.external_id = message.external_id.clone();
        }
        Ok(answer)
    }
}

/// Changes what snapshots show of an incident.
struct ShownOtherwise {
    change: fn(&mut Incident),
}

impl App for ShownOtherwise {
    fn snapshot(
        &self,
        instance: &mut Instance,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        since: Option<Timestamp>,
    ) -> Result<Incident, RequestFailure> {
        let mut incident = HonestApp.snapshot(instance, now, kind, id, since)?;
        (self.change)(&mut incident);
        Ok(incident)
    }

    fn deliver(
        &self,
        instance: &mut Instance,
        now: Timestamp,
        kind: &str,
        id: &IncidentId,
        delivery: &Delivery,
        expected: Option<u64>,
    ) -> Result<DeliveryAnswer, RequestFailure> {
        let mut answer = HonestApp.deliver(instance, now, kind, id, delivery, expected)?;
        (self.change)(&mut answer.snapshot);
        Ok(answer)
    }
}

/// Gives all comments the same time.
fn without_times(incident: &mut Incident) {
    for entry in &mut incident.entries {
        entry.created_on = Timestamp::from_second(BEGINNING).unwrap_or_default();
    }
    incident.entries.sort_by(|left, right| left.sys_id.cmp(&right.sys_id));
}

/// Hides which comments casebridge delivered or may have delivered.
fn without_delivery_table(incident: &mut Incident) {
    for entry in &mut incident.entries {
        entry.ours = false;
        entry.undecided = false;
    }
}

/// Shows one file of each name.
fn one_file_of_each_name(incident: &mut Incident) {
    let mut names = BTreeSet::new();
    incident.attachments.retain(|file| names.insert(file.file_name.clone()));
}

/// Hides which files casebridge attached or may have attached.
fn without_origin_of_files(incident: &mut Incident) {
    for file in &mut incident.attachments {
        file.ours = false;
        file.undecided = false;
    }
}

/// Hides what pauses a link.
fn without_pauses(incident: &mut Incident) {
    incident.summary.group_accounts.clear();
    incident.summary.linked_account_state = AccountState::Active;
}

/// Hides the update counts of comments and ends.
fn without_update_counts(incident: &mut Incident) {
    incident.summary.ended_mod_count = None;
    incident.summary.closed_mod_count = None;
    for entry in &mut incident.entries {
        entry.mod_count = None;
    }
}
