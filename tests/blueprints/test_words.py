"""Moments as templates say them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from blueprints import words

NOON = datetime(2026, 3, 31, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=2, seconds=59), "2 minutes ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=12), "12 hours ago"),
        (timedelta(hours=12, seconds=1), "yesterday"),
        (timedelta(hours=36), "yesterday"),
        (timedelta(hours=36, seconds=1), "2 days ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=30), "1 Mar 2026"),
        (timedelta(days=31), "28 Feb 2026"),
        (timedelta(days=3650), "2 Apr 2016"),
        (timedelta(seconds=-90), "just now"),
        (timedelta(days=-2), "just now"),
    ],
)
def test_a_moment_is_said_as_people_say_it(monkeypatch: pytest.MonkeyPatch, before: timedelta, said: str) -> None:
    monkeypatch.setattr(words, "now", lambda: NOON)

    assert words.ago(NOON - before) == said


def test_a_few_hours_before_midnight_are_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "now", lambda: datetime(2026, 3, 31, 1, 0, tzinfo=UTC))

    assert words.ago(datetime(2026, 3, 30, 23, 0, tzinfo=UTC)) == "2 hours ago"
    assert words.ago(datetime(2026, 3, 30, 19, 0, tzinfo=UTC)) == "yesterday"


def test_a_moment_for_machines_is_in_utc() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))

    assert words.utc(datetime(2026, 5, 3, 18, 30, 12, 999999, tzinfo=UTC)) == "2026-05-03T18:30:12Z"
    assert words.utc(datetime(2026, 5, 4, 0, 15, 12, tzinfo=kathmandu)) == "2026-05-03T18:30:12Z"
