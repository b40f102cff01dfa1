"""Signing in and out, and changing one's password."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from blueprints import limits
from blueprints.auth.views import NO_MATCH, NOT_CURRENT, TOO_FAST
from models import ActivityEvent, Role
from tests.console import is_signed_in, page_with_cookie, session_cookie, sign_in, submit, try_to_sign_in
from tests.factories import PASSWORD, count, deactivate, events, make_user

NEW_PASSWORD = "a new horse battery"
NOW = 1_800_000_040.0


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries are counted by the minute: no test may stretch over two."""
    monkeypatch.setattr(limits, "clock", lambda: NOW)


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


def test_whoever_tries_to_sign_in_costs_one_comparison_of_the_same_price(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of a try is the time of bcrypt: the same rounds, once, whoever it is and whatever they typed."""
    known, deactivated = make_user(), make_user()
    deactivate(deactivated)
    compared: list[bytes] = []

    def checkpw(password: bytes, password_hash: bytes) -> bool:
        compared.append(password_hash)
        return False

    monkeypatch.setattr("models.user.bcrypt.checkpw", checkpw)
    emails = (known.email, deactivated.email, "nobody@example.org", "no address at all", "a\0b@example.org")
    for email in emails:
        for password in (PASSWORD, "x", "x" * 2000):
            assert try_to_sign_in(client, email, password).status_code == 422

    assert [password_hash[:7] for password_hash in compared] == [compared[0][:7]] * len(emails) * 3


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


# The limit on tries


def test_the_eleventh_try_a_minute_is_refused_even_with_the_right_password(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, other = make_user(), make_user()
    answers = [try_to_sign_in(client, user.email, "wrong horse battery").status_code for _ in range(10)]
    assert answers == [422] * 10

    refused = try_to_sign_in(client, user.email.upper())

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert TOO_FAST in refused.text
    assert not is_signed_in(client)
    assert is_signed_in(sign_in(app, other))
    elsewhere = try_to_sign_in(app.test_client(), user.email, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert elsewhere.status_code == 302
    monkeypatch.setattr(limits, "clock", lambda: NOW + 59.9)
    assert try_to_sign_in(client, user.email).headers["Retry-After"] == "1"
    monkeypatch.setattr(limits, "clock", lambda: NOW + 60)
    assert try_to_sign_in(client, user.email).status_code == 302


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

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    assert events("user.password_changed") == []
    assert is_signed_in(client)


# Changing the password


def test_a_new_password_ends_all_other_sessions_and_works(app: Flask) -> None:
    user = make_user(role=Role.MEMBER)
    here, elsewhere = sign_in(app, user), sign_in(app, user)
    copied = session_cookie(here)

    response = change_password(here, PASSWORD)

    assert (response.status_code, response.location) == (302, "/account")
    assert "Password changed." in here.get("/account").text
    assert not is_signed_in(elsewhere)
    assert page_with_cookie(app, copied).status_code == 302
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
