"""The list of keys, and revoking them."""

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import ApiKey, Plan, Role, Scope, User
from tests.api_client import ApiClient, subscribers_path
from tests.console import hidden_fields, sign_in, submit
from tests.factories import (
    all_rows,
    count,
    events,
    make_api_key,
    make_organisation,
    make_user,
    make_waitlist,
    revoke,
    set_plan,
)

HOSTILE = ('"><img src=x onerror=alert(1)>', "</script><script>alert(1)", "{{7*7}}", "${7*7}", "<b>&amp;</b>")


def revoke_path(key: ApiKey) -> str:
    return f"/api-keys/{key.id}/revoke"


def shape(response: TestResponse) -> tuple[int, str, dict[str, str]]:
    """What a visitor can compare, without the request's id."""
    request_id = response.headers["X-Request-Id"]
    headers = {name: value for name, value in response.headers if name not in {"X-Request-Id", "Set-Cookie"}}
    return response.status_code, response.text.replace(request_id, ""), headers


def test_a_visitor_is_sent_to_sign_in_and_an_admin_sees_the_list(app: Flask, client: FlaskClient) -> None:
    admin = make_user()
    key, _ = make_api_key(admin.organisation)

    for path in ("/api-keys", "/api-keys/new", revoke_path(key)):
        refused = client.get(path)
        assert (refused.status_code, refused.location.partition("?")[0]) == (302, "/login")
        assert sign_in(app, admin).get(path).status_code == 200


def test_a_member_may_neither_look_nor_change(app: Flask) -> None:
    admin = make_user()
    member = make_user(admin.organisation, role=Role.MEMBER)
    key, _ = make_api_key(admin.organisation)
    client, csrf = sign_in(app, member), {}
    csrf = {"csrf_token": hidden_fields(client.get("/account").text)["csrf_token"]}
    recorded = len(events())

    for path in ("/api-keys", "/api-keys/new", revoke_path(key)):
        assert client.get(path).status_code == 403
    data = csrf | {"name": "Mallory", "scopes": "subscribers:read", "form_value": "x" * 32}
    assert client.post("/api-keys/new", data=data).status_code == 403
    assert client.post(revoke_path(key), data=csrf).status_code == 403

    assert len(events()) == recorded
    assert [(row.name, row.revoked_at) for row in all_rows(ApiKey)] == [("crm-sync", None)]
    assert submit(sign_in(app, admin), revoke_path(key)).status_code == 303


def test_only_admins_of_a_paid_plan_find_api_keys_in_the_navigation(app: Flask) -> None:
    admin = make_user()
    member = make_user(admin.organisation, role=Role.MEMBER)
    link = '<a href="/api-keys"'

    assert link in sign_in(app, admin).get("/account").text
    assert link not in sign_in(app, member).get("/account").text
    set_plan(admin.organisation, Plan.FREE)
    assert link not in sign_in(app, admin).get("/account").text


def test_the_list_shows_each_active_key_and_no_revoked_one(app: Flask) -> None:
    admin = make_user()
    make_api_key(admin.organisation, name="Both")
    make_api_key(admin.organisation, name="Looker", scopes=[Scope.SUBSCRIBERS_READ])
    make_api_key(admin.organisation, name="Signup form", scopes=[Scope.SUBSCRIBERS_WRITE])
    gone, _ = make_api_key(admin.organisation, name="Old importer")
    revoke(gone)
    make_api_key(name="Somebody else's")

    page = sign_in(app, admin).get("/api-keys").text

    for words in ("Both", "Looker", "Signup form", "Full access", "Read-only", "Create-only", "Never", "just now"):
        assert f">{words}<" in page
    assert "3 of 50" in page
    assert "Old importer" not in page
    assert "Somebody else" not in page
    assert all(f"{key.prefix}…" in page for key in all_rows(ApiKey)[:3])


def test_the_list_says_when_a_key_was_used(app: Flask) -> None:
    admin = make_user()
    waitlist = make_waitlist(admin.organisation)
    _, token = make_api_key(admin.organisation)
    client = sign_in(app, admin)
    assert "Never" in client.get("/api-keys").text

    assert ApiClient(app, token).get(subscribers_path(waitlist)).status_code == 200

    page = client.get("/api-keys").text
    used = all_rows(ApiKey)[0].last_used_at
    assert used is not None
    assert used.strftime('title="%Y-%m-%d %H:%M UTC"') in page
    assert "Something used this key a moment ago." in page


def test_an_organisation_without_keys_is_told_how_to_begin(app: Flask) -> None:
    page = sign_in(app, make_user()).get("/api-keys").text

    assert "No API keys yet" in page
    assert 'href="/api-keys/new"' in page


def test_a_lapsed_plan_shows_paused_keys_which_can_be_revoked_but_not_created(app: Flask) -> None:
    admin = make_user()
    keys = [make_api_key(admin.organisation)[0] for _ in range(2)]
    client = sign_in(app, admin)
    fields = hidden_fields(client.get("/api-keys/new").text)
    set_plan(admin.organisation, Plan.FREE)

    page = client.get("/api-keys")
    assert page.status_code == 200
    assert "2 keys are paused" in page.text
    assert "Paused keys" in page.text
    assert "/api-keys/new" not in page.text
    assert client.get("/api-keys/new").status_code == 403
    data = fields | {"name": "Late", "scopes": "subscribers:read"}
    assert client.post("/api-keys/new", data=data).status_code == 403
    assert client.post("/api-keys/new", data=fields).status_code == 403
    assert (count(ApiKey), len(events("api_key.created"))) == (2, 2)

    assert submit(client, revoke_path(keys[0])).status_code == 303
    assert "1 key is paused" in client.get("/api-keys").text
    set_plan(admin.organisation, Plan.PRO)
    assert client.post("/api-keys/new", data=data).status_code == 201


