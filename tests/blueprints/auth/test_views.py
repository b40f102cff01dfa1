"""Signing in and out, and changing one's password."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from blueprints.auth.views import NO_MATCH, NOT_CURRENT, TOO_FAST
from models import ActivityEvent, Role, User, db, writing
from tests.console import hidden_fields, sign_in, submit
from tests.factories import ACTOR, PASSWORD, count, events, in_context, make_organisation, make_user

NEW_PASSWORD = "a new horse battery"


@in_context
def deactivate(user: User) -> None:
    with writing():
        db.session.get_one(User, user.id).deactivate(ACTOR)


def try_to_sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **kwargs: Any) -> TestResponse:
    fields = hidden_fields(client.get("/login").text)
    return client.post("/login", data=fields | {"email": email, "password": password}, **kwargs)


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def session_cookie(client: FlaskClient) -> str:
    cookie = client.get_cookie("queuekey")
    assert cookie is not None
    return cookie.value


def with_cookie(app: Flask, value: str) -> TestResponse:
    """Open a page with this session cookie and nothing else: a client with a jar would drop the header."""
    return app.test_client(use_cookies=False).get("/account", headers={"Cookie": f"queuekey={value}"})


def change_password(client: FlaskClient, current: str, new: str = NEW_PASSWORD) -> TestResponse:
    return submit(client, "/account", {"current_password": current, "new_password": new})


# Signing in


def test_the_right_password_signs_in_and_leads_to_the_waitlists(app: Flask, client: FlaskClient) -> None:
    user = make_user(email="Ada@example.org")
    assert not is_signed_in(client)

    response = try_to_sign_in(client, " ada@EXAMPLE.org ")

    assert (response.status_code, response.location) == (302, "/waitlists")
    assert is_signed_in(client)
    assert user.email in client.get("/account").text


def test_somebody_who_is_signed_in_skips_the_form(app: Flask) -> None:
    client = sign_in(app, make_user())

    assert client.get("/login").location == "/waitlists"
    assert client.get("/login?next=/plan").location == "/plan"


def test_wrong_unknown_and_deactivated_get_one_and_the_same_answer(app: Flask) -> None:
    known, deactivated = make_user(), make_user()
    deactivate(deactivated)
    before = count(ActivityEvent)
    tries = [
        (known.email, "wrong horse battery"),
        ("nobody@example.org", PASSWORD),
        (deactivated.email, PASSWORD),
        (deactivated.email, "wrong horse battery"),
        ("no address at all", PASSWORD),
        ("a\0b@example.org", PASSWORD),
    ]

    answers = []
    for email, password in tries:
        client = app.test_client()
        answer = try_to_sign_in(client, email, password)
        changing = re.compile(r'name="csrf_token" value="[^"]*"|name="email"[^>]*value="[^"]*"')
        answers.append((answer.status_code, changing.sub("", answer.text).replace(email, "")))
        assert not is_signed_in(client)

    assert answers[0][0] == 422
    assert NO_MATCH in answers[0][1]
    assert all(answer == answers[0] for answer in answers)
    assert count(ActivityEvent) == before
    assert is_signed_in(sign_in(app, known))


def test_an_unknown_address_costs_one_comparison_like_a_known_one(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = make_user()
    compared: list[bytes] = []

    def checkpw(password: bytes, password_hash: bytes) -> bool:
        compared.append(password_hash)
        return False

    monkeypatch.setattr("models.user.bcrypt.checkpw", checkpw)
    for email in (known.email, "nobody@example.org", "no address at all"):
        try_to_sign_in(client, email)

    assert [password_hash[:7] for password_hash in compared] == [compared[0][:7]] * 3


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"email": "", "password": PASSWORD}, "email", "Type your e-mail address."),
        ({"email": "ada@example.org", "password": ""}, "password", "Type your password."),
        ({}, "email", "Type your e-mail address."),
    ],
)
def test_an_empty_field_is_named(client: FlaskClient, given: dict[str, str], field: str, words: str) -> None:
    response = submit(client, "/login", given)

    assert response.status_code == 422
    assert f'id="{field}-error">{words}<' in response.text


def test_the_address_stays_in_the_form_and_the_password_does_not(client: FlaskClient) -> None:
    response = try_to_sign_in(client, "ada@example.org", "wrong horse battery")

    assert 'value="ada@example.org"' in response.text
    assert "wrong horse battery" not in response.text


# Where signing in leads to


@pytest.mark.parametrize("target", ["/plan", "/waitlists?q=a%26b&page=2", "/docs/errors#rate_limited"])
def test_next_leads_to_a_page_of_this_site(app: Flask, client: FlaskClient, target: str) -> None:
    user = make_user()

    response = submit(client, "/login", {"email": user.email, "password": PASSWORD}, page="/login")
    assert response.location == "/waitlists"
    other = app.test_client()
    fields = hidden_fields(other.get("/login").text)
    response = other.post(
        "/login", query_string={"next": target}, data=fields | {"email": user.email, "password": PASSWORD}
    )

    assert response.location == target


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "////evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "https://good@evil.example",
        "http:evil.example",
        "http://[",
        "//[",
        "evil.example",
        "",
        "/é",
    ],
)
def test_next_never_leads_elsewhere(app: Flask, target: str) -> None:
    user = make_user()
    client = app.test_client()
    fields = hidden_fields(client.get("/login").text)

    response = client.post(
        "/login", query_string={"next": target}, data=fields | {"email": user.email, "password": PASSWORD}
    )

    assert (response.status_code, response.location) == (302, "/waitlists")
    assert client.get("/login", query_string={"next": target}).location == "/waitlists"


def test_an_anonymous_visitor_comes_back_to_the_page_they_wanted(app: Flask, client: FlaskClient) -> None:
    user = make_user()
    to_login = client.get("/waitlists?q=x&page=2")

    assert to_login.status_code == 302
    assert to_login.location.startswith("/login?next=/waitlists")
    response = submit(client, to_login.location, {"email": user.email, "password": PASSWORD})
    assert response.location == "/waitlists?q=x&page=2"


def test_an_address_that_looks_foreign_is_not_kept(client: FlaskClient) -> None:
    assert client.get("//evil.example").location is None
    assert client.get("/plan").location == "/login?next=/plan"
    assert client.get("/plan?%09=//evil.example").location.startswith("/login?next=/plan")


# The limit on tries


def test_the_eleventh_try_a_minute_is_refused_even_with_the_right_password(app: Flask, client: FlaskClient) -> None:
    user, other = make_user(), make_user()
    answers = [try_to_sign_in(client, user.email, "wrong horse battery").status_code for _ in range(10)]
    assert answers == [422] * 10

    refused = try_to_sign_in(client, user.email.upper())

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert TOO_FAST in refused.text
    assert not is_signed_in(client)
    assert is_signed_in(sign_in(app, other))
    elsewhere = app.test_client()
    answer = try_to_sign_in(elsewhere, user.email, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert answer.status_code == 302


def test_tries_on_an_unknown_account_are_limited_alike(client: FlaskClient) -> None:
    answers = [try_to_sign_in(client, "nobody@example.org").status_code for _ in range(11)]

    assert answers == [422] * 10 + [429]


def test_a_made_up_forwarded_address_does_not_stretch_the_limit(client: FlaskClient) -> None:
    user = make_user()

    answers = [
        try_to_sign_in(client, user.email, "wrong", headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code
        for number in range(11)
    ]

    assert answers == [422] * 10 + [429]


def test_the_password_form_is_no_faster_way_to_guess(app: Flask) -> None:
    client = sign_in(app, make_user())
    answers = [change_password(client, "wrong horse battery").status_code for _ in range(9)]
    assert answers == [422] * 9

    refused = change_password(client, PASSWORD)

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert events("user.password_changed") == []
    assert is_signed_in(client)


# Sessions


def test_a_session_from_before_signing_in_stays_anonymous(app: Flask, client: FlaskClient) -> None:
    client.get("/login")
    planted = session_cookie(client)
    user = make_user()

    assert try_to_sign_in(client, user.email).status_code == 302

    assert session_cookie(client) != planted
    assert with_cookie(app, session_cookie(client)).status_code == 200
    assert with_cookie(app, planted).status_code == 302


def test_signing_in_leaves_nothing_of_the_session_before(app: Flask, client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["planted"] = "yes"
    token = hidden_fields(client.get("/login").text)["csrf_token"]
    user = make_user()
    client.post("/login", data={"csrf_token": token, "email": user.email, "password": PASSWORD})

    with client.session_transaction() as session:
        assert "planted" not in session
    assert client.post("/logout", data={"csrf_token": token}).status_code == 400
    assert is_signed_in(client)


def test_a_copied_cookie_is_worth_nothing_after_signing_out(app: Flask) -> None:
    client = sign_in(app, make_user())
    copied = session_cookie(client)
    assert with_cookie(app, copied).status_code == 200

    response = submit(client, "/logout", page="/account")

    assert (response.status_code, response.location) == (302, "/login")
    assert with_cookie(app, copied).status_code == 302
    assert not is_signed_in(client)


def test_signing_out_leaves_everybody_else_signed_in(app: Flask) -> None:
    organisation = make_organisation()
    client, other = sign_in(app, make_user(organisation)), sign_in(app, make_user(organisation))

    submit(client, "/logout", page="/account")

    assert is_signed_in(other)


def test_signing_out_by_a_link_does_nothing(app: Flask) -> None:
    client = sign_in(app, make_user())

    assert client.get("/logout").status_code == 405
    assert is_signed_in(client)


def test_signing_out_twice_is_kind(app: Flask) -> None:
    client = sign_in(app, make_user())
    submit(client, "/logout", page="/account")

    assert submit(client, "/logout", page="/login").location == "/login"


def test_deactivation_ends_all_sessions_at_the_next_request(app: Flask) -> None:
    user = make_user()
    client = sign_in(app, user)
    fields = hidden_fields(client.get("/waitlists/new").text)

    deactivate(user)

    assert client.get("/waitlists").location == "/login?next=/waitlists"
    refused = client.post("/waitlists/new", data=fields | {"name": "Too late", "referral_skip": "5"})
    assert refused.location == "/login"
    assert events("waitlist.created") == []
    assert [event.target_label for event in events("user.deactivated")] == [user.email]


def test_a_forged_session_is_anonymous(app: Flask) -> None:
    client = sign_in(app, make_user())
    value = session_cookie(client)
    assert with_cookie(app, value).status_code == 200

    for forged in (value[:-3] + "AAA", value.replace(".", "", 1), "x", "", "a.b.c", "é"):
        assert with_cookie(app, forged).status_code == 302


@pytest.mark.parametrize(
    "named", ["1", "1.", ".0", "x.y", "1.0.0", "-1.0", "²." + "0", "9" * 30 + ".0", "1." + "9" * 30]
)
def test_a_session_that_names_nobody_is_anonymous(app: Flask, client: FlaskClient, named: str) -> None:
    user = make_user()
    for name, status in ((named, 302), (user.get_id(), 200)):
        with client.session_transaction() as session:
            session["_user_id"] = name
        assert client.get("/account").status_code == status


# Changing the password


def test_a_new_password_ends_all_other_sessions_and_works(app: Flask) -> None:
    user = make_user(role=Role.MEMBER)
    here, elsewhere = sign_in(app, user), sign_in(app, user)
    copied = session_cookie(here)

    response = change_password(here, PASSWORD)

    assert (response.status_code, response.location) == (302, "/account")
    assert "Password changed." in here.get("/account").text
    assert not is_signed_in(elsewhere)
    assert with_cookie(app, copied).status_code == 302
    assert try_to_sign_in(app.test_client(), user.email, PASSWORD).status_code == 422
    assert try_to_sign_in(app.test_client(), user.email, NEW_PASSWORD).status_code == 302
    (event,) = events("user.password_changed")
    assert (event.actor_type, event.actor_id, event.target_id) == ("user", user.id, str(user.id))
    assert event.details == {}


@pytest.mark.parametrize(
    ("current", "new", "field", "words"),
    [
        ("wrong horse battery", NEW_PASSWORD, "current_password", NOT_CURRENT),
        ("", NEW_PASSWORD, "current_password", "Type your current password."),
        (PASSWORD, "", "new_password", "Type a new password."),
        (PASSWORD, "ninechars", "new_password", "Use 10 characters or more."),
        (PASSWORD, "x" * 1025, "new_password", "Use 1,024 characters or fewer."),
    ],
)
def test_a_refused_password_changes_nothing(app: Flask, current: str, new: str, field: str, words: str) -> None:
    user = make_user()
    client, elsewhere = sign_in(app, user), sign_in(app, user)

    response = change_password(client, current, new)

    assert response.status_code == 422
    assert f'id="{field}-error">{words}<' in response.text
    assert PASSWORD not in response.text
    assert NEW_PASSWORD not in response.text
    assert events("user.password_changed") == []
    assert is_signed_in(elsewhere)
    assert is_signed_in(sign_in(app, user))


def test_passwords_are_taken_whole_and_as_they_are(app: Flask) -> None:
    user = make_user()
    long = "ü" * 100
    client = sign_in(app, user)
    for current, new in ((PASSWORD, long), (long, " " * 10), (" " * 10, "zero\0byte one")):
        assert change_password(client, current, new).status_code == 302

    for wrong in (long, long[:-1] + "u", " " * 11, "zero\0byte two", "zero"):
        assert try_to_sign_in(app.test_client(), user.email, wrong).status_code == 422
    assert try_to_sign_in(app.test_client(), user.email, "zero\0byte one").status_code == 302
