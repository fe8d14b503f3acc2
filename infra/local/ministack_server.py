"""Starts the local AWS with four changes that make it behave more like AWS.

- Groups of a FIFO queue run at the same time. The stock server runs one batch at a time, which would hide every race
  between two links.
- A batch of messages needs the permission for a single message. The stock server asks for actions that IAM does not
  have.
- An event reaches the bus of another account and keeps its account and its source, as when a rule forwards it there.
  The stock server knows no buses of other accounts, and refuses what only AWS itself puts on a bus.
- The last log lines of an invocation are read. The stock server stops 5 ms after a line. On a busy machine the
  remaining lines then appear with the next invocation of the same process, or not at all.

The changed functions are private. So requirements-ministack.txt names an exact version, and the check below compares
it.
"""

import functools
import importlib.metadata
import sys

from ministack import app
from ministack.core import iam_actions, lambda_runtime, responses
from ministack.core.arn import ArnParseError, parse_arn
from ministack.services import eventbridge, lambda_svc

VERSION = "1.5.33"
DEFAULT_CONCURRENCY = 5
# An invocation's log counts as read when no further line has come for the first time, and at the latest after the
# second one: a process on a busy machine writes with pauses. Every answer waits for at least the first time.
LOG_QUIET_SECONDS = 0.05
LOG_SECONDS_MAX = 2.0
SINGLE_ACTIONS = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
stock_action = iam_actions.extract_iam_action
stock_put_events = eventbridge._put_events


def concurrency(mapping: dict, function: dict, config: dict, queue: dict | None = None) -> int:
    """Returns how many batches of one mapping may be in flight. Its queue still delivers one batch per group."""
    # A value from a template's parameter is text.
    limit = int((mapping.get("ScalingConfig") or {}).get("MaximumConcurrency") or DEFAULT_CONCURRENCY)
    reserved = lambda_svc._reserved_concurrency(function, config)
    return limit if reserved is None else min(limit, reserved)


def action(*request) -> str | None:
    """Returns the IAM action of a request, or None."""
    found = stock_action(*request)
    return SINGLE_ACTIONS.get(found, found)


def put_events(data: dict, **options):
    """Puts events on a bus. Events that name a bus of another account count as forwarded by a rule of the caller."""
    entries = data.get("Entries", [])
    buses = [foreign_bus(entry) for entry in entries]
    if not all(buses):
        return stock_put_events(data, **options)
    sender = responses.get_account_id()
    results = [forward(entry, bus, sender) for entry, bus in zip(entries, buses, strict=True)]
    failed = sum("ErrorCode" in result for result in results)
    return responses.json_response({"FailedEntryCount": failed, "Entries": results})


def foreign_bus(entry: dict):
    """Returns the bus that an event is for if another account owns it, or else None."""
    try:
        bus = parse_arn(entry.get("EventBusName") or "")
    except ArnParseError:
        return None
    return bus if bus.account_id != responses.get_account_id() else None


def forward(entry: dict, bus, sender: str) -> dict:
    """Hands an event of the sender's account to the rules of another account's bus."""
    name = bus.resource.removeprefix("event-bus/")
    event = {
        "EventId": responses.new_uuid(),
        "Source": entry["Source"],
        "DetailType": entry["DetailType"],
        "Detail": entry["Detail"],
        "EventBusName": name,
        "Time": int(entry["Time"]),
        "Resources": entry.get("Resources", []),
        "Account": sender,
        "Region": responses.get_region(),
    }
    responses.set_request_account_id(bus.account_id)
    try:
        if name not in eventbridge._event_buses:
            return {"ErrorCode": "ResourceNotFoundException", "ErrorMessage": f"Event bus {name} does not exist."}
        eventbridge._dispatch_event(event)
        return {"EventId": event["EventId"]}
    finally:
        responses.set_request_account_id(sender)


def read_whole_logs() -> None:
    """Lets workers wait longer for the last lines of an invocation's log."""
    stock = lambda_runtime.Worker._drain_stderr_bounded
    defaults = {"idle_confirm": LOG_QUIET_SECONDS, "hard_cap": LOG_SECONDS_MAX}
    lambda_runtime.Worker._drain_stderr_bounded = functools.partialmethod(stock, **defaults)


def main() -> None:
    """Makes the changes and serves until it is told to stop."""
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        sys.exit(f"ministack is {found}, but this launcher was written for {VERSION}: run `make clean-tools`.")
    lambda_svc._sqs_esm_concurrency = concurrency
    iam_actions.extract_iam_action = action
    eventbridge._put_events = put_events
    read_whole_logs()
    app.main()


if __name__ == "__main__":
    main()
