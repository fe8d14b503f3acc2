//! The port of ServiceNow: the app on the instance, behind calls that may fail.

use std::rc::Rc;

use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::{FileId, IncidentId, LinkKey},
    servicenow::{
        delivery::{Delivery, DeliveryAnswer, FileAnswer, NewFile, NewIncident},
        incident::Incident,
    },
};
use casebridge_ports::{Content, IncidentFiles, ServiceNow};
use jiff::{SignedDuration, Timestamp};

use super::model::{App, CASE_STATUS, RequestFailure};
use crate::{
    calls::{Fate, RemoteCall, unavailable},
    contents::{FileBytes, WorldContent, whole},
    desk::Desk,
    timeline::{Place, shorten},
    world::World,
};

/// The most by which a node of ServiceNow lags.
const MAXIMUM_NODE_LAG: SignedDuration = SignedDuration::from_secs(60);
/// The client's message for a delivery that a firewall before the instance refused.
const TURNED_AWAY: &str = "The request did not get through to ServiceNow (403)";
/// What a rule of the customer puts into the column *last error*.
const WORDS_OF_RULE: &str = "Synchronised with AWS.";

/// The app on the ServiceNow instance.
pub struct ServiceNowPort {
    /// The world.
    pub desk: Rc<Desk>,
    /// The app that the calls reach.
    pub app: Box<dyn App>,
}

impl ServiceNow for ServiceNowPort {
    async fn snapshot(&self, key: &LinkKey, entries_since: Option<Timestamp>) -> Result<Option<Incident>, Failure> {
        let incident = &key.incident;
        let number = self.desk.world.borrow().number_of(incident);
        let fate = self.desk.arrive(RemoteCall::Snapshot, || number).await;
        if fate == Fate::Refused {
            return Err(unavailable("ServiceNow throttles"));
        }
        let (snapshot, read_at, hides_pause) = {
            let world = &mut *self.desk.world.borrow_mut();
            let now = world.servicenow_now();
            let (mut read_at, mut hides_pause) = (world.now, false);
            if let Some((record, until)) = world.servicenow.lagging(incident).cloned() {
                let lag = now.duration_since(until);
                if lag > MAXIMUM_NODE_LAG {
                    world.servicenow.take_lag();
                } else {
                    world.note_shown(&record);
                    read_at -= lag;
                    hides_pause = world.pause_shown_by(&record).is_none();
                }
            }
            let snapshot = self.app.snapshot(&mut world.servicenow, now, key.kind.as_str(), incident, entries_since);
            (snapshot, read_at, hides_pause)
        };
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost {
            return Err(unavailable("ServiceNow did not answer"));
        }
        let reader = self.desk.current.borrow().clone();
        self.desk.world.borrow_mut().note_read(&reader, incident, read_at, hides_pause);
        match snapshot {
            Ok(incident) => {
                self.desk.world.borrow_mut().note_answer(&incident.summary);
                Ok(Some(incident))
            }
            Err(RequestFailure::NotFound) => Ok(None),
            Err(refusal) => Err(failure(refusal)),
        }
    }

    async fn open(&self, key: &LinkKey, incident: &NewIncident) -> Result<Incident, Failure> {
        let id = &key.incident;
        let fate = self.desk.arrive(RemoteCall::Open, || shorten(&incident.description)).await;
        if fate == Fate::Refused {
            return Err(unavailable("ServiceNow throttles"));
        }
        if self.desk.world.borrow().turns_deliveries_away() {
            self.desk.leave(fate).await;
            return Err(failure(RequestFailure::Refused(TURNED_AWAY.to_owned())));
        }
        let (opened, read_at) = {
            let world = &mut *self.desk.world.borrow_mut();
            stop_between_commits(world, fate);
            let now = world.servicenow_now();
            let was_there = world.servicenow.incidents.contains_key(id);
            let opened = self.app.open(&mut world.servicenow, now, key.kind.as_str(), id, incident);
            world.judge_opening(id, incident, was_there);
            if let Err(refusal) = &opened {
                world.note(Place::ServiceNow, || format!("answers {refusal:?}"));
            }
            (opened, world.now)
        };
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost {
            return Err(unavailable("ServiceNow did not answer"));
        }
        let opened = opened.map_err(failure)?;
        let reader = self.desk.current.borrow().clone();
        self.desk.world.borrow_mut().note_read(&reader, id, read_at, false);
        Ok(opened)
    }

    async fn deliver(&self, key: &LinkKey, delivery: &Delivery) -> Result<DeliveryAnswer, Failure> {
        let result = self.send(key, delivery).await;
        self.desk.world.borrow_mut().note_delivery(&key.incident, delivery, &result);
        result
    }
}

impl ServiceNowPort {
    /// Sends a delivery and returns its answer.
    async fn send(&self, key: &LinkKey, delivery: &Delivery) -> Result<DeliveryAnswer, Failure> {
        let incident = &key.incident;
        let what = told(&self.desk.world.borrow(), incident, delivery);
        let fate = self.desk.arrive(RemoteCall::Deliver, || what).await;
        if fate == Fate::Refused {
            return Err(unavailable("ServiceNow throttles"));
        }
        if self.desk.world.borrow().turns_deliveries_away() {
            self.desk.leave(fate).await;
            return Err(failure(RequestFailure::Refused(TURNED_AWAY.to_owned())));
        }
        let (result, read_at) = {
            let world = &mut *self.desk.world.borrow_mut();
            (self.write(world, fate, key, delivery), world.now)
        };
        self.desk.leave(fate).await;
        match (fate, result) {
            (Fate::AnswerLost, _) => Err(unavailable("ServiceNow did not answer")),
            (_, Err(refusal)) => Err(failure(refusal)),
            (_, Ok(answer)) => {
                let reader = self.desk.current.borrow().clone();
                let world = &mut *self.desk.world.borrow_mut();
                world.note_read(&reader, incident, read_at, false);
                world.note_answer(&answer.snapshot.summary);
                Ok(answer)
            }
        }
    }

