"""A good key beside somebody who floods the server with bad tokens, or with a key of their own past its limit."""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from statistics import median
from typing import Any

import pytest

from models import Plan
from tests.api_client import subscribers_path
from tests.databases import ENGINES
from tests.factories import make_api_key, make_organisation, make_waitlist
from tests.soak.report import figure, trials
from tests.system.crash import shipped
from tests.system.load import await_that
from tests.system.server import HOST, Server

ROUNDS = 20
CALLS = 200
FLOODERS = 4
ELSEWHERE = "127.0.0.9"


@pytest.fixture(scope="module", params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with 4 workers and the limits that it is shipped with, but for one on the Team plan."""
    limits = {"RATELIMIT_PRO": "600", "RATELIMIT_FAILED_AUTH": "60", "RATELIMIT_TEAM": "1000000"}
    with shipped(request.param, "neighbours", tmp_path_factory, **limits) as own:
        yield own


def flood(port: int, path: str, token: str, refused: Any) -> None:
    """Send one request after the other from another address, until the process is ended; count what was refused."""

    def send(_nth: int) -> None:
        while True:
            connection = HTTPConnection(HOST, port, timeout=30, source_address=(ELSEWHERE, 0))
            with suppress(OSError, HTTPException):
                while True:
                    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                    response = connection.getresponse()
                    response.read()
                    refused.value += response.status == 429

    with ThreadPoolExecutor(FLOODERS) as threads:
        list(threads.map(send, range(FLOODERS)))


@contextmanager
def flooded(server: Server, path: str, token: str) -> Iterator[None]:
    """A flood for the length of a `with` block, from a process of its own."""
    own = multiprocessing.get_context("spawn")
    refused = own.Value("l", 0, lock=False)
    process = own.Process(target=flood, args=(server.port, path, token, refused), daemon=True)
    process.start()
    try:
        await_that(lambda: refused.value)
        before = refused.value
        yield
        assert refused.value >= before + CALLS, "that was no flood"
    finally:
        process.kill()
        process.join()


def measured(server: Server, path: str, token: str) -> list[float]:
    """Seconds of so many calls over one connection."""
    connection, seconds = HTTPConnection(HOST, server.port, timeout=30), []
    for _ in range(CALLS):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        response.read()
        seconds.append(time.perf_counter() - began)
        assert response.status == 200
    connection.close()
    return seconds


@pytest.mark.parametrize("kind", ["bad tokens", "a key past its limit"])
def test_a_flood_elsewhere_does_not_slow_a_good_key_beyond_its_p99(server: Server, kind: str) -> None:
    mine, theirs = make_organisation(plan=Plan.TEAM), make_organisation()
    path, token = subscribers_path(make_waitlist(mine)), make_api_key(mine)[1]
    their_path, their_token = subscribers_path(make_waitlist(theirs)), make_api_key(theirs)[1]
    rounds, quiet, noisy = trials(ROUNDS, 2), list[float](), list[float]()

    for _ in range(rounds):
        quiet += measured(server, path, token)
        with flooded(server, their_path, "qu_live_wrong" if kind == "bad tokens" else their_token):
            noisy += measured(server, path, token)

    p99 = sorted(quiet)[len(quiet) * 99 // 100 - 1]
    engine = server.settings["DATABASE_URL"].partition(":")[0]
    ms = f"{median(noisy) * 1000:.2f} ms, {median(quiet) * 1000:.2f} ms and {p99 * 1000:.2f} ms without it"
    figure(f"T141: median beside a flood of {kind}, and median and p99, {engine}", ms, len(noisy))
    assert median(noisy) <= p99
