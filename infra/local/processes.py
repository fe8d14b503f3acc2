"""Starts, recognises and stops the stack's processes.

A process is identified by its number and the time at which it started. The system reuses numbers, so the number alone
could belong to somebody else's process.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import time

import console
import paths

STOP_SECONDS = 10
POLL_SECONDS = 0.05


@contextlib.contextmanager
def exclusive(folder: pathlib.Path = paths.STATE):
    """Lets one command at a time change the stack in a folder. A second command waits."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.say("     waiting for another command that changes the stack")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def started_at(process_id: int) -> str | None:
    """Returns the start of a process, as the system writes it, or None if the process does not exist or has ended."""
    status = pathlib.Path(f"/proc/{process_id}/stat")
    if status.parent.parent.joinpath("self").exists():
        try:
            # The name, in brackets, may hold spaces. So count the fields after it.
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    listed = subprocess.run(["ps", "-o", "lstart=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    return listed.stdout.strip() or None


def record_file(name: str) -> pathlib.Path:
    """Returns the file that records a process that we started."""
    return paths.PROCESSES / f"{name}.json"


def start(name: str, command: list[str], environment: dict[str, str], output: pathlib.Path | None = None) -> None:
    """Starts a process in its own session, with exactly this environment, and records it."""
    for folder in [paths.LOGS, paths.PROCESSES]:
        folder.mkdir(parents=True, exist_ok=True)
    with open(paths.LOGS / f"{name}.log", "wb") as log, open(output or os.devnull, "wb") as out:
        process = subprocess.Popen(
            command,
            cwd=paths.STATE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out if output else log,
            stderr=log,
            start_new_session=True,
        )
    record = {"process_id": process.pid, "started_at": started_at(process.pid)}
    record_file(name).write_text(json.dumps(record))


def find(name: str) -> int | None:
    """Returns the number of a process that we started, or None if it no longer runs."""
    try:
        record = json.loads(record_file(name).read_text())
    except (OSError, ValueError):
        return None
    process_id, begun = record["process_id"], record["started_at"]
    return process_id if begun is not None and started_at(process_id) == begun else None


def stop(name: str) -> bool:
    """Stops a process that we started, and its children. Returns whether it ran."""
    process_id = find(name)
    if process_id is not None:
        # The process has a session of its own, so its group holds only the process and its children.
        _signal_group(process_id, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while started_at(process_id) is not None and time.monotonic() < deadline:
            _reap(process_id)
            time.sleep(POLL_SECONDS)
        _signal_group(process_id, signal.SIGKILL)
        _reap(process_id)
    record_file(name).unlink(missing_ok=True)
    return process_id is not None


def _signal_group(process_id: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process_id, number)


def _reap(process_id: int) -> None:
    """Collects an ended child of this command, which would otherwise stay as a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process_id, os.WNOHANG)


def wait_until(name: str, is_ready, seconds: float):
    """Waits until `is_ready` returns something, and returns that.

    Raises StackError with the log's end if the process dies or takes too long.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = is_ready()
        if result:
            return result
        if find(name) is None:
            raise console.StackError(f"{name} ended at once.{log_tail(name)}")
        time.sleep(POLL_SECONDS)
    raise console.StackError(f"{name} was not ready after {seconds:.0f} s.{log_tail(name)}")


def log_tail(name: str, lines: int = 20) -> str:
    """Returns the last lines of a process's log, with the file's name."""
    log = paths.LOGS / f"{name}.log"
    if not log.exists():
        return ""
    tail = log.read_text(errors="replace").splitlines()[-lines:]
    return f" The end of {paths.relative(log)}:\n" + "\n".join(f"    {line}" for line in tail)
