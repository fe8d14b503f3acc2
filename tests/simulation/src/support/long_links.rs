//! What one more message costs on links whose conversation is long.
//!
//! A world writes a conversation on one incident and its case, message by message, with the functions' own handlers and
//! the poller, as in any other world. At each size the next message is handled by one pass over recording ports. The
//! same pass is then repeated over the recorded answers and a ledger that holds this link alone. So its time is that of
//! the product's own code, whatever the simulated sides take to answer.

mod playback;

use std::{
    fmt::Write,
    rc::Rc,
    time::{Duration, Instant},
};

use casebridge_core::{
    hint::{Cause, Hint, Subject},
    identifiers::LinkKey,
    support::Link,
};
use casebridge_executor::{Executor, Report};
use casebridge_ledger::{MemoryLedger, Traffic};
use jiff::SignedDuration;

use crate::{
    calls::RemoteCall,
    ports,
    schedule::at_once,
    script::{Handle, Script},
    support::long_links::playback::{Playback, Seen, Tape},
};

/// How many messages the conversations hold that are measured.
pub const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// The pause after each message, in seconds. The conversation of ten thousand messages takes 16 days, and the default
/// policy's loop breaker never trips.
const PAUSE: i64 = 140;
/// How many messages are written between a rest and the measurement. They take longer than L. So what the link remembers
/// of them does not depend on how long the conversation was before.
const MESSAGES_AFTER_REST: usize = 9;
/// The time that a worker has.
const TIME_LEFT: SignedDuration = SignedDuration::from_secs(60);

/// What one kind of event costs at one size.
#[derive(Debug, Clone)]
pub struct Cost {
    /// What has happened.
    pub event: &'static str,
    /// How many remote calls the pass makes, the ledger's among them.
    pub calls: u32,
    /// What the ledger reads and writes.
    pub ledger: Traffic,
    /// What the two sides show.
    pub seen: Seen,
    /// The time of the fastest pass, without what the two sides take.
    pub time: Duration,
}

/// What a link costs at one size.
#[derive(Debug, Clone)]
pub struct Size {
    /// How many messages of people its conversation holds, half of them from each side.
    pub messages: usize,
    /// How many messages it has got since the size before.
    pub grown_by: usize,
    /// How many pages of DescribeCommunications were read meanwhile, by all functions.
    pub pages_meanwhile: u64,
    /// The bytes of what the ledger holds of the link.
    pub item_bytes: usize,
    /// What one more event costs.
    pub costs: [Cost; 3],
}

/// Writes one conversation and measures it at these sizes, in their order. Times this many passes of each event, at
/// least one.
///
/// # Panics
/// If a message of the conversation is not on the other side once, if a call has broken an invariant, or if a repeated
/// pass does something else than the first one.
pub fn measure(sizes: &[usize], passes: usize, mut measured: impl FnMut()) -> Vec<Size> {
    let mut link = LongLink::new();
    let measure = |messages: &usize| {
        let size = link.measure(*messages, passes);
        measured();
        size
    };
    sizes.iter().map(measure).collect()
}

/// Returns the figures as a table for people.
pub fn table(sizes: &[Size]) -> String {
    let mut text = format!(
        "{:>8}  {:22}{:>6}{:>8}{:>8}{:>8}{:>6}{:>9}{:>9}{:>7}{:>9}{:>10}\n",
        "messages", "event", "calls", "item", "down", "up", "rows", "comments", "replies", "pages", "shown", "time"
    );
    for size in sizes {
        for cost in &size.costs {
            let Cost { event, calls, ledger, seen, time } = cost;
            let _ = writeln!(
                text,
                "{:>8}  {event:22}{calls:>6}{:>8}{:>8}{:>8}{:>6}{:>9}{:>9}{:>7}{:>9}{:>7} us",
                size.messages,
                size.item_bytes,
                ledger.read_bytes,
                ledger.written_bytes,
                ledger.rows,
                seen.entries,
                seen.communications,
                seen.pages,
                seen.bytes,
                time.as_micros(),
            );
        }
    }
    for Size { messages, grown_by, pages_meanwhile, .. } in sizes {
        let _ = writeln!(
            text,
            "up to {messages} messages: {pages_meanwhile} pages of DescribeCommunications for {grown_by} messages"
        );
    }
    text.push_str(
        "item: what the ledger holds of the link; down, up: what a pass reads and writes of it; rows: other rows that\n\
         it writes; comments, replies, pages: what ServiceNow and AWS show it; shown: the same in bytes of JSON;\n\
         time: the fastest pass, without what the two sides take.",
    );
    text
}

/// A link with a conversation that grows.
struct LongLink {
    world: Script,
    incident: Handle,
    key: LinkKey,
    comments: usize,
    replies: usize,
    /// The pages of DescribeCommunications up to the last size.
    pages: u64,
}

impl LongLink {
    fn new() -> Self {
        let mut world = Script::with(|settings| settings.told = false);
        let incident = world.linked();
        let key = LinkKey::support_case(incident.clone());
        Self { world, incident, key, comments: 0, replies: 0, pages: 0 }
    }

