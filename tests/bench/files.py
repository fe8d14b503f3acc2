"""`make bench-files`: moves the largest file each way with the release packages, and prints the memory that it takes.

The functions run on a local stack of their own, as `make up` runs them, and the files go over its links. The peak
memory is that of the process of the function `attachments` (VmHWM). The command fails if it exceeds
MAXIMUM_MEMORY_BYTES: files are streamed, so that their size must not show.
"""

import contextlib
import hashlib
import os
import pathlib
import tempfile
import threading
import time
import uuid

import bench
import console
import paths
from stack import Stack
from world import World

FUNCTION = "attachments"
# The largest file that AWS Support takes.
FILE_BYTES = 157_286_400
# Half of the function's memory.
MAXIMUM_MEMORY_BYTES = 128_000_000
# How long one file may take. The builds of the simulator and of the local AWS are slow with so many bytes.
PATIENCE_SECONDS = 600
LOOK_SECONDS = 0.05
CHUNK_BYTES = 1024 * 1024
# The variable by which Lambda tells a process its function.
NAME_VARIABLE = b"AWS_LAMBDA_FUNCTION_NAME="


class Watch:
    """The largest memory of a function's processes, looked at many times a second, since processes may end."""

    def __init__(self, function_name: str):
        self._wanted = NAME_VARIABLE + function_name.encode()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.largest_bytes = 0

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                # A process may end between two reads, and those of others can't be read.
                with contextlib.suppress(OSError, ValueError):
                    if self._wanted in (process / "environ").read_bytes().split(b"\0"):
                        self.largest_bytes = max(self.largest_bytes, peak_bytes(process))


def peak_bytes(process: pathlib.Path) -> int:
    """Returns the peak memory of a process. Raises ValueError if it has ended."""
    (line,) = [line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def random_file(folder: str) -> tuple[pathlib.Path, str]:
    """Writes the largest file with random bytes. Returns its path and its SHA-256."""
    path, digest = pathlib.Path(folder) / "dump.bin", hashlib.sha256()
    with open(path, "wb") as file:
        for _ in range(FILE_BYTES // CHUNK_BYTES):
            chunk = os.urandom(CHUNK_BYTES)
            digest.update(chunk)
            file.write(chunk)
    return path, digest.hexdigest()


def to_aws(world: World, incident, folder: str) -> None:
    """Attaches the file to the incident, and waits until the case has it."""
    path, digest = random_file(folder)
    client = world.stack.agent
    query = {"table_name": "incident", "table_sys_id": incident.sys_id, "file_name": path.name}
    with open(path, "rb") as file:
        answer = client.session.post(
            f"{client.instance}/api/now/attachment/file",
            params=query,
            data=file,
            headers={"Content-Type": "application/octet-stream"},
            timeout=PATIENCE_SECONDS,
        )
    answer.raise_for_status()

    def arrived() -> list[str]:
        case = world.case(incident)
        return [file["sha256"] for sent in case["communications"] for file in sent["attachments"]]

    expect(world.until("the case has the file", arrived, incident, patience=PATIENCE_SECONDS), [digest])


def to_servicenow(world: World, incident) -> None:
    """Adds a file to the case, as an engineer at AWS, and waits until the incident has it."""
    name = f"{uuid.uuid4().hex}.bin"
    path = f"/support/cases/{world.case(incident)['caseId']}/communications"
    written = {"body": "A dump.", "attachments": [{"fileName": name, "size": FILE_BYTES, "seed": 1}]}
    case = world.stack.control("POST", path, written)
    (digest,) = [
        file["sha256"] for sent in case["communications"] for file in sent["attachments"] if file["fileName"] == name
    ]

    def arrived() -> list[str]:
        # The digest is there as soon as the whole file is.
        found = world.find("sys_attachment", table_sys_id=incident.sys_id, file_name=name)
        return [file["hash"] for file in found if file["hash"]]

    expect(world.until("the incident has the file", arrived, incident, patience=PATIENCE_SECONDS), [digest])


def expect(found: list[str], wanted: list[str]) -> None:
    """Raises StackError unless the digests are those of the file."""
    if found != wanted:
        raise console.StackError(f"a file arrived with other bytes, or twice: {found} and not {wanted}.")


def measure(function_name: str, what: str, move) -> int:
    """Moves a file and prints what it takes. Returns the peak memory in bytes."""
    with Watch(function_name) as watch:
        began = time.monotonic()
        move()
        took = time.monotonic() - began
    if watch.largest_bytes == 0:
        raise console.StackError(f"no process of {FUNCTION} was seen: its memory is not known.")
    console.say(f"  {what:24}{watch.largest_bytes / 1e6:8.1f} MB of memory{took:8.1f} s")
    return watch.largest_bytes


def main() -> None:
    """Measures and prints. Raises StackError if the function takes too much memory."""
    packages = bench.find_packages()
    with bench.own_stack(packages) as stack, tempfile.TemporaryDirectory(dir=paths.TARGET) as folder:
        world = World(Stack(stack))
        incident = world.linked()
        name = stack["functions"][FUNCTION]
        console.say(f"\nA file of {FILE_BYTES / 1e6:.1f} MB each way, peak memory of {FUNCTION}:")
        largest = max(
            measure(name, "ServiceNow to AWS", lambda: to_aws(world, incident, folder)),
            measure(name, "AWS to ServiceNow", lambda: to_servicenow(world, incident)),
        )
    if largest > MAXIMUM_MEMORY_BYTES:
        raise console.StackError(f"{largest / 1e6:.1f} MB is more than {MAXIMUM_MEMORY_BYTES / 1e6:.0f} MB.")
    console.say(f"{console.paint('Measured', 'green')} after {console.elapsed():.0f} s: memory is in bounds.")


if __name__ == "__main__":
    console.run(main)
