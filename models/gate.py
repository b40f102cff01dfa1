"""The gate that every change by a key goes through, and that whoever ends its right to change shuts.

PostgreSQL lets those who share a row's lock pass whoever waits to have the row alone: while sixteen clients
signed people up by one key, revoking it took 17 seconds, or never came to an end. Its advisory locks queue: who
comes after somebody who waits to shut the gate waits behind them. The rows' locks are still what keeps commits in
order; the gate sees that whoever ends a right waits for the changes under way and for no others. SQLite's writers
have their turns anyway (models/turn.py).
"""

from sqlalchemy import text

from models.base import db

# The numbers of organisations, below zero: the migrations' lock is above it.
# A query to stand WITH the one that locks the key's row: the gate is passed before that.
PASSING_SQL = """
    gate AS MATERIALIZED (SELECT count(pg_advisory_xact_lock_shared(-organisation_id)) FROM api_keys WHERE id = :id)
"""
_SHUT = text("SELECT pg_advisory_xact_lock(-CAST(:organisation_id AS bigint))")


def shut(organisation_id: int) -> None:
    """Wait for the changes that the organisation's keys have under way; no other begins until this transaction ends.

    Comes before any lock on a row.
    """
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_SHUT, {"organisation_id": organisation_id})
