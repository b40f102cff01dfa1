"""Creating a key, and the one answer that holds its token."""

import re
import zlib
from base64 import urlsafe_b64decode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import ApiKey, Organisation, Scope, db
from models.base import Base
from models.token import TOKEN_PATTERN
from tests.api_client import ApiClient, subscribers_path
from tests.console import hidden_fields, sign_in, submit
from tests.factories import (
    all_rows,
    count,
    events,
    in_context,
    make_api_key,
    make_organisation,
    make_user,
    make_waitlist,
)

READ = "subscribers:read"
WRITE = "subscribers:write"
READ_ONLY = frozenset({Scope.SUBSCRIBERS_READ})
NEW = "/api-keys/new"
FORM_USED = "This form was already used. If you have no copy of the token, revoke the key and create a new one."


def create(client: FlaskClient, name: str = "crm-sync", scopes: tuple[str, ...] = (READ, WRITE)) -> TestResponse:
    return submit(client, NEW, {"name": name, "scopes": list(scopes)})


def tokens_in(text: str) -> list[str]:
    return re.findall(TOKEN_PATTERN, text)


@in_context
def everything_stored() -> str:
    """Every value of every row of the database."""
    rows = (row for table in Base.metadata.sorted_tables for row in db.session.execute(select(table)))
    return "\n".join(repr(value) for row in rows for value in row)


def test_a_key_is_created_and_its_token_works(app: Flask) -> None:
    admin = make_user(name="Maya Lindqvist")
    waitlist = make_waitlist(admin.organisation)

    answer = create(sign_in(app, admin), "  Looker export ", (READ,))

    assert answer.status_code == 201
    (token,) = tokens_in(answer.text)
    assert "Looker export · Read-only" in answer.text
    assert "This token is shown only once." in answer.text
    assert ApiClient(app, token).get(subscribers_path(waitlist)).status_code == 200
    (key,) = all_rows(ApiKey)
    assert (key.name, key.scopes, key.prefix) == ("Looker export", READ_ONLY, token[:12])
    assert (key.organisation_id, key.created_by_id) == (admin.organisation_id, admin.id)
    (event,) = events("api_key.created")
    assert (event.actor_type, event.actor_id, event.actor_name) == ("user", admin.id, "Maya Lindqvist")
    assert (event.target_type, event.target_id, event.target_label) == ("api_key", str(key.id), "Looker export")
    assert (event.organisation_id, event.details) == (admin.organisation_id, {"prefix": key.prefix, "scopes": [READ]})
    assert (event.ip, event.request_id) == ("127.0.0.1", answer.headers["X-Request-Id"])


def test_the_form_says_which_permission_is_for_what(app: Flask) -> None:
    page = sign_in(app, make_user()).get(NEW).text

    for words in ("Read subscribers", "Create subscribers", READ, WRITE, "lets the key list subscribers, page by page"):
        assert words in page
    assert "Shown in the activity log: crm-sync or analytics-warehouse beats key1." in page
    assert "A key’s permissions never change." in page
    assert "Authentication → Scopes" in page
    assert " checked" not in page


def test_the_list_carries_the_same_form_for_its_dialog(app: Flask) -> None:
    client = sign_in(app, make_user())

    answer = submit(client, NEW, {"name": "crm-sync", "scopes": READ}, page="/api-keys")

    assert answer.status_code == 201


def test_every_form_carries_a_value_of_its_own(app: Flask) -> None:
    client = sign_in(app, make_user())

    values = {hidden_fields(client.get(path).text)["form_value"] for path in (NEW, NEW, "/api-keys", "/api-keys")}

    assert len(values) == 4
    assert min(map(len, values)) >= 22


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


def test_a_form_sent_twice_mints_one_key(app: Flask) -> None:
    client = sign_in(app, make_user())
    fields = hidden_fields(client.get(NEW).text) | {"name": "crm-sync", "scopes": READ}
    assert client.post(NEW, data=fields).status_code == 201

    for name in ("crm-sync", "another name"):
        again = client.post(NEW, data=fields | {"name": name})
        assert (again.status_code, again.location) == (303, "/api-keys")
        assert FORM_USED in client.get("/api-keys").text

    assert (count(ApiKey), len(events("api_key.created"))) == (1, 1)
    assert create(client).status_code == 201


