//! The ports of the functions, answered by the world: each call passes the desk, where its fate is decided.

use std::{cell::RefCell, rc::Rc};

use casebridge_core::{
    failure::{Failure, Refusal},
    identifiers::{AccountId, AttemptId, CaseId, DisplayId, IncidentId, LinkKey},
    link::mark::Entropy,
    servicenow::{
        delivery::{Delivery, DeliveryAnswer, FieldsOutcome},
        incident::{Incident, IncidentState},
    },
    support::{
        call::NewCase,
        case::{CaseStatus, RECENT_COMMUNICATIONS, RawCommunication},
        read::{CasePage, CaseQuery, CommunicationPage, DescribedCase},
        reading::Span,
    },
};
use casebridge_ports::{Clock, Randomness, ServiceNow, Timer};
use casebridge_simulator::support::{
    Case, SupportError, Write,
    model::{CaseDetails, CasesPage, CommunicationDetails, CommunicationsPage},
    request::{AddCommunicationToCase, CreateCase, DescribeCases, DescribeCommunications, ResolveCase},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    calls::{Call, Fate},
    people::REFUSED_LETTER,
    servicenow_model::{self, App},
    timeline::{Place, shorten},
    world::{Desk, Invariant, World},
};

/// How many records a page of AWS holds here: the least that it may.
const PAGE_SIZE: i64 = 10;
/// How many communications of a few seconds a page holds: the most that it may, as the client asks for at every read.
const SPAN_PAGE_SIZE: i64 = 100;
/// How often the client attempts a read that is throttled, and how long it waits in between.
const READ_ATTEMPTS: u32 = 3;
const READ_PAUSE: SignedDuration = SignedDuration::from_millis(1_100);
/// How long a node of ServiceNow lags at most.
const LONGEST_NODE_LAG: SignedDuration = SignedDuration::from_secs(60);
/// The longest list of ids.
const IDS_PAGE_SIZE: i64 = 100;

/// What the client says of a delivery that a firewall before the instance turned away.
const TURNED_AWAY: &str = "The request did not get through to ServiceNow (403)";

/// The clock of one process: ours, a little off.
pub struct ClockPort {
    /// The world.
    pub desk: Rc<Desk>,
    /// How far it is off.
    pub skew: SignedDuration,
}

impl Clock for ClockPort {
    fn now(&self) -> Timestamp {
        self.desk.world.borrow().now + self.skew
    }
}

impl Timer for ClockPort {
    async fn sleep(&self, wait: SignedDuration) {
        self.desk.pause(wait).await;
    }
}

/// The clock of a worker, which may die while it waits.
pub struct WorkerClock(pub ClockPort);

impl Clock for WorkerClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

impl Timer for WorkerClock {
    async fn sleep(&self, wait: SignedDuration) {
        self.0.desk.arrive(Call::Stay, || format!("{wait:#}")).await;
        self.0.sleep(wait).await;
    }
}

/// Random bits from the world's seed.
pub struct RandomnessPort {
    /// The world.
    pub desk: Rc<Desk>,
}

impl Randomness for RandomnessPort {
    fn entropy(&self) -> Entropy {
        Entropy::new(self.desk.world.borrow_mut().entropy.bytes())
    }

    fn attempt(&self) -> AttemptId {
        AttemptId::new(format!("attempt-{}", self.desk.world.borrow_mut().next_attempt()))
    }

    fn spread(&self) -> u32 {
        u32::try_from(self.desk.world.borrow_mut().entropy.below(1_001)).unwrap_or_default()
    }
}

/// AWS Support.
pub struct SupportPort {
    /// The world.
    pub desk: Rc<Desk>,
    listings: RefCell<Vec<Listing>>,
    /// When the process began.
    began: Timestamp,
    /// Whether the one who reads takes the status into the ledger: the poller looks for changes only.
    takes_status_in: bool,
}

/// What a listing in pages has shown so far. All its pages are as of one moment, and they may shift. Several go on side by
/// side, also of the same case.
#[derive(Debug)]
struct Listing {
    as_of: Timestamp,
    last: Option<RawCommunication>,
}

/// Where a listing goes on: its number at the port, and AWS's token.
#[derive(Debug, Clone)]
struct Continuation {
    listing: usize,
    token: String,
}

impl Continuation {
    /// Reads the token that the port gave out; none for a first page.
    fn of(next: Option<&str>) -> Option<Self> {
        let (listing, token) = next?.split_once(' ').expect("the port gave it out");
        Some(Self { listing: listing.parse().expect("the port gave it out"), token: token.to_owned() })
    }

