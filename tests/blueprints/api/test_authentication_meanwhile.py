"""What happens to key, plan and waitlist between authentication and the writing transaction."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from blueprints.api import body, views
from models import ApiKey, Plan, db, now
from tests.api_client import (
    Caller,
    make_caller,
    problem,
)
from tests.factories import (
    all_rows,
    events,
    revoke,
    set_plan,
)

SIGNUP = {"email": "ada@example.org"}
INVALID = 'Bearer realm="queuekey", error="invalid_token"'


def while_reading_the_body(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:

    def read_while_it_happens() -> Any:
        happens()
        return body.read_json()

    monkeypatch.setattr(views, "read_json", read_while_it_happens)


def test_a_key_revoked_meanwhile_writes_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    while_reading_the_body(monkeypatch, lambda: revoke(caller.key))
    revoke_event = 1

    before = len(events())
    response = caller.api.post(caller.path, SIGNUP)

    problem(response, 401, "invalid_token")
    assert response.headers["WWW-Authenticate"] == INVALID
    assert len(events()) == before + revoke_event
    assert events("subscriber.created") == []
    assert all_rows(ApiKey)[0].last_used_at is None


def test_a_plan_that_lapses_meanwhile_writes_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    while_reading_the_body(monkeypatch, lambda: set_plan(caller.organisation, Plan.FREE))

    document = problem(caller.api.post(caller.path, SIGNUP), 403, "feature_not_allowed")

    assert (document["plan"], document["required_plan"]) == ("free", "pro")
    assert events("subscriber.created") == []
    assert all_rows(ApiKey)[0].last_used_at is None


def test_a_plan_that_rises_meanwhile_is_no_reason_to_refuse(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    while_reading_the_body(monkeypatch, lambda: set_plan(caller.organisation, Plan.TEAM))

    assert caller.api.post(caller.path, SIGNUP).status_code == 201


def test_a_waitlist_archived_meanwhile_takes_nobody(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    while_reading_the_body(monkeypatch, lambda: archive(caller))

    problem(caller.api.post(caller.path, SIGNUP), 404, "not_found")

    assert events("subscriber.created") == []


def archive(caller: Caller) -> None:
    """Archive as another process would: on a connection of its own, past this request's session."""
    from models import Waitlist

    with db.engine.begin() as connection:
        connection.execute(update(Waitlist).where(Waitlist.id == caller.waitlist.id).values(archived_at=now()))
