"""A copy of the SQLite database, made while it is in use."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.engine import make_url

from models import backup, db, writing
from models.backup import BackupFailed, back_up
from tests.factories import make_api_key, make_organisation, make_subscriber, make_waitlist

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


def rows(file: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def test_a_backup_is_one_whole_file_that_its_owner_alone_may_read(context: None, tmp_path: Path) -> None:
    make_subscriber(make_waitlist(), "Ada@example.org")
    file = tmp_path / "queuekey.db"

    size = back_up(file)

    assert list(tmp_path.iterdir()) == [file]
    assert (stat.S_IMODE(file.stat().st_mode), file.stat().st_size) == (0o600, size)
    assert rows(file, "PRAGMA integrity_check") == [("ok",)]
    assert rows(file, "PRAGMA journal_mode") == [("delete",)]
    assert rows(file, "SELECT email FROM subscribers") == [("Ada@example.org",)]


def test_a_backup_has_what_is_committed_and_nothing_of_an_open_transaction(context: None, tmp_path: Path) -> None:
    organisation = make_organisation()
    make_api_key(organisation, name="before")

    with writing():
        db.session.execute(text("UPDATE api_keys SET name = 'meanwhile'"))
        back_up(tmp_path / "during.db")
    back_up(tmp_path / "after.db")

    assert rows(tmp_path / "during.db", "SELECT name FROM api_keys") == [("before",)]
    assert rows(tmp_path / "after.db", "SELECT name FROM api_keys") == [("meanwhile",)]


@pytest.mark.parametrize("is_link", [False, True], ids=["file", "dangling link"])
def test_a_backup_overwrites_nothing(context: None, tmp_path: Path, is_link: bool) -> None:
    file = tmp_path / "queuekey.db"
    if is_link:
        file.symlink_to(tmp_path / "elsewhere")
    else:
        file.write_text("precious")

    with pytest.raises(FileExistsError):
        back_up(file)

    assert list(tmp_path.iterdir()) == [file]
    assert is_link or file.read_text() == "precious"
    file.unlink()
    assert back_up(file)


def damage_an_index(file: Path, pages: list[int], page_size: int) -> None:
    content = bytearray(file.read_bytes())
    for page in pages:
        start = (page - 1) * page_size + 8
        content[start : start + 200] = b"\xff" * 200
    file.write_bytes(content)


def damage_a_row(file: Path, _pages: list[int], _page_size: int) -> None:
    """Change one letter of what stands in a row, so that an index says something else."""
    file.write_bytes(file.read_bytes().replace(b"Ada@example.orgada@", b"Ada@example.orgadb@", 1))


@pytest.mark.by_hand
@pytest.mark.parametrize(
    ("damage", "words"),
    [(damage_an_index, "The database could not be copied: "), (damage_a_row, "The database is damaged: ")],
)
def test_a_damaged_database_gives_no_backup(
    app: Flask, context: None, tmp_path: Path, damage: Callable[[Path, list[int], int], None], words: str
) -> None:
    make_subscriber(make_waitlist(), "Ada@example.org")
    assert back_up(tmp_path / "good.db")
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        page_size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
        indexes = "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'subscribers' AND type = 'index'"
        pages = list(connection.exec_driver_sql(indexes).scalars())
    db.engine.dispose()
    damage(Path(str(make_url(app.config["DATABASE_URL"]).database)), pages, page_size)

    with pytest.raises(BackupFailed) as failed:
        back_up(tmp_path / "bad.db")

    assert str(failed.value).startswith(words)
    assert [file.name for file in tmp_path.iterdir()] == ["good.db"]


def test_a_database_without_tables_gives_no_backup(
    context: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "HAS_TABLES", backup.HAS_TABLES.replace("organisations", "absent"))

    with pytest.raises(BackupFailed, match="Is DATABASE_URL right"):
        back_up(tmp_path / "queuekey.db")

    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    assert back_up(tmp_path / "queuekey.db")


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_backup_that_fails_half_way_leaves_nothing(
    context: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_arguments: object) -> None:
        (draft,) = tmp_path.glob("*.part")
        for left_by_sqlite in ("-wal", "-shm", "-journal"):
            draft.with_name(draft.name + left_by_sqlite).touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space"):
        back_up(tmp_path / "queuekey.db")
    monkeypatch.undo()

    assert list(tmp_path.iterdir()) == []
    assert back_up(tmp_path / "queuekey.db")


def test_a_backup_has_its_name_only_once_it_is_on_the_disk(
    context: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "queuekey.db"
    seen: list[int] = []
    flush = os.fsync

    def watch(descriptor: int) -> None:
        seen.append(file.stat().st_size)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    size = back_up(file)

    assert seen == [0, size]  # the copy's bytes, then the folder's names
