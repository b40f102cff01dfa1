"""Who calls: the Authorization header, and one answer for every unusable token."""

import base64
import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from models import token as tokens
from tests.api_client import (
    ApiClient,
    assert_api_headers,
    make_caller,
    nothing_written,
    problem,
    refused,
)
from tests.console import sign_in
from tests.factories import (
    events,
    make_api_key,
    make_subscriber,
    make_user,
    revoke,
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
        "\xa0",  # a blank to Unicode, not to HTTP
        "\x0b",
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
    app: Flask,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    how: Callable[[str], dict[str, Any]],
    code: str,
) -> None:
    caller = make_caller(app)

    with refused(), caplog.at_level(logging.DEBUG):
        response = ApiClient(app, None).send("POST", caller.path, **how(caller.token))

    problem(response, 401, code)
    line = capfd.readouterr().out
    assert response.headers["X-Request-Id"] in line
    assert caller.token not in caplog.text + line + response.text
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


def test_another_organisations_key_does_not_open_mine(app: Flask) -> None:
    mine, other = make_caller(app), make_caller(app)
    make_subscriber(other.waitlist)
    strays = {"X-Org-Id": str(other.organisation.id), "X-Tenant-ID": other.organisation.slug}

    with nothing_written():
        problem(mine.api.get(other.path, headers=strays), 404, "not_found")
        problem(mine.api.post(other.path, SIGNUP, headers=strays), 404, "not_found")

    assert other.api.get(other.path).json["total"] == 1  # type: ignore[index]
    assert mine.api.get(mine.path, headers=strays).json["total"] == 0  # type: ignore[index]