def test_a_form_is_used_up_even_when_its_key_is_revoked(app: Flask) -> None:
    client = sign_in(app, make_user())
    fields = hidden_fields(client.get(NEW).text) | {"name": "crm-sync", "scopes": READ}
    assert client.post(NEW, data=fields).status_code == 201
    submit(client, f"/api-keys/{all_rows(ApiKey)[0].id}/revoke")

    assert client.post(NEW, data=fields).status_code == 303
    assert (count(ApiKey), len(events("api_key.created"))) == (1, 1)


def test_a_refused_form_can_be_sent_again(app: Flask) -> None:
    client = sign_in(app, make_user())
    fields = hidden_fields(client.get(NEW).text)

    refused = client.post(NEW, data=fields | {"name": "", "scopes": READ})

    assert refused.status_code == 422
    assert hidden_fields(refused.text)["form_value"] == fields["form_value"]
    assert client.post(NEW, data=fields | {"name": "crm-sync", "scopes": READ}).status_code == 201


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


def test_two_keys_may_share_a_name(app: Flask) -> None:
    client = sign_in(app, make_user())

    assert [create(client, "crm-sync").status_code for _ in range(2)] == [201, 201]
    assert count(ApiKey) == 2


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


def test_fields_that_the_form_does_not_have_are_ignored(app: Flask) -> None:
    other = make_organisation("Others")
    admin = make_user()
    extra = {
        "org_id": str(other.id),
        "organisation_id": str(other.id),
        "organisation": other.slug,
        "created_by": "999",
        "created_by_id": "999",
        "token_hash": "0" * 64,
        "digest": "0" * 64,
        "prefix": "qu_live_0000",
        "token": "qu_live_" + "0" * 36,
        "revoked_at": "2020-01-01",
        "last_used_at": "2020-01-01",
        "id": "77",
        "limit": "1000000",
    }

    answer = submit(sign_in(app, admin), NEW, extra | {"name": "crm-sync", "scopes": [READ, READ]})

    assert answer.status_code == 201
    (key,) = all_rows(ApiKey)
    assert (key.organisation_id, key.created_by_id, key.scopes) == (admin.organisation_id, admin.id, READ_ONLY)
    assert (key.revoked_at, key.last_used_at) == (None, None)
    assert key.id != 77
    assert key.prefix == tokens_in(answer.text)[0][:12]


def test_one_key_more_than_allowed_is_refused_with_what_to_do(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "API_KEY_LIMIT", 2)
    admin = make_user(make_organisation("Fernhill"))
    client = sign_in(app, admin)
    assert [create(client).status_code for _ in range(2)] == [201, 201]

    fields = hidden_fields(client.get(NEW).text) | {"name": "one more", "scopes": WRITE}
    refused = client.post(NEW, data=fields)

    assert refused.status_code == 409
    assert "Fernhill already has 2 active keys. Revoke one, then try again." in refused.text
    assert 'value="one more"' in refused.text
    assert re.search(rf'value="{WRITE}"\s+checked', refused.text)
    assert (count(ApiKey), len(events("api_key.created"))) == (2, 2)
    submit(client, f"/api-keys/{all_rows(ApiKey)[0].id}/revoke")
    assert client.post(NEW, data=fields).status_code == 201


def test_a_reveal_that_cannot_be_made_leaves_no_key(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in(app, make_user())
    fields = hidden_fields(client.get(NEW).text) | {"name": "crm-sync", "scopes": READ}

    def fail(key: ApiKey, organisation: Organisation) -> str:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("blueprints.api_keys.snippet.curl", fail)
        patch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
        assert client.post(NEW, data=fields).status_code == 500

    assert (count(ApiKey), events("api_key.created")) == (0, [])
    assert client.post(NEW, data=fields).status_code == 201


def test_a_form_without_its_csrf_token_mints_nothing(app: Flask) -> None:
    client = sign_in(app, make_user())
    fields = hidden_fields(client.get(NEW).text) | {"name": "crm-sync", "scopes": READ}
    without = {name: value for name, value in fields.items() if name != "csrf_token"}

    assert client.post(NEW, data=without).status_code == 400
    assert client.post(NEW, data=fields, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get(NEW, query_string=fields).status_code == 200

    assert (count(ApiKey), events("api_key.created")) == (0, [])
    assert client.post(NEW, data=fields).status_code == 201
