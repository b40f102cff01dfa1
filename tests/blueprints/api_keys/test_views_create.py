"""Creating a key, and the one answer that holds its token."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import ApiKey, Scope
from models.token import TOKEN_PATTERN
from tests.api_client import ApiClient, subscribers_path
from tests.console import hidden_fields, sign_in, submit
from tests.factories import (
    all_rows,
    count,
    events,
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


def test_two_keys_may_share_a_name(app: Flask) -> None:
    client = sign_in(app, make_user())

    assert [create(client, "crm-sync").status_code for _ in range(2)] == [201, 201]
    assert count(ApiKey) == 2


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


def test_a_form_without_its_csrf_token_mints_nothing(app: Flask) -> None:
    client = sign_in(app, make_user())
    fields = hidden_fields(client.get(NEW).text) | {"name": "crm-sync", "scopes": READ}
    without = {name: value for name, value in fields.items() if name != "csrf_token"}

    assert client.post(NEW, data=without).status_code == 400
    assert client.post(NEW, data=fields, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get(NEW, query_string=fields).status_code == 200

    assert (count(ApiKey), events("api_key.created")) == (0, [])
    assert client.post(NEW, data=fields).status_code == 201
