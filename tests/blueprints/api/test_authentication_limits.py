"""How many requests a key has, and how many failures an address has."""

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from blueprints import limits
from models import Plan
from models import token as tokens
from tests.api_client import (
    ApiClient,
    make_caller,
    nothing_written,
    problem,
)

SIGNUP = {"email": "ada@example.org"}


def get(app: Flask, path: str, authorization: str | None, **kwargs: Any) -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return ApiClient(app, None).get(path, headers=headers, **kwargs)


def test_past_its_limit_a_key_waits_for_the_next_minute(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, other = make_caller(app), make_caller(app)
    monkeypatch.setitem(app.config, "RATELIMIT_PRO", 2)
    monkeypatch.setattr(limits, "clock", lambda: 119.0)

    left = [caller.api.get(caller.path).headers["RateLimit"] for _ in range(2)]
    with nothing_written():
        response = caller.api.post(caller.path, SIGNUP)

    assert left == ['"per-key";r=1;t=1', '"per-key";r=0;t=1']
    problem(response, 429, "rate_limited")
    assert response.headers["RateLimit-Policy"] == '"per-key";q=2;w=60'
    assert response.headers["RateLimit"] == '"per-key";r=0;t=1'
    assert response.headers["Retry-After"] == "1"
    assert other.api.get(other.path).status_code == 200
    monkeypatch.setattr(limits, "clock", lambda: 120.0)
    assert caller.api.post(caller.path, SIGNUP).status_code == 201


def test_team_has_a_limit_of_its_own(app: Flask) -> None:
    caller = make_caller(app, plan=Plan.TEAM)

    assert caller.api.get(caller.path).headers["RateLimit-Policy"] == '"per-key";q=3000;w=60'


def test_only_successful_and_refused_by_limit_answers_tell_the_limit(app: Flask) -> None:
    caller = make_caller(app)

    for status, response in {
        200: caller.api.get(caller.path),
        201: caller.api.post(caller.path, SIGNUP),
        404: caller.api.get("/v1/api/waitlists/wl_000000000000/subscribers"),
        422: caller.api.get(f"{caller.path}?page=0"),
        401: ApiClient(app, None).get(caller.path),
    }.items():
        assert response.status_code == status
        assert ("RateLimit" in response.headers) == ("RateLimit-Policy" in response.headers) == (status < 300)


def test_past_the_limit_of_failures_bad_tokens_wait_and_live_keys_do_not(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = make_caller(app)
    monkeypatch.setitem(app.config, "RATELIMIT_FAILED_AUTH", 2)
    monkeypatch.setattr(limits, "clock", lambda: 119.0)
    here = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.7"}}

    for token in (tokens.generate(), "x"):
        problem(get(app, caller.path, f"Bearer {token}", **here), 401, "invalid_token")
    response = get(app, caller.path, f"Bearer {tokens.generate()}", **here)

    problem(response, 429, "rate_limited")
    assert response.headers["Retry-After"] == "1"
    assert "WWW-Authenticate" not in response.headers
    assert get(app, caller.path, f"Bearer {caller.token}", **here).status_code == 200
    problem(get(app, caller.path, None, **here), 401, "missing_token")
    there = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.8"}}
    problem(get(app, caller.path, "Bearer x", **there), 401, "invalid_token")


def test_a_forwarded_address_is_not_believed_without_a_trusted_proxy(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = make_caller(app)
    monkeypatch.setitem(app.config, "RATELIMIT_FAILED_AUTH", 2)
    monkeypatch.setattr(limits, "clock", lambda: 119.0)

    statuses = [
        ApiClient(app, "x").get(caller.path, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
        for n in range(4)
    ]

    assert statuses == [401, 401, 429, 429]


# RFC 9651: a List of one String Item whose Parameters are Integers, as the rate limit draft has them.
STRUCTURED = re.compile(r'"(?P<policy>[ !#-\[\]-~]*)"(?P<parameters>(?:; *[a-z*][a-z0-9_.*-]*=-?[0-9]{1,15})*)')


def structured(field: str) -> tuple[str, dict[str, int]]:
    """The item and its parameters."""
    found = STRUCTURED.fullmatch(field)
    assert found is not None, field
    pairs = (pair.strip().partition("=") for pair in found["parameters"].split(";")[1:])
    return found["policy"], {key: int(value) for key, _, value in pairs}


def test_every_limit_is_told_in_structured_fields_that_name_nobody(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app)
    monkeypatch.setitem(app.config, "RATELIMIT_PRO", 1)
    monkeypatch.setitem(app.config, "RATELIMIT_FAILED_AUTH", 1)
    monkeypatch.setattr(limits, "clock", lambda: 100.0)
    bad = ApiClient(app, "qu_live_nothing")
    first, past, _, past_failures = (client.get(caller.path) for client in (caller.api, caller.api, bad, bad))

    assert [response.status_code for response in (first, past, past_failures)] == [200, 429, 429]
    for response in (first, past, past_failures):
        (policy, said), (same, left) = (
            structured(response.headers[name]) for name in ("RateLimit-Policy", "RateLimit")
        )
        assert policy == same
        assert policy in {"per-key", "failed-authentication"}
        assert (said, left) == ({"q": 1, "w": 60}, {"r": 0, "t": 20})
        assert response.headers.get("Retry-After", "20") == "20"
