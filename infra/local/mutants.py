"""Makes one small change at a time to the core and the executor, and runs the tests on each: they must notice it.

    python mutants.py

A run that was stopped goes on where it was if the code is still the same.

There are three rounds. The core's own tests come first: with few cases of each property they take a second. The changes
that they do not notice get all cases. Those that are left, and the changes of the executor, get the simulation. The
tests must notice at least NOTICED of the changes that compile. docs/mutants.md must list each of the others with a
reason.
"""

import hashlib
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
# The digest of the code that the results are of, and the changes that the tests have noticed so far.
CODE = OUTPUT / "code.txt"
NOTICED_SO_FAR = OUTPUT / "noticed.txt"
# What a change is made to, and what the tests of it are made of.
SOURCES = ["Cargo.toml", "Cargo.lock", "shared", "functions", "tests", "infra/servicenow"]
SURVIVORS = paths.ROOT / "docs" / "mutants.md"
NOTICED = 0.90
JOBS = "2"
# A change that makes a loop endless counts as noticed after this many seconds. The core's own tests take seconds.
CORE_PATIENCE_SECONDS = "60"
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
    begin()
    with console.step("the simulation, without a change"):
        tools.run_quietly(["cargo", "test", "--package", "casebridge-simulation", *SIMULATION], cwd=paths.ROOT)
    core = ["--package", "casebridge-core"]
    by_core = [*core, "--test-package", "casebridge-core", "--timeout", CORE_PATIENCE_SECONDS]
    with console.step("the core, by its own tests"):
        run(by_core, CORE_TESTS, FEW_CASES)
    with console.step("the unnoticed rest, by all cases of its properties"):
        run(by_core, CORE_TESTS)
    with console.step("the unnoticed rest and the executor, by the simulation") as remark:
        both = [*core, "--package", "casebridge-executor", "--timeout", PATIENCE_SECONDS]
        run([*both, "--test-package", "casebridge-simulation"], [*SIMULATION, "--", "--skip", NOT_A_JUDGE])
        noticed = len(set(text_of(NOTICED_SO_FAR).splitlines()))
        missed = read("missed")
        remark.append(f"{noticed} changes noticed, {len(missed)} not")
    judge(noticed, missed, LISTED.findall(text_of(SURVIVORS)))


def begin() -> None:
    """Removes the results of an earlier run, unless they are of this code."""
    code = digest_of_code()
    if text_of(CODE) == code:
        console.say("The code is the one of the last run, so this one goes on where that one ended.")
        take_noticed()
        return
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    CODE.write_text(code)


def digest_of_code() -> str:
    """Returns a digest of the names and contents of the files that the tests depend on."""
    listed = subprocess.run(["git", "ls-files", "-z", *SOURCES], cwd=paths.ROOT, capture_output=True, check=True)
    digest = hashlib.sha256()
    for name in listed.stdout.decode().split("\0"):
        file = paths.ROOT / name
        if name and file.is_file():
            digest.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def run(arguments: list[str], test_arguments: list[str], cases: dict[str, str] | None = None) -> None:
    """Runs one round, and takes in what it noticed."""
    # The baseline is skipped: `make test` shows that the tests pass without a change.
    common = ["--iterate", "--baseline", "skip", "--no-shuffle", "--jobs", JOBS, "--output", str(OUTPUT)]
    command = ["cargo", "mutants", *common, *arguments]
    search = f"{tools.CARGO / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": search, "CARGO_PROFILE_DEV_DEBUG": "0"} | (cases or {})
    ended = subprocess.run([*command, "--", *test_arguments], cwd=paths.ROOT, env=environment).returncode
    if ended not in NORMAL_ENDS:
        raise console.StackError(f"cargo-mutants ended with exit code {ended}; see above.")
    take_noticed()


def take_noticed() -> None:
    """Remembers the changes that the last round noticed, or that took too long. The next round leaves them out."""
    if not RESULTS.exists():
        return
    took_too_long = text_of(RESULTS / "timeout.txt")
    with (RESULTS / "previously_caught.txt").open("a") as found:
        found.write(took_too_long)
    with NOTICED_SO_FAR.open("a") as found:
        found.write(text_of(RESULTS / "caught.txt") + took_too_long)


def read(name: str) -> list[tuple[str, str]]:
    """Returns the changes of the last round with this outcome, as file and description."""
    return [found.groups() for found in map(MUTANT.match, text_of(RESULTS / f"{name}.txt").splitlines()) if found]


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
