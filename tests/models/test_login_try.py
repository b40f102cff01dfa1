"""Tries to sign in, counted once for everybody."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from sqlalchemy import select

from models import LoginTry, db, transact
from tests.factories import in_context

MINUTE = 29_000_000


@in_context
def add_one(account: str = "ada", network: str = "203.0.113.7", minute: int = MINUTE) -> int:
    """Count a try as a request does."""
    return transact(lambda: LoginTry.add_one(account, network, minute))


def test_each_pair_of_account_and_network_is_counted_apart(app: Flask) -> None:
    assert [add_one(), add_one(), add_one()] == [1, 2, 3]

    assert add_one(account="lin") == 1
    assert add_one(network="203.0.113.8") == 1
    assert add_one() == 4


def test_a_minute_begins_anew_and_old_ones_are_forgotten(app: Flask) -> None:
    add_one()
    add_one(account="lin")

    assert add_one(minute=MINUTE + 1) == 1
    assert add_one() == 2  # a host whose clock is behind
    assert add_one(minute=MINUTE + 2) == 1

    with app.app_context():
        assert set(db.session.scalars(select(LoginTry.minute))) == {MINUTE + 1, MINUTE + 2}


def test_tries_at_the_same_time_are_all_counted(app: Flask) -> None:
    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(lambda nth: add_one(minute=MINUTE + nth // 20), range(40)))

    assert sorted(counts) == sorted([*range(1, 21)] * 2)


def test_neither_account_nor_address_can_be_read_from_the_count(app: Flask) -> None:
    add_one()

    with app.app_context():
        (pair,) = db.session.scalars(select(LoginTry.pair))
    assert len(pair) == 64
    assert "ada" not in pair
    assert "203.0.113.7" not in pair
