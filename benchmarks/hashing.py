"""What finding a token's key costs: its statements, and the hashing's share of the list call's time."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

from flask import Flask
from sqlalchemy import event
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from benchmarks.calls import SIZE
from benchmarks.databases import store
from benchmarks.filling import filled, open_app
from benchmarks.rounds import Setup, interleaved, timed
from blueprints import request_log
from models import ApiKey, db
from models import token as tokens

REPEATS = 100  # of what is too short to be timed once
NOT_QUERIES = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")


def hashing(setup: Setup) -> dict[str, Any]:
    """Medians in microseconds, in this process, without a server: the whole list call and the parts of a token."""
    kept = store("sqlite", setup.cache)
    line = filled(kept, SIZE, setup.cache)
    kept.copy(line.database, "bench_hashing")
    app = open_app(kept.url("bench_hashing"))
    path, headers = f"/v1/api/waitlists/{line.waitlist}/subscribers", {"Authorization": f"Bearer {line.token}"}
    calls: dict[str, tuple[int, Callable[[], object]]] = {
        "list call": (1, partial(_ask, app, path, headers)),
        "digest": (REPEATS, partial(tokens.digest, line.token)),
        "shape and checksum": (REPEATS, partial(tokens.is_well_formed, line.token)),
    }
    tasks = {name: partial(_microseconds, call, times, setup.seconds / 4) for name, (times, call) in calls.items()}
    queries = _queries_to_resolve(app, line.token)
    with _unseen_log():
        interleaved(tasks, 1)
        rounds = interleaved(tasks, setup.rounds)
    with app.app_context():
        db.engine.dispose()
    kept.drop("bench_hashing")
    return {
        "rounds": setup.rounds,
        "queries": queries,
        "microseconds": {name: median(values) for name, values in rounds.items()},
    }


def _microseconds(call: Callable[[], object], times: int, budget_seconds: float) -> float:
    """The median of one call, timed by so many in a row."""

    def repeat() -> None:
        for _ in range(times):
            call()

    return median(timed(repeat, budget_seconds)) * 1000 / times


def _ask(app: Flask, path: str, headers: dict[str, str]) -> None:
    """One request through the whole application, as a server would hand it over."""
    environ = EnvironBuilder(path=path, headers=Headers(headers)).get_environ()
    body, status, _ = run_wsgi_app(app.wsgi_app, environ, buffered=True)
    if not status.startswith("200"):
        raise RuntimeError(f"the list call answered {status}: {b''.join(body)!r}")


def _queries_to_resolve(app: Flask, token: str) -> int:
    """How many queries find the key of a token."""
    seen: list[str] = []

    def trace(connection: Any, _record: object) -> None:
        connection.set_trace_callback(seen.append)

    with app.app_context():
        event.listen(db.engine, "connect", trace)
        ApiKey.resolve(token)
        event.remove(db.engine, "connect", trace)
        db.session.remove()
        db.engine.dispose()
    return sum(not statement.startswith(NOT_QUERIES) for statement in seen)


@contextmanager
def _unseen_log() -> Iterator[None]:
    """The product's log lines are written as ever, but to nowhere."""
    with open(os.devnull, "w") as nowhere:
        seen, request_log.STANDARD_OUTPUT = request_log.STANDARD_OUTPUT, nowhere.fileno()
        try:
            yield
        finally:
            request_log.STANDARD_OUTPUT = seen
