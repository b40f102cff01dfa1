"""A client that nobody here wrote: openapi-python-client makes it of the description, and it works."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask

from models import Scope, Subscriber, token
from tests.api_client import Caller, nothing_written
from tests.factories import count, events, make_api_key, make_subscriber

NAME = "generated_queuekey"

Load = Callable[[str], Any]


@pytest.fixture(scope="module")
def folder(shared_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the client is: made without a single warning."""
    folder = tmp_path_factory.mktemp("generated")
    description, settings = folder / "openapi.json", folder / "settings.json"
    description.write_bytes(shared_app.test_client().get("/v1/api/openapi.json").data)
    settings.write_bytes(orjson.dumps({"post_hooks": []}))  # nobody reads it: it need not be formatted
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    options = ["--path", str(description), "--config", str(settings), "--output-path", str(folder / NAME)]
    made = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


@pytest.fixture
def load(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Imports a module of the client."""
    monkeypatch.syspath_prepend(str(folder))
    for module in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        monkeypatch.delitem(sys.modules, module)  # that of the other engine
    return lambda module: importlib.import_module(f"{NAME}.{module}")


@pytest.fixture
def generated(load: Load, address: str, caller: Caller) -> Any:
    """A client of the caller's key."""
    return load("client").AuthenticatedClient(base_url=address, token=caller.token)


def test_it_lists_the_line(load: Load, generated: Any, caller: Caller) -> None:
    people = [make_subscriber(caller.waitlist) for _ in range(3)]
    call = load("api.subscribers.list_subscribers")

    page = call.sync(caller.waitlist.public_id, client=generated, page=2, limit=2)
    found = call.sync(caller.waitlist.public_id, client=generated, q=people[0].email.upper())

    assert [(item.id, item.email, item.position) for item in page.items] == [(str(people[2].id), people[2].email, 3)]
    assert (page.total, page.page, page.limit) == (3, 2, 2)
    assert [item.joined_at.tzinfo is not None for item in found.items] == [True]


def test_it_creates_a_subscriber_and_meets_them_the_second_time(load: Load, generated: Any, caller: Caller) -> None:
    call, signup = load("api.subscribers.create_subscriber"), load("models").Signup(email="Ada@example.org")

    first = call.sync_detailed(caller.waitlist.public_id, client=generated, body=signup)
    second = call.sync_detailed(caller.waitlist.public_id, client=generated, body=signup)

    assert (first.status_code, second.status_code) == (HTTPStatus.CREATED, HTTPStatus.OK)
    assert first.parsed == second.parsed
    assert (first.parsed.email, first.parsed.position) == ("Ada@example.org", 1)
    assert count(Subscriber) == len(events("subscriber.created")) == 1


def test_it_creates_many_and_tells_the_results_apart(load: Load, generated: Any, caller: Caller) -> None:
    models = load("models")
    batch = models.Batch(subscribers=[models.Signup(email=email) for email in ("ada@example.org", "nobody")])

    outcome = load("api.subscribers.create_subscribers").sync(caller.waitlist.public_id, client=generated, body=batch)

    assert (outcome.created, outcome.invalid) == (1, 1)
    assert [type(result) for result in outcome.results] == [models.JoinedResult, models.InvalidResult]


def test_it_asks_who_it_is(load: Load, generated: Any, caller: Caller) -> None:
    key = load("api.key.show_key").sync(client=generated)

    assert (key.prefix, key.organisation.slug) == (caller.key.prefix, caller.organisation.slug)


def test_it_tells_the_refusals_apart(load: Load, generated: Any, address: str, caller: Caller) -> None:
    models, call = load("models"), load("api.subscribers.create_subscriber")
    _, reader = make_api_key(caller.organisation, scopes=[Scope.SUBSCRIBERS_READ])

    def refused(key: str, waitlist: str, email: str) -> Any:
        client = load("client").AuthenticatedClient(base_url=address, token=key)
        return call.sync(waitlist, client=client, body=models.Signup(email=email))

    waitlist = caller.waitlist.public_id
    with nothing_written():
        answers = [
            refused(token.generate(), waitlist, "ada@example.org"),
            refused(reader, waitlist, "ada@example.org"),
            refused(caller.token, "wl_nowhere", "ada@example.org"),
            refused(caller.token, waitlist, "nobody"),
        ]

    assert [answer.code for answer in answers] == [
        "invalid_token",
        "insufficient_scope",
        "not_found",
        "validation_failed",
    ]
    assert answers[1].required_scope == "subscribers:write"
    assert isinstance(answers[2], models.NotFoundProblem)
    assert [error.field for error in answers[3].errors] == ["email"]
