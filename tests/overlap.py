"""Sign-ups that are under way while their key is revoked or their plan drops, told in the order of commits.

An end (a revocation, a drop of the plan) looks at everything that the key has done as the last thing in its own
transaction. What that look sees had committed before the end did; whatever comes to light later that it did not
see has committed after it. So the database says which was first, and no clock is asked, on either engine.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from sqlalchemy import select, text

from models import ActivityEvent, ApiKey, Organisation, Plan, Subscriber, Waitlist, db, writing
from models.activity import ActorType
from tests.factories import ACTOR, in_context

WAIT_SECONDS = 20

Seen = frozenset[int]  # the ids of events

_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def _made_by(key: ApiKey) -> Seen:
    by_key = (ActivityEvent.actor_type == ActorType.API_KEY.value, ActivityEvent.actor_id == key.id)
    return frozenset(db.session.scalars(select(ActivityEvent.id).where(*by_key)))


made_by = in_context(_made_by)


@in_context
def revoke(key: ApiKey) -> Seen:
    """Revoke the key, and see what it had done."""
    with writing():
        db.session.get_one(ApiKey, key.id).revoke(ACTOR)
        return _made_by(key)


@in_context
def downgrade(key: ApiKey) -> Seen:
    """Drop the plan of the key's organisation, and see what the key had done."""
    with writing():
        db.session.get_one(Organisation, key.organisation_id).set_plan(Plan.FREE, ACTOR)
        return _made_by(key)


@in_context
def upgrade(key: ApiKey) -> None:
    """Bring the plan back for the next race."""
    with writing():
        db.session.get_one(Organisation, key.organisation_id).set_plan(Plan.PRO, ACTOR)


End = Callable[[ApiKey], Seen]
ENDS: dict[str, tuple[End, int]] = {"revocation": (revoke, 401), "downgrade": (downgrade, 403)}


@in_context
def in_line(waitlist: Waitlist) -> set[str]:
    """The addresses on a waitlist."""
    return set(db.session.scalars(select(Subscriber.email).where(Subscriber.waitlist_id == waitlist.id)))


@in_context
def waiting_for_locks() -> int:
    """How many connections to this database of PostgreSQL wait for a lock."""
    return int(db.session.scalar(_WAITING) or 0)


def await_either(future: "Future[Any]", is_so: Callable[[], bool]) -> None:
    """Wait until something has become so, or has ended without it."""
    await_until(lambda: future.done() or is_so())


def await_until(is_so: Callable[[], bool]) -> None:
    """Wait until something has become so."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.001)
