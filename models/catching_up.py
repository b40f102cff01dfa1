"""What a restored database must catch up with: what was done between its backup and its loss.

A backup brings revoked keys, deactivated users and old passwords back to life. An exported activity log knows
what happened since; without one, everything that could have been closed has to be closed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Self

from sqlalchemy import select

from models.activity import Action, ActivityEvent, Actor, Target
from models.address import EmailAddress
from models.api_key import ApiKey
from models.base import RuleBroken, db
from models.organisation import Organisation, Plan
from models.subscriber import Signup, Subscriber
from models.user import User, random_password
from models.waitlist import Waitlist


class Verdict(StrEnum):
    """What became of a logged event."""

    DONE = "done again"
    LEFT = "left as it is"
    UNREADABLE = "makes no sense, so nothing came of it"


class LoggedEvent(NamedTuple):
    """An event of an exported log, whose database may be lost."""

    id: int
    action: str
    target: Target
    details: Mapping[str, Any]
    whole: Mapping[str, Any]

    @classmethod
    def of_json(cls, event: Any) -> Self:
        """The event of one line. Raises ValueError where it is none."""
        try:
            target = Target(*(str(event["target"][name]) for name in Target._fields))
            return cls(int(event["id"]), str(event["action"]), target, dict(event["details"]), dict(event))
        except (KeyError, TypeError):
            raise ValueError("not an event") from None


class CatchUp:
    """The work of one restored database, in the order in which things happened."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._subscribers: dict[str, int] = {}  # whom a lost id belongs to now
        self._again: dict[str, Callable[[LoggedEvent], bool]] = {
            Action.API_KEY_REVOKED: self._revoke,
            Action.USER_DEACTIVATED: self._deactivate,
            Action.USER_PASSWORD_CHANGED: self._forget_password,
            Action.PLAN_CHANGED: self._set_plan,
            Action.WAITLIST_ARCHIVED: self._archive,
            Action.WAITLIST_RESTORED: self._restore,
            Action.SUBSCRIBER_CREATED: self._join,
        }

    def with_events(self, events: Sequence[LoggedEvent]) -> Iterator[tuple[LoggedEvent, Verdict]]:
        """Do again what these events say and the database does not know, and say of each what became of it.

        What has to do with somebody or something made after the backup cannot be done: they are not here. An event
        that makes no sense keeps no other from being done. Doing all of it twice before anything else has changed
        does no harm. May raise TryAgain, as joins do.
        """
        kept = select(ActivityEvent).where(ActivityEvent.id.in_([event.id for event in events]))
        here = {event.id: event.as_json() for event in db.session.scalars(kept)}
        for event in events:
            if here.get(event.id) == event.whole:
                continue
            yield event, self._verdict(event)

    def _verdict(self, event: LoggedEvent) -> Verdict:
        again = self._again.get(event.action)
        try:
            return Verdict.DONE if again is not None and again(event) else Verdict.LEFT
        except ValueError:  # of an id or an address, before anything is written
            return Verdict.UNREADABLE

    def by_revoking_all(self) -> Iterator[Target]:
        """Revoke every active key of every organisation: what to do when nobody knows which were revoked."""
        active = select(ApiKey).where(ApiKey.revoked_at.is_(None)).order_by(ApiKey.id)
        for key in db.session.scalars(active).all():
            key.revoke(self._actor)
            yield key.target

    def _revoke(self, event: LoggedEvent) -> bool:
        key = db.session.get(ApiKey, _id(event.target.id))
        return key is not None and key.prefix == event.details.get("prefix") and key.revoke(self._actor)

    def _deactivate(self, event: LoggedEvent) -> bool:
        user = self._user(event)
        return user is not None and user.deactivate(self._actor)

    def _forget_password(self, event: LoggedEvent) -> bool:
        """Let nobody in by the password that was replaced; the one that replaced it is in no log."""
        user = self._user(event)
        if user is not None:
            user.change_password(random_password(), self._actor)
        return user is not None

    @staticmethod
    def _user(event: LoggedEvent) -> User | None:
        user = db.session.get(User, _id(event.target.id))
        return user if user is not None and user.email == event.target.label else None

    def _set_plan(self, event: LoggedEvent) -> bool:
        organisation = db.session.scalar(select(Organisation).where(Organisation.slug == event.target.id))
        plan = Plan(str(event.details.get("to")))
        if organisation is None or organisation.plan is plan:
            return False
        organisation.set_plan(plan, self._actor)
        return True

    def _archive(self, event: LoggedEvent) -> bool:
        waitlist = _waitlist(event.target.id)
        return waitlist is not None and waitlist.archive(self._actor)

    def _restore(self, event: LoggedEvent) -> bool:
        waitlist = _waitlist(event.target.id)
        return waitlist is not None and waitlist.restore(self._actor)

    def _join(self, event: LoggedEvent) -> bool:
        """Put somebody at the end of the line again, with a new referral code, and credit who referred them."""
        waitlist = _waitlist(str(event.details.get("waitlist_id")))
        if waitlist is None or waitlist.is_archived:
            return False
        signup = Signup(EmailAddress.parse(event.target.label), self._code(waitlist, event.details.get("referred_by")))
        (entry,) = Subscriber.join_each(waitlist, [signup], self._actor)
        if entry is None or isinstance(entry, RuleBroken):
            return False
        self._subscribers[event.target.id] = entry.id
        return True

    def _code(self, waitlist: Waitlist, referrer: object) -> str | None:
        """The code by which somebody with this id in the log refers others now."""
        if referrer is None:
            return None
        id_ = self._subscribers.get(str(referrer), _id(str(referrer)))
        is_referrer = (Subscriber.id == id_, Subscriber.waitlist_id == waitlist.id)
        return db.session.scalar(select(Subscriber.referral_code).where(*is_referrer))


def _id(text: str) -> int:
    """The number of an id. Raises ValueError for what no row can have."""
    number = int(text)
    if not 0 < number < 2**63:
        raise ValueError(f"no id: {text}")
    return number


def _waitlist(public_id: str) -> Waitlist | None:
    return db.session.scalar(select(Waitlist).where(Waitlist.public_id == public_id))
