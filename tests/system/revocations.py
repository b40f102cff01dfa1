"""Keys that are revoked in the console, and what comes back to those who use them afterwards or meanwhile."""

import itertools
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from models import ApiKey, Organisation
from tests.api_client import subscribers_path
from tests.factories import make_api_key, make_organisation, make_user, make_waitlist
from tests.history import Call, History, Key, Model, Timed
from tests.overlap import in_line
from tests.system.browser import Browser
from tests.system.server import Server

CLIENTS = 8
REFUSALS = 2  # after which a client gives up

_numbers = itertools.count()


class Desk:
    """An organisation with a waitlist, and its admin at the console."""

    def __init__(self, server: Server) -> None:
        self.organisation: Organisation = make_organisation()
        self.waitlist = make_waitlist(self.organisation)
        self.path = subscribers_path(self.waitlist)
        self.server = server
        self._admin = Browser(server)
        assert self._admin.sign_in(make_user(self.organisation).email).status == 302
        self._csrf = self._admin.hidden("/api-keys/new")["csrf_token"]

    def revoke(self, key: ApiKey) -> float:
        """Revoke a key; the seconds until the answer was there."""
        with Timed() as revoked:
            assert self._admin.post(f"/api-keys/{key.id}/revoke", {"csrf_token": self._csrf}).status == 303
        return revoked.ended - revoked.began


def answers_afterwards(desk: Desk, follow_ups: int) -> Counter[tuple[int, object]]:
    """What comes back to that many requests after the answer to a revocation, each over a connection of its own."""
    key, token = make_api_key(desk.organisation)
    assert desk.server.send("GET", desk.path, token).status == 200
    desk.revoke(key)

    def follow_up(_: int) -> tuple[int, object]:
        reply = desk.server.send("GET", desk.path, token)
        return reply.status, reply.json().get("code")

    with ThreadPoolExecutor(CLIENTS) as clients:
        return Counter(clients.map(follow_up, range(follow_ups)))


def wrong_round(desk: Desk, clients: int, chance: random.Random) -> tuple[Counter[int], list[str]]:
    """Let clients sign people up until their key is refused, revoke it at some moment: the statuses, what was wrong."""
    key, token = make_api_key(desk.organisation)
    history, start = History(), Barrier(clients + 1)
    history.keys[key.id] = Key(key.id, desk.organisation.id, "", key.scopes)
    before = in_line(desk.waitlist)

    def post_until_refused(client: int) -> None:
        start.wait(30)
        refusals = 0
        while refusals < REFUSALS:
            email = f"r{next(_numbers)}@example.org"
            with Timed() as sent:
                reply = desk.server.post(desk.path, token, {"email": email})
            history.add(Call(client, "create", key.id, email, *sent.span, reply.status, reply.json()))
            refusals += reply.status != 201

    with ThreadPoolExecutor(clients) as threads:
        posting = [threads.submit(post_until_refused, client) for client in range(clients)]
        start.wait(30)
        history.await_calls(chance.randrange(clients * 3), lambda: all(each.done() for each in posting))
        with Timed() as revoked:
            desk.revoke(key)
    history.revoked[key.id] = revoked.span
    joined = {call.asked for call in history.calls if call.status == 201}
    wrong = [f"{call}" for call in _unexplained(history)]
    if joined != in_line(desk.waitlist) - before:
        wrong.append("those who were promised a place are not those who have one")
    return Counter(call.status for call in history.calls), wrong


def _unexplained(history: History) -> list[Call]:
    """The calls whose answer the model does not allow; places are no matter here, where others had joined before."""
    model = Model(history)
    return [call for call in history.calls if call.answer not in model.answers(call)]
