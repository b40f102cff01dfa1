"""LoginTry: how often somebody tried to sign in within the current minute, counted once for all processes.

The count stands in the database, which whoever signs in needs anyway: so the limit does not grow with the number
of workers, and does not open while a Redis is away.
"""

import hashlib

from sqlalchemy import String, delete, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, db

ADD_ONE = text(
    "INSERT INTO login_tries (minute, pair, count) VALUES (:minute, :pair, 1)"
    " ON CONFLICT (minute, pair) DO UPDATE SET count = login_tries.count + 1 RETURNING count"
)


class LoginTry(Base):
    """The tries of one pair of account and network in one minute, counted from the epoch."""

    __tablename__ = "login_tries"

    minute: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pair: Mapped[str] = mapped_column(String(64), primary_key=True)  # a digest: who tried is nobody's business
    count: Mapped[int]

    @classmethod
    def add_one(cls, account: str, network: str, minute: int) -> int:
        """Count one try and return the count of its minute.

        What is older than the minute before is forgotten; that one may still be another host's present.
        """
        pair = hashlib.sha256(f"{network} {account}".encode()).hexdigest()
        count = int(db.session.execute(ADD_ONE, {"minute": minute, "pair": pair}).scalar_one())
        db.session.execute(delete(cls).where(cls.minute < minute - 1))
        return count
