"""PostgreSQL restarted, silent or far away: how soon everything is as before, and how long people wait."""

import threading
import time

from tests.soak.report import figure, trials
from tests.system.load import Signups, await_that
from tests.system.tcp_proxy import Weather
from tests.system.test_fault_postgres import Place, assert_recovered, fine_weather, person, place

__all__ = ["fine_weather", "place"]

RECOVERY_SECONDS = 10.0
RESTARTS = 10


def test_postgresql_is_used_again_within_seconds_of_its_restart(place: Place) -> None:
    signups, browser, restarts = Signups(place.server), person(place), trials(RESTARTS, 2)
    recoveries = []

    with signups.running():
        for _ in range(restarts):
            signups.await_more(10)
            place.postgres.stop_at_once()
            place.postgres.start()
            began = time.monotonic()
            await_that(lambda: browser.get("/waitlists").status == 200)
            signups.await_more()
            recoveries.append(time.monotonic() - began)
        assert_recovered(place, signups, browser)

    figure("slowest recovery after a crash of PostgreSQL", f"{max(recoveries):.2f} s", restarts)
    assert max(recoveries) <= RECOVERY_SECONDS


def test_a_database_that_never_answers_holds_nobody_for_ever(place: Place) -> None:
    signups, browser = Signups(place.server), person(place)

    with signups.running(clients=3):
        signups.await_more(5)
        place.proxy.weather = Weather.SWALLOWS
        unavailable = signups.statuses[503]
        pages: list[int] = []
        opening = threading.Thread(target=lambda: pages.append(browser.get("/waitlists").status))
        opening.start()
        await_that(lambda: signups.statuses[503] > unavailable)
        opening.join(60)
        place.proxy.weather = Weather.FINE
        assert_recovered(place, signups, browser)

    figure("slowest answer while PostgreSQL never answers", f"{max(signups.seconds):.1f} s", signups.statuses.total())
    assert pages == [503]
    signups.assert_books_balance()


def test_half_a_second_each_way_slows_and_breaks_nothing(place: Place) -> None:
    signups = Signups(place.server)
    place.proxy.delay_seconds, place.proxy.weather = 0.5, Weather.SLOW

    with signups.running():
        signups.await_more(20)

    figure("sign-up p99 with half a second on the way to PostgreSQL", f"{signups.percentile(99):.1f} s", 20)
    assert set(signups.statuses) == {201}
    signups.assert_books_balance()
