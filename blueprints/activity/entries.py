"""An event as a line of the log: two lines of words for the actor, two for the target."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple, Self

from models import ActivityEvent, ActorType, now


class Entry(NamedTuple):
    """What the page says about one event."""

    at: datetime
    actor_type: str
    actor_name: str
    actor_prefix: str | None
    actor_meta: str | None
    action: str
    target_label: str
    target_meta: str
    target_meta_is_code: bool
    ip: str | None

    @classmethod
    def of(cls, event: ActivityEvent) -> Self:
        """The words for an event; details that an event does not have stay unsaid."""
        is_system = event.actor_type == ActorType.SYSTEM
        code = _code(event)
        return cls(
            at=event.at,
            actor_type=event.actor_type,
            actor_name=event.actor_name,
            actor_prefix=event.actor_prefix,
            actor_meta=event.details.get("command") if is_system else event.actor_email,
            action=event.action,
            target_label=event.target_label,
            target_meta=code or _words(event),
            target_meta_is_code=bool(code),
            ip=event.ip,
        )


def by_day(events: Iterable[ActivityEvent]) -> list[tuple[str, list[Entry]]]:
    """Entries under headings, a heading for each UTC day."""
    today = now().date()
    days = groupby(events, key=lambda event: event.at.date())
    return [(heading(day, today), [Entry.of(event) for event in group]) for day, group in days]


def heading(day: date, today: date) -> str:
    """A day as people say it: "Today · Sunday 3 May 2026"."""
    words = f"{day:%A} {day.day} {day:%B %Y}"
    name = {today: "Today", today - timedelta(days=1): "Yesterday"}.get(day)
    return f"{name} · {words}" if name else words


def _code(event: ActivityEvent) -> str:
    """What names the target to a machine."""
    if event.target_type == "waitlist":
        return event.target_id
    prefix = event.details.get("prefix") if event.target_type == "api_key" else None
    return f"{prefix}…" if prefix else ""


def _words(event: ActivityEvent) -> str:
    """What tells people more about the target."""
    details = event.details
    if event.target_type == "subscriber":
        return str(details.get("waitlist", ""))
    if event.target_type == "user":
        return str(details.get("role", ""))
    return _plan_change(details) if "from" in details and "to" in details else ""


def _plan_change(details: dict[str, Any]) -> str:
    said = [f"{details['from']} → {details['to']}"]
    for what in ("paused", "resumed"):
        if number := details.get(f"keys_{what}"):
            said.append(f"{number} key{'' if number == 1 else 's'} {what}")
    return " · ".join(said)
