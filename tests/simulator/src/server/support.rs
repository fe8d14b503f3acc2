//! Calls of AWS Support, with the faults on order.

use super::exchange::Outcome;
use super::world::World;
use crate::clock;
use crate::faults::{Call, Fault, Kind, Target};
use crate::support::json::{access_key_id, error_response, handle, operation};
use crate::wire::Request;

const SERVER_ERROR: &str = "InternalServerError";
const THROTTLED: &str = "ThrottlingException";

pub(super) fn answer(world: &World, request: &Request) -> Outcome {
    let now = clock::now();
    let key = access_key_id(request);
    let account = key.and_then(|key| world.support(|support| support.account_of_key(key).map(ToOwned::to_owned)));
    let call = Call {
        target: Target::Support,
        operation: operation(request),
        account: account.as_deref(),
        path: &request.path,
        body: &request.body,
    };
    let happen = || world.support(|support| handle(support, now, request));
    world.call(now, &call, |fault| match fault {
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
        Some(Fault { kind: Kind::Throttle, error, .. }) => {
            let code = error.as_deref().unwrap_or(THROTTLED);
            Outcome::Answer(error_response(code, "Rate exceeded"))
        }
        // Rules for AWS Support never stop an instance: they are refused when they are given.
        Some(Fault { kind: Kind::Error | Kind::Stop, error, .. }) => {
            let code = error.as_deref().unwrap_or(SERVER_ERROR);
            Outcome::Answer(error_response(code, "The call failed on order."))
        }
    })
}
