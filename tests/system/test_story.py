"""The whole story by nothing but HTTP and the command line."""

import csv
import io

import orjson

from tests.system.conftest import SETTINGS, Installation, on_sqlite
from tests.system.server import run_command

FOLLOW_UPS = 40


def test_a_key_is_minted_used_revoked_and_read_of_in_the_log(installation: Installation) -> None:
    """Bootstrap, mint, list, create, revoke, 401 on every worker, and all of it in the exported log."""
    server, settings, made = installation
    path = f"/v1/api/waitlists/{made['waitlist']}/subscribers"
    scopes = ["--scope", "subscribers:read", "--scope", "subscribers:write"]
    organisation = ["--organisation", made["organisation"]]

    key = orjson.loads(run_command(settings, "api-keys", "create", "crm-sync", *organisation, *scopes, "--json").stdout)
    listed = server.send("GET", path, key["token"])
    created = server.post(path, key["token"], {"email": "Story@example.org"})
    repeated = server.post(path, key["token"], {"email": "story@example.org"})
    run_command(settings, "api-keys", "revoke", key["id"], *organisation)
    refused = [server.send("GET", path, key["token"]) for _ in range(FOLLOW_UPS)]
    log = run_command(settings, "activity", "export", *organisation, "--format", "jsonl").stdout

    assert (listed.status, created.status, repeated.status) == (200, 201, 200)
    assert listed.json()["total"] == created.json()["position"] - 1  # type: ignore[operator]
    assert created.json() == repeated.json()
    assert {(reply.status, reply.json()["code"]) for reply in refused} == {(401, "invalid_token")}
    events = [orjson.loads(line) for line in log.splitlines()]
    assert [event["action"] for event in events[-3:]] == ["api_key.created", "subscriber.created", "api_key.revoked"]
    actor = {"type": "api_key", "id": key["id"], "name": "crm-sync", "prefix": key["prefix"]}
    assert (events[-2]["actor"], events[-2]["target"]["label"]) == (actor, "Story@example.org")
    assert events[-2]["ip"] == "127.0.0.1"
    assert key["token"] not in log + server.log_text()
    as_csv = run_command(settings, "activity", "export", *organisation).stdout
    assert len(list(csv.DictReader(io.StringIO(as_csv, newline="")))) == len(events)


@on_sqlite
def test_a_command_that_fails_says_one_line_and_no_more(installation: Installation) -> None:
    missing = run_command(installation.settings, "api-keys", "list", "--organisation", "nowhere", expected=1)
    misused = run_command(installation.settings, "api-keys", "list", expected=2)

    assert (missing.stdout, missing.stderr) == ("", "Error: There is no organisation “nowhere”.\n")
    assert (misused.stdout, misused.stderr) == ("", "Error: Missing option '--organisation'.\n")


def test_an_absent_database_is_one_line_without_its_password() -> None:
    settings = SETTINGS | {"DATABASE_URL": "postgresql://me:hunter2hunter2@127.0.0.1:1/queuekey"}

    failed = run_command(settings, "bootstrap", expected=1)

    assert failed.stdout == ""
    assert failed.stderr.startswith("Error: The database did not do it: ")
    assert failed.stderr.count("\n") == 1
    assert "hunter2" not in failed.stderr
