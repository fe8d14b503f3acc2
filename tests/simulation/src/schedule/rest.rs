//! How a world comes to rest once people and faults have stopped.

use std::{cmp::Reverse, collections::BTreeSet};

use casebridge_ledger::Ledger;
use jiff::{SignedDuration, Timestamp};

use super::{Event, Life, Scheduled, at_once};
use crate::{handlers::MAXIMUM_SKEW, invariants::Invariant, queue::QueueName, timeline::Place, world::World};

/// The most polls until nothing is left to do. Eight incidents may wait for a quota one after the other, and each looks
/// for late cases for a day.
const CALM_POLLS: u32 = 500;
/// The time after the end of the faults by which every refused request has been made again. The default policy retries
/// every hour.
const TRIED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(150);
/// The most steps that a world takes to come to rest.
const MAXIMUM_STEPS: u64 = 200_000;

impl Life {
    /// Runs the world until nothing is left to do. It is a violation if that takes too many polls or steps.
    pub fn rest(&mut self) {
        self.polls = 0;
        self.quiet_polls = None;
        // Worlds of months take as many steps before this point as other worlds in all.
        let most_steps = self.desk.world.borrow().tally.steps.saturating_add(MAXIMUM_STEPS);
        while !self.is_at_rest() {
            if self.polls > CALM_POLLS || self.desk.world.borrow().tally.steps > most_steps {
                let what = "the world does not come to rest".to_owned();
                self.desk.world.borrow_mut().violate(Invariant::Convergence, what);
                return;
            }
            if !self.step() {
                return;
            }
        }
    }

    /// Whether the polls have read all cases, quiet ones included, and found nothing. Not every poll reads a quiet one.
    /// The pollers' clocks differ.
    fn have_polls_read_all(&self) -> bool {
        self.quiet_polls.is_some_and(|(first, last)| last.duration_since(first) >= self.quiet_turn())
    }

    /// Returns the longest time between two reads of a quiet case, by the world's clock.
    pub(super) fn quiet_turn(&self) -> SignedDuration {
        let turn = self.desk.world.borrow().settings.policy.quiet_case_poll_seconds;
        SignedDuration::from_secs(i64::from(turn)) + MAXIMUM_SKEW * 2
    }

    /// Whether nothing is under way, no link is due, and the polls find nothing.
    fn is_at_rest(&self) -> bool {
        let periodic = |event: &Reverse<Scheduled>| matches!(event.0.event, Event::Poll | Event::Outbox | Event::Queue);
        let world = self.desk.world.borrow();
        self.have_polls_read_all()
            && self.processes.is_empty()
            && world.servicenow.rules.is_empty()
            && world.queue.is_empty()
            && self.wakes_are_idle(&world)
            && world.next_landing().is_none()
            && (!world.webhooks_arrive() || world.servicenow.outbox.iter().all(|row| row.sent))
            && self.next_due().is_none()
            && self.events.iter().all(periodic)
    }

    /// Whether all wakes and transfers are for links that are given up.
    fn wakes_are_idle(&self, world: &World) -> bool {
        (world.wakes.is_empty() && world.transfers.is_empty()) || {
            let given_up = self.given_up_links();
            world.wakes.groups().chain(world.transfers.groups()).all(|group| given_up.contains(group))
        }
    }

    /// Returns when the next link that is not given up is due. Returns `None` if there is none.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let due = at_once(self.desk.ledger.due_links(Timestamp::MAX, usize::MAX));
        let due = due.and_then(Result::ok).unwrap_or_default();
        let given_up = self.given_up_links();
        due.iter().find(|due| !given_up.contains(&due.key.to_string())).map(|due| due.due_at)
    }

    /// Returns the links that are given up, see [`World::given_up_links`]. Empty until every refused request has been
    /// made again.
    pub(super) fn given_up_links(&self) -> BTreeSet<String> {
        let world = self.desk.world.borrow();
        let tried_again = self.calm_since.is_some_and(|since| world.now.duration_since(since) > TRIED_AGAIN_AFTER);
        if !tried_again {
            return BTreeSet::new();
        }
        world.given_up_links()
    }

    /// Whether all links of these messages are given up.
    pub(super) fn are_given_up(&self, queue: QueueName, messages: &[u64]) -> bool {
        let given_up = self.given_up_links();
        let world = &mut *self.desk.world.borrow_mut();
        let queue = world.queue_named(queue);
        messages.iter().all(|message| queue.group_of(*message).is_some_and(|group| given_up.contains(group)))
    }

    /// Ends the random faults and lets the world come to rest. By its settings, pauses and refused accounts end too.
    pub fn calm_down(&mut self) {
        {
            let world = &mut *self.desk.world.borrow_mut();
            world.faults.stop();
            world.servicenow.end_hostility();
            world.end_rotation();
            if !world.settings.stays_paused {
                world.end_pauses();
            }
            if world.settings.accounts_change {
                world.save_those_without_case();
            }
            if !world.settings.stays_refused {
                world.refused_accounts.clear();
            } else if world.refused_accounts.is_empty() {
                world.lose_access(&mut self.people);
            }
            world.note(Place::Bridge, || "--- people and faults stop ---".to_owned());
        }
        self.calm_since = Some(self.now());
        self.rest();
    }
}
