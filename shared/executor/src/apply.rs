//! Applies effects, one after the other: the intent, the call, the outcome.

use casebridge_core::{
    failure::Failure,
    file::{
        order::{Order, TransferMessage},
        transfer::Transfer,
    },
    identifiers::LinkKey,
    link::{
        kind::{HandedOver, Kind},
        plan::{DELIVER, Effect, HAND_OVER, Named as _, OPEN_INCIDENT, ORDER_FILES, Plan},
        planner::plan,
        trouble::Side,
        wake,
    },
    servicenow::delivery::{Delivery, NewIncident},
};
use casebridge_ledger::HandOver;
use casebridge_ports::{FileQueue, Randomness, ServiceNow};
use jiff::SignedDuration;

use crate::{carrier::Carrier, error::ReconcileError, ports::Ports, work::Work};

/// How many plans a pass makes at most: each but the last did something or met a change. Most passes make two or
/// three. The bound ends a pass in which the two sides never come to agree, before the reconciler's minute does.
const PLANS_PER_PASS: usize = 40;

/// What follows an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The effect was done, and the plan goes on.
    Done,
    /// The effect was not done, or something had changed: a new plan is made.
    Replan,
    /// A call ended in doubt: nothing follows before the next look.
    Doubt,
}

/// What applying the plans of a pass came to.
pub(crate) struct Applied<C> {
    /// The last plan: it has no effects left, unless the pass ran out of plans or time.
    pub(crate) plan: Plan<C>,
    /// Whether a call of this pass ended in doubt.
    pub(crate) doubt: bool,
}

