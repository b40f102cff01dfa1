"""Short reads without ceremony: one statement on a pooled connection, outside any transaction.

What the customer API reads on every call goes through here. A BEGIN and a ROLLBACK around it would be
two more round trips to PostgreSQL, a session with its identity map more work than the query itself.
"""

import re
import sqlite3
from datetime import datetime
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from models.base import db

_PARAMETER = re.compile(r"%\((\w+)\)s")

Row = tuple[Any, ...]


def moment(value: datetime | str) -> datetime:
    """A stored moment, aware and in UTC: SQLite gives text without a zone, PostgreSQL the moment itself."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value + "+00:00")


class Query:
    """A SELECT with parameters written as `%(name)s`; it sees one snapshot."""

    def __init__(self, sql: str, *, postgresql: str = "", is_prepared: bool = True) -> None:
        """Keep the statement, and another for PostgreSQL where it needs one.

        `is_prepared=False` stops psycopg from preparing it after a few calls. A prepared statement may get
        a generic plan, which knows no parameter: good where every value wants the same plan, a thousand
        times slower where a search term decides.
        """
        self._postgresql = postgresql or sql
        self._sqlite = _PARAMETER.sub(r":\1", sql)
        self._prepare = None if is_prepared else False

    def all(self, parameters: dict[str, Any]) -> list[Row]:
        """Every row as plain values. Raises SQLAlchemy's errors.

        A connection that the server has closed meanwhile (a restart, say) is replaced once: a read
        can be asked again.
        """
        engine = db.engine
        try:
            return self._ask(engine, parameters)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            engine.dispose(close=False)  # its other connections are as old
            return self._ask(engine, parameters)

    def one_or_none(self, parameters: dict[str, Any]) -> Row | None:
        """The first row, or None."""
        rows = self.all(parameters)
        return rows[0] if rows else None

    def _ask(self, engine: Engine, parameters: dict[str, Any]) -> list[Row]:
        if engine.dialect.name == "sqlite":
            return self._ask_spare(engine, parameters)
        return self._ask_pooled(engine, parameters)

    def _ask_spare(self, engine: Engine, parameters: dict[str, Any]) -> list[Row]:
        spare, connection = _spare.setdefault(engine, []), None
        try:
            connection = _take(spare, engine)
            rows = connection.execute(self._sqlite, parameters).fetchall()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise self._error(error, sqlite3.Error, is_lost=False) from error
        spare.append(connection)
        return rows

    def _ask_pooled(self, engine: Engine, parameters: dict[str, Any]) -> list[Row]:
        driver_error = engine.dialect.loaded_dbapi.Error
        pooled = None
        try:
            pooled = engine.raw_connection()
            driver: Any = pooled.driver_connection
            driver.autocommit = True
            rows = driver.execute(self._postgresql, parameters, prepare=self._prepare).fetchall()
            driver.autocommit = False
            return cast(list[Row], rows)
        except driver_error as error:
            is_lost = pooled is not None and engine.dialect.is_disconnect(error, pooled.dbapi_connection, None)
            if pooled is not None:
                pooled.invalidate(error)
            raise self._error(error, driver_error, is_lost=is_lost) from error
        finally:
            if pooled is not None:
                pooled.close()

    def _error(self, error: Exception, driver_error: type[Exception], *, is_lost: bool) -> Exception:
        statement = self._postgresql
        return DBAPIError.instance(
            statement, None, error, driver_error, hide_parameters=True, connection_invalidated=is_lost
        )


# SQLite: connections that nobody reads on just now, of each engine. The pool's checks on the way out and back in
# cost more than the statement between them. They belong to no thread: one that closes a connection while it ends
# takes its whole process with it, because sqlite3 calls back into Python then (seen with the server's idle threads).
_spare: WeakKeyDictionary[Engine, list[sqlite3.Connection]] = WeakKeyDictionary()


def _take(spare: list[sqlite3.Connection], engine: Engine) -> sqlite3.Connection:
    try:
        return spare.pop()  # in one step: asking first whether there is one would leave time for somebody else
    except IndexError:
        return _open(engine)


def _open(engine: Engine) -> sqlite3.Connection:
    pooled = engine.raw_connection()
    connection = cast(sqlite3.Connection, pooled.driver_connection)
    pooled.detach()
    return connection


def close_spare(engine: Engine) -> None:
    """Close what is kept of an engine, when it is disposed of; whoever reads again opens anew."""
    for connection in _spare.pop(engine, []):
        connection.close()
