"""PostgreSQL goes away, is hard to reach, or refuses: 503 meanwhile, and no restart of ours afterwards."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import NamedTuple

import psycopg
import pytest

from app import create_app
from models import db
from tests import factories
from tests.factories import in_context, make_user
from tests.system.browser import Browser
from tests.system.conftest import SETTINGS
from tests.system.load import Signups, await_that
from tests.system.postgres_server import OwnPostgres, own_postgres
from tests.system.server import HOST, WORKERS, Server, run_command, running
from tests.system.tcp_proxy import TcpProxy, Weather, proxied

POOL = 18  # connections that a worker has at most
OURS = 2
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'queuekey' AND wait_event_type = 'Lock'"


class Place(NamedTuple):
    """A server, its database, and the way between them."""

    server: Server
    postgres: OwnPostgres
    proxy: TcpProxy


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A server with 4 workers that reaches its own PostgreSQL through a proxy; factories take the direct way."""
    with own_postgres() as postgres, proxied(postgres.socket) as proxy:
        direct = SETTINGS | {"DATABASE_URL": postgres.url}
        run_command(direct, "bootstrap")
        app = create_app(direct)
        settings = SETTINGS | {"DATABASE_URL": f"postgresql://postgres@{HOST}:{proxy.port}/postgres"}
        with running(settings, tmp_path_factory.mktemp("fault")) as server, factories.using(app):
            yield Place(server, postgres, proxy)
        with app.app_context():
            db.engine.dispose()


@pytest.fixture(autouse=True)
def fine_weather(place: Place) -> Iterator[None]:
    """Whatever a test did to the way, it is undone."""
    yield
    place.proxy.weather = Weather.FINE


def person(place: Place) -> Browser:
    """An admin who is signed in; a worker may still have a connection of the test before, which costs one 503."""
    browser, email = Browser(place.server), make_user().email
    await_that(lambda: browser.sign_in(email).status == 302)
    return browser


def assert_recovered(place: Place, signups: Signups, browser: Browser) -> None:
    """API and console answer again, the books balance, and no connection is left over."""
    signups.await_more()
    await_that(lambda: browser.get("/waitlists").status == 200)
    await_that(lambda: place.postgres.connections() <= POOL * WORKERS + OURS)
    drop_our_connections()


@in_context
def drop_our_connections() -> None:
    """The tests' own connections were cut with the server's."""
    db.engine.dispose()


def test_cut_connections_are_made_anew(place: Place) -> None:
    signups, browser = Signups(place.server), person(place)

    with signups.running():
        for _ in range(3):
            signups.await_more(20)
            place.postgres.cut_everybody_off()
        assert_recovered(place, signups, browser)

    signups.assert_books_balance()


def test_a_crash_and_restart_of_postgresql_is_503_in_between_for_everybody(place: Place) -> None:
    signups, browser = Signups(place.server), person(place)

    with signups.running():
        signups.await_more(20)
        place.postgres.stop_at_once()
        unavailable = signups.statuses[503]
        await_that(lambda: signups.statuses[503] > unavailable)
        page, ready = browser.get("/waitlists"), place.server.send("GET", "/readyz")
        place.postgres.start()
        assert_recovered(place, signups, browser)

    assert (page.status, ready.status) == (503, 503)
    assert int(page.headers["Retry-After"]) > 0
    assert b"Nothing was changed" in page.body
    signups.assert_books_balance()


def test_a_slow_way_slows_and_breaks_nothing(place: Place) -> None:
    signups, browser = Signups(place.server), person(place)
    place.proxy.weather = Weather.SLOW

    with signups.running(clients=3):
        signups.await_more(2)
        assert browser.get("/waitlists").status == 200

    assert set(signups.statuses) == {201}
    signups.assert_books_balance()


def test_resets_cost_503_at_worst(place: Place) -> None:
    signups, browser = Signups(place.server), person(place)

    with signups.running():
        for _ in range(5):
            signups.await_more(5)
            place.proxy.reset_all()
        assert_recovered(place, signups, browser)

    signups.assert_books_balance()


def test_answers_that_are_cut_off_are_503_and_never_half_an_answer(place: Place) -> None:
    signups, browser = Signups(place.server), person(place)

    with signups.running():
        signups.await_more(5)
        place.proxy.weather = Weather.CUTS
        unavailable = signups.statuses[503]
        await_that(lambda: signups.statuses[503] >= unavailable + 10)
        assert browser.get("/waitlists").status == 503
        place.proxy.weather = Weather.FINE
        assert_recovered(place, signups, browser)

    signups.assert_books_balance()


def test_a_lock_that_is_held_is_waited_for_and_given_up(place: Place) -> None:
    signups, browser = Signups(place.server), person(place)
    with psycopg.connect(place.postgres.url) as holder:
        holder.execute("SELECT 1 FROM waitlists WHERE id = %s FOR UPDATE", (signups.waitlist.id,))
        with signups.running(clients=2):
            await_that(lambda: signups.statuses[503] >= 2)  # they waited as long as anybody waits
            assert browser.get("/waitlists").status == 200
            holder.rollback()
            signups.await_more()

    signups.assert_books_balance()


def waiting_for_locks(place: Place) -> int:
    """How many of the server's connections wait for a lock."""
    with psycopg.connect(place.postgres.url) as connection:
        return int(connection.execute(WAITING).fetchone()[0])  # type: ignore[index]


def test_a_deadlock_with_somebody_who_takes_locks_the_other_way_round_is_resolved(place: Place) -> None:
    signups = Signups(place.server)
    with psycopg.connect(place.postgres.url) as other, ThreadPoolExecutor(1) as client:
        other.execute("SET deadlock_timeout = '1h'")  # so that it is the server's part to be chosen
        other.execute("SELECT 1 FROM waitlists WHERE id = %s FOR UPDATE", (signups.waitlist.id,))
        reply = client.submit(place.server.post, signups.path, signups.token, {"email": "ada@example.org"})
        await_that(lambda: waiting_for_locks(place))
        other.execute("SELECT 1 FROM api_keys FOR UPDATE")
        other.rollback()
        assert reply.result().status in {201, 503}

    assert place.server.post(signups.path, signups.token, {"email": "ada@example.org"}).status in {200, 201}


def test_serialisation_failures_are_tried_again_or_503(place: Place) -> None:
    signups = Signups(place.server)
    setting = "ALTER DATABASE postgres {} default_transaction_isolation"
    try:
        place.postgres.execute(f"{setting.format('SET')} = 'serializable'")
        place.postgres.cut_everybody_off()
        with signups.running():
            signups.await_more(30)
    finally:
        place.postgres.execute(setting.format("RESET"))
        place.postgres.cut_everybody_off()

    drop_our_connections()
    with signups.running():
        assert_recovered(place, signups, person(place))
    signups.assert_books_balance()


def place_left(stack: ExitStack, place: Place) -> bool:
    """Whether there was one more connection to be had, which is taken now."""
    try:
        stack.enter_context(psycopg.connect(place.postgres.url, autocommit=True))
    except psycopg.OperationalError:
        return False
    return True


def test_no_connection_to_be_had_is_503_until_there_is_one(place: Place) -> None:
    signups, browser = Signups(place.server), person(place)
    with ExitStack() as stack:
        place.proxy.reset_all()
        await_that(lambda: not place_left(stack, place))
        with signups.running():
            await_that(lambda: signups.statuses[503] >= 10)
            assert browser.get("/waitlists").status == 503
            stack.close()
            assert_recovered(place, signups, browser)

    signups.assert_books_balance()
