"""Builds what the stack runs, if it has changed: the functions' packages, the simulator and the ServiceNow app."""

import contextlib
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

import console
import paths
import tools

SIMULATOR_PACKAGE = "casebridge-simulator"
PROGRESS_SECONDS = 15
# Every package gets the same time, so that equal binaries give equal packages.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o755 << 16
APP_IGNORED = {"node_modules", "dist", "target", ".now", "__pycache__"}


def cargo_build(packages: list[str], profile: str = "dev") -> dict[str, pathlib.Path]:
    """Builds packages with cargo. Returns the executable of each."""
    command = ["cargo", "build", "--locked", "--profile", profile, "--message-format", "json-render-diagnostics"]
    for package in packages:
        command += ["--package", package]
    # On a terminal cargo shows its own progress.
    interactive = sys.stderr.isatty()
    try:
        process = subprocess.Popen(
            command, cwd=paths.ROOT, text=True, stdout=subprocess.PIPE, stderr=None if interactive else subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise console.StackError("`cargo` is not installed. Install Rust and try again.") from error
    with contextlib.nullcontext([]) if interactive else _progress(process.stderr) as output:
        messages = [json.loads(line) for line in process.stdout]
        code = process.wait()
    if code != 0:
        console.say("".join(output))
        raise console.StackError("cargo could not build the binaries; see above.")
    executables = {
        message["target"]["name"]: pathlib.Path(message["executable"])
        for message in messages
        if message["reason"] == "compiler-artifact" and message.get("executable")
    }
    missing = set(packages) - set(executables)
    if missing:
        raise console.StackError(f"these packages have no binary of their own name: {', '.join(sorted(missing))}")
    return executables


@contextlib.contextmanager
def _progress(stream):
    """Collects cargo's output, and reports its progress from time to time."""
    output: list[str] = []
    ended = threading.Event()

    def read() -> None:
        output.extend(stream)

    def tell() -> None:
        while not ended.wait(PROGRESS_SECONDS):
            compiled = sum(line.lstrip().startswith("Compiling ") for line in output)
            last = output[-1].strip() if output else "waiting for cargo"
            console.say(f"     {compiled} crates so far, {last}")

    threads = [threading.Thread(target=work, daemon=True) for work in (read, tell)]
    for thread in threads:
        thread.start()
    try:
        yield output
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def build_binaries() -> dict[str, pathlib.Path]:
    """Builds the functions and the simulator, in the profile that builds fastest. Returns their executables."""
    with console.step("building the functions and the simulator") as remark:
        began = time.monotonic()
        executables = cargo_build([*paths.FUNCTIONS, SIMULATOR_PACKAGE])
        if time.monotonic() - began < 2:
            remark.append("nothing to do")
        return executables


def file_digest(path: pathlib.Path) -> str:
    """Returns a short digest of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def write_package(bootstrap: pathlib.Path, package: pathlib.Path, compression: int = zipfile.ZIP_DEFLATED) -> None:
    """Writes a function's package: a zip with one executable, under the name that Lambda starts."""
    package.parent.mkdir(parents=True, exist_ok=True)
    entry = zipfile.ZipInfo("bootstrap", ZIP_TIME)
    entry.external_attr = EXECUTABLE
    entry.compress_type = compression
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, bootstrap.read_bytes(), compresslevel=9)


def local_packages(executables: dict[str, pathlib.Path]) -> dict[str, pathlib.Path]:
    """Returns the packages for the local stack: without debugging information, named by content."""
    return {function: _local_package(function, executables[function]) for function in paths.FUNCTIONS}


def _local_package(function: str, executable: pathlib.Path) -> pathlib.Path:
    built = _signature(executable)
    known = sorted(paths.LOCAL_PACKAGES.glob(f"{function}-*.zip"))
    if len(known) == 1 and tools.is_stamped(f"package-{function}", built):
        return known[0]
    paths.LOCAL_PACKAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.LOCAL_PACKAGES) as folder:
        stripped = pathlib.Path(folder) / function
        tools.run_quietly(["strip", "-o", str(stripped), str(executable)])
        if _signature(executable) != built or stripped.stat().st_size == 0:
            raise console.StackError(f"{paths.relative(executable)} was rebuilt while it was packed: try again.")
        package = paths.LOCAL_PACKAGES / f"{function}-{file_digest(stripped)}.zip"
        unfinished = stripped.with_suffix(".zip")
        write_package(stripped, unfinished, zipfile.ZIP_STORED)
        for old in known:
            old.unlink(missing_ok=True)
        unfinished.replace(package)
    tools.stamp(f"package-{function}", built)
    return package


def _signature(executable: pathlib.Path) -> str:
    """Returns a text that differs between two builds of an executable, without a read of the file."""
    status = executable.stat()
    return f"{executable}:{status.st_ino}:{status.st_mtime_ns}:{status.st_size}"


def app_digest() -> str:
    """Returns a digest of every file that the app is built from."""
    found = []
    for folder, subfolders, files in os.walk(paths.APP):
        subfolders[:] = sorted(set(subfolders) - APP_IGNORED)
        found += [pathlib.Path(folder) / file for file in sorted(files)]
    return tools.digest(*(str(path.relative_to(paths.APP)).encode() + path.read_bytes() for path in found))


def ensure_app_tools() -> None:
    """Installs the app's own tools in the versions of its lock file."""
    lock = tools.digest((paths.APP / "package-lock.json").read_bytes())
    if (paths.APP / "node_modules").exists() and tools.is_stamped("npm", lock):
        return
    with console.step("installing the ServiceNow SDK"):
        # The build needs none of the packages' own installation scripts, which could do anything on this machine.
        tools.run_quietly(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=paths.APP)
        tools.stamp("npm", lock)


def build_app() -> str:
    """Builds the app. Returns a digest of all that it was built from."""
    ensure_app_tools()
    sources = app_digest()
    if not paths.APP_BUILT.exists() or not tools.is_stamped("app", sources):
        with console.step("building the ServiceNow app"):
            tools.run_quietly(["npm", "run", "build"], cwd=paths.APP)
            # The build may write its registry of keys next to the sources, so take the digest after it.
            sources = app_digest()
            tools.stamp("app", sources)
    return sources
