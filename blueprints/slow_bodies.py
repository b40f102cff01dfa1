"""Slow bodies: whoever waits for one does not keep others from working.

granian reads a body in the thread that answers the request, for as long as its sender likes. So a worker
may have many more threads than can work at once without getting in each other's way: to wait for a body, a
thread leaves its place to another, and a thread without a place rests when it has answered.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import local
from typing import Any
from weakref import finalize

from flask import Flask
from werkzeug.exceptions import BadRequest, ClientDisconnected, ServiceUnavailable

from blueprints.server import THREADS, WAITING_THREADS

BODY_SECONDS = 30.0
PROMPT_SECONDS = 0.01  # a piece that came within this time may be followed by one twice as long
REST_SECONDS = 5.0  # then granian may end the thread, or stop the worker

Environ = dict[str, Any]


class Places:
    """A number of places, of which each is held by one thread at a time; a queue without Python in it."""

    def __init__(self, number: int) -> None:
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(number):
            self._free.put(None)

    def take(self, patience_seconds: float = 0) -> bool:
        """Take a place, if one is free or becomes so in time."""
        try:
            self._free.get(patience_seconds > 0, patience_seconds)
        except Empty:
            return False
        return True

    def give_back(self) -> None:
        """Let the next one in."""
        self._free.put(None)


class Worker:
    """A thread, and whether it has a place: it keeps one from request to request, until it waits or ends."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._leave: Callable[[], object] | None = None

    @property
    def has_place(self) -> bool:
        """Whether it is one of those that are meant to work."""
        return self._leave is not None

    def enter(self, patience_seconds: float = 0) -> None:
        """Take a place, if one is free or becomes so in time."""
        if self._leave is None and self._places.take(patience_seconds):
            self._leave = finalize(self, self._places.give_back)

    def leave(self) -> None:
        """Leave the place to another."""
        if self._leave is not None:
            self._leave()
            self._leave = None


class TimedBody:
    """A request's body that has to arrive in time and whole, and whose reader leaves its place while it waits.

    granian reports a connection that was cut as the end of the body (RFC 9112 §8): what was cut would be taken for all.
    """

    def __init__(self, body: Any, worker: Worker, waiting: Places, length: int = 0) -> None:
        self._body, self._worker, self._waiting = body, worker, waiting
        self._lacking = length  # bytes that Content-Length names and that have not come
        self._deadline: float | None = None

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, fewer at the end. Raises BadRequest, ClientDisconnected, ServiceUnavailable."""
        if not self._waiting.take():
            raise ServiceUnavailable
        self._worker.leave()
        try:
            return b"".join(self._pieces(size))
        finally:
            self._worker.enter()
            self._waiting.give_back()

    def _pieces(self, size: int) -> Iterator[bytes]:
        self._deadline = self._deadline or time.monotonic() + BODY_SECONDS
        missing, length, asked_at = size, 1, time.monotonic()
        while missing and (piece := self._body.read(length if missing < 0 else min(length, missing))):
            yield piece
            self._lacking -= len(piece)
            missing -= len(piece) if missing > 0 else 0
            came_at = time.monotonic()
            if came_at > self._deadline:
                raise BadRequest(f"The body took longer than {BODY_SECONDS:.0f} seconds to arrive.")
            # granian waits until a piece is full: a trickle is asked for byte by byte, to notice it in time
            length, asked_at = length * 2 if came_at - asked_at < PROMPT_SECONDS else 1, came_at
        if missing and self._lacking > 0:
            raise ClientDisconnected


class ThenRest:
    """An answer after which its thread rests: granian closes it when all of it is under way."""

    def __init__(self, answer: Iterable[bytes], worker: Worker) -> None:
        self._answer, self._worker = answer, worker

    def __iter__(self) -> Iterator[bytes]:
        """Give the answer."""
        return iter(self._answer)

    def close(self) -> None:
        """Close the answer, and wait a while for a place."""
        getattr(self._answer, "close", lambda: None)()
        self._worker.enter(REST_SECONDS)


class OnePlaceEach:
    """The application, entered by as many threads as come, of which so many stay at work (WSGI, PEP 3333)."""

    def __init__(self, application: Any, working: int = THREADS, waiting: int = WAITING_THREADS) -> None:
        self._application = application
        self._working, self._waiting = Places(working), Places(waiting)
        self._local = local()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        worker: Worker | None = getattr(self._local, "worker", None)
        if worker is None:
            worker = self._local.worker = Worker(self._working)
        worker.enter()
        has_body = environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ
        if worker.has_place and not has_body:
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        if has_body:
            length = int(environ.get("CONTENT_LENGTH") or 0)
            environ["wsgi.input"] = TimedBody(environ["wsgi.input"], worker, self._waiting, length)
        return self._answer_and_rest(worker, environ, start_response)

    def _answer_and_rest(self, worker: Worker, environ: Environ, start_response: Any) -> Iterable[bytes]:
        is_whole = False

        def start(status: str, headers: list[tuple[str, str]], *others: Any) -> Any:
            nonlocal is_whole  # a client knows where it ends; the end of any other is the closing itself
            is_whole = environ["REQUEST_METHOD"] != "HEAD" and any(name == "Content-Length" for name, _ in headers)
            return start_response(status, headers, *others)

        answer: Iterable[bytes] = self._application(environ, start)
        return ThenRest(answer, worker) if is_whole and not worker.has_place else answer


def init_app(app: Flask) -> None:
    """Put the places in front of the application."""
    app.wsgi_app = OnePlaceEach(app.wsgi_app)  # type: ignore[method-assign]
