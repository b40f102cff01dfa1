"""How a connection is set up on either engine, before the first statement runs on it."""

import os
import sqlite3
from contextlib import suppress
from multiprocessing import parent_process
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import OperationalError

from models.base import db
from models.reading import close_spare
from models.turn import begin_immediate

LOCK_TIMEOUT_SECONDS = 5
ANSWER_SECONDS = 10  # for one statement of a request; locks and connections have given up long before

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # NORMAL may lose acknowledged commits when the power goes
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",  # or INSERT OR REPLACE slips past the append-only triggers
    f"PRAGMA busy_timeout={LOCK_TIMEOUT_SECONDS * 1000}",
)


def engine_options(database_url: str, threads: int) -> dict[str, Any]:
    """Options for the engine of one process that answers with `threads` threads.

    No request waits longer than LOCK_TIMEOUT_SECONDS for a connection or for a lock.
    """
    pool = {"pool_size": threads, "max_overflow": 2, "pool_timeout": LOCK_TIMEOUT_SECONDS}
    pool["hide_parameters"] = True  # digests and addresses are for the database, not for logs and traces
    if make_url(database_url).get_backend_name() == "sqlite":
        return pool | {"connect_args": {"timeout": LOCK_TIMEOUT_SECONDS, "check_same_thread": False}}
    session = f"-c lock_timeout={LOCK_TIMEOUT_SECONDS}s -c timezone=UTC"
    return pool | {
        "connect_args": {
            "connect_timeout": LOCK_TIMEOUT_SECONDS,
            "application_name": "queuekey",
            "options": session,
        }
    }


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is given up when no answer comes: a network may swallow one and say nothing."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait until an operation is over. Raises OperationalError after ANSWER_SECONDS, and is closed then."""
        try:
            return super().wait(gen, interval, timeout or ANSWER_SECONDS)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()  # or the ROLLBACK that follows would wait as long
            raise psycopg.OperationalError(f"no answer came in {ANSWER_SECONDS} seconds") from None


def prepare_engine(engine: Engine) -> None:
    """Attach the set-up of every new connection; call once per engine, before its first use."""
    if engine.dialect.name == "postgresql" and parent_process() is not None:  # in a worker of the server alone:
        event.listen(engine, "do_connect", _connect_impatiently)  # an import or a migration takes what it takes
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _keep_private)
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "engine_disposed", close_spare)


def init_app(app: Flask) -> None:
    """Prepare the engine that Flask-SQLAlchemy made for this application."""
    with app.app_context():
        prepare_engine(db.engine)


def _keep_private(_dialect: object, _record: object, arguments: list[Any], _options: object) -> None:
    """Let nobody but its owner read a new database file; SQLite gives its companions the same mode."""
    with suppress(OSError):  # it is there, or SQLite will say what is wrong
        os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _connect_impatiently(_dialect: object, _record: object, _arguments: object, options: dict[str, Any]) -> Any:
    return ImpatientConnection.connect(**options)


def _open_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says, not where sqlite3 guesses
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("sqlite_begin") == "IMMEDIATE":
        try:
            begin_immediate(connection.connection.driver_connection)  # type: ignore[arg-type]
        except sqlite3.OperationalError as error:
            raise OperationalError("BEGIN IMMEDIATE", {}, error) from None
    else:
        connection.exec_driver_sql("BEGIN")
