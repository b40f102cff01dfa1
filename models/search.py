"""Search: which subscribers of a waitlist have an address that contains a term, in line order.

A rare term is looked up in the engine's trigram index, which keeps every waitlist apart. For a frequent
one the line is walked in order until the page is full, where that is the shorter way. Terms of fewer
than three characters have no trigram: they walk. The total is exact in every case.
"""

from typing import Any, NamedTuple

import psycopg

from models.base import db

TRIGRAM = 3
RARE = 1000  # up to so many matches are simply fetched and sorted
WALKED_PER_FETCHED = 8  # rows that a walk passes in the time in which one match is fetched and sorted
NO_CAP = 2**62

# A row's id in SQLite's index is its waitlist and its join number: a search reads one range, one list.
JOIN_NUMBER_BITS = 40


class _Statements(NamedTuple):
    """The ways to search on one engine."""

    sorted_: str
    counted: str
    walked: str
    counted_walking: str


_IN_LINE_ORDER = "ORDER BY line_key, join_number DESC LIMIT %(limit)s OFFSET %(offset)s"
_SQLITE_HITS = (
    "FROM subscriber_search WHERE subscriber_search MATCH %(phrase)s AND rowid BETWEEN %(first_row)s AND %(last_row)s"
)
_SQLITE = _Statements(
    sorted_="SELECT id FROM subscribers WHERE waitlist_id = %(waitlist_id)s AND join_number IN"
    f" (SELECT rowid - %(first_row)s {_SQLITE_HITS} LIMIT %(cap)s) {_IN_LINE_ORDER}",
    counted=f"SELECT count(*) {_SQLITE_HITS}",
    walked="SELECT id FROM subscribers WHERE waitlist_id = %(waitlist_id)s AND instr(email_search, %(q)s) > 0"
    f" {_IN_LINE_ORDER}",
    counted_walking="SELECT count(*) FROM subscribers"
    " WHERE waitlist_id = %(waitlist_id)s AND instr(email_search, %(q)s) > 0",
)
_POSTGRESQL_HITS = "FROM subscribers WHERE waitlist_id = %(waitlist_id)s AND email_search LIKE %(pattern)s"
_POSTGRESQL = _Statements(
    sorted_=f"SELECT id FROM (SELECT id, line_key, join_number {_POSTGRESQL_HITS} LIMIT %(cap)s) AS hits"
    f" {_IN_LINE_ORDER}",
    counted=f"SELECT count(*) {_POSTGRESQL_HITS}",
    walked="SELECT id FROM subscribers WHERE waitlist_id = %(waitlist_id)s AND strpos(email_search, %(q)s) > 0"
    f" {_IN_LINE_ORDER}",
    counted_walking="SELECT count(*) FROM subscribers"
    " WHERE waitlist_id = %(waitlist_id)s AND strpos(email_search, %(q)s) > 0",
)


def page_of_ids(waitlist_id: int, size: int, q: str, *, offset: int, limit: int) -> tuple[list[int], int]:
    """The ids on a page of matches, in line order, and the number of all matches.

    `size` is the number of subscribers on the waitlist, `q` the term in lower case.
    """
    ways = _SQLITE if db.engine.dialect.name == "sqlite" else _POSTGRESQL
    term = _term(waitlist_id, q)
    if len(q) < TRIGRAM:
        total = _first(ways.counted_walking, term)[0]
        return _first(ways.walked, term | {"offset": offset, "limit": limit}), total
    rare = _first(ways.sorted_, term | {"cap": RARE + 1, "offset": 0, "limit": RARE + 1})
    if len(rare) <= RARE:
        return rare[offset : offset + limit], len(rare)
    total = _first(ways.counted, term)[0]
    passed = size * min(offset + limit, total) // total
    way = ways.walked if passed < total * WALKED_PER_FETCHED else ways.sorted_
    return _first(way, term | {"cap": NO_CAP, "offset": offset, "limit": limit}), total


def _term(waitlist_id: int, q: str) -> dict[str, Any]:
    """The term in every form that a statement asks for; LIKE's and FTS5's special characters are literal."""
    literal = q.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    quoted = q.replace('"', '""')
    return {
        "waitlist_id": waitlist_id,
        "q": q,
        "pattern": f"%{literal}%",
        "phrase": f'"{quoted}"',
        "first_row": waitlist_id << JOIN_NUMBER_BITS,
        "last_row": ((waitlist_id + 1) << JOIN_NUMBER_BITS) - 1,
    }


def _first(statement: str, parameters: dict[str, Any]) -> list[int]:
    """The first column of every row.

    On PostgreSQL the statement is never prepared: psycopg would do so after a few calls, and then a
    generic plan, which knows no term, takes seconds where the right one takes a millisecond.
    """
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        names = {name: f":{name}" for name in parameters}
        return [row[0] for row in connection.exec_driver_sql(statement % names, parameters)]
    driver: psycopg.Connection[tuple[int]] = connection.connection.driver_connection  # type: ignore[assignment]
    with driver.cursor() as cursor:
        cursor.execute(statement, parameters, prepare=False)
        return [row[0] for row in cursor]
