"""The figures of a run: medians, as a table, as JSON, and beside those of another run."""

import dataclasses
import json
import pathlib
import statistics

import console
from endpoints import Call
from runtime_api import Measured
from workloads import Bounds

MILLISECONDS = 1_000
MEGABYTE = 1_000_000
# The columns of the table, in order: figure, heading, digits after the point.
COLUMNS = [
    ("start_wall_ms", "wall", 1),
    ("start_cpu_ms", "CPU", 1),
    ("start_handshakes", "TLS", 0),
    ("first_wall_ms", "wall", 1),
    ("first_cpu_ms", "CPU", 1),
    ("first_handshakes", "TLS", 0),
    ("warm_wall_ms", "wall", 1),
    ("warm_cpu_ms", "CPU", 2),
    ("calls", "calls", 0),
    ("sent_bytes", "sent", 0),
    ("received_bytes", "received", 0),
    ("rss_mb", "RSS", 1),
]
WIDTHS = [7, 7, 4, 8, 7, 4, 8, 7, 6, 8, 9, 7]
NAME_WIDTH = 33
# The parts of the table, and how many columns each has.
PARTS = [("start until ready", 3), ("first event", 3), ("warm event", 5), ("most", 1)]


@dataclasses.dataclass(frozen=True)
class Figures:
    """The medians of one workload, and the calls of its last event."""

    values: dict[str, float]
    calls: list[Call]


def medians(starts: list[Measured], firsts: list[Measured], warms: list[Measured], memory_bytes: int) -> Figures:
    """Returns the figures of the measured starts and events."""

    def middle(measured: list[Measured], figure) -> float:
        return statistics.median([figure(one) for one in measured])

    values = {}
    for part, measured in [("start", starts), ("first", firsts), ("warm", warms)]:
        values[f"{part}_wall_ms"] = middle(measured, lambda one: one.wall_seconds * MILLISECONDS)
        values[f"{part}_cpu_ms"] = middle(measured, lambda one: one.processor_seconds * MILLISECONDS)
        values[f"{part}_handshakes"] = middle(measured, lambda one: one.handshakes)
        values[f"{part}_calls"] = middle(measured, lambda one: len(one.calls))
    values["calls"] = values["warm_calls"]
    values["sent_bytes"] = middle(warms, lambda one: sum(call.sent for call in one.calls))
    values["received_bytes"] = middle(warms, lambda one: sum(call.received for call in one.calls))
    values["rss_mb"] = memory_bytes / MEGABYTE
    return Figures(values, warms[-1].calls)


def excesses(name: str, figures: Figures, bounds: Bounds) -> list[str]:
    """Returns a text for each bound that the figures exceed."""
    values = figures.values
    compared = [
        ("remote calls", values["calls"], bounds.calls),
        ("bytes sent", values["sent_bytes"], bounds.sent),
        ("bytes received", values["received_bytes"], bounds.received),
    ]
    called = ", ".join(map(str, figures.calls))
    return [
        f"{name}: {found:,.0f} {what} for an event, where {most:,} is the most. Its calls are {called}."
        for what, found, most in compared
        if found > most
    ]


def show(workloads: dict[str, Figures]) -> None:
    """Prints the table."""
    widths = iter(WIDTHS)
    heading = "".join(f"{part:>{sum(next(widths) for _ in range(columns))}}" for part, columns in PARTS)
    console.say(console.paint(" " * NAME_WIDTH + heading, "bold"))
    names = "".join(f"{heading:>{width}}" for (_, heading, _), width in zip(COLUMNS, WIDTHS, strict=True))
    console.say(console.paint(f"{'':{NAME_WIDTH}}{names}", "bold"))
    for name, figures in workloads.items():
        cells = [
            f"{figures.values[figure]:>{width},.{digits}f}"
            for (figure, _, digits), width in zip(COLUMNS, WIDTHS, strict=True)
        ]
        console.say(f"{name:{NAME_WIDTH}}{''.join(cells)}")
    console.say("wall and CPU in milliseconds, sent and received in bytes of HTTP, RSS in MB; TLS: handshakes made.")


def compare(before: dict[str, dict], workloads: dict[str, Figures]) -> None:
    """Prints the figures of another run beside those of this one, line by line."""
    heading = f"{'':{NAME_WIDTH}}{'figure':<20}{'before':>12}{'after':>12}{'change':>10}"
    console.say(console.paint(heading, "bold"))
    for name, figures in workloads.items():
        known = before.get(name, {})
        for place, (figure, _, digits) in enumerate(COLUMNS):
            after = figures.values[figure]
            label = name if place == 0 else ""
            console.say(f"{label:{NAME_WIDTH}}{figure:<20}{_beside(known.get(figure), after, digits)}")


def _beside(before: float | None, after: float, digits: int) -> str:
    """Returns both figures and the change in percent, as far as there is an earlier figure."""
    shown = "-" if before is None else f"{before:,.{digits}f}"
    change = f"{(after - before) / before:>+10.0%}" if before and before != after else ""
    return f"{shown:>12}{after:>12,.{digits}f}{change}"


def write(file: pathlib.Path, facts: dict, workloads: dict[str, Figures]) -> None:
    """Writes the figures to a file, with the facts about the machine and the packages."""
    told = {
        name: {**figures.values, "last_calls": [dataclasses.asdict(call) for call in figures.calls]}
        for name, figures in workloads.items()
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**facts, "workloads": told}, indent=2) + "\n")


def read(file: pathlib.Path) -> dict[str, dict]:
    """Returns the figures of another run by its workloads' names. Raises StackError if the file has none."""
    try:
        return json.loads(file.read_text())["workloads"]
    except (OSError, ValueError, KeyError) as error:
        raise console.StackError(f"{file} holds no figures of `make bench`: {error!r}") from error
