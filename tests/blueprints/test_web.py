"""What every request and response passes: hosts, origins, tokens of forms, errors."""

import json
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from blueprints.web import ERROR_SENTENCES, FOREIGN_FORM, STALE_FORM, UNKNOWN_HOST, is_local_path
from models import Role, User
from tests.console import hidden_fields, sign_in, submit
from tests.factories import PASSWORD, make_user
from tests.whole_console import everything, make_household, paths, running

HTTPS = "https://queuekey.example"
EVIL = "evil.example"
FORM = {"name": "From a form", "referral_skip": "5"}


def is_a_page(response: TestResponse) -> bool:
    return response.mimetype == "text/html" and "Traceback" not in response.text and "<h1" in response.text


# Hosts


@pytest.mark.parametrize("host", [EVIL, "localhost.evil.example", "", "localhost:x", "127.0.0.1@evil.example", "a b"])
def test_a_host_that_is_not_ours_gets_no_page_and_is_never_repeated(client: FlaskClient, host: str) -> None:
    assert client.get("/login").status_code == 200

    for path in ("/login", "/waitlists", "/nowhere", "/docs/errors"):
        response = client.get(path, headers={"Host": host})
        assert (response.status_code, response.text) == (400, f"{UNKNOWN_HOST}\n")
        assert EVIL not in str(response.headers)
    posted = client.post("/login", data=hidden_fields(client.get("/login").text), headers={"Host": host})
    assert posted.status_code == 400


def test_the_api_answers_an_unknown_host_with_a_problem_that_does_not_repeat_it(client: FlaskClient) -> None:
    response = client.get("/v1/api/waitlists/x/subscribers", headers={"Host": EVIL})

    assert response.status_code == 400
    assert response.get_json()["code"] == "invalid_request"
    assert EVIL not in response.text + str(response.headers)


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:8080", "[::1]:5000", "[::1]", "LOCALHOST"])
def test_the_loopback_hosts_are_answered_on_any_port(client: FlaskClient, host: str) -> None:
    assert client.get("/login", headers={"Host": host}).status_code == 200


def test_the_public_host_is_answered_where_there_is_one(app: Flask) -> None:
    with running(app, PUBLIC_URL=HTTPS) as public:
        assert public.test_client().get("/login", headers={"Host": "queuekey.example"}).status_code == 200
        assert public.test_client().get("/login", headers={"Host": EVIL}).status_code == 400
    assert app.test_client().get("/login", headers={"Host": "queuekey.example"}).status_code == 400


def test_a_forwarded_host_is_not_believed(app: Flask) -> None:
    with running(app, TRUSTED_PROXIES=1) as behind_proxy:
        response = behind_proxy.test_client().get("/docs/errors", headers={"X-Forwarded-Host": EVIL})
    assert response.status_code == 200
    assert EVIL not in response.text


