"""Makes one small change at a time to the app's scripts, and runs the tests that execute them: they must notice it.

    python mutants_app.py [part of a script's name ...]

The scripts are text in the built app. So each change is written into a copy of the built app, without a build, and
several changes are tested at once. The tests must notice at least NOTICED of the changes. docs/mutants.md must list
each of the others. A change that took too long counts as noticed and is printed.
"""

import contextlib
import dataclasses
import json
import math
import pathlib
import queue
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import artifacts
import console
import mutants
import mutants_run
import paths

SCRIPTS = paths.APP / "src" / "server"
LISTER = paths.APP / "checks" / "mutants.mjs"
COPIES = paths.TARGET / "mutants-app"
# The variable that names the built app for the tests.
APP_VARIABLE = "CASEBRIDGE_TEST_APP"
# Skips the tests of the platform's side: they run no script of the app.
ALONE = ["--skip", "instance::", "--skip", "table_api::"]
# How many of the tests that have noticed most changes of a script run first on its next change, before all others.
FAVOURITES = 20
# Matches a change in the document's list.
LISTED = re.compile(r"^- `(\S+\.js)`: `([^`]+)`$", re.MULTILINE)


@dataclasses.dataclass
class Judge:
    """A test binary that runs the shipped scripts."""

    binary: mutants_run.Binary
    arguments: list[str]
    patience: int = mutants_run.UNCHANGED_SECONDS

    def run(self, app: pathlib.Path, arguments: list[str] | None = None) -> mutants_run.Ended:
        """Runs the tests on this built app until the first fails."""
        arguments = self.arguments if arguments is None else arguments
        return mutants_run.run_tests(self.binary, arguments, {APP_VARIABLE: str(app)}, self.patience)


class Bench:
    """Copies of the built app, one for each change that is tested at the same time, and the judges."""

    def __init__(self, judges: list[Judge]) -> None:
        self.judges = judges
        self.experience: dict[str, Counter[str]] = {}
        self.records: dict[pathlib.Path, pathlib.Path] = {}
        self.folders: queue.SimpleQueue[pathlib.Path] = queue.SimpleQueue()
        shutil.rmtree(COPIES, ignore_errors=True)
        for number in range(mutants_run.JOBS):
            folder = COPIES / str(number)
            shutil.copytree(paths.APP_BUILT, folder)
            self.folders.put(folder)

    def noticed_by(self, change: dict) -> str | None:
        """Returns the test that notices the change, or None."""
        with self._changed(change) as folder:
            known = self.experience.setdefault(change["file"], Counter())
            favourites = [test for test, _ in known.most_common(FAVOURITES)]
            if favourites:
                failed = self.judges[0].run(folder, ["--exact", *favourites]).failed
                if failed:
                    known[failed] += 1
                    return failed
            for judge in self.judges:
                failed = judge.run(folder).failed
                if failed:
                    if judge is self.judges[0] and "::" in failed:
                        known[failed] += 1
                    return failed
        return None

    @contextlib.contextmanager
    def _changed(self, change: dict) -> Iterator[pathlib.Path]:
        """Yields a copy of the built app with the change. Takes the change back at the end of the block."""
        script = pathlib.Path(change["file"])
        source = script.read_text()
        changed = source[: change["start"]] + change["replacement"] + source[change["end"] :]
        folder = self.folders.get()
        record = folder / self._record(script, source)
        text = record.read_text()
        try:
            record.write_text(text.replace(source, changed))
            yield folder
        finally:
            record.write_text(text)
            self.folders.put(folder)

    def _record(self, script: pathlib.Path, source: str) -> pathlib.Path:
        """Returns the record of the built app that holds the script, as a path within the app."""
        if script not in self.records:
            holding = [path for path in sorted(paths.APP_BUILT.rglob("*.xml")) if source in path.read_text()]
            if not holding:
                raise console.StackError(f"{paths.relative(script)} is in no record of the built app.")
            self.records[script] = holding[0].relative_to(paths.APP_BUILT)
        return self.records[script]


