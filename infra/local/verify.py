"""Runs the project's checks one after another and ends with one line that counts them.

    python verify.py [name of a check or group ...]      all checks where none is named

A failing check does not stop the others. A check whose source on the network can't be reached is reported as not made
and does not fail the run. The output of each check is in target/verify/<name>.log.
"""

import dataclasses
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable

import artifacts
import console
import down
import paths
import processes
import tools
import up

LOGS = paths.TARGET / "verify"
PROGRESS_SECONDS = 60
SHOWN_LINES = 80
# The local AWS for the tests of the ledger.
DYNAMODB = "ministack-tests"
DYNAMODB_VARIABLE = "CASEBRIDGE_TEST_DYNAMODB_ENDPOINT"
# The random worlds of each run, and the most worlds in which the simulation must notice a missing safeguard.
SIMULATED_SEEDS = "20000"
SABOTAGE_SEEDS = "10000"
PYTHON = str(paths.PYTHON / "bin" / "python")
# The counts in the output of cargo test and pytest.
CARGO_RESULT = re.compile(r"^test result: .*? (\d+) passed; (\d+) failed;", re.MULTILINE)
PYTEST_PASSED = re.compile(r"^[= ]*(?:\d+ failed, )?(\d+) passed\b.* in [\d.]+s", re.MULTILINE)
PYTEST_FAILED = re.compile(r"\b(\d+) (?:failed|errors?)\b.* in [\d.]+s", re.MULTILINE)


@dataclasses.dataclass
class Check:
    """One check: its commands, its preparation and its cleanup."""

    name: str
    groups: tuple[str, ...]
    commands: list[list[str]]
    folder: pathlib.Path = paths.ROOT
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    prepare: Callable[[], object] | None = None
    finish: Callable[[], object] | None = None
    counts_tests: bool = False
    # The words in the output if a source on the network can't be reached, and the report of what was not checked then.
    unreachable: str = ""
    not_made: str = ""


@dataclasses.dataclass
class Result:
    """The outcome of a check."""

    check: Check
    passed: int
    failed: int
    seconds: float
    is_made: bool

    def line(self) -> str:
        """Returns one line for people."""
        if not self.is_made:
            return f"{console.paint('NOT CHECKED', 'yellow')} {self.check.name}: {self.check.not_made}"
        verdict = console.paint("FAIL", "red") if self.failed else console.paint("  ok", "green")
        counted = f", {self.passed} passed, {self.failed} failed" if self.check.counts_tests else ""
        return f"{verdict} {self.check.name} ({self.seconds:.0f} s{counted})"


def cargo(*arguments: str) -> list[str]:
    """Returns a cargo command that uses Cargo.lock unchanged."""
    return ["cargo", *arguments, "--locked"]


def stack_up(mode: str) -> Callable[[], object]:
    """Returns a function that brings the stack up with IAM open or enforced."""

    def bring_up() -> None:
        os.environ["IAM"] = mode
        up.bring_up()

    return bring_up


def start_dynamodb() -> None:
    """Starts an empty local AWS for the tests of the ledger."""
    os.environ[DYNAMODB_VARIABLE] = up.start_ministack(DYNAMODB, {})


def stop_dynamodb() -> None:
    """Stops that local AWS and removes its files."""
    processes.stop(DYNAMODB)
    shutil.rmtree(paths.TEMPORARY / DYNAMODB, ignore_errors=True)
    os.environ.pop(DYNAMODB_VARIABLE, None)


