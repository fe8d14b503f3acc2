//! Calls of AWS Support, with the ordered faults.

use super::exchange::Outcome;
use super::simulator::Simulator;
use crate::clock;
use crate::faults::{Fault, Kind, ReceivedCall, Target};
use crate::support::json::{access_key_id, error_response, handle, operation};
use crate::wire::{Request, Response};

const ERRORS: Errors =
    Errors { server_error: "InternalServerError", throttled: "ThrottlingException", response: error_response };

pub(super) fn answer(simulator: &Simulator, request: &Request) -> Outcome {
    let now = clock::now();
    let key = access_key_id(request);
    let account = key.and_then(|key| simulator.support(|support| support.account_of_key(key).map(ToOwned::to_owned)));
    let call = ReceivedCall {
        target: Target::Support,
        operation: operation(request),
        account: account.as_deref(),
        path: &request.path,
        body: &request.body,
    };
    let happen = || simulator.support(|support| handle(support, now, request));
    simulator.call(now, &call, |fault| with_fault(fault, &ERRORS, happen))
}

/// The error answers of a service of AWS.
pub(super) struct Errors {
    pub server_error: &'static str,
    pub throttled: &'static str,
    pub response: fn(&str, &str) -> Response,
}

/// Returns the outcome of a call with this fault.
pub(super) fn with_fault(fault: Option<&Fault>, errors: &Errors, happen: impl Fn() -> Response) -> Outcome {
    let refuse = |code: &Option<String>, otherwise: &str, message: &str| {
        Outcome::Answer((errors.response)(code.as_deref().unwrap_or(otherwise), message))
    };
    match fault {
        None => Outcome::Answer(happen()),
        Some(Fault { kind: Kind::Timeout, .. }) => Outcome::Hold,
        Some(Fault { kind: Kind::ApplyThenDrop, .. }) => {
            happen();
            Outcome::Drop
        }
        Some(Fault { kind: Kind::ApplyThenTimeout, .. }) => {
            happen();
            Outcome::Hold
        }
        Some(Fault { kind: Kind::Throttle, error, .. }) => refuse(error, errors.throttled, "Rate exceeded"),
        // A rule for AWS can't stop an instance: the control API refuses it.
        Some(Fault { kind: Kind::Error | Kind::Stop, error, .. }) => {
            refuse(error, errors.server_error, "The call failed on order.")
        }
    }
}
