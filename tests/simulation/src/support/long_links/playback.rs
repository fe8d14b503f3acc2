//! Ports that record what a pass gets from outside, and ports that play it back to the same pass.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use casebridge_core::{
    failure::Failure,
    file::{order::TransferMessage, transfer::Carried},
    hint::Hint,
    identifiers::{AccountId, AttemptId, CaseId, LinkKey},
    link::mark::Entropy,
    policy::Policy,
    servicenow::{
        delivery::{Delivery, DeliveryAnswer, NewIncident},
        incident::Incident,
    },
    support::{
        Link, Pass, Plan, SupportCase,
        call::NewCase,
        case::{CaseStatus, RawCommunication},
        read::{CasePage, CaseQuery, CommunicationPage},
        reading::Span,
    },
};
use casebridge_executor::Ports;
use casebridge_ledger::{LeaseAnswer, Ledger, MemoryLedger, Traffic, TransferLedger};
use casebridge_ports::{Clock, FileQueue, PlanObserver, Randomness, ServiceNow, Support, Timer, WakeQueue};
use casebridge_runtime::QueueError;
use jiff::{SignedDuration, Timestamp};

use crate::{
    desk::Desk,
    ports::{self, WorldLedger, WorldPorts},
    process_ports::ClockPort,
    schedule::at_once,
};

/// What the two sides have shown a pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// The comments in the snapshots and in the answers to deliveries.
    pub entries: usize,
    /// The communications in the answers of DescribeCases and DescribeCommunications.
    pub communications: usize,
    /// The pages of DescribeCommunications.
    pub pages: usize,
    /// The incidents and the communications, in bytes of JSON.
    pub bytes: usize,
}

/// The answers to one kind of question, in the order in which they were given.
#[derive(Debug)]
struct Reel<T> {
    recorded: RefCell<Vec<T>>,
    left: RefCell<VecDeque<T>>,
}

impl<T> Default for Reel<T> {
    fn default() -> Self {
        Self { recorded: RefCell::default(), left: RefCell::default() }
    }
}

impl<T: Clone> Reel<T> {
    /// Records a live answer and returns it. Without one, returns the next recorded answer.
    fn answer(&self, live: Option<T>) -> T {
        match live {
            Some(answer) => {
                self.recorded.borrow_mut().push(answer.clone());
                answer
            }
            None => self.left.borrow_mut().pop_front().expect("a repeat of a pass asks what the first one asked"),
        }
    }

    fn rewind(&self) {
        *self.left.borrow_mut() = self.recorded.borrow().iter().cloned().collect();
    }
}

/// What a pass gets from outside, apart from the ledger.
#[derive(Debug, Default)]
pub(super) struct Tape {
    snapshots: Reel<Result<Option<Incident>, Failure>>,
    openings: Reel<Result<Incident, Failure>>,
    deliveries: Reel<Result<DeliveryAnswer, Failure>>,
    new_cases: Reel<Result<CaseId, Failure>>,
    additions: Reel<Result<(), Failure>>,
    resolutions: Reel<Result<CaseStatus, Failure>>,
    cases: Reel<Result<CasePage, Failure>>,
    communications: Reel<Result<CommunicationPage, Failure>>,
    moments: Reel<Timestamp>,
    entropy: Reel<Entropy>,
    attempts: Reel<AttemptId>,
    spreads: Reel<u32>,
}

impl Tape {
    fn rewind(&self) {
        self.snapshots.rewind();
        self.openings.rewind();
        self.deliveries.rewind();
        self.new_cases.rewind();
        self.additions.rewind();
        self.resolutions.rewind();
        self.cases.rewind();
        self.communications.rewind();
        self.moments.rewind();
        self.entropy.rewind();
        self.attempts.rewind();
        self.spreads.rewind();
    }

