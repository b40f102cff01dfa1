"""The database handle, naming of constraints, UTC times, and the one writing transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from models.turn import writers_turn

T = TypeVar("T")

TRIES = 5
RETRIED_STATES = frozenset({"40001", "40P01"})  # PostgreSQL: serialisation failure, deadlock

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite gives ids of its own accord only to a column of exactly the type INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: aware in Python on both engines, whatever the engine stores."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times, which have no meaning without their zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must know its zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's naive times their zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """What every table has in common."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime()}


db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


class RuleBroken(ValueError):
    """A value that the model refuses: the field it came in, and a sentence for the person who sent it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class TryAgain(Exception):
    """Something that chance or another writer took first: the same work, from the start, will do."""


def now() -> datetime:
    """The present moment in UTC."""
    return datetime.now(UTC)


@contextmanager
def writing() -> Iterator[None]:
    """The one writing transaction of a request or command: commits at the end, or leaves nothing.

    Whatever was read before is let go first: on SQLite a read that turns into a write fails at once
    when another writer was quicker, so a writer begins as one and waits for its turn.
    """
    db.session.rollback()
    with writers_turn(db.engine):
        try:
            db.session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


def transact(work: Callable[[], T]) -> T:
    """Do the work in a writing transaction and return what it returns; again where it says TryAgain.

    Deadlocks and serialisation failures are tried again too: nothing of the failed try is left.
    """
    for _ in range(TRIES - 1):
        try:
            with writing():
                return work()
        except TryAgain:
            continue
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in RETRIED_STATES:
                raise
    with writing():
        return work()
