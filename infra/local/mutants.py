"""Makes one small change at a time to the core and the executor, and runs the tests on each: they must notice it.

    python mutants.py

The changes are those of cargo-mutants. All of them are built into the tests at once, each behind a switch. So a change
costs a run of the tests that reach it, and no build.

Each round takes the changes that the rounds before did not notice. The tests must notice at least NOTICED of the
changes that compile. docs/mutants.md must list each of the others with a reason, and says how this works.
"""

import dataclasses
import pathlib
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import console
import mutants_build
import mutants_results
import mutants_run
import paths
import tools

SURVIVORS = paths.ROOT / "docs" / "mutants.md"
NOTICED = 0.90
# After how many seconds a round reports how far it is.
PROGRESS_SECONDS = 60
# Properties are tested with the same cases for each change. Failures are not shrunk and not kept. A snapshot that
# differs is not kept either.
ENVIRONMENT = {
    "PROPTEST_RNG_SEED": "1",
    "PROPTEST_MAX_SHRINK_ITERS": "0",
    "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "true",
    "INSTA_UPDATE": "no",
    "INSTA_WORKSPACE_ROOT": str(mutants_build.COPY),
}
# A few cases of each property notice most changes.
FEW_CASES = {"PROPTEST_CASES": "8"}
# How many random worlds are run beside those that ever failed. It takes some seconds, for each change that is left.
FEW_WORLDS = {"CASEBRIDGE_TEST_SEEDS": "200"}
# The first of these tests finds faults in the simulation's judges, not in the product. The second takes half a minute
# for each change that is left, and the random worlds have faults at every step.
LEFT_OUT = {"each_missing_safeguard_is_noticed", "every_single_fault_is_survived_in_small_worlds"}
# The first matches cargo-mutants' name of a change, for example `shared/core/src/link/pace.rs:17:87: replace < with <=
# in writes_left`. The second matches a change in the document's list.
MUTANT = re.compile(r"^(\S+\.rs):\d+:\d+: (.*)$")
LISTED = re.compile(r"^- `(\S+\.rs)`: `([^`]+)`: \S", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Round:
    """Some tests, and what is set in their environment."""

    name: str
    folder: pathlib.Path
    tests: list[str]
    environment: dict[str, str] = dataclasses.field(default_factory=dict)


ROUNDS = [
    Round("the core's own tests, few cases", mutants_build.CORE, mutants_build.CORE_TESTS, FEW_CASES),
    Round("the simulation's stories", mutants_build.SIMULATION, mutants_build.STORIES),
    Round("the core's own tests, all cases", mutants_build.CORE, mutants_build.CORE_TESTS),
    Round("the simulation's random worlds", mutants_build.SIMULATION, mutants_build.WORLDS, FEW_WORLDS),
]


def main() -> None:
    """Runs all rounds and gives the verdict."""
    tools.ensure_cargo_tool("cargo-mutants")
    listed = mutants_build.list_mutations()
    results = mutants_results.Results()
    built = build(listed, results)
    viable = [change for change in listed if change.mutation.number not in built.unviable]
    for change in (change for change in viable if change.mutation.number in built.not_switched):
        console.say(f"     not tested, since it is computed at compile time: {change.name}")
    for each in ROUNDS:
        run(each, built, viable, results)
    missed = [change for change in viable if change.name not in results.noticed]
    for change in missed:
        console.say(f"     not noticed: {change.name}")
    judge(len(viable) - len(missed), [described(change.name) for change in missed], LISTED.findall(text_of(SURVIVORS)))


def build(listed: list[mutants_build.Listed], results: mutants_results.Results) -> mutants_build.Built:
    """Builds the tests with all changes that compile."""
    numbers = {change.name: change.mutation.number for change in listed}
    with console.step("building the tests with all changes") as remark:
        built = mutants_build.build(listed, {numbers[name] for name in results.unviable if name in numbers})
        results.unviable = [change.name for change in listed if change.mutation.number in built.unviable]
        results.save()
        remark.append(f"{len(listed)} changes, {len(built.unviable)} of them do not compile")
    return built


def run(
    each: Round, built: mutants_build.Built, viable: list[mutants_build.Listed], results: mutants_results.Results
) -> None:
    """Runs one round."""
    open_changes = [change for change in viable if results.is_open(change.name, each.name)]
    if not open_changes:
        return
    with console.step(f"{each.name}, without a change") as remark:
        binaries = [built.binaries[each.folder, name] for name in each.tests]
        suite = mutants_run.Suite(binaries, ENVIRONMENT | each.environment, LEFT_OUT)
        remark.append(f"{len(suite.tests)} tests, {suite.seconds():.0f} s of processor time")
    with console.step(f"{each.name}, {len(open_changes)} changes") as remark:
        outcomes = []
        reported = time.monotonic()
        with ThreadPoolExecutor(mutants_run.JOBS) as pool:
            failures = pool.map(lambda change: suite.failure(change.mutation.number), open_changes)
            for change, failed in zip(open_changes, failures, strict=True):
                outcomes.append(failed)
                results.take(change.name, each.name, failed)
                if time.monotonic() - reported > PROGRESS_SECONDS:
                    reported = time.monotonic()
                    console.say(f"     {len(outcomes)} of {len(open_changes)} changes")
        results.save()
        too_long = outcomes.count(mutants_run.TOO_LONG)
        remark.append(f"{len(outcomes) - outcomes.count(None)} noticed, {too_long} of them since they took too long")


def described(name: str) -> tuple[str, str]:
    """Returns the file and the description of a change."""
    file, what = MUTANT.match(name).groups()
    return file, what


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
