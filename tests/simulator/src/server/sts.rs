//! Calls of AWS STS, with the ordered faults.

use super::exchange::Outcome;
use super::support::{Errors, with_fault};
use super::world::World;
use crate::clock;
use crate::faults::{Call, Target};
use crate::support::json::access_key_id;
use crate::support::sts::{error_response, handle, operation};
use crate::wire::Request;

const ERRORS: Errors = Errors { server_error: "InternalFailure", throttled: "Throttling", response: error_response };

pub(super) fn answer(world: &World, request: &Request) -> Outcome {
    let now = clock::now();
    let key = access_key_id(request);
    let account = key.and_then(|key| world.support(|support| support.account_of_key(key).map(ToOwned::to_owned)));
    let operation = operation(request);
    let call = Call {
        target: Target::Sts,
        operation: &operation,
        account: account.as_deref(),
        path: &request.path,
        body: &request.body,
    };
    let happen = || world.support(|support| handle(support, now, request));
    world.call(now, &call, |fault| with_fault(fault, &ERRORS, happen))
}
