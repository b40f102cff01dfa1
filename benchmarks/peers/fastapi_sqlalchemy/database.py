"""The engine, and a session per request."""

import os
import sqlite3
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

THREADS = 40  # of Starlette's pool: each may hold a connection

url = make_url(os.environ["PEER_DATABASE_URL"])
if url.drivername == "postgresql":
    url = url.set(drivername="postgresql+psycopg")
is_sqlite = url.get_backend_name() == "sqlite"
engine = create_engine(url, pool_size=THREADS, max_overflow=0, connect_args={"timeout": 30} if is_sqlite else {})
Sessions = sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """What every table has in common."""


@event.listens_for(Engine, "connect")
def _durable(connection: object, _record: object) -> None:
    """The durability that the others have."""
    if isinstance(connection, sqlite3.Connection):
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")


def get_session() -> Iterator[Session]:
    """A session that is closed when the answer has been made."""
    with Sessions() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
