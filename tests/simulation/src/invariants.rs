//! The invariants, which must hold in every world, and the list of their judges.

use casebridge_core::{
    identifiers::IncidentId,
    servicenow::delivery::{Delivery, DeliveryAnswer},
};
use casebridge_plan_linter::COLUMN_WRITES_BEYOND_BOUND;
use jiff::SignedDuration;

pub use crate::support::judge::excuses::refused_parts;
use crate::{
    schedule::Life,
    servicenow::model::Record,
    support::judge::{self, pauses},
    timeline::Place,
    world::World,
};

/// The reasons for which a link may pause.
pub const PAUSES: [&str; 3] = pauses::REASONS;

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant.
    pub invariant: Invariant,
    /// How it was broken.
    pub what: String,
}

/// What must hold in every world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// 1: every comment and communication is on the other side exactly once, in order.
    ExactlyOnce,
    /// 2: at most one open case per incident and account, and no case for an incident that was never in scope.
    OneCase,
    /// 3: no private text and no other account's text reaches an account.
    Confidential,
    /// 4: no field of an agent is overwritten against policy, and a case is opened with what its incident says.
    Fields,
    /// 5: both sides agree in the end and nothing is left to do.
    Convergence,
    /// 6: writes per link stay under the loop breaker's bound.
    Bounds,
    /// 7: nothing that was accepted disappears.
    NothingLost,
    /// 8: a person's text with our mark in it is a person's text.
    Marks,
    /// 9: work that has ended goes on only for a reason, and for every question.
    Reopening,
    /// 10: a refused request is not made again too early.
    HeldBack,
    /// 11: nothing is sent to AWS while a link pauses, and the incident says that it does.
    Paused,
    /// 12: no plan has a finding of the plan linter.
    Plans,
}

impl Invariant {
    /// Returns its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "1 exactly once, in order",
            Self::OneCase => "2 one case",
            Self::Confidential => "3 confidential",
            Self::Fields => "4 agents' fields",
            Self::Convergence => "5 convergence",
            Self::Bounds => "6 bounded writes",
            Self::NothingLost => "7 nothing lost",
            Self::Marks => "8 people's marks",
            Self::Reopening => "9 reopened for a reason",
            Self::HeldBack => "10 refusals held back",
            Self::Paused => "11 silent while paused",
            Self::Plans => "12 plans without fault",
        }
    }
}

/// Judges a world that has come to rest.
pub fn judge(life: &mut Life) {
    judge::judge(life);
    life.judge_catalogue();
    count_doubts(life);
}

fn count_doubts(life: &Life) {
    let world = &mut *life.desk.world.borrow_mut();
    for key in life.desk.ledger.link_keys() {
        for (_, end) in life.desk.ledger.intent_ends(&key) {
            *world.tally.doubts.entry(end.unwrap_or("open")).or_default() += 1;
        }
    }
}

impl World {
    /// Records a broken invariant.
    pub fn violate(&mut self, invariant: Invariant, what: String) {
        self.note(Place::Bridge, || format!("VIOLATION of {}: {what}", invariant.name()));
        self.violations.push(Violation { invariant, what });
    }

    /// Counts a write to a link for the loop breaker's bound.
    pub fn count_write(&mut self, incident: IncidentId) {
        let now = self.now;
        let window = SignedDuration::from_secs(i64::from(self.settings.policy.write_window_seconds));
        let bound = self.settings.policy.writes_per_window as usize + COLUMN_WRITES_BEYOND_BOUND;
        let writes = self.memory.writes.entry(incident).or_default();
        writes.push(now);
        // A call arrives a little later than the worker counted it.
        let slack = SignedDuration::from_secs(30);
        let recent = writes.iter().filter(|at| now.duration_since(**at) < window - slack).count();
        if recent > bound {
            self.violate(Invariant::Bounds, format!("{recent} writes in the window, {bound} are allowed"));
        }
    }

    /// Judges a delivery as soon as the instance has written it. `before` is the incident as it was before the
    /// delivery.
    pub fn judge_delivery(
        &mut self,
        incident: &IncidentId,
        delivery: &Delivery,
        before: Option<&Record>,
        answer: Option<&DeliveryAnswer>,
    ) {
        self.check_delivery(incident, delivery, before, answer);
        self.check_reopening(incident, before);
        self.check_end(incident, before);
    }
}
