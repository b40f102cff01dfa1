"""ActivityFilter and ActivityPage: which events are asked for, and fifty of them at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, Self

from sqlalchemy import ColumnElement, ScalarSelect, func, select

from models.activity import Action, ActivityEvent, ActorType, searchable
from models.base import db

PAGE_SIZE = 50
ID_MAX = 2**63 - 1

# Ids and times grow together, but two clocks, or two writers at once, may put neighbours the other way round.
CLOCK_SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What events must have to be shown; days are whole days in UTC, both inclusive."""

    q: str = ""
    actor: ActorType | None = None
    action: Action | None = None
    first_day: date | None = None
    last_day: date | None = None

    def conditions(self, organisation_id: int) -> Iterator[ColumnElement[bool]]:
        """The filter as SQL. Every part but the text search stays within one index."""
        event = ActivityEvent
        yield event.organisation_id == organisation_id
        if self.actor:
            yield event.actor_type == self.actor.value
        if self.action:
            yield event.action == self.action.value
        if self.first_day:
            start = _midnight(self.first_day)
            yield event.at >= start
            yield event.id > func.coalesce(_last_id_before(organisation_id, start - CLOCK_SLACK), 0)
        if self.last_day:
            end = _midnight(self.last_day + timedelta(days=1))
            yield event.at < end
            yield event.id < func.coalesce(_first_id_from(organisation_id, end + CLOCK_SLACK), ID_MAX)
        if self.q:
            yield event.search.contains(searchable(self.q), autoescape=True)


class ActivityPage(NamedTuple):
    """Some events, newest first, and the cursors that lead on: None where there is nothing to lead to."""

    events: list[ActivityEvent]
    newer: int | None
    older: int | None

    @classmethod
    def newest(cls, organisation_id: int, wanted: ActivityFilter) -> Self:
        """The first page."""
        return cls.before(organisation_id, wanted, None)

    @classmethod
    def before(cls, organisation_id: int, wanted: ActivityFilter, cursor: int | None) -> Self:
        """The events that are older than `cursor`, the id of the last event of the page before."""
        event = ActivityEvent
        statement = select(event).where(*wanted.conditions(organisation_id)).order_by(event.id.desc())
        if cursor is not None:
            statement = statement.where(event.id < cursor)
        events = list(db.session.scalars(statement.limit(PAGE_SIZE + 1)))
        shown = events[:PAGE_SIZE]
        newer = shown[0].id if shown and cursor is not None else None
        return cls(shown, newer, shown[-1].id if len(events) > PAGE_SIZE else None)

    @classmethod
    def after(cls, organisation_id: int, wanted: ActivityFilter, cursor: int) -> Self:
        """The events that are newer than `cursor`; the first page when no full page of them is left."""
        event = ActivityEvent
        statement = select(event).where(*wanted.conditions(organisation_id), event.id > cursor)
        events = list(db.session.scalars(statement.order_by(event.id).limit(PAGE_SIZE + 1)))
        if len(events) <= PAGE_SIZE:
            return cls.newest(organisation_id, wanted)
        shown = events[PAGE_SIZE - 1 :: -1]
        return cls(shown, shown[0].id, shown[-1].id)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _last_id_before(organisation_id: int, moment: datetime) -> ScalarSelect[int]:
    event = ActivityEvent
    earlier = select(event.id).where(event.organisation_id == organisation_id, event.at < moment)
    return earlier.order_by(event.at.desc()).limit(1).scalar_subquery()


def _first_id_from(organisation_id: int, moment: datetime) -> ScalarSelect[int]:
    event = ActivityEvent
    later = select(event.id).where(event.organisation_id == organisation_id, event.at >= moment)
    return later.order_by(event.at).limit(1).scalar_subquery()
