"""User and Role: the people of an organisation; the only file that knows how passwords are kept."""

import base64
import hashlib
import re
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Self

import bcrypt
from flask_login import UserMixin
from sqlalchemy import CheckConstraint, ForeignKey, Select, String, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.activity import Action, ActivityEvent, Actor, ActorType, Target
from models.address import EmailAddress
from models.base import Base, BigId, RuleBroken, db, now
from models.organisation import Organisation

PASSWORD_MIN = 10
PASSWORD_MAX = 1024
NAME_MAX = 100
ROUNDS = 12  # bcrypt's cost: each step doubles the time of a try
EPOCH_LEAP = 10_000
_SESSION_ID = re.compile(r"(?P<id>[0-9]{1,18})\.(?P<epoch>[0-9]{1,9})", re.ASCII)


class Role(StrEnum):
    """What a user may do: members read, admins change."""

    ADMIN = "admin"
    MEMBER = "member"


class User(UserMixin, Base):  # type: ignore[misc]  # Flask-Login ships no types
    """A person who signs in to the console of one organisation."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('admin', 'member')", name="role"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    email: Mapped[str] = mapped_column(String(320))
    email_identity: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    role: Mapped[str] = mapped_column(String(16))
    password_hash: Mapped[str] = mapped_column(String(60))
    session_epoch: Mapped[int] = mapped_column(default=0)
    deactivated_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)

    @classmethod
    def create(
        cls, organisation: Organisation, email: str, role: Role, password: str, actor: Actor, name: str = ""
    ) -> Self:
        """Add a user. Raises RuleBroken for a bad or taken address, name or password."""
        address = EmailAddress.parse(email)
        if cls.by_email(email) is not None:
            raise RuleBroken("email", "Somebody already signs in with this address.")
        name = (name or address.shown.rpartition("@")[0]).strip()
        if not 1 <= len(name) <= NAME_MAX or not name.isprintable():
            raise RuleBroken("name", f"Give a name of 1 to {NAME_MAX} printable characters.")
        user = cls(
            organisation_id=organisation.id,
            email=address.shown,
            email_identity=address.identity,
            name=name,
            role=role.value,
            password_hash=_stretch(checked_password(password)),
        )
        db.session.add(user)
        db.session.flush()
        ActivityEvent.record(organisation.id, Action.USER_CREATED, actor, user.target, {"role": role.value})
        return user

    @staticmethod
    def account_of(email: str) -> str:
        """What two spellings of one address have in common, for counting tries; any text has one."""
        try:
            return EmailAddress.parse(email).identity
        except RuleBroken:
            return hashlib.sha256(email.encode("utf-8", "surrogatepass")).hexdigest()

    @classmethod
    def by_email(cls, email: str) -> Self | None:
        """The user who signs in with this address, deactivated or not; None for anything unknown."""
        try:
            identity = EmailAddress.parse(email).identity
        except RuleBroken:
            return None
        return db.session.scalar(select(cls).where(cls.email_identity == identity))

    @classmethod
    def all_of(cls, organisation: Organisation) -> list[Self]:
        """The organisation's users in the order in which they came, deactivated ones included."""
        return list(db.session.scalars(select(cls).where(cls.organisation_id == organisation.id).order_by(cls.id)))

    @classmethod
    def authenticate(cls, email: str, password: str) -> Self | None:
        """The active user with this address and password, else None.

        An unknown address costs as much time as a known one, so that neither answer nor clock
        tells whether somebody has an account.
        """
        user = cls.by_email(email)
        matches = _matches(password, user.password_hash if user else _nobodys_hash(ROUNDS))
        return user if user and matches and user.deactivated_at is None else None

    @classmethod
    def by_session(cls, session_id: str) -> Self | None:
        """The active user whom a console session names, unless the session has ended on the server."""
        statement = cls._of_session(session_id)
        return None if statement is None else db.session.scalar(statement)

    @classmethod
    def hold(cls, session_id: str, *, alone: bool = False) -> Self | None:
        """Re-read the user of a session inside a writing transaction; None if the session has ended meanwhile.

        What ends sessions waits until the transaction has ended, so that no change of theirs commits after it.
        Whoever ends sessions themselves holds the user `alone`. Comes before any other lock.
        """
        statement = cls._of_session(session_id)
        if statement is None:
            return None
        statement = statement.with_for_update(read=not alone, key_share=alone, of=cls)
        return db.session.scalar(statement.execution_options(populate_existing=True))

    @classmethod
    def _of_session(cls, session_id: str) -> Select[Self] | None:
        named = _SESSION_ID.fullmatch(session_id)
        if named is None:
            return None
        is_current = (cls.session_epoch == int(named["epoch"]), cls.deactivated_at.is_(None))
        return select(cls).where(cls.id == int(named["id"]), *is_current)

    def get_id(self) -> str:
        """What a session keeps: it stops naming the user when the epoch moves on."""
        return f"{self.id}.{self.session_epoch}"

    @property
    def is_admin(self) -> bool:
        """Whether this user may change things."""
        return self.role == Role.ADMIN

    @property
    def target(self) -> Target:
        """The user as the activity log names them."""
        return Target("user", str(self.id), self.email)

    def as_actor(self, ip: str | None, user_agent: str | None, request_id: str | None) -> Actor:
        """This user as the one who makes a change in the console."""
        return Actor(
            ActorType.USER, self.name, self.id, self.email, ip=ip, user_agent=user_agent, request_id=request_id
        )

    def has_password(self, password: str) -> bool:
        """Whether this is the user's password."""
        return _matches(password, self.password_hash)

    def end_sessions(self) -> None:
        """Sign the user out of every browser, at once and on every worker."""
        self._lock()
        self.session_epoch += 1
        db.session.flush()

    @classmethod
    def end_every_session(cls) -> None:
        """Sign everybody out, in a restored database too.

        A leap, not a step: the sessions of the time that was lost carry epochs a little above those in the backup.
        """
        db.session.execute(update(cls).values(session_epoch=cls.session_epoch + EPOCH_LEAP))

    def change_password(self, password: str, actor: Actor) -> None:
        """Set a new password and end all sessions. Raises RuleBroken for an unusable one."""
        self.password_hash = _stretch(checked_password(password))
        self.end_sessions()
        ActivityEvent.record(self.organisation_id, Action.USER_PASSWORD_CHANGED, actor, self.target)

    def deactivate(self, actor: Actor) -> bool:
        """Shut the user out and end all sessions; False, and nothing written, if that was so already."""
        self._lock()
        if self.deactivated_at is not None:
            return False
        self.deactivated_at = now()
        self.end_sessions()
        ActivityEvent.record(self.organisation_id, Action.USER_DEACTIVATED, actor, self.target)
        return True

    def _lock(self) -> None:
        db.session.flush()
        db.session.refresh(self, ["session_epoch", "deactivated_at"], with_for_update={"key_share": True})


