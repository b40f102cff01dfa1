"""`python -m queuekey`: what CI sees of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models import Scope, Subscriber, token
from queuekey import answers
from queuekey.__main__ import main
from tests.api_client import Caller, nothing_written
from tests.browser.conftest import on_sqlite
from tests.factories import count, make_api_key, make_subscriber, revoke

Output = pytest.CaptureFixture[str]
MARKED = "queuekey-smoke-test@example.org"
PACKAGE = Path(answers.__file__).parents[1]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, caller: Caller, address: str) -> pytest.MonkeyPatch:
    """The settings of a CI job."""
    monkeypatch.setenv("QUEUEKEY_TOKEN", caller.token)
    monkeypatch.setenv("QUEUEKEY_URL", address)
    monkeypatch.setenv("QUEUEKEY_WAITLIST", caller.waitlist.public_id)
    return monkeypatch


def lines(capsys: Output) -> list[str]:
    """What was printed; nothing of it on standard error."""
    printed = capsys.readouterr()
    assert printed.err == ""
    return printed.out.splitlines()


def test_smoke_prints_a_line_for_each_step(environment: None, caller: Caller, capsys: Output) -> None:
    with nothing_written():
        assert main(["smoke"]) == 0

    key, organisation = caller.key, caller.organisation.name
    assert lines(capsys) == [
        f"ok      token   {key.name} ({key.prefix}…) of {organisation}, plan pro, subscribers:read subscribers:write",
        f"ok      list    0 subscribers on {caller.waitlist.public_id}",
    ]


def test_smoke_creates_a_marked_subscriber_once_and_finds_it_again(
    environment: None, caller: Caller, capsys: Output
) -> None:
    assert main(["smoke", "--create"]) == 0
    first = lines(capsys)
    assert main(["smoke", "--create", "--waitlist", caller.waitlist.public_id]) == 0
    second = lines(capsys)

    assert first[2].startswith(f"ok      create  {MARKED} joined as subscriber ")
    assert second[2].startswith(f"ok      create  {MARKED} was there as subscriber ")
    assert first[3] == second[3] == f"ok      find    {MARKED} is number 1 in line"
    assert len(first) == len(second) == 4
    assert count(Subscriber) == 1


@on_sqlite
def test_smoke_lets_a_key_that_only_creates_pass(
    environment: pytest.MonkeyPatch, caller: Caller, capsys: Output
) -> None:
    _, writer = make_api_key(caller.organisation, scopes=[Scope.SUBSCRIBERS_WRITE])
    environment.setenv("QUEUEKEY_TOKEN", writer)

    assert main(["smoke", "--create"]) == 0

    told = [line.split(maxsplit=2) for line in lines(capsys)]
    assert [line[:2] for line in told] == [["ok", "token"], ["ok", "list"], ["ok", "create"], ["ok", "find"]]
    assert told[1][2] == told[3][2] == "skipped: the key does not have subscribers:read"
    assert count(Subscriber) == 1


@on_sqlite
def test_smoke_ends_at_the_step_that_fails(
    environment: pytest.MonkeyPatch, caller: Caller, address: str, capsys: Output
) -> None:
    _, reader = make_api_key(caller.organisation, scopes=[Scope.SUBSCRIBERS_READ])

    environment.setenv("QUEUEKEY_TOKEN", reader)
    assert main(["smoke", "--create"]) == 1
    assert [line[:15].split() for line in lines(capsys)] == [["ok", "token"], ["ok", "list"], ["FAILED", "create"]]
    assert main(["smoke", "--waitlist", "wl_nowhere"]) == 1
    assert "FAILED  list    404 not_found" in lines(capsys)[1]
    environment.delenv("QUEUEKEY_WAITLIST")
    assert main(["smoke"]) == 1
    assert "There is no waitlist" in lines(capsys)[1]
    revoke(caller.key)
    environment.setenv("QUEUEKEY_TOKEN", caller.token)
    assert main(["smoke", "--create"]) == 1
    [refused] = lines(capsys)
    assert refused.startswith("FAILED  token   401 invalid_token")


def test_smoke_without_settings_says_which(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    monkeypatch.delenv("QUEUEKEY_TOKEN", raising=False)
    monkeypatch.delenv("QUEUEKEY_URL", raising=False)

    assert main(["smoke"]) == 1
    monkeypatch.setenv("QUEUEKEY_TOKEN", token.generate())
    assert main(["smoke"]) == 1

    first, second = lines(capsys)
    assert first.startswith("FAILED  token   There is no token. Set QUEUEKEY_TOKEN")
    assert second.startswith("FAILED  token   There is no address. Set QUEUEKEY_URL")


def test_export_writes_the_lines_that_the_api_writes(environment: None, caller: Caller, capsys: Output) -> None:
    people = [make_subscriber(caller.waitlist, email) for email in ("ada@example.org", "zoë@example.org")]
    body = caller.api.get(f"{caller.path}/export").data.decode()

    assert main(["export"]) == 0
    everybody = lines(capsys)
    assert main(["export", "--after", str(people[0].id)]) == 0

    assert list(map(json.loads, everybody)) == list(map(json.loads, body.splitlines()))
    assert lines(capsys) == everybody[1:]


@on_sqlite
def test_an_export_that_fails_says_where_to_go_on(environment: None, caller: Caller, capsys: Output) -> None:
    assert main(["export", "--after", "99999"]) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("422 validation_failed: ")
    assert printed.err.endswith("Go on with --after 99999.\n")


@on_sqlite
def test_it_runs_as_a_module_and_knows_wrong_arguments(environment: None, caller: Caller, address: str) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "queuekey", *arguments]
        paths = os.environ | {"PYTHONPATH": str(PACKAGE)}
        return subprocess.run(command, env=paths, capture_output=True, text=True, timeout=60, check=False)

    whole, wrong = run("smoke", "--url", address), run("smoke", "--token", "x")

    assert (whole.returncode, whole.stderr, len(whole.stdout.splitlines())) == (0, "", 2)
    assert (wrong.returncode, wrong.stdout) == (2, "")
