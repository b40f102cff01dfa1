"""SubscriberExport: everybody on a waitlist, once, in the order in which they joined."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, Self

from models.reading import Query, moment
from models.waitlist import Waitlist

BATCH = 1000

_JOIN_NUMBER = Query("SELECT join_number FROM subscribers WHERE id = %(id)s AND waitlist_id = %(waitlist_id)s")
_LAST_JOIN_NUMBER = Query("SELECT next_join_number - 1 FROM waitlists WHERE id = %(waitlist_id)s")
_ROWS = Query("""
    SELECT one.id, one.email, one.joined_at, one.join_number,
        CASE WHEN waitlists.has_referrals THEN coalesce(one.referral_code, '') ELSE '' END, one.referral_count
    FROM subscribers AS one JOIN waitlists ON waitlists.id = one.waitlist_id
    WHERE one.waitlist_id = %(waitlist_id)s AND one.join_number > %(after)s AND one.join_number <= %(last)s
    ORDER BY one.join_number LIMIT %(limit)s
""")


class ExportedSubscriber(NamedTuple):
    """A subscriber without a place: places move while an export runs, the number of the joining does not."""

    id: int
    email: str
    joined_at: datetime
    join_number: int
    referral_code: str
    referral_count: int


class SubscriberExport(NamedTuple):
    """Those who joined a waitlist after one join number, up to and with another.

    Join numbers are given out under the waitlist's lock and never change, so whoever had joined when the
    export began is in it exactly once, however the line moves and whoever joins meanwhile.
    """

    waitlist_id: int
    after: int
    last: int

    @classmethod
    def of(cls, waitlist: Waitlist, after_id: int | None = None) -> Self | None:
        """Everybody who has joined by now; with `after_id` those behind that subscriber.

        None where no subscriber of the waitlist has that id.
        """
        here = {"waitlist_id": waitlist.id}
        after = (0,) if after_id is None else _JOIN_NUMBER.one_or_none(here | {"id": after_id})
        last = _LAST_JOIN_NUMBER.one_or_none(here)
        return None if after is None or last is None else cls(waitlist.id, after[0], last[0])

    @property
    def total(self) -> int:
        """How many they are: nobody leaves a line, and its join numbers have no gaps."""
        return self.last - self.after

    def batches(self) -> Iterator[list[ExportedSubscriber]]:
        """Up to BATCH of them at a time, each batch by one short read: nothing is held in between.

        The memory it takes does not grow with the line. Raises SQLAlchemy's errors.
        """
        after = self.after
        while rows := _ROWS.all(self._replace(after=after)._asdict() | {"limit": BATCH}):
            yield [
                ExportedSubscriber(id_, email, moment(joined_at), number, code, referral_count)
                for id_, email, joined_at, number, code, referral_count in rows
            ]
            after = rows[-1][3]
