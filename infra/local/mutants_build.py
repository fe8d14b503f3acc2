"""Builds the tests with all mutations of the core and the executor in one binary each, behind a switch.

The sources are copied. The build shares its folder with the usual one, so that other packages are not built again.
"""

import collections
import dataclasses
import json
import os
import pathlib
import re
import subprocess

import console
import mutants_run
import mutations
import paths
import tools

COPY = paths.TARGET / "mutants" / "sources"
PACKAGES = ["casebridge-core", "casebridge-executor"]
# The copied packages have another version, so that their files in the build folder are not those of the originals.
VERSION = re.compile(r'^(version = "[^"]+)"\n(?!source)', re.MULTILINE)
COPIED_VERSION = r'\1+mutants"\n'
VERSIONED = ("Cargo.toml", "Cargo.lock")
# The core's tests in its sources, as a test of its own: cargo can't build the tests of only one library and keep the
# features of the other packages.
UNITS = "units"
UNITS_OF_CORE = f'\n[[test]]\nname = "{UNITS}"\npath = "src/lib.rs"\n'
CORE = pathlib.Path("shared/core")
SIMULATION = pathlib.Path("tests/simulation")
# The tests that can notice a mutation, by package. The tests `rooms` read sources, `differential` runs the app.
CORE_TESTS = [UNITS, "plan", "catalogue", "policy_table"]
STORIES = ["events", "fourth_kind", "passes", "pauses", "platforms", "rules", "successors"]
WORLDS = ["exploration"]
EXAMPLES = ["policy_table"]
# How often the build may find mutations that do not compile. Each step of the compiler finds further ones.
MAXIMUM_BUILDS = 20


@dataclasses.dataclass(frozen=True)
class Listed:
    """A mutation of cargo-mutants' list, and the file that it changes."""

    name: str
    file: str
    mutation: mutations.Mutation


@dataclasses.dataclass
class Built:
    """What was built: the tests by package and name, and the mutations that are not in them."""

    binaries: dict[tuple[pathlib.Path, str], mutants_run.Binary]
    unviable: set[int]
    not_switched: set[int]


def list_mutations() -> list[Listed]:
    """Returns the mutations that cargo-mutants finds, with numbers from 1 on."""
    search = f"{tools.CARGO / 'bin'}{os.pathsep}{os.environ['PATH']}"
    packages = [word for package in PACKAGES for word in ("--package", package)]
    command = ["cargo", "mutants", "--list", "--json", *packages]
    output = subprocess.run(
        command, cwd=paths.ROOT, env=os.environ | {"PATH": search}, stdout=subprocess.PIPE, check=True
    ).stdout
    lines: dict[str, list[str]] = {}
    listed = []
    for number, found in enumerate(json.loads(output), 1):
        file = found["file"]
        if file not in lines:
            lines[file] = (paths.ROOT / file).read_text().splitlines(keepends=True)
        start, end = (offset(lines[file], found["span"][edge]) for edge in ("start", "end"))
        mutation = mutations.Mutation(number, found["genre"], start, end, found["replacement"].encode())
        listed.append(Listed(found["name"], file, mutation))
    return listed


def offset(lines: list[str], place: dict[str, int]) -> int:
    """Returns the byte of a file at a line and a column, which both begin with 1."""
    before = lines[: place["line"] - 1]
    return len("".join(before).encode()) + len(lines[place["line"] - 1][: place["column"] - 1].encode())


def build(listed: list[Listed], unviable: set[int]) -> Built:
    """Builds the tests with all mutations that compile. `unviable` are those that are known not to compile."""
    sources = copy_sources()
    unviable = set(unviable)
    for _ in range(MAXIMUM_BUILDS):
        outputs, not_switched = rewrite(sources, listed, unviable)
        messages = run_cargo()
        errors = errors_in(messages)
        if not errors:
            return Built(binaries_of(messages), unviable, not_switched)
        found = {number for error in errors for number in culprits(error, outputs)} - unviable
        if not found:
            raise console.StackError(f"the mutations do not compile: {errors[0]['rendered']}")
        unviable |= found
    raise console.StackError(f"after {MAXIMUM_BUILDS} builds some mutations still do not compile.")


