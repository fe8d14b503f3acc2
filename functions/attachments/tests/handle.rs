//! The function over ports in memory: files go both ways in steps, and whoever takes over goes on.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::cell::{Cell, RefCell};

use attachments::{Mover, TIME_FOR_A_STEP};
use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use casebridge_core::{
    failure::{Failure, Refusal, Side},
    file::{
        FileRefusal,
        order::{Cargo, IncomingFile, Order, OutgoingFile, TransferMessage},
        transfer::{End, FileFate, OpenSet, SentPart, Transfer, Upload, UploadStatus},
    },
    hint::{Cause, Hint},
    identifiers::{AccountId, AttachmentId, AttemptId, ExternalId, FileId, IncidentId, LinkKey, TransferId},
    link::mark::Entropy,
    policy::Policy,
    servicenow::delivery::{FileAnswer, FileOutcome, NewFile},
};
use casebridge_ledger::{LedgerError, MemoryLedger, TransferAnswer, TransferLease, TransferLedger};
use casebridge_ports::{CaseFiles, Clock, Content, FileQueue, IncidentFiles, OpenFile, Randomness, Timer};
use casebridge_runtime::{DeduplicationId, HintSink, QueueError, metrics::Metrics};
use jiff::{SignedDuration, Timestamp};

/// A file in pieces of three bytes, which may break off.
struct Pieces {
    bytes: Vec<u8>,
    breaks: bool,
}

impl Content for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if self.bytes.is_empty() {
            return if self.breaks { Err(busy()) } else { Ok(None) };
        }
        let rest = self.bytes.split_off(self.bytes.len().min(3));
        Ok(Some(std::mem::replace(&mut self.bytes, rest)))
    }
}

fn busy() -> Failure {
    Failure::Unavailable { message: "busy".to_owned(), retry_at: None }
}

/// Both sides, with what was done there.
#[derive(Default)]
struct World {
    ledger: MemoryLedger,
    seconds: Cell<i64>,
    attempts: Cell<u32>,
    /// The files of the incident, by their ids.
    incident: RefCell<Vec<(String, Vec<u8>)>>,
    /// What the next read of the case's file has.
    case: RefCell<Vec<u8>>,
    case_breaks: Cell<bool>,
    answer: RefCell<Option<FileAnswer>>,
    failures: RefCell<Vec<Failure>>,
    done: RefCell<Vec<String>>,
    hints: RefCell<Vec<Hint>>,
    queued: RefCell<Vec<i64>>,
}

type TestMover<'a> = Mover<Shared<'a>, &'a World, &'a World, &'a World, &'a World, &'a World, &'a World>;

/// The world's ledger.
struct Shared<'a>(&'a MemoryLedger);

impl TransferLedger for Shared<'_> {
    async fn order_transfer(&self, link: &LinkKey, transfer: &Transfer) -> Result<(), LedgerError> {
        self.0.order_transfer(link, transfer).await
    }

    async fn transfer(&self, link: &LinkKey, id: &TransferId) -> Result<Option<Transfer>, LedgerError> {
        self.0.transfer(link, id).await
    }

    async fn take_transfer(
        &self,
        link: &LinkKey,
        id: &TransferId,
        attempt: &AttemptId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TransferAnswer, LedgerError> {
        self.0.take_transfer(link, id, attempt, now, until).await
    }

    async fn record_transfer(
        &self,
        lease: &TransferLease,
        transfer: &Transfer,
        is_released: bool,
    ) -> Result<TransferLease, LedgerError> {
        self.0.record_transfer(lease, transfer, is_released).await
    }
}

impl World {
    fn mover(&self) -> TestMover<'_> {
        Mover {
            ledger: Shared(&self.ledger),
            queue: self,
            hints: self,
            servicenow: self,
            support: self,
            clock: self,
            randomness: self,
            metrics: Metrics::new("attachments"),
        }
    }

    fn fails(&self) -> Result<(), Failure> {
        if self.failures.borrow().is_empty() { Ok(()) } else { Err(self.failures.borrow_mut().remove(0)) }
    }

    fn note(&self, what: String) {
        self.done.borrow_mut().push(what);
    }

    async fn order(&self, cargo: Cargo) {
        let order = Order { transfer: id(), account: AccountId::new("111122223333"), cargo, ordered_at: self.now() };
        self.ledger.order_transfer(&link(), &Transfer::new(order)).await.unwrap();
    }

    async fn run(&self) -> usize {
        let deadline = self.now() + SignedDuration::from_mins(15);
        self.run_until(deadline).await
    }

    async fn run_until(&self, deadline: Timestamp) -> usize {
        let message = TransferMessage { link: link(), transfer: id() };
        self.mover()
            .handle(event(&serde_json::to_string(&message).unwrap()), &Policy::default(), deadline)
            .await
            .batch_item_failures
            .len()
    }

    async fn state(&self) -> Transfer {
        self.ledger.transfer(&link(), &id()).await.unwrap().unwrap()
    }
}

