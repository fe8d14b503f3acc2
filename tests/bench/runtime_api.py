"""The Lambda Runtime API as a bootstrap sees it, and a bootstrap that runs under it and is measured.

Each process of a function has its own server, from which it requests events and to which it sends its answers.
"""

import contextlib
import dataclasses
import http.server
import json
import pathlib
import queue
import signal
import subprocess
import time
import uuid

import console
import paths
from endpoints import HOST, Call, Tally, serving

API = "/2018-06-01/runtime"
NEXT = f"{API}/invocation/next"
INIT_ERROR = f"{API}/init/error"
# Longer than the timeout of any function.
PATIENCE_SECONDS = 70
LOOK_SECONDS = 0.1
# The work of a process in this time after it has asked for the next event counts for the last event.
SETTLE_SECONDS = 0.02
STOP_SECONDS = 5
SHOWN_LINES = 20
# The clock of a process's processor time, from which clock_getcpuclockid builds the id with the process's number.
PROCESSOR_CLOCK = 2


@dataclasses.dataclass(frozen=True)
class Told:
    """A request of a process to the API, and its time."""

    kind: str
    at: float
    body: bytes = b""


class RuntimeApi(http.server.ThreadingHTTPServer):
    """The server of one process."""

    daemon_threads = True

    def __init__(self):
        super().__init__((HOST, 0), Exchange)
        self.told: queue.Queue[Told] = queue.Queue()
        # An event with its header's fields; None ends the process's wait.
        self.events: queue.Queue[tuple[dict[str, str], bytes] | None] = queue.Queue()
        self.handed_out_at = 0.0

    @property
    def address(self) -> str:
        """Returns host and port."""
        return f"{HOST}:{self.server_address[1]}"


class Exchange(http.server.BaseHTTPRequestHandler):
    """One request of the process."""

    server: RuntimeApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Send head and body together.
    wbufsize = 65_536

    def do_GET(self) -> None:  # noqa: N802 - the name that the library calls
        """Answers the request for the next event, as soon as there is one."""
        if self.path != NEXT:
            self.answer(404, {}, b"{}")
            return
        self.server.told.put(Told("next", time.monotonic()))
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        fields, body = event
        self.server.handed_out_at = time.monotonic()
        self.answer(200, fields, body)

    def do_POST(self) -> None:  # noqa: N802 - the name that the library calls
        """Accepts an answer or an error of the process."""
        body = self.body()
        at = time.monotonic()
        kind = "answer" if self.path.endswith("/response") else "error"
        self.answer(202, {}, b'{"status":"OK"}')
        self.server.told.put(Told(kind, at, body))

    def body(self) -> bytes:
        """Reads the request's body, in chunks or of a known length."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline() not in (b"\r\n", b""):
            pass
        return b"".join(parts)

    def answer(self, status: int, fields: dict[str, str], body: bytes) -> None:
        """Sends an answer in JSON."""
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **fields}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_) -> None:
        """Logs nothing."""


@dataclasses.dataclass(frozen=True)
class Deployed:
    """A function as it is deployed: its bootstrap, its environment, its ARN and its timeout."""

    name: str
    bootstrap: pathlib.Path
    variables: dict[str, str]
    arn: str
    timeout_seconds: int


@dataclasses.dataclass(frozen=True)
class Measured:
    """The cost of a start or an event."""

    wall_seconds: float
    processor_seconds: float
    calls: list[Call]
    handshakes: int
    answer: object = None


class Process:
    """A process of a function that waits for its next event."""

    def __init__(self, deployed: Deployed, api: RuntimeApi, tally: Tally, log: pathlib.Path):
        self.deployed = deployed
        self._api = api
        self._tally = tally
        self._log = log
        tally.take()
        began = time.monotonic()
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                [str(deployed.bootstrap)],
                cwd=deployed.bootstrap.parent,
                env=deployed.variables | {"AWS_LAMBDA_RUNTIME_API": api.address},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            ready_at = self._wait_for("next").at
            time.sleep(SETTLE_SECONDS)
            calls, handshakes = tally.take()
            self.start = Measured(ready_at - began, self._processor_seconds(), calls, handshakes)
        except BaseException:
            self.stop()
            raise

    def hand_out(self, event: object) -> Measured:
        """Hands out an event and waits until the process asks for the next one.

        Raises StackError if the process answers with an error, ends, or takes too long.
        """
        used = self._processor_seconds()
        self._api.events.put((self._fields(), json.dumps(event).encode()))
        answer = self._wait_for("answer")
        self._wait_for("next")
        time.sleep(SETTLE_SECONDS)
        calls, handshakes = self._tally.take()
        return Measured(
            answer.at - self._api.handed_out_at,
            self._processor_seconds() - used,
            calls,
            handshakes,
            json.loads(answer.body or b"null"),
        )

    def _fields(self) -> dict[str, str]:
        """Returns the header's fields that Lambda sends with an event."""
        deadline = time.time() + self.deployed.timeout_seconds
        return {
            "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self.deployed.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }

    def _wait_for(self, kind: str) -> Told:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                told = self._api.told.get(timeout=LOOK_SECONDS)
                if told.kind == kind:
                    return told
                raise self._problem(f"told `{told.kind}` where `{kind}` was expected: {told.body.decode()[:500]}")
            if self._process.poll() is not None:
                raise self._problem(f"ended with exit code {self._process.returncode}")
        raise self._problem(f"has not told `{kind}` after {PATIENCE_SECONDS} s")

    def _problem(self, what: str) -> console.StackError:
        lines = self._log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        shown = "".join(f"\n    {line}" for line in lines)
        return console.StackError(f"{self.deployed.name} {what}. The end of {paths.relative(self._log)}:{shown}")

    def _processor_seconds(self) -> float:
        """Returns the processor time of all threads so far, in nanoseconds. /proc has only hundredths of a second."""
        return time.clock_gettime((~self._process.pid << 3) | PROCESSOR_CLOCK)

    def largest_memory_bytes(self) -> int:
        """Returns the peak memory of the process."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024

    def stop(self) -> None:
        """Asks the process to end, and kills it if it does not."""
        self._api.events.put(None)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def started(deployed: Deployed, tally: Tally, log: pathlib.Path):
    """Runs a process of a function with its own Runtime API, within the block."""
    with serving(RuntimeApi()) as api:
        process = Process(deployed, api, tally, log)
        try:
            yield process
        finally:
            process.stop()
