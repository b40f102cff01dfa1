"""Writers to SQLite: everybody gets a turn, and nobody waits for good."""

import errno
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import TimeoutError as WaitedTooLong

from models import turn
from tests.system.load import await_that


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


def test_without_a_door_writers_still_wait_for_each_other(
    file: Path, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(f"{file}-door").mkdir()
    monkeypatch.setattr(turn, "WAIT_SECONDS", 0.05)
    connection = sqlite3.connect(file, isolation_level=None)

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        turn.begin_immediate(connection)
    other.execute("COMMIT")
    turn.begin_immediate(connection)

    assert connection.in_transaction


def test_a_file_system_without_locks_is_no_obstacle(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(_file: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    connection = sqlite3.connect(file, isolation_level=None)
    turn.begin_immediate(connection)

    assert connection.in_transaction


def test_nobody_else_may_read_or_hold_the_door(file: Path) -> None:
    turn.begin_immediate(sqlite3.connect(file, isolation_level=None))

    assert Path(f"{file}-door").stat().st_mode & 0o777 == 0o600


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
        assert not turn._queue._is_taken


def test_threads_are_served_in_the_order_in_which_they_came() -> None:
    queue, served = turn.Queue(), list[int]()
    assert queue.acquire(0)

    def write(nth: int) -> None:
        assert queue.acquire(5)
        served.append(nth)
        queue.release()

    threads = [threading.Thread(target=write, args=(nth,)) for nth in range(5)]
    for nth, thread in enumerate(threads, start=1):
        thread.start()
        await_that(lambda nth=nth: len(queue._waiting) == nth)  # type: ignore[misc]
    queue.release()
    for thread in threads:
        thread.join()

    assert served == [0, 1, 2, 3, 4]


def test_nobody_slips_in_between_one_turn_and_the_next() -> None:
    queue, may_leave = turn.Queue(), threading.Event()
    assert queue.acquire(0)

    def write() -> None:
        assert queue.acquire(5)
        may_leave.wait(5)
        queue.release()

    waiting = threading.Thread(target=write)
    waiting.start()
    await_that(lambda: queue._waiting)
    queue.release()

    assert not queue.acquire(0)
    may_leave.set()
    waiting.join()
    assert queue.acquire(0)


def test_whoever_gives_up_waiting_leaves_the_queue() -> None:
    queue = turn.Queue()
    assert queue.acquire(0)
    assert not queue.acquire(0.01)

    queue.release()

    assert queue.acquire(0)


def test_whoever_has_just_written_lets_another_process_in_first(
    file: Path, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "PACE_SECONDS", 0.2)  # the one who waits looks up but rarely
    asked, ask = threading.Event(), turn._is_let_in

    def tell(connection: sqlite3.Connection, *, is_last_try: bool) -> bool:
        is_in = ask(connection, is_last_try=is_last_try)
        asked.set()
        return is_in

    def write(number: int) -> None:
        connection = sqlite3.connect(file, isolation_level=None)
        turn.begin_immediate(connection)
        connection.execute("INSERT INTO numbers VALUES (?)", (number,))
        connection.execute("COMMIT")

    monkeypatch.setattr(turn, "_is_let_in", tell)
    waiting = threading.Thread(target=write, args=(1,))
    waiting.start()
    assert asked.wait(5)
    other.execute("COMMIT")
    write(2)
    waiting.join()

    assert other.execute("SELECT number FROM numbers ORDER BY rowid").fetchall() == [(1,), (2,)]
