"""The activity log as admins read it."""

import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import Action, ActivityEvent, Actor, ActorType, Organisation, Plan, Role, Target, User, writing
from tests.api_client import ApiClient, subscribers_path
from tests.console import sign_in, submit
from tests.factories import (
    ACTOR,
    all_rows,
    count,
    events,
    in_context,
    make_api_key,
    make_organisation,
    make_user,
    make_waitlist,
    set_plan,
)

LOG = "/activity"
CRM_SYNC = {"name": "crm-sync", "scopes": ["subscribers:read", "subscribers:write"]}
HOSTILE = ('"><img src=x onerror=alert(1)>', "</script><script>alert(1)", "{{7*7}}")


@in_context
def record(organisation: Organisation, labels: list[str], actor: Actor = ACTOR) -> None:
    targets: list[Any] = [(Target("subscriber", str(number), label), {}) for number, label in enumerate(labels)]
    with writing():
        ActivityEvent.record_all(organisation.id, Action.SUBSCRIBER_CREATED, actor, targets)


def lines(response: TestResponse) -> list[str]:
    """The log's lines as a reader has them: their words, one blank between."""
    assert response.status_code == 200, response.text
    bodies = re.findall(r"<tbody.*?</tbody>", response.text, re.DOTALL)
    rows = [row for body in bodies for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)]
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]


def log(client: FlaskClient, **query: str) -> list[str]:
    """The lines that a filter leaves, without the headings of days."""
    return [line for line in lines(client.get(LOG, query_string=query)) if re.match(r"\d\d:\d\d:\d\d ", line)]