impl<P: Ports, K: Kind, C: Carrier<K>> Work<'_, P, K, C> {
    /// Plans and applies until nothing is left to do.
    pub(crate) async fn apply(&mut self) -> Result<Applied<K::Call>, ReconcileError> {
        let mut last = Plan::default();
        for _ in 0..PLANS_PER_PASS {
            last = self.plan();
            if last.effects.is_empty() || self.is_out_of_time() {
                break;
            }
            for effect in &last.effects {
                match self.apply_effect(effect).await? {
                    Progress::Done => {}
                    Progress::Replan => break,
                    Progress::Doubt => return Ok(Applied { plan: self.plan(), doubt: true }),
                }
                if self.is_out_of_time() {
                    break;
                }
            }
        }
        Ok(Applied { plan: last, doubt: false })
    }

    fn plan(&self) -> Plan<K::Call> {
        let now = self.now();
        let plan = plan(self.policy, &self.pass, self.ports.randomness.entropy(), now);
        self.carrier.planned(self.policy, &self.pass, &plan, now);
        plan
    }

    async fn apply_effect(&mut self, effect: &Effect<K::Call>) -> Result<Progress, ReconcileError> {
        let now = self.now();
        if self.pass.begin(effect, now) {
            self.record().await?;
        }
        match effect {
            Effect::Call(call) => self.call(call).await,
            Effect::OpenIncident(incident) => Ok(self.open_incident(incident).await),
            Effect::HandOver(to) => self.hand_over(to).await,
            Effect::Deliver(delivery) => Ok(self.deliver(delivery).await),
            Effect::OrderFiles(order) => self.order_files(order).await,
            Effect::WriteColumns => Ok(match self.pass.columns_delivery(self.policy, self.now()) {
                Some(delivery) => self.deliver(&delivery).await,
                None => Progress::Done,
            }),
        }
    }

    /// Makes the call of an intent, once, and takes in its outcome.
    async fn call(&mut self, call: &K::Call) -> Result<Progress, ReconcileError> {
        self.pass.count_write(self.policy, self.now());
        let outcome = self.carrier.call(call).await;
        self.report.effect(call.name(), outcome.as_ref().err());
        let now = self.now();
        match outcome {
            Ok(done) => {
                let certain = self.pass.done(self.policy, done, now)?;
                Ok(if certain { Progress::Done } else { Progress::Doubt })
            }
            Err(failure @ Failure::InDoubt { .. }) => {
                let is_looked_for =
                    self.pass.not_answered(self.policy, &failure, now, self.ports.randomness.spread())?;
                Ok(if is_looked_for { Progress::Doubt } else { Progress::Replan })
            }
            Err(failure) => {
                self.report.failed(Side::Aws, &failure);
                self.pass.refused(self.policy, call, &failure, now, self.ports.randomness.spread())?;
                Ok(Progress::Replan)
            }
        }
    }

    /// Moves the record to another link, which opens its incident next.
    async fn hand_over(&mut self, to: &LinkKey) -> Result<Progress, ReconcileError> {
        let Some(HandedOver { own, successor }) = K::hand_over(&self.pass, to) else { return Ok(Progress::Replan) };
        let (lease, before, now) = (&self.lease, &self.recorded, self.now());
        match self.ports.ledger.hand_over(lease, before, &own, to, &successor, now).await? {
            HandOver::Done { lease } => {
                self.lease = lease;
                self.recorded = own.clone();
                self.pass.link = own;
                self.pass.aws = K::Sight::default();
                self.report.effect(HAND_OVER, None);
                self.wake_at(to.clone(), now, wake::MINIMUM_DELAY).await;
                Ok(Progress::Done)
            }
            HandOver::Occupied => {
                K::successor_is_taken(&mut self.pass.link.memory);
                Ok(Progress::Replan)
            }
        }
    }

    /// Orders a transfer of files. A repeat orders no second one, so no intent is needed. If the queue does not take the
    /// message, the order is given again later.
    async fn order_files(&mut self, order: &Order) -> Result<Progress, ReconcileError> {
        self.pass.count_write(self.policy, self.now());
        let link = self.pass.key.clone();
        self.ports.ledger.order_transfer(&link, &Transfer::new(order.clone())).await?;
        let message = TransferMessage { link, transfer: order.transfer.clone() };
        let sent = self.ports.files.send(&message, SignedDuration::ZERO).await;
        if let Err(error) = &sent {
            tracing::warn!(link = %message.link, error = error as &dyn std::error::Error, "a file waits for its next order");
        }
        self.report.effect(ORDER_FILES, None);
        let now = self.now();
        self.pass.ordered(order, sent.is_ok(), now);
        Ok(Progress::Done)
    }

    /// Opens the incident. A repeat opens no second one, so no intent is needed. A new plan follows: messages and fields
    /// need the incident.
    async fn open_incident(&mut self, incident: &NewIncident) -> Progress {
        self.pass.count_write(self.policy, self.now());
        let answer = self.ports.servicenow.open(&self.pass.key, incident).await;
        self.report.effect(OPEN_INCIDENT, answer.as_ref().err());
        let (now, spread) = (self.now(), self.ports.randomness.spread());
        match answer {
            Ok(incident) => self.pass.incident_opened(self.policy, incident, now),
            Err(failure) => {
                self.report.failed(Side::ServiceNow, &failure);
                self.pass.incident_not_opened(self.policy, &failure, now, spread);
            }
        }
        Progress::Replan
    }

    /// Writes to the incident. A repeat has no effect there, so no intent is needed.
    async fn deliver(&mut self, delivery: &Delivery) -> Progress {
        self.pass.count_write(self.policy, self.now());
        let answer = self.ports.servicenow.deliver(&self.pass.key, delivery).await;
        self.report.effect(DELIVER, answer.as_ref().err());
        let (now, spread) = (self.now(), self.ports.randomness.spread());
        match answer {
            Ok(answer) => {
                let goes_on = self.pass.delivered(self.policy, delivery, answer, now, spread);
                if goes_on { Progress::Done } else { Progress::Replan }
            }
            Err(failure) => {
                self.report.failed(Side::ServiceNow, &failure);
                self.pass.not_delivered(self.policy, delivery, &failure, now, spread);
                Progress::Replan
            }
        }
    }
}
