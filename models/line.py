"""The line: who stands on a page of it, and which place a subscriber has, at a cost that does not grow."""

import json
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from models import search
from models.line_count import place_sql, seek_sql
from models.reading import Query, Row, moment
from models.subscriber import Entry
from models.waitlist import Waitlist, is_public_id


class Page(NamedTuple):
    """Some entries in line order, and how many there are on all pages together."""

    entries: list[Entry]
    total: int


_THIS_WAITLIST = """
    waitlists.public_id = %(public_id)s AND waitlists.organisation_id = %(organisation_id)s
    AND (%(archived_too)s OR waitlists.archived_at IS NULL)
"""
_WAITLIST = Query(f"SELECT id, subscribers_count FROM waitlists WHERE {_THIS_WAITLIST}")
_COLUMNS = """
    one.id, one.email, one.joined_at,
    CASE WHEN waitlists.has_referrals THEN coalesce(one.referral_code, '') ELSE '' END, one.referral_count
"""  # codes show only while referrals are on
_IN_LINE_ORDER = "ORDER BY one.line_key, one.join_number DESC"


def _page_query(seek: str, first_key: str, skipped: str) -> Query:
    """A page with the waitlist's total in one statement, so that both are of one moment.

    SQLite sees that the waitlist is one row and reads the line in the order of its index; PostgreSQL
    would sort the whole line, unless the page is cut off within a subquery.
    """
    start = f"{seek} SELECT waitlists.subscribers_count, {_COLUMNS} FROM waitlists"
    rows = f"one.waitlist_id = waitlists.id {first_key}"
    cut = f"{_IN_LINE_ORDER} LIMIT %(limit)s {skipped}"
    return Query(
        f"{start} LEFT JOIN subscribers AS one ON {rows} WHERE {_THIS_WAITLIST} {cut}",
        postgresql=f"{start} LEFT JOIN LATERAL (SELECT * FROM subscribers AS one WHERE {rows} {cut}) AS one ON true"
        f" WHERE {_THIS_WAITLIST} {_IN_LINE_ORDER}",
    )


_FIRST_PAGE = _page_query("", "", "")
_PAGE = _page_query(
    f"WITH {seek_sql(f'(SELECT id FROM waitlists WHERE {_THIS_WAITLIST})')}",
    "AND one.line_key >= (SELECT line_key FROM seek)",
    "OFFSET coalesce((SELECT skipped FROM seek), 0)",
)
_WITH_PLACE = f"""
    SELECT {place_sql()}, {_COLUMNS}
    FROM subscribers AS one JOIN waitlists ON waitlists.id = one.waitlist_id
"""
_FIND = Query(f"{_WITH_PLACE} WHERE one.waitlist_id = %(waitlist_id)s AND one.email_identity = %(identity)s")
_WITH_IDENTITY = _WITH_PLACE.replace("SELECT", "SELECT one.email_identity,", 1)
_FIND_ALL = Query(
    f"{_WITH_IDENTITY} WHERE one.waitlist_id = %(waitlist_id)s"
    " AND one.email_identity IN (SELECT value FROM json_each(%(identities)s))",
    postgresql=f"{_WITH_IDENTITY} WHERE one.waitlist_id = %(waitlist_id)s"
    " AND one.email_identity IN (SELECT json_array_elements_text(%(identities)s))",
)
_BY_IDS = Query(
    f"{_WITH_PLACE} WHERE one.id IN (SELECT value FROM json_each(%(ids)s)) {_IN_LINE_ORDER}",
    postgresql=f"{_WITH_PLACE} WHERE one.id IN (SELECT value::bigint FROM json_array_elements_text(%(ids)s) AS value)"
    f" {_IN_LINE_ORDER}",
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

    Without `q` it is one statement: one seek finds the first row, whose place is offset + 1. A malformed
    id costs none.
    """
    if not is_public_id(public_id):
        return None
    parameters = {"organisation_id": organisation_id, "public_id": public_id, "archived_too": archived_too}
    if q:
        return _matching_page(parameters, offset, limit, q.lower())
    rows = (_PAGE if offset else _FIRST_PAGE).all(parameters | {"offset": offset, "limit": limit})
    if not rows:  # past the end, or no such waitlist
        here = _WAITLIST.one_or_none(parameters)
        if here is not None and here[1] > offset:  # somebody has joined since: now there is such a page
            return live_page(organisation_id, public_id, offset=offset, limit=limit, archived_too=archived_too)
        return None if here is None else Page([], here[1])
    total, first_id = rows[0][:2]
    return Page([] if first_id is None else _entries(range(offset + 1, offset + 1 + len(rows)), rows), total)


def find(waitlist: Waitlist, email_identity: str) -> Entry | None:
    """The subscriber of the waitlist with this address, with their place; None where there is none."""
    row = _FIND.one_or_none({"waitlist_id": waitlist.id, "identity": email_identity})
    return None if row is None else _entries([row[0]], [row])[0]


def get(waitlist: Waitlist, email_identity: str) -> Entry:
    """The same where there must be one; raises LookupError."""
    entry = find(waitlist, email_identity)
    if entry is None:
        raise LookupError(f"nobody on {waitlist.public_id} has this address")
    return entry


def find_all(waitlist: Waitlist, email_identities: Collection[str]) -> dict[str, Entry]:
    """The subscribers of the waitlist with these addresses, by the addresses' identities."""
    if not email_identities:
        return {}
    rows = _FIND_ALL.all({"waitlist_id": waitlist.id, "identities": json.dumps(list(email_identities))})
    entries = _entries([row[1] for row in rows], [row[1:] for row in rows])
    return {row[0]: entry for row, entry in zip(rows, entries, strict=True)}


def _matching_page(parameters: dict[str, Any], offset: int, limit: int, q: str) -> Page | None:
    here = _WAITLIST.one_or_none(parameters)
    if here is None:
        return None
    waitlist_id, size = here
    ids, total = search.page_of_ids(waitlist_id, size, q, offset=offset, limit=limit)
    rows = _BY_IDS.all({"ids": json.dumps(ids)})
    return Page(_entries([row[0] for row in rows], rows), total)


def _entries(places: Iterable[int], rows: list[Row]) -> list[Entry]:
    """The entries of rows that end in _COLUMNS, with their places: in one go, for this is on every call's path."""
    return [
        Entry(id_, email, moment(joined_at), place, code, referral_count)
        for place, (_, id_, email, joined_at, code, referral_count) in zip(places, rows, strict=True)
    ]
