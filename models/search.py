"""Search: which subscribers of a waitlist have an address that contains a term, in line order.

A rare term is looked up in the engine's trigram index, which keeps every waitlist apart. For a frequent
one the line is walked in order until the page is full, where that is the shorter way. Terms of fewer
than three characters have no trigram: they walk. The total is exact in every case.
"""

from typing import Any, NamedTuple

from models.base import db
from models.reading import Query

TRIGRAM = 3
RARE = 1000  # up to so many matches are simply fetched and sorted
WALKED_PER_FETCHED = 8  # rows that a walk passes in the time in which one match is fetched and sorted
NO_CAP = 2**62

# A row's id in SQLite's index is its waitlist and its join number: a search reads one range, one list.
JOIN_NUMBER_BITS = 40


class _Ways(NamedTuple):
    """The ways to search on one engine."""

    fetched: Query
    counted: Query
    walked: Query
    counted_walking: Query


def _ways(hits: str, ids: str, contains: str) -> _Ways:
    """The ways made of an engine's own parts; never prepared, or PostgreSQL would take a plan that knows no term."""
    in_line_order = "ORDER BY line_key, join_number DESC LIMIT %(limit)s OFFSET %(offset)s"
    here = f"FROM subscribers WHERE waitlist_id = %(waitlist_id)s AND {contains}"
    return _Ways(
        fetched=Query(f"SELECT id FROM {ids} {in_line_order}", is_prepared=False),
        counted=Query(f"SELECT count(*) {hits}", is_prepared=False),
        walked=Query(f"SELECT id {here} {in_line_order}", is_prepared=False),
        counted_walking=Query(f"SELECT count(*) {here}", is_prepared=False),
    )


_SQLITE_HITS = (
    "FROM subscriber_search WHERE subscriber_search MATCH %(phrase)s AND rowid BETWEEN %(first_row)s AND %(last_row)s"
)
# The cast matters: btree_gin compares a bigint column with nothing but a bigint (before PostgreSQL 18), and
# psycopg sends a small number as a smallint.
_POSTGRESQL_HITS = (
    "FROM subscribers WHERE waitlist_id = CAST(%(waitlist_id)s AS bigint) AND email_search LIKE %(pattern)s"
)
_WAYS = {
    "sqlite": _ways(
        hits=_SQLITE_HITS,
        ids=f"(SELECT rowid - %(first_row)s AS hit {_SQLITE_HITS} LIMIT %(cap)s) CROSS JOIN subscribers"
        " ON waitlist_id = %(waitlist_id)s AND join_number = hit",  # hits first, whatever the planner thinks
        contains="instr(email_search, %(q)s) > 0",
    ),
    "postgresql": _ways(
        hits=_POSTGRESQL_HITS,
        ids=f"(SELECT id, line_key, join_number {_POSTGRESQL_HITS} LIMIT %(cap)s) AS hits",
        contains="strpos(email_search, %(q)s) > 0",
    ),
}


def page_of_ids(waitlist_id: int, size: int, q: str, *, offset: int, limit: int) -> tuple[list[int], int]:
    """The ids on a page of matches, in line order, and the number of all matches.

    `size` is the number of subscribers on the waitlist, `q` the term in lower case.
    """
    ways = _WAYS[db.engine.dialect.name]
    term = _term(waitlist_id, q)
    if len(q) < TRIGRAM:
        return _ids(ways.walked, term, offset, limit), _number(ways.counted_walking, term)
    rare = _ids(ways.fetched, term | {"cap": RARE + 1}, 0, RARE + 1)
    if len(rare) <= RARE:
        return rare[offset : offset + limit], len(rare)
    total = _number(ways.counted, term)
    passed = size * min(offset + limit, total) // total
    way = ways.walked if passed < total * WALKED_PER_FETCHED else ways.fetched
    return _ids(way, term | {"cap": NO_CAP}, offset, limit), total


def _ids(query: Query, term: dict[str, Any], offset: int, limit: int) -> list[int]:
    return [row[0] for row in query.all(term | {"offset": offset, "limit": limit})]


def _number(query: Query, term: dict[str, Any]) -> int:
    return int(query.all(term)[0][0])


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
