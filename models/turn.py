"""A fair turn for everybody who writes to SQLite, which lets one writer in at a time.

SQLite's own waiting sleeps longer and longer, so that with eight writers one of them starves for
seconds while the others go in again and again (measured: 2.8 s at worst, against 0.3 s here). So the
threads of a process queue at a lock, and the processes, of which there are few, ask at a steady pace.
"""

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Engine
from sqlalchemy.exc import TimeoutError as WaitedTooLong

WAIT_SECONDS = 5.0
PACE_SECONDS = 0.001

_queue = threading.Lock()


@contextmanager
def writers_turn(engine: Engine) -> Iterator[None]:
    """Hold this process's only place at SQLite's door; PostgreSQL needs no such thing.

    Raises sqlalchemy's TimeoutError after WAIT_SECONDS.
    """
    if engine.dialect.name != "sqlite":
        yield
        return
    if not _queue.acquire(timeout=WAIT_SECONDS):
        raise WaitedTooLong("other writers of this process took too long")
    try:
        yield
    finally:
        _queue.release()


def begin_immediate(connection: sqlite3.Connection) -> None:
    """Begin a writing transaction, asking at a steady pace; raises sqlite3.OperationalError after WAIT_SECONDS."""
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout=0")
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not _is_let_in(connection, is_last_try=time.monotonic() > deadline):
            time.sleep(PACE_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311  # or processes would ask in step
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience}")


def _is_let_in(connection: sqlite3.Connection, *, is_last_try: bool) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if is_last_try or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True
