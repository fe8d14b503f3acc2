//! The bounds of a plan, and the place of the effect that writes the columns alone.

use casebridge_core::{
    link::{
        plan::{EFFECTS_PER_PLAN, Waiting},
        planner::MESSAGES_PER_DELIVERY,
    },
    support::{Effect, call::Call, columns::columns, memory::LinkedCase},
    time::seconds,
};

use crate::{Check, Linter, place};

/// How many writes beyond the loop breaker's bound may report that it has tripped.
pub const COLUMN_WRITES_BEYOND_BOUND: usize = 5;

pub(crate) fn check(linter: &mut Linter) {
    check_bounds(linter);
    check_loop_breaker(linter);
    check_report(linter);
}

fn check_bounds(linter: &mut Linter) {
    let plan = linter.plan;
    let count = plan.effects.len();
    linter.find_if(count > EFFECTS_PER_PLAN, Check::TooManyEffects, || format!("{count} effects"));
    for (index, effect) in plan.effects.iter().enumerate() {
        let Effect::Deliver(delivery) = effect else { continue };
        let messages = delivery.messages.len();
        linter.find_if(messages > MESSAGES_PER_DELIVERY, Check::TooManyMessages, || {
            format!("{}: {messages} messages", place(index, effect))
        });
    }
}

fn check_loop_breaker(linter: &mut Linter) {
    let (plan, recent) = (linter.plan, &linter.pass.link.recent_writes);
    let bound = usize::try_from(linter.policy.writes_per_window).unwrap_or(usize::MAX);
    let window = seconds(linter.policy.write_window_seconds);
    let within = recent.iter().filter(|write| linter.now.duration_since(**write) < window).count();
    let left = bound.saturating_sub(within);
    let says_so =
        plan.effects == [Effect::WriteColumns] && recent.len() < bound.saturating_add(COLUMN_WRITES_BEYOND_BOUND);
    let (count, waits) = (plan.effects.len(), &plan.waits);
    linter.find_if(count > left && !says_so, Check::BeyondLoopBreaker, || format!("{count} effects, {left} left"));
    let is_told = waits.iter().any(|wait| matches!(wait, Waiting::LoopBreaker { .. }));
    let is_gone = linter.pass.incident_gone;
    linter.find_if(left == 0 && !is_told && !is_gone, Check::SilentLoopBreaker, || format!("{within} writes"));
}

fn check_report(linter: &mut Linter) {
    let effects = &linter.plan.effects;
    let Some(first) = effects.iter().position(|effect| *effect == Effect::WriteColumns) else { return };
    linter.find_if(first + 1 < effects.len(), Check::EffectAfterColumns, || place(first, &Effect::WriteColumns));
    let own = linter.pass.link.memory.case.as_ref();
    let changes = |effect: &Effect| match effect {
        Effect::Call(Call::OpenCase { .. }) | Effect::HandOver(_) => true,
        Effect::Call(Call::ResolveCase { case_id, .. }) => own.is_some_and(|own| own.case_id == *case_id),
        Effect::Call(Call::AddCommunication { .. }) => own.is_some_and(LinkedCase::is_resolved),
        Effect::OpenIncident(_) | Effect::Deliver(_) | Effect::OrderFiles(_) | Effect::WriteColumns => false,
    };
    if effects[..first].iter().any(changes) {
        return;
    }
    let delivers = effects.iter().any(|effect| matches!(effect, Effect::Deliver(_)));
    linter.find_if(delivers, Check::ColumnsBesideDelivery, || place(first, &Effect::WriteColumns));
    let told = columns(linter.policy, linter.pass, linter.now);
    let is_shown = linter.pass.summary().is_some_and(|incident| incident.columns.show(&told));
    linter.find_if(is_shown, Check::NeedlessColumns, || place(first, &Effect::WriteColumns));
}
