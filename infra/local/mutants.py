"""Changes the core and the executor, one small step at a time, and runs the tests on each: they must notice.

    python mutants.py

Three rounds. The core's own tests take a second with few cases of each property, so they come first; what they do not
notice is left to all cases, and then, with the executor, to the simulation. At least NOTICED of the changes that
compile must be noticed, and each of the others must stand in docs/mutants.md with a reason.
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
# A change that makes a loop endless counts as noticed after so many seconds.
PATIENCE_SECONDS = "300"
# The core's tests without its documentation's. A few cases of each property find most, and what failed is not shrunk.
CORE_TESTS = ["--lib", "--tests"]
FEW_CASES = {"PROPTEST_CASES": "8", "PROPTEST_MAX_SHRINK_ITERS": "0"}
# What cargo-mutants ends with: all noticed, some not noticed, some took too long.
NORMAL_ENDS = (0, 2, 3)
SIMULATION = ["--test", "exploration", "--test", "passes", "--test", "rules"]
# It finds faults in the simulation's judgement, not in the product.
NOT_A_JUDGE = "each_missing_safeguard_is_noticed"
# `shared/core/src/plan.rs:273:87: replace < with <= in writes_left`, and how the document lists it.
MUTANT = re.compile(r"^(\S+\.rs):\d+:\d+: (.*)$")
LISTED = re.compile(r"^- `(\S+\.rs)`: `([^`]+)`: \S", re.MULTILINE)


def main() -> None:
    """All rounds, and the verdict."""
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
    """One round."""
    command = ["cargo", "mutants", "--no-shuffle", "--jobs", JOBS, "--output", str(OUTPUT), *arguments]
    search = f"{tools.CARGO / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": search, "CARGO_PROFILE_DEV_DEBUG": "0"} | (cases or {})
    ended = subprocess.run([*command, "--", *test_arguments], cwd=paths.ROOT, env=environment).returncode
    if ended not in NORMAL_ENDS:
        raise console.StackError(f"cargo-mutants ended with exit code {ended}; see above.")


def take_noticed() -> list[tuple[str, str]]:
    """The changes that the last round noticed. The next one leaves them out: endless loops, too."""
    with (RESULTS / "previously_caught.txt").open("a") as found:
        found.write(text_of(RESULTS / "timeout.txt"))
    return read("caught", "timeout")


def read(*names: str) -> list[tuple[str, str]]:
    """The changes of the last round that ended so: file and description."""
    lines = [line for name in names for line in text_of(RESULTS / f"{name}.txt").splitlines()]
    return [found.groups() for found in map(MUTANT.match, lines) if found]


def text_of(file: pathlib.Path) -> str:
    """What a file says; nothing if it is not there."""
    return file.read_text() if file.exists() else ""


def judge(noticed: int, missed: list[tuple[str, str]], in_document: list[tuple[str, str]]) -> None:
    """Says how many were noticed, and what stands in the document without need or is missing there."""
    # The same change may be made at several places of a function: each is listed.
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
