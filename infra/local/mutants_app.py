"""Changes the app's scripts, one small step at a time, and runs the tests that execute them on each: they must notice.

    python mutants_app.py [part of a script's name ...]

The scripts are text in the built app, so a change is written into a copy of that, without a build, and several are
tested at once. At least NOTICED of the changes must be noticed, and each of the others must stand in docs/mutants.md.
What took too long counts as noticed, and is named.
"""

import contextlib
import dataclasses
import json
import math
import os
import pathlib
import queue
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import artifacts
import console
import mutants
import paths

SCRIPTS = paths.APP / "src" / "server"
LISTER = paths.APP / "checks" / "mutants.mjs"
COPIES = paths.TARGET / "mutants-app"
# The variable that names the built app for the tests.
APP_VARIABLE = "CASEBRIDGE_TEST_APP"
# How many changes are tested at once, each by one thread.
JOBS = 2
# A change that makes a loop endless is noticed after so many times what the tests take of the processor without it. By
# the clock they take the longer, the more else runs on the machine.
PATIENCE_FACTOR = 4
# The limit before that is measured, in seconds of processor time.
PATIENCE_SECONDS = 600
# Limits a program's processor time to the first argument, in seconds. The other arguments are the program and its own.
LIMITED = ["sh", "-c", 'ulimit -S -t "$0" && exec "$@"']
# Tests of the platform's side alone: no change of the app's can be noticed there.
ALONE = ["--skip", "instance::", "--skip", "table_api::"]
# How many of the tests that have noticed most changes of a script are tried on the next one, before all are.
FAVOURITES = 20
# How a test that fails is told where the tests run one after the other.
FAILED = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. FAILED$")
TOO_LONG = "too long"
# How the document lists a change that is not noticed.
LISTED = re.compile(r"^- `(\S+\.js)`: `([^`]+)`$", re.MULTILINE)


@dataclasses.dataclass
class Judge:
    """A test binary that runs the shipped scripts."""

    binary: pathlib.Path
    arguments: list[str]
    patience: int = PATIENCE_SECONDS

    def failure(self, app: pathlib.Path, arguments: list[str] | None = None) -> str | None:
        """The first test that fails on this built app, or None. What is left of them is not run."""
        command = [*LIMITED, str(self.patience), str(self.binary), "--test-threads", "1"]
        command += self.arguments if arguments is None else arguments
        # The reason of the failure is not used.
        environment = os.environ | {APP_VARIABLE: str(app), "RUST_BACKTRACE": "0"}
        process = subprocess.Popen(
            command, cwd=paths.ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            failed = next((found[1] for found in map(FAILED.match, map(str.rstrip, process.stdout)) if found), None)
            if failed is None and process.wait() != 0:
                failed = TOO_LONG if process.returncode == -signal.SIGXCPU else "a crash"
            return failed
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


class Bench:
    """Copies of the built app, one for each change that is tested at the same time, and the judges."""

    def __init__(self, judges: list[Judge]) -> None:
        self.judges = judges
        self.experience: dict[str, Counter[str]] = {}
        self.records: dict[pathlib.Path, pathlib.Path] = {}
        self.folders: queue.SimpleQueue[pathlib.Path] = queue.SimpleQueue()
        shutil.rmtree(COPIES, ignore_errors=True)
        for number in range(JOBS):
            folder = COPIES / str(number)
            shutil.copytree(paths.APP_BUILT, folder)
            self.folders.put(folder)

    def noticed_by(self, change: dict) -> str | None:
        """The test that notices the change, or None."""
        with self._changed(change) as folder:
            known = self.experience.setdefault(change["file"], Counter())
            favourites = [test for test, _ in known.most_common(FAVOURITES)]
            if favourites:
                failed = self.judges[0].failure(folder, ["--exact", *favourites])
                if failed:
                    known[failed] += 1
                    return failed
            for judge in self.judges:
                failed = judge.failure(folder)
                if failed:
                    if judge is self.judges[0] and "::" in failed:
                        known[failed] += 1
                    return failed
        return None

    @contextlib.contextmanager
    def _changed(self, change: dict) -> Iterator[pathlib.Path]:
        """A copy of the built app that has the change, for as long as it is tested."""
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
        """The record of the built app that holds the script, as a path within the app."""
        if script not in self.records:
            holding = [path for path in sorted(paths.APP_BUILT.rglob("*.xml")) if source in path.read_text()]
            if not holding:
                raise console.StackError(f"{paths.relative(script)} is in no record of the built app.")
            self.records[script] = holding[0].relative_to(paths.APP_BUILT)
        return self.records[script]


def main() -> None:
    """All changes, or those of the scripts that are named, and the verdict."""
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
    with ThreadPoolExecutor(JOBS) as pool:
        results = tell(changes, pool.map(bench.noticed_by, changes))
    tell_scripts(results)
    missed = [(script_name(change), change["what"]) for change, test in results if test is None]
    names = {path.name for path in scripts}
    listed = [found for found in LISTED.findall(mutants.text_of(mutants.SURVIVORS)) if found[0] in names]
    mutants.judge(len(results) - len(missed), missed, listed)


def is_wanted(path: pathlib.Path) -> bool:
    """Whether the script was named, or none was. The tests for an instance are not run here."""
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
    return Judge(pathlib.Path(executables[test]), arguments)


def check_unchanged(judge: Judge) -> None:
    """Without a change nothing may fail; how long that takes says how long is too long."""
    with console.step(f"{judge.binary.name}, without a change"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        failed = judge.failure(paths.APP_BUILT)
        if failed:
            raise console.StackError(f"without any change, this fails: {failed}.")
        taken = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        judge.patience = math.ceil(PATIENCE_FACTOR * taken)


def list_changes(scripts: list[pathlib.Path]) -> list[dict]:
    """The changes, as the lister finds them."""
    command = ["node", str(LISTER), *map(str, scripts)]
    output = subprocess.run(command, cwd=paths.APP, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def tell(changes: list[dict], noticed: Iterator[str | None]) -> list[tuple[dict, str | None]]:
    """Each change with the test that noticed it; says what was not noticed as it comes."""
    results = []
    for change, test in zip(changes, noticed, strict=True):
        results.append((change, test))
        if test is None or test == TOO_LONG:
            verdict = "not noticed" if test is None else test
            console.say(f"     {verdict}: {script_name(change)}:{change['line']}: {change['what']}")
        if len(results) % 100 == 0:
            console.say(f"     {len(results)} of {len(changes)} changes after {console.elapsed():.0f} s")
    return results


def tell_scripts(results: list[tuple[dict, str | None]]) -> None:
    """How many changes of each script were noticed."""
    made = Counter(script_name(change) for change, _ in results)
    noticed = Counter(script_name(change) for change, test in results if test is not None)
    for script in sorted(made):
        console.say(f"     {script}: {noticed[script]} of {made[script]}")


def script_name(change: dict) -> str:
    """The script's name without its folder: no two have the same."""
    return pathlib.Path(change["file"]).name


if __name__ == "__main__":
    console.run(main)
