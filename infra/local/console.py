"""The output for people: one line per step with its time, and one verdict. Colours only on a terminal."""

import contextlib
import sys
import time

STARTED = time.monotonic()
COLOURS = {"green": "32", "red": "31", "yellow": "33", "grey": "90", "bold": "1"}


class StackError(Exception):
    """An error that a person can correct. The text says what happened and what to do."""


def paint(text: str, colour: str) -> str:
    """Returns the text in a colour, or unchanged if the output is not a terminal."""
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if sys.stdout.isatty() else text


def say(text: str = "") -> None:
    """Prints one line and flushes it."""
    print(text, flush=True)


def elapsed() -> float:
    """Returns the seconds since the command began."""
    return time.monotonic() - STARTED


@contextlib.contextmanager
def step(name: str):
    """Announces a step and prints its time. The block may add a remark to the list that it gets."""
    began = time.monotonic()
    remark: list[str] = []
    say(f"{paint('  ..', 'grey')} {name}")
    try:
        yield remark
    except BaseException:
        say(f"{paint('FAIL', 'red')} {name} ({time.monotonic() - began:.1f} s)")
        raise
    detail = f": {remark[-1]}" if remark else ""
    say(f"{paint('  ok', 'green')} {name}{detail} ({time.monotonic() - began:.1f} s)")


def run(main) -> None:
    """Runs a command's main function; a StackError ends it with its text and exit code 1."""
    try:
        main()
    except StackError as error:
        say(f"\n{paint('Failed', 'red')} after {elapsed():.1f} s: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        say(f"\n{paint('Stopped', 'yellow')} after {elapsed():.1f} s.")
        sys.exit(130)
