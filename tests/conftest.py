"""The application on either engine, empty at the start of every test."""

import os
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

import models.user
from app import create_app
from blueprints import limits
from config import Settings
from models import db
from tests import factories, ledger
from tests.console import BufferedClient
from tests.databases import ENGINES, POSTGRES_URL, Database, PostgresDatabase, SqliteDatabase, start_postgres
from tests.no_skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = ["pytest_make_collect_report", "pytest_runtest_makereport"]

SECRET_KEY = "a secret for the tests alone, long enough"


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, before xdist's workers inherit its address."""
    config.addinivalue_line(
        "markers", "by_hand: writes rows past the models, so that they have no events, or the other way"
    )
    models.user.ROUNDS = 4  # bcrypt's cost is not what these tests are about
    for name in Settings.model_fields:
        os.environ.pop(name, None)
    if not config.option.collectonly:
        start_postgres()


@pytest.fixture(scope="session", params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A migrated database of each engine."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    prepared: Database
    if request.param == "sqlite":
        prepared = SqliteDatabase(tmp_path_factory.mktemp("sqlite"))
    else:
        prepared = PostgresDatabase(os.environ[POSTGRES_URL], f"queuekey_test_{worker}")
    app = create_app({"DATABASE_URL": prepared.url, "SECRET_KEY": SECRET_KEY})
    with app.app_context():
        upgrade()
        db.engine.dispose()
    prepared.keep_as_template()
    return prepared


@pytest.fixture(scope="session")
def shared_app(database: Database) -> Flask:
    """One application per engine: what it keeps in memory is put back by `app`."""
    return create_app({"DATABASE_URL": database.url, "SECRET_KEY": SECRET_KEY, "TESTING": True})


@pytest.fixture
def app(request: pytest.FixtureRequest, database: Database, shared_app: Flask) -> Iterator[Flask]:
    """The application, with an empty database and unused limits; factories work on it.

    After each test every change has its event and every event its change, but for rows written by hand.
    """
    limits.init_app(shared_app)
    shared_app.test_client_class = BufferedClient
    try:
        with factories.using(shared_app):
            yield shared_app
            if not request.node.get_closest_marker("by_hand"):
                assert ledger.differences() == []
    finally:
        with shared_app.app_context():
            db.engine.dispose()
        database.reset()


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context for tests that call models directly; not for tests that send requests."""
    with app.app_context():
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor with an empty cookie jar."""
    return app.test_client()
