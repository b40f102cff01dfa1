"""Who calls: the Authorization header, one answer for every unusable token, limits, and the note of use."""

import base64
import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from blueprints import limits
from blueprints.api import body, views
from models import ApiKey, Plan, Scope, db, now
from models import token as tokens
from tests.api_client import (
    ApiClient,
    Caller,
    assert_api_headers,
    make_caller,
    nothing_written,
    problem,
    refused,
)
from tests.console import sign_in
from tests.factories import (
    all_rows,
    events,
    make_api_key,
    make_subscriber,
    make_user,
    revoke,
    set_plan,
)
from tests.queries import recorded

SIGNUP = {"email": "ada@example.org"}
CHALLENGE = 'Bearer realm="queuekey"'
INVALID = f'{CHALLENGE}, error="invalid_token"'


def get(app: Flask, path: str, authorization: str | None, **kwargs: Any) -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return ApiClient(app, None).get(path, headers=headers, **kwargs)


@pytest.mark.parametrize("authorization", [None, "", " ", "\t"])
def test_without_a_credential_the_challenge_names_no_error(app: Flask, authorization: str | None) -> None:
    caller = make_caller(app)

    with refused():
        response = get(app, caller.path, authorization)

    problem(response, 401, "missing_token")
    assert response.headers.getlist("WWW-Authenticate") == [CHALLENGE]
    assert get(app, caller.path, f"Bearer {caller.token}").status_code == 200


def test_unknown_revoked_and_malformed_get_one_and_the_same_answer(app: Flask) -> None:
    caller = make_caller(app)
    key, revoked = make_api_key(caller.organisation)
    revoke(key)
    live = caller.token
    unusable = [
        tokens.generate(),
        revoked,
        live[:-1] + ("a" if live[-1] != "a" else "b"),
        live.replace("qu_live_", "qu_test_"),
        live[:-1],
        live + "0",
        live[:8] + live[8:].swapcase(),
        "x" * 8000,
    ]

    with refused():
        responses = [get(app, caller.path, f"Bearer {token}") for token in unusable]

    answers = set()
    for response in responses:
        document = problem(response, 401, "invalid_token")
        assert response.headers.getlist("WWW-Authenticate") == [INVALID]
        headers = [(name, value) for name, value in response.headers if name != "X-Request-Id"]
        answers.add(str(headers) + str({**document, "request_id": None}))
    assert len(answers) == 1
    assert get(app, caller.path, f"Bearer {live}").status_code == 200


@pytest.mark.parametrize(
    "form", ["Bearer {}", "bearer {}", "BEARER {}", "BeArEr {}", "Bearer   {}", "Bearer {}  ", " Bearer {}\t"]
)
def test_the_scheme_is_case_insensitive_and_blanks_around_a_token_do_not_matter(app: Flask, form: str) -> None:
    caller = make_caller(app)

    assert get(app, caller.path, form.format(caller.token)).status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        "Bearer\t{}",
        "Bearer{}",
        "Bearer",
        "Token {}",
        "Basic {}",
        "{}",
        "Bearer {} x",
        "Bearer {}, Bearer {}",
        "Bearer {},Bearer {}",
        'Bearer "{}"',
        "Bearer {}=",
        "Bearer a=b",
        "Bearer token={}",
        "Bearer Bearer {}",
        "Bearer: {}",
        "Digest username={}",
    ],
)
def test_anything_else_is_an_invalid_token(app: Flask, form: str) -> None:
    caller = make_caller(app)

    with refused():
        response = get(app, caller.path, form.replace("{}", caller.token))

    problem(response, 401, "invalid_token")
    assert response.headers["WWW-Authenticate"] == INVALID
    assert get(app, caller.path, f"Bearer {caller.token}").status_code == 200


def test_basic_credentials_do_not_authenticate(app: Flask) -> None:
    caller = make_caller(app)
    basic = base64.b64encode(f"{caller.token}:".encode()).decode()

    problem(get(app, caller.path, f"Basic {basic}"), 401, "invalid_token")
    assert get(app, caller.path, f"Bearer {caller.token}").status_code == 200


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (lambda token: {"query_string": {"access_token": token}}, "missing_token"),
        (lambda token: {"query_string": {"api_key": token}}, "missing_token"),
        (lambda token: {"headers": {"X-Api-Key": token}}, "missing_token"),
        (lambda token: {"headers": {"Proxy-Authorization": f"Bearer {token}"}}, "missing_token"),
        (lambda token: {"headers": {"X-Forwarded-Authorization": f"Bearer {token}"}}, "missing_token"),
        (lambda token: {"headers": {"Cookie": f"token={token}; Authorization=Bearer {token}"}}, "missing_token"),
        (lambda token: {"data": {"access_token": token}}, "missing_token"),
        (lambda token: {"json": {"access_token": token}}, "missing_token"),
    ],
)
def test_a_token_in_any_other_place_does_not_authenticate_and_is_not_logged(
    app: Flask, caplog: pytest.LogCaptureFixture, how: Callable[[str], dict[str, Any]], code: str
) -> None:
    caller = make_caller(app)

    with refused(), caplog.at_level(logging.DEBUG):
        response = ApiClient(app, None).send("POST", caller.path, **how(caller.token))

    problem(response, 401, code)
    assert "queuekey.requests" in {record.name for record in caplog.records}
    assert caller.token not in caplog.text + response.text
    assert caller.api.post(caller.path, SIGNUP).status_code == 201


