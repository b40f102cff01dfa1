"""Many clients of the shipped server, and operators who mint and revoke keys and change plans meanwhile.

Nobody waits for the clock: an operator goes on when so many more calls have been answered.
"""

import itertools
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from models import ApiKey, Plan, Scope
from tests.api_client import subscribers_path
from tests.factories import in_context, make_organisation, make_user, make_waitlist, set_plan
from tests.history import Call, History, Key, Timed
from tests.system.browser import Browser
from tests.system.server import Reply, Server

TOKEN = re.compile(r"qu_live_[0-9A-Za-z]{36}")
KEYS_LIVE = 5  # of an organisation at once
KEYS_REVOKED = 2  # that go on being used
SCOPES = ([*Scope], [*Scope], [Scope.SUBSCRIBERS_READ], [Scope.SUBSCRIBERS_WRITE])
PLANS = (Plan.FREE, Plan.PRO, Plan.TEAM)
BATCH = 4


@in_context
def _id_of(token: str) -> int:
    key = ApiKey.resolve(token)
    assert key is not None
    return key.id


class Tenant:
    """An organisation, its waitlist, its keys, and the admin who is the only one to mint and revoke them."""

    def __init__(self, server: Server, history: History, chance: random.Random) -> None:
        self.organisation = make_organisation()
        self.waitlist = make_waitlist(self.organisation)
        self.path = subscribers_path(self.waitlist)
        self.emails: list[str] = []
        self._history, self._chance, self._plan = history, chance, Plan.PRO
        self._admin = Browser(server)
        assert self._admin.sign_in(make_user(self.organisation).email).status == 302
        self._csrf = self._admin.hidden("/api-keys/new")["csrf_token"]
        self._live: list[Key] = []
        self._revoked: list[Key] = []
        for scopes in SCOPES:
            self.mint(scopes)

    def a_key(self, chance: random.Random) -> Key:
        """Any of the keys, sometimes one that is revoked."""
        return chance.choice([*self._live, *self._revoked[-KEYS_REVOKED:]])

    def operate(self) -> None:
        """Do one of the things that an operator does."""
        what = self._chance.choice(("mint", "revoke", "plan"))
        if what == "mint" and self._plan is not Plan.FREE and len(self._live) < KEYS_LIVE:
            self.mint(self._chance.choice(SCOPES))
        elif what == "revoke" and len(self._live) > 1:
            self.revoke(self._chance.choice(self._live))
        else:
            self.change_plan(self._chance.choice(PLANS))

    def mint(self, scopes: list[Scope]) -> None:
        """Mint a key in the console."""
        reply = self._admin.fill_in("/api-keys/new", {"name": "crowd", "scopes": [scope.value for scope in scopes]})
        assert reply.status == 201, reply.body.decode()
        token = TOKEN.findall(reply.body.decode())[0]
        key = Key(_id_of(token), self.organisation.id, token, frozenset(scopes))
        self._history.keys[key.id] = key
        self._live.append(key)

    def revoke(self, key: Key) -> None:
        """Revoke a key in the console; its clients go on using it."""
        with Timed() as revoked:
            assert self._admin.post(f"/api-keys/{key.id}/revoke", {"csrf_token": self._csrf}).status == 303
        self._history.revoked[key.id] = revoked.span
        self._revoked.append(key)
        self._live.remove(key)

    def change_plan(self, plan: Plan) -> None:
        """Change the plan, as the command line does."""
        with Timed() as changed:
            set_plan(self.organisation, plan)
        self._history.plans[self.organisation.id].append((plan, changed.span))
        self._plan = plan


class Crowd:
    """So many clients who make so many requests altogether, each over a connection of its own."""

    def __init__(self, server: Server, seed: int, *, tenants: int = 2) -> None:
        self.history, self.seed = History(), seed
        self._server = server
        self._numbers = itertools.count()
        self.tenants = [Tenant(server, self.history, random.Random(f"{seed} {nth}")) for nth in range(tenants)]
        self.requests = 0
        self._budget: Iterator[int] = iter(())

    def run(self, clients: int, requests: int) -> None:
        """Let everybody do what they do until the requests have been made."""
        self._budget, self.requests = iter(range(requests)), requests
        with ThreadPoolExecutor(clients + len(self.tenants)) as threads:
            working = [threads.submit(self._work, nth) for nth in range(clients)]

            def is_over() -> bool:
                return all(client.done() for client in working)

            for client in working:
                client.add_done_callback(lambda _: self.history.wake())
            operating = [threads.submit(self._operate, nth, is_over) for nth in range(len(self.tenants))]
            for thread in [*working, *operating]:
                thread.result()

    def _operate(self, nth: int, is_over: Any) -> None:
        chance = random.Random(f"{self.seed} pace {nth}")
        while not is_over():
            self.history.await_calls(len(self.history.calls) + chance.randrange(1, 60), is_over)
            self.tenants[nth].operate()
        self.tenants[nth].change_plan(Plan.PRO)

    def _work(self, client: int) -> None:
        chance = random.Random(f"{self.seed} client {client}")
        while next(self._budget, None) is not None:
            tenant = chance.choice(self.tenants)
            kind = chance.choices((self._list, self._create, self._create_many), (45, 45, 10))[0]
            self.history.add(*kind(client, tenant, tenant.a_key(chance), chance))

    def _list(self, client: int, tenant: Tenant, key: Key, chance: random.Random) -> list[Call]:
        limit = chance.choice((1, 7, 25, 200))
        page = chance.randrange(1, len(tenant.emails) // limit + 3)
        with Timed() as sent:
            reply = self._server.send("GET", f"{tenant.path}?page={page}&limit={limit}", key.token)
        return [Call(client, "list", key.id, (page, limit), *sent.span, reply.status, _body(reply))]

    def _create(self, client: int, tenant: Tenant, key: Key, chance: random.Random) -> list[Call]:
        email = self._email(tenant, chance)
        with Timed() as sent:
            reply = self._server.post(tenant.path, key.token, {"email": email})
        return [Call(client, "create", key.id, email, *sent.span, reply.status, _body(reply))]

    def _create_many(self, client: int, tenant: Tenant, key: Key, chance: random.Random) -> list[Call]:
        emails = list(dict.fromkeys(self._email(tenant, chance) for _ in range(BATCH)))
        rows = [{"email": email} for email in emails]
        with Timed() as sent:
            reply = self._server.post(f"{tenant.path}/batch", key.token, {"subscribers": rows})
        outcomes: Any = [(reply.status, _body(reply))] * len(emails)
        if reply.status == 200:
            statuses = {"created": 201, "existing": 200}
            outcomes = [(statuses[each["status"]], each["subscriber"]) for each in _body(reply)["results"]]
        return [
            Call(client, "create", key.id, email, *sent.span, *outcome)
            for email, outcome in zip(emails, outcomes, strict=True)
        ]

    def _email(self, tenant: Tenant, chance: random.Random) -> str:
        """A new address, or one of the last that anybody has sent."""
        if tenant.emails and chance.random() < 0.2:
            return chance.choice(tenant.emails[-8:])
        tenant.emails.append(email := f"s{next(self._numbers)}@example.org")
        return email


def _body(reply: Reply) -> dict[str, Any]:
    """The answer's object; empty for what is no JSON, which no model allows."""
    return reply.json() if "json" in reply.headers.get("Content-Type", "") else {"code": reply.body[:200].decode()}
