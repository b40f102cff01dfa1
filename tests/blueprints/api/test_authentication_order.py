"""The order of checks: a request with many things wrong is told of the first alone."""

from typing import Any

import pytest
from flask import Flask

from models import Plan, Scope
from tests.api_client import (
    ApiClient,
    assert_api_headers,
    make_caller,
    problem,
    refused,
)
from tests.factories import (
    make_api_key,
    revoke,
    set_plan,
)

SIGNUP = {"email": "ada@example.org"}


@pytest.mark.parametrize("token", ["none", "bad", "live"])
def test_routing_comes_before_the_credential(app: Flask, token: str) -> None:
    caller = make_caller(app)
    client = ApiClient(app, {"none": None, "bad": "x", "live": caller.token}[token])

    with refused():
        problem(client.get("/v1/api/nothing"), 404, "not_found")
        problem(client.get("/v1/api"), 404, "not_found")
        problem(client.get(caller.path + "/"), 404, "not_found")
        response = client.send("DELETE", caller.path)
        problem(response, 405, "method_not_allowed")
        assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
        options = client.send("OPTIONS", caller.path)
    assert (options.status_code, options.data) == (200, b"")
    assert set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}
    assert_api_headers(options)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "FOO"])
def test_other_methods_are_not_allowed(app: Flask, method: str) -> None:
    caller = make_caller(app)

    with refused():
        response = caller.api.send(method, caller.path, json=SIGNUP)

    problem(response, 405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


def test_each_check_comes_in_its_turn(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = make_caller(app, scopes=[Scope.SUBSCRIBERS_READ], plan=Plan.PRO)
    foreign = make_caller(app)
    unknown = "/v1/api/waitlists/nonsense/subscribers"
    writer = ApiClient(app, make_api_key(caller.organisation, scopes=[Scope.SUBSCRIBERS_WRITE])[1])
    broken: dict[str, Any] = {"data": b"{", "content_type": "text/plain"}
    _, revoked = (revoked_key := make_api_key(caller.organisation))
    revoke(revoked_key[0])

    set_plan(caller.organisation, Plan.FREE)
    problem(ApiClient(app, revoked).send("POST", unknown, **broken), 401, "invalid_token")
    problem(caller.api.send("POST", unknown, **broken), 403, "feature_not_allowed")
    problem(caller.api.send("POST", foreign.path, **broken), 403, "feature_not_allowed")
    set_plan(caller.organisation, Plan.PRO)
    problem(caller.api.send("POST", unknown, **broken), 403, "insufficient_scope")
    problem(writer.send("POST", unknown, **broken), 404, "not_found")
    problem(writer.send("POST", foreign.path, **broken), 404, "not_found")
    problem(caller.api.get(f"{foreign.path}?page=0&x=1"), 404, "not_found")
    problem(writer.send("POST", caller.path, **broken), 415, "unsupported_media_type")
    problem(writer.send("POST", caller.path, data=b"{", content_type="application/json"), 400, "invalid_request")
    problem(writer.post(caller.path, {}), 422, "validation_failed")

    monkeypatch.setitem(app.config, "RATELIMIT_PRO", 1)
    problem(ApiClient(app, revoked).send("POST", unknown, **broken), 401, "invalid_token")
    problem(caller.api.send("POST", unknown, **broken), 429, "rate_limited")


def test_nothing_of_the_body_is_read_before_the_caller_is_known(app: Flask) -> None:
    caller = make_caller(app, scopes=[Scope.SUBSCRIBERS_READ])

    class Untouchable:
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the body was read")

    overrides = {"wsgi.input": Untouchable(), "CONTENT_LENGTH": "5000000"}
    for client, status in ((ApiClient(app, None), 401), (caller.api, 403)):
        for content_type in ("text/plain", "application/json", "application/x-www-form-urlencoded"):
            response = client.send("POST", caller.path, content_type=content_type, environ_overrides=dict(overrides))
            assert response.status_code == status
