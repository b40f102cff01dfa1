"""Times wherever the machine stands: in UTC everywhere, in order even while a clock is put back."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from models import ActivityEvent
from models.activity_page import ActivityFilter, ActivityPage
from tests.api_client import body, make_caller
from tests.console import sign_in
from tests.factories import all_rows, in_context, make_user

FIRST = datetime(2026, 11, 1, 5, 30, 12, tzinfo=UTC)  # 01:30 in New York, half an hour before it is 01:00 again
MOMENTS = [FIRST + timedelta(minutes=15 * step) for step in range(5)]


@pytest.fixture(params=["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Kiritimati"], autouse=True)
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's zone, back to what it was afterwards."""
    with monkeypatch.context() as here:
        here.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@in_context
def newest_first(organisation_id: int, wanted: ActivityFilter) -> list[datetime]:
    return [event.at for event in ActivityPage.newest(organisation_id, wanted).events]


def test_times_are_told_in_utc_and_stand_in_order(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    admin = make_user(caller.organisation)
    told = []
    for number, moment in enumerate(MOMENTS):
        monkeypatch.setattr("models.activity.now", lambda moment=moment: moment)
        monkeypatch.setattr("models.subscriber.now", lambda moment=moment: moment)
        told.append(body(caller.api.post(caller.path, {"email": f"{number}@example.org"}))["joined_at"])
    monkeypatch.undo()

    in_words = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in MOMENTS]
    assert told == in_words
    assert [item["joined_at"] for item in body(caller.api.get(caller.path))["items"]] == in_words
    recorded = [event for event in all_rows(ActivityEvent) if event.action == "subscriber.created"]
    assert [event.at for event in recorded] == MOMENTS
    assert all(event.at.utcoffset() == timedelta(0) for event in recorded)
    assert [event.as_json()["at"] for event in recorded] == in_words
    assert [event.as_csv_row()[1] for event in recorded] == in_words
    day = ActivityFilter(first_day=FIRST.date(), last_day=FIRST.date())
    assert newest_first(caller.organisation.id, day) == MOMENTS[::-1]
    page = sign_in(app, admin).get("/activity?from=2026-11-01&to=2026-11-01").text
    places = [page.index(f'datetime="{words}"') for words in in_words]
    assert places == sorted(places, reverse=True)
