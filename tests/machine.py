"""Keys, plans, people and their sign-ups over HTTP, in any order, against a model of them in plain Python."""

import itertools
import re
from typing import Any, ClassVar

from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from models import ActivityEvent, Plan, Scope, User, db
from tests.api_client import ApiClient, body, subscribers_path
from tests.console import hidden_fields, sign_in
from tests.factories import deactivate, in_context, make_organisation, make_user, make_waitlist, set_plan

TOKEN = re.compile(r"qu_live_[0-9A-Za-z]{36}")
KEY_ID = re.compile(r"/api-keys/([0-9]+)/revoke")
ADMINS = 3
ANY_ADMIN = st.integers(0, ADMINS - 1)
ANY_KEY = st.integers(0, 7)
NAMES = st.sampled_from(["ada", "Ada", "grace", "linus", "maya", "tomás", "ß"])

_numbers = itertools.count(1)


class Admin:
    """Somebody at the console, with the session they signed in with."""

    def __init__(self, app: Flask, user: User) -> None:
        self.user, self.is_gone = user, False
        self._client: FlaskClient = sign_in(app, user)
        self._csrf = hidden_fields(self._client.get("/account").text)["csrf_token"]

    def post(self, path: str, **fields: object) -> Any:
        """Send a form."""
        return self._client.post(path, data=fields | {"csrf_token": self._csrf})


class Key:
    """A key as the model has it."""

    def __init__(self, app: Flask, id_: int, token: str, scopes: frozenset[Scope]) -> None:
        self.id, self.scopes, self.is_revoked = id_, scopes, False
        self.api = ApiClient(app, token)


class Machine(RuleBasedStateMachine):
    """One organisation; whatever is done to it, answers and activity log are those of the model."""

    app: ClassVar[Flask]
    steps: ClassVar[int] = 0

    @initialize()
    def found(self) -> None:
        """An organisation on Pro with a few admins, of whom the first stays, and a key of each kind."""
        self.plan, self.joined = Plan.PRO, list[str]()
        self.organisation = make_organisation()
        self.path = subscribers_path(make_waitlist(self.organisation))
        self.admins = [Admin(self.app, make_user(self.organisation)) for _ in range(ADMINS)]
        self.keys = list[Key]()
        self.log = ["organisation.created", "waitlist.created", *["user.created"] * ADMINS]
        for scopes in (set(Scope), {Scope.SUBSCRIBERS_READ}, {Scope.SUBSCRIBERS_WRITE}):
            self._create_key(self.admins[0], scopes)

    @rule(who=ANY_ADMIN, scopes=st.sets(st.sampled_from(Scope)))
    def create_key(self, who: int, scopes: set[Scope]) -> None:
        """Fill in the form for a key."""
        self._create_key(self.admins[who], scopes)

    def _create_key(self, admin: Admin, scopes: set[Scope]) -> None:
        fields = {
            "name": "crm-sync",
            "scopes": [scope.value for scope in scopes],
            "form_value": f"{next(_numbers):032}",
        }
        response = admin.post("/api-keys/new", **fields)
        if admin.is_gone:
            assert (response.status_code, response.location) == (302, "/login")
        elif self.plan is Plan.FREE:
            assert response.status_code == 403
        elif not scopes:
            assert response.status_code == 422
        else:
            assert response.status_code == 201
            self.log.append("api_key.created")
            id_ = max(map(int, KEY_ID.findall(response.text)))  # the newest
            self.keys.append(Key(self.app, id_, TOKEN.findall(response.text)[0], frozenset(scopes)))
            return
        assert not TOKEN.search(response.text)

    @rule(who=ANY_ADMIN, which=ANY_KEY)
    def revoke(self, who: int, which: int) -> None:
        """Revoke a key, perhaps once more."""
        admin, key = self.admins[who], self._key(which)
        response = admin.post(f"/api-keys/{key.id}/revoke")
        if admin.is_gone:
            assert (response.status_code, response.location) == (302, "/login")
            return
        assert response.status_code == 303
        if not key.is_revoked:
            key.is_revoked = True
            self.log.append("api_key.revoked")

    @rule(plan=st.sampled_from(Plan))
    def change_plan(self, plan: Plan) -> None:
        """Change the plan, perhaps to what it is."""
        set_plan(self.organisation, plan)
        if plan is not self.plan:
            self.plan = plan
            self.log.append("plan.changed")

    @rule(who=st.integers(1, ADMINS - 1))
    def deactivate_admin(self, who: int) -> None:
        """Shut somebody out who may have created keys, which go on working."""
        admin = self.admins[who]
        deactivate(admin.user)
        if not admin.is_gone:
            admin.is_gone = True
            self.log.append("user.deactivated")

    @rule(which=ANY_KEY)
    def list_subscribers(self, which: int) -> None:
        """Read the line."""
        key = self._key(which)
        response = key.api.get(f"{self.path}?limit=200")
        if self._is_let_in(key, Scope.SUBSCRIBERS_READ, response):
            assert [item["email"] for item in body(response)["items"]] == self.joined
            assert [item["position"] for item in body(response)["items"]] == list(range(1, len(self.joined) + 1))
            assert body(response)["total"] == len(self.joined)

    @rule(which=ANY_KEY, name=NAMES)
    def sign_up(self, which: int, name: str) -> None:
        """Sign somebody up, perhaps once more and in capitals."""
        key, email = self._key(which), f"{name}@example.org"
        response = key.api.post(self.path, {"email": email})
        if self._is_let_in(key, Scope.SUBSCRIBERS_WRITE, response):
            known = [one for one in self.joined if one.lower() == email.lower()]
            if not known:
                self.joined.append(email)
                self.log.append("subscriber.created")
            assert response.status_code == (200 if known else 201)
            shown = known[0] if known else email
            assert (body(response)["email"], body(response)["position"]) == (shown, self.joined.index(shown) + 1)

    @invariant()
    def the_log_tells_it_all(self) -> None:
        """One event for every change, in order, and none for anything else."""
        if hasattr(self, "log"):
            Machine.steps += 1
            assert recorded(self.organisation.id) == self.log

    def _key(self, which: int) -> Key:
        return self.keys[which % len(self.keys)]

    def _is_let_in(self, key: Key, needed: Scope, response: Any) -> bool:
        expected: tuple[int, str] | None = None
        if key.is_revoked:
            expected = 401, "invalid_token"
        elif self.plan is Plan.FREE:
            expected = 403, "feature_not_allowed"
        elif needed not in key.scopes:
            expected = 403, "insufficient_scope"
        if expected is None:
            assert response.status_code < 300, response.text
            return True
        assert (response.status_code, body(response)["code"]) == expected
        return False


@in_context
def recorded(organisation_id: int) -> list[str]:
    """What the activity log of an organisation says was done, oldest first."""
    statement = select(ActivityEvent.action).where(ActivityEvent.organisation_id == organisation_id)
    return list(db.session.scalars(statement.order_by(ActivityEvent.id)))


def profile(examples: int, steps: int) -> settings:
    """So many runs of so many steps; a failing one prints how to repeat it."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
