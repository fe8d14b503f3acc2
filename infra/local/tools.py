"""Installs the tools in exact versions into .tools. Needs only Python. Does nothing if the tools are installed.

python3 infra/local/tools.py [cargo-deny] [cargo-mutants]
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

import console
import paths

CARGO_TOOLS = {"cargo-deny": "0.20.2", "cargo-mutants": "27.1.0"}
CARGO = paths.TOOLS / "cargo"


def digest(*contents: bytes) -> str:
    """Returns a short digest of several contents."""
    summary = hashlib.sha256()
    for content in contents:
        summary.update(len(content).to_bytes(8, "big"))
        summary.update(content)
    return summary.hexdigest()[:32]


def is_stamped(name: str, value: str) -> bool:
    """Whether `stamp` was last called for the step `name` with this value."""
    stamp = paths.STAMPS / name
    return stamp.exists() and stamp.read_text() == value


def stamp(name: str, value: str) -> None:
    """Records that the step `name` was finished for `value`."""
    paths.STAMPS.mkdir(parents=True, exist_ok=True)
    (paths.STAMPS / name).write_text(value)


def run_quietly(command: list[str], **options) -> None:
    """Runs a command. Shows its output only if it fails, and then raises StackError."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    except FileNotFoundError as error:
        raise console.StackError(f"`{command[0]}` is not installed. Install it and try again.") from error
    if done.returncode != 0:
        console.say(done.stdout)
        raise console.StackError(f"`{' '.join(map(str, command))}` ended with exit code {done.returncode}; see above.")


def ensure_environment(folder: pathlib.Path, requirements: pathlib.Path) -> None:
    """Installs a Python environment with exactly the packages of a requirements file."""
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
        # pip installs only files with the listed hashes. It installs no source packages, since the requirements of
        # their builds have no hashes.
        exactly = ["--require-hashes", "--only-binary", ":all:"]
        run_quietly([*pip, "install", "--quiet", *exactly, "--requirement", str(requirements)])
        stamp(folder.name, wanted)


def ensure_cargo_tool(name: str) -> pathlib.Path:
    """Builds a tool for cargo and returns its path. It is not optimised: the commands that it runs take longest."""
    if name not in CARGO_TOOLS:
        raise console.StackError(f"no tool is called {name!r}. There are: {', '.join(sorted(CARGO_TOOLS))}.")
    version, binary = CARGO_TOOLS[name], CARGO / "bin" / name
    if binary.exists() and is_stamped(name, version):
        return binary
    with console.step(f"building {name} {version} (some minutes, once)"):
        command = ["cargo", "install", name, "--version", version, "--locked", "--debug", "--force"]
        environment = os.environ | {"CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_TARGET_DIR": str(CARGO / "target")}
        run_quietly([*command, "--root", str(CARGO)], env=environment)
        shutil.rmtree(CARGO / "target", ignore_errors=True)
        stamp(name, version)
    return binary


def ensure() -> None:
    """Installs both Python environments."""
    ensure_environment(paths.PYTHON, paths.LOCAL / "requirements.txt")
    ensure_environment(paths.MINISTACK, paths.LOCAL / "requirements-ministack.txt")


def main() -> None:
    """Installs what is missing."""
    ensure()
    for name in sys.argv[1:]:
        ensure_cargo_tool(name)


if __name__ == "__main__":
    console.run(main)
