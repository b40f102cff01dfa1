"""When a key was last used: right to the minute, and never in anybody's way."""

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from models.api_key import ApiKey, ResolvedKey
from models.connection import LOCK_TIMEOUT_SECONDS

MINUTE_SECONDS = 60


def is_due(key: ResolvedKey, at: datetime) -> bool:
    """Whether a use at this moment is in a later minute than the one that is kept."""
    return key.last_used_at is None or (at - key.last_used_at).total_seconds() >= MINUTE_SECONDS


def mark_used(engine: Engine, key: ResolvedKey, at: datetime) -> None:
    """Move a key's last use forward to the minute of `at`, in a short transaction of its own.

    Gives up at once where a lock is held or the database is away: a request must neither wait nor
    fail for it, and the next one tries again. What the request has read of the key saves most tries;
    the condition in the statement keeps it to one write per key and minute.
    """
    if not is_due(key, at):
        return
    minute = at.replace(second=0, microsecond=0)
    is_stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < minute)
    free = select(ApiKey.id).where(ApiKey.id == key.id, ApiKey.revoked_at.is_(None), is_stale)
    free = free.with_for_update(key_share=True, skip_locked=True)
    statement = update(ApiKey).where(ApiKey.id == free.scalar_subquery()).values(last_used_at=minute)
    is_sqlite = engine.dialect.name == "sqlite"
    try:
        with engine.begin() as connection:
            if is_sqlite:  # which cannot skip a lock, but need not wait for it either
                connection.exec_driver_sql("PRAGMA busy_timeout=0")
            try:
                connection.execute(statement)
            finally:
                if is_sqlite:
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={LOCK_TIMEOUT_SECONDS * 1000}")
    except SQLAlchemyError:
        return
