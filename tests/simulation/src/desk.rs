//! The desk at which every remote call passes: time goes by, and the call meets its fate.

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

/// How long one way of a call takes in a world without chance.
const STEADY_MILLISECONDS: i64 = 20;

/// Where all calls pass. What the ports share.
pub struct Desk {
    /// The world.
    pub world: RefCell<World>,
    /// The ledger.
    pub ledger: Rc<MemoryLedger>,
    wake_at: Cell<Option<Timestamp>>,
    sleepers: RefCell<Vec<Waker>>,
    died: Cell<bool>,
    /// Who is being polled, for the story.
    pub current: RefCell<String>,
}

impl Desk {
    /// The desk of a new world.
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

    /// When the one who was just polled wants to go on; none: it has ended or died.
    pub fn take_wake(&self) -> Option<Timestamp> {
        self.wake_at.take()
    }

    /// Whether the one who was just polled has died.
    pub fn take_death(&self) -> bool {
        self.died.take()
    }

    /// Lets whoever waits for time to pass look at the clock. Parts of one process that wait side by side are polled
    /// only when they are woken, each by itself.
    pub fn wake_sleepers(&self) {
        for sleeper in self.sleepers.take() {
            sleeper.wake();
        }
    }

    /// Lets time pass. Of several parts of a process that wait, the one that goes on first decides when it is polled.
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

    /// The process dies here: whoever awaits this is never woken again.
    pub fn die(&self) -> impl Future<Output = ()> {
        poll_fn(|_| {
            self.died.set(true);
            Poll::Pending
        })
    }

    /// A call is on its way: time passes, and its fate is decided. Does not return if the process dies before.
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

    /// The call's answer is on its way. Does not return if the process dies after the call.
    pub async fn leave(&self, fate: Fate) {
        let latency = latency(&mut self.world.borrow_mut());
        self.pause(latency).await;
        if matches!(fate, Fate::DiedAfter | Fate::DiedLandsLate) {
            self.die().await;
        }
    }
}

/// How long one way of a call takes.
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
