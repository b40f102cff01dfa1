"""What losing Redis costs: the time that it adds to a call, and how soon it is used again."""

import signal
import time
from http.client import HTTPConnection

from tests.api_client import subscribers_path
from tests.factories import make_api_key, make_organisation, make_waitlist
from tests.soak.report import figure, trials
from tests.system.load import await_that
from tests.system.server import HOST, Server
from tests.system.test_fault_redis import Place, place

__all__ = ["place"]

CALLS = 5_000
ADDED_SECONDS_MAX = 0.1
BACK_SECONDS_MAX = 5.0


class Caller:
    """A backend that lists, call after call; every call over a connection of its own, so that all workers get some."""

    def __init__(self, server: Server) -> None:
        self._server = server
        organisation = make_organisation()
        self._path, self._token = subscribers_path(make_waitlist(organisation)), make_api_key(organisation)[1]

    def call(self) -> float:
        """Call once; how many seconds it took."""
        connection = HTTPConnection(HOST, self._server.port, timeout=30)
        began = time.perf_counter()
        connection.request("GET", self._path, headers={"Authorization": f"Bearer {self._token}"})
        response = connection.getresponse()
        response.read()
        seconds = time.perf_counter() - began
        connection.close()
        assert response.status == 200
        return seconds

    def percentile(self, percent: int, number: int) -> float:
        """How many seconds so many of a hundred calls took at most."""
        return sorted(self.call() for _ in range(number))[number * percent // 100 - 1]


def test_losing_redis_adds_little_and_it_is_used_again_within_seconds(place: Place) -> None:
    caller, number = Caller(place.server), trials(CALLS, 200)
    with_it = caller.percentile(99, number)

    for how in (signal.SIGSTOP, signal.SIGKILL):
        place.redis.send(how)
        without = caller.percentile(99, number)
        if how is signal.SIGSTOP:
            place.redis.send(signal.SIGCONT)
        else:
            place.redis.start()
        place.redis.forget()
        began = time.monotonic()
        await_that(lambda: caller.call() and place.redis.counts())
        back = time.monotonic() - began

        figure(f"F11: seconds that Redis lost by {how.name} adds to the p99", round(without - with_it, 4), number)
        figure(f"F11: seconds until Redis is used again after {how.name}", round(back, 2), 1)
        assert without - with_it <= ADDED_SECONDS_MAX
        assert back <= BACK_SECONDS_MAX