def project_files() -> list[str]:
    """Returns the names of the project's files, without those that git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.split("\0")
    return sorted({name for name in listed if name and (paths.ROOT / name).is_file()})


def copy_sources() -> dict[str, bytes]:
    """Copies the project. Returns the contents of the files that mutations may change, and does not copy those."""
    names = set(project_files())
    for file in [file for file in COPY.rglob("*") if file.is_file() and str(file.relative_to(COPY)) not in names]:
        file.unlink()
    folders = tuple(f"shared/{package.removeprefix('casebridge-')}/src/" for package in PACKAGES)
    sources = {name for name in names if name.startswith(folders)}
    for name in names - sources:
        content = (paths.ROOT / name).read_bytes()
        if name in VERSIONED:
            content = VERSION.sub(COPIED_VERSION, content.decode()).encode()
        if name == str(CORE / "Cargo.toml"):
            content += UNITS_OF_CORE.encode()
        write(COPY / name, content)
    return {name: (paths.ROOT / name).read_bytes() for name in sources}


def write(file: pathlib.Path, content: bytes) -> None:
    """Writes a file unless it has this content: cargo builds what is new."""
    if not file.exists() or file.read_bytes() != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def rewrite(
    sources: dict[str, bytes], listed: list[Listed], unviable: set[int]
) -> tuple[dict[str, mutations.Output], set[int]]:
    """Writes the sources with their mutations. Returns what was written, and the mutations that can't be switched.

    Adds those to `unviable` that are no Rust.
    """
    by_file = collections.defaultdict(list)
    for one in listed:
        by_file[one.file].append(one.mutation)
    outputs, not_switched = {}, set()
    for name, source in sources.items():
        file = mutations.File(source)
        for mutation in by_file[name]:
            if file.is_impossible(mutation):
                unviable.add(mutation.number)
            elif mutation.number not in unviable and not file.place(mutation):
                not_switched.add(mutation.number)
        outputs[name] = file.rewritten()
        text = bytes(outputs[name].text)
        if name.endswith("src/lib.rs"):
            text += mutations.switch_module(len(listed)).encode()
        write(COPY / name, text)
    return outputs, not_switched


def run_cargo() -> list[dict]:
    """Builds the tests. Returns cargo's messages. What does not compile is among them."""
    command = ["cargo", "test", "--workspace", "--locked", "--no-run", "--message-format", "json"]
    for name in [*CORE_TESTS, *STORIES, *WORLDS]:
        command += ["--example" if name in EXAMPLES else "--test", name]
    environment = os.environ | {"CARGO_TARGET_DIR": str(paths.TARGET)}
    done = subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 and not errors_in(messages):
        raise console.StackError(f"cargo could not build the tests: {done.stderr}")
    return messages


def errors_in(messages: list[dict]) -> list[dict]:
    """Returns the errors of the compiler that have a place in a source."""
    found = [message["message"] for message in messages if message["reason"] == "compiler-message"]
    return [message for message in found if message["level"] == "error" and message["spans"]]


def culprits(error: dict, outputs: dict[str, mutations.Output]) -> set[int]:
    """Returns the mutations that an error of the compiler is about."""
    spans = sorted(error["spans"], key=lambda span: not span["is_primary"])
    for span in spans:
        while span["expansion"] and span["file_name"] not in outputs:
            span = span["expansion"]["span"]
        if span["file_name"] in outputs:
            found = outputs[span["file_name"]].culprits(span["byte_start"], span["byte_end"])
            if found:
                return found
    return set()


def binaries_of(messages: list[dict]) -> dict[tuple[pathlib.Path, str], mutants_run.Binary]:
    """Returns the test binaries of cargo's messages."""
    found = {}
    for message in messages:
        if message["reason"] == "compiler-artifact" and message["executable"] and message["profile"]["test"]:
            folder, name = pathlib.Path(message["manifest_path"]).parent, message["target"]["name"]
            found[folder.relative_to(COPY), name] = mutants_run.Binary(
                name, pathlib.Path(message["executable"]), folder
            )
    return found
