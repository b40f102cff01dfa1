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
    try:
        with _at_the_door(connection, deadline):
            while not _is_let_in(connection, is_last_try=time.monotonic() > deadline):
                _pause()
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience}")


@contextmanager
def _at_the_door(connection: sqlite3.Connection, deadline: float) -> Iterator[None]:
    """Be the only process that asks SQLite, or one whose time is up. The lock goes with the process that holds it."""
    (_, _, file) = connection.execute("PRAGMA database_list").fetchone()
    try:
        door = os.open(f"{file}-door", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:  # a full disk, too many open files: what SQLite would meet next
        raise sqlite3.OperationalError(f"{file}-door: {error.strerror}") from None
    try:
        while not _is_free(door) and time.monotonic() < deadline:
            _pause()
        yield
    finally:
        os.close(door)


def _is_free(door: int) -> bool:
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
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
