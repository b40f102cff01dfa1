"""SQLite with a crowd at it, and with its write lock held: how long people wait."""

import threading
from collections.abc import Iterator

import pytest

from tests.soak.report import figure, trials
from tests.system.crash import shipped
from tests.system.load import Signups
from tests.system.server import Server
from tests.system.test_fault_sqlite import CROWD, readers, write_lock_held

CROWD_SECONDS = 60
CROWD_P99_SECONDS = 2.0
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
