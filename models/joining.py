"""The statements by which people join a line: the row, the counters and the credit, on either engine.

The waitlist's row is the lock: whoever joins takes its next number first and holds the row until the
transaction ends, so that everything after it (rows, credits, counts) is done by one writer at a time.
Lock order: key and organisation (shared), waitlist, subscribers, counts.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, text

from models import line_count
from models.base import UtcDateTime, db
from models.line_count import SHIFTS, Chunk
from models.search import JOIN_NUMBER_BITS


class Newcomer(NamedTuple):
    """A row to be: the address in its three forms, a fresh referral code, and the referrer's id."""

    email: str
    identity: str
    search: str
    code: str
    referrer_id: int | None


class Joined(NamedTuple):
    """What the database made of the newcomers, in their order."""

    ids: list[int]
    codes: list[str | None]
    total: int


_AT = bindparam("at", type_=UtcDateTime())


def insert(waitlist_id: int, newcomers: Sequence[Newcomer], at: datetime) -> Joined | None:
    """Put the newcomers at the end of the line and credit their referrers; None if it is archived.

    Raises IntegrityError where an address or a code is on the waitlist already: then the transaction
    must be rolled back.
    """
    if db.engine.dialect.name == "sqlite":
        return _insert_sqlite(waitlist_id, newcomers, at)
    return _insert_postgresql(waitlist_id, newcomers, at)


def _referred(newcomers: Sequence[Newcomer]) -> int:
    return sum(newcomer.referrer_id is not None for newcomer in newcomers)


_TAKE_NUMBERS_SQL = """
    UPDATE waitlists SET next_join_number = next_join_number + :number, subscribers_count = subscribers_count + :number,
        referred_count = referred_count + CASE WHEN has_referrals THEN :referred ELSE 0 END
    WHERE id = :waitlist_id AND archived_at IS NULL
    RETURNING next_join_number - :number AS first_number, subscribers_count AS total, has_referrals, referral_skip
"""
_TAKE_NUMBERS_SQLITE = text(_TAKE_NUMBERS_SQL)
_CREDIT_SQLITE = text(
    "UPDATE subscribers SET priority_score = priority_score + :skip * :times, referral_count = referral_count + :times"
    " WHERE id = :id RETURNING line_key"
)
_INSERT_SQLITE = text(
    "INSERT INTO subscribers (id, waitlist_id, email, email_identity, email_search, join_number, priority_score,"
    " referral_code, referral_count, referred_by_id, joined_at)"
    " VALUES (:id, :waitlist_id, :email, :identity, :search, :join_number, 0, :code, 0, :referrer_id, :at)"
).bindparams(_AT)
_INDEX_SQLITE = text("INSERT INTO subscriber_search (rowid, email_search) VALUES (:row, :search)")
_LAST_ID_SQLITE = text("SELECT seq FROM sqlite_sequence WHERE name = 'subscribers'")


def _insert_sqlite(waitlist_id: int, newcomers: Sequence[Newcomer], at: datetime) -> Joined | None:
    """One statement after the other: nobody else writes meanwhile, and there is no way to travel."""
    parameters = {"waitlist_id": waitlist_id, "number": len(newcomers), "referred": _referred(newcomers)}
    connection = db.session.connection()  # past the session, which has nothing to add to these rows
    here = connection.execute(_TAKE_NUMBERS_SQLITE, parameters).one_or_none()
    if here is None:
        return None
    first_id = (connection.scalar(_LAST_ID_SQLITE) or 0) + 1
    rows = [
        newcomer._asdict() | {"id": first_id + nth, "join_number": here.first_number + nth}
        for nth, newcomer in enumerate(newcomers)
    ]
    for row in rows:
        row |= {"waitlist_id": waitlist_id, "at": at, "row": (waitlist_id << JOIN_NUMBER_BITS) + row["join_number"]}
        if not here.has_referrals:
            row |= {"code": None, "referrer_id": None}
    connection.execute(_INSERT_SQLITE, rows)
    connection.execute(_INDEX_SQLITE, rows)
    went, came = _credit_sqlite(here, [row["referrer_id"] for row in rows])
    came += [row["join_number"] for row in rows]
    line_count.apply(waitlist_id, line_count.changes(came, went))
    return Joined([row["id"] for row in rows], [row["code"] for row in rows], here.total)


