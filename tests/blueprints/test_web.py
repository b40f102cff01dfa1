"""What every request and response passes: hosts, origins, forms, headers, errors."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app import create_app
from blueprints.web import ERROR_SENTENCES, FOREIGN_FORM, STALE_FORM, UNKNOWN_HOST, is_local_path
from models import Role, User, Waitlist, db
from tests.console import BufferedClient, hidden_fields, sign_in, submit
from tests.factories import (
    PASSWORD,
    count,
    events,
    in_context,
    make_api_key,
    make_organisation,
    make_subscriber,
    make_user,
    make_waitlist,
)

HTTPS = "https://queuekey.example"
EVIL = "evil.example"
FORM = {"name": "From a form", "referral_skip": "5"}


@contextmanager
def running(app: Flask, **settings: Any) -> Iterator[Flask]:
    """Another application on the same database, with other settings."""
    other = create_app({key: app.config[key] for key in ("DATABASE_URL", "SECRET_KEY")} | {"TESTING": True} | settings)
    other.test_client_class = BufferedClient
    yield other
    with other.app_context():
        db.engine.dispose()


@in_context
def everything() -> dict[str, list[Any]]:
    """All rows of all tables."""
    tables = db.metadata.sorted_tables
    return {table.name: [tuple(row) for row in db.session.execute(select(table))] for table in tables}


def console_rules(app: Flask, method: str) -> list[Rule]:
    rules = [rule for rule in app.url_map.iter_rules() if not rule.endpoint.startswith(("api.", "static", "bootstrap"))]
    return [rule for rule in rules if method in (rule.methods or ())]


def paths(app: Flask, method: str, **ids: object) -> list[str]:
    """The address of every console page, or of everything that a console form is sent to."""
    context = app.test_request_context()
    with context:
        adapter = app.url_map.bind("localhost")
        found = []
        for rule in console_rules(app, method):
            values = {name: ids.get(name, "errors") for name in rule.arguments}
            found.append(adapter.build(rule.endpoint, values, method=method))
    return sorted(set(found))


def an_organisation_with_everything() -> tuple[User, User, dict[str, object]]:
    """An admin, a member, and the ids of what their organisation has."""
    organisation = make_organisation()
    waitlist = make_waitlist(organisation)
    make_subscriber(waitlist)
    key, _ = make_api_key(organisation)
    ids: dict[str, object] = {
        "waitlist_id": waitlist.public_id,
        "api_key_id": key.id,
        "filename": "x",
        "page": "errors",
    }
    return make_user(organisation, name="Ada"), make_user(organisation, role=Role.MEMBER, name="Max"), ids


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
    admin, _, ids = an_organisation_with_everything()
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
    forms = paths(app, "POST", **ids)
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


# Reading


def test_following_every_link_changes_nothing(app: Flask) -> None:
    admin, _, ids = an_organisation_with_everything()
    client = sign_in(app, admin)
    before = everything()
    waiting, seen = ["/", *paths(app, "GET", **ids)], set[str]()

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
    admin, member, ids = an_organisation_with_everything()
    as_admin, as_member = sign_in(app, admin), sign_in(app, member)
    tops = {
        "Waitlists": (True, True, False),
        "API keys": (True, False, False),
        "Activity": (True, False, False),
        "Plan": (True, True, False),
        "Docs": (True, True, True),
    }
    for path in paths(app, "GET", **ids):
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
    admin, member, ids = an_organisation_with_everything()
    for visitor in (sign_in(app, admin), sign_in(app, member), client):
        for path in [*paths(app, "GET", **ids), "/nowhere", "/%00", "/waitlists/wl_000000000000"]:
            assert_hygienic(visitor.get(path))
        assert_hygienic(visitor.put("/login"))
        assert_hygienic(visitor.post("/account"))
        assert "Strict-Transport-Security" not in visitor.get("/docs/errors").headers


def test_no_page_has_inline_script_style_or_anything_from_elsewhere(app: Flask, client: FlaskClient) -> None:
    admin, _, ids = an_organisation_with_everything()
    as_admin = sign_in(app, admin)
    for path in paths(app, "GET", **ids):
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
    submit(client, "/login", {"email": make_user().email, "password": PASSWORD})
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


def test_behind_a_proxy_the_login_limit_counts_the_visitors_address(app: Flask) -> None:
    user = make_user()
    with running(app, TRUSTED_PROXIES=1) as behind_proxy:
        client = behind_proxy.test_client()
        data = hidden_fields(client.get("/login").text) | {"email": user.email, "password": "wrong horse battery"}

        def tries(forwarded: list[str]) -> list[int]:
            return [client.post("/login", data=data, headers={"X-Forwarded-For": hop}).status_code for hop in forwarded]

        made_up = [f"198.51.100.{number}, 203.0.113.7" for number in range(11)]
        assert tries(made_up) == [422] * 10 + [429]
        assert tries(["203.0.113.8"]) == [422]


# What no page sends


@pytest.mark.parametrize("junk", ["%00", "%ED%A0%80", "%FF", "%F0%9F%92", "%0D%0A", "%EF%BF%BF"])
def test_bytes_that_are_no_text_are_never_a_fault(app: Flask, client: FlaskClient, junk: str) -> None:
    admin, _, ids = an_organisation_with_everything()
    as_admin = sign_in(app, admin)
    before = everything()
    broken_ids = dict.fromkeys(ids, "JUNK")

    for path in [*paths(app, "GET", **ids), *paths_with_junk(app, broken_ids, junk)]:
        for visitor in (as_admin, client):
            assert visitor.get(path).status_code < 500, path
            for query in (
                f"?q={junk}",
                f"?{junk}=1",
                f"?page={junk}&actor={junk}&action={junk}&from={junk}&to={junk}&next={junk}",
            ):
                assert visitor.get(path + query).status_code < 500, path + query
    assert everything() == before
    assert as_admin.get(f"/waitlists/{ids['waitlist_id']}?q=a").status_code == 200


def paths_with_junk(app: Flask, ids: dict[str, str], junk: str) -> list[str]:
    """Every address with an id, with junk in its place."""
    rules = [
        re.sub(r"<[^>]+>", f"x{junk}", rule.rule) for rule in console_rules(app, "GET") if rule.arguments & set(ids)
    ]
    assert rules
    return rules


@pytest.mark.parametrize("junk", [b"%00", b"a%00b", b"%ED%A0%80", b"%FF", b"\x00\xff", b"%F0%9F%92"])
def test_forms_full_of_junk_are_never_a_fault(app: Flask, junk: bytes) -> None:
    admin, _, ids = an_organisation_with_everything()
    client = sign_in(app, admin)
    token = hidden_fields(client.get("/account").text)["csrf_token"].encode()
    fields = b"name scopes form_value has_referrals referral_skip email password current_password new_password".split()
    body = b"&".join([b"csrf_token=" + token, *(field + b"=" + junk for field in fields)])
    parts = [(b"csrf_token", token), *((field, junk) for field in fields)]
    multipart = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value + b"\r\n"
        for name, value in parts
    )
    forms = [
        path for path in paths(app, "POST", **ids) if not path.endswith(("/logout", "/revoke", "/archive", "/restore"))
    ]
    before = everything()

    for path in forms:
        for data, kind in (
            (body, "application/x-www-form-urlencoded"),
            (multipart + b"--x--\r\n", "multipart/form-data; boundary=x"),
        ):
            assert client.post(path, data=data, content_type=kind).status_code in (400, 422), path
    assert everything() == before
    assert client.post("/waitlists/new", data=FORM | {"csrf_token": token.decode()}).status_code == 302


def test_ids_past_every_bound_are_unknown_ids(app: Flask) -> None:
    admin, _, ids = an_organisation_with_everything()
    client = sign_in(app, admin)
    for number in (
        "0",
        "-1",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "9" * 40,
        "1" * 5000,
        "1.0",
        "١",
    ):
        beyond = dict.fromkeys(ids, number)
        for path in paths_with_ids(app, beyond):
            assert client.get(path).status_code in (404, 405), path


def paths_with_ids(app: Flask, ids: dict[str, str]) -> list[str]:
    """Every address with an id, with this one in its place."""
    rules = [rule for rule in console_rules(app, "GET") if rule.arguments & set(ids)]
    return [re.sub(r"<(?:\w+:)?(\w+)>", lambda name: ids[name[1]], rule.rule) for rule in rules]


def test_a_form_past_64_kib_is_refused_as_too_large(app: Flask) -> None:
    client = sign_in(app, make_user())
    data = hidden_fields(client.get("/waitlists/new").text) | FORM

    for padding in ({"padding": "x" * 70_000}, {f"p{number}": "x" * 900 for number in range(80)}):
        response = client.post("/waitlists/new", data=data | padding)
        assert response.status_code == 413
        assert is_a_page(response)
    assert count(Waitlist) == 0
    assert client.post("/waitlists/new", data=data).status_code == 302


# Errors as pages


def test_errors_are_pages_for_people(app: Flask, client: FlaskClient) -> None:
    signed_in = sign_in(app, make_user(role=Role.MEMBER))
    for visitor in (signed_in, client):
        for response, status in (
            (visitor.get("/nowhere"), 404),
            (visitor.get("/docs/nowhere"), 404),
            (visitor.put("/login"), 405),
            (visitor.get("/waitlists?q=%00"), 400),
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
