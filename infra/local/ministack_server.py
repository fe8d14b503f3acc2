"""Starts the local AWS with two changes that bring it nearer to AWS.

- Groups of a FIFO queue run at the same time. The stock server runs one batch at a time, which would hide every race
  between two links.
- A batch of messages is authorised by the action of the single message. The stock server asks for actions that IAM does
  not have.

What is changed is private, hence the exact version in requirements-ministack.txt and the check below.
"""

import importlib.metadata
import sys

from ministack import app
from ministack.core import iam_actions
from ministack.services import lambda_svc

VERSION = "1.5.33"
DEFAULT_CONCURRENCY = 5
SINGLE_ACTIONS = {
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
stock_action = iam_actions.extract_iam_action


def concurrency(mapping: dict, function: dict, config: dict, queue: dict | None = None) -> int:
    """Batches of one mapping that may be in flight. Its queue still hands out one batch per group."""
    # A value that came through a template's parameter is text.
    limit = int((mapping.get("ScalingConfig") or {}).get("MaximumConcurrency") or DEFAULT_CONCURRENCY)
    reserved = lambda_svc._reserved_concurrency(function, config)
    return limit if reserved is None else min(limit, reserved)


def action(*request) -> str | None:
    """The action that a request must be allowed to do."""
    found = stock_action(*request)
    return SINGLE_ACTIONS.get(found, found)


def main() -> None:
    """Makes the changes and serves until it is told to stop."""
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        sys.exit(f"ministack is {found}, but this launcher was written for {VERSION}: run `make clean-tools`.")
    lambda_svc._sqs_esm_concurrency = concurrency
    iam_actions.extract_iam_action = action
    app.main()


if __name__ == "__main__":
    main()
