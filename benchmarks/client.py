"""One client in a process of its own: sends a request again and again over one connection.

Run by load.py as `python -m benchmarks.client`: reads an Order as JSON, says "ready", starts at the
next line, and in the end prints what it saw. It imports nothing heavy and parses no more of a
response than it must, so that it takes little time from the server that it measures.
"""

import json
import socket
import sys
import time
from typing import NamedTuple

UNIQUE = "{unique}"  # in a body: replaced by something that no other request has


class Order(NamedTuple):
    """What to send, to whom, for how long."""

    port: int
    head: str
    body: str
    name: str
    seconds: float
    status: int


class Sight(NamedTuple):
    """What one client saw: the milliseconds of every answer, and the statuses that were not asked for."""

    milliseconds: list[float]
    wrong: list[int]


def request_bytes(order: Order, number: int) -> bytes:
    """The request as it goes over the wire."""
    body = order.body.replace(UNIQUE, f"{order.name}{number}").encode()
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{order.head}\r\n{length}\r\n".encode() + body


class Connection:
    """A connection that is kept as long as the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def send(self, request: bytes) -> int:
        """Send a request, read the whole answer and return its status."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        head, _, received = self._read_head(self._socket).partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        fields = dict(line.split(b":", 1) for line in lines[1:])
        missing = int(fields[b"content-length"]) - len(received)
        while missing > 0:
            missing -= len(self._socket.recv(65536))
        if fields.get(b"connection", b"").strip() == b"close":
            self._socket.close()
            self._socket = None
        return int(lines[0].split()[1])

    @staticmethod
    def _read_head(connection: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            part = connection.recv(65536)
            if not part:
                raise ConnectionError("the server closed the connection without an answer")
            received += part
        return received


def work(order: Order) -> Sight:
    """Send for as long as the order says."""
    connection, sight, number = Connection(order.port), Sight([], []), 0
    before = time.perf_counter()
    end = before + order.seconds
    while before < end:
        number += 1
        status = connection.send(request_bytes(order, number))
        after = time.perf_counter()
        sight.milliseconds.append((after - before) * 1000)
        if status != order.status:
            sight.wrong.append(status)
        before = after
    return sight


def main() -> None:
    """Take an order from standard input, carry it out, print what was seen."""
    order = Order(**json.loads(sys.stdin.readline()))
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(work(order)._asdict()))


if __name__ == "__main__":
    main()
