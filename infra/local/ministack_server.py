"""Starts the local AWS with four changes that bring it nearer to AWS.

- Groups of a FIFO queue run at the same time. The stock server runs one batch at a time, which would hide every race
  between two links.
- A batch of messages is authorised by the action of the single message. The stock server asks for actions that IAM does
  not have.
- An event reaches the bus of another account and keeps its account and its source, as when a rule forwards it there.
  The stock server knows no buses of other accounts, and refuses what only AWS itself puts on a bus.
- The last log lines of an invocation are read. The stock server stops 5 ms after a line: on a busy machine the rest
  shows with the next invocation of the same process, or never.

What is changed is private, hence the exact version in requirements-ministack.txt and the check below.
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
# For how long no further log line may come until an invocation's log counts as read, and for how long it is read at
# most: a process that does not get the processor for a while writes in pieces. Every answer waits as long as the first.
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
    """The most batches of one mapping in flight. Its queue still delivers one batch per group."""
    # A value from a template's parameter is text.
    limit = int((mapping.get("ScalingConfig") or {}).get("MaximumConcurrency") or DEFAULT_CONCURRENCY)
    reserved = lambda_svc._reserved_concurrency(function, config)
    return limit if reserved is None else min(limit, reserved)


def action(*request) -> str | None:
    """The IAM action of a request."""
    found = stock_action(*request)
    return SINGLE_ACTIONS.get(found, found)


def put_events(data: dict, **options):
    """Puts events on a bus; those that name a bus of another account were forwarded there by a rule of the caller's."""
    entries = data.get("Entries", [])
    buses = [foreign_bus(entry) for entry in entries]
    if not all(buses):
        return stock_put_events(data, **options)
    sender = responses.get_account_id()
    results = [forward(entry, bus, sender) for entry, bus in zip(entries, buses, strict=True)]
    failed = sum("ErrorCode" in result for result in results)
    return responses.json_response({"FailedEntryCount": failed, "Entries": results})


def foreign_bus(entry: dict):
    """The bus that an event is for, if it is another account's."""
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
