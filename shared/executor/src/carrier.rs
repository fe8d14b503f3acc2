//! Who makes the reads and calls that a kind of link decides on.

use std::future::Future;

use casebridge_core::{
    failure::Failure,
    link::{kind::Kind, pass::Pass, plan::Plan},
    policy::Policy,
};
use casebridge_ledger::LedgerError;
use jiff::Timestamp;

/// Makes the reads and calls of one kind of link, each as it stands. It decides nothing.
pub trait Carrier<K: Kind> {
    /// Hears of a plan before it is applied, of what it was made from, and of the moment. It changes nothing about it.
    fn planned(&self, policy: &Policy, pass: &Pass<K>, plan: &Plan<K::Call>, now: Timestamp);

    /// Makes a read. The inner error is the failure of the AWS side, which is noted as something to wait for.
    ///
    /// # Errors
    ///
    /// Fails if the ledger does.
    fn read(&self, read: &K::Read) -> impl Future<Output = Result<Result<K::Seen, Failure>, LedgerError>>;

    /// Makes a call, once. It is written down as an intent before.
    ///
    /// # Errors
    ///
    /// Fails if the call was refused, could not be made, or was made with an outcome that nobody knows.
    fn call(&self, call: &K::Call) -> impl Future<Output = Result<K::Done, Failure>>;
}