def main() -> None:
    """Tests all changes, or those of the scripts that are named, and gives the verdict."""
    artifacts.build_app()
    judges = [
        build("casebridge-simulator", "servicenow", ALONE),
        build("casebridge-simulation", "differential", []),
    ]
    for judge in judges:
        check_unchanged(judge)
    scripts = [path for path in sorted(SCRIPTS.rglob("*.js")) if is_wanted(path)]
    changes = list_changes(scripts)
    bench = Bench(judges)
    with ThreadPoolExecutor(mutants_run.JOBS) as pool:
        results = tell(changes, pool.map(bench.noticed_by, changes))
    tell_scripts(results)
    missed = [(script_name(change), change["what"]) for change, test in results if test is None]
    names = {path.name for path in scripts}
    listed = [found for found in LISTED.findall(mutants.text_of(mutants.SURVIVORS)) if found[0] in names]
    mutants.judge(len(results) - len(missed), missed, listed)


def is_wanted(path: pathlib.Path) -> bool:
    """Whether the script was named, or none was. False for the tests that run on an instance."""
    wanted = sys.argv[1:]
    return path.parent.name != "tests" and (not wanted or any(part in path.name for part in wanted))


def build(package: str, test: str, arguments: list[str]) -> Judge:
    """Builds a test binary."""
    with console.step(f"building the tests {test} of {package}"):
        command = ["cargo", "test", "--locked", "--no-run", "--message-format", "json"]
        done = subprocess.run(
            [*command, "--package", package, "--test", test], cwd=paths.ROOT, stdout=subprocess.PIPE, text=True
        )
        if done.returncode != 0:
            raise console.StackError("cargo could not build the tests; see above.")
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    executables = {message["target"]["name"]: message.get("executable") for message in messages if "target" in message}
    return Judge(mutants_run.Binary(test, pathlib.Path(executables[test]), paths.ROOT), arguments)


def check_unchanged(judge: Judge) -> None:
    """Checks that no test fails without a change, and sets the judge's limit by the time that this takes."""
    with console.step(f"{judge.binary.name}, without a change"):
        ended = judge.run(paths.APP_BUILT)
        if ended.failed:
            raise console.StackError(f"without any change, this fails: {ended.failed}.")
        judge.patience = math.ceil(mutants_run.PATIENCE_FACTOR * ended.seconds)


def list_changes(scripts: list[pathlib.Path]) -> list[dict]:
    """Returns the changes that the lister finds."""
    command = ["node", str(LISTER), *map(str, scripts)]
    output = subprocess.run(command, cwd=paths.APP, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def tell(changes: list[dict], noticed: Iterator[str | None]) -> list[tuple[dict, str | None]]:
    """Returns each change with the test that noticed it. Prints the changes that were not noticed as they come."""
    results = []
    for change, test in zip(changes, noticed, strict=True):
        results.append((change, test))
        if test is None or test == mutants_run.TOO_LONG:
            verdict = "not noticed" if test is None else test
            console.say(f"     {verdict}: {script_name(change)}:{change['line']}: {change['what']}")
        if len(results) % 100 == 0:
            console.say(f"     {len(results)} of {len(changes)} changes after {console.elapsed():.0f} s")
    return results


def tell_scripts(results: list[tuple[dict, str | None]]) -> None:
    """Prints how many changes of each script were noticed."""
    made = Counter(script_name(change) for change, _ in results)
    noticed = Counter(script_name(change) for change, test in results if test is not None)
    for script in sorted(made):
        console.say(f"     {script}: {noticed[script]} of {made[script]}")


def script_name(change: dict) -> str:
    """Returns the script's name without its folder. No two scripts have the same name."""
    return pathlib.Path(change["file"]).name


if __name__ == "__main__":
    console.run(main)
