"""The shipped server on a real port, and the command line beside it: for what no test client can show."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import orjson

from blueprints import server
from config import Settings

ROOT = Path(__file__).parent.parent.parent
HOST = "127.0.0.1"
WORKERS = 4
START_SECONDS = 60
LISTENING = "0A"  # a socket's state in /proc/net/tcp

Environment = Mapping[str, str]


class Reply(NamedTuple):
    """What came back over the wire."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> dict[str, object]:
        """The body as an object."""
        parsed: dict[str, object] = orjson.loads(self.body)
        return parsed


def environment(settings: Environment) -> dict[str, str]:
    """This process's environment with these settings and no others."""
    inherited = {name: value for name, value in os.environ.items() if name not in Settings.model_fields}
    return inherited | dict(settings)


def flask_command(*arguments: str) -> list[str]:
    """`flask --app app` with these arguments."""
    return [sys.executable, "-m", "flask", "--app", "app", *arguments]


def run_command(
    settings: Environment, *arguments: str, stdin: str = "", expected: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a process group of its own, of which nothing outlives it."""
    command = subprocess.Popen(
        flask_command(*arguments),
        cwd=ROOT,
        env=environment(settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        stdout, stderr = command.communicate(stdin, timeout=START_SECONDS)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(command.pid, signal.SIGKILL)
    assert command.returncode == expected, stdout + stderr
    return subprocess.CompletedProcess(arguments, command.returncode, stdout, stderr)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


class Server:
    """The shipped server in a process group of its own."""

    def __init__(self, settings: Environment, folder: Path, workers: int = WORKERS) -> None:
        self.settings = settings
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.log = folder / f"server-{self.port}.log"
        self._workers = workers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The parent of the workers, which is also the number of the process group."""
        assert self._process is not None
        return self._process.pid

    def start(self, command: list[str] | None = None) -> None:
        """Start it and wait until every worker listens and the database is ready."""
        command = command or server.arguments(HOST, self.port, self._workers)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, self.log_text()
            assert time.monotonic() < deadline, self.log_text()
            time.sleep(0.05)

    def wait(self, seconds: float) -> int:
        """Its exit status, once it has ended; raises TimeoutExpired."""
        assert self._process is not None
        return self._process.wait(seconds)

    def terminate(self) -> None:
        """Ask it to stop, as a supervisor does."""
        os.kill(self.pid, signal.SIGTERM)

    def interrupt(self) -> None:
        """Press Ctrl-C: a terminal tells every process of the group."""
        os.killpg(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """End the whole group at once: workers outlive a parent that is killed."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait(10)

    def log_text(self) -> str:
        """Everything that it has written so far."""
        return self.log.read_text(errors="replace")

    def send(
        self,
        method: str,
        path: str,
        token: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request over a connection of its own."""
        authorization = {} if token is None else {"Authorization": f"Bearer {token}"}
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request(method, path, body, authorization | dict(headers or {}))
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def post(self, path: str, token: str, value: object) -> Reply:
        """Send an object as JSON."""
        return self.send("POST", path, token, orjson.dumps(value), {"Content-Type": "application/json"})

    def send_bytes(self, request: bytes) -> bytes:
        """Send exactly these bytes and read until the server closes the connection."""
        with socket.create_connection((HOST, self.port), timeout=30) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have refused already
                connection.sendall(request)
            received = b""
            with suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    received += part
            return received

    def _is_ready(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return self._listeners() >= self._workers and self.send("GET", "/readyz").status == 200
        return False

    def _listeners(self) -> int:
        """How many workers listen; where the system does not tell, as many as there should be."""
        table = Path("/proc/net/tcp")
        if not table.exists():
            return self._workers
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
        return sum(row[1].endswith(f":{self.port:04X}") and row[3] == LISTENING for row in rows)


@contextmanager
def running(settings: Environment, folder: Path, workers: int = WORKERS) -> Iterator[Server]:
    """A server for the length of a `with` block; nothing of it is left behind."""
    shipped = Server(settings, folder, workers)
    try:
        shipped.start()
        yield shipped
    finally:
        shipped.kill()
