"""Organisations, their API keys, waitlists, subscribers and the activity log."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Computed, DateTime, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .database import Base

BigId = BigInteger().with_variant(Integer, "sqlite")
Moment = DateTime(timezone=True)


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class Organisation(Base):
    """A tenant."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    plan: Mapped[str] = mapped_column(String(16))


class ApiKey(Base):
    """A key: its digest, and what it may do."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(64))
    prefix: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)
    organisation: Mapped[Organisation] = relationship(lazy="joined")


class Waitlist(Base):
    """A line that people join."""

    __tablename__ = "waitlists"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    public_id: Mapped[str] = mapped_column(String(15), unique=True)
    referral_skip: Mapped[int] = mapped_column(default=5)
    next_join_number: Mapped[int] = mapped_column(BigInteger, default=1)


class Subscriber(Base):
    """A place in a line."""

    __tablename__ = "subscribers"
    __table_args__ = (
        UniqueConstraint("waitlist_id", "email_identity"),
        UniqueConstraint("waitlist_id", "referral_code"),
        Index("ix_line", "waitlist_id", "line_key", text("join_number DESC")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    waitlist_id: Mapped[int] = mapped_column(ForeignKey("waitlists.id"))
    email: Mapped[str] = mapped_column(String(320))
    email_identity: Mapped[str] = mapped_column(String(320))
    join_number: Mapped[int] = mapped_column(BigInteger)
    priority_score: Mapped[int] = mapped_column(BigInteger, default=0)
    line_key: Mapped[int] = mapped_column(BigInteger, Computed("join_number - priority_score", persisted=True))
    referral_code: Mapped[str] = mapped_column(String(6))
    referral_count: Mapped[int] = mapped_column(default=0)
    referred_by_id: Mapped[int | None] = mapped_column(ForeignKey("subscribers.id"))
    joined_at: Mapped[datetime] = mapped_column(Moment, default=now)


class ActivityEvent(Base):
    """One change, and who made it."""

    __tablename__ = "activity_events"
    __table_args__ = (Index("ix_newest", "organisation_id", "at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    at: Mapped[datetime] = mapped_column(Moment, default=now)
    action: Mapped[str] = mapped_column(String(64))
    actor_name: Mapped[str] = mapped_column(String(320))
    actor_prefix: Mapped[str] = mapped_column(String(16))
    target_id: Mapped[str] = mapped_column(String(64))
    target_label: Mapped[str] = mapped_column(String(320))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
