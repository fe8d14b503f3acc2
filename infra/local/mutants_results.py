"""Keeps what the tests notice, so that a later run need not test it again.

If the code is the same, everything that is kept counts. If only tests have changed, the changes that were noticed
count.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable

import console
import mutants_build
import mutations
import paths

FILE = paths.TARGET / "mutants" / "results.json"
# How often the file is written.
SAVED_SECONDS = 5
# What the tests are built of, and the part of it that is changed or that the changed code needs.
CODE = re.compile(r"Cargo\.(toml|lock)|(shared|functions|tests)/.*")
SOURCES = re.compile(r"Cargo\.(toml|lock)|shared/(core|executor|ledger|ports)/(Cargo\.toml|src/.*)")


class Results:
    """What is known of the changes by their names. It is kept in a file."""

    def __init__(self) -> None:
        self.digests = {"sources": digest_of(SOURCES, mutations.without_tests), "code": digest_of(CODE)}
        kept = json.loads(FILE.read_text()) if FILE.exists() else {}
        same = {name: kept.get("digests", {}).get(name) == digest for name, digest in self.digests.items()}
        if same["sources"]:
            console.say("The sources are those of the last run, so what it noticed counts.")
        # The changes that do not compile, the test that noticed each of the others, and the rounds that did not.
        self.unviable: list[str] = kept["unviable"] if same["sources"] else []
        self.noticed: dict[str, str] = kept["noticed"] if same["sources"] else {}
        self.missed: dict[str, list[str]] = kept["missed"] if same["sources"] and same["code"] else {}
        self._saved = time.monotonic()

    def is_open(self, name: str, round_name: str) -> bool:
        """Whether a round must test a change."""
        return name not in self.noticed and round_name not in self.missed.get(name, [])

    def take(self, name: str, round_name: str, test: str | None) -> None:
        """Takes in the test that noticed a change, or None."""
        if test is None:
            self.missed.setdefault(name, []).append(round_name)
        else:
            self.noticed[name] = test
        if time.monotonic() - self._saved > SAVED_SECONDS:
            self.save()

    def save(self) -> None:
        """Writes the file."""
        content = {name: getattr(self, name) for name in ("digests", "unviable", "noticed", "missed")}
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(json.dumps(content, indent=1))
        self._saved = time.monotonic()


def digest_of(wanted: re.Pattern[str], shortened: Callable[[bytes], bytes] = bytes) -> str:
    """Returns a digest of the names and contents of some files. `shortened` returns what counts of a Rust source."""
    digest = hashlib.sha256()
    for name in filter(wanted.fullmatch, mutants_build.project_files()):
        content = (paths.ROOT / name).read_bytes()
        content = shortened(content) if name.endswith(".rs") else content
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()
