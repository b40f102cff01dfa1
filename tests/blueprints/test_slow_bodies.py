"""A thread that waits for a body leaves its place to another; a body has to arrive in time."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import ClientDisconnected
from werkzeug.test import EnvironBuilder, run_wsgi_app

from blueprints import slow_bodies
from blueprints.slow_bodies import OnePlaceEach, ThenRest
from tests.api_client import make_caller, nothing_written, problem

Answer = tuple[Any, str, Any]


class StalledBody:
    """A body of one byte, which does not come until it is let go."""

    def __init__(self) -> None:
        self.let_go, self.is_awaited = threading.Event(), threading.Event()
        self._rest = io.BytesIO(b"x")

    def read(self, size: int) -> bytes:
        self.is_awaited.set()
        assert self.let_go.wait(10)
        return self._rest.read(size)


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers with the body."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [body]


def hello(_environ: object, start_response: Any) -> list[bytes]:
    """Answers with five bytes."""
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]


def send(application: Any, body: Any = b"") -> Answer:
    """Send a request with this body."""
    environ = EnvironBuilder(method="POST", data=body if isinstance(body, bytes) else b"x").get_environ()
    if not isinstance(body, bytes):
        environ["wsgi.input"] = body
    return run_wsgi_app(application, environ, buffered=True)


@contextmanager
def somebody_waiting_in(application: Any) -> Iterator[None]:
    """Another thread waits for its body meanwhile."""
    body = StalledBody()
    other = threading.Thread(target=send, args=(application, body))
    other.start()
    try:
        assert body.is_awaited.wait(10)
        yield
    finally:
        body.let_go.set()
        other.join(10)


def test_whoever_waits_for_a_body_leaves_its_only_place_to_another() -> None:
    application = OnePlaceEach(echo, working=1, waiting=2)

    with somebody_waiting_in(application):
        assert application._working.take()
        application._working.give_back()
        app_iter, status, _ = send(application, b"here" * 100)

    assert (b"".join(app_iter), status) == (b"here" * 100, "200 OK")


def test_a_thread_without_a_place_answers_first_and_rests_until_there_is_one() -> None:
    application = OnePlaceEach(hello, working=1, waiting=1)
    assert application._working.take()
    answer = application(EnvironBuilder().get_environ(), lambda *_: None)
    assert b"".join(answer) == b"hello"
    resting = threading.Thread(target=answer.close)  # type: ignore[attr-defined]
    resting.start()

    resting.join(0.05)
    assert resting.is_alive()
    application._working.give_back()
    resting.join(3)
    assert not resting.is_alive()


def test_a_thread_keeps_its_place_and_its_end_gives_it_back() -> None:
    application = OnePlaceEach(hello, working=1, waiting=1)

    def answer_twice() -> None:
        for _ in range(2):
            send(application)
            assert not application._working.take()

    worker = threading.Thread(target=answer_twice)
    worker.start()
    worker.join(10)

    assert application._working.take()


@pytest.mark.parametrize(("method", "headers"), [("HEAD", [("Content-Length", "5")]), ("GET", [])])
def test_nobody_rests_before_the_client_knows_that_the_answer_is_over(
    method: str, headers: list[tuple[str, str]]
) -> None:
    def streamed(_environ: object, start_response: Any) -> list[bytes]:
        start_response("200 OK", headers)
        return [b"hello"]

    application = OnePlaceEach(streamed, working=0, waiting=1)
    whole = OnePlaceEach(hello, working=0, waiting=1)

    assert application(EnvironBuilder(method=method).get_environ(), lambda *_: None) == [b"hello"]
    assert isinstance(whole(EnvironBuilder().get_environ(), lambda *_: None), ThenRest)


def test_where_too_many_wait_already_a_body_is_refused_and_a_request_without_one_is_not(app: Flask) -> None:
    caller = make_caller(app)
    places: OnePlaceEach = app.wsgi_app  # type: ignore[assignment]
    taken = [places._waiting.take() for _ in range(200)]

    with nothing_written():
        refused = problem(caller.api.post(caller.path, {"email": "ada@example.org"}), 503, "unavailable")
        page = app.test_client().post("/login", data={"email": "ada@example.org"})
    assert refused["detail"]
    assert (page.status_code, page.headers["Retry-After"]) == (503, "1")
    assert caller.api.get(caller.path).status_code == 200

    for _ in range(taken.count(True)):
        places._waiting.give_back()
    assert caller.api.post(caller.path, {"email": "ada@example.org"}).status_code == 201


def test_a_body_that_takes_too_long_is_refused(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    body = b'{"email": "ada@example.org"}' + b" " * 100
    sent: dict[str, Any] = {"data": body, "content_type": "application/json"}
    monkeypatch.setattr(slow_bodies, "BODY_SECONDS", -1)

    with nothing_written():
        refused = problem(caller.api.send("POST", caller.path, **sent), 400, "invalid_request")
        page = app.test_client().post("/login", data={"email": "ada@example.org"})
    assert refused["detail"].startswith("The body took longer than ")
    assert page.status_code == 400

    monkeypatch.setattr(slow_bodies, "BODY_SECONDS", 30)
    assert caller.api.send("POST", caller.path, **sent).status_code == 201


@pytest.mark.parametrize("size", [-1, 0, 1, 63, 64, 65, 1000])
def test_a_body_is_read_as_it_was_sent(size: int) -> None:
    sent = bytes(range(200))
    worker = slow_bodies.Worker(slow_bodies.Places(1))
    body = slow_bodies.TimedBody(io.BytesIO(sent), worker, slow_bodies.Places(1))

    assert body.read(size) == (sent if size < 0 else sent[:size])
    assert body.read(-1) == (b"" if size < 0 else sent[size:])
    assert worker.has_place


def timed(sent: bytes, length: int) -> slow_bodies.TimedBody:
    worker = slow_bodies.Worker(slow_bodies.Places(1))
    return slow_bodies.TimedBody(io.BytesIO(sent), worker, slow_bodies.Places(1), length)


@pytest.mark.parametrize("size", [-1, 5, 1000])
def test_a_body_that_ends_before_its_length_is_no_body(size: int) -> None:
    assert timed(b"abcd", length=4).read(size) == b"abcd"
    with pytest.raises(ClientDisconnected):
        timed(b"abcd", length=5).read(size)


def test_nor_is_one_that_is_read_piece_by_piece() -> None:
    whole, cut = timed(b"abcd", length=4), timed(b"abcd", length=5)

    assert [whole.read(2) for _ in range(3)] == [b"ab", b"cd", b""]
    assert [cut.read(2) for _ in range(2)] == [b"ab", b"cd"]
    with pytest.raises(ClientDisconnected):
        cut.read(2)
