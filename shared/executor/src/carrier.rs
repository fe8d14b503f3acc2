//! What makes the reads and calls that a kind of link decides on.

use std::future::Future;

use casebridge_core::{
    failure::Failure,
    link::{kind::Kind, pass::Pass, plan::Plan},
    policy::Policy,
};
use casebridge_ledger::LedgerError;
use jiff::Timestamp;

/// Makes the reads and calls of one kind of link, just as the core asks for them. It decides nothing.
pub trait Carrier<K: Kind> {
    /// Receives each plan before it is applied, with the policy and the pass that it was made from, and the time. It
    /// can't change the plan.
    fn planned(&self, policy: &Policy, pass: &Pass<K>, plan: &Plan<K::Call>, now: Timestamp);

    /// Makes a read. The inner error is a failure of the AWS side, which the pass records as a trouble.
    ///
    /// # Errors
    ///
    /// Fails if the ledger does.
    fn read(&self, read: &K::Read) -> impl Future<Output = Result<Result<K::Seen, Failure>, LedgerError>>;

    /// Makes a call, once. Its intent is recorded before.
    ///
    /// # Errors
    ///
    /// Fails if the call was refused or could not be made, or if its outcome is not known.
    fn call(&self, call: &K::Call) -> impl Future<Output = Result<K::Done, Failure>>;
}