def _credit_sqlite(here: Row[Any], referrer_ids: Sequence[int | None]) -> tuple[list[int], list[int]]:
    """Move the referrers forward; their line keys before and after."""
    went, came = [], []
    for referrer_id, times in Counter(referrer_ids).items():
        if referrer_id is not None:
            credit = {"id": referrer_id, "skip": here.referral_skip, "times": times}
            key = db.session.connection().execute(_CREDIT_SQLITE, credit).scalar_one()
            came.append(key)
            went.append(key + here.referral_skip * times)
    return went, came


# One statement, so that the waitlist's row is not held over more round trips than the commit's.
_INSERT_POSTGRESQL = text(f"""
    WITH here AS ({_TAKE_NUMBERS_SQL}), newcomers AS (
        SELECT * FROM unnest(
            CAST(:emails AS text[]), CAST(:identities AS text[]), CAST(:searches AS text[]),
            CAST(:codes AS text[]), CAST(:referrer_ids AS bigint[])
        ) WITH ORDINALITY AS n (email, identity, search, code, referrer_id, nth)
    ), joined AS (
        INSERT INTO subscribers (waitlist_id, email, email_identity, email_search, join_number, priority_score,
            referral_code, referral_count, referred_by_id, joined_at)
        SELECT :waitlist_id, n.email, n.identity, n.search, here.first_number + n.nth - 1, 0,
            CASE WHEN here.has_referrals THEN n.code END, 0,
            CASE WHEN here.has_referrals THEN n.referrer_id END, :at
        FROM here CROSS JOIN newcomers AS n ORDER BY n.nth
        RETURNING id, join_number, referral_code
    ), credited AS (
        UPDATE subscribers SET priority_score = priority_score + here.referral_skip * sent.times,
            referral_count = referral_count + sent.times
        FROM here, (SELECT referrer_id, count(*) AS times FROM newcomers GROUP BY referrer_id) AS sent
        WHERE here.has_referrals AND subscribers.id = sent.referrer_id
        RETURNING line_key AS came, line_key + here.referral_skip * sent.times AS went
    ), moves AS (
        SELECT join_number AS line_key, 1 AS delta FROM joined
        UNION ALL SELECT came, 1 FROM credited UNION ALL SELECT went, -1 FROM credited
    ), counted AS (
        INSERT INTO line_counts (waitlist_id, shift, chunk, count)
        SELECT :waitlist_id, shift, line_key >> shift, sum(delta)
        FROM moves CROSS JOIN unnest(ARRAY{list(SHIFTS)}) AS shift
        GROUP BY shift, line_key >> shift HAVING sum(delta) <> 0
        ON CONFLICT (waitlist_id, shift, chunk) DO UPDATE SET count = line_counts.count + excluded.count
        RETURNING shift, chunk, count
    ), emptied AS (
        SELECT array_agg(shift) AS shifts, array_agg(chunk) AS chunks FROM counted WHERE count = 0
    )
    SELECT joined.id, joined.referral_code, here.total, emptied.shifts, emptied.chunks
    FROM here LEFT JOIN joined ON true CROSS JOIN emptied ORDER BY joined.join_number
""").bindparams(_AT)


def _insert_postgresql(waitlist_id: int, newcomers: Sequence[Newcomer], at: datetime) -> Joined | None:
    columns = zip(*newcomers, strict=True)
    arrays = zip(("emails", "identities", "searches", "codes", "referrer_ids"), map(list, columns), strict=True)
    parameters = dict(arrays) | {"waitlist_id": waitlist_id, "number": len(newcomers), "at": at}
    parameters["referred"] = _referred(newcomers)
    rows = db.session.connection().execute(_INSERT_POSTGRESQL, parameters).all()
    if not rows:
        return None
    emptied = zip(rows[0].shifts or (), rows[0].chunks or (), strict=True)
    line_count.drop_empty(waitlist_id, [Chunk(*chunk) for chunk in emptied])
    return Joined([row.id for row in rows], [row.referral_code for row in rows], rows[0].total)
