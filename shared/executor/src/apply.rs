//! Effects, one after the other: the intent, the call, the outcome.

use casebridge_core::{
    failure::Failure,
    link::{
        plan::{Call as _, DELIVER, REPORT},
        planner::plan,
        trouble::Side,
    },
    servicenow::delivery::Delivery,
    support::{
        Effect, Link, Pass, Plan,
        call::{Call, Outcome},
        columns::{columns, full_columns},
    },
};
use casebridge_ledger::{Lease, Ledger, LedgerError};
use casebridge_ports::{Randomness, ServiceNow, Support, Timer, WakeQueue};
use jiff::{SignedDuration, Timestamp};

use crate::reconcile::{Executor, Report};

/// How many plans a pass makes at most: each but the last did something or met a change.
const PLANS_PER_PASS: usize = 40;

/// How far the applying of a plan came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The effect was done.
    Done,
    /// It was not, or something had changed: plan anew.
    Replan,
    /// A call ended in doubt: nothing follows it before both sides were looked at.
    Doubt,
}

/// How a pass ended.
pub(crate) struct Applied {
    /// The last plan: it has no effects left, unless the pass ran out of plans or time.
    pub(crate) plan: Plan,
    /// Whether a call of this pass ended in doubt.
    pub(crate) doubt: bool,
}

/// What is under way: the lease, what was last recorded under it, and when the link was due before.
pub(crate) struct Tenure {
    pub(crate) lease: Lease,
    pub(crate) recorded: Link,
    pub(crate) due: Option<Timestamp>,
}

impl<L: Ledger, W: WakeQueue, S: ServiceNow, A: Support, C: Timer, R: Randomness> Executor<L, W, S, A, C, R> {
    /// Plans and applies until nothing is left to do.
    pub(crate) async fn apply(
        &self,
        observation: &mut Pass,
        tenure: &mut Tenure,
        report: &mut Report,
    ) -> Result<Applied, LedgerError> {
        let mut last = Plan::default();
        for _ in 0..PLANS_PER_PASS {
            last = plan(&self.policy, observation, self.randomness.entropy(), self.clock.now());
            if last.effects.is_empty() || self.is_out_of_time(tenure) {
                return Ok(Applied { plan: last, doubt: false });
            }
            for effect in &last.effects {
                match self.apply_effect(effect, observation, tenure, report).await? {
                    Progress::Done => {}
                    Progress::Replan => break,
                    Progress::Doubt => {
                        let plan = plan(&self.policy, observation, self.randomness.entropy(), self.clock.now());
                        return Ok(Applied { plan, doubt: true });
                    }
                }
                if self.is_out_of_time(tenure) {
                    break;
                }
            }
        }
        Ok(Applied { plan: last, doubt: false })
    }

    /// Whether too little of the lease is left to begin another call.
    fn is_out_of_time(&self, tenure: &Tenure) -> bool {
        self.time_left(tenure).is_negative()
    }

    /// What is left until too little of the lease is left to begin another call.
    pub(crate) fn time_left(&self, tenure: &Tenure) -> SignedDuration {
        tenure.lease.until.duration_since(self.clock.now()).saturating_sub(self.limits.least_time_left)
    }

    async fn apply_effect(
        &self,
        effect: &Effect,
        observation: &mut Pass,
        tenure: &mut Tenure,
        report: &mut Report,
    ) -> Result<Progress, LedgerError> {
        if observation.begin(effect, self.clock.now()) {
            self.record(observation, tenure, report).await?;
        }
        Ok(match effect {
            Effect::Deliver(delivery) => self.deliver(delivery, observation, report).await,
            Effect::Report => self.report_columns(observation, report).await,
            Effect::Call(call) => self.call_support(call, observation, report).await,
        })
    }