def checks() -> list[Check]:
    """Returns all checks, the quick ones first."""
    lint = ("lint",)
    deny = [str(tools.CARGO / "bin" / "cargo-deny"), "--log-level", "error", "--color", "never"]
    return [
        Check("format", lint, [["cargo", "fmt", "--all", "--check", "--", "--color", "never"]]),
        Check("python", lint, [
            [PYTHON, "-m", "ruff", "format", "--check", "."],
            [PYTHON, "-m", "ruff", "check", "."],
        ]),
        Check("template", (*lint, "test"), [
            [PYTHON, str(paths.AWS / "lint.py"), str(paths.TARGET / "template" / "expanded.json")],
            [PYTHON, "-m", "pytest", "-q", str(paths.AWS / "checks")],
        ], counts_tests=True),
        Check("mutations", (*lint, "test"), [
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(paths.LOCAL / "checks")],
        ], counts_tests=True),
        Check("app", lint, [
            ["npm", "run", "lint"], ["npm", "run", "build"],
            [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "checks"],
            ["npm", "run", "pack"],
        ], folder=paths.APP, prepare=artifacts.ensure_app_tools, counts_tests=True),
        Check("dependencies", lint, [
            [*deny, "check", "--hide-inclusion-graph", "licenses", "bans", "sources"],
        ], prepare=functools.partial(tools.ensure_cargo_tool, "cargo-deny")),
        Check("advisories", lint, [
            [*deny, "check", "--hide-inclusion-graph", "advisories"],
        ], prepare=functools.partial(tools.ensure_cargo_tool, "cargo-deny"),
            unreachable="failed to fetch advisory database",
            not_made="the advisory database can't be reached, so nobody looked for known flaws of the dependencies"),
        Check("clippy", lint, [[*cargo("clippy", "--workspace", "--all-targets"), "--", "-D", "warnings"]]),
        Check("rustdoc", lint, [
            cargo("doc", "--workspace", "--no-deps"),
        ], environment={"RUSTDOCFLAGS": "-D warnings"}),
        Check("rust tests", ("test", "rust"), [
            cargo("test", "--workspace"),
        ], prepare=start_dynamodb, finish=stop_dynamodb, counts_tests=True),
        Check("simulation", ("test", "rust"), [
            [*cargo("run", "-q", "-p", "casebridge-simulation"), "--", "run", SIMULATED_SEEDS],
            [*cargo("run", "-q", "-p", "casebridge-simulation"), "--", "sabotage", SABOTAGE_SEEDS],
        ]),
        Check("demo", ("test",), [[PYTHON, str(paths.LOCAL / "demo.py")]], finish=down.main),
        Check("end to end, IAM enforced", ("test", "e2e"), [
            [PYTHON, "-m", "pytest", "-q", "tests/e2e"],
        ], prepare=stack_up("enforced"), finish=down.main, counts_tests=True),
        Check("packages", ("test",), [[PYTHON, str(paths.LOCAL / "package.py")]]),
    ]  # fmt: skip


def main() -> None:
    """Runs the chosen checks and prints the verdict."""
    chosen = select(sys.argv[1:])
    results = [perform(check) for check in chosen]
    console.say()
    for result in results:
        console.say(result.line())
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    not_made = [result.check.name for result in results if not result.is_made]
    verdict = "FAILED" if failed else "All that was checked is well" if not_made else "All is well"
    console.say(f"{verdict} after {console.elapsed():.0f} s.")
    console.say(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def select(names: list[str]) -> list[Check]:
    """Returns the checks of these names or groups, or all if there are none. Raises StackError for an unknown name."""
    known = checks()
    for name in names:
        if not any(name == check.name or name in check.groups for check in known):
            choices = sorted({check.name for check in known} | {group for check in known for group in check.groups})
            raise console.StackError(f"no check is called {name!r}. There are: {', '.join(choices)}.")
    return [check for check in known if not names or check.name in names or set(names) & set(check.groups)]


def perform(check: Check) -> Result:
    """Runs one check."""
    began = time.monotonic()
    log = LOGS / f"{check.name.replace(' ', '-').replace(',', '')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    good, is_made = False, True
    try:
        with console.step(check.name) as remarks:
            if check.prepare:
                check.prepare()
            is_made = all(run_command(check, command, log) for command in check.commands)
            good = True
            if not is_made:
                remarks.append(f"NOT CHECKED, {check.not_made}")
    except console.StackError as error:
        console.say(f"     {error}")
    finally:
        if check.finish:
            check.finish()
    passed, failed = count(check, log, good) if is_made else (0, 0)
    return Result(check, passed, failed, time.monotonic() - began, is_made)


def run_command(check: Check, command: list[str], log: pathlib.Path) -> bool:
    """Runs a command, with its output in the log. Returns false if it can't reach a source on the network."""
    environment = os.environ | check.environment
    with open(log, "ab") as output:
        process = subprocess.Popen(
            command, cwd=check.folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        while True:
            try:
                code = process.wait(PROGRESS_SECONDS)
                break
            except subprocess.TimeoutExpired:
                lines = log.read_text(errors="replace").splitlines()
                console.say(f"     running: {lines[-1].strip()[:100] if lines else 'no output yet'}")
    if code != 0:
        if check.unreachable and check.unreachable in log.read_text(errors="replace"):
            return False
        for line in log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]:
            console.say(f"     {line}")
        raise console.StackError(f"`{' '.join(command)}` ended with exit code {code}. Output: {paths.relative(log)}")
    return True


def count(check: Check, log: pathlib.Path, good: bool) -> tuple[int, int]:
    """Returns how many tests passed and failed. A check without tests counts as one test.

    A failed check has at least one failure.
    """
    if not check.counts_tests:
        return int(good), int(not good)
    text = log.read_text(errors="replace")
    passed = sum(int(found[0]) for found in CARGO_RESULT.findall(text))
    failed = sum(int(found[1]) for found in CARGO_RESULT.findall(text))
    passed += sum(int(found) for found in PYTEST_PASSED.findall(text))
    failed += sum(int(found) for found in PYTEST_FAILED.findall(text))
    if good and passed == 0:
        return 0, 1
    return passed, failed if good else max(failed, 1)


if __name__ == "__main__":
    console.run(main)
