"""Killed at random moments: what was acknowledged is there, with its event, and nothing else is."""

import os
import random
import signal
from collections.abc import Iterator

import pytest

from tests.databases import ENGINES
from tests.system.crash import kill_everything, kill_workers, shipped, workers
from tests.system.load import Signups, await_that
from tests.system.server import WORKERS, Server

KILLS = 8


@pytest.fixture(scope="module", params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, with 4 workers."""
    with shipped(request.param, "crash", tmp_path_factory) as own:
        yield own


@pytest.fixture
def chance() -> random.Random:
    """Random moments; the seed is printed when a test fails."""
    seed = random.randrange(2**32)
    print("seed", seed)  # noqa: T201
    return random.Random(seed)


def test_killed_workers_lose_nothing_that_was_acknowledged(server: Server, chance: random.Random) -> None:
    signups = Signups(server)

    with signups.running():
        kill_workers(server, signups, KILLS, chance)
        signups.await_more()

    signups.assert_books_balance()


def test_a_server_that_was_killed_whole_goes_on_where_it_was(server: Server, chance: random.Random) -> None:
    signups = Signups(server)

    with signups.running():
        kill_everything(server, signups, chance)
        signups.await_more()

    signups.assert_books_balance()


def test_new_workers_take_over_on_hup_and_finish_what_the_old_ones_began(server: Server) -> None:
    signups = Signups(server)
    old = set(workers(server))

    with signups.running():
        signups.await_more()
        os.kill(server.pid, signal.SIGHUP)
        await_that(lambda: len(new := workers(server)) == WORKERS and not set(new) & old)
        signups.await_more()

    signups.assert_books_balance()


def test_a_stop_finishes_what_was_begun_or_leaves_nothing_of_it(server: Server) -> None:
    signups = Signups(server)

    with signups.running():
        signups.await_more(20)
        server.terminate()
        assert server.wait(15) == 0
        server.start()
        signups.await_more()

    signups.assert_books_balance()
