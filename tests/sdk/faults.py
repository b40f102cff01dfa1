"""A server between the SDK and Queuekey that plays what goes wrong on the way, request by request."""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Seen(NamedTuple):
    """A request that arrived."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


class Reply(NamedTuple):
    """What Queuekey answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Plays the next fault; when there are no more it passes on."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server: "FaultyServer"

    def handle_one_request(self) -> None:
        """As ever, but a client that goes away is no error."""
        with suppress(OSError):
            super().handle_one_request()

    def do_GET(self) -> None:
        """Play, or pass on."""
        self.content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        with self.server.lock:
            self.server.seen.append(Seen(self.command, self.path, self.content, dict(self.headers.items())))
            play = self.server.plays.pop(0) if self.server.plays else passed_on
        play(self)

    def do_POST(self) -> None:
        """Play, or pass on."""
        self.do_GET()

    def upstream(self) -> Reply:
        """Queuekey's answer to this request."""
        connection = http.client.HTTPConnection(urlsplit(self.server.behind).netloc, timeout=30)
        try:
            connection.request(self.command, self.path, self.content, dict(self.headers.items()))
            response = connection.getresponse()
            return Reply(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def head(self, status: int, headers: list[tuple[str, str]]) -> None:
        """Send the head of an answer."""
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)

    def reset(self) -> None:
        """Break the connection: the client gets a TCP reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


Play = Callable[[Handler], None]


def passed_on(handler: Handler) -> None:
    """What Queuekey answers; with nothing behind it all has been played, and no try more was expected."""
    if not handler.server.behind:
        answered(400)(handler)
        return
    reply = handler.upstream()
    answered(reply.status, reply.body, *reply.headers)(handler)


def answered(status: int, body: bytes = b"", *headers: tuple[str, str]) -> Play:
    """An answer that does not come from Queuekey."""

    def play(handler: Handler) -> None:
        handler.head(status, list(headers))
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return play


def cut_off(handler: Handler) -> None:
    """Less of an answer than its head has promised."""
    handler.head(200, [("Content-Type", "application/jsonl")])
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id"')
    handler.close_connection = True


def reset(handler: Handler) -> None:
    """No answer, and Queuekey gets no request."""
    handler.reset()


def lost(handler: Handler) -> None:
    """Queuekey does what it was asked, and its answer is lost."""
    handler.upstream()
    handler.reset()


def hung(handler: Handler) -> None:
    """No answer for as long as the server runs."""
    handler.server.is_over.wait(30)
    handler.reset()


def broken_off(size: int, is_reset: bool) -> Play:
    """The first bytes of Queuekey's answer as a chunked stream: then a reset, or an end as if it were whole."""

    def play(handler: Handler) -> None:
        reply = handler.upstream()
        part = reply.body[:size]
        handler.head(reply.status, reply.headers)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) + (b"" if is_reset else b"0\r\n\r\n"))
        if is_reset:
            handler.wfile.flush()
            handler.close_connection = True

    return play


class FaultyServer(ThreadingHTTPServer):
    """Plays `plays` in turn and remembers what it has seen."""

    def __init__(self, behind: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behind = behind
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.plays: list[Play] = []
        self.seen: list[Seen] = []
        self.lock = threading.Lock()
        self.is_over = threading.Event()


@contextmanager
def faulty(behind: str = "") -> Iterator[FaultyServer]:
    """A faulty server in front of an address, for the length of a `with` block."""
    server = FaultyServer(behind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()
