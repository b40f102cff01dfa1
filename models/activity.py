"""ActivityEvent, Action and Actor: what was done, and who did it."""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, Self

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, insert, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, db, now
from models.spreadsheet import safe_cell

IP_MAX = 45  # an IPv6 address that ends in an IPv4 one
USER_AGENT_MAX = 512
EXPORT_BATCH = 1000

CSV_COLUMNS = (
    *("id", "at", "action", "actor_type", "actor_id", "actor_name", "actor_prefix", "target_type", "target_id"),
    *("target_label", "ip", "user_agent", "request_id", "details"),
)


class Action(StrEnum):
    """Everything that can be done, as `noun.verb`."""

    ORGANISATION_CREATED = "organisation.created"
    PLAN_CHANGED = "plan.changed"
    USER_CREATED = "user.created"
    USER_DEACTIVATED = "user.deactivated"
    USER_PASSWORD_CHANGED = "user.password_changed"
    WAITLIST_CREATED = "waitlist.created"
    WAITLIST_UPDATED = "waitlist.updated"
    WAITLIST_ARCHIVED = "waitlist.archived"
    WAITLIST_RESTORED = "waitlist.restored"
    SUBSCRIBER_CREATED = "subscriber.created"
    API_KEY_CREATED = "api_key.created"
    API_KEY_REVOKED = "api_key.revoked"


class ActorType(StrEnum):
    """What kind of actor did it; the API key badge comes from here, never from a name."""

    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, and from where: a value that the door hands to the model's verb."""

    type: ActorType
    name: str
    id: int | None = None
    email: str | None = None
    prefix: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def system(cls, command: str) -> Self:
        """Whoever works on the command line."""
        return cls(type=ActorType.SYSTEM, name="System", details={"command": command})


class Target(NamedTuple):
    """What was changed: its kind, its public id, and its name at that moment."""

    type: str
    id: str
    label: str


def searchable(*texts: str | None) -> str:
    """Texts, one on a line, as the search compares them: folded in Python, so that both engines agree."""
    return "\n".join(unicodedata.normalize("NFC", text).casefold() for text in texts if text)


class Tenant(Protocol):
    """An organisation, which this module must not import: it imports this one."""

    @property
    def id(self) -> Any:
        """The number that the organisation's events carry."""


class ActivityEvent(Base):
    """One change, with names as they were then. The database refuses to alter or remove it."""

    __tablename__ = "activity_events"
    __table_args__ = (
        CheckConstraint("actor_type IN ('user', 'api_key', 'system')", name="actor_type"),
        Index("ix_activity_events_organisation_id_at_id", "organisation_id", "at", "id"),
        Index("ix_activity_events_organisation_id_action_at_id", "organisation_id", "action", "at", "id"),
        Index("ix_activity_events_organisation_id_actor_type_at_id", "organisation_id", "actor_type", "at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(64))
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[int | None] = mapped_column(BigId)
    actor_name: Mapped[str] = mapped_column(String(320))
    actor_email: Mapped[str | None] = mapped_column(String(320))
    actor_prefix: Mapped[str | None] = mapped_column(String(16))
    target_type: Mapped[str] = mapped_column(String(32))
    target_id: Mapped[str] = mapped_column(String(64))
    target_label: Mapped[str] = mapped_column(String(320))
    ip: Mapped[str | None] = mapped_column(String(IP_MAX))
    user_agent: Mapped[str | None] = mapped_column(String(USER_AGENT_MAX))
    request_id: Mapped[str | None] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(JSON().with_variant(JSONB(), "postgresql"))
    search: Mapped[str] = mapped_column(Text, deferred=True)

    @classmethod
    def record(
        cls,
        organisation_id: int,
        action: Action,
        actor: Actor,
        target: Target,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """Write one event into the transaction that is open, beside the change that it records."""
        cls.record_all(organisation_id, action, actor, [(target, details or {})])

    @classmethod
    def record_all(
        cls,
        organisation_id: int,
        action: Action,
        actor: Actor,
        targets: Iterable[tuple[Target, Mapping[str, object]]],
    ) -> None:
        """Write one event for each target, in one statement."""
        common = {
            "organisation_id": organisation_id,
            "at": now(),
            "action": action.value,
            "actor_type": actor.type.value,
            "actor_id": actor.id,
            "actor_name": actor.name,
            "actor_email": actor.email,
            "actor_prefix": actor.prefix,
            "ip": _cut(actor.ip, IP_MAX),
            "user_agent": _cut(actor.user_agent, USER_AGENT_MAX),
            "request_id": actor.request_id,
        }
        rows = [
            common
            | {"target_type": target.type, "target_id": target.id, "target_label": target.label}
            | {"details": {**actor.details, **details}}
            | {"search": searchable(actor.name, actor.prefix, actor.email, target.label, actor.ip)}
            for target, details in targets
        ]
        if rows:
            db.session.connection().execute(_INSERT, rows)

    @classmethod
    def of(cls, organisation_id: int, event_id: int) -> Self | None:
        """The organisation's event with this id; None for anybody else's."""
        return db.session.scalar(select(cls).where(cls.id == event_id, cls.organisation_id == organisation_id))

    @classmethod
    def export(cls, organisation: Tenant) -> Iterator[Self]:
        """The organisation's events, oldest first, as they stood at the start.

        Streamed in one statement: the memory it takes does not grow with the log.
        """
        statement = select(cls).where(cls.organisation_id == organisation.id).order_by(cls.at, cls.id)
        yield from db.session.scalars(statement.execution_options(yield_per=EXPORT_BATCH))

    @classmethod
    def export_all(cls) -> Iterator[Self]:
        """The events of every organisation, in the order of their ids; streamed as `export` is."""
        yield from db.session.scalars(select(cls).order_by(cls.id).execution_options(yield_per=EXPORT_BATCH))

    def as_json(self) -> dict[str, Any]:
        """The event as JSON exports have it: ids are text, the time is RFC 3339 in UTC."""
        actor = {"type": self.actor_type, "id": _text(self.actor_id), "name": self.actor_name}
        if self.actor_type == ActorType.API_KEY:
            actor["prefix"] = self.actor_prefix
        return {
            "id": str(self.id),
            "at": f"{self.at:%Y-%m-%dT%H:%M:%SZ}",
            "action": self.action,
            "actor": actor,
            "target": {"type": self.target_type, "id": self.target_id, "label": self.target_label},
            "ip": self.ip,
            "user_agent": self.user_agent,
            "request_id": self.request_id,
            "details": self.details,
        }

    def as_csv_row(self) -> list[str]:
        """The event as cells in the order of CSV_COLUMNS, which no spreadsheet takes for a formula."""
        event = self.as_json()
        for group in ("actor", "target"):
            event |= {f"{group}_{name}": value for name, value in event[group].items()}
        event["details"] = json.dumps(self.details, ensure_ascii=False)
        return [safe_cell(event.get(column)) for column in CSV_COLUMNS]


def _cut(text: str | None, length: int) -> str | None:
    """What a client or a proxy said, as far as there is room: saying too much must not fail a change."""
    return text[:length] if text else None


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


_INSERT = insert(ActivityEvent.__table__)  # type: ignore[arg-type]
