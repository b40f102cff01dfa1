"""Making a backup, and making a restored database safe, from the command line."""

import json
import shlex
import stat
from pathlib import Path

import pytest
from flask import Flask

from blueprints.backup.cli import pg_dump
from models import ApiKey, Plan, Role, Subscriber, User
from tests.api_client import ApiClient, subscribers_path
from tests.commands import refusal, succeed
from tests.console import sign_in
from tests.factories import (
    PASSWORD,
    all_rows,
    count,
    deactivate,
    events,
    make_api_key,
    make_organisation,
    make_subscriber,
    make_user,
    make_waitlist,
    revoke,
    set_plan,
)

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True, scope="session")


@on_sqlite
def test_a_backup_says_what_it_did_and_changes_nothing(app: Flask, tmp_path: Path) -> None:
    make_subscriber()
    before = len(events())
    file = tmp_path / "queuekey.db"

    said = succeed(app, "backup", str(file))

    size = file.stat().st_size
    assert said == f"Backed up {size:,} bytes to {file}. Every page of the copy was checked."
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(events()) == before


@on_postgresql
def test_postgresql_is_not_backed_up_but_the_call_that_does_it_is_told(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "queuekey.dump"

    said = refusal(app, "backup", str(file))

    call = pg_dump(app.config["DATABASE_URL"], file)
    assert said == f"Nothing was backed up. PostgreSQL does it itself: {call}"
    assert list(tmp_path.iterdir()) == []


def test_the_call_of_pg_dump_names_the_database_without_its_password() -> None:
    call = pg_dump("postgresql+psycopg://me:hunter2@db:5433/queue?sslmode=require&password=hunter2", Path("a b.dump"))

    words = shlex.split(call.removeprefix("(").removesuffix(")"))
    assert words == [
        *("umask", "077", "&&", "pg_dump", "--format=custom", "--file=a b.dump"),
        "--dbname=postgresql://me@db:5433/queue?sslmode=require",
    ]
    assert "hunter2" not in call


def test_a_backup_overwrites_nothing(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "queuekey.db"
    file.write_text("precious")

    assert refusal(app, "backup", str(file)) == f"{file} exists already, and a backup overwrites nothing."

    assert file.read_text() == "precious"


@on_sqlite
def test_a_backup_that_cannot_be_written_is_one_line(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "queuekey.db"

    assert refusal(app, "backup", str(file)) == f"{file} cannot be written: No such file or directory."
    assert "is a directory" in refusal(app, "backup", str(tmp_path), status=2)

    file.parent.mkdir()
    succeed(app, "backup", str(file))


def export(app: Flask, folder: Path, name: str = "activity.jsonl") -> Path:
    """What the log of everybody says now."""
    file = folder / name
    file.write_text(succeed(app, "activity", "export", "--all", "--format", "jsonl") + "\n")
    return file


TOLD = [
    "api_key.created “lost-key”: left as it is",
    "api_key.revoked “crm-sync”: done again",
    "user.deactivated “grace@example.org”: done again",
    "user.password_changed “ada@example.org”: done again",
    "  ada@example.org has no password now; give a new one by “users set-password”.",
    "plan.changed “Fernhill”: done again",
    "subscriber.created: 249 done again",
    "subscriber.created: 1 left as it is",
    "Everybody is signed out.",
]


def write_log(folder: Path, *said: tuple[str, str, str, dict[str, str]]) -> Path:
    """A log of events that the database does not know: action, id and label of the target, details."""
    lines = (
        {"id": str(number), "action": action, "target": {"type": "", "id": id_, "label": label}, "details": details}
        for number, (action, id_, label, details) in enumerate(said, 1000)
    )
    log = folder / "since.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return log


def test_what_the_log_says_is_done_again_and_told(app: Flask, tmp_path: Path) -> None:
    organisation = make_organisation("Fernhill", Plan.TEAM)
    waitlist = make_waitlist(organisation)
    key, token = make_api_key(organisation, name="crm-sync")
    ada = make_user(organisation, "ada@example.org", Role.ADMIN)
    make_user(organisation, "grace@example.org")
    browser = sign_in(app, ada)
    log = write_log(
        tmp_path,
        ("api_key.created", "99", "lost-key", {}),
        ("api_key.revoked", str(key.id), key.name, {"prefix": key.prefix}),
        ("user.deactivated", "2", "grace@example.org", {}),
        ("user.password_changed", str(ada.id), ada.email, {}),
        ("plan.changed", "fernhill", "Fernhill", {"from": "team", "to": "pro"}),
        *(
            ("subscriber.created", "9", f"s{number % 249}@example.org", {"waitlist_id": waitlist.public_id})
            for number in range(250)
        ),
    )
    assert ApiClient(app, token).get(subscribers_path(waitlist)).status_code == 200

    assert succeed(app, "after-restore", "--log", str(log)).splitlines() == TOLD

    assert ApiClient(app, token).get(subscribers_path(waitlist)).status_code == 401
    assert browser.get("/waitlists").status_code == 302
    assert [user.deactivated_at is None for user in all_rows(User)] == [True, False]
    assert [who.email for who in all_rows(Subscriber)] == [f"s{number}@example.org" for number in range(249)]
    assert {event.details["command"] for event in events() if event.id > 10} == {"after-restore"}


def test_a_whole_log_of_the_same_database_changes_nothing(app: Flask, tmp_path: Path) -> None:
    organisation = make_organisation("Fernhill")
    revoke(make_api_key(organisation)[0])
    deactivate(make_user(organisation))
    set_plan(organisation, Plan.FREE)
    make_subscriber(make_waitlist(make_organisation("Elsewhere")))
    log = export(app, tmp_path)
    before = len(events())
    assert len(log.read_text().splitlines()) == before

    assert succeed(app, "after-restore", "--log", str(log)) == "Everybody is signed out."

    assert len(events()) == before


def test_without_a_log_every_key_of_everybody_is_revoked(app: Flask) -> None:
    keys = [make_api_key(make_organisation(), name=name) for name in ("crm-sync", "warehouse")]
    waitlist = make_waitlist()
    _, token = make_api_key(make_organisation())
    user = make_user()
    browser = sign_in(app, user)
    assert ApiClient(app, token).get(subscribers_path(waitlist)).status_code == 404

    said = succeed(app, "after-restore", "--revoke-all-keys").splitlines()

    assert said[:2] == [f"api_key.revoked “{key.name}”, id {key.id}" for key, _ in keys]
    assert said[-1] == "Everybody is signed out."
    assert ApiClient(app, token).get(subscribers_path(waitlist)).status_code == 401
    assert browser.get("/waitlists").status_code == 302
    assert sign_in(app, user, PASSWORD).get("/waitlists").status_code == 200
    assert len(events("api_key.revoked")) == 3


def test_more_than_one_log_is_read_and_keys_can_be_revoked_besides(app: Flask, tmp_path: Path) -> None:
    first, second, other = make_user(), make_user(), make_api_key()[0]
    logs = []
    for user in (first, second):
        target = {"type": "user", "id": str(user.id), "label": user.email}
        logs.append(tmp_path / f"{user.id}.jsonl")
        event = {"id": "999", "action": "user.deactivated", "target": target, "details": {}}
        logs[-1].write_text(json.dumps(event))

    said = succeed(app, "after-restore", "--revoke-all-keys", *(f"--log={log}" for log in logs)).splitlines()

    assert said == [
        f"api_key.revoked “{other.name}”, id {other.id}",
        f"user.deactivated “{first.email}”: done again",
        f"user.deactivated “{second.email}”: done again",
        "Everybody is signed out.",
    ]


@pytest.mark.parametrize("content", [b"id,at,action\n", b"{}\n", b"\n", b"\xff\n", b'{"id": "3", "action":'])
def test_a_file_that_is_no_log_is_refused_with_its_line(app: Flask, tmp_path: Path, content: bytes) -> None:
    key, _ = make_api_key()
    log = export(app, tmp_path)
    lines = log.read_bytes()
    log.write_bytes(lines + content)

    said = refusal(app, "after-restore", "--log", str(log))

    number = len(lines.splitlines()) + 1
    assert said == f"{log}, line {number}: this is no line of “activity export --format jsonl”."
    assert all_rows(ApiKey)[0].revoked_at is None
    log.write_bytes(lines)
    succeed(app, "after-restore", "--log", str(log))
    assert key.id == all_rows(ApiKey)[0].id


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Give --log FILE, or --revoke-all-keys where there is no log."),
        (["--log", "absent.jsonl"], "does not exist"),
        (["--log", "."], "is a directory"),
    ],
)
def test_after_restore_wants_to_know_what_to_do(app: Flask, arguments: list[str], words: str) -> None:
    make_api_key()

    assert words in refusal(app, "after-restore", *arguments, status=2)

    assert events("api_key.revoked") == []
    assert count(ApiKey) == 1
