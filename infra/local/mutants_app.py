"""Changes the app's scripts, one small step at a time, and runs the simulator's tests on each: they must notice.

    python mutants_app.py [part of a file's name ...]

The scripts are included into the built app as text, so a change is written there, without a build. What the app's own
tests do not notice is left to the differential test. The built app is as it was when this ends.
"""

import json
import pathlib
import subprocess
import sys

import artifacts
import console
import paths

SCRIPTS = paths.APP / "src" / "server"
LISTER = paths.APP / "checks" / "mutants.mjs"
# A change that makes a loop endless counts as noticed after so many seconds.
PATIENCE_SECONDS = 60
# Tests of the platform's side alone: no change of the app's can be noticed there.
ALONE = ["--skip", "instance::", "--skip", "table_api::"]


def main() -> None:
    """All changes, or those of the files that are named."""
    artifacts.build_app()
    tests = test_binaries()
    for test, arguments in tests:
        with console.step(f"{test.name} as it is"):
            if notices(test, arguments):
                raise console.StackError("the tests fail without any change.")
    scripts = [path for path in sorted(SCRIPTS.rglob("*.js")) if is_wanted(path)]
    changes = list_changes(scripts)
    built = {path: built_file(path) for path in scripts}
    missed = []
    for number, change in enumerate(changes, 1):
        path = pathlib.Path(change["file"])
        if survives(path, built[path], change, tests):
            missed.append(change)
            console.say(f"not noticed: {describe(change)}")
        if number % 100 == 0:
            console.say(f"     {number} of {len(changes)} changes, {len(missed)} not noticed")
    console.say(f"{len(changes) - len(missed)} of {len(changes)} changes noticed")


def is_wanted(path: pathlib.Path) -> bool:
    """Whether the script was named, or none was. The tests for an instance are not run here."""
    wanted = sys.argv[1:]
    return path.parent.name != "tests" and (not wanted or any(part in path.name for part in wanted))


def test_binaries() -> list[tuple[pathlib.Path, list[str]]]:
    """The tests that run the shipped scripts, the quick ones first."""
    found = []
    for package, test, arguments in [
        ("casebridge-simulator", "servicenow", ALONE),
        ("casebridge-simulation", "differential", []),
    ]:
        command = ["cargo", "test", "--no-run", "--message-format", "json", "--package", package, "--test", test]
        output = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=True).stdout
        messages = [json.loads(line) for line in output.splitlines()]
        executables = {
            message["target"]["name"]: message.get("executable") for message in messages if "target" in message
        }
        found.append((pathlib.Path(executables[test]), arguments))
    return found


def list_changes(scripts: list[pathlib.Path]) -> list[dict]:
    """The changes, as the lister finds them."""
    command = ["node", str(LISTER), *map(str, scripts)]
    output = subprocess.run(command, cwd=paths.APP, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def built_file(script: pathlib.Path) -> pathlib.Path:
    """The record of the built app that holds the script."""
    text = script.read_text()
    for path in sorted((paths.APP_BUILT / "update").glob("*.xml")):
        if text in path.read_text():
            return path
    raise console.StackError(f"{paths.relative(script)} is in no record of the built app.")


def survives(script: pathlib.Path, built: pathlib.Path, change: dict, tests: list) -> bool:
    """Whether no test notices the change."""
    source, record = script.read_text(), built.read_text()
    changed = source[: change["start"]] + change["replacement"] + source[change["end"] :]
    try:
        built.write_text(record.replace(source, changed))
        return not any(notices(test, arguments) for test, arguments in tests)
    finally:
        built.write_text(record)


def notices(test: pathlib.Path, arguments: list[str]) -> bool:
    """Whether the test fails."""
    try:
        command = [str(test), "--quiet", *arguments]
        ended = subprocess.run(command, cwd=paths.ROOT, capture_output=True, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return ended.returncode != 0


def describe(change: dict) -> str:
    """A change in one line."""
    path = pathlib.Path(change["file"])
    was = path.read_text()[change["start"] : change["end"]].replace("\n", " ")
    return f"{path.name}:{change['line']}: {was[:80]} -> {change['replacement'][:80]}"


if __name__ == "__main__":
    console.run(main)
