"""ApiKey: mint, resolve, hold and revoke."""

import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from models import gate
from models import token as tokens
from models.activity import Action, ActivityEvent, Actor, ActorType, Target
from models.base import Base, BigId, RuleBroken, db, now
from models.organisation import Feature, FeatureNotAllowed, Organisation, Plan
from models.reading import Query, moment
from models.scope import Scope, ScopesColumn, access_summary, scopes_of

NAME_MAX = 64

UNREADABLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters and marks of other categories that take no room on the screen either; variation selectors among
# them, but for the one (U+FE0F) that emoji are written with.
ZERO_WIDTH_LETTERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, [*range(0xFE00, 0xFE0F), *range(0xE0100, 0xE01F0)]))
)

_COLUMNS = "SELECT api_keys.id, api_keys.name, prefix, scopes, last_used_at, organisation_id, plan"
_KEYS = "api_keys JOIN organisations ON organisations.id = organisation_id WHERE revoked_at IS NULL AND"
_LIVE_KEY = f"{_COLUMNS} FROM {_KEYS} "
_RESOLVE = Query(_LIVE_KEY + "digest = %(digest)s")
_HOLD = {
    "sqlite": text(_LIVE_KEY + "api_keys.id = :id"),  # one writer at a time: nothing to lock
    "postgresql": text(
        f"WITH {gate.PASSING_SQL} {_COLUMNS} FROM gate CROSS JOIN {_KEYS} api_keys.id = :id"
        " FOR KEY SHARE OF api_keys, organisations"
    ),
}


class KeyLimitReached(Exception):
    """The organisation has as many active keys as it may have."""


class FormAlreadyUsed(Exception):
    """The form that asks for this key has minted one before."""


class ResolvedKey(NamedTuple):
    """A live key and its organisation's plan, as one look-up found them."""

    id: int
    name: str
    prefix: str
    scopes: frozenset[Scope]
    last_used_at: datetime | None
    organisation_id: int
    plan: Plan

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Self:
        """The key of a row of _LIVE_KEY."""
        id_, name, prefix, scopes, last_used_at, organisation_id, plan = row
        last_used = None if last_used_at is None else moment(last_used_at)
        return cls(id_, name, prefix, scopes_of(scopes), last_used, organisation_id, Plan(plan))

    def has_scope(self, scope: Scope) -> bool:
        """Whether the key was minted with this scope."""
        return scope in self.scopes

    def require(self, feature: Feature) -> None:
        """Raises FeatureNotAllowed where the organisation's plan does not have the feature."""
        if not self.plan.allows(feature):
            raise FeatureNotAllowed(self.plan, feature)

    def as_actor(self, ip: str | None, user_agent: str | None, request_id: str | None) -> Actor:
        """This key as the one who makes a change through the customer API."""
        return Actor(
            ActorType.API_KEY,
            self.name,
            self.id,
            prefix=self.prefix,
            ip=ip,
            user_agent=user_agent,
            request_id=request_id,
        )


