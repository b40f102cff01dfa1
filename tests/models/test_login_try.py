"""Tries to sign in, counted once for everybody."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from sqlalchemy import select

from models import LoginTry, db, transact
from tests.factories import in_context

NOON_MS = 1_800_000_000_000
LIMIT = 3


@in_context
def add(
    seconds: float = 0, account: str = "ada", network: str = "203.0.113.7", limit: int = LIMIT
) -> tuple[int, float]:
    """Note a try so many seconds after noon: which one it is, and when the first is forgotten."""
    at_ms = NOON_MS + int(seconds * 1000)
    tries = transact(lambda: LoginTry.add(account, network, at_ms, limit))
    return tries.number, (tries.first_ends_ms - NOON_MS) / 1000


def test_each_pair_of_account_and_network_is_counted_apart(app: Flask) -> None:
    assert [add(nth)[0] for nth in range(3)] == [1, 2, 3]

    assert add(4, account="lin") == (1, 64)
    assert add(5, network="203.0.113.8") == (1, 65)
    assert add(6) == (4, 60)


def test_no_minute_has_more_than_the_limit_wherever_it_begins(app: Flask) -> None:
    tries = [add(seconds)[0] <= LIMIT for seconds in range(0, 200, 5)]

    let_through = [5 * nth for nth, is_let_through in enumerate(tries) if is_let_through]
    assert let_through == [0, 5, 10, 60, 65, 70, 120, 125, 130, 180, 185, 190]


def test_whoever_was_refused_may_try_again_when_the_first_is_a_minute_old(app: Flask) -> None:
    for seconds in (0, 30, 31):
        add(seconds)

    assert add(59.9) == (4, 60)
    assert add(60) == (3, 90)
    assert add(60) == (4, 90)


def test_what_nobody_needs_is_forgotten(app: Flask) -> None:
    add(0, account="lin")
    add(0)
    add(110)

    add(121, account="kim")

    assert sorted(row.latest for row in all_rows_of_tries()) == [NOON_MS + 110_000, NOON_MS + 121_000]


@in_context
def all_rows_of_tries() -> list[LoginTry]:
    """Every row."""
    return list(db.session.scalars(select(LoginTry)))


def test_tries_at_the_same_time_are_all_counted(app: Flask) -> None:
    with ThreadPoolExecutor(8) as threads:
        counts = [count for count, _ in threads.map(lambda _: add(limit=20), range(40))]

    assert sorted(counts) == [*range(1, 21), *[21] * 20]


def test_neither_account_nor_address_can_be_read_from_the_count(app: Flask) -> None:
    add()

    (row,) = all_rows_of_tries()
    assert len(row.pair) == 64
    assert "ada" not in row.pair
    assert "203.0.113.7" not in row.pair