fn event(body: &str) -> SqsEvent {
    let mut message = SqsMessage::default();
    message.message_id = Some("1".to_owned());
    message.body = Some(body.to_owned());
    let mut event = SqsEvent::default();
    event.records.push(message);
    event
}

fn link() -> LinkKey {
    LinkKey::support_case(IncidentId::new("9d385017c611228701d22104cc95c371"))
}

fn id() -> TransferId {
    TransferId::new("t")
}

fn outgoing(name: &str, bytes: u64) -> OutgoingFile {
    OutgoingFile { file: FileId::new(name), name: name.to_owned(), bytes }
}

fn incoming() -> Cargo {
    Cargo::ToIncident(IncomingFile {
        external_id: ExternalId::new("x"),
        attachment: AttachmentId::new("a"),
        name: "a.png".to_owned(),
    })
}

impl Clock for &World {
    fn now(&self) -> Timestamp {
        World::now(self)
    }
}

impl World {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + self.seconds.get()).unwrap()
    }
}

impl Timer for &World {
    async fn sleep(&self, wait: SignedDuration) {
        self.seconds.set(self.seconds.get() + wait.as_secs());
    }
}

impl Randomness for &World {
    fn entropy(&self) -> Entropy {
        Entropy::new([0; 16])
    }

    fn attempt(&self) -> AttemptId {
        self.attempts.set(self.attempts.get() + 1);
        AttemptId::new(self.attempts.get().to_string())
    }

    fn spread(&self) -> u32 {
        0
    }
}

impl FileQueue for &World {
    type Error = QueueError;

    async fn send(&self, _: &TransferMessage, delay: SignedDuration) -> Result<(), QueueError> {
        self.queued.borrow_mut().push(delay.as_secs());
        Ok(())
    }
}

impl HintSink for &World {
    async fn send(&self, hint: &Hint, _: &DeduplicationId) -> Result<(), QueueError> {
        self.hints.borrow_mut().push(hint.clone());
        Ok(())
    }

    async fn send_all(&self, _: &[(Hint, DeduplicationId)]) -> Result<(), QueueError> {
        unreachable!("one transfer has one hint")
    }
}

impl IncidentFiles for &World {
    type Content = Pieces;

    async fn read_file(&self, _: &LinkKey, file: &FileId) -> Result<Pieces, Failure> {
        let files = self.incident.borrow();
        let found = files.iter().find(|(name, _)| name == file.as_str());
        let message = || "No such file".to_owned();
        let (_, bytes) = found.ok_or_else(|| Failure::Refused { refusal: Refusal::NotFound, message: message() })?;
        Ok(Pieces { bytes: bytes.clone(), breaks: false })
    }

    async fn write_file(&self, _: &LinkKey, file: &NewFile, content: &mut impl Content) -> Result<FileAnswer, Failure> {
        let mut whole = Vec::new();
        while let Some(piece) = content.next().await? {
            whole.extend(piece);
        }
        self.fails()?;
        self.note(format!("attach {} {} {}", file.name, file.content_type, String::from_utf8_lossy(&whole)));
        let applied = FileAnswer { outcome: FileOutcome::Applied, error: String::new() };
        Ok(self.answer.borrow_mut().take().unwrap_or(applied))
    }
}

impl CaseFiles for &World {
    type Content = Pieces;

    async fn add_to_set(
        &self,
        _: &AccountId,
        set: Option<&str>,
        name: &str,
        content: Vec<u8>,
    ) -> Result<OpenSet, Failure> {
        self.note(format!("add {name} to {} {}", set.unwrap_or("a new set"), String::from_utf8_lossy(&content)));
        self.fails()?;
        Ok(OpenSet { id: "set".to_owned(), until: World::now(self) + SignedDuration::from_hours(1) })
    }

