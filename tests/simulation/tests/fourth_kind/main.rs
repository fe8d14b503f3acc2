//! A kind of link that only this folder knows: a ticket with a status and notes. Its links are made, delivered and
//! resolved by the loop that all kinds share, also under faults. No code outside this folder names the kind.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod desk;
mod kind;

use std::rc::Rc;

use casebridge_core::{
    failure::Failure,
    hint::{Cause, Hint, Subject},
    identifiers::{IncidentId, JournalEntryId, LinkKey},
    link::{
        Link,
        mark::{Entropy, Mark},
        pass::Pass,
        plan::Effect,
        trouble::{Request, Side},
    },
    policy::Policy,
    servicenow::incident::IncidentState,
};
use casebridge_executor::Report;
use casebridge_simulation::{
    calls::{Fate, RemoteCall},
    handlers,
    random::Random,
    script::{Handle, Script},
};
use jiff::{SignedDuration, Timestamp};

use desk::{TicketCarrier, TicketDesk};
use kind::{MARKS_KNOWN_FOR, TicketCall, TicketKind};

/// The time that a worker has.
const WORKER_TIME: SignedDuration = SignedDuration::from_secs(120);
/// How many worlds with faults are run.
const WORLDS: u64 = 300;
/// How many passes bring every world to rest after its faults have ended. They are a minute apart, so that L is over by
/// then.
const CALM_PASSES: usize = 40;

/// An incident with a ticket. The test controls both sides.
struct Story {
    script: Script,
    incident: Handle,
    tickets: Rc<TicketDesk>,
}

impl Story {
    fn new() -> Self {
        // Only the test starts passes.
        let mut script = Script::with(|settings| {
            settings.hints = false;
            settings.wakes = false;
            settings.polling = SignedDuration::from_hours(100_000);
        });
        let incident = script.open("It does not answer.");
        Self { script, incident, tickets: Rc::default() }
    }

    /// Lets a worker look at the link. Returns its report. Returns `None` if the ledger failed.
    fn pass(&mut self) -> Option<Report> {
        let mut executor = handlers::executor(&self.script.life.desk);
        executor.limits = reconciler::limits(WORKER_TIME);
        let key = LinkKey::support_case(self.incident.clone());
        let carrier = TicketCarrier::new(self.tickets.clone());
        let hint = Hint {
            subject: Subject::Link { key: key.clone() },
            cause: Cause::Replay,
            received_at: self.script.life.now(),
            claim: None,
        };
        self.script.life.work(async move { executor.reconcile_with::<TicketKind>(&carrier, &hint, &key).await.ok() })
    }

    /// Makes passes until nothing is left to do. The lease of a worker that died ends meanwhile.
    fn settle(&mut self) {
        for _ in 0..CALM_PASSES {
            self.script.wait(60);
            self.pass();
        }
        let report = self.pass().unwrap();
        assert_eq!((report.effects, report.waits), (Vec::new(), Vec::new()), "{}", self.script.story());
    }

    fn state(&self) -> IncidentState {
        self.script.state(&self.incident)
    }
}

#[test]
fn an_incident_gets_a_ticket_and_comments_and_notes_cross_once() {
    let mut story = Story::new();
    story.script.comment(&story.incident.clone(), "Any news?");
    story.settle();
    assert_eq!(story.tickets.count(), 1);
    assert_eq!(story.tickets.notes_with("Any news?"), 1);
    story.tickets.note("Restart it.");
    story.script.comment(&story.incident.clone(), "It is back.");
    story.settle();
    assert_eq!(story.script.count_on_incident(&story.incident, "Restart it."), 1);
    assert_eq!(story.tickets.notes_with("It is back."), 1);
    assert_eq!(story.script.sync_status(&story.incident), ("in_sync".to_owned(), String::new()));
}

#[test]
fn an_end_on_either_side_ends_the_other() {
    let mut story = Story::new();
    story.settle();
    story.script.set_state(&story.incident.clone(), IncidentState::Resolved);
    story.settle();
    assert!(story.tickets.is_closed());

    let mut story = Story::new();
    story.settle();
    story.tickets.note("Solved.");
    story.tickets.close();
    story.settle();
    assert_eq!(story.state(), IncidentState::Resolved);
    assert_eq!(story.script.count_on_incident(&story.incident, "Solved."), 1);
}

#[test]
fn a_ticket_that_the_account_refuses_is_told_and_opened_later() {
    let mut story = Story::new();
    story.tickets.refuse(1);
    story.pass();
    assert_eq!(story.script.sync_status(&story.incident).0, "error");
    for _ in 0..12 {
        story.script.wait(600);
        story.pass();
    }
    assert_eq!(story.tickets.count(), 1);
    assert_eq!(story.script.sync_status(&story.incident).0, "in_sync");
}