# Forms from elsewhere


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": f"https://{EVIL}"},
        {"Origin": "null"},
        {"Origin": "https://localhost"},
        {"Origin": "http://localhost:81"},
        {"Origin": f"http://localhost.{EVIL}"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_form_from_another_site_is_refused_even_with_a_valid_token(app: Flask, headers: dict[str, str]) -> None:
    client = sign_in(app, make_user())
    data = hidden_fields(client.get("/waitlists/new").text) | FORM
    before = everything()

    refused = client.post("/waitlists/new", data=data, headers=headers)

    assert refused.status_code == 403
    assert FOREIGN_FORM in refused.text
    assert everything() == before
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/waitlists/new", data=data, headers=own).status_code == 302


def test_with_a_public_address_the_origin_is_compared_with_it(app: Flask) -> None:
    user = make_user()
    with running(app, PUBLIC_URL=HTTPS) as public:
        for origin, status in (
            (HTTPS, 302),
            (HTTPS.upper(), 302),
            ("http://queuekey.example", 403),
            (f"{HTTPS}:1", 403),
        ):
            client = public.test_client()
            page = client.get("/login", base_url=HTTPS)
            data = hidden_fields(page.text) | {"email": user.email, "password": PASSWORD}
            response = client.post("/login", data=data, base_url=HTTPS, headers={"Origin": origin})
            assert response.status_code == status


def test_every_form_needs_the_token_of_its_own_session(app: Flask) -> None:
    admin, _, ids = make_household()
    client, other = sign_in(app, admin), sign_in(app, make_user())
    own = hidden_fields(client.get("/account").text)["csrf_token"]
    foreign = hidden_fields(other.get("/account").text)["csrf_token"]
    as_json = {"data": json.dumps({"csrf_token": own} | FORM), "content_type": "application/json"}
    as_text = {"data": f"csrf_token={own}&name=x", "content_type": "text/plain"}
    tries: list[dict[str, Any]] = [
        {"data": FORM},
        {"data": {"csrf_token": ""} | FORM},
        {"data": {"csrf_token": foreign} | FORM},
        {"data": {"csrf_token": f"{own}\0"} | FORM},
        {"data": FORM, "query_string": {"csrf_token": own}},
        as_json,
        as_json | {"headers": {"X-CSRFToken": own}},
        as_text,
        as_text | {"headers": {"X-CSRFToken": own}},
        {"data": b"1", "content_type": "application/json", "headers": {"X-CSRFToken": own}},
    ]
    before = everything()
    forms = paths(app, "POST", ids)
    assert {"/login", "/logout", "/account", "/waitlists/new", "/api-keys/new"} <= set(forms)

    for path in forms:
        for attempt in tries:
            assert client.post(path, **attempt).status_code == 400, (path, attempt)

    assert everything() == before
    assert submit(client, "/waitlists/new", FORM).status_code == 302
    assert submit(client, "/logout", page="/account").location == "/login"


def test_a_form_of_an_earlier_session_says_what_to_do(app: Flask) -> None:
    client = sign_in(app, make_user())
    response = client.post("/waitlists/new", data=FORM)

    assert is_a_page(response)
    assert STALE_FORM in response.text
    assert response.headers["X-Request-Id"] in response.text


# Errors as pages


def test_errors_are_pages_for_people(app: Flask, client: FlaskClient) -> None:
    signed_in = sign_in(app, make_user(role=Role.MEMBER))
    for visitor in (signed_in, client):
        for response, status in (
            (visitor.get("/nowhere"), 404),
            (visitor.get("/docs/nowhere"), 404),
            (visitor.put("/login"), 405),
            (visitor.get("/waitlists?page=%00"), 400),
        ):
            assert response.status_code == status
            assert is_a_page(response)
            assert unescape(response.text).count(ERROR_SENTENCES[status]) == 1
            assert response.headers["X-Request-Id"] in response.text
    assert set(signed_in.put("/login").allow) >= {"GET", "POST"}
    assert signed_in.get("/waitlists/new").status_code == 403


def test_a_fault_of_ours_is_a_kind_page_without_a_trace(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(app, make_user())
    assert client.get("/waitlists").status_code == 200

    def fail() -> None:
        raise ZeroDivisionError("the secret of the house")

    monkeypatch.setitem(app.view_functions, "waitlists.index", fail)
    response = client.get("/waitlists")

    assert response.status_code == 500
    assert is_a_page(response)
    assert ERROR_SENTENCES[500] in unescape(response.text)
    assert "secret of the house" not in response.text
    assert "ZeroDivisionError" not in response.text
    assert response.headers["X-Request-Id"] in response.text


def test_without_a_database_the_page_says_so_and_asks_it_nothing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(app, make_user())
    assert client.get("/waitlists").status_code == 200

    def away(_session_id: str) -> User:
        raise OperationalError("SELECT secrets", {}, Exception("the secret of the house"))

    monkeypatch.setattr(app.login_manager, "_user_callback", away)  # type: ignore[attr-defined]
    for path in ("/waitlists", "/docs/errors", "/nowhere", "/login"):
        response = client.get(path)
        assert response.status_code == 503, path
        assert response.headers["Retry-After"].isdigit()
        assert is_a_page(response)
        assert ERROR_SENTENCES[503] in unescape(response.text)
        assert "secret" not in response.text


# Addresses to go on to


@pytest.mark.parametrize("target", ["/", "/plan", "/a/b?c=d&e=f", "/a?next=https://evil.example", "/a:b", "/~%2F%2f"])
def test_a_path_of_this_site_is_local(target: str) -> None:
    assert is_local_path(target)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "a",
        "//a",
        "///a",
        "/\\a",
        "\\a",
        "/\t/a",
        "/\r\n/a",
        "http:/a",
        "javascript:x",
        " /a",
        "/a b",
        "/é",
        "/\0",
        "?a",
    ],
)
def test_anything_that_a_browser_may_read_as_another_site_is_not_local(target: str) -> None:
    assert not is_local_path(target)
