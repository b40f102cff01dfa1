"""The servers that are compared, each in a process group of its own."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple

from config import Settings

HOST = "127.0.0.1"
START_SECONDS = 60


class Command(NamedTuple):
    """How a server is started; `arguments` hold the port in place of `{port}`."""

    name: str
    arguments: list[str]
    folder: Path
    environment: Mapping[str, str]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with these settings and none that were meant for another server."""
    kept = {name: value for name, value in os.environ.items() if name not in Settings.model_fields}
    return kept | dict(settings)


@contextmanager
def running(command: Command, logs: Path) -> Iterator[int]:
    """Serve for the length of a `with` block, and give the port; what the server prints goes to a file."""
    port = free_port()
    arguments = [argument.replace("{port}", str(port)) for argument in command.arguments]
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{command.name}.log").open("wb") as log:
        process = subprocess.Popen(
            arguments,
            cwd=command.folder,
            env=environment(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait(process, port, logs / f"{command.name}.log")
        yield port
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # workers would outlive their parent
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"a server did not start:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with suppress(OSError, HTTPException):
        return get(port, "/", {}) is not None
    return False


def get(port: int, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body of one GET."""
    return send(port, "GET", path, headers)


def send(port: int, method: str, path: str, headers: Mapping[str, str], body: str = "") -> tuple[int, bytes]:
    """Status and body of one request."""
    connection = HTTPConnection(HOST, port, timeout=30)
    try:
        connection.request(method, path, body or None, dict(headers))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
