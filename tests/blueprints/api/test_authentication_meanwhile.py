"""What happens to key, plan and waitlist between authentication and the writing transaction."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from blueprints.api import body, views
from models import ApiKey, Plan, db, now, writing
from tests.api_client import Caller, make_caller, problem
from tests.factories import ACTOR, all_rows, events, revoke, set_plan

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


@pytest.mark.by_hand
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


def test_a_revocation_under_way_is_waited_for(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    holding = threading.Event()

    def revoke_slowly() -> None:
        with app.app_context(), writing():
            db.session.get_one(ApiKey, caller.key.id).revoke(ACTOR)
            holding.set()

    thread = threading.Thread(target=revoke_slowly)

    def begin() -> None:
        thread.start()
        assert holding.wait(5)  # the row is locked and not yet committed, or just now

    while_reading_the_body(monkeypatch, begin)
    response = caller.api.post(caller.path, SIGNUP)
    thread.join()

    problem(response, 401, "invalid_token")
    assert events("subscriber.created") == []


def test_a_snapshot_that_is_open_in_the_worker_hides_no_revocation(app: Flask) -> None:
    caller = make_caller(app)
    with app.app_context():
        assert db.session.scalar(select(ApiKey.revoked_at)) is None  # begins a transaction
        revoke(caller.key)
        problem(caller.api.get(caller.path), 401, "invalid_token")
        problem(caller.api.post(caller.path, SIGNUP), 401, "invalid_token")


def test_a_revocation_after_the_sign_up_leaves_both_in_this_order(app: Flask) -> None:
    caller = make_caller(app)

    assert caller.api.post(caller.path, SIGNUP).status_code == 201
    revoke(caller.key)
    problem(caller.api.post(caller.path, {"email": "late@example.org"}), 401, "invalid_token")

    assert [event.action for event in events()][-2:] == ["subscriber.created", "api_key.revoked"]
