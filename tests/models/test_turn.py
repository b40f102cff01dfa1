"""Writers to SQLite: everybody gets a turn, and nobody waits for good."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import TimeoutError as WaitedTooLong

from models import turn


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "line.db") as connection:
        connection.execute("CREATE TABLE numbers (number INTEGER)")
    return tmp_path / "line.db"


@pytest.fixture
def other(file: Path) -> Iterator[sqlite3.Connection]:
    """Another program that is writing just now."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def test_a_writer_waits_for_its_turn(file: Path, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    ask = turn._is_let_in

    def tell(connection: sqlite3.Connection, *, is_last_try: bool) -> bool:
        is_in = ask(connection, is_last_try=is_last_try)
        asked.set()
        return is_in

    def write() -> None:
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA busy_timeout=5000")
        turn.begin_immediate(connection)
        connection.execute("INSERT INTO numbers VALUES (2)")
        connection.execute("COMMIT")
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (5000,)

    monkeypatch.setattr(turn, "_is_let_in", tell)
    writer = threading.Thread(target=write)
    writer.start()
    assert asked.wait(5)
    other.execute("INSERT INTO numbers VALUES (1)")
    other.execute("COMMIT")
    writer.join()

    assert other.execute("SELECT number FROM numbers ORDER BY rowid").fetchall() == [(1,), (2,)]


@pytest.mark.usefixtures("other")
def test_a_writer_gives_up_when_nobody_leaves(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "WAIT_SECONDS", 0.05)
    connection = sqlite3.connect(file, isolation_level=None)

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        turn.begin_immediate(connection)

    assert not connection.in_transaction


def test_another_fault_is_not_waited_out(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "line.db", isolation_level=None)
    connection.execute("BEGIN")

    with pytest.raises(sqlite3.OperationalError, match="within a transaction"):
        turn.begin_immediate(connection)


def test_the_queue_of_a_process_gives_up_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "WAIT_SECONDS", 0.05)
    engine = create_engine(f"sqlite:///{file}")
    refused: list[Exception] = []

    def write() -> None:
        try:
            with turn.writers_turn(engine):
                pass
        except WaitedTooLong as error:
            refused.append(error)

    with turn.writers_turn(engine):
        waiting = threading.Thread(target=write)
        waiting.start()
        waiting.join()
    assert len(refused) == 1

    with turn.writers_turn(engine):  # and it is free again afterwards
        pass


def test_postgresql_needs_no_queue() -> None:
    engine = create_engine("postgresql+psycopg://nobody@localhost/nowhere")
    with turn.writers_turn(engine), turn.writers_turn(engine):
        assert not turn._queue.locked()
