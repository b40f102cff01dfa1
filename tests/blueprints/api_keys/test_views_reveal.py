"""The one answer that holds a token, and the many places that do not."""

import re
import zlib
from base64 import urlsafe_b64decode

import pytest
from flask import Flask
from sqlalchemy import select

from models import ApiKey, Organisation, db
from models.base import Base
from tests.blueprints.api_keys.test_views_create import FORM_USED, NEW, READ, create, tokens_in
from tests.console import hidden_fields, sign_in
from tests.factories import all_rows, count, events, in_context, make_api_key, make_user


@in_context
def everything_stored() -> str:
    """Every value of every row of the database."""
    rows = (row for table in Base.metadata.sorted_tables for row in db.session.execute(select(table)))
    return "\n".join(repr(value) for row in rows for value in row)


def test_the_token_is_in_one_answer_only(app: Flask) -> None:
    client = sign_in(app, make_user())
    fields = hidden_fields(client.get(NEW).text) | {"name": "crm-sync", "scopes": READ}
    answer = client.post(NEW, data=fields)
    (token,) = tokens_in(answer.text)
    key_id = all_rows(ApiKey)[0].id

    again = client.post(NEW, data=fields)
    pages = [client.get(path) for path in ("/api-keys", NEW, f"/api-keys/{key_id}/revoke", "/activity", "/waitlists")]

    assert [page.status_code for page in pages] == [200] * 5
    for response in (again, *pages):
        assert token not in response.text
        assert tokens_in(response.text) == []
        assert "qu_live_" not in str(response.headers)
    assert answer.text.count(token) == 1


def test_the_answer_with_the_token_is_kept_nowhere(app: Flask) -> None:
    answer = create(sign_in(app, make_user()))

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "Location" not in answer.headers
    addresses = re.findall(r'(?:src|href|action)="([^"]+)"', answer.text)
    assert addresses
    assert all(address.startswith(("/", "#")) for address in addresses)
    assert not any("qu_live_" in address for address in addresses)


def test_no_cookie_of_the_flow_holds_the_token(app: Flask) -> None:
    client = sign_in(app, make_user())
    form = client.get(NEW)
    fields = hidden_fields(form.text) | {"name": "crm-sync", "scopes": READ}
    answers = [form, client.post(NEW, data=fields), client.post(NEW, data=fields)]
    cookies = [header for answer in answers for header in answer.headers.getlist("Set-Cookie")]
    cookies.append(client.get("/api-keys").headers.get("Set-Cookie", ""))

    decoded = [decode(cookie) for cookie in cookies]

    assert any(FORM_USED.encode() in payload for payload in decoded)  # decoding does show what is inside
    assert not any(b"qu_live_" in payload for payload in decoded)


def decode(cookie: str) -> bytes:
    payload = cookie.partition("=")[2]
    packed = payload.removeprefix(".").partition(".")[0].partition(";")[0]
    raw = urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    return zlib.decompress(raw) if payload.startswith(".") else raw


def test_neither_database_nor_log_holds_the_token(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        (token,) = tokens_in(create(sign_in(app, make_user())).text)

    stored = everything_stored()
    assert token[:12] in stored  # the prefix: looking does find what is there
    for secret in (token[8:20], token[12:28], token[28:], token.encode().hex()[16:48]):
        assert secret not in stored
        assert secret not in caplog.text


def test_an_account_of_a_key_says_nothing_secret(app: Flask) -> None:
    key, token = make_api_key(name="crm-sync")

    for words in (repr(key), str(key), f"{key}", f"{key!s:>60}"):
        assert key.prefix in words
        assert token[12:] not in words
        assert key.digest.hex() not in words
        assert repr(key.digest) not in words


def test_a_reveal_that_cannot_be_made_leaves_no_key(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(app, make_user())
    fields = hidden_fields(client.get(NEW).text) | {"name": "crm-sync", "scopes": READ}

    def fail(key: ApiKey, organisation: Organisation) -> str:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("blueprints.api_keys.snippet.first_call", fail)
        patch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
        assert client.post(NEW, data=fields).status_code == 500

    assert (count(ApiKey), events("api_key.created")) == (0, [])
    assert client.post(NEW, data=fields).status_code == 201
