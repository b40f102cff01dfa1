"""Every form of the console, sent by a page of another site: a new form is covered the day it is added."""

import pytest
from flask import Flask

from tests.console import hidden_fields, sign_in, submit
from tests.whole_console import everything, make_household, paths

FORM = {"name": "From a form", "referral_skip": "5", "scopes": "subscribers:read", "form_value": "x" * 32}
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_no_form_is_taken_from_another_site_whatever_token_it_has(app: Flask, headers: dict[str, str]) -> None:
    admin, _, ids = make_household()
    client = sign_in(app, admin)
    token = {"csrf_token": hidden_fields(client.get("/account").text)["csrf_token"]}
    before = everything()
    forms = paths(app, "POST", ids)
    assert {"/login", "/logout", "/account", "/waitlists/new", "/api-keys/new"} <= set(forms)

    for path in forms:
        assert client.post(path, data=FORM | token, headers=headers).status_code == 403, path

    assert everything() == before
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/waitlists/new", data=FORM | token, headers=own).status_code == 302
    assert submit(client, "/logout", page="/account").location == "/login"
