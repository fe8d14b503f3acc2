"""The endpoints that a function calls: AWS's services and ServiceNow, each at its own address over TLS. Counts calls.

An endpoint ends TLS, passes each request unchanged to the local stack, and passes the answer back. An authority that is
created for one run signs its certificate.
"""

import contextlib
import dataclasses
import http.server
import pathlib
import socket
import socketserver
import ssl
import tempfile
import threading
import urllib.parse

import certifi

import tools

HOST = "127.0.0.1"
# The same key type as in the certificates of AWS's own endpoints.
KEY = "rsa:2048"
DAYS = "1"
ANSWER_SECONDS = 30
MAXIMUM_LINE = 65_536
# The SDK's variable for a service's endpoint, for each service of the hub that the functions call.
HUB_SERVICES = {
    "dynamodb": "AWS_ENDPOINT_URL_DYNAMODB",
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "sqs": "AWS_ENDPOINT_URL_SQS",
    "ssm": "AWS_ENDPOINT_URL_SSM",
}
# The simulator knows the accounts' keys and roles and has their cases, so it answers for these services.
ACCOUNT_SERVICES = {"sts": "AWS_ENDPOINT_URL_STS", "support": "AWS_ENDPOINT_URL_SUPPORT"}
SERVICENOW = "servicenow"


@dataclasses.dataclass(frozen=True)
class Call:
    """One request and its answer, in bytes of HTTP. The bytes that TLS adds are not counted."""

    side: str
    operation: str
    sent: int
    received: int

    def __str__(self) -> str:
        return f"{self.side} {self.operation} ({self.sent:,} bytes sent, {self.received:,} received)"


class Tally:
    """The calls and handshakes of all endpoints since the last `take`."""

    def __init__(self):
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._handshakes = 0

    def count_call(self, call: Call) -> None:
        """Counts one more call."""
        with self._lock:
            self._calls.append(call)

    def count_handshake(self) -> None:
        """Counts one more TLS handshake."""
        with self._lock:
            self._handshakes += 1

    def take(self) -> tuple[list[Call], int]:
        """Returns the calls and the number of TLS handshakes since the last `take`."""
        with self._lock:
            taken = self._calls, self._handshakes
            self._calls, self._handshakes = [], 0
        return taken


class Endpoint(socketserver.ThreadingTCPServer):
    """One address that leads to a part of the local stack."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, side: str, upstream: str, certificate: ssl.SSLContext, tally: Tally):
        super().__init__((HOST, 0), Connection)
        self.side = side
        parsed = urllib.parse.urlparse(upstream)
        self.upstream = (parsed.hostname, parsed.port)
        self.certificate = certificate
        self.tally = tally

    @property
    def url(self) -> str:
        """Returns the address."""
        return f"https://{HOST}:{self.server_address[1]}"


class Connection(socketserver.BaseRequestHandler):
    """One connection of a function."""

    server: Endpoint

    def handle(self) -> None:
        """Passes on one request after the other, until the function closes the connection."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with (
            contextlib.suppress(OSError),
            self.server.certificate.wrap_socket(self.request, server_side=True) as secured,
            secured.makefile("rb") as incoming,
        ):
            self.server.tally.count_handshake()
            while request := read_message(incoming):
                answer = self._ask(request)
                # Count the call before the function has the answer, so that it is counted when the function goes on.
                call = Call(self.server.side, operation_of(request), len(request), len(answer))
                self.server.tally.count_call(call)
                secured.sendall(answer)

    def _ask(self, request: bytes) -> bytes:
        """Returns the local stack's answer. Each request opens a connection there, on this machine and without TLS."""
        with socket.create_connection(self.server.upstream, ANSWER_SECONDS) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(request)
            with connection.makefile("rb") as incoming:
                return read_message(incoming)


def read_message(stream) -> bytes:
    """Reads a request or an answer of HTTP/1.1, head and body. Returns b"" if the other end has closed."""
    head = read_head(stream)
    fields = fields_of(head)
    if "chunked" in fields.get("transfer-encoding", ""):
        return head + read_chunks(stream)
    return head + stream.read(int(fields.get("content-length", "0")))


def read_head(stream) -> bytes:
    """Reads all lines up to the empty one, and the empty one."""
    lines = []
    while line := stream.readline(MAXIMUM_LINE):
        lines.append(line)
        if line == b"\r\n":
            break
    return b"".join(lines)


