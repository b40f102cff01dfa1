"""Killing: workers one by one, or everything at once."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import pytest

from app import create_app
from models import db
from tests import factories
from tests.system.conftest import SETTINGS, make_empty_database
from tests.system.load import Signups, await_that
from tests.system.server import WORKERS, Server, run_command, running


@contextmanager
def shipped(engine: str, name: str, folders: pytest.TempPathFactory, **settings: str) -> Iterator[Server]:
    """A server of its own on a bootstrapped database; factories work on it."""
    database = make_empty_database(engine, name, folders)
    environment = SETTINGS | {"DATABASE_URL": database.url} | settings
    run_command(environment, "bootstrap")
    app = create_app(environment)
    try:
        with running(environment, folders.mktemp(name)) as server, factories.using(app):
            yield server
    finally:
        with app.app_context():
            db.engine.dispose()


def workers(server: Server) -> list[int]:
    """The process ids of the workers, oldest first."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            is_helper = b"resource_tracker" in (folder / "cmdline").read_bytes()
            if int(fields[1]) == server.pid and fields[0] != "Z" and not is_helper:
                found.append((int(fields[19]), int(folder.name)))
    return [pid for _, pid in sorted(found)]


def kill_workers(server: Server, signups: Signups, kills: int, chance: random.Random) -> None:
    """Kill so many workers at random moments, each while people sign up.

    Never the newest one: granian ends a server in which the worker that it replaced last dies again at once.
    """
    for _ in range(kills):
        signups.await_more(chance.randint(1, 10))
        before = workers(server)
        os.kill(chance.choice(before[:-1]), signal.SIGKILL)
        await_that(lambda before=before: len(now := workers(server)) == WORKERS and set(now) != set(before))  # type: ignore[misc]


def kill_everything(server: Server, signups: Signups, chance: random.Random) -> float:
    """Kill all processes at a random moment and start again: seconds until the first good answer."""
    signups.await_more(chance.randint(1, 30))
    server.kill()
    starting = threading.Thread(target=server.start)
    began = time.monotonic()
    starting.start()
    await_that(lambda: is_answered(server, signups))
    seconds = time.monotonic() - began
    starting.join()
    return seconds


def is_answered(server: Server, signups: Signups) -> bool:
    """Whether a list comes."""
    with suppress(OSError, HTTPException):
        return server.send("GET", signups.path, signups.token).status == 200
    return False
