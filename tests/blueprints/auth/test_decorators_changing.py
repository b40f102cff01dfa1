"""Changes in the console that are under way while their user is shut out: they come before that, or not at all."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from blueprints.auth import decorators
from models import ActivityEvent, ActorType, User, Waitlist, db, turn, writing
from tests import overlap
from tests.console import hidden_fields, sign_in, try_to_sign_in
from tests.factories import ACTOR, PASSWORD, all_rows, deactivate, in_context, make_api_key, make_user, make_waitlist

NEW_PASSWORD = "a longer horse battery"
SET_PASSWORD = "what the admin chose"


@in_context
def set_password(user: User) -> None:
    """What `users set-password` does."""
    with writing():
        db.session.get_one(User, user.id).change_password(SET_PASSWORD, ACTOR)


@in_context
def sign_out(user: User) -> None:
    """What signing out in another browser does."""
    with writing():
        db.session.get_one(User, user.id).end_sessions()


ENDS: dict[str, Callable[[User], None]] = {
    "deactivation": deactivate,
    "new password": set_password,
    "sign-out": sign_out,
}


CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "create a key": ("/api-keys/new", "/api-keys/new", {"name": "crm-sync", "scopes": ["subscribers:read"]}),
    "revoke a key": ("/api-keys/{key}/revoke", "/api-keys/{key}/revoke", {}),
    "create a waitlist": ("/waitlists/new", "/waitlists/new", {"name": "Autumn launch", "referral_skip": "7"}),
    "change a waitlist": (
        "/waitlists/{waitlist}/settings",
        "/waitlists/{waitlist}/settings",
        {"name": "Autumn launch", "referral_skip": "7"},
    ),
    "archive a waitlist": ("/waitlists/{waitlist}/settings", "/waitlists/{waitlist}/archive", {}),
    "restore a waitlist": ("/waitlists/{archived}/settings", "/waitlists/{archived}/restore", {}),
    "change the password": (
        "/account",
        "/account",
        {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
    ),
}


def ready(app: Flask, user: User, change: str) -> Callable[[], TestResponse]:
    """The form of a change, opened and filled in; to be sent."""
    key, _ = make_api_key(user.organisation)
    waitlist, archived = make_waitlist(user.organisation), make_waitlist(user.organisation)
    archive(archived)
    ids = {"key": key.id, "waitlist": waitlist.public_id, "archived": archived.public_id}
    page, address, fields = CHANGES[change]
    client = sign_in(app, user)
    data: dict[str, Any] = hidden_fields(client.get(page.format(**ids)).text) | fields
    return lambda: client.post(address.format(**ids), data=data)


@in_context
def archive(waitlist: Waitlist) -> None:
    """Archive a waitlist."""
    with writing():
        Waitlist.by_public_id(waitlist.public_id).archive(ACTOR)


def changes_by(user: User) -> list[str]:
    """What the log says that the user has done."""
    mine = (ActorType.USER.value, user.id)
    return [event.action for event in all_rows(ActivityEvent) if (event.actor_type, event.actor_id) == mine]


@pytest.mark.parametrize("change", CHANGES)
def test_every_form_changes_something(app: Flask, change: str) -> None:
    user = make_user()

    answer = ready(app, user, change)()

    assert answer.status_code in {201, 302, 303}
    assert answer.location != "/login"
    assert len(changes_by(user)) == 1


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ENDS)
def test_a_change_that_comes_to_write_after_its_session_has_ended_does_not_happen(
    app: Flask, monkeypatch: pytest.MonkeyPatch, change: str, kind: str
) -> None:
    user = make_user()
    send = ready(app, user, change)

    @contextmanager
    def writing_later() -> Iterator[None]:
        ENDS[kind](user)
        with writing():
            yield

    monkeypatch.setattr(decorators, "writing", writing_later)
    answer = send()

    assert (answer.status_code, answer.location) == (302, "/login")
    assert "qu_live_" not in answer.text
    assert changes_by(user) == []
    assert try_to_sign_in(app.test_client(), user.email, NEW_PASSWORD).status_code == 422


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", ENDS)
def test_an_end_that_comes_while_a_change_is_written_waits_for_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch, change: str, kind: str
) -> None:
    user, hold, ending = make_user(), User.hold, []
    send = ready(app, user, change)

    def hold_and_be_shut_out(session_id: str, *, alone: bool = False) -> User | None:
        held = hold(session_id, alone=alone)
        ending.append(threads.submit(ENDS[kind], user))
        overlap.await_either(ending[0], is_somebody_waiting)
        assert not ending[0].done()
        return held

    def is_somebody_waiting() -> bool:
        if db.engine.dialect.name == "sqlite":
            return bool(turn._queue._waiting)
        return overlap.waiting_for_locks() > 0

    monkeypatch.setattr(User, "hold", hold_and_be_shut_out)
    with ThreadPoolExecutor(1) as threads:
        answer = send()
        ending[0].result()

    assert answer.status_code in {201, 302, 303}
    assert len(changes_by(user)) == 1