    /// The token that the port gives out.
    fn token(listing: usize, token: &str) -> String {
        format!("{listing} {token}")
    }
}

impl SupportPort {
    /// The port of an executor.
    pub fn of_executor(desk: Rc<Desk>) -> Self {
        let began = desk.world.borrow().now;
        Self { desk, listings: RefCell::default(), began, takes_status_in: true }
    }

    /// The port of a poller.
    pub fn of_poller(desk: Rc<Desk>) -> Self {
        Self { takes_status_in: false, ..Self::of_executor(desk) }
    }
}

fn failure(error: &SupportError) -> Failure {
    let message = format!("AWS Support answered {}: {error}", error.code());
    let refusal = match error {
        SupportError::Throttling => return Failure::Unavailable { message, retry_at: None },
        SupportError::SubscriptionRequired => Refusal::Subscription,
        SupportError::CaseCreationLimitExceeded => Refusal::CaseQuota,
        SupportError::CaseIdNotFound(_) => Refusal::NotFound,
        SupportError::UnrecognizedClient | SupportError::MissingAuthenticationToken => Refusal::Credentials,
        _ => Refusal::InvalidRequest,
    };
    Failure::Refused { refusal, message }
}

fn in_doubt() -> Failure {
    Failure::InDoubt { message: "AWS Support did not answer in time".to_owned() }
}

fn throttled(side: &str) -> Failure {
    Failure::Unavailable { message: format!("{side} throttles"), retry_at: None }
}

impl SupportPort {
    /// One write: refused, applied now, or landing later.
    async fn write<T>(
        &self,
        call: Call,
        account: &AccountId,
        write: Write,
        apply: impl FnOnce(&mut World) -> Result<T, SupportError>,
    ) -> Result<T, Failure> {
        let fate = self.desk.arrive(call, || describe(&write)).await;
        if fate == Fate::Refused {
            return Err(throttled("AWS Support"));
        }
        let refused = self.desk.world.borrow().refused_accounts.get(account).copied();
        if let Some(refusal) = refused {
            let refused = Err(Failure::Refused { refusal, message: format!("AWS Support answered {refusal:?}") });
            self.desk.world.borrow_mut().note_support_write(&write, &refused);
            return refused;
        }
        let writer = self.desk.current.borrow().clone();
        self.desk.world.borrow_mut().check_pause(&writer, self.began, account, &write);
        if fate == Fate::RequestLost {
            self.desk.leave(fate).await;
            return Err(in_doubt());
        }
        if matches!(fate, Fate::LandsLate | Fate::DiedLandsLate) {
            {
                let world = &mut *self.desk.world.borrow_mut();
                let longest = world.settings.half_unknown().as_secs();
                let wait = SignedDuration::from_secs(world.random.between(1, longest));
                let lands_at = world.aws_now() + wait;
                world.note_late_write(&write);
                world.support.land_later(lands_at, account.as_str(), write);
            }
            self.desk.leave(fate).await;
            return Err(in_doubt());
        }
        let result = apply(&mut self.desk.world.borrow_mut());
        if let Err(error) = &result {
            self.desk.world.borrow_mut().note(Place::Aws, || format!("refuses: {error}"));
        }
        self.desk.leave(fate).await;
        let result = match fate {
            Fate::AnswerLost if result.is_ok() => Err(in_doubt()),
            _ => result.map_err(|error| failure(&error)),
        };
        self.desk.world.borrow_mut().note_support_write(&write, &result);
        result
    }

    /// What every read passes. What becomes of it and the number of its listing, or why it fails.
    async fn read(
        &self,
        call: Call,
        account: &AccountId,
        goes_on: Option<&Continuation>,
        what: &str,
    ) -> Result<(Fate, usize), Failure> {
        let fate = self.desk.arrive(call, || what.to_owned()).await;
        if matches!(fate, Fate::Refused | Fate::RequestLost) {
            return Err(throttled("AWS Support"));
        }
        let refused = self.desk.world.borrow().refused_accounts.get(account).copied();
        if let Some(refusal) = refused {
            return Err(Failure::Refused { refusal, message: format!("AWS Support answered {refusal:?}") });
        }
        let world = &mut *self.desk.world.borrow_mut();
        let lagging = world.faults.rates().lagging;
        let mut listings = self.listings.borrow_mut();
        let lag = if let Some(goes_on) = goes_on {
            world.now.duration_since(listings[goes_on.listing].as_of).as_secs()
        } else if world.random.chance(lagging) {
            let longest = world.settings.half_unknown().as_secs();
            let span = if world.random.chance(500) { 20.min(longest) } else { longest };
            let lag = world.random.between(1, span);
            world.count_fault("read lags");
            world.note(Place::Aws, || format!("(the read is as of {lag} seconds ago)"));
            lag
        } else {
            world.read_lag.as_secs()
        };
        let lag = SignedDuration::from_secs(lag);
        let listing = goes_on.map_or(listings.len(), |goes_on| goes_on.listing);
        if goes_on.is_none() {
            listings.push(Listing { as_of: world.now - lag, last: None });
        }
        world.support.observe_with_lag(lag);
        Ok((fate, listing))
    }

