"""Installs the tools of exact versions into .tools: needs nothing but Python, and does nothing when they are there.

python3 infra/local/tools.py [cargo-deny]
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import console
import paths

CARGO_DENY_VERSION = "0.20.2"
CARGO_DENY = paths.TOOLS / "cargo" / "bin" / "cargo-deny"


def digest(*contents: bytes) -> str:
    """One short name for several contents."""
    summary = hashlib.sha256()
    for content in contents:
        summary.update(len(content).to_bytes(8, "big"))
        summary.update(content)
    return summary.hexdigest()[:32]


def is_stamped(name: str, value: str) -> bool:
    """Whether the step `name` was last finished for `value`."""
    stamp = paths.STAMPS / name
    return stamp.exists() and stamp.read_text() == value


def stamp(name: str, value: str) -> None:
    """Remembers that the step `name` was finished for `value`."""
    paths.STAMPS.mkdir(parents=True, exist_ok=True)
    (paths.STAMPS / name).write_text(value)


def run_quietly(command: list[str], **options) -> None:
    """Runs a command; its output is shown only if it fails."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    except FileNotFoundError as error:
        raise console.StackError(f"`{command[0]}` is not installed. Install it and try again.") from error
    if done.returncode != 0:
        console.say(done.stdout)
        raise console.StackError(f"`{' '.join(map(str, command))}` ended with exit code {done.returncode}; see above.")


def ensure_environment(folder: pathlib.Path, requirements: pathlib.Path) -> None:
    """A Python environment with exactly the packages of a requirements file."""
    wanted = digest(requirements.read_bytes(), sys.version.encode(), str(folder).encode())
    if (folder / "bin" / "python").exists() and is_stamped(folder.name, wanted):
        return
    with console.step(f"installing {paths.relative(folder)} from {paths.relative(requirements)}"):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            run_quietly([sys.executable, "-m", "venv", str(folder)])
        except console.StackError as error:
            raise console.StackError(f"{error} Python needs its venv module (Debian: python3-venv).") from error
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        run_quietly([*pip, "install", "--quiet", "--requirement", str(requirements)])
        stamp(folder.name, wanted)


def ensure_cargo_deny() -> None:
    """cargo-deny from its sources; without optimisation, since it checks a few hundred crates in seconds anyway."""
    if CARGO_DENY.exists() and is_stamped("cargo-deny", CARGO_DENY_VERSION):
        return
    with console.step(f"building cargo-deny {CARGO_DENY_VERSION} (some minutes, once)"):
        root = paths.TOOLS / "cargo"
        command = ["cargo", "install", "cargo-deny", "--version", CARGO_DENY_VERSION, "--locked", "--debug", "--force"]
        environment = os.environ | {"CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_TARGET_DIR": str(root / "target")}
        run_quietly([*command, "--root", str(root)], env=environment)
        shutil.rmtree(root / "target", ignore_errors=True)
        stamp("cargo-deny", CARGO_DENY_VERSION)


def ensure() -> None:
    """Both Python environments."""
    ensure_environment(paths.PYTHON, paths.LOCAL / "requirements.txt")
    ensure_environment(paths.MINISTACK, paths.LOCAL / "requirements-ministack.txt")


def main() -> None:
    """Installs what is missing."""
    ensure()
    if "cargo-deny" in sys.argv[1:]:
        ensure_cargo_deny()


if __name__ == "__main__":
    console.run(main)
