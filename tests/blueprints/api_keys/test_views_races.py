"""Creating and revoking keys, several at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import ApiKey, User
from tests.console import hidden_fields, sign_in
from tests.factories import all_rows, count, events, make_api_key, make_user

NEW = "/api-keys/new"
AT_ONCE = 8


def windows(app: Flask, user: User) -> list[FlaskClient]:
    """Several browser windows of one session."""
    first = sign_in(app, user)
    first.get(NEW)  # from now on the session has its CSRF token
    cookie = first.get_cookie("queuekey")
    assert cookie is not None
    others = [app.test_client() for _ in range(AT_ONCE - 1)]
    for window in others:
        window.set_cookie("queuekey", cookie.value)
    return [first, *others]


def at_once(post: Callable[[FlaskClient], TestResponse], clients: list[FlaskClient]) -> list[int]:
    """Let every client post in the same moment; the statuses, sorted."""
    barrier = Barrier(len(clients))

    def run(client: FlaskClient) -> int:
        barrier.wait(timeout=30)
        return post(client).status_code

    with ThreadPoolExecutor(len(clients)) as pool:
        return sorted(pool.map(run, clients))


def form(client: FlaskClient) -> dict[str, Any]:
    return hidden_fields(client.get(NEW).text) | {"name": "crm-sync", "scopes": "subscribers:read"}


def test_one_form_sent_several_times_at_once_mints_one_key(app: Flask) -> None:
    clients = windows(app, make_user())
    fields = form(clients[0])

    statuses = at_once(lambda client: client.post(NEW, data=fields), clients)

    assert statuses == [201] + [303] * (AT_ONCE - 1)
    assert (count(ApiKey), len(events("api_key.created"))) == (1, 1)


def test_different_forms_sent_at_once_mint_a_key_each(app: Flask) -> None:
    clients = windows(app, make_user())
    forms = {id(client): form(client) for client in clients}

    statuses = at_once(lambda client: client.post(NEW, data=forms[id(client)]), clients)

    assert statuses == [201] * AT_ONCE
    assert (count(ApiKey), len(events("api_key.created"))) == (AT_ONCE, AT_ONCE)


def test_the_limit_holds_when_many_create_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "API_KEY_LIMIT", 5)
    admin = make_user()
    for _ in range(4):
        make_api_key(admin.organisation)
    clients = windows(app, admin)
    forms = {id(client): form(client) for client in clients}

    statuses = at_once(lambda client: client.post(NEW, data=forms[id(client)]), clients)

    assert statuses == [201] + [409] * (AT_ONCE - 1)
    assert (count(ApiKey), len(events("api_key.created"))) == (5, 5)


def test_a_key_revoked_several_times_at_once_is_revoked_once(app: Flask) -> None:
    admin = make_user()
    key, _ = make_api_key(admin.organisation)
    clients = windows(app, admin)
    fields = form(clients[0])

    statuses = at_once(lambda client: client.post(f"/api-keys/{key.id}/revoke", data=fields), clients)

    assert statuses == [303] * AT_ONCE
    assert len(events("api_key.revoked")) == 1
    assert all_rows(ApiKey)[0].revoked_at is not None