/// The call that adds a note carries a token, so that its repeat need not wait for L.
#[test]
fn a_call_with_a_token_is_made_again_until_it_is_answered_and_applied_once() {
    for is_applied in [true, false] {
        let mut story = Story::new();
        story.settle();
        story.script.comment(&story.incident.clone(), "It is back.");
        story.tickets.lose_then_refuse(is_applied);
        story.tickets.lag(true);
        for _ in 0..3 {
            story.pass();
            story.script.wait(20);
        }
        assert_eq!(story.tickets.notes_with("It is back."), 1, "{is_applied}");
        assert_eq!(story.tickets.asked(), 3, "the first, one that was refused, and one that was answered");
        story.tickets.lag(false);
        story.settle();
        assert_eq!(story.tickets.notes_with("It is back."), 1, "{is_applied}");
        assert_eq!(story.script.sync_status(&story.incident), ("in_sync".to_owned(), String::new()));
    }
}

#[test]
fn a_call_with_a_token_is_made_again_after_a_wait_and_while_the_token_is_known() {
    let (now, policy) = (Timestamp::UNIX_EPOCH, Policy::default());
    let key = LinkKey::support_case(IncidentId::new("0123456789abcdef0123456789abcdef"));
    let mark = Mark::draw(Entropy::new([1; 16]), &key, 1);
    let mut pass = Pass::<TicketKind>::new(key, Link::default());
    let entry = (JournalEntryId::new("e1"), now);
    let effect = Effect::Call(TicketCall::AddNote { mark, text: "It is back.".to_owned(), entry });
    assert!(pass.begin(&effect, now));
    let lost = Failure::InDoubt { message: "the connection was closed".to_owned() };
    assert_eq!(pass.not_answered(&policy, &lost, now, 0), Ok(false), "nobody looks for it");
    assert!(pass.link.troubles.blocking(Side::Aws, &Request::Read, now).is_some());
    let still_known = now + MARKS_KNOWN_FOR - SignedDuration::from_millis(1);
    assert!(pass.begin(&effect, still_known), "the repeat is recorded");
    assert!(!pass.begin(&effect, still_known), "and a further one changes nothing");
    assert_eq!(pass.link.intents, 1);
    assert!(pass.begin(&effect, now + MARKS_KNOWN_FOR));
    assert_eq!(pass.link.intents, 2, "it is a new call");
}

#[test]
fn the_calls_of_a_pass_are_counted() {
    let mut story = Story::new();
    let before = story.script.all_calls();
    let report = story.pass().unwrap();
    assert!(report.calls > 0);
    assert_eq!(u64::from(report.calls), story.script.all_calls() - before);
}

/// What a call would repeat is recorded with its intent.
#[test]
fn a_link_that_is_too_large_for_the_ledger_says_so_on_its_incident() {
    let mut story = Story::new();
    story.settle();
    story.script.comment(&story.incident.clone(), &"A long text. ".repeat(40_000));
    assert!(story.pass().unwrap().full);
    let (status, error) = story.script.sync_status(&story.incident);
    assert_eq!(status, "error");
    assert!(error.contains("remembers more of this incident than one link can hold"), "{error}");
    assert_eq!(story.tickets.asked(), 0, "no call is made that is not recorded");
}

/// Sets a fault for the next call to the ledger or to ServiceNow.
fn order_a_fault(story: &mut Story, random: &mut Random) {
    let calls = [
        RemoteCall::TakeLease,
        RemoteCall::Record,
        RemoteCall::Record,
        RemoteCall::Release,
        RemoteCall::Snapshot,
        RemoteCall::Deliver,
        RemoteCall::Deliver,
    ];
    let fates = [Fate::AnswerLost, Fate::Refused, Fate::DiedAfter, Fate::DiedBefore];
    let (call, fate) = (*random.pick(&calls), *random.pick(&fates));
    story.script.fate(call, &[fate]);
}

#[test]
fn nothing_is_lost_or_doubled_whatever_fails() {
    for seed in 0..WORLDS {
        let mut random = Random::new(seed);
        let mut story = Story::new();
        let mut texts = Vec::new();
        for deed in 0..6 {
            let text = format!("Text {deed} of {seed}.");
            if random.chance(500) || story.tickets.count() == 0 {
                story.script.comment(&story.incident.clone(), &text);
                texts.push((text, true));
            } else {
                story.tickets.note(&text);
                texts.push((text, false));
            }
            for _ in 0..random.below(3) {
                if random.chance(600) {
                    order_a_fault(&mut story, &mut random);
                }
                story.tickets.break_calls(&mut random);
                story.pass();
                story.script.wait(random.between(1, 200));
            }
        }
        story.tickets.mend();
        story.script.life.desk.world.borrow_mut().faults.stop();
        story.settle();
        assert_eq!(story.tickets.count(), 1, "seed {seed}\n{}", story.script.story());
        for (text, is_comment) in texts {
            let times = if is_comment {
                story.tickets.notes_with(&text)
            } else {
                story.script.count_on_incident(&story.incident, &text)
            };
            assert_eq!(times, 1, "seed {seed}: {text}\n{}", story.script.story());
        }
    }
}
