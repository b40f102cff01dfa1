"""What the form that asks for a key takes, and what it says about the rest."""

import re

import pytest
from flask import Flask

from models import ApiKey
from tests.blueprints.api_keys.test_views_create import NEW, READ, WRITE, create
from tests.console import hidden_fields, sign_in
from tests.factories import all_rows, count, events, make_user


@pytest.mark.parametrize("value", [None, "", "short", "x" * 65, "x" * 30 + "\n", "é" * 30, "x" * 30 + " "])
def test_a_form_without_its_value_is_refused_and_gets_a_new_one(app: Flask, value: str | None) -> None:
    client = sign_in(app, make_user())
    fields = hidden_fields(client.get(NEW).text) | {"name": "crm-sync", "scopes": READ}
    del fields["form_value"]

    refused = client.post(NEW, data=fields if value is None else fields | {"form_value": value})

    assert refused.status_code == 422
    assert "This form was not sent as it was shown." in refused.text
    assert (count(ApiKey), events("api_key.created")) == (0, [])
    renewed = hidden_fields(refused.text)["form_value"]
    assert client.post(NEW, data=fields | {"form_value": renewed}).status_code == 201


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Give the key a name."),
        ("  \t ", "Give the key a name."),
        ("x" * 65, "Use 64 characters or fewer."),
        ("a\u200bb", "Leave out control, zero-width and text-direction characters."),
        ("a\u202eb", "Leave out control, zero-width and text-direction characters."),
        ("a\u2066b", "Leave out control, zero-width and text-direction characters."),
        ("a\0b", "Leave out control, zero-width and text-direction characters."),
        ("a\r\nb", "Leave out control, zero-width and text-direction characters."),
        ("a\x1b[31mb", "Leave out control, zero-width and text-direction characters."),
        ("\ufeffcrm", "Leave out control, zero-width and text-direction characters."),
    ],
)
def test_a_bad_name_is_refused_beside_its_field(app: Flask, name: str, words: str) -> None:
    client = sign_in(app, make_user())

    refused = create(client, name, (WRITE,))

    assert refused.status_code == 422
    assert f'id="name-error">{words}<' in refused.text
    assert re.search(rf'value="{WRITE}"\s+checked', refused.text)
    assert not re.search(rf'value="{READ}"\s+checked', refused.text)
    assert (count(ApiKey), events("api_key.created")) == (0, [])


@pytest.mark.parametrize("name", ["x", "x" * 64, "  crm-sync  ", "日本語のキー", "Zoë’s key — №1", "{{7*7}}", "🔑"])
def test_a_good_name_is_kept_as_it_is_but_for_blanks_around_it(app: Flask, name: str) -> None:
    assert create(sign_in(app, make_user()), name).status_code == 201
    assert all_rows(ApiKey)[0].name == name.strip()


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        ((), "Tick at least one permission."),
        (("admin",), "Choose among the permissions shown here."),
        ((READ, "admin"), "Choose among the permissions shown here."),
        (("subscribers:read subscribers:write",), "Choose among the permissions shown here."),
        (("SUBSCRIBERS_READ",), "Choose among the permissions shown here."),
        (("",), "Choose among the permissions shown here."),
        (("subscribers:read\0",), "Choose among the permissions shown here."),
    ],
)
def test_bad_permissions_are_refused_beside_them(app: Flask, scopes: tuple[str, ...], words: str) -> None:
    client = sign_in(app, make_user())

    refused = create(client, "Looker <export>", scopes)

    assert refused.status_code == 422
    assert f'id="scopes-error">{words}<' in refused.text
    assert 'value="Looker &lt;export&gt;"' in refused.text
    assert (count(ApiKey), events("api_key.created")) == (0, [])
    assert create(client).status_code == 201
