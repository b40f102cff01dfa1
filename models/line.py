"""The line: which place a subscriber has, and who stands at a place."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select

from models.base import db
from models.subscriber import Subscriber
from models.waitlist import Waitlist


class Entry(NamedTuple):
    """A subscriber with the place they have in the whole line at this moment, counted from 1."""

    id: int
    email: str
    joined_at: datetime
    position: int
    referral_code: str
    referral_count: int


class Page(NamedTuple):
    """Some entries in line order, and how many there are on all pages together."""

    entries: list[Entry]
    total: int


def page(waitlist: Waitlist, *, offset: int, limit: int, q: str = "") -> Page:
    """The entries from `offset` (counted from 0) on, `limit` of them at most.

    `q` leaves only the addresses that contain it, whatever the case; positions stay those in the
    whole line. A page past the end has no entries.
    """
    place = func.row_number().over(order_by=_LINE_ORDER)
    line = select(*_COLUMNS, Subscriber.email_search, place.label("place"))
    line_rows = line.where(Subscriber.waitlist_id == waitlist.id).subquery()
    matches = line_rows.c.email_search.contains(q.lower(), autoescape=True)
    counted = select(func.count()).select_from(line_rows)
    entries = select(line_rows).order_by(line_rows.c.place).limit(limit).offset(offset)
    if q:
        counted, entries = counted.where(matches), entries.where(matches)
    total = db.session.scalar(counted) or 0
    rows = db.session.execute(entries) if offset < total else ()
    return Page([_entry(waitlist, row, row.place) for row in rows], total)


def entry(waitlist: Waitlist, subscriber: Subscriber) -> Entry:
    """One subscriber of the waitlist with their place."""
    ahead = or_(
        Subscriber.line_key < subscriber.line_key,
        and_(Subscriber.line_key == subscriber.line_key, Subscriber.join_number > subscriber.join_number),
    )
    counted = select(func.count()).where(Subscriber.waitlist_id == waitlist.id, ahead)
    return _entry(waitlist, subscriber, (db.session.scalar(counted) or 0) + 1)


_LINE_ORDER: tuple[ColumnElement[int], ...] = (Subscriber.line_key.asc(), Subscriber.join_number.desc())
_COLUMNS = (
    Subscriber.id,
    Subscriber.email,
    Subscriber.joined_at,
    Subscriber.referral_code,
    Subscriber.referral_count,
)


def _entry(waitlist: Waitlist, row: object, position: int) -> Entry:
    """Referral codes show only while the waitlist has referrals on."""
    return Entry(
        id=row.id,  # type: ignore[attr-defined]
        email=row.email,  # type: ignore[attr-defined]
        joined_at=row.joined_at,  # type: ignore[attr-defined]
        position=position,
        referral_code=(row.referral_code or "") if waitlist.has_referrals else "",  # type: ignore[attr-defined]
        referral_count=row.referral_count,  # type: ignore[attr-defined]
    )
