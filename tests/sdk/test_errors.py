"""What both clients raise when Queuekey refuses."""

import pickle
from typing import Any

import pytest
from flask import Flask

from models import Plan, Scope
from queuekey import (
    ApiError,
    BodyTooLarge,
    ConfigurationError,
    FeatureNotAllowed,
    InsufficientScope,
    InvalidToken,
    NotFound,
    Problem,
    RateLimited,
    Retry,
    UnexpectedAnswer,
    ValidationFailed,
)
from tests.api_client import Caller, nothing_written
from tests.factories import make_api_key, make_waitlist, revoke, set_plan
from tests.sdk.either import Either
from tests.sdk.faults import FaultyServer, answered

PROBLEM = ("Content-Type", "application/problem+json")


def test_a_revoked_key_is_an_invalid_token(either: Either, sdk: Any, caller: Caller) -> None:
    assert either.get(sdk.whoami()).name == caller.key.name
    revoke(caller.key)

    with nothing_written(), pytest.raises(InvalidToken) as refused:
        either.get(sdk.create(caller.waitlist.public_id, "ada@example.org"))

    error = refused.value
    assert (error.status, error.code, error.title) == (401, "invalid_token", "The token is not valid")
    assert len(error.request_id) == 32
    assert str(error).startswith("401 invalid_token: ")
    assert str(error).endswith(f"(request {error.request_id})")


def test_a_missing_scope_is_named(either: Either, address: str, caller: Caller) -> None:
    _, token = make_api_key(caller.organisation, scopes=[Scope.SUBSCRIBERS_READ])
    reader = either.client(token, address)
    assert either.get(reader.page(caller.waitlist.public_id)).total == 0

    with nothing_written(), pytest.raises(InsufficientScope) as refused:
        either.get(reader.create(caller.waitlist.public_id, "ada@example.org"))

    assert refused.value.required_scope == "subscribers:write"


def test_a_lapsed_plan_is_named_with_the_one_it_takes(either: Either, sdk: Any, caller: Caller) -> None:
    set_plan(caller.organisation, Plan.FREE)

    with nothing_written(), pytest.raises(FeatureNotAllowed) as refused:
        either.get(sdk.whoami())

    assert (refused.value.plan, refused.value.required_plan) == ("free", "pro")


def test_a_waitlist_of_somebody_else_is_not_found(either: Either, sdk: Any, caller: Caller) -> None:
    assert either.get(sdk.page(caller.waitlist.public_id)).total == 0

    for foreign in (make_waitlist().public_id, "wl_nowhere", "../key", "a/b"):
        with pytest.raises(NotFound):
            either.get(sdk.page(foreign))
        with pytest.raises(NotFound):
            either.get(sdk.export(foreign))


def test_a_waitlist_without_a_name_is_refused_before_it_is_sent(either: Either, sdk: Any) -> None:
    with pytest.raises(ConfigurationError, match="There is no waitlist"):
        either.get(sdk.create("", "ada@example.org"))


def test_wrong_fields_are_named(either: Either, sdk: Any, caller: Caller) -> None:
    with nothing_written(), pytest.raises(ValidationFailed) as refused:
        either.get(sdk.create(caller.waitlist.public_id, "nobody"))
    with pytest.raises(ValidationFailed) as second:
        either.get(sdk.page(caller.waitlist.public_id, 0, limit=1000))

    assert [error.field for error in refused.value.errors] == ["email"]
    assert refused.value.errors[0].message in str(refused.value)
    assert [error.field for error in second.value.errors] == ["page", "limit"]


def test_a_row_larger_than_a_batch_may_be_is_told(either: Either, sdk: Any, caller: Caller) -> None:
    with nothing_written(), pytest.raises(BodyTooLarge):
        either.get(sdk.create_many(caller.waitlist.public_id, ["x" * 2**20]))


def test_a_limit_that_takes_too_long_to_wait_for_is_raised_with_its_seconds(
    monkeypatch: pytest.MonkeyPatch, app: Flask, either: Either, address: str, caller: Caller
) -> None:
    monkeypatch.setitem(app.config, "RATELIMIT_PRO", 1)
    monkeypatch.setattr("blueprints.limits.clock", lambda: 90.0)
    hasty = either.client(caller.token, address, retry=Retry(seconds=0.5, first_pause=0.6))

    assert either.get(hasty.whoami()).name == caller.key.name
    with pytest.raises(RateLimited) as refused:
        either.get(hasty.whoami())

    assert refused.value.retry_after == 30


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (404, [("Content-Type", "text/html")], b"<h1>nginx</h1>", "no problem document but text/html"),
        (301, [("Location", "https://evil.example/")], b"", "a redirect, which is not followed"),
        (200, [("Content-Type", "text/html")], b"<h1>welcome</h1>", "no JSON"),
        (200, [("Content-Type", "application/json")], b'{"name": "x"}', "Key is not whole"),
        (200, [("Content-Type", "application/json")], b"[]", "Key is not whole"),
        (403, [PROBLEM], b'{"code": "unfinished"}', "no problem document"),
    ],
)
def test_what_is_not_queuekeys_answer_is_told_apart(
    either: Either, live: str, alone: FaultyServer, status: int, headers: list[Any], body: bytes, words: str
) -> None:
    alone.plays.append(answered(status, body, *headers))

    with pytest.raises(UnexpectedAnswer, match=words) as refused:
        either.get(either.client(live, alone.url).whoami())

    assert (refused.value.status, refused.value.code) == (status, "unexpected_answer")
    assert len(alone.seen) == 1


def test_a_code_of_a_newer_queuekey_is_an_api_error(either: Either, live: str, alone: FaultyServer) -> None:
    document = b'{"type":"t","title":"T","status":418,"detail":"D","code":"teapot","request_id":"r","new":1}'
    alone.plays.append(answered(418, document, PROBLEM))

    with pytest.raises(ApiError) as refused:
        either.get(either.client(live, alone.url).whoami())

    assert type(refused.value) is ApiError
    assert str(refused.value) == "418 teapot: D (request r)"


def test_an_error_goes_from_one_process_to_another() -> None:
    problem = Problem(type="t", title="T", status=429, detail="D", code="rate_limited", request_id="r")

    error = pickle.loads(pickle.dumps(RateLimited(problem, 7.0)))

    assert (type(error), error.problem, error.retry_after) == (RateLimited, problem, 7.0)
