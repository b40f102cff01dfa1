"""Killed hundreds of times under load, on both engines."""

import random
from collections.abc import Iterator

import pytest

from tests.databases import ENGINES
from tests.soak.report import figure, trials
from tests.system.crash import kill_everything, kill_workers, shipped
from tests.system.load import Signups
from tests.system.server import Server

KILLS = 200
RESTARTS = 20
GOOD_ANSWER_SECONDS = 5.0


@pytest.fixture(scope="module", params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, with 4 workers."""
    with shipped(request.param, "killed", tmp_path_factory) as own:
        yield own


def engine(server: Server) -> str:
    """Which database it is."""
    return server.settings["DATABASE_URL"].partition(":")[0]


def test_workers_killed_at_random_moments_lose_nothing_that_was_acknowledged(server: Server) -> None:
    signups, kills, seed = Signups(server), trials(KILLS, 3), random.randrange(2**32)

    with signups.running():
        kill_workers(server, signups, kills, random.Random(seed))
        signups.await_more()

    signups.assert_books_balance()
    found = f"0 of {len(signups.acknowledged):,} acknowledged, every change with its event"
    figure(f"lost to kill -9 of a worker, {engine(server)}, seed {seed}", found, kills)


def test_a_server_killed_whole_answers_again_within_seconds(server: Server) -> None:
    signups, restarts, seed = Signups(server), trials(RESTARTS, 2), random.randrange(2**32)
    chance = random.Random(seed)

    with signups.running():
        seconds = [kill_everything(server, signups, chance) for _ in range(restarts)]
        signups.await_more()

    signups.assert_books_balance()
    figure(
        f"slowest first good answer after kill -9 of everything, {engine(server)}", f"{max(seconds):.2f} s", restarts
    )
    assert max(seconds) <= GOOD_ANSWER_SECONDS
