"""Every address that changes something leaves exactly one event: a new one must be added to the table here."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from models import Waitlist, db, writing
from tests.api_client import Caller, make_caller
from tests.console import sign_in, submit, try_to_sign_in
from tests.factories import ACTOR, PASSWORD, events, in_context, make_user

NEW_PASSWORD = "another battery staple"


class Scene(NamedTuple):
    """What a change is made with."""

    caller: Caller
    admin: FlaskClient
    email: str


class Change(NamedTuple):
    """A successful use of a changing address, and the event it leaves; None says why it leaves none."""

    make: Callable[[Scene], TestResponse]
    action: str | None
    reason: str = ""


def waitlist_path(scene: Scene) -> str:
    return f"/waitlists/{scene.caller.waitlist.public_id}"


def restore(scene: Scene) -> TestResponse:
    page = f"{waitlist_path(scene)}/settings"
    archive(scene.caller.waitlist)
    return submit(scene.admin, f"{waitlist_path(scene)}/restore", page=page)


@in_context
def archive(waitlist: Waitlist) -> None:
    with writing():
        db.session.get_one(Waitlist, waitlist.id).archive(ACTOR)


CHANGES = {
    "api.create_subscriber": Change(
        lambda scene: scene.caller.api.post(scene.caller.path, {"email": "ada@example.org"}), "subscriber.created"
    ),
    "api.create_subscribers": Change(
        lambda scene: scene.caller.api.post(
            f"{scene.caller.path}/batch",
            {"subscribers": [{"email": "ada@example.org"}, {"email": "ADA@example.org"}, {"email": "nobody"}]},
        ),
        "subscriber.created",
    ),
    "api_keys.create": Change(
        lambda scene: submit(scene.admin, "/api-keys/new", {"name": "crm-sync", "scopes": ["subscribers:read"]}),
        "api_key.created",
    ),
    "api_keys.revoke": Change(
        lambda scene: submit(scene.admin, f"/api-keys/{scene.caller.key.id}/revoke"), "api_key.revoked"
    ),
    "auth.sign_in": Change(
        lambda scene: try_to_sign_in(scene.admin.application.test_client(), scene.email),
        None,
        "signing in changes nothing but one's own cookie",
    ),
    "auth.logout": Change(
        lambda scene: submit(scene.admin, "/logout", page="/account"), None, "signing out ends one's own sessions only"
    ),
    "auth.change_password": Change(
        lambda scene: submit(
            scene.admin,
            "/account",
            {"current_password": PASSWORD, "new_password": NEW_PASSWORD},
        ),
        "user.password_changed",
    ),
    "waitlists.create": Change(
        lambda scene: submit(scene.admin, "/waitlists/new", {"name": "Autumn", "referral_skip": "5"}),
        "waitlist.created",
    ),
    "waitlists.change_settings": Change(
        lambda scene: submit(scene.admin, f"{waitlist_path(scene)}/settings", {"name": "Autumn", "referral_skip": "7"}),
        "waitlist.updated",
    ),
    "waitlists.archive": Change(
        lambda scene: submit(scene.admin, f"{waitlist_path(scene)}/archive", page=f"{waitlist_path(scene)}/settings"),
        "waitlist.archived",
    ),
    "waitlists.restore": Change(restore, "waitlist.restored"),
}


@pytest.fixture
def scene(app: Flask) -> Scene:
    """An organisation with a key, a waitlist and a signed-in admin."""
    caller = make_caller(app)
    user = make_user(caller.organisation)
    return Scene(caller, sign_in(app, user), user.email)


def test_the_table_covers_every_changing_address(app: Flask) -> None:
    safe = {"GET", "HEAD", "OPTIONS"}
    changing = {rule.endpoint for rule in app.url_map.iter_rules() if (rule.methods or set()) - safe}

    assert set(CHANGES) == changing
    assert all(change.action or change.reason for change in CHANGES.values())


@pytest.mark.parametrize("endpoint", sorted(CHANGES))
def test_a_change_leaves_exactly_one_event(scene: Scene, endpoint: str) -> None:
    change = CHANGES[endpoint]
    restored = ["waitlist.archived"] if endpoint == "waitlists.restore" else []
    before = len(events())

    response = change.make(scene)

    assert response.status_code < 400, response.text
    left = [event.action for event in events()[before:]]
    assert left == restored + ([change.action] if change.action else [])
