"""How each operation's time grows with the line: the models called directly, no HTTP in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from statistics import median
from typing import Any

import click
from flask import Flask
from sqlalchemy import select

from benchmarks.databases import Store, store
from benchmarks.filling import ACTOR, Line, address, filled, open_app
from benchmarks.people import SEARCH_TERMS
from benchmarks.rounds import Setup, interleaved, timed
from models import Entry, Subscriber, Waitlist, db, line, transact
from models.reading import Query

LIMIT = 25
SAMPLE = 1000  # subscribers who are looked up, and referral codes that are named
WORK_COPY = "bench_growth"

PRIMARY_KEY = "25 rows by primary key"
OPERATIONS = (
    PRIMARY_KEY,
    "first page",
    "last page",
    "random page",
    "position",
    "rare search",
    "medium search",
    "frequent search",
    "short search",
    "join",
    "referral",
)
# The physical limit: neighbours in the table, read as the line's own pages are, with the same columns.
_BY_PRIMARY_KEY = Query(
    "SELECT id, email, joined_at, referral_code, referral_count FROM subscribers"
    " WHERE id >= %(first)s ORDER BY id LIMIT %(limit)s"
)


class Subject:
    """One filled line, and the operations on it."""

    def __init__(self, app: Flask, filled_line: Line, writable: Flask) -> None:
        self._app, self._writable, self._size = app, writable, filled_line.size
        self._random = Random(filled_line.size)
        self._public_id, self._joined = filled_line.waitlist, 0
        with app.app_context():
            self._waitlist = Waitlist.by_public_id(filled_line.waitlist)
            ids = sorted(self._random.sample(range(1, filled_line.size + 1), min(SAMPLE, filled_line.size)))
            columns = select(Subscriber.email_identity, Subscriber.referral_code).where(Subscriber.id.in_(ids))
            self._sample = [(identity, str(code)) for identity, code in db.session.execute(columns)]

    def times(self, operation: str, budget_seconds: float) -> float:
        """The median of some calls of an operation, in milliseconds."""
        is_writing = operation in {"join", "referral"}
        with (self._writable if is_writing else self._app).app_context():
            return median(timed(self._call(operation), budget_seconds))

    def _call(self, operation: str) -> Callable[[], object]:
        kind, _, what = operation.partition(" ")
        if operation == PRIMARY_KEY:
            return lambda: _BY_PRIMARY_KEY.all({"first": self._somewhere() + 1, "limit": LIMIT})
        if what == "search":
            return partial(line.page, self._waitlist, offset=0, limit=LIMIT, q=SEARCH_TERMS[kind])
        return {
            "first page": lambda: self._page(0),
            "last page": lambda: self._page(self._size - LIMIT),
            "random page": lambda: self._page(self._somewhere()),
            "position": lambda: line.find(self._waitlist, self._somebody()[0]),
            "join": lambda: self._join(None),
            "referral": lambda: self._join(self._somebody()[1]),
        }[operation]

    def _page(self, offset: int) -> line.Page:
        return line.page(self._waitlist, offset=offset, limit=LIMIT)

    def _somewhere(self) -> int:
        """The offset of a random page."""
        return self._random.randrange(self._size // LIMIT) * LIMIT

    def _somebody(self) -> tuple[str, str]:
        """Address identity and referral code of a random subscriber."""
        return self._random.choice(self._sample)

    def _join(self, referred_by: str | None) -> Entry:
        """Join as the doors do: a transaction of its own, committed as durably as in production."""
        self._joined += 1
        who = address(f"newcomer{self._joined}@join.example")

        def join() -> Entry:
            return Subscriber.join(Waitlist.by_public_id(self._public_id), who, ACTOR, referred_by=referred_by)

        return transact(join)


def growth(setup: Setup) -> dict[str, Any]:
    """Milliseconds of every operation at every size on every engine, and in every round."""
    measured: dict[str, dict[str, dict[int, list[float]]]] = {}
    for engine in setup.engines:
        kept = store(engine, setup.cache)
        with _subjects(kept, setup) as subjects:
            tasks = {
                f"{engine}, {operation}, {size:,}": partial(subject.times, operation, setup.seconds / 10)
                for operation in OPERATIONS
                for size, subject in subjects.items()
            }
            interleaved(tasks, 1)
            results = iter(interleaved(tasks, setup.rounds).values())
            measured[engine] = {name: {size: next(results) for size in subjects} for name in OPERATIONS}
        for size in setup.sizes:
            kept.drop(_copy_name(size))
    return {"rounds": setup.rounds, "sizes": list(setup.sizes), "milliseconds": measured}


@contextmanager
def _subjects(kept: Store, setup: Setup) -> Iterator[dict[int, Subject]]:
    """The lines of every size; what joins them joins a copy."""
    apps, subjects = [], {}
    for size in setup.sizes:
        one = filled(kept, size, setup.cache)
        kept.copy(one.database, _copy_name(size))
        readable, writable = open_app(kept.url(one.database)), open_app(kept.url(_copy_name(size)))
        subjects[size] = Subject(readable, one, writable)
        apps += [readable, writable]
        click.echo(f"  {kept.engine}: {size:,} are ready", err=True)
    try:
        yield subjects
    finally:
        for app in apps:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()


def _copy_name(size: int) -> str:
    return f"{WORK_COPY}_{size}"
