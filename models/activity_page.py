"""ActivityFilter and ActivityPage: which events are asked for, and fifty of them at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Self

from sqlalchemy import ColumnElement, select, tuple_

from models.activity import Action, ActivityEvent, ActorType, searchable
from models.base import db

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What events must have to be shown; days are whole days in UTC, both inclusive."""

    q: str = ""
    actor: ActorType | None = None
    action: Action | None = None
    first_day: date | None = None
    last_day: date | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """The filter as SQL. Every part but the text search stays within one index."""
        if self.actor:
            yield ActivityEvent.actor_type == self.actor.value
        if self.action:
            yield ActivityEvent.action == self.action.value
        if self.first_day:
            yield ActivityEvent.at >= _midnight(self.first_day)
        if self.last_day:
            yield ActivityEvent.at < _midnight(self.last_day + timedelta(days=1))
        if self.q:
            yield ActivityEvent.search.contains(searchable(self.q), autoescape=True)


class ActivityPage(NamedTuple):
    """Some events, newest first, and the ids of those to go on from: None where nothing comes next."""

    events: list[ActivityEvent]
    newer: int | None
    older: int | None

    @classmethod
    def newest(cls, organisation_id: int, wanted: ActivityFilter) -> Self:
        """The first page."""
        events, has_more = _fifty(organisation_id, wanted, is_backward=True)
        return cls(events, None, events[-1].id if has_more else None)

    @classmethod
    def before(cls, event: ActivityEvent, wanted: ActivityFilter) -> Self:
        """The page that is older than an event of the same organisation."""
        events, has_more = _fifty(
            event.organisation_id, wanted, _place(ActivityEvent) < _place(event), is_backward=True
        )
        return cls(events, events[0].id if events else None, events[-1].id if has_more else None)

    @classmethod
    def after(cls, event: ActivityEvent, wanted: ActivityFilter) -> Self:
        """The page that is newer than an event; the first page when no full page of them is left."""
        events, has_more = _fifty(
            event.organisation_id, wanted, _place(ActivityEvent) > _place(event), is_backward=False
        )
        if not has_more:
            return cls.newest(event.organisation_id, wanted)
        return cls(events[::-1], events[-1].id, events[0].id)


def _fifty(
    organisation_id: int, wanted: ActivityFilter, *conditions: ColumnElement[bool], is_backward: bool
) -> tuple[list[ActivityEvent], bool]:
    """Up to fifty events from one end on, and whether there are more."""
    event = ActivityEvent
    order = (event.at.desc(), event.id.desc()) if is_backward else (event.at, event.id)
    statement = select(event).where(event.organisation_id == organisation_id, *wanted.conditions(), *conditions)
    events = list(db.session.scalars(statement.order_by(*order).limit(PAGE_SIZE + 1)))
    return events[:PAGE_SIZE], len(events) > PAGE_SIZE


def _place(event: ActivityEvent | type[ActivityEvent]) -> ColumnElement[tuple[datetime, int]]:
    """Where an event stands: those of the same moment in the order of their ids."""
    return tuple_(event.at, event.id)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
