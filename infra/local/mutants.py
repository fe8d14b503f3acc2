"""Makes one small change at a time to the core and the executor, and runs the tests on each: they must notice it.

    python mutants.py

There are three rounds. The core's own tests come first: with few cases of each property they take a second. The changes
that they do not notice get all cases. Those that are left, and the changes of the executor, get the simulation. The
tests must notice at least NOTICED of the changes that compile. docs/mutants.md must list each of the others with a
reason.
"""

import os
import pathlib
import re
import shutil
import subprocess
from collections import Counter

import console
import paths
import tools

OUTPUT = paths.TARGET / "mutants"
RESULTS = OUTPUT / "mutants.out"
SURVIVORS = paths.ROOT / "docs" / "mutants.md"
NOTICED = 0.90
JOBS = "2"
# A change that makes a loop endless counts as noticed after this many seconds.
PATIENCE_SECONDS = "300"
# The core's tests without those in its documentation. A few cases of each property notice most changes. Failures are
# not shrunk.
CORE_TESTS = ["--lib", "--tests"]
FEW_CASES = {"PROPTEST_CASES": "8", "PROPTEST_MAX_SHRINK_ITERS": "0"}
# The normal exit codes of cargo-mutants: all noticed, some not noticed, some took too long.
NORMAL_ENDS = (0, 2, 3)
SIMULATION = ["--test", "exploration", "--test", "passes", "--test", "rules"]
# This test finds faults in the simulation's judges, not in the product.
NOT_A_JUDGE = "each_missing_safeguard_is_noticed"
# The first matches a line of cargo-mutants, for example `shared/core/src/link/pace.rs:17:87: replace < with <= in
# writes_left`. The second matches a change in the document's list.
MUTANT = re.compile(r"^(\S+\.rs):\d+:\d+: (.*)$")
LISTED = re.compile(r"^- `(\S+\.rs)`: `([^`]+)`: \S", re.MULTILINE)


def main() -> None:
    """Runs all rounds and gives the verdict."""
    tools.ensure_cargo_tool("cargo-mutants")
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    with console.step("the simulation, without a change"):
        tools.run_quietly(["cargo", "test", "--package", "casebridge-simulation", *SIMULATION], cwd=paths.ROOT)
    core = ["--package", "casebridge-core"]
    left = ["--iterate", "--baseline", "skip", "--timeout", PATIENCE_SECONDS]
    with console.step("the core, by its own tests"):
        run([*core, "--test-package", "casebridge-core"], CORE_TESTS, FEW_CASES)
        noticed = take_noticed()
    with console.step("the unnoticed rest, by all cases of its properties"):
        run([*core, *left, "--test-package", "casebridge-core"], CORE_TESTS)
        noticed += take_noticed()
    with console.step("the unnoticed rest and the executor, by the simulation") as remark:
        both = [*core, "--package", "casebridge-executor", *left]
        run([*both, "--test-package", "casebridge-simulation"], [*SIMULATION, "--", "--skip", NOT_A_JUDGE])
        noticed += take_noticed()
        missed = read("missed")
        remark.append(f"{len(noticed)} changes noticed, {len(missed)} not")
    judge(len(noticed), missed, LISTED.findall(text_of(SURVIVORS)))


def run(arguments: list[str], test_arguments: list[str], cases: dict[str, str] | None = None) -> None:
    """Runs one round."""
    command = ["cargo", "mutants", "--no-shuffle", "--jobs", JOBS, "--output", str(OUTPUT), *arguments]
    search = f"{tools.CARGO / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": search, "CARGO_PROFILE_DEV_DEBUG": "0"} | (cases or {})
    ended = subprocess.run([*command, "--", *test_arguments], cwd=paths.ROOT, env=environment).returncode
    if ended not in NORMAL_ENDS:
        raise console.StackError(f"cargo-mutants ended with exit code {ended}; see above.")


def take_noticed() -> list[tuple[str, str]]:
    """Returns the changes that the last round noticed, or that took too long. The next round leaves them out."""
    with (RESULTS / "previously_caught.txt").open("a") as found:
        found.write(text_of(RESULTS / "timeout.txt"))
    return read("caught", "timeout")


def read(*names: str) -> list[tuple[str, str]]:
    """Returns the changes of the last round with these outcomes, as file and description."""
    lines = [line for name in names for line in text_of(RESULTS / f"{name}.txt").splitlines()]
    return [found.groups() for found in map(MUTANT.match, lines) if found]


def text_of(file: pathlib.Path) -> str:
    """Returns the text of a file, or an empty text if there is no such file."""
    return file.read_text() if file.exists() else ""


def judge(noticed: int, missed: list[tuple[str, str]], in_document: list[tuple[str, str]]) -> None:
    """Prints how many changes were noticed, and which the document lists without need or lacks.

    Raises StackError if it lacks one, or if too few were noticed.
    """
    # A function may have the same change at several places. The document lists each.
    listed, found = Counter(in_document), Counter(missed)
    rate = noticed / max(noticed + len(missed), 1)
    unlisted = sorted((found - listed).elements())
    for file, what in unlisted:
        console.say(f"{console.paint('FAIL', 'red')} not noticed, and not listed: {file}: {what}")
    for file, what in sorted((listed - found).elements()):
        console.say(f"     listed, and noticed by now: {file}: {what}")
    console.say(f"{noticed} of {noticed + len(missed)} changes noticed: {rate:.1%}")
    if unlisted:
        raise console.StackError(f"test them, or give a reason in {paths.relative(SURVIVORS)}.")
    if rate < NOTICED:
        raise console.StackError(f"less than {NOTICED:.0%} were noticed.")
    console.say(console.paint("The tests notice enough changes.", "green"))


if __name__ == "__main__":
    console.run(main)
