"""LineCount: the order-statistics index, which makes any place in a line cheap to find.

Subscribers are counted per chunk of their line key, in chunks of two spans. The place of somebody is
the sum of the wide chunks before theirs, of the narrow ones before theirs within the wide one, and of
the rows before theirs within the narrow one; finding who stands at a place walks the same way. (A
counted tree of two levels: Knuth, The Art of Computer Programming, vol. 3, 6.2.3.)
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import ForeignKey, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId, db

NARROW_SHIFT = 7  # chunks of 128 line keys
WIDE_SHIFT = 14  # chunks of 16,384 line keys
NARROW_SPAN = 1 << NARROW_SHIFT
CHUNKS_PER_WIDE = 1 << (WIDE_SHIFT - NARROW_SHIFT)

# The place of the subscriber `one`, counted from 1: as SQL that both engines read the same. Shifting
# right rounds down for negative line keys too.
PLACE = f"""(
    1 + (SELECT coalesce(sum(count), 0) FROM line_counts
         WHERE waitlist_id = one.waitlist_id AND shift = {WIDE_SHIFT} AND chunk < (one.line_key >> {WIDE_SHIFT}))
    + (SELECT coalesce(sum(count), 0) FROM line_counts
       WHERE waitlist_id = one.waitlist_id AND shift = {NARROW_SHIFT}
       AND chunk >= (one.line_key >> {WIDE_SHIFT}) * {CHUNKS_PER_WIDE} AND chunk < (one.line_key >> {NARROW_SHIFT}))
    + (SELECT count(*) FROM subscribers AS ahead
       WHERE ahead.waitlist_id = one.waitlist_id
       AND ahead.line_key >= (one.line_key >> {NARROW_SHIFT}) * {NARROW_SPAN} AND ahead.line_key <= one.line_key
       AND NOT (ahead.line_key = one.line_key AND ahead.join_number <= one.join_number))
)"""


class Chunk(NamedTuple):
    """One chunk: how many bits of the line key it leaves out, and what remains of the key."""

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
            counts[Chunk(NARROW_SHIFT, key >> NARROW_SHIFT)] += delta
            counts[Chunk(WIDE_SHIFT, key >> WIDE_SHIFT)] += delta
    return {chunk: delta for chunk, delta in counts.items() if delta}


def apply(waitlist_id: int, deltas: Mapping[Chunk, int]) -> None:
    """Add to the counts of a waitlist that this transaction has locked; chunks left empty lose their row."""
    if not deltas:
        return
    rows = [
        {"waitlist_id": waitlist_id, "shift": chunk.shift, "chunk": chunk.number, "delta": delta}
        for chunk, delta in sorted(deltas.items())
    ]
    db.session.execute(_ADD, rows)
    drop_empty(waitlist_id, [chunk for chunk, delta in deltas.items() if delta < 0])


def drop_empty(waitlist_id: int, chunks: Iterable[Chunk]) -> None:
    """Remove the rows of these chunks where nobody is left, so that they cost no later walk a step."""
    rows = [{"waitlist_id": waitlist_id, "shift": chunk.shift, "chunk": chunk.number} for chunk in chunks]
    if rows:
        db.session.execute(_DROP_EMPTY, rows)


_ADD = text(
    "INSERT INTO line_counts (waitlist_id, shift, chunk, count) VALUES (:waitlist_id, :shift, :chunk, :delta)"
    " ON CONFLICT (waitlist_id, shift, chunk) DO UPDATE SET count = line_counts.count + excluded.count"
)
_DROP_EMPTY = text(
    "DELETE FROM line_counts WHERE waitlist_id = :waitlist_id AND shift = :shift AND chunk = :chunk AND count = 0"
)
