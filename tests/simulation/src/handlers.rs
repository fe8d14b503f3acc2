//! The handlers as they are in the functions: parse a trigger, find its link by key, enqueue. No decision.

use std::rc::Rc;

use casebridge_core::{
    effect::{Failure, Refusal},
    hint::{Cause, Hint, Subject},
    identifiers::{AccountId, CaseId, CaseKey, DisplayId, IncidentId, LinkKey},
    incident::Incident,
    time::{format_servicenow, parse_servicenow},
};
use casebridge_executor::{
    observe::case_from,
    ports::{CaseQuery, Support},
};
use casebridge_ledger::{CaseRow, Ledger, LedgerError};
use casebridge_simulator::support::events::SupportEvent;
use jiff::{SignedDuration, Timestamp};

use crate::{
    calls::{Call, Fate},
    ledger_port::LedgerPort,
    ports::SupportPort,
    timeline::Place,
    world::{ACCOUNTS, Desk},
};

/// How many due links one run of the poller enqueues.
const DUE_LIMIT: usize = 100;
/// How many changes of ServiceNow a page has.
const CHANGES_LIMIT: usize = 2;
/// The poller's watermark.
const WATERMARK: &str = "servicenow";

/// Why a handler failed: its trigger comes again, or the next run makes up for it.
#[derive(Debug)]
pub struct HandlerError;

impl From<LedgerError> for HandlerError {
    fn from(_: LedgerError) -> Self {
        Self
    }
}

impl From<Failure> for HandlerError {
    fn from(_: Failure) -> Self {
        Self
    }
}

async fn enqueue(desk: &Desk, deduplication: &str, hint: Hint) -> Result<(), HandlerError> {
    let fate = desk.arrive(Call::Enqueue, || format!("{} {}", hint.group_id(), hint.cause.as_str())).await;
    if fate == Fate::Refused {
        return Err(HandlerError);
    }
    {
        let world = &mut *desk.world.borrow_mut();
        let now = world.now;
        world.queue.send(now, deduplication, hint);
    }
    desk.leave(fate).await;
    if fate == Fate::AnswerLost { Err(HandlerError) } else { Ok(()) }
}

/// A signed webhook: the snapshot in it goes along.
pub async fn webhook(desk: Rc<Desk>, webhook_id: String, incident: Incident) -> Result<(), HandlerError> {
    let key = LinkKey::support_case(incident.summary.sys_id.clone());
    let received_at = desk.world.borrow().now;
    let hint = Hint {
        subject: Subject::Link { key },
        cause: Cause::ServicenowWebhook,
        received_at,
        incident: Some(Box::new(incident)),
    };
    enqueue(&desk, &webhook_id, hint).await
}

/// A Support Case Update event: the link of its case, if there is one.
pub async fn support_event(desk: Rc<Desk>, event: SupportEvent) -> Result<(), HandlerError> {
    let account = AccountId::new(event.account);
    let case_id = CaseId::new(event.case_id);
    let ledger = LedgerPort { desk: desk.clone() };
    let link = ledger.link_of_case(&CaseKey::new(account.clone(), &case_id)).await?;
    let subject = match link {
        Some(key) => Subject::Link { key },
        None => Subject::Case { account, case_id, display_id: Some(DisplayId::new(event.display_id)) },
    };
    let received_at = desk.world.borrow().now;
    let hint = Hint { subject, cause: Cause::SupportEvent, received_at, incident: None };
    enqueue(&desk, &event.id, hint).await
}

/// The poller: what is due, what changed in ServiceNow, what changed at AWS. A side that fails stops no other.
pub async fn poll(desk: Rc<Desk>) -> Result<(), HandlerError> {
    let tick = desk.world.borrow().now;
    let due = poll_due(&desk, tick).await;
    let servicenow = poll_servicenow(&desk, tick).await;
    let mut aws = Ok(());
    for (account, _, _) in ACCOUNTS {
        aws = aws.and(poll_account(&desk, &AccountId::new(account), tick).await);
    }
    due.and(servicenow).and(aws)
}

fn link_hint(key: LinkKey, cause: Cause, received_at: Timestamp) -> Hint {
    Hint { subject: Subject::Link { key }, cause, received_at, incident: None }
}

async fn poll_due(desk: &Rc<Desk>, tick: Timestamp) -> Result<(), HandlerError> {
    let ledger = LedgerPort { desk: desk.clone() };
    for due in ledger.due_links(tick, DUE_LIMIT).await? {
        let deduplication = format!("due {} {}", due.key, tick.as_second());
        enqueue(desk, &deduplication, link_hint(due.key, Cause::Due, tick)).await?;
    }
    Ok(())
}

