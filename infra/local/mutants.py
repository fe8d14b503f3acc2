"""Makes one small change at a time to the core and the executor, and runs the tests on each: they must notice it.

    python mutants.py

The changes are those of cargo-mutants. All of them are built into the tests at once, each behind a switch. So a change
costs a run of the tests that reach it, and no build.

Each round runs the changes that the rounds before did not notice: the core's own tests with few cases of each property,
then with all of them, then the simulation's stories, then its random worlds. The tests must notice at least NOTICED of
the changes that compile. docs/mutants.md must list each of the others with a reason.

A run that was stopped goes on where it was if the code is still the same. If only tests have changed, the changes that
were noticed count as noticed.
"""

import dataclasses
import hashlib
import json
import pathlib
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import console
import mutants_build
import mutants_run
import mutations
import paths
import tools

RESULTS = paths.TARGET / "mutants" / "results.json"
# What the tests depend on. Of it, the changed sources and what they are built with.
CODE = ["Cargo.toml", "Cargo.lock", "shared", "functions", "tests"]
SOURCES = re.compile(r"Cargo\.(toml|lock)|shared/(core|executor|ledger|ports)/(Cargo\.toml|src/.*)")
SURVIVORS = paths.ROOT / "docs" / "mutants.md"
NOTICED = 0.90
# After how many changes a round reports, and after how many seconds it saves its results.
REPORTED = 200
SAVED_SECONDS = 5
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
# This test finds faults in the simulation's judges, not in the product.
NOT_A_JUDGE = "each_missing_safeguard_is_noticed"
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
    Round("the core's own tests, all cases", mutants_build.CORE, mutants_build.CORE_TESTS),
    Round("the simulation's stories", mutants_build.SIMULATION, mutants_build.STORIES),
    Round("the simulation's random worlds", mutants_build.SIMULATION, mutants_build.WORLDS),
]


class Results:
    """What is known of the changes by their names. It is kept in a file."""

    def __init__(self, sources: str, code: str) -> None:
        self.digests = {"sources": sources, "code": code}
        kept = json.loads(text_of(RESULTS) or "{}")
        same = {name: kept.get("digests", {}).get(name) == digest for name, digest in self.digests.items()}
        if same["sources"]:
            console.say("The sources are those of the last run, so what it noticed counts.")
        # The changes that do not compile, the test that noticed each of the others, and the rounds that did not.
        self.unviable: list[str] = kept["unviable"] if same["sources"] else []
        self.noticed: dict[str, str] = kept["noticed"] if same["sources"] else {}
        self.missed: dict[str, list[str]] = kept["missed"] if same["sources"] and same["code"] else {}
        self._lock = threading.Lock()
        self._saved = time.monotonic()

    def is_open(self, name: str, round_name: str) -> bool:
        """Whether a round must test a change."""
        return name not in self.noticed and round_name not in self.missed.get(name, [])

    def take(self, name: str, round_name: str, test: str | None) -> None:
        """Takes in the test that noticed a change, or None."""
        with self._lock:
            if test is None:
                self.missed.setdefault(name, []).append(round_name)
            else:
                self.noticed[name] = test
            if time.monotonic() - self._saved > SAVED_SECONDS:
                self.save()

    def save(self) -> None:
        """Writes the file."""
        content = {name: getattr(self, name) for name in ("digests", "unviable", "noticed", "missed")}
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(content, indent=1))
        self._saved = time.monotonic()


def main() -> None:
    """Runs all rounds and gives the verdict."""
    tools.ensure_cargo_tool("cargo-mutants")
    listed = mutants_build.list_mutations()
    results = Results(digest_of(SOURCES.fullmatch, mutations.without_tests), digest_of(lambda name: True))
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


def build(listed: list[mutants_build.Listed], results: Results) -> mutants_build.Built:
    """Builds the tests with all changes that compile."""
    numbers = {change.name: change.mutation.number for change in listed}
    with console.step("building the tests with all changes") as remark:
        built = mutants_build.build(listed, {numbers[name] for name in results.unviable if name in numbers})
        results.unviable = [change.name for change in listed if change.mutation.number in built.unviable]
        results.save()
        remark.append(f"{len(listed)} changes, {len(built.unviable)} of them do not compile")
    return built


def run(each: Round, built: mutants_build.Built, viable: list[mutants_build.Listed], results: Results) -> None:
    """Runs one round."""
    open_changes = [change for change in viable if results.is_open(change.name, each.name)]
    if not open_changes:
        return
    with console.step(f"{each.name}, without a change") as remark:
        binaries = [built.binaries[each.folder, name] for name in each.tests]
        suite = mutants_run.Suite(binaries, ENVIRONMENT | each.environment, {NOT_A_JUDGE})
        remark.append(f"{len(suite.tests)} tests, {suite.seconds():.0f} s of processor time")
    with console.step(f"{each.name}, {len(open_changes)} changes") as remark:
        began = time.monotonic()

        def test(change: mutants_build.Listed) -> str | None:
            failed = suite.failure(change.mutation.number)
            results.take(change.name, each.name, failed)
            return failed

        with ThreadPoolExecutor(mutants_run.JOBS) as pool:
            outcomes = []
            for outcome in pool.map(test, open_changes):
                outcomes.append(outcome)
                if len(outcomes) % REPORTED == 0:
                    console.say(
                        f"     {len(outcomes)} of {len(open_changes)} changes after {time.monotonic() - began:.0f} s"
                    )
        results.save()
        too_long = outcomes.count(mutants_run.TOO_LONG)
        remark.append(f"{len(outcomes) - outcomes.count(None)} noticed, {too_long} of them since they took too long")


def digest_of(is_wanted: Callable[[str], object], shortened: Callable[[bytes], bytes] = bytes) -> str:
    """Returns a digest of the names and contents of the files that the tests depend on and that are wanted."""
    listed = subprocess.run(["git", "ls-files", "-z", *CODE], cwd=paths.ROOT, capture_output=True, check=True)
    digest = hashlib.sha256()
    for name in listed.stdout.decode().split("\0"):
        file = paths.ROOT / name
        if name and file.is_file() and is_wanted(name):
            content = file.read_bytes()
            content = shortened(content) if name.endswith(".rs") else content
            digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


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
