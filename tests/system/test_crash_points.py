"""A process that ends in the middle of a change: both the change and its event are there, or neither is."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from models import ApiKey, Subscriber, User, db
from tests import ledger
from tests.api_client import ApiClient, subscribers_path
from tests.console import hidden_fields, sign_in
from tests.factories import all_rows, events, make_api_key, make_user, make_waitlist

REACHED = 77
BEFORE_COMMIT = ("first write begins", "first write done", "event begins", "event done", "commit begins")
AFTER_COMMIT = ("commit done", "response begins")
OPERATIONS = ("create", "revoke", "sign up")


def end(*_: object, **__: object) -> None:
    """End this process as a crash would: nothing is flushed, closed or rolled back."""
    os._exit(REACHED)


def at_statement(name: str, beginning: tuple[str, ...]) -> None:
    """End where a statement that begins like this begins or is done."""

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.strip().upper().startswith(beginning):
            end()

    event.listen(db.engine, f"{'before' if name.endswith('begins') else 'after'}_cursor_execute", listen)


def arm(app: Flask, point: str) -> None:
    """End this process at a point."""
    if point.startswith("first write"):
        at_statement(point, ("INSERT", "UPDATE", "WITH"))
    elif point.startswith("event"):
        at_statement(point, ("INSERT INTO ACTIVITY_EVENTS",))
    elif point == "commit begins":
        event.listen(db.engine, "commit", end)
    elif point == "commit done":
        event.listen(Session, "after_commit", end)
    else:
        app.after_request_funcs.setdefault(None, []).append(end)


def prepare(app: Flask, operation: str, admin: User) -> Callable[[], Any]:
    """The last request of an operation; everything before it has been sent."""
    if operation == "sign up":
        waitlist, (_, token) = make_waitlist(admin.organisation), make_api_key(admin.organisation)
        return partial(ApiClient(app, token).post, subscribers_path(waitlist), {"email": "ada@example.org"})
    client = sign_in(app, admin)
    if operation == "revoke":
        page, fields = f"/api-keys/{make_api_key(admin.organisation)[0].id}/revoke", {}
    else:
        page, fields = "/api-keys/new", {"name": "crm-sync", "scopes": ["subscribers:read"]}
    form = hidden_fields(client.get(page).text) | fields
    return partial(client.post, page, data=form)


@contextmanager
def forked() -> Iterator[int]:
    """Two processes, neither of which has a connection of the other's: 0 in the child, which ends here."""
    db.engine.dispose()
    if (child := os.fork()) == 0:
        try:
            yield child
        finally:
            os._exit(1)
    yield child


def outcome(operation: str) -> int:
    """How often the operation has happened, by its rows."""
    if operation == "sign up":
        return len(all_rows(Subscriber))
    keys = all_rows(ApiKey)
    return len(keys) if operation == "create" else sum(key.revoked_at is not None for key in keys)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("point", [*BEFORE_COMMIT, *AFTER_COMMIT])
def test_a_crash_leaves_a_change_with_its_event_or_neither(app: Flask, point: str, operation: str) -> None:
    send = prepare(app, operation, make_user())
    with app.app_context(), forked() as child:
        if child == 0:
            arm(app, point)
            send()
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == REACHED
    assert outcome(operation) == (point in AFTER_COMMIT)
    action = {"create": "api_key.created", "revoke": "api_key.revoked", "sign up": "subscriber.created"}[operation]
    assert len([told for told in events(action) if told.actor_type != "system"]) == (point in AFTER_COMMIT)
    assert ledger.differences() == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_without_a_crash_each_operation_happens(app: Flask, operation: str) -> None:
    send = prepare(app, operation, make_user())

    assert send().status_code in {201, 302, 303}
    assert outcome(operation) == 1
