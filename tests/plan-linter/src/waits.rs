//! What a plan waits for, and which comments and communications it must not forget.

use casebridge_core::{
    link::plan::Waiting,
    servicenow::journal::{Meaning, unsettled},
    support::conversation::Fate,
};

use crate::{Check, Linter};

pub(crate) fn check(linter: &mut Linter) {
    check_times(linter);
    check_open_ends(linter);
    check_forgotten(linter);
}

fn check_times(linter: &mut Linter) {
    let (waits, now) = (&linter.plan.waits, linter.now);
    for (index, wait) in waits.iter().enumerate() {
        // L and the time of a full read may pass between the read of the case and the plan. The next look acts on them.
        let comes_in_a_pass = matches!(wait, Waiting::UnknownOutcome { .. } | Waiting::FullRead { .. });
        let is_over = !comes_in_a_pass && wait.until().is_some_and(|until| until <= now);
        linter.find_if(is_over, Check::WaitIsOver, || wait.name().to_owned());
        linter.find_if(waits[..index].contains(wait), Check::WaitTwice, || wait.name().to_owned());
    }
}

fn check_open_ends(linter: &mut Linter) {
    let (plan, pass) = (linter.plan, linter.pass);
    if pass.incident_gone {
        return;
    }
    let link = &pass.link;
    let waits_for_doubt = plan.waits.iter().any(|wait| matches!(wait, Waiting::UnknownOutcome { .. }));
    linter.find_if(link.intent.is_some() && !waits_for_doubt, Check::DoubtNotWaitedFor, String::new);
    let open_ends = [
        (link.intent.is_some(), "an intent"),
        (link.state_intent.is_some(), "a state intent"),
        (link.lower_count.is_some(), "a lower update count"),
        (link.memory.opening_remainder.is_some(), "the rest of the description"),
        (link.memory.partly_sent.is_some(), "the rest of a text"),
        (link.memory.full_read_at.is_some(), "a full read"),
        (link.memory.doubles.iter().any(|double| !double.resolved), "a double"),
        (link.troubles.active(linter.now).next().is_some(), "a trouble"),
        (pass.may_miss_communications(), "an unread case"),
        (pass.needs_incident(), "an unread incident"),
    ];
    if plan.effects.is_empty() && plan.due().is_none() {
        for (_, what) in open_ends.into_iter().filter(|(is_open, _)| *is_open) {
            linter.find(Check::OpenWorkWithoutDueTime, what);
        }
    }
}

/// Checks that a link with a case forgets no comment and no communication: it sends or delivers them, or waits.
fn check_forgotten(linter: &mut Linter) {
    let (plan, pass) = (linter.plan, linter.pass);
    let is_idle = plan.effects.is_empty() && plan.waits.is_empty();
    let Some(summary) = pass.summary().filter(|_| is_idle && pass.link.memory.case.is_some()) else { return };
    for entry in unsettled(&pass.link.journal, pass.incident.as_ref()) {
        let goes_out = matches!(pass.link.journal.meaning(entry, summary), Meaning::Message | Meaning::Reaction);
        linter.find_if(goes_out, Check::ForgottenComment, || entry.sys_id.to_string());
    }
    for communication in &pass.aws.shown {
        let is_pending = pass.link.memory.conversation.fate(&communication.id) == Some(Fate::Pending);
        linter.find_if(is_pending, Check::ForgottenReply, || communication.id.to_string());
    }
}
