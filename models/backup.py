"""A copy of the whole SQLite database, made while others read and write it."""

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from models.base import db

WHOLE = [("ok",)]
HAS_TABLES = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'organisations'"


class BackupFailed(Exception):
    """There is no backup, and nothing of it is left: why, as a sentence."""


def back_up(file: Path) -> int:
    """Copy the database into a new file and return its size in bytes; raises BackupFailed or OSError.

    The copy is one moment of the database, in a single file that its owner alone may read. It is checked page
    by page and on the disk before it gets its name: until then a file of that name is empty. One that was there
    before is never overwritten (FileExistsError).
    """
    draft = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    _create(file)
    try:
        _create(draft)
        try:
            _copy(draft)
        except sqlite3.Error as error:
            raise BackupFailed(f"The database could not be copied: {error}.") from None
        _flush(draft)
        os.replace(draft, file)
    except BaseException:
        file.unlink()
        raise
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    _flush(file.parent)
    return file.stat().st_size


def _create(file: Path) -> None:
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _copy(draft: Path) -> None:
    """Copy by SQLite's backup API, in one step: others may write meanwhile, the copy does not see it."""
    pooled = db.engine.raw_connection()
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
            pooled.driver_connection.backup(copy)  # type: ignore[union-attr]
            copy.execute("PRAGMA journal_mode=DELETE")  # one file: nothing of it in a log beside it
            if copy.execute(HAS_TABLES).fetchone() is None:
                raise BackupFailed("There is nothing to back up: the database has no tables. Is DATABASE_URL right?")
            if copy.execute("PRAGMA integrity_check").fetchall() != WHOLE:
                raise BackupFailed("The database is damaged: its copy fails PRAGMA integrity_check.")
    finally:
        pooled.close()


def _flush(path: Path) -> None:
    """See a file's bytes, or a folder's names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