    /// Returns what the two sides have shown.
    pub(super) fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        for incident in self.snapshots.recorded.borrow().iter().flatten().flatten() {
            seen.incident(incident);
        }
        for answer in self.deliveries.recorded.borrow().iter().flatten() {
            seen.incident(&answer.snapshot);
        }
        for page in self.cases.recorded.borrow().iter().flatten() {
            page.cases.iter().for_each(|case| seen.communications(&case.recent));
        }
        for page in self.communications.recorded.borrow().iter().flatten() {
            seen.pages += 1;
            seen.communications(&page.communications);
        }
        seen
    }
}

impl Seen {
    fn incident(&mut self, incident: &Incident) {
        self.entries += incident.entries.len();
        self.bytes += serde_json::to_string(incident).map_or(0, |json| json.len());
    }

    fn communications(&mut self, shown: &[RawCommunication]) {
        self.communications += shown.len();
        self.bytes += serde_json::to_string(shown).map_or(0, |json| json.len());
    }
}

/// The ports of a pass that is recorded, or of one that is repeated.
pub(super) struct Playback<L> {
    ledger: L,
    /// The world's ports while the pass is recorded.
    live: Option<WorldPorts>,
    tape: Rc<Tape>,
}

impl Playback<WorldLedger> {
    /// Returns the world's ports. What they answer is recorded.
    pub(super) fn record(desk: &Rc<Desk>, tape: &Rc<Tape>) -> Self {
        let clock = ClockPort { desk: desk.clone(), skew: SignedDuration::ZERO };
        Self { ledger: ports::ledger(desk), live: Some(WorldPorts::new(desk, clock)), tape: tape.clone() }
    }
}

impl Playback<MemoryLedger> {
    /// Returns ports that answer as recorded, with a ledger of their own. Call [`Self::rewind`] before each pass.
    pub(super) fn repeat(tape: &Rc<Tape>) -> Self {
        Self { ledger: MemoryLedger::new(), live: None, tape: tape.clone() }
    }

    /// Prepares a repeat: the recorded answers are given anew, and the ledger remembers the link as it was then.
    ///
    /// # Panics
    /// If a pass still has the link.
    pub(super) fn rewind(&self, key: &LinkKey, link: &Link) {
        self.tape.rewind();
        let (now, until) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1));
        let attempt = AttemptId::new("rewind");
        let taken = at_once(self.ledger.take_lease::<SupportCase>(key, &attempt, now, until, None));
        let Some(Ok(LeaseAnswer::Taken { lease, link: left, .. })) = taken else { panic!("the link is free") };
        let released = at_once(self.ledger.release(&lease, &left, link, None, true, now));
        assert!(matches!(released, Some(Ok(_))), "the lease has not ended");
    }

    /// Returns what the ledger has read and written so far.
    pub(super) fn traffic(&self) -> Traffic {
        self.ledger.traffic()
    }
}

impl<L: Ledger + TransferLedger> Ports for Playback<L> {
    type Ledger = L;
    type Wakes = Self;
    type Files = Self;
    type ServiceNow = Self;
    type Support = Self;
    type Clock = Self;
    type Randomness = Self;
    type Plans = Self;

    fn ledger(&self) -> &L {
        &self.ledger
    }

    fn wakes(&self) -> &Self {
        self
    }

    fn files(&self) -> &Self {
        self
    }

    fn servicenow(&self) -> &Self {
        self
    }

    fn support(&self) -> &Self {
        self
    }

    fn clock(&self) -> &Self {
        self
    }

    fn randomness(&self) -> &Self {
        self
    }

    fn plans(&self) -> &Self {
        self
    }
}

impl<L> ServiceNow for Playback<L> {
    async fn snapshot(&self, key: &LinkKey, entries_since: Option<Timestamp>) -> Result<Option<Incident>, Failure> {
        let live = match &self.live {
            Some(live) => Some(live.servicenow().snapshot(key, entries_since).await),
            None => None,
        };
        self.tape.snapshots.answer(live)
    }

