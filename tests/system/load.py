"""People who sign up all the time while something happens to the server, and the books at the end."""

import http.client
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import orjson
from sqlalchemy import select

from models import Subscriber, Waitlist, db, line_check
from tests import ledger
from tests.api_client import subscribers_path
from tests.factories import all_rows, in_context, make_api_key, make_organisation, make_waitlist
from tests.system.server import HOST, Server

CLIENTS = 6
PATIENCE_SECONDS = 60.0
AGAIN_SECONDS = 0.1  # until a client whose connection broke tries again; one that spun would take a processor


class Signups:
    """Clients that sign up one unique address after the other, and what they were answered."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.waitlist = make_waitlist(organisation := make_organisation())
        self.path, self.token = subscribers_path(self.waitlist), make_api_key(organisation)[1]
        self.acknowledged: list[str] = []
        self.sent: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.seconds: list[float] = []
        self.without_retry_after = 0
        self._numbers = itertools.count(1)
        self._is_over = threading.Event()

    @contextmanager
    def running(self, clients: int = CLIENTS) -> Iterator[None]:
        """Sign up for the length of a `with` block."""
        threads = [threading.Thread(target=self._sign_up_all_the_time) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            for thread in threads:
                thread.join(PATIENCE_SECONDS)
            assert not any(thread.is_alive() for thread in threads), "a request hangs"
            self._is_over.clear()

    def percentile(self, percent: int) -> float:
        """How many seconds so many of a hundred sign-ups took at most."""
        return sorted(self.seconds)[len(self.seconds) * percent // 100 - 1]

    def await_more(self, number: int = 3) -> None:
        """Wait until so many more were acknowledged."""
        goal = len(self.acknowledged) + number
        await_that(lambda: len(self.acknowledged) >= goal)

    def _sign_up_all_the_time(self) -> None:
        while not self._is_over.is_set():
            connection = http.client.HTTPConnection(HOST, self._server.port, timeout=PATIENCE_SECONDS)
            with suppress(OSError, http.client.HTTPException):  # nobody knows what became of that one
                while not self._is_over.is_set():
                    self._sign_up(connection)
            connection.close()
            self._is_over.wait(AGAIN_SECONDS)

    def _sign_up(self, connection: http.client.HTTPConnection) -> None:
        email = f"person{next(self._numbers)}@example.org"
        self.sent.add(email)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        began = time.monotonic()
        connection.request("POST", self.path, orjson.dumps({"email": email}), headers)
        response = connection.getresponse()
        answer = orjson.loads(response.read())
        self.seconds.append(time.monotonic() - began)
        self.statuses[response.status] += 1
        if response.status == 201:
            assert answer["email"] == email
            self.acknowledged.append(email)
        elif response.status == 503:
            self.without_retry_after += "Retry-After" not in response.headers

    def assert_books_balance(self) -> None:
        """Whoever was acknowledged is there, nobody else but who was sent, each with one event; the index is right."""
        mine = [row.email for row in all_rows(Subscriber) if row.waitlist_id == self.waitlist.id]
        assert set(self.acknowledged) <= set(mine)
        assert set(mine) <= self.sent
        assert len(set(mine)) == len(mine)
        assert set(self.statuses) <= {201, 503}, self.statuses
        assert not self.without_retry_after
        assert ledger.differences() == []
        assert_whole()


@in_context
def assert_whole() -> None:
    """The line's index is right, and SQLite's file is in order."""
    for waitlist in db.session.scalars(select(Waitlist)):
        assert line_check.differences(waitlist) == []
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]


def await_that(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it is true; fails when it takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)
