"""Everything at once for a long time: memory, open files and connections stay as they were.

SOAK_MINUTES says how long, 20 by default; SOAK_SCALE shortens that as it does everything.
"""

import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.databases import ENGINES
from tests.factories import make_api_key, make_user, make_waitlist
from tests.soak.report import figure, trials
from tests.system.browser import Browser
from tests.system.crash import shipped, workers
from tests.system.load import Signups
from tests.system.server import Server

MINUTES = float(os.environ.get("SOAK_MINUTES", "20"))
CLIENTS = 4
SHARE_WARMING_UP = 0.25
GROWTH_MAX = 1.15  # of memory, once it is warm: the line itself grows all the while
FILES_MORE_MAX = 40  # over all workers: connections of clients and databases come and go


@pytest.fixture(scope="module", params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, with 4 workers."""
    with shipped(request.param, "everything", tmp_path_factory) as own:
        yield own


class Visitors:
    """Clients of every kind, until they are told to stop, and what they were answered."""

    def __init__(self, server: Server, signups: Signups) -> None:
        self._server, self._signups = server, signups
        self.statuses: Counter[str] = Counter()
        self.is_over = threading.Event()

    def read(self) -> None:
        """List and export."""
        while not self.is_over.is_set():
            page = random.randint(1, 20)
            self._count(
                "list", self._server.send("GET", f"{self._signups.path}?page={page}", self._signups.token).status
            )
            self._count(
                "search", self._server.send("GET", f"{self._signups.path}?q=person1", self._signups.token).status
            )

    def knock(self) -> None:
        """Come with bad tokens and bad bodies, and hang up in the middle."""
        while not self.is_over.is_set():
            self._count("bad token", self._server.send("GET", self._signups.path, "qu_live_wrong").status)
            self._count("bad body", self._server.send("POST", self._signups.path, self._signups.token, b"{").status)

    def administer(self) -> None:
        """Sign in, open pages, mint and revoke."""
        user = make_user()
        waitlist = make_waitlist(user.organisation)
        while not self.is_over.is_set():
            browser = Browser(self._server)
            if self._count("sign in", browser.sign_in(user.email).status) != 302:
                self.is_over.wait(5)  # ten times a minute
                continue
            for page in ("/api-keys", "/activity", f"/waitlists/{waitlist.public_id}", "/docs", "/plan"):
                self._count("page", browser.get(page).status)
            key, _ = make_api_key(user.organisation)
            self._count("revoke", browser.fill_in(f"/api-keys/{key.id}/revoke", {}).status)

    def _count(self, what: str, status: int) -> int:
        self.statuses[f"{what} {status}"] += 1
        return status


def held(server: Server) -> tuple[int, int]:
    """Kilobytes of memory and open files of all workers together."""
    memory = files = 0
    for pid in workers(server):
        (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")]
        memory += int(line.split()[1])
        files += len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return memory, files


def test_a_long_run_of_everything_leaves_no_more_behind_than_a_short_one(server: Server) -> None:
    signups = Signups(server)
    visitors = Visitors(server, signups)
    seconds = trials(int(MINUTES * 60), 20)

    with ThreadPoolExecutor(CLIENTS) as others, signups.running(CLIENTS):
        running = [others.submit(kind) for kind in (visitors.read, visitors.knock, visitors.administer)]
        threading.Event().wait(seconds * SHARE_WARMING_UP)
        warm = held(server)
        threading.Event().wait(seconds * (1 - SHARE_WARMING_UP))
        after = held(server)
        visitors.is_over.set()
    for one in running:
        one.result()

    engine = server.settings["DATABASE_URL"].partition(":")[0]
    number = signups.statuses.total() + visitors.statuses.total()
    figure(
        f"memory of all workers after {seconds / 60:.0f} min by that when warm, {engine}",
        f"{after[0] / warm[0]:.3f}",
        number,
    )
    figure(
        f"open files of all workers after {seconds / 60:.0f} min, and when warm, {engine}",
        f"{after[1]}, {warm[1]}",
        number,
    )
    assert set(signups.statuses) == {201}
    assert not [answer for answer in visitors.statuses if answer.rpartition(" ")[2].startswith("5")], visitors.statuses
    assert after[0] <= warm[0] * GROWTH_MAX
    assert after[1] <= warm[1] + FILES_MORE_MAX
    signups.assert_books_balance()
