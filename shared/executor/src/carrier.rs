//! Who makes the reads and calls that a kind of link decides on.

use std::future::Future;

use casebridge_core::{failure::Failure, link::kind::Kind};
use casebridge_ledger::LedgerError;

/// Makes the reads and calls of one kind of link, each as it stands. It decides nothing.
pub trait Carrier<K: Kind> {
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
