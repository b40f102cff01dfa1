"""A fair turn for everybody who writes to SQLite, which lets one writer in at a time.

SQLite's own waiting sleeps longer and longer, so that with eight writers one of them starves for seconds while the
others go in again and again. So the threads of a process queue, first come, first served; and of all processes only
the one that holds the door's lock asks SQLite. Whoever has just written finds the door taken by somebody who waited.
"""

import fcntl
import os
import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Engine
from sqlalchemy.exc import TimeoutError as WaitedTooLong

WAIT_SECONDS = 5.0
PACE_SECONDS = 0.001


class Queue:
    """A lock that is handed to whoever has waited longest; threading.Lock goes to whoever comes at the right moment."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, seconds: float) -> bool:
        """Whether it was one's turn within so many seconds."""
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            place = threading.Lock()
            place.acquire()
            self._waiting.append(place)
        if place.acquire(timeout=seconds):
            return True
        with self._guard:
            if place in self._waiting:
                self._waiting.remove(place)
                return False
        return True  # handed over at the last moment

    def release(self) -> None:
        """Hand it to the next, or leave it free."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False


_queue = Queue()


@contextmanager
def writers_turn(engine: Engine) -> Iterator[None]:
    """Hold this process's only place at SQLite's door; PostgreSQL needs no such thing.

    Raises sqlalchemy's TimeoutError after WAIT_SECONDS.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    if not _queue.acquire(WAIT_SECONDS):
        raise WaitedTooLong("other writers of this process took too long")
    try:
        yield
    finally:
        _queue.release()


def begin_immediate(connection: sqlite3.Connection) -> None:
    """Begin a writing transaction in this process's turn; raises sqlite3.OperationalError after WAIT_SECONDS."""
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout=0")
    deadline = time.monotonic() + WAIT_SECONDS
    door = _opened_door(connection)
    try:
        while not _is_mine(door) and time.monotonic() < deadline:
            _pause()
        while not _is_let_in(connection, is_last_try=time.monotonic() > deadline):
            _pause()
    finally:
        if door is not None:
            os.close(door)  # and the lock goes with it, as it does with a process that dies
        connection.execute(f"PRAGMA busy_timeout={patience}")


def _opened_door(connection: sqlite3.Connection) -> int | None:
    """The file whose lock says who may ask SQLite; None where it is not to be had.

    A full disk, somebody else's file: turns are less fair then and as safe, for SQLite lets one in at a time.
    """
    (_, _, file) = connection.execute("PRAGMA database_list").fetchone()
    try:
        return os.open(f"{file}-door", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None


def _is_mine(door: int | None) -> bool:
    if door is None:
        return True
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _is_let_in(connection: sqlite3.Connection, *, is_last_try: bool) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if is_last_try or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _pause() -> None:
    time.sleep(PACE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  # or processes would ask in step
