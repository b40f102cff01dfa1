"""Everybody starts at once on an empty database: migrations run once, and the workers are ready when they have."""

import subprocess
import threading

import pytest

from tests.databases import ENGINES
from tests.system.conftest import SETTINGS, make_empty_database
from tests.system.load import await_that
from tests.system.server import ROOT, Server, environment, flask_command, run_command

AT_ONCE = 3


@pytest.mark.parametrize("engine", ENGINES)
def test_workers_and_migrations_that_start_together_find_each_other(
    engine: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = SETTINGS | {"DATABASE_URL": make_empty_database(engine, "start", tmp_path_factory).url}
    server = Server(settings, tmp_path_factory.mktemp("start"))
    starting = threading.Thread(target=server.start)  # returns when /readyz says that all migrations are there
    starting.start()
    try:
        upgrade = flask_command("db", "upgrade")
        upgrades = [
            subprocess.Popen(upgrade, cwd=ROOT, env=environment(settings), stderr=subprocess.PIPE, text=True)
            for _ in range(AT_ONCE)
        ]
        said = [one.communicate(timeout=120)[1] for one in upgrades]
        starting.join(120)

        assert [one.returncode for one in upgrades] == [0] * AT_ONCE, said
        await_that(lambda: server.send("GET", "/readyz").status == 200)
        assert server.send("GET", "/login").status == 200
        assert run_command(settings, "line", "check").stdout == "0 waitlists checked, nothing is wrong.\n"
    finally:
        server.kill()
