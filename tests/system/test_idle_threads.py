"""Threads that a rush called up and that end when they have been idle: nothing ends with them."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import create_app
from blueprints import server as shipped_server
from models import db
from tests import factories
from tests.api_client import subscribers_path
from tests.databases import Database
from tests.factories import make_api_key, make_organisation, make_waitlist
from tests.system.conftest import SETTINGS
from tests.system.crash import workers
from tests.system.load import await_that
from tests.system.server import HOST, Server, run_command

IDLE_SECONDS = 5  # the least that granian takes; 30 by default
RUSH = 64


@pytest.fixture
def server(empty_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own with one worker, whose threads soon tire of waiting."""
    settings = SETTINGS | {"DATABASE_URL": empty_database.url}
    run_command(settings, "db", "upgrade")
    own, app = Server(settings, tmp_path_factory.mktemp("idle"), workers=1), create_app(settings)
    command = shipped_server.arguments(HOST, own.port, 1)
    try:
        own.start([*command, "--blocking-threads-idle-timeout", str(IDLE_SECONDS)])
        with factories.using(app):
            yield own
    finally:
        own.kill()
        with app.app_context():
            db.engine.dispose()


def test_a_worker_outlives_its_idle_threads(server: Server) -> None:
    organisation = make_organisation()
    path, (_, token) = subscribers_path(make_waitlist(organisation)), make_api_key(organisation)
    (worker,) = workers(server)

    def threads() -> int:
        return len(os.listdir(f"/proc/{worker}/task"))

    quiet = threads()
    with ThreadPoolExecutor(RUSH) as clients:
        statuses = set(clients.map(lambda _: server.send("GET", path, token).status, range(RUSH * 4)))
    rushed = threads()
    await_that(lambda: workers(server) != [worker] or threads() < (quiet + rushed) / 2)

    assert statuses == {200}
    assert rushed > quiet
    assert workers(server) == [worker]
    assert server.send("GET", path, token).status == 200
