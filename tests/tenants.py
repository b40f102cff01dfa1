"""Two organisations side by side, and every address that has an id in it, for whoever may not have it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from models import LoginTry, Role, Scope, db
from tests.console import hidden_fields, sign_in
from tests.factories import in_context, make_api_key, make_organisation, make_subscriber, make_user, make_waitlist

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO")
NOBODYS = {"waitlist_id": "wl_000000000000", "api_key_id": "999999"}  # well-formed ids of nothing
OF_NOBODY = {"page", "filename"}  # what stands in addresses and belongs to no organisation
SCOPES = {"both": tuple(Scope), "read": (Scope.SUBSCRIBERS_READ,), "write": (Scope.SUBSCRIBERS_WRITE,)}
# One good value for whatever field a form or a call has.
FORM = {"name": "Taken over", "referral_skip": "7", "scopes": "subscribers:read", "form_value": "x" * 32}
SIGNUP = {"email": "mallory@example.org"}
BODIES = {"batch": {"subscribers": [SIGNUP]}}  # by the end of a call's path; SIGNUP for any other
CHANGING = re.compile(r'name="csrf_token" value="[^"]*"|[0-9a-f]{32}')


class Visitor(NamedTuple):
    """Somebody who sends requests: with a session and its CSRF token, with an API token, or with neither."""

    client: FlaskClient
    csrf: str = ""
    token: str | None = None

    def send(self, method: str, path: str) -> TestResponse:
        """Send a request, with a body that every form and every call could take."""
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        if method in {"GET", "HEAD", "OPTIONS", "TRACE"}:
            return self.client.open(path, method=method, headers=headers)
        if path.startswith("/v1/api/"):
            return self.client.open(
                path, method=method, headers=headers, json=BODIES.get(path.rpartition("/")[2], SIGNUP)
            )
        return self.client.open(path, method=method, data=FORM | {"csrf_token": self.csrf})


class Tenant(NamedTuple):
    """An organisation with one of everything, its people and keys, and the words that only it may see."""

    visitors: Mapping[str, Visitor]
    ids: Mapping[str, str]
    secrets: frozenset[str]


def make_tenant(app: Flask, name: str) -> Tenant:
    """An organisation whose every row says its name."""
    organisation = make_organisation(f"{name} Limited")
    waitlist = make_waitlist(organisation, name=f"{name} waitlist")
    subscriber = make_subscriber(waitlist, f"{name}-subscriber@example.org")
    minted = {words: make_api_key(organisation, name=f"{name} {words}", scopes=of) for words, of in SCOPES.items()}
    visitors = {words: Visitor(app.test_client(use_cookies=False), token=token) for words, (_, token) in minted.items()}
    for role in Role:
        client = sign_in(app, make_user(organisation, f"{name}-{role}@example.org", role, name=f"{name} {role}"))
        visitors[role] = Visitor(client, hidden_fields(client.get("/account").text)["csrf_token"])
    passer_by = app.test_client()
    visitors["nobody"] = Visitor(passer_by, hidden_fields(passer_by.get("/login").text)["csrf_token"])
    key = minted["both"][0]
    ids = {"waitlist_id": waitlist.public_id, "api_key_id": str(key.id)}
    secrets = {name, waitlist.public_id, str(subscriber.referral_code), *(key.prefix for key, _ in minted.values())}
    return Tenant(visitors, ids, frozenset(secrets))


def rules_with_ids(app: Flask) -> list[Rule]:
    """Every rule that has an organisation's id in it; a kind of id that nobody knows here is a failure."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.arguments - OF_NOBODY]
    assert {kind for rule in rules for kind in rule.arguments} <= NOBODYS.keys(), "add the new kind of id to NOBODYS"
    return rules


def rules_without_ids(app: Flask) -> list[Rule]:
    """Every rule that anybody can ask for as it stands."""
    return [rule for rule in app.url_map.iter_rules() if not rule.arguments]


def filled(rule: Rule, ids: Mapping[str, str]) -> str:
    """A rule's address with these ids."""
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda found: quote(ids[found[1]], safe=""), rule.rule)


def choices(kind: str, theirs: Mapping[str, str]) -> Iterator[str]:
    """What to try for a kind of id: theirs, their ids of every other kind, and what is no id at all."""
    yield theirs[kind]
    yield from (value for other, value in theirs.items() if other != kind)
    yield from (f"{theirs[kind]} ", f"{theirs[kind]}'", theirs[kind].upper() + "x", "%", "\0", "0")


def shape(response: TestResponse, path: str) -> tuple[Any, ...]:
    """What a visitor can compare, without what differs between any two requests or repeats the address."""

    def blank(text: str) -> str:
        return CHANGING.sub("", text.replace(path, "PATH"))

    headers = [(name, blank(value)) for name, value in response.headers if name not in {"Set-Cookie", "Content-Length"}]
    return response.status_code, blank(response.text), headers


@in_context
def rows() -> dict[str, list[str]]:
    """All rows of all tables, but for when a key was last used and who tried to sign in."""
    tables = [table for table in db.metadata.sorted_tables if table is not LoginTry.__table__]
    wanted = {table.name: [col for col in table.columns if col.name != "last_used_at"] for table in tables}
    return {name: sorted(map(repr, db.session.execute(select(*columns)))) for name, columns in wanted.items()}
