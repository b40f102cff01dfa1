"""Console sessions: whose they are, where they lead after signing in, and how they end."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.console import (
    hidden_fields,
    is_signed_in,
    page_with_cookie,
    session_cookie,
    sign_in,
    submit,
    try_to_sign_in,
)
from tests.factories import PASSWORD, deactivate, events, make_organisation, make_user

# Where signing in leads to


@pytest.mark.parametrize("target", ["/plan", "/waitlists?q=a%26b&page=2", "/docs/errors#rate_limited"])
def test_next_leads_to_a_page_of_this_site(app: Flask, client: FlaskClient, target: str) -> None:
    user = make_user()

    assert try_to_sign_in(client, user.email).location == "/waitlists"
    assert try_to_sign_in(app.test_client(), user.email, query_string={"next": target}).location == target


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
def test_next_never_leads_elsewhere(client: FlaskClient, target: str) -> None:
    response = try_to_sign_in(client, make_user().email, query_string={"next": target})

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


# Sessions


def test_a_session_from_before_signing_in_stays_anonymous(app: Flask, client: FlaskClient) -> None:
    client.get("/login")
    planted = session_cookie(client)
    user = make_user()

    assert try_to_sign_in(client, user.email).status_code == 302

    assert session_cookie(client) != planted
    assert page_with_cookie(app, session_cookie(client)).status_code == 200
    assert page_with_cookie(app, planted).status_code == 302


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
    assert page_with_cookie(app, copied).status_code == 200

    response = submit(client, "/logout", page="/account")

    assert (response.status_code, response.location) == (302, "/login")
    assert page_with_cookie(app, copied).status_code == 302
    assert not is_signed_in(client)


def test_signing_out_leaves_everybody_else_signed_in(app: Flask) -> None:
    organisation = make_organisation()
    client, other = sign_in(app, make_user(organisation)), sign_in(app, make_user(organisation))

    submit(client, "/logout", page="/account")

    assert is_signed_in(other)


def test_the_button_says_that_every_session_ends(app: Flask) -> None:
    page = sign_in(app, make_user()).get("/account").text

    assert '<button aria-describedby="sign-out-note">Sign out</button>' in page
    assert 'id="sign-out-note" class="qk-muted qk-small">Ends your sessions on all devices.<' in page


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
    assert page_with_cookie(app, value).status_code == 200

    for forged in (value[:-3] + "AAA", value.replace(".", "", 1), "x", "", "a.b.c", "é"):
        assert page_with_cookie(app, forged).status_code == 302


@pytest.mark.parametrize(
    "named", ["1", "1.", ".0", "x.y", "1.0.0", "-1.0", "²." + "0", "9" * 30 + ".0", "1." + "9" * 30]
)
def test_a_session_that_names_nobody_is_anonymous(app: Flask, client: FlaskClient, named: str) -> None:
    user = make_user()
    for name, status in ((named, 302), (user.get_id(), 200)):
        with client.session_transaction() as session:
            session["_user_id"] = name
        assert client.get("/account").status_code == status