def test_a_free_organisation_without_keys_gets_an_explanation(app: Flask) -> None:
    page = sign_in(app, make_user(make_organisation(plan=Plan.FREE))).get("/api-keys")

    assert page.status_code == 200
    assert "API keys need Pro or Team" in page.text
    assert 'href="/plan"' in page.text
    assert "/api-keys/new" not in page.text


def test_revoking_asks_first_and_takes_effect_on_the_next_request(app: Flask) -> None:
    admin = make_user(name="Maya Lindqvist")
    waitlist = make_waitlist(admin.organisation)
    key, token = make_api_key(admin.organisation, name="Old importer")
    _, other = make_api_key(admin.organisation)
    client = sign_in(app, admin)

    question = client.get(revoke_path(key)).text
    for words in ("Old importer", f"{key.prefix}…", "Never", "will start receiving 401", "Revoke key", "Keep key"):
        assert words in question
    assert ApiClient(app, token).get(subscribers_path(waitlist)).status_code == 200

    answer = submit(client, revoke_path(key))
    assert (answer.status_code, answer.location) == (303, "/api-keys")
    assert "Revoked “Old importer”. Requests with it now get 401." in client.get("/api-keys").text
    assert ApiClient(app, token).get(subscribers_path(waitlist)).status_code == 401
    assert ApiClient(app, other).get(subscribers_path(waitlist)).status_code == 200
    (event,) = events("api_key.revoked")
    assert (event.actor_type, event.actor_id, event.actor_name) == ("user", admin.id, "Maya Lindqvist")
    assert (event.target_id, event.target_label, event.details) == (str(key.id), key.name, {"prefix": key.prefix})
    assert (event.ip, event.organisation_id) == ("127.0.0.1", admin.organisation_id)


def test_revoking_twice_changes_nothing_and_says_so(app: Flask) -> None:
    admin = make_user()
    key, _ = make_api_key(admin.organisation, name="Old importer")
    client = sign_in(app, admin)
    fields = hidden_fields(client.get(revoke_path(key)).text)
    assert client.post(revoke_path(key), data=fields).status_code == 303
    (revoked,) = all_rows(ApiKey)

    again = client.post(revoke_path(key), data=fields)

    assert again.status_code == 303
    assert "“Old importer” was revoked already." in client.get("/api-keys").text
    assert all_rows(ApiKey)[0].revoked_at == revoked.revoked_at
    assert len(events("api_key.revoked")) == 1
    assert client.get(revoke_path(key)).location == "/api-keys"


def test_another_organisations_key_answers_like_one_that_never_was(app: Flask) -> None:
    theirs, _ = make_api_key()
    admin = make_user()
    own, _ = make_api_key(admin.organisation)
    client = sign_in(app, admin)
    csrf = hidden_fields(client.get(revoke_path(own)).text)
    recorded = len(events())

    for method in ("GET", "POST"):
        answers = [
            shape(client.open(f"/api-keys/{key_id}/revoke", method=method, data=csrf if method == "POST" else None))
            for key_id in (theirs.id, 999_999, 2**63 - 1)
        ]
        assert answers[0][0] == 404
        assert all(answer == answers[0] for answer in answers)

    assert len(events()) == recorded
    assert all(key.revoked_at is None for key in all_rows(ApiKey))
    assert client.post(revoke_path(own), data=csrf).status_code == 303


def test_a_form_without_its_token_or_from_another_site_changes_nothing(app: Flask) -> None:
    admin = make_user()
    key, _ = make_api_key(admin.organisation)
    client = sign_in(app, admin)
    csrf = hidden_fields(client.get(revoke_path(key)).text)

    assert client.post(revoke_path(key)).status_code == 400
    foreign = {"Origin": "https://evil.example"}
    assert client.post(revoke_path(key), data=csrf, headers=foreign).status_code == 403
    assert client.get(revoke_path(key), query_string=csrf).status_code == 200

    assert events("api_key.revoked") == []
    assert client.post(revoke_path(key), data=csrf).status_code == 303


def test_hostile_names_are_shown_as_they_are_on_every_page(app: Flask) -> None:
    admin: User = make_user(name=HOSTILE[0])
    client = sign_in(app, admin)
    keys = [make_api_key(admin.organisation, name=name)[0] for name in HOSTILE]

    pages = [client.get("/api-keys").text, *(client.get(revoke_path(key)).text for key in keys)]
    submit(client, revoke_path(keys[0]))
    pages.append(client.get("/api-keys").text)

    for page in pages:
        assert "<img src=x" not in page
        assert "<script>alert" not in page
        assert "<b>&amp;</b>" not in page
    assert "{{7*7}}" in pages[0]
    assert "&lt;img src=x onerror=alert(1)&gt;" in pages[-1]
