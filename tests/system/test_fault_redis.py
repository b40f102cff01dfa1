"""Redis dies or stops answering: nobody notices but the counts, and logins stay limited."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from redis import Redis

from blueprints.limits import LOGIN_TRIES_PER_MINUTE
from tests.factories import make_user
from tests.system.browser import Browser
from tests.system.crash import shipped
from tests.system.load import Signups, await_that
from tests.system.redis_server import wait_for
from tests.system.server import HOST, Reply, Server, free_port
from tests.system.test_limits import in_one_window


class OwnRedis:
    """A Redis that can be killed, stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.url = f"redis://{HOST}:{self._port}/0"
        self.start()

    def start(self) -> None:
        """Start it, empty."""
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("redis-server is not installed")
        options = ("--port", str(self._port), "--bind", HOST, "--dir", str(self._folder), "--save", "")
        self._process = subprocess.Popen([program, *options, "--logfile", str(self._folder / "redis.log")])
        wait_for(self.url)

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        os.kill(self._process.pid, number)
        if number == signal.SIGKILL:
            self._process.wait(10)

    def forget(self) -> None:
        """Drop every counter."""
        with Redis.from_url(self.url) as client:
            client.flushall()

    def counts(self) -> int:
        """How many counters it has."""
        with Redis.from_url(self.url) as client:
            return len(list(client.scan_iter("*")))


class Place(NamedTuple):
    """A server and its Redis."""

    server: Server
    redis: OwnRedis


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server with 4 workers that counts in a Redis of its own."""
    redis = OwnRedis(tmp_path_factory.mktemp("redis"))
    try:
        with shipped("sqlite", "redis", tmp_path_factory, REDIS_URL=redis.url) as server:
            yield Place(server, redis)
    finally:
        redis.send(signal.SIGCONT)
        redis.send(signal.SIGKILL)


def assert_counted_in_redis_again(place: Place, signups: Signups) -> None:
    """The server comes back to it by itself."""
    place.redis.forget()
    await_that(lambda: signups.acknowledged and place.redis.counts())


def test_a_killed_redis_costs_nobody_an_answer(place: Place) -> None:
    signups = Signups(place.server)

    with signups.running():
        signups.await_more(10)
        place.redis.send(signal.SIGKILL)
        signups.await_more(30)
        place.redis.start()
        assert_counted_in_redis_again(place, signups)

    assert set(signups.statuses) == {201}


def test_a_redis_that_stopped_answering_costs_nobody_an_answer(place: Place) -> None:
    signups = Signups(place.server)

    with signups.running():
        signups.await_more(10)
        place.redis.send(signal.SIGSTOP)
        signups.await_more(30)
        place.redis.send(signal.SIGCONT)
        assert_counted_in_redis_again(place, signups)

    assert set(signups.statuses) == {201}


def test_without_redis_tries_to_sign_in_are_counted_over_all_workers_as_ever(place: Place) -> None:
    guesser = Browser(place.server)

    def guess(_number: int) -> list[Reply]:
        email = make_user().email
        return [guesser.sign_in(email, "wrong horse") for _ in range(LOGIN_TRIES_PER_MINUTE + 5)]

    place.redis.send(signal.SIGKILL)
    try:
        replies = in_one_window(guess)
    finally:
        place.redis.start()

    assert [reply.status for reply in replies] == [422] * LOGIN_TRIES_PER_MINUTE + [429] * 5