def checked_password(password: str, field: str = "password") -> str:
    """The password itself, if it may be one. Raises RuleBroken for `field`."""
    if len(password) < PASSWORD_MIN:
        raise RuleBroken(field, f"Use {PASSWORD_MIN} characters or more.")
    if len(password) > PASSWORD_MAX:
        raise RuleBroken(field, f"Use {PASSWORD_MAX:,} characters or fewer.")
    return password


def random_password() -> str:
    """A password for somebody who is to change it: 120 random bits, easy to copy."""
    return secrets.token_urlsafe(15)


def _stretch(password: str) -> str:
    return bcrypt.hashpw(_within_bcrypts_limit(password), bcrypt.gensalt(ROUNDS)).decode("ascii")


def _matches(password: str, password_hash: str) -> bool:
    try:
        return bcrypt.checkpw(_within_bcrypts_limit(password), password_hash.encode("ascii"))
    except ValueError:  # a hash that was damaged in the database matches nothing
        return False


def _within_bcrypts_limit(password: str) -> bytes:
    """44 bytes for any password: bcrypt takes no more than 72, and stops at a NUL."""
    return base64.b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())


def _nobodys_hash(rounds: int) -> str:
    """A hash as dear to compare as a real one, which no password matches in practice.

    Written out, not made: making it would let the first try of every process take twice as long.
    """
    return f"$2b${rounds:02}${'.' * 53}"
