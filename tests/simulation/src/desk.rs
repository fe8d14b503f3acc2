//! The desk that every remote call passes. It lets time pass and decides the fate of the call.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    rc::Rc,
    task::{Poll, Waker},
};

use casebridge_ledger::MemoryLedger;
use jiff::{SignedDuration, Timestamp};

use crate::{
    calls::{Fate, RemoteCall},
    faults::Source,
    settings::Settings,
    timeline::Place,
    world::World,
};

/// How long the request of a call takes, and its answer, in a world without random faults.
const STEADY_MILLISECONDS: i64 = 20;

/// What all ports share. Every call passes it.
pub struct Desk {
    /// The world.
    pub world: RefCell<World>,
    /// The ledger.
    pub ledger: Rc<MemoryLedger>,
    wake_at: Cell<Option<Timestamp>>,
    sleepers: RefCell<Vec<Waker>>,
    died: Cell<bool>,
    /// The name of the process that is being polled, for the story and the judges.
    pub current: RefCell<String>,
}

impl Desk {
    /// Returns the desk of a new world.
    pub fn new(settings: Settings) -> Self {
        Self {
            world: RefCell::new(World::new(settings)),
            ledger: Rc::new(MemoryLedger::new()),
            wake_at: Cell::new(None),
            sleepers: RefCell::default(),
            died: Cell::new(false),
            current: RefCell::new(String::new()),
        }
    }

    /// Returns when the process that was just polled wants to go on. Returns `None` if it waits for no time: it has
    /// ended or died.
    pub fn take_wake(&self) -> Option<Timestamp> {
        self.wake_at.take()
    }

    /// Whether the process that was just polled has died.
    pub fn take_death(&self) -> bool {
        self.died.take()
    }

    /// Wakes all parts of a process that wait for time to pass, so that they look at the clock. Parts that wait side by
    /// side are polled only if their own waker is called.
    pub fn wake_sleepers(&self) {
        for sleeper in self.sleepers.take() {
            sleeper.wake();
        }
    }

    /// Waits until this much time has passed. If several parts of a process wait, the process is polled at the earliest
    /// of their times.
    pub fn pause(&self, wait: SignedDuration) -> impl Future<Output = ()> {
        let mut until = None;
        poll_fn(move |context| {
            let now = self.world.borrow().now;
            let until = *until.get_or_insert(now + wait);
            if until <= now {
                return Poll::Ready(());
            }
            let earliest = self.wake_at.get().map_or(until, |earlier| earlier.min(until));
            self.wake_at.set(Some(earliest));
            self.sleepers.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
    }

    /// Marks the process as dead. The future never completes.
    pub fn die(&self) -> impl Future<Output = ()> {
        poll_fn(|_| {
            self.died.set(true);
            Poll::Pending
        })
    }

    /// Sends a call: decides its fate, lets the time of the request pass and adds a line to the story. A fate that the
    /// call can't meet becomes `Refused`. Never completes if the process dies before the call.
    pub async fn arrive(&self, call: RemoteCall, what: impl FnOnce() -> String) -> Fate {
        let (fate, latency) = {
            let world = &mut *self.world.borrow_mut();
            let mut fate = world.faults.next(call, &mut world.random);
            if !call.can_meet(fate) {
                fate = Fate::Refused;
            }
            *world.tally.fates.entry((call, fate)).or_default() += 1;
            (fate, latency(world) + world.delays.get(&call).copied().unwrap_or_default())
        };
        self.pause(latency).await;
        {
            let world = &mut *self.world.borrow_mut();
            let now = world.now;
            world.timeline.fold(now, ((call as u64) << 8) | fate as u64);
            let place = match call {
                RemoteCall::CreateCase
                | RemoteCall::AddCommunication
                | RemoteCall::ResolveCase
                | RemoteCall::DescribeCases
                | RemoteCall::DescribeCommunications => Place::Aws,
                RemoteCall::Snapshot | RemoteCall::Deliver | RemoteCall::Changes => Place::ServiceNow,
                _ => Place::Bridge,
            };
            world.timeline.add(now, place, || {
                let fate = if fate == Fate::Through { String::new() } else { format!("  ** {fate} **") };
                format!("{} {}({}){fate}", self.current.borrow(), call.name(), what())
            });
        }
        if fate == Fate::DiedBefore {
            self.die().await;
        }
        fate
    }

    /// Lets the time of the answer pass. Never completes if the process dies after the call.
    pub async fn leave(&self, fate: Fate) {
        let latency = latency(&mut self.world.borrow_mut());
        self.pause(latency).await;
        if matches!(fate, Fate::DiedAfter | Fate::DiedLandsLate) {
            self.die().await;
        }
    }
}

/// Returns how long the request of a call takes, or its answer.
fn latency(world: &mut World) -> SignedDuration {
    if !matches!(world.settings.faults, Source::Random(_)) {
        return SignedDuration::from_millis(STEADY_MILLISECONDS) + world.delay;
    }
    let slow = world.faults.rates().slow;
    if world.random.chance(slow) {
        return SignedDuration::from_millis(world.random.between(1_000, 12_000));
    }
    SignedDuration::from_millis(world.random.between(5, 150))
}
