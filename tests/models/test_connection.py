"""How a connection is set up on either engine."""

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from models import connection as set_up
from models import db
from models.connection import LOCK_TIMEOUT_SECONDS, engine_options, prepare_engine
from tests.databases import POSTGRES_URL

SQLITE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1, "busy_timeout": 5000}
POSTGRESQL = {"lock_timeout": "5s", "TimeZone": "UTC", "application_name": "queuekey"}


@pytest.mark.usefixtures("context")
def test_every_pooled_connection_has_the_settings() -> None:
    connections = [db.engine.connect() for _ in range(5)]
    is_sqlite = db.engine.dialect.name == "sqlite"
    wanted, ask = (SQLITE, "PRAGMA") if is_sqlite else (POSTGRESQL, "SHOW")

    for connection in connections:
        assert {name: connection.exec_driver_sql(f"{ask} {name}").scalar() for name in wanted} == wanted
        connection.close()


@pytest.mark.by_hand
@pytest.mark.parametrize("statement", ["UPDATE organisations SET plan = 'pro'", "DELETE FROM organisations"])
@pytest.mark.usefixtures("context")
def test_a_transaction_that_is_not_committed_leaves_nothing(statement: str) -> None:
    insert = "INSERT INTO organisations (slug, name, plan, created_at) VALUES ('a', 'A', 'free', '2026-01-01')"
    with db.engine.begin() as connection:
        connection.exec_driver_sql(insert)
    with db.engine.connect() as connection:
        connection.exec_driver_sql(statement)

    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT plan FROM organisations").scalars().all() == ["free"]


@pytest.mark.usefixtures("context")
def test_a_failing_statement_says_nothing_of_its_parameters() -> None:
    with pytest.raises(DBAPIError) as failure, db.engine.connect() as connection:
        connection.execute(db.text("SELECT missing, :secret FROM organisations"), {"secret": "hush"})

    assert "missing" in str(failure.value)
    assert "hush" not in str(failure.value)


def test_in_a_worker_a_statement_without_an_answer_is_given_up_and_its_connection_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(set_up, "parent_process", object)  # as if this were a worker
    url = make_url(os.environ[POSTGRES_URL]).set(drivername="postgresql+psycopg")
    engine = create_engine(url, **engine_options(url.render_as_string(hide_password=False), threads=1))
    prepare_engine(engine)
    with engine.connect() as patient:
        assert patient.exec_driver_sql("SELECT 1 FROM pg_sleep(0.2)").scalar() == 1
        monkeypatch.setattr(set_up, "ANSWER_SECONDS", 0.1)
        with pytest.raises(OperationalError, match="no answer came") as failure:
            patient.exec_driver_sql("SELECT pg_sleep(60)")

    assert failure.value.connection_invalidated
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite:///queuekey.db", "postgresql+psycopg://localhost/queuekey"])
def test_the_pool_has_room_for_every_thread_and_waits_no_longer_than_for_a_lock(url: str) -> None:
    options = engine_options(url, threads=7)

    assert options["pool_size"] == 7
    assert options["pool_timeout"] == LOCK_TIMEOUT_SECONDS


def test_a_new_sqlite_file_is_its_owners_alone_and_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    new, shared = tmp_path / "new.db", tmp_path / "shared.db"
    shared.touch(0o644)
    shared.chmod(0o644)
    for file in (new, shared):
        engine = create_engine(f"sqlite:///{file}")
        prepare_engine(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE things (id INTEGER)")
            assert file.with_name(f"{file.name}-wal").stat().st_mode & 0o777 == file.stat().st_mode & 0o777
        engine.dispose()

    assert new.stat().st_mode & 0o777 == 0o600
    assert shared.stat().st_mode & 0o777 == 0o644
