"""Scopes and plans: who gets past a view's decorators, and that no view forgets them."""

from collections.abc import Callable, Collection
from typing import Any

import pytest
from flask import Flask

from blueprints.api.decorators import (
    any_live_key,
    feature_required,
    is_public,
    public,
    require_declared_access,
    scope_required,
)
from models import Feature, Plan, Scope
from tests.api_client import make_caller, nothing_written, problem, refused
from tests.databases import store_unchecked_plan
from tests.factories import make_api_key, revoke, set_plan

READ, WRITE = Scope.SUBSCRIBERS_READ, Scope.SUBSCRIBERS_WRITE
SIGNUP = {"email": "ada@example.org"}


@pytest.mark.parametrize("scopes", [{READ}, {WRITE}, {READ, WRITE}])
def test_each_call_needs_its_own_scope(app: Flask, scopes: Collection[Scope]) -> None:
    caller = make_caller(app, scopes=scopes)

    for method, scope, success in (("GET", READ, 200), ("HEAD", READ, 200), ("POST", WRITE, 201)):
        if scope in scopes:
            assert caller.api.send(method, caller.path, json=SIGNUP).status_code == success
        else:
            with nothing_written():
                response = caller.api.send(method, caller.path, json=SIGNUP)
            challenge = f'Bearer realm="queuekey", error="insufficient_scope", scope="{scope.value}"'
            assert response.headers.getlist("WWW-Authenticate") == [challenge]
            if method != "HEAD":
                assert problem(response, 403, "insufficient_scope")["required_scope"] == scope.value


@pytest.mark.parametrize(
    "disguise",
    [
        {"headers": {"X-HTTP-Method-Override": "POST"}},
        {"headers": {"X-HTTP-Method": "POST"}},
        {"query_string": {"_method": "POST"}},
    ],
)
def test_a_method_in_disguise_is_still_a_get(app: Flask, disguise: dict[str, Any]) -> None:
    caller = make_caller(app, scopes=[READ])

    with nothing_written():
        response = caller.api.send("GET", caller.path, json=SIGNUP, **disguise)

    assert response.status_code in {200, 422}  # 422: _method is no parameter
    assert caller.api.get(caller.path).json["total"] == 0  # type: ignore[index]


@pytest.mark.parametrize("plan", [Plan.PRO, Plan.TEAM])
def test_a_lapsed_plan_pauses_every_key_and_a_restored_one_resumes_them(app: Flask, plan: Plan) -> None:
    caller = make_caller(app, plan=plan)
    key, revoked = make_api_key(caller.organisation)
    assert caller.api.get(caller.path).status_code == 200
    set_plan(caller.organisation, Plan.FREE)

    with refused():
        for response in (caller.api.get(caller.path), caller.api.post(caller.path, SIGNUP)):
            document = problem(response, 403, "feature_not_allowed")
            assert (document["plan"], document["required_plan"]) == ("free", "pro")
            assert "WWW-Authenticate" not in response.headers
            assert "RateLimit" not in response.headers

    revoke(key)
    set_plan(caller.organisation, plan)
    assert caller.api.get(caller.path).status_code == 200
    assert caller.api.post(caller.path, SIGNUP).status_code == 201
    response = caller.api.get(caller.path, headers={"Authorization": f"Bearer {revoked}"})
    problem(response, 401, "invalid_token")


@pytest.mark.parametrize("stored", ["platinum", "PRO", ""])
def test_a_plan_that_nobody_knows_is_denied(app: Flask, stored: str) -> None:
    caller = make_caller(app)
    assert caller.api.get(caller.path).status_code == 200
    with app.app_context():
        from models import db

        store_unchecked_plan(db.engine, caller.organisation.id, stored)

    with refused():
        problem(caller.api.get(caller.path), 403, "feature_not_allowed")
        problem(caller.api.post(caller.path, SIGNUP), 403, "feature_not_allowed")


def view() -> str:
    """A view."""
    return "reached"


guard_scope = scope_required(READ)
guard_feature = feature_required(Feature.API_KEYS)


def app_with(function: Callable[..., Any], endpoint: str = "api.fresh") -> Flask:
    fresh = Flask("fresh")
    fresh.add_url_rule("/v1/api/fresh", endpoint, function)
    return fresh


@pytest.mark.parametrize("declared", [guard_feature(guard_scope(view)), guard_feature(any_live_key(view))])
def test_a_view_that_declares_feature_and_access_lets_the_application_start(declared: Callable[..., Any]) -> None:
    require_declared_access(app_with(declared))


def test_a_public_view_needs_no_feature() -> None:
    @public
    def hello() -> str:
        return "hello"

    require_declared_access(app_with(hello))
    assert is_public(hello)


@pytest.mark.parametrize("undeclared", [view, guard_scope(view), any_live_key(view)])
def test_a_view_that_declares_too_little_stops_the_start(undeclared: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match=r"api\.fresh declares"):
        require_declared_access(app_with(undeclared))
    require_declared_access(app_with(undeclared, endpoint="console.fresh"))


@pytest.mark.parametrize(("outer", "inner"), [(guard_scope, any_live_key), (any_live_key, guard_scope)])
def test_access_is_declared_once(outer: Callable[..., Any], inner: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="twice"):
        outer(inner(view))


@pytest.mark.parametrize("inner", [lambda function: function, public])
def test_the_plan_is_asked_for_before_the_scope(inner: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="stands above no"):
        guard_feature(inner(lambda: "reached"))


def test_any_live_key_opens_a_view_to_every_scope_and_counts_as_a_use(app: Flask) -> None:
    from flask import g

    with app.test_request_context("/v1/api/fresh"):
        assert any_live_key(view)() == "reached"
        assert g.is_key_used