/// One page of ServiceNow's changes: ServiceNow's time, what changed, whether there is more.
type ChangesPage = (Timestamp, Vec<(IncidentId, u64, Timestamp)>, bool);

async fn changes(desk: &Desk, since: Timestamp, after: Option<&IncidentId>) -> Result<ChangesPage, HandlerError> {
    let fate = desk.arrive(Call::Changes, || format_servicenow(since)).await;
    if fate == Fate::Refused {
        return Err(HandlerError);
    }
    let page = {
        let world = desk.world.borrow();
        let (found, more) = world.servicenow.changes(since, after, CHANGES_LIMIT);
        (world.servicenow_now(), found, more)
    };
    desk.leave(fate).await;
    if fate == Fate::AnswerLost { Err(HandlerError) } else { Ok(page) }
}

async fn poll_servicenow(desk: &Rc<Desk>, tick: Timestamp) -> Result<(), HandlerError> {
    let ledger = LedgerPort { desk: desk.clone() };
    let overlap = i64::from(desk.world.borrow().settings.policy.poll_overlap_seconds);
    let watermark = ledger.watermark(WATERMARK).await?.and_then(|text| parse_servicenow(&text));
    let mut since = watermark.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut after = None;
    let mut reached = None;
    loop {
        let (now, page, more) = changes(desk, since, after.as_ref()).await?;
        reached = reached.or(Some(now));
        let ids: Vec<IncidentId> = page.iter().map(|(id, _, _)| id.clone()).collect();
        let remembered = if ids.is_empty() { Vec::new() } else { ledger.remembered_mod_counts(&ids).await? };
        for ((id, count, _), known) in page.iter().zip(remembered) {
            if known != Some(*count) {
                let key = LinkKey::support_case(id.clone());
                let deduplication = format!("servicenow {key} {}", tick.as_second());
                enqueue(desk, &deduplication, link_hint(key, Cause::ServicenowPoll, tick)).await?;
            }
        }
        match page.last() {
            Some((id, _, updated_on)) if more => (since, after) = (*updated_on, Some(id.clone())),
            _ => break,
        }
    }
    if let Some(reached) = reached {
        let value = format_servicenow(reached - SignedDuration::from_secs(overlap));
        ledger.set_watermark(WATERMARK, &value).await?;
    }
    Ok(())
}

async fn poll_account(desk: &Rc<Desk>, account: &AccountId, tick: Timestamp) -> Result<(), HandlerError> {
    let ledger = LedgerPort { desk: desk.clone() };
    let support = SupportPort { desk: desk.clone() };
    let mut from = None;
    loop {
        let page = ledger.cases_of_account(account, from.as_deref()).await?;
        poll_cases(desk, &support, account, &page.rows, tick).await?;
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}

/// Reads cases by their ids; a list with an unknown one is read in halves, and the unknown one is left out.
async fn poll_cases(
    desk: &Rc<Desk>,
    support: &SupportPort,
    account: &AccountId,
    rows: &[CaseRow],
    tick: Timestamp,
) -> Result<(), HandlerError> {
    let mut parts = vec![rows.to_vec()];
    while let Some(part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        let ids = part.iter().map(|row| row.case_id.clone()).collect();
        let page = match support.describe_cases(account, &CaseQuery::Ids(ids)).await {
            Ok(page) => page,
            Err(Failure::Refused { refusal: Refusal::NotFound, .. }) if part.len() > 1 => {
                let (left, right) = part.split_at(part.len() / 2);
                parts.push(left.to_vec());
                parts.push(right.to_vec());
                continue;
            }
            Err(Failure::Refused { refusal: Refusal::NotFound, .. }) => {
                desk.world.borrow_mut().note(Place::Bridge, || "an unknown case is left out".to_owned());
                continue;
            }
            Err(failure) => return Err(failure.into()),
        };
        for described in &page.cases {
            let case = case_from(described);
            let key = CaseKey::new(account.clone(), &described.case_id);
            let row = part.iter().find(|row| row.key == key);
            if let Some(row) = row.filter(|row| row.fingerprint != case.fingerprint()) {
                let deduplication = format!("case {} {}", row.link, tick.as_second());
                enqueue(desk, &deduplication, link_hint(row.link.clone(), Cause::CasePoll, tick)).await?;
            }
        }
    }
    Ok(())
}
