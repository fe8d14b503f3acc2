//! Looks that a test or a judge asks for.

use std::{cell::RefCell, future::Future, rc::Rc};

use casebridge_core::{
    hint::{Cause, Hint, Subject},
    identifiers::LinkKey,
};
use casebridge_executor::{Executor, Ports, Report};

use super::{
    Life,
    process::{Duty, RECONCILER_TIMEOUT},
};
use crate::handlers;

impl Life {
    /// Lets a worker look at a link once more. Returns its report. Returns `None` if the ledger failed or the worker
    /// died.
    pub fn look_again(&mut self, key: &LinkKey) -> Option<Report> {
        self.look_at(Subject::Link { key: key.clone() })
    }

    /// Lets a worker look at the subject of a hint. Returns its report, see [`Self::look_again`].
    pub fn look_at(&mut self, subject: Subject) -> Option<Report> {
        self.look(subject, Cause::Replay)
    }

    /// Lets a worker look at a link for this cause. Returns its report, see [`Self::look_again`].
    pub fn look_because(&mut self, cause: Cause, key: &LinkKey) -> Option<Report> {
        self.look(Subject::Link { key: key.clone() }, cause)
    }

    fn look(&mut self, subject: Subject, cause: Cause) -> Option<Report> {
        let received_at = self.now();
        self.look_for(&Hint { subject, cause, received_at, claim: None })
    }

    /// Lets a worker act on a hint. Returns its report, see [`Self::look_again`].
    pub fn look_for(&mut self, hint: &Hint) -> Option<Report> {
        self.look_with(hint, handlers::executor(&self.desk))
    }

    /// Lets a worker act on a hint over ports of its own. Returns its report, see [`Self::look_again`].
    pub fn look_with(&mut self, hint: &Hint, executor: Executor<impl Ports + 'static>) -> Option<Report> {
        let executor = Executor { limits: reconciler::limits(RECONCILER_TIMEOUT), ..executor };
        let hint = hint.clone();
        self.work(async move { executor.reconcile(&hint).await.ok() })
    }

    /// Runs this work as a process, and the world with it, until no process is left. Returns its result. Returns `None`
    /// if the work returned none or the worker died.
    pub fn work<T: 'static>(&mut self, work: impl Future<Output = Option<T>> + 'static) -> Option<T> {
        let outcome: Rc<RefCell<Option<T>>> = Rc::default();
        let slot = outcome.clone();
        let future = async move {
            let done = work.await;
            let ok = done.is_some();
            slot.replace(done);
            ok
        };
        self.start(Duty::Check, "check".to_owned(), future);
        while !self.processes.is_empty() && self.step() {}
        outcome.take()
    }
}