    async fn begin_upload(&self, _: &AccountId, name: &str, bytes: u64) -> Result<Upload, Failure> {
        self.fails()?;
        self.note(format!("begin {name}"));
        Ok(Upload::begun("u".to_owned(), 4_000_000, 2, bytes, World::now(self)).unwrap())
    }

    async fn send_part(
        &self,
        _: &AccountId,
        _: &Upload,
        _: &str,
        part: u32,
        bytes: u64,
        content: &mut impl Content,
    ) -> Result<SentPart, Failure> {
        let mut read = 0;
        while let Some(piece) = content.next().await? {
            read += piece.len();
        }
        self.fails()?;
        assert_eq!(read as u64, bytes);
        self.note(format!("part {part}"));
        Ok(SentPart { index: part, tag: part.to_string() })
    }

    async fn complete_upload(&self, _: &AccountId, _: &Upload) -> Result<UploadStatus, Failure> {
        self.fails()?;
        self.note("complete".to_owned());
        Ok(UploadStatus::NotReady)
    }

    async fn upload_status(&self, _: &AccountId, _: &str) -> Result<UploadStatus, Failure> {
        self.fails()?;
        self.note("ask".to_owned());
        Ok(UploadStatus::Ready)
    }

    async fn read_file(&self, _: &AccountId, _: &AttachmentId) -> Result<OpenFile<Pieces>, Failure> {
        self.fails()?;
        let bytes = self.case.borrow().clone();
        let announced = bytes.len() as u64 + u64::from(self.case_breaks.get());
        Ok(OpenFile { bytes: announced, content: Pieces { bytes, breaks: self.case_breaks.get() } })
    }
}

#[tokio::test]
async fn small_files_go_into_one_set_and_the_link_is_woken() {
    let world = World::default();
    world.incident.borrow_mut().extend([("a".to_owned(), b"one".to_vec()), ("b".to_owned(), b"second".to_vec())]);
    world.order(Cargo::ToRecord(vec![outgoing("a", 3), outgoing("b", 6)])).await;
    assert_eq!(world.run().await, 0);
    assert_eq!(*world.done.borrow(), ["add a to a new set one", "add b to set second"]);
    let state = world.state().await;
    assert!(matches!(state.end, Some(End::Ready(_))), "{state:?}");
    let hints = world.hints.borrow();
    assert_eq!((hints.len(), hints[0].cause), (1, Cause::FileMoved));
}

#[tokio::test]
async fn a_large_file_goes_in_parts_and_a_worker_that_takes_over_sends_only_the_rest() {
    let world = World::default();
    let bytes = 5_000_001;
    world.incident.borrow_mut().push(("a".to_owned(), vec![7; bytes]));
    world.order(Cargo::ToRecord(vec![outgoing("a", bytes as u64)])).await;
    // The first worker has sent one part when it dies.
    let answer = world.ledger.take_transfer(&link(), &id(), &AttemptId::new("dead"), world.now(), world.now()).await;
    let TransferAnswer::Taken { lease, mut transfer } = answer.unwrap() else { panic!("it is free") };
    transfer.upload_begun(Upload::begun("u".to_owned(), 4_000_000, 2, bytes as u64, world.now()).unwrap());
    transfer.part_sent(SentPart { index: 1, tag: "1".to_owned() }, "half".to_owned());
    world.ledger.record_transfer(&lease, &transfer, false).await.unwrap();
    assert_eq!(world.run().await, 0);
    assert_eq!(*world.done.borrow(), ["part 2", "complete", "ask"]);
    let state = world.state().await;
    // head -c 5000001 /dev/zero | tr '\0' '\007' | sha256sum gives the same digits as the stream's own hash.
    let FileFate::Moved { sha256 } = &state.fates[0] else { panic!("{state:?}") };
    assert_eq!(sha256.len(), 64);
}

#[tokio::test]
async fn a_file_of_the_case_streams_to_the_incident_with_its_type() {
    let world = World::default();
    *world.case.borrow_mut() = b"picture".to_vec();
    world.order(incoming()).await;
    assert_eq!(world.run().await, 0);
    assert_eq!(*world.done.borrow(), ["attach a.png image/png picture"]);
    assert_eq!(world.state().await.end, Some(End::Done));
}

