//! Calls of AWS STS, with the ordered faults.

use super::exchange::Outcome;
use super::simulator::Simulator;
use super::support::{Errors, with_fault};
use crate::clock;
use crate::faults::{ReceivedCall, Target};
use crate::support::json::access_key_id;
use crate::support::sts::{error_response, handle, operation};
use crate::wire::Request;

const ERRORS: Errors = Errors { server_error: "InternalFailure", throttled: "Throttling", response: error_response };

pub(super) fn answer(simulator: &Simulator, request: &Request) -> Outcome {
    let now = clock::now();
    let key = access_key_id(request);
    let account = key.and_then(|key| simulator.support(|support| support.account_of_key(key).map(ToOwned::to_owned)));
    let operation = operation(request);
    let call = ReceivedCall {
        target: Target::Sts,
        operation: &operation,
        account: account.as_deref(),
        path: &request.path,
        body: &request.body,
    };
    let happen = || simulator.support(|support| handle(support, now, request));
    simulator.call(now, &call, |fault| with_fault(fault, &ERRORS, happen))
}
