"""One shipped server for each engine, on a database that bootstrap made."""

import os
from collections.abc import Iterator
from typing import NamedTuple

import orjson
import pytest
from flask import Flask

from app import create_app
from models import db
from tests import factories
from tests.databases import ENGINES, POSTGRES_URL, Database, PostgresDatabase, SqliteDatabase
from tests.system.server import Environment, Server, run_command, running

SETTINGS = {
    "SECRET_KEY": "a secret for the system tests, long enough",
    "RATELIMIT_PRO": "1000000",
    "RATELIMIT_FAILED_AUTH": "1000000",
}

# For what does not depend on the engine.
on_sqlite = pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)


class Installation(NamedTuple):
    """A running server, its settings, and what `bootstrap --json` said about it."""

    server: Server
    settings: Environment
    bootstrapped: dict[str, str]


@pytest.fixture(scope="session", params=ENGINES)
def empty_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database of each engine without any table."""
    return make_empty_database(request.param, "system", tmp_path_factory)


@pytest.fixture(scope="session")
def installation(empty_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Queuekey as it is shipped, with 4 workers: shared by tests, which make organisations of their own."""
    settings = SETTINGS | {"DATABASE_URL": empty_database.url}
    bootstrapped = orjson.loads(run_command(settings, "bootstrap", "--json").stdout)
    with running(settings, tmp_path_factory.mktemp("server")) as server:
        yield Installation(server, settings, bootstrapped)


@pytest.fixture
def server(installation: Installation) -> Iterator[Server]:
    """The shared server; factories work on its database."""
    app: Flask = create_app(installation.settings)
    with factories.using(app):
        yield installation.server
    with app.app_context():
        db.engine.dispose()


def make_empty_database(engine: str, name: str, folders: pytest.TempPathFactory) -> Database:
    """A new database: a file that does not exist yet, or one on the test server."""
    if engine == "sqlite":
        return SqliteDatabase(folders.mktemp(name))
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return PostgresDatabase(os.environ[POSTGRES_URL], f"queuekey_{name}_{worker}")
