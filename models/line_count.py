"""LineCount: the order-statistics index, which makes any place in a line cheap to find.

Subscribers are counted per chunk of their line key, in chunks of 256 keys, of 16 of those, and of 16 of
those again. The place of somebody is the sum of the chunks before theirs on every level, and of the rows
before theirs in the smallest chunk; finding who stands at a place walks down the same levels. Either way
passes 16 numbers a level, 15 more for each million at the top, and 256 entries of the line's index.
(Counted trees: Knuth, The Art of Computer Programming, vol. 3, 6.2.3.)
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import ForeignKey, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, db

# How many bits of a line key each level leaves out, from the widest chunks to the narrowest. A change needs a
# migration that counts anew. Measured at a million: more levels or narrower ones make deep pages dearer, wider
# ones positions.
SHIFTS = (16, 12, 8)
NARROWEST = SHIFTS[-1]


class Chunk(NamedTuple):
    """One chunk: its level, and what remains of the line keys in it."""

    shift: int
    number: int


class LineCount(Base):
    """How many subscribers of a waitlist have their line key in one chunk; no row means none."""

    __tablename__ = "line_counts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    waitlist_id: Mapped[int] = mapped_column(BigId, ForeignKey("waitlists.id"), primary_key=True, autoincrement=False)
    shift: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    chunk: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigId)


def changes(came: Iterable[int], went: Iterable[int] = ()) -> dict[Chunk, int]:
    """By how much each chunk's count changes when these line keys come and those go."""
    counts: Counter[Chunk] = Counter()
    for keys, delta in ((came, 1), (went, -1)):
        for key in keys:
            for shift in SHIFTS:
                counts[Chunk(shift, key >> shift)] += delta
    return {chunk: delta for chunk, delta in counts.items() if delta}


def apply(waitlist_id: int, deltas: Mapping[Chunk, int]) -> None:
    """Add to the counts of a waitlist that this transaction has locked; chunks left empty lose their row."""
    if not deltas:
        return
    rows = [
        {"waitlist_id": waitlist_id, "shift": chunk.shift, "chunk": chunk.number, "delta": delta}
        for chunk, delta in sorted(deltas.items())
    ]
    db.session.connection().execute(_ADD, rows)
    drop_empty(waitlist_id, [chunk for chunk, delta in deltas.items() if delta < 0])


def drop_empty(waitlist_id: int, chunks: Iterable[Chunk]) -> None:
    """Remove the rows of these chunks where nobody is left, so that they cost no later walk a step."""
    rows = [{"waitlist_id": waitlist_id, "shift": chunk.shift, "chunk": chunk.number} for chunk in chunks]
    if rows:
        db.session.connection().execute(_DROP_EMPTY, rows)


_ADD = text(
    "INSERT INTO line_counts (waitlist_id, shift, chunk, count) VALUES (:waitlist_id, :shift, :chunk, :delta)"
    " ON CONFLICT (waitlist_id, shift, chunk) DO UPDATE SET count = line_counts.count + excluded.count"
)
_DROP_EMPTY = text(
    "DELETE FROM line_counts WHERE waitlist_id = :waitlist_id AND shift = :shift AND chunk = :chunk AND count = 0"
)


def place_sql() -> str:
    """The place of the subscriber `one`, counted from 1, for either engine.

    Shifting right rounds down on both of them, for negative line keys too; PostgreSQL sums to a numeric.
    """
    sums = [f"chunk < (one.line_key >> {SHIFTS[0]})"] + [
        f"chunk >= ((one.line_key >> {wider}) << {wider - shift}) AND chunk < (one.line_key >> {shift})"
        for wider, shift in pairwise(SHIFTS)
    ]
    before = "".join(
        f" + (SELECT coalesce(sum(count), 0) FROM line_counts"
        f" WHERE waitlist_id = one.waitlist_id AND shift = {shift} AND {chunks})"
        for shift, chunks in zip(SHIFTS, sums, strict=True)
    )
    return f"""CAST(1{before} + (
        SELECT count(*) FROM subscribers AS ahead WHERE ahead.waitlist_id = one.waitlist_id
        AND ahead.line_key >= ((one.line_key >> {NARROWEST}) << {NARROWEST}) AND ahead.line_key <= one.line_key
        AND NOT (ahead.line_key = one.line_key AND ahead.join_number <= one.join_number)) AS bigint)"""


def seek_sql(waitlist_id: str) -> str:
    """A list of WITH queries of which the last, `seek`, says where the row at %(offset)s is to be found.

    Its columns: `line_key`, the first key of the row's narrowest chunk; `skipped`, the rows of that chunk
    that stand before it.
    """
    levels = []
    for nth, shift in enumerate(SHIFTS):
        source, before = f"line_counts AS part WHERE part.waitlist_id = {waitlist_id} AND part.shift = {shift}", "0"
        if nth:
            bits = SHIFTS[nth - 1] - shift
            source = f"level{nth - 1} AS above CROSS JOIN {source}"
            source += f" AND part.chunk >= above.chunk << {bits} AND part.chunk < (above.chunk + 1) << {bits}"
            before = "above.before"
        running = "sum(part.count) OVER (ORDER BY part.chunk ROWS UNBOUNDED PRECEDING)"
        levels.append(
            f"level{nth} AS (SELECT chunk, before FROM"
            f" (SELECT part.chunk, {before} + {running} - part.count AS before FROM {source}) AS counted"
            f" WHERE before <= %(offset)s ORDER BY chunk DESC LIMIT 1)"
        )
    last = f"SELECT chunk << {NARROWEST} AS line_key, %(offset)s - before AS skipped FROM level{len(SHIFTS) - 1}"
    return ", ".join(levels) + f", seek AS MATERIALIZED ({last})"
