"""The figures at the top of a waitlist's page, none of which is counted row by row."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

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
    """The waitlist's figures."""
    recent = waitlist.next_join_number - _first_number_since(waitlist, now() - RECENT)
    return WaitlistStats(waitlist.subscribers_count, recent, waitlist.referred_count)


def _first_number_since(waitlist: Waitlist, moment: datetime) -> int:
    """The first join number given after a moment, by bisection: numbers have no gaps and follow the clock."""
    low, high = 1, waitlist.next_join_number
    while low < high:
        middle = (low + high) // 2
        is_middle = (Subscriber.waitlist_id == waitlist.id, Subscriber.join_number == middle)
        joined_at = db.session.scalar(select(Subscriber.joined_at).where(*is_middle))
        if joined_at is None or joined_at >= moment:
            high = middle
        else:
            low = middle + 1
    return low
