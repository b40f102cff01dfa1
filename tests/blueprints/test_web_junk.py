"""What no page of ours would send, sent to every address of the console: never a fault."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from models import Waitlist
from tests.console import hidden_fields, is_signed_in, sign_in
from tests.factories import PASSWORD, count, make_user
from tests.whole_console import Household, everything, make_household, paths, paths_with_ids

FORM = {"name": "From a form", "referral_skip": "5"}
NO_TEXT = [b"%00", b"a%00b", b"%ED%A0%80", b"%FF", b"\x00\xff"]
BEYOND = ["0", "-1", "2147483648", "9223372036854775807", "9223372036854775808", "9" * 40, "1" * 5000, "1.0"]


def fields_of_all_forms(household: Household) -> dict[bytes, bytes]:
    """One good value for every field that some form of the console has."""
    return {
        b"name": b"From+a+form",
        b"referral_skip": b"5",
        b"has_referrals": b"y",
        b"scopes": b"subscribers:read",
        b"form_value": b"0123456789abcdef0123456789abcdef",
        b"email": household.admin.email.encode(),
        b"password": PASSWORD.encode(),
        b"current_password": PASSWORD.encode(),
        b"new_password": PASSWORD.encode(),
    }


@pytest.mark.parametrize("junk", ["%00", "%ED%A0%80", "%FF", "%F0%9F%92", "%0D%0A", "%EF%BF%BF"])
def test_addresses_that_are_no_text_are_never_a_fault(app: Flask, client: FlaskClient, junk: str) -> None:
    admin, _, ids = make_household()
    as_admin = sign_in(app, admin)
    before = everything()
    names = ("q", "page", "actor", "action", "from", "to", "before", "after", "next")
    queries = ["", f"?{junk}=1", *(f"?{name}={junk}" for name in names)]

    for path in [*paths(app, "GET", ids), *paths_with_ids(app, "GET", ids, f"x{junk}")]:
        for query in queries:
            assert as_admin.get(path + query).status_code < 500, path + query
            assert client.get(path + query).status_code < 500, path + query

    assert everything() == before
    assert as_admin.get(f"/waitlists/{ids['waitlist_id']}?q=a").status_code == 200


@pytest.mark.parametrize("junk", NO_TEXT)
def test_a_field_that_is_no_text_is_never_a_fault(app: Flask, junk: bytes) -> None:
    household = make_household()
    good = fields_of_all_forms(household)

    client = sign_in(app, household.admin)

    for path in paths(app, "POST", household.ids):
        for field in good:
            if not is_signed_in(client):  # some of the forms end a session
                client = sign_in(app, make_user(household.admin.organisation))
            token = hidden_fields(client.get("/account").text)["csrf_token"].encode()
            fields = good | {b"csrf_token": token, field: junk}
            body = b"&".join(name + b"=" + value for name, value in fields.items())
            before = everything()
            status = client.post(path, data=body, content_type="application/x-www-form-urlencoded").status_code
            assert status < 500, (path, field)
            assert status < 400 or everything() == before, (path, field)


def test_a_part_that_is_no_text_is_never_a_fault(app: Flask) -> None:
    client = sign_in(app, make_household().admin)
    token = hidden_fields(client.get("/account").text)["csrf_token"]

    def post(name: bytes) -> int:
        parts = {b"csrf_token": token.encode(), b"referral_skip": b"5", b"name": name}
        heads = {name: b'--x\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' for name in parts}
        body = b"".join(heads[name] + value + b"\r\n" for name, value in parts.items()) + b"--x--\r\n"
        return client.post("/waitlists/new", data=body, content_type="multipart/form-data; boundary=x").status_code

    assert [post(junk) for junk in (b"a\x00b", b"", b"\r\n--x")] == [422, 422, 400]
    assert count(Waitlist) == 1
    assert post(b"Parts") == 302


@pytest.mark.parametrize("number", BEYOND)
def test_an_id_past_every_bound_is_an_unknown_id(app: Flask, number: str) -> None:
    household = make_household()
    client = sign_in(app, household.admin)
    fields = hidden_fields(client.get("/account").text)

    for path in paths_with_ids(app, "GET", household.ids, number):
        assert client.get(path).status_code == 404, path
    for path in paths_with_ids(app, "POST", household.ids, number):
        assert client.post(path, data=fields | FORM).status_code in (404, 405), path


def test_a_form_past_64_kib_is_refused_as_too_large(app: Flask) -> None:
    client = sign_in(app, make_user())
    data = hidden_fields(client.get("/waitlists/new").text) | FORM

    for padding in ({"padding": "x" * 70_000}, {f"p{number}": "x" * 900 for number in range(80)}):
        response = client.post("/waitlists/new", data=data | padding)
        assert response.status_code == 413
        assert "What was sent is too large." in response.text
    assert count(Waitlist) == 0
    assert client.post("/waitlists/new", data=data).status_code == 302
