"""Faults of ours and a database that is away: told as problems, without anything of the inside."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app import create_app
from blueprints.api import authentication, views
from models import ApiKey, Organisation, db
from models import token as tokens
from tests.api_client import ApiClient, make_caller, nothing_written, problem
from tests.conftest import SECRET_KEY
from tests.factories import count

SIGNUP = {"email": "ada@example.org"}


@pytest.mark.parametrize("place", ["authentication", "view", "answer"])
def test_a_fault_of_ours_shows_nothing_of_the_inside(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    caller = make_caller(app)

    def fail(*_: Any, **__: Any) -> Any:
        raise LookupError("the inside")

    with monkeypatch.context() as broken:
        if place == "authentication":
            broken.setattr(ApiKey, "resolve", fail)
        elif place == "view":
            broken.setattr(views, "read_json", fail)
        else:
            broken.setattr(
                "blueprints.api.answers.subscriber", lambda entry: {"id": object()}
            )  # JSON has no form for it
            broken.setitem(app.config, "TESTING", False)
        with nothing_written() if place != "answer" else monkeypatch.context():
            response = caller.api.post(caller.path, SIGNUP)

    document = problem(response, 500, "internal_error")
    assert "inside" not in response.text
    assert "Traceback" not in response.text
    if place != "answer":
        assert document["request_id"] in caplog.text
        assert "the inside" in caplog.text
    assert caller.api.post(caller.path, SIGNUP).status_code in {200, 201}


@contextmanager
def impatient(engine: Engine) -> Iterator[None]:
    """Connections wait a twentieth of a second for a lock, instead of seconds."""

    def hurry(connection: Any, _record: object) -> None:
        is_sqlite = engine.dialect.name == "sqlite"
        connection.execute("PRAGMA busy_timeout=50" if is_sqlite else "SET lock_timeout = 50")
        connection.commit()

    engine.dispose()
    event.listen(engine, "connect", hurry)
    try:
        with mock.patch("models.turn.WAIT_SECONDS", 0.05):
            yield
    finally:
        event.remove(engine, "connect", hurry)
        engine.dispose()


def test_a_lock_that_is_not_to_be_had_is_unavailable(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caller = make_caller(app)
    assert caller.api.get(caller.path).status_code == 200  # last used is written here, not below
    with app.app_context():
        engine = db.engine
    with impatient(engine), engine.connect().execution_options(sqlite_begin="IMMEDIATE") as other:
        other.execute(select(Organisation.id).with_for_update())
        with nothing_written():
            response = caller.api.post(caller.path, SIGNUP)
        assert caller.api.get(caller.path).status_code == 200
        other.rollback()

    problem(response, 503, "unavailable")
    assert response.headers["Retry-After"] == "1"
    assert SIGNUP["email"] not in caplog.text
    assert caller.api.post(caller.path, SIGNUP).status_code == 201


@pytest.mark.parametrize("error", [OperationalError("SELECT 1", {}, Exception("gone")), PoolTimeout("no connection")])
def test_a_database_that_goes_away_is_unavailable(
    app: Flask, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    caller = make_caller(app)

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    with monkeypatch.context() as away:
        away.setattr(authentication, "hold_caller", fail)
        away.setattr(views, "hold_caller", fail)
        with nothing_written():
            response = caller.api.post(caller.path, SIGNUP)

    problem(response, 503, "unavailable")
    assert response.headers["Retry-After"] == "1"
    assert caller.api.post(caller.path, SIGNUP).status_code == 201


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/nowhere", "sqlite:///{}/without_tables.db"])
def test_without_a_database_only_what_needs_one_is_unavailable(url: str, tmp_path: Path) -> None:
    app = create_app({"DATABASE_URL": url.format(tmp_path), "SECRET_KEY": SECRET_KEY})
    path = "/v1/api/waitlists/wl_000000000000/subscribers"

    response = ApiClient(app, tokens.generate()).get(path, buffered=True)

    problem(response, 503, "unavailable")
    assert response.headers["Retry-After"] == "1"
    problem(ApiClient(app, "malformed").get(path), 401, "invalid_token")
    problem(ApiClient(app, None).get("/v1/api/nothing"), 404, "not_found")


def test_a_failure_to_write_the_event_undoes_the_sign_up(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    with app.app_context():
        engine = db.engine

    def refuse(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO activity_events"):
            raise LookupError("no event")

    with nothing_written():
        event.listen(engine, "before_cursor_execute", refuse)
        try:
            response = caller.api.post(caller.path, SIGNUP)
        finally:
            event.remove(engine, "before_cursor_execute", refuse)

    problem(response, 500, "internal_error")
    assert caller.api.post(caller.path, SIGNUP).status_code == 201
    assert count(ApiKey) == 1


def test_a_commit_that_fails_leaves_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    with app.app_context():
        engine = db.engine

    def refuse(_connection: Any) -> None:
        raise OperationalError("COMMIT", {}, Exception("gone"))

    with nothing_written():
        event.listen(engine, "commit", refuse)
        try:
            response = caller.api.post(caller.path, SIGNUP)
        finally:
            event.remove(engine, "commit", refuse)

    problem(response, 503, "unavailable")
    assert caller.api.post(caller.path, SIGNUP).status_code == 201


def test_a_fault_is_logged_with_its_trace_and_its_request(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caller = make_caller(app)

    def fail(*_: Any) -> Any:
        raise LookupError("the inside")

    monkeypatch.setattr(views, "read_json", fail)
    with caplog.at_level(logging.ERROR, "queuekey.errors"):
        document = problem(caller.api.post(caller.path, SIGNUP), 500, "internal_error")

    (record,) = [record for record in caplog.records if record.name == "queuekey.errors"]
    assert record.exc_info
    assert document["request_id"] in record.getMessage()
    assert caller.token not in caplog.text
