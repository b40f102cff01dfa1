"""Short reads: plain values, SQLAlchemy's errors, and no connection lost or left in a transaction."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from flask import Flask, current_app
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from models import db, reading
from models.reading import Query, moment
from tests.factories import make_organisation

COUNT = Query("SELECT count(*) FROM organisations WHERE name <> %(name)s")


def test_a_read_gives_plain_rows(app: Flask) -> None:
    make_organisation("Fernhill")
    with app.app_context():
        assert COUNT.all({"name": "nobody"}) == [(1,)]
        assert COUNT.one_or_none({"name": "Fernhill"}) == (0,)
        assert Query("SELECT name FROM organisations WHERE id < %(id)s").one_or_none({"id": 0}) is None


@pytest.mark.usefixtures("context")
def test_a_read_leaves_no_transaction_behind() -> None:
    for _ in range(3):
        COUNT.all({"name": "nobody"})
    raw = db.engine.raw_connection()
    try:
        driver = raw.driver_connection
        assert driver is not None
        if db.engine.dialect.name == "sqlite":
            assert not driver.in_transaction
        else:
            assert driver.info.transaction_status.name == "IDLE"
            assert driver.autocommit is False  # as every other user of the pool expects it
    finally:
        raw.close()
    assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.usefixtures("context")
def test_a_wrong_statement_raises_sqlalchemys_error_and_gives_its_connection_back() -> None:
    with pytest.raises((OperationalError, ProgrammingError)) as raised:
        Query("SELECT secret FROM nowhere WHERE id = %(id)s").all({"id": "a value not to be logged"})

    assert "a value not to be logged" not in str(raised.value)
    assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    assert COUNT.all({"name": "nobody"}) == [(0,)]


def test_a_read_outlives_the_end_of_its_pooled_connections(app: Flask) -> None:
    with app.app_context():
        if db.engine.dialect.name == "sqlite":  # a file that closes no connection
            assert COUNT.all({"name": "nobody"}) == [(0,)]
            return
        COUNT.all({"name": "nobody"})
        own = Query("SELECT pg_backend_pid()").all({})
        with db.engine.connect() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            others += " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(others))
        assert own
        assert COUNT.all({"name": "nobody"}) == [(0,)]


def test_a_database_that_stays_away_is_an_error_of_sqlalchemy(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        driver = db.engine.dialect.loaded_dbapi

        def stay_away(*_: object) -> None:
            raise driver.OperationalError("the database is away")

        db.engine.dispose()
        with monkeypatch.context() as away:
            away.setattr(type(db.engine), "raw_connection", stay_away)
            with pytest.raises(DBAPIError):
                COUNT.all({"name": "nobody"})
        assert COUNT.all({"name": "nobody"}) == [(0,)]


def test_a_connection_lost_twice_is_told_as_lost(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        if db.engine.dialect.name == "sqlite":  # a file that closes no connection
            assert COUNT.all({"name": "nobody"}) == [(0,)]
            return
        monkeypatch.setattr(type(db.engine.dialect), "is_disconnect", lambda *_: True)
        with pytest.raises(DBAPIError) as raised:
            Query("SELECT secret FROM nowhere").all({})
        assert raised.value.connection_invalidated


def spare() -> list[sqlite3.Connection]:
    """SQLite's connections that wait for the next read."""
    return reading._spare.get(db.engine, [])


@pytest.mark.usefixtures("context")
def test_on_sqlite_a_connection_serves_one_read_after_the_other_until_the_engine_is_disposed_of() -> None:
    if db.engine.dialect.name != "sqlite":  # whose connections are the pool's
        assert COUNT.all({"name": "nobody"}) == [(0,)]
        return
    COUNT.all({"name": "nobody"})
    (one,) = spare()
    COUNT.all({"name": "nobody"})
    assert spare() == [one]

    db.engine.dispose()

    _assert_closed(one)
    assert COUNT.all({"name": "nobody"}) == [(0,)]
    assert spare() != [one]


@pytest.mark.usefixtures("context")
def test_on_sqlite_a_connection_belongs_to_no_thread() -> None:
    if db.engine.dialect.name != "sqlite":
        assert COUNT.all({"name": "nobody"}) == [(0,)]
        return
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def read() -> sqlite3.Connection:
        with app.app_context():
            assert COUNT.all({"name": "nobody"}) == [(0,)]
            return spare()[0]

    with ThreadPoolExecutor(1) as thread:
        there = thread.submit(read).result()

    assert spare() == [there]
    assert COUNT.all({"name": "nobody"}) == [(0,)]
    assert spare() == [there]


@pytest.mark.usefixtures("context")
def test_on_sqlite_no_two_reads_share_a_connection() -> None:
    if db.engine.dialect.name != "sqlite":
        assert COUNT.all({"name": "nobody"}) == [(0,)]
        return
    app, meet = current_app._get_current_object(), Barrier(2)  # type: ignore[attr-defined]
    both = Query("SELECT count(*) FROM organisations WHERE meet() = %(name)s")

    def open_and_meet(engine: Engine) -> sqlite3.Connection:
        connection = opened(engine)
        connection.create_function("meet", 0, lambda: meet.wait(10))
        return connection

    def read(_nth: int) -> object:
        with app.app_context():
            return both.all({"name": "nobody"})

    opened = reading._open
    make_organisation("Fernhill")
    db.engine.dispose()
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as threads:
        patch.setattr(reading, "_open", open_and_meet)
        assert list(threads.map(read, range(2))) == [[(0,)], [(0,)]]
    assert len(set(spare())) == 2


@pytest.mark.usefixtures("context")
def test_on_sqlite_a_connection_that_failed_is_not_used_again() -> None:
    if db.engine.dialect.name != "sqlite":
        assert COUNT.all({"name": "nobody"}) == [(0,)]
        return
    COUNT.all({"name": "nobody"})
    (one,) = spare()
    with pytest.raises(DBAPIError):
        Query("SELECT secret FROM nowhere").all({})

    assert spare() == []
    _assert_closed(one)


def _assert_closed(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_moments_are_aware_whatever_the_engine_gives() -> None:
    noon = datetime(2026, 5, 3, 12, 0, 0, 250000, tzinfo=UTC)
    assert moment("2026-05-03 12:00:00.250000") == noon
    assert moment(noon) is noon