    fn messages(&self) -> usize {
        self.comments + self.replies
    }

    fn comment(&mut self) {
        self.comments += 1;
        let text = format!("It still does not answer, whatever we try «c{:05}».", self.comments);
        self.world.comment(&self.incident, &text);
    }

    fn reply(&mut self) {
        self.replies += 1;
        let text = format!("We are looking into it and come back to you «r{:05}».", self.replies);
        self.world.reply(&self.incident, &text);
    }

    /// Lets people write until the conversation holds so many messages.
    fn grow(&mut self, messages: usize) {
        while self.messages() < messages {
            if self.comments <= self.replies {
                self.comment();
            } else {
                self.reply();
            }
            self.world.wait(PAUSE);
        }
    }

    /// Lets the conversation grow to a size, with a rest shortly before its end, and measures one more of each event.
    fn measure(&mut self, messages: usize, passes: usize) -> Size {
        let before = self.messages();
        self.grow(messages.saturating_sub(MESSAGES_AFTER_REST));
        let doubt = self.world.life.desk.world.borrow().settings.policy.unknown_outcome();
        self.world.wait(2 * doubt.as_secs());
        self.grow(messages);
        self.check();
        let pages = self.world.calls(RemoteCall::DescribeCommunications);
        let (item_bytes, reached) = (self.item_bytes(), self.messages());

        self.tell(false);
        self.comment();
        let comment = self.cost("comment", Cause::ServicenowWebhook, passes);
        let own_event = self.cost("event of the comment", Cause::SupportEvent, passes);
        self.reply();
        let reply = self.cost("reply of AWS", Cause::SupportEvent, passes);
        self.tell(true);
        self.check();
        let (grown_by, pages_meanwhile) = (reached - before, pages - self.pages);
        self.pages = pages;
        Size { messages: reached, grown_by, pages_meanwhile, item_bytes, costs: [comment, own_event, reply] }
    }

    /// Whether webhooks and events are sent. While an event is measured, nothing else drives the link.
    fn tell(&mut self, hints: bool) {
        self.world.life.desk.world.borrow_mut().settings.hints = hints;
    }

    /// Checks that every message is on the other side once, and that no call has broken an invariant. The judges of a world
    /// at rest compare each text with all others, which takes longer than ten thousand messages.
    fn check(&self) {
        let violations = &self.world.life.desk.world.borrow().violations;
        assert!(violations.is_empty(), "{violations:?}");
        let on_case = self.world.bodies(&self.incident).len();
        assert_eq!(on_case, 1 + self.messages(), "the description, the comments and the replies are on the case");
        let delivered = self.world.delivered(&self.incident);
        let replies = delivered.iter().filter(|text| text.contains('«')).count();
        assert_eq!(replies, self.replies, "the replies are on the incident");
    }

    fn link(&self) -> Link {
        let found = self.world.life.desk.ledger.link(&self.key);
        found.ok().flatten().expect("the ledger has the link")
    }

    fn item_bytes(&self) -> usize {
        serde_json::to_string(&self.link()).map_or(0, |state| state.len())
    }

    /// Lets a pass handle what has just happened, and measures repeats of this pass.
    fn cost(&mut self, event: &'static str, cause: Cause, passes: usize) -> Cost {
        let desk = self.world.life.desk.clone();
        let (before, tape) = (self.link(), Rc::new(Tape::default()));
        let subject = Subject::Link { key: self.key.clone() };
        let hint = Hint { subject, cause, received_at: self.world.life.now(), claim: None };
        let limits = reconciler::limits(TIME_LEFT);
        let executor = Executor { ports: Playback::record(&desk, &tape), policy: ports::policy(&desk), limits };
        let first = self.world.life.look_with(&hint, executor).expect("no fault strikes the pass");

        let executor = Executor { ports: Playback::repeat(&tape), policy: ports::policy(&desk), limits };
        let (mut ledger, mut time) = (Traffic::default(), Duration::MAX);
        for _ in 0..passes.max(1) {
            executor.ports.rewind(&self.key, &before);
            let read_before = executor.ports.traffic();
            let begun = Instant::now();
            let repeated = repeat(&executor, &hint);
            // Each repeat does the same work, so whatever takes longer than the fastest one is not this work.
            time = time.min(begun.elapsed());
            assert_eq!(repeated.as_ref(), Some(&first), "a repeat of the pass for a {event} does the same");
            ledger = executor.ports.traffic().since(read_before);
        }
        Cost { event, calls: first.calls, ledger, seen: tape.seen(), time }
    }
}

/// Repeats a pass. Not inlined, so that a profiler can tell it from the simulated sides. Returns `None` if it fails.
#[inline(never)]
fn repeat(executor: &Executor<Playback<MemoryLedger>>, hint: &Hint) -> Option<Report> {
    at_once(executor.reconcile(hint))?.ok()
}