    /// A read, and again after a pause while AWS throttles: the client retries reads by itself. Returns the answer and the
    /// number of its listing.
    async fn reading<T>(
        &self,
        call: Call,
        account: &AccountId,
        goes_on: Option<&Continuation>,
        what: &str,
        describe: impl Fn(&mut World) -> Result<T, SupportError>,
    ) -> Result<(T, usize), Failure> {
        let mut attempt = 1;
        loop {
            let (fate, listing) = self.read(call, account, goes_on, what).await?;
            let result = describe(&mut self.desk.world.borrow_mut());
            self.desk.world.borrow_mut().support.observe_with_lag(SignedDuration::ZERO);
            self.desk.leave(fate).await;
            let is_throttled = matches!(result, Err(SupportError::Throttling));
            if fate == Fate::AnswerLost {
                let message = "AWS Support did not answer".to_owned();
                return Err(Failure::Unavailable { message, retry_at: None });
            }
            if !is_throttled || attempt == READ_ATTEMPTS {
                return result.map(|answer| (answer, listing)).map_err(|error| failure(&error));
            }
            attempt += 1;
            self.desk.pause(READ_PAUSE).await;
        }
    }

    fn described(&self, details: CaseDetails) -> DescribedCase {
        let status = CaseStatus::new(details.status);
        if self.takes_status_in {
            self.desk.world.borrow_mut().note_shown_status(&details.case_id, &status);
        }
        let recent = details.recent_communications;
        let full = |page: &CommunicationsPage| page.communications.len() >= RECENT_COMMUNICATIONS;
        let more = recent.as_ref().is_some_and(|page| page.next_token.is_some() || full(page));
        let recent = recent.map(|page| page.communications).unwrap_or_default();
        DescribedCase {
            recent: communications(recent),
            more_communications: more,
            case_id: CaseId::new(details.case_id),
            display_id: DisplayId::new(details.display_id),
            subject: details.subject,
            status,
            time_created: details.time_created,
        }
    }
}

fn communications(page: Vec<CommunicationDetails>) -> Vec<RawCommunication> {
    let shown = page.into_iter().map(|communication| RawCommunication {
        time_created: communication.time_created,
        submitted_by: communication.submitted_by,
        body: communication.body,
    });
    shown.collect()
}

/// DescribeCases as the client asks: of ids all pages, and without the size of a page where AWS refuses to be told it.
fn describe_cases(world: &mut World, account: &AccountId, request: &DescribeCases) -> Result<CasesPage, SupportError> {
    let (now, by_ids) = (world.aws_now(), !request.case_id_list.is_empty());
    let mut request = request.clone();
    let mut ask = |request: &DescribeCases| world.support.describe_cases(now, account.as_str(), request);
    let mut page = match ask(&request) {
        Err(SupportError::Validation(_)) if by_ids => {
            request.max_results = None;
            ask(&request)?
        }
        answer => answer?,
    };
    while by_ids && page.next_token.is_some() {
        request.next_token = page.next_token.take();
        let next = ask(&request)?;
        page.cases.extend(next.cases);
        page.next_token = next.next_token;
    }
    Ok(page)
}

fn describe(write: &Write) -> String {
    match write {
        Write::CreateCase(request) => shorten(request.subject.as_deref().unwrap_or_default()),
        Write::AddCommunicationToCase(request) => shorten(request.communication_body.as_deref().unwrap_or_default()),
        Write::ResolveCase(request) => request.case_id.clone().unwrap_or_default(),
    }
}

