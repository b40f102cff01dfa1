"""What the application asks of its database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from flask import Flask
from sqlalchemy import event

from models import db
from models.reading import Query, Row

NOT_QUERIES = ("BEGIN", "PRAGMA")


@contextmanager
def recorded(app: Flask) -> Iterator[list[str]]:
    """Collect the statements that run meanwhile, without those that set up a connection."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(NOT_QUERIES):
            statements.append(statement)

    ask = Query._ask

    def note_and_ask(query: Query, *arguments: Any) -> list[Row]:
        statements.append(query._sqlite)
        return ask(query, *arguments)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with mock.patch.object(Query, "_ask", note_and_ask):
            yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
