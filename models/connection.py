"""How a connection is set up on either engine, before the first statement runs on it."""

import os
import sqlite3
from contextlib import suppress
from typing import Any

from flask import Flask
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import OperationalError

from models.base import db
from models.reading import close_kept
from models.turn import begin_immediate

LOCK_TIMEOUT_SECONDS = 5

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


def prepare_engine(engine: Engine) -> None:
    """Attach the set-up of every new connection; call once per engine, before its first use."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _keep_private)
        event.listen(engine, "connect", _open_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        event.listen(engine, "engine_disposed", close_kept)


def init_app(app: Flask) -> None:
    """Prepare the engine that Flask-SQLAlchemy made for this application."""
    with app.app_context():
        prepare_engine(db.engine)


def _keep_private(_dialect: object, _record: object, arguments: list[Any], _options: object) -> None:
    """Let nobody but its owner read a new database file; SQLite gives its companions the same mode."""
    with suppress(OSError):  # it is there, or SQLite will say what is wrong
        os.close(os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


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