    /// Lets the instance write a delivery, and judges it at once.
    fn write(
        &self,
        world: &mut World,
        fate: Fate,
        key: &LinkKey,
        delivery: &Delivery,
    ) -> Result<DeliveryAnswer, RequestFailure> {
        let incident = &key.incident;
        stop_between_commits(world, fate);
        let now = world.servicenow_now();
        let record_before = world.servicenow.incidents.get(incident).cloned();
        let lagging = world.servicenow.take_lag();
        world.servicenow.words_of_rule = world.rewrites_columns().then_some(WORDS_OF_RULE);
        let (kind, expected) = (key.kind.as_str(), Some(delivery.expected_mod_count));
        let result = self.app.deliver(&mut world.servicenow, now, kind, incident, delivery, expected);
        if let Some((record, until)) = lagging {
            world.servicenow.lag_once(record, until);
        }
        world.judge_delivery(incident, delivery, record_before.as_ref(), result.as_ref().ok());
        if let Err(refusal) = &result {
            world.note(Place::ServiceNow, || format!("answers {refusal:?}"));
        }
        world.note_pauses();
        result
    }
}

impl IncidentFiles for ServiceNowPort {
    type Content = WorldContent;

    async fn read_file(&self, key: &LinkKey, file: &FileId) -> Result<WorldContent, Failure> {
        let incident = &key.incident;
        let number = self.desk.world.borrow().number_of(incident);
        let fate = self.desk.arrive(RemoteCall::OpenIncidentFile, || number).await;
        if fate == Fate::Refused {
            return Err(unavailable("ServiceNow throttles"));
        }
        let content = self.desk.world.borrow_mut().servicenow.read_file(incident, file);
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost {
            return Err(unavailable("ServiceNow did not answer"));
        }
        content.map(WorldContent::new).map_err(failure_of_file)
    }

    async fn write_file(
        &self,
        key: &LinkKey,
        file: &NewFile,
        content: &mut impl Content,
    ) -> Result<FileAnswer, Failure> {
        let incident = &key.incident;
        let bytes = whole(content).await?;
        let what = format!("{} {}", self.desk.world.borrow().number_of(incident), file.name);
        let fate = self.desk.arrive(RemoteCall::AttachFile, || what).await;
        if fate == Fate::Refused {
            return Err(unavailable("ServiceNow throttles"));
        }
        if self.desk.world.borrow().turns_deliveries_away() {
            self.desk.leave(fate).await;
            return Err(unavailable(TURNED_AWAY));
        }
        let result = {
            let world = &mut *self.desk.world.borrow_mut();
            stop_between_commits(world, fate);
            let now = world.servicenow_now();
            let result = world.servicenow.write_file(now, incident, file, FileBytes::bytes(bytes));
            if let Err(refusal) = &result {
                world.note(Place::ServiceNow, || format!("answers {refusal:?}"));
            }
            result
        };
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost {
            return Err(unavailable("ServiceNow did not answer"));
        }
        result.map_err(failure_of_file)
    }
}

/// Returns the failure of a request for a file. An incident that is hidden for a while says nothing about its files.
fn failure_of_file(refusal: RequestFailure) -> Failure {
    match refusal {
        RequestFailure::NotFound => unavailable("ServiceNow answered 404 (No such incident)"),
        other => failure(other),
    }
}

/// Lets the instance die within the next request, if that is its fate.
fn stop_between_commits(world: &mut World, fate: Fate) {
    if fate == Fate::Stopped {
        let commits = 1 + world.random.below(5);
        world.servicenow.stop_after_commits(commits);
    }
}

/// Returns a delivery as a line of the story.
fn told(world: &World, incident: &IncidentId, delivery: &Delivery) -> String {
    let texts: Vec<String> = delivery.messages.iter().map(|message| shorten(&message.text)).collect();
    let (number, columns) = (world.number_of(incident), &delivery.columns);
    let (sync_status, case_status) = (&columns.sync_status, columns.own(CASE_STATUS));
    format!("{number} messages {texts:?} state {:?} {sync_status} {case_status}", delivery.fields.state)
}

impl World {
    /// Whether every delivery is refused now before it reaches ServiceNow.
    fn turns_deliveries_away(&self) -> bool {
        self.settings.turns_deliveries_away && !self.faults.are_over()
    }

    /// Whether a rule of the instance puts its own words into a column now.
    fn rewrites_columns(&self) -> bool {
        self.settings.rewrites_columns && !self.faults.are_over()
    }
}

fn failure(refusal: RequestFailure) -> Failure {
    match refusal {
        RequestFailure::Refused(message) => Failure::Refused { refusal: Refusal::InvalidRequest, message },
        RequestFailure::NotFound => {
            Failure::Refused { refusal: Refusal::NotFound, message: "No such incident".to_owned() }
        }
        RequestFailure::NotServed => {
            Failure::Refused { refusal: Refusal::NotServed, message: "Incident not served".to_owned() }
        }
        RequestFailure::AccountNotInUse => Failure::Refused {
            refusal: Refusal::AccountNotInUse,
            message: "ServiceNow has no active AWS account".to_owned(),
        },
        RequestFailure::NoSuchFile => {
            Failure::Refused { refusal: Refusal::NotFound, message: "No such file".to_owned() }
        }
        RequestFailure::Conflict => unavailable("ServiceNow is still working on an earlier attempt"),
        RequestFailure::Stopped => unavailable("ServiceNow answered 503"),
    }
}
