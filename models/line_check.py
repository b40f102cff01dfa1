"""Whether the order-statistics index and the counters agree with the rows, and how to make them agree."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import text

from models.base import db, writing
from models.line_count import SHIFTS
from models.search import JOIN_NUMBER_BITS
from models.waitlist import Waitlist


class Difference(NamedTuple):
    """One number that is wrong: where it stands, what it says, and what the rows say."""

    what: str
    stored: int
    counted: int


def differences(waitlist: Waitlist) -> list[Difference]:
    """Every number of a waitlist that does not agree with its rows, all read at one moment."""
    db.session.rollback()
    if db.engine.dialect.name == "postgresql":  # where each statement would see a moment of its own
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    try:
        return list(_differences(waitlist.id))
    finally:
        db.session.rollback()


def _differences(waitlist_id: int) -> Iterator[Difference]:
    for name, statement in _TOTALS.items():
        stored, counted = db.session.execute(statement, {"id": waitlist_id}).one()
        if stored != counted:
            yield Difference(name, stored, counted)
    for row in db.session.execute(_CHUNKS, {"id": waitlist_id}):
        yield Difference(f"chunk {row.chunk} of 2^{row.shift} line keys", row.stored, row.counted)
    if db.engine.dialect.name == "sqlite":
        parameters = {"id": waitlist_id, **_search_rows(waitlist_id)}
        stored, counted = db.session.execute(_SEARCH_ROWS_SQLITE, parameters).one()
        if stored != counted:
            yield Difference("rows in the search index", stored, counted)


def repair(waitlist: Waitlist) -> list[Difference]:
    """Count the waitlist anew, in one transaction that nobody joins meanwhile; what was wrong before."""
    with writing():
        waitlist.lock()
        found = list(_differences(waitlist.id))
        if found:
            for statement in (_FORGET_CHUNKS, _COUNT_CHUNKS, _COUNT_TOTALS):
                db.session.execute(statement, {"id": waitlist.id})
            if any("search" in difference.what for difference in found):
                db.session.execute(_INDEX_MISSING_SQLITE, {"id": waitlist.id, **_search_rows(waitlist.id)})
            db.session.expire(waitlist)
    return found


def _search_rows(waitlist_id: int) -> dict[str, int]:
    first = waitlist_id << JOIN_NUMBER_BITS
    return {"first_row": first, "last_row": first + (1 << JOIN_NUMBER_BITS) - 1}


_LEVELS = " UNION ALL ".join(f"SELECT {shift} AS shift" for shift in SHIFTS)
_COUNTED = f"""
    SELECT shift, line_key >> shift AS chunk, count(*) AS count
    FROM subscribers, ({_LEVELS}) AS levels
    WHERE waitlist_id = :id GROUP BY shift, line_key >> shift
"""
_TOTALS = {
    "total": text(
        "SELECT subscribers_count, (SELECT count(*) FROM subscribers WHERE waitlist_id = :id)"
        " FROM waitlists WHERE id = :id"
    ),
    "referred": text(
        "SELECT referred_count, (SELECT count(referred_by_id) FROM subscribers WHERE waitlist_id = :id)"
        " FROM waitlists WHERE id = :id"
    ),
    "next join number": text(
        "SELECT next_join_number, CASE WHEN next_join_number > given THEN next_join_number ELSE given + 1 END FROM"
        " (SELECT next_join_number, (SELECT coalesce(max(join_number), 0) FROM subscribers WHERE waitlist_id = :id)"
        " AS given FROM waitlists WHERE id = :id) AS numbers"
    ),
}
_CHUNKS = text(f"""
    SELECT shift, chunk, sum(stored) AS stored, sum(counted) AS counted FROM (
        SELECT shift, chunk, count AS stored, 0 AS counted FROM line_counts WHERE waitlist_id = :id
        UNION ALL SELECT shift, chunk, 0, count FROM ({_COUNTED}) AS rows
    ) AS sides GROUP BY shift, chunk HAVING sum(stored) <> sum(counted) OR sum(stored) = 0 ORDER BY shift, chunk
""")
_SEARCH_ROWS_SQLITE = text(
    "SELECT (SELECT count(*) FROM subscriber_search_docsize WHERE id BETWEEN :first_row AND :last_row),"
    " (SELECT count(*) FROM subscribers WHERE waitlist_id = :id)"
)
_FORGET_CHUNKS = text("DELETE FROM line_counts WHERE waitlist_id = :id")
_COUNT_CHUNKS = text(
    f"INSERT INTO line_counts (waitlist_id, shift, chunk, count) SELECT :id, rows.* FROM ({_COUNTED}) AS rows"
)
_COUNT_TOTALS = text(
    "UPDATE waitlists SET subscribers_count = (SELECT count(*) FROM subscribers WHERE waitlist_id = :id),"
    " referred_count = (SELECT count(referred_by_id) FROM subscribers WHERE waitlist_id = :id),"
    " next_join_number = (SELECT CASE WHEN coalesce(max(join_number), 0) < next_join_number THEN next_join_number"
    " ELSE max(join_number) + 1 END FROM subscribers WHERE waitlist_id = :id) WHERE id = :id"
)
_INDEX_MISSING_SQLITE = text(
    "INSERT INTO subscriber_search (rowid, email_search) SELECT :first_row + join_number, email_search FROM subscribers"
    " WHERE waitlist_id = :id AND :first_row + join_number NOT IN"
    " (SELECT id FROM subscriber_search_docsize WHERE id BETWEEN :first_row AND :last_row)"
)
