"""The line: who stands on a page of it, and which place a subscriber has, at a cost that does not grow."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from models import search
from models.base import db
from models.line_count import CHUNKS_PER_WIDE, NARROW_SHIFT, NARROW_SPAN, PLACE, WIDE_SHIFT
from models.reading import Query, Row
from models.subscriber import Entry
from models.waitlist import Waitlist


class Page(NamedTuple):
    """Some entries in line order, and how many there are on all pages together."""

    entries: list[Entry]
    total: int


_THIS_WAITLIST = """
    SELECT id, subscribers_count AS total, has_referrals FROM waitlists
    WHERE public_id = %(public_id)s AND organisation_id = %(organisation_id)s
    AND (%(archived_too)s OR archived_at IS NULL)
"""
_COLUMNS = "id, email, joined_at, referral_code, referral_count, line_key, join_number"
_WITH_WAITLIST = """
    SELECT here.total, here.has_referrals, rows.id, rows.email, rows.joined_at, rows.referral_code, rows.referral_count
    FROM here LEFT JOIN rows ON true ORDER BY rows.line_key, rows.join_number DESC
"""
_WAITLIST = Query(_THIS_WAITLIST)
_FIRST_PAGE = Query(f"""
    WITH here AS ({_THIS_WAITLIST}), rows AS (
        SELECT {_COLUMNS} FROM subscribers WHERE waitlist_id = (SELECT id FROM here)
        ORDER BY line_key, join_number DESC LIMIT %(limit)s
    ) {_WITH_WAITLIST}
""")
# The wide chunk that holds the row at the offset, then the narrow one within it, each with the number of
# rows before it; the rest of the way is at most one narrow chunk long.
_PAGE = Query(f"""
    WITH here AS ({_THIS_WAITLIST}), wide AS (
        SELECT chunk, before FROM (
            SELECT chunk, sum(count) OVER (ORDER BY chunk) - count AS before FROM line_counts
            WHERE waitlist_id = (SELECT id FROM here) AND shift = {WIDE_SHIFT}
        ) AS counted WHERE before <= %(offset)s ORDER BY chunk DESC LIMIT 1
    ), narrow AS (
        SELECT chunk, before FROM (
            SELECT part.chunk, wide.before + sum(part.count) OVER (ORDER BY part.chunk) - part.count AS before
            FROM wide JOIN line_counts AS part
            ON part.waitlist_id = (SELECT id FROM here) AND part.shift = {NARROW_SHIFT}
            AND part.chunk >= wide.chunk * {CHUNKS_PER_WIDE} AND part.chunk < (wide.chunk + 1) * {CHUNKS_PER_WIDE}
        ) AS counted WHERE before <= %(offset)s ORDER BY chunk DESC LIMIT 1
    ), rows AS (
        SELECT {_COLUMNS} FROM subscribers
        WHERE waitlist_id = (SELECT id FROM here) AND line_key >= (SELECT chunk * {NARROW_SPAN} FROM narrow)
        ORDER BY line_key, join_number DESC
        LIMIT %(limit)s OFFSET %(offset)s - (SELECT before FROM narrow)
    ) {_WITH_WAITLIST}
""")
_WITH_PLACE = f"""
    SELECT {PLACE} AS place, waitlists.has_referrals,
        one.id, one.email, one.joined_at, one.referral_code, one.referral_count
    FROM subscribers AS one JOIN waitlists ON waitlists.id = one.waitlist_id
"""
_IN_LINE_ORDER = "ORDER BY one.line_key, one.join_number DESC"
_FIND = Query(f"{_WITH_PLACE} WHERE one.waitlist_id = %(waitlist_id)s AND one.email_identity = %(identity)s")
_BY_IDS = {
    "sqlite": Query(f"{_WITH_PLACE} WHERE one.id IN (SELECT value FROM json_each(%(ids)s)) {_IN_LINE_ORDER}"),
    "postgresql": Query(f"{_WITH_PLACE} WHERE one.id = ANY(%(ids)s) {_IN_LINE_ORDER}"),
}


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
    parameters = {"organisation_id": organisation_id, "public_id": public_id, "archived_too": archived_too}
    if q:
        return _matching_page(parameters, offset, limit, q.lower())
    rows = (_PAGE if offset else _FIRST_PAGE).all(parameters | {"offset": offset, "limit": limit})
    if not rows:
        return None
    entries = [] if rows[0][2] is None else [_entry(row[1:], place) for place, row in enumerate(rows, offset + 1)]
    return Page(entries, rows[0][0])


def find(waitlist: Waitlist, email_identity: str) -> Entry | None:
    """The subscriber of the waitlist with this address, with their place; None where there is none."""
    row = _FIND.one_or_none({"waitlist_id": waitlist.id, "identity": email_identity})
    return None if row is None else _entry(row[1:], row[0])


def get(waitlist: Waitlist, email_identity: str) -> Entry:
    """The same where there must be one; raises LookupError."""
    entry = find(waitlist, email_identity)
    if entry is None:
        raise LookupError(f"nobody on {waitlist.public_id} has this address")
    return entry


def _matching_page(parameters: dict[str, Any], offset: int, limit: int, q: str) -> Page | None:
    here = _WAITLIST.one_or_none(parameters)
    if here is None:
        return None
    waitlist_id, size, _ = here
    ids, total = search.page_of_ids(waitlist_id, size, q, offset=offset, limit=limit)
    engine = db.engine.dialect.name
    rows = _BY_IDS[engine].all({"ids": json.dumps(ids) if engine == "sqlite" else ids})
    return Page([_entry(row[1:], row[0]) for row in rows], total)


def _entry(row: Row, place: int) -> Entry:
    """An entry of (has_referrals, id, email, joined_at, code, count); codes show only while referrals are on."""
    has_referrals, id_, email, joined_at, code, referral_count = row
    if isinstance(joined_at, str):  # SQLite's form of a moment
        joined_at = datetime.fromisoformat(joined_at).replace(tzinfo=UTC)
    return Entry(id_, email, joined_at, place, (code or "") if has_referrals else "", referral_count)
