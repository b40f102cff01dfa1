"""Waitlist: a line that people join, and its referral settings."""

import re
import secrets
from datetime import datetime
from typing import NamedTuple, Self

from sqlalchemy import CheckConstraint, ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column

from models.activity import Action, ActivityEvent, Actor, Target
from models.base import Base, BigId, RuleBroken, db, now
from models.organisation import Organisation
from models.token import BASE62

NAME_MAX = 100
REFERRAL_SKIP_MAX = 100
REFERRAL_SKIP_DEFAULT = 5
PUBLIC_ID_LENGTH = 12
PUBLIC_ID_PATTERN = rf"wl_[0-9A-Za-z]{{{PUBLIC_ID_LENGTH}}}"
_PUBLIC_ID = re.compile(PUBLIC_ID_PATTERN, re.ASCII)


class WaitlistArchived(Exception):
    """The waitlist is archived: nobody joins it until it is restored."""

    def __init__(self, public_id: str) -> None:
        super().__init__(f"The waitlist {public_id} is archived. Restore it first.")


class Waitlist(Base):
    """A line of subscribers. Archived, it is closed to the customer API and can be restored."""

    __tablename__ = "waitlists"
    __table_args__ = (
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint(f"referral_skip BETWEEN 1 AND {REFERRAL_SKIP_MAX}", name="referral_skip"),
        CheckConstraint("next_join_number >= 1", name="next_join_number"),
        CheckConstraint("subscribers_count >= 0", name="subscribers_count"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    public_id: Mapped[str] = mapped_column(String(3 + PUBLIC_ID_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    has_referrals: Mapped[bool] = mapped_column(default=True)
    referral_skip: Mapped[int] = mapped_column(default=REFERRAL_SKIP_DEFAULT)
    next_join_number: Mapped[int] = mapped_column(BigId, default=1)
    subscribers_count: Mapped[int] = mapped_column(BigId, default=0)
    referred_count: Mapped[int] = mapped_column(BigId, default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    archived_at: Mapped[datetime | None]

    @classmethod
    def create(
        cls,
        organisation: Organisation,
        name: str,
        actor: Actor,
        *,
        referral_skip: int = REFERRAL_SKIP_DEFAULT,
        has_referrals: bool = True,
    ) -> Self:
        """Add an empty waitlist. Raises RuleBroken (name, referral_skip)."""
        waitlist = cls(
            organisation_id=organisation.id,
            public_id="wl_" + "".join(secrets.choice(BASE62) for _ in range(PUBLIC_ID_LENGTH)),
            name=checked_name(name),
            referral_skip=checked_skip(referral_skip),
            has_referrals=has_referrals,
        )
        db.session.add(waitlist)
        db.session.flush()
        details = {"referral_skip": referral_skip, "has_referrals": has_referrals}
        ActivityEvent.record(organisation.id, Action.WAITLIST_CREATED, actor, waitlist.target, details)
        return waitlist

    @classmethod
    def of(cls, organisation_id: int, public_id: str, *, archived_too: bool = False) -> Self | None:
        """The organisation's waitlist with this `wl_…` id; None for a malformed id, without a query."""
        if not is_public_id(public_id):
            return None
        statement = select(cls).where(cls.public_id == public_id, cls.organisation_id == organisation_id)
        if not archived_too:
            statement = statement.where(cls.archived_at.is_(None))
        return db.session.scalar(statement)

    @classmethod
    def by_public_id(cls, public_id: str) -> Self:
        """Any organisation's waitlist, for the command line. Raises RuleBroken when there is none."""
        waitlist = db.session.scalar(select(cls).where(cls.public_id == public_id))
        if waitlist is None:
            raise RuleBroken("waitlist", f"There is no waitlist “{public_id}”.")
        return waitlist

    @classmethod
    def summaries(cls, organisation: Organisation) -> list["WaitlistSummary"]:
        """The organisation's waitlists, the open ones first, the newest of them on top.

        Nobody leaves a line, so the join numbers given out so far are the subscribers there are.
        """
        columns = (cls.public_id, cls.name, cls.archived_at.is_not(None), cls.created_at, cls.subscribers_count)
        statement = select(*columns).where(cls.organisation_id == organisation.id)
        rows = db.session.execute(statement.order_by(cls.archived_at.is_not(None), cls.id.desc()))
        return [WaitlistSummary(*row) for row in rows]

    @classmethod
    def newest_id(cls, organisation_id: int) -> str | None:
        """The `wl_…` id of the organisation's newest open waitlist, None when it has none."""
        is_theirs = (cls.organisation_id == organisation_id, cls.archived_at.is_(None))
        return db.session.scalar(select(cls.public_id).where(*is_theirs).order_by(cls.id.desc()).limit(1))

    @property
    def is_archived(self) -> bool:
        """Whether it is closed to the customer API."""
        return self.archived_at is not None

    @property
    def target(self) -> Target:
        """The waitlist as the activity log names it."""
        return Target("waitlist", self.public_id, self.name)

    def lock(self) -> None:
        """Re-read the row and keep other writers of this waitlist waiting until the transaction ends."""
        db.session.refresh(self, with_for_update={"key_share": True})

    def change_settings(self, *, name: str, referral_skip: int, has_referrals: bool, actor: Actor) -> bool:
        """Change name and referrals; False, and nothing written, when all is as it was. Raises RuleBroken."""
        self.lock()
        wanted = {
            "name": checked_name(name),
            "referral_skip": checked_skip(referral_skip),
            "has_referrals": has_referrals,
        }
        changed = {field: value for field, value in wanted.items() if getattr(self, field) != value}
        if not changed:
            return False
        details = {field: {"from": getattr(self, field), "to": value} for field, value in changed.items()}
        for field, value in changed.items():
            setattr(self, field, value)
        db.session.flush()
        ActivityEvent.record(self.organisation_id, Action.WAITLIST_UPDATED, actor, self.target, details)
        return True

    def archive(self, actor: Actor) -> bool:
        """Close it to the customer API; False, and nothing written, if it was archived already."""
        return self._move(Action.WAITLIST_ARCHIVED, now(), actor)

    def restore(self, actor: Actor) -> bool:
        """Open it again; False, and nothing written, if it was not archived."""
        return self._move(Action.WAITLIST_RESTORED, None, actor)

    def _move(self, action: Action, archived_at: datetime | None, actor: Actor) -> bool:
        self.lock()
        if (self.archived_at is None) == (archived_at is None):
            return False
        self.archived_at = archived_at
        db.session.flush()
        ActivityEvent.record(self.organisation_id, action, actor, self.target)
        return True


class WaitlistSummary(NamedTuple):
    """A waitlist and how many subscribers it has, for lists."""

    public_id: str
    name: str
    is_archived: bool
    created_at: datetime
    subscribers_count: int


def is_public_id(text: str) -> bool:
    """Whether it has the form of a `wl_…` id: what has not is nobody's, and no database need be asked."""
    return _PUBLIC_ID.fullmatch(text) is not None


def checked_name(name: str) -> str:
    """The name without the blanks around it. Raises RuleBroken for an empty, long or unprintable one."""
    name = name.strip()
    if not name:
        raise RuleBroken("name", "Give the waitlist a name.")
    if len(name) > NAME_MAX or not name.isprintable():
        raise RuleBroken("name", f"Use {NAME_MAX} printable characters or fewer.")
    return name


def checked_skip(referral_skip: int) -> int:
    """The places that one referral is worth. Raises RuleBroken outside 1 to 100."""
    if not 1 <= referral_skip <= REFERRAL_SKIP_MAX:
        raise RuleBroken("referral_skip", f"Use a whole number from 1 to {REFERRAL_SKIP_MAX}.")
    return referral_skip