def link(page: str, rel: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', page)
    return unescape(found[1]) if found else ""


def test_only_admins_read_the_log(app: Flask, client: FlaskClient) -> None:
    admin = make_user()
    member = make_user(admin.organisation, role=Role.MEMBER)

    refused = client.get(LOG)
    assert (refused.status_code, refused.location.partition("?")[0]) == (302, "/login")
    assert sign_in(app, member).get(LOG).status_code == 403
    assert sign_in(app, admin).get(LOG).status_code == 200


def test_the_log_is_there_on_every_plan(app: Flask) -> None:
    admin = make_user(make_organisation("Fernhill", plan=Plan.FREE))

    assert "Fernhill" in log(sign_in(app, admin))[-1]


def test_what_people_and_keys_do_is_told_newest_first(app: Flask) -> None:
    admin = make_user(email="maya@fernhill.example", name="Maya Lindqvist")
    waitlist = make_waitlist(admin.organisation, name="Spring launch")
    client = sign_in(app, admin)
    token = re.findall(r'<code id="token"[^>]*>([^<]*)<', submit(client, "/api-keys/new", CRM_SYNC).text)[0]
    created = ApiClient(app, token).post(subscribers_path(waitlist), {"email": "Ada@example.org"})
    assert created.status_code == 201
    submit(client, f"/api-keys/{created_key_id()}/revoke")

    revoked_line, subscriber_line, key_line, *_ = log(client)

    prefix = f"{token[:12]}…"
    maya = "Maya Lindqvist maya@fernhill.example"
    assert revoked_line[9:] == f"{maya} api_key.revoked crm-sync {prefix} 127.0.0.1"
    assert subscriber_line[9:] == (
        f"crm-sync API key {prefix} subscriber.created Ada@example.org Spring launch 127.0.0.1"
    )
    assert key_line[9:] == f"{maya} api_key.created crm-sync {prefix} 127.0.0.1"
    assert token not in client.get(LOG).text


def created_key_id() -> str:
    return events("api_key.created")[-1].target_id


def test_reading_and_refusals_are_not_in_the_log(app: Flask) -> None:
    admin = make_user()
    waitlist = make_waitlist(admin.organisation)
    _, token = make_api_key(admin.organisation)
    api, client = ApiClient(app, token), sign_in(app, admin)
    before = log(client)

    assert api.get(subscribers_path(waitlist)).status_code == 200
    assert api.post(subscribers_path(waitlist), {"email": "nonsense"}).status_code == 422
    assert client.get("/api-keys").status_code == 200
    assert submit(client, "/api-keys/new", {"name": ""}).status_code == 422

    assert log(client) == before
    assert api.post(subscribers_path(waitlist), {"email": "Ada@example.org"}).status_code == 201
    assert len(log(client)) == len(before) + 1


@pytest.mark.by_hand
def test_the_badge_comes_from_the_kind_of_actor_not_from_its_name(app: Flask) -> None:
    admin = make_user(name="API key")
    key, _ = make_api_key(admin.organisation, name="Maya Lindqvist")
    record(admin.organisation, ["by a person"], admin.as_actor(None, None, None))
    record(admin.organisation, ["by a key"], key_actor("Maya Lindqvist", key.prefix))
    badge = '<span class="qk-badge qk-badge-accent">API key</span>'

    page = sign_in(app, admin).get(LOG).text

    by_key, by_person = (
        re.findall(rf"<tr(?:(?!<tr).)*by a {who}.*?</tr>", page, re.DOTALL)[0] for who in ("key", "person")
    )
    assert badge in by_key
    assert badge not in by_person


def key_actor(name: str = "crm-sync", prefix: str = "qu_live_AbCd", ip: str = "203.0.113.7") -> Actor:
    return Actor(type=ActorType.API_KEY, name=name, id=3, prefix=prefix, ip=ip)


def test_the_command_line_is_the_system(app: Flask) -> None:
    admin = make_user(make_organisation("Fernhill"))
    for _ in range(2):
        make_api_key(admin.organisation)
    set_plan(admin.organisation, Plan.FREE)
    set_plan(admin.organisation, Plan.TEAM)

    resumed, paused, *_ = log(sign_in(app, admin))

    assert paused[9:] == "System tests plan.changed Fernhill pro → free · 2 keys paused None"
    assert resumed[9:] == "System tests plan.changed Fernhill free → team · 2 keys resumed None"


@pytest.mark.by_hand
def test_an_event_with_details_of_another_time_is_still_readable(app: Flask) -> None:
    admin = make_user()
    targets: list[Any] = [(Target(kind, "1", f"Old {kind}"), {}) for kind in ("api_key", "subscriber", "user", "ship")]
    write_all(admin, targets)

    page = log(sign_in(app, admin))

    for kind in ("api_key", "subscriber", "user", "ship"):
        assert f"Old {kind} None" in "\n".join(page)


@in_context
def write_all(admin: User, targets: list[Any]) -> None:
    with writing():
        ActivityEvent.record_all(admin.organisation_id, Action.PLAN_CHANGED, ACTOR, targets)


@pytest.mark.by_hand
def test_an_organisation_sees_its_own_events_only(app: Flask) -> None:
    admin, other = make_user(), make_user()
    record(admin.organisation, ["ours@example.org"])
    record(other.organisation, ["theirs@example.org"])

    page = sign_in(app, admin).get(f"{LOG}?org={other.organisation_id}&organisation_id={other.organisation_id}")

    assert "ours@example.org" in page.text
    assert "theirs@example.org" not in page.text
    assert other.email not in page.text


def test_reading_the_log_writes_nothing(app: Flask) -> None:
    client = sign_in(app, make_user())
    before = count(ActivityEvent)

    for path in (LOG, f"{LOG}?q=x", f"{LOG}?actor=ghost"):
        client.get(path)
    assert client.post(LOG).status_code in {400, 405}

    assert count(ActivityEvent) == before
    assert len(all_rows(ActivityEvent)) == 2


@pytest.mark.by_hand
def test_hostile_words_are_shown_as_they_are(app: Flask) -> None:
    admin = make_user(name=HOSTILE[0])
    for words in HOSTILE:
        record(admin.organisation, [words], key_actor(name=words, prefix=words[:12], ip=words[:40]))
        record(admin.organisation, [words], Actor.system(words))
    client = sign_in(app, admin)

    page = client.get(LOG, query_string={"q": HOSTILE[0]}).text + client.get(LOG).text

    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "{{7*7}}" in page
