"""Limits over 4 workers: a key's and an address's through a Redis, tries to sign in through the database."""

import itertools
import re
import time
from collections.abc import Callable, Iterator

import pytest

from app import create_app
from models import db
from tests import factories
from tests.api_client import subscribers_path
from tests.databases import Database
from tests.factories import PASSWORD, make_api_key, make_organisation, make_user, make_waitlist
from tests.system.browser import Browser
from tests.system.conftest import SETTINGS, make_empty_database
from tests.system.redis_server import running_redis
from tests.system.server import Reply, Server, run_command, running

LIMIT = 20


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with 4 workers, a Redis, and few requests a minute."""
    database: Database = make_empty_database("sqlite", "limits", tmp_path_factory)
    folder = tmp_path_factory.mktemp("limits")
    with running_redis(folder) as redis_url:
        settings = SETTINGS | {
            "DATABASE_URL": database.url,
            "REDIS_URL": redis_url,
            "RATELIMIT_PRO": str(LIMIT),
            "RATELIMIT_FAILED_AUTH": str(LIMIT),
        }
        run_command(settings, "bootstrap")
        app = create_app(settings)
        with running(settings, folder) as server, factories.using(app):
            yield server
        with app.app_context():
            db.engine.dispose()


def in_one_window(send: Callable[[int], list[Reply]]) -> list[Reply]:
    """The replies to requests all of which fell into one minute.

    Each try has a number, and must be somebody else: what fell into the next minute is counted there.
    """
    for number in itertools.count(2):
        began = int(time.time()) // 60
        replies = send(number)
        if int(time.time()) // 60 == began:
            return replies
    raise AssertionError


def test_a_key_has_its_requests_once_over_all_workers(limited: Server) -> None:
    organisation = make_organisation()
    path = subscribers_path(make_waitlist(organisation))

    def send(_number: int) -> list[Reply]:
        _, token = make_api_key(organisation)
        return [limited.send("GET", path, token) for _ in range(LIMIT + 10)]

    replies = in_one_window(send)

    assert [reply.status for reply in replies] == [200] * LIMIT + [429] * 10
    for sent, reply in enumerate(replies[:LIMIT], start=1):
        assert re.fullmatch(rf'"per-key";r={LIMIT - sent};t=[1-9][0-9]?', reply.headers["RateLimit"])
        assert reply.headers["RateLimit-Policy"] == f'"per-key";q={LIMIT};w=60'
    for reply in replies[LIMIT:]:
        assert reply.json()["code"] == "rate_limited"
        assert 1 <= int(reply.headers["Retry-After"]) <= 60


def test_failed_authentications_are_counted_over_all_workers_and_live_keys_pass(limited: Server) -> None:
    organisation = make_organisation()
    path, token = subscribers_path(make_waitlist(organisation)), make_api_key(organisation)[1]
    bad, good = ({"Authorization": f"Bearer {value}"} for value in ("qu_live_wrong", token))

    def send(number: int) -> list[Reply]:
        there = Browser(limited, f"127.0.1.{number}")
        return [
            *(there.send("GET", path, headers=bad) for _ in range(LIMIT + 10)),
            there.send("GET", path, headers=good),
        ]

    replies = in_one_window(send)

    assert [reply.status for reply in replies] == [401] * LIMIT + [429] * 10 + [200]


def test_tries_to_sign_in_are_counted_over_all_workers_and_lock_nobody_out_elsewhere(server: Server) -> None:
    hops, emails = itertools.count(), []

    def send(_number: int) -> list[Reply]:
        emails.append(make_user().email)
        guesser, owner = Browser(server), Browser(server)

        def guess(password: str) -> Reply:
            return guesser.sign_in(emails[-1], password, {"X-Forwarded-For": f"198.51.100.{next(hops)}"})

        guesses = [guess("wrong horse battery") for _ in range(20)]
        return [*guesses, guess(PASSWORD), owner.sign_in(emails[-1]), owner.get("/account")]

    replies = in_one_window(send)

    assert [reply.status for reply in replies] == [422] * 10 + [429] * 12 + [302]
    assert all(1 <= int(reply.headers["Retry-After"]) <= 60 for reply in replies[10:-1])
    elsewhere = Browser(server, "127.0.0.2")
    assert elsewhere.sign_in(emails[-1]).status == 302
    assert elsewhere.get("/account").status == 200