def read_chunks(stream) -> bytes:
    """Reads a body in chunks. Keeps the lines between them and after the last."""
    parts = []
    while size_line := stream.readline(MAXIMUM_LINE):
        parts.append(size_line)
        size = int(size_line.split(b";")[0], 16)
        if size == 0:
            break
        parts.append(stream.read(size + len(b"\r\n")))
    return b"".join(parts) + read_head(stream)


def fields_of(head: bytes) -> dict[str, str]:
    """Returns the header's fields by their names in lower case."""
    lines = [line.partition(":") for line in head.decode("latin-1").splitlines()[1:]]
    return {name.strip().lower(): value.strip() for name, _, value in lines if name}


def operation_of(request: bytes) -> str:
    """Returns the name of a request's operation: AWS's operation, or the last segment of the path."""
    head, _, body = request.partition(b"\r\n\r\n")
    target = fields_of(head).get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    action = urllib.parse.parse_qs(body.decode("latin-1")).get("Action")
    if action:
        return action[0]
    path = head.split(b" ", 2)[1].decode("latin-1")
    return urllib.parse.urlparse(path).path.rpartition("/")[2]


@dataclasses.dataclass(frozen=True)
class Trust:
    """The certificate of all endpoints, and the file of authorities with which a function checks it."""

    certificate: ssl.SSLContext
    authorities: pathlib.Path


def make_trust(folder: pathlib.Path) -> Trust:
    """Creates a certificate and its authority. The file also has the usual authorities, as many as in AWS."""
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    server, server_key = folder / "server.pem", folder / "server.key"
    request = ["openssl", "req", "-x509", "-newkey", KEY, "-nodes", "-days", DAYS]
    tools.run_quietly(
        [*request, "-subj", "/CN=casebridge benchmark authority", "-keyout", authority_key, "-out", authority]
    )
    tools.run_quietly([
        *request, "-subj", "/CN=casebridge benchmark", "-keyout", server_key, "-out", server,
        "-CA", authority, "-CAkey", authority_key,
        "-addext", f"subjectAltName=IP:{HOST}", "-addext", "basicConstraints=critical,CA:FALSE",
    ])  # fmt: skip
    certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.load_cert_chain(server, server_key)
    authorities = folder / "authorities.pem"
    authorities.write_text(pathlib.Path(certifi.where()).read_text() + authority.read_text())
    return Trust(certificate, authorities)


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """The addresses of all endpoints, and the tally of their calls."""

    # The SDK's variables.
    variables: dict[str, str]
    servicenow_url: str
    tally: Tally


@contextlib.contextmanager
def surroundings(stack: dict):
    """Runs endpoints for all that the functions of a stack call, within the block."""
    tally = Tally()
    upstreams = dict.fromkeys(HUB_SERVICES, stack["aws"]["endpoint"])
    upstreams |= dict.fromkeys(ACCOUNT_SERVICES, stack["support"]["endpoint"])
    upstreams[SERVICENOW] = stack["servicenow"]["url"]
    with contextlib.ExitStack() as open_until_the_end:
        trust = make_trust(pathlib.Path(open_until_the_end.enter_context(tempfile.TemporaryDirectory())))
        urls = {}
        for side, upstream in upstreams.items():
            endpoint = Endpoint(side, upstream, trust.certificate, tally)
            open_until_the_end.enter_context(serving(endpoint))
            urls[side] = endpoint.url
        services = HUB_SERVICES | ACCOUNT_SERVICES
        variables = {variable: urls[service] for service, variable in services.items()}
        # No other service can be reached, and above all not a real one.
        variables["AWS_ENDPOINT_URL"] = f"http://{HOST}:1"
        variables["SSL_CERT_FILE"] = str(trust.authorities)
        yield Surroundings(variables, urls[SERVICENOW], tally)


@contextlib.contextmanager
def serving(server: socketserver.BaseServer):
    """Runs a server within the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Sink(http.server.ThreadingHTTPServer):
    """Accepts the instance's webhooks and the events of AWS Support, so that only the benchmark hands out events."""

    daemon_threads = True

    def __init__(self):
        super().__init__((HOST, 0), SinkConnection)

    @property
    def address(self) -> str:
        """Returns host and port."""
        return f"{HOST}:{self.server_address[1]}"


class SinkConnection(http.server.BaseHTTPRequestHandler):
    """One request to the sink."""

    # EventBridge's answer when it has accepted all events. The instance reads only the status.
    ANSWER = b'{"FailedEntryCount": 0}'

    def do_POST(self) -> None:  # noqa: N802 - the name that the library calls
        """Accepts any request."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.ANSWER)))
        self.end_headers()
        self.wfile.write(self.ANSWER)

    def log_message(self, *_) -> None:
        """Logs nothing."""
