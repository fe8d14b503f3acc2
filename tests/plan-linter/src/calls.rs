//! What holds writes back, which case a call is for, and how a case ends.

use casebridge_core::{
    failure::Refusal,
    identifiers::CaseId,
    link::{
        pause::Pause,
        trouble::{Request, Side},
    },
    servicenow::delivery::NewIncident,
    support::{
        Effect,
        call::{Call, CaseCodes, Content, RefusedCall},
        columns::{CASE_ID, names_unknown_case},
        memory::LinkedCase,
    },
};

use crate::{Check, Linter, place};

pub(crate) fn check(linter: &mut Linter) {
    let plan = linter.plan;
    let pauses = Pause::of(linter.policy, &linter.pass.link).is_some();
    for (index, effect) in plan.effects.iter().enumerate() {
        check_presence(linter, index, effect);
        check_holds(linter, index, effect, pauses);
        check_troubles(linter, index, effect);
        match effect {
            Effect::Call(Call::OpenCase { .. }) => check_opening(linter, index, effect),
            Effect::Call(Call::AddCommunication { .. }) => check_text(linter, index, effect),
            Effect::Call(Call::ResolveCase { .. }) => check_resolution(linter, index, effect),
            Effect::OpenIncident(incident) => check_incident(linter, index, effect, incident),
            Effect::HandOver(_) => check_hand_over(linter, index, effect),
            Effect::Deliver(_) | Effect::OrderFiles(_) | Effect::WriteColumns => {}
        }
        let opens = linter.pass.link.opening.is_some();
        let is_other = !matches!(effect, Effect::OpenIncident(_));
        linter.find_if(opens && is_other, Check::WriteBeforeIncident, || place(index, effect));
    }
}

/// The incident of a case is opened once, in the account of the case, and names the case.
fn check_incident(linter: &mut Linter, index: usize, effect: &Effect, incident: &NewIncident) {
    let here = || place(index, effect);
    let link = &linter.pass.link;
    linter.find_if(link.opening.is_none() || index > 0, Check::SecondIncident, here);
    let own = link.memory.case.as_ref();
    let is_own =
        own.is_some_and(|own| own.account == incident.account && own.case_id.as_str() == incident.columns.own(CASE_ID));
    linter.find_if(!is_own, Check::IncidentOfAnotherCase, here);
    let recorded = link.opening.as_ref().and_then(|opening| opening.describes.as_ref());
    let differs = recorded.is_some_and(|recorded| incident.describes.as_ref() != Some(recorded));
    linter.find_if(differs, Check::OtherTextCovered, here);
}

/// Only the case of a closed incident moves, at the end of a plan, once the texts of both sides are on the other.
fn check_hand_over(linter: &mut Linter, index: usize, effect: &Effect) {
    let here = || place(index, effect);
    let (plan, pass) = (linter.plan, linter.pass);
    let is_closed = pass.incident.as_ref().is_some_and(|incident| incident.summary.state.is_closed());
    linter.find_if(!is_closed || pass.link.memory.case.is_none(), Check::HandOverOfOpenIncident, here);
    let is_unsent = !pass.unsent_entries(false).is_empty() || pass.link.memory.opening_remainder.is_some();
    let delivered: usize = plan.effects[..index].iter().map(messages_in).sum();
    let wanted = pass.unreceived_communications().len() + pass.link.memory.notes.len();
    linter.find_if(is_unsent || delivered < wanted, Check::HandOverBeforeTexts, here);
    let has_call = plan.effects.iter().any(|other| matches!(other, Effect::Call(_)));
    let is_last = plan.effects[index + 1..].iter().all(|other| *other == Effect::WriteColumns);
    linter.find_if(has_call || !is_last, Check::EffectBesideHandOver, here);
}

fn messages_in(effect: &Effect) -> usize {
    if let Effect::Deliver(delivery) = effect { delivery.messages.len() } else { 0 }
}

fn check_presence(linter: &mut Linter, index: usize, effect: &Effect) {
    let pass = linter.pass;
    linter.find_if(pass.incident_gone, Check::WriteToGoneIncident, || place(index, effect));
    linter.find_if(pass.incident_not_served, Check::WriteToUnservedIncident, || place(index, effect));
}

