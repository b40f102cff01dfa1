"""When a key was last used."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import create_engine, select, update
from sqlalchemy.engine import Engine

from models import ApiKey, ResolvedKey, db, writing
from models.last_used import mark_used
from tests.factories import all_rows, make_api_key, revoke
from tests.queries import recorded

NOON = datetime(2026, 5, 3, 12, 0, 41, 123456, tzinfo=UTC)


def resolved(token: str) -> ResolvedKey:
    found = ApiKey.resolve(token)
    db.session.rollback()
    assert found is not None
    return found


def last_used_at() -> datetime | None:
    (key,) = all_rows(ApiKey)
    return key.last_used_at


@pytest.mark.usefixtures("context")
def test_a_use_is_kept_to_the_minute() -> None:
    _, token = make_api_key()
    assert last_used_at() is None

    mark_used(db.engine, resolved(token), NOON)

    assert last_used_at() == datetime(2026, 5, 3, 12, 0, tzinfo=UTC)


@pytest.mark.usefixtures("context")
def test_last_use_moves_forward_only() -> None:
    _, token = make_api_key()
    earlier = resolved(token)  # as a request that began before the others ended would have it
    mark_used(db.engine, earlier, NOON)

    mark_used(db.engine, earlier, NOON - timedelta(minutes=5))
    assert last_used_at() == NOON.replace(second=0, microsecond=0)

    mark_used(db.engine, earlier, NOON + timedelta(minutes=1))
    assert last_used_at() == NOON.replace(minute=1, second=0, microsecond=0)


def test_one_key_costs_one_write_a_minute(app: Flask) -> None:
    _, token = make_api_key()
    with app.app_context():
        stale = resolved(token)
        mark_used(db.engine, stale, NOON)
        fresh = resolved(token)
        for second in range(19):
            at = NOON + timedelta(seconds=second)
            with recorded(app) as statements:
                mark_used(db.engine, fresh, at)
            assert statements == []
        with recorded(app) as statements:
            mark_used(db.engine, fresh, NOON + timedelta(seconds=19))
        assert len(statements) == 1


@pytest.mark.usefixtures("context")
def test_the_statement_itself_writes_once_a_minute_whatever_the_request_knew() -> None:
    _, token = make_api_key()
    stale = resolved(token)
    mark_used(db.engine, stale, NOON)
    with writing():
        written = datetime(2026, 5, 3, 12, 0, 30, tzinfo=UTC)  # a mark that a second write would put back
        db.session.execute(update(ApiKey).values(last_used_at=written))

    mark_used(db.engine, stale, NOON)
    assert last_used_at() == written

    mark_used(db.engine, stale, NOON + timedelta(minutes=1))
    assert last_used_at() != written


@pytest.mark.usefixtures("context")
def test_a_revoked_key_is_not_touched() -> None:
    key, token = make_api_key()
    caller = resolved(token)
    mark_used(db.engine, caller, NOON)
    revoke(key)

    mark_used(db.engine, caller, NOON + timedelta(hours=1))

    assert last_used_at() == NOON.replace(second=0, microsecond=0)


def hold(engine: Engine, token: str) -> None:
    """Try to note a use while another connection has the row."""
    caller = resolved(token)
    with engine.connect().execution_options(sqlite_begin="IMMEDIATE") as other:
        other.execute(select(ApiKey.id).with_for_update())
        mark_used(engine, caller, NOON)  # would wait for good, or for the lock timeout
        other.rollback()


@pytest.mark.usefixtures("context")
def test_a_held_lock_is_not_waited_for_and_the_next_use_is_kept() -> None:
    _, token = make_api_key()
    began = datetime.now(UTC)

    hold(db.engine, token)

    assert datetime.now(UTC) - began < timedelta(seconds=2)
    assert last_used_at() is None
    mark_used(db.engine, resolved(token), NOON)
    assert last_used_at() is not None


@pytest.mark.usefixtures("context")
def test_connections_wait_for_locks_again_afterwards() -> None:
    _, token = make_api_key()
    if db.engine.dialect.name == "sqlite":
        db.engine.dispose()
        mark_used(db.engine, resolved(token), NOON)
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    else:
        mark_used(db.engine, resolved(token), NOON)
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "5s"


@pytest.mark.usefixtures("context")
def test_a_writer_that_holds_the_key_does_not_stop_the_note() -> None:
    key, token = make_api_key()
    caller = resolved(token)
    if db.engine.dialect.name == "sqlite":  # one writer at a time: there the next request tries again
        mark_used(db.engine, caller, NOON)
    else:
        with writing():
            assert ApiKey.hold(key.id) is not None
            mark_used(db.engine, caller, NOON)

    assert last_used_at() is not None


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://127.0.0.1:1/nowhere", "sqlite:////nowhere/queuekey.db", "sqlite://"]
)
def test_a_database_that_is_away_or_empty_fails_nobody(url: str) -> None:
    _, token = make_api_key()
    caller = resolved(token)

    mark_used(create_engine(url), caller, NOON)

    assert last_used_at() is None
