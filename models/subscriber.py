"""Subscriber: somebody in a line, how they joined it, and whom they brought along."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, String, UniqueConstraint, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from models import joining
from models.activity import Action, ActivityEvent, Actor, Target
from models.address import SHOWN_MAX, EmailAddress
from models.base import Base, BigId, RuleBroken, TryAgain, db, now
from models.waitlist import Waitlist, WaitlistArchived

REFERRAL_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
REFERRAL_CODE_LENGTH = 6


class Entry(NamedTuple):
    """A subscriber with the place they have in the whole line at this moment, counted from 1."""

    id: int
    email: str
    joined_at: datetime
    position: int
    referral_code: str
    referral_count: int


class Signup(NamedTuple):
    """Somebody who wants to join, and the referral code of whoever sent them."""

    address: EmailAddress
    referred_by: str | None = None


class AlreadyJoined(Exception):
    """The address is on the waitlist: its subscriber stands as it stood."""


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
    def join(cls, waitlist: Waitlist, address: EmailAddress, actor: Actor, *, referred_by: str | None = None) -> Entry:
        """Put somebody at the end of the line and credit the subscriber who referred them.

        Raises RuleBroken (referred_by) when no subscriber of the waitlist has that code, AlreadyJoined
        when the address is on it, WaitlistArchived, or TryAgain when a drawn code was taken. Whatever
        it raises, the transaction must be rolled back.
        """
        return cls.join_all(waitlist, [Signup(address, referred_by)], actor)[0]

    @classmethod
    def join_all(cls, waitlist: Waitlist, signups: Sequence[Signup], actor: Actor) -> list[Entry]:
        """Put people in line in the order given, with one event each; raises as `join` does.

        The addresses must differ. Everything is written in a handful of statements, however many they are.
        """
        at = now()
        codes_named = {signup.referred_by for signup in signups if signup.referred_by is not None}
        referrer_ids = cls.referrers(waitlist, codes_named)
        if not all(cls._is_fit(waitlist, signup, referrer_ids) for signup in signups):
            raise _unknown_code()
        newcomers = [
            joining.Newcomer(*signup.address, code, referrer_ids.get(signup.referred_by or ""))
            for signup, code in zip(signups, cls._draw_codes(waitlist, len(signups)), strict=True)
        ]
        try:
            joined = joining.insert(waitlist.id, newcomers, at)
        except IntegrityError as error:
            raise (AlreadyJoined if "email_identity" in str(error.orig) else TryAgain) from None
        if joined is None:
            raise WaitlistArchived(waitlist.public_id)
        common = {"waitlist": waitlist.name, "waitlist_id": waitlist.public_id}
        targets = [
            (Target("subscriber", str(id_), newcomer.email), common | _referral(newcomer))
            for id_, newcomer in zip(joined.ids, newcomers, strict=True)
        ]
        ActivityEvent.record_all(waitlist.organisation_id, Action.SUBSCRIBER_CREATED, actor, targets)
        # Everybody else's line key is lower than a join number that was never given before: newcomers are last.
        first_place = joined.total - len(newcomers) + 1
        return [
            Entry(id_, newcomer.email, at, first_place + nth, code or "", 0)
            for nth, (id_, code, newcomer) in enumerate(zip(joined.ids, joined.codes, newcomers, strict=True))
        ]

    @classmethod
    def join_each(cls, waitlist: Waitlist, signups: Sequence[Signup], actor: Actor) -> list[Entry | RuleBroken | None]:
        """Put in line whoever can be: for each signup the entry, None for a known address, or what is wrong.

        An address that stands twice counts as known the second time. Raises WaitlistArchived, and
        AlreadyJoined or TryAgain when another writer came in between: then all of it can be done again.
        """
        known = cls.on(waitlist, [signup.address.identity for signup in signups])
        codes = {signup.referred_by for signup in signups if signup.referred_by is not None}
        ids = cls.referrers(waitlist, codes)
        outcomes: list[Entry | RuleBroken | None] = []
        fit: dict[int, Signup] = {}
        for nth, signup in enumerate(signups):
            is_broken = signup.address.identity not in known and not cls._is_fit(waitlist, signup, ids)
            outcomes.append(_unknown_code() if is_broken else None)
            if signup.address.identity not in known and not is_broken:
                known.add(signup.address.identity)
                fit[nth] = signup
        if fit:
            for nth, entry in zip(fit, cls.join_all(waitlist, list(fit.values()), actor), strict=True):
                outcomes[nth] = entry
        return outcomes

    @classmethod
    def on(cls, waitlist: Waitlist, identities: Sequence[str]) -> set[str]:
        """Those of the address identities that are on the waitlist."""
        is_here = (cls.waitlist_id == waitlist.id, cls.email_identity.in_(identities))
        return set(db.session.scalars(select(cls.email_identity).where(*is_here)))

    @classmethod
    def referrers(cls, waitlist: Waitlist, codes: Collection[str]) -> dict[str, int]:
        """The ids of those on the waitlist who have these codes; none while referrals are off."""
        if not codes or not waitlist.has_referrals:
            return {}
        has_code = (cls.waitlist_id == waitlist.id, cls.referral_code.in_(codes))
        found = db.session.execute(select(cls.referral_code, cls.id).where(*has_code))
        return {str(code): id_ for code, id_ in found}

    @staticmethod
    def _is_fit(waitlist: Waitlist, signup: Signup, referrer_ids: Mapping[str, int]) -> bool:
        """Whether the signup names nobody, or somebody who is there, or referrals are off anyway."""
        return signup.referred_by is None or not waitlist.has_referrals or signup.referred_by in referrer_ids

    @classmethod
    def _draw_codes(cls, waitlist: Waitlist, number: int) -> list[str]:
        """Codes that differ. A single one is not looked up first: that it is taken shows soon enough."""
        codes: set[str] = set()
        while len(codes) < number:
            codes |= {_code() for _ in range(number - len(codes))}
            if number > 1:
                is_taken = (cls.waitlist_id == waitlist.id, cls.referral_code.in_(codes))
                codes -= set(db.session.scalars(select(cls.referral_code).where(*is_taken)))
        return list(codes)


def _unknown_code() -> RuleBroken:
    return RuleBroken("referred_by", "No subscriber of this waitlist has this referral code.")


def _code() -> str:
    return "".join(secrets.choice(REFERRAL_ALPHABET) for _ in range(REFERRAL_CODE_LENGTH))


def _referral(newcomer: joining.Newcomer) -> dict[str, str]:
    return {} if newcomer.referrer_id is None else {"referred_by": str(newcomer.referrer_id)}
