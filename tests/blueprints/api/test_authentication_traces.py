"""What a request leaves behind: when its key was last used, and what stands in the log."""

import logging
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models import ApiKey, Plan, Scope, db, now
from models import token as tokens
from tests.api_client import (
    ApiClient,
    make_caller,
    problem,
)
from tests.factories import (
    all_rows,
    revoke,
    set_plan,
)
from tests.queries import recorded

SIGNUP = {"email": "ada@example.org"}


def last_used_at() -> Any:
    return all_rows(ApiKey)[0].last_used_at


def test_the_first_request_past_key_plan_and_scope_is_the_first_use(app: Flask) -> None:
    caller = make_caller(app, scopes=[Scope.SUBSCRIBERS_READ])

    problem(caller.api.post(caller.path, SIGNUP), 403, "insufficient_scope")
    problem(caller.api.send("PUT", caller.path), 405, "method_not_allowed")
    assert caller.api.send("OPTIONS", caller.path).status_code == 200
    set_plan(caller.organisation, Plan.FREE)
    problem(caller.api.get(caller.path), 403, "feature_not_allowed")
    set_plan(caller.organisation, Plan.PRO)
    assert last_used_at() is None

    began = now().replace(second=0, microsecond=0)
    assert caller.api.get(caller.path).status_code == 200
    assert began <= last_used_at() <= now()
    assert (last_used_at().second, last_used_at().microsecond) == (0, 0)


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/api/waitlists/wl_000000000000/subscribers", 404), ("{}?page=0", 422), ("{}?page=9", 200)]
)
def test_a_request_that_fails_later_is_a_use(app: Flask, path: str, status: int) -> None:
    caller = make_caller(app)

    assert caller.api.get(path.format(caller.path)).status_code == status
    assert last_used_at() is not None


def test_a_head_request_is_a_use(app: Flask) -> None:
    caller = make_caller(app)

    assert caller.api.send("HEAD", caller.path).status_code == 200
    assert last_used_at() is not None


def test_a_request_over_the_limit_is_no_use(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    monkeypatch.setitem(app.config, "RATELIMIT_PRO", 0.5)

    problem(caller.api.get(caller.path), 429, "rate_limited")
    assert last_used_at() is None


def test_a_hundred_requests_in_a_minute_write_once(app: Flask) -> None:
    caller = make_caller(app)
    with recorded(app) as statements:
        for _ in range(30):
            assert caller.api.get(caller.path).status_code == 200

    writes = [statement for statement in statements if statement.startswith("UPDATE api_keys")]
    assert 1 <= len(writes) <= 2  # two where a minute ended in between


def test_a_held_lock_neither_delays_nor_fails_a_request(app: Flask) -> None:
    caller = make_caller(app)
    with app.app_context():
        engine = db.engine
    with engine.connect().execution_options(sqlite_begin="IMMEDIATE") as other:
        other.execute(select(ApiKey.id).with_for_update())
        began = now()
        assert caller.api.get(caller.path).status_code == 200
        assert (now() - began).total_seconds() < 2
        other.rollback()

    assert last_used_at() is None
    assert caller.api.get(caller.path).status_code == 200
    assert last_used_at() is not None


def test_neither_token_nor_digest_reaches_a_log_or_an_answer(
    app: Flask, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caller = make_caller(app)
    unknown = tokens.generate()
    answers = []
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, "sqlalchemy.engine"):
        for token in (caller.token, unknown, caller.token[:-1]):
            client = ApiClient(app, token)
            answers += [client.get(caller.path), client.post(caller.path, {"email": token})]
            answers += [client.get(f"{caller.path}?page={token}"), client.send("PUT", caller.path)]
        revoke(caller.key)
        answers += [caller.api.get(caller.path)]

    told = caplog.text + capfd.readouterr().out + "".join(f"{dict(answer.headers)}" for answer in answers)
    assert caller.key.prefix in told
    for token in (caller.token, unknown):
        digest = tokens.digest(token)
        for secret in (token, token[12:-1], digest.hex(), repr(digest)[2:-1]):
            assert secret not in told
    assert not any(caller.token[12:] in answer.text for answer in answers)
