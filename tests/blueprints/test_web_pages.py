"""The console's pages as a whole: what reading them does, their headers, cookies and proxies."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from blueprints import limits
from tests.console import hidden_fields, sign_in, try_to_sign_in
from tests.factories import PASSWORD, events, make_user
from tests.whole_console import everything, make_household, paths, running

HTTPS = "https://queuekey.example"
FORM = {"name": "From a form", "referral_skip": "5"}


# Reading


def test_following_every_link_changes_nothing(app: Flask) -> None:
    admin, _, ids = make_household()
    client = sign_in(app, admin)
    before = everything()
    waiting, seen = ["/", *paths(app, "GET", ids)], set[str]()

    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        response = client.get(path)
        assert response.status_code < 400 or path == "/logout", path
        waiting += [response.location] if response.location else []
        if response.mimetype == "text/html":
            links = re.findall(r'(?:href|action|src)="([^"#]+)', response.text)
            waiting += [unescape(link) for link in links if link.startswith(("/", "?")) and "/static/" not in link]
            waiting = [link for link in waiting if link != "/logout" and not link.endswith(("/archive", "/restore"))]

    assert {"/waitlists", "/plan", "/activity", "/api-keys", "/docs/errors", "/account"} <= seen
    assert everything() == before


def test_the_bar_fits_whoever_reads(app: Flask, client: FlaskClient) -> None:
    admin, member, ids = make_household()
    as_admin, as_member = sign_in(app, admin), sign_in(app, member)
    tops = {
        "Waitlists": (True, True, False),
        "API keys": (True, False, False),
        "Activity": (True, False, False),
        "Plan": (True, True, False),
        "Docs": (True, True, True),
    }
    for path in paths(app, "GET", ids):
        answers = [visitor.get(path) for visitor in (as_admin, as_member, client)]
        assert all(answer.status_code in (200, 302, 403, 405) for answer in answers), path
        for place, answer in enumerate(answers):
            if answer.mimetype != "text/html" or "qk-bar" not in answer.text:
                continue
            bar = answer.text.partition("</header>")[0]
            assert {words: f">{words}</a>" in bar for words in tops} == {
                words: who[place] for words, who in tops.items()
            }
            assert ("Sign out" in bar, "Sign in" in bar) == (place < 2, place == 2)
            if place < 2:
                user = (admin, member)[place]
                assert f"<bdi>{user.name}</bdi>" in bar
                assert f"{user.email} · {user.role}<" in bar


# Headers


def assert_hygienic(response: TestResponse) -> None:
    policy = response.headers["Content-Security-Policy"]
    for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action"):
        assert rule in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Cookie" in response.vary
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["X-Request-Id"])
    assert "Access-Control-Allow-Origin" not in response.headers


def test_every_console_answer_carries_the_security_headers(app: Flask, client: FlaskClient) -> None:
    admin, member, ids = make_household()
    for visitor in (sign_in(app, admin), sign_in(app, member), client):
        for path in [*paths(app, "GET", ids), "/nowhere", "/%00", "/waitlists/wl_000000000000"]:
            assert_hygienic(visitor.get(path))
        assert_hygienic(visitor.put("/login"))
        assert_hygienic(visitor.post("/account"))
        assert "Strict-Transport-Security" not in visitor.get("/docs/errors").headers


def test_no_page_has_inline_script_style_or_anything_from_elsewhere(app: Flask, client: FlaskClient) -> None:
    admin, _, ids = make_household()
    as_admin = sign_in(app, admin)
    for path in paths(app, "GET", ids):
        for visitor in (as_admin, client):
            html = visitor.get(path).text
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", html), path
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', html), path


def test_with_an_https_address_browsers_are_held_to_it(app: Flask) -> None:
    with running(app, PUBLIC_URL=HTTPS) as public:
        response = public.test_client().get("/login", base_url=HTTPS)
    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_static_files_may_be_kept_and_know_no_visitor(client: FlaskClient) -> None:
    response = client.get("/static/queuekey.css")

    assert response.status_code == 200
    assert "no-store" not in response.headers["Cache-Control"]
    assert "Set-Cookie" not in response.headers
    assert response.headers["X-Content-Type-Options"] == "nosniff"


# Cookies


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(app: Flask, client: FlaskClient) -> None:
    try_to_sign_in(client, make_user().email)
    cookie = client.get_cookie("queuekey")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.secure, cookie.expires) == (True, "Lax", False, None)


def test_on_https_the_cookie_is_bound_to_the_host_and_secure(app: Flask) -> None:
    user = make_user()
    with running(app, PUBLIC_URL=HTTPS) as public:
        client = public.test_client()
        data = hidden_fields(client.get("/login", base_url=HTTPS).text) | {"email": user.email, "password": PASSWORD}
        response = client.post("/login", data=data, base_url=HTTPS)
        assert response.status_code == 302
        assert client.get("/account", base_url=HTTPS).status_code == 200

    (cookie,) = response.headers.getlist("Set-Cookie")
    name, _, attributes = cookie.partition("=")
    assert name == "__Host-queuekey"
    parts = {part.strip() for part in attributes.split(";")[1:]}
    assert parts == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


# Proxies


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.7", "127.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7", "198.51.100.1"),
        (1, None, "127.0.0.1"),
        (2, "203.0.113.7", "127.0.0.1"),
    ],
)
def test_the_log_has_the_address_that_the_trusted_proxies_saw(
    app: Flask, proxies: int, forwarded: str | None, address: str
) -> None:
    user = make_user()
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    with running(app, TRUSTED_PROXIES=proxies) as behind_proxy:
        client = sign_in(behind_proxy, user)
        data = hidden_fields(client.get("/waitlists/new").text) | FORM
        assert client.post("/waitlists/new", data=data, headers=headers).status_code == 302

    assert [event.ip for event in events("waitlist.created")] == [address]


def test_behind_a_proxy_the_login_limit_counts_the_visitors_address(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "clock", lambda: 1_800_000_000.0)
    user = make_user()
    with running(app, TRUSTED_PROXIES=1) as behind_proxy:
        client = behind_proxy.test_client()
        data = hidden_fields(client.get("/login").text) | {"email": user.email, "password": "wrong horse battery"}

        def tries(forwarded: list[str]) -> list[int]:
            return [client.post("/login", data=data, headers={"X-Forwarded-For": hop}).status_code for hop in forwarded]

        made_up = [f"198.51.100.{number}, 203.0.113.7" for number in range(11)]
        assert tries(made_up) == [422] * 10 + [429]
        assert tries(["203.0.113.8"]) == [422]