impl casebridge_ports::Support for SupportPort {
    async fn create_case(&self, account: &AccountId, request: &NewCase) -> Result<CaseId, Failure> {
        let given = CreateCase {
            subject: Some(request.subject.clone()),
            communication_body: Some(request.body.clone()),
            service_code: Some(request.service_code.clone()),
            category_code: Some(request.category_code.clone()),
            severity_code: Some(request.severity_code.clone()),
            issue_type: Some(request.issue_type.clone()),
            language: Some(request.language.clone()),
            cc_email_addresses: request.cc_email_addresses.clone(),
            ..CreateCase::default()
        };
        let created = self
            .write(Call::CreateCase, account, Write::CreateCase(given.clone()), |world| {
                let now = world.aws_now();
                let created = world.support.create_case(now, account.as_str(), &given)?;
                world.check_write_to_case(&created);
                Ok(created)
            })
            .await?;
        Ok(CaseId::new(created))
    }

    async fn add_communication(&self, account: &AccountId, case_id: &CaseId, body: &str) -> Result<(), Failure> {
        let case_id = case_id.to_string();
        let given = AddCommunicationToCase {
            case_id: Some(case_id.clone()),
            communication_body: Some(body.to_owned()),
            ..AddCommunicationToCase::default()
        };
        self.write(Call::AddCommunication, account, Write::AddCommunicationToCase(given.clone()), |world| {
            if body.contains(REFUSED_LETTER) {
                return Err(SupportError::Validation(
                    "communicationBody has a character that is not allowed".to_owned(),
                ));
            }
            let now = world.aws_now();
            world.support.add_communication_to_case(now, account.as_str(), &given)?;
            world.check_write_to_case(&case_id);
            Ok(())
        })
        .await
    }

    async fn resolve_case(&self, account: &AccountId, case_id: &CaseId) -> Result<CaseStatus, Failure> {
        let case_id = case_id.to_string();
        let given = ResolveCase { case_id: Some(case_id.clone()), dry_run: false };
        self.write(Call::ResolveCase, account, Write::ResolveCase(given.clone()), |world| {
            let now = world.aws_now();
            let was_resolved = world.support.case(&case_id).is_some_and(Case::is_resolved);
            let resolution = world.support.resolve_case(now, account.as_str(), &given)?;
            world.check_write_to_case(&case_id);
            world.note_status_change(&case_id, was_resolved);
            world.forget_reopening_at_aws(&case_id);
            Ok(CaseStatus::new(resolution.final_case_status))
        })
        .await
    }

    async fn describe_cases(&self, account: &AccountId, query: &CaseQuery) -> Result<CasePage, Failure> {
        let mut goes_on = None;
        let mut request = DescribeCases { include_resolved_cases: true, ..DescribeCases::default() };
        match query {
            CaseQuery::Ids(ids) => {
                request.case_id_list = ids.iter().map(ToString::to_string).collect();
                request.max_results = Some(IDS_PAGE_SIZE);
            }
            CaseQuery::DisplayId(display_id) => request.display_id = Some(display_id.to_string()),
            CaseQuery::Since { after, next } => {
                request.after_time = Some(after.to_string());
                goes_on = Continuation::of(next.as_deref());
                request.next_token = goes_on.as_ref().map(|goes_on| goes_on.token.clone());
                request.max_results = Some(PAGE_SIZE);
            }
        }
        let what = format!("{account} {}", asked(query));
        let describe = |world: &mut World| describe_cases(world, account, &request);
        let (page, listing) = self.reading(Call::DescribeCases, account, goes_on.as_ref(), &what, describe).await?;
        let cases = page.cases.into_iter().map(|details| self.described(details)).collect();
        let next = page.next_token.map(|token| Continuation::token(listing, &token));
        Ok(CasePage { cases, next })
    }

    async fn describe_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        span: Span,
        next: Option<&str>,
    ) -> Result<CommunicationPage, Failure> {
        let (case_id, goes_on) = (case_id.to_string(), Continuation::of(next));
        let request = DescribeCommunications {
            case_id: Some(case_id.clone()),
            after_time: span.after.map(|after| after.to_string()),
            before_time: span.before.map(|before| before.to_string()),
            next_token: goes_on.as_ref().map(|goes_on| goes_on.token.clone()),
            max_results: Some(if span.before.is_some() { SPAN_PAGE_SIZE } else { PAGE_SIZE }),
            ..DescribeCommunications::default()
        };
        let describe = |world: &mut World| {
            let now = world.aws_now();
            world.support.describe_communications(now, account.as_str(), &request)
        };
        let (page, listing) =
            self.reading(Call::DescribeCommunications, account, goes_on.as_ref(), &case_id, describe).await?;
        let mut communications = communications(page.communications);
        let last = std::mem::replace(&mut self.listings.borrow_mut()[listing].last, communications.last().cloned());
        if goes_on.is_some() {
            let world = &mut *self.desk.world.borrow_mut();
            let shifts = world.faults.rates().lagging;
            if world.random.chance(shifts) {
                world.count_fault("pages shift");
                communications.splice(0..0, last);
            }
        }
        let next = page.next_token.map(|token| Continuation::token(listing, &token));
        Ok(CommunicationPage { communications, next })
    }
}

