"""SQLite with a crowd at its door, and with somebody outside who holds it shut."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy.engine import make_url

from models import Subscriber
from tests.factories import count
from tests.system.crash import shipped
from tests.system.load import Signups, await_that
from tests.system.server import Server

CROWD = 32
SIGNUPS = 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, with 4 workers, on SQLite."""
    with shipped("sqlite", "fault", tmp_path_factory) as own:
        yield own


@contextmanager
def write_lock_held(server: Server) -> Iterator[None]:
    """Another program writes for the length of a `with` block."""
    holder = sqlite3.connect(str(make_url(server.settings["DATABASE_URL"]).database), isolation_level=None, timeout=30)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


@contextmanager
def readers(server: Server, signups: Signups, number: int) -> Iterator[Counter[int]]:
    """So many clients who ask for the line all the time; what they were answered."""
    is_over, statuses = threading.Event(), Counter[int]()

    def read() -> None:
        while not is_over.is_set():
            statuses[server.send("GET", f"{signups.path}?limit=5", signups.token).status] += 1

    with ThreadPoolExecutor(number) as crowd:
        reading = [crowd.submit(read) for _ in range(number)]
        try:
            yield statuses
        finally:
            is_over.set()
    for one in reading:
        one.result()


def test_a_crowd_that_writes_and_reads_is_answered_to_the_last(server: Server) -> None:
    signups = Signups(server)

    with readers(server, signups, CROWD) as statuses, signups.running(CROWD):
        signups.await_more(SIGNUPS)

    assert set(signups.statuses) == {201}
    assert set(statuses) == {200}
    assert "locked" not in server.log_text()
    signups.assert_books_balance()


def test_a_held_write_lock_is_waited_for_and_readers_do_not_notice(server: Server) -> None:
    signups = Signups(server)

    with ThreadPoolExecutor(1) as client:
        with write_lock_held(server):
            waiting = client.submit(server.post, signups.path, signups.token, {"email": "ada@example.org"})
            assert server.send("GET", signups.path, signups.token).status == 200
            assert not waiting.done()
        assert waiting.result().status == 201


def test_a_write_lock_that_is_not_given_back_is_503_and_nothing_written(server: Server) -> None:
    signups = Signups(server)

    with signups.running(clients=4):
        signups.await_more()
        with write_lock_held(server):
            before = count(Subscriber)
            await_that(lambda: signups.statuses[503] >= 4)
            assert count(Subscriber) == before
            assert server.send("GET", signups.path, signups.token).status == 200
        signups.await_more()

    signups.assert_books_balance()