    async fn open(&self, key: &LinkKey, incident: &NewIncident) -> Result<Incident, Failure> {
        let live = match &self.live {
            Some(live) => Some(live.servicenow().open(key, incident).await),
            None => None,
        };
        self.tape.openings.answer(live)
    }

    async fn deliver(&self, key: &LinkKey, delivery: &Delivery) -> Result<DeliveryAnswer, Failure> {
        let live = match &self.live {
            Some(live) => Some(live.servicenow().deliver(key, delivery).await),
            None => None,
        };
        self.tape.deliveries.answer(live)
    }
}

impl<L> Support for Playback<L> {
    async fn create_case(&self, account: &AccountId, request: &NewCase) -> Result<CaseId, Failure> {
        let live = match &self.live {
            Some(live) => Some(live.support().create_case(account, request).await),
            None => None,
        };
        self.tape.new_cases.answer(live)
    }

    async fn add_communication(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        body: &str,
        carried: Option<&Carried>,
    ) -> Result<(), Failure> {
        let live = match &self.live {
            Some(live) => Some(live.support().add_communication(account, case_id, body, carried).await),
            None => None,
        };
        self.tape.additions.answer(live)
    }

    async fn resolve_case(&self, account: &AccountId, case_id: &CaseId) -> Result<CaseStatus, Failure> {
        let live = match &self.live {
            Some(live) => Some(live.support().resolve_case(account, case_id).await),
            None => None,
        };
        self.tape.resolutions.answer(live)
    }

    async fn describe_cases(&self, account: &AccountId, query: &CaseQuery) -> Result<CasePage, Failure> {
        let live = match &self.live {
            Some(live) => Some(live.support().describe_cases(account, query).await),
            None => None,
        };
        self.tape.cases.answer(live)
    }

    async fn describe_communications(
        &self,
        account: &AccountId,
        case_id: &CaseId,
        span: Span,
        next: Option<&str>,
    ) -> Result<CommunicationPage, Failure> {
        let live = match &self.live {
            Some(live) => Some(live.support().describe_communications(account, case_id, span, next).await),
            None => None,
        };
        self.tape.communications.answer(live)
    }
}

impl<L> Clock for Playback<L> {
    fn now(&self) -> Timestamp {
        self.tape.moments.answer(self.live.as_ref().map(|live| live.clock().now()))
    }
}

impl<L> Timer for Playback<L> {
    async fn sleep(&self, wait: SignedDuration) {
        if let Some(live) = &self.live {
            live.clock().sleep(wait).await;
        }
    }
}

impl<L> Randomness for Playback<L> {
    fn entropy(&self) -> Entropy {
        self.tape.entropy.answer(self.live.as_ref().map(|live| live.randomness().entropy()))
    }

    fn attempt(&self) -> AttemptId {
        self.tape.attempts.answer(self.live.as_ref().map(|live| live.randomness().attempt()))
    }

    fn spread(&self) -> u32 {
        self.tape.spreads.answer(self.live.as_ref().map(|live| live.randomness().spread()))
    }
}

impl<L> WakeQueue for Playback<L> {
    type Error = QueueError;

    async fn send_later(&self, hint: &Hint, delay: SignedDuration) -> Result<(), QueueError> {
        match &self.live {
            Some(live) => live.wakes().send_later(hint, delay).await,
            None => Ok(()),
        }
    }
}

impl<L> FileQueue for Playback<L> {
    type Error = QueueError;

    async fn send(&self, message: &TransferMessage, delay: SignedDuration) -> Result<(), QueueError> {
        match &self.live {
            Some(live) => live.files().send(message, delay).await,
            None => Ok(()),
        }
    }
}

impl<L> PlanObserver<SupportCase> for Playback<L> {
    fn planned(&self, policy: &Policy, pass: &Pass, plan: &Plan, now: Timestamp) {
        if let Some(live) = &self.live {
            live.plans().planned(policy, pass, plan, now);
        }
    }
}
