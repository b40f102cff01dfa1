"""The words for a day and for an event."""

from datetime import date

import pytest

from blueprints.activity.entries import Entry, heading
from models import ActivityEvent, now

SUNDAY = date(2026, 5, 3)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 5, 3), "Today · Sunday 3 May 2026"),
        (date(2026, 5, 2), "Yesterday · Saturday 2 May 2026"),
        (date(2026, 5, 1), "Friday 1 May 2026"),
        (date(2026, 5, 4), "Monday 4 May 2026"),
        (date(2025, 12, 31), "Wednesday 31 December 2025"),
    ],
)
def test_a_day_has_a_heading(day: date, words: str) -> None:
    assert heading(day, today=SUNDAY) == words


@pytest.mark.parametrize(
    ("target_type", "details", "meta", "is_code"),
    [
        ("api_key", {"prefix": "qu_live_AbCd"}, "qu_live_AbCd…", True),
        ("api_key", {}, "", False),
        ("waitlist", {"name": {"from": "a", "to": "b"}}, "wl_7hK2mQx9VbT4", True),
        ("subscriber", {"waitlist": "Spring launch"}, "Spring launch", False),
        ("user", {"role": "admin"}, "admin", False),
        ("user", {}, "", False),
        ("organisation", {"from": "free", "to": "pro", "keys_resumed": 5}, "free → pro · 5 keys resumed", False),
        ("organisation", {"from": "team", "to": "free", "keys_paused": 1}, "team → free · 1 key paused", False),
        ("organisation", {"from": "free", "to": "pro", "keys_resumed": 0}, "free → pro", False),
        ("organisation", {"from": "pro", "to": "team"}, "pro → team", False),
        ("organisation", {"command": "bootstrap"}, "", False),
    ],
)
def test_a_target_has_a_second_line(target_type: str, details: dict[str, object], meta: str, is_code: bool) -> None:
    event = ActivityEvent(
        at=now(),
        actor_type="system",
        actor_name="System",
        action="x.y",
        target_type=target_type,
        target_id="wl_7hK2mQx9VbT4",
        target_label="it",
        details=details,
    )

    entry = Entry.of(event)

    assert (entry.target_meta, entry.target_meta_is_code) == (meta, is_code)
    assert entry.actor_meta == details.get("command")
