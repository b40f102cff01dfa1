"""Runs migrations: one process at a time, all of them in one transaction, on both engines."""

from alembic import context
from flask import current_app
from sqlalchemy import text

LOCK_NUMBER = 0x71756B79  # "quky": PostgreSQL's advisory lock for migrations

db = current_app.extensions["migrate"].db


def run() -> None:
    """Bring the database to the wanted revision; whoever comes second finds nothing left to do."""
    connection = db.engine.connect().execution_options(sqlite_begin="IMMEDIATE")
    with connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transactional_ddl=True,  # SQLite's DDL is transactional too, though Alembic thinks otherwise
            render_as_batch=True,
            compare_type=True,
        )
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations need the database: run them online.")
run()
