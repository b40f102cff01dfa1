"""Faults with a clock in them: how long a crowd waits, and how soon everything is as before."""

import threading
import time
from collections.abc import Iterator

import pytest

from tests.soak.report import figure, trials
from tests.system.crash import shipped
from tests.system.load import Signups, await_that
from tests.system.server import Server
from tests.system.tcp_proxy import Weather
from tests.system.test_fault_postgres import Place, assert_recovered, fine_weather, person, place
from tests.system.test_fault_sqlite import CROWD, readers, write_lock_held

__all__ = ["fine_weather", "place"]

CROWD_SECONDS = 60
CROWD_P99_SECONDS = 2.0
RECOVERY_SECONDS = 10.0
RESTARTS = 10
SHORT_HOLD, LONG_HOLD = 3, 30


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, with 4 workers, on SQLite."""
    with shipped("sqlite", "crowd", tmp_path_factory) as own:
        yield own


def pause(seconds: float) -> None:
    """Let time pass: here it is what is measured."""
    threading.Event().wait(seconds)


def test_a_crowd_at_sqlite_waits_less_than_two_seconds(on_sqlite: Server) -> None:
    signups, seconds = Signups(on_sqlite), trials(CROWD_SECONDS, 2)

    with readers(on_sqlite, signups, CROWD) as statuses, signups.running(CROWD):
        pause(seconds)

    p99 = signups.percentile(99)
    number = signups.statuses.total() + statuses.total()
    figure("sign-up p99 with 32 writers and 32 readers, sqlite", f"{p99:.2f} s", number)
    figure("slowest sign-up with 32 writers and 32 readers, sqlite", f"{max(signups.seconds):.2f} s", number)
    assert (set(signups.statuses), set(statuses)) == ({201}, {200})
    assert "locked" not in on_sqlite.log_text()
    assert p99 < CROWD_P99_SECONDS
    signups.assert_books_balance()


def test_a_write_lock_held_for_three_seconds_is_waited_for_and_thirty_are_not(on_sqlite: Server) -> None:
    signups = Signups(on_sqlite)

    with signups.running(clients=4), write_lock_held(on_sqlite):
        pause(SHORT_HOLD)
    after_short = dict(signups.statuses)
    with signups.running(clients=4):
        with write_lock_held(on_sqlite):
            pause(LONG_HOLD)
        signups.await_more()

    figure("sign-ups with the write lock held outside for 3 s, sqlite", str(after_short), sum(after_short.values()))
    figure("sign-ups with it held for 30 s, sqlite", str(dict(signups.statuses)), signups.statuses.total())
    assert set(after_short) == {201}
    assert signups.statuses[503] >= 4
    signups.assert_books_balance()


def test_postgresql_is_used_again_within_seconds_of_its_restart(place: Place) -> None:
    signups, browser, restarts = Signups(place.server), person(place), trials(RESTARTS, 2)
    recoveries = []

    with signups.running():
        for _ in range(restarts):
            signups.await_more(10)
            place.postgres.stop_at_once()
            place.postgres.start()
            began = time.monotonic()
            await_that(lambda: browser.get("/waitlists").status == 200)
            signups.await_more()
            recoveries.append(time.monotonic() - began)
        assert_recovered(place, signups, browser)

    figure("slowest recovery after a crash of PostgreSQL", f"{max(recoveries):.2f} s", restarts)
    assert max(recoveries) <= RECOVERY_SECONDS


def test_a_database_that_never_answers_holds_nobody_for_ever(place: Place) -> None:
    signups, browser = Signups(place.server), person(place)

    with signups.running(clients=3):
        signups.await_more(5)
        place.proxy.weather = Weather.SWALLOWS
        unavailable = signups.statuses[503]
        pages: list[int] = []
        opening = threading.Thread(target=lambda: pages.append(browser.get("/waitlists").status))
        opening.start()
        await_that(lambda: signups.statuses[503] > unavailable)
        opening.join(60)
        place.proxy.weather = Weather.FINE
        assert_recovered(place, signups, browser)

    figure("slowest answer while PostgreSQL never answers", f"{max(signups.seconds):.1f} s", signups.statuses.total())
    assert pages == [503]
    signups.assert_books_balance()


def test_half_a_second_each_way_slows_and_breaks_nothing(place: Place) -> None:
    signups = Signups(place.server)
    place.proxy.delay_seconds, place.proxy.weather = 0.5, Weather.SLOW

    with signups.running():
        signups.await_more(20)

    figure("sign-up p99 with half a second on the way to PostgreSQL", f"{signups.percentile(99):.1f} s", 20)
    assert set(signups.statuses) == {201}
    signups.assert_books_balance()