fn asked(query: &CaseQuery) -> String {
    match query {
        CaseQuery::Ids(ids) => format!("{} named", ids.len()),
        CaseQuery::DisplayId(display_id) => format!("number {display_id}"),
        CaseQuery::Since { after, .. } => format!("since {after:.0}"),
    }
}

/// The app on the ServiceNow instance.
pub struct ServiceNowPort {
    /// The world.
    pub desk: Rc<Desk>,
    /// What the calls reach.
    pub app: Box<dyn App>,
}

fn servicenow_failure(refusal: servicenow_model::Refusal) -> Failure {
    use servicenow_model::Refusal as Why;
    match refusal {
        Why::Refused(message) => Failure::Refused { refusal: Refusal::InvalidRequest, message },
        Why::NotFound => Failure::Refused { refusal: Refusal::NotFound, message: "No such incident".to_owned() },
        Why::NotServed => Failure::Refused { refusal: Refusal::NotServed, message: "Incident not served".to_owned() },
        Why::Conflict => Failure::Unavailable {
            message: "ServiceNow is still working on an earlier attempt".to_owned(),
            retry_at: None,
        },
        Why::Stopped => Failure::Unavailable { message: "ServiceNow answered 503".to_owned(), retry_at: None },
    }
}

impl ServiceNow for ServiceNowPort {
    async fn snapshot(&self, key: &LinkKey, entries_since: Option<Timestamp>) -> Result<Option<Incident>, Failure> {
        let incident = &key.incident;
        let number = self.desk.world.borrow().number_of(incident);
        let fate = self.desk.arrive(Call::Snapshot, || number).await;
        if fate == Fate::Refused {
            return Err(throttled("ServiceNow"));
        }
        let (snapshot, read_at) = {
            let world = &mut *self.desk.world.borrow_mut();
            let now = world.servicenow_now();
            let mut read_at = world.now;
            if let Some((record, until)) = world.servicenow.lagging(incident).cloned() {
                let lag = now.duration_since(until);
                if lag > LONGEST_NODE_LAG {
                    world.servicenow.take_lag();
                } else {
                    world.note_shown(&record);
                    read_at -= lag;
                }
            }
            let snapshot =
                self.app.snapshot(&mut world.servicenow, now, key.kind.as_str(), incident, entries_since);
            (snapshot, read_at)
        };
        self.desk.leave(fate).await;
        if fate == Fate::AnswerLost {
            return Err(Failure::Unavailable { message: "ServiceNow did not answer".to_owned(), retry_at: None });
        }
        let reader = self.desk.current.borrow().clone();
        self.desk.world.borrow_mut().note_read(&reader, incident, read_at);
        match snapshot {
            Ok(incident) => Ok(Some(incident)),
            Err(servicenow_model::Refusal::NotFound) => Ok(None),
            Err(refusal) => Err(servicenow_failure(refusal)),
        }
    }

    async fn deliver(&self, key: &LinkKey, delivery: &Delivery) -> Result<DeliveryAnswer, Failure> {
        let result = self.send(key, delivery).await;
        self.desk.world.borrow_mut().note_delivery(&key.incident, delivery, &result);
        result
    }
}

