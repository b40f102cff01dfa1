"""Starting and stopping: what is said, what is refused, and how long it takes."""

import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import create_app
from blueprints.server import arguments
from models import Organisation, User, db
from tests import factories
from tests.databases import ENGINES
from tests.factories import count, events
from tests.system.conftest import SETTINGS, Installation, make_empty_database, on_sqlite
from tests.system.server import HOST, Server, environment, flask_command, run_command

STOP_SECONDS = 5
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def starting(installation: Installation, tmp_path: Path) -> Iterator[Server]:
    """A second server on the same database, with one worker, that a test starts as it likes."""
    server = Server(dict(installation.settings) | {"WEB_CONCURRENCY": "1"}, tmp_path, workers=1)
    try:
        yield server
    finally:
        server.kill()


@on_sqlite
@pytest.mark.parametrize("stop", [Server.terminate, Server.interrupt])
def test_serve_says_in_one_line_where_it_listens_and_stops_when_it_is_asked_to(
    starting: Server, stop: Callable[[Server], None]
) -> None:
    starting.start(flask_command("serve", "--port", str(starting.port)))
    assert starting.log_text().splitlines()[0] == f"Listening on {starting.url} with 1 worker. Ctrl-C stops it."

    stop(starting)

    assert starting.wait(STOP_SECONDS) == 0
    with pytest.raises(ConnectionRefusedError):
        starting.send("GET", "/healthz")
    assert "Traceback" not in starting.log_text()


@on_sqlite
def test_a_request_that_never_ends_does_not_hold_up_a_stop(starting: Server) -> None:
    command = arguments(HOST, starting.port, workers=1)
    command[command.index("--workers-kill-timeout") + 1] = "1"  # is 10, for which no test waits
    starting.start(command)

    with socket.create_connection((HOST, starting.port)) as slow:
        slow.sendall(b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf")
        starting.terminate()
        starting.wait(STOP_SECONDS)


@on_sqlite
def test_a_taken_port_is_refused_in_one_line(installation: Installation) -> None:
    port = str(installation.server.port)

    failed = run_command(installation.settings, "serve", "--port", port, expected=1)

    assert failed.stdout == ""
    assert re.fullmatch(rf"Error: PORT: {HOST} port {port} is not to be had: .*\n", failed.stderr)
    assert installation.server.send("GET", "/readyz").status == 200


@pytest.mark.parametrize("command", [["serve"], ["--help"]])
def test_a_bad_setting_stops_every_command_with_one_line(command: list[str], tmp_path: Path) -> None:
    settings = SETTINGS | {"DATABASE_URL": f"sqlite:///{tmp_path}/queuekey.db", "WEB_CONCURRENCY": "many"}

    failed = run_command(settings, *command, expected=1)

    assert failed.stdout == ""
    assert failed.stderr == "WEB_CONCURRENCY: must be a whole number from 1 to 256\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_two_bootstraps_at_once_make_one_admin(engine: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    database = make_empty_database(engine, "race", tmp_path_factory)
    settings = SETTINGS | {"DATABASE_URL": database.url}
    command = flask_command("bootstrap", "--json")
    racers = [
        subprocess.Popen(command, cwd=ROOT, env=environment(settings), text=True, stdout=subprocess.PIPE)
        for _ in range(2)
    ]

    printed = [racer.communicate(timeout=60)[0] for racer in racers]

    assert [racer.returncode for racer in racers] == [0, 0], printed
    assert sum('"password":null' not in said for said in printed) == 1
    app = create_app(settings)
    with factories.using(app):
        assert (count(Organisation), count(User), len(events("user.created"))) == (1, 1, 1)
    with app.app_context():
        db.engine.dispose()
