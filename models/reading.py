"""Short reads without ceremony: one statement on a pooled connection, outside any transaction.

What the customer API reads on every call goes through here. A BEGIN and a ROLLBACK around it would be
two more round trips to PostgreSQL, a session with its identity map more work than the query itself.
"""

import re
import sqlite3
import threading
from datetime import datetime
from typing import Any, cast
from weakref import WeakSet, finalize

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
            return self._ask_own(engine, parameters)
        return self._ask_pooled(engine, parameters)

    def _ask_own(self, engine: Engine, parameters: dict[str, Any]) -> list[Row]:
        try:
            return cast(list[Row], _own_connection(engine).execute(self._sqlite, parameters).fetchall())
        except sqlite3.Error as error:
            _own.kept = None
            raise self._error(error, sqlite3.Error, is_lost=False) from error

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


class _Kept:
    """A connection that one thread keeps."""

    def __init__(self, engine: Engine) -> None:
        self.engine: Engine | None = engine
        pooled = engine.raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        self.connection = connection
        self.close = finalize(self, connection.close)  # else it stays open until the garbage is collected


# SQLite: each thread keeps a connection for its reads. The pool's checks on the way out and back in cost
# more than the statement between them, and there is no server to run out of connections.
_own = threading.local()
_all_kept: WeakSet[_Kept] = WeakSet()


def _own_connection(engine: Engine) -> Any:
    kept = getattr(_own, "kept", None)
    if kept is None or kept.engine is not engine:
        kept = _own.kept = _Kept(engine)
        _all_kept.add(kept)
    return kept.connection


def close_kept(engine: Engine) -> None:
    """Close what the threads have kept of an engine, when it is disposed of; they open anew when they read again."""
    for kept in list(_all_kept):
        if kept.engine is engine:
            kept.engine = None
            kept.close()