class ApiKey(Base):
    """The record of a key. Its token is nowhere in it: only a digest and the prefix are."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint("scopes <> ''", name="scopes"),
        CheckConstraint("length(digest) = 32", name="digest"),
        Index("ix_api_keys_organisation_id_revoked_at", "organisation_id", "revoked_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    scopes: Mapped[frozenset[Scope]] = mapped_column(ScopesColumn)
    prefix: Mapped[str] = mapped_column(String(tokens.PREFIX_LENGTH))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True, deferred=True)  # compared, never read
    form_value: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    def __repr__(self) -> str:
        """Name the key without anything that could stand in for its token."""
        return f"<ApiKey {self.id} {self.prefix}…>"

    @classmethod
    def mint(
        cls,
        organisation: Organisation,
        name: str,
        scopes: Collection[Scope],
        actor: Actor,
        *,
        limit: int,
        form_value: str | None = None,
    ) -> tuple[Self, str]:
        """Add a key and return it with its token, which exists nowhere else from then on.

        `limit`: how many active keys an organisation may have. `form_value`: the random value of the form
        that asked. Raises FeatureNotAllowed, RuleBroken, FormAlreadyUsed, KeyLimitReached: then roll back.
        """
        organisation = organisation.lock()  # two mintings at once would both see room for one
        organisation.require(Feature.API_KEYS)
        token = tokens.generate()
        key = cls(
            organisation_id=organisation.id,
            name=checked_name(name),
            scopes=checked_scopes(scopes),
            prefix=tokens.prefix(token),
            digest=tokens.digest(token),
            form_value=form_value,
            created_by_id=actor.id if actor.type is ActorType.USER else None,
        )
        key._insert()
        if organisation.active_key_count() > limit:
            raise KeyLimitReached(f"{organisation.name} already has {limit} active keys. Revoke one, then try again.")
        details = {"prefix": key.prefix, "scopes": sorted(key.scopes)}
        ActivityEvent.record(organisation.id, Action.API_KEY_CREATED, actor, key.target, details)
        return key, token

    def _insert(self) -> None:
        db.session.add(self)
        try:
            db.session.flush()
        except IntegrityError as error:
            if self.form_value is not None and "form_value" in str(error.orig):
                raise FormAlreadyUsed from None
            raise

    @staticmethod
    def resolve(token: str) -> ResolvedKey | None:
        """The live key of this token, else None.

        A token of the wrong shape costs no query, any other one indexed look-up; an unknown and a
        revoked one cannot be told apart.
        """
        if not tokens.is_well_formed(token):
            return None
        row = _RESOLVE.one_or_none({"digest": tokens.digest(token)})
        return None if row is None else ResolvedKey.of_row(row)

    @staticmethod
    def hold(key_id: int) -> ResolvedKey | None:
        """Re-read a key and its plan inside a writing transaction, None if it has been revoked.

        The share lock makes revocations and plan changes wait until the transaction has ended, so
        that no change commits after them; it lets everything else pass, last-used included.
        """
        row = db.session.connection().execute(_HOLD[db.engine.dialect.name], {"id": key_id}).one_or_none()
        return None if row is None else ResolvedKey.of_row(row)

    @classmethod
    def of(cls, organisation: Organisation, key_id: int) -> Self | None:
        """The organisation's key with this id, revoked or not; None for anybody else's."""
        return db.session.scalar(select(cls).where(cls.id == key_id, cls.organisation_id == organisation.id))

    @classmethod
    def all_of(cls, organisation: Organisation, *, revoked_too: bool = False) -> list[Self]:
        """The organisation's keys, newest first; without the revoked ones unless they are asked for."""
        statement = select(cls).where(cls.organisation_id == organisation.id).order_by(cls.id.desc())
        if not revoked_too:
            statement = statement.where(cls.revoked_at.is_(None))
        return list(db.session.scalars(statement))

    @property
    def access_summary(self) -> str:
        """What the key may do, in a word or two."""
        return access_summary(self.scopes)

    @property
    def target(self) -> Target:
        """The key as the activity log names it."""
        return Target("api_key", str(self.id), self.name)

    def revoke(self, actor: Actor) -> bool:
        """Revoke the key at once and for good; False, and nothing written, if it was revoked already."""
        gate.shut(self.organisation_id)
        db.session.refresh(self, ["revoked_at"], with_for_update=True)
        if self.revoked_at is not None:
            return False
        self.revoked_at = now()
        db.session.flush()
        ActivityEvent.record(self.organisation_id, Action.API_KEY_REVOKED, actor, self.target, {"prefix": self.prefix})
        return True


def checked_name(name: str) -> str:
    """The name without the blanks around it. Raises RuleBroken for one that cannot be read safely.

    Control, format and line-separating characters (Unicode categories Cc, Cf, Cs, Zl, Zp: among them the
    zero-width and the bidirectional ones) would let a name hide or reorder what stands beside it.
    """
    name = name.strip()
    if not name:
        raise RuleBroken("name", "Give the key a name.")
    if len(name) > NAME_MAX:
        raise RuleBroken("name", f"Use {NAME_MAX} characters or fewer.")
    if any(unicodedata.category(char) in UNREADABLE_CATEGORIES or char in ZERO_WIDTH_LETTERS for char in name):
        raise RuleBroken("name", "Leave out control, zero-width and text-direction characters.")
    return name


def checked_scopes(scopes: Collection[Scope]) -> frozenset[Scope]:
    """The scopes as a set. Raises RuleBroken when there is none."""
    if not scopes:
        raise RuleBroken("scopes", "Tick at least one permission.")
    return frozenset(scopes)