    /// Writes down what is known by now, under the lease.
    pub(crate) async fn record(
        &self,
        observation: &Pass,
        tenure: &mut Tenure,
        report: &mut Report,
    ) -> Result<(), LedgerError> {
        report.calls += 1;
        tenure.lease = self.ledger.record(&tenure.lease, &tenure.recorded, &observation.link, self.clock.now()).await?;
        tenure.recorded = observation.link.clone();
        Ok(())
    }

    /// Makes the call of an intent, once, and takes in its outcome.
    async fn call_support(&self, call: &Call, observation: &mut Pass, report: &mut Report) -> Progress {
        observation.count_write(&self.policy, self.clock.now());
        report.calls += 1;
        let outcome = match call {
            Call::OpenCase { account, request, .. } => {
                self.support.create_case(account, request).await.map(|case_id| Outcome::CaseOpened { case_id })
            }
            Call::AddCommunication { account, case_id, body, .. } => {
                let added = self.support.add_communication(account, case_id, body).await;
                added.map(|()| Outcome::CommunicationAdded)
            }
            Call::ResolveCase { account, case_id } => {
                let resolved = self.support.resolve_case(account, case_id).await;
                resolved.map(|status| Outcome::CaseResolved { status })
            }
        };
        report.effect(call.name(), outcome.as_ref().err());
        let now = self.clock.now();
        match outcome {
            Ok(outcome) => {
                let (case_id, status) = match &outcome {
                    Outcome::CaseOpened { case_id } => (Some(case_id), None),
                    Outcome::CaseResolved { status } => (None, Some(status)),
                    Outcome::CommunicationAdded => (None, None),
                };
                let certain = observation.done(&self.policy, case_id, status, now);
                if certain { Progress::Done } else { Progress::Doubt }
            }
            Err(Failure::InDoubt { message }) => {
                observation.doubt(&message);
                Progress::Doubt
            }
            Err(failure) => {
                report.failed(Side::Aws, &failure);
                observation.refused(&self.policy, call, &failure, now, self.randomness.spread());
                Progress::Replan
            }
        }
    }

    /// Writes to the incident. A repeat has no effect there, so no intent is needed.
    async fn deliver(&self, delivery: &Delivery, observation: &mut Pass, report: &mut Report) -> Progress {
        observation.count_write(&self.policy, self.clock.now());
        report.calls += 1;
        let answer = self.servicenow.deliver(&observation.key, delivery).await;
        report.effect(DELIVER, answer.as_ref().err());
        match answer {
            Ok(answer) => {
                let (now, spread) = (self.clock.now(), self.randomness.spread());
                let whole = observation.delivered(&self.policy, delivery, answer, now, spread);
                if whole { Progress::Done } else { Progress::Replan }
            }
            Err(failure) => {
                report.failed(Side::ServiceNow, &failure);
                let (now, spread) = (self.clock.now(), self.randomness.spread());
                observation.not_delivered(&self.policy, delivery, &failure, now, spread);
                Progress::Replan
            }
        }
    }

    /// Tells on the incident that the link can't be recorded any more.
    pub(crate) async fn report_full(&self, observation: &Pass, report: &mut Report) {
        let Some(incident) = observation.summary() else { return };
        let Some(delivery) = observation.columns_delivery(full_columns(incident)) else { return };
        if delivery.columns != incident.columns {
            report.calls += 1;
            let told = self.servicenow.deliver(&observation.key, &delivery).await;
            report.effect(REPORT, told.as_ref().err());
        }
    }

    /// Writes the columns as the link says now, unless the incident shows them already.
    async fn report_columns(&self, observation: &mut Pass, report: &mut Report) -> Progress {
        let columns = columns(&self.policy, observation, self.clock.now());
        let is_shown = observation.summary().is_some_and(|incident| incident.columns == columns);
        match observation.columns_delivery(columns).filter(|_| !is_shown) {
            Some(delivery) => self.deliver(&delivery, observation, report).await,
            None => Progress::Done,
        }
    }
}