#[tokio::test]
async fn a_download_that_breaks_is_a_failure_of_aws_and_is_tried_again() {
    let world = World::default();
    *world.case.borrow_mut() = b"picture".to_vec();
    world.case_breaks.set(true);
    world.order(incoming()).await;
    assert_eq!(world.run().await, 0);
    assert!(world.done.borrow().is_empty());
    let state = world.state().await;
    assert_eq!((state.end, state.failures > 3), (None, true));
    assert!(world.queued.borrow()[0] > 10, "a longer wait is a message of its own");
}

#[tokio::test]
async fn an_empty_file_and_one_that_servicenow_refuses_stay() {
    let world = World::default();
    world.order(incoming()).await;
    world.run().await;
    assert_eq!(world.state().await.fates, [FileFate::Refused { refusal: FileRefusal::Empty }]);
    let world = World::default();
    *world.case.borrow_mut() = b"x".to_vec();
    *world.answer.borrow_mut() = Some(FileAnswer { outcome: FileOutcome::Refused, error: "type".to_owned() });
    world.order(incoming()).await;
    world.run().await;
    let refusal = FileRefusal::NotAccepted { by: Side::ServiceNow, reason: "type".to_owned() };
    assert_eq!(world.state().await.fates, [FileFate::Refused { refusal }]);
}

#[tokio::test]
async fn a_lost_answer_of_an_addition_begins_a_new_set() {
    let world = World::default();
    world.incident.borrow_mut().push(("a".to_owned(), b"one".to_vec()));
    world.failures.borrow_mut().push(Failure::InDoubt { message: "no answer".to_owned() });
    world.order(Cargo::ToRecord(vec![outgoing("a", 3)])).await;
    world.run().await;
    assert_eq!(*world.done.borrow(), ["add a to a new set one", "add a to a new set one"]);
}

#[tokio::test]
async fn a_file_of_another_size_than_its_record_says_waits() {
    let world = World::default();
    world.incident.borrow_mut().push(("a".to_owned(), b"longer".to_vec()));
    world.order(Cargo::ToRecord(vec![outgoing("a", 3)])).await;
    world.run().await;
    assert!(world.done.borrow().is_empty());
    assert_eq!(world.state().await.end, None);
}

#[tokio::test]
async fn without_time_for_a_step_the_worker_sends_itself_a_message() {
    let world = World::default();
    *world.case.borrow_mut() = b"x".to_vec();
    world.order(incoming()).await;
    let deadline = world.now() + TIME_FOR_A_STEP - SignedDuration::from_secs(1);
    assert_eq!(world.run_until(deadline).await, 0);
    assert_eq!(*world.queued.borrow(), [0]);
    assert_eq!(world.run().await, 0, "the lease is free again");
    assert_eq!(world.state().await.end, Some(End::Done));
}

#[tokio::test]
async fn while_a_message_is_under_way_further_ones_end_without_another() {
    let world = World::default();
    world.order(incoming()).await;
    world.case_breaks.set(true);
    *world.case.borrow_mut() = b"x".to_vec();
    while world.queued.borrow().is_empty() {
        world.run().await;
    }
    let delay = world.queued.take()[0];
    let tried = world.done.borrow().len();
    assert_eq!(world.run().await, 0);
    assert_eq!(world.done.borrow().len(), tried, "an order that was given again");
    assert!(world.queued.borrow().is_empty());
    world.case_breaks.set(false);
    world.seconds.set(world.seconds.get() + delay);
    assert_eq!(world.run().await, 0);
    assert_eq!(world.state().await.end, Some(End::Done));
}

#[tokio::test]
async fn a_transfer_that_another_worker_holds_or_that_nobody_ordered_is_left_alone() {
    let world = World::default();
    assert_eq!(world.run().await, 0);
    world.order(incoming()).await;
    let until = world.now() + SignedDuration::from_mins(15);
    world.ledger.take_transfer(&link(), &id(), &AttemptId::new("other"), world.now(), until).await.unwrap();
    assert_eq!(world.run().await, 0);
    assert!(world.done.borrow().is_empty() && world.hints.borrow().is_empty());
}

#[tokio::test]
async fn a_message_of_another_form_comes_again_and_is_parked_by_the_queue() {
    let world = World::default();
    let response = world.mover().handle(event("{}"), &Policy::default(), world.now()).await;
    assert_eq!(response.batch_item_failures[0].item_identifier, "1");
}