/// Calls and fields wait while a call is in doubt, the link pauses, or a side was not read. Messages and columns do not
/// wait.
fn check_holds(linter: &mut Linter, index: usize, effect: &Effect, pauses: bool) {
    let is_held = match effect {
        Effect::Call(_) | Effect::OpenIncident(_) | Effect::HandOver(_) => true,
        Effect::Deliver(delivery) => !delivery.fields.is_empty(),
        Effect::OrderFiles(_) | Effect::WriteColumns => false,
    };
    if !is_held {
        return;
    }
    let (pass, here) = (linter.pass, || place(index, effect));
    linter.find_if(pass.link.intent.is_some(), Check::WriteWhileInDoubt, here);
    linter.find_if(pauses, Check::WriteWhilePaused, here);
    let sight = &pass.aws;
    let is_case_unseen = pass.link.memory.case.is_some() && (sight.case.is_none() || !sight.shown_all);
    linter.find_if(is_case_unseen, Check::WriteWithUnreadCase, here);
    let may_miss_messages = match effect {
        // If a read showed only a part of very many comments, that part may be sent, also with a new case.
        Effect::Call(Call::OpenCase { .. }) => pass.incident.is_none(),
        Effect::Call(Call::AddCommunication { content: Content::Entry { .. } | Content::OpeningRemainder, .. }) => {
            false
        }
        // An incident that has still to be opened has no comments.
        Effect::OpenIncident(_) => pass.link.opening.is_some() && pass.may_miss_comments(),
        _ => pass.may_miss_comments(),
    };
    linter.find_if(may_miss_messages, Check::WriteWithUnreadIncident, here);
}

fn check_troubles(linter: &mut Linter, index: usize, effect: &Effect) {
    // An order is a row of the ledger and a message: no side refuses it.
    if matches!(effect, Effect::OrderFiles(_)) {
        return;
    }
    let (link, now, is_woken) = (&linter.pass.link, linter.now, linter.pass.woken);
    let side = if matches!(effect, Effect::Call(_)) { Side::Aws } else { Side::ServiceNow };
    let requests = requests(linter, effect);
    for trouble in link.troubles.active(now).filter(|trouble| trouble.side == side) {
        // A link that is woken as the first in line for a quota may try early.
        let is_next = trouble.refusal == Some(Refusal::CaseQuota) && is_woken;
        let is_refused = trouble.refusal.is_some() && requests.contains(&trouble.request) && !is_next;
        linter.find_if(trouble.refusal.is_none(), Check::WriteToRestingSide, || place(index, effect));
        linter.find_if(is_refused, Check::RefusedRequestRepeated, || place(index, effect));
    }
}

/// Returns the requests under which a refusal of this effect is recorded.
fn requests(linter: &Linter, effect: &Effect) -> Vec<Request<RefusedCall>> {
    let call = |refused| vec![Request::Call(refused)];
    match effect {
        Effect::Call(Call::OpenCase { account, request, wanted, .. }) => {
            call(RefusedCall::OpenCase(CaseCodes::of(account, request, wanted)))
        }
        Effect::Call(Call::AddCommunication { case_id, .. }) if is_own(linter, case_id) => {
            call(RefusedCall::AddCommunication)
        }
        Effect::Call(Call::ResolveCase { case_id, .. }) if is_own(linter, case_id) => call(RefusedCall::ResolveCase),
        Effect::Call(_) => call(RefusedCall::Double),
        Effect::OpenIncident(_) => vec![Request::OpenIncident],
        Effect::Deliver(delivery) => {
            let messages = (!delivery.messages.is_empty()).then_some(Request::Messages);
            let fields = (!delivery.fields.is_empty()).then(|| Request::of_fields(&delivery.fields));
            messages.into_iter().chain(fields).chain([Request::of_delivery(delivery)]).collect()
        }
        Effect::HandOver(_) | Effect::OrderFiles(_) => Vec::new(),
        Effect::WriteColumns => vec![Request::Columns],
    }
}

fn own_case<'a>(linter: &Linter<'a>) -> Option<&'a LinkedCase> {
    linter.pass.link.memory.case.as_ref()
}

fn is_own(linter: &Linter, case_id: &CaseId) -> bool {
    own_case(linter).is_some_and(|own| own.case_id == *case_id)
}

