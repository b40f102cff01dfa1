"""LoginTry: when somebody last tried to sign in, counted once for all processes.

The times stand in the database, which whoever signs in needs anyway: so the limit does not grow with the number
of workers, and does not open while a Redis is away.
"""

import hashlib
from typing import NamedTuple, Self

from sqlalchemy import JSON, BigInteger, String, delete, select, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, db

WINDOW_MS = 60_000
LOCK = text(
    "INSERT INTO login_tries (pair, times, latest) VALUES (:pair, '[]', :at_ms)"
    " ON CONFLICT (pair) DO UPDATE SET pair = excluded.pair"
)


class Tries(NamedTuple):
    """How many tries there were within a minute, the present one included, and until when the first of them counts."""

    number: int
    first_ends_ms: int


class LoginTry(Base):
    """The tries of one pair of account and network, in milliseconds since the epoch."""

    __tablename__ = "login_tries"

    pair: Mapped[str] = mapped_column(String(64), primary_key=True)  # a digest: who tried is nobody's business
    times: Mapped[list[int]] = mapped_column(JSON)
    latest: Mapped[int] = mapped_column(BigInteger, index=True)

    @classmethod
    def add(cls, account: str, network: str, at_ms: int, limit: int) -> Tries:
        """Note a try, unless there were as many as `limit` within the minute before it; in a writing transaction.

        Tries that are refused are not noted: whoever goes on trying may try again when the first of those that
        were let through is a minute old. Rows that no clock needs any more are removed.
        """
        row = cls._locked(hashlib.sha256(f"{network} {account}".encode()).hexdigest(), at_ms)
        recent = [time for time in row.times if time > at_ms - WINDOW_MS]
        if len(recent) < limit:
            row.times, row.latest = [*recent, at_ms], max(at_ms, row.latest)
        db.session.flush()
        old = select(cls.pair).where(cls.latest < at_ms - 2 * WINDOW_MS).with_for_update(skip_locked=True)
        db.session.execute(delete(cls).where(cls.pair.in_(old)), execution_options={"synchronize_session": False})
        return Tries(len(recent) + 1, min(recent, default=at_ms) + WINDOW_MS)

    @classmethod
    def _locked(cls, pair: str, at_ms: int) -> Self:
        """The pair's row, which nobody else has meanwhile; a new one without tries where there was none."""
        db.session.execute(LOCK, {"pair": pair, "at_ms": at_ms})
        return db.session.get_one(cls, pair, populate_existing=True)
