"""Subscriber: somebody in a line, how they joined it, and whom they brought along."""

import secrets
from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, String, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, mapped_column

from models.activity import Action, ActivityEvent, Actor, Target
from models.address import SHOWN_MAX, EmailAddress
from models.base import Base, BigId, RuleBroken, db, now
from models.waitlist import Waitlist

REFERRAL_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
REFERRAL_CODE_LENGTH = 6


class Subscriber(Base):
    """A place in a waitlist's line: the lower the line key, the nearer the front."""

    __tablename__ = "subscribers"
    __table_args__ = (
        UniqueConstraint("waitlist_id", "email_identity"),
        UniqueConstraint("waitlist_id", "join_number"),
        UniqueConstraint("waitlist_id", "referral_code"),
        CheckConstraint("referral_count >= 0 AND priority_score >= 0", name="referrals"),
        Index("ix_subscribers_line", "waitlist_id", "line_key", text("join_number DESC")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    waitlist_id: Mapped[int] = mapped_column(ForeignKey("waitlists.id"))
    email: Mapped[str] = mapped_column(String(SHOWN_MAX))
    email_identity: Mapped[str] = mapped_column(String(SHOWN_MAX))
    email_search: Mapped[str] = mapped_column(String(SHOWN_MAX))
    join_number: Mapped[int] = mapped_column(BigId)
    priority_score: Mapped[int] = mapped_column(BigId, default=0)
    line_key: Mapped[int] = mapped_column(BigId, Computed("join_number - priority_score", persisted=True))
    referral_code: Mapped[str | None] = mapped_column(String(REFERRAL_CODE_LENGTH))
    referral_count: Mapped[int] = mapped_column(default=0)
    referred_by_id: Mapped[int | None] = mapped_column(ForeignKey("subscribers.id"))
    joined_at: Mapped[datetime] = mapped_column(default=now)

    @classmethod
    def join(
        cls, waitlist: Waitlist, address: EmailAddress, actor: Actor, *, referred_by: str | None = None
    ) -> tuple[Self, bool]:
        """Put somebody at the end of the line and credit the subscriber who referred them.

        Returns the subscriber and whether they are new: an address that is on the waitlist already is
        returned as it stands, and nothing is written. `waitlist` must be locked by this transaction.
        Raises RuleBroken (referred_by) when no subscriber of the waitlist has that code.
        """
        same_address = (cls.waitlist_id == waitlist.id, cls.email_identity == address.identity)
        existing = db.session.scalar(select(cls).where(*same_address))
        if existing is not None:
            return existing, False
        referrer = cls._referrer(waitlist, referred_by)
        subscriber = cls(
            waitlist_id=waitlist.id,
            email=address.shown,
            email_identity=address.identity,
            email_search=address.search,
            join_number=waitlist.next_join_number,
            referral_code=cls._free_code(waitlist) if waitlist.has_referrals else None,
            referred_by_id=referrer.id if referrer else None,
        )
        waitlist.next_join_number += 1
        db.session.add(subscriber)
        if referrer is not None:
            referrer.priority_score += waitlist.referral_skip
            referrer.referral_count += 1
        db.session.flush()
        details = {"waitlist": waitlist.name, "waitlist_id": waitlist.public_id}
        if referrer is not None:
            details |= {"referred_by": str(referrer.id)}
        ActivityEvent.record(waitlist.organisation_id, Action.SUBSCRIBER_CREATED, actor, subscriber.target, details)
        return subscriber, True

    @property
    def target(self) -> Target:
        """The subscriber as the activity log names them."""
        return Target("subscriber", str(self.id), self.email)

    @classmethod
    def _referrer(cls, waitlist: Waitlist, code: str | None) -> Self | None:
        if code is None or not waitlist.has_referrals:
            return None
        has_code = (cls.waitlist_id == waitlist.id, cls.referral_code == code)
        referrer = db.session.scalar(select(cls).where(*has_code))
        if referrer is None:
            raise RuleBroken("referred_by", "No subscriber of this waitlist has this referral code.")
        return referrer

    @classmethod
    def _free_code(cls, waitlist: Waitlist) -> str:
        while True:
            code = "".join(secrets.choice(REFERRAL_ALPHABET) for _ in range(REFERRAL_CODE_LENGTH))
            is_taken = (cls.waitlist_id == waitlist.id, cls.referral_code == code)
            if db.session.scalar(select(cls.id).where(*is_taken)) is None:
                return code
