//! The desk that has the tickets: each has a status and notes. Calls to it may fail.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use casebridge_core::{
    failure::{Failure, Refusal},
    link::{
        mark::Mark,
        pass::Pass,
        plan::{EFFECTS_PER_PLAN, Plan},
    },
    policy::Policy,
};
use casebridge_executor::Carrier;
use casebridge_ledger::LedgerError;
use casebridge_simulation::random::Random;
use jiff::Timestamp;

use crate::kind::{Done, Question, TicketCall, TicketKind};

/// A note on a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its number on the ticket.
    pub number: u64,
    /// Its text.
    pub text: String,
}

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Its name.
    pub name: String,
    /// Whether it is closed.
    pub is_closed: bool,
    /// Its notes, oldest first.
    pub notes: Vec<Note>,
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Applied,
    AnswerLost,
    NeverArrived,
    Unavailable,
    Refused,
}

/// All tickets.
#[derive(Debug, Default)]
pub struct TicketDesk {
    tickets: RefCell<Vec<Ticket>>,
    /// The outcomes of the next calls. All later ones are applied.
    outcomes: RefCell<VecDeque<Outcome>>,
    /// How many calls are refused before that.
    refusals: Cell<u32>,
    /// Whether reads lag: they show no notes.
    lags: Cell<bool>,
    /// How often casebridge has made the call that adds a note.
    asked: Cell<usize>,
    /// The marks of the notes that casebridge has added.
    marks: RefCell<Vec<Mark>>,
}

impl TicketDesk {
    /// Returns how many tickets there are.
    pub fn count(&self) -> usize {
        self.tickets.borrow().len()
    }

    /// Returns how many notes contain this text.
    pub fn notes_with(&self, text: &str) -> usize {
        let tickets = self.tickets.borrow();
        tickets.iter().flat_map(|ticket| &ticket.notes).filter(|note| note.text.contains(text)).count()
    }

    /// Whether every ticket is closed.
    pub fn is_closed(&self) -> bool {
        self.tickets.borrow().iter().all(|ticket| ticket.is_closed)
    }

    /// How often casebridge has made the call that adds a note.
    pub fn asked(&self) -> usize {
        self.asked.get()
    }

    /// Sets whether reads lag. Reads that lag show no notes.
    pub fn lag(&self, lags: bool) {
        self.lags.set(lags);
    }

    /// Loses the answer of the next call, which is applied or not, and refuses the call after it.
    pub fn lose_then_refuse(&self, is_applied: bool) {
        let lost = if is_applied { Outcome::AnswerLost } else { Outcome::NeverArrived };
        self.outcomes.borrow_mut().extend([lost, Outcome::Refused]);
    }

    /// Somebody writes on the first ticket.
    pub fn note(&self, text: &str) {
        self.change(|ticket| add_note(ticket, text));
    }

    /// Somebody closes the first ticket.
    pub fn close(&self) {
        self.change(|ticket| ticket.is_closed = true);
    }

    /// Refuses this many of the next calls.
    pub fn refuse(&self, calls: u32) {
        self.refusals.set(calls);
    }

    /// Draws the outcome of one more call, which may be a failure.
    pub fn break_calls(&self, random: &mut Random) {
        let outcomes =
            [Outcome::Applied, Outcome::AnswerLost, Outcome::NeverArrived, Outcome::Unavailable, Outcome::Applied];
        self.outcomes.borrow_mut().push_back(*random.pick(&outcomes));
    }

    /// Forgets the outcomes that were set. Refusals that are left still happen.
    pub fn mend(&self) {
        self.outcomes.borrow_mut().clear();
    }

    fn change(&self, change: impl FnOnce(&mut Ticket)) {
        change(self.tickets.borrow_mut().first_mut().unwrap());
    }

    fn next_outcome(&self) -> Outcome {
        if self.refusals.get() > 0 {
            self.refusals.set(self.refusals.get() - 1);
            return Outcome::Refused;
        }
        self.outcomes.borrow_mut().pop_front().unwrap_or(Outcome::Applied)
    }

    fn apply(&self, call: &TicketCall) -> Done {
        match call {
            TicketCall::Open { text, .. } => {
                let mut tickets = self.tickets.borrow_mut();
                let name = format!("TICKET{}", tickets.len() + 1);
                let mut ticket = Ticket { name: name.clone(), is_closed: false, notes: Vec::new() };
                add_note(&mut ticket, text);
                tickets.push(ticket);
                Done::Opened(name)
            }
            TicketCall::AddNote { text, mark, .. } => {
                if !self.marks.borrow().contains(mark) {
                    self.marks.borrow_mut().push(mark.clone());
                    self.note(text);
                }
                Done::Noted
            }
            TicketCall::Close => {
                self.close();
                Done::Closed
            }
        }
    }
}

fn add_note(ticket: &mut Ticket, text: &str) {
    let number = u64::try_from(ticket.notes.len()).unwrap();
    ticket.notes.push(Note { number, text: text.to_owned() });
}

/// Makes the reads and calls of tickets.
pub struct TicketCarrier(Rc<TicketDesk>);

impl TicketCarrier {
    /// Returns a carrier to this desk.
    pub fn new(desk: Rc<TicketDesk>) -> Self {
        Self(desk)
    }
}

impl Carrier<TicketKind> for TicketCarrier {
    fn planned(&self, _: &Policy, _: &Pass<TicketKind>, plan: &Plan<TicketCall>, _: Timestamp) {
        assert!(plan.effects.len() <= EFFECTS_PER_PLAN, "{plan:?}");
    }

    async fn read(&self, question: &Question) -> Result<Result<Option<Ticket>, Failure>, LedgerError> {
        let has_mark = |ticket: &&Ticket, mark: &Mark| ticket.notes.iter().any(|note| mark.is_in(&note.text));
        let mut tickets = self.0.tickets.borrow().clone();
        if self.0.lags.get() {
            for ticket in &mut tickets {
                ticket.notes.clear();
            }
        }
        Ok(Ok(match question {
            Question::Named(name) => tickets.iter().find(|ticket| ticket.name == *name).cloned(),
            Question::Marked(mark) => tickets.iter().find(|ticket| has_mark(ticket, mark)).cloned(),
        }))
    }

    async fn call(&self, call: &TicketCall) -> Result<Done, Failure> {
        let in_doubt = || Failure::InDoubt { message: "the connection was closed".to_owned() };
        self.0.asked.set(self.0.asked.get() + usize::from(matches!(call, TicketCall::AddNote { .. })));
        match self.0.next_outcome() {
            Outcome::Applied => Ok(self.0.apply(call)),
            Outcome::AnswerLost => {
                self.0.apply(call);
                Err(in_doubt())
            }
            Outcome::NeverArrived => Err(in_doubt()),
            Outcome::Unavailable => Err(Failure::Unavailable { message: "slow down".to_owned(), retry_at: None }),
            Outcome::Refused => {
                Err(Failure::Refused { refusal: Refusal::InvalidRequest, message: "no such queue".to_owned() })
            }
        }
    }
}
