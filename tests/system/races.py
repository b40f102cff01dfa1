"""Sign-ups through the shipped server that are held up between their check and their commit.

Before the writing transaction: the server asks for a body (100 Continue) once it has checked the caller, and gets
it when the race says so. Inside it: somebody else has the lock that it needs next.
"""

import itertools
import random
import socket
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from typing import NamedTuple

import orjson
import psycopg
from sqlalchemy.engine import make_url

from models import Organisation, Waitlist
from tests import overlap
from tests.api_client import subscribers_path
from tests.factories import make_api_key, make_organisation, make_waitlist
from tests.system.server import HOST, Reply, Server

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
STAGES = ("before", "together", "locked")

_numbers = itertools.count(1)


class Paused:
    """A POST whose caller the server has checked, and whose body it waits for."""

    def __init__(self, server: Server, path: str, token: str, body: object) -> None:
        self._body = orjson.dumps(body)
        self._connection = socket.create_connection((HOST, server.port), timeout=30)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self._body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        self._connection.sendall(head.encode())
        assert self._connection.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE

    def release(self) -> None:
        """Send the body."""
        self._connection.sendall(self._body)

    def reply(self) -> Reply:
        """What came back."""
        with self._connection, closing(HTTPResponse(self._connection, method="POST")) as response:
            response.begin()
            return Reply(response.status, response.headers, response.read())


class Track(NamedTuple):
    """Where races are run: a server, and a waitlist of an organisation on Pro."""

    server: Server
    organisation: Organisation
    waitlist: Waitlist
    chance: random.Random

    @property
    def is_sqlite(self) -> bool:
        """Whether the server's database is SQLite."""
        return self.server.settings["DATABASE_URL"].startswith("sqlite")

    @contextmanager
    def lock_held(self) -> Iterator[None]:
        """Hold what a sign-up needs next: SQLite's turn to write, or the waitlist on PostgreSQL, with its key held."""
        address = make_url(self.server.settings["DATABASE_URL"])
        if self.is_sqlite:
            with closing(sqlite3.connect(str(address.database), isolation_level=None, timeout=30)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield
        else:
            with psycopg.connect(
                address.set(drivername="postgresql").render_as_string(hide_password=False)
            ) as connection:
                connection.execute("SELECT 1 FROM waitlists WHERE id = %s FOR UPDATE", (self.waitlist.id,))
                yield


def make_track(server: Server, seed: int) -> Track:
    """A track with an organisation of its own."""
    organisation = make_organisation()
    return Track(server, organisation, make_waitlist(organisation), random.Random(seed))


def race(track: Track, kind: str, stage: str) -> tuple[Counter[int], list[str]]:
    """One race of a sign-up and a batch against an end: the statuses, and what was wrong."""
    key, token = make_api_key(track.organisation)
    end, refusal = overlap.ENDS[kind]
    path, number = subscribers_path(track.waitlist), next(_numbers)
    single, many = {f"single{number}@example.org"}, {f"many{number}n{nth}@example.org" for nth in range(3)}
    rows = [{"email": email} for email in sorted(many)]
    posts = [
        Paused(track.server, path, token, {"email": min(single)}),
        Paused(track.server, f"{path}/batch", token, {"subscribers": rows}),
    ]
    seen = _run(track, stage, posts, lambda: end(key))
    statuses = [post.reply().status for post in posts]
    promised = (single if statuses[0] == 201 else set()) | (many if statuses[1] == 200 else set())
    wrong = [f"answered {status}" for status in statuses if status not in {200, 201, refusal}]
    if promised != overlap.in_line(track.waitlist) & (single | many):
        wrong.append(f"{sorted(promised)} were promised a place, others have one")
    if late := overlap.made_by(key) - seen:
        wrong.append(f"events {sorted(late)} committed after the {kind}")
    if stage == "before" and promised:
        wrong.append(f"{sorted(promised)} joined after the {kind}")
    overlap.upgrade(key)
    overlap.revoke(key)
    return Counter(statuses), [f"{kind}, {stage}: {each}" for each in wrong]


def _run(track: Track, stage: str, posts: Sequence[Paused], end: Callable[[], overlap.Seen]) -> overlap.Seen:
    """Let the posts go on and the end come, in the order of the stage; what the end saw."""
    if stage == "before":
        seen = end()
        for post in posts:
            post.release()
        return seen
    with ThreadPoolExecutor(1) as threads:
        if stage == "together":
            first = track.chance.randrange(len(posts) + 1)
            for post in posts[:first]:
                post.release()
            ending = threads.submit(end)
            for post in posts[first:]:
                post.release()
        else:
            with track.lock_held():
                for post in posts:
                    post.release()
                _await_locks(track, len(posts))
                ending = threads.submit(end)
                overlap.await_either(ending, lambda: _are_waiting(track, len(posts) + 1))
        return ending.result()


def _are_waiting(track: Track, number: int) -> bool:
    return track.is_sqlite or overlap.waiting_for_locks() >= number


def _await_locks(track: Track, number: int) -> None:
    """Wait until so many wait; SQLite tells nobody who does."""
    overlap.await_until(lambda: _are_waiting(track, number))


def run_races(server: Server, kind: str, number: int) -> tuple[Counter[int], list[str]]:
    """So many races, the stages by turns: how often each status came, and what was wrong."""
    seed = random.randrange(2**32)
    track, statuses, wrong = make_track(server, seed), Counter[int](), list[str]()
    for nth in range(number):
        came, faults = race(track, kind, STAGES[nth % len(STAGES)])
        statuses += came
        wrong += [f"seed {seed}, race {nth}: {fault}" for fault in faults]
    return statuses, wrong