def test_a_console_session_is_ignored(app: Flask) -> None:
    caller = make_caller(app)
    admin = sign_in(app, make_user(caller.organisation))
    assert admin.get("/account").status_code == 200

    with refused():
        problem(admin.get(caller.path), 401, "missing_token")
        problem(admin.post(caller.path, json=SIGNUP), 401, "missing_token")


def test_beside_a_session_the_key_alone_decides(app: Flask) -> None:
    mine, other = make_caller(app), make_caller(app)
    admin = sign_in(app, make_user(other.organisation))
    headers = {"Authorization": f"Bearer {mine.token}"}

    assert_api_headers(admin.get(mine.path, headers=headers))
    problem(admin.get(other.path, headers=headers), 404, "not_found")
    assert admin.post(mine.path, headers=headers, json=SIGNUP).status_code == 201
    (event,) = events("subscriber.created")
    assert (event.actor_type, event.actor_id) == ("api_key", mine.key.id)


def test_a_malformed_token_costs_no_query_and_an_unknown_one_as_many_as_a_revoked_one(app: Flask) -> None:
    caller = make_caller(app)
    revoke(caller.key)

    def cost(token: str) -> int:
        with recorded(app) as queries:
            problem(get(app, caller.path, f"Bearer {token}"), 401, "invalid_token")
        return len(queries)

    assert cost("x" * 8000) == 0
    assert cost(caller.token[:-1]) == 0
    assert cost(tokens.generate()) == cost(caller.token) == 1


_latin1 = st.text(st.characters(max_codepoint=255, blacklist_characters="\r\n"), max_size=40)
_header = _latin1 | st.builds("{}{}{}".format, st.sampled_from(["Bearer", "bearer ", "Basic "]), _latin1, _latin1)


@given(_header)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_header_gets_its_answer(app: Flask, authorization: str) -> None:
    app.config["RATELIMIT_FAILED_AUTH"] = 10_000
    response = get(app, "/v1/api/waitlists/wl_000000000000/subscribers", authorization)
    app.config["RATELIMIT_FAILED_AUTH"] = 60

    problem(response, 401, "invalid_token" if authorization.strip(" \t") else "missing_token")


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


# The order of checks: each request has everything wrong from its place on, and is told of the first alone.


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


# Between authentication and the writing transaction: the body is being read.


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


# Last used.


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


# What leaves the house.


def test_neither_token_nor_digest_reaches_a_log_or_an_answer(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
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

    told = caplog.text + "".join(f"{dict(answer.headers)}" for answer in answers)
    assert caller.key.prefix in told
    for token in (caller.token, unknown):
        digest = tokens.digest(token)
        for secret in (token, token[12:-1], digest.hex(), repr(digest)[2:-1]):
            assert secret not in told
    assert not any(caller.token[12:] in answer.text for answer in answers)


def test_the_log_line_names_the_key_by_its_prefix(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caller = make_caller(app)
    with caplog.at_level(logging.INFO, "queuekey.requests"):
        response = caller.api.get(caller.path)

    (line,) = [record.getMessage() for record in caplog.records if record.name == "queuekey.requests"]
    assert f'"key":"{caller.key.prefix}"' in line
    assert f'"id":"{response.headers["X-Request-Id"]}"' in line


def test_another_organisations_key_does_not_open_mine(app: Flask) -> None:
    mine, other = make_caller(app), make_caller(app)
    make_subscriber(other.waitlist)
    strays = {"X-Org-Id": str(other.organisation.id), "X-Tenant-ID": other.organisation.slug}

    with nothing_written():
        problem(mine.api.get(other.path, headers=strays), 404, "not_found")
        problem(mine.api.post(other.path, SIGNUP, headers=strays), 404, "not_found")

    assert other.api.get(other.path).json["total"] == 1  # type: ignore[index]
    assert mine.api.get(mine.path, headers=strays).json["total"] == 0  # type: ignore[index]
