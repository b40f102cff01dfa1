"""The line: who stands on a page of it, and which place a subscriber has, at a cost that does not grow."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, text

from models import search
from models.base import db
from models.line_count import CHUNKS_PER_WIDE, NARROW_SHIFT, NARROW_SPAN, PLACE, WIDE_SHIFT
from models.subscriber import Entry
from models.waitlist import Waitlist


class Page(NamedTuple):
    """Some entries in line order, and how many there are on all pages together."""

    entries: list[Entry]
    total: int


_THIS_WAITLIST = """
    SELECT id, subscribers_count AS total, has_referrals FROM waitlists
    WHERE public_id = :public_id AND organisation_id = :organisation_id AND (:archived_too OR archived_at IS NULL)
"""
_COLUMNS = "id, email, joined_at, referral_code, referral_count, line_key, join_number"
_WITH_WAITLIST = """
    SELECT here.total, here.has_referrals, rows.* FROM here LEFT JOIN rows ON true
    ORDER BY rows.line_key, rows.join_number DESC
"""
_WAITLIST = text(_THIS_WAITLIST)
_FIRST_PAGE = text(f"""
    WITH here AS ({_THIS_WAITLIST}), rows AS (
        SELECT {_COLUMNS} FROM subscribers WHERE waitlist_id = (SELECT id FROM here)
        ORDER BY line_key, join_number DESC LIMIT :limit
    ) {_WITH_WAITLIST}
""")
# The wide chunk that holds the row at the offset, then the narrow one within it, each with the number of
# rows before it; the rest of the way is at most one narrow chunk long.
_PAGE = text(f"""
    WITH here AS ({_THIS_WAITLIST}), wide AS (
        SELECT chunk, before FROM (
            SELECT chunk, sum(count) OVER (ORDER BY chunk) - count AS before FROM line_counts
            WHERE waitlist_id = (SELECT id FROM here) AND shift = {WIDE_SHIFT}
        ) AS counted WHERE before <= :offset ORDER BY chunk DESC LIMIT 1
    ), narrow AS (
        SELECT chunk, before FROM (
            SELECT inner_.chunk, wide.before + sum(inner_.count) OVER (ORDER BY inner_.chunk) - inner_.count AS before
            FROM wide JOIN line_counts AS inner_
            ON inner_.waitlist_id = (SELECT id FROM here) AND inner_.shift = {NARROW_SHIFT}
            AND inner_.chunk >= wide.chunk * {CHUNKS_PER_WIDE} AND inner_.chunk < (wide.chunk + 1) * {CHUNKS_PER_WIDE}
        ) AS counted WHERE before <= :offset ORDER BY chunk DESC LIMIT 1
    ), rows AS (
        SELECT {_COLUMNS} FROM subscribers
        WHERE waitlist_id = (SELECT id FROM here) AND line_key >= (SELECT chunk * {NARROW_SPAN} FROM narrow)
        ORDER BY line_key, join_number DESC
        LIMIT :limit OFFSET :offset - (SELECT before FROM narrow)
    ) {_WITH_WAITLIST}
""")
_WITH_PLACE = f"""
    SELECT one.id, one.email, one.joined_at, one.referral_code, one.referral_count, waitlists.has_referrals,
        {PLACE} AS place
    FROM subscribers AS one JOIN waitlists ON waitlists.id = one.waitlist_id
"""
_FIND = text(f"{_WITH_PLACE} WHERE one.waitlist_id = :waitlist_id AND one.email_identity = :identity")
_BY_IDS = text(f"{_WITH_PLACE} WHERE one.id IN :ids ORDER BY one.line_key, one.join_number DESC").bindparams(
    bindparam("ids", expanding=True)
)


def page(waitlist: Waitlist, *, offset: int, limit: int, q: str = "") -> Page:
    """The entries from `offset` (counted from 0) on, `limit` of them at most, archived or not.

    `q` leaves only the addresses that contain it, whatever the case; positions stay those in the
    whole line. A page past the end has no entries.
    """
    found = live_page(waitlist.organisation_id, waitlist.public_id, offset=offset, limit=limit, q=q, archived_too=True)
    return found or Page([], 0)


def live_page(
    organisation_id: int, public_id: str, *, offset: int, limit: int, q: str = "", archived_too: bool = False
) -> Page | None:
    """The same for the organisation's waitlist of this id; None where there is none that is not archived.

    Without `q` it is one statement: one seek finds the first row, whose place is offset + 1.
    """
    waitlist = {"organisation_id": organisation_id, "public_id": public_id, "archived_too": archived_too}
    if q:
        return _matching_page(waitlist, offset, limit, q.lower())
    statement = _PAGE if offset else _FIRST_PAGE
    rows = db.session.execute(statement, waitlist | {"offset": offset, "limit": limit}).all()
    if not rows:
        return None
    places = range(offset + 1, offset + 1 + len(rows))
    entries = [_entry(row, place) for row, place in zip(rows, places, strict=True) if row.id is not None]
    return Page(entries, rows[0].total)


def find(waitlist: Waitlist, email_identity: str) -> Entry | None:
    """The subscriber of the waitlist with this address, with their place; None where there is none."""
    parameters = {"waitlist_id": waitlist.id, "identity": email_identity}
    row = db.session.execute(_FIND, parameters).one_or_none()
    return None if row is None else _entry(row, row.place)


def get(waitlist: Waitlist, email_identity: str) -> Entry:
    """The same where there must be one; raises NoResultFound."""
    row = db.session.execute(_FIND, {"waitlist_id": waitlist.id, "identity": email_identity}).one()
    return _entry(row, row.place)


def _matching_page(waitlist: dict[str, Any], offset: int, limit: int, q: str) -> Page | None:
    here = db.session.execute(_WAITLIST, waitlist).one_or_none()
    if here is None:
        return None
    ids, total = search.page_of_ids(here.id, here.total, q, offset=offset, limit=limit)
    if not ids:
        return Page([], total)
    rows = db.session.execute(_BY_IDS, {"ids": ids}).all()
    return Page([_entry(row, row.place) for row in rows], total)


def _entry(row: Row[Any], place: int) -> Entry:
    """Referral codes show only while the waitlist has referrals on."""
    joined_at = row.joined_at
    if isinstance(joined_at, str):  # SQLite's form of a moment
        joined_at = datetime.fromisoformat(joined_at).replace(tzinfo=UTC)
    code = (row.referral_code or "") if row.has_referrals else ""
    return Entry(row.id, row.email, joined_at, place, code, row.referral_count)
