"""Short reads: plain values, SQLAlchemy's errors, and no connection lost or left in a transaction."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import text
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


@pytest.mark.usefixtures("context")
def test_on_sqlite_each_thread_reads_on_a_connection_that_ends_with_it() -> None:
    engine = db.engine
    if engine.dialect.name != "sqlite":  # whose connections are the pool's
        assert COUNT.all({"name": "nobody"}) == [(0,)]
        return
    here = reading._own_connection(engine)
    with ThreadPoolExecutor(1) as thread:
        there = thread.submit(reading._own_connection, engine).result()
        assert there is not here
        assert there.execute("SELECT 1").fetchall() == [(1,)]

    _assert_closed(there)
    assert reading._own_connection(engine) is here
    engine.dispose()
    _assert_closed(here)
    assert COUNT.all({"name": "nobody"}) == [(0,)]


def _assert_closed(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_moments_are_aware_whatever_the_engine_gives() -> None:
    noon = datetime(2026, 5, 3, 12, 0, 0, 250000, tzinfo=UTC)
    assert moment("2026-05-03 12:00:00.250000") == noon
    assert moment(noon) is noon
