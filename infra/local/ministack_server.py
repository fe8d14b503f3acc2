"""Starts the local AWS with one change: groups of a FIFO queue run at the same time, as they do on AWS.

The stock server runs one batch of a FIFO queue at a time, which would hide every race between two links. The function
that says so is private, hence the exact version in requirements-ministack.txt and the check below.
"""

import importlib.metadata
import sys

from ministack import app
from ministack.services import lambda_svc

VERSION = "1.5.33"
DEFAULT_CONCURRENCY = 5


def concurrency(mapping: dict, function: dict, config: dict, queue: dict | None = None) -> int:
    """Batches of one mapping that may be in flight. Its queue still hands out one batch per group."""
    # A value that came through a template's parameter is text.
    limit = int((mapping.get("ScalingConfig") or {}).get("MaximumConcurrency") or DEFAULT_CONCURRENCY)
    reserved = lambda_svc._reserved_concurrency(function, config)
    return limit if reserved is None else min(limit, reserved)


def main() -> None:
    """Replaces the limit and serves until it is told to stop."""
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        sys.exit(f"ministack is {found}, but this launcher was written for {VERSION}: run `make clean-tools`.")
    lambda_svc._sqs_esm_concurrency = concurrency
    app.main()


if __name__ == "__main__":
    main()
