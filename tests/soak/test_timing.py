"""What a clock can tell: whether a token was ever issued, somebody else's id exists, or an address has an account."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection
from math import sqrt
from statistics import fmean, median, variance

import pytest

from app import create_app
from models import db
from models import token as tokens
from tests import factories
from tests.databases import ENGINES
from tests.factories import make_api_key, make_organisation, make_user, make_waitlist, revoke
from tests.soak.report import figure, trials
from tests.system.browser import Browser
from tests.system.conftest import SETTINGS, make_empty_database
from tests.system.server import HOST, Server, run_command, running

CALLS = 20_000
LOGINS = 200
T_MAX = 4.5
KEPT = 0.9  # of the measurements; the slowest say what else the machine did
MEDIANS_MAX = 1.1
PASSWORD = "correct horse battery"

Send = Callable[[HTTPConnection], object]


@pytest.fixture(scope="module", params=ENGINES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The shipped server with 4 workers and no limits."""
    database = make_empty_database(request.param, "timing", tmp_path_factory)
    settings = SETTINGS | {"DATABASE_URL": database.url, "RATELIMIT_ENABLED": "0"}
    run_command(settings, "bootstrap")
    app = create_app(settings)
    with running(settings, tmp_path_factory.mktemp("timing")) as shipped, factories.using(app):
        yield shipped
    with app.app_context():
        db.engine.dispose()


def measured(server: Server, ways: Mapping[str, Send], number: int) -> dict[str, list[float]]:
    """Seconds of each way, called in random order over one connection; the slowest tenth left out."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    connection = HTTPConnection(HOST, server.port, timeout=30)
    order = [way for way in ways for _ in range(number // len(ways))]
    random.shuffle(order)
    for way in order:
        began = time.perf_counter()
        ways[way](connection)
        seconds[way].append(time.perf_counter() - began)
    connection.close()
    pooled = sorted(one for many in seconds.values() for one in many)
    slowest = pooled[int(len(pooled) * KEPT) - 1]
    return {way: [one for one in many if one <= slowest] for way, many in seconds.items()}


def welch_t(some: list[float], others: list[float]) -> float:
    """How many standard errors two means are apart."""
    return abs(fmean(some) - fmean(others)) / sqrt(variance(some) / len(some) + variance(others) / len(others))


def get(path: str, headers: Mapping[str, str], status: int) -> Send:
    """A GET request, whose answer must have the status."""

    def send(connection: HTTPConnection) -> None:
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        response.read()
        assert response.status == status

    return send


def near(token: str) -> str:
    """A token like a live one but for the last random character, with the right checksum."""
    random_part = token[len(tokens.MARK) : -tokens.CHECKSUM_LENGTH]
    other = random_part[:-1] + ("a" if random_part[-1] != "a" else "b")
    return tokens.MARK + other + tokens.checksum(other)


def test_a_clock_does_not_tell_unknown_tokens_from_revoked_or_nearly_right_ones(server: Server) -> None:
    """A bad checksum is told from a good one, as it may be: anybody can compute it, and it costs no query."""
    organisation = make_organisation()
    path = f"/v1/api/waitlists/{make_waitlist(organisation).public_id}/subscribers"
    (_, live), (key, revoked) = make_api_key(organisation), make_api_key(organisation)
    revoke(key)
    offered = {"unknown": tokens.generate(), "revoked": revoked, "nearly right": near(live)}
    ways = {way: get(path, {"Authorization": f"Bearer {token}"}, 401) for way, token in offered.items()}

    number = trials(CALLS, 300)
    seconds = measured(server, ways, number)

    for way in ("revoked", "nearly right"):
        apart = welch_t(seconds["unknown"], seconds[way])
        figure(f"Welch t of unknown and {way} tokens, {server.settings['DATABASE_URL'][:6]}", round(apart, 2), number)
        assert apart < T_MAX


def test_a_clock_does_not_tell_somebody_elses_key_from_no_key(server: Server) -> None:
    theirs, _ = make_api_key()
    browser = Browser(server)
    assert browser.sign_in(make_user().email).status == 302
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in browser.cookies.items())}
    ids = {"somebody else's": theirs.id, "nobody's": 999_999}
    ways = {way: get(f"/api-keys/{id_}/revoke", cookie, 404) for way, id_ in ids.items()}
    number = trials(CALLS // 10, 200)

    seconds = measured(server, ways, number)

    apart = welch_t(seconds["nobody's"], seconds["somebody else's"])
    figure(
        f"Welch t of nobody's and somebody else's key, {server.settings['DATABASE_URL'][:6]}", round(apart, 2), number
    )
    assert apart < T_MAX


def make_users(server: Server) -> None:
    """By the command line: the tests' own process hashes passwords at a lower price."""
    slug = make_organisation().slug
    for name in ("known", "gone"):
        member = ("--organisation", slug, "--role", "member", "--password-stdin")
        run_command(server.settings, "users", "create", f"{name}@example.org", *member, stdin=f"{PASSWORD}\n")
    run_command(server.settings, "users", "deactivate", "gone@example.org")


def test_a_clock_does_not_tell_who_has_an_account(server: Server) -> None:
    make_users(server)
    form = Browser(server)
    token = form.hidden("/login")["csrf_token"]
    tries = {"known": "wrong horse", "unknown": PASSWORD, "gone": PASSWORD}

    def sign_in(name: str) -> Send:
        fields = {"csrf_token": token, "email": f"{name}@example.org", "password": tries[name]}

        def send(_connection: HTTPConnection) -> None:
            assert form.post("/login", fields).status == 422

        return send

    number = trials(LOGINS, 5) * len(tries)
    seconds = measured(server, {name: sign_in(name) for name in tries}, number)

    medians = [median(many) for many in seconds.values()]
    ratio = max(medians) / min(medians)
    figure(f"largest by smallest median of logins, {server.settings['DATABASE_URL'][:6]}", round(ratio, 3), number)
    assert ratio < MEDIANS_MAX