impl ServiceNowPort {
    /// A delivery on its way, and what became of it.
    async fn send(&self, key: &LinkKey, delivery: &Delivery) -> Result<DeliveryAnswer, Failure> {
        let incident = &key.incident;
        let what = {
            let world = self.desk.world.borrow();
            let texts: Vec<String> = delivery.messages.iter().map(|message| shorten(&message.text)).collect();
            format!(
                "{} messages {texts:?} state {:?} {} {}",
                world.number_of(incident),
                delivery.fields.state,
                delivery.columns.sync_status,
                delivery.columns.case_status,
            )
        };
        let fate = self.desk.arrive(Call::Deliver, || what).await;
        if fate == Fate::Refused {
            return Err(throttled("ServiceNow"));
        }
        if self.desk.world.borrow().turns_deliveries_away() {
            self.desk.leave(fate).await;
            return Err(servicenow_failure(servicenow_model::Refusal::Refused(TURNED_AWAY.to_owned())));
        }
        let (result, read_at) = {
            let world = &mut *self.desk.world.borrow_mut();
            if fate == Fate::Stopped {
                let commits = 1 + world.random.below(5);
                world.servicenow.stop_after_commits(commits);
            }
            let now = world.servicenow_now();
            let record_before = world.servicenow.incidents.get(incident).cloned();
            let lagging = world.servicenow.take_lag();
            let (kind, expected) = (key.kind.as_str(), Some(delivery.expected_mod_count));
            let result = self.app.deliver(&mut world.servicenow, now, kind, incident, delivery, expected);
            if let Some((record, until)) = lagging {
                world.servicenow.lag_once(record, until);
            }
            world.check_delivery(incident, delivery, record_before.as_ref(), result.as_ref().ok());
            world.check_reopening(incident, record_before.as_ref());
            world.check_end(incident, record_before.as_ref());
            if let Err(refusal) = &result {
                world.note(Place::ServiceNow, || format!("answers {refusal:?}"));
            }
            world.note_pauses();
            (result, world.now)
        };
        self.desk.leave(fate).await;
        match (fate, result) {
            (Fate::AnswerLost, _) => {
                Err(Failure::Unavailable { message: "ServiceNow did not answer".to_owned(), retry_at: None })
            }
            (_, Err(refusal)) => Err(servicenow_failure(refusal)),
            (_, Ok(answer)) => {
                let reader = self.desk.current.borrow().clone();
                self.desk.world.borrow_mut().note_read(&reader, incident, read_at);
                Ok(answer)
            }
        }
    }
}

impl World {
    /// Whether every delivery is turned away now, before it reaches ServiceNow.
    fn turns_deliveries_away(&self) -> bool {
        self.settings.turns_deliveries_away && !self.faults.are_over()
    }

    /// What an agent has drafted of the closing stays.
    fn check_drafts(&mut self, incident: &IncidentId, before: Option<&servicenow_model::Record>) {
        let (Some(before), Some(after)) = (before, self.servicenow.incidents.get(incident)) else { return };
        let kept = |before: &str, after: &str| before.is_empty() || before == after;
        let stays = kept(&before.close_code, &after.close_code) && kept(&before.close_notes, &after.close_notes);
        if !stays {
            let number = self.number_of(incident);
            self.violate(Invariant::Fields, format!("{number}: what an agent had drafted was overwritten"));
        }
    }

    /// Judges a delivery by what it did to an agent's fields, and counts it.
    fn check_delivery(
        &mut self,
        incident: &IncidentId,
        delivery: &Delivery,
        record_before: Option<&servicenow_model::Record>,
        answer: Option<&DeliveryAnswer>,
    ) {
        self.count_write(incident.clone());
        let before = record_before.map(|record| &record.summary.state);
        let Some(answer) = answer.filter(|answer| answer.fields == FieldsOutcome::Applied) else { return };
        if delivery.fields.state.is_empty() {
            return;
        }
        let number = self.number_of(incident);
        let agents = self.memory.state_changes.get(incident).copied().unwrap_or_default();
        if agents > delivery.expected_mod_count {
            let what = format!("{number}: a state set by an agent after the plan was made was overwritten");
            self.violate(Invariant::Fields, what);
        }
        let after = &answer.snapshot.summary.state;
        // What the default policy lets casebridge do to a state that an agent may have set.
        let allowed = match before {
            _ if before == Some(after) => true,
            Some(IncidentState::New) => matches!(after, IncidentState::InProgress | IncidentState::Resolved),
            Some(IncidentState::InProgress | IncidentState::OnHold | IncidentState::Other(_)) => {
                *after == IncidentState::Resolved
            }
            Some(IncidentState::Resolved) => *after == IncidentState::InProgress,
            Some(IncidentState::Closed | IncidentState::Cancelled) | None => false,
        };
        if !allowed {
            self.violate(Invariant::Fields, format!("{number}: {before:?} became {after:?}"));
        }
        self.check_drafts(incident, record_before);
        let has_ended = after.is_ended() && before.is_some_and(|before| !before.is_ended());
        if has_ended && self.settings.automatic_answer {
            self.answer_automatically(incident);
        }
    }
}
