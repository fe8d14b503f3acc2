//! The handlers as they are in the functions: parse a trigger, find its link by key, enqueue. No decision.

use std::rc::Rc;

use casebridge_core::{
    effect::{Failure, Refusal},
    hint::{Cause, Hint, Subject},
    identifiers::{AccountId, CaseId, CaseKey, DisplayId, IncidentId, LinkKey},
    incident::Incident,
    policy::seconds,
    poll::{self, Position, Watermark, has_case_changed, has_incident_changed},
    time::format_servicenow,
};
use casebridge_executor::{
    observe::case_from,
    ports::{CaseQuery, Support},
};
use casebridge_ledger::{CaseRow, Ledger, LedgerError};
use casebridge_simulator::support::events::SupportEvent;
use jiff::Timestamp;

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
/// How many pages of changes one poll reads.
const CHANGES_PAGES: usize = 3;
/// How many hints go with one call to the queue.
const HINTS_PER_CALL: usize = 10;
/// Polls within so many seconds are one.
const TICK_SECONDS: i64 = 10;
/// The poller's watermark.
const WATERMARK: &str = "servicenow_changes";

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
    let case_id = CaseId::new(desk.world.borrow().told_id(&event.case_id));
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
    let tick = Tick::of(desk.world.borrow().now);
    let due = poll_due(&desk, tick).await;
    let servicenow = poll_servicenow(&desk, tick).await;
    let mut aws = Ok(());
    for (account, _, _) in ACCOUNTS {
        aws = aws.and(poll_account(&desk, &AccountId::new(account), tick).await);
    }
    due.and(servicenow).and(aws)
}

/// One poll. Two within the same few seconds are one for the queue.
#[derive(Debug, Clone, Copy)]
struct Tick {
    now: Timestamp,
    number: i64,
}

impl Tick {
    fn of(now: Timestamp) -> Self {
        Self { now, number: now.as_second().div_euclid(TICK_SECONDS) }
    }
}

/// Puts a hint for each link on the queue, several with one call.
async fn hand_off(desk: &Desk, links: Vec<LinkKey>, cause: Cause, tick: Tick) -> Result<(), HandlerError> {
    for batch in links.chunks(HINTS_PER_CALL) {
        let fate = desk.arrive(Call::Enqueue, || format!("{} hints, {}", batch.len(), cause.as_str())).await;
        if fate == Fate::Refused {
            return Err(HandlerError);
        }
        for key in batch {
            let deduplication = format!("{}/{key}/{}", cause.as_str(), tick.number);
            let subject = Subject::Link { key: key.clone() };
            let hint = Hint { subject, cause, received_at: tick.now, incident: None };
            let world = &mut *desk.world.borrow_mut();
            let now = world.now;
            world.queue.send(now, &deduplication, hint);
        }
        desk.leave(fate).await;
        if fate == Fate::AnswerLost {
            return Err(HandlerError);
        }
    }
    Ok(())
}

async fn poll_due(desk: &Rc<Desk>, tick: Tick) -> Result<(), HandlerError> {
    let ledger = LedgerPort { desk: desk.clone() };
    let due = ledger.due_links(tick.now, DUE_LIMIT).await?;
    hand_off(desk, due.into_iter().map(|due| due.key).collect(), Cause::Due, tick).await
}

/// One page of ServiceNow's changes: ServiceNow's time, what changed, whether there is more.
type ChangesPage = (Timestamp, Vec<(IncidentId, u64, Timestamp)>, bool);

async fn changes(desk: &Desk, position: &Position) -> Result<ChangesPage, HandlerError> {
    let fate = desk.arrive(Call::Changes, || format_servicenow(position.since)).await;
    if fate == Fate::Refused {
        return Err(HandlerError);
    }
    let page = {
        let world = desk.world.borrow();
        let (found, more) = world.servicenow.changes(position.since, position.after.as_ref(), CHANGES_LIMIT);
        (world.servicenow_now(), found, more)
    };
    desk.leave(fate).await;
    if fate == Fate::AnswerLost { Err(HandlerError) } else { Ok(page) }
}

async fn poll_servicenow(desk: &Rc<Desk>, tick: Tick) -> Result<(), HandlerError> {
    let ledger = LedgerPort { desk: desk.clone() };
    let overlap = seconds(desk.world.borrow().settings.policy.poll_overlap_seconds);
    let watermark: Option<Watermark> =
        ledger.watermark(WATERMARK).await?.and_then(|text| serde_json::from_str(&text).ok());
    let mut position = poll::start(watermark.as_ref(), overlap, tick.now);
    let (mut began_at, mut finished, mut outcome) = (None, false, Ok(()));
    for _ in 0..CHANGES_PAGES {
        let (now, page, more) = match changes(desk, &position).await {
            Ok(page) => page,
            Err(error) => {
                outcome = Err(error);
                break;
            }
        };
        let ids: Vec<IncidentId> = page.iter().map(|(id, _, _)| id.clone()).collect();
        let remembered = ledger.remembered_mod_counts(&ids).await?;
        let drifted = page.iter().zip(remembered).filter(|((_, count, _), known)| has_incident_changed(*count, *known));
        let links = drifted.map(|((id, _, _), _)| LinkKey::support_case(id.clone())).collect();
        hand_off(desk, links, Cause::ServicenowPoll, tick).await?;
        began_at.get_or_insert(now);
        let Some((id, _, updated_on)) = page.last().filter(|_| more) else {
            finished = true;
            break;
        };
        position = Position { since: *updated_on, after: Some(id.clone()) };
    }
    if let Some(began_at) = began_at {
        let stopped_at = if finished { None } else { Some(position) };
        let advanced = poll::advance(watermark.as_ref(), began_at, stopped_at);
        ledger.set_watermark(WATERMARK, &serde_json::to_string(&advanced).unwrap_or_default()).await?;
    }
    outcome
}

async fn poll_account(desk: &Rc<Desk>, account: &AccountId, tick: Tick) -> Result<(), HandlerError> {
    let ledger = LedgerPort { desk: desk.clone() };
    let support = SupportPort::new(desk.clone());
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
    tick: Tick,
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
        let mut links = Vec::new();
        for described in &page.cases {
            let key = CaseKey::new(account.clone(), &described.case_id);
            let row = part.iter().find(|row| row.key == key);
            let drifted = row.filter(|row| has_case_changed(&case_from(described), &row.fingerprint));
            links.extend(drifted.map(|row| row.link.clone()));
        }
        hand_off(desk, links, Cause::CasePoll, tick).await?;
    }
    Ok(())
}
