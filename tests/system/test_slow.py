"""Slow clients: those who send or read at a crawl do not keep others from being served."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import orjson

from blueprints.server import THREADS
from models import Subscriber
from tests.api_client import subscribers_path
from tests.factories import all_rows, make_api_key, make_organisation, make_waitlist
from tests.system.server import HOST, WORKERS, Server

SLOW = WORKERS * THREADS * 2  # twice as many as work at once in all workers together
HEALTHY = 40
BATCH = 1000


def head(path: str, token: str, method: str = "POST", length: int = 0) -> bytes:
    """A request up to its body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}"]
    lines += ["Content-Type: application/json", f"Content-Length: {length}"] if length else []
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode()


@contextmanager
def connections(server: Server, number: int, receive_bytes: int = 0) -> Iterator[list[socket.socket]]:
    """So many open connections; `receive_bytes` is how much the machine takes before it is read."""
    with ExitStack() as stack:
        opened = []
        for _ in range(number):
            client = stack.enter_context(socket.socket())
            client.settimeout(30)
            if receive_bytes:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
            client.connect((HOST, server.port))
            opened.append(client)
        yield opened


def read_all(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def assert_serves_others(server: Server, path: str, token: str, name: str) -> None:
    """Reads, sign-ups and pages are answered, whichever worker they come to."""
    for number in range(HEALTHY):
        assert server.send("GET", path, token).status == 200
        assert server.post(path, token, {"email": f"{name}{number}@example.org"}).status == 201
        assert server.send("GET", "/login").status == 200


def test_slow_bodies_keep_nobody_from_being_served_and_count_when_they_have_come(server: Server) -> None:
    waitlist = make_waitlist(organisation := make_organisation())
    path, token = subscribers_path(waitlist), make_api_key(organisation)[1]
    bodies = [orjson.dumps({"email": f"slow{number}@example.org"}) for number in range(SLOW)]

    with connections(server, SLOW) as slow:
        for client, body in zip(slow, bodies, strict=True):
            client.sendall(head(path, token, length=len(body)) + body[:9])
        assert_serves_others(server, path, token, "quick")
        for client, body in zip(slow, bodies, strict=True):
            client.sendall(body[9:])
        statuses = {read_all(client).split()[1] for client in slow}

    assert statuses == {b"201"}
    assert sum(row.waitlist_id == waitlist.id for row in all_rows(Subscriber)) == SLOW + HEALTHY


def test_slow_forms_keep_nobody_from_being_served(server: Server) -> None:
    path, token = subscribers_path(make_waitlist(organisation := make_organisation())), make_api_key(organisation)[1]
    form = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"

    with connections(server, SLOW) as slow:
        for client in slow:
            client.sendall(form + b"Content-Length: 100\r\n\r\nemail")
        assert_serves_others(server, path, token, "quick")


def test_slow_readers_keep_nobody_from_being_served(server: Server) -> None:
    path, token = subscribers_path(make_waitlist(organisation := make_organisation())), make_api_key(organisation)[1]
    batch = {"subscribers": [{"email": f"{'x' * 50}{number}@example.org"} for number in range(BATCH)]}
    assert server.post(f"{path}/batch", token, batch).status == 200

    with connections(server, SLOW, receive_bytes=1024) as slow:
        for number, client in enumerate(slow):
            asked = f"{path}/export" if number % 4 == 0 else f"{path}?limit=200"
            client.sendall(head(asked, token, "GET"))
            assert client.recv(1)  # the answer has begun
        assert_serves_others(server, path, token, "quick")
