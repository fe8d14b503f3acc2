"""Runs built tests on a program with one small change, and stops at the first that fails.

Before that it runs each test once without a change, and learns how long the test takes and which mutations it reaches.
A mutation is then tested by the tests that reach it, the quick ones first.
"""

import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import console
import mutations

# How many programs run at once.
JOBS = 2
# Limits a program's processor time to the first argument, in seconds. The other arguments are the program and its own.
# A mutation may also fill the memory: the second limit is in kilobytes and more than any test needs.
LIMITED = ["sh", "-c", 'ulimit -S -t "$0" && ulimit -v 16000000 && exec "$@"']
# A change that makes a loop endless counts as noticed after this many seconds of processor time and this many times the
# processor time that the tests take without a change. Wall time would depend on what else runs on the machine.
PATIENCE_SECONDS = 5
PATIENCE_FACTOR = 4
# A change that makes a test wait for ever takes no processor time. It counts as noticed after this many seconds.
IDLE_SECONDS = 300
# The limit for a test without a change, in seconds of processor time.
UNCHANGED_SECONDS = 600
# A test that takes longer than this is run by itself, after all that are quicker.
SLOW_SECONDS = 0.5
# Matches the line of a failed test if the tests run one after the other.
FAILED = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. FAILED$")
TOO_LONG = "too long"


@dataclasses.dataclass(frozen=True)
class Binary:
    """A built test binary and the folder that it runs in."""

    name: str
    path: pathlib.Path
    folder: pathlib.Path


@dataclasses.dataclass(frozen=True)
class Test:
    """One test of a binary: how long it takes without a change, and the mutations whose code it runs."""

    binary: Binary
    name: str
    seconds: float
    reached: frozenset[int]


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a program ended: its first failed test, or what else went wrong, or None."""

    failed: str | None
    seconds: float


def run_tests(binary: Binary, arguments: list[str], environment: dict[str, str], patience: int) -> Ended:
    """Runs the tests of a binary one after the other until one fails. `patience` is in seconds of processor time."""
    command = [*LIMITED, str(patience), str(binary.path), "--test-threads", "1", *arguments]
    # The reason of a failure is not used, so this saves the time of a backtrace.
    environment = os.environ | {"RUST_BACKTRACE": "0"} | environment
    process = subprocess.Popen(
        command, cwd=binary.folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    # The methods of `process` would take its exit code before `wait4` does.
    timer = threading.Timer(IDLE_SECONDS + PATIENCE_FACTOR * patience, os.kill, [process.pid, signal.SIGKILL])
    timer.start()
    try:
        failed = next((found[1] for found in map(FAILED.match, map(str.rstrip, process.stdout)) if found), None)
        if failed:
            os.kill(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        timer.cancel()
        process.stdout.close()
    if failed is None and process.returncode != 0:
        failed = TOO_LONG if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL) else "a crash"
    return Ended(failed, usage.ru_utime + usage.ru_stime)


class Suite:
    """The tests of some binaries, and what is set in their environment."""

    def __init__(self, binaries: list[Binary], environment: dict[str, str], left_out: set[str]) -> None:
        self.environment = environment
        named = [(binary, name) for binary in binaries for name in names_of(binary) if name not in left_out]
        with ThreadPoolExecutor(JOBS) as pool:
            self.tests = list(pool.map(lambda test: self._learn(*test), named))

    def seconds(self) -> float:
        """Returns the processor time of all tests without a change."""
        return sum(test.seconds for test in self.tests)

    def failure(self, number: int) -> str | None:
        """Returns the first test that fails with a mutation, or None. Tests that do not reach it are not run."""
        environment = self.environment | {"CASEBRIDGE_MUTATION": str(number)}
        for tests in self._programs(number):
            patience = PATIENCE_SECONDS + round(PATIENCE_FACTOR * sum(test.seconds for test in tests))
            names = [test.name for test in tests]
            ended = run_tests(tests[0].binary, ["--exact", *names], environment, patience)
            if ended.failed:
                return ended.failed
        return None

    def _programs(self, number: int) -> Iterator[list[Test]]:
        """Yields the tests that reach a mutation, as they run in one program. The quick ones come first."""
        reaching = sorted((test for test in self.tests if number in test.reached), key=lambda test: test.seconds)
        quick: dict[str, list[Test]] = {}
        for test in (test for test in reaching if test.seconds < SLOW_SECONDS):
            quick.setdefault(test.binary.name, []).append(test)
        yield from sorted(quick.values(), key=lambda tests: sum(test.seconds for test in tests))
        yield from ([test] for test in reaching if test.seconds >= SLOW_SECONDS)

    def _learn(self, binary: Binary, name: str) -> Test:
        """Runs a test without a change. Raises StackError if it fails."""
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "reached"
            environment = {"CASEBRIDGE_MUTATION": str(mutations.NONE), "CASEBRIDGE_REACHED": str(report)}
            ended = run_tests(binary, ["--exact", name], self.environment | environment, UNCHANGED_SECONDS)
            if ended.failed:
                raise console.StackError(f"without any change, {name} of {binary.name} fails.")
            reached = report.read_text().split() if report.exists() else []
        return Test(binary, name, ended.seconds, frozenset(map(int, reached)))


def names_of(binary: Binary) -> list[str]:
    """Returns the names of the tests of a binary."""
    command = [str(binary.path), "--list", "--format", "terse"]
    output = subprocess.run(command, cwd=binary.folder, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line.removesuffix(": test") for line in output.splitlines() if line.endswith(": test")]