fn check_opening(linter: &mut Linter, index: usize, effect: &Effect) {
    let Effect::Call(Call::OpenCase { account, request, .. }) = effect else { return };
    let (pass, here) = (linter.pass, || place(index, effect));
    let is_second =
        linter.plan.effects[..index].iter().any(|earlier| matches!(earlier, Effect::Call(Call::OpenCase { .. })));
    linter.find_if(is_second || own_case(linter).is_some(), Check::SecondCase, here);
    let wait = pass.link.memory.waits_for_quota.as_ref();
    let is_in_line = wait.is_some_and(|wait| wait.is_in_line_of(account, linter.now));
    linter.find_if(is_in_line && pass.aws.first_in_line == Some(false), Check::OpenedOutOfTurn, here);
    let Some(incident) = &pass.incident else { return };
    let is_coded = !request.service_code.is_empty() && !request.category_code.is_empty();
    let in_scope = incident.account.is_some() && is_coded && !incident.summary.state.is_ended();
    linter.find_if(!in_scope, Check::CaseOutOfScope, here);
    let of_another = incident.account.as_ref().is_some_and(|own| own.number != *account);
    linter.find_if(of_another, Check::CallInWrongAccount, here);
    let is_named = names_unknown_case(pass, incident);
    linter.find_if(is_named, Check::CaseNamedByColumns, here);
}

/// Checks which case a call is for: the link's case, or a double of it.
fn check_target(linter: &mut Linter, here: &str, effect: &Effect) {
    let Effect::Call(Call::AddCommunication { account, case_id, .. } | Call::ResolveCase { account, case_id }) = effect
    else {
        return;
    };
    let own = own_case(linter).filter(|own| own.case_id == *case_id).map(|own| &own.account);
    let doubles = &linter.pass.link.memory.doubles;
    let double = doubles.iter().find(|double| double.case_id == *case_id && !double.resolved);
    match own.or(double.map(|double| &double.account)) {
        None => linter.find(Check::CallToUnknownCase, here),
        Some(of_case) => linter.find_if(of_case != account, Check::CallInWrongAccount, || here.to_owned()),
    }
}

fn check_text(linter: &mut Linter, index: usize, effect: &Effect) {
    let Effect::Call(Call::AddCommunication { case_id, content, .. }) = effect else { return };
    let here = place(index, effect);
    check_target(linter, &here, effect);
    let is_for_it = match content {
        Content::DoubleNotice(double) => double == case_id && !is_own(linter, case_id),
        Content::OpeningRemainder
        | Content::Entry { .. }
        | Content::Files(_)
        | Content::FileNotice(_)
        | Content::ReopenNotice => is_own(linter, case_id),
    };
    linter.find_if(!is_for_it, Check::TextForAnotherCase, || here.clone());
    let mut told = linter.pass.link.memory.doubles.iter().filter(|double| double.told);
    let is_told = matches!(content, Content::DoubleNotice(_)) && told.any(|double| double.case_id == *case_id);
    linter.find_if(is_told, Check::DoubleToldAgain, || here.clone());
    let is_behind = is_resolved_before(linter, index, case_id);
    linter.find_if(is_behind, Check::CallAfterResolution, || here.clone());
    if *content == Content::ReopenNotice {
        let is_open = !own_case(linter).is_some_and(LinkedCase::is_resolved);
        let is_needless = is_open || has_text_before(linter, index, case_id) || !linter.is_open_after(index);
        linter.find_if(is_needless, Check::NeedlessReopenNotice, || here);
    }
}

fn check_resolution(linter: &mut Linter, index: usize, effect: &Effect) {
    let Effect::Call(Call::ResolveCase { case_id, .. }) = effect else { return };
    let here = place(index, effect);
    check_target(linter, &here, effect);
    let is_behind = is_resolved_before(linter, index, case_id);
    linter.find_if(is_behind, Check::CallAfterResolution, || here.clone());
    let Some(own) = own_case(linter).filter(|own| own.case_id == *case_id) else { return };
    let needless = own.is_resolved() && !has_text_before(linter, index, case_id);
    linter.find_if(needless, Check::ResolutionOfResolved, || here.clone());
    let is_open = linter.is_open_after(index);
    linter.find_if(is_open, Check::ResolutionOfOpenIncident, || here.clone());
    let reopened = linter.pass.link.base.ended && !own.is_resolved();
    linter.find_if(reopened, Check::ResolutionAgainstReopening, || here);
}

fn is_resolved_before(linter: &Linter, index: usize, case: &CaseId) -> bool {
    let resolves =
        |effect: &Effect| matches!(effect, Effect::Call(Call::ResolveCase { case_id, .. }) if case_id == case);
    linter.plan.effects[..index].iter().any(resolves)
}

fn has_text_before(linter: &Linter, index: usize, case: &CaseId) -> bool {
    let writes =
        |effect: &Effect| matches!(effect, Effect::Call(Call::AddCommunication { case_id, .. }) if case_id == case);
    linter.plan.effects[..index].iter().any(writes)
}
