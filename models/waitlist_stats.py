"""The figures at the top of a waitlist's page."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import case, func, select

from models.base import db, now
from models.subscriber import Subscriber
from models.waitlist import Waitlist

RECENT = timedelta(days=7)


class WaitlistStats(NamedTuple):
    """How many there are, how many of them are new, and how many were brought by somebody."""

    subscribers: int
    joined_last_7_days: int
    by_referral: int


def stats(waitlist: Waitlist) -> WaitlistStats:
    """Count the waitlist's subscribers."""
    is_recent = case((Subscriber.joined_at >= now() - RECENT, 1))
    counts = select(func.count(), func.count(is_recent), func.count(Subscriber.referred_by_id))
    return WaitlistStats(*db.session.execute(counts.where(Subscriber.waitlist_id == waitlist.id)).one())
